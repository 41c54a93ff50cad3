/*
 * since.h - how long has this been so?
 *
 * Most promises allow a moment: a death is noticed after some seconds, not at
 * once. At each look an oracle names what is not as it should be; this module
 * says since when it has been named at every look. What is left out once is
 * forgotten. The key must say what is wrong, so that two short troubles at one
 * node are not taken for a long one. What ended and began again between two looks
 * is not seen here: an oracle whose looks are rare must know from elsewhere when
 * its trouble can have begun at the earliest, as leftovers.c does.
 *
 *	Memory		40 bytes a complaint; GLib's
 *	Order		complaints are sorted, so nothing depends on addresses
 */
#ifndef SIM_CHECK_SINCE_H
#define SIM_CHECK_SINCE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/id.h"

struct since_entry {
	uint32_t row, what;		/* the key: a row, something the oracle chose, ... */
	struct id id;			/* ... and an identity or key */
	int64_t since_ns;
	bool told;			/* reported already: once is enough */
};

/** struct since - all zeroes is empty */
struct since {
	struct since_entry *before, *now;
	uint32_t befores, nows, before_cap, now_cap;
	int64_t now_ns;
};

void since_done(struct since *s);

/** since_begin() - A new look at @now_ns */
void since_begin(struct since *s, int64_t now_ns);

/**
 * since_see() - It is so that (@row, @what, @id)
 *
 * Return: for how long at least, in ns: 0 when it is named for the first time
 */
int64_t since_see(struct since *s, uint32_t row, uint32_t what, struct id id);

/** since_tell() - May the one named last be reported now? True once in its life */
bool since_tell(struct since *s);

/** since_end() - The look is over; what was not named is forgotten */
void since_end(struct since *s);

#endif /* SIM_CHECK_SINCE_H */
