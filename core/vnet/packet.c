/*
 * Frames taken apart. Each layer narrows the bytes the next one may see: the
 * IP length cuts Ethernet's padding off, the UDP length must fill what is left
 * exactly. Checksums are verified wherever the whole covered part is here: not
 * for fragments, and not where the kernel left them to be filled in
 * (offload.partial covers the transport's; the IPv4 header's is always there).
 */
#include "core/vnet/packet.h"

const uint8_t mac_broadcast[MAC_BYTES] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

enum { EXTENSIONS_MAX = 8 };		/* IPv6 extension headers one packet may have */

static uint16_t be16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* ---- addresses ---- */

bool ip_multicast(const struct ip *a)
{
	return a->family == 4 ? a->at[0] >> 4 == 14 : a->family == 6 && a->at[0] == 0xff;
}

bool ip_link_local(const struct ip *a)
{
	return a->family == 4 ? a->at[0] == 169 && a->at[1] == 254 :
				a->family == 6 && a->at[0] == 0xfe && (a->at[1] & 0xc0) == 0x80;
}

bool ip_unspecified(const struct ip *a)
{
	static const uint8_t zero[16];

	return a->family && !memcmp(a->at, zero, sizeof(zero));
}

bool ip_broadcast(const struct ip *a, const struct ip_range *r)
{
	uint32_t host;

	if (a->family != 4)
		return false;
	if (ip_u32(a) == UINT32_MAX)
		return true;
	if (r->ip.family != 4 || r->bits >= 31 || !ip_in(a, r))
		return false;
	host = UINT32_MAX >> r->bits;
	return (ip_u32(a) & host) == host;
}

struct ip ip_link(const uint8_t mac[MAC_BYTES])
{
	struct ip a = { .at = { 0xfe, 0x80 }, .family = 6 };

	a.at[8] = mac[0] ^ 2;
	a.at[9] = mac[1];
	a.at[10] = mac[2];
	a.at[11] = 0xff;
	a.at[12] = 0xfe;
	a.at[13] = mac[3];
	a.at[14] = mac[4];
	a.at[15] = mac[5];
	return a;
}

struct ip ip_solicited(const struct ip *a)
{
	struct ip g = { .at = { 0xff, 0x02, [11] = 1, [12] = 0xff }, .family = 6 };

	memcpy(g.at + 13, a->at + 13, 3);
	return g;
}

void mac_of_group(uint8_t mac[MAC_BYTES], const struct ip *group)
{
	if (!ip_multicast(group)) {
		memcpy(mac, mac_broadcast, MAC_BYTES);
		return;
	}
	if (group->family == 4) {
		mac[0] = 0x01;
		mac[1] = 0x00;
		mac[2] = 0x5e;
		mac[3] = group->at[1] & 0x7f;
		mac[4] = group->at[2];
		mac[5] = group->at[3];
		return;
	}
	mac[0] = mac[1] = 0x33;
	memcpy(mac + 2, group->at + 12, 4);
}

/* ---- checksums ---- */

uint32_t sum_add(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t wide = sum;

	for (; len >= 2; p += 2, len -= 2)
		wide += be16(p);
	if (len)
		wide += (uint32_t)p[0] << 8;
	while (wide >> 16)
		wide = (wide & 0xffff) + (wide >> 16);
	return (uint32_t)wide;
}

uint32_t sum_pseudo(const struct ip *src, const struct ip *dst, uint8_t proto, size_t len)
{
	size_t n = src->family == 4 ? 4 : 16;
	uint32_t sum = sum_add(0, src->at, n);

	sum = sum_add(sum, dst->at, n);
	return sum + proto + (uint32_t)(len >> 16) + (uint32_t)(len & 0xffff);
}

static uint16_t folded(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint16_t sum_done(uint32_t sum)
{
	return (uint16_t)~folded(sum);
}

/* The field holds the sum of the pseudo header (virtio 1.2, 5.1.6.2), and is part of what is summed. */
void sum_fill(uint8_t *at, size_t len, const struct offload *o)
{
	uint8_t *field = at + o->checksum_start + o->checksum_offset;
	uint16_t sum = sum_done(sum_add(0, at + o->checksum_start, len - o->checksum_start));

	sum = sum ? sum : 0xffff;		/* the same number; in UDP zero means that there is none */
	field[0] = (uint8_t)(sum >> 8);
	field[1] = (uint8_t)sum;
}

uint16_t sum_update(uint16_t field, uint16_t was, uint16_t is)
{
	uint32_t sum = (uint16_t)~field + (uint32_t)(uint16_t)~was + is;	/* HC' = ~(~HC + ~m + m') */

	return sum_done(sum);
}

/* ---- reading ---- */

static enum drop read_udp(struct packet *p, bool whole)
{
	uint16_t len, sum;

	if (p->l4.len < UDP_HEADER)
		return DROP_SHORT;
	p->sport = be16(p->l4.at);
	p->dport = be16(p->l4.at + 2);
	len = be16(p->l4.at + 4);
	sum = be16(p->l4.at + 6);
	p->data = (struct bytes){ p->l4.at + UDP_HEADER, p->l4.len - UDP_HEADER };
	if (!whole)
		return len < UDP_HEADER ? DROP_LENGTH : DROP_NONE;
	if (len != p->l4.len)
		return DROP_LENGTH;
	if (p->offload.partial)
		return DROP_NONE;
	if (!sum)			/* RFC 768: none computed; RFC 8200, 8.1: not with IPv6 */
		return p->family == 4 ? DROP_NONE : DROP_CHECKSUM;
	return folded(sum_add(sum_pseudo(&p->src, &p->dst, p->proto, p->l4.len), p->l4.at, p->l4.len)) == 0xffff ?
		       DROP_NONE : DROP_CHECKSUM;
}

static enum drop read_tcp(struct packet *p, bool whole)
{
	size_t header;

	if (p->l4.len < TCP_HEADER)
		return whole ? DROP_SHORT : DROP_FRAGMENT;	/* RFC 1858, 3: ports and flags hidden in a second fragment */
	p->sport = be16(p->l4.at);
	p->dport = be16(p->l4.at + 2);
	header = (size_t)(p->l4.at[12] >> 4) * 4;
	if (header < TCP_HEADER || header > p->l4.len)
		return DROP_LENGTH;
	p->data = (struct bytes){ p->l4.at + header, p->l4.len - header };
	if (!whole || p->offload.partial)
		return DROP_NONE;
	return folded(sum_add(sum_pseudo(&p->src, &p->dst, p->proto, p->l4.len), p->l4.at, p->l4.len)) == 0xffff ?
		       DROP_NONE : DROP_CHECKSUM;
}

static enum drop read_icmp(struct packet *p, bool whole)
{
	uint32_t sum = 0;

	if (p->l4.len < ICMP_HEADER)
		return DROP_SHORT;
	p->icmp_type = p->l4.at[0];
	p->icmp_code = p->l4.at[1];
	p->data = (struct bytes){ p->l4.at + ICMP_HEADER, p->l4.len - ICMP_HEADER };
	if (!whole)
		return DROP_NONE;
	if (p->proto == PROTO_ICMP6)
		sum = sum_pseudo(&p->src, &p->dst, p->proto, p->l4.len);
	return folded(sum_add(sum, p->l4.at, p->l4.len)) == 0xffff ? DROP_NONE : DROP_CHECKSUM;
}

static enum drop read_l4(struct packet *p)
{
	bool whole = !p->more && !p->fragment;

	p->l4 = (struct bytes){ p->l3.at + p->header, p->l3.len - p->header };
	if (p->fragment) {
		if (p->proto == PROTO_TCP && p->fragment == 8)
			return DROP_FRAGMENT;	/* RFC 1858, 4: would overlay the flags */
		p->l4.len = 0;
		return DROP_NONE;
	}
	switch (p->proto) {
	case PROTO_UDP:
		return read_udp(p, whole);
	case PROTO_TCP:
		return read_tcp(p, whole);
	case PROTO_ICMP:
	case PROTO_IGMP:
		return p->family == 4 ? read_icmp(p, whole) : DROP_VALUE;
	case PROTO_ICMP6:
		return p->family == 6 ? read_icmp(p, whole) : DROP_VALUE;
	default:
		return DROP_NONE;
	}
}

/* Fragments end on an 8-byte boundary but for the last, and stay inside the largest packet there is. */
static enum drop check_fragment(const struct packet *p)
{
	size_t len = p->l3.len - p->header;

	if (p->more && (!len || len % 8))
		return DROP_FRAGMENT;
	return p->fragment + len + p->header > UINT16_MAX ? DROP_FRAGMENT : DROP_NONE;
}

static enum drop read_options4(struct packet *p, const uint8_t *at, const uint8_t *end)
{
	enum { END = 0, NOP = 1, LOOSE = 131, STRICT = 137, ALERT = 148 };

	while (at < end && *at != END) {
		if (*at == NOP) {
			at++;
			continue;
		}
		if (end - at < 2 || at[1] < 2 || at[1] > end - at)
			return DROP_OPTION;
		if (*at == LOOSE || *at == STRICT)
			return DROP_OPTION;	/* RFC 7126, 4.3: source routing */
		if (*at == ALERT)
			p->alert = true;
		at += at[1];
	}
	return DROP_NONE;
}

static enum drop read_ip4(struct packet *p)
{
	const uint8_t *h = p->l3.at;
	uint16_t len, word;
	enum drop why;

	if (p->l3.len < IP4_HEADER)
		return DROP_SHORT;
	if (h[0] >> 4 != 4)
		return DROP_VALUE;
	p->header = (uint16_t)((h[0] & 15) * 4);
	len = be16(h + 2);
	if (!len && p->offload.segment)
		len = (uint16_t)(p->l3.len <= UINT16_MAX ? p->l3.len : 0);
	if (p->header < IP4_HEADER || len < p->header)
		return DROP_LENGTH;
	if (len > p->l3.len)
		return DROP_SHORT;
	p->l3.len = len;
	if (folded(sum_add(0, h, p->header)) != 0xffff)
		return DROP_CHECKSUM;
	p->family = 4;
	p->ttl = h[8];
	p->proto = h[9];
	p->src = ip_of_bytes(4, h + 12);
	p->dst = ip_of_bytes(4, h + 16);
	if (ip_multicast(&p->src) || p->src.at[0] == 127 || p->dst.at[0] == 127 || ip_u32(&p->src) == UINT32_MAX)
		return DROP_VALUE;	/* RFC 1122, 3.2.1.3 */
	p->group = ip_multicast(&p->dst) || ip_u32(&p->dst) == UINT32_MAX;
	word = be16(h + 6);
	p->df = word & 0x4000;
	p->more = word & 0x2000;
	p->fragment = (uint16_t)((word & 0x1fff) * 8);
	why = read_options4(p, h + IP4_HEADER, h + p->header);
	if (why == DROP_NONE && (p->more || p->fragment))
		why = check_fragment(p);
	return why == DROP_NONE ? read_l4(p) : why;
}

/* Options of a hop-by-hop or destination header: TLVs that fill it exactly (RFC 8200, 4.2). */
static enum drop read_options6(struct packet *p, const uint8_t *at, const uint8_t *end)
{
	enum { PAD1 = 0, ALERT = 5 };

	while (at < end) {
		if (*at == PAD1) {
			at++;
			continue;
		}
		if (end - at < 2 || at[1] + 2 > end - at)
			return DROP_OPTION;
		if (*at == ALERT)
			p->alert = true;
		at += at[1] + 2;
	}
	return DROP_NONE;
}

static enum drop read_extensions(struct packet *p, uint8_t next)
{
	enum { HOP = 0, ROUTING = 43, FRAGMENT = 44, NONE = 59, DESTINATION = 60 };
	struct reader r = reader_of(p->l3.at + IP6_HEADER, p->l3.len - IP6_HEADER);
	enum drop why = DROP_NONE;
	bool fragmented = false;
	const uint8_t *at;
	uint16_t word;

	for (unsigned i = 0; why == DROP_NONE; i++) {
		p->header = (uint16_t)(r.at - p->l3.at);
		p->proto = next;
		if (next != HOP && next != ROUTING && next != FRAGMENT && next != DESTINATION)
			return fragmented ? check_fragment(p) : DROP_NONE;
		if (i == EXTENSIONS_MAX || (next == HOP && i))
			return DROP_OPTION;
		if (next == FRAGMENT) {
			at = read_take(&r, 8);
			if (!at)
				return DROP_SHORT;
			if (fragmented)
				return DROP_FRAGMENT;
			fragmented = true;
			word = be16(at + 2);
			p->fragment = word & 0xfff8;
			p->more = word & 1;
			next = at[0];
			if (p->fragment) {	/* what follows continues some other packet's headers */
				p->header = (uint16_t)(r.at - p->l3.at);
				p->proto = next;
				return check_fragment(p);
			}
			continue;
		}
		at = read_take(&r, 2);
		if (!at || !read_take(&r, 6 + (size_t)at[1] * 8))
			return DROP_SHORT;
		if (next == ROUTING && at[2] == 0)
			return DROP_OPTION;	/* RFC 5095: type 0 is source routing */
		if (next != ROUTING)
			why = read_options6(p, at + 2, r.at);
		next = at[0];
	}
	return why;
}

static enum drop read_ip6(struct packet *p)
{
	const uint8_t *h = p->l3.at;
	enum drop why;
	size_t len;

	if (p->l3.len < IP6_HEADER)
		return DROP_SHORT;
	if (h[0] >> 4 != 6)
		return DROP_VALUE;
	len = (size_t)be16(h + 4) + IP6_HEADER;
	if (len == IP6_HEADER && p->offload.segment)
		len = p->l3.len;
	if (len > p->l3.len)
		return DROP_SHORT;
	p->l3.len = len;
	p->family = 6;
	p->ttl = h[7];
	p->src = ip_of_bytes(6, h + 8);
	p->dst = ip_of_bytes(6, h + 24);
	if (ip_multicast(&p->src) || ip_unspecified(&p->dst))
		return DROP_VALUE;	/* RFC 4291, 2.5.2 and 2.7 */
	if (ip_low(&p->src) == 1 && !memcmp(p->src.at, (const uint8_t[8]){ 0 }, 8))
		return DROP_VALUE;	/* the loopback address: 2.5.3 */
	p->group = ip_multicast(&p->dst);
	why = read_extensions(p, h[6]);
	return why == DROP_NONE ? read_l4(p) : why;
}

static enum drop read_arp(struct packet *p)
{
	struct reader r = reader_of(p->l3.at, p->l3.len);
	uint16_t hardware = read_u16(&r), proto = read_u16(&r), lengths = read_u16(&r);
	const uint8_t *spa, *tpa;

	p->arp_op = read_u16(&r);
	if (!reader_ok(&r))
		return DROP_SHORT;
	if (hardware != 1 || proto != TYPE_IP4 || lengths != (MAC_BYTES << 8 | 4))
		return DROP_VALUE;
	p->arp_sha = read_take(&r, MAC_BYTES);
	spa = read_take(&r, 4);
	p->arp_tha = read_take(&r, MAC_BYTES);
	tpa = read_take(&r, 4);
	if (!reader_ok(&r))
		return DROP_SHORT;
	p->l3.len = ARP_BODY;
	p->src = ip_of_bytes(4, spa);
	p->dst = ip_of_bytes(4, tpa);
	if ((p->arp_op != 1 && p->arp_op != 2) || mac_group(p->arp_sha) || ip_multicast(&p->src) ||
	    ip_u32(&p->src) == UINT32_MAX)
		return DROP_VALUE;
	return DROP_NONE;
}

static enum drop too_big(size_t len, const struct offload *o)
{
	if (o && o->segment)
		return len > UINT16_MAX ? DROP_TOO_BIG : DROP_NONE;
	return len > FRAME_MAX ? DROP_TOO_BIG : DROP_NONE;
}

/* A partial checksum names a field inside the transport header; anything else would let a guest make us write elsewhere. */
static enum drop check_offload(const struct packet *p)
{
	const struct offload *o = &p->offload;

	if (!o->partial)
		return o->segment ? DROP_VALUE : DROP_NONE;	/* segments need their checksums filled in */
	if (!p->family || !p->l4.len || p->more || o->checksum_start != p->header)
		return DROP_VALUE;
	if (p->proto == PROTO_TCP)
		return o->checksum_offset == 16 ? DROP_NONE : DROP_VALUE;
	return p->proto == PROTO_UDP && o->checksum_offset == 6 ? DROP_NONE : DROP_VALUE;
}

enum drop packet_read_ip(struct packet *p, struct bytes ip, const struct offload *o)
{
	enum drop why;

	*p = (struct packet){ .l3 = ip, .offload = o ? *o : (struct offload){ 0 } };
	if (!ip.len)
		return DROP_SHORT;
	why = too_big(ip.len, o);
	if (why != DROP_NONE)
		return why;
	p->type = ip.at[0] >> 4 == 6 ? TYPE_IP6 : TYPE_IP4;
	why = p->type == TYPE_IP6 ? read_ip6(p) : read_ip4(p);
	return why == DROP_NONE ? check_offload(p) : why;
}

enum drop packet_read(struct packet *p, struct bytes frame, const struct offload *o)
{
	enum drop why;

	*p = (struct packet){ .frame = frame, .offload = o ? *o : (struct offload){ 0 } };
	if (frame.len < ETH_HEADER)
		return DROP_SHORT;
	why = too_big(frame.len, o);
	if (why != DROP_NONE)
		return why;
	if (p->offload.partial && p->offload.checksum_start < ETH_HEADER)
		return DROP_VALUE;
	p->offload.checksum_start -= p->offload.partial ? ETH_HEADER : 0;
	p->mac_to = frame.at;
	p->mac_from = frame.at + MAC_BYTES;
	p->type = be16(frame.at + 2 * MAC_BYTES);
	p->l3 = (struct bytes){ frame.at + ETH_HEADER, frame.len - ETH_HEADER };
	if (mac_group(p->mac_from))
		return DROP_VALUE;
	switch (p->type) {
	case TYPE_IP4:
		why = read_ip4(p);
		break;
	case TYPE_IP6:
		why = read_ip6(p);
		break;
	case TYPE_ARP:
		why = read_arp(p);
		break;
	case TYPE_BEACON:
		return DROP_NONE;
	case TYPE_VLAN:
	case TYPE_QINQ:
		return DROP_VLAN;
	default:
		return p->type < 1536 ? DROP_LENGTH : DROP_ETHERTYPE;	/* 802.3 length field: LLC frames */
	}
	return why == DROP_NONE ? check_offload(p) : why;
}
