/* Several routers on one LAN: one of them serves it, never two, whatever happens to them. */
#include "tests/unit/suites.h"
#include "tests/unit/vnet_lab.h"

enum { BYE = 1, ASKS = 2, SERVES = 4 };		/* flags of beacons, core/vnet/lan.c */

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

/* Flags of the last beacon that went out, -1: none did. */
static int last_beacon(const struct lab *l)
{
	for (unsigned i = lab_outs(l); i-- > 0;) {
		struct packet p = lab_out(l, i);

		if (p.type == TYPE_BEACON)
			return p.l3.at[5];
	}
	return -1;
}

static void who_starts_listens_before_it_serves(void)
{
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	lab_resume(&l);			/* as at the start */
	CU_ASSERT_FALSE(lab_serving(&l));
	lab_wait(&l, 1);
	CU_ASSERT_EQUAL(last_beacon(&l), ASKS);
	lab_wait(&l, 200 * LAB_MS);
	CU_ASSERT_FALSE(lab_serving(&l));
	lab_wait(&l, 200 * LAB_MS);
	CU_ASSERT_TRUE(lab_serving(&l));
	CU_ASSERT_EQUAL(last_beacon(&l), SERVES);
	lab_shut(&l);
}

static void who_asks_is_answered_also_when_it_is_known(void)
{
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	lab_hear_beacon(&l, 60, 1, 0);
	lab_wait(&l, LAB_S);
	lab_forget(&l);
	lab_hear_beacon(&l, 60, 2, ASKS);
	CU_ASSERT_EQUAL(last_beacon(&l), SERVES);
	lab_forget(&l);
	for (uint64_t i = 0; i < 100; i++)		/* whoever asks all the time hears ten a second */
		lab_hear_beacon(&l, 60, 3 + i, ASKS);
	lab_wait(&l, LAB_S);
	CU_ASSERT_TRUE(lab_outs(&l) <= 10);
	lab_shut(&l);
}

static void a_lower_one_that_listens_is_waited_for_and_stops_nobody(void)
{
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 50);
	lab_hear_beacon(&l, 40, 1, ASKS);
	CU_ASSERT_TRUE(lab_serving(&l));		/* it does not serve yet, so we go on */
	lab_hear_beacon(&l, 40, 2, 0);
	CU_ASSERT_FALSE(lab_serving(&l));
	CU_ASSERT_EQUAL(last_beacon(&l), 0);		/* and it hears that it may begin */
	lab_resume(&l);
	lab_hear_beacon(&l, 40, 3, ASKS);
	lab_wait(&l, LAB_S);
	CU_ASSERT_FALSE(lab_serving(&l));		/* both listened at once: the lower one begins */
	lab_shut(&l);
}

static void the_lower_one_begins_when_the_other_has_stopped(void)
{
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 50);
	lab_resume(&l);
	lab_hear_beacon(&l, 60, 1, SERVES);
	lab_wait(&l, LAB_S);
	CU_ASSERT_FALSE(lab_serving(&l));
	CU_ASSERT_EQUAL(last_beacon(&l), 0);		/* has listened: now the other one knows */
	lab_hear_beacon(&l, 60, 2, 0);
	CU_ASSERT_TRUE(lab_serving(&l));
	CU_ASSERT_EQUAL(last_beacon(&l), SERVES);
	lab_hear_beacon(&l, 60, 3, SERVES);		/* two that did not hear each other: the higher one stops */
	CU_ASSERT_TRUE(lab_serving(&l));
	lab_shut(&l);
}

static void who_stood_still_serves_nobody_until_it_has_listened(void)
{
	struct lab_buf b;
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	CU_ASSERT_TRUE(lab_serving(&l));
	l.env->now_ns += 12 * LAB_S;			/* its timers did not run, and nobody told it */
	CU_ASSERT_FALSE(lab_serving(&l));
	lab_udp(&b, NULL, NULL, far(), everybody(), 5353, 5353, 40);
	CU_ASSERT_EQUAL(lab_flood(&l, 77, &b.w), DROP_PASSIVE);
	lab_wait(&l, 200 * LAB_MS);
	CU_ASSERT_FALSE(lab_serving(&l));
	lab_wait(&l, 200 * LAB_MS);
	CU_ASSERT_TRUE(lab_serving(&l));
	lab_shut(&l);
}

static void who_leaves_says_so_and_floods_no_more(void)
{
	struct lab_buf b;
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	lab_leave(&l);
	CU_ASSERT_EQUAL(last_beacon(&l), BYE);
	lab_forget(&l);
	lab_udp(&b, NULL, NULL, far(), everybody(), 5353, 5353, 40);
	CU_ASSERT_EQUAL(lab_flood(&l, 77, &b.w), DROP_PASSIVE);
	CU_ASSERT_EQUAL(lab_outs(&l), 0);
	lab_shut(&l);
}

/* What the one before us flooded comes to us by the ring after we have taken over. */
static void what_was_flooded_before_a_hand_over_is_not_flooded_again(void)
{
	struct lab_buf b, again;
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 50);
	lab_hear_beacon(&l, 40, 1, SERVES);
	CU_ASSERT_FALSE(lab_serving(&l));
	lab_udp(&again, NULL, NULL, far(), everybody(), 5353, 5353, 40);
	lab_udp(&b, mac_broadcast, l.mac, far(), everybody(), 5353, 5353, 40);
	lab_frame_of(&l, &b.w, NULL);			/* 40 floods it */
	lab_hear_beacon(&l, 40, 2, BYE);
	CU_ASSERT_TRUE(lab_serving(&l));
	CU_ASSERT_EQUAL(lab_flood(&l, 77, &again.w), DROP_DUPLICATE);
	CU_ASSERT_EQUAL(lab_flood(&l, 77, &again.w), DROP_NONE);	/* said again, it is another one */
	lab_shut(&l);

	lab_open(&l, MODEL_ROUTER, 50);
	lab_hear_beacon(&l, 40, 1, SERVES);
	lab_udp(&again, NULL, NULL, far(), everybody(), 5353, 5353, 40);
	CU_ASSERT_EQUAL(lab_flood(&l, 77, &again.w), DROP_PASSIVE);	/* here first, then flooded by 40 */
	lab_udp(&b, mac_broadcast, l.mac, far(), everybody(), 5353, 5353, 40);
	lab_frame_of(&l, &b.w, NULL);
	lab_hear_beacon(&l, 40, 2, BYE);
	CU_ASSERT_EQUAL(lab_flood(&l, 77, &again.w), DROP_NONE);
	lab_shut(&l);
}

static void what_a_node_sent_before_it_went_is_not_flooded_here(void)
{
	struct lab_buf b;
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 50);
	lab_udp(&b, NULL, NULL, far(), everybody(), 5353, 5353, 40);
	lab_hear_beacon(&l, 60, 1, 0);
	lab_hear_beacon(&l, 60, 2, BYE);
	CU_ASSERT_EQUAL(lab_flood(&l, 60, &b.w), DROP_ON_LAN);
	lab_wait(&l, 80 * LAB_S);
	CU_ASSERT_EQUAL(lab_flood(&l, 60, &b.w), DROP_NONE);
	lab_shut(&l);
}

/* A machine's packets reach it while the one that serves has not asked for its address. */
static void a_passive_node_delivers_under_its_own_mac_and_says_nothing_else(void)
{
	struct lab_buf b;
	struct packet p;
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 50);
	lab_static(&l, lab_host, host());
	lab_arp(&l, lab_host, 1, host(), far());	/* a question under way */
	lab_hear_beacon(&l, 40, 1, 0);
	lab_forget(&l);
	l.fake->source = FOUND_YES;
	lab_udp(&b, NULL, NULL, far(), host(), 1, 2, 40);
	lab_payload(&l, 77, &b.w);
	CU_ASSERT_EQUAL_FATAL(lab_outs(&l), 1);
	p = lab_out(&l, 0);
	CU_ASSERT_TRUE(mac_eq(p.mac_to, lab_host) && !mac_eq(p.mac_from, l.mac));
	lab_forget(&l);
	lab_resolved(&l, far(), true);
	lab_arp(&l, lab_host, 1, host(), lab_ip(10, 250, 0, 1));
	CU_ASSERT_EQUAL(lab_outs(&l), 0);
	for (uint64_t i = 2; i < 200; i++) {		/* and gives it back when nobody asks and nobody speaks */
		lab_hear_beacon(&l, 40, i, SERVES);
		lab_wait(&l, 5 * LAB_S);
	}
	CU_ASSERT_EQUAL(l.fake->releases, 1);
	CU_ASSERT_FALSE(lab_knows(&l, host()));
	lab_shut(&l);
}

CU_TestInfo vnet_lan_tests[] = {
	{ "who starts listens before it serves", who_starts_listens_before_it_serves },
	{ "who asks is answered, also when it is known", who_asks_is_answered_also_when_it_is_known },
	{ "a lower one that listens is waited for and stops nobody", a_lower_one_that_listens_is_waited_for_and_stops_nobody },
	{ "the lower one begins when the other has stopped", the_lower_one_begins_when_the_other_has_stopped },
	{ "who stood still serves nobody until it has listened", who_stood_still_serves_nobody_until_it_has_listened },
	{ "who leaves says so and floods no more", who_leaves_says_so_and_floods_no_more },
	{ "what was flooded before a hand-over is not flooded again",
	  what_was_flooded_before_a_hand_over_is_not_flooded_again },
	{ "what a node sent before it went is not flooded here", what_a_node_sent_before_it_went_is_not_flooded_here },
	{ "a passive node delivers under its own MAC and says nothing else",
	  a_passive_node_delivers_under_its_own_mac_and_says_nothing_else },
	CU_TEST_INFO_NULL
};
