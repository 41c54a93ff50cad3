/*
 * fold.h - many facts in 64 bits, in order
 *
 * For digests that say whether two runs did the same; nobody attacks them. For
 * a given @h every @x gives another result and the other way round, so a single
 * difference is never lost, only ever mixed further.
 */
#ifndef SIM_ENGINE_FOLD_H
#define SIM_ENGINE_FOLD_H

#include <stdint.h>

/** fold() - @h, and then @x; constants of the finaliser of SplitMix64 */
static inline uint64_t fold(uint64_t h, uint64_t x)
{
	h = (h ^ x) + 0x9e3779b97f4a7c15ULL;
	h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9ULL;
	h = (h ^ h >> 27) * 0x94d049bb133111ebULL;
	return h ^ h >> 31;
}

#endif /* SIM_ENGINE_FOLD_H */
