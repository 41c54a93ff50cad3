/* regions.c - the world in k parts of equal size */
#include "sim/net/regions.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#include <glib.h>

#include "sim/net/net.h"

/** struct cut - what is below goes to below, the rest to above; negative: region ~below */
struct cut {
	int32_t at;
	bool    by_y;
	int     below, above;
};

struct regions {
	struct cut cut[NET_REGIONS_MAX];
	int cuts;
	int root;
};

struct ranked { int64_t key; uint32_t index; };

static int by_key(const void *x, const void *y)
{
	const struct ranked *a = x, *b = y;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static int64_t extent(const struct ranked *of, uint32_t n, const int32_t *v)
{
	int64_t low = INT64_MAX, high = INT64_MIN;

	for (uint32_t i = 0; i < n; i++) {
		int64_t x = v[of[i].index];

		low = x < low ? x : low;
		high = x > high ? x : high;
	}
	return n ? high - low : 0;
}

/* Divide the points @of in @k regions, the first of them number @first. */
static int divide_points(struct regions *r, struct ranked *of, uint32_t n, const int32_t *x,
			 const int32_t *y, unsigned k, unsigned first)
{
	unsigned below = k / 2;
	uint32_t m = (uint32_t)((uint64_t)n * below / k);
	int self = r->cuts;
	bool by_y;

	if (k == 1)
		return ~(int)first;
	r->cuts++;
	by_y = extent(of, n, y) > extent(of, n, x);
	for (uint32_t i = 0; i < n; i++)
		of[i].key = by_y ? y[of[i].index] : x[of[i].index];
	qsort(of, n, sizeof(*of), by_key);
	r->cut[self].by_y = by_y;
	r->cut[self].at = n ? (int32_t)of[m].key : INT32_MAX;
	r->cut[self].below = divide_points(r, of, m, x, y, below, first);
	r->cut[self].above = divide_points(r, of + m, n - m, x, y, k - below, first + below);
	return self;
}

struct regions *regions_of_points(const int32_t *x, const int32_t *y, uint32_t n, unsigned k)
{
	struct regions *r = g_new0(struct regions, 1);
	struct ranked *of = g_new(struct ranked, n);

	assert(k >= 1 && k <= NET_REGIONS_MAX && n);
	for (uint32_t i = 0; i < n; i++)
		of[i].index = i;
	r->root = divide_points(r, of, n, x, y, k, 0);
	g_free(of);
	return r;
}

void regions_free(struct regions *r)
{
	g_free(r);
}

unsigned regions_find(const struct regions *r, int32_t x, int32_t y)
{
	int at = r->root;

	while (at >= 0) {
		const struct cut *c = &r->cut[at];

		at = (c->by_y ? y : x) < c->at ? c->below : c->above;
	}
	return (unsigned)~at;
}

/* A row far from @from among @of: at nine tenths, since the very farthest may be a broken host. */
static uint32_t far_row(const struct net_table *t, struct ranked *of, uint32_t n, uint32_t from)
{
	for (uint32_t i = 0; i < n; i++)
		of[i].key = net_table_ns(t, from, of[i].index);
	qsort(of, n, sizeof(*of), by_key);
	return of[(uint64_t)n * 9 / 10].index;
}

static void divide_rows(const struct net_table *t, struct ranked *of, uint32_t n, unsigned k,
			unsigned first, uint8_t *region)
{
	unsigned below = k / 2;
	uint32_t m = (uint32_t)((uint64_t)n * below / k), a, b;

	if (k == 1 || !n) {
		for (uint32_t i = 0; i < n; i++)
			region[of[i].index] = (uint8_t)first;
		return;
	}
	a = far_row(t, of, n, of[0].index);
	b = far_row(t, of, n, a);
	for (uint32_t i = 0; i < n; i++)
		of[i].key = net_table_ns(t, a, of[i].index) - net_table_ns(t, b, of[i].index);
	qsort(of, n, sizeof(*of), by_key);
	divide_rows(t, of, m, below, first, region);
	divide_rows(t, of + m, n - m, k - below, first + below, region);
}

uint8_t *regions_of_rows(const struct net_table *t, unsigned k)
{
	uint32_t n = net_table_rows(t);
	uint8_t *region = g_new(uint8_t, n);
	struct ranked *of = g_new(struct ranked, n);

	assert(k >= 1 && k <= NET_REGIONS_MAX);
	for (uint32_t i = 0; i < n; i++)
		of[i].index = i;
	divide_rows(t, of, n, k, 0, region);
	g_free(of);
	return region;
}
