/*
 * grid.h - one experiment over a grid of parameters and seeds: sweep.csv
 *
 * A row is a run. Columns before "seed" are parameters (scenario keys with their
 * values as written), columns after it are metrics, named as in summary.json.
 * Rows with equal parameters are one point; over its seeds a metric has a mean
 * and a 95 % confidence interval (Student's t).
 *
 *	ring.long,churn.session,seed,lookup.right,lookup.hops.mean,...
 *	4,60m,1,0.99991,3.62,...
 */
#ifndef GRID_H
#define GRID_H

#include "analysis/csv.h"
#include "analysis/stats.h"

/** struct grid_point - the rows with one set of parameter values */
struct grid_point {
	unsigned *row;
	unsigned rows;
	char *label;			/* "ring.long = 4, churn.session = 60m" */
};

struct grid {
	char *dir;
	struct csv *table;
	unsigned parameters;		/* columns 0..parameters-1; then seed; then metrics */
	struct grid_point *point;	/* in order of first appearance */
	unsigned points;
};

/** grid_read() - DIR/sweep.csv; NULL with a message */
struct grid *grid_read(const char *dir, struct fail *f);

/** grid_of() - The same from a table, which becomes the sweep's; freed on failure */
struct grid *grid_of(const char *dir, struct csv *table, struct fail *f);
void grid_free(struct grid *s);

/** grid_interval() - Mean and interval of metric column @column at point @i */
struct interval grid_interval(const struct grid *s, unsigned i, unsigned column);

/** grid_value() - The value of parameter @parameter at point @i, as written */
const char *grid_value(const struct grid *s, unsigned i, unsigned parameter);

/**
 * grid_numbers() - Is parameter @parameter a number with one and the same unit everywhere?
 * @unit: what follows the number; borrowed
 *
 * Then @value gets one number per point and the axis can be a scale.
 */
bool grid_numbers(const struct grid *s, unsigned parameter, double *value, const char **unit);

#endif /* GRID_H */
