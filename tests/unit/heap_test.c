/* Timers come out in order of due time, then of tag; a dull list beside the heap agrees. */
#include <stdlib.h>

#include "core/base/heap.h"
#include "tests/unit/suites.h"

enum { TAGS = 300 };

static void *host_get(void *ctx, size_t bytes)
{
	++*(int *)ctx;
	return malloc(bytes);
}

static void host_put(void *ctx, void *p, size_t bytes)
{
	(void)bytes;
	--*(int *)ctx;
	free(p);
}

static int blocks;
static const struct mem_host HOST = { host_get, host_put, &blocks };

static struct mem room(uint32_t quota)
{
	return (struct mem){ .host = &HOST, .quota = quota };
}

static uint32_t draw(uint32_t *s)
{
	*s = *s * 1664525 + 1013904223;
	return *s >> 8;
}

/* The dull one: a due time per tag, searched from end to end. */
static int dull_first(const int64_t *due, int64_t now)
{
	int best = -1;

	for (int t = 0; t < TAGS; t++)
		if (due[t] <= now && (best < 0 || due[t] < due[best]))
			best = t;
	return best;
}

static void random_use_agrees_with_a_dull_list(void)
{
	for (uint32_t seed = 1; seed <= 5; seed++) {
		struct mem m = room(1 << 20);
		struct heap h;
		int64_t due[TAGS], now = 1000000;
		uint32_t s = seed;

		heap_init(&h, now);
		for (unsigned i = 0; i < TAGS; i++)
			due[i] = INT64_MAX;
		for (unsigned step = 0; step < 20000; step++) {
			uint16_t tag = (uint16_t)(draw(&s) % TAGS), got;

			switch (draw(&s) % 8) {
			case 0:
				heap_del(&h, tag);
				due[tag] = INT64_MAX;
				break;
			case 1:
				now += (int64_t)(draw(&s) % 20) * 1000;
				for (int want; (want = dull_first(due, now)) >= 0; ) {
					CU_ASSERT_TRUE_FATAL(heap_pop(&h, now, &got));
					CU_ASSERT_EQUAL_FATAL(got, want);
					due[want] = INT64_MAX;
				}
				CU_ASSERT_FALSE_FATAL(heap_pop(&h, now, &got));
				break;
			default:
				due[tag] = now + (int64_t)(draw(&s) % 64) * 1000;
				CU_ASSERT_TRUE_FATAL(heap_set(&h, &m, tag, due[tag]));
			}
			tag = (uint16_t)(draw(&s) % TAGS);
			CU_ASSERT_EQUAL_FATAL(heap_due(&h, tag), due[tag]);
		}
		heap_done(&h, &m);
		CU_ASSERT_EQUAL(m.used, 0);
		CU_ASSERT_EQUAL(blocks, 0);
	}
}

static void timers_due_together_come_out_in_tag_order(void)
{
	struct mem m = room(1 << 16);
	struct heap h;
	uint16_t tag;

	heap_init(&h, 0);
	for (int t = 40; t >= 0; t--)
		heap_set(&h, &m, (uint16_t)t, 5000);
	for (unsigned t = 0; t <= 40; t++) {
		CU_ASSERT_TRUE(heap_pop(&h, 5000, &tag));
		CU_ASSERT_EQUAL(tag, t);
	}
	heap_done(&h, &m);
}

static void a_timer_never_fires_early(void)
{
	struct mem m = room(1 << 16);
	struct heap h;
	uint16_t tag;

	heap_init(&h, 7);
	heap_set(&h, &m, 3, 1500);	/* between two whole microseconds after birth */
	CU_ASSERT_EQUAL(heap_next(&h), 2007);
	CU_ASSERT_FALSE(heap_pop(&h, 1500, &tag));
	CU_ASSERT_TRUE(heap_pop(&h, 2007, &tag));
	CU_ASSERT_EQUAL(heap_next(&h), INT64_MAX);
	heap_done(&h, &m);
}

static void what_should_have_been_before_birth_is_due_at_once(void)
{
	struct mem m = room(1 << 16);
	struct heap h;
	uint16_t tag;

	heap_init(&h, 1000000);
	heap_set(&h, &m, 1, 5);
	CU_ASSERT_TRUE(heap_pop(&h, 1000000, &tag));
	heap_done(&h, &m);
}

static void setting_again_moves_and_does_not_add(void)
{
	struct mem m = room(1 << 16);
	struct heap h;
	uint16_t tag;

	heap_init(&h, 0);
	heap_set(&h, &m, 1, 9000);
	heap_set(&h, &m, 2, 8000);
	heap_set(&h, &m, 1, 1000);
	heap_set(&h, &m, 1, 20000);
	CU_ASSERT_EQUAL(h.count, 2);
	CU_ASSERT_TRUE(heap_pop(&h, 30000, &tag) && tag == 2);
	CU_ASSERT_TRUE(heap_pop(&h, 30000, &tag) && tag == 1);
	CU_ASSERT_FALSE(heap_pop(&h, 30000, &tag));
	heap_del(&h, 1);
	heap_del(&h, 60000);
	heap_done(&h, &m);
}

static void at_the_quota_nothing_changes(void)
{
	struct mem m = room(100);
	struct heap h;
	unsigned armed = 0;
	uint16_t tag;

	heap_init(&h, 0);
	while (heap_set(&h, &m, (uint16_t)armed, 1000 + (int64_t)armed * 1000))
		armed++;
	CU_ASSERT_TRUE(armed > 0 && armed < 20);
	CU_ASSERT_TRUE(m.used <= m.quota);
	CU_ASSERT_EQUAL(heap_due(&h, (uint16_t)armed), INT64_MAX);
	for (unsigned t = 0; t < armed; t++)
		CU_ASSERT_TRUE(heap_pop(&h, INT64_MAX - 1, &tag) && tag == t);
	CU_ASSERT_FALSE(heap_pop(&h, INT64_MAX - 1, &tag));
	heap_done(&h, &m);
	CU_ASSERT_EQUAL(blocks, 0);
}

CU_TestInfo heap_tests[] = {
	{ "random use agrees with a dull list", random_use_agrees_with_a_dull_list },
	{ "timers due together come out in tag order", timers_due_together_come_out_in_tag_order },
	{ "a timer never fires early", a_timer_never_fires_early },
	{ "what should have been before birth is due at once",
	  what_should_have_been_before_birth_is_due_at_once },
	{ "setting again moves and does not add", setting_again_moves_and_does_not_add },
	{ "at the quota nothing changes", at_the_quota_nothing_changes },
	CU_TEST_INFO_NULL
};
