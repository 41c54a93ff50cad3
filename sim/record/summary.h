/*
 * summary.h - what came out of a run, by name
 *
 * A list of named numbers: a counter or a share under its own name, a histogram
 * as NAME.count .mean .p50 .p95 .p99 .max, a gauge as NAME.mean .min .max .last.
 * Written as summary.json, printed as a table, asked by [expect].
 *
 *	Same run, same bytes: nothing about machine or wall clock is in summary.json.
 */
#ifndef SUMMARY_H
#define SUMMARY_H

#include <stdbool.h>
#include <stdio.h>

#include "sim/record/expect.h"
#include "sim/record/recorder.h"

struct summary;

/** summary_new() - After recorder_finish(); @r is borrowed until summary_free() */
struct summary *summary_new(const struct recorder *r);
void summary_free(struct summary *s);

/** summary_find() - The number called @name in full, or NULL if there is no such name */
const struct number *summary_find(const struct summary *s, const char *name);

/** struct summary_head - the lines above the table; texts borrowed, NULL leaves a line out */
struct summary_head {
	const char *scenario;
	uint64_t seed;
	const char *digest;
	const char *version;
	const char *directory;
	int64_t duration_ns;
	int64_t reached_ns;
	int64_t warmup_ns;
	bool partial;
};

/** summary_json() - The contents of summary.json, with verdicts and faults; g_free() it */
char *summary_json(const struct summary *s, const struct summary_head *h,
		   const struct expect *e, unsigned count);

/** summary_write() - summary.json into the run directory */
bool summary_write(const struct summary *s, struct rundir *d, const struct summary_head *h,
		   const struct expect *e, unsigned count, struct fail *f);

/** summary_print() - The table a person reads at the end of a run; @color: use the terminal's colours */
void summary_print(const struct summary *s, FILE *to, const struct summary_head *h,
		   const struct expect *e, unsigned count, bool color);

/** summary_recorder() - What it was made from */
const struct recorder *summary_recorder(const struct summary *s);

/** summary_fault_idle() - The first fault that touched nothing, or NULL; it fails the run */
const char *summary_fault_idle(const struct summary *s);

#endif /* SUMMARY_H */
