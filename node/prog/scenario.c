/* scenario.c - one experiment: from a file to a checked struct and back */
#include "node/prog/scenario.h"

#include <stdio.h>

#include <glib.h>

#include "node/prog/json.h"
#include "node/prog/scenario_check.h"

const char *fault_kind_name(enum fault_kind k)
{
	static const char *const names[] = {
#define X(name, word, text) [FAULT_##name] = word,
		FAULT_KIND_LIST(X)
#undef X
	};

	return names[k];
}

static struct scenario *read_source(const struct schema_source *src, struct fail *f)
{
	struct scenario *s = g_new0(struct scenario, 1);

	if (!schema_read(&scenario_schema, src, s, &s->log, f)) {
		g_free(s);
		return NULL;
	}
	if (!scenario_check(s, f)) {
		scenario_free(s);
		return NULL;
	}
	return s;
}

struct scenario *scenario_load(const char *path, const char *const *set, unsigned sets,
			       struct fail *f)
{
	struct scenario *s;
	size_t len;
	char *text = file_read(path, SCHEMA_FILE_MAX, &len, f), *dir;

	if (!text)
		return NULL;
	dir = g_path_get_dirname(path);
	s = scenario_parse(path, text, len, dir, set, sets, f);
	g_free(dir);
	g_free(text);
	return s;
}

struct scenario *scenario_parse(const char *name, const char *text, size_t len, const char *dir,
				const char *const *set, unsigned sets, struct fail *f)
{
	return read_source(&(struct schema_source){ name, text, len, dir, set, sets }, f);
}

struct scenario *scenario_new(const char *const *set, unsigned sets, struct fail *f)
{
	return read_source(&(struct schema_source){ .set = set, .sets = sets }, f);
}

void scenario_free(struct scenario *s)
{
	struct schema_log *log;

	if (!s)
		return;
	log = s->log;
	schema_clear(&scenario_schema, s);
	schema_log_free(log);
	g_free(s);
}

char *scenario_write(const struct scenario *s)
{
	return schema_write(s->log);
}

bool scenario_expectations(const struct scenario *s, scenario_expect_fn *check, void *arg,
			   struct fail *f)
{
	bool sound = true;

	for (unsigned i = 0; i < s->expect.count; i++) {
		const struct schema_pair *p = &s->expect.pair[i];
		char *why = check(arg, p->key, p->text);

		if (!why)
			continue;
		schema_complain(s->log, f, "expect", p->key, "%s", why);
		g_free(why);
		sound = false;
	}
	return sound;
}
