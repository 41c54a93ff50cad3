/*
 * kept.h - oracle: no lease is lost while a majority of its view lives
 *
 * Judged are leases whose deadline passed though their holder had asked to
 * renew them in time. The caller says whether anything excuses it.
 */
#ifndef SIM_CHECK_KEPT_H
#define SIM_CHECK_KEPT_H

#include "core/base/ip.h"
#include "sim/check/limits.h"

/* Time enough to renew, with retries, at a loss that tests have. */
#define KEPT_TIME_NS	INT64_C(20000000000)

/** struct kept_case - a belief that ended by its deadline */
struct kept_case {
	uint32_t host;
	struct ip ip;
	int64_t asked_ns;		/* when the first renewal since the last success was asked; INT64_MAX: none was */
	int64_t until_ns;		/* when the belief ended */
	bool keeps;			/* the node was to renew it by itself */
	bool ran;			/* the holder ran on undisturbed since then, as a member of the ring */
	bool majority;			/* so did a majority of the slot's view, all in reach of each other */
	bool quiet;			/* no fault acted since then */
};

/** struct check_kept - all zeroes is a good beginning */
struct check_kept {
	uint64_t ended, excused;	/* by deadline; of them, excused */
};

void check_kept(struct check_kept *k, const struct judge *j, int64_t now_ns, const struct kept_case *c);

#endif /* SIM_CHECK_KEPT_H */
