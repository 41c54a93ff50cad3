/*
 * rundir.h - the directory a run leaves behind, whole or not at all
 *
 * While the run goes on everything is written to PATH.partial; the last step
 * writes manifest.json there and renames the directory to PATH. So what is called
 * PATH is complete (a run stopped by Ctrl-C is complete too: its manifest says
 * "partial": true), and what a crash or a full disk left is called PATH.partial
 * and has no manifest.
 *
 *	manifest.json	what was run: version, scenario as resolved, seed, digest, machine
 *	summary.json	what came out: every metric, verdicts, faults (summary.h)
 *	series.csv	one row per interval (recorder.h)
 *	samples/	NAME.csv per histogram
 *	events.txt, events.jsonl, *.pcap	when asked (eventlog.h, capture.h)
 *	figures/, report.html	put there later by weft-report
 *
 *	Errors		false and one message in the struct fail, naming file and reason;
 *			the program prints it and exits with EXIT_UNABLE
 */
#ifndef RUNDIR_H
#define RUNDIR_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "node/prog/fail.h"

struct rundir;

enum rundir_mode {
	RUNDIR_NEW,			/* PATH must not exist */
	RUNDIR_REPLACE,			/* PATH may be an earlier run's; it goes when this one is whole */
};

/**
 * rundir_create() - Make PATH.partial (and the folders above it); NULL on failure
 *
 * RUNDIR_REPLACE only ever replaces a directory that holds nothing but files of
 * a run; anything else is refused.
 */
struct rundir *rundir_create(const char *path, enum rundir_mode mode, struct fail *f);

/** rundir_open() - Create file @name ("series.csv", "samples/lookup.hops.csv") in it; NULL on failure */
FILE *rundir_open(struct rundir *d, const char *name, struct fail *f);

/** rundir_check() - Flush @file; a full disk and the like become visible here, not at the end */
bool rundir_check(struct rundir *d, FILE *file, const char *name, struct fail *f);

/** rundir_close() - Flush and close @file, which is closed even on failure */
bool rundir_close(struct rundir *d, FILE *file, const char *name, struct fail *f);

/** rundir_file() - The path of @name while the run goes on; g_free() it */
char *rundir_file(const struct rundir *d, const char *name);

/** rundir_path() - PATH, as it will be called */
const char *rundir_path(const struct rundir *d);

/** struct manifest_file - one data file the run read */
struct manifest_file {
	const char *path;		/* as the scenario names it */
	const char *used_as;		/* "net.file", "churn.trace" */
};

/** struct manifest - what was run; all pointers borrowed */
struct manifest {
	const char *program;		/* "weft-sim" */
	const char *version;		/* WEFT_VERSION */
	int argc;
	char **argv;
	const char *scenario;		/* name of the scenario file, or NULL */
	const char *scenario_text;	/* as resolved: defaults and -s applied */
	uint64_t seed;
	const char *digest;		/* hexadecimal, or NULL if there is none */
	unsigned threads, shards;
	int64_t duration_ns;		/* virtual time asked for */
	int64_t reached_ns;		/* virtual time reached */
	int64_t warmup_ns, interval_ns;
	bool partial;			/* interrupted: reached < duration */
	int64_t started_s;		/* wall clock, seconds since 1970, UTC */
	const struct manifest_file *files;
	unsigned file_count;
};

struct metrics;

/**
 * rundir_finish() - Write the manifest, sync, and give the directory its name
 * @cost: metrics whose METRIC_COST entries go into the manifest
 *
 * Data files are hashed here (BLAKE2b-256); one that cannot be read any more is an
 * error. @d is gone afterwards, also on failure (PATH.partial then stays).
 */
bool rundir_finish(struct rundir *d, const struct manifest *m, const struct metrics *cost,
		   struct fail *f);

/** rundir_abandon() - Remove PATH.partial; NULL is fine */
void rundir_abandon(struct rundir *d);

#endif /* RUNDIR_H */
