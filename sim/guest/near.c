/*
 * near.c - neighbours (ARP, RFC 826; ND, RFC 4861) and the guest's own addresses
 *
 * A neighbour is asked up to three times, a second apart, and trusted for a
 * minute. The cache has six places; the oldest that is not waited for gives way. An IPv4
 * address is probed before use where the scenario says so (RFC 5227: three
 * probes a second or two apart, two seconds of listening, two announcements),
 * and always announced and defended once in ten seconds; a second conflict
 * within them gives it up. IPv6 addresses pass DAD (RFC 4862, 5.4).
 */
#include "sim/guest/inside.h"

#include <string.h>

enum { ASKS = 3, PROBES = 3, ANNOUNCES = 2, SOLICITS = 3 };

#define ASK_NS		G_S
#define KNOWN_NS	(60 * G_S)
#define ANNOUNCE_NS	(2 * G_S)
#define DEFEND_NS	(10 * G_S)
#define DAD_NS		G_S
#define SOLICIT_NS	(4 * G_S)

static const uint8_t everybody[MAC_LEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t nobody[MAC_LEN];
static const struct ip all_nodes = { .at = { 0xff, 2, [15] = 1 }, .family = 6 };
static const struct ip all_routers = { .at = { 0xff, 2, [15] = 2 }, .family = 6 };
static const struct ip unspecified6 = { .family = 6 };

/* ---- asking ------------------------------------------------------------------------------- */

static void send_arp(struct step *s, unsigned op, const struct ip *from, const uint8_t *dst, const uint8_t *target,
		     const struct ip *to)
{
	uint8_t *at = guest_room(s);

	if (at)
		guest_sent(s, at, frame_arp(at, s->g->mac, dst, op, from, target, to));
}

/* NS for @target: from @source (or ::, then without our MAC: DAD) to its solicited-node group. */
static void send_solicit(struct step *s, const struct ip *source, const struct ip *target)
{
	struct ip group = { .at = { 0xff, 2, [11] = 1, [12] = 0xff }, .family = 6 };
	uint8_t *at = guest_room(s), *p, mac[MAC_LEN];
	bool dad = !source->at[0];

	if (!at)
		return;
	memcpy(group.at + 13, target->at + 13, 3);
	frame_group(&group, mac);
	p = frame_l4(at, 6);
	memset(p, 0, 32);
	p[0] = 135;
	memcpy(p + 8, target->at, 16);
	p[24] = 1;
	p[25] = 1;
	memcpy(p + 26, s->g->mac, MAC_LEN);
	guest_sent(s, at, frame_ip(at, s->g->mac, mac, source, &group, PROTO_ICMP6, 255, dad ? 24 : 32));
}

static void send_advert(struct step *s, const struct ip *own, const struct ip *to, const uint8_t *mac, bool solicited)
{
	uint8_t *at = guest_room(s), *p;

	if (!at)
		return;
	p = frame_l4(at, 6);
	memset(p, 0, 32);
	p[0] = 136;
	p[4] = solicited ? 0x60 : 0x20;
	memcpy(p + 8, own->at, 16);
	p[24] = 2;
	p[25] = 1;
	memcpy(p + 26, s->g->mac, MAC_LEN);
	guest_sent(s, at, frame_ip(at, s->g->mac, mac, own, to, PROTO_ICMP6, 255, 32));
}

static void ask(struct step *s, struct neighbour *n)
{
	const struct ip *from = guest_source(s->g, &n->ip);

	n->when_ns = s->now_ns + ASK_NS;
	n->tries++;
	if (!from)
		return;
	if (n->ip.family == 4)
		send_arp(s, ARP_REQUEST, from, everybody, nobody, &n->ip);
	else
		send_solicit(s, from, &n->ip);
}

static struct neighbour *find(struct guest *g, const struct ip *ip)
{
	for (unsigned i = 0; i < NEIGHBOURS; i++)
		if (g->neighbour[i].state && ip_eq(&g->neighbour[i].ip, ip))
			return &g->neighbour[i];
	return NULL;
}

static struct neighbour *place(struct guest *g)
{
	struct neighbour *old = &g->neighbour[0];

	for (unsigned i = 0; i < NEIGHBOURS; i++) {
		struct neighbour *n = &g->neighbour[i];

		if (!n->state)
			return n;
		/* who is being asked for stays: somebody waits */
		if (n->state != old->state ? n->state == NEIGHBOUR_KNOWN : n->when_ns < old->when_ns)
			old = n;
	}
	return old;
}

bool guest_near_find(struct step *s, const struct ip *ip, uint8_t mac[MAC_LEN])
{
	struct neighbour *n = find(s->g, ip);

	if (n && n->state == NEIGHBOUR_KNOWN && n->when_ns > s->now_ns) {
		memcpy(mac, n->mac, MAC_LEN);
		return true;
	}
	if (n && n->state == NEIGHBOUR_ASKED)
		return false;
	if (!n)
		n = place(s->g);
	*n = (struct neighbour){ .ip = *ip, .state = NEIGHBOUR_ASKED };
	ask(s, n);
	return false;
}

/* @ip is at @mac: believed if we asked or knew it; @anew: worth a new place. */
static void learn(struct step *s, const struct ip *ip, const uint8_t *mac, bool anew)
{
	struct neighbour *n = find(s->g, ip);
	bool waited;

	if (!n && !anew)
		return;
	if (!n)
		n = place(s->g);
	waited = n->state == NEIGHBOUR_ASKED && ip_eq(&n->ip, ip);
	*n = (struct neighbour){ .ip = *ip, .state = NEIGHBOUR_KNOWN, .when_ns = s->now_ns + KNOWN_NS };
	memcpy(n->mac, mac, MAC_LEN);
	if (waited)
		guest_talk_unblock(s);
}

void guest_near_forget(struct guest *g)
{
	memset(g->neighbour, 0, sizeof(g->neighbour));
}

/* ---- our IPv4 address ----------------------------------------------------------------------- */

static void announce(struct step *s)
{
	send_arp(s, ARP_REQUEST, &s->g->ip4, everybody, nobody, &s->g->ip4);
}

static void use_now(struct step *s)
{
	struct guest *g = s->g;

	g->use4 = USE_YES;
	g->probes = PROBES + 1;
	g->ip4_ns = s->now_ns + ANNOUNCE_NS;
	announce(s);
	guest_tell(s, NEWS_ADDRESS)->ip = g->ip4;
	if (g->addressing == GUEST_DHCP)
		guest_dhcp_clear(s);
	guest_talk_unblock(s);
}

void guest_near_use4(struct step *s)
{
	struct guest *g = s->g;

	g->probes = 0;
	if (!g->config->probe) {
		use_now(s);
		return;
	}
	g->use4 = USE_PROBING;
	g->ip4_ns = s->now_ns + guest_draw(g, 1000) * G_MS;
}

static void probe_time(struct step *s)
{
	static const struct ip unspecified4 = { .family = 4 };
	struct guest *g = s->g;

	if (g->use4 == USE_PROBING && g->probes < PROBES) {
		send_arp(s, ARP_REQUEST, &unspecified4, everybody, nobody, &g->ip4);
		g->probes++;
		g->ip4_ns = s->now_ns + (g->probes == PROBES ? ANNOUNCE_NS : G_S + guest_draw(g, 1000) * G_MS);
	} else if (g->use4 == USE_PROBING) {
		use_now(s);
	} else {
		if (g->use4 == USE_YES)
			announce(s);
		g->ip4_ns = ++g->probes < PROBES + ANNOUNCES ? s->now_ns + ANNOUNCE_NS : G_NEVER;
	}
}

static void conflict4(struct step *s)
{
	struct guest *g = s->g;

	guest_count(s, GUEST_CONFLICT);
	if (g->use4 == USE_YES && s->now_ns - g->defended_ns > DEFEND_NS) {
		g->defended_ns = s->now_ns;
		announce(s);
		return;
	}
	if (g->addressing == GUEST_STATIC && g->use4 == USE_YES)
		return;				/* RFC 5227 2.4 (c): it has nowhere to go */
	guest_tell(s, NEWS_UNBOUND)->ip = g->ip4;
	g->use4 = USE_NONE;
	g->ip4_ns = G_NEVER;
	if (g->addressing == GUEST_DHCP)
		guest_dhcp_conflict(s);
	else
		g->ip4_ns = s->now_ns + 60 * G_S;	/* static: tries again */
}

void guest_near_arp(struct step *s, const struct seen *f)
{
	struct guest *g = s->g;
	bool theirs = memcmp(f->arp_mac, g->mac, MAC_LEN), ours = g->use4 != USE_NONE && g->ip4.family;

	if (ours && theirs && ip_eq(&f->from, &g->ip4)) {
		conflict4(s);
		return;
	}
	if (g->use4 == USE_PROBING && theirs && !ip_u32(&f->from) && f->arp_op == ARP_REQUEST &&
	    ip_eq(&f->to, &g->ip4)) {		/* somebody probes for the same */
		conflict4(s);
		return;
	}
	if (ip_u32(&f->from))
		learn(s, &f->from, f->arp_mac, f->arp_op == ARP_REQUEST && guest_has(g, &f->to));
	if (f->arp_op == ARP_REQUEST && guest_has(g, &f->to))
		send_arp(s, ARP_REPLY, &g->ip4, f->arp_mac, f->arp_mac, &f->from);
}

/* ---- IPv6 ------------------------------------------------------------------------------------- */

static void try6(struct step *s, unsigned i)
{
	struct guest *g = s->g;

	g->use6[i] = USE_PROBING;
	g->six_ns[i] = s->now_ns + DAD_NS;
	send_solicit(s, &unspecified6, &g->six[i]);
}

void guest_near_start6(struct step *s)
{
	s->g->six[1].family = 0;
	s->g->solicits = 0;
	try6(s, 0);
}

static void dad_over(struct step *s, unsigned i)
{
	struct guest *g = s->g;

	g->use6[i] = USE_YES;
	g->six_ns[i] = G_NEVER;
	guest_tell(s, NEWS_ADDRESS)->ip = g->six[i];
	send_advert(s, &g->six[i], &all_nodes, (const uint8_t[]){ 0x33, 0x33, 0, 0, 0, 1 }, false);
	if (!i)
		g->solicit_ns = s->now_ns;
	guest_talk_unblock(s);
}

void guest_near_arrive(struct step *s)
{
	struct guest *g = s->g;

	if (g->use4 == USE_YES) {
		announce(s);
		g->probes = PROBES + 1;
		g->ip4_ns = s->now_ns + ANNOUNCE_NS;
	}
	for (unsigned i = 0; i < 2; i++)
		if (g->use6[i] == USE_YES)
			send_advert(s, &g->six[i], &all_nodes, (const uint8_t[]){ 0x33, 0x33, 0, 0, 0, 1 }, false);
}

static void solicit_router(struct step *s)
{
	struct guest *g = s->g;
	uint8_t *at = guest_room(s), *p, mac[MAC_LEN];

	g->solicit_ns = ++g->solicits < SOLICITS ? s->now_ns + SOLICIT_NS : G_NEVER;
	if (!at)
		return;
	frame_group(&all_routers, mac);
	p = frame_l4(at, 6);
	memset(p, 0, 16);
	p[0] = 133;
	p[8] = 1;
	p[9] = 1;
	memcpy(p + 10, g->mac, MAC_LEN);
	guest_sent(s, at, frame_ip(at, g->mac, mac, &g->six[0], &all_routers, PROTO_ICMP6, 255, 16));
}

/* RFC 4862, 5.5.3: the first autonomous prefix of 64 bits. */
static void advertised(struct step *s, const struct seen *f)
{
	struct guest *g = s->g;
	const uint8_t *p = f->l4 + 16, *end = f->l4 + f->l4_len;

	if (f->l4_len < 16 || f->ttl != 255)
		return;
	g->solicit_ns = G_NEVER;
	g->router6_ip = f->from;
	learn(s, &f->from, f->src, true);
	for (; end - p >= 8 && p[1] && end - p >= p[1] * 8; p += p[1] * 8) {
		if (p[0] == 5 && get32(p + 4) >= 1280 && get32(p + 4) < g->mtu)
			g->mtu = (uint16_t)get32(p + 4);
		if (p[0] != 3 || p[1] != 4 || p[2] != 64 || !(p[3] & 0x40))
			continue;
		if (g->six[1].family && !memcmp(g->six[1].at, p + 16, 8))
			continue;
		g->six[1] = g->six[0];
		memcpy(g->six[1].at, p + 16, 8);
		try6(s, 1);
	}
}

static void conflict6(struct step *s, unsigned i)
{
	guest_count(s, GUEST_CONFLICT);
	if (s->g->use6[i] == USE_PROBING) {	/* RFC 4862, 5.4.5: not used */
		s->g->use6[i] = USE_NONE;
		s->g->six_ns[i] = G_NEVER;
		guest_tell(s, NEWS_UNBOUND)->ip = s->g->six[i];
	}
}

static void solicited(struct step *s, const struct seen *f, const struct ip *target)
{
	bool dad = !f->from.at[0] && !memcmp(f->from.at, unspecified6.at, 16);

	for (unsigned i = 0; i < 2; i++) {
		if (!s->g->six[i].family || !ip_eq(target, &s->g->six[i]))
			continue;
		if (dad && s->g->use6[i] == USE_PROBING) {
			conflict6(s, i);
		} else if (s->g->use6[i] == USE_YES && dad) {
			send_advert(s, target, &all_nodes, (const uint8_t[]){ 0x33, 0x33, 0, 0, 0, 1 }, false);
		} else if (s->g->use6[i] == USE_YES) {
			learn(s, &f->from, f->src, true);
			send_advert(s, target, &f->from, f->src, true);
		}
	}
}

void guest_near_icmp6(struct step *s, const struct seen *f)
{
	struct ip target = { .family = 6 };
	const uint8_t *mac = f->src;

	if (f->ttl != 255)			/* a packet from beyond the link: RFC 4861 */
		return;
	if (f->l4[0] == 134) {
		advertised(s, f);
		return;
	}
	if (f->l4_len < 24 || f->l4[1])
		return;
	memcpy(target.at, f->l4 + 8, 16);
	if (f->l4[0] == 135) {
		solicited(s, f, &target);
		return;
	}
	if (f->l4_len >= 32 && f->l4[24] == 2 && f->l4[25] == 1)
		mac = f->l4 + 26;
	for (unsigned i = 0; i < 2; i++) {
		if (s->g->six[i].family && ip_eq(&target, &s->g->six[i])) {
			conflict6(s, i);
			return;
		}
	}
	learn(s, &target, mac, false);
}

/* ---- time ----------------------------------------------------------------------------------------- */

void guest_near_time(struct step *s)
{
	struct guest *g = s->g;

	if (g->ip4_ns <= s->now_ns) {
		if (g->use4 == USE_NONE)
			guest_near_use4(s);
		else
			probe_time(s);
	}
	for (unsigned i = 0; i < 2; i++)
		if (g->six_ns[i] <= s->now_ns)
			dad_over(s, i);
	if (g->solicit_ns <= s->now_ns)
		solicit_router(s);
	for (unsigned i = 0; i < NEIGHBOURS; i++) {
		struct neighbour *n = &g->neighbour[i];

		if (n->state != NEIGHBOUR_ASKED || n->when_ns > s->now_ns)
			continue;
		if (n->tries >= ASKS) {
			guest_count(s, GUEST_UNRESOLVED);
			n->state = NEIGHBOUR_FREE;
		} else {
			ask(s, n);
		}
	}
}

int64_t guest_near_due(const struct guest *g)
{
	int64_t due = g->ip4_ns, more[] = { g->six_ns[0], g->six_ns[1], g->solicit_ns };

	for (unsigned i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		due = more[i] < due ? more[i] : due;
	for (unsigned i = 0; i < NEIGHBOURS; i++)
		if (g->neighbour[i].state == NEIGHBOUR_ASKED && g->neighbour[i].when_ns < due)
			due = g->neighbour[i].when_ns;
	return due;
}
