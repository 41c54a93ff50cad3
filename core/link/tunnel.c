/*
 * The table of tunnels: who is in it, what carries it, when it is doubted, gets
 * fresh keys and ends.
 */
#include "core/link/tunnel.h"

#include <assert.h>
#include <string.h>

#include "core/link/ends.h"
#include "core/seal/revoke.h"

#define IDLE_MS		300000u		/* a tunnel without payloads fades */
#define EVICT_MS	10000u		/* idle for so long it may give way to another one */
#define ASK_MS		500u
#define VIA_MS		30000u		/* a way back to one who was no member holds for so long */

enum { ASKS = 3 };

/* ---- memory ---- */

void *ends_get(struct env *e, struct tunnels *ts, size_t bytes)
{
	void *p = mem_get(&e->mem, bytes);

	if (p)
		ts->bytes += (uint32_t)bytes;
	else
		env_drop(e, DROP_MEMORY);
	return p;
}

void ends_put(struct env *e, struct tunnels *ts, void *p, size_t bytes)
{
	if (p)
		ts->bytes -= (uint32_t)bytes;
	mem_put(&e->mem, p, bytes);
}

struct tunnels *tunnels_new(struct env *e, struct links *l, const struct identity *self)
{
	struct tunnels *ts = mem_get(&e->mem, sizeof(*ts));

	if (!ts)
		return NULL;
	ts->links = l;
	ts->self = self->id;
	ts->bytes = sizeof(*ts);
	return ts;
}

void parcels_free(struct env *e, struct tunnels *ts, struct parcel *p, bool waited)
{
	for (struct parcel *next; p; p = next) {
		next = p->next;
		if (waited)
			ts->waiting_bytes -= p->len;
		ends_put(e, ts, p, sizeof(*p) + p->len);
	}
}

static void tunnel_free(struct env *e, struct tunnels *ts, unsigned slot)
{
	struct tunnel *t = ts->tunnel[slot];

	greet_free(e, ts, &t->call);
	greet_free(e, ts, &t->answer);
	piece_done(e, ts, t);
	parcels_free(e, ts, t->first, true);
	parcels_free(e, ts, t->early, false);
	session_free(e, t->session);
	session_free(e, t->old);
	ends_put(e, ts, t, sizeof(*t));
	ts->tunnel[slot] = NULL;
}

void tunnels_free(struct env *e, struct tunnels *ts)
{
	if (!ts)
		return;
	for (unsigned i = 0; i < ts->slots; i++)
		if (ts->tunnel[i])
			tunnel_free(e, ts, i);
	gate_done(e, &ts->gate);
	mem_put(&e->mem, ts->tunnel, ts->slots * sizeof(struct tunnel *));
	mem_put(&e->mem, ts, sizeof(*ts));
}

void tunnels_revoked(struct env *e, struct tunnels *ts)
{
	for (unsigned i = 0; i < ts->slots; i++) {
		struct tunnel *t = ts->tunnel[i];

		if (!t || !(revoked_peer(e->revoked, ts->member[t->network].key, t->peer, t->signer) ||
			    (t->answer && revoked_peer(e->revoked, ts->member[t->network].key, t->peer, t->answer->signer))))
			continue;
		tunnel_forget_waiting(e, ts, t, DROP_REVOKED);
		tunnel_tell(e, ts, t, TUNNEL_DOWN, (struct bytes){ NULL, 0 });
		tunnel_free(e, ts, i);
	}
}

void tunnels_network(struct env *e, struct tunnels *ts, unsigned n, struct id network, const uint8_t key[KEY_BYTES],
		     const struct identity *self)
{
	struct member *m = &ts->member[n];

	(void)e;
	assert(n < NETWORKS_MAX && self);
	m->id = network;
	memcpy(m->key, key, KEY_BYTES);
	m->self = self;
}

void tunnels_quit(struct env *e, struct tunnels *ts, unsigned n)
{
	for (unsigned i = 0; i < ts->slots; i++) {
		struct tunnel *t = ts->tunnel[i];

		if (!t || t->network != n)
			continue;
		if (t->session && !t->broken && !t->bye)
			tunnel_control(e, ts, t, CONTROL_BYE);
		tunnel_forget_waiting(e, ts, t, DROP_STATE);
		tunnel_free(e, ts, i);
	}
	ts->member[n] = (struct member){ .self = NULL };
}

/* ---- the table ---- */

struct tunnel *tunnel_find(struct tunnels *ts, unsigned n, struct id peer)
{
	for (unsigned i = 0; i < ts->slots; i++) {
		struct tunnel *t = ts->tunnel[i];

		if (t && t->network == n && id_eq(t->peer, peer))
			return t;
	}
	return NULL;
}

bool tunnels_know(struct tunnels *ts, unsigned n, struct id peer)
{
	const struct tunnel *t = tunnel_find(ts, n, peer);

	return t && t->session && !t->broken;
}

/* A free slot, by growth or by the end of the tunnel idle for longest. */
static unsigned slot_free(struct env *e, struct tunnels *ts)
{
	uint32_t now = env_ms(e), most = EVICT_MS;
	unsigned idle = TUNNELS_MAX;

	for (unsigned i = 0; i < ts->slots; i++) {
		const struct tunnel *t = ts->tunnel[i];

		if (!t)
			return i;
		if (!t->first && now - t->used_ms >= most) {
			most = now - t->used_ms;
			idle = i;
		}
	}
	if (ts->slots < TUNNELS_MAX) {
		unsigned i = ts->slots;

		return mem_grow(&e->mem, &ts->tunnel, &ts->slots, (uint16_t)(ts->slots + 8), sizeof(struct tunnel *)) ?
		       i : TUNNELS_MAX;
	}
	if (idle < TUNNELS_MAX) {
		tunnel_tell(e, ts, ts->tunnel[idle], TUNNEL_DOWN, (struct bytes){ NULL, 0 });
		tunnel_free(e, ts, idle);
	}
	return idle;
}

struct tunnel *tunnel_add(struct env *e, struct tunnels *ts, unsigned n, struct id peer)
{
	unsigned slot = slot_free(e, ts);
	struct tunnel *t;

	if (slot == TUNNELS_MAX) {
		env_drop(e, DROP_FULL);
		return NULL;
	}
	t = ends_get(e, ts, sizeof(*t));
	if (!t)
		return NULL;
	t->network = (uint8_t)n;
	t->peer = peer;
	t->index = (e->index_base & INDEX_HOST) | (uint32_t)(random_u64(&e->random) & 0x3fff) << DATA_SLOT_BITS | slot;
	t->link = t->chain = LINK_NONE;
	t->used_ms = t->want_ms = t->demand_ms = t->window_ms = env_ms(e);
	t->mail_ms = t->used_ms - 1000000;
	t->number = (uint16_t)random_u64(&e->random);
	ts->tunnel[slot] = t;
	tunnel_arm(e, ts, IDLE_MS);
	return t;
}
_Static_assert((int)TUNNELS_MAX <= (int)DATA_LABELS, "slots of tunnels and of labels are apart");

void tunnel_arm(struct env *e, struct tunnels *ts, int64_t in_ms)
{
	int64_t due = e->now_ns + in_ms * NS_PER_MS;

	(void)ts;
	if (heap_due(&e->timers, TIMER_TUNNEL) > due)
		heap_set(&e->timers, &e->mem, TIMER_TUNNEL, due);
}

/* ---- outboxes ---- */

struct tunnel_item *ends_put_item(struct env *e, struct outbox *o)
{
	struct tunnel_item *item = env_scratch(e, sizeof(*item));

	if (!item)
		return NULL;
	memset(item, 0, sizeof(*item));
	if (o->first)
		o->last->next = item;
	else
		o->first = item;
	o->last = item;
	return item;
}

static struct tunnel_item *take(struct outbox *o)
{
	struct tunnel_item *item = o->first;

	if (item)
		o->first = item->next;
	return item;
}

bool tunnels_next(struct tunnels *ts, struct tunnel_news *out)
{
	struct tunnel_item *item = take(&ts->news);

	if (item)
		*out = item->news;
	return item;
}

bool tunnels_next_mail(struct tunnels *ts, struct tunnel_mail *out)
{
	struct tunnel_item *item = take(&ts->mail);

	if (item)
		*out = item->mail;
	return item;
}

bool tunnels_next_want(struct tunnels *ts, struct tunnel_want *out)
{
	struct tunnel_item *item = take(&ts->want);

	if (item)
		*out = item->want;
	return item;
}

void tunnel_tell(struct env *e, struct tunnels *ts, struct tunnel *t, enum tunnel_word word, struct bytes cert)
{
	struct tunnel_item *item = ends_put_item(e, &ts->news);
	uint8_t *copy = cert.len ? env_scratch(e, cert.len) : NULL;

	if (!item)
		return;
	item->news = (struct tunnel_news){ .word = (uint8_t)word, .network = t->network, .peer = t->peer };
	if (copy) {
		memcpy(copy, cert.at, cert.len);
		item->news.cert = (struct bytes){ copy, cert.len };
	}
}

void ends_mail(struct env *e, struct tunnels *ts, struct tunnel *t, enum mail_kind kind, struct bytes data)
{
	size_t max = 1 + (kind == MAIL_SHAKE ? ID_BYTES : 0) + data.len;
	struct writer w;
	struct tunnel_item *item;
	uint8_t *buf;

	if (max > TUNNEL_MAIL_MAX) {
		env_drop(e, DROP_TOO_BIG);
		return;
	}
	buf = env_scratch(e, max);
	item = buf ? ends_put_item(e, &ts->mail) : NULL;
	if (!item)
		return;
	w = writer_of(buf, max);
	write_u8(&w, (uint8_t)kind);
	if (kind == MAIL_SHAKE)
		write_id(&w, ts->member[t->network].id);
	write_copy(&w, data.at, data.len);
	if (t->has_via && env_ms(e) - t->via_ms > VIA_MS)
		t->has_via = false;
	item->mail = (struct tunnel_mail){
		.to = t->peer, .via = t->via, .has_via = t->has_via, .data = { buf, writer_len(&w) },
	};
}

/* ---- carriers come and go ---- */

/* The way changed: is the peer still the one we know? Only where it matters. */
static void ask_soon(struct env *e, struct tunnels *ts, struct tunnel *t)
{
	if (!t->session || t->asks || t->broken || env_ms(e) - t->used_ms > EVICT_MS)
		return;
	t->asks = 1;
	t->ask_ms = env_ms(e) + ASK_MS;
	tunnel_control(e, ts, t, CONTROL_ASK);
	tunnel_arm(e, ts, ASK_MS);
}

void tunnels_link(struct env *e, struct tunnels *ts, struct id peer, bool up)
{
	for (unsigned i = 0; i < ts->slots; i++) {
		struct tunnel *t = ts->tunnel[i];

		if (!t || !id_eq(t->peer, peer))
			continue;
		if (!up)
			t->link = LINK_NONE;
		ask_soon(e, ts, t);
		if (up)
			tunnel_flush(e, ts, t);
	}
}

void tunnels_chain(struct env *e, struct tunnels *ts, struct id peer, uint32_t index, link_ref first, uint32_t label,
		   uint16_t mtu)
{
	for (unsigned i = 0; i < ts->slots; i++) {
		struct tunnel *t = ts->tunnel[i];

		if (!t || !id_eq(t->peer, peer) || !t->session || t->session->peer_index != index)
			continue;
		if (mtu < SESSION_OVERHEAD + FRAGMENT_WORD + TUNNEL_PAYLOAD_MAX / TUNNEL_PIECES + OFFLOAD_WORD)
			label = 0;
		if (!label && t->label) {
			t->want_ms = env_ms(e);	/* another one at once */
			ask_soon(e, ts, t);
		}
		t->label = label;
		t->chain = first;
		t->chain_mtu = mtu;
		if (label) {
			t->want_ms = env_ms(e) + REFRESH_MS;
			tunnel_flush(e, ts, t);
		} else if (t->first) {
			tunnel_arm(e, ts, WAIT_CHAIN_MS);
		}
	}
}

/* ---- time ---- */

static void soon(uint32_t *next, uint32_t in)
{
	if (in < *next)
		*next = in;
}

static void ask_tick(struct env *e, struct tunnels *ts, struct tunnel *t, uint32_t *next)
{
	uint32_t now = env_ms(e);

	if (!t->session || t->broken)
		return;
	if (t->alone && !t->asks && past_ms(now, t->alone_ms + ALONE_MS)) {
		t->asks = 1;
		t->ask_ms = now + ASK_MS;
		tunnel_control(e, ts, t, CONTROL_ASK);
	} else if (t->asks && past_ms(now, t->ask_ms)) {
		if (t->asks++ < ASKS) {
			t->ask_ms = now + ASK_MS;
			if (t->label) {		/* or is it the chain? mail goes around whoever is silent */
				t->label = 0;
				t->want_ms = now;
			}
			tunnel_control(e, ts, t, CONTROL_ASK);
		} else {			/* restarted, or gone: the handshake tells */
			t->asks = 0;
			t->alone = false;
			t->broken = true;
			t->label = 0;
			t->want_ms = now;
			greet_call(e, ts, t);
			return;
		}
	}
	if (t->asks)
		soon(next, t->ask_ms - now);
	else if (t->alone)
		soon(next, t->alone_ms + ALONE_MS - now);
}

static void rekey_tick(struct env *e, struct tunnels *ts, struct tunnel *t, uint32_t *next)
{
	uint32_t now = env_ms(e), life = (uint32_t)(e->config->rekey_data_ns / NS_PER_MS), age;

	if (!t->session || t->broken || t->call)
		return;
	if (!t->called)
		life += life / 8;
	age = session_age_ms(e, t->session);
	if ((age >= life || session_worn(t->session)) && past_ms(now, t->rekey_ms)) {
		greet_call(e, ts, t);
		return;
	}
	soon(next, age >= life ? t->rekey_ms - now : life - age);
}

/* False: it is gone. */
static bool tick(struct env *e, struct tunnels *ts, unsigned slot, uint32_t *next)
{
	struct tunnel *t = ts->tunnel[slot];
	uint32_t now = env_ms(e), idle = now - t->used_ms;

	if ((idle >= IDLE_MS || t->bye) && !t->first && !t->call && !t->answer) {
		if (t->session && !t->broken && !t->bye)
			tunnel_control(e, ts, t, CONTROL_BYE);
		if (t->told_up)
			tunnel_tell(e, ts, t, TUNNEL_DOWN, (struct bytes){ NULL, 0 });
		tunnel_free(e, ts, slot);
		return false;
	}
	greet_tick(e, ts, t, next);
	piece_tick(e, ts, t, next);
	ask_tick(e, ts, t, next);
	rekey_tick(e, ts, t, next);
	if (t->old && past_ms(now, t->old_ms)) {
		session_free(e, t->old);
		t->old = NULL;
	}
	if (t->old)
		soon(next, t->old_ms - now);
	if (t->first && t->session && !t->broken) {
		tunnel_flush(e, ts, t);
		if (t->first)
			soon(next, WAIT_CHAIN_MS);
	}
	if (t->first && !t->call && (!t->session || t->broken))
		greet_call(e, ts, t);		/* the call of theirs that ours gave way to came to nothing */
	if (t->call)
		soon(next, t->call->due_ms - now);
	soon(next, idle < IDLE_MS ? IDLE_MS - idle : EVICT_MS);
	return true;
}

void tunnels_timer(struct env *e, struct tunnels *ts, uint16_t tag)
{
	uint32_t next = IDLE_MS;
	bool any = false;

	(void)tag;
	for (unsigned i = 0; i < ts->slots; i++)
		if (ts->tunnel[i] && tick(e, ts, i, &next))
			any = true;
	if (any)
		tunnel_arm(e, ts, next ? next : 1);
}

void tunnels_resumed(struct env *e, struct tunnels *ts)
{
	for (unsigned i = 0; i < ts->slots; i++) {
		struct tunnel *t = ts->tunnel[i];

		if (!t || !t->session)
			continue;
		t->rekey_ms = env_ms(e);
		greet_call(e, ts, t);		/* DESIGN section 4: a new handshake after resume */
	}
}

/* ---- to look at ---- */

bool tunnel_at(const struct tunnels *ts, unsigned i, struct tunnel_view *out)
{
	const struct tunnel *t = i < ts->slots ? ts->tunnel[i] : NULL;
	struct link_view v;
	link_ref ref;

	if (!t)
		return false;
	*out = (struct tunnel_view){
		.peer = t->peer, .network = t->network, .up = t->session && !t->broken, .packets_out = t->packets_out,
		.packets_in = t->packets_in, .bytes_out = t->bytes_out, .bytes_in = t->bytes_in,
		.cut = t->cut,
		.mtu = TUNNEL_MAIL_MAX - 1 - SESSION_OVERHEAD,
	};
	ref = links_find(ts->links, t->peer);
	if (link_ok(ref) && links_up(ts->links, ref) && links_view(ts->links, ref, &v)) {
		out->direct = true;
		out->mtu = (uint16_t)(links_carries(ts->links, ref) - SESSION_OVERHEAD);
		out->at = v.at;
		out->via = v.via;
	} else if (t->label && links_up(ts->links, t->chain)) {
		out->chained = true;
		out->mtu = (uint16_t)(t->chain_mtu - SESSION_OVERHEAD);
		out->via = links_id(ts->links, t->chain);
	}
	return true;
}

uint32_t tunnels_index(const struct tunnels *ts, unsigned i)
{
	return i < ts->slots && ts->tunnel[i] ? ts->tunnel[i]->index : 0;
}

uint32_t tunnels_bytes(const struct tunnels *ts)
{
	uint32_t sessions = 0;

	for (unsigned i = 0; i < ts->slots; i++) {
		const struct tunnel *t = ts->tunnel[i];

		for (unsigned k = 0; t && k < 2; k++) {
			const struct session *s = k ? t->old : t->session;

			sessions += s ? (uint32_t)(sizeof(*s) + s->lanes * (24u + 2u * s->key_bytes)) : 0;
		}
	}
	return ts->bytes + sessions + ts->slots * (uint32_t)sizeof(struct tunnel *);
}
