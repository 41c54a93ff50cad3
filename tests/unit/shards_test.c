/*
 * A world of random senders and re-armed alarms happens the same way in an
 * obvious simulator, and in the engine with any number of shards and threads,
 * in one run or in many.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/engine/chance.h"
#include "sim/engine/engine.h"
#include "tests/unit/suites.h"

#define MS	(1000 * 1000LL)
#define GRAIN	(50 * 1000LL)			/* coarse times: ties are common */

/* -- the toy: what an object does, said to whoever runs it ---------------------------------- */

struct parcel {
	uint32_t hops;			/* left to go */
	uint32_t len;
	unsigned char text[];		/* (len + i) % 251 each */
};

struct toy {
	uint32_t objects, sites;
	uint64_t seed;
	uint64_t *draws;		/* by object */
	uint64_t *sum;			/* by object: of what it saw */
	uint64_t bad;			/* parcels that arrived broken */

	void *(*payload)(struct toy *t, void *lane, uint32_t bytes);
	void (*post)(struct toy *t, void *lane, uint32_t src, uint32_t dst, unsigned class,
		     int64_t at_ns, void *payload);
	void (*alarm)(struct toy *t, void *lane, uint32_t object, int64_t at_ns);

	struct log *log;		/* of the events in order; or NULL */
	struct past *past;		/* the obvious simulator; or NULL */
	uint64_t stop_after;		/* the object 0 handled so many: stop; 0 for never */
};

static uint32_t site_of(const struct toy *t, uint32_t object)
{
	return object % t->sites;
}

static uint64_t draw(struct toy *t, uint32_t object, uint64_t n)
{
	return chance_draw(t->seed, object, 0, t->draws[object]++) % n;
}

static void send(struct toy *t, void *lane, uint32_t from, int64_t now_ns, uint32_t hops)
{
	uint32_t to = draw(t, from, t->objects);
	struct parcel *p = NULL;
	int64_t after_ns;

	if (draw(t, from, 4) == 0)		/* a neighbour at the same site */
		to = site_of(t, from) + t->sites * (to / t->sites % (t->objects / t->sites));
	if (site_of(t, to) == site_of(t, from))
		after_ns = draw(t, from, 3) * GRAIN;
	else
		after_ns = ENGINE_FLOOR_NS + draw(t, from, 300) * GRAIN;
	if (hops) {
		uint32_t len = draw(t, from, 16) ? 40 : draw(t, from, 5000);

		p = t->payload(t, lane, sizeof(*p) + len);
		p->hops = hops - 1;
		p->len = len;
		for (uint32_t i = 0; i < len; i++)
			p->text[i] = (len + i) % 251;
	}
	t->post(t, lane, from, to, draw(t, from, 3), now_ns + after_ns, p);
}

static void set_alarm(struct toy *t, void *lane, uint32_t object, int64_t now_ns)
{
	static const int64_t ahead[] = { 0, 1, 4, 40, 400, 2000, 20000, 200000 };
	uint64_t k = draw(t, object, 9);

	t->alarm(t, lane, object, k == 8 ? ENGINE_NEVER :
		 now_ns / GRAIN * GRAIN + ahead[k] * (int64_t)(1 + draw(t, object, 3)) * GRAIN);
}

static void toy_handle(struct toy *t, void *lane, const struct engine_event *ev)
{
	const struct parcel *p = ev->payload;
	uint32_t sibling = (ev->dst + t->sites) % t->objects;

	t->sum[ev->dst] = t->sum[ev->dst] * 31 + (uint64_t)ev->at_ns + ev->src * 7 + ev->class +
			  ev->seq;
	if (p) {
		bool whole = ev->len == sizeof(*p) + p->len;

		for (uint32_t i = 0; whole && i < p->len; i++)
			whole = p->text[i] == (p->len + i) % 251;
		if (!whole)
			__atomic_fetch_add(&t->bad, 1, __ATOMIC_RELAXED);
		send(t, lane, ev->dst, ev->at_ns, p->hops);
	}
	if (ev->class == ENGINE_ALARM) {
		send(t, lane, ev->dst, ev->at_ns, draw(t, ev->dst, 5));
		/* one that is never NEVER, so that the world goes on */
		t->alarm(t, lane, ev->dst, ev->at_ns + (5 + (int64_t)draw(t, ev->dst, 2000)) *
			 GRAIN);
	} else if (draw(t, ev->dst, 2)) {
		set_alarm(t, lane, ev->dst, ev->at_ns);
	}
	/* the objects of a site may touch each other; with one site each, a sibling is another's */
	if (site_of(t, sibling) == site_of(t, ev->dst) && draw(t, ev->dst, 4) == 0)
		set_alarm(t, lane, sibling, ev->at_ns);
}

static void toy_make(struct toy *t, uint32_t objects, uint32_t sites, uint64_t seed)
{
	*t = (struct toy){ .objects = objects, .sites = sites, .seed = seed,
			   .draws = calloc(objects, 8), .sum = calloc(objects, 8) };
}

static void toy_free(struct toy *t)
{
	free(t->draws);
	free(t->sum);
}

/* -- what happened, in order ---------------------------------------------------------------- */

enum { LOG_EVENTS = 200 * 1000 };

struct log {
	struct engine_event event[LOG_EVENTS];
	size_t events;
};

static void log_event(struct log *g, const struct engine_event *ev)
{
	if (!g || g->events == LOG_EVENTS)
		return;
	g->event[g->events] = *ev;
	g->event[g->events++].payload = NULL;
}

/* -- the obvious simulator: a list of all events and alarms, looked through each time ------------------ */

enum { PAST_EVENTS = 50 * 1000 };

struct past {
	struct engine_event event[PAST_EVENTS];
	size_t events;
	uint64_t *seq;
	int64_t *alarm_ns;
};

static bool obvious_before(const struct engine_event *a, const struct engine_event *b)
{
	if (a->at_ns != b->at_ns)
		return a->at_ns < b->at_ns;
	if (a->dst != b->dst)
		return a->dst < b->dst;
	if (a->class != b->class)
		return a->class < b->class;
	if (a->src != b->src)
		return a->src < b->src;
	return a->seq < b->seq;
}

static void *past_payload(struct toy *t, void *lane, uint32_t bytes)
{
	uint32_t *p = malloc(16 + bytes);

	(void)t;
	(void)lane;
	p[0] = bytes;
	return p + 4;
}

static void past_post(struct toy *t, void *lane, uint32_t src, uint32_t dst, unsigned class,
		      int64_t at_ns, void *payload)
{
	struct past *o = t->past;

	(void)lane;
	CU_ASSERT_FATAL(o->events < PAST_EVENTS);
	o->event[o->events++] = (struct engine_event){
		.at_ns = at_ns, .dst = dst, .src = src, .seq = o->seq[src]++, .class = class,
		.payload = payload, .len = payload ? ((uint32_t *)payload)[-4] : 0,
	};
}

static void past_alarm(struct toy *t, void *lane, uint32_t object, int64_t at_ns)
{
	(void)lane;
	t->past->alarm_ns[object] = at_ns;
}

/* All of it before @until_ns, by looking at everything each time. */
static void past_run(struct toy *t, int64_t until_ns)
{
	struct past *o = t->past;

	for (;;) {
		struct engine_event first = { .at_ns = until_ns }, x;
		size_t at = SIZE_MAX;

		for (size_t i = 0; i < o->events; i++) {
			if (obvious_before(&o->event[i], &first)) {
				first = o->event[i];
				at = i;
			}
		}
		for (uint32_t i = 0; i < t->objects; i++) {
			x = (struct engine_event){ .at_ns = o->alarm_ns[i], .dst = i, .src = i,
						   .class = ENGINE_ALARM };
			if (obvious_before(&x, &first)) {
				first = x;
				at = SIZE_MAX;
			}
		}
		if (first.at_ns >= until_ns)
			return;
		if (at != SIZE_MAX)
			o->event[at] = o->event[--o->events];
		else
			o->alarm_ns[first.dst] = ENGINE_NEVER;
		log_event(t->log, &first);
		toy_handle(t, NULL, &first);
		if (first.payload)
			free((uint32_t *)first.payload - 4);
	}
}

static void past_free(struct past *o)
{
	for (size_t i = 0; i < o->events; i++)
		if (o->event[i].payload)
			free((uint32_t *)o->event[i].payload - 4);
	free(o->seq);
	free(o->alarm_ns);
	free(o);
}

/* -- the engine ----------------------------------------------------------------------------- */

static void *real_payload(struct toy *t, void *lane, uint32_t bytes)
{
	(void)t;
	return engine_payload(lane, bytes);
}

static void real_post(struct toy *t, void *lane, uint32_t src, uint32_t dst, unsigned class,
		      int64_t at_ns, void *payload)
{
	(void)t;
	engine_post(lane, src, dst, class, at_ns, payload);
}

static void real_alarm(struct toy *t, void *lane, uint32_t object, int64_t at_ns)
{
	(void)t;
	engine_alarm(lane, object, at_ns);
}

static void real_handle(void *world, struct lane *l, const struct engine_event *ev)
{
	struct toy *t = world;

	log_event(t->log, ev);
	toy_handle(t, l, ev);
	engine_note(l, ev->dst, t->sum[ev->dst]);
	if (ev->dst == 0 && t->stop_after && !--t->stop_after)
		engine_stop(lane_engine(l));
}

static void warm(void *world, uint32_t object)
{
	struct toy *t = world;

	__builtin_prefetch(&t->sum[object]);
}

static struct engine *engine_for(struct toy *t, uint32_t shards, uint32_t threads)
{
	struct engine_config c = { .shards = shards, .threads = threads, .world = t,
				   .handle = real_handle, .warm = shards & 1 ? warm : NULL };
	struct engine *e = engine_new(&c);

	t->payload = real_payload;
	t->post = real_post;
	t->alarm = real_alarm;
	for (uint32_t i = 0; i < t->objects; i++)
		engine_object(e, site_of(t, i));
	for (uint32_t i = 0; i < t->objects; i++)
		engine_alarm(engine_lane(e, i), i, i % 97 * MS / 10);
	return e;
}

static void the_engine_does_what_an_obvious_simulator_does(void)
{
	struct log *want = malloc(sizeof(*want)), *got = malloc(sizeof(*got));

	for (uint64_t seed = 1; seed <= 6; seed++) {
		uint32_t objects = 60, sites = seed % 2 ? 20 : 60;
		int64_t until_ns = 2000 * MS;
		struct toy t;
		struct engine *e;
		size_t i;

		want->events = got->events = 0;
		toy_make(&t, objects, sites, seed);
		t.log = want;
		t.past = calloc(1, sizeof(*t.past));
		t.past->seq = calloc(objects, 8);
		t.past->alarm_ns = malloc(objects * 8);
		t.payload = past_payload;
		t.post = past_post;
		t.alarm = past_alarm;
		for (i = 0; i < objects; i++)
			t.past->alarm_ns[i] = i % 97 * MS / 10;
		past_run(&t, until_ns);
		past_free(t.past);
		CU_ASSERT(t.bad == 0);
		toy_free(&t);

		toy_make(&t, objects, sites, seed);
		t.log = got;
		e = engine_for(&t, 1, 1);
		engine_run_until(e, until_ns);
		engine_free(e);
		toy_free(&t);

		CU_ASSERT(want->events > 3000 && want->events < LOG_EVENTS);
		CU_ASSERT_FATAL(got->events == want->events);
		for (i = 0; i < got->events; i++) {
			const struct engine_event *a = &got->event[i], *b = &want->event[i];

			if (a->at_ns != b->at_ns || a->dst != b->dst || a->src != b->src ||
			    a->seq != b->seq || a->class != b->class || a->len != b->len)
				break;
		}
		CU_ASSERT(i == got->events);
	}
	free(want);
	free(got);
}

/* -- any number of shards and threads ------------------------------------------------------- */

struct outcome {
	uint64_t digest, sums, handled, posted, alarms, cancelled, stale, windows;
};

static void take(struct outcome *o, const struct engine *e, const struct toy *t)
{
	struct engine_stats s;

	engine_stats(e, &s);
	*o = (struct outcome){ .digest = engine_digest(e), .handled = s.handled,
			       .posted = s.posted, .alarms = s.alarms, .cancelled = s.cancelled,
			       .stale = s.stale, .windows = s.windows };
	for (uint32_t i = 0; i < t->objects; i++)
		o->sums = o->sums * 31 + t->sum[i];
	CU_ASSERT(t->bad == 0);
}

static struct outcome outcome_of(uint32_t shards, uint32_t threads, uint32_t objects,
				 uint32_t sites, uint64_t seed, int64_t until_ns)
{
	struct engine_stats s;
	struct outcome o;
	struct toy t;
	struct engine *e;

	toy_make(&t, objects, sites, seed);
	e = engine_for(&t, shards, threads);
	CU_ASSERT(engine_run_until(e, until_ns) == ENGINE_REACHED);
	take(&o, e, &t);
	engine_stats(e, &s);
	CU_ASSERT(threads == 1 ? !s.shared_windows :
		  s.shared_windows && s.shared_windows < s.windows);
	engine_free(e);
	toy_free(&t);
	return o;
}

static void the_digest_is_the_same_for_any_number_of_shards(void)
{
	static const uint32_t shards[] = { 2, 3, 7, 64 };

	for (uint64_t seed = 1; seed <= 2; seed++) {
		uint32_t sites = seed == 1 ? 3000 : 500;
		struct outcome one = outcome_of(1, 1, 3000, sites, seed, 250 * MS), other;

		CU_ASSERT(one.handled > 20 * 1000 && one.cancelled > 1000 && one.stale > 1000);
		for (unsigned i = 0; i < sizeof(shards) / sizeof(*shards); i++) {
			other = outcome_of(shards[i], 1, 3000, sites, seed, 250 * MS);
			CU_ASSERT(!memcmp(&one, &other, sizeof(one)));
		}
		other = outcome_of(7, 1, 3000, sites, seed + 1, 250 * MS);
		CU_ASSERT(one.digest != other.digest);
	}
}

static void the_digest_is_the_same_for_any_number_of_threads(void)
{
	struct outcome one = outcome_of(1, 1, 2000, 2000, 9, 100 * MS), other;

	for (uint32_t threads = 1; threads <= 4; threads++) {
		for (uint32_t shards = threads; shards <= 8; shards += 3) {
			other = outcome_of(shards, threads, 2000, 2000, 9, 100 * MS);
			CU_ASSERT(!memcmp(&one, &other, sizeof(one)));
		}
	}
}

static void a_run_in_pieces_is_the_same_run(void)
{
	struct outcome whole = outcome_of(3, 1, 1000, 1000, 4, 300 * MS), parts;
	struct chance c = chance_of(4, 0, 99);
	struct toy t;
	struct engine *e;
	int64_t at_ns = 0;

	toy_make(&t, 1000, 1000, 4);
	e = engine_for(&t, 3, 2);
	while (at_ns < 300 * MS) {
		at_ns += (int64_t)chance_below(&c, 3 * MS);
		CU_ASSERT(engine_run_until(e, at_ns < 300 * MS ? at_ns : 300 * MS) ==
			  ENGINE_REACHED);
	}
	take(&parts, e, &t);
	CU_ASSERT(parts.windows > whole.windows);
	parts.windows = whole.windows;
	CU_ASSERT(!memcmp(&whole, &parts, sizeof(whole)));
	engine_free(e);
	toy_free(&t);
}

static void a_stop_takes_effect_at_the_same_time_for_any_number_of_shards(void)
{
	struct outcome whole = outcome_of(1, 1, 500, 500, 4, 300 * MS), o, first = { 0 };
	int64_t stopped_ns = 0;

	for (uint32_t shards = 1; shards <= 5; shards += 2) {
		struct toy t;
		struct engine *e;

		toy_make(&t, 500, 500, 4);
		t.stop_after = 5;
		e = engine_for(&t, shards, shards == 5 ? 2 : 1);
		CU_ASSERT(engine_run_until(e, 300 * MS) == ENGINE_STOPPED);
		take(&o, e, &t);
		if (shards == 1) {
			stopped_ns = engine_now(e);
			first = o;
			CU_ASSERT(stopped_ns < 300 * MS);
		}
		CU_ASSERT(engine_now(e) == stopped_ns);
		CU_ASSERT(!memcmp(&first, &o, sizeof(o)));
		CU_ASSERT(engine_run_until(e, 300 * MS) == ENGINE_REACHED);
		take(&o, e, &t);
		CU_ASSERT(!memcmp(&whole, &o, sizeof(o)));
		engine_free(e);
		toy_free(&t);
	}
}

CU_TestInfo shards_tests[] = {
	{ "the engine does what an obvious simulator does",
	  the_engine_does_what_an_obvious_simulator_does },
	{ "the digest is the same for any number of shards",
	  the_digest_is_the_same_for_any_number_of_shards },
	{ "the digest is the same for any number of threads",
	  the_digest_is_the_same_for_any_number_of_threads },
	{ "a run in pieces is the same run", a_run_in_pieces_is_the_same_run },
	{ "a stop takes effect at the same time for any number of shards",
	  a_stop_takes_effect_at_the_same_time_for_any_number_of_shards },
	CU_TEST_INFO_NULL
};
