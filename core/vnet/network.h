/*
 * network.h - one network as the host gives it to a node at birth
 */
#ifndef VNET_NETWORK_H
#define VNET_NETWORK_H

#include "core/base/bytes.h"
#include "core/seal/identity.h"
#include "core/vnet/guard.h"

enum vnet_model { MODEL_INTERFACE, MODEL_ROUTER, MODEL_HYBRID };

/** struct network - everything behind pointers outlives the node */
struct network {
	struct bytes record;		/* signed, core/dht/network.h */
	const struct identity *identity; /* our key pair with the network's certificate chain; may be the overlay's */
	uint8_t secret[32];		/* the network's group key: seals broadcasts; members only have it */
	uint8_t model;			/* enum vnet_model */
	uint16_t iface;			/* the tap: event.iface and frame.iface */
	uint8_t mac[6];			/* hybrid: of the host's own device on the tap */
	struct bytes name;		/* host name to publish, may be empty */
	struct bytes signer;		/* our certificate with ROLE_SIGNER: we admit newcomers (core/dht/admit.h); or empty */
	const struct guard_rule *rule;	/* the firewall's, in their order */
	uint8_t rules;			/* 0: everything is let in */
};

#endif /* VNET_NETWORK_H */
