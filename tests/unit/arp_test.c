/* ARP is answered for the gateway and for addresses somebody serves, and for nothing else. */
#include "tests/unit/suites.h"
#include "tests/unit/vnet_lab.h"

static struct ip gateway(void)
{
	return lab_ip(10, 250, 0, 1);
}

static struct ip far(unsigned n)
{
	return lab_ip(10, 250, 7, n);
}

static struct ip near(unsigned n)
{
	return lab_ip(10, 250, 2, n);
}

static void remote(struct lab *l, struct ip ip)
{
	l->fake->served[l->fake->serves++] = ip;
}

static void check_reply(struct lab *l, unsigned i, struct ip ip, struct ip who)
{
	struct packet p = lab_out(l, i);

	CU_ASSERT_EQUAL(p.type, TYPE_ARP);
	CU_ASSERT_EQUAL(p.arp_op, 2);
	CU_ASSERT_TRUE(mac_eq(p.mac_to, lab_host) && mac_eq(p.arp_tha, lab_host));
	CU_ASSERT_TRUE(mac_eq(p.arp_sha, l->mac) && mac_eq(p.mac_from, l->mac));
	CU_ASSERT_TRUE(ip_eq(&p.src, &ip) && ip_eq(&p.dst, &who));
}

static void the_gateway_is_always_answered(void)
{
	struct lab l;

	lab_open(&l, MODEL_INTERFACE, 5);
	lab_arp(&l, lab_host, 1, near(2), gateway());
	CU_ASSERT_EQUAL_FATAL(lab_outs(&l), 1);
	check_reply(&l, 0, gateway(), near(2));
	lab_shut(&l);
}

static void a_remote_address_is_answered_when_somebody_serves_it(void)
{
	struct lab l;

	lab_open(&l, MODEL_INTERFACE, 5);
	lab_static(&l, lab_host, near(2));
	remote(&l, far(1));
	lab_arp(&l, lab_host, 1, near(2), far(1));
	CU_ASSERT_EQUAL_FATAL(lab_outs(&l), 1);
	check_reply(&l, 0, far(1), near(2));
	lab_arp(&l, lab_host, 1, near(2), far(9));
	CU_ASSERT_EQUAL(lab_outs(&l), 1);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_NOBODY), 1);
	lab_shut(&l);
}

static void a_question_is_held_until_it_is_resolved(void)
{
	struct lab l;

	lab_open(&l, MODEL_INTERFACE, 5);
	lab_static(&l, lab_host, near(2));
	l.fake->slow = true;
	lab_arp(&l, lab_host, 1, near(2), far(1));
	lab_arp(&l, lab_host, 1, near(2), far(1));		/* the guest repeats itself */
	lab_arp(&l, lab_host, 1, near(2), far(2));
	CU_ASSERT_EQUAL(lab_outs(&l), 0);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_DUPLICATE), 1);
	lab_wait(&l, LAB_S);
	lab_resolved(&l, far(1), true);
	CU_ASSERT_EQUAL_FATAL(lab_outs(&l), 1);
	check_reply(&l, 0, far(1), near(2));
	lab_resolved(&l, far(2), false);
	CU_ASSERT_EQUAL(lab_outs(&l), 1);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_NOBODY), 1);
	lab_shut(&l);
}

static void held_questions_are_bounded_and_end(void)
{
	struct lab l;

	lab_open(&l, MODEL_INTERFACE, 5);
	lab_static(&l, lab_host, near(2));
	l.fake->slow = true;
	for (unsigned i = 0; i < 100; i++)
		lab_arp(&l, lab_host, 1, near(2), far(i));
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_FULL), 100 - 32);
	lab_wait(&l, 6 * LAB_S);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_SILENT), 32);
	lab_resolved(&l, far(1), true);				/* too late */
	CU_ASSERT_EQUAL(lab_outs(&l), 0);
	lab_shut(&l);
}

static void local_and_outside_addresses_are_left_alone(void)
{
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	lab_static(&l, lab_host, near(2));
	lab_static(&l, lab_other, near(3));
	remote(&l, near(3));					/* whatever the DHT says of it */
	remote(&l, lab_ip(8, 8, 8, 8));
	lab_arp(&l, lab_host, 1, near(2), near(3));
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_ON_LAN), 1);
	lab_arp(&l, lab_host, 1, near(2), lab_ip(8, 8, 8, 8));
	lab_arp(&l, lab_host, 1, near(2), lab_ip(10, 250, 255, 255));
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_ABROAD), 2);
	l.fake->believed[l.fake->believes++] = near(4);		/* offered by DHCP, not acknowledged yet */
	remote(&l, near(4));
	lab_arp(&l, lab_host, 1, near(2), near(4));
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_ON_LAN), 2);
	CU_ASSERT_EQUAL(lab_outs(&l), 0);
	lab_shut(&l);
}

static void a_probe_for_somebody_elses_address_meets_a_conflict(void)
{
	struct ip none = { .family = 4 };
	struct packet p;
	struct lab l;

	lab_open(&l, MODEL_INTERFACE, 5);
	remote(&l, far(1));
	lab_arp(&l, lab_host, 1, none, far(1));
	CU_ASSERT_EQUAL(lab_outs(&l), 0);			/* has the machine come here? Its node is asked */
	CU_ASSERT_EQUAL(l.fake->takes, 1);
	CU_ASSERT_EQUAL(l.fake->wants, 0);			/* a probe claims nothing */
	lab_news(&l, HELD_REFUSED, VERDICT_TAKEN, far(1));	/* it is there */
	CU_ASSERT_EQUAL_FATAL(lab_outs(&l), 1);
	p = lab_out(&l, 0);
	CU_ASSERT_TRUE(p.type == TYPE_ARP && p.src.at[3] == 1 && mac_eq(p.arp_sha, l.mac));	/* RFC 5227, 2.1.1 */
	lab_arp(&l, lab_host, 1, none, far(2));
	CU_ASSERT_EQUAL(lab_outs(&l), 1);
	lab_shut(&l);
}

static void who_says_it_is_the_gateway_is_contradicted_at_a_bounded_rate(void)
{
	struct packet p;
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	for (unsigned i = 0; i < 20; i++)
		lab_arp(&l, lab_host, 1, gateway(), gateway());
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_SPOOFED), 20);
	CU_ASSERT_TRUE_FATAL(lab_outs(&l) >= 1 && lab_outs(&l) <= 3);
	p = lab_out(&l, 0);
	CU_ASSERT_TRUE(mac_eq(p.mac_to, mac_broadcast) && mac_eq(p.arp_sha, l.mac));
	CU_ASSERT_EQUAL(l.fake->wants, 0);
	lab_shut(&l);
}

static void a_sender_whose_addresses_contradict_each_other_is_refused(void)
{
	struct ip a = near(2), b = gateway();
	uint8_t buf[64];
	struct writer w = writer_of(buf, sizeof(buf));
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	build_arp(&w, mac_broadcast, 1, lab_host, &a, lab_host, &b);
	memcpy(buf + MAC_BYTES, lab_other, MAC_BYTES);
	lab_frame(&l, buf, writer_len(&w));
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_SPOOFED), 1);
	CU_ASSERT_EQUAL(lab_outs(&l), 0);
	lab_arp(&l, lab_host, 1, lab_ip(192, 168, 0, 4), gateway());
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_ABROAD), 1);
	CU_ASSERT_EQUAL(lab_outs(&l), 0);
	lab_shut(&l);
}

static void a_hybrid_asks_its_lan_for_two_seconds_first(void)
{
	struct packet p;
	struct lab l;

	lab_open(&l, MODEL_HYBRID, 5);
	CU_ASSERT_TRUE(l.mac[0] == 0xfe && l.mac[1] == 0xfd);
	lab_static(&l, lab_host, near(2));
	remote(&l, far(1));
	lab_arp(&l, lab_host, 1, near(2), far(1));
	CU_ASSERT_EQUAL_FATAL(lab_outs(&l), 1);
	p = lab_out(&l, 0);					/* the probe, harmless to caches */
	CU_ASSERT_TRUE(p.arp_op == 1 && ip_unspecified(&p.src) && mac_eq(p.mac_to, mac_broadcast));
	lab_wait(&l, 19 * LAB_S / 10);
	CU_ASSERT_EQUAL(lab_outs(&l), 1);
	lab_wait(&l, 2 * LAB_S / 10);
	CU_ASSERT_EQUAL_FATAL(lab_outs(&l), 2);
	check_reply(&l, 1, far(1), near(2));
	lab_shut(&l);
}

static void a_hybrid_is_silent_when_the_lan_answers(void)
{
	struct lab l;

	lab_open(&l, MODEL_HYBRID, 5);
	lab_static(&l, lab_host, near(2));
	remote(&l, far(1));
	lab_arp(&l, lab_host, 1, near(2), far(1));
	lab_arp(&l, lab_other, 2, far(1), near(2));		/* it is on the LAN */
	lab_wait(&l, 3 * LAB_S);
	CU_ASSERT_EQUAL(lab_outs(&l), 1);			/* the probe */
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_ON_LAN), 1);
	lab_shut(&l);
}

static void a_hybrid_answers_nobody_but_its_host(void)
{
	struct lab l;

	lab_open(&l, MODEL_HYBRID, 5);
	remote(&l, far(1));
	lab_arp(&l, lab_other, 1, near(3), gateway());
	lab_arp(&l, lab_other, 1, near(3), far(1));
	lab_wait(&l, 3 * LAB_S);
	CU_ASSERT_EQUAL(lab_outs(&l), 0);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_FOREIGN), 2);
	CU_ASSERT_EQUAL(l.fake->wants, 0);
	lab_shut(&l);
}

CU_TestInfo arp_tests[] = {
	{ "the gateway is always answered", the_gateway_is_always_answered },
	{ "a remote address is answered when somebody serves it", a_remote_address_is_answered_when_somebody_serves_it },
	{ "a question is held until it is resolved", a_question_is_held_until_it_is_resolved },
	{ "held questions are bounded, and end", held_questions_are_bounded_and_end },
	{ "local and outside addresses are left alone", local_and_outside_addresses_are_left_alone },
	{ "a probe for somebody else's address meets a conflict", a_probe_for_somebody_elses_address_meets_a_conflict },
	{ "who says it is the gateway is contradicted, at a bounded rate",
	  who_says_it_is_the_gateway_is_contradicted_at_a_bounded_rate },
	{ "a sender whose addresses contradict each other is refused",
	  a_sender_whose_addresses_contradict_each_other_is_refused },
	{ "a hybrid asks its LAN for two seconds first", a_hybrid_asks_its_lan_for_two_seconds_first },
	{ "a hybrid is silent when the LAN answers", a_hybrid_is_silent_when_the_lan_answers },
	{ "a hybrid answers nobody but its host", a_hybrid_answers_nobody_but_its_host },
	CU_TEST_INFO_NULL,
};
