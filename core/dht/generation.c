/*
 * Slots that lost their majority for good.
 *
 * Their records cannot be had any more, so a new generation begins empty, and
 * grants nothing before every lease that could stand has run out: the longest
 * term, by the fastest clock. All its fences lead those of the one before.
 * Under POLICY_STRICT only a signed record with a higher generation begins one;
 * members of older ones stop at once when they see it. Under POLICY_RECLAIM the
 * nodes around the point do.
 */
#include "core/dht/replica.h"

/* A member of an older generation has nothing to say any more. */
static bool outdated(const struct replica *r, const struct network_record *n)
{
	return r->view.members && r->view.name.generation < n->generation;
}

void generation_news(struct dht *d, struct env *e, const struct charter *c)
{
	struct replicas *rs = d->replicas;

	if (!e->fx)
		return;
	for (unsigned i = 0; rs && i < rs->count;) {
		struct replica *r = rs->at[i];

		if (id_eq(r->slot.network, c->record.id) && outdated(r, &c->record))
			replica_del(d, e, r);
		else
			i++;
	}
	for (unsigned i = 0; rs && i < rs->hints;) {
		struct hint *h = &rs->hint[i];

		if (id_eq(h->slot.network, c->record.id) && h->view.name.generation < c->record.generation)
			*h = rs->hint[--rs->hints];
		else
			i++;
	}
	founder_start(d, e, c);
	replicas_flush(d, e);
}

/* When a first view of @generation may grant: at once only in a network's first. */
int64_t generation_serves(const struct dht *d, const struct env *e, struct id network, uint32_t generation)
{
	const struct charter *c = charter_find(d, network);

	if (!generation || !c)
		return 0;
	return e->now_ns + term_kept_ns(c->record.term_s, c->record.drift_ppm);
}
