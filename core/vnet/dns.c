/*
 * DNS in its place: questions of guests go to the server, its questions to the
 * DHT; and what this node publishes. Each address of ours may have two names:
 * its guest's own (DHCP, option 12) and the node's (network.name). A name is
 * published by CLAIM, so that it is the first one's for as long as that one
 * keeps it; it stands for all addresses that carry it here. A pointer leads
 * back to the guest's own name if it has one. Names end with the leases under
 * them: withdrawn when an address goes, and never renewed by anybody else.
 *
 * TCP is answered by a reset: answers that would need it do not exist here,
 * all addresses of a name fit 512 bytes. TC is set all the same if they do not.
 */
#include "core/vnet/dns_server.h"
#include "core/vnet/parts.h"

enum { NAMED_MAX = 512, TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16, RESETS_PER_S = 10, RESETS_BURST = 10 };

/** struct dns_named - one name of one address of ours */
struct dns_named {
	struct ip ip;
	bool host;			/* the guest's own, else the node's */
	uint8_t len;
	uint8_t label[DNS_LABEL_MAX];
};

struct vnet_dns {
	struct dnsd server;
	struct dns_named *named;
	uint16_t nameds, named_cap;
	struct bucket resets;
};

/* ---- what the server asks for ---- */

static bool look(void *ctx, struct env *e, uint64_t cookie, struct bytes name, uint8_t type)
{
	struct vnet *v = ctx;
	struct op op = { .kind = OP_LOOK, .type = type, .slot = slot_of_text(v->id, name), .name = name };

	return dht_ask(v->ports.dht, e, vnet_user(v), COOKIE(ASKER_DNS, cookie), &op, DNSD_ASK_MS * NS_PER_MS);
}

static void send_out(void *ctx, struct env *e, const struct dns_asker *to, struct bytes message)
{
	uint8_t buf[ETH_HEADER + IP6_HEADER + UDP_HEADER + DNSD_MESSAGE];
	struct writer w = writer_of(buf, sizeof(buf));
	struct vnet *v = ctx;
	struct build b;

	build_eth(&w, to->mac, v->mac, to->ip.family == 4 ? TYPE_IP4 : TYPE_IP6);
	b = build_udp(&w, &to->at, &to->ip, DNS_PORT, to->port);
	write_copy(&w, message.at, message.len);
	build_done(&w, &b);
	edge_out(v, e, &w, NULL);
}

static void due(void *ctx, struct env *e, int64_t at_ns)
{
	vnet_due(ctx, e, PART_DNS, at_ns);
}

static const struct dns_ports PORTS = { .look = look, .send = send_out, .due = due };

/* Made when it is first needed; NULL: no memory (counted). */
static struct vnet_dns *parts(struct vnet *v, struct env *e)
{
	if (!v->dns) {
		v->dns = mem_get(&e->mem, sizeof(*v->dns));
		if (!v->dns) {
			env_drop(e, DROP_MEMORY);
			return NULL;
		}
		dnsd_init(&v->dns->server, e, &PORTS, v);
	}
	v->dns->server.net = v->record;
	return v->dns;
}

/* ---- questions ---- */

/* RFC 9293 3.10.7.1: nobody listens here. */
static void tcp_reset(struct vnet *v, struct env *e, struct vnet_dns *d, const struct packet *p)
{
	uint8_t buf[ETH_HEADER + IP6_HEADER + TCP_HEADER];
	struct reader r = reader_of(p->l4.at + 4, TCP_HEADER - 4);
	struct writer w = writer_of(buf, sizeof(buf));
	uint32_t seq = read_u32(&r), ack = read_u32(&r);
	uint16_t flags = read_u16(&r);
	struct build b;
	uint16_t sum;

	env_drop(e, DROP_SERVICE);
	if (flags & TCP_RST || !bucket_take(&d->resets, e, RESETS_PER_S, RESETS_BURST))
		return;
	seq += (uint32_t)p->data.len + !!(flags & TCP_SYN) + !!(flags & TCP_FIN);
	build_eth(&w, p->mac_from, v->mac, p->type);
	b = build_ip(&w, &p->dst, &p->src, PROTO_TCP, 64);
	write_u16(&w, p->dport);
	write_u16(&w, p->sport);
	write_u32(&w, flags & TCP_ACK ? ack : 0);
	write_u32(&w, flags & TCP_ACK ? 0 : seq);
	write_u16(&w, (uint16_t)(5 << 12 | TCP_RST | (flags & TCP_ACK ? 0 : TCP_ACK)));
	write_u16(&w, 0);
	write_u32(&w, 0);			/* checksum, urgent pointer */
	build_done(&w, &b);
	if (!w.bad) {
		sum = sum_done(sum_add(sum_pseudo(&p->dst, &p->src, PROTO_TCP, TCP_HEADER), b.l4, TCP_HEADER));
		b.l4[16] = (uint8_t)(sum >> 8);
		b.l4[17] = (uint8_t)sum;
	}
	edge_out(v, e, &w, NULL);
}

void dns_packet(struct vnet *v, struct env *e, const struct packet *p)
{
	struct dns_asker from = { .ip = p->src, .at = p->dst, .port = p->sport };
	struct vnet_dns *d = parts(v, e);

	if (!d)
		return;
	if (p->proto == PROTO_TCP) {
		tcp_reset(v, e, d, p);
		return;
	}
	memcpy(from.mac, p->mac_from, sizeof(from.mac));
	dnsd_message(&d->server, e, &from, p->data);
}

void dns_done(struct vnet *v, struct env *e, const struct dht_done *done)
{
	struct vnet_dns *d = parts(v, e);

	if (d)
		dnsd_answer(&d->server, e, COOKIE_REST(done->cookie), done->verdict, done->value, done->values);
}

/* ---- what we publish ---- */

/* All addresses of ours under @label: published again, or withdrawn if there are none. */
static void name_again(struct vnet *v, struct env *e, struct bytes label)
{
	struct vnet_dns *d = v->dns;
	uint8_t list[DNSD_ADDRESSES * 17];
	struct writer w = writer_of(list, sizeof(list));

	for (unsigned i = 0; i < d->nameds; i++) {
		const struct dns_named *n = &d->named[i];
		unsigned before = 0;

		if (n->len != label.len || memcmp(n->label, label.at, label.len))
			continue;
		while (before < i && !(d->named[before].len == n->len && ip_eq(&d->named[before].ip, &n->ip) &&
				       !memcmp(d->named[before].label, n->label, n->len)))
			before++;
		if (before < i || writer_left(&w) < 17)
			continue;
		write_u8(&w, n->ip.family);
		write_copy(&w, n->ip.at, n->ip.family == 4 ? 4 : 16);
	}
	dnsd_forget(&d->server, e, label, VALUE_ADDRESS);
	if (!writer_len(&w))
		name_withdraw(v->ports.dht, e, vnet_user(v), v->id, label, VALUE_ADDRESS);
	else if (!name_publish(v->ports.dht, e, vnet_user(v), v->id, label, VALUE_ADDRESS,
			       (struct bytes){ list, writer_len(&w) }, 0, true))
		env_drop(e, DROP_FULL);
}

/* The pointer of @ip: to its guest's own name, else to the node's, else none. */
static void pointer_again(struct vnet *v, struct env *e, const struct ip *ip)
{
	struct vnet_dns *d = v->dns;
	const struct dns_named *best = NULL;
	uint8_t text[DNS_KEY_MAX];
	struct bytes key = { text, dns_reverse(ip, text) };

	for (unsigned i = 0; i < d->nameds; i++)
		if (ip_eq(&d->named[i].ip, ip) && (!best || d->named[i].host))
			best = &d->named[i];
	dnsd_forget(&d->server, e, key, VALUE_POINTER);
	if (!best)
		name_withdraw(v->ports.dht, e, vnet_user(v), v->id, key, VALUE_POINTER);
	else if (!name_publish(v->ports.dht, e, vnet_user(v), v->id, key, VALUE_POINTER,
			       (struct bytes){ best->label, best->len }, 0, true))
		env_drop(e, DROP_FULL);
}

static void name_del(struct vnet *v, struct env *e, unsigned i)
{
	struct vnet_dns *d = v->dns;
	struct dns_named was = d->named[i];

	d->nameds--;
	memmove(&d->named[i], &d->named[i + 1], (d->nameds - i) * sizeof(was));
	name_again(v, e, (struct bytes){ was.label, was.len });
	pointer_again(v, e, &was.ip);
}

static void name_add(struct vnet *v, struct env *e, const struct ip *ip, bool host, struct bytes label)
{
	struct dns_named n = { .ip = *ip, .host = host, .len = (uint8_t)label.len };
	struct vnet_dns *d = parts(v, e);

	if (!d || !dns_host_label(label, n.label))
		return;
	for (unsigned i = 0; i < d->nameds; i++) {
		if (!ip_eq(&d->named[i].ip, ip) || d->named[i].host != host)
			continue;
		if (d->named[i].len == n.len && !memcmp(d->named[i].label, n.label, n.len))
			return;
		name_del(v, e, i);
		break;
	}
	if (d->nameds == NAMED_MAX) {
		env_drop(e, DROP_FULL);
		return;
	}
	if (d->nameds == d->named_cap && !mem_grow(&e->mem, &d->named, &d->named_cap,
						   d->named_cap ? (uint16_t)(d->named_cap * 2) : 2, sizeof(*d->named))) {
		env_drop(e, DROP_MEMORY);
		return;
	}
	d->named[d->nameds++] = n;
	name_again(v, e, (struct bytes){ n.label, n.len });
	pointer_again(v, e, ip);
}

void dns_host(struct vnet *v, struct env *e, const struct ip *ip, struct bytes host)
{
	if (host.len) {
		name_add(v, e, ip, true, host);
		return;
	}
	for (unsigned i = 0; v->dns && i < v->dns->nameds; i++) {
		if (!v->dns->named[i].host || !ip_eq(&v->dns->named[i].ip, ip))
			continue;
		v->dns->server.net = v->record;
		name_del(v, e, i);
		return;
	}
}

void dns_owned(struct vnet *v, struct env *e, const struct ip *ip, bool ours)
{
	if (ours) {
		if (v->net->name.len)
			name_add(v, e, ip, false, v->net->name);
		return;
	}
	for (unsigned i = 0; v->dns && i < v->dns->nameds;) {
		if (ip_eq(&v->dns->named[i].ip, ip)) {
			v->dns->server.net = v->record;
			name_del(v, e, i);
		} else {
			i++;
		}
	}
}

/* ---- time, the end ---- */

/* Names come with addresses; there is nothing to say before the first one. */
void dns_start(struct vnet *v, struct env *e)
{
	(void)v, (void)e;
}

void dns_timer(struct vnet *v, struct env *e)
{
	struct vnet_dns *d = v->dns ? parts(v, e) : NULL;

	if (d)
		dnsd_timer(&d->server, e);
}

void dns_leave(struct vnet *v, struct env *e)
{
	while (v->dns && v->dns->nameds) {
		struct ip ip = v->dns->named[0].ip;

		dns_owned(v, e, &ip, false);
	}
}

void dns_free(struct vnet *v, struct env *e)
{
	struct vnet_dns *d = v->dns;

	if (!d)
		return;
	dnsd_done(&d->server, e);
	mem_grow(&e->mem, &d->named, &d->named_cap, 0, sizeof(*d->named));
	mem_put(&e->mem, d, sizeof(*d));
	v->dns = NULL;
}

uint32_t dns_bytes(const struct vnet *v)
{
	return v->dns ? (uint32_t)(sizeof(*v->dns) + dnsd_bytes(&v->dns->server) +
				   v->dns->named_cap * sizeof(*v->dns->named)) : 0;
}
