/*
 * heap.h - a node's timers: at most one per tag, the earliest on top
 *
 * A tag is a small number its owner chose (which module, which slot). An entry
 * packs the due time and the tag into 64 bits, so timers due together come out
 * in tag order on every machine, and pos[tag] finds an entry without a search.
 *
 *	Memory		8 bytes per armed timer and 2 per tag, from struct mem
 *	Time		microseconds since the node's birth, rounded up: a timer
 *			never fires early. 48 bits are nine years
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/mem.h"

struct heap {
	uint64_t *entry;		/* due_us << 16 | tag, a binary heap */
	uint16_t *pos;			/* place in entry[] + 1, 0 = not armed */
	uint16_t  count, cap, tags;
	int64_t   birth_ns;
};

void heap_init(struct heap *h, int64_t birth_ns);
void heap_done(struct heap *h, struct mem *m);

/** heap_set() - Arm (or move) the timer @tag to @due_ns; false at the memory quota */
bool heap_set(struct heap *h, struct mem *m, uint16_t tag, int64_t due_ns);

/** heap_del() - Disarm @tag; fine if it is not armed */
void heap_del(struct heap *h, uint16_t tag);

/** heap_trim() - Give back what tags of @tags and above took; none of them is armed */
void heap_trim(struct heap *h, struct mem *m, uint16_t tags);

/** heap_due() - When @tag is due, INT64_MAX if it is not armed */
int64_t heap_due(const struct heap *h, uint16_t tag);

/** heap_next() - When the earliest is due, INT64_MAX if none is armed */
int64_t heap_next(const struct heap *h);

/** heap_pop() - Take the earliest timer due at or before @now_ns; false if there is none */
bool heap_pop(struct heap *h, int64_t now_ns, uint16_t *tag);

#endif /* BASE_HEAP_H */
