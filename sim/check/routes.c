/*
 * routes.c - greedy routing, done once more by somebody who sees everything
 *
 * The walk knows what a node on the way knows: its up links to members, its
 * immediate neighbours, and what it believes to own. It has no lookahead, so it
 * may be longer than the core's own way, but it ends at the same place: where
 * no link is nearer to the key, the key lies between us and a neighbour. A walk
 * that goes wrong is walked again at each look; it is a violation when it has
 * gone wrong for healed_ns, with no fault in between. (That lookups are
 * answered by the owner is judged by the world, for the real messages.)
 *
 * Loops. "It can never loop" (DESIGN section 5) is judged twice. A message dies
 * at ROUTE_HOPS_MAX hops, which only a loop can reach: a drop of that reason is
 * a violation. And a lookup that was answered must not have taken far more hops
 * than Symphony's bound: its expectation is O(log2(n)^2 / k) (Manku, Bawa,
 * Raghavan, USITS 2003, theorem 3.1), and with uniformly drawn long links
 * sqrt(pi n / 2k).
 */
#include "sim/check/routes.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

void check_routes_done(struct check_routes *r)
{
	since_done(&r->since);
	memset(r, 0, sizeof(*r));
}

static struct id away(const struct limits *l, struct id at, struct id key)
{
	return l->one_way ? id_clockwise(at, key) : id_distance(at, key);
}

static bool usable(const struct census *c, const struct census_row *me, const struct census_link *k)
{
	return k->state == LINK_UP && k->member && census_member(c, k->id, me->part) != CENSUS_NONE;
}

/* The next row from @at, or CENSUS_NONE */
static uint32_t step(const struct census *c, const struct limits *l, uint32_t at, struct id key)
{
	const struct census_row *me = &c->row[at];
	struct id best = away(l, me->look.id, key);
	uint32_t to = CENSUS_NONE;

	for (uint32_t i = 0; i < me->links; i++) {
		const struct census_link *k = &me->link[i];
		struct id d;

		if (!usable(c, me, k))
			continue;
		if (id_eq(k->id, me->look.right) && id_within(key, me->look.id, k->id))
			return census_find(c, k->id);	/* from predecessor to owner */
		d = away(l, k->id, key);
		if (id_less(d, best)) {
			best = d;
			to = census_find(c, k->id);
		}
	}
	return to;
}

struct walk routes_walk(const struct census *c, const struct limits *l, uint32_t from, struct id key)
{
	struct walk w = { WALK_STUCK, from, census_owner(c, c->row[from].part, key), 0 };

	for (;;) {
		const struct census_row *me = &c->row[w.at];
		uint32_t to;

		if (id_within(key, me->look.left, me->look.id)) {
			w.end = w.at == w.owner ? WALK_ARRIVED : WALK_STRAYED;
			return w;
		}
		to = step(c, l, w.at, key);
		if (to == CENSUS_NONE)
			return w;
		if (id_within(key, me->look.id, c->row[to].look.id) && id_eq(me->look.right, c->row[to].look.id)) {
			w.at = to;		/* the last step may lead away, so it ends the walk */
			w.hops++;
			w.end = to != w.owner ? WALK_STRAYED :
				id_within(key, c->row[to].look.left, c->row[to].look.id) ?
				WALK_ARRIVED : WALK_STUCK;
			return w;
		}
		w.at = to;			/* strictly nearer: the walk ends */
		w.hops++;
	}
}

static void tell(struct check_routes *r, const struct census *c, const struct judge *j,
		 uint32_t from, struct id key, const struct walk *w)
{
	int64_t lasted = since_see(&r->since, from, 0, key);

	if (!j->limits->healed_ns || lasted <= j->limits->healed_ns ||
	    !census_quiet(c, j->limits->healed_ns) || !since_tell(&r->since))
		return;
	findings_add(j->found, ORACLE_ROUTING, c->now_ns, from,
		     w->end == WALK_STRAYED ?
		     "a walk to key %016" PRIx64 "%016" PRIx64 " ends after %u hops at n%u, which believes "
		     "to own it; expected n%u" :
		     "a walk to key %016" PRIx64 "%016" PRIx64 " is stuck after %u hops at n%u, which has no "
		     "link that leads on; expected n%u",
		     key.hi, key.lo, w->hops, w->at, w->owner);
}

void check_routes(struct check_routes *r, const struct census *c, const struct judge *j, unsigned fresh)
{
	struct { uint32_t from; struct id key; } todo[ROUTES_FAILING];
	unsigned again = r->fails;

	memcpy(todo, r->failing, sizeof(todo));
	r->fails = 0;
	since_begin(&r->since, c->now_ns);
	for (unsigned i = 0; i < again + fresh && c->members; i++) {
		uint32_t from;
		struct id key;
		struct walk w;

		if (i < again) {
			from = todo[i].from;
			key = todo[i].key;
			if (from >= c->rows || c->row[from].at == CENSUS_NONE)
				continue;
		} else {
			from = c->order[chance_below(&r->chance, c->members)];
			key.hi = chance_next(&r->chance);
			key.lo = chance_next(&r->chance);
		}
		if (c->row[from].look.leaving)
			continue;
		findings_checked(j->found, ORACLE_ROUTING, 1);
		w = routes_walk(c, j->limits, from, key);
		if (w.end == WALK_ARRIVED)
			continue;
		tell(r, c, j, from, key, &w);
		if (r->fails < ROUTES_FAILING) {
			r->failing[r->fails].from = from;
			r->failing[r->fails++].key = key;
		}
	}
	since_end(&r->since);
}

uint32_t routes_hops_max(const struct limits *l, uint32_t members)
{
	uint32_t log2n = 0, k = l->longs;

	while (log2n < 32 && (UINT64_C(1) << log2n) < members)
		log2n++;
	if (l->no_longs)
		return members + 16;
	if (!k)
		k = (log2n + 1) / 2;
	if (!k)
		k = 1;
	if (l->uniform)
		return 16 + 4 * (uint32_t)sqrt(members);
	return 16 + 2 * log2n * log2n / k;
}

void check_hops(const struct judge *j, int64_t at_ns, uint32_t row, uint64_t hops, uint32_t members)
{
	uint32_t max = routes_hops_max(j->limits, members);

	findings_checked(j->found, ORACLE_ROUTING, 1);
	if (hops > max)
		findings_add(j->found, ORACLE_ROUTING, at_ns, row,
			     "a lookup took %" PRIu64 " hops, expected at most %u among %u members",
			     hops, max, members);
}

void check_hop_limit(const struct judge *j, int64_t at_ns, uint64_t drops)
{
	if (drops)
		findings_add(j->found, ORACLE_ROUTING, at_ns, FINDING_WORLD,
			     "%" PRIu64 " messages reached the hop limit, expected none: they loop", drops);
}
