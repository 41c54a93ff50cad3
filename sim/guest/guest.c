/*
 * guest.c - the door of a guest, what it sends with, and what it does with a frame
 *
 * A step handles one event, then whatever of ARP, ND, DHCP and conversations is
 * due. Nothing is kept of a packet that cannot leave yet: whoever wanted it
 * waits (talk.blocked) and makes it again when the neighbour is found.
 */
#include "sim/guest/inside.h"

#include <assert.h>
#include <string.h>

size_t guest_bytes(void)
{
	return sizeof(struct guest);
}

/* splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators). */
uint32_t guest_draw(struct guest *g, uint32_t below)
{
	uint64_t z = g->chance += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	return (uint32_t)((z >> 32) * (below + (uint64_t)!below) >> 32);
}

static struct ip link_local(const uint8_t mac[MAC_LEN])
{
	struct ip a = { .at = { 0xfe, 0x80 }, .family = 6 };

	a.at[8] = mac[0] ^ 2;			/* EUI-64, RFC 4291 appendix A */
	a.at[9] = mac[1];
	a.at[10] = mac[2];
	a.at[11] = 0xff;
	a.at[12] = 0xfe;
	memcpy(a.at + 13, mac + 3, 3);
	return a;
}

void guest_init(struct guest *g, const struct guest_birth *b)
{
	memset(g, 0, sizeof(*g));
	g->config = b->config;
	g->chance = b->seed;
	g->number = b->number;
	g->next = 1 + guest_draw(g, 1 << 14);
	memcpy(g->mac, b->mac, MAC_LEN);
	g->addressing = b->addressing;
	g->mtu = b->config->mtu ? b->config->mtu : 1500;
	g->ip4_ns = g->six_ns[0] = g->six_ns[1] = g->solicit_ns = g->dhcp.due_ns = G_NEVER;
	g->dhcp.nak_ns = g->defended_ns = INT64_MIN / 2;
	g->arrived_ns = G_NEVER;
	g->six[0] = link_local(g->mac);
	if (b->addressing == GUEST_STATIC) {
		g->ip4 = b->ip;
		g->gateway = g->dns = b->gateway;
		g->bits = b->bits;
	}
}

/* ---- sending ------------------------------------------------------------------------------ */

uint8_t *guest_room(struct step *s)
{
	struct guest_fx *fx = s->fx;
	size_t need = (size_t)ETH_BYTES + 9216;

	if (fx->frames == GUEST_FRAMES || fx->used + need > GUEST_ROOM) {
		fx->count[GUEST_NO_ROOM]++;
		return NULL;
	}
	return fx->bytes + fx->used;
}

void guest_sent(struct step *s, const uint8_t *frame, size_t len)
{
	struct guest_fx *fx = s->fx;

	fx->frame[fx->frames++] = (struct guest_frame){ frame, (uint16_t)len };
	fx->used += (len + 15) & ~(size_t)15;
	fx->count[GUEST_OUT]++;
}

void guest_count(struct step *s, enum guest_count what)
{
	s->fx->count[what]++;
}

struct guest_news *guest_tell(struct step *s, enum guest_word word)
{
	struct guest_fx *fx = s->fx;
	struct guest_news *n;

	if (fx->newses == GUEST_NEWS) {		/* the last gives way; counted, so that it cannot pass unseen */
		fx->count[GUEST_NO_ROOM]++;
		fx->newses--;
	}
	n = &fx->news[fx->newses++];
	*n = (struct guest_news){ .word = (uint8_t)word };
	return n;
}

/* ---- addresses ---------------------------------------------------------------------------- */

bool guest_has(const struct guest *g, const struct ip *a)
{
	if (a->family == 4)
		return g->use4 == USE_YES && ip_eq(a, &g->ip4);
	return (g->use6[0] == USE_YES && ip_eq(a, &g->six[0])) || (g->use6[1] == USE_YES && ip_eq(a, &g->six[1]));
}

static uint32_t mask_of(unsigned bits)
{
	return bits ? UINT32_MAX << (32 - bits) : 0;
}

bool guest_is_broadcast(const struct guest *g, const struct ip *a)
{
	uint32_t v = ip_u32(a);

	return a->family == 4 && (v == UINT32_MAX || (g->use4 == USE_YES && g->bits < 31 &&
						     v == (ip_u32(&g->ip4) | ~mask_of(g->bits))));
}

const struct ip *guest_source(const struct guest *g, const struct ip *to)
{
	bool local = to->at[0] == 0xfe && (to->at[1] & 0xc0) == 0x80;

	if (to->family == 4)
		return g->use4 == USE_YES ? &g->ip4 : NULL;
	if (!local && to->at[0] != 0xff && g->use6[1] == USE_YES)
		return &g->six[1];
	return g->use6[0] == USE_YES ? &g->six[0] : NULL;
}

bool guest_reach(struct step *s, const struct ip *to, uint8_t mac[MAC_LEN])
{
	const struct guest *g = s->g;
	struct ip hop = *to;

	if (guest_is_broadcast(g, to) || to->at[0] == 0xff || (to->family == 4 && to->at[0] >> 4 == 14)) {
		frame_group(to, mac);
		return true;
	}
	if (to->family == 4 && (ip_u32(to) ^ ip_u32(&g->ip4)) & mask_of(g->bits))
		hop = g->gateway;
	else if (to->family == 6 && to->at[0] != 0xfe && memcmp(to->at, g->six[1].at, 8))
		hop = g->router6_ip;
	return hop.family && guest_near_find(s, &hop, mac);
}

bool guest_send_ip(struct step *s, uint8_t *frame, const struct ip *to, unsigned proto, size_t len)
{
	const struct ip *from = guest_source(s->g, to);
	uint8_t mac[MAC_LEN];

	/* if the MAC has to be asked for, the question takes the frame's place */
	if (!from || !guest_reach(s, to, mac))
		return false;
	guest_sent(s, frame, frame_ip(frame, s->g->mac, mac, from, to, proto, 64, len));
	return true;
}

/* ---- what comes ----------------------------------------------------------------------------- */

static bool for_us(const struct guest *g, const struct seen *f)
{
	if (guest_is_broadcast(g, &f->to) || guest_has(g, &f->to))
		return true;
	if (f->to.family == 4)			/* groups; and DHCP before we have an address (RFC 1542) */
		return f->to.at[0] >> 4 == 14 || (f->proto == PROTO_UDP && f->dport == PORT_DHCP_CLIENT);
	if (f->to.at[0] == 0xff)
		return true;
	return f->proto == PROTO_ICMP6 && (ip_eq(&f->to, &g->six[0]) || ip_eq(&f->to, &g->six[1]));
}

static void came(struct step *s, const uint8_t *at, size_t len)
{
	static const enum guest_count counted[] = {
		[FRAME_SHORT] = GUEST_SHORT, [FRAME_FORM] = GUEST_FORM, [FRAME_CHECKSUM] = GUEST_CHECKSUM,
		[FRAME_FRAGMENT] = GUEST_FRAGMENT, [FRAME_UNKNOWN] = GUEST_UNKNOWN,
	};
	struct guest *g = s->g;
	struct seen f;
	enum frame_fault fault = frame_read(at, len, &f);

	guest_count(s, GUEST_IN);
	if (fault) {
		guest_count(s, counted[fault]);
		return;
	}
	if (!memcmp(f.src, g->mac, MAC_LEN) || (!(f.dst[0] & 1) && memcmp(f.dst, g->mac, MAC_LEN))) {
		guest_count(s, GUEST_STRANGER);
		return;
	}
	if (f.type == ETH_ARP) {
		guest_near_arp(s, &f);
	} else if (f.type == ETH_IP6 && !g->config->ipv6) {
		guest_count(s, GUEST_UNKNOWN);
	} else if (!for_us(g, &f)) {
		if (!(f.dst[0] & 1))
			guest_count(s, GUEST_STRANGER);
	} else if (f.proto == PROTO_UDP) {
		if (f.dport == PORT_DHCP_CLIENT && f.from.family == 4)
			guest_dhcp_packet(s, &f);
		else
			guest_talk_udp(s, &f);
	} else if (f.proto == PROTO_TCP) {
		guest_tcp_segment(s, &f);
	} else {
		guest_talk_icmp(s, &f);
	}
}

/* ---- the cable -------------------------------------------------------------------------------- */

static void plug(struct step *s)
{
	struct guest *g = s->g;

	if (g->plugged)
		return;
	g->plugged = g->on = true;
	guest_near_forget(g);
	if (g->config->ipv6)
		guest_near_start6(s);
	if (g->addressing == GUEST_STATIC)
		guest_near_use4(s);
	else if (g->ip4.family && g->dhcp.until_ns > s->now_ns)
		guest_dhcp_reboot(s);
	else
		guest_dhcp_begin(s);
}

static void unplug(struct step *s)
{
	struct guest *g = s->g;

	g->plugged = false;
	g->use4 = g->use6[0] = g->use6[1] = USE_NONE;
	g->ip4_ns = g->six_ns[0] = g->six_ns[1] = g->solicit_ns = G_NEVER;
	g->dhcp.due_ns = G_NEVER;		/* what it had is kept for INIT-REBOOT */
	guest_talk_end_all(s);
}

static void shut(struct step *s)
{
	struct guest *g = s->g;

	if (g->addressing == GUEST_DHCP && g->use4 == USE_YES)
		guest_dhcp_release(s);
	unplug(s);
	g->on = false;
	if (g->addressing == GUEST_DHCP) {
		g->ip4.family = 0;
		g->dhcp.state = DHCP_OFF;
	}
}

static int64_t alarm_of(const struct guest *g)
{
	int64_t due = G_NEVER, more[] = { guest_near_due(g), guest_talk_due(g), g->dhcp.due_ns };

	if (!g->plugged)
		return G_NEVER;
	for (unsigned i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		due = more[i] < due ? more[i] : due;
	return due;
}

int64_t guest_step(struct guest *g, int64_t now_ns, const struct guest_event *ev, struct guest_fx *fx)
{
	struct step s = { g, now_ns, fx };

	fx->frames = fx->newses = 0;
	fx->used = 0;
	switch (ev->kind) {
	case GUEST_PLUG:
		plug(&s);
		break;
	case GUEST_UNPLUG:
		if (g->plugged)
			unplug(&s);
		break;
	case GUEST_FRAME:
		if (g->plugged)
			came(&s, ev->frame, ev->len);
		break;
	case GUEST_ORDERED:
		if (g->plugged)
			guest_talk_order(&s, ev->order);
		break;
	case GUEST_SHUT:
		if (g->plugged)
			shut(&s);
		break;
	case GUEST_ARRIVE:
		g->arrived_ns = now_ns;
		if (g->plugged)
			guest_near_arrive(&s);
		break;
	}
	if (g->plugged) {
		guest_near_time(&s);
		if (g->dhcp.due_ns <= now_ns)
			guest_dhcp_time(&s);
		guest_talk_time(&s);
	}
	return alarm_of(g);
}

void guest_look(const struct guest *g, struct guest_look *out)
{
	*out = (struct guest_look){
		.gateway = g->gateway, .dns = g->dns, .mtu = g->mtu, .dhcp = g->dhcp.state,
		.plugged = g->plugged, .expires_ns = g->dhcp.until_ns,
	};
	memcpy(out->mac, g->mac, MAC_LEN);
	if (g->use4 == USE_YES)
		out->ip4 = g->ip4;
	if (g->use6[0] == USE_YES)
		out->link_local = g->six[0];
	if (g->use6[1] == USE_YES)
		out->ip6 = g->six[1];
	for (unsigned i = 0; i < TALKS; i++)
		out->talking += g->talk[i].kind != TALK_FREE;
}

