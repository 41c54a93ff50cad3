/* Neighbour discovery on the terms of ARP, duplicates defended, the prefix told. */
#include "tests/unit/suites.h"
#include "tests/unit/vnet_lab.h"

static const struct ip NONE6 = { .family = 6 };
static const struct ip NOTHING;

static struct ip all_nodes(void)
{
	return (struct ip){ .at = { 0xff, 2, [15] = 1 }, .family = 6 };
}

static struct ip all_routers(void)
{
	return (struct ip){ .at = { 0xff, 2, [15] = 2 }, .family = 6 };
}

static void remote(struct lab *l, struct ip ip)
{
	l->fake->served[l->fake->serves++] = ip;
}

static void solicit(struct lab *l, struct ip who, struct ip target)
{
	struct ip group = ip_solicited(&target);

	lab_nd(l, lab_host, 135, who, group, target, ip_unspecified(&who) ? 0 : 1);
}

static void check_advert(struct lab *l, unsigned i, struct ip target, struct ip to, unsigned flags)
{
	struct packet p = lab_out(l, i);

	CU_ASSERT_TRUE(p.proto == PROTO_ICMP6 && p.icmp_type == 136 && p.ttl == 255);
	CU_ASSERT_TRUE(ip_eq(&p.dst, &to));
	CU_ASSERT_TRUE(!memcmp(p.data.at, target.at, 16));
	CU_ASSERT_EQUAL(p.l4.at[4], flags);
	CU_ASSERT_TRUE(p.data.len == 24 && p.data.at[16] == 2 && p.data.at[17] == 1 && mac_eq(p.data.at + 18, l->mac));
	CU_ASSERT_TRUE(mac_eq(p.mac_from, l->mac));
}

static void the_gateway_and_served_addresses_are_answered(void)
{
	struct lab l;

	lab_open(&l, MODEL_INTERFACE, 5);
	lab_static(&l, lab_host, lab_ip6(2));
	remote(&l, lab_ip6(9));
	solicit(&l, lab_ip6(2), lab_ip6(1));
	solicit(&l, lab_ip6(2), lab_ip6(9));
	solicit(&l, lab_ip6(2), lab_ip6(8));
	CU_ASSERT_EQUAL_FATAL(lab_outs(&l), 2);
	check_advert(&l, 0, lab_ip6(1), lab_ip6(2), 0xe0);	/* router, solicited, override */
	check_advert(&l, 1, lab_ip6(9), lab_ip6(2), 0x60);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_NOBODY), 1);
	lab_shut(&l);
}

static void a_solicitation_is_held_until_it_is_resolved(void)
{
	struct lab l;

	lab_open(&l, MODEL_INTERFACE, 5);
	lab_static(&l, lab_host, lab_ip6(2));
	l.fake->slow = true;
	solicit(&l, lab_ip6(2), lab_ip6(9));
	CU_ASSERT_EQUAL(lab_outs(&l), 0);
	lab_resolved(&l, lab_ip6(9), true);
	CU_ASSERT_EQUAL_FATAL(lab_outs(&l), 1);
	check_advert(&l, 0, lab_ip6(9), lab_ip6(2), 0x60);
	lab_shut(&l);
}

static void duplicate_address_detection_is_defended(void)
{
	struct lab l;

	lab_open(&l, MODEL_INTERFACE, 5);
	remote(&l, lab_ip6(9));
	solicit(&l, NONE6, lab_ip6(9));
	solicit(&l, NONE6, lab_ip6(1));
	solicit(&l, NONE6, lab_ip6(8));
	CU_ASSERT_EQUAL_FATAL(lab_outs(&l), 1);
	check_advert(&l, 0, lab_ip6(1), all_nodes(), 0xa0);
	CU_ASSERT_EQUAL(l.fake->takes, 1);			/* has the machine come here? Its node is asked */
	lab_news(&l, HELD_REFUSED, VERDICT_TAKEN, lab_ip6(9));
	CU_ASSERT_EQUAL_FATAL(lab_outs(&l), 2);
	check_advert(&l, 1, lab_ip6(9), all_nodes(), 0x20);	/* to all: who asked has no address */
	CU_ASSERT_EQUAL(l.fake->wants, 0);
	lab_shut(&l);
}

static void a_router_solicitation_is_told_prefix_mtu_and_name_server(void)
{
	struct ip link = ip_link(lab_host);
	struct packet p;
	const uint8_t *o;
	struct lab l;

	lab_open(&l, MODEL_INTERFACE, 5);
	lab_nd(&l, lab_host, 133, link, all_routers(), NOTHING, 1);
	CU_ASSERT_EQUAL_FATAL(lab_outs(&l), 1);
	p = lab_out(&l, 0);
	CU_ASSERT_TRUE(p.icmp_type == 134 && p.ttl == 255 && ip_eq(&p.dst, &link) && ip_link_local(&p.src));
	CU_ASSERT_TRUE(p.l4.at[6] == 0 && p.l4.at[7] == 0);	/* no default router */
	CU_ASSERT_EQUAL(p.l4.at[5], 0x40);		/* addresses are made up, the rest is told by DHCPv6 */
	o = p.data.at + 8;
	CU_ASSERT_TRUE(o[0] == 1 && mac_eq(o + 2, l.mac));
	o += 8;
	CU_ASSERT_TRUE(o[0] == 5 && (o[6] << 8 | o[7]) == 1400);
	o += 8;
	CU_ASSERT_TRUE(o[0] == 3 && o[1] == 4 && o[2] == 64 && o[3] == 0xc0);
	CU_ASSERT_TRUE(o[16] == 0xfd && o[17] == 0x77 && o[31] == 0);
	o += 32;
	CU_ASSERT_TRUE(o[0] == 25 && o[1] == 3 && o[8] == 0xfd && o[23] == 1);
	CU_ASSERT_EQUAL((size_t)(o + 24 - p.data.at), p.data.len);
	for (unsigned i = 0; i < 20; i++)
		lab_nd(&l, lab_host, 133, link, all_routers(), NOTHING, 1);
	CU_ASSERT_TRUE(lab_outs(&l) <= 3);
	lab_shut(&l);
}

static void the_prefix_is_advertised_again_every_ten_minutes(void)
{
	unsigned adverts = 0;
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	for (unsigned i = 0; i < 30; i++) {
		lab_forget(&l);
		lab_wait(&l, 60 * LAB_S);
		for (unsigned k = 0; k < lab_outs(&l); k++)
			adverts += lab_out(&l, k).icmp_type == 134;
	}
	CU_ASSERT_TRUE(adverts >= 2 && adverts <= 4);
	lab_shut(&l);
}

static void messages_that_crossed_a_router_or_are_malformed_are_refused(void)
{
	struct ip target = lab_ip6(9), group = ip_solicited(&target), src = ip_link(lab_host);
	uint8_t buf[256], mac[MAC_BYTES];
	struct build b;
	struct lab l;

	lab_open(&l, MODEL_INTERFACE, 5);
	remote(&l, target);
	mac_of_group(mac, &group);
	for (unsigned i = 0; i < 5; i++) {
		struct writer w = writer_of(buf, sizeof(buf));

		build_eth(&w, mac, lab_host, TYPE_IP6);
		b = build_icmp(&w, &src, &group, i == 0 ? 254 : 255, 135, i == 1, 0);
		write_copy(&w, i == 2 ? group.at : target.at, i == 3 ? 15 : 16);
		if (i == 4)
			write_u64(&w, 0x0100000000000000);	/* an option of no length */
		build_done(&w, &b);
		lab_frame(&l, buf, writer_len(&w));
	}
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_VALUE), 3);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_SHORT), 1);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_OPTION), 1);
	CU_ASSERT_EQUAL(lab_outs(&l), 0);
	CU_ASSERT_EQUAL(l.fake->finds, 0);
	lab_shut(&l);
}

static void guests_are_no_routers(void)
{
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	lab_nd(&l, lab_host, 134, ip_link(lab_host), all_nodes(), lab_ip6(0), 1);
	lab_nd(&l, lab_host, 137, ip_link(lab_host), all_nodes(), lab_ip6(9), 1);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_SPOOFED), 2);
	lab_nd(&l, lab_host, 136, lab_ip6(1), all_nodes(), lab_ip6(1), 2);	/* "I am the gateway" */
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_SPOOFED), 3);
	CU_ASSERT_EQUAL_FATAL(lab_outs(&l), 1);
	check_advert(&l, 0, lab_ip6(1), all_nodes(), 0x20);
	CU_ASSERT_EQUAL(l.fake->wants, 0);
	lab_shut(&l);
}

static void an_address_is_claimed_when_it_is_first_used(void)
{
	struct lab l;
	struct ip ip = lab_ip6(77);

	lab_open(&l, MODEL_INTERFACE, 5);
	solicit(&l, NONE6, ip);
	CU_ASSERT_EQUAL(l.fake->wants, 0);
	lab_nd(&l, lab_host, 136, ip, all_nodes(), ip, 2);
	CU_ASSERT_EQUAL(l.fake->wants, 1);
	CU_ASSERT_TRUE(ip_eq(&l.fake->want[0].ip, &ip));
	lab_nd(&l, lab_host, 136, ip_link(lab_host), all_nodes(), ip_link(lab_host), 2);
	CU_ASSERT_EQUAL(l.fake->wants, 1);			/* link-local: nobody else's business */
	lab_shut(&l);
}

CU_TestInfo nd_tests[] = {
	{ "the gateway and served addresses are answered", the_gateway_and_served_addresses_are_answered },
	{ "a solicitation is held until it is resolved", a_solicitation_is_held_until_it_is_resolved },
	{ "duplicate address detection is defended", duplicate_address_detection_is_defended },
	{ "a router solicitation is told prefix, MTU and name server",
	  a_router_solicitation_is_told_prefix_mtu_and_name_server },
	{ "the prefix is advertised again every ten minutes", the_prefix_is_advertised_again_every_ten_minutes },
	{ "messages that crossed a router or are malformed are refused",
	  messages_that_crossed_a_router_or_are_malformed_are_refused },
	{ "guests are no routers", guests_are_no_routers },
	{ "an address is claimed when it is first used", an_address_is_claimed_when_it_is_first_used },
	CU_TEST_INFO_NULL,
};
