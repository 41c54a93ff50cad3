/*
 * leftovers.h - oracle: nothing is left of nodes that went
 *
 *	Memory		40 bytes per trace of somebody who is gone
 */
#ifndef SIM_CHECK_LEFTOVERS_H
#define SIM_CHECK_LEFTOVERS_H

#include "sim/check/limits.h"
#include "sim/check/since.h"

/** struct went - how the node that last had an identity ended */
struct went {
	int64_t ended_ns;
	bool goodbye;			/* it said so to its neighbours */
};

/** went_fn - How did it end? False: nobody ever had @id, or that is long ago, or it runs */
typedef bool went_fn(const void *ctx, struct id id, struct went *out);

/** struct check_leftovers - all zeroes is a good beginning */
struct check_leftovers {
	struct since since;
	went_fn *went;			/* NULL: nothing is known but what the looks show */
	const void *ctx;
};

void check_leftovers_done(struct check_leftovers *l);
void check_leftovers(struct check_leftovers *l, const struct census *c, const struct judge *j);

#endif /* SIM_CHECK_LEFTOVERS_H */
