/*
 * census.h - the whole overlay at one instant, as plain arrays
 *
 * The oracles judge this and nothing else. The simulator fills it by looking
 * into its nodes (check.c); a unit test fills it by hand. A row is a host: it
 * keeps its number while sessions and identities on it come and go.
 *
 *	Words		a *member* is a node that runs and has joined; a *part* is a
 *			connected component of the underlay among running hosts,
 *			by the world's own truth; an *anchor* is a configured
 *			bootstrap node
 *	Memory		arrays grow and are kept; GLib's (no memory ends the program)
 *	Time, chance	none
 */
#ifndef SIM_CHECK_CENSUS_H
#define SIM_CHECK_CENSUS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/look.h"

enum { CENSUS_NONE = UINT32_MAX };	/* no such row */

enum census_state {
	ROW_GONE,		/* nothing runs there; the rest of the row is garbage */
	ROW_STILL,		/* paused or suspended: it exists, and nothing is asked of it */
	ROW_RUNS,
};

/** struct census_link - one slot of a node's table of links */
struct census_link {
	struct id id;
	struct id point;		/* USE_LONG_OUT: the drawn point */
	int64_t pace_ns;
	uint32_t up_ms;			/* when it came up, by its own clock */
	uint32_t rto_us;
	uint8_t state;			/* enum link_state */
	uint8_t use;			/* enum link_use bits */
	bool member;			/* the peer said that it is joined */
};

struct census_row {
	uint8_t state;			/* enum census_state */
	bool anchor;			/* others have its endpoint in their configuration */
	bool anchored;			/* it has the anchors' endpoints in its configuration */
	uint32_t part;			/* compared for equality only; below the number of rows */
	uint32_t quota;			/* bytes the node may take */
	int64_t born_ns;		/* when this session began */
	int64_t joined_ns;		/* when it last joined */
	int64_t moved_ns;		/* when it was last seen to have changed its part */
	struct look look;
	struct census_link *link;
	struct id *known[2];		/* left, right; nearest first */
	struct id *remembered;
	uint32_t links, link_cap;
	uint32_t knowns[2], known_cap[2];
	uint32_t remembers, remember_cap;

	/* set by census_index() */
	uint32_t at;			/* place in order[], CENSUS_NONE if not a member */
};

/** struct census_part - the members of one part: order[first .. first + members - 1] */
struct census_part {
	uint32_t first, members;
	uint32_t part;			/* as in the rows */
	uint32_t lowest;		/* its member of the lowest row: its name in complaints */
};

struct census {
	int64_t now_ns;
	int64_t disturbed_ns;		/* when the last fault ended, now if one acts; INT64_MIN: none did */
	int64_t parted_ns;		/* when a host was last seen to have changed its part; INT64_MIN */
	struct census_row *row;
	uint32_t rows, row_cap;

	/* set by census_index() */
	uint32_t *order;		/* members by part, then clockwise by id */
	struct census_part *part;
	uint32_t *part_of;		/* index into part[] by the rows' part, CENSUS_NONE */
	uint32_t *slot;			/* hash of ids; looked into, never walked */
	uint32_t members, parts, slots, index_cap;
	uint32_t running;		/* rows that run */
	uint32_t running_parts;		/* different parts among them */
};

void census_init(struct census *c);
void census_done(struct census *c);

/** census_rows() - Have @rows rows; new ones are ROW_GONE */
void census_rows(struct census *c, uint32_t rows);

/** census_clear() - Forget the links, known and remembered of @row; its arrays stay */
void census_clear(struct census *c, uint32_t row);

struct census_link *census_add_link(struct census *c, uint32_t row, struct id peer);
void census_add_known(struct census *c, uint32_t row, unsigned side, struct id id);
void census_add_remembered(struct census *c, uint32_t row, struct id id);

/** census_index() - Once rows, ids, parts or who is joined have changed: order them anew */
void census_index(struct census *c);

/* ---- what follows needs census_index() ---- */

/** census_find() - The row where identity @id runs or stands still, or CENSUS_NONE */
uint32_t census_find(const struct census *c, struct id id);

/** census_member() - The row of @id if it is a member in @part, else CENSUS_NONE */
uint32_t census_member(const struct census *c, struct id id, uint32_t part);

/** census_right(), census_left() - The true neighbour of member @row; itself if alone */
uint32_t census_right(const struct census *c, uint32_t row);
uint32_t census_left(const struct census *c, uint32_t row);

/** census_owner() - Who truly owns @key in @part: its first member at or after it; CENSUS_NONE if empty */
uint32_t census_owner(const struct census *c, uint32_t part, struct id key);

static inline const struct census_part *census_part(const struct census *c, uint32_t part)
{
	return c->part_of[part] == CENSUS_NONE ? NULL : &c->part[c->part_of[part]];
}

/** census_quiet() - Is no fault acting, nor has one ended in the last @span_ns? */
static inline bool census_quiet(const struct census *c, int64_t span_ns)
{
	return c->disturbed_ns == INT64_MIN || c->now_ns - c->disturbed_ns > span_ns;
}

#endif /* SIM_CHECK_CENSUS_H */
