/* ON: core/base WITH: node/train.c core/vnet/packet.c core/vnet/batch.c core/vnet/build.c
 *
 * Large frames of core's cutting are put together again: the same bytes come out,
 * whatever was in them, and nothing is put together that was not one frame.
 */
#include "node/train.h"

#include <string.h>

#include "core/vnet/path.h"
#include "tests/unit/suites.h"

enum { MOST = 64, ROOM = 2000 };

static uint8_t whole[70000], out_bytes[70000], bytes[4 * MOST][ROOM];
static struct frame frames[4 * MOST];

static void put16(uint8_t *at, size_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

/* An Ethernet frame with @data bytes of TCP or UDP, its sum the pseudo header's, in @whole. */
static size_t make(unsigned family, unsigned proto, size_t data, uint16_t port, uint8_t flags)
{
	struct ip src = family == 4 ? ip_v4(0x0a000005) : (struct ip){ .at = { 0xfd, [15] = 5 }, .family = 6 };
	struct ip dst = family == 4 ? ip_v4(0x0a000006) : (struct ip){ .at = { 0xfd, [15] = 6 }, .family = 6 };
	size_t header = proto == PROTO_TCP ? 32 : 8;
	struct writer w = writer_of(whole, sizeof(whole));
	struct build b;
	uint8_t *l4;

	build_eth(&w, (const uint8_t[6]){ 2, 1 }, (const uint8_t[6]){ 2, 2 }, family == 4 ? TYPE_IP4 : TYPE_IP6);
	b = build_ip(&w, &src, &dst, (uint8_t)proto, 63);
	l4 = write_space(&w, header + data);
	memset(l4, 0, header);
	put16(l4, port);
	put16(l4 + 2, 80);
	if (proto == PROTO_TCP) {
		put16(l4 + 4, 0xffff);			/* the sequence number wraps */
		put16(l4 + 6, 0xf000);
		put16(l4 + 8, 0x1234);
		l4[12] = 8 << 4;
		l4[13] = flags;
		put16(l4 + 14, 5000);
		memcpy(l4 + 20, (const uint8_t[12]){ 1, 1, 8, 10, 9, 8, 7, 6, 5, 4, 3, 2 }, 12);
	}
	for (size_t i = 0; i < data; i++)
		l4[header + i] = (uint8_t)(i * 31 >> 3);
	build_done(&w, &b);
	put16(l4 + (proto == PROTO_TCP ? 16 : 6), (uint16_t)~sum_done(sum_pseudo(&src, &dst, (uint8_t)proto, header + data)));
	return writer_len(&w);
}

/* @whole, of @len bytes, cut by core and put into frames from number @at on; @sums: filled in. Returns how many. */
static unsigned cut(unsigned at, size_t len, uint16_t segment, bool sums)
{
	size_t l4 = whole[12] == 0x86 ? 40 : 20;
	unsigned proto = whole[14 + (l4 == 40 ? 6 : 9)], n = 0;
	struct offload o = { segment, (uint16_t)l4, proto == PROTO_TCP ? 16 : 6, 1 };
	struct packet p;
	struct batch b;
	size_t one;

	CU_ASSERT_EQUAL_FATAL(packet_read_ip(&p, (struct bytes){ whole + 14, len - 14 }, &o), DROP_NONE);
	CU_ASSERT_TRUE_FATAL(batch_begin(&b, &p, ROOM - 14));
	o.segment = 0;
	for (; (one = batch_next(&b, bytes[at + n] + 14)); n++) {
		memcpy(bytes[at + n], whole, 14);
		if (sums)
			sum_fill(bytes[at + n] + 14, one, &o);
		frames[at + n] = (struct frame){ .data = bytes[at + n], .len = (uint16_t)(14 + one) };
		if (!sums)
			frames[at + n].offload = (struct offload){ 0, (uint16_t)(l4 + 14), o.checksum_offset, 1 };
	}
	return n;
}

static size_t flat(const struct train *t, struct offload *o)
{
	uint8_t head[TRAIN_HEAD];
	struct iovec iov[TRAIN_IOV];
	unsigned parts = train_frame(t, head, o, iov);
	size_t len = 0;

	CU_ASSERT_TRUE_FATAL(parts <= TRAIN_IOV);
	for (unsigned i = 0; i < parts; i++) {
		memcpy(out_bytes + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	return len;
}

static void what_was_cut_is_whole_again(void)
{
	static const uint16_t SEGMENT[] = { 1, 2, 63, 64, 999, 1300, 1348 };
	static const size_t COUNT[] = { 1, 2, 3, 47, MOST };
	static const size_t SHORT[] = { 0, 1, 2 };		/* how much the last one lacks */

	for (unsigned n = 0; n < 8 * 7 * 5 * 3; n++) {
		unsigned family = n & 1 ? 6 : 4, proto = n & 2 ? PROTO_UDP : PROTO_TCP, parts, trains = 0;
		uint16_t segment = SEGMENT[n / 8 % 7];
		size_t data = segment * COUNT[n / 56 % 5] - (segment > 2 ? SHORT[n / 280] : 0), len, got;
		struct yard y = { .tcp = true, .udp = true };
		struct offload o;
		struct train t;

		if (data + 72 > 65535)
			data = 65535 - 72;
		len = make(family, proto, data, 1000, 16 | 8);
		parts = cut(0, len, segment, n & 4);
		for (unsigned i = 0; i < parts; i++)
			CU_ASSERT_FALSE(yard_put(&y, &frames[i], &t));
		while (yard_rest(&y, &t)) {
			trains++;
			CU_ASSERT_EQUAL(t.cars, parts);
			got = flat(&t, &o);
			CU_ASSERT_EQUAL_FATAL(got, len);
			if (parts == 1 && n & 4)
				continue;			/* its sum is whole, the original's is not */
			CU_ASSERT(!memcmp(out_bytes, whole, len));
			CU_ASSERT(o.segment == (parts > 1 ? segment : 0) && o.partial);
			CU_ASSERT_EQUAL(o.checksum_start, family == 4 ? 34 : 54);
			CU_ASSERT_EQUAL(o.checksum_offset, proto == PROTO_TCP ? 16 : 6);
		}
		CU_ASSERT_EQUAL(trains, 1);
	}
}

/* The second of three full segments is made different: how many frames come out, in order, whatever it is. */
static unsigned trains_with(void (*spoil)(struct frame *f, uint8_t *at), unsigned family, unsigned proto)
{
	struct yard y = { .tcp = true, .udp = true };
	unsigned trains = 0, at = 0;
	struct train t;

	CU_ASSERT_EQUAL_FATAL(cut(0, make(family, proto, 3000, 1000, 16), 1000, false), 3);
	spoil(&frames[1], bytes[1]);
	for (unsigned i = 0; i < 4; i++) {
		bool out = i < 3 ? yard_put(&y, &frames[i], &t) : yard_rest(&y, &t);

		if (!out)
			continue;
		trains++;
		for (unsigned k = 0; k < t.cars; k++)
			CU_ASSERT_PTR_EQUAL(t.car[k], &frames[at++]);
	}
	CU_ASSERT_EQUAL(at, 3);
	CU_ASSERT_EQUAL(y.trains, 0);
	return trains;
}

static void nothing(struct frame *f, uint8_t *at) { (void)f; (void)at; }
static void other_mac(struct frame *f, uint8_t *at) { (void)f; at[11] ^= 1; }
static void other_ttl(struct frame *f, uint8_t *at) { (void)f; at[14 + 8]--; }
static void other_tos(struct frame *f, uint8_t *at) { (void)f; at[15] = 3; }		/* ECN: CE */
static void other_id(struct frame *f, uint8_t *at) { (void)f; at[14 + 5] += 7; }
static void may_cut(struct frame *f, uint8_t *at) { (void)f; at[14 + 6] ^= 0x40; }
static void fragment(struct frame *f, uint8_t *at) { (void)f; at[14 + 6] = 0x20; }
static void shorter(struct frame *f, uint8_t *at) { f->len -= 10; put16(at + 16, f->len - 14u); }
static void hop(struct frame *f, uint8_t *at) { (void)f; at[14 + 7]--; }
static void label(struct frame *f, uint8_t *at) { (void)f; at[14 + 3] ^= 1; }
static void seq(struct frame *f, uint8_t *at) { (void)f; at[34 + 7]++; }
static void ack(struct frame *f, uint8_t *at) { (void)f; at[34 + 11]++; }
static void window(struct frame *f, uint8_t *at) { (void)f; at[34 + 15]++; }
static void stamp(struct frame *f, uint8_t *at) { (void)f; at[34 + 27]++; }
static void push(struct frame *f, uint8_t *at) { (void)f; at[34 + 13] |= 8; }
static void fin(struct frame *f, uint8_t *at) { (void)f; at[34 + 13] |= 1; }
static void urgent(struct frame *f, uint8_t *at) { (void)f; at[34 + 13] |= 32; }
static void cwr(struct frame *f, uint8_t *at) { (void)f; at[34 + 13] |= 128; }
static void bare_ack(struct frame *f, uint8_t *at) { f->len = 66; put16(at + 16, 52); }
static void no_sum(struct frame *f, uint8_t *at) { f->offload = (struct offload){ 0 }; at[40] = at[41] = 0; }
static void loop(struct frame *f, uint8_t *at) { (void)f; at[34 + 12] = 4 << 4; }

static void what_differs_travels_apart(void)
{
	CU_ASSERT_EQUAL(trains_with(nothing, 4, PROTO_TCP), 1);
	CU_ASSERT_EQUAL(trains_with(other_mac, 4, PROTO_TCP), 3);
	CU_ASSERT_EQUAL(trains_with(other_ttl, 4, PROTO_TCP), 3);
	CU_ASSERT_EQUAL(trains_with(other_tos, 4, PROTO_TCP), 3);
	CU_ASSERT_EQUAL(trains_with(may_cut, 4, PROTO_TCP), 3);
	CU_ASSERT_EQUAL(trains_with(seq, 4, PROTO_TCP), 3);
	CU_ASSERT_EQUAL(trains_with(ack, 4, PROTO_TCP), 3);
	CU_ASSERT_EQUAL(trains_with(window, 4, PROTO_TCP), 3);
	CU_ASSERT_EQUAL(trains_with(stamp, 4, PROTO_TCP), 3);
	CU_ASSERT_EQUAL(trains_with(fin, 4, PROTO_TCP), 3);
	CU_ASSERT_EQUAL(trains_with(urgent, 4, PROTO_TCP), 3);
	CU_ASSERT_EQUAL(trains_with(cwr, 4, PROTO_TCP), 3);
	CU_ASSERT_EQUAL(trains_with(loop, 4, PROTO_TCP), 3);	/* a header that is too short */
	CU_ASSERT_EQUAL(trains_with(bare_ack, 4, PROTO_TCP), 3);
	CU_ASSERT_EQUAL(trains_with(push, 4, PROTO_TCP), 2);	/* ends the first one */
	CU_ASSERT_EQUAL(trains_with(shorter, 4, PROTO_TCP), 2);
	CU_ASSERT_EQUAL(trains_with(nothing, 6, PROTO_TCP), 1);
	CU_ASSERT_EQUAL(trains_with(hop, 6, PROTO_TCP), 3);
	CU_ASSERT_EQUAL(trains_with(label, 6, PROTO_TCP), 3);
	CU_ASSERT_EQUAL(trains_with(nothing, 4, PROTO_UDP), 1);
	CU_ASSERT_EQUAL(trains_with(no_sum, 4, PROTO_UDP), 3);
	CU_ASSERT_EQUAL(trains_with(nothing, 6, PROTO_UDP), 1);
}

/* DF says that nobody looks at the identification; without it the parts of two packets could be mixed up. */
static void identifications_count_where_packets_may_be_cut(void)
{
	for (unsigned df = 0; df < 2; df++) {
		struct yard y = { .tcp = true, .udp = true };
		unsigned trains = 0;
		struct train t;

		cut(0, make(4, PROTO_TCP, 3000, 1000, 16), 1000, false);
		for (unsigned i = 0; i < 3; i++)
			bytes[i][20] = df ? 0x40 : 0;
		other_id(&frames[1], bytes[1]);
		for (unsigned i = 0; i < 3; i++)
			trains += yard_put(&y, &frames[i], &t);
		while (yard_rest(&y, &t))
			trains++;
		CU_ASSERT_EQUAL(trains, df ? 1 : 3);
	}
}

static void what_the_kernel_does_not_take_travels_apart(void)
{
	struct yard y = { .tcp = true };
	struct train t;

	cut(0, make(4, PROTO_UDP, 3000, 1000, 0), 1000, false);
	CU_ASSERT_FALSE(yard_put(&y, &frames[0], &t));
	CU_ASSERT_TRUE(yard_put(&y, &frames[1], &t));
	y = (struct yard){ .udp = true };
	cut(0, make(4, PROTO_TCP, 3000, 1000, 16), 1000, false);
	CU_ASSERT_FALSE(yard_put(&y, &frames[0], &t));
	CU_ASSERT_TRUE(yard_put(&y, &frames[1], &t));
}

/* Fragments, odd headers, rubbish: each comes out as it went in, at some time. */
static void all_that_goes_in_comes_out(void)
{
	struct yard y = { .tcp = true, .udp = true };
	unsigned out = 0, in = 0, flows = TRAINS + 3;
	struct offload o;
	struct train t;

	for (unsigned k = 0; k < flows; k++) {
		cut(in, make(4, PROTO_TCP, 2500, (uint16_t)(1000 + k), 16), 500, false);
		in += 5;
	}
	fragment(&frames[3], bytes[3]);
	frames[7].len = 20;
	bytes[11][14] = 0x46;
	for (unsigned round = 0; round < 5; round++)		/* flows in turns: more than there is room for */
		for (unsigned k = 0; k < flows; k++) {
			const struct frame *f = &frames[k * 5 + round];

			if (!yard_put(&y, f, &t))
				continue;
			out += t.cars;
			CU_ASSERT(t.cars > 1 || (flat(&t, &o) == t.car[0]->len && !memcmp(out_bytes, t.car[0]->data, t.car[0]->len)));
		}
	while (yard_rest(&y, &t))
		out += t.cars;
	CU_ASSERT_EQUAL(out, in);
}

/* Of two who say where an address is the second one is believed: what has no ports keeps its order. */
static void what_has_no_ports_keeps_its_order(void)
{
	enum { ARP, ICMP, OTHER_ICMP, FRAGMENT, OTHER_FRAGMENT, KINDS };
	struct yard y = { .tcp = true, .udp = true };
	unsigned next = 0;
	struct train t;

	for (unsigned i = 0; i < KINDS; i++) {
		size_t len = make(4, i < FRAGMENT ? PROTO_ICMP : PROTO_TCP, 40, (uint16_t)i, 16);

		frames[i] = (struct frame){ .data = memcpy(bytes[i], whole, len), .len = (uint16_t)len };
	}
	put16(bytes[ARP] + 12, TYPE_ARP);
	fragment(&frames[FRAGMENT], bytes[FRAGMENT]);
	bytes[OTHER_FRAGMENT][21] = 1;
	for (unsigned i = 0; i < KINDS; i++)
		if (yard_put(&y, &frames[i], &t))
			CU_ASSERT_PTR_EQUAL(t.car[0], &frames[next++]);
	while (yard_rest(&y, &t))
		CU_ASSERT_PTR_EQUAL(t.car[0], &frames[next++]);
	CU_ASSERT_EQUAL(next, KINDS);
}

static void a_train_ends_at_what_an_ip_packet_holds(void)
{
	struct yard y = { .tcp = true, .udp = true };
	unsigned most = (65535 - 20 - 32) / 1400, n;
	struct train t;

	n = cut(0, make(4, PROTO_TCP, 45 * 1400, 1000, 16), 1400, false);
	for (unsigned i = 0; i < 5; i++)			/* as if more of it came in the next batch */
		cut(n + i, make(4, PROTO_TCP, 1400, 1000, 16), 1400, false);
	for (unsigned i = 0; i < 5; i++) {
		uint32_t at = 0xfffff000u + (n + i) * 1400;

		put16(bytes[n + i] + 18, n + i);
		put16(bytes[n + i] + 38, at >> 16);
		put16(bytes[n + i] + 40, at & 0xffff);
	}
	for (unsigned i = 0; i < most; i++)
		CU_ASSERT_FALSE(yard_put(&y, &frames[i], &t));
	CU_ASSERT_TRUE(yard_put(&y, &frames[most], &t));
	CU_ASSERT_EQUAL(t.cars, most);
}

CU_TestInfo train_tests[] = {
	{ "what was cut is whole again", what_was_cut_is_whole_again },
	{ "what differs travels apart, in order", what_differs_travels_apart },
	{ "identifications count where packets may be cut", identifications_count_where_packets_may_be_cut },
	{ "what the kernel does not take travels apart", what_the_kernel_does_not_take_travels_apart },
	{ "all that goes in comes out", all_that_goes_in_comes_out },
	{ "what has no ports keeps its order", what_has_no_ports_keeps_its_order },
	{ "a train ends at what an IP packet holds", a_train_ends_at_what_an_ip_packet_holds },
	CU_TEST_INFO_NULL
};
