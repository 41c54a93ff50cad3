/*
 * units.c - numbers with their unit
 *
 * A decimal is kept as digits and a power of ten, so scaling is exact: the
 * mantissa is multiplied by the unit and must then divide by the power of ten
 * without a rest.
 */
#include "node/prog/units.h"
#include "node/prog/wide.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <glib.h>

enum { DIGITS_MAX = 19 };

/** struct decimal - mantissa / 10^places, and the text behind it */
struct decimal {
	uint64_t mantissa;
	unsigned places;
	bool negative;
	const char *rest;
};

struct unit {
	const char *name;
	int64_t scale;
};

static const struct unit DURATIONS[] = {
	{ "d", NS_PER_DAY }, { "h", NS_PER_H }, { "m", NS_PER_MIN }, { "s", NS_PER_S },
	{ "ms", NS_PER_MS }, { "us", NS_PER_US }, { "ns", 1 }, { NULL, 0 }
};

static const struct unit BITRATES[] = {
	{ "Gbit", 1000000000 }, { "Mbit", 1000000 }, { "kbit", 1000 }, { "bit", 1 }, { NULL, 0 }
};

static const struct unit SIZES[] = {
	{ "GiB", 1 << 30 }, { "MiB", 1 << 20 }, { "KiB", 1 << 10 }, { "GB", 1000000000 },
	{ "MB", 1000000 }, { "kB", 1000 }, { "B", 1 }, { NULL, 0 }
};

static const struct unit COUNTS[] = { { "M", 1000000 }, { "k", 1000 }, { "", 1 }, { NULL, 0 } };

static const struct unit DRIFTS[] = {
	{ "%", 10000000 }, { "ppm", 1000 }, { "ppb", 1 }, { NULL, 0 }
};

static bool because(char why[WHY_LEN], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Always false, so that `return because(...)` reads well. */
static bool because(char why[WHY_LEN], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, WHY_LEN, format, args);
	va_end(args);
	return false;
}

/* The number at the start of @text; @what names the value in messages. */
static bool decimal_read(const char *text, const char *what, struct decimal *d,
			 char why[WHY_LEN])
{
	const char *p = text;
	unsigned digits = 0;
	bool seen = false;

	*d = (struct decimal){ 0 };
	if (*p == '-') {
		d->negative = true;
		p++;
	}
	for (bool point = false; ; p++) {
		if (*p == '.' && !point) {
			point = true;
			continue;
		}
		if (*p < '0' || *p > '9')
			break;
		seen = true;
		if (digits || *p != '0')
			digits++;
		if (digits > DIGITS_MAX)
			return because(why, "%s has too many digits", what);
		d->mantissa = d->mantissa * 10 + (uint64_t)(*p - '0');
		d->places += point;
		if (d->places > DIGITS_MAX)
			return because(why, "%s has too many digits", what);
	}
	if (!*text)
		return because(why, "nothing stands here");
	if (!seen || p[-1] == '.')
		return because(why, "%s starts with a number", what);
	if (*p == 'e' || *p == 'E' || *p == ',')
		return because(why, "%s is written with digits and at most one point", what);
	d->rest = p;
	return true;
}

static uint64_t power10(unsigned n)
{
	uint64_t p = 1;

	while (n--)
		p *= 10;
	return p;
}

/* @d times @scale, exactly; @finest completes "finer than ...". */
static bool scaled(const struct decimal *d, int64_t scale, const char *finest, int64_t *out,
		   char why[WHY_LEN])
{
	struct wide rest, v = wide_div(wide_mul(d->mantissa, (uint64_t)scale), (struct wide){ 0, power10(d->places) }, &rest);

	if (rest.hi || rest.lo)
		return because(why, "finer than %s", finest);
	if (v.hi || v.lo > INT64_MAX)
		return because(why, "too large");
	*out = (int64_t)v.lo;
	return true;
}

static const struct unit *unit_find(const struct unit *units, const char *name)
{
	for (; units->name; units++)
		if (!strcmp(units->name, name))
			return units;
	return NULL;
}

/* A number with one of @units behind it; a lone 0 needs none. */
static bool measure(const char *text, const struct unit *units, const char *what,
		    const char *finest, bool sign, int64_t *out, char why[WHY_LEN])
{
	const struct unit *u;
	struct decimal d;
	int64_t v = 0;

	if (!decimal_read(text, what, &d, why))
		return false;
	if (d.negative && !sign)
		return because(why, "negative");
	u = unit_find(units, d.rest);
	if (!u && !*d.rest && !d.mantissa) {
		*out = 0;
		return true;
	}
	if (!u && !*d.rest)
		return because(why, "%s needs a unit", what);
	if (!u)
		return because(why, "'%.20s' is not a unit of %s", d.rest, what);
	if (!scaled(&d, u->scale, finest, &v, why))
		return false;
	*out = d.negative ? -v : v;
	return true;
}

bool duration_parse(const char *text, int64_t *ns, char why[WHY_LEN])
{
	return measure(text, DURATIONS, "a time", "1 ns", false, ns, why);
}

bool bitrate_parse(const char *text, int64_t *bit_s, char why[WHY_LEN])
{
	return measure(text, BITRATES, "a bit rate", "1 bit/s", false, bit_s, why);
}

bool bytes_parse(const char *text, int64_t *bytes, char why[WHY_LEN])
{
	return measure(text, SIZES, "a size", "1 byte", false, bytes, why);
}

bool count_parse(const char *text, int64_t *count, char why[WHY_LEN])
{
	return measure(text, COUNTS, "a count", "1", false, count, why);
}

bool drift_parse(const char *text, int32_t *ppb, char why[WHY_LEN])
{
	int64_t v;

	if (!measure(text, DRIFTS, "a drift", "1 ppb", true, &v, why))
		return false;
	if (v > PPB_ONE / 2 || v < -PPB_ONE / 2)
		return because(why, "a clock cannot be that wrong");
	*ppb = (int32_t)v;
	return true;
}

bool share_parse(const char *text, uint32_t *ppb, char why[WHY_LEN])
{
	struct decimal d;
	int64_t v = 0;

	if (!decimal_read(text, "a share", &d, why))
		return false;
	if (d.negative)
		return because(why, "negative");
	if (*d.rest && strcmp(d.rest, "%"))
		return because(why, "'%.20s' is not a unit of a share", d.rest);
	if (!scaled(&d, *d.rest ? PPB_ONE / 100 : PPB_ONE, "a billionth", &v, why))
		return false;
	if (v > PPB_ONE && !*d.rest)
		return because(why, "more than 1, which is all of it (per cent need a %%)");
	if (v > PPB_ONE)
		return because(why, "more than 100%%");
	*ppb = (uint32_t)v;
	return true;
}

bool rate_parse(const char *text, int64_t *interval_ns, char why[WHY_LEN])
{
	struct wide n, interval, rest;
	const struct unit *k = COUNTS;
	struct decimal d;
	const char *slash;
	int64_t ns;

	if (!decimal_read(text, "a rate", &d, why))
		return false;
	if (d.negative)
		return because(why, "negative");
	slash = strchr(d.rest, '/');
	if (!slash)
		return because(why, "a rate needs its time: per second is /s, per hour /h");
	while (k->name && (strlen(k->name) != (size_t)(slash - d.rest) ||
			   strncmp(k->name, d.rest, (size_t)(slash - d.rest))))
		k++;
	if (!k->name)
		return because(why, "'%.*s' is not a number's suffix", (int)MIN(slash - d.rest, 20),
			       d.rest);
	if (isdigit((unsigned char)slash[1])) {
		if (!duration_parse(slash + 1, &ns, why))
			return false;
	} else {
		const struct unit *u = unit_find(DURATIONS, slash + 1);

		if (!u)
			return because(why, "'%.20s' is not a time", slash + 1);
		ns = u->scale;
	}
	if (!ns)
		return because(why, "a rate per no time");
	if (!d.mantissa) {
		*interval_ns = 0;
		return true;
	}
	/* per / n, rounded: mantissa below 10^19 times 10^6, ns below 2^63 times 10^19 */
	n = wide_mul(d.mantissa, (uint64_t)k->scale);
	interval = wide_div(wide_mul((uint64_t)ns, power10(d.places)), n, &rest);
	if (!wide_less(rest, wide_sub(n, rest)) && !++interval.lo)
		interval.hi++;
	if (!interval.hi && !interval.lo)
		return because(why, "more often than once a nanosecond");
	if (interval.hi || interval.lo > INT64_MAX)
		return because(why, "rarer than once in 292 years");
	*interval_ns = (int64_t)interval.lo;
	return true;
}

bool flag_parse(const char *text, bool *flag, char why[WHY_LEN])
{
	static const char *const words[][2] = { { "no", "yes" }, { "off", "on" },
						{ "false", "true" } };

	for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
		for (unsigned v = 0; v < 2; v++)
			if (!strcmp(text, words[i][v])) {
				*flag = v;
				return true;
			}
	return because(why, *text ? "neither yes nor no" : "nothing stands here");
}

typedef bool one_parse_fn(const char *text, int64_t *v, char why[WHY_LEN]);

static bool share_wide(const char *text, int64_t *v, char why[WHY_LEN])
{
	uint32_t ppb;

	if (!share_parse(text, &ppb, why))
		return false;
	*v = ppb;
	return true;
}

static bool list_parse(const char *text, one_parse_fn *one, struct numbers *list,
		       char why[WHY_LEN])
{
	char **part = g_strsplit(text, ":", LIST_MAX + 1), inner[WHY_LEN];
	unsigned count = g_strv_length(part);
	int64_t *value;
	bool ok = true;

	if (!count || count > LIST_MAX) {
		g_strfreev(part);
		return because(why, count ? "more than %d values" : "nothing stands here", LIST_MAX);
	}
	value = g_new(int64_t, count);
	for (unsigned i = 0; ok && i < count; i++) {
		ok = one(g_strstrip(part[i]), &value[i], inner);
		if (!ok)
			because(why, "value %u: %.120s", i + 1, inner);
	}
	g_strfreev(part);
	if (!ok) {
		g_free(value);
		return false;
	}
	*list = (struct numbers){ value, count };
	return true;
}

bool counts_parse(const char *text, struct numbers *list, char why[WHY_LEN])
{
	return list_parse(text, count_parse, list, why);
}

bool shares_parse(const char *text, struct numbers *list, char why[WHY_LEN])
{
	return list_parse(text, share_wide, list, why);
}

void numbers_done(struct numbers *list)
{
	g_free(list->value);
	*list = (struct numbers){ 0 };
}

/* The largest unit that divides @v. */
static const char *measure_text(int64_t v, const struct unit *units, char buf[UNIT_TEXT_LEN])
{
	if (!v)
		return memcpy(buf, "0", 2);
	while (v % units->scale)
		units++;
	snprintf(buf, UNIT_TEXT_LEN, "%lld%s", (long long)(v / units->scale), units->name);
	return buf;
}

const char *duration_text(int64_t ns, char buf[UNIT_TEXT_LEN])
{
	return measure_text(ns, DURATIONS, buf);
}

const char *bitrate_text(int64_t bit_s, char buf[UNIT_TEXT_LEN])
{
	return measure_text(bit_s, BITRATES, buf);
}

const char *bytes_text(int64_t bytes, char buf[UNIT_TEXT_LEN])
{
	return measure_text(bytes, SIZES, buf);
}

const char *share_text(uint32_t ppb, char buf[UNIT_TEXT_LEN])
{
	unsigned len = (unsigned)snprintf(buf, UNIT_TEXT_LEN, "%u.%07u", ppb / (PPB_ONE / 100),
					  ppb % (PPB_ONE / 100));

	while (buf[len - 1] == '0')
		len--;
	if (buf[len - 1] == '.')
		len--;
	memcpy(buf + len, "%", 2);
	return buf;
}

const char *clock_text(int64_t ns, char buf[UNIT_TEXT_LEN])
{
	int64_t s = ns / NS_PER_S;

	if (s < 60)
		snprintf(buf, UNIT_TEXT_LEN, "%d.%03d", (int)s, (int)(ns % NS_PER_S / NS_PER_MS));
	else if (s < 3600)
		snprintf(buf, UNIT_TEXT_LEN, "%d:%02d", (int)(s / 60), (int)(s % 60));
	else
		snprintf(buf, UNIT_TEXT_LEN, "%lld:%02d:%02d", (long long)(s / 3600),
			 (int)(s / 60 % 60), (int)(s % 60));
	return buf;
}
