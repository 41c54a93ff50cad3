#include "core/base/random.h"

#include <string.h>

#include <sodium.h>

static void refill(struct random *r)
{
	static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
	uint8_t block[64];

	crypto_stream_chacha20(block, sizeof(block), nonce, r->key);
	memcpy(r->key, block, 32);
	memcpy(r->pool, block + 32, 32);
	r->left = sizeof(r->pool);
	sodium_memzero(block, sizeof(block));
}

void random_seed(struct random *r, const uint8_t seed[32])
{
	memcpy(r->key, seed, 32);
	r->left = 0;
}

void random_stir(struct random *r, const void *entropy, size_t len)
{
	crypto_generichash_state st;

	crypto_generichash_init(&st, r->key, sizeof(r->key), sizeof(r->key));
	crypto_generichash_update(&st, entropy, len);
	crypto_generichash_final(&st, r->key, sizeof(r->key));
	r->left = 0;
}

void random_bytes(struct random *r, void *out, size_t len)
{
	uint8_t *p = out;

	while (len) {
		size_t n = len < r->left ? len : r->left;
		uint8_t *from = r->pool + sizeof(r->pool) - r->left;

		memcpy(p, from, n);
		memset(from, 0, n);
		r->left -= (uint8_t)n;
		p += n;
		len -= n;
		if (len)
			refill(r);
	}
}

uint64_t random_u64(struct random *r)
{
	uint8_t b[8];
	uint64_t v = 0;

	random_bytes(r, b, sizeof(b));
	for (unsigned i = 0; i < sizeof(b); i++)
		v = v << 8 | b[i];
	return v;
}

uint32_t random_below(struct random *r, uint32_t n)
{
	uint32_t floor = -n % n;	/* 2^32 mod n: draws below it would be unfair */
	uint64_t m;

	do {
		uint8_t b[4];

		random_bytes(r, b, sizeof(b));
		m = (uint64_t)n * ((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
				   (uint32_t)b[2] << 8 | b[3]);
	} while ((uint32_t)m < floor);
	return (uint32_t)(m >> 32);
}

int64_t random_around(struct random *r, int64_t span_ns)
{
	int64_t eighth = span_ns / 8;

	return span_ns - eighth + (int64_t)((uint64_t)random_below(r, 1u << 16) *
					    (uint64_t)(2 * eighth) >> 16);
}
