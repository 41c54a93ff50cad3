#include "node/seen.h"

void seen_put(struct seen_table *t, const struct reflex *r, int64_t now_ns)
{
	unsigned i = 0, oldest = 0;

	for (; i < t->count && !id_eq(t->seen[i].peer, r->peer); i++)
		if (t->seen[i].ns < t->seen[oldest].ns)
			oldest = i;
	if (i == SEEN_MAX)
		i = oldest;
	else if (i == t->count)
		t->count++;
	t->seen[i] = (struct seen){ r->peer, r->at, now_ns };
	t->seen[i].at.iface = 0;
}
