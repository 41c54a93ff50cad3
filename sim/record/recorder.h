/*
 * recorder.h - turns what the shards note into rows and results
 *
 * The caller runs the world up to recorder_due(), sets gauges, and calls
 * recorder_row(), with all shards at rest: that adds the shards up, appends one
 * row to series.csv and starts the next interval. Rows end at multiples of the
 * interval, at the end of the warm-up and where the run ends. What happened
 * before the warm-up ended has its rows, but no part in the results.
 *
 *	Memory		one struct metrics per shard and two sums
 *	Time		the caller's virtual time; there is no other
 *	Threads		between rows each shard's metrics have one writer
 */
#ifndef RECORDER_H
#define RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/record/metrics.h"
#include "sim/record/rundir.h"

struct recorder_setup {
	const struct catalog *catalog;	/* borrowed; unchanged from here on */
	struct rundir *dir;		/* borrowed; NULL: no files */
	unsigned shards;		/* >= 1 */
	int64_t warmup_ns;		/* 0: none */
	int64_t interval_ns;		/* > 0 */
	int64_t until_ns;		/* end of the run */
};

struct recorder;

/** recorder_new() - Begin recording at virtual time 0; NULL if series.csv cannot be made */
struct recorder *recorder_new(const struct recorder_setup *s, struct fail *f);
void recorder_free(struct recorder *r);

/** recorder_shard() - Where shard @i notes; gauges and facts may be set in any (0 by custom) */
struct metrics *recorder_shard(struct recorder *r, unsigned i);

/** recorder_due() - When the next row ends; the caller's barrier. INT64_MAX after the last */
int64_t recorder_due(const struct recorder *r);

/** recorder_row() - The interval ends now; @now_ns not after recorder_due(), not before the last row */
bool recorder_row(struct recorder *r, int64_t now_ns, struct fail *f);

/** struct fault_mark - one fault as it happened */
struct fault_mark {
	const char *name;		/* "fault.1"; copied */
	const char *kind;		/* "partition"; copied */
	const char *text;		/* "30% : 70%"; copied; may be NULL */
	int64_t at_ns, until_ns;	/* equal for an instant */
	int64_t touched;		/* nodes or packets it touched; 0 fails the run */
};

/** recorder_fault() - Remember a fault that has ended; report and summary show it */
void recorder_fault(struct recorder *r, const struct fault_mark *f);

/** recorder_faults() - All of them, in the order told */
const struct fault_mark *recorder_faults(const struct recorder *r, unsigned *count);

/** recorder_total() - The sum over shards of everything after the warm-up, up to the last row */
const struct metrics *recorder_total(const struct recorder *r);

/** recorder_warmup() - The same for the warm-up */
const struct metrics *recorder_warmup(const struct recorder *r);

/** struct level - a gauge over time: time-weighted over rows after the warm-up */
struct level {
	__int128 area;			/* sum of value * ns */
	int64_t  span_ns;		/* sum of ns; 0: no row yet */
	int64_t  least, greatest, last;
};

const struct level *recorder_level(const struct recorder *r, int id);

/** recorder_finish() - Close series.csv and write samples/; call recorder_row() before */
bool recorder_finish(struct recorder *r, struct fail *f);

#endif /* RECORDER_H */
