/* schema_value.c - one value of a schema: from text into a typed member */
#include "node/prog/schema_value.h"

#include <stdio.h>
#include <string.h>

#include <glib.h>

enum { WORDS_MAX = 64 };

/* The stored form of any type, before it goes into the member. */
union stored {
#define X(name, ctype, text) ctype as_##name;
	SCHEMA_TYPE_LIST(X)
#undef X
};

static const struct {
	size_t size;
	const char *text;
} TYPES[] = {
#define X(name, ctype, text) [TYPE_##name] = { sizeof(ctype), text },
	SCHEMA_TYPE_LIST(X)
#undef X
};

const char *schema_type_text(enum schema_type t)
{
	return TYPES[t].text;
}

static const struct schema_word *word_find(const struct schema_word *words, const char *name)
{
	for (; words && words->name; words++)
		if (!strcmp(words->name, name))
			return words;
	return NULL;
}

/* A bound as a user would write it. */
static const char *bound_text(enum schema_type t, int64_t v, char buf[UNIT_TEXT_LEN])
{
	switch (t) {
	case TYPE_TIME:
	case TYPE_RATE:
		return duration_text(v, buf);
	case TYPE_SHARE:
	case TYPE_SHARES:
		return share_text((uint32_t)v, buf);
	case TYPE_BITRATE:
		return bitrate_text(v, buf);
	case TYPE_BYTES:
		return bytes_text(v, buf);
	default:
		snprintf(buf, UNIT_TEXT_LEN, "%lld", (long long)v);
		return buf;
	}
}

static bool in_bounds(const struct schema_key *k, int64_t v, char why[WHY_LEN])
{
	char buf[UNIT_TEXT_LEN];

	if (!k->min && !k->max)
		return true;
	if (v < k->min) {
		snprintf(why, WHY_LEN, "less than %s", bound_text(k->type, k->min, buf));
		return false;
	}
	if (v > k->max) {
		snprintf(why, WHY_LEN, "more than %s", bound_text(k->type, k->max, buf));
		return false;
	}
	return true;
}

/* Rates are bounded by their fastest: min is the shortest mean interval, and 0 (never) is fine. */
static bool rate_in_bounds(const struct schema_key *k, int64_t v, char why[WHY_LEN])
{
	char buf[UNIT_TEXT_LEN];

	if (!v || v >= k->min)
		return true;
	snprintf(why, WHY_LEN, "more than one each %s", duration_text(k->min, buf));
	return false;
}

static bool list_in_bounds(const struct schema_key *k, const struct numbers *list,
			   char why[WHY_LEN])
{
	for (unsigned i = 0; i < list->count; i++)
		if (!in_bounds(k, list->value[i], why))
			return false;
	return true;
}

static void no_such_word(const struct schema_word *words, const char *text, char why[WHY_LEN])
{
	const char *names[WORDS_MAX] = { 0 }, *near_one;
	unsigned count = 0;

	for (; words->name && count < WORDS_MAX; words++)
		names[count++] = words->name;
	near_one = nearest(text, names, count);
	if (!*text)
		snprintf(why, WHY_LEN, "nothing stands here");
	else if (near_one)
		snprintf(why, WHY_LEN, "not one of the words, the nearest is %s", near_one);
	else
		snprintf(why, WHY_LEN, "not one of the words");
}

static bool parse(const struct schema_key *k, const char *text, union stored *s,
		  char why[WHY_LEN])
{
	switch (k->type) {
	case TYPE_FLAG:
		return flag_parse(text, &s->as_FLAG, why);
	case TYPE_COUNT:
		return count_parse(text, &s->as_COUNT, why) && in_bounds(k, s->as_COUNT, why);
	case TYPE_TIME:
		return duration_parse(text, &s->as_TIME, why) && in_bounds(k, s->as_TIME, why);
	case TYPE_SHARE:
		return share_parse(text, &s->as_SHARE, why) && in_bounds(k, s->as_SHARE, why);
	case TYPE_RATE:
		return rate_parse(text, &s->as_RATE, why) && rate_in_bounds(k, s->as_RATE, why);
	case TYPE_BITRATE:
		return bitrate_parse(text, &s->as_BITRATE, why) && in_bounds(k, s->as_BITRATE, why);
	case TYPE_BYTES:
		return bytes_parse(text, &s->as_BYTES, why) && in_bounds(k, s->as_BYTES, why);
	case TYPE_DRIFT:
		return drift_parse(text, &s->as_DRIFT, why) && in_bounds(k, s->as_DRIFT, why);
	case TYPE_WORD:
		no_such_word(k->words, text, why);
		return false;
	case TYPE_TEXT:
		s->as_TEXT = g_strdup(text);
		return true;
	case TYPE_PATH:
		if (!*text) {
			snprintf(why, WHY_LEN, "nothing stands here");
			return false;
		}
		s->as_PATH = g_strdup(text);
		return true;
	case TYPE_DIST:
		return dist_parse(text, &s->as_DIST, why);
	case TYPE_COUNTS:
	case TYPE_SHARES:
		if (!(k->type == TYPE_COUNTS ? counts_parse : shares_parse)(text, &s->as_COUNTS, why))
			return false;
		if (list_in_bounds(k, &s->as_COUNTS, why))
			return true;
		numbers_done(&s->as_COUNTS);
		return false;
	}
	g_assert_not_reached();
}

/* The value a word stands for, in the type's stored form. */
static void from_word(const struct schema_key *k, int64_t v, union stored *s)
{
	memset(s, 0, sizeof(*s));	/* texts, distributions, lists: a word means none */
	switch (k->type) {
	case TYPE_COUNT:
	case TYPE_TIME:
	case TYPE_RATE:
	case TYPE_BITRATE:
	case TYPE_BYTES:
		s->as_COUNT = v;
		break;
	case TYPE_SHARE:
		s->as_SHARE = (uint32_t)v;
		break;
	case TYPE_WORD:
	case TYPE_DRIFT:
		s->as_WORD = (int32_t)v;
		break;
	default:
		break;
	}
}

bool schema_value_read(const struct schema_key *k, const char *text, void *member, char why[WHY_LEN])
{
	const struct schema_word *w = word_find(k->words, text);
	union stored s;

	if (w)
		from_word(k, w->value, &s);
	else if (!parse(k, text, &s, why))
		return false;
	schema_value_done(k, member);
	memcpy(member, &s, TYPES[k->type].size);
	return true;
}

void schema_value_done(const struct schema_key *k, void *member)
{
	switch (k->type) {
	case TYPE_TEXT:
	case TYPE_PATH:
		g_free(*(char **)member);
		*(char **)member = NULL;
		break;
	case TYPE_COUNTS:
	case TYPE_SHARES:
		numbers_done(member);
		break;
	default:
		break;
	}
}

void schema_value_clear(const struct schema_key *k, void *member)
{
	schema_value_done(k, member);
	memset(member, 0, TYPES[k->type].size);
}

char *schema_accepted(const struct schema_key *k)
{
	GString *out = g_string_new(NULL);
	char a[UNIT_TEXT_LEN], b[UNIT_TEXT_LEN];

	for (const struct schema_word *w = k->words; w && w->name; w++)
		g_string_append_printf(out, "%s%s", out->len ? ", " : "", w->name);
	if (k->type == TYPE_WORD)
		return g_string_free(out, FALSE);
	g_string_append_printf(out, "%s%s", out->len ? ", or " : "", schema_type_text(k->type));
	if (k->type == TYPE_RATE && k->min)
		g_string_append_printf(out, ", at most one each %s", duration_text(k->min, a));
	else if (k->max == INT64_MAX)
		g_string_append_printf(out, " from %s", bound_text(k->type, k->min, a));
	else if (k->max)
		g_string_append_printf(out, " from %s to %s", bound_text(k->type, k->min, a),
				       bound_text(k->type, k->max, b));
	return g_string_free(out, FALSE);
}
