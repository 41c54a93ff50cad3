/*
 * The table of links: who has a slot, what becomes known of it, what is wanted of it.
 */
#include "core/link/link.h"

#include "core/link/table.h"
#include "core/seal/revoke.h"

struct links *links_new(struct env *e, const struct identity *self)
{
	struct links *l = mem_get(&e->mem, sizeof(*l));

	if (l)
		l->self = self;
	return l;
}

void links_free(struct env *e, struct links *l)
{
	if (!l)
		return;
	for (uint16_t i = 0; i < l->slots; i++)
		l->link[i].via = NO_SLOT;	/* nobody is told about paths any more */
	for (uint16_t i = 0; i < l->slots; i++)
		if (l->link[i].state != LINK_FREE)
			link_drop(e, l, &l->link[i]);
	gate_done(e, &l->gate);
	mem_put(&e->mem, l->link, l->slots * sizeof(*l->link));
	mem_put(&e->mem, l, sizeof(*l));
}

/* ---- slots ---- */

struct link *link_at(struct links *l, uint16_t slot)
{
	return slot < l->slots && l->link[slot].state != LINK_FREE ? &l->link[slot] : NULL;
}

uint16_t link_slot(const struct links *l, const struct link *k)
{
	return (uint16_t)(k - l->link);
}

struct link *link_add(struct env *e, struct links *l)
{
	uint16_t slot = 0, gen;

	while (slot < l->slots && l->link[slot].state != LINK_FREE)
		slot++;
	if (slot == LINK_MAX ||
	    (slot == l->slots &&
	     !mem_grow(&e->mem, &l->link, &l->slots, (uint16_t)(l->slots + 4 + l->slots / 8), sizeof(*l->link))))
		return NULL;
	gen = l->link[slot].gen;
	l->link[slot] = (struct link){
		.state = LINK_CALLING, .via = NO_SLOT, .aid = NO_SLOT, .mtu = WIRE_MTU_MIN, .gen = gen,
		.pace_ms = (uint32_t)(e->config->probe_far_ns / NS_PER_MS),
	};
	return &l->link[slot];
}

void link_drop(struct env *e, struct links *l, struct link *k)
{
	uint16_t slot = link_slot(l, k), gen = k->gen;

	while (k->attempts)
		attempt_free(e, l, k, k->attempts);
	if (k->state == LINK_UP)
		l->up--;
	if (k->state == LINK_UP && k->via == NO_SLOT)
		reach_sent(e, l, &k->at);
	session_free(e, k->session);
	session_free(e, k->old);
	*k = (struct link){ .state = LINK_FREE, .gen = gen };
	heap_del(&e->timers, (uint16_t)(TIMER_LINK + slot));
	for (uint16_t i = 0; i < l->slots; i++) {
		struct link *o = &l->link[i];

		if (o->state == LINK_FREE)
			continue;
		if (o->aid == slot)
			o->aid = NO_SLOT;
		if (o->via == slot) {		/* is there another way? */
			path_set_via(e, l, o, NO_SLOT);
			links_doubt(e, l, (link_ref){ i });
		}
		for (struct attempt *t = o->attempts; t; t = t->next)
			if (t->via == slot)
				t->via = NO_SLOT;
	}
}

void link_end(struct env *e, struct links *l, struct link *k, enum link_end why, bool tell)
{
	struct news n = { .link = { link_slot(l, k) }, .id = k->id, .why = why };
	bool up = k->state == LINK_UP, called = false;

	for (struct attempt *t = k->attempts; t; t = t->next)
		if (t->kind == ATTEMPT_CALL) {
			called = true;
			if (t->has_id && !up)
				n.id = t->id;
		}
	if (up && tell) {
		struct writer w = message_open(e, l, k, k->via, MESSAGE_CLOSE, 1);

		write_u8(&w, (uint8_t)why);
		message_shut(e, l, k, k->via, &k->at, &w);
	}
	if (up)
		env_record(e, why == END_DEAD ? RECORD_DEAD : RECORD_LINK_DOWN, k->id,
			   why == END_DEAD ? env_ms(e) - k->heard_ms : (uint64_t)why,
			   why == END_DEAD ? k->pace_ms <= (uint32_t)(e->config->probe_next_ns / NS_PER_MS) :
					     (env_ms(e) - k->up_ms) / 1000);
	else if (called)
		env_record(e, RECORD_LINK_FAILED, n.id, (uint64_t)why, 0);
	link_drop(e, l, k);
	if (up || called) {
		n.kind = up ? NEWS_DOWN : NEWS_FAILED;
		news_add(e, l, &n);
	}
}

/* ---- news ---- */

void news_add(struct env *e, struct links *l, const struct news *n)
{
	struct news_item *item = env_scratch(e, sizeof(*item));

	if (!item)
		return;
	*item = (struct news_item){ .news = *n };
	if (l->first)
		l->last->next = item;
	else
		l->first = item;
	l->last = item;
}

bool links_next(struct links *l, struct news *n)
{
	if (!l->first)
		return false;
	*n = l->first->news;
	l->first = l->first->next;
	return true;
}

/* ---- what is wanted ---- */

link_ref links_call(struct env *e, struct links *l, const struct contact *who)
{
	struct link *k;
	link_ref ref;

	if (who->has_id && id_eq(who->id, l->self->id))
		return LINK_NONE;
	if (who->has_id && revoked_by(e->revoked, e->config->overlay, who->id)) {
		env_drop(e, DROP_REVOKED);
		return LINK_NONE;
	}
	for (unsigned i = 0; i < who->ats && !who->has_id; i++)
		for (unsigned j = 0; j < l->ats; j++)
			if (endpoint_eq(&who->at[i], &l->at[j]))
				return LINK_NONE;
	if (who->has_id) {
		ref = links_find(l, who->id);
		if (link_ok(ref))
			return ref;
	} else if (who->ats) {
		for (uint16_t i = 0; i < l->slots; i++)
			if (l->link[i].state == LINK_UP && endpoint_eq(&l->link[i].at, &who->at[0]))
				return (link_ref){ i };
	}
	k = link_add(e, l);
	if (!k) {
		env_drop(e, DROP_FULL);
		return LINK_NONE;
	}
	if (who->has_id)
		k->id = who->id;
	k->called = true;
	ref = (link_ref){ link_slot(l, k) };
	if (!call_start(e, l, k, who, false)) {
		link_drop(e, l, k);
		return LINK_NONE;
	}
	alive_arm(e, l, k);
	return ref;
}

void links_close(struct env *e, struct links *l, link_ref ref, enum link_end why)
{
	struct link *k = link_at(l, ref.slot);

	if (k)
		link_end(e, l, k, why, true);
}

void links_pace(struct env *e, struct links *l, link_ref ref, int64_t span_ns)
{
	struct link *k = link_at(l, ref.slot);
	uint32_t ms = (uint32_t)(span_ns / NS_PER_MS);

	if (!k || k->pace_ms == ms)
		return;
	k->pace_ms = ms;
	alive_arm(e, l, k);
}

void links_via(struct env *e, struct links *l, link_ref ref, link_ref through)
{
	struct link *k = link_at(l, ref.slot), *t = link_at(l, through.slot);

	if (!k || !t || k == t || t->state != LINK_UP || t->via != NO_SLOT)
		return;
	if (k->state == LINK_UP) {
		k->aid = through.slot;
		if (k->suspect)
			alive_probe(e, l, k, through.slot, NULL);
	} else {
		call_via(e, l, k, through.slot);
	}
}

void links_versions(struct links *l, uint8_t near, uint8_t table)
{
	l->near_version = near;
	l->table_version = table;
}

void links_trim(struct env *e, struct links *l)
{
	uint16_t used = l->slots;

	while (used && l->link[used - 1].state == LINK_FREE)
		used--;
	if (used + 4 < l->slots)
		mem_grow(&e->mem, &l->link, &l->slots, (uint16_t)(used + 1), sizeof(*l->link));
	heap_trim(&e->timers, &e->mem, (uint16_t)(TIMER_LINK + l->slots));
}

/* ---- what is ---- */

static const struct link *look(const struct links *l, link_ref ref)
{
	return ref.slot < l->slots && l->link[ref.slot].state != LINK_FREE ? &l->link[ref.slot] : NULL;
}

unsigned links_count(const struct links *l)
{
	return l->up;
}

uint16_t links_slots(const struct links *l)
{
	return l->slots;
}

link_ref links_find(const struct links *l, struct id id)
{
	for (uint16_t i = 0; i < l->slots; i++)
		if (l->link[i].state != LINK_FREE && id_eq(l->link[i].id, id))
			return (link_ref){ i };
	return LINK_NONE;
}

bool links_up(const struct links *l, link_ref ref)
{
	const struct link *k = look(l, ref);

	return k && k->state == LINK_UP;
}

bool links_invited(const struct links *l, link_ref ref)
{
	const struct link *k = look(l, ref);

	return k && k->invited;
}

link_ref links_relay(const struct links *l, link_ref ref)
{
	const struct link *k = look(l, ref);

	return k && k->state == LINK_UP && k->via != NO_SLOT ? (link_ref){ k->via } : LINK_NONE;
}

bool links_revoked(const struct env *e, const struct links *l, link_ref ref)
{
	const struct link *k = &l->link[ref.slot];

	for (const struct attempt *t = k->attempts; t; t = t->next)
		if (t->kind == ATTEMPT_ANSWER && revoked_peer(e->revoked, e->config->overlay, k->id, t->signer))
			return true;
	return revoked_peer(e->revoked, e->config->overlay, k->id, k->signer);
}

struct id links_id(const struct links *l, link_ref ref)
{
	const struct link *k = look(l, ref);

	return k ? k->id : ID_ZERO;
}

uint32_t links_rtt_us(const struct links *l, link_ref ref)
{
	const struct link *k = look(l, ref);

	return k && k->srtt_us ? k->srtt_us : RTT_GUESS_US;
}

uint32_t links_rto_us(const struct links *l, link_ref ref)
{
	const struct link *k = look(l, ref);
	uint32_t rto;

	if (!k || !k->srtt_us)
		return RTO_FIRST_US;
	rto = k->srtt_us + (4 * k->rttvar_us > 10000 ? 4 * k->rttvar_us : 10000);
	return rto < RTO_MIN_US ? RTO_MIN_US : rto > RTO_MAX_US ? RTO_MAX_US : rto;
}

bool links_view(const struct links *l, link_ref ref, struct link_view *out)
{
	const struct link *k = look(l, ref);

	if (!k)
		return false;
	*out = (struct link_view){
		.id = k->id, .state = k->state, .relayed = k->via != NO_SLOT, .suspect = k->suspect,
		.called_by_us = k->called, .srtt_us = k->srtt_us, .rto_us = links_rto_us(l, ref),
		.heard_ms = k->heard_ms, .up_ms = k->up_ms, .pace_ns = k->pace_ms * NS_PER_MS, .mtu = k->mtu,
		.mtu_known = k->mtu_done,
		.at = k->at, .let = k->let, .varies = k->varies, .meets = k->meets, .via = k->via != NO_SLOT ? l->link[k->via].id : ID_ZERO,
	};
	return true;
}

bool links_contact(const struct links *l, link_ref ref, struct contact *out)
{
	const struct link *k = look(l, ref);

	if (!k || k->state != LINK_UP)
		return false;
	*out = (struct contact){ .id = k->id, .has_id = true };
	if (endpoint_valid(&k->at)) {
		out->at[0] = k->at;
		out->at[0].iface = 0;
		out->ats = 1;
	}
	return true;
}

void links_account(const struct links *l, uint32_t *links, uint32_t *sessions, uint32_t *handshakes)
{
	*links = (uint32_t)(sizeof(*l) + l->slots * sizeof(*l->link));
	*sessions = *handshakes = 0;
	for (uint16_t i = 0; i < l->slots; i++) {
		const struct link *k = &l->link[i];

		*sessions += (k->session ? (uint32_t)(sizeof(*k->session) + 1) : 0) +
			     (k->old ? (uint32_t)sizeof(*k->old) : 0);
		for (struct attempt *t = k->attempts; t; t = t->next)
			*handshakes += (uint32_t)sizeof(*t) + t->packet_len;
	}
}
