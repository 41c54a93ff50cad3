/* A churn trace says who was there when; what is not one is refused with its line. */
#include "sim/world/trace.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>
#include <zlib.h>

#include "node/prog/units.h"
#include "sim/engine/chance.h"
#include "tests/unit/suites.h"

#define CENSUS "node,first_seen,last_seen,first_absent,left_censored,right_censored\n"

static const struct trace_window ALL = { .speed = 1, .scale_ppb = PPB_ONE, .seed = 1 };

static struct trace *parse(const char *text, const struct trace_window *w, struct fail *f)
{
	return trace_parse("t.csv", text, strlen(text), w, f);
}

static void sessions_come_out_in_the_time_of_the_run(void)
{
	struct trace_window w = ALL;
	struct fail f = { 0 };
	struct trace *t;

	t = parse("node,start,end\n7,100,200\n9,150,-1\n7,300,350\n", &w, &f);
	CU_ASSERT_FATAL(t != NULL);
	CU_ASSERT_EQUAL(trace_hosts(t), 2);
	CU_ASSERT_EQUAL(trace_first_ns(t, 0), 0);
	CU_ASSERT_EQUAL(trace_end_ns(t, 0, 0), 100 * NS_PER_S);
	CU_ASSERT_EQUAL(trace_start_ns(t, 0, 100 * NS_PER_S), 200 * NS_PER_S);
	CU_ASSERT_EQUAL(trace_end_ns(t, 0, 200 * NS_PER_S), 250 * NS_PER_S);
	CU_ASSERT_EQUAL(trace_start_ns(t, 0, 250 * NS_PER_S), INT64_MAX);
	CU_ASSERT_EQUAL(trace_first_ns(t, 1), 50 * NS_PER_S);
	CU_ASSERT_EQUAL(trace_end_ns(t, 1, 50 * NS_PER_S), INT64_MAX);
	CU_ASSERT_EQUAL(trace_alive(t, 60 * NS_PER_S), 2);
	trace_free(t);

	/* from 120 s after the first, 100 s long, ten times as fast */
	w.start_ns = 40 * NS_PER_S;
	w.length_ns = 100 * NS_PER_S;
	w.speed = 10;
	t = parse("node,start,end\n7,100,200\n9,150,-1\n7,300,350\n5,100,120\n", &w, &f);
	CU_ASSERT_FATAL(t != NULL);
	CU_ASSERT_EQUAL(trace_hosts(t), 2);
	CU_ASSERT_EQUAL(trace_end_ns(t, 0, 0), 6 * NS_PER_S);
	CU_ASSERT_EQUAL(trace_start_ns(t, 0, 6 * NS_PER_S), INT64_MAX);
	CU_ASSERT_EQUAL(trace_first_ns(t, 1), NS_PER_S);
	trace_free(t);
	CU_ASSERT_FALSE(failed(&f));
}

/* 500 nodes that are all first seen at the same census, and leave at the same one. */
static void times_of_a_census_are_spread_over_the_hour_before_it(void)
{
	struct trace_window w = ALL;
	struct fail f = { 0 };
	GString *text = g_string_new(CENSUS "0,1000000,2000000,-1,1,1\n");
	unsigned quarter[4] = { 0 };
	struct trace *t;

	for (int i = 1; i <= 4000; i++)
		g_string_append_printf(text, "%d,1007200,1010800,1014400,0,0\n", i);
	w.spread_ns = NS_PER_H;
	t = parse(text->str, &w, &f);
	CU_ASSERT_FATAL(t != NULL);
	CU_ASSERT_EQUAL(trace_hosts(t), 4001);
	CU_ASSERT_EQUAL(trace_first_ns(t, 0), 0);
	for (uint32_t i = 1; i <= 4000; i++) {
		int64_t start = trace_first_ns(t, i), end = trace_end_ns(t, i, start);

		CU_ASSERT(start > 3600 * NS_PER_S && start <= 7200 * NS_PER_S);
		CU_ASSERT(end > 10800 * NS_PER_S && end <= 14400 * NS_PER_S);
		quarter[(start - 3600 * NS_PER_S - 1) / (900 * NS_PER_S)]++;
	}
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT(quarter[i] > 880 && quarter[i] < 1120);	/* 1000 +- 4 sigma */
	trace_free(t);
	g_string_free(text, TRUE);
}

static void a_share_of_the_identities_takes_part(void)
{
	struct trace_window w = ALL;
	struct fail f = { 0 };
	GString *text = g_string_new("node,start,end\n");
	struct trace *t;

	for (int i = 0; i < 10000; i++)
		g_string_append_printf(text, "%d,%d,%d\n", i, i, i + 10);
	w.scale_ppb = PPB_ONE / 4;
	t = parse(text->str, &w, &f);
	CU_ASSERT_FATAL(t != NULL);
	CU_ASSERT(trace_hosts(t) > 2320 && trace_hosts(t) < 2680);
	trace_free(t);
	g_string_free(text, TRUE);
}

static void what_is_no_trace_is_refused_with_its_line(void)
{
	static const struct { const char *text, *says; } bad[] = {
		{ "", "t.csv:1:" },
		{ "nonsense\n", "t.csv:1:" },
		{ CENSUS, "no session follows" },
		{ CENSUS "1,2,3\n", "t.csv:2: not a session" },
		{ CENSUS "1,100,200,300,0,0\n2,100,200,x,0,0\n", "t.csv:3: not a session" },
		{ CENSUS "1,100,200,300,0,0,\n", "t.csv:2: not a session" },
		{ CENSUS "1,100,200,300,0,0,9\n", "t.csv:2: not a session" },
		{ CENSUS "1,100,200,300,2,0\n", "t.csv:2: a flag that is none" },
		{ CENSUS "1,300,200,400,0,0\n", "t.csv:2: a session that ends before it began" },
		{ CENSUS "1,100,200,150,0,0\n", "t.csv:2: a session that ends before it began" },
		{ CENSUS "-1,100,200,300,0,0\n", "t.csv:2: a number out of range" },
		{ CENSUS "1,100,99999999999,-1,0,0\n", "t.csv:2: a number out of range" },
		{ CENSUS "1,100,200,300000000000000000000000,0,0\n", "t.csv:2: not a session" },
		{ CENSUS "1,100,200,300,0,0\n2,100,200,300,0,0\n1,250,260,270,0,0\n", "t.csv:4: node 1 starts before" },
		{ CENSUS "1,100,200,-1,0,0\n1,400,500,600,0,0\n", "t.csv:3: node 1 starts before" },
		{ "node,start,end\n1,5,5\n", "t.csv:2: a session that ends before" },
		{ "node,start,end\n\n", "t.csv:2: not a session" },
		{ "node,start,end\n1,5,\n", "t.csv:2: not a session" },
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
		struct fail f = { 0 };

		CU_ASSERT_PTR_NULL(parse(bad[i].text, &ALL, &f));
		CU_ASSERT_FATAL(failed(&f));
		CU_ASSERT(strstr(f.text[0], bad[i].says) != NULL);
		CU_ASSERT(strstr(f.text[0], "accepted:") != NULL);
		fail_done(&f);
	}
}

static void an_empty_window_is_refused(void)
{
	struct trace_window w = ALL;
	struct fail f = { 0 };

	w.start_ns = 1000 * NS_PER_S;
	CU_ASSERT_PTR_NULL(parse("node,start,end\n1,5,10\n", &w, &f));
	CU_ASSERT(failed(&f));
	fail_done(&f);
}

static void files_may_be_gzipped_but_not_cut_off(void)
{
	static const char text[] = "node,start,end\n1,5,10\n2,6,11\n";
	char path[] = "/tmp/weft-trace-XXXXXX", whole[512];
	struct fail f = { 0 };
	struct trace *t;
	gzFile gz;
	FILE *file;
	size_t len;

	close(mkstemp(path));
	gz = gzopen(path, "wb");
	gzwrite(gz, text, sizeof(text) - 1);
	gzclose(gz);
	t = trace_load(path, &ALL, &f);
	CU_ASSERT_FATAL(t != NULL);
	CU_ASSERT_EQUAL(trace_hosts(t), 2);
	trace_free(t);
	file = fopen(path, "rb");
	len = fread(whole, 1, sizeof(whole), file);
	fclose(file);
	file = fopen(path, "wb");
	fwrite(whole, 1, len - 6, file);
	fclose(file);
	CU_ASSERT_PTR_NULL(trace_load(path, &ALL, &f));
	CU_ASSERT(failed(&f) && strstr(f.text[0], path));
	fail_done(&f);
	unlink(path);
	CU_ASSERT_PTR_NULL(trace_load(path, &ALL, &f));
	CU_ASSERT(failed(&f) && strstr(f.text[0], path));
	fail_done(&f);
}

CU_TestInfo trace_tests[] = {
	{ "sessions come out in the time of the run", sessions_come_out_in_the_time_of_the_run },
	{ "times of a census are spread over the hour before it", times_of_a_census_are_spread_over_the_hour_before_it },
	{ "a share of the identities takes part", a_share_of_the_identities_takes_part },
	{ "what is no trace is refused with its line", what_is_no_trace_is_refused_with_its_line },
	{ "an empty window is refused", an_empty_window_is_refused },
	{ "files may be gzipped but not cut off", files_may_be_gzipped_but_not_cut_off },
	CU_TEST_INFO_NULL
};
