/*
 * Several nodes of one network on one LAN. Each tells the others that it is
 * there, by a beacon:
 *
 *	Ethernet	03:77:65:66:74:00 <- the node's own MAC, type 0x88b5
 *	"weft" 4 | version 1 | flags 1 | network 16 | node 16 | count 8 | tag 16
 *
 * The tag is BLAKE2b-128 of all before it under the network's group key: other
 * networks and strangers on the LAN are not listened to. Of the routers that
 * hear each other the one with the lowest id serves the LAN: it floods,
 * answers and claims; the others are silent there and let their guests'
 * addresses go. A newcomer is answered at once, so that two serve together for
 * one round trip of the LAN at most.
 *
 * Loops are impossible all the same. What a router floods leaves under the
 * network's one MAC, which every node of the network refuses as its own; a
 * broadcast whose origin is on our LAN is not flooded a second time
 * (lan_neighbour()); and origin and sequence let each through but once.
 *
 * Hybrids serve their own host, each for itself, and need to know only who
 * else is on the LAN.
 */
#include <sodium.h>

#include "core/vnet/parts.h"

enum {
	BEACON_VERSION	= 1,
	BEACON_BYE	= 1 << 0,	/* flag: gone in a moment */
	BEACON_TAG	= 16,
	BEACON_BODY	= 4 + 1 + 1 + 16 + 16 + 8,
	NEIGHBOURS_MAX	= 32,
};

#define BEACON_NS	(5 * NS_PER_S)
#define GONE_NS		(17 * NS_PER_S)		/* three beacons and a bit */
#define ANSWER_NS	(NS_PER_S / 2)		/* newcomers are answered no more often than this */

struct neighbour {
	struct id id;
	int64_t heard_ns;
	uint64_t count;			/* of its last beacon; older ones are replays */
};

struct vnet_lan {
	struct neighbour at[NEIGHBOURS_MAX];
	unsigned neighbours;
	uint64_t count;
	int64_t next_ns, sent_ns;
	bool serves;
};

static const uint8_t beacon_mac[MAC_BYTES] = { 0x03, 'w', 'e', 'f', 't', 0 };

bool lan_serves(const struct vnet *v)
{
	return !v->lan || v->lan->serves;
}

bool lan_neighbour(const struct vnet *v, struct id node)
{
	for (unsigned i = 0; v->lan && i < v->lan->neighbours; i++)
		if (id_eq(v->lan->at[i].id, node))
			return true;
	return false;
}

static void tag_of(const struct vnet *v, uint8_t tag[BEACON_TAG], const uint8_t *body)
{
	crypto_generichash_blake2b(tag, BEACON_TAG, body, BEACON_BODY, v->net->secret, sizeof(v->net->secret));
}

static void say(struct vnet *v, struct env *e, uint8_t flags)
{
	uint8_t buf[ETH_HEADER + BEACON_BODY + BEACON_TAG], tag[BEACON_TAG];
	struct writer w = writer_of(buf, sizeof(buf));

	build_eth(&w, beacon_mac, v->own_mac, TYPE_BEACON);
	write_copy(&w, "weft", 4);
	write_u8(&w, BEACON_VERSION);
	write_u8(&w, flags);
	write_id(&w, v->id);
	write_id(&w, v->self);
	write_u64(&w, ++v->lan->count);
	tag_of(v, tag, buf + ETH_HEADER);
	write_copy(&w, tag, sizeof(tag));
	edge_out(v, e, &w, NULL);
	v->lan->sent_ns = e->now_ns;
}

/* Who serves? Everything that follows from a change. */
static void review(struct vnet *v, struct env *e)
{
	struct vnet_lan *l = v->lan;
	bool serves = true;

	for (unsigned i = 0; i < l->neighbours && v->net->model == MODEL_ROUTER; i++)
		serves = serves && id_less(v->self, l->at[i].id);
	if (serves == l->serves)
		return;
	l->serves = serves;
	if (!serves) {
		guest_passive(v, e);
		return;
	}
	arp_announce(v, e);			/* the network's MAC is behind another port now */
	if (v->gateway6.family)
		nd_advertise(v, e, NULL, NULL);
}

static void neighbour_out(struct vnet *v, struct env *e, unsigned i)
{
	struct vnet_lan *l = v->lan;
	struct id id = l->at[i].id;

	l->neighbours--;
	memmove(&l->at[i], &l->at[i + 1], (l->neighbours - i) * sizeof(l->at[0]));
	review(v, e);
	env_record(e, RECORD_LAN, id, 0, l->serves);
}

void lan_start(struct vnet *v, struct env *e)
{
	if (v->net->model == MODEL_INTERFACE || v->lan)
		return;				/* nobody else behind this tap */
	v->lan = mem_get(&e->mem, sizeof(*v->lan));
	if (!v->lan) {
		env_drop(e, DROP_MEMORY);
		return;
	}
	v->lan->serves = true;
	v->lan->count = (uint64_t)e->now_ns / NS_PER_MS << 16;	/* grows over restarts while the host's clock does */
	v->lan->next_ns = e->now_ns;
	vnet_due(v, e, PART_LAN, v->lan->next_ns);
}

static enum drop beacon_read(const struct vnet *v, const struct packet *p, struct id *from, uint64_t *count, uint8_t *flags)
{
	struct reader r = reader_of(p->l3.at, p->l3.len);
	const uint8_t *magic = read_take(&r, 4), *tag;
	uint8_t version = read_u8(&r), right[BEACON_TAG];
	struct id network;

	*flags = read_u8(&r);
	network = read_id(&r);
	*from = read_id(&r);
	*count = read_u64(&r);
	tag = read_take(&r, BEACON_TAG);
	if (!tag)
		return DROP_SHORT;
	if (memcmp(magic, "weft", 4))
		return DROP_ETHERTYPE;
	if (version != BEACON_VERSION)
		return DROP_VERSION;
	if (!id_eq(network, v->id))
		return DROP_OVERLAY;
	tag_of(v, right, p->l3.at);
	if (memcmp(tag, right, BEACON_TAG))
		return DROP_SEAL;
	return id_eq(*from, v->self) ? DROP_SELF : DROP_NONE;
}

static void came(struct vnet *v, struct env *e, struct id from, uint64_t count)
{
	struct vnet_lan *l = v->lan;

	if (l->neighbours == NEIGHBOURS_MAX) {
		env_drop(e, DROP_FULL);
		return;
	}
	l->at[l->neighbours++] = (struct neighbour){ from, e->now_ns, count };
	review(v, e);
	env_record(e, RECORD_LAN, from, 1, l->serves);
	if (e->now_ns - l->sent_ns >= ANSWER_NS)
		say(v, e, 0);
	else
		vnet_due(v, e, PART_LAN, l->next_ns = l->sent_ns + ANSWER_NS);
}

void lan_beacon(struct vnet *v, struct env *e, const struct packet *p)
{
	struct vnet_lan *l = v->lan;
	uint64_t count = 0;
	uint8_t flags = 0;
	struct id from;
	enum drop why;
	unsigned i = 0;

	if (!l) {
		env_drop(e, DROP_ETHERTYPE);
		return;
	}
	why = beacon_read(v, p, &from, &count, &flags);
	if (why != DROP_NONE) {
		env_drop(e, why);
		return;
	}
	while (i < l->neighbours && !id_eq(l->at[i].id, from))
		i++;
	if (i == l->neighbours) {
		if (!(flags & BEACON_BYE))
			came(v, e, from, count);
		return;
	}
	if (count <= l->at[i].count) {
		env_drop(e, DROP_REPLAY);
		return;
	}
	l->at[i].heard_ns = e->now_ns;
	l->at[i].count = count;
	if (flags & BEACON_BYE)
		neighbour_out(v, e, i);
}

void lan_timer(struct vnet *v, struct env *e)
{
	struct vnet_lan *l = v->lan;
	unsigned i = 0;

	if (!l)
		return;
	while (i < l->neighbours) {
		if (e->now_ns - l->at[i].heard_ns < GONE_NS)
			vnet_due(v, e, PART_LAN, l->at[i++].heard_ns + GONE_NS);
		else
			neighbour_out(v, e, i);
	}
	if (l->next_ns <= e->now_ns) {
		say(v, e, 0);
		l->next_ns = e->now_ns + random_around(&e->random, BEACON_NS);
	}
	vnet_due(v, e, PART_LAN, l->next_ns);
}

void lan_leave(struct vnet *v, struct env *e)
{
	if (v->lan)
		say(v, e, BEACON_BYE);
}

void lan_done(struct vnet *v, struct env *e)
{
	mem_put(&e->mem, v->lan, sizeof(*v->lan));
	v->lan = NULL;
}

uint32_t lan_bytes(const struct vnet *v)
{
	return v->lan ? sizeof(*v->lan) : 0;
}
