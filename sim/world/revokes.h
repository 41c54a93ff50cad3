/*
 * revokes.h - who was shut out of which network, and who knows
 *
 * The fault `revoke` makes the next list of a network's revoked, as its signer
 * would, and has one node be handed it with the group key of its epoch. Lists
 * grow: who is in one is in all later ones, up to REVOKED_MAX; victims that find no
 * room stay members. A host that gets another identity is another member.
 *
 *	Memory		5 KiB for each such fault of the scenario
 *	Threads		lists are made in barriers and only read elsewhere
 */
#ifndef SIM_WORLD_REVOKES_H
#define SIM_WORLD_REVOKES_H

#include "sim/world/faults.h"

struct revokes;

struct revokes *revokes_new(struct world *w);		/* NULL: the scenario revokes nobody */
void revokes_free(struct world *w);

/** revokes_begin() - The victims of @r are in the next list; who is to be handed it takes their place. Barriers */
void revokes_begin(struct world *w, struct fault_run *r);

/** revokes_hand() - Hand the list of @r to @h's node; false: it does not run */
bool revokes_hand(struct shard *s, struct lane *l, struct host *h, const struct fault_run *r);

/** revokes_since() - The first list of @network that names who is @host now; 0: none does. Barriers */
uint64_t revokes_since(const struct world *w, unsigned network, uint32_t host);

/** revokes_record() - A node says that it knows a list, or has its key */
void revokes_record(struct shard *s, int64_t now_ns, const struct host *h, const struct record *r);

void revokes_catalog(struct world *w);
void revokes_row(struct world *w);

#endif /* SIM_WORLD_REVOKES_H */
