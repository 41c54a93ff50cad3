#include "sim/check/look.h"

#include <glib.h>

#include "core/link/remember.h"
#include "core/ring/near.h"
#include "node/prog/scenario.h"

enum { PENDING_MOST = 48 };		/* messages one node answers for, core/ring/route.c */

static void look_links(struct census *c, uint32_t row, const struct node *n)
{
	for (unsigned i = 0; i < node_look_links(n); i++) {
		struct census_link *l;
		struct look_link k;

		if (!node_look_link(n, i, &k) || k.link.state == LINK_FREE)
			continue;
		l = census_add_link(c, row, k.link.id);
		l->point = k.point;
		l->up_ms = k.link.up_ms;
		l->pace_ns = k.link.pace_ns;
		l->rto_us = k.link.rto_us;
		l->state = (uint8_t)k.link.state;
		l->use = k.use;
		l->member = k.member;
	}
}

static void look_node(struct census *c, uint32_t row, const struct node *n)
{
	struct contact peer;
	struct id id;

	census_clear(c, row);
	node_look(n, &c->row[row].look);
	look_links(c, row, n);
	for (unsigned side = 0; side < 2; side++)
		for (unsigned rank = 0; node_known(n, side, rank, &id); rank++)
			census_add_known(c, row, side, id);
	for (unsigned i = 0; node_remembered(n, i, &peer); i++)
		if (peer.has_id)
			census_add_remembered(c, row, peer.id);
}

static uint8_t state_of(enum host_state s)
{
	switch (s) {
	case HOST_UP:
	case HOST_LEAVING:
		return ROW_RUNS;
	case HOST_PAUSED:
	case HOST_ASLEEP:
		return ROW_STILL;
	default:
		return ROW_GONE;
	}
}

/* Everything but the node's own state; true if the node was not there at the last look */
static bool look_host(struct census *c, const struct world *w, uint32_t i, struct host_view *v)
{
	struct census_row *r = &c->row[i];
	uint8_t before = r->state;
	bool fresh;

	world_host(w, i, v);
	fresh = before == ROW_GONE || r->born_ns != v->started_ns;
	r->state = v->node ? state_of(v->state) : ROW_GONE;
	r->anchor = v->bootstrap;
	r->anchored = world_scenario(w)->nodes.bootstrap > 0;
	if (before != ROW_GONE && r->part != world_part(w, i))
		c->parted_ns = r->moved_ns = c->now_ns;
	r->part = world_part(w, i);
	r->quota = (uint32_t)MIN(world_scenario(w)->nodes.quota_bytes, (int64_t)UINT32_MAX);
	r->born_ns = v->started_ns;
	r->joined_ns = v->joined_ns;
	return fresh;
}

/* Healing is asked for when no fault acts any more, and counted from the end of the last. */
static void look_world(struct census *c, const struct world *w, int64_t now_ns)
{
	int64_t ended_ns;
	unsigned ahead, acting = world_faults(w, &ended_ns, &ahead);

	c->now_ns = now_ns;
	c->disturbed_ns = acting ? now_ns : ended_ns == WORLD_NEVER ? INT64_MIN : ended_ns;
	census_rows(c, MAX(c->rows, world_hosts(w)));
}

void look_all(struct census *c, const struct world *w)
{
	struct host_view v;

	look_world(c, w, world_now(w));
	for (uint32_t i = 0; i < c->rows; i++) {
		look_host(c, w, i, &v);
		if (c->row[i].state != ROW_GONE)
			look_node(c, i, v.node);
	}
}

void look_step(struct census *c, const struct world *w, uint32_t host, int64_t now_ns)
{
	struct host_view v;

	look_world(c, w, now_ns);
	for (uint32_t i = 0; i < c->rows; i++)
		if ((look_host(c, w, i, &v) || i == host) && c->row[i].state != ROW_GONE)
			look_node(c, i, v.node);
}

void look_limits(struct limits *l, const struct world *w)
{
	const struct scenario *s = world_scenario(w);
	bool lossy = s->net.loss_ppb || s->net.corrupt_ppb || s->net.loss_burst > 1;

	*l = (struct limits){
		.far_ns = MAX(s->link.probe_ns, MAX(s->link.probe_second_ns, s->link.probe_far_ns)),
		.suspect_ns = s->link.suspect_ns,
		.slack_ns = (lossy ? 5 : 2) * NS_PER_S,
		.healed_ns = s->check.healed_ns,
		.crowd_ns = 120 * NS_PER_S,
		.near = (uint32_t)s->ring.near,
		.longs = s->ring.links == AUTO ? 0 : (uint32_t)s->ring.links,
		.no_longs = s->ring.links == 0,
		.cap = s->ring.cap,
		.uniform = s->ring.draw == RING_UNIFORM,
		.one_way = s->ring.direction == DIRECTION_ONE_WAY,
		.links_more = 16,
		.known = NEAR_KNOW_MAX,
		.pending = PENDING_MOST,
		.pending_rest = s->network.count ? PENDING_MOST : 4,	/* slots talk all the time */
		.remembered = REMEMBER_MAX,
	};
	l->goodbye_ns = l->slack_ns;
	l->settle_ns = s->link.probe_ns + l->suspect_ns + 5 * NS_PER_S + l->slack_ns;
	l->known_ns = l->far_ns + l->suspect_ns + 30 * NS_PER_S + l->slack_ns;
}
