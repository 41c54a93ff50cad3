/*
 * chance.c - Philox2x64-10, and what is made of its draws
 *
 * Multiplier and key increment are those of the paper (section 4.2, table 2);
 * tests/unit/chance_test.c holds the vectors published with it.
 */
#include "sim/engine/chance.h"

#include <assert.h>

#define PHILOX_M	0xd2b74407b1ce6e93ULL
#define PHILOX_W	0x9e3779b97f4a7c15ULL	/* the golden ratio: Weyl sequence of keys */

enum { PHILOX_ROUNDS = 10 };

__extension__ typedef unsigned __int128 u128;

uint64_t chance_draw(uint64_t seed, uint32_t object, uint32_t stream, uint64_t counter)
{
	uint64_t low = counter, high = (uint64_t)stream << 32 | object, key = seed;

	for (int i = 0; i < PHILOX_ROUNDS; i++) {
		u128 m = (u128)low * PHILOX_M;

		low = (uint64_t)(m >> 64) ^ key ^ high;
		high = (uint64_t)m;
		key += PHILOX_W;
	}
	return low;
}

struct chance chance_of(uint64_t seed, uint32_t object, uint32_t stream)
{
	return (struct chance){ .seed = seed, .object = object, .stream = stream };
}

uint64_t chance_next(struct chance *c)
{
	return chance_draw(c->seed, c->object, c->stream, c->counter++);
}

/*
 * The high half of draw x n falls into [0, n); every value gets the same number
 * of draws once the first 2^64 mod n low halves are thrown away (Lemire: Fast
 * random integer generation in an interval, TOMACS 2019).
 */
uint64_t chance_below(struct chance *c, uint64_t n)
{
	u128 m;

	assert(n);
	m = (u128)chance_next(c) * n;
	if ((uint64_t)m < n) {
		uint64_t thrown = -n % n;

		while ((uint64_t)m < thrown)
			m = (u128)chance_next(c) * n;
	}
	return (uint64_t)(m >> 64);
}

int64_t chance_between(struct chance *c, int64_t low, int64_t high)
{
	uint64_t span;

	assert(low <= high);
	span = (uint64_t)high - (uint64_t)low + 1;	/* 0: all of 64 bits */
	return (int64_t)((uint64_t)low + (span ? chance_below(c, span) : chance_next(c)));
}

bool chance_hit(struct chance *c, uint32_t ppb)
{
	assert(ppb <= CHANCE_PPB);
	return chance_below(c, CHANCE_PPB) < ppb;
}

size_t chance_pick(struct chance *c, const uint32_t *weight, size_t n)
{
	uint64_t sum = 0, at;
	size_t i;

	for (i = 0; i < n; i++)
		sum += weight[i];
	at = chance_below(c, sum);
	for (i = 0; at >= weight[i]; i++)
		at -= weight[i];
	return i;
}

void chance_bytes(struct chance *c, void *out, size_t len)
{
	uint8_t *to = out;
	uint64_t x = 0;

	for (size_t i = 0; i < len; i++, x >>= 8) {
		if (i % 8 == 0)
			x = chance_next(c);
		to[i] = (uint8_t)x;
	}
}

void chance_shuffle(struct chance *c, uint32_t *v, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = chance_below(c, i);
		uint32_t swap = v[i - 1];

		v[i - 1] = v[j];
		v[j] = swap;
	}
}
