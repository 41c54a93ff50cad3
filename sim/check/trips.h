/*
 * trips.h - how long questions to slots took, beside what their round trips alone take
 *
 * The least an answer can take with one primary and a majority: from the asker
 * to the primary of the slot's latest view and back and, unless the primary
 * answers alone (LOOK), from it to the last member of the nearest majority and
 * back; without jitter, loss and disks, as if everybody had a link to everybody
 * and knew whom to ask. What is above it are hops over the ring, searches for
 * the primary, saves, view changes, and what was lost and said again.
 *
 *	Counted		each slot asked, from the question to an answer that says how it is; not those
 *			that asked to wait, were given up, or whose members are gone
 *	Memory		40 bytes a question under way
 */
#ifndef SIM_CHECK_TRIPS_H
#define SIM_CHECK_TRIPS_H

#include "sim/check/views.h"
#include "sim/world/world.h"

enum trip { TRIP_CREATE, TRIP_RENEW, TRIP_GET, TRIP_LOOK, TRIPS };

struct trips {
	struct world *world;
	GHashTable *open;		/* struct trip_open; looked into, never walked */
	GArray *took[TRIPS];		/* int64_t: took, least; the reader empties it */
	int metric[TRIPS][2];
};

void trips_init(struct trips *t, struct world *w);
void trips_done(struct trips *t);
void trips_catalog(struct trips *t);

/** trips_deed() - Tell in order of time; @v as of then */
void trips_deed(struct trips *t, const struct views *v, int64_t at_ns, uint32_t host, const struct deed *d);
void trips_metrics(struct trips *t, struct metrics *m);

#endif /* SIM_CHECK_TRIPS_H */
