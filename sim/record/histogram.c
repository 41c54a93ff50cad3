/*
 * histogram.c - log-linear buckets
 *
 * Bucket numbers are continuous: a value whose top bit is e >= 8 is shifted right
 * by s = e - 7, which leaves 128..255, and gets number 128 s + that; below 256 a
 * value is its own number. Width over value is at most 1/128, so the middle of a
 * bucket is within 1/256 of anything in it.
 */
#include <assert.h>

#include <glib.h>

#include "sim/record/histogram.h"

enum { SUB = 1 << HISTOGRAM_SUB_BITS };

unsigned histogram_bucket(int64_t value)
{
	uint64_t v = (uint64_t)value;
	unsigned shift;

	assert(value >= 0);
	if (v < 2 * SUB)
		return (unsigned)v;
	shift = 63 - HISTOGRAM_SUB_BITS - (unsigned)__builtin_clzll(v);
	return shift * SUB + (unsigned)(v >> shift);
}

void histogram_span(unsigned i, int64_t *low, int64_t *high)
{
	unsigned shift = i < 2 * SUB ? 0 : i / SUB - 1;
	uint64_t top = i - shift * SUB;

	assert(i < HISTOGRAM_BUCKETS);
	*low = (int64_t)(top << shift);
	*high = (int64_t)(((top + 1) << shift) - 1);
}

/* Room for bucket numbers below @buckets, in steps that make growing rare. */
static void grow(struct histogram *h, unsigned buckets)
{
	unsigned room = MIN((buckets + SUB - 1) / SUB * SUB, (unsigned)HISTOGRAM_BUCKETS);

	if (room <= h->buckets)
		return;
	h->bucket = g_renew(uint64_t, h->bucket, room);
	for (unsigned i = h->buckets; i < room; i++)
		h->bucket[i] = 0;
	h->buckets = room;
}

void histogram_note(struct histogram *h, int64_t value)
{
	unsigned i = histogram_bucket(value);

	if (i >= h->buckets)
		grow(h, i + 1);
	if (!h->count || value < h->least)
		h->least = value;
	if (!h->count || value > h->greatest)
		h->greatest = value;
	h->bucket[i]++;
	h->count++;
	h->sum += value;
}

void histogram_merge(struct histogram *h, const struct histogram *from)
{
	if (!from->count)
		return;
	grow(h, from->buckets);
	for (unsigned i = 0; i < from->buckets; i++)
		h->bucket[i] += from->bucket[i];
	if (!h->count || from->least < h->least)
		h->least = from->least;
	if (!h->count || from->greatest > h->greatest)
		h->greatest = from->greatest;
	h->count += from->count;
	h->sum += from->sum;
}

void histogram_clear(struct histogram *h)
{
	for (unsigned i = 0; h->count && i < h->buckets; i++)
		h->bucket[i] = 0;
	h->count = 0;
	h->sum = 0;
}

void histogram_done(struct histogram *h)
{
	g_free(h->bucket);
	*h = (struct histogram){ 0 };
}

int64_t histogram_quantile(const struct histogram *h, unsigned part, unsigned whole)
{
	/* nearest rank: the smallest r with r / count >= part / whole */
	unsigned __int128 rank = ((unsigned __int128)h->count * part + whole - 1) / whole;
	uint64_t seen = 0;
	int64_t low, high;

	assert(h->count && part && part <= whole);
	for (unsigned i = 0; i < h->buckets; i++) {
		seen += h->bucket[i];
		if (seen < rank)
			continue;
		histogram_span(i, &low, &high);
		return CLAMP(low + (high - low) / 2, h->least, h->greatest);
	}
	assert(!"the buckets hold every value that was counted");
	return h->greatest;
}
