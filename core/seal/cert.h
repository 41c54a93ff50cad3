/*
 * cert.h - who may be here, and as what: certificates and their chains
 *
 * A certificate binds an Ed25519 key to roles, a salt (which with the key makes
 * the ring id), a name, groups and fixed addresses, for a time. The anchor (an
 * overlay's or a network's public key) signs it, or a delegated signer does
 * whose own certificate the anchor signed: the chain, leaf first, is one or two
 * certificates long and stands for itself.
 *
 *	 certificate = length 2 (of what follows) | version 1 | roles 1 | serial 8
 *		     | not before 8 | not after 8 | issuer 8 (first bytes of its key)
 *		     | key 32 | salt 16 | fields | signature 64
 *	 field	     = type 1 | length 1 | value
 *		NAME	  up to 63 bytes, once
 *		GROUP	  up to 63 bytes, each
 *		ADDRESS	  prefix length 1 | address 4 or 16, each
 *		ANY	  empty: may lease any address of the network
 *		GIVES	  validity 4 (s, 0 = for ever) | uses 2, invitations only: what
 *			  it is good for. Name, groups and addresses are the newcomer's
 *
 *	84 + 64 bytes and two per field: a node's certificate is about 165. The
 *	signature covers everything before it. Fields of unknown type are counted
 *	and skipped, unless bit 7 of the type marks them critical.
 *
 * A signer that lists groups may grant only these, one that lists addresses
 * only addresses inside them. Signers do not make signers. Nothing is judged
 * expired while the time is unknown.
 *
 *	Memory		none; decoded certificates borrow the bytes they came from
 *	Time		UTC seconds as an argument, 0 = unknown
 */
#ifndef SEAL_CERT_H
#define SEAL_CERT_H

#include "core/base/bytes.h"
#include "core/base/env.h"
#include "core/seal/suite.h"

enum {
	CERT_VERSION	= 1,
	CERT_MAX	= 512,		/* bytes of one certificate */
	CERT_CHAIN	= 2,		/* certificates in a chain */
	CERT_CHAIN_MAX	= 720,		/* bytes of a chain: it travels inside one handshake packet */
	CERT_NAME_MAX	= 63,
	CERT_SALT	= 16,
	CERT_DIGEST	= 16,
	CERT_CRITICAL	= 0x80,
};

enum cert_role {
	ROLE_MEMBER	= 1 << 0,	/* of the overlay or network whose key signed */
	ROLE_SIGNER	= 1 << 1,	/* may sign members and invitations */
	ROLE_INVITATION	= 1 << 2,	/* good for one link and the redemption only */
};

enum cert_field { FIELD_NAME = 1, FIELD_GROUP = 2, FIELD_ADDRESS = 3, FIELD_ANY = 4, FIELD_GIVES = 5 };

/** struct prefix - a range of addresses; a single one has 32 or 128 bits */
struct prefix {
	uint8_t addr[16];		/* IPv4 in the first four bytes */
	uint8_t family;			/* 4 or 6 */
	uint8_t bits;
};

/** struct cert - one certificate, decoded; everything borrowed */
struct cert {
	uint64_t serial;
	uint64_t not_before, not_after;	/* UTC seconds; not_after 0 = for ever */
	const uint8_t *key;		/* KEY_BYTES */
	const uint8_t *salt;		/* CERT_SALT */
	const uint8_t *issuer;		/* first 8 bytes of the issuer's key */
	struct bytes name;		/* not terminated */
	struct bytes fields;		/* all of them, for cert_groups() and cert_prefixes() */
	struct bytes all;		/* the whole certificate */
	uint8_t roles;
	bool any;			/* any address */
	uint8_t skipped;		/* fields of unknown type */
	uint16_t uses;			/* GIVES: how many may come; 0: it is no invitation */
	uint32_t valid_s;		/* GIVES: how long their certificates hold, 0 = for ever */
};

/* What is wrong with a certificate, for operators; the wire knows DROP_CERTIFICATE only. */
#define FAULT_LIST(X)							\
	X(NONE,		"good")							\
	X(MALFORMED,	"not a certificate")					\
	X(VERSION,	"of a version this program does not know")		\
	X(CRITICAL,	"has a critical field this program does not know")	\
	X(LONG,		"too long a chain")					\
	X(KEY,		"for another key")					\
	X(ISSUER,	"signed by somebody else")				\
	X(SIGNATURE,	"the signature does not fit")				\
	X(ROLE,		"not for this role")					\
	X(GRANT,	"grants more than its signer may")			\
	X(EARLY,	"not valid yet")					\
	X(EXPIRED,	"expired")

enum cert_fault {
#define X(name, text) FAULT_##name,
	FAULT_LIST(X)
#undef X
	FAULTS
};

const char *cert_fault_text(enum cert_fault f);

/** cert_decode() - Take one certificate from @r; checks form only, no signature, no time */
enum cert_fault cert_decode(struct reader *r, struct cert *c);

/**
 * cert_check() - Does @chain prove that its leaf is one of @anchor's?
 * @roles: the leaf must have all of these
 * @utc: seconds, 0 = unknown: then nothing is too early or too late
 * @leaf: the decoded leaf, on success; borrows from @chain
 */
enum cert_fault cert_check(const struct suite *suite, struct bytes chain,
			   const uint8_t anchor[KEY_BYTES], uint8_t roles, uint64_t utc,
			   struct cert *leaf);

/** cert_utc() - The wall time as cert_check() wants it */
uint64_t cert_utc(const struct env *e);

/** cert_digest() - A name for exactly these bytes: BLAKE2b-128 */
void cert_digest(uint8_t out[CERT_DIGEST], struct bytes chain);

/** cert_id() - The ring id of a key and its salt: BLAKE2b-128 of both */
struct id cert_id(const uint8_t key[KEY_BYTES], const uint8_t salt[CERT_SALT]);

/** cert_group() - The group after *@at (start with 0) in @c; false at the end */
bool cert_group(const struct cert *c, size_t *at, struct bytes *group);

/** cert_prefix() - The same for its fixed addresses */
bool cert_prefix(const struct cert *c, size_t *at, struct prefix *p);

/** struct cert_order - what a signer is asked to certify */
struct cert_order {
	uint8_t roles;
	bool any;
	uint64_t serial, not_before, not_after;
	const uint8_t *key, *salt;
	const char *name;		/* NULL = none */
	const char *const *groups;
	unsigned group_count;
	const struct prefix *prefixes;
	unsigned prefix_count;
	uint16_t uses;			/* invitations: 1 and more */
	uint32_t valid_s;
};

/**
 * cert_issue() - Write the certificate @o, signed by @signer
 * @signer: Ed25519 secret of the anchor or of a delegated signer; a chain is
 *	the result followed by the signer's own certificate, if it has one
 *
 * Return: false if it does not fit into @w or CERT_MAX, or a name is too long
 */
bool cert_issue(const struct suite *suite, const uint8_t signer[SIGN_BYTES],
		const struct cert_order *o, struct writer *w);

#endif /* SEAL_CERT_H */
