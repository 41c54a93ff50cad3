/*
 * linear.h - is there an order in which these answers make sense?
 *
 * One record of a leased address is a register with compare-and-set. Whatever
 * nodes asked of it, and were answered, must be explained by some order of the
 * questions in which each takes effect at one instant between its begin and
 * its end (linearizability: Herlihy and Wing, TOPLAS 1990). Records are
 * independent of each other, so each is judged alone.
 *
 * A question without a certain answer (nobody answered, the asker ended, the
 * slot said "ask again") may have taken effect, once, at any time after its
 * begin, or never.
 *
 *	Memory		one struct linear per record; what is decided is forgotten
 *	Time		of the caller, in ns, never going back
 */
#ifndef SIM_CHECK_LINEAR_H
#define SIM_CHECK_LINEAR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/dht/op.h"

/** struct linear_op - a question; @who names the asker and is never 0 */
struct linear_op {
	uint64_t who, client;
	struct fence fence;		/* RENEW, RELEASE, TAKE: which lease is meant */
	int64_t term_ns;
	uint8_t kind;			/* enum op_kind; OP_LOOK and names have no place here */
};

/** fence_given() - Does it say one? */
static inline bool fence_given(struct fence f)
{
	return f.generation || f.grant || f.delegation;
}

/** struct linear_answer - what came back; @holder 0: it names nobody */
struct linear_answer {
	uint64_t holder, client;
	struct fence fence;
	uint8_t verdict;		/* enum verdict */
};

/** struct linear_state - the record, as far as the answers tell */
struct linear_state {
	uint64_t holder, client;	/* holder 0: free */
	struct fence fence;		/* of the holder, or the last one; vague: it is larger than this */
	int64_t ends_ns;		/* the lease must not be seen to have ended before */
	bool vague;			/* granted by a question nobody got the answer of */
	bool ended;			/* somebody saw that it had */
	bool any;			/* nothing is known */
};

struct linear;

struct linear *linear_new(void);
void linear_free(struct linear *l);

/** linear_begin() - A question goes out at @at_ns; returns its number, for one of the next two */
uint32_t linear_begin(struct linear *l, int64_t at_ns, const struct linear_op *op);
void linear_end(struct linear *l, int64_t at_ns, uint32_t number, const struct linear_answer *a);
void linear_lost(struct linear *l, int64_t at_ns, uint32_t number);	/* its answer will never be known */

/** enum linear_word - how the answers so far can be explained */
enum linear_word { LINEAR_GOOD, LINEAR_BAD, LINEAR_UNDECIDED };

/** struct linear_verdict - an answer that no order explains, or that is too much to decide */
struct linear_verdict {
	enum linear_word word;
	int64_t begin_ns, end_ns;	/* of the question whose answer it is */
	struct linear_op op;
	struct linear_answer answer;
	struct linear_state state;	/* one of the states it could have met */
	unsigned states;		/* how many there were */
};

/**
 * linear_judge() - Judge what can be judged: up to the begin of the oldest question still open
 *
 * Return: true with @out if there is something other than good to tell; the
 * record then counts as known no more, and judging goes on with the next call.
 */
bool linear_judge(struct linear *l, struct linear_verdict *out);

/** linear_judged() - Answers judged so far; grows */
uint64_t linear_judged(const struct linear *l);
/** linear_idle() - Is nothing open, and nothing left to judge? */
bool linear_idle(const struct linear *l);

/**
 * linear_apply() - The register (register.c): what @op could make of @s at an instant not after @now_ns, if it was answered @a
 * @a: NULL: nobody knows the answer
 * @begin_ns: terms count from here at the earliest
 *
 * Return: false if it cannot be answered so
 */
bool linear_apply(const struct linear_state *s, const struct linear_op *op, const struct linear_answer *a,
		  int64_t begin_ns, int64_t now_ns, struct linear_state *out);

#endif /* SIM_CHECK_LINEAR_H */
