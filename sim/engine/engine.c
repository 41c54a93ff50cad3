/*
 * engine.c - objects and lanes: posting, alarms, handling
 *
 * While lanes run, a lane writes its own queue, office, slab, outboxes and the
 * records of its own objects, and reads the site table, which only grows
 * between windows. That is the whole of the argument why threads are safe.
 */
#include "sim/engine/engine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "sim/engine/fold.h"
#include "sim/engine/lane.h"

enum {
	AHEAD_OBJECT	= 8,			/* events between prefetch and use */
	AHEAD_WARM	= 4,
};

void *engine_or_abort(void *p)
{
	if (!p) {
		fputs("sim/engine: the machine has no more memory\n", stderr);
		abort();
	}
	return p;
}

/* The order of events at equal time and destination; alarms (MAIL_NONE) come last. */
static bool goes_before(const void *post, uint32_t a, uint32_t b)
{
	const struct mail *x, *y;

	if (a == MAIL_NONE || b == MAIL_NONE)
		return b == MAIL_NONE && a != MAIL_NONE;
	x = mail_at(post, a);
	y = mail_at(post, b);
	if (x->class != y->class)
		return x->class < y->class;
	if (x->src != y->src)
		return x->src < y->src;
	return x->seq < y->seq;
}

/* -- objects -------------------------------------------------------------------------------- */

uint32_t engine_object(struct engine *e, uint32_t site)
{
	uint32_t id = e->objects, block = id >> OBJECT_BITS;

	assert(!e->in_window && !e->broken && "objects are made while all shards stand still");
	assert(id < MAIL_NONE);
	if (id == e->objects_cap) {
		uint32_t cap = e->objects_cap ? 2 * e->objects_cap : 1u << OBJECT_BITS;

		e->site = engine_or_abort(realloc(e->site, cap * sizeof(*e->site)));
		e->block = engine_or_abort(realloc(e->block, (cap >> OBJECT_BITS) *
						   sizeof(*e->block)));
		e->objects_cap = cap;
	}
	if (!(id & ((1u << OBJECT_BITS) - 1))) {
		size_t bytes = sizeof(struct object) << OBJECT_BITS;

		e->block[block] = engine_or_abort(aligned_alloc(bytes, bytes));
		madvise(e->block[block], bytes, MADV_HUGEPAGE);	/* a wish: may be refused */
	}
	e->objects++;
	e->site[id] = site;
	*object_at(e, id) = (struct object){
		.chain = id, .site = site, .alarm_ns = ENGINE_NEVER,
		.queued_ns = { ENGINE_NEVER, ENGINE_NEVER },
	};
	return id;
}

uint32_t engine_objects(const struct engine *e)
{
	return e->objects;
}

uint32_t engine_site(const struct engine *e, uint32_t object)
{
	assert(object < e->objects);
	return e->site[object];
}

struct lane *engine_lane(struct engine *e, uint32_t object)
{
	return lane_of_site(e, engine_site(e, object));
}

/* -- what a lane tells ---------------------------------------------------------------------- */

int64_t lane_now(const struct lane *l)
{
	return l->now_ns;
}

void *lane_world(const struct lane *l)
{
	return l->engine->config.world;
}

struct engine *lane_engine(const struct lane *l)
{
	return l->engine;
}

uint32_t lane_shard(const struct lane *l)
{
	return l->number;
}

struct slab *lane_slab(struct lane *l)
{
	return l->slab;
}

/* -- posting -------------------------------------------------------------------------------- */

/* Whether what is done to an object of @site is allowed now; @l is handling an event, or all stand. */
static bool may_touch(const struct lane *l, uint32_t site)
{
	return l->engine->in_window ? site == l->site : !l->engine->broken;
}

void *engine_payload(struct lane *l, uint32_t bytes)
{
	assert(bytes && bytes <= ENGINE_PAYLOAD);
	return mail_payload(mail_new(&l->office, bytes));
}

void engine_trim(void *payload, uint32_t bytes)
{
	struct mail *m = mail_of(payload);

	assert(bytes && bytes <= m->len && "a payload is only ever cut");
	m->len = bytes;
}

void engine_drop(struct lane *l, void *payload)
{
	struct mail *m = mail_of(payload);

	assert(m->state == MAIL_HELD && m != l->current && "got by engine_payload(), not posted");
	mail_free(&l->office, m);
}

static void send_across(struct lane *l, uint32_t shard, struct queue_entry x)
{
	struct mailbox *b = &l->out[shard];

	if (b->count == b->cap) {
		b->cap = b->cap ? 2 * b->cap : 64;
		b->entry = engine_or_abort(realloc(b->entry, b->cap * sizeof(*b->entry)));
	}
	b->entry[b->count++] = x;
}

void engine_post(struct lane *l, uint32_t src, uint32_t dst, unsigned class, int64_t at_ns,
		 void *payload)
{
	struct engine *e = l->engine;
	struct object *from = object_at(e, src);
	uint32_t site = engine_site(e, dst);
	struct lane *to = lane_of_site(e, site);
	struct mail *m = payload ? mail_of(payload) : mail_new(&l->office, 0);
	struct queue_entry x = { .at_ns = at_ns, .dst = dst, .ref = m->ref };

	assert(class < ENGINE_ALARM);
	assert(may_touch(l, from->site) && "the source is of the site being handled");
	assert(at_ns >= l->now_ns && at_ns < ENGINE_NEVER && "nothing happens in the past");
	assert((!e->in_window || site == from->site || at_ns - l->now_ns >= e->config.floor_ns) &&
	       "another site is at least the floor away");
	assert(m->state == MAIL_HELD && "a payload is posted once");
	if (m == l->current)
		l->current = NULL;
	m->state = MAIL_POSTED;
	m->class = (uint8_t)class;
	m->src = src;
	m->seq = from->seq++;
	l->posted++;
	if (to != l)
		l->crossed++;
	if (to == l || !e->in_window)
		queue_push(&to->queue, x);
	else
		send_across(l, to->number, x);
}

/* -- alarms --------------------------------------------------------------------------------- */

static void alarm_queue(struct lane *l, struct object *o, uint32_t id)
{
	o->queued_ns[1] = o->queued_ns[0];
	o->queued_ns[0] = o->alarm_ns;
	queue_push(&l->queue, (struct queue_entry){ .at_ns = o->alarm_ns, .dst = id,
						    .ref = MAIL_NONE });
}

void engine_alarm(struct lane *l, uint32_t object, int64_t at_ns)
{
	struct object *o = object_at(l->engine, object);

	assert(may_touch(l, o->site) && "the object is of the site being handled");
	assert((l->engine->in_window || lane_of_site(l->engine, o->site) == l) &&
	       "the lane is the object's");
	if (at_ns < l->now_ns)
		at_ns = l->now_ns;
	if (at_ns == o->alarm_ns)
		return;
	if (o->alarm_ns != ENGINE_NEVER)
		l->cancelled++;
	o->alarm_ns = at_ns;
	if (at_ns < o->queued_ns[0])
		alarm_queue(l, o, object);
}

/* An entry for the alarm of @o came up: whether it rings. */
static bool alarm_rings(struct lane *l, struct object *o, const struct queue_entry *x)
{
	if (x->at_ns != o->queued_ns[0]) {
		l->stale++;
		return false;
	}
	o->queued_ns[0] = o->queued_ns[1];
	o->queued_ns[1] = ENGINE_NEVER;
	if (x->at_ns == o->alarm_ns) {
		o->alarm_ns = ENGINE_NEVER;
		return true;
	}
	l->stale++;
	if (o->alarm_ns < o->queued_ns[0])
		alarm_queue(l, o, x->dst);
	return false;
}

int64_t engine_alarm_of(const struct engine *e, uint32_t object)
{
	return object_at(e, object)->alarm_ns;
}

/* -- handling ------------------------------------------------------------------------------- */

void engine_note(struct lane *l, uint32_t object, uint64_t fact)
{
	struct object *o = object_at(l->engine, object);

	assert(may_touch(l, o->site) && "the object is of the site being handled");
	o->chain = fold(o->chain, fact);
}

void engine_break(struct lane *l)
{
	if (l->engine->in_window)
		l->broken = true;
	else
		engine_stop(l->engine);		/* after the barrier, there is no event */
}

static void look_ahead(const struct lane *l)
{
	const struct engine *e = l->engine;
	const struct queue_entry *x = queue_ahead(&l->queue, AHEAD_OBJECT);

	if (x) {
		__builtin_prefetch(object_at(e, x->dst), 1);
		if (x->ref != MAIL_NONE)
			__builtin_prefetch(mail_at(&e->post, x->ref), 1);
	}
	if (e->config.warm) {
		x = queue_ahead(&l->queue, AHEAD_WARM);
		if (x)
			e->config.warm(e->config.world, x->dst);
	}
}

/* A world in which time stands still should say so, and not run for ever. */
static void check_loop(struct lane *l, const struct queue_entry *x)
{
	if (x->at_ns != l->now_ns) {
		l->at_once = 0;
	} else if (++l->at_once > LOOP_EVENTS + 64ULL * l->engine->objects) {
		fprintf(stderr, "sim/engine: %" PRIu64 " events at %" PRId64 " ns, the last at object %"
			PRIu32 " of site %" PRIu32 ": time does not pass\n", l->at_once, x->at_ns,
			x->dst, l->engine->site[x->dst]);
		abort();
	}
}

static void handle(struct lane *l, struct object *o, const struct queue_entry *x)
{
	const struct engine_config *c = &l->engine->config;
	struct engine_event ev = { .at_ns = x->at_ns, .dst = x->dst };

	if (x->ref == MAIL_NONE) {
		ev.class = ENGINE_ALARM;
		ev.src = x->dst;
		l->alarms++;
	} else {
		struct mail *m = mail_at(&l->engine->post, x->ref);

		m->state = MAIL_HELD;
		l->current = m;
		ev.class = m->class;
		ev.src = m->src;
		ev.seq = m->seq;
		ev.len = m->len;
		ev.payload = mail_payload(m);
	}
	check_loop(l, x);
	l->now_ns = x->at_ns;
	l->site = o->site;
	l->handled++;
	o->chain = fold(fold(o->chain, (uint64_t)x->at_ns),
			((uint64_t)ev.class << 32 | ev.src) + ev.seq * 0x9e3779b97f4a7c15ULL);
	c->handle(c->world, l, &ev);
	if (c->after)
		c->after(c->world, l, &ev);
	if (l->current) {
		mail_free(&l->office, l->current);
		l->current = NULL;
	}
}

void lane_run(struct lane *l, int64_t end_ns)
{
	struct queue_entry x;

	while (!l->broken && queue_pop(&l->queue, end_ns, &x)) {
		struct object *o = object_at(l->engine, x.dst);

		look_ahead(l);
		if (x.ref != MAIL_NONE || alarm_rings(l, o, &x))
			handle(l, o, &x);
	}
}

void lane_collect(struct lane *l)
{
	struct engine *e = l->engine;

	for (uint32_t i = 0; i < e->config.shards; i++) {
		struct lane *other = &e->lane[i];
		struct mailbox *b = &other->out[l->number];

		for (size_t k = 0; k < b->count; k++)
			queue_push(&l->queue, b->entry[k]);
		b->count = 0;
		if (other != l)
			mail_go_home(&l->office, &other->office);
	}
	queue_first(&l->queue);
}

/* -- what happened -------------------------------------------------------------------------- */

uint64_t engine_chain(const struct engine *e, uint32_t object)
{
	return object_at(e, object)->chain;
}

uint64_t engine_digest(const struct engine *e)
{
	uint64_t h = fold(0, e->objects);

	assert(!e->in_window);
	for (uint32_t i = 0; i < e->objects; i++)
		h = fold(h, object_at(e, i)->chain);
	return h;
}

void engine_stats(const struct engine *e, struct engine_stats *s)
{
	*s = (struct engine_stats){
		.windows = e->windows,
		.shared_windows = e->shared_windows,
		.barriers = e->barriers_done,
		.object_bytes = ((uint64_t)((e->objects - 1) >> OBJECT_BITS) + 1) *
				(sizeof(struct object) << OBJECT_BITS) +
				e->objects_cap * sizeof(*e->site),
	};
	if (!e->objects)
		s->object_bytes = 0;
	for (uint32_t i = 0; i < e->config.shards; i++) {
		const struct lane *l = &e->lane[i];
		struct slab_stats slab;

		slab_stats(l->slab, &slab);
		s->handled += l->handled;
		s->posted += l->posted;
		s->alarms += l->alarms;
		s->cancelled += l->cancelled;
		s->stale += l->stale;
		s->crossed += l->crossed;
		s->pending += l->queue.pending;
		s->max_pending += l->queue.max_pending;
		s->queue_bytes += l->queue.bytes;
		s->payload_bytes += l->office.bytes;
		s->slab_bytes += slab.held_bytes;
		for (uint32_t k = 0; k < e->config.shards; k++)
			s->queue_bytes += l->out[k].cap * sizeof(*l->out[k].entry);
	}
}

/* -- birth and end -------------------------------------------------------------------------- */

struct engine *engine_new(const struct engine_config *c)
{
	struct engine *e = engine_or_abort(calloc(1, sizeof(*e)));
	uint32_t n;

	assert(c->handle);
	e->config = *c;
	if (!e->config.shards)
		e->config.shards = 1;
	if (!e->config.floor_ns)
		e->config.floor_ns = ENGINE_FLOOR_NS;
	n = e->config.shards;
	assert(n <= ENGINE_SHARDS && e->config.floor_ns > 0);
	post_init(&e->post);
	e->lane = engine_or_abort(aligned_alloc(128, n * sizeof(*e->lane)));
	for (uint32_t i = 0; i < n; i++) {
		struct lane *l = &e->lane[i];

		*l = (struct lane){ .engine = e, .number = i };
		queue_init(&l->queue, goes_before, &e->post);
		mail_open(&l->office, &e->post, (uint16_t)i);
		l->slab = engine_or_abort(slab_new());
		l->out = engine_or_abort(calloc(n, sizeof(*l->out)));
	}
	return e;
}

void engine_free(struct engine *e)
{
	struct queue_entry x;

	if (!e)
		return;
	crew_free(e->crew);
	for (uint32_t i = 0; i < e->config.shards; i++) {
		struct lane *l = &e->lane[i];

		while (queue_pop(&l->queue, INT64_MAX, &x))
			if (x.ref != MAIL_NONE)
				mail_free(&l->office, mail_at(&e->post, x.ref));
		queue_fini(&l->queue);
		slab_free(l->slab);
		for (uint32_t k = 0; k < e->config.shards; k++)
			free(l->out[k].entry);
		free(l->out);
	}
	post_fini(&e->post);
	for (uint32_t i = 0; i << OBJECT_BITS < e->objects; i++)
		free(e->block[i]);
	free(e->block);
	free(e->site);
	free(e->barrier);
	free(e->lane);
	free(e);
}
