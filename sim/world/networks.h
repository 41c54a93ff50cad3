/*
 * networks.h - the scenario's virtual networks: signed records, secrets, who is a member
 *
 * Every node is a member of every network of the scenario. Record, key and
 * secret are functions of the seed. The first network is signed by the overlay's
 * key, as when a network is its own overlay; the others have keys and
 * certificates of their own.
 *
 *	Memory		for each running host and network a struct network; for each
 *			but the first an identity, about 300 bytes, in its shard's slab
 */
#ifndef SIM_WORLD_NETWORKS_H
#define SIM_WORLD_NETWORKS_H

#include "core/dht/network.h"
#include "core/node.h"
#include "sim/world/people.h"

struct world;
struct shard;
struct host;
struct lane;
struct fail;

struct networks;

/** networks_new() - NULL with messages in @f if a record cannot be signed */
struct networks *networks_new(struct world *w, struct fail *f);
void networks_free(struct world *w);		/* hosts' parts first: networks_drop() */

unsigned networks_count(const struct world *w);
const struct network_record *networks_record(const struct world *w, unsigned network);

/** networks_anchor() - SIGN_BYTES: what signs for @network */
const uint8_t *networks_anchor(const struct world *w, unsigned network);

/** networks_born() - Fill in what a node of host @i is born with; good until networks_drop() */
void networks_born(struct world *w, struct lane *l, uint32_t i, struct birth *b, uint32_t people);
void networks_drop(struct world *w, struct lane *l, uint32_t i);

/** networks_address() - The @n-th address that may be leased, counted round and round; @family 4 or 6 */
struct ip networks_address(const struct network_record *r, unsigned family, uint64_t n);

/** networks_leasable() - How many IPv4 addresses there are to lease */
uint64_t networks_leasable(const struct network_record *r);

#endif /* SIM_WORLD_NETWORKS_H */
