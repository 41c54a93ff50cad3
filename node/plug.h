/*
 * plug.h - a tap put where its model wants it, and taken out again
 *
 *	interface	the tap is this host's own card in the network
 *	router		the tap is a port of a bridge with a LAN on its other ports;
 *			the bridge itself is this host's card
 *	hybrid		the same bridge, but for this host alone: its card is a veth
 *			whose other end is a port, too, or any device there
 *
 * What does not exist is made, and deleted at the end; a remark on it tells the
 * next run whose it was, should this one be killed. Addresses of ours carry a
 * mark for the same reason, and those of leases a lifetime: the kernel takes
 * them away when nobody renews them. What was there before stays: a persistent
 * tap keeps its MAC address, a bridge its ports.
 *
 *	Privileges	CAP_NET_ADMIN for everything that is not yet as it should be;
 *			none where an administrator has prepared it all
 *	Memory		none but struct plug
 */
#ifndef NODE_PLUG_H
#define NODE_PLUG_H

#include "core/vnet/network.h"
#include "node/rtnl.h"
#include "node/tap.h"

/** struct plug_setup - what is wanted */
struct plug_setup {
	const char *tap;		/* name or pattern */
	const char *bridge;		/* router, hybrid; NULL otherwise */
	const char *device;		/* hybrid: this host's card; NULL: a veth named after the tap */
	const char *remark;		/* on what we make: the same in each run, no other node's */
	enum vnet_model model;
	uint8_t mac[6];			/* of a tap that we make */
	uint8_t bridge_mac[6];		/* of a bridge or veth that we make */
	uint16_t mtu;			/* the network's */
	uint16_t iface;
};

struct plug {
	struct tap tap;
	struct rtnl rtnl;
	struct rtnl_link device;	/* this host's own: the tap, the bridge, a veth */
	char bridge[IFNAMSIZ], veth[IFNAMSIZ];	/* made by us: to be deleted; empty if not */
	bool port;			/* the tap is one of a bridge */
	int tap_index;
	int master_before;		/* of a persistent tap */
};

/** plug_in() - Do it; false with a message, and nothing left done */
bool plug_in(struct plug *p, const struct plug_setup *s, struct fail *f);
void plug_out(struct plug *p);		/* fine if never in */

/** plug_sweep() - Delete what a run that was killed made, with @remark, but the bridges in @keep; before any plug_in() */
void plug_sweep(const char *remark, const char *const *keep, unsigned keeps);

/** plug_give() - Give the host's device @ip of a subnet of @bits, for @valid_s seconds or with 0 for good; 0 or negative errno */
int plug_give(struct plug *p, const struct ip *ip, uint8_t bits, uint32_t valid_s);
int plug_take(struct plug *p, const struct ip *ip, uint8_t bits);

/** plug_flush() - Take away addresses of @range that another run of ours gave; how many */
unsigned plug_flush(struct plug *p, const struct ip_range *range);

#endif /* NODE_PLUG_H */
