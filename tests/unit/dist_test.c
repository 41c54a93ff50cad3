/*
 * Distributions are what their names say, and the same on every machine.
 *
 * Compared with libm and GSL where those know the answer; where they do not
 * (residual lifetimes), with the defining integral. Goldens pin the bits.
 */
#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "node/prog/dist.h"
#include "node/prog/real.h"
#include "tests/unit/suites.h"

enum { SAMPLES = 200000 };

static char why[WHY_LEN];

static struct dist dist(const char *text)
{
	struct dist d = { 0 };

	CU_ASSERT_TRUE_FATAL(dist_parse(text, &d, why));
	return d;
}

/* A stratified draw: the i-th of n, spread evenly over 64 bits. */
static uint64_t draw_at(unsigned i, unsigned n)
{
	return (uint64_t)(((unsigned __int128)i << 64) / n) + (UINT64_MAX / n) / 2;
}

/* A plain generator for tests; any good one does. */
static uint64_t next(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s * UINT64_C(0x2545f4914f6cdd1d);
}

static bool near_to(double a, double b, double relative)
{
	return fabs(a - b) <= relative * fabs(b) + 1e-300;
}

static void exp_log_and_pow_agree_with_libm(void)
{
	uint64_t s = 88172645463325252u;

	for (unsigned i = 0; i < SAMPLES; i++) {
		double u = real_unit(next(&s)), x = pow(10, 600 * real_unit(next(&s)) - 300);
		double e = (u - 0.5) * 1300, y = (real_unit(next(&s)) - 0.5) * 20;

		CU_ASSERT_TRUE_FATAL(near_to(real_log(x), log(x), 2e-15));
		CU_ASSERT_TRUE_FATAL(near_to(real_log1p(-u), log1p(-u), 2e-15));
		CU_ASSERT_TRUE_FATAL(near_to(real_log1p(-u * 1e-9), log1p(-u * 1e-9), 2e-15));
		CU_ASSERT_TRUE_FATAL(near_to(real_exp(e), exp(e), 2e-15));
		CU_ASSERT_TRUE_FATAL(near_to(real_pow(u, y), pow(u, y), 1e-13));
	}
	CU_ASSERT_EQUAL(real_log(1), 0);
	CU_ASSERT_EQUAL(real_exp(0), 1);
	CU_ASSERT_EQUAL(real_pow(0, 2), 0);
}

static void gamma_and_the_normal_quantile_agree_with_libm_and_gsl(void)
{
	for (double x = 0.01; x < 169; x += 0.37)
		CU_ASSERT_TRUE_FATAL(near_to(real_gamma(x), tgamma(x), 1e-12));
	for (unsigned i = 1; i < 10000; i++)
		CU_ASSERT_TRUE_FATAL(near_to(real_normal(i / 10000.0), gsl_cdf_ugaussian_Pinv(i / 10000.0),
					     1e-13) || i == 5000);
	for (double p = 1e-16; p < 0.01; p *= 1.7)
		CU_ASSERT_TRUE_FATAL(near_to(real_normal(p), gsl_cdf_ugaussian_Pinv(p), 1e-12));
	CU_ASSERT_EQUAL(real_normal(0.5), 0);
}

/* Rounded to whole nanoseconds, and otherwise equal. */
static bool sample_is(const struct dist *d, uint64_t draw, double want)
{
	return fabs((double)dist_sample_ns(d, draw) - want) <= 0.51 + 1e-11 * want;
}

static void samples_are_the_quantiles_gsl_computes(void)
{
	struct dist e = dist("exponential mean 30m"), w = dist("weibull shape 0.34 scale 21.3m"),
		    p = dist("pareto shape 2 scale 10m"), n = dist("lognormal median 60m sigma 1.5"),
		    u = dist("uniform 1s 5s"), c = dist("constant 5s"), l = dist("lomax shape 3 scale 1m");

	for (unsigned i = 0; i < 5000; i++) {
		uint64_t draw = draw_at(i, 5000);
		double q = real_unit(draw), v = real_unit(~draw);

		CU_ASSERT_TRUE(sample_is(&e, draw, gsl_cdf_exponential_Pinv(q, 1800e9)));
		CU_ASSERT_TRUE(sample_is(&w, draw, 1278e9 * pow(q < 0.1 ? -log1p(-q) : -log(v), 1 / 0.34)));
		CU_ASSERT_TRUE(sample_is(&p, draw, gsl_cdf_pareto_Qinv(v, 2, 600e9)));
		CU_ASSERT_TRUE(sample_is(&l, draw, 60e9 * (pow(v, -1 / 3.0) - 1)));
		CU_ASSERT_TRUE(sample_is(&n, draw, gsl_cdf_lognormal_Pinv(q, log(3600e9), 1.5)));
		CU_ASSERT_TRUE(sample_is(&u, draw, 1e9 + 4e9 * q));
		CU_ASSERT_EQUAL(dist_sample_ns(&c, draw), 5 * NS_PER_S);
	}
}

static void a_greater_draw_is_never_a_shorter_time(void)
{
	static const char *const texts[] = { "exponential mean 1h", "weibull shape 0.6 median 60m",
		"lognormal median 1m sigma 2", "pareto shape 0.5 scale 1s", "lomax shape 1.1 median 1h" };

	for (unsigned t = 0; t < 5; t++) {
		struct dist d = dist(texts[t]);
		int64_t last = -1;

		for (unsigned i = 0; i < 20000; i++) {
			int64_t v = dist_sample_ns(&d, draw_at(i, 20000));

			CU_ASSERT_TRUE_FATAL(v >= last);
			last = v;
		}
	}
}

static void the_ends_of_the_draw_are_finite_times(void)
{
	static const char *const texts[] = { "exponential mean 100d", "weibull shape 0.01 median 60m",
		"lognormal median 1m sigma 100", "pareto shape 0.01 scale 1s", "constant 0s",
		"uniform 0s 0s", "weibull shape 100 mean 1ns", "weibull shape 0.01 mean 1h" };
	static const uint64_t draws[] = { 0, 1, UINT64_C(1) << 63, UINT64_MAX - 1, UINT64_MAX };

	for (unsigned t = 0; t < 8; t++) {
		struct dist d = dist(texts[t]);

		for (unsigned i = 0; i < 5; i++) {
			int64_t v = dist_sample_ns(&d, draws[i]);

			CU_ASSERT_TRUE(v >= 0 && v <= DIST_LONGEST_NS);
		}
	}
}

static double sampled_mean(const struct dist *d)
{
	double sum = 0;

	for (unsigned i = 0; i < SAMPLES; i++)
		sum += (double)dist_sample_ns(d, draw_at(i, SAMPLES));
	return sum / SAMPLES;
}

static void medians_and_means_are_what_was_asked_for(void)
{
	static const struct { const char *text; int64_t median, mean; } cases[] = {
		{ "exponential median 60m", 3600, 0 }, { "exponential mean 60m", 0, 3600 },
		{ "weibull shape 0.6 median 60m", 3600, 0 }, { "weibull shape 0.5 mean 10000s", 0, 10000 },
		{ "pareto shape 3 median 60m", 3600, 0 }, { "pareto shape 3 mean 60m", 0, 3600 },
		{ "lomax shape 3 median 60m", 3600, 0 }, { "lomax shape 4 mean 60m", 0, 3600 },
		{ "lognormal median 60m sigma 1.5", 3600, 0 }, { "lognormal mean 60m sigma 0.8", 0, 3600 },
		{ "uniform 1s 5s", 3, 3 },
		/* Stutzbach's fit: lambda * Gamma(1 + 1/k) is about 119 minutes */
		{ "weibull shape 0.34 scale 21.3m", 0, 7125 },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dist d = dist(cases[i].text);

		if (cases[i].median)
			CU_ASSERT_TRUE(near_to((double)dist_median_ns(&d), cases[i].median * 1e9, 1e-9));
		if (cases[i].mean) {
			CU_ASSERT_TRUE(near_to((double)dist_mean_ns(&d), cases[i].mean * 1e9, 1e-3));
			CU_ASSERT_TRUE(near_to(sampled_mean(&d), cases[i].mean * 1e9, 0.02));
		}
	}
}

static void a_mixture_weighs_its_parts(void)
{
	struct dist d = dist("50% exponential mean 10m | 40% exponential mean 100m | "
			     "10% exponential mean 1000m");
	uint64_t s = 4711;
	double sum = 0;
	unsigned below = 0;
	int64_t median = dist_median_ns(&d);

	CU_ASSERT_EQUAL(dist_mean_ns(&d), 145 * NS_PER_MIN);
	for (unsigned i = 0; i < SAMPLES; i++) {
		int64_t v = dist_sample_ns(&d, next(&s));

		sum += (double)v;
		below += v < median;
	}
	CU_ASSERT_TRUE(near_to(sum / SAMPLES, 145 * 60e9, 0.02));
	CU_ASSERT_TRUE(near_to(below, SAMPLES / 2.0, 0.01));
}

/*
 * The residual of a renewal process in equilibrium has the density (1 - F(x)) /
 * mean: its distribution function is compared with that integral, which is taken
 * by summing over quantiles: E[min(X, t)] / E[X].
 */
static void residuals_follow_the_equilibrium_law(void)
{
	static const char *const texts[] = {
		"constant 5s", "uniform 1s 5s", "exponential mean 30m", "weibull shape 0.6 median 60m",
		"weibull shape 2.5 scale 1h", "pareto shape 3 scale 10m", "lomax shape 3 scale 10m",
		"lognormal median 60m sigma 1", "50% exponential mean 1m | 50% constant 1h",
	};
	enum { N = 40000 };

	for (unsigned t = 0; t < sizeof(texts) / sizeof(texts[0]); t++) {
		struct dist d = dist(texts[t]);
		double worst = 0, mean = (double)dist_mean_ns(&d);
		uint64_t s = 99 + t;

		for (unsigned k = 1; k <= 4; k++) {
			double at = mean * k * k / 4, law = 0;
			unsigned under = 0;

			for (unsigned i = 0; i < N; i++) {
				under += (double)dist_residual_ns(&d, next(&s)) <= at;
				law += fmin((double)dist_sample_ns(&d, next(&s)), at) / mean / N;
			}
			worst = fmax(worst, fabs((double)under / N - law));
		}
		/* three sigma of both estimates, and the tail's own noise */
		CU_ASSERT_TRUE(worst < 0.025);
	}
}

static void the_bits_are_pinned(void)
{
	static const struct { const char *text; int64_t sample, residual; } golden[] = {
		{ "exponential mean 30m", INT64_C(1732362570215), INT64_C(48220965448) },
		{ "weibull shape 0.6 median 60m", INT64_C(6221148144730), INT64_C(2402856242087) },
		{ "pareto shape 2 scale 10m", INT64_C(970820393250), INT64_C(265946774523) },
		{ "lognormal median 60m sigma 1.5", INT64_C(5648646300091), INT64_C(807759450604) },
		{ "lomax shape 2 scale 10m", INT64_C(370820393250), INT64_C(16290892692) },
		{ "50% exponential mean 1m | 50% uniform 1s 1h", INT64_C(1554069261378), INT64_C(93765884378) },
	};

	for (unsigned i = 0; i < sizeof(golden) / sizeof(golden[0]); i++) {
		struct dist d = dist(golden[i].text);

		CU_ASSERT_EQUAL(dist_sample_ns(&d, UINT64_C(0x9e3779b97f4a7c15)), golden[i].sample);
		CU_ASSERT_EQUAL(dist_residual_ns(&d, UINT64_C(0x9e3779b97f4a7c15)), golden[i].residual);
	}
}

static void bad_distributions_say_why(void)
{
	static const struct { const char *text, *want; } cases[] = {
		{ "", "nothing stands here" },
		{ "gauss 5s", "'gauss' is not a distribution" },
		{ "exponential", "exponential needs a time: exponential mean 30m" },
		{ "exponential 30m", "'30m' has no value: exponential mean 30m" },
		{ "exponential mean", "'mean' has no value: exponential mean 30m" },
		{ "exponential ean 30m", "'ean' is not a parameter of exponential (exponential mean 30m)" },
		{ "exponential mean 30", "mean: a time needs a unit" },
		{ "exponential mean 0s", "mean must be more than 0" },
		{ "exponential mean 1h median 1h", "more than one time: exponential mean 30m" },
		{ "weibull median 60m", "weibull needs shape and a time: weibull shape 0.6 median 60m" },
		{ "weibull shape 0 median 60m", "shape lies within 0.01 and 100" },
		{ "weibull shape 1e2 median 60m", "shape is a plain number like 0.6" },
		{ "weibull shape 200 median 60m", "shape lies within 0.01 and 100" },
		{ "weibull shape . median 60m", "shape is a plain number like 0.6" },
		{ "weibull shape 0.1234567 median 60m", "shape has more than six decimals" },
		{ "pareto shape 1 mean 5m", "with a shape of 1 or less the mean is infinite" },
		{ "uniform 5s 1s", "the lower end lies above the upper one" },
		{ "uniform 5s", "uniform takes two times: uniform 1s 5s" },
		{ "constant", "constant takes one time: constant 5s" },
		{ "constant -5s", "constant: negative" },
		{ "lognormal median 60m shape 1", "'shape' is not a parameter of lognormal "
		  "(lognormal median 60m sigma 1.5)" },
		{ "exponential mean 1h |", "a part of a mixture starts with its share: a share starts with "
		  "a number" },
		{ "50% constant 1s | 40% constant 2s", "the shares of the parts do not add up to 100%" },
		{ "20% constant 1s|20% constant 1s|20% constant 1s|20% constant 1s|20% constant 1s",
		  "a mixture has at most 4 parts" },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dist d = { 0 };

		CU_ASSERT_FALSE(dist_parse(cases[i].text, &d, why));
		CU_ASSERT_STRING_EQUAL(why, cases[i].want);
		CU_ASSERT_FALSE(dist_given(&d));
	}
}

CU_TestInfo dist_tests[] = {
	{ "exp, log and pow agree with libm", exp_log_and_pow_agree_with_libm },
	{ "gamma and the normal quantile agree with libm and GSL",
	  gamma_and_the_normal_quantile_agree_with_libm_and_gsl },
	{ "samples are the quantiles GSL computes", samples_are_the_quantiles_gsl_computes },
	{ "a greater draw is never a shorter time", a_greater_draw_is_never_a_shorter_time },
	{ "the ends of the draw are finite times", the_ends_of_the_draw_are_finite_times },
	{ "medians and means are what was asked for", medians_and_means_are_what_was_asked_for },
	{ "a mixture weighs its parts", a_mixture_weighs_its_parts },
	{ "residuals follow the equilibrium law", residuals_follow_the_equilibrium_law },
	{ "the bits are pinned", the_bits_are_pinned },
	{ "bad distributions say why", bad_distributions_say_why },
	CU_TEST_INFO_NULL
};
