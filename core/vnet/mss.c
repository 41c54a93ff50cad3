/*
 * Keeping guests' packets inside the network's MTU: TCP is told in its SYNs
 * what fits (the sum of the header is mended, not made anew: RFC 1624), and
 * IPv4 packets that allow it are cut (RFC 791, 3.2).
 */
#include "core/vnet/parts.h"

enum { TCP_SYN = 2, TCP_END = 0, TCP_NOP = 1, TCP_MSS = 2, IP_MORE = 0x2000 };

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static uint16_t swapped(uint16_t v)
{
	return (uint16_t)(v << 8 | v >> 8);
}

/* Where the value of the MSS option stands in the TCP header @at, 0: nowhere. */
static size_t find_mss(const uint8_t *at, size_t header)
{
	size_t i = TCP_HEADER;

	while (i < header && at[i] != TCP_END) {
		if (at[i] == TCP_NOP) {
			i++;
			continue;
		}
		if (header - i < 2 || at[i + 1] < 2 || at[i + 1] > header - i)
			return 0;
		if (at[i] == TCP_MSS)
			return at[i + 1] == 4 ? i + 2 : 0;
		i += at[i + 1];
	}
	return 0;
}

size_t mss_clamp(uint8_t *copy, size_t max, const struct packet *p, uint16_t mtu)
{
	unsigned fixed = (p->family == 4 ? IP4_HEADER : IP6_HEADER) + TCP_HEADER;
	uint16_t most = (uint16_t)(mtu > fixed ? mtu - fixed : 0), was;
	uint8_t *tcp;
	size_t at;

	if (p->proto != PROTO_TCP || !p->l4.len || p->more || !(p->l4.at[13] & TCP_SYN) || p->l3.len > max)
		return 0;
	at = find_mss(p->l4.at, p->l4.len - p->data.len);
	if (!at)
		return 0;
	was = get16(p->l4.at + at);
	if (was <= most)
		return 0;
	memcpy(copy, p->l3.at, p->l3.len);
	tcp = copy + p->header;
	put16(tcp + at, most);
	if (!p->offload.partial)		/* else the field holds the pseudo header's sum, and no option */
		put16(tcp + 16, at % 2 ? sum_update(get16(tcp + 16), swapped(was), swapped(most)) :
					 sum_update(get16(tcp + 16), was, most));
	return p->l3.len;
}

/* Options whose copied flag is set go into every piece, the others into the first only. */
static size_t later_header(uint8_t *out, const uint8_t *ip, size_t header)
{
	size_t n = IP4_HEADER, i = IP4_HEADER;

	memcpy(out, ip, IP4_HEADER);
	while (i < header && ip[i] != 0) {
		size_t len = ip[i] == 1 ? 1 : ip[i + 1];

		if (ip[i] & 0x80) {
			memcpy(out + n, ip + i, len);
			n += len;
		}
		i += len;
	}
	while (n % 4)
		out[n++] = 0;
	out[0] = (uint8_t)(0x40 | n / 4);
	return n;
}

/* The transport's checksum covers all pieces: one that was left to be filled in is filled in first. */
static void fill_sum(uint8_t *buf, const struct packet *p, size_t from, size_t n)
{
	size_t field = p->offload.checksum_offset;
	uint16_t sum;

	if (!p->offload.partial || from)
		return;
	if (n < field + 2)
		return;				/* cannot be: the first piece holds the header */
	sum = sum_done(sum_add(sum_add(sum_pseudo(&p->src, &p->dst, p->proto, p->l4.len), p->l4.at, field),
			       p->l4.at + field + 2, p->l4.len - field - 2));
	put16(buf + field, p->proto == PROTO_UDP && !sum ? 0xffff : sum);
}

size_t cut_next(uint8_t *buf, size_t max, const struct packet *p, uint16_t mtu, size_t *at)
{
	struct bytes body = { p->l3.at + p->header, p->l3.len - p->header };
	size_t header, n;
	bool last;

	if (p->family != 4 || p->df || *at >= body.len || max < mtu)
		return 0;
	if (*at) {
		header = later_header(buf, p->l3.at, p->header);
	} else {
		header = p->header;
		memcpy(buf, p->l3.at, header);
	}
	if (mtu < header + 8)
		return 0;
	n = (mtu - header) & ~(size_t)7;
	last = n >= body.len - *at;
	if (last)
		n = body.len - *at;
	memcpy(buf + header, body.at + *at, n);
	fill_sum(buf + header, p, *at, n);
	put16(buf + 2, (uint16_t)(header + n));
	put16(buf + 6, (uint16_t)((p->fragment + *at) / 8 | (!last || p->more ? IP_MORE : 0)));
	put16(buf + 10, 0);
	put16(buf + 10, sum_done(sum_add(0, buf, header)));
	*at += n;
	return header + n;
}
