/*
 * rings.h - oracle: one ordered ring in each part of the underlay
 *
 * See rings.c for what is demanded at once and what may take its time.
 *
 *	Memory		a few words per row; GLib's
 */
#ifndef SIM_CHECK_RINGS_H
#define SIM_CHECK_RINGS_H

#include "sim/check/limits.h"
#include "sim/check/since.h"

/** struct rings_view - the ring as it is now, bounds aside; for series and "healed" */
struct rings_view {
	uint32_t members;
	uint32_t parts;			/* of the underlay, with members */
	uint32_t rings;			/* cycles of successors, in all parts together */
	uint32_t disordered;		/* of them: those that go round more than once */
	uint32_t right_good, left_good;	/* members whose neighbour on that side is the true one */
	uint32_t appendages;		/* members on no cycle */
	uint32_t thin;			/* lists that hold too few of the nearest, counted by side */
	uint32_t dead_ends;		/* members that know no living member clockwise, of parts > 1 */
	uint32_t islands;		/* groups of members that know nothing of each other, beyond
					 * one per part; only judged while the underlay is whole */
	bool right;			/* all is as it should be after the last fault */
};

/** struct check_rings - all zeroes is a good beginning */
struct check_rings {
	struct since since;
	uint32_t *next, *mark, *root;	/* by row: best successor, walk that met it, union-find */
	uint32_t cap;
};

void check_rings_done(struct check_rings *r);

/** check_rings() - Judge @c, which is indexed, and say what it looks like */
void check_rings(struct check_rings *r, const struct census *c, const struct judge *j,
		 struct rings_view *out);

#endif /* SIM_CHECK_RINGS_H */
