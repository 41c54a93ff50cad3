/* frame.c - RFC 826, 791, 8200, 792, 4443, 768, 9293: the headers, both ways */
#include "sim/guest/frame.h"

#include <string.h>

uint32_t frame_sum(uint32_t sum, const uint8_t *at, size_t len)
{
	for (; len > 1; at += 2, len -= 2)
		sum += get16(at);
	return len ? sum + ((uint32_t)at[0] << 8) : sum;
}

uint16_t frame_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static unsigned ip_len(const struct ip *a)
{
	return a->family == 6 ? 16 : 4;
}

/* The pseudo header of UDP, TCP and ICMPv6. */
static uint32_t pseudo(const struct ip *from, const struct ip *to, unsigned proto, size_t len)
{
	uint32_t sum = (uint32_t)(len >> 16) + (uint32_t)(len & 0xffff) + proto;

	sum = frame_sum(sum, from->at, ip_len(from));
	return frame_sum(sum, to->at, ip_len(to));
}

static int checksum_at(unsigned proto)
{
	switch (proto) {
	case PROTO_UDP:
		return 6;
	case PROTO_TCP:
		return 16;
	case PROTO_ICMP:
	case PROTO_ICMP6:
		return 2;
	}
	return -1;
}

static struct ip address(const uint8_t *at, unsigned family)
{
	struct ip a = { .family = (uint8_t)family };

	memcpy(a.at, at, ip_len(&a));
	return a;
}

/* ---- reading ---------------------------------------------------------------------------- */

static enum frame_fault read_arp(const uint8_t *at, size_t len, struct seen *out)
{
	if (len < 28)
		return FRAME_SHORT;
	if (get16(at) != 1 || get16(at + 2) != ETH_IP4 || at[4] != MAC_LEN || at[5] != 4)
		return FRAME_FORM;
	out->arp_op = get16(at + 6);
	out->arp_mac = at + 8;
	out->from = address(at + 14, 4);
	out->to = address(at + 24, 4);
	return FRAME_GOOD;
}

static enum frame_fault read_udp(struct seen *out)
{
	unsigned len;

	if (out->l4_len < UDP_HEADER)
		return FRAME_SHORT;
	len = get16(out->l4 + 4);
	if (len < UDP_HEADER || len > out->l4_len)
		return FRAME_FORM;
	out->l4_len = (uint16_t)len;
	out->sport = get16(out->l4);
	out->dport = get16(out->l4 + 2);
	out->data = out->l4 + UDP_HEADER;
	out->len = (uint16_t)(len - UDP_HEADER);
	return FRAME_GOOD;
}

static enum frame_fault read_tcp(struct seen *out)
{
	const uint8_t *p = out->l4;
	unsigned header;

	if (out->l4_len < TCP_HEADER)
		return FRAME_SHORT;
	header = (p[12] >> 4) * 4u;
	if (header < TCP_HEADER || header > out->l4_len)
		return FRAME_FORM;
	out->sport = get16(p);
	out->dport = get16(p + 2);
	out->seq = get32(p + 4);
	out->ack = get32(p + 8);
	out->flags = p[13];
	out->window = get16(p + 14);
	out->data = p + header;
	out->len = (uint16_t)(out->l4_len - header);
	for (unsigned i = TCP_HEADER; i < header && p[i]; ) {
		if (p[i] == 1) {
			i++;
			continue;
		}
		if (i + 1 >= header || p[i + 1] < 2 || i + p[i + 1] > header)
			return FRAME_FORM;
		if (p[i] == 2 && p[i + 1] == 4)
			out->mss = get16(p + i + 2);
		i += p[i + 1];
	}
	return FRAME_GOOD;
}

static enum frame_fault read_l4(struct seen *out)
{
	enum frame_fault fault = FRAME_GOOD;
	bool six = out->from.family == 6;
	uint32_t sum;

	switch (out->proto) {
	case PROTO_UDP:
		fault = read_udp(out);
		if (!fault && !get16(out->l4 + 6))	/* not used: IPv4 may, IPv6 may not (RFC 8200, 8.1) */
			return six ? FRAME_CHECKSUM : FRAME_GOOD;
		break;
	case PROTO_TCP:
		fault = read_tcp(out);
		break;
	case PROTO_ICMP:
	case PROTO_ICMP6:
		if (six != (out->proto == PROTO_ICMP6))
			return FRAME_UNKNOWN;
		if (out->l4_len < 8)
			return FRAME_SHORT;
		break;
	default:
		return FRAME_UNKNOWN;
	}
	if (fault)
		return fault;
	sum = out->proto == PROTO_ICMP ? 0 : pseudo(&out->from, &out->to, out->proto, out->l4_len);
	return frame_fold(frame_sum(sum, out->l4, out->l4_len)) ? FRAME_CHECKSUM : FRAME_GOOD;
}

static enum frame_fault read_ip4(const uint8_t *at, size_t len, struct seen *out)
{
	unsigned header, total;

	if (len < 20)
		return FRAME_SHORT;
	header = (at[0] & 15) * 4u;
	total = get16(at + 2);
	if (at[0] >> 4 != 4 || header < 20 || total < header)
		return FRAME_FORM;
	if (total > len)
		return FRAME_SHORT;
	if (frame_fold(frame_sum(0, at, header)))
		return FRAME_CHECKSUM;
	out->from = address(at + 12, 4);
	out->to = address(at + 16, 4);
	out->ttl = at[8];
	out->proto = at[9];
	out->l4 = at + header;
	out->l4_len = (uint16_t)(total - header);
	if (get16(at + 6) & 0x3fff)
		return FRAME_FRAGMENT;
	return read_l4(out);
}

static enum frame_fault read_ip6(const uint8_t *at, size_t len, struct seen *out)
{
	unsigned payload, next = 40;

	if (len < 40)
		return FRAME_SHORT;
	payload = get16(at + 4);
	if (at[0] >> 4 != 6)
		return FRAME_FORM;
	if (40 + payload > len)
		return FRAME_SHORT;
	out->from = address(at + 8, 6);
	out->to = address(at + 24, 6);
	out->ttl = at[7];
	out->proto = at[6];
	while (out->proto == 0 || out->proto == 60) {	/* hop by hop (MLD has it), destination options */
		if (next + 8 > 40 + payload || next + 8u * (at[next + 1] + 1u) > 40 + payload)
			return FRAME_SHORT;
		out->proto = at[next];
		next += 8u * (at[next + 1] + 1u);
	}
	out->l4 = at + next;
	out->l4_len = (uint16_t)(40 + payload - next);
	return out->proto == 44 ? FRAME_FRAGMENT : read_l4(out);
}

enum frame_fault frame_read(const uint8_t *at, size_t len, struct seen *out)
{
	*out = (struct seen){ 0 };
	if (len < ETH_BYTES)
		return FRAME_SHORT;
	out->dst = at;
	out->src = at + MAC_LEN;
	out->type = get16(at + 12);
	if (out->src[0] & 1)			/* nobody sends from a group */
		return FRAME_FORM;
	switch (out->type) {
	case ETH_ARP:
		return read_arp(at + ETH_BYTES, len - ETH_BYTES, out);
	case ETH_IP4:
		return read_ip4(at + ETH_BYTES, len - ETH_BYTES, out);
	case ETH_IP6:
		return read_ip6(at + ETH_BYTES, len - ETH_BYTES, out);
	}
	return FRAME_UNKNOWN;
}

/* ---- writing ---------------------------------------------------------------------------- */

static void ethernet(uint8_t *out, const uint8_t *src, const uint8_t *dst, unsigned type)
{
	memcpy(out, dst, MAC_LEN);
	memcpy(out + MAC_LEN, src, MAC_LEN);
	put16(out + 12, type);
}

size_t frame_ip(uint8_t *out, const uint8_t *src, const uint8_t *dst, const struct ip *from, const struct ip *to,
		unsigned proto, unsigned ttl, size_t len)
{
	uint8_t *ip = out + ETH_BYTES, *l4 = frame_l4(out, to->family);
	int at = checksum_at(proto);
	uint16_t sum;

	ethernet(out, src, dst, to->family == 6 ? ETH_IP6 : ETH_IP4);
	if (to->family == 6) {
		memset(ip, 0, 40);
		ip[0] = 0x60;
		put16(ip + 4, (unsigned)len);
		ip[6] = (uint8_t)proto;
		ip[7] = (uint8_t)ttl;
		memcpy(ip + 8, from->at, 16);
		memcpy(ip + 24, to->at, 16);
	} else {
		memset(ip, 0, 20);
		ip[0] = 0x45;
		put16(ip + 2, (unsigned)(20 + len));
		ip[6] = 0x40;			/* don't fragment */
		ip[8] = (uint8_t)ttl;
		ip[9] = (uint8_t)proto;
		memcpy(ip + 12, from->at, 4);
		memcpy(ip + 16, to->at, 4);
		put16(ip + 10, frame_fold(frame_sum(0, ip, 20)));
	}
	if (at >= 0) {
		put16(l4 + at, 0);
		sum = frame_fold(frame_sum(proto == PROTO_ICMP ? 0 : pseudo(from, to, proto, len), l4, len));
		put16(l4 + at, proto == PROTO_UDP && !sum ? 0xffff : sum);
	}
	return (size_t)(l4 - out) + len;
}

size_t frame_arp(uint8_t *out, const uint8_t *src, const uint8_t *dst, unsigned op, const struct ip *from,
		 const uint8_t *target, const struct ip *to)
{
	static const uint8_t fixed[6] = { 0, 1, 8, 0, MAC_LEN, 4 };
	uint8_t *at = out + ETH_BYTES;

	ethernet(out, src, dst, ETH_ARP);
	memcpy(at, fixed, sizeof(fixed));
	put16(at + 6, op);
	memcpy(at + 8, src, MAC_LEN);
	memcpy(at + 14, from->at, 4);
	memcpy(at + 18, target, MAC_LEN);
	memcpy(at + 24, to->at, 4);
	return ETH_BYTES + 28;
}

void frame_group(const struct ip *to, uint8_t mac[MAC_LEN])
{
	static const uint8_t four[3] = { 0x01, 0x00, 0x5e };

	if (to->family == 6) {			/* RFC 2464, 7 */
		mac[0] = mac[1] = 0x33;
		memcpy(mac + 2, to->at + 12, 4);
	} else if (to->at[0] >> 4 == 14) {	/* RFC 1112, 6.4 */
		memcpy(mac, four, 3);
		mac[3] = to->at[1] & 0x7f;
		mac[4] = to->at[2];
		mac[5] = to->at[3];
	} else {
		memset(mac, 0xff, MAC_LEN);
	}
}
