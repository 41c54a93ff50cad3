/*
 * sights.h - what is seen of addresses, step after step
 *
 * Hooks run on the shard of their host and only note what they see; the oracles
 * read the notes in barriers, in the order of (time, host), which is the same
 * for any number of shards.
 *
 *	Memory		what a node holds, keeps and resolves, once more, in about 100
 *			bytes a lease, 24 a slot, 64 a remote address; notes until they are read
 */
#ifndef SIM_CHECK_SIGHTS_H
#define SIM_CHECK_SIGHTS_H

#include "core/dht/dht.h"
#include "core/look.h"
#include "sim/check/answers.h"
#include "sim/world/world.h"

/** struct holding - a lease of one node, as last seen */
struct holding {
	struct id network;
	struct ip ip;
	struct fence fence;
	int64_t until_node_ns, until_ns; /* by its clock, and true */
	int64_t asked_ns;		/* renewal asked first since the last success; INT64_MAX */
	bool believed, keeps, there;
};

enum sight_kind { SIGHT_BELIEVES, SIGHT_LETS_GO, SIGHT_LAPSED, SIGHT_SLOT, SIGHT_DEED, SIGHT_STARTED, SIGHT_ENDED,
		  SIGHT_ANSWER, SIGHT_SENT };

struct sight {
	int64_t at_ns;
	uint32_t host;
	uint8_t kind;			/* enum sight_kind */
	bool graceful;			/* ended so */
	struct id id;			/* of the node */
	union {
		struct holding holding;
		struct { struct look_slot look; uint32_t life; int64_t started_ns; } slot;
		struct deed deed;
		struct { struct answer_case answer; uint32_t network; } told;
		struct { struct ip ip; struct fence newest, now; } sent;
	};
};

struct sights;

/** sights_new() - For a scenario that has networks. @w: borrowed */
struct sights *sights_new(struct world *w);
void sights_free(struct sights *l);

/* hooks, as in struct watch */
void sights_started(struct sights *l, unsigned shard, int64_t now_ns, uint32_t host);
void sights_ended(struct sights *l, unsigned shard, int64_t now_ns, uint32_t host, bool graceful);
void sights_stepped(struct sights *l, unsigned shard, int64_t now_ns, uint32_t host);
void sights_deed(struct sights *l, unsigned shard, int64_t now_ns, uint32_t host, const struct deed *d);
void sights_frame(struct sights *l, unsigned shard, int64_t now_ns, uint32_t host, const struct frame *f);

/** sights_read() - In a barrier, after a look at all nodes: every note since the last time, in order; good until the next */
const GArray *sights_read(struct sights *l, int64_t now_ns);

#endif /* SIM_CHECK_SIGHTS_H */
