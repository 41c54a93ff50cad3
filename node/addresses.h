/*
 * addresses.h - where this machine can be reached, and when that changes
 *
 * The local addresses that peers may be told: those of interfaces that are up,
 * with the port of our socket of their family. Loopback counts only when the
 * socket is bound to it; link-local IPv6 never does. A routing socket says that
 * something changed; then the whole list is read again and compared.
 *
 *	Memory		fixed
 */
#ifndef NODE_ADDRESSES_H
#define NODE_ADDRESSES_H

#include "core/base/door.h"
#include "core/base/ip.h"
#include "node/udp.h"

enum { ADDRESSES_MAX = 16, ADDRESSES_EVENTS = 2 * ADDRESSES_MAX, ADDRESSES_NOT = 16 };

struct addresses {
	int fd;				/* rtnetlink; -1 if there is none to be had */
	struct endpoint at[ADDRESSES_MAX];
	unsigned count;
	struct ip_range not[ADDRESSES_NOT];	/* addresses in these are no underlay */
	unsigned nots;
};

/** addresses_open() - Watch for changes; without the right to, the list stays as it is at start */
void addresses_open(struct addresses *a);
void addresses_close(struct addresses *a);

/** addresses_except() - Those in @r are of a virtual network: never a way to reach us; family 0 is none */
void addresses_except(struct addresses *a, const struct ip_range *r);

/** addresses_changed() - Empty the routing socket; true if it is worth reading the list again */
bool addresses_changed(struct addresses *a);

/** addresses_read() - What came and went since the last call, as EVENT_ADDRESS; the number of @evs */
unsigned addresses_read(struct addresses *a, const struct udp *u, struct event evs[ADDRESSES_EVENTS]);

#endif /* NODE_ADDRESSES_H */
