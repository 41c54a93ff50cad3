#include "core/base/mem.h"

#include <assert.h>
#include <string.h>

void *mem_get(struct mem *m, size_t bytes)
{
	void *p;

	if (bytes > m->quota - m->used)
		return NULL;
	p = m->host->get(m->host->ctx, bytes);
	if (!p)
		return NULL;
	m->used += (uint32_t)bytes;
	memset(p, 0, bytes);
	return p;
}

void mem_put(struct mem *m, void *p, size_t bytes)
{
	if (!p)
		return;
	assert(m->used >= bytes);
	m->used -= (uint32_t)bytes;
	m->host->put(m->host->ctx, p, bytes);
}

bool mem_grow(struct mem *m, void *array, uint16_t *cap, uint16_t want, size_t size)
{
	void *old, *new = NULL;
	uint16_t keep = want < *cap ? want : *cap;

	memcpy(&old, array, sizeof(old));
	if (want) {
		new = mem_get(m, want * size);
		if (!new)
			return false;
	}
	if (keep)
		memcpy(new, old, keep * size);
	mem_put(m, old, *cap * size);
	memcpy(array, &new, sizeof(new));
	*cap = want;
	return true;
}
