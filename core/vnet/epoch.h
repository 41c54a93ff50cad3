/*
 * epoch.h - which group key seals a network's broadcasts now, and how a member gets it; for core/vnet only
 *
 * A network begins with the group key of its charter: epoch 0. Each list of the
 * revoked (core/seal/revoke.h) begins the next one, named by its serial, whose key
 * the signer drew and whose digest the list holds. The list goes to everybody,
 * the key only through tunnels, which who is in the list cannot have: a
 * member that knows the list and not the key asks others for it, and who asked one
 * that has not got it itself gets it from there later.
 *
 *	PAYLOAD_KEY_ASK	epoch 8
 *	PAYLOAD_KEY	epoch 8 | key 32
 *
 * What came or is to go under a key that is not here yet is kept for a moment.
 *
 *	Memory		nothing before the first list; what is kept is bounded
 *	Saves		SAVE_GROUP, part: of the network: the epoch's key
 *	Time, chance	env's: whom to ask; called by path_group_timer()
 */
#ifndef VNET_EPOCH_H
#define VNET_EPOCH_H

#include "core/vnet/parts.h"

/** epoch_load() - The key that was saved; before epoch_start(), after the lists */
void epoch_load(struct vnet *v, struct env *e, struct bytes key);

/** epoch_start() - Lists and key are known as far as they were saved */
void epoch_start(struct vnet *v, struct env *e);

/** epoch_changed() - env.revoked changed: is there a new epoch? */
void epoch_changed(struct vnet *v, struct env *e);

/** epoch_key() - Here is a key, from whomever: true if it is the newest epoch's and we had it not */
bool epoch_key(struct vnet *v, struct env *e, const uint8_t key[KEY_BYTES]);

/** epoch_seals() - The key for what we send now, and its epoch; NULL: it is not here, epoch_keep() what should go */
const uint8_t *epoch_seals(struct vnet *v, uint64_t *epoch);

/** epoch_opens() - The key for what @origin sealed in @epoch; NULL: none, and DROP_NONE in @why: epoch_keep() it */
const uint8_t *epoch_opens(struct vnet *v, const struct env *e, struct id origin, uint64_t epoch, enum drop *why);

/** epoch_keep() - Keep what came from @origin, sealed in @epoch, or the packet of ours, until its key is here or it is too late */
void epoch_keep(struct vnet *v, struct env *e, struct id origin, uint64_t epoch, struct bytes data, const struct offload *o);

void epoch_payload(struct vnet *v, struct env *e, const struct tunnel_news *n);	/* PAYLOAD_KEY_ASK, PAYLOAD_KEY */
void epoch_met(struct vnet *v, struct env *e, struct id peer);	/* a member: there is a tunnel to it */
void epoch_timer(struct vnet *v, struct env *e);
void epoch_free(struct vnet *v, struct env *e);
uint32_t epoch_bytes(const struct vnet *v);

#endif /* VNET_EPOCH_H */
