/*
 * queue.c - wheels in front of a sorted run
 *
 * Most entries lie far ahead (timers), most pops are of entries that lay near
 * (packets), and a heap large enough for all of them misses the cache on every
 * level. So time is cut into slots that are only filled, never ordered, until
 * their turn comes: 4096 slots of 1.05 ms, 1024 of 4.3 s, 1024 of 73 min, and
 * enough of 52 days for all of int64. An entry goes to the finest wheel whose
 * present revolution it lies in; when a wheel has gone round, the next slot of
 * the coarser one is dealt out to it. A packet is so moved twice in its life, a
 * timer three times, each time by appending 16 bytes to a chunk.
 *
 * The slot whose turn it is becomes the run: copied together, sorted, popped
 * from the front. Knowing the order ahead of time is what lets the engine
 * prefetch the objects of events to come. What is pushed into a slot already
 * turned (something due at once; mail, after this queue looked far ahead) goes
 * to a small heap beside the run, which is correct for any time whatever, so
 * the wheels are only ever a matter of speed.
 *
 * Ticks count from 1, so that a queue at tick 0 has turned nothing yet.
 */
#include "sim/engine/queue.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CHUNK_BYTES	= 256,
	CHUNK_ENTRIES	= CHUNK_BYTES / 16 - 1,
	BLOCK_BITS	= 10,			/* chunks to a block */
	NO_CHUNK	= 0,			/* chunk 0 is never used */
	SORT_FEW	= 16,			/* up to here by insertion, */
	SORT_COUNT	= 40,			/* up to here by merging, */
};

struct chunk {
	uint32_t next;
	uint32_t pad[3];
	struct queue_entry entry[CHUNK_ENTRIES];
};
_Static_assert(sizeof(struct chunk) == CHUNK_BYTES, "whole cache lines");

/* Bits of the tick that choose the slot, wheel by wheel; together all there are. */
static const unsigned wheel_bits[QUEUE_WHEELS] = { 12, 10, 10, 12 };
static const unsigned wheel_low[QUEUE_WHEELS] = { 0, 12, 22, 32 };
_Static_assert(12 + 10 + 10 + 12 + QUEUE_TICK_BITS >= 64, "any int64 time has a slot");

static void *or_abort(void *p)
{
	if (!p) {
		fputs("sim/engine: the machine has no more memory for pending events\n", stderr);
		abort();
	}
	return p;
}

void queue_init(struct queue *q, queue_tie_fn *tie, const void *tie_ctx)
{
	*q = (struct queue){ .tie = tie, .tie_ctx = tie_ctx, .chunks = 1 };
	for (int i = 0; i < QUEUE_WHEELS; i++) {
		size_t slots = (size_t)1 << wheel_bits[i];
		struct queue_wheel *w = &q->wheel[i];

		w->slot = or_abort(calloc(slots, sizeof(*w->slot)));
		w->used = or_abort(calloc(slots / 64, sizeof(*w->used)));
		q->bytes += slots * sizeof(*w->slot) + slots / 8;
	}
}

void queue_fini(struct queue *q)
{
	for (int i = 0; i < QUEUE_WHEELS; i++) {
		free(q->wheel[i].slot);
		free(q->wheel[i].used);
	}
	for (uint32_t i = 0; i < q->blocks; i++)
		free(q->block[i]);
	free(q->block);
	free(q->run);
	free(q->spare);
	free(q->late);
}

/* -- chunks --------------------------------------------------------------------------------- */

static struct chunk *chunk(const struct queue *q, uint32_t c)
{
	return (struct chunk *)(q->block[c >> BLOCK_BITS] +
				(size_t)(c & ((1u << BLOCK_BITS) - 1)) * CHUNK_BYTES);
}

static uint32_t chunk_get(struct queue *q)
{
	uint32_t c = q->free_chunk;

	if (c != NO_CHUNK) {
		q->free_chunk = chunk(q, c)->next;
		return c;
	}
	c = q->chunks++;
	assert(q->chunks && "fewer than 2^32 chunks");
	if (c >> BLOCK_BITS >= q->blocks) {
		size_t bytes = (size_t)CHUNK_BYTES << BLOCK_BITS;

		q->block = or_abort(realloc(q->block, (q->blocks + 1) * sizeof(*q->block)));
		q->block[q->blocks++] = or_abort(aligned_alloc(64, bytes));
		q->bytes += bytes + sizeof(*q->block);
	}
	return c;
}

/* -- wheels --------------------------------------------------------------------------------- */

static uint64_t tick_of(int64_t at_ns)
{
	return ((uint64_t)at_ns >> QUEUE_TICK_BITS) + 1;
}

static unsigned wheel_of(uint64_t differing)
{
	unsigned i = 0;

	while (i + 1 < QUEUE_WHEELS && differing >> wheel_low[i + 1])
		i++;
	return i;
}

static void place(struct queue *q, struct queue_entry x)
{
	uint64_t tick = tick_of(x.at_ns);
	unsigned i = wheel_of(tick ^ q->tick);
	struct queue_wheel *w = &q->wheel[i];
	size_t at = tick >> wheel_low[i] & (((uint64_t)1 << wheel_bits[i]) - 1);
	struct queue_slot *s = &w->slot[at];
	uint32_t in_chunk = s->entries++ % CHUNK_ENTRIES;

	if (!in_chunk) {
		uint32_t c = chunk_get(q);

		chunk(q, c)->next = s->chunk;
		s->chunk = c;
		w->used[at / 64] |= (uint64_t)1 << at % 64;
		w->some[at / 4096] |= (uint64_t)1 << at / 64 % 64;
	}
	chunk(q, s->chunk)->entry[in_chunk] = x;
}

/* The first slot in use, or -1. Slots behind the present one are empty: their turn is over. */
static long wheel_first(const struct queue_wheel *w)
{
	for (int i = 0; i < 4; i++) {
		if (w->some[i]) {
			int word = i * 64 + __builtin_ctzll(w->some[i]);

			return word * 64L + __builtin_ctzll(w->used[word]);
		}
	}
	return -1;
}

/* Empties a slot into @to, or deals it out to finer wheels if @to is NULL. */
static void slot_empty(struct queue *q, struct queue_wheel *w, size_t at, struct queue_entry *to)
{
	struct queue_slot s = w->slot[at];
	uint32_t n = s.entries ? (s.entries - 1) % CHUNK_ENTRIES + 1 : 0;

	w->slot[at] = (struct queue_slot){ NO_CHUNK, 0 };
	w->used[at / 64] &= ~((uint64_t)1 << at % 64);
	if (!w->used[at / 64])
		w->some[at / 4096] &= ~((uint64_t)1 << at / 64 % 64);
	for (uint32_t c = s.chunk, next; c != NO_CHUNK; c = next, n = CHUNK_ENTRIES) {
		struct chunk *k = chunk(q, c);

		next = k->next;
		if (next != NO_CHUNK)
			__builtin_prefetch(chunk(q, next));
		if (to) {
			memcpy(to, k->entry, n * sizeof(*to));
			to += n;
		} else {
			for (uint32_t i = 0; i < n; i++)
				place(q, k->entry[i]);
		}
		k->next = q->free_chunk;
		q->free_chunk = c;
	}
}

/* -- the run -------------------------------------------------------------------------------- */

static void sort_few(const struct queue *q, struct queue_entry *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct queue_entry x = v[i];
		size_t j = i;

		for (; j && queue_less(q, &x, &v[j - 1]); j--)
			v[j] = v[j - 1];
		v[j] = x;
	}
}

static void sort_merge(const struct queue *q, struct queue_entry *v, size_t n,
		       struct queue_entry *spare)
{
	size_t half = n / 2, i = 0, j = half, to = 0;

	if (n <= SORT_FEW) {
		sort_few(q, v, n);
		return;
	}
	sort_merge(q, v, half, spare);
	sort_merge(q, v + half, n - half, spare);
	if (!queue_less(q, &v[half], &v[half - 1]))
		return;
	memcpy(spare, v, half * sizeof(*v));
	while (i < half && j < n)
		v[to++] = queue_less(q, &v[j], &spare[i]) ? v[j++] : spare[i++];
	memcpy(v + to, spare + i, (half - i) * sizeof(*v));
}

/*
 * All entries of a run lie within one tick, mostly spread evenly over it: 256
 * ways by counting leaves few to sort. Where they are not (many things at one
 * and the same time), merging keeps it at n log n.
 */
static void sort_many(const struct queue *q, struct queue_entry *v, size_t n,
		      struct queue_entry *spare)
{
	enum { BITS = 8, WAYS = 1 << BITS };
	uint32_t start[WAYS + 1] = { 0 };

#define WAY(x)	((uint64_t)(x).at_ns >> (QUEUE_TICK_BITS - BITS) & (WAYS - 1))
	for (size_t i = 0; i < n; i++)
		start[WAY(v[i]) + 1]++;
	for (int i = 1; i <= WAYS; i++)
		start[i] += start[i - 1];
	for (size_t i = 0; i < n; i++)
		spare[start[WAY(v[i])]++] = v[i];
#undef WAY
	memcpy(v, spare, n * sizeof(*v));
	for (uint32_t i = 0, from = 0; i < WAYS; from = start[i++])
		sort_merge(q, v + from, start[i] - from, spare);
}

bool queue_turn(struct queue *q)
{
	assert(q->run_at == q->run_len && !q->late_len);
	for (;;) {
		unsigned i = 0;
		long at;

		while ((at = wheel_first(&q->wheel[i])) < 0)
			if (++i == QUEUE_WHEELS)
				return false;
		/* the finer bits become 0: the beginning of that slot */
		q->tick = (q->tick >> wheel_low[i] >> wheel_bits[i] << wheel_bits[i] |
			   (uint64_t)at) << wheel_low[i];
		if (i) {
			slot_empty(q, &q->wheel[i], at, NULL);
			continue;
		}
		q->run_at = 0;
		q->run_len = q->wheel[0].slot[at].entries;
		if (q->run_len > q->run_cap) {
			size_t cap = q->run_len + q->run_len / 2 + 64;

			q->run = or_abort(realloc(q->run, cap * sizeof(*q->run)));
			q->spare = or_abort(realloc(q->spare, cap * sizeof(*q->spare)));
			q->bytes += 2 * (cap - q->run_cap) * sizeof(*q->run);
			q->run_cap = cap;
		}
		slot_empty(q, &q->wheel[0], at, q->run);
		if (q->run_len > SORT_COUNT)
			sort_many(q, q->run, q->run_len, q->spare);
		else
			sort_merge(q, q->run, q->run_len, q->spare);
		return true;
	}
}

/* -- late entries --------------------------------------------------------------------------- */

static void late_push(struct queue *q, struct queue_entry x)
{
	size_t i = q->late_len++;

	if (i == q->late_cap) {
		size_t cap = q->late_cap ? 2 * q->late_cap : 64;

		q->late = or_abort(realloc(q->late, cap * sizeof(*q->late)));
		q->bytes += (cap - q->late_cap) * sizeof(*q->late);
		q->late_cap = cap;
	}
	for (; i && queue_less(q, &x, &q->late[(i - 1) / 2]); i = (i - 1) / 2)
		q->late[i] = q->late[(i - 1) / 2];
	q->late[i] = x;
}

void queue_pop_late(struct queue *q)
{
	struct queue_entry x = q->late[--q->late_len];
	size_t i = 0, child;

	for (; (child = 2 * i + 1) < q->late_len; i = child) {
		if (child + 1 < q->late_len &&
		    queue_less(q, &q->late[child + 1], &q->late[child]))
			child++;
		if (!queue_less(q, &q->late[child], &x))
			break;
		q->late[i] = q->late[child];
	}
	q->late[i] = x;
}

void queue_push(struct queue *q, struct queue_entry x)
{
	assert(x.at_ns >= 0);
	if (++q->pending > q->max_pending)
		q->max_pending = q->pending;
	if (tick_of(x.at_ns) <= q->tick)
		late_push(q, x);
	else
		place(q, x);
}
