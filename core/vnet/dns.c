/*
 * DNS in its place: questions of guests go to the server, its questions to the
 * DHT; and what this node's addresses are called goes there as well. A name is
 * published by CLAIM: it is the first one's for as long as that one keeps it.
 *
 * TCP is answered by a reset: answers that would need it do not exist here,
 * all addresses of a name fit 512 bytes. TC is set all the same if they do not.
 */
#include "core/vnet/dns_forward.h"
#include "core/vnet/dns_names.h"

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16, RESETS_PER_S = 10, RESETS_BURST = 10 };

struct vnet_dns {
	struct dnsd server;
	struct dns_names names;
	struct dns_forwards forwards;
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
	uint8_t buf[ETH_HEADER + IP6_HEADER + UDP_HEADER + FORWARD_BYTES];
	struct writer w = writer_of(buf, sizeof(buf));
	struct vnet *v = ctx;
	struct build b;

	build_eth(&w, to->mac, v->mac, to->ip.family == 4 ? TYPE_IP4 : TYPE_IP6);
	b = build_udp(&w, &to->at, &to->ip, DNS_PORT, to->port);
	write_copy(&w, message.at, message.len);
	build_done(&w, &b);
	edge_out(v, e, &w, NULL);
}

static bool forward(void *ctx, struct env *e, const struct dns_asker *from, const struct dns_query *q)
{
	struct vnet *v = ctx;

	return forward_ask(&v->dns->forwards, v, e, from, q);
}

static void due(void *ctx, struct env *e, int64_t at_ns)
{
	vnet_due(ctx, e, PART_DNS, at_ns);
}

static const struct dns_ports PORTS = { .look = look, .forward = forward, .send = send_out, .due = due };

/* ---- what names ask for ---- */

static void publish(void *ctx, struct env *e, struct bytes name, uint8_t type, struct bytes value)
{
	struct vnet *v = ctx;

	dnsd_forget(&v->dns->server, e, name, type);
	if (!name_publish(v->ports.dht, e, vnet_user(v), v->id, name, type, value, 0, true))
		env_drop(e, DROP_FULL);
}

static void withdraw(void *ctx, struct env *e, struct bytes name, uint8_t type)
{
	struct vnet *v = ctx;

	dnsd_forget(&v->dns->server, e, name, type);
	name_withdraw(v->ports.dht, e, vnet_user(v), v->id, name, type);
}

static const struct named_ports NAMES = { .publish = publish, .withdraw = withdraw };

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
		v->dns->names = (struct dns_names){ .port = &NAMES, .ctx = v };
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

bool dns_takes(struct vnet *v, struct env *e, const struct packet *p)
{
	uint8_t out[FORWARD_BYTES];
	struct dns_asker to;
	struct bytes message;

	if (!v->dns || !forward_answer(&v->dns->forwards, p, &to, out, &message))
		return false;
	send_out(v, e, &to, message);
	return true;
}

void dns_done(struct vnet *v, struct env *e, const struct dht_done *done)
{
	struct vnet_dns *d = parts(v, e);

	if (d)
		dnsd_answer(&d->server, e, COOKIE_REST(done->cookie), done->verdict, done->value, done->values);
}

/* ---- what we publish ---- */

void dns_host(struct vnet *v, struct env *e, const struct ip *ip, struct bytes host)
{
	struct vnet_dns *d = host.len ? parts(v, e) : v->dns;

	if (d && host.len)
		names_add(&d->names, e, ip, NAMED_HOST, host);
	else if (d)
		names_del(&d->names, e, ip, NAMED_HOST);
}

void dns_owned(struct vnet *v, struct env *e, const struct ip *ip, bool ours)
{
	struct vnet_dns *d = ours && v->net->name.len ? parts(v, e) : v->dns;

	if (!d)
		return;
	if (!ours) {
		names_del(&d->names, e, ip, NAMED_HOST);
		names_del(&d->names, e, ip, NAMED_NODE);
	} else if (v->net->name.len) {
		names_add(&d->names, e, ip, NAMED_NODE, v->net->name);
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

	if (!d)
		return;
	dnsd_timer(&d->server, e);
	vnet_due(v, e, PART_DNS, forward_timer(&d->forwards, e));
}

void dns_leave(struct vnet *v, struct env *e)
{
	while (v->dns && v->dns->names.nameds) {
		struct ip ip = v->dns->names.named[0].ip;

		dns_owned(v, e, &ip, false);
	}
}

void dns_free(struct vnet *v, struct env *e)
{
	struct vnet_dns *d = v->dns;

	if (!d)
		return;
	dnsd_done(&d->server, e);
	names_free(&d->names, e);
	forward_free(&d->forwards, e);
	mem_put(&e->mem, d, sizeof(*d));
	v->dns = NULL;
}

uint32_t dns_bytes(const struct vnet *v)
{
	return v->dns ? (uint32_t)(sizeof(*v->dns) + dnsd_bytes(&v->dns->server) +
				   v->dns->names.cap * sizeof(*v->dns->names.named) +
				   v->dns->forwards.cap * sizeof(*v->dns->forwards.asked)) : 0;
}
