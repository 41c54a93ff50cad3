/*
 * ICMP by the gateway's address (RFC 792, 1122, 1812; RFC 4443). Errors are
 * never sent about errors, groups, later fragments or packets without a
 * sender, at most ten a second, and quote as much as the RFCs allow.
 */
#include "core/vnet/parts.h"

enum {
	ECHO4_REPLY = 0, UNREACHABLE4 = 3, ECHO4 = 8,
	UNREACHABLE6 = 1, TOO_BIG6 = 2, ECHO6 = 128, ECHO6_REPLY = 129,

	ERRORS_PER_S	= 10,
	ERRORS_BURST	= 10,
	ERROR4_MAX	= 576,		/* bytes of an IPv4 error: RFC 1812, 4.3.2.3 */
	ERROR6_MAX	= 1280,		/* IPv6: RFC 4443, 2.4 (c) */
};

static void send_back(struct vnet *v, struct env *e, const uint8_t *to, struct writer *w, const struct build *b)
{
	build_done(w, b);
	if (w->bad)
		env_drop(e, DROP_TOO_BIG);
	else
		edge_ip(v, e, to, (struct bytes){ w->start, writer_len(w) }, NULL);
}

void icmp_gateway(struct vnet *v, struct env *e, const struct packet *p)
{
	uint8_t ask = p->family == 4 ? ECHO4 : ECHO6, reply = p->family == 4 ? ECHO4_REPLY : ECHO6_REPLY;
	uint8_t buf[FRAME_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	struct reader r = reader_of(p->l4.at, p->l4.len);
	struct build b;

	if (!p->l4.len || p->more || p->icmp_type != ask || p->icmp_code) {
		env_drop(e, DROP_SERVICE);
		return;
	}
	read_u32(&r);
	b = build_icmp(&w, &p->dst, &p->src, 64, reply, 0, read_u32(&r));
	write_copy(&w, p->data.at, p->data.len);
	send_back(v, e, p->mac_from, &w, &b);
}

static bool is_error(const struct packet *p)
{
	if (p->family == 4)
		return p->proto == PROTO_ICMP && p->icmp_type != ECHO4 && p->icmp_type != ECHO4_REPLY;
	return p->proto == PROTO_ICMP6 && p->icmp_type < 128;
}

void icmp_error(struct vnet *v, struct env *e, const struct packet *p, enum icmp_error what, uint16_t mtu)
{
	static const uint8_t code4[] = { 1, 3, 13, 4 }, code6[] = { 3, 4, 1, 0 };
	const struct ip *gateway = p->family == 4 ? &v->gateway4 : &v->gateway6;
	size_t head = (p->family == 4 ? IP4_HEADER : IP6_HEADER) + ICMP_HEADER;
	size_t quote = (p->family == 4 ? ERROR4_MAX : ERROR6_MAX) - head;
	const struct guest *g = guest_find(v, &p->src);
	uint8_t buf[ERROR6_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	uint8_t to[MAC_BYTES];
	struct build b;

	if (is_error(p) || p->fragment || p->group || ip_broadcast(&p->dst, &v->record->range4) ||
	    (p->mac_to && mac_group(p->mac_to)) || !gateway->family || !g || g->how == GUEST_LINK)
		return;
	if (!bucket_take(&v->errors, e, ERRORS_PER_S, ERRORS_BURST)) {
		env_drop(e, DROP_RATE);
		return;
	}
	memcpy(to, g->mac, MAC_BYTES);
	if (quote > p->l3.len)
		quote = p->l3.len;
	if (p->family == 4)
		b = build_icmp(&w, gateway, &p->src, 64, UNREACHABLE4, code4[what], what == ICMP_TOO_BIG ? mtu : 0);
	else
		b = build_icmp(&w, gateway, &p->src, 64, what == ICMP_TOO_BIG ? TOO_BIG6 : UNREACHABLE6, code6[what],
			       what == ICMP_TOO_BIG ? mtu : 0);
	write_copy(&w, p->l3.at, quote);
	send_back(v, e, to, &w, &b);
}
