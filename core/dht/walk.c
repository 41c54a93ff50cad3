/*
 * The order in which a guest tries the slots of a range
 *
 * Every slot in use costs its members a view, so a network does not use all of
 * a large range at once. Its slots stand in one order that its id decides, and
 * are used window by window: the first holds about two addresses for each node
 * of the ring, 64 slots at least, and each further one doubles them. A guest
 * tries a few slots of a window in an order drawn from its client hash, so that
 * after years away it begins where it once was served. Small ranges are tried
 * whole.
 */
#include "core/dht/parts.h"

enum {
	WINDOW_LEAST	= 64,		/* slots in the first window */
	WINDOW_TRIES	= 8,		/* in one window of a large range */
	SLOTS_TRIED	= 64,		/* at most, by one CREATE_ANY */
	SLOTS_V6	= 1024,		/* of an IPv6 range: its lowest 65,536 addresses are for any */
};

static uint32_t slots_of(const struct ip_range *r)
{
	unsigned host = (r->ip.family == 4 ? 32u : 128u) - r->bits;

	if (host <= SLOT_BITS)
		return 1;
	if (r->ip.family == 6 && host - SLOT_BITS > 10)
		return SLOTS_V6;
	return 1u << (host - SLOT_BITS);
}

/* The first window, for a ring of about 2^(@log2_size Q8 / 256) nodes */
static uint32_t window_of(uint32_t count, uint16_t log2_size)
{
	unsigned log2 = log2_size / 256 + 1u;			/* two addresses a node */
	uint32_t window = log2 > SLOT_BITS && log2 < SLOT_BITS + 26 ? 1u << (log2 - SLOT_BITS) : 1;

	window = window < WINDOW_LEAST ? WINDOW_LEAST : window;
	return window < count ? window : count;
}

/* The next place of the walk; false when all windows are done */
static bool step(struct walk *w, uint32_t count, uint64_t draw, uint32_t *place)
{
	uint32_t tries = count <= SLOTS_TRIED ? count : WINDOW_TRIES;

	if (w->at == tries || w->at == w->len) {
		w->first += w->len;
		w->len = w->first;				/* as many again as all before */
		w->at = 0;
	}
	if (w->first >= count)
		return false;
	*place = w->first + ((uint32_t)(draw + w->at++ * (draw >> 32 | 1)) & (w->len - 1));
	return true;
}

bool walk_next(struct walk *w, const struct network_record *n, const struct ip *preferred, uint64_t client,
	       uint16_t log2_size, struct slot_name *out)
{
	const struct ip_range *r = preferred->family == 4 ? &n->range4 : &n->range6;
	struct slot_name base = slot_of_ip(n->id, &r->ip), slot = slot_of_ip(n->id, preferred);
	uint32_t count = slots_of(r), place;
	uint64_t draw = mixed_u64(client ^ n->id.lo);
	bool prefers = ip_in(preferred, r);

	if (!w->first && w->len < window_of(count, log2_size)) {	/* a larger ring than was known before its first peer spoke */
		w->len = window_of(count, log2_size);
		w->at = 0;
	}
	if (prefers && !w->visited) {
		w->visited = 1;
		*out = slot;
		return true;
	}
	while (w->visited < SLOTS_TRIED && step(w, count, draw, &place)) {
		struct slot_name next = base;

		next.number += (uint32_t)(place * (n->id.hi | 1) + n->id.lo) & (count - 1);
		if (prefers && slot_eq(&next, &slot))
			continue;
		w->visited++;
		*out = next;
		return true;
	}
	return false;
}
