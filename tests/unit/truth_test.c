/* The truth knows who owned which key when, and in which part of the underlay. */
#include <CUnit/CUnit.h>

#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "sim/engine/chance.h"
#include "sim/world/truth.h"
#include "tests/unit/suites.h"

enum { HOSTS = 40, MOMENTS = 400 };

/* The obvious way: every period ever, every instant looked at. */
struct period {
	struct id id;
	int64_t from_ns, until_ns;
	uint32_t host;
};

static struct period period[4000];
static unsigned periods;
static uint32_t part_at[MOMENTS * 2 + 2][HOSTS];	/* by instant; twice the moment */

static struct id id_of(uint32_t host)
{
	return (struct id){ chance_draw(7, host, 1, 0), chance_draw(7, host, 2, 0) };
}

static bool obviously_owned(struct id key, struct id who, uint32_t asker, int64_t from, int64_t until)
{
	for (int64_t at = from; at <= until; at++) {
		for (unsigned i = 0; i < periods; i++) {
			const struct period *p = &period[i];
			bool best = true;

			/* instants of change are even; at one, parts are those after or before it */
			for (int side = 0; side < 2; side++) {
				int64_t look = side && !(at & 1) && at ? at - 1 : at;
				const uint32_t *part = part_at[look];

				if (look < from)
					continue;
				best = id_eq(p->id, who) && p->from_ns <= at && at <= p->until_ns &&
				       part[p->host] == part[asker];
				for (unsigned k = 0; best && k < periods; k++) {
					const struct period *o = &period[k];

					if (o->from_ns < at && at < o->until_ns &&
					    part[o->host] == part[asker] && !id_eq(o->id, who) &&
					    id_less(id_clockwise(key, o->id), id_clockwise(key, who)))
						best = false;
				}
				if (best)
					return true;
			}
		}
	}
	return false;
}

static void it_agrees_with_looking_at_every_instant(void)
{
	unsigned right = 0, asked = 0;

	for (uint64_t seed = 1; seed <= 12; seed++) {
		struct chance c = chance_of(seed, 0, 0);
		struct parts *parts = parts_new(HOSTS);
		struct truth *t = truth_new(parts, 2 * MOMENTS);
		int64_t owning[HOSTS];
		uint32_t now[HOSTS] = { 0 };

		for (unsigned i = 0; i < HOSTS; i++)
			owning[i] = -1;
		periods = 0;
		for (int64_t at = 0; at <= MOMENTS * 2; at += 2) {
			for (unsigned n = (unsigned)chance_below(&c, 4); n; n--) {
				uint32_t h = (uint32_t)chance_below(&c, HOSTS);

				if (owning[h] < 0) {
					truth_add(t, id_of(h), h, at);
					period[periods] = (struct period){ id_of(h), at, INT64_MAX, h };
					owning[h] = periods++;
				} else {
					CU_ASSERT(truth_del(t, id_of(h), at));
					period[owning[h]].until_ns = at;
					owning[h] = -1;
				}
			}
			if (!chance_below(&c, 25)) {
				unsigned groups = (unsigned)chance_below(&c, 3) + 1;

				for (unsigned i = 0; i < HOSTS; i++)
					now[i] = (uint32_t)chance_below(&c, groups);
				parts_begin(parts, at, groups > 1 ? now : NULL);
			}
			memcpy(part_at[at], now, sizeof(now));
			memcpy(part_at[at + 1], now, sizeof(now));

			for (unsigned q = 0; q < 3; q++) {
				int64_t from = chance_between(&c, MAX(0, at - 40) / 2, at / 2) * 2;
				uint32_t asker = (uint32_t)chance_below(&c, HOSTS);
				struct id key = { chance_next(&c), chance_next(&c) };
				const struct owner *o = truth_owner(t, key, asker);
				struct id who = id_of((uint32_t)chance_below(&c, HOSTS));
				bool got, want;

				if (o && q) {		/* a likely claimant: near the true owner */
					who = o->id;
					if (q == 2)
						who = truth_next(t, o)->id;
				}
				got = truth_owned(t, key, who, asker, from, at);
				want = obviously_owned(key, who, asker, from, at);
				CU_ASSERT_EQUAL(got, want);
				if (o && q == 1)
					CU_ASSERT_TRUE(got);
				right += got;
				asked++;
			}
		}
		truth_free(t);
		parts_free(parts);
	}
	CU_ASSERT(right > asked / 3 && right < asked - asked / 10);
}

static void neighbours_and_order_follow_from_a_sorted_list(void)
{
	enum { MANY = 3000 };
	struct parts *parts = parts_new(MANY);
	struct truth *t = truth_new(parts, 100);
	uint32_t *part = calloc(MANY, sizeof(*part));
	const struct owner *o, *last = NULL;
	uint32_t n = 0;

	for (uint32_t i = 0; i < MANY; i++) {
		truth_add(t, id_of(i), i, i);
		part[i] = i % 3;
	}
	for (uint32_t i = 0; i < MANY; i += 2)
		CU_ASSERT(truth_del(t, id_of(i), MANY));
	CU_ASSERT_FALSE(truth_del(t, id_of(0), MANY));
	CU_ASSERT_EQUAL(truth_count(t), MANY / 2);
	parts_begin(parts, MANY, part);
	for (o = truth_first(t); o; o = truth_after(t, o->id)) {
		const struct owner *next = truth_next(t, o);

		CU_ASSERT(!last || id_less(last->id, o->id));
		CU_ASSERT_EQUAL(o->host % 2, 1);
		CU_ASSERT_EQUAL(next->host % 3, o->host % 3);
		CU_ASSERT_PTR_EQUAL(truth_prev(t, next), o);
		last = o;
		n++;
	}
	CU_ASSERT_EQUAL(n, MANY / 2);

	/* none of the same part lies between an owner and its next */
	o = truth_find(t, id_of(5));
	for (uint32_t i = 1; i < MANY; i += 2)
		CU_ASSERT(i % 3 != 5 % 3 || i == 5 ||
			  !id_between(id_of(i), o->id, truth_next(t, o)->id));
	truth_free(t);
	parts_free(parts);
	free(part);
}

static void the_past_is_forgotten_when_it_is_old(void)
{
	struct parts *parts = parts_new(2);
	struct truth *t = truth_new(parts, 100);
	struct id key = id_of(0);

	truth_add(t, id_of(0), 0, 0);
	CU_ASSERT(truth_del(t, id_of(0), 50));
	CU_ASSERT_TRUE(truth_owned(t, key, id_of(0), 1, 40, 120));
	CU_ASSERT_FALSE(truth_owned(t, key, id_of(0), 1, 51, 120));
	truth_forget(t, 120);
	CU_ASSERT_TRUE(truth_owned(t, key, id_of(0), 1, 40, 120));
	truth_forget(t, 151);
	CU_ASSERT_FALSE(truth_owned(t, key, id_of(0), 1, 40, 151));
	CU_ASSERT_PTR_NULL(truth_owner(t, key, 0));
	truth_free(t);
	parts_free(parts);
}

/* Five things divide 48 hosts in sixteen ways each: more combinations than 16 bits count. */
static void parts_are_told_apart_however_much_divides(void)
{
	enum { MANY = 48, FAULTS = 5 };
	static uint8_t side[FAULTS][MANY];
	uint32_t part[MANY] = { 0 };
	struct parts *parts = parts_new(MANY);
	struct chance c = chance_of(7, 0, 0);

	for (unsigned f = 0; f < FAULTS; f++) {
		for (uint32_t i = 0; i < MANY; i++)
			side[f][i] = f ? 0 : (uint8_t)(i % 3);
		side[f][40 + f] = 15;
		side[f][(uint32_t)chance_below(&c, 40)] = (uint8_t)(1 + chance_below(&c, 15));
		parts_refine(part, MANY, side[f]);
	}
	for (uint32_t a = 0; a < MANY; a++) {
		uint32_t lowest = MANY;

		for (uint32_t b = 0; b < MANY; b++) {
			bool same = true;

			for (unsigned f = 0; f < FAULTS; f++)
				same = same && side[f][a] == side[f][b];
			CU_ASSERT_EQUAL(part[a] == part[b], same);
			if (same && lowest == MANY)
				lowest = b;
		}
		CU_ASSERT_EQUAL(part[a], lowest);
	}
	parts_begin(parts, 1, part);
	CU_ASSERT_EQUAL(parts_count(parts), 3 + 5 + 5);
	parts_free(parts);
}

CU_TestInfo truth_tests[] = {
	{ "it agrees with looking at every instant", it_agrees_with_looking_at_every_instant },
	{ "neighbours and order follow from a sorted list", neighbours_and_order_follow_from_a_sorted_list },
	{ "the past is forgotten when it is old", the_past_is_forgotten_when_it_is_old },
	{ "parts are told apart however much divides", parts_are_told_apart_however_much_divides },
	CU_TEST_INFO_NULL
};
