/*
 * recorder.c - intervals, warm-up, rows
 *
 * At a row the shards' counters and histograms move into `row`, are printed, and
 * from there into `warmup` or `total`. Gauges and facts stay where they were set:
 * they are levels, not amounts, so sums take their newest value instead.
 */
#include <assert.h>
#include <string.h>

#include <glib.h>

#include "sim/record/recorder.h"

static const char series_name[] = "series.csv";

struct recorder {
	const struct catalog *catalog;
	struct rundir *dir;
	FILE *series;			/* NULL: no files */
	struct metrics **shard;
	struct metrics *row;		/* the interval that just ended, all shards */
	struct metrics *warmup, *total;
	struct level *level;		/* one per metric, used by gauges */
	GArray *faults;			/* struct fault_mark */
	GStringChunk *texts;
	unsigned shards;
	int64_t warmup_ns, interval_ns, until_ns;
	int64_t last_ns;		/* when the last row ended */
};

/* The statistics of a histogram that have a column; order as printed by row_histogram(). */
static const char *const columns[] = { "count", "mean", "p50", "p95", "p99" };

static void header(struct recorder *r)
{
	fputs("time_s,interval_s,warmup", r->series);
	for (int i = 0; i < catalog_count(r->catalog); i++) {
		const struct metric_entry *e = catalog_at(r->catalog, i);

		switch (e->kind) {
		case METRIC_COUNTER:
		case METRIC_RATIO:
		case METRIC_GAUGE:
			fprintf(r->series, ",%s", e->name);
			break;
		case METRIC_HISTOGRAM:
			for (size_t k = 0; k < G_N_ELEMENTS(columns); k++)
				fprintf(r->series, ",%s.%s", e->name, columns[k]);
			break;
		case METRIC_FACT:
		case METRIC_COST:
			break;
		}
	}
	fputc('\n', r->series);
}

static void cell(struct recorder *r, struct number n)
{
	char buf[64];

	fprintf(r->series, ",%s", number_text(n, buf));
}

static void row_histogram(struct recorder *r, const struct histogram *h, enum metric_unit unit)
{
	cell(r, number_of((__int128)h->count, 1, UNIT_NUMBER));
	if (!h->count) {
		fputs(",,,,", r->series);
		return;
	}
	cell(r, number_of(h->sum, (__int128)h->count, unit));
	cell(r, number_of(histogram_quantile(h, 50, 100), 1, unit));
	cell(r, number_of(histogram_quantile(h, 95, 100), 1, unit));
	cell(r, number_of(histogram_quantile(h, 99, 100), 1, unit));
}

static void row(struct recorder *r, int64_t now_ns)
{
	const struct metrics *m = r->row;
	char buf[64];

	fputs(number_text(number_of(now_ns, 1, UNIT_S), buf), r->series);
	cell(r, number_of(now_ns - r->last_ns, 1, UNIT_S));
	fprintf(r->series, ",%d", now_ns <= r->warmup_ns);
	for (int i = 0; i < m->count; i++) {
		const struct metric_entry *e = catalog_at(r->catalog, i);

		switch (e->kind) {
		case METRIC_COUNTER:
			cell(r, number_of(m->cell[i], 1, e->unit));
			break;
		case METRIC_GAUGE:
			cell(r, number_of(m->cell[i], m->known[i], e->unit));
			break;
		case METRIC_RATIO:
			cell(r, number_of(m->cell[e->part], m->cell[e->of], e->unit));
			break;
		case METRIC_HISTOGRAM:
			row_histogram(r, &m->histogram[i], e->unit);
			break;
		case METRIC_FACT:
		case METRIC_COST:
			break;
		}
	}
	fputc('\n', r->series);
}

/* Gauges of @sum take the level of @now; everything else adds up. */
static void add_up(struct metrics *sum, const struct metrics *now)
{
	metrics_merge(sum, now);
	for (int i = 0; i < sum->count; i++)
		if (catalog_at(sum->catalog, i)->kind == METRIC_GAUGE)
			sum->cell[i] = now->cell[i];
}

static void levels(struct recorder *r, int64_t span_ns)
{
	for (int i = 0; i < r->row->count; i++) {
		struct level *l = &r->level[i];
		int64_t v = r->row->cell[i];

		if (catalog_at(r->catalog, i)->kind != METRIC_GAUGE || !r->row->known[i])
			continue;
		l->least = !l->span_ns || v < l->least ? v : l->least;
		l->greatest = !l->span_ns || v > l->greatest ? v : l->greatest;
		l->last = v;
		l->area += (__int128)v * span_ns;
		l->span_ns += span_ns;
	}
}

/* Move what the shards noted into r->row. */
static void gather(struct recorder *r)
{
	metrics_zero(r->row);
	for (unsigned i = 0; i < r->shards; i++) {
		metrics_merge(r->row, r->shard[i]);
		metrics_clear(r->shard[i]);
	}
}

bool recorder_row(struct recorder *r, int64_t now_ns, struct fail *f)
{
	bool warming = now_ns <= r->warmup_ns;
	int64_t span_ns = now_ns - r->last_ns;

	assert(now_ns >= r->last_ns && now_ns <= recorder_due(r));
	gather(r);
	add_up(warming ? r->warmup : r->total, r->row);
	if (!span_ns)
		return true;
	if (!warming)
		levels(r, span_ns);
	if (r->series)
		row(r, now_ns);
	r->last_ns = now_ns;
	return !r->series || rundir_check(r->dir, r->series, series_name, f);
}

int64_t recorder_due(const struct recorder *r)
{
	int64_t due = (r->last_ns / r->interval_ns + 1) * r->interval_ns;

	if (r->last_ns >= r->until_ns)
		return INT64_MAX;
	if (r->last_ns < r->warmup_ns && due > r->warmup_ns)
		due = r->warmup_ns;
	return MIN(due, r->until_ns);
}

struct recorder *recorder_new(const struct recorder_setup *s, struct fail *f)
{
	struct recorder *r = g_new0(struct recorder, 1);

	assert(s->shards && s->interval_ns > 0 && s->warmup_ns >= 0);
	r->catalog = s->catalog;
	r->dir = s->dir;
	r->shards = s->shards;
	r->warmup_ns = s->warmup_ns;
	r->interval_ns = s->interval_ns;
	r->until_ns = s->until_ns;
	r->shard = g_new(struct metrics *, s->shards);
	for (unsigned i = 0; i < s->shards; i++)
		r->shard[i] = metrics_new(s->catalog);
	r->row = metrics_new(s->catalog);
	r->warmup = metrics_new(s->catalog);
	r->total = metrics_new(s->catalog);
	r->level = g_new0(struct level, catalog_count(s->catalog));
	r->faults = g_array_new(FALSE, FALSE, sizeof(struct fault_mark));
	r->texts = g_string_chunk_new(1024);
	if (s->dir) {
		r->series = rundir_open(s->dir, series_name, f);
		if (r->series)
			header(r);
		if (!r->series || !rundir_check(s->dir, r->series, series_name, f)) {
			recorder_free(r);
			return NULL;
		}
	}
	return r;
}

void recorder_free(struct recorder *r)
{
	if (!r)
		return;
	if (r->series)
		fclose(r->series);
	for (unsigned i = 0; i < r->shards; i++)
		metrics_free(r->shard[i]);
	g_free(r->shard);
	metrics_free(r->row);
	metrics_free(r->warmup);
	metrics_free(r->total);
	g_free(r->level);
	g_array_free(r->faults, TRUE);
	g_string_chunk_free(r->texts);
	g_free(r);
}

struct metrics *recorder_shard(struct recorder *r, unsigned i)
{
	assert(i < r->shards);
	return r->shard[i];
}

void recorder_fault(struct recorder *r, const struct fault_mark *f)
{
	struct fault_mark mine = *f;

	mine.name = g_string_chunk_insert(r->texts, f->name);
	mine.kind = g_string_chunk_insert(r->texts, f->kind);
	mine.text = f->text ? g_string_chunk_insert(r->texts, f->text) : NULL;
	g_array_append_val(r->faults, mine);
}

const struct fault_mark *recorder_faults(const struct recorder *r, unsigned *count)
{
	*count = r->faults->len;
	return (const struct fault_mark *)(void *)r->faults->data;
}

const struct metrics *recorder_total(const struct recorder *r)
{
	return r->total;
}

const struct metrics *recorder_warmup(const struct recorder *r)
{
	return r->warmup;
}

const struct level *recorder_level(const struct recorder *r, int id)
{
	assert(catalog_at(r->catalog, id)->kind == METRIC_GAUGE);
	return &r->level[id];
}

/* samples/NAME.csv: the buckets that hold something, and how much lies at or below each. */
static bool samples(struct recorder *r, int id, struct fail *f)
{
	const struct metric_entry *e = catalog_at(r->catalog, id);
	const struct histogram *h = &r->total->histogram[id];
	const char *unit = unit_text(e->unit);
	char *name = g_strdup_printf("samples/%s.csv", e->name);
	char *suffix = *unit ? g_strdelimit(g_strconcat("_", unit, NULL), "/", '_') : g_strdup("");
	FILE *file = rundir_open(r->dir, name, f);
	uint64_t below = 0;
	bool ok = false;
	char buf[3][64];

	if (file) {
		fprintf(file, "from%s,to%s,count,share_until\n", suffix, suffix);
		for (unsigned i = 0; i < h->buckets; i++) {
			int64_t low, high;

			if (!h->bucket[i])
				continue;
			below += h->bucket[i];
			histogram_span(i, &low, &high);
			low = MAX(low, h->least);
			high = MIN(high, h->greatest);
			fprintf(file, "%s,%s,%llu,%s\n",
				number_text(number_of(low, 1, e->unit), buf[0]),
				number_text(number_of(high, 1, e->unit), buf[1]),
				(unsigned long long)h->bucket[i],
				number_text(number_of(below, h->count, UNIT_SHARE), buf[2]));
		}
		ok = rundir_close(r->dir, file, name, f);
	}
	g_free(suffix);
	g_free(name);
	return ok;
}

bool recorder_finish(struct recorder *r, struct fail *f)
{
	FILE *series = r->series;

	/* facts and costs found after the last row */
	gather(r);
	add_up(r->last_ns < r->warmup_ns ? r->warmup : r->total, r->row);
	for (int i = 0; i < r->row->count; i++) {
		enum metric_kind kind = catalog_at(r->catalog, i)->kind;

		if ((kind == METRIC_FACT || kind == METRIC_COST) && r->row->known[i])
			metrics_set(r->total, i, r->row->cell[i]);
	}
	if (!series)
		return true;
	r->series = NULL;
	if (!rundir_close(r->dir, series, series_name, f))
		return false;
	for (int i = 0; i < catalog_count(r->catalog); i++)
		if (r->total->histogram[i].count && !samples(r, i, f))
			return false;
	return true;
}
