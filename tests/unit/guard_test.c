/* The firewall: who may begin what with a guest, and that answers always come back. */
#include "tests/unit/suites.h"
#include "tests/unit/vnet_lab.h"

enum { PEER = 8, SYN = 2, ACK = 16, FIN = 1, RST = 4 };

static struct ip host(void)
{
	return lab_ip(10, 250, 2, 2);
}

static struct ip far(void)
{
	return lab_ip(10, 250, 7, 7);
}

static void begin(struct lab *l, const char *rules)
{
	lab_open(l, MODEL_INTERFACE, 5);
	if (rules)
		lab_rules(l, rules);
	lab_static(l, lab_host, host());
	lab_static(l, lab_host, lab_ip6(22));
	lab_forget(l);
}

static struct writer *tcp(struct lab_buf *b, const uint8_t *to, const uint8_t *from, struct ip src, struct ip dst,
			  uint16_t sport, uint16_t dport, uint8_t flags)
{
	struct build s;

	b->w = writer_of(b->at, sizeof(b->at));
	if (to)
		build_eth(&b->w, to, from, src.family == 6 ? TYPE_IP6 : TYPE_IP4);
	s = build_ip(&b->w, &src, &dst, PROTO_TCP, 64);
	write_u16(&b->w, sport);
	write_u16(&b->w, dport);
	write_u32(&b->w, 1);
	write_u32(&b->w, 1);
	write_u8(&b->w, 0x50);
	write_u8(&b->w, flags);
	write_u16(&b->w, 1000);
	write_u32(&b->w, 0);			/* checksum, urgent pointer */
	build_done(&b->w, &s);
	return &b->w;
}

static struct writer *icmp(struct lab_buf *b, const uint8_t *to, const uint8_t *from, struct ip src, struct ip dst,
			   uint8_t type, uint16_t id, struct bytes data)
{
	struct build s;

	b->w = writer_of(b->at, sizeof(b->at));
	if (to)
		build_eth(&b->w, to, from, src.family == 6 ? TYPE_IP6 : TYPE_IP4);
	s = build_icmp(&b->w, &src, &dst, 64, type, 0, (uint32_t)id << 16 | 1);
	write_copy(&b->w, data.at, data.len);
	build_done(&b->w, &s);
	return &b->w;
}

/* Did the IP packet in @w from the overlay reach the guest? */
static bool came(struct lab *l, const struct writer *w)
{
	unsigned before = lab_outs(l);

	lab_payload(l, PEER, w);
	return lab_outs(l) > before;
}

static bool udp_came(struct lab *l, uint16_t sport, uint16_t dport)
{
	struct lab_buf b;

	return came(l, lab_udp(&b, NULL, NULL, far(), host(), sport, dport, 20));
}

static bool tcp_came(struct lab *l, uint16_t sport, uint16_t dport, uint8_t flags)
{
	struct lab_buf b;

	return came(l, tcp(&b, NULL, NULL, far(), host(), sport, dport, flags));
}

static void tcp_goes(struct lab *l, uint16_t sport, uint16_t dport, uint8_t flags)
{
	struct lab_buf b;

	lab_frame_of(l, tcp(&b, l->mac, lab_host, host(), far(), sport, dport, flags), NULL);
}

static void udp_goes(struct lab *l, uint16_t sport, uint16_t dport)
{
	struct lab_buf b;

	lab_frame_of(l, lab_udp(&b, l->mac, lab_host, host(), far(), sport, dport, 20), NULL);
}

static bool pinged(struct lab *l, uint8_t type, uint16_t id)
{
	struct lab_buf b;

	return came(l, icmp(&b, NULL, NULL, far(), host(), type, id, (struct bytes){ (const uint8_t *)"abcd", 4 }));
}

/* ---- rules as text ---- */

static int rules_of(const char *text, struct guard_rule *out, struct guard_wrong *wrong)
{
	return guard_read((struct bytes){ (const uint8_t *)text, strlen(text) }, out, wrong);
}

static void a_rule_is_read_and_written_as_it_was(void)
{
	static const char *const RULE[] = {
		"allow any", "deny any", "allow icmp", "deny tcp", "allow udp", "allow tcp 22", "deny udp 1-65535",
		"allow tcp 5000-5999", "allow tcp 22 from admins", "allow icmp from ops", "deny any from visitors",
		"deny tcp 22-23 from a",
	};
	struct guard_rule r[GUARD_RULES];
	struct guard_wrong wrong;
	char buf[200], all[2000] = "";

	for (unsigned i = 0; i < sizeof(RULE) / sizeof(*RULE); i++) {
		struct writer w = writer_of(buf, sizeof(buf));

		CU_ASSERT_EQUAL_FATAL(rules_of(RULE[i], r, &wrong), 1);
		guard_write(r, &w);
		CU_ASSERT_TRUE(writer_len(&w) == strlen(RULE[i]) && !memcmp(buf, RULE[i], writer_len(&w)));
		strcat(all, RULE[i]);
		strcat(all, i % 2 ? ";" : " ;\t\n");
	}
	CU_ASSERT_EQUAL(rules_of(all, r, &wrong), (int)(sizeof(RULE) / sizeof(*RULE)));
	CU_ASSERT_EQUAL(rules_of("", r, &wrong), 0);
	CU_ASSERT_EQUAL(rules_of(" ;; ; ", r, &wrong), 0);
}

static void what_is_no_rule_is_refused_at_its_word(void)
{
	static const struct { const char *text, *word; } BAD[] = {
		{ "permit any", "permit" }, { "allow", "" }, { "allow sctp", "sctp" }, { "allow icmp 8", "8" },
		{ "allow any 22", "22" }, { "allow tcp 0", "0" }, { "allow tcp 65536", "65536" }, { "allow tcp 99999999999", "99999999999" },
		{ "allow tcp 30-20", "30-20" }, { "allow tcp 20-", "20-" }, { "allow tcp -20", "-20" }, { "allow tcp ssh", "ssh" },
		{ "allow tcp 22x", "22x" }, { "allow tcp 22 from", "" }, { "allow tcp 22 from a b", "b" },
		{ "allow icmp; deny", "" }, { "allow tcp 22 23", "23" }, { "allow icmp\nallow tcp", "allow" }, { "ALLOW any", "ALLOW" },
	};
	struct guard_rule r[GUARD_RULES];
	struct guard_wrong wrong;
	char many[20 * (GUARD_RULES + 1)] = "";

	for (unsigned i = 0; i < sizeof(BAD) / sizeof(*BAD); i++) {
		CU_ASSERT_EQUAL(rules_of(BAD[i].text, r, &wrong), -1);
		CU_ASSERT_TRUE(wrong.word.len == strlen(BAD[i].word) && !memcmp(wrong.word.at, BAD[i].word, wrong.word.len));
		CU_ASSERT_PTR_NOT_NULL(wrong.what);
	}
	for (unsigned i = 0; i < GUARD_RULES; i++)
		strcat(many, "allow any;");
	CU_ASSERT_EQUAL(rules_of(many, r, &wrong), GUARD_RULES);
	strcat(many, "deny any");
	CU_ASSERT_EQUAL(rules_of(many, r, &wrong), -1);
}

/* ---- what comes in ---- */

static void without_rules_everything_comes_in_and_nothing_is_kept(void)
{
	struct look_guard look;
	struct lab l;
	uint32_t before;

	begin(&l, NULL);
	before = lab_bytes(&l);
	tcp_goes(&l, 1000, 80, SYN);
	CU_ASSERT_TRUE(udp_came(&l, 1, 2) && tcp_came(&l, 1, 22, SYN) && pinged(&l, 8, 1));
	CU_ASSERT_EQUAL(lab_bytes(&l), before);
	CU_ASSERT_FALSE(lab_guard(&l, &look));
	lab_shut(&l);
}

static void the_first_rule_that_fits_decides(void)
{
	struct look_guard look;
	struct lab l;

	begin(&l, "deny tcp 25; allow tcp 20-29; allow icmp; allow udp 53; deny any");
	CU_ASSERT_TRUE(tcp_came(&l, 9, 22, SYN));
	CU_ASSERT_TRUE(tcp_came(&l, 9, 20, SYN) && tcp_came(&l, 9, 29, SYN));
	CU_ASSERT_FALSE(tcp_came(&l, 9, 25, SYN));
	CU_ASSERT_FALSE(tcp_came(&l, 9, 19, SYN) || tcp_came(&l, 9, 30, SYN));
	CU_ASSERT_FALSE(tcp_came(&l, 22, 99, SYN));			/* the sender's port is no port of a rule */
	CU_ASSERT_FALSE(tcp_came(&l, 9, 53, SYN));
	CU_ASSERT_TRUE(udp_came(&l, 9, 53));
	CU_ASSERT_FALSE(udp_came(&l, 9, 22));
	CU_ASSERT_TRUE(pinged(&l, 8, 1));
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_GUARD), 6);
	CU_ASSERT_TRUE_FATAL(lab_guard(&l, &look));
	CU_ASSERT_TRUE(look.rules == 5 && look.hits[0] == 1 && look.hits[1] == 3 && look.hits[2] == 1 && look.hits[3] == 1 &&
		       look.hits[4] == 5 && look.others == 0 && look.answers == 0 && look.flows == 0);
	lab_shut(&l);
	begin(&l, "deny tcp 25");
	CU_ASSERT_TRUE(udp_came(&l, 9, 25) && tcp_came(&l, 9, 26, SYN));
	CU_ASSERT_TRUE(lab_guard(&l, &look) && look.others == 2);
	lab_shut(&l);
}

static void groups_are_those_of_the_certificate_that_the_tunnel_proved(void)
{
	static const char *const ADMINS[] = { "staff", "admins" }, *const OTHERS[] = { "admin", "adminss" };
	struct lab_buf b;
	struct lab l;

	begin(&l, "allow tcp 22 from admins; allow udp 5353 from admins; deny any");
	CU_ASSERT_FALSE(tcp_came(&l, 9, 22, SYN));			/* nobody knows who it is */
	lab_tunnel(&l, PEER, TUNNEL_UP, OTHERS, 2);
	CU_ASSERT_FALSE(tcp_came(&l, 9, 22, SYN));
	lab_tunnel(&l, PEER + 1, TUNNEL_UP, ADMINS, 2);
	CU_ASSERT_FALSE(tcp_came(&l, 9, 22, SYN));			/* another one is */
	lab_tunnel(&l, PEER, TUNNEL_UP, ADMINS, 2);
	CU_ASSERT_TRUE(tcp_came(&l, 9, 22, SYN));
	CU_ASSERT_FALSE(tcp_came(&l, 9, 23, SYN));
	lab_tunnel(&l, PEER, TUNNEL_UP, NULL, 0);			/* a new certificate without it */
	CU_ASSERT_FALSE(tcp_came(&l, 9, 22, SYN));
	lab_tunnel(&l, PEER, TUNNEL_UP, ADMINS, 2);
	CU_ASSERT_TRUE(tcp_came(&l, 9, 22, SYN));
	lab_tunnel(&l, PEER, TUNNEL_DOWN, NULL, 0);
	CU_ASSERT_FALSE(tcp_came(&l, 9, 22, SYN));
	lab_tunnel(&l, PEER, TUNNEL_UP, ADMINS, 2);
	lab_udp(&b, NULL, NULL, far(), lab_ip(224, 0, 0, 251), 5353, 5353, 40);
	CU_ASSERT_EQUAL(lab_flood(&l, PEER, &b.w), DROP_GUARD);		/* a broadcast proves nothing */
	for (uint64_t i = 100; i < 400; i++)
		lab_tunnel(&l, i, TUNNEL_UP, ADMINS, 2);
	for (uint64_t i = 100; i < 400; i++)
		lab_tunnel(&l, i, TUNNEL_DOWN, NULL, 0);
	CU_ASSERT_TRUE(tcp_came(&l, 9, 22, SYN));
	lab_shut(&l);
}

static void answers_to_our_guests_come_in_whatever_the_rules_say(void)
{
	struct look_guard look;
	struct lab_buf b;
	struct lab l;

	begin(&l, "deny any");
	CU_ASSERT_FALSE(tcp_came(&l, 80, 1000, SYN | ACK));
	tcp_goes(&l, 1000, 80, SYN);
	CU_ASSERT_TRUE(tcp_came(&l, 80, 1000, SYN | ACK));
	CU_ASSERT_FALSE(tcp_came(&l, 80, 1001, SYN | ACK) || tcp_came(&l, 81, 1000, SYN | ACK));
	CU_ASSERT_FALSE(udp_came(&l, 80, 1000));
	CU_ASSERT_FALSE(came(&l, tcp(&b, NULL, NULL, lab_ip(10, 250, 7, 8), host(), 80, 1000, ACK)));
	udp_goes(&l, 1000, 53);
	CU_ASSERT_TRUE(udp_came(&l, 53, 1000));
	CU_ASSERT_FALSE(udp_came(&l, 54, 1000));
	lab_frame_of(&l, icmp(&b, l.mac, lab_host, host(), far(), 8, 77, (struct bytes){ (const uint8_t *)"abcd", 4 }), NULL);
	CU_ASSERT_TRUE(pinged(&l, 0, 77));
	CU_ASSERT_FALSE(pinged(&l, 0, 78));
	CU_ASSERT_TRUE(lab_guard(&l, &look) && look.answers == 3 && look.flows == 3);
	lab_shut(&l);
}

static void errors_about_our_packets_come_in_and_about_others_do_not(void)
{
	struct lab_buf ours, b;
	struct lab l;
	struct ip router = lab_ip(10, 250, 7, 99);

	begin(&l, "deny any");
	udp_goes(&l, 1000, 53);
	lab_udp(&ours, NULL, NULL, host(), far(), 1000, 53, 20);
	for (uint8_t type = 0; type < 20; type++) {
		struct bytes quote = { ours.at, IP4_HEADER + 8 };
		bool error = type == 3 || type == 11 || type == 12;

		CU_ASSERT_EQUAL(came(&l, icmp(&b, NULL, NULL, router, host(), type, 0, quote)), error);
		quote.len--;
		CU_ASSERT_FALSE(came(&l, icmp(&b, NULL, NULL, router, host(), type, 0, quote)));
	}
	lab_udp(&ours, NULL, NULL, host(), far(), 1000, 54, 20);
	CU_ASSERT_FALSE(came(&l, icmp(&b, NULL, NULL, router, host(), 3, 0, (struct bytes){ ours.at, 28 })));
	lab_udp(&ours, NULL, NULL, far(), host(), 53, 1000, 20);
	CU_ASSERT_FALSE(came(&l, icmp(&b, NULL, NULL, router, host(), 3, 0, (struct bytes){ ours.at, 28 })));
	lab_shut(&l);
}

static void ipv6_is_no_other_world(void)
{
	struct lab_buf b, q;
	struct lab l;
	struct ip six = lab_ip6(22), there = lab_ip6(77);
	const struct bytes none = { NULL, 0 };

	begin(&l, "allow icmp; allow tcp 22; deny any");
	CU_ASSERT_TRUE(came(&l, icmp(&b, NULL, NULL, there, six, 128, 1, none)));
	CU_ASSERT_TRUE(came(&l, tcp(&b, NULL, NULL, there, six, 9, 22, SYN)));
	CU_ASSERT_FALSE(came(&l, tcp(&b, NULL, NULL, there, six, 9, 23, SYN)));
	lab_frame_of(&l, tcp(&b, l.mac, lab_host, six, there, 23, 9, SYN), NULL);
	CU_ASSERT_TRUE(came(&l, tcp(&b, NULL, NULL, there, six, 9, 23, SYN | ACK)));
	lab_shut(&l);
	begin(&l, "deny any");
	lab_frame_of(&l, tcp(&b, l.mac, lab_host, six, there, 23, 9, SYN), NULL);
	tcp(&q, NULL, NULL, six, there, 23, 9, SYN);
	CU_ASSERT_TRUE(came(&l, icmp(&b, NULL, NULL, there, six, 1, 0, (struct bytes){ q.at, IP6_HEADER + 20 })));
	CU_ASSERT_FALSE(came(&l, icmp(&b, NULL, NULL, there, six, 128, 0, (struct bytes){ q.at, IP6_HEADER + 20 })));
	lab_shut(&l);
}

static void a_silent_flow_is_forgotten_and_an_ended_one_soon(void)
{
	struct lab l;

	begin(&l, "deny any");
	lab_leased(&l, lab_host, host());
	udp_goes(&l, 1000, 53);
	tcp_goes(&l, 1000, 80, SYN);
	tcp_goes(&l, 1001, 80, SYN);
	for (unsigned i = 0; i < 3; i++) {
		lab_wait(&l, 119 * LAB_S);
		CU_ASSERT_TRUE(udp_came(&l, 53, 1000));		/* each packet of it keeps it */
	}
	CU_ASSERT_TRUE(tcp_came(&l, 80, 1001, FIN | ACK));
	lab_wait(&l, 121 * LAB_S);
	CU_ASSERT_FALSE(udp_came(&l, 53, 1000));
	CU_ASSERT_TRUE(tcp_came(&l, 80, 1000, ACK));
	CU_ASSERT_TRUE(tcp_came(&l, 80, 1001, ACK));
	lab_wait(&l, 241 * LAB_S);
	CU_ASSERT_FALSE(tcp_came(&l, 80, 1001, ACK));
	CU_ASSERT_TRUE(tcp_came(&l, 80, 1000, ACK));
	lab_wait(&l, 7441 * LAB_S);
	CU_ASSERT_FALSE(tcp_came(&l, 80, 1000, ACK));
	lab_shut(&l);
}

static void a_full_table_forgets_the_oldest_flows_and_stays_of_its_size(void)
{
	struct look_guard look;
	struct lab l;
	unsigned still = 0;
	uint32_t bytes;

	begin(&l, "deny any");
	udp_goes(&l, 1, 53);
	bytes = lab_bytes(&l);
	for (unsigned i = 0; i < 20000; i++)
		udp_goes(&l, (uint16_t)(2000 + i), 53);
	CU_ASSERT_EQUAL(lab_bytes(&l), bytes);
	CU_ASSERT_TRUE(lab_guard(&l, &look) && look.flows <= GUARD_FLOWS && look.flows > GUARD_FLOWS * 3 / 4);
	lab_forget(&l);
	for (unsigned i = 19900; i < 20000; i++) {
		still += udp_came(&l, 53, (uint16_t)(2000 + i));
		lab_forget(&l);
	}
	CU_ASSERT_EQUAL(still, 100);
	lab_shut(&l);
}

static void later_fragments_pass_and_first_ones_are_judged(void)
{
	struct lab_buf b;
	struct lab l;

	begin(&l, "deny any");
	lab_udp(&b, NULL, NULL, far(), host(), 1, 2, 20);
	b.at[6] = 0x20;				/* more fragments */
	b.at[10] = b.at[11] = 0;
	b.w.at -= 4;				/* 24 bytes of it */
	b.at[3] = (uint8_t)(b.at[3] - 4);
	{
		uint16_t sum = sum_done(sum_add(0, b.at, IP4_HEADER));

		b.at[10] = (uint8_t)(sum >> 8);
		b.at[11] = (uint8_t)sum;
	}
	CU_ASSERT_FALSE(came(&l, &b.w));
	CU_ASSERT_EQUAL(lab_drops(&l, DROP_GUARD), 1);
	lab_shut(&l);
}

CU_TestInfo guard_tests[] = {
	{ "a rule is read and written as it was", a_rule_is_read_and_written_as_it_was },
	{ "what is no rule is refused at its word", what_is_no_rule_is_refused_at_its_word },
	{ "without rules everything comes in and nothing is kept", without_rules_everything_comes_in_and_nothing_is_kept },
	{ "the first rule that fits decides", the_first_rule_that_fits_decides },
	{ "groups are those of the certificate that the tunnel proved",
	  groups_are_those_of_the_certificate_that_the_tunnel_proved },
	{ "answers to our guests come in whatever the rules say", answers_to_our_guests_come_in_whatever_the_rules_say },
	{ "errors about our packets come in, and about others do not",
	  errors_about_our_packets_come_in_and_about_others_do_not },
	{ "IPv6 is no other world", ipv6_is_no_other_world },
	{ "a silent flow is forgotten, and an ended one soon", a_silent_flow_is_forgotten_and_an_ended_one_soon },
	{ "a full table forgets the oldest flows and stays of its size",
	  a_full_table_forgets_the_oldest_flows_and_stays_of_its_size },
	{ "later fragments pass, and first ones are judged", later_fragments_pass_and_first_ones_are_judged },
	CU_TEST_INFO_NULL
};
