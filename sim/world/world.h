/*
 * world.h - everything around the door in virtual time
 *
 * A world is what a scenario describes: hosts that each drive one core, an
 * underlay between them (sim/net), churn, faults, disks, clocks and a workload
 * that is judged against what is true. It runs on one engine (sim/engine) and
 * notes into one recorder (sim/record). Oracles (sim/check) look at it through
 * this header; programs assemble it: world_new(), world_watch(), world_run().
 *
 * One number. Host i is engine object i at site i with interface i of the
 * underlay; all hosts of a run exist from its beginning, running or not. What
 * users call node 17 is host 17. A host that comes back with its identity has
 * the same id; one that lost it gets a new one. Each start is an incarnation.
 *
 * What is true. Handlers run in shards, so what concerns everybody is written
 * into journals (journal.h) and put in the total order of events at barriers,
 * at least once a second: world_settle(). After it, truth (truth.h), the
 * register of ids and the reachable parts (parts.h) are those of now.
 *
 *	Memory		about 200 bytes a host beside its core (README.md)
 *	Time		virtual ns from 0; a core sees its host's clock (clock.h)
 *	Chance		counters only: (seed, host, purpose, how often)
 *	Threads		hooks named so run in a handler, on the shard of their host;
 *			everything else belongs to barriers and between runs
 */
#ifndef SIM_WORLD_WORLD_H
#define SIM_WORLD_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/record.h"
#include "core/node.h"
#include "sim/engine/engine.h"
#include "sim/guest/guest.h"

struct world;
struct scenario;
struct net;
struct truth;
struct parts;
struct catalog;
struct recorder;
struct eventlog;
struct fail;
struct clock;

#define WORLD_NOBODY	UINT32_MAX		/* no host */
#define WORLD_NEVER	INT64_MIN		/* a time that never was */

/* -- one host ------------------------------------------------------------------------------- */

/** enum host_state - what a host is doing */
enum host_state {
	HOST_OFF,		/* no node: not started yet, crashed or left; its interface is down */
	HOST_UP,		/* a node runs */
	HOST_LEAVING,		/* it was told to stop and hands over; still an owner */
	HOST_PAUSED,		/* a node that gets no steps; packets wait (fault `pause`) */
	HOST_ASLEEP,		/* the machine is suspended; packets are lost (fault `suspend`) */
};

/** struct host_view - one host now, and its last incarnation if it is off */
struct host_view {
	const struct node *node;	/* NULL when off */
	struct id id;			/* zero if it never ran */
	uint32_t host;			/* = engine object = site = interface */
	uint32_t incarnation;		/* starts so far; 0: never ran */
	enum host_state state;
	bool joined;			/* said RECORD_JOINED, and not APART, LEFT or dead since */
	bool bootstrap;
	bool harmed;			/* a fault acts on this host itself (not: on the underlay) */
	int64_t started_ns;		/* this incarnation, or the last; WORLD_NEVER */
	int64_t joined_ns;		/* last joined, WORLD_NEVER if not in this incarnation */
	int64_t ended_ns;		/* when the last incarnation ended; WORLD_NEVER while it runs */
};

uint32_t world_hosts(const struct world *w);

/** world_host() - Exact in a barrier even before world_settle(), and in a hook for its own host */
void world_host(const struct world *w, uint32_t host, struct host_view *out);

/** world_when() - When the clock of @host will read @reading_ns, or did, if it goes on as it does now */
int64_t world_when(const struct world *w, uint32_t host, int64_t reading_ns);

/** world_clock() - What it goes by now */
struct clock world_clock(const struct world *w, uint32_t host);

static inline bool host_runs(const struct host_view *h)
{
	return h->state != HOST_OFF;
}

/** struct was - what is known of an id: the host that has or had it */
struct was {
	uint32_t host;
	uint32_t incarnation;		/* the last that had it */
	bool alive;			/* a node with this id runs now */
	bool said_goodbye;		/* its last end was a graceful one */
	int64_t ended_ns;		/* when it last ended; WORLD_NEVER while alive */
};

/**
 * world_was() - Who has or had @id, as of the last world_settle()
 *
 * Ids no host has any more (their host got another) are forgotten an hour
 * after their node ended.
 * Return: false if nobody had it, or it is forgotten
 */
bool world_was(const struct world *w, struct id id, struct was *out);

/* -- the whole ------------------------------------------------------------------------------ */

const struct scenario *world_scenario(const struct world *w);
struct net *world_net(const struct world *w);
uint64_t world_seed(const struct world *w);
unsigned world_shards(const struct world *w);
int64_t world_now(const struct world *w);
int64_t world_end(const struct world *w);	/* the duration asked for */

/** world_settle() - Put the journals in order: truth is that of now. Barriers; with one shard also in hooks */
void world_settle(struct world *w);

/** world_truth(), world_parts() - Who owns what (truth.h), who can reach whom (parts.h) */
const struct truth *world_truth(const struct world *w);
const struct parts *world_parts(const struct world *w);

/** world_part() - The component of the underlay @host lies in now: equal numbers can reach each other */
uint32_t world_part(const struct world *w, uint32_t host);

/** world_direct() - Whether packets pass between two hosts without a relay, both ways, now */
bool world_direct(const struct world *w, uint32_t a, uint32_t b);

/**
 * world_faults() - How many faults act now, and when the last one ended
 * @ended_ns: end of the latest that ended; WORLD_NEVER if none has
 * @ahead: faults that have not begun
 */
unsigned world_faults(const struct world *w, int64_t *ended_ns, unsigned *ahead);

/* -- watching ------------------------------------------------------------------------------- */

/** struct shout_view - what came of a machine's broadcast at another machine */
struct shout_view {
	uint32_t host, from, to;	/* host and number of the machine; @from: who shouted */
	uint32_t token;
	unsigned times;			/* it came so often; 0: never, though both were there, undisturbed, for a minute */
	bool leaked;			/* who heard it was revoked by a list that the sender's node knew */
};

/** struct watch - who wants to know; NULL members are skipped */
struct watch {
	void *ctx;
	/* in a handler, on the host's shard */
	void (*record)(void *ctx, unsigned shard, int64_t now_ns, uint32_t host,
		       const struct record *r);
	void (*started)(void *ctx, unsigned shard, int64_t now_ns, uint32_t host);
	void (*ended)(void *ctx, unsigned shard, int64_t now_ns, uint32_t host, bool graceful);
	void (*stepped)(void *ctx, unsigned shard, int64_t now_ns, uint32_t host);
	void (*asked)(void *ctx, unsigned shard, int64_t now_ns, uint32_t host,
		      const struct request *r);		/* a control request goes to its node */
	void (*replied)(void *ctx, unsigned shard, int64_t now_ns, uint32_t host, const struct reply *r);
	void (*deed)(void *ctx, unsigned shard, int64_t now_ns, uint32_t host, const struct deed *d);
	void (*frame)(void *ctx, unsigned shard, int64_t now_ns, uint32_t host, const struct frame *f);
	/* while the journals are put in order */
	void (*shout)(void *ctx, int64_t now_ns, const struct shout_view *v);
	/* in a barrier, settled: every interval of series.csv before its row, and at the end */
	void (*interval)(void *ctx, int64_t now_ns, bool last);
};

enum { WORLD_WATCHES = 4 };

/** world_watch() - Before the run; @watch is copied */
void world_watch(struct world *w, const struct watch *watch);

/**
 * world_every() - Call @fn in settled barriers every @period_ns, first after @first_ns
 *
 * In front of the row of series.csv of the same time.
 */
typedef void world_barrier_fn(void *ctx, int64_t now_ns);
void world_every(struct world *w, int64_t first_ns, int64_t period_ns, world_barrier_fn *fn,
		 void *ctx);

/**
 * world_violation() - Oracle @check found something that must not be, at @host (or WORLD_NOBODY)
 *
 * Counted; the first few are printed with time, node, seed and the command that
 * shows them again. The run's exit code is 1. Ends the run if check.stop is set.
 * May be called in a hook (for a host of that shard) and in barriers.
 */
void world_violation(struct world *w, unsigned shard, int64_t now_ns, uint32_t host,
		     const char *check, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/** struct violation - one of them; texts belong to the world */
struct violation {
	int64_t at_ns;
	uint32_t host;
	const char *check;
	const char *text;
};
uint64_t world_violations(const struct world *w);	/* all of them, as of the last world_settle() */

/** world_drops() - Datagrams and messages that cores dropped for @why since the beginning. In barriers */
uint64_t world_drops(const struct world *w, enum drop why);

/** world_metrics() - Where shard @i notes (record/metrics.h); in a barrier any */
struct metrics *world_metrics(const struct world *w, unsigned shard);

/* -- for programs ---------------------------------------------------------------------------- */

/** struct world_setup - everything borrowed for as long as the world lives */
struct world_setup {
	const struct scenario *scenario;
	uint64_t seed;
	unsigned threads;		/* shards is at least this */
	unsigned shards;		/* 0: as the scenario says */
	const char *again;		/* command that repeats the run, for messages: "weft-sim run x.ini --seed 4" */
};

/** world_new() - NULL with messages in @f when the scenario cannot be carried out */
struct world *world_new(const struct world_setup *s, struct fail *f);
void world_free(struct world *w);

/** world_catalog() - The run's metrics; whoever adds some does so before world_record() */
struct catalog *world_catalog(const struct world *w);

/** world_record() - Note into @r (made with world_catalog()); once, before the run */
void world_record(struct world *w, struct recorder *r);

/** world_log() - Records, starts, ends and faults go to @l as well; NULL: nowhere */
void world_log(struct world *w, struct eventlog *l);

/** struct world_traffic_fn - a datagram as @host's interface sees it (for captures), on its shard */
typedef void world_traffic_fn(void *ctx, int64_t now_ns, uint32_t host, bool sent,
			      const struct endpoint *from, const struct endpoint *to,
			      uint8_t ecn, const void *data, uint32_t len);

/** world_capture() - @fn sees all datagrams of @host; at most WORLD_CAPTURES hosts */
enum { WORLD_CAPTURES = 64 };
bool world_capture(struct world *w, uint32_t host, world_traffic_fn *fn, void *ctx);

/** world_guests() - Machines behind taps; those of host i have the numbers from i * (world_guests() / world_hosts()) on */
uint32_t world_guests(const struct world *w);

/** struct world_frame_fn - a frame as it enters (@sent) or leaves a tap or machine @number */
typedef void world_frame_fn(void *ctx, int64_t now_ns, uint32_t number, bool sent, const void *data, uint32_t len);

/** world_capture_guest(), world_capture_tap() - @fn sees all its frames; false: there is none, or too many */
bool world_capture_guest(struct world *w, uint32_t number, world_frame_fn *fn, void *ctx);
bool world_capture_tap(struct world *w, uint32_t host, unsigned network, world_frame_fn *fn, void *ctx);

/** struct world_break - where to stop: a record of @kind (at @host, or any if WORLD_NOBODY) */
void world_break_on(struct world *w, enum record_kind kind, uint32_t host);

/** world_tick() - @fn in a barrier once a second of virtual time: progress; false ends the run */
typedef bool world_tick_fn(void *ctx, int64_t now_ns, uint64_t alive);
void world_tick(struct world *w, world_tick_fn *fn, void *ctx);

enum world_end { WORLD_DONE, WORLD_STOPPED, WORLD_BROKEN, WORLD_VIOLATED, WORLD_UNABLE };

/**
 * world_run() - Let time pass until @until_ns or the scenario's end; may be called again
 *
 * Rows go to the recorder as they come due. WORLD_STOPPED: world_stop() or a tick said
 * so; WORLD_BROKEN: world_break_on() met; WORLD_UNABLE: the machine, see @f.
 */
enum world_end world_run(struct world *w, int64_t until_ns, struct fail *f);

/** world_stop() - End the run soon; also from a signal handler */
void world_stop(struct world *w);

/** world_finish() - The last row, faults into the recorder, hooks with last set; once */
bool world_finish(struct world *w, struct fail *f);

uint64_t world_digest(const struct world *w);

#endif /* SIM_WORLD_WORLD_H */
