/*
 * queue.h - what is pending, and what comes first
 *
 * The total order of events is written here, once: queue_less(). An entry
 * carries time and destination; what decides between equals (class, source,
 * sequence) is asked of its owner through a callback, which is rare.
 *
 *	Memory		16 bytes an entry in chunks of 15, about 110 KB of slots a
 *			queue; abort() when the machine has no more
 *	Time		any int64 from 0 up; an entry may be earlier than the last
 *			one popped, it is only slower then
 *	Threads		one at a time
 */
#ifndef SIM_ENGINE_QUEUE_H
#define SIM_ENGINE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue_entry {
	int64_t  at_ns;
	uint32_t dst;
	uint32_t ref;			/* the owner's: where class, source and sequence are */
};
_Static_assert(sizeof(struct queue_entry) == 16, "four to a cache line");

/** queue_tie_fn() - Whether @a goes before @b, their times and destinations being equal */
typedef bool queue_tie_fn(const void *ctx, uint32_t a, uint32_t b);

enum {
	QUEUE_TICK_BITS	= 20,			/* a slot of the first wheel is 1.05 ms */
	QUEUE_WHEELS	= 4,
};

struct queue_slot {
	uint32_t chunk;			/* the newest; the others hang behind it, all full */
	uint32_t entries;
};

/** struct queue_wheel - slots of equal width; bit i of used says that slot i has entries */
struct queue_wheel {
	struct queue_slot *slot;
	uint64_t *used;
	uint64_t  some[4];		/* bit i says that used[i] is not 0 */
};

/** struct queue - to be read only by the inline functions below and queue.c */
struct queue {
	/* entries of the slots up to tick, in order, from run_at on */
	struct queue_entry *run;
	size_t run_at, run_len, run_cap;
	/* entries that came after their slot was made a run: a binary heap */
	struct queue_entry *late;
	size_t late_len, late_cap;
	uint64_t tick;

	struct queue_wheel wheel[QUEUE_WHEELS];
	char   **block;			/* chunks, by the thousand */
	uint32_t blocks, chunks;	/* chunks: ever used */
	uint32_t free_chunk;
	struct queue_entry *spare;	/* for sorting; as long as run */

	queue_tie_fn *tie;
	const void   *tie_ctx;
	uint64_t pending, max_pending;
	uint64_t bytes;
};

void queue_init(struct queue *q, queue_tie_fn *tie, const void *tie_ctx);
void queue_fini(struct queue *q);

void queue_push(struct queue *q, struct queue_entry x);

/* Makes a run of the next slot in use; true if there was one. Called when run and late are empty. */
bool queue_turn(struct queue *q);
void queue_pop_late(struct queue *q);

/** queue_less() - The total order of events */
static inline bool queue_less(const struct queue *q, const struct queue_entry *a,
			      const struct queue_entry *b)
{
	if (a->at_ns != b->at_ns)
		return a->at_ns < b->at_ns;
	if (a->dst != b->dst)
		return a->dst < b->dst;
	return q->tie(q->tie_ctx, a->ref, b->ref);
}

static inline bool queue_late_is_first(const struct queue *q)
{
	return q->late_len && (q->run_at == q->run_len ||
			       queue_less(q, &q->late[0], &q->run[q->run_at]));
}

/** queue_first() - What comes first, until the next call on @q; NULL if it is empty */
static inline const struct queue_entry *queue_first(struct queue *q)
{
	if (queue_late_is_first(q))
		return &q->late[0];
	if (q->run_at == q->run_len && !queue_turn(q))
		return NULL;
	return &q->run[q->run_at];
}

/** queue_pop() - Take what comes first into @x if it lies before @end_ns */
static inline bool queue_pop(struct queue *q, int64_t end_ns, struct queue_entry *x)
{
	const struct queue_entry *first = queue_first(q);

	if (!first || first->at_ns >= end_ns)
		return false;
	*x = *first;
	q->pending--;
	if (first == q->late)
		queue_pop_late(q);
	else
		q->run_at++;
	return true;
}

/** queue_ahead() - An entry that will probably be popped @n pops from now, or NULL */
static inline const struct queue_entry *queue_ahead(const struct queue *q, size_t n)
{
	return q->run_len - q->run_at > n ? &q->run[q->run_at + n] : NULL;
}

#endif /* SIM_ENGINE_QUEUE_H */
