/*
 * people.h - who the nodes are: keys and certificates drawn from the seed
 *
 * A run has one overlay, whose signer stands outside it: each host's identity
 * number n is a pure function of (seed, host, n), made again whenever its node
 * starts, so that a host that is off costs nothing.
 *
 *	Memory		struct self: 128 bytes and its certificate, about 150
 *	Time		with real keys about 0.1 ms for each start
 */
#ifndef SIM_WORLD_PEOPLE_H
#define SIM_WORLD_PEOPLE_H

#include <stdbool.h>

#include "core/seal/identity.h"
#include "sim/engine/slab.h"

struct people {
	uint64_t seed;
	const struct suite *suite;
	uint8_t anchor[SIGN_BYTES];	/* the overlay's key */
};

/** struct self - one identity, in memory of its shard */
struct self {
	struct identity identity;
	uint16_t len;
	uint8_t chain[];
};

/** people_init() - @crypto and @ids as in the scenario (enum run_crypto, run_ids) */
void people_init(struct people *p, uint64_t seed, int crypto, int ids);

/** people_overlay() - The overlay's public key */
const uint8_t *people_overlay(const struct people *p);

/** people_id() - The ring id of the @number-th identity of @host, without its certificate */
struct id people_id(const struct people *p, uint32_t host, uint32_t number);

/** people_make() - The @number-th identity of @host, from @slab */
struct self *people_make(const struct people *p, struct slab *slab, uint32_t host, uint32_t number);

/** people_make_in() - The same key and salt, certified by another key: of a network that is not the overlay */
struct self *people_make_in(const struct people *p, const uint8_t anchor[SIGN_BYTES], struct slab *slab,
			    uint32_t host, uint32_t number);
void people_drop(struct slab *slab, struct self *s);

#endif /* SIM_WORLD_PEOPLE_H */
