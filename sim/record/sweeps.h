/*
 * sweeps.h - many runs: a table of what was varied and what came out
 *
 * The arithmetic of `weft-sim sweep`, apart from the processes that run it.
 *
 *	Memory		GLib's
 *	Statistics	two-sided 95 % confidence intervals of the mean by Student's t
 */
#ifndef SIM_RECORD_SWEEPS_H
#define SIM_RECORD_SWEEPS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <glib.h>

#include "node/prog/fail.h"

enum { SWEEP_VARIED = 8, SWEEP_RUNS = 100000 };

/** struct varied - one --vary group.key=a,b,c */
struct varied {
	char *key;
	char **value;
	unsigned count;
};

/** varied_parse() - Read "group.key=a,b,c"; false with a message */
bool varied_parse(struct varied *v, const char *text, struct fail *f);
void varied_done(struct varied *v);

/** struct spread - a mean and half the width of its interval; half is negative if n < 2 */
struct spread {
	unsigned n;
	double mean, half;
};

/** spread_of() - Of @n values; NaN ones are left out */
struct spread spread_of(const double *value, unsigned n);

/** student() - The two-sided 95 % quantile of Student's t with @freedom degrees of freedom */
double student(unsigned freedom);

/** struct sweep - runs by point (a choice of values) and seed */
struct sweep {
	struct varied varied[SWEEP_VARIED];
	unsigned varieds, points, seeds;
	uint64_t first_seed;
	GPtrArray *metrics;		/* char *: names, in order of the first summary read */
	double *value;			/* by run, then metric; NaN: unknown */
	int *code;			/* exit code by run; -1: did not run */
};

/** sweep_plan() - Number of points from what is varied; false with a message if it is too large */
bool sweep_plan(struct sweep *s, struct fail *f);
void sweep_done(struct sweep *s);

/** sweep_value() - What varied @v is at point @p */
const char *sweep_value(const struct sweep *s, unsigned point, unsigned v);

/** sweep_take() - The metrics of run @run from the JSON text of its summary; false with a message */
bool sweep_take(struct sweep *s, unsigned run, const char *path, struct fail *f);

/** sweep_csv() - One line a run. sweep_means() - one line a point: n, mean and half-width of each metric */
void sweep_csv(const struct sweep *s, FILE *to);
void sweep_means(const struct sweep *s, FILE *to);

/** sweep_print() - The table a person reads: the metrics that matter, mean +- half-width by point */
void sweep_print(const struct sweep *s, FILE *to);

#endif /* SIM_RECORD_SWEEPS_H */
