/*
 * hello.h - what two nodes tell each other while they shake hands
 *
 * TLVs beside seal's own in handshake payloads (core/seal/handshake.h): type 1,
 * length 2, value. Unknown types are skipped, so that version v and v-1 work
 * together; what a peer cannot do it does not set a feature bit for.
 *
 *	FEATURES	bits 4
 *	INCARNATION	8: grows with every start of the node
 *	OBSERVED	endpoint: where the sender sees the receiver
 *	ADDRESSES	count 1 | endpoints: where else the sender may be reached
 *	CONTINUES	-: this handshake brings fresh keys to a link that is up
 */
#ifndef LINK_HELLO_H
#define LINK_HELLO_H

#include "core/link/link.h"

enum feature {
	FEATURE_RELAY	= 1 << 0,	/* carries packets for its neighbours */
	FEATURE_MTU	= 1 << 1,	/* answers MTU probes */
	FEATURES_OURS	= FEATURE_RELAY | FEATURE_MTU,
};

struct hello {
	uint32_t features;
	uint64_t incarnation;
	struct endpoint observed;
	uint8_t ats;
	struct endpoint at[CONTACT_ENDPOINTS];
	bool continues;
};

void hello_write(struct writer *w, const struct hello *h);

/** hello_read() - Return: DROP_NONE, or DROP_VALUE if a value is not what its type says */
enum drop hello_read(struct bytes tlvs, struct hello *h);

#endif /* LINK_HELLO_H */
