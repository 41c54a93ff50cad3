/* command.c - the options of weft-report */
#include <stdio.h>
#include <string.h>

#include "analysis/report.h"
#include "node/prog/json.h"

struct options {
	char *out;
	gboolean json, quiet, version;
};

static const char notes[] =
	"One DIR of a run: figures/ and report.html are put into it.\n"
	"Several: they are compared; the report goes into the directory given with -o.\n"
	"The DIR of a sweep (it holds sweep.csv): means and confidence intervals.\n"
	"\n"
	"Exit status: 0 the report is made, 2 it could not be made.";

/* The command line; -1 to go on, else an exit code. */
static int parse(struct options *o, int *argc, char ***argv)
{
	const GOptionEntry entries[] = {
		{ "output", 'o', 0, G_OPTION_ARG_FILENAME, &o->out,
		  "Put figures/ and report.html into DIR", "DIR" },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &o->json,
		  "Print the numbers as JSON and make no report (unless -o is given)", NULL },
		{ "quiet", 'q', 0, G_OPTION_ARG_NONE, &o->quiet, "Do not say where the report is",
		  NULL },
		{ "version", 0, 0, G_OPTION_ARG_NONE, &o->version, "Print the version", NULL },
		G_OPTION_ENTRY_NULL
	};
	GOptionContext *c = g_option_context_new("DIR... - figures and a report of simulated or "
						 "emulated runs");
	GError *error = NULL;
	int code = -1;

	g_option_context_add_main_entries(c, entries, NULL);
	g_option_context_set_description(c, notes);
	if (!g_option_context_parse(c, argc, argv, &error)) {
		fprintf(stderr, "weft-report: %s\n  weft-report --help lists what is accepted\n",
			error->message);
		g_error_free(error);
		code = EXIT_UNABLE;
	} else if (o->version) {
		printf("weft-report %s\n", WEFT_VERSION);
		code = EXIT_HELD;
	} else if (*argc < 2) {
		fprintf(stderr, "weft-report: which run? accepted: weft-report [-o DIR] DIR...\n");
		code = EXIT_UNABLE;
	}
	g_option_context_free(c);
	return code;
}

static void print_json(JsonNode *node)
{
	char *text = json_text(node);

	fputs(text, stdout);
	g_free(text);
	json_node_unref(node);
}

static void said(const struct options *o, const char *out)
{
	if (!o->quiet && !o->json)
		printf("%s/report.html\n", out);
}

static void of_sweep(const struct options *o, const char *dir, struct fail *f)
{
	struct grid *s = grid_read(dir, f);
	const char *out = o->out ? o->out : dir;

	if (!s)
		return;
	if (o->json)
		print_json(report_grid_json(s));
	if ((!o->json || o->out) && dir_make(out, f) && report_grid(s, out, f))
		said(o, out);
	grid_free(s);
}

static void of_runs(const struct options *o, char **dirs, unsigned count, struct fail *f)
{
	struct run **runs = g_new0(struct run *, count);
	const char *out = o->out ? o->out : count == 1 ? dirs[0] : NULL;
	unsigned got = 0;

	while (got < count && (runs[got] = run_read(dirs[got], f)))
		got++;
	if (got == count) {
		const struct run *const *all = (const struct run *const *)(void *)runs;

		run_label(runs, count);
		if (o->json)
			print_json(report_runs_json(all, count));
		if (!out && !o->json)
			fail_add(f, "where should the comparison go? accepted: -o DIR");
		else if ((!o->json || o->out) && dir_make(out, f) &&
			 report_runs(all, count, out, f))
			said(o, out);
	}
	for (unsigned i = 0; i < got; i++)
		run_free(runs[i]);
	g_free(runs);
}

static bool is_sweep(const char *dir)
{
	char *path = g_build_filename(dir, "sweep.csv", NULL);
	bool yes = g_file_test(path, G_FILE_TEST_EXISTS);

	g_free(path);
	return yes;
}

int report_command(int argc, char **argv)
{
	struct options o = { 0 };
	struct fail f = { 0 };
	int code;

	fail_name("weft-report");
	code = parse(&o, &argc, &argv);
	if (code < 0) {
		if (argc == 2 && is_sweep(argv[1]))
			of_sweep(&o, argv[1], &f);
		else
			of_runs(&o, argv + 1, (unsigned)argc - 1, &f);
		if (!failed(&f) && fflush(stdout))
			fail_add(&f, "cannot write to standard output");
		fail_print(&f);
		code = failed(&f) ? EXIT_UNABLE : EXIT_HELD;
		fail_done(&f);
	}
	g_free(o.out);
	return code;
}
