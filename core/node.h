/*
 * node.h - one overlay node, whole, with nothing of the world in it
 *
 * The only door into core: tell the node what happened and when, and do what
 * it asks. The simulator, the testbed and the tap daemon differ only in who
 * stands on the other side of this door.
 *
 *	Time		the caller's clock in nanoseconds, counting suspended
 *			time, never going back
 *	Chance		seeded by the start event; the same events replay exactly
 *	Memory		from the host's slabs, up to the quota given at birth
 *	Ownership	see core/base/door.h
 *
 * Reading a node's state never changes it: core/look.h.
 */
#ifndef CORE_NODE_H
#define CORE_NODE_H

#include "core/base/config.h"
#include "core/base/door.h"
#include "core/base/mem.h"
#include "core/link/newcomer.h"
#include "core/seal/identity.h"
#include "core/seal/suite.h"
#include "core/vnet/network.h"

struct node;

/** struct birth - what a node is born with; everything behind pointers outlives it, and may be shared */
struct birth {
	const struct config *config;
	const struct suite *suite;	/* the primitives */
	const struct mem_host *host;
	uint32_t quota;			/* bytes this node may take from the host */
	const struct identity *identity; /* key pair and certificate chain; stays the host's */
	const struct network *networks;	/* virtual networks this node is a member of, up to NETWORKS_MAX places; borrowed */
	unsigned network_count;		/* the first so many are taken from the start; others may come by ASK_JOIN */
	const struct newcomer_birth *newcomer;	/* not NULL: no member yet, identity is an invitation's, no networks */
	uint32_t index_base;		/* high bits of receiver indexes, for several nodes on one socket */
	uint64_t incarnation;		/* grows with every start the host remembers; 0 if it cannot */
};

/** node_new() - A node that does nothing yet; NULL if the quota does not hold one, or a network's record does not hold */
struct node *node_new(const struct birth *b, int64_t now_ns);

/** node_free() - Gone without a word, as in a crash; give EVENT_STOP first to leave gracefully */
void node_free(struct node *n);

/**
 * node_step() - @evs happened, in this order, at @now_ns
 * @fx: emptied, then filled with everything to do
 *
 * Due timers run too. A batch of n is the same as n batches of one. When
 * @fx.more comes back true, carry the effects out and call again with no
 * events before anything else.
 *
 * Return: when to call next at the latest, INT64_MAX for never
 */
int64_t node_step(struct node *n, int64_t now_ns, const struct event *evs, unsigned count, struct effects *fx);

#endif /* CORE_NODE_H */
