/*
 * tables.c - link tables are symmetric
 *
 * If A has a link to B that is up, B has one to A that is up. The two sides
 * may differ while one is still finding out: A probes after its pace of silence
 * (an eighth later if it did not call: core/link/alive.c) and settles a
 * suspicion in suspect_ns, so a link only A has must be gone after that and
 * some round trips. Peers that do not run, or lie in
 * another part of the underlay, are the business of leftovers.c.
 *
 * Crossing calls leave one link (DESIGN section 5): two links from A to the
 * same B that stay are a violation, too.
 */
#include "sim/check/tables.h"

enum what { ONE_SIDED, TWINS };

void check_tables_done(struct check_tables *t)
{
	since_done(&t->since);
}

int64_t tables_patience_ns(const struct limits *l, const struct census_link *k)
{
	int64_t pace = k->pace_ns > 0 ? k->pace_ns : l->far_ns;

	return pace + pace / 8 + l->suspect_ns + 8 * (int64_t)k->rto_us * 1000 + l->slack_ns;
}

static bool has(const struct census_row *r, struct id id)
{
	for (uint32_t i = 0; i < r->links; i++)
		if (r->link[i].state == LINK_UP && id_eq(r->link[i].id, id))
			return true;
	return false;
}

static void one_sided(struct check_tables *t, const struct census *c, const struct judge *j,
		      uint32_t a, uint32_t b, const struct census_link *k)
{
	/* the key tells this link from an earlier one to the same peer */
	struct id which = { k->id.hi ^ k->up_ms, k->id.lo };
	int64_t lasted = since_see(&t->since, a, ONE_SIDED | tables_pace(k), which);
	int64_t bound = tables_patience_ns(j->limits, k);

	if (lasted > bound && since_tell(&t->since))
		findings_add(j->found, ORACLE_LINKS, c->now_ns, a,
			     "it has a link to n%u, which has had none to it for %.1f s, expected at "
			     "most %.1f s", b, (double)lasted / 1e9, (double)bound / 1e9);
}

static void twins(struct check_tables *t, const struct census *c, const struct judge *j, uint32_t a,
		  uint32_t at)
{
	const struct census_row *r = &c->row[a];

	for (uint32_t i = 0; i < at; i++) {
		if (r->link[i].state != LINK_UP || !id_eq(r->link[i].id, r->link[at].id))
			continue;
		if (since_see(&t->since, a, TWINS, r->link[i].id) > j->limits->settle_ns &&
		    since_tell(&t->since))
			findings_add(j->found, ORACLE_LINKS, c->now_ns, a,
				     "it has two links to n%u, expected one",
				     census_find(c, r->link[i].id));
		return;
	}
}

void check_tables(struct check_tables *t, const struct census *c, const struct judge *j)
{
	uint64_t checked = 0;

	since_begin(&t->since, c->now_ns);
	for (uint32_t a = 0; a < c->rows; a++) {
		const struct census_row *r = &c->row[a];

		if (r->state != ROW_RUNS)
			continue;
		for (uint32_t i = 0; i < r->links; i++) {
			const struct census_link *k = &r->link[i];
			uint32_t b;

			if (k->state != LINK_UP)
				continue;
			twins(t, c, j, a, i);
			b = census_find(c, k->id);
			if (b == CENSUS_NONE || c->row[b].state != ROW_RUNS || c->row[b].part != r->part)
				continue;
			checked++;
			if (!has(&c->row[b], r->look.id))
				one_sided(t, c, j, a, b, k);
		}
	}
	since_end(&t->since);
	findings_checked(j->found, ORACLE_LINKS, checked);
}
