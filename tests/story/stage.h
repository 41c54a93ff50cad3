/*
 * stage.h - a few nodes, one clock, and a wire whose every packet can be named
 *
 * For tests of whole cores without the simulator: nodes behind their doors, a
 * constant delay between any two, and hooks to lose what a story wants lost.
 * What the nodes record becomes the timeline that stories compare.
 *
 *	Time		virtual, from 0; delays in milliseconds
 *	Chance		from the stage's seed only
 */
#ifndef STORY_STAGE_H
#define STORY_STAGE_H

#include "core/dht/network.h"
#include "core/look.h"

enum { STAGE_NODES = 64, STAGE_NETWORKS = 2 };

struct stage;

/** what a story may do to a packet on its way: return false to lose it */
typedef bool stage_wire(struct stage *s, unsigned from, unsigned to, const struct datagram *d, void *arg);

/** where a packet of node @i for @to seems to come from */
typedef struct endpoint stage_leave(struct stage *s, unsigned i, const struct endpoint *to, void *arg);

/** who gets a packet of node @i that arrives at @to and seems to come from @from; STAGE_NODES: nobody */
typedef unsigned stage_enter(struct stage *s, unsigned i, const struct endpoint *to, const struct endpoint *from, void *arg);

/** what a story sees of a frame for the tap of node @i */
typedef void stage_tap(struct stage *s, unsigned i, const struct frame *f, void *arg);

/** struct stage_item - one thing a node saved */
struct stage_item {
	uint8_t kind;
	uint64_t part;
	uint8_t *data;
	uint32_t len;
};

struct actor {
	struct node *node;		/* NULL while it is down */
	struct identity identity;
	uint8_t seed[32], chain[CERT_CHAIN_MAX];
	struct endpoint at;
	unsigned starts;
	int64_t alarm_ns;
	struct stage_item *item;	/* its disk, by kind and part */
	unsigned items;
	struct network network[STAGE_NETWORKS];
	struct identity member[STAGE_NETWORKS];	/* who it is there: the same key and id, another chain */
	uint8_t member_chain[STAGE_NETWORKS][CERT_CHAIN_MAX];
	uint64_t sent, sent_bytes;	/* with 28 bytes of headers each */
	const struct newcomer_birth *newcomer;	/* not NULL: it starts as one, identity is its invitation's */
};

struct stage {
	struct config config;
	const struct suite *suite;
	int64_t now_ns, delay_ns;
	unsigned actors;
	struct actor actor[STAGE_NODES];
	stage_wire *wire;
	void *wire_arg;
	stage_leave *leave;		/* NULL, both: nothing stands between nodes */
	stage_enter *enter;
	void *between;			/* their arg */
	bool (*keep)(const struct record *r);	/* which records make the timeline; NULL = all */
	char *line;			/* the timeline */
	size_t line_len, line_max;
	struct reply last_reply;
	unsigned replies;
	struct effects fx;
	struct packet_on_wire *queue;
	unsigned queued, queue_max;
	uint64_t next_order;
	int64_t save_ns;		/* a save is durable after this */
	struct network_record record[STAGE_NETWORKS];
	uint8_t blob[STAGE_NETWORKS][NETWORK_RECORD_MAX];
	unsigned networks;
	stage_tap *tap;			/* NULL: frames are dropped */
	void *tap_arg;
	uint8_t overlay_seed[32], overlay[64];
	bool one_key;			/* the overlay is the first network, too */
	uint32_t quota;
	size_t memory;			/* bytes the nodes hold of the stage */
};

/** stage_new() - @n nodes that are down; node 0's endpoint is everybody's bootstrap */
struct stage *stage_new(unsigned n, const struct suite *suite);
void stage_free(struct stage *s);

/**
 * stage_network() - All nodes that start from now on are members of one more network
 * @n: range and what differs from network_defaults(); key, name and, if there are none, founders (node 0) are filled in
 *
 * Taps are number 1 and 2.
 */
void stage_network(struct stage *s, const struct network_record *n);

/** stage_ask() - A control request to node @i, run until its (last) answer; the reply, or NULL after @for_ns */
const struct reply *stage_ask(struct stage *s, unsigned i, const struct request *q, struct bytes data, int64_t for_ns);

/** stage_frame() - A frame comes from the guest of node @i in network @n */
void stage_frame(struct stage *s, unsigned i, unsigned n, const void *frame, uint16_t len);

void stage_wipe(struct stage *s, unsigned i);			/* its disk is new */
void stage_up(struct stage *s, unsigned i, bool with_state);	/* start node @i now */
void stage_crash(struct stage *s, unsigned i);			/* gone without a word */
void stage_stop(struct stage *s, unsigned i);			/* EVENT_STOP; freed when it has left */
void stage_event(struct stage *s, unsigned i, const struct event *ev);
/** stage_inside() - @what happens inside node @i now, as if its own code did it; its effects are carried out */
void stage_inside(struct stage *s, unsigned i, void (*what)(struct node *n, void *arg), void *arg);
void stage_run(struct stage *s, int64_t for_ns);		/* let so much time pass */

/** stage_lookup() - Ask node @i for @key and run until the answer; the reply, or NULL after @for_ns */
const struct reply *stage_lookup(struct stage *s, unsigned i, struct id key, int64_t for_ns);

/** stage_ring_right() - Do all nodes that are up stand in one ring, each with the right neighbours? */
bool stage_ring_right(const struct stage *s);

/** stage_owner() - The node that owns @key by the ids of those up and joined */
unsigned stage_owner(const struct stage *s, struct id key);

/** stage_name() - The number of the node with @id, or STAGE_NODES */
unsigned stage_name(const struct stage *s, struct id id);

#endif /* STORY_STAGE_H */
