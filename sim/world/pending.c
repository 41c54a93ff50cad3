#include "sim/world/pending.h"

#include <assert.h>
#include <string.h>

#include <glib.h>

enum { LEAST = 64 };

static struct pending_item *at(const struct pending *p, uint32_t serial)
{
	return (struct pending_item *)(p->ring + (serial & (p->cap - 1)) * p->size);
}

void pending_init(struct pending *p, uint32_t hosts, size_t size)
{
	*p = (struct pending){ .size = size, .cap = LEAST, .first = 1, .end = 1 };
	p->ring = g_malloc0(p->cap * size);
	p->head = g_new0(uint32_t, hosts);
}

void pending_fini(struct pending *p)
{
	g_free(p->ring);
	g_free(p->head);
	*p = (struct pending){ 0 };
}

static void grow(struct pending *p)
{
	struct pending old = *p;

	p->cap *= 2;
	p->ring = g_malloc0(p->cap * p->size);
	for (uint32_t s = old.first; s != old.end; s++)
		memcpy(at(p, s), at(&old, s), p->size);
	g_free(old.ring);
}

static void trim(struct pending *p)
{
	while (p->first != p->end && at(p, p->first)->done)
		p->first++;
}

void *pending_add(struct pending *p, uint32_t host, int64_t at_ns)
{
	struct pending_item *i;

	trim(p);
	if (p->end - p->first == p->cap)
		grow(p);
	if (!p->end)				/* 0 means none: once in four billion it is skipped */
		at(p, p->end++)->done = true;
	i = at(p, p->end);
	memset(i, 0, p->size);
	i->at_ns = at_ns;
	i->host = host;
	i->next = p->head[host];
	p->head[host] = p->end++;
	p->open++;
	return i;
}

void *pending_first(const struct pending *p, uint32_t host)
{
	return p->head[host] ? at(p, p->head[host]) : NULL;
}

void *pending_next(const struct pending *p, const void *item)
{
	const struct pending_item *i = item;

	return i->next ? at(p, i->next) : NULL;
}

void pending_done(struct pending *p, void *item)
{
	struct pending_item *i = item;
	uint32_t *link = &p->head[i->host];

	assert(!i->done);
	while (at(p, *link) != i)
		link = &at(p, *link)->next;
	*link = i->next;
	i->done = true;
	p->open--;
}

void *pending_expire(struct pending *p, int64_t before_ns)
{
	trim(p);
	if (p->first == p->end || at(p, p->first)->at_ns >= before_ns)
		return NULL;
	return at(p, p->first);
}
