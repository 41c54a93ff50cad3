/* run.c - reads a run directory and checks what it reads */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "analysis/run.h"
#include "node/prog/json.h"

enum { JSON_MAX = 64 << 20, JSON_DEPTH_MAX = 32, LIST_LIMIT = 100000 };

/* json-glib recurses; a file of a million brackets must not become our stack. */
static bool too_deep(const char *text, size_t len)
{
	unsigned depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		if (quoted && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			quoted = !quoted;
		else if (!quoted && (text[i] == '[' || text[i] == '{') && ++depth > JSON_DEPTH_MAX)
			return true;
		else if (!quoted && (text[i] == ']' || text[i] == '}') && depth)
			depth--;
	}
	return false;
}

JsonNode *run_json(const char *name, const char *text, size_t len, struct fail *f)
{
	JsonParser *p = json_parser_new();
	JsonNode *root = NULL;
	GError *error = NULL;

	if (!g_utf8_validate_len(text, len, NULL))
		fail_add(f, "%s: not JSON: not UTF-8 text", name);
	else if (too_deep(text, len))
		fail_add(f, "%s: not what a run writes: nested deeper than %d", name, JSON_DEPTH_MAX);
	else if (!json_parser_load_from_data(p, text, (gssize)len, &error))
		fail_add(f, "%s:%u: not JSON: %s", name, json_parser_get_current_line(p),
			 error->message);
	else if (!json_parser_get_root(p) || !JSON_NODE_HOLDS_OBJECT(json_parser_get_root(p)))
		fail_add(f, "%s: not what a run writes; accepted: a JSON object", name);
	else
		root = json_parser_steal_root(p);
	g_clear_error(&error);
	g_object_unref(p);
	return root;
}

static JsonNode *read_object(const char *path, struct fail *f)
{
	size_t len;
	char *text = file_read(path, JSON_MAX, &len, f);
	JsonNode *node = text ? run_json(path, text, len, f) : NULL;

	g_free(text);
	return node;
}

/* A number of a node that is one, else NAN. */
static double number(JsonNode *n)
{
	double v;

	if (!n || !JSON_NODE_HOLDS_VALUE(n))
		return NAN;
	if (json_node_get_value_type(n) == G_TYPE_INT64)
		return (double)json_node_get_int(n);
	v = json_node_get_value_type(n) == G_TYPE_DOUBLE ? json_node_get_double(n) : (double)NAN;
	return isfinite(v) ? v : (double)NAN;
}

static bool missing(struct fail *f, const char *file, const char *member)
{
	fail_add(f, "%s: member \"%s\" is missing or of another type", file, member);
	return false;
}

/* Element @i of @a if it is an object, else NULL. */
static JsonObject *object_at(JsonArray *a, unsigned i)
{
	JsonNode *n = json_array_get_element(a, i);

	return JSON_NODE_HOLDS_OBJECT(n) ? json_node_get_object(n) : NULL;
}

static bool unpack_faults(struct run *r, struct fail *f)
{
	JsonArray *a = json_arr(r->summary, "faults");

	if (!a || json_array_get_length(a) > LIST_LIMIT)
		return missing(f, "summary.json", "faults");
	r->faults = json_array_get_length(a);
	r->fault = g_new0(struct run_fault, r->faults + 1);
	for (unsigned i = 0; i < r->faults; i++) {
		JsonObject *o = object_at(a, i);
		struct run_fault *x = &r->fault[i];

		x->name = json_str(o, "name", NULL);
		x->kind = json_str(o, "kind", NULL);
		x->text = json_str(o, "text", NULL);
		x->at_s = json_num(o, "at_s", NAN);
		x->until_s = json_num(o, "until_s", NAN);
		x->touched = json_num(o, "touched", NAN);
		if (!x->name || !x->kind || !isfinite(x->at_s) || !isfinite(x->until_s))
			return missing(f, "summary.json", "faults[].name, kind, at_s or until_s");
	}
	return true;
}

static bool unpack_expects(struct run *r, struct fail *f)
{
	JsonArray *a = json_arr(r->summary, "expect");

	if (!a || json_array_get_length(a) > LIST_LIMIT)
		return missing(f, "summary.json", "expect");
	r->expects = json_array_get_length(a);
	r->expect = g_new0(struct run_expect, r->expects + 1);
	for (unsigned i = 0; i < r->expects; i++) {
		JsonObject *o = object_at(a, i);
		struct run_expect *x = &r->expect[i];

		x->metric = json_str(o, "metric", NULL);
		x->want = json_str(o, "want", NULL);
		x->verdict = json_str(o, "verdict", NULL);
		x->got = json_num(o, "got", NAN);
		if (!x->metric || !x->want || !x->verdict)
			return missing(f, "summary.json", "expect[].metric, want or verdict");
	}
	return true;
}

static bool unpack_metrics(struct run *r, struct fail *f)
{
	JsonObject *o = json_obj(r->summary, "metrics");
	JsonObjectIter it;
	const char *name;
	JsonNode *node;

	if (!o)
		return missing(f, "summary.json", "metrics");
	r->metric = g_new0(struct run_metric, json_object_get_size(o) + 1);
	json_object_iter_init_ordered(&it, o);
	while (json_object_iter_next_ordered(&it, &name, &node))
		r->metric[r->metrics++] = (struct run_metric){ name, number(node) };
	return true;
}

static bool unpack_bool(JsonObject *o, const char *member)
{
	JsonNode *n = json_object_get_member(o, member);

	return n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_BOOLEAN &&
	       json_node_get_boolean(n);
}

bool run_unpack(struct run *r, struct fail *f)
{
	JsonObject *m = r->manifest;

	r->duration_s = json_num(m, "duration_s", NAN);
	r->reached_s = json_num(m, "reached_s", NAN);
	r->warmup_s = json_num(m, "warmup_s", NAN);
	r->interval_s = json_num(m, "interval_s", NAN);
	r->partial = unpack_bool(m, "partial");
	r->held = unpack_bool(r->summary, "held");
	if (!isfinite(r->reached_s) || !isfinite(r->duration_s) || !isfinite(r->warmup_s))
		return missing(f, "manifest.json", "duration_s, reached_s or warmup_s");
	return unpack_faults(r, f) && unpack_expects(r, f) && unpack_metrics(r, f);
}

static bool read_series(struct run *r, const char *path, struct fail *f)
{
	r->series = csv_read(path, f);
	if (!r->series || !csv_numeric(r->series, 0, f))
		return false;
	if (csv_column(r->series, "time_s") != 0 || csv_column(r->series, "interval_s") != 1) {
		fail_add(f, "%s:1: the first columns are not time_s,interval_s", path);
		return false;
	}
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct run_sample *)a)->name, ((const struct run_sample *)b)->name);
}

static bool read_samples(struct run *r, const char *path, struct fail *f)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	GArray *all = g_array_new(TRUE, TRUE, sizeof(struct run_sample));
	const char *name;
	bool ok = true;

	/* none at all: a run that was interrupted before anything was measured */
	while (ok && dir && (name = g_dir_read_name(dir))) {
		char *file = g_build_filename(path, name, NULL);
		struct run_sample s = { NULL, NULL };

		if (g_str_has_suffix(name, ".csv")) {
			s.name = g_strndup(name, strlen(name) - 4);
			s.table = csv_read(file, f);
			ok = s.table && csv_numeric(s.table, 0, f);
			if (ok && s.table->columns != 4) {
				fail_add(f, "%s:1: accepted: from,to,count,share_until", file);
				ok = false;
			}
			g_array_append_val(all, s);
		}
		g_free(file);
	}
	if (dir)
		g_dir_close(dir);
	r->samples = all->len;
	r->sample = (struct run_sample *)(void *)g_array_free(all, FALSE);
	if (r->samples)
		qsort(r->sample, r->samples, sizeof(*r->sample), by_name);
	return ok;
}

static bool is_run(const char *dir, const char *manifest, struct fail *f)
{
	if (g_file_test(manifest, G_FILE_TEST_EXISTS))
		return true;
	if (!g_file_test(dir, G_FILE_TEST_IS_DIR)) {
		fail_errno(f, "read", dir, g_file_test(dir, G_FILE_TEST_EXISTS) ? ENOTDIR : ENOENT);
		fail_hint(f, "accepted: the directory of a run, or of a sweep");
		return false;
	}
	fail_add(f, "%s is no run directory: it has no manifest.json", dir);
	fail_hint(f, g_str_has_suffix(dir, ".partial") ?
		  "its run is still going, or was killed; results of a whole run have no .partial" :
		  "accepted: a directory that weft-sim run -o or weft-sim sweep -o made");
	return false;
}

struct run *run_read(const char *dir, struct fail *f)
{
	struct run *r = g_new0(struct run, 1);
	char *manifest = g_build_filename(dir, "manifest.json", NULL);
	char *summary = g_build_filename(dir, "summary.json", NULL);
	char *series = g_build_filename(dir, "series.csv", NULL);
	char *samples = g_build_filename(dir, "samples", NULL);
	struct fail mine = { 0 };
	bool ok;

	r->dir = g_strdup(dir);
	ok = is_run(dir, manifest, f) && (r->manifest_node = read_object(manifest, f)) &&
	     (r->summary_node = read_object(summary, f));
	if (ok) {
		r->manifest = json_node_get_object(r->manifest_node);
		r->summary = json_node_get_object(r->summary_node);
		ok = run_unpack(r, &mine);
		if (!ok)
			fail_add(f, "%s/%s", dir, mine.text[0]);
		fail_done(&mine);
	}
	ok = ok && read_series(r, series, f) && read_samples(r, samples, f);
	g_free(manifest);
	g_free(summary);
	g_free(series);
	g_free(samples);
	if (!ok) {
		run_free(r);
		return NULL;
	}
	return r;
}

void run_free(struct run *r)
{
	if (!r)
		return;
	for (unsigned i = 0; i < r->samples; i++) {
		g_free(r->sample[i].name);
		csv_free(r->sample[i].table);
	}
	g_free(r->sample);
	g_free(r->expect);
	g_free(r->fault);
	g_free(r->metric);
	csv_free(r->series);
	if (r->manifest_node)
		json_node_unref(r->manifest_node);
	if (r->summary_node)
		json_node_unref(r->summary_node);
	g_free(r->label);
	g_free(r->dir);
	g_free(r);
}

/* The last @parts parts of @path. */
static char *tail(const char *path, unsigned parts)
{
	char **all = g_strsplit(path, "/", -1), **kept = g_new0(char *, g_strv_length(all) + 1), *text;
	unsigned n = 0, first;

	for (char **p = all; *p; p++)
		if (**p && strcmp(*p, "."))
			kept[n++] = *p;
	first = n > parts ? n - parts : 0;
	text = g_strjoinv("/", kept + first);
	g_free(kept);
	g_strfreev(all);
	return text;
}

void run_label(struct run **runs, unsigned count)
{
	for (unsigned parts = 1; parts <= 8; parts++) {
		bool differ = true;

		for (unsigned i = 0; i < count; i++) {
			g_free(runs[i]->label);
			runs[i]->label = tail(runs[i]->dir, parts);
			for (unsigned k = 0; k < i; k++)
				differ &= strcmp(runs[i]->label, runs[k]->label) != 0;
		}
		if (differ)
			return;
	}
	for (unsigned i = 0; i < count; i++) {
		char *label = g_strdup_printf("%u: %s", i + 1, runs[i]->label);

		g_free(runs[i]->label);
		runs[i]->label = label;
	}
}

double run_metric(const struct run *r, const char *name)
{
	for (unsigned i = 0; i < r->metrics; i++)
		if (!strcmp(r->metric[i].name, name))
			return r->metric[i].value;
	return NAN;
}

const char *run_about(const struct run *r, const char *name, const char *what)
{
	JsonObject *about = json_obj(r->summary, "about");
	JsonObject *o = json_obj(about, name);
	const char *dot = strrchr(name, '.');

	if (!o && dot) {
		char *base = g_strndup(name, (size_t)(dot - name));

		o = json_obj(about, base);
		g_free(base);
		if (o && !strcmp(what, "unit") && !strcmp(dot, ".count"))
			return "";
	}
	return json_str(o, what, "");
}

const struct csv *run_sample(const struct run *r, const char *metric)
{
	for (unsigned i = 0; i < r->samples; i++)
		if (!strcmp(r->sample[i].name, metric))
			return r->sample[i].table;
	return NULL;
}
