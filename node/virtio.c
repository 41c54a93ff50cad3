#include "node/virtio.h"

#include <linux/virtio_net.h>
#include <string.h>

#include "core/vnet/packet.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5		/* since Linux 6.2 */
#endif

_Static_assert(sizeof(struct virtio_net_hdr) == VIRTIO_HEADER, "without the count of merged buffers");

bool virtio_read(const uint8_t *at, size_t len, struct offload *o)
{
	struct virtio_net_hdr h;
	bool partial;

	memcpy(&h, at, sizeof(h));
	partial = h.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
	*o = (struct offload){ 0 };
	if (partial) {
		o->checksum_start = h.csum_start;
		o->checksum_offset = h.csum_offset;
		o->partial = 1;
		if ((size_t)h.csum_start + h.csum_offset + 2 > len)
			return false;
	}
	switch (h.gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_NONE:
		return true;
	case VIRTIO_NET_HDR_GSO_TCPV4:
	case VIRTIO_NET_HDR_GSO_TCPV6:
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		o->segment = h.gso_size;
		return partial && h.gso_size;
	default:
		return false;
	}
}

/* Is it the checksum of the packet's own TCP or UDP, no extension headers before it? */
static bool own(const uint8_t *frame, size_t len, const struct offload *o)
{
	size_t start = ETH_HEADER + IP6_HEADER;
	uint8_t proto;

	if (len < start)
		return true;			/* core says what is wrong with it */
	proto = frame[ETH_HEADER + 6];
	if (frame[12] == TYPE_IP4 >> 8 && frame[13] == (TYPE_IP4 & 0xff)) {
		start = ETH_HEADER + 4u * (frame[ETH_HEADER] & 15);
		proto = frame[ETH_HEADER + 9];
	}
	return o->checksum_start == start && (proto == PROTO_TCP || proto == PROTO_UDP);
}

void virtio_settle(uint8_t *frame, size_t len, struct offload *o)
{
	if (!o->partial || o->segment || own(frame, len, o))
		return;
	sum_fill(frame, len, o);
	*o = (struct offload){ 0 };
}

void virtio_write(uint8_t at[VIRTIO_HEADER], const struct offload *o, size_t headers, uint8_t family, uint8_t proto)
{
	struct virtio_net_hdr h = { .gso_type = VIRTIO_NET_HDR_GSO_NONE };

	if (o->partial) {
		h.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h.csum_start = o->checksum_start;
		h.csum_offset = o->checksum_offset;
	}
	if (o->segment) {
		h.gso_type = proto == PROTO_UDP ? VIRTIO_NET_HDR_GSO_UDP_L4 :
			     family == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
		h.gso_size = o->segment;
		h.hdr_len = (uint16_t)headers;
	}
	memcpy(at, &h, sizeof(h));
}
