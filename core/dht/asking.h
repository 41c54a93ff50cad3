/*
 * asking.h - one question of ours: its op with bytes of its own, as it travels, and what its answer says
 *
 * client.c decides when and whom it asks; here is what a question is made of.
 * For client.c only.
 *
 *	Memory		itself, a copy of the op's bytes, the sealed message and
 *			the answer, each from env.mem
 */
#ifndef DHT_ASKING_H
#define DHT_ASKING_H

#include "core/dht/parts.h"

/** struct asking - one question */
struct asking {
	struct asking *next;		/* oldest first */
	struct op op;			/* bytes in @copy */
	uint8_t *copy, *message;	/* message: as it travels, NULL until sent */
	uint16_t copied, length;
	struct id hint;			/* whom to ask; zero: the owner of the point */
	uint64_t cookie;
	int64_t deadline_ns, first_ns, due_ns;
	struct walk walk;		/* CREATE_ANY */
	uint8_t user, tries, sent, redirects, stales, waits;
	uint8_t verdict;		/* finished: not 0 */
	bool urgent;
	struct lease lease;
	struct value *value;		/* borrow from @answer */
	uint8_t *answer;
	uint16_t values, answered;
};

void asking_free(struct env *e, struct asking *a);

/** asking_copy() - Own the bytes of its op; names in lower case. False: no memory, nothing is owned */
bool asking_copy(struct env *e, struct asking *a);

/** asking_seal() - Make its message, signed if it writes. False: no memory, or too long */
bool asking_seal(struct dht *d, struct env *e, struct asking *a);

/** asking_tell() - For oracles: a question about an address begins (@v 0), or ends. What was never sent is none */
void asking_tell(struct env *e, const struct asking *a, enum verdict v);

/** asking_take() - Keep what the answer says beside a->verdict; false if that is not an answer to this question */
bool asking_take(struct env *e, struct asking *a, struct bytes tail);
void asking_drop(struct env *e, struct asking *a);	/* forget the answer, verdict and all */

void asking_done(const struct asking *a, struct dht_done *out);

#endif /* DHT_ASKING_H */
