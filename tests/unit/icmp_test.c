/* The gateway answers pings; guests are told what did not go, as the RFCs say and no more often. */
#include "tests/unit/suites.h"
#include "tests/unit/vnet_lab.h"

static struct ip host(void)
{
	return lab_ip(10, 250, 2, 2);
}

static struct ip far(void)
{
	return lab_ip(10, 250, 7, 7);
}

static void start(struct lab *l)
{
	lab_open(l, MODEL_INTERFACE, 5);
	lab_static(l, lab_host, host());
	lab_static(l, lab_host, lab_ip6(2));
}

static void ping(struct lab *l, struct lab_buf *b, struct ip src, struct ip dst, size_t len)
{
	struct build u;

	b->w = writer_of(b->at, sizeof(b->at));
	build_eth(&b->w, l->mac, lab_host, src.family == 4 ? TYPE_IP4 : TYPE_IP6);
	u = build_icmp(&b->w, &src, &dst, 64, src.family == 4 ? 8 : 128, 0, 0x12340007);
	memset(write_space(&b->w, len), 'x', len);
	build_done(&b->w, &u);
	lab_frame_of(l, &b->w, NULL);
}

static void the_gateway_answers_pings_of_any_size(void)
{
	static const size_t LENS[] = { 0, 1, 56, 1372, 8972 };
	struct lab_buf b;
	struct lab l;

	start(&l);
	for (unsigned i = 0; i < 10; i++) {
		struct ip gateway = i < 5 ? lab_ip(10, 250, 0, 1) : lab_ip6(1), src = i < 5 ? host() : lab_ip6(2);
		struct packet p;

		ping(&l, &b, src, gateway, LENS[i % 5]);
		CU_ASSERT_EQUAL_FATAL(lab_outs(&l), i + 1);
		p = lab_out(&l, i);
		CU_ASSERT_EQUAL(p.icmp_type, i < 5 ? 0 : 129);
		CU_ASSERT_TRUE(p.data.len == LENS[i % 5] && p.l4.at[4] == 0x12 && p.l4.at[7] == 7);
		CU_ASSERT_TRUE(ip_eq(&p.src, &gateway) && ip_eq(&p.dst, &src) && mac_eq(p.mac_to, lab_host));
	}
	lab_shut(&l);
}

static void what_the_gateway_has_not_got_is_a_closed_port(void)
{
	struct packet p;
	struct lab_buf b;
	struct lab l;

	start(&l);
	lab_frame_of(&l, lab_udp(&b, l.mac, lab_host, host(), lab_ip(10, 250, 0, 1), 999, 9, 20), NULL);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_SERVICE), 1);
	CU_ASSERT_EQUAL_FATAL(lab_outs(&l), 1);
	p = lab_out(&l, 0);
	CU_ASSERT_TRUE(p.icmp_type == 3 && p.icmp_code == 3);
	CU_ASSERT_TRUE(p.data.len == 48 && !memcmp(p.data.at, b.at + ETH_HEADER, 48));
	lab_frame_of(&l, lab_udp(&b, l.mac, lab_host, host(), lab_ip(10, 250, 0, 1), 999, 53, 20), NULL);
	CU_ASSERT_EQUAL(l.fake->dns, 1);
	CU_ASSERT_EQUAL(lab_outs(&l), 1);
	lab_shut(&l);
}

static void who_sends_to_nobody_is_told_host_unreachable(void)
{
	struct lab_buf b;
	struct packet p;
	struct lab l;

	start(&l);
	lab_nobody(&l, lab_udp(&b, NULL, NULL, host(), far(), 1, 2, 1000));
	lab_nobody(&l, lab_udp(&b, NULL, NULL, lab_ip6(2), lab_ip6(9), 1, 2, 10));
	lab_nobody(&l, lab_udp(&b, NULL, NULL, lab_ip(10, 250, 2, 99), far(), 1, 2, 10));	/* no guest of ours */
	CU_ASSERT_EQUAL_FATAL(lab_outs(&l), 2);
	p = lab_out(&l, 0);
	CU_ASSERT_TRUE(p.icmp_type == 3 && p.icmp_code == 1 && p.l3.len == 576 && mac_eq(p.mac_to, lab_host));
	p = lab_out(&l, 1);
	CU_ASSERT_TRUE(p.icmp_type == 1 && p.icmp_code == 3 && p.data.at[0] >> 4 == 6);
	lab_shut(&l);
}

static void too_big_names_the_networks_mtu(void)
{
	struct lab_buf b;
	struct packet p;
	struct lab l;

	start(&l);
	lab_frame_of(&l, lab_udp(&b, l.mac, lab_host, host(), far(), 1, 2, 1401 - 28), NULL);
	lab_frame_of(&l, lab_udp(&b, l.mac, lab_host, lab_ip6(2), lab_ip6(9), 1, 2, 1401 - 48), NULL);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_TOO_BIG), 2);
	CU_ASSERT_EQUAL(l.fake->sent, 0);
	CU_ASSERT_EQUAL_FATAL(lab_outs(&l), 2);
	p = lab_out(&l, 0);
	CU_ASSERT_TRUE(p.icmp_type == 3 && p.icmp_code == 4 && (p.l4.at[6] << 8 | p.l4.at[7]) == 1400);
	CU_ASSERT_EQUAL(p.l3.len, 576);
	p = lab_out(&l, 1);
	CU_ASSERT_TRUE(p.icmp_type == 2 && (p.l4.at[6] << 8 | p.l4.at[7]) == 1400);
	CU_ASSERT_EQUAL(p.l3.len, 1280);
	lab_frame_of(&l, lab_udp(&b, l.mac, lab_host, host(), far(), 1, 2, 1400 - 28), NULL);
	CU_ASSERT_EQUAL(l.fake->sent, 1);
	lab_shut(&l);
}

/* What a frame is told when it is larger than its path: the MTU in an error, 0: nothing. It is carried all the same. */
static unsigned told(struct lab *l, struct lab_buf *b)
{
	unsigned outs = lab_outs(l), sent = l->fake->sent;
	struct packet p;

	lab_frame_of(l, &b->w, NULL);
	CU_ASSERT_EQUAL(l->fake->sent, sent + 1);
	if (lab_outs(l) == outs)
		return 0;
	p = lab_out(l, outs);
	CU_ASSERT_TRUE(p.family == 4 ? p.icmp_type == 3 && p.icmp_code == 4 : p.icmp_type == 2);
	return (unsigned)(p.l4.at[6] << 8 | p.l4.at[7]);
}

static void what_a_path_carries_in_one_piece_is_told_and_larger_ones_go_in_pieces(void)
{
	struct lab_buf b;
	struct lab l;
	unsigned errors = 0;
	uint16_t sum;

	start(&l);
	l.fake->fits = 1211;
	lab_udp(&b, l.mac, lab_host, host(), far(), 1, 2, 1211 - 28);
	CU_ASSERT_EQUAL(told(&l, &b), 0);
	lab_udp(&b, l.mac, lab_host, host(), far(), 1, 2, 1212 - 28);
	CU_ASSERT_EQUAL(told(&l, &b), 1211);
	b.at[ETH_HEADER + 6] = 0;				/* may be cut: no path but this one, and it can do it better */
	b.at[ETH_HEADER + 10] = b.at[ETH_HEADER + 11] = 0;
	sum = sum_done(sum_add(0, b.at + ETH_HEADER, 20));
	b.at[ETH_HEADER + 10] = (uint8_t)(sum >> 8);
	b.at[ETH_HEADER + 11] = (uint8_t)sum;
	CU_ASSERT_EQUAL(told(&l, &b), 0);
	lab_udp(&b, l.mac, lab_host, lab_ip6(2), lab_ip6(9), 1, 2, 1280 - 48);
	CU_ASSERT_EQUAL(told(&l, &b), 0);			/* nobody sends less than that */
	lab_udp(&b, l.mac, lab_host, lab_ip6(2), lab_ip6(9), 1, 2, 1400 - 48);
	CU_ASSERT_EQUAL(told(&l, &b), 1280);
	l.fake->fits = 1340;
	CU_ASSERT_EQUAL(told(&l, &b), 1340);
	for (unsigned i = 0; i < 100; i++)
		errors += told(&l, &b) == 1340;
	CU_ASSERT_TRUE(errors >= 5 && errors <= 10);		/* who does not listen does not hear it each time */
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_TOO_BIG), 0);
	lab_frame_of(&l, lab_udp(&b, l.mac, lab_host, host(), lab_ip(10, 250, 0, 1), 999, 9, 20), NULL);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_SERVICE), 1);
	lab_shut(&l);
}

static void a_packet_that_may_be_cut_is_cut_and_fits_together_again(void)
{
	uint8_t whole[9000];
	struct lab_buf b;
	struct packet p;
	size_t len = 0, want;
	struct lab l;

	start(&l);
	lab_udp(&b, l.mac, lab_host, host(), far(), 1, 2, 5000);
	b.at[ETH_HEADER + 6] = 0;				/* don't fragment: no */
	b.at[ETH_HEADER + 10] = b.at[ETH_HEADER + 11] = 0;
	uint16_t sum = sum_done(sum_add(0, b.at + ETH_HEADER, 20));

	b.at[ETH_HEADER + 10] = (uint8_t)(sum >> 8);
	b.at[ETH_HEADER + 11] = (uint8_t)sum;
	lab_frame_of(&l, &b.w, NULL);
	CU_ASSERT_EQUAL(l.fake->sent, 4);
	for (unsigned i = 0; i < l.fake->sent; i++) {
		struct bytes piece = { l.fake->packet[i], l.fake->len[i] };

		CU_ASSERT_EQUAL(packet_read_ip(&p, piece, NULL), DROP_NONE);
		CU_ASSERT_TRUE(piece.len <= 1400);
		CU_ASSERT_EQUAL(p.fragment, len);
		CU_ASSERT_EQUAL(p.more, i < 3);
		memcpy(whole + len, piece.at + 20, piece.len - 20);
		len += piece.len - 20;
	}
	want = writer_len(&b.w) - ETH_HEADER - 20;
	CU_ASSERT_TRUE(len == want && !memcmp(whole, b.at + ETH_HEADER + 20, want));
	lab_shut(&l);
}

static void errors_are_rate_limited_and_never_about_errors_or_groups(void)
{
	struct ip gateway = lab_ip(10, 250, 0, 1);
	struct lab_buf b;
	struct build u;
	struct lab l;

	start(&l);
	b.w = writer_of(b.at, sizeof(b.at));			/* an error, to nowhere */
	build_eth(&b.w, l.mac, lab_host, TYPE_IP4);
	u = build_icmp(&b.w, &(struct ip){ .family = 4, .at = { 10, 250, 2, 2 } }, &(struct ip){ .family = 4, .at = { 9 } },
		       64, 3, 1, 0);
	build_done(&b.w, &u);
	lab_frame_of(&l, &b.w, NULL);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_ABROAD), 1);
	CU_ASSERT_EQUAL(lab_outs(&l), 0);
	lab_udp(&b, mac_broadcast, lab_host, host(), gateway, 1, 9, 4);
	lab_frame_of(&l, &b.w, NULL);				/* unicast in an Ethernet broadcast */
	CU_ASSERT_EQUAL(lab_outs(&l), 0);
	for (unsigned i = 0; i < 100; i++)
		lab_frame_of(&l, lab_udp(&b, l.mac, lab_host, host(), gateway, 1, 9, 4), NULL);
	CU_ASSERT_EQUAL(lab_outs(&l), 10);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_RATE), 90);
	lab_wait(&l, LAB_S);
	for (unsigned i = 0; i < 100; i++)
		lab_frame_of(&l, lab_udp(&b, l.mac, lab_host, host(), gateway, 1, 9, 4), NULL);
	CU_ASSERT_EQUAL(lab_outs(&l), 20);
	lab_shut(&l);
}

static void syn(struct lab *l, struct lab_buf *b, unsigned family, unsigned nops, unsigned mss)
{
	struct ip src = family == 4 ? host() : lab_ip6(2), dst = family == 4 ? far() : lab_ip6(9);
	struct build u;

	b->w = writer_of(b->at, sizeof(b->at));
	build_eth(&b->w, l->mac, lab_host, family == 4 ? TYPE_IP4 : TYPE_IP6);
	u = build_ip(&b->w, &src, &dst, PROTO_TCP, 64);
	write_u16(&b->w, 1);
	write_u16(&b->w, 80);
	write_u64(&b->w, 99);
	write_u16(&b->w, 0x7002);			/* 28 bytes, SYN */
	write_u16(&b->w, 5000);
	write_u32(&b->w, 0);
	for (unsigned i = 0; i < nops; i++)
		write_u8(&b->w, 1);
	write_u16(&b->w, 0x0204);
	write_u16(&b->w, (uint16_t)mss);
	while (writer_len(&b->w) < (family == 4 ? 14u + 20 + 28 : 14u + 40 + 28))
		write_u8(&b->w, 0);
	build_done(&b->w, &u);
	lab_frame_of(l, &b->w, NULL);
}

static void a_syn_offers_no_more_than_fits(void)
{
	struct lab_buf b;
	struct lab l;

	start(&l);
	for (unsigned i = 0; i < 16; i++) {		/* the option at even and odd places; a path that carries less */
		unsigned family = i & 1 ? 6 : 4, nops = i >> 1 & 1, mss = i & 4 ? 536 : 1460;
		unsigned most = (family == 4 ? 1360 : 1340) - (i & 8 ? 189 : 0), at = (family == 4 ? 20 : 40) + 20 + nops + 2;
		struct packet p;

		l.fake->fits = i & 8 ? 1211 : 0;
		syn(&l, &b, family, nops, mss);
		CU_ASSERT_EQUAL_FATAL(l.fake->sent, i + 1);
		CU_ASSERT_EQUAL(packet_read_ip(&p, (struct bytes){ l.fake->packet[i], l.fake->len[i] }, NULL), DROP_NONE);
		CU_ASSERT_EQUAL((unsigned)(p.l3.at[at] << 8 | p.l3.at[at + 1]), mss < most ? mss : most);
	}
	lab_shut(&l);
}

CU_TestInfo icmp_tests[] = {
	{ "the gateway answers pings of any size", the_gateway_answers_pings_of_any_size },
	{ "what the gateway has not got is a closed port", what_the_gateway_has_not_got_is_a_closed_port },
	{ "who sends to nobody is told: host unreachable", who_sends_to_nobody_is_told_host_unreachable },
	{ "too big names the network's MTU", too_big_names_the_networks_mtu },
	{ "what a path carries in one piece is told, and larger ones go in pieces",
	  what_a_path_carries_in_one_piece_is_told_and_larger_ones_go_in_pieces },
	{ "a packet that may be cut is cut, and fits together again",
	  a_packet_that_may_be_cut_is_cut_and_fits_together_again },
	{ "errors are rate limited and never about errors or groups",
	  errors_are_rate_limited_and_never_about_errors_or_groups },
	{ "a SYN offers no more than fits", a_syn_offers_no_more_than_fits },
	CU_TEST_INFO_NULL,
};
