/*
 * run.c - windows and barriers: how time passes
 *
 * A window begins at the earliest event anywhere and ends the floor later, or
 * at the next barrier, or where the run is to end. Both ends follow from the
 * events alone, so they do not depend on the number of shards, and neither does
 * the moment at which engine_stop() takes effect.
 *
 *	 lane 0	 ──●───●─────●──│collect│──●── ...
 *	 lane 1	 ────●────●─────│collect│───●─ ...
 *		 └── window ────┘       └── the next
 *
 * Calling the threads together costs some microseconds, so windows in which
 * little is expected, going by the last few, are done by one.
 *
 * In the collecting half every lane takes in what the others posted to it and
 * freed for it, which none of them touches then.
 */
#include <stdlib.h>

#include "sim/engine/lane.h"

enum {
	RECENT		= 8,			/* windows over which events are averaged */
	CREW_EVENTS	= 32,			/* in a window, to be worth the threads */
};

/* -- barriers ------------------------------------------------------------------------------- */

static bool earlier(const struct barrier *a, const struct barrier *b)
{
	if (a->at_ns != b->at_ns)
		return a->at_ns < b->at_ns;
	if (a->priority != b->priority)
		return a->priority < b->priority;
	return a->order < b->order;
}

static void barrier_push(struct engine *e, struct barrier x)
{
	struct barrier *v;
	size_t i;

	if (e->barriers == e->barriers_cap) {
		e->barriers_cap = e->barriers_cap ? 2 * e->barriers_cap : 16;
		e->barrier = engine_or_abort(realloc(e->barrier, e->barriers_cap *
						     sizeof(*e->barrier)));
	}
	v = e->barrier;
	for (i = e->barriers++; i && earlier(&x, &v[(i - 1) / 2]); i = (i - 1) / 2)
		v[i] = v[(i - 1) / 2];
	v[i] = x;
}

static struct barrier barrier_pop(struct engine *e)
{
	struct barrier *v = e->barrier, first = v[0], x = v[--e->barriers];
	size_t i = 0, child;

	for (; (child = 2 * i + 1) < e->barriers; i = child) {
		if (child + 1 < e->barriers && earlier(&v[child + 1], &v[child]))
			child++;
		if (!earlier(&v[child], &x))
			break;
		v[i] = v[child];
	}
	v[i] = x;
	return first;
}

void engine_every(struct engine *e, int64_t first_ns, int64_t period_ns, int priority,
		  engine_barrier_fn *fn, void *arg)
{
	assert(!e->in_window && !e->broken && "barriers are set while all shards stand still");
	assert(first_ns >= e->now_ns && period_ns >= 0);
	barrier_push(e, (struct barrier){
		.at_ns = first_ns, .period_ns = period_ns, .priority = priority,
		.order = e->barriers_ordered++, .fn = fn, .arg = arg,
	});
}

void engine_at(struct engine *e, int64_t at_ns, int priority, engine_barrier_fn *fn, void *arg)
{
	engine_every(e, at_ns, 0, priority, fn, arg);
}

/* -- time ----------------------------------------------------------------------------------- */

static void set_now(struct engine *e, int64_t now_ns)
{
	e->now_ns = now_ns;
	for (uint32_t i = 0; i < e->config.shards; i++)
		e->lane[i].now_ns = now_ns;
}

static int64_t first_event(const struct engine *e)
{
	int64_t next_ns = ENGINE_NEVER;

	for (uint32_t i = 0; i < e->config.shards; i++) {
		const struct queue_entry *x = queue_first(&e->lane[i].queue);

		if (x && x->at_ns < next_ns)
			next_ns = x->at_ns;
	}
	return next_ns;
}

int64_t engine_now(const struct engine *e)
{
	return e->now_ns;
}

int64_t engine_next(const struct engine *e)
{
	int64_t next_ns = first_event(e);

	assert(!e->in_window);
	return e->barriers && e->barrier[0].at_ns < next_ns ? e->barrier[0].at_ns : next_ns;
}

void engine_stop(struct engine *e)
{
	atomic_store(&e->stop, true);
}

/* -- windows -------------------------------------------------------------------------------- */

/* One thread's part of a window: lanes @n, @n + threads, ... */
static void window_part(void *ctx, uint32_t n)
{
	struct engine *e = ctx;
	uint32_t step = e->config.threads;

	for (uint32_t i = n; i < e->config.shards; i += step)
		lane_run(&e->lane[i], e->window_end_ns);
	crew_meet(e->crew);
	for (uint32_t i = n; i < e->config.shards; i += step)
		lane_collect(&e->lane[i]);
}

static void window_alone(struct engine *e)
{
	for (uint32_t i = 0; i < e->config.shards; i++)
		lane_run(&e->lane[i], e->window_end_ns);
	for (uint32_t i = 0; i < e->config.shards; i++)
		lane_collect(&e->lane[i]);
}

static uint64_t handled(const struct engine *e)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < e->config.shards; i++)
		sum += e->lane[i].handled;
	return sum;
}

/* True unless a lane broke it off. */
static bool window(struct engine *e)
{
	uint64_t before = handled(e);

	e->in_window = true;
	if (e->crew && e->recent >= CREW_EVENTS * RECENT) {
		crew_run(e->crew);
		e->shared_windows++;
	} else {
		window_alone(e);
	}
	e->in_window = false;
	e->recent += handled(e) - before - e->recent / RECENT;
	e->broken = false;
	for (uint32_t i = 0; i < e->config.shards; i++) {
		struct lane *l = &e->lane[i];

		if (l->broken && (!e->broken || l->now_ns < e->now_ns))
			e->now_ns = l->now_ns;
		e->broken |= l->broken;
		l->broken = false;
	}
	return !e->broken;
}

static void barrier(struct engine *e)
{
	struct barrier b = barrier_pop(e);

	set_now(e, b.at_ns);
	e->barriers_done++;
	if (b.period_ns) {
		struct barrier again = b;

		again.at_ns += b.period_ns;
		barrier_push(e, again);
	}
	b.fn(e, b.at_ns, b.arg);
}

static void start_threads(struct engine *e)
{
	uint32_t threads = e->config.threads ? e->config.threads : 1;

	if (threads > e->config.shards)
		threads = e->config.shards;
	e->config.threads = threads;
	if (threads > 1 && !e->crew)
		e->crew = engine_or_abort(crew_new(threads, window_part, e));
}

enum engine_end engine_run_until(struct engine *e, int64_t until_ns)
{
	assert(!e->in_window && "a run is not started from inside one");
	assert(until_ns >= e->now_ns);
	start_threads(e);
	for (;;) {
		int64_t start_ns, end_ns, barrier_ns;

		if (e->broken) {
			if (!window(e))
				return ENGINE_BROKEN;
			set_now(e, e->window_end_ns);
		}
		if (atomic_exchange(&e->stop, false))
			return ENGINE_STOPPED;
		start_ns = first_event(e);
		barrier_ns = e->barriers ? e->barrier[0].at_ns : ENGINE_NEVER;
		if (e->barriers && barrier_ns <= until_ns && barrier_ns <= start_ns) {
			barrier(e);
			continue;
		}
		if (start_ns >= until_ns) {
			if (until_ns > e->now_ns)
				set_now(e, until_ns);
			return ENGINE_REACHED;
		}
		end_ns = start_ns > INT64_MAX - e->config.floor_ns ? INT64_MAX :
			 start_ns + e->config.floor_ns;
		if (end_ns > barrier_ns)
			end_ns = barrier_ns;
		if (end_ns > until_ns)
			end_ns = until_ns;
		e->window_end_ns = end_ns;
		e->windows++;
		if (!window(e))
			return ENGINE_BROKEN;
		set_now(e, end_ns);
	}
}
