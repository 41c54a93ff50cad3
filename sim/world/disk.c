/*
 * What a node saves travels as the payload of an event and is on the disk when
 * that event comes; only then is the node told. What is on its way when a node
 * crashes is lost; a clean end waits for it.
 *
 * A lying disk confirms at the same time, but keeps what it confirmed in a
 * cache: `tail` the last save of each item, `stale` everything since the fault
 * began. The cache is lost if the node ends, and written if the fault ends first.
 */
#include <string.h>

#include "core/base/saved.h"
#include "sim/world/inside.h"

struct blob { uint8_t *data; uint32_t len; };

/* One thing kept: what is on the disk, and what a lying one only says is. */
struct item {
	uint64_t part;
	struct blob written, cached;
	uint8_t kind;
	bool lied;			/* cached says what follows written; no data: it is forgotten */
};

struct disk {
	struct item *item;		/* by kind and part */
	uint32_t items, cap;
};

static void drop(struct slab *slab, struct blob *b)
{
	slab_put(slab, b->data, b->len);
	*b = (struct blob){ 0 };
}

static void remove_at(struct slab *slab, struct disk *d, uint32_t i)
{
	drop(slab, &d->item[i].written);
	drop(slab, &d->item[i].cached);
	memmove(&d->item[i], &d->item[i + 1], (--d->items - i) * sizeof(*d->item));
}

/* What the cache of item @i says is on the disk now. True: nothing is left of the item. */
static bool flush(struct slab *slab, struct disk *d, uint32_t i)
{
	struct item *it = &d->item[i];

	if (!it->lied)
		return false;
	drop(slab, &it->written);
	it->written = it->cached;
	it->cached = (struct blob){ 0 };
	it->lied = false;
	if (it->written.data)
		return false;
	remove_at(slab, d, i);
	return true;
}

/* The place of (kind, part), or where it would stand. */
static uint32_t find(const struct disk *d, uint8_t kind, uint64_t part)
{
	uint32_t low = 0, high = d->items;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		const struct item *it = &d->item[mid];

		if (it->kind < kind || (it->kind == kind && it->part < part))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct item *item_of(struct slab *slab, struct disk *d, uint8_t kind, uint64_t part)
{
	uint32_t i = find(d, kind, part);

	if (i < d->items && d->item[i].kind == kind && d->item[i].part == part)
		return &d->item[i];
	if (d->items == d->cap) {
		uint32_t cap = d->cap ? 2 * d->cap : 2;
		struct item *more = slab_get(slab, cap * sizeof(*more));

		if (d->items)
			memcpy(more, d->item, d->items * sizeof(*more));
		slab_put(slab, d->item, d->cap * sizeof(*more));
		d->item = more;
		d->cap = cap;
	}
	memmove(&d->item[i + 1], &d->item[i], (d->items++ - i) * sizeof(*d->item));
	d->item[i] = (struct item){ .kind = kind, .part = part };
	return &d->item[i];
}

void disk_write(struct shard *s, struct lane *l, struct host *h, const struct save *save)
{
	uint32_t i = host_number(s->world, h);
	uint32_t len = s->world->keeps ? save->len : 0;
	struct written *wr = engine_payload(l, (uint32_t)sizeof(*wr) + len);
	int64_t takes_ns = DISK_NS;

	if (h->odd && h->odd->disk_ns) {
		takes_ns = h->odd->disk_ns;
		s->touched[h->odd->disk]++;
	}
	h->saved_ns = MAX(h->saved_ns, lane_now(l) + takes_ns);
	*wr = (struct written){ .token = save->token, .incarnation = h->incarnation,
				.part = save->part, .len = len, .kind = save->kind };
	if (len)
		memcpy(wr->data, save->data, len);
	engine_post(l, i, i, CLASS_SAVED, h->saved_ns, wr);
}

static void keep(struct lane *l, struct host *h, const struct written *wr)
{
	struct slab *slab = lane_slab(l);
	struct disk *d = h->disk;
	struct item *it;
	struct blob *b;

	if (!d) {
		d = h->disk = slab_get(slab, sizeof(*d));
		memset(d, 0, sizeof(*d));
	}
	it = item_of(slab, d, wr->kind, wr->part);
	b = &it->written;
	if (h->odd && h->odd->lying) {
		if (h->odd->lying == 1 + LIE_TAIL && it->lied) {
			drop(slab, &it->written);
			it->written = it->cached;
			it->cached = (struct blob){ 0 };
		}
		b = &it->cached;
		it->lied = true;
	}
	drop(slab, b);
	if (wr->len) {
		b->data = slab_get(slab, wr->len);
		b->len = wr->len;
		memcpy(b->data, wr->data, wr->len);
	} else if (!it->lied) {
		remove_at(slab, d, (uint32_t)(it - d->item));
	}
}

void disk_written(struct shard *s, struct lane *l, struct host *h, const struct written *wr)
{
	struct event ev = { .kind = EVENT_SAVED, .token = wr->token };

	if (wr->incarnation != h->incarnation)
		return;
	if (h->state == HOST_OFF && !(h->flags & HOST_GRACEFUL))
		return;
	if (s->world->keeps)
		keep(l, h, wr);
	if (host_is_running(h))
		host_step(s, l, h, &ev, 1);
}

struct bytes disk_read(const struct host *h, GByteArray *into)
{
	const struct disk *d = h->disk;
	struct writer w;
	guint total = 0;

	for (uint32_t i = 0; d && i < d->items; i++)
		if (d->item[i].written.data)
			total += SAVED_HEADER + d->item[i].written.len;
	g_byte_array_set_size(into, total);
	w = writer_of(into->data, total);
	for (uint32_t i = 0; d && i < d->items; i++) {
		const struct item *it = &d->item[i];
		struct saved one = { it->part, { it->written.data, it->written.len }, it->kind };

		if (it->written.data)
			saved_write(&w, &one);
	}
	return (struct bytes){ total ? into->data : NULL, total };
}

void disk_crash(struct shard *s, struct lane *l, struct host *h)
{
	struct disk *d = h->disk;

	for (uint32_t i = 0; d && i < d->items;) {
		struct item *it = &d->item[i];

		if (it->lied) {
			if (h->odd && h->odd->lying)
				s->touched[h->odd->lie]++;
			drop(lane_slab(l), &it->cached);
			it->lied = false;
		}
		if (it->written.data)
			i++;
		else
			remove_at(lane_slab(l), d, i);
	}
}

void disk_truth(struct lane *l, struct host *h)
{
	for (uint32_t i = 0; h->disk && i < h->disk->items;)
		if (!flush(lane_slab(l), h->disk, i))
			i++;
}

void disk_wipe(struct lane *l, struct host *h)
{
	struct disk *d = h->disk;

	if (!d)
		return;
	while (d->items)
		remove_at(lane_slab(l), d, d->items - 1);
	slab_put(lane_slab(l), d->item, d->cap * sizeof(*d->item));
	slab_put(lane_slab(l), d, sizeof(*d));
	h->disk = NULL;
}
