/*
 * casts.c - broadcasts are counted by name
 *
 * A broadcast is (origin, sequence). Its origin delivers it to itself first;
 * at that moment everybody who is a member of the origin's part, as far as the
 * last census knows, is due. Whoever ends, begins or changes part afterwards is
 * excused and may have heard it or not. After wait_ns the due members that are
 * still members must have heard, if the ring was one when it began and nobody
 * joined or went just then: a newcomer steps between two who are told at once.
 *
 * Twice is never allowed, under no loss, duplication, churn or fault: the
 * record comes from where the message would be handed to the user.
 */
#include "sim/check/casts.h"

#include <inttypes.h>
#include <string.h>

#include <glib.h>

struct cast {
	struct id origin;
	uint64_t sequence;
	int64_t first_ns;
	uint32_t from;			/* row of the origin */
	uint32_t rows;			/* bits in each set */
	bool whole;			/* the ring was one when it began */
	uint64_t *due, *heard;
};

enum { EVERYBODY_PPB = 1000000000, TELLING_VISITS = 3 };

static bool has(const uint64_t *set, uint32_t i)
{
	return set[i / 64] >> (i % 64) & 1;
}

static void put(uint64_t *set, uint32_t i, bool on)
{
	if (on)
		set[i / 64] |= UINT64_C(1) << (i % 64);
	else
		set[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

static void cast_free(struct cast *b)
{
	g_free(b->due);
	g_free(b->heard);
	g_free(b);
}

void check_casts_done(struct check_casts *k)
{
	for (uint32_t i = 0; i < k->casts; i++)
		cast_free(k->cast[i]);
	g_free(k->cast);
	memset(k, 0, sizeof(*k));
}

static struct cast *find(struct check_casts *k, struct id origin, uint64_t sequence)
{
	for (uint32_t i = k->casts; i-- > 0;)
		if (k->cast[i]->sequence == sequence && id_eq(k->cast[i]->origin, origin))
			return k->cast[i];
	return NULL;
}

static struct cast *begin(struct check_casts *k, const struct census *c, int64_t at_ns, uint32_t row,
			  struct id origin, uint64_t sequence)
{
	struct cast *b = g_new0(struct cast, 1);
	size_t words = c->rows / 64 + 1;

	b->origin = origin;
	b->sequence = sequence;
	b->first_ns = at_ns;
	b->from = row;
	b->rows = c->rows;
	b->whole = k->whole;
	b->due = g_new0(uint64_t, words);
	b->heard = g_new0(uint64_t, words);
	for (uint32_t i = 0; i < c->members; i++)
		if (c->row[c->order[i]].part == c->row[b->from].part && c->order[i] != b->from)
			put(b->due, c->order[i], true);
	if (k->casts == k->cap) {
		k->cap = MAX(8, 2 * k->cap);
		k->cast = g_renew(struct cast *, k->cast, k->cap);
	}
	return k->cast[k->casts++] = b;
}

void casts_heard(struct check_casts *k, const struct census *c, const struct judge *j, int64_t at_ns,
		 uint32_t row, struct id origin, uint64_t sequence, uint64_t hops)
{
	struct cast *b = find(k, origin, sequence);

	findings_checked(j->found, ORACLE_BROADCASTS, 1);
	if (!b && !hops)
		b = begin(k, c, at_ns, row, origin, sequence);
	if (!b || row >= b->rows)
		return;			/* one that was judged already comes late */
	if (has(b->heard, row))
		findings_add(j->found, ORACLE_BROADCASTS, at_ns, row,
			     "it delivered broadcast %" PRIu64 " of n%u twice, expected once", sequence,
			     b->from);
	put(b->heard, row, true);
}

void casts_excuse(struct check_casts *k, uint32_t row)
{
	for (uint32_t i = 0; i < k->casts; i++)
		if (row < k->cast[i]->rows) {
			put(k->cast[i]->due, row, false);
			put(k->cast[i]->heard, row, false);	/* a new life may hear it anew */
		}
}

void casts_unsettle(struct check_casts *k, int64_t now_ns)
{
	for (uint32_t i = 0; i < k->casts; i++)
		if (now_ns - k->cast[i]->first_ns < CASTS_SETTLE_NS)
			k->cast[i]->whole = false;
}

static void judge_one(struct check_casts *k, const struct census *c, const struct judge *j,
		      const struct cast *b)
{
	uint32_t due = 0, missed = 0, first = CENSUS_NONE;

	for (uint32_t i = 0; i < b->rows; i++) {
		const struct census_row *r = &c->row[i];

		if (!has(b->due, i) || r->at == CENSUS_NONE || r->look.leaving || r->joined_ns > b->first_ns)
			continue;
		due++;
		if (has(b->heard, i))
			continue;
		missed++;
		first = MIN(first, i);
	}
	if (!b->whole)
		return;
	k->due += due;
	k->missed += missed;
	if (missed && k->all_ppb == EVERYBODY_PPB)
		findings_add(j->found, ORACLE_BROADCASTS, c->now_ns, first,
			     "broadcast %" PRIu64 " of n%u did not reach it and %u others of %u, expected all",
			     b->sequence, b->from, missed - 1, due);
}

void check_casts(struct check_casts *k, const struct census *c, const struct judge *j, bool all)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < k->casts; i++) {
		struct cast *b = k->cast[i];

		if (!all && c->now_ns - b->first_ns <= k->wait_ns) {
			k->cast[kept++] = b;
			continue;
		}
		if (c->now_ns - b->first_ns > k->wait_ns)	/* younger ones had no time */
			judge_one(k, c, j, b);
		cast_free(b);
	}
	k->casts = kept;
	if (!all || k->all_ppb == EVERYBODY_PPB || !k->all_ppb || !k->due)
		return;
	if ((EVERYBODY_PPB - k->all_ppb) * k->due < (uint64_t)TELLING_VISITS * EVERYBODY_PPB)
		findings_undecided(j->found, ORACLE_BROADCASTS,
				   "%" PRIu64 " visits were due, too few to tell a share of %.4f", k->due,
				   k->all_ppb / 1e9);
	else if (k->missed * (uint64_t)EVERYBODY_PPB > k->due * (EVERYBODY_PPB - k->all_ppb))
		findings_add(j->found, ORACLE_BROADCASTS, c->now_ns, FINDING_WORLD,
			     "broadcasts missed %" PRIu64 " of %" PRIu64 " visits that were due, expected at "
			     "least %.4f of them to be made", k->missed, k->due, k->all_ppb / 1e9);
}
