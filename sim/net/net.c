/*
 * net.c - interfaces and accounts: making a network, asking it
 *
 * What packets meet is in send.c, where they can go in address.c, how long it
 * takes in latency.c, what goes wrong on purpose in fault.c.
 */
#include "sim/net/net.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/net/inside.h"
#include "sim/net/synth.h"
#include "sim/net/table_inside.h"

enum {
	MTU_DEFAULT	= 1500,
	MTU_LEAST	= 576,		/* what every IPv4 host takes: RFC 791 */
	QUEUE_LEAST	= 3000,
	RATE_LEAST	= 1000,		/* bits/s: keeps times in 63 bits */
	LANES_MAX	= 4096,
	SAMPLE		= 4096,		/* built-in places the regions are cut by */
};
#define QUEUE_MOST	(1u << 30)

const char *net_drop_name(enum net_drop d)
{
#define X(name, text) #name,
	static const char *const names[] = { NET_DROP_LIST(X) };
#undef X
	return d < NET_DROPS ? names[d] : "?";
}

/* -- is the configuration possible ------------------------------------------------------------- */

static bool refuse(struct net_error *why, const char *field, const char *value, const char *wanted)
{
	snprintf(why->text, sizeof(why->text), "[net] %s is %s; wanted: %s", field, value, wanted);
	return false;
}

static bool share_ok(const char *field, uint32_t ppb, uint32_t most, struct net_error *why)
{
	char value[32], wanted[48];

	if (ppb <= most)
		return true;
	snprintf(value, sizeof(value), "%.6g%%", ppb / 1e7);
	snprintf(wanted, sizeof(wanted), "0%% to %.6g%%", most / 1e7);
	return refuse(why, field, value, wanted);
}

static bool time_ok(const char *field, int64_t ns, int64_t most_ns, struct net_error *why)
{
	char value[32], wanted[48];

	if (ns >= 0 && ns <= most_ns)
		return true;
	snprintf(value, sizeof(value), "%.9gms", (double)ns / 1e6);
	snprintf(wanted, sizeof(wanted), "0 to %.9gms", (double)most_ns / 1e6);
	return refuse(why, field, value, wanted);
}

static bool count_ok(const char *field, uint64_t n, uint64_t least, uint64_t most,
		     struct net_error *why)
{
	char value[32], wanted[64];

	if (!n || (n >= least && n <= most))
		return true;
	snprintf(value, sizeof(value), "%" G_GUINT64_FORMAT, n);
	snprintf(wanted, sizeof(wanted), "%" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, least, most);
	return refuse(why, field, value, wanted);
}

static bool config_ok(const struct net_config *c, struct net_error *why)
{
	uint32_t most_loss = NET_PPB;

	if (c->loss_burst > 1)			/* the chain cannot enter the bad state more often */
		most_loss = (uint32_t)(NET_PPB * (uint64_t)c->loss_burst / (c->loss_burst + 1ull));
	if (c->path == NET_PATH_TABLE && !c->table)
		return refuse(why, "file", "missing", "a file of latencies for this model");
	return time_ok("latency", c->latency_ns, NET_LATENCY_MAX_NS, why) &&
	       time_ok("floor", c->floor_ns, NET_LATENCY_MAX_NS, why) &&
	       time_ok("reorder-by", c->reorder_by_ns, 15 * NET_LATENCY_MAX_NS, why) &&
	       share_ok("jitter", c->jitter_ppb, NET_PPB, why) &&
	       share_ok("asymmetry", c->asymmetry_ppb, NET_PPB, why) &&
	       share_ok("non-transitive", c->non_transitive_ppb, NET_PPB, why) &&
	       share_ok("loss", c->loss_ppb, most_loss, why) &&
	       share_ok("duplicate", c->duplicate_ppb, NET_PPB, why) &&
	       share_ok("reorder", c->reorder_ppb, NET_PPB, why) &&
	       share_ok("corrupt", c->corrupt_ppb, NET_PPB, why) &&
	       count_ok("loss-burst", c->loss_burst, 1, 1000000, why) &&
	       count_ok("mtu", c->mtu, MTU_LEAST, IP_BYTES_MAX, why) &&
	       count_ok("up", c->up_bps, RATE_LEAST, UINT64_MAX / 2, why) &&
	       count_ok("down", c->down_bps, RATE_LEAST, UINT64_MAX / 2, why) &&
	       count_ok("queue", c->queue_bytes, 1, QUEUE_MOST, why) &&
	       count_ok("regions", c->regions, 1, NET_REGIONS_MAX, why) &&
	       count_ok("lanes", c->lanes, 1, LANES_MAX, why);
}

/* -- birth and death --------------------------------------------------------------------------- */

/*
 * Gilbert's chain: each packet in the bad state is lost. It is left with 1 / mean
 * burst and entered so that the share of time in it is the loss (Gilbert 1960).
 */
static void chain_init(struct net *net)
{
	uint64_t burst = net->c.loss_burst, loss = net->c.loss_ppb;

	if (burst <= 1 || !loss)
		return;
	net->start_bad_ppb = loss;
	net->bad_good_ppb = NET_PPB / burst;
	net->good_bad_ppb = loss * NET_PPB / (burst * (NET_PPB - loss));
}

static void regions_init(struct net *net)
{
	const struct net_table *t = net->c.table;

	if (net->c.path == NET_PATH_TABLE && t->kind != KIND_POINTS) {
		net->row_region = regions_of_rows(t, net->c.regions);
	} else if (net->c.path == NET_PATH_TABLE) {
		net->regions = regions_of_points(t->x_ns, t->y_ns, t->rows, net->c.regions);
	} else if (net->c.path == NET_PATH_SYNTHETIC) {
		int32_t x[SAMPLE], y[SAMPLE];

		for (uint32_t i = 0; i < SAMPLE; i++) {
			struct synth_place p = synth_place(net->c.seed, i);

			x[i] = p.x_ns;
			y[i] = p.y_ns;
		}
		net->regions = regions_of_points(x, y, SAMPLE, net->c.regions);
	}
}

static guint link_hash(gconstpointer p)
{
	const struct link *l = p;
	uint64_t h = l->up_bps * 0x9e3779b97f4a7c15u ^ l->down_bps;

	h = h * 0xd2b74407b1ce6e93u ^ l->queue_bytes;
	return (guint)(h ^ h >> 32);
}

static gboolean link_equal(gconstpointer x, gconstpointer y)
{
	const struct link *a = x, *b = y;

	return a->up_bps == b->up_bps && a->down_bps == b->down_bps &&
	       a->queue_bytes == b->queue_bytes;
}

struct net *net_new(const struct net_config *c, struct net_error *why)
{
	struct net *net;

	if (!config_ok(c, why))
		return NULL;
	net = g_new0(struct net, 1);
	net->c = *c;
	if (!net->c.v4 && !net->c.v6)
		net->c.v4 = true;
	net->c.lanes = c->lanes ? c->lanes : 1;
	net->c.mtu = c->mtu ? c->mtu : MTU_DEFAULT;
	net->c.regions = c->regions ? c->regions : 1;
	net->links = g_array_new(FALSE, FALSE, sizeof(struct link));
	net->link_of = g_hash_table_new_full(link_hash, link_equal, g_free, NULL);
	net->pairs = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	net->tally = g_new0(struct tally, net->c.lanes);
	net_addresses_init(net);
	net_faults_init(net);
	chain_init(net);
	regions_init(net);
	return net;
}

void net_free(struct net *net)
{
	if (!net)
		return;
	net_addresses_done(net);
	net_faults_done(net);
	for (unsigned lane = 0; lane < net->c.lanes; lane++)
		g_free(net->tally[lane].touched);
	g_free(net->tally);
	g_array_free(net->links, TRUE);
	g_hash_table_destroy(net->link_of);
	g_hash_table_destroy(net->pairs);
	regions_free(net->regions);
	g_free(net->row_region);
	free(net->place);
	free(net->port);
	g_free(net);
}

/* -- interfaces -------------------------------------------------------------------------------- */

static int64_t queue_ns(uint64_t bps, uint32_t bytes)
{
	uint64_t held = bytes;

	if (!bps)
		return 0;
	if (!held) {
		held = bps / 80;		/* 100 ms worth */
		held = held < QUEUE_LEAST ? QUEUE_LEAST : held > QUEUE_MOST ? QUEUE_MOST : held;
	}
	return (int64_t)((net_u128)held * NET_BYTE_NS / bps);
}

static uint32_t link_find(struct net *net, uint64_t up_bps, uint64_t down_bps, uint32_t bytes)
{
	struct link l = {
		.up_bps = up_bps ? up_bps : net->c.up_bps,
		.down_bps = down_bps ? down_bps : net->c.down_bps,
		.queue_bytes = bytes ? bytes : net->c.queue_bytes,
	};
	gpointer known;
	uint32_t index;

	assert(!l.up_bps || l.up_bps >= RATE_LEAST);
	assert(!l.down_bps || l.down_bps >= RATE_LEAST);
	assert(l.queue_bytes <= QUEUE_MOST);
	if (g_hash_table_lookup_extended(net->link_of, &l, NULL, &known))
		return GPOINTER_TO_UINT(known);
	l.up_queue_ns = queue_ns(l.up_bps, l.queue_bytes);
	l.down_queue_ns = queue_ns(l.down_bps, l.queue_bytes);
	index = net->links->len;
	g_array_append_val(net->links, l);
	g_hash_table_insert(net->link_of, g_memdup2(&l, sizeof(l)), GUINT_TO_POINTER(index));
	return index;
}

static void seat(struct net *net, struct place *p, uint32_t where)
{
	const struct net_table *t = net->c.table;
	struct synth_place s;

	switch (net->c.path) {
	case NET_PATH_CONSTANT:
		p->row = where;
		p->region = (uint8_t)(where % net->c.regions);
		return;
	case NET_PATH_SYNTHETIC:
		s = synth_place(net->c.seed, where);
		p->row = where;
		p->x_ns = s.x_ns;
		p->y_ns = s.y_ns;
		p->access_ns = net->c.no_access_delay ? 0 : s.access_ns;
		p->region = (uint8_t)regions_find(net->regions, p->x_ns, p->y_ns);
		return;
	case NET_PATH_TABLE:
		p->row = where % t->rows;
		if (t->kind == KIND_POINTS) {
			p->x_ns = t->x_ns[p->row];
			p->y_ns = t->y_ns[p->row];
			p->region = (uint8_t)regions_find(net->regions, p->x_ns, p->y_ns);
		} else {
			p->region = net->row_region[p->row];
		}
	}
}

/* An array of @count for @room things, on cache lines of its own. */
static void *grown(void *old, uint32_t count, uint32_t room, size_t each)
{
	void *fresh = aligned_alloc(64, room * each);

	if (!fresh)
		g_error("no memory for %u interfaces", room);
	if (old)
		memcpy(fresh, old, count * each);
	free(old);
	return fresh;
}

uint32_t net_iface_add(struct net *net, const struct net_iface_config *c)
{
	uint32_t iface = net->ifaces;
	struct place p = { 0 };

	assert(iface + net->roamed < NET_PLAN);
	assert(c->access_ns >= 0 && c->access_ns <= NET_LATENCY_MAX_NS);
	if (iface == net->room) {
		net->room = net->room ? (net->room + net->room / 2) & ~1u : 64;
		net->place = grown(net->place, iface, net->room, sizeof(*net->place));
		net->port = grown(net->port, iface, net->room, sizeof(*net->port));
	}
	seat(net, &p, c->seated ? c->seat : iface);
	p.access_ns = (uint32_t)MIN(p.access_ns + c->access_ns, UINT32_MAX);
	p.link = link_find(net, c->up_bps, c->down_bps, c->queue_bytes);
	p.flags = (net->c.v4 ? PLACE_PLAN4 : 0) | (net->c.v6 ? PLACE_PLAN6 : 0);
	net->place[iface] = p;
	net->port[iface] = (struct port){ 0 };
	net->ifaces++;
	net_iface_mtu(net, iface, c->mtu);
	return iface;
}

uint32_t net_ifaces(const struct net *net)
{
	return net->ifaces;
}

void net_iface_up(struct net *net, uint32_t iface, bool up)
{
	assert(iface < net->ifaces);
	net->port[iface].down = !up;
}

void net_iface_mtu(struct net *net, uint32_t iface, uint32_t mtu)
{
	assert(iface < net->ifaces);
	assert(!mtu || (mtu >= MTU_LEAST && mtu <= IP_BYTES_MAX));
	net->place[iface].mtu = mtu ? mtu : net->c.mtu;
}

void net_iface_link(struct net *net, uint32_t iface, uint64_t up_bps, uint64_t down_bps,
		    uint32_t queue_bytes)
{
	assert(iface < net->ifaces);
	net->place[iface].link = link_find(net, up_bps, down_bps, queue_bytes);
}

unsigned net_region(const struct net *net, uint32_t iface)
{
	assert(iface < net->ifaces);
	return net->place[iface].region;
}

unsigned net_regions(const struct net *net)
{
	return net->c.regions;
}

void net_pair(struct net *net, uint32_t from, uint32_t to, const struct net_pair *pair)
{
	uint64_t key = (uint64_t)from << 32 | to;

	assert(from < net->ifaces && to < net->ifaces);
	if (!pair) {
		g_hash_table_remove(net->pairs, &key);
		return;
	}
	assert(pair->latency_ns >= 0 && pair->latency_ns <= NET_LATENCY_MAX_NS);
	assert(pair->loss_ppb <= NET_PPB);
	assert(!pair->mtu || (pair->mtu >= MTU_LEAST && pair->mtu <= IP_BYTES_MAX));
	g_hash_table_replace(net->pairs, g_memdup2(&key, sizeof(key)),
			     g_memdup2(pair, sizeof(*pair)));
	net->place[from].flags |= PLACE_PAIRED;
}

/* -- accounts ---------------------------------------------------------------------------------- */

uint64_t net_dropped(const struct net *net, enum net_drop d)
{
	uint64_t sum = 0;

	for (unsigned lane = 0; lane < net->c.lanes; lane++)
		sum += net->tally[lane].dropped[d];
	return sum;
}

uint64_t net_marked(const struct net *net, enum net_mark m)
{
	uint64_t sum = 0;

	for (unsigned lane = 0; lane < net->c.lanes; lane++)
		sum += net->tally[lane].marked[m];
	return sum;
}

uint64_t net_bytes(const struct net *net)
{
	uint64_t bytes = sizeof(*net) + net->c.lanes * sizeof(struct tally) +
			 (uint64_t)net->room * (sizeof(struct place) + sizeof(struct port));

	for (guint i = 0; i < net->faults->len; i++)
		bytes += sizeof(struct fault_state) +
			 g_array_index(net->faults, struct fault_state, i).count;
	return bytes;
}
