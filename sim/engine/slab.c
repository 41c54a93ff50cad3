/*
 * slab.c - a block to cut from, and one free list per size
 *
 * A free piece holds the pointer to the next. What is left of a block when the
 * next piece does not fit goes to the free list of exactly its size, so nothing
 * is lost there either.
 */
#include "sim/engine/slab.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "sim/engine/asan.h"

enum {
	STEP	 = 16,
	LARGEST	 = 4096,
	SIZES	 = LARGEST / STEP + 1,
	BLOCK	 = 64 << 10,		/* the first; then doubling up to */
	BLOCK_MAX = 2 << 20,		/* one huge page */
};

struct piece {
	struct piece *next;
};

struct block {
	struct block *next;
	size_t bytes;
};
_Static_assert(sizeof(struct block) == STEP, "pieces behind it stay aligned");

struct slab {
	struct piece *free[SIZES];	/* by size in steps */
	char *cut, *end;		/* what is left of the newest block */
	struct block *blocks;
	size_t block_bytes;		/* of the next one */
	struct slab_stats stats;
};

struct slab *slab_new(void)
{
	struct slab *s = calloc(1, sizeof(*s));

	if (s)
		s->block_bytes = BLOCK;
	return s;
}

void slab_free(struct slab *s)
{
	struct block *b, *next;

	if (!s)
		return;
	for (b = s->blocks; b; b = next) {
		next = b->next;
		asan_open(b, b->bytes);
		free(b);
	}
	free(s);
}

static void put_piece(struct slab *s, void *p, size_t steps)
{
	struct piece *piece = p;

	piece->next = s->free[steps];
	s->free[steps] = piece;
	asan_close(p, steps * STEP);
}

static bool more(struct slab *s)
{
	size_t bytes = s->block_bytes;
	struct block *b = aligned_alloc(bytes < BLOCK_MAX ? 64 : BLOCK_MAX, bytes);

	if (!b)
		return false;
	if (bytes >= BLOCK_MAX)
		madvise(b, bytes, MADV_HUGEPAGE);	/* a wish: may be refused */
	if (s->cut < s->end)
		put_piece(s, s->cut, (size_t)(s->end - s->cut) / STEP);
	b->next = s->blocks;
	b->bytes = bytes;
	s->blocks = b;
	s->cut = (char *)(b + 1);
	s->end = (char *)b + bytes;
	s->stats.held_bytes += bytes;
	if (bytes < BLOCK_MAX)
		s->block_bytes = 2 * bytes;
	return true;
}

void *slab_get(struct slab *s, size_t bytes)
{
	size_t steps = (bytes + STEP - 1) / STEP;
	void *p;

	assert(bytes);
	if (bytes > LARGEST) {
		p = malloc(bytes);
		if (!p)
			return NULL;
		s->stats.held_bytes += bytes;
	} else if (s->free[steps]) {
		p = s->free[steps];
		asan_open(p, steps * STEP);
		s->free[steps] = ((struct piece *)p)->next;
	} else {
		if ((size_t)(s->end - s->cut) < steps * STEP && !more(s))
			return NULL;
		p = s->cut;
		s->cut += steps * STEP;
	}
	s->stats.pieces++;
	s->stats.used_bytes += bytes;
	if (s->stats.used_bytes > s->stats.max_used_bytes)
		s->stats.max_used_bytes = s->stats.used_bytes;
	return p;
}

void slab_put(struct slab *s, void *p, size_t bytes)
{
	if (!p)
		return;
	assert(bytes && s->stats.pieces && s->stats.used_bytes >= bytes &&
	       "given back with the size it was got with");
	s->stats.pieces--;
	s->stats.used_bytes -= bytes;
	if (bytes > LARGEST) {
		s->stats.held_bytes -= bytes;
		free(p);
	} else {
		put_piece(s, p, (bytes + STEP - 1) / STEP);
	}
}

void *slab_get_cb(void *ctx, size_t bytes)
{
	return slab_get(ctx, bytes);
}

void slab_put_cb(void *ctx, void *p, size_t bytes)
{
	slab_put(ctx, p, bytes);
}

void slab_stats(const struct slab *s, struct slab_stats *out)
{
	*out = s->stats;
}
