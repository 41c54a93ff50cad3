/*
 * Payloads out: who carries them, in how many pieces, and what waits.
 *
 * Order is kept: nothing passes what waits. A payload waits for keys, and for a
 * carrier when the few that may go by mail have gone; every one that is given
 * up is counted.
 */
#include <assert.h>
#include <string.h>

#include "core/link/ends.h"

#define WANT_MS		2000u		/* a chain is asked for again after this */
#define WINDOW_MS	5000u		/* traffic is counted over this */
#define UNUSED_MS	40000u		/* so long after a chain was to be refreshed it is given up */
#define DEMAND_MS	120000u		/* a link is demanded no more after so long without payloads */
#define MAIL_MS		1000u

enum {
	EARN_PACKETS	= 20,		/* in one window */
	EARN_BYTES	= 32 << 10,
	MAIL_DATA_MAX	= 8,		/* data packets by mail in one MAIL_MS */
};

enum { MAIL_MTU = TUNNEL_MAIL_MAX - 1 };

static void want(struct env *e, struct tunnels *ts, struct tunnel *t, bool direct)
{
	struct tunnel_item *item = ends_put_item(e, &ts->want);

	if (!item)
		return;
	item->want = (struct tunnel_want){
		.direct = direct, .anew = !t->label, .index = t->session->peer_index,
		.who = { .id = t->peer, .has_id = true, .has_key = false, .ats = t->ats },
	};
	memcpy(item->want.who.at, t->at, sizeof(t->at));
}

/* ---- carriers ---- */

enum carrier { CARRIER_NONE, CARRIER_LINK, CARRIER_CHAIN, CARRIER_MAIL };

static bool linked(struct tunnels *ts, struct tunnel *t)
{
	if (!link_ok(t->link) || !id_eq(links_id(ts->links, t->link), t->peer))
		t->link = links_find(ts->links, t->peer);
	return link_ok(t->link) && links_up(ts->links, t->link);
}

uint16_t tunnels_fits(struct tunnels *ts, unsigned n, struct id peer)
{
	struct tunnel *t = tunnel_find(ts, n, peer);
	uint16_t mtu = t && linked(ts, t) ? links_measured(ts->links, t->link) : 0;

	return mtu ? (uint16_t)(mtu - SESSION_OVERHEAD - OFFLOAD_WORD) : 0;
}

static bool mail_allowed(const struct env *e, struct tunnel *t)
{
	if (past_ms(env_ms(e), t->mail_ms + MAIL_MS)) {
		t->mail_ms = env_ms(e);
		t->mail_left = MAIL_DATA_MAX;
	}
	return t->mail_left;
}

static enum carrier carrier(const struct env *e, struct tunnels *ts, struct tunnel *t, uint16_t *mtu)
{
	if (linked(ts, t)) {
		*mtu = links_carries(ts->links, t->link);
		return CARRIER_LINK;
	}
	if (t->label && past_ms(env_ms(e), t->want_ms + UNUSED_MS)) {
		t->label = 0;			/* relays may have forgotten it */
		t->want_ms = env_ms(e);
	}
	if (t->label && links_up(ts->links, t->chain)) {
		*mtu = t->chain_mtu;
		return CARRIER_CHAIN;
	}
	*mtu = MAIL_MTU;
	return mail_allowed(e, t) ? CARRIER_MAIL : CARRIER_NONE;
}

/* How the tunnel would like to be carried, now that it has something to carry. */
static void wish(struct env *e, struct tunnels *ts, struct tunnel *t, enum carrier how)
{
	uint32_t now = env_ms(e);

	if (t->demanded && now - t->used_ms > DEMAND_MS)
		t->demanded = false;
	if (how != CARRIER_LINK && past_ms(now, t->want_ms)) {
		t->want_ms = now + (t->label ? REFRESH_MS : WANT_MS);
		want(e, ts, t, false);
	}
	if (past_ms(now, t->window_ms + WINDOW_MS)) {
		t->window_ms = now;
		t->window_packets = 0;
		t->window_bytes = 0;
	}
	if ((t->window_packets > EARN_PACKETS || t->window_bytes > EARN_BYTES) && how != CARRIER_LINK)
		t->demanded = true;
	if (t->demanded && past_ms(now, t->demand_ms)) {
		t->demand_ms = now + REFRESH_MS;
		want(e, ts, t, true);
	}
}

/** struct outgoing - a packet on its way out: written, sealed and sent where it stands */
struct outgoing {
	enum carrier how;
	uint8_t *packet;
	struct writer w;		/* what is to be sealed goes in here */
};

/* For @plain bytes. False: no room (counted), or the carrier is gone. */
static bool out_open(struct env *e, struct tunnels *ts, struct tunnel *t, enum carrier how, size_t plain, struct outgoing *o)
{
	size_t max = SESSION_OVERHEAD + plain;

	o->how = how;
	o->w = how == CARRIER_LINK ? links_data(e, ts->links, t->link, max) :
	       how == CARRIER_CHAIN ? links_data(e, ts->links, t->chain, max) : writer_of(env_scratch(e, max), max);
	if (!o->w.at)
		o->w.bad = true;
	o->packet = o->w.at;
	write_space(&o->w, WIRE_HEADER);
	return !o->w.bad;
}

static bool out_sent(struct env *e, struct tunnels *ts, struct tunnel *t, uint8_t flags, struct outgoing *o)
{
	size_t plain = (size_t)(o->w.at - o->packet) - WIRE_HEADER, len;

	assert(!o->w.bad);
	len = session_seal(e->suite, t->session, 0, PACKET_DATA, flags, o->packet, plain);
	if (!len)
		return false;
	o->w.at = o->packet + len;
	if (o->how == CARRIER_LINK) {
		links_carry(e, ts->links, t->link, &o->w);
	} else if (o->how == CARRIER_CHAIN) {
		for (unsigned i = 0; i < 4; i++)
			o->packet[4 + i] = (uint8_t)(t->label >> (24 - 8 * i));
		links_carry(e, ts->links, t->chain, &o->w);
	} else {
		if (t->mail_left)
			t->mail_left--;
		ends_mail(e, ts, t, MAIL_DATA, (struct bytes){ o->packet, len });
	}
	return true;
}

static void sent(struct env *e, struct tunnel *t)
{
	if (!t->alone) {
		t->alone = true;
		t->alone_ms = env_ms(e);
	}
}

void tunnel_count(struct env *e, struct tunnel *t, size_t len)
{
	t->used_ms = env_ms(e);
	t->window_packets += t->window_packets < UINT16_MAX;
	t->window_bytes += (uint32_t)len;
}

void tunnel_control(struct env *e, struct tunnels *ts, struct tunnel *t, enum control word)
{
	struct outgoing o;
	uint16_t mtu;
	enum carrier how;

	if (!t->session)
		return;
	how = carrier(e, ts, t, &mtu);
	if (!out_open(e, ts, t, how == CARRIER_NONE ? CARRIER_MAIL : how, 1, &o))
		return;
	write_u8(&o.w, (uint8_t)word);
	out_sent(e, ts, t, FLAG_CONTROL, &o);
}

static bool undone(const struct offload *o)
{
	return o->segment || o->partial;
}

/* @len bytes from @at on of @word and then @payload. */
static void write_part(struct writer *w, struct bytes word, struct bytes payload, size_t at, size_t len)
{
	size_t front = at >= word.len ? 0 : word.len - at < len ? word.len - at : len;

	if (front)
		write_copy(w, word.at + at, front);
	if (front < len)
		write_copy(w, payload.at + (at + front - word.len), len - front);
}

/* Send one payload now, in pieces if it must be. False: no carrier. */
static bool transmit(struct env *e, struct tunnels *ts, struct tunnel *t, struct bytes payload, const struct offload *o)
{
	size_t words = undone(o) ? OFFLOAD_WORD : 0, total = words + payload.len, room, size;
	unsigned pieces = 1;
	uint8_t flags = words ? FLAG_OFFLOAD : 0, word[OFFLOAD_WORD];
	uint16_t mtu;
	enum carrier how = carrier(e, ts, t, &mtu);
	struct writer w = writer_of(word, sizeof(word));

	wish(e, ts, t, how);
	if (how == CARRIER_NONE)
		return false;
	if (how == CARRIER_LINK)
		links_laden(e, ts->links, t->link, SESSION_OVERHEAD + total);
	room = mtu - SESSION_OVERHEAD;
	if (total > room) {
		room -= FRAGMENT_WORD;
		pieces = (unsigned)((total + room - 1) / room);
		flags |= FLAG_FRAGMENT;
	}
	if (pieces > TUNNEL_PIECES) {
		env_drop(e, DROP_TOO_BIG);
		return true;
	}
	size = (total + pieces - 1) / pieces;
	write_u16(&w, o->segment);
	write_u16(&w, o->checksum_start);
	write_u16(&w, o->checksum_offset);
	write_u8(&w, o->partial);
	write_u8(&w, 0);
	sent(e, t);
	tunnel_count(e, t, payload.len);
	t->packets_out++;
	t->bytes_out += payload.len;
	t->cut += pieces > 1;
	t->number += pieces > 1;
	for (unsigned i = 0; i < pieces; i++) {
		size_t at = i * size, len = total - at < size ? total - at : size;
		struct outgoing out;

		if (!out_open(e, ts, t, how, (pieces > 1 ? FRAGMENT_WORD : 0) + len, &out))
			break;			/* without one the others are nothing */
		if (pieces > 1) {
			write_u16(&out.w, t->number);
			write_u8(&out.w, (uint8_t)i);
			write_u8(&out.w, (uint8_t)pieces);
			write_u16(&out.w, (uint16_t)total);
		}
		write_part(&out.w, (struct bytes){ word, words }, payload, at, len);
		if (!out_sent(e, ts, t, flags, &out))
			break;
	}
	return true;
}

/* ---- waiting ---- */

static void drop_first(struct env *e, struct tunnels *ts, struct tunnel *t, enum drop why)
{
	struct parcel *p = t->first;

	t->first = p->next;
	t->waiting--;
	p->next = NULL;
	parcels_free(e, ts, p, true);
	env_drop(e, why);
}

void tunnel_forget_waiting(struct env *e, struct tunnels *ts, struct tunnel *t, enum drop why)
{
	while (t->first)
		drop_first(e, ts, t, why);
}

static enum drop park(struct env *e, struct tunnels *ts, struct tunnel *t, struct bytes payload, const struct offload *o)
{
	struct parcel *p;

	while (t->waiting >= TUNNEL_WAITING || (t->first && ts->waiting_bytes + payload.len > WAITING_BYTES))
		drop_first(e, ts, t, DROP_FULL);
	if (ts->waiting_bytes + payload.len > WAITING_BYTES)
		return env_drop(e, DROP_FULL);
	p = ends_get(e, ts, sizeof(*p) + payload.len);
	if (!p)
		return DROP_MEMORY;
	p->len = (uint16_t)payload.len;
	p->offload = *o;
	memcpy(p->data, payload.at, payload.len);
	ts->waiting_bytes += p->len;
	if (t->first)
		t->last->next = p;
	else
		t->first = p;
	t->last = p;
	t->waiting++;
	t->used_ms = env_ms(e);
	return DROP_NONE;
}

void tunnel_flush(struct env *e, struct tunnels *ts, struct tunnel *t)
{
	while (t->first && t->session && !t->broken) {
		struct parcel *p = t->first;

		if (!transmit(e, ts, t, (struct bytes){ p->data, p->len }, &p->offload)) {
			tunnel_arm(e, ts, WAIT_CHAIN_MS);
			return;
		}
		drop_first(e, ts, t, DROP_NONE);
	}
}

enum drop tunnels_send(struct env *e, struct tunnels *ts, unsigned n, struct id to, struct bytes payload,
		       const struct offload *o)
{
	static const struct offload NOTHING = { 0 };
	struct tunnel *t;
	enum drop why;

	if (n >= NETWORKS_MAX || !ts->member[n].self)
		return env_drop(e, DROP_STATE);
	if (id_eq(to, ts->self))
		return env_drop(e, DROP_SELF);
	if (payload.len > TUNNEL_PAYLOAD_MAX)
		return env_drop(e, DROP_TOO_BIG);
	t = tunnel_find(ts, n, to);
	if (!t)
		t = tunnel_add(e, ts, n, to);
	if (!t)
		return DROP_FULL;
	if (t->failed && !past_ms(env_ms(e), t->failed_ms))
		return env_drop(e, DROP_SILENT);	/* it did not answer a moment ago */
	t->failed = false;
	if (!o)
		o = &NOTHING;
	if (t->session && !t->broken && !t->first && transmit(e, ts, t, payload, o)) {
		tunnel_arm(e, ts, ALONE_MS);
		return DROP_NONE;
	}
	why = park(e, ts, t, payload, o);
	if (!t->session || t->broken)
		greet_call(e, ts, t);
	else
		tunnel_flush(e, ts, t);
	return why;
}
