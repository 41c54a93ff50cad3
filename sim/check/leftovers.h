/*
 * leftovers.h - oracle: nothing is left of nodes that went
 *
 *	Memory		40 bytes per trace of somebody who is gone
 */
#ifndef SIM_CHECK_LEFTOVERS_H
#define SIM_CHECK_LEFTOVERS_H

#include "sim/check/limits.h"
#include "sim/check/since.h"

/** goodbye_fn - did the node that last had @id say goodbye to its neighbours when it went? */
typedef bool goodbye_fn(const void *ctx, struct id id);

/** struct check_leftovers - all zeroes is a good beginning */
struct check_leftovers {
	struct since since;
	goodbye_fn *goodbye;		/* NULL: nobody ever did */
	const void *ctx;
};

void check_leftovers_done(struct check_leftovers *l);
void check_leftovers(struct check_leftovers *l, const struct census *c, const struct judge *j);

#endif /* SIM_CHECK_LEFTOVERS_H */
