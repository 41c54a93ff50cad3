/*
 * suite.h - the table of primitives a node is born with
 *
 * Everything that computes with keys goes through this table, so that a host
 * can choose what it costs: suite_sodium is the real thing, the simulator's
 * cost model (sim/world/model_crypto.h) keeps every byte count, every random
 * draw and every verdict and skips the arithmetic. What names things - ring
 * ids, digests of certificates - is BLAKE2b under both and not in the table.
 *
 * All functions are pure: keys, seeds and nonces come in as arguments. The host
 * calls sodium_init() once before the first node, or libsodium runs its slow
 * portable code.
 *
 *	Memory		none; tables are const
 *	Chance		none; whoever needs a secret hands its 32 random bytes in
 */
#ifndef SEAL_SUITE_H
#define SEAL_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"

enum {
	KEY_BYTES	= 32,		/* public keys, seeds, Noise's symmetric keys */
	SIGN_BYTES	= 64,		/* an Ed25519 secret: seed, then public key */
	SIGNATURE_BYTES	= 64,
	HASH_BYTES	= 64,		/* BLAKE2b as Noise uses it */
	TAG_BYTES	= 16,
};

/** enum cipher - the data ciphers a session may carry; 1 << cipher is its bit in an offer */
enum cipher { CIPHER_CHACHA, CIPHER_AES, CIPHERS };

/** struct dh_pair - an X25519 key pair */
struct dh_pair {
	uint8_t public[KEY_BYTES];
	uint8_t secret[KEY_BYTES];
};

/**
 * struct aead - one data cipher
 *
 * The nonce is @n as Noise writes it for the cipher. @out and @text may be the
 * same place. seal() writes @len + TAG_BYTES; open() takes @len bytes with the
 * tag among them and writes @len - TAG_BYTES, or says false and leaves nothing
 * of use in @out. Session keys are suite->key_bytes long; Noise's 32 bytes are one too.
 */
struct aead {
	void (*seal)(uint8_t *out, const uint8_t *key, uint64_t n, struct bytes ad,
		     const uint8_t *text, size_t len);
	bool (*open)(uint8_t *out, const uint8_t *key, uint64_t n, struct bytes ad,
		     const uint8_t *sealed, size_t len);
};

struct suite {
	const char *name;
	uint8_t key_bytes;		/* of a session key: 32 real, 8 model */
	uint8_t ciphers;		/* bits of the data ciphers below that exist; CHACHA always. AES only where the host says
					 * that the machine has it (start.ciphers) */

	/** sign_pair() - the Ed25519 key of @seed: @secret is seed and public key */
	void (*sign_pair)(uint8_t secret[SIGN_BYTES], const uint8_t seed[KEY_BYTES]);
	void (*sign)(uint8_t signature[SIGNATURE_BYTES], const uint8_t secret[SIGN_BYTES],
		     struct bytes text);
	bool (*verify)(const uint8_t signature[SIGNATURE_BYTES], const uint8_t public[KEY_BYTES],
		       struct bytes text);

	/** dh_pair() - an ephemeral X25519 pair whose secret is @seed */
	void (*dh_pair)(struct dh_pair *pair, const uint8_t seed[KEY_BYTES]);
	/** dh_static() - the X25519 secret of an Ed25519 key (its public half: convert()) */
	void (*dh_static)(uint8_t out[KEY_BYTES], const uint8_t secret[SIGN_BYTES]);
	/** convert() - Ed25519 public to X25519 public; false if it is no good point */
	bool (*convert)(uint8_t out[KEY_BYTES], const uint8_t public[KEY_BYTES]);
	/** dh() - what both pairs' owners can compute; false if @public is of small order */
	bool (*dh)(uint8_t out[KEY_BYTES], const struct dh_pair *own,
		   const uint8_t public[KEY_BYTES]);

	/** hash() - BLAKE2b-512 of @a then @b */
	void (*hash)(uint8_t out[HASH_BYTES], struct bytes a, struct bytes b);
	/** hkdf() - Noise's HKDF by HMAC: two outputs of @chaining and @input; may overlap @chaining */
	void (*hkdf)(uint8_t one[HASH_BYTES], uint8_t two[HASH_BYTES],
		     const uint8_t chaining[HASH_BYTES], struct bytes input);
	/** derive() - a session key (key_bytes) from @key and @label; @out may be @key */
	void (*derive)(uint8_t *out, struct bytes key, struct bytes label);

	struct aead aead[CIPHERS];
};

/** suite_sodium - libsodium's: X25519, Ed25519, ChaCha20-Poly1305 (RFC 8439), AES-256-GCM (SP 800-38D), BLAKE2b */
extern const struct suite suite_sodium;

#endif /* SEAL_SUITE_H */
