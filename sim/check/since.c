#include "sim/check/since.h"

#include <assert.h>
#include <stdlib.h>

#include <glib.h>

static int by_key(const void *va, const void *vb)
{
	const struct since_entry *a = va, *b = vb;

	if (a->row != b->row)
		return a->row < b->row ? -1 : 1;
	if (a->what != b->what)
		return a->what < b->what ? -1 : 1;
	return id_cmp(a->id, b->id);
}

void since_done(struct since *s)
{
	g_free(s->before);
	g_free(s->now);
	*s = (struct since){ 0 };
}

void since_begin(struct since *s, int64_t now_ns)
{
	s->now_ns = now_ns;
	s->nows = 0;
}

int64_t since_see(struct since *s, uint32_t row, uint32_t what, struct id id)
{
	struct since_entry e = { row, what, id, s->now_ns, false }, *old = NULL;

	if (s->befores)
		old = bsearch(&e, s->before, s->befores, sizeof(e), by_key);
	if (old)
		e = *old;
	if (s->nows == s->now_cap) {
		s->now_cap = MAX(16, 2 * s->now_cap);
		s->now = g_renew(struct since_entry, s->now, s->now_cap);
	}
	s->now[s->nows++] = e;
	return s->now_ns - e.since_ns;
}

bool since_tell(struct since *s)
{
	struct since_entry *e = &s->now[s->nows - 1];
	bool first = !e->told;

	assert(s->nows);
	e->told = true;
	return first;
}

void since_end(struct since *s)
{
	struct since_entry *swap = s->before;
	uint32_t cap = s->before_cap;

	if (s->nows)
		qsort(s->now, s->nows, sizeof(*s->now), by_key);
	s->before = s->now;
	s->befores = s->nows;
	s->before_cap = s->now_cap;
	s->now = swap;
	s->now_cap = cap;
	s->nows = 0;
}
