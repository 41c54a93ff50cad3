/*
 * usher.h - how admit.c and usher.c keep what they do; for them and dht.c only
 */
#ifndef DHT_USHER_H
#define DHT_USHER_H

#include "core/dht/admit.h"
#include "core/dht/parts.h"
#include "core/link/newcomer.h"
#include "core/ring/message.h"
#include "core/seal/revoke.h"

#define SIGNERS_NAME	"signers"		/* VALUE_MEMBER of each */

enum { GUEST_SIGNERS = VALUES_PER_KEY };

/** struct guest - a link that an invitation opened */
struct guest {
	link_ref link;
	bool used;
	uint8_t signers, asked, first;		/* who may decide; how many were asked, from which on */
	uint16_t plea_len, answer_len;
	uint8_t nonce[INVITE_NONCE];		/* of the plea */
	uint8_t *plea, *answer;			/* NULL: none yet */
	uint64_t cookie;			/* of the question who may decide, 0 = none */
	int64_t until_ns, due_ns;		/* the link ends; the signer had its time */
	struct id signer[GUEST_SIGNERS];
};

/** struct job - a decision under way, at a signer */
struct job {
	uint64_t cookie;			/* of the question to the DHT; 0: this place is free */
	struct id usher, via;
	bool has_via, claims;			/* the question is a claim; else who has it */
	uint8_t tries;
	uint16_t use;				/* which of the invitation's */
	uint16_t plea_len;
	uint8_t *plea;
	uint8_t value[KEY_BYTES + CERT_SALT + 8];	/* what is claimed */
};

/** struct admitting - a network we may admit to */
struct admitting {
	struct id network;
	struct bytes signer;
	const uint8_t *secret;
};

struct usher {
	struct guest guest[GUESTS];
	struct job job[ADMIT_JOBS];
	struct admitting net[NETWORKS_MAX];
	uint64_t last_cookie;
	uint8_t nets;
};

/* usher.c */
struct usher *usher_of(struct dht *d, struct env *e);		/* NULL: no memory, counted */
bool usher_done(struct dht *d, struct env *e, const struct dht_done *done);	/* false: not its question */
void usher_mail(struct dht *d, struct env *e, const struct ring_mail *m);	/* BODY_ADMITTED */
void usher_arm(struct dht *d, struct env *e);
void usher_free(struct dht *d, struct env *e);
uint32_t usher_bytes(const struct dht *d);

static inline uint64_t usher_cookie(struct dht *d)
{
	return ++d->usher->last_cookie;
}

/* admit.c */
bool admit_has(const struct dht *d, struct id network);
void admit_quit(struct dht *d, struct id network);	/* nobody is admitted to it any more */
void admit_mail(struct dht *d, struct env *e, const struct ring_mail *m);	/* BODY_ADMIT */
void admit_end(struct env *e, struct job *j);

#endif /* DHT_USHER_H */
