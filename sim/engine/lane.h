/*
 * lane.h - the inside of the engine: objects, lanes, barriers
 *
 * For engine.c and run.c only. The world sees struct lane as a name.
 */
#ifndef SIM_ENGINE_LANE_H
#define SIM_ENGINE_LANE_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "sim/engine/crew.h"
#include "sim/engine/engine.h"
#include "sim/engine/mail.h"
#include "sim/engine/queue.h"

enum {
	OBJECT_BITS	= 15,			/* objects to a block, a huge page; blocks do not move */
	LOOP_EVENTS	= 1 << 20,		/* at one time, and 64 for each object: it will never end */
};

/**
 * struct object - what the engine keeps of one; written by its own lane only
 *
 * The alarm stands in alarm_ns. The queue holds an entry at queued_ns[0], which
 * is at or before it: setting the alarm later leaves the entry alone, and when
 * its turn comes it moves on to where the alarm then is. queued_ns[1] is one
 * more entry known to be there, from when the alarm was set earlier; entries
 * the object has forgotten are skipped when they come up.
 */
struct object {
	uint64_t chain;
	uint64_t seq;			/* of the next event it posts */
	int64_t  alarm_ns;
	int64_t  queued_ns[2];		/* ascending, ENGINE_NEVER where there is none */
	uint32_t site;
	uint32_t pad[5];
};
_Static_assert(sizeof(struct object) == 64, "one cache line per event handled");

struct mailbox {
	struct queue_entry *entry;
	size_t count, cap;
};

/** struct lane - all that a shard may write inside a window */
struct lane {
	struct queue queue;
	struct mail_office office;
	struct slab *slab;
	struct engine *engine;
	uint32_t number;

	int64_t now_ns;
	uint32_t site;			/* of the event being handled */
	struct mail *current;		/* its mail, unless passed on */
	uint64_t at_once;		/* events handled at now_ns */
	bool broken;			/* engine_break() was called */

	struct mailbox *out;		/* by shard */
	uint64_t handled, posted, alarms, cancelled, stale, crossed;
} __attribute__((aligned(128)));

struct barrier {
	int64_t at_ns;
	int64_t period_ns;		/* 0 for once */
	int priority;
	uint64_t order;			/* of engine_at() calls */
	engine_barrier_fn *fn;
	void *arg;
};

struct engine {
	struct engine_config config;
	int64_t now_ns;
	bool in_window;			/* lanes run: only their own may be touched */
	bool broken;			/* a window waits to be finished */
	int64_t window_end_ns;
	_Atomic bool stop;
	uint64_t windows, shared_windows;
	uint64_t recent;		/* events per window of late, times RECENT */

	struct object **block;
	uint32_t *site;			/* by object: dense, for whoever posts to it */
	uint32_t objects, objects_cap;

	struct lane *lane;
	struct post post;
	struct crew *crew;		/* NULL with one thread */

	struct barrier *barrier;	/* a binary heap */
	size_t barriers, barriers_cap;
	uint64_t barriers_ordered, barriers_done;
};

void *engine_or_abort(void *p);

static inline struct object *object_at(const struct engine *e, uint32_t object)
{
	assert(object < e->objects);
	return &e->block[object >> OBJECT_BITS][object & ((1u << OBJECT_BITS) - 1)];
}

static inline struct lane *lane_of_site(const struct engine *e, uint32_t site)
{
	return &e->lane[e->config.shards == 1 ? 0 : site % e->config.shards];
}

/* Handles what @l has before @end_ns; returns early only if broken. */
void lane_run(struct lane *l, int64_t end_ns);

/* Takes in what other lanes posted and freed for @l, and makes ready what comes next. */
void lane_collect(struct lane *l);

#endif /* SIM_ENGINE_LANE_H */
