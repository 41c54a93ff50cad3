/*
 * Finding owners: requests of ours that wait for an answer, and answers to the
 * requests of others. A request is asked again after config.lookup_retry_ns,
 * each time with a new nonce, until its deadline.
 */
#include <string.h>

#include "core/ring/parts.h"

enum { ASKS_MAX = 64, FOUND_CONTACTS = 8 };
#define OWN_DEADLINE	(8 * NS_PER_S)		/* of requests the ring makes for itself */

/** struct ask_state - one request */
struct ask_state {
	uint64_t token;
	struct id key;
	uint32_t nonce;
	uint8_t find;			/* enum find_flag; none = a lookup from outside */
	uint8_t ask;			/* enum ask, for lookups */
	uint8_t tries;
	int64_t retry_ns, deadline_ns;
};

static void arm(struct ring *r, struct env *e)
{
	int64_t due = INT64_MAX;

	for (unsigned i = 0; i < r->asks; i++) {
		int64_t at = r->ask[i].retry_ns < r->ask[i].deadline_ns ? r->ask[i].retry_ns : r->ask[i].deadline_ns;

		due = at < due ? at : due;
	}
	if (due == INT64_MAX)
		heap_del(&e->timers, RING_ASK);
	else
		heap_set(&e->timers, &e->mem, RING_ASK, due);
}

static struct ask_state *ask_add(struct ring *r, struct env *e)
{
	if (r->asks == ASKS_MAX)
		return NULL;
	if (r->asks == r->ask_cap &&
	    !mem_grow(&e->mem, &r->ask, &r->ask_cap, (uint16_t)(r->ask_cap + 2), sizeof(*r->ask)))
		return NULL;
	return &r->ask[r->asks++];
}

static void send_find(struct ring *r, struct env *e, struct ask_state *a, link_ref first)
{
	uint8_t buf[64];
	struct writer w = route_open(r, buf, sizeof(buf), a->key, ROUTE_OWNER, BODY_FIND);

	a->nonce = (uint32_t)random_u64(&e->random);
	a->tries++;
	a->retry_ns = e->now_ns + random_around(&e->random, e->config->lookup_retry_ns);
	write_u32(&w, a->nonce);
	write_u8(&w, a->find);
	route_send(r, e, &w, first, NULL);
}

static void answer(struct env *e, const struct ask_state *a, enum answer how, struct id who, unsigned hops)
{
	struct reply reply = {
		.token = a->token, .who = who, .hops = (uint16_t)hops, .tries = a->tries, .answer = (uint8_t)how,
		.ask = a->ask,
	};

	env_reply(e, &reply);
}

void ask_request(struct ring *r, struct env *e, const struct event *ev)
{
	const struct request *q = &ev->request;
	struct ask_state a = {
		.token = q->token, .key = q->key, .ask = q->ask, .find = q->ask == ASK_TRACE ? FIND_TRACE : 0,
		.deadline_ns = e->now_ns + q->timeout_ns, .tries = 0,
	}, *slot;

	if (r->state != RING_JOINED) {
		answer(e, &a, ANSWER_NOT_JOINED, ID_ZERO, 0);
		return;
	}
	if (ring_owns(r, q->key)) {
		a.tries = 1;
		answer(e, &a, ANSWER_OK, r->self, 0);
		return;
	}
	slot = ask_add(r, e);
	if (!slot) {
		answer(e, &a, ANSWER_FULL, ID_ZERO, 0);
		return;
	}
	*slot = a;
	send_find(r, e, slot, LINK_NONE);
	arm(r, e);
}

/* ask_find() - A question of the ring's own; the answer goes to longs_found() or join_found() */
bool ask_find(struct ring *r, struct env *e, struct id key, uint8_t flags, link_ref first)
{
	struct ask_state *a = ask_add(r, e);

	if (!a)
		return false;
	*a = (struct ask_state){ .key = key, .find = flags, .deadline_ns = e->now_ns + OWN_DEADLINE };
	send_find(r, e, a, first);
	if (link_ok(first))
		a->retry_ns = a->deadline_ns;		/* the way was part of the question */
	arm(r, e);
	return true;
}

static void ask_del(struct ring *r, unsigned i)
{
	r->ask[i] = r->ask[--r->asks];
}

void ask_timer(struct ring *r, struct env *e)
{
	for (unsigned i = 0; i < r->asks;) {
		struct ask_state *a = &r->ask[i];

		if (a->deadline_ns <= e->now_ns) {
			struct ask_state gone = *a;

			ask_del(r, i);
			if (gone.find & FIND_LONG)
				longs_failed(r, e, gone.key);
			else if (!(gone.find & FIND_NEAR))
				answer(e, &gone, ANSWER_TIMEOUT, ID_ZERO, 0);
			continue;
		}
		if (a->retry_ns <= e->now_ns)
			send_find(r, e, a, LINK_NONE);
		i++;
	}
	arm(r, e);
}

/* ---- answers to others ---- */

static bool listed(const struct id *ids, unsigned count, struct id id)
{
	for (unsigned i = 0; i < count; i++)
		if (id_eq(ids[i], id))
			return true;
	return false;
}

/* Our neighbours nearest to @key, both sides in turn, so that its owner-to-be can take its place. */
static void write_neighbours(const struct ring *r, struct writer *w, struct id key)
{
	struct id ids[FOUND_CONTACTS];
	unsigned count = 0, rank[SIDES] = { 0, 0 };
	uint8_t *place = write_space(w, 1);

	for (unsigned turn = 0; turn < 2 * FOUND_CONTACTS && count < FOUND_CONTACTS; turn++) {
		enum side s = turn % 2 ? RIGHT : LEFT;
		const struct known *k;
		struct contact c;
		link_ref ref;

		if (rank[s] >= r->near.count[s])
			continue;
		k = &r->near.known[s][rank[s]++];
		if (id_eq(k->id, key) || near_hearsay(k) || listed(ids, count, k->id))
			continue;
		ref = peer_find(r, k->id);
		if (!link_ok(ref) || !links_contact(r->links, ref, &c)) {
			if (!endpoint_valid(&k->at))
				continue;
			c = (struct contact){ .id = k->id, .has_id = true, .ats = 1, .at = { k->at } };
		}
		contact_write(w, &c);
		ids[count++] = k->id;
	}
	if (place)
		*place = (uint8_t)count;
}

static void answer_find(struct ring *r, struct env *e, const struct routed *m, struct reader *in)
{
	uint8_t buf[ROUTE_BYTES_MAX];
	uint32_t nonce = read_u32(in);
	uint8_t flags = read_u8(in);
	struct contact self;
	struct writer w;

	if (!reader_ok(in)) {
		env_drop(e, DROP_SHORT);
		return;
	}
	if (id_eq(m->from, r->self)) {			/* came back to us: it is our own ring */
		for (unsigned i = 0; i < r->asks; i++)
			if (r->ask[i].nonce == nonce) {
				struct ask_state a = r->ask[i];

				ask_del(r, i);
				if (a.find & FIND_LONG)
					longs_failed(r, e, a.key);
				else if (!(a.find & FIND_NEAR))
					answer(e, &a, ANSWER_OK, r->self, m->hops);
				arm(r, e);
				return;
			}
		return;
	}
	links_self(r->links, &self);
	w = route_open(r, buf, sizeof(buf), m->from, ROUTE_EXACT, BODY_FOUND);
	write_u32(&w, nonce);
	write_u8(&w, flags & FIND_LONG && longs_full(r, e) ? FOUND_REFUSED : 0);
	write_u8(&w, m->hops);
	contact_write(&w, &self);
	if (flags & FIND_NEAR)
		write_neighbours(r, &w, m->from);
	if (!w.bad)
		route_send(r, e, &w, r->state < RING_JOINED && link_ok(m->last) ? m->last : LINK_NONE,
			   m->has_via && !id_eq(m->via, r->self) ? &m->via : NULL);
}

static void found(struct ring *r, struct env *e, struct reader *in)
{
	uint32_t nonce = read_u32(in);
	uint8_t flags = read_u8(in), hops = read_u8(in);
	struct contact owner = contact_read(in);

	if (!reader_ok(in) || !owner.has_id) {
		env_drop(e, DROP_VALUE);
		return;
	}
	for (unsigned i = 0; i < r->asks; i++) {
		struct ask_state a = r->ask[i];

		if (a.nonce != nonce)
			continue;
		ask_del(r, i);
		arm(r, e);
		if (a.find & FIND_LONG) {
			longs_found(r, e, a.key, &owner, flags & FOUND_REFUSED);
		} else if (a.find & FIND_NEAR) {
			near_add(&r->near, e, owner.id, owner.ats ? &owner.at[0] : NULL, HEARSAY, UINT16_MAX);
			join_found(r, e, in);
		} else {
			env_record(e, RECORD_LOOKUP, owner.id, hops, a.tries);
			answer(e, &a, ANSWER_OK, owner.id, hops);
		}
		return;
	}
	env_drop(e, DROP_DUPLICATE);
}

/* ---- tracing ---- */

void ask_passed(struct ring *r, struct env *e, const struct routed *m)
{
	uint8_t buf[64];
	struct writer w;

	if (!(m->find & FIND_TRACE) || id_eq(m->from, r->self))
		return;
	w = route_open(r, buf, sizeof(buf), m->from, ROUTE_EXACT, BODY_PASSED);
	write_u32(&w, m->nonce);
	write_u8(&w, m->hops);
	route_send(r, e, &w, LINK_NONE, m->has_via ? &m->via : NULL);
}

static void passed(struct ring *r, struct env *e, const struct routed *m, struct reader *in)
{
	uint32_t nonce = read_u32(in);
	uint8_t hops = read_u8(in);

	for (unsigned i = 0; reader_ok(in) && i < r->asks; i++)
		if (r->ask[i].nonce == nonce)
			answer(e, &r->ask[i], ANSWER_HOP, m->from, hops);
}

void ask_delivered(struct ring *r, struct env *e, const struct routed *m, struct reader *in)
{
	struct contact c;

	switch (m->body) {
	case BODY_FIND:
		answer_find(r, e, m, in);
		break;
	case BODY_FOUND:
		found(r, e, in);
		break;
	case BODY_PASSED:
		passed(r, e, m, in);
		break;
	case BODY_MEET:
		c = contact_read(in);
		if (reader_ok(in) && c.has_id && id_eq(c.id, m->from) && c.ats)
			links_call(e, r->links, &c);
		else
			env_drop(e, DROP_VALUE);
		break;
	default:
		env_drop(e, DROP_MESSAGE);
	}
}

void ask_done(struct ring *r, struct env *e)
{
	mem_put(&e->mem, r->ask, r->ask_cap * sizeof(*r->ask));
	r->ask = NULL;
	r->asks = r->ask_cap = 0;
}

size_t ask_bytes(const struct ring *r)
{
	return r->ask_cap * sizeof(*r->ask);
}
