/*
 * Every scenario we ship can be run: it reads, its expectations name metrics
 * that exist, and its first comment says what should be seen.
 *
 * Looks for scenarios/ in the working directory, which is the top of the tree.
 */
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "node/prog/json.h"
#include "node/prog/scenario.h"
#include "sim/record/catalog.h"
#include "sim/check/check.h"
#include "sim/record/expect.h"
#include "sim/world/world.h"
#include "tests/unit/suites.h"

static char *check(void *catalog, const char *metric, const char *text)
{
	struct expect e;
	char *why = expect_parse(&e, catalog, metric, text);

	if (!why)
		expect_done(&e);
	return why;
}

/* Networks, guests and leases bring metrics of their own, and so do their oracles: those of the world that would run. */
static void expectations(struct scenario *s, struct fail *f)
{
	struct world_setup set = { .scenario = s, .seed = 1 };
	struct world *w = s->network.count ? world_new(&set, f) : NULL;
	struct check *oracles = w ? check_new(w, f) : NULL;
	struct catalog *c = w ? world_catalog(w) : catalog_new();

	CU_ASSERT_TRUE(scenario_expectations(s, check, c, f));
	check_free(oracles);
	if (w)
		world_free(w);
	else
		catalog_free(c);
}

static void look_at(const char *path)
{
	struct fail f = { 0 };
	struct scenario *s = scenario_load(path, NULL, 0, &f);
	size_t len;
	char *text = file_read(path, SCHEMA_FILE_MAX, &len, &f);

	CU_ASSERT_PTR_NOT_NULL(s);
	CU_ASSERT_TRUE_FATAL(text && g_str_has_prefix(text, "# "));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "To be seen"));
	if (s) {
		expectations(s, &f);
		CU_ASSERT_TRUE(s->expect.count > 0);
		CU_ASSERT_TRUE(*s->run.title != 0);
	}
	if (failed(&f))
		fail_print(&f);
	fail_done(&f);
	scenario_free(s);
	g_free(text);
}

static void shipped_scenarios_read_and_expect_what_is_measured(void)
{
	GDir *dir = g_dir_open("scenarios", 0, NULL);
	const char *name;
	unsigned count = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
	while ((name = g_dir_read_name(dir))) {
		char *path = g_build_filename("scenarios", name, NULL);

		if (g_str_has_suffix(name, ".ini")) {
			look_at(path);
			count++;
		}
		g_free(path);
	}
	g_dir_close(dir);
	CU_ASSERT_TRUE(count >= 10);
}

CU_TestInfo scenarios_tests[] = {
	{ "shipped scenarios read and expect what is measured",
	  shipped_scenarios_read_and_expect_what_is_measured },
	CU_TEST_INFO_NULL
};
