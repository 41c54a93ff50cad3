/*
 * The edge: every frame of a guest and every payload for one is judged here.
 *
 * A guest's packet goes on only if its Ethernet and IP sources are those of a
 * machine we serve and its address is one we may believe now; a payload goes to
 * a guest only if we believe we serve its destination and its sender serves its
 * source. What is between machines of the LAN never goes further. Every refusal
 * is counted under its own reason.
 */
#include "core/vnet/parts.h"

enum {
	PORT_DNS = 53, PORT_DHCP = 67, PORT_DHCP6 = 547,
	MTU_LEAST6	= 1280,		/* RFC 8200, section 5: nobody sends less than that */
	SHRINKS_PER_S	= 5,
	SHRINKS_BURST	= 10,
};

void edge_group_mac(const struct vnet *v, uint8_t mac[MAC_BYTES], const struct ip *ip)
{
	if (v->net->model == MODEL_HYBRID)
		memcpy(mac, v->net->mac, MAC_BYTES);
	else
		mac_of_group(mac, ip);
}

void edge_out(struct vnet *v, struct env *e, const struct writer *w, const struct offload *o)
{
	if (w->bad)
		env_drop(e, DROP_TOO_BIG);
	else if (!lan_serves(v, e) && mac_eq(w->start + MAC_BYTES, v->mac))
		env_drop(e, DROP_PASSIVE);	/* what began while we served; the network's MAC is somebody else's now */
	else
		env_frame(e, v->net->iface, w->start, (uint16_t)writer_len(w), o);
}

enum drop edge_ip(struct vnet *v, struct env *e, const uint8_t to[MAC_BYTES], struct bytes ip, const struct offload *o)
{
	struct offload off = o ? *o : (struct offload){ 0 };
	uint8_t small[2048], *buf = small;
	size_t max = ETH_HEADER + ip.len;
	struct writer w;

	if (max > UINT16_MAX)
		return env_drop(e, DROP_TOO_BIG);
	if (max > sizeof(small))
		buf = env_scratch(e, max);
	if (!buf)
		return DROP_EFFECTS;
	w = writer_of(buf, max);
	/* switches learn where the network's MAC is from whoever serves, and from nobody else */
	build_eth(&w, to, lan_serves(v, e) ? v->mac : v->own_mac, ip.at[0] >> 4 == 6 ? TYPE_IP6 : TYPE_IP4);
	write_copy(&w, ip.at, ip.len);
	if (off.partial && !w.bad && !(e->offloads & CAN_SUM)) {
		sum_fill(buf + ETH_HEADER, ip.len, &off);
		off = (struct offload){ 0 };
	}
	if (off.partial)
		off.checksum_start = (uint16_t)(off.checksum_start + ETH_HEADER);
	edge_out(v, e, &w, &off);
	return DROP_NONE;
}

bool edge_serves(const struct vnet *v, const struct env *e, const struct ip *ip, struct fence *fence)
{
	const struct guest *g = guest_find((struct vnet *)v, ip);

	if (!g || g->state != GUEST_OURS || g->how == GUEST_LINK || g->how == GUEST_SEEN)
		return false;
	if (g->how == GUEST_FIXED) {
		if (fence)
			*fence = (struct fence){ 0 };
		return true;
	}
	return held_believes(v->ports.dht, e, v->id, ip, fence);
}

/* ---- from the tap ---- */

/*
 * @p is larger than its path carries at once, and goes in pieces. Who can send
 * smaller ones hears of it, so that the next ones fit: its kernel remembers
 * that for this destination (RFC 1191, RFC 8201).
 */
static void shrink(struct vnet *v, struct env *e, const struct packet *p, size_t each, uint16_t fits)
{
	if (each > fits && (p->family == 6 || p->df) && bucket_take(&v->shrinks, e, SHRINKS_PER_S, SHRINKS_BURST))
		icmp_error(v, e, p, ICMP_TOO_BIG, fits);
}

/* A packet whose source is our guest's and believed, for a remote address. */
static void send_on(struct vnet *v, struct env *e, const struct packet *p)
{
	uint16_t fits = path_fits(v, &p->dst), least = p->family == 6 && fits < MTU_LEAST6 ? MTU_LEAST6 : fits;
	size_t each = p->l3.len, at = 0, len;
	uint8_t buf[FRAME_MAX];
	struct packet q = *p;

	guard_out(v, e, p);
	if (p->offload.segment)			/* of each packet the batch will become */
		each = p->offload.segment + p->l3.len - p->data.len;
	if (each > v->record->mtu) {
		if (p->family == 6 || p->df || p->offload.segment) {
			icmp_error(v, e, p, ICMP_TOO_BIG, least);
			env_drop(e, DROP_TOO_BIG);
			return;
		}
		while ((len = cut_next(buf, sizeof(buf), p, v->record->mtu, &at)))
			if (packet_read_ip(&q, (struct bytes){ buf, len }, NULL) == DROP_NONE)
				path_send(v, e, &q);
		return;
	}
	shrink(v, e, p, each, least);
	len = mss_clamp(buf, sizeof(buf), p, fits);
	if (len)
		q.l3.at = buf;
	path_send(v, e, &q);
}

/* Somebody in the network, and not us: may this guest speak under its address at all? */
static bool may_speak(struct vnet *v, struct env *e, const struct packet *p, const struct guest *g)
{
	if (edge_serves(v, e, &p->src, NULL))
		return true;
	env_drop(e, g->state == GUEST_CLAIMING ? DROP_UNCLAIMED : g->state == GUEST_REFUSED ? DROP_CLAIMED :
		 DROP_UNBELIEVED);
	return false;
}

static void for_gateway(struct vnet *v, struct env *e, const struct packet *p)
{
	if (p->proto == (p->family == 4 ? PROTO_ICMP : PROTO_ICMP6)) {
		icmp_gateway(v, e, p);
	} else if (!p->l4.len || p->more) {
		env_drop(e, DROP_SERVICE);	/* none of our services needs fragments */
	} else if ((p->proto == PROTO_UDP || p->proto == PROTO_TCP) && p->dport == PORT_DNS) {
		dns_packet(v, e, p);
	} else {
		env_drop(e, DROP_SERVICE);
		icmp_error(v, e, p, ICMP_PORT_UNREACHABLE, 0);
	}
}

static bool is_dhcp(const struct vnet *v, const struct packet *p)
{
	if (p->proto != PROTO_UDP || !p->l4.len || p->more)
		return false;
	if (p->family == 4)
		return p->dport == PORT_DHCP && (ip_broadcast(&p->dst, &v->record->range4) || vnet_gateway(v, &p->dst));
	return p->dport == PORT_DHCP6;
}

/* Sources that mean "no address yet": DHCP, IGMP and MLD reports (RFC 3376 4.2.13, RFC 3810 5.2.13). */
static void without_address(struct vnet *v, struct env *e, const struct packet *p)
{
	if (p->group && (p->proto == PROTO_IGMP || p->proto == PROTO_ICMP6))
		path_group(v, e, p);
	else
		env_drop(e, DROP_SPOOFED);
}

static void guest_ip(struct vnet *v, struct env *e, const struct packet *p)
{
	bool group = p->group || ip_broadcast(&p->dst, &v->record->range4);
	struct guest *g;

	if (!guest_may(v, p->mac_from)) {
		env_drop(e, DROP_FOREIGN);
		return;
	}
	if (is_dhcp(v, p)) {
		if (p->family == 4)
			dhcp_packet(v, e, p);
		else
			dhcp6_packet(v, e, p);
		return;
	}
	if (ip_unspecified(&p->src)) {
		without_address(v, e, p);
		return;
	}
	g = guest_heard(v, e, p->mac_from, &p->src);
	if (!g)
		return;				/* counted there */
	if (vnet_gateway(v, &p->dst)) {
		for_gateway(v, e, p);
	} else if (ip_link_local(&p->dst) || (g->how == GUEST_LINK && !group)) {
		env_drop(e, DROP_ON_LAN);
	} else if (group && (p->proto == PROTO_IGMP || p->proto == PROTO_ICMP6)) {
		path_group(v, e, p);		/* membership is told with link-local sources too */
	} else if (g->how == GUEST_LINK) {
		env_drop(e, DROP_ON_LAN);
	} else if (!may_speak(v, e, p, g)) {
		return;
	} else if (group) {
		path_group(v, e, p);
	} else if (!vnet_in(v, &p->dst)) {
		env_drop(e, DROP_ABROAD);
		icmp_error(v, e, p, ICMP_PROHIBITED, 0);
	} else if (edge_serves(v, e, &p->dst, NULL)) {
		env_drop(e, DROP_ON_LAN);
	} else {
		send_on(v, e, p);
	}
}

void edge_frame(struct vnet *v, struct env *e, struct bytes frame, const struct offload *o)
{
	struct packet p;
	enum drop why = packet_read(&p, frame, o);

	if (why != DROP_NONE) {
		env_drop(e, why);
	} else if (mac_eq(p.mac_from, v->mac) || mac_eq(p.mac_from, v->own_mac)) {
		if (p.family && mac_group(p.mac_to))
			lan_seen(v, e, p.l3);
		env_drop(e, DROP_SELF);		/* flooded by a switch, or another node's of this network */
	} else if (p.type == TYPE_BEACON) {
		lan_beacon(v, e, &p);
	} else if (!mac_group(p.mac_to) && !mac_eq(p.mac_to, v->mac) && !mac_eq(p.mac_to, v->own_mac) &&
		   !migrate_astray(v, e, &p)) {
		env_drop(e, DROP_ON_LAN);
	} else if (!lan_serves(v, e)) {
		guest_seen(v, e, &p);
		env_drop(e, DROP_PASSIVE);
	} else if (p.type == TYPE_ARP) {
		arp_frame(v, e, &p);
	} else if (!nd_frame(v, e, &p)) {
		guest_ip(v, e, &p);
	}
}

/* ---- from tunnels and broadcasts ---- */

/* Sources a remote guest may have. */
static bool good_source(const struct vnet *v, const struct ip *src)
{
	return vnet_in(v, src) && !vnet_gateway(v, src) && !ip_broadcast(src, &v->record->range4);
}

static enum deliver deliver(struct vnet *v, struct env *e, struct id peer, const struct packet *p)
{
	uint8_t mac[MAC_BYTES];
	struct guest *g;

	if (p->group || !good_source(v, &p->src) || edge_serves(v, e, &p->src, NULL)) {
		env_drop(e, DROP_SPOOFED);
		return DELIVER_BAD;
	}
	g = guest_find(v, &p->dst);
	if (!g || !edge_serves(v, e, &p->dst, NULL)) {
		env_drop(e, g && g->state == GUEST_OURS ? DROP_UNBELIEVED : DROP_NOT_HERE);
		return DELIVER_NOT_HERE;
	}
	memcpy(mac, g->mac, MAC_BYTES);
	if (dns_takes(v, e, p))
		return DELIVER_DONE;
	if (!guard_in(v, e, peer, true, p))
		return DELIVER_BAD;
	return edge_ip(v, e, mac, p->l3, &p->offload) == DROP_NONE ? DELIVER_DONE : DELIVER_BAD;
}

enum deliver edge_deliver(struct vnet *v, struct env *e, struct id peer, struct bytes ip, const struct offload *o)
{
	struct packet p;
	enum drop why = packet_read_ip(&p, ip, o);
	enum deliver d;

	if (why != DROP_NONE) {
		env_drop(e, why);
		return DELIVER_BAD;
	}
	d = deliver(v, e, peer, &p);
	if (d == DELIVER_NOT_HERE && !migrate_straggler(v, e, peer, &p.dst, ip, o))
		path_not_here(v, e, peer, &p.dst, o && o->partial ? (struct bytes){ 0 } : ip);
	return d;
}

void edge_forwarded(struct vnet *v, struct env *e, const struct packet *p)
{
	if (good_source(v, &p->src))
		deliver(v, e, ID_ZERO, p);	/* who sent it is hearsay: the firewall gives it no groups */
	else
		env_drop(e, DROP_SPOOFED);
}

void edge_payload(struct vnet *v, struct env *e, const struct tunnel_news *n)
{
	struct bytes ip = { n->payload.at + 1, n->payload.len - 1 };
	struct packet p;
	enum drop why = packet_read_ip(&p, ip, &n->offload);

	if (why != DROP_NONE) {
		env_drop(e, why);
		return;
	}
	if (!good_source(v, &p.src)) {
		env_drop(e, DROP_SPOOFED);
		return;
	}
	switch (path_source(v, e, n->peer, &p.src, n->payload, &n->offload)) {
	case FOUND_YES:
		if (deliver(v, e, n->peer, &p) == DELIVER_NOT_HERE &&
		    !migrate_straggler(v, e, n->peer, &p.dst, ip, &n->offload))
			path_not_here(v, e, n->peer, &p.dst, n->offload.partial ? (struct bytes){ 0 } : ip);
		break;
	case FOUND_NO:
		env_drop(e, DROP_SPOOFED);
		break;
	case FOUND_ASKED:
		break;				/* comes back by edge_deliver() */
	}
}

enum drop edge_flood(struct vnet *v, struct env *e, struct id origin, struct bytes ip, const struct offload *o)
{
	uint8_t mac[MAC_BYTES];
	struct packet p;
	enum drop why = packet_read_ip(&p, ip, o);

	if (why != DROP_NONE)
		return env_drop(e, why);
	if (lan_neighbour(v, origin))
		return env_drop(e, DROP_ON_LAN);	/* the LAN has heard it already */
	if ((!p.group && !ip_broadcast(&p.dst, &v->record->range4)) || !good_source(v, &p.src) ||
	    edge_serves(v, e, &p.src, NULL))
		return env_drop(e, DROP_SPOOFED);
	if (!guard_in(v, e, origin, false, &p))
		return DROP_GUARD;
	why = lan_flood(v, e, p.l3);
	if (why != DROP_NONE)
		return env_drop(e, why);
	edge_group_mac(v, mac, &p.dst);
	return edge_ip(v, e, mac, p.l3, &p.offload);
}

/* ---- what path has to say to guests ---- */

void edge_nobody(struct vnet *v, struct env *e, struct bytes ip)
{
	struct packet p;

	if (packet_read_ip(&p, ip, NULL) == DROP_NONE || p.family)	/* its head may be all there is: family means addresses */
		icmp_error(v, e, &p, ICMP_HOST_UNREACHABLE, 0);
}
