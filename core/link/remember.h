/*
 * remember.h - peers we met once and could call again
 *
 * A bounded table of contacts for finding back: after a restart, after a
 * partition. The ring puts in the peers it has, says when it parted from one,
 * and asks whom to try next; a lost peer waits longer after each failure, up to
 * a ceiling it then keeps for ever.
 *
 *	Memory		REMEMBER_MAX entries of 96 bytes at most, from env.mem,
 *			grown on need; at the quota a newcomer is not remembered
 *	Time		from env; stored in tenths of a second since birth (13 years)
 *	Chance		from env: jitter, and which of too many lost peers is forgotten
 */
#ifndef LINK_REMEMBER_H
#define LINK_REMEMBER_H

#include "core/link/link.h"

enum {
	REMEMBER_MAX	= 24,
	REMEMBER_LOST	= 12,	/* of them lost: the dead must not crowd out whom a restart needs */
	REMEMBER_AT	= 2,	/* endpoints kept of each */
	REMEMBER_BYTES	= 2 + REMEMBER_MAX * (1 + 1 + 16 + 32 + 1 + REMEMBER_AT * 19),	/* the largest blob */
};

struct remember {
	struct remembered *entry;	/* the one heard of longest ago first */
	uint16_t count, cap;
	int64_t birth_ns;		/* env's, once there is an entry */
};

void remember_init(struct remember *m);
void remember_done(struct remember *m, struct env *e);

/**
 * remember_add() - Keep @who; @lost: we lost it without a goodbye, try it soon
 *
 * A known id is brought up to date; what @who does not say is kept. A newcomer
 * needs an id and an endpoint. When full the oldest entry that is neither lost
 * nor linked goes first, then the oldest linked one.
 */
void remember_add(struct remember *m, struct env *e, const struct contact *who, bool lost);

/** remember_met() - @id is linked now: no need to try it (it stays remembered) */
void remember_met(struct remember *m, struct env *e, struct id id);

/**
 * remember_parted() - The link to @id is gone; @lost: without a goodbye, try it soon
 *
 * Past REMEMBER_LOST lost ones a random one of them is forgotten: after a long
 * partition a few of the other side are then left at some of the nodes, which
 * is enough to find back, however many died since.
 */
void remember_parted(struct remember *m, struct env *e, struct id id, bool lost);

/** remember_failed() - A call to @id came to nothing: wait longer before the next */
void remember_failed(struct remember *m, struct env *e, struct id id);

/** remember_forget() - @id left with a goodbye */
void remember_forget(struct remember *m, struct id id);

/**
 * remember_due() - One contact to try now (lost ones first); false if none is due
 * @lost_only: members seek only the peers they lost without a goodbye
 *
 * It is not due again before remember_failed() has told how the call went, or
 * before its ceiling.
 */
bool remember_due(struct remember *m, struct env *e, bool lost_only, struct contact *out);

/** remember_next_ns() - When remember_due() will have something, INT64_MAX for never */
int64_t remember_next_ns(const struct remember *m);

/** remember_all_due() - All that are not linked may be tried at once, as if lost now (start, resume, alone) */
void remember_all_due(struct remember *m, struct env *e);

/**
 * remember_write() - All entries as a versioned blob
 *
 *	version 1 | count 1 | per entry, oldest first: flags 1 (1 = lost)
 *	| contact as contact_write() writes it
 *
 * Bad writer if it has less room than needed; REMEMBER_BYTES are always enough.
 */
void remember_write(const struct remember *m, struct writer *w);

/**
 * remember_read() - Take what remember_write() of this version or the one before wrote
 *
 * This is version 1, and there was none before it. The entries are due at once,
 * those that were not lost first, as after remember_all_due(). Of an id that is
 * here already the entry stays as it is.
 *
 * Return: DROP_NONE, or why the blob was refused (nothing is taken from it then)
 */
enum drop remember_read(struct remember *m, struct env *e, struct bytes blob);

/** remember_at() - The @i-th entry, for looking; false past the end */
bool remember_at(const struct remember *m, unsigned i, struct contact *out);

/** remember_bytes() - Bytes taken from the host */
uint32_t remember_bytes(const struct remember *m);

#endif /* LINK_REMEMBER_H */
