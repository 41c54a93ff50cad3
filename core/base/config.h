/*
 * config.h - the constants a node is born with, shared by all nodes of a host
 *
 * Plain numbers with defaults in config_default(); programs fill it from the
 * scenario or configuration schema. Nothing here changes while nodes live, except
 * that a host may replace the bootstrap list between two steps.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/endpoint.h"

enum draw { DRAW_HARMONIC, DRAW_UNIFORM };

struct config {
	uint8_t overlay[32];		/* the overlay's public key: its name and trust anchor */

	/* ring */
	uint8_t near;			/* linked neighbours on each side */
	uint8_t longs;			/* long links drawn, 0 = ceil(log2(n) / 2) */
	uint8_t draw;			/* enum draw */
	bool one_way;			/* route clockwise only */
	bool lookahead;
	bool cap;			/* at most twice as many incoming long links as drawn */
	uint32_t nodes;			/* ring size to assume, 0 = estimate it */

	/* liveness: how long a link of each rank may be silent before it is probed */
	int64_t probe_next_ns;		/* immediate neighbours */
	int64_t probe_second_ns;	/* second neighbours */
	int64_t probe_far_ns;		/* all others */
	int64_t suspect_ns;		/* a suspicion is settled in this time ... */
	uint8_t suspect_probes;		/* ... by so many probes and one through a third node */

	int64_t handshake_ns;		/* first retry of an unanswered initiation, then doubling */
	uint8_t handshake_tries;
	int64_t rekey_ns;		/* a session without guest data; with it rekey_data_ns */
	int64_t rekey_data_ns;
	uint16_t mtu;			/* UDP payload to try for */

	const struct endpoint *bootstrap;	/* configured endpoints of the overlay */
	uint16_t bootstraps;
	int64_t lookup_retry_ns;	/* an unanswered lookup is asked again after this */
};

/** config_default() - what DESIGN section 5 says */
void config_default(struct config *c);

#endif /* BASE_CONFIG_H */
