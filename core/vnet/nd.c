/*
 * Neighbour discovery at the edge (RFC 4861), duplicate address detection
 * defended (RFC 4862), and the network's prefix advertised. The router that
 * guests see is no way out of the network: its lifetime is 0. It tells the
 * prefix (on link, so that neighbours are asked for), the MTU, and the name
 * server (RFC 8106) if the network has a domain. What guests make of the prefix
 * is claimed like any static address, when they first use it.
 *
 * A solicitation is answered on the same terms as an ARP request: the gateway
 * always, a remote machine when somebody serves it, local machines never.
 */
#include "core/vnet/parts.h"

enum {
	SOLICIT_ROUTER = 133, ADVERTISE_ROUTER = 134, SOLICIT = 135, ADVERTISE = 136, REDIRECT = 137,

	OPTION_SOURCE = 1, OPTION_TARGET = 2, OPTION_PREFIX = 3, OPTION_MTU = 5, OPTION_RDNSS = 25,

	RA_MANAGED = 0x80 << 16, RA_OTHER = 0x40 << 16,	/* DHCPv6 has addresses (where none can be made up); has the rest */
	FLAG_ROUTER = 0x80, FLAG_SOLICITED = 0x40, FLAG_OVERRIDE = 0x20,	/* of an advertisement */
	PREFIX_ON_LINK = 0x80, PREFIX_AUTO = 0x40,

	ND_HOPS		= 255,
	ND_FRAME	= 256,
	PREFIX_S	= 86400,	/* valid and preferred lifetime: RA come every ten minutes and renew them */
	ADVERTS_PER_S	= 1,
	ADVERTS_BURST	= 3,
};

#define ADVERT_NS	(600 * NS_PER_S)	/* MaxRtrAdvInterval's default: RFC 4861, 6.2.1 */

static const struct ip all_nodes = { .at = { 0xff, 0x02, [15] = 1 }, .family = 6 };

/** struct nd - what a message says: options checked, hardware address if it gives one */
struct nd {
	struct ip target;
	const uint8_t *mac;		/* source or target link-layer address, NULL if not given */
};

/* What stands behind the second word of the ICMPv6 header: a target for NS and NA, then options (RFC 4861, 4.6). */
static enum drop nd_read(struct nd *n, const struct packet *p)
{
	struct reader r = reader_of(p->data.at, p->data.len);
	const uint8_t *at;

	*n = (struct nd){ .mac = NULL };
	if (p->icmp_type == ADVERTISE_ROUTER || p->icmp_type == REDIRECT)
		return DROP_SPOOFED;		/* a router, or redirects, inside the network: not from guests */
	if (p->ttl != ND_HOPS || p->icmp_code)
		return DROP_VALUE;
	if (p->icmp_type == SOLICIT || p->icmp_type == ADVERTISE) {
		at = read_take(&r, 16);
		if (!at)
			return DROP_SHORT;
		n->target = ip_of_bytes(6, at);
		if (ip_multicast(&n->target) || ip_unspecified(&n->target))
			return DROP_VALUE;
	}
	while (reader_left(&r)) {
		at = read_take(&r, 8);
		if (!at || !at[1] || !read_take(&r, at[1] * 8u - 8))
			return DROP_OPTION;
		if (at[1] == 1 && at[0] == (p->icmp_type == ADVERTISE ? OPTION_TARGET : OPTION_SOURCE))
			n->mac = at + 2;
	}
	return DROP_NONE;
}

static void send_nd(struct vnet *v, struct env *e, const uint8_t *mac, const struct ip *dst, struct writer *w,
		    const struct build *b)
{
	uint8_t group[MAC_BYTES];

	build_done(w, b);
	if (!mac) {
		edge_group_mac(v, group, dst);
		mac = group;
	}
	if (w->bad)
		env_drop(e, DROP_TOO_BIG);
	else
		edge_ip(v, e, mac, (struct bytes){ w->start, writer_len(w) }, NULL);
}

static void write_mac(struct writer *w, uint8_t option, const uint8_t mac[MAC_BYTES])
{
	write_u8(w, option);
	write_u8(w, 1);
	write_copy(w, mac, MAC_BYTES);
}

static void advertise(struct vnet *v, struct env *e, const uint8_t *mac, const struct ip *to, const struct ip *target,
		      uint8_t flags)
{
	uint8_t buf[ND_FRAME];
	struct writer w = writer_of(buf, sizeof(buf));
	struct build b = build_icmp(&w, target, to, ND_HOPS, ADVERTISE, 0, (uint32_t)flags << 24);

	write_copy(&w, target->at, 16);
	write_mac(&w, OPTION_TARGET, v->mac);
	send_nd(v, e, mac, to, &w, &b);
}

void nd_answer(struct vnet *v, struct env *e, const struct waiting *q)
{
	uint8_t flags = vnet_gateway(v, &q->ip) ? FLAG_ROUTER : 0;

	if (ip_unspecified(&q->who))		/* RFC 4861, 7.2.4: nobody to send it to yet */
		advertise(v, e, NULL, &all_nodes, &q->ip, flags | FLAG_OVERRIDE);
	else
		advertise(v, e, q->mac, &q->who, &q->ip, flags | FLAG_OVERRIDE | FLAG_SOLICITED);
}

void nd_conflict(struct vnet *v, struct env *e, const struct ip *ip)
{
	advertise(v, e, NULL, &all_nodes, ip, FLAG_OVERRIDE);
}

void nd_probe(struct vnet *v, struct env *e, const struct ip *ip, const uint8_t *mac)
{
	struct ip src = ip_link(v->mac), group = ip_solicited(ip);
	uint8_t buf[ND_FRAME], to[MAC_BYTES];
	struct writer w = writer_of(buf, sizeof(buf));
	struct build b;

	if (!mac) {
		mac_of_group(to, &group);	/* hybrid asks the whole LAN here */
		mac = to;
	}
	b = build_icmp(&w, &src, mac == to ? &group : ip, ND_HOPS, SOLICIT, 0, 0);
	write_copy(&w, ip->at, 16);
	write_mac(&w, OPTION_SOURCE, v->mac);
	send_nd(v, e, mac, &group, &w, &b);
}

void nd_advertise(struct vnet *v, struct env *e, const uint8_t *mac, const struct ip *to)
{
	const struct ip_range *range = &v->record->range6;
	struct ip src = ip_link(v->mac);
	uint8_t buf[ND_FRAME], prefix[16] = { 0 };
	struct writer w = writer_of(buf, sizeof(buf));
	struct build b = build_icmp(&w, &src, to ? to : &all_nodes, ND_HOPS, ADVERTISE_ROUTER, 0,
				     64u << 24 | RA_OTHER | (range->bits == 64 ? 0 : RA_MANAGED));

	write_u64(&w, 0);			/* reachable time, retransmission timer: unspecified */
	write_mac(&w, OPTION_SOURCE, v->mac);
	write_u16(&w, OPTION_MTU << 8 | 1);
	write_u16(&w, 0);
	write_u32(&w, v->record->mtu);
	memcpy(prefix, range->ip.at, range->bits / 8);
	if (range->bits % 8)
		prefix[range->bits / 8] = range->ip.at[range->bits / 8] & (uint8_t)(0xff00 >> range->bits % 8);
	write_u16(&w, OPTION_PREFIX << 8 | 4);
	write_u8(&w, range->bits);
	write_u8(&w, PREFIX_ON_LINK | (range->bits == 64 ? PREFIX_AUTO : 0));
	write_u32(&w, PREFIX_S);
	write_u32(&w, PREFIX_S);
	write_u32(&w, 0);
	write_copy(&w, prefix, 16);
	if (v->record->domain[0]) {
		write_u16(&w, OPTION_RDNSS << 8 | 3);
		write_u16(&w, 0);
		write_u32(&w, PREFIX_S);
		write_copy(&w, v->gateway6.at, 16);
	}
	send_nd(v, e, to ? mac : NULL, to ? to : &all_nodes, &w, &b);
}

void nd_start(struct vnet *v, struct env *e)
{
	v->advert_ns = v->gateway6.family ? e->now_ns : INT64_MAX;
	vnet_due(v, e, PART_EDGE, v->advert_ns);
}

void nd_timer(struct vnet *v, struct env *e)
{
	if (v->advert_ns <= e->now_ns) {
		if (lan_serves(v, e) && v->gateway6.family)
			nd_advertise(v, e, NULL, NULL);
		v->advert_ns = e->now_ns + random_around(&e->random, ADVERT_NS);
	}
	vnet_due(v, e, PART_EDGE, v->advert_ns);
}

/* ---- what guests say ---- */

static void router_asked(struct vnet *v, struct env *e, const struct packet *p)
{
	if (!v->gateway6.family)
		env_drop(e, DROP_SERVICE);
	else if (!bucket_take(&v->adverts, e, ADVERTS_PER_S, ADVERTS_BURST))
		env_drop(e, DROP_RATE);
	else if (ip_unspecified(&p->src))
		nd_advertise(v, e, NULL, NULL);
	else
		nd_advertise(v, e, p->mac_from, &p->src);
}

static bool is_ours(const struct vnet *v, const struct ip *a)
{
	struct ip link = ip_link(v->mac);

	return vnet_gateway(v, a) || ip_eq(a, &link);
}

static void target_asked(struct vnet *v, struct env *e, const struct packet *p, const struct nd *n)
{
	struct waiting q = { .ip = n->target, .who = p->src };
	const struct guest *g = guest_find(v, &n->target);

	memcpy(q.mac, p->mac_from, MAC_BYTES);
	q.lan = v->net->model == MODEL_HYBRID && !mac_eq(p->mac_to, v->mac);
	if (is_ours(v, &n->target))
		nd_answer(v, e, &q);
	else if (ip_link_local(&n->target))
		env_drop(e, DROP_ON_LAN);
	else if (!ip_in(&n->target, &v->record->range6))
		env_drop(e, DROP_ABROAD);
	else if ((g && g->state != GUEST_REFUSED) || held_believes(v->ports.dht, e, v->id, &n->target, NULL))
		env_drop(e, DROP_ON_LAN);
	else
		wait_for(v, e, &q);
}

static void solicited(struct vnet *v, struct env *e, const struct packet *p, const struct nd *n)
{
	if (ip_unspecified(&p->src)) {		/* duplicate address detection: RFC 4861, 7.1.1 */
		if (n->mac || !p->group)
			env_drop(e, DROP_VALUE);
		else
			target_asked(v, e, p, n);
	} else if (n->mac && !mac_eq(n->mac, p->mac_from)) {
		env_drop(e, DROP_SPOOFED);
	} else if (guest_heard(v, e, p->mac_from, &p->src)) {
		target_asked(v, e, p, n);
	}
}

static void advertised(struct vnet *v, struct env *e, const struct packet *p, const struct nd *n)
{
	if (is_ours(v, &n->target)) {
		env_drop(e, DROP_SPOOFED);
		if (bucket_take(&v->adverts, e, ADVERTS_PER_S, ADVERTS_BURST))
			nd_conflict(v, e, &n->target);
	} else if (ip_unspecified(&p->src) || (n->mac && !mac_eq(n->mac, p->mac_from))) {
		env_drop(e, DROP_SPOOFED);
	} else {
		guest_heard(v, e, p->mac_from, &n->target);
	}
}

bool nd_frame(struct vnet *v, struct env *e, const struct packet *p)
{
	struct nd n;
	enum drop why;

	if (p->family != 6 || p->proto != PROTO_ICMP6 || !p->l4.len || p->icmp_type < SOLICIT_ROUTER ||
	    p->icmp_type > REDIRECT)
		return false;
	why = p->more ? DROP_FRAGMENT : nd_read(&n, p);		/* RFC 6980: never in fragments */
	if (why != DROP_NONE) {
		env_drop(e, why);
		return true;
	}
	if (!guest_may(v, p->mac_from)) {
		if (p->icmp_type == ADVERTISE)
			wait_heard(v, e, &n.target);
		env_drop(e, DROP_FOREIGN);
		return true;
	}
	switch (p->icmp_type) {
	case SOLICIT_ROUTER:
		router_asked(v, e, p);
		break;
	case SOLICIT:
		solicited(v, e, p, &n);
		break;
	case ADVERTISE:
	default:
		advertised(v, e, p, &n);
		break;
	}
	return true;
}
