/* Identifiers wrap, and ranges on the circle hold what the pictures say. */
#include "core/base/id.h"
#include "tests/unit/suites.h"

static uint64_t state = 88172645463325252ull;

static uint64_t draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static struct id any(void)
{
	return (struct id){ draw(), draw() };
}

typedef unsigned __int128 wide;

static wide plain(struct id a)
{
	return (wide)a.hi << 64 | a.lo;
}

static void sums_and_differences_are_those_of_128_bits(void)
{
	for (unsigned i = 0; i < 10000; i++) {
		struct id a = any(), b = any();

		if (i & 1)
			a.lo = b.lo;
		if (i & 2)
			b.lo = UINT64_MAX;
		CU_ASSERT_TRUE(plain(id_add(a, b)) == plain(a) + plain(b));
		CU_ASSERT_TRUE(plain(id_sub(a, b)) == plain(a) - plain(b));
		CU_ASSERT_TRUE(id_eq(id_add(id_sub(a, b), b), a));
	}
}

static void order_is_that_of_plain_numbers(void)
{
	for (unsigned i = 0; i < 10000; i++) {
		struct id a = any(), b = i & 1 ? any() : (struct id){ a.hi, draw() };

		CU_ASSERT_EQUAL(id_less(a, b), plain(a) < plain(b));
		CU_ASSERT_EQUAL(id_cmp(a, b), (plain(a) > plain(b)) - (plain(a) < plain(b)));
	}
	CU_ASSERT_EQUAL(id_cmp(ID_MAX, ID_MAX), 0);
	CU_ASSERT_TRUE(id_less(ID_ZERO, ID_MAX));
}

static void the_distance_is_the_shorter_way_and_the_same_both_ways(void)
{
	struct id half = { 1ull << 63, 0 };

	for (unsigned i = 0; i < 10000; i++) {
		struct id a = any(), b = any(), d = id_distance(a, b);

		CU_ASSERT_TRUE(id_eq(d, id_distance(b, a)));
		CU_ASSERT_FALSE(id_less(half, d));
		CU_ASSERT_TRUE(id_eq(d, id_clockwise(a, b)) || id_eq(d, id_clockwise(b, a)));
	}
	CU_ASSERT_TRUE(id_eq(id_distance(ID_MAX, ID_ZERO), ((struct id){ 0, 1 })));
	CU_ASSERT_TRUE(id_eq(id_distance(half, ID_ZERO), half));
}

static void a_range_excludes_its_start_and_includes_its_end(void)
{
	struct id a = { 10, 0 }, b = { 20, 0 };

	CU_ASSERT_FALSE(id_within(a, a, b));
	CU_ASSERT_TRUE(id_within(b, a, b));
	CU_ASSERT_TRUE(id_within(((struct id){ 10, 1 }), a, b));
	CU_ASSERT_FALSE(id_within(((struct id){ 20, 1 }), a, b));
	CU_ASSERT_FALSE(id_between(a, a, b));
	CU_ASSERT_FALSE(id_between(b, a, b));
	CU_ASSERT_TRUE(id_between(((struct id){ 15, 0 }), a, b));
}

static void a_range_may_cross_zero(void)
{
	struct id a = { UINT64_MAX, 5 }, b = { 0, 5 };

	CU_ASSERT_TRUE(id_within(ID_ZERO, a, b));
	CU_ASSERT_TRUE(id_within(ID_MAX, a, b));
	CU_ASSERT_TRUE(id_within(b, a, b));
	CU_ASSERT_FALSE(id_within(((struct id){ 7, 0 }), a, b));
	CU_ASSERT_FALSE(id_within(a, a, b));
}

static void the_range_from_a_point_to_itself_is_everything(void)
{
	struct id a = { 3, 3 };

	CU_ASSERT_TRUE(id_within(a, a, a));
	CU_ASSERT_TRUE(id_within(ID_ZERO, a, a));
	CU_ASSERT_FALSE(id_between(a, a, a));
	CU_ASSERT_TRUE(id_between(ID_MAX, a, a));
}

static void two_ranges_that_meet_share_no_point_and_miss_none(void)
{
	for (unsigned i = 0; i < 10000; i++) {
		struct id a = any(), b = any(), x = any();

		CU_ASSERT_EQUAL(id_within(x, a, b) + id_within(x, b, a), 1);
	}
}

static void a_prefix_stands_for_the_middle_of_its_ids(void)
{
	for (unsigned i = 0; i < 1000; i++) {
		struct id a = any(), m = id_of_prefix(id_prefix(a));

		CU_ASSERT_EQUAL(id_prefix(m), id_prefix(a));
		CU_ASSERT_FALSE(id_less(((struct id){ 0x80000000u, 0 }), id_distance(a, m)));
	}
}

CU_TestInfo id_tests[] = {
	{ "sums and differences are those of 128 bits", sums_and_differences_are_those_of_128_bits },
	{ "order is that of plain numbers", order_is_that_of_plain_numbers },
	{ "the distance is the shorter way and the same both ways",
	  the_distance_is_the_shorter_way_and_the_same_both_ways },
	{ "a range excludes its start and includes its end",
	  a_range_excludes_its_start_and_includes_its_end },
	{ "a range may cross zero", a_range_may_cross_zero },
	{ "the range from a point to itself is everything",
	  the_range_from_a_point_to_itself_is_everything },
	{ "two ranges that meet share no point and miss none",
	  two_ranges_that_meet_share_no_point_and_miss_none },
	{ "a prefix stands for the middle of its ids", a_prefix_stands_for_the_middle_of_its_ids },
	CU_TEST_INFO_NULL
};
