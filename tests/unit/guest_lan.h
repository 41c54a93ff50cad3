/*
 * guest_lan.h - guests on one switch in virtual time, and a DHCP and DNS server that does as it is told
 *
 * Frames take the segment's delay; alarms ring when they are due. The server is
 * scripted by struct lan_server: what it answers, and what it leaves out.
 */
#ifndef GUEST_LAN_H
#define GUEST_LAN_H

#include <stdlib.h>
#include <string.h>

#include "sim/guest/inside.h"
#include "sim/guest/segment.h"

enum { LAN_GUESTS = 8, LAN_FLYING = 4096, LAN_NEWS = 4096 };

#define LAN_S	INT64_C(1000000000)

struct lan_flying { int64_t at_ns; uint64_t order; unsigned to; uint16_t len; uint8_t *at; };
struct lan_news { int64_t at_ns; unsigned guest; struct guest_news news; };
struct lan_said { int64_t at_ns; uint8_t type; uint32_t ciaddr, wanted, server; bool unicast; };

/** struct lan_server - 10.0.0.1, gives 10.0.0.10 + guest */
struct lan_server {
	bool there;			/* on the LAN at all */
	bool mute_offer, mute_ack, mute_renew, mute_rebind, nak_all;
	uint32_t lease_s;
	struct lan_said said[256];	/* what guests asked it */
	unsigned saids;
};

struct lan {
	struct segment *segment;
	struct guest *guest[LAN_GUESTS];
	struct guest_config config;
	unsigned guests;
	int64_t now_ns, alarm_ns[LAN_GUESTS];
	struct lan_flying flying[LAN_FLYING];
	unsigned flyings;
	uint64_t order;
	struct lan_news news[LAN_NEWS];
	unsigned newses;
	struct lan_server server;
	unsigned server_port;
	unsigned lose_every, lost_count;	/* every so many frames one is lost */
	struct guest_fx fx;
};

static const uint8_t lan_server_mac[6] = { 2, 0xff, 0, 0, 0, 1 };

static inline void lan_put(struct lan *l, unsigned port, const uint8_t *frame, size_t len)
{
	uint16_t out[16];
	unsigned n = segment_frame(l->segment, l->now_ns, port, frame, len, out);

	for (unsigned i = 0; i < n; i++) {
		struct lan_flying *f;

		if (l->lose_every && ++l->lost_count % l->lose_every == 0)
			continue;
		CU_ASSERT_FATAL(l->flyings < LAN_FLYING);
		f = &l->flying[l->flyings++];
		*f = (struct lan_flying){ l->now_ns + l->segment->delay_ns, l->order++, out[i], (uint16_t)len,
					  malloc(len) };
		memcpy(f->at, frame, len);
	}
}

static inline void lan_step(struct lan *l, unsigned i, const struct guest_event *ev)
{
	l->alarm_ns[i] = guest_step(l->guest[i], l->now_ns, ev, &l->fx);
	for (unsigned k = 0; k < l->fx.newses; k++) {
		CU_ASSERT_FATAL(l->newses < LAN_NEWS);
		l->news[l->newses++] = (struct lan_news){ l->now_ns, i, l->fx.news[k] };
	}
	for (unsigned k = 0; k < l->fx.frames; k++)
		lan_put(l, i, l->fx.frame[k].at, l->fx.frame[k].len);
}

/* ---- the server ------------------------------------------------------------------------------- */

static inline uint32_t lan_option32(const uint8_t *p, unsigned len, unsigned code)
{
	for (unsigned i = 240; i + 2 <= len && p[i] != 255; i += p[i] ? 2u + p[i + 1] : 1)
		if (p[i] == code && p[i + 1] == 4)
			return get32(p + i + 2);
		else if (p[i] == code)
			return p[i + 2];
	return 0;
}

static inline void lan_answer(struct lan *l, const struct seen *f, unsigned type, uint32_t yiaddr)
{
	uint8_t frame[700], *udp = frame_l4(frame, 4), *p = udp + UDP_HEADER, *at;
	struct ip from = ip_v4(0x0a000001), to = ip_v4(UINT32_MAX);
	static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 };
	static const struct { uint8_t code; uint32_t v; } always[] = {
		{ 1, 0xffffff00 }, { 3, 0x0a000001 }, { 6, 0x0a000001 }, { 54, 0x0a000001 } };

	memset(p, 0, 400);
	memcpy(p, f->data, 34);
	p[0] = 2;
	put32(p + 12, 0);
	put32(p + 16, yiaddr);
	put32(p + 236, 0x63825363);
	at = p + 240;
	*at++ = 53, *at++ = 1, *at++ = (uint8_t)type;
	for (unsigned i = 0; i < 4; i++) {
		*at++ = always[i].code, *at++ = 4;
		put32(at, always[i].v);
		at += 4;
	}
	if (type != 6) {
		*at++ = 51, *at++ = 4;
		put32(at, l->server.lease_s);
		at += 4;
	}
	*at++ = 255;
	put16(udp, 67);
	put16(udp + 2, 68);
	put16(udp + 4, 8 + 300);
	lan_put(l, l->server_port, frame, frame_ip(frame, lan_server_mac, all, &from, &to, PROTO_UDP, 64, 308));
}

static inline void lan_dhcp(struct lan *l, const struct seen *f)
{
	struct lan_server *v = &l->server;
	struct lan_said said = { .at_ns = l->now_ns, .type = (uint8_t)lan_option32(f->data, f->len, 53),
				 .ciaddr = get32(f->data + 12), .wanted = lan_option32(f->data, f->len, 50),
				 .server = lan_option32(f->data, f->len, 54), .unicast = !(f->dst[0] & 1) };
	uint32_t yiaddr = 0x0a00000a + f->data[33];

	CU_ASSERT_FATAL(v->saids < 256);
	v->said[v->saids++] = said;
	if (v->nak_all && said.type == 3)
		lan_answer(l, f, 6, 0);
	else if (said.type == 1 && !v->mute_offer)
		lan_answer(l, f, 2, yiaddr);
	else if (said.type == 3 && said.ciaddr && said.unicast ? !v->mute_renew : said.ciaddr ? !v->mute_rebind :
		 said.type == 3 && !v->mute_ack)
		lan_answer(l, f, 5, yiaddr);
}

/* Answers A questions for g7 (10.0.0.7), g8 with a loop of compression, others with NXDOMAIN. */
static inline void lan_dns(struct lan *l, const struct seen *f)
{
	uint8_t frame[700], *udp = frame_l4(frame, 4), *p = udp + UDP_HEADER;
	size_t len = f->len;

	memset(frame, 0, sizeof(frame));
	memcpy(p, f->data, len);
	p[2] |= 0x80;
	if (len > 14 && !memcmp(p + 12, "\2g7", 3)) {
		put16(p + 6, 1);
		put16(p + len, 0xc00c);
		put16(p + len + 2, 1), put16(p + len + 4, 1);
		put16(p + len + 10, 4);
		put32(p + len + 12, 0x0a000007);
		len += 16;
	} else if (len > 14 && !memcmp(p + 12, "\2g8", 3)) {
		put16(p + 6, 1);
		put16(p + len, 0xc000 | (unsigned)len);
		len += 16;
	} else {
		p[3] = 3;
	}
	put16(udp, 53);
	put16(udp + 2, f->sport);
	put16(udp + 4, (unsigned)(8 + len));
	lan_put(l, l->server_port, frame, frame_ip(frame, lan_server_mac, f->src, &f->to, &f->from, PROTO_UDP, 64,
						   8 + len));
}

static inline void lan_serve(struct lan *l, const uint8_t *at, size_t len)
{
	struct seen f;
	uint8_t frame[64];
	struct ip own = ip_v4(0x0a000001);

	if (!l->server.there || frame_read(at, len, &f))
		return;
	if (f.type == ETH_ARP && f.arp_op == ARP_REQUEST && ip_eq(&f.to, &own))
		lan_put(l, l->server_port, frame, frame_arp(frame, lan_server_mac, f.src, ARP_REPLY, &own, f.src, &f.from));
	else if (f.proto == PROTO_UDP && f.dport == 67 && f.len >= 240)
		lan_dhcp(l, &f);
	else if (f.proto == PROTO_UDP && f.dport == 53 && f.len <= 300)
		lan_dns(l, &f);
}

/* ---- time ----------------------------------------------------------------------------------------- */

static inline struct lan *lan_new(unsigned guests, const struct guest_config *c, unsigned addressing)
{
	struct lan *l = calloc(1, sizeof(*l));

	l->config = *c;
	l->guests = guests;
	l->segment = segment_init(calloc(1, segment_bytes(guests + 1)), guests + 1);
	for (unsigned i = 0; i < guests; i++) {
		struct guest_birth b = { .config = &l->config, .number = i, .mac = { 2, 0, 0, 0, 0, (uint8_t)i },
					 .seed = 1000 + i, .addressing = (uint8_t)addressing,
					 .ip = ip_v4(0x0a00000a + i), .gateway = ip_v4(0x0a000001), .bits = 24 };

		l->guest[i] = calloc(1, guest_bytes());
		guest_init(l->guest[i], &b);
		l->alarm_ns[i] = INT64_MAX;
		segment_plug(l->segment, i, 0);
		segment_set(l->segment, i, true);
	}
	l->server_port = segment_plug(l->segment, guests, 0);
	segment_set(l->segment, l->server_port, true);
	l->server = (struct lan_server){ .there = true, .lease_s = 1000 };
	return l;
}

static inline void lan_free(struct lan *l)
{
	for (unsigned i = 0; i < l->flyings; i++)
		free(l->flying[i].at);
	for (unsigned i = 0; i < l->guests; i++)
		free(l->guest[i]);
	free(l->segment);
	free(l);
}

static inline void lan_do(struct lan *l, unsigned i, unsigned kind)
{
	lan_step(l, i, &(struct guest_event){ .kind = (uint8_t)kind });
}

static inline void lan_order(struct lan *l, unsigned i, struct guest_order o)
{
	lan_step(l, i, &(struct guest_event){ .kind = GUEST_ORDERED, .order = &o });
}

static inline void lan_run(struct lan *l, int64_t until_ns)
{
	for (;;) {
		unsigned first = UINT32_MAX, guest = UINT32_MAX;
		int64_t at = until_ns;

		for (unsigned i = 0; i < l->flyings; i++)
			if (l->flying[i].at_ns < at || (first != UINT32_MAX && l->flying[i].at_ns == at &&
							l->flying[i].order < l->flying[first].order)) {
				at = l->flying[i].at_ns;
				first = i;
			}
		for (unsigned i = 0; i < l->guests; i++)
			if (l->alarm_ns[i] < at) {
				at = l->alarm_ns[i];
				guest = i;
			}
		if (at >= until_ns)
			break;
		CU_ASSERT_FATAL(at >= l->now_ns);
		l->now_ns = at;
		if (guest != UINT32_MAX) {
			lan_do(l, guest, GUEST_TIMER);
		} else {
			struct lan_flying f = l->flying[first];

			l->flying[first] = l->flying[--l->flyings];
			if (f.to == l->server_port)
				lan_serve(l, f.at, f.len);
			else
				lan_step(l, f.to, &(struct guest_event){ .kind = GUEST_FRAME, .frame = f.at, .len = f.len });
			free(f.at);
		}
	}
	l->now_ns = until_ns;
}

static inline const struct lan_news *lan_told(const struct lan *l, unsigned guest, unsigned word, unsigned nth)
{
	for (unsigned i = 0; i < l->newses; i++)
		if (l->news[i].guest == guest && l->news[i].news.word == word && !nth--)
			return &l->news[i];
	return NULL;
}

static inline struct guest_look lan_look(const struct lan *l, unsigned i)
{
	struct guest_look k;

	guest_look(l->guest[i], &k);
	return k;
}

#endif /* GUEST_LAN_H */
