/*
 * ARP at the edge (RFC 826; address conflicts: RFC 5227). The gateway's address
 * is always answered; a remote machine's when somebody serves it; a local
 * machine answers for itself. A probe (sender 0.0.0.0) for an address somebody
 * else owns is answered like a question: that is how a conflict is defended.
 */
#include "core/vnet/parts.h"

enum { ARP_REQUEST = 1, ARP_REPLY = 2, ARP_FRAME = ETH_HEADER + ARP_BODY };

#define DEFEND_PER_S	1
#define DEFEND_BURST	3

static const uint8_t mac_none[MAC_BYTES];
static const struct ip ip_none4 = { .family = 4 };

static void send_arp(struct vnet *v, struct env *e, const uint8_t *to, uint16_t op, const struct ip *spa,
		     const uint8_t *tha, const struct ip *tpa)
{
	const uint8_t *from = lan_serves(v, e) ? v->mac : v->own_mac;	/* passive: a probe (arp_probe()) */
	uint8_t buf[ARP_FRAME];
	struct writer w = writer_of(buf, sizeof(buf));

	build_arp(&w, to, op, from, spa, tha, tpa);
	edge_out(v, e, &w, NULL);
}

void arp_answer(struct vnet *v, struct env *e, const struct waiting *q)
{
	send_arp(v, e, q->mac, ARP_REPLY, &q->ip, q->mac, &q->who);
}

void arp_conflict(struct vnet *v, struct env *e, const struct ip *ip, const uint8_t mac[MAC_BYTES])
{
	send_arp(v, e, mac, ARP_REQUEST, ip, mac_none, ip);
}

void arp_probe(struct vnet *v, struct env *e, const struct ip *ip, const uint8_t *mac)
{
	bool quiet = v->net->model == MODEL_HYBRID || !lan_serves(v, e);	/* the LAN's caches keep out of it */

	send_arp(v, e, mac ? mac : mac_broadcast, ARP_REQUEST, quiet ? &ip_none4 : &v->gateway4, mac_none, ip);
}

void arp_announce(struct vnet *v, struct env *e)
{
	uint8_t to[MAC_BYTES];

	if (!v->gateway4.family)
		return;
	edge_group_mac(v, to, &v->gateway4);
	send_arp(v, e, to, ARP_REQUEST, &v->gateway4, mac_none, &v->gateway4);
}

/* Somebody says it is the gateway. */
static void defend(struct vnet *v, struct env *e)
{
	env_drop(e, DROP_SPOOFED);
	if (bucket_take(&v->adverts, e, DEFEND_PER_S, DEFEND_BURST))
		arp_announce(v, e);
}

static void asked(struct vnet *v, struct env *e, const struct packet *p)
{
	struct waiting q = { .ip = p->dst, .who = p->src };
	const struct guest *g = guest_find(v, &p->dst);

	memcpy(q.mac, p->mac_from, MAC_BYTES);
	q.lan = v->net->model == MODEL_HYBRID && !mac_eq(p->mac_to, v->mac);	/* sent to us: it knows that we serve it */
	if (vnet_gateway(v, &p->dst)) {
		arp_answer(v, e, &q);
	} else if (ip_eq(&p->src, &p->dst)) {
		return;					/* an announcement; heard already */
	} else if (!ip_in(&p->dst, &v->record->range4) || ip_broadcast(&p->dst, &v->record->range4)) {
		env_drop(e, DROP_ABROAD);
	} else if ((g && g->state != GUEST_REFUSED) || held_believes(v->ports.dht, e, v->id, &p->dst, NULL)) {
		env_drop(e, DROP_ON_LAN);		/* whose it is answers for itself */
	} else {
		wait_for(v, e, &q);
	}
}

void arp_frame(struct vnet *v, struct env *e, const struct packet *p)
{
	bool mine = guest_may(v, p->mac_from);

	if (!mac_eq(p->arp_sha, p->mac_from)) {
		env_drop(e, DROP_SPOOFED);
		return;
	}
	if (!mine) {
		wait_heard(v, e, &p->src);		/* hybrid: a machine of the LAN, and what it has */
		env_drop(e, DROP_FOREIGN);
		return;
	}
	if (vnet_gateway(v, &p->src)) {
		defend(v, e);
		return;
	}
	if (!ip_unspecified(&p->src) && !guest_heard(v, e, p->mac_from, &p->src))
		return;					/* counted there */
	if (p->arp_op == ARP_REQUEST)
		asked(v, e, p);
}
