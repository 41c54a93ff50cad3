/*
 * The DHCP server keeps to RFC 2131: what a guest says, what it is told, and that
 * it is told nothing that the lease behind it does not cover.
 */
#include "tests/unit/dhcp_lab.h"

/* ---- the four messages ---- */

static void discover_offer_request_ack(void)
{
	struct lab *l = lab_new();
	uint8_t mtu[2];

	CU_ASSERT_EQUAL(HEAR(l, DHCP_DISCOVER, 1, .xid = 9), DROP_NONE);
	CU_ASSERT_EQUAL(l->sent, 0);			/* not before the lease is granted */
	CU_ASSERT_EQUAL_FATAL(l->wants, 1);
	CU_ASSERT(l->want[0].ip.family == 4 && !ip_u32(&l->want[0].ip));
	grant(l, 0x0afa0505);
	CU_ASSERT_EQUAL_FATAL(l->sent, 1);
	CU_ASSERT(l->last.type == DHCP_OFFER && l->last.xid == 9 && l->last.yiaddr == 0x0afa0505);
	CU_ASSERT_FALSE(l->keep[0]);			/* a reservation is not renewed */
	HEAR(l, DHCP_REQUEST, 1, .xid = 10, .requested = 0x0afa0505, .server = GATEWAY);
	CU_ASSERT(l->last.type == DHCP_ACK && l->last.xid == 10 && l->last.yiaddr == 0x0afa0505);
	CU_ASSERT_TRUE(l->keep[0]);
	CU_ASSERT_EQUAL(l->leased, 1);
	CU_ASSERT_EQUAL(option(l, OPTION_MASK), 0xffff0000);
	CU_ASSERT_EQUAL(option(l, OPTION_DNS), GATEWAY);
	CU_ASSERT_EQUAL(option(l, OPTION_BROADCAST), 0x0afaffff);
	CU_ASSERT_EQUAL(option(l, OPTION_LEASE), S_TERM);
	CU_ASSERT_EQUAL(option(l, OPTION_T1), S_TERM / 2);
	CU_ASSERT_EQUAL(option(l, OPTION_T2), S_TERM / 8 * 7);
	CU_ASSERT(dhcp_option(&l->last.options, OPTION_MTU, mtu, 2) == 2 && mtu[0] << 8 | mtu[1]);
	CU_ASSERT_EQUAL(mtu[0] << 8 | mtu[1], 1400);	/* IPOP's guests had 1200 whatever the network */
	CU_ASSERT_FALSE(has(l, OPTION_ROUTER));		/* a guest's own way out stays its own */
	lab_free(l);
}

static void an_unclaimed_offer_is_given_back(void)
{
	struct lab *l = lab_new();

	HEAR(l, DHCP_DISCOVER, 1);
	grant(l, 0x0afa0505);
	pass(l, RESERVE_S - 1);
	CU_ASSERT_EQUAL(l->releases, 0);
	pass(l, 1);
	CU_ASSERT(l->releases == 1 && ip_u32(&l->released) == 0x0afa0505);
	CU_ASSERT_EQUAL(l->d.clients, 0);
	lab_free(l);
}

static void the_lease_time_is_never_longer_than_belief(void)
{
	struct lab *l = lab_new();

	settle(l, 1, 0x0afa0505);
	l->held[0].until_ns = l->bare.env.now_ns + 1000 * NS_PER_S - 1;
	HEAR(l, DHCP_REQUEST, 1, .ciaddr = 0x0afa0505);
	CU_ASSERT_EQUAL(l->last.type, DHCP_ACK);
	CU_ASSERT_EQUAL(option(l, OPTION_LEASE), 999);
	lab_free(l);
}

static void too_little_belief_is_renewed_before_the_ack(void)
{
	struct lab *l = lab_new();

	settle(l, 1, 0x0afa0505);
	l->held[0].until_ns = l->bare.env.now_ns + 5 * NS_PER_S;
	HEAR(l, DHCP_REQUEST, 1, .ciaddr = 0x0afa0505);
	CU_ASSERT(l->sent == 2 && l->touches == 1);
	HEAR(l, DHCP_REQUEST, 1, .ciaddr = 0x0afa0505);	/* said again: asked once */
	CU_ASSERT_EQUAL(l->touches, 1);
	answer(l, HELD_RENEWED, VERDICT_OK, 0x0afa0505);
	CU_ASSERT(l->sent == 3 && l->last.type == DHCP_ACK && option(l, OPTION_LEASE) == S_TERM);
	lab_free(l);
}

static void a_held_request_ends_in_what_is_left_or_in_silence(void)
{
	struct lab *l = lab_new();

	settle(l, 1, 0x0afa0505);
	l->held[0].until_ns = l->bare.env.now_ns + 30 * NS_PER_S;
	HEAR(l, DHCP_REQUEST, 1, .ciaddr = 0x0afa0505);
	pass(l, REQUEST_HOLD_S);
	CU_ASSERT(l->sent == 3 && l->last.type == DHCP_ACK && option(l, OPTION_LEASE) == 20);
	settle(l, 2, 0x0afa0506);
	l->held[1].until_ns = l->bare.env.now_ns;	/* as after a suspend: nothing is believed */
	HEAR(l, DHCP_REQUEST, 2, .ciaddr = 0x0afa0506);
	l->sent = 0;
	pass(l, REQUEST_HOLD_S);
	CU_ASSERT_EQUAL(l->sent, 0);
	CU_ASSERT_EQUAL(drops(l, DROP_SILENT), 1);
	CU_ASSERT_EQUAL(l->d.asks, 0);
	lab_free(l);
}

static void the_lease_ends_with_the_guests_own(void)
{
	struct lab *l = lab_new();

	settle(l, 1, 0x0afa0505);
	for (unsigned i = 0; i < 3; i++) {		/* it renews at T1 ... */
		pass(l, S_TERM / 2);
		l->held[0].until_ns = l->bare.env.now_ns + S_TERM * NS_PER_S;	/* the node renewed its own */
		HEAR(l, DHCP_REQUEST, 1, .ciaddr = 0x0afa0505);
		CU_ASSERT_EQUAL(l->last.type, DHCP_ACK);
	}
	pass(l, S_TERM - 1);				/* ... and then no more */
	CU_ASSERT_EQUAL(l->releases, 0);
	pass(l, 1);
	CU_ASSERT(l->releases == 1 && l->gone == 1 && !l->d.clients);
	lab_free(l);
}

/* ---- discover ---- */

static void the_address_asked_for_is_tried_first(void)
{
	struct lab *l = lab_new();
	struct want w;

	HEAR(l, DHCP_DISCOVER, 1, .requested = 0x0afa0909);
	w = answer(l, HELD_REFUSED, VERDICT_TAKEN, 0);
	CU_ASSERT_EQUAL(ip_u32(&w.ip), 0x0afa0909);
	w = grant(l, 0x0afa0111);			/* and then any */
	CU_ASSERT(w.ip.family == 4 && !ip_u32(&w.ip));
	CU_ASSERT(l->last.type == DHCP_OFFER && l->last.yiaddr == 0x0afa0111);
	HEAR(l, DHCP_DISCOVER, 2, .requested = 0xc0a80105);	/* of another network: not even asked for */
	w = grant(l, 0x0afa0112);
	CU_ASSERT_EQUAL(ip_u32(&w.ip), 0);
	HEAR(l, DHCP_DISCOVER, 3, .requested = GATEWAY);
	w = grant(l, 0x0afa0113);
	CU_ASSERT_EQUAL(ip_u32(&w.ip), 0);
	lab_free(l);
}

static void a_retransmission_asks_nothing_twice(void)
{
	struct lab *l = lab_new();

	for (unsigned i = 0; i < 5; i++)
		HEAR(l, DHCP_DISCOVER, 1, .xid = 9);
	CU_ASSERT_EQUAL(l->wants, 1);
	HEAR(l, DHCP_DISCOVER, 1, .xid = 12);		/* the latest question is the one answered */
	grant(l, 0x0afa0505);
	CU_ASSERT(l->sent == 1 && l->last.xid == 12);
	HEAR(l, DHCP_DISCOVER, 1, .xid = 13);		/* offered already: the same again */
	CU_ASSERT(l->sent == 2 && l->last.yiaddr == 0x0afa0505 && !l->wants && l->helds == 1);
	for (unsigned i = 0; i < 3; i++)
		HEAR(l, DHCP_REQUEST, 1, .requested = 0x0afa0505, .server = GATEWAY);
	CU_ASSERT(l->sent == 5 && l->last.type == DHCP_ACK && l->helds == 1 && !l->wants);
	lab_free(l);
}

static void nobody_to_ask_yet_is_no_reason_to_forget(void)
{
	struct lab *l = lab_new();

	/* IPOP gave up after two tries; here the question outlives a network that is not there. */
	HEAR(l, DHCP_DISCOVER, 1);
	for (unsigned i = 0; i < 12; i++) {
		answer(l, HELD_REFUSED, i % 2 ? VERDICT_TIMEOUT : VERDICT_WAIT, 0);
		pass(l, 9);
		HEAR(l, DHCP_DISCOVER, 1);		/* as clients do */
		CU_ASSERT_EQUAL_FATAL(l->wants, 1);
	}
	grant(l, 0x0afa0505);
	CU_ASSERT(l->sent == 1 && l->last.type == DHCP_OFFER);
	lab_free(l);
}

static void the_first_pauses_are_short(void)
{
	struct lab *l = lab_new();

	HEAR(l, DHCP_DISCOVER, 1);
	answer(l, HELD_REFUSED, VERDICT_TIMEOUT, 0);
	CU_ASSERT_EQUAL(l->due_ns - l->bare.env.now_ns, 250 * NS_PER_MS);
	lab_free(l);
}

static void a_full_table_of_leases_is_tried_again(void)
{
	struct lab *l = lab_new();

	l->full = true;
	HEAR(l, DHCP_DISCOVER, 1);
	pass(l, 2);
	CU_ASSERT_EQUAL(l->wants, 0);
	l->full = false;
	pass(l, 4);
	CU_ASSERT_EQUAL_FATAL(l->wants, 1);
	grant(l, 0x0afa0505);
	CU_ASSERT_EQUAL(l->sent, 1);
	lab_free(l);
}

static void a_client_that_went_away_is_forgotten(void)
{
	struct lab *l = lab_new();

	HEAR(l, DHCP_DISCOVER, 1);
	pass(l, DISCOVER_HOLD_S + 1);
	CU_ASSERT(l->d.clients == 1 && !l->d.asks);	/* news is still to come ... */
	grant(l, 0x0afa0505);
	CU_ASSERT(!l->sent && l->releases == 1 && !l->d.clients);	/* ... and nobody wants it */
	HEAR(l, DHCP_DISCOVER, 2);
	for (unsigned i = 0; i < 20 && l->wants; i++) {
		answer(l, HELD_REFUSED, VERDICT_FULL, 0);
		pass(l, 9);
	}
	CU_ASSERT(!l->d.clients && !l->d.asks && drops(l, DROP_SILENT) == 2);
	lab_free(l);
}

static void questions_kept_are_bounded(void)
{
	struct lab *l = lab_new();

	for (unsigned i = 1; i <= 60; i++)
		HEAR(l, DHCP_DISCOVER, (uint8_t)i);
	CU_ASSERT(l->d.asks == DHCPD_ASKS && l->d.clients == DHCPD_ASKS && l->wants == DHCPD_ASKS);
	CU_ASSERT_EQUAL(drops(l, DROP_FULL), 60 - DHCPD_ASKS);
	lab_free(l);
}

static void addresses_nobody_uses_are_bounded(void)
{
	struct lab *l = lab_new();

	for (unsigned i = 1; i <= 200; i++) {
		HEAR(l, DHCP_DISCOVER, (uint8_t)i);
		if (l->wants)
			grant(l, 0x0afa0100 + i);
	}
	CU_ASSERT_EQUAL(l->helds, DHCPD_RESERVED);
	CU_ASSERT_EQUAL(drops(l, DROP_FULL), 200 - DHCPD_RESERVED);
	pass(l, RESERVE_S);
	CU_ASSERT_EQUAL(l->helds, 0);
	lab_free(l);
}

static void rapid_commit_is_acknowledged_at_once(void)
{
	struct lab *l = lab_new();

	HEAR(l, DHCP_DISCOVER, 1, .rapid = true);
	grant(l, 0x0afa0505);
	CU_ASSERT(l->sent == 1 && l->last.type == DHCP_ACK && has(l, OPTION_RAPID) && l->keep[0]);
	HEAR(l, DHCP_REQUEST, 1, .ciaddr = 0x0afa0505);
	CU_ASSERT(l->last.type == DHCP_ACK && !has(l, OPTION_RAPID));
	lab_free(l);
}

/* ---- request ---- */

static void another_server_was_chosen(void)
{
	struct lab *l = lab_new();

	HEAR(l, DHCP_DISCOVER, 1);
	grant(l, 0x0afa0505);
	HEAR(l, DHCP_REQUEST, 1, .requested = 0xc0a80105, .server = 0xc0a80101);
	CU_ASSERT(l->sent == 1 && l->releases == 1 && !l->d.clients);
	HEAR(l, DHCP_REQUEST, 2, .requested = 0xc0a80105, .server = 0xc0a80101);
	CU_ASSERT_EQUAL(l->sent, 1);
	lab_free(l);
}

static void init_reboot_gets_its_address_confirmed(void)
{
	struct lab *l = lab_new();
	struct want w;

	settle(l, 1, 0x0afa0505);
	HEAR(l, DHCP_REQUEST, 1, .requested = 0x0afa0505);
	CU_ASSERT(l->sent == 3 && l->last.type == DHCP_ACK && !l->wants);
	/* One we know nothing of: the DHT does. */
	HEAR(l, DHCP_REQUEST, 2, .requested = 0x0afa0606);
	CU_ASSERT_EQUAL(l->sent, 3);
	w = grant(l, 0x0afa0606);
	CU_ASSERT_EQUAL(ip_u32(&w.ip), 0x0afa0606);
	CU_ASSERT(l->sent == 4 && l->last.type == DHCP_ACK && l->last.yiaddr == 0x0afa0606);
	lab_free(l);
}

static void init_reboot_to_a_taken_address_is_refused(void)
{
	struct lab *l = lab_new();

	HEAR(l, DHCP_REQUEST, 1, .requested = 0x0afa0606);
	answer(l, HELD_REFUSED, VERDICT_TAKEN, 0);
	CU_ASSERT(l->sent == 1 && l->last.type == DHCP_NAK && !l->last.yiaddr && !l->d.clients);
	CU_ASSERT(l->to_mac[0] == 0xff && ip_u32(&l->to) == UINT32_MAX);	/* RFC 2131 4.1: a NAK is broadcast */
	CU_ASSERT(!has(l, OPTION_LEASE) && !has(l, OPTION_MASK) && has(l, OPTION_MESSAGE));
	lab_free(l);
}

static void no_answer_is_no_nak(void)
{
	struct lab *l = lab_new();

	HEAR(l, DHCP_REQUEST, 1, .requested = 0x0afa0606);
	for (unsigned i = 0; i < 8 && l->wants; i++) {
		answer(l, HELD_REFUSED, VERDICT_TIMEOUT, 0);
		pass(l, 2);
	}
	pass(l, REQUEST_HOLD_S);
	CU_ASSERT(!l->sent && !l->d.clients && drops(l, DROP_SILENT) == 1);
	lab_free(l);
}

static void a_wrong_subnet_is_refused_at_once(void)
{
	struct lab *l = lab_new();
	static const uint32_t WRONG[] = { 0xc0a80105, 0x0afa0000, 0x0afaffff, GATEWAY };

	for (unsigned i = 0; i < 4; i++) {
		HEAR(l, DHCP_REQUEST, 1, .requested = WRONG[i]);
		CU_ASSERT(l->sent == 2 * i + 1 && l->last.type == DHCP_NAK);
		HEAR(l, DHCP_REQUEST, 1, .ciaddr = WRONG[i]);
		CU_ASSERT(l->sent == 2 * i + 2 && l->last.type == DHCP_NAK);
	}
	CU_ASSERT(!l->wants && !l->d.clients);
	lab_free(l);
}

static void another_address_than_our_record_is_refused(void)
{
	struct lab *l = lab_new();

	settle(l, 1, 0x0afa0505);
	HEAR(l, DHCP_REQUEST, 1, .requested = 0x0afa0506);
	CU_ASSERT_EQUAL(l->last.type, DHCP_NAK);
	HEAR(l, DHCP_DISCOVER, 1);			/* it starts over and is offered what it had */
	CU_ASSERT(l->last.type == DHCP_OFFER && l->last.yiaddr == 0x0afa0505 && l->helds == 1);
	lab_free(l);
}

static void renewing_is_answered_to_the_guest_itself(void)
{
	struct lab *l = lab_new();

	settle(l, 1, 0x0afa0505);
	HEAR(l, DHCP_REQUEST, 1, .ciaddr = 0x0afa0505, .broadcast = true);
	CU_ASSERT(l->last.type == DHCP_ACK && ip_u32(&l->to) == 0x0afa0505 && l->to_mac[0] == 2 && l->to_mac[5] == 1);
	CU_ASSERT_EQUAL(l->last.ciaddr, 0x0afa0505);
	lab_free(l);
}

static void rebinding_with_a_node_that_never_knew_the_guest(void)
{
	struct lab *l = lab_new();

	HEAR(l, DHCP_REQUEST, 1, .ciaddr = 0x0afa0505);
	CU_ASSERT_EQUAL(l->sent, 0);
	grant(l, 0x0afa0505);
	CU_ASSERT(l->last.type == DHCP_ACK && l->last.yiaddr == 0x0afa0505);
	lab_free(l);
}

static void a_lost_lease_is_refused_at_renewal(void)
{
	struct lab *l = lab_new();
	struct held_news n = { .word = HELD_LOST, .verdict = VERDICT_FENCED };

	settle(l, 1, 0x0afa0505);
	n.held = l->held[0];
	l->helds = 0;
	dhcpd_held(&l->d, &l->bare.env, &n);
	CU_ASSERT(l->gone == 1 && !l->d.clients && !l->releases);
	HEAR(l, DHCP_REQUEST, 1, .ciaddr = 0x0afa0505);
	answer(l, HELD_REFUSED, VERDICT_TAKEN, 0);
	CU_ASSERT_EQUAL(l->last.type, DHCP_NAK);
	lab_free(l);
}

static void after_a_suspend_the_answer_waits_for_the_quorum(void)
{
	struct lab *l = lab_new();

	settle(l, 1, 0x0afa0505);
	l->held[0].until_ns = 0;
	HEAR(l, DHCP_REQUEST, 1, .ciaddr = 0x0afa0505);
	CU_ASSERT_EQUAL(l->sent, 2);
	answer(l, HELD_LOST, VERDICT_TAKEN, 0x0afa0505);
	CU_ASSERT(l->sent == 3 && l->last.type == DHCP_NAK && l->gone == 1);
	l->helds = 0;
	lab_free(l);
}

static void a_request_without_an_address_asks_nothing(void)
{
	struct lab *l = lab_new();

	CU_ASSERT_EQUAL(HEAR(l, DHCP_REQUEST, 1, .server = GATEWAY), DROP_VALUE);
	CU_ASSERT(!l->sent && !l->d.clients);
	lab_free(l);
}

/* ---- decline, release, inform ---- */

static void a_declined_address_is_kept_out(void)
{
	struct lab *l = lab_new();
	struct want first, w;

	HEAR(l, DHCP_DISCOVER, 1);
	first = grant(l, 0x0afa0505);
	HEAR(l, DHCP_REQUEST, 1, .requested = 0x0afa0505, .server = GATEWAY);
	CU_ASSERT_EQUAL(HEAR(l, DHCP_DECLINE, 1, .requested = 0x0afa0505, .server = GATEWAY), DROP_NONE);
	CU_ASSERT(l->gone == 1 && !l->releases && l->keep[0]);	/* ours still: nobody else gets it */
	HEAR(l, DHCP_DISCOVER, 1, .requested = 0x0afa0505);
	CU_ASSERT_NOT_EQUAL(l->want[0].client, first.client);	/* the DHT would give the same again */
	w = grant(l, 0x0afa0506);
	CU_ASSERT_EQUAL(ip_u32(&w.ip), 0);
	CU_ASSERT(l->last.type == DHCP_OFFER && l->last.yiaddr == 0x0afa0506);
	HEAR(l, DHCP_REQUEST, 2, .requested = 0x0afa0505);
	CU_ASSERT_EQUAL(l->last.type, DHCP_NAK);
	pass(l, BAD_S + 1);
	CU_ASSERT(held_of(l, &(struct ip){ .family = 4, .at = { 10, 250, 5, 5 } }) < 0);
	HEAR(l, DHCP_REQUEST, 2, .requested = 0x0afa0505);	/* may be had again */
	CU_ASSERT_EQUAL(l->wants, 1);
	grant(l, 0x0afa0505);
	lab_free(l);
}

static void a_declined_address_granted_once_more_is_passed_over(void)
{
	struct lab *l = lab_new();

	settle(l, 1, 0x0afa0505);
	HEAR(l, DHCP_DECLINE, 1, .requested = 0x0afa0505, .server = GATEWAY);
	HEAR(l, DHCP_DISCOVER, 2);
	grant(l, 0x0afa0505);
	CU_ASSERT(l->sent == 2 && l->wants == 1);
	grant(l, 0x0afa0507);
	CU_ASSERT(l->sent == 3 && l->last.yiaddr == 0x0afa0507);
	lab_free(l);
}

static void a_declined_address_that_is_lost_is_not_given_back(void)
{
	struct held_news n = { .word = HELD_LOST, .verdict = VERDICT_TAKEN };
	struct lab *l = lab_new();

	settle(l, 1, 0x0afa0505);
	n.held = l->held[0];
	HEAR(l, DHCP_DECLINE, 1, .requested = 0x0afa0505, .server = GATEWAY);
	l->helds = 0;
	dhcpd_held(&l->d, &l->bare.env, &n);
	CU_ASSERT_FALSE(l->d.bads);
	pass(l, BAD_S + 1);
	CU_ASSERT_FALSE(l->releases);
	lab_free(l);
}

static void declined_addresses_are_bounded(void)
{
	struct lab *l = lab_new();

	for (unsigned i = 0; i < 3 * DHCPD_BAD; i++) {
		uint32_t a = 0x0afa0500 + i;

		settle(l, (uint8_t)(i + 1), a);
		HEAR(l, DHCP_DECLINE, (uint8_t)(i + 1), .requested = a, .server = GATEWAY);
	}
	CU_ASSERT(l->d.bads == DHCPD_BAD && l->helds == DHCPD_BAD && l->d.clients <= DHCPD_RESERVED + 1);
	pass(l, 2 * BAD_S);
	CU_ASSERT(!l->d.bads && !l->helds && !l->d.clients);
	lab_free(l);
}

static void a_release_gives_the_address_back(void)
{
	struct lab *l = lab_new();

	settle(l, 1, 0x0afa0505);
	HEAR(l, DHCP_RELEASE, 1, .ciaddr = 0x0afa0505, .server = GATEWAY);
	CU_ASSERT(l->releases == 1 && l->gone == 1 && !l->d.clients && l->sent == 2);	/* and nothing is said */
	lab_free(l);
}

static void nobody_releases_for_another(void)
{
	struct lab *l = lab_new();
	uint8_t buf[600], mac[6] = { 2, 0, 0, 0, 0, 2 };
	struct say s = { .type = DHCP_RELEASE, .mac = 1, .ciaddr = 0x0afa0505, .server = GATEWAY };

	HEAR(l, DHCP_DISCOVER, 1, .id = "one");
	grant(l, 0x0afa0505);
	HEAR(l, DHCP_REQUEST, 1, .requested = 0x0afa0505, .id = "one");
	CU_ASSERT_EQUAL(HEAR(l, DHCP_RELEASE, 2, .ciaddr = 0x0afa0505, .id = "one"), DROP_SPOOFED);
	CU_ASSERT_EQUAL(HEAR(l, DHCP_DECLINE, 2, .requested = 0x0afa0505, .id = "one"), DROP_SPOOFED);
	CU_ASSERT_EQUAL(HEAR(l, DHCP_RELEASE, 2, .ciaddr = 0x0afa0505), DROP_SPOOFED);
	/* Nor under a hardware address that the frame does not come from. */
	CU_ASSERT_EQUAL(dhcpd_message(&l->d, &l->bare.env, mac, (struct bytes){ buf, compose(&s, buf, sizeof(buf)) }),
			DROP_SPOOFED);
	CU_ASSERT(!l->releases && l->d.clients == 1);
	lab_free(l);
}

static void inform_gets_options_and_no_lease(void)
{
	struct lab *l = lab_new();

	HEAR(l, DHCP_INFORM, 1, .ciaddr = 0x0afa0808);
	CU_ASSERT(l->last.type == DHCP_ACK && !l->last.yiaddr && l->last.ciaddr == 0x0afa0808);
	CU_ASSERT(!has(l, OPTION_LEASE) && !has(l, OPTION_T1) && option(l, OPTION_DNS) == GATEWAY);
	CU_ASSERT(ip_u32(&l->to) == 0x0afa0808 && !l->d.clients && !l->wants);
	CU_ASSERT_EQUAL(HEAR(l, DHCP_INFORM, 1, .ciaddr = 0xc0a80101), DROP_ABROAD);
	CU_ASSERT_EQUAL(l->sent, 1);
	lab_free(l);
}

CU_TestInfo dhcp_tests[] = {
	{ "DISCOVER, OFFER, REQUEST, ACK (RFC 2131 3.1)", discover_offer_request_ack },
	{ "an unclaimed offer is given back (RFC 2131 3.1)", an_unclaimed_offer_is_given_back },
	{ "the lease time is never longer than belief", the_lease_time_is_never_longer_than_belief },
	{ "too little belief is renewed before the ACK", too_little_belief_is_renewed_before_the_ack },
	{ "a held REQUEST ends in what is left, or in silence", a_held_request_ends_in_what_is_left_or_in_silence },
	{ "the lease ends with the guest's own (RFC 2131 4.4.5)", the_lease_ends_with_the_guests_own },
	{ "the address asked for is tried first (RFC 2131 4.3.1)", the_address_asked_for_is_tried_first },
	{ "a retransmission asks nothing twice (RFC 2131 4.1)", a_retransmission_asks_nothing_twice },
	{ "nobody to ask yet is no reason to forget (IPOP: two tries)", nobody_to_ask_yet_is_no_reason_to_forget },
	{ "the first pauses are short", the_first_pauses_are_short },
	{ "a full table of leases is tried again", a_full_table_of_leases_is_tried_again },
	{ "a client that went away is forgotten", a_client_that_went_away_is_forgotten },
	{ "questions kept are bounded", questions_kept_are_bounded },
	{ "addresses nobody uses are bounded", addresses_nobody_uses_are_bounded },
	{ "rapid commit is acknowledged at once (RFC 4039 3.1)", rapid_commit_is_acknowledged_at_once },
	{ "another server was chosen (RFC 2131 3.1, 4)", another_server_was_chosen },
	{ "INIT-REBOOT gets its address confirmed (RFC 2131 3.2, 4.3.2)", init_reboot_gets_its_address_confirmed },
	{ "INIT-REBOOT to a taken address gets a NAK (IPOP: silence)", init_reboot_to_a_taken_address_is_refused },
	{ "no answer of the DHT is no NAK (RFC 2131 4.3.2)", no_answer_is_no_nak },
	{ "a wrong subnet gets a NAK at once (RFC 2131 4.3.2)", a_wrong_subnet_is_refused_at_once },
	{ "another address than our record gets a NAK (RFC 2131 4.3.2)", another_address_than_our_record_is_refused },
	{ "RENEWING is answered to the guest itself (RFC 2131 4.1)", renewing_is_answered_to_the_guest_itself },
	{ "REBINDING with a node that never knew the guest (RFC 2131 4.3.2)", rebinding_with_a_node_that_never_knew_the_guest },
	{ "a lost lease gets a NAK at renewal", a_lost_lease_is_refused_at_renewal },
	{ "after a suspend the answer waits for the quorum", after_a_suspend_the_answer_waits_for_the_quorum },
	{ "a REQUEST without an address asks nothing", a_request_without_an_address_asks_nothing },
	{ "a declined address is kept out (RFC 2131 4.3.3; IPOP: no DECLINE)", a_declined_address_is_kept_out },
	{ "a declined address granted once more is passed over", a_declined_address_granted_once_more_is_passed_over },
	{ "a declined address that is lost is not given back", a_declined_address_that_is_lost_is_not_given_back },
	{ "declined addresses are bounded", declined_addresses_are_bounded },
	{ "a RELEASE gives the address back (RFC 2131 4.3.4; IPOP: no RELEASE)", a_release_gives_the_address_back },
	{ "nobody releases for another", nobody_releases_for_another },
	{ "INFORM gets options and no lease (RFC 2131 4.3.5)", inform_gets_options_and_no_lease },
	CU_TEST_INFO_NULL
};
