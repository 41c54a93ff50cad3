/*
 * A register that really answers is never accused of anything; each lie told about its answers is seen.
 */
#include <stdlib.h>

#include "sim/check/linear.h"
#include "sim/engine/chance.h"
#include "tests/unit/suites.h"

#define SECOND INT64_C(1000000000)

enum { CLIENTS = 8, ASKED = 400 };

static struct fence fence(uint64_t grant)
{
	return (struct fence){ .grant = grant, .generation = grant > 0 };
}

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
	unsigned lies = 0, undecided = 0;
	uint64_t judged;

	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct chance c = chance_of(seed, 3, 3);
		unsigned n = live(&c, told);
		enum linear_word word;

		if (!lie(&c, told, n, (unsigned)seed % 4))
			continue;
		word = judge_told(told, n, &judged);
		CU_ASSERT_NOT_EQUAL(word, LINEAR_GOOD);
		undecided += word == LINEAR_UNDECIDED;
		lies++;
	}
	CU_ASSERT(lies >= 50);
	CU_ASSERT(undecided <= 3);
}

CU_TestInfo check_register_tests[] = {
	{ "a true register is never accused", a_true_register_is_never_accused },
	{ "every lie is seen", every_lie_is_seen },
	CU_TEST_INFO_NULL
};
