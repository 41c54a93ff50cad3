/*
 * Addresses move with their machines: noticed, asked for, given, told. What the
 * DHT does of it is in held_test; what two nodes and a slot do together in the
 * story of migrations.
 */
#include "tests/unit/suites.h"
#include "tests/unit/vnet_lab.h"

#define FORWARD_S	30

static struct ip mobile(void)
{
	return lab_ip(10, 250, 2, 2);
}

static struct ip far(void)
{
	return lab_ip(10, 250, 7, 7);
}

static struct id node(uint64_t n)
{
	return (struct id){ n, 0 };
}

/* Somebody else serves @ip. */
static void served(struct lab *l, struct ip ip, uint64_t by)
{
	l->fake->served[l->fake->serves++] = ip;
	l->fake->owner = node(by);
}

static void wanted(struct lab *l, struct ip ip, uint64_t by, uint64_t client)
{
	lab_tell(l, &(struct held_news){ .word = HELD_WANTED, .by = node(by), .nonce = 7,
					 .held = { .lease = { .ip = ip, .client = client }, .state = HELD_OURS } });
}

static void gone(struct lab *l, struct ip ip, uint64_t to)
{
	lab_silenced(l, ip);
	lab_tell(l, &(struct held_news){ .word = HELD_GONE, .by = node(to),
					 .held = { .lease = { .ip = ip }, .state = HELD_LENT, .cookie = LAB_STATIC } });
}

static void came(struct lab *l, struct ip ip, uint64_t from)
{
	l->fake->believed[l->fake->believes++] = ip;
	lab_tell(l, &(struct held_news){ .word = HELD_GRANTED, .by = node(from),
					 .held = { .lease = { .ip = ip }, .state = HELD_OURS, .cookie = LAB_STATIC } });
}

static unsigned arps(const struct lab *l, const uint8_t *to)
{
	unsigned n = 0;

	for (unsigned i = 0; i < lab_outs(l); i++) {
		struct packet p = lab_out(l, i);

		n += p.type == TYPE_ARP && mac_eq(p.mac_to, to);
	}
	return n;
}

static unsigned words(const struct lab *l, uint64_t to, uint8_t kind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->fake->words; i++)
		n += id_eq(l->fake->word[i].to, node(to)) && l->fake->word[i].data[0] == kind;
	return n;
}

/* ---- notice ---- */

static void a_machine_from_another_node_is_asked_for_there(void)
{
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	CU_ASSERT_TRUE(l.fake->lends);
	served(&l, mobile(), 77);
	lab_arp(&l, lab_host, 1, mobile(), mobile());		/* gratuitous */
	CU_ASSERT_EQUAL(l.fake->wants, 0);
	CU_ASSERT_EQUAL_FATAL(l.fake->takes, 1);
	CU_ASSERT_TRUE(id_eq(l.fake->take[0].owner, node(77)));
	CU_ASSERT_EQUAL(words(&l, 77, PAYLOAD_PATH), 1);	/* stragglers will come that way */
	lab_arp(&l, lab_host, 1, mobile(), mobile());
	CU_ASSERT_EQUAL(l.fake->takes, 1);
	came(&l, mobile(), 77);
	lab_arp(&l, lab_host, 1, mobile(), far());
	CU_ASSERT_TRUE(lab_recorded(&l, RECORD_MOVED));
	lab_shut(&l);
}

static void who_serves_it_is_asked_of_the_slot_first(void)
{
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	l.fake->slow = true;
	lab_arp(&l, lab_host, 1, mobile(), mobile());
	lab_arp(&l, lab_other, 1, far(), far());
	CU_ASSERT_EQUAL(l.fake->takes + l.fake->wants, 0);
	served(&l, mobile(), 77);
	lab_resolved(&l, mobile(), true);
	lab_resolved(&l, far(), false);
	CU_ASSERT_EQUAL(l.fake->takes, 1);
	CU_ASSERT_EQUAL(l.fake->wants, 1);			/* nobody's: created */
	lab_shut(&l);
}

static void a_create_that_finds_an_owner_asks_it(void)
{
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	lab_arp(&l, lab_host, 1, mobile(), mobile());
	CU_ASSERT_EQUAL(l.fake->wants, 1);
	lab_tell(&l, &(struct held_news){ .word = HELD_REFUSED, .verdict = VERDICT_TAKEN, .by = node(78),
					  .held = { .lease = { .ip = mobile() }, .cookie = LAB_STATIC } });
	CU_ASSERT_EQUAL_FATAL(l.fake->takes, 1);
	CU_ASSERT_TRUE(id_eq(l.fake->take[0].owner, node(78)));
	CU_ASSERT_EQUAL(arps(&l, lab_host), 0);			/* no conflict yet */
	lab_tell(&l, &(struct held_news){ .word = HELD_REFUSED, .verdict = VERDICT_WAIT, .by = node(78),
					  .held = { .lease = { .ip = mobile() }, .cookie = LAB_STATIC } });
	CU_ASSERT_EQUAL(arps(&l, lab_host), 0);			/* its owner says nothing: nor do we */
	served(&l, mobile(), 78);
	lab_wait(&l, 3 * LAB_S);
	CU_ASSERT_EQUAL(l.fake->takes, 2);			/* but ask again */
	lab_news(&l, HELD_REFUSED, VERDICT_TAKEN, mobile());	/* the machine is there */
	CU_ASSERT_EQUAL(arps(&l, lab_host), 1);
	lab_shut(&l);
}

/* ---- ask ---- */

static void a_machine_that_is_silent_is_given_away_in_fifty_milliseconds(void)
{
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	lab_static(&l, lab_host, mobile());
	lab_forget(&l);
	wanted(&l, mobile(), 77, lab_client(lab_host, mobile()));
	wanted(&l, mobile(), 77, lab_client(lab_host, mobile()));	/* asked again */
	CU_ASSERT_EQUAL(l.fake->given, 0);
	lab_wait(&l, 50 * LAB_MS);
	CU_ASSERT_EQUAL(arps(&l, lab_host), 2);
	CU_ASSERT_EQUAL(l.fake->given, 1);
	CU_ASSERT_TRUE(id_eq(l.fake->given_to, node(77)));
	CU_ASSERT_EQUAL(l.fake->denied, 0);
	lab_shut(&l);
}

/* Node 77 asks for the address of a machine that answers its probe. */
static void denied(struct lab *l)
{
	lab_open(l, MODEL_ROUTER, 5);
	lab_static(l, lab_host, mobile());
	lab_wait(l, 10 * LAB_MS);
	wanted(l, mobile(), 77, lab_client(lab_host, mobile()));
	lab_wait(l, 5 * LAB_MS);
	lab_arp(l, lab_host, 2, mobile(), lab_ip(10, 250, 0, 1));
	lab_wait(l, 100 * LAB_MS);
}

static void a_machine_that_answers_stays(void)
{
	struct lab l;

	denied(&l);
	CU_ASSERT_EQUAL(l.fake->given, 0);
	CU_ASSERT_EQUAL(l.fake->denied, 1);
	lab_shut(&l);
}

static void a_question_that_was_denied_is_denied_however_often_it_comes(void)
{
	struct lab l;

	denied(&l);
	CU_ASSERT_EQUAL(l.fake->denied, 1);
	wanted(&l, mobile(), 77, lab_client(lab_host, mobile()));	/* it was on its way when we said no */
	lab_wait(&l, 100 * LAB_MS);
	CU_ASSERT_EQUAL(l.fake->denied, 2);
	CU_ASSERT_EQUAL(l.fake->given, 0);
	wanted(&l, mobile(), 78, lab_client(lab_host, mobile()));	/* another one, and now it is silent */
	lab_wait(&l, 100 * LAB_MS);
	CU_ASSERT_EQUAL(l.fake->given, 1);
	CU_ASSERT_TRUE(id_eq(l.fake->given_to, node(78)));
	lab_shut(&l);
}

static void another_machine_that_claims_the_address_waits_longer(void)
{
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	lab_static(&l, lab_host, mobile());
	lab_forget(&l);
	wanted(&l, mobile(), 77, lab_client(lab_other, mobile()));
	lab_wait(&l, 1400 * LAB_MS);
	CU_ASSERT_EQUAL(l.fake->given, 0);
	CU_ASSERT_EQUAL(arps(&l, lab_host), 3);
	lab_wait(&l, 200 * LAB_MS);
	CU_ASSERT_EQUAL(l.fake->given, 1);
	lab_shut(&l);
}

static void a_machine_whose_lan_another_node_serves_now_goes_there_at_once(void)
{
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 50);
	lab_static(&l, lab_host, mobile());
	lab_hear_beacon(&l, 40, 1, 4);
	lab_forget(&l);
	wanted(&l, mobile(), 40, lab_client(lab_host, mobile()));
	CU_ASSERT_EQUAL(l.fake->given, 1);
	gone(&l, mobile(), 40);
	CU_ASSERT_EQUAL(lab_outs(&l), 0);			/* it is still on this LAN */
	CU_ASSERT_FALSE(lab_knows(&l, mobile()));
	lab_shut(&l);
}

/* ---- tell ---- */

static void who_talked_to_it_is_told_and_so_is_the_lan(void)
{
	struct packet p;
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	lab_static(&l, lab_host, mobile());
	l.fake->talker[0] = node(60);
	l.fake->talker[1] = node(61);
	l.fake->talkers = 2;
	l.fake->proof = true;
	gone(&l, mobile(), 77);
	CU_ASSERT_FALSE(lab_knows(&l, mobile()));
	CU_ASSERT_EQUAL(words(&l, 60, PAYLOAD_MOVED), 1);
	CU_ASSERT_EQUAL(words(&l, 61, PAYLOAD_MOVED), 1);
	CU_ASSERT_EQUAL_FATAL(arps(&l, mac_broadcast), 1);
	p = lab_out(&l, lab_outs(&l) - 1);
	CU_ASSERT_TRUE(p.type == TYPE_ARP && ip_eq(&p.src, &(struct ip){ .at = { 10, 250, 2, 2 }, .family = 4 }));
	CU_ASSERT_TRUE(mac_eq(p.arp_sha, l.mac));		/* caches of its old neighbours lead to us */
	CU_ASSERT_TRUE(lab_recorded(&l, RECORD_MOVED));
	lab_shut(&l);
}

static void stragglers_are_forwarded_for_half_a_minute(void)
{
	struct lab_buf b;
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	lab_static(&l, lab_host, mobile());
	l.fake->source = FOUND_YES;
	l.fake->proof = true;
	gone(&l, mobile(), 77);
	lab_udp(&b, NULL, NULL, far(), mobile(), 1, 2, 40);
	lab_payload(&l, 60, &b.w);
	CU_ASSERT_EQUAL(words(&l, 77, PAYLOAD_FORWARD), 1);
	CU_ASSERT_EQUAL(words(&l, 60, PAYLOAD_MOVED), 1);
	CU_ASSERT_EQUAL(l.fake->not_here, 0);
	lab_payload(&l, 77, &b.w);				/* never back to where it should be */
	CU_ASSERT_EQUAL(words(&l, 77, PAYLOAD_FORWARD), 1);
	lab_wait(&l, FORWARD_S * LAB_S);
	lab_payload(&l, 60, &b.w);
	CU_ASSERT_EQUAL(words(&l, 77, PAYLOAD_FORWARD), 1);
	CU_ASSERT_EQUAL(l.fake->not_here, 2);
	lab_shut(&l);
}

static void forward(struct lab *l, uint64_t by, uint64_t sender, const struct lab_buf *b)
{
	uint8_t buf[2048];
	struct writer w = writer_of(buf, sizeof(buf));

	write_u8(&w, PAYLOAD_FORWARD);
	write_u64(&w, sender);
	write_u64(&w, 0);
	write_copy(&w, b->w.start, writer_len(&b->w));
	lab_word(l, by, (struct bytes){ buf, writer_len(&w) });
}

static void forwarded_packets_are_taken_from_who_gave_the_address_only(void)
{
	struct lab_buf b;
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	served(&l, mobile(), 77);
	lab_arp(&l, lab_host, 1, mobile(), mobile());
	came(&l, mobile(), 77);
	lab_forget(&l);
	lab_udp(&b, NULL, NULL, far(), mobile(), 1, 2, 40);
	forward(&l, 78, 60, &b);
	CU_ASSERT_EQUAL(lab_outs(&l), 0);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_STRANGER), 1);
	forward(&l, 77, 60, &b);
	CU_ASSERT_EQUAL(lab_outs(&l), 1);
	CU_ASSERT_EQUAL(words(&l, 60, PAYLOAD_PATH), 1);	/* the answer goes straight there */
	lab_udp(&b, NULL, NULL, lab_ip(8, 8, 8, 8), mobile(), 1, 2, 40);
	forward(&l, 77, 60, &b);
	lab_udp(&b, NULL, NULL, mobile(), mobile(), 1, 2, 40);
	forward(&l, 77, 60, &b);
	lab_word(&l, 77, (struct bytes){ (const uint8_t *)"\005" "123", 4 });
	CU_ASSERT_EQUAL(lab_outs(&l), 1);
	lab_wait(&l, FORWARD_S * LAB_S);
	lab_forget(&l);
	lab_udp(&b, NULL, NULL, far(), mobile(), 1, 2, 40);
	forward(&l, 77, 60, &b);
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_STRANGER), 3);
	lab_shut(&l);
}

static void what_went_and_came_back_is_not_forwarded(void)
{
	struct lab_buf b;
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	lab_static(&l, lab_host, mobile());
	l.fake->source = FOUND_YES;
	gone(&l, mobile(), 77);
	served(&l, mobile(), 77);
	lab_arp(&l, lab_host, 1, mobile(), mobile());
	CU_ASSERT_EQUAL(l.fake->takes, 1);
	l.fake->serves = 0;
	came(&l, mobile(), 77);
	lab_forget(&l);
	lab_udp(&b, NULL, NULL, far(), mobile(), 1, 2, 40);
	lab_payload(&l, 60, &b.w);
	CU_ASSERT_EQUAL(lab_outs(&l), 1);
	CU_ASSERT_EQUAL(words(&l, 77, PAYLOAD_FORWARD), 0);
	lab_shut(&l);
}

static void forged_words_about_moves_move_nothing(void)
{
	static const uint8_t junk[64] = { PAYLOAD_MOVED, 'w', 'D', 'l', '1' };
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	for (size_t n = 1; n <= sizeof(junk); n++)
		lab_word(&l, 77, (struct bytes){ junk, n });
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_VALUE), sizeof(junk));
	CU_ASSERT_EQUAL(l.fake->moved, 0);
	lab_shut(&l);
}

/* A machine that was moved while it ran goes on speaking to its old neighbours by their own MACs. */
static void a_machine_that_moved_finds_its_old_neighbours(void)
{
	static const uint8_t old[MAC_BYTES] = { 0x52, 0x54, 0, 0, 9, 9 };
	struct lab_buf b;
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	served(&l, mobile(), 77);
	lab_arp(&l, lab_host, 1, mobile(), mobile());
	l.fake->serves = 0;
	came(&l, mobile(), 77);
	lab_forget(&l);
	lab_frame_of(&l, lab_udp(&b, old, lab_host, mobile(), far(), 1, 2, 40), NULL);
	CU_ASSERT_EQUAL(l.fake->sent, 0);			/* nobody else serves it: it is on this LAN */
	served(&l, far(), 77);
	lab_frame_of(&l, lab_udp(&b, old, lab_host, mobile(), far(), 1, 2, 40), NULL);
	CU_ASSERT_EQUAL(l.fake->sent, 1);
	CU_ASSERT_EQUAL(arps(&l, lab_host), 1);
	lab_static(&l, lab_other, lab_ip(10, 250, 2, 3));
	lab_frame_of(&l, lab_udp(&b, old, lab_other, lab_ip(10, 250, 2, 3), far(), 1, 2, 40), NULL);
	CU_ASSERT_EQUAL(l.fake->sent, 1);			/* who was here all the time knows its LAN */
	lab_shut(&l);
}

static void addresses_of_ipv6_move_alike(void)
{
	struct ip six = lab_ip6(9);
	struct lab l;

	lab_open(&l, MODEL_ROUTER, 5);
	served(&l, six, 77);
	lab_nd(&l, lab_host, 136, six, (struct ip){ .at = { 0xff, 2, [15] = 1 }, .family = 6 }, six, 2);
	CU_ASSERT_EQUAL(l.fake->takes, 1);
	l.fake->serves = 0;
	came(&l, six, 77);
	lab_forget(&l);
	wanted(&l, six, 78, lab_client(lab_host, six));
	lab_wait(&l, 60 * LAB_MS);
	CU_ASSERT_EQUAL(lab_outs(&l), 2);
	CU_ASSERT_EQUAL(lab_out(&l, 0).icmp_type, 135);
	CU_ASSERT_EQUAL(l.fake->given, 1);
	lab_forget(&l);
	gone(&l, six, 78);
	CU_ASSERT_EQUAL_FATAL(lab_outs(&l), 1);
	CU_ASSERT_EQUAL(lab_out(&l, 0).icmp_type, 136);
	lab_shut(&l);
}

CU_TestInfo vnet_migrate_tests[] = {
	{ "a machine from another node is asked for there", a_machine_from_another_node_is_asked_for_there },
	{ "who serves it is asked of the slot first", who_serves_it_is_asked_of_the_slot_first },
	{ "a create that finds an owner asks it", a_create_that_finds_an_owner_asks_it },
	{ "a machine that is silent is given away in fifty milliseconds",
	  a_machine_that_is_silent_is_given_away_in_fifty_milliseconds },
	{ "a machine that answers stays", a_machine_that_answers_stays },
	{ "a question that was denied is denied however often it comes",
	  a_question_that_was_denied_is_denied_however_often_it_comes },
	{ "another machine that claims the address waits longer", another_machine_that_claims_the_address_waits_longer },
	{ "a machine whose LAN another node serves now goes there at once",
	  a_machine_whose_lan_another_node_serves_now_goes_there_at_once },
	{ "who talked to it is told, and so is the LAN", who_talked_to_it_is_told_and_so_is_the_lan },
	{ "stragglers are forwarded for half a minute", stragglers_are_forwarded_for_half_a_minute },
	{ "forwarded packets are taken from who gave the address only",
	  forwarded_packets_are_taken_from_who_gave_the_address_only },
	{ "what went and came back is not forwarded", what_went_and_came_back_is_not_forwarded },
	{ "forged words about moves move nothing", forged_words_about_moves_move_nothing },
	{ "a machine that moved finds its old neighbours", a_machine_that_moved_finds_its_old_neighbours },
	{ "addresses of IPv6 move alike", addresses_of_ipv6_move_alike },
	CU_TEST_INFO_NULL
};
