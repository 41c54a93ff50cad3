/* Integer logarithms and powers agree with libm as far as their headers promise. */
#include <math.h>

#include "core/base/fixed.h"
#include "tests/unit/suites.h"

static uint64_t state = 0x9e3779b97f4a7c15ull;

static uint64_t draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static long double q32(int64_t v)
{
	return (long double)v / 4294967296.0L;
}

static long double real(struct id d)
{
	return ldexpl((long double)d.hi, 64) + (long double)d.lo;
}

/* A number whose length in bits is uniform, so that small ones are met too. */
static struct id some(void)
{
	unsigned shift = (unsigned)(draw() % 128);
	struct id d = { draw(), draw() };

	if (shift >= 64)
		return (struct id){ 0, d.hi >> (shift - 64) };
	if (shift)
		d = (struct id){ d.hi >> shift, d.hi << (64 - shift) | d.lo >> shift };
	return d;
}

static void log2_is_within_2_to_the_minus_30(void)
{
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t v = draw() >> (draw() % 64);

		if (v)
			CU_ASSERT_TRUE(fabsl(q32(log2_q32(v)) - log2l((long double)v)) < 0x1p-30L);
	}
}

static void log2_of_powers_of_two_is_exact(void)
{
	for (unsigned i = 0; i < 64; i++)
		CU_ASSERT_EQUAL(log2_q32(1ull << i), (int64_t)i << 32);
	CU_ASSERT_EQUAL(log2_q32(0), 0);
	CU_ASSERT_EQUAL(log2_q32(1), 0);
}

static void log2_of_distances_reaches_over_both_halves(void)
{
	for (unsigned i = 0; i < 20000; i++) {
		struct id d = some();
		long double want = real(d) > 1 ? log2l(real(d)) : 0;

		CU_ASSERT_TRUE(fabsl(q32(id_log2_q32(d)) - want) < 0x1p-29L);
	}
	CU_ASSERT_EQUAL(id_log2_q32(ID_ZERO), 0);
	CU_ASSERT_TRUE(id_log2_q32(ID_MAX) < (int64_t)128 << 32);
}

static void log2_never_falls_when_its_argument_grows(void)
{
	for (unsigned i = 0; i < 20000; i++) {
		struct id a = some(), b = id_add(a, (struct id){ 0, draw() >> (draw() % 64) });

		if (!id_less(b, a))
			CU_ASSERT_TRUE(id_log2_q32(a) <= id_log2_q32(b));
	}
}

static void exp2_of_distances_is_within_2_to_the_minus_48(void)
{
	for (unsigned i = 0; i < 20000; i++) {
		int64_t e = (int64_t)(draw() % (128ull << 32));
		long double want = exp2l(q32(e)), got = real(id_exp2_q32(e));

		/* small powers are cut to whole numbers */
		CU_ASSERT_TRUE(fabsl(got - want) < want * 0x1p-48L + 1);
		if (e > (int64_t)60 << 32)
			CU_ASSERT_TRUE(fabsl(got / want - 1) < 0x1p-48L);
	}
}

static void exp2_outside_its_range_stops_at_the_ends(void)
{
	CU_ASSERT_TRUE(id_eq(id_exp2_q32(-1), ((struct id){ 0, 1 })));
	CU_ASSERT_TRUE(id_eq(id_exp2_q32((int64_t)128 << 32), ID_MAX));
	CU_ASSERT_TRUE(id_eq(id_exp2_q32((int64_t)64 << 32), ((struct id){ 1, 0 })));
	CU_ASSERT_EQUAL(exp2_u64(-1), 0);
	CU_ASSERT_EQUAL(exp2_u64((int64_t)64 << 32), UINT64_MAX);
	CU_ASSERT_EQUAL(exp2_u64(0), 1);
}

static void whole_powers_are_exact(void)
{
	for (unsigned i = 0; i < 64; i++)
		CU_ASSERT_EQUAL(exp2_u64((int64_t)i << 32), 1ull << i);
}

static void powers_undo_logarithms(void)
{
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t v = draw() >> (draw() % 40);
		long double back = (long double)exp2_u64(log2_q32(v));

		/* rounded down to a whole number, besides the error of the logarithm */
		if (v)
			CU_ASSERT_TRUE(fabsl(back - (long double)v) <= (long double)v * 0x1p-29L + 1);
	}
}

CU_TestInfo fixed_tests[] = {
	{ "log2 is within 2^-30", log2_is_within_2_to_the_minus_30 },
	{ "log2 of powers of two is exact", log2_of_powers_of_two_is_exact },
	{ "log2 of distances reaches over both halves", log2_of_distances_reaches_over_both_halves },
	{ "log2 never falls when its argument grows", log2_never_falls_when_its_argument_grows },
	{ "exp2 of distances is within 2^-48", exp2_of_distances_is_within_2_to_the_minus_48 },
	{ "exp2 outside its range stops at the ends", exp2_outside_its_range_stops_at_the_ends },
	{ "whole powers are exact", whole_powers_are_exact },
	{ "powers undo logarithms", powers_undo_logarithms },
	CU_TEST_INFO_NULL
};
