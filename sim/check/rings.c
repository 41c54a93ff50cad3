/*
 * rings.c - Zave's invariants, per part of the underlay
 *
 * Pamela Zave, "Reasoning about identifier spaces: how to make Chord correct"
 * (arXiv 1502.06461), shows what a ring of successor lists must keep so that it
 * can always be repaired. Take each member's *best successor*: the first entry
 * of its list (its right neighbour, then what it knows on the right) that is a
 * member of the same part. Following best successors from anywhere ends in a
 * cycle. Her four conditions become
 *
 *	at least one ring	somebody is on a cycle: true if no list is dead
 *	at most one ring	one cycle
 *	ordered ring		the cycle goes round the identifiers once
 *	connected appendages	who is not on the cycle leads to it, so again:
 *				no list is dead, one cycle
 *
 * and of the lists themselves she asks that they are ordered.
 *
 * What is demanded when. Never allowed, not even for an instant: a list out of
 * order; an island, that is a group of members which nobody outside knows and
 * which knows nobody outside (by link, neighbour list, remembered peer or
 * configured endpoint): no repair can ever join it. This is asked only while
 * all running hosts are in one part, since a partition may well make islands
 * that its end undoes. Allowed only while a death is being noticed (settle_ns),
 * or after a fault that may have killed a whole list: a dead list; a cycle that
 * goes round twice. Allowed for healed_ns after a
 * trouble began and after the last fault began or ended: two rings; a member
 * whose left or right neighbour is not the true one, or that knows fewer than
 * half of the eight nearest on a side: its list would not survive what Zave's
 * proof lets happen to it. A neighbour that is
 * leaving may be passed over, and nothing is asked of who is leaving itself.
 */
#include "sim/check/rings.h"

#include <inttypes.h>
#include <string.h>

#include <glib.h>

enum what {
	LIST_ORDER, DEAD_LIST, DISORDER, TWO_RINGS, WRONG_LEFT, WRONG_RIGHT, THIN_LEFT, THIN_RIGHT, ISLAND
};
enum { KNOW = 8 };		/* true neighbours to know on each side (DESIGN section 5) */

void check_rings_done(struct check_rings *r)
{
	since_done(&r->since);
	g_free(r->next);
	g_free(r->mark);
	g_free(r->root);
	memset(r, 0, sizeof(*r));
}

#define ID_FORMAT	"%016" PRIx64
#define ID_ARG(id)	((id).hi)

/* ---- lists ---- */

static bool list_ordered(const struct census_row *r, unsigned side)
{
	struct id last = ID_ZERO;

	for (uint32_t i = 0; i < r->knowns[side]; i++) {
		struct id d = side ? id_clockwise(r->look.id, r->known[side][i]) :
			id_clockwise(r->known[side][i], r->look.id);

		if (!id_less(last, d))
			return false;
		last = d;
	}
	return true;
}

static void check_lists(struct check_rings *r, const struct census *c, const struct judge *j)
{
	for (uint32_t i = 0; i < c->rows; i++) {
		if (c->row[i].state != ROW_RUNS)
			continue;
		for (unsigned side = 0; side < 2; side++) {
			if (list_ordered(&c->row[i], side))
				continue;
			since_see(&r->since, i, LIST_ORDER, (struct id){ side, 0 });
			if (since_tell(&r->since))
				findings_add(j->found, ORACLE_RING, c->now_ns, i,
					     "its known neighbours on the %s are not in order of "
					     "distance", side ? "right" : "left");
		}
	}
}

/* ---- successors ---- */

/* How long a fault excuses what settle_ns does not: Zave assumes that no list dies all at once. */
static int64_t shock_ns(const struct judge *j)
{
	return MAX(j->limits->healed_ns, j->limits->settle_ns);
}

static uint32_t best_successor(const struct census *c, uint32_t row)
{
	const struct census_row *r = &c->row[row];
	uint32_t to = census_member(c, r->look.right, r->part);

	for (uint32_t i = 0; i < r->knowns[1] && (to == CENSUS_NONE || to == row); i++)
		to = census_member(c, r->known[1][i], r->part);
	return to == row ? CENSUS_NONE : to;
}

/*
 * Each walk leaves its number on the rows it meets. A walk that meets its own
 * number has found a new cycle and goes round it once more to see how often it
 * wraps; one that meets another's has run into a cycle already counted.
 */
static void follow(struct check_rings *r, const struct census *c, const struct census_part *p,
		   const struct judge *j, struct rings_view *out, uint32_t *on_cycle)
{
	uint32_t rings = 0;

	for (uint32_t i = 0; i < p->members; i++) {
		uint32_t start = c->order[p->first + i], at = start;

		while (at != CENSUS_NONE && r->mark[at] == CENSUS_NONE) {
			r->mark[at] = start;
			at = r->next[at];
		}
		if (at != CENSUS_NONE && r->mark[at] == start) {
			uint32_t first = at, lowest = at, wraps = 0, length = 0;

			do {
				uint32_t to = r->next[at];

				wraps += !id_less(c->row[at].look.id, c->row[to].look.id);
				length++;
				lowest = MIN(lowest, at);
				at = to;
			} while (at != first);
			rings++;
			*on_cycle += length;
			if (wraps == 1)
				continue;
			out->disordered++;
			if (since_see(&r->since, lowest, DISORDER, ID_ZERO) > j->limits->settle_ns &&
			    census_quiet(c, shock_ns(j)) && since_tell(&r->since))
				findings_add(j->found, ORACLE_RING, c->now_ns, lowest,
					     "following successors from it goes round the ring %u "
					     "times before it comes back (%u nodes), expected once",
					     wraps, length);
		}
	}
	if (p->members == 1 && !rings) {	/* alone: its own successor */
		rings = 1;
		*on_cycle += 1;
	}
	out->rings += rings;
	if (rings > 1 && j->limits->healed_ns &&
	    since_see(&r->since, p->lowest, TWO_RINGS, ID_ZERO) > j->limits->healed_ns &&
	    census_quiet(c, j->limits->healed_ns) && since_tell(&r->since))
		findings_add(j->found, ORACLE_RING, c->now_ns, p->lowest,
			     "%u rings among the %u members that can reach each other, expected one",
			     rings, p->members);
}

static void check_dead_end(struct check_rings *r, const struct census *c, const struct judge *j,
			   uint32_t row, struct rings_view *out)
{
	if (c->row[row].look.leaving)
		return;
	out->dead_ends++;
	if (since_see(&r->since, row, DEAD_LIST, ID_ZERO) > j->limits->settle_ns &&
	    census_quiet(c, shock_ns(j)) && since_tell(&r->since))
		findings_add(j->found, ORACLE_RING, c->now_ns, row,
			     "no living member among its right neighbour and the %u it knows on the "
			     "right, though %u others can be reached", c->row[row].knowns[1],
			     census_part(c, c->row[row].part)->members - 1);
}

/* ---- neighbours ---- */

/* is @believed right for @row, looking to @side? Who leaves may be passed over */
static bool neighbour_right(const struct census *c, uint32_t row, unsigned side, struct id believed)
{
	uint32_t to = row;

	do {
		to = side ? census_right(c, to) : census_left(c, to);
		if (id_eq(c->row[to].look.id, believed))
			return true;
	} while (to != row && c->row[to].look.leaving);
	return false;
}

static void check_neighbour(struct check_rings *r, const struct census *c, const struct judge *j,
			    uint32_t row, unsigned side, struct rings_view *out)
{
	const struct census_row *me = &c->row[row];
	struct id believed = side ? me->look.right : me->look.left;
	uint32_t truly = side ? census_right(c, row) : census_left(c, row), who;
	int64_t lasted;

	if (me->look.leaving || neighbour_right(c, row, side, believed)) {
		*(side ? &out->right_good : &out->left_good) += 1;
		return;
	}
	lasted = since_see(&r->since, row, side ? WRONG_RIGHT : WRONG_LEFT, c->row[truly].look.id);
	if (!j->limits->healed_ns || lasted <= j->limits->healed_ns ||
	    !census_quiet(c, j->limits->healed_ns) || !since_tell(&r->since))
		return;
	who = census_find(c, believed);
	if (id_eq(believed, me->look.id))
		findings_add(j->found, ORACLE_RING, c->now_ns, row,
			     "it believes to have no %s neighbour, expected n%u",
			     side ? "right" : "left", truly);
	else if (who == CENSUS_NONE)
		findings_add(j->found, ORACLE_RING, c->now_ns, row,
			     "its %s neighbour is " ID_FORMAT "..., which does not run, expected n%u",
			     side ? "right" : "left", ID_ARG(believed), truly);
	else
		findings_add(j->found, ORACLE_RING, c->now_ns, row,
			     "its %s neighbour is n%u%s, expected n%u", side ? "right" : "left", who,
			     c->row[who].part != me->part ? " (out of reach)" :
			     c->row[who].look.joined ? "" : " (not joined)", truly);
}

/* How many of the true neighbours nearest to it on @side does @row know? *@of: of how many */
static uint32_t knows(const struct census *c, uint32_t row, unsigned side, uint32_t *of)
{
	const struct census_row *me = &c->row[row];
	uint32_t others = census_part(c, me->part)->members - 1, at = row, hits = 0;

	*of = MIN(KNOW, others);
	for (uint32_t i = 0; i < *of; i++) {
		at = side ? census_right(c, at) : census_left(c, at);
		for (uint32_t k = 0; k < me->knowns[side]; k++)
			if (id_eq(me->known[side][k], c->row[at].look.id)) {
				hits++;
				break;
			}
	}
	return hits;
}

static void check_list(struct check_rings *r, const struct census *c, const struct judge *j, uint32_t row,
		       unsigned side, struct rings_view *out)
{
	uint32_t of, hits = knows(c, row, side, &of);

	if (2 * hits >= of || c->row[row].look.leaving)
		return;
	out->thin++;
	if (j->limits->healed_ns &&
	    since_see(&r->since, row, side ? THIN_RIGHT : THIN_LEFT, ID_ZERO) > j->limits->healed_ns &&
	    census_quiet(c, j->limits->healed_ns) && since_tell(&r->since))
		findings_add(j->found, ORACLE_RING, c->now_ns, row,
			     "it knows %u of its %u nearest neighbours on the %s, expected at least half", hits,
			     of, side ? "right" : "left");
}

/* ---- the way back ---- */

static uint32_t root_of(struct check_rings *r, uint32_t row)
{
	while (r->root[row] != row)
		row = r->root[row] = r->root[r->root[row]];
	return row;
}

static void unite(struct check_rings *r, const struct census *c, uint32_t a, struct id id)
{
	uint32_t b = census_find(c, id);

	if (b == CENSUS_NONE || c->row[b].state != ROW_RUNS)
		return;
	a = root_of(r, a);
	b = root_of(r, b);
	if (a < b)
		r->root[b] = a;
	else
		r->root[a] = b;
}

/* An island is judged only with every running host in one part */
static void check_islands(struct check_rings *r, const struct census *c, const struct judge *j,
			  struct rings_view *out)
{
	uint32_t anchor = CENSUS_NONE, main_root;

	if (c->running_parts != 1 || !c->members)
		return;
	for (uint32_t i = 0; i < c->rows; i++) {
		r->root[i] = i;
		if (c->row[i].state == ROW_RUNS && c->row[i].anchor && anchor == CENSUS_NONE)
			anchor = i;
	}
	for (uint32_t i = 0; i < c->rows; i++) {
		const struct census_row *row = &c->row[i];

		if (row->state != ROW_RUNS)
			continue;
		for (uint32_t k = 0; k < row->links; k++)
			unite(r, c, i, row->link[k].id);
		for (unsigned side = 0; side < 2; side++)
			for (uint32_t k = 0; k < row->knowns[side]; k++)
				unite(r, c, i, row->known[side][k]);
		for (uint32_t k = 0; k < row->remembers; k++)
			unite(r, c, i, row->remembered[k]);
		if (anchor != CENSUS_NONE && (row->anchored || row->anchor))
			unite(r, c, i, c->row[anchor].look.id);
	}
	main_root = root_of(r, c->part[0].lowest);
	for (uint32_t i = 0; i < c->members; i++) {
		uint32_t row = c->order[i], root = root_of(r, row);

		if (root == main_root || r->mark[root] == UINT32_MAX - 1)
			continue;
		r->mark[root] = UINT32_MAX - 1;		/* one complaint an island */
		out->islands++;
		since_see(&r->since, row, ISLAND, ID_ZERO);
		if (since_tell(&r->since))
			findings_add(j->found, ORACLE_RING, c->now_ns, row,
				     "it and n%u belong to groups of members that know nothing of "
				     "each other, so they can never be one ring again",
				     c->part[0].lowest);
	}
}

void check_rings(struct check_rings *r, const struct census *c, const struct judge *j,
		 struct rings_view *out)
{
	uint32_t on_cycle = 0;

	memset(out, 0, sizeof(*out));
	if (c->rows > r->cap) {
		r->cap = c->row_cap;
		r->next = g_renew(uint32_t, r->next, r->cap);
		r->mark = g_renew(uint32_t, r->mark, r->cap);
		r->root = g_renew(uint32_t, r->root, r->cap);
	}
	since_begin(&r->since, c->now_ns);
	memset(r->mark, 0xff, c->rows * sizeof(*r->mark));
	out->members = c->members;
	out->parts = c->parts;
	check_lists(r, c, j);
	for (uint32_t p = 0; p < c->parts; p++) {
		const struct census_part *part = &c->part[p];

		for (uint32_t i = 0; i < part->members; i++) {
			uint32_t row = c->order[part->first + i];

			r->next[row] = best_successor(c, row);
			if (r->next[row] == CENSUS_NONE && part->members > 1)
				check_dead_end(r, c, j, row, out);
			check_neighbour(r, c, j, row, 0, out);
			check_neighbour(r, c, j, row, 1, out);
			check_list(r, c, j, row, 0, out);
			check_list(r, c, j, row, 1, out);
		}
		follow(r, c, part, j, out, &on_cycle);
	}
	out->appendages = out->members - on_cycle;
	check_islands(r, c, j, out);
	since_end(&r->since);
	out->right = out->rings == out->parts && !out->disordered && !out->appendages &&
		!out->dead_ends && !out->islands &&
		out->right_good == out->members && out->left_good == out->members;
	findings_checked(j->found, ORACLE_RING, out->members);
}
