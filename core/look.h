/*
 * look.h - looking into a node without touching it
 *
 * For oracles, status commands and tests. All functions are const; nothing a
 * node does depends on being looked at.
 */
#ifndef CORE_LOOK_H
#define CORE_LOOK_H

#include "core/link/link.h"
#include "core/node.h"

/** struct look - a node at a glance */
struct look {
	struct id id;
	bool started, joined, leaving;
	struct id left, right;		/* immediate neighbours as believed; own id if none */
	uint32_t size;			/* its estimate of the ring's size */
	unsigned links, longs_out, longs_in;	/* up; drawn by us; drawn by others */
	unsigned earned;		/* links that peers have because of their traffic with us */
	unsigned known_left, known_right;	/* neighbours known, linked or not */
	unsigned pending;		/* routed messages it is responsible for now */
	unsigned remembered;
	uint32_t memory;		/* bytes taken from the host */
	int64_t joined_ns;
};

/** enum link_use - what a link is for; several bits may be set */
enum link_use {
	USE_NEAR	= 1 << 0,	/* among the near neighbours of one side */
	USE_LONG_OUT	= 1 << 1,	/* we drew it */
	USE_LONG_IN	= 1 << 2,	/* the peer drew it */
	USE_LEAF	= 1 << 3,	/* a way in: bootstrap, remembered peer, introduction */
	USE_PEER	= 1 << 4,	/* the peer wants it */
	USE_RELAY	= 1 << 5,	/* it carries another link of ours */
	USE_DEMAND	= 1 << 6,	/* traffic between its ends earned it */
};

struct look_link {
	struct link_view link;
	uint8_t use;			/* enum link_use bits */
	bool member;			/* the peer said that it is joined */
	struct id point;		/* USE_LONG_OUT: the drawn point */
};

void node_look(const struct node *n, struct look *out);

/** node_look_link() - The link in slot @i; false if the slot is free. Walk i from 0 to node_look_links() - 1 */
bool node_look_link(const struct node *n, unsigned i, struct look_link *out);
unsigned node_look_links(const struct node *n);

/** node_owns() - Does the node believe now that it owns @key? */
bool node_owns(const struct node *n, struct id key);

/** node_known() - The @rank-th known neighbour on @side (0 left, 1 right), 0 = nearest; false past the end */
bool node_known(const struct node *n, unsigned side, unsigned rank, struct id *out);

/** node_remembered() - The @i-th remembered peer; false past the end */
bool node_remembered(const struct node *n, unsigned i, struct contact *out);

/** node_revoked() - The newest list of @anchor's revoked that it knows: its serial, 0 = none; @count: how many are in it */
uint64_t node_revoked(const struct node *n, const uint8_t anchor[KEY_BYTES], unsigned *count);

/** node_bytes() - what the node costs: struct node and everything it took from the host */
uint32_t node_bytes(const struct node *n);

/** node_account() - the same by part, for the table in core/README.md */
struct node_account {
	uint32_t node, links, sessions, handshakes, tables, knowledge, pending, timers, remembered;
	uint32_t tunnels, labels, dht, vnet;	/* of nodes with networks */
};

void node_account(const struct node *n, struct node_account *out);

/*
 * ---- leases and networks (core/dht/dht.h, core/vnet/vnet.h); nothing, 0 or false where the node has none ----
 * @network: index into birth.networks
 */

struct held;
struct fence;
struct look_slot;
struct dht_account;
struct look_epoch;
struct look_guest;
struct look_name;
struct look_remote;

bool node_held(const struct node *n, unsigned i, struct held *out);
uint32_t node_held_changes(const struct node *n);	/* as held_changes(): nothing in node_held() differs while it stays */

/** node_believes() - Would it forward a frame for @ip if it were stepped now, at the time of its last step? */
bool node_believes(const struct node *n, struct id network, const struct ip *ip, struct fence *fence);

bool node_slot(const struct node *n, unsigned i, struct look_slot *out);
uint32_t node_slot_changes(const struct node *n);
void node_dht_account(const struct node *n, struct dht_account *out);

bool node_name(const struct node *n, unsigned i, struct look_name *out);	/* a name it publishes */
struct tunnel_view;

/** node_tunnel() - The tunnel in slot @i, false if there is none; walk i from 0 to TUNNELS_MAX - 1 (core/link/tunnel.h) */
bool node_tunnel(const struct node *n, unsigned i, struct tunnel_view *out);

bool node_guest(const struct node *n, unsigned network, unsigned i, struct look_guest *out);
/** node_epoch() - Which group key its broadcasts are sealed with (core/vnet/vnet.h); false: no such network */
bool node_epoch(const struct node *n, unsigned network, struct look_epoch *out);
bool node_guard(const struct node *n, unsigned network, struct look_guard *out);	/* false: no firewall */
bool node_remote(const struct node *n, unsigned network, unsigned i, struct look_remote *out);
uint32_t node_remote_changes(const struct node *n, unsigned network);

#endif /* CORE_LOOK_H */
