/*
 * The DHCP server's place in the network: leases come from the DHT, frames go
 * to the tap, guests and their names are made known. Everything a guest can
 * tell apart is in dhcp_server.c.
 *
 * Nodes of one LAN that do not serve it never hear a guest (edge.c), so that a
 * guest has one server. What the DHT granted a former life of this node comes
 * as news with a cookie of that life, and waits for its guest.
 */
#include "core/vnet/dhcp_server.h"
#include "core/vnet/parts.h"

#include <sodium.h>

struct vnet_dhcp {
	struct dhcpd server;
};

/* ---- what the server asks for ---- */

static bool want(void *ctx, struct env *e, uint64_t cookie, const struct ip *ip, uint64_t client)
{
	struct vnet *v = ctx;

	return held_want(v->ports.dht, e, vnet_user(v), COOKIE(ASKER_DHCP, cookie), v->id, ip, client, v->record->term_s,
			 false);
}

static bool touch(void *ctx, struct env *e, uint64_t cookie, const struct ip *ip)
{
	struct vnet *v = ctx;

	return held_touch(v->ports.dht, e, v->id, ip, COOKIE(ASKER_DHCP, cookie));
}

/* The guest may have gone on using an address of a former life before it said a word of DHCP: then it is static now. */
static bool is_static(struct vnet *v, const struct ip *ip)
{
	const struct guest *g = guest_find(v, ip);

	return g && g->how == GUEST_STATIC && g->state == GUEST_OURS;
}

static void keep(void *ctx, struct env *e, const struct ip *ip, bool yes)
{
	struct vnet *v = ctx;

	if (yes || !is_static(v, ip))
		held_keep(v->ports.dht, e, v->id, ip, yes);
}

static void release(void *ctx, struct env *e, const struct ip *ip)
{
	struct vnet *v = ctx;

	if (!is_static(v, ip))
		held_release(v->ports.dht, e, v->id, ip);
}

static bool believes(void *ctx, struct env *e, const struct ip *ip, int64_t *until_ns)
{
	struct vnet *v = ctx;
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

	return a->family == 4 && (!g || mac_eq(g->mac, mac));
}

static bool fixed(void *ctx, struct env *e, const uint8_t mac[MAC_BYTES], const struct ip *wish, struct ip *out)
{
	struct vnet *v = ctx;
	struct ip a;

	(void)e;
	if (guest_fixed(v, wish) && spare(v, mac, wish)) {
		*out = *wish;
		return true;
	}
	for (unsigned i = 0; guest_fixed_at(v, i, &a); i++) {
		if (!spare(v, mac, &a))
			continue;
		*out = a;
		return true;
	}
	return false;
}

static bool leased(void *ctx, struct env *e, const uint8_t mac[MAC_BYTES], const struct ip *ip, int64_t since_ns)
{
	struct vnet *v = ctx;
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
	guest_gone(ctx, e, ip);
}

static void named(void *ctx, struct env *e, const struct ip *ip, struct bytes host)
{
	dns_host(ctx, e, ip, host);
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
	uint8_t buf[ETH_HEADER + IP4_HEADER + UDP_HEADER + DHCP_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	struct vnet *v = ctx;
	struct build b;

	build_eth(&w, o->mac, v->mac, TYPE_IP4);
	b = build_udp(&w, &v->gateway4, &o->to, DHCP_SERVER_PORT, DHCP_CLIENT_PORT);
	write_copy(&w, o->payload.at, o->payload.len);
	build_done(&w, &b);
	edge_out(v, e, &w, NULL);
}

static void due(void *ctx, struct env *e, int64_t at_ns)
{
	vnet_due(ctx, e, PART_DHCP, at_ns);
}

static const struct dhcp_ports PORTS = {
	.want = want, .touch = touch, .keep = keep, .release = release, .believes = believes, .fixed = fixed,
	.leased = leased, .gone = gone, .named = named, .client = client, .send = send_out, .due = due,
};

/* ---- what happens ---- */

/* The server, made when it is first needed; NULL: no IPv4 here, or no memory (counted). */
static struct dhcpd *server(struct vnet *v, struct env *e)
{
	if (!v->gateway4.family) {
		env_drop(e, DROP_SERVICE);
		return NULL;
	}
	if (!v->dhcp) {
		v->dhcp = mem_get(&e->mem, sizeof(*v->dhcp));
		if (!v->dhcp) {
			env_drop(e, DROP_MEMORY);
			return NULL;
		}
		dhcpd_init(&v->dhcp->server, e, &PORTS, v);
	}
	v->dhcp->server.net = v->record;
	return &v->dhcp->server;
}

void dhcp_packet(struct vnet *v, struct env *e, const struct packet *p)
{
	struct dhcpd *d = server(v, e);

	if (d)
		dhcpd_message(d, e, p->mac_from, p->data);
}

void dhcp_held(struct vnet *v, struct env *e, const struct held_news *n)
{
	const struct ip *ip = &n->held.lease.ip;
	struct dhcpd *d = server(v, e);

	if (!d)
		return;
	if (n->word == HELD_REFUSED)
		env_record(e, RECORD_LEASE_REFUSED, vnet_address(ip), n->verdict, GUEST_LEASED);
	if (n->word == HELD_LOST)
		env_record(e, RECORD_LEASE_LOST, vnet_address(ip), n->verdict, GUEST_LEASED);
	dhcpd_held(d, e, n);
}

/* The server itself asks the DHT nothing: all goes by leases. */
void dhcp_done(struct vnet *v, struct env *e, const struct dht_done *d)
{
	(void)v, (void)d;
	env_drop(e, DROP_STALE);
}

/* A sleeping guest has a right to its term; one of a LAN that another node serves now is that node's. */
void dhcp_silent(struct vnet *v, struct env *e, const struct ip *ip)
{
	if (lan_serves(v) || !v->dhcp)
		return;
	v->dhcp->server.net = v->record;
	dhcpd_gone(&v->dhcp->server, e, ip);
}

void dhcp_timer(struct vnet *v, struct env *e)
{
	if (!v->dhcp)
		return;
	v->dhcp->server.net = v->record;
	dhcpd_timer(&v->dhcp->server, e);
}

/* Nothing is believed until the DHT says so again; who asks meanwhile waits for that (dhcp_server.c). */
void dhcp_resumed(struct vnet *v, struct env *e)
{
	dhcp_timer(v, e);
}

void dhcp_leave(struct vnet *v, struct env *e)
{
	if (v->dhcp)
		dhcpd_leave(&v->dhcp->server, e);
}

void dhcp_free(struct vnet *v, struct env *e)
{
	if (!v->dhcp)
		return;
	dhcpd_done(&v->dhcp->server, e);
	mem_put(&e->mem, v->dhcp, sizeof(*v->dhcp));
	v->dhcp = NULL;
}

uint32_t dhcp_bytes(const struct vnet *v)
{
	return v->dhcp ? (uint32_t)sizeof(*v->dhcp) + dhcpd_bytes(&v->dhcp->server) : 0;
}
