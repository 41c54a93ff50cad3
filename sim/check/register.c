/*
 * register.c - the record of an address, one question after the other
 *
 * Expiry. A grantor counts a term from receiving, with drift for the holder, so
 * a lease that a question begun at B was granted for a term T must not be seen
 * to have ended before B + T of true time; whoever is granted the address, or
 * told that it is free, by an answer that came earlier, is a violation. It may
 * be seen to last longer: nothing forces a replica to forget. The holder of an
 * ended lease that nobody else got may renew it under the old fence. Fences of
 * one record grow with each change of holder. A release that is told "not yours"
 * may have been the reason: it is told so by a copy that came later.
 */
#include "sim/check/linear.h"

static bool fence_is(const struct linear_state *s, struct fence f)
{
	if (!fence_given(f))
		return true;
	return s->vague ? fence_cmp(f, s->fence) > 0 : !fence_cmp(f, s->fence);
}

static void bind(struct linear_state *s, struct fence f)
{
	if (!fence_given(f))
		return;
	s->fence = f;
	s->vague = false;
}

/* Could the record be seen to be free by @now_ns? */
static bool is_free(const struct linear_state *s, int64_t now_ns)
{
	return !s->holder || s->ended || now_ns >= s->ends_ns;
}

/* Is it @op's asker's, under the fence it means, and certainly not over? */
static bool surely_ours(const struct linear_state *s, const struct linear_op *op, int64_t now_ns)
{
	return s->holder == op->who && !s->vague && fence_is(s, op->fence) && !is_free(s, now_ns);
}

static bool names(struct linear_state *s, const struct linear_answer *a)
{
	if (!a->holder)			/* told again what was so a moment ago */
		return true;
	if (s->holder != a->holder || s->ended || !fence_is(s, a->fence))
		return false;
	bind(s, a->fence);
	return true;
}

static void grant(struct linear_state *s, const struct linear_op *op, int64_t begin_ns)
{
	s->holder = op->who;
	s->client = op->client;
	s->ended = false;
	s->ends_ns = begin_ns + op->term_ns;
}

static bool created(struct linear_state *s, const struct linear_op *op, const struct linear_answer *a,
		    int64_t begin_ns, int64_t now_ns)
{
	bool own = s->holder == op->who, newer = fence_cmp(a->fence, s->fence) > 0;

	if (!(own && fence_is(s, a->fence)) && !(newer && (own || is_free(s, now_ns))))
		return false;
	grant(s, op, begin_ns);
	bind(s, a->fence);
	return true;
}

static bool taken_over(struct linear_state *s, const struct linear_op *op, const struct linear_answer *a,
		       int64_t begin_ns, int64_t now_ns)
{
	int64_t ends_ns = s->ends_ns;

	if (fence_cmp(a->fence, s->fence) <= 0)
		return false;
	if (!s->vague && fence_given(op->fence) && s->holder != op->who && !is_free(s, now_ns) &&
	    (op->fence.generation != s->fence.generation || op->fence.grant != s->fence.grant))
		return false;
	grant(s, op, begin_ns);
	if (!op->term_ns)		/* the rest of the old term */
		s->ends_ns = ends_ns;
	bind(s, a->fence);
	return true;
}

static bool renewed(struct linear_state *s, const struct linear_op *op, int64_t begin_ns)
{
	if (s->holder != op->who || !fence_is(s, op->fence))
		return false;
	bind(s, op->fence);
	s->ended = false;
	s->ends_ns = begin_ns + op->term_ns;
	return true;
}

static bool released(struct linear_state *s, const struct linear_op *op)
{
	if (s->holder != op->who || !fence_is(s, op->fence))
		return false;
	bind(s, op->fence);
	s->holder = 0;
	return true;
}

static bool answered(struct linear_state *s, const struct linear_op *op, const struct linear_answer *a,
		     int64_t begin_ns, int64_t now_ns)
{
	if (a->verdict == VERDICT_DENIED || a->verdict == VERDICT_FULL)
		return true;
	if (a->verdict != VERDICT_OK && op->kind != OP_GET) {	/* refused: nothing changes */
		if (a->verdict == VERDICT_TAKEN)
			return names(s, a);
		if (op->kind == OP_TAKE)
			return true;
		if (op->kind == OP_RELEASE && surely_ours(s, op, now_ns)) {	/* done by an earlier copy */
			s->holder = 0;
			return true;
		}
		return !surely_ours(s, op, now_ns);
	}
	switch (op->kind) {
	case OP_CREATE:
	case OP_CREATE_ANY:
		return created(s, op, a, begin_ns, now_ns);
	case OP_GET:
		if (a->verdict == VERDICT_OK || a->verdict == VERDICT_TAKEN)
			return names(s, a);
		if (!is_free(s, now_ns))
			return false;
		s->ended = s->holder != 0;
		return true;
	case OP_RENEW:
		return renewed(s, op, begin_ns);
	case OP_RELEASE:
		return released(s, op);
	case OP_TAKE:
		return taken_over(s, op, a, begin_ns, now_ns);
	}
	return true;
}

/* What a question nobody knows the answer of may have done; false: nothing that matters. */
static bool perhaps(struct linear_state *s, const struct linear_op *op, int64_t begin_ns, int64_t now_ns)
{
	switch (op->kind) {
	case OP_CREATE:
	case OP_CREATE_ANY:
		if (!is_free(s, now_ns) && (s->holder != op->who || s->vague))
			return false;	/* its own it gets anew, under a newer fence */
		break;
	case OP_TAKE:
		break;
	case OP_RENEW:
		return s->ended && renewed(s, op, begin_ns);
	case OP_RELEASE:
		return released(s, op);
	default:
		return false;
	}
	grant(s, op, begin_ns);
	s->vague = true;
	return true;
}

bool linear_apply(const struct linear_state *s, const struct linear_op *op, const struct linear_answer *a,
		  int64_t begin_ns, int64_t now_ns, struct linear_state *out)
{
	*out = *s;
	if (s->any)
		return a != NULL;
	return a ? answered(out, op, a, begin_ns, now_ns) : perhaps(out, op, begin_ns, now_ns);
}
