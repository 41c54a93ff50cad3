/*
 * weft-sim verify DIR and weft-sim replay DIR: runs of the past, again
 *
 * A manifest holds the scenario as resolved and the seed; with the same program
 * that is everything. verify compares digests; replay looks closer.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "node/prog/json.h"
#include "sim/commands.h"

/* -- a run of the past ---------------------------------------------------------------------------- */

bool past_read(struct past *p, const char *dir, struct fail *f)
{
	char *path = g_build_filename(dir, "manifest.json", NULL);
	JsonNode *root = json_read(path, f);
	JsonObject *o = root && JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : NULL;
	const char *text = o ? json_str(o, "scenario_text", NULL) : NULL;

	*p = (struct past){ 0 };
	if (root && (!text || !json_str(o, "digest", NULL))) {
		fail_add(f, "%s: not the manifest of a simulation; accepted: the directory of a finished run", path);
	} else if (root) {
		p->name = g_strdup(json_str(o, "scenario", "run"));
		p->digest = g_strdup(json_str(o, "digest", ""));
		p->seed = (uint64_t)json_int(o, "seed", 0);
		p->threads = (unsigned)CLAMP(json_int(o, "threads", 1), 1, ENGINE_SHARDS);
		p->shards = (unsigned)CLAMP(json_int(o, "shards", 1), 1, ENGINE_SHARDS);
		p->partial = json_object_has_member(o, "partial") && json_object_get_boolean_member(o, "partial");
		p->reached_ns = (int64_t)(json_num(o, "reached_s", 0) * 1e9 + 0.5);
		p->scenario = scenario_parse(path, text, strlen(text), NULL, NULL, 0, f);
	}
	if (root)
		json_node_unref(root);
	g_free(path);
	if (p->scenario)
		return true;
	past_done(p);
	return false;
}

void past_done(struct past *p)
{
	g_free(p->name);
	g_free(p->digest);
	scenario_free(p->scenario);
	*p = (struct past){ 0 };
}

static struct job_setup setup_of(struct past *p, const char *again)
{
	struct job_setup s = { .scenario = p->scenario, .name = p->name, .again = again, .seed = p->seed,
			       .threads = p->threads, .shards = p->shards, .until_ns = INT64_MAX,
			       .watch = WORLD_NOBODY, .progress = true };

	p->scenario = NULL;			/* the job's */
	if (p->partial)
		s.until_ns = p->reached_ns;
	return s;
}

static int unable(struct fail *f, struct job *j, struct past *p)
{
	fail_print(f);
	fail_done(f);
	job_close(j);
	past_done(p);
	return EXIT_UNABLE;
}

/* -- verify --------------------------------------------------------------------------------------- */

static int verify(const char *dir, unsigned shards, unsigned threads)
{
	struct fail f = { 0 };
	struct past p;
	struct job_setup s;
	struct job *j;
	char *again = g_strdup_printf("weft-sim replay %s", dir);
	bool same;

	if (!past_read(&p, dir, &f)) {
		g_free(again);
		return unable(&f, NULL, &p);
	}
	s = setup_of(&p, again);
	if (shards)
		s.shards = shards;
	if (threads)
		s.threads = threads;
	j = job_open(&s, &f);
	g_free(again);
	if (!j || !job_run(j, &f))
		return unable(&f, j, &p);
	same = !strcmp(p.digest, job_digest(j));
	if (same)
		printf("%s: digest %s, the same again\n", dir, p.digest);
	else
		printf("%s: digest was %s, now %s\n", dir, p.digest, job_digest(j));
	job_close(j);
	past_done(&p);
	return same ? EXIT_HELD : EXIT_BROKE;
}

int verify_command(int argc, char **argv)
{
	static const struct command self = { "verify", "DIR", "Runs again from DIR/manifest.json and compares digests.",
					     verify_command };
	char *shards = NULL, *threads = NULL;
	const GOptionEntry entries[] = {
		{ "shards", 0, 0, G_OPTION_ARG_STRING, &shards, "Other than the run had: the digest is the same", "N" },
		{ "threads", 0, 0, G_OPTION_ARG_STRING, &threads, "Likewise", "N" },
		G_OPTION_ENTRY_NULL
	};
	struct fail f = { 0 };
	int64_t n = 0, t = 0;
	int code;

	if (!options_parse(&argc, &argv, "weft-sim", &self, entries, 1, 1, NULL, &code))
		return code;
	if ((shards && !options_count("--shards", shards, 1, ENGINE_SHARDS, &n, &f)) ||
	    (threads && !options_count("--threads", threads, 1, ENGINE_SHARDS, &t, &f))) {
		fail_print(&f);
		fail_done(&f);
		code = EXIT_UNABLE;
	} else {
		code = verify(argv[1], (unsigned)n, (unsigned)t);
	}
	g_free(shards);
	g_free(threads);
	return code;
}

/* -- replay --------------------------------------------------------------------------------------- */

struct looked {
	char *until, *watch, *stop, **pcap;
};

static bool find_kind(const char *name, enum record_kind *kind, struct fail *f)
{
	const char *names[RECORD_KINDS];
	const char *close;

	for (unsigned i = 0; i < RECORD_KINDS; i++) {
		names[i] = record_text((enum record_kind)i);
		if (!strcmp(name, names[i])) {
			*kind = (enum record_kind)i;
			return true;
		}
	}
	close = nearest(name, names, RECORD_KINDS);
	fail_add(f, "--break-on %s: no such event%s%s%s; accepted: %s, %s, %s, ..., or EVENT:NODE", name,
		 close ? "; did you mean " : "", close ? close : "", close ? "?" : "", names[0], names[1], names[2]);
	return false;
}

/* "dead", "dead:17" */
static bool read_break(const char *text, struct job_setup *s, struct fail *f)
{
	char **part = g_strsplit(text, ":", 2);
	bool good = find_kind(part[0], &s->break_kind, f);

	s->breaks = true;
	s->break_host = WORLD_NOBODY;
	if (good && part[1])
		good = node_number("--break-on", part[1], &s->break_host, f);
	g_strfreev(part);
	return good;
}

static bool read_options(const struct looked *a, struct job_setup *s, struct fail *f)
{
	if (a->until && !options_time("--until", a->until, &s->until_ns, f))
		return false;
	if (a->watch) {
		s->log_to = stdout;
		if (strcmp(a->watch, "all") && !node_number("--watch", a->watch, &s->watch, f))
			return false;
	}
	if (a->stop && !read_break(a->stop, s, f))
		return false;
	for (char **p = a->pcap; p && *p && s->captures < JOB_CAPTURES; p++)
		if (!node_number("--pcap", *p, &s->capture[s->captures++], f))
			return false;
	return true;
}

static int replay(const char *dir, const struct looked *a)
{
	struct fail f = { 0 };
	struct past p;
	struct job_setup s;
	struct job *j;
	char *again = g_strdup_printf("weft-sim replay %s", dir), at[UNIT_TEXT_LEN];
	int code;

	if (!past_read(&p, dir, &f)) {
		g_free(again);
		return unable(&f, NULL, &p);
	}
	s = setup_of(&p, again);
	s.capture_dir = dir;
	if (!read_options(a, &s, &f)) {
		g_free(again);
		scenario_free(s.scenario);
		return unable(&f, NULL, &p);
	}
	if (s.breaks)
		s.shards = s.threads = 1;	/* so that nothing after it has happened */
	j = job_open(&s, &f);
	g_free(again);
	if (!j || !job_run(j, &f) || !job_results(j, &f))
		return unable(&f, j, &p);
	if (job_end(j) == WORLD_BROKEN)
		printf("stopped at %s: %s\n", duration_text(job_reached(j), at), a->stop);
	else if (!a->watch)
		job_print(j, stdout);
	fflush(stdout);
	code = job_code(j);
	if (s.until_ns == INT64_MAX && !s.breaks && strcmp(p.digest, job_digest(j))) {
		say("the digest was %s, now it is %s: another program, or a bug", p.digest, job_digest(j));
		code = EXIT_BROKE;
	}
	job_close(j);
	past_done(&p);
	return code;
}

int replay_command(int argc, char **argv)
{
	static const struct command self = { "replay", "DIR", "Runs again from DIR/manifest.json to be looked at.",
					     replay_command };
	struct looked a = { 0 };
	const GOptionEntry entries[] = {
		{ "until", 0, 0, G_OPTION_ARG_STRING, &a.until, "Stop at this virtual time", "T" },
		{ "watch", 0, 0, G_OPTION_ARG_STRING, &a.watch, "Print what this node says; all: everybody", "NODE" },
		{ "break-on", 0, 0, G_OPTION_ARG_STRING, &a.stop, "Stop at the first such event (dead, joined:17)", "EVENT[:NODE]" },
		{ "pcap", 0, 0, G_OPTION_ARG_STRING_ARRAY, &a.pcap, "Write the node's traffic to DIR", "NODE" },
		G_OPTION_ENTRY_NULL
	};
	int code;

	if (options_parse(&argc, &argv, "weft-sim", &self, entries, 1, 1, NULL, &code))
		code = replay(argv[1], &a);
	g_free(a.until);
	g_free(a.watch);
	g_free(a.stop);
	g_strfreev(a.pcap);
	return code;
}
