/* explain.c - a schema for people: help on a terminal and a man page */
#include "node/prog/explain.h"

#include <string.h>

#include <glib.h>

enum { KEY_COLUMN = 16 };

/* Words with their meaning, where they have one. */
static void words_out(GString *out, const struct schema_key *k, const char *indent)
{
	for (const struct schema_word *w = k->words; w && w->name; w++)
		if (w->text)
			g_string_append_printf(out, "%s%-*s %s\n", indent, KEY_COLUMN - 2, w->name, w->text);
}

static const char *kind_name(const struct schema_group *g, int64_t bit)
{
	for (const struct schema_word *w = g->keys[0].words; w->name; w++)
		if (w->value == bit)
			return w->name;
	return NULL;
}

/* "crash, restart, leave" for a set of kinds; g_free() it. */
static char *kinds_of(const struct schema_group *g, uint32_t set)
{
	GString *out = g_string_new(NULL);

	for (int bit = 0; bit < 32; bit++)
		if (set >> bit & 1 && kind_name(g, bit))
			g_string_append_printf(out, "%s%s", out->len ? ", " : "", kind_name(g, bit));
	return g_string_free(out, FALSE);
}

static const char *example_of(const struct schema_key *k)
{
	return k->example ? k->example : k->preset && *k->preset ? k->preset : NULL;
}

/* Everything about one key. */
static void key_out(GString *out, const struct schema_group *g, const struct schema_key *k)
{
	const char *number = g->numbered ? ".N" : "", *example = example_of(k);
	char *accepted = schema_accepted(k), *kinds;

	g_string_append_printf(out, "[%s%s] %s\n  %s\n\n  accepted  %s\n", g->name, number, k->name,
			       k->text, accepted);
	if (k->preset)
		g_string_append_printf(out, "  default   %s\n", *k->preset ? k->preset : "(empty)");
	else
		g_string_append_printf(out, "  default   %s\n", k->needed ? "none, it must be given" : "none");
	if (g->by_kind && k->taken) {
		kinds = kinds_of(g, k->taken);
		g_string_append_printf(out, "  for       %s = %s\n", g->keys[0].name, kinds);
		g_free(kinds);
	}
	if (g->by_kind && k->taken && k->needed) {
		kinds = kinds_of(g, k->needed);
		g_string_append_printf(out, "  needed    %s = %s\n", g->keys[0].name, kinds);
		g_free(kinds);
	}
	if (example)
		g_string_append_printf(out, "  example   %s = %s\n", k->name, example);
	if (k->since)
		g_string_append_printf(out, "  since     %s\n", k->since);
	g_free(accepted);
	if (k->words && (k->words->text || (k->words->name && k->words[1].text))) {
		g_string_append_c(out, '\n');
		words_out(out, k, "  ");
	}
}

static void group_out(GString *out, const struct schema_group *g)
{
	g_string_append_printf(out, "[%s%s]  %s\n", g->name, g->numbered ? ".1" : "", g->text);
	if (g->open)
		g_string_append(out, "  lookup.right     = >= 99.9%\n  ring.healed      = <= 60s\n");
	for (unsigned i = 0; i < g->count; i++) {
		const struct schema_key *k = &g->keys[i];

		g_string_append_printf(out, "  %-*s %s", KEY_COLUMN, k->name, k->text);
		if (k->preset && *k->preset)
			g_string_append_printf(out, " (%s)", k->preset);
		g_string_append_c(out, '\n');
	}
}

static const char *const UNITS = "Values carry their unit: 50ms 1.5h, 5% or 0.05, 0.1/s 6/h, "
				 "10Mbit, 64KiB.\nOne key to a line, comments on lines of their own.\n";

static char *all(const struct schema *s)
{
	GString *out = g_string_new(NULL);

	for (unsigned i = 0; i < s->count; i++) {
		group_out(out, &s->groups[i]);
		g_string_append_c(out, '\n');
	}
	g_string_append(out, UNITS);
	return g_string_free(out, FALSE);
}

/* The group @name names, with or without a number. */
static const struct schema_group *group_named(const struct schema *s, const char *name)
{
	unsigned number;

	for (unsigned i = 0; i < s->count; i++)
		if (!strcmp(s->groups[i].name, name))
			return &s->groups[i];
	return schema_group_find(s, name, &number);
}

/* The nearest group or key to what was asked for. */
static void not_found(const struct schema *s, const struct schema_group *in, const char *what,
		      struct fail *f)
{
	unsigned count = in ? in->count : s->count;
	const char **names = g_new(const char *, count ? count : 1), *near_one;
	GString *list = g_string_new(NULL);

	for (unsigned i = 0; i < count; i++) {
		names[i] = in ? in->keys[i].name : s->groups[i].name;
		g_string_append_printf(list, "%s%s", i ? ", " : "", names[i]);
	}
	near_one = nearest(what, names, count);
	fail_add(f, "no %s '%s'%s%s; accepted: %s", in ? "key" : "group", what,
		 near_one ? ", the nearest is " : "", near_one ? near_one : "", list->str);
	g_string_free(list, TRUE);
	g_free(names);
}

char *explain(const struct schema *s, const char *what, struct fail *f)
{
	const struct schema_group *g;
	const struct schema_key *k;
	GString *out;
	char *head;

	if (!what)
		return all(s);
	g = group_named(s, what);
	out = g_string_new(NULL);
	if (g) {
		group_out(out, g);
		if (g->count)
			g_string_append_printf(out, "\n'explain %s.KEY' says more about one key.\n",
					       g->name);
		return g_string_free(out, FALSE);
	}
	/* group.key, or a key alone if only one group has it */
	head = g_strdup(what);
	if (strrchr(head, '.')) {
		*strrchr(head, '.') = 0;
		g = group_named(s, head);
		k = g ? schema_key_find(g, strrchr(what, '.') + 1) : NULL;
		if (k)
			key_out(out, g, k);
		else
			not_found(s, g, g ? strrchr(what, '.') + 1 : head, f);
	} else {
		for (unsigned i = 0; i < s->count; i++) {
			k = schema_key_find(&s->groups[i], what);
			if (k && out->len)
				g_string_append_c(out, '\n');
			if (k)
				key_out(out, &s->groups[i], k);
		}
		if (!out->len)
			not_found(s, NULL, what, f);
	}
	g_free(head);
	if (out->len)
		return g_string_free(out, FALSE);
	g_string_free(out, TRUE);
	return NULL;
}

/* ---- the man page ----------------------------------------------------------------------- */

/* scdoc reads _ and * as emphasis and \ as an escape. */
static char *escaped(const char *text)
{
	GString *out = g_string_new(NULL);

	for (; *text; text++) {
		if (strchr("_*\\<>#`", *text))
			g_string_append_c(out, '\\');
		g_string_append_c(out, *text);
	}
	return g_string_free(out, FALSE);
}

static void put(GString *out, const char *before, const char *text, const char *after)
{
	char *safe = escaped(text);

	g_string_append_printf(out, "%s%s%s", before, safe, after);
	g_free(safe);
}

static void man_key(GString *out, const struct schema_group *g, const struct schema_key *k)
{
	const char *example = example_of(k);
	char *accepted = schema_accepted(k), *kinds;

	put(out, "*", k->name, "*");
	put(out, " = ", accepted, "\n");
	put(out, "\t", k->text, ".");
	if (k->preset && *k->preset)
		put(out, " Default: ", k->preset, ".");
	if (g->by_kind && k->taken) {
		kinds = kinds_of(g, k->taken);
		put(out, " For ", kinds, ".");
		g_free(kinds);
	}
	if (example && (!k->preset || strcmp(example, k->preset)))
		put(out, " Example: ", example, ".");
	g_string_append(out, "\n\n");
	for (const struct schema_word *w = k->words; w && w->name; w++) {
		if (!w->text)
			continue;
		put(out, "\t*", w->name, "*: ");
		put(out, "", w->text, "\n\n");
	}
	g_free(accepted);
}

char *explain_man(const struct schema *s, const char *page)
{
	GString *out = g_string_new(NULL);
	const char *paren = strchr(page, '(');
	char *name = g_strndup(page, paren ? (size_t)(paren - page) : strlen(page));

	g_string_append_printf(out, "%s\n\n# NAME\n\n%s - %s\n\n", page, name, s->title);
	g_string_append_printf(out, "# DESCRIPTION\n\n"
		"A %s is a key file: groups in brackets, one key = value to a line, comments (#) on "
		"lines of their own. Unknown and repeated groups and keys are refused with the nearest "
		"known name. An option -s group.key=value wins over the file; the longest known group "
		"name is taken, so -s fault.1.at=5m works.\n\n", s->name);
	g_string_append(out, "# UNITS\n\n"
		"Times: ns us ms s m h d (50ms, 1.5h). Shares: 5% or 0.05. Rates: 0.1/s, 6/h, 1/10m; a "
		"rate without its time is refused. Bit rates: bit kbit Mbit Gbit. Sizes: B kB MB GB KiB "
		"MiB GiB. Counts: 1000, 10k, 1M. Drifts: ppm, ppb, %. Lists: values with colons between. "
		"Paths are relative to the file's folder, on the command line to the working directory."
		"\n\n"
		"Distributions: constant 5s; uniform 1s 5s; exponential mean 30m (or median); weibull "
		"shape 0.6 median 60m (or scale, mean); pareto shape 2 scale 10m; lomax shape 2 scale 10m; "
		"lognormal median 60m sigma 1.5; mixtures like 50% exponential mean 10m | 50% constant "
		"1h.\n\n");
	for (unsigned i = 0; i < s->count; i++) {
		const struct schema_group *g = &s->groups[i];

		g_string_append_printf(out, "# [%s%s]\n\n", g->name, g->numbered ? ".N" : "");
		put(out, "", g->text, ".\n\n");
		for (unsigned k = 0; k < g->count; k++)
			man_key(out, g, &g->keys[k]);
	}
	g_free(name);
	return g_string_free(out, FALSE);
}
