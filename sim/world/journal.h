/*
 * journal.h - what concerns everybody, written apart and read in order
 *
 * Each shard writes notes into a journal of its own while it runs. At barriers
 * the journals are merged by (time, host, order of writing) - the total order of
 * events, whatever the number of shards - and read once by those who keep the
 * books: truth, lookups, joins, deaths, broadcasts.
 *
 *	Memory		48 bytes a note until the next barrier
 *	Threads		one writer a journal; merging while all rest
 */
#ifndef SIM_WORLD_JOURNAL_H
#define SIM_WORLD_JOURNAL_H

#include <stdint.h>

#include "core/base/id.h"

/*	kind		id		a			b */
#define NOTE_LIST(X)								\
	X(START)	/* own		incarnation		- */		\
	X(JOINED)	/* own		-			- */		\
	X(APART)	/* own		-			- : no member any more */ \
	X(LEFT)		/* own		-			- : handed over */ \
	X(END)		/* own		graceful (1)		told to stop at, ns; 0: a crash */ \
	X(STALL)	/* own		-			- : gets no steps for a while */ \
	X(ASK)		/* key		number			- : a lookup begins */ \
	X(ANSWER)	/* answered by	number			hops << 16 | tries << 8 | answer */ \
	X(DEAD)		/* the dead	-			- : RECORD_DEAD */ \
	X(CAST)		/* own		number			- : a broadcast was asked */ \
	X(HEARD)	/* origin	sequence		hops : it arrived */ \
	X(VIOLATION)	/* -		a struct violation *	- */		\
	X(GUEST_HAS)	/* address	machine | family << 32	- : in use from now */ \
	X(GUEST_GONE)	/* address	machine | family << 32	- */		\
	X(NAMED)	/* answer	about | family << 32 | question << 40	asked at, ns */ \
	X(UNPINGED)	/* -		from | to << 32		ordered at, ns */ \
	X(SHOUT)	/* -		machine | token << 32	- : a machine's broadcast */ \
	X(SHOUTED)	/* -		from | token << 32	who heard | took, us << 32 */ \
	X(LEASE_ASK)	/* address	number | what << 32	how << 8 | family */ \
	X(LEASE_ANSWER)	/* address	number | what << 32	verdict | answer << 8 */

enum note_kind {
#define X(name) NOTE_##name,
	NOTE_LIST(X)
#undef X
	NOTE_KINDS
};

struct note {
	int64_t at_ns;
	uint32_t host;
	uint8_t kind;			/* enum note_kind */
	struct id id;
	uint64_t a, b;
};

struct journal {
	struct note *note;
	uint32_t count, cap;
};

void journal_done(struct journal *j);
void journal_put(struct journal *j, const struct note *n);

/**
 * journal_merge() - All notes of @count journals in order, which are then empty
 * @into: its old contents are lost
 */
void journal_merge(struct journal *into, struct journal *const *from, unsigned count);

#endif /* SIM_WORLD_JOURNAL_H */
