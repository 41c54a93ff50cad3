/*
 * casts.c - broadcasts: who sends one when, and who should have heard it
 *
 * Members of the origin's part when it was asked, that stay members until it is
 * judged, should hear it once each.
 */
#include "sim/world/inside.h"

#define WAIT_NS		(30 * NS_PER_S)

struct cast {
	int64_t at_ns;
	struct id origin;
	uint64_t sequence;
	bool numbered;			/* sequence is known: somebody heard it */
	uint32_t host;
	uint64_t *due, *heard;		/* a bit per host */
};

struct casts {
	struct world *world;
	GPtrArray *open;		/* struct cast, oldest first */
	struct dist every;
	uint64_t count;
	uint8_t *payload;
};

static bool bit(const uint64_t *v, uint32_t i)
{
	return v[i >> 6] >> (i & 63) & 1;
}

static void cast_free(struct cast *c)
{
	g_free(c->due);
	g_free(c->heard);
	g_free(c);
}

struct casts *casts_new(struct world *w)
{
	struct casts *c = g_new0(struct casts, 1);

	c->world = w;
	c->open = g_ptr_array_new();
	c->payload = g_malloc0((gsize)w->scenario->broadcasts.size_bytes + 1);
	c->every = exponential(w->scenario->broadcasts.every_ns);
	return c;
}

void casts_free(struct casts *c)
{
	if (!c)
		return;
	for (guint i = 0; i < c->open->len; i++)
		cast_free(g_ptr_array_index(c->open, i));
	g_ptr_array_free(c->open, TRUE);
	g_free(c->payload);
	g_free(c);
}

/* -- sending ----------------------------------------------------------------------------------- */

static void next(struct casts *c);

static void due(struct engine *e, int64_t now_ns, void *arg)
{
	struct casts *c = arg;
	struct world *w = c->world;
	struct id at = { host_chance(w, UINT32_MAX, STREAM_CAST, 2 * c->count), 0 };
	const struct owner *o;

	world_settle(w);
	o = truth_after(w->truth, at);
	if (!o)
		o = truth_first(w->truth);
	if (o) {
		struct lane *l = engine_lane(e, o->host);
		struct order *order = engine_payload(l, sizeof(*order));

		*order = (struct order){ .incarnation = w->host[o->host].incarnation, .number = c->count };
		engine_post(l, o->host, o->host, CLASS_CAST, now_ns, order);
	}
	next(c);
}

static void next(struct casts *c)
{
	struct world *w = c->world;
	uint64_t draw = host_chance(w, UINT32_MAX, STREAM_CAST, 2 * ++c->count + 1);

	engine_at(w->engine, engine_now(w->engine) + MAX(1, dist_sample_ns(&c->every, draw)), 10, due, c);
}

void casts_begin(struct casts *c)
{
	if (c->world->scenario->broadcasts.every_ns)
		next(c);
}

void casts_event(struct shard *s, struct lane *l, struct host *h, const struct order *o)
{
	const struct world *w = s->world;
	struct event ev = { .kind = EVENT_CONTROL };

	if (h->state != HOST_UP || h->incarnation != o->incarnation || !(h->flags & HOST_JOINED))
		return;
	ev.request.ask = ASK_BROADCAST;
	ev.request.token = UINT64_C(1) << 63 | o->number;
	ev.data = (struct bytes){ w->casts->payload, (size_t)w->scenario->broadcasts.size_bytes };
	watch_note(s, lane_now(l), h, NOTE_CAST, h->id, o->number, 0);
	host_step(s, l, h, &ev, 1);
}

/* -- judging ----------------------------------------------------------------------------------- */

static void asked(struct casts *c, const struct note *n)
{
	struct world *w = c->world;
	size_t words = w->hosts / 64 + 1;
	struct cast *x = g_new0(struct cast, 1);
	uint32_t part = parts_now(w->parts, n->host);

	x->at_ns = n->at_ns;
	x->origin = n->id;
	x->host = n->host;
	x->due = g_new0(uint64_t, words);
	x->heard = g_new0(uint64_t, words);
	for (const struct owner *o = truth_first(w->truth); o; o = truth_after(w->truth, o->id))
		if (o->host != n->host && parts_now(w->parts, o->host) == part)
			x->due[o->host >> 6] |= UINT64_C(1) << (o->host & 63);
	g_ptr_array_add(c->open, x);
}

static struct cast *find(struct casts *c, struct id origin, uint64_t sequence)
{
	struct cast *fresh = NULL;

	for (guint i = 0; i < c->open->len; i++) {
		struct cast *x = g_ptr_array_index(c->open, i);

		if (!id_eq(x->origin, origin))
			continue;
		if (x->numbered && x->sequence == sequence)
			return x;
		if (!x->numbered && !fresh)
			fresh = x;
	}
	if (fresh) {
		fresh->numbered = true;
		fresh->sequence = sequence;
	}
	return fresh;
}

static void heard(struct casts *c, const struct note *n)
{
	struct world *w = c->world;
	struct cast *x = find(c, n->id, n->a);

	if (!x || x->host == n->host)
		return;
	if (bit(x->heard, n->host))
		metrics_add(w->shard[0].m, w->m_cast_twice, 1);
	else
		metrics_note(w->shard[0].m, w->m_cast_hops, (int64_t)n->b);
	x->heard[n->host >> 6] |= UINT64_C(1) << (n->host & 63);
}

static void excuse(struct casts *c, uint32_t host)
{
	for (guint i = 0; i < c->open->len; i++) {
		struct cast *x = g_ptr_array_index(c->open, i);

		x->due[host >> 6] &= ~(UINT64_C(1) << (host & 63));
		x->heard[host >> 6] &= ~(UINT64_C(1) << (host & 63));
	}
}

static void close_cast(struct casts *c, struct cast *x)
{
	struct metrics *m = c->world->shard[0].m;

	for (size_t i = 0; i < c->world->hosts / 64 + 1; i++) {
		metrics_add(m, M_BROADCAST_DUE, __builtin_popcountll(x->due[i]));
		metrics_add(m, M_BROADCAST_MISSED, __builtin_popcountll(x->due[i] & ~x->heard[i]));
	}
}

void casts_time(struct casts *c, int64_t now_ns)
{
	while (c->open->len) {
		struct cast *x = g_ptr_array_index(c->open, 0);

		if (x->at_ns + WAIT_NS > now_ns)
			return;
		close_cast(c, x);
		cast_free(x);
		g_ptr_array_remove_index(c->open, 0);
	}
}

void casts_note(struct casts *c, const struct note *n)
{
	casts_time(c, n->at_ns);
	switch (n->kind) {
	case NOTE_CAST:
		asked(c, n);
		break;
	case NOTE_HEARD:
		heard(c, n);
		break;
	case NOTE_END:
	case NOTE_LEFT:
	case NOTE_APART:
	case NOTE_STALL:
		excuse(c, n->host);
		break;
	}
}
