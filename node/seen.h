/*
 * seen.h - where peers say that they see us
 *
 * Each peer tells the endpoint our packets come from, at a handshake and when it
 * changes. What is remembered here is for the operator alone: whether a NAT
 * stands between, and whether it maps us to the same endpoint for everybody.
 *
 *	Memory		SEEN_MAX entries, the oldest gives way
 */
#ifndef NODE_SEEN_H
#define NODE_SEEN_H

#include "core/base/door.h"

enum { SEEN_MAX = 24 };

struct seen {
	struct id peer;
	struct endpoint at;
	int64_t ns;			/* when it said so last */
};

struct seen_table {
	struct seen seen[SEEN_MAX];
	unsigned count;
};

/** seen_put() - @r->peer says so now; what it said before is forgotten */
void seen_put(struct seen_table *t, const struct reflex *r, int64_t now_ns);

#endif /* NODE_SEEN_H */
