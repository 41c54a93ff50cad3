/*
 * lookups.c - the workload: who asks what when, and whether the answer was right
 *
 * Each joined node asks for uniform keys at exponential intervals. A lookup is
 * judged when its answer is in the books: right, if truth_owned() says that the
 * answering node owned the key at some instant between asking and answer in the
 * asker's part; wrong, if not; lost, if there is none when its time is up.
 * An asker that dies, or is paused or put to sleep, takes its open lookups along:
 * they are counted apart.
 */
#include <stdlib.h>

#include "sim/world/inside.h"

struct lookup {
	struct pending_item item;
	struct id key;
	uint32_t number;
};

struct lookups {
	struct world *world;
	struct pending pending;
	int64_t timeout_ns;
};

struct lookups *lookups_new(struct world *w)
{
	struct lookups *k = g_new0(struct lookups, 1);

	k->world = w;
	k->timeout_ns = w->scenario->lookups.timeout_ns;
	pending_init(&k->pending, w->hosts, sizeof(struct lookup));
	return k;
}

void lookups_free(struct lookups *k)
{
	if (!k)
		return;
	pending_fini(&k->pending);
	g_free(k);
}

/* -- asking, on the host's shard -------------------------------------------------------------- */

void lookups_schedule(struct shard *s, struct lane *l, struct host *h)
{
	struct world *w = s->world;
	uint32_t i = host_number(w, h);

	h->ask_ns = NEVER_NS;
	if (!w->scenario->lookups.every_ns)
		return;
	h->asks++;
	h->ask_ns = lane_now(l) + MAX(1, dist_sample_ns(&w->ask_every, host_chance(w, i, STREAM_ASK, h->asks)));
	engine_post(l, i, i, CLASS_ASK, h->ask_ns, NULL);
}

void lookups_event(struct shard *s, struct lane *l, struct host *h, int64_t at_ns)
{
	struct world *w = s->world;
	uint32_t i = host_number(w, h), number = h->asks;
	struct event ev = { .kind = EVENT_CONTROL };

	if (at_ns < h->ask_ns || h->state == HOST_OFF)	/* of an earlier incarnation */
		return;
	lookups_schedule(s, l, h);
	if (h->state != HOST_UP || !(h->flags & HOST_JOINED))
		return;
	ev.request.ask = ASK_LOOKUP;
	ev.request.token = number;
	ev.request.timeout_ns = w->scenario->lookups.timeout_ns;
	ev.request.key = (struct id){ host_chance(w, i, STREAM_LOOKUP_KEY, 2 * (uint64_t)number),
				      host_chance(w, i, STREAM_LOOKUP_KEY, 2 * (uint64_t)number + 1) };
	watch_note(s, lane_now(l), h, NOTE_ASK, ev.request.key, number, 0);
	host_step(s, l, h, &ev, 1);
}

void lookups_reply(struct shard *s, struct lane *l, struct host *h, const struct reply *r)
{
	watch_note(s, lane_now(l), h, NOTE_ANSWER, r->who, r->token,
		   (uint64_t)r->hops << 16 | (uint64_t)r->tries << 8 | r->answer);
}

/* -- judging, in the order of the journal ------------------------------------------------------ */

enum verdict_kind { WAS_RIGHT, WAS_WRONG, WAS_LOST };

static void judged(struct lookups *k, struct lookup *u, enum verdict_kind v, int64_t at_ns)
{
	struct metrics *m = k->world->shard[0].m;

	metrics_add(m, M_LOOKUP_JUDGED, 1);
	metrics_add(m, v == WAS_RIGHT ? M_LOOKUP_RIGHT : v == WAS_WRONG ? M_LOOKUP_WRONG : M_LOOKUP_LOST, 1);
	health_lookup(k->world->health, u->item.at_ns, v == WAS_RIGHT);
	if (v != WAS_RIGHT && k->world->log)
		eventlog_say(k->world->log, 0, at_ns, u->item.host, v == WAS_WRONG ? "wrong" : "lost",
			     "lookup %u of %016" G_GINT64_MODIFIER "x", u->number, u->key.hi);
	pending_done(&k->pending, u);
}

static void answered(struct lookups *k, const struct note *n)
{
	struct metrics *m = k->world->shard[0].m;
	unsigned hops = (unsigned)(n->b >> 16), tries = n->b >> 8 & 0xff, answer = n->b & 0xff;
	struct lookup *u = pending_first(&k->pending, n->host);

	while (u && u->number != (uint32_t)n->a)
		u = pending_next(&k->pending, u);
	if (!u)					/* too late, or given up */
		return;
	if (answer != ANSWER_OK) {
		judged(k, u, WAS_LOST, n->at_ns);
	} else if (truth_owned(k->world->truth, u->key, n->id, n->host, u->item.at_ns, n->at_ns)) {
		metrics_note(m, M_LOOKUP_HOPS, hops);
		metrics_note(m, M_LOOKUP_LATENCY, n->at_ns - u->item.at_ns);
		if (tries <= 1)
			metrics_add(m, M_LOOKUP_FIRST_TRY, 1);
		judged(k, u, WAS_RIGHT, n->at_ns);
	} else {
		judged(k, u, WAS_WRONG, n->at_ns);
	}
}

static void asker_gone(struct lookups *k, uint32_t host)
{
	struct lookup *u;

	while ((u = pending_first(&k->pending, host))) {
		metrics_add(k->world->shard[0].m, M_LOOKUP_ASKER_DIED, 1);
		pending_done(&k->pending, u);
	}
}

void lookups_time(struct lookups *k, int64_t now_ns)
{
	struct lookup *u;

	while ((u = pending_expire(&k->pending, now_ns - k->timeout_ns)))
		judged(k, u, WAS_LOST, u->item.at_ns + k->timeout_ns);
}

void lookups_note(struct lookups *k, const struct note *n)
{
	struct lookup *u;

	lookups_time(k, n->at_ns);
	switch (n->kind) {
	case NOTE_ASK:
		metrics_add(k->world->shard[0].m, M_LOOKUP_ASKED, 1);
		u = pending_add(&k->pending, n->host, n->at_ns);
		u->key = n->id;
		u->number = (uint32_t)n->a;
		break;
	case NOTE_ANSWER:
		answered(k, n);
		break;
	case NOTE_END:
	case NOTE_STALL:
		asker_gone(k, n->host);
		break;
	}
}
