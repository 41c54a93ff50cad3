/*
 * resolve.h - who serves a remote address, as far as this node knows
 *
 * A bounded cache of what slots answered: owner, fence, and until when the lease
 * it rests on may be believed. It decides what is to be asked and what an answer
 * means; asking, holding packets and sending them is path.c's.
 *
 *	found		used until its deadline, asked for again a while before if it is used
 *	nobody		for two seconds
 *	asked		packets wait
 *	doubted		found, but a peer said "not here", a packet came from somebody
 *			else, or a tunnel failed: asked by majority before the next use
 *
 * An answer under an older fence than one that was seen is refused: from the
 * primary alone it makes us ask the majority, from a majority it counts as
 * nobody for a while. A cache has to be corrected when wrong, not after minutes:
 * IPOP dropped packets from a machine that had moved for up to 600 s, because a
 * miss for an address it still had in its table asked nobody.
 *
 *	Memory		REMOTES_MAX entries, the one unused for longest goes; env.mem
 *	Time, chance	from env; none
 */
#ifndef VNET_RESOLVE_H
#define VNET_RESOLVE_H

#include "core/dht/dht.h"

enum { REMOTES_MAX = 512, REMOTE_BUCKETS = 128 };

#define NOBODY_NS	(2 * NS_PER_S)		/* a negative answer holds so long */
#define DOUBT_NS	(NS_PER_S / 2)		/* an address is doubted no more often than this */
#define ASKED_NS	(8 * NS_PER_S)		/* a question without an answer is over */
#define AHEAD_NS	(5 * NS_PER_S)		/* an answer this young is not asked for again ahead of its end */

enum remote_state { REMOTE_NEW, REMOTE_FOUND, REMOTE_NOBODY };

struct remote {
	struct ip ip;
	struct id owner;		/* FOUND */
	struct fence fence;		/* FOUND: its owner's */
	struct fence seen;		/* the newest in any answer; no older one is believed again */
	int64_t until_ns;		/* FOUND, NOBODY: holds until then */
	int64_t sure_ns;		/* when the question was sent whose answer this is */
	int64_t doubt_ns;		/* when it was doubted last */
	int64_t asked_ns;		/* when the question that is out was sent first */
	uint32_t used_ms;
	uint32_t question;		/* number of the question that is out */
	uint16_t next;			/* in its bucket, UINT16_MAX = last */
	uint16_t held;			/* packets that wait for it */
	uint8_t state;			/* enum remote_state */
	uint8_t asking;			/* OP_LOOK or OP_GET is out, 0 = none */
	bool doubted : 1;
	bool claimed : 1;		/* the question that is out is also a wish: path_claim() */
	bool told : 1;		/* somebody waits to be told: edge_resolved() */
};

struct resolver {
	struct remote *remote;
	uint16_t count, cap;
	uint32_t questions;
	uint32_t changes;		/* vnet_remote_changes() */
	uint16_t bucket[REMOTE_BUCKETS];
};

void resolver_init(struct resolver *s);
void resolver_done(struct resolver *s, struct env *e);

/** resolver_find() - What is known of @ip, NULL if nothing; good until the next resolver_add() */
struct remote *resolver_find(struct resolver *s, const struct ip *ip);

/** resolver_add() - The same, new if need be; NULL if every entry is waited for, or at the quota (counted) */
struct remote *resolver_add(struct resolver *s, struct env *e, const struct ip *ip);

/** enum advice - what to do with a packet for (or from) an address */
enum advice {
	ADVICE_USE,			/* FOUND and to be believed */
	ADVICE_NOBODY,
	ADVICE_WAIT,			/* a question is out */
	ADVICE_LOOK,			/* ask the primary, wait */
	ADVICE_GET,			/* ask the majority, wait */
	ADVICE_USE_LOOK			/* use it, and ask ahead of its end */
};
enum advice resolver_advice(struct remote *m, const struct env *e);

/** resolver_asked() - A question of @kind is out. Return: its cookie's rest */
uint64_t resolver_asked(struct resolver *s, struct remote *m, const struct env *e, uint8_t kind);

/** resolver_doubt() - Something contradicts it: false if that was settled a moment ago, and stays as it is */
bool resolver_doubt(struct remote *m, const struct env *e);

enum answered {
	ANSWERED_OTHER,			/* no question of ours, or an old one */
	ANSWERED_FOUND,
	ANSWERED_NOBODY,
	ANSWERED_AGAIN,			/* ask the majority: the primary's word contradicts what was seen */
	ANSWERED_KEPT			/* no answer, and what is known holds still */
};

/** resolver_answer() - @d came for the cookie's rest @rest; @m: about whom. @self: an address we hold is nobody's remote */
enum answered resolver_answer(struct resolver *s, const struct env *e, uint64_t rest, const struct dht_done *d,
			      struct id self, struct remote **m);

/**
 * resolver_owner() - The same for an address that certificates own: @owner holds it until @until_ns, NULL: nobody does
 * Its fence is zero: there are no leases there, and no owner before or after.
 */
enum answered resolver_owner(struct resolver *s, const struct env *e, uint64_t rest, const struct id *owner,
			     int64_t until_ns, struct remote **m);

/**
 * resolver_lent() - Its owner signed @g: @m is that node's from now on, as long as the delegation lasts
 * Return: true; for the slot's word that follows see resolver_answer()
 */
bool resolver_lent(struct resolver *s, const struct env *e, struct remote *m, const struct delegation *g);

/** resolver_stale() - After a resume: nothing is believed until asked for again */
void resolver_stale(struct resolver *s);

#endif /* VNET_RESOLVE_H */
