/*
 * units.h - numbers with their unit, as people write them in files and options
 *
 * Every value that a scenario, a configuration or an option holds is read here
 * and nowhere else, so `50ms` means the same everywhere. Results are integers
 * in one stored unit; the decimal text is scaled exactly and what would have to
 * be rounded away is an error ("finer than 1 ns"), except for rates, which
 * become a mean interval rounded to the nearest nanosecond.
 *
 *	kind		stored as		written as
 *	duration	int64 nanoseconds	5s 1.5h 250ms 30us 10ns 2m 1d, 0
 *	share		uint32 parts per 1e9	5% 0.05 100%
 *	rate		int64 mean interval ns	0.1/s 6/h 1/10m 2k/s; 0/s is never (0)
 *	bit rate	int64 bit/s		10Mbit 512kbit 1Gbit 9600bit
 *	bytes		int64			1400B 64KiB 1MB 2GiB
 *	count		int64			1000 10k 1M (powers of 1000)
 *	drift		int32 parts per 1e9	50ppm -20ppm 0.1%
 *	flag		bool			yes no (also on off true false)
 *	list		int64 each		1:5:9  30%:70%
 *
 *	Memory		list values only: GLib's, numbers_done() frees
 *	Errors		functions return false and put what is wrong in @why (of WHY_LEN),
 *			half a sentence without a full stop; outputs stay untouched
 *	Time, chance	none; no floating point, no locale
 */
#ifndef PROG_UNITS_H
#define PROG_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NS_PER_US	1000LL
#define NS_PER_MS	1000000LL
#define NS_PER_S	1000000000LL
#define NS_PER_MIN	(60 * NS_PER_S)
#define NS_PER_H	(3600 * NS_PER_S)
#define NS_PER_DAY	(86400 * NS_PER_S)

enum {
	PPB_ONE = 1000000000,		/* a share of 100 % */
	WHY_LEN = 160,			/* room for a sentence */
	LIST_MAX = 1024,		/* values in one list */
};

/** struct numbers - a list value; shares are in ppb */
struct numbers {
	int64_t *value;
	unsigned count;
};

bool duration_parse(const char *text, int64_t *ns, char why[WHY_LEN]);
bool share_parse(const char *text, uint32_t *ppb, char why[WHY_LEN]);

/** rate_parse() - The mean time between two events; 0 for a rate of nothing */
bool rate_parse(const char *text, int64_t *interval_ns, char why[WHY_LEN]);

bool bitrate_parse(const char *text, int64_t *bit_s, char why[WHY_LEN]);
bool bytes_parse(const char *text, int64_t *bytes, char why[WHY_LEN]);
bool count_parse(const char *text, int64_t *count, char why[WHY_LEN]);
bool drift_parse(const char *text, int32_t *ppb, char why[WHY_LEN]);
bool flag_parse(const char *text, bool *flag, char why[WHY_LEN]);

/** counts_parse() - `a:b:c`; at least one value, at most LIST_MAX */
bool counts_parse(const char *text, struct numbers *list, char why[WHY_LEN]);
bool shares_parse(const char *text, struct numbers *list, char why[WHY_LEN]);
void numbers_done(struct numbers *list);

/* The same values for people, in the largest unit that keeps them exact; parse gives them back. */
enum { UNIT_TEXT_LEN = 48 };
const char *duration_text(int64_t ns, char buf[UNIT_TEXT_LEN]);
const char *share_text(uint32_t ppb, char buf[UNIT_TEXT_LEN]);
const char *bitrate_text(int64_t bit_s, char buf[UNIT_TEXT_LEN]);
const char *bytes_text(int64_t bytes, char buf[UNIT_TEXT_LEN]);

/** clock_text() - A moment for tables and logs: 0.000, 59.999, 1:00, 1:02:03; seconds when short */
const char *clock_text(int64_t ns, char buf[UNIT_TEXT_LEN]);

#endif /* PROG_UNITS_H */
