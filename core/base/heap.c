#include "core/base/heap.h"

#include <assert.h>
#include <string.h>

enum { TAG_BITS = 16, NS_PER_US = 1000 };

static uint16_t tag_of(uint64_t entry)
{
	return (uint16_t)entry;
}

static void place(struct heap *h, uint16_t i, uint64_t entry)
{
	h->entry[i] = entry;
	h->pos[tag_of(entry)] = (uint16_t)(i + 1);
}

static void sift_up(struct heap *h, uint16_t i, uint64_t entry)
{
	while (i) {
		uint16_t up = (uint16_t)((i - 1) / 2);

		if (h->entry[up] <= entry)
			break;
		place(h, i, h->entry[up]);
		i = up;
	}
	place(h, i, entry);
}

static void sift_down(struct heap *h, uint16_t i, uint64_t entry)
{
	for (;;) {
		unsigned child = 2u * i + 1;

		if (child >= h->count)
			break;
		if (child + 1 < h->count && h->entry[child + 1] < h->entry[child])
			child++;
		if (entry <= h->entry[child])
			break;
		place(h, i, h->entry[child]);
		i = (uint16_t)child;
	}
	place(h, i, entry);
}

void heap_init(struct heap *h, int64_t birth_ns)
{
	*h = (struct heap){ .birth_ns = birth_ns };
}

void heap_done(struct heap *h, struct mem *m)
{
	mem_put(m, h->entry, h->cap * sizeof(*h->entry));
	mem_put(m, h->pos, h->tags * sizeof(*h->pos));
	*h = (struct heap){ .birth_ns = h->birth_ns };
}

bool heap_set(struct heap *h, struct mem *m, uint16_t tag, int64_t due_ns)
{
	int64_t since = due_ns - h->birth_ns;
	uint64_t entry;

	if (since < 0)
		since = 0;
	entry = ((uint64_t)since + NS_PER_US - 1) / NS_PER_US << TAG_BITS | tag;
	if (tag >= h->tags &&
	    !mem_grow(m, &h->pos, &h->tags, (uint16_t)((tag | 7) + 1), sizeof(*h->pos)))
		return false;
	if (!h->pos[tag]) {
		if (h->count == h->cap &&
		    !mem_grow(m, &h->entry, &h->cap, (uint16_t)(h->cap ? h->cap + h->cap / 2 : 8),
			      sizeof(*h->entry)))
			return false;
		sift_up(h, h->count++, entry);
		return true;
	}
	if (entry < h->entry[h->pos[tag] - 1])
		sift_up(h, (uint16_t)(h->pos[tag] - 1), entry);
	else
		sift_down(h, (uint16_t)(h->pos[tag] - 1), entry);
	return true;
}

void heap_del(struct heap *h, uint16_t tag)
{
	uint16_t i;
	uint64_t last;

	if (tag >= h->tags || !h->pos[tag])
		return;
	i = (uint16_t)(h->pos[tag] - 1);
	h->pos[tag] = 0;
	last = h->entry[--h->count];
	if (i == h->count)
		return;
	if (i && last < h->entry[(i - 1) / 2])
		sift_up(h, i, last);
	else
		sift_down(h, i, last);
}

void heap_trim(struct heap *h, struct mem *m, uint16_t tags)
{
	tags = (uint16_t)(((tags - 1) | 7) + 1);
	if (tags < h->tags)
		mem_grow(m, &h->pos, &h->tags, tags, sizeof(*h->pos));
	if (h->count + 8 < h->cap)
		mem_grow(m, &h->entry, &h->cap, (uint16_t)(h->count + 2), sizeof(*h->entry));
}

static int64_t due_of(const struct heap *h, uint64_t entry)
{
	return h->birth_ns + (int64_t)(entry >> TAG_BITS) * NS_PER_US;
}

int64_t heap_due(const struct heap *h, uint16_t tag)
{
	if (tag >= h->tags || !h->pos[tag])
		return INT64_MAX;
	return due_of(h, h->entry[h->pos[tag] - 1]);
}

int64_t heap_next(const struct heap *h)
{
	return h->count ? due_of(h, h->entry[0]) : INT64_MAX;
}

bool heap_pop(struct heap *h, int64_t now_ns, uint16_t *tag)
{
	if (heap_next(h) > now_ns)
		return false;
	*tag = tag_of(h->entry[0]);
	heap_del(h, *tag);
	return true;
}
