/*
 * slab.h - memory in small pieces, counted
 *
 * Objects of a shard take their memory here. A piece has no header: who gives
 * it back says how long it was. Sizes are rounded up to the next 16 bytes, and
 * each rounded size up to 4 KiB has a free list of its own; longer pieces go to
 * malloc. All sizes are cut from the same blocks, which go back only with the
 * whole slab, so a size once freed serves the same size again and no other.
 *
 *	Memory		at most 15 bytes lost per piece, and one block per slab
 *	Threads		one at a time; a shard has its own
 *	Order		addresses differ from run to run: never sort by them
 */
#ifndef SIM_ENGINE_SLAB_H
#define SIM_ENGINE_SLAB_H

#include <stddef.h>
#include <stdint.h>

struct slab;

struct slab *slab_new(void);

/** slab_free() - Gives everything back, pieces still in use included, except those over 4 KiB */
void slab_free(struct slab *s);

/** slab_get() - @bytes (not 0) aligned to 16, not cleared; NULL if the machine has no more */
void *slab_get(struct slab *s, size_t bytes);

/** slab_put() - Give back a piece got with the same @bytes; NULL is ignored */
void slab_put(struct slab *s, void *p, size_t bytes);

/* The same two in the shape of a host's callbacks: @ctx is the slab. */
void *slab_get_cb(void *ctx, size_t bytes);
void slab_put_cb(void *ctx, void *p, size_t bytes);

/** struct slab_stats - used counts what was asked for, held what was taken from the system */
struct slab_stats {
	uint64_t used_bytes;
	uint64_t max_used_bytes;
	uint64_t held_bytes;
	uint64_t pieces;		/* in use */
};

void slab_stats(const struct slab *s, struct slab_stats *out);

#endif /* SIM_ENGINE_SLAB_H */
