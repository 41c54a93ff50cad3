/*
 * leftovers.c - the dead are forgotten
 *
 * An identity is gone for a node when no host with it runs in the node's part
 * of the underlay. (A paused or suspended host may come back: nothing is asked
 * about it.) After a while no trace of it may be left:
 *
 *	an up link		its own pace, suspicion and some round trips
 *	left or right		goodbye_ns if it said goodbye, which is acknowledged
 *				and repeated; else next_ns, plus the time to ask
 *				the next one to stand beside us: settle_ns
 *	a known neighbour	told from node to node: known_ns
 *
 * Calls under way are no trace, nor are remembered peers, which are kept and
 * tried for ever on purpose.
 */
#include "sim/check/leftovers.h"

#include <inttypes.h>

#include "sim/check/tables.h"

enum what { SIDE_LEFT, SIDE_RIGHT, KNOWN_LEFT, KNOWN_RIGHT, LINKED };

static const char *const trace[] = {
	[SIDE_LEFT] = "as its left neighbour",
	[SIDE_RIGHT] = "as its right neighbour",
	[KNOWN_LEFT] = "among the neighbours known on the left",
	[KNOWN_RIGHT] = "among the neighbours known on the right",
	[LINKED] = "behind a link that is up",
};

void check_leftovers_done(struct check_leftovers *l)
{
	since_done(&l->since);
}

static bool gone(const struct census *c, const struct census_row *me, struct id id)
{
	uint32_t row = census_find(c, id);

	return row == CENSUS_NONE || (c->row[row].state == ROW_RUNS && c->row[row].part != me->part);
}

static void see(struct check_leftovers *l, const struct census *c, const struct judge *j, uint32_t row,
		enum what what, uint32_t pace, struct id id, int64_t bound_ns)
{
	int64_t lasted = since_see(&l->since, row, what | pace, id);

	if (lasted > bound_ns && since_tell(&l->since))
		findings_add(j->found, ORACLE_LEFTOVERS, c->now_ns, row,
			     "%016" PRIx64 "... is gone, yet for %.1f s still %s, expected at most %.1f s",
			     id.hi, (double)lasted / 1e9, trace[what], (double)bound_ns / 1e9);
}

static void check_row(struct check_leftovers *l, const struct census *c, const struct judge *j, uint32_t i)
{
	const struct census_row *r = &c->row[i];
	struct id side[2] = { r->look.left, r->look.right };

	for (unsigned s = 0; s < 2; s++) {
		bool bye;

		if (!r->look.joined || id_eq(side[s], r->look.id) || !gone(c, r, side[s]))
			continue;
		bye = census_find(c, side[s]) == CENSUS_NONE && l->goodbye && l->goodbye(l->ctx, side[s]);
		if (c->parted_ns != INT64_MIN && c->now_ns - c->parted_ns <= j->limits->settle_ns)
			bye = false;		/* it may not have come through */
		see(l, c, j, i, SIDE_LEFT + s, 0, side[s], bye ? j->limits->goodbye_ns : j->limits->settle_ns);
	}
	for (unsigned s = 0; s < 2; s++)
		for (uint32_t k = 0; k < r->knowns[s]; k++)
			if (gone(c, r, r->known[s][k]))
				see(l, c, j, i, KNOWN_LEFT + s, 0, r->known[s][k], j->limits->known_ns);
	for (uint32_t k = 0; k < r->links; k++)
		if (r->link[k].state == LINK_UP && gone(c, r, r->link[k].id))
			see(l, c, j, i, LINKED, tables_pace(&r->link[k]), r->link[k].id,
			    tables_patience_ns(j->limits, &r->link[k]));
}

void check_leftovers(struct check_leftovers *l, const struct census *c, const struct judge *j)
{
	since_begin(&l->since, c->now_ns);
	for (uint32_t i = 0; i < c->rows; i++)
		if (c->row[i].state == ROW_RUNS)
			check_row(l, c, j, i);
	since_end(&l->since);
	findings_checked(j->found, ORACLE_LEFTOVERS, c->running);
}
