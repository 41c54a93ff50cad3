/*
 * bare.h - an env with counted memory, chance and a place for drops, and nothing else
 *
 * For tests of modules that need no identity and no suite. bare_done() says
 * whether everything was given back, with the sizes it was taken with.
 */
#ifndef BARE_H
#define BARE_H

#include <stdlib.h>
#include <string.h>

#include "core/base/config.h"
#include "core/base/env.h"

struct bare {
	struct env env;
	struct config config;
	struct effects fx;
	struct mem_host host;
	unsigned blocks;
	size_t bytes;
};

static inline void *bare_get(void *ctx, size_t bytes)
{
	struct bare *b = ctx;

	b->blocks++;
	b->bytes += bytes;
	return malloc(bytes);
}

static inline void bare_put(void *ctx, void *p, size_t bytes)
{
	struct bare *b = ctx;

	b->blocks--;
	b->bytes -= bytes;
	free(p);
}

/** bare_init() - @b must not move afterwards; @n seeds its chance */
static inline void bare_init(struct bare *b, unsigned n)
{
	uint8_t seed[32];

	memset(b, 0, sizeof(*b));
	for (unsigned i = 0; i < sizeof(seed); i++)
		seed[i] = (uint8_t)(n * 37 + i * 11 + (n >> 8));
	config_default(&b->config);
	b->host = (struct mem_host){ bare_get, bare_put, b };
	b->env.config = &b->config;
	b->env.fx = &b->fx;
	b->env.mem = (struct mem){ &b->host, 0, 1 << 20 };
	random_seed(&b->env.random, seed);
}

static inline bool bare_done(const struct bare *b)
{
	return !b->blocks && !b->bytes && !b->env.mem.used;
}

#endif /* BARE_H */
