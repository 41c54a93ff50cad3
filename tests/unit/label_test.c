/* Along a row of nodes that have links to the next one only: chains carry, relays cannot read, nothing goes round. */
#include "tests/unit/ends_lab.h"
#include "tests/unit/suites.h"

/* @n ends in a row by their place on the ring, linked to the next one, and one more that closes the ring; order[] says
 * which is where. */
static unsigned order[ENDS];

static struct lab *row(unsigned n)
{
	struct lab *s = lab_new(n + 1, true);

	for (unsigned i = 0; i <= n; i++) {
		unsigned k = i;

		for (; k && id_less(s->end[i].p.self.id, s->end[order[k - 1]].p.self.id); k--)
			order[k] = order[k - 1];
		order[k] = i;
	}
	for (unsigned i = 0; i <= n; i++)
		link_up(s, order[i], order[(i + 1) % (n + 1)]);
	return s;
}

static struct label_account account(struct lab *s, unsigned place)
{
	struct label_account a;

	label_account(&s->end[order[place]].ring, &a);
	return a;
}

static uint64_t mails(const struct lab *s)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < s->ends; i++)
		n += s->end[i].mails;
	return n;
}

static void a_chain_over_three_relays_carries_what_they_cannot_read(void)
{
	struct lab *s = row(5);
	unsigned a = order[0], z = order[4];
	struct tunnel_view v;
	uint64_t before;

	send(s, a, z, WATCH, 1000, NULL);
	run(s, 2000);
	CU_ASSERT_EQUAL_FATAL(s->end[z].got, 1);
	before = mails(s);
	for (unsigned i = 0; i < 100; i++) {
		send(s, a, z, WATCH, 1100, NULL);
		send(s, z, a, WATCH, 700, NULL);
		run(s, 100);
	}
	run(s, 1000);
	CU_ASSERT_EQUAL(s->end[z].got, 101);
	CU_ASSERT_EQUAL(s->end[a].got, 100);
	CU_ASSERT_NOT_EQUAL(memmem(s->end[z].last.at, s->end[z].last.len, WATCHWORD, sizeof(WATCHWORD) - 1), NULL);
	CU_ASSERT_TRUE(mails(s) - before <= 8);		/* until the chain back was there */
	for (unsigned i = 0; i < s->ends; i++)
		CU_ASSERT_EQUAL(s->end[i].seen_plain, 0);
	for (unsigned i = 1; i < 4; i++) {
		CU_ASSERT_TRUE(account(s, i).carried >= 190);
		CU_ASSERT_EQUAL(account(s, i).hops, 2);		/* one for each direction */
		CU_ASSERT_EQUAL(s->end[order[i]].got, 0);
	}
	CU_ASSERT_TRUE(view(s, a, &v));
	CU_ASSERT_TRUE(v.up && v.chained && !v.direct);
	CU_ASSERT_TRUE(id_eq(v.via, s->end[order[1]].p.self.id));
	CU_ASSERT_EQUAL(v.mtu, WIRE_MTU_MIN - SESSION_OVERHEAD);
	lab_free(s);
}

static void large_payloads_cross_a_chain_in_pieces(void)
{
	struct lab *s = row(4);
	const struct offload o = { .segment = 1360, .checksum_start = 20, .checksum_offset = 16, .partial = 1 };

	send(s, order[0], order[3], 1, 100, NULL);
	run(s, 2000);
	for (unsigned i = 0; i < 10; i++)
		send(s, order[0], order[3], 2 + i, 9000, &o);
	run(s, 1000);
	CU_ASSERT_EQUAL(s->end[order[3]].got, 11);
	CU_ASSERT_EQUAL(s->end[order[3]].last.len, 9000);
	CU_ASSERT_EQUAL(s->end[order[3]].offload.segment, 1360);
	CU_ASSERT_EQUAL(s->end[order[3]].offload.partial, 1);
	lab_free(s);
}

static bool lose_nth_label(struct lab *s, const struct flight *f)
{
	return !f->mail && f->len >= 33 && f->len < 90 && s->lost++ == s->lose_at;
}

static void whichever_message_of_setting_up_is_lost_the_chain_comes(void)
{
	for (unsigned nth = 0; nth < 16; nth++) {
		struct lab *s = row(4);
		struct tunnel_view v;

		s->lose = lose_nth_label;
		s->lose_at = nth;
		for (unsigned i = 0; i < 8; i++) {
			send(s, order[0], order[3], i, 200, NULL);
			run(s, 1000);
		}
		CU_ASSERT_TRUE(view(s, order[0], &v));
		CU_ASSERT_TRUE(v.chained);
		CU_ASSERT_TRUE(s->end[order[3]].got >= 7);
		for (unsigned i = 1; i < 3; i++)
			CU_ASSERT_TRUE(account(s, i).hops <= 2);
		lab_free(s);
	}
}

static unsigned dead;

static bool lose_of_dead(struct lab *s, const struct flight *f)
{
	(void)s;
	return !f->mail && (f->from == dead || f->to == dead);
}

static void when_a_relay_dies_another_chain_goes_around_it(void)
{
	struct lab *s = row(5);
	unsigned a = order[0], z = order[4], before;

	link_up(s, order[1], order[3]);
	for (unsigned i = 0; i < s->ends; i++) {
		s->end[i].p.config.probe_far_ns = 2 * NS_PER_S;
		for (unsigned k = 0; k < links_slots(s->end[i].links); k++)
			links_pace(begin(s, i), s->end[i].links, (link_ref){ (uint16_t)k }, 2 * NS_PER_S);
	}
	send(s, a, z, 1, 100, NULL);
	run(s, 2000);
	dead = account(s, 2).hops ? order[2] : order[3];	/* whoever it leads over beside the first */
	if (dead == order[3])
		link_up(s, order[2], z);
	s->lose = lose_of_dead;
	for (unsigned i = 0; i < 80; i++) {
		send(s, a, z, 100 + i, 100, NULL);
		run(s, 100);
	}
	before = s->end[z].got;
	for (unsigned i = 0; i < 20; i++) {
		send(s, a, z, 200 + i, 100, NULL);
		run(s, 100);
	}
	CU_ASSERT_EQUAL(s->end[z].got, before + 20);
	CU_ASSERT_EQUAL(s->end[a].failed, 0);
	lab_free(s);
}

static void a_label_is_good_on_its_own_link_only(void)
{
	struct lab *s = row(4);
	unsigned a = order[0], relay = order[1], other = order[2];
	struct news n = { .kind = NEWS_DATA };
	uint8_t packet[64] = { WIRE_VERSION << 4 | PACKET_DATA };
	uint64_t carried;
	struct label_account acc;

	send(s, a, order[3], 1, 100, NULL);
	run(s, 1000);
	CU_ASSERT_EQUAL_FATAL(account(s, 1).hops, 1);
	carried = account(s, 1).carried;
	n.body = (struct bytes){ packet, sizeof(packet) };
	for (uint32_t gen = 0; gen < 1 << 14; gen++)	/* every label there can be, from the wrong side */
		for (unsigned slot = 0; slot < 2; slot++) {
			n.a = gen << DATA_SLOT_BITS | DATA_LABELS | slot;
			n.link = links_find(s->end[relay].links, s->end[other].p.self.id);
			label_data(&s->end[relay].ring, begin(s, relay), &n);
			n.link = LINK_NONE;
			label_data(&s->end[relay].ring, begin(s, relay), &n);
			s->end[relay].fx.used = s->end[relay].fx.sends = 0;
		}
	label_account(&s->end[relay].ring, &acc);
	CU_ASSERT_EQUAL(acc.carried, carried);
	CU_ASSERT_EQUAL(acc.hops, 1);
	CU_ASSERT_TRUE(s->end[relay].fx.drops[DROP_STRANGER] > 0);
	lab_free(s);
}

static void a_packet_that_went_too_far_goes_no_further(void)
{
	struct lab *s = row(4);
	unsigned relay = order[1];
	struct news n = { .kind = NEWS_DATA };
	uint8_t packet[64] = { WIRE_VERSION << 4 | PACKET_DATA, 0, 0, DATA_HOPS };

	send(s, order[0], order[3], 1, 100, NULL);
	run(s, 1000);
	n.link = links_find(s->end[relay].links, s->end[order[0]].p.self.id);
	n.body = (struct bytes){ packet, sizeof(packet) };
	for (uint32_t gen = 0; gen < 1 << 14; gen++) {
		n.a = gen << DATA_SLOT_BITS | DATA_LABELS;
		label_data(&s->end[relay].ring, begin(s, relay), &n);
		s->end[relay].fx.used = s->end[relay].fx.sends = 0;
	}
	CU_ASSERT_EQUAL(s->end[relay].fx.drops[DROP_HOPS], 1);
	lab_free(s);
}

static void unused_labels_fade_and_all_are_bounded(void)
{
	struct lab *s = row(4);
	unsigned a = order[0];

	send(s, a, order[3], 1, 100, NULL);
	run(s, 1000);
	CU_ASSERT_EQUAL(account(s, 1).hops, 1);
	CU_ASSERT_EQUAL(account(s, 0).chains, 1);
	run(s, 150000);
	CU_ASSERT_EQUAL(account(s, 1).hops, 0);
	CU_ASSERT_EQUAL(account(s, 2).hops, 0);
	CU_ASSERT_EQUAL(account(s, 0).chains, 0);
	CU_ASSERT_TRUE(account(s, 1).bytes < 100);
	send(s, a, order[3], 2, 100, NULL);		/* and come again on need */
	run(s, 2000);
	CU_ASSERT_EQUAL(s->end[order[3]].got, 2);
	CU_ASSERT_EQUAL(account(s, 1).hops, 1);
	/* one link does not fill the table */
	for (uint32_t i = 0; i < 200; i++) {
		label_want(&s->end[a].ring, begin(s, a), s->end[order[3]].p.self.id, i << DATA_SLOT_BITS, false);
		collect(s, a);
	}
	run(s, 5000);
	CU_ASSERT_TRUE(account(s, 0).chains <= CHAINS_MAX);
	CU_ASSERT_TRUE(account(s, 1).hops <= LABELS_OF_LINK);
	CU_ASSERT_TRUE(account(s, 1).bytes < 12000);
	CU_ASSERT_TRUE(s->end[a].fx.drops[DROP_FULL] > 0);
	lab_free(s);
}

static void without_a_way_payloads_go_by_mail_and_none_is_lost_silently(void)
{
	struct lab *s = lab_new(3, false);

	link_up(s, 0, 1);			/* 2 is on no link of anybody's */
	for (unsigned i = 0; i < 10; i++) {
		send(s, 0, 2, i, 300, NULL);
		run(s, 500);
	}
	run(s, 3000);
	CU_ASSERT_EQUAL(s->end[2].got, 10);
	CU_ASSERT_TRUE(s->end[0].fx.drops[DROP_ROUTE] + s->end[1].fx.drops[DROP_ROUTE] > 0);
	lab_free(s);
}

static void garbage_in_label_messages_is_counted(void)
{
	struct lab *s = row(3);
	unsigned relay = order[1];
	uint8_t body[64];
	struct news n = { .kind = NEWS_MESSAGE, .link = { 0 } };

	for (unsigned round = 0; round < 2000; round++) {
		randombytes_buf_deterministic(body, sizeof(body), (uint8_t[randombytes_SEEDBYTES]){ (uint8_t)round,
					      (uint8_t)(round >> 8) });
		n.message = (uint8_t)(MESSAGE_LABEL + round % 3);
		n.body = (struct bytes){ body, round % 60 };
		label_message(&s->end[relay].ring, begin(s, relay), &n);
		s->end[relay].fx.used = s->end[relay].fx.sends = 0;
	}
	CU_ASSERT_TRUE(account(s, 1).hops <= LABELS_OF_LINK);
	lab_free(s);
}

CU_TestInfo label_tests[] = {
	{ "a chain over three relays carries what they cannot read", a_chain_over_three_relays_carries_what_they_cannot_read },
	{ "large payloads cross a chain in pieces", large_payloads_cross_a_chain_in_pieces },
	{ "whichever message of setting up is lost, the chain comes",
	  whichever_message_of_setting_up_is_lost_the_chain_comes },
	{ "when a relay dies another chain goes around it", when_a_relay_dies_another_chain_goes_around_it },
	{ "a label is good on its own link only", a_label_is_good_on_its_own_link_only },
	{ "a packet that went too far goes no further", a_packet_that_went_too_far_goes_no_further },
	{ "unused labels fade and all are bounded", unused_labels_fade_and_all_are_bounded },
	{ "without a way payloads go by mail", without_a_way_payloads_go_by_mail_and_none_is_lost_silently },
	{ "garbage in label messages is counted", garbage_in_label_messages_is_counted },
	CU_TEST_INFO_NULL
};
