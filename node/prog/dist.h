/*
 * dist.h - distributions of a time: session lengths, off times, access delays
 *
 * Written the way papers write them:
 *
 *	constant 5s			uniform 1s 5s
 *	exponential mean 30m		exponential median 60m
 *	weibull shape 0.6 median 60m	weibull shape .34 scale 21.3m	weibull shape .5 mean 10000s
 *	pareto shape 2 scale 10m	(P(X > x) = (scale / x)^shape, x >= scale; also median, mean)
 *	lomax shape 2 scale 10m		(the same shifted to start at 0)
 *	lognormal median 60m sigma 1.5	(also mean)
 *	50% exponential mean 10m | 40% exponential mean 100m | 10% exponential mean 1000m
 *
 * A sample is a pure function of one 64-bit draw: the inverse of the
 * distribution function at it, so a greater draw is a longer time (but for
 * mixtures, whose part is chosen first). It is computed by real.h, so it is the
 * same on any machine and from any compiler, and within 1e-12 of the truth.
 *
 *	Memory		none beyond the struct; at most DIST_PARTS parts of a mixture
 *	Chance		the caller's draws, uniform over all 64-bit values
 */
#ifndef PROG_DIST_H
#define PROG_DIST_H

#include <stdbool.h>
#include <stdint.h>

#include "node/prog/units.h"

enum dist_kind {
	DIST_NONE,			/* not given; never sampled */
	DIST_CONSTANT,
	DIST_UNIFORM,
	DIST_EXPONENTIAL,
	DIST_WEIBULL,
	DIST_PARETO,
	DIST_LOMAX,
	DIST_LOGNORMAL,
};

enum { DIST_PARTS = 4 };

/* No sample is longer (73 years), so that adding one to a moment cannot overflow. */
#define DIST_LONGEST_NS	(INT64_MAX / 4)

/** struct dist_part - one distribution; a (and b) in ns where they are times */
struct dist_part {
	enum dist_kind kind;
	uint32_t ppb;			/* its weight; the weights add up to PPB_ONE */
	double a;			/* constant, lower end, mean (exponential), scale; lognormal:
					 * ln of the median */
	double b;			/* upper end, shape, sigma */
};

struct dist {
	unsigned parts;			/* 0: not given */
	struct dist_part part[DIST_PARTS];
};

/** dist_parse() - Errors as in units.h */
bool dist_parse(const char *text, struct dist *d, char why[WHY_LEN]);

static inline bool dist_given(const struct dist *d)
{
	return d->parts != 0;
}

/** dist_sample_ns() - The value below which @draw / 2^64 of all samples lie */
int64_t dist_sample_ns(const struct dist *d, uint64_t draw);

/**
 * dist_residual_ns() - What is left of a session that an observer finds running
 *
 * In equilibrium a moment falls into a session with a chance proportional to
 * its length, and uniformly inside it. The two draws are made from @draw.
 * The mean must be finite.
 */
int64_t dist_residual_ns(const struct dist *d, uint64_t draw);

/** dist_mean_ns() - The mean; DIST_LONGEST_NS if it is infinite or longer than that */
int64_t dist_mean_ns(const struct dist *d);

/** dist_median_ns() - The sample for a draw of one half */
int64_t dist_median_ns(const struct dist *d);

#endif /* PROG_DIST_H */
