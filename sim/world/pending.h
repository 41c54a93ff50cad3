/*
 * pending.h - what was begun at a host and waits for its end, or its time
 *
 * Items are found by host, a few at a time, and expire in the order they were
 * added, because all wait equally long. Used for lookups and for deaths.
 *
 *	Memory		the items added since the oldest unfinished one, and 4 bytes
 *			a host
 *	Ownership	an item stays in place until pending_expire() has passed it;
 *			pointers are good until the next pending_add()
 */
#ifndef SIM_WORLD_PENDING_H
#define SIM_WORLD_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct pending_item - the first member of every item */
struct pending_item {
	int64_t at_ns;
	uint32_t host;
	uint32_t next;			/* of this host: serial number, 0 at the end */
	bool done;
};

struct pending {
	char *ring;			/* items, serial modulo cap */
	size_t size;			/* of an item */
	uint32_t cap;			/* a power of two */
	uint32_t first, end;		/* serials in use; they start at 1 */
	uint32_t *head;			/* by host: its newest item, 0 for none */
	uint32_t open;			/* not done */
};

void pending_init(struct pending *p, uint32_t hosts, size_t size);
void pending_fini(struct pending *p);

/** pending_add() - A new item of @host, cleared but for its head; @at_ns not before the last one's */
void *pending_add(struct pending *p, uint32_t host, int64_t at_ns);

/** pending_first(), pending_next() - The open items of @host, newest first; NULL at the end */
void *pending_first(const struct pending *p, uint32_t host);
void *pending_next(const struct pending *p, const void *item);

/** pending_done() - @item has ended; it is not seen again */
void pending_done(struct pending *p, void *item);

/** pending_expire() - An open item added before @before_ns, the oldest; end it by pending_done(). NULL: none */
void *pending_expire(struct pending *p, int64_t before_ns);

#endif /* SIM_WORLD_PENDING_H */
