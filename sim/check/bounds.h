/*
 * bounds.h - oracle: tables and memory stay within their bounds
 *
 *	Memory		40 bytes per node over a soft bound
 */
#ifndef SIM_CHECK_BOUNDS_H
#define SIM_CHECK_BOUNDS_H

#include "sim/check/limits.h"
#include "sim/check/since.h"

/** struct check_bounds - all zeroes is a good beginning */
struct check_bounds {
	struct since since;
};

void check_bounds_done(struct check_bounds *b);
void check_bounds(struct check_bounds *b, const struct census *c, const struct judge *j);

/** bounds_longs() - long links a node draws that believes in a ring of @size */
uint32_t bounds_longs(const struct limits *l, uint32_t size);

#endif /* SIM_CHECK_BOUNDS_H */
