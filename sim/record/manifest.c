/* manifest.c - collects facts about run and machine and prints them as JSON */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <json-glib/json-glib.h>
#include <sodium.h>

#include "sim/record/manifest.h"

enum { HASH_BYTES = 32 };

#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

void json_quote(GString *to, const char *text)
{
	JsonNode *node = json_node_new(JSON_NODE_VALUE);
	char *valid = text ? g_utf8_make_valid(text, -1) : NULL, *quoted;

	if (!text) {
		g_string_append(to, "null");
		json_node_free(node);
		return;
	}
	json_node_set_string(node, valid);
	quoted = json_to_string(node, FALSE);
	g_string_append(to, quoted);
	g_free(quoted);
	g_free(valid);
	json_node_free(node);
}

static void member(GString *to, const char *name, const char *text)
{
	g_string_append_printf(to, "  \"%s\": ", name);
	json_quote(to, text);
	g_string_append(to, ",\n");
}

static void seconds(GString *to, const char *name, int64_t ns)
{
	char buf[64];

	g_string_append_printf(to, "  \"%s\": %s,\n", name,
			       number_text(number_of(ns, 1, UNIT_S), buf));
}

/* BLAKE2b-256 of the file at @path as hexadecimal, and its size. */
static bool hash_file(const char *path, char hex[2 * HASH_BYTES + 1], int64_t *size,
		      struct fail *f)
{
	unsigned char buf[65536], hash[HASH_BYTES];
	crypto_generichash_state state;
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
	ssize_t n;

	if (fd < 0) {
		fail_errno(f, "read", path, errno);
		return false;
	}
	*size = 0;
	crypto_generichash_init(&state, NULL, 0, HASH_BYTES);
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		crypto_generichash_update(&state, buf, (unsigned long long)n);
		*size += n;
	}
	if (n < 0)
		err = errno;
	close(fd);
	if (err) {
		fail_errno(f, "read", path, err);
		return false;
	}
	crypto_generichash_final(&state, hash, HASH_BYTES);
	sodium_bin2hex(hex, 2 * HASH_BYTES + 1, hash, HASH_BYTES);
	return true;
}

static bool files(GString *to, const struct manifest *m, struct fail *f)
{
	g_string_append(to, "  \"files\": [");
	for (unsigned i = 0; i < m->file_count; i++) {
		char hex[2 * HASH_BYTES + 1];
		int64_t size;

		if (!hash_file(m->files[i].path, hex, &size, f))
			return false;
		g_string_append(to, i ? ",\n    { \"path\": " : "\n    { \"path\": ");
		json_quote(to, m->files[i].path);
		g_string_append(to, ", \"used_as\": ");
		json_quote(to, m->files[i].used_as);
		g_string_append_printf(to, ", \"bytes\": %lld, \"blake2b\": \"%s\" }",
				       (long long)size, hex);
	}
	g_string_append(to, m->file_count ? "\n  ],\n" : "],\n");
	return true;
}

/* The value of the first line "key : value" of /proc/cpuinfo, or NULL. */
static char *cpu_model(void)
{
	char *text = NULL, *at, *end, *model = NULL;

	if (!g_file_get_contents("/proc/cpuinfo", &text, NULL, NULL))
		return NULL;
	at = strstr(text, "model name");
	if (at && (at = strchr(at, ':')) && (end = strchr(at, '\n')))
		model = g_strstrip(g_strndup(at + 1, (size_t)(end - at - 1)));
	g_free(text);
	return model;
}

static void machine(GString *to)
{
	struct utsname u = { 0 };
	char *model = cpu_model(), *system;

	uname(&u);
	system = g_strdup_printf("%s %s %s", u.sysname, u.release, u.machine);
	g_string_append(to, "  \"machine\": { \"system\": ");
	json_quote(to, system);
	g_string_append(to, ", \"cpu\": ");
	json_quote(to, model);
	g_string_append_printf(to, ", \"cores\": %ld, \"memory_bytes\": %lld },\n",
			       sysconf(_SC_NPROCESSORS_ONLN),
			       (long long)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE));
	g_free(system);
	g_free(model);
}

static void costs(GString *to, const struct metrics *cost)
{
	const char *comma = "\n";
	char buf[64];

	g_string_append(to, "  \"cost\": {");
	for (int i = 0; cost && i < cost->count; i++) {
		const struct metric_entry *e = catalog_at(cost->catalog, i);

		if (e->kind != METRIC_COST || !cost->known[i])
			continue;
		g_string_append_printf(to, "%s    \"%s\": %s", comma, e->name,
				       number_text(number_of(cost->cell[i], 1, e->unit), buf));
		comma = ",\n";
	}
	g_string_append(to, *comma == ',' ? "\n  }\n" : "}\n");
}

char *manifest_text(const struct manifest *m, const struct metrics *cost, struct fail *f)
{
	GString *to = g_string_new("{\n  \"format\": 1,\n");
	GDateTime *started = g_date_time_new_from_unix_utc(m->started_s);
	char *when = started ? g_date_time_format_iso8601(started) : NULL;

	member(to, "program", m->program);
	member(to, "version", m->version);
	member(to, "compiler", COMPILER);
	g_string_append(to, "  \"command\": [");
	for (int i = 0; i < m->argc; i++) {
		if (i)
			g_string_append(to, ", ");
		json_quote(to, m->argv[i]);
	}
	g_string_append(to, "],\n");
	member(to, "scenario", m->scenario);
	member(to, "scenario_text", m->scenario_text);
	g_string_append_printf(to, "  \"seed\": %llu,\n", (unsigned long long)m->seed);
	member(to, "digest", m->digest);
	g_string_append_printf(to, "  \"partial\": %s,\n", m->partial ? "true" : "false");
	seconds(to, "duration_s", m->duration_ns);
	seconds(to, "reached_s", m->reached_ns);
	seconds(to, "warmup_s", m->warmup_ns);
	seconds(to, "interval_s", m->interval_ns);
	g_string_append_printf(to, "  \"threads\": %u,\n  \"shards\": %u,\n", m->threads,
			       m->shards);
	member(to, "started", when);
	machine(to);
	g_free(when);
	if (started)
		g_date_time_unref(started);
	if (!files(to, m, f)) {
		g_string_free(to, TRUE);
		return NULL;
	}
	costs(to, cost);
	g_string_append(to, "}\n");
	return g_string_free(to, FALSE);
}
