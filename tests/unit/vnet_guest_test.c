/* Who is behind the tap is learned, claimed, asked after and forgotten; garbage leaves nothing behind. */
#include "tests/unit/suites.h"
#include "tests/unit/vnet_lab.h"

static struct ip near(unsigned n)
{
	return lab_ip(10, 250, 2 + n / 200, n % 200);
}

static struct ip far(void)
{
	return lab_ip(10, 250, 7, 7);
}

static void send_far(struct lab *l, const uint8_t *from, struct ip src)
{
	struct lab_buf b;

	lab_frame_of(l, lab_udp(&b, l->mac, from, src, far(), 5, 6, 40), NULL);
}

static void numbered(uint8_t mac[MAC_BYTES], unsigned n)
{
	memcpy(mac, lab_host, MAC_BYTES);
	mac[3] = 9;
	mac[4] = (uint8_t)(n >> 8);
	mac[5] = (uint8_t)n;
}

static void a_static_address_is_claimed_and_forwards_only_when_granted(void)
{
	struct look_guest g;
	struct lab l;

	lab_open(&l, MODEL_INTERFACE, 5);
	send_far(&l, lab_host, near(2));
	send_far(&l, lab_host, near(2));
	CU_ASSERT_EQUAL(l.fake->wants, 1);
	CU_ASSERT_EQUAL(l.fake->sent, 0);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_UNCLAIMED), 2);
	lab_wait(&l, 250 * LAB_MS);
	lab_news(&l, HELD_GRANTED, VERDICT_OK, near(2));
	CU_ASSERT_TRUE(lab_recorded(&l, RECORD_LEASED));
	CU_ASSERT_EQUAL(l.records[0].a, 250);
	send_far(&l, lab_host, near(2));
	CU_ASSERT_EQUAL(l.fake->sent, 1);
	CU_ASSERT_TRUE(l.fake->owneds == 1 && l.fake->owned[0].ours);
	CU_ASSERT_TRUE(lab_guest(&l, 0, &g) && !g.leased && mac_eq(g.mac, lab_host));
	lab_shut(&l);
}

static void what_is_not_believed_is_not_forwarded(void)
{
	struct lab l;

	lab_open(&l, MODEL_INTERFACE, 5);
	lab_static(&l, lab_host, near(2));
	lab_silenced(&l, near(2));				/* term over, or doubted after a resume */
	send_far(&l, lab_host, near(2));
	CU_ASSERT_EQUAL(l.fake->sent, 0);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_UNBELIEVED), 1);
	lab_shut(&l);
}

static void a_refused_address_is_told_by_arp_and_asked_for_again_while_in_use(void)
{
	struct packet p;
	struct lab l;
	struct ip ip = near(2);

	lab_open(&l, MODEL_INTERFACE, 5);
	send_far(&l, lab_host, ip);
	lab_news(&l, HELD_REFUSED, VERDICT_TAKEN, ip);
	CU_ASSERT_EQUAL_FATAL(lab_outs(&l), 1);
	p = lab_out(&l, 0);
	CU_ASSERT_TRUE(p.type == TYPE_ARP && ip_eq(&p.src, &ip) && mac_eq(p.arp_sha, l.mac) && mac_eq(p.mac_to, lab_host));
	CU_ASSERT_TRUE(lab_recorded(&l, RECORD_LEASE_REFUSED));
	lab_wait(&l, 20 * LAB_S);
	send_far(&l, lab_host, ip);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_CLAIMED), 1);
	lab_wait(&l, 11 * LAB_S);
	CU_ASSERT_EQUAL(l.fake->wants, 2);
	lab_news(&l, HELD_REFUSED, VERDICT_TAKEN, ip);
	lab_wait(&l, 40 * LAB_S);				/* silent now: forgotten */
	CU_ASSERT_EQUAL(l.fake->wants, 2);
	CU_ASSERT_FALSE(lab_knows(&l, ip));
	CU_ASSERT_EQUAL(l.fake->releases, 0);
	lab_shut(&l);
}

static void an_undecided_claim_is_repeated_each_time_later(void)
{
	unsigned seen = 0, early = 0;
	struct lab l;

	lab_open(&l, MODEL_INTERFACE, 5);
	send_far(&l, lab_host, near(2));
	for (unsigned s = 0; s < 180; s++) {
		if (l.fake->wants > seen) {
			seen = l.fake->wants;
			lab_news(&l, HELD_REFUSED, s & 1 ? VERDICT_WAIT : VERDICT_TIMEOUT, near(2));
		}
		lab_forget(&l);
		lab_wait(&l, LAB_S);
		send_far(&l, lab_host, near(2));
		for (unsigned i = 0; i < lab_outs(&l); i++)
			CU_ASSERT_NOT_EQUAL(lab_out(&l, i).type, TYPE_ARP);	/* nobody said that it is taken */
		if (s == 20)
			early = seen;
	}
	CU_ASSERT_TRUE(early >= 3 && early <= 6);
	CU_ASSERT_TRUE(seen >= early + 2 && seen <= early + 5);
	lab_news(&l, HELD_GRANTED, VERDICT_OK, near(2));
	send_far(&l, lab_host, near(2));
	CU_ASSERT_EQUAL(l.fake->sent, 1);
	lab_shut(&l);
}

static void a_lost_address_is_claimed_anew(void)
{
	struct lab l;

	lab_open(&l, MODEL_INTERFACE, 5);
	lab_static(&l, lab_host, near(2));
	lab_news(&l, HELD_LOST, VERDICT_FENCED, near(2));
	CU_ASSERT_TRUE(lab_recorded(&l, RECORD_LEASE_LOST));
	CU_ASSERT_TRUE(l.fake->owneds == 2 && !l.fake->owned[1].ours);
	send_far(&l, lab_host, near(2));
	CU_ASSERT_EQUAL(l.fake->sent, 0);
	lab_wait(&l, 2 * LAB_S);
	CU_ASSERT_EQUAL(l.fake->wants, 2);
	lab_shut(&l);
}

static void a_silent_machine_is_probed_and_forgotten_with_its_address(void)
{
	unsigned probes = 0;
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	lab_static(&l, lab_host, near(2));
	lab_static(&l, lab_other, near(3));
	for (unsigned s = 0; s < 80; s++) {
		lab_forget(&l);
		lab_wait(&l, LAB_S);
		for (unsigned i = 0; i < lab_outs(&l); i++) {
			struct packet p = lab_out(&l, i);

			if (p.type != TYPE_ARP || p.arp_op != 1 || !mac_eq(p.mac_to, lab_host))
				probes += p.type == TYPE_ARP && mac_eq(p.mac_to, lab_other);
			else
				lab_arp(&l, lab_host, 2, near(2), lab_ip(10, 250, 0, 1));	/* it is there */
		}
	}
	CU_ASSERT_EQUAL(probes, 3);
	CU_ASSERT_TRUE(lab_knows(&l, near(2)));
	CU_ASSERT_FALSE(lab_knows(&l, near(3)));
	CU_ASSERT_EQUAL(l.fake->releases, 1);
	CU_ASSERT_EQUAL(l.fake->released.at[3], 3);
	CU_ASSERT_TRUE(l.fake->owneds == 3 && !l.fake->owned[2].ours);
	lab_shut(&l);
}

static void a_sleeping_guest_keeps_its_lease_until_dhcp_lets_go(void)
{
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	lab_leased(&l, lab_host, near(2));
	lab_wait(&l, 100 * LAB_S);
	CU_ASSERT_EQUAL(l.fake->releases, 0);
	CU_ASSERT_TRUE(lab_knows(&l, near(2)));
	send_far(&l, lab_host, near(2));
	CU_ASSERT_EQUAL(l.fake->sent, 1);
	lab_shut(&l);
}

static void another_machine_under_a_known_address_is_refused_until_the_first_is_gone(void)
{
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	lab_static(&l, lab_host, near(2));
	send_far(&l, lab_other, near(2));
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_SPOOFED), 1);
	CU_ASSERT_EQUAL(l.fake->sent, 0);
	CU_ASSERT_EQUAL(lab_outs(&l), 1);			/* the first is asked whether it is there */
	lab_arp(&l, lab_host, 2, near(2), lab_ip(10, 250, 0, 1));
	lab_wait(&l, 20 * LAB_S);
	send_far(&l, lab_other, near(2));
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_SPOOFED), 2);
	lab_wait(&l, 10 * LAB_S);				/* no answer this time */
	send_far(&l, lab_other, near(2));
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_SPOOFED), 2);
	CU_ASSERT_EQUAL(l.fake->wants, 2);
	CU_ASSERT_EQUAL(l.fake->releases, 1);
	lab_shut(&l);
}

static void addresses_of_certificates_need_no_lease_and_no_others_may_use_them(void)
{
	struct lab l;

	lab_open(&l, MODEL_INTERFACE, 5);
	send_far(&l, lab_host, lab_ip(10, 250, 1, 7));
	CU_ASSERT_EQUAL(l.fake->sent, 1);
	CU_ASSERT_EQUAL(l.fake->wants, 0);
	CU_ASSERT_TRUE(l.fake->owneds == 1 && l.fake->owned[0].ours);
	send_far(&l, lab_host, lab_ip(10, 250, 1, 8));		/* reserved, but not ours */
	CU_ASSERT_EQUAL(l.fake->sent, 1);
	CU_ASSERT_EQUAL(l.fake->wants, 0);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_CLAIMED), 1);
	lab_shut(&l);
}

static void memory_is_bounded_whatever_a_lan_says(void)
{
	uint8_t mac[MAC_BYTES];
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	for (unsigned i = 0; i < 40; i++)			/* one machine, many addresses */
		send_far(&l, lab_host, near(i + 2));
	CU_ASSERT_EQUAL(l.fake->wants, 16);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_FULL), 24);
	for (unsigned i = 0; i < 3000; i++) {			/* many machines */
		numbered(mac, i);
		send_far(&l, mac, near(i % 5000 + 50));
		lab_wait(&l, LAB_S / 20);
	}
	CU_ASSERT_TRUE(l.fake->wants <= 16 + 64 + 10 * 150 + 300);
	CU_ASSERT_TRUE(lab_drops(&l, DROP_RATE) > 0);
	CU_ASSERT_TRUE(lab_bytes(&l) < 30000);
	CU_ASSERT_FALSE(lab_guest(&l, 256, &(struct look_guest){ .leased = false }));
	lab_shut(&l);
}

static void garbage_leaves_nothing_behind(void)
{
	uint8_t frame[200];
	uint32_t x = 7;
	struct lab l;
	uint32_t before;

	lab_open(&l, MODEL_ROUTER, 5);
	before = lab_bytes(&l);
	for (unsigned i = 0; i < 20000; i++) {
		size_t len = i % sizeof(frame);

		for (size_t k = 0; k < len; k++)
			frame[k] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
		if (i % 3 && len > 16) {			/* as far as IP or ARP, and to us */
			memcpy(frame, l.mac, MAC_BYTES);
			memcpy(frame + 6, lab_host, MAC_BYTES);
			frame[12] = 8;
			frame[13] = i % 2 ? 0 : 6;
			if (i % 5 == 0)
				frame[12] = 0x86, frame[13] = 0xdd, frame[14] = 0x60;
		}
		lab_frame(&l, frame, len);
	}
	CU_ASSERT_EQUAL(lab_bytes(&l), before);
	CU_ASSERT_EQUAL(l.fake->wants, 0);
	CU_ASSERT_EQUAL(l.fake->finds, 0);
	CU_ASSERT_EQUAL(lab_outs(&l), 0);
	CU_ASSERT_FALSE(lab_guest(&l, 0, &(struct look_guest){ .leased = false }));
	lab_shut(&l);
}

static void leases_of_an_earlier_life_are_kept_only_if_somebody_uses_them(void)
{
	struct packet p;
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	lab_news(&l, HELD_GRANTED, VERDICT_OK, near(9));
	CU_ASSERT_EQUAL(l.fake->unkeeps, 1);
	CU_ASSERT_EQUAL_FATAL(lab_outs(&l), 1);
	p = lab_out(&l, 0);
	CU_ASSERT_TRUE(p.type == TYPE_ARP && mac_eq(p.mac_to, mac_broadcast));
	lab_arp(&l, lab_host, 2, near(9), lab_ip(10, 250, 0, 1));	/* there it is */
	CU_ASSERT_EQUAL(l.fake->keeps, 1);
	CU_ASSERT_EQUAL(l.fake->wants, 0);
	send_far(&l, lab_host, near(9));
	CU_ASSERT_EQUAL(l.fake->sent, 1);
	lab_shut(&l);
}

static void leaving_gives_static_addresses_back(void)
{
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	lab_static(&l, lab_host, near(2));
	lab_static(&l, lab_other, near(3));
	lab_leave(&l);
	CU_ASSERT_EQUAL(l.fake->releases, 2);
	send_far(&l, lab_host, near(2));
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_STATE), 1);
	lab_shut(&l);
}

CU_TestInfo vnet_guest_tests[] = {
	{ "a static address is claimed, and forwards only when granted",
	  a_static_address_is_claimed_and_forwards_only_when_granted },
	{ "what is not believed is not forwarded", what_is_not_believed_is_not_forwarded },
	{ "a refused address is told by ARP and asked for again while in use",
	  a_refused_address_is_told_by_arp_and_asked_for_again_while_in_use },
	{ "an undecided claim is repeated, each time later", an_undecided_claim_is_repeated_each_time_later },
	{ "a lost address is claimed anew", a_lost_address_is_claimed_anew },
	{ "a silent machine is probed and forgotten with its address",
	  a_silent_machine_is_probed_and_forgotten_with_its_address },
	{ "a sleeping guest keeps its lease until DHCP lets go", a_sleeping_guest_keeps_its_lease_until_dhcp_lets_go },
	{ "another machine under a known address is refused until the first is gone",
	  another_machine_under_a_known_address_is_refused_until_the_first_is_gone },
	{ "addresses of certificates need no lease, and no others may use them",
	  addresses_of_certificates_need_no_lease_and_no_others_may_use_them },
	{ "memory is bounded whatever a LAN says", memory_is_bounded_whatever_a_lan_says },
	{ "garbage leaves nothing behind", garbage_leaves_nothing_behind },
	{ "leases of an earlier life are kept only if somebody uses them",
	  leases_of_an_earlier_life_are_kept_only_if_somebody_uses_them },
	{ "leaving gives static addresses back", leaving_gives_static_addresses_back },
	CU_TEST_INFO_NULL,
};
