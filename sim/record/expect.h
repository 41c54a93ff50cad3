/*
 * expect.h - what a scenario promises, and whether it held
 *
 * One line of [expect] is a metric, an operator and a value with its unit:
 *
 *	lookup.right            = >= 99.9%
 *	lookup.latency_ms.p95   = <= 500ms
 *	ring.healed             = <= 60s
 *	maintenance.bytes_per_node_s.mean = <= 100
 *	lookup.hops             = 7.56 +- 3%
 *	join.time.p50           = 100ms .. 2s
 *
 * The unit suffix of a metric may be left off (ring.healed is ring.healed_s);
 * a histogram needs a statistic (.mean .p50 .p95 .p99 .max .count), except that
 * none means .mean; a gauge may have .mean (default) .min .max .last. Comparison
 * is exact: numbers are fractions, never floating point.
 *
 *	Memory		texts are GLib's; expect_done() frees one line, expect_free() a list
 *	Errors		a text from the user is refused with a sentence that says what
 *			would be accepted; nothing is printed here
 */
#ifndef EXPECT_H
#define EXPECT_H

#include <stdbool.h>

#include "sim/record/catalog.h"
#include "sim/record/metrics.h"

#define EXPECT_OP_LIST(X)	\
	X(GE,	">=")		\
	X(LE,	"<=")		\
	X(GT,	">")		\
	X(LT,	"<")		\
	X(EQ,	"==")		\
	X(NE,	"!=")		\
	X(IN,	"within")	/* low .. high, or middle +- share of it */

enum expect_op {
#define X(name, text) EXPECT_##name,
	EXPECT_OP_LIST(X)
#undef X
};

enum judgement {
	JUDGED_PASS,
	JUDGED_FAIL,
	JUDGED_UNKNOWN,		/* no value: nothing was measured; counts as failed */
	JUDGED_OPEN,			/* the run was interrupted: not judged */
};

/** struct expect - one promise; filled by expect_parse(), judged by expect_judge() */
struct expect {
	char *metric;			/* full name with statistic, as in summary.json */
	char *text;			/* operator and value as the user wrote them */
	enum expect_op op;
	struct number want;		/* in the metric's printed unit; IN: the lower bound */
	struct number want_high;	/* IN: the upper bound */
	struct number got;		/* unknown until judged */
	enum judgement verdict;
};

/**
 * expect_parse() - Read one line; @metric and @value as they stand in the file
 *
 * Fits scenario_expect_fn: the caller adds file and line to the sentence.
 * Return: NULL, or a sentence to g_free(): what is wrong and what would be
 * accepted (for an unknown metric the nearest known name)
 */
char *expect_parse(struct expect *e, const struct catalog *c, const char *metric,
		   const char *value);
void expect_done(struct expect *e);

struct summary;

/**
 * expect_judge() - Fill in got and verdict of @count promises from a finished summary
 * @partial: the run was interrupted; nothing is promised of half a run
 */
void expect_judge(struct expect *e, unsigned count, const struct summary *s, bool partial);

/** expect_held() - True if every verdict is JUDGED_PASS; decides exit code 0 or 1 */
bool expect_held(const struct expect *e, unsigned count);

const char *judgement_text(enum judgement v);

#endif /* EXPECT_H */
