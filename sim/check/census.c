#include "sim/check/census.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

void census_init(struct census *c)
{
	memset(c, 0, sizeof(*c));
	c->disturbed_ns = c->parted_ns = INT64_MIN;
}

void census_done(struct census *c)
{
	for (uint32_t i = 0; i < c->row_cap; i++) {
		g_free(c->row[i].link);
		g_free(c->row[i].known[0]);
		g_free(c->row[i].known[1]);
		g_free(c->row[i].remembered);
	}
	g_free(c->row);
	g_free(c->order);
	g_free(c->part);
	g_free(c->part_of);
	g_free(c->slot);
	census_init(c);
}

void census_rows(struct census *c, uint32_t rows)
{
	assert(rows >= c->rows);
	if (rows > c->row_cap) {
		uint32_t cap = MAX(rows, c->row_cap * 2);

		c->row = g_renew(struct census_row, c->row, cap);
		memset(c->row + c->row_cap, 0, (cap - c->row_cap) * sizeof(*c->row));
		c->row_cap = cap;
	}
	c->rows = rows;
}

void census_clear(struct census *c, uint32_t row)
{
	struct census_row *r = &c->row[row];

	r->links = r->knowns[0] = r->knowns[1] = r->remembers = 0;
}

/* room() - Make place for one more element of @size bytes */
static void *room(void *array, uint32_t count, uint32_t *cap, size_t size)
{
	if (count < *cap)
		return array;
	*cap = MAX(8, *cap * 2);
	return g_realloc_n(array, *cap, size);
}

struct census_link *census_add_link(struct census *c, uint32_t row, struct id peer)
{
	struct census_row *r = &c->row[row];
	struct census_link *l;

	r->link = room(r->link, r->links, &r->link_cap, sizeof(*r->link));
	l = &r->link[r->links++];
	memset(l, 0, sizeof(*l));
	l->id = peer;
	l->state = LINK_UP;
	return l;
}

void census_add_known(struct census *c, uint32_t row, unsigned side, struct id id)
{
	struct census_row *r = &c->row[row];

	r->known[side] = room(r->known[side], r->knowns[side], &r->known_cap[side], sizeof(id));
	r->known[side][r->knowns[side]++] = id;
}

void census_add_remembered(struct census *c, uint32_t row, struct id id)
{
	struct census_row *r = &c->row[row];

	r->remembered = room(r->remembered, r->remembers, &r->remember_cap, sizeof(id));
	r->remembered[r->remembers++] = id;
}

/* ---- index ---- */

static uint32_t mix(struct id id)
{
	uint64_t h = (id.hi ^ (id.lo * 0x9e3779b97f4a7c15u)) * 0xbf58476d1ce4e5b9u;

	return (uint32_t)(h >> 32);
}

static int by_part_and_id(const void *va, const void *vb, void *census)
{
	const struct census *c = census;
	const struct census_row *a = &c->row[*(const uint32_t *)va], *b = &c->row[*(const uint32_t *)vb];
	int d;

	if (a->part != b->part)
		return a->part < b->part ? -1 : 1;
	d = id_cmp(a->look.id, b->look.id);
	return d ? d : (a > b) - (a < b);
}

static void index_slots(struct census *c)
{
	memset(c->slot, 0xff, c->slots * sizeof(*c->slot));
	for (uint32_t i = 0; i < c->rows; i++) {
		uint32_t s;

		if (c->row[i].state == ROW_GONE)
			continue;
		for (s = mix(c->row[i].look.id) & (c->slots - 1); c->slot[s] != CENSUS_NONE;)
			s = (s + 1) & (c->slots - 1);
		c->slot[s] = i;
	}
}

static void index_room(struct census *c)
{
	uint32_t slots = 16;

	if (c->rows <= c->index_cap && c->slots)
		return;
	while (slots < 2 * c->row_cap)
		slots *= 2;
	c->index_cap = c->row_cap;
	c->slots = slots;
	c->order = g_renew(uint32_t, c->order, c->index_cap + 1);
	c->part = g_renew(struct census_part, c->part, c->index_cap + 1);
	c->part_of = g_renew(uint32_t, c->part_of, c->index_cap + 1);
	c->slot = g_renew(uint32_t, c->slot, c->slots);
}

void census_index(struct census *c)
{
	index_room(c);
	index_slots(c);
	c->members = c->parts = c->running = c->running_parts = 0;
	memset(c->part_of, 0xff, (c->index_cap + 1) * sizeof(*c->part_of));
	for (uint32_t i = 0; i < c->rows; i++) {
		struct census_row *r = &c->row[i];

		r->at = CENSUS_NONE;
		if (r->state != ROW_RUNS)
			continue;
		assert(r->part < c->rows);
		c->running++;
		if (c->part_of[r->part] == CENSUS_NONE) {
			c->part_of[r->part] = 0;	/* seen; set below */
			c->running_parts++;
		}
		if (r->look.joined)
			c->order[c->members++] = i;
	}
	memset(c->part_of, 0xff, (c->index_cap + 1) * sizeof(*c->part_of));
	g_qsort_with_data(c->order, (int)c->members, sizeof(*c->order), by_part_and_id, c);
	for (uint32_t i = 0; i < c->members; i++) {
		struct census_row *r = &c->row[c->order[i]];
		struct census_part *p;

		if (c->part_of[r->part] == CENSUS_NONE) {
			c->part_of[r->part] = c->parts;
			c->part[c->parts++] = (struct census_part){ i, 0, r->part, c->order[i] };
		}
		p = &c->part[c->part_of[r->part]];
		p->members++;
		p->lowest = MIN(p->lowest, c->order[i]);
		r->at = i;
	}
}

uint32_t census_find(const struct census *c, struct id id)
{
	for (uint32_t s = mix(id) & (c->slots - 1); c->slot[s] != CENSUS_NONE;
	     s = (s + 1) & (c->slots - 1))
		if (id_eq(c->row[c->slot[s]].look.id, id))
			return c->slot[s];
	return CENSUS_NONE;
}

uint32_t census_member(const struct census *c, struct id id, uint32_t part)
{
	uint32_t row = census_find(c, id);

	return row != CENSUS_NONE && c->row[row].at != CENSUS_NONE && c->row[row].part == part ?
		row : CENSUS_NONE;
}

static uint32_t beside(const struct census *c, uint32_t row, uint32_t step)
{
	const struct census_row *r = &c->row[row];
	const struct census_part *p = census_part(c, r->part);

	assert(r->at != CENSUS_NONE);
	return c->order[p->first + (r->at - p->first + p->members + step) % p->members];
}

uint32_t census_right(const struct census *c, uint32_t row)
{
	return beside(c, row, 1);
}

uint32_t census_left(const struct census *c, uint32_t row)
{
	return beside(c, row, UINT32_MAX);	/* one back: members is added before */
}

uint32_t census_owner(const struct census *c, uint32_t part, struct id key)
{
	const struct census_part *p = part < c->rows ? census_part(c, part) : NULL;
	uint32_t low = 0, high;

	if (!p)
		return CENSUS_NONE;
	for (high = p->members; low < high;) {
		uint32_t mid = low + (high - low) / 2;

		if (id_less(c->row[c->order[p->first + mid]].look.id, key))
			low = mid + 1;
		else
			high = mid;
	}
	return c->order[p->first + low % p->members];
}
