/*
 * Histories of one leased address: those some order explains are good, all others are not.
 *
 * The clever search is laid beside a dull one that tries all orders (and in
 * check_register_test.c beside a register that really answers).
 */
#include <glib.h>

#include "sim/check/linear.h"
#include "sim/engine/chance.h"
#include "tests/unit/suites.h"

#define SECOND INT64_C(1000000000)

/** struct line - one question of a hand-made history; end_s < 0: lost */
struct line {
	double begin_s, end_s;
	uint64_t who;
	int kind, verdict;
	uint64_t holder, grant;		/* as answered */
	uint64_t meant;			/* RENEW, RELEASE, TAKE: the fence meant */
};

enum { TERM_S = 100 };

static struct fence fence(uint64_t grant)
{
	return (struct fence){ .grant = grant, .generation = grant > 0 };
}

static struct linear_op op_of(const struct line *e)
{
	return (struct linear_op){ .who = e->who, .client = e->who, .fence = fence(e->meant),
				   .term_ns = TERM_S * SECOND, .kind = (uint8_t)e->kind };
}

static struct linear_answer answer_of(const struct line *e)
{
	return (struct linear_answer){ .holder = e->holder, .client = e->holder, .fence = fence(e->grant),
				       .verdict = (uint8_t)e->verdict };
}

static int64_t ns(double s)
{
	return (int64_t)(s * 1e9);
}

/* Tell all of it in order of time, as a run would. */
static enum linear_word judge(const struct line *line, unsigned lines)
{
	struct linear *l = linear_new();
	uint32_t number[64];
	uint64_t begun = 0, done = 0, all = (UINT64_C(1) << lines) - 1;
	enum linear_word word = LINEAR_GOOD;
	struct linear_verdict v;

	while (begun != all || done != all) {
		double best = 1e18;
		unsigned which = 0;
		bool end = false;

		for (unsigned i = 0; i < lines; i++) {
			double e = line[i].end_s < 0 ? line[i].begin_s + 5 : line[i].end_s;

			if (!(begun >> i & 1) && line[i].begin_s <= best) {
				if (line[i].begin_s < best || end)
					best = line[i].begin_s, which = i, end = false;
			}
			if ((begun >> i & 1) && !(done >> i & 1) && e < best)
				best = e, which = i, end = true;
		}
		if (!end) {
			struct linear_op op = op_of(&line[which]);

			number[which] = linear_begin(l, ns(best), &op);
			begun |= UINT64_C(1) << which;
		} else {
			struct linear_answer a = answer_of(&line[which]);

			if (line[which].end_s < 0)
				linear_lost(l, ns(best), number[which]);
			else
				linear_end(l, ns(best), number[which], &a);
			done |= UINT64_C(1) << which;
		}
		while (linear_judge(l, &v))
			if (word != LINEAR_BAD)
				word = v.word;
	}
	if (!linear_idle(l))
		word = LINEAR_UNDECIDED;
	linear_free(l);
	return word;
}

#define GOOD(h) CU_ASSERT_EQUAL(judge(h, sizeof(h) / sizeof(*h)), LINEAR_GOOD)
#define BAD(h) CU_ASSERT_EQUAL(judge(h, sizeof(h) / sizeof(*h)), LINEAR_BAD)

enum { A = 11, B = 22, C = 33 };

static void one_after_the_other_is_good(void)
{
	static const struct line h[] = {
		{ 0, 1, A, OP_CREATE, VERDICT_OK, A, 1, 0 },
		{ 2, 3, B, OP_CREATE, VERDICT_TAKEN, A, 1, 0 },
		{ 4, 5, C, OP_GET, VERDICT_OK, A, 1, 0 },
		{ 6, 7, A, OP_RENEW, VERDICT_OK, A, 1, 1 },
		{ 8, 9, A, OP_RELEASE, VERDICT_OK, A, 1, 1 },
		{ 10, 11, C, OP_GET, VERDICT_ABSENT, 0, 0, 0 },
		{ 12, 13, B, OP_CREATE, VERDICT_OK, B, 2, 0 },
		{ 14, 15, A, OP_RENEW, VERDICT_FENCED, 0, 0, 1 },
	};

	GOOD(h);
}

static void two_grants_at_once_are_not(void)
{
	static const struct line together[] = {
		{ 0, 5, A, OP_CREATE, VERDICT_OK, A, 1, 0 },
		{ 1, 4, B, OP_CREATE, VERDICT_OK, B, 2, 0 },
	};
	static const struct line later[] = {
		{ 0, 5, A, OP_CREATE, VERDICT_OK, A, 1, 0 },
		{ 50, 51, B, OP_CREATE, VERDICT_OK, B, 2, 0 },
	};
	static const struct line renewed[] = {
		{ 0, 5, A, OP_CREATE, VERDICT_OK, A, 1, 0 },
		{ 90, 91, A, OP_RENEW, VERDICT_OK, A, 1, 1 },
		{ 150, 151, B, OP_CREATE, VERDICT_OK, B, 2, 0 },
	};

	BAD(together);
	BAD(later);
	BAD(renewed);
}

static void a_term_is_over_when_it_is_over(void)
{
	static const struct line after[] = {
		{ 0, 5, A, OP_CREATE, VERDICT_OK, A, 1, 0 },
		{ 99.5, 100.5, B, OP_CREATE, VERDICT_OK, B, 2, 0 },
	};
	static const struct line before[] = {
		{ 0, 5, A, OP_CREATE, VERDICT_OK, A, 1, 0 },
		{ 98, 99.9, B, OP_CREATE, VERDICT_OK, B, 2, 0 },
	};
	static const struct line seen_free[] = {
		{ 0, 5, A, OP_CREATE, VERDICT_OK, A, 1, 0 },
		{ 98, 99.9, B, OP_GET, VERDICT_ABSENT, 0, 0, 0 },
	};
	static const struct line revived[] = {
		{ 0, 5, A, OP_CREATE, VERDICT_OK, A, 1, 0 },
		{ 110, 111, B, OP_GET, VERDICT_ABSENT, 0, 0, 0 },
		{ 112, 113, A, OP_RENEW, VERDICT_OK, A, 1, 1 },
		{ 114, 115, B, OP_CREATE, VERDICT_TAKEN, A, 1, 0 },
	};
	static const struct line resurrected[] = {
		{ 0, 5, A, OP_CREATE, VERDICT_OK, A, 1, 0 },
		{ 110, 111, B, OP_CREATE, VERDICT_OK, B, 2, 0 },
		{ 112, 113, A, OP_RENEW, VERDICT_OK, A, 1, 1 },
	};
	static const struct line lingers[] = {
		{ 0, 5, A, OP_CREATE, VERDICT_OK, A, 1, 0 },
		{ 300, 301, B, OP_CREATE, VERDICT_TAKEN, A, 1, 0 },
	};

	GOOD(after);
	BAD(before);
	BAD(seen_free);
	GOOD(revived);
	BAD(resurrected);
	GOOD(lingers);
}

static void reads_that_overlap_may_go_either_way_but_not_back(void)
{
	static const struct line either[] = {
		{ 0, 10, A, OP_CREATE, VERDICT_OK, A, 1, 0 },
		{ 1, 2, B, OP_GET, VERDICT_ABSENT, 0, 0, 0 },
		{ 3, 4, B, OP_GET, VERDICT_OK, A, 1, 0 },
	};
	static const struct line back[] = {
		{ 0, 10, A, OP_CREATE, VERDICT_OK, A, 1, 0 },
		{ 1, 2, B, OP_GET, VERDICT_OK, A, 1, 0 },
		{ 3, 4, C, OP_GET, VERDICT_ABSENT, 0, 0, 0 },
	};

	GOOD(either);
	BAD(back);
}

static void a_lost_question_may_have_done_it_or_not(void)
{
	static const struct line did[] = {
		{ 0, -1, A, OP_CREATE, 0, 0, 0, 0 },
		{ 20, 21, B, OP_CREATE, VERDICT_TAKEN, A, 7, 0 },
		{ 22, 23, B, OP_GET, VERDICT_OK, A, 7, 0 },
	};
	static const struct line did_not[] = {
		{ 0, -1, A, OP_CREATE, 0, 0, 0, 0 },
		{ 20, 21, B, OP_CREATE, VERDICT_OK, B, 1, 0 },
	};
	static const struct line late[] = {
		{ 0, -1, A, OP_CREATE, 0, 0, 0, 0 },
		{ 20, 21, B, OP_CREATE, VERDICT_OK, B, 1, 0 },
		{ 22, 23, B, OP_RELEASE, VERDICT_OK, B, 1, 1 },
		{ 24, 25, C, OP_GET, VERDICT_OK, A, 2, 0 },
	};
	static const struct line twice[] = {
		{ 0, -1, A, OP_CREATE, 0, 0, 0, 0 },
		{ 20, 21, C, OP_GET, VERDICT_OK, A, 1, 0 },
		{ 22, 23, A, OP_RELEASE, VERDICT_OK, A, 1, 1 },
		{ 24, 25, C, OP_GET, VERDICT_OK, A, 2, 0 },
	};
	static const struct line released[] = {
		{ 0, 1, A, OP_CREATE, VERDICT_OK, A, 1, 0 },
		{ 2, -1, A, OP_RELEASE, 0, 0, 0, 1 },
		{ 10, 11, B, OP_CREATE, VERDICT_OK, B, 2, 0 },
	};
	static const struct line own_anew[] = {
		{ 0, 1, A, OP_CREATE, VERDICT_OK, A, 1, 0 },
		{ 2, -1, A, OP_CREATE, 0, 0, 0, 0 },
		{ 10, 11, B, OP_GET, VERDICT_OK, A, 2, 0 },
	};
	static const struct line nobody_did[] = {
		{ 0, -1, A, OP_CREATE, 0, 0, 0, 0 },
		{ 20, 21, B, OP_CREATE, VERDICT_TAKEN, C, 7, 0 },
	};

	GOOD(did);
	GOOD(did_not);
	GOOD(late);
	BAD(twice);
	GOOD(released);
	GOOD(own_anew);
	BAD(nobody_did);
}

static void fences_grow(void)
{
	static const struct line same[] = {
		{ 0, 1, A, OP_CREATE, VERDICT_OK, A, 5, 0 },
		{ 2, 3, A, OP_RELEASE, VERDICT_OK, A, 5, 5 },
		{ 4, 5, B, OP_CREATE, VERDICT_OK, B, 5, 0 },
	};
	static const struct line down[] = {
		{ 0, 1, A, OP_CREATE, VERDICT_OK, A, 5, 0 },
		{ 200, 201, B, OP_CREATE, VERDICT_OK, B, 4, 0 },
	};
	static const struct line other[] = {
		{ 0, 1, A, OP_CREATE, VERDICT_OK, A, 5, 0 },
		{ 2, 3, B, OP_GET, VERDICT_OK, A, 4, 0 },
	};
	static const struct line own_again[] = {
		{ 0, 1, A, OP_CREATE, VERDICT_OK, A, 5, 0 },
		{ 2, 3, A, OP_CREATE, VERDICT_OK, A, 5, 0 },
		{ 4, 5, A, OP_CREATE, VERDICT_OK, A, 6, 0 },
	};

	BAD(same);
	BAD(down);
	BAD(other);
	GOOD(own_again);
}

static void taking_over_needs_the_fence_that_stands(void)
{
	static const struct line good[] = {
		{ 0, 1, A, OP_CREATE, VERDICT_OK, A, 1, 0 },
		{ 2, 3, B, OP_TAKE, VERDICT_OK, B, 2, 1 },
		{ 4, 5, A, OP_RENEW, VERDICT_FENCED, 0, 0, 1 },
		{ 6, 7, C, OP_GET, VERDICT_OK, B, 2, 0 },
	};
	static const struct line stale[] = {
		{ 0, 1, A, OP_CREATE, VERDICT_OK, A, 1, 0 },
		{ 2, 3, B, OP_TAKE, VERDICT_OK, B, 2, 1 },
		{ 4, 5, C, OP_TAKE, VERDICT_OK, C, 3, 1 },
	};
	static const struct line renewed_after[] = {
		{ 0, 1, A, OP_CREATE, VERDICT_OK, A, 1, 0 },
		{ 2, 3, B, OP_TAKE, VERDICT_OK, B, 2, 1 },
		{ 4, 5, A, OP_RENEW, VERDICT_OK, A, 1, 1 },
	};
	static const struct line fenced_for_nothing[] = {
		{ 0, 1, A, OP_CREATE, VERDICT_OK, A, 1, 0 },
		{ 2, 3, A, OP_RENEW, VERDICT_FENCED, 0, 0, 1 },
	};

	GOOD(good);
	BAD(stale);
	BAD(renewed_after);
	BAD(fenced_for_nothing);
}

static void after_a_violation_judging_goes_on(void)
{
	static const struct line h[] = {
		{ 0, 1, A, OP_CREATE, VERDICT_OK, A, 1, 0 },
		{ 2, 3, B, OP_CREATE, VERDICT_OK, B, 2, 0 },
		{ 4, 5, C, OP_GET, VERDICT_OK, B, 2, 0 },
		{ 6, 7, C, OP_CREATE, VERDICT_OK, C, 3, 0 },
	};
	struct linear *l = linear_new();
	struct linear_verdict v;
	unsigned bad = 0;

	for (unsigned i = 0; i < 4; i++) {
		struct linear_op op = op_of(&h[i]);
		struct linear_answer a = answer_of(&h[i]);

		linear_end(l, ns(h[i].end_s), linear_begin(l, ns(h[i].begin_s), &op), &a);
		while (linear_judge(l, &v)) {
			CU_ASSERT_EQUAL(v.word, LINEAR_BAD);
			CU_ASSERT_EQUAL(v.op.who, i == 1 ? B : C);
			CU_ASSERT_EQUAL(v.state.holder, i == 1 ? A : B);
			bad++;
		}
	}
	/* the second: a grant that was not free; the fourth: learned that it is B's, whose term is not known to end */
	CU_ASSERT(bad == 1);
	CU_ASSERT_EQUAL(linear_judged(l), 4);
	linear_free(l);
}

/* ---- beside a dull search ---- */

static bool dull_try(const struct line *line, unsigned lines, uint64_t done, struct linear_state s, int64_t at_ns)
{
	bool all = true;

	for (unsigned i = 0; i < lines; i++)
		if (!(done >> i & 1) && line[i].end_s >= 0)
			all = false;
	if (all)
		return true;
	for (unsigned i = 0; i < lines; i++) {
		struct linear_op op = op_of(&line[i]);
		struct linear_answer a = answer_of(&line[i]);
		struct linear_state next;
		int64_t limit = INT64_MAX, from = MAX(at_ns, ns(line[i].begin_s));

		if (done >> i & 1)
			continue;
		for (unsigned j = 0; j < lines; j++)	/* nobody still to come may have ended before */
			if (!(done >> j & 1) && line[j].end_s >= 0)
				limit = MIN(limit, ns(line[j].end_s));
		if (from > limit)
			continue;
		/* as early as it can be, and as late: the later instant is needed for what has ended */
		if (linear_apply(&s, &op, line[i].end_s < 0 ? NULL : &a, ns(line[i].begin_s), from, &next) &&
		    dull_try(line, lines, done | UINT64_C(1) << i, next, from))
			return true;
		if (linear_apply(&s, &op, line[i].end_s < 0 ? NULL : &a, ns(line[i].begin_s), limit, &next) &&
		    dull_try(line, lines, done | UINT64_C(1) << i, next, limit))
			return true;
	}
	return false;
}

/* Mostly nonsense, some of it possible. */
static unsigned babble(struct chance *c, struct line *line)
{
	static const int kinds[] = { OP_CREATE, OP_CREATE, OP_GET, OP_GET, OP_RENEW, OP_RELEASE, OP_TAKE };
	unsigned lines = 2 + (unsigned)chance_below(c, 5);
	double at = 0;

	for (unsigned i = 0; i < lines; i++) {
		struct line *e = &line[i];

		at += (double)chance_below(c, 60);
		*e = (struct line){ .begin_s = at, .end_s = at + 1 + (double)chance_below(c, 90) };
		e->who = 1 + chance_below(c, 2);
		e->kind = kinds[chance_below(c, 7)];
		e->grant = 1 + chance_below(c, 2);
		e->holder = 1 + chance_below(c, 2);
		e->verdict = VERDICT_OK;
		if (e->kind == OP_RENEW || e->kind == OP_RELEASE || e->kind == OP_TAKE)
			e->meant = 1 + chance_below(c, 2);
		if (e->kind == OP_CREATE || e->kind == OP_TAKE)
			e->holder = e->who;
		switch (chance_below(c, 5)) {
		case 0:
			e->end_s = -1;
			break;
		case 1:
			e->verdict = e->kind == OP_CREATE ? VERDICT_TAKEN : e->kind == OP_GET ? VERDICT_ABSENT :
				VERDICT_FENCED;
			e->holder = e->kind == OP_CREATE ? 1 + chance_below(c, 2) : 0;
			break;
		}
	}
	return lines;
}

static void the_search_agrees_with_trying_all_orders(void)
{
	struct chance c = chance_of(7, 1, 1);
	unsigned good = 0, bad = 0, differ = 0;

	for (unsigned n = 0; n < 20000; n++) {
		struct line line[8];
		unsigned lines = babble(&c, line);
		bool clever = judge(line, lines) == LINEAR_GOOD;
		bool dull = dull_try(line, lines, 0, (struct linear_state){ 0 }, 0);

		good += dull;
		bad += !dull;
		differ += clever != dull;
	}
	CU_ASSERT_EQUAL(differ, 0);
	CU_ASSERT(good > 1000);
	CU_ASSERT(bad > 1000);
}

CU_TestInfo check_linear_tests[] = {
	{ "one after the other is good", one_after_the_other_is_good },
	{ "two grants at once are not", two_grants_at_once_are_not },
	{ "a term is over when it is over", a_term_is_over_when_it_is_over },
	{ "reads that overlap may go either way, but not back", reads_that_overlap_may_go_either_way_but_not_back },
	{ "a lost question may have done it or not", a_lost_question_may_have_done_it_or_not },
	{ "fences grow", fences_grow },
	{ "taking over needs the fence that stands", taking_over_needs_the_fence_that_stands },
	{ "after a violation judging goes on", after_a_violation_judging_goes_on },
	{ "the search agrees with trying all orders", the_search_agrees_with_trying_all_orders },
	CU_TEST_INFO_NULL
};
