/*
 * mem.h - a node's memory: the host's slabs, up to a quota
 *
 * Core never calls malloc. Whatever outgrows struct node is taken from the
 * host through these two functions and counted; at the quota mem_get() says
 * NULL, the caller drops what it was doing with DROP_MEMORY and lives on.
 *
 *	Ownership	sizes are told on both ways, so that the host needs no
 *			headers; bytes come zeroed
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct mem_host - where memory comes from; shared by all nodes of a host */
struct mem_host {
	void *(*get)(void *ctx, size_t bytes);		/* NULL when there is none */
	void (*put)(void *ctx, void *p, size_t bytes);
	void *ctx;
};

struct mem {
	const struct mem_host *host;
	uint32_t used, quota;		/* bytes */
};

/** mem_get() - @bytes zeroed bytes, or NULL at the quota */
void *mem_get(struct mem *m, size_t bytes);

/** mem_put() - Give back what mem_get(@bytes) gave; NULL is fine */
void mem_put(struct mem *m, void *p, size_t bytes);

/**
 * mem_grow() - Move an array of @size-byte elements from *@cap to @want places
 * @array: pointer to the array's pointer; untouched on failure
 *
 * New places are zeroed; the array may also shrink.
 * Return: false at the quota
 */
bool mem_grow(struct mem *m, void *array, uint16_t *cap, uint16_t want, size_t size);

#endif /* BASE_MEM_H */
