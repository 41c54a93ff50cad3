/*
 * mail.h - posted events on their way, and their payloads
 *
 * A struct mail is what an event needs beside its place in the queue, with the
 * payload right behind it: one buffer, known by a 32-bit reference that means
 * the same in every shard. Buffers come in classes of 64 bytes to 4 KiB (head
 * included), cut from chunks of 1 MiB; a longer payload stands in a malloc of
 * its own.
 *
 *	Ownership	a buffer belongs to the office (one per shard) it was cut for
 *			for ever. Freed elsewhere it waits in the other office's
 *			returns until the window ends, then goes home: so no shard
 *			fills up with what another has to allocate anew.
 *	Memory		a free list per class; chunks go back with the whole post.
 *			abort() when the machine has no more
 *	Threads		an office is one thread's; mail_go_home() is for the time
 *			between windows; struct post is shared, and only grows
 */
#ifndef SIM_ENGINE_MAIL_H
#define SIM_ENGINE_MAIL_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define MAIL_NONE	UINT32_MAX

enum {
	MAIL_CLASSES	= 12,
	MAIL_UNIT	= 64,			/* bytes to a step of the reference */
	MAIL_CHUNK_BITS	= 14,			/* units to a chunk: 1 MiB */
	MAIL_CHUNKS	= 1 << 17,		/* at most: 128 GiB */
	MAIL_OFFICES	= 256,			/* at most */
};

enum mail_state { MAIL_FREE, MAIL_HELD, MAIL_POSTED };

struct mail {
	uint64_t seq;
	uint32_t src;
	uint32_t len;			/* of the payload */
	uint32_t ref;			/* of itself */
	uint32_t next;			/* free: the next one, or MAIL_NONE */
	uint16_t home;			/* the office it belongs to */
	uint8_t  size;			/* its class */
	uint8_t  class;			/* of the event */
	uint8_t  state;			/* enum mail_state: catches what is posted or freed twice */
	uint8_t  elsewhere;		/* the payload is not behind this head */
	uint8_t  pad[2];
	char     payload[];
};
_Static_assert(sizeof(struct mail) == 32, "so an event without payload is half a cache line");

/** struct post - the chunks of all offices */
struct post {
	char **chunk;
	_Atomic uint32_t chunks;
};

/** struct mail_office - one shard's buffers */
struct mail_office {
	struct post *post;
	uint16_t number;
	uint32_t free[MAIL_CLASSES];
	uint32_t cut, end;		/* units left of the newest chunk */
	uint32_t returns[MAIL_OFFICES];	/* of other offices, freed here */
	uint64_t bytes;			/* held */
};

void post_init(struct post *p);
void post_fini(struct post *p);
void mail_open(struct mail_office *o, struct post *p, uint16_t number);

static inline struct mail *mail_at(const struct post *p, uint32_t ref)
{
	return (struct mail *)(p->chunk[ref >> MAIL_CHUNK_BITS] +
			       (size_t)(ref & ((1u << MAIL_CHUNK_BITS) - 1)) * MAIL_UNIT);
}

/** mail_new() - A buffer for a payload of @len bytes; held */
struct mail *mail_new(struct mail_office *o, uint32_t len);

/** mail_payload() - Where its payload is; NULL if it was made for none */
void *mail_payload(struct mail *m);

/** mail_of() - The mail whose payload @payload is */
struct mail *mail_of(void *payload);

/** mail_free() - @m may belong to any office */
void mail_free(struct mail_office *o, struct mail *m);

/** mail_go_home() - Take back what @from freed of ours; neither is in a window */
void mail_go_home(struct mail_office *o, struct mail_office *from);

#endif /* SIM_ENGINE_MAIL_H */
