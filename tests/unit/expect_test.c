/* Promises are read strictly, compared exactly, and judged pass, fail, unknown or open. */
#include <string.h>

#include <CUnit/CUnit.h>
#include <glib.h>

#include "sim/record/expect.h"
#include "sim/record/summary.h"
#include "tests/unit/suites.h"

/* A finished run: 999 of 1000 lookups right, 10 latencies, 3 nodes then 5. */
static struct recorder *finished_run(const struct catalog *c)
{
	struct recorder_setup s = {
		.catalog = c, .shards = 2, .interval_ns = 10000000000, .until_ns = 20000000000,
	};
	struct recorder *r = recorder_new(&s, NULL);
	struct metrics *m = recorder_shard(r, 1);

	metrics_add(m, M_LOOKUP_JUDGED, 1000);
	metrics_add(m, M_LOOKUP_RIGHT, 999);
	for (int i = 1; i <= 10; i++)
		metrics_note(m, M_LOOKUP_HOPS, i);
	metrics_set(recorder_shard(r, 0), M_NODES_ALIVE, 3);
	recorder_row(r, recorder_due(r), NULL);
	metrics_set(recorder_shard(r, 0), M_NODES_ALIVE, 5);
	recorder_row(r, recorder_due(r), NULL);
	metrics_set(recorder_shard(r, 0), M_LINK_LENGTH_KS, 25000000);
	recorder_finish(r, NULL);
	return r;
}

static void lines_are_judged_as_they_say(void)
{
	static const struct {
		const char *metric, *value;
		enum judgement verdict;
	} the[] = {
		{ "lookup.right", ">= 99.9%", JUDGED_PASS },
		{ "lookup.right", ">=99.9 %", JUDGED_PASS },
		{ "lookup.right", ">= 0.999", JUDGED_PASS },
		{ "lookup.right", "> 99.9%", JUDGED_FAIL },
		{ "lookup.right", ">= 99.90000001%", JUDGED_FAIL },
		{ "lookup.right", "== 99.9%", JUDGED_PASS },
		{ "lookup.wrong", "<= 0%", JUDGED_PASS },
		{ "lookup.judged", "1000", JUDGED_PASS },
		{ "lookup.judged", "!= 1000", JUDGED_FAIL },
		{ "lookup.hops", "== 5.5", JUDGED_PASS },
		{ "lookup.hops.p95", "== 10", JUDGED_PASS },
		{ "lookup.hops.count", "< 11", JUDGED_PASS },
		{ "lookup.hops", "5 .. 5.5", JUDGED_PASS },
		{ "lookup.hops", "5.51 .. 6", JUDGED_FAIL },
		{ "lookup.hops", "5.4 +- 2%", JUDGED_PASS },
		{ "lookup.hops", "5.4 +- 1.8%", JUDGED_FAIL },
		{ "lookup.latency.p95", "<= 500ms", JUDGED_UNKNOWN },
		{ "ring.healed", "<= 60s", JUDGED_UNKNOWN },
		{ "ring.healed_s", "<= 1m", JUDGED_UNKNOWN },
		{ "nodes.alive", "== 4", JUDGED_PASS },
		{ "nodes.alive.min", ">= 3", JUDGED_PASS },
		{ "nodes.alive.last", "== 5", JUDGED_PASS },
		{ "link.length_ks", "<= 0.03", JUDGED_PASS },
		{ "link.length_ks", "<= 0.0249", JUDGED_FAIL },
		{ "oracle.violations", "0", JUDGED_PASS },
	};
	struct catalog *c = catalog_new();
	struct recorder *r = finished_run(c);
	struct summary *s = summary_new(r);

	for (size_t i = 0; i < G_N_ELEMENTS(the); i++) {
		struct expect e;
		char *why = expect_parse(&e, c, the[i].metric, the[i].value);

		CU_ASSERT_PTR_NULL(why);
		if (why) {
			g_printerr("%s = %s: %s\n", the[i].metric, the[i].value, why);
			g_free(why);
			continue;
		}
		expect_judge(&e, 1, s, false);
		CU_ASSERT_EQUAL(e.verdict, the[i].verdict);
		if (e.verdict != the[i].verdict)
			g_printerr("%s = %s: %s\n", the[i].metric, the[i].value,
				   judgement_text(e.verdict));
		CU_ASSERT_EQUAL(expect_held(&e, 1), the[i].verdict == JUDGED_PASS);
		expect_judge(&e, 1, s, true);
		CU_ASSERT_EQUAL(e.verdict, JUDGED_OPEN);
		CU_ASSERT_FALSE(expect_held(&e, 1));
		expect_done(&e);
	}
	summary_free(s);
	recorder_free(r);
	catalog_free(c);
}

static void bad_lines_are_refused_with_what_would_be_accepted(void)
{
	static const struct {
		const char *metric, *value, *says;
	} the[] = {
		{ "lookup.rihgt", ">= 99%", "did you mean lookup.right" },
		{ "", ">= 99%", "no metric" },
		{ ".p95", ">= 99%", "no metric" },
		{ "zzz", ">= 99%", "accepted" },
		{ "lookup.hops.p96", "<= 5", "accepted: mean min p50 p95" },
		{ "lookup.right.p95", ">= 5%", "is one number" },
		{ "lookup.right", "99.9%%", "share" },
		{ "lookup.right", ">= ", "share" },
		{ "lookup.right", "", "accepted" },
		{ "lookup.right", "about 5", "accepted" },
		{ "lookup.right", ">= 99.9x", "share" },
		{ "lookup.right", ">= 1234567890123456789%", "share" },
		{ "lookup.latency", "<= 500", "unit" },
		{ "lookup.hops", "<= 5ms", "number" },
		{ "lookup.hops", "6 .. 5", "ends before it begins" },
		{ "lookup.hops", "6 .. ", "number" },
		{ "lookup.hops", ".. 6", "number" },
		{ "lookup.hops", "6 +- 101%", "from 0% to 100%" },
		{ "lookup.hops", "6 +- -1%", "from 0% to 100%" },
	};
	struct catalog *c = catalog_new();

	for (size_t i = 0; i < G_N_ELEMENTS(the); i++) {
		struct expect e;
		char *why = expect_parse(&e, c, the[i].metric, the[i].value);

		CU_ASSERT_PTR_NOT_NULL_FATAL(why);
		CU_ASSERT_PTR_NOT_NULL(strstr(why, the[i].says));
		if (!strstr(why, the[i].says))
			g_printerr("%s = %s: %s\n", the[i].metric, the[i].value, why);
		g_free(why);
	}
	catalog_free(c);
}

static void every_verdict_must_be_pass(void)
{
	struct expect e[2] = { { .verdict = JUDGED_PASS }, { .verdict = JUDGED_PASS } };

	CU_ASSERT(expect_held(NULL, 0));
	CU_ASSERT(expect_held(e, 2));
	e[1].verdict = JUDGED_UNKNOWN;
	CU_ASSERT_FALSE(expect_held(e, 2));
}

CU_TestInfo expect_tests[] = {
	{ "lines are judged as they say", lines_are_judged_as_they_say },
	{ "bad lines are refused with what would be accepted",
	  bad_lines_are_refused_with_what_would_be_accepted },
	{ "every verdict must be pass", every_verdict_must_be_pass },
	CU_TEST_INFO_NULL
};
