#include "core/base/config.h"

#include <string.h>

#include "core/base/env.h"
#include "core/base/wire.h"

void config_default(struct config *c)
{
	memset(c, 0, sizeof(*c));
	c->near = 2;
	c->draw = DRAW_HARMONIC;
	c->lookahead = true;
	c->cap = true;
	c->probe_next_ns = 5 * NS_PER_S;
	c->probe_second_ns = 20 * NS_PER_S;
	c->probe_far_ns = 60 * NS_PER_S;
	c->suspect_ns = 1500 * NS_PER_MS;
	c->suspect_probes = 3;
	c->handshake_ns = 500 * NS_PER_MS;
	c->handshake_tries = 4;
	c->rekey_ns = 24 * 3600 * NS_PER_S;
	c->rekey_data_ns = 3600 * NS_PER_S;
	c->mtu = WIRE_MTU_MAX;
	c->lookup_retry_ns = 4 * NS_PER_S;
}
