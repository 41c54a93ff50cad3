/*
 * curves.h - what figures are put together from: columns over time, CDFs, axes
 *
 * For figures_*.c; each function writes gnuplot into a plot.
 */
#ifndef CURVES_H
#define CURVES_H

#include <limits.h>

#include "analysis/figures.h"

enum { NO_BLOCK = UINT_MAX };

/** struct extent - the least and greatest value that an axis must show */
struct extent {
	double least, greatest;
};

#define NOWHERE ((struct extent){ INFINITY, -INFINITY })

/**
 * curve_series() - Column @column of series.csv as a data block (middle of interval, value)
 * @weight: for shares, the column they are a share of; NULL: rows count by their length
 * @scale: what values are multiplied with
 * @e: widened by what was drawn after the warm-up, whose bursts may leave the frame
 *
 * Many rows are drawn together, with their mean. Return: the block, NO_BLOCK if
 * there is no such column or nothing in it
 */
unsigned curve_series(struct plot *p, const struct run *r, struct plot_time t, const char *column,
		      const char *weight, double scale, struct extent *e);

/** curve_measured() - Is there a value of @column in any of the runs? */
bool curve_measured(const struct run *const *runs, unsigned count, const char *column);

/** curve_cdf() - The samples in @c as a data block (value, share in percent), from @low to @high at least */
unsigned curve_cdf(struct plot *p, const struct csv *c, bool steps, double low, double high);

/** curve_quantile() - The value below which @share of the samples lies */
double curve_quantile(const struct csv *c, double share);

/** curve_title() - @alone if there is one run, else the run's label; quoted, g_free() it */
char *curve_title(const struct run *r, unsigned count, const char *alone);

/** curve_colour() - @alone if there is one run, else the colour of run @i */
const char *curve_colour(unsigned i, unsigned count, const char *alone);

void axis_time(struct plot *p, struct plot_time t);

/** axis_y() - The name of the vertical axis; after plot_panel() */
void axis_y(struct plot *p, const char *text);

/** axis_log() - A logarithmic horizontal axis from @low to @high with numbers at 1, 2 and 5 */
void axis_log(struct plot *p, double low, double high);

/** axis_percent() - A range for shares near 100 %, with a margin that keeps the line off the edge */
void axis_percent(struct plot *p, struct extent e);

/** key_at() - The legend right-aligned in one row below share @top of the height */
void key_at(struct plot *p, double top);

/** head_room() - Where the first panel ends: below title, legend and names of faults */
double head_room(struct plot *p, const struct run *const *runs, unsigned count);

#endif /* CURVES_H */
