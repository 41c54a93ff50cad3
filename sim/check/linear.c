/*
 * linear.c - just-in-time linearization, with memory
 *
 * Wing and Gong (JPDC 1993) try all orders; Lowe ("Testing for linearizability",
 * CCPE 2017) keeps, walking along the history, the set of configurations that
 * explain it so far: (state of the register, questions that took effect already
 * though their end is still to come). A begin adds a question to those pending.
 * An end asks for all configurations in which that question has taken effect:
 * those that had it already, and those that get there by letting pending
 * questions take effect, it last. None left: no order explains the answer.
 *
 * Answers are used as soon as a question takes effect, so an event is looked at
 * only when the outcome of all questions begun before it is known: what comes
 * in waits in a queue that stands still before the begin of an open one.
 *
 * Lost questions stay pending for ever. A configuration that differs from
 * another in nothing but having used up more of them, or in a lease that must
 * last longer, is worth nothing beside it and goes (dominated()): that, and the
 * small number of questions at a time, keeps the sets small. Beyond bounds
 * (PENDING, CONFIGS) the record is given up and said to be undecided.
 */
#include "sim/check/linear.h"

#include <string.h>

#include <glib.h>

enum {
	PENDING = 48,			/* questions that may still take effect, lost ones included */
	CONFIGS = 1024,
	ALIKE = 3,			/* lost questions that want the same are kept so many times */
};

enum edge { BEGIN, END };

struct queued {				/* in the queue */
	int64_t at_ns;
	uint32_t number;
	uint8_t edge;
};

enum fate { OPEN, ANSWERED, LOST };

struct question {
	struct linear_op op;
	struct linear_answer answer;
	int64_t begin_ns;
	uint32_t number;
	uint8_t fate;
	int8_t slot;			/* -1: not begun as far as judged */
};

struct config {
	uint64_t used;			/* by slot */
	struct linear_state state;
};

struct linear {
	GArray *queue;			/* struct queued, from .head on */
	GArray *question;		/* struct question that are open, queued or pending, by number */
	GArray *config, *next;
	uint64_t busy, lost;		/* slots taken; slots of lost questions */
	uint32_t alone;			/* the question that began last, with no other known one pending */
	struct question in[PENDING];
	uint64_t judged;
	uint32_t head, numbers;
	bool forgot;			/* lost questions were dropped: no verdict is certain */
};

struct linear *linear_new(void)
{
	struct linear *l = g_new0(struct linear, 1);
	struct config first = { 0 };

	l->queue = g_array_new(FALSE, FALSE, sizeof(struct queued));
	l->question = g_array_new(FALSE, FALSE, sizeof(struct question));
	l->config = g_array_new(FALSE, FALSE, sizeof(struct config));
	l->next = g_array_new(FALSE, FALSE, sizeof(struct config));
	g_array_append_val(l->config, first);
	return l;
}

void linear_free(struct linear *l)
{
	if (!l)
		return;
	g_array_free(l->queue, TRUE);
	g_array_free(l->question, TRUE);
	g_array_free(l->config, TRUE);
	g_array_free(l->next, TRUE);
	g_free(l);
}

/* ---- the queue ---- */

static struct question *at_number(struct linear *l, uint32_t number)
{
	unsigned low = 0, high = l->question->len;

	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (g_array_index(l->question, struct question, mid).number < number)
			low = mid + 1;
		else
			high = mid;
	}
	g_assert(low < l->question->len);
	return &g_array_index(l->question, struct question, low);
}

static void remove_question(struct linear *l, const struct question *q)
{
	g_array_remove_index(l->question, (unsigned)(q - (struct question *)(void *)l->question->data));
}

/* In order of time; a begin before an end of the same time, so that they overlap. */
static void enqueue(struct linear *l, struct queued e)
{
	unsigned i = l->queue->len;

	g_array_append_val(l->queue, e);
	for (; i > l->head; i--) {
		struct queued *before = &g_array_index(l->queue, struct queued, i - 1);

		if (before->at_ns < e.at_ns || (before->at_ns == e.at_ns && before->edge <= e.edge))
			break;
		before[1] = *before;
	}
	g_array_index(l->queue, struct queued, i) = e;
}

uint32_t linear_begin(struct linear *l, int64_t at_ns, const struct linear_op *op)
{
	struct question q = { .op = *op, .begin_ns = at_ns, .number = l->numbers++, .slot = -1 };

	g_assert(op->who);
	g_array_append_val(l->question, q);
	enqueue(l, (struct queued){ at_ns, q.number, BEGIN });
	return q.number;
}

void linear_end(struct linear *l, int64_t at_ns, uint32_t number, const struct linear_answer *a)
{
	struct question *q = at_number(l, number);

	g_assert(q->fate == OPEN);
	if (a->verdict == VERDICT_WAIT || a->verdict == VERDICT_TIMEOUT || !a->verdict) {
		linear_lost(l, at_ns, number);
		return;
	}
	q->fate = ANSWERED;
	q->answer = *a;
	enqueue(l, (struct queued){ at_ns, number, END });
}

void linear_lost(struct linear *l, int64_t at_ns, uint32_t number)
{
	struct question *q = at_number(l, number);

	(void)at_ns;
	g_assert(q->fate == OPEN);
	q->fate = LOST;
}

/* ---- configurations ---- */

static bool dominated(const struct linear *l, const struct config *worse, const struct config *better)
{
	const struct linear_state *a = &better->state, *b = &worse->state;

	return a->holder == b->holder && a->client == b->client && !fence_cmp(a->fence, b->fence) &&
		a->vague == b->vague && a->ended == b->ended && a->any == b->any && a->ends_ns <= b->ends_ns &&
		!(better->used & ~worse->used) && !((better->used ^ worse->used) & ~l->lost);
}

/* Add @c unless something as good is there; false when there are too many. */
static bool add(const struct linear *l, GArray *to, const struct config *c)
{
	for (unsigned i = 0; i < to->len; i++)
		if (dominated(l, c, &g_array_index(to, struct config, i)))
			return true;
	for (unsigned i = 0; i < to->len;)
		if (dominated(l, &g_array_index(to, struct config, i), c))
			g_array_remove_index_fast(to, i);
		else
			i++;
	if (to->len == CONFIGS)
		return false;
	g_array_append_val(to, *c);
	return true;
}

static unsigned lost_used(const struct linear *l, const struct config *c)
{
	return (unsigned)__builtin_popcountll(c->used & l->lost);
}

/*
 * Too many: those that use the most lost questions go. Hardly a loss, for what a lost question did can
 * as well be thought done later, when an answer needs it; yet from then on nothing is called bad.
 */
static void thin(struct linear *l, GArray *a)
{
	unsigned count[PENDING + 1] = { 0 }, most = 0, left = 0, kept = 0;

	for (unsigned i = 0; i < a->len; i++)
		count[lost_used(l, &g_array_index(a, struct config, i))]++;
	while (most < PENDING && left + count[most] <= CONFIGS / 2)
		left += count[most++];
	for (unsigned i = 0; i < a->len; i++) {
		struct config c = g_array_index(a, struct config, i);

		if (lost_used(l, &c) < most)
			g_array_index(a, struct config, kept++) = c;
	}
	g_array_set_size(a, kept);
	l->forgot = true;
}

/* From @c, by letting one pending question take effect that has not yet; @slot last. False: too many. */
static bool go_on(struct linear *l, GArray *open, const struct config *c, int slot, int64_t now_ns)
{
	for (uint64_t rest = l->busy & ~c->used; rest; rest &= rest - 1) {
		int k = __builtin_ctzll(rest);
		const struct question *q = &l->in[k];
		struct config d = { .used = c->used | UINT64_C(1) << k };
		bool known = false;

		if (!linear_apply(&c->state, &q->op, q->fate == LOST ? NULL : &q->answer, q->begin_ns, now_ns,
				  &d.state))
			continue;
		if (k == slot) {
			if (!add(l, l->next, &d))
				return false;
			continue;
		}
		for (unsigned j = 0; j < open->len && !known; j++)
			known = dominated(l, &d, &g_array_index(open, struct config, j));
		if (!known)
			g_array_append_val(open, d);
	}
	return open->len <= 4 * CONFIGS;
}

/* All configurations in which the question of @slot has taken effect: @l->next. False: too many. */
static bool close_over(struct linear *l, int slot, int64_t now_ns)
{
	GArray *open = g_array_new(FALSE, FALSE, sizeof(struct config));
	bool fits = true;

	g_array_append_vals(open, l->config->data, l->config->len);
	g_array_set_size(l->next, 0);
	for (unsigned i = 0; i < open->len && fits; i++) {
		struct config c = g_array_index(open, struct config, i);

		fits = c.used >> slot & 1 ? add(l, l->next, &c) : go_on(l, open, &c, slot, now_ns);
	}
	g_array_free(open, TRUE);
	if (fits && l->next->len > CONFIGS / 2)
		thin(l, l->next);
	return fits;
}

/* Nothing is known any more. Questions that are pending may end as they like, and are waited for. */
static void give_up(struct linear *l)
{
	struct config c = { .used = l->busy & ~l->lost, .state.any = true };

	g_array_set_size(l->config, 0);
	g_array_append_val(l->config, c);
}

static void free_slot(struct linear *l, int slot)
{
	uint64_t bit = UINT64_C(1) << slot;

	l->busy &= ~bit;
	l->lost &= ~bit;
	for (unsigned i = 0; i < l->config->len; i++)
		g_array_index(l->config, struct config, i).used &= ~bit;
}

static bool alike(const struct question *a, const struct question *b)
{
	return a->op.kind == b->op.kind && a->op.who == b->op.who && a->op.client == b->op.client &&
		!fence_cmp(a->op.fence, b->op.fence);
}

/* A lost question comes in: is there room, and is it of any use? */
static bool worth_keeping(struct linear *l, const struct question *q)
{
	unsigned same = 0;

	if (q->op.kind == OP_GET)
		return false;
	for (uint64_t rest = l->lost; rest; rest &= rest - 1)
		same += alike(&l->in[__builtin_ctzll(rest)], q);
	if (same < ALIKE)
		return true;
	l->forgot = true;
	return false;
}

/* Room for one more: the oldest lost question goes if there is none. */
static int room(struct linear *l)
{
	uint64_t all = (UINT64_C(1) << PENDING) - 1;
	int oldest = -1;

	if (~l->busy & all)
		return __builtin_ctzll(~l->busy & all);
	for (uint64_t rest = l->lost; rest; rest &= rest - 1) {
		int k = __builtin_ctzll(rest);

		if (oldest < 0 || l->in[k].begin_ns < l->in[oldest].begin_ns)
			oldest = k;
	}
	if (oldest < 0)
		return -1;
	free_slot(l, oldest);
	l->forgot = true;
	return oldest;
}

static struct linear_verdict verdict_of(const struct linear *l, const struct question *q, int64_t at_ns,
					enum linear_word word)
{
	struct linear_verdict v = { .word = word, .begin_ns = q->begin_ns, .end_ns = at_ns, .op = q->op,
				    .answer = q->answer, .states = l->config->len };

	if (l->config->len)
		v.state = g_array_index(l->config, struct config, 0).state;
	return v;
}

static bool begun(struct linear *l, struct question *q, struct linear_verdict *out)
{
	int slot;

	if (q->fate == LOST && !worth_keeping(l, q)) {
		remove_question(l, q);
		return false;
	}
	slot = room(l);
	if (slot < 0) {			/* more than PENDING at once: it is known, and overlaps all of them */
		*out = verdict_of(l, q, q->begin_ns, LINEAR_UNDECIDED);
		give_up(l);
		return true;
	}
	q->slot = (int8_t)slot;
	l->in[slot] = *q;
	l->alone = l->busy & ~l->lost ? UINT32_MAX : q->number;
	l->busy |= UINT64_C(1) << slot;
	if (q->fate == LOST) {
		l->lost |= UINT64_C(1) << slot;
		remove_question(l, q);
	}
	return false;
}

/* Nothing was known, and @q stood alone: its answer tells. */
static void learn(struct linear *l, const struct question *q)
{
	struct linear_state *s = &g_array_index(l->config, struct config, 0).state;
	const struct linear_answer *a = &q->answer;
	bool got = a->verdict == VERDICT_OK && q->op.kind != OP_GET && q->op.kind != OP_RELEASE;
	uint64_t holder = got ? q->op.who : a->holder;

	if (!s->any || l->alone != q->number || !holder || !fence_given(a->fence))
		return;
	*s = (struct linear_state){ .holder = holder, .client = a->client, .fence = a->fence,
				    .ends_ns = q->begin_ns };
}

static bool ended(struct linear *l, struct question *q, int64_t at_ns, struct linear_verdict *out)
{
	struct linear_verdict v = { .word = LINEAR_GOOD };
	GArray *swap;

	l->judged++;
	if (q->slot < 0) {		/* it had no place */
		remove_question(l, q);
		return false;
	}
	if (!close_over(l, q->slot, at_ns)) {
		v = verdict_of(l, q, at_ns, LINEAR_UNDECIDED);
	} else if (!l->next->len) {
		v = verdict_of(l, q, at_ns, l->forgot ? LINEAR_UNDECIDED : LINEAR_BAD);
	} else {
		swap = l->config;
		l->config = l->next;
		l->next = swap;
	}
	if (v.word != LINEAR_GOOD) {
		give_up(l);
		*out = v;
	}
	free_slot(l, q->slot);
	learn(l, q);
	remove_question(l, q);
	return v.word != LINEAR_GOOD;
}

bool linear_judge(struct linear *l, struct linear_verdict *out)
{
	bool told = false;

	while (!told && l->head < l->queue->len) {
		struct queued e = g_array_index(l->queue, struct queued, l->head);
		struct question *q = at_number(l, e.number);

		if (q->fate == OPEN)
			break;
		l->head++;
		told = e.edge == BEGIN ? begun(l, q, out) : ended(l, q, e.at_ns, out);
	}
	if (l->head * 2 > l->queue->len) {
		g_array_remove_range(l->queue, 0, l->head);
		l->head = 0;
	}
	return told;
}

uint64_t linear_judged(const struct linear *l)
{
	return l->judged;
}

bool linear_idle(const struct linear *l)
{
	return l->head == l->queue->len && !l->question->len;
}
