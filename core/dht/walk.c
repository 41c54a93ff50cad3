/*
 * The order in which a guest tries the slots of a range
 *
 * A walk by an odd step covers a power of two once, so every guest has its own
 * order over all slots, drawn from its client hash only: after years away it
 * begins where it once was served.
 */
#include "core/dht/parts.h"

enum {
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

bool walk_next(struct walk *w, const struct network_record *n, const struct ip *preferred, uint64_t client,
	       struct slot_name *out)
{
	const struct ip_range *r = preferred->family == 4 ? &n->range4 : &n->range6;
	struct slot_name base = slot_of_ip(n->id, &r->ip), slot = slot_of_ip(n->id, preferred);
	uint32_t count = slots_of(r), limit = count < SLOTS_TRIED ? count : SLOTS_TRIED;
	uint64_t draw = mixed_u64(client ^ n->id.lo);
	bool prefers = ip_in(preferred, r);

	if (prefers && !w->visited) {
		w->visited = 1;
		*out = slot;
		return true;
	}
	while (w->visited < limit && w->at < count) {
		struct slot_name next = base;

		next.number += (uint32_t)(draw + w->at++ * (draw >> 32 | 1)) & (count - 1);
		if (prefers && slot_eq(&next, &slot))
			continue;
		w->visited++;
		*out = next;
		return true;
	}
	return false;
}
