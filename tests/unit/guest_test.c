/* Guests: an honest small host, its DHCP client in every state, and what it does with rubbish. */
#include "tests/unit/suites.h"

#include "tests/unit/guest_lan.h"

static const struct guest_config plain;

static bool has4(const struct lan *l, unsigned i, uint32_t a)
{
	struct guest_look k = lan_look(l, i);
	struct ip want = ip_v4(a);

	return ip_eq(&k.ip4, &want);
}

static unsigned said(const struct lan *l, unsigned type)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->server.saids; i++)
		n += l->server.said[i].type == type;
	return n;
}

static int64_t said_at(const struct lan *l, unsigned type, unsigned nth)
{
	for (unsigned i = 0; i < l->server.saids; i++)
		if (l->server.said[i].type == type && !nth--)
			return l->server.said[i].at_ns;
	return -1;
}

/* ---- neighbours and talk ------------------------------------------------------------------------ */

static void static_hosts_ping_each_other(void)
{
	struct lan *l = lan_new(2, &plain, GUEST_STATIC);
	const struct lan_news *pong;

	lan_do(l, 0, GUEST_PLUG);
	lan_do(l, 1, GUEST_PLUG);
	lan_run(l, 5 * LAN_S);
	lan_order(l, 0, (struct guest_order){ .kind = ORDER_PING, .token = 7, .ip = ip_v4(0x0a00000b) });
	lan_run(l, 15 * LAN_S);
	pong = lan_told(l, 0, NEWS_PONG, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pong);
	CU_ASSERT_EQUAL(pong->news.token, 7);
	CU_ASSERT_EQUAL(pong->news.rtt_ns, 2 * SEGMENT_DELAY_NS);
	CU_ASSERT_EQUAL(pong->news.took_ns, 4 * SEGMENT_DELAY_NS);	/* and the ARP before it */
	CU_ASSERT_EQUAL(l->fx.count[GUEST_ECHOED], 1);
	CU_ASSERT_EQUAL(l->fx.count[GUEST_CHECKSUM], 0);
	lan_order(l, 0, (struct guest_order){ .kind = ORDER_PING, .token = 8, .ip = ip_v4(0x0a000063) });
	lan_run(l, 40 * LAN_S);
	CU_ASSERT_PTR_NOT_NULL(lan_told(l, 0, NEWS_PING_LOST, 0));
	CU_ASSERT_EQUAL(l->fx.count[GUEST_UNRESOLVED], 1);
	CU_ASSERT_EQUAL(lan_look(l, 0).talking, 0);
	lan_free(l);
}

static void many_neighbours_share_few_places(void)
{
	struct lan *l = lan_new(8, &plain, GUEST_STATIC);

	for (unsigned i = 0; i < 8; i++)
		lan_do(l, i, GUEST_PLUG);
	lan_run(l, 5 * LAN_S);
	for (unsigned i = 1; i < 7; i++)	/* six at a time, as many as there are places; twice */
		lan_order(l, 0, (struct guest_order){ .kind = ORDER_PING, .token = i, .ip = ip_v4(0x0a00000a + i) });
	lan_run(l, 6 * LAN_S);
	for (unsigned i = 2; i < 8; i++)
		lan_order(l, 0, (struct guest_order){ .kind = ORDER_PING, .token = i, .ip = ip_v4(0x0a00000a + i) });
	lan_run(l, 20 * LAN_S);
	CU_ASSERT_PTR_NOT_NULL(lan_told(l, 0, NEWS_PONG, 11));
	CU_ASSERT_PTR_NULL(lan_told(l, 0, NEWS_PING_LOST, 0));
	lan_order(l, 0, (struct guest_order){ .kind = ORDER_PING, .ip = ip_v4(0x0a000060) });	/* waited for: stays */
	for (unsigned i = 1; i < 6; i++)
		lan_order(l, 0, (struct guest_order){ .kind = ORDER_PING, .ip = ip_v4(0x0a00000a + i) });
	lan_run(l, 21 * LAN_S);
	for (unsigned i = 2; i < 7; i++)
		lan_order(l, 0, (struct guest_order){ .kind = ORDER_PING, .ip = ip_v4(0x0a00000a + i) });
	lan_run(l, 30 * LAN_S);
	CU_ASSERT_EQUAL(l->fx.count[GUEST_UNRESOLVED], 1);	/* asked three times, and given up */
	lan_free(l);
}

static void a_second_owner_of_an_address_is_noticed(void)
{
	struct guest_config c = { .probe = true };
	struct lan *l = lan_new(2, &c, GUEST_STATIC);

	l->guest[1]->ip4 = l->guest[0]->ip4;
	lan_do(l, 0, GUEST_PLUG);
	lan_run(l, 20 * LAN_S);
	CU_ASSERT(has4(l, 0, 0x0a00000a));
	CU_ASSERT_EQUAL(l->segment->port[0].in, 3 + 2);		/* probes, announcements */
	lan_do(l, 1, GUEST_PLUG);
	lan_run(l, 40 * LAN_S);
	CU_ASSERT_EQUAL(lan_look(l, 1).ip4.family, 0);
	CU_ASSERT(has4(l, 0, 0x0a00000a));
	CU_ASSERT(l->fx.count[GUEST_CONFLICT] > 0);
	lan_free(l);
}

static void ipv6_comes_up_with_dad_and_pings(void)
{
	struct guest_config c = { .ipv6 = true };
	struct lan *l = lan_new(2, &c, GUEST_STATIC);

	lan_do(l, 0, GUEST_PLUG);
	lan_do(l, 1, GUEST_PLUG);
	lan_run(l, 20 * LAN_S);
	CU_ASSERT_EQUAL(lan_look(l, 0).link_local.family, 6);
	lan_order(l, 0, (struct guest_order){ .kind = ORDER_PING, .ip = lan_look(l, 1).link_local });
	lan_run(l, 22 * LAN_S);
	CU_ASSERT_PTR_NOT_NULL(lan_told(l, 0, NEWS_PONG, 0));
	CU_ASSERT_EQUAL(l->fx.count[GUEST_CHECKSUM], 0);
	lan_free(l);
}

static void a_prefix_makes_a_global_address(void)
{
	struct guest_config c = { .ipv6 = true };
	struct lan *l = lan_new(1, &c, GUEST_STATIC);
	uint8_t frame[200], *p = frame_l4(frame, 6), mac[6] = { 0x33, 0x33, 0, 0, 0, 1 };
	struct ip from = { .at = { 0xfe, 0x80, [15] = 1 }, .family = 6 };
	struct ip to = { .at = { 0xff, 2, [15] = 1 }, .family = 6 };
	struct guest_look k;

	lan_do(l, 0, GUEST_PLUG);
	lan_run(l, 3 * LAN_S);
	memset(p, 0, 48);
	p[0] = 134;
	p[16] = 3, p[17] = 4, p[18] = 64, p[19] = 0xc0;
	put32(p + 20, 3600), put32(p + 24, 3600);
	p[32] = 0xfd, p[33] = 7;
	lan_put(l, l->server_port, frame, frame_ip(frame, lan_server_mac, mac, &from, &to, PROTO_ICMP6, 255, 48));
	lan_run(l, 6 * LAN_S);
	k = lan_look(l, 0);
	CU_ASSERT_EQUAL(k.ip6.family, 6);
	CU_ASSERT(k.ip6.at[0] == 0xfd && k.ip6.at[1] == 7 && k.ip6.at[11] == 0xff && k.ip6.at[15] == 0);
	p[0] = 134;				/* and one with a hop limit that says it was routed is ignored */
	p[33] = 8;
	lan_put(l, l->server_port, frame, frame_ip(frame, lan_server_mac, mac, &from, &to, PROTO_ICMP6, 64, 48));
	lan_run(l, 9 * LAN_S);
	CU_ASSERT_EQUAL(lan_look(l, 0).ip6.at[1], 7);
	lan_free(l);
}

static void flows_arrive_whole_and_right(void)
{
	struct lan *l = lan_new(2, &plain, GUEST_STATIC);
	const struct lan_news *n;

	lan_do(l, 0, GUEST_PLUG);
	lan_do(l, 1, GUEST_PLUG);
	lan_order(l, 0, (struct guest_order){ .kind = ORDER_TCP, .token = 1, .ip = ip_v4(0x0a00000b), .bytes = 1000000 });
	lan_run(l, 30 * LAN_S);
	n = lan_told(l, 0, NEWS_FLOW, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(n);
	CU_ASSERT_EQUAL(n->news.bytes, 1000000);
	CU_ASSERT_EQUAL(l->fx.count[GUEST_FLOW_BYTES], 1000000);
	CU_ASSERT_EQUAL(l->fx.count[GUEST_RESENT], 0);
	CU_ASSERT_PTR_NOT_NULL(lan_told(l, 0, NEWS_OPENED, 0));
	lan_order(l, 1, (struct guest_order){ .kind = ORDER_UDP, .token = 2, .ip = ip_v4(0x0a00000a), .bytes = 100000,
					      .size = 1000, .pace_ns = 1000000 });
	lan_run(l, 60 * LAN_S);
	n = lan_told(l, 0, NEWS_FIRST, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(n);
	CU_ASSERT(n->news.took_ns <= 3 * SEGMENT_DELAY_NS);
	CU_ASSERT_EQUAL(l->fx.count[GUEST_FLOW_BYTES], 1100000);
	CU_ASSERT_EQUAL(l->fx.count[GUEST_UDP_GOT], l->fx.count[GUEST_UDP_SENT]);
	CU_ASSERT_EQUAL(l->fx.count[GUEST_WRONG_DATA], 0);
	CU_ASSERT_EQUAL(lan_look(l, 0).talking + lan_look(l, 1).talking, 0);
	lan_free(l);
}

static void a_flow_survives_loss(void)
{
	struct lan *l = lan_new(2, &plain, GUEST_STATIC);

	lan_do(l, 0, GUEST_PLUG);
	lan_do(l, 1, GUEST_PLUG);
	lan_run(l, 5 * LAN_S);
	l->lose_every = 20;
	lan_order(l, 0, (struct guest_order){ .kind = ORDER_TCP, .ip = ip_v4(0x0a00000b), .bytes = 300000 });
	lan_run(l, 600 * LAN_S);
	CU_ASSERT_PTR_NOT_NULL(lan_told(l, 0, NEWS_FLOW, 0));
	CU_ASSERT_EQUAL(l->fx.count[GUEST_FLOW_BYTES], 300000);
	CU_ASSERT_EQUAL(l->fx.count[GUEST_WRONG_DATA], 0);
	CU_ASSERT(l->fx.count[GUEST_RESENT] > 0);
	lan_free(l);
}

static void a_changed_byte_in_a_flow_is_seen(void)
{
	struct lan *l = lan_new(2, &plain, GUEST_STATIC);

	lan_do(l, 0, GUEST_PLUG);
	lan_do(l, 1, GUEST_PLUG);
	lan_run(l, 5 * LAN_S);
	lan_order(l, 0, (struct guest_order){ .kind = ORDER_PING, .ip = ip_v4(0x0a00000b) });
	lan_run(l, 6 * LAN_S);
	lan_order(l, 0, (struct guest_order){ .kind = ORDER_UDP, .ip = ip_v4(0x0a00000b), .bytes = 100, .size = 500 });
	CU_ASSERT_FATAL(l->flyings == 1 && l->flying[0].len > 100);
	l->flying[0].at[80] ^= 1;		/* and the UDP checksum taken away, as a relay that lies would */
	put16(l->flying[0].at + 14 + 20 + 6, 0);
	lan_run(l, 7 * LAN_S);
	CU_ASSERT_EQUAL(l->fx.count[GUEST_WRONG_DATA], 1);
	lan_free(l);
}

static void a_wrong_checksum_is_counted_and_not_answered(void)
{
	static const struct ip a = { .at = { 10, 0, 0, 99 }, .family = 4 }, b = { .at = { 10, 0, 0, 10 }, .family = 4 };
	struct lan *l = lan_new(1, &plain, GUEST_STATIC);
	uint8_t frame[128];
	size_t len;

	lan_do(l, 0, GUEST_PLUG);
	lan_run(l, 5 * LAN_S);
	memset(frame_l4(frame, 4), 0, 64);
	frame_l4(frame, 4)[0] = 8;
	len = frame_ip(frame, lan_server_mac, (const uint8_t[]){ 2, 0, 0, 0, 0, 0 }, &a, &b, PROTO_ICMP, 64, 64);
	lan_put(l, l->server_port, frame, len);
	lan_run(l, 6 * LAN_S);
	CU_ASSERT_EQUAL(l->fx.count[GUEST_ECHOED], 1);
	for (unsigned at = 14; at < len; at++) {
		frame[at] ^= 0x10;
		lan_put(l, l->server_port, frame, len);
		lan_run(l, l->now_ns + LAN_S);
		frame[at] ^= 0x10;
	}
	CU_ASSERT_EQUAL(l->fx.count[GUEST_ECHOED], 1);
	CU_ASSERT(l->fx.count[GUEST_CHECKSUM] >= len - 20);
	lan_free(l);
}

static void cut_frames_are_never_read_past_their_end(void)
{
	struct guest_config c = { .ipv6 = true };
	struct lan *l = lan_new(2, &c, GUEST_DHCP);
	uint64_t before;

	l->server.lease_s = 100;
	lan_do(l, 0, GUEST_PLUG);
	lan_do(l, 1, GUEST_PLUG);
	lan_order(l, 0, (struct guest_order){ .kind = ORDER_RESOLVE, .name = "g7", .ip = { .family = 4 } });
	for (unsigned round = 0; round < 400; round++) {
		lan_run(l, l->now_ns + 5000);
		for (unsigned i = 0; i < l->flyings; i++) {
			struct lan_flying *f = &l->flying[i];

			for (unsigned len = 0; len < f->len && f->to < 2 && round % 3 == 0; len += 1 + len / 16) {
				uint8_t *cut = malloc(len ? len : 1);	/* ASan stands behind it */

				memcpy(cut, f->at, len);
				lan_step(l, f->to, &(struct guest_event){ .kind = GUEST_FRAME, .frame = cut, .len = (uint16_t)len });
				free(cut);
			}
		}
	}
	before = l->fx.count[GUEST_SHORT];
	lan_run(l, 10 * LAN_S);
	CU_ASSERT(before > 0);
	CU_ASSERT(has4(l, 0, 0x0a00000a) && has4(l, 1, 0x0a00000b));
	lan_free(l);
}

static void shouts_reach_everybody_once(void)
{
	struct lan *l = lan_new(5, &plain, GUEST_STATIC);

	for (unsigned i = 0; i < 5; i++)
		lan_do(l, i, GUEST_PLUG);
	lan_run(l, 5 * LAN_S);
	lan_order(l, 2, (struct guest_order){ .kind = ORDER_SHOUT, .token = 77, .size = 100 });
	lan_run(l, 6 * LAN_S);
	for (unsigned i = 0; i < 5; i++) {
		CU_ASSERT_EQUAL(lan_told(l, i, NEWS_HEARD, 0) != NULL, i != 2);
		CU_ASSERT_PTR_NULL(lan_told(l, i, NEWS_HEARD, 1));
	}
	CU_ASSERT_EQUAL(lan_told(l, 0, NEWS_HEARD, 0)->news.from, 2);
	CU_ASSERT_EQUAL(lan_told(l, 0, NEWS_HEARD, 0)->news.token, 77);
	lan_free(l);
}

/* ---- names ------------------------------------------------------------------------------------------ */

static void names_are_asked_and_answers_believed_with_care(void)
{
	struct lan *l = lan_new(1, &plain, GUEST_DHCP);
	struct ip seven = ip_v4(0x0a000007);
	const struct lan_news *n;

	lan_do(l, 0, GUEST_PLUG);
	lan_run(l, 5 * LAN_S);
	lan_order(l, 0, (struct guest_order){ .kind = ORDER_RESOLVE, .token = 1, .name = "g7.net", .ip = { .family = 4 } });
	lan_run(l, 10 * LAN_S);
	n = lan_told(l, 0, NEWS_NAME, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(n);
	CU_ASSERT(ip_eq(&n->news.ip, &seven));
	lan_order(l, 0, (struct guest_order){ .kind = ORDER_RESOLVE, .token = 2, .name = "nobody", .ip = { .family = 4 } });
	lan_run(l, 20 * LAN_S);
	n = lan_told(l, 0, NEWS_NAME, 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(n);
	CU_ASSERT(n->news.code == 3 && !n->news.ip.family);
	lan_order(l, 0, (struct guest_order){ .kind = ORDER_RESOLVE, .token = 3, .name = "g8", .ip = { .family = 4 } });
	lan_run(l, 40 * LAN_S);
	CU_ASSERT(l->fx.count[GUEST_FORM] >= 3);	/* the looping answer, to each try */
	CU_ASSERT_PTR_NOT_NULL(lan_told(l, 0, NEWS_NAME_LOST, 0));
	lan_free(l);
}

/* ---- DHCP ------------------------------------------------------------------------------------------- */

static void discover_to_bound_and_the_time_it_took(void)
{
	struct lan *l = lan_new(1, &plain, GUEST_DHCP);
	const struct lan_news *n;
	struct guest_look k;

	lan_do(l, 0, GUEST_PLUG);
	CU_ASSERT_EQUAL(lan_look(l, 0).dhcp, DHCP_SELECTING);
	lan_run(l, LAN_S);
	n = lan_told(l, 0, NEWS_BOUND, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(n);
	CU_ASSERT_EQUAL(n->news.took_ns, 4 * SEGMENT_DELAY_NS);
	CU_ASSERT_FALSE(n->news.again);
	k = lan_look(l, 0);
	CU_ASSERT_EQUAL(k.dhcp, DHCP_BOUND);
	CU_ASSERT_EQUAL(ip_u32(&k.dns), 0x0a000001);
	CU_ASSERT_EQUAL(k.expires_ns, 2 * SEGMENT_DELAY_NS + 1000 * LAN_S);	/* from sending the REQUEST */
	CU_ASSERT_EQUAL(l->server.said[1].wanted, 0x0a00000a);
	CU_ASSERT_EQUAL(l->server.said[1].server, 0x0a000001);
	lan_free(l);
}

static void discovers_back_off_as_4_1_says(void)
{
	static const int64_t least[] = { 3, 7, 15, 31, 63, 63 };
	struct lan *l = lan_new(1, &plain, GUEST_DHCP);

	l->server.mute_offer = true;
	lan_do(l, 0, GUEST_PLUG);
	lan_run(l, 300 * LAN_S);
	CU_ASSERT_FATAL(said(l, 1) >= 7);
	for (unsigned i = 0; i < 6; i++) {
		int64_t gap = said_at(l, 1, i + 1) - said_at(l, 1, i);

		CU_ASSERT(gap >= least[i] * LAN_S && gap <= (least[i] + 2) * LAN_S);
	}
	l->server.mute_offer = false;
	lan_run(l, 400 * LAN_S);
	CU_ASSERT(has4(l, 0, 0x0a00000a));
	CU_ASSERT(lan_told(l, 0, NEWS_BOUND, 0)->news.took_ns > 280 * LAN_S);	/* since the first */
	lan_free(l);
}

static void the_desync_waits_before_the_first_discover(void)
{
	struct guest_config c = { .desync_ns = 10 * LAN_S };
	struct lan *l = lan_new(6, &c, GUEST_DHCP);
	int64_t least = INT64_MAX, most = 0;

	for (unsigned i = 0; i < 6; i++)
		lan_do(l, i, GUEST_PLUG);
	lan_run(l, 11 * LAN_S);
	CU_ASSERT_EQUAL_FATAL(said(l, 1), 6);
	for (unsigned i = 0; i < 6; i++) {
		int64_t at = said_at(l, 1, i);

		least = at < least ? at : least;
		most = at > most ? at : most;
		CU_ASSERT(lan_told(l, i, NEWS_BOUND, 0)->news.took_ns < LAN_S);	/* the wait is no part of it */
	}
	CU_ASSERT(most - least > 2 * LAN_S && most < 10 * LAN_S + LAN_S);
	lan_free(l);
}

static void requests_unanswered_begin_anew(void)
{
	struct lan *l = lan_new(1, &plain, GUEST_DHCP);

	l->server.mute_ack = true;
	lan_do(l, 0, GUEST_PLUG);
	lan_run(l, 200 * LAN_S);
	CU_ASSERT(said(l, 3) >= 4 && said(l, 1) >= 2);
	CU_ASSERT_EQUAL(lan_look(l, 0).ip4.family, 0);
	lan_free(l);
}

static void leases_are_renewed_by_unicast_at_t1(void)
{
	struct lan *l = lan_new(1, &plain, GUEST_DHCP);

	lan_do(l, 0, GUEST_PLUG);
	lan_run(l, 499 * LAN_S);
	CU_ASSERT(said(l, 3) >= 1);
	lan_run(l, 520 * LAN_S);
	CU_ASSERT_EQUAL_FATAL(said(l, 3), 2);
	CU_ASSERT(said_at(l, 3, 1) >= 480 * LAN_S);
	CU_ASSERT(l->server.said[2].unicast && l->server.said[2].ciaddr == 0x0a00000a);
	CU_ASSERT(!l->server.said[2].wanted && !l->server.said[2].server);	/* RFC 2131, table 4 */
	CU_ASSERT(lan_told(l, 0, NEWS_BOUND, 1)->news.again);
	CU_ASSERT(lan_look(l, 0).expires_ns > 1400 * LAN_S);
	lan_run(l, 5000 * LAN_S);
	CU_ASSERT(has4(l, 0, 0x0a00000a));
	CU_ASSERT_PTR_NULL(lan_told(l, 0, NEWS_UNBOUND, 0));
	lan_free(l);
}

static void rebinding_asks_everybody_at_t2_and_the_end_is_the_end(void)
{
	struct lan *l = lan_new(1, &plain, GUEST_DHCP);
	unsigned broadcast = 0;

	lan_do(l, 0, GUEST_PLUG);
	lan_run(l, LAN_S);
	l->server.mute_renew = l->server.mute_rebind = l->server.mute_offer = true;
	lan_run(l, 870 * LAN_S);
	CU_ASSERT_EQUAL(lan_look(l, 0).dhcp, DHCP_RENEWING);
	lan_run(l, 880 * LAN_S);
	CU_ASSERT_EQUAL(lan_look(l, 0).dhcp, DHCP_REBINDING);
	CU_ASSERT(has4(l, 0, 0x0a00000a));
	lan_run(l, 1001 * LAN_S);
	CU_ASSERT_EQUAL(lan_look(l, 0).ip4.family, 0);		/* not a second longer than the lease */
	CU_ASSERT_PTR_NOT_NULL(lan_told(l, 0, NEWS_UNBOUND, 0));
	for (unsigned i = 0; i < l->server.saids; i++)
		broadcast += l->server.said[i].type == 3 && l->server.said[i].ciaddr && !l->server.said[i].unicast;
	CU_ASSERT(broadcast >= 1);
	l->server.mute_rebind = l->server.mute_offer = false;
	lan_run(l, 1100 * LAN_S);
	CU_ASSERT(has4(l, 0, 0x0a00000a));
	lan_free(l);
}

static void a_rebind_that_is_answered_goes_on(void)
{
	struct lan *l = lan_new(1, &plain, GUEST_DHCP);

	lan_do(l, 0, GUEST_PLUG);
	lan_run(l, LAN_S);
	l->server.mute_renew = true;
	lan_run(l, 1500 * LAN_S);
	CU_ASSERT(has4(l, 0, 0x0a00000a));
	CU_ASSERT_PTR_NULL(lan_told(l, 0, NEWS_UNBOUND, 0));
	lan_free(l);
}

static void a_nak_begins_anew_and_naks_for_ever_do_not_spin(void)
{
	struct lan *l = lan_new(1, &plain, GUEST_DHCP);

	lan_do(l, 0, GUEST_PLUG);
	lan_run(l, LAN_S);
	l->server.nak_all = true;
	lan_run(l, 600 * LAN_S);
	CU_ASSERT_EQUAL(lan_look(l, 0).ip4.family, 0);
	CU_ASSERT_PTR_NOT_NULL(lan_told(l, 0, NEWS_UNBOUND, 0));
	CU_ASSERT(said(l, 1) <= 22);
	l->server.nak_all = false;
	lan_run(l, 650 * LAN_S);
	CU_ASSERT(has4(l, 0, 0x0a00000a));
	lan_free(l);
}

static void a_replugged_cable_reboots_with_the_old_address(void)
{
	struct lan *l = lan_new(1, &plain, GUEST_DHCP);
	unsigned before;

	lan_do(l, 0, GUEST_PLUG);
	lan_run(l, 10 * LAN_S);
	lan_do(l, 0, GUEST_UNPLUG);
	CU_ASSERT_EQUAL(lan_look(l, 0).ip4.family, 0);
	before = l->server.saids;
	lan_run(l, 20 * LAN_S);
	CU_ASSERT_EQUAL(l->server.saids, before);
	lan_do(l, 0, GUEST_PLUG);
	CU_ASSERT_EQUAL(lan_look(l, 0).dhcp, DHCP_REBOOTING);
	lan_run(l, 21 * LAN_S);
	CU_ASSERT(has4(l, 0, 0x0a00000a));
	CU_ASSERT_EQUAL(said(l, 1), 1);				/* no second DISCOVER */
	CU_ASSERT_EQUAL(l->server.said[before].type, 3);
	CU_ASSERT_EQUAL(l->server.said[before].wanted, 0x0a00000a);
	CU_ASSERT(!l->server.said[before].ciaddr && !l->server.said[before].server);
	lan_do(l, 0, GUEST_UNPLUG);				/* without a server the rest of the lease is used */
	l->server.there = false;
	lan_run(l, 30 * LAN_S);
	lan_do(l, 0, GUEST_PLUG);
	lan_run(l, 100 * LAN_S);
	CU_ASSERT(has4(l, 0, 0x0a00000a));
	lan_run(l, 1100 * LAN_S);
	CU_ASSERT_EQUAL(lan_look(l, 0).ip4.family, 0);
	lan_free(l);
}

static void an_address_in_use_is_declined(void)
{
	struct guest_config c = { .probe = true };
	struct lan *l = lan_new(2, &c, GUEST_DHCP);

	l->guest[1]->addressing = GUEST_STATIC;			/* sits on what guest 0 will be given */
	l->guest[1]->ip4 = ip_v4(0x0a00000a);
	l->guest[1]->bits = 24;
	lan_do(l, 1, GUEST_PLUG);
	lan_run(l, 10 * LAN_S);
	lan_do(l, 0, GUEST_PLUG);
	lan_run(l, 15 * LAN_S);
	CU_ASSERT_EQUAL(said(l, 4), 1);
	CU_ASSERT_EQUAL(lan_look(l, 0).ip4.family, 0);
	CU_ASSERT_EQUAL(said(l, 1), 1);
	lan_run(l, 30 * LAN_S);
	CU_ASSERT(said(l, 1) >= 2);
	CU_ASSERT(said_at(l, 1, 1) - said_at(l, 4, 0) >= 10 * LAN_S);
	CU_ASSERT(has4(l, 1, 0x0a00000a));
	lan_free(l);
}

static void an_orderly_stop_releases(void)
{
	struct lan *l = lan_new(1, &plain, GUEST_DHCP);

	lan_do(l, 0, GUEST_PLUG);
	lan_run(l, LAN_S);
	lan_do(l, 0, GUEST_SHUT);
	lan_run(l, 2 * LAN_S);
	CU_ASSERT_EQUAL_FATAL(said(l, 7), 1);
	CU_ASSERT_EQUAL(l->server.said[2].ciaddr, 0x0a00000a);
	CU_ASSERT(l->server.said[2].unicast);
	CU_ASSERT_EQUAL(l->alarm_ns[0], INT64_MAX);
	lan_do(l, 0, GUEST_PLUG);				/* on again: from the beginning */
	lan_run(l, 3 * LAN_S);
	CU_ASSERT_EQUAL(said(l, 1), 2);
	CU_ASSERT(has4(l, 0, 0x0a00000a));
	lan_free(l);
}

static void an_idle_guest_is_a_kilobyte(void)
{
	CU_ASSERT(guest_bytes() <= 1024);
}

CU_TestInfo guest_tests[] = {
	{ "static hosts ping each other, and nobody who is not there", static_hosts_ping_each_other },
	{ "many neighbours share few places", many_neighbours_share_few_places },
	{ "a second owner of an address is noticed before it is used", a_second_owner_of_an_address_is_noticed },
	{ "IPv6 comes up with DAD and pings", ipv6_comes_up_with_dad_and_pings },
	{ "a prefix makes a global address, unless it was routed", a_prefix_makes_a_global_address },
	{ "TCP and UDP flows arrive whole and right", flows_arrive_whole_and_right },
	{ "a TCP flow survives loss", a_flow_survives_loss },
	{ "a changed byte in a flow is seen", a_changed_byte_in_a_flow_is_seen },
	{ "a wrong checksum anywhere is counted and not answered", a_wrong_checksum_is_counted_and_not_answered },
	{ "cut frames are never read past their end", cut_frames_are_never_read_past_their_end },
	{ "shouts reach everybody once", shouts_reach_everybody_once },
	{ "names are asked for, answers believed with care", names_are_asked_and_answers_believed_with_care },
	{ "DHCP: DISCOVER to BOUND, and the lease counts from sending", discover_to_bound_and_the_time_it_took },
	{ "DHCP: DISCOVERs back off as 4.1 says", discovers_back_off_as_4_1_says },
	{ "DHCP: the desync waits before the first DISCOVER", the_desync_waits_before_the_first_discover },
	{ "DHCP: REQUESTs unanswered begin anew", requests_unanswered_begin_anew },
	{ "DHCP: leases are renewed by unicast at T1", leases_are_renewed_by_unicast_at_t1 },
	{ "DHCP: REBINDING at T2, and the end is the end", rebinding_asks_everybody_at_t2_and_the_end_is_the_end },
	{ "DHCP: a rebind that is answered goes on", a_rebind_that_is_answered_goes_on },
	{ "DHCP: a NAK begins anew, NAKs for ever do not spin", a_nak_begins_anew_and_naks_for_ever_do_not_spin },
	{ "DHCP: a replugged cable reboots with the old address", a_replugged_cable_reboots_with_the_old_address },
	{ "DHCP: an address in use is declined", an_address_in_use_is_declined },
	{ "DHCP: an orderly stop releases", an_orderly_stop_releases },
	{ "an idle guest is a kilobyte", an_idle_guest_is_a_kilobyte },
	CU_TEST_INFO_NULL
};
