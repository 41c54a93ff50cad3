/*
 * Questions for remote addresses, by ARP or neighbour solicitation. They are
 * answered when the resolver says that somebody serves the address, and never
 * otherwise: silence is what a guest sees of an address nobody has.
 *
 * A hybrid does not know its LAN: before it claims an address it asks the LAN
 * for it, and answers only after two seconds of silence (papers/002, 4.4). Its
 * host has repeated itself by then; the same question is held once.
 */
#include "core/vnet/parts.h"

#define HOLD_NS	(5 * NS_PER_S)		/* the DHT has so long to find an owner */
#define LAN_NS	(2 * NS_PER_S)		/* a machine of the LAN to answer for itself */

static void answer(struct vnet *v, struct env *e, const struct waiting *q)
{
	/* a probe for what another node serves: perhaps the machine has come here (migrate.c), else it will be told */
	if (ip_unspecified(&q->who) && guest_probed(v, e, q->mac, &q->ip))
		return;
	if (q->ip.family == 4)
		arp_answer(v, e, q);
	else
		nd_answer(v, e, q);
}

static void waiting_out(struct vnet *v, unsigned i)
{
	v->waitings--;
	memmove(&v->waiting[i], &v->waiting[i + 1], (v->waitings - i) * sizeof(*v->waiting));
}

static bool room(struct vnet *v, struct env *e)
{
	uint16_t want = v->waiting_cap ? (uint16_t)(v->waiting_cap * 2) : 2;

	if (v->waitings < v->waiting_cap)
		return true;
	if (v->waiting_cap >= WAITING_MAX) {
		env_drop(e, DROP_FULL);
		return false;
	}
	if (mem_grow(&e->mem, &v->waiting, &v->waiting_cap, want, sizeof(*v->waiting)))
		return true;
	env_drop(e, DROP_MEMORY);
	return false;
}

void wait_for(struct vnet *v, struct env *e, const struct waiting *q)
{
	struct waiting held = *q;
	enum found found;

	for (unsigned i = 0; i < v->waitings; i++)
		if (ip_eq(&v->waiting[i].ip, &q->ip) && mac_eq(v->waiting[i].mac, q->mac) &&
		    ip_eq(&v->waiting[i].who, &q->who)) {
			env_drop(e, DROP_DUPLICATE);
			return;
		}
	found = path_find(v, e, &q->ip);
	if (found == FOUND_NO) {
		env_drop(e, DROP_NOBODY);
		return;
	}
	if (found == FOUND_YES && !q->lan) {
		answer(v, e, q);
		return;
	}
	if (!room(v, e))
		return;
	held.found = found == FOUND_YES;
	held.until_ns = e->now_ns + (q->lan ? LAN_NS : HOLD_NS);
	v->waiting[v->waitings++] = held;
	vnet_due(v, e, PART_WAIT, held.until_ns);
	if (q->lan && q->ip.family == 4)
		arp_probe(v, e, &q->ip, NULL);
	else if (q->lan)
		nd_probe(v, e, &q->ip, NULL);
}

void edge_resolved(struct vnet *v, struct env *e, const struct ip *ip, bool found)
{
	unsigned i = 0;

	guest_resolved(v, e, ip, found);
	while (i < v->waitings) {
		struct waiting q = v->waiting[i];

		if (!ip_eq(&q.ip, ip)) {
			i++;
			continue;
		}
		if (found && q.lan) {
			v->waiting[i++].found = true;
			continue;
		}
		waiting_out(v, i);
		if (found)
			answer(v, e, &q);
		else
			env_drop(e, DROP_NOBODY);
	}
}

void wait_heard(struct vnet *v, struct env *e, const struct ip *ip)
{
	unsigned i = 0;

	while (i < v->waitings) {
		if (!v->waiting[i].lan || !ip_eq(&v->waiting[i].ip, ip)) {
			i++;
			continue;
		}
		waiting_out(v, i);
		env_drop(e, DROP_ON_LAN);
	}
}

void wait_timer(struct vnet *v, struct env *e)
{
	unsigned i = 0;

	while (i < v->waitings) {
		struct waiting q = v->waiting[i];

		if (q.until_ns > e->now_ns) {
			vnet_due(v, e, PART_WAIT, q.until_ns);
			i++;
		} else if (q.lan && !q.found) {	/* the LAN is silent, the DHT has some time left */
			v->waiting[i].lan = false;
			v->waiting[i].until_ns += HOLD_NS - LAN_NS;
		} else {
			waiting_out(v, i);
			if (q.found)
				answer(v, e, &q);
			else
				env_drop(e, DROP_SILENT);
		}
	}
}
