/*
 * Mail for the floors above the ring: what was routed here with a body kind of
 * theirs, and broadcasts. Both wait in the step's scratch memory until node.c
 * hands them up, so that nothing above runs inside the ring's own code.
 */
#include <string.h>

#include "core/ring/parts.h"

static bool copy_to_scratch(struct env *e, struct bytes data, struct bytes *out)
{
	uint8_t *copy = env_scratch(e, data.len ? data.len : 1);

	if (!copy)
		return false;
	memcpy(copy, data.at, data.len);
	*out = (struct bytes){ copy, data.len };
	return true;
}

void mail_deliver(struct ring *r, struct env *e, const struct routed *m, struct bytes body)
{
	struct ring_mail *mail;

	if (body.len > RING_MAIL_MAX) {
		env_drop(e, DROP_TOO_BIG);
		return;
	}
	mail = env_scratch(e, sizeof(*mail));
	if (!mail)
		return;
	*mail = (struct ring_mail){ .to = m->to, .from = m->from, .via = m->via, .has_via = m->has_via,
				    .hops = m->hops, .body = m->body };
	if (!copy_to_scratch(e, body, &mail->data))
		return;
	if (!r->mail)
		r->mail_end = &r->mail;
	*r->mail_end = mail;
	r->mail_end = &mail->next;
}

const struct ring_mail *ring_next_mail(struct ring *r)
{
	struct ring_mail *mail = r->mail;

	if (mail)
		r->mail = mail->next;
	return mail;
}

void mail_cast(struct ring *r, struct env *e, struct id origin, uint32_t seq, struct bytes data)
{
	struct ring_cast *cast = env_scratch(e, sizeof(*cast));

	if (!cast)
		return;
	*cast = (struct ring_cast){ .origin = origin, .seq = seq };
	if (!copy_to_scratch(e, data, &cast->data))
		return;
	if (!r->casts)
		r->casts_end = &r->casts;
	*r->casts_end = cast;
	r->casts_end = &cast->next;
}

const struct ring_cast *ring_next_cast(struct ring *r)
{
	struct ring_cast *cast = r->casts;

	if (cast)
		r->casts = cast->next;
	return cast;
}

struct writer ring_open(uint8_t *buf, size_t max, struct id to, uint8_t mode, uint8_t body)
{
	return route_open(NULL, buf, max, to, mode, body);
}

/* The peer nearest to @to, members before those who have not said yet what they are. */
static link_ref way_in(const struct ring *r, struct id to)
{
	link_ref best = LINK_NONE;
	struct id least = ID_MAX;
	bool member = false;

	for (unsigned i = 0; i < r->peers; i++) {
		const struct ring_peer *p = &r->peer[i];
		struct id d = id_distance(p->id, to);

		if (!peer_ok(p) || p->doubted || p->member < member || (p->member == member && !id_less(d, least)))
			continue;
		member = p->member;
		least = d;
		best = (link_ref){ (uint16_t)i };
	}
	return best;
}

enum drop ring_send(struct ring *r, struct env *e, struct writer *w, const struct id *via)
{
	struct reader in = reader_of(w->start, writer_len(w));
	struct id to = read_id(&in);
	link_ref first = LINK_NONE;

	if (w->bad)
		return env_drop(e, DROP_TOO_BIG);
	if (id_eq(to, r->self)) {
		uint8_t mode = read_u8(&in);
		struct routed m = { .to = to, .from = r->self, .flags = mode, .last = LINK_NONE };

		m.body = read_u8(&in);
		mail_deliver(r, e, &m, (struct bytes){ in.at, reader_left(&in) });
		return DROP_NONE;
	}
	if (r->state == RING_APART || r->state == RING_ENTERING) {
		first = way_in(r, to);
		if (!link_ok(first))
			return env_drop(e, DROP_ROUTE);
	} else if (r->state != RING_JOINED && r->state != RING_LEAVING) {
		return env_drop(e, DROP_STATE);
	}
	return route_send(r, e, w, first, via && !id_eq(*via, r->self) ? via : NULL);
}

/* Everybody we know who may stand on the ring, ourselves first; hearsay too. */
enum { AROUND = 2 * NEAR_KNOW_MAX + 1 };

static unsigned everybody(const struct ring *r, struct id *out)
{
	unsigned count = 0;

	if (r->state == RING_JOINED)
		out[count++] = r->self;
	for (int s = 0; s < SIDES; s++)
		for (unsigned i = 0; i < r->near.count[s] && count < AROUND; i++) {
			struct id id = r->near.known[s][i].id;
			bool twice = false;

			for (unsigned k = 0; s == RIGHT && k < count; k++)	/* on a small ring one is on both sides */
				twice |= id_eq(out[k], id);
			if (!twice)
				out[count++] = id;
		}
	return count;
}

static bool nearer(struct id point, struct id a, struct id b)
{
	struct id x = id_distance(a, point), y = id_distance(b, point);

	return id_less(x, y) || (id_eq(x, y) && id_less(a, b));
}

unsigned ring_around(const struct ring *r, struct id point, struct id *out, unsigned max)
{
	struct id all[AROUND];
	unsigned count = everybody(r, all);

	for (unsigned i = 1; i < count; i++) {
		struct id id = all[i];
		unsigned k = i;

		for (; k && nearer(point, id, all[k - 1]); k--)
			all[k] = all[k - 1];
		all[k] = id;
	}
	if (count > max)
		count = max;
	memcpy(out, all, count * sizeof(*all));
	return count;
}

bool ring_watches(const struct ring *r, struct id id)
{
	const struct near *n = &r->near;

	if (r->state != RING_JOINED)
		return false;
	for (int s = 0; s < SIDES; s++) {
		struct id last;

		if (n->count[s] < n->want)		/* all there are */
			return true;
		last = n->known[s][n->count[s] - 1].id;
		if (s == RIGHT ? id_within(id, r->self, last) : id_eq(id, last) || id_between(id, last, r->self))
			return true;
	}
	return false;
}

bool ring_dead(const struct ring *r, const struct env *e, struct id id)
{
	struct id gone[NEAR_GONE];
	unsigned count = near_gone(&r->near, e, gone, NEAR_GONE);

	if (link_ok(peer_find(r, id)))
		return false;
	for (unsigned i = 0; i < count; i++)
		if (id_eq(gone[i], id))
			return true;
	return false;
}
