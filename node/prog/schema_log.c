/* schema_log.c - every value in effect as text, and where it came from */
#include "node/prog/schema_log.h"

#include <stdarg.h>
#include <string.h>

#include <glib.h>

enum { SHOWN = 60 };			/* characters of a value in a message */

struct schema_log *log_new(const char *name)
{
	struct schema_log *log = g_new0(struct schema_log, 1);

	log->name = g_strdup(name ? name : "defaults");
	return log;
}

void schema_log_free(struct schema_log *log)
{
	if (!log)
		return;
	for (unsigned i = 0; i < log->count; i++) {
		g_free(log->entry[i].group);
		g_free(log->entry[i].key);
		g_free(log->entry[i].text);
		g_free(log->entry[i].resolved);
	}
	for (unsigned i = 0; i < log->groups; i++)
		g_free(log->group[i].name);
	g_free(log->entry);
	g_free(log->group);
	g_free(log->name);
	g_free(log);
}

void log_group_add(struct schema_log *log, const char *name, unsigned line)
{
	log->group = g_renew(struct log_group, log->group, log->groups + 1);
	log->group[log->groups++] = (struct log_group){ g_strdup(name), line };
}

struct log_entry *log_add(struct schema_log *log, const char *group, const char *key,
			  const char *text, struct schema_place place, bool given)
{
	if (log->count == log->room) {
		log->room = log->room ? 2 * log->room : 128;
		log->entry = g_renew(struct log_entry, log->entry, log->room);
	}
	log->entry[log->count] = (struct log_entry){ g_strdup(group), g_strdup(key), g_strdup(text),
						     NULL, place, given };
	return &log->entry[log->count++];
}

struct log_entry *log_find(const struct schema_log *log, const char *group, const char *key)
{
	for (unsigned i = 0; i < log->count; i++)
		if (!strcmp(log->entry[i].key, key) && !strcmp(log->entry[i].group, group))
			return &log->entry[i];
	return NULL;
}

/* The user's text, short and printable. */
static char *shown(const char *text)
{
	bool cut = g_utf8_strlen(text, -1) > SHOWN;
	char *part = g_utf8_substring(text, 0, cut ? SHOWN : g_utf8_strlen(text, -1));
	GString *out = g_string_new(NULL);

	for (const char *c = part; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			g_string_append_printf(out, "\\x%02x", (unsigned char)*c);
		else
			g_string_append_c(out, *c);
	g_free(part);
	return g_string_free(g_string_append(out, cut ? "..." : ""), FALSE);
}

void log_say(struct fail *f, const char *file, const char *group, const char *key,
	     const char *text, struct schema_place place, const char *why, const char *accepted)
{
	GString *out = g_string_new(NULL);
	char *value = text ? shown(text) : NULL;

	if (place.override && key)
		g_string_append_printf(out, "-s %s.%s", group, key);
	else if (place.line)
		g_string_append_printf(out, "%s:%u: [%s]", file, place.line, group);
	else
		g_string_append_printf(out, "%s: [%s]", file, group);
	if (key && !place.override)
		g_string_append_printf(out, " %s", key);
	if (key && value && (*value || place.override))
		g_string_append_printf(out, place.override ? "=%s" : " = %s", value);
	g_string_append_printf(out, ": %s", why);
	if (text && strstr(text, " #"))
		g_string_append(out, " (a comment needs a line of its own)");
	if (accepted)
		g_string_append_printf(out, "; accepted: %s", accepted);
	fail_add(f, "%s", out->str);
	g_string_free(out, TRUE);
	g_free(value);
}

void schema_complain(const struct schema_log *log, struct fail *f, const char *group,
		     const char *key, const char *format, ...)
{
	const struct log_entry *e = key ? log_find(log, group, key) : NULL;
	struct schema_place place = { 0 };
	va_list args;
	char *why;

	va_start(args, format);
	why = g_strdup_vprintf(format, args);
	va_end(args);
	if (e)
		place = e->place;
	/* A default has no line of its own; its group may have one. */
	for (unsigned i = 0; !place.line && !place.override && i < log->groups; i++)
		if (!strcmp(log->group[i].name, group))
			place.line = log->group[i].line;
	log_say(f, log->name, group, key, e ? e->text : NULL, place, why, NULL);
	g_free(why);
}

const char *schema_value(const struct schema_log *log, const char *group, const char *key)
{
	const struct log_entry *e = log_find(log, group, key);

	return !e ? NULL : e->resolved ? e->resolved : e->text;
}

struct schema_place schema_place(const struct schema_log *log, const char *group,
				 const char *key, bool *given)
{
	const struct log_entry *e = log_find(log, group, key);

	*given = e && e->given && e->text;
	return e ? e->place : (struct schema_place){ 0 };
}

void schema_each(const struct schema_log *log, schema_each_fn *fn, void *arg)
{
	for (unsigned i = 0; i < log->count; i++) {
		const struct log_entry *e = &log->entry[i];

		if (e->text)
			fn(arg, e->group, e->key, e->resolved ? e->resolved : e->text, e->given);
	}
}

struct writing {
	GString *out;
	const char *group;
};

static void write_one(void *arg, const char *group, const char *key, const char *text, bool given)
{
	struct writing *w = arg;

	(void)given;
	if (!w->group || strcmp(w->group, group))
		g_string_append_printf(w->out, "%s[%s]\n", w->group ? "\n" : "", group);
	w->group = group;
	g_string_append_printf(w->out, "%s = %s\n", key, text);
}

char *schema_write(const struct schema_log *log)
{
	struct writing w = { g_string_new(NULL), NULL };

	schema_each(log, write_one, &w);
	return g_string_free(w.out, FALSE);
}
