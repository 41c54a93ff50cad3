/*
 * party.h - a node as seal/ sees it, for tests, fuzz targets and benches
 *
 * An overlay key, and parties with an env, an identity and a chain, all made
 * from small numbers: the same numbers give the same bytes.
 */
#ifndef PARTY_H
#define PARTY_H

#include <stdlib.h>
#include <string.h>

#include "core/base/config.h"
#include "core/base/env.h"
#include "core/seal/cert.h"
#include "core/seal/handshake.h"
#include "core/seal/identity.h"
#include "core/seal/session.h"
#include "core/seal/suite.h"

struct party {
	struct env env;
	struct config config;
	struct identity self;
	uint8_t chain[CERT_CHAIN_MAX];
	size_t chain_len;
};

static inline void *party_get(void *ctx, size_t bytes)
{
	(void)ctx;
	return malloc(bytes);
}

static inline void party_put(void *ctx, void *p, size_t bytes)
{
	(void)ctx, (void)bytes;
	free(p);
}

/** party_seed() - 32 bytes of the small number @n */
static inline void party_seed(uint8_t out[KEY_BYTES], unsigned n)
{
	for (unsigned i = 0; i < KEY_BYTES; i++)
		out[i] = (uint8_t)(n * 37 + i * 11 + (n >> 3));
}

static inline void party_key(const struct suite *suite, unsigned n, uint8_t secret[SIGN_BYTES])
{
	uint8_t seed[KEY_BYTES];

	party_seed(seed, n);
	suite->sign_pair(secret, seed);
}

/** party_env() - an env with memory and chance, no identity */
static inline void party_env(struct party *p, const struct suite *suite, unsigned n)
{
	static const struct mem_host HOST = { party_get, party_put, NULL };
	uint8_t seed[KEY_BYTES];

	memset(p, 0, sizeof(*p));
	party_seed(seed, n + 1000);
	p->env.config = &p->config;
	p->env.suite = suite;
	p->env.mem = (struct mem){ &HOST, 0, 1 << 20 };
	random_seed(&p->env.random, seed);
}

/** party_certify() - write party @n's certificate, by @signer, over its chain */
static inline bool party_certify(struct party *p, const struct suite *suite, unsigned n,
				 const uint8_t signer[SIGN_BYTES], struct cert_order o)
{
	uint8_t key[SIGN_BYTES], salt[CERT_SALT];
	struct writer w = writer_of(p->chain, sizeof(p->chain));
	bool good;

	party_key(suite, n, key);
	memset(salt, (int)n, sizeof(salt));
	o.key = key + KEY_BYTES;
	o.salt = salt;
	good = cert_issue(suite, signer, &o, &w);
	p->chain_len = writer_len(&w);
	return good;
}

/** party_init() - party @n, member of overlay @overlay, its certificate made by @o */
static inline enum cert_fault party_init_as(struct party *p, const struct suite *suite, unsigned n,
					    unsigned overlay, struct cert_order o)
{
	uint8_t anchor[SIGN_BYTES], seed[KEY_BYTES];

	party_env(p, suite, n);
	party_key(suite, overlay, anchor);
	memcpy(p->config.overlay, anchor + KEY_BYTES, KEY_BYTES);
	if (!party_certify(p, suite, n, anchor, o))
		return FAULT_MALFORMED;
	party_seed(seed, n);
	return identity_init(&p->self, suite, seed, (struct bytes){ p->chain, p->chain_len },
			     p->config.overlay, 0);
}

static inline enum cert_fault party_init(struct party *p, const struct suite *suite, unsigned n,
					 unsigned overlay)
{
	return party_init_as(p, suite, n, overlay,
			     (struct cert_order){ .roles = ROLE_MEMBER, .serial = n, .name = "party" });
}

/** party_sessions() - the two ends of a session between @a and @b, made without a handshake */
static inline void party_sessions(struct party *a, struct party *b, unsigned lanes,
				  struct session **sa, struct session **sb)
{
	struct session_keys k = { .index = 0xa1, .peer_index = 0xb2, .initiator = true, .confirmed = true };
	struct session_keys l = { .index = 0xb2, .peer_index = 0xa1 };

	party_seed(k.send, 500);
	party_seed(k.receive, 501);
	memcpy(l.send, k.receive, KEY_BYTES);
	memcpy(l.receive, k.send, KEY_BYTES);
	*sa = session_new(&a->env, &k, lanes);
	*sb = session_new(&b->env, &l, lanes);
}

#endif /* PARTY_H */
