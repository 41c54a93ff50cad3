/*
 * chance.h - randomness that depends on who asks, not on who asked before
 *
 * A draw is a pure function of (seed, object, stream, counter), so one node
 * more or one draw more never changes what another sees. The function is
 * Philox2x64-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy
 * as 1, 2, 3, SC'11): the seed is its key, (object, stream, counter) its input
 * block, so no two of them in one seed can give the same 128-bit output block.
 *
 *	Memory		a struct chance where a counter is kept; 24 bytes
 *	Arithmetic	integers only: the same on every machine
 *
 * Not for secrets.
 */
#ifndef SIM_ENGINE_CHANCE_H
#define SIM_ENGINE_CHANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CHANCE_PPB = 1000 * 1000 * 1000 };	/* a probability of one */

/** chance_draw() - 64 bits for (@seed, @object, @stream, @counter) */
uint64_t chance_draw(uint64_t seed, uint32_t object, uint32_t stream, uint64_t counter);

/** struct chance - the same with the counter kept: one sequence of draws */
struct chance {
	uint64_t seed;
	uint32_t object;
	uint32_t stream;		/* a purpose: give each its own, so they cannot disturb */
	uint64_t counter;		/* of the next draw */
};

struct chance chance_of(uint64_t seed, uint32_t object, uint32_t stream);
uint64_t chance_next(struct chance *c);

/** chance_below() - Uniform in [0, @n), without bias; @n is not 0 */
uint64_t chance_below(struct chance *c, uint64_t n);

/** chance_between() - Uniform in [@low, @high], both ends included */
int64_t chance_between(struct chance *c, int64_t low, int64_t high);

/** chance_hit() - True with probability @ppb / CHANCE_PPB */
bool chance_hit(struct chance *c, uint32_t ppb);

/** chance_pick() - An index below @n with probability @weight[i] / sum, which is not 0 */
size_t chance_pick(struct chance *c, const uint32_t *weight, size_t n);

/** chance_bytes() - @len bytes into @out; the same on machines of either byte order */
void chance_bytes(struct chance *c, void *out, size_t len);

/** chance_shuffle() - Put @v in an order of which each is equally likely */
void chance_shuffle(struct chance *c, uint32_t *v, size_t n);

#endif /* SIM_ENGINE_CHANCE_H */
