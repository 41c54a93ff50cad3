/*
 * join.h - `weft-node join`: from an invitation to the files of a member
 *
 * Makes a key, asks the members that the invitation names (core/link/newcomer.h),
 * and writes what they grant: network, card, configuration, in this order, each
 * whole or not at all. Whatever ends it in between, it goes on where it
 * was when it is called again: the key is kept from the start, and the same key
 * is granted the same again; what is granted is not asked for twice.
 *
 *	Time		wall clock to judge the invitation; CLOCK_BOOTTIME
 *	Memory		malloc; all of it is given back before the daemon starts
 */
#ifndef NODE_JOIN_H
#define NODE_JOIN_H

#include <stdint.h>

#include "node/draft.h"

/** struct join - how it was called */
struct join {
	const char *token;		/* the line; or a file it is in; "-": standard input */
	const char *conf;		/* the configuration to be written */
	struct draft draft;		/* what it will say; state is made absolute or left to its default */
	const char *state;		/* the private directory */
	int64_t wait_ns;		/* how long to ask */
};

/** join_run() - True: the files are there, and `weft-node -c CONF` is a member */
bool join_run(struct join *j, struct fail *f);

#endif /* NODE_JOIN_H */
