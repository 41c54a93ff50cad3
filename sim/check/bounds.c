/*
 * bounds.c - no node grows without end
 *
 * Hard bounds hold at every look: memory within the quota, known neighbours,
 * pending messages, remembered peers within the size of their tables.
 *
 * Soft bounds may be passed for a while (crowd_ns): a bootstrap node in a flash
 * crowd has a link to everybody for a moment. Long links: those drawn, twice as
 * many incoming if the cap is on. Links: near ones on both sides, as many again
 * that still want us near, long ones both ways, links_more besides, and those
 * that each peer earned by its traffic, for which the peer has a bound. Sizes
 * are what the node itself believes, as it must act on that.
 *
 * Leaks. A message in a node's hands is done with within seconds, so a node
 * that holds more than a few at every look for crowd_ns has lost some.
 */
#include "sim/check/bounds.h"

#include <inttypes.h>
#include <string.h>

#include "core/link/link.h"

enum what { LINKS, LONGS_OUT, LONGS_IN, LEAK, HARD };

void check_bounds_done(struct check_bounds *b)
{
	since_done(&b->since);
}

uint32_t bounds_longs(const struct limits *l, uint32_t size)
{
	uint32_t log2n = 0;

	if (l->longs || l->no_longs)
		return l->longs;
	while (log2n < 32 && (UINT64_C(1) << log2n) < size)
		log2n++;
	return (log2n + 1) / 2;
}

static void hard(struct check_bounds *b, const struct census *c, const struct judge *j, uint32_t row,
		 const char *what, uint64_t have, uint64_t bound)
{
	struct id key = { 0, 0 };

	if (have <= bound)
		return;
	memcpy(&key, what, strnlen(what, sizeof(key)));
	since_see(&b->since, row, HARD, key);
	if (since_tell(&b->since))
		findings_add(j->found, ORACLE_BOUNDS, c->now_ns, row,
			     "it holds %" PRIu64 " %s, expected at most %" PRIu64, have, what, bound);
}

static void soft(struct check_bounds *b, const struct census *c, const struct judge *j, uint32_t row,
		 enum what kind, const char *what, uint64_t have, uint64_t bound)
{
	if (have <= bound)
		return;
	if (since_see(&b->since, row, kind, ID_ZERO) > j->limits->crowd_ns && since_tell(&b->since))
		findings_add(j->found, ORACLE_BOUNDS, c->now_ns, row,
			     "for more than %.0f s it holds too many %s: %" PRIu64 " now, expected at most %"
			     PRIu64, (double)j->limits->crowd_ns / 1e9, what, have, bound);
}

void check_bounds(struct check_bounds *b, const struct census *c, const struct judge *j)
{
	const struct limits *l = j->limits;

	since_begin(&b->since, c->now_ns);
	for (uint32_t i = 0; i < c->rows; i++) {
		const struct census_row *r = &c->row[i];
		uint32_t k, in;

		if (r->state != ROW_RUNS)
			continue;
		hard(b, c, j, i, "bytes", r->look.memory, r->quota);
		hard(b, c, j, i, "neighbours known on the left", r->look.known_left, l->known);
		hard(b, c, j, i, "known neighbours on the right", r->look.known_right, l->known);
		hard(b, c, j, i, "pending messages", r->look.pending, l->pending);
		hard(b, c, j, i, "remembered peers", r->look.remembered, l->remembered);
		hard(b, c, j, i, "links", r->look.links, LINK_MAX);
		soft(b, c, j, i, LEAK, "pending messages", r->look.pending, l->pending_rest);
		k = bounds_longs(l, r->look.size);
		in = l->cap ? 2 * k + 2 : LINK_MAX;
		soft(b, c, j, i, LONGS_OUT, "long links of its own", r->look.longs_out, k + 2);
		soft(b, c, j, i, LONGS_IN, "long links of others", r->look.longs_in, in);
		soft(b, c, j, i, LINKS, "links", r->look.links, 4 * l->near + k + 2 + in + l->links_more + r->look.earned);
	}
	since_end(&b->since);
	findings_checked(j->found, ORACLE_BOUNDS, c->running);
}
