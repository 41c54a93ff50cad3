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
 * A look shows who is gone, not since when: with a minute between looks somebody
 * may come, live and go again unseen, and two short absences would pass for one
 * long one. So time is counted from the first look that shows the trace, but no
 * sooner than the identity last ended, than either host last changed its part of
 * the underlay, or than the believer's own life began. An up link is a session
 * with one life of the peer, which nothing revives once that life has ended; it
 * is known by when it came up, and a later life of the peer does not excuse it.
 *
 * Calls under way are no trace, nor are remembered peers, which are kept and
 * tried for ever on purpose.
 */
#include "sim/check/leftovers.h"

#include <inttypes.h>

#include <glib.h>

#include "sim/check/tables.h"

enum what { SIDE_LEFT, SIDE_RIGHT, KNOWN_LEFT, KNOWN_RIGHT, LINKED };

static const char *const words[] = {
	[SIDE_LEFT] = "as its left neighbour",
	[SIDE_RIGHT] = "as its right neighbour",
	[KNOWN_LEFT] = "among the neighbours known on the left",
	[KNOWN_RIGHT] = "among the neighbours known on the right",
	[LINKED] = "behind a link that is up",
};

/** struct absence - what is known of somebody who is gone */
struct absence {
	int64_t parted_ns;		/* when the believer could last have heard from it: not before this ... */
	int64_t ended_ns;		/* ... nor, from a new life of the same identity, before this */
	bool goodbye;
};

void check_leftovers_done(struct check_leftovers *l)
{
	since_done(&l->since);
}

static bool gone(const struct check_leftovers *l, const struct census *c, const struct census_row *me,
		 struct id id, struct absence *a)
{
	uint32_t row = census_find(c, id);
	struct went went;

	*a = (struct absence){ me->born_ns, me->born_ns, false };
	if (row != CENSUS_NONE) {
		if (c->row[row].state != ROW_RUNS || c->row[row].part == me->part)
			return false;
		a->parted_ns = a->ended_ns = MAX(me->born_ns, MAX(me->moved_ns, c->row[row].moved_ns));
	} else if (l->went && l->went(l->ctx, id, &went)) {
		a->ended_ns = MAX(me->born_ns, went.ended_ns);
		a->goodbye = went.goodbye;
	}
	return true;
}

/* @key: @id, or what tells this trace of it from earlier ones */
static void see(struct check_leftovers *l, const struct census *c, const struct judge *j, uint32_t row,
		uint32_t what, struct id key, struct id id, int64_t from_ns, int64_t bound_ns)
{
	int64_t lasted = since_see(&l->since, row, what, key);

	lasted = MIN(lasted, c->now_ns - from_ns);
	if (lasted > bound_ns && since_tell(&l->since))
		findings_add(j->found, ORACLE_LEFTOVERS, c->now_ns, row,
			     "%016" PRIx64 "... is gone, yet for %.1f s still %s, expected at most %.1f s",
			     id.hi, (double)lasted / 1e9, words[what & 15], (double)bound_ns / 1e9);
}

static void check_row(struct check_leftovers *l, const struct census *c, const struct judge *j, uint32_t i)
{
	const struct census_row *r = &c->row[i];
	struct id side[2] = { r->look.left, r->look.right };
	struct absence a;

	for (unsigned s = 0; s < 2; s++) {
		if (!r->look.joined || id_eq(side[s], r->look.id) || !gone(l, c, r, side[s], &a))
			continue;
		if (c->parted_ns != INT64_MIN && c->now_ns - c->parted_ns <= j->limits->settle_ns)
			a.goodbye = false;	/* it may not have come through */
		see(l, c, j, i, SIDE_LEFT + s, side[s], side[s], a.ended_ns,
		    a.goodbye ? j->limits->goodbye_ns : j->limits->settle_ns);
	}
	for (unsigned s = 0; s < 2; s++)
		for (uint32_t k = 0; k < r->knowns[s]; k++)
			if (gone(l, c, r, r->known[s][k], &a))
				see(l, c, j, i, KNOWN_LEFT + s, r->known[s][k], r->known[s][k], a.ended_ns,
				    j->limits->known_ns);
	for (uint32_t k = 0; k < r->links; k++) {
		const struct census_link *o = &r->link[k];
		struct id key = { o->id.hi ^ o->up_ms, o->id.lo };

		if (o->state == LINK_UP && gone(l, c, r, o->id, &a))
			see(l, c, j, i, LINKED | tables_pace(o), key, o->id, a.parted_ns,
			    tables_patience_ns(j->limits, o));
	}
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
