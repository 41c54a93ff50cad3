/*
 * table_inside.h - what a table is made of; for table.c, the importers and latency.c
 */
#ifndef SIM_NET_TABLE_INSIDE_H
#define SIM_NET_TABLE_INSIDE_H

#include "sim/net/table.h"

enum table_kind { KIND_MATRIX, KIND_POINTS, KIND_SPREAD };

/** struct table_line - one measured path between rows a and b, one way */
struct table_line {
	uint32_t a, b;			/* a <= b */
	uint32_t quartile_ns[5];	/* min, q1, median, q3, max; ascending */
};

struct table_span { uint32_t first, count; };

struct net_table {
	enum table_kind kind;
	uint32_t rows;
	/* MATRIX: rows x rows, one way; symmetric or not, as the file has it */
	uint32_t *ns;
	uint32_t *swing_ns;		/* or NULL: half the width of each entry's jitter */
	bool      diagonal;		/* ns[a][a] is a latency inside row a, not an absence */
	uint32_t *near_ns;		/* no diagonal: the shortest of each row, ... */
	uint32_t  near;			/* ... so many */
	/* POINTS */
	int32_t *x_ns, *y_ns;
	/* SPREAD */
	struct table_line *line;	/* by (a, b) */
	uint32_t lines;
	struct table_span *pair;	/* rows x rows: the lines of a pair */
	uint32_t *touching;		/* numbers of lines, by row they touch */
	struct table_span *touch;	/* by row, in touching */
};

/**
 * net_table_line() - The line for a pair of rows
 * @draw: picks among several; for a pair without lines, among those that touch either row
 */
const struct table_line *net_table_line(const struct net_table *t, uint32_t a, uint32_t b,
				       uint64_t draw);

/** net_table_near() - A stand-in for the latency inside row @a of a matrix without diagonal */
int64_t net_table_near(const struct net_table *t, uint32_t a, uint64_t draw);

/** net_plane_ns() - sqrt(dx^2 + dy^2) rounded down; each operation correctly rounded, so the same
 *  everywhere */
int64_t net_plane_ns(int32_t ax, int32_t ay, int32_t bx, int32_t by);

#endif /* SIM_NET_TABLE_INSIDE_H */
