/*
 * Handshakes: calling, answering, and who wins when two call each other.
 *
 * A caller repeats the same INIT until an answer comes; the answerer knows it
 * by its ephemeral key and repeats the same REPLY, so that both end with the
 * same session whatever is lost. What an answer makes is not believed, and
 * replaces nothing, before the caller's first packet under the new keys: a
 * replayed INIT costs an answer and no more.
 *
 * Crossing calls: the call of the lower id stands. The higher one that hears it
 * gives up its own; the lower one does not answer, unless its own call has been
 * in vain for a while. Where that rule comes too late (XX tells who calls only
 * at the end) both sessions are made, both open packets for a while, and both
 * sides send with the one the lower id began. Likewise when both ends want
 * fresh keys at once.
 */
#include <string.h>

#include "core/link/table.h"

static struct bytes hello(struct env *e, struct links *l, const struct endpoint *observed, bool continues,
			  uint8_t buf[HELLO_MAX])
{
	struct writer w = writer_of(buf, HELLO_MAX);
	struct hello h = { .features = FEATURES_OURS, .incarnation = e->incarnation, .continues = continues };
	struct contact self;

	links_self(l, &self);
	if (observed)
		h.observed = *observed;
	h.ats = self.ats;
	memcpy(h.at, self.at, sizeof(h.at));
	hello_write(&w, &h);
	return (struct bytes){ buf, w.bad ? 0 : writer_len(&w) };
}

/* ---- calling ---- */

static void send_init(struct env *e, struct links *l, struct attempt *t)
{
	uint32_t wait = (uint32_t)(random_around(&e->random, e->config->handshake_ns) / NS_PER_MS);

	t->due_ms = env_ms(e) + (wait << t->tries);
	t->tries++;
	if (t->tries == 1)
		t->began_us = env_us(e);
	for (unsigned i = 0; i < t->ats; i++) {
		packet_send(e, l, ID_ZERO, NO_SLOT, &t->at[i], t->packet, t->packet_len, MESSAGE_INIT);
		reach_sent(e, l, &t->at[i]);
	}
	if (t->via != NO_SLOT)
		packet_send(e, l, t->id, t->via, NULL, t->packet, t->packet_len, MESSAGE_INIT);
}

bool call_start(struct env *e, struct links *l, struct link *k, const struct contact *who, bool continues)
{
	uint8_t buf[HANDSHAKE_MAX], tlvs[HELLO_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	struct attempt *t;

	if (!who->ats && k->via == NO_SLOT)
		return false;
	t = attempt_add(e, l, k, ATTEMPT_CALL);
	if (!t)
		return false;
	t->ats = who->ats;
	memcpy(t->at, who->at, sizeof(t->at));
	t->has_id = who->has_id;
	t->id = who->id;
	t->continues = continues;
	t->max_tries = who->tries ? who->tries : e->config->handshake_tries;
	t->via = k->via;
	t->index = index_new(e, l, k);
	if (!handshake_call(e, &t->hs, l->self, who->has_key ? who->key : NULL, t->index) ||
	    handshake_write(e, &t->hs, l->self, hello(e, l, NULL, continues, tlvs), &w) != DROP_NONE ||
	    !attempt_keep(e, t, &w)) {
		attempt_free(e, l, k, t);
		return false;
	}
	send_init(e, l, t);
	return true;
}

void call_via(struct env *e, struct links *l, struct link *k, uint16_t via)
{
	for (struct attempt *t = k->attempts; t; t = t->next)
		if (t->kind == ATTEMPT_CALL && t->has_id && t->via != via) {
			t->via = via;
			t->due_ms = env_ms(e) + VIA_MS;
			packet_send(e, l, t->id, via, NULL, t->packet, t->packet_len, MESSAGE_INIT);
			alive_arm(e, l, k);
		}
}

/* ---- becoming one link ---- */

static void take_path(struct env *e, struct links *l, struct link *k, const struct arrival *a, const struct hello *h)
{
	if (a->via == NO_SLOT)
		k->at = a->from;
	else if (h->ats)
		k->at = h->at[0];		/* to be tried from time to time */
	if (a->via != k->via)
		path_set_via(e, l, k, a->via);
}

/*
 * The link @k has a new session @s with @who. @called: we began it. It may
 * become the link's first, replace what a restarted peer has forgotten, or
 * stand beside the one in use.
 */
static void settle(struct env *e, struct links *l, struct link *k, struct session *s, struct id who,
			   const struct hello *h, bool called, const struct arrival *a)
{
	uint32_t now = env_ms(e), took;
	struct news n;
	bool lower = id_less(l->self->id, who);

	if (k->state == LINK_UP) {
		bool crossing = now - k->up_ms < CROSSING_MS && k->called != called && h->incarnation == k->incarnation;
		bool both = h->continues && k->old && now - (k->old_ms - OVERLAP_MS) < CROSSING_MS && k->called != called;

		if (h->incarnation < k->incarnation) {
			session_free(e, s);
			env_drop(e, DROP_STALE);
			return;
		}
		if (crossing || h->continues) {
			struct session *spare = s;

			if ((h->continues && !both) || called == lower) {	/* the new one is sent with */
				spare = k->session;
				k->session = s;
				k->called = called;
			}
			session_free(e, k->old);
			k->old = spare;
			k->old_ms = now + OVERLAP_MS;
			take_path(e, l, k, a, h);
			reach_seen(e, l, k, &h->observed);
			return;
		}
		n = (struct news){ .kind = NEWS_DOWN, .link = { link_slot(l, k) }, .id = who, .why = END_RESTARTED };
		env_record(e, RECORD_LINK_DOWN, who, END_RESTARTED, (now - k->up_ms) / 1000);
		session_free(e, k->session);
		session_free(e, k->old);
		k->session = k->old = NULL;
		news_add(e, l, &n);
	} else {
		l->up++;
	}
	took = k->attempts ? now - k->attempts->born_ms : 0;
	k->state = LINK_UP;
	k->id = who;
	k->session = s;
	k->incarnation = h->incarnation;
	k->called = called;
	k->up_ms = k->heard_ms = k->told_ms = now;
	k->missed = 0;
	k->suspect = false;
	k->srtt_us = k->rttvar_us = 0;
	take_path(e, l, k, a, h);
	mtu_reset(k);
	reach_seen(e, l, k, &h->observed);
	n = (struct news){ .kind = NEWS_UP, .link = { link_slot(l, k) }, .id = who, .a = called };
	env_record(e, RECORD_LINK_UP, who, took, k->via != NO_SLOT);
	news_add(e, l, &n);
}

/* FINISH has no answer of its own: it is repeated until something comes under the new keys. */
static void finish_again(struct env *e, struct links *l, struct link *k, const struct writer *w,
			 const struct arrival *a)
{
	struct attempt *t = attempt_add(e, l, k, ATTEMPT_FINISH);

	if (!t)
		return;
	t->at[0] = a->from;
	t->id = a->peer;
	t->via = a->via;
	t->due_ms = env_ms(e) + FINISH_MS;
	if (!attempt_keep(e, t, w))
		attempt_free(e, l, k, t);
}

void call_proved(struct env *e, struct links *l, struct link *k)
{
	attempts_drop(e, l, k, ATTEMPT_FINISH);
}

void call_reply_in(struct env *e, struct links *l, struct link *k, struct attempt *t, struct bytes packet,
		   const struct arrival *a)
{
	uint8_t buf[HANDSHAKE_MAX], tlvs[HELLO_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	uint32_t rtt = env_us(e) - t->began_us;
	bool once = t->tries == 1 && t->via == NO_SLOT && !t->cookies, continues = t->continues;
	struct greeting g;
	struct hello h;
	struct session *s;
	link_ref other;
	enum drop why = handshake_read(e, &t->hs, l->self, packet, &g);

	if (why != DROP_NONE) {
		env_drop(e, why);
		if (why == DROP_SELF || why == DROP_CERTIFICATE || why == DROP_IDENTITY) {
			if (k->state == LINK_UP)
				attempt_free(e, l, k, t);
			else
				link_end(e, l, k, END_REFUSED, false);
		}
		return;
	}
	if (hello_read(g.hello, &h) != DROP_NONE) {
		env_drop(e, DROP_VALUE);
		return;
	}
	if (t->has_id && !id_eq(g.who.id, t->id)) {
		env_drop(e, DROP_IDENTITY);
		link_end(e, l, k, END_REFUSED, false);
		return;
	}
	other = links_find(l, g.who.id);
	if (link_ok(other) && other.slot != link_slot(l, k)) {
		if (links_up(l, other)) {	/* a bare endpoint turned out to be somebody we have */
			link_end(e, l, k, END_DUPLICATE, false);
			return;
		}
		link_drop(e, l, link_at(l, other.slot));
	}
	if (!handshake_done(&t->hs)) {
		if (handshake_write(e, &t->hs, l->self, hello(e, l, &a->from, continues, tlvs), &w) != DROP_NONE) {
			link_end(e, l, k, END_REFUSED, false);
			return;
		}
		packet_send(e, l, a->peer, a->via, &a->from, buf, writer_len(&w), MESSAGE_FINISH);
	}
	s = handshake_session(e, &t->hs, 1);
	if (!s) {
		env_drop(e, DROP_MEMORY);
		link_end(e, l, k, END_FULL, false);
		return;
	}
	h.continues = continues;
	k->invited = !(g.who.roles & ROLE_MEMBER);
	k->signer = g.who.signer;
	settle(e, l, k, s, g.who.id, &h, true, a);
	attempts_drop(e, l, k, ATTEMPT_CALL);
	if (writer_len(&w))
		finish_again(e, l, k, &w, a);
	if (once && !k->srtt_us)
		alive_sample(k, rtt);
	reach_tell(e, l, k);		/* the first packet: it proves our keys */
	alive_arm(e, l, k);
}

/* Called, @t's peer has too much to do and wants to see first that we are where we say: the INIT again, with proof. */
void call_cookie_in(struct env *e, struct links *l, struct attempt *t, struct bytes packet, const struct arrival *a)
{
	bool called = a->via != NO_SLOT && a->via == t->via;
	enum drop why = DROP_RATE;

	for (unsigned i = 0; a->via == NO_SLOT && i < t->ats; i++)
		called |= endpoint_eq(&t->at[i], &a->from);
	if (t->cookies < COOKIES_TAKEN)
		why = called ? cookie_take(e, e->config->overlay, packet, t->packet, t->packet_len) : DROP_STRANGER;
	if (why != DROP_NONE) {
		env_drop(e, why);
		return;
	}
	t->cookies++;
	packet_send(e, l, a->peer, a->via, &a->from, t->packet, t->packet_len, MESSAGE_INIT);
}

/* ---- answering ---- */

/* The attempt in which we answered this very INIT before. */
static struct attempt *answered(struct links *l, const uint8_t *ephemeral, struct link **at)
{
	for (uint16_t i = 0; l->answers && i < l->slots; i++)
		for (struct attempt *t = l->link[i].state != LINK_FREE ? l->link[i].attempts : NULL; t; t = t->next)
			if (t->kind == ATTEMPT_ANSWER && !memcmp(t->init, ephemeral, sizeof(t->init))) {
				*at = &l->link[i];
				return t;
			}
	return NULL;
}

enum { INIT_EPHEMERAL = WIRE_SHORT + 6 };		/* where the ephemeral key stands in an INIT (wire.h, picture 2) */

static bool call_stands(const struct links *l, const struct link *k)
{
	if (k->state != LINK_CALLING || id_less(k->id, l->self->id))
		return false;
	for (struct attempt *t = k->attempts; t; t = t->next)
		if (t->kind == ATTEMPT_CALL && t->tries <= 2)
			return true;
	return false;
}

void call_init_in(struct env *e, struct links *l, struct bytes packet, const struct arrival *a)
{
	uint8_t buf[HANDSHAKE_MAX], tlvs[HELLO_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	struct link *k = NULL;
	struct attempt *t;
	struct handshake hs;
	struct greeting g;
	struct hello h = { .features = 0 };
	link_ref known = LINK_NONE;
	enum drop why;
	struct caller who = a->via == NO_SLOT ? caller_endpoint(&a->from) : caller_id(a->peer);

	if (packet.len >= HANDSHAKE_INIT_MIN) {
		t = answered(l, packet.at + INIT_EPHEMERAL, &k);
		if (t && packet.len >= t->packet_len && !handshake_knows(e, e->config->overlay, packet)) {
			packet_send(e, l, a->peer, a->via, &a->from, t->packet, t->packet_len, MESSAGE_REPLY);
			return;
		}
	}
	switch (gate_knock(e, &l->gate, e->config->overlay, packet, &who, l->answers >= ANSWERS_CROWD, buf)) {
	case GATE_COOKIE:
		packet_send(e, l, a->peer, a->via, &a->from, buf, COOKIE_PACKET, MESSAGE_COOKIE);
		return;
	case GATE_SHUT:
		return;
	case GATE_OPEN:
		break;
	}
	why = handshake_read(e, &hs, l->self, packet, &g);
	if (why == DROP_NONE && g.known)
		why = hello_read(g.hello, &h);
	if (why != DROP_NONE) {
		env_drop(e, why);
		return;
	}
	if (g.known) {
		known = links_find(l, g.who.id);
		if (link_ok(known) && call_stands(l, link_at(l, known.slot))) {
			env_drop(e, DROP_STATE);
			handshake_wipe(&hs);
			return;
		}
	}
	k = link_ok(known) ? link_at(l, known.slot) : link_add(e, l);
	if (!k) {
		env_drop(e, DROP_FULL);
		return;
	}
	if (!link_ok(known)) {
		k->state = LINK_ANSWERED;
		if (g.known)
			k->id = g.who.id;
	}
	attempts_drop(e, l, k, ATTEMPT_ANSWER);
	t = attempt_add(e, l, k, ATTEMPT_ANSWER);
	if (!t)
		goto out;
	memcpy(t->init, packet.at + INIT_EPHEMERAL, sizeof(t->init));
	t->via = a->via;
	t->at[0] = a->from;
	t->ats = 1;
	t->began_us = env_us(e);
	t->due_ms = env_ms(e) + ANSWER_MS;
	t->index = index_new(e, l, k);
	t->incarnation = h.incarnation;
	t->observed = h.at[0];
	t->continues = h.continues;
	t->let = (uint8_t)reach_let(l, a);
	if (g.known) {
		t->has_id = true;
		t->id = g.who.id;
		t->invited = !(g.who.roles & ROLE_MEMBER);
		t->signer = g.who.signer;
	}
	handshake_answer(&hs, t->index);
	why = handshake_write(e, &hs, l->self, hello(e, l, a->via == NO_SLOT ? &a->from : NULL, false, tlvs), &w);
	if (why != DROP_NONE || !attempt_keep(e, t, &w)) {
		env_drop(e, why != DROP_NONE ? why : DROP_MEMORY);
		attempt_free(e, l, k, t);
		goto out;
	}
	if (handshake_done(&hs)) {
		t->session = handshake_session(e, &hs, 1);
		if (!t->session) {
			env_drop(e, DROP_MEMORY);
			attempt_free(e, l, k, t);
			goto out;
		}
		if (k->state == LINK_CALLING) {		/* crossing, and theirs stands */
			attempts_drop(e, l, k, ATTEMPT_CALL);
			k->state = LINK_ANSWERED;
		}
	} else {
		t->hs = hs;
	}
	packet_send(e, l, a->peer, a->via, &a->from, t->packet, t->packet_len, MESSAGE_REPLY);
	alive_arm(e, l, k);
out:
	handshake_wipe(&hs);
	if (!k->attempts && k->state != LINK_UP)
		link_drop(e, l, k);
}

/* The caller's first packet under the keys of answer @t: now we believe it. */
void call_confirmed(struct env *e, struct links *l, struct link *k, struct attempt *t, const struct arrival *a)
{
	struct hello h = {
		.incarnation = t->incarnation, .continues = t->continues, .ats = endpoint_valid(&t->observed),
		.at = { t->observed },
	};
	struct session *s = t->session;
	struct id who = t->has_id ? t->id : k->id;
	uint32_t rtt = env_us(e) - t->began_us;

	t->session = NULL;
	k->invited = t->invited;
	k->signer = t->signer;
	if (t->let > k->let)
		k->let = t->let;
	settle(e, l, k, s, who, &h, false, a);
	attempts_drop(e, l, k, ATTEMPT_ANSWER);
	attempts_drop(e, l, k, ATTEMPT_CALL);
	if (!k->srtt_us)
		alive_sample(k, rtt);
	reach_tell(e, l, k);
}

void call_finish_in(struct env *e, struct links *l, struct link *k, struct attempt *t, struct bytes packet,
		    const struct arrival *a)
{
	struct greeting g;
	struct hello h;
	struct session *s;
	link_ref known;
	enum drop why = handshake_read(e, &t->hs, l->self, packet, &g);

	if (why == DROP_NONE)
		why = hello_read(g.hello, &h);
	if (why != DROP_NONE) {
		env_drop(e, why);
		return;
	}
	s = handshake_session(e, &t->hs, 1);
	if (!s) {
		env_drop(e, DROP_MEMORY);
		link_end(e, l, k, END_FULL, false);
		return;
	}
	t->session = s;
	t->has_id = true;
	t->id = g.who.id;
	t->invited = !(g.who.roles & ROLE_MEMBER);
	t->signer = g.who.signer;
	t->incarnation = h.incarnation;
	t->observed = h.at[0];
	t->continues = h.continues;
	known = links_find(l, g.who.id);
	if (link_ok(known) && known.slot != link_slot(l, k)) {	/* move the answer to the slot it belongs to */
		struct link *home = link_at(l, known.slot);
		struct attempt **at = &k->attempts;

		while (*at != t)
			at = &(*at)->next;
		*at = t->next;
		t->next = home->attempts;
		home->attempts = t;
		if (!k->attempts && k->state != LINK_UP)
			link_drop(e, l, k);
		k = home;
	} else {
		k->id = g.who.id;
	}
	call_confirmed(e, l, k, t, a);
	k = link_ok(links_find(l, g.who.id)) ? link_at(l, links_find(l, g.who.id).slot) : NULL;
	if (k)
		alive_arm(e, l, k);
}

/* ---- time ---- */

bool call_due(struct env *e, struct links *l, struct link *k, struct attempt *t)
{
	struct news n = { .kind = NEWS_WANT_VIA, .link = { link_slot(l, k) }, .id = t->id };

	if (t->tries >= t->max_tries) {
		if (k->state == LINK_UP) {
			attempt_free(e, l, k, t);
			return true;
		}
		for (struct attempt *o = k->attempts; o; o = o->next)
			if (o->kind == ATTEMPT_ANSWER) {	/* theirs may still come through */
				attempt_free(e, l, k, t);
				k->state = LINK_ANSWERED;
				return true;
			}
		link_end(e, l, k, END_UNREACHED, false);
		return false;
	}
	if (t->tries >= 2 && t->has_id && k->state != LINK_UP) {
		n.a = t->tries > 2;
		news_add(e, l, &n);
	}
	send_init(e, l, t);
	return true;
}
