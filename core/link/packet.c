/*
 * Messages of links, out and in.
 *
 * A packet for a relayed link is sealed twice: once for its receiver, then, as
 * the contents of RELAY, for the neighbour that carries it. Both seals are made
 * in place in the effects' buffer; nothing is copied.
 */
#include "core/link/link.h"

#include "core/link/table.h"

/* Bytes in front of a packet that goes through a relay: header, kind, id. */
enum { RELAY_FRONT = WIRE_HEADER + 1 + ID_BYTES };

/* ---- out ---- */

static size_t front(uint16_t via)
{
	return via == NO_SLOT ? 0 : RELAY_FRONT;
}

struct writer message_open(struct env *e, struct links *l, struct link *k, uint16_t via, uint8_t kind, size_t max)
{
	size_t before = front(via) + WIRE_HEADER;
	struct writer w;

	if (!k->session || (via != NO_SLOT && !(link_at(l, via) && link_at(l, via)->session)))
		return (struct writer){ .bad = true };
	w = env_send(e, before + 1 + max + WIRE_TAG + (via == NO_SLOT ? 0 : WIRE_TAG));
	write_space(&w, before);
	write_u8(&w, kind);
	w.end -= w.bad ? 0 : WIRE_TAG + (via == NO_SLOT ? 0 : WIRE_TAG);
	return w;
}

/* Wrap the @len bytes at @w->start + RELAY_FRONT for the relay @via, and send them. */
static void wrap(struct env *e, struct links *l, struct link *through, struct id to, struct writer *w, size_t len,
		 uint8_t kind)
{
	struct writer head = writer_of(w->start + WIRE_HEADER, 1 + ID_BYTES);

	(void)l;
	write_u8(&head, MESSAGE_RELAY);
	write_id(&head, to);
	len = session_seal(e->suite, through->session, 0, PACKET_LINK, 0, w->start, 1 + ID_BYTES + len);
	if (!len)
		return;
	w->at = w->start + len;
	env_sent(e, w, &through->at, kind);
}

void message_shut(struct env *e, struct links *l, struct link *k, uint16_t via, const struct endpoint *to,
		  struct writer *w)
{
	size_t before = front(via), len;
	uint8_t *packet, kind;

	if (w->bad)
		return;
	packet = w->start + before;
	kind = packet[WIRE_HEADER];
	len = session_seal(e->suite, k->session, 0, PACKET_LINK, 0, packet,
			   writer_len(w) - before - WIRE_HEADER);
	if (!len)
		return;
	w->end += WIRE_TAG + (via == NO_SLOT ? 0 : WIRE_TAG);
	if (via != NO_SLOT) {
		wrap(e, l, link_at(l, via), k->id, w, len, kind);
		return;
	}
	w->at = packet + len;
	env_sent(e, w, to, kind);
}

/* Room for a packet that is sealed by itself: w.at is where it begins. */
struct writer packet_open(struct env *e, struct links *l, uint16_t via, size_t max)
{
	struct link *through = via == NO_SLOT ? NULL : link_at(l, via);
	struct writer w;

	if (via != NO_SLOT && (!through || !through->session))
		return (struct writer){ .bad = true };
	w = env_send(e, front(via) + max + (through ? WIRE_TAG : 0));
	write_space(&w, front(via));
	return w;
}

/* @peer: whom the relay is to bring it to */
void packet_shut(struct env *e, struct links *l, struct id peer, uint16_t via, const struct endpoint *to, struct writer *w,
		 uint8_t kind)
{
	if (w->bad)
		return;
	if (via != NO_SLOT)
		wrap(e, l, link_at(l, via), peer, w, writer_len(w) - front(via), kind);
	else
		env_sent(e, w, to, kind);
}

void packet_send(struct env *e, struct links *l, struct id peer, uint16_t via, const struct endpoint *to,
		 const uint8_t *packet, size_t len, uint8_t kind)
{
	struct writer w = packet_open(e, l, via, len);

	write_copy(&w, packet, len);
	packet_shut(e, l, peer, via, to, &w, kind);
}

struct writer links_message(struct env *e, struct links *l, link_ref ref, uint8_t kind, size_t max)
{
	struct link *k = link_at(l, ref.slot);

	if (!k || k->state != LINK_UP)
		return (struct writer){ .bad = true };
	return message_open(e, l, k, k->via, kind, max);
}

void links_sent(struct env *e, struct links *l, link_ref ref, struct writer *w)
{
	struct link *k = link_at(l, ref.slot);

	if (k)
		message_shut(e, l, k, k->via, &k->at, w);
}

/* ---- in ---- */

static void message_in(struct env *e, struct links *l, struct link *k, uint8_t *text, size_t len,
		       const struct arrival *a)
{
	struct reader in = reader_of(text, len);
	uint8_t kind = read_u8(&in);
	uint16_t slot = link_slot(l, k);
	struct news n = {
		.kind = NEWS_MESSAGE, .link = { slot }, .id = k->id, .message = kind, .body = { in.at, reader_left(&in) },
	};
	uint8_t why;

	switch (kind) {
	case MESSAGE_PROBE:
	case MESSAGE_PROBE_ACK:
		alive_probe_in(e, l, k, &in, kind == MESSAGE_PROBE_ACK, a);
		break;
	case MESSAGE_MTU_PROBE:
	case MESSAGE_MTU_ACK:
		mtu_in(e, l, k, &in, kind == MESSAGE_MTU_ACK, a);
		break;
	case MESSAGE_OBSERVED:
		reach_observed_in(e, l, k, &in);
		break;
	case MESSAGE_ADDRESSES:
		reach_addresses_in(e, l, k, &in, a);
		break;
	case MESSAGE_CHALLENGE:
		path_challenge_in(e, l, k, &in, a);
		break;
	case MESSAGE_RESPONSE:
		path_response_in(e, l, k, &in, a);
		break;
	case MESSAGE_CLOSE:
		why = read_u8(&in);
		if (!why || why >= LINK_ENDS || why == END_DEAD)	/* it is we who seemed dead: call again */
			why = END_REFUSED;
		if (k->state == LINK_UP)
			link_end(e, l, k, why, false);
		return;
	case MESSAGE_RELAY:
		path_relay_in(e, l, k, &in);
		break;
	case MESSAGE_RELAYED:
		path_relayed_in(e, l, k, &in);
		return;				/* the table may have moved */
	default:
		if (k->state == LINK_UP)
			news_add(e, l, &n);
		break;
	}
}

struct session *session_of(const struct link *k, uint32_t index, struct attempt **answer)
{
	*answer = NULL;
	if (k->session && k->session->index == index)
		return k->session;
	if (k->old && k->old->index == index)
		return k->old;
	for (struct attempt *t = k->attempts; t; t = t->next)
		if (t->kind == ATTEMPT_ANSWER && t->session && t->session->index == index) {
			*answer = t;
			return t->session;
		}
	return NULL;
}

static void link_packet(struct env *e, struct links *l, struct link *k, const uint8_t *data, size_t len,
			uint32_t index, const struct arrival *a)
{
	struct attempt *answer;
	struct session *s = k ? session_of(k, index, &answer) : NULL;
	uint16_t slot;
	struct opened o;
	uint8_t *text;
	enum drop why;

	/* An answer to a bare endpoint may have moved to the slot its caller had already. */
	for (uint16_t i = 0; !s && i < l->slots; i++)
		if (l->link[i].state != LINK_FREE) {
			k = &l->link[i];
			s = session_of(k, index, &answer);
		}
	if (!s) {
		env_drop(e, DROP_SESSION);
		return;
	}
	slot = link_slot(l, k);
	text = env_scratch(e, len);
	if (!text)
		return;
	why = session_open(e->suite, s, data, len, text, &o);
	if (why != DROP_NONE || !o.len) {
		env_drop(e, why != DROP_NONE ? why : DROP_SHORT);
		return;
	}
	if (answer) {
		call_confirmed(e, l, k, answer, a);
		k = link_at(l, slot);
		if (!k)
			return;
	}
	if (k->attempts && s == k->session)
		call_proved(e, l, k);
	alive_heard(e, l, k, a);
	message_in(e, l, k, text, o.len, a);
	k = link_at(l, slot);
	if (k)
		alive_arm(e, l, k);
}

static struct attempt *attempt_of(struct link *k, uint32_t index, enum attempt_kind kind)
{
	for (struct attempt *t = k->attempts; t; t = t->next)
		if (t->kind == kind && t->index == index)
			return t;
	return NULL;
}

void packet_input(struct env *e, struct links *l, const uint8_t *data, size_t len, const struct arrival *a)
{
	struct reader r = reader_of(data, len);
	uint8_t first = read_u8(&r);
	struct bytes packet = { data, len };
	uint32_t index;
	struct link *k;
	struct attempt *t;

	read_take(&r, 3);
	index = read_u32(&r);
	if (!reader_ok(&r)) {
		env_drop(e, DROP_SHORT);
		return;
	}
	if (first >> 4 != WIRE_VERSION) {
		env_drop(e, DROP_VERSION);
		return;
	}
	if ((first & 15) == PACKET_INIT) {
		call_init_in(e, l, packet, a);
		return;
	}
	k = link_at(l, index & ((1u << SLOT_BITS) - 1));
	if (!k && (first & 15) != PACKET_LINK && (first & 15) != PACKET_DATA) {
		env_drop(e, DROP_SESSION);
		return;
	}
	switch (first & 15) {
	case PACKET_REPLY:
		t = attempt_of(k, index, ATTEMPT_CALL);
		if (t)
			call_reply_in(e, l, k, t, packet, a);
		else
			env_drop(e, DROP_HANDSHAKE);
		break;
	case PACKET_COOKIE:
		t = attempt_of(k, index, ATTEMPT_CALL);
		if (t)
			call_cookie_in(e, l, t, packet, a);
		else
			env_drop(e, DROP_HANDSHAKE);
		break;
	case PACKET_FINISH:
		t = attempt_of(k, index, ATTEMPT_ANSWER);
		if (t && !t->session)
			call_finish_in(e, l, k, t, packet, a);
		else
			env_drop(e, DROP_HANDSHAKE);
		break;
	case PACKET_LINK:
		link_packet(e, l, k, data, len, index, a);
		break;
	case PACKET_DATA:
		carry_in(e, l, packet, index, a);
		break;
	default:
		env_drop(e, DROP_TYPE);
	}
}

void links_datagram(struct env *e, struct links *l, const struct event *ev)
{
	struct arrival a = { .from = ev->from, .via = NO_SLOT };

	if (!endpoint_valid(&a.from)) {
		env_drop(e, DROP_RANGE);
		return;
	}
	packet_input(e, l, ev->data.at, ev->data.len, &a);
}
