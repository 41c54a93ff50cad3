/* weft-sim run FILE - one scenario, from the file to the report */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "sim/commands.h"

struct asked {
	char **set, **pcap;
	char *seed, *threads, *shards, *dir, *until;
	gboolean no_report, no_files, events, json, quiet;
};

/* runs/NAME-SEED, or the first of runs/NAME-SEED.2, .3, ... that is free. */
static char *free_dir(const char *name, uint64_t seed)
{
	char *base = g_strdup_printf("runs/%s-%" G_GUINT64_FORMAT, name, seed), *path = g_strdup(base);

	for (unsigned n = 2; g_file_test(path, G_FILE_TEST_EXISTS); n++) {
		g_free(path);
		path = g_strdup_printf("%s.%u", base, n);
	}
	g_free(base);
	return path;
}

void report(const char *dir)
{
	char *self = g_file_read_link("/proc/self/exe", NULL);
	char *folder = self ? g_path_get_dirname(self) : g_strdup(".");
	char *program = g_build_filename(folder, "weft-report", NULL);
	char *argv[] = { program, (char *)dir, NULL };
	GError *error = NULL;
	int status = 0;

	if (!g_file_test(program, G_FILE_TEST_IS_EXECUTABLE))
		say("no report: %s is not there", program);
	else if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL, NULL, NULL,
			       &status, &error))
		say("no report: %s", error->message);
	else if (status)
		say("no report: %s failed", program);
	g_clear_error(&error);
	g_free(program);
	g_free(folder);
	g_free(self);
}

bool node_number(const char *option, const char *text, uint32_t *host, struct fail *f)
{
	int64_t v;

	if (!options_count(option, *text == 'n' ? text + 1 : text, 0, UINT32_MAX - 1, &v, f))
		return false;
	*host = (uint32_t)v;
	return true;
}

/* The command that repeats the run, with everything that decides its digest. */
static char *again(const char *file, const struct asked *a, uint64_t seed)
{
	GString *t = g_string_new("weft-sim run ");
	char *quoted = g_shell_quote(file);

	g_string_append(t, quoted);
	g_free(quoted);
	for (char **s = a->set; s && *s; s++) {
		quoted = g_shell_quote(*s);
		g_string_append_printf(t, " -s %s", quoted);
		g_free(quoted);
	}
	g_string_append_printf(t, " --seed %" G_GUINT64_FORMAT, seed);
	return g_string_free(t, FALSE);
}

static bool read_options(const struct asked *a, struct job_setup *s, struct fail *f)
{
	int64_t v;

	s->seed = (uint64_t)s->scenario->run.seed;
	if (a->seed) {
		if (!options_count("--seed", a->seed, 0, INT64_MAX, &v, f))
			return false;
		s->seed = (uint64_t)v;
	}
	if (a->threads) {
		if (!options_count("--threads", a->threads, 1, ENGINE_SHARDS, &v, f))
			return false;
		s->threads = (unsigned)v;
	}
	if (a->shards) {
		if (!options_count("--shards", a->shards, 1, ENGINE_SHARDS, &v, f))
			return false;
		s->shards = (unsigned)v;
	}
	if (a->until && !options_time("--until", a->until, &s->until_ns, f))
		return false;
	for (char **p = a->pcap; p && *p; p++) {
		if (s->captures == JOB_CAPTURES) {
			fail_add(f, "--pcap: more than %d nodes", JOB_CAPTURES);
			return false;
		}
		if (!node_number("--pcap", *p, &s->capture[s->captures++], f))
			return false;
	}
	return true;
}

static int unable(struct fail *f, struct job *j)
{
	fail_print(f);
	fail_done(f);
	job_close(j);
	return EXIT_UNABLE;
}

static int run(const char *file, struct asked *a, int argc, char **argv)
{
	struct fail f = { 0 };
	struct job_setup s = { .until_ns = INT64_MAX, .watch = WORLD_NOBODY, .progress = !a->quiet,
			       .argc = argc, .argv = argv };
	char *name = job_name(file), *dir = NULL, *repeat = NULL;
	struct job *j = NULL;
	int code;

	s.scenario = scenario_load(file, (const char *const *)a->set, a->set ? g_strv_length(a->set) : 0, &f);
	if (!s.scenario || !read_options(a, &s, &f)) {
		scenario_free(s.scenario);
		g_free(name);
		return unable(&f, NULL);
	}
	repeat = again(file, a, s.seed);
	s.name = name;
	s.again = repeat;
	s.log = a->events;
	s.log_json = a->events && a->json;
	s.mode = RUNDIR_NEW;
	if (!a->no_files) {
		dir = a->dir ? g_strdup(a->dir) : free_dir(name, s.seed);
		s.dir = dir;
	}
	j = job_open(&s, &f);
	g_free(repeat);
	g_free(name);
	g_free(dir);
	if (!j || !job_run(j, &f) || !job_results(j, &f))
		return unable(&f, j);
	if (a->json) {
		char *text = job_json(j);

		fputs(text, stdout);
		g_free(text);
	} else if (!a->quiet) {
		job_print(j, stdout);
	}
	fflush(stdout);
	code = job_code(j);
	if (!a->no_files && !a->no_report)
		report(job_dir(j));
	job_close(j);
	if (fflush(stdout) || ferror(stdout))
		return EXIT_UNABLE;
	return code;
}

int run_command(int argc, char **argv)
{
	struct asked a = { 0 };
	const struct command self = { "run", "FILE", "Runs a scenario. Results go to runs/NAME-SEED, with a report.",
				      run_command };
	const GOptionEntry entries[] = {
		{ "set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &a.set, "Wins over the file", "group.key=value" },
		{ "seed", 0, 0, G_OPTION_ARG_STRING, &a.seed, "Wins over run.seed", "N" },
		{ "threads", 0, 0, G_OPTION_ARG_STRING, &a.threads, "Cores to use; changes speed only", "N" },
		{ "shards", 0, 0, G_OPTION_ARG_STRING, &a.shards, "Event queues; changes speed only", "N" },
		{ "out", 'o', 0, G_OPTION_ARG_FILENAME, &a.dir, "Where results go; must not exist", "DIR" },
		{ "no-files", 0, 0, G_OPTION_ARG_NONE, &a.no_files, "Leave nothing behind", NULL },
		{ "no-report", 0, 0, G_OPTION_ARG_NONE, &a.no_report, "Do not call weft-report", NULL },
		{ "until", 0, 0, G_OPTION_ARG_STRING, &a.until, "Stop at this virtual time; results are partial", "T" },
		{ "events", 0, 0, G_OPTION_ARG_NONE, &a.events, "Write events.txt (with --json events.jsonl)", NULL },
		{ "pcap", 0, 0, G_OPTION_ARG_STRING_ARRAY, &a.pcap, "Write the node's traffic; may be repeated", "NODE" },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &a.json, "Print the summary as JSON", NULL },
		{ "quiet", 'q', 0, G_OPTION_ARG_NONE, &a.quiet, "No progress bar and no table", NULL },
		G_OPTION_ENTRY_NULL
	};
	char **all = g_strdupv(argv);
	int all_count = argc, code;

	if (options_parse(&argc, &argv, "weft-sim", &self, entries, 1, 1,
			  "Exit code: 0 everything held, 1 a check, expectation or fault did not, 2 it could not run,\n"
			  "130 interrupted by Ctrl-C (results are there, marked partial).", &code))
		code = run(argv[1], &a, all_count, all);
	g_strfreev(all);
	g_strfreev(a.set);
	g_strfreev(a.pcap);
	g_free(a.seed);
	g_free(a.threads);
	g_free(a.shards);
	g_free(a.dir);
	g_free(a.until);
	return code;
}
