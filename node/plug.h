/*
 * plug.h - a tap put where its model wants it, and taken out again
 *
 *	interface	the tap is this host's own card in the network
 *	router		the tap is a port of a bridge with a LAN on its other ports
 *	hybrid		the same bridge, but for this host alone: its device is the
 *			bridge itself
 *
 * A bridge that does not exist is made, and deleted at the end; a remark on it
 * tells the next run whose it was, should this one be killed. What was there
 * before stays: a persistent tap keeps its MAC address, a bridge its ports.
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
	enum vnet_model model;
	uint8_t mac[6];			/* of a tap that we make */
	uint8_t bridge_mac[6];		/* of a bridge that we make */
	uint16_t mtu;			/* the network's */
	uint16_t iface;
};

struct plug {
	struct tap tap;
	struct rtnl rtnl;
	struct rtnl_link device;	/* this host's own: the tap, or the bridge */
	bool bridge_ours;		/* to be deleted */
	int tap_index;
	int master_before;		/* of a persistent tap */
};

/** plug_in() - Do it; false with a message, and nothing left done */
bool plug_in(struct plug *p, const struct plug_setup *s, struct fail *f);
void plug_out(struct plug *p);		/* fine if never in */

/** plug_address() - Give the host's device @ip of a subnet of @bits, or take it away; 0 or negative errno */
int plug_address(struct plug *p, const struct ip *ip, uint8_t bits, bool add);

#endif /* NODE_PLUG_H */
