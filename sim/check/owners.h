/*
 * owners.h - oracle: each key has one owner who believes it
 *
 *	Memory		the keys that failed last time, at most OWNERS_FAILING
 *	Chance		a struct chance of its own: looking changes nothing
 */
#ifndef SIM_CHECK_OWNERS_H
#define SIM_CHECK_OWNERS_H

#include "sim/check/limits.h"
#include "sim/check/since.h"
#include "sim/engine/chance.h"

enum { OWNERS_FAILING = 64 };

/** owns_fn - does the node of @row believe now that it owns @key? */
typedef bool owns_fn(const void *ctx, uint32_t row, struct id key);

/** struct check_owners - all zeroes, then .owns, .ctx and .chance set, is a good beginning */
struct check_owners {
	struct since since;
	struct chance chance;
	owns_fn *owns;
	const void *ctx;
	struct { uint32_t row; struct id key; } failing[OWNERS_FAILING];
	unsigned fails;
};

void check_owners_done(struct check_owners *o);

/** check_owners() - Ask around again for keys that failed, and for those of @fresh random members */
void check_owners(struct check_owners *o, const struct census *c, const struct judge *j, unsigned fresh);

#endif /* SIM_CHECK_OWNERS_H */
