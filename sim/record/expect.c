/*
 * expect.c - one line of [expect]: find the metric, read the value in its unit
 *
 * Values become exact fractions in the metric's printed unit, so 99.9% of 1000
 * lookups is met by 999 of them and by nothing less.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include <glib.h>

#include "node/prog/schema.h"
#include "node/prog/units.h"
#include "sim/record/expect.h"
#include "sim/record/summary.h"

static const char *const ops[] = {
#define X(name, text) text,
	EXPECT_OP_LIST(X)
#undef X
};

static const char *const histogram_statistics[] = {
	"mean", "min", "p50", "p95", "p99", "max", "count", NULL
};
static const char *const gauge_statistics[] = { "mean", "min", "max", "last", NULL };

static const char *const *statistics_of(enum metric_kind kind)
{
	return kind == METRIC_HISTOGRAM ? histogram_statistics :
	       kind == METRIC_GAUGE	? gauge_statistics :
					  NULL;
}

static char *unknown_metric(const struct catalog *c, const char *metric)
{
	int count = catalog_count(c);
	const char **names = g_new0(const char *, count + 1);
	const char *near;
	char *why;

	for (int i = 0; i < count; i++)
		names[i] = catalog_at(c, i)->name;
	near = nearest(metric, names, (unsigned)count);
	why = near ? g_strdup_printf("no metric is called %s; did you mean %s?", metric, near) :
		     g_strdup_printf("no metric is called %s; accepted: lookup.right, lookup.hops, "
				     "ring.healed and the other names of summary.json", metric);
	g_free(names);
	return why;
}

/*
 * Which metric, and in *full its name in the summary. "lookup.latency" is a metric,
 * "lookup.latency.p95" one with a statistic; names win over statistics.
 */
static char *find_metric(const struct catalog *c, const char *metric, int *id, char **full)
{
	const char *dot = strrchr(metric, '.'), *statistic = NULL;
	const char *const *known;

	*id = catalog_find(c, metric);
	if (*id == M_NONE && dot) {
		char *base = g_strndup(metric, (size_t)(dot - metric));

		*id = catalog_find(c, base);
		statistic = dot + 1;
		g_free(base);
	}
	if (*id == M_NONE)
		return unknown_metric(c, metric);
	known = statistics_of(catalog_at(c, *id)->kind);
	if (known && statistic && !g_strv_contains(known, statistic)) {
		char *all = g_strjoinv(" ", (char **)known), *why;

		why = g_strdup_printf("%s has no statistic '%s'; accepted: %s",
				      catalog_at(c, *id)->name, statistic, all);
		g_free(all);
		return why;
	}
	if (!known && statistic)
		return g_strdup_printf("%s is one number and has no '.%s'",
				       catalog_at(c, *id)->name, statistic);
	*full = known ? g_strconcat(catalog_at(c, *id)->name, ".",
				    statistic ? statistic : known[0], NULL) :
			g_strdup(catalog_at(c, *id)->name);
	return NULL;
}

/* A plain decimal, "12" or "-0.75"; *end is where it stops. */
static bool decimal(const char *text, struct number *n, const char **end)
{
	bool minus = *text == '-', any = false;
	int digits = 0;

	*n = (struct number){ 0, 1 };
	text += minus;
	for (bool point = false; g_ascii_isdigit(*text) || (*text == '.' && !point); text++) {
		if (*text == '.') {
			point = true;
			continue;
		}
		any = true;
		if (++digits > 18)
			return false;
		n->num = n->num * 10 + (*text - '0');
		if (point)
			n->den *= 10;
	}
	if (minus)
		n->num = -n->num;
	*end = text;
	return any;
}

static char *bad_value(const char *text, const char *accepted)
{
	return g_strdup_printf("'%s' cannot be compared with it; accepted: %s", text, accepted);
}

/* @text, a value in the unit of the metric (durations with their unit, shares as 99.9%) */
static char *read_value(const char *text, enum metric_unit unit, struct number *n)
{
	char why[WHY_LEN];
	const char *end;
	int64_t ns;

	switch (unit) {
	case UNIT_MS:
	case UNIT_S:
		if (!duration_parse(text, &ns, why))
			return g_strdup(why);
		*n = number_of(ns, 1, unit);
		return NULL;
	case UNIT_SHARE:
	case UNIT_PPB:
		if (!decimal(text, n, &end) || (*end && strcmp(end, "%") && strcmp(end, " %")))
			return bad_value(text, "a share such as 99.9% or 0.999");
		if (*end)
			n->den *= 100;
		return NULL;
	case UNIT_BYTES:
		if (!bytes_parse(text, &ns, why))
			return g_strdup(why);
		*n = number_of(ns, 1, unit);
		return NULL;
	case UNIT_BYTES_PER_S:
		if (!decimal(text, n, &end) || (*end && strcmp(end, "B/s") && strcmp(end, " B/s")))
			return bad_value(text, "bytes per second such as 100 or 62.5B/s");
		return NULL;
	case UNIT_PER_S:
		if (!decimal(text, n, &end) || (*end && strcmp(end, "/s") && strcmp(end, " /s")))
			return bad_value(text, "a rate such as 1.5 or 1.5/s");
		return NULL;
	case UNIT_NUMBER:
	case UNIT_MILLI:
	case UNITS:
		break;
	}
	if (!decimal(text, n, &end) || *end)
		return bad_value(text, "a number such as 7.56");
	return NULL;
}

/* "low .. high" or "middle +- share%" */
static char *read_range(struct expect *e, const char *text, enum metric_unit unit)
{
	const char *dots = strstr(text, ".."), *around = strstr(text, "+-");
	const char *at = dots ? dots : around;
	char *left = g_strstrip(g_strndup(text, (size_t)(at - text)));
	char *right = g_strstrip(g_strdup(at + 2));
	struct number part;
	char *why;

	e->op = EXPECT_IN;
	if (dots) {
		why = read_value(left, unit, &e->want);
		if (!why)
			why = read_value(right, unit, &e->want_high);
		if (!why && number_compare(e->want, e->want_high) > 0)
			why = g_strdup_printf("nothing lies in %s: it ends before it begins", text);
	} else {
		why = read_value(left, unit, &e->want);
		if (!why)
			why = read_value(right, UNIT_SHARE, &part);
		if (!why && (part.num < 0 || part.num > part.den))
			why = bad_value(right, "a share of the middle from 0% to 100%");
		if (!why) {
			struct number m = e->want;

			e->want = (struct number){ m.num * (part.den - part.num), m.den * part.den };
			e->want_high =
				(struct number){ m.num * (part.den + part.num), m.den * part.den };
		}
	}
	g_free(left);
	g_free(right);
	return why;
}

static char *read_condition(struct expect *e, const char *value, enum metric_unit unit)
{
	while (g_ascii_isspace(*value))
		value++;
	for (unsigned op = 0; op < EXPECT_IN; op++) {
		/* two letters before one: >= is not > */
		size_t len = strlen(ops[op]);

		if (strncmp(value, ops[op], len))
			continue;
		value += len;
		while (g_ascii_isspace(*value))
			value++;
		e->op = op;
		return read_value(value, unit, &e->want);
	}
	if (strstr(value, "..") || strstr(value, "+-"))
		return read_range(e, value, unit);
	if (g_ascii_isdigit(*value)) {
		e->op = EXPECT_EQ;
		return read_value(value, unit, &e->want);
	}
	return g_strdup_printf("'%s' is no condition; accepted: >= <= > < == != and a value, "
			       "low .. high, or middle +- share", value);
}

char *expect_parse(struct expect *e, const struct catalog *c, const char *metric,
		   const char *value)
{
	struct expect new = { 0 };
	int id;
	char *text = g_strstrip(g_strdup(value));
	char *why = find_metric(c, metric, &id, &new.metric);
	bool counts = !why && g_str_has_suffix(new.metric, ".count");

	if (!why)
		why = read_condition(&new, text, counts ? UNIT_NUMBER : catalog_at(c, id)->unit);
	if (why) {
		g_free(new.metric);
		g_free(text);
		return why;
	}
	new.text = text;
	new.verdict = JUDGED_UNKNOWN;
	*e = new;
	return NULL;
}

void expect_done(struct expect *e)
{
	g_free(e->metric);
	g_free(e->text);
	*e = (struct expect){ 0 };
}

static bool met(const struct expect *e)
{
	int sign = number_compare(e->got, e->want);

	switch (e->op) {
	case EXPECT_GE:
		return sign >= 0;
	case EXPECT_LE:
		return sign <= 0;
	case EXPECT_GT:
		return sign > 0;
	case EXPECT_LT:
		return sign < 0;
	case EXPECT_EQ:
		return !sign;
	case EXPECT_NE:
		return sign;
	case EXPECT_IN:
		return sign >= 0 && number_compare(e->got, e->want_high) <= 0;
	}
	return false;
}

void expect_judge(struct expect *e, unsigned count, const struct summary *s, bool partial)
{
	for (unsigned i = 0; i < count; i++) {
		const struct number *got = summary_find(s, e[i].metric);

		assert(got);			/* expect_parse() knew the name */
		e[i].got = *got;
		e[i].verdict = partial		     ? JUDGED_OPEN :
			       !number_known(*got) ? JUDGED_UNKNOWN :
			       met(&e[i])	     ? JUDGED_PASS :
						       JUDGED_FAIL;
	}
}

bool expect_held(const struct expect *e, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (e[i].verdict != JUDGED_PASS)
			return false;
	return true;
}

const char *judgement_text(enum judgement v)
{
	static const char *const text[] = {
		[JUDGED_PASS] = "pass", [JUDGED_FAIL] = "fail",
		[JUDGED_UNKNOWN] = "unknown", [JUDGED_OPEN] = "open",
	};

	return text[v];
}
