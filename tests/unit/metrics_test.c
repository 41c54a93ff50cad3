/* Numbers of shards add up to the same whatever the shards, and are printed exactly. */
#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>
#include <glib.h>

#include "sim/record/metrics.h"
#include "tests/unit/suites.h"

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void every_value_lies_in_its_bucket(void)
{
	static const int64_t edge[] = {
		0, 1, 127, 128, 129, 255, 256, 257, 511, 512, 1023, 1024, 1 << 20, INT32_MAX,
		INT64_MAX / 2, INT64_MAX - 1, INT64_MAX,
	};
	int64_t low, high, next;

	for (size_t i = 0; i < G_N_ELEMENTS(edge); i++) {
		histogram_span(histogram_bucket(edge[i]), &low, &high);
		CU_ASSERT(low <= edge[i] && edge[i] <= high);
		/* no wider than 1/128 of what is in it */
		CU_ASSERT((__int128)(high - low) * 128 <= low || low == high);
	}
	for (unsigned b = 0; b + 1 < HISTOGRAM_BUCKETS; b++) {
		histogram_span(b, &low, &high);
		histogram_span(b + 1, &next, &low);
		CU_ASSERT_EQUAL_FATAL(next, high + 1);
	}
	histogram_span(HISTOGRAM_BUCKETS - 1, &low, &high);
	CU_ASSERT_EQUAL(high, INT64_MAX);
}

/* Clever beside dull: quantiles of a sorted array. */
static void quantiles_are_within_half_a_percent_of_the_sorted_values(void)
{
	enum { COUNT = 20001 };
	static const unsigned part[] = { 1, 5, 50, 95, 99, 100 };
	int64_t *all = g_new(int64_t, COUNT);
	struct histogram h = { 0 };
	__int128 sum = 0;
	uint64_t x = 1;

	for (int i = 0; i < COUNT; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		all[i] = (int64_t)(x >> (20 + x % 40));	/* from a few bits to forty */
		histogram_note(&h, all[i]);
		sum += all[i];
	}
	qsort(all, COUNT, sizeof(*all), by_value);
	for (size_t i = 0; i < G_N_ELEMENTS(part); i++) {
		int64_t dull = all[(COUNT * part[i] + 99) / 100 - 1];
		int64_t clever = histogram_quantile(&h, part[i], 100);

		CU_ASSERT(llabs(clever - dull) * 250 <= dull);
	}
	CU_ASSERT(h.sum == sum);
	CU_ASSERT_EQUAL(h.least, all[0]);
	CU_ASSERT_EQUAL(h.greatest, all[COUNT - 1]);
	histogram_done(&h);
	g_free(all);
}

static void quantiles_of_small_numbers_are_exact(void)
{
	struct histogram h = { 0 };

	for (int64_t v = 1; v <= 100; v++)
		histogram_note(&h, v);
	CU_ASSERT_EQUAL(histogram_quantile(&h, 50, 100), 50);
	CU_ASSERT_EQUAL(histogram_quantile(&h, 95, 100), 95);
	CU_ASSERT_EQUAL(histogram_quantile(&h, 1, 1), 100);
	CU_ASSERT_EQUAL(histogram_quantile(&h, 1, 1000), 1);
	histogram_done(&h);
}

static void a_cleared_histogram_forgets_everything(void)
{
	struct histogram h = { 0 };

	histogram_note(&h, 7);
	histogram_note(&h, 1000000);
	histogram_clear(&h);
	histogram_note(&h, 9);
	CU_ASSERT_EQUAL(h.count, 1);
	CU_ASSERT_EQUAL(h.least, 9);
	CU_ASSERT_EQUAL(histogram_quantile(&h, 1, 1), 9);
	histogram_done(&h);
}

static void shards_add_up_in_any_order(void)
{
	struct catalog *c = catalog_new();
	struct metrics *one = metrics_new(c), *shard[3], *sum = metrics_new(c);

	for (int i = 0; i < 3; i++)
		shard[i] = metrics_new(c);
	for (int i = 0; i < 3000; i++) {
		int64_t v = (int64_t)i * i * 977;

		metrics_add(shard[i * 7 % 3], M_LOOKUP_JUDGED, 1);
		metrics_add(one, M_LOOKUP_JUDGED, 1);
		metrics_note(shard[i * 5 % 3], M_LOOKUP_LATENCY, v);
		metrics_note(one, M_LOOKUP_LATENCY, v);
	}
	metrics_set(shard[0], M_NODES_ALIVE, 20);
	metrics_set(shard[2], M_NODES_ALIVE, 22);
	metrics_set(one, M_NODES_ALIVE, 42);
	metrics_set(shard[1], M_RING_HEALED, 5);
	metrics_set(shard[2], M_RING_HEALED, 9);
	metrics_set(shard[2], M_RING_HEALED, 3);
	for (int i = 2; i >= 0; i--)
		metrics_merge(sum, shard[i]);
	CU_ASSERT_EQUAL(sum->cell[M_LOOKUP_JUDGED], one->cell[M_LOOKUP_JUDGED]);
	CU_ASSERT_EQUAL(sum->cell[M_NODES_ALIVE], 42);
	CU_ASSERT_EQUAL(sum->cell[M_RING_HEALED], 9);
	CU_ASSERT(sum->known[M_RING_HEALED] && !one->known[M_RING_HEALED]);
	for (unsigned q = 1; q <= 100; q++)
		CU_ASSERT_EQUAL(histogram_quantile(&sum->histogram[M_LOOKUP_LATENCY], q, 100),
				histogram_quantile(&one->histogram[M_LOOKUP_LATENCY], q, 100));
	for (int i = 0; i < 3; i++)
		metrics_free(shard[i]);
	metrics_free(one);
	metrics_free(sum);
	catalog_free(c);
}

static void names_are_found_with_and_without_their_unit(void)
{
	static const char *const reasons[] = { "NONE", "TOO_BIG" };
	struct catalog *c = catalog_new();
	int first = catalog_add_each(c, UNIT_NUMBER, "drop.", reasons, 2, "", "dropped");

	CU_ASSERT_EQUAL(catalog_find(c, "lookup.latency_ms"), M_LOOKUP_LATENCY);
	CU_ASSERT_EQUAL(catalog_find(c, "lookup.latency"), M_LOOKUP_LATENCY);
	CU_ASSERT_EQUAL(catalog_find(c, "ring.healed"), M_RING_HEALED);
	CU_ASSERT_EQUAL(catalog_find(c, "lookup.latenc"), M_NONE);
	CU_ASSERT_EQUAL(catalog_find(c, "maintenance.bytes_per_node"), M_MAINTENANCE);
	CU_ASSERT_EQUAL(first, METRICS);
	CU_ASSERT_EQUAL(catalog_find(c, "drop.too_big"), first + 1);
	CU_ASSERT_STRING_EQUAL(catalog_at(c, first)->name, "drop.none");
	catalog_free(c);
}

static void numbers_print_as_short_decimals(void)
{
	static const struct {
		__int128 stored, over;
		enum metric_unit unit;
		const char *text;
	} the[] = {
		{ 12, 1, UNIT_NUMBER, "12" },
		{ 0, 5, UNIT_SHARE, "0" },
		{ 999, 1000, UNIT_SHARE, "0.999" },
		{ 1, 3, UNIT_SHARE, "0.333333333" },
		{ 2, 3, UNIT_SHARE, "0.666666667" },
		{ 1, 0, UNIT_SHARE, "" },
		{ 1500000, 1, UNIT_MS, "1.5" },
		{ 60000000000, 1, UNIT_S, "60" },
		{ -1500000000, 1, UNIT_S, "-1.5" },
		{ 999999999999, 1000, UNIT_S, "1" },		/* rounding carries over the point */
		{ 7, 2000000000, UNIT_PER_S, "3.5" },
		{ 62500, 1, UNIT_BYTES_PER_S, "62.5" },
		{ INT64_MAX, 1, UNIT_NUMBER, "9223372036854775807" },
	};
	char buf[64];

	for (size_t i = 0; i < G_N_ELEMENTS(the); i++)
		CU_ASSERT_STRING_EQUAL(
			number_text(number_of(the[i].stored, the[i].over, the[i].unit), buf),
			the[i].text);
}

static void numbers_compare_exactly(void)
{
	struct number third = number_of(1, 3, UNIT_SHARE);
	struct number near = number_of(333333333, 1000000000, UNIT_SHARE);
	struct number big = number_of((__int128)INT64_MAX * 1000, 999, UNIT_S);

	CU_ASSERT(number_compare(third, near) > 0);
	CU_ASSERT(number_compare(near, third) < 0);
	CU_ASSERT(number_compare(third, number_of(2, 6, UNIT_SHARE)) == 0);
	CU_ASSERT(number_compare(big, big) == 0);
	CU_ASSERT(number_compare(number_of(-5, 2, UNIT_NUMBER), number_of(-2, 1, UNIT_NUMBER)) < 0);
	CU_ASSERT(number_compare(number_of(60000000000, 1, UNIT_S), number_of(60, 1, UNIT_NUMBER)) == 0);
}

CU_TestInfo metrics_tests[] = {
	{ "every value lies in its bucket", every_value_lies_in_its_bucket },
	{ "quantiles are within half a percent of the sorted values",
	  quantiles_are_within_half_a_percent_of_the_sorted_values },
	{ "quantiles of small numbers are exact", quantiles_of_small_numbers_are_exact },
	{ "a cleared histogram forgets everything", a_cleared_histogram_forgets_everything },
	{ "shards add up in any order", shards_add_up_in_any_order },
	{ "names are found with and without their unit", names_are_found_with_and_without_their_unit },
	{ "numbers print as short decimals", numbers_print_as_short_decimals },
	{ "numbers compare exactly", numbers_compare_exactly },
	CU_TEST_INFO_NULL
};
