/*
 * scenario.h - one experiment: what a scenario file says, typed and checked
 *
 * Read by weft-sim and weft-emu alike. `weft-sim scenario explain` and
 * weft-scenario(5) describe every key; both come from the table in
 * scenario_table.c, and so do the defaults. After scenario_load() all values
 * are in range and consistent with each other (scenario_check.c), churn presets
 * are resolved into distributions, paths are absolute, and what cannot matter
 * (the latency of a matrix, the loss of a crash) is 0, NULL or an empty list.
 *
 *	Units		times are ns in names ending _ns; shares are parts per 1e9 in
 *			names ending _ppb (chance_hit() takes them as they are); a rate is
 *			the mean interval between events, _every_ns, 0 for never
 *	Memory		GLib's; everything belongs to the struct scenario
 *	Time, chance	none
 */
#ifndef PROG_SCENARIO_H
#define PROG_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "node/prog/dist.h"
#include "node/prog/fail.h"
#include "node/prog/schema.h"
#include "node/prog/units.h"

enum {
	AUTO = -1,			/* of counts: the program decides */
	EVERY_STEP = -1,		/* of check intervals: after each step; 0 is off */
};

/* ---- [run] -------------------------------------------------------------------------- */

enum run_crypto { CRYPTO_REAL, CRYPTO_MODEL };
enum run_ids    { IDS_KEYS, IDS_DRAWN };
enum run_events { EVENTS_NONE, EVENTS_RECORDS };

struct scenario_run {
	struct schema_head head;
	char   *title;			/* "" if none */
	int64_t duration_ns;
	int64_t warmup_ns;		/* cut from all results; < duration */
	int64_t seed;			/* 0 to INT64_MAX */
	int32_t crypto;			/* enum run_crypto */
	int32_t ids;			/* enum run_ids */
	int64_t interval_ns;		/* a row of series.csv */
	int64_t shards;			/* queues; 1 or more */
	int32_t events;			/* enum run_events: what goes to the event log */
	struct numbers pcap;		/* nodes whose traffic is written; below max(count) */
};

/* ---- [nodes] ------------------------------------------------------------------------ */

enum nodes_start {
	START_EQUILIBRIUM,		/* as found after long churn: residual lifetimes */
	START_EMPTY,			/* bootstrap nodes only; the others come by churn (or never) */
	START_ALL,			/* all alive, each at the beginning of a session */
};

struct scenario_nodes {
	struct schema_head head;
	int64_t count;			/* mean number alive; with a trace: 0, the trace decides */
	int64_t bootstrap;		/* never churn; known to all; 1..count */
	int32_t start;			/* enum nodes_start */
	int64_t join_over_ns;		/* the first joins are spread over this */
	bool    remember;		/* the first starts know their ring neighbours, as after a restart */
	int64_t quota_bytes;		/* memory of one core */
};

/* ---- [ring] ------------------------------------------------------------------------- */

enum ring_draw      { RING_HARMONIC, RING_UNIFORM };
enum ring_direction { DIRECTION_TWO_WAY, DIRECTION_ONE_WAY };

struct scenario_ring {
	struct schema_head head;
	int64_t near;			/* links to each side */
	int64_t links;			/* key "long": long links drawn; AUTO: ceil(log2(n) / 2) */
	int32_t draw;			/* enum ring_draw */
	int32_t direction;		/* enum ring_direction */
	bool    lookahead;
	bool    cap;			/* at most twice as many incoming long links as drawn */
	int64_t assume_n;		/* 0: the node's own estimate; for validation only */
};

/* ---- [link] ------------------------------------------------------------------------- */

struct scenario_link {
	struct schema_head head;
	int64_t probe_ns;		/* between immediate ring neighbours */
	int64_t probe_second_ns;	/* second neighbours */
	int64_t probe_far_ns;		/* all other links */
	int64_t suspect_probes;		/* sent before a silent link counts as dead */
	int64_t suspect_ns;		/* within this */
};

/* ---- [net] -------------------------------------------------------------------------- */

enum scenario_model   { MODEL_CONSTANT, MODEL_MATRIX, MODEL_COORDINATES };
enum scenario_meaning { MEANING_UNSAID, MEANING_RTT, MEANING_ONE_WAY };
enum scenario_family  { FAMILY_IPV4, FAMILY_IPV6, FAMILY_BOTH };
enum scenario_format {
	FORMAT_AUTO,			/* by looking at the first lines */
	FORMAT_SQUARE,			/* n lines of n numbers, ms: planetlab-490 */
	FORMAT_EDGES,			/* node_a,node_b,latency_ms,jitter_ms: the Shadow sets */
	FORMAT_SPREAD,			/* cluster_a,cluster_b,min..stddev: iPlane */
	FORMAT_POINTS,			/* index,is_root,x_ms,y_ms: skitter coordinates */
};

struct scenario_net {
	struct schema_head head;
	int32_t model;			/* enum scenario_model */
	int64_t latency_ns;		/* constant model, one way, access delays apart */
	char   *file;			/* matrix, or coordinates; NULL: built-in coordinates */
	int32_t format;			/* enum scenario_format */
	int32_t meaning;		/* enum scenario_meaning; said whenever there is a file */
	int64_t floor_ns;		/* least one-way delay between two sites */
	uint32_t jitter_ppb;		/* of the one-way delay: a packet takes up to this more */
	uint32_t loss_ppb;
	int64_t loss_burst;		/* mean packets lost in a row; 1: independent */
	uint32_t duplicate_ppb;
	uint32_t reorder_ppb;		/* packets held back ... */
	int64_t reorder_by_ns;		/* ... for this long */
	uint32_t corrupt_ppb;		/* packets with a flipped bit */
	uint32_t asymmetry_ppb;		/* one direction of a pair is at most this slower, the other
					 * as much faster */
	uint32_t non_transitive_ppb;	/* of pairs that cannot reach each other at all */
	int64_t mtu_bytes;
	struct dist access;		/* delay of a node's access link, each way; may be none. It
					 * takes the place of that of built-in coordinates */
	int64_t up_bit_s;		/* of a node's access link; 0: unlimited */
	int64_t down_bit_s;
	int64_t queue_bytes;		/* of the access link, each way; drop tail */
	int32_t family;			/* enum scenario_family: of the address plan */
	int64_t regions;		/* places nodes are dealt to, for `cut`; 0: none */
};

/* ---- [churn] ------------------------------------------------------------------------ */

enum churn_state { STATE_ALL, STATE_IDENTITY, STATE_NONE };

struct scenario_churn {
	struct schema_head head;
	int32_t preset;			/* enum churn_preset_id; session, off, state come from it */
	struct dist session;		/* none: nodes stay */
	struct dist off;		/* time between two sessions; none: 0 */
	uint32_t graceful_ppb;		/* of leaves that say goodbye */
	int32_t state;			/* enum churn_state: what a returning node still has */
	uint32_t repeat_ppb;		/* chance that a node's next session repeats the draw of its last */
	char   *trace;			/* NULL: none. Then no session, off or count */
	int64_t trace_start_ns;		/* where in the trace the run begins */
	int64_t trace_length_ns;	/* 0: to its end */
	int64_t trace_speed;		/* times faster; spread included */
	uint32_t trace_scale_ppb;	/* of its identities that take part */
	int64_t trace_spread_ns;	/* trace times are moved back by up to this (uniform) */
};

/*
 * Published parameters, by name: id, name, session, off, state, source.
 * scenario_churn.c says how far to believe them.
 */
#define CHURN_PRESET_LIST(X)									\
	X(NONE,		"none", NULL, NULL, NULL, "no churn, or session and off as given")	\
	X(EXP1H,	"exp1h", "exponential mean 1h", "exponential mean 1h", "none",		\
	  "Li et al., INFOCOM 2005: mean 1 h alive, 1 h away, new identity at each join")	\
	X(SYMPHONY,	"symphony", "exponential mean 30m", "exponential mean 23.5h", "identity", \
	  "Manku, Bawa, Raghavan, USITS 2003: dynamic network, half an hour a day")		\
	X(RHEA_47M,	"rhea-47m", "exponential median 47m", "constant 0s", "none",		\
	  "Rhea et al., USENIX ATC 2004: Poisson failures, each replaced at once; t_med 47 min") \
	X(RHEA_1_4M,	"rhea-1.4m", "exponential median 1.4m", "constant 0s", "none",		\
	  "Rhea et al., USENIX ATC 2004: the fastest churn of that paper, t_med 1.4 min")	\
	X(BT_REDHAT,	"bt-redhat", "weibull shape 0.34 scale 21.3m", "weibull shape 0.34 scale 21.3m", \
	  "identity", "Stutzbach, Rejaie, IMC 2006: BitTorrent Red Hat sessions, minutes; off taken alike") \
	X(BT_DEBIAN,	"bt-debian", "weibull shape 0.38 scale 42.4m", "weibull shape 0.38 scale 42.4m", \
	  "identity", "Stutzbach, Rejaie, IMC 2006: BitTorrent Debian sessions, minutes; off taken alike") \
	X(BT_FLATOUT,	"bt-flatout", "weibull shape 0.59 scale 41.9m", "weibull shape 0.59 scale 41.9m", \
	  "identity", "Stutzbach, Rejaie, IMC 2006: BitTorrent FlatOut sessions, minutes; off taken alike") \
	X(KAD,		"kad", "weibull shape 0.61511 scale 169.5385m",				\
	  "weibull shape 0.47648 scale 413.6765m", "identity",					\
	  "Steiner, En-Najjary, Biersack, KAD crawl from the 2nd on, by PeerfactSim's KadChurnModel") \
	X(KAD_FIRST,	"kad-first", "weibull shape 0.54512 scale 357.7152m",			\
	  "weibull shape 0.47648 scale 413.6765m", "identity",					\
	  "Steiner, En-Najjary, Biersack, KAD, peers of the 1st crawl, by PeerfactSim's KadChurnModel") \
	X(RKAD,		"r-kademlia", "weibull shape 0.5 mean 10000s", "weibull shape 0.5 mean 10000s", \
	  "none", "Heep, ATNAC 2010 (R/Kademlia on OverSim), lifetimes of mean 10,000 s")	\
	X(OVERSIM,	"oversim", "weibull shape 1 mean 10000s", "weibull shape 1 mean 10000s",	\
	  "none", "OverSim's default.ini: LifetimeChurn")					\
	X(ZEROACCESS,	"zeroaccess", "weibull shape 1.0986 scale 50.74m",			\
	  "weibull shape 5.8533 scale 181.0m", "identity",					\
	  "PeerfactSim's ZeroAccess parameters, read as minutes like its KAD ones")		\
	X(THREE_CLASS,	"three-class",								\
	  "50% exponential mean 10m | 40% exponential mean 100m | 10% exponential mean 1000m",	\
	  "exponential mean 30m", "identity",							\
	  "Herrera, by PeerfactSim: lifetimes 1 : 10 : 100; the unit of 10 min and off are ours")

enum churn_preset_id {
#define X(id, name, session, off, state, source) CHURN_##id,
	CHURN_PRESET_LIST(X)
#undef X
	CHURN_PRESETS
};

/** struct churn_preset - one line of it; texts as a scenario would have them */
struct churn_preset {
	const char *name;
	const char *session;		/* NULL of "none" only; so are off and state */
	const char *off;
	const char *state;
	const char *source;
};

extern const struct churn_preset churn_presets[CHURN_PRESETS];

/* ---- [fault.N] ---------------------------------------------------------------------- */

/* name, word, text; which keys each needs and takes: FAULT_KEYS in scenario_table.c */
#define FAULT_KIND_LIST(X)										\
	X(CRASH,	"crash",	"nodes end without goodbye; churn brings them back, if any")	\
	X(RESTART,	"restart",	"nodes end and start again after `down`")			\
	X(LEAVE,	"leave",	"nodes say goodbye and end")					\
	X(JOIN,		"join",		"new nodes arrive: a flash crowd")				\
	X(PARTITION,	"partition",	"`groups` of nodes cannot reach each other")			\
	X(CUT,		"cut",		"one `region` cannot reach the others")				\
	X(PAUSE,	"pause",	"nodes stop; packets to them wait; their clocks go on")		\
	X(SUSPEND,	"suspend",	"nodes sleep; packets to them are lost; they are told on waking") \
	X(DRIFT,	"drift",	"clocks run fast or slow by `drift`")				\
	X(SLOW_NODE,	"slow-node",	"nodes take `delay` for each step")				\
	X(SLOW_DISK,	"slow-disk",	"saves take `delay`")						\
	X(LYING_DISK,	"lying-disk",	"saves are confirmed but lost if the node ends: `lie`")		\
	X(LOSS,		"loss",		"packets from and to nodes are lost with `loss`")		\
	X(DELAY,	"delay",	"packets from and to nodes take `delay` longer")			\
	X(REVOKE,	"revoke",	"nodes are members of `network` no more")

enum fault_kind {
#define X(name, word, text) FAULT_##name,
	FAULT_KIND_LIST(X)
#undef X
	FAULT_KINDS
};

enum fault_direction {
	FAULT_BOTH,
	FAULT_ONE_WAY,			/* partition: an earlier group still reaches later ones;
					 * cut: the region still sends, but hears nothing;
					 * loss, delay: only what the nodes send */
};

enum fault_lie {
	LIE_TAIL,			/* the last saves before the end are gone */
	LIE_STALE,			/* an old snapshot of everything comes back */
};

struct fault {
	struct schema_head head;	/* head.number: the N of [fault.N] */
	int32_t kind;			/* enum fault_kind */
	int64_t at_ns;			/* virtual time, warm-up included */
	int64_t for_ns;			/* until it ends; 0: to the end of the run */
	int64_t over_ns;		/* victims are hit one by one over this time */
	int64_t down_ns;		/* restart: from end to start */
	/* who: exactly one of share, count, nodes. share and count are of the nodes alive at
	 * at_ns without bootstrap nodes; `join` takes count only */
	uint32_t share_ppb;		/* 0: not given */
	int64_t count;			/* 0: not given */
	struct numbers nodes;
	bool    bootstrap;		/* bootstrap nodes may be drawn too */
	struct numbers groups;		/* partition: shares that add up to 100 % */
	int32_t direction;		/* enum fault_direction */
	int64_t region;
	int32_t state;			/* enum churn_state: restart */
	uint32_t graceful_ppb;		/* restart: of the victims */
	int32_t drift_ppb;
	int64_t delay_ns;
	uint32_t loss_ppb;
	int32_t lie;			/* enum fault_lie */
	int64_t network;		/* revoke: N of [network.N], not the overlay's own */
};

const char *fault_kind_name(enum fault_kind k);

/* ---- [network.N] -------------------------------------------------------------------- */

enum network_policy { NETWORK_STRICT, NETWORK_RECLAIM };

/*
 * One virtual address space; every node is a member of all of them. The text of a
 * range ("10.128.0.0/16") is checked by scenario_range().
 */
struct scenario_network {
	struct schema_head head;
	char   *name;			/* "" : netN */
	char   *range;			/* IPv4, "" : none */
	char   *range6;			/* IPv6, "" : none */
	char   *reserved;		/* what certificates own, "" : nothing */
	int64_t term_ns;		/* longest lease */
	int64_t mtu_bytes;		/* of guests' interfaces */
	int32_t drift_ppb;		/* clocks differ in rate by at most so much */
	int32_t policy;			/* enum network_policy */
	int64_t replicas;		/* 1, 3 or 5 */
	int64_t founders;		/* 1, 3 or 5 of the bootstrap nodes; AUTO: as many as fit, up to replicas */
};

/** struct scenario_prefix - a range as bytes; IPv4 in the first four, host bits zero */
struct scenario_prefix { uint8_t at[16]; uint8_t family, bits; };

/** scenario_range() - @text as a range; false if it is none ("" is none, too) */
bool scenario_range(const char *text, struct scenario_prefix *out);

/* ---- [guests] [leases] -------------------------------------------------------------- */

enum guests_model { GUESTS_NONE, GUESTS_INTERFACE, GUESTS_ROUTER, GUESTS_HYBRID };

struct scenario_guests {
	struct schema_head head;
	int32_t model;			/* enum guests_model */
	int64_t per_node;		/* machines behind each node's tap, of each network */
	int64_t move_every_ns;		/* 0: never; between moves of one machine, on average */
	int64_t move_pause_ns;		/* between two LANs */
	uint32_t move_again_ppb;	/* moves that are followed by another within a second */
	int64_t nodes_per_lan;		/* nodes whose taps share a LAN (with their guests) */
	uint32_t static_ppb;		/* of the guests have fixed addresses; the others DHCP */
	int64_t wait_ns;		/* a machine is switched on so long after its node started, ... */
	int64_t spread_ns;		/* ... and up to this later */
	int64_t desync_ns;		/* of DHCP clients */
	bool    probe;			/* RFC 5227 */
	bool    ipv6;
	int64_t ping_every_ns;		/* rates are per guest with an address; 0: none */
	int64_t ping_wait_ns;
	int64_t resolve_every_ns;
	int64_t udp_every_ns;
	int64_t udp_bytes;
	int64_t udp_size_bytes;
	int64_t tcp_every_ns;
	int64_t tcp_bytes;
	int64_t shout_every_ns;
	int64_t shout_bytes;
	char   *pcap;			/* frames that come into taps besides; NULL: none */
	struct numbers pcap_nodes;	/* whose taps */
	struct numbers capture;		/* guests whose frames are written */
	struct numbers capture_taps;	/* nodes whose tap's frames are written */
};

struct scenario_leases {
	struct schema_head head;
	int64_t every_ns;		/* key "rate": asks for an address, per joined node; 0: none */
	int64_t network;		/* number of its group */
	uint32_t contended_ppb;		/* of the asks are for an address others ask for at the same time */
	int64_t rivals;			/* about so many ask for one */
	int64_t window_ns;		/* in so much time */
	uint32_t any_ppb;		/* of the others ask for any address; the rest for a random one */
	struct dist hold;		/* how long it is kept */
	uint32_t renew_ppb;		/* are renewed in the middle of that */
	int64_t get_every_ns;		/* key "get-rate": resolves an address that somebody holds; 0: none */
	int64_t timeout_ns;
	int64_t most;			/* addresses one node holds */
};

/* ---- [lookups] [broadcasts] [check] -------------------------------------------------- */

struct scenario_lookups {
	struct schema_head head;
	int64_t every_ns;		/* key "rate": mean interval per joined node; 0: none */
	int64_t timeout_ns;
	int64_t retry_ns;		/* without an answer the asker asks again after this */
};

struct scenario_broadcasts {
	struct schema_head head;
	int64_t every_ns;		/* key "rate": of the whole network; 0: none */
	int64_t size_bytes;		/* payload */
};

/* Each is the interval between two looks: 0 is off, EVERY_STEP after each step. */
struct scenario_check {
	struct schema_head head;
	int64_t ring_ns;		/* ring invariants, per component of the underlay */
	int64_t routing_ns;		/* a walk to the owner of a random key arrives */
	int64_t links_ns;		/* link tables symmetric */
	int64_t bounds_ns;		/* memory and tables within their bounds */
	int64_t leftovers_ns;		/* nothing left of nodes that went */
	bool    lengths;		/* at the end: long links against their law */
	bool    broadcasts;		/* counts per broadcast */
	int64_t healed_ns;		/* bound after the last fault for one ring; 0: not demanded */
	bool    stop;			/* end the run at the first violation */
};

/* ---- all of it ---------------------------------------------------------------------- */

struct scenario {
	struct scenario_run run;
	struct scenario_nodes nodes;
	struct scenario_ring ring;
	struct scenario_link link;
	struct scenario_net net;
	struct scenario_churn churn;
	struct schema_many fault;	/* struct fault, see scenario_fault() */
	struct schema_many network;	/* struct scenario_network, see scenario_network() */
	struct scenario_guests guests;
	struct scenario_leases leases;
	struct scenario_lookups lookups;
	struct scenario_broadcasts broadcasts;
	struct scenario_check check;
	struct schema_pairs expect;	/* metric = operator and value, as written */
	struct schema_log *log;		/* all values as text; for messages and the manifest */
};

extern const struct schema scenario_schema;

static inline const struct fault *scenario_fault(const struct scenario *s, unsigned i)
{
	return (const struct fault *)s->fault.item + i;
}

static inline const struct scenario_network *scenario_network(const struct scenario *s, unsigned i)
{
	return (const struct scenario_network *)s->network.item + i;
}

/**
 * scenario_load() - Read the file @path, with @set on top
 * @set: "group.key=value" each
 *
 * Return: a scenario, or NULL and messages in @f (bad input and missing files alike)
 */
struct scenario *scenario_load(const char *path, const char *const *set, unsigned sets,
			       struct fail *f);

/**
 * scenario_parse() - The same from memory
 * @name: for messages; @dir: what relative paths start from, NULL: the working directory
 */
struct scenario *scenario_parse(const char *name, const char *text, size_t len, const char *dir,
				const char *const *set, unsigned sets, struct fail *f);

/** scenario_new() - All defaults and @set; for tests and benches */
struct scenario *scenario_new(const char *const *set, unsigned sets, struct fail *f);

void scenario_free(struct scenario *s);

/** scenario_write() - Every value in effect, as a file that reads back equal; g_free() it */
char *scenario_write(const struct scenario *s);

/**
 * scenario_expectations() - Let @check read each line of [expect]
 * @check: returns NULL, or a sentence for the user (g_free()d here) if it cannot be
 *
 * For expect_parse(), which knows the metrics. Return: false with messages in @f
 */
typedef char *scenario_expect_fn(void *arg, const char *metric, const char *text);
bool scenario_expectations(const struct scenario *s, scenario_expect_fn *check, void *arg,
			   struct fail *f);

#endif /* PROG_SCENARIO_H */
