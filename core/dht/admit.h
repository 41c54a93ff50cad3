/*
 * admit.h - letting newcomers in: members take their pleas, delegated signers decide
 *
 * A newcomer (core/link/newcomer.h) links to any member by its invitation. That
 * member, the usher, looks up who may admit (the name "signers", where every signer
 * publishes itself) and brings the plea to one of them and the answer
 * back. The signer decides by the DHT: one OP_CLAIM under the name that the
 * invitation's one-time key and the number of the use give. A claim stands alone,
 * and the slot is linearizable, so of two who redeem one invitation at once, at
 * whichever signers, one wins. What is claimed is the newcomer's key, and the
 * salt that makes its ring id; so whoever pleads again with that key gets the same
 * place again, from any signer, and the signer that answered first may be gone.
 *
 * The claim lives a day longer than the invitation, not for a lease's term
 * (op_term()); an invitation lives six days at most (INVITE_MOST_S).
 *
 *	value = key 32 | salt 16 | issued 8 (UTC s)
 *
 *	Memory		bounded: GUESTS links with invitations, JOBS decisions, from
 *			env.mem, while there are any
 *	Time, chance	env's; TIMER_ADMIT. Nobody is admitted while the wall time is
 *			unknown
 */
#ifndef DHT_ADMIT_H
#define DHT_ADMIT_H

#include "core/dht/dht.h"
#include "core/seal/invite.h"

enum { GUESTS = 8, ADMIT_JOBS = 8, GUEST_S = 60 };

/**
 * dht_admits() - This node may admit newcomers to @network, of which it is a member, and says so in the DHT
 * @signer: its certificate with ROLE_SIGNER, by the network's key, for our key; borrowed
 * @secret: the network's group key, borrowed
 */
void dht_admits(struct dht *d, struct env *e, struct id network, struct bytes signer, const uint8_t *secret);

/* ---- links that an invitation opened: nothing else is heard over them ---- */

/** usher_link() - One came (and may be closed at once, if there are too many) or went */
void usher_link(struct dht *d, struct env *e, link_ref ref, bool up);

/** usher_knows() - Is, or was until now, @ref such a link? */
bool usher_knows(const struct dht *d, link_ref ref);
void usher_plea(struct dht *d, struct env *e, link_ref ref, struct bytes body);

/** admit_done() - A question of DHT_USER_ADMIT ended */
void admit_done(struct dht *d, struct env *e, const struct dht_done *done);
void admit_timer(struct dht *d, struct env *e);

#endif /* DHT_ADMIT_H */
