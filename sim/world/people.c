#include "sim/world/people.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "node/prog/scenario.h"
#include "sim/engine/chance.h"
#include "sim/world/inside.h"
#include "sim/world/model_crypto.h"

void people_init(struct people *p, uint64_t seed, int crypto, int ids)
{
	struct chance c = chance_of(seed, UINT32_MAX, STREAM_KEY);
	uint8_t key[KEY_BYTES];

	p->seed = seed;
	p->suite = ids == IDS_DRAWN ? &suite_drawn :
		   crypto == CRYPTO_MODEL ? &suite_model : &suite_sodium;
	chance_bytes(&c, key, sizeof(key));
	p->suite->sign_pair(p->anchor, key);
}

const uint8_t *people_overlay(const struct people *p)
{
	return p->anchor + KEY_BYTES;
}

/* What is drawn for an identity: the key's seed, and the salt its signer gave it. */
static void draw(const struct people *p, uint32_t host, uint32_t number, uint8_t seed[KEY_BYTES],
		 uint8_t salt[CERT_SALT])
{
	struct chance keys = chance_of(p->seed, host, STREAM_KEY);
	struct chance salts = chance_of(p->seed, host, STREAM_SALT);

	keys.counter = salts.counter = (uint64_t)number * KEY_BYTES;
	chance_bytes(&keys, seed, KEY_BYTES);
	chance_bytes(&salts, salt, CERT_SALT);
}

struct id people_id(const struct people *p, uint32_t host, uint32_t number)
{
	uint8_t seed[KEY_BYTES], sign[SIGN_BYTES], salt[CERT_SALT];

	draw(p, host, number, seed, salt);
	p->suite->sign_pair(sign, seed);
	return cert_id(sign + KEY_BYTES, salt);
}

struct self *people_make_in(const struct people *p, const uint8_t anchor[SIGN_BYTES], struct slab *slab,
			    uint32_t host, uint32_t number)
{
	uint8_t seed[KEY_BYTES], sign[SIGN_BYTES], salt[CERT_SALT], chain[CERT_MAX];
	struct writer w = writer_of(chain, sizeof(chain));
	struct cert_order order = {
		.roles = ROLE_MEMBER, .serial = (uint64_t)host << 32 | number,
		.key = sign + KEY_BYTES, .salt = salt,
	};
	enum cert_fault fault;
	struct self *s;
	bool fits;

	draw(p, host, number, seed, salt);
	p->suite->sign_pair(sign, seed);
	fits = cert_issue(p->suite, anchor, &order, &w);
	assert(fits);
	s = slab_get(slab, sizeof(*s) + writer_len(&w));
	if (!s)
		return NULL;
	s->len = (uint16_t)writer_len(&w);
	memcpy(s->chain, chain, s->len);
	fault = identity_init(&s->identity, p->suite, seed, (struct bytes){ s->chain, s->len },
			      anchor + KEY_BYTES, 0);
	assert(fault == FAULT_NONE);
	return s;
}

struct self *people_make(const struct people *p, struct slab *slab, uint32_t host, uint32_t number)
{
	return people_make_in(p, p->anchor, slab, host, number);
}

void people_drop(struct slab *slab, struct self *s)
{
	if (s)
		slab_put(slab, s, sizeof(*s) + s->len);
}
