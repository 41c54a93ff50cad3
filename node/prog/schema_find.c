/* schema_find.c - names of groups and keys, known and unknown */
#include "node/prog/schema_find.h"

#include <string.h>

#include <glib.h>

enum { NUMBER_MAX = 9999 };

const struct schema_group *schema_group_find(const struct schema *s, const char *name,
					     unsigned *number)
{
	for (unsigned i = 0; i < s->count; i++) {
		const struct schema_group *g = &s->groups[i];
		size_t len = strlen(g->name);
		unsigned n = 0;

		if (!g->numbered) {
			if (strcmp(g->name, name))
				continue;
			*number = 0;
			return g;
		}
		if (strncmp(g->name, name, len) || name[len] != '.' || name[len + 1] == '0')
			continue;
		for (name += len + 1; *name >= '0' && *name <= '9' && n <= NUMBER_MAX; name++)
			n = n * 10 + (unsigned)(*name - '0');
		if (*name || !n || n > NUMBER_MAX)
			return NULL;
		*number = n;
		return g;
	}
	return NULL;
}

const struct schema_key *schema_key_find(const struct schema_group *g, const char *name)
{
	for (unsigned i = 0; i < g->count; i++)
		if (!strcmp(g->keys[i].name, name))
			return &g->keys[i];
	return NULL;
}

/* Names of groups or of a group's keys, for nearest() and for listing. */
static const char **group_names(const struct schema *s)
{
	const char **names = g_new(const char *, s->count);

	for (unsigned i = 0; i < s->count; i++)
		names[i] = s->groups[i].name;
	return names;
}

static const char **key_names(const struct schema_group *g)
{
	const char **names = g_new(const char *, g->count);

	for (unsigned i = 0; i < g->count; i++)
		names[i] = g->keys[i].name;
	return names;
}

static char *listed(const char *const *names, unsigned count)
{
	GString *out = g_string_new(NULL);

	for (unsigned i = 0; i < count; i++)
		g_string_append_printf(out, "%s%s", i ? ", " : "", names[i]);
	return g_string_free(out, FALSE);
}

char *find_no_group(const struct schema *s, const char *name, char **accepted)
{
	const char **names = group_names(s);
	char *head = g_strdup(name), *dot = strchr(head, '.'), *why;
	const struct schema_group *g = NULL;
	const char *near_one;

	if (dot)
		*dot = 0;
	near_one = nearest(head, names, s->count);
	for (unsigned i = 0; near_one && i < s->count; i++)
		if (!strcmp(s->groups[i].name, near_one))
			g = &s->groups[i];
	if (g && !strcmp(head, near_one)) {
		why = g_strdup(g->numbered ? "this group needs a number" : "this group has no number");
		*accepted = g->numbered ? g_strdup_printf("[%s.1] to [%s.%d]", head, head, NUMBER_MAX) :
			    g_strdup_printf("[%s]", head);
	} else {
		why = g ? g_strdup_printf("no such group, the nearest is [%s%s]", near_one,
					  g->numbered ? ".1" : "") : g_strdup("no such group");
		*accepted = listed(names, s->count);
	}
	g_free(head);
	g_free(names);
	return why;
}

char *find_no_key(const struct schema *s, const struct schema_group *g, const char *key,
		  char **accepted)
{
	const char **names = key_names(g);
	const char *near_one = nearest(key, names, g->count);
	char *why = NULL;

	for (unsigned i = 0; !why && i < s->count; i++)
		if (&s->groups[i] != g && schema_key_find(&s->groups[i], key))
			why = g_strdup_printf("no such key here, it belongs to [%s%s]",
					      s->groups[i].name, s->groups[i].numbered ? ".1" : "");
	if (!why && near_one)
		why = g_strdup_printf("no such key, the nearest is %s", near_one);
	if (!why)
		why = g_strdup("no such key");
	*accepted = listed(names, g->count);
	g_free(names);
	return why;
}

bool schema_split(const struct schema *s, const char *text, char **group, char **key,
		  const char **value, struct fail *f)
{
	size_t name_len = strcspn(text, "="), dot = 0;
	char *head, *why, *accepted;
	unsigned number;

	/* The longest known group; in open groups keys hold dots, too. */
	for (size_t i = name_len; i-- > 0; ) {
		if (text[i] != '.')
			continue;
		if (!dot)
			dot = i;
		head = g_strndup(text, i);
		if (schema_group_find(s, head, &number) && i + 1 < name_len) {
			*group = head;
			*key = g_strndup(text + i + 1, name_len - i - 1);
			if (value)
				*value = text[name_len] ? text + name_len + 1 : NULL;
			return true;
		}
		g_free(head);
	}
	if (!dot || dot + 1 == name_len) {
		fail_add(f, "-s %s: names no %s; accepted: group.key=value", text,
			 dot ? "key" : "group");
		return false;
	}
	head = g_strndup(text, dot);
	why = find_no_group(s, head, &accepted);
	fail_add(f, "-s %s: [%s]: %s; accepted: %s", text, head, why, accepted);
	g_free(why);
	g_free(accepted);
	g_free(head);
	return false;
}
