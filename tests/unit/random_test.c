/* The same seed gives the same draws; draws are fair; what was drawn is gone. */
#include <string.h>

#include "core/base/random.h"
#include "tests/unit/suites.h"

static struct random seeded(uint8_t byte)
{
	uint8_t seed[32];
	struct random r;

	memset(seed, byte, sizeof(seed));
	random_seed(&r, seed);
	return r;
}

static void the_same_seed_gives_the_same_draws(void)
{
	struct random a = seeded(7), b = seeded(7), c = seeded(8);
	unsigned same = 0;

	for (unsigned i = 0; i < 1000; i++) {
		uint64_t v = random_u64(&a);

		CU_ASSERT_EQUAL(v, random_u64(&b));
		same += v == random_u64(&c);
	}
	CU_ASSERT_EQUAL(same, 0);
}

static void the_stream_does_not_depend_on_the_size_of_the_sips(void)
{
	struct random a = seeded(1), b = seeded(1);
	uint8_t one[500], many[500];

	random_bytes(&a, one, sizeof(one));
	for (size_t at = 0, n = 1; at < sizeof(many); at += n, n = n % 77 + 1) {
		if (n > sizeof(many) - at)
			n = sizeof(many) - at;
		random_bytes(&b, many + at, n);
	}
	CU_ASSERT_EQUAL(memcmp(one, many, sizeof(one)), 0);
}

static void the_first_block_is_chacha20_of_the_seed(void)
{
	/* RFC 8439's key stream for the zero key: its second half is what is handed out first */
	static const uint8_t WANT[8] = { 0xda, 0x41, 0x59, 0x7c, 0x51, 0x57, 0x48, 0x8d };
	struct random r = seeded(0);
	uint8_t got[8];

	random_bytes(&r, got, sizeof(got));
	CU_ASSERT_EQUAL(memcmp(got, WANT, sizeof(got)), 0);
}

static void what_was_drawn_is_wiped_from_the_state(void)
{
	struct random r = seeded(3);
	uint8_t drawn[16];

	random_bytes(&r, drawn, sizeof(drawn));
	for (size_t i = 0; i + sizeof(drawn) <= sizeof(r); i++)
		CU_ASSERT_NOT_EQUAL(memcmp((uint8_t *)&r + i, drawn, sizeof(drawn)), 0);
}

static void stirring_changes_what_comes_and_twice_the_same_is_the_same(void)
{
	struct random a = seeded(5), b = seeded(5), c = seeded(5);

	random_stir(&a, "rain", 4);
	random_stir(&b, "rain", 4);
	CU_ASSERT_EQUAL(random_u64(&a), random_u64(&b));
	CU_ASSERT_NOT_EQUAL(random_u64(&a), random_u64(&c));
	random_stir(&a, NULL, 0);
	random_u64(&a);
}

static void draws_below_a_bound_are_uniform(void)
{
	enum { SIDES = 10, DRAWS = 100000 };
	struct random r = seeded(9);
	unsigned seen[SIDES] = { 0 };
	double chi2 = 0;

	for (unsigned i = 0; i < DRAWS; i++) {
		uint32_t v = random_below(&r, SIDES);

		CU_ASSERT_TRUE_FATAL(v < SIDES);
		seen[v]++;
	}
	for (unsigned i = 0; i < SIDES; i++) {
		double d = seen[i] - DRAWS / (double)SIDES;

		chi2 += d * d / (DRAWS / (double)SIDES);
	}
	CU_ASSERT_TRUE(chi2 < 27.9);		/* 99.9 % of fair dice, 9 degrees of freedom */
}

static void bounds_at_the_ends_hold(void)
{
	struct random r = seeded(2);

	for (unsigned i = 0; i < 1000; i++) {
		CU_ASSERT_EQUAL(random_below(&r, 1), 0);
		CU_ASSERT_TRUE(random_below(&r, UINT32_MAX) < UINT32_MAX);
		/* just over half the range: almost every second draw is thrown away */
		CU_ASSERT_TRUE(random_below(&r, 0x80000001u) <= 0x80000000u);
	}
}

static void a_span_stays_within_an_eighth_and_around_its_middle(void)
{
	struct random r = seeded(4);
	const int64_t span = 5000000000;
	int64_t sum = 0;

	for (unsigned i = 0; i < 10000; i++) {
		int64_t v = random_around(&r, span);

		CU_ASSERT_TRUE(v >= span - span / 8 && v <= span + span / 8);
		sum += v / 10000;
	}
	CU_ASSERT_TRUE(sum > span * 99 / 100 && sum < span * 101 / 100);
	CU_ASSERT_EQUAL(random_around(&r, 0), 0);
}

CU_TestInfo random_tests[] = {
	{ "the same seed gives the same draws", the_same_seed_gives_the_same_draws },
	{ "the stream does not depend on the size of the sips",
	  the_stream_does_not_depend_on_the_size_of_the_sips },
	{ "the first block is ChaCha20 of the seed", the_first_block_is_chacha20_of_the_seed },
	{ "what was drawn is wiped from the state", what_was_drawn_is_wiped_from_the_state },
	{ "stirring changes what comes, and twice the same is the same",
	  stirring_changes_what_comes_and_twice_the_same_is_the_same },
	{ "draws below a bound are uniform", draws_below_a_bound_are_uniform },
	{ "bounds at the ends hold", bounds_at_the_ends_hold },
	{ "a span stays within an eighth and around its middle",
	  a_span_stays_within_an_eighth_and_around_its_middle },
	CU_TEST_INFO_NULL
};
