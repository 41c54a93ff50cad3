/* Link lengths: right draws pass, the famous wrong one does not, few are not judged. */
#include <math.h>
#include <stdlib.h>

#include "node/prog/real.h"
#include "sim/check/lengths.h"
#include "tests/unit/check_help.h"
#include "tests/unit/suites.h"

static struct census c;
static struct limits limits;
static struct findings found;
static struct check_lengths lengths;
static struct lengths_view view;
static struct judge judge = { &limits, &found };

enum draws { LN, LOG10, UNIFORM, SHORT };

static void begin(uint32_t n)
{
	struct chance dice = chance_of(11, 0, 0);

	limits = usual_limits();
	findings_init(&found, NULL, NULL);
	lengths = (struct check_lengths){ .chance = chance_of(3, 0, 0) };
	ring_of(&c, n, 2, 4);
	for (uint32_t i = 0; i < n; i++)
		c.row[i].look.id.hi = chance_next(&dice);
	census_index(&c);
}

static void end(void)
{
	check_lengths_done(&lengths);
	findings_done(&found);
	census_done(&c);
}

static double drawn(enum draws how, double n, double u)
{
	switch (how) {
	case LN:	return pow(n, -u);
	case LOG10:	return exp(-log10(n) * u);
	case UNIFORM:	return u;
	default:	return pow(2 * n, -u);
	}
}

/* All members draw k links as they should, but for how the distance is drawn. */
static void draw_all(enum draws how, unsigned k, uint64_t seed)
{
	struct chance dice = chance_of(seed, 1, 0);
	const struct census_part *p = &c.part[0];
	uint32_t *incoming = calloc(c.rows, sizeof(*incoming)), *turn = calloc(c.rows, sizeof(*turn));

	for (uint32_t i = 0; i < p->members; i++)
		turn[i] = i;
	chance_shuffle(&dice, turn, p->members);
	for (uint32_t t = 0; t < p->members; t++) {
		uint32_t have[16], haves = 0, i = turn[t];

		while (haves < k) {
			double x = drawn(how, p->members, real_unit(chance_next(&dice)));
			struct id self = c.row[c.order[i]].look.id, far = { (uint64_t)(x * 0x1.fffffffffffffp63), 0 };
			uint32_t row, to, steps;
			bool taken;

			lengths_drawn(&lengths, &limits, self, id_add(self, far), p->members);
			row = census_owner(&c, 0, id_add(self, far));
			to = c.row[row].at;
			steps = (to + p->members - i) % p->members;
			taken = steps <= 2 || steps >= p->members - 2 || incoming[to] >= 2 * k;
			for (uint32_t h = 0; h < haves; h++)
				taken |= have[h] == to;
			if (taken)
				continue;
			have[haves++] = to;
			incoming[to]++;
			census_add_link(&c, c.order[i], c.row[row].look.id)->use = USE_LONG_OUT;
		}
	}
	free(incoming);
	free(turn);
}

static uint64_t look(void)
{
	c.now_ns += 10 * SECOND;
	check_lengths(&lengths, &c, &judge, &view);
	return found.violations[ORACLE_LENGTHS];
}

static void the_distance_of_distributions_is_kolmogorovs(void)
{
	struct sample a = { 0 }, b = { 0 };

	for (unsigned i = 0; i < 128; i++) {
		sample_add(&a, i / 128.0);
		sample_add(&b, (i + 32) / 128.0);
	}
	CU_ASSERT_DOUBLE_EQUAL(ks_uniform(&a), 1 / 128.0, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(ks_between(&a, &b), 0.25, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(ks_between(&a, &a), 0, 1e-9);
	for (unsigned i = 0; i < 128; i++)
		a.x[i] *= a.x[i];			/* greatest where x^2 and x are a quarter apart */
	CU_ASSERT_DOUBLE_EQUAL(ks_uniform(&a), 0.25 + 1 / 128.0, 0.001);
	sample_done(&a);
	sample_done(&b);
}

static void fewer_than_4225_decide_nothing(void)
{
	CU_ASSERT_FALSE(lengths_decides(4225));
	CU_ASSERT_TRUE(lengths_decides(4226));
	begin(200);
	draw_all(LOG10, 4, 1);
	CU_ASSERT_EQUAL(look(), 0);
	CU_ASSERT_TRUE(view.held_ks > 0.2);
	CU_ASSERT_PTR_NOT_NULL(found.undecided[ORACLE_LENGTHS]);
	end();
}

static void links_drawn_as_symphony_says_follow_the_law(void)
{
	for (uint64_t seed = 1; seed <= 3; seed++) {
		begin(1000);
		draw_all(LN, 5, seed);
		CU_ASSERT_EQUAL(look(), 0);
		CU_ASSERT_TRUE(view.drawn_ks < 0.02);
		CU_ASSERT_TRUE(view.held_ks < 0.025);
		CU_ASSERT_EQUAL(view.held, 5000);
		CU_ASSERT_PTR_NULL(found.undecided[ORACLE_LENGTHS]);
		end();
	}
}

static void a_draw_with_log10_is_told_by_both_tests(void)
{
	begin(1000);
	draw_all(LOG10, 5, 1);
	CU_ASSERT_EQUAL(look(), 2);
	CU_ASSERT_DOUBLE_EQUAL(view.drawn_ks, 1 - 1 / log(10), 0.02);
	CU_ASSERT_TRUE(view.held_ks > 0.3);
	CU_ASSERT_EQUAL(look(), 2);
	end();
}

static void a_size_wrong_by_two_is_told(void)
{
	begin(1000);
	draw_all(SHORT, 5, 1);
	CU_ASSERT_TRUE(look() >= 1);
	CU_ASSERT_TRUE(view.drawn_ks > 0.06);
	end();
}

static void a_cap_that_is_not_kept_to_changes_the_law(void)
{
	struct sample capped = { 0 }, free_law = { 0 };

	begin(1000);
	lengths_law(&lengths, &c, &limits, 40, &capped);
	limits.cap = false;
	lengths_law(&lengths, &c, &limits, 40, &free_law);
	sample_sort(&capped);
	sample_sort(&free_law);
	CU_ASSERT_EQUAL(capped.count, 200000);
	CU_ASSERT_TRUE(ks_between(&capped, &free_law) > 0.005);
	CU_ASSERT_TRUE(ks_between(&capped, &free_law) < 0.1);
	sample_done(&capped);
	sample_done(&free_law);
	end();
}

static void uniform_links_have_their_own_law(void)
{
	begin(1000);
	limits.uniform = true;
	draw_all(UNIFORM, 5, 1);
	CU_ASSERT_EQUAL(look(), 0);
	CU_ASSERT_TRUE(view.held_ks >= 0);
	end();
	begin(1000);
	draw_all(UNIFORM, 5, 1);
	CU_ASSERT_EQUAL(look(), 2);
	end();
}

CU_TestInfo check_lengths_tests[] = {
	{ "the distance of distributions is Kolmogorov's", the_distance_of_distributions_is_kolmogorovs },
	{ "fewer than 4225 decide nothing", fewer_than_4225_decide_nothing },
	{ "links drawn as Symphony says follow the law", links_drawn_as_symphony_says_follow_the_law },
	{ "a draw with log10 is told by both tests", a_draw_with_log10_is_told_by_both_tests },
	{ "a size wrong by two is told", a_size_wrong_by_two_is_told },
	{ "a cap that is not kept to changes the law", a_cap_that_is_not_kept_to_changes_the_law },
	{ "uniform links have their own law", uniform_links_have_their_own_law },
	CU_TEST_INFO_NULL
};
