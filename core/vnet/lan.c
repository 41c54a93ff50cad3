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
 * answers and claims. README.md argues why never two of them do:
 *
 *	LISTENING	after a start, a resume, or when our beacons did not go out for
 *			long: asks who is here, and serves nobody for LISTEN_NS
 *	passive		somebody lower is here, or somebody still serves: what guests
 *			say to everybody is not for us. Addresses we hold stay ours until
 *			who serves asks for them (migrate.c)
 *	serving		says so in every beacon. Who hears a lower one that has listened
 *			stops, and says so; the lower one begins when all have said so
 *
 * Who serves may do so for SURE_NS after its last beacon only, and others wait
 * GONE_NS before they take its place: longer.
 *
 * What is for everybody reaches each node by itself, so it may come to us
 * after we have taken over, though the one before us has flooded it. A passive node
 * therefore remembers what it saw flooded (frames under the network's MAC that it did
 * not send) and has not got itself.
 *
 * Hybrids serve their own host, each for itself, and need to know only who
 * else is on the LAN.
 */
#include <sodium.h>

#include "core/vnet/parts.h"

enum {
	BEACON_VERSION	= 1,
	BEACON_BYE	= 1 << 0,	/* flag: gone in a moment */
	BEACON_ASKS	= 1 << 1,	/* flag: listening, who is here? */
	BEACON_SERVES	= 1 << 2,	/* flag: serves the LAN */
	BEACON_TAG	= 16,
	BEACON_BODY	= 4 + 1 + 1 + 16 + 16 + 8,
	NEIGHBOURS_MAX	= 32,
	FLOODS		= 64,
};

#define BEACON_NS	(5 * NS_PER_S)
#define GONE_NS		(17 * NS_PER_S)		/* three beacons and a bit */
#define SURE_NS		(12 * NS_PER_S)		/* we may serve for so long after a beacon */
#define ANSWER_NS	(NS_PER_S / 10)		/* newcomers are answered no more often than this */
#define LISTEN_NS	(3 * NS_PER_S / 10)	/* time for all to answer, twice */
#define LINGER_NS	(60 * NS_PER_S)		/* what it sent out may still be under way */
#define FLOODED_NS	(10 * NS_PER_S)

struct neighbour {
	struct id id;
	int64_t heard_ns;
	uint64_t count;			/* of its last beacon; older ones are replays */
	uint8_t flags;			/* of its last beacon */
	bool gone;			/* said goodbye, or silent for long; forgotten after LINGER_NS */
};

/** struct flood - a packet for everybody that came one way and not the other */
struct flood {
	uint64_t hash;
	int64_t at_ns;			/* 0 = free */
	bool seen;			/* on the LAN; else we got it and were not to flood it */
};

struct vnet_lan {
	struct neighbour at[NEIGHBOURS_MAX];
	unsigned neighbours;
	uint64_t count;
	int64_t next_ns, sent_ns;
	int64_t listen_ns;		/* LISTENING until then; 0 = not */
	bool serves;
	struct flood flood[FLOODS];
	unsigned floods;		/* so far; the next takes the oldest one's place */
};

static const uint8_t beacon_mac[MAC_BYTES] = { 0x03, 'w', 'e', 'f', 't', 0 };

bool lan_serves(const struct vnet *v, const struct env *e)
{
	return !v->lan || v->net->model != MODEL_ROUTER || (v->lan->serves && e->now_ns - v->lan->sent_ns < SURE_NS);
}

bool lan_neighbour(const struct vnet *v, struct id node)
{
	for (unsigned i = 0; v->lan && i < v->lan->neighbours; i++)
		if (id_eq(v->lan->at[i].id, node))
			return true;
	return false;
}

bool lan_server(const struct vnet *v, struct id node)
{
	for (unsigned i = 0; v->lan && i < v->lan->neighbours; i++)
		if (id_eq(v->lan->at[i].id, node))
			return !v->lan->at[i].gone && v->lan->at[i].flags & BEACON_SERVES;
	return false;
}

/* ---- floods that came one way ---- */

static uint64_t hash_of(struct bytes ip)
{
	uint64_t h = 0xcbf29ce484222325u;		/* FNV-1a */

	for (size_t i = 0; i < ip.len; i++)
		h = (h ^ ip.at[i]) * 0x100000001b3u;
	return h;
}

/* The same packet was met the other way: that one is dealt with. */
static bool flood_pair(struct vnet_lan *l, const struct env *e, uint64_t hash, bool seen)
{
	for (unsigned i = 0; i < FLOODS; i++) {
		struct flood *f = &l->flood[i];

		if (!f->at_ns || f->hash != hash || f->seen != seen || e->now_ns - f->at_ns > FLOODED_NS)
			continue;
		f->at_ns = 0;
		return true;
	}
	return false;
}

static void flood_note(struct vnet_lan *l, const struct env *e, uint64_t hash, bool seen)
{
	if (!flood_pair(l, e, hash, !seen))
		l->flood[l->floods++ % FLOODS] = (struct flood){ hash, e->now_ns + !e->now_ns, seen };
}

void lan_seen(struct vnet *v, struct env *e, struct bytes ip)
{
	if (v->lan && v->net->model == MODEL_ROUTER && !lan_serves(v, e))
		flood_note(v->lan, e, hash_of(ip), true);
}

enum drop lan_flood(struct vnet *v, struct env *e, struct bytes ip)
{
	struct vnet_lan *l = v->lan;

	if (!lan_serves(v, e)) {
		flood_note(l, e, hash_of(ip), false);
		return DROP_PASSIVE;
	}
	if (l && l->listen_ns)
		return DROP_PASSIVE;
	return l && l->floods && flood_pair(l, e, hash_of(ip), true) ? DROP_DUPLICATE : DROP_NONE;
}

/* ---- beacons ---- */

static void tag_of(const struct vnet *v, uint8_t tag[BEACON_TAG], const uint8_t *body)
{
	crypto_generichash_blake2b(tag, BEACON_TAG, body, BEACON_BODY, v->net->secret, sizeof(v->net->secret));
}

static void say(struct vnet *v, struct env *e, uint8_t flags)
{
	uint8_t all = (uint8_t)(flags | (v->lan->listen_ns ? BEACON_ASKS : 0) | (v->lan->serves ? BEACON_SERVES : 0));
	uint8_t buf[ETH_HEADER + BEACON_BODY + BEACON_TAG], tag[BEACON_TAG];
	struct writer w = writer_of(buf, sizeof(buf));

	build_eth(&w, beacon_mac, v->own_mac, TYPE_BEACON);
	write_copy(&w, "weft", 4);
	write_u8(&w, BEACON_VERSION);
	write_u8(&w, all);
	write_id(&w, v->id);
	write_id(&w, v->self);
	write_u64(&w, ++v->lan->count);
	tag_of(v, tag, buf + ETH_HEADER);
	write_copy(&w, tag, sizeof(tag));
	edge_out(v, e, &w, NULL);
	v->lan->sent_ns = e->now_ns;
}

/* May we serve? All that are here are higher, and none of them serves; we go on while a lower one listens. */
static bool our_turn(const struct vnet *v)
{
	const struct vnet_lan *l = v->lan;
	bool ours = !l->listen_ns;

	for (unsigned i = 0; i < l->neighbours; i++) {
		const struct neighbour *n = &l->at[i];

		if (n->gone)
			continue;
		if (n->flags & BEACON_SERVES && !l->serves)
			ours = false;
		if (id_less(n->id, v->self) && (!(n->flags & BEACON_ASKS) || !l->serves))
			ours = false;
	}
	return ours;
}

/* Who serves? Everything that follows from a change. */
static void review(struct vnet *v, struct env *e)
{
	struct vnet_lan *l = v->lan;
	bool serves = v->net->model != MODEL_ROUTER || our_turn(v);

	if (serves == l->serves)
		return;
	l->serves = serves;
	say(v, e, 0);				/* who waits for us begins, who would wait does not */
	if (!serves) {
		guest_passive(v, e);
		return;
	}
	arp_announce(v, e);			/* the network's MAC is behind another port now */
	if (v->gateway6.family)
		nd_advertise(v, e, NULL, NULL);
}

static void listen_first(struct vnet *v, struct env *e)
{
	struct vnet_lan *l = v->lan;

	l->serves = v->net->model != MODEL_ROUTER;
	l->listen_ns = e->now_ns + LISTEN_NS;
	l->next_ns = e->now_ns;
	vnet_due(v, e, PART_LAN, l->next_ns);
}

static void neighbour_out(struct vnet *v, unsigned i)
{
	struct vnet_lan *l = v->lan;

	l->neighbours--;
	memmove(&l->at[i], &l->at[i + 1], (l->neighbours - i) * sizeof(l->at[0]));
}

static void neighbour_gone(struct vnet *v, struct env *e, unsigned i)
{
	struct id id = v->lan->at[i].id;

	v->lan->at[i].gone = true;
	review(v, e);
	env_record(e, RECORD_LAN, id, 0, v->lan->serves);
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
	v->lan->count = (uint64_t)e->now_ns / NS_PER_MS << 16;	/* grows over restarts while the host's clock does */
	v->lan->sent_ns = INT64_MIN / 2;
	listen_first(v, e);
}

void lan_resumed(struct vnet *v, struct env *e)
{
	if (v->lan)
		listen_first(v, e);
}

void lan_speak(struct vnet *v, struct env *e)
{
	if (v->lan && e->now_ns - v->lan->sent_ns > SURE_NS)
		say(v, e, 0);
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

/* Somebody asks, or is new here: it hears us, soon. */
static void heard_soon(struct vnet *v, struct env *e)
{
	struct vnet_lan *l = v->lan;

	if (e->now_ns - l->sent_ns >= ANSWER_NS)
		say(v, e, 0);
	else
		vnet_due(v, e, PART_LAN, l->next_ns = l->sent_ns + ANSWER_NS);
}

static struct neighbour *came(struct vnet *v, struct env *e, struct id from)
{
	struct vnet_lan *l = v->lan;

	for (unsigned i = 0; l->neighbours == NEIGHBOURS_MAX && i < l->neighbours; i++)
		if (l->at[i].gone)
			neighbour_out(v, i);
	if (l->neighbours == NEIGHBOURS_MAX) {
		env_drop(e, DROP_FULL);
		return NULL;
	}
	l->at[l->neighbours] = (struct neighbour){ .id = from, .gone = true };
	return &l->at[l->neighbours++];
}

void lan_beacon(struct vnet *v, struct env *e, const struct packet *p)
{
	struct vnet_lan *l = v->lan;
	struct neighbour *n = NULL;
	uint64_t count = 0;
	uint8_t flags = 0;
	struct id from;
	enum drop why;
	bool fresh;

	if (!l) {
		env_drop(e, DROP_ETHERTYPE);
		return;
	}
	why = beacon_read(v, p, &from, &count, &flags);
	if (why != DROP_NONE) {
		env_drop(e, why);
		return;
	}
	for (unsigned i = 0; i < l->neighbours; i++)
		if (id_eq(l->at[i].id, from))
			n = &l->at[i];
	if (n && count <= n->count && !n->gone) {	/* who was gone may have come back without its clock */
		env_drop(e, DROP_REPLAY);
		return;
	}
	if (flags & BEACON_BYE) {
		if (n && !n->gone)
			neighbour_gone(v, e, (unsigned)(n - l->at));
		return;
	}
	n = n ? n : came(v, e, from);
	if (!n)
		return;
	fresh = n->gone;
	n->gone = false;
	n->heard_ns = e->now_ns;
	n->count = count;
	n->flags = flags;
	vnet_due(v, e, PART_LAN, n->heard_ns + GONE_NS);
	review(v, e);
	if (fresh)
		env_record(e, RECORD_LAN, from, 1, l->serves);
	if (fresh || flags & BEACON_ASKS)
		heard_soon(v, e);
}

void lan_timer(struct vnet *v, struct env *e)
{
	struct vnet_lan *l = v->lan;
	unsigned i = 0;

	if (!l)
		return;
	if (l->serves && v->net->model == MODEL_ROUTER && e->now_ns - l->sent_ns >= SURE_NS)
		listen_first(v, e);			/* we stood still, and somebody else may serve by now */
	while (i < l->neighbours) {
		struct neighbour *n = &l->at[i];

		if (!n->gone && e->now_ns - n->heard_ns >= GONE_NS)
			neighbour_gone(v, e, i);
		if (n->gone && e->now_ns - n->heard_ns >= GONE_NS + LINGER_NS) {
			neighbour_out(v, i);
			continue;
		}
		vnet_due(v, e, PART_LAN, n->heard_ns + GONE_NS + (n->gone ? LINGER_NS : 0));
		i++;
	}
	if (l->listen_ns && l->listen_ns <= e->now_ns) {
		l->listen_ns = 0;
		l->next_ns = e->now_ns;
		review(v, e);
	}
	if (l->next_ns <= e->now_ns) {
		if (l->sent_ns != e->now_ns)	/* else said on the way */
			say(v, e, 0);
		l->next_ns = e->now_ns + (l->listen_ns ? LISTEN_NS / 2 : random_around(&e->random, BEACON_NS));
	}
	if (l->listen_ns && l->listen_ns < l->next_ns)
		vnet_due(v, e, PART_LAN, l->listen_ns);
	vnet_due(v, e, PART_LAN, l->next_ns);
}

void lan_leave(struct vnet *v, struct env *e)
{
	if (!v->lan)
		return;
	v->lan->serves = false;			/* somebody else does as soon as it hears this */
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
