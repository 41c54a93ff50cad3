/*
 * values.h - results as people read them: which matter most, and their units
 *
 *	Memory		none; texts go into the caller's buffers
 */
#ifndef VALUES_H
#define VALUES_H

#include "analysis/run.h"

enum { VALUE_LEN = 64 };

/** struct key_value - a result that belongs into every table */
struct key_value {
	const char *metric;		/* name in summary.json */
	const char *text;
};

extern const struct key_value key_values[];
extern const unsigned key_value_count;

/** short_number() - Three digits a person can read: 0.0173, 41.7, 1,235 */
const char *short_number(double v, char buf[VALUE_LEN]);

/** value_text() - "99.9871 %", "224 ms", "-" if unknown; @unit as in the summary's "about" */
const char *value_text(double v, const char *unit, char buf[VALUE_LEN]);

/** value_difference() - @b against @a: percentage points for shares, else relative */
const char *value_difference(double a, double b, const char *unit, char buf[VALUE_LEN]);

/** clock_s() - A virtual moment as 30:00 or 1:02:03 */
const char *clock_s(double seconds, char buf[VALUE_LEN]);

#endif /* VALUES_H */
