/* The books: journals come out in one order, pending items end once, ids are found. */
#include "sim/world/journal.h"

#include <stdlib.h>
#include <string.h>

#include "sim/engine/chance.h"
#include "sim/world/pending.h"
#include "sim/world/roll.h"
#include "tests/unit/suites.h"

enum { NOTES = 3000, HOSTS = 50 };

/* What one journal of all would hold, by the order of (time, host, writing). */
static int by_order(const void *a, const void *b)
{
	const struct note *x = a, *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	if (x->host != y->host)
		return x->host < y->host ? -1 : 1;
	return x->a < y->a ? -1 : x->a > y->a;
}

static void the_order_is_the_same_for_any_number_of_journals(void)
{
	struct note all[NOTES];
	struct chance c = chance_of(1, 0, 0);
	int64_t now = 0;

	for (unsigned i = 0; i < NOTES; i++) {
		now += (int64_t)chance_below(&c, 3);
		all[i] = (struct note){ .at_ns = now, .host = (uint32_t)chance_below(&c, HOSTS), .a = i };
	}
	for (unsigned shards = 1; shards <= 8; shards++) {
		struct journal j[8] = { 0 }, *from[8], merged = { 0 };
		struct note sorted[NOTES];

		for (unsigned i = 0; i < NOTES; i++)
			journal_put(&j[all[i].host % shards], &all[i]);
		for (unsigned i = 0; i < shards; i++)
			from[i] = &j[i];
		journal_merge(&merged, from, shards);
		memcpy(sorted, all, sizeof(all));
		qsort(sorted, NOTES, sizeof(*sorted), by_order);
		CU_ASSERT_EQUAL_FATAL(merged.count, NOTES);
		for (unsigned i = 0; i < NOTES; i++)
			CU_ASSERT_EQUAL(merged.note[i].a, sorted[i].a);
		for (unsigned i = 0; i < shards; i++) {
			CU_ASSERT_EQUAL(j[i].count, 0);
			journal_done(&j[i]);
		}
		journal_done(&merged);
	}
}

struct thing { struct pending_item item; unsigned number; };

static void what_is_pending_ends_once_or_expires_in_order(void)
{
	struct pending p;
	struct chance c = chance_of(2, 0, 0);
	static struct { bool open; uint32_t host; int64_t at; } obvious[20000];
	unsigned added = 0, open = 0, oldest = 0;
	int64_t now = 0;

	pending_init(&p, HOSTS, sizeof(struct thing));
	while (added < 20000) {
		uint32_t host = (uint32_t)chance_below(&c, HOSTS);
		struct thing *t;
		unsigned seen = 0, really = 0;

		now += (int64_t)chance_below(&c, 4);
		t = pending_add(&p, host, now);
		t->number = added;
		obvious[added].open = true;
		obvious[added].host = host;
		obvious[added++].at = now;
		open++;
		host = (uint32_t)chance_below(&c, HOSTS);
		t = pending_first(&p, host);
		if (t && chance_below(&c, 3)) {
			if (pending_next(&p, t) && chance_below(&c, 2))
				t = pending_next(&p, t);
			CU_ASSERT(obvious[t->number].open && obvious[t->number].host == host);
			obvious[t->number].open = false;
			pending_done(&p, t);
			open--;
		}
		for (t = pending_first(&p, host); t; t = pending_next(&p, t))
			seen++;
		for (unsigned i = oldest; i < added; i++)
			really += obvious[i].open && obvious[i].host == host;
		CU_ASSERT_EQUAL(seen, really);
		while ((t = pending_expire(&p, now - 500))) {
			while (!obvious[oldest].open)
				oldest++;
			CU_ASSERT_EQUAL(t->number, oldest);
			CU_ASSERT(obvious[oldest].at < now - 500);
			obvious[oldest].open = false;
			pending_done(&p, t);
			open--;
		}
		while (oldest < added && !obvious[oldest].open)
			oldest++;
		CU_ASSERT(oldest == added || obvious[oldest].at >= now - 500);
		CU_ASSERT_EQUAL(p.open, open);
	}
	CU_ASSERT(p.cap <= 2048);		/* what ended gives its room back */
	pending_fini(&p);
}

static void ids_are_found_and_the_long_gone_forgotten(void)
{
	struct roll *r = roll_new();
	const struct was *was;

	for (uint32_t i = 0; i < 5000; i++) {
		struct id id = { 7, chance_draw(1, i, 0, 0) };

		roll_start(r, id, i, 1, i * INT64_C(1000000000));
		if (i % 2)
			roll_end(r, id, i * INT64_C(1000000000), i % 4 == 3);
	}
	was = roll_find(r, (struct id){ 7, chance_draw(1, 4999, 0, 0) });
	CU_ASSERT_FATAL(was != NULL);
	CU_ASSERT(!was->alive && was->said_goodbye && was->host == 4999);
	was = roll_find(r, (struct id){ 7, chance_draw(1, 0, 0, 0) });
	CU_ASSERT_FATAL(was != NULL);
	CU_ASSERT(was->alive && was->ended_ns == WORLD_NEVER);
	CU_ASSERT_PTR_NULL(roll_find(r, (struct id){ 8, 8 }));
	/* 40,000 s of coming and going leave an hour of the past, not all of it */
	for (uint32_t i = 5000; i < 40000; i++) {
		struct id id = { 7, chance_draw(1, i, 0, 0) };

		roll_start(r, id, i, 1, i * INT64_C(1000000000));
		roll_end(r, id, i * INT64_C(1000000000), false);
	}
	CU_ASSERT(roll_count(r) < 20000);
	CU_ASSERT(roll_find(r, (struct id){ 7, chance_draw(1, 0, 0, 0) }) != NULL);
	roll_free(r);
}

CU_TestInfo journal_tests[] = {
	{ "the order is the same for any number of journals", the_order_is_the_same_for_any_number_of_journals },
	{ "what is pending ends once or expires in order", what_is_pending_ends_once_or_expires_in_order },
	{ "ids are found and the long gone forgotten", ids_are_found_and_the_long_gone_forgotten },
	CU_TEST_INFO_NULL
};
