/*
 * Who is behind the tap. One entry for each address of each machine, in the
 * order they came; a few dozen at most where it matters, so finding is walking.
 *
 * An address used without asking is claimed: CLAIMING until held_want() says
 * how it ended, then OURS or REFUSED. A refused one is asked for again while
 * its machine keeps using it, because what was somebody else's may be free by
 * then. What the DHT could not decide (no majority, nobody answered) is asked
 * again sooner, each time later.
 *
 * A machine that was not heard for a minute is probed, by ARP or neighbour
 * solicitation; one that answers none of three probes is forgotten and its
 * static address released. A lease of DHCP is dhcp.c's to give up: a sleeping
 * guest has a right to its term.
 */
#include "core/vnet/parts.h"

#define QUIET_NS	(60 * NS_PER_S)		/* heard from: no need to probe */
#define PROBE_NS	(1 * NS_PER_S)		/* between probes, doubling */
#define SLEEPER_NS	(300 * NS_PER_S)	/* a leased guest that did not answer is probed again */
#define AGAIN_NS	(1 * NS_PER_S)		/* an undecided claim is asked again, doubling ... */
#define AGAIN_MAX_NS	(60 * NS_PER_S)		/* ... up to this */
#define REFUSED_NS	(30 * NS_PER_S)		/* a refused claim is asked again, if the address is still in use */
#define LOOK_NS		(4 * NS_PER_S)		/* the resolver says by then who serves an address */
#define HELD_ON_NS	(600 * NS_PER_S)	/* of a LAN that another node serves: not heard, and not asked for */
#define FORGET_NS	(600 * NS_PER_S)	/* machines without an address, link-local addresses */

enum { PROBES = 3, LEARN_PER_S = 10, LEARN_BURST = 64 };

struct guest *guest_find(struct vnet *v, const struct ip *ip)
{
	for (unsigned i = 0; i < v->guests; i++)
		if (ip_eq(&v->guest[i].ip, ip))
			return &v->guest[i];
	return NULL;
}

struct guest *guest_mac(struct vnet *v, const uint8_t mac[MAC_BYTES])
{
	for (unsigned i = 0; i < v->guests; i++)
		if (mac_eq(v->guest[i].mac, mac))
			return &v->guest[i];
	return NULL;
}

bool guest_may(const struct vnet *v, const uint8_t mac[MAC_BYTES])
{
	if (mac_group(mac) || mac_eq(mac, v->mac) || mac_eq(mac, v->own_mac))
		return false;
	return v->net->model != MODEL_HYBRID || mac_eq(mac, v->net->mac);
}

/* The finalizer of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014) over the 48 bits: one to one, well spread. */
uint64_t guest_client(const uint8_t mac[MAC_BYTES])
{
	uint64_t x = 0;

	for (int i = 0; i < MAC_BYTES; i++)
		x = x << 8 | mac[i];
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static bool leaf(const struct vnet *v, struct cert *c)
{
	struct reader r = reader_of(v->net->identity->chain, v->net->identity->chain_len);

	return cert_decode(&r, c) == FAULT_NONE;
}

bool guest_fixed(const struct vnet *v, const struct ip *ip)
{
	struct prefix p;
	struct cert c;
	size_t at = 0;

	if (!network_reserved(v->record, ip) || !leaf(v, &c))
		return false;
	while (cert_prefix(&c, &at, &p)) {
		struct ip_range r = { .ip = ip_of_bytes(p.family, p.addr), .bits = p.bits };

		if (ip_in(ip, &r))
			return true;
	}
	return false;
}

bool guest_fixed_at(const struct vnet *v, unsigned i, struct ip *out)
{
	struct prefix p;
	struct cert c;
	size_t at = 0;

	if (!leaf(v, &c))
		return false;
	while (cert_prefix(&c, &at, &p)) {
		struct ip a = ip_of_bytes(p.family, p.addr);

		if (p.bits != (p.family == 4 ? 32 : 128) || !network_reserved(v->record, &a))
			continue;
		if (i--)
			continue;
		*out = a;
		return true;
	}
	return false;
}

/* ---- the table ---- */

static void owned(struct vnet *v, struct env *e, const struct ip *ip, bool ours)
{
	path_owned(v, e, ip, ours);
	dns_owned(v, e, ip, ours);
}

static void take_out(struct vnet *v, struct guest *g)
{
	unsigned i = (unsigned)(g - v->guest);

	v->guests--;
	memmove(g, g + 1, (v->guests - i) * sizeof(*g));
}

/* A place is given up for a new entry if what stands there is worth nothing: the one not heard for longest. */
static bool make_room(struct vnet *v, const struct env *e)
{
	struct guest *worst = NULL;

	for (unsigned i = 0; i < v->guests; i++) {
		struct guest *g = &v->guest[i];

		if (g->how != GUEST_SEEN && g->how != GUEST_LINK && g->state != GUEST_REFUSED)
			continue;
		if (e->now_ns - g->heard_ns > QUIET_NS && (!worst || g->heard_ns < worst->heard_ns))
			worst = g;
	}
	if (!worst)
		return false;
	take_out(v, worst);
	return true;
}

static struct guest *put_in(struct vnet *v, struct env *e, const uint8_t mac[MAC_BYTES], const struct ip *ip,
			    enum guest_how how)
{
	unsigned same = 0;
	struct guest *g;

	for (unsigned i = 0; i < v->guests; i++)
		same += mac_eq(v->guest[i].mac, mac);
	if (same >= GUEST_PER_MAC || (v->guests == GUESTS_MAX && !make_room(v, e))) {
		env_drop(e, DROP_FULL);
		return NULL;
	}
	if (v->guests == v->guest_cap) {
		uint16_t want = v->guest_cap ? (uint16_t)(v->guest_cap * 2) : 2;

		if (!mem_grow(&e->mem, &v->guest, &v->guest_cap, want, sizeof(*v->guest))) {
			env_drop(e, DROP_MEMORY);
			return NULL;
		}
	}
	g = &v->guest[v->guests++];
	*g = (struct guest){ .ip = *ip, .how = (uint8_t)how, .state = GUEST_OURS, .heard_ns = e->now_ns,
			     .since_ns = e->now_ns, .again_ns = e->now_ns + QUIET_NS };
	memcpy(g->mac, mac, MAC_BYTES);
	vnet_due(v, e, PART_EDGE, g->again_ns);
	return g;
}

/* Its entry merely as a machine is no longer needed once it has an address. */
static void unsee(struct vnet *v, const uint8_t mac[MAC_BYTES])
{
	for (unsigned i = 0; i < v->guests; i++) {
		if (v->guest[i].how != GUEST_SEEN || !mac_eq(v->guest[i].mac, mac))
			continue;
		take_out(v, &v->guest[i]);
		return;
	}
}

static void later(struct vnet *v, struct env *e, struct guest *g, int64_t in_ns)
{
	g->again_ns = e->now_ns + in_ns;
	vnet_due(v, e, PART_EDGE, g->again_ns);
}

/* ---- static addresses ---- */

static void refused(struct vnet *v, struct env *e, struct guest *g, uint8_t verdict)
{
	g->state = GUEST_REFUSED;
	env_record(e, RECORD_LEASE_REFUSED, vnet_address(&g->ip), verdict, g->how);
	if (g->ip.family == 4)
		arp_conflict(v, e, &g->ip, g->mac);
	else
		nd_conflict(v, e, &g->ip);
	later(v, e, g, REFUSED_NS);
}

static void granted(struct vnet *v, struct env *e, struct guest *g)
{
	struct ip ip = g->ip;

	g->state = GUEST_OURS;
	g->move = MOVE_NONE;
	g->probes = 0;
	env_record(e, RECORD_LEASED, vnet_address(&ip), (uint64_t)((e->now_ns - g->since_ns) / NS_PER_MS), g->how);
	later(v, e, g, QUIET_NS);
	owned(v, e, &ip, true);
}

/* Whose the lease of a static address is */
static uint64_t client_of(const struct guest *g)
{
	return guest_client(g->mac) + ip_low(&g->ip);
}

/* Nobody serves it, as far as we know. */
static void create(struct vnet *v, struct env *e, struct guest *g)
{
	g->move = MOVE_NONE;
	g->claim = ++v->claims;
	if (!held_want(v->ports.dht, e, vnet_user(v), COOKIE(ASKER_STATIC, g->claim), v->id, &g->ip,
		       client_of(g), v->record->term_s, true))
		later(v, e, g, AGAIN_NS);
	else
		g->again_ns = INT64_MAX;	/* news will come */
}

/* @owner serves it: has the machine come from there? That node knows. */
static void take(struct vnet *v, struct env *e, struct guest *g, const struct served *by)
{
	g->move = MOVE_TAKING;
	g->claim = ++v->claims;
	migrate_meet(v, e, by->owner);
	if (!held_take(v->ports.dht, e, vnet_user(v), COOKIE(ASKER_STATIC, g->claim), v->id, &g->ip,
		       client_of(g), by))
		later(v, e, g, AGAIN_NS);
	else
		g->again_ns = INT64_MAX;
}

static void create_or_take(struct vnet *v, struct env *e, struct guest *g, bool served)
{
	struct served by;

	if (served && path_owner(v, e, &g->ip, &by))
		take(v, e, g, &by);
	else
		create(v, e, g);
}

static void claim(struct vnet *v, struct env *e, struct guest *g)
{
	enum found found;

	g->state = GUEST_CLAIMING;
	if (guest_fixed(v, &g->ip)) {
		g->how = GUEST_FIXED;
		granted(v, e, g);
		return;
	}
	if (!network_leasable(v->record, &g->ip)) {
		refused(v, e, g, VERDICT_DENIED);
		return;
	}
	if (held_believes(v->ports.dht, e, v->id, &g->ip, NULL)) {
		held_keep(v->ports.dht, e, v->id, &g->ip, true);	/* of an earlier life, or by DHCP */
		granted(v, e, g);
		return;
	}
	found = g->move == MOVE_LOOKING ? FOUND_NO : path_claim(v, e, &g->ip, client_of(g));
	if (found == FOUND_ASKED) {
		g->move = MOVE_LOOKING;
		later(v, e, g, LOOK_NS);
	} else {
		create_or_take(v, e, g, found == FOUND_YES);
	}
}

void guest_resolved(struct vnet *v, struct env *e, const struct ip *ip, bool found)
{
	struct guest *g = guest_find(v, ip);

	if (g && g->state == GUEST_CLAIMING && g->move == MOVE_LOOKING)
		create_or_take(v, e, g, found);
}

/* Somebody else than the machine we know uses its address: whoever was there first is asked whether it still is. */
static void contested(struct vnet *v, struct env *e, struct guest *g)
{
	env_drop(e, DROP_SPOOFED);
	if (g->probes || g->how == GUEST_SEEN || g->state != GUEST_OURS)
		return;
	g->probes = 1;
	if (g->ip.family == 4)
		arp_probe(v, e, &g->ip, g->mac);
	else
		nd_probe(v, e, &g->ip, g->mac);
	later(v, e, g, PROBE_NS);
}

static struct guest *learn(struct vnet *v, struct env *e, const uint8_t mac[MAC_BYTES], const struct ip *ip)
{
	bool link = ip_link_local(ip);
	struct guest *g;

	if (ip->family && !link && (!vnet_in(v, ip) || vnet_gateway(v, ip) || ip_broadcast(ip, &v->record->range4))) {
		env_drop(e, vnet_gateway(v, ip) ? DROP_SPOOFED : DROP_ABROAD);
		return NULL;
	}
	if (!bucket_take(&v->learned, e, LEARN_PER_S, LEARN_BURST)) {
		env_drop(e, DROP_RATE);
		return NULL;
	}
	if (ip->family)
		unsee(v, mac);
	g = put_in(v, e, mac, ip, !ip->family ? GUEST_SEEN : link ? GUEST_LINK : GUEST_STATIC);
	if (g && g->how == GUEST_STATIC)
		claim(v, e, g);
	return g;
}

bool guest_probed(struct vnet *v, struct env *e, const uint8_t mac[MAC_BYTES], const struct ip *ip)
{
	const struct guest *g = guest_find(v, ip);

	if (!network_leasable(v->record, ip) || !guest_may(v, mac))
		return false;
	if (!g)
		g = learn(v, e, mac, ip);
	return g && mac_eq(g->mac, mac) && g->state == GUEST_CLAIMING;
}

void guest_seen(struct vnet *v, const struct env *e, const struct packet *p)
{
	struct guest *g = guest_find(v, &p->src);

	if (g && mac_eq(g->mac, p->mac_from))
		g->heard_ns = e->now_ns;
}

struct guest *guest_heard(struct vnet *v, struct env *e, const uint8_t mac[MAC_BYTES], const struct ip *ip)
{
	struct guest *g;

	if (!guest_may(v, mac)) {
		env_drop(e, DROP_FOREIGN);
		return NULL;
	}
	g = ip->family ? guest_find(v, ip) : guest_mac(v, mac);
	if (!g)
		return learn(v, e, mac, ip);
	if (!mac_eq(g->mac, mac)) {
		contested(v, e, g);
		return NULL;
	}
	g->heard_ns = e->now_ns;
	if (g->state == GUEST_OURS)
		g->probes = 0;
	return g;
}

bool guest_leased(struct vnet *v, struct env *e, const uint8_t mac[MAC_BYTES], const struct ip *ip)
{
	struct guest *g = guest_find(v, ip);
	bool was = g && g->how == GUEST_LEASED;

	if (!g) {
		unsee(v, mac);
		g = put_in(v, e, mac, ip, GUEST_LEASED);
	}
	if (!g)
		return false;
	memcpy(g->mac, mac, MAC_BYTES);
	g->how = GUEST_LEASED;
	g->state = GUEST_OURS;
	g->claim = 0;
	g->probes = 0;
	g->heard_ns = e->now_ns;
	later(v, e, g, QUIET_NS);
	if (!was)
		owned(v, e, ip, true);
	return true;
}

void guest_gone(struct vnet *v, struct env *e, const struct ip *ip)
{
	struct guest *g = guest_find(v, ip);
	bool ours = g && g->state == GUEST_OURS && g->how != GUEST_LINK;

	if (!g)
		return;
	take_out(v, g);
	if (ours)
		owned(v, e, ip, false);
}

/* A static (or fixed) address of a machine that left: not believed any more, and given back. */
static void forget(struct vnet *v, struct env *e, struct guest *g)
{
	struct ip ip = g->ip;

	if (g->how == GUEST_STATIC && g->state != GUEST_REFUSED)
		held_release(v->ports.dht, e, v->id, &ip, 0);
	guest_gone(v, e, &ip);
}

/* ---- what happened ---- */

/* A lease of an earlier life, or of a machine forgotten meanwhile: kept only if somebody still uses the address. */
static void orphaned(struct vnet *v, struct env *e, const struct held_news *n)
{
	const struct ip *ip = &n->held.lease.ip;

	if (n->word != HELD_GRANTED && n->word != HELD_RENEWED)
		return;
	held_keep(v->ports.dht, e, v->id, ip, false);
	if (ip->family == 4)
		arp_probe(v, e, ip, NULL);
	else
		nd_probe(v, e, ip, NULL);
}

/* News of a refusal may not say the address, so that the number of the claim counts too. */
static struct guest *claimed(struct vnet *v, const struct held_news *n)
{
	for (unsigned i = 0; i < v->guests; i++) {
		struct guest *g = &v->guest[i];

		if (g->how == GUEST_STATIC && (ip_eq(&g->ip, &n->held.lease.ip) ||
					       (n->word == HELD_REFUSED && g->claim == COOKIE_REST(n->held.cookie))))
			return g;
	}
	return NULL;
}

static bool undecided(uint8_t verdict)
{
	return verdict == VERDICT_WAIT || verdict == VERDICT_TIMEOUT || verdict == VERDICT_FULL;
}

void guest_held(struct vnet *v, struct env *e, const struct held_news *n)
{
	struct guest *g = claimed(v, n);
	int64_t wait_ns;

	if (!g) {
		orphaned(v, e, n);
		return;
	}
	switch (n->word) {
	case HELD_GRANTED:
	case HELD_RENEWED:
		if (g->state != GUEST_OURS)
			granted(v, e, g);
		break;
	case HELD_REFUSED:
		if (n->verdict == VERDICT_TAKEN && g->move != MOVE_TAKING && !id_eq(n->by, ID_ZERO) &&
		    !id_eq(n->by, v->self)) {
			take(v, e, g, &(struct served){ .owner = n->by, .fence = n->held.lease.fence });
			return;
		}
		g->move = MOVE_NONE;
		if (!undecided(n->verdict)) {
			refused(v, e, g, n->verdict);
			return;
		}
		g->state = GUEST_CLAIMING;
		wait_ns = AGAIN_NS << (g->probes < 6 ? g->probes : 6);
		g->probes++;
		later(v, e, g, random_around(&e->random, wait_ns < AGAIN_MAX_NS ? wait_ns : AGAIN_MAX_NS));
		break;
	case HELD_LOST:
		if (g->state == GUEST_OURS) {
			env_record(e, RECORD_LEASE_LOST, vnet_address(&g->ip), n->verdict, g->how);
			owned(v, e, &g->ip, false);
		}
		g->state = GUEST_CLAIMING;
		g->since_ns = e->now_ns;
		later(v, e, g, random_around(&e->random, AGAIN_NS));
		break;
	case HELD_GONE:
	default:
		break;
	}
}

static void probe(struct vnet *v, struct env *e, struct guest *g)
{
	struct ip ip = g->ip;

	if (g->probes < PROBES) {
		if (ip.family == 4)
			arp_probe(v, e, &ip, g->mac);
		else
			nd_probe(v, e, &ip, g->mac);
		later(v, e, g, PROBE_NS << g->probes);
		g->probes++;
		return;
	}
	g->probes = 0;
	if (g->how != GUEST_LEASED) {
		forget(v, e, g);
		return;
	}
	later(v, e, g, SLEEPER_NS);
}

/* Another node serves the LAN, and has not asked for it yet: it will when the machine speaks. */
static void hold_on(struct vnet *v, struct env *e, struct guest *g, int64_t silent_ns)
{
	if (silent_ns < HELD_ON_NS || g->how == GUEST_LEASED)
		later(v, e, g, silent_ns < HELD_ON_NS ? HELD_ON_NS - silent_ns : HELD_ON_NS);
	else
		forget(v, e, g);
}

/* True: nothing was taken out of the table. */
static bool due(struct vnet *v, struct env *e, struct guest *g)
{
	int64_t silent_ns = e->now_ns - g->heard_ns;
	unsigned was = v->guests;

	if (g->state == GUEST_CLAIMING) {
		claim(v, e, g);
	} else if (g->state == GUEST_REFUSED && silent_ns < REFUSED_NS) {
		g->since_ns = e->now_ns;
		claim(v, e, g);
	} else if (g->state == GUEST_REFUSED) {
		take_out(v, g);
	} else if (g->how == GUEST_SEEN || g->how == GUEST_LINK) {
		if (silent_ns < FORGET_NS)
			later(v, e, g, FORGET_NS - silent_ns);
		else
			take_out(v, g);
	} else if (!lan_serves(v, e)) {
		hold_on(v, e, g, silent_ns);
	} else if (silent_ns < QUIET_NS && !g->probes) {
		later(v, e, g, QUIET_NS - silent_ns);
	} else {
		probe(v, e, g);
	}
	return v->guests == was;
}

void guest_timer(struct vnet *v, struct env *e)
{
	unsigned i = 0;

	nd_timer(v, e);
	while (i < v->guests) {
		struct guest *g = &v->guest[i];

		if (g->again_ns > e->now_ns) {
			vnet_due(v, e, PART_EDGE, g->again_ns);
			i++;
		} else if (due(v, e, g)) {
			i++;
		}
	}
}

void guest_resumed(struct vnet *v, struct env *e)
{
	for (unsigned i = 0; i < v->guests; i++)
		if (v->guest[i].again_ns != INT64_MAX)
			later(v, e, &v->guest[i], NS_PER_S);
}

void guest_passive(struct vnet *v, struct env *e)
{
	unsigned i = 0;

	while (i < v->guests) {
		if (v->guest[i].state == GUEST_OURS)
			i++;
		else
			forget(v, e, &v->guest[i]);
	}
	while (v->waitings) {
		v->waitings--;
		env_drop(e, DROP_PASSIVE);
	}
}

void guest_leave(struct vnet *v, struct env *e)
{
	while (v->guests)
		forget(v, e, &v->guest[v->guests - 1]);
}

void guest_done(struct vnet *v, struct env *e)
{
	mem_grow(&e->mem, &v->guest, &v->guest_cap, 0, sizeof(*v->guest));
	mem_grow(&e->mem, &v->waiting, &v->waiting_cap, 0, sizeof(*v->waiting));
}
