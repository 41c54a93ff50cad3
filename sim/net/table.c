/* table.c - measured latencies: loading, asking */
#include "sim/net/table.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/engine/chance.h"
#include "sim/net/import.h"
#include "sim/net/table_inside.h"

static enum table_format guess(struct import *in)
{
	const char *line = import_line(in);

	if (!line) {
		import_fail(in, "the file is empty");
		return TABLE_AUTO;
	}
	import_again(in);
	if (g_str_has_prefix(line, "node_a,"))
		return TABLE_EDGES;
	if (g_str_has_prefix(line, "cluster_a,"))
		return TABLE_SPREAD;
	if (g_str_has_prefix(line, "index,"))
		return TABLE_POINTS;
	if (line[strspn(line, " \t+-.0123456789eE")] == 0 && line[0])
		return TABLE_SQUARE;
	import_fail(in, "the format cannot be told from this line; wanted: numbers apart by tabs, or one "
		    "of the headings node_a,... cluster_a,... index,...");
	return TABLE_AUTO;
}

static int ascending(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return a < b ? -1 : a > b;
}

/* The shortest quarter of each row's entries, at least one: what two hosts of one row get. */
static void find_near(struct net_table *t)
{
	uint32_t others = t->rows - 1;
	uint32_t *row = g_new(uint32_t, t->rows);

	t->near = others / 4 ? others / 4 : 1;
	t->near_ns = g_new(uint32_t, (size_t)t->rows * t->near);
	for (uint32_t a = 0; a < t->rows; a++) {
		uint32_t n = 0;

		for (uint32_t b = 0; b < t->rows; b++)
			if (b != a)
				row[n++] = t->ns[(size_t)a * t->rows + b];
		qsort(row, n, sizeof(*row), ascending);
		memcpy(t->near_ns + (size_t)a * t->near, row, t->near * sizeof(*row));
	}
	g_free(row);
}

struct net_table *net_table_parse(const char *file, const void *data, size_t len,
				  enum table_format format, enum table_meaning meaning,
				  struct net_error *why)
{
	struct net_table *t = NULL;
	struct import in;

	import_begin(&in, file, data, len, meaning, why);
	switch (format == TABLE_AUTO ? guess(&in) : format) {
	case TABLE_AUTO:	break;		/* guess() has said why */
	case TABLE_SQUARE:	t = import_square(&in); break;
	case TABLE_EDGES:	t = import_edges(&in); break;
	case TABLE_SPREAD:	t = import_spread(&in); break;
	case TABLE_POINTS:	t = import_points(&in); break;
	}
	assert(!t == in.failed);			/* a table or a message, never neither or both */
	import_end(&in);
	if (t && t->kind == KIND_MATRIX && !t->diagonal)
		find_near(t);
	return t;
}

struct net_table *net_table_load(const char *file, enum table_format format,
				 enum table_meaning meaning, struct net_error *why)
{
	GError *error = NULL;
	struct net_table *t;
	char *data;
	gsize len;

	if (!g_file_get_contents(file, &data, &len, &error)) {
		g_strlcpy(why->text, error->message, sizeof(why->text));
		g_error_free(error);
		return NULL;
	}
	t = net_table_parse(file, data, len, format, meaning, why);
	g_free(data);
	return t;
}

void net_table_free(struct net_table *t)
{
	if (!t)
		return;
	g_free(t->ns);
	g_free(t->swing_ns);
	g_free(t->near_ns);
	g_free(t->x_ns);
	g_free(t->y_ns);
	g_free(t->line);
	g_free(t->pair);
	g_free(t->touching);
	g_free(t->touch);
	g_free(t);
}

uint32_t net_table_rows(const struct net_table *t)
{
	return t->rows;
}

bool net_table_is_points(const struct net_table *t)
{
	return t->kind == KIND_POINTS;
}

const struct table_line *net_table_line(const struct net_table *t, uint32_t a, uint32_t b,
				       uint64_t draw)
{
	const struct table_span *ab = &t->pair[(size_t)a * t->rows + b];
	const struct table_span *ta = &t->touch[a < b ? a : b], *tb = &t->touch[a < b ? b : a];
	uint32_t n, i;

	if (ab->count)
		return &t->line[ab->first + (uint32_t)(((draw >> 32) * ab->count) >> 32)];
	n = ta->count + tb->count;
	i = (uint32_t)(((draw >> 32) * n) >> 32);
	return &t->line[i < ta->count ? t->touching[ta->first + i] :
					t->touching[tb->first + i - ta->count]];
}

int64_t net_table_near(const struct net_table *t, uint32_t a, uint64_t draw)
{
	return t->near_ns[(size_t)a * t->near + (uint32_t)(((draw >> 32) * t->near) >> 32)];
}

int64_t net_plane_ns(int32_t ax, int32_t ay, int32_t bx, int32_t by)
{
	double dx = (double)((int64_t)ax - bx), dy = (double)((int64_t)ay - by);

	return (int64_t)sqrt(dx * dx + dy * dy);
}

int64_t net_table_ns(const struct net_table *t, uint32_t a, uint32_t b)
{
	assert(a < t->rows && b < t->rows);
	switch (t->kind) {
	case KIND_MATRIX:
		return t->ns[(size_t)a * t->rows + b];
	case KIND_POINTS:
		return net_plane_ns(t->x_ns[a], t->y_ns[a], t->x_ns[b], t->y_ns[b]);
	case KIND_SPREAD:
		return net_table_line(t, a, b, chance_draw(0, a < b ? a : b, 0, a < b ? b : a))
			->quartile_ns[2];
	}
	return 0;
}
