/*
 * Draws are Philox2x64-10, even by every crude measure, and those of one
 * object do not depend on what others draw.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/engine/chance.h"
#include "tests/unit/suites.h"

/* Random123's known answers (kat_vectors, philox2x64 10): first word of each block. */
static void draws_match_the_published_vectors(void)
{
	CU_ASSERT(chance_draw(0, 0, 0, 0) == 0xca00a0459843d731);
	CU_ASSERT(chance_draw(UINT64_MAX, UINT32_MAX, UINT32_MAX, UINT64_MAX) ==
		  0x65b021d60cd8310f);
	CU_ASSERT(chance_draw(0xa4093822299f31d0, 0x03707344, 0x13198a2e, 0x243f6a8885a308d3) ==
		  0x0a5e742c2997341c);
}

static void a_sequence_is_the_draws_in_a_row(void)
{
	struct chance c = chance_of(7, 8, 9);

	for (uint64_t i = 0; i < 100; i++)
		CU_ASSERT(chance_next(&c) == chance_draw(7, 8, 9, i));
}

/* Changing one bit of any input changes each bit of the output half of the time. */
static void every_input_bit_reaches_every_output_bit(void)
{
	enum { BITS = 192, TRIES = 400 };
	static unsigned flips[BITS][64];
	struct chance c = chance_of(1, 2, 3);
	int far = 0;

	memset(flips, 0, sizeof(flips));
	for (int i = 0; i < TRIES; i++) {
		uint64_t in[3] = { chance_next(&c), chance_next(&c), (uint64_t)i };

		for (int bit = 0; bit < BITS; bit++) {
			uint64_t x[3] = { in[0], in[1], in[2] }, differ;

			x[bit / 64] ^= (uint64_t)1 << bit % 64;
			differ = chance_draw(in[0], (uint32_t)in[1], in[1] >> 32, in[2]) ^
				 chance_draw(x[0], (uint32_t)x[1], x[1] >> 32, x[2]);
			for (int k = 0; k < 64; k++)
				flips[bit][k] += differ >> k & 1;
		}
	}
	/* standard deviation 10 of 200; of 12288 counts about one lies more than 40 off */
	for (int bit = 0; bit < BITS; bit++)
		for (int k = 0; k < 64; k++)
			far += abs((int)flips[bit][k] - TRIES / 2) > 50;
	CU_ASSERT(far == 0);
}

/* Chi-squared over @cells equally likely ones is within 5 standard deviations of its mean. */
static bool even(const uint32_t *count, uint32_t cells, uint64_t draws)
{
	double mean = (double)draws / cells, x2 = 0, off;

	for (uint32_t i = 0; i < cells; i++)
		x2 += (count[i] - mean) * (count[i] - mean) / mean;
	off = x2 - (cells - 1);
	return off * off < 25 * 2.0 * (cells - 1);
}

static void values_below_n_are_even(void)
{
	static const uint32_t cells[] = { 2, 3, 10, 97, 1000 };
	static uint32_t count[1000];
	struct chance c = chance_of(5, 0, 0);

	for (unsigned i = 0; i < 5; i++) {
		memset(count, 0, sizeof(count));
		for (int k = 0; k < 200 * 1000; k++) {
			uint64_t x = chance_below(&c, cells[i]);

			CU_ASSERT_FATAL(x < cells[i]);
			count[x]++;
		}
		CU_ASSERT(even(count, cells[i], 200 * 1000));
	}
}

/* First draws of many objects, streams or seeds are as good as many draws of one. */
static void neighbours_are_independent(void)
{
	static uint32_t count[3][256];

	memset(count, 0, sizeof(count));
	for (uint32_t i = 0; i < 100 * 1000; i++) {
		count[0][chance_draw(1, i, 0, 0) >> 56]++;
		count[1][chance_draw(1, 0, i, 0) & 255]++;
		count[2][chance_draw(i, 0, 0, 0) >> 20 & 255]++;
	}
	for (int k = 0; k < 3; k++)
		CU_ASSERT(even(count[k], 256, 100 * 1000));
}

/* n = 3 * 2^62: a remainder of 64 bits would give values below 2^62 twice as often. */
static void there_is_no_bias_where_n_does_not_divide(void)
{
	uint32_t count[3] = { 0 };
	struct chance c = chance_of(6, 0, 0);

	for (int i = 0; i < 60 * 1000; i++)
		count[chance_below(&c, (uint64_t)3 << 62) >> 62]++;
	CU_ASSERT(even(count, 3, 60 * 1000));
}

static void ends_of_a_range_are_reached_and_not_passed(void)
{
	struct chance c = chance_of(7, 0, 0);
	bool low = false, high = false, negative = false;

	for (int i = 0; i < 1000; i++) {
		int64_t x = chance_between(&c, -3, 4);

		CU_ASSERT(x >= -3 && x <= 4);
		low |= x == -3;
		high |= x == 4;
		negative |= chance_between(&c, INT64_MIN, INT64_MAX) < 0;
		CU_ASSERT(chance_between(&c, INT64_MAX, INT64_MAX) == INT64_MAX);
		CU_ASSERT(chance_below(&c, 1) == 0);
	}
	CU_ASSERT(low && high && negative);
}

static void a_probability_is_met_and_none_and_all_are_exact(void)
{
	struct chance c = chance_of(8, 0, 0);
	int hits = 0, small = 0;

	for (int i = 0; i < 1000 * 1000; i++) {
		hits += chance_hit(&c, 250 * 1000 * 1000);
		small += chance_hit(&c, 100 * 1000);
	}
	CU_ASSERT(abs(hits - 250 * 1000) < 5 * 433);
	CU_ASSERT(abs(small - 100) < 50);
	for (int i = 0; i < 1000; i++)
		CU_ASSERT(!chance_hit(&c, 0) && chance_hit(&c, CHANCE_PPB));
}

static void picks_follow_the_weights(void)
{
	static const uint32_t weight[] = { 0, 1, 0, 5, 4, 0 };
	int count[6] = { 0 };
	struct chance c = chance_of(9, 0, 0);

	for (int i = 0; i < 100 * 1000; i++)
		count[chance_pick(&c, weight, 6)]++;
	CU_ASSERT(!count[0] && !count[2] && !count[5]);
	CU_ASSERT(abs(count[1] - 10 * 1000) < 500);
	CU_ASSERT(abs(count[3] - 50 * 1000) < 800);
}

static void shuffles_are_even(void)
{
	static uint32_t place[5][5];		/* [value][where it went] */
	struct chance c = chance_of(10, 0, 0);

	memset(place, 0, sizeof(place));
	for (int i = 0; i < 50 * 1000; i++) {
		uint32_t v[5] = { 0, 1, 2, 3, 4 };

		chance_shuffle(&c, v, 5);
		for (uint32_t k = 0; k < 5; k++)
			place[v[k]][k]++;
	}
	for (int i = 0; i < 5; i++)
		CU_ASSERT(even(place[i], 5, 50 * 1000));
}

static void bytes_are_those_of_the_draws(void)
{
	struct chance c = chance_of(11, 1, 1);
	uint64_t first = chance_draw(11, 1, 1, 0), second = chance_draw(11, 1, 1, 1);
	unsigned char b[12];

	memset(b, 0xaa, sizeof(b));
	chance_bytes(&c, b, 11);
	CU_ASSERT(c.counter == 2);
	for (int i = 0; i < 8; i++)
		CU_ASSERT(b[i] == (first >> 8 * i & 255));
	CU_ASSERT(b[10] == (second >> 16 & 255));
	CU_ASSERT(b[11] == 0xaa);
}

CU_TestInfo chance_tests[] = {
	{ "draws match the published vectors", draws_match_the_published_vectors },
	{ "a sequence is the draws in a row", a_sequence_is_the_draws_in_a_row },
	{ "every input bit reaches every output bit", every_input_bit_reaches_every_output_bit },
	{ "values below n are even", values_below_n_are_even },
	{ "neighbours are independent", neighbours_are_independent },
	{ "there is no bias where n does not divide", there_is_no_bias_where_n_does_not_divide },
	{ "ends of a range are reached and not passed",
	  ends_of_a_range_are_reached_and_not_passed },
	{ "a probability is met, and none and all are exact",
	  a_probability_is_met_and_none_and_all_are_exact },
	{ "picks follow the weights", picks_follow_the_weights },
	{ "shuffles are even", shuffles_are_even },
	{ "bytes are those of the draws", bytes_are_those_of_the_draws },
	CU_TEST_INFO_NULL
};
