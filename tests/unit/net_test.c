/* Packets between interfaces: addresses, access links, MTU, impairments, and the same twice. */
#include "tests/unit/net_lab.h"

static void an_interface_is_found_by_its_planned_addresses(void)
{
	struct net *net = lab(&(struct net_config){ .v4 = true, .v6 = true }, 1000);

	for (uint32_t i = 0; i < 1000; i++) {
		struct endpoint four = net_address(net, i, ENDPOINT_UDP4);
		struct endpoint six = net_address(net, i, ENDPOINT_UDP6);

		CU_ASSERT_EQUAL(net_address_owner(net, &four), i);
		CU_ASSERT_EQUAL(net_address_owner(net, &six), i);
		CU_ASSERT(four.addr[0] == 10 && four.addr[3] != 0 && four.addr[3] != 255);
	}
	net_free(net);
}

static void nobody_has_an_address_outside_the_plan(void)
{
	struct net *net = lab(&(struct net_config){ 0 }, 300);
	static const uint32_t nobody[] = {
		10u << 24, (10u << 24) + 255, (10u << 24) + 256, (10u << 24) + 0x100 + 47,
		(11u << 24) + 1, (9u << 24) + 1, 0, 0xffffffff, (10u << 24) + 0xfffffe,
	};
	struct endpoint six = net_address(net, 5, ENDPOINT_UDP6);

	for (size_t i = 0; i < sizeof(nobody) / sizeof(*nobody); i++) {
		struct endpoint e = endpoint_v4(nobody[i], 0);

		CU_ASSERT_EQUAL(net_address_owner(net, &e), NET_NOBODY);
	}
	CU_ASSERT_EQUAL(six.kind, ENDPOINT_NONE);	/* this net has no v6 */
	net_free(net);
}

static void more_addresses_can_be_added_and_taken_away(void)
{
	struct net *net = lab(&(struct net_config){ 0 }, 3);
	struct endpoint more = endpoint_v4(0xc0000201, 99), own = net_address(net, 1, ENDPOINT_UDP4);
	struct endpoint again;

	CU_ASSERT_TRUE(net_address_add(net, 1, &more));
	CU_ASSERT_FALSE(net_address_add(net, 2, &more));
	CU_ASSERT_FALSE(net_address_add(net, 2, &own));
	CU_ASSERT_EQUAL(net_address_owner(net, &more), 1);
	again = net_address(net, 1, ENDPOINT_UDP4);
	CU_ASSERT_EQUAL(memcmp(again.addr, more.addr, 16), 0);
	CU_ASSERT_FALSE(net_address_del(net, 2, &more));
	CU_ASSERT_TRUE(net_address_del(net, 1, &more));
	CU_ASSERT_FALSE(net_address_del(net, 1, &more));
	CU_ASSERT_EQUAL(net_address_owner(net, &more), NET_NOBODY);
	CU_ASSERT_TRUE(net_address_del(net, 1, &own));
	CU_ASSERT_EQUAL(net_address(net, 1, ENDPOINT_UDP4).kind, ENDPOINT_NONE);
	CU_ASSERT_TRUE(net_address_add(net, 1, &own));
	CU_ASSERT_EQUAL(net_address_owner(net, &own), 1);
	net_free(net);
}

static void who_roams_is_found_at_the_new_address_only(void)
{
	struct net *net = lab(&(struct net_config){ .latency_ns = 10 * MS, .v6 = true }, 2);
	struct packet before = lab_packet(net, 0, 1, 10), after;
	struct net_verdict v;
	int64_t at;

	net_depart(net, 0, 0, &before, 0, &v);
	CU_ASSERT_EQUAL(v.to, 1);
	net_roam(net, 1, ENDPOINT_UDP6);
	/* in flight when it moved */
	CU_ASSERT_EQUAL(net_arrive(net, 0, 1, &before, 10 * MS, &at), NET_DROP_GONE);
	net_depart(net, 0, 0, &before, 20 * MS, &v);
	CU_ASSERT_EQUAL(v.drop, NET_DROP_NO_ROUTE);
	after = lab_packet(net, 0, 1, 10);
	net_depart(net, 0, 0, &after, 20 * MS, &v);
	CU_ASSERT(v.drop == NET_DROP_NONE && v.to == 1);
	/* and it cannot send from the old one */
	after.source = before.destination;
	net_depart(net, 0, 1, &after, 20 * MS, &v);
	CU_ASSERT_EQUAL(v.drop, NET_DROP_SOURCE);
	/* roaming again gives yet another; the first address stays free of a later interface */
	net_roam(net, 1, ENDPOINT_UDP6);
	CU_ASSERT_EQUAL(net_iface_add(net, &(struct net_iface_config){ 0 }), 2);
	CU_ASSERT_EQUAL(net_address_owner(net, &before.destination), NET_NOBODY);
	net_free(net);
}

static void an_interface_that_is_down_neither_sends_nor_receives(void)
{
	struct net *net = lab(&(struct net_config){ .latency_ns = MS }, 2);
	struct packet p = lab_packet(net, 0, 1, 10);
	int64_t at = -1;

	net_iface_up(net, 1, false);
	CU_ASSERT_EQUAL(lab_send(net, 0, 1, 10, 0).drop, NET_DROP_NONE);
	CU_ASSERT_EQUAL(net_arrive(net, 0, 1, &p, MS, &at), NET_DROP_GONE);
	CU_ASSERT_EQUAL(at, -1);
	CU_ASSERT_EQUAL(lab_send(net, 1, 0, 10, 0).drop, NET_DROP_DOWN);
	net_iface_up(net, 1, true);
	CU_ASSERT_EQUAL(net_arrive(net, 0, 1, &p, MS, &at), NET_DROP_NONE);
	CU_ASSERT_EQUAL(at, MS);
	CU_ASSERT_EQUAL(net_dropped(net, NET_DROP_GONE), 1);
	CU_ASSERT_EQUAL(net_dropped(net, NET_DROP_DOWN), 1);
	CU_ASSERT_EQUAL(net_marked(net, NET_MARK_ARRIVED), 1);
	net_free(net);
}

static void families_do_not_mix_and_both_can_be_had(void)
{
	struct net *net = lab(&(struct net_config){ .v4 = true, .v6 = true }, 2);
	struct packet p = lab_packet(net, 0, 1, 10);
	struct net_verdict v;

	CU_ASSERT_EQUAL(p.ip_len, 10 + 8 + 20);
	p.destination = net_address(net, 1, ENDPOINT_UDP6);
	net_depart(net, 0, 0, &p, 0, &v);
	CU_ASSERT_EQUAL(v.drop, NET_DROP_NO_ROUTE);
	p = packet_udp(net_address(net, 0, ENDPOINT_UDP6), p.destination, NULL, 10);
	CU_ASSERT_EQUAL(p.ip_len, 10 + 8 + 40);
	p.len = 0;
	net_depart(net, 0, 0, &p, 0, &v);
	CU_ASSERT(v.drop == NET_DROP_NONE && v.to == 1);
	net_free(net);
}

static void what_is_sent_to_oneself_meets_nothing(void)
{
	struct net *net = lab(&(struct net_config){ .latency_ns = MS, .floor_ns = 7, .up_bps = 1000,
		.down_bps = 1000, .loss_ppb = NET_PPB, .mtu = 600 }, 2);
	struct net_verdict v = lab_send(net, 1, 1, 5000, 100);
	struct packet p = lab_packet(net, 1, 1, 5000);
	int64_t at;

	CU_ASSERT(v.drop == NET_DROP_NONE && v.to == 1 && v.copies == 1);
	CU_ASSERT_EQUAL(v.copy[0].arrive_ns, 107);
	CU_ASSERT_EQUAL(net_arrive(net, 0, 1, &p, 107, &at), NET_DROP_NONE);
	CU_ASSERT_EQUAL(at, 107);
	net_free(net);
}

/* -- access links ------------------------------------------------------------------------------ */

static void an_uplink_sends_at_its_rate_and_holds_just_its_queue(void)
{
	/* 1,000 bytes at 1 Mbit/s: 8 ms. The queue holds 3,000: one on the wire, two waiting. */
	struct net *net = lab(&(struct net_config){ .latency_ns = 100 * MS, .up_bps = 1000000,
						    .queue_bytes = 3000 }, 2);
	uint32_t len = 1000 - 28;

	CU_ASSERT_EQUAL(lab_send(net, 0, 1, len, 0).copy[0].arrive_ns, 108 * MS);
	CU_ASSERT_EQUAL(lab_send(net, 0, 1, len, 0).copy[0].arrive_ns, 116 * MS);
	CU_ASSERT_EQUAL(lab_send(net, 0, 1, len, 0).copy[0].arrive_ns, 124 * MS);
	CU_ASSERT_EQUAL(lab_send(net, 0, 1, len, 0).drop, NET_DROP_UP_FULL);
	/* a nanosecond before a place is free, and when it is */
	CU_ASSERT_EQUAL(lab_send(net, 0, 1, len, 8 * MS - 1).drop, NET_DROP_UP_FULL);
	CU_ASSERT_EQUAL(lab_send(net, 0, 1, len, 8 * MS).copy[0].arrive_ns, 132 * MS);
	/* the other's uplink is its own */
	CU_ASSERT_EQUAL(lab_send(net, 1, 0, len, 8 * MS).copy[0].arrive_ns, 116 * MS);
	/* idle again */
	CU_ASSERT_EQUAL(lab_send(net, 0, 1, len, 1000 * MS).copy[0].arrive_ns, 1108 * MS);
	CU_ASSERT_EQUAL(net_dropped(net, NET_DROP_UP_FULL), 2);
	CU_ASSERT_EQUAL(net_marked(net, NET_MARK_QUEUED), 3);
	net_free(net);
}

static void a_downlink_has_a_queue_of_its_own(void)
{
	struct net *net = lab(&(struct net_config){ .down_bps = 1000000, .queue_bytes = 2000 }, 3);
	struct packet a = lab_packet(net, 0, 2, 1000 - 28), b = lab_packet(net, 1, 2, 1000 - 28);
	int64_t at;

	CU_ASSERT_EQUAL(net_arrive(net, 0, 2, &a, 0, &at), NET_DROP_NONE);
	CU_ASSERT_EQUAL(at, 8 * MS);
	CU_ASSERT_EQUAL(net_arrive(net, 0, 2, &b, 1 * MS, &at), NET_DROP_NONE);
	CU_ASSERT_EQUAL(at, 16 * MS);
	CU_ASSERT_EQUAL(net_arrive(net, 0, 2, &a, 2 * MS, &at), NET_DROP_DOWN_FULL);
	CU_ASSERT_EQUAL(net_arrive(net, 0, 2, &a, 16 * MS, &at), NET_DROP_NONE);
	CU_ASSERT_EQUAL(at, 24 * MS);
	CU_ASSERT_EQUAL(net_dropped(net, NET_DROP_DOWN_FULL), 1);
	net_free(net);
}

static void transmission_times_are_rounded_up_and_links_differ_by_interface(void)
{
	struct net *net = lab(&(struct net_config){ .up_bps = 1000000 }, 1);

	net_iface_add(net, &(struct net_iface_config){ .up_bps = 3000000 });
	/* 100 bytes at 3 Mbit/s are 266,666.67 ns */
	CU_ASSERT_EQUAL(lab_send(net, 1, 0, 72, 0).copy[0].arrive_ns, 266667);
	CU_ASSERT_EQUAL(lab_send(net, 0, 1, 72, 0).copy[0].arrive_ns, 800000);
	net_iface_link(net, 0, 8000000000, 0, 0);
	CU_ASSERT_EQUAL(lab_send(net, 0, 1, 72, SECOND).copy[0].arrive_ns, SECOND + 100);
	net_free(net);
}

static void an_idle_link_takes_even_what_its_queue_could_not_hold(void)
{
	struct net *net = lab(&(struct net_config){ .up_bps = 1000000, .queue_bytes = 10 }, 2);

	CU_ASSERT_EQUAL(lab_send(net, 0, 1, 972, 0).drop, NET_DROP_NONE);
	CU_ASSERT_EQUAL(lab_send(net, 0, 1, 1, 0).drop, NET_DROP_UP_FULL);
	CU_ASSERT_EQUAL(lab_send(net, 0, 1, 972, 8 * MS).drop, NET_DROP_NONE);
	net_free(net);
}

/* -- MTU --------------------------------------------------------------------------------------- */

static void what_is_too_big_is_told_when_it_may_not_be_fragmented(void)
{
	struct net *net = lab(&(struct net_config){ .latency_ns = 30 * MS }, 3);
	struct packet p = lab_packet(net, 0, 1, 1400);
	struct net_verdict v;

	net_pair(net, 0, 1, &(struct net_pair){ .mtu = 1300 });
	p.df = 1;
	net_depart(net, 0, 0, &p, 5 * MS, &v);
	CU_ASSERT_EQUAL(v.drop, NET_DROP_TOO_BIG);
	CU_ASSERT(v.mtu == 1300 && v.too_big_ns == 35 * MS && v.to == 1);
	p.ip_len = 1300;
	p.len = 1272;
	net_depart(net, 0, 0, &p, 5 * MS, &v);
	CU_ASSERT_EQUAL(v.drop, NET_DROP_NONE);
	/* only that direction, only that pair */
	p = lab_packet(net, 1, 0, 1400);
	p.df = 1;
	net_depart(net, 0, 1, &p, 5 * MS, &v);
	CU_ASSERT_EQUAL(v.drop, NET_DROP_NONE);
	/* the receiver's own */
	net_iface_mtu(net, 2, 1280);
	p = lab_packet(net, 0, 2, 1253);
	p.df = 1;
	net_depart(net, 0, 0, &p, 5 * MS, &v);
	CU_ASSERT(v.drop == NET_DROP_TOO_BIG && v.mtu == 1280 && v.too_big_ns == 35 * MS);
	/* the sender's own is known without a packet */
	p = lab_packet(net, 2, 0, 1253);
	p.df = 1;
	net_depart(net, 0, 2, &p, 5 * MS, &v);
	CU_ASSERT(v.drop == NET_DROP_TOO_BIG && v.mtu == 1280 && v.too_big_ns == 5 * MS);
	net_free(net);
}

static void routers_fragment_ipv4_and_not_ipv6(void)
{
	struct net_config c = { .latency_ns = 30 * MS };
	struct net *net = lab(&c, 2);
	struct net_verdict v;

	net_pair(net, 0, 1, &(struct net_pair){ .mtu = 1300 });
	v = lab_send(net, 0, 1, 1400, 0);
	CU_ASSERT_EQUAL(v.drop, NET_DROP_NONE);
	CU_ASSERT_EQUAL(net_marked(net, NET_MARK_FRAGMENTED), 1);
	net_free(net);

	c.v6 = true;
	net = lab(&c, 2);
	net_pair(net, 0, 1, &(struct net_pair){ .mtu = 1300 });
	v = lab_send(net, 0, 1, 1400, 0);
	CU_ASSERT(v.drop == NET_DROP_TOO_BIG && v.mtu == 1300);
	/* but the host does, to its own MTU */
	net_pair(net, 0, 1, NULL);
	v = lab_send(net, 0, 1, 1600, 0);
	CU_ASSERT_EQUAL(v.drop, NET_DROP_NONE);
	CU_ASSERT_EQUAL(net_marked(net, NET_MARK_FRAGMENTED), 1);
	net_free(net);
}

static void fragments_cost_headers_and_are_lost_one_by_one(void)
{
	/* 4,000 bytes over 1,500: 20 + 3,980 in pieces of 1,480: three, 40 bytes more */
	struct net_config c = { .up_bps = 8000000 };
	struct net *net = lab(&c, 2);
	unsigned lost = 0;

	CU_ASSERT_EQUAL(lab_send(net, 0, 1, 4000 - 28, 0).copy[0].arrive_ns, 4040 * 1000);
	net_free(net);
	c = (struct net_config){ .loss_ppb = 10 * PERCENT };
	net = lab(&c, 2);
	for (int i = 0; i < 20000; i++)
		lost += lab_send(net, 0, 1, 4000 - 28, i).drop == NET_DROP_LOSS;
	CU_ASSERT_TRUE(lab_binomial(lost, 20000, 271000000, 4));	/* 1 - 0.9^3 */
	net_free(net);
}

/* -- impairments ------------------------------------------------------------------------------- */

static void loss_comes_at_its_rate(void)
{
	static const uint32_t rates[] = { PERCENT / 10, PERCENT, 30 * PERCENT };

	for (size_t r = 0; r < 3; r++) {
		struct net *net = lab(&(struct net_config){ .seed = r, .loss_ppb = rates[r] }, 50);
		unsigned lost = 0;

		for (unsigned i = 0; i < 200000; i++)
			lost += lab_send(net, i % 49, 49, 10, i).drop == NET_DROP_LOSS;
		CU_ASSERT_TRUE(lab_binomial(lost, 200000, rates[r], 4));
		CU_ASSERT_EQUAL(net_dropped(net, NET_DROP_LOSS), lost);
		net_free(net);
	}
}

static void bursts_have_their_mean_length_and_the_same_loss(void)
{
	struct net *net = lab(&(struct net_config){ .loss_ppb = 5 * PERCENT, .loss_burst = 6 }, 2);
	unsigned lost = 0, bursts = 0, n = 1000000;
	bool last = false;

	for (unsigned i = 0; i < n; i++) {
		bool now = lab_send(net, 0, 1, 10, i).drop == NET_DROP_BURST;

		lost += now;
		bursts += now && !last;
		last = now;
	}
	/* the losses of a burst hang together: 11 times the variance of single ones */
	CU_ASSERT_TRUE(lab_binomial(lost, n, 5 * PERCENT, 4 * 3.4));
	CU_ASSERT_DOUBLE_EQUAL((double)lost / bursts, 6, 0.3);
	net_free(net);
}

static void short_lived_senders_lose_as_much_in_bursts(void)
{
	/* Five packets each: the chain must not begin in the good state. */
	struct net *net = lab(&(struct net_config){ .loss_ppb = 10 * PERCENT, .loss_burst = 10 }, 20000);
	unsigned lost = 0;

	for (uint32_t i = 1; i < 20000; i++)
		for (int n = 0; n < 5; n++)
			lost += lab_send(net, i, 0, 10, n).drop == NET_DROP_BURST;
	CU_ASSERT_DOUBLE_EQUAL(lost / 99995.0, 0.1, 0.01);
	net_free(net);
}

static void a_duplicate_comes_after_the_first(void)
{
	struct net *net = lab(&(struct net_config){ .latency_ns = 100 * MS,
						    .duplicate_ppb = 20 * PERCENT }, 2);
	unsigned twice = 0;

	for (unsigned i = 0; i < 10000; i++) {
		struct net_verdict v = lab_send(net, 0, 1, 10, i);

		CU_ASSERT_EQUAL(v.copy[0].arrive_ns, i + 100 * MS);
		if (v.copies == 2) {
			twice++;
			CU_ASSERT(v.copy[1].arrive_ns >= v.copy[0].arrive_ns &&
				  v.copy[1].arrive_ns <= i + 125 * MS);
		}
	}
	CU_ASSERT_TRUE(lab_binomial(twice, 10000, 20 * PERCENT, 4));
	CU_ASSERT_EQUAL(net_marked(net, NET_MARK_DUPLICATED), twice);
	net_free(net);
}

static void reordering_lets_later_packets_pass_and_nothing_else_does(void)
{
	struct net_config c = { .latency_ns = 50 * MS, .jitter_ppb = 80 * PERCENT };
	unsigned passed, held = 0;

	for (int reorder = 0; reorder < 2; reorder++) {
		struct net *net = lab(&c, 2);
		int64_t latest = 0;

		passed = 0;
		for (unsigned i = 0; i < 20000; i++) {
			int64_t at = lab_send(net, 0, 1, 10, i * MS / 2).copy[0].arrive_ns;

			passed += at < latest;
			latest = at > latest ? at : latest;
		}
		if (reorder) {
			held = (unsigned)net_marked(net, NET_MARK_REORDERED);
			CU_ASSERT_TRUE(lab_binomial(held, 20000, PERCENT, 4));
			CU_ASSERT(passed > 10 * held);	/* 20 ms at one packet per half */
		} else {
			CU_ASSERT_EQUAL(passed, 0);
		}
		net_free(net);
		c.reorder_ppb = PERCENT;
		c.reorder_by_ns = 20 * MS;
	}
}

static void corruption_flips_one_bit_of_the_payload(void)
{
	struct net *net = lab(&(struct net_config){ .corrupt_ppb = 50 * PERCENT }, 2);
	unsigned flipped = 0;
	bool seen[80] = { false };
	uint8_t data[10] = { 0 };

	for (unsigned i = 0; i < 4000; i++) {
		struct net_verdict v = lab_send(net, 0, 1, 10, i);

		if (v.copy[0].flip == NET_INTACT)
			continue;
		flipped++;
		CU_ASSERT_FATAL(v.copy[0].flip < 80);
		seen[v.copy[0].flip] = true;
	}
	CU_ASSERT_TRUE(lab_binomial(flipped, 4000, 50 * PERCENT, 4));
	for (int i = 0; i < 80; i++)
		CU_ASSERT_TRUE(seen[i]);
	CU_ASSERT_EQUAL(lab_send(net, 0, 1, 0, 5000).copy[0].flip, NET_INTACT);
	net_flip(data, 10, 79);
	CU_ASSERT_EQUAL(data[9], 0x80);
	net_flip(data, 10, NET_INTACT);
	CU_ASSERT_EQUAL(data[9], 0x80);
	net_free(net);
}

static void pairs_apart_are_treated_apart(void)
{
	struct net *net = lab(&(struct net_config){ .latency_ns = 50 * MS, .floor_ns = MS }, 3);
	unsigned lost = 0;

	net_pair(net, 0, 1, &(struct net_pair){ .latency_ns = 7 * MS, .loss_ppb = 50 * PERCENT });
	net_pair(net, 0, 2, &(struct net_pair){ .cut = true });
	CU_ASSERT_EQUAL(net_latency(net, 0, 1), 7 * MS);
	CU_ASSERT_EQUAL(net_latency(net, 1, 0), 50 * MS);
	for (unsigned i = 0; i < 1000; i++)
		lost += lab_send(net, 0, 1, 10, i).drop == NET_DROP_LOSS;
	CU_ASSERT_TRUE(lab_binomial(lost, 1000, 50 * PERCENT, 4));
	CU_ASSERT_EQUAL(lab_send(net, 0, 2, 10, 0).drop, NET_DROP_UNREACHABLE);
	CU_ASSERT_EQUAL(lab_send(net, 2, 0, 10, 0).drop, NET_DROP_NONE);
	CU_ASSERT_FALSE(net_can_talk(net, 0, 2));
	CU_ASSERT_TRUE(net_can_talk(net, 2, 0));
	net_pair(net, 0, 2, NULL);
	CU_ASSERT_EQUAL(lab_send(net, 0, 2, 10, 0).drop, NET_DROP_NONE);
	net_free(net);
}

/* -- the same twice ---------------------------------------------------------------------------- */

static const struct net_config everything = {
	.seed = 42, .path = NET_PATH_SYNTHETIC, .floor_ns = MS / 2, .jitter_ppb = 10 * PERCENT,
	.asymmetry_ppb = 20 * PERCENT, .non_transitive_ppb = 5 * PERCENT, .loss_ppb = 2 * PERCENT,
	.loss_burst = 3, .duplicate_ppb = PERCENT, .reorder_ppb = PERCENT, .reorder_by_ns = 5 * MS,
	.corrupt_ppb = PERCENT, .up_bps = 1000000, .down_bps = 2000000, .regions = 4, .lanes = 2,
};

static void add_all(struct net *net, uint32_t n)
{
	while (n--)
		net_iface_add(net, &(struct net_iface_config){ 0 });
}

static bool same(const struct net_verdict *a, const struct net_verdict *b)
{
	if (a->drop != b->drop || a->to != b->to || a->copies != b->copies || a->mtu != b->mtu ||
	    a->too_big_ns != b->too_big_ns)
		return false;
	for (unsigned i = 0; i < a->copies; i++)
		if (a->copy[i].arrive_ns != b->copy[i].arrive_ns || a->copy[i].flip != b->copy[i].flip)
			return false;
	return true;
}

static void same_seed_same_verdicts_whoever_else_is_there(void)
{
	struct net *a = lab(&everything, 20), *b = lab(&everything, 10);
	struct net_config other = everything;
	struct net *c;
	unsigned differ = 0, differ_by_seed = 0;

	other.seed++;
	c = lab(&other, 20);
	add_all(b, 4000);			/* the first ten are the same; the array was moved */
	for (unsigned i = 0; i < 20000; i++) {
		uint32_t from = i % 10, to = (i / 10 * 7 + from + 1) % 10;
		struct net_verdict x = lab_send(a, from, to, i % 900, i * MS);
		struct net_verdict y = lab_send(b, from, to, i % 900, i * MS);
		struct net_verdict z = lab_send(c, from, to, i % 900, i * MS);

		if (i % 3 == 0)
			lab_send(b, 10 + i % 4000, to, 100, i * MS);	/* others talk, too */
		differ += !same(&x, &y);
		differ_by_seed += !same(&x, &z);
	}
	CU_ASSERT_EQUAL(differ, 0);
	CU_ASSERT(differ_by_seed > 15000);
	net_free(a);
	net_free(b);
	net_free(c);
}

static void one_impairment_more_does_not_change_the_others(void)
{
	struct net_config c = { .latency_ns = 10 * MS, .loss_ppb = 10 * PERCENT };
	struct net *few = lab(&c, 2), *many;
	unsigned differ = 0;

	c.duplicate_ppb = c.reorder_ppb = c.corrupt_ppb = 30 * PERCENT;
	c.jitter_ppb = 50 * PERCENT;
	many = lab(&c, 2);
	for (unsigned i = 0; i < 5000; i++)
		differ += lab_send(few, 0, 1, 100, i).drop != lab_send(many, 0, 1, 100, i).drop;
	CU_ASSERT_EQUAL(differ, 0);
	CU_ASSERT(net_dropped(few, NET_DROP_LOSS) > 0);
	net_free(few);
	net_free(many);
}

static void counts_are_kept_by_lane_and_summed(void)
{
	struct net *net = lab(&everything, 2);
	struct packet p = lab_packet(net, 0, 1, 100);
	struct net_verdict v;
	uint64_t dropped = 0, copies = 0;

	for (unsigned i = 0; i < 1000; i++) {
		net_depart(net, i % 2, 0, &p, i * 10 * MS, &v);
		copies += v.copies;
	}
	for (int d = 1; d < NET_DROPS; d++)
		dropped += net_dropped(net, d);
	CU_ASSERT_EQUAL(net_marked(net, NET_MARK_SENT), 1000);
	CU_ASSERT_EQUAL(net_marked(net, NET_MARK_SENT_BYTES), 128000);
	CU_ASSERT_EQUAL(copies, 1000 - dropped + net_marked(net, NET_MARK_DUPLICATED));
	net_free(net);
}

static void a_million_interfaces_take_less_than_100_bytes_each(void)
{
	struct net *net = lab(&everything, 1000000);
	struct net_verdict v = lab_send(net, 0, 999999, 10, 0);

	CU_ASSERT_EQUAL(v.to, 999999);
	CU_ASSERT(net_bytes(net) < 100 * UINT64_C(1000000));
	net_free(net);
}

static void impossible_configurations_are_refused_with_the_field(void)
{
	static const struct { struct net_config c; const char *says; } bad[] = {
		{ { .loss_ppb = NET_PPB + 1 }, "loss is 100" },
		{ { .loss_ppb = 90 * PERCENT, .loss_burst = 4 }, "loss is 90%; wanted: 0% to 80%" },
		{ { .latency_ns = -1 }, "latency" },
		{ { .floor_ns = 5 * SECOND }, "floor is 5000ms; wanted: 0 to 4000ms" },
		{ { .mtu = 100 }, "mtu is 100; wanted: 576 to 65535" },
		{ { .up_bps = 10 }, "up is 10" },
		{ { .regions = 1000 }, "regions is 1000; wanted: 1 to 256" },
		{ { .path = NET_PATH_TABLE }, "file is missing" },
		{ { .jitter_ppb = 2 * NET_PPB }, "jitter is 200%" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct net_error why = { "" };

		CU_ASSERT_PTR_NULL(net_new(&bad[i].c, &why));
		CU_ASSERT_PTR_NOT_NULL(strstr(why.text, bad[i].says));
	}
}

CU_TestInfo net_tests[] = {
	{ "an interface is found by its planned addresses",
	  an_interface_is_found_by_its_planned_addresses },
	{ "nobody has an address outside the plan", nobody_has_an_address_outside_the_plan },
	{ "more addresses can be added and taken away", more_addresses_can_be_added_and_taken_away },
	{ "who roams is found at the new address only", who_roams_is_found_at_the_new_address_only },
	{ "an interface that is down neither sends nor receives",
	  an_interface_that_is_down_neither_sends_nor_receives },
	{ "families do not mix and both can be had", families_do_not_mix_and_both_can_be_had },
	{ "what is sent to oneself meets nothing", what_is_sent_to_oneself_meets_nothing },
	{ "an uplink sends at its rate and holds just its queue",
	  an_uplink_sends_at_its_rate_and_holds_just_its_queue },
	{ "a downlink has a queue of its own", a_downlink_has_a_queue_of_its_own },
	{ "transmission times are rounded up and links differ by interface",
	  transmission_times_are_rounded_up_and_links_differ_by_interface },
	{ "an idle link takes even what its queue could not hold",
	  an_idle_link_takes_even_what_its_queue_could_not_hold },
	{ "what is too big is told when it may not be fragmented",
	  what_is_too_big_is_told_when_it_may_not_be_fragmented },
	{ "routers fragment IPv4 and not IPv6", routers_fragment_ipv4_and_not_ipv6 },
	{ "fragments cost headers and are lost one by one",
	  fragments_cost_headers_and_are_lost_one_by_one },
	{ "loss comes at its rate", loss_comes_at_its_rate },
	{ "bursts have their mean length and the same loss",
	  bursts_have_their_mean_length_and_the_same_loss },
	{ "short-lived senders lose as much in bursts", short_lived_senders_lose_as_much_in_bursts },
	{ "a duplicate comes after the first", a_duplicate_comes_after_the_first },
	{ "reordering lets later packets pass and nothing else does",
	  reordering_lets_later_packets_pass_and_nothing_else_does },
	{ "corruption flips one bit of the payload", corruption_flips_one_bit_of_the_payload },
	{ "pairs apart are treated apart", pairs_apart_are_treated_apart },
	{ "same seed, same verdicts, whoever else is there",
	  same_seed_same_verdicts_whoever_else_is_there },
	{ "one impairment more does not change the others",
	  one_impairment_more_does_not_change_the_others },
	{ "counts are kept by lane and summed", counts_are_kept_by_lane_and_summed },
	{ "a million interfaces take less than 100 bytes each",
	  a_million_interfaces_take_less_than_100_bytes_each },
	{ "impossible configurations are refused with the field",
	  impossible_configurations_are_refused_with_the_field },
	CU_TEST_INFO_NULL
};
