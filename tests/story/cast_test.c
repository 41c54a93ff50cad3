/* What a guest says to all comes to every guest of its network once, to nobody else, and costs one tree. */
#include "tests/story/town.h"

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
	write_u8(&head, 2);
	write_u64(&head, v->id.hi);
	write_u64(&head, 0);			/* the charter's key */
	write_u64(&head, life);
	write_u32(&head, 77);
	write_u32(&head, counter);
	write_u8(&head, 0);
	s->suite->aead[CIPHER_CHACHA].seal(head.at, key, counter, (struct bytes){ out, 34 }, plain, 8 + writer_len(&text));
	return 34 + 8 + writer_len(&text) + TAG_BYTES;
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

CU_TestInfo story_cast_tests[] = {
	{ "a broadcast reaches every guest once and costs one tree",
	  a_broadcast_reaches_every_guest_once_and_costs_one_tree },
	{ "what was said to all is not heard twice, nor from another mouth",
	  what_was_said_to_all_is_not_heard_twice_nor_from_another_mouth },
	{ "two networks with one range do not meet", two_networks_with_one_range_do_not_meet },
	{ "multicast goes to who asked, storms are stopped", multicast_goes_to_who_asked_and_storms_are_stopped },
	CU_TEST_INFO_NULL
};
