/*
 * identity.h - who this node is: key, certificate chain, place on the ring
 *
 *	Memory		128 bytes in struct node; the chain is borrowed from the
 *			host for as long as the node lives, which keeps it
 *			anyway to start the node again
 *	Chance		none: the seed comes from the host
 */
#ifndef SEAL_IDENTITY_H
#define SEAL_IDENTITY_H

#include "core/base/id.h"
#include "core/seal/cert.h"
#include "core/seal/suite.h"

struct identity {
	struct id id;
	uint8_t sign[SIGN_BYTES];	/* Ed25519: seed, then public key */
	uint8_t dh[KEY_BYTES];		/* X25519 public; the secret is derived when needed */
	const uint8_t *chain;		/* leaf first, borrowed */
	uint16_t chain_len;
};
_Static_assert(sizeof(struct identity) <= 128, "one per node: a million of them are 128 MB");

/** identity_key() - our Ed25519 public key */
static inline const uint8_t *identity_key(const struct identity *self)
{
	return self->sign + KEY_BYTES;
}

/**
 * identity_init() - Become the node that @seed and @chain describe
 * @anchor: the overlay's public key
 * @utc: seconds, 0 = unknown
 *
 * Return: what is wrong with the chain (or that it is for another key); @self
 * is then untouched
 */
enum cert_fault identity_init(struct identity *self, const struct suite *suite,
			      const uint8_t seed[KEY_BYTES], struct bytes chain,
			      const uint8_t anchor[KEY_BYTES], uint64_t utc);

/** identity_done() - Forget the secrets */
void identity_done(struct identity *self);

#endif /* SEAL_IDENTITY_H */
