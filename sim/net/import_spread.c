/*
 * import_spread.c - cluster_a,cluster_b,min,q1,median,mean,q3,max,stddev: shadow-iplane-2012
 *
 * Some pairs of clusters have no line, some have several (different paths
 * between them). A pair without lines is given one of those that touch either
 * cluster; net_table_line() does it.
 */
#include "sim/net/import.h"

#include <stdlib.h>
#include <string.h>

#define HEADER	"cluster_a,cluster_b,min_ms,q1_ms,median_ms,mean_ms,q3_ms,max_ms,stddev_ms"

enum {
	CLUSTERS_MAX	= 2000,		/* 32 MB of table */
	LINES_MAX	= 10000000,
	NAME_MAX_BYTES	= 31,
};

static int by_rows(const void *x, const void *y)
{
	const struct table_line *p = x, *q = y;

	if (p->a != q->a)
		return p->a < q->a ? -1 : 1;
	if (p->b != q->b)
		return p->b < q->b ? -1 : 1;
	return memcmp(p->quartile_ns, q->quartile_ns, sizeof(p->quartile_ns));
}

/* Clusters are numbered as they first appear. */
static bool cluster(struct import *in, GHashTable *names, const char *name, unsigned column,
		    uint32_t *out)
{
	gpointer known;

	if (g_hash_table_lookup_extended(names, name, NULL, &known)) {
		*out = GPOINTER_TO_UINT(known);
		return true;
	}
	if (!*name || strlen(name) > NAME_MAX_BYTES) {
		import_fail(in, "cluster (field %u) is a name of %zu bytes; wanted: 1 to %d", column,
			    strlen(name), NAME_MAX_BYTES);
		return false;
	}
	*out = g_hash_table_size(names);
	if (*out == CLUSTERS_MAX) {
		import_fail(in, "more than %d clusters", CLUSTERS_MAX);
		return false;
	}
	g_hash_table_insert(names, g_strdup(name), GUINT_TO_POINTER(*out));
	return true;
}

static bool read_line(struct import *in, GHashTable *names, char *text, struct table_line *l)
{
	static const char *const title[9] = { "cluster_a", "cluster_b", "min_ms", "q1_ms",
		"median_ms", "mean_ms", "q3_ms", "max_ms", "stddev_ms" };
	static const unsigned quartile[5] = { 2, 3, 4, 6, 7 };
	char *field[9];
	int64_t ns[9];

	if (!import_split(in, text, field, 9) || !cluster(in, names, field[0], 1, &l->a) ||
	    !cluster(in, names, field[1], 2, &l->b))
		return false;
	for (unsigned i = 2; i < 9; i++)
		if (!import_ns(in, field[i], i + 1, title[i], NET_LATENCY_MAX_NS, false, &ns[i]))
			return false;
	for (unsigned i = 0; i < 5; i++) {
		l->quartile_ns[i] = (uint32_t)ns[quartile[i]];
		if (i && l->quartile_ns[i] < l->quartile_ns[i - 1]) {
			import_fail(in, "%s (field %u) is '%s', less than %s; wanted: "
				    "min <= q1 <= median <= q3 <= max", title[quartile[i]],
				    quartile[i] + 1, field[quartile[i]], title[quartile[i - 1]]);
			return false;
		}
	}
	if (l->a > l->b) {
		uint32_t swap = l->a;

		l->a = l->b;
		l->b = swap;
	}
	return true;
}

static struct net_table *fill(GArray *lines, uint32_t rows)
{
	struct net_table *t = g_new0(struct net_table, 1);
	uint32_t at = 0;

	t->kind = KIND_SPREAD;
	t->rows = rows;
	t->lines = lines->len;
	t->line = (struct table_line *)(void *)g_array_free(lines, FALSE);
	qsort(t->line, t->lines, sizeof(*t->line), by_rows);
	t->pair = g_new0(struct table_span, (size_t)rows * rows);
	t->touch = g_new0(struct table_span, rows);
	for (uint32_t i = 0; i < t->lines; i++) {
		const struct table_line *l = &t->line[i];
		struct table_span *ab = &t->pair[(size_t)l->a * rows + l->b];

		if (!ab->count++)
			ab->first = i;
		t->pair[(size_t)l->b * rows + l->a] = *ab;
		t->touch[l->a].count++;
		if (l->a != l->b)
			t->touch[l->b].count++;
	}
	for (uint32_t row = 0; row < rows; row++) {
		t->touch[row].first = at;
		at += t->touch[row].count;
		t->touch[row].count = 0;
	}
	t->touching = g_new(uint32_t, at);
	for (uint32_t i = 0; i < t->lines; i++) {
		struct table_span *a = &t->touch[t->line[i].a], *b = &t->touch[t->line[i].b];

		t->touching[a->first + a->count++] = i;
		if (a != b)
			t->touching[b->first + b->count++] = i;
	}
	return t;
}

struct net_table *import_spread(struct import *in)
{
	GArray *lines = g_array_new(FALSE, FALSE, sizeof(struct table_line));
	GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	struct net_table *t = NULL;
	char *line = import_line(in);

	if (line && strcmp(line, HEADER))
		import_fail(in, "not a list of spreads; wanted in the first line: %s", HEADER);
	while ((line = import_line(in))) {
		struct table_line l;

		if (!read_line(in, names, line, &l))
			break;
		if (lines->len == LINES_MAX) {
			import_fail(in, "more than %d lines", LINES_MAX);
			break;
		}
		g_array_append_val(lines, l);
	}
	if (!in->failed && !lines->len)
		import_fail(in, "no lines; wanted: %s", HEADER);
	if (in->failed)
		g_array_free(lines, TRUE);
	else
		t = fill(lines, g_hash_table_size(names));
	g_hash_table_destroy(names);
	return t;
}
