/*
 * Frames of many segments that are larger than a tunnel carries at once: cut into
 * smaller batches of whole segments, as the kernel would when it sends them
 * (what TSO hardware does, RFC 9293's fields kept right: sequence numbers go on,
 * FIN and PSH stand in the last one only, CWR in the first).
 *
 * The checksum stays partial: the field holds the sum of the pseudo header, which
 * tells the length and so changes with it; whoever completes it does the rest.
 */
#include <string.h>

#include "core/vnet/path.h"

enum { TCP_FIN = 1, TCP_PSH = 8, TCP_CWR = 0x80, TCP_FLAGS = 13, TCP_OFFSET = 12, TCP_SUM = 16, UDP_SUM = 6 };

bool batch_begin(struct batch *b, const struct packet *p, const struct offload *o, size_t max)
{
	size_t segments;

	if (!o->segment || !o->partial || !p->l4.len || p->more || p->fragment ||
	    (p->proto != PROTO_TCP && p->proto != PROTO_UDP))
		return false;
	*b = (struct batch){
		.ip = p->l3, .offload = *o, .l4 = p->header, .family = p->family, .proto = p->proto,
	};
	b->headers = p->l3.len - p->data.len;
	if (b->headers >= max || b->headers < b->l4 || o->segment > max - b->headers)
		return false;
	segments = (max - b->headers) / o->segment;
	b->each = segments * o->segment;
	return true;
}

static void put16(uint8_t *at, size_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

bool batch_next(struct batch *b, uint8_t *buf, struct bytes *part, struct offload *o)
{
	size_t left = b->ip.len - b->headers - b->at, len = left < b->each ? left : b->each, whole = b->headers + len;
	bool first = !b->at, last = len == left;
	uint8_t *l4 = buf + b->l4, *sum = l4 + (b->proto == PROTO_TCP ? TCP_SUM : UDP_SUM);
	struct ip src, dst;

	if (b->at && !left)
		return false;
	memcpy(buf, b->ip.at, b->headers);
	memcpy(buf + b->headers, b->ip.at + b->headers + b->at, len);
	if (b->family == 4) {
		put16(buf + 2, whole);
		put16(buf + 4, (size_t)(buf[4] << 8 | buf[5]) + b->at / b->offload.segment);
		put16(buf + 10, 0);
		put16(buf + 10, sum_done(sum_add(0, buf, b->l4)));
		src = ip_of_bytes(4, buf + 12);
		dst = ip_of_bytes(4, buf + 16);
	} else {
		put16(buf + 4, whole - IP6_HEADER);
		src = ip_of_bytes(6, buf + 8);
		dst = ip_of_bytes(6, buf + 24);
	}
	if (b->proto == PROTO_TCP) {
		uint32_t seq = (uint32_t)l4[4] << 24 | (uint32_t)l4[5] << 16 | (uint32_t)l4[6] << 8 | l4[7];

		seq += (uint32_t)b->at;
		put16(l4 + 4, seq >> 16);
		put16(l4 + 6, seq & 0xffff);
		if (!last)
			l4[TCP_FLAGS] &= (uint8_t)~(TCP_FIN | TCP_PSH);
		if (!first)
			l4[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
	} else {
		put16(l4 + 4, whole - b->l4);
	}
	put16(sum, (uint16_t)~sum_done(sum_pseudo(&src, &dst, b->proto, whole - b->l4)));
	b->at += len;
	*part = (struct bytes){ buf, whole };
	*o = b->offload;
	if (len <= o->segment)
		o->segment = 0;			/* one packet, its checksum still to be filled in */
	return true;
}
