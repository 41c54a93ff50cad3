/*
 * dhcp_lab.h - one DHCP server and a page of leases for a DHT: what is asked of it waits until the test says how it went
 */
#ifndef DHCP_LAB_H
#define DHCP_LAB_H

#include <stdlib.h>

#include "core/vnet/dhcp_server.h"
#include "tests/unit/bare.h"
#include "tests/unit/suites.h"

enum { S_TERM = 3600, WANTS = 512, GATEWAY = 0x0afa0001 };

struct want {
	uint64_t cookie, client;
	struct ip ip;
	bool touch;
};

/** struct lab - one server, and what it asked for and said */
struct lab {
	struct bare bare;
	struct dhcpd d;
	struct network_record net;
	struct want want[WANTS];
	unsigned wants, touches, sent, releases, leased, gone;
	struct held held[300];		/* granted, not released */
	bool keep[300];
	unsigned helds;
	struct ip released, fixed;
	struct dhcp_message last;	/* what was sent last, decoded; options into buf */
	uint8_t buf[1500], to_mac[6];
	size_t len;
	struct ip to;
	char name[64];
	unsigned names, unnames;
	int64_t due_ns;
	bool full, guests_full;		/* the table of held leases; the table of guests */
};

static inline struct ip address(uint32_t a)
{
	return ip_v4(a);
}

static inline bool fake_want(void *ctx, struct env *e, uint64_t cookie, const struct ip *ip, uint64_t client)
{
	struct lab *l = ctx;

	(void)e;
	if (l->full || l->wants == WANTS)
		return false;
	l->want[l->wants++] = (struct want){ cookie, client, *ip, false };
	return true;
}

static inline bool fake_touch(void *ctx, struct env *e, uint64_t cookie, const struct ip *ip)
{
	struct lab *l = ctx;

	(void)e;
	l->touches++;
	l->want[l->wants++] = (struct want){ cookie, 0, *ip, true };
	return true;
}

static inline int held_of(const struct lab *l, const struct ip *ip)
{
	for (unsigned i = 0; i < l->helds; i++)
		if (ip_eq(&l->held[i].lease.ip, ip))
			return (int)i;
	return -1;
}

static inline void fake_keep(void *ctx, struct env *e, const struct ip *ip, bool keep)
{
	struct lab *l = ctx;
	int i = held_of(l, ip);

	(void)e;
	if (i >= 0)
		l->keep[i] = keep;
}

static inline void fake_release(void *ctx, struct env *e, const struct ip *ip)
{
	struct lab *l = ctx;
	int i = held_of(l, ip);

	(void)e;
	l->releases++;
	l->released = *ip;
	CU_ASSERT_TRUE_FATAL(i >= 0);		/* only what is held can be given back */
	l->held[i] = l->held[--l->helds];
	l->keep[i] = l->keep[l->helds];
}

static inline bool fake_believes(void *ctx, struct env *e, const struct ip *ip, int64_t *until_ns)
{
	struct lab *l = ctx;
	int i = held_of(l, ip);

	if (i < 0 || l->held[i].until_ns <= e->now_ns)
		return false;
	*until_ns = l->held[i].until_ns;
	return true;
}

static inline bool fake_fixed(void *ctx, struct env *e, const uint8_t mac[6], const struct ip *wish, struct ip *out)
{
	struct lab *l = ctx;

	(void)e, (void)wish;
	if (!l->fixed.family || mac[5] != 0xf1)
		return false;
	*out = l->fixed;
	return true;
}

static inline bool fake_leased(void *ctx, struct env *e, const uint8_t mac[6], const struct ip *ip, int64_t since_ns)
{
	struct lab *l = ctx;

	(void)e, (void)mac, (void)ip, (void)since_ns;
	l->leased += !l->guests_full;
	return !l->guests_full;
}

static inline void fake_gone(void *ctx, struct env *e, const struct ip *ip)
{
	(void)e, (void)ip;
	((struct lab *)ctx)->gone++;
}

static inline void fake_named(void *ctx, struct env *e, const struct ip *ip, struct bytes host)
{
	struct lab *l = ctx;

	(void)e, (void)ip;
	l->names += host.len > 0;
	l->unnames += !host.len;
	memset(l->name, 0, sizeof(l->name));
	if (host.len)
		memcpy(l->name, host.at, host.len);
}

static inline uint64_t fake_client(void *ctx, struct bytes id, const uint8_t mac[6])
{
	uint64_t h = 1;

	(void)ctx;
	for (size_t i = 0; i < (id.len ? id.len : 6); i++)
		h = h * 1099511628211ULL + (id.len ? id.at : mac)[i];
	return h << 8;
}

static inline void fake_send(void *ctx, struct env *e, const struct dhcp_out *o)
{
	struct lab *l = ctx;

	(void)e;
	l->sent++;
	CU_ASSERT_TRUE_FATAL(o->payload.len <= sizeof(l->buf));
	memcpy(l->buf, o->payload.at, o->payload.len);
	l->len = o->payload.len;
	memcpy(l->to_mac, o->mac, 6);
	l->to = o->to;
	CU_ASSERT_EQUAL_FATAL(dhcp_read((struct bytes){ l->buf, l->len }, &l->last), DROP_NONE);
	CU_ASSERT_EQUAL(l->last.op, DHCP_BOOTREPLY);
	CU_ASSERT_EQUAL(l->last.server, GATEWAY);
}

static inline void fake_due(void *ctx, struct env *e, int64_t at_ns)
{
	(void)e;
	((struct lab *)ctx)->due_ns = at_ns;
}

static const struct dhcp_ports FAKES = {
	fake_want, fake_touch, fake_keep, fake_release, fake_believes, fake_fixed, fake_leased, fake_gone, fake_named,
	fake_client, fake_send, fake_due,
};

static inline struct lab *lab_new(void)
{
	struct lab *l = calloc(1, sizeof(*l));

	bare_init(&l->bare, 1);
	l->bare.env.now_ns = 1000 * NS_PER_S;
	l->net = (struct network_record){
		.range4 = { ip_v4(0x0afa0000), 16 }, .domain = "lab", .term_s = S_TERM, .mtu = 1400,
	};
	dhcpd_init(&l->d, &l->bare.env, &FAKES, l);
	l->d.net = &l->net;
	return l;
}

static inline void lab_free(struct lab *l)
{
	dhcpd_done(&l->d, &l->bare.env);
	CU_ASSERT_TRUE(bare_done(&l->bare));
	free(l);
}

static inline uint64_t drops(const struct lab *l, enum drop why)
{
	return l->bare.fx.drops[why];
}

/** struct say - a guest's message; 0 leaves a field or option out */
struct say {
	uint8_t type, mac, op;
	uint32_t xid, ciaddr, requested, server, giaddr;
	const char *id, *host, *params;
	uint16_t max_size;
	bool broadcast, rapid;
	uint8_t hops;
};

static inline size_t compose(const struct say *s, uint8_t *buf, size_t room)
{
	struct dhcp_message m = {
		.op = s->op ? s->op : DHCP_BOOTREQUEST, .type = s->type, .xid = s->xid ? s->xid : 77, .ciaddr = s->ciaddr,
		.giaddr = s->giaddr, .hops = s->hops, .broadcast = s->broadcast, .mac = { 2, 0, 0, 0, 0, s->mac },
	};
	struct writer w = writer_of(buf, room);

	dhcp_begin(&w, &m);
	if (s->requested)
		dhcp_put_u32(&w, OPTION_REQUESTED, s->requested);
	if (s->server)
		dhcp_put_u32(&w, OPTION_SERVER, s->server);
	if (s->id)
		dhcp_put(&w, OPTION_CLIENT, s->id, strlen(s->id));
	if (s->host)
		dhcp_put(&w, OPTION_HOST, s->host, strlen(s->host));
	if (s->params)
		dhcp_put(&w, OPTION_PARAMS, s->params, strlen(s->params));
	if (s->max_size)
		dhcp_put_u16(&w, OPTION_MAX_SIZE, s->max_size);
	if (s->rapid)
		dhcp_put(&w, OPTION_RAPID, NULL, 0);
	dhcp_end(&w);
	return writer_len(&w);
}

static inline enum drop hear(struct lab *l, struct say s)
{
	uint8_t buf[600], mac[6] = { 2, 0, 0, 0, 0, s.mac };

	return dhcpd_message(&l->d, &l->bare.env, mac, (struct bytes){ buf, compose(&s, buf, sizeof(buf)) });
}
#define HEAR(l, t, m, ...) hear(l, (struct say){ .type = (t), .mac = (m), ##__VA_ARGS__ })

/* The oldest question to the DHT is answered. */
static inline struct want answer(struct lab *l, uint8_t word, uint8_t verdict, uint32_t ip)
{
	struct held_news n = { .word = word, .verdict = verdict };
	struct want w = l->want[0];

	CU_ASSERT_TRUE_FATAL(l->wants > 0);
	memmove(l->want, l->want + 1, --l->wants * sizeof(*l->want));
	n.held = (struct held){ .lease = { .ip = address(ip), .client = w.client }, .cookie = w.cookie,
				.until_ns = l->bare.env.now_ns + S_TERM * NS_PER_S };
	if (word == HELD_GRANTED || word == HELD_RENEWED) {
		int i = held_of(l, &n.held.lease.ip);

		if (i < 0)
			i = (int)l->helds++;
		l->held[i] = n.held;
	}
	dhcpd_held(&l->d, &l->bare.env, &n);
	return w;
}

static inline struct want grant(struct lab *l, uint32_t ip)
{
	return answer(l, HELD_GRANTED, VERDICT_OK, ip);
}

/* Time goes on, second by second; what is due happens. */
static inline void pass(struct lab *l, int s)
{
	for (int64_t end = l->bare.env.now_ns + s * NS_PER_S;;) {
		int64_t next = l->due_ns < end ? l->due_ns : end;

		if (next > l->bare.env.now_ns)
			l->bare.env.now_ns = next;
		if (l->due_ns > l->bare.env.now_ns)
			return;
		dhcpd_timer(&l->d, &l->bare.env);
		CU_ASSERT_TRUE_FATAL(l->due_ns > l->bare.env.now_ns);	/* nothing is due twice */
	}
}

/* Machine @mac gets @ip, the usual way. */
static inline void settle(struct lab *l, uint8_t mac, uint32_t ip)
{
	HEAR(l, DHCP_DISCOVER, mac);
	grant(l, ip);
	HEAR(l, DHCP_REQUEST, mac, .requested = ip, .server = GATEWAY);
	CU_ASSERT_EQUAL_FATAL(l->last.type, DHCP_ACK);
}

static inline uint32_t option(const struct lab *l, uint8_t code)
{
	uint32_t v = 0;

	return dhcp_option_u32(&l->last.options, code, &v) ? v : 0;
}

static inline bool has(const struct lab *l, uint8_t code)
{
	return dhcp_option(&l->last.options, code, NULL, 0) >= 0;
}

#endif /* DHCP_LAB_H */
