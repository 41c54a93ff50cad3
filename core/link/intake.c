/*
 * Packets in: whose they are, what opens them, what they say.
 *
 * A tunnel has one receiver index for all its sessions, so that a chain of
 * labels that ends in it outlives a change of keys; which session opens a packet
 * is found by trying the two or three there are. What comes before the
 * handshake's last message is kept until that is there.
 */
#include <string.h>

#include "core/link/ends.h"

static void heard(struct env *e, struct tunnels *ts, struct tunnel *t)
{
	t->heard_ms = env_ms(e);
	t->alone = false;
	t->asks = 0;
	if (t->call && t->call->kind == GREET_FINISH)
		greet_free(e, ts, &t->call);
	if (t->broken) {			/* it was there after all */
		t->broken = false;
		tunnel_flush(e, ts, t);
	}
}

static void control_in(struct env *e, struct tunnels *ts, struct tunnel *t, struct bytes plain)
{
	switch (plain.len ? plain.at[0] : 0) {
	case CONTROL_ASK:
		tunnel_control(e, ts, t, CONTROL_HERE);
		break;
	case CONTROL_HERE:
		break;
	case CONTROL_BYE:
		t->bye = true;
		tunnel_arm(e, ts, 0);
		break;
	default:
		env_drop(e, DROP_VALUE);
	}
}

static void payload_in(struct env *e, struct tunnels *ts, struct tunnel *t, uint8_t flags, struct bytes plain)
{
	struct tunnel_item *item;
	struct reader r;
	struct tunnel_news n = { .word = TUNNEL_PAYLOAD, .network = t->network, .peer = t->peer };

	if (flags & FLAG_FRAGMENT && !piece_in(e, ts, t, plain, &flags, &plain))
		return;
	r = reader_of(plain.at, plain.len);
	if (flags & FLAG_OFFLOAD) {
		n.offload.segment = read_u16(&r);
		n.offload.checksum_start = read_u16(&r);
		n.offload.checksum_offset = read_u16(&r);
		n.offload.partial = read_u8(&r);
		read_u8(&r);
	}
	if (!reader_ok(&r) || n.offload.partial > 1) {
		env_drop(e, DROP_VALUE);
		return;
	}
	n.payload = (struct bytes){ r.at, reader_left(&r) };
	tunnel_count(e, t, n.payload.len);
	t->bye = false;
	t->packets_in++;
	t->bytes_in += n.payload.len;
	item = ends_put_item(e, &ts->news);
	if (item)
		item->news = n;
}

/* Which of @t's sessions opens @packet; NULL: none, and why. */
static struct session *open_any(struct env *e, struct tunnel *t, struct bytes packet, uint8_t *out, struct opened *o,
				enum drop *why)
{
	struct session *s[] = { t->session, t->old, t->answer ? t->answer->session : NULL };

	*why = DROP_SESSION;
	for (unsigned i = 0; i < 3; i++) {
		enum drop d = s[i] ? session_open(e->suite, s[i], packet.at, packet.len, out, o) : DROP_SESSION;

		if (d == DROP_NONE)
			return s[i];
		if (*why != DROP_REPLAY && d != DROP_SESSION)
			*why = d;
	}
	return NULL;
}

static void keep_early(struct env *e, struct tunnels *ts, struct tunnel *t, struct bytes packet)
{
	struct parcel **at = &t->early, *p;

	if (t->early_count == EARLY) {
		env_drop(e, DROP_FULL);
		return;
	}
	p = ends_get(e, ts, sizeof(*p) + packet.len);
	if (!p)
		return;
	p->len = (uint16_t)packet.len;
	memcpy(p->data, packet.at, packet.len);
	while (*at)
		at = &(*at)->next;
	*at = p;
	t->early_count++;
}

static void packet_in(struct env *e, struct tunnels *ts, uint32_t index, struct bytes packet)
{
	unsigned slot = index & ((1u << DATA_SLOT_BITS) - 1);
	struct tunnel *t = slot < ts->slots ? ts->tunnel[slot] : NULL;
	struct session *s;
	struct opened o;
	struct bytes plain;
	uint8_t *out;
	enum drop why;

	if (!t || t->index != index) {
		env_drop(e, DROP_SESSION);
		return;
	}
	out = env_scratch(e, packet.len);
	if (!out)
		return;
	s = open_any(e, t, packet, out, &o, &why);
	if (!s) {
		if (t->answer && !t->answer->session)
			keep_early(e, ts, t, packet);
		else
			env_drop(e, why);
		return;
	}
	if (o.type != PACKET_DATA) {
		env_drop(e, DROP_TYPE);
		return;
	}
	if (t->answer && s == t->answer->session) {
		greet_proved(e, ts, t);
		tunnel_flush(e, ts, t);
	}
	heard(e, ts, t);
	plain = (struct bytes){ out, o.len };
	if (o.flags & FLAG_CONTROL)
		control_in(e, ts, t, plain);
	else
		payload_in(e, ts, t, o.flags, plain);
}

void tunnel_early(struct env *e, struct tunnels *ts, struct tunnel *t)
{
	struct parcel *p = t->early, *all = p;
	uint32_t index = t->index;

	t->early = NULL;
	t->early_count = 0;
	for (; p; p = p->next)
		packet_in(e, ts, index, (struct bytes){ p->data, p->len });
	parcels_free(e, ts, all, false);
}

bool tunnels_data(struct env *e, struct tunnels *ts, const struct news *n)
{
	if (data_label(n->a))
		return false;
	packet_in(e, ts, n->a, n->body);
	return true;
}

void tunnels_mail(struct env *e, struct tunnels *ts, struct id from, const struct id *via, struct bytes data)
{
	struct reader r = reader_of(data.at, data.len);
	uint8_t kind = read_u8(&r);
	struct reader packet;
	struct id network;
	uint32_t index;

	switch (kind) {
	case MAIL_SHAKE:
		network = read_id(&r);
		if (!reader_ok(&r)) {
			env_drop(e, DROP_SHORT);
			return;
		}
		for (unsigned n = 0; n < NETWORKS_MAX; n++)
			if (ts->member[n].self && id_eq(ts->member[n].id, network)) {
				greet_in(e, ts, from, via, n, (struct bytes){ r.at, reader_left(&r) });
				return;
			}
		env_drop(e, DROP_OVERLAY);
		break;
	case MAIL_DATA:
		packet = r;
		read_take(&packet, 4);
		index = read_u32(&packet);
		if (!reader_ok(&packet) || reader_left(&r) < SESSION_OVERHEAD)
			env_drop(e, DROP_SHORT);
		else if (data_label(index))
			env_drop(e, DROP_SESSION);
		else
			packet_in(e, ts, index, (struct bytes){ r.at, reader_left(&r) });
		break;
	default:
		env_drop(e, DROP_VALUE);
	}
}
