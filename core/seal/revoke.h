/*
 * revoke.h - who is no member any more, whatever its certificate says
 *
 * A signed list of ring ids. The overlay's (or network's) own key signs it, no
 * delegate may; of two good lists the one with the higher serial counts, and
 * each list is whole: who is not in the newest is not revoked. Two with one serial
 * should not be, and if there are, the one with the higher signature counts,
 * everywhere. Every member keeps it, refuses whoever is in it and whatever they
 * signed, and tells its peers (core/link/gazette.h).
 *
 *	list  = "wRv2" 4 | anchor 32 | serial 8 | issued 8 (UTC s) | digest 32 | count 2
 *	      | ids 16 each, ascending | signature 64 of all before it
 *	order = list | key 32: what an operator hands to one member
 *
 * A list of a network begins an epoch: broadcasts are sealed with a new group
 * key from then on, which who is in the list never gets (core/vnet/epoch.h). The
 * list, which is public, holds the key's digest, so that a member that gets the
 * key from another one knows that it is the one the signer drew. Digest 0: the
 * network's first group key holds. Lists of the form before epochs ("wRv1", without a
 * digest) are read as these.
 *
 * Bounded: REVOKED_MAX ids. Whoever's certificate has ended need not stand in
 * it, so that overlays with certificates for a time do not outgrow it.
 *
 *	Memory		decoded lists borrow the bytes they came from
 */
#ifndef SEAL_REVOKE_H
#define SEAL_REVOKE_H

#include "core/base/bytes.h"
#include "core/base/drop.h"
#include "core/base/env.h"
#include "core/seal/cert.h"

enum {
	REVOKED_MAX	= 256,
	REVOKED_BYTES	= 4 + KEY_BYTES + 8 + 8 + KEY_BYTES + 2 + REVOKED_MAX * ID_BYTES + SIGNATURE_BYTES,
	REVOKED_ORDER	= REVOKED_BYTES + KEY_BYTES,
	REVOKED_LISTS	= 1 + NETWORKS_MAX,	/* the overlay's, and those of networks that are not the overlay */
};

/** struct revoked - one list, decoded */
struct revoked {
	const uint8_t *anchor;		/* KEY_BYTES */
	uint64_t serial, issued;
	uint64_t mark;			/* the signature's first bytes: tells lists with one serial apart */
	const uint8_t *digest;		/* KEY_BYTES, of the epoch's group key; NULL: it begins no epoch */
	const uint8_t *ids;
	uint16_t count;
	struct bytes all;
};

/** struct revocations - the newest list of each anchor that a node knows; env.revoked */
struct revocations {
	struct revoked list[REVOKED_LISTS];
	uint8_t count;
};

/** revoked_read() - Take a list apart and check its signature. DROP_NONE; SHORT, VALUE, SEAL. @out untouched on failure */
enum drop revoked_read(const struct suite *suite, struct bytes blob, struct revoked *out);

/**
 * revoked_sign() - Write the list of @ids, which are sorted here; double ones count once. False: too many
 * @key: KEY_BYTES, the group key of the epoch that it begins; NULL: none
 */
bool revoked_sign(const struct suite *suite, const uint8_t anchor[SIGN_BYTES], uint64_t serial, uint64_t issued,
		  const uint8_t *key, struct id *ids, unsigned count, struct writer *w);

/** revoked_order() - Where in @order the list ends and the key begins; the key is NULL if there is none. Form only */
struct bytes revoked_order(struct bytes order, const uint8_t **key);

/** revoked_anchor() - Whose @list says it is, of an order with a key */
static inline const uint8_t *revoked_anchor(struct bytes list)
{
	return list.at + 4;
}

/** revoked_newer() - Does list (@serial, @mark) count more than @than, which may be of serial 0: none? */
bool revoked_newer(uint64_t serial, uint64_t mark, const struct revoked *than);

/** revoked_opens() - Is @key the group key whose digest @l holds? */
bool revoked_opens(const struct revoked *l, const uint8_t key[KEY_BYTES]);

/** revoked_list() - The newest list of @anchor that @r holds, or NULL. @r may be NULL */
const struct revoked *revoked_list(const struct revocations *r, const uint8_t anchor[KEY_BYTES]);

struct id revoked_at(const struct revoked *l, unsigned i);
bool revoked_has(const struct revoked *l, struct id who);

/** revoked_by() - Does the list of @anchor that @r holds name @who? @r may be NULL */
bool revoked_by(const struct revocations *r, const uint8_t anchor[KEY_BYTES], struct id who);

/** revoked_short() - A short name for a ring id, never 0. Two may share one: then one more handshake is asked for */
static inline uint32_t revoked_short(struct id who)
{
	return (uint32_t)who.lo | 1;
}

/** revoked_peer() - Does it name @who, or whoever signed for it? @signer: as struct peer_identity holds it */
bool revoked_peer(const struct revocations *r, const uint8_t anchor[KEY_BYTES], struct id who, uint32_t signer);

/** revoked_chain() - Does it name anybody in @chain, the leaf or who signed it? */
bool revoked_chain(const struct revocations *r, const uint8_t anchor[KEY_BYTES], struct bytes chain);

#endif /* SEAL_REVOKE_H */
