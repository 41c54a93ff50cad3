/* Between two members of a network: what one sends the other gets, whole, once, in order - or it is counted. */
#include "tests/unit/ends_lab.h"
#include "tests/unit/suites.h"

/* ---- the stories ---- */

static void the_first_payload_arrives_and_so_do_the_answers(void)
{
	struct lab *s = lab_new(3, false);

	CU_ASSERT_EQUAL(send(s, 0, 1, 7, 100, NULL), DROP_NONE);
	run(s, 200);
	CU_ASSERT_EQUAL_FATAL(s->end[1].got, 1);
	CU_ASSERT_EQUAL(s->end[1].first[0], 7);
	CU_ASSERT_EQUAL(s->end[1].len[0], 100);
	CU_ASSERT_EQUAL(s->end[0].up, 1);
	CU_ASSERT_EQUAL(s->end[1].up, 1);
	CU_ASSERT_TRUE(s->end[0].chains > 0);		/* no link: a chain of labels is wanted */
	send(s, 1, 0, 8, 100, NULL);
	run(s, 100);
	CU_ASSERT_EQUAL(s->end[0].got, 1);
	lab_free(s);
}

static bool lose_nth(struct lab *s, const struct flight *f)
{
	(void)f;
	return s->lost++ == s->lose_at;
}

static void whichever_packet_is_lost_the_payload_arrives_once_and_in_order(void)
{
	for (unsigned nth = 0; nth < 12; nth++)
		for (unsigned linked = 0; linked < 2; linked++) {
			struct lab *s = lab_new(3, false);

			if (linked)
				link_up(s, 0, 1);
			s->lose = lose_nth;
			s->lose_at = nth;
			for (unsigned i = 0; i < 3; i++)
				send(s, 0, 1, i, 200, NULL);
			run(s, 6000);
			s->lose = NULL;
			send(s, 0, 1, 3, 200, NULL);
			send(s, 1, 0, 4, 200, NULL);
			run(s, 6000);
			/* what was sealed and lost is lost; a handshake is not, and nothing comes twice or out of order */
			CU_ASSERT_TRUE(s->end[1].got >= 3 && s->end[1].got <= 4);
			for (unsigned i = 1; i < s->end[1].got; i++)
				CU_ASSERT_TRUE(s->end[1].first[i] > s->end[1].first[i - 1]);
			CU_ASSERT_EQUAL(s->end[0].got, 1);
			CU_ASSERT_EQUAL(s->end[0].failed + s->end[1].failed, 0);
			lab_free(s);
		}
}

static void calls_that_cross_leave_one_tunnel_and_lose_nothing(void)
{
	for (unsigned apart = 0; apart <= 60; apart += 5)
		for (unsigned first = 0; first < 2; first++) {
			struct lab *s = lab_new(3, false);

			send(s, first, !first, 1, 50, NULL);
			run(s, apart);
			send(s, !first, first, 2, 50, NULL);
			run(s, 3000);
			CU_ASSERT_EQUAL(s->end[0].got, 1);
			CU_ASSERT_EQUAL(s->end[1].got, 1);
			CU_ASSERT_EQUAL(s->end[0].up, 1);
			CU_ASSERT_EQUAL(s->end[1].up, 1);
			run(s, 20000);
			for (unsigned i = 0; i < 5; i++) {
				send(s, 0, 1, 10 + i, 50, NULL);
				send(s, 1, 0, 20 + i, 50, NULL);
			}
			run(s, 1000);
			CU_ASSERT_EQUAL(s->end[0].got, 6);
			CU_ASSERT_EQUAL(s->end[1].got, 6);
			lab_free(s);
		}
}

static void a_link_carries_what_would_go_by_mail(void)
{
	struct lab *s = lab_new(3, false);
	struct tunnel_view v;
	uint64_t mails;

	link_up(s, 0, 1);
	send(s, 0, 1, 1, 1000, NULL);
	run(s, 1000);
	mails = s->end[0].mails;
	for (unsigned i = 0; i < 50; i++)
		send(s, 0, 1, 2 + i, 1000, NULL);
	run(s, 1000);
	CU_ASSERT_EQUAL(s->end[0].mails, mails);
	CU_ASSERT_EQUAL(s->end[1].got, 51);
	CU_ASSERT_TRUE(view(s, 0, &v));
	CU_ASSERT_TRUE(v.up && v.direct);
	CU_ASSERT_EQUAL(v.packets_out, 51);
	CU_ASSERT_EQUAL(v.mtu, WIRE_MTU_MAX - SESSION_OVERHEAD);	/* measured when the first went over it */
	CU_ASSERT_TRUE(endpoint_eq(&v.at, &s->end[1].at));
	CU_ASSERT_EQUAL(s->end[0].directs, 0);		/* it has a link: nothing to earn */
	lab_free(s);
}

static void large_payloads_cross_in_pieces_and_offloads_as_they_are(void)
{
	static const size_t LEN[] = { 1, 900, 968, 969, 1168, 1169, 1400, 9000, TUNNEL_PAYLOAD_MAX };
	const struct offload o = { .segment = 1360, .checksum_start = 34, .checksum_offset = 16, .partial = 1 };

	for (unsigned linked = 0; linked < 2; linked++) {
		struct lab *s = lab_new(3, false);

		if (linked)
			link_up(s, 0, 1);
		for (unsigned i = 0; i < sizeof(LEN) / sizeof(LEN[0]); i++)
			for (unsigned off = 0; off < 2; off++) {
				unsigned before = s->end[1].got;
				bool whole = true;

				CU_ASSERT_EQUAL(send(s, 0, 1, 77, LEN[i], off ? &o : NULL), DROP_NONE);
				run(s, 1500);
				CU_ASSERT_EQUAL_FATAL(s->end[1].got, before + 1);
				CU_ASSERT_EQUAL(s->end[1].last.len, LEN[i]);
				for (size_t k = 4; k < LEN[i]; k++)
					whole &= s->end[1].last.at[k] == (uint8_t)(k * 7 + 77);
				CU_ASSERT_TRUE(whole);
				CU_ASSERT_EQUAL(s->end[1].offload.segment, off ? 1360 : 0);
				CU_ASSERT_EQUAL(s->end[1].offload.checksum_start, off ? 34 : 0);
				CU_ASSERT_EQUAL(s->end[1].offload.checksum_offset, off ? 16 : 0);
				CU_ASSERT_EQUAL(s->end[1].offload.partial, off);
			}
		CU_ASSERT_EQUAL(send(s, 0, 1, 1, TUNNEL_PAYLOAD_MAX + 1, NULL), DROP_TOO_BIG);
		lab_free(s);
	}
}

static bool lose_one_data(struct lab *s, const struct flight *f)
{
	if ((f->data[0] & 15) != PACKET_DATA || f->mail)
		return false;
	return s->lost++ == s->lose_at;
}

static void pieces_without_the_others_are_forgotten_and_counted(void)
{
	struct lab *s = lab_new(3, false);
	uint32_t before;

	link_up(s, 0, 1);
	send(s, 0, 1, 1, 100, NULL);
	run(s, 1000);
	before = s->end[1].p.env.mem.used;
	s->lose = lose_one_data;
	s->lose_at = 3;
	send(s, 0, 1, 2, 9000, NULL);
	run(s, 1000);
	CU_ASSERT_EQUAL(s->end[1].got, 1);
	CU_ASSERT_TRUE(s->end[1].p.env.mem.used > before + 9000);
	run(s, 3000);
	CU_ASSERT_EQUAL(s->end[1].p.env.mem.used, before);
	CU_ASSERT_EQUAL(s->end[1].fx.drops[DROP_FRAGMENT], 1);
	/* and many of them at once stay within bounds */
	s->lose_at = UINT32_MAX;
	for (unsigned i = 0; i < 20; i++) {
		s->lost = 0;
		s->lose_at = 2;
		send(s, 0, 1, 3, 9000, NULL);
		run(s, 50);
		CU_ASSERT_TRUE(s->end[1].p.env.mem.used < before + 4 * 9400);
	}
	lab_free(s);
}

static bool lose_all(struct lab *s, const struct flight *f)
{
	(void)s;
	(void)f;
	return true;
}

static void a_silent_peer_fails_and_what_waited_is_counted(void)
{
	struct lab *s = lab_new(3, false);

	s->lose = lose_all;
	for (unsigned i = 0; i < 40; i++)
		CU_ASSERT_EQUAL(send(s, 0, 1, i, 100, NULL), DROP_NONE);
	CU_ASSERT_EQUAL(s->end[0].fx.drops[DROP_FULL], 8);	/* the oldest went for the newest */
	run(s, 9000);
	CU_ASSERT_EQUAL(s->end[0].failed, 1);
	CU_ASSERT_EQUAL(s->end[0].fx.drops[DROP_SILENT], TUNNEL_WAITING);
	CU_ASSERT_EQUAL(send(s, 0, 1, 99, 100, NULL), DROP_SILENT);
	s->lose = NULL;
	run(s, 2500);
	CU_ASSERT_EQUAL(send(s, 0, 1, 99, 100, NULL), DROP_NONE);
	run(s, 200);
	CU_ASSERT_EQUAL(s->end[1].got, 1);
	lab_free(s);
}

static void what_waits_is_bounded_for_the_node_too(void)
{
	struct lab *s = lab_new(3, false);

	s->lose = lose_all;
	for (unsigned i = 0; i < 30; i++)
		send(s, 0, 1 + i % 2, i, 9000, NULL);
	CU_ASSERT_TRUE(tunnels_bytes(s->end[0].tunnels) < (64u << 10) + 8192);
	CU_ASSERT_TRUE(s->end[0].fx.drops[DROP_FULL] >= 23);
	lab_free(s);
}

static void without_link_and_chain_a_flood_does_not_become_mail(void)
{
	struct lab *s = lab_new(3, false);
	uint64_t mails;

	send(s, 0, 1, 0, 100, NULL);
	run(s, 2000);
	mails = s->end[0].mails;
	for (unsigned i = 1; i <= 20; i++)
		send(s, 0, 1, i, 100, NULL);
	run(s, 100);
	CU_ASSERT_TRUE(s->end[0].mails - mails <= 8);
	run(s, 4000);				/* the rest follows, in order */
	CU_ASSERT_EQUAL(s->end[1].got, 21);
	for (unsigned i = 0; i < s->end[1].got; i++)
		CU_ASSERT_EQUAL(s->end[1].first[i], i);
	lab_free(s);
}

static void a_peer_that_restarted_is_met_anew_within_seconds(void)
{
	for (unsigned linked = 0; linked < 2; linked++) {
		struct lab *s = lab_new(3, false);
		unsigned before;

		if (linked)
			link_up(s, 0, 1);
		send(s, 0, 1, 1, 100, NULL);
		run(s, 1000);
		CU_ASSERT_EQUAL(s->end[1].got, 1);
		stop(s, 1);
		start(s, 1);
		s->end[1].got = 0;
		for (unsigned i = 0; i < 120; i++) {
			send(s, 0, 1, 100 + i, 100, NULL);
			run(s, 100);
		}
		CU_ASSERT_TRUE(s->end[1].got >= 40);		/* away for 8 s at the most */
		CU_ASSERT_EQUAL(s->end[0].up, 2);
		CU_ASSERT_EQUAL(s->end[0].failed, 0);
		before = s->end[0].got;
		send(s, 1, 0, 5, 100, NULL);
		run(s, 500);
		CU_ASSERT_EQUAL(s->end[0].got, before + 1);
		lab_free(s);
	}
}

static void a_node_that_restarted_itself_is_believed_and_its_past_is_not(void)
{
	struct lab *s = lab_new(3, false);

	send(s, 0, 1, 1, 100, NULL);
	run(s, 1000);
	stop(s, 1);
	start(s, 1);
	send(s, 1, 0, 2, 100, NULL);
	run(s, 1000);
	CU_ASSERT_EQUAL(s->end[0].got, 1);
	CU_ASSERT_EQUAL(s->end[0].first[0], 2);
	send(s, 0, 1, 3, 100, NULL);
	run(s, 200);
	CU_ASSERT_EQUAL(s->end[1].first[s->end[1].got - 1], 3);
	stop(s, 1);
	s->end[1].starts = 0;				/* an old image comes back: a lower incarnation */
	start(s, 1);
	send(s, 1, 0, 4, 100, NULL);
	run(s, 10000);
	CU_ASSERT_EQUAL(s->end[0].got, 1);
	CU_ASSERT_TRUE(s->end[0].fx.drops[DROP_STALE] > 0);
	lab_free(s);
}

static void an_idle_tunnel_fades_on_both_sides_and_leaves_nothing(void)
{
	struct lab *s = lab_new(3, false);
	struct tunnel_view v;

	send(s, 0, 1, 1, 100, NULL);
	run(s, 280000);
	CU_ASSERT_TRUE(view(s, 0, &v) && view(s, 1, &v));
	run(s, 40000);
	CU_ASSERT_FALSE(view(s, 0, &v) || view(s, 1, &v));
	CU_ASSERT_EQUAL(s->end[0].down, 1);
	CU_ASSERT_EQUAL(s->end[1].down, 1);
	CU_ASSERT_TRUE(s->end[0].mails < 12);
	send(s, 0, 1, 2, 100, NULL);
	run(s, 200);
	CU_ASSERT_EQUAL(s->end[1].got, 2);
	lab_free(s);
}

static void keys_change_after_an_hour_without_losing_a_payload(void)
{
	struct lab *s = lab_new(3, false);
	unsigned sent = 0;

	link_up(s, 0, 1);
	for (unsigned minute = 0; minute < 150; minute++) {
		for (unsigned i = 0; i < 2; i++)
			send(s, i, !i, sent, 300, NULL);
		sent++;
		run(s, 60000);
	}
	CU_ASSERT_EQUAL(s->end[0].got, sent);
	CU_ASSERT_EQUAL(s->end[1].got, sent);
	CU_ASSERT_EQUAL(s->end[0].up + s->end[1].up, 2);
	CU_ASSERT_TRUE(s->end[0].mails + s->end[1].mails >= 7);	/* two more handshakes, of IK now */
	CU_ASSERT_TRUE(s->end[0].mails + s->end[1].mails <= 16);
	lab_free(s);
}

static void traffic_that_lasts_earns_a_direct_link(void)
{
	struct lab *s = lab_new(3, false);

	for (unsigned i = 0; i < 10; i++) {
		send(s, 0, 1, i, 100, NULL);
		run(s, 1000);
	}
	CU_ASSERT_EQUAL(s->end[0].directs, 0);
	for (unsigned i = 0; i < 30; i++) {
		send(s, 0, 1, i, 100, NULL);
		run(s, 150);
	}
	CU_ASSERT_EQUAL(s->end[0].directs, 1);
	CU_ASSERT_TRUE(id_eq(s->end[0].want.who.id, s->end[1].p.self.id));
	CU_ASSERT_TRUE_FATAL(s->end[0].want.who.ats > 0);
	CU_ASSERT_TRUE(endpoint_eq(&s->end[0].want.who.at[0], &s->end[1].at));
	lab_free(s);
}

static bool replay_inits(struct lab *s, const struct flight *f)
{
	if (f->mail && f->len > 17 && f->data[0] == 1 && (f->data[17] & 15) == PACKET_INIT && s->flights < MAILS - 1) {
		s->flight[s->flights] = *f;
		s->flight[s->flights++].at_ms += 5000;
	}
	return false;
}

static void replayed_mail_and_lies_change_nothing(void)
{
	struct lab *s = lab_new(3, false);
	uint8_t junk[400] = { 1 };
	struct flight f = { .from = 2, .to = 1, .mail = true, .len = sizeof(junk) };
	struct flight *kept;

	s->lose = replay_inits;
	send(s, 0, 1, 1, 100, NULL);
	run(s, 10000);
	s->lose = NULL;
	send(s, 0, 1, 2, 100, NULL);
	run(s, 1000);
	CU_ASSERT_EQUAL(s->end[1].got, 2);
	CU_ASSERT_EQUAL(s->end[0].up + s->end[1].up, 2);
	/* a third one passes off another's INIT as its own */
	stop(s, 0);
	start(s, 0);
	begin(s, 0);
	tunnels_send(&s->end[0].p.env, s->end[0].tunnels, 0, s->end[1].p.self.id, (struct bytes){ junk, 10 }, NULL);
	collect(s, 0);
	CU_ASSERT_EQUAL_FATAL(s->flights, 1);
	kept = &s->flight[0];
	f = *kept;
	f.from = 2;
	s->flights = 0;
	arrive(s, &f);
	run(s, 8000);
	for (unsigned k = 0; k < TUNNELS_MAX; k++) {
		struct tunnel_view v;

		if (tunnel_at(s->end[1].tunnels, k, &v))
			CU_ASSERT_FALSE(v.up && id_eq(v.peer, s->end[2].p.self.id));
	}
	/* garbage of all kinds costs a count */
	for (unsigned len = 0; len < 64; len++)
		for (unsigned kind = 0; kind < 4; kind++) {
			f = (struct flight){ .from = 2, .to = 1, .mail = true, .len = (uint16_t)len };
			f.data[0] = (uint8_t)kind;
			arrive(s, &f);
		}
	CU_ASSERT_EQUAL(s->end[1].got, 3);		/* the third is what node 0 wanted to say itself */
	lab_free(s);
}

static void a_member_of_the_overlay_alone_is_no_member_of_the_network(void)
{
	struct lab *s = lab_new(3, false);

	tunnels_network(begin(s, 2), s->end[2].tunnels, 0, network_of(s->network), s->network + KEY_BYTES,
			&s->end[2].p.self);		/* the overlay's certificate */
	send(s, 2, 1, 1, 100, NULL);
	send(s, 0, 2, 1, 100, NULL);
	run(s, 10000);
	CU_ASSERT_EQUAL(s->end[1].got + s->end[1].up + s->end[0].up, 0);
	CU_ASSERT_TRUE(s->end[1].fx.drops[DROP_CERTIFICATE] > 0);
	CU_ASSERT_TRUE(s->end[0].fx.drops[DROP_CERTIFICATE] > 0);
	lab_free(s);
}

static void after_resume_keys_are_new(void)
{
	struct lab *s = lab_new(3, false);
	uint64_t mails;

	link_up(s, 0, 1);
	send(s, 0, 1, 1, 100, NULL);
	run(s, 20000);
	mails = s->end[0].mails;
	tunnels_resumed(begin(s, 0), s->end[0].tunnels);
	collect(s, 0);
	run(s, 1000);
	CU_ASSERT_TRUE(s->end[0].mails > mails);
	send(s, 0, 1, 2, 100, NULL);
	send(s, 1, 0, 3, 100, NULL);
	run(s, 1000);
	CU_ASSERT_EQUAL(s->end[1].got, 2);
	CU_ASSERT_EQUAL(s->end[0].got, 1);
	lab_free(s);
}

CU_TestInfo tunnel_tests[] = {
	{ "the first payload arrives, and so do the answers", the_first_payload_arrives_and_so_do_the_answers },
	{ "whichever packet is lost, payloads arrive once and in order",
	  whichever_packet_is_lost_the_payload_arrives_once_and_in_order },
	{ "calls that cross leave one tunnel and lose nothing", calls_that_cross_leave_one_tunnel_and_lose_nothing },
	{ "a link carries what would go by mail", a_link_carries_what_would_go_by_mail },
	{ "large payloads cross in pieces, offloads as they are", large_payloads_cross_in_pieces_and_offloads_as_they_are },
	{ "pieces without the others are forgotten and counted", pieces_without_the_others_are_forgotten_and_counted },
	{ "a silent peer fails, and what waited is counted", a_silent_peer_fails_and_what_waited_is_counted },
	{ "what waits is bounded for the node too", what_waits_is_bounded_for_the_node_too },
	{ "without link and chain a flood does not become mail", without_link_and_chain_a_flood_does_not_become_mail },
	{ "a peer that restarted is met anew within seconds", a_peer_that_restarted_is_met_anew_within_seconds },
	{ "a node that restarted is believed, its past is not", a_node_that_restarted_itself_is_believed_and_its_past_is_not },
	{ "an idle tunnel fades on both sides and leaves nothing", an_idle_tunnel_fades_on_both_sides_and_leaves_nothing },
	{ "keys change after an hour without losing a payload", keys_change_after_an_hour_without_losing_a_payload },
	{ "traffic that lasts earns a direct link", traffic_that_lasts_earns_a_direct_link },
	{ "replayed mail and lies change nothing", replayed_mail_and_lies_change_nothing },
	{ "a member of the overlay alone is none of the network", a_member_of_the_overlay_alone_is_no_member_of_the_network },
	{ "after resume keys are new", after_resume_keys_are_new },
	CU_TEST_INFO_NULL
};
