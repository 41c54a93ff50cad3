/*
 * run.h - a run directory read back
 *
 * Everything a report needs: manifest and summary as JSON, series and samples as
 * tables, and the parts every figure asks for (faults, verdicts, times) unpacked
 * and checked. What was not measured is absent or NAN, never zero.
 *
 *	Memory		GLib's; texts belong to the struct run
 *	Bad input	one message that names the file and what is missing
 */
#ifndef RUN_H
#define RUN_H

#include <stdbool.h>

#include <json-glib/json-glib.h>

#include "analysis/csv.h"
#include "node/prog/fail.h"

struct run_fault {
	const char *name, *kind, *text;	/* text may be NULL */
	double at_s, until_s, touched;
};

struct run_expect {
	const char *metric, *want, *verdict;	/* verdict: pass fail unknown open */
	double got;			/* NAN if unknown */
};

/** struct run_metric - one name of the summary, in the order of summary.json */
struct run_metric {
	const char *name;
	double value;			/* NAN if unknown */
};

struct run_sample {
	char *name;			/* of the metric, unit included */
	struct csv *table;		/* from, to, count, share_until */
};

struct run {
	char *dir;			/* as it was given */
	char *label;			/* short and different from other runs' */
	JsonNode *manifest_node, *summary_node;
	JsonObject *manifest, *summary;
	double duration_s, reached_s, warmup_s, interval_s;
	bool partial, held;
	struct csv *series;
	struct run_metric *metric;
	struct run_fault *fault;
	struct run_expect *expect;
	struct run_sample *sample;
	unsigned metrics, faults, expects, samples;
};

/** run_read() - All of the run directory @dir; NULL with a message */
struct run *run_read(const char *dir, struct fail *f);
void run_free(struct run *r);

/** run_label() - Give @count runs labels: the least that tells their directories apart */
void run_label(struct run **runs, unsigned count);

/** run_metric() - The value called @name, or NAN */
double run_metric(const struct run *r, const char *name);

/** run_about() - Member @what ("unit", "text", "kind") of metric @name, statistic or not; "" if unknown */
const char *run_about(const struct run *r, const char *name, const char *what);

/** run_sample() - The histogram of @metric, or NULL */
const struct csv *run_sample(const struct run *r, const char *metric);

/** run_json() - @text as a JSON object; nesting is bounded. NULL with a message. For files and the fuzzer */
JsonNode *run_json(const char *name, const char *text, size_t len, struct fail *f);

/** run_unpack() - Fill in what comes from the two objects (manifest, summary must be set) */
bool run_unpack(struct run *r, struct fail *f);

#endif /* RUN_H */
