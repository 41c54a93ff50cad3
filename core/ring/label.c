/*
 * Chains of labels, as origin and as relay.
 *
 * Only the origin repeats: a relay that hears the same LABEL again passes it on
 * again, or answers if it knows the answer, and probes whom it had asked. So a
 * lost message costs the origin's patience and no timer here. After two tries the origin draws another nonce:
 * relays then decide anew, and go around whoever stayed silent.
 */
#include "core/ring/label.h"

#include <string.h>

#include "core/ring/parts.h"

#define TRY_MS		400u		/* first repetition of LABEL, then doubling */
#define HALF_MS		5000u		/* a label without an answer is forgotten after this */
#define UNUSED_MS	120000u		/* a label without packets */
#define CHAIN_MS	90000u		/* a chain of ours nobody asks for */
#define EVICT_MS	10000u		/* unused for so long a label gives way to a new one */
#define SWEEP_MS	10000u
#define COMPLAIN_MS	100u		/* GONE for labels we never gave: one in this time */

enum { TRIES = 4, SLOT_MASK = (1 << DATA_SLOT_BITS) - 1 };

/** struct hop - somebody else's chain through here */
struct hop {
	uint32_t label;			/* ours, 0 = free */
	uint32_t out_label;		/* 0 = not answered yet */
	uint32_t nonce_in, nonce_out;
	uint32_t used_ms;
	uint16_t in, out, mtu;
};

/** struct chain - our own */
struct chain {
	struct id to;
	uint32_t index, nonce, label;	/* label 0 = being set up */
	uint32_t used_ms, due_ms;
	uint16_t out, mtu;
	uint8_t tries;
};

struct label_item {
	struct label_item *next;
	struct label_news news;
};

struct label_state {
	struct hop *hop;
	struct chain *chain;
	uint16_t hops, chains, chain_cap;	/* hops: places; chains: in use */
	uint32_t complained_ms;
	uint64_t carried;
	struct label_item *first, *last;	/* in the step's scratch */
};

static bool past(uint32_t now, uint32_t due)
{
	return (int32_t)(now - due) >= 0;
}

static struct label_state *state(struct ring *r, struct env *e)
{
	if (!r->label)
		r->label = mem_get(&e->mem, sizeof(*r->label));
	if (!r->label)
		env_drop(e, DROP_MEMORY);
	return r->label;
}

/* ---- what is said ---- */

struct setup {				/* a LABEL message */
	uint32_t nonce, index;
	struct way way;
	uint16_t mtu;
	uint8_t hops;
};

static void say_label(struct ring *r, struct env *e, link_ref to, const struct setup *m)
{
	struct writer w = links_message(e, r->links, to, MESSAGE_LABEL, 44);

	write_u32(&w, m->nonce);
	write_u8(&w, m->hops);
	write_u8(&w, m->way.flags);
	write_u16(&w, m->mtu);
	write_u32(&w, m->index);
	write_id(&w, m->way.to);
	write_id(&w, m->way.least);
	links_sent(e, r->links, to, &w);
}

static void say_ack(struct ring *r, struct env *e, link_ref to, uint32_t nonce, uint32_t label, uint16_t mtu)
{
	struct writer w = links_message(e, r->links, to, MESSAGE_LABEL_ACK, 10);

	write_u32(&w, nonce);
	write_u32(&w, label);
	write_u16(&w, mtu);
	links_sent(e, r->links, to, &w);
}

static void say_gone(struct ring *r, struct env *e, uint16_t slot, uint32_t label)
{
	struct writer w = links_message(e, r->links, (link_ref){ slot }, MESSAGE_LABEL_GONE, 4);

	write_u32(&w, label);
	links_sent(e, r->links, (link_ref){ slot }, &w);
}

static void tell(struct ring *r, struct env *e, const struct chain *c, bool up)
{
	struct label_state *s = r->label;
	struct label_item *item = env_scratch(e, sizeof(*item));

	if (!item)
		return;
	*item = (struct label_item){ .news = {
		.peer = c->to, .index = c->index, .first = { c->out }, .label = up ? c->label : 0, .mtu = c->mtu,
	} };
	if (s->first)
		s->last->next = item;
	else
		s->first = item;
	s->last = item;
}

bool label_next(struct ring *r, struct label_news *out)
{
	struct label_item *item = r->label ? r->label->first : NULL;

	if (!item)
		return false;
	*out = item->news;
	r->label->first = item->next;
	return true;
}

/* ---- relayed chains ---- */

static struct hop *hop_of(struct label_state *s, uint32_t label)
{
	unsigned i = (label & SLOT_MASK) - DATA_LABELS;

	return i < s->hops && s->hop[i].label == label ? &s->hop[i] : NULL;
}

/* A place for one more of @in's, at the cost of one that is long unused if need be; NULL when it has enough. */
static struct hop *hop_add(struct ring *r, struct env *e, uint16_t in)
{
	struct label_state *s = r->label;
	uint32_t now = env_ms(e), most = EVICT_MS;
	struct hop *place = NULL, *oldest = NULL;
	unsigned of_link = 0;

	for (unsigned i = 0; i < s->hops; i++) {
		struct hop *h = &s->hop[i];

		if (!h->label) {
			place = place ? place : h;
			continue;
		}
		of_link += h->in == in;
		if (now - h->used_ms >= most) {
			most = now - h->used_ms;
			oldest = h;
		}
	}
	if (of_link >= LABELS_OF_LINK)
		return NULL;
	if (!place && s->hops < LABELS_MAX) {
		unsigned i = s->hops;

		if (mem_grow(&e->mem, &s->hop, &s->hops, (uint16_t)(s->hops + 8), sizeof(*s->hop)))
			place = &s->hop[i];
	}
	if (!place && oldest) {
		say_gone(r, e, oldest->in, oldest->label);
		place = oldest;
	}
	if (!place)
		return NULL;
	*place = (struct hop){
		.label = (e->index_base & INDEX_HOST) |
			 (uint32_t)(random_u64(&e->random) & 0x3fff) << DATA_SLOT_BITS | DATA_LABELS |
			 (uint32_t)(place - s->hop),
		.in = in, .used_ms = now, .nonce_out = (uint32_t)random_u64(&e->random),
	};
	return place;
}
_Static_assert((int)LABELS_MAX <= (int)DATA_LABELS, "labels are the upper half of the slots");

static void label_in(struct ring *r, struct env *e, link_ref from, struct reader *in)
{
	uint16_t room = links_carries(r->links, from), own;
	link_ref out = LINK_NONE;
	struct hop *h = NULL;
	struct setup m;

	m.nonce = read_u32(in);
	m.hops = read_u8(in);
	m.way.flags = read_u8(in);
	m.mtu = read_u16(in);
	m.index = read_u32(in);
	m.way.to = read_id(in);
	m.way.least = read_id(in);
	if (!reader_ok(in)) {
		env_drop(e, DROP_SHORT);
		return;
	}
	if (data_label(m.index) || (m.way.flags & ROUTE_MODE_MASK) != ROUTE_EXACT) {
		env_drop(e, DROP_VALUE);
		return;
	}
	m.mtu = m.mtu < room ? m.mtu : room;
	if (id_eq(m.way.to, r->self)) {
		say_ack(r, e, from, m.nonce, m.index, m.mtu);
		return;
	}
	for (unsigned i = 0; i < r->label->hops; i++)
		if (r->label->hop[i].label && r->label->hop[i].in == from.slot && r->label->hop[i].nonce_in == m.nonce)
			h = &r->label->hop[i];
	if (h && h->out_label) {
		say_ack(r, e, from, m.nonce, h->label, h->mtu);
		return;
	}
	if (m.hops >= CHAIN_HOPS) {
		env_drop(e, DROP_HOPS);
		say_ack(r, e, from, m.nonce, 0, 0);
		return;
	}
	if (next_hop(r, e, &m.way, &from.slot, 1, &out) != NEXT_LINK) {
		env_drop(e, DROP_ROUTE);
		say_ack(r, e, from, m.nonce, 0, 0);
		return;
	}
	if (!h)
		h = hop_add(r, e, from.slot);
	if (!h) {
		env_drop(e, DROP_FULL);
		say_ack(r, e, from, m.nonce, 0, 0);
		return;
	}
	if (h->nonce_in == m.nonce && h->out == out.slot)
		links_doubt(e, r->links, out);		/* said again: whom we asked has not answered */
	own = links_carries(r->links, out);
	h->nonce_in = m.nonce;
	h->out = out.slot;
	h->mtu = m.mtu < own ? m.mtu : own;
	m.mtu = h->mtu;
	m.nonce = h->nonce_out;
	m.hops++;
	say_label(r, e, out, &m);
	timer_soon(e, RING_LABEL, SWEEP_MS * NS_PER_MS);
}

static void ack_in(struct ring *r, struct env *e, link_ref from, struct reader *in)
{
	struct label_state *s = r->label;
	uint32_t nonce = read_u32(in), label = read_u32(in);
	uint16_t mtu = read_u16(in);

	if (!reader_ok(in)) {
		env_drop(e, DROP_SHORT);
		return;
	}
	for (unsigned i = 0; i < s->hops; i++) {
		struct hop *h = &s->hop[i];

		if (!h->label || h->out != from.slot || h->nonce_out != nonce || h->out_label)
			continue;
		h->out_label = label;
		h->mtu = mtu < h->mtu ? mtu : h->mtu;
		say_ack(r, e, (link_ref){ h->in }, h->nonce_in, label ? h->label : 0, h->mtu);
		if (!label)
			h->label = 0;
		return;
	}
	for (unsigned i = 0; i < s->chains; i++) {
		struct chain *c = &s->chain[i];

		if (c->out != from.slot || c->nonce != nonce || c->label)
			continue;
		c->label = label;
		c->mtu = mtu < c->mtu ? mtu : c->mtu;
		tell(r, e, c, label);
		if (!label)
			s->chain[i] = s->chain[--s->chains];
		return;
	}
	env_drop(e, DROP_STATE);
}

/* @label, given to us over @slot (any label if 0), leads nowhere: so do those that rest on it. */
static void call_back(struct ring *r, struct env *e, uint16_t slot, uint32_t label)
{
	struct label_state *s = r->label;

	for (unsigned i = 0; i < s->hops; i++) {
		struct hop *h = &s->hop[i];

		if (!h->label || h->out != slot || (label && h->out_label != label))
			continue;
		if (h->out_label)
			say_gone(r, e, h->in, h->label);
		else
			say_ack(r, e, (link_ref){ h->in }, h->nonce_in, 0, 0);
		h->label = 0;
	}
	for (unsigned i = 0; i < s->chains;) {
		struct chain *c = &s->chain[i];

		if (c->out != slot || (label && c->label != label)) {
			i++;
			continue;
		}
		tell(r, e, c, false);
		*c = s->chain[--s->chains];
	}
}

void label_message(struct ring *r, struct env *e, const struct news *n)
{
	struct reader in = reader_of(n->body.at, n->body.len);
	uint32_t label;

	if (!state(r, e))
		return;
	switch (n->message) {
	case MESSAGE_LABEL:
		label_in(r, e, n->link, &in);
		break;
	case MESSAGE_LABEL_ACK:
		ack_in(r, e, n->link, &in);
		break;
	case MESSAGE_LABEL_GONE:
		label = read_u32(&in);
		if (!reader_ok(&in) || !label)
			env_drop(e, DROP_VALUE);
		else
			call_back(r, e, n->link.slot, label);
		break;
	}
}

void label_link_silent(struct ring *r, struct env *e, link_ref ref)
{
	if (r->label)
		call_back(r, e, ref.slot, 0);
}

void label_link_gone(struct ring *r, struct env *e, link_ref ref)
{
	struct label_state *s = r->label;

	if (!s)
		return;
	call_back(r, e, ref.slot, 0);
	for (unsigned i = 0; i < s->hops; i++)
		if (s->hop[i].label && s->hop[i].in == ref.slot)
			s->hop[i].label = 0;
}

/* ---- packets ---- */

void label_data(struct ring *r, struct env *e, const struct news *n)
{
	struct hop *h = r->label ? hop_of(r->label, n->a) : NULL;
	uint32_t hops, now = env_ms(e);
	uint8_t *copy;
	struct writer w;

	if (!link_ok(n->link)) {
		env_drop(e, DROP_STRANGER);
		return;
	}
	if (!h) {
		env_drop(e, DROP_SESSION);
		if (state(r, e) && past(now, r->label->complained_ms)) {
			r->label->complained_ms = now + COMPLAIN_MS;
			say_gone(r, e, n->link.slot, n->a);
		}
		return;
	}
	hops = (uint32_t)n->body.at[2] << 8 | n->body.at[3];
	if (h->in != n->link.slot || !h->out_label || hops >= DATA_HOPS) {
		env_drop(e, h->in != n->link.slot ? DROP_STRANGER : hops >= DATA_HOPS ? DROP_HOPS : DROP_STATE);
		return;
	}
	if (n->body.len > links_carries(r->links, (link_ref){ h->out })) {
		env_drop(e, DROP_TOO_BIG);	/* the path shrank: the next chain will know */
		say_gone(r, e, h->in, h->label);
		h->label = 0;
		return;
	}
	w = links_data(e, r->links, (link_ref){ h->out }, n->body.len);
	copy = w.at;
	write_copy(&w, n->body.at, n->body.len);
	if (w.bad)
		return;
	hops++;
	copy[2] = (uint8_t)(hops >> 8);
	copy[3] = (uint8_t)hops;
	for (unsigned i = 0; i < 4; i++)
		copy[4 + i] = (uint8_t)(h->out_label >> (24 - 8 * i));
	h->used_ms = now;
	r->label->carried++;
	links_carry(e, r->links, (link_ref){ h->out }, &w);
}

/* ---- chains of our own ---- */

/* The first hop is chosen, and asked. False: there is no way now. */
static bool set_up(struct ring *r, struct env *e, struct chain *c)
{
	struct setup m = { .index = c->index, .way = { .to = c->to, .least = ID_MAX, .flags = ROUTE_EXACT } };
	link_ref out;
	uint32_t wait = TRY_MS << c->tries;

	if (next_hop(r, e, &m.way, NULL, 0, &out) != NEXT_LINK)
		return false;
	if (c->tries && out.slot == c->out)
		links_doubt(e, r->links, out);		/* it has not answered: is it there? */
	if (!(c->tries & 1) || out.slot != c->out)
		c->nonce = (uint32_t)random_u64(&e->random);
	c->tries++;
	c->out = out.slot;
	c->mtu = links_carries(r->links, out);
	c->due_ms = env_ms(e) + wait;
	m.nonce = c->nonce;
	m.mtu = c->mtu;
	say_label(r, e, out, &m);
	timer_soon(e, RING_LABEL, wait * NS_PER_MS);
	return true;
}

void label_want(struct ring *r, struct env *e, struct id to, uint32_t index, bool anew)
{
	struct label_state *s = state(r, e);
	struct chain *c = NULL;

	if (!s)
		return;
	for (unsigned i = 0; i < s->chains; i++)
		if (id_eq(s->chain[i].to, to) && s->chain[i].index == index)
			c = &s->chain[i];
	if (c && (!c->label || !anew)) {
		c->used_ms = env_ms(e);
		if (c->label)
			tell(r, e, c, true);
		return;
	}
	if (!c) {
		if (s->chains == CHAINS_MAX ||
		    (s->chains == s->chain_cap &&
		     !mem_grow(&e->mem, &s->chain, &s->chain_cap, (uint16_t)(s->chain_cap + 4), sizeof(*c)))) {
			env_drop(e, DROP_FULL);
			return;
		}
		c = &s->chain[s->chains++];
	}
	*c = (struct chain){ .to = to, .index = index, .used_ms = env_ms(e), .out = UINT16_MAX };
	if (!set_up(r, e, c)) {
		env_drop(e, DROP_ROUTE);
		tell(r, e, c, false);
		*c = s->chain[--s->chains];
	}
}

void label_timer(struct ring *r, struct env *e)
{
	struct label_state *s = r->label;
	uint32_t now = env_ms(e), next = SWEEP_MS;
	bool any = false;

	if (!s)
		return;
	for (unsigned i = 0; i < s->hops; i++) {
		struct hop *h = &s->hop[i];

		if (h->label && now - h->used_ms >= (h->out_label ? UNUSED_MS : HALF_MS))
			h->label = 0;
		any |= h->label;
	}
	for (unsigned i = 0; i < s->chains;) {
		struct chain *c = &s->chain[i];
		bool over = now - c->used_ms >= CHAIN_MS, failed = false;

		if (!c->label && past(now, c->due_ms))
			failed = c->tries >= TRIES || !set_up(r, e, c);
		if (failed)
			tell(r, e, c, false);
		if (over || failed) {
			*c = s->chain[--s->chains];
			continue;
		}
		if (!c->label && c->due_ms - now < next)
			next = c->due_ms - now;
		any = true;
		i++;
	}
	if (any) {
		timer_soon(e, RING_LABEL, next * NS_PER_MS);
		return;
	}
	mem_grow(&e->mem, &s->hop, &s->hops, 0, sizeof(*s->hop));		/* give the places back */
	mem_grow(&e->mem, &s->chain, &s->chain_cap, 0, sizeof(*s->chain));
}

void label_done(struct ring *r, struct env *e)
{
	if (!r->label)
		return;
	mem_put(&e->mem, r->label->hop, r->label->hops * sizeof(struct hop));
	mem_put(&e->mem, r->label->chain, r->label->chain_cap * sizeof(struct chain));
	mem_put(&e->mem, r->label, sizeof(*r->label));
	r->label = NULL;
}

void label_account(const struct ring *r, struct label_account *out)
{
	const struct label_state *s = r->label;

	*out = (struct label_account){ .hops = 0 };
	if (!s)
		return;
	for (unsigned i = 0; i < s->hops; i++)
		out->hops += s->hop[i].label != 0;
	out->chains = s->chains;
	out->carried = s->carried;
	out->bytes = (uint32_t)(sizeof(*s) + s->hops * sizeof(struct hop) + s->chain_cap * sizeof(struct chain));
}
