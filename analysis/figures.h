/*
 * figures.h - the field's standard plots, one function each
 *
 * Each draws one run in full, or several laid over each other. A figure whose
 * numbers were not measured says so by returning false and is left out.
 *
 *	lookups		right on the first try and finally; wrong and lost
 *	hops		distribution and CDF
 *	latency		CDF of lookup latency
 *	nodes		alive and joined; ring health
 *	maintenance	bytes per node and second, mean and 95th percentile node
 *	join		CDF of the time from start to joined
 *	death		CDF of the time until a dead ring neighbour is noticed
 *	traffic		bytes per node and second by message kind
 */
#ifndef FIGURES_H
#define FIGURES_H

#include "analysis/plot.h"
#include "analysis/run.h"

/* One per figure; false if there is nothing to draw. */
typedef bool figure_fn(struct plot *p, const struct run *const *runs, unsigned count);

struct figure {
	const char *name, *title;
	int height;
	figure_fn *draw;
};

extern const struct figure figures[];
extern const unsigned figure_count;

figure_fn draw_lookups, draw_nodes, draw_maintenance;			/* figures_time.c */
figure_fn draw_hops, draw_latency, draw_join, draw_death, draw_traffic;	/* figures_spread.c */

#endif /* FIGURES_H */
