/*
 * Handshakes of tunnels, by mail.
 *
 * As between links (call.c): a caller repeats the same INIT, the answerer knows
 * it by its ephemeral key and repeats the same REPLY, and what an answer makes
 * is not believed before the caller's first packet under the new keys. Nobody
 * knows who wrote a piece of mail; it names the sender only until the handshake
 * proves or disproves it. Crossing calls: the one of the lower id stands, the
 * other one is given up; where both went through, both open for a while and
 * both ends send with the keys of the lower id's call.
 */
#include <string.h>

#include "core/link/ends.h"

#define CALL_MS		500u		/* first repetition of INIT, then doubling up to ... */
#define CALL_MOST_MS	2000u
#define FINISH_AGAIN_MS	500u
#define ANSWERED_MS	6000u		/* an answer waits for its proof */
#define KEEP_OLD_MS	10000u		/* replaced keys still open packets */
#define MEETING_MS	5000u		/* two handshakes this close are one meeting */
#define AGAIN_MS	2000u		/* after a call in vain */
#define REKEY_AGAIN_MS	60000u

enum {
	CALLS		= 5,		/* INITs: at 0, 0.5, 1.5, 3.5 and 5.5 s; given up at 7.5 s */
	FINISHES	= 5,
	EPHEMERAL	= WIRE_SHORT + 6,	/* where the ephemeral key stands in an INIT (wire.h, picture 2) */
	CALL_STANDS	= 2,		/* INITs after which the lower id's call stands no more */
};

void greet_free(struct env *e, struct tunnels *ts, struct greet **at)
{
	struct greet *g = *at;

	if (!g)
		return;
	*at = NULL;
	ts->answers -= g->kind == GREET_ANSWER;
	handshake_wipe(&g->hs);
	session_free(e, g->session);
	ends_put(e, ts, g->packet, g->packet_len);
	ends_put(e, ts, g->cert, g->cert_len);
	ends_put(e, ts, g, sizeof(*g));
}

static struct bytes hello(struct env *e, struct tunnels *ts, bool continues, uint8_t buf[HELLO_MAX])
{
	struct writer w = writer_of(buf, HELLO_MAX);
	struct hello h = { .features = FEATURES_OURS, .incarnation = e->incarnation, .continues = continues };
	struct contact c;

	links_self(ts->links, &c);
	h.ats = c.ats;
	memcpy(h.at, c.at, sizeof(h.at));
	hello_write(&w, &h);
	return (struct bytes){ buf, w.bad ? 0 : writer_len(&w) };
}

static bool keep(struct env *e, struct tunnels *ts, struct greet *g, const struct writer *w)
{
	ends_put(e, ts, g->packet, g->packet_len);
	g->packet_len = 0;
	g->packet = ends_get(e, ts, writer_len(w));
	if (!g->packet)
		return false;
	g->packet_len = (uint16_t)writer_len(w);
	memcpy(g->packet, w->start, g->packet_len);
	return true;
}

static void post(struct env *e, struct tunnels *ts, struct tunnel *t, const struct greet *g)
{
	ends_mail(e, ts, t, MAIL_SHAKE, (struct bytes){ g->packet, g->packet_len });
}

/* ---- calling ---- */

static void send_init(struct env *e, struct tunnels *ts, struct tunnel *t, struct greet *g)
{
	uint32_t wait = CALL_MS << g->tries;

	if (wait > CALL_MOST_MS)
		wait = CALL_MOST_MS;
	g->due_ms = env_ms(e) + wait;
	g->tries++;
	tunnel_arm(e, ts, wait);
	post(e, ts, t, g);
}

void greet_call(struct env *e, struct tunnels *ts, struct tunnel *t)
{
	const struct member *m = &ts->member[t->network];
	uint8_t buf[HANDSHAKE_MAX], tlvs[HELLO_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	struct greet *g;

	if (t->call || !m->self)
		return;
	g = ends_get(e, ts, sizeof(*g));
	if (!g)
		return;
	g->kind = GREET_CALL;
	t->call = g;
	if (!handshake_call_in(e, &g->hs, m->self, m->key, t->has_key ? t->key : NULL, t->index) ||
	    handshake_write(e, &g->hs, m->self, hello(e, ts, t->session, tlvs), &w) != DROP_NONE || w.bad ||
	    !keep(e, ts, g, &w)) {
		greet_free(e, ts, &t->call);
		return;
	}
	send_init(e, ts, t, g);
}

/* The peer has too much to do, and wants to see that what it sends to our id reaches us. */
static void cookie_in(struct env *e, struct tunnels *ts, struct tunnel *t, struct bytes packet)
{
	struct greet *g = t->call;
	enum drop why = DROP_HANDSHAKE;

	if (g && g->kind == GREET_CALL)
		why = g->cookies < COOKIES_TAKEN ?
		      cookie_take(e, ts->member[t->network].key, packet, g->packet, g->packet_len) : DROP_RATE;
	if (why != DROP_NONE) {
		env_drop(e, why);
		return;
	}
	g->cookies++;
	post(e, ts, t, g);
}

/* ---- keys agreed ---- */

/*
 * @s are new keys with the peer. They replace those of an earlier life of the
 * peer outright, others after a while; of two handshakes of one meeting both
 * ends send with those of the lower id's call. False: @s is from an earlier life.
 */
static bool settle(struct env *e, struct tunnels *ts, struct tunnel *t, struct session *s, const struct greet *g,
		   bool called, struct bytes cert)
{
	uint32_t now = env_ms(e);
	bool lower = id_less(ts->self, t->peer), fresh = !t->told_up;

	if (g->incarnation < t->incarnation) {
		session_free(e, s);
		env_drop(e, DROP_STALE);
		return false;
	}
	if (t->label && (!t->session || t->session->peer_index != s->peer_index)) {
		t->label = 0;			/* a chain ends in an index, and the peer has another one now */
		t->want_ms = now;
	}
	session_free(e, t->old);
	t->old = NULL;
	if (t->session && g->incarnation == t->incarnation) {
		if (now - t->up_ms < MEETING_MS && t->called != called && called != lower && !t->broken) {
			t->old = s;		/* theirs and ours crossed, and the other one stands */
			s = t->session;
			called = t->called;
		} else {
			t->old = t->session;
		}
		t->old_ms = now + KEEP_OLD_MS;
		tunnel_arm(e, ts, KEEP_OLD_MS);
	} else {
		session_free(e, t->session);
		fresh = true;
	}
	t->session = s;
	t->incarnation = g->incarnation;
	t->signer = g->signer;
	t->called = called;
	t->up_ms = t->heard_ms = now;
	t->rekey_ms = now;
	t->alone = t->broken = t->failed = t->bye = false;
	t->asks = 0;
	t->told_up = true;
	memcpy(t->key, g->key, KEY_BYTES);
	t->has_key = true;
	t->ats = g->ats;
	memcpy(t->at, g->at, sizeof(t->at));
	if (fresh)
		tunnel_tell(e, ts, t, TUNNEL_UP, cert);
	return true;
}

static void take_hello(struct greet *g, const struct greeting *said, const struct hello *h)
{
	g->incarnation = h->incarnation;
	g->ats = h->ats;
	memcpy(g->at, h->at, sizeof(g->at));
	memcpy(g->key, said->who.key, KEY_BYTES);
	g->signer = said->who.signer;
	g->who_known = true;
}

static void reply_in(struct env *e, struct tunnels *ts, struct tunnel *t, struct bytes packet)
{
	const struct member *m = &ts->member[t->network];
	uint8_t buf[HANDSHAKE_MAX], tlvs[HELLO_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	struct greet *g = t->call;
	struct greeting said;
	struct session *s;
	struct hello h;
	enum drop why;

	if (!g || g->kind != GREET_CALL) {
		env_drop(e, DROP_HANDSHAKE);
		return;
	}
	why = handshake_read_in(e, &g->hs, m->self, m->key, packet, &said);
	if (why == DROP_NONE)
		why = !id_eq(said.who.id, t->peer) ? DROP_IDENTITY : hello_read(said.hello, &h);
	if (why != DROP_NONE) {		/* a liar's mail, or a member's who is not the one: the repetition may tell more */
		env_drop(e, why);
		return;
	}
	take_hello(g, &said, &h);
	if (!handshake_done(&g->hs) &&
	    (handshake_write(e, &g->hs, m->self, hello(e, ts, t->session, tlvs), &w) != DROP_NONE || !keep(e, ts, g, &w))) {
		greet_free(e, ts, &t->call);
		return;
	}
	s = handshake_session(e, &g->hs, WIRE_LANES);
	if (!s) {
		env_drop(e, DROP_MEMORY);
		greet_free(e, ts, &t->call);
		return;
	}
	if (!settle(e, ts, t, s, g, true, said.cert.all)) {
		greet_free(e, ts, &t->call);
		return;
	}
	if (writer_len(&w)) {
		g->kind = GREET_FINISH;
		g->tries = 0;
		g->due_ms = env_ms(e) + FINISH_AGAIN_MS;
		post(e, ts, t, g);
		tunnel_arm(e, ts, FINISH_AGAIN_MS);
	} else {
		greet_free(e, ts, &t->call);
	}
	if (t->first)
		tunnel_flush(e, ts, t);
	else
		tunnel_control(e, ts, t, CONTROL_HERE);		/* it proves our keys */
}

/* ---- answering ---- */

static struct greet *answer_new(struct env *e, struct tunnels *ts, struct tunnel *t)
{
	greet_free(e, ts, &t->answer);
	if (ts->answers >= ANSWERS) {
		env_drop(e, DROP_RATE);
		return NULL;
	}
	t->answer = ends_get(e, ts, sizeof(*t->answer));
	if (!t->answer)
		return NULL;
	ts->answers++;
	t->answer->kind = GREET_ANSWER;
	t->answer->due_ms = env_ms(e) + ANSWERED_MS;
	tunnel_arm(e, ts, ANSWERED_MS);
	return t->answer;
}

static bool keep_cert(struct env *e, struct tunnels *ts, struct greet *g, const struct cert *c)
{
	g->cert = ends_get(e, ts, c->all.len);
	if (!g->cert)
		return false;
	g->cert_len = (uint16_t)c->all.len;
	memcpy(g->cert, c->all.at, c->all.len);
	return true;
}

/* Both called: does our call stand? */
static bool call_stands(const struct tunnels *ts, const struct tunnel *t)
{
	return t->call && t->call->kind == GREET_CALL && t->call->tries <= CALL_STANDS && id_less(ts->self, t->peer);
}

static void init_in(struct env *e, struct tunnels *ts, struct id from, const struct id *via, unsigned n,
		    struct bytes packet)
{
	const struct member *m = &ts->member[n];
	uint8_t buf[HANDSHAKE_MAX], tlvs[HELLO_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	struct tunnel *t = tunnel_find(ts, n, from), asked = { .peer = from, .network = (uint8_t)n, .via_ms = env_ms(e) };
	struct caller who = caller_id(from);
	struct hello h = { .features = 0 };
	struct handshake hs;
	struct greeting said;
	struct greet *g;
	enum drop why;

	if (t && t->answer && packet.len >= HANDSHAKE_INIT_MIN && packet.len >= t->answer->packet_len &&
	    !memcmp(t->answer->init, packet.at + EPHEMERAL, sizeof(g->init)) && !handshake_knows(e, m->key, packet)) {
		post(e, ts, t, t->answer);
		return;
	}
	if (id_eq(from, ts->self)) {
		env_drop(e, DROP_SELF);
		return;
	}
	if (t && call_stands(ts, t)) {
		env_drop(e, DROP_STATE);
		return;
	}
	switch (gate_knock(e, &ts->gate, m->key, packet, &who, ts->answers >= ANSWERS_CROWD, buf)) {
	case GATE_COOKIE:
		asked.has_via = via;
		asked.via = via ? *via : ID_ZERO;
		ends_mail(e, ts, &asked, MAIL_SHAKE, (struct bytes){ buf, COOKIE_PACKET });
		return;
	case GATE_SHUT:
		return;
	case GATE_OPEN:
		break;
	}
	why = handshake_read_in(e, &hs, m->self, m->key, packet, &said);
	if (why == DROP_NONE && said.known) {
		why = hello_read(said.hello, &h);
		if (why == DROP_NONE && !id_eq(said.who.id, from))
			why = DROP_IDENTITY;
		if (why == DROP_NONE && t && h.incarnation < t->incarnation)
			why = DROP_STALE;
	}
	if (why == DROP_NONE && ts->answers >= ANSWERS && !(t && t->answer))
		why = DROP_RATE;
	if (why != DROP_NONE) {
		env_drop(e, why);
		handshake_wipe(&hs);
		return;
	}
	if (!t)
		t = tunnel_add(e, ts, n, from);
	g = t ? answer_new(e, ts, t) : NULL;
	if (!g) {
		handshake_wipe(&hs);
		return;
	}
	t->has_via = via;
	t->via = via ? *via : ID_ZERO;
	t->via_ms = env_ms(e);
	memcpy(g->init, packet.at + EPHEMERAL, sizeof(g->init));
	if (said.known) {
		take_hello(g, &said, &h);
		if (!keep_cert(e, ts, g, &said.cert))
			why = DROP_MEMORY;
	}
	handshake_answer(&hs, t->index);
	if (why == DROP_NONE)
		why = env_drop(e, handshake_write(e, &hs, m->self, hello(e, ts, false, tlvs), &w));
	if (why == DROP_NONE && !keep(e, ts, g, &w))
		why = DROP_MEMORY;
	if (why == DROP_NONE && handshake_done(&hs)) {
		g->session = handshake_session(e, &hs, WIRE_LANES);
		if (!g->session)
			why = env_drop(e, DROP_MEMORY);
	} else if (why == DROP_NONE) {
		g->hs = hs;
	}
	handshake_wipe(&hs);
	if (why != DROP_NONE) {
		greet_free(e, ts, &t->answer);
		return;
	}
	post(e, ts, t, g);
}

/* Keys of an answer that are proved now: ours, and theirs. */
void greet_proved(struct env *e, struct tunnels *ts, struct tunnel *t)
{
	struct greet *g = t->answer;
	struct session *s = g->session;

	g->session = NULL;
	if (settle(e, ts, t, s, g, false, (struct bytes){ g->cert, g->cert_len }) && t->call &&
	    (t->call->kind == GREET_CALL))
		greet_free(e, ts, &t->call);
	greet_free(e, ts, &t->answer);
}

static void finish_in(struct env *e, struct tunnels *ts, struct tunnel *t, struct bytes packet)
{
	const struct member *m = &ts->member[t->network];
	struct greet *g = t->answer;
	struct greeting said;
	struct hello h;
	enum drop why;

	if (!g || g->session) {
		if (t->session)			/* a repetition: what proves our keys was lost */
			tunnel_control(e, ts, t, CONTROL_HERE);
		env_drop(e, DROP_HANDSHAKE);
		return;
	}
	why = handshake_read_in(e, &g->hs, m->self, m->key, packet, &said);
	if (why == DROP_NONE)
		why = !id_eq(said.who.id, t->peer) ? DROP_IDENTITY : hello_read(said.hello, &h);
	if (why != DROP_NONE) {
		env_drop(e, why);
		return;
	}
	take_hello(g, &said, &h);
	if (!keep_cert(e, ts, g, &said.cert)) {
		greet_free(e, ts, &t->answer);
		return;
	}
	g->session = handshake_session(e, &g->hs, WIRE_LANES);
	if (!g->session) {
		env_drop(e, DROP_MEMORY);
		greet_free(e, ts, &t->answer);
		return;
	}
	greet_proved(e, ts, t);
	tunnel_early(e, ts, t);
	if (t->first)
		tunnel_flush(e, ts, t);
	else
		tunnel_control(e, ts, t, CONTROL_HERE);
}

void greet_in(struct env *e, struct tunnels *ts, struct id from, const struct id *via, unsigned n, struct bytes packet)
{
	struct reader r = reader_of(packet.at, packet.len);
	uint8_t first = read_u8(&r);
	struct tunnel *t;
	uint32_t index;

	read_take(&r, 3);
	index = read_u32(&r);
	if (!reader_ok(&r)) {
		env_drop(e, DROP_SHORT);
		return;
	}
	if ((first & 15) == PACKET_INIT) {
		init_in(e, ts, from, via, n, packet);
		return;
	}
	t = tunnel_find(ts, n, from);
	if (!t || t->index != index)
		env_drop(e, DROP_SESSION);
	else if ((first & 15) == PACKET_REPLY)
		reply_in(e, ts, t, packet);
	else if ((first & 15) == PACKET_FINISH)
		finish_in(e, ts, t, packet);
	else if ((first & 15) == PACKET_COOKIE)
		cookie_in(e, ts, t, packet);
	else
		env_drop(e, DROP_TYPE);
}

/* ---- time ---- */

static void call_failed(struct env *e, struct tunnels *ts, struct tunnel *t)
{
	uint32_t now = env_ms(e);

	greet_free(e, ts, &t->call);
	if (t->session && !t->broken) {		/* fresh keys were wanted, and can wait */
		t->rekey_ms = now + REKEY_AGAIN_MS;
		return;
	}
	if (t->answer)				/* theirs may still come through */
		return;
	session_free(e, t->session);
	session_free(e, t->old);
	t->session = t->old = NULL;
	t->failed = true;
	t->failed_ms = now + AGAIN_MS;
	t->told_up = t->broken = false;
	t->label = 0;
	tunnel_forget_waiting(e, ts, t, DROP_SILENT);
	tunnel_tell(e, ts, t, TUNNEL_FAILED, (struct bytes){ NULL, 0 });
}

void greet_tick(struct env *e, struct tunnels *ts, struct tunnel *t, uint32_t *next)
{
	uint32_t now = env_ms(e);
	struct greet *g = t->call;

	if (g && past_ms(now, g->due_ms)) {
		if (g->kind == GREET_CALL && g->tries < CALLS) {
			send_init(e, ts, t, g);
		} else if (g->kind == GREET_CALL) {
			call_failed(e, ts, t);
		} else if (g->tries++ < FINISHES) {
			g->due_ms = now + FINISH_AGAIN_MS;
			post(e, ts, t, g);
		} else {
			greet_free(e, ts, &t->call);
		}
	}
	if (t->answer && past_ms(now, t->answer->due_ms)) {
		greet_free(e, ts, &t->answer);
		tunnel_early(e, ts, t);
	}
	if (t->call && t->call->due_ms - now < *next)
		*next = t->call->due_ms - now;
	if (t->answer && t->answer->due_ms - now < *next)
		*next = t->answer->due_ms - now;
}
