/*
 * talk.c - conversations: pings, questions, UDP flows, shouts; tcp.c has the rest
 *
 * A conversation has one of six places. It makes its packet when it is due, and
 * again when the MAC it waits for is known. The payload of flows is a function of
 * (seed, place), so the other end can check each byte without keeping any.
 *
 *	UDP flow	"weft" | seed 4 | place 4 | total 4 | ordered at 8, ns | pattern
 *	beat		"beat" |  as of a flow; the token in place of the pattern
 *	shout		"shou" | token 4 | from 4 | 0 4     | ordered at 8, ns | zeros
 */
#include "sim/guest/inside.h"

#include <string.h>

enum { UDP_MAGIC = 0x77656674, BEAT_MAGIC = 0x62656174, BEAT_SIZE = 28, SHOUT_MAGIC = 0x73686f75, FLOW_HEADER = 24, NAME_TRIES = 3, PING_BYTES = 56 };

#define NAME_NS		(2 * G_S)

uint8_t guest_talk_byte(uint32_t seed, uint32_t at)
{
	uint32_t x = (seed + at) * UINT32_C(0x9e3779b1);

	return (uint8_t)((x ^ x >> 15) >> 11);
}

static void put64(uint8_t *at, uint64_t v)
{
	put32(at, (uint32_t)(v >> 32));
	put32(at + 4, (uint32_t)v);
}

static uint64_t get64(const uint8_t *at)
{
	return (uint64_t)get32(at) << 32 | get32(at + 4);
}

struct talk *guest_talk_new(struct step *s, enum talk_kind kind, const struct ip *peer)
{
	struct guest *g = s->g;

	for (unsigned i = 0; i < TALKS; i++) {
		struct talk *t = &g->talk[i];

		if (t->kind)
			continue;
		*t = (struct talk){ .kind = (uint8_t)kind, .peer = *peer, .began_ns = s->now_ns, .due_ns = s->now_ns };
		t->lport = (uint16_t)(0xc000 + (g->next++ & 0x3fff));
		return t;
	}
	guest_count(s, GUEST_NO_ROOM);
	return NULL;
}

void guest_talk_lost(struct step *s, struct talk *t)
{
	struct guest_news *n;

	if (t->kind != TALK_IN) {
		n = guest_tell(s, t->kind == TALK_PING ? NEWS_PING_LOST : t->kind == TALK_NAME ? NEWS_NAME_LOST :
				  NEWS_FLOW_LOST);
		n->token = t->token;
		n->ip = t->peer;
		n->took_ns = s->now_ns - t->began_ns;
		n->order = t->kind == TALK_PING ? ORDER_PING : t->kind == TALK_NAME ? ORDER_RESOLVE :
			   t->kind == TALK_UDP ? t->state ? ORDER_BEAT : ORDER_UDP : ORDER_TCP;
		if (t->kind == TALK_OUT)
			n->bytes = t->acked;
	}
	t->kind = TALK_FREE;
}

void guest_talk_end_all(struct step *s)
{
	for (unsigned i = 0; i < TALKS; i++)
		if (s->g->talk[i].kind)
			guest_talk_lost(s, &s->g->talk[i]);
}

/* ---- pings ------------------------------------------------------------------------------------ */

static int64_t ping_ns(const struct guest *g)
{
	return g->config->ping_ns ? g->config->ping_ns : 5 * G_S;
}

static void ping_time(struct step *s, struct talk *t)
{
	uint8_t *frame, *p;

	if (t->state || s->now_ns - t->began_ns >= ping_ns(s->g)) {
		if (s->now_ns - t->began_ns >= ping_ns(s->g))
			guest_talk_lost(s, t);
		return;
	}
	frame = guest_room(s);
	t->due_ns = t->began_ns + ping_ns(s->g);
	if (!frame)
		return;
	p = frame_l4(frame, t->peer.family);
	memset(p, 0, 8);
	p[0] = t->peer.family == 6 ? 128 : 8;
	put16(p + 4, t->lport);
	put16(p + 6, 1);
	for (unsigned i = 0; i < PING_BYTES; i++)
		p[8 + i] = guest_talk_byte(t->lport, i);
	t->moved_ns = s->now_ns;
	t->blocked = !guest_send_ip(s, frame, &t->peer, t->peer.family == 6 ? PROTO_ICMP6 : PROTO_ICMP,
				    8 + PING_BYTES);
	t->state = !t->blocked;
}

static void echo_reply(struct step *s, const struct seen *f)
{
	struct guest_news *n;

	for (unsigned i = 0; i < TALKS; i++) {
		struct talk *t = &s->g->talk[i];

		if (t->kind != TALK_PING || t->lport != get16(f->l4 + 4) || !ip_eq(&t->peer, &f->from))
			continue;
		if (f->l4_len != 8 + PING_BYTES)
			guest_count(s, GUEST_WRONG_DATA);
		for (unsigned k = 8; k < f->l4_len; k++)
			if (f->l4[k] != guest_talk_byte(t->lport, k - 8))
				guest_count(s, GUEST_WRONG_DATA);
		n = guest_tell(s, NEWS_PONG);
		n->order = ORDER_PING;
		n->token = t->token;
		n->ip = t->peer;
		n->took_ns = s->now_ns - t->began_ns;
		n->rtt_ns = s->now_ns - t->moved_ns;
		t->kind = TALK_FREE;
		return;
	}
	guest_count(s, GUEST_STRANGER);
}

static void echo(struct step *s, const struct seen *f)
{
	uint8_t *frame;

	if (!guest_has(s->g, &f->to) || !(frame = guest_room(s)))
		return;
	guest_count(s, GUEST_ECHOED);
	memcpy(frame_l4(frame, f->from.family), f->l4, f->l4_len);
	frame_l4(frame, f->from.family)[0] = f->from.family == 6 ? 129 : 0;
	frame_l4(frame, f->from.family)[1] = 0;
	/* a reply goes back where the request came from: no question needed */
	guest_sent(s, frame, frame_ip(frame, s->g->mac, f->src, &f->to, &f->from, f->proto, 64, f->l4_len));
}

/* ICMP about a packet of ours: too big (the flow to that address shrinks), or unreachable. */
static void complaint(struct step *s, const struct seen *f, bool big)
{
	bool six = f->from.family == 6;
	unsigned mtu = six ? get32(f->l4 + 4) : get16(f->l4 + 6), header = (six ? 40u : 20u) + TCP_HEADER;
	const uint8_t *inner = f->l4 + 8;
	struct ip to = { .family = f->from.family };

	guest_count(s, big ? GUEST_TOO_BIG : GUEST_UNREACHABLE);
	if (!big || f->l4_len < 8 + (six ? 40 : 20) || mtu < (six ? 1280 : 576))
		return;
	memcpy(to.at, inner + (six ? 24 : 16), six ? 16 : 4);
	for (unsigned i = 0; i < TALKS; i++) {
		struct talk *t = &s->g->talk[i];

		if ((t->kind == TALK_OUT || t->kind == TALK_UDP) && ip_eq(&t->peer, &to) && mtu - header < t->mss)
			t->mss = (uint16_t)(mtu - header);
	}
}

void guest_talk_icmp(struct step *s, const struct seen *f)
{
	unsigned type = f->l4[0];

	if (f->proto == PROTO_ICMP6 && type >= 133 && type <= 137)
		guest_near_icmp6(s, f);
	else if (type == (f->proto == PROTO_ICMP6 ? 128 : 8))
		echo(s, f);
	else if (type == (f->proto == PROTO_ICMP6 ? 129 : 0))
		echo_reply(s, f);
	else if (f->proto == PROTO_ICMP6 ? type == 2 : type == 3 && f->l4[1] == 4)
		complaint(s, f, true);
	else if (type == (f->proto == PROTO_ICMP6 ? 1 : 3))
		complaint(s, f, false);
}

/* ---- names -------------------------------------------------------------------------------------- */

static void udp_header(uint8_t *udp, unsigned sport, unsigned dport, size_t len)
{
	put16(udp, sport);
	put16(udp + 2, dport);
	put16(udp + 4, (unsigned)(UDP_HEADER + len));
}

/* peer: the address whose name is sought, or only its family. */
static void name_time(struct step *s, struct talk *t)
{
	uint8_t *frame;
	char reverse[80];
	size_t len;

	if (t->due_ns > s->now_ns && !t->blocked)
		return;
	if (t->tries >= NAME_TRIES) {
		guest_talk_lost(s, t);
		return;
	}
	t->due_ns = s->now_ns + NAME_NS;
	if (!t->blocked)			/* unblocked: the same try */
		t->tries++;
	frame = guest_room(s);
	if (!frame || !s->g->dns.family)
		return;
	if (!t->name[0])
		guest_dns_reverse(&t->peer, reverse, sizeof(reverse));
	len = guest_dns_ask(frame_l4(frame, s->g->dns.family) + UDP_HEADER, 512, t->lport, t->name[0] ? t->name : reverse,
		      t->name[0] ? t->peer.family : 0);
	if (!len) {
		guest_talk_lost(s, t);
		return;
	}
	udp_header(frame_l4(frame, s->g->dns.family), t->lport, PORT_DNS, len);
	t->blocked = !guest_send_ip(s, frame, &s->g->dns, PROTO_UDP, UDP_HEADER + len);
}

static void name_answer(struct step *s, struct talk *t, const struct seen *f)
{
	struct dns_answer a;
	struct guest_news *n;

	if (!guest_dns_read(f->data, f->len, t->lport, t->name[0] ? t->peer.family : 0, &a)) {
		guest_count(s, GUEST_FORM);
		return;
	}
	n = guest_tell(s, NEWS_NAME);
	n->order = ORDER_RESOLVE;
	n->token = t->token;
	n->ip = a.ip;
	n->code = a.code;
	memcpy(n->name, a.name, sizeof(n->name));
	n->took_ns = s->now_ns - t->began_ns;
	t->kind = TALK_FREE;
}

/* ---- UDP flows and shouts -------------------------------------------------------------------------- */

static void udp_time(struct step *s, struct talk *t)
{
	uint8_t *frame, *p;
	uint32_t left = t->total - t->sent, len = t->mss - FLOW_HEADER;
	struct guest_news *n;

	if (t->due_ns > s->now_ns && !t->blocked)
		return;
	if (!left) {
		n = guest_tell(s, NEWS_FLOW);
		n->order = t->state ? ORDER_BEAT : ORDER_UDP;
		n->token = t->token;
		n->bytes = t->total;
		n->took_ns = s->now_ns - t->began_ns;
		t->kind = TALK_FREE;
		return;
	}
	if (t->blocked && s->now_ns - t->began_ns > 5 * G_S && !t->sent) {
		guest_talk_lost(s, t);
		return;
	}
	frame = guest_room(s);
	t->due_ns = s->now_ns + G_S;
	if (!frame)
		return;
	len = left < len ? left : len;
	p = frame_l4(frame, t->peer.family) + UDP_HEADER;
	put32(p, t->state ? BEAT_MAGIC : UDP_MAGIC);
	put32(p + 4, t->seed);
	put32(p + 8, t->sent);
	put32(p + 12, t->total);
	put64(p + 16, (uint64_t)t->began_ns);
	for (uint32_t i = 0; i < len; i++)
		p[FLOW_HEADER + i] = t->state ? (uint8_t)(t->token >> (24 - 8 * (i & 3))) : guest_talk_byte(t->seed, t->sent + i);
	udp_header(frame_l4(frame, t->peer.family), t->lport, PORT_UDP, FLOW_HEADER + len);
	t->blocked = !guest_send_ip(s, frame, &t->peer, PROTO_UDP, UDP_HEADER + FLOW_HEADER + len);
	if (t->blocked)
		return;
	if (!t->state)
		guest_count(s, GUEST_UDP_SENT);
	t->sent += len;
	t->due_ns = s->now_ns + (t->sent < t->total ? t->moved_ns : 0);	/* moved_ns: the pace */
}

/* Is somebody heard (again)? */
static void beat_packet(struct step *s, const struct seen *f)
{
	uint32_t seed = get32(f->data + 4);
	struct guest_news *n;

	if (s->g->arrived_ns != G_NEVER) {
		n = guest_tell(s, NEWS_BACK);
		n->ip = f->from;
		n->took_ns = s->now_ns - s->g->arrived_ns;
		s->g->arrived_ns = G_NEVER;
	}
	for (unsigned i = 0; i < 4; i++)
		if (s->g->beat[i] == seed)
			return;
	memmove(s->g->beat + 1, s->g->beat, 3 * sizeof(seed));
	s->g->beat[0] = seed;
	n = guest_tell(s, NEWS_BEAT);
	n->ip = f->from;
	n->token = get32(f->data + FLOW_HEADER);
	n->took_ns = s->now_ns - (int64_t)get64(f->data + 16);
}

static void flow_packet(struct step *s, const struct seen *f)
{
	uint32_t seed, at;
	struct guest_news *n;

	if (f->len == BEAT_SIZE && get32(f->data) == BEAT_MAGIC) {
		beat_packet(s, f);
		return;
	}

	if (f->len < FLOW_HEADER || get32(f->data) != UDP_MAGIC) {
		guest_count(s, GUEST_FORM);
		return;
	}
	seed = get32(f->data + 4);
	at = get32(f->data + 8);
	guest_count(s, GUEST_UDP_GOT);
	for (uint32_t i = FLOW_HEADER; i < f->len; i++) {
		if (f->data[i] == guest_talk_byte(seed, at + i - FLOW_HEADER))
			s->fx->count[GUEST_FLOW_BYTES]++;
		else
			guest_count(s, GUEST_WRONG_DATA);
	}
	if (at)
		return;
	n = guest_tell(s, NEWS_FIRST);
	n->order = ORDER_UDP;
	n->ip = f->from;
	n->took_ns = s->now_ns - (int64_t)get64(f->data + 16);
}

static void shout(struct step *s, const struct guest_order *o)
{
	static const struct ip all = { .at = { 255, 255, 255, 255 }, .family = 4 };
	uint8_t *frame = guest_room(s), *p;
	size_t len = o->size > FLOW_HEADER ? o->size : FLOW_HEADER;

	if (!frame || s->g->use4 != USE_YES || len > 1400)
		return;
	p = frame_l4(frame, 4) + UDP_HEADER;
	memset(p, 0, len);
	put32(p, SHOUT_MAGIC);
	put32(p + 4, o->token);
	put32(p + 8, s->g->number);
	put64(p + 16, (uint64_t)s->now_ns);
	udp_header(frame_l4(frame, 4), PORT_SHOUT, PORT_SHOUT, len);
	guest_send_ip(s, frame, o->ip.family ? &o->ip : &all, PROTO_UDP, UDP_HEADER + len);
}

static void heard(struct step *s, const struct seen *f)
{
	struct guest_news *n;

	if (f->len < FLOW_HEADER || get32(f->data) != SHOUT_MAGIC) {
		guest_count(s, GUEST_FORM);
		return;
	}
	n = guest_tell(s, NEWS_HEARD);
	n->order = ORDER_SHOUT;
	n->token = get32(f->data + 4);
	n->from = get32(f->data + 8);
	n->ip = f->from;
	n->took_ns = s->now_ns - (int64_t)get64(f->data + 16);
}

/* RFC 2236, 2: an IGMPv2 membership report, to the group itself with a TTL of 1. */
static void join(struct step *s, const struct guest_order *o)
{
	uint8_t *frame = guest_room(s), *p, mac[MAC_LEN];

	if (!frame || s->g->use4 != USE_YES || o->ip.family != 4)
		return;
	p = frame_l4(frame, 4);
	memset(p, 0, 8);
	p[0] = 0x16;
	memcpy(p + 4, o->ip.at, 4);
	put16(p + 2, frame_fold(frame_sum(0, p, 8)));
	frame_group(&o->ip, mac);
	guest_sent(s, frame, frame_ip(frame, s->g->mac, mac, &s->g->ip4, &o->ip, 2, 1, 8));
}

void guest_talk_udp(struct step *s, const struct seen *f)
{
	for (unsigned i = 0; i < TALKS; i++) {
		struct talk *t = &s->g->talk[i];

		if (t->kind == TALK_NAME && t->lport == f->dport && f->sport == PORT_DNS &&
		    ip_eq(&f->from, &s->g->dns)) {
			name_answer(s, t, f);
			return;
		}
	}
	if (f->dport == PORT_UDP)
		flow_packet(s, f);
	else if (f->dport == PORT_SHOUT)
		heard(s, f);
	else if (!(f->dst[0] & 1))
		guest_count(s, GUEST_STRANGER);
}

/* ---- all of them --------------------------------------------------------------------------------------- */

static void begin(struct step *s, struct talk *t, const struct guest_order *o)
{
	unsigned header = (o->ip.family == 6 ? 40u : 20u);

	t->token = o->token;
	switch (t->kind) {
	case TALK_PING:
		ping_time(s, t);
		break;
	case TALK_NAME:
		if (o->name)
			for (unsigned i = 0; i < GUEST_NAME && o->name[i]; i++)
				t->name[i] = o->name[i];
		name_time(s, t);
		break;
	case TALK_UDP:
		t->state = o->kind == ORDER_BEAT;
		t->seed = guest_draw(s->g, UINT32_MAX);
		t->total = o->bytes;
		t->mss = t->state ? BEAT_SIZE : o->size > FLOW_HEADER ? o->size : 512;
		if (t->mss > s->g->mtu - header - UDP_HEADER)
			t->mss = (uint16_t)(s->g->mtu - header - UDP_HEADER);
		t->moved_ns = o->pace_ns ? o->pace_ns : G_MS;
		udp_time(s, t);
		break;
	case TALK_OUT:
		t->total = o->bytes;
		t->mss = (uint16_t)(s->g->mtu - header - TCP_HEADER);
		guest_tcp_open(s, t);
		break;
	}
}

void guest_talk_order(struct step *s, const struct guest_order *o)
{
	static const uint8_t kind[] = { [ORDER_PING] = TALK_PING, [ORDER_RESOLVE] = TALK_NAME,
					[ORDER_UDP] = TALK_UDP, [ORDER_TCP] = TALK_OUT, [ORDER_BEAT] = TALK_UDP };
	struct talk *t;

	if (o->kind == ORDER_SHOUT)
		shout(s, o);
	else if (o->kind == ORDER_JOIN)
		join(s, o);
	else if ((t = guest_talk_new(s, kind[o->kind], &o->ip)))
		begin(s, t, o);
}

static void guest_talk_go(struct step *s, struct talk *t)
{
	switch (t->kind) {
	case TALK_PING:
		ping_time(s, t);
		break;
	case TALK_NAME:
		name_time(s, t);
		break;
	case TALK_UDP:
		udp_time(s, t);
		break;
	case TALK_OUT:
	case TALK_IN:
		guest_tcp_time(s, t);
		break;
	}
}

void guest_talk_unblock(struct step *s)
{
	for (unsigned i = 0; i < TALKS; i++)
		if (s->g->talk[i].kind && s->g->talk[i].blocked)
			guest_talk_go(s, &s->g->talk[i]);
}

void guest_talk_time(struct step *s)
{
	for (unsigned i = 0; i < TALKS; i++)
		if (s->g->talk[i].kind && s->g->talk[i].due_ns <= s->now_ns)
			guest_talk_go(s, &s->g->talk[i]);
}

int64_t guest_talk_due(const struct guest *g)
{
	int64_t due = G_NEVER;

	for (unsigned i = 0; i < TALKS; i++)
		if (g->talk[i].kind && g->talk[i].due_ns < due)
			due = g->talk[i].due_ns;
	return due;
}
