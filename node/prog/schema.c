/*
 * schema.c - from a key file and overrides to a typed struct, by a table
 *
 * The text goes through the locator (lines, duplicates), then through GKeyFile
 * (values). Both name things; the table decides what they mean. Groups are made
 * in table order, numbered ones by their number, so that neither the order of
 * the file nor that of the command line changes the result.
 */
#include "node/prog/schema.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "node/prog/locator.h"
#include "node/prog/schema_find.h"
#include "node/prog/schema_log.h"
#include "node/prog/schema_value.h"

/** struct reading - all that one schema_read() passes around */
struct reading {
	const struct schema *schema;
	const struct schema_source *src;
	const char *name;
	struct locator *where;		/* NULL without a file */
	GKeyFile *file;			/* NULL without a file */
	struct override *set;		/* later ones win */
	unsigned sets;
	unsigned char *target;
	struct schema_log *log;
	struct fail *f;
	bool bad;
};

struct override {
	char *group, *key;
	const char *value;
};

/* ---- overrides -------------------------------------------------------------------------- */

/* The key table and names of an override are checked when its group is read. */
static void take_overrides(struct reading *r)
{
	r->set = g_new0(struct override, r->src->sets ? r->src->sets : 1);
	for (unsigned i = 0; i < r->src->sets; i++) {
		struct override *o = &r->set[r->sets];
		const char *text = r->src->set[i];

		if (!g_utf8_validate(text, -1, NULL)) {
			fail_add(r->f, "-s: an argument is not UTF-8 text");
			r->bad = true;
		} else if (!schema_split(r->schema, text, &o->group, &o->key, &o->value, r->f)) {
			r->bad = true;
		} else {
			if (o->value) {
				r->sets++;
				continue;
			}
			fail_add(r->f, "-s %s: no value; accepted: group.key=value", text);
			r->bad = true;
			g_free(o->group);
			g_free(o->key);
		}
	}
}

static const struct override *override_find(const struct reading *r, const char *group,
					    const char *key)
{
	for (unsigned i = r->sets; i-- > 0; )
		if (!strcmp(r->set[i].key, key) && !strcmp(r->set[i].group, group))
			return &r->set[i];
	return NULL;
}

/* ---- reading ---------------------------------------------------------------------------- */

static void complain(struct reading *r, const char *group, const char *key, const char *text,
		     struct schema_place place, const char *why, const char *accepted)
{
	log_say(r->f, r->name, group, key, text, place, why, accepted);
	r->bad = true;
}

static unsigned line_of(const struct reading *r, const char *group, const char *key)
{
	if (!r->where)
		return 0;
	return key ? locator_key(r->where, group, key) : locator_group(r->where, group);
}

/* The user's text for a key: override, file, or NULL. g_free() it. */
static char *written(const struct reading *r, const char *group, const char *key,
		     struct schema_place *place)
{
	const struct override *o = override_find(r, group, key);
	char *text;

	*place = (struct schema_place){ 0 };
	if (o) {
		place->override = true;
		return g_strstrip(g_strdup(o->value));
	}
	if (!r->file)
		return NULL;
	text = g_key_file_get_value(r->file, group, key, NULL);
	if (text)
		place->line = line_of(r, group, key);
	return text ? g_strstrip(text) : NULL;
}

/* Paths of a file start at its folder, those of the command line where the user is. */
static char *resolve(const struct reading *r, const char *path, bool override)
{
	char *dir = NULL, *out;

	if (r->src->dir && !override)
		dir = g_canonicalize_filename(r->src->dir, NULL);
	out = g_canonicalize_filename(path, dir);
	g_free(dir);
	return out;
}

static bool store(struct reading *r, const struct schema_key *k, const char *group,
		  const char *text, struct schema_place place, void *member, bool given)
{
	char why[WHY_LEN], *accepted, *path = NULL;
	struct log_entry *e;

	if (!schema_value_read(k, text, member, why)) {
		accepted = schema_accepted(k);
		complain(r, group, k->name, text, place, why, accepted);
		g_free(accepted);
		return false;
	}
	if (k->type == TYPE_PATH && *(char **)member) {
		path = resolve(r, text, place.override);
		g_free(*(char **)member);
		*(char **)member = g_strdup(path);
		if (g_ascii_isspace(path[strlen(path) - 1])) {	/* files like this could not say it: it would be read as another */
			accepted = schema_accepted(k);
			complain(r, group, k->name, text, place, "it names what ends in a blank", accepted);
			g_free(accepted);
			g_free(path);
			return false;
		}
	}
	e = log_add(r->log, group, k->name, text, place, given);
	e->resolved = path;
	return true;
}

/* Which keys the kind in keys[0] needs, and which it has no use for. */
static void check_kind(struct reading *r, const struct schema_group *g, const char *name,
		       uint64_t given, uint32_t kind_bit, const char *kind)
{
	GString *takes = g_string_new(NULL);
	unsigned line = line_of(r, name, NULL);

	for (unsigned i = 1; i < g->count; i++)
		if (!kind || !g->keys[i].taken || g->keys[i].taken & kind_bit)
			g_string_append_printf(takes, "%s%s", takes->len ? ", " : "", g->keys[i].name);
	for (unsigned i = 0; i < g->count; i++) {
		const struct schema_key *k = &g->keys[i];
		bool has = given >> i & 1;
		char *why, *accepted;

		if (has && kind && k->taken && !(k->taken & kind_bit)) {
			struct schema_place place;
			char *text = written(r, name, k->name, &place);

			why = g_strdup_printf("%s = %s has no use for it", g->keys[0].name, kind);
			complain(r, name, k->name, text, place, why, takes->str);
			g_free(why);
			g_free(text);
		} else if (!has && k->needed & kind_bit) {
			accepted = schema_accepted(k);
			why = kind && i ? g_strdup_printf("%s = %s needs %s", g->keys[0].name, kind,
							  k->name) :
			      g_strdup_printf("%s is missing", k->name);
			complain(r, name, NULL, NULL, (struct schema_place){ .line = line }, why,
				 accepted);
			g_free(why);
			g_free(accepted);
		}
	}
	g_string_free(takes, TRUE);
}

static void read_group(struct reading *r, const struct schema_group *g, const char *name,
		       unsigned number, unsigned char *item)
{
	struct schema_head *head = (struct schema_head *)(void *)item;
	const char *kind = NULL;
	uint32_t kind_bit = 1;
	bool sound = true;

	head->number = number;
	head->line = line_of(r, name, NULL);
	log_group_add(r->log, name, head->line);
	for (unsigned i = 0; i < g->count; i++) {
		const struct schema_key *k = &g->keys[i];
		void *member = item + k->offset;
		struct schema_place place;
		char *text = written(r, name, k->name, &place);

		if (text) {
			head->given |= UINT64_C(1) << i;
			sound &= store(r, k, name, text, place, member, true);
		} else if (k->preset && (!k->taken || k->taken & kind_bit)) {
			bool fits = store(r, k, name, k->preset, place, member, false);

			g_assert(fits);		/* a default of the table is in order */
		} else {
			log_add(r->log, name, k->name, NULL, place, false);
		}
		g_free(text);
		if (!i && g->by_kind && head->given && sound) {
			kind = log_find(r->log, name, k->name)->text;
			kind_bit = UINT32_C(1) << *(int32_t *)member;
		}
	}
	if (g->by_kind && !(head->given & 1)) {
		char *accepted = schema_accepted(&g->keys[0]);
		char *why = g_strdup_printf("%s is missing", g->keys[0].name);

		complain(r, name, NULL, NULL, (struct schema_place){ .line = head->line }, why, accepted);
		g_free(why);
		g_free(accepted);
	} else if (sound) {
		check_kind(r, g, name, head->given, kind_bit, kind);
	}
}

static void read_open(struct reading *r, const struct schema_group *g)
{
	struct schema_pairs *pairs = (struct schema_pairs *)(void *)(r->target + g->offset);
	unsigned count = 0, room;
	const struct located *at = r->where ? locator_keys(r->where, &count) : NULL;

	room = count + r->sets;
	pairs->pair = g_new0(struct schema_pair, room ? room : 1);
	log_group_add(r->log, g->name, line_of(r, g->name, NULL));
	for (unsigned i = 0; i < room; i++) {
		const char *key = i < count ? at[i].key : r->set[i - count].key;
		const char *group = i < count ? at[i].group : r->set[i - count].group;
		struct schema_place place;
		char *text;

		if (strcmp(group, g->name) || log_find(r->log, group, key))
			continue;
		text = written(r, group, key, &place);
		/* An override without a value takes the line of the file away. */
		if (*text) {
			log_add(r->log, group, key, text, place, true);
			pairs->pair[pairs->count++] = (struct schema_pair){ g_strdup(key), text, place };
			continue;
		}
		if (!place.override)
			complain(r, group, key, text, place, "nothing stands here", NULL);
		g_free(text);
	}
}

static int by_number(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

static void read_numbered(struct reading *r, const struct schema_group *g)
{
	struct schema_many *many = (struct schema_many *)(void *)(r->target + g->offset);
	GArray *found = g_array_new(FALSE, FALSE, sizeof(unsigned));
	unsigned count = 0, last = 0, number;
	const struct located *at = r->where ? locator_groups(r->where, &count) : NULL;

	for (unsigned i = 0; i < count + r->sets; i++) {
		const char *name = i < count ? at[i].group : r->set[i - count].group;

		if (schema_group_find(r->schema, name, &number) == g)
			g_array_append_val(found, number);
	}
	g_array_sort(found, by_number);
	many->item = g_malloc0(g->size * (found->len ? found->len : 1));
	for (unsigned i = 0; i < found->len; i++) {
		char *name;

		number = g_array_index(found, unsigned, i);
		if (number == last)
			continue;
		last = number;
		name = g_strdup_printf("%s.%u", g->name, number);
		read_group(r, g, name, number, (unsigned char *)many->item + g->size * many->count++);
		g_free(name);
	}
	g_array_free(found, TRUE);
}

/* Names that the table does not know, in the order of the file and then of the overrides. */
static void refuse_unknown(struct reading *r)
{
	unsigned groups = 0, keys = 0, number;
	const struct located *group = r->where ? locator_groups(r->where, &groups) : NULL;
	const struct located *key = r->where ? locator_keys(r->where, &keys) : NULL;
	char *why, *accepted;

	for (unsigned i = 0; i < groups; i++) {
		struct schema_place place = { .line = group[i].line };

		if (schema_group_find(r->schema, group[i].group, &number))
			continue;
		why = find_no_group(r->schema, group[i].group, &accepted);
		complain(r, group[i].group, NULL, NULL, place, why, accepted);
		g_free(why);
		g_free(accepted);
	}
	for (unsigned i = 0; i < keys + r->sets; i++) {
		struct schema_place place = { .line = i < keys ? key[i].line : 0, .override = i >= keys };
		const char *name = i < keys ? key[i].key : r->set[i - keys].key;
		const char *in = i < keys ? key[i].group : r->set[i - keys].group;
		const struct schema_group *g = schema_group_find(r->schema, in, &number);

		if (!g || g->open || schema_key_find(g, name))
			continue;
		why = find_no_key(r->schema, g, name, &accepted);
		complain(r, in, name, NULL, place, why, accepted);
		g_free(why);
		g_free(accepted);
	}
}

static bool load_file(struct reading *r)
{
	GError *error = NULL;

	if (!r->src->text)
		return true;
	if (r->src->len > SCHEMA_FILE_MAX) {
		fail_add(r->f, "%s: %zu bytes are too many for a %s; accepted: at most %d", r->name,
			 r->src->len, r->schema->name, SCHEMA_FILE_MAX);
		return false;
	}
	r->where = locator_new(r->name, r->src->text, r->src->len, r->f);
	if (!r->where)
		return false;
	r->file = g_key_file_new();
	if (r->src->len && !g_key_file_load_from_data(r->file, r->src->text, r->src->len,
						      G_KEY_FILE_KEEP_TRANSLATIONS, &error)) {
		fail_add(r->f, "%s: %s", r->name, error->message);
		g_error_free(error);
		return false;
	}
	return true;
}

bool schema_read(const struct schema *s, const struct schema_source *src, void *target,
		 struct schema_log **log, struct fail *f)
{
	struct reading r = { .schema = s, .src = src, .target = target, .f = f,
			     .name = src->name ? src->name : "defaults" };

	memset(target, 0, s->size);
	r.log = log_new(src->name);
	r.bad = !load_file(&r);
	if (!r.bad) {
		take_overrides(&r);
		refuse_unknown(&r);
		for (unsigned i = 0; i < s->count; i++) {
			const struct schema_group *g = &s->groups[i];

			if (g->open)
				read_open(&r, g);
			else if (g->numbered)
				read_numbered(&r, g);
			else
				read_group(&r, g, g->name, 0, r.target + g->offset);
		}
	}
	for (unsigned i = 0; i < r.sets; i++) {
		g_free(r.set[i].group);
		g_free(r.set[i].key);
	}
	g_free(r.set);
	locator_free(r.where);
	if (r.file)
		g_key_file_free(r.file);
	if (r.bad) {
		schema_clear(s, target);
		schema_log_free(r.log);
		r.log = NULL;
	}
	*log = r.log;
	return !r.bad;
}

static void clear_group(const struct schema_group *g, unsigned char *item)
{
	for (unsigned i = 0; i < g->count; i++)
		schema_value_done(&g->keys[i], item + g->keys[i].offset);
}

void schema_clear(const struct schema *s, void *target)
{
	for (unsigned i = 0; i < s->count; i++) {
		const struct schema_group *g = &s->groups[i];
		unsigned char *at = (unsigned char *)target + g->offset;

		if (g->open) {
			struct schema_pairs *pairs = (struct schema_pairs *)(void *)at;

			for (unsigned k = 0; k < pairs->count; k++) {
				g_free(pairs->pair[k].key);
				g_free(pairs->pair[k].text);
			}
			g_free(pairs->pair);
		} else if (g->numbered) {
			struct schema_many *many = (struct schema_many *)(void *)at;

			for (unsigned k = 0; k < many->count; k++)
				clear_group(g, (unsigned char *)many->item + g->size * k);
			g_free(many->item);
		} else {
			clear_group(g, at);
		}
	}
	memset(target, 0, s->size);
}

void schema_assume(const struct schema *s, struct schema_log *log, void *target,
		   const char *group, const char *key, const char *text)
{
	unsigned number;
	const struct schema_group *g = schema_group_find(s, group, &number);
	const struct schema_key *k = schema_key_find(g, key);
	struct log_entry *e = log_find(log, group, key);
	char why[WHY_LEN];
	bool fits = !g->numbered && schema_value_read(k, text, (unsigned char *)target + g->offset + k->offset,
					       why);

	g_assert(fits);
	g_free(e->text);
	e->text = g_strdup(text);
}

void schema_forget(const struct schema *s, struct schema_log *log, void *target,
		   const char *group, const char *key)
{
	unsigned number;
	const struct schema_group *g = schema_group_find(s, group, &number);
	const struct schema_key *k = schema_key_find(g, key);
	struct log_entry *e = log_find(log, group, key);

	g_assert(!g->numbered);
	schema_value_clear(k, (unsigned char *)target + g->offset + k->offset);
	g_clear_pointer(&e->text, g_free);
	g_clear_pointer(&e->resolved, g_free);
}
