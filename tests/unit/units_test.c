/* Values with units mean exactly what they say, or are refused with a reason. */
#include <string.h>

#include "node/prog/units.h"
#include "node/prog/wide.h"
#include "tests/unit/suites.h"

static char why[WHY_LEN];

static int64_t ns(const char *text)
{
	int64_t v = -1;

	return duration_parse(text, &v, why) ? v : -1;
}

static int64_t interval(const char *text)
{
	int64_t v = -1;

	return rate_parse(text, &v, why) ? v : -1;
}

static int64_t ppb(const char *text)
{
	uint32_t v = 7;

	return share_parse(text, &v, why) ? (int64_t)v : -1;
}

static void durations_are_exact_in_every_unit(void)
{
	static const struct { const char *text; int64_t want; } cases[] = {
		{ "0", 0 }, { "0s", 0 }, { "1ns", 1 }, { "30us", 30000 }, { "50ms", 50000000 },
		{ "1.5s", 1500000000 }, { "0.1s", 100000000 }, { ".34s", 340000000 },
		{ "21.3m", 1278 * NS_PER_S }, { "2m", 120 * NS_PER_S }, { "1.5h", 5400 * NS_PER_S },
		{ "1d", NS_PER_DAY }, { "0.000000001s", 1 }, { "106751d", 106751 * NS_PER_DAY },
		{ "007s", 7 * NS_PER_S },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_EQUAL(ns(cases[i].text), cases[i].want);
}

static void bad_durations_say_why(void)
{
	static const struct { const char *text, *want; } cases[] = {
		{ "", "nothing stands here" },
		{ "5", "a time needs a unit" },
		{ "-5s", "negative" },
		{ "+5s", "a time starts with a number" },
		{ "s", "a time starts with a number" },
		{ "5.s", "a time starts with a number" },
		{ "1.2.3s", "'.3s' is not a unit of a time" },
		{ "5 s", "' s' is not a unit of a time" },
		{ "5sec", "'sec' is not a unit of a time" },
		{ "1h30m", "'h30m' is not a unit of a time" },
		{ "1,5s", "a time is written with digits and at most one point" },
		{ "1e3s", "a time is written with digits and at most one point" },
		{ "0.5ns", "finer than 1 ns" },
		{ "0.0000000001s", "finer than 1 ns" },
		{ "106752d", "too large" },
		{ "999999999999999999d", "too large" },
		{ "9999999999999999999s", "too large" },
		{ "99999999999999999999ns", "a time has too many digits" },
		{ "0.00000000000000000000s", "a time has too many digits" },
		{ "inf", "a time starts with a number" },
		{ "nan", "a time starts with a number" },
		{ "0x10s", "'x10s' is not a unit of a time" },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t v = 42;

		CU_ASSERT_FALSE(duration_parse(cases[i].text, &v, why));
		CU_ASSERT_STRING_EQUAL(why, cases[i].want);
		CU_ASSERT_EQUAL(v, 42);
	}
}

static void shares_are_exact_parts_of_a_billion(void)
{
	CU_ASSERT_EQUAL(ppb("5%"), 50000000);
	CU_ASSERT_EQUAL(ppb("0.05"), 50000000);
	CU_ASSERT_EQUAL(ppb("99.9%"), 999000000);
	CU_ASSERT_EQUAL(ppb("100%"), PPB_ONE);
	CU_ASSERT_EQUAL(ppb("1"), PPB_ONE);
	CU_ASSERT_EQUAL(ppb("0"), 0);
	CU_ASSERT_EQUAL(ppb("0.0000001%"), 1);
	CU_ASSERT_EQUAL(ppb("5"), -1);
	CU_ASSERT_STRING_EQUAL(why, "more than 1, which is all of it (per cent need a %)");
	CU_ASSERT_EQUAL(ppb("101%"), -1);
	CU_ASSERT_STRING_EQUAL(why, "more than 100%");
	CU_ASSERT_EQUAL(ppb("-1%"), -1);
	CU_ASSERT_EQUAL(ppb("0.00000001%"), -1);
	CU_ASSERT_STRING_EQUAL(why, "finer than a billionth");
	CU_ASSERT_EQUAL(ppb("5 %"), -1);
	CU_ASSERT_EQUAL(ppb("5ppm"), -1);
}

static void rates_become_mean_intervals(void)
{
	CU_ASSERT_EQUAL(interval("0.1/s"), 10 * NS_PER_S);
	CU_ASSERT_EQUAL(interval("6/h"), 600 * NS_PER_S);
	CU_ASSERT_EQUAL(interval("1/10m"), 600 * NS_PER_S);
	CU_ASSERT_EQUAL(interval("2k/s"), 500 * NS_PER_US);
	CU_ASSERT_EQUAL(interval("3/s"), 333333333);
	CU_ASSERT_EQUAL(interval("1.5/s"), 666666667);
	CU_ASSERT_EQUAL(interval("1M/ms"), 1);
	CU_ASSERT_EQUAL(interval("0/s"), 0);
}

static void a_rate_without_its_time_is_refused(void)
{
	CU_ASSERT_EQUAL(interval("0.1"), -1);
	CU_ASSERT_STRING_EQUAL(why, "a rate needs its time: per second is /s, per hour /h");
	CU_ASSERT_EQUAL(interval("0"), -1);
	CU_ASSERT_EQUAL(interval("1/"), -1);
	CU_ASSERT_EQUAL(interval("1/x"), -1);
	CU_ASSERT_STRING_EQUAL(why, "'x' is not a time");
	CU_ASSERT_EQUAL(interval("1/0s"), -1);
	CU_ASSERT_EQUAL(interval("-1/s"), -1);
	CU_ASSERT_EQUAL(interval("1m/s"), -1);
	CU_ASSERT_EQUAL(interval("3M/us"), -1);
	CU_ASSERT_STRING_EQUAL(why, "more often than once a nanosecond");
	CU_ASSERT_EQUAL(interval("0.000000001/106751d"), -1);
	CU_ASSERT_STRING_EQUAL(why, "rarer than once in 292 years");
}

static void sizes_bit_rates_and_counts_have_their_own_units(void)
{
	int64_t v;

	CU_ASSERT_TRUE(bytes_parse("1400B", &v, why) && v == 1400);
	CU_ASSERT_TRUE(bytes_parse("64KiB", &v, why) && v == 65536);
	CU_ASSERT_TRUE(bytes_parse("1.5kB", &v, why) && v == 1500);
	CU_ASSERT_TRUE(bytes_parse("2GiB", &v, why) && v == INT64_C(2) << 30);
	CU_ASSERT_FALSE(bytes_parse("1400", &v, why));
	CU_ASSERT_STRING_EQUAL(why, "a size needs a unit");
	CU_ASSERT_FALSE(bytes_parse("1.5B", &v, why));
	CU_ASSERT_STRING_EQUAL(why, "finer than 1 byte");
	CU_ASSERT_FALSE(bytes_parse("1KB", &v, why));
	CU_ASSERT_TRUE(bitrate_parse("10Mbit", &v, why) && v == 10000000);
	CU_ASSERT_TRUE(bitrate_parse("0.5kbit", &v, why) && v == 500);
	CU_ASSERT_TRUE(bitrate_parse("1Gbit", &v, why) && v == 1000000000);
	CU_ASSERT_FALSE(bitrate_parse("10MB", &v, why));
	CU_ASSERT_TRUE(count_parse("1000", &v, why) && v == 1000);
	CU_ASSERT_TRUE(count_parse("10k", &v, why) && v == 10000);
	CU_ASSERT_TRUE(count_parse("1.5M", &v, why) && v == 1500000);
	CU_ASSERT_FALSE(count_parse("1.5", &v, why));
	CU_ASSERT_STRING_EQUAL(why, "finer than 1");
	CU_ASSERT_FALSE(count_parse("10K", &v, why));
	CU_ASSERT_TRUE(count_parse("9223372036854775", &v, why) && v == INT64_C(9223372036854775));
}

static void drifts_have_a_sign_and_flags_have_words(void)
{
	int32_t d;
	bool f;

	CU_ASSERT_TRUE(drift_parse("-50ppm", &d, why) && d == -50000);
	CU_ASSERT_TRUE(drift_parse("0.1%", &d, why) && d == 1000000);
	CU_ASSERT_TRUE(drift_parse("7ppb", &d, why) && d == 7);
	CU_ASSERT_FALSE(drift_parse("90%", &d, why));
	CU_ASSERT_FALSE(drift_parse("50", &d, why));
	CU_ASSERT_TRUE(flag_parse("yes", &f, why) && f);
	CU_ASSERT_TRUE(flag_parse("off", &f, why) && !f);
	CU_ASSERT_FALSE(flag_parse("Yes", &f, why));
	CU_ASSERT_FALSE(flag_parse("", &f, why));
}

static void lists_name_the_value_that_is_wrong(void)
{
	struct numbers n = { 0 };

	CU_ASSERT_TRUE_FATAL(counts_parse("1: 5 :9", &n, why));
	CU_ASSERT_EQUAL(n.count, 3);
	CU_ASSERT_EQUAL(n.value[1], 5);
	numbers_done(&n);
	CU_ASSERT_TRUE_FATAL(shares_parse("30%:70%", &n, why));
	CU_ASSERT_EQUAL(n.value[0], 300000000);
	numbers_done(&n);
	CU_ASSERT_FALSE(counts_parse("1::9", &n, why));
	CU_ASSERT_STRING_EQUAL(why, "value 2: nothing stands here");
	CU_ASSERT_FALSE(shares_parse("30%,70%", &n, why));
	CU_ASSERT_FALSE(counts_parse("", &n, why));
	CU_ASSERT_PTR_NULL(n.value);
}

static void texts_read_back(void)
{
	static const int64_t times[] = { 0, 1, 999, 1500000, 90 * NS_PER_S, 2 * NS_PER_H,
					 NS_PER_DAY, INT64_MAX };
	char buf[UNIT_TEXT_LEN];

	for (unsigned i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		CU_ASSERT_EQUAL(ns(duration_text(times[i], buf)), times[i]);
	CU_ASSERT_STRING_EQUAL(duration_text(90 * NS_PER_S, buf), "90s");
	for (uint32_t p = 0; p < PPB_ONE - 77777777; p += 77777777)
		CU_ASSERT_EQUAL(ppb(share_text(p, buf)), p);
	CU_ASSERT_STRING_EQUAL(share_text(999000000, buf), "99.9%");
	CU_ASSERT_STRING_EQUAL(share_text(PPB_ONE, buf), "100%");
	CU_ASSERT_STRING_EQUAL(bytes_text(65536, buf), "64KiB");
	CU_ASSERT_STRING_EQUAL(bitrate_text(2500000, buf), "2500kbit");
	CU_ASSERT_STRING_EQUAL(clock_text(59999999999, buf), "59.999");
	CU_ASSERT_STRING_EQUAL(clock_text(60 * NS_PER_S, buf), "1:00");
	CU_ASSERT_STRING_EQUAL(clock_text(3723 * NS_PER_S, buf), "1:02:03");
}

static void products_and_quotients_are_those_of_128_bits(void)
{
#ifdef __SIZEOF_INT128__
	uint64_t x = 88172645463325252ull, v[4];

	for (unsigned i = 0; i < 20000; i++) {
		for (unsigned k = 0; k < 4; k++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			v[k] = x >> (i * (k + 3)) % 64;
		}
		struct wide n = wide_mul(v[0], v[1]), by = { v[2] >> 1, v[3] | 1 }, rest, q = wide_div(n, by, &rest);
		unsigned __int128 a = (unsigned __int128)v[0] * v[1], b = (unsigned __int128)by.hi << 64 | by.lo;

		CU_ASSERT_TRUE(((unsigned __int128)n.hi << 64 | n.lo) == a);
		CU_ASSERT_TRUE(((unsigned __int128)q.hi << 64 | q.lo) == a / b);
		CU_ASSERT_TRUE(((unsigned __int128)rest.hi << 64 | rest.lo) == a % b);
	}
#endif
}

CU_TestInfo units_tests[] = {
	{ "products and quotients are those of 128 bits", products_and_quotients_are_those_of_128_bits },
	{ "durations are exact in every unit", durations_are_exact_in_every_unit },
	{ "bad durations say why", bad_durations_say_why },
	{ "shares are exact parts of a billion", shares_are_exact_parts_of_a_billion },
	{ "rates become mean intervals", rates_become_mean_intervals },
	{ "a rate without its time is refused", a_rate_without_its_time_is_refused },
	{ "sizes, bit rates and counts have their own units",
	  sizes_bit_rates_and_counts_have_their_own_units },
	{ "drifts have a sign and flags have words", drifts_have_a_sign_and_flags_have_words },
	{ "lists name the value that is wrong", lists_name_the_value_that_is_wrong },
	{ "texts read back", texts_read_back },
	CU_TEST_INFO_NULL
};
