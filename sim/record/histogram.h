/*
 * histogram.h - how values spread, in little memory, exactly the same each time
 *
 * Log-linear buckets, as HdrHistogram has them (G. Tene): values below 256 have
 * a bucket each; above, every power of two is cut into 128 equal buckets. A
 * quantile is given as the middle of its bucket, so it is within 0.4 % of a
 * value that was noted; count, sum, least and greatest are exact.
 *
 *	Memory		grows to the greatest value noted; 8 bytes a bucket, 60 kB at most
 *	Time, chance	none; adding up histograms in any order gives the same
 *	Values		integers >= 0 (the caller chooses the unit); negative ones are our bug
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum {
	HISTOGRAM_SUB_BITS = 7,			/* 128 buckets per power of two */
	HISTOGRAM_BUCKETS = (64 - HISTOGRAM_SUB_BITS) << HISTOGRAM_SUB_BITS
};

/** struct histogram - all zero is an empty one */
struct histogram {
	uint64_t *bucket;		/* counts, @buckets of them; NULL when empty */
	unsigned  buckets;
	uint64_t  count;
	__int128  sum;
	int64_t   least, greatest;	/* undefined when count is 0 */
};

void histogram_note(struct histogram *h, int64_t value);

/** histogram_merge() - Add what @from holds to @h */
void histogram_merge(struct histogram *h, const struct histogram *from);

/** histogram_clear() - Forget all values; keeps the memory */
void histogram_clear(struct histogram *h);

/** histogram_done() - Give the memory back; @h is an empty histogram again */
void histogram_done(struct histogram *h);

/**
 * histogram_quantile() - The value that @part of @whole noted values do not exceed
 *
 * @h must not be empty; 0 < @part <= @whole. 1/2 is the median, 95/100 the 95th
 * percentile (nearest rank).
 */
int64_t histogram_quantile(const struct histogram *h, unsigned part, unsigned whole);

/** histogram_span() - The values that fall into bucket @i: from *low to *high, both included */
void histogram_span(unsigned i, int64_t *low, int64_t *high);

/** histogram_bucket() - The bucket @value falls into */
unsigned histogram_bucket(int64_t value);

#endif /* HISTOGRAM_H */
