/*
 * vnet_fakes.h - what stands around the edge of a network, scripted: leases, resolver, DHCP, DNS, tunnels
 *
 * The script and what was asked of it; vnet_faked.h has the functions.
 */
#ifndef VNET_FAKES_H
#define VNET_FAKES_H

#include "core/vnet/parts.h"

enum { FAKES_MAX = 512 };

struct fakes {
	struct network_record record;

	/* the DHT: what is believed, what was wanted */
	struct ip believed[FAKES_MAX];
	unsigned believes;
	struct { struct ip ip; uint64_t cookie, client; } want[FAKES_MAX];
	unsigned wants, releases, keeps, unkeeps;
	struct ip released;
	bool no_room;			/* held_want() says false */
	struct { struct ip ip; uint64_t cookie, client; struct id owner; } take[FAKES_MAX];
	unsigned takes, given, denied;	/* held_take(), held_delegate(), held_deny() */
	struct id given_to;
	bool lends, proof;		/* held_proof() has one: of the address last given or taken */
	struct delegation delegation;

	/* path */
	struct id owner;		/* of what is served by somebody else */
	struct id talker[4];		/* who was told of our addresses */
	unsigned talkers, moved;	/* path_moved() with now */
	struct { struct id to; uint8_t data[64]; size_t len; } word[FAKES_MAX];	/* tunnels_send() */
	unsigned words;
	struct ip served[FAKES_MAX];	/* by somebody else */
	unsigned serves;
	bool slow;			/* path_find() asks first */
	enum found source;		/* what path_source() says */
	unsigned finds, sent, groups, not_here, payloads, tunnels, casts;
	struct ip last_not_here;
	uint16_t fits;			/* path_fits(), 0: the network's MTU */
	uint8_t packet[FAKES_MAX][2048];	/* the last path_send()s, by sent */
	size_t len[FAKES_MAX];
	struct { struct ip ip; bool ours; } owned[FAKES_MAX];
	unsigned owneds;

	unsigned dhcp, dhcp6, dns, dns_owned;
};

#endif /* VNET_FAKES_H */
