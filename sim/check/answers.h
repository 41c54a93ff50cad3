/*
 * answers.h - oracle: ARP and DNS name who owns the address
 *
 * What a node tells its guests about addresses: an ARP reply says that the
 * address has a mapping, a DNS answer that a name has the address. Both must
 * have been true a little while ago, or become true as soon as a grant that is
 * under way has reached its owner: the slot tells whoever asks as soon as the
 * grant stands, and its owner may be the last to hear. So an answer is judged
 * ANSWERS_WAIT_NS after it was given; the caller keeps it until then.
 *
 *	Memory		none
 */
#ifndef SIM_CHECK_ANSWERS_H
#define SIM_CHECK_ANSWERS_H

#include "core/base/bytes.h"
#include "core/dht/network.h"
#include "sim/check/belief.h"

enum answer_kind { ANSWER_ARP, ANSWER_DNS };

enum { ANSWERS_MAX = 8 };

/* A create is asked for so long (core/dht/tend.c): its owner knows by then, or has given up and gives it back. */
#define ANSWERS_WAIT_NS	INT64_C(15000000000)

/** struct guest_answer - one address in a frame that a node gave to its tap */
struct guest_answer {
	struct ip ip;
	uint8_t kind;			/* enum answer_kind */
};

/** answers_read() - The addresses that @frame answers for, up to ANSWERS_MAX; how many. Most frames: none */
unsigned answers_read(struct bytes frame, struct guest_answer out[ANSWERS_MAX]);

/** struct answer_case - one of them, with what the node knows of it */
struct answer_case {
	struct guest_answer answer;
	uint32_t host;
	int64_t at_ns;
	struct id owner;		/* as it resolves the address */
	bool resolved, own;		/* it does; or it believes in the address itself */
	bool excused;			/* the owner's node ended or was disturbed before it could hear of its grant */
};

/**
 * check_answer() - Judge @a, by what @b says who believed in it within @stale_ns before, or ANSWERS_WAIT_NS after
 * @n: whose addresses are judged; those of the gateway and of certificates are not
 */
void check_answer(const struct judge *j, const struct beliefs *b, const struct network_record *n,
		  const struct answer_case *a, int64_t stale_ns);

#endif /* SIM_CHECK_ANSWERS_H */
