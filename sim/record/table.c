/*
 * table.c - the table at the end of a run
 *
 * Made for eyes: four significant digits, shares in percent (cut, not rounded, so
 * that 100 % means all), thousands set apart, nothing that is zero and expected to be.
 * The exact numbers are in summary.json.
 */
#include <string.h>

#include <glib.h>

#include "node/prog/units.h"
#include "sim/record/summary.h"

enum { VALUE = 12, NAME = 34 };

struct paint {
	const char *bold, *good, *bad, *dim, *off;
};

static const struct paint plain = { "", "", "", "", "" };
static const struct paint colours = { "\033[1m", "\033[32m", "\033[1;31m", "\033[2m", "\033[0m" };

/* 1234567.8 as "1,234,567.8": thousands set apart in the whole part */
static void set_apart(char *text, size_t room)
{
	size_t len = strlen(text), whole = strcspn(text, ".");
	size_t first = *text == '-';

	for (size_t at = whole; at > first + 3 && len + 1 < room; len++) {
		at -= 3;
		memmove(text + at + 1, text + at, len - at + 1);
		text[at] = ',';
	}
}

static const char *percent(struct number n, char buf[64])
{
	/* in 1/10000 of a percent, cut */
	int64_t v = (int64_t)(n.num * 1000000 / n.den);
	size_t len;

	g_snprintf(buf, 64, "%lld.%04lld", (long long)(v / 10000), (long long)(v % 10000));
	for (len = strlen(buf); buf[len - 1] == '0'; len--)
		;
	if (buf[len - 1] == '.')
		len--;
	if (!v && n.num)
		len = (size_t)g_snprintf(buf, 64, "<0.0001");
	g_snprintf(buf + len, 64 - len, " %%");
	return buf;
}

static const char *human(struct number n, enum metric_unit unit, char buf[64])
{
	double v = number_double(n), size = v < 0 ? -v : v;
	int digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4;
	char *end;

	if (!number_known(n))
		return strcpy(buf, "-");
	if (unit == UNIT_SHARE)
		return percent(n, buf);
	g_snprintf(buf, 64, "%.*f", n.num % n.den ? digits : 0, v);
	if (strchr(buf, '.')) {
		for (end = buf + strlen(buf); end[-1] == '0'; end--)
			;
		end[-(end[-1] == '.')] = '\0';
	}
	set_apart(buf, 64);
	return buf;
}

static void value(const struct summary *s, FILE *to, const char *name, const char *statistic,
		  enum metric_unit unit)
{
	char *full = g_strconcat(name, ".", statistic, NULL), buf[64];
	const struct number *n = summary_find(s, full);

	fprintf(to, "%*s", VALUE, n ? human(*n, unit, buf) : "-");
	g_free(full);
}

/* One block: a line of column names, then a line per metric of @kind that was used. */
static void block(const struct summary *s, FILE *to, const struct paint *p, enum metric_kind kind,
		  const char *const *statistics)
{
	const struct metrics *m = recorder_total(summary_recorder(s));
	bool begun = false;

	for (int i = 0; i < m->count; i++) {
		const struct metric_entry *e = catalog_at(m->catalog, i);

		if (e->kind != kind || (kind == METRIC_HISTOGRAM && !m->histogram[i].count) ||
		    (kind == METRIC_GAUGE && !recorder_level(summary_recorder(s), i)->span_ns))
			continue;
		if (!begun) {
			fprintf(to, "\n%s%-*s", p->dim, NAME, "");
			for (const char *const *k = statistics; *k; k++)
				fprintf(to, "%*s", VALUE, *k);
			fprintf(to, "%s\n", p->off);
		}
		begun = true;
		fprintf(to, "  %-*s", NAME - 2, e->name);
		for (const char *const *k = statistics; *k; k++)
			value(s, to, e->name, *k, strcmp(*k, "count") ? e->unit : UNIT_NUMBER);
		fputc('\n', to);
	}
}

/* Counts by message kind, drop reason and oracle: for report and summary.json. */
static bool in_detail(const char *name)
{
	return g_str_has_prefix(name, "sent.") || strstr(name, "drop.") ||
	       (g_str_has_prefix(name, "oracle.") && g_str_has_suffix(name, ".checks") &&
		strcmp(name, "oracle.checks"));
}

/* Zero is news only where it means that nothing failed. */
static void singles(const struct summary *s, FILE *to, const struct paint *p)
{
	const struct metrics *m = recorder_total(summary_recorder(s));
	char buf[64];

	fputc('\n', to);
	for (int i = 0; i < m->count; i++) {
		const struct metric_entry *e = catalog_at(m->catalog, i);
		const struct number *n = summary_find(s, e->name);

		if (!n || !number_known(*n) || in_detail(e->name) ||
		    (e->kind == METRIC_COUNTER && !n->num && i != M_JOIN_FAILED &&
		     i != M_ORACLE_VIOLATIONS))
			continue;
		fprintf(to, "  %-*s%*s  %s%s%s\n", NAME - 2, e->name, VALUE,
			human(*n, e->unit, buf), p->dim, e->text, p->off);
	}
}

static void faults(const struct summary *s, FILE *to, const struct paint *p)
{
	unsigned count;
	const struct fault_mark *f = recorder_faults(summary_recorder(s), &count);
	char at[UNIT_TEXT_LEN], until[UNIT_TEXT_LEN], buf[64];

	if (count)
		fprintf(to, "\n%sfaults%s\n", p->bold, p->off);
	for (unsigned i = 0; i < count; i++) {
		fprintf(to, "  %-9s %-12s %8s", f[i].name, f[i].kind, clock_text(f[i].at_ns, at));
		if (f[i].until_ns > f[i].at_ns)
			fprintf(to, " to %-8s", clock_text(f[i].until_ns, until));
		else
			fprintf(to, "%12s", "");
		fprintf(to, "%s%9s touched%s  %s\n", f[i].touched ? "" : p->bad,
			human(number_of(f[i].touched, 1, UNIT_NUMBER), UNIT_NUMBER, buf),
			f[i].touched ? "" : p->off, f[i].text ? f[i].text : "");
	}
}

static enum metric_unit unit_of(const struct summary *s, const char *name)
{
	const struct catalog *c = recorder_total(summary_recorder(s))->catalog;
	const char *dot = strrchr(name, '.');
	int id = catalog_find(c, name);
	char *base;

	if (id == M_NONE && dot) {
		if (!strcmp(dot, ".count"))
			return UNIT_NUMBER;
		base = g_strndup(name, (size_t)(dot - name));
		id = catalog_find(c, base);
		g_free(base);
	}
	return id == M_NONE ? UNIT_NUMBER : catalog_at(c, id)->unit;
}

static void verdicts(const struct summary *s, FILE *to, const struct paint *p,
		     const struct expect *e, unsigned count)
{
	char buf[64];

	if (count)
		fprintf(to, "\n%sexpected%s\n", p->bold, p->off);
	for (unsigned i = 0; i < count; i++) {
		const char *paint = e[i].verdict == JUDGED_PASS ? p->good :
				    e[i].verdict == JUDGED_OPEN ? p->dim : p->bad;
		char *word = e[i].verdict == JUDGED_PASS ? g_strdup("pass") :
							    g_ascii_strup(judgement_text(e[i].verdict), -1);

		fprintf(to, "  %s%-8s%s%-*s%*s   %s\n", paint, word, p->off, NAME - 2, e[i].metric,
			VALUE, human(e[i].got, unit_of(s, e[i].metric), buf), e[i].text);
		g_free(word);
	}
}

static void head(FILE *to, const struct summary_head *h, const struct paint *p)
{
	char buf[UNIT_TEXT_LEN];

	fprintf(to, "%s%s%s   seed %llu   %s simulated", p->bold, h->scenario ? h->scenario : "run",
		p->off, (unsigned long long)h->seed, duration_text(h->reached_ns, buf));
	if (h->warmup_ns)
		fprintf(to, ", the first %s cut", duration_text(h->warmup_ns, buf));
	fputc('\n', to);
	if (h->partial)
		fprintf(to, "%sinterrupted: %s were asked for, results are partial%s\n", p->bad,
			duration_text(h->duration_ns, buf), p->off);
	if (h->version)
		fprintf(to, "version %s", h->version);
	if (h->digest)
		fprintf(to, "%sdigest %s", h->version ? "   " : "", h->digest);
	if (h->version || h->digest)
		fputc('\n', to);
}

void summary_print(const struct summary *s, FILE *to, const struct summary_head *h,
		   const struct expect *e, unsigned count, bool color)
{
	static const char *const histogram[] = { "count", "mean", "p50", "p95", "p99", "max", NULL };
	static const char *const gauge[] = { "mean", "min", "max", "last", NULL };
	const struct paint *p = color ? &colours : &plain;

	head(to, h, p);
	singles(s, to, p);
	block(s, to, p, METRIC_GAUGE, gauge);
	block(s, to, p, METRIC_HISTOGRAM, histogram);
	faults(s, to, p);
	verdicts(s, to, p, e, count);
	if (h->directory)
		fprintf(to, "\nresults in %s\n", h->directory);
}
