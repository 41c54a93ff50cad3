/*
 * net.h - the underlay: what becomes of a packet between two interfaces
 *
 * A pure function of (its state, packet, now, chance): no clock, no event
 * queue, no node ids. Packets move between *interfaces* that own addresses.
 * The simulator drives it by virtual time, the fabric of emu by the wall clock.
 * A packet passes in two phases, so that everything that changes belongs to
 * one end:
 *
 *	net_depart()	at the sender: its uplink and queue, then the path: latency,
 *			jitter, loss, duplication, reordering, corruption, path MTU,
 *			faults. Says when it arrives, at which interface, or why not.
 *	net_arrive()	at the receiver, called at that time: its downlink and queue.
 *			Says when it is delivered, or why not.
 *
 * Seats. Interface i sits on row i modulo rows of a table of measurements (or
 * where it was told to); with built-in coordinates each has a place of its own.
 * Two interfaces on one row of a matrix without diagonal get one of the shortest
 * quarter of that row's entries, the same one always.
 *
 * Order. Latency and jitter never let a packet overtake another of the same
 * pair; only `reorder` (and a slower fault that ends) does. Nothing arrives
 * earlier than floor_ns after it departed. What an interface sends to itself
 * takes just floor_ns and meets nothing else.
 *
 *	Memory		64 bytes an interface; the table is borrowed until net_free()
 *	Chance		counters only: (seed, interface, purpose, packets it sent), or the
 *			pair and the time for jitter. One more interface, impairment or
 *			packet changes nothing for the others.
 *	Threads		depart, arrive and net_iface_up() write what belongs to the
 *			interface they are called for, and the counts of their lane;
 *			all else only while no lane runs (a barrier)
 */
#ifndef SIM_NET_NET_H
#define SIM_NET_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/net/packet.h"
#include "sim/net/table.h"

struct net;

#define NET_NOBODY	UINT32_MAX		/* no interface */
#define NET_INTACT	UINT32_MAX		/* no bit flipped */
#define NET_PPB		1000000000u		/* shares are in billionths; this is all */

#define NET_DROP_LIST(X)								\
	X(NONE,		"passed on")							\
	X(DOWN,		"the sender's interface is down")				\
	X(SOURCE,	"the source address is not the sender's")			\
	X(NO_ROUTE,	"nobody has the destination address")				\
	X(GONE,		"the receiver's interface is down, or has lost the address")	\
	X(UP_FULL,	"the sender's uplink queue is full")				\
	X(DOWN_FULL,	"the receiver's downlink queue is full")			\
	X(TOO_BIG,	"larger than the path's MTU and not to be fragmented")		\
	X(LOSS,		"lost at random")						\
	X(BURST,	"lost in a burst")						\
	X(UNREACHABLE,	"a pair that cannot talk directly")				\
	X(PARTITION,	"a partition lies between")					\
	X(CUT,		"the region is cut off")					\
	X(HARM,		"lost by an interface's fault")

enum net_drop {
#define X(name, text) NET_DROP_##name,
	NET_DROP_LIST(X)
#undef X
	NET_DROPS
};

/* What was done to packets that went on. */
#define NET_MARK_LIST(X)								\
	X(SENT,		"packets given to the network")					\
	X(ARRIVED,	"copies delivered")						\
	X(SENT_BYTES,	"bytes given to the network, IP headers included")		\
	X(ARRIVED_BYTES, "bytes delivered, IP headers included")			\
	X(JITTERED,	"delayed by jitter")				\
	X(DUPLICATED,	"sent twice")							\
	X(REORDERED,	"held back past later ones")					\
	X(CORRUPTED,	"a bit flipped")						\
	X(FRAGMENTED,	"carried in fragments")						\
	X(QUEUED,	"waited at an access link")

enum net_mark {
#define X(name, text) NET_MARK_##name,
	NET_MARK_LIST(X)
#undef X
	NET_MARKS
};

const char *net_drop_name(enum net_drop d);	/* "no_route": for columns */

enum net_path {
	NET_PATH_CONSTANT,		/* latency_ns between any two */
	NET_PATH_TABLE,			/* as measured: a matrix, or points */
	NET_PATH_SYNTHETIC,		/* built-in coordinates and access delays: synth.h */
};

/** struct net_config - zeroes are: constant 0, hence the floor, and no impairment */
struct net_config {
	uint64_t seed;
	unsigned lanes;			/* that call depart and arrive; 0 is 1 */
	bool     v4, v6;		/* which planned addresses interfaces have; none is v4 */

	enum net_path path;
	const struct net_table *table;	/* TABLE: borrowed */
	int64_t  latency_ns;		/* CONSTANT: one way */
	int64_t  floor_ns;		/* the least latency between two interfaces; 0 is none */
	bool     no_access_delay;	/* SYNTHETIC: leave its access delays out */
	uint32_t jitter_ppb;		/* a packet takes up to this share more, see latency.c */
	uint32_t asymmetry_ppb;		/* forth 1 + f, back 1 - f; f uniform in +- this, per pair */
	uint32_t non_transitive_ppb;	/* of pairs cannot talk directly, in neither direction */

	uint32_t loss_ppb;		/* of packets (fragments) */
	uint32_t loss_burst;		/* mean losses in a row; 0 and 1: independent */
	uint32_t duplicate_ppb;
	uint32_t reorder_ppb;
	int64_t  reorder_by_ns;		/* held back by this */
	uint32_t corrupt_ppb;		/* one bit of the payload flipped */

	uint32_t mtu;			/* of every path; 0 is 1500 */
	uint64_t up_bps, down_bps;	/* of every access link, bits/s; 0 is unlimited */
	uint32_t queue_bytes;		/* before each; 0 is 100 ms worth, at least 3,000 */
	unsigned regions;		/* to divide the world in; 0 is 1, at most NET_REGIONS_MAX */
};

/**
 * net_new() - A network without interfaces
 *
 * Return: NULL with @why filled if @c cannot be (its message names the field as the
 * scenario's [net] group does)
 */
struct net *net_new(const struct net_config *c, struct net_error *why);
void net_free(struct net *net);

/* -- interfaces; a barrier, but for net_iface_up() ------------------------------------------ */

/** struct net_iface_config - zeroes take what the net's configuration says */
struct net_iface_config {
	bool     seated;		/* seat says where, not the interface's number */
	uint32_t seat;			/* row or place; taken modulo rows */
	int64_t  access_ns;		/* its access link's own delay, each way, besides the path's */
	uint64_t up_bps, down_bps;
	uint32_t queue_bytes;
	uint32_t mtu;			/* of the interface itself; 0 is that of the paths */
};

/** net_iface_add() - A new interface, up, with its planned addresses; numbers go from 0 up */
uint32_t net_iface_add(struct net *net, const struct net_iface_config *c);
uint32_t net_ifaces(const struct net *net);

/** net_iface_up() - Also from the interface's own lane: while down it neither sends nor receives */
void net_iface_up(struct net *net, uint32_t iface, bool up);

void net_iface_mtu(struct net *net, uint32_t iface, uint32_t mtu);
void net_iface_link(struct net *net, uint32_t iface, uint64_t up_bps, uint64_t down_bps,
		    uint32_t queue_bytes);

/** net_region() - Where @iface is: below net_regions() */
unsigned net_region(const struct net *net, uint32_t iface);
unsigned net_regions(const struct net *net);

/*
 * Addresses. The plan: interface i has 10.0.0.0 + 256 (i / 254) + 1 + i % 254, so up to
 * 16.6 million, and fd77:6566:7400::(i + 1). They are found by arithmetic, others in a hash.
 */
enum { NET_PLAN = 254 * 65536 };		/* interfaces the plan has room for */

/** net_address() - The address @iface sends from: the planned one or the last added. Port 0;
 *  kind ENDPOINT_NONE if it has none of that family */
struct endpoint net_address(const struct net *net, uint32_t iface, enum endpoint_kind family);

/** net_address_owner() - Who has the address of @e (port ignored), or NET_NOBODY */
uint32_t net_address_owner(const struct net *net, const struct endpoint *e);

/** net_address_add() - One address more for @iface; false if somebody has it */
bool net_address_add(struct net *net, uint32_t iface, const struct endpoint *e);

/** net_address_del() - Return: false if it did not have it */
bool net_address_del(struct net *net, uint32_t iface, const struct endpoint *e);

/** net_roam() - Replace all of @iface's addresses of @family by a fresh one, which is returned */
struct endpoint net_roam(struct net *net, uint32_t iface, enum endpoint_kind family);

/* -- packets --------------------------------------------------------------------------------- */

enum { NET_COPIES = 2, NET_REGIONS_MAX = 256 };

struct net_copy {
	int64_t  arrive_ns;		/* at least now + floor; copies in order of time */
	uint32_t flip;			/* this bit of the payload arrives flipped, or NET_INTACT */
};

/** struct net_verdict - what became of a packet */
struct net_verdict {
	enum net_drop drop;		/* NONE: the copies arrive */
	uint32_t to;			/* the receiver (known for path drops, too), or NET_NOBODY */
	unsigned copies;
	struct net_copy copy[NET_COPIES];
	int64_t  too_big_ns;		/* TOO_BIG: when the sender hears of it (ICMP) */
	uint32_t mtu;			/* TOO_BIG: what would fit, IP header included */
};

/**
 * net_depart() - @iface sends @p at @now_ns
 * @lane: the caller's, for counts
 *
 * Times of one interface never go back.
 */
void net_depart(struct net *net, unsigned lane, uint32_t iface, const struct packet *p,
		int64_t now_ns, struct net_verdict *v);

/**
 * net_arrive() - A copy of @p arrives before @iface at @now_ns
 * @deliver_ns: when it is through the downlink; now if that has no limit
 *
 * Return: NET_DROP_NONE, or why it is not delivered (then @deliver_ns is untouched)
 */
enum net_drop net_arrive(struct net *net, unsigned lane, uint32_t iface, const struct packet *p,
			 int64_t now_ns, int64_t *deliver_ns);

/** net_flip() - Carry out a copy's flip on @payload; does nothing for NET_INTACT or len 0 */
void net_flip(uint8_t *payload, uint32_t len, uint32_t flip);

/** net_latency() - From @from to @to one way without jitter and faults, at least the floor */
int64_t net_latency(const struct net *net, uint32_t from, uint32_t to);

/** net_can_talk() - False for the non-transitive pairs and pairs cut by net_pair(); symmetric
 *  for the former. Faults are not asked: fault.h */
bool net_can_talk(const struct net *net, uint32_t from, uint32_t to);

/* -- one pair apart from the rest; a barrier -------------------------------------------------- */

/** struct net_pair - one direction; zeroes leave what the model says */
struct net_pair {
	int64_t  latency_ns;
	uint32_t loss_ppb;		/* besides the net's own; counted as LOSS */
	uint32_t mtu;
	bool     cut;			/* UNREACHABLE */
};

/** net_pair() - Packets from @from to @to are treated as @pair says; NULL: as all others */
void net_pair(struct net *net, uint32_t from, uint32_t to, const struct net_pair *pair);

/* -- accounts; between windows ----------------------------------------------------------------- */

uint64_t net_dropped(const struct net *net, enum net_drop d);
uint64_t net_marked(const struct net *net, enum net_mark m);

/** net_bytes() - Memory held, the table not counted */
uint64_t net_bytes(const struct net *net);

#endif /* SIM_NET_NET_H */
