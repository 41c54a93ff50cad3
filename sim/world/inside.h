/*
 * inside.h - the world from inside: for the files of this folder only
 *
 * struct host is what exists a million times; struct shard is what a thread
 * writes while time passes; struct world holds the rest, written in barriers.
 * The files, and what each may touch, are listed in README.md.
 */
#ifndef SIM_WORLD_INSIDE_H
#define SIM_WORLD_INSIDE_H

#include <glib.h>

#include "core/base/config.h"
#include "core/dht/dht.h"
#include "core/look.h"
#include "node/prog/scenario.h"
#include "sim/engine/chance.h"
#include "sim/net/fault.h"
#include "sim/record/eventlog.h"
#include "sim/record/recorder.h"
#include "sim/world/clock.h"
#include "sim/world/journal.h"
#include "sim/world/parts.h"
#include "sim/world/people.h"
#include "sim/world/pending.h"
#include "sim/world/roll.h"
#include "sim/world/trace.h"
#include "sim/world/truth.h"
#include "sim/world/world.h"

enum { WORLD_PORT = 7447 };			/* the UDP port of every node */

#define NEVER_NS	ENGINE_NEVER
#define DISK_NS		(5 * NS_PER_MS)		/* a save takes this long on a healthy disk */
#define GRACE_NS	(10 * NS_PER_S)		/* a node that was told to stop is ended after this */
#define SETTLE_NS	NS_PER_S		/* journals are read at least so often */
#define JOIN_NS		(60 * NS_PER_S)		/* who has not joined after this has failed to */
#define NOTICE_NS	(60 * NS_PER_S)		/* a death unnoticed after this never was */

/* Classes of events: what goes first among equal times at one host. */
enum class {
	CLASS_WAKE,			/* a pause or sleep is over; struct order */
	CLASS_FAULT,			/* a fault begins or goes on here; struct order */
	CLASS_CHURN,			/* a session begins or ends, if host.churn_ns says so */
	CLASS_GRACE,			/* time to leave is over; struct order */
	CLASS_SAVED,			/* struct written */
	CLASS_HOURLY,			/* wall clock and entropy; struct order */
	CLASS_TOO_BIG,			/* struct too_big */
	CLASS_ARRIVE,			/* struct parcel comes to the downlink */
	CLASS_DELIVER,			/* struct parcel comes out of it */
	CLASS_LATE,			/* struct parcel, or nothing: a slow node gets to it */
	CLASS_ASK,			/* a lookup, if host.ask_ns says so */
	CLASS_CAST,			/* a broadcast; struct order */
	CLASS_FRAME,			/* struct wire comes to a tap or a machine (guests.h) */
	CLASS_POWER,			/* a machine is switched on; struct order */
	CLASS_WORK,			/* a machine has something to do; struct order */
	CLASS_REPLAY,			/* a frame of a capture comes to a tap; struct order */
	CLASS_LEASE,			/* the lease workload: struct order (leases.c) */
};

/* Purposes of chance, each a stream of its own: (seed, host, stream, counter). */
enum stream {
	STREAM_KEY = 1, STREAM_SALT, STREAM_ENTROPY, STREAM_STIR, STREAM_CLOCK, STREAM_WALL,
	STREAM_START, STREAM_SESSION, STREAM_OFF, STREAM_REPEAT, STREAM_GRACEFUL, STREAM_ASK,
	STREAM_LOOKUP_KEY, STREAM_ACCESS, STREAM_VICTIM, STREAM_STAGGER, STREAM_CAST, STREAM_MEMORY,
	STREAM_WORK, STREAM_POWER, STREAM_LEASE, STREAM_HOT, STREAM_REVOKE,
};

/** struct odd - what faults do to one host; absent on most */
struct odd {
	int64_t until_ns;		/* PAUSED, ASLEEP: when it ends; NEVER_NS */
	int64_t since_ns;		/* when that began */
	int64_t busy_ns;		/* slow node: at work until then */
	int64_t slow_ns;		/* per step, 0: not slow */
	int64_t disk_ns;		/* per save, 0: as usual */
	uint16_t stall, slow, drift, disk, lie;	/* which fault it is, for its account */
	uint8_t lying;			/* 0, or 1 + enum fault_lie */
};

enum host_flag {
	HOST_JOINED	= 1 << 0,
	HOST_BOOTSTRAP	= 1 << 1,
	HOST_CAPTURED	= 1 << 2,
	HOST_GRACEFUL	= 1 << 3,	/* ended, or is to end, with a goodbye */
	HOST_ENDING	= 1 << 4,	/* to be ended when the step is done: it has left */
	HOST_SPARE	= 1 << 5,	/* waits for a flash crowd */
	HOST_RETURNS	= 1 << 6,	/* ended, or is to end, and starts again: its machines stay on */
};

/** struct host - one machine; all that belongs to it is written by its shard or in barriers */
struct host {
	struct node *node;		/* NULL when off */
	struct self *self;		/* identity and certificate while it runs */
	struct odd *odd;		/* or NULL */
	struct disk *disk;		/* or NULL */
	struct id id;
	struct clock clock;
	int64_t churn_ns;		/* the next start or end by churn */
	int64_t ask_ns;			/* the next lookup */
	int64_t saved_ns;		/* no save is durable before this: they keep their order */
	int64_t started_ns, joined_ns, ended_ns;
	int64_t told_ns;		/* LEAVING: since */
	uint32_t incarnation;
	uint32_t people;		/* identities it has had: 1 is the first */
	uint32_t sessions;		/* sessions and off times drawn */
	uint32_t drawn;			/* the session draw it had last */
	uint32_t asks;
	uint32_t sent, got;		/* bytes with IP headers in this interval, lookups not */
	uint8_t state;			/* enum host_state */
	uint8_t flags;			/* enum host_flag */
};
_Static_assert(sizeof(struct host) <= 176, "a million hosts: every 8 bytes are 8 MB");

struct order { uint32_t incarnation; uint32_t what; uint64_t number; };

struct written {			/* a save on its way to the disk */
	uint64_t token;
	uint32_t incarnation;
	uint64_t part;
	uint32_t len;			/* of data; 0 if nobody will read it */
	uint8_t kind;			/* enum save_kind */
	uint8_t data[];
};

struct too_big { uint32_t incarnation; uint16_t mtu; struct endpoint to; };

struct parcel {
	struct endpoint from, to;
	uint16_t len;
	uint8_t kind;			/* enum message_kind */
	uint8_t ecn, df;
	uint8_t data[];
};

struct fault_run;

/** struct shard - what one thread writes while time passes */
struct shard {
	struct world *world;
	unsigned number;
	struct mem_host mem;
	struct effects fx;
	struct journal journal;
	struct metrics *m;		/* NULL: nothing is recorded */
	struct guest_fx *guest_fx;	/* NULL: there are no guests */
	uint8_t blob[4096];		/* memory_of() */
	GByteArray *disk;		/* disk_read() */
	uint64_t *touched;		/* by fault */
	uint64_t alive, joined;		/* hosts of this shard now */
	uint64_t strays;		/* datagrams to a port nobody listens on, or to no node */
	uint64_t late_drops;		/* what a slow node had no room for */
	struct dht_account dht_gone;	/* what nodes that ended had counted */
	uint64_t lone_frames;		/* out of taps that nothing is plugged into */
	uint64_t packets[MESSAGE_KINDS], bytes[MESSAGE_KINDS];	/* sent, since the last row */
	uint64_t steps_told, drops_told[DROP_COUNT];
} __attribute__((aligned(128)));

struct capture_of { uint32_t host; world_traffic_fn *fn; void *ctx; };
struct every { world_barrier_fn *fn; void *ctx; struct world *world; };

/** struct newcomer - has the node of a host joined since it started? Kept by the journal */
struct newcomer { int64_t started_ns; bool joined; };

struct memory;
struct networks;
struct guests;
struct leases;
struct lookups;
struct deaths;
struct casts;
struct health;
struct faults;
struct revokes;

struct world {
	const struct scenario *scenario;
	uint64_t seed;
	char *again;
	unsigned shards;
	struct engine *engine;
	struct net *net;
	struct net_table *table;
	struct people people;
	struct config config;
	struct endpoint *bootstrap;

	struct host *host;
	uint32_t hosts;
	uint32_t first_churner, first_spare;	/* bootstrap nodes lie before, flash crowds after */
	struct trace *trace;
	struct shard *shard;
	bool keeps;			/* saved state may be read again */
	struct memory *memory;		/* or NULL: nobody remembers anybody */
	struct dist ask_every;

	/* the books, up to date after world_settle() */
	struct journal merged;
	struct truth *truth;
	struct parts *parts;
	struct roll *roll;
	struct networks *networks;
	struct guests *guests;
	struct leases *leases;
	struct lookups *lookups;
	struct deaths *deaths;
	struct casts *casts;
	struct health *health;
	struct faults *faults;
	struct revokes *revokes;	/* NULL: nobody is revoked */
	struct newcomer *newcomer;	/* by host */
	uint64_t alive;			/* as the journal says, for node seconds */
	int64_t counted_ns;		/* node seconds are counted up to here */

	/* who listens */
	struct catalog *catalog;
	struct recorder *recorder;
	struct eventlog *log;
	struct watch watch[WORLD_WATCHES];
	unsigned watches;
	struct capture_of capture[WORLD_CAPTURES];
	unsigned captures;
	world_tick_fn *tick;
	void *tick_ctx;
	GPtrArray *everies;
	bool breaks;
	enum record_kind break_kind;
	uint32_t break_host;

	uint64_t violations;
	enum world_end end;
	struct fail trouble;		/* of the machine: a file that cannot be written */
	bool begun, settling, finished;
	int64_t row_ns;			/* the last row */
	uint64_t net_told[NET_DROPS], marks_told[NET_MARKS], events_told;

	/* metrics beyond METRIC_LIST */
	int m_drop, m_kind_packets, m_kind_bytes, m_net_drop, m_unnoticed, m_stray;
	int m_cast_twice, m_cast_hops, m_core_bytes, m_trace;
	int m_dht[6], m_dht_rate, m_dht_bytes, m_dht_record, m_dht_slots, m_dht_records, m_dht_held;
	struct dht_account dht_told;
};

static inline uint32_t host_number(const struct world *w, const struct host *h)
{
	return (uint32_t)(h - w->host);
}

static inline bool host_is_running(const struct host *h)
{
	return h->state == HOST_UP || h->state == HOST_LEAVING;
}

/** host_chance() - One draw of purpose @s for host @i */
static inline uint64_t host_chance(const struct world *w, uint32_t i, enum stream s, uint64_t n)
{
	return chance_draw(w->seed, i, s, n);
}

/* host.c - a node's life: start, step, end */
void host_start(struct shard *s, struct lane *l, struct host *h, bool fresh, bool blobs);
void host_stop(struct shard *s, struct lane *l, struct host *h);		/* graceful; ends later */
void host_end(struct shard *s, struct lane *l, struct host *h, bool graceful);	/* now */
void host_step(struct shard *s, struct lane *l, struct host *h, const struct event *evs, unsigned n);
void host_wake(struct shard *s, struct lane *l, struct host *h);
void host_hourly(struct shard *s, struct lane *l, struct host *h, struct order *o);
void host_grace(struct shard *s, struct lane *l, struct host *h, const struct order *o);
int64_t host_now(const struct host *h, int64_t now_ns);
struct odd *host_odd(struct lane *l, struct host *h);

/* effects.c - what a step asked for is carried out */
void effects_init(struct effects *fx);
void effects_done(struct effects *fx);
void effects_deeds(struct effects *fx);		/* from now on deeds are told */
void effects_carry(struct shard *s, struct lane *l, struct host *h);

/* transit.c - datagrams on their way */
void transit_send(struct shard *s, struct lane *l, struct host *h, const struct datagram *d);
void transit_arrive(struct shard *s, struct lane *l, struct host *h, const struct engine_event *ev);
void transit_deliver(struct shard *s, struct lane *l, struct host *h, const struct engine_event *ev);
void transit_too_big(struct shard *s, struct lane *l, struct host *h, const struct too_big *t);

/* handle.c - the one switch from an engine event to a function */
void handle_event(void *world, struct lane *l, const struct engine_event *ev);
void handle_warm(void *world, uint32_t object);

/* disk.c - what a host still has after a restart */
void disk_write(struct shard *s, struct lane *l, struct host *h, const struct save *save);
void disk_written(struct shard *s, struct lane *l, struct host *h, const struct written *wr);
struct bytes disk_read(const struct host *h, GByteArray *into);	/* everything, as EVENT_START wants it */
void disk_crash(struct shard *s, struct lane *l, struct host *h);	/* unsynced and lied about */
void disk_truth(struct lane *l, struct host *h);	/* the lie is over: what was cached is written */
void disk_wipe(struct lane *l, struct host *h);

/* population.c - how many hosts, who starts when */
bool population_plan(struct world *w, struct fail *f);
void population_begin(struct world *w);

/* memory.c - what nodes remember that run when the world begins (nodes.remember) */
void memory_begin(struct world *w);
struct bytes memory_of(struct shard *s, const struct host *h);
void memory_free(struct world *w);

/* churn.c - sessions and off times */
void churn_start(struct shard *s, struct lane *l, struct host *h);	/* a session begins: when it will end */
void churn_ended(struct shard *s, struct lane *l, struct host *h);	/* it ended: when the next begins */
void churn_event(struct shard *s, struct lane *l, struct host *h, int64_t at_ns);
int64_t churn_session(const struct world *w, uint32_t host, uint32_t draw);
int64_t churn_off(const struct world *w, uint32_t host, uint32_t draw);
struct dist exponential(int64_t mean_ns);	/* 0: none */

/* faults.c, fault_hosts.c, fault_net.c */
bool faults_plan(struct world *w, struct fail *f);
uint32_t faults_spares(const struct world *w);
void faults_begin(struct world *w);
void faults_order(struct shard *s, struct lane *l, struct host *h, const struct order *o);
void faults_finish(struct world *w);
void faults_free(struct world *w);
bool faults_keep_state(const struct world *w);
unsigned faults_count(const struct world *w);
int64_t faults_end_ns(const struct world *w);

/* underlay.c, settings.c - from the scenario to a network and to core's constants */
bool underlay_build(struct world *w, struct fail *f);
void settings_fill(struct world *w);

/* the books */
struct lookups *lookups_new(struct world *w);
void lookups_free(struct lookups *k);
void lookups_schedule(struct shard *s, struct lane *l, struct host *h);
void lookups_event(struct shard *s, struct lane *l, struct host *h, int64_t at_ns);
void lookups_reply(struct shard *s, struct lane *l, struct host *h, const struct reply *r);
void lookups_note(struct lookups *k, const struct note *n);
void lookups_time(struct lookups *k, int64_t now_ns);

/* leases.c - addresses asked for, kept and given back without machines */
struct leases *leases_new(struct world *w);
void leases_free(struct world *w);
void leases_catalog(struct world *w);
void leases_started(struct shard *s, struct lane *l, struct host *h);
void leases_ended(struct shard *s, struct host *h);
void leases_event(struct shard *s, struct lane *l, struct host *h, const struct order *o);
void leases_reply(struct shard *s, struct lane *l, struct host *h, const struct reply *r);
void leases_note(struct world *w, const struct note *n);
void leases_time(struct world *w, int64_t now_ns);

struct deaths *deaths_new(struct world *w);
void deaths_free(struct deaths *d);
void deaths_note(struct deaths *d, const struct note *n);
void deaths_time(struct deaths *d, int64_t now_ns);

struct casts *casts_new(struct world *w);
void casts_free(struct casts *c);
void casts_begin(struct casts *c);
void casts_event(struct shard *s, struct lane *l, struct host *h, const struct order *o);
void casts_note(struct casts *c, const struct note *n);
void casts_time(struct casts *c, int64_t now_ns);

void joins_note(struct world *w, const struct note *n);
void joins_time(struct world *w, int64_t now_ns);
void joins_finish(struct world *w);

struct health *health_new(struct world *w);
void health_free(struct health *k);
void health_row(struct health *k, int64_t now_ns);
void health_second(struct health *k, int64_t now_ns);
void health_lookup(struct health *k, int64_t asked_ns, bool right);

/* dhts.c - the DHT's own counts */
void dhts_catalog(struct world *w);
void dhts_ended(struct shard *s, const struct host *h);	/* its node is about to be freed */
void dhts_row(struct world *w);

/* traffic.c - bytes by node and kind */
void traffic_catalog(struct world *w);
void traffic_row(struct world *w, int64_t now_ns, int64_t span_ns);

/* watch.c - hooks, journals, violations */
void watch_record(struct shard *s, int64_t now_ns, struct host *h, const struct record *r);
void watch_note(struct shard *s, int64_t now_ns, struct host *h, enum note_kind kind, struct id id,
		uint64_t a, uint64_t b);
void watch_asked(struct shard *s, int64_t now_ns, struct host *h, const struct request *r);
void watch_reply(struct shard *s, int64_t now_ns, struct host *h, const struct reply *r);
void watch_deed(struct shard *s, int64_t now_ns, struct host *h, const struct deed *d);
void watch_frame(struct shard *s, int64_t now_ns, struct host *h, const struct frame *f);	/* to its tap */
void watch_violation(struct world *w, const struct note *n);

#endif /* SIM_WORLD_INSIDE_H */
