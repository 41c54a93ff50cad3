/* What a guest may send, what may reach one, and how several nodes share a LAN. */
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

static struct ip everybody(void)
{
	return lab_ip(255, 255, 255, 255);
}

static void from_host(struct lab *l, const uint8_t *to, struct ip src, struct ip dst, unsigned dport)
{
	struct lab_buf b;

	lab_frame_of(l, lab_udp(&b, to, lab_host, src, dst, 5, (uint16_t)dport, 40), NULL);
}

static void the_mac_of_remote_machines_is_the_networks_everywhere(void)
{
	uint8_t mac[MAC_BYTES];
	struct lab l;

	lab_open(&l, MODEL_INTERFACE, 5);
	memcpy(mac, l.mac, MAC_BYTES);
	lab_shut(&l);
	lab_open(&l, MODEL_ROUTER, 99);
	CU_ASSERT_TRUE(mac_eq(mac, l.mac));
	CU_ASSERT_EQUAL(mac[0] & 3, 2);				/* locally administered, one machine */
	lab_shut(&l);
	lab_open(&l, MODEL_HYBRID, 5);
	CU_ASSERT_FALSE(mac_eq(mac, l.mac));
	memcpy(mac, l.mac, MAC_BYTES);
	lab_shut(&l);
	lab_open(&l, MODEL_HYBRID, 6);
	CU_ASSERT_FALSE(mac_eq(mac, l.mac));
	lab_shut(&l);
}

static void every_part_gets_what_is_its_own(void)
{
	struct ip mdns = lab_ip(224, 0, 0, 251), gateway = lab_ip(10, 250, 0, 1);
	struct ip none = { .family = 4 }, link6 = ip_link(lab_host);
	struct ip servers = { .at = { 0xff, 2, [13] = 1, 0, 2 }, .family = 6 };
	struct lab l;

	lab_open(&l, MODEL_INTERFACE, 5);
	from_host(&l, mac_broadcast, none, everybody(), 67);
	CU_ASSERT_EQUAL(l.fake->dhcp, 1);
	lab_static(&l, lab_host, host());
	from_host(&l, l.mac, host(), gateway, 67);
	CU_ASSERT_EQUAL(l.fake->dhcp, 2);
	from_host(&l, mac_broadcast, link6, servers, 547);
	CU_ASSERT_EQUAL(l.fake->dhcp6, 1);
	from_host(&l, l.mac, host(), gateway, 53);
	CU_ASSERT_EQUAL(l.fake->dns, 1);
	from_host(&l, mac_broadcast, host(), mdns, 5353);
	from_host(&l, mac_broadcast, host(), everybody(), 9);
	from_host(&l, mac_broadcast, host(), lab_ip(10, 250, 255, 255), 9);
	CU_ASSERT_EQUAL(l.fake->groups, 3);
	from_host(&l, l.mac, host(), far(), 9);
	CU_ASSERT_EQUAL(l.fake->sent, 1);
	lab_shut(&l);
}

static void sources_that_are_not_the_guests_are_refused(void)
{
	struct ip none = { .family = 4 };
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	from_host(&l, l.mac, lab_ip(8, 8, 8, 8), far(), 9);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_ABROAD), 1);
	from_host(&l, l.mac, lab_ip(10, 250, 0, 1), far(), 9);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_SPOOFED), 1);
	from_host(&l, l.mac, none, far(), 9);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_SPOOFED), 2);
	from_host(&l, l.mac, lab_ip(10, 250, 255, 255), far(), 9);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_ABROAD), 2);
	from_host(&l, l.mac, lab_ip(169, 254, 3, 3), far(), 9);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_ON_LAN), 1);
	CU_ASSERT_EQUAL(l.fake->sent, 0);
	CU_ASSERT_EQUAL(l.fake->wants, 0);
	lab_shut(&l);
}

static void traffic_of_the_lan_never_enters_the_overlay(void)
{
	struct ip neighbour = lab_ip(10, 250, 2, 3);
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	lab_static(&l, lab_host, host());
	lab_static(&l, lab_other, neighbour);
	from_host(&l, lab_other, host(), neighbour, 9);		/* flooded by the switch */
	from_host(&l, l.mac, host(), neighbour, 9);		/* by mistake */
	from_host(&l, l.mac, host(), lab_ip(169, 254, 1, 1), 9);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_ON_LAN), 3);
	from_host(&l, l.mac, host(), lab_ip(9, 9, 9, 9), 9);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_ABROAD), 1);
	CU_ASSERT_EQUAL(l.fake->sent, 0);
	lab_shut(&l);
}

static void malformed_frames_are_counted_and_go_nowhere(void)
{
	static const enum drop WHY[] = { DROP_VLAN, DROP_CHECKSUM, DROP_LENGTH, DROP_TOO_BIG };
	struct lab_buf b;
	struct lab l;

	lab_open(&l, MODEL_INTERFACE, 5);
	lab_static(&l, lab_host, host());
	for (unsigned i = 0; i < 4; i++) {
		lab_udp(&b, l.mac, lab_host, host(), far(), 5, 6, i == 3 ? 9300 : 40);
		if (i == 0)
			b.at[12] = 0x81, b.at[13] = 0;
		if (i == 1)
			b.at[ETH_HEADER + 30] ^= 1;
		if (i == 2)
			b.at[ETH_HEADER + 25]++;
		lab_frame_of(&l, &b.w, NULL);
		CU_ASSERT_EQUAL(lab_drops(&l, WHY[i]), 1);
	}
	CU_ASSERT_EQUAL(l.fake->sent, 0);
	CU_ASSERT_EQUAL(lab_outs(&l), 0);
	lab_shut(&l);
}

static void a_payload_reaches_the_guest_that_is_believed_to_be_here(void)
{
	struct packet p;
	struct lab_buf b;
	struct lab l;

	lab_open(&l, MODEL_INTERFACE, 5);
	lab_static(&l, lab_host, host());
	lab_payload(&l, 8, lab_udp(&b, NULL, NULL, far(), host(), 1, 2, 700));
	CU_ASSERT_EQUAL_FATAL(lab_outs(&l), 1);
	p = lab_out(&l, 0);
	CU_ASSERT_TRUE(mac_eq(p.mac_to, lab_host) && mac_eq(p.mac_from, l.mac) && p.data.len == 700);
	lab_payload(&l, 8, lab_udp(&b, NULL, NULL, far(), host(), 1, 2, 9000));
	CU_ASSERT_EQUAL(lab_outs(&l), 2);
	lab_shut(&l);
}

static void a_payload_for_somebody_else_is_answered_not_here(void)
{
	struct ip gone = lab_ip(10, 250, 2, 9);
	struct lab_buf b;
	struct lab l;

	lab_open(&l, MODEL_INTERFACE, 5);
	lab_static(&l, lab_host, host());
	lab_payload(&l, 8, lab_udp(&b, NULL, NULL, far(), gone, 1, 2, 7));
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_NOT_HERE), 1);
	CU_ASSERT_TRUE(l.fake->not_here == 1 && ip_eq(&l.fake->last_not_here, &gone));
	lab_silenced(&l, host());
	lab_payload(&l, 8, lab_udp(&b, NULL, NULL, far(), host(), 1, 2, 7));
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_UNBELIEVED), 1);
	CU_ASSERT_EQUAL(l.fake->not_here, 2);
	CU_ASSERT_EQUAL(lab_outs(&l), 0);
	lab_shut(&l);
}

static void a_payload_must_come_from_where_its_source_is_served(void)
{
	struct lab_buf b;
	struct lab l;

	lab_open(&l, MODEL_INTERFACE, 5);
	lab_static(&l, lab_host, host());
	l.fake->source = FOUND_NO;
	lab_payload(&l, 8, lab_udp(&b, NULL, NULL, far(), host(), 1, 2, 7));
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_SPOOFED), 1);
	l.fake->source = FOUND_YES;
	lab_payload(&l, 8, lab_udp(&b, NULL, NULL, host(), host(), 1, 2, 7));		/* our own guest's */
	lab_payload(&l, 8, lab_udp(&b, NULL, NULL, lab_ip(10, 250, 0, 1), host(), 1, 2, 7));
	lab_payload(&l, 8, lab_udp(&b, NULL, NULL, lab_ip(9, 9, 9, 9), host(), 1, 2, 7));
	lab_payload(&l, 8, lab_udp(&b, NULL, NULL, far(), everybody(), 1, 2, 7));
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_SPOOFED), 5);
	b.w.at -= 3;
	lab_payload(&l, 8, &b.w);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_SHORT), 1);
	CU_ASSERT_EQUAL(lab_outs(&l), 0);
	lab_shut(&l);
}

static void what_is_left_undone_is_done_where_a_host_cannot(void)
{
	struct offload o = { .partial = 1, .checksum_start = 20, .checksum_offset = 6 };
	struct ip from = far(), to = host();
	struct lab_buf b;
	struct lab l;
	uint16_t sum;

	lab_open(&l, MODEL_INTERFACE, 5);
	lab_static(&l, lab_host, host());
	for (unsigned len = 40; len < 42; len++) {	/* an odd one, too */
		lab_udp(&b, NULL, NULL, from, to, 5, 6, len);
		sum = (uint16_t)~sum_done(sum_pseudo(&from, &to, PROTO_UDP, len + 8));
		b.at[26] = (uint8_t)(sum >> 8);
		b.at[27] = (uint8_t)sum;
		lab_forget(&l);
		CU_ASSERT_TRUE(lab_deliver(&l, 8, &b.w, &o));
		CU_ASSERT_EQUAL_FATAL(lab_outs(&l), 1);
		CU_ASSERT_FALSE(l.frames[0].offload.partial);
		lab_out(&l, 0);			/* reads it, sums and all */
	}
	lab_shut(&l);
}

static void offload_metadata_crosses_in_both_directions(void)
{
	struct offload o = { .partial = 1, .checksum_start = ETH_HEADER + 20, .checksum_offset = 6 };
	struct lab_buf b;
	struct lab l;

	lab_open(&l, MODEL_INTERFACE, 5);
	lab_static(&l, lab_host, host());
	lab_udp(&b, l.mac, lab_host, host(), far(), 5, 6, 40);
	b.at[ETH_HEADER + 26] ^= 0x55;
	lab_frame_of(&l, &b.w, &o);
	CU_ASSERT_EQUAL(l.fake->sent, 1);
	lab_udp(&b, NULL, NULL, far(), host(), 5, 6, 40);
	b.at[26] ^= 0x55;
	o.checksum_start = 20;
	l.env->offloads = CAN_SUM;
	CU_ASSERT_TRUE(lab_deliver(&l, 8, &b.w, &o));
	CU_ASSERT_EQUAL_FATAL(lab_outs(&l), 1);
	CU_ASSERT_TRUE(l.frames[0].offload.partial && l.frames[0].offload.checksum_start == ETH_HEADER + 20);
	lab_out(&l, 0);
	lab_shut(&l);
}

static void broadcasts_reach_the_lan_but_not_those_of_its_own_nodes(void)
{
	struct packet p;
	struct lab_buf b;
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	lab_udp(&b, NULL, NULL, far(), lab_ip(224, 0, 0, 251), 5353, 5353, 40);
	CU_ASSERT_EQUAL(lab_flood(&l, 77, &b.w), DROP_NONE);
	p = lab_out(&l, 0);
	CU_ASSERT_TRUE(p.mac_to[0] == 1 && p.mac_to[5] == 251 && mac_eq(p.mac_from, l.mac));
	lab_hear_beacon(&l, 77, 1, 0);
	CU_ASSERT_EQUAL(lab_flood(&l, 77, &b.w), DROP_ON_LAN);
	CU_ASSERT_EQUAL(lab_flood(&l, 78, &b.w), DROP_NONE);
	lab_udp(&b, NULL, NULL, far(), host(), 5353, 5353, 40);
	CU_ASSERT_EQUAL(lab_flood(&l, 78, &b.w), DROP_SPOOFED);		/* for one machine */
	lab_shut(&l);
	lab_open(&l, MODEL_HYBRID, 5);					/* others on the LAN have nodes of their own */
	lab_udp(&b, NULL, NULL, far(), everybody(), 1, 2, 40);
	CU_ASSERT_EQUAL(lab_flood(&l, 78, &b.w), DROP_NONE);
	CU_ASSERT_TRUE(mac_eq(lab_out(&l, 0).mac_to, lab_host));
	lab_shut(&l);
}

static void what_we_sent_ourselves_is_never_taken_for_a_guests(void)
{
	struct lab_buf b;
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	lab_udp(&b, mac_broadcast, l.mac, far(), everybody(), 1, 2, 40);	/* flooded by another router here */
	lab_frame_of(&l, &b.w, NULL);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_SELF), 1);
	CU_ASSERT_EQUAL(l.fake->groups, 0);
	lab_shut(&l);
}

static void of_two_routers_on_a_lan_the_lower_id_serves(void)
{
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 50);
	lab_static(&l, lab_host, host());
	CU_ASSERT_TRUE(lab_serving(&l));
	lab_hear_beacon(&l, 60, 1, 0);
	CU_ASSERT_TRUE(lab_serving(&l));
	lab_hear_beacon(&l, 40, 1, 0);
	CU_ASSERT_FALSE(lab_serving(&l));
	CU_ASSERT_EQUAL(l.fake->releases, 0);			/* 40 asks for what we hold when it needs it */
	from_host(&l, l.mac, host(), far(), 9);
	lab_arp(&l, lab_host, 1, host(), lab_ip(10, 250, 0, 1));
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_PASSIVE), 2);
	lab_forget(&l);
	lab_wait(&l, 10 * LAB_S);
	lab_hear_beacon(&l, 60, 2, 0);
	lab_wait(&l, 8 * LAB_S);				/* 40 is silent for too long */
	CU_ASSERT_TRUE(lab_serving(&l));
	lab_hear_beacon(&l, 40, 9, 0);
	CU_ASSERT_FALSE(lab_serving(&l));
	lab_hear_beacon(&l, 40, 10, 1);				/* says goodbye */
	CU_ASSERT_TRUE(lab_serving(&l));
	CU_ASSERT_TRUE(lab_recorded(&l, RECORD_LAN));
	lab_shut(&l);
}

static void a_newcomer_is_answered_at_once_and_everybody_every_five_seconds(void)
{
	unsigned beacons = 0;
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 50);
	lab_wait(&l, LAB_S);
	lab_forget(&l);
	lab_hear_beacon(&l, 60, 1, 0);
	CU_ASSERT_EQUAL(lab_outs(&l), 1);
	CU_ASSERT_TRUE(mac_eq(lab_out(&l, 0).mac_to, lab_beacon));
	lab_forget(&l);
	lab_wait(&l, 60 * LAB_S);
	for (unsigned i = 0; i < lab_outs(&l); i++)
		beacons += lab_out(&l, i).type == TYPE_BEACON;
	CU_ASSERT_TRUE(beacons >= 10 && beacons <= 14);
	lab_shut(&l);
}

static void beacons_that_are_forged_replayed_or_of_other_networks_are_refused(void)
{
	uint8_t at[200];
	struct lab l;
	size_t len;

	lab_open(&l, MODEL_ROUTER, 50);
	len = lab_make_beacon(&l, at, 40, 7, 0);
	for (size_t i = ETH_HEADER; i < len; i++) {
		at[i] ^= 4;
		lab_frame(&l, at, len);
		at[i] ^= 4;
		CU_ASSERT_TRUE(lab_serving(&l));
	}
	for (size_t n = 0; n < len; n++)
		lab_frame(&l, at, n);
	CU_ASSERT_TRUE(lab_serving(&l));
	lab_frame(&l, at, len);
	CU_ASSERT_FALSE(lab_serving(&l));
	lab_frame(&l, at, len);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_REPLAY), 1);
	CU_ASSERT_TRUE(lab_drops(&l, DROP_SEAL) > 20);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_OVERLAY), 16);
	lab_shut(&l);
}

CU_TestInfo vnet_edge_tests[] = {
	{ "the MAC of remote machines is the network's, everywhere", the_mac_of_remote_machines_is_the_networks_everywhere },
	{ "every part gets what is its own", every_part_gets_what_is_its_own },
	{ "sources that are not the guest's are refused", sources_that_are_not_the_guests_are_refused },
	{ "traffic of the LAN never enters the overlay", traffic_of_the_lan_never_enters_the_overlay },
	{ "malformed frames are counted and go nowhere", malformed_frames_are_counted_and_go_nowhere },
	{ "a payload reaches the guest that is believed to be here",
	  a_payload_reaches_the_guest_that_is_believed_to_be_here },
	{ "a payload for somebody else is answered: not here", a_payload_for_somebody_else_is_answered_not_here },
	{ "a payload must come from where its source is served", a_payload_must_come_from_where_its_source_is_served },
	{ "what is left undone is done where a host cannot", what_is_left_undone_is_done_where_a_host_cannot },
	{ "offload metadata crosses in both directions", offload_metadata_crosses_in_both_directions },
	{ "broadcasts reach the LAN, but not those of its own nodes",
	  broadcasts_reach_the_lan_but_not_those_of_its_own_nodes },
	{ "what we sent ourselves is never taken for a guest's", what_we_sent_ourselves_is_never_taken_for_a_guests },
	{ "of two routers on a LAN the lower id serves", of_two_routers_on_a_lan_the_lower_id_serves },
	{ "a newcomer is answered at once, and everybody every five seconds",
	  a_newcomer_is_answered_at_once_and_everybody_every_five_seconds },
	{ "beacons that are forged, replayed or of other networks are refused",
	  beacons_that_are_forged_replayed_or_of_other_networks_are_refused },
	CU_TEST_INFO_NULL,
};
