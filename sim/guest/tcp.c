/*
 * tcp.c - a small TCP: one way of data, go-back-N
 *
 * Who was ordered to opens, sends the pattern of its first sequence number in a
 * window that starts at two segments, grows by one for each acknowledgement up
 * to 16 and falls to two on a loss, and closes. Who is called to acknowledges
 * what comes in order, checks it, and closes when the other does. Three equal
 * acknowledgements or a timeout (RFC 6298: twice the smoothed round trip, 200 ms
 * at the least, doubled each time) begin again at the first byte unacknowledged.
 */
#include "sim/guest/inside.h"

#include <string.h>

enum { RTO_MIN_MS = 200, RTO_MAX_MS = 30000 };

static void send_segment(struct step *s, struct talk *t, unsigned flags, uint32_t seq, uint32_t ack, uint32_t at,
			 uint32_t len)
{
	uint8_t *frame = guest_room(s), *p;
	unsigned header = TCP_HEADER;

	if (!frame)
		return;
	p = frame_l4(frame, t->peer.family);
	memset(p, 0, TCP_HEADER + 4);
	put16(p, t->lport);
	put16(p + 2, t->rport);
	put32(p + 4, seq);
	put32(p + 8, flags & TCP_ACK ? ack : 0);
	p[13] = (uint8_t)flags;
	put16(p + 14, 0xffff);
	if (flags & TCP_SYN) {
		p[20] = 2;
		p[21] = 4;
		put16(p + 22, s->g->mtu - (t->peer.family == 6 ? 60u : 40u));
		header += 4;
	}
	p[12] = (uint8_t)(header / 4 << 4);
	for (uint32_t i = 0; i < len; i++)
		p[header + i] = guest_talk_byte(t->seed, at + i);
	t->blocked = !guest_send_ip(s, frame, &t->peer, PROTO_TCP, header + len);
}

static int64_t give_up_ns(const struct guest *g)
{
	return g->config->give_up_ns ? g->config->give_up_ns : 60 * G_S;
}

/* ---- who opened ------------------------------------------------------------------------------ */

/* Of the opener: seed is our ISN; byte i of the data has sequence number seed + 1 + i; the FIN follows. */
static void arm(struct step *s, struct talk *t)
{
	t->due_ns = s->now_ns + t->rto_ms * G_MS;
}

static void push(struct step *s, struct talk *t)
{
	unsigned burst = 0;

	while (t->sent < t->total && t->sent - t->acked < (uint32_t)t->window * t->mss && burst++ < SEGMENTS_MAX) {
		uint32_t len = t->total - t->sent < t->mss ? t->total - t->sent : t->mss;

		send_segment(s, t, TCP_ACK | TCP_PSH, t->seed + 1 + t->sent, t->theirs, t->sent, len);
		if (t->blocked)
			return;
		t->sent += len;
	}
	if (t->sent == t->total && t->acked == t->total) {
		send_segment(s, t, TCP_ACK | TCP_FIN, t->seed + 1 + t->total, t->theirs, 0, 0);
		t->state = TCP_CLOSING;
	}
}

void guest_tcp_open(struct step *s, struct talk *t)
{
	t->seed = guest_draw(s->g, UINT32_MAX);
	t->rport = PORT_TCP;
	t->rto_ms = 1000;
	t->window = 2;
	t->moved_ns = s->now_ns;
	t->state = TCP_OPENING;
	send_segment(s, t, TCP_SYN, t->seed, 0, 0, 0);
	arm(s, t);
}

static void measured(struct step *s, struct talk *t)
{
	int64_t rtt_ms = (s->now_ns - t->moved_ns) / G_MS, ms;

	rtt_ms = rtt_ms < RTO_MAX_MS ? rtt_ms : RTO_MAX_MS;
	ms = t->srtt_ms ? (7 * t->srtt_ms + rtt_ms) / 8 : rtt_ms;
	t->srtt_ms = (uint16_t)ms;
	t->rto_ms = (uint16_t)(2 * ms < RTO_MIN_MS ? RTO_MIN_MS : 2 * ms < RTO_MAX_MS ? 2 * ms : RTO_MAX_MS);
}

static void back(struct step *s, struct talk *t)
{
	guest_count(s, GUEST_RESENT);
	t->sent = t->acked;
	t->window = 2;
	push(s, t);
}

static void done(struct step *s, struct talk *t)
{
	struct guest_news *n = guest_tell(s, NEWS_FLOW);

	n->order = ORDER_TCP;
	n->token = t->token;
	n->bytes = t->total;
	n->ip = t->peer;
	n->took_ns = s->now_ns - t->began_ns;
	t->kind = TALK_FREE;
}

static void opener(struct step *s, struct talk *t, const struct seen *f)
{
	uint32_t acked = f->ack - (t->seed + 1);

	if (f->flags & TCP_RST) {
		guest_talk_lost(s, t);
		return;
	}
	if (!(f->flags & TCP_ACK))
		return;
	if (t->state == TCP_OPENING) {
		struct guest_news *n;

		if (!(f->flags & TCP_SYN) || acked)
			return;
		if (f->mss && f->mss < t->mss)
			t->mss = f->mss;
		t->theirs = f->seq + 1;
		n = guest_tell(s, NEWS_OPENED);
		n->order = ORDER_TCP;
		n->token = t->token;
		n->took_ns = s->now_ns - t->began_ns;
		measured(s, t);
		t->state = TCP_OPEN;
		t->moved_ns = s->now_ns;
		push(s, t);
		arm(s, t);
		return;
	}
	if (t->state == TCP_CLOSING) {
		if (f->flags & TCP_FIN || acked == t->total + 1) {
			send_segment(s, t, TCP_ACK, t->seed + 2 + t->total, f->seq + 1, 0, 0);
			done(s, t);
		}
		return;
	}
	if (acked > t->total || acked < t->acked)
		return;
	if (acked > t->acked) {
		if (!t->tries)
			measured(s, t);
		t->acked = acked;
		if (t->sent < acked)
			t->sent = acked;
		t->tries = 0;
		t->window = t->window < SEGMENTS_MAX ? (uint16_t)(t->window + 1) : SEGMENTS_MAX;
		t->moved_ns = s->now_ns;
		push(s, t);
		arm(s, t);
	} else if (t->sent > t->acked && ++t->tries == 3) {
		back(s, t);
		arm(s, t);
	}
}

static void opener_time(struct step *s, struct talk *t)
{
	bool due = t->due_ns <= s->now_ns;

	if (s->now_ns - t->moved_ns >= give_up_ns(s->g)) {
		guest_talk_lost(s, t);
		return;
	}
	if (!due && !t->blocked)
		return;
	if (due)
		t->rto_ms = (uint16_t)(t->rto_ms < RTO_MAX_MS / 2 ? t->rto_ms * 2 : RTO_MAX_MS);
	switch (t->state) {
	case TCP_OPENING:
		if (due)
			guest_count(s, GUEST_RESENT);
		send_segment(s, t, TCP_SYN, t->seed, 0, 0, 0);
		break;
	case TCP_OPEN:
		t->tries = 4;			/* Karn: what comes now measures nothing */
		back(s, t);
		break;
	case TCP_CLOSING:
		guest_count(s, GUEST_RESENT);
		send_segment(s, t, TCP_ACK | TCP_FIN, t->seed + 1 + t->total, t->theirs, 0, 0);
		break;
	}
	if (due)
		arm(s, t);
}

/* ---- who was called -------------------------------------------------------------------------------- */

/* Of the called: seed is the opener's ISN, total ours; acked counts what came in order. */
static void called(struct step *s, struct talk *t, const struct seen *f)
{
	uint32_t at = f->seq - (t->seed + 1), ack;

	if (f->flags & TCP_RST) {
		t->kind = TALK_FREE;
		return;
	}
	t->due_ns = s->now_ns + give_up_ns(s->g);
	if (f->flags & TCP_SYN) {		/* it did not get ours */
		send_segment(s, t, TCP_SYN | TCP_ACK, t->total, t->seed + 1, 0, 0);
		return;
	}
	if (t->state == TCP_CLOSING && !(f->flags & TCP_FIN) && !f->len) {
		t->kind = TALK_FREE;		/* it has our FIN */
		return;
	}
	if (f->len && at == t->acked) {
		for (uint32_t i = 0; i < f->len; i++) {
			if (f->data[i] == guest_talk_byte(t->seed, at + i))
				s->fx->count[GUEST_FLOW_BYTES]++;
			else
				guest_count(s, GUEST_WRONG_DATA);
		}
		t->acked += f->len;
	}
	if (!f->len && !(f->flags & TCP_FIN))
		return;
	ack = t->seed + 1 + t->acked;
	if (f->flags & TCP_FIN && at + f->len == t->acked) {
		t->state = TCP_CLOSING;
		t->due_ns = s->now_ns + 2 * G_S;
		send_segment(s, t, TCP_ACK | TCP_FIN, t->total + 1, ack + 1, 0, 0);
		return;
	}
	send_segment(s, t, TCP_ACK, t->total + 1, ack, 0, 0);
}

static void answer_call(struct step *s, const struct seen *f)
{
	struct talk *t;

	if (!guest_has(s->g, &f->to) || !(t = guest_talk_new(s, TALK_IN, &f->from)))
		return;
	t->lport = f->dport;
	t->rport = f->sport;
	t->seed = f->seq;
	t->total = guest_draw(s->g, UINT32_MAX);
	t->due_ns = s->now_ns + give_up_ns(s->g);
	t->state = TCP_OPEN;
	send_segment(s, t, TCP_SYN | TCP_ACK, t->total, t->seed + 1, 0, 0);
}

static void reset(struct step *s, const struct seen *f)
{
	struct talk t = { .peer = f->from, .lport = f->dport, .rport = f->sport };

	guest_count(s, GUEST_STRANGER);
	if (guest_has(s->g, &f->to))
		send_segment(s, &t, TCP_RST | TCP_ACK, f->flags & TCP_ACK ? f->ack : 0, f->seq + f->len + 1, 0, 0);
}

void guest_tcp_segment(struct step *s, const struct seen *f)
{
	for (unsigned i = 0; i < TALKS; i++) {
		struct talk *t = &s->g->talk[i];

		if ((t->kind != TALK_OUT && t->kind != TALK_IN) || t->lport != f->dport || t->rport != f->sport ||
		    !ip_eq(&t->peer, &f->from))
			continue;
		if (t->kind == TALK_OUT)
			opener(s, t, f);
		else
			called(s, t, f);
		return;
	}
	if (f->flags & TCP_SYN && !(f->flags & TCP_ACK) && f->dport == PORT_TCP)
		answer_call(s, f);
	else if (!(f->flags & TCP_RST) && (f->len || f->flags & TCP_SYN))
		reset(s, f);
}

void guest_tcp_time(struct step *s, struct talk *t)
{
	if (t->kind == TALK_OUT)
		opener_time(s, t);
	else if (t->due_ns <= s->now_ns)
		t->kind = TALK_FREE;		/* the other end fell silent */
	else if (t->blocked)			/* the first thing it had to say waited for the neighbour */
		send_segment(s, t, TCP_SYN | TCP_ACK, t->total, t->seed + 1, 0, 0);
}
