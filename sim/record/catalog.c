/* catalog.c - the metrics of a run, found by number or by name */
#include <assert.h>
#include <string.h>

#include <glib.h>

#include "sim/record/catalog.h"

struct catalog {
	GArray *entries;		/* struct metric_entry */
	GHashTable *ids;		/* name -> id + 1; asked, never walked */
	GStringChunk *texts;
};

static const char *const suffixes[] = { "_ms", "_s", "_bytes", "_ks" };

/* Without its unit suffix, or NULL if it has none; g_free() it */
static char *short_name(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++)
		if (g_str_has_suffix(name, suffixes[i]) && strlen(name) > strlen(suffixes[i]))
			return g_strndup(name, strlen(name) - strlen(suffixes[i]));
	return NULL;
}

static bool well_formed(const char *name)
{
	if (!g_ascii_islower(*name))
		return false;
	for (; *name; name++)
		if (!g_ascii_islower(*name) && !g_ascii_isdigit(*name) && !strchr("._", *name))
			return false;
	return true;
}

int catalog_add(struct catalog *c, enum metric_kind kind, enum metric_unit unit, int of,
		const char *name, const char *text)
{
	int id = (int)c->entries->len;
	struct metric_entry e = {
		.name = g_string_chunk_insert(c->texts, name),
		.text = g_string_chunk_insert(c->texts, text),
		.kind = kind, .unit = unit, .of = of, .part = id,
	};
	char *brief = short_name(name);

	assert(well_formed(name));
	assert(!g_hash_table_contains(c->ids, name));
	assert((kind == METRIC_RATIO) == (of != M_NONE));
	g_array_append_val(c->entries, e);
	g_hash_table_insert(c->ids, (char *)e.name, GINT_TO_POINTER(id + 1));
	if (brief && !g_hash_table_contains(c->ids, brief))
		g_hash_table_insert(c->ids, g_string_chunk_insert(c->texts, brief),
				    GINT_TO_POINTER(id + 1));
	g_free(brief);
	return id;
}

int catalog_add_each(struct catalog *c, enum metric_unit unit, const char *before,
		     const char *const *names, unsigned count, const char *after,
		     const char *text)
{
	int first = (int)c->entries->len;

	for (unsigned i = 0; i < count; i++) {
		char *name = g_strconcat(before, names[i], after, NULL);

		for (char *p = name; *p; p++) {
			*p = g_ascii_tolower(*p);
			if (!g_ascii_isalnum(*p) && *p != '.')
				*p = '_';
		}
		catalog_add(c, METRIC_COUNTER, unit, M_NONE, name, text);
		g_free(name);
	}
	return first;
}

void catalog_derive(struct catalog *c, int id, int part)
{
	assert(catalog_at(c, id)->kind == METRIC_RATIO);
	g_array_index(c->entries, struct metric_entry, id).part = part;
}

int catalog_find(const struct catalog *c, const char *name)
{
	return GPOINTER_TO_INT(g_hash_table_lookup(c->ids, name)) - 1;
}

const struct metric_entry *catalog_at(const struct catalog *c, int id)
{
	assert(id >= 0 && (unsigned)id < c->entries->len);
	return &g_array_index(c->entries, struct metric_entry, id);
}

int catalog_count(const struct catalog *c)
{
	return (int)c->entries->len;
}

const char *unit_text(enum metric_unit unit)
{
	static const char *const text[] = {
#define X(name, mul, div, unit_name) unit_name,
		METRIC_UNIT_LIST(X)
#undef X
	};

	return text[unit];
}

struct catalog *catalog_new(void)
{
	struct catalog *c = g_new0(struct catalog, 1);

	c->entries = g_array_new(FALSE, FALSE, sizeof(struct metric_entry));
	c->ids = g_hash_table_new(g_str_hash, g_str_equal);
	c->texts = g_string_chunk_new(4096);
#define X(id, kind, unit, of, name, text) \
	catalog_add(c, METRIC_##kind, UNIT_##unit, M_##of, name, text);
	METRIC_LIST(X)
#undef X
	catalog_derive(c, M_STEPS_PER_NODE, M_STEPS);
	return c;
}

void catalog_free(struct catalog *c)
{
	if (!c)
		return;
	g_hash_table_destroy(c->ids);
	g_array_free(c->entries, TRUE);
	g_string_chunk_free(c->texts);
	g_free(c);
}
