/*
 * inside.h - what the files of net share; nobody else includes it
 *
 * Two arrays by interface number, apart because they have different owners:
 * *places* are read by every lane and written only while no lane runs; a *port*
 * belongs to the lane of its interface.
 */
#ifndef SIM_NET_INSIDE_H
#define SIM_NET_INSIDE_H

#include <glib.h>

#include "sim/engine/chance.h"
#include "sim/net/fault.h"
#include "sim/net/net.h"
#include "sim/net/regions.h"

/* What draws are for: each purpose is a stream of its own (chance.h). */
enum net_stream {
	STREAM_NET = 0x6e657400,
	/* counter: packets sent << 8 | fragment or copy */
	STREAM_LOSS, STREAM_BURST, STREAM_DUPLICATE, STREAM_LATE, STREAM_REORDER,
	STREAM_CORRUPT, STREAM_BIT, STREAM_PAIR_LOSS,
	/* object and counter: the lower and the higher interface of a pair */
	STREAM_REACH, STREAM_ASYMMETRY, STREAM_ROW, STREAM_LINE,
	/* counter: receiver << 32 | time */
	STREAM_JITTER, STREAM_WANDER,
	/* object: a place */
	STREAM_CLUSTER, STREAM_X, STREAM_Y, STREAM_ACCESS,
	/* two for each fault, by number; counter as for STREAM_LOSS, or 0 */
	STREAM_FAULT = 0x6e660000,
};

enum place_flag {
	PLACE_PLAN4	= 1,		/* has its planned IPv4 address */
	PLACE_PLAN6	= 2,
	PLACE_OTHER4	= 4,		/* has others, in net.others */
	PLACE_OTHER6	= 8,
	PLACE_PAIRED	= 16,		/* net.pairs has an entry from here */
};

struct place {
	int32_t  x_ns, y_ns;		/* coordinates */
	uint32_t access_ns;		/* each way */
	uint32_t row;			/* of the table */
	uint32_t link;			/* index into net.links */
	uint32_t mtu;			/* of the interface */
	uint8_t  region;
	uint8_t  flags;			/* enum place_flag */
} __attribute__((aligned(32)));
_Static_assert(sizeof(struct place) == 32, "two to a cache line, none across");

struct port {
	uint64_t sent;			/* packets so far: the counter of draws */
	int64_t  up_free_ns;		/* when the uplink has sent all it queued */
	int64_t  down_free_ns;
	bool     down;
	bool     chained;		/* the loss chain has begun, ... */
	bool     bursting;		/* ... and is in its bad state */
} __attribute__((aligned(32)));
_Static_assert(sizeof(struct port) == 32, "with struct place 64 bytes an interface");

/** struct link - an access link; interfaces with equal ones share it */
struct link {
	uint64_t up_bps, down_bps;	/* 0: unlimited */
	int64_t  up_queue_ns;		/* the queue's bound, as time to send it */
	int64_t  down_queue_ns;
	uint32_t queue_bytes;
};

/** struct tally - what one lane counted */
struct tally {
	uint64_t  dropped[NET_DROPS];
	uint64_t  marked[NET_MARKS];
	uint64_t *touched;		/* by fault */
	char      apart[64];		/* from the next lane's cache line */
};

enum fault_shape { FAULT_PARTITION_OF, FAULT_CUT_OFF, FAULT_HARM_TO };

struct fault_state {
	enum fault_shape shape;
	uint32_t number;
	uint8_t *of;			/* by interface: its group, or whether it is harmed; while active */
	uint32_t count;			/* of of */
	bool     listed;		/* harm: a list was given, so interfaces past it are well */
	union {
		struct net_partition partition;
		struct net_cut cut;
		struct net_harm harm;
	};
};

struct net {
	struct net_config c;
	struct place *place;
	struct port  *port;
	uint32_t ifaces, room;

	GArray *links;			/* struct link */
	GHashTable *link_of;		/* struct link -> its index; looked up only */

	GHashTable *others;		/* unplanned address (struct endpoint) -> interface + 1 */
	GHashTable *listed;		/* interface << 1 | is v6 -> GArray of struct endpoint */
	uint32_t roamed;		/* addresses taken from the plan's end */

	GHashTable *pairs;		/* from << 32 | to -> struct net_pair */

	GArray *faults;			/* struct fault_state, by number */
	GArray *active;			/* uint32_t numbers, ascending */
	struct tally *tally;		/* by lane */

	struct regions *regions;	/* of coordinates */
	uint8_t *row_region;		/* of a matrix's rows */
	uint64_t start_bad_ppb, good_bad_ppb, bad_good_ppb;	/* the loss chain */
};

#define NET_BYTE_NS	UINT64_C(8000000000)	/* to send a byte at 1 bit/s */

/* -- draws ------------------------------------------------------------------------------------ */

__extension__ typedef unsigned __int128 net_u128;

/** net_below() - A 64-bit draw brought into [0, n): the bias is n / 2^64 */
static inline uint64_t net_below(uint64_t draw, uint64_t n)
{
	return (uint64_t)((net_u128)draw * n >> 64);
}

static inline bool net_hit(const struct net *net, uint32_t iface, uint32_t stream,
			   uint64_t counter, uint64_t ppb)
{
	return ppb && net_below(chance_draw(net->c.seed, iface, stream, counter), NET_PPB) < ppb;
}

/** net_pair_draw() - The same for (a, b) and (b, a) */
static inline uint64_t net_pair_draw(const struct net *net, uint32_t stream, uint32_t a, uint32_t b)
{
	return chance_draw(net->c.seed, a < b ? a : b, stream, a < b ? b : a);
}

/* -- address.c -------------------------------------------------------------------------------- */

void net_addresses_init(struct net *net);
void net_addresses_done(struct net *net);
bool net_address_owned(const struct net *net, uint32_t iface, const struct endpoint *e);

/* -- latency.c -------------------------------------------------------------------------------- */

/** net_latency_at() - One way for a packet that enters the path at @now_ns, jitter included; @slow_milli
 *  as in struct net_harm. *jittered: whether jitter changed it */
int64_t net_latency_at(const struct net *net, uint32_t from, uint32_t to, int64_t now_ns,
		   uint64_t slow_milli, bool *jittered);

/* -- fault.c ---------------------------------------------------------------------------------- */

struct judgement {
	enum net_drop drop;
	uint64_t slow_milli;		/* 1000: not at all */
	int64_t  delay_ns;
};

/** net_faults_judge() - What the active faults do to the packet numbered @count of @from */
void net_faults_judge(struct net *net, struct tally *t, uint32_t from, uint32_t to, uint64_t count,
		  struct judgement *j);
void net_faults_init(struct net *net);
void net_faults_done(struct net *net);

#endif /* SIM_NET_INSIDE_H */
