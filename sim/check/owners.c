/*
 * owners.c - two nodes must not both believe to own a key
 *
 * A key belongs to the node that follows it: (predecessor, self]. The errors
 * live at the ends of that range, so for a random member the oracle asks about
 * its id, the one after it, and a random key. Asked are the true owner, members
 * around it, and some drawn at random; in small rings everybody.
 *
 * Two believers are allowed while a death or a new neighbour is being noticed
 * (settle_ns), and after a fault until the ring is healed, for two rings that
 * meet again are two owners of every key. No believer at all, or the wrong one,
 * is trouble that may last as long as healing does.
 */
#include "sim/check/owners.h"

#include <inttypes.h>
#include <string.h>

#include <glib.h>

enum { EVERYBODY = 64, AROUND = 6, DRAWN = 8 };
enum what { TWO, NOBODY, ANOTHER };

void check_owners_done(struct check_owners *o)
{
	since_done(&o->since);
	memset(o, 0, sizeof(*o));
}

struct answers {
	uint32_t first, second;		/* rows that believe to own the key, or CENSUS_NONE */
};

static void ask(const struct check_owners *o, struct answers *a, uint32_t row, struct id key)
{
	if (row == a->first || row == a->second || !o->owns(o->ctx, row, key))
		return;
	if (a->first == CENSUS_NONE)
		a->first = row;
	else if (a->second == CENSUS_NONE)
		a->second = row;
}

static struct answers ask_around(struct check_owners *o, const struct census *c, uint32_t owner,
				 struct id key)
{
	const struct census_part *p = census_part(c, c->row[owner].part);
	struct answers a = { CENSUS_NONE, CENSUS_NONE };
	uint32_t left = owner, right = owner;

	if (p->members <= EVERYBODY) {
		for (uint32_t i = 0; i < p->members; i++)
			ask(o, &a, c->order[p->first + i], key);
		return a;
	}
	ask(o, &a, owner, key);
	for (unsigned i = 0; i < AROUND; i++) {
		left = census_left(c, left);
		right = census_right(c, right);
		ask(o, &a, left, key);
		ask(o, &a, right, key);
	}
	for (unsigned i = 0; i < DRAWN; i++)
		ask(o, &a, c->order[p->first + chance_below(&o->chance, p->members)], key);
	return a;
}

/* Judge @key in the part of @row; false if something is wrong with it */
static bool judge_key(struct check_owners *o, const struct census *c, const struct judge *j, uint32_t row,
		      struct id key)
{
	uint32_t owner = census_owner(c, c->row[row].part, key);
	struct answers a = ask_around(o, c, owner, key);
	int64_t healed = j->limits->healed_ns;

	findings_checked(j->found, ORACLE_OWNERS, 1);
	if (a.second != CENSUS_NONE) {
		if (since_see(&o->since, row, TWO, key) > j->limits->settle_ns &&
		    (!healed || census_quiet(c, healed)) && since_tell(&o->since))
			findings_add(j->found, ORACLE_OWNERS, c->now_ns, a.first,
				     "it and n%u both believe to own key %016" PRIx64 "%016" PRIx64
				     ", expected n%u alone", a.second, key.hi, key.lo, owner);
		return false;
	}
	if (a.first == owner || !healed)
		return true;
	if (since_see(&o->since, row, a.first == CENSUS_NONE ? NOBODY : ANOTHER, key) <= healed ||
	    !census_quiet(c, healed) || !since_tell(&o->since))
		return false;
	if (a.first == CENSUS_NONE)
		findings_add(j->found, ORACLE_OWNERS, c->now_ns, owner,
			     "nobody believes to own key %016" PRIx64 "%016" PRIx64 ", expected n%u", key.hi,
			     key.lo, owner);
	else
		findings_add(j->found, ORACLE_OWNERS, c->now_ns, a.first,
			     "it believes to own key %016" PRIx64 "%016" PRIx64 ", expected n%u", key.hi,
			     key.lo, owner);
	return false;
}

static void judge_or_keep(struct check_owners *o, const struct census *c, const struct judge *j, uint32_t row,
			  struct id key)
{
	for (unsigned i = 0; i < o->fails; i++)
		if (o->failing[i].row == row && id_eq(o->failing[i].key, key))
			return;			/* judged at this look */
	if (judge_key(o, c, j, row, key) || o->fails == OWNERS_FAILING)
		return;
	o->failing[o->fails].row = row;
	o->failing[o->fails++].key = key;
}

void check_owners(struct check_owners *o, const struct census *c, const struct judge *j, unsigned fresh)
{
	struct { uint32_t row; struct id key; } again[OWNERS_FAILING];
	unsigned agains = o->fails;

	memcpy(again, o->failing, sizeof(again));
	o->fails = 0;
	since_begin(&o->since, c->now_ns);
	for (unsigned i = 0; i < agains; i++)
		if (again[i].row < c->rows && c->row[again[i].row].at != CENSUS_NONE)
			judge_or_keep(o, c, j, again[i].row, again[i].key);
	for (unsigned i = 0; i < fresh && c->members; i++) {
		uint32_t row = c->order[chance_below(&o->chance, c->members)];
		struct id id = c->row[row].look.id, any;

		any.hi = chance_next(&o->chance);
		any.lo = chance_next(&o->chance);
		judge_or_keep(o, c, j, row, id);
		judge_or_keep(o, c, j, row, id_add(id, (struct id){ 0, 1 }));
		judge_or_keep(o, c, j, row, any);
	}
	since_end(&o->since);
}
