/*
 * Guests of different nodes talk: packets go from tap to tap, sealed end to end,
 * over whatever carries them, and only where the slot says that an address is.
 */
#include "tests/story/town.h"

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
	for (unsigned i = 0; i < 180 && linked(t, a, b); i++)	/* later one may draw the other for a long link */
		run(t, 1000);
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
	CU_ASSERT_EQUAL(t->g[0][b].datagrams, 2);		/* their sums are whole, or the guest had not read them */
	CU_ASSERT_EQUAL(t->g[0][b].longest, 1400);
	CU_ASSERT_EQUAL(t->g[0][b].offload.segment, 0);
	CU_ASSERT_EQUAL(t->g[0][b].offload.partial, 0);		/* this host did not say that it can do that */
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

static const struct reply *echo(struct town *t, unsigned from, struct id to, uint16_t size, int64_t for_ns)
{
	return stage_ask(t->s, from, &(struct request){ .token = 77, .ask = ASK_ECHO, .key = to, .size = size },
			 (struct bytes){ NULL, 0 }, for_ns);
}

static void an_operators_ping_goes_as_packets_go(void)
{
	struct town *t = town_new(24);
	struct tunnel_view v;
	const struct reply *r;
	unsigned a, b;
	bool carried = false;
	int64_t rtt_ns;

	apart(t, &a, &b);
	r = echo(t, a, t->s->actor[b].identity.id, 0, 5 * NS_PER_S);		/* the tunnel is made for it */
	CU_ASSERT_TRUE_FATAL(r && r->answer == ANSWER_OK && r->ask == ASK_ECHO && r->token == 77);
	CU_ASSERT_TRUE(id_eq(r->who, t->s->actor[b].identity.id));
	run(t, 3000);
	rtt_ns = t->s->now_ns;
	r = echo(t, a, t->s->actor[b].identity.id, 1372, 5 * NS_PER_S);		/* two pieces there, two back */
	rtt_ns = t->s->now_ns - rtt_ns;
	CU_ASSERT_TRUE(r && r->answer == ANSWER_OK);
	CU_ASSERT_TRUE(rtt_ns < NS_PER_S);
	for (unsigned i = 0; i < TUNNELS_MAX; i++)
		if (node_tunnel(t->s->actor[a].node, i, &v) && id_eq(v.peer, t->s->actor[b].identity.id))
			carried = v.up && v.chained && !v.direct;
	CU_ASSERT_TRUE(carried);
	r = echo(t, a, t->s->actor[a].identity.id, 0, NS_PER_S);
	CU_ASSERT_TRUE(r && r->answer == ANSWER_OK && id_eq(r->who, t->s->actor[a].identity.id));
	town_free(t);
}

static void a_ping_of_nobody_has_no_answer(void)
{
	struct town *t = town_new(3);
	unsigned before = t->s->replies;

	CU_ASSERT_PTR_NULL(echo(t, 1, (struct id){ 1, 2 }, 0, 60 * NS_PER_S));
	CU_ASSERT_EQUAL(t->s->replies, before);
	town_free(t);
}

static struct resolver *resolver(struct town *t, unsigned i)
{
	return &path_state(t->s->actor[i].node->vnet[0], &t->s->actor[i].node->env)->resolver;
}

/* Whoever hears from somebody new asks who he is while keys are agreed, not when the first packet is there. */
static void who_talks_is_asked_for_while_keys_are_agreed(void)
{
	struct town *t = town_new(24);
	unsigned a, b, asked = 0;
	struct tunnel_view v;

	apart(t, &a, &b);
	meet(t, a, b);
	ping(t, a, 20, 1, 100);
	for (; asked < 3000 && !resolver_find(resolver(t, b), &t->g[0][a].ip); asked++)
		run(t, 1);
	CU_ASSERT_TRUE(asked < 3000);
	CU_ASSERT_FALSE(view(t, b, &v) && v.up);
	run(t, 3000);
	CU_ASSERT_TRUE(view(t, b, &v) && v.up);
	CU_ASSERT_EQUAL(t->g[0][a].replies, 1);
	town_free(t);
}

struct flood { struct ring_mail m; unsigned taken; };

static void expect(struct node *n, void *arg)
{
	struct flood *f = arg;

	f->taken += vnet_mail(n->vnet[0], &n->env, &f->m);
}

static void who_is_told_whom_to_expect_all_the_time_does_not_ask_all_the_time(void)
{
	struct town *t = town_new(3);
	struct flood f = { .m.body = BODY_EXPECT };
	uint8_t buf[64];
	struct writer w = writer_of(buf, sizeof(buf));
	unsigned before, asked;

	settle(t, 1, 10);
	before = resolver(t, 1)->count;
	for (unsigned i = 0; i < 200; i++) {
		struct ip ip = ip_v4(0x0a010000 + 20 + i);

		w = writer_of(buf, sizeof(buf));
		write_id(&w, t->s->record[0].id);
		write_ip(&w, &ip);
		f.m.data = (struct bytes){ buf, writer_len(&w) };
		stage_inside(t->s, 1, expect, &f);
	}
	CU_ASSERT_EQUAL(f.taken, 200);
	asked = resolver(t, 1)->count - before;
	CU_ASSERT_TRUE(asked > 0 && asked <= 20);
	for (f.m.data.len = 0; f.m.data.len < writer_len(&w); f.m.data.len++)	/* cut short: nothing is asked */
		stage_inside(t->s, 1, expect, &f);
	buf[0] ^= 1;								/* of another network */
	f.taken = 0;
	stage_inside(t->s, 1, expect, &f);
	CU_ASSERT_EQUAL(f.taken, 0);
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
	{ "an operator's ping goes as packets go", an_operators_ping_goes_as_packets_go },
	{ "who talks is asked for while keys are agreed", who_talks_is_asked_for_while_keys_are_agreed },
	{ "who is told whom to expect all the time does not ask all the time",
	  who_is_told_whom_to_expect_all_the_time_does_not_ask_all_the_time },
	{ "a ping of nobody has no answer", a_ping_of_nobody_has_no_answer },
	CU_TEST_INFO_NULL
};
