/*
 * What a node saves travels as the payload of an event and is on the disk when
 * that event comes; only then is the node told. What is on its way when a node
 * crashes is lost; a clean end waits for it.
 *
 * A lying disk confirms at the same time, but keeps what it confirmed in a
 * cache: `tail` the last save of each kind, `stale` everything since the fault
 * began. The cache is lost if the node ends, and written if the fault ends first.
 */
#include <string.h>

#include "sim/world/inside.h"

enum { KEYS = SAVE_KEYS + 1 };

struct blob { uint8_t *data; uint32_t len; };

struct disk {
	struct blob written[KEYS];
	struct blob cached[KEYS];
};

static void drop(struct slab *slab, struct blob *b)
{
	slab_put(slab, b->data, b->len);
	*b = (struct blob){ 0 };
}

static void flush(struct slab *slab, struct disk *d, unsigned key)
{
	if (!d->cached[key].data)
		return;
	drop(slab, &d->written[key]);
	d->written[key] = d->cached[key];
	d->cached[key] = (struct blob){ 0 };
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
				.len = len, .key = (uint8_t)save->key };
	if (len)
		memcpy(wr->data, save->data, len);
	engine_post(l, i, i, CLASS_SAVED, h->saved_ns, wr);
}

static void keep(struct lane *l, struct host *h, const struct written *wr)
{
	struct slab *slab = lane_slab(l);
	struct disk *d = h->disk;
	struct blob *b;

	if (!wr->len || wr->key >= KEYS)
		return;
	if (!d) {
		d = h->disk = slab_get(slab, sizeof(*d));
		memset(d, 0, sizeof(*d));
	}
	b = &d->written[wr->key];
	if (h->odd && h->odd->lying) {
		if (h->odd->lying == 1 + LIE_TAIL)
			flush(slab, d, wr->key);
		b = &d->cached[wr->key];
	}
	drop(slab, b);
	b->data = slab_get(slab, wr->len);
	b->len = wr->len;
	memcpy(b->data, wr->data, wr->len);
}

void disk_written(struct shard *s, struct lane *l, struct host *h, const struct written *wr)
{
	struct event ev = { .kind = EVENT_SAVED, .token = wr->token };

	if (wr->incarnation != h->incarnation)
		return;
	if (h->state == HOST_OFF && !(h->flags & HOST_GRACEFUL))
		return;
	keep(l, h, wr);
	if (host_is_running(h))
		host_step(s, l, h, &ev, 1);
}

struct bytes disk_read(const struct host *h, enum save_key key)
{
	if (!h->disk || !h->disk->written[key].data)
		return (struct bytes){ NULL, 0 };
	return (struct bytes){ h->disk->written[key].data, h->disk->written[key].len };
}

void disk_crash(struct shard *s, struct lane *l, struct host *h)
{
	if (!h->disk)
		return;
	for (unsigned k = 0; k < KEYS; k++) {
		if (!h->disk->cached[k].data)
			continue;
		if (h->odd && h->odd->lying)
			s->touched[h->odd->lie]++;
		drop(lane_slab(l), &h->disk->cached[k]);
	}
}

void disk_truth(struct lane *l, struct host *h)
{
	for (unsigned k = 0; h->disk && k < KEYS; k++)
		flush(lane_slab(l), h->disk, k);
}

void disk_wipe(struct lane *l, struct host *h)
{
	if (!h->disk)
		return;
	for (unsigned k = 0; k < KEYS; k++) {
		drop(lane_slab(l), &h->disk->written[k]);
		drop(lane_slab(l), &h->disk->cached[k]);
	}
	slab_put(lane_slab(l), h->disk, sizeof(*h->disk));
	h->disk = NULL;
}
