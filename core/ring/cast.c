/*
 * Broadcast over ranges of the ring.
 *
 * Whoever holds a message covers an open range (after, before) of the ring: it
 * delivers to itself and hands each linked member inside the range the part up
 * to the next one. A delegate answers for its part once it has acknowledged;
 * one that stays silent is asked again, then its part goes to the nearest other
 * member as a rescue: that one covers the part without standing in it. Everyone
 * remembers (origin, sequence) for a while and delivers once.
 */
#include <string.h>

#include "core/ring/parts.h"

enum {
	SEEN		= 64,		/* broadcasts remembered */
	DELEGATED_MAX	= 128,
	CAST_TRIES	= 2,		/* to one delegate */
	CAST_RESCUES	= 3,
	CAST_HOPS	= 64,
	CAST_FAN	= 32,		/* delegates of one range, about: a way in has links to hundreds */
	CAST_DATA	= 1000,
	CAST_RATE	= 20,		/* handled per second and node */
};

struct delegated {
	struct id origin, after, before;
	uint32_t seq;
	uint16_t ticket, to, len;
	uint8_t hops, tries, rescues;
	int64_t due_ns;
	uint8_t *data;
};

struct cast_state {
	struct { uint64_t origin; uint32_t seq; } seen[SEEN];
	uint8_t seen_next, tokens;
	uint32_t own_seq, tokens_s;
	struct delegated *d;
	uint16_t count, cap;
};

struct message {
	struct id origin;
	uint32_t seq;
	uint8_t hops;
	struct bytes data;
};

static struct cast_state *state(struct ring *r, struct env *e)
{
	if (!r->cast)
		r->cast = mem_get(&e->mem, sizeof(*r->cast));
	return r->cast;
}

static bool inside(struct id id, struct id after, struct id before)
{
	return id_between(id, after, before);
}

static void arm(struct ring *r, struct env *e)
{
	int64_t due = INT64_MAX;

	for (unsigned i = 0; i < r->cast->count; i++)
		due = r->cast->d[i].due_ns < due ? r->cast->d[i].due_ns : due;
	if (due == INT64_MAX)
		heap_del(&e->timers, RING_CAST);
	else
		heap_set(&e->timers, &e->mem, RING_CAST, due);
}

static void transmit(struct ring *r, struct env *e, struct delegated *d)
{
	link_ref to = { d->to };
	struct writer w = links_message(e, r->links, to, MESSAGE_CAST, 64u + d->len);

	write_u16(&w, d->ticket);
	write_u8(&w, d->hops);
	write_id(&w, d->origin);
	write_u32(&w, d->seq);
	write_id(&w, d->after);
	write_id(&w, d->before);
	write_copy(&w, d->data, d->len);
	links_sent(e, r->links, to, &w);
	d->due_ns = e->now_ns + links_rto_us(r->links, to) * NS_PER_US + 20 * NS_PER_MS;
}

static void delegate(struct ring *r, struct env *e, const struct message *m, unsigned slot, struct id after,
		     struct id before, uint8_t rescues)
{
	struct cast_state *s = r->cast;
	struct delegated d = {
		.origin = m->origin, .after = after, .before = before, .seq = m->seq, .to = (uint16_t)slot,
		.ticket = r->next_ticket++, .len = (uint16_t)m->data.len, .hops = (uint8_t)(m->hops + 1),
		.rescues = rescues,
	};

	if (s->count == DELEGATED_MAX ||
	    (s->count == s->cap && !mem_grow(&e->mem, &s->d, &s->cap, (uint16_t)(s->cap + 8), sizeof(d)))) {
		env_drop(e, DROP_FULL);
		return;
	}
	d.data = mem_get(&e->mem, d.len ? d.len : 1u);
	if (!d.data) {
		env_drop(e, DROP_MEMORY);
		return;
	}
	memcpy(d.data, m->data.at, d.len);
	transmit(r, e, &d);
	s->d[s->count++] = d;
}

/* The linked member nearest clockwise after @from inside (@from, @to), UINT16_MAX if there is none. */
static unsigned next_inside(const struct ring *r, struct id from, struct id to)
{
	unsigned best = UINT16_MAX;

	for (unsigned i = 0; i < r->peers; i++)
		if (peer_stands(&r->peer[i]) && !r->peer[i].doubted && inside(r->peer[i].id, from, to) &&
		    (best == UINT16_MAX ||
		     id_less(id_clockwise(from, r->peer[i].id), id_clockwise(from, r->peer[best].id))))
			best = i;
	return best;
}

/* The same, but @skip of them further on if there are so many; the last one is never passed over. */
static unsigned next_delegate(const struct ring *r, struct id from, struct id to, unsigned skip)
{
	unsigned slot = next_inside(r, from, to), further = slot;

	while (skip-- && further != UINT16_MAX) {
		further = next_inside(r, r->peer[slot].id, to);
		if (further != UINT16_MAX)
			slot = further;
	}
	return slot;
}

/* How many to pass over so that about CAST_FAN are left inside (@after, @before). */
static unsigned too_many(const struct ring *r, struct id after, struct id before)
{
	unsigned count = 0;

	for (unsigned i = 0; i < r->peers; i++)
		count += peer_stands(&r->peer[i]) && !r->peer[i].doubted && inside(r->peer[i].id, after, before);
	return count / CAST_FAN;
}

/*
 * Delegate everything inside (@after, @before), which does not hold ourselves.
 * Rightwards each delegate covers from itself up to the next one, leftwards
 * from behind the one before up to itself; the first and the last take what
 * lies beyond them, so that no point of the range is left out or given twice.
 */
static void cover(struct ring *r, struct env *e, const struct message *m, struct id after, struct id before,
		  bool leftwards)
{
	static const struct id ONE = { 0, 1 };
	unsigned slot = next_inside(r, after, before), next, skip = too_many(r, after, before);
	struct id from = after;

	for (; slot != UINT16_MAX; slot = next) {
		struct id here = r->peer[slot].id, to = before;

		next = next_delegate(r, here, before, skip);
		if (next != UINT16_MAX)
			to = leftwards ? id_add(here, ONE) : r->peer[next].id;
		delegate(r, e, m, slot, from, to, 0);
		if (next != UINT16_MAX)
			from = leftwards ? here : id_sub(r->peer[next].id, ONE);
	}
}

/* How far @id is from the range, by its nearer end */
static struct id outside(struct id id, struct id after, struct id before)
{
	struct id a = id_distance(id, after), b = id_distance(id, before);

	return id_less(a, b) ? a : b;
}

/*
 * A rescue of a part we know nobody in: whoever stands nearer to it may. The
 * one that stands beside it knows all who are in it, for they are its near
 * neighbours.
 */
static void approach(struct ring *r, struct env *e, const struct message *m, struct id after, struct id before)
{
	struct id best = outside(r->self, after, before);
	unsigned slot = UINT16_MAX;

	for (unsigned i = 0; i < r->peers; i++) {
		struct id d = outside(r->peer[i].id, after, before);

		if (!peer_stands(&r->peer[i]) || r->peer[i].doubted || !id_less(d, best))
			continue;
		best = d;
		slot = i;
	}
	if (slot != UINT16_MAX)
		delegate(r, e, m, slot, after, before, 0);
}

/* Our immediate neighbours bound both sides: nothing lies between us and the first delegate. */
static void spread(struct ring *r, struct env *e, const struct message *m, struct id after, struct id before)
{
	if (m->hops >= CAST_HOPS) {
		env_drop(e, DROP_HOPS);
		return;
	}
	if (id_eq(after, before)) {		/* the whole ring: half each way */
		struct id half = id_add(r->self, (struct id){ (uint64_t)1 << 63, 0 });

		cover(r, e, m, r->self, half, false);
		cover(r, e, m, id_sub(half, (struct id){ 0, 1 }), r->self, true);
	} else if (inside(r->self, after, before)) {
		cover(r, e, m, r->self, before, false);
		cover(r, e, m, after, r->self, true);
	} else if (next_inside(r, after, before) != UINT16_MAX) {
		cover(r, e, m, after, before, false);
	} else {
		approach(r, e, m, after, before);
	}
	arm(r, e);
}

/* First time we see it? Remembers it. */
static bool fresh(struct cast_state *s, const struct message *m)
{
	for (unsigned i = 0; i < SEEN; i++)
		if (s->seen[i].origin == m->origin.hi && s->seen[i].seq == m->seq)
			return false;
	s->seen[s->seen_next].origin = m->origin.hi;
	s->seen[s->seen_next].seq = m->seq;
	s->seen_next = (uint8_t)((s->seen_next + 1) % SEEN);
	return true;
}

static bool allowed(struct cast_state *s, const struct env *e)
{
	uint32_t second = env_ms(e) / 1000;

	if (s->tokens_s != second) {
		s->tokens_s = second;
		s->tokens = CAST_RATE;
	}
	if (!s->tokens)
		return false;
	s->tokens--;
	return true;
}

enum drop ring_broadcast(struct ring *r, struct env *e, struct bytes data)
{
	struct cast_state *s = state(r, e);
	struct message m = { .origin = r->self, .data = data };

	if (!s)
		return DROP_MEMORY;
	if (data.len > CAST_DATA)
		return DROP_TOO_BIG;
	if (r->state != RING_JOINED)
		return DROP_STATE;
	if (!allowed(s, e))
		return DROP_RATE;
	if (!s->own_seq)
		s->own_seq = (uint32_t)random_u64(&e->random) | 1;
	m.seq = s->own_seq++;
	fresh(s, &m);
	env_record(e, RECORD_BROADCAST, m.origin, m.seq, 0);
	spread(r, e, &m, r->self, r->self);
	return DROP_NONE;
}

void cast_start(struct ring *r, struct env *e, const struct event *ev)
{
	struct reply reply = { .token = ev->request.token, .who = r->self, .tries = 1, .ask = ASK_BROADCAST };

	switch (ring_broadcast(r, e, ev->data)) {
	case DROP_NONE:
		reply.answer = ANSWER_OK;
		break;
	case DROP_STATE:
		reply.answer = ANSWER_NOT_JOINED;
		break;
	case DROP_RATE:
		reply.answer = ANSWER_FULL;
		break;
	default:
		reply.answer = ANSWER_FAILED;
	}
	env_reply(e, &reply);
}

static void deliver(struct ring *r, struct env *e, const struct message *m)
{
	env_record(e, RECORD_BROADCAST, m->origin, m->seq, m->hops);
	mail_cast(r, e, m->origin, m->seq, m->data);
}

void cast_input(struct ring *r, struct env *e, link_ref from, struct reader *in)
{
	struct cast_state *s = state(r, e);
	uint16_t ticket = read_u16(in);
	struct message m = { .hops = read_u8(in) };
	struct id after, before;
	struct writer ack;
	bool first, shed;

	m.origin = read_id(in);
	m.seq = read_u32(in);
	after = read_id(in);
	before = read_id(in);
	m.data = (struct bytes){ in->at, reader_left(in) };
	if (!reader_ok(in) || m.data.len > CAST_DATA) {
		env_drop(e, DROP_VALUE);
		return;
	}
	if (!s) {
		env_drop(e, DROP_MEMORY);
		return;
	}
	shed = !allowed(s, e);			/* too many: acknowledged, or it would come again and be rescued, in a storm */
	ack = links_message(e, r->links, from, MESSAGE_CAST_ACK, 2);
	write_u16(&ack, ticket);
	links_sent(e, r->links, from, &ack);
	if (shed) {
		env_drop(e, DROP_RATE);
		return;
	}
	first = fresh(s, &m);
	if (first)
		deliver(r, e, &m);
	else
		env_drop(e, DROP_DUPLICATE);
	if (first || !inside(r->self, after, before))
		spread(r, e, &m, after, before);
}

static void drop_at(struct ring *r, struct env *e, unsigned i)
{
	struct delegated *d = &r->cast->d[i];

	mem_put(&e->mem, d->data, d->len ? d->len : 1u);
	*d = r->cast->d[--r->cast->count];
}

void cast_acked(struct ring *r, struct env *e, link_ref from, struct reader *in)
{
	uint16_t ticket = read_u16(in);

	if (!reader_ok(in) || !r->cast)
		return;
	for (unsigned i = 0; i < r->cast->count; i++)
		if (r->cast->d[i].ticket == ticket && r->cast->d[i].to == from.slot) {
			drop_at(r, e, i);
			arm(r, e);
			return;
		}
}

/* The delegate stays silent: somebody else covers its part from outside. */
static void rescue(struct ring *r, struct env *e, struct delegated *d)
{
	struct message m = {
		.origin = d->origin, .seq = d->seq, .hops = (uint8_t)(d->hops - 1), .data = { d->data, d->len },
	};
	struct id after = d->after, before = d->before;
	unsigned slot = next_inside(r, after, before);

	if (d->rescues >= CAST_RESCUES)
		return;
	if (slot == UINT16_MAX || slot == d->to)
		slot = next_inside(r, id_sub(before, (struct id){ 0, 1 }), after);
	if (slot != UINT16_MAX && slot != d->to)
		delegate(r, e, &m, slot, after, before, (uint8_t)(d->rescues + 1));
}

void cast_timer(struct ring *r, struct env *e)
{
	struct cast_state *s = r->cast;

	if (!s)
		return;
	for (unsigned i = 0; i < s->count;) {
		struct delegated d = s->d[i];
		bool up = d.to < r->peers && r->peer[d.to].up;

		if (d.due_ns > e->now_ns) {
			i++;
			continue;
		}
		if (up && ++s->d[i].tries < CAST_TRIES) {
			transmit(r, e, &s->d[i]);
			i++;
			continue;
		}
		if (up)
			links_doubt(e, r->links, (link_ref){ d.to });
		s->d[i] = s->d[--s->count];
		rescue(r, e, &d);
		mem_put(&e->mem, d.data, d.len ? d.len : 1u);
	}
	arm(r, e);
}

void cast_done(struct ring *r, struct env *e)
{
	if (!r->cast)
		return;
	while (r->cast->count)
		drop_at(r, e, r->cast->count - 1u);
	mem_put(&e->mem, r->cast->d, r->cast->cap * sizeof(struct delegated));
	mem_put(&e->mem, r->cast, sizeof(*r->cast));
	r->cast = NULL;
}

size_t cast_bytes(const struct ring *r)
{
	size_t bytes = 0;

	if (!r->cast)
		return 0;
	for (unsigned i = 0; i < r->cast->count; i++)
		bytes += r->cast->d[i].len;
	return bytes + sizeof(*r->cast) + r->cast->cap * sizeof(struct delegated);
}
