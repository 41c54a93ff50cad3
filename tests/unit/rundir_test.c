/* A run directory is whole or not there; the same run leaves the same bytes. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CUnit/CUnit.h>
#include <json-glib/json-glib.h>

#include "tests/unit/made_run.h"
#include "tests/unit/suites.h"

static char *at(const char *dir, const char *name)
{
	return g_build_filename(dir, name, NULL);
}

static bool exists(const char *dir, const char *name)
{
	char *path = at(dir, name);
	bool yes = g_file_test(path, G_FILE_TEST_EXISTS);

	g_free(path);
	return yes;
}

static char *contents(const char *dir, const char *name)
{
	char *path = at(dir, name), *text = NULL;

	g_file_get_contents(path, &text, NULL, NULL);
	g_free(path);
	return text;
}

static bool says(const struct fail *f, const char *what)
{
	return f->count == 1 && strstr(f->text[0], what);
}

static void a_run_leaves_all_its_files(void)
{
	static const char *const files[] = {
		"manifest.json", "summary.json", "series.csv", "samples/lookup.hops.csv",
		"samples/lookup.latency_ms.csv", "samples/join.time_s.csv",
		"samples/death.noticed_s.csv", "samples/maintenance.bytes_per_node_s.csv",
	};
	char *place = made_place(), *dir = at(place, "a/b/run/");
	struct made_run run = { .seed = 1, .shards = 1, .minutes = 60 };
	struct fail f = { 0 };

	CU_ASSERT(made_run_write(&run, dir, &f));
	CU_ASSERT_FALSE(failed(&f));
	for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
		CU_ASSERT(exists(dir, files[i]));
	CU_ASSERT_FALSE(exists(place, "a/b/run.partial"));
	made_remove(place);
	g_free(dir);
	g_free(place);
}

static void shards_do_not_show_in_the_results(void)
{
	static const char *const files[] = {
		"summary.json", "series.csv", "samples/lookup.latency_ms.csv",
	};
	char *place = made_place(), *one = at(place, "one"), *seven = at(place, "seven");
	struct made_run run = { .seed = 3, .shards = 1, .minutes = 60 };

	CU_ASSERT_FATAL(made_run_write(&run, one, NULL));
	run.shards = 7;
	CU_ASSERT_FATAL(made_run_write(&run, seven, NULL));
	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		char *a = contents(one, files[i]), *b = contents(seven, files[i]);

		CU_ASSERT_FATAL(a && b);
		CU_ASSERT_STRING_EQUAL(a, b);
		g_free(a);
		g_free(b);
	}
	made_remove(place);
	g_free(one);
	g_free(seven);
	g_free(place);
}

static JsonObject *json_of(JsonParser *p, const char *dir, const char *name)
{
	char *path = at(dir, name);

	CU_ASSERT_FATAL(json_parser_load_from_file(p, path, NULL));
	g_free(path);
	return json_node_get_object(json_parser_get_root(p));
}

static void the_json_is_json_and_says_what_happened(void)
{
	char *place = made_place(), *dir = at(place, "run"), *data = at(place, "m\"atrix.csv");
	struct manifest_file file = { data, "net.file" };
	struct made_run run = { .seed = UINT64_C(9007199254740993), .shards = 2, .minutes = 60,
				.files = &file, .file_count = 1 };
	JsonParser *p = json_parser_new();
	JsonObject *o, *metrics;

	CU_ASSERT_FATAL(g_file_set_contents(data, "abc", 3, NULL));
	CU_ASSERT_FATAL(made_run_write(&run, dir, NULL));
	o = json_of(p, dir, "manifest.json");
	CU_ASSERT_FALSE(json_object_get_boolean_member(o, "partial"));
	CU_ASSERT_EQUAL(json_object_get_int_member(o, "seed"), 9007199254740993);
	CU_ASSERT_STRING_EQUAL(json_object_get_string_member(o, "scenario_text"),
			       "[run]\nduration = 1h\n\n[nodes]\ncount = 1000\n");
	CU_ASSERT_EQUAL(json_array_get_length(json_object_get_array_member(o, "command")), 3);
	o = json_array_get_object_element(json_object_get_array_member(o, "files"), 0);
	CU_ASSERT_STRING_EQUAL(json_object_get_string_member(o, "path"), data);
	/* b2sum -l 256 of "abc" */
	CU_ASSERT_STRING_EQUAL(json_object_get_string_member(o, "blake2b"),
			       "bddd813c634239723171ef3fee98579b"
			       "94964e3bb1cb3e427262c8c068d52319");
	o = json_of(p, dir, "summary.json");
	metrics = json_object_get_object_member(o, "metrics");
	CU_ASSERT(json_object_get_double_member(metrics, "ring.healed_s") == 41.7);
	CU_ASSERT(json_object_get_double_member(metrics, "link.length_ks") == 0.017);
	CU_ASSERT_FALSE(json_object_has_member(metrics, "sim.rate"));
	CU_ASSERT(json_object_get_double_member(metrics, "steps.per_node_s") == 1.5);
	CU_ASSERT_EQUAL(json_array_get_length(json_object_get_array_member(o, "faults")), 2);
	CU_ASSERT_EQUAL(json_array_get_length(json_object_get_array_member(o, "expect")), 5);
	CU_ASSERT_EQUAL(json_object_get_boolean_member(o, "held"), run.held);
	g_object_unref(p);
	made_remove(place);
	g_free(data);
	g_free(dir);
	g_free(place);
}

static void the_warm_up_has_rows_but_no_part_in_the_results(void)
{
	struct catalog *c = catalog_new();
	struct recorder_setup s = {
		.catalog = c, .shards = 1, .warmup_ns = 25, .interval_ns = 10, .until_ns = 47,
	};
	struct recorder *r = recorder_new(&s, NULL);
	static const int64_t due[] = { 10, 20, 25, 30, 40, 47, INT64_MAX };

	for (size_t i = 0; i < G_N_ELEMENTS(due); i++) {
		CU_ASSERT_EQUAL_FATAL(recorder_due(r), due[i]);
		if (due[i] == INT64_MAX)
			break;
		metrics_add(recorder_shard(r, 0), M_STEPS, due[i]);
		metrics_set(recorder_shard(r, 0), M_NODES_ALIVE, due[i]);
		CU_ASSERT(recorder_row(r, due[i], NULL));
	}
	CU_ASSERT_EQUAL(recorder_warmup(r)->cell[M_STEPS], 10 + 20 + 25);
	CU_ASSERT_EQUAL(recorder_total(r)->cell[M_STEPS], 30 + 40 + 47);
	CU_ASSERT_EQUAL(recorder_level(r, M_NODES_ALIVE)->least, 30);
	CU_ASSERT_EQUAL(recorder_level(r, M_NODES_ALIVE)->span_ns, 22);
	CU_ASSERT(recorder_level(r, M_NODES_ALIVE)->area == 30 * 5 + 40 * 10 + 47 * 7);
	recorder_free(r);
	catalog_free(c);
}

static void an_interrupted_run_is_whole_and_marked_partial(void)
{
	char *place = made_place(), *dir = at(place, "run"), *text;
	struct made_run run = { .seed = 1, .shards = 1, .minutes = 20 };

	CU_ASSERT_FATAL(made_run_write(&run, dir, NULL));
	text = contents(dir, "manifest.json");
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"partial\": true"));
	g_free(text);
	text = contents(dir, "summary.json");
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"verdict\": \"open\""));
	CU_ASSERT_FALSE(run.held);
	g_free(text);
	made_remove(place);
	g_free(dir);
	g_free(place);
}

static void an_existing_directory_is_never_touched_unasked(void)
{
	char *place = made_place(), *dir = at(place, "run"), *thesis = at(dir, "thesis.doc");
	struct made_run run = { .seed = 1, .shards = 1, .minutes = 11 };
	struct fail f = { 0 };

	CU_ASSERT_FATAL(made_run_write(&run, dir, &f));
	CU_ASSERT_FALSE(made_run_write(&run, dir, &f));
	CU_ASSERT(says(&f, "it exists"));
	CU_ASSERT(exists(dir, "manifest.json"));
	fail_done(&f);
	/* asked to replace: an earlier run goes */
	run.mode = RUNDIR_REPLACE;
	run.seed = 2;
	CU_ASSERT(made_run_write(&run, dir, &f));
	CU_ASSERT(exists(dir, "summary.json"));
	CU_ASSERT_FALSE(exists(place, "run.partial"));
	/* but not with somebody's file in it */
	CU_ASSERT_FATAL(g_file_set_contents(thesis, "x", 1, NULL));
	CU_ASSERT_FALSE(made_run_write(&run, dir, &f));
	CU_ASSERT(says(&f, "thesis.doc"));
	CU_ASSERT(exists(dir, "thesis.doc"));
	fail_done(&f);
	/* and never a directory that only looks alike */
	remove(thesis);
	g_free(thesis);
	thesis = at(dir, "manifest.json");
	remove(thesis);
	CU_ASSERT_FALSE(made_run_write(&run, dir, &f));
	CU_ASSERT(says(&f, "no run directory"));
	fail_done(&f);
	made_remove(place);
	g_free(thesis);
	g_free(dir);
	g_free(place);
}

static void leftovers_and_neighbours_are_told_apart(void)
{
	char *place = made_place(), *dir = at(place, "run"), *left = at(place, "run.partial");
	char *series = at(left, "series.csv");
	struct fail f = { 0 };
	struct rundir *d;

	/* what a killed run leaves */
	CU_ASSERT_FATAL(!mkdir(left, 0777) && g_file_set_contents(series, "x", 1, NULL));
	CU_ASSERT_PTR_NULL(rundir_create(dir, RUNDIR_NEW, &f));
	CU_ASSERT(says(&f, "did not end"));
	fail_done(&f);
	d = rundir_create(dir, RUNDIR_REPLACE, &f);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	CU_ASSERT_FALSE(exists(left, "series.csv"));
	/* a neighbour that lives */
	CU_ASSERT_PTR_NULL(rundir_create(dir, RUNDIR_REPLACE, &f));
	CU_ASSERT(says(&f, "another run is writing"));
	fail_done(&f);
	rundir_abandon(d);
	CU_ASSERT_FALSE(exists(place, "run.partial"));
	made_remove(place);
	g_free(series);
	g_free(left);
	g_free(dir);
	g_free(place);
}

static void what_cannot_be_written_is_said_once(void)
{
	static const struct {
		const char *path, *says;
	} the[] = {
		{ "/proc/nowhere/run", "/proc/nowhere" },
		{ "/dev/null/run", "/dev/null" },
		{ "", "directory" },
		{ "/", "directory" },
		{ ".", "directory" },
	};
	struct fail f = { 0 };

	for (size_t i = 0; i < G_N_ELEMENTS(the); i++) {
		CU_ASSERT_PTR_NULL(rundir_create(the[i].path, RUNDIR_NEW, &f));
		CU_ASSERT(says(&f, the[i].says));
		fail_done(&f);
	}
}

static void a_data_file_that_is_gone_leaves_no_manifest(void)
{
	char *place = made_place(), *dir = at(place, "run");
	struct manifest_file file = { "/nowhere/matrix", "net.file" };
	struct made_run run = { .seed = 1, .shards = 1, .minutes = 11, .files = &file,
				.file_count = 1 };
	struct fail f = { 0 };

	CU_ASSERT_FALSE(made_run_write(&run, dir, &f));
	CU_ASSERT(says(&f, "/nowhere/matrix"));
	CU_ASSERT_FALSE(exists(place, "run"));
	CU_ASSERT_FALSE(exists(place, "run.partial/manifest.json"));
	fail_done(&f);
	made_remove(place);
	g_free(dir);
	g_free(place);
}

/* In a child: the run must fail with one message, and nothing may look whole. */
static int run_out_of_room(const char *place)
{
	char *dir = at(place, "run");
	struct made_run run = { .seed = 1, .shards = 1, .minutes = 60 };
	struct fail f = { 0 };
	bool ok = !made_run_write(&run, dir, &f) && f.count == 1 && !exists(place, "run") &&
		  !exists(place, "run.partial") && strstr(f.text[0], "run.partial/");

	fail_done(&f);
	g_free(dir);
	return ok ? 0 : 1;
}

static int status_of(pid_t child)
{
	int status = -1;

	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_file_that_cannot_grow_fails_the_run(void)
{
	/* each of these limits hits another file: header, rows, samples, summary */
	static const rlim_t limit[] = { 100, 20000, 60000 };

	for (size_t i = 0; i < G_N_ELEMENTS(limit); i++) {
		char *place = made_place();
		pid_t child = fork();

		if (!child) {
			signal(SIGXFSZ, SIG_IGN);
			setrlimit(RLIMIT_FSIZE, &(struct rlimit){ limit[i], limit[i] });
			_exit(run_out_of_room(place));
		}
		CU_ASSERT_EQUAL(status_of(child), 0);
		made_remove(place);
		g_free(place);
	}
}

enum { SKIPPED = 77 };

static void a_full_disk_fails_the_run(void)
{
	/* in a mount namespace of its own; without the right to make one there is nothing to test */
	static const char *const size[] = { "size=8k", "size=32k", "size=72k" };

	for (size_t i = 0; i < G_N_ELEMENTS(size); i++) {
		char *place = made_place();
		pid_t child = fork();
		int status;

		if (!child) {
			if (unshare(CLONE_NEWNS) ||
			    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
			    mount("none", place, "tmpfs", 0, size[i]))
				_exit(SKIPPED);
			_exit(run_out_of_room(place));
		}
		status = status_of(child);
		CU_ASSERT(status == 0 || status == SKIPPED);
		made_remove(place);
		g_free(place);
	}
}

static void the_table_is_for_eyes(void)
{
	struct catalog *c = catalog_new();
	struct recorder_setup setup = { .catalog = c, .shards = 1, .interval_ns = 10000000000,
					.until_ns = 10000000000 };
	struct recorder *r = recorder_new(&setup, NULL);
	struct metrics *m = recorder_shard(r, 0);
	struct summary_head head = { .scenario = "x.ini", .seed = 7, .reached_ns = 10000000000,
				     .duration_ns = 20000000000, .partial = true };
	struct summary *s;
	struct expect e;
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	metrics_add(m, M_LOOKUP_JUDGED, 12345678);
	metrics_add(m, M_LOOKUP_RIGHT, 12345677);
	metrics_add(m, M_LOOKUP_LOST, 1);
	metrics_note(m, M_LOOKUP_LATENCY, 1234567890);
	recorder_fault(r, &(struct fault_mark){ "fault.1", "cut", NULL, 1, 2, 0 });
	recorder_row(r, 10000000000, NULL);
	recorder_finish(r, NULL);
	s = summary_new(r);
	CU_ASSERT_PTR_NULL(expect_parse(&e, c, "lookup.right", ">= 100%"));
	expect_judge(&e, 1, s, false);
	summary_print(s, to, &head, &e, 1, false);
	fclose(to);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "x.ini   seed 7   10s simulated"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "interrupted: 20s"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "12,345,678"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "99.9999 %"));	/* never 100 % when one is missing */
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "<0.0001 %"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "1,235"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "FAIL"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "0 touched"));
	CU_ASSERT_STRING_EQUAL(summary_fault_idle(s), "fault.1");
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		CU_ASSERT(strlen(line) <= 110);
	expect_done(&e);
	summary_free(s);
	recorder_free(r);
	catalog_free(c);
	free(text);
}

CU_TestInfo rundir_tests[] = {
	{ "a run leaves all its files", a_run_leaves_all_its_files },
	{ "shards do not show in the results", shards_do_not_show_in_the_results },
	{ "the JSON is JSON and says what happened", the_json_is_json_and_says_what_happened },
	{ "the warm-up has rows but no part in the results",
	  the_warm_up_has_rows_but_no_part_in_the_results },
	{ "an interrupted run is whole and marked partial",
	  an_interrupted_run_is_whole_and_marked_partial },
	{ "an existing directory is never touched unasked",
	  an_existing_directory_is_never_touched_unasked },
	{ "leftovers and neighbours are told apart", leftovers_and_neighbours_are_told_apart },
	{ "what cannot be written is said once", what_cannot_be_written_is_said_once },
	{ "a data file that is gone leaves no manifest",
	  a_data_file_that_is_gone_leaves_no_manifest },
	{ "a file that cannot grow fails the run", a_file_that_cannot_grow_fails_the_run },
	{ "a full disk fails the run", a_full_disk_fails_the_run },
	{ "the table is for eyes", the_table_is_for_eyes },
	CU_TEST_INFO_NULL
};
