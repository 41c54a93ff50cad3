/*
 * model_crypto.c - theory of operation
 *
 * All state of a key fits 64 bits. A longer value (a hash of 64 bytes, a key of
 * 32) is its first word, spread over the others, so that whoever reads the
 * first word has read everything. A tag is XXH3-128 of the text under a seed
 * made of key, nonce, additional data and length.
 */
#include "sim/world/model_crypto.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include <sodium.h>
#include <xxhash.h>

enum { WORD = 8 };

#define GOLDEN 0x9e3779b97f4a7c15ULL	/* 2^64 over the golden ratio, as splitmix64 steps */

/* Words are little-endian on every machine, so that the bytes are the same. */
static uint64_t word(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, WORD);
	return le64toh(v);
}

static void put_word(uint8_t *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, WORD);
}

static uint64_t mix(uint64_t v)
{
	v ^= v >> 30;
	v *= 0xbf58476d1ce4e5b9ULL;	/* splitmix64's finalizer */
	v ^= v >> 27;
	v *= 0x94d049bb133111ebULL;
	return v ^ v >> 31;
}

/* @v, then as many words made of it as @len asks for */
static void spread(uint8_t *out, size_t len, uint64_t v)
{
	uint64_t w = v;

	for (size_t at = 0; at < len; at += WORD) {
		put_word(out + at, w);
		v += GOLDEN;
		w = mix(v);
	}
}

static uint64_t sum(struct bytes b, uint64_t seed)
{
	return XXH3_64bits_withSeed(b.len ? b.at : (const uint8_t *)"", b.len, seed);
}

static void drawn_sign_pair(uint8_t secret[SIGN_BYTES], const uint8_t seed[KEY_BYTES])
{
	memcpy(secret, seed, KEY_BYTES);
	spread(secret + KEY_BYTES, KEY_BYTES, sum((struct bytes){ seed, KEY_BYTES }, 1));
}

static void model_sign_pair(uint8_t secret[SIGN_BYTES], const uint8_t seed[KEY_BYTES])
{
	uint8_t public[KEY_BYTES];

	crypto_sign_ed25519_seed_keypair(public, secret, seed);
}

static void signature_of(uint8_t out[SIGNATURE_BYTES], const uint8_t public[KEY_BYTES],
			 struct bytes text)
{
	spread(out, SIGNATURE_BYTES, sum(text, sum((struct bytes){ public, KEY_BYTES }, 2)));
}

static void model_sign(uint8_t signature[SIGNATURE_BYTES], const uint8_t secret[SIGN_BYTES],
		       struct bytes text)
{
	signature_of(signature, secret + KEY_BYTES, text);
}

static bool model_verify(const uint8_t signature[SIGNATURE_BYTES],
			 const uint8_t public[KEY_BYTES], struct bytes text)
{
	uint8_t right[SIGNATURE_BYTES];

	signature_of(right, public, text);
	return !memcmp(right, signature, SIGNATURE_BYTES);
}

static void model_dh_pair(struct dh_pair *pair, const uint8_t seed[KEY_BYTES])
{
	memcpy(pair->secret, seed, KEY_BYTES);
	spread(pair->public, KEY_BYTES, sum((struct bytes){ seed, KEY_BYTES }, 3));
}

static void model_dh_static(uint8_t out[KEY_BYTES], const uint8_t secret[SIGN_BYTES])
{
	memcpy(out, secret, KEY_BYTES);
}

static bool model_convert(uint8_t out[KEY_BYTES], const uint8_t public[KEY_BYTES])
{
	static const uint8_t ZERO[KEY_BYTES];

	spread(out, KEY_BYTES, sum((struct bytes){ public, KEY_BYTES }, 4));
	return memcmp(public, ZERO, KEY_BYTES) != 0;
}

/* zero and one, the points of small order that somebody would try (RFC 7748, section 6.1) */
static bool small_order(const uint8_t public[KEY_BYTES])
{
	uint8_t rest = 0;

	for (unsigned i = 1; i < KEY_BYTES; i++)
		rest |= public[i];
	return !rest && public[0] <= 1;
}

static bool model_dh(uint8_t out[KEY_BYTES], const struct dh_pair *own,
		     const uint8_t public[KEY_BYTES])
{
	bool first = memcmp(own->public, public, KEY_BYTES) < 0;
	const uint8_t *low = first ? own->public : public;
	const uint8_t *high = first ? public : own->public;

	spread(out, KEY_BYTES, sum((struct bytes){ high, KEY_BYTES },
				   sum((struct bytes){ low, KEY_BYTES }, 5)));
	return !small_order(public);
}

static void model_hash(uint8_t out[HASH_BYTES], struct bytes a, struct bytes b)
{
	spread(out, HASH_BYTES, sum(b, sum(a, 6)));
}

static void model_hkdf(uint8_t one[HASH_BYTES], uint8_t two[HASH_BYTES],
		       const uint8_t chaining[HASH_BYTES], struct bytes input)
{
	uint64_t v = sum(input, sum((struct bytes){ chaining, HASH_BYTES }, 7));

	spread(one, HASH_BYTES, mix(v + 1));
	spread(two, HASH_BYTES, mix(v + 2));
}

static void model_derive(uint8_t *out, struct bytes key, struct bytes label)
{
	assert(key.len >= WORD);
	spread(out, WORD, sum(label, word(key.at)));
}

static void tag_of(uint8_t out[TAG_BYTES], const uint8_t *key, uint64_t n, struct bytes ad,
		   const uint8_t *text, size_t len)
{
	uint64_t seed = sum(ad, mix(word(key) + GOLDEN * n)) + len;
	XXH128_hash_t h = XXH3_128bits_withSeed(len ? text : (const uint8_t *)"", len, seed);

	put_word(out, h.low64);
	put_word(out + WORD, h.high64);
}

static void model_seal(uint8_t *out, const uint8_t *key, uint64_t n, struct bytes ad,
		       const uint8_t *text, size_t len)
{
	if (out != text && len)
		memmove(out, text, len);
	tag_of(out + len, key, n, ad, out, len);
}

static bool model_open(uint8_t *out, const uint8_t *key, uint64_t n, struct bytes ad,
		       const uint8_t *sealed, size_t len)
{
	uint8_t tag[TAG_BYTES];

	if (len < TAG_BYTES)
		return false;
	len -= TAG_BYTES;
	tag_of(tag, key, n, ad, sealed, len);
	if (memcmp(tag, sealed + len, TAG_BYTES))
		return false;
	if (out != sealed && len)
		memmove(out, sealed, len);
	return true;
}

#define MODEL(called, pair) {						\
	.name = called,							\
	.key_bytes = WORD,						\
	.ciphers = 1 << CIPHER_CHACHA,					\
	.sign_pair = pair,						\
	.sign = model_sign,						\
	.verify = model_verify,						\
	.dh_pair = model_dh_pair,					\
	.dh_static = model_dh_static,					\
	.convert = model_convert,					\
	.dh = model_dh,							\
	.hash = model_hash,						\
	.hkdf = model_hkdf,						\
	.derive = model_derive,						\
	.aead = { [CIPHER_CHACHA] = { model_seal, model_open } },	\
}

const struct suite suite_model = MODEL("model", model_sign_pair);
const struct suite suite_drawn = MODEL("drawn", drawn_sign_pair);
