/*
 * lab.h - a ring at rest: real cores joined through the door, and nothing else
 *
 * For figures about routing. Nodes come one after another, stay, and lose
 * nothing: every datagram takes one millisecond. When the ring has settled,
 * lookups are asked from random nodes for the ids of random others, as in the
 * experiments of the field, and the hops in the answers are counted. No disk,
 * no clock that is wrong, no oracle: sim/world has those.
 *
 *	Memory		about 20 KB a node, most of it its core's
 *	Chance		counters: (seed, node, purpose, how often)
 *	Threads		one at a time for one lab; labs share nothing
 */
#ifndef SIM_LAB_H
#define SIM_LAB_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/config.h"

struct lab;

struct lab_setup {
	struct config config;		/* the ring's part counts; key and contacts are filled in */
	uint64_t seed;
	uint32_t nodes;
	int64_t join_over_ns;		/* they start evenly over this time */
};

struct lab *lab_new(const struct lab_setup *s);
void lab_free(struct lab *lab);

/**
 * lab_settle() - Let time pass until the ring rests
 *
 * All have joined, 99.5 % hold the long links they want, nearly all links over
 * which they came in are closed again, and link tables have gone round.
 * Return: false if that is not so at virtual time @limit_ns
 */
bool lab_settle(struct lab *lab, int64_t limit_ns);

/** lab_run() - Let @span_ns pass */
void lab_run(struct lab *lab, int64_t span_ns);

/**
 * lab_route() - From now on all nodes route like this
 *
 * Core reads both switches at each hop, so one ring answers for several rules.
 * What is built and told while they are set stays: build with lookahead.
 */
void lab_route(struct lab *lab, bool one_way, bool lookahead);

/** struct lab_tally - what became of lookups; hops of those answered right at the first try */
struct lab_tally {
	uint64_t asked, first, retried, wrong, lost;
	double hops, squares;		/* sum of hops and of their squares, over first */
};

/** lab_ask() - @count lookups from random nodes for the ids of random others, over @span_ns */
void lab_ask(struct lab *lab, unsigned count, int64_t span_ns, struct lab_tally *t);

/** struct lab_shape - the ring as it stands, means over the nodes */
struct lab_shape {
	double links, longs_out, longs_in, size;
	unsigned apart;			/* nodes that have not joined */
	unsigned most_in;		/* long links drawn by others, at one node */
	double bytes;			/* of one core */
	int64_t now_ns;
	uint64_t steps;			/* of all cores since the beginning */
};

void lab_shape(const struct lab *lab, struct lab_shape *s);

#endif /* SIM_LAB_H */
