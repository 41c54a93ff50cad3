/*
 * engine.h - what happens next, for a million things at once
 *
 * A discrete-event engine. It knows objects, the sites they live at, the
 * shards that run apart, and events with a payload; what an object is and what
 * an event means is the world's business.
 *
 *	object	anything with a state of its own: a node, a queue, a NAT. A dense
 *		uint32 id. It owns a sequence number for what it posts, one
 *		alarm clock, and a chain hash of all that happened to it.
 *	site	objects that may touch each other's state and reach each other
 *		without delay. A handler may read and write its own site only.
 *	shard	the sites with equal (site % shards). A shard has one lane: its
 *		queue, its pools, its slab. Nothing else is written while shards
 *		run, so threads change the speed and nothing but the speed.
 *
 * The order. Events are handled in the total order of
 *
 *		(time, destination, class, source, source sequence)
 *
 * which is compared here and nowhere else (queue.h). An event to an object of
 * another site lies at least floor_ns ahead; inside a site it may be due at
 * once. Shards run apart for one window of floor_ns, so nothing a neighbour
 * does can arrive too late, and what is posted across is handed over at the
 * window's end. Windows start at the earliest event anywhere, so they too are
 * the same for any number of shards.
 *
 * The digest. Each event is folded into the chain of its destination, with
 * whatever the handler adds by engine_note(); engine_digest() folds the chains
 * in object order. It is the same for any number of shards and threads.
 *
 * Barriers. An action given to engine_at() runs at exactly its time, all shards
 * stopped, before the events of that time, ordered by (time, priority, order of
 * engine_at calls). Faults, oracles and series rows are barriers. Only there,
 * and before the first run, may objects be made and any object be touched.
 *
 *	Memory		64 bytes an object; 16 bytes a pending event or alarm, and
 *			its payload with a 32-byte head. Nothing is allocated in
 *			steady state. No memory is a bug of the machine: abort()
 *			with a message, for no result could be kept.
 *	Time		virtual, int64 ns from 0
 *	Chance		none (chance.h)
 *	Threads		everything but engine_stop() is for the one thread that
 *			called engine_run_until(), or for handlers on their lane
 */
#ifndef SIM_ENGINE_ENGINE_H
#define SIM_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/engine/slab.h"

struct engine;
struct lane;

#define ENGINE_NEVER	INT64_MAX		/* an alarm that is not set */

enum {
	ENGINE_FLOOR_NS	= 500 * 1000,		/* default floor between sites */
	ENGINE_SHARDS	= 256,			/* at most */
	ENGINE_ALARM	= 255,			/* the class of alarms: last among equal times, so
						 * that what arrives at a deadline still counts */
	ENGINE_PAYLOAD	= 16 << 20,		/* longest payload, in bytes */
};

/** struct engine_event - what a handler is told (core/base/door.h has a struct event)
 *
 * It and its payload live until the handler returns.
 */
struct engine_event {
	int64_t   at_ns;
	uint32_t  dst;			/* the object it happens to */
	uint32_t  src;			/* who posted it; for an alarm, dst */
	uint64_t  seq;			/* of the source; for an alarm, 0 */
	void     *payload;		/* NULL if none */
	uint32_t  len;			/* of the payload, in bytes */
	uint8_t   class;		/* the world's, or ENGINE_ALARM */
};

typedef void engine_handle_fn(void *world, struct lane *lane, const struct engine_event *ev);
typedef void engine_warm_fn(void *world, uint32_t object);
typedef void engine_barrier_fn(struct engine *e, int64_t now_ns, void *arg);

/** struct engine_config - zeroes are good defaults but for handle */
struct engine_config {
	uint32_t shards;		/* 0 is 1 */
	uint32_t threads;		/* 0 is 1; more than shards is shards */
	int64_t  floor_ns;		/* 0 is ENGINE_FLOOR_NS */
	void    *world;			/* for the callbacks */
	engine_handle_fn *handle;
	engine_handle_fn *after;	/* after each handled event, or NULL: step-wise oracles,
					 * logs. Same rules as for a handler. */
	engine_warm_fn   *warm;		/* or NULL: @object will be handled a few events from now,
					 * __builtin_prefetch() its state. Must change nothing. */
};

struct engine *engine_new(const struct engine_config *c);
void engine_free(struct engine *e);

/* -- making the world: before a run, or in a barrier ---------------------------------------- */

/** engine_object() - A new object at @site; ids are given from 0 up, without gaps */
uint32_t engine_object(struct engine *e, uint32_t site);
uint32_t engine_objects(const struct engine *e);
uint32_t engine_site(const struct engine *e, uint32_t object);

/** engine_lane() - The lane of @object: where its memory comes from and its events run */
struct lane *engine_lane(struct engine *e, uint32_t object);

/**
 * engine_at() - Run @fn(@e, @at_ns, @arg) at @at_ns, which is not in the past
 * @priority: smaller goes first at equal times
 */
void engine_at(struct engine *e, int64_t at_ns, int priority, engine_barrier_fn *fn, void *arg);

/** engine_every() - The same at @first_ns and each @period_ns after it, for ever */
void engine_every(struct engine *e, int64_t first_ns, int64_t period_ns, int priority,
		  engine_barrier_fn *fn, void *arg);

/* -- in a handler, on its lane; or in a barrier, on the lane of the object meant ------------- */

int64_t lane_now(const struct lane *l);
void *lane_world(const struct lane *l);
struct engine *lane_engine(const struct lane *l);
uint32_t lane_shard(const struct lane *l);

/** lane_slab() - Memory for the objects of this shard; never pass it to another */
struct slab *lane_slab(struct lane *l);

/**
 * engine_payload() - A buffer of @bytes for one event to come, aligned to 16, not cleared
 *
 * It is the caller's until engine_post() or engine_drop() takes it.
 */
void *engine_payload(struct lane *l, uint32_t bytes);

/** engine_trim() - Say that only the first @bytes of @payload are used: what ev->len will be */
void engine_trim(void *payload, uint32_t bytes);

/** engine_drop() - Give a buffer back unposted */
void engine_drop(struct lane *l, void *payload);

/**
 * engine_post() - @class happens to @dst at @at_ns, and @src did it
 * @src: an object of the site being handled (any, in a barrier)
 * @class: 0 to 254; smaller goes first at equal time and destination
 * @at_ns: not before now; at least floor_ns ahead if @dst is at another site than @src
 *	(in a barrier: not before now)
 * @payload: from engine_payload(), or the payload of the event being handled, which is then
 *	passed on without a copy; or NULL. The engine's from here on, freed after it is handled.
 */
void engine_post(struct lane *l, uint32_t src, uint32_t dst, unsigned class, int64_t at_ns,
		 void *payload);

/**
 * engine_alarm() - Set the one alarm of @object to @at_ns, replacing what it was set to
 * @object: of the site being handled (any, in a barrier)
 * @at_ns: a time already past means now; ENGINE_NEVER means none
 *
 * When it rings it is unset, and an event of class ENGINE_ALARM happens. Setting it again is a
 * few nanoseconds: to a later time, or none, it does not touch the queue.
 */
void engine_alarm(struct lane *l, uint32_t object, int64_t at_ns);
int64_t engine_alarm_of(const struct engine *e, uint32_t object);

/** engine_note() - Fold @fact into the chain of @object, which is of the site being handled */
void engine_note(struct lane *l, uint32_t object, uint64_t fact);

/* -- running ------------------------------------------------------------------------------- */

enum engine_end {
	ENGINE_REACHED,			/* now is until_ns: all events before it, and all barriers
					 * up to and at it, are done */
	ENGINE_STOPPED,			/* engine_stop(): a window was finished first */
	ENGINE_BROKEN,			/* engine_break(): other shards finished the window */
};

/** engine_run_until() - Let time pass until @until_ns (not before now); may be called again */
enum engine_end engine_run_until(struct engine *e, int64_t until_ns);

/**
 * engine_stop() - End the run at the end of the present window
 *
 * From a handler or barrier the run ends at the same virtual time for any number of shards.
 * May also be called by a signal handler or another thread. The next run goes on.
 */
void engine_stop(struct engine *e);

/**
 * engine_break() - End the run after the event being handled, for a close look
 *
 * With one shard nothing after it has happened. The next run finishes the window first, so the
 * digest is what it would have been. In a barrier it is engine_stop().
 */
void engine_break(struct lane *l);

/** engine_now() - Barriers and between runs; inside a window ask lane_now() */
int64_t engine_now(const struct engine *e);

/** engine_next() - The time of the earliest event or barrier, or ENGINE_NEVER; between runs */
int64_t engine_next(const struct engine *e);

/** engine_digest() - All that happened so far in 64 bits; between runs or in a barrier */
uint64_t engine_digest(const struct engine *e);

/** engine_chain() - The part of @object in it: to find the first that differs */
uint64_t engine_chain(const struct engine *e, uint32_t object);

/** struct engine_stats - the first five do not depend on the number of shards; the rest may */
struct engine_stats {
	uint64_t handled;		/* events, alarms among them */
	uint64_t posted;
	uint64_t alarms;		/* of handled */
	uint64_t cancelled;		/* alarms unset or set anew before they rang */
	uint64_t stale;			/* queue entries of such alarms, skipped */
	uint64_t crossed;		/* of posted, to another shard */
	uint64_t windows;
	uint64_t shared_windows;	/* of them, with enough events to wake the threads for */
	uint64_t barriers;
	uint64_t pending;		/* entries queued now */
	uint64_t max_pending;		/* sum over the shards of each one's maximum */
	uint64_t object_bytes;		/* held by the engine for objects, */
	uint64_t queue_bytes;		/* queues and mailboxes, */
	uint64_t payload_bytes;		/* payload pools, */
	uint64_t slab_bytes;		/* slabs: what the objects use lies in them */
};

void engine_stats(const struct engine *e, struct engine_stats *s);

#endif /* SIM_ENGINE_ENGINE_H */
