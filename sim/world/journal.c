#include "sim/world/journal.h"

#include <string.h>

#include <glib.h>

void journal_done(struct journal *j)
{
	g_free(j->note);
	*j = (struct journal){ 0 };
}

static void room(struct journal *j, uint32_t want)
{
	if (want > j->cap) {
		j->cap = MAX(want, j->cap * 2);
		j->note = g_renew(struct note, j->note, j->cap);
	}
}

void journal_put(struct journal *j, const struct note *n)
{
	room(j, j->count + 1);
	j->note[j->count++] = *n;
}

static int later(const struct note *a, const struct note *b)
{
	if (a->at_ns != b->at_ns)
		return a->at_ns < b->at_ns ? -1 : 1;
	return a->host < b->host ? -1 : a->host > b->host;
}

/* A stable merge sort: a host writes into one journal only, so its notes keep their order. */
static void sort(struct note *v, struct note *spare, uint32_t n)
{
	uint32_t half = n / 2, a = 0, b = half, to = 0;

	if (n < 2)
		return;
	if (n <= 8) {
		for (uint32_t i = 1; i < n; i++) {
			struct note x = v[i];
			uint32_t k = i;

			for (; k && later(&v[k - 1], &x) > 0; k--)
				v[k] = v[k - 1];
			v[k] = x;
		}
		return;
	}
	sort(v, spare, half);
	sort(v + half, spare, n - half);
	if (later(&v[half - 1], &v[half]) <= 0)
		return;
	memcpy(spare, v, half * sizeof(*v));
	while (a < half && b < n)
		v[to++] = later(&spare[a], &v[b]) <= 0 ? spare[a++] : v[b++];
	while (a < half)
		v[to++] = spare[a++];
}

void journal_merge(struct journal *into, struct journal *const *from, unsigned count)
{
	struct note *spare;

	into->count = 0;
	for (unsigned i = 0; i < count; i++) {
		room(into, into->count + from[i]->count);
		if (from[i]->count)
			memcpy(into->note + into->count, from[i]->note,
			       from[i]->count * sizeof(struct note));
		into->count += from[i]->count;
		from[i]->count = 0;
	}
	spare = g_new(struct note, into->count / 2 + 1);
	sort(into->note, spare, into->count);
	g_free(spare);
}
