/* The other direction of packet.h: headers, with what depends on the payload filled in at the end. */
#include <assert.h>

#include "core/vnet/packet.h"

static void put16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

void build_eth(struct writer *w, const uint8_t to[MAC_BYTES], const uint8_t from[MAC_BYTES], uint16_t type)
{
	write_copy(w, to, MAC_BYTES);
	write_copy(w, from, MAC_BYTES);
	write_u16(w, type);
}

void build_arp(struct writer *w, const uint8_t eth[MAC_BYTES], uint16_t op, const uint8_t sha[MAC_BYTES],
	       const struct ip *spa, const uint8_t tha[MAC_BYTES], const struct ip *tpa)
{
	build_eth(w, eth, sha, TYPE_ARP);
	write_u16(w, 1);
	write_u16(w, TYPE_IP4);
	write_u16(w, MAC_BYTES << 8 | 4);
	write_u16(w, op);
	write_copy(w, sha, MAC_BYTES);
	write_copy(w, spa->at, 4);
	write_copy(w, tha, MAC_BYTES);
	write_copy(w, tpa->at, 4);
}

struct build build_ip(struct writer *w, const struct ip *src, const struct ip *dst, uint8_t proto, uint8_t ttl)
{
	struct build b = { .src = *src, .dst = *dst, .proto = proto };

	assert(src->family && src->family == dst->family);
	b.ip = write_space(w, src->family == 4 ? IP4_HEADER : IP6_HEADER);
	if (!b.ip)
		return b;
	if (src->family == 4) {
		memset(b.ip, 0, IP4_HEADER);
		b.ip[0] = 0x45;
		b.ip[6] = 0x40;			/* never cut: atomic, so the identification may be 0 (RFC 6864) */
		b.ip[8] = ttl;
		b.ip[9] = proto;
		memcpy(b.ip + 12, src->at, 4);
		memcpy(b.ip + 16, dst->at, 4);
	} else {
		memset(b.ip, 0, 8);
		b.ip[0] = 0x60;
		b.ip[6] = proto;
		b.ip[7] = ttl;
		memcpy(b.ip + 8, src->at, 16);
		memcpy(b.ip + 24, dst->at, 16);
	}
	b.l4 = w->at;
	return b;
}

struct build build_udp(struct writer *w, const struct ip *src, const struct ip *dst, uint16_t sport, uint16_t dport)
{
	struct build b = build_ip(w, src, dst, PROTO_UDP, 64);

	write_u16(w, sport);
	write_u16(w, dport);
	write_u32(w, 0);
	return b;
}

struct build build_icmp(struct writer *w, const struct ip *src, const struct ip *dst, uint8_t ttl, uint8_t type,
			uint8_t code, uint32_t rest)
{
	struct build b = build_ip(w, src, dst, src->family == 4 ? PROTO_ICMP : PROTO_ICMP6, ttl);

	write_u8(w, type);
	write_u8(w, code);
	write_u16(w, 0);
	write_u32(w, rest);
	return b;
}

void build_done(struct writer *w, const struct build *b)
{
	uint32_t sum = 0;
	uint16_t field;
	size_t len, whole;
	int at;

	if (w->bad || !b->l4)
		return;
	len = (size_t)(w->at - b->l4);
	whole = (size_t)(w->at - b->ip);
	if (whole > UINT16_MAX) {
		w->bad = true;
		return;
	}
	if (b->src.family == 4) {
		put16(b->ip + 2, (uint16_t)whole);
		put16(b->ip + 10, 0);
		put16(b->ip + 10, sum_done(sum_add(0, b->ip, (size_t)(b->l4 - b->ip))));
	} else {
		put16(b->ip + 4, (uint16_t)(whole - IP6_HEADER));
	}
	switch (b->proto) {
	case PROTO_UDP:
		put16(b->l4 + 4, (uint16_t)len);
		at = 6;
		sum = sum_pseudo(&b->src, &b->dst, b->proto, len);
		break;
	case PROTO_ICMP6:
		at = 2;
		sum = sum_pseudo(&b->src, &b->dst, b->proto, len);
		break;
	case PROTO_ICMP:
	case PROTO_IGMP:
		at = 2;
		break;
	case PROTO_TCP:
		at = 16;
		sum = sum_pseudo(&b->src, &b->dst, b->proto, len);
		break;
	default:
		return;
	}
	put16(b->l4 + at, 0);
	field = sum_done(sum_add(sum, b->l4, len));
	put16(b->l4 + at, b->proto == PROTO_UDP && !field ? 0xffff : field);
}
