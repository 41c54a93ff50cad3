/*
 * catalog.h - what a run measures: names, kinds, units
 *
 * METRIC_LIST holds what every simulation measures; add a line there and the
 * enum, the column of series.csv, the entry of summary.json and the name for
 * [expect] all exist. What depends on the scenario (one counter per drop reason,
 * per message kind, per fault) is added to the catalog before the run begins;
 * the order of adding is the order of columns, so it must not depend on chance.
 *
 *	Names		lower case, dots between parts; the unit ends the name
 *			(_ms, _s, _bytes, _ks); what has no suffix is a number or a share
 *	Values		integers in the unit's stored form (nanoseconds for all times)
 *	Memory		GLib's; one catalog per run, unchanged once a struct metrics was made
 */
#ifndef CATALOG_H
#define CATALOG_H

#include <stdbool.h>
#include <stdint.h>

enum metric_kind {
	/* How many since the run began; adds up. The interval's own in series.csv. */
	METRIC_COUNTER,
	/* Its own counter over another metric's (`of`); empty when that is 0. */
	METRIC_RATIO,
	/* A level, set at barriers; the sum over shards. Mean, min, max, last. */
	METRIC_GAUGE,
	/* How values spread. count, mean, p50, p95, p99, max; samples/NAME.csv. */
	METRIC_HISTOGRAM,
	/* One value found once (the greatest that was set), or unknown. Not in series.csv. */
	METRIC_FACT,
	/* Like a fact, but about this machine (speed, memory): manifest, not summary. */
	METRIC_COST,
};

/* Units: what is stored, how it is printed: printed = stored * mul / div. */
#define METRIC_UNIT_LIST(X)									\
	/* name,	mul,		div,		text */					\
	X(NUMBER,	1,		1,		"")		/* 17 */		\
	X(SHARE,	1,		1,		"")		/* part of a whole */	\
	X(MS,		1,		1000000,	"ms")		/* stored in ns */	\
	X(S,		1,		1000000000,	"s")		/* stored in ns */	\
	X(BYTES,	1,		1,		"bytes")				\
	X(MILLI,	1,		1000,		"")		/* stored in 1/1000 */	\
	X(PER_S,	1000000000,	1,		"/s")		/* ratio over ns */	\
	X(BYTES_PER_S,	1,		1000,		"bytes/s")	/* stored in 1/1000 */	\
	X(PPB,		1,		1000000000,	"")		/* stored in 1e-9 */

enum metric_unit {
#define X(name, mul, div, text) UNIT_##name,
	METRIC_UNIT_LIST(X)
#undef X
	UNITS
};

/*
 * What the world notes and when. "judged" is every lookup whose asker lived to
 * see it decided; the shares are of those (definitions: DESIGN section 11).
 */
#define METRIC_LIST(X)										\
	/* id, kind, unit, of, name, text */							\
	X(LOOKUP_ASKED,	COUNTER, NUMBER, NONE, "lookup.asked",					\
	  "lookups asked")									\
	X(LOOKUP_JUDGED, COUNTER, NUMBER, NONE, "lookup.judged",				\
	  "lookups decided while their asker lived")						\
	X(LOOKUP_RIGHT,	RATIO, SHARE, LOOKUP_JUDGED, "lookup.right",				\
	  "answered by a node that owned the key")						\
	X(LOOKUP_WRONG,	RATIO, SHARE, LOOKUP_JUDGED, "lookup.wrong",				\
	  "answered by another node")								\
	X(LOOKUP_LOST,	RATIO, SHARE, LOOKUP_JUDGED, "lookup.lost",				\
	  "not answered in time")								\
	X(LOOKUP_FIRST_TRY, RATIO, SHARE, LOOKUP_JUDGED, "lookup.first_try",			\
	  "right without a retry")								\
	X(LOOKUP_ASKER_DIED, COUNTER, NUMBER, NONE, "lookup.asker_died",			\
	  "lookups whose asker died first, judged by nobody")					\
	X(LOOKUP_HOPS,	HISTOGRAM, NUMBER, NONE, "lookup.hops",					\
	  "links a lookup took on its way to the answering node")				\
	X(LOOKUP_LATENCY, HISTOGRAM, MS, NONE, "lookup.latency_ms",				\
	  "from asking to the answer, right lookups")						\
	X(JOIN_TIME,	HISTOGRAM, S, NONE, "join.time_s",					\
	  "from start to joined")								\
	X(JOIN_STARTED,	COUNTER, NUMBER, NONE, "join.started",					\
	  "nodes started")									\
	X(JOIN_FAILED,	COUNTER, NUMBER, NONE, "join.failed",					\
	  "nodes that lived for the join timeout without joining")				\
	X(RING_CHECKED,	COUNTER, NUMBER, NONE, "ring.checked",					\
	  "joined nodes looked at by the ring checks")						\
	X(RING_SUCCESSOR_RIGHT, RATIO, SHARE, RING_CHECKED, "ring.successor_right",		\
	  "joined nodes whose successor is the true one")					\
	X(RING_COMPONENTS, GAUGE, NUMBER, NONE, "ring.components",				\
	  "rings that share no node")								\
	X(RING_HEALED,	FACT, S, NONE, "ring.healed_s",						\
	  "from the end of the last fault until everything was right")				\
	X(NODES_ALIVE,	GAUGE, NUMBER, NONE, "nodes.alive",					\
	  "nodes that run")									\
	X(NODES_JOINED,	GAUGE, NUMBER, NONE, "nodes.joined",					\
	  "nodes that run and have joined")							\
	X(NODES_TIME,	COUNTER, S, NONE, "nodes.time_s",					\
	  "node seconds lived")									\
	X(MAINTENANCE,	HISTOGRAM, BYTES_PER_S, NONE, "maintenance.bytes_per_node_s",		\
	  "per node and interval, both directions, IP headers included, lookups not")		\
	X(DEATH_NOTICED, HISTOGRAM, S, NONE, "death.noticed_s",					\
	  "from a crash until a ring neighbour noticed")					\
	X(STEPS,	COUNTER, NUMBER, NONE, "steps",						\
	  "datagrams, frames and due timers handled by cores")					\
	X(STEPS_PER_NODE, RATIO, PER_S, NODES_TIME, "steps.per_node_s",				\
	  "steps per node and second (derived from the two)")								\
	X(EVENTS,	COUNTER, NUMBER, NONE, "events",					\
	  "events of the engine")								\
	X(PACKETS,	COUNTER, NUMBER, NONE, "net.packets",					\
	  "packets that entered the network")							\
	X(PACKET_BYTES,	COUNTER, BYTES, NONE, "net.bytes",					\
	  "their bytes, IP headers included")							\
	X(DELIVERED,	COUNTER, NUMBER, NONE, "net.delivered",					\
	  "packets that reached an interface")							\
	X(LINK_LENGTH_KS, FACT, PPB, NONE, "link.length_ks",					\
	  "Kolmogorov-Smirnov distance between long links and their law")			\
	X(BROADCAST_MISSED, COUNTER, NUMBER, NONE, "broadcast.missed",				\
	  "nodes in reach that a broadcast did not visit")					\
	X(BROADCAST_DUE, COUNTER, NUMBER, NONE, "broadcast.due",				\
	  "visits broadcasts should have made")							\
	X(ORACLE_CHECKS, COUNTER, NUMBER, NONE, "oracle.checks",				\
	  "checks of the oracles")								\
	X(ORACLE_VIOLATIONS, COUNTER, NUMBER, NONE, "oracle.violations",			\
	  "checks that failed")									\
	X(SIM_WALL,	COST, S, NONE, "sim.wall_s",						\
	  "wall time of the run")								\
	X(SIM_RATE,	COST, MILLI, NONE, "sim.rate",						\
	  "simulated seconds per second")							\
	X(SIM_STEP_RATE, COST, NUMBER, NONE, "sim.steps_per_s",					\
	  "steps per second of wall time")							\
	X(SIM_MEMORY,	COST, BYTES, NONE, "sim.memory_bytes",					\
	  "greatest resident memory of the program")

enum metric {
	M_NONE = -1,
#define X(id, kind, unit, of, name, text) M_##id,
	METRIC_LIST(X)
#undef X
	METRICS					/* ids of added metrics start here */
};

/** struct metric_entry - one metric; @of is another's id for ratios, else M_NONE */
struct metric_entry {
	const char *name;
	const char *text;
	enum metric_kind kind;
	enum metric_unit unit;
	int of;
	int part;			/* ratios: whose counter is the part; its own, if nothing was said */
};

struct catalog;

/** catalog_new() - A catalog that holds METRIC_LIST, ids as in enum metric */
struct catalog *catalog_new(void);
void catalog_free(struct catalog *c);

/**
 * catalog_add() - One more metric; name and text are copied
 * @of: the id of the whole for METRIC_RATIO, else M_NONE
 *
 * The name must be new and well formed (our bug otherwise).
 * Return: its id
 */
int catalog_add(struct catalog *c, enum metric_kind kind, enum metric_unit unit, int of,
		const char *name, const char *text);

/**
 * catalog_add_each() - Counters "@before@name[i]@after", for drops and message kinds
 *
 * Characters a metric name cannot have become '_'.
 * Return: the id of the first; the others follow it
 */
int catalog_add_each(struct catalog *c, enum metric_unit unit, const char *before,
		     const char *const *names, unsigned count, const char *after,
		     const char *text);

/** catalog_derive() - The ratio @id has no counter of its own: @part's is its part */
void catalog_derive(struct catalog *c, int id, int part);

/** catalog_find() - The id of @name, or M_NONE; the unit suffix may be left off */
int catalog_find(const struct catalog *c, const char *name);

const struct metric_entry *catalog_at(const struct catalog *c, int id);
int catalog_count(const struct catalog *c);

const char *unit_text(enum metric_unit unit);

#endif /* CATALOG_H */
