/*
 * Frames of many segments are cut into packets, as the kernel would when it sends
 * them and network cards do (virtio 1.2, 5.1.6.2.1: segment is its gso_size). What
 * RFC 9293 says of the fields holds: sequence numbers go on, FIN and PSH stand in
 * the last one only, and CWR in the first (RFC 3168, 6.1.2).
 *
 * The checksum stays partial: the field holds the sum of the pseudo header, which
 * tells the length and so changes with it; whoever completes it does the rest.
 */
#include <string.h>

#include "core/vnet/path.h"

enum { TCP_FIN = 1, TCP_PSH = 8, TCP_CWR = 0x80, TCP_FLAGS = 13, TCP_SUM = 16, UDP_SUM = 6 };

bool batch_begin(struct batch *b, const struct packet *p, size_t max)
{
	size_t segment = p->offload.segment;

	if (!segment || !p->data.len || !p->offload.partial || !p->l4.len || p->more || p->fragment ||
	    (p->proto != PROTO_TCP && p->proto != PROTO_UDP))
		return false;
	*b = (struct batch){ .p = p, .headers = p->l3.len - p->data.len };
	return b->headers + segment <= max && p->data.len <= segment * BATCH_SEGMENTS;
}

static void put16(uint8_t *at, size_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

size_t batch_next(struct batch *b, uint8_t *buf)
{
	const struct packet *p = b->p;
	size_t left = p->data.len - b->at, len = left < p->offload.segment ? left : p->offload.segment;
	size_t whole = b->headers + len, l4_len = whole - p->header;
	uint8_t *l4 = buf + p->header;

	if (b->at && !left)
		return 0;
	memcpy(buf, p->l3.at, b->headers);
	memcpy(buf + b->headers, p->data.at + b->at, len);
	if (p->family == 4) {
		put16(buf + 2, whole);
		put16(buf + 4, (size_t)(buf[4] << 8 | buf[5]) + b->at / p->offload.segment);
		put16(buf + 10, 0);
		put16(buf + 10, sum_done(sum_add(0, buf, p->header)));
	} else {
		put16(buf + 4, whole - IP6_HEADER);
	}
	if (p->proto == PROTO_TCP) {
		uint32_t seq = (uint32_t)l4[4] << 24 | (uint32_t)l4[5] << 16 | (uint32_t)l4[6] << 8 | l4[7];

		seq += (uint32_t)b->at;
		put16(l4 + 4, seq >> 16);
		put16(l4 + 6, seq & 0xffff);
		if (len < left)
			l4[TCP_FLAGS] &= (uint8_t)~(TCP_FIN | TCP_PSH);
		if (b->at)
			l4[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
	} else {
		put16(l4 + 4, l4_len);
	}
	put16(l4 + (p->proto == PROTO_TCP ? TCP_SUM : UDP_SUM), (uint16_t)~sum_done(sum_pseudo(&p->src, &p->dst, p->proto, l4_len)));
	b->at += len;
	return whole;
}
