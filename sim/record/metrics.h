/*
 * metrics.h - the numbers of a run while it goes on
 *
 * Each shard has a struct metrics of its own and notes into it without asking
 * anybody; at barriers the recorder adds them up. Everything adds up in any
 * order, so neither the number of shards nor their timing shows in the result.
 *
 *	Memory		a few words per metric; histograms grow as they are used
 *	Ownership	the catalog is borrowed and must stay unchanged
 *	Threads		one writer per struct metrics; merge when the writer rests
 */
#ifndef METRICS_H
#define METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/record/catalog.h"
#include "sim/record/histogram.h"

struct metrics {
	const struct catalog *catalog;
	int      count;
	int64_t *cell;			/* counter, ratio's part, gauge, fact */
	bool    *known;			/* facts and costs: was set */
	struct histogram *histogram;	/* one per metric; unused ones are empty */
};

struct metrics *metrics_new(const struct catalog *c);
void metrics_free(struct metrics *m);

/** metrics_add() - @n more of a counter or of a ratio's part */
static inline void metrics_add(struct metrics *m, int id, int64_t n)
{
	m->cell[id] += n;
}

/** metrics_note() - One value of a histogram, in the unit's stored form; >= 0 */
static inline void metrics_note(struct metrics *m, int id, int64_t value)
{
	histogram_note(&m->histogram[id], value);
}

/** metrics_set() - The level of a gauge from now on, or the value of a fact */
void metrics_set(struct metrics *m, int id, int64_t value);

/** metrics_merge() - Add @from to @m: counters, gauges and histograms add up, facts keep the greatest */
void metrics_merge(struct metrics *m, const struct metrics *from);

/** metrics_clear() - Counters and histograms to nothing; gauges and facts stay */
void metrics_clear(struct metrics *m);

/** metrics_zero() - Everything to nothing */
void metrics_zero(struct metrics *m);

/**
 * struct number - a result as an exact fraction in printed units
 *
 * num / den is what a reader sees (milliseconds, seconds, a share of 1); den is
 * 0 when the number is unknown: a share of nothing, a ring that never healed.
 */
struct number {
	__int128 num;
	__int128 den;
};

/** number_of() - @stored / @over in @unit, as printed; unknown if @over is 0 */
struct number number_of(__int128 stored, __int128 over, enum metric_unit unit);
/** number_compare() - Sign of a - b; both must be known */
int number_compare(struct number a, struct number b);
/** number_text() - Decimal text without needless zeros, at most 9 digits after the point; "" if unknown */
const char *number_text(struct number n, char buf[64]);
double number_double(struct number n);
static inline bool number_known(struct number n)
{
	return n.den != 0;
}

#endif /* METRICS_H */
