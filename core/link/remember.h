/*
 * remember.h - peers we met once and could call again
 *
 * A bounded table of contacts for finding back: after a restart, after a
 * partition. The ring puts in the peers it has and the peers it lost, and asks
 * whom to try next; each entry waits longer after each failure, up to a ceiling
 * it then keeps for ever.
 *
 *	Memory		REMEMBER_MAX entries at most, from env.mem, grown on need
 */
#ifndef LINK_REMEMBER_H
#define LINK_REMEMBER_H

#include "core/link/link.h"

enum { REMEMBER_MAX = 24 };

struct remember {
	struct remembered *entry;
	uint16_t count, cap;
};

void remember_init(struct remember *m);
void remember_done(struct remember *m, struct env *e);

/**
 * remember_add() - Keep @who; @lost: we lost it without a goodbye, try it soon
 *
 * A known id is brought up to date. When full the oldest entry that was never
 * lost goes first.
 */
void remember_add(struct remember *m, struct env *e, const struct contact *who, bool lost);

/** remember_met() - @id is linked now: no need to try it (it stays remembered) */
void remember_met(struct remember *m, struct env *e, struct id id);

/** remember_failed() - A call to @id came to nothing: wait longer before the next */
void remember_failed(struct remember *m, struct env *e, struct id id);

/** remember_forget() - @id left with a goodbye */
void remember_forget(struct remember *m, struct id id);

/** remember_due() - One contact to try now (lost ones first), moved to its next time; false if none is due */
bool remember_due(struct remember *m, struct env *e, struct contact *out);

/** remember_next_ns() - When remember_due() will have something, INT64_MAX for never */
int64_t remember_next_ns(const struct remember *m);

/** remember_all_due() - Everything may be tried at once (start, resume, alone) */
void remember_all_due(struct remember *m, struct env *e);

/** remember_write() - All entries as a versioned blob; remember_read() takes versions v and v-1 */
void remember_write(const struct remember *m, struct writer *w);

/** remember_read() - Return: DROP_NONE, or why the blob was refused (nothing is taken from it then) */
enum drop remember_read(struct remember *m, struct env *e, struct bytes blob);

/** remember_at() - The @i-th entry, for looking; false past the end */
bool remember_at(const struct remember *m, unsigned i, struct contact *out);

/** remember_bytes() - Bytes taken from the host */
uint32_t remember_bytes(const struct remember *m);

#endif /* LINK_REMEMBER_H */
