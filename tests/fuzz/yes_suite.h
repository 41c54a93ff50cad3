/*
 * yes_suite.h - primitives that say yes, so that a fuzzer gets past them
 *
 * Every signature fits, every tag is right, nothing is encrypted, a key's
 * conversion is the key. What is left is parsing and state. Never anywhere else.
 */
#ifndef YES_SUITE_H
#define YES_SUITE_H

#include <string.h>

#include "core/seal/suite.h"

static void yes_sign(uint8_t signature[SIGNATURE_BYTES], const uint8_t secret[SIGN_BYTES],
		     struct bytes text)
{
	(void)text;
	memcpy(signature, secret, SIGNATURE_BYTES);
}

static bool yes_verify(const uint8_t signature[SIGNATURE_BYTES], const uint8_t public[KEY_BYTES],
		       struct bytes text)
{
	(void)signature, (void)public, (void)text;
	return true;
}

static void yes_dh_pair(struct dh_pair *pair, const uint8_t seed[KEY_BYTES])
{
	memcpy(pair->secret, seed, KEY_BYTES);
	memcpy(pair->public, seed, KEY_BYTES);
}

static bool yes_convert(uint8_t out[KEY_BYTES], const uint8_t public[KEY_BYTES])
{
	memcpy(out, public, KEY_BYTES);
	return true;
}

static bool yes_dh(uint8_t out[KEY_BYTES], const struct dh_pair *own,
		   const uint8_t public[KEY_BYTES])
{
	(void)own, (void)public;
	memset(out, 1, KEY_BYTES);
	return true;
}

static void yes_hash(uint8_t out[HASH_BYTES], struct bytes a, struct bytes b)
{
	(void)a, (void)b;
	memset(out, 2, HASH_BYTES);
}

static void yes_hkdf(uint8_t one[HASH_BYTES], uint8_t two[HASH_BYTES],
		     const uint8_t chaining[HASH_BYTES], struct bytes input)
{
	(void)chaining, (void)input;
	memset(one, 3, HASH_BYTES);
	memset(two, 4, HASH_BYTES);
}

static void yes_derive(uint8_t *out, struct bytes key, struct bytes label)
{
	(void)key, (void)label;
	memset(out, 0, KEY_BYTES);	/* so that zeros at the end of an INIT are its proofs */
}

static void yes_seal(uint8_t *out, const uint8_t *key, uint64_t n, struct bytes ad,
		     const uint8_t *text, size_t len)
{
	(void)key, (void)n, (void)ad;
	memmove(out, text, len);
	memset(out + len, 0, TAG_BYTES);
}

static bool yes_open(uint8_t *out, const uint8_t *key, uint64_t n, struct bytes ad,
		     const uint8_t *sealed, size_t len)
{
	(void)key, (void)n, (void)ad;
	if (len < TAG_BYTES)
		return false;
	memmove(out, sealed, len - TAG_BYTES);
	return true;
}

static inline struct suite yes_suite(void)
{
	struct suite s = suite_sodium;

	s.sign = yes_sign;
	s.verify = yes_verify;
	s.dh_pair = yes_dh_pair;
	s.convert = yes_convert;
	s.dh = yes_dh;
	s.hash = yes_hash;
	s.hkdf = yes_hkdf;
	s.derive = yes_derive;
	s.aead[CIPHER_CHACHA] = (struct aead){ yes_seal, yes_open };
	return s;
}

#endif /* YES_SUITE_H */
