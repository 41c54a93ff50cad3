/*
 * dhcp.c - the client of RFC 2131, figure 5, all of it
 *
 * INIT waits for the desync and sends DISCOVER; SELECTING takes the first OFFER;
 * REQUESTING, REBOOTING and SELECTING send again after 4, 8, 16, 32, 64 s, each
 * give or take a second (4.1); four REQUESTs unanswered go back to INIT. A lease
 * counts from *sending* the REQUEST that the ACK answers (4.4.1). RENEWING asks
 * the server alone, REBINDING everybody, each again after half the time left, a
 * minute at the least (4.4.5). A NAK goes back to INIT at once; a second within
 * a minute waits for half of one. After a plug INIT-REBOOT asks for what it had; without
 * an answer the rest of the lease is used (3.2).
 */
#include "sim/guest/inside.h"

#include <string.h>

enum {
	DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE,
	BOOTP = 236, COOKIE = 0x63825363, OPTIONS = BOOTP + 4, LEN_MIN = 300,
	REQUESTS_MAX = 4, REBOOTS_MAX = 2,
};

#define AGAIN_NS	(10 * G_S)
#define LOOP_NS		(60 * G_S)

static const struct ip none4 = { .family = 4 };

/* ---- writing --------------------------------------------------------------------------------- */

static uint8_t *option(uint8_t *at, unsigned code, const void *data, unsigned len)
{
	at[0] = (uint8_t)code;
	at[1] = (uint8_t)len;
	memcpy(at + 2, data, len);
	return at + 2 + len;
}

static uint8_t *option32(uint8_t *at, unsigned code, uint32_t v)
{
	uint8_t b[4];

	put32(b, v);
	return option(at, code, b, 4);
}

static uint8_t *host_name(uint8_t *at, uint32_t number)
{
	char name[12] = "g", digits[10];
	unsigned n = 0, len = 1;

	do
		digits[n++] = (char)('0' + number % 10);
	while (number /= 10);
	while (n)
		name[len++] = digits[--n];
	return option(at, 12, name, len);
}

/* @wanted: option 50, 0 none; @server: option 54, 0 none; @ciaddr in the fixed part. */
static void send(struct step *s, unsigned type, uint32_t ciaddr, uint32_t wanted, uint32_t server, const struct ip *to)
{
	static const uint8_t wishes[] = { 1, 3, 6, 15, 26, 28, 51, 54, 58, 59 };
	struct guest *g = s->g;
	uint8_t *frame = guest_room(s), *udp, *p, *at, mac[MAC_LEN], id[7] = { 1 };
	const struct ip *from = g->use4 == USE_YES ? &g->ip4 : &none4;
	size_t len;

	if (!frame)
		return;
	if (guest_is_broadcast(g, to))
		memset(mac, 0xff, MAC_LEN);
	else
		memcpy(mac, g->dhcp.server_mac, MAC_LEN);
	udp = frame_l4(frame, 4);
	p = udp + UDP_HEADER;
	memset(p, 0, LEN_MIN);
	p[0] = 1;
	p[1] = 1;
	p[2] = MAC_LEN;
	put32(p + 4, g->dhcp.xid);
	put16(p + 8, (unsigned)((s->now_ns - g->dhcp.first_ns) / G_S) & 0xffff);
	put32(p + 12, ciaddr);
	memcpy(p + 28, g->mac, MAC_LEN);
	put32(p + BOOTP, COOKIE);
	at = option(p + OPTIONS, 53, &(uint8_t){ (uint8_t)type }, 1);
	memcpy(id + 1, g->mac, MAC_LEN);
	at = option(at, 61, id, sizeof(id));
	if (wanted)
		at = option32(at, 50, wanted);
	if (server)
		at = option32(at, 54, server);
	if (type == DISCOVER || type == REQUEST) {
		at = host_name(at, g->number);
		at = option(at, 57, (const uint8_t[]){ 1500 >> 8, 1500 & 0xff }, 2);
		at = option(at, 55, wishes, sizeof(wishes));
	}
	*at++ = 255;
	len = (size_t)(at - p) > LEN_MIN ? (size_t)(at - p) : LEN_MIN;
	put16(udp, PORT_DHCP_CLIENT);
	put16(udp + 2, PORT_DHCP_SERVER);
	put16(udp + 4, (unsigned)(UDP_HEADER + len));
	guest_sent(s, frame, frame_ip(frame, g->mac, mac, from, to, PROTO_UDP, 64, UDP_HEADER + len));
}

static const struct ip *everybody(void)
{
	static const struct ip all = { .at = { 255, 255, 255, 255 }, .family = 4 };

	return &all;
}

/* ---- the machine ------------------------------------------------------------------------------- */

/* 4.1: 4, 8, 16, 32, 64 s, each within a second of that. */
static int64_t backoff(struct guest *g)
{
	unsigned n = g->dhcp.tries < 5 ? g->dhcp.tries : 5;

	return (INT64_C(2) << n) * G_S - G_S + guest_draw(g, 2000) * G_MS;
}

static void discover(struct step *s)
{
	struct dhcp *d = &s->g->dhcp;

	if (!d->tries) {
		d->xid = guest_draw(s->g, UINT32_MAX);
		d->first_ns = s->now_ns;
	}
	d->state = DHCP_SELECTING;
	d->tries++;
	d->due_ns = s->now_ns + backoff(s->g);
	guest_count(s, GUEST_DISCOVERS);
	send(s, DISCOVER, 0, s->g->ip4.family ? ip_u32(&s->g->ip4) : 0, 0, everybody());
}

static void init_at(struct step *s, int64_t at_ns)
{
	struct dhcp *d = &s->g->dhcp;

	d->state = DHCP_INIT;
	d->tries = 0;
	d->due_ns = at_ns;
	if (at_ns <= s->now_ns)
		discover(s);
}

void guest_dhcp_begin(struct step *s)
{
	int64_t desync_ns = s->g->config->desync_ns;

	init_at(s, s->now_ns + (desync_ns ? (int64_t)guest_draw(s->g, 1 << 20) * (desync_ns >> 20) : 0));
}

static void unbind(struct step *s)
{
	struct guest *g = s->g;

	if (g->use4 != USE_NONE)
		guest_tell(s, NEWS_UNBOUND)->ip = g->ip4;
	g->use4 = USE_NONE;
	g->ip4_ns = G_NEVER;
	guest_talk_end_all(s);
}

static void request(struct step *s)
{
	struct dhcp *d = &s->g->dhcp;

	d->tries++;
	d->sent_ns = s->now_ns;
	guest_count(s, GUEST_REQUESTS);
	switch (d->state) {
	case DHCP_REQUESTING:
		d->due_ns = s->now_ns + backoff(s->g);
		send(s, REQUEST, 0, d->offered, d->server, everybody());
		break;
	case DHCP_REBOOTING:
		d->due_ns = s->now_ns + backoff(s->g);
		send(s, REQUEST, 0, ip_u32(&s->g->ip4), 0, everybody());
		break;
	case DHCP_RENEWING: {
		struct ip server = ip_v4(d->server);
		int64_t half = (d->t2_ns - s->now_ns) / 2;

		d->due_ns = s->now_ns + (half > 60 * G_S ? half : 60 * G_S);
		if (d->due_ns > d->t2_ns)
			d->due_ns = d->t2_ns;
		send(s, REQUEST, ip_u32(&s->g->ip4), 0, 0, &server);
		break;
	}
	case DHCP_REBINDING: {
		int64_t half = (d->until_ns - s->now_ns) / 2;

		d->due_ns = s->now_ns + (half > 60 * G_S ? half : 60 * G_S);
		if (d->due_ns > d->until_ns)
			d->due_ns = d->until_ns;
		send(s, REQUEST, ip_u32(&s->g->ip4), 0, 0, everybody());
		break;
	}
	}
}

void guest_dhcp_reboot(struct step *s)
{
	struct dhcp *d = &s->g->dhcp;

	d->state = DHCP_REBOOTING;
	d->xid = guest_draw(s->g, UINT32_MAX);
	d->tries = 0;
	d->first_ns = s->now_ns;
	d->again = true;
	request(s);
}

static void bound(struct step *s)
{
	struct dhcp *d = &s->g->dhcp;

	d->state = DHCP_BOUND;
	d->tries = 0;
	d->due_ns = d->t1_ns;
}

void guest_dhcp_clear(struct step *s)
{
	if (s->g->dhcp.state == DHCP_PROBING)
		bound(s);
}

void guest_dhcp_conflict(struct step *s)
{
	struct guest *g = s->g;

	guest_count(s, GUEST_DECLINES);
	g->dhcp.xid = guest_draw(g, UINT32_MAX);
	send(s, DECLINE, 0, ip_u32(&g->ip4), g->dhcp.server, everybody());
	g->ip4.family = 0;
	init_at(s, s->now_ns + AGAIN_NS);	/* 3.1, 5: ten seconds at least */
}

void guest_dhcp_release(struct step *s)
{
	struct ip server = ip_v4(s->g->dhcp.server);

	s->g->dhcp.xid = guest_draw(s->g, UINT32_MAX);
	send(s, RELEASE, ip_u32(&s->g->ip4), 0, s->g->dhcp.server, &server);
	guest_tell(s, NEWS_UNBOUND)->ip = s->g->ip4;
}

void guest_dhcp_time(struct step *s)
{
	struct guest *g = s->g;
	struct dhcp *d = &g->dhcp;

	switch (d->state) {
	case DHCP_INIT:
	case DHCP_SELECTING:
		discover(s);
		break;
	case DHCP_REQUESTING:
		if (d->tries >= REQUESTS_MAX)
			init_at(s, s->now_ns);
		else
			request(s);
		break;
	case DHCP_REBOOTING:
		if (d->tries < REBOOTS_MAX) {
			request(s);
		} else if (d->until_ns > s->now_ns) {
			bound(s);
			if (d->t1_ns < s->now_ns)
				d->due_ns = s->now_ns;
			guest_near_use4(s);
		} else {
			init_at(s, s->now_ns);
		}
		break;
	case DHCP_BOUND:
	case DHCP_RENEWING:
	case DHCP_REBINDING:
		if (s->now_ns >= d->until_ns) {
			unbind(s);
			init_at(s, s->now_ns);
			break;
		}
		if (d->state == DHCP_BOUND) {
			d->xid = guest_draw(g, UINT32_MAX);
			d->first_ns = s->now_ns;
			d->again = true;
		}
		d->state = s->now_ns >= d->t2_ns ? DHCP_REBINDING : DHCP_RENEWING;
		request(s);
		break;
	default:
		d->due_ns = G_NEVER;
	}
}

/* ---- what servers say ------------------------------------------------------------------------------ */

struct offer {
	uint32_t yiaddr, server, lease_s, t1_s, t2_s, mask, router, dns;
	uint16_t mtu;
	uint8_t type;
};

static void read_option(struct offer *o, unsigned code, const uint8_t *p, unsigned len)
{
	if (code == 53 && len == 1)
		o->type = p[0];
	else if (code == 26 && len == 2)
		o->mtu = get16(p);
	if (len < 4)
		return;
	switch (code) {
	case 1:
		o->mask = get32(p);
		break;
	case 3:
		o->router = get32(p);
		break;
	case 6:
		o->dns = get32(p);
		break;
	case 51:
		o->lease_s = get32(p);
		break;
	case 54:
		o->server = get32(p);
		break;
	case 58:
		o->t1_s = get32(p);
		break;
	case 59:
		o->t2_s = get32(p);
		break;
	}
}

static bool read_offer(const struct guest *g, const struct seen *f, struct offer *o)
{
	const uint8_t *p = f->data;

	*o = (struct offer){ 0 };
	if (f->len < OPTIONS || p[0] != 2 || p[1] != 1 || p[2] != MAC_LEN || get32(p + 4) != g->dhcp.xid ||
	    memcmp(p + 28, g->mac, MAC_LEN) || get32(p + BOOTP) != COOKIE)
		return false;
	o->yiaddr = get32(p + 16);
	for (unsigned i = OPTIONS; i < f->len && p[i] != 255; ) {
		if (!p[i]) {
			i++;
			continue;
		}
		if (i + 2u > f->len || i + 2u + p[i + 1] > f->len)
			return false;
		read_option(o, p[i], p + i + 2, p[i + 1]);
		i += 2u + p[i + 1];
	}
	return o->type && o->server;
}

static unsigned bits_of(uint32_t mask)
{
	unsigned n = 0;

	while (n < 32 && mask & UINT32_C(1) << (31 - n))
		n++;
	return n;
}

static void acked(struct step *s, const struct offer *o, const uint8_t *mac)
{
	struct guest *g = s->g;
	struct dhcp *d = &g->dhcp;
	struct ip ip = ip_v4(o->yiaddr);
	bool same = g->use4 == USE_YES && ip_eq(&ip, &g->ip4);
	uint32_t t1 = o->t1_s ? o->t1_s : o->lease_s / 2;
	uint32_t t2 = o->t2_s ? o->t2_s : (uint32_t)((uint64_t)o->lease_s * 7 / 8);
	struct guest_news *n;

	if (!o->yiaddr || !o->lease_s || t1 > t2 || t2 > o->lease_s)
		return;
	d->server = o->server;
	memcpy(d->server_mac, mac, MAC_LEN);
	d->until_ns = o->lease_s == UINT32_MAX ? G_NEVER : d->sent_ns + o->lease_s * G_S;
	d->t1_ns = d->sent_ns + t1 * G_S - (int64_t)guest_draw(g, t1 > 31 ? t1 / 32 * 1000 : 1) * G_MS;
	d->t2_ns = d->sent_ns + t2 * G_S;
	g->ip4 = ip;
	g->bits = (uint8_t)(o->mask ? bits_of(o->mask) : 24);
	g->gateway = o->router ? ip_v4(o->router) : (struct ip){ .family = 0 };
	g->dns = o->dns ? ip_v4(o->dns) : ip_v4(o->server);
	if (o->mtu >= 576 && o->mtu <= (g->config->mtu ? g->config->mtu : 1500))
		g->mtu = o->mtu;
	n = guest_tell(s, NEWS_BOUND);
	n->ip = ip;
	n->again = d->again;
	n->took_ns = s->now_ns - d->first_ns;
	d->again = false;
	if (same) {
		bound(s);
		return;
	}
	d->state = DHCP_PROBING;
	d->due_ns = G_NEVER;
	guest_near_use4(s);
}

static void refused(struct step *s)
{
	struct dhcp *d = &s->g->dhcp;
	bool loop = s->now_ns - d->nak_ns < LOOP_NS;

	guest_count(s, GUEST_NAKS);
	d->nak_ns = s->now_ns;
	d->again = false;
	d->until_ns = 0;
	unbind(s);
	s->g->ip4.family = 0;
	init_at(s, s->now_ns + (loop ? LOOP_NS / 2 : 0));
}

void guest_dhcp_packet(struct step *s, const struct seen *f)
{
	struct dhcp *d = &s->g->dhcp;
	struct offer o;

	if (s->g->addressing != GUEST_DHCP || !read_offer(s->g, f, &o))
		return;
	if (d->state == DHCP_SELECTING && o.type == OFFER && o.yiaddr) {
		d->offered = o.yiaddr;
		d->server = o.server;
		d->state = DHCP_REQUESTING;
		d->tries = 0;
		d->again = false;
		request(s);
		return;
	}
	if (d->state != DHCP_REQUESTING && d->state != DHCP_REBOOTING && d->state != DHCP_RENEWING &&
	    d->state != DHCP_REBINDING)
		return;
	if (o.type == ACK)
		acked(s, &o, f->src);
	else if (o.type == NAK && (d->state != DHCP_REQUESTING || o.server == d->server))
		refused(s);
}
