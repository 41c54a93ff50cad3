#include "core/look.h"

#include <string.h>

#include "core/base/fixed.h"
#include "core/dht/dht.h"
#include "core/inside.h"
#include "core/link/tunnel.h"
#include "core/ring/label.h"
#include "core/ring/parts.h"
#include "core/vnet/vnet.h"

void node_look(const struct node *n, struct look *out)
{
	const struct ring *r = &n->ring;
	link_ref left = ring_side(r, LEFT), right = ring_side(r, RIGHT);

	*out = (struct look){
		.id = r->self, .started = n->started, .joined = r->state == RING_JOINED || r->state == RING_LEAVING,
		.leaving = r->state == RING_LEAVING,
		.left = link_ok(left) ? r->peer[left.slot].id : r->self,
		.right = link_ok(right) ? r->peer[right.slot].id : r->self,
		.size = (uint32_t)exp2_u64((int64_t)r->log2_size << 24),
		.links = links_count(n->links),
		.longs_out = peers_using(r, USE_LONG_OUT), .longs_in = peers_wanting(r, USE_LONG_OUT),
		.earned = peers_wanting(r, USE_DEMAND),
		.known_left = r->near.count[LEFT], .known_right = r->near.count[RIGHT],
		.pending = r->pendings, .remembered = r->remember.count, .memory = n->env.mem.used,
		.joined_ns = r->joined_ns,
	};
}

unsigned node_look_links(const struct node *n)
{
	return links_slots(n->links);
}

bool node_look_link(const struct node *n, unsigned i, struct look_link *out)
{
	const struct ring *r = &n->ring;

	memset(out, 0, sizeof(*out));
	if (i >= links_slots(n->links) || !links_view(n->links, (link_ref){ (uint16_t)i }, &out->link))
		return false;
	if (i >= r->peers || !r->peer[i].up)
		return true;
	out->use = (uint8_t)(r->peer[i].use | (r->peer[i].wants & USE_LONG_OUT ? USE_LONG_IN : 0) |
			     (r->peer[i].wants ? USE_PEER : 0));
	out->member = r->peer[i].member;
	longs_point(r, (uint16_t)i, &out->point);
	return true;
}

bool node_owns(const struct node *n, struct id key)
{
	return ring_owns(&n->ring, key);
}

bool node_known(const struct node *n, unsigned side, unsigned rank, struct id *out)
{
	if (side >= SIDES || rank >= n->ring.near.count[side])
		return false;
	*out = n->ring.near.known[side][rank].id;
	return true;
}

bool node_remembered(const struct node *n, unsigned i, struct contact *out)
{
	return remember_at(&n->ring.remember, i, out);
}

uint32_t node_bytes(const struct node *n)
{
	return n->env.mem.used;
}

void node_account(const struct node *n, struct node_account *out)
{
	const struct ring *r = &n->ring;
	struct label_account labels;
	uint32_t tables = r->peers * (uint32_t)sizeof(*r->peer);

	for (unsigned i = 0; i < r->peers; i++)
		tables += r->peer[i].prefixes * (uint32_t)sizeof(uint32_t);
	*out = (struct node_account){
		.node = sizeof(*n), .tables = tables,
		.knowledge = (uint32_t)((r->near.cap[LEFT] + r->near.cap[RIGHT]) * sizeof(struct known)),
		.pending = (uint32_t)(route_bytes(r) + ask_bytes(r) + longs_bytes(r) + cast_bytes(r)),
		.timers = (uint32_t)(n->env.timers.cap * sizeof(uint64_t) + n->env.timers.tags * sizeof(uint16_t)),
		.remembered = remember_bytes(&r->remember),
	};
	links_account(n->links, &out->links, &out->sessions, &out->handshakes);
	out->tunnels = n->tunnels ? tunnels_bytes(n->tunnels) : 0;
	label_account(r, &labels);
	out->labels = labels.bytes;
	if (n->dht) {
		struct dht_account d;

		dht_account(n->dht, &d);
		out->dht = d.bytes;
	}
	for (unsigned i = 0; i < NETWORKS_MAX; i++)
		out->vnet += n->vnet[i] ? vnet_bytes(n->vnet[i]) : 0;
}

/* ---- leases and networks ---- */

bool node_held(const struct node *n, unsigned i, struct held *out)
{
	return n->dht && held_at(n->dht, i, out);
}

uint32_t node_held_changes(const struct node *n)
{
	return n->dht ? held_changes(n->dht) : 0;
}

bool node_believes(const struct node *n, struct id network, const struct ip *ip, struct fence *fence)
{
	return n->dht && held_believes(n->dht, &n->env, network, ip, fence);
}

bool node_slot(const struct node *n, unsigned i, struct look_slot *out)
{
	return n->dht && dht_slot_at(n->dht, i, out);
}

uint32_t node_slot_changes(const struct node *n)
{
	return n->dht ? dht_slot_changes(n->dht) : 0;
}

void node_dht_account(const struct node *n, struct dht_account *out)
{
	memset(out, 0, sizeof(*out));
	if (n->dht)
		dht_account(n->dht, out);
}

bool node_name(const struct node *n, unsigned i, struct look_name *out)
{
	return n->dht && name_at(n->dht, i, out);
}

bool node_tunnel(const struct node *n, unsigned i, struct tunnel_view *out)
{
	return n->tunnels && tunnel_at(n->tunnels, i, out);
}

static const struct vnet *vnet_of(const struct node *n, unsigned network)
{
	return network < NETWORKS_MAX ? n->vnet[network] : NULL;
}

bool node_guest(const struct node *n, unsigned network, unsigned i, struct look_guest *out)
{
	return vnet_of(n, network) && vnet_guest_at(n->vnet[network], i, out);
}

uint64_t node_revoked(const struct node *n, const uint8_t anchor[KEY_BYTES], unsigned *count)
{
	const struct revoked *l = revoked_list(n->env.revoked, anchor);

	*count = l ? l->count : 0;
	return l ? l->serial : 0;
}

bool node_epoch(const struct node *n, unsigned network, struct look_epoch *out)
{
	if (!vnet_of(n, network))
		return false;
	*out = vnet_epoch(n->vnet[network]);
	return true;
}

bool node_guard(const struct node *n, unsigned network, struct look_guard *out)
{
	return vnet_of(n, network) && vnet_guard_look(n->vnet[network], &n->env, out);
}

bool node_remote(const struct node *n, unsigned network, unsigned i, struct look_remote *out)
{
	return vnet_of(n, network) && vnet_remote_at(n->vnet[network], i, out);
}

uint32_t node_remote_changes(const struct node *n, unsigned network)
{
	return vnet_of(n, network) ? vnet_remote_changes(n->vnet[network]) : 0;
}
