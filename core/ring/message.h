/*
 * message.h - what ring members say to each other, byte by byte
 *
 * Bodies of LINK messages (core/base/wire.h, section 3). A list of contacts is
 * count 1, then per contact the layout of contact_write().
 *
 *	STATUS		flags 1 | use 1 | log2 of the ring's size as seen, Q8 2
 *			what the sender is, and what it wants this link for
 *	STATUS_ACK	flags 1 | use 1: as heard; without it STATUS comes again
 *	NEAR		version 1 | flags 1 | gone 1 | ids 16 each
 *			| contacts, each followed by hops 1
 *			ids that lately died or left, so that gossip does not keep
 *			them; then the sender's neighbours: hops 1 = it has a link
 *			to it, more = told by others, as in a distance-vector protocol
 *	TABLE		version 1 | log2 of size Q8 2 | count 1 | prefixes 4 each
 *			where the sender's links lead, for lookahead
 *	ASK		what 1: ASK_FOR_NEAR | ASK_FOR_TABLE
 *	ENTER		nonce 1: may I stand beside you?
 *	WELCOME		nonce 1 | yes 1 | then as NEAR
 *	LEAVE		as NEAR: I go, these are my neighbours
 *	LEAVE_ACK	-
 *	ROUTE		sequence 2 | mode and flags 1 | hops 1 | to 16 | from 16
 *			| least distance 16 | [via 16] | body kind 1 | body
 *	ROUTE_ACK	sequence 2: the next hop answers for the message now
 *	CAST		ticket 2 | hops 1 | origin 16 | sequence 4 | after 16
 *			| before 16 | data: cover the range (after, before)
 *	CAST_ACK	ticket 2
 *
 * Bodies of routed messages:
 *
 *	FIND		nonce 4 | flags 1: who owns the key this is routed to?
 *	FOUND		nonce 4 | flags 1 | hops 1 | contact | [contacts]
 *	PASSED		nonce 4 | hops 1: a traced FIND came by (TRACE only)
 *	MEET		contact: please call me
 */
#ifndef RING_MESSAGE_H
#define RING_MESSAGE_H

#include <stdint.h>

enum status_flag { STATUS_JOINED = 1 << 0, STATUS_LEAVING = 1 << 1 };

enum ask_for { ASK_FOR_NEAR = 1 << 0, ASK_FOR_TABLE = 1 << 1 };

/** enum route_mode - who may take a routed message */
enum route_mode {
	ROUTE_EXACT,		/* the node of that id, or a drop */
	ROUTE_OWNER,		/* the node that owns the key */
	ROUTE_NEAREST,		/* the node that knows none nearer */
	ROUTE_MODES
};

enum {
	ROUTE_MODE_MASK	= 0x03,
	ROUTE_OWED	= 1 << 2,	/* a lookahead hop moved away; the next must pay back */
	ROUTE_FINAL	= 1 << 3,	/* from predecessor to owner, exempt from the distance rule */
	ROUTE_VIA	= 1 << 4,	/* the sender is no member: answers go through via */
	ROUTE_PLAIN	= 1 << 5,	/* the loan could not be paid back: no lookahead until it is */

	ROUTE_HOPS_MAX	= 250,
	ROUTE_BYTES_MAX	= 1100,		/* envelope and body */
};

enum route_body { BODY_FIND = 1, BODY_FOUND = 2, BODY_PASSED = 3, BODY_MEET = 4 };

enum find_flag {
	FIND_NEAR	= 1 << 0,	/* tell me your neighbours: I want to stand there */
	FIND_LONG	= 1 << 1,	/* I would draw a long link to you */
	FIND_TRACE	= 1 << 2,	/* every hop reports */
};

enum found_flag { FOUND_REFUSED = 1 << 0 };

#endif /* RING_MESSAGE_H */
