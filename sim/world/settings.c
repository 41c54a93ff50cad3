/* From the scenario to the constants every core is born with. */
#include <string.h>

#include "sim/world/inside.h"

static void fill_ring(struct config *c, const struct scenario_ring *r)
{
	c->near = (uint8_t)r->near;
	c->longs = r->links == AUTO ? 0 : (uint8_t)r->links;
	c->draw = r->draw == RING_UNIFORM ? DRAW_UNIFORM : DRAW_HARMONIC;
	c->one_way = r->direction == DIRECTION_ONE_WAY;
	c->lookahead = r->lookahead;
	c->cap = r->cap;
	c->nodes = (uint32_t)r->assume_n;
}

void settings_fill(struct world *w)
{
	const struct scenario *sc = w->scenario;
	struct config *c = &w->config;

	config_default(c);
	memcpy(c->overlay, people_overlay(&w->people), sizeof(c->overlay));
	fill_ring(c, &sc->ring);
	c->probe_next_ns = sc->link.probe_ns;
	c->probe_second_ns = sc->link.probe_second_ns;
	c->probe_far_ns = sc->link.probe_far_ns;
	c->suspect_ns = sc->link.suspect_ns;
	c->suspect_probes = (uint8_t)sc->link.suspect_probes;
	if (sc->lookups.retry_ns)	/* 0: no lookups */
		c->lookup_retry_ns = sc->lookups.retry_ns;

	w->bootstrap = g_new0(struct endpoint, 2 * w->first_churner + 1);
	for (uint32_t i = 0; i < w->first_churner; i++) {
		for (int family = ENDPOINT_UDP4; family <= ENDPOINT_UDP6; family += 2) {
			struct endpoint at = net_address(w->net, i, (enum endpoint_kind)family);

			if (at.kind == ENDPOINT_NONE)
				continue;
			at.port = WORLD_PORT;
			w->bootstrap[c->bootstraps++] = at;
		}
	}
	c->bootstrap = w->bootstrap;
}
