/* Reports need nothing but themselves, hold every figure, and refuse what is no run. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CUnit/CUnit.h>

#include "analysis/figures.h"
#include "analysis/report.h"
#include "analysis/values.h"
#include "tests/unit/made_run.h"
#include "tests/unit/suites.h"

static char *at(const char *dir, const char *name)
{
	return g_build_filename(dir, name, NULL);
}

static char *contents(const char *dir, const char *name)
{
	char *path = at(dir, name), *text = NULL;

	g_file_get_contents(path, &text, NULL, NULL);
	g_free(path);
	return text;
}

static void put(const char *dir, const char *name, const char *text)
{
	char *path = at(dir, name);

	CU_ASSERT_FATAL(g_file_set_contents(path, text, -1, NULL));
	g_free(path);
}

/* Replace the first @from in file @name of @dir. */
static void change(const char *dir, const char *name, const char *from, const char *to)
{
	GString *s;
	char *text = contents(dir, name);

	CU_ASSERT_FATAL(text && strstr(text, from));
	s = g_string_new(text);
	g_string_replace(s, from, to, 1);
	put(dir, name, s->str);
	g_string_free(s, TRUE);
	g_free(text);
}

static int command(const char *a, const char *b, const char *c, const char *d)
{
	char *argv[] = { (char *)"weft-report", (char *)"-q", (char *)a, (char *)b, (char *)c,
			 (char *)d, NULL };
	int argc = 2;

	while (argv[argc])
		argc++;
	return report_command(argc, argv);
}

static char *made(const char *place, const char *name, uint64_t seed, int64_t minutes)
{
	struct made_run run = { .seed = seed, .shards = 2, .minutes = minutes };
	char *dir = at(place, name);

	CU_ASSERT_FATAL(made_run_write(&run, dir, NULL));
	return dir;
}

/* Nothing in the page makes a browser look elsewhere. */
static void check_alone(const char *html)
{
	static const char *const lures[] = {
		"<script", "<link", "<img", "<iframe", "<object", " src=", "@import", "url(h",
		"javascript:", "file:",
	};
	const char *p = html;

	for (size_t i = 0; i < G_N_ELEMENTS(lures); i++)
		CU_ASSERT_PTR_NULL(strstr(html, lures[i]));
	/* addresses only as names of XML languages */
	while ((p = strstr(p, "://"))) {
		CU_ASSERT(!strncmp(p, "://www.w3.org/", 14));
		p++;
	}
	for (p = html; (p = strstr(p, "href=")); p++)
		CU_ASSERT(p[6] == '#');
}

static void check_svg(const char *dir, const char *name)
{
	static const GMarkupParser nothing;
	GMarkupParseContext *c = g_markup_parse_context_new(&nothing, 0, NULL, NULL);
	char *file = g_strdup_printf("figures/%s.svg", name), *svg = contents(dir, file);

	CU_ASSERT_PTR_NOT_NULL_FATAL(svg);
	CU_ASSERT(g_markup_parse_context_parse(c, svg, -1, NULL));
	CU_ASSERT(g_markup_parse_context_end_parse(c, NULL));
	CU_ASSERT_PTR_NOT_NULL(strstr(svg, "<path"));
	g_markup_parse_context_free(c);
	g_free(svg);
	g_free(file);
}

static unsigned figures_in(const char *html)
{
	unsigned n = 0;

	while ((html = strstr(html, "<figure "))) {
		html++;
		n++;
	}
	return n;
}

static void a_report_needs_nothing_else_and_holds_every_figure(void)
{
	static const char *const words[] = {
		"made", "00112233445566778899aabbccddeeff", "v0-test", "scenarios/made.ini",
		"partition", "lookup.latency_ms.p95", "&lt;= 600ms", "duration = 1h", "broken",
		"Figure 8.",
	};
	char *place = made_place(), *dir = made(place, "run", 1, 60), *html;

	CU_ASSERT_EQUAL(command(dir, NULL, NULL, NULL), EXIT_HELD);
	html = contents(dir, "report.html");
	CU_ASSERT_PTR_NOT_NULL_FATAL(html);
	check_alone(html);
	CU_ASSERT_EQUAL(figures_in(html), figure_count);
	for (unsigned i = 0; i < figure_count; i++) {
		char *id = g_strdup_printf("<figure id=\"%s\">\n<svg", figures[i].name);

		CU_ASSERT_PTR_NOT_NULL(strstr(html, id));
		check_svg(dir, figures[i].name);
		g_free(id);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		CU_ASSERT_PTR_NOT_NULL(strstr(html, words[i]));
	CU_ASSERT_PTR_NULL(strstr(html, "the run was interrupted"));
	g_free(html);
	made_remove(place);
	g_free(dir);
	g_free(place);
}

static void an_interrupted_run_is_called_partial(void)
{
	char *place = made_place(), *dir = made(place, "run", 1, 15), *html;

	CU_ASSERT_EQUAL(command(dir, NULL, NULL, NULL), EXIT_HELD);
	html = contents(dir, "report.html");
	CU_ASSERT_PTR_NOT_NULL(strstr(html, "partial: the run was interrupted"));
	CU_ASSERT_PTR_NOT_NULL(strstr(html, "not judged"));
	g_free(html);
	made_remove(place);
	g_free(dir);
	g_free(place);
}

static void runs_are_compared_side_by_side(void)
{
	char *place = made_place(), *a = made(place, "old", 1, 60), *b = made(place, "new", 2, 60);
	char *out = at(place, "both"), *html;

	CU_ASSERT_EQUAL(command(a, b, "-o", out), EXIT_HELD);
	html = contents(out, "report.html");
	CU_ASSERT_PTR_NOT_NULL_FATAL(html);
	check_alone(html);
	CU_ASSERT_EQUAL(figures_in(html), figure_count);
	CU_ASSERT_PTR_NOT_NULL(strstr(html, "Difference"));
	CU_ASSERT_PTR_NOT_NULL(strstr(html, "old (median"));
	CU_ASSERT_PTR_NOT_NULL(strstr(html, "new (median"));
	g_free(html);
	/* several reports have no place of their own */
	CU_ASSERT_EQUAL(command(a, b, NULL, NULL), EXIT_UNABLE);
	made_remove(place);
	g_free(out);
	g_free(a);
	g_free(b);
	g_free(place);
}

static void labels_tell_runs_apart(void)
{
	struct run a = { .dir = (char *)"x/one/run/" }, b = { .dir = (char *)"x/two/run" };
	struct run c = { .dir = (char *)"x/two/run" }, *all[] = { &a, &b, &c };

	run_label(all, 2);
	CU_ASSERT_STRING_EQUAL(a.label, "one/run");
	CU_ASSERT_STRING_EQUAL(b.label, "two/run");
	run_label(all, 3);
	CU_ASSERT_STRING_EQUAL(b.label, "2: x/two/run");
	CU_ASSERT_STRING_EQUAL(c.label, "3: x/two/run");
	for (int i = 0; i < 3; i++)
		g_free(all[i]->label);
}

static void what_was_not_measured_is_left_out(void)
{
	char *place = made_place(), *dir = made(place, "run", 1, 15), *html;
	char *samples = at(dir, "samples");

	made_remove(samples);
	put(dir, "series.csv", "time_s,interval_s,warmup,lookup.judged,lookup.right\n10,10,0,0,\n");
	CU_ASSERT_EQUAL(command(dir, NULL, NULL, NULL), EXIT_HELD);
	html = contents(dir, "report.html");
	CU_ASSERT_EQUAL(figures_in(html), 1);		/* traffic is in the summary */
	CU_ASSERT_PTR_NULL(strstr(html, ">nan"));
	g_free(html);
	made_remove(place);
	g_free(samples);
	g_free(dir);
	g_free(place);
}

static void sweeps_have_means_and_intervals(void)
{
	static const double one_to_five[] = { 4, 1, NAN, 3, 5, 2 };
	struct interval v = interval_of(one_to_five, 6);
	char *place = made_place(), *html;
	struct grid *s;
	struct fail f = { 0 };

	/* t(0.975, 4) = 2.776445, standard deviation 1.581139 */
	CU_ASSERT_EQUAL(v.count, 5);
	CU_ASSERT_DOUBLE_EQUAL(v.mean, 3, 1e-12);
	CU_ASSERT_DOUBLE_EQUAL(v.half, 2.776445105 * 1.581138830 / sqrt(5), 1e-8);
	v = interval_of(one_to_five, 1);
	CU_ASSERT(v.count == 1 && v.mean == 4 && isnan(v.half));
	CU_ASSERT(isnan(interval_of(one_to_five + 2, 1).mean));

	put(place, "sweep.csv", "ring.long,net.loss,seed,lookup.right,lookup.hops.mean\n"
				"4,1%,1,0.99,4\n4,1%,2,0.98,6\n8,1%,1,0.97,3\n8,1%,2,,3.5\n"
				"4,5%,1,0.9,7\n");
	s = grid_read(place, &f);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_EQUAL(s->points, 3);
	CU_ASSERT_STRING_EQUAL(s->point[2].label, "ring.long = 4, net.loss = 5%");
	CU_ASSERT_DOUBLE_EQUAL(grid_interval(s, 0, 4).mean, 5, 1e-12);
	CU_ASSERT_EQUAL(grid_interval(s, 1, 3).count, 1);
	grid_free(s);
	CU_ASSERT_EQUAL(command(place, NULL, NULL, NULL), EXIT_HELD);
	html = contents(place, "report.html");
	CU_ASSERT_PTR_NOT_NULL_FATAL(html);
	check_alone(html);
	CU_ASSERT_EQUAL(figures_in(html), 2);
	check_svg(place, "lookup.hops.mean");
	CU_ASSERT_PTR_NOT_NULL(strstr(html, "5 ± 12.7"));
	g_free(html);
	made_remove(place);
	g_free(place);
}

static void a_sweep_without_numbers_has_an_axis_of_names(void)
{
	char *place = made_place(), *script;

	put(place, "sweep.csv", "churn.preset,seed,lookup.right\nkad,1,0.99\n\"b'`t, x\",1,0.98\n");
	CU_ASSERT_EQUAL(command(place, NULL, NULL, NULL), EXIT_HELD);
	script = contents(place, "figures/lookup.right.gp");
	CU_ASSERT_PTR_NOT_NULL(strstr(script, "set xtics noenhanced ('kad' 0, 'b\u2019`t, x' 1)"));
	check_svg(place, "lookup.right");
	g_free(script);
	made_remove(place);
	g_free(place);
}

static void bad_sweeps_are_refused(void)
{
	static const struct {
		const char *text, *says;
	} the[] = {
		{ "", "empty" },
		{ "a,b\n", "no column \"seed\"" },
		{ "a,seed\n1,1\n", "no metrics after" },
		{ "a,seed,x\n", "only a header" },
		{ "a,seed,x\n1,1\n", ":2: 2 cells where the header has 3" },
		{ "a,seed,x\n1,1,inf\n", "'inf' is no number" },
		{ "a,seed,x\n1,1,0x10\n", "'0x10' is no number" },
		{ "a,seed,x\n1,1,\"2\n", "a quote is not closed" },
		{ "a,seed,x\n1,1,\"2\"3\n", "after the end of a cell" },
		{ "a,,x\n", "column 2 has no name" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(the); i++) {
		struct fail f = { 0 };
		struct csv *c = csv_parse("sweep.csv", the[i].text, strlen(the[i].text), &f);
		struct grid *s = c ? grid_of("d", c, &f) : NULL;

		CU_ASSERT_PTR_NULL(s);
		CU_ASSERT_FATAL(f.count == 1);
		CU_ASSERT_PTR_NOT_NULL(strstr(f.text[0], the[i].says));
		if (!strstr(f.text[0], the[i].says))
			g_printerr("%s\n", f.text[0]);
		fail_done(&f);
	}
}

static void bad_runs_are_refused_with_one_message(void)
{
	static const struct {
		const char *file, *from, *to, *says;
	} the[] = {
		{ "manifest.json", "\"reached_s\": 900", "\"reached_s\": \"x\"", "reached_s" },
		{ "manifest.json", "}", "", "not JSON" },
		{ "summary.json", "\"faults\": [", "\"falts\": [", "\"faults\" is missing" },
		{ "summary.json", "\"expect\": [\n    {", "\"expect\": [\n 7, {", "expect[]" },
		{ "summary.json", "\"metrics\": {", "\"metrics\": 7, \"m\": {", "\"metrics\"" },
		{ "series.csv", "time_s,", "time_ms,", "first columns" },
		{ "series.csv", "\n10,10,1,", "\n10,ten,1,", "column interval_s: 'ten'" },
		{ "series.csv", "\n10,10,1,", "\n10,1,", ":2: " },
		{ "samples/lookup.hops.csv", "from,to,", "from,", "lookup.hops.csv:2" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(the); i++) {
		char *place = made_place(), *dir = made(place, "run", 1, 15);
		struct fail f = { 0 };

		change(dir, the[i].file, the[i].from, the[i].to);
		CU_ASSERT_PTR_NULL(run_read(dir, &f));
		CU_ASSERT_FATAL(f.count == 1);
		CU_ASSERT_PTR_NOT_NULL(strstr(f.text[0], the[i].says));
		CU_ASSERT_PTR_NOT_NULL(strstr(f.text[0], dir));
		if (!strstr(f.text[0], the[i].says))
			g_printerr("%s: %s\n", the[i].file, f.text[0]);
		fail_done(&f);
		made_remove(place);
		g_free(dir);
		g_free(place);
	}
}

static void what_is_no_run_is_refused(void)
{
	char *place = made_place(), *left = at(place, "run.partial"), *deep;
	struct fail f = { 0 };

	CU_ASSERT_PTR_NULL(run_read("/nowhere/run", &f));
	CU_ASSERT(f.count == 1 && strstr(f.text[0], "/nowhere/run"));
	fail_done(&f);
	CU_ASSERT_PTR_NULL(run_read("/dev/null", &f));
	CU_ASSERT(f.count == 1 && strstr(f.text[0], "/dev/null"));
	fail_done(&f);
	CU_ASSERT_PTR_NULL(run_read(place, &f));
	CU_ASSERT(f.count == 1 && strstr(f.text[0], "no manifest.json"));
	fail_done(&f);
	CU_ASSERT_FATAL(!mkdir(left, 0777));
	CU_ASSERT_PTR_NULL(run_read(left, &f));
	CU_ASSERT(f.count == 1 && strstr(f.text[0], "still going, or was killed"));
	fail_done(&f);
	/* a file of brackets must not become our stack */
	deep = g_strnfill(1000000, '[');
	CU_ASSERT_PTR_NULL(run_json("deep.json", deep, 1000000, &f));
	CU_ASSERT(f.count == 1 && strstr(f.text[0], "nested deeper"));
	fail_done(&f);
	g_free(deep);
	made_remove(place);
	g_free(left);
	g_free(place);
}

static void names_from_files_cannot_run_anything(void)
{
	char *place = made_place(), *dir = made(place, "run", 1, 60), *html, *trap = at(place, "trap");
	char *evil = g_strdup_printf("\"name\": \"'; system('touch %s') # `touch %s`\\n<b>{/:Bold x}\"",
				     trap, trap);

	change(dir, "summary.json", "\"name\": \"fault.1\"", evil);
	change(dir, "summary.json", "\"kind\": \"partition\"", "\"kind\": \"@x `touch trap` $(x)\"");
	CU_ASSERT_EQUAL(command(dir, NULL, NULL, NULL), EXIT_HELD);
	CU_ASSERT_FALSE(g_file_test(trap, G_FILE_TEST_EXISTS));
	html = contents(dir, "report.html");
	CU_ASSERT_PTR_NOT_NULL_FATAL(html);
	CU_ASSERT_PTR_NULL(strstr(html, "<b>{"));
	check_svg(dir, "lookups");
	g_free(html);
	made_remove(place);
	g_free(evil);
	g_free(trap);
	g_free(dir);
	g_free(place);
}

static void without_gnuplot_one_message_says_so(void)
{
	char *place = made_place(), *dir = made(place, "run", 1, 15);
	char *path = g_strdup(g_getenv("PATH"));
	struct fail f = { 0 };
	struct run *r = run_read(dir, &f);
	const struct run *all[] = { r };

	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	run_label(&r, 1);
	g_setenv("PATH", "/nowhere", TRUE);
	CU_ASSERT_FALSE(report_runs(all, 1, dir, &f));
	g_setenv("PATH", path, TRUE);
	CU_ASSERT(f.count == 1 && strstr(f.text[0], "gnuplot is not installed"));
	CU_ASSERT_PTR_NULL(contents(dir, "report.html"));
	fail_done(&f);
	/* nor without a place to write */
	CU_ASSERT_FALSE(report_runs(all, 1, "/proc/nowhere", &f));
	CU_ASSERT_EQUAL(f.count, 1);
	fail_done(&f);
	run_free(r);
	made_remove(place);
	g_free(path);
	g_free(dir);
	g_free(place);
}

static void programs_get_the_same_numbers(void)
{
	char *place = made_place(), *dir = made(place, "run", 1, 60);
	struct run *r = run_read(dir, NULL);
	const struct run *all[] = { r };
	JsonNode *node;
	JsonObject *o;

	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	node = report_runs_json(all, 1);
	o = json_array_get_object_element(
		json_object_get_array_member(json_node_get_object(node), "runs"), 0);
	CU_ASSERT_EQUAL(json_object_get_int_member(o, "seed"), 1);
	o = json_object_get_object_member(o, "metrics");
	CU_ASSERT(json_object_get_double_member(o, "lookup.right") ==
		  run_metric(r, "lookup.right"));
	CU_ASSERT(run_metric(r, "lookup.right") > 0.9);
	CU_ASSERT(isnan(run_metric(r, "lookup.nothing")));
	json_node_unref(node);
	run_free(r);
	made_remove(place);
	g_free(dir);
	g_free(place);
}

static void values_read_well(void)
{
	static const struct {
		double v;
		const char *unit, *text;
	} the[] = {
		{ 1, "share", "100 %" },
		{ 0.99999999, "share", "99.9999 %" },
		{ 1e-9, "share", "<0.0001 %" },
		{ 0, "share", "0 %" },
		{ 223.87, "ms", "223.9 ms" },
		{ 1234567, "", "1,234,567" },
		{ 999.96, "", "1,000" },
		{ 0.0173, "", "0.0173" },
		{ -1234.5, "", "-1,234" },
		{ NAN, "ms", "-" },
	};
	char buf[VALUE_LEN];

	for (size_t i = 0; i < G_N_ELEMENTS(the); i++) {
		CU_ASSERT_STRING_EQUAL(value_text(the[i].v, the[i].unit, buf), the[i].text);
		if (strcmp(buf, the[i].text))
			g_printerr("%s instead of %s\n", buf, the[i].text);
	}
	CU_ASSERT_STRING_EQUAL(value_difference(0.99, 0.98, "share", buf), "-1.0000 points");
	CU_ASSERT_STRING_EQUAL(value_difference(200, 100, "ms", buf), "-50.0 %");
	CU_ASSERT_STRING_EQUAL(value_difference(5, 5, "ms", buf), "same");
	CU_ASSERT_STRING_EQUAL(value_difference(NAN, 5, "ms", buf), "");
}

CU_TestInfo report_tests[] = {
	{ "a report needs nothing else and holds every figure",
	  a_report_needs_nothing_else_and_holds_every_figure },
	{ "an interrupted run is called partial", an_interrupted_run_is_called_partial },
	{ "runs are compared side by side", runs_are_compared_side_by_side },
	{ "labels tell runs apart", labels_tell_runs_apart },
	{ "what was not measured is left out", what_was_not_measured_is_left_out },
	{ "sweeps have means and intervals", sweeps_have_means_and_intervals },
	{ "a sweep without numbers has an axis of names",
	  a_sweep_without_numbers_has_an_axis_of_names },
	{ "bad sweeps are refused", bad_sweeps_are_refused },
	{ "bad runs are refused with one message", bad_runs_are_refused_with_one_message },
	{ "what is no run is refused", what_is_no_run_is_refused },
	{ "names from files cannot run anything", names_from_files_cannot_run_anything },
	{ "without gnuplot one message says so", without_gnuplot_one_message_says_so },
	{ "programs get the same numbers", programs_get_the_same_numbers },
	{ "values read well", values_read_well },
	CU_TEST_INFO_NULL
};
