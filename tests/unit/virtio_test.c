/* ON: core/base WITH: node/virtio.c core/vnet/packet.c core/vnet/build.c
 *
<<<<<<< HEAD
 * What a kernel leaves undone inside a tunnel is done before core sees the frame; what core carries on stays.
 */
#include "node/virtio.h"

=======
 * The header before each frame of a tap: what is understood, what is refused,
 * and whose sums core is asked to know.
 */
#include "node/virtio.h"

#include <linux/virtio_net.h>
>>>>>>> 65b9cb5 (wip)
#include <string.h>

#include "core/vnet/packet.h"
#include "tests/unit/suites.h"

<<<<<<< HEAD
enum { DATA = 101, ROOM = 400, TCP_SUM = 16, VXLAN = 8 };

static void put16(uint8_t *at, size_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

/* A frame of TCP with its sum undone, or with @inner of UDP around that, which has no sum; how long. */
static size_t make(uint8_t *at, unsigned family, const uint8_t *inner, size_t inner_len, size_t *l4_at)
{
	struct ip src = family == 4 ? ip_v4(0x0a000005) : (struct ip){ .at = { 0xfd, [15] = 5 }, .family = 6 };
	struct ip dst = family == 4 ? ip_v4(0x0a000006) : (struct ip){ .at = { 0xfd, [15] = 6 }, .family = 6 };
	size_t size = inner ? 8 + VXLAN + inner_len : 20 + DATA;
	struct writer w = writer_of(at, ROOM);
	struct build b;
	uint8_t *l4;

	build_eth(&w, (const uint8_t[6]){ 2, 1 }, (const uint8_t[6]){ 2, 2 }, family == 4 ? TYPE_IP4 : TYPE_IP6);
	b = build_ip(&w, &src, &dst, inner ? PROTO_UDP : PROTO_TCP, 63);
	l4 = write_space(&w, size);
	memset(l4, 0, size);
	put16(l4, 4789);
	put16(l4 + 2, 4789);
	if (inner) {
		put16(l4 + 4, size);
		memcpy(l4 + 8 + VXLAN, inner, inner_len);
	} else {
		l4[12] = 5 << 4;
		for (unsigned i = 0; i < DATA; i++)
			l4[20 + i] = (uint8_t)(7 * i);
	}
	build_done(&w, &b);
	if (inner)
		put16(l4 + 6, 0);
	else
		put16(l4 + TCP_SUM, (uint16_t)~sum_done(sum_pseudo(&src, &dst, PROTO_TCP, size)));
	*l4_at = (size_t)(l4 - at);
	return writer_len(&w);
}

static void inside_a_tunnel_it_is_filled_in(void)
{
	uint8_t inner[ROOM], outer[ROOM];
	size_t l4, around, len, whole;
	struct packet p;

	for (unsigned i = 0; i < 2; i++) {
		struct offload o = { .checksum_offset = TCP_SUM, .partial = 1 };

		len = make(inner, i ? 6 : 4, NULL, 0, &l4);
		whole = make(outer, 4, inner, len, &around);
		o.checksum_start = (uint16_t)(around + 8 + VXLAN + l4);
		CU_ASSERT_EQUAL(packet_read(&p, (struct bytes){ outer + around + 8 + VXLAN, len }, NULL), DROP_CHECKSUM);
		virtio_settle(outer, whole, &o);
		CU_ASSERT_EQUAL(packet_read(&p, (struct bytes){ outer + around + 8 + VXLAN, len }, NULL), DROP_NONE);
		CU_ASSERT(!o.partial && !o.checksum_start);
		CU_ASSERT_EQUAL(packet_read(&p, (struct bytes){ outer, whole }, &o), DROP_NONE);
	}
}

static void the_packets_own_stays_undone(void)
{
	uint8_t frame[ROOM], was[ROOM];
	struct packet p;
	size_t l4, len;

	for (unsigned i = 0; i < 2; i++) {
		struct offload o = { .checksum_offset = TCP_SUM, .partial = 1 };

		len = make(frame, i ? 6 : 4, NULL, 0, &l4);
		memcpy(was, frame, len);
		o.checksum_start = (uint16_t)l4;
		virtio_settle(frame, len, &o);
		CU_ASSERT(o.partial && o.checksum_start == l4 && !memcmp(was, frame, len));
		CU_ASSERT_EQUAL(packet_read(&p, (struct bytes){ frame, len }, &o), DROP_NONE);
	}
}

CU_TestInfo virtio_tests[] = {
	{ "a checksum inside a tunnel is filled in", inside_a_tunnel_it_is_filled_in },
	{ "the packet's own stays undone, for who carries it on", the_packets_own_stays_undone },
	CU_TEST_INFO_NULL,
=======
static bool reads(uint8_t flags, uint8_t gso, uint16_t size, uint16_t start, uint16_t offset, size_t len, struct offload *o)
{
	struct virtio_net_hdr h = { .flags = flags, .gso_type = gso, .gso_size = size, .csum_start = start, .csum_offset = offset };
	uint8_t at[VIRTIO_HEADER];

	memcpy(at, &h, sizeof(h));
	return virtio_read(at, len, o);
}

static void headers_mean_what_they_say(void)
{
	struct offload o;

	CU_ASSERT_TRUE(reads(0, 0, 0, 99, 99, 60, &o));		/* nothing is undone: the fields mean nothing */
	CU_ASSERT(!o.partial && !o.segment && !o.checksum_start && !o.checksum_offset);
	CU_ASSERT_TRUE(reads(VIRTIO_NET_HDR_F_DATA_VALID, 0, 0, 0, 0, 60, &o));
	CU_ASSERT_FALSE(o.partial);
	CU_ASSERT_TRUE(reads(1, 0, 0, 34, 6, 42, &o));
	CU_ASSERT(o.partial == 1 && o.checksum_start == 34 && o.checksum_offset == 6 && !o.segment);
	CU_ASSERT_TRUE(reads(1, VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN, 1000, 34, 16, 5000, &o));
	CU_ASSERT(o.partial == 1 && o.segment == 1000);
	CU_ASSERT_TRUE(reads(1, VIRTIO_NET_HDR_GSO_TCPV6, 1000, 54, 16, 5000, &o));
	CU_ASSERT_TRUE(reads(1, 5 /* UDP_L4 */, 1000, 34, 6, 5000, &o));
}

static void lies_are_refused(void)
{
	struct offload o;

	CU_ASSERT_FALSE(reads(1, 0, 0, 34, 6, 41, &o));			/* the field ends behind the frame */
	CU_ASSERT_FALSE(reads(1, 0, 0, 65535, 65535, 65535, &o));
	CU_ASSERT_FALSE(reads(0, VIRTIO_NET_HDR_GSO_TCPV4, 1000, 34, 16, 5000, &o));	/* parts without sums */
	CU_ASSERT_FALSE(reads(1, VIRTIO_NET_HDR_GSO_TCPV4, 0, 34, 16, 5000, &o));
	CU_ASSERT_FALSE(reads(1, VIRTIO_NET_HDR_GSO_UDP, 1000, 34, 6, 5000, &o));	/* IP fragments: not asked for */
	CU_ASSERT_FALSE(reads(1, 77, 1000, 34, 6, 5000, &o));
}

static void what_is_written_is_read_again(void)
{
	struct offload o = { 1200, 34, 16, 1 }, back;
	uint8_t at[VIRTIO_HEADER];
	struct virtio_net_hdr h;

	virtio_write(at, &o, 66, 4, PROTO_TCP);
	CU_ASSERT_TRUE(virtio_read(at, 5000, &back));
	CU_ASSERT(back.segment == 1200 && back.checksum_start == 34 && back.checksum_offset == 16 && back.partial == 1);
	memcpy(&h, at, sizeof(h));
	CU_ASSERT(h.gso_type == VIRTIO_NET_HDR_GSO_TCPV4 && h.hdr_len == 66 && h.flags == VIRTIO_NET_HDR_F_NEEDS_CSUM);
	virtio_write(at, &(struct offload){ 0 }, 0, 0, 0);
	memcpy(&h, at, sizeof(h));
	CU_ASSERT(!h.gso_type && !h.flags && !h.gso_size);
}

/* A UDP packet in a UDP packet; the inner sum is the pseudo header's, as a VXLAN device leaves it. */
static void a_sum_inside_a_tunnel_is_filled_in(void)
{
	struct ip src = ip_v4(0x0a000005), dst = ip_v4(0x0a000006);
	uint8_t buf[300], inner[100];
	struct offload o = { 0, 34 + 8 + 8 + 20, 6, 1 }, own = { 0, 34, 6, 1 };
	struct writer w = writer_of(inner, sizeof(inner));
	struct packet p;
	struct build b;

	b = build_udp(&w, &src, &dst, 1, 2);
	memset(write_space(&w, 51), 9, 51);
	build_done(&w, &b);
	inner[27] = (uint8_t)~sum_done(sum_pseudo(&src, &dst, PROTO_UDP, 59));
	inner[26] = (uint8_t)((uint16_t)~sum_done(sum_pseudo(&src, &dst, PROTO_UDP, 59)) >> 8);
	w = writer_of(buf, sizeof(buf));
	build_eth(&w, (const uint8_t[6]){ 2, 1 }, (const uint8_t[6]){ 2, 2 }, TYPE_IP4);
	b = build_udp(&w, &src, &dst, 3, 8472);
	write_space(&w, 8);
	write_copy(&w, inner, 79);
	build_done(&w, &b);
	buf[40] = buf[41] = 0;			/* the outer one has none */
	CU_ASSERT_NOT_EQUAL(packet_read_ip(&p, (struct bytes){ buf + 50, 79 }, NULL), DROP_NONE);
	virtio_settle(buf, writer_len(&w), &o);
	CU_ASSERT_FALSE(o.partial);
	CU_ASSERT_EQUAL(packet_read_ip(&p, (struct bytes){ buf + 50, 79 }, NULL), DROP_NONE);
	virtio_settle(buf, writer_len(&w), &own);	/* its own is core's business */
	CU_ASSERT(own.partial && !buf[40] && !buf[41]);
	own = (struct offload){ 0, 0, 0, 1 };		/* wherever it points */
	virtio_settle(buf, 2, &own);
	CU_ASSERT_FALSE(own.partial);
}

CU_TestInfo virtio_tests[] = {
	{ "headers mean what they say", headers_mean_what_they_say },
	{ "lies are refused", lies_are_refused },
	{ "what is written is read again", what_is_written_is_read_again },
	{ "a sum inside a tunnel is filled in", a_sum_inside_a_tunnel_is_filled_in },
	CU_TEST_INFO_NULL
>>>>>>> 65b9cb5 (wip)
};
