/*
 * holder.h - the leases of this node, inside; for held.c, tend.c and delegate.c
 *
 * A lease is believed in one state only, HELD_OURS, and before its deadline.
 *
 *	ASKED	  held_want(): a create is under way; held_take(): first the owner is asked for a delegation
 *	OURS	  granted; renewed when keep says so or a guest asks. A delegated lease is OURS and `unwritten`
 *		  until the slot knows
 *	DOUBTED	  came from a disk, time passed unseen, or the slot told another fence: a create or renewal is under way
 *	RELEASING not believed; the release is under way
 *	LENT	  not believed; signed away, or about to be as soon as that is saved
 *
 * What the disk says may be old. A create that the slot grants voids every
 * delegation this node may have signed and forgotten, so leases come back by
 * create. Only a lending lease can be believed by another without the slot's
 * knowledge, for LEND_NS: that is waited out, unless nothing was lost.
 *
 * An address that was LENT may come back within LEND_NS: then it stands twice in the
 * table, and what is not LENT is what counts (hold_find()).
 */
#ifndef DHT_HOLDER_H
#define DHT_HOLDER_H

#include "core/dht/parts.h"

enum { HELD_MAX = 256, NEWS_MAX = 4 * HELD_MAX, OWNERS_MAX = 8 };

struct hold {
	struct held held;
	int64_t due_ns;			/* next thing to do, INT64_MAX: nothing */
	int64_t over_ns;		/* DOUBTED, LENT: forgotten then */
	int64_t wait_ns;		/* DOUBTED: not believed before */
	uint64_t ask;			/* cookie of the question under way, 0 = none */
	uint8_t asking;			/* enum op_kind of it */
	uint8_t tries;
	bool granting;			/* its renewal ends in GRANTED */
	bool touched;			/* its renewal was asked for by the user, who hears of a failure */
	bool let_go;			/* ASKED: release what the create brings */
	bool loaded;			/* DOUBTED: what we know comes from a disk */

	/* delegation */
	bool taking;			/* ASKED: the owner is being asked */
	uint8_t owners;			/* taking: so many were named, one after the other */
	bool unwritten;			/* OURS by a signature only */
	struct id other;		/* LENT: to whom. Taking: from whom. Refused: who has it, if that is known */
	uint64_t nonce;			/* of the request */
	uint64_t token;			/* LENT: the save that must be durable before we sign */
	int64_t requested_ns;		/* taking: first sent */
	uint32_t lent_ms;		/* LENT: left when we gave it away */
	uint8_t *proof;			/* taken: the owner's signature */
	uint16_t proof_len;
};

struct lending {
	struct id network;
};

struct holder {
	struct hold *hold;
	uint16_t count, cap;
	struct held_news *news;
	uint16_t news_from, news_to, news_cap;
	uint64_t last_ask;
	uint32_t changes;		/* held_changes() */
	struct lending lending[NETWORKS_MAX];
	uint8_t lendings;
};

/* held.c: the table */

/** hold_find() - Our lease of @ip; not one that is being released, and a LENT one only if there is no other */
struct hold *hold_find(const struct dht *d, struct id network, const struct ip *ip);

/** hold_new() - A place; NULL when the table is full or there is no memory (counted) */
struct hold *hold_new(struct dht *d, struct env *e);

/** hold_drop() - Forget @h, on the disk too; others move */
void hold_drop(struct dht *d, struct env *e, struct hold *h);

/** hold_cancel() - What is under way for @h is not waited for any more: told again later it would undo what came since */
void hold_cancel(struct dht *d, struct env *e, struct hold *h);

void hold_news(struct dht *d, struct env *e, const struct hold *h, enum held_word word, uint8_t verdict);

/** hold_save() - Have it saved; the token, 0 if there was no room */
uint64_t hold_save(struct env *e, const struct hold *h);

void hold_proof(struct env *e, struct hold *h, struct bytes proof);	/* copied; empty: forgotten */
bool hold_lends(const struct dht *d, struct id network);
void holder_arm(struct dht *d, struct env *e);

/** hold_drift() - the network's bound, or the largest there is if we do not know its record */
uint16_t hold_drift(const struct dht *d, const struct hold *h);

/** hold_lent_until() - A delegation signed by now is over then, whether we remember it or not */
int64_t hold_lent_until(const struct dht *d, const struct env *e, const struct hold *h);

/* tend.c: what happens to one lease */

void tend_ask(struct dht *d, struct env *e, struct hold *h, enum op_kind kind);
void tend_doubt(struct dht *d, struct env *e, struct hold *h, enum op_kind kind);	/* not believed until @kind is answered */
void tend_release(struct dht *d, struct env *e, struct hold *h);

/* delegate.c */
void delegate_begin(struct dht *d, struct env *e, struct hold *h, const struct served *by);	/* take it from its owner */
void delegate_ask(struct dht *d, struct env *e, struct hold *h);	/* taking: ask the owner, again */
void delegate_sign(struct dht *d, struct env *e, struct hold *h);	/* LENT and saved */

#endif /* DHT_HOLDER_H */
