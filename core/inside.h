/*
 * inside.h - what a node is made of; for the files beside it only
 */
#ifndef CORE_INSIDE_H
#define CORE_INSIDE_H

#include "core/base/env.h"
#include "core/base/saved.h"
#include "core/link/gazette.h"
#include "core/link/link.h"
#include "core/node.h"
#include "core/ring/ring.h"
#include "core/vnet/vnet.h"

struct node {
	struct env env;
	struct links *links;
	struct ring ring;
	const struct identity *identity;
	struct dht *dht;		/* NULL until a network, or the first mail for one */
	struct tunnels *tunnels;	/* NULL without a network */
	struct vnet *vnet[NETWORKS_MAX];
	struct gazette *gazette;	/* NULL until somebody tells of a list of the revoked */
	struct newcomer *newcomer;	/* NULL: we are a member; else none of what stands above but links */
	const struct network *networks;	/* the host's places; a member of those that have a vnet */
	struct quitting *quitting;	/* nets.c: networks we are on the way out of */
	uint32_t ring_seen;		/* ring_changes() as the DHT knows them */
	int64_t leave_ns;		/* handing over until then; 0 = not leaving */
	const struct event *held;	/* events of the last call that found no room yet */
	unsigned held_count;
	bool started;
	int64_t alarm_ns;		/* when we asked to be called */
};

/* floors.c: what stands above the ring, and how news travels between the floors */
void floors_free(struct node *n);
void floors_start(struct node *n, struct bytes saved, enum run_end last);
void floors_carry(struct node *n);			/* all news, up and down, until there is none */
void floors_frame(struct node *n, const struct event *ev);
void floors_timer(struct node *n, uint16_t tag);
void floors_saved(struct node *n, uint64_t token);
void floors_resumed(struct node *n, bool clone);
enum drop floors_revoke(struct node *n, struct bytes order);	/* a list of the revoked and its key, from an operator */
void floors_stop(struct node *n);			/* hand over, then leave the ring */

/* nets.c: networks come and go */
bool nets_new(struct node *n, unsigned count);	/* those we are born with: the first @count places */
void nets_free(struct node *n);
void nets_start(struct node *n);
enum answer nets_join(struct node *n, unsigned place);
bool nets_quit(struct node *n, unsigned place, uint64_t token);	/* false: no memory; else ASK_QUIT's reply follows */
void nets_timer(struct node *n);			/* TIMER_QUIT */

/* control.c: requests about leases and names */
void control_request(struct node *n, const struct event *ev);
void control_held(struct node *n, const struct held_news *news);
void control_done(struct node *n, const struct dht_done *done);

#endif /* CORE_INSIDE_H */
