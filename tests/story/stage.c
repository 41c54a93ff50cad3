#include "tests/story/stage.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/base/env.h"
#include "core/inside.h"
#include "core/base/saved.h"

struct packet_on_wire {
	int64_t at_ns;
	uint64_t order;
	unsigned from, to;
	struct endpoint source, target;
	struct save save;		/* token not 0: not a packet, but this save becomes durable */
	unsigned starts;		/* of the actor that saved */
	uint16_t len;
	uint8_t data[4096];
};

static void *host_get(void *ctx, size_t bytes)
{
	struct stage *s = ctx;

	s->memory += bytes;
	return malloc(bytes);
}

static void host_put(void *ctx, void *p, size_t bytes)
{
	struct stage *s = ctx;

	s->memory -= bytes;
	free(p);
}

static struct mem_host host;

/* Node @i becomes a member of what @signer signs for. */
static void admit(struct stage *s, unsigned i, const uint8_t signer[SIGN_BYTES], struct identity *self,
		  uint8_t chain[CERT_CHAIN_MAX])
{
	uint8_t secret[SIGN_BYTES], salt[CERT_SALT] = { 0 };
	struct writer w = writer_of(chain, CERT_CHAIN_MAX);
	struct cert_order o = { .roles = ROLE_MEMBER, .serial = i + 1, .salt = salt, .any = true };

	s->suite->sign_pair(secret, s->actor[i].seed);
	o.key = secret + 32;
	assert(cert_issue(s->suite, signer, &o, &w));
	assert(identity_init(self, s->suite, s->actor[i].seed, (struct bytes){ chain, writer_len(&w) }, signer + 32,
			     0) == FAULT_NONE);
}

struct stage *stage_new(unsigned n, const struct suite *suite)
{
	struct stage *s = calloc(1, sizeof(*s));

	assert(n <= STAGE_NODES && sodium_init() >= 0);
	config_default(&s->config);
	s->suite = suite;
	s->delay_ns = 20 * NS_PER_MS;
	s->save_ns = NS_PER_MS;
	s->actors = n;
	s->quota = 1 << 20;
	memset(s->overlay_seed, 7, sizeof(s->overlay_seed));
	suite->sign_pair(s->overlay, s->overlay_seed);
	memcpy(s->config.overlay, s->overlay + 32, 32);
	for (unsigned i = 0; i < n; i++) {
		struct actor *a = &s->actor[i];

		memset(a->seed, (int)(i + 1), sizeof(a->seed));
		admit(s, i, s->overlay, &a->identity, a->chain);
		a->at = endpoint_v4(0x0a000001u + i, 4000);
		a->alarm_ns = INT64_MAX;
	}
	s->config.bootstrap = &s->actor[0].at;
	s->config.bootstraps = 1;
	s->fx = (struct effects){
		.send = calloc(2 * EFFECTS_ROOM, sizeof(struct datagram)), .max_sends = 2 * EFFECTS_ROOM,
		.frame = calloc(EFFECTS_ROOM, sizeof(struct frame)), .max_frames = EFFECTS_ROOM,
		.save = calloc(EFFECTS_SAVES, sizeof(struct save)), .max_saves = EFFECTS_SAVES,
		.reply = calloc(EFFECTS_ROOM, sizeof(struct reply)), .max_replies = EFFECTS_ROOM,
		.record = calloc(2 * EFFECTS_ROOM, sizeof(struct record)), .max_records = 2 * EFFECTS_ROOM,
		.bytes = malloc(2 * EFFECTS_BYTES), .max_bytes = 2 * EFFECTS_BYTES,
	};
	s->line_max = 1 << 20;
	s->line = calloc(1, s->line_max);
	return s;
}

void stage_free(struct stage *s)
{
	for (unsigned i = 0; i < s->actors; i++)
		node_free(s->actor[i].node);
	for (unsigned i = 0; i < s->actors; i++)
		stage_wipe(s, i);
	assert(!s->memory);
	free(s->fx.send);
	free(s->fx.frame);
	free(s->fx.save);
	free(s->fx.reply);
	free(s->fx.record);
	free(s->fx.bytes);
	free(s->queue);
	free(s->line);
	free(s);
}

unsigned stage_name(const struct stage *s, struct id id)
{
	for (unsigned i = 0; i < s->actors; i++)
		if (id_eq(s->actor[i].identity.id, id))
			return i;
	return STAGE_NODES;
}

static unsigned at_endpoint(const struct stage *s, const struct endpoint *e)
{
	for (unsigned i = 0; i < s->actors; i++)
		if (endpoint_eq(&s->actor[i].at, e))
			return i;
	return STAGE_NODES;
}

static void tell(struct stage *s, unsigned i, const struct record *r)
{
	unsigned peer = stage_name(s, r->peer);
	char who[16] = "-";

	if (s->keep && !s->keep(r))
		return;
	if (peer < STAGE_NODES)
		snprintf(who, sizeof(who), "%u", peer);
	s->line_len += (size_t)snprintf(s->line + s->line_len, s->line_max - s->line_len, "%7.3f  %u  %-8s %s\n",
					(double)s->now_ns / 1e9, i, record_text(r->kind), who);
	assert(s->line_len < s->line_max - 100);
}

static struct packet_on_wire *queue_add(struct stage *s, int64_t in_ns)
{
	struct packet_on_wire *p;

	if (s->queued == s->queue_max) {
		s->queue_max = s->queue_max ? 2 * s->queue_max : 64;
		s->queue = realloc(s->queue, s->queue_max * sizeof(*s->queue));
	}
	p = &s->queue[s->queued++];
	p->at_ns = s->now_ns + in_ns;
	p->order = s->next_order++;
	p->save.token = 0;
	return p;
}

/* A save is on the disk now. */
static void keep(struct actor *a, const struct packet_on_wire *p)
{
	unsigned at = 0;

	while (at < a->items && (a->item[at].kind < p->save.kind ||
				 (a->item[at].kind == p->save.kind && a->item[at].part < p->save.part)))
		at++;
	if (at < a->items && a->item[at].kind == p->save.kind && a->item[at].part == p->save.part) {
		free(a->item[at].data);
		memmove(&a->item[at], &a->item[at + 1], (--a->items - at) * sizeof(*a->item));
	}
	if (!p->len)
		return;
	a->item = realloc(a->item, (a->items + 1) * sizeof(*a->item));
	memmove(&a->item[at + 1], &a->item[at], (a->items++ - at) * sizeof(*a->item));
	a->item[at] = (struct stage_item){ p->save.kind, p->save.part, malloc(p->len), p->len };
	memcpy(a->item[at].data, p->data, p->len);
}

void stage_wipe(struct stage *s, unsigned i)
{
	struct actor *a = &s->actor[i];

	for (unsigned k = 0; k < a->items; k++)
		free(a->item[k].data);
	free(a->item);
	a->item = NULL;
	a->items = 0;
}

static void carry_out(struct stage *s, unsigned i)
{
	struct actor *a = &s->actor[i];
	struct effects *fx = &s->fx;

	for (unsigned j = 0; j < fx->sends; j++) {
		const struct datagram *d = &fx->send[j];
		struct endpoint source = s->leave ? s->leave(s, i, &d->to, s->between) : a->at;
		unsigned to = at_endpoint(s, &d->to);
		struct packet_on_wire *p;

		a->sent++;
		a->sent_bytes += d->len + 28u;
		if ((to == STAGE_NODES && !s->enter) || (s->wire && !s->wire(s, i, to, d, s->wire_arg)))
			continue;
		p = queue_add(s, s->delay_ns);
		p->from = i;
		p->to = to;
		p->source = source;
		p->target = d->to;
		p->len = d->len;
		memcpy(p->data, d->data, d->len);
	}
	for (unsigned j = 0; j < fx->saves; j++) {
		const struct save *save = &fx->save[j];
		struct packet_on_wire *p = queue_add(s, s->save_ns);

		assert(save->len <= sizeof(p->data));
		p->to = p->from = i;
		p->starts = a->starts;
		p->save = *save;
		p->len = (uint16_t)save->len;
		if (save->len)
			memcpy(p->data, save->data, save->len);
	}
	for (unsigned j = 0; s->tap && j < fx->frames; j++)
		s->tap(s, i, &fx->frame[j], s->tap_arg);
	for (unsigned j = 0; j < fx->replies; j++) {
		s->last_reply = fx->reply[j];
		s->replies++;
	}
	for (unsigned j = 0; j < fx->records; j++) {
		tell(s, i, &fx->record[j]);
		if (fx->record[j].kind == RECORD_LEFT)
			a->alarm_ns = INT64_MIN;
	}
}

void stage_event(struct stage *s, unsigned i, const struct event *ev)
{
	struct actor *a = &s->actor[i];
	unsigned count = ev ? 1 : 0;

	if (!a->node)
		return;
	a->alarm_ns = 0;
	do {
		int64_t next = node_step(a->node, s->now_ns, ev, count, &s->fx);

		if (a->alarm_ns != INT64_MIN)
			a->alarm_ns = next;
		carry_out(s, i);
		count = 0;
	} while (s->fx.more);
	if (a->alarm_ns == INT64_MIN)
		stage_crash(s, i);
}

void stage_inside(struct stage *s, unsigned i, void (*what)(struct node *n, void *arg), void *arg)
{
	struct node *n = s->actor[i].node;

	s->fx.sends = s->fx.frames = s->fx.saves = s->fx.replies = s->fx.records = 0;
	s->fx.used = 0;
	n->env.fx = &s->fx;
	n->env.now_ns = s->now_ns;
	what(n, arg);
	floors_carry(n);
	n->env.fx = NULL;
	carry_out(s, i);
	stage_event(s, i, &(struct event){ .kind = EVENT_TIMER });
}

void stage_up(struct stage *s, unsigned i, bool with_state)
{
	struct actor *a = &s->actor[i];
	struct birth b = {
		.config = &s->config, .suite = s->suite, .host = &host, .quota = s->quota, .identity = &a->identity,
		.incarnation = ++a->starts, .networks = a->network, .network_count = a->newcomer ? 0 : s->networks,
		.newcomer = a->newcomer,
	};
	uint8_t saved[1 << 16];
	struct writer w = writer_of(saved, sizeof(saved));
	uint8_t seed[32] = { (uint8_t)i, (uint8_t)a->starts, 42 };
	struct event ev = { .kind = EVENT_ADDRESS, .from = a->at, .up = true };

	host = (struct mem_host){ host_get, host_put, s };
	a->node = node_new(&b, s->now_ns);
	assert(a->node);
	stage_event(s, i, &ev);
	ev = (struct event){ .kind = EVENT_START, .start.seed = seed };
	for (unsigned k = 0; with_state && k < a->items; k++)
		saved_write(&w, &(struct saved){ a->item[k].part, { a->item[k].data, a->item[k].len }, a->item[k].kind });
	assert(!w.bad);
	ev.data = (struct bytes){ saved, writer_len(&w) };
	stage_event(s, i, &ev);
}

void stage_network(struct stage *s, const struct network_record *n)
{
	unsigned k = s->networks++;
	struct network_record *r = &s->record[k];
	struct writer w = writer_of(s->blob[k], NETWORK_RECORD_MAX);

	uint8_t seed[32] = { 9, (uint8_t)k }, signer[SIGN_BYTES];

	assert(k < STAGE_NETWORKS);
	if (s->one_key && !k)
		memcpy(seed, s->overlay_seed, sizeof(seed));
	s->suite->sign_pair(signer, seed);
	*r = *n;
	memcpy(r->key, signer + 32, sizeof(r->key));
	r->id = network_id(r->key);
	if (!r->founders) {
		r->founder[0] = s->actor[0].identity.id;
		r->founders = 1;
	}
	assert(network_sign(s->suite, signer, r, &w));
	for (unsigned i = 0; i < s->actors; i++) {
		struct actor *a = &s->actor[i];

		admit(s, i, signer, &a->member[k], a->member_chain[k]);
		a->network[k] = (struct network){
			.record = { s->blob[k], writer_len(&w) }, .identity = &a->member[k],
			.secret = { 7, (uint8_t)k }, .iface = (uint16_t)(k + 1), .model = MODEL_INTERFACE,
		};
	}
}

void stage_crash(struct stage *s, unsigned i)
{
	node_free(s->actor[i].node);
	s->actor[i].node = NULL;
	s->actor[i].alarm_ns = INT64_MAX;
}

void stage_stop(struct stage *s, unsigned i)
{
	stage_event(s, i, &(struct event){ .kind = EVENT_STOP });
}

/* The next thing to happen: a packet (lowest order first at equal times) or an alarm. */
static bool advance(struct stage *s, int64_t until_ns)
{
	unsigned packet = UINT32_MAX, alarm = UINT32_MAX;
	int64_t when = INT64_MAX;

	for (unsigned i = 0; i < s->queued; i++)
		if (s->queue[i].at_ns < when ||
		    (s->queue[i].at_ns == when && s->queue[i].order < s->queue[packet].order)) {
			packet = i;
			when = s->queue[i].at_ns;
		}
	for (unsigned i = 0; i < s->actors; i++)
		if (s->actor[i].node && s->actor[i].alarm_ns < when) {
			alarm = i;
			when = s->actor[i].alarm_ns;
		}
	if (when > until_ns)
		return false;
	if (when > s->now_ns)
		s->now_ns = when;
	if (alarm != UINT32_MAX) {
		stage_event(s, alarm, NULL);
	} else {
		struct packet_on_wire p = s->queue[packet];
		struct event ev = {
			.kind = EVENT_DATAGRAM, .from = p.source, .data = { p.data, p.len },
		};

		s->queue[packet] = s->queue[--s->queued];
		if (s->enter && !p.save.token) {
			p.to = s->enter(s, p.from, &p.target, &p.source, s->between);
			if (p.to == STAGE_NODES)
				return true;
		}
		if (p.save.token) {
			if (!s->actor[p.to].node || s->actor[p.to].starts != p.starts)
				return true;
			keep(&s->actor[p.to], &p);
			ev = (struct event){ .kind = EVENT_SAVED, .token = p.save.token };
		}
		stage_event(s, p.to, &ev);
	}
	return true;
}

void stage_run(struct stage *s, int64_t for_ns)
{
	int64_t until = s->now_ns + for_ns;

	while (advance(s, until))
		;
	s->now_ns = until;
}

const struct reply *stage_lookup(struct stage *s, unsigned i, struct id key, int64_t for_ns)
{
	struct event ev = {
		.kind = EVENT_CONTROL, .request = { .token = 1, .key = key, .timeout_ns = for_ns, .ask = ASK_LOOKUP },
	};
	int64_t until = s->now_ns + for_ns + NS_PER_S;
	unsigned before = s->replies;

	stage_event(s, i, &ev);
	while (s->replies == before && advance(s, until))
		;
	return s->replies == before ? NULL : &s->last_reply;
}

const struct reply *stage_ask(struct stage *s, unsigned i, const struct request *q, struct bytes data, int64_t for_ns)
{
	struct event ev = { .kind = EVENT_CONTROL, .request = *q, .data = data };
	int64_t until = s->now_ns + for_ns;
	unsigned before = s->replies;

	if (!ev.request.token)
		ev.request.token = 1;
	stage_event(s, i, &ev);
	while (s->replies == before && advance(s, until))
		;
	return s->replies == before ? NULL : &s->last_reply;
}

void stage_frame(struct stage *s, unsigned i, unsigned n, const void *frame, uint16_t len)
{
	struct event ev = { .kind = EVENT_FRAME, .iface = (uint16_t)(n + 1), .data = { frame, len } };

	stage_event(s, i, &ev);
}

unsigned stage_owner(const struct stage *s, struct id key)
{
	unsigned best = STAGE_NODES;

	for (unsigned i = 0; i < s->actors; i++) {
		struct look look;

		if (!s->actor[i].node)
			continue;
		node_look(s->actor[i].node, &look);
		if (look.joined && (best == STAGE_NODES ||
				    id_less(id_clockwise(key, look.id), id_clockwise(key, s->actor[best].identity.id))))
			best = i;
	}
	return best;
}

bool stage_ring_right(const struct stage *s)
{
	unsigned up = 0;

	for (unsigned i = 0; i < s->actors; i++)
		up += s->actor[i].node != NULL;
	for (unsigned i = 0; i < s->actors; i++) {
		struct id right = s->actor[i].identity.id;
		struct look look;

		if (!s->actor[i].node)
			continue;
		node_look(s->actor[i].node, &look);
		if (!look.joined)
			return false;
		if (up > 1)
			right = s->actor[stage_owner(s, id_add(look.id, (struct id){ 0, 1 }))].identity.id;
		if (!id_eq(look.right, right))
			return false;
	}
	return true;
}
