/*
 * What programs say and write: files are whole or absent, messages are clear,
 * misuse exits 2, and nothing is drawn where nobody looks.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "node/prog/json.h"
#include "node/prog/options.h"
#include "node/prog/progress.h"
#include "node/prog/scenario_command.h"
#include "node/prog/units.h"
#include "tests/unit/suites.h"

/* A folder of this test's own; removed with what is in it. */
static char *own_dir(void)
{
	char *dir = g_dir_make_tmp("weft-prog-XXXXXX", NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
	return dir;
}

static unsigned entries(const char *dir)
{
	GDir *d = g_dir_open(dir, 0, NULL);
	unsigned n = 0;

	while (g_dir_read_name(d))
		n++;
	g_dir_close(d);
	return n;
}

static void remove_dir(char *dir)
{
	GDir *d = g_dir_open(dir, 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(d))) {
		char *path = g_build_filename(dir, name, NULL);

		g_remove(path);
		g_free(path);
	}
	g_dir_close(d);
	g_rmdir(dir);
	g_free(dir);
}

static void a_file_appears_whole_or_not_at_all(void)
{
	char *dir = own_dir(), *path = g_build_filename(dir, "summary.json", NULL), *text;
	struct rlimit before, small;
	struct fail f = { 0 };
	size_t len;
	void (*old)(int) = signal(SIGXFSZ, SIG_IGN);

	CU_ASSERT_TRUE(file_write(path, "old\n", 4, &f));
	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	small.rlim_cur = 1000;			/* a disk that is full after 1,000 bytes */
	setrlimit(RLIMIT_FSIZE, &small);
	text = g_strnfill(5000, 'x');
	CU_ASSERT_FALSE(file_write(path, text, 5000, &f));
	setrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, old);
	g_free(text);
	CU_ASSERT_EQUAL(f.count, 1);
	CU_ASSERT_TRUE(g_str_has_prefix(f.text[0], "cannot write ") && strstr(f.text[0], path));
	CU_ASSERT_EQUAL(entries(dir), 1);	/* no part is left */
	text = file_read(path, 100, &len, &f);
	CU_ASSERT_STRING_EQUAL(text, "old\n");
	g_free(text);
	fail_done(&f);
	g_free(path);
	remove_dir(dir);
}

static void what_cannot_be_written_or_read_is_named_with_its_reason(void)
{
	struct fail f = { 0 };
	size_t len;

	CU_ASSERT_FALSE(file_write("/proc/no/such", "x", 1, &f));
	CU_ASSERT_FALSE(dir_make("/proc/self/fd/weft", &f));
	CU_ASSERT_PTR_NULL(file_read("/", 100, &len, &f));
	CU_ASSERT_PTR_NULL(file_read("/no/such", 100, &len, &f));
	CU_ASSERT_PTR_NULL(file_read("/dev/zero", 100, &len, &f));
	fail_errno(&f, "write", "out/series.csv", -ENOSPC);
	CU_ASSERT_EQUAL_FATAL(f.count, 6);
	CU_ASSERT_STRING_EQUAL(f.text[0], "cannot write /proc/no/such: No such file or directory");
	CU_ASSERT_TRUE(g_str_has_prefix(f.text[1], "cannot make the folder /proc/self/fd/weft: "));
	CU_ASSERT_STRING_EQUAL(f.text[2], "cannot read /: Is a directory");
	CU_ASSERT_STRING_EQUAL(f.text[3], "cannot read /no/such: No such file or directory");
	CU_ASSERT_STRING_EQUAL(f.text[4], "cannot read /dev/zero: larger than 100 bytes");
	CU_ASSERT_STRING_EQUAL(f.text[5], "cannot write out/series.csv: No space left on device\n"
			       "free some space there, or choose another folder with -o DIR");
	fail_done(&f);
}

static void json_goes_through_a_file_and_comes_back(void)
{
	char *dir = own_dir(), *path = g_build_filename(dir, "a.json", NULL);
	JsonObject *o = json_object_new();
	JsonNode *node = json_node_alloc();
	struct fail f = { 0 };

	json_object_set_int_member(o, "seed", INT64_MAX);
	json_object_set_string_member(o, "text", "a \"b\"\n");
	json_object_set_double_member(o, "share", 0.25);
	json_node_take_object(json_node_init_object(node, NULL), o);
	CU_ASSERT_TRUE(json_write(path, node, &f));
	json_node_unref(node);
	node = json_read(path, &f);
	CU_ASSERT_PTR_NOT_NULL_FATAL(node);
	o = json_node_get_object(node);
	CU_ASSERT_EQUAL(json_int(o, "seed", 0), INT64_MAX);
	CU_ASSERT_STRING_EQUAL(json_str(o, "text", ""), "a \"b\"\n");
	CU_ASSERT_EQUAL(json_num(o, "share", 0), 0.25);
	CU_ASSERT_EQUAL(json_int(o, "text", 7), 7);	/* another type */
	CU_ASSERT_STRING_EQUAL(json_str(o, "none", "absent"), "absent");
	CU_ASSERT_PTR_NULL(json_obj(o, "seed"));
	CU_ASSERT_PTR_NULL(json_arr(NULL, "seed"));
	json_node_unref(node);
	CU_ASSERT_TRUE(file_write(path, "{\n\"a\": 1,\n", 10, &f));
	CU_ASSERT_PTR_NULL(json_read(path, &f));
	CU_ASSERT_TRUE(file_write(path, "", 0, &f));
	CU_ASSERT_PTR_NULL(json_read(path, &f));
	CU_ASSERT_TRUE(file_write(path, "\xff\xfe", 2, &f));
	CU_ASSERT_PTR_NULL(json_read(path, &f));
	CU_ASSERT_EQUAL_FATAL(f.count, 3);
	CU_ASSERT_TRUE(strstr(f.text[0], "a.json:") && strstr(f.text[0], ": not JSON: "));
	CU_ASSERT_PTR_NOT_NULL(strstr(f.text[1], ": not JSON: empty"));
	CU_ASSERT_PTR_NOT_NULL(strstr(f.text[2], ": not JSON: not UTF-8 text"));
	fail_done(&f);
	g_free(path);
	remove_dir(dir);
}

static void progress_says_how_far_how_fast_and_how_long_yet(void)
{
	struct progress p;
	char line[512];

	progress_start(&p, "churn-1k", NS_PER_H, 0);
	progress_line(&p, 1872 * NS_PER_S, 998, 4 * NS_PER_S, line, sizeof(line), 100);
	CU_ASSERT_STRING_EQUAL(line, "churn-1k  [===============>              ]  52%  31:12 of 1:00:00  "
			       "468x  998 nodes  ETA 0:03");
	progress_line(&p, 0, 0, 0, line, sizeof(line), 100);
	CU_ASSERT_STRING_EQUAL(line, "churn-1k  [>                             ]   0%  0.000 of 1:00:00  "
			       "0.0x  0 nodes");
	progress_line(&p, NS_PER_H, 1000, 100 * NS_PER_S, line, sizeof(line), 60);
	CU_ASSERT_TRUE(strlen(line) <= 60);
	CU_ASSERT_PTR_NOT_NULL(strstr(line, "100%  1:00:00 of 1:00:00"));
	progress_line(&p, NS_PER_H, 1000, 100 * NS_PER_S, line, sizeof(line), 20);
	CU_ASSERT_EQUAL(strlen(line), 20);
}

/* Standard error goes to a file while @job runs; what it said, g_free() it. */
static char *stderr_of(void (*job)(void))
{
	FILE *f = tmpfile();
	int keep = dup(STDERR_FILENO);
	char *text = g_malloc0(8192);

	fflush(stderr);
	dup2(fileno(f), STDERR_FILENO);
	job();
	fflush(stderr);
	dup2(keep, STDERR_FILENO);
	close(keep);
	rewind(f);
	(void)!fread(text, 1, 8191, f);
	fclose(f);
	return text;
}

static void draw_everything(void)
{
	struct progress p;

	progress_start(&p, "quiet", NS_PER_H, 0);
	for (int i = 0; i < 100; i++)
		progress_show(&p, i * NS_PER_MIN, 10, i * NS_PER_S);
	progress_steps(&p, 5, 10, 200 * NS_PER_S);
	progress_finish(&p);
}

static void nothing_is_drawn_without_a_terminal(void)
{
	char *said = stderr_of(draw_everything);

	CU_ASSERT_STRING_EQUAL(said, "");
	g_free(said);
}

static int ran(int argc, char **argv)
{
	static const struct command self = { "run", "FILE", "Runs it.", ran };
	static char *out;
	const GOptionEntry options[] = {
		{ "out", 'o', 0, G_OPTION_ARG_STRING, &out, "Where to", "DIR" }, G_OPTION_ENTRY_NULL
	};
	int code;

	if (!options_parse(&argc, &argv, "weft-test", &self, options, 1, 1, NULL, &code))
		return code;
	g_free(out);
	out = NULL;
	return 40 + argc;
}

static const struct command COMMANDS[] = {
	{ "run", "FILE", "Runs it.", ran },
	{ "scenario", NULL, "About scenarios.", scenario_command },
	{ NULL, NULL, NULL, NULL },
};

static int last_code;
static const char *words[8];

static void call(void)
{
	static char copy[8][64];
	char *argv[9] = { 0 };
	int argc = 0;

	for (; words[argc]; argc++) {
		g_strlcpy(copy[argc], words[argc], sizeof(copy[argc]));
		argv[argc] = copy[argc];
	}
	last_code = options_main(argc, argv, "weft-test", "tries things", COMMANDS);
}

/* Run the program with these words; its exit code must be @code and its message hold @said. */
static void program(int code, const char *said, const char *a, const char *b, const char *c,
		    const char *d)
{
	const char *given[] = { "weft-test", a, b, c, d, NULL };
	char *text;

	memcpy(words, given, sizeof(given));
	text = stderr_of(call);
	CU_ASSERT_EQUAL(last_code, code);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, said));
	if (!strstr(text, said))
		printf("\n  said: %s\n  want: %s\n", text, said);
	g_free(text);
}

static void misuse_exits_2_and_says_what_would_be_right(void)
{
	program(2, "Usage:", NULL, NULL, NULL, NULL);
	program(2, "weft-test: no command 'rum'; did you mean 'run'?", "rum", NULL, NULL, NULL);
	program(2, "accepted: run, scenario", "zzzzzz", NULL, NULL, NULL);
	program(2, "weft-test: an argument is missing\n           usage: weft-test run [OPTION...] FILE",
		"run", NULL, NULL, NULL);
	program(2, "weft-test: what is 'b' for?", "run", "a", "b", NULL);
	program(2, "weft-test: Unknown option --uot", "run", "a", "--uot", NULL);
	program(2, "Missing argument for -o", "run", "a", "-o", NULL);
	program(42, "", "run", "-o", "x", "a");
	program(42, "", "run", "--", "-a", NULL);
	program(2, "the nearest is explain", "scenario", "explian", NULL, NULL);
	program(2, "no group 'nett', the nearest is net", "scenario", "explain", "nett", NULL);
	program(2, "cannot read /no/such.ini: No such file or directory", "scenario", "show",
		"/no/such.ini", NULL);
}

static void option_values_are_refused_like_any_other(void)
{
	struct fail f = { 0 };
	int64_t v = 7;

	CU_ASSERT_TRUE(options_count("--seeds", "12", 1, 100, &v, &f));
	CU_ASSERT_EQUAL(v, 12);
	CU_ASSERT_FALSE(options_count("--seeds", "0", 1, 100, &v, &f));
	CU_ASSERT_FALSE(options_count("--seeds", "-3", 1, 100, &v, &f));
	CU_ASSERT_FALSE(options_time("--until", "5", &v, &f));
	CU_ASSERT_EQUAL(v, 12);
	CU_ASSERT_EQUAL_FATAL(f.count, 3);
	CU_ASSERT_STRING_EQUAL(f.text[0], "--seeds 0: out of range; accepted: a number from 1 to 100");
	CU_ASSERT_STRING_EQUAL(f.text[1], "--seeds -3: negative; accepted: a number from 1 to 100");
	CU_ASSERT_STRING_EQUAL(f.text[2], "--until 5: a time needs a unit; accepted: a time (500us, 50ms, "
			       "5s, 10m, 1h, 1d)");
	fail_done(&f);
}

static void print_them(void)
{
	struct fail f = { 0 };

	fail_name("weft-test");
	fail_add(&f, "first %d", 1);
	fail_hint(&f, "do that");
	for (int i = 0; i < FAIL_MAX + 1; i++)
		fail_add(&f, "more");
	fail_hint(&f, "lost with its message");
	fail_print(&f);
	fail_done(&f);
	fail_add(NULL, "nobody listens");
}

static void messages_are_printed_with_the_programs_name_and_counted_beyond_ten(void)
{
	char *said = stderr_of(print_them);

	CU_ASSERT_TRUE(g_str_has_prefix(said, "weft-test: first 1\n           do that\nweft-test: more\n"));
	CU_ASSERT_TRUE(g_str_has_suffix(said, "weft-test: and 2 more like these\n"));
	CU_ASSERT_PTR_NULL(strstr(said, "lost"));
	g_free(said);
}

CU_TestInfo prog_tests[] = {
	{ "a file appears whole or not at all", a_file_appears_whole_or_not_at_all },
	{ "what cannot be written or read is named with its reason",
	  what_cannot_be_written_or_read_is_named_with_its_reason },
	{ "JSON goes through a file and comes back", json_goes_through_a_file_and_comes_back },
	{ "progress says how far, how fast and how long yet",
	  progress_says_how_far_how_fast_and_how_long_yet },
	{ "nothing is drawn without a terminal", nothing_is_drawn_without_a_terminal },
	{ "misuse exits 2 and says what would be right", misuse_exits_2_and_says_what_would_be_right },
	{ "option values are refused like any other", option_values_are_refused_like_any_other },
	{ "messages are printed with the program's name, and counted beyond ten",
	  messages_are_printed_with_the_programs_name_and_counted_beyond_ten },
	CU_TEST_INFO_NULL
};
