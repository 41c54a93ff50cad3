/*
 * network.h - what everybody knows of a virtual network: its signed record
 *
 * The record names the range, the term of leases, what certificates own, MTU,
 * DNS, the policy and the founders of the root view. The network's key signs
 * it; the network's id is BLAKE2b-128 of that key, and the key travels inside
 * the record, so that anybody, member or not, can check a record against an id.
 * Of two good records of one network the one with the higher serial counts.
 *
 *	Memory		struct network_record by value, decoded; the blob is borrowed
 */
#ifndef DHT_NETWORK_H
#define DHT_NETWORK_H

#include "core/base/bytes.h"
#include "core/base/drop.h"
#include "core/base/id.h"
#include "core/base/ip.h"
#include "core/seal/suite.h"

enum {
	NETWORK_RECORD_MAX	= 600,	/* bytes of the signed blob */
	NETWORK_NAME_MAX	= 31,
	NETWORK_RESERVED	= 4,
	NETWORK_DNS		= 2,
	VIEW_MAX		= 5,	/* members of a view, and founders */
	MTU_DEFAULT		= 1400,
	TERM_DEFAULT		= 3600,	/* seconds */
	TERM_MIN		= 10,
	TERM_MAX		= 7 * 86400,
};

/** enum policy - what happens to a slot whose majority is gone for good */
enum policy { POLICY_STRICT, POLICY_RECLAIM };

struct network_record {
	struct id id;			/* BLAKE2b-128 of key */
	uint8_t key[KEY_BYTES];		/* Ed25519, public */
	uint64_t serial;
	char name[NETWORK_NAME_MAX + 1];
	struct ip_range range4, range6;	/* family 0 = none */
	struct ip_range reserved[NETWORK_RESERVED];	/* owned by certificates, never leased */
	uint8_t reserveds;
	struct ip dns[NETWORK_DNS];	/* where other names are asked, none = nowhere */
	uint8_t dnss;
	char domain[NETWORK_NAME_MAX + 1];	/* names are NAME.domain; default: name */
	uint32_t term_s;		/* longest term of a lease */
	uint16_t mtu;			/* of the guests' interfaces */
	uint16_t drift_ppm;		/* clocks differ in rate by at most so much */
	uint8_t policy;			/* enum policy */
	uint8_t replicas;		/* members a view grows to: 1, 3 or 5 */
	uint32_t generation;		/* of slots that lost their majority, under strict */
	struct id founder[VIEW_MAX];	/* the root view's first members */
	uint8_t founders;		/* 1, 3 or 5 */
	uint8_t layer;			/* 3 carries IP, 2 any ethertype */
};

/** network_defaults() - Everything optional as DESIGN says; the caller fills key, range and founders */
void network_defaults(struct network_record *n);

/** network_id() - The id of the network with public key @key */
struct id network_id(const uint8_t key[KEY_BYTES]);

/** network_sign() - Write @n, signed with @secret (seed, public key); false if it does not fit or a field is out of range */
bool network_sign(const struct suite *suite, const uint8_t secret[SIGN_BYTES], const struct network_record *n,
		  struct writer *w);

/**
 * network_read() - Decode and check a record
 * Return: DROP_NONE, DROP_SHORT or DROP_VALUE for the form, DROP_RANGE for a field, DROP_SEAL for the signature
 */
enum drop network_read(const struct suite *suite, struct bytes blob, struct network_record *n);

/** network_gateway() - The lowest address of the subnet: it answers DHCP, DNS and ping on every node; family 4 or 6 */
struct ip network_gateway(const struct network_record *n, unsigned family);

/** network_leasable() - May @a be leased at all? In range, not network, broadcast, gateway or reserved */
bool network_leasable(const struct network_record *n, const struct ip *a);

/** network_reserved() - Does @a belong to certificates? */
bool network_reserved(const struct network_record *n, const struct ip *a);

#endif /* DHT_NETWORK_H */
