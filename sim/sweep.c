/*
 * weft-sim sweep FILE - many values, many seeds, all cores
 *
 * Each run is a process of its own, this program with `run`, so that runs share
 * nothing and one that breaks does not take the others along. As many run at a
 * time as there are cores. The directories of the runs stay; sweep.csv has one
 * line for each, means.csv mean and 95 % confidence interval for each choice of
 * values over its seeds. What happened before the warm-up ended has no part in it.
 */
#include "sim/record/sweeps.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/prog/json.h"
#include "node/prog/progress.h"
#include "sim/commands.h"

struct asked {
	char **vary, **set;
	char *seeds, *seed, *jobs, *dir;
};

struct child { GPid pid; unsigned run; };

static volatile sig_atomic_t interrupts;

static void on_signal(int number)
{
	interrupts = interrupts + 1;
	signal(number, SIG_DFL);
}

static char *run_dir(const struct sweep *s, const char *dir, unsigned run)
{
	char *name = g_strdup_printf("%s%s%05u", dir, G_DIR_SEPARATOR_S, run + 1);

	(void)s;
	return name;
}

/* -- the processes ------------------------------------------------------------------------------ */

static bool spawn(const struct sweep *s, const char *self, const char *file, const struct asked *a,
		  const char *dir, struct child *c, struct fail *f)
{
	GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);
	GError *error = NULL;
	bool good;

	g_ptr_array_add(argv, g_strdup(self));
	g_ptr_array_add(argv, g_strdup("run"));
	g_ptr_array_add(argv, g_strdup(file));
	for (char **p = a->set; p && *p; p++) {
		g_ptr_array_add(argv, g_strdup("-s"));
		g_ptr_array_add(argv, g_strdup(*p));
	}
	for (unsigned v = 0; v < s->varieds; v++) {
		g_ptr_array_add(argv, g_strdup("-s"));
		g_ptr_array_add(argv, g_strdup_printf("%s=%s", s->varied[v].key,
						      sweep_value(s, c->run / s->seeds, v)));
	}
	g_ptr_array_add(argv, g_strdup_printf("--seed=%" G_GUINT64_FORMAT, s->first_seed + c->run % s->seeds));
	g_ptr_array_add(argv, g_strdup("-o"));
	g_ptr_array_add(argv, run_dir(s, dir, c->run));
	g_ptr_array_add(argv, g_strdup("--quiet"));
	g_ptr_array_add(argv, g_strdup("--no-report"));
	g_ptr_array_add(argv, NULL);
	good = g_spawn_async(NULL, (char **)argv->pdata, NULL,
			     G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, &c->pid, &error);
	if (!good) {
		fail_add(f, "cannot start %s: %s", self, error->message);
		g_clear_error(&error);
	}
	g_ptr_array_free(argv, TRUE);
	return good;
}

static bool take(struct sweep *s, const char *dir, unsigned run, int status, struct fail *f)
{
	char *where = run_dir(s, dir, run), *path = g_build_filename(where, "summary.json", NULL);
	bool good = true;

	s->code[run] = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	if (s->code[run] == EXIT_HELD || s->code[run] == EXIT_BROKE)
		good = sweep_take(s, run, path, f);
	g_free(path);
	g_free(where);
	return good;
}

/* Wait for one of the children and free its place. */
static bool reap(struct sweep *s, const char *dir, struct child *child, unsigned jobs, struct fail *f)
{
	int status;
	pid_t pid;

	do
		pid = waitpid(-1, &status, 0);
	while (pid < 0 && errno == EINTR);
	for (unsigned i = 0; i < jobs; i++) {
		if (!child[i].pid || child[i].pid != pid)
			continue;
		g_spawn_close_pid(pid);
		child[i].pid = 0;
		return take(s, dir, child[i].run, status, f);
	}
	return pid > 0;
}

static bool run_all(struct sweep *s, const char *file, const struct asked *a, const char *dir,
		    unsigned jobs, struct fail *f)
{
	unsigned runs = s->points * s->seeds, next = 0, running = 0, done = 0;
	struct child *child = g_new0(struct child, jobs);
	char *self = g_file_read_link("/proc/self/exe", NULL);
	struct progress progress;
	bool good = true;

	progress_start(&progress, "sweep", runs, wall_now_ns());
	while (running || (next < runs && good && !interrupts)) {
		while (running < jobs && next < runs && good && !interrupts) {
			unsigned i = 0;

			while (child[i].pid)
				i++;
			child[i].run = next++;
			good = spawn(s, self, file, a, dir, &child[i], f);
			if (good)
				running++;
			else
				child[i].pid = 0;
		}
		if (!running)
			break;
		good &= reap(s, dir, child, jobs, f);
		running--;
		/* bad input is bad for all of them: say it once */
		for (unsigned r = 0; r < next && good; r++) {
			if (s->code[r] != EXIT_UNABLE)
				continue;
			fail_add(f, "a run could not run (its message is above)");
			good = false;
		}
		progress_steps(&progress, ++done, runs, wall_now_ns());
	}
	progress_finish(&progress);
	g_free(self);
	g_free(child);
	return good;
}

/* -- the tables --------------------------------------------------------------------------------- */

static bool write_table(const struct sweep *s, const char *dir, const char *name,
			void (*table)(const struct sweep *, FILE *), struct fail *f)
{
	char *path = g_build_filename(dir, name, NULL), *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);
	bool good;

	table(s, to);
	fclose(to);
	good = file_write(path, text, len, f);
	free(text);
	g_free(path);
	return good;
}

/* Bad values are bad before the first run, not after the hundredth. */
static bool check_points(const struct sweep *s, const struct asked *a, const char *file, struct fail *f)
{
	for (unsigned p = 0; p < s->points; p++) {
		GPtrArray *set = g_ptr_array_new_with_free_func(g_free);
		struct scenario *sc;

		for (char **t = a->set; t && *t; t++)
			g_ptr_array_add(set, g_strdup(*t));
		for (unsigned v = 0; v < s->varieds; v++)
			g_ptr_array_add(set, g_strdup_printf("%s=%s", s->varied[v].key, sweep_value(s, p, v)));
		sc = scenario_load(file, (const char *const *)set->pdata, set->len, f);
		scenario_free(sc);
		g_ptr_array_free(set, TRUE);
		if (!sc)
			return false;
	}
	return true;
}

static bool read_options(struct sweep *s, const struct asked *a, const char *file, int64_t *jobs, struct fail *f)
{
	int64_t seeds = 10, first = 1;

	if (a->seeds && !options_count("--seeds", a->seeds, 1, SWEEP_RUNS, &seeds, f))
		return false;
	if (a->seed && !options_count("--seed", a->seed, 0, INT64_MAX - SWEEP_RUNS, &first, f))
		return false;
	*jobs = sysconf(_SC_NPROCESSORS_ONLN);
	if (a->jobs && !options_count("-j", a->jobs, 1, 1024, jobs, f))
		return false;
	s->seeds = (unsigned)seeds;
	s->first_seed = (uint64_t)first;
	for (char **p = a->vary; p && *p; p++) {
		if (s->varieds == SWEEP_VARIED) {
			fail_add(f, "--vary %s: more than %d; accepted: fewer", *p, SWEEP_VARIED);
			return false;
		}
		if (!varied_parse(&s->varied[s->varieds], *p, f))
			return false;
		s->varieds++;
	}
	return sweep_plan(s, f) && check_points(s, a, file, f);
}

static char *free_dir(const char *file)
{
	char *name = job_name(file), *base = g_strdup_printf("runs/sweep-%s", name), *path = g_strdup(base);

	for (unsigned n = 2; g_file_test(path, G_FILE_TEST_EXISTS); n++) {
		g_free(path);
		path = g_strdup_printf("%s.%u", base, n);
	}
	g_free(base);
	g_free(name);
	return path;
}

static int sweep(const char *file, const struct asked *a)
{
	struct sweep s = { 0 };
	struct fail f = { 0 };
	char *dir = NULL;
	int64_t jobs;
	int code = EXIT_HELD;
	bool good = read_options(&s, a, file, &jobs, &f);

	if (good) {
		dir = a->dir ? g_strdup(a->dir) : free_dir(file);
		if (a->dir && g_file_test(dir, G_FILE_TEST_EXISTS)) {
			fail_add(&f, "%s: is there already; accepted: a new directory", dir);
			good = false;
		}
	}
	good = good && dir_make(dir, &f);
	if (good) {
		signal(SIGINT, on_signal);
		signal(SIGTERM, on_signal);
		good = run_all(&s, file, a, dir, (unsigned)jobs, &f);
	}
	if (good && s.metrics->len)
		good = write_table(&s, dir, "sweep.csv", sweep_csv, &f) &&
		       write_table(&s, dir, "means.csv", sweep_means, &f);
	if (!good) {
		fail_print(&f);
		code = EXIT_UNABLE;
	} else {
		if (s.metrics->len)
			sweep_print(&s, stdout);
		printf("%s: %u runs, in sweep.csv and means.csv\n", dir, s.points * s.seeds);
		for (unsigned i = 0; i < s.points * s.seeds; i++)
			if (s.code[i] != EXIT_HELD)
				code = EXIT_BROKE;
		if (interrupts) {
			say("interrupted: the tables are partial");
			code = JOB_INTERRUPTED;
		}
	}
	fail_done(&f);
	sweep_done(&s);
	g_free(dir);
	return code;
}

int sweep_command(int argc, char **argv)
{
	static const struct command self = { "sweep", "FILE", "Runs a scenario for every choice of values and seed.",
					     sweep_command };
	struct asked a = { 0 };
	const GOptionEntry entries[] = {
		{ "vary", 0, 0, G_OPTION_ARG_STRING_ARRAY, &a.vary, "Values of one key; may be repeated", "group.key=a,b,c" },
		{ "set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &a.set, "Wins over the file", "group.key=value" },
		{ "seeds", 0, 0, G_OPTION_ARG_STRING, &a.seeds, "Runs for each choice of values (10)", "N" },
		{ "seed", 0, 0, G_OPTION_ARG_STRING, &a.seed, "The first of them (1)", "N" },
		{ "jobs", 'j', 0, G_OPTION_ARG_STRING, &a.jobs, "Runs at a time (as many as cores)", "N" },
		{ "out", 'o', 0, G_OPTION_ARG_FILENAME, &a.dir, "Where results go (runs/sweep-NAME)", "DIR" },
		G_OPTION_ENTRY_NULL
	};
	int code;

	if (options_parse(&argc, &argv, "weft-sim", &self, entries, 1, 1, NULL, &code))
		code = sweep(argv[1], &a);
	g_strfreev(a.vary);
	g_strfreev(a.set);
	g_free(a.seeds);
	g_free(a.seed);
	g_free(a.jobs);
	g_free(a.dir);
	return code;
}
