/*
 * sodium.c - the real primitives: libsodium's, and HMAC over its BLAKE2b
 */
#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "core/seal/suite.h"

_Static_assert(SIGN_BYTES == crypto_sign_ed25519_SECRETKEYBYTES, "seed and public key");
_Static_assert(KEY_BYTES == crypto_sign_ed25519_SEEDBYTES, "seeds are keys");
_Static_assert(SIGNATURE_BYTES == crypto_sign_ed25519_BYTES, "signatures");
_Static_assert(KEY_BYTES == crypto_scalarmult_curve25519_BYTES, "X25519");
_Static_assert(KEY_BYTES == crypto_aead_chacha20poly1305_ietf_KEYBYTES, "the data cipher's key");
_Static_assert(KEY_BYTES == crypto_aead_aes256gcm_KEYBYTES && TAG_BYTES == crypto_aead_aes256gcm_ABYTES, "the other one");
_Static_assert(TAG_BYTES == crypto_aead_chacha20poly1305_ietf_ABYTES, "its tag");
_Static_assert(HASH_BYTES == crypto_generichash_blake2b_BYTES_MAX, "BLAKE2b-512");

enum { BLOCK = 128 };			/* BLAKE2b's, for HMAC */

static void real_sign_pair(uint8_t secret[SIGN_BYTES], const uint8_t seed[KEY_BYTES])
{
	uint8_t public[KEY_BYTES];

	crypto_sign_ed25519_seed_keypair(public, secret, seed);
}

static void real_sign(uint8_t signature[SIGNATURE_BYTES], const uint8_t secret[SIGN_BYTES],
		      struct bytes text)
{
	crypto_sign_ed25519_detached(signature, NULL, text.at, text.len, secret);
}

static bool real_verify(const uint8_t signature[SIGNATURE_BYTES],
			const uint8_t public[KEY_BYTES], struct bytes text)
{
	return !crypto_sign_ed25519_verify_detached(signature, text.at, text.len, public);
}

static void real_dh_pair(struct dh_pair *pair, const uint8_t seed[KEY_BYTES])
{
	memcpy(pair->secret, seed, KEY_BYTES);
	crypto_scalarmult_curve25519_base(pair->public, pair->secret);
}

static void real_dh_static(uint8_t out[KEY_BYTES], const uint8_t secret[SIGN_BYTES])
{
	crypto_sign_ed25519_sk_to_curve25519(out, secret);
}

static bool real_convert(uint8_t out[KEY_BYTES], const uint8_t public[KEY_BYTES])
{
	return !crypto_sign_ed25519_pk_to_curve25519(out, public);
}

static bool real_dh(uint8_t out[KEY_BYTES], const struct dh_pair *own,
		    const uint8_t public[KEY_BYTES])
{
	return !crypto_scalarmult_curve25519(out, own->secret, public);
}

static void real_hash(uint8_t out[HASH_BYTES], struct bytes a, struct bytes b)
{
	crypto_generichash_blake2b_state st;

	crypto_generichash_blake2b_init(&st, NULL, 0, HASH_BYTES);
	crypto_generichash_blake2b_update(&st, a.at, a.len);
	crypto_generichash_blake2b_update(&st, b.at, b.len);
	crypto_generichash_blake2b_final(&st, out, HASH_BYTES);
}

/* RFC 2104 with BLAKE2b-512; the key is never longer than a block here */
static void hmac(uint8_t out[HASH_BYTES], const uint8_t key[HASH_BYTES],
		 struct bytes a, struct bytes b)
{
	crypto_generichash_blake2b_state st;
	uint8_t pad[BLOCK], inner[HASH_BYTES];

	memset(pad, 0x36, sizeof(pad));
	for (unsigned i = 0; i < HASH_BYTES; i++)
		pad[i] ^= key[i];
	crypto_generichash_blake2b_init(&st, NULL, 0, HASH_BYTES);
	crypto_generichash_blake2b_update(&st, pad, sizeof(pad));
	crypto_generichash_blake2b_update(&st, a.at, a.len);
	crypto_generichash_blake2b_update(&st, b.at, b.len);
	crypto_generichash_blake2b_final(&st, inner, sizeof(inner));
	for (unsigned i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	real_hash(out, (struct bytes){ pad, sizeof(pad) }, (struct bytes){ inner, sizeof(inner) });
	sodium_memzero(pad, sizeof(pad));
	sodium_memzero(inner, sizeof(inner));
}

static void real_hkdf(uint8_t one[HASH_BYTES], uint8_t two[HASH_BYTES],
		      const uint8_t chaining[HASH_BYTES], struct bytes input)
{
	static const uint8_t FIRST = 1, SECOND = 2;
	const struct bytes none = { NULL, 0 };
	uint8_t temp[HASH_BYTES];

	hmac(temp, chaining, input, none);
	hmac(one, temp, (struct bytes){ &FIRST, 1 }, none);
	hmac(two, temp, (struct bytes){ one, HASH_BYTES }, (struct bytes){ &SECOND, 1 });
	sodium_memzero(temp, sizeof(temp));
}

static void real_derive(uint8_t *out, struct bytes key, struct bytes label)
{
	crypto_generichash_blake2b_state st;

	assert(key.len == KEY_BYTES);
	crypto_generichash_blake2b_init(&st, key.at, key.len, KEY_BYTES);
	crypto_generichash_blake2b_update(&st, label.at, label.len);
	crypto_generichash_blake2b_final(&st, out, KEY_BYTES);
}

enum { NONCE = crypto_aead_chacha20poly1305_ietf_NPUBBYTES };
_Static_assert(NONCE == crypto_aead_aes256gcm_NPUBBYTES, "of both ciphers");

/* Noise, section 12.3: four zero bytes, then n in little-endian order */
static void nonce(uint8_t out[NONCE], uint64_t n)
{
	memset(out, 0, 4);
	for (unsigned i = 0; i < 8; i++)
		out[4 + i] = (uint8_t)(n >> (8 * i));
}

/* 12.4: the same in big-endian order */
static void nonce_aes(uint8_t out[NONCE], uint64_t n)
{
	memset(out, 0, 4);
	for (unsigned i = 0; i < 8; i++)
		out[4 + i] = (uint8_t)(n >> (56 - 8 * i));
}

static void chacha_seal(uint8_t *out, const uint8_t *key, uint64_t n, struct bytes ad,
			const uint8_t *text, size_t len)
{
	uint8_t npub[NONCE];

	nonce(npub, n);
	crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, text, len, ad.at, ad.len,
						  NULL, npub, key);
}

static bool chacha_open(uint8_t *out, const uint8_t *key, uint64_t n, struct bytes ad,
			const uint8_t *sealed, size_t len)
{
	uint8_t npub[NONCE];
	size_t plain = len - TAG_BYTES;

	if (len < TAG_BYTES)
		return false;
	nonce(npub, n);
	return !crypto_aead_chacha20poly1305_ietf_decrypt_detached(
		out, NULL, sealed, plain, sealed + plain, ad.at, ad.len, npub, key);
}

/* By the CPU's instructions only: a host asks crypto_aead_aes256gcm_is_available() before it offers them. */
static void aes_seal(uint8_t *out, const uint8_t *key, uint64_t n, struct bytes ad, const uint8_t *text, size_t len)
{
	uint8_t npub[NONCE];

	nonce_aes(npub, n);
	crypto_aead_aes256gcm_encrypt(out, NULL, text, len, ad.at, ad.len, NULL, npub, key);
}

static bool aes_open(uint8_t *out, const uint8_t *key, uint64_t n, struct bytes ad, const uint8_t *sealed, size_t len)
{
	uint8_t npub[NONCE];
	size_t plain = len - TAG_BYTES;

	if (len < TAG_BYTES)
		return false;
	nonce_aes(npub, n);
	return !crypto_aead_aes256gcm_decrypt_detached(out, NULL, sealed, plain, sealed + plain, ad.at, ad.len, npub, key);
}

const struct suite suite_sodium = {
	.name = "real",
	.key_bytes = KEY_BYTES,
	.ciphers = 1 << CIPHER_CHACHA | 1 << CIPHER_AES,
	.sign_pair = real_sign_pair,
	.sign = real_sign,
	.verify = real_verify,
	.dh_pair = real_dh_pair,
	.dh_static = real_dh_static,
	.convert = real_convert,
	.dh = real_dh,
	.hash = real_hash,
	.hkdf = real_hkdf,
	.derive = real_derive,
	.aead = { [CIPHER_CHACHA] = { chacha_seal, chacha_open }, [CIPHER_AES] = { aes_seal, aes_open } },
};
