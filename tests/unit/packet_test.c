/* What a frame says about itself is believed only where it is true; each lie has its own reason. */
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "core/vnet/packet.h"
#include "tests/unit/suites.h"

static const uint8_t A[MAC_BYTES] = { 2, 0, 0, 0, 0, 1 }, B[MAC_BYTES] = { 2, 0, 0, 0, 0, 2 };

struct made {
	uint8_t at[FRAME_MAX + 64];
	struct writer w;
	size_t len;
};

static struct ip four(unsigned last)
{
	return ip_v4(0x0afa0000 + last);
}

static struct ip six(unsigned last)
{
	return (struct ip){ .at = { 0xfd, 1, [15] = (uint8_t)last }, .family = 6 };
}

static void eth(struct made *m, unsigned type)
{
	m->w = writer_of(m->at, sizeof(m->at));
	build_eth(&m->w, B, A, (uint16_t)type);
}

static void udp(struct made *m, unsigned family, size_t len)
{
	struct ip a = family == 4 ? four(5) : six(5), b = family == 4 ? four(6) : six(6);
	struct build u;
	uint8_t *body;

	eth(m, family == 4 ? TYPE_IP4 : TYPE_IP6);
	u = build_udp(&m->w, &a, &b, 1000, 2000);
	body = write_space(&m->w, len);
	for (size_t i = 0; i < len; i++)
		body[i] = (uint8_t)(i * 13 + 1);
	build_done(&m->w, &u);
	CU_ASSERT_FALSE(m->w.bad);
	m->len = writer_len(&m->w);
}

static void tcp(struct made *m, unsigned family, size_t len)
{
	struct ip a = family == 4 ? four(5) : six(5), b = family == 4 ? four(6) : six(6);
	struct build u;

	eth(m, family == 4 ? TYPE_IP4 : TYPE_IP6);
	u = build_ip(&m->w, &a, &b, PROTO_TCP, 64);
	write_u16(&m->w, 1);
	write_u16(&m->w, 2);
	write_u64(&m->w, 77);
	write_u16(&m->w, 0x5002);
	write_u16(&m->w, 1000);
	write_u32(&m->w, 0);
	memset(write_space(&m->w, len), 9, len);
	build_done(&m->w, &u);
	m->len = writer_len(&m->w);
}

static enum drop reads_as(struct packet *p, const struct made *m, size_t len, const struct offload *o)
{
	uint8_t *exact = malloc(len ? len : 1);
	enum drop why;

	memcpy(exact, m->at, len);
	why = packet_read(p, (struct bytes){ exact, len }, o);
	free(exact);
	return why;
}

static enum drop reads(const struct made *m)
{
	struct packet p;

	return reads_as(&p, m, m->len, NULL);
}

static void put16(uint8_t *at, unsigned v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static void mend4(struct made *m)		/* the IPv4 header's checksum */
{
	uint8_t *h = m->at + ETH_HEADER;

	put16(h + 10, 0);
	put16(h + 10, sum_done(sum_add(0, h, (h[0] & 15u) * 4)));
}

static void what_is_built_reads_back(void)
{
	for (unsigned family = 4; family <= 6; family += 2) {
		for (size_t len = 0; len < 40; len++) {
			struct made m;
			struct packet p;

			udp(&m, family, len);
			CU_ASSERT_EQUAL(packet_read(&p, (struct bytes){ m.at, m.len }, NULL), DROP_NONE);
			CU_ASSERT_EQUAL(p.family, family);
			CU_ASSERT_EQUAL(p.proto, PROTO_UDP);
			CU_ASSERT_EQUAL(p.sport, 1000);
			CU_ASSERT_EQUAL(p.dport, 2000);
			CU_ASSERT_EQUAL(p.data.len, len);
			CU_ASSERT_PTR_EQUAL(p.data.at, m.at + m.len - len);
			CU_ASSERT_EQUAL(p.ttl, 64);
			CU_ASSERT_FALSE(p.group);
			tcp(&m, family, len);
			CU_ASSERT_EQUAL(packet_read(&p, (struct bytes){ m.at, m.len }, NULL), DROP_NONE);
			CU_ASSERT_EQUAL(p.data.len, len);
			CU_ASSERT_EQUAL(packet_read_ip(&p, (struct bytes){ m.at + 14, m.len - 14 }, NULL), DROP_NONE);
			CU_ASSERT_PTR_NULL(p.mac_to);
		}
	}
}

static void a_frame_cut_anywhere_is_refused(void)
{
	for (unsigned i = 0; i < 4; i++) {
		struct made m;
		struct packet p;

		if (i < 2)
			udp(&m, 4 + 2 * i, 100);
		else
			tcp(&m, 2 * i, 100);
		for (size_t len = 0; len < m.len; len++)
			CU_ASSERT_EQUAL(reads_as(&p, &m, len, NULL), DROP_SHORT);
	}
}

static void padding_behind_a_packet_is_cut_off(void)
{
	struct made m;
	struct packet p;

	udp(&m, 4, 4);
	memset(m.at + m.len, 0xee, 30);
	CU_ASSERT_EQUAL(reads_as(&p, &m, m.len + 30, NULL), DROP_NONE);
	CU_ASSERT_EQUAL(p.l3.len, 32);
	CU_ASSERT_EQUAL(p.data.len, 4);
}

static void lying_lengths_are_refused(void)
{
	struct made m;

	udp(&m, 4, 20);
	put16(m.at + ETH_HEADER + 2, 28 + 21);		/* IP says one byte more */
	mend4(&m);
	CU_ASSERT_EQUAL(reads(&m), DROP_SHORT);
	put16(m.at + ETH_HEADER + 2, 19);		/* less than its header */
	mend4(&m);
	CU_ASSERT_EQUAL(reads(&m), DROP_LENGTH);
	udp(&m, 4, 20);
	m.at[ETH_HEADER] = 0x44;			/* a header of 16 bytes */
	CU_ASSERT_EQUAL(reads(&m), DROP_LENGTH);
	udp(&m, 4, 20);
	put16(m.at + ETH_HEADER + 24, 27);		/* UDP leaves a byte out, takes one, is shorter than itself */
	CU_ASSERT_EQUAL(reads(&m), DROP_LENGTH);
	put16(m.at + ETH_HEADER + 24, 29);
	CU_ASSERT_EQUAL(reads(&m), DROP_LENGTH);
	put16(m.at + ETH_HEADER + 24, 7);
	CU_ASSERT_EQUAL(reads(&m), DROP_LENGTH);
	tcp(&m, 4, 8);
	m.at[ETH_HEADER + 32] = 0x40;			/* TCP header of 16 bytes */
	CU_ASSERT_EQUAL(reads(&m), DROP_LENGTH);
	m.at[ETH_HEADER + 32] = 0xf0;			/* of 60 */
	CU_ASSERT_EQUAL(reads(&m), DROP_LENGTH);
	udp(&m, 6, 20);
	put16(m.at + ETH_HEADER + 4, 29);
	CU_ASSERT_EQUAL(reads(&m), DROP_SHORT);
	udp(&m, 4, 20);
	put16(m.at + 12, 60);				/* 802.3 */
	CU_ASSERT_EQUAL(reads(&m), DROP_LENGTH);
}

static void every_wrong_bit_of_a_checksummed_packet_is_seen(void)
{
	struct made m;

	for (unsigned family = 4; family <= 6; family += 2) {
		unsigned none = 0;

		udp(&m, family, 16);
		for (size_t i = ETH_HEADER; i < m.len; i++)
			for (unsigned bit = 0; bit < 8; bit++) {
				m.at[i] ^= (uint8_t)(1 << bit);
				none += reads(&m) == DROP_NONE;
				m.at[i] ^= (uint8_t)(1 << bit);
			}
		/* IPv6 sums neither traffic class, flow label, hop limit nor a next header nobody knows */
		CU_ASSERT_EQUAL(none, family == 4 ? 0 : 8 + 20 + 8 + 7);
	}
}

static void a_checksum_left_to_the_kernel_is_not_checked_but_must_be_one(void)
{
	struct offload o = { .partial = 1, .checksum_start = ETH_HEADER + 20, .checksum_offset = 6 };
	struct made m;
	struct packet p;

	udp(&m, 4, 20);
	put16(m.at + ETH_HEADER + 26, 0x1234);
	CU_ASSERT_EQUAL(reads(&m), DROP_CHECKSUM);
	CU_ASSERT_EQUAL(reads_as(&p, &m, m.len, &o), DROP_NONE);
	CU_ASSERT_EQUAL(p.offload.checksum_start, 20);
	o.checksum_offset = 7;
	CU_ASSERT_EQUAL(reads_as(&p, &m, m.len, &o), DROP_VALUE);
	o.checksum_offset = 6, o.checksum_start = 3;
	CU_ASSERT_EQUAL(reads_as(&p, &m, m.len, &o), DROP_VALUE);
	o.checksum_start = UINT16_MAX;
	CU_ASSERT_EQUAL(reads_as(&p, &m, m.len, &o), DROP_VALUE);
	o = (struct offload){ .segment = 1000 };
	CU_ASSERT_EQUAL(reads_as(&p, &m, m.len, &o), DROP_CHECKSUM);
	udp(&m, 4, 20);
	CU_ASSERT_EQUAL(reads_as(&p, &m, m.len, &o), DROP_VALUE);	/* segments whose sums nobody fills in */
}

static void an_udp_packet_without_checksum_is_ipv4_only(void)
{
	struct made m;

	udp(&m, 4, 20);
	put16(m.at + ETH_HEADER + 26, 0);
	CU_ASSERT_EQUAL(reads(&m), DROP_NONE);
	udp(&m, 6, 20);
	put16(m.at + ETH_HEADER + 46, 0);
	CU_ASSERT_EQUAL(reads(&m), DROP_CHECKSUM);
}

static void tags_unknown_types_and_group_sources_are_refused(void)
{
	struct made m;

	udp(&m, 4, 20);
	put16(m.at + 12, TYPE_VLAN);
	CU_ASSERT_EQUAL(reads(&m), DROP_VLAN);
	put16(m.at + 12, TYPE_QINQ);
	CU_ASSERT_EQUAL(reads(&m), DROP_VLAN);
	put16(m.at + 12, 0x88cc);
	CU_ASSERT_EQUAL(reads(&m), DROP_ETHERTYPE);
	put16(m.at + 12, TYPE_IP4);
	m.at[6] |= 1;
	CU_ASSERT_EQUAL(reads(&m), DROP_VALUE);
	udp(&m, 4, 20);
	m.at[ETH_HEADER + 12] = 224;
	mend4(&m);
	CU_ASSERT_EQUAL(reads(&m), DROP_VALUE);
	m.at[ETH_HEADER + 12] = 127;
	mend4(&m);
	CU_ASSERT_EQUAL(reads(&m), DROP_VALUE);
	udp(&m, 4, 20);
	m.at[ETH_HEADER] = 0x65;
	CU_ASSERT_EQUAL(reads(&m), DROP_VALUE);
	udp(&m, 6, 20);
	m.at[ETH_HEADER + 8] = 0xff;
	CU_ASSERT_EQUAL(reads(&m), DROP_VALUE);
}

static void frames_up_to_nine_thousand_bytes_pass_and_larger_ones_do_not(void)
{
	struct made m;

	udp(&m, 4, 9000 - 28);
	CU_ASSERT_EQUAL(reads(&m), DROP_NONE);
	udp(&m, 4, 9216 - 28);
	CU_ASSERT_EQUAL(reads(&m), DROP_NONE);
	udp(&m, 4, 9217 - 28);
	CU_ASSERT_EQUAL(reads(&m), DROP_TOO_BIG);
}

/* An IPv4 header with @options (a multiple of 4) before an empty UDP packet */
static void with_options(struct made *m, const uint8_t *options, size_t len)
{
	udp(m, 4, 0);
	memmove(m->at + ETH_HEADER + 20 + len, m->at + ETH_HEADER + 20, 8);
	memcpy(m->at + ETH_HEADER + 20, options, len);
	m->at[ETH_HEADER] = (uint8_t)(0x45 + len / 4);
	put16(m->at + ETH_HEADER + 2, (unsigned)(28 + len));
	m->len += len;
	mend4(m);
}

static void ip_options_must_fit_and_source_routes_are_refused(void)
{
	static const struct {
		uint8_t at[8];
		size_t len;
		enum drop why;
	} CASES[] = {
		{ { 1, 1, 1, 0 }, 4, DROP_NONE },
		{ { 148, 4, 0, 0 }, 4, DROP_NONE },
		{ { 1, 1, 1, 7 }, 4, DROP_OPTION },		/* no room for its length */
		{ { 7, 0, 0, 0 }, 4, DROP_OPTION },		/* would never end */
		{ { 7, 1, 0, 0 }, 4, DROP_OPTION },
		{ { 7, 5, 4, 0 }, 4, DROP_OPTION },		/* past the header */
		{ { 131, 7, 4, 10, 250, 0, 9, 0 }, 8, DROP_OPTION },
		{ { 137, 7, 4, 10, 250, 0, 9, 0 }, 8, DROP_OPTION },
		{ { 68, 8, 5, 0, 1, 2, 3, 4 }, 8, DROP_NONE },
	};

	for (unsigned i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		struct made m;
		struct packet p;

		with_options(&m, CASES[i].at, CASES[i].len);
		CU_ASSERT_EQUAL(reads_as(&p, &m, m.len, NULL), CASES[i].why);
		CU_ASSERT_EQUAL(p.alert, CASES[i].at[0] == 148);
	}
}

static enum drop fragment4(unsigned word, size_t payload, uint8_t proto)
{
	struct made m;

	udp(&m, 4, payload - 8);
	put16(m.at + ETH_HEADER + 6, word);
	m.at[ETH_HEADER + 9] = proto;
	mend4(&m);
	return reads(&m);
}

static void fragments_that_fit_into_no_packet_are_refused(void)
{
	enum { MORE = 0x2000 };

	CU_ASSERT_EQUAL(fragment4(MORE, 64, PROTO_UDP), DROP_NONE);
	CU_ASSERT_EQUAL(fragment4(MORE, 65, PROTO_UDP), DROP_FRAGMENT);		/* not a multiple of 8 */
	CU_ASSERT_EQUAL(fragment4(8, 65, PROTO_UDP), DROP_NONE);
	CU_ASSERT_EQUAL(fragment4(8190, 65, PROTO_UDP), DROP_FRAGMENT);		/* past 65,535 */
	CU_ASSERT_EQUAL(fragment4(MORE, 16, PROTO_TCP), DROP_FRAGMENT);		/* RFC 1858: a tiny first one */
	CU_ASSERT_EQUAL(fragment4(1, 16, PROTO_TCP), DROP_FRAGMENT);		/* RFC 1858: overlays the flags */
	CU_ASSERT_EQUAL(fragment4(2, 16, PROTO_TCP), DROP_NONE);
}

/* An IPv6 packet of extension headers @ext (the first is of type @first) and 8 bytes of UDP */
static enum drop extended(struct packet *p, uint8_t first, const uint8_t *ext, size_t len)
{
	struct ip a = six(5), b = six(6);
	struct made m;
	struct build u;

	eth(&m, TYPE_IP6);
	u = build_ip(&m.w, &a, &b, first, 64);
	write_copy(&m.w, ext, len);
	write_u64(&m.w, 0x0001000200081234);
	u.proto = 0;				/* no checksum is filled in */
	build_done(&m.w, &u);
	m.len = writer_len(&m.w);
	return reads_as(p, &m, m.len, NULL);
}

static void extension_headers_are_walked_and_end(void)
{
	static const uint8_t ALERT[8] = { 17, 0, 5, 2, 0, 0, 1, 0 };
	static const uint8_t LONG[8] = { 17, 2 }, BAD[8] = { 17, 0, 5, 9 }, ROUTE[8] = { 17, 0, 0, 1 };
	static const uint8_t FIRST[8] = { 17, 0, 0, 1 }, LAST[8] = { 17, 0, 0, 8 };
	uint8_t many[10 * 8] = { 0 };
	struct packet p;

	CU_ASSERT_EQUAL(extended(&p, 0, ALERT, 8), DROP_CHECKSUM);	/* as far as UDP */
	CU_ASSERT_TRUE(p.alert);
	CU_ASSERT_EQUAL(p.header, 48);
	CU_ASSERT_EQUAL(extended(&p, 0, LONG, 8), DROP_SHORT);
	CU_ASSERT_EQUAL(extended(&p, 60, BAD, 8), DROP_OPTION);
	CU_ASSERT_EQUAL(extended(&p, 43, ROUTE, 8), DROP_OPTION);	/* type 0: source routing */
	CU_ASSERT_EQUAL(extended(&p, 44, FIRST, 8), DROP_NONE);
	CU_ASSERT_TRUE(p.more);
	CU_ASSERT_EQUAL(extended(&p, 44, LAST, 8), DROP_NONE);
	CU_ASSERT_EQUAL(p.fragment, 8);
	CU_ASSERT_EQUAL(p.l4.len, 0);
	for (unsigned i = 0; i < 10; i++)
		many[8 * i] = i < 9 ? 60 : 17;
	CU_ASSERT_EQUAL(extended(&p, 60, many, sizeof(many)), DROP_OPTION);
	many[0] = 0;
	CU_ASSERT_EQUAL(extended(&p, 60, many, 16), DROP_OPTION);	/* hop-by-hop not in front */
}

static void arp_is_ethernet_and_ipv4_or_nothing(void)
{
	struct ip a = four(5), b = four(6), group = ip_v4(0xe0000001);
	struct made m;
	struct packet p;

	m.w = writer_of(m.at, sizeof(m.at));
	build_arp(&m.w, mac_broadcast, 1, A, &a, B, &b);
	m.len = writer_len(&m.w);
	CU_ASSERT_EQUAL(packet_read(&p, (struct bytes){ m.at, m.len }, NULL), DROP_NONE);
	CU_ASSERT_TRUE(ip_eq(&p.src, &a) && ip_eq(&p.dst, &b) && mac_eq(p.arp_sha, A) && mac_eq(p.arp_tha, B));
	for (size_t len = 0; len < m.len; len++)
		CU_ASSERT_EQUAL(reads_as(&p, &m, len, NULL), DROP_SHORT);
	for (unsigned at = 0; at < 8; at++) {		/* hardware, protocol, lengths, operation */
		m.at[ETH_HEADER + at] ^= 0x40;
		CU_ASSERT_EQUAL(reads(&m), DROP_VALUE);
		m.at[ETH_HEADER + at] ^= 0x40;
	}
	m.w = writer_of(m.at, sizeof(m.at));
	build_arp(&m.w, mac_broadcast, 1, A, &group, B, &b);
	CU_ASSERT_EQUAL(reads(&m), DROP_VALUE);
}

static void a_mended_checksum_equals_a_new_one(void)
{
	uint8_t text[64];
	uint32_t x = 1;

	for (unsigned round = 0; round < 5000; round++) {
		uint16_t before, was, is;
		unsigned at;

		for (unsigned i = 0; i < sizeof(text); i++)
			text[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
		at = (x >> 8) % 32 * 2;
		was = (uint16_t)(text[at] << 8 | text[at + 1]);
		is = (uint16_t)(round % 7 ? x : round % 2 ? 0 : 0xffff);
		before = sum_done(sum_add(0, text, sizeof(text)));
		put16(text + at, is);
		CU_ASSERT_EQUAL(sum_update(before, was, is), sum_done(sum_add(0, text, sizeof(text))));
	}
}

static void a_building_that_finds_no_room_is_bad_and_writes_nothing_outside(void)
{
	struct ip a = four(5), b = four(6);

	for (size_t room = 0; room < 60; room++) {
		uint8_t *at = malloc(room ? room : 1);
		struct writer w = writer_of(at, room);
		struct build u;

		build_eth(&w, B, A, TYPE_IP4);
		u = build_udp(&w, &a, &b, 1, 2);
		write_u64(&w, 1);
		build_done(&w, &u);
		CU_ASSERT_EQUAL(w.bad, room < 50);
		free(at);
	}
}

static void groups_have_the_ethernet_addresses_of_their_rfcs(void)
{
	static const uint8_t MDNS[] = { 1, 0, 0x5e, 0, 0, 0xfb }, SOLICITED[] = { 0x33, 0x33, 0xff, 1, 2, 3 };
	struct ip a = { .at = { 0xfd, [13] = 1, 2, 3 }, .family = 6 }, s = ip_solicited(&a);
	struct ip mdns = ip_v4(0xe00000fb), all = ip_v4(UINT32_MAX);
	struct ip_range range = { ip_v4(0x0afa0000), 16 };
	struct ip last = ip_v4(0x0afaffff), other = ip_v4(0x0afa00ff);
	uint8_t mac[MAC_BYTES];

	mac_of_group(mac, &mdns);
	CU_ASSERT_TRUE(mac_eq(mac, MDNS));
	mac_of_group(mac, &s);
	CU_ASSERT_TRUE(mac_eq(mac, SOLICITED));
	mac_of_group(mac, &all);
	CU_ASSERT_TRUE(mac_eq(mac, mac_broadcast));
	CU_ASSERT_TRUE(ip_broadcast(&last, &range) && ip_broadcast(&all, &range) && !ip_broadcast(&other, &range));
}

CU_TestInfo packet_tests[] = {
	{ "what is built reads back, IPv4 and IPv6", what_is_built_reads_back },
	{ "a frame cut anywhere is refused", a_frame_cut_anywhere_is_refused },
	{ "padding behind a packet is cut off", padding_behind_a_packet_is_cut_off },
	{ "lying lengths are refused", lying_lengths_are_refused },
	{ "every wrong bit of a checksummed packet is seen", every_wrong_bit_of_a_checksummed_packet_is_seen },
	{ "a checksum left to the kernel is not checked, but must be one",
	  a_checksum_left_to_the_kernel_is_not_checked_but_must_be_one },
	{ "a UDP packet without a checksum is IPv4 only", an_udp_packet_without_checksum_is_ipv4_only },
	{ "tags, unknown types and group sources are refused", tags_unknown_types_and_group_sources_are_refused },
	{ "frames up to 9,000 bytes pass, larger ones do not",
	  frames_up_to_nine_thousand_bytes_pass_and_larger_ones_do_not },
	{ "IP options must fit, source routes are refused", ip_options_must_fit_and_source_routes_are_refused },
	{ "fragments that fit into no packet are refused", fragments_that_fit_into_no_packet_are_refused },
	{ "IPv6 extension headers are walked, and end", extension_headers_are_walked_and_end },
	{ "ARP is for Ethernet and IPv4 or nothing", arp_is_ethernet_and_ipv4_or_nothing },
	{ "a mended checksum equals a new one", a_mended_checksum_equals_a_new_one },
	{ "building without room is bad and writes nothing outside",
	  a_building_that_finds_no_room_is_bad_and_writes_nothing_outside },
	{ "groups have the Ethernet addresses of their RFCs", groups_have_the_ethernet_addresses_of_their_rfcs },
	CU_TEST_INFO_NULL,
};
