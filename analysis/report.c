/* report.c - the page about one run, and the page that compares several */
#include <math.h>
#include <string.h>

#include "analysis/figures.h"
#include "analysis/page.h"
#include "analysis/report.h"
#include "analysis/values.h"
#include "node/prog/json.h"

static bool draw_all(struct page *page, const struct run *const *runs, unsigned count,
		     const char *out, struct fail *f)
{
	char *dir = g_build_filename(out, "figures", NULL);
	bool ok = dir_make(dir, f);

	for (unsigned i = 0; ok && i < figure_count; i++) {
		struct plot p;
		char *svg;

		plot_init(&p, figures[i].name, figures[i].title, figures[i].height);
		if (figures[i].draw(&p, runs, count)) {
			svg = plot_draw(&p, dir, f);
			ok = svg != NULL;
			if (svg)
				page_figure(page, p.name, svg, p.caption->str);
			g_free(svg);
		}
		plot_done(&p);
	}
	g_free(dir);
	return ok;
}

static void badges(struct page *p, const struct run *r)
{
	unsigned broken = 0, idle = 0;

	for (unsigned i = 0; i < r->expects; i++)
		broken += strcmp(r->expect[i].verdict, "pass") != 0;
	for (unsigned i = 0; i < r->faults; i++)
		idle += !(r->fault[i].touched > 0);
	if (r->partial)
		page_badge(p, "bad", "partial: the run was interrupted");
	if (r->expects && !r->partial) {
		char *text = broken ? g_strdup_printf("%u of %u expectations did not hold", broken,
						      r->expects) :
				      g_strdup_printf("all %u expectations held", r->expects);

		page_badge(p, broken ? "bad" : "good", text);
		g_free(text);
	} else if (!r->expects) {
		page_badge(p, "quiet", "nothing was expected");
	}
	if (idle)
		page_badge(p, "bad", "a fault touched nothing");
}

static void pair(struct page *p, const char *name, const char *text)
{
	if (!text || !*text)
		return;
	page_row(p);
	page_cell(p, "quiet", name);
	page_cell(p, NULL, text);
}

static void pair_take(struct page *p, const char *name, char *text)
{
	pair(p, name, text);
	g_free(text);
}

static char *command_line(const struct run *r)
{
	JsonArray *a = json_arr(r->manifest, "command");
	GString *to = g_string_new(NULL);

	for (unsigned i = 0; a && i < json_array_get_length(a); i++) {
		JsonNode *n = json_array_get_element(a, i);

		if (JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_STRING)
			g_string_append_printf(to, "%s%s", i ? " " : "", json_node_get_string(n));
	}
	return g_string_free(to, FALSE);
}

static char *machine(const struct run *r)
{
	JsonObject *m = json_obj(r->manifest, "machine");

	return m ? g_strdup_printf("%s, %s, %d cores, %.1f GiB", json_str(m, "cpu", "unknown CPU"),
				   json_str(m, "system", "unknown system"),
				   (int)json_int(m, "cores", 0),
				   json_num(m, "memory_bytes", 0) / (1 << 30)) : NULL;
}

static char *span(const struct run *r)
{
	char buf[3][VALUE_LEN];

	return g_strdup_printf("%s%s%s%s%s%s", clock_s(r->reached_s, buf[0]),
			       r->reached_s < 60 ? " s" : "",
			       r->partial ? " of " : "", r->partial ? clock_s(r->duration_s, buf[1]) : "",
			       r->warmup_s > 0 ? ", without the first " : "",
			       r->warmup_s > 0 ? clock_s(r->warmup_s, buf[2]) : "");
}

static void about_run(struct page *p, const struct run *r)
{
	static const char *const no_heads[] = { NULL };
	JsonObject *cost = json_obj(r->manifest, "cost");
	JsonArray *files = json_arr(r->manifest, "files");
	char buf[VALUE_LEN];

	page_table(p, no_heads);
	pair(p, "Scenario", json_str(r->manifest, "scenario", NULL));
	pair_take(p, "Seed", g_strdup_printf("%" G_GINT64_FORMAT, json_int(r->manifest, "seed", 0)));
	pair_take(p, "Virtual time", span(r));
	pair(p, "Digest", json_str(r->manifest, "digest", NULL));
	pair_take(p, "Version", g_strdup_printf("%s %s, compiled by %s",
						json_str(r->manifest, "program", "?"),
						json_str(r->manifest, "version", "?"),
						json_str(r->manifest, "compiler", "?")));
	pair_take(p, "Command", command_line(r));
	pair_take(p, "Machine", machine(r));
	pair(p, "Started", json_str(r->manifest, "started", NULL));
	if (isfinite(json_num(cost, "sim.rate", NAN)))
		pair_take(p, "Speed", g_strdup_printf("%s simulated seconds per second",
						      short_number(json_num(cost, "sim.rate", 0), buf)));
	for (unsigned i = 0; files && i < json_array_get_length(files); i++) {
		JsonNode *n = json_array_get_element(files, i);
		JsonObject *o = JSON_NODE_HOLDS_OBJECT(n) ? json_node_get_object(n) : NULL;

		pair_take(p, "Data", g_strdup_printf("%s (%s), BLAKE2b %.16s", json_str(o, "path", "?"),
						     json_str(o, "used_as", "?"),
						     json_str(o, "blake2b", "?")));
	}
	page_table_end(p);
}

static void verdicts(struct page *p, const struct run *r)
{
	static const char *const heads[] = { "", "Metric", ">Found", "Expected", NULL };
	char buf[VALUE_LEN];

	if (!r->expects)
		return;
	page_section(p, "Verdicts");
	page_table(p, heads);
	for (unsigned i = 0; i < r->expects; i++) {
		const struct run_expect *e = &r->expect[i];
		bool pass = !strcmp(e->verdict, "pass"), open = !strcmp(e->verdict, "open");

		page_row(p);
		page_cell(p, pass ? "good" : open ? "quiet" : "bad",
			  pass ? "held" : open ? "not judged" : !strcmp(e->verdict, "unknown") ?
			  "no value" : "broken");
		page_cell(p, "name", e->metric);
		page_cell(p, "number", value_text(e->got, run_about(r, e->metric, "unit"), buf));
		page_cell(p, "name", e->want);
	}
	page_table_end(p);
}

static void faults(struct page *p, const struct run *r)
{
	static const char *const heads[] = { "Fault", "Kind", "", ">From", ">Until", ">Touched", NULL };
	char buf[VALUE_LEN];

	if (!r->faults)
		return;
	page_section(p, "Faults");
	page_table(p, heads);
	for (unsigned i = 0; i < r->faults; i++) {
		const struct run_fault *x = &r->fault[i];

		page_row(p);
		page_cell(p, "name", x->name);
		page_cell(p, "name", x->kind);
		page_cell(p, NULL, x->text ? x->text : "");
		page_cell(p, "number", clock_s(x->at_s, buf));
		page_cell(p, "number", x->until_s > x->at_s ? clock_s(x->until_s, buf) : "");
		page_cell(p, "number", x->touched > 0 ? short_number(x->touched, buf) : "nothing");
	}
	page_table_end(p);
	page_text(p, "Touched: the nodes, pairs or packets a fault acted on. A fault that touches nothing "
		  "fails the run.");
}

static bool known(const struct run *const *runs, unsigned count, const char *metric)
{
	for (unsigned i = 0; i < count; i++)
		if (isfinite(run_metric(runs[i], metric)))
			return true;
	return false;
}

/* One row of a table of results: a value per run, and for two runs their difference. */
static void result(struct page *p, const struct run *const *runs, unsigned count,
		   const char *metric, const char *text)
{
	const char *unit = run_about(runs[0], metric, "unit");
	char buf[VALUE_LEN];

	page_row(p);
	page_cell(p, text ? NULL : "name", text ? text : metric);
	for (unsigned i = 0; i < count; i++)
		page_cell(p, "number", value_text(run_metric(runs[i], metric), unit, buf));
	if (count == 2)
		page_cell(p, "number quiet", value_difference(run_metric(runs[0], metric),
							      run_metric(runs[1], metric), unit, buf));
	if (count == 1)
		page_cell(p, "quiet", text ? metric : run_about(runs[0], metric, "text"));
}

static void begin_results(struct page *p, const struct run *const *runs, unsigned count)
{
	GPtrArray *heads = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(heads, g_strdup(""));
	for (unsigned i = 0; i < count; i++)
		g_ptr_array_add(heads, count == 1 ? g_strdup(">") :
						    g_strconcat(">", runs[i]->label, NULL));
	if (count == 2)
		g_ptr_array_add(heads, g_strdup(">Difference"));
	if (count == 1)
		g_ptr_array_add(heads, g_strdup(""));
	g_ptr_array_add(heads, NULL);
	page_table(p, (const char *const *)heads->pdata);
	g_ptr_array_free(heads, TRUE);
}

static void results(struct page *p, const struct run *const *runs, unsigned count)
{
	page_section(p, "Key figures");
	begin_results(p, runs, count);
	for (unsigned i = 0; i < key_value_count; i++)
		if (known(runs, count, key_values[i].metric))
			result(p, runs, count, key_values[i].metric, key_values[i].text);
	page_table_end(p);
	page_fold(p, "All metrics that are not zero");
	begin_results(p, runs, count);
	for (unsigned m = 0; m < runs[0]->metrics; m++) {
		const char *name = runs[0]->metric[m].name;
		bool zero = true;

		for (unsigned i = 0; i < count; i++)
			zero &= !(fabs(run_metric(runs[i], name)) > 0);
		if (!zero)
			result(p, runs, count, name, NULL);
	}
	page_table_end(p);
	page_fold_end(p);
}

static void one_run(struct page *p, const struct run *r)
{
	const char *scenario = json_str(r->manifest, "scenario", NULL);
	char *base = scenario ? g_path_get_basename(scenario) : g_strdup(r->label), *dot;

	dot = strrchr(base, '.');
	if (dot && dot != base)
		*dot = '\0';
	page_begin(p, base, scenario ? scenario : r->dir);
	badges(p, r);
	page_section(p, "What was run");
	about_run(p, r);
	verdicts(p, r);
	g_free(base);
}

static void several_runs(struct page *p, const struct run *const *runs, unsigned count)
{
	static const char *const heads[] = {
		"Run", "Scenario", ">Seed", ">Virtual time", "Version", "Verdict", NULL
	};
	GString *names = g_string_new(NULL);

	for (unsigned i = 0; i < count; i++)
		g_string_append_printf(names, "%s%s", i ? ", " : "", runs[i]->label);
	page_begin(p, "Comparison", names->str);
	g_string_free(names, TRUE);
	page_section(p, "What was run");
	page_table(p, heads);
	for (unsigned i = 0; i < count; i++) {
		const struct run *r = runs[i];
		char *seed = g_strdup_printf("%" G_GINT64_FORMAT, json_int(r->manifest, "seed", 0));
		char *time = span(r), *version;

		version = g_strdup_printf("%s %s", json_str(r->manifest, "program", "?"),
					  json_str(r->manifest, "version", "?"));
		page_row(p);
		page_cell(p, NULL, r->label);
		page_cell(p, NULL, json_str(r->manifest, "scenario", "?"));
		page_cell(p, "number", seed);
		page_cell(p, "number", time);
		page_cell(p, NULL, version);
		page_cell(p, r->partial || !r->held ? "bad" : "good",
			  r->partial ? "partial" : r->held ? "held" : "broken");
		g_free(version);
		g_free(time);
		g_free(seed);
	}
	page_table_end(p);
}

bool report_runs(const struct run *const *runs, unsigned count, const char *out, struct fail *f)
{
	struct page p;
	char *path = g_build_filename(out, "report.html", NULL), *html;
	bool ok;

	if (count == 1)
		one_run(&p, runs[0]);
	else
		several_runs(&p, runs, count);
	results(&p, runs, count);
	if (count == 1)
		faults(&p, runs[0]);
	page_section(&p, "Figures");
	ok = draw_all(&p, runs, count, out, f);
	if (!p.figures)
		page_text(&p, "Nothing was measured that could be drawn.");
	if (count == 1 && json_str(runs[0]->manifest, "scenario_text", NULL)) {
		page_section(&p, "Scenario");
		page_fold(&p, "The scenario as it was resolved");
		page_pre(&p, json_str(runs[0]->manifest, "scenario_text", ""));
		page_fold_end(&p);
	}
	html = page_end(&p, WEFT_VERSION);
	ok = ok && file_write(path, html, strlen(html), f);
	g_free(html);
	g_free(path);
	return ok;
}

JsonNode *report_runs_json(const struct run *const *runs, unsigned count)
{
	JsonObject *root = json_object_new();
	JsonArray *list = json_array_new();
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);

	for (unsigned i = 0; i < count; i++) {
		const struct run *r = runs[i];
		JsonObject *o = json_object_new(), *metrics = json_object_new();

		json_object_set_string_member(o, "directory", r->dir);
		json_object_set_string_member(o, "scenario", json_str(r->manifest, "scenario", ""));
		json_object_set_int_member(o, "seed", json_int(r->manifest, "seed", 0));
		json_object_set_string_member(o, "digest", json_str(r->manifest, "digest", ""));
		json_object_set_boolean_member(o, "partial", r->partial);
		json_object_set_boolean_member(o, "held", r->held);
		for (unsigned m = 0; m < r->metrics; m++)
			if (isfinite(r->metric[m].value))
				json_object_set_double_member(metrics, r->metric[m].name,
							      r->metric[m].value);
			else
				json_object_set_null_member(metrics, r->metric[m].name);
		json_object_set_object_member(o, "metrics", metrics);
		json_array_add_object_element(list, o);
	}
	json_object_set_array_member(root, "runs", list);
	json_node_take_object(node, root);
	return node;
}
