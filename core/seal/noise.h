/*
 * noise.h - the Noise protocol framework's patterns IK and XX, exactly
 *
 *	IK:	<- s		XX:	-> e
 *		...			<- e, ee, s, es
 *		-> e, es, s, ss		-> s, se
 *		<- e, ee, se
 *
 * with 25519, ChaChaPoly and BLAKE2b (T. Perrin, "The Noise Protocol
 * Framework", revision 34; names of functions and variables are its). The
 * tests run the published vectors of two other implementations.
 *
 *	Memory		struct noise, 293 bytes, alive while a handshake runs
 *	Chance		the ephemeral's 32-byte seed is an argument
 */
#ifndef SEAL_NOISE_H
#define SEAL_NOISE_H

#include "core/base/bytes.h"
#include "core/base/wire.h"
#include "core/seal/suite.h"

struct noise {
	uint8_t h[HASH_BYTES], ck[HASH_BYTES];
	uint8_t k[KEY_BYTES];
	struct dh_pair e;
	uint8_t rs[KEY_BYTES], re[KEY_BYTES];
	uint8_t pattern;		/* enum noise_pattern */
	uint8_t step;			/* messages written and read so far */
	uint8_t n;			/* nonce of the next EncryptAndHash() */
	bool initiator, keyed;
};
_Static_assert(sizeof(struct noise) <= 296, "one per handshake under way");

/**
 * noise_init() - HandshakeState.Initialize()
 * @s: our static pair (needed by IK's answerer here, by all later)
 * @rs: the peer's static key: IK's caller only, else NULL
 */
void noise_init(struct noise *x, const struct suite *suite, enum noise_pattern pattern,
		bool initiator, struct bytes prologue, const struct dh_pair *s, const uint8_t *rs);

/** noise_overhead() - bytes the next message has beyond its payload */
size_t noise_overhead(const struct noise *x);

/** noise_next() - is the next message ours to write? false also when none is left */
bool noise_next(const struct noise *x);

/** noise_over() - all messages have passed: Split() */
bool noise_over(const struct noise *x);

/**
 * noise_write() - WriteMessage()
 * @seed: the ephemeral secret, used by messages with the token e
 * @w: payload.len + noise_overhead() bytes are written
 *
 * Return: false, with @x useless, if there is no room or the peer's key is of small order
 */
bool noise_write(struct noise *x, const struct suite *suite, const struct dh_pair *s,
		 const uint8_t seed[KEY_BYTES], struct bytes payload, struct writer *w);

/**
 * noise_read() - ReadMessage()
 * @payload: room for message.len bytes
 * @len: of the payload, message.len - overhead
 *
 * Return: false, with @x useless (work on a copy), if it does not open
 */
bool noise_read(struct noise *x, const struct suite *suite, const struct dh_pair *s,
		struct bytes message, uint8_t *payload, size_t *len);

/** noise_split() - the two transport keys: @first for what the initiator sends */
void noise_split(const struct noise *x, const struct suite *suite,
		 uint8_t first[KEY_BYTES], uint8_t second[KEY_BYTES]);

#endif /* SEAL_NOISE_H */
