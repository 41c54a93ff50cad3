/*
 * town.h - nodes with a guest behind each tap, and what the guests hear
 *
 * Guests are as small as can be: a static address, an answer to ARP and to echo
 * requests, and counts of what came. What they answer goes in a millisecond
 * later. The wire is looked at for SECRET, which every ping carries.
 */
#ifndef STORY_TOWN_H
#define STORY_TOWN_H

#include <stdlib.h>

#include "core/inside.h"
#include "core/ring/label.h"
#include "core/vnet/path.h"
#include "tests/story/tell.h"
#include "tests/unit/suites.h"

enum { SEEN = 512, REPLIES = 64, GUESTS = 16, NETS = 2 };

static const char SECRET[] = "between two guests and nobody else";

struct guest_host {			/* a machine behind the tap of one node, with a static address */
	struct ip ip;
	uint8_t mac[6], gateway[6];	/* of whoever answered its last ARP */
	bool answered;			/* that ARP */
	unsigned echoes, replies, datagrams, unreachable, groups, twice;
	uint16_t ids[SEEN];		/* identifiers of what came */
	unsigned seen;
	size_t longest;
	struct offload offload;
};

struct later { unsigned node, net; uint16_t len; uint8_t data[9300]; };

struct town {
	struct stage *s;
	struct guest_host g[NETS][STAGE_NODES];
	struct later reply[REPLIES];
	unsigned replies;
	bool silent;			/* guests answer nothing */
	/* the wire */
	unsigned relayed_data;		/* data packets not sent by either end */
	unsigned secrets;		/* packets in which SECRET stood */
	unsigned end[2], broadcasts;
	bool (*lose)(struct town *t, unsigned from, unsigned to, const struct datagram *d);
	unsigned dead;
};

static struct town *town;		/* of the story that runs */

static inline void send_later(unsigned node, unsigned net, const struct writer *w)
{
	struct later *l = &town->reply[town->replies++];

	CU_ASSERT_TRUE_FATAL(town->replies <= REPLIES && writer_len(w) <= sizeof(l->data));
	l->node = node;
	l->net = net;
	l->len = (uint16_t)writer_len(w);
	memcpy(l->data, w->start, l->len);
}

static inline void on_arp(struct guest_host *g, unsigned node, unsigned net, const struct packet *p)
{
	uint8_t buf[64];
	struct writer w = writer_of(buf, sizeof(buf));

	if (p->arp_op == 2 && ip_eq(&p->dst, &g->ip)) {
		memcpy(g->gateway, p->arp_sha, 6);
		g->answered = true;
	} else if (p->arp_op == 1 && ip_eq(&p->dst, &g->ip)) {
		build_arp(&w, p->mac_from, 2, g->mac, &g->ip, p->arp_sha, &p->src);
		send_later(node, net, &w);
	}
}

static inline void on_packet(struct guest_host *g, unsigned node, unsigned net, const struct packet *p)
{
	uint8_t buf[9300];
	struct writer w = writer_of(buf, sizeof(buf));
	struct build b;
	uint16_t id = p->l4.len >= 8 ? (uint16_t)(p->l4.at[4] << 8 | p->l4.at[5]) : 0;

	if (p->group || ip_broadcast(&p->dst, &town->s->record[net].range4)) {
		g->groups++;
		return;
	}
	if (p->proto == PROTO_UDP) {
		g->datagrams++;
		g->offload = p->offload;
		g->longest = p->l3.len > g->longest ? p->l3.len : g->longest;
		return;
	}
	if (p->proto != PROTO_ICMP)
		return;
	g->unreachable += p->icmp_type == 3;
	if (p->icmp_type == 0 || p->icmp_type == 8) {
		for (unsigned i = 0; i < g->seen; i++)
			g->twice += g->ids[i] == id;
		if (g->seen < SEEN)
			g->ids[g->seen++] = id;
		g->longest = p->l3.len > g->longest ? p->l3.len : g->longest;
	}
	g->replies += p->icmp_type == 0;
	if (p->icmp_type != 8)
		return;
	g->echoes++;
	if (town->silent)
		return;
	build_eth(&w, p->mac_from, g->mac, TYPE_IP4);
	b = build_icmp(&w, &p->dst, &p->src, 64, 0, 0, (uint32_t)(id + 0x8000) << 16 | 1);
	write_copy(&w, p->data.at, p->data.len);
	build_done(&w, &b);
	send_later(node, net, &w);
}

static inline void tap(struct stage *s, unsigned i, const struct frame *f, void *arg)
{
	unsigned net = f->iface - 1;
	struct guest_host *g = &town->g[net][i];
	struct packet p;

	(void)s;
	(void)arg;
	if (!g->ip.family || packet_read(&p, (struct bytes){ f->data, f->len }, &f->offload) != DROP_NONE)
		return;
	if (p.type == TYPE_ARP)
		on_arp(g, i, net, &p);
	else if (mac_eq(p.mac_to, g->mac) || mac_group(p.mac_to))
		on_packet(g, i, net, &p);
}

static inline bool wire(struct stage *s, unsigned from, unsigned to, const struct datagram *d, void *arg)
{
	(void)s;
	(void)arg;
	town->secrets += memmem(d->data, d->len, SECRET, sizeof(SECRET) - 1) != NULL;
	town->relayed_data += d->kind == MESSAGE_DATA && from != town->end[0] && from != town->end[1];
	town->broadcasts += d->kind == MESSAGE_CAST;
	return !town->lose || !town->lose(town, from, to, d);
}

static inline void run(struct town *t, int64_t for_ms)
{
	int64_t until = t->s->now_ns + for_ms * NS_PER_MS;

	while (t->s->now_ns < until) {
		stage_run(t->s, t->s->now_ns + NS_PER_MS < until ? NS_PER_MS : until - t->s->now_ns);
		for (unsigned i = 0; i < t->replies; i++) {
			struct later l = t->reply[i];

			stage_frame(t->s, l.node, l.net, l.data, l.len);
		}
		t->replies = 0;
	}
}

/* The certificate of node @i in the first network gives it 10.1.1.@last for good. */
static inline void fix(struct stage *s, unsigned i, unsigned last)
{
	struct prefix p = { .addr = { 10, 1, 1, (uint8_t)last }, .family = 4, .bits = 32 };
	uint8_t seed[32] = { 9, 0 }, signer[SIGN_BYTES], secret[SIGN_BYTES], salt[CERT_SALT] = { 0 };
	struct cert_order o = { .roles = ROLE_MEMBER, .serial = i + 1, .salt = salt, .any = true,
				.prefixes = &p, .prefix_count = 1 };
	struct writer w = writer_of(s->actor[i].member_chain[0], CERT_CHAIN_MAX);

	s->suite->sign_pair(signer, seed);		/* as stage_network() does */
	s->suite->sign_pair(secret, s->actor[i].seed);
	o.key = secret + KEY_BYTES;
	CU_ASSERT_TRUE_FATAL(cert_issue(s->suite, signer, &o, &w));
	CU_ASSERT_EQUAL_FATAL(identity_init(&s->actor[i].member[0], s->suite, s->actor[i].seed,
					    (struct bytes){ w.start, writer_len(&w) }, signer + KEY_BYTES, 0), FAULT_NONE);
}

static inline struct town *town_like(unsigned nodes, uint16_t mtu, unsigned networks, uint8_t model)
{
	struct network_record n;
	struct town *t = calloc(1, sizeof(*t));

	town = t;
	t->s = stage_new(nodes, &suite_sodium);
	t->end[0] = t->end[1] = STAGE_NODES;
	network_defaults(&n);
	strcpy(n.name, "town");
	n.mtu = mtu;
	n.reserved[0] = (struct ip_range){ ip_v4(0x0a010100), 24 };
	n.reserveds = 1;
	n.range4 = (struct ip_range){ ip_v4(0x0a010000), 16 };
	for (unsigned i = 0; i < networks; i++)
		stage_network(t->s, &n);
	fix(t->s, 2, 10);
	if (nodes > 4)
		fix(t->s, 4, 20);
	t->s->tap = tap;
	t->s->wire = wire;
	for (unsigned i = 0; i < nodes; i++) {
		for (unsigned k = 0; k < networks; k++)
			t->s->actor[i].network[k].model = model;
		stage_up(t->s, i, false);
		run(t, i ? 300 : 2000);
	}
	run(t, 20000);
	return t;
}

static inline struct town *town_of(unsigned nodes, uint16_t mtu, unsigned networks)
{
	return town_like(nodes, mtu, networks, MODEL_INTERFACE);
}

static inline struct town *town_new(unsigned nodes)
{
	return town_of(nodes, MTU_DEFAULT, 1);
}

static inline void town_free(struct town *t)
{
	stage_free(t->s);
	free(t);
}

/* A machine with 10.1.0.@last is behind node @i. */
static inline void plug_in(struct town *t, unsigned net, unsigned i, unsigned last)
{
	t->g[net][i] = (struct guest_host){ .ip = ip_v4(0x0a010000 + last), .mac = { 2, 0, 0, 0, 0, (uint8_t)last } };
}

/* It says who it is. */
static inline void speak_up(struct town *t, unsigned net, unsigned i)
{
	const struct guest_host *g = &t->g[net][i];
	uint8_t buf[64];
	struct writer w = writer_of(buf, sizeof(buf));

	build_arp(&w, mac_broadcast, 1, g->mac, &g->ip, (uint8_t[6]){ 0 }, &g->ip);
	stage_frame(t->s, i, net, buf, (uint16_t)writer_len(&w));
}

/* Does node @i serve @ip? */
static inline bool served(const struct town *t, unsigned net, unsigned i, const struct ip *ip)
{
	const struct node *n = t->s->actor[i].node;

	return n && edge_serves(n->vnet[net], &n->env, ip, NULL);
}

/* The guest of node @i speaks up under 10.1.0.@last, until that is its own. */
static inline void settle_in(struct town *t, unsigned net, unsigned i, unsigned last)
{
	plug_in(t, net, i, last);
	for (unsigned try = 0; try < 10; try++) {
		speak_up(t, net, i);
		run(t, 1000);
		if (served(t, net, i, &t->g[net][i].ip))
			return;
	}
	CU_FAIL_FATAL("the address was never granted");
}

static inline void settle(struct town *t, unsigned i, unsigned last)
{
	settle_in(t, 0, i, last);
}

static inline void arp_for(struct town *t, unsigned i, unsigned last)
{
	struct guest_host *g = &t->g[0][i];
	struct ip ip = ip_v4(0x0a010000 + last);
	uint8_t buf[64];
	struct writer w = writer_of(buf, sizeof(buf));

	g->answered = false;
	build_arp(&w, mac_broadcast, 1, g->mac, &g->ip, (uint8_t[6]){ 0 }, &ip);
	stage_frame(t->s, i, 0, buf, (uint16_t)writer_len(&w));
}

static inline void ping_in(struct town *t, unsigned net, unsigned i, unsigned last, uint16_t id, size_t len)
{
	struct guest_host *g = &t->g[net][i];
	struct ip ip = ip_v4(0x0a010000 + last);
	uint8_t buf[9300], *fill;
	struct writer w = writer_of(buf, sizeof(buf));
	struct build b;

	build_eth(&w, g->gateway, g->mac, TYPE_IP4);
	b = build_icmp(&w, &g->ip, &ip, 64, 8, 0, (uint32_t)id << 16 | 1);
	fill = write_space(&w, len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fill);
	for (size_t k = 0; k < len; k++)
		fill[k] = (uint8_t)SECRET[k % (sizeof(SECRET) - 1)];
	build_done(&w, &b);
	stage_frame(t->s, i, net, buf, (uint16_t)writer_len(&w));
}

static inline void ping(struct town *t, unsigned i, unsigned last, uint16_t id, size_t len)
{
	ping_in(t, 0, i, last, id, len);
}

static inline void meet(struct town *t, unsigned a, unsigned b)
{
	t->end[0] = a;
	t->end[1] = b;
	settle(t, a, 10);
	settle(t, b, 20);
	arp_for(t, a, 20);
	run(t, 3000);
	CU_ASSERT_TRUE_FATAL(t->g[0][a].answered);
}

static inline bool view(struct town *t, unsigned i, struct tunnel_view *v)
{
	for (unsigned k = 0; k < TUNNELS_MAX; k++)
		if (tunnel_at(t->s->actor[i].node->tunnels, k, v) &&
		    (id_eq(v->peer, t->s->actor[t->end[0]].identity.id) ||
		     id_eq(v->peer, t->s->actor[t->end[1]].identity.id)))
			return true;
	return false;
}

static inline bool linked(struct town *t, unsigned a, unsigned b)
{
	struct links *l = t->s->actor[a].node->links;

	return links_up(l, links_find(l, t->s->actor[b].identity.id));
}

/* Two nodes that have no link, as far from each other as can be. */
static inline void apart(struct town *t, unsigned *a, unsigned *b)
{
	*b = 0;
	for (*a = 1; *a < t->s->actors; (*a)++)
		for (*b = *a + 1; *b < t->s->actors; (*b)++)
			if (!linked(t, *a, *b))
				return;
	CU_FAIL_FATAL("everybody has links to everybody");
}

#endif /* STORY_TOWN_H */
