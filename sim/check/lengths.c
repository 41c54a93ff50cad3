/*
 * lengths.c - the distribution everything about a small world rests on
 *
 * Symphony's long links (Manku, Bawa, Raghavan, USITS 2003, section 3.1) go to
 * the owner of a point at distance x, drawn from p(x) = 1 / (x ln n) on
 * [1/n, 1]. Evio and IPOP v20 drew with log10 in the place of ln, so that no
 * link was shorter than n^-0.43 of the ring, and nobody noticed. Hence two
 * tests.
 *
 * Drawn points. P(X < x) = 1 + ln x / ln n, so 1 + ln x / ln n of each draw,
 * with the drawer's own estimate of n, must be uniform on [0, 1]. This holds
 * for every single draw, whatever churn does to the ring.
 *
 * Held links. From x to the link held, much is in between: the point's owner
 * lies behind the point; draws that meet ourselves, a near neighbour, a link we
 * have, or a peer with twice as many incoming links as it draws itself, are
 * drawn again. The law of what remains has no closed form worth having, so it
 * is computed: on the very ring of ids that the census shows, every member
 * draws by these rules, in random order, as often as needed for LENGTHS_LAW
 * links. The links held are then compared with those. Links outlive changes of
 * the ring by up to a factor of two (that is what the slow re-draw is for), so
 * this test is for rings that are at rest.
 *
 * Honesty about numbers: among m values of the right distribution one distance
 * in a thousand exceeds 1.95 / sqrt(m). Below m = 4225 this is more than the
 * 0.03 allowed, so no verdict is given.
 */
#include "sim/check/lengths.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "node/prog/real.h"
#include "sim/check/bounds.h"

#define LN2	0.69314718055994530942

void sample_add(struct sample *s, double x)
{
	if (s->count == s->cap) {
		s->cap = MAX(256, 2 * s->cap);
		s->x = g_renew(double, s->x, s->cap);
	}
	s->x[s->count++] = x;
}

static int by_value(const void *va, const void *vb)
{
	double a = *(const double *)va, b = *(const double *)vb;

	return (a > b) - (a < b);
}

void sample_sort(struct sample *s)
{
	if (s->count)
		qsort(s->x, s->count, sizeof(*s->x), by_value);
}

void sample_done(struct sample *s)
{
	g_free(s->x);
	memset(s, 0, sizeof(*s));
}

double ks_uniform(const struct sample *s)
{
	double worst = 0, n = s->count;

	for (uint32_t i = 0; i < s->count; i++) {
		double x = CLAMP(s->x[i], 0.0, 1.0);

		worst = MAX(worst, MAX((i + 1) / n - x, x - i / n));
	}
	return worst;
}

double ks_between(const struct sample *a, const struct sample *b)
{
	double worst = 0;
	uint32_t i = 0, k = 0;

	while (i < a->count && k < b->count) {
		double x = MIN(a->x[i], b->x[k]), apart;

		while (i < a->count && a->x[i] <= x)
			i++;
		while (k < b->count && b->x[k] <= x)
			k++;
		apart = (double)i / a->count - (double)k / b->count;
		worst = MAX(worst, apart < 0 ? -apart : apart);
	}
	return worst;
}

bool lengths_decides(uint32_t count)
{
	return LENGTHS_SURE * LENGTHS_SURE < LENGTHS_KS * LENGTHS_KS * count;
}

/* A distance as a share of the ring, 0 < x <= 1. */
static double share(struct id d)
{
	double x = ((double)d.hi + (double)d.lo * 0x1p-64) * 0x1p-64;

	return x > 0x1p-128 ? x : 0x1p-128;
}

void check_lengths_done(struct check_lengths *l)
{
	sample_done(&l->drawn);
	memset(l, 0, sizeof(*l));
}

/* Where @x lies in the law: P(X < x). A uniform draw starts at 0. */
static double place(const struct limits *lim, double x, double n)
{
	return lim->uniform ? x : 1 + real_log(x) / real_log(n);
}

void lengths_drawn(struct check_lengths *l, const struct limits *lim, struct id self, struct id point,
		   uint32_t size)
{
	if (size < 2 || l->drawn.count == LENGTHS_DRAWS)
		return;
	sample_add(&l->drawn, place(lim, share(id_clockwise(self, point)), size));
}

/* ---- the law ---- */

static const struct census_part *largest(const struct census *c)
{
	const struct census_part *best = NULL;

	for (uint32_t i = 0; i < c->parts; i++)
		if (!best || c->part[i].members > best->members)
			best = &c->part[i];
	return best;
}

/* One link: the place on the ring it goes to, or members if @tries were not enough. */
static uint32_t draw_one(struct check_lengths *l, const struct census *c, const struct limits *lim,
			 const struct census_part *p, uint32_t from, const uint32_t *have, uint32_t haves,
			 const uint32_t *incoming)
{
	const struct census_row *me = &c->row[c->order[p->first + from]];
	double ln = real_log(MAX(me->look.size, 2));

	for (unsigned tries = 0; tries < 1000; tries++) {
		double u = real_unit(chance_next(&l->chance));
		double x = lim->uniform ? u : real_exp(-ln * u);
		struct id far = { (uint64_t)(x * 0x1.fffffffffffffp63), chance_next(&l->chance) };
		uint32_t row = census_owner(c, p->part, id_add(me->look.id, far));
		uint32_t to = c->row[row].at - p->first, steps = (to + p->members - from) % p->members;
		bool taken = steps <= lim->near || steps >= p->members - lim->near;

		for (uint32_t i = 0; i < haves; i++)
			taken |= have[i] == to;
		if (lim->cap && incoming[to] >= 2 * bounds_longs(lim, c->row[row].look.size))
			taken = true;
		if (!taken)
			return to;
	}
	return p->members;
}

void lengths_law(struct check_lengths *l, const struct census *c, const struct limits *lim, unsigned rounds,
		 struct sample *law)
{
	const struct census_part *p = largest(c);
	uint32_t *order, *incoming, have[64];

	if (!p || p->members <= 2 * lim->near + 1)
		return;
	order = g_new(uint32_t, p->members);
	incoming = g_new(uint32_t, p->members);
	for (uint32_t i = 0; i < p->members; i++)
		order[i] = i;
	for (unsigned round = 0; round < rounds; round++) {
		memset(incoming, 0, p->members * sizeof(*incoming));
		chance_shuffle(&l->chance, order, p->members);
		for (uint32_t i = 0; i < p->members; i++) {
			const struct census_row *me = &c->row[c->order[p->first + order[i]]];
			uint32_t k = MIN(bounds_longs(lim, me->look.size), G_N_ELEMENTS(have)), haves = 0;

			while (haves < k) {
				uint32_t to = draw_one(l, c, lim, p, order[i], have, haves, incoming);

				if (to == p->members)
					break;
				have[haves++] = to;
				incoming[to]++;
				sample_add(law, real_log(share(id_clockwise(me->look.id,
					c->row[c->order[p->first + to]].look.id))) / LN2);
			}
		}
	}
	g_free(order);
	g_free(incoming);
}

void lengths_held(const struct census *c, struct sample *held)
{
	const struct census_part *p = largest(c);

	for (uint32_t i = 0; p && i < p->members; i++) {
		const struct census_row *me = &c->row[c->order[p->first + i]];

		for (uint32_t k = 0; k < me->links; k++)
			if (me->link[k].state == LINK_UP && me->link[k].use & USE_LONG_OUT)
				sample_add(held, real_log(share(id_clockwise(me->look.id, me->link[k].id))) /
					   LN2);
	}
}

/* ---- verdicts ---- */

static void judge_drawn(struct check_lengths *l, const struct census *c, const struct judge *j,
			struct lengths_view *out)
{
	struct sample sorted = { 0 };

	out->drawn = l->drawn.count;
	if (!out->drawn)
		return;
	for (uint32_t i = 0; i < l->drawn.count; i++)
		sample_add(&sorted, l->drawn.x[i]);
	sample_sort(&sorted);
	out->drawn_ks = ks_uniform(&sorted);
	sample_done(&sorted);
	if (!lengths_decides(out->drawn) || out->drawn_ks <= LENGTHS_KS || l->told_drawn)
		return;
	l->told_drawn = true;
	findings_add(j->found, ORACLE_LENGTHS, c->now_ns, FINDING_WORLD,
		     "%u points were drawn for long links; their distribution is %.4f away from %s, expected "
		     "at most %.2f", out->drawn, out->drawn_ks,
		     j->limits->uniform ? "the uniform one" : "p(x) = 1 / (x ln n)", LENGTHS_KS);
}

static void judge_held(struct check_lengths *l, const struct census *c, const struct judge *j,
		       struct lengths_view *out)
{
	struct sample held = { 0 }, law = { 0 };

	lengths_held(c, &held);
	out->held = held.count;
	if (held.count)
		lengths_law(l, c, j->limits, 1 + LENGTHS_LAW / held.count, &law);
	if (law.count) {
		sample_sort(&held);
		sample_sort(&law);
		out->held_ks = ks_between(&held, &law);
	}
	sample_done(&held);
	sample_done(&law);
	if (out->held_ks <= LENGTHS_KS || !lengths_decides(out->held) || l->told_held)
		return;
	l->told_held = true;
	findings_add(j->found, ORACLE_LENGTHS, c->now_ns, FINDING_WORLD,
		     "%u long links are held; the distribution of their lengths is %.4f away from its law, "
		     "expected at most %.2f", out->held, out->held_ks, LENGTHS_KS);
}

void check_lengths(struct check_lengths *l, const struct census *c, const struct judge *j,
		   struct lengths_view *out)
{
	*out = (struct lengths_view){ .drawn_ks = -1, .held_ks = -1 };
	judge_drawn(l, c, j, out);
	judge_held(l, c, j, out);
	findings_checked(j->found, ORACLE_LENGTHS, 1);
	if (!lengths_decides(out->drawn) || !lengths_decides(out->held))
		findings_undecided(j->found, ORACLE_LENGTHS,
				   "too few samples: %u drawn points and %u held links, and below %u the distance "
				   "allowed (%.2f) cannot be told from chance", out->drawn, out->held,
				   (unsigned)(LENGTHS_SURE * LENGTHS_SURE / (LENGTHS_KS * LENGTHS_KS)) + 1,
				   LENGTHS_KS);
}
