/*
 * random.h - chance inside one node: ChaCha20 with fast key erasure
 *
 * Each refill makes 64 bytes: the first 32 become the next key, the others are
 * handed out and wiped, so what was drawn cannot be drawn again from a stolen
 * state (D. J. Bernstein, "Fast-key-erasure random-number generators", 2017).
 * Seeded at the start event, stirred by entropy events; nothing else decides.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/id.h"

struct random {
	uint8_t key[32];
	uint8_t pool[32];
	uint8_t left;			/* unused bytes at the end of pool */
};

/** random_seed() - Start from @seed only: the same seed gives the same draws */
void random_seed(struct random *r, const uint8_t seed[32]);

/** random_stir() - Mix @len more bytes in; never makes the state easier to guess */
void random_stir(struct random *r, const void *entropy, size_t len);

void random_bytes(struct random *r, void *out, size_t len);
uint64_t random_u64(struct random *r);

/** random_below() - uniform in [0, @n), without bias; @n > 0 */
uint32_t random_below(struct random *r, uint32_t n);

/** random_around() - @span_ns within +- 1/8, to keep timers of many nodes apart */
int64_t random_around(struct random *r, int64_t span_ns);

#endif /* BASE_RANDOM_H */
