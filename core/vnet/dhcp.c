/*
 * The DHCP server's place in the network: leases come from the DHT, frames go
 * to the tap, guests and their names are made known. Everything a guest can
 * tell apart is in dhcp_server.c.
 *
 * Nodes of one LAN that do not serve it never hear a guest (edge.c), so that a
 * guest has one server. What the DHT granted a former life of this node comes
 * as news with a cookie of that life, and waits for its guest.
 */
#include "core/vnet/dhcp6_reply.h"
#include "core/vnet/parts.h"

#include <sodium.h>

/** struct dhcp_side - one of the two servers */
struct dhcp_side {
	struct dhcpd server;
	struct vnet *v;			/* NULL: not needed yet */
};

enum { FOUR, SIX, SERVERS };

struct vnet_dhcp {
	struct dhcp_side side[SERVERS];
};

static struct vnet *vnet_of(void *ctx)
{
	return ((struct dhcp_side *)ctx)->v;
}

/* ---- what the server asks for ---- */

/* Which server asked stands in the lowest bit. */
static uint64_t cookie_of(const struct dhcp_side *s, uint64_t cookie)
{
	return COOKIE(ASKER_DHCP, cookie << 1 | (s->server.family == 6));
}

static bool want(void *ctx, struct env *e, uint64_t cookie, const struct ip *ip, uint64_t client)
{
	struct vnet *v = vnet_of(ctx);

	return held_want(v->ports.dht, e, vnet_user(v), cookie_of(ctx, cookie), v->id, ip, client, v->record->term_s,
			 false);
}

static bool touch(void *ctx, struct env *e, uint64_t cookie, const struct ip *ip)
{
	struct vnet *v = vnet_of(ctx);

	return held_touch(v->ports.dht, e, v->id, ip, cookie_of(ctx, cookie));
}

/* The guest may have gone on using an address of a former life before it said a word of DHCP: then it is static now. */
static bool is_static(struct vnet *v, const struct ip *ip)
{
	const struct guest *g = guest_find(v, ip);

	return g && g->how == GUEST_STATIC && g->state == GUEST_OURS;
}

static void keep(void *ctx, struct env *e, const struct ip *ip, bool yes)
{
	struct vnet *v = vnet_of(ctx);

	if (yes || !is_static(v, ip))
		held_keep(v->ports.dht, e, v->id, ip, yes);
}

static void release(void *ctx, struct env *e, const struct ip *ip)
{
	struct vnet *v = vnet_of(ctx);

	if (!is_static(v, ip))
		held_release(v->ports.dht, e, v->id, ip, 0);
}

static bool believes(void *ctx, struct env *e, const struct ip *ip, int64_t *until_ns)
{
	struct vnet *v = vnet_of(ctx);
	struct held h;

	if (!held_believes(v->ports.dht, e, v->id, ip, NULL))
		return false;
	for (unsigned i = 0; held_at(v->ports.dht, i, &h); i++) {
		if (!id_eq(h.network, v->id) || !ip_eq(&h.lease.ip, ip))
			continue;
		*until_ns = h.until_ns;
		return true;
	}
	return false;
}

/* May @mac have the certificate's address @a? Not while another machine has it. */
static bool spare(struct vnet *v, const uint8_t mac[MAC_BYTES], const struct ip *a)
{
	const struct guest *g = guest_find(v, a);

	return !g || mac_eq(g->mac, mac);
}

static bool fixed(void *ctx, struct env *e, const uint8_t mac[MAC_BYTES], const struct ip *wish, struct ip *out)
{
	struct vnet *v = vnet_of(ctx);
	struct ip a;

	(void)e;
	if (guest_fixed(v, wish) && spare(v, mac, wish)) {
		*out = *wish;
		return true;
	}
	for (unsigned i = 0; guest_fixed_at(v, i, &a); i++) {
		if (a.family != wish->family || !spare(v, mac, &a))
			continue;
		*out = a;
		return true;
	}
	return false;
}

static bool leased(void *ctx, struct env *e, const uint8_t mac[MAC_BYTES], const struct ip *ip, int64_t since_ns)
{
	struct vnet *v = vnet_of(ctx);
	const struct guest *g = guest_find(v, ip);
	bool was = g && g->how == GUEST_LEASED;

	if (!guest_leased(v, e, mac, ip))
		return false;
	if (!was)
		env_record(e, RECORD_LEASED, vnet_address(ip), (uint64_t)((e->now_ns - since_ns) / NS_PER_MS), GUEST_LEASED);
	return true;
}

static void gone(void *ctx, struct env *e, const struct ip *ip)
{
	guest_gone(vnet_of(ctx), e, ip);
}

static void named(void *ctx, struct env *e, const struct ip *ip, struct bytes host)
{
	dns_host(vnet_of(ctx), e, ip, host);
}

/* Identifier 1 and a hardware address is that address (RFC 2132 9.14); others are what they are. */
static uint64_t client(void *ctx, struct bytes id, const uint8_t mac[MAC_BYTES])
{
	uint8_t hash[crypto_generichash_blake2b_BYTES_MIN];
	struct reader r = reader_of(hash, sizeof(hash));

	(void)ctx;
	if (!id.len || (id.len == 1 + MAC_BYTES && id.at[0] == 1 && mac_eq(id.at + 1, mac)))
		return guest_client(mac);
	crypto_generichash_blake2b(hash, sizeof(hash), id.at, id.len, NULL, 0);
	return read_u64(&r);
}

static void send_out(void *ctx, struct env *e, const struct dhcp_out *o)
{
	uint8_t buf[ETH_HEADER + IP6_HEADER + UDP_HEADER + DHCP_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	struct vnet *v = vnet_of(ctx);
	struct ip link = ip_link(v->mac);
	struct build b;

	if (o->to.family == 4) {
		build_eth(&w, o->mac, v->mac, TYPE_IP4);
		b = build_udp(&w, &v->gateway4, &o->to, DHCP_SERVER_PORT, DHCP_CLIENT_PORT);
	} else {
		build_eth(&w, o->mac, v->mac, TYPE_IP6);
		b = build_udp(&w, &link, &o->to, DHCP6_SERVER_PORT, DHCP6_CLIENT_PORT);
	}
	write_copy(&w, o->payload.at, o->payload.len);
	build_done(&w, &b);
	edge_out(v, e, &w, NULL);
}

static void due(void *ctx, struct env *e, int64_t at_ns)
{
	vnet_due(vnet_of(ctx), e, PART_DHCP, at_ns);
}

static const struct dhcp_ports PORTS = {
	.want = want, .touch = touch, .keep = keep, .release = release, .believes = believes, .fixed = fixed,
	.leased = leased, .gone = gone, .named = named, .client = client, .send = send_out, .due = due,
};

/* ---- what happens ---- */

/* Server @which, made when it is first needed; NULL: no such addresses here, or no memory (counted). */
static struct dhcpd *server(struct vnet *v, struct env *e, unsigned which)
{
	struct dhcp_side *s;

	if (!(which == FOUR ? v->gateway4.family : v->gateway6.family)) {
		env_drop(e, DROP_SERVICE);
		return NULL;
	}
	if (!v->dhcp)
		v->dhcp = mem_get(&e->mem, sizeof(*v->dhcp));
	if (!v->dhcp) {
		env_drop(e, DROP_MEMORY);
		return NULL;
	}
	s = &v->dhcp->side[which];
	if (!s->v && which == FOUR)
		dhcpd_init(&s->server, e, &PORTS, s);
	else if (!s->v)
		dhcp6_init(&s->server, e, &PORTS, s, v->mac);
	s->v = v;
	s->server.net = v->record;
	return &s->server;
}

/* The server if it is there already. */
static struct dhcpd *at(struct vnet *v, unsigned which)
{
	struct dhcp_side *s = v->dhcp ? &v->dhcp->side[which] : NULL;

	if (!s || !s->v)
		return NULL;
	s->server.net = v->record;
	return &s->server;
}

void dhcp_packet(struct vnet *v, struct env *e, const struct packet *p)
{
	struct dhcpd *d = server(v, e, FOUR);

	if (d)
		dhcpd_message(d, e, p->mac_from, p->data);
}

/* Guests speak to all servers, from their link-local address (RFC 8415, section 14 and 16). */
void dhcp6_packet(struct vnet *v, struct env *e, const struct packet *p)
{
	struct dhcpd *d;

	if (!p->group || !ip_link_local(&p->src)) {
		env_drop(e, DROP_VALUE);
		return;
	}
	d = server(v, e, SIX);
	if (d)
		dhcp6_message(d, e, p->mac_from, &p->src, p->data);
}

void dhcp_held(struct vnet *v, struct env *e, const struct held_news *n)
{
	const struct ip *ip = &n->held.lease.ip;
	struct held_news own = *n;
	struct dhcpd *d = server(v, e, n->held.cookie & 1 ? SIX : FOUR);

	if (!d)
		return;
	if (n->word == HELD_REFUSED)
		env_record(e, RECORD_LEASE_REFUSED, vnet_address(ip), n->verdict, GUEST_LEASED);
	if (n->word == HELD_LOST)
		env_record(e, RECORD_LEASE_LOST, vnet_address(ip), n->verdict, GUEST_LEASED);
	own.held.cookie = COOKIE_REST(n->held.cookie) >> 1;
	dhcpd_held(d, e, &own);
}

/* The servers themselves ask the DHT nothing: all goes by leases. */
void dhcp_done(struct vnet *v, struct env *e, const struct dht_done *d)
{
	(void)v, (void)d;
	env_drop(e, DROP_STALE);
}

void dhcp_timer(struct vnet *v, struct env *e)
{
	for (unsigned i = 0; i < SERVERS; i++)
		if (at(v, i))
			dhcpd_timer(at(v, i), e);
}

/* Nothing is believed until the DHT says so again; who asks meanwhile waits for that (dhcp_server.c). */
void dhcp_resumed(struct vnet *v, struct env *e)
{
	dhcp_timer(v, e);
}

void dhcp_leave(struct vnet *v, struct env *e)
{
	for (unsigned i = 0; i < SERVERS; i++)
		if (at(v, i))
			dhcpd_leave(at(v, i), e);
}

void dhcp_free(struct vnet *v, struct env *e)
{
	for (unsigned i = 0; i < SERVERS; i++)
		if (at(v, i))
			dhcpd_done(at(v, i), e);
	mem_put(&e->mem, v->dhcp, sizeof(*v->dhcp));
	v->dhcp = NULL;
}

uint32_t dhcp_bytes(const struct vnet *v)
{
	uint32_t bytes = v->dhcp ? (uint32_t)sizeof(*v->dhcp) : 0;

	for (unsigned i = 0; v->dhcp && i < SERVERS; i++)
		bytes += dhcpd_bytes(&v->dhcp->side[i].server);
	return bytes;
}
