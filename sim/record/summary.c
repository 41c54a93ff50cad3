/* summary.c - the numbers by name, and summary.json */
#include <assert.h>
#include <string.h>

#include <glib.h>

#include "sim/record/manifest.h"
#include "sim/record/summary.h"

struct entry {
	const char *name;
	struct number value;
};

struct summary {
	const struct recorder *recorder;
	const struct catalog *catalog;
	GArray *entries;		/* struct entry, in catalog order */
	GHashTable *places;		/* name -> place + 1; asked, never walked */
	GStringChunk *names;
};

static void put(struct summary *s, const char *name, const char *statistic, struct number value)
{
	char *full = statistic ? g_strconcat(name, ".", statistic, NULL) : g_strdup(name);
	struct entry e = { g_string_chunk_insert(s->names, full), value };

	g_free(full);
	g_array_append_val(s->entries, e);
	g_hash_table_insert(s->places, (char *)e.name, GINT_TO_POINTER((int)s->entries->len));
}

static void put_histogram(struct summary *s, const struct metric_entry *e,
			  const struct histogram *h)
{
	static const struct {
		const char *name;
		unsigned part;
	} quantiles[] = { { "p50", 50 }, { "p95", 95 }, { "p99", 99 } };
	const __int128 any = h->count > 0;

	put(s, e->name, "count", number_of((__int128)h->count, 1, UNIT_NUMBER));
	put(s, e->name, "mean", number_of(h->sum, (__int128)h->count, e->unit));
	put(s, e->name, "min", number_of(any ? h->least : 0, any, e->unit));
	for (size_t i = 0; i < G_N_ELEMENTS(quantiles); i++)
		put(s, e->name, quantiles[i].name,
		    number_of(any ? histogram_quantile(h, quantiles[i].part, 100) : 0, any,
			      e->unit));
	put(s, e->name, "max", number_of(any ? h->greatest : 0, any, e->unit));
}

static void put_level(struct summary *s, const struct metric_entry *e, const struct level *l)
{
	const __int128 any = l->span_ns > 0;

	put(s, e->name, "mean", number_of(l->area, l->span_ns, e->unit));
	put(s, e->name, "min", number_of(l->least, any, e->unit));
	put(s, e->name, "max", number_of(l->greatest, any, e->unit));
	put(s, e->name, "last", number_of(l->last, any, e->unit));
}

struct summary *summary_new(const struct recorder *r)
{
	const struct metrics *m = recorder_total(r);
	struct summary *s = g_new0(struct summary, 1);

	s->recorder = r;
	s->catalog = m->catalog;
	s->entries = g_array_new(FALSE, FALSE, sizeof(struct entry));
	s->places = g_hash_table_new(g_str_hash, g_str_equal);
	s->names = g_string_chunk_new(4096);
	for (int i = 0; i < m->count; i++) {
		const struct metric_entry *e = catalog_at(m->catalog, i);

		switch (e->kind) {
		case METRIC_COUNTER:
			put(s, e->name, NULL, number_of(m->cell[i], 1, e->unit));
			break;
		case METRIC_RATIO:
			put(s, e->name, NULL, number_of(m->cell[e->part], m->cell[e->of], e->unit));
			break;
		case METRIC_GAUGE:
			put_level(s, e, recorder_level(r, i));
			break;
		case METRIC_HISTOGRAM:
			put_histogram(s, e, &m->histogram[i]);
			break;
		case METRIC_FACT:
		case METRIC_COST:
			put(s, e->name, NULL, number_of(m->cell[i], m->known[i], e->unit));
			break;
		}
	}
	return s;
}

void summary_free(struct summary *s)
{
	if (!s)
		return;
	g_hash_table_destroy(s->places);
	g_array_free(s->entries, TRUE);
	g_string_chunk_free(s->names);
	g_free(s);
}

const struct number *summary_find(const struct summary *s, const char *name)
{
	int place = GPOINTER_TO_INT(g_hash_table_lookup(s->places, name));

	return place ? &g_array_index(s->entries, struct entry, place - 1).value : NULL;
}

const struct recorder *summary_recorder(const struct summary *s)
{
	return s->recorder;
}

const char *summary_fault_idle(const struct summary *s)
{
	unsigned count;
	const struct fault_mark *f = recorder_faults(s->recorder, &count);

	for (unsigned i = 0; i < count; i++)
		if (!f[i].touched)
			return f[i].name;
	return NULL;
}

/* A JSON number, or null when unknown. */
static const char *json_number(struct number n, char buf[64])
{
	return number_known(n) ? number_text(n, buf) : "null";
}

static void head_json(GString *to, const struct summary_head *h)
{
	char buf[64];

	g_string_append(to, "  \"scenario\": ");
	json_quote(to, h->scenario);
	g_string_append_printf(to, ",\n  \"seed\": %llu,\n  \"digest\": ",
			       (unsigned long long)h->seed);
	json_quote(to, h->digest);
	g_string_append_printf(to, ",\n  \"partial\": %s,\n", h->partial ? "true" : "false");
	g_string_append_printf(to, "  \"reached_s\": %s,\n",
			       number_text(number_of(h->reached_ns, 1, UNIT_S), buf));
	g_string_append_printf(to, "  \"warmup_s\": %s,\n",
			       number_text(number_of(h->warmup_ns, 1, UNIT_S), buf));
}

static void metrics_json(GString *to, const struct summary *s)
{
	const char *comma = "\n";
	char buf[64];

	g_string_append(to, "  \"metrics\": {");
	for (unsigned i = 0; i < s->entries->len; i++) {
		const struct entry *e = &g_array_index(s->entries, struct entry, i);
		int id = catalog_find(s->catalog, e->name);

		if (id != M_NONE && catalog_at(s->catalog, id)->kind == METRIC_COST)
			continue;		/* not the same on the next machine: manifest */
		g_string_append_printf(to, "%s    \"%s\": %s", comma, e->name,
				       json_number(e->value, buf));
		comma = ",\n";
	}
	g_string_append(to, "\n  },\n");
}

/* What happened before the warm-up ended: counters only. */
static void warmup_json(GString *to, const struct summary *s)
{
	const struct metrics *m = recorder_warmup(s->recorder);
	const char *comma = "\n";
	char buf[64];

	g_string_append(to, "  \"warmup\": {");
	for (int i = 0; i < m->count; i++) {
		const struct metric_entry *e = catalog_at(m->catalog, i);

		if (e->kind != METRIC_COUNTER || !m->cell[i])
			continue;
		g_string_append_printf(to, "%s    \"%s\": %s", comma, e->name,
				       number_text(number_of(m->cell[i], 1, e->unit), buf));
		comma = ",\n";
	}
	g_string_append(to, *comma == ',' ? "\n  },\n" : "},\n");
}

static void about_json(GString *to, const struct summary *s)
{
	static const char *const kind[] = {
		[METRIC_COUNTER] = "counter", [METRIC_RATIO] = "ratio", [METRIC_GAUGE] = "gauge",
		[METRIC_HISTOGRAM] = "histogram", [METRIC_FACT] = "fact", [METRIC_COST] = "cost",
	};

	g_string_append(to, "  \"about\": {");
	for (int i = 0; i < catalog_count(s->catalog); i++) {
		const struct metric_entry *e = catalog_at(s->catalog, i);

		g_string_append_printf(to, "%s    \"%s\": { \"kind\": \"%s\", \"unit\": \"%s\", \"text\": ",
				       i ? ",\n" : "\n", e->name, kind[e->kind],
				       e->unit == UNIT_SHARE ? "share" : unit_text(e->unit));
		json_quote(to, e->text);
		g_string_append(to, " }");
	}
	g_string_append(to, "\n  },\n");
}

static void faults_json(GString *to, const struct summary *s)
{
	unsigned count;
	const struct fault_mark *f = recorder_faults(s->recorder, &count);
	char buf[2][64];

	g_string_append(to, "  \"faults\": [");
	for (unsigned i = 0; i < count; i++) {
		g_string_append_printf(to, "%s    { \"name\": ", i ? ",\n" : "\n");
		json_quote(to, f[i].name);
		g_string_append(to, ", \"kind\": ");
		json_quote(to, f[i].kind);
		g_string_append(to, ", \"text\": ");
		json_quote(to, f[i].text);
		g_string_append_printf(to, ", \"at_s\": %s, \"until_s\": %s, \"touched\": %lld }",
				       number_text(number_of(f[i].at_ns, 1, UNIT_S), buf[0]),
				       number_text(number_of(f[i].until_ns, 1, UNIT_S), buf[1]),
				       (long long)f[i].touched);
	}
	g_string_append(to, count ? "\n  ],\n" : "],\n");
}

static void expect_json(GString *to, const struct expect *e, unsigned count)
{
	char buf[64];

	g_string_append(to, "  \"expect\": [");
	for (unsigned i = 0; i < count; i++) {
		g_string_append_printf(to, "%s    { \"metric\": ", i ? ",\n" : "\n");
		json_quote(to, e[i].metric);
		g_string_append(to, ", \"want\": ");
		json_quote(to, e[i].text);
		g_string_append_printf(to, ", \"got\": %s, \"verdict\": \"%s\" }",
				       json_number(e[i].got, buf), judgement_text(e[i].verdict));
	}
	g_string_append(to, count ? "\n  ],\n" : "],\n");
}

char *summary_json(const struct summary *s, const struct summary_head *h,
		   const struct expect *e, unsigned count)
{
	GString *to = g_string_new("{\n  \"format\": 1,\n");

	head_json(to, h);
	expect_json(to, e, count);
	faults_json(to, s);
	metrics_json(to, s);
	warmup_json(to, s);
	about_json(to, s);
	g_string_append_printf(to, "  \"held\": %s\n}\n",
			       expect_held(e, count) && !summary_fault_idle(s) ? "true" : "false");
	return g_string_free(to, FALSE);
}

bool summary_write(const struct summary *s, struct rundir *d, const struct summary_head *h,
		   const struct expect *e, unsigned count, struct fail *f)
{
	FILE *file = rundir_open(d, "summary.json", f);
	char *text;

	if (!file)
		return false;
	text = summary_json(s, h, e, count);
	fputs(text, file);
	g_free(text);
	return rundir_close(d, file, "summary.json", f);
}
