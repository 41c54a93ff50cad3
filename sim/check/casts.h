/*
 * casts.h - oracle: everybody hears a broadcast, nobody twice
 *
 *	Memory		two bits per row for each broadcast under way, and a few words
 */
#ifndef SIM_CHECK_CASTS_H
#define SIM_CHECK_CASTS_H

#include "sim/check/limits.h"

/* A broadcast that began so long after members came or went, or before, is not judged for who is missed. */
#define CASTS_SETTLE_NS	INT64_C(5000000000)

struct cast;

/** struct check_casts - all zeroes, then .all_ppb, .wait_ns and .whole set, is a good beginning */
struct check_casts {
	uint32_t all_ppb;		/* share that must hear; 1e9: each broadcast everybody; 0: no demand */
	bool whole;			/* the ring is one now: what begins is judged for who is missed */
	int64_t wait_ns;		/* when a broadcast is judged, after it was first heard */
	struct cast **cast;		/* under way, in order of time */
	uint32_t casts, cap;
	uint64_t due, missed;		/* over all judged broadcasts */
};

void check_casts_done(struct check_casts *k);

/**
 * casts_heard() - Row @row delivered broadcast @sequence of @origin at @at_ns
 * @c: as indexed at the last look: who is a member decides who should hear
 * @hops: 0 at the origin itself, which is the first to hear
 *
 * Call in order of time.
 */
void casts_heard(struct check_casts *k, const struct census *c, const struct judge *j, int64_t at_ns,
		 uint32_t row, struct id origin, uint64_t sequence, uint64_t hops);

/** casts_excuse() - @row ended, began or changed its part: it need not hear what is under way */
void casts_excuse(struct check_casts *k, uint32_t row);

/** casts_unsettle() - Members came or went: what began just now owes nobody anything */
void casts_unsettle(struct check_casts *k, int64_t now_ns);

/**
 * check_casts() - Judge what is old enough; @all: judge everything, it is the end
 *
 * Members of the origin's part when it began that are still members should have
 * heard. With all_ppb of 1e9 each broadcast is judged alone, less all together
 * at the end, once enough visits were due to tell such a share.
 */
void check_casts(struct check_casts *k, const struct census *c, const struct judge *j, bool all);

#endif /* SIM_CHECK_CASTS_H */
