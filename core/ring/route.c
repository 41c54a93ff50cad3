/*
 * Carrying messages. Every hop answers for a message until the next one has
 * acknowledged it: a silent next hop is doubted, and the message goes around it
 * at once. What has no next hop yet (the neighbour's fate is not settled, we
 * are just entering) waits here and is looked at again when the ring changes.
 */
#include <assert.h>
#include <string.h>

#include "core/ring/parts.h"

enum {
	PENDING_MAX	= 48,
	AVOID_MAX	= 4,
};
#define PENDING_AGE	(8 * NS_PER_S)
#define WAIT_STEP	(200 * NS_PER_MS)
#define ACK_GRACE	(10 * NS_PER_MS)

/** struct pending - one message in our hands */
struct pending {
	struct routed m;
	struct way way;
	uint8_t *body;			/* from env.mem */
	uint16_t len;
	uint16_t seq;			/* of the hop we wait for */
	uint16_t to;			/* its slot, UINT16_MAX = waiting for the ring */
	uint16_t avoid[AVOID_MAX];
	uint8_t avoids;
	int64_t due_ns, since_ns;
};

static void pending_del(struct ring *r, struct env *e, unsigned i)
{
	mem_put(&e->mem, r->pending[i].body, r->pending[i].len);
	r->pending[i] = r->pending[--r->pendings];
}

static struct pending *pending_add(struct ring *r, struct env *e, const struct routed *m, const struct way *w,
				   struct bytes body)
{
	struct pending *p;
	uint8_t *copy;

	if (r->pendings == PENDING_MAX)
		return NULL;
	if (r->pendings == r->pending_cap &&
	    !mem_grow(&e->mem, &r->pending, &r->pending_cap, (uint16_t)(r->pending_cap + 4), sizeof(*p)))
		return NULL;
	copy = mem_get(&e->mem, body.len);
	if (!copy)
		return NULL;
	memcpy(copy, body.at, body.len);
	p = &r->pending[r->pendings++];
	*p = (struct pending){
		.m = *m, .way = *w, .body = copy, .len = (uint16_t)body.len, .to = UINT16_MAX,
		.since_ns = e->now_ns,
	};
	return p;
}

static void arm(struct ring *r, struct env *e)
{
	int64_t due = INT64_MAX;

	for (unsigned i = 0; i < r->pendings; i++)
		if (r->pending[i].due_ns < due)
			due = r->pending[i].due_ns;
	if (due == INT64_MAX)
		heap_del(&e->timers, RING_ROUTE);
	else
		heap_set(&e->timers, &e->mem, RING_ROUTE, due);
}

static void transmit(struct ring *r, struct env *e, link_ref to, uint16_t seq, const struct routed *m,
		     const struct way *way, struct bytes body)
{
	struct writer w = links_message(e, r->links, to, MESSAGE_ROUTE, 80 + body.len);

	write_u16(&w, seq);
	write_u8(&w, way->flags);
	write_u8(&w, (uint8_t)(m->hops + 1));
	write_id(&w, m->to);
	write_id(&w, m->from);
	write_id(&w, way->least);
	if (way->flags & ROUTE_VIA)
		write_id(&w, m->via);
	write_u8(&w, m->body);
	write_copy(&w, body.at, body.len);
	links_sent(e, r->links, to, &w);
}

static void deliver(struct ring *r, struct env *e, struct routed *m, struct bytes body)
{
	struct reader in = reader_of(body.at, body.len);

	if (m->body >= BODY_ABOVE)
		mail_deliver(r, e, m, body);
	else
		ask_delivered(r, e, m, &in);
}

/* A message for somebody behind us who is no member: his link, if he still has one. */
static bool to_guest(const struct ring *r, const struct routed *m, link_ref *out)
{
	*out = peer_find(r, m->to);
	return link_ok(*out);
}

/*
 * Whoever looks for a place must not be sent back to it: others may still think
 * that it stands there. The nearest besides it answers.
 */
static enum next decide_place(const struct ring *r, const struct env *e, const struct routed *m, struct way *way,
			      const uint16_t *avoid, unsigned avoids, link_ref *out)
{
	link_ref asker = peer_find(r, m->from);
	uint16_t but[AVOID_MAX + 1];
	enum next next;

	if (link_ok(asker) && r->state == RING_JOINED &&
	    (link_same(asker, ring_side(r, LEFT)) || link_same(asker, ring_side(r, RIGHT))))
		return NEXT_HERE;
	for (unsigned i = 0; i < avoids; i++)
		but[i] = avoid[i];
	but[avoids] = asker.slot;
	next = next_hop(r, e, way, but, avoids + 1, out);
	if (next == NEXT_WAIT && r->state < RING_JOINED && link_ok(m->last))
		return NEXT_HERE;	/* we are looking for a place as well: tell what we know */
	return next;
}

static enum next decide(const struct ring *r, const struct env *e, const struct routed *m, struct way *way,
			const uint16_t *avoid, unsigned avoids, link_ref *out)
{
	enum next next;

	if (m->find & FIND_NEAR && !id_eq(m->from, r->self))
		return decide_place(r, e, m, way, avoid, avoids, out);
	next = next_hop(r, e, way, avoid, avoids, out);
	if (next != NEXT_HERE || !(way->flags & ROUTE_VIA) || (way->flags & ROUTE_MODE_MASK) != ROUTE_EXACT ||
	    id_eq(m->to, r->self))
		return next;
	if (to_guest(r, m, out))
		return NEXT_LINK;
	*way = (struct way){ .to = m->to, .least = ID_MAX, .flags = ROUTE_EXACT };	/* it will have joined meanwhile */
	return next_hop(r, e, way, avoid, avoids, out);
}

static void forward(struct ring *r, struct env *e, struct pending *p, const struct way *way, link_ref to)
{
	p->seq = r->next_seq++;
	p->to = to.slot;
	p->due_ns = e->now_ns + links_rto_us(r->links, to) * NS_PER_US + ACK_GRACE;
	transmit(r, e, to, p->seq, &p->m, way, (struct bytes){ p->body, p->len });
}

/* Move one message on, or have it wait. False: it is done with and gone. */
static bool push(struct ring *r, struct env *e, struct pending *p)
{
	struct way way = p->way;
	link_ref to = LINK_NONE;

	switch (decide(r, e, &p->m, &way, p->avoid, p->avoids, &to)) {
	case NEXT_LINK:
		forward(r, e, p, &way, to);
		return true;
	case NEXT_WAIT:
		p->to = UINT16_MAX;
		p->due_ns = e->now_ns + WAIT_STEP;
		return true;
	default:
		return false;
	}
}

/* Take charge of a message. DROP_FULL or DROP_MEMORY: somebody else must. */
static enum drop take(struct ring *r, struct env *e, struct routed *m, struct way *way, struct bytes body,
		      link_ref first)
{
	struct way ahead = *way;
	link_ref to = first;
	struct pending *p;

	if (!link_ok(first)) {
		switch (decide(r, e, m, &ahead, NULL, 0, &to)) {
		case NEXT_HERE:
			deliver(r, e, m, body);
			return DROP_NONE;
		case NEXT_NONE:
			return env_drop(e, DROP_UNREACHED);
		default:
			break;
		}
	}
	if (m->hops >= ROUTE_HOPS_MAX)
		return env_drop(e, DROP_HOPS);
	p = pending_add(r, e, m, way, body);
	if (!p) {
		if (!link_ok(to))
			return DROP_FULL;
		transmit(r, e, to, r->next_seq++, m, &ahead, body);
		return DROP_NONE;
	}
	if (link_ok(to))
		forward(r, e, p, &ahead, to);
	else
		p->due_ns = e->now_ns + WAIT_STEP;
	arm(r, e);
	return DROP_NONE;
}

static void find_flags(struct routed *m, const struct reader *in)
{
	struct reader body = *in;

	if (m->body != BODY_FIND)
		return;
	m->nonce = read_u32(&body);
	m->find = read_u8(&body);
}

/*
 * route_open() - A message to @to begins: the first bytes of @buf are its
 * envelope, the body follows in the writer that comes back
 */
enum { OPEN_BYTES = 16 + 1 + 1 };

struct writer route_open(struct ring *r, uint8_t *buf, size_t max, struct id to, uint8_t mode, uint8_t body)
{
	struct writer w = writer_of(buf, max);

	(void)r;
	write_id(&w, to);
	write_u8(&w, mode);
	write_u8(&w, body);
	return w;
}

/*
 * route_send() - Send what route_open() began
 * @first: by this link, whatever the ring thinks; @via: to a guest of that node
 */
enum drop route_send(struct ring *r, struct env *e, struct writer *w, link_ref first, const struct id *via)
{
	struct reader in = reader_of(w->start, writer_len(w));
	struct routed m = { .to = read_id(&in), .from = r->self, .last = LINK_NONE };
	struct way way = { .to = m.to, .least = ID_MAX, .flags = read_u8(&in) };
	enum drop why;

	assert(!w->bad);
	m.flags = way.flags;
	m.body = read_u8(&in);
	if (via) {
		m.via = way.to = *via;
		m.has_via = true;
		way.flags |= ROUTE_VIA;
	}
	find_flags(&m, &in);
	why = take(r, e, &m, &way, (struct bytes){ in.at, reader_left(&in) }, first);
	return why == DROP_FULL ? env_drop(e, why) : why;
}

/* An answer to somebody who sent from behind @via keeps the detour. */
void route_input(struct ring *r, struct env *e, link_ref from, struct reader *in)
{
	struct ring_peer *p = peer_at(r, from);
	uint16_t seq = read_u16(in);
	struct routed m = { .last = from };
	struct way way;
	struct writer ack;

	m.flags = way.flags = read_u8(in);
	m.hops = read_u8(in);
	m.to = way.to = read_id(in);
	m.from = read_id(in);
	way.least = read_id(in);
	if (way.flags & ROUTE_VIA) {
		m.via = read_id(in);
		m.has_via = true;
	}
	m.body = read_u8(in);
	if (!reader_ok(in)) {
		env_drop(e, DROP_SHORT);
		return;
	}
	if ((way.flags & ROUTE_MODE_MASK) >= ROUTE_MODES) {
		env_drop(e, DROP_RANGE);
		return;
	}
	if (r->state == RING_LEFT || r->state == RING_IDLE) {
		env_drop(e, DROP_STATE);
		return;
	}
	if (m.has_via && (way.flags & ROUTE_MODE_MASK) == ROUTE_EXACT && !id_eq(m.to, r->self))
		way.to = m.via;			/* an answer on its way to the guest's host */
	if (!peer_stands(p) && id_eq(m.from, p->id) && !m.has_via) {
		m.via = r->self;		/* a guest asks: answers come back through us */
		m.has_via = true;
		way.flags |= ROUTE_VIA;
	}
	find_flags(&m, in);
	ask_passed(r, e, &m);
	switch (take(r, e, &m, &way, (struct bytes){ in->at, reader_left(in) }, LINK_NONE)) {
	case DROP_FULL:
	case DROP_MEMORY:
		env_drop(e, DROP_FULL);		/* no acknowledgement: the last hop goes around us */
		return;
	default:
		ack = links_message(e, r->links, from, MESSAGE_ROUTE_ACK, 2);
		write_u16(&ack, seq);
		links_sent(e, r->links, from, &ack);
	}
}

void route_acked(struct ring *r, struct env *e, link_ref from, struct reader *in)
{
	uint16_t seq = read_u16(in);

	if (!reader_ok(in)) {
		env_drop(e, DROP_SHORT);
		return;
	}
	for (unsigned i = 0; i < r->pendings; i++)
		if (r->pending[i].to == from.slot && r->pending[i].seq == seq) {
			pending_del(r, e, i);
			arm(r, e);
			return;
		}
}

static void silent(struct ring *r, struct env *e, struct pending *p)
{
	link_ref to = { p->to };

	if (p->to < r->peers && r->peer[p->to].up) {
		if (p->avoids < AVOID_MAX)
			p->avoid[p->avoids++] = p->to;
		links_doubt(e, r->links, to);
	}
	p->to = UINT16_MAX;
}

void route_timer(struct ring *r, struct env *e)
{
	for (unsigned i = 0; i < r->pendings;) {
		struct pending *p = &r->pending[i];

		if (p->due_ns > e->now_ns) {
			i++;
			continue;
		}
		if (e->now_ns - p->since_ns > PENDING_AGE) {
			env_drop(e, DROP_SILENT);
			pending_del(r, e, i);
			continue;
		}
		if (p->to != UINT16_MAX)
			silent(r, e, p);
		else
			p->avoids = 0;		/* what was silent may have been heard since */
		if (decide(r, e, &p->m, &(struct way){ p->way.to, p->way.least, p->way.flags }, p->avoid, p->avoids,
			   &(link_ref){ 0 }) == NEXT_HERE) {
			struct pending done = *p;

			r->pending[i] = r->pending[--r->pendings];
			deliver(r, e, &done.m, (struct bytes){ done.body, done.len });
			mem_put(&e->mem, done.body, done.len);
			continue;
		}
		if (!push(r, e, p)) {
			env_drop(e, DROP_UNREACHED);
			pending_del(r, e, i);
			continue;
		}
		i++;
	}
	arm(r, e);
}

void route_retry(struct ring *r, struct env *e)
{
	bool any = false;

	for (unsigned i = 0; i < r->pendings; i++)
		if (r->pending[i].to == UINT16_MAX) {
			r->pending[i].due_ns = e->now_ns;
			any = true;
		}
	if (any)
		heap_set(&e->timers, &e->mem, RING_ROUTE, e->now_ns);
}

void route_link_gone(struct ring *r, struct env *e, link_ref ref)
{
	for (unsigned i = 0; i < r->pendings; i++)
		if (r->pending[i].to == ref.slot) {
			r->pending[i].to = UINT16_MAX;
			r->pending[i].due_ns = e->now_ns;
		}
	arm(r, e);
}

void route_done(struct ring *r, struct env *e)
{
	while (r->pendings)
		pending_del(r, e, r->pendings - 1u);
	mem_put(&e->mem, r->pending, r->pending_cap * sizeof(struct pending));
	r->pending = NULL;
	r->pending_cap = 0;
}

size_t route_bytes(const struct ring *r)
{
	size_t bytes = r->pending_cap * sizeof(struct pending);

	for (unsigned i = 0; i < r->pendings; i++)
		bytes += r->pending[i].len;
	return bytes;
}
