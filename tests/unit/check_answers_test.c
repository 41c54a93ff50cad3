/* What guests are told: addresses are read from frames, and judged by who believed in them. */
#include <string.h>

#include "sim/check/answers.h"
#include "sim/check/kept.h"
#include "tests/unit/suites.h"

static struct beliefs beliefs;
static struct findings found;
static struct limits limits;
static struct judge judge = { &limits, &found };
static struct network_record net;

static struct id node(unsigned i)
{
	return (struct id){ i + 1, i };
}

static void begin(void)
{
	findings_init(&found, NULL, NULL);
	beliefs_init(&beliefs);
	network_defaults(&net);
	net.id = (struct id){ 5, 5 };
	net.range4 = (struct ip_range){ ip_v4(0x0a000000), 24 };
}

static void end(void)
{
	beliefs_done(&beliefs);
	findings_done(&found);
}

static size_t arp(uint8_t *out, unsigned operation, uint32_t sender)
{
	struct writer w = writer_of(out, 64);

	write_copy(&w, "\2\2\2\2\2\2\1\1\1\1\1\1", 12);
	write_u16(&w, 0x0806);
	write_u16(&w, 1);
	write_u16(&w, 0x0800);
	write_u16(&w, 0x0604);
	write_u16(&w, (uint16_t)operation);
	write_copy(&w, "\1\1\1\1\1\1", 6);
	write_u32(&w, sender);
	write_copy(&w, "\2\2\2\2\2\2", 6);
	write_u32(&w, 0x0a000001);
	return writer_len(&w);
}

/* An answer to "abc. A?" with two addresses and a TXT between them */
static size_t dns(uint8_t *out, unsigned flags, unsigned port)
{
	static const uint8_t question[] = { 3, 'a', 'b', 'c', 0, 0, 1, 0, 1 };
	struct writer w = writer_of(out, 256);

	write_copy(&w, "\2\2\2\2\2\2\1\1\1\1\1\1", 12);
	write_u16(&w, 0x0800);
	write_copy(&w, "\x45\0\0\0\0\0\0\0\x40\x11\0\0\12\0\0\1\12\0\0\2", 20);
	write_u16(&w, (uint16_t)port);
	write_u16(&w, 4444);
	write_u32(&w, 0);
	write_u16(&w, 7);
	write_u16(&w, (uint16_t)flags);
	write_u16(&w, 1);
	write_u16(&w, 3);
	write_u32(&w, 0);
	write_copy(&w, question, sizeof(question));
	for (unsigned i = 0; i < 3; i++) {
		write_u16(&w, 0xc00c);
		write_u16(&w, i == 1 ? 16 : 1);
		write_u16(&w, 1);
		write_u32(&w, 60);
		write_u16(&w, 4);
		write_u32(&w, 0x0a000010 + i);
	}
	return writer_len(&w);
}

static void addresses_are_read_from_frames(void)
{
	struct guest_answer a[ANSWERS_MAX];
	uint8_t frame[256];
	size_t len = arp(frame, 2, 0x0a000007);

	CU_ASSERT_EQUAL_FATAL(answers_read((struct bytes){ frame, len }, a), 1);
	CU_ASSERT_EQUAL(ip_u32(&a[0].ip), 0x0a000007);
	CU_ASSERT_EQUAL(a[0].kind, ANSWER_ARP);
	len = arp(frame, 1, 0x0a000007);
	CU_ASSERT_EQUAL(answers_read((struct bytes){ frame, len }, a), 0);
	len = dns(frame, 0x8180, 53);
	CU_ASSERT_EQUAL_FATAL(answers_read((struct bytes){ frame, len }, a), 2);
	CU_ASSERT_EQUAL(ip_u32(&a[0].ip), 0x0a000010);
	CU_ASSERT_EQUAL(ip_u32(&a[1].ip), 0x0a000012);
	CU_ASSERT_EQUAL(a[1].kind, ANSWER_DNS);
	for (size_t cut = 0; cut < len; cut++)
		CU_ASSERT(answers_read((struct bytes){ frame, cut }, a) <= 2);
	len = dns(frame, 0x0100, 53);
	CU_ASSERT_EQUAL(answers_read((struct bytes){ frame, len }, a), 0);
	len = dns(frame, 0x8180, 54);
	CU_ASSERT_EQUAL(answers_read((struct bytes){ frame, len }, a), 0);
}

static void a_name_that_is_an_address_names_nobody(void)
{
	static const uint8_t question[] = "\12C010000016\0\0\1\0\1";
	struct guest_answer a[ANSWERS_MAX];
	uint8_t frame[256], other[256];
	size_t len = dns(frame, 0x8180, 53), head = 14 + 20 + 8 + 12, tail = len - head - 9;

	memcpy(other, frame, head);
	memcpy(other + head, question, 16);
	memcpy(other + head + 16, frame + head + 9, tail);
	CU_ASSERT_EQUAL(answers_read((struct bytes){ other, head + 16 + tail }, a), 0);
	other[head + 5] = 'x';
	CU_ASSERT_EQUAL(answers_read((struct bytes){ other, head + 16 + tail }, a), 2);
}

static uint64_t judged(uint32_t ip, int owner, bool own, int64_t at_ns)
{
	struct answer_case c = { .answer = { ip_v4(ip), ANSWER_ARP }, .at_ns = at_ns, .own = own,
				 .resolved = owner >= 0 };

	if (owner >= 0)
		c.owner = node((unsigned)owner);
	check_answer(&judge, &beliefs, &net, &c, 100);
	return found.violations[ORACLE_ANSWERS];
}

static void a_grant_under_way_counts_and_one_that_never_came_only_for_the_dead(void)
{
	struct answer_case c = { .answer = { ip_v4(0x0a000007), ANSWER_ARP }, .resolved = true, .owner = node(1) };
	const int64_t from_ns = 100 + ANSWERS_WAIT_NS;

	begin();
	beliefs_set(&beliefs, &judge, from_ns, 1, node(1), net.id, &c.answer.ip, (struct fence){ 1, 0, 1 }, from_ns + 5);
	c.at_ns = 100;
	check_answer(&judge, &beliefs, &net, &c, 100);
	CU_ASSERT_EQUAL(found.violations[ORACLE_ANSWERS], 0);
	beliefs_granted(&beliefs, from_ns, 2, node(2), net.id, &c.answer.ip);
	c.owner = node(2);
	check_answer(&judge, &beliefs, &net, &c, 100);
	CU_ASSERT_EQUAL(found.violations[ORACLE_ANSWERS], 0);
	c.at_ns = 99;
	c.owner = node(1);
	check_answer(&judge, &beliefs, &net, &c, 100);
	CU_ASSERT_EQUAL(found.violations[ORACLE_ANSWERS], 1);
	c.excused = true;
	check_answer(&judge, &beliefs, &net, &c, 100);
	CU_ASSERT_EQUAL(found.violations[ORACLE_ANSWERS], 1);
	end();
}

static void answers_name_who_owned_a_little_while_ago(void)
{
	struct ip ip = ip_v4(0x0a000007);

	begin();
	beliefs_set(&beliefs, &judge, 1000, 1, node(1), net.id, &ip, (struct fence){ 1, 0, 1 }, 2000);
	CU_ASSERT_EQUAL(judged(0x0a000007, 1, false, 1500), 0);
	CU_ASSERT_EQUAL(judged(0x0a000007, 1, false, 2099), 0);
	CU_ASSERT_EQUAL(judged(0x0a000007, -1, false, 2099), 0);
	CU_ASSERT_EQUAL(judged(0x0a000001, -1, false, 5000), 0);	/* the gateway */
	CU_ASSERT_EQUAL(judged(0x0b000001, -1, false, 5000), 0);	/* another network */
	CU_ASSERT_EQUAL(judged(0x0a000009, -1, true, 5000), 0);		/* its own */
	CU_ASSERT_EQUAL(judged(0x0a000007, 1, false, 2101), 1);
	CU_ASSERT_EQUAL(judged(0x0a000007, 2, false, 1500), 2);
	CU_ASSERT_EQUAL(judged(0x0a000007, -1, false, 2101), 3);
	CU_ASSERT_EQUAL(judged(0x0a000009, -1, false, 1500), 4);
	end();
}

static void a_lease_asked_for_in_time_is_kept(void)
{
	struct kept_case good = { .ip = ip_v4(0x0a000007), .asked_ns = 0, .until_ns = KEPT_TIME_NS, .ran = true,
				  .majority = true, .quiet = true }, c;
	struct check_kept k = { 0 };

	begin();
	for (unsigned excuse = 0; excuse < 5; excuse++) {
		c = good;
		c.ran = excuse != 0;
		c.majority = excuse != 1;
		c.quiet = excuse != 2;
		c.asked_ns = excuse == 3 ? 1 : excuse == 4 ? INT64_MAX : 0;
		check_kept(&k, &judge, KEPT_TIME_NS, &c);
		CU_ASSERT_EQUAL(found.violations[ORACLE_KEPT], 0);
	}
	CU_ASSERT_EQUAL(k.excused, 5);
	c = good;
	check_kept(&k, &judge, KEPT_TIME_NS, &c);
	CU_ASSERT_EQUAL(found.violations[ORACLE_KEPT], 1);
	c.asked_ns = INT64_MAX;			/* it was told to renew, and did not even ask */
	c.keeps = true;
	check_kept(&k, &judge, KEPT_TIME_NS, &c);
	CU_ASSERT_EQUAL(found.violations[ORACLE_KEPT], 2);
	end();
}

CU_TestInfo check_answers_tests[] = {
	{ "addresses are read from frames", addresses_are_read_from_frames },
	{ "a name that is an address names nobody", a_name_that_is_an_address_names_nobody },
	{ "answers name who owned a little while ago", answers_name_who_owned_a_little_while_ago },
	{ "a grant under way counts, and one that never came only for the dead",
	  a_grant_under_way_counts_and_one_that_never_came_only_for_the_dead },
	{ "a lease asked for in time is kept", a_lease_asked_for_in_time_is_kept },
	CU_TEST_INFO_NULL
};
