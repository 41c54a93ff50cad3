/* Who wants which group, as IGMP and MLD tell it; and frames of many segments cut into smaller ones. */
#include <string.h>

#include "core/vnet/path.h"
#include "tests/unit/suites.h"

static struct bytes done(struct writer *w, const struct build *b)
{
	build_done(w, b);
	return (struct bytes){ w->start, writer_len(w) };
}

static unsigned snoop(struct bytes ip, struct snooped *out, bool *query, enum drop *why)
{
	struct packet p;

	*query = false;
	*why = packet_read_ip(&p, ip, NULL);
	if (*why != DROP_NONE)
		return 0;
	CU_ASSERT_TRUE(snoop_told(&p));
	return snoop_read(&p, out, SNOOPED_MAX, query, why);
}

static struct bytes igmp(uint8_t buf[512], uint8_t type, struct bytes rest)
{
	struct ip from = ip_v4(0x0a000005), to = ip_v4(0xe0000016);
	struct writer w = writer_of(buf, 512);
	struct build b = build_ip(&w, &from, &to, PROTO_IGMP, 1);

	write_u8(&w, type);
	write_u8(&w, 0);
	write_u16(&w, 0);
	write_copy(&w, rest.at, rest.len);
	return done(&w, &b);
}

static struct bytes mld(uint8_t buf[512], uint8_t type, struct bytes rest, uint8_t hops)
{
	struct ip from = { .at = { 0xfe, 0x80, [15] = 1 }, .family = 6 }, to = { .at = { 0xff, 2, [15] = 0x16 }, .family = 6 };
	struct writer w = writer_of(buf, 512);
	struct build b = build_icmp(&w, &from, &to, hops, type, 0, rest.len >= 4 ? (uint32_t)rest.at[0] << 24 |
				    (uint32_t)rest.at[1] << 16 | (uint32_t)rest.at[2] << 8 | rest.at[3] : 0);

	write_copy(&w, rest.at + 4, rest.len - 4);
	return done(&w, &b);
}

static void igmp_of_all_versions_is_understood(void)
{
	static const uint8_t GROUP[] = { 239, 1, 2, 3 };
	static const uint8_t V3[] = {
		0, 0, 0, 5,
		4, 0, 0, 0, 239, 1, 2, 3,				/* to exclude nothing: joins */
		3, 0, 0, 0, 239, 1, 2, 4,				/* to include nothing: leaves */
		1, 1, 0, 1, 239, 1, 2, 5, 10, 0, 0, 1, 9, 9, 9, 9,	/* includes one source, auxiliary data */
		6, 0, 0, 1, 239, 1, 2, 6, 10, 0, 0, 1,			/* blocks one: neither */
		9, 0, 0, 0, 239, 1, 2, 7,				/* of no known kind */
	};
	struct bytes group = { GROUP, 4 };
	struct snooped s[SNOOPED_MAX];
	uint8_t buf[512];
	enum drop why;
	bool query;

	CU_ASSERT_EQUAL(snoop(igmp(buf, 0x16, group), s, &query, &why), 1);
	CU_ASSERT_TRUE(s[0].joins && s[0].group.at[0] == 239 && s[0].group.at[3] == 3);
	CU_ASSERT_EQUAL(snoop(igmp(buf, 0x12, group), s, &query, &why), 1);
	CU_ASSERT_TRUE(s[0].joins);
	CU_ASSERT_EQUAL(snoop(igmp(buf, 0x17, group), s, &query, &why), 1);
	CU_ASSERT_FALSE(s[0].joins);
	CU_ASSERT_EQUAL(snoop(igmp(buf, 0x11, group), s, &query, &why), 0);
	CU_ASSERT_TRUE(query);
	CU_ASSERT_EQUAL_FATAL(snoop(igmp(buf, 0x22, (struct bytes){ V3, sizeof(V3) }), s, &query, &why), 3);
	CU_ASSERT_TRUE(s[0].joins && s[0].group.at[3] == 3);
	CU_ASSERT_TRUE(!s[1].joins && s[1].group.at[3] == 4);
	CU_ASSERT_TRUE(s[2].joins && s[2].group.at[3] == 5);
}

static void mld_of_both_versions_is_understood(void)
{
	static const uint8_t V1[] = { 0, 0, 0, 0, 0xff, 0x0e, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9 };
	static const uint8_t V2[] = {
		0, 0, 0, 2,
		2, 0, 0, 0, 0xff, 0x0e, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9,
		3, 0, 0, 0, 0xff, 0x0e, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8,
	};
	struct snooped s[SNOOPED_MAX];
	uint8_t buf[512];
	enum drop why;
	bool query;

	CU_ASSERT_EQUAL(snoop(mld(buf, 131, (struct bytes){ V1, sizeof(V1) }, 1), s, &query, &why), 1);
	CU_ASSERT_TRUE(s[0].joins && s[0].group.at[15] == 9);
	CU_ASSERT_EQUAL(snoop(mld(buf, 132, (struct bytes){ V1, sizeof(V1) }, 1), s, &query, &why), 1);
	CU_ASSERT_FALSE(s[0].joins);
	CU_ASSERT_EQUAL(snoop(mld(buf, 143, (struct bytes){ V2, sizeof(V2) }, 1), s, &query, &why), 2);
	CU_ASSERT_TRUE(s[0].joins && !s[1].joins);
	CU_ASSERT_EQUAL(snoop(mld(buf, 143, (struct bytes){ V2, sizeof(V2) }, 64), s, &query, &why), 0);
	CU_ASSERT_EQUAL(why, DROP_RANGE);		/* came through a router: no neighbour said it */
}

static void reports_that_lie_about_their_length_are_refused(void)
{
	uint8_t body[64] = { 0, 0, 0, 3, 4, 0, 0, 0, 239, 1, 2, 3, 4, 0, 0xff, 0xff, 239, 1, 2, 4 };
	struct snooped s[SNOOPED_MAX];
	uint8_t buf[512];
	enum drop why;
	bool query;

	for (size_t len = 0; len < 24; len++) {
		CU_ASSERT_EQUAL(snoop(igmp(buf, 0x22, (struct bytes){ body, len }), s, &query, &why), 0);
		CU_ASSERT_NOT_EQUAL(why, DROP_NONE);
	}
	body[0] = body[1] = body[2] = body[3] = 0;	/* none at all is fine, a group that is none is not */
	CU_ASSERT_EQUAL(snoop(igmp(buf, 0x22, (struct bytes){ body, 4 }), s, &query, &why), 0);
	CU_ASSERT_EQUAL(why, DROP_NONE);
	CU_ASSERT_EQUAL(snoop(igmp(buf, 0x16, (struct bytes){ body + 20, 4 }), s, &query, &why), 0);
	CU_ASSERT_EQUAL(why, DROP_VALUE);
	CU_ASSERT_EQUAL(snoop(igmp(buf, 0x99, (struct bytes){ body, 4 }), s, &query, &why), 0);
	CU_ASSERT_EQUAL(why, DROP_MESSAGE);
}

static void our_queries_are_queries_to_others(void)
{
	struct ip from[] = { ip_v4(0x0a000001), { .at = { 0xfe, 0x80, [15] = 7 }, .family = 6 } };
	struct ip groups[] = {
		{ .family = 4 }, ip_v4(0xef010203), { .family = 6 }, { .at = { 0xff, 0x0e, [15] = 9 }, .family = 6 },
	};
	struct snooped s[SNOOPED_MAX];

	for (unsigned i = 0; i < 4; i++) {
		uint8_t buf[256];
		struct writer w = writer_of(buf, sizeof(buf));
		struct packet p;
		enum drop why;
		bool query;

		snoop_query(&w, &from[i / 2], &groups[i]);
		CU_ASSERT_FALSE_FATAL(w.bad);
		CU_ASSERT_EQUAL(packet_read_ip(&p, (struct bytes){ buf, writer_len(&w) }, NULL), DROP_NONE);
		CU_ASSERT_TRUE(p.group && p.ttl == 1);
		CU_ASSERT_EQUAL(snoop_read(&p, s, SNOOPED_MAX, &query, &why), 0);
		CU_ASSERT_TRUE(query);
	}
}

static void some_groups_are_never_asked_for(void)
{
	struct ip v6 = { .at = { 0xff, 2 }, .family = 6 };

	CU_ASSERT_TRUE(snoop_always(&(struct ip){ .at = { 224, 0, 0, 251 }, .family = 4 }));
	CU_ASSERT_TRUE(snoop_always(&(struct ip){ .at = { 255, 255, 255, 255 }, .family = 4 }));
	CU_ASSERT_TRUE(snoop_always(&(struct ip){ .at = { 10, 0, 255, 255 }, .family = 4 }));
	CU_ASSERT_FALSE(snoop_always(&(struct ip){ .at = { 239, 1, 2, 3 }, .family = 4 }));
	CU_ASSERT_FALSE(snoop_always(&(struct ip){ .at = { 224, 0, 1, 1 }, .family = 4 }));
	CU_ASSERT_TRUE(snoop_always(&v6));
	v6.at[1] = 0x12;			/* transient, of link-local scope */
	CU_ASSERT_TRUE(snoop_always(&v6));
	v6.at[1] = 0x0e;
	CU_ASSERT_FALSE(snoop_always(&v6));
}

/* ---- batches ---- */

static size_t big(uint8_t *buf, unsigned family, unsigned proto, size_t len)
{
	struct ip src = family == 4 ? ip_v4(0x0a000005) : (struct ip){ .at = { 0xfd, [15] = 5 }, .family = 6 };
	struct ip dst = family == 4 ? ip_v4(0x0a000006) : (struct ip){ .at = { 0xfd, [15] = 6 }, .family = 6 };
	struct writer w = writer_of(buf, 70000);
	struct build b = build_ip(&w, &src, &dst, (uint8_t)proto, 64);
	size_t header = proto == PROTO_TCP ? 32 : 8, l3 = family == 4 ? 20 : 40;
	uint8_t *l4 = write_space(&w, header + len);

	memset(l4, 0, header);
	l4[0] = 1, l4[1] = 2, l4[2] = 3, l4[3] = 4;
	if (proto == PROTO_TCP) {
		l4[4] = 0xff, l4[5] = 0xff, l4[6] = 0xff, l4[7] = 0xf0;	/* the sequence number wraps */
		l4[12] = 8 << 4;
		l4[13] = 0x80 | 0x10 | 8 | 1;				/* CWR ACK PSH FIN */
		l4[20] = l4[21] = 1, l4[22] = 8, l4[23] = 10;		/* NOP NOP timestamps */
	}
	for (size_t i = 0; i < len; i++)
		l4[header + i] = (uint8_t)(i * 31 >> 3);
	build_done(&w, &b);
	CU_ASSERT_EQUAL(writer_len(&w), l3 + header + len);
	return writer_len(&w);
}

static void batches_are_cut_and_nothing_of_them_is_lost(void)
{
	static const unsigned PROTO[] = { PROTO_TCP, PROTO_UDP };
	static uint8_t frame[70000], part[10000];

	for (unsigned n = 0; n < 4; n++) {
		unsigned family = n & 1 ? 6 : 4, proto = PROTO[n / 2], parts = 0;
		size_t l3 = family == 4 ? 20 : 40, header = proto == PROTO_TCP ? 32 : 8, at = 0, data = 40000;
		size_t len = big(frame, family, proto, data);
		struct offload o = {
			.segment = 1300, .partial = 1, .checksum_start = (uint16_t)l3,
			.checksum_offset = proto == PROTO_TCP ? 16 : 6,
		}, out = o;
		struct packet p, q;
		struct batch b;
		struct bytes piece = { part, 0 };

		out.segment = 0;
		CU_ASSERT_EQUAL_FATAL(packet_read_ip(&p, (struct bytes){ frame, len }, &o), DROP_NONE);
		CU_ASSERT_TRUE_FATAL(batch_begin(&b, &p, 9000));
		while ((piece.len = batch_next(&b, part))) {
			uint32_t seq;

			CU_ASSERT_EQUAL_FATAL(packet_read_ip(&q, piece, &out), DROP_NONE);
			CU_ASSERT_EQUAL(q.data.len, piece.len - l3 - header);
			CU_ASSERT_EQUAL(memcmp(part + l3 + header, frame + l3 + header + at, piece.len - l3 - header), 0);
			if (proto == PROTO_TCP) {
				seq = (uint32_t)q.l4.at[4] << 24 | (uint32_t)q.l4.at[5] << 16 | (uint32_t)q.l4.at[6] << 8 |
				      q.l4.at[7];
				CU_ASSERT_EQUAL(seq, (uint32_t)(0xfffffff0u + at));
				CU_ASSERT_EQUAL(!!(q.l4.at[13] & 0x80), at == 0);
				CU_ASSERT_EQUAL(q.l4.at[13] & 9, at + q.data.len == data ? 9 : 0);	/* PSH, FIN */
				CU_ASSERT_TRUE(q.l4.at[13] & 0x10);
			}
			if (family == 4)
				CU_ASSERT_EQUAL(part[4] << 8 | part[5], (frame[4] << 8 | frame[5]) + parts);
			sum_fill(part, piece.len, &out);
			CU_ASSERT_EQUAL(packet_read_ip(&q, piece, NULL), DROP_NONE);
			CU_ASSERT_EQUAL(piece.len - l3 - header, data - at < 1300 ? data - at : 1300);
			at += piece.len - l3 - header;
			parts++;
		}
		CU_ASSERT_EQUAL(at, data);
		CU_ASSERT_EQUAL(parts, (data + 1300 - 1) / 1300);
	}
}

static void what_is_no_batch_is_not_cut(void)
{
	static uint8_t frame[70000];
	size_t len = big(frame, 4, PROTO_TCP, 20000);
	struct offload o = { .segment = 1300, .partial = 1, .checksum_start = 20, .checksum_offset = 16 };
	struct packet p;
	struct batch b;

	CU_ASSERT_EQUAL_FATAL(packet_read_ip(&p, (struct bytes){ frame, len }, &o), DROP_NONE);
	CU_ASSERT_TRUE(batch_begin(&b, &p, 9000));
	CU_ASSERT_TRUE(batch_begin(&b, &p, 20 + 32 + 1300));
	CU_ASSERT_FALSE(batch_begin(&b, &p, 20 + 32 + 1299));	/* not one segment fits */
	p.offload.segment = 20;
	CU_ASSERT_TRUE(batch_begin(&b, &p, 9000));
	p.offload.segment = 19;					/* 1,053 of them */
	CU_ASSERT_FALSE(batch_begin(&b, &p, 9000));
	CU_ASSERT_EQUAL_FATAL(packet_read_ip(&p, (struct bytes){ frame, big(frame, 4, PROTO_TCP, 0) }, &o), DROP_NONE);
	CU_ASSERT_FALSE(batch_begin(&b, &p, 9000));		/* headers alone would never come to an end */
	CU_ASSERT_EQUAL_FATAL(packet_read_ip(&p, (struct bytes){ frame, big(frame, 4, PROTO_TCP, 20000) }, &o), DROP_NONE);
	p.offload.segment = 0;
	CU_ASSERT_FALSE(batch_begin(&b, &p, 9000));
	p.offload.segment = 1300;
	p.proto = PROTO_ICMP;
	CU_ASSERT_FALSE(batch_begin(&b, &p, 9000));
}

/* ---- words between nodes ---- */

static void words_about_addresses_survive_the_wire(void)
{
	struct address_word a = { .ip = ip_v4(0x0a000005), .fence = { 3, 1, 77 } }, b;
	uint8_t buf[PAYLOAD_ADDRESS_MAX];

	for (unsigned n = 0; n < 4; n++) {
		struct writer w = writer_of(buf, sizeof(buf));
		struct reader r;

		if (n & 1)
			a.ip = (struct ip){ .at = { 0xfd, [15] = 1 }, .family = 6 };
		a.has_owner = n >= 2;
		a.owner = a.has_owner ? (struct id){ 5, 6 } : ID_ZERO;
		address_word_write(&w, PAYLOAD_NOT_HERE, &a);
		CU_ASSERT_FALSE_FATAL(w.bad);
		r = reader_of(buf, writer_len(&w));
		CU_ASSERT_EQUAL(read_u8(&r), PAYLOAD_NOT_HERE);
		CU_ASSERT_TRUE(address_word_read(&r, &b));
		CU_ASSERT_TRUE(ip_eq(&a.ip, &b.ip) && !fence_cmp(a.fence, b.fence) && a.has_owner == b.has_owner);
		CU_ASSERT_TRUE(id_eq(a.owner, b.owner));
		for (size_t len = 1; len < writer_len(&w); len++) {
			r = reader_of(buf + 1, len - 1);
			CU_ASSERT_TRUE(!address_word_read(&r, &b) || (a.has_owner && len == writer_len(&w) - ID_BYTES));
		}
	}
}

CU_TestInfo multicast_tests[] = {
	{ "IGMP of all versions is understood", igmp_of_all_versions_is_understood },
	{ "MLD of both versions is understood", mld_of_both_versions_is_understood },
	{ "reports that lie about their length are refused", reports_that_lie_about_their_length_are_refused },
	{ "our queries are queries to others", our_queries_are_queries_to_others },
	{ "some groups are never asked for", some_groups_are_never_asked_for },
	{ "batches are cut, and nothing of them is lost", batches_are_cut_and_nothing_of_them_is_lost },
	{ "what is no batch is not cut", what_is_no_batch_is_not_cut },
	{ "words about addresses survive the wire", words_about_addresses_survive_the_wire },
	CU_TEST_INFO_NULL
};
