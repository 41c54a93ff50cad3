/*
 * Links on demand: traffic that lasts earns one, and keeps it for as long as it
 * lasts. The use is told to the peer like any other (STATUS), so that neither
 * end closes what the other one needs.
 */
#include "core/ring/parts.h"

#define DEMAND_MS	120000u		/* a link nobody asks for fades after this */
#define CALL_MS		20000u		/* a call in vain is repeated after this, while it is asked for */

struct demand {
	struct id id;
	uint32_t until_ms, call_ms;
};

struct demand_state {
	uint16_t count;
	struct demand d[DEMANDS_MAX];
};

static bool past(uint32_t now, uint32_t due)
{
	return (int32_t)(now - due) >= 0;
}

static struct demand *find(const struct ring *r, struct id id)
{
	for (unsigned i = 0; r->demand && i < r->demand->count; i++)
		if (id_eq(r->demand->d[i].id, id))
			return &r->demand->d[i];
	return NULL;
}

bool demand_for(const struct ring *r, struct id id)
{
	return find(r, id);
}

enum drop ring_demand(struct ring *r, struct env *e, const struct contact *who)
{
	uint32_t now = env_ms(e);
	struct demand *d = find(r, who->id);
	link_ref ref = peer_find(r, who->id);

	if (!r->demand)
		r->demand = mem_get(&e->mem, sizeof(*r->demand));
	if (!r->demand)
		return env_drop(e, DROP_MEMORY);
	if (!d) {
		if (r->demand->count == DEMANDS_MAX)
			return env_drop(e, DROP_FULL);
		d = &r->demand->d[r->demand->count++];
		*d = (struct demand){ .id = who->id, .call_ms = now };
	}
	d->until_ms = now + DEMAND_MS;
	if (link_ok(ref)) {
		if (!(peer_at(r, ref)->use & USE_DEMAND))
			peers_want(r, e, ref, USE_DEMAND);
	} else if (past(now, d->call_ms) && !link_ok(links_find(r->links, who->id))) {
		d->call_ms = now + CALL_MS;
		links_call(e, r->links, who);
	}
	return DROP_NONE;
}

void demand_up(struct ring *r, struct env *e, link_ref ref)
{
	struct demand *d = find(r, peer_at(r, ref)->id);

	if (!d)
		return;
	d->call_ms = env_ms(e);			/* should it go down while traffic lasts */
	peers_want(r, e, ref, USE_DEMAND);
}

void demand_keep(struct ring *r, struct env *e)
{
	uint32_t now = env_ms(e);

	for (unsigned i = 0; r->demand && i < r->demand->count;) {
		struct demand *d = &r->demand->d[i];
		link_ref ref = peer_find(r, d->id);

		if (!past(now, d->until_ms)) {
			i++;
			continue;
		}
		if (link_ok(ref)) {
			peer_at(r, ref)->use &= (uint8_t)~USE_DEMAND;
			peer_at(r, ref)->since_ms = now;
			peers_want(r, e, ref, 0);		/* tells the peer */
		}
		*d = r->demand->d[--r->demand->count];
	}
}

void demand_done(struct ring *r, struct env *e)
{
	mem_put(&e->mem, r->demand, sizeof(*r->demand));
	r->demand = NULL;
}
