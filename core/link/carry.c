/*
 * Data packets: sealed between two ends that may be far away. A link only takes
 * them to its peer, by whatever path it has, and says by which link one came, so
 * that a label is good on the link it was given to and nowhere else.
 */
#include "core/link/table.h"

enum { RELAY_COST = WIRE_HEADER + 1 + ID_BYTES + WIRE_TAG };

struct writer links_data(struct env *e, struct links *l, link_ref ref, size_t max)
{
	struct link *k = link_at(l, ref.slot);

	if (!k || k->state != LINK_UP)
		return (struct writer){ .bad = true };
	return packet_open(e, l, k->via, max);
}

void links_carry(struct env *e, struct links *l, link_ref ref, struct writer *w)
{
	struct link *k = link_at(l, ref.slot);

	if (k)
		packet_shut(e, l, k->id, k->via, &k->at, w, MESSAGE_DATA);
}

uint16_t links_carries(const struct links *l, link_ref ref)
{
	const struct link *k = ref.slot < l->slots ? &l->link[ref.slot] : NULL;

	if (!k || k->state != LINK_UP)
		return 0;
	if (k->via == NO_SLOT)
		return k->mtu;
	return WIRE_MTU_MIN - RELAY_COST;	/* what lies behind the relay is unknown */
}

static link_ref whence(const struct links *l, const struct arrival *a)
{
	for (uint16_t i = 0; i < l->slots; i++) {
		const struct link *k = &l->link[i];

		if (k->state == LINK_UP && (a->via == NO_SLOT ? endpoint_eq(&k->at, &a->from) : id_eq(k->id, a->peer)))
			return (link_ref){ i };
	}
	return LINK_NONE;
}

void carry_in(struct env *e, struct links *l, struct bytes packet, uint32_t index, const struct arrival *a)
{
	struct news n = { .kind = NEWS_DATA, .a = index, .body = packet };

	if (packet.len < WIRE_HEADER + WIRE_TAG) {
		env_drop(e, DROP_SHORT);
		return;
	}
	n.link = whence(l, a);
	n.id = links_id(l, n.link);
	news_add(e, l, &n);
}
