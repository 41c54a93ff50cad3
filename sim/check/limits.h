/*
 * limits.h - how long and how much the oracles allow
 *
 * Derived once from the scenario (check.c); written by hand in unit tests. The
 * times are upper bounds on what DESIGN section 5 promises, with room for loss
 * and for the round trips of the modelled network, so that a violation is one.
 */
#ifndef SIM_CHECK_LIMITS_H
#define SIM_CHECK_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/check/census.h"
#include "sim/check/finding.h"

struct limits {
	/* what a node may believe of another that is silent or gone */
	int64_t far_ns;			/* the longest interval between probes */
	int64_t suspect_ns;		/* settling a suspicion; a link's own pace comes on top */
	int64_t slack_ns;		/* round trips and lost packets, for everything timed */
	int64_t settle_ns;		/* an immediate neighbour: its pace, suspicion, asking the next */
	int64_t goodbye_ns;		/* an immediate neighbour that said goodbye */
	int64_t known_ns;		/* knowledge that was told from node to node */

	/* what takes its time */
	int64_t healed_ns;		/* one ring after the last fault; 0: not demanded */
	int64_t crowd_ns;		/* tables that are larger than they need to be */

	/* how much */
	uint32_t near, longs;		/* as configured; longs 0: ceil(log2(n) / 2) ... */
	bool no_longs;			/* ... unless there are none on purpose */
	bool cap;			/* incoming long links are refused above twice the drawn */
	bool uniform;			/* long links are drawn uniformly */
	bool one_way;			/* routing goes clockwise only */
	uint32_t links_more;		/* links beyond ring and long links, see bounds.c */
	uint32_t known;			/* on one side */
	uint32_t pending, pending_rest;	/* at most, and for long */
	uint32_t remembered;
};

/** struct judge - what every oracle is given beside the census */
struct judge {
	const struct limits *limits;
	struct findings *found;
};

#endif /* SIM_CHECK_LIMITS_H */
