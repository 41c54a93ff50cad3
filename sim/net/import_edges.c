/*
 * import_edges.c - node_a,node_b,latency_ms,jitter_ms: shadow-planetlab-303, shadow-popmap-183
 *
 * An undirected complete graph with self-edges (hosts inside one region), each
 * edge once, in any order. Jitter is a standard deviation. One that was
 * measured over round trips falls to the two directions as two independent
 * halves, so each has 1/sqrt(2) of it.
 *
 * latency.c draws jitter uniformly and lets it move from one value to the next
 * for a quarter of the time, which makes the deviation sqrt(11/36) of half the
 * band's width; so the half width is 1.809 deviations.
 */
#include "sim/net/import.h"

#include <stdlib.h>
#include <string.h>

#define HEADER	"node_a,node_b,latency_ms,jitter_ms"

enum { SWING_PER_MILLE = 1809, SWING_RTT_PER_MILLE = 2558 };	/* the latter of half: 1279 x 2 */

struct edge {
	uint32_t a, b;
	uint32_t ns, swing_ns;
	uint32_t line;
};

static int by_nodes(const void *x, const void *y)
{
	const struct edge *p = x, *q = y;

	if (p->a != q->a)
		return p->a < q->a ? -1 : 1;
	if (p->b != q->b)
		return p->b < q->b ? -1 : 1;
	return p->line < q->line ? -1 : p->line > q->line;
}

static bool read_edge(struct import *in, char *line, struct edge *e)
{
	char *field[4];
	int64_t ns, jitter;

	if (!import_split(in, line, field, 4) ||
	    !import_count(in, field[0], 1, "node_a", NET_ROWS_MAX, &e->a) ||
	    !import_count(in, field[1], 2, "node_b", NET_ROWS_MAX, &e->b) ||
	    !import_ns(in, field[2], 3, "latency_ms", NET_LATENCY_MAX_NS, false, &ns) ||
	    !import_ns(in, field[3], 4, "jitter_ms", NET_LATENCY_MAX_NS / 4, false, &jitter))
		return false;
	if (e->a > e->b) {
		uint32_t swap = e->a;

		e->a = e->b;
		e->b = swap;
	}
	e->ns = (uint32_t)ns;
	e->swing_ns = (uint32_t)(jitter * (in->meaning == TABLE_RTT ? SWING_RTT_PER_MILLE :
							SWING_PER_MILLE) / 1000);
	e->line = in->line;
	return true;
}

/* Sorted, the edges must be (0,0) (0,1) ... (n-1,n-1): the first that is not tells what is wrong. */
static bool complete(struct import *in, const struct edge *e, uint32_t edges, uint32_t *rows)
{
	uint32_t n = e[edges - 1].a + 1, i = 0;

	for (i = 0; i < edges; i++)
		if (e[i].b >= n)
			n = e[i].b + 1;
	i = 0;
	for (uint32_t a = 0; a < n; a++)
		for (uint32_t b = a; b < n; b++, i++) {
			if (i < edges && e[i].a == a && e[i].b == b)
				continue;
			if (i && i < edges && e[i - 1].a == e[i].a && e[i - 1].b == e[i].b) {
				in->line = e[i].line;
				import_fail(in, "the pair %u,%u a second time (first in line %u)",
					    e[i].a, e[i].b, e[i - 1].line);
				return false;
			}
			import_fail(in, "the pair %u,%u is missing; wanted: every pair of %u nodes and "
				    "each with itself", a, b, n);
			return false;
		}
	if (i < edges) {
		in->line = e[i].line;
		import_fail(in, "the pair %u,%u a second time", e[i].a, e[i].b);
		return false;
	}
	*rows = n;
	return true;
}

static struct net_table *fill(const struct edge *e, uint32_t edges, uint32_t rows)
{
	struct net_table *t = g_new0(struct net_table, 1);

	t->kind = KIND_MATRIX;
	t->rows = rows;
	t->diagonal = true;
	t->ns = g_new(uint32_t, (size_t)rows * rows);
	t->swing_ns = g_new(uint32_t, (size_t)rows * rows);
	for (uint32_t i = 0; i < edges; i++) {
		size_t ab = (size_t)e[i].a * rows + e[i].b, ba = (size_t)e[i].b * rows + e[i].a;

		t->ns[ab] = t->ns[ba] = e[i].ns;
		t->swing_ns[ab] = t->swing_ns[ba] = e[i].swing_ns;
	}
	return t;
}

struct net_table *import_edges(struct import *in)
{
	GArray *edges = g_array_new(FALSE, FALSE, sizeof(struct edge));
	struct net_table *t = NULL;
	char *line = import_line(in);
	uint32_t rows;

	if (line && strcmp(line, HEADER))
		import_fail(in, "not a list of edges; wanted in the first line: %s", HEADER);
	while ((line = import_line(in))) {
		struct edge e;

		if (!read_edge(in, line, &e))
			break;
		g_array_append_val(edges, e);
	}
	if (!in->failed && !edges->len)
		import_fail(in, "no edges; wanted: lines of %s", HEADER);
	if (!in->failed) {
		struct edge *e = (struct edge *)(void *)edges->data;

		qsort(e, edges->len, sizeof(*e), by_nodes);
		if (complete(in, e, edges->len, &rows))
			t = fill(e, edges->len, rows);
	}
	g_array_free(edges, TRUE);
	return t;
}
