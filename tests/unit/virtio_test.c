/* ON: core/base WITH: node/virtio.c core/vnet/packet.c core/vnet/build.c
 *
 * What a kernel leaves undone inside a tunnel is done before core sees the frame; what core carries on stays.
 */
#include "node/virtio.h"

#include <string.h>

#include "core/vnet/packet.h"
#include "tests/unit/suites.h"

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
};
