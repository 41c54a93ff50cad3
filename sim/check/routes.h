/*
 * routes.h - oracle: a greedy walk over the link tables reaches the owner
 *
 *	Memory		the walks that failed last time, at most ROUTES_FAILING
 *	Chance		a struct chance of its own: looking changes nothing
 */
#ifndef SIM_CHECK_ROUTES_H
#define SIM_CHECK_ROUTES_H

#include "sim/check/limits.h"
#include "sim/check/since.h"
#include "sim/engine/chance.h"

enum { ROUTES_FAILING = 64 };

enum walk_end {
	WALK_ARRIVED,			/* at the true owner, who believes to be it */
	WALK_STRAYED,			/* at a node that believes to be the owner and is not */
	WALK_STUCK,			/* no link leads nearer */
};

struct walk {
	enum walk_end end;
	uint32_t at;			/* the row it ended at */
	uint32_t owner;			/* the row it should have ended at */
	uint32_t hops;
};

/** struct check_routes - all zeroes, then .chance set, is a good beginning */
struct check_routes {
	struct since since;
	struct chance chance;
	struct { uint32_t from; struct id key; } failing[ROUTES_FAILING];
	unsigned fails;
};

void check_routes_done(struct check_routes *r);

/** routes_walk() - From member @from to the owner of @key, by links that are up */
struct walk routes_walk(const struct census *c, const struct limits *l, uint32_t from, struct id key);

/** check_routes() - Walk again what failed, and @fresh more, from random members to random keys */
void check_routes(struct check_routes *r, const struct census *c, const struct judge *j, unsigned fresh);

/**
 * routes_hops_max() - Above so many hops a lookup must have gone in circles
 * @members: of the ring
 */
uint32_t routes_hops_max(const struct limits *l, uint32_t members);

/** check_hops() - A lookup of @row took @hops */
void check_hops(const struct judge *j, int64_t at_ns, uint32_t row, uint64_t hops, uint32_t members);

/** check_hop_limit() - @drops packets died of their hop limit since the last look */
void check_hop_limit(const struct judge *j, int64_t at_ns, uint64_t drops);

#endif /* SIM_CHECK_ROUTES_H */
