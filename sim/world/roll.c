#include "sim/world/roll.h"

#include <assert.h>

#include <glib.h>

enum { LEAST = 64 };

struct entry {
	struct id id;
	struct was was;
	bool used;
};

struct roll {
	struct entry *entry;
	uint32_t cap, count;
};

struct roll *roll_new(void)
{
	struct roll *r = g_new0(struct roll, 1);

	r->cap = LEAST;
	r->entry = g_new0(struct entry, r->cap);
	return r;
}

void roll_free(struct roll *r)
{
	if (!r)
		return;
	g_free(r->entry);
	g_free(r);
}

/* Ids are digests: their low half is as good as a hash. */
static struct entry *seek(const struct roll *r, struct id id)
{
	uint32_t i = (uint32_t)id.lo & (r->cap - 1);

	while (r->entry[i].used && !id_eq(r->entry[i].id, id))
		i = (i + 1) & (r->cap - 1);
	return &r->entry[i];
}

static void rebuild(struct roll *r, int64_t now_ns)
{
	struct entry *old = r->entry;
	uint32_t olds = r->cap, keep = 0;

	for (uint32_t i = 0; i < olds; i++) {
		if (old[i].used && !old[i].was.alive && now_ns - old[i].was.ended_ns > ROLL_KEEP_NS)
			old[i].used = false;
		keep += old[i].used;
	}
	while (r->cap < keep * 3)
		r->cap *= 2;
	r->entry = g_new0(struct entry, r->cap);
	r->count = keep;
	for (uint32_t i = 0; i < olds; i++)
		if (old[i].used)
			*seek(r, old[i].id) = old[i];
	g_free(old);
}

void roll_start(struct roll *r, struct id id, uint32_t host, uint32_t incarnation, int64_t now_ns)
{
	struct entry *e;

	if (r->count >= r->cap / 2)
		rebuild(r, now_ns);
	e = seek(r, id);
	r->count += !e->used;
	*e = (struct entry){
		.id = id, .used = true,
		.was = { .host = host, .incarnation = incarnation, .alive = true, .ended_ns = WORLD_NEVER },
	};
}

void roll_end(struct roll *r, struct id id, int64_t now_ns, bool goodbye)
{
	struct entry *e = seek(r, id);

	assert(e->used && e->was.alive);
	e->was.alive = false;
	e->was.said_goodbye = goodbye;
	e->was.ended_ns = now_ns;
}

const struct was *roll_find(const struct roll *r, struct id id)
{
	const struct entry *e = seek(r, id);

	return e->used ? &e->was : NULL;
}

uint32_t roll_count(const struct roll *r)
{
	return r->count;
}
