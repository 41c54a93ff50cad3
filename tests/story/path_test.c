/*
 * Guests of different nodes talk: packets go from tap to tap, sealed end to end,
 * over whatever carries them, and only where the slot says that an address is.
 */
#include <stdlib.h>

#include "tests/story/tell.h"

#include "core/inside.h"
#include "core/ring/label.h"
#include "core/vnet/path.h"
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

static void send_later(unsigned node, unsigned net, const struct writer *w)
{
	struct later *l = &town->reply[town->replies++];

	CU_ASSERT_TRUE_FATAL(town->replies <= REPLIES && writer_len(w) <= sizeof(l->data));
	l->node = node;
	l->net = net;
	l->len = (uint16_t)writer_len(w);
	memcpy(l->data, w->start, l->len);
}

static void on_arp(struct guest_host *g, unsigned node, unsigned net, const struct packet *p)
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

static void on_packet(struct guest_host *g, unsigned node, unsigned net, const struct packet *p)
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

static void tap(struct stage *s, unsigned i, const struct frame *f, void *arg)
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

static bool wire(struct stage *s, unsigned from, unsigned to, const struct datagram *d, void *arg)
{
	(void)s;
	(void)arg;
	town->secrets += memmem(d->data, d->len, SECRET, sizeof(SECRET) - 1) != NULL;
	town->relayed_data += d->kind == MESSAGE_DATA && from != town->end[0] && from != town->end[1];
	town->broadcasts += d->kind == MESSAGE_CAST;
	return !town->lose || !town->lose(town, from, to, d);
}

static void run(struct town *t, int64_t for_ms)
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
static void fix(struct stage *s, unsigned i, unsigned last)
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

static struct town *town_of(unsigned nodes, uint16_t mtu, unsigned networks)
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
		stage_up(t->s, i, false);
		run(t, i ? 300 : 2000);
	}
	run(t, 20000);
	return t;
}

static struct town *town_new(unsigned nodes)
{
	return town_of(nodes, MTU_DEFAULT, 1);
}

static void town_free(struct town *t)
{
	stage_free(t->s);
	free(t);
}

/* The guest of node @i speaks up under 10.1.0.@last, until that is its own. */
static void settle_in(struct town *t, unsigned net, unsigned i, unsigned last)
{
	struct guest_host *g = &t->g[net][i];
	uint8_t buf[64];

	*g = (struct guest_host){ .ip = ip_v4(0x0a010000 + last), .mac = { 2, 0, 0, 0, 0, (uint8_t)last } };
	for (unsigned try = 0; try < 10; try++) {
		struct writer w = writer_of(buf, sizeof(buf));

		build_arp(&w, mac_broadcast, 1, g->mac, &g->ip, (uint8_t[6]){ 0 }, &g->ip);
		stage_frame(t->s, i, net, buf, (uint16_t)writer_len(&w));
		run(t, 1000);
		if (edge_serves(t->s->actor[i].node->vnet[net], &t->s->actor[i].node->env, &g->ip, NULL))
			return;
	}
	CU_FAIL_FATAL("the address was never granted");
}

static void settle(struct town *t, unsigned i, unsigned last)
{
	settle_in(t, 0, i, last);
}

static void arp_for(struct town *t, unsigned i, unsigned last)
{
	struct guest_host *g = &t->g[0][i];
	struct ip ip = ip_v4(0x0a010000 + last);
	uint8_t buf[64];
	struct writer w = writer_of(buf, sizeof(buf));

	g->answered = false;
	build_arp(&w, mac_broadcast, 1, g->mac, &g->ip, (uint8_t[6]){ 0 }, &ip);
	stage_frame(t->s, i, 0, buf, (uint16_t)writer_len(&w));
}

static void ping_in(struct town *t, unsigned net, unsigned i, unsigned last, uint16_t id, size_t len)
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

static void ping(struct town *t, unsigned i, unsigned last, uint16_t id, size_t len)
{
	ping_in(t, 0, i, last, id, len);
}

static void meet(struct town *t, unsigned a, unsigned b)
{
	t->end[0] = a;
	t->end[1] = b;
	settle(t, a, 10);
	settle(t, b, 20);
	arp_for(t, a, 20);
	run(t, 3000);
	CU_ASSERT_TRUE_FATAL(t->g[0][a].answered);
}

static bool view(struct town *t, unsigned i, struct tunnel_view *v)
{
	for (unsigned k = 0; k < TUNNELS_MAX; k++)
		if (tunnel_at(t->s->actor[i].node->tunnels, k, v) &&
		    (id_eq(v->peer, t->s->actor[t->end[0]].identity.id) ||
		     id_eq(v->peer, t->s->actor[t->end[1]].identity.id)))
			return true;
	return false;
}

static bool linked(struct town *t, unsigned a, unsigned b)
{
	struct links *l = t->s->actor[a].node->links;

	return links_up(l, links_find(l, t->s->actor[b].identity.id));
}

/* Two nodes that have no link, as far from each other as can be. */
static void apart(struct town *t, unsigned *a, unsigned *b)
{
	for (*a = 1; *a < t->s->actors; (*a)++)
		for (*b = *a + 1; *b < t->s->actors; (*b)++)
			if (!linked(t, *a, *b))
				return;
	CU_FAIL_FATAL("everybody has links to everybody");
}

/* ---- the stories ---- */

static void two_guests_ping_each_other(void)
{
	struct town *t = town_new(3);

	meet(t, 1, 2);
	for (unsigned i = 0; i < 10; i++) {
		ping(t, 1, 20, (uint16_t)(i + 1), 100);
		run(t, 200);
	}
	run(t, 2000);
	CU_ASSERT_EQUAL(t->g[0][2].echoes, 10);
	CU_ASSERT_EQUAL(t->g[0][1].replies, 10);
	CU_ASSERT_EQUAL(t->g[0][1].twice + t->g[0][2].twice, 0);
	CU_ASSERT_EQUAL(t->secrets, 0);
	town_free(t);
}

static void what_a_relay_carries_it_cannot_read(void)
{
	struct town *t = town_new(24);
	struct tunnel_view v;
	unsigned a, b;

	apart(t, &a, &b);
	meet(t, a, b);
	for (unsigned i = 0; i < 8; i++) {		/* too little to earn a link */
		ping(t, a, 20, (uint16_t)(i + 1), 400);
		run(t, 1000);
	}
	CU_ASSERT_EQUAL(t->g[0][a].replies, 8);
	CU_ASSERT_FALSE(linked(t, a, b));
	CU_ASSERT_TRUE(t->relayed_data >= 8);
	CU_ASSERT_EQUAL(t->secrets, 0);
	CU_ASSERT_TRUE(view(t, a, &v) && v.up && v.chained && !v.direct);
	town_free(t);
}

static void traffic_that_lasts_earns_a_link_and_loses_it_when_it_ends(void)
{
	struct town *t = town_new(24);
	struct tunnel_view v;
	unsigned a, b, before;

	apart(t, &a, &b);
	meet(t, a, b);
	for (unsigned i = 0; i < 100; i++) {
		ping(t, a, 20, (uint16_t)(i + 1), 400);
		run(t, 100);
	}
	run(t, 1000);
	CU_ASSERT_EQUAL(t->g[0][a].replies, 100);
	CU_ASSERT_TRUE(linked(t, a, b) && view(t, a, &v) && v.direct);
	before = t->relayed_data;
	for (unsigned i = 0; i < 90; i++) {		/* little, but it goes on: the link stays */
		ping(t, a, 20, (uint16_t)(1000 + i), 400);
		run(t, 2000);
	}
	CU_ASSERT_EQUAL(t->g[0][a].replies, 190);
	CU_ASSERT_TRUE(linked(t, a, b));
	CU_ASSERT_EQUAL(t->relayed_data, before);
	run(t, 180000);
	CU_ASSERT_FALSE(linked(t, a, b));
	CU_ASSERT_EQUAL(t->secrets, 0);
	town_free(t);
}

static void large_frames_and_offloads_cross_a_chain(void)
{
	struct town *t = town_new(24);
	struct guest_host *g;
	uint8_t buf[3000];
	struct writer w = writer_of(buf, sizeof(buf));
	struct ip to = ip_v4(0x0a010014);
	struct event ev = { .kind = EVENT_FRAME, .iface = 1 };
	struct build build;
	unsigned a, b;

	apart(t, &a, &b);
	meet(t, a, b);
	ping(t, a, 20, 1, 100);
	run(t, 2000);
	ping(t, a, 20, 2, 1372);				/* the network's MTU: two pieces */
	run(t, 1000);
	CU_ASSERT_EQUAL(t->g[0][a].replies, 2);
	CU_ASSERT_EQUAL(t->g[0][b].longest, 1400);
	g = &t->g[0][a];
	build_eth(&w, g->gateway, g->mac, TYPE_IP4);		/* a batch of UDP segments, its checksum undone */
	build = build_udp(&w, &g->ip, &to, 5, 6);
	memset(write_space(&w, 2600), 7, 2600);
	build_done(&w, &build);
	ev.data = (struct bytes){ buf, writer_len(&w) };
	ev.offload = (struct offload){ .segment = 1300, .partial = 1, .checksum_start = 34, .checksum_offset = 6 };
	stage_event(t->s, a, &ev);
	run(t, 1000);
	CU_ASSERT_EQUAL(t->g[0][b].datagrams, 1);
	CU_ASSERT_EQUAL(t->g[0][b].longest, 2628);
	CU_ASSERT_EQUAL(t->g[0][b].offload.segment, 1300);
	CU_ASSERT_EQUAL(t->g[0][b].offload.checksum_start, 20);		/* packet_read() counts from the IP header */
	CU_ASSERT_EQUAL(t->g[0][b].offload.checksum_offset, 6);
	CU_ASSERT_EQUAL(t->g[0][b].offload.partial, 1);
	town_free(t);
}

static void frames_of_9000_bytes_cross_a_chain_and_a_link(void)
{
	struct town *t = town_of(24, 9000, 1);
	unsigned a, b;

	apart(t, &a, &b);
	meet(t, a, b);
	ping(t, a, 20, 1, 100);
	run(t, 2000);
	for (unsigned i = 0; i < 3; i++) {
		ping(t, a, 20, (uint16_t)(2 + i), 8972);
		run(t, 300);
	}
	CU_ASSERT_EQUAL(t->g[0][a].replies, 4);
	CU_ASSERT_EQUAL(t->g[0][b].longest, 9000);
	for (unsigned i = 0; i < 20; i++) {
		ping(t, a, 20, (uint16_t)(10 + i), 8972);
		run(t, 100);
	}
	run(t, 1000);
	CU_ASSERT_EQUAL(t->g[0][a].replies, 24);
	CU_ASSERT_TRUE(linked(t, a, b));
	CU_ASSERT_EQUAL(t->secrets, 0);
	town_free(t);
}

static void first_packets_wait_and_go_in_order(void)
{
	struct town *t = town_new(24);
	struct guest_host *g;
	int64_t began;
	unsigned a, b;

	apart(t, &a, &b);
	t->end[0] = a;
	t->end[1] = b;
	settle(t, a, 10);
	settle(t, b, 20);
	g = &t->g[0][b];
	memcpy(t->g[0][a].gateway, t->s->actor[a].node->vnet[0]->mac, 6);
	began = t->s->now_ns;
	for (unsigned i = 0; i < 10; i++)		/* nothing is resolved, no tunnel is there: eight may wait */
		ping(t, a, 20, (uint16_t)(i + 1), 100);
	while (!g->echoes && t->s->now_ns < began + 5 * NS_PER_S)
		run(t, 10);
	CU_ASSERT_TRUE(t->s->now_ns - began < 2 * NS_PER_S);
	run(t, 3000);
	CU_ASSERT_EQUAL(g->echoes, 8);
	for (unsigned i = 0; i < g->seen; i++)
		CU_ASSERT_EQUAL(g->ids[i], i + 1);
	CU_ASSERT_TRUE(t->s->fx.drops[DROP_FULL] >= 2);
	CU_ASSERT_EQUAL(t->g[0][a].replies, 8);
	town_free(t);
}

/* An echo request for 10.1.0.20 from *@src, which is not ours to use */
static void forge(struct node *n, void *src)
{
	struct ip to = ip_v4(0x0a010014);
	uint8_t buf[200] = { PAYLOAD_IP };
	struct writer w = writer_of(buf + 1, sizeof(buf) - 1);
	struct build b = build_icmp(&w, src, &to, 64, 8, 0, 77u << 16);

	build_done(&w, &b);
	tunnels_send(&n->env, n->tunnels, 0, town->s->actor[4].identity.id, (struct bytes){ buf, writer_len(&w) + 1 }, NULL);
}

static void a_member_that_forges_a_source_is_not_believed(void)
{
	struct town *t = town_new(6);
	struct ip from = ip_v4(0x0a01000a), free = ip_v4(0x0a010063);
	uint64_t before;

	meet(t, 1, 4);
	ping(t, 1, 20, 1, 100);
	run(t, 1000);
	CU_ASSERT_EQUAL(t->g[0][4].echoes, 1);
	before = t->s->fx.drops[DROP_SPOOFED];
	for (unsigned i = 0; i < 20; i++) {
		stage_inside(t->s, 3, forge, i & 1 ? &from : &free);
		run(t, 200);
	}
	run(t, 4000);
	CU_ASSERT_EQUAL(t->g[0][4].echoes, 1);
	CU_ASSERT_TRUE(t->s->fx.drops[DROP_SPOOFED] - before >= 15);
	ping(t, 1, 20, 2, 100);				/* and the true owner is heard as before */
	run(t, 1000);
	CU_ASSERT_EQUAL(t->g[0][4].echoes, 2);
	town_free(t);
}

static bool lose_some(struct town *t, unsigned from, unsigned to, const struct datagram *d)
{
	(void)from;
	(void)to;
	(void)d;
	return ++t->dead % 20 == 0;			/* every twentieth packet of all */
}

static void with_packets_lost_most_arrive_and_none_twice(void)
{
	struct town *t = town_new(24);
	unsigned a, b;

	apart(t, &a, &b);
	meet(t, a, b);
	t->lose = lose_some;
	for (unsigned i = 0; i < 100; i++) {
		ping(t, a, 20, (uint16_t)(i + 1), 100);
		run(t, 700);
	}
	CU_ASSERT_TRUE(t->g[0][a].replies >= 60);	/* 0.95 to the power of eight hops */
	CU_ASSERT_EQUAL(t->g[0][a].twice + t->g[0][b].twice, 0);
	town_free(t);
}

static void when_a_relay_crashes_packets_go_around_it_within_seconds(void)
{
	struct town *t = town_new(24);
	struct tunnel_view v;
	unsigned a, b, relay, replies, silence = 0, longest = 0;

	apart(t, &a, &b);
	meet(t, a, b);
	for (unsigned i = 0; i < 5; i++) {
		ping(t, a, 20, (uint16_t)(i + 1), 100);
		run(t, 700);
	}
	CU_ASSERT_TRUE_FATAL(view(t, a, &v) && v.chained);
	relay = stage_name(t->s, v.via);
	CU_ASSERT_TRUE_FATAL(relay < 24 && relay != b);
	stage_crash(t->s, relay);
	for (unsigned i = 0; i < 60; i++) {
		replies = t->g[0][a].replies;
		ping(t, a, 20, (uint16_t)(100 + i), 100);
		run(t, 700);
		silence = t->g[0][a].replies > replies ? 0 : silence + 700;
		longest = silence > longest ? silence : longest;
	}
	CU_ASSERT_TRUE(longest <= 7000);
	CU_ASSERT_TRUE(view(t, a, &v) && v.up && !id_eq(v.via, t->s->actor[relay].identity.id));
	town_free(t);
}

static void claim_what_is_fixed(struct node *n, void *arg)
{
	static const uint8_t SERIAL[8] = { 0xff };

	name_publish(n->dht, &n->env, DHT_USER_NAMES, n->vnet[0]->id, (struct bytes){ (const uint8_t *)"=0a010114", 9 },
		     VALUE_TOKEN, (struct bytes){ SERIAL, 8 }, 0, false);
	(void)arg;
}

static void a_fixed_address_is_its_certificates_whoever_else_says_so(void)
{
	struct town *t = town_new(6);

	stage_inside(t->s, 3, claim_what_is_fixed, NULL);	/* a member, of a higher serial, without that address */
	run(t, 3000);
	t->end[0] = 2;
	t->end[1] = 4;
	settle(t, 2, 256 + 10);
	settle(t, 4, 256 + 20);
	memcpy(t->g[0][2].gateway, t->s->actor[2].node->vnet[0]->mac, 6);
	for (unsigned i = 0; i < 10; i++) {
		ping(t, 2, 256 + 20, (uint16_t)(i + 1), 100);
		run(t, 500);
	}
	CU_ASSERT_EQUAL(t->g[0][4].echoes, 10);
	CU_ASSERT_EQUAL(t->g[0][2].replies, 10);
	town_free(t);
}

static void a_node_that_restarts_is_talked_to_again(void)
{
	struct town *t = town_new(6);
	unsigned before;

	meet(t, 2, 4);
	for (unsigned i = 0; i < 5; i++) {
		ping(t, 2, 20, (uint16_t)(i + 1), 100);
		run(t, 300);
	}
	CU_ASSERT_EQUAL(t->g[0][2].replies, 5);
	stage_crash(t->s, 4);
	stage_up(t->s, 4, true);
	run(t, 1000);
	for (unsigned i = 0; i < 40; i++) {
		uint8_t buf[64];
		struct writer w = writer_of(buf, sizeof(buf));
		struct guest_host *g = &t->g[0][4];

		if (i % 5 == 0) {			/* its guest is still there, and heard now and then */
			build_arp(&w, mac_broadcast, 1, g->mac, &g->ip, (uint8_t[6]){ 0 }, &g->ip);
			stage_frame(t->s, 4, 0, buf, (uint16_t)writer_len(&w));
		}
		ping(t, 2, 20, (uint16_t)(100 + i), 100);
		run(t, 1000);
	}
	before = t->g[0][2].replies;
	for (unsigned i = 0; i < 10; i++) {
		ping(t, 2, 20, (uint16_t)(200 + i), 100);
		run(t, 300);
	}
	CU_ASSERT_EQUAL(t->g[0][2].replies, before + 10);
	town_free(t);
}

static void an_address_nobody_has_is_unreachable_and_asked_for_once_in_a_while(void)
{
	struct town *t = town_new(4);

	meet(t, 1, 2);
	for (unsigned i = 0; i < 10; i++) {
		ping(t, 1, 99, (uint16_t)(i + 1), 100);
		run(t, 300);
	}
	run(t, 4000);
	CU_ASSERT_TRUE(t->g[0][1].unreachable > 0);
	CU_ASSERT_EQUAL(t->g[0][2].echoes, 0);
	town_free(t);
}

static void a_moved_address_is_followed_within_seconds(void)
{
	struct town *t = town_new(6);
	struct guest_host *g = &t->g[0][5];
	const struct reply *r;

	meet(t, 1, 4);
	for (unsigned i = 0; i < 5; i++) {
		ping(t, 1, 20, (uint16_t)(i + 1), 100);
		run(t, 300);
	}
	CU_ASSERT_EQUAL(t->g[0][1].replies, 5);
	/* node 4 gives the address back, and the machine is behind node 5 now */
	t->g[0][4].ip.family = 0;
	r = stage_ask(t->s, 4, &(struct request){ .token = 7, .ask = ASK_RELEASE, .ip = ip_v4(0x0a010014), .timeout_ns = 10 * NS_PER_S },
		      (struct bytes){ NULL, 0 }, 10 * NS_PER_S);
	(void)r;
	run(t, 1000);
	settle(t, 5, 20);
	for (unsigned i = 0; i < 10; i++) {
		ping(t, 1, 20, (uint16_t)(100 + i), 100);
		run(t, 500);
	}
	CU_ASSERT_TRUE(g->echoes >= 8);
	CU_ASSERT_EQUAL(t->g[0][4].echoes, 5);
	town_free(t);
}

static void a_broadcast_reaches_every_guest_once_and_costs_one_tree(void)
{
	struct town *t = town_new(12);
	uint8_t buf[2000];
	unsigned all = 0, packets;

	for (unsigned i = 0; i < 12; i++)
		settle(t, i, 10 + i);
	for (unsigned round = 0; round < 2; round++) {
		struct writer w = writer_of(buf, sizeof(buf));
		struct ip to = ip_v4(round ? 0x0a01ffff : 0xffffffff);
		struct build b;

		build_eth(&w, mac_broadcast, t->g[0][3].mac, TYPE_IP4);
		b = build_udp(&w, &t->g[0][3].ip, &to, 1000, 2000);
		memset(write_space(&w, round ? 1300 : 100), 1, round ? 1300 : 100);	/* in two pieces */
		build_done(&w, &b);
		packets = t->broadcasts;
		stage_frame(t->s, 3, 0, buf, (uint16_t)writer_len(&w));
		run(t, 3000);
		packets = t->broadcasts - packets;
		CU_ASSERT_TRUE(packets >= 11u * (round + 1) && packets <= 14u * (round + 1));	/* IPOP: one for each member */
	}
	for (unsigned i = 0; i < 12; i++)
		all += t->g[0][i].groups;
	CU_ASSERT_EQUAL(all, 2 * 11);
	CU_ASSERT_EQUAL(t->g[0][3].groups, 0);
	for (unsigned i = 0; i < 12; i++)
		CU_ASSERT_TRUE(t->g[0][i].groups <= 2);
	town_free(t);
}

static void two_networks_with_one_range_do_not_meet(void)
{
	struct town *t = town_of(6, MTU_DEFAULT, 2);
	uint8_t buf[200];
	struct writer w = writer_of(buf, sizeof(buf));
	struct ip to = ip_v4(0xffffffff);
	struct build b;

	settle_in(t, 0, 1, 10);			/* the same two addresses, at other nodes */
	settle_in(t, 0, 2, 20);
	settle_in(t, 1, 1, 10);
	settle_in(t, 1, 4, 20);
	for (unsigned net = 0; net < 2; net++)
		memcpy(t->g[net][1].gateway, t->s->actor[1].node->vnet[net]->mac, 6);
	for (unsigned i = 0; i < 5; i++) {
		ping_in(t, 0, 1, 20, (uint16_t)(i + 1), 100);
		run(t, 500);
	}
	CU_ASSERT_EQUAL(t->g[0][2].echoes, 5);
	CU_ASSERT_EQUAL(t->g[1][4].echoes, 0);
	for (unsigned i = 0; i < 7; i++) {
		ping_in(t, 1, 1, 20, (uint16_t)(i + 1), 100);
		run(t, 500);
	}
	CU_ASSERT_EQUAL(t->g[0][2].echoes, 5);
	CU_ASSERT_EQUAL(t->g[1][4].echoes, 7);
	build_eth(&w, mac_broadcast, t->g[0][1].mac, TYPE_IP4);
	b = build_udp(&w, &t->g[0][1].ip, &to, 1000, 2000);
	memset(write_space(&w, 100), 1, 100);
	build_done(&w, &b);
	stage_frame(t->s, 1, 0, buf, (uint16_t)writer_len(&w));
	run(t, 2000);
	CU_ASSERT_EQUAL(t->g[0][2].groups, 1);
	CU_ASSERT_EQUAL(t->g[1][1].groups + t->g[1][4].groups, 0);
	town_free(t);
}

/* What node 3 would send as its @counter-th broadcast of @life, as core/vnet/multicast.c pictures it. */
static size_t sealed_cast(struct stage *s, uint64_t life, uint32_t counter, uint8_t out[400])
{
	struct vnet *v = s->actor[3].node->vnet[0];
	struct ip from = ip_v4(0x0a01000d), to = ip_v4(0xffffffff);
	uint8_t label[64], key[KEY_BYTES], plain[300] = { 0 };
	struct writer w = writer_of(label, sizeof(label)), head = writer_of(out, 400);
	struct writer text = writer_of(plain + 8, sizeof(plain) - 8);
	struct build b = build_udp(&text, &from, &to, 1, 2);

	memset(write_space(&text, 50), 3, 50);
	build_done(&text, &b);
	write_copy(&w, "weft cast", 9);
	write_id(&w, v->id);
	write_id(&w, v->self);
	write_u64(&w, life);
	write_u32(&w, 77);
	s->suite->derive(key, (struct bytes){ v->net->secret, 32 }, (struct bytes){ label, writer_len(&w) });
	write_u8(&head, 1);
	write_u64(&head, v->id.hi);
	write_u64(&head, life);
	write_u32(&head, 77);
	write_u32(&head, counter);
	write_u8(&head, 0);
	s->suite->aead[CIPHER_CHACHA].seal(head.at, key, counter, (struct bytes){ out, 26 }, plain, 8 + writer_len(&text));
	return 26 + 8 + writer_len(&text) + TAG_BYTES;
}

struct heard { struct id origin; struct bytes data; };

static void hear(struct node *n, void *arg)
{
	struct heard *h = arg;

	vnet_cast(n->vnet[0], &n->env, h->origin, 1, h->data);
}

static void what_was_said_to_all_is_not_heard_twice_nor_from_another_mouth(void)
{
	struct town *t = town_new(5);
	struct guest_host *g = &t->g[0][1];
	uint8_t buf[400];
	struct heard h = { t->s->actor[3].identity.id, { buf, 0 } };
	/* life, counter, is it heard? a later life ends the one before */
	static const struct { uint64_t life; uint32_t counter; bool fresh; } SAID[] = {
		{ 5, 10, true }, { 5, 10, false }, { 5, 12, true }, { 5, 11, true }, { 5, 11, false }, { 5, 100, true },
		{ 5, 36, false }, { 5, 37, true }, { 4, 200, false }, { 6, 0, true }, { 5, 101, false }, { 6, 0, false },
	};

	settle(t, 1, 10);
	for (unsigned i = 0; i < sizeof(SAID) / sizeof(SAID[0]); i++) {
		unsigned before = g->groups;

		h.data.len = sealed_cast(t->s, SAID[i].life, SAID[i].counter, buf);
		stage_inside(t->s, 1, hear, &h);
		CU_ASSERT_EQUAL(g->groups - before, SAID[i].fresh);
	}
	for (unsigned i = 1; i < h.data.len; i++) {	/* damaged anywhere, or said by another one, it does not open */
		unsigned before = g->groups;

		h.data.len = sealed_cast(t->s, 6, 50 + i, buf);
		buf[i] ^= 1;
		stage_inside(t->s, 1, hear, &h);
		CU_ASSERT_EQUAL(g->groups, before);
	}
	h.origin = t->s->actor[2].identity.id;
	h.data.len = sealed_cast(t->s, 6, 1000, buf);
	stage_inside(t->s, 1, hear, &h);
	h.origin = t->s->actor[3].identity.id;
	for (size_t len = 0; len < 60; len++) {
		h.data.len = len;
		stage_inside(t->s, 1, hear, &h);
	}
	h.data.len = sealed_cast(t->s, 6, 1000, buf);
	CU_ASSERT_EQUAL(g->groups, 6);
	stage_inside(t->s, 1, hear, &h);
	CU_ASSERT_EQUAL(g->groups, 7);
	town_free(t);
}

static void join_group(struct town *t, unsigned i, bool join)
{
	struct guest_host *g = &t->g[0][i];
	struct ip to = ip_v4(join ? 0xef010203 : 0xe0000002);
	uint8_t buf[128], mac[6];
	struct writer w = writer_of(buf, sizeof(buf));
	struct build b;

	mac_of_group(mac, &to);
	build_eth(&w, mac, g->mac, TYPE_IP4);
	b = build_ip(&w, &g->ip, &to, PROTO_IGMP, 1);
	write_u32(&w, (join ? 0x16u : 0x17u) << 24);
	write_u32(&w, 0xef010203);
	build_done(&w, &b);
	stage_frame(t->s, i, 0, buf, (uint16_t)writer_len(&w));
}

static void multicast(struct town *t, unsigned i)
{
	struct ip to = ip_v4(0xef010203);
	uint8_t buf[256], mac[6];
	struct writer w = writer_of(buf, sizeof(buf));
	struct build b;

	mac_of_group(mac, &to);
	build_eth(&w, mac, t->g[0][i].mac, TYPE_IP4);
	b = build_udp(&w, &t->g[0][i].ip, &to, 1000, 2000);
	memset(write_space(&w, 100), 1, 100);
	build_done(&w, &b);
	stage_frame(t->s, i, 0, buf, (uint16_t)writer_len(&w));
	run(t, 1000);
}

static void multicast_goes_to_who_asked_and_storms_are_stopped(void)
{
	struct town *t = town_new(6);
	unsigned before;

	for (unsigned i = 0; i < 6; i++)
		settle(t, i, 10 + i);
	multicast(t, 1);
	for (unsigned i = 0; i < 6; i++)
		CU_ASSERT_EQUAL(t->g[0][i].groups, 0);
	join_group(t, 2, true);
	join_group(t, 4, true);
	run(t, 100);
	before = t->g[0][2].groups;		/* a query of the node's, perhaps */
	multicast(t, 1);
	CU_ASSERT_EQUAL(t->g[0][2].groups, before + 1);
	CU_ASSERT_TRUE(t->g[0][4].groups >= 1);
	CU_ASSERT_EQUAL(t->g[0][3].groups + t->g[0][5].groups, 0);
	join_group(t, 2, false);
	run(t, 3000);
	before = t->g[0][2].groups;
	multicast(t, 1);
	CU_ASSERT_EQUAL(t->g[0][2].groups, before);
	/* a storm */
	before = t->g[0][4].groups;
	for (unsigned i = 0; i < 200; i++) {
		struct ip to = ip_v4(0xffffffff);
		uint8_t buf[256];
		struct writer w = writer_of(buf, sizeof(buf));
		struct build b;

		build_eth(&w, mac_broadcast, t->g[0][1].mac, TYPE_IP4);
		b = build_udp(&w, &t->g[0][1].ip, &to, 1000, 2000);
		memset(write_space(&w, 100), 1, 100);
		build_done(&w, &b);
		stage_frame(t->s, 1, 0, buf, (uint16_t)writer_len(&w));
	}
	run(t, 1000);
	CU_ASSERT_TRUE(t->g[0][4].groups - before <= 25);
	CU_ASSERT_TRUE(t->g[0][4].groups - before >= 10);
	CU_ASSERT_TRUE(t->s->fx.drops[DROP_RATE] >= 170);
	town_free(t);
}

CU_TestInfo story_path_tests[] = {
	{ "two guests ping each other", two_guests_ping_each_other },
	{ "what a relay carries it cannot read", what_a_relay_carries_it_cannot_read },
	{ "traffic that lasts earns a link, and loses it when it ends",
	  traffic_that_lasts_earns_a_link_and_loses_it_when_it_ends },
	{ "large frames and offloads cross a chain", large_frames_and_offloads_cross_a_chain },
	{ "frames of 9000 bytes cross a chain and a link", frames_of_9000_bytes_cross_a_chain_and_a_link },
	{ "first packets wait and go in order", first_packets_wait_and_go_in_order },
	{ "a member that forges a source is not believed", a_member_that_forges_a_source_is_not_believed },
	{ "with packets lost most arrive, and none twice", with_packets_lost_most_arrive_and_none_twice },
	{ "when a relay crashes packets go around it within seconds",
	  when_a_relay_crashes_packets_go_around_it_within_seconds },
	{ "a fixed address is its certificate's, whoever else says so",
	  a_fixed_address_is_its_certificates_whoever_else_says_so },
	{ "a node that restarts is talked to again", a_node_that_restarts_is_talked_to_again },
	{ "an address nobody has is unreachable", an_address_nobody_has_is_unreachable_and_asked_for_once_in_a_while },
	{ "a moved address is followed within seconds", a_moved_address_is_followed_within_seconds },
	{ "a broadcast reaches every guest once and costs one tree",
	  a_broadcast_reaches_every_guest_once_and_costs_one_tree },
	{ "what was said to all is not heard twice, nor from another mouth",
	  what_was_said_to_all_is_not_heard_twice_nor_from_another_mouth },
	{ "two networks with one range do not meet", two_networks_with_one_range_do_not_meet },
	{ "multicast goes to who asked, storms are stopped", multicast_goes_to_who_asked_and_storms_are_stopped },
	CU_TEST_INFO_NULL
};
