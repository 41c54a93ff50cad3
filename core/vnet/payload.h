/*
 * payload.h - what nodes of one network say to each other through tunnels
 *
 * The first byte of a tunnel's payload says what it is. Everything came from a
 * member of the network, authentic, and is believed only as far as told here.
 *
 *	PAYLOAD_IP	 1 | a guest's IP packet, whole
 *			 0 1                20
 *			+-+------------------+----- ... ----+
 *			|1| IPv4 or IPv6 header | ...       |
 *			+-+------------------+----- ... ----+
 *			Offload metadata crosses beside it (core/link/tunnel.h);
 *			its offsets count from the IP header. Taken only if we
 *			believe now that we serve the destination, and if the
 *			*slot* of the source address says that the sender holds it.
 *	PAYLOAD_OWN	 2 | address | fence 16
 *			"I serve this address, under this fence". A hint: if the
 *			fence is newer than the one we know, the slot is asked
 *	PAYLOAD_NOT_HERE 3 | address | fence 16 | [owner 16]
 *			"you sent me a packet for this address, and I do not serve
 *			it"; the newest fence the sender knows, zero if none, and
 *			who it thinks does. A hint: the slot is asked, by majority
 *	PAYLOAD_MOVED	 4 | signed delegation (core/dht/op.h): "that address is that node's now". Believed,
 *			because the owner signed it, if the owner and its fence are what we know from the slot
 *	PAYLOAD_RETURNED 5 | IP packet: NOT_HERE with the packet, which is sent again when the slot has answered
 *	PAYLOAD_FORWARD	 6 | node 16 | IP packet: "it came from that node, for an address that I gave you"
 *			Taken for half a minute from who gave us its destination (migrate.c)
 *	PAYLOAD_PATH	16	nothing: it begins the tunnel, so that a certificate is seen
 *	PAYLOAD_KEY_ASK	17 | epoch 8
 *	PAYLOAD_KEY	18 | epoch 8 | key 32: the network's group key (epoch.h). Believed if the list of the revoked holds its
 *			digest
 *	PAYLOAD_ECHO	24 | token 8 | anything
 *	PAYLOAD_ECHOED	25 | the same: an operator's ping, and its answer
 *
 *	address = family 1 | 4 or 16 bytes
 *	fence	= as fence_write() of core/dht/slot.h
 *
 * Why nothing else a member says about addresses is believed. A provisional yes to an
 * unknown source would save the receiver one question before the first packet of
 * a flow is delivered, and let any member speak as anybody for that long; one
 * forged DNS answer is enough. The receiver's guest is about to answer, and for
 * that the same question is asked anyway. So the packet is held, the slot is
 * asked, and both directions start from its answer.
 *
 * For the same reason the one who begins a tunnel says at once, by a mail of its
 * own, from which address it is going to send, so that the question is asked
 * while keys are agreed:
 *
 *	BODY_EXPECT	network 16 | address: please ask who serves it. From
 *			anybody, and worth no more than that; so many a second
 *
 * Broadcast and multicast go by ring_broadcast(), to all members of the overlay;
 * only members of the network have the key (core/vnet/multicast.c, epoch.c).
 */
#ifndef VNET_PAYLOAD_H
#define VNET_PAYLOAD_H

#include "core/dht/slot.h"
#include "core/ring/ring.h"

enum { BODY_EXPECT = BODY_VNET };

enum { PAYLOAD_ADDRESS_MAX = 1 + 1 + 16 + 16 + 16 };

/** struct address_word - OWN or NOT_HERE */
struct address_word {
	struct ip ip;
	struct fence fence;
	struct id owner;
	bool has_owner;			/* NOT_HERE only */
};

void address_word_write(struct writer *w, uint8_t kind, const struct address_word *a);

/** address_word_read() - what follows the kind byte; false: malformed */
bool address_word_read(struct reader *r, struct address_word *a);

#endif /* VNET_PAYLOAD_H */
