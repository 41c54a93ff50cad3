/* stats.h - means and their confidence intervals (Student's t, by GSL) */
#ifndef STATS_H
#define STATS_H

/** struct interval - a mean of @count values and the half width of its 95 % interval */
struct interval {
	unsigned count;
	double mean;			/* NAN if count is 0 */
	double half;			/* NAN if count is below 2 */
};

/** interval_of() - Values that are NAN are left out */
struct interval interval_of(const double *value, unsigned count);

#endif /* STATS_H */
