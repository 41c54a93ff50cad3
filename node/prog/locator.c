/* locator.c - where things stand in a key file */
#include "node/prog/locator.h"

#include <stdbool.h>
#include <string.h>

#include <glib.h>

enum { SHOWN = 40 };			/* characters of a bad line in a message */

static const char UNKNOWN[] = "";	/* the group after a header that is none */

struct locator {
	GArray *keys;			/* struct located; strings in `words` */
	GArray *groups;			/* the same with key NULL */
	GHashTable *group_line;		/* name -> line; looked up, never walked */
	GHashTable *key_line;		/* "group\nkey" -> line */
	GStringChunk *words;
};

static bool blank(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] != ' ' && s[i] != '\t')
			return false;
	return true;
}

static bool name_fits(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (!g_ascii_isalnum(*s) && !strchr("._-", *s))
			return false;
	return true;
}

/* A line of the user's for a message: short and printable. */
static char *shown(const char *s)
{
	char *cut = g_utf8_substring(s, 0, MIN(g_utf8_strlen(s, -1), SHOWN)), *out;

	out = g_strescape(g_strstrip(cut), NULL);
	g_free(cut);
	return out;
}

static void add_group(struct locator *l, const char *name, const char *line, unsigned at,
		      const char **group, struct fail *f)
{
	const char *end = strchr(line, ']');
	char *inner, *what;
	unsigned before;

	*group = UNKNOWN;
	if (!end || !blank(end + 1, strlen(end + 1))) {
		what = shown(line);
		fail_add(f, "%s:%u: '%s' is not a group; accepted: [name] alone on its line", name, at,
			 what);
		g_free(what);
		return;
	}
	inner = g_strndup(line + 1, (size_t)(end - line - 1));
	if (!name_fits(inner)) {
		what = shown(line);
		fail_add(f, "%s:%u: '%s' is not a group name; accepted: letters, digits, - . _", name,
			 at, what);
		g_free(what);
		g_free(inner);
		return;
	}
	*group = g_string_chunk_insert_const(l->words, inner);
	g_free(inner);
	before = locator_group(l, *group);
	if (before) {
		fail_add(f, "%s:%u: [%s] stands twice, first in line %u; accepted: one group of a name",
			 name, at, *group, before);
		return;
	}
	g_hash_table_insert(l->group_line, (void *)*group, GUINT_TO_POINTER(at));
	g_array_append_val(l->groups, ((struct located){ *group, NULL, at }));
}

static void add_key(struct locator *l, const char *name, const char *line, unsigned at,
		    const char *group, struct fail *f)
{
	const char *equals = strchr(line, '=');
	char *key, *what, *both;
	unsigned before;

	if (!equals) {
		what = shown(line);
		fail_add(f, "%s:%u: '%s' is neither a [group] nor key = value nor a # comment", name,
			 at, what);
		g_free(what);
		return;
	}
	key = g_strndup(line, (size_t)(equals - line));
	g_strchomp(key);
	if (!name_fits(key)) {
		what = shown(key);
		fail_add(f, "%s:%u: '%s' is not a key; accepted: letters, digits, - . _ before the =",
			 name, at, what);
		g_free(what);
	} else if (!group) {
		fail_add(f, "%s:%u: %s stands before any [group]", name, at, key);
	} else if (!strcmp(key, "Encoding")) {		/* GKeyFile's own, in the first group */
		fail_add(f, "%s:%u: 'Encoding' is not a key; accepted: UTF-8 text, of which nothing need be said", name, at);
	} else if (group != UNKNOWN) {
		both = g_strconcat(group, "\n", key, NULL);
		before = locator_key(l, group, key);
		if (before) {
			fail_add(f, "%s:%u: [%s] %s stands twice, first in line %u; accepted: each key once",
				 name, at, group, key, before);
		} else {
			struct located one = { group, g_string_chunk_insert_const(l->words, key), at };

			g_hash_table_insert(l->key_line, g_string_chunk_insert(l->words, both),
					    GUINT_TO_POINTER(at));
			g_array_append_val(l->keys, one);
		}
		g_free(both);
	}
	g_free(key);
}

struct locator *locator_new(const char *name, const char *text, size_t len, struct fail *f)
{
	struct locator *l = g_new0(struct locator, 1);
	struct fail found = { 0 };
	/* After a bad header the keys below it have a group, but none we know. */
	const char *group = NULL, *valid_end;
	unsigned at = 0;

	l->keys = g_array_new(FALSE, FALSE, sizeof(struct located));
	l->groups = g_array_new(FALSE, FALSE, sizeof(struct located));
	l->group_line = g_hash_table_new(g_str_hash, g_str_equal);
	l->key_line = g_hash_table_new(g_str_hash, g_str_equal);
	l->words = g_string_chunk_new(1024);
	if (!g_utf8_validate_len(text, len, &valid_end)) {
		unsigned bad = 1;

		for (const char *c = text; c < valid_end; c++)
			bad += *c == '\n';
		fail_add(&found, "%s:%u: not a text file (%s); accepted: UTF-8 text", name, bad,
			 valid_end < text + len && !*valid_end ? "a zero byte" : "not UTF-8");
		len = 0;
	}
	for (size_t i = 0; i < len; ) {
		const char *end = memchr(text + i, '\n', len - i);
		size_t n = end ? (size_t)(end - text) - i : len - i;
		char *line = g_strndup(text + i, n);

		i += n + 1;
		at++;
		if (n && line[n - 1] == '\r')
			line[n - 1] = 0;
		/* Like GKeyFile: blanks before a line mean nothing, # begins a comment. */
		g_strchug(line);
		if (*line == '[')
			add_group(l, name, line, at, &group, &found);
		else if (*line && *line != '#')
			add_key(l, name, line, at, group, &found);
		g_free(line);
	}
	if (failed(&found)) {
		fail_move(f, &found);
		locator_free(l);
		return NULL;
	}
	return l;
}

void locator_free(struct locator *l)
{
	if (!l)
		return;
	g_array_free(l->keys, TRUE);
	g_array_free(l->groups, TRUE);
	g_hash_table_destroy(l->group_line);
	g_hash_table_destroy(l->key_line);
	g_string_chunk_free(l->words);
	g_free(l);
}

unsigned locator_group(const struct locator *l, const char *group)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(l->group_line, group));
}

unsigned locator_key(const struct locator *l, const char *group, const char *key)
{
	char *both = g_strconcat(group, "\n", key, NULL);
	unsigned at = GPOINTER_TO_UINT(g_hash_table_lookup(l->key_line, both));

	g_free(both);
	return at;
}

const struct located *locator_keys(const struct locator *l, unsigned *count)
{
	*count = l->keys->len;
	return (const struct located *)(void *)l->keys->data;
}

const struct located *locator_groups(const struct locator *l, unsigned *count)
{
	*count = l->groups->len;
	return (const struct located *)(void *)l->groups->data;
}
