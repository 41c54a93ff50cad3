/*
 * Choosing the next hop (DESIGN section 5, "Routing").
 *
 * Greedy by distance to the key, with one step of lookahead: a link is as good
 * as the best place its peer can reach in one hop (Manku, Bawa, Raghavan,
 * "Symphony", USITS 2003, section 3.4). Lookahead alone could walk in circles
 * when tables are old, so a message carries the least distance of any node it
 * visited. A hop that does not get below it is a loan: it sets OWED, and no
 * second loan is given before a hop does get below. With a true table that is
 * the next hop. With an old one there may be no such link; then the message
 * goes on without lookahead, OWED, nearer with every hop, until it is below.
 * So either the least distance falls or, while OWED, the distance itself does:
 * no message loops, and none is stuck where a table lied.
 *
 * Of the hops that these rules allow the one is taken that promises the earliest
 * arrival: half its round trip, and BIT_US for each bit by which the place it
 * reaches is farther from the key. Where all peers are equally near that is the
 * greedy one. A hop takes off about three bits; one more of them for a peer
 * that is much nearer pays (proximity route selection: Gummadi et al., "The
 * Impact of DHT Routing Geometry on Resilience and Proximity", SIGCOMM 2003).
 *
 * The last step, from the key's predecessor to its owner, may lead away from
 * the key by distance; it is marked FINAL. A FINAL message only moves to nodes
 * that follow the key more closely than the last one: that cannot loop either.
 */
#include <string.h>

#include "core/ring/parts.h"

#define BIT_US 40000

/* log2(@v) in Q8, by a straight line between powers of two: at most 0.09 too low */
static uint32_t log2_q8(uint32_t v)
{
	unsigned top = 31u - (unsigned)__builtin_clz(v | 1);

	return top << 8 | (uint32_t)(((uint64_t)v << 8 >> top) & 0xff);
}

static bool avoided(const uint16_t *avoid, unsigned avoids, uint16_t slot)
{
	for (unsigned i = 0; i < avoids; i++)
		if (avoid[i] == slot)
			return true;
	return false;
}

static struct id away(const struct config *c, struct id at, struct id key)
{
	return c->one_way ? id_clockwise(at, key) : id_distance(at, key);
}

/* The same on the upper 32 bits, for lookahead tables. */
static uint32_t away32(bool one_way, uint32_t at, uint32_t key)
{
	uint32_t cw = key - at;

	return one_way || cw <= -cw ? cw : -cw;
}

/*
 * How near to @key the peer, or any link of it, comes. The table is in order,
 * so only what lies beside the key matters; one way only what lies before it.
 */
static uint32_t reach(const struct ring_peer *p, bool one_way, bool lookahead, uint32_t key)
{
	uint32_t best = away32(one_way, id_prefix(p->id), key), d;
	unsigned n = lookahead ? p->prefixes : 0, low = 0;

	if (!n)
		return best;
	for (unsigned len = n; len > 1; len -= len / 2)		/* the last that is not above the key, or 0 */
		low = p->prefix[low + len / 2] <= key ? low + len / 2 : low;
	if (p->prefix[low] > key)
		low = n - 1;			/* all are above: around the circle */
	d = away32(one_way, p->prefix[low], key);
	best = d < best ? d : best;
	d = away32(one_way, p->prefix[low + 1 < n ? low + 1 : 0], key);
	return d < best ? d : best;
}

/*
 * The best peer below @limit; with @loan also one that only its table brings
 * below it. UINT16_MAX if there is none.
 */
static unsigned best_peer(const struct ring *r, const struct config *c, struct id key, struct id limit, bool loan,
			  const uint16_t *avoid, unsigned avoids, struct id *best_away)
{
	uint32_t best_us = UINT32_MAX, key32 = id_prefix(key);
	unsigned best = UINT16_MAX;

	*best_away = ID_MAX;
	for (unsigned i = 0; c->lookahead && i < r->peers; i++) {	/* tables lie apart: fetch them together */
		const struct ring_peer *p = &r->peer[i];

		if (p->prefixes) {
			__builtin_prefetch(p->prefix);
			__builtin_prefetch(p->prefix + p->prefixes - 1);
		}
	}
	for (unsigned i = 0; i < r->peers; i++) {
		const struct ring_peer *p = &r->peer[i];
		struct id d;
		uint32_t far, us;

		if (!peer_stands(p) || p->doubted || avoided(avoid, avoids, (uint16_t)i))
			continue;
		if (c->one_way && !(p->use & (USE_NEAR | USE_LONG_OUT)))
			continue;		/* incoming links do not count there */
		d = away(c, p->id, key);
		far = reach(p, c->one_way, c->lookahead, key32);
		if (!id_less(d, limit) && (!loan || far >= (uint32_t)(limit.hi >> 32)))
			continue;
		us = log2_q8(far) * (BIT_US / 256) + (r->links ? links_rtt_us(r->links, (link_ref){ (uint16_t)i }) / 2 : 0);
		if (us < best_us || (us == best_us && id_less(d, *best_away))) {
			best = i;
			best_us = us;
			*best_away = d;
		}
	}
	return best;
}

static enum next greedy(const struct ring *r, const struct env *e, struct way *w, const uint16_t *avoid,
			unsigned avoids, link_ref *out)
{
	const struct config *c = e->config;
	struct id own = away(c, r->self, w->to), away_then;
	bool owed = w->flags & ROUTE_OWED, plain = w->flags & ROUTE_PLAIN;
	unsigned best;

	if (id_less(own, w->least)) {
		w->least = own;
		owed = plain = false;
	}
	best = best_peer(r, c, w->to, plain ? own : w->least, !owed && !plain, avoid, avoids, &away_then);
	if (best == UINT16_MAX && owed) {
		plain = true;
		best = best_peer(r, c, w->to, own, false, avoid, avoids, &away_then);
	}
	if (best == UINT16_MAX)
		return NEXT_WAIT;
	w->flags &= (uint8_t)~(ROUTE_OWED | ROUTE_PLAIN);
	if (plain)
		w->flags |= ROUTE_PLAIN;
	else if (!id_less(away_then, w->least))
		w->flags |= ROUTE_OWED;
	*out = (link_ref){ (uint16_t)best };
	return NEXT_LINK;
}

/* A FINAL message that is not ours: to whoever follows the key more closely than we do. */
static enum next further_final(const struct ring *r, const struct way *w, const uint16_t *avoid, unsigned avoids,
			       link_ref *out)
{
	struct id best = id_clockwise(w->to, r->self);
	enum next found = NEXT_WAIT;

	for (unsigned i = 0; i < r->peers; i++) {
		const struct ring_peer *p = &r->peer[i];
		struct id d = id_clockwise(w->to, p->id);

		if (!peer_stands(p) || !id_less(d, best))
			continue;
		if (p->doubted || avoided(avoid, avoids, (uint16_t)i))
			return NEXT_WAIT;	/* it may well be the owner: let its fate be known first */
		best = d;
		*out = (link_ref){ (uint16_t)i };
		found = NEXT_LINK;
	}
	return found;
}

enum next next_hop(const struct ring *r, const struct env *e, struct way *w, const uint16_t *avoid, unsigned avoids,
		   link_ref *out)
{
	enum route_mode mode = w->flags & ROUTE_MODE_MASK;
	link_ref right, left;

	if (mode == ROUTE_EXACT) {
		link_ref direct;

		if (id_eq(w->to, r->self))
			return NEXT_HERE;
		direct = peer_find(r, w->to);
		if (link_ok(direct) && !r->peer[direct.slot].doubted && !avoided(avoid, avoids, direct.slot)) {
			*out = direct;
			return NEXT_LINK;
		}
	} else if (mode == ROUTE_OWNER) {
		if (ring_owns(r, w->to))
			return NEXT_HERE;
		if (w->flags & ROUTE_FINAL)
			return further_final(r, w, avoid, avoids, out);
	}
	right = ring_side(r, RIGHT);
	left = ring_side(r, LEFT);
	if (link_ok(right) && id_within(w->to, r->self, r->peer[right.slot].id) && mode != ROUTE_NEAREST) {
		if (mode == ROUTE_EXACT && !id_eq(w->to, r->peer[right.slot].id))
			return NEXT_NONE;
		if (r->peer[right.slot].doubted || avoided(avoid, avoids, right.slot))
			return NEXT_WAIT;
		w->flags |= ROUTE_FINAL;
		*out = right;
		return NEXT_LINK;
	}
	if (mode == ROUTE_EXACT && link_ok(left) && r->state == RING_JOINED &&
	    id_between(w->to, r->peer[left.slot].id, r->self))
		return NEXT_NONE;
	switch (greedy(r, e, w, avoid, avoids, out)) {
	case NEXT_LINK:
		return NEXT_LINK;
	default:
		return mode == ROUTE_NEAREST ? NEXT_HERE : NEXT_WAIT;
	}
}
