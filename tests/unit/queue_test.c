/*
 * The queue gives back what an obvious one does, whatever the times: equal,
 * near, a minute or a century ahead, or before what was popped already.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/engine/chance.h"
#include "sim/engine/queue.h"
#include "tests/unit/suites.h"

#define MS	(1000 * 1000LL)
#define S	(1000 * MS)

/* Between equals, the smaller reference first. */
static bool smaller_ref(const void *ctx, uint32_t a, uint32_t b)
{
	return ctx == &smaller_ref && a < b;
}

/* The obvious queue: an array kept in order, the first at its end. */
struct dull {
	struct queue_entry *v;
	size_t n, cap;
};

static int order(const struct queue_entry *a, const struct queue_entry *b)
{
	if (a->at_ns != b->at_ns)
		return a->at_ns < b->at_ns ? -1 : 1;
	if (a->dst != b->dst)
		return a->dst < b->dst ? -1 : 1;
	return a->ref < b->ref ? -1 : a->ref > b->ref;
}

static void dull_push(struct dull *d, struct queue_entry x)
{
	size_t low = 0, high = d->n;

	if (d->n == d->cap)
		d->v = realloc(d->v, (d->cap = d->cap * 2 + 64) * sizeof(*d->v));
	while (low < high) {
		size_t mid = (low + high) / 2;

		if (order(&x, &d->v[mid]) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	memmove(&d->v[low + 1], &d->v[low], (d->n++ - low) * sizeof(x));
	d->v[low] = x;
}

typedef int64_t ahead_fn(struct chance *c);

static int64_t packets_and_timers(struct chance *c)
{
	return chance_below(c, 8) ? chance_between(c, 1 * MS, 300 * MS) :
				    chance_between(c, 1 * S, 60 * S);
}

static int64_t all_at_once(struct chance *c)
{
	return (int64_t)chance_below(c, 3) * 100 * MS;
}

static int64_t any_size(struct chance *c)
{
	return (int64_t)(chance_next(c) >> (4 + chance_below(c, 59)));
}

static int64_t on_slot_edges(struct chance *c)
{
	static const unsigned bit[] = { 18, 30, 40, 50 };

	return ((int64_t)chance_below(c, 3) << bit[chance_below(c, 4)]) + chance_between(c, 0, 2);
}

/* Pushes and pops of which neither prevails for long; @past: one push in eight is before now. */
static void compare(ahead_fn *ahead, uint64_t seed, unsigned rounds, unsigned batch, bool past)
{
	struct chance c = chance_of(seed, 0, 0);
	struct dull d = { 0 };
	struct queue_entry x, y = { 0 };
	struct queue q;
	int64_t now_ns = 0;
	uint32_t ref = 0;

	queue_init(&q, smaller_ref, &smaller_ref);
	CU_ASSERT(!queue_first(&q));
	for (unsigned i = 0; i < rounds; i++) {
		unsigned pushes = chance_below(&c, batch), pops = chance_below(&c, batch);

		while (pushes--) {
			x.at_ns = (int64_t)((uint64_t)now_ns + (uint64_t)ahead(&c));
			if (x.at_ns < 0)
				x.at_ns = INT64_MAX;
			if (past && chance_below(&c, 8) == 0)
				x.at_ns = (int64_t)chance_below(&c, (uint64_t)now_ns + 1);
			x.dst = (uint32_t)chance_below(&c, 5);
			x.ref = ref++ * 0x9e3779b1u;
			queue_push(&q, x);
			dull_push(&d, x);
		}
		while (pops-- && d.n) {
			y = d.v[--d.n];
			CU_ASSERT_FATAL(queue_first(&q) && !order(queue_first(&q), &y));
			CU_ASSERT(!queue_pop(&q, y.at_ns, &x));
			if (y.at_ns == INT64_MAX)
				break;		/* no end lies after it: left to be freed */
			CU_ASSERT_FATAL(queue_pop(&q, y.at_ns + 1, &x));
			CU_ASSERT_FATAL(!order(&x, &y));
			if (y.at_ns > now_ns)
				now_ns = y.at_ns;
		}
		if (y.at_ns == INT64_MAX)
			break;
		CU_ASSERT(q.pending == d.n);
	}
	while (d.n && d.v[d.n - 1].at_ns != INT64_MAX) {
		CU_ASSERT_FATAL(queue_pop(&q, INT64_MAX, &x));
		CU_ASSERT_FATAL(!order(&x, &d.v[--d.n]));
	}
	CU_ASSERT(!queue_pop(&q, INT64_MAX, &x));
	queue_fini(&q);
	free(d.v);
}

static void it_pops_what_an_obvious_queue_pops(void)
{
	for (uint64_t seed = 0; seed < 4; seed++) {
		compare(packets_and_timers, seed, 1000, 60, false);
		compare(packets_and_timers, seed, 20, 5000, false);
		compare(packets_and_timers, seed, 500, 3, false);
	}
}

static void many_entries_at_one_time_are_no_trouble(void)
{
	for (uint64_t seed = 0; seed < 4; seed++) {
		compare(all_at_once, seed, 500, 60, false);
		compare(all_at_once, seed, 10, 10000, false);
	}
}

static void any_time_from_now_to_the_end_of_time_has_its_place(void)
{
	for (uint64_t seed = 0; seed < 30; seed++) {
		compare(any_size, seed, 200, 30, false);
		compare(on_slot_edges, seed, 200, 30, false);
	}
}

static void what_comes_before_the_last_one_popped_is_still_in_order(void)
{
	for (uint64_t seed = 0; seed < 10; seed++) {
		compare(packets_and_timers, seed, 500, 60, true);
		compare(on_slot_edges, seed, 500, 60, true);
	}
}

static void looking_far_ahead_does_not_disturb_what_is_pushed_then(void)
{
	struct queue q;
	struct queue_entry x;

	queue_init(&q, smaller_ref, &smaller_ref);
	queue_push(&q, (struct queue_entry){ .at_ns = 3600 * S, .dst = 1 });
	CU_ASSERT(queue_first(&q)->at_ns == 3600 * S);
	for (int64_t at = 1000; at > 0; at--)
		queue_push(&q, (struct queue_entry){ .at_ns = at * S, .dst = 2 });
	for (int64_t at = 1; at <= 1000; at++)
		CU_ASSERT(queue_pop(&q, INT64_MAX, &x) && x.at_ns == at * S);
	CU_ASSERT(queue_pop(&q, INT64_MAX, &x) && x.dst == 1);
	CU_ASSERT(q.max_pending == 1001);
	queue_fini(&q);
}

static void steady_use_takes_no_more_memory(void)
{
	struct chance c = chance_of(1, 2, 3);
	struct queue q;
	struct queue_entry x;
	uint64_t bytes = 0;

	queue_init(&q, smaller_ref, &smaller_ref);
	for (uint32_t i = 0; i < 20000; i++)
		queue_push(&q, (struct queue_entry){ .at_ns = packets_and_timers(&c), .dst = i });
	for (uint32_t i = 0; i < 600 * 1000; i++) {
		CU_ASSERT_FATAL(queue_pop(&q, INT64_MAX, &x));
		x.at_ns += packets_and_timers(&c);
		queue_push(&q, x);
		if (i == 300 * 1000)
			bytes = q.bytes;
	}
	CU_ASSERT(q.bytes <= bytes + bytes / 10);
	CU_ASSERT(q.bytes < 3 * 1000 * 1000);
	queue_fini(&q);
}

CU_TestInfo queue_tests[] = {
	{ "it pops what an obvious queue pops", it_pops_what_an_obvious_queue_pops },
	{ "many entries at one time are no trouble", many_entries_at_one_time_are_no_trouble },
	{ "any time from now to the end of time has its place",
	  any_time_from_now_to_the_end_of_time_has_its_place },
	{ "what comes before the last one popped is still in order",
	  what_comes_before_the_last_one_popped_is_still_in_order },
	{ "looking far ahead does not disturb what is pushed then",
	  looking_far_ahead_does_not_disturb_what_is_pushed_then },
	{ "steady use takes no more memory", steady_use_takes_no_more_memory },
	CU_TEST_INFO_NULL
};
