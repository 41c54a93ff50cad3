/*
 * dist.c - distributions of a time
 *
 * Samples are quantiles: the inverse of each distribution function in closed
 * form. u is the share below, v = 1 - u the share above, both from the draw so
 * that neither end loses digits.
 *
 * What is left of a running session: in equilibrium the session that covers a
 * moment is length-biased (density x f(x) / mean) and the moment lies uniformly
 * in it. Exponential and Lomax need no detour, their residuals are of the same
 * family; a length-biased Weibull is (gamma variate of 1 + 1/shape)^(1/shape),
 * a Pareto loses one of its shape, a log-normal's median moves by e^(sigma^2).
 * Gamma variates are by Marsaglia and Tsang (A simple method for generating
 * gamma variables, ACM TOMS 26, 2000), fed from a SplitMix64 stream that starts
 * at the one draw.
 */
#include "node/prog/dist.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "node/prog/real.h"
#include "node/prog/wide.h"

#define LN2	0x1.62e42fefa39efp-1

enum {
	SHAPE_MIN_PPM = 10000,		/* shapes and sigmas within 0.01 .. 100 */
	SHAPE_MAX_PPM = 100 * 1000000,
	ARGS_MAX = 8,
};

/* SplitMix64 (Steele, Lea, Flood 2014): the next number of the stream at @s. */
static uint64_t split_next(uint64_t *s)
{
	uint64_t z = *s += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static double minus_log(double u, double v)
{
	return u < 0.25 ? -real_log1p(-u) : -real_log(v);
}

static double quantile(const struct dist_part *p, uint64_t draw)
{
	double u = real_unit(draw), v = real_unit(~draw);

	switch (p->kind) {
	case DIST_CONSTANT:
		return p->a;
	case DIST_UNIFORM:
		return p->a + (p->b - p->a) * u;
	case DIST_EXPONENTIAL:
		return p->a * minus_log(u, v);
	case DIST_WEIBULL:
		return p->a * real_pow(minus_log(u, v), 1 / p->b);
	case DIST_PARETO:
		return p->a * real_exp(minus_log(u, v) / p->b);
	case DIST_LOMAX:
		return p->a * (real_exp(minus_log(u, v) / p->b) - 1);
	case DIST_LOGNORMAL:
		return real_exp(p->a + p->b * real_normal(u));
	case DIST_NONE:
		break;
	}
	assert(!"a distribution that was given");
	return 0;
}

static double mean(const struct dist_part *p)
{
	switch (p->kind) {
	case DIST_CONSTANT:
	case DIST_EXPONENTIAL:
		return p->a;
	case DIST_UNIFORM:
		return (p->a + p->b) / 2;
	case DIST_WEIBULL:
		return p->a * real_gamma(1 + 1 / p->b);
	case DIST_PARETO:
		return p->b > 1 ? p->a * p->b / (p->b - 1) : 0x1p63;
	case DIST_LOMAX:
		return p->b > 1 ? p->a / (p->b - 1) : 0x1p63;
	case DIST_LOGNORMAL:
		return real_exp(p->a + p->b * p->b / 2);
	case DIST_NONE:
		break;
	}
	assert(!"a distribution that was given");
	return 0;
}

/* A gamma variate of @shape >= 1 and scale 1. */
static double gamma_variate(double shape, uint64_t *s)
{
	double d = shape - 1.0 / 3, c = 1 / real_sqrt(9 * d);

	for (;;) {
		double x = real_normal(real_unit(split_next(s)));
		double w = 1 + c * x, u = real_unit(split_next(s));

		if (w <= 0)
			continue;
		w = w * w * w;
		if (real_log(u) < 0.5 * x * x + d - d * w + d * real_log(w))
			return d * w;
	}
}

static double residual(const struct dist_part *p, uint64_t *s)
{
	double into = real_unit(split_next(s));
	struct dist_part q = *p;

	switch (p->kind) {
	case DIST_CONSTANT:
		return into * p->a;
	case DIST_UNIFORM:
		return into * real_sqrt(p->a * p->a + (p->b * p->b - p->a * p->a) *
					real_unit(split_next(s)));
	case DIST_EXPONENTIAL:
		return quantile(p, split_next(s));
	case DIST_WEIBULL:
		return into * p->a * real_pow(gamma_variate(1 + 1 / p->b, s), 1 / p->b);
	case DIST_PARETO:
		q.b -= 1;
		return into * quantile(&q, split_next(s));
	case DIST_LOMAX:
		q.b -= 1;
		return quantile(&q, split_next(s));
	case DIST_LOGNORMAL:
		q.a += q.b * q.b;
		return into * quantile(&q, split_next(s));
	case DIST_NONE:
		break;
	}
	assert(!"a distribution that was given");
	return 0;
}

static int64_t bounded(double x)
{
	int64_t ns = real_ns(x);

	return ns < DIST_LONGEST_NS ? ns : DIST_LONGEST_NS;
}

int64_t dist_sample_ns(const struct dist *d, uint64_t draw)
{
	unsigned i = 0;
	uint64_t s = draw;
	uint32_t at;

	assert(d->parts);
	if (d->parts == 1)
		return bounded(quantile(&d->part[0], draw));
	at = (uint32_t)wide_mul(draw, PPB_ONE).hi;
	while (at >= d->part[i].ppb)
		at -= d->part[i++].ppb;
	return bounded(quantile(&d->part[i], split_next(&s)));
}

int64_t dist_residual_ns(const struct dist *d, uint64_t draw)
{
	double share[DIST_PARTS], sum = 0, at;
	uint64_t s = draw;
	unsigned i = 0;

	assert(d->parts && dist_mean_ns(d) < DIST_LONGEST_NS);
	if (d->parts == 1)
		return bounded(residual(&d->part[0], &s));
	for (unsigned k = 0; k < d->parts; k++)
		sum += share[k] = d->part[k].ppb * mean(&d->part[k]);
	at = real_unit(split_next(&s)) * sum;
	while (i + 1 < d->parts && at >= share[i])
		at -= share[i++];
	return bounded(residual(&d->part[i], &s));
}

int64_t dist_mean_ns(const struct dist *d)
{
	double sum = 0;

	for (unsigned k = 0; k < d->parts; k++)
		sum += mean(&d->part[k]) * d->part[k].ppb / PPB_ONE;
	return bounded(sum);
}

int64_t dist_median_ns(const struct dist *d)
{
	int64_t low = 0, high = DIST_LONGEST_NS;

	if (d->parts == 1)
		return dist_sample_ns(d, UINT64_C(1) << 63);
	/* Mixtures: halve the interval until the parts' draws below it weigh one half. */
	while (low < high) {
		int64_t mid = low + (high - low) / 2;
		double under = 0;

		for (unsigned k = 0; k < d->parts; k++) {
			uint64_t from = 0, to = UINT64_MAX;

			while (from < to) {
				uint64_t draw = from + (to - from) / 2;

				if (real_ns(quantile(&d->part[k], draw)) <= mid)
					from = draw + 1;
				else
					to = draw;
			}
			under += (double)from * d->part[k].ppb;
		}
		if (under * 2 >= 0x1p64 * PPB_ONE)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* ---- reading ---------------------------------------------------------------------------- */

static bool because(char why[WHY_LEN], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool because(char why[WHY_LEN], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, WHY_LEN, format, args);
	va_end(args);
	return false;
}

static bool shape_parse(const char *name, const char *text, double *shape, char why[WHY_LEN])
{
	unsigned long ppm = 0, scale = 1000000;
	bool point = false, digit = false;

	for (const char *c = text; *c; c++) {
		if (*c == '.' && !point) {
			point = true;
			continue;
		}
		if (*c < '0' || *c > '9')
			return because(why, "%s is a plain number like 0.6", name);
		digit = true;
		if (point && scale == 1)
			return because(why, "%s has more than six decimals", name);
		if (point)
			ppm += (unsigned long)(*c - '0') * (scale /= 10);
		else
			ppm = ppm * 10 + (unsigned long)(*c - '0') * 1000000;
		if (ppm > SHAPE_MAX_PPM)
			return because(why, "%s lies within 0.01 and 100", name);
	}
	if (!digit)
		return because(why, "%s is a plain number like 0.6", name);
	if (ppm < SHAPE_MIN_PPM)
		return because(why, "%s lies within 0.01 and 100", name);
	*shape = (double)ppm / 1000000;
	return true;
}

static bool time_parse(const char *name, const char *text, double *ns, char why[WHY_LEN])
{
	char inner[WHY_LEN];
	int64_t v;

	if (!duration_parse(text, &v, inner))
		return because(why, "%s: %.100s", name, inner);
	*ns = (double)v;
	return true;
}

/* What a kind is told: its shape (or sigma) and one of the times in `times`. */
static const struct form {
	const char *name;
	enum dist_kind kind;
	const char *shape;
	const char *times;		/* each between blanks */
	const char *example;
} FORMS[] = {
	{ "constant", DIST_CONSTANT, NULL, "", "constant 5s" },
	{ "uniform", DIST_UNIFORM, NULL, "", "uniform 1s 5s" },
	{ "exponential", DIST_EXPONENTIAL, NULL, " mean median ", "exponential mean 30m" },
	{ "weibull", DIST_WEIBULL, "shape", " scale mean median ", "weibull shape 0.6 median 60m" },
	{ "pareto", DIST_PARETO, "shape", " scale mean median ", "pareto shape 2 scale 10m" },
	{ "lomax", DIST_LOMAX, "shape", " scale mean median ", "lomax shape 2 scale 10m" },
	{ "lognormal", DIST_LOGNORMAL, "sigma", " mean median ", "lognormal median 60m sigma 1.5" },
};

/* From shape in b and @time called @name to the scale in a. */
static bool settle(struct dist_part *p, const char *name, double time, char why[WHY_LEN])
{
	bool is_mean = !strcmp(name, "mean"), is_median = !strcmp(name, "median");

	if (time <= 0)
		return because(why, "%s must be more than 0", name);
	if (is_mean && (p->kind == DIST_PARETO || p->kind == DIST_LOMAX) && p->b <= 1)
		return because(why, "with a shape of 1 or less the mean is infinite");
	switch (p->kind) {
	case DIST_EXPONENTIAL:
		p->a = is_median ? time / LN2 : time;
		break;
	case DIST_WEIBULL:
		p->a = is_mean ? time / real_gamma(1 + 1 / p->b) :
		       is_median ? time / real_pow(LN2, 1 / p->b) : time;
		break;
	case DIST_PARETO:
		p->a = is_mean ? time * (p->b - 1) / p->b :
		       is_median ? time / real_exp(LN2 / p->b) : time;
		break;
	case DIST_LOMAX:
		p->a = is_mean ? time * (p->b - 1) :
		       is_median ? time / (real_exp(LN2 / p->b) - 1) : time;
		break;
	case DIST_LOGNORMAL:
		p->a = real_log(time) - (is_mean ? p->b * p->b / 2 : 0);
		break;
	default:
		assert(!"a kind with a time");
	}
	return true;
}

static bool ends_parse(const struct form *f, char **arg, unsigned args, struct dist_part *p,
		       char why[WHY_LEN])
{
	unsigned want = f->kind == DIST_UNIFORM ? 2 : 1;

	if (args != want)
		return because(why, "%s takes %s: %s", f->name, want == 2 ? "two times" : "one time",
			       f->example);
	if (!time_parse(f->name, arg[0], &p->a, why))
		return false;
	if (want == 1)
		return true;
	if (!time_parse(f->name, arg[1], &p->b, why))
		return false;
	return p->a <= p->b || because(why, "the lower end lies above the upper one");
}

static bool shape_and_time(const struct form *f, char **arg, unsigned args, struct dist_part *p,
			   char why[WHY_LEN])
{
	const char *time_name = NULL;
	double time = 0;

	for (unsigned i = 0; i + 1 < args; i += 2) {
		bool is_shape = f->shape && !strcmp(arg[i], f->shape);
		char *blanks = g_strconcat(" ", arg[i], " ", NULL);
		bool is_time = strstr(f->times, blanks) != NULL;

		g_free(blanks);
		if ((is_shape && p->b > 0) || (is_time && time_name))
			return because(why, "more than one %s: %s", is_shape ? f->shape : "time",
				       f->example);
		if (!is_shape && !is_time)
			return because(why, "'%.20s' is not a parameter of %s (%s)", arg[i], f->name,
				       f->example);
		if (is_shape && !shape_parse(f->shape, arg[i + 1], &p->b, why))
			return false;
		if (is_time && !time_parse(arg[i], arg[i + 1], &time, why))
			return false;
		if (is_time)
			time_name = arg[i];
	}
	if (args % 2)
		return because(why, "'%.20s' has no value: %s", arg[args - 1], f->example);
	if ((f->shape && !(p->b > 0)) || !time_name)
		return because(why, "%s needs %s%sa time: %s", f->name, f->shape ? f->shape : "",
			       f->shape ? " and " : "", f->example);
	return settle(p, time_name, time, why);
}

static bool part_parse(const char *text, bool mixed, struct dist_part *p, char why[WHY_LEN])
{
	char *arg[ARGS_MAX + 1], *copy = g_strdup(text), *save = NULL, **a = arg;
	const struct form *f = NULL;
	unsigned args = 0;
	bool ok = true;

	*p = (struct dist_part){ .ppb = PPB_ONE };
	for (char *w = strtok_r(copy, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
		if (args == ARGS_MAX) {
			g_free(copy);
			return because(why, "too many words");
		}
		arg[args++] = w;
	}
	if (mixed && args) {
		char inner[WHY_LEN];

		ok = share_parse(*a, &p->ppb, inner);
		if (!ok)
			because(why, "a part of a mixture starts with its share: %.100s", inner);
		a++;
		args--;
	}
	if (ok && !args)
		ok = because(why, "nothing stands here");
	for (unsigned i = 0; ok && i < G_N_ELEMENTS(FORMS); i++)
		if (!strcmp(a[0], FORMS[i].name))
			f = &FORMS[i];
	if (ok && !f)
		ok = because(why, "'%.20s' is not a distribution", a[0]);
	if (ok) {
		p->kind = f->kind;
		ok = *f->times ? shape_and_time(f, a + 1, args - 1, p, why) :
				 ends_parse(f, a + 1, args - 1, p, why);
	}
	g_free(copy);
	return ok;
}

bool dist_parse(const char *text, struct dist *d, char why[WHY_LEN])
{
	char **part = g_strsplit(text, "|", DIST_PARTS + 2);
	struct dist made = { .parts = g_strv_length(part) };
	uint64_t sum = 0;
	bool ok = true;

	if (!made.parts)
		ok = because(why, "nothing stands here");
	if (made.parts > DIST_PARTS)
		ok = because(why, "a mixture has at most %d parts", DIST_PARTS);
	for (unsigned i = 0; ok && i < made.parts; i++) {
		ok = part_parse(part[i], made.parts > 1, &made.part[i], why);
		sum += made.part[i].ppb;
	}
	if (ok && sum != PPB_ONE)
		ok = because(why, "the shares of the parts do not add up to 100%%");
	g_strfreev(part);
	if (ok)
		*d = made;
	return ok;
}
