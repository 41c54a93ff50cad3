/*
 * Slots that lost their majority for good.
 *
 * Their records cannot be had any more, so a new generation begins empty, and
 * grants nothing before every lease that could stand has run out: the longest
 * term, by the fastest clock. All its fences lead those of the one before.
 * Under POLICY_STRICT only a signed record with a higher generation begins one;
 * members of older ones stop at once when they see it. Under POLICY_RECLAIM the
 * node that owns the point asks the root for one, once nobody near has known the
 * slot for as long as a lease can stand. Members whose view can neither go on nor
 * be changed say that they do not know it. The root gives out each generation once;
 * its own, when it lost its majority, only the network's key renews, under both
 * policies.
 *
 * Lost and cut off look alike: under POLICY_RECLAIM a majority that was cut off may
 * go on granting while the new generation begins elsewhere. When they meet, who
 * hears of the higher generation leaves the lower one; holders find out when they renew.
 */
#include "core/dht/replica.h"

#define STUCK_NS	(15 * NS_PER_S)		/* a change of view that can be finished takes less */

/* A member of an older generation has nothing to say any more. */
static bool outdated(const struct replica *r, const struct network_record *n)
{
	return r->view.members && r->view.name.generation < n->generation;
}

/* Everything of older generations than the record names is nothing any more. */
void generation_purge(struct dht *d, struct env *e, const struct charter *c)
{
	struct replicas *rs = d->replicas;

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
}

void generation_news(struct dht *d, struct env *e, const struct charter *c)
{
	if (!e->fx)
		return;
	generation_purge(d, e, c);
	founder_start(d, e, c);
	replicas_flush(d, e);
}

bool generation_due(struct dht *d, struct env *e, const struct slot_name *s)
{
	struct replicas *rs = d->replicas;
	const struct charter *c = charter_find(d, s->network);
	struct missing *m = NULL;
	int64_t term_ns = c ? term_kept_ns(c->record.term_s, c->record.drift_ppm) : INT64_MAX;

	for (unsigned i = 0; i < rs->missings; i++)
		if (slot_eq(&rs->missing[i].slot, s))
			m = &rs->missing[i];
	if (m && e->now_ns - m->asked_ns < 2 * term_ns) {
		m->asked_ns = e->now_ns;
		return c && c->record.policy == POLICY_RECLAIM && e->now_ns - m->since_ns >= term_ns;
	}
	d->account.majorities_lost++;
	for (unsigned i = 0; !m && i < rs->missings; i++)	/* one nobody asks for any more */
		if (e->now_ns - rs->missing[i].asked_ns > HINT_NS)
			m = &rs->missing[i];
	if (!m && rs->missings < rs->missing_cap)
		m = &rs->missing[rs->missings++];
	if (!m && rs->missings < MISSING_MAX &&
	    mem_grow(&e->mem, &rs->missing, &rs->missing_cap, rs->missing_cap + rs->missing_cap / 2 + 4, sizeof(*m)))
		m = &rs->missing[rs->missings++];
	if (m)
		*m = (struct missing){ *s, e->now_ns, e->now_ns };
	return false;
}

bool generation_stuck(const struct dht *d, const struct env *e, struct replica *r)
{
	const struct network_record *n = replica_network(d, r);

	if (!n || n->policy != POLICY_RECLAIM || r->slot.kind == SLOT_ROOT || !r->view.members)
		return false;
	if (!r->promised)
		r->stuck_ns = 0;
	else if (!r->stuck_ns)
		r->stuck_ns = e->now_ns;
	return r->promised && e->now_ns - r->stuck_ns >= STUCK_NS;
}

void generation_found(struct dht *d, const struct slot_name *s)
{
	struct replicas *rs = d->replicas;

	for (unsigned i = 0; rs && i < rs->missings; i++)
		if (slot_eq(&rs->missing[i].slot, s))
			rs->missing[i--] = rs->missing[--rs->missings];
}

/*
 * That nothing is granted yet is a record of the slot like any other, so that
 * whoever becomes its primary knows, and whoever restarts waits anew.
 */
#define WAIT_KEY	UINT64_MAX

void generation_wait(struct dht *d, struct env *e, struct replica *r, int64_t wait_ns)
{
	const struct network_record *n = replica_network(d, r);
	struct kept k = { .key = WAIT_KEY, .gone = 1, .until_ns = e->now_ns + wait_ns };
	const struct kept *kept;

	if (wait_ns <= 0)
		return;
	k.term_s = n ? n->term_s : (uint32_t)(wait_ns / NS_PER_S) + 1;
	kept = store_put(&r->store, &e->mem, &k);
	if (kept)
		replica_save_kept(d, e, r, r->set, WAIT_KEY, kept);
}

int64_t generation_serves(const struct replica *r)
{
	const struct kept *k = r->view.name.generation ? store_find(&r->store, WAIT_KEY) : NULL;

	return k ? k->until_ns : 0;
}

int64_t generation_term(const struct network_record *n)
{
	return term_kept_ns(n->term_s, n->drift_ppm);
}
