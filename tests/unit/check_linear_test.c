/*
 * Histories of one leased address: those some order explains are good, all others are not.
 *
 * The clever search is laid beside a dull one that tries all orders; both beside
 * a register that really answers in an order, with lies told about its answers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* ---- beside a register that really answers ---- */

enum { CLIENTS = 8, ASKED = 400 };

/** struct truth - what the register really is */
struct truth {
	uint64_t holder, grant, highest;
	int64_t ends_ns;
};

struct told {
	struct linear_op op;
	struct linear_answer answer;
	int64_t begin_ns, at_ns, end_ns;
	bool lost;
};

/* The register answers @t at its instant @t->at_ns. */
static void answer_truly(struct truth *r, struct told *t)
{
	bool free = !r->holder || t->at_ns >= r->ends_ns;
	bool ours = r->holder == t->op.who && t->op.fence.grant == r->grant;
	struct linear_answer *a = &t->answer;

	*a = (struct linear_answer){ .verdict = VERDICT_OK };
	switch (t->op.kind) {
	case OP_CREATE:
		if (!free && r->holder != t->op.who) {
			a->verdict = VERDICT_TAKEN;
			break;
		}
		if (free || r->holder != t->op.who)
			r->grant = ++r->highest;
		r->holder = t->op.who;
		r->ends_ns = t->at_ns + t->op.term_ns;
		break;
	case OP_GET:
		if (free) {
			a->verdict = VERDICT_ABSENT;
			return;
		}
		break;
	case OP_RENEW:
		if (!ours) {
			a->verdict = VERDICT_FENCED;
			return;
		}
		r->ends_ns = t->at_ns + t->op.term_ns;
		break;
	case OP_RELEASE:
		if (!ours) {
			a->verdict = VERDICT_FENCED;
			return;
		}
		a->holder = r->holder;
		a->fence = fence(r->grant);
		r->holder = 0;
		return;
	case OP_TAKE:
		if (t->op.fence.grant != r->grant || !r->holder) {
			a->verdict = VERDICT_FENCED;
			return;
		}
		r->grant = ++r->highest;
		r->holder = t->op.who;
		r->ends_ns = t->at_ns + t->op.term_ns;
		break;
	}
	a->holder = r->holder;
	a->fence = fence(r->grant);
}

static int by_instant(const void *va, const void *vb)
{
	const struct told *a = va, *b = vb;

	return (a->at_ns > b->at_ns) - (a->at_ns < b->at_ns);
}

/* Each client asks, waits for the answer or gives up, asks again; what it knows it knows from answers. */
static unsigned live(struct chance *c, struct told *told)
{
	struct truth r = { 0 };
	struct { int64_t free_ns; uint64_t grant; } client[CLIENTS] = { 0 };
	unsigned n = 0;
	int64_t now_ns = 0;

	while (n < ASKED) {
		struct told *t = &told[n];
		unsigned k = (unsigned)chance_below(c, CLIENTS);
		bool queued = true;

		now_ns += 1 + (int64_t)chance_below(c, 2 * SECOND);
		if (client[k].free_ns > now_ns)
			continue;
		*t = (struct told){ .begin_ns = now_ns };
		t->op = (struct linear_op){ .who = k + 1, .client = k + 1,
					    .term_ns = (int64_t)(5 + chance_below(c, 30)) * SECOND };
		switch (chance_below(c, 8)) {
		case 0: case 1: case 2:
			t->op.kind = OP_CREATE;
			break;
		case 3: case 4:
			t->op.kind = OP_GET;
			break;
		case 5:
			t->op.kind = OP_TAKE;
			t->op.fence = fence(r.grant);	/* as told by somebody */
			queued = r.grant != 0;
			break;
		default:
			t->op.kind = chance_below(c, 3) ? OP_RENEW : OP_RELEASE;
			t->op.fence = fence(client[k].grant);
			queued = client[k].grant != 0;
		}
		if (!queued)
			continue;
		t->at_ns = now_ns + (int64_t)chance_below(c, 3 * SECOND);
		t->end_ns = t->at_ns + (int64_t)chance_below(c, 3 * SECOND);
		t->lost = !chance_below(c, 30);
		client[k].free_ns = t->end_ns;
		n++;
		/* grants are only known once all that begin before have been played: do it at once, in order */
		qsort(told, n, sizeof(*told), by_instant);
		r = (struct truth){ 0 };
		for (unsigned i = 0; i < n; i++) {
			struct linear_op op = told[i].op;

			answer_truly(&r, &told[i]);
			if (told[i].answer.verdict == VERDICT_OK && op.kind != OP_GET && op.kind != OP_RELEASE &&
			    !told[i].lost)
				client[op.who - 1].grant = told[i].answer.fence.grant;
		}
	}
	return n;
}

static int by_begin(const void *va, const void *vb)
{
	const struct told *a = va, *b = vb;

	return (a->begin_ns > b->begin_ns) - (a->begin_ns < b->begin_ns);
}

static enum linear_word judge_told(struct told *told, unsigned n, uint64_t *judged)
{
	struct linear *l = linear_new();
	uint32_t number[ASKED];
	enum linear_word word = LINEAR_GOOD;
	struct linear_verdict v;
	bool ended[ASKED] = { 0 };

	qsort(told, n, sizeof(*told), by_begin);
	for (unsigned i = 0; i <= n; i++) {
		for (;;) {		/* ends before this begin, in order */
			unsigned first = n;

			for (unsigned j = 0; j < i; j++)
				if (!ended[j] && (i == n || told[j].end_ns < told[i].begin_ns) &&
				    (first == n || told[j].end_ns < told[first].end_ns))
					first = j;
			if (first == n)
				break;
			ended[first] = true;
			if (told[first].lost)
				linear_lost(l, told[first].end_ns, number[first]);
			else
				linear_end(l, told[first].end_ns, number[first], &told[first].answer);
			while (linear_judge(l, &v))
				if (word != LINEAR_BAD)
					word = v.word;
		}
		if (i < n)
			number[i] = linear_begin(l, told[i].begin_ns, &told[i].op);
	}
	*judged = linear_judged(l);
	linear_free(l);
	return word;
}

static void a_true_register_is_never_accused(void)
{
	static struct told told[ASKED];
	uint64_t judged, sum = 0;
	unsigned undecided = 0;

	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct chance c = chance_of(seed, 2, 2);
		unsigned n = live(&c, told);
		enum linear_word word = judge_told(told, n, &judged);

		CU_ASSERT_NOT_EQUAL(word, LINEAR_BAD);
		undecided += word == LINEAR_UNDECIDED;
		sum += judged;
	}
	CU_ASSERT(undecided <= 3);
	CU_ASSERT(sum > 60 * ASKED * 9 / 10);
}

/* Change one answer so that it is certainly a lie; false if this history has no place for it. */
static bool lie(struct chance *c, struct told *told, unsigned n, unsigned which)
{
	unsigned from = (unsigned)chance_below(c, n);

	for (unsigned k = 0; k < n; k++) {
		struct told *t = &told[(from + k) % n];

		if (t->lost || t->answer.verdict == VERDICT_ABSENT)
			continue;
		switch (which) {
		case 0:				/* granted while somebody has it */
			if (t->op.kind != OP_CREATE || t->answer.verdict != VERDICT_TAKEN)
				continue;
			t->answer = (struct linear_answer){ .holder = t->op.who, .fence = fence(9999),
							    .verdict = VERDICT_OK };
			return true;
		case 1:				/* a holder there never was */
			if (t->op.kind != OP_GET)
				continue;
			t->answer.holder = 77;
			return true;
		case 2:				/* a fence of long ago */
			if (t->op.kind != OP_GET || t->answer.fence.grant < 4)
				continue;
			t->answer.fence = fence(t->answer.fence.grant - 3);
			return true;
		default:			/* a renewal under a fence there never was */
			if (t->op.kind != OP_RENEW || t->answer.verdict != VERDICT_FENCED)
				continue;
			t->op.fence = fence(8888);
			t->answer = (struct linear_answer){ .holder = t->op.who, .fence = fence(8888),
							    .verdict = VERDICT_OK };
			return true;
		}
	}
	return false;
}

static void every_lie_is_seen(void)
{
	static struct told told[ASKED];
	unsigned lies = 0, seen = 0;
	uint64_t judged;

	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct chance c = chance_of(seed, 3, 3);
		unsigned n = live(&c, told);

		if (!lie(&c, told, n, (unsigned)seed % 4))
			continue;
		lies++;
		seen += judge_told(told, n, &judged) != LINEAR_GOOD;
	}
	CU_ASSERT(lies >= 50);
	CU_ASSERT_EQUAL(seen, lies);
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
	{ "a true register is never accused", a_true_register_is_never_accused },
	{ "every lie is seen", every_lie_is_seen },
	CU_TEST_INFO_NULL
};
