/*
 * wire.h - every byte that crosses the underlay, with pictures
 *
 * Logic that reacts to these bytes lives elsewhere; here are only layouts and
 * numbers. All values are in network order. Versions v and v-1 work together:
 * the version nibble says how a packet is laid out, feature bits inside the
 * handshake payload say what its sender can do.
 *
 * 1. The header, on every packet (16 bytes; handshakes use the first 8)
 *
 *	 0               1               2               3
 *	+-------+-------+---------------+-------------------------------+
 *	|version| type  | flags         | hops                          |
 *	+-------+-------+---------------+-------------------------------+
 *	| receiver index (INIT: overlay tag; on a relayed hop: label)   |
 *	+---------------+-----------------------------------------------+
 *	| lane          | counter, upper 24 bits                        |
 *	+---------------+-----------------------------------------------+
 *	| counter, lower 32 bits                                        |
 *	+---------------------------------------------------------------+
 *	| sealed: one message (LINK) or one frame piece (DATA), tag 16  |
 *
 *	hops and the receiver index are what a relay changes; they are not
 *	authenticated. The other ten bytes are the additional data of the seal:
 *	version and type, flags, lane and counter. The lane picks the replay
 *	window; each sending thread has one. flags: FRAGMENT and OFFLOAD tell
 *	that a DATA packet opens with a fragment or an offload word, CONTROL that
 *	it is a word between the two ends.
 *
 * 2. Handshakes (Noise; Perrin, "The Noise Protocol Framework", rev. 34)
 *
 *	INIT	header(8): receiver = overlay tag
 *		| pattern 1 | 0 1 | sender index 4 | noise message 1
 *		| proof 16: of the overlay's key, over all before it from the tag on
 *		| proof 16: of a cookie, over all before it from the tag on, or zeros
 *	REPLY	header(8): receiver = the initiator's index
 *		| noise message 2 (its payload tells the sender's index)
 *	FINISH	header(8): receiver = the responder's index
 *		| noise message 3 (pattern XX only)
 *	COOKIE	header(8): receiver = the initiator's index
 *		| nonce 8 | sealed: cookie 16, tag 16 (core/link/cookie.h)
 *
 *	The Noise payloads are TLV: type 1, length 2, value (seal's own types
 *	below 16: core/seal/handshake.h; the others: core/link/hello.h). An INIT
 *	is padded, by a TLV, to at least the length of its answer.
 *
 *	The end-to-end handshakes of tunnels (core/link/tunnel.h) are the same
 *	packets, carried by routed mail, with the network's key for the overlay's.
 *
 * 3. Data, end to end: what stands inside a sealed DATA packet
 *
 *	[fragment 6] [offload 8] payload
 *
 *	fragment, with FLAG_FRAGMENT	number 2 | piece 1 | pieces 1 | total 2
 *		All pieces of one number but the last are of the same size,
 *		total / pieces rounded up; total counts the offload word too,
 *		which is in front of the first piece only.
 *	offload, with FLAG_OFFLOAD	segment 2 | checksum start 2
 *					| checksum offset 2 | partial 1 | 0
 *	FLAG_CONTROL: the payload is for the tunnel itself: one byte, ASK (are
 *	you there?), HERE, or BYE. The lane is 0.
 *
 *	The receiver index is the receiver's, or a label that the next hop gave
 *	out (core/ring/label.h): it swaps it for the next one and counts the hop.
 *
 * 4. Messages, inside a sealed LINK packet: kind 1, then its body
 *
 *	PROBE, PROBE_ACK	stamp 1 | near version 1 | table version 1
 *		With IPv4 and UDP: 28 + 16 + 4 + 16 = 64 bytes. The stamp pairs
 *		an answer with its probe; the versions tell the peer that the
 *		sender's neighbour list or link table is not the one it knows.
 *	MTU_PROBE		size 2 | zeros up to size
 *	MTU_ACK			size 2
 *	OBSERVED		endpoint: where the sender sees the receiver
 *	ADDRESSES		count 1 | endpoints: where the sender may be reached | flags 1:
 *		bit 0, its NAT maps it differently for each peer
 *	CHALLENGE, RESPONSE	nonce 8: proves a new path both ways
 *	CLOSE			reason 1 (enum link_end)
 *	RELAY			id 16 of the target | a whole packet
 *	RELAYED			id 16 of the source | a whole packet
 *	NOTICE			see core/link/gazette.h
 *	PLEA, VERDICT		see core/link/newcomer.h
 *	LABEL, LABEL_ACK, LABEL_GONE	see core/ring/label.h
 *	NEAR, TABLE, ASK, ENTER, WELCOME, LEAVE, LEAVE_ACK, STATUS,
 *	STATUS_ACK, ROUTE, ROUTE_ACK, CAST, CAST_ACK	see core/ring/message.h
 */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include <stdint.h>

enum {
	WIRE_VERSION	= 1,
	WIRE_HEADER	= 16,		/* bytes before the sealed part */
	WIRE_SHORT	= 8,		/* the part of it that handshakes use */
	WIRE_TAG	= 16,		/* the seal's authentication tag */
	WIRE_MTU_MIN	= 1200,		/* UDP payload every path is assumed to carry */
	WIRE_MTU_MAX	= 1472,
	WIRE_LANES	= 4,		/* lanes a session keeps windows for */
};

enum packet_type {
	PACKET_INIT	= 1,
	PACKET_REPLY	= 2,
	PACKET_FINISH	= 3,
	PACKET_LINK	= 4,
	PACKET_DATA	= 5,
	PACKET_COOKIE	= 6,
};

enum packet_flag {
	FLAG_FRAGMENT	= 1 << 0,
	FLAG_OFFLOAD	= 1 << 1,
	FLAG_CONTROL	= 1 << 2,
};

enum noise_pattern { PATTERN_IK = 1, PATTERN_XX = 2 };

/*	kind		number	printed */
#define MESSAGE_LIST(X)			\
	X(PROBE,	1,	"probe")	\
	X(PROBE_ACK,	2,	"probe-ack")	\
	X(MTU_PROBE,	3,	"mtu-probe")	\
	X(MTU_ACK,	4,	"mtu-ack")	\
	X(OBSERVED,	5,	"observed")	\
	X(ADDRESSES,	6,	"addresses")	\
	X(CHALLENGE,	7,	"challenge")	\
	X(RESPONSE,	8,	"response")	\
	X(CLOSE,	9,	"close")	\
	X(RELAY,	10,	"relay")	\
	X(RELAYED,	11,	"relayed")	\
	X(LABEL,	12,	"label")	\
	X(LABEL_ACK,	13,	"label-ack")	\
	X(LABEL_GONE,	14,	"label-gone")	\
	X(NEAR,		16,	"near")		\
	X(TABLE,	17,	"table")	\
	X(ASK,		18,	"ask")		\
	X(ENTER,	19,	"enter")	\
	X(WELCOME,	20,	"welcome")	\
	X(LEAVE,	21,	"leave")	\
	X(LEAVE_ACK,	22,	"leave-ack")	\
	X(STATUS,	23,	"status")	\
	X(STATUS_ACK,	28,	"status-ack")	\
	X(ROUTE,	24,	"route")	\
	X(ROUTE_ACK,	25,	"route-ack")	\
	X(CAST,		26,	"cast")		\
	X(CAST_ACK,	27,	"cast-ack")	\
	X(NOTICE,	29,	"notice")	\
	X(PLEA,		30,	"plea")		\
	X(VERDICT,	31,	"verdict")	\
	X(INIT,		40,	"init")		\
	X(REPLY,	41,	"reply")	\
	X(FINISH,	42,	"finish")	\
	X(DATA,		43,	"data")		\
	X(COOKIE,	44,	"cookie")

/** enum message_kind - INIT, REPLY, FINISH, COOKIE and DATA are packets of their own, here for accounts by kind */
enum message_kind {
#define X(name, number, text) MESSAGE_##name = number,
	MESSAGE_LIST(X)
#undef X
	MESSAGE_KINDS = 48
};

/** message_text() - the printed name of @kind, NULL for a number that is none */
const char *message_text(unsigned kind);

#endif /* BASE_WIRE_H */
