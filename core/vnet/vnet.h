/*
 * vnet.h - what the guest sees: an Ethernet with everything on it answered here
 *
 * One struct vnet is one network on this node. Frames of the tap come in; ARP,
 * ND, DHCP, DNS and ICMP are answered at once, or when the DHT has answered;
 * IP for remote addresses is resolved and goes through a tunnel to the node
 * that serves them; what comes out of tunnels becomes frames for the tap.
 *
 *	Memory		from env.mem; tables are bounded, see parts.h
 *	Time, chance	from env; timer TIMER_VNET + index
 *	Believing	a frame from or for a leased address passes only while
 *			held_believes() says so, under a fence that no newer one
 *			has been seen to replace
 */
#ifndef VNET_VNET_H
#define VNET_VNET_H

#include "core/dht/dht.h"
#include "core/link/tunnel.h"
#include "core/vnet/network.h"

struct vnet;

/** struct vnet_ports - what stands around it in the node */
struct vnet_ports {
	struct dht *dht;
	struct tunnels *tunnels;
	struct ring *ring;
};

/** vnet_new() - Network number @index; NULL if its record does not hold or there is no memory. @b borrowed */
struct vnet *vnet_new(struct env *e, const struct vnet_ports *p, const struct network *b, uint8_t index);
void vnet_free(struct vnet *v, struct env *e);

void vnet_start(struct vnet *v, struct env *e);
void vnet_frame(struct vnet *v, struct env *e, struct bytes frame, const struct offload *o);
void vnet_tunnel(struct vnet *v, struct env *e, const struct tunnel_news *n);
/** vnet_mail() - Mail with a body from BODY_VNET on; false: it is for another network */
bool vnet_mail(struct vnet *v, struct env *e, const struct ring_mail *m);
void vnet_cast(struct vnet *v, struct env *e, struct id origin, uint32_t seq, struct bytes data);
void vnet_done(struct vnet *v, struct env *e, const struct dht_done *d);
void vnet_held(struct vnet *v, struct env *e, const struct held_news *n);
void vnet_timer(struct vnet *v, struct env *e);

/**
 * vnet_echo() - An operator's ping of the member @to: ASK_ECHO's reply follows when it is back
 * @size: bytes of it; less than it needs is taken for what it needs
 *
 * Return: DROP_NONE it is on its way, or waits for the tunnel; else why not, counted
 */
enum drop vnet_echo(struct vnet *v, struct env *e, struct id to, uint64_t token, uint16_t size);
void vnet_resumed(struct vnet *v, struct env *e);
void vnet_revoked(struct vnet *v, struct env *e);	/* env.revoked changed */
void vnet_load(struct vnet *v, struct env *e, struct bytes key);	/* SAVE_GROUP, before vnet_start() and after all lists */

/** vnet_key() - An operator hands over the group key of the newest epoch; false: it is not, or we have it */
bool vnet_key(struct vnet *v, struct env *e, const uint8_t key[KEY_BYTES]);
void vnet_leave(struct vnet *v, struct env *e);		/* the node stops, or leaves the network: release what should be released */

/* ---- to look at ---- */

/** vnet_id() - The network's id */
struct id vnet_id(const struct vnet *v);

/** struct look_epoch - which group key seals broadcasts: the one of the list of the revoked with this serial, 0: the charter's */
struct look_epoch {
	uint64_t epoch;
	bool has;			/* false: members are asked for the key, nothing is sealed meanwhile */
};
struct look_epoch vnet_epoch(const struct vnet *v);

/** struct look_guest - a machine on our side of the tap */
struct look_guest {
	uint8_t mac[6];
	struct ip ip;			/* family 0: no address yet */
	int64_t heard_ns;
	bool leased;			/* by DHCP; else static or fixed */
};
bool vnet_guest_at(const struct vnet *v, unsigned i, struct look_guest *out);

/** struct look_remote - a remote address as this node resolves it now */
struct look_remote {
	struct ip ip;
	struct id owner;
	struct fence fence;
	int64_t until_ns;
};
bool vnet_remote_at(const struct vnet *v, unsigned i, struct look_remote *out);

/** vnet_rules() - The firewall's rules were changed in place: counting begins anew, flows of our guests stay. Who is in which
 * group is known again when tunnels have shaken hands, which the caller has them do */
void vnet_rules(struct vnet *v, struct env *e);

/** vnet_guard_look() - What the firewall did; false: there are no rules */
bool vnet_guard_look(const struct vnet *v, const struct env *e, struct look_guard *out);

/** vnet_remote_changes() - grows whenever a remote address came, went, or got another owner, fence or deadline */
uint32_t vnet_remote_changes(const struct vnet *v);
uint32_t vnet_bytes(const struct vnet *v);

#endif /* VNET_VNET_H */
