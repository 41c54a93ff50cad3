/*
 * dns_names.h - what this node's addresses are called, and what of that is published
 *
 * Each address of ours may have two names: its guest's own (DHCP, option 12) and
 * the node's (network.name). Under a name stand all addresses that carry it
 * here; back from an address leads a pointer, to the guest's own name if it has
 * one. Whatever changes is published again, as a whole; what is empty is
 * withdrawn. Names go with the addresses under them.
 *
 *	Memory		from env.mem, NAMED_MAX names at most
 *	Time, chance	none
 */
#ifndef VNET_DNS_NAMES_H
#define VNET_DNS_NAMES_H

#include "core/base/env.h"
#include "core/dht/op.h"
#include "core/vnet/dns_zone.h"

enum { NAMED_MAX = 512, NAMED_ADDRESSES = 8 };	/* told under one name, the oldest first */

/** enum named_how - whose name it is */
enum named_how { NAMED_NODE, NAMED_HOST };

struct dns_named {
	struct ip ip;
	uint8_t how;			/* enum named_how */
	uint8_t len;
	uint8_t label[DNS_LABEL_MAX];
};

/** struct named_ports - where names go; VALUE_ADDRESS as dht.h has it, VALUE_POINTER is a label */
struct named_ports {
	void (*publish)(void *ctx, struct env *e, struct bytes name, uint8_t type, struct bytes value);
	void (*withdraw)(void *ctx, struct env *e, struct bytes name, uint8_t type);
};

struct dns_names {
	const struct named_ports *port;
	void *ctx;
	struct dns_named *named;	/* in the order they came */
	uint16_t nameds, cap;
};

/** names_add() - @ip is called @label, and not what it was called by the same one before; no label of a host: nothing */
void names_add(struct dns_names *d, struct env *e, const struct ip *ip, enum named_how how, struct bytes label);

/** names_del() - It is not called so any more */
void names_del(struct dns_names *d, struct env *e, const struct ip *ip, enum named_how how);

void names_free(struct dns_names *d, struct env *e);

#endif /* VNET_DNS_NAMES_H */
