/*
 * door.h - what passes the door: events in, effects out
 *
 * These types are all that the simulator, the fabric and the daemon share with
 * core; node.h explains the one function that takes and gives them. Every
 * module of core may add effects through env.h.
 *
 *	Ownership	bytes in events are borrowed until a call comes back with
 *			effects.more == false; bytes in effects lie in the
 *			host's buffer and are good until the next call with the
 *			same struct effects
 */
#ifndef BASE_DOOR_H
#define BASE_DOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/drop.h"
#include "core/base/endpoint.h"
#include "core/base/id.h"
#include "core/base/ip.h"
#include "core/base/record.h"
#include "core/base/wire.h"

enum event_kind {
	EVENT_START,		/* data = everything saved (core/base/saved.h) or empty, start */
	EVENT_ENTROPY,		/* data = fresh random bytes */
	EVENT_DATAGRAM,		/* data, from, ecn */
	EVENT_FRAME,		/* data, iface, offload */
	EVENT_TIMER,		/* the alarm went off (a call without it does the same) */
	EVENT_ADDRESS,		/* from = a local address that came (up) or went */
	EVENT_MAPPING,		/* from = the endpoint a gateway maps us to, up or gone */
	EVENT_PATH_ERROR,	/* from = the destination, path */
	EVENT_ENTRY,		/* entry: what a worker saw of a forwarding entry */
	EVENT_WALL_CLOCK,	/* wall */
	EVENT_RESUMED,		/* resumed */
	EVENT_SAVED,		/* token: that save is durable */
	EVENT_CONTROL,		/* request */
	EVENT_STOP,		/* leave gracefully; RECORD_LEFT tells when it is done */
	EVENT_KINDS
};

/** enum run_end - how the last run ended, as far as the host can tell */
enum run_end { RUN_UNKNOWN, RUN_SAME_BOOT, RUN_CLEAN };

/** struct offload - what the kernel left undone in a frame (virtio-net header's meaning) */
struct offload {
	uint16_t segment;		/* bytes per segment, 0 = one packet */
	uint16_t checksum_start;
	uint16_t checksum_offset;
	uint8_t  partial;		/* the checksum is still to be filled in */
};

/** enum ask - what a control request wants; reading state needs no request (core/look.h) */
enum ask {
	ASK_LOOKUP,		/* who owns key? One reply at the end, after retries */
	ASK_TRACE,		/* the same, one more reply per hop */
	ASK_BROADCAST,		/* data to every member; reply when delegated */
	ASK_CONNECT,		/* try the endpoint in event.from; reply when tried */
	ASK_LEASE,		/* have address ip (family alone: any) of network; reply when it is ours or refused */
	ASK_RENEW,		/* renew the lease of ip now */
	ASK_RELEASE,		/* give it back */
	ASK_RESOLVE,		/* who holds ip? by majority */
	ASK_PUT,		/* name, value: put one value of ours */
	ASK_GET,		/* name: its values, one reply each, the last with ANSWER_OK or why not */
	ASK_DELETE,		/* name: ours is gone */
	ASK_ECHO,		/* to the member key of network, through a tunnel as guests' packets go; reply when it
				 * comes back. Nothing is tried again and nothing times out: that is the host's */
	ASK_REVOKE,		/* data: a list of the revoked, and the group key of its epoch (order, core/seal/revoke.h) */
	ASK_REDEEM,		/* never asked: how a node born with an invitation tells what became of it */
	ASK_RULES,		/* the firewall rules of network were changed where birth.networks has them */
	ASK_JOIN,		/* birth.networks has a network now in the place network, where there was none; the reply comes
				 * at once: REFUSED if its record does not hold or we are in it or on the way out of it */
	ASK_QUIT,		/* leave network, the overlay goes on: its guests and tunnels end at once. The reply comes when
				 * leases and names were given back, after 3 s at most (TIMEOUT: the rest ends with its term);
				 * from then on nothing of its place in birth.networks is borrowed */
	ASK_KINDS
};

struct request {
	uint64_t token;			/* comes back in the replies */
	struct id key;
	struct ip ip;			/* leases */
	uint64_t client;		/* leases: for which guest of ours */
	uint32_t term_s;		/* leases and names; 0 = the network's */
	uint16_t name;			/* names: so many first bytes of event.data are the name, the rest the value */
	uint8_t network;		/* index into birth.networks */
	uint8_t type;			/* names: enum value_type (core/dht/op.h), 0 = plain */
	uint16_t size;			/* ECHO: bytes of it; filled up to what it needs */
	int64_t timeout_ns;		/* retries happen inside it */
	uint8_t ask;			/* enum ask */
};

/** enum can - what a machine can do for core: bits of start.offloads. One that says nothing can do nothing */
enum can {
	CAN_SUM		= 1 << 0,	/* frames may leave with offload.partial; else core fills checksums in */
	CAN_SEGMENT	= 1 << 1,	/* datagrams may leave with segment; else each is an effect of its own */
};

enum {
	SEGMENTS_MAX	= 64,		/* datagrams in one with segment ... */
	SEGMENTS_BYTES	= 64000,	/* ... and their bytes */
};

struct event {
	enum event_kind kind;
	uint16_t iface;
	uint8_t ecn;
	bool up;			/* ADDRESS, MAPPING */
	struct endpoint from;
	struct bytes data;
	union {
		struct {
			const uint8_t *seed;		/* 32 bytes of entropy */
			uint32_t ciphers, offloads;	/* what this machine can do: bits of enum cipher, enum can */
			enum run_end last;
		} start;
		struct offload offload;
		struct { uint16_t mtu; bool unreachable; } path;
		struct { uint32_t entry; uint64_t packets, bytes; int64_t heard_ns; } entry;
		struct { int64_t utc_ns, error_ns; } wall;
		struct { int64_t gap_ns; bool clone; } resumed;
		uint64_t token;
		struct request request;
	};
};

struct datagram {
	struct endpoint to;		/* to.iface: the interface to leave by, 0 = any */
	const uint8_t *data;
	uint16_t len;
	uint16_t segment;		/* data is many datagrams of so many bytes, the last may be shorter; 0 = one */
	uint8_t  df, ecn;
	uint8_t  kind;			/* enum message_kind, for accounts */
};

/** datagrams_of() - how many @d is */
static inline unsigned datagrams_of(const struct datagram *d)
{
	return d->segment ? (d->len + d->segment - 1u) / d->segment : 1;
}

struct frame {
	const uint8_t *data;
	uint16_t len, iface;
	struct offload offload;		/* segment is 0: what came as a batch is packets again */
};

/** enum save_kind - what a node keeps; each save replaces the last of its kind and part (core/base/saved.h) */
enum save_kind {
	SAVE_PEERS,		/* part 0: remembered peers */
	SAVE_SELF,		/* part 0: our incarnation as the DHT counts it */
	SAVE_SLOT,		/* part: hash of a slot (and record): promises and records */
	SAVE_LEASE,		/* part: hash of network and address: leases we hold */
	SAVE_REVOKED,		/* part: of the anchor: its newest list of the revoked */
	SAVE_GROUP,		/* part: of the network: its group key, if it is no more the charter's */
	SAVE_KINDS
};

struct save {
	uint64_t part;
	const uint8_t *data;
	uint32_t len;			/* 0: what was kept is to be forgotten */
	uint8_t kind;			/* enum save_kind */
	uint64_t token;			/* durable in this order; unique within the node */
};

/** enum answer - how a request went */
enum answer { ANSWER_OK, ANSWER_TIMEOUT, ANSWER_NOT_JOINED, ANSWER_FULL, ANSWER_FAILED, ANSWER_HOP, ANSWER_REFUSED };

struct reply {
	uint64_t token;
	struct id who;			/* the owner; TRACE: the node at this hop */
	uint16_t hops;
	uint8_t  tries;			/* 1 = answered on the first try */
	uint8_t  answer;		/* enum answer */
	uint8_t  ask;			/* enum ask */
	uint8_t  verdict;		/* leases and names: enum verdict (core/dht/op.h), 0 if there was none;
					 * REVOKE: enum drop; REDEEM: enum admit (core/seal/invite.h) */
	struct ip ip;			/* leases */
	uint64_t fence[2];		/* leases: generation and delegation, grant */
	int64_t until_ns;		/* LEASE, RENEW: when our belief ends */
	struct bytes value;		/* GET; REDEEM: the grant */
};

/**
 * struct deed - a question about a leased address begins or ends here
 *
 * For oracles, which see all of them: those of control requests, of holders that
 * renew, of guests. Each slot tried is one question. Nothing depends on it, and
 * no host need ask for it.
 */
struct deed {
	uint64_t nonce;			/* names the question: the same at its begin and its end, and for no other */
	struct id network;
	struct id holder;		/* at the end: of the lease in the answer, zero if there was none */
	struct ip ip;			/* at the begin: as asked; at the end: as answered, if it was */
	bool wide;			/* it is about any address of the slot of ip */
	uint64_t client;		/* as asked; at the end: of the lease in the answer */
	uint64_t fence[2];		/* as in struct reply; at the begin: which one is meant, if any */
	uint32_t term_s;
	uint8_t kind;			/* enum op_kind (core/dht/op.h) */
	uint8_t verdict;		/* enum verdict; 0: it begins */
};

/** struct reflex - where a peer says that it sees us, each time it does; for hosts that tell their operators */
struct reflex {
	struct id peer;
	struct endpoint at;
};

/** struct entry - a forwarding entry published (deadline in the future) or retired */
struct entry;

enum {
	EFFECTS_ROOM	= 512,		/* the host gives at least so many of each ... */
	EFFECTS_SAVES	= 1 << 14,	/* ... but of saves so many: a large slot is forgotten in one step ... */
	EFFECTS_BYTES	= 1 << 20,	/* ... and so many bytes */
};

/**
 * struct effects - everything to do, filled by node_step()
 *
 * The host allocates the arrays once (one set per thread is enough) and sets
 * the max_ fields; node_step() empties and fills the rest. Counters only grow.
 */
struct effects {
	struct datagram *send;	 unsigned sends, max_sends;
	struct frame	*frame;	 unsigned frames, max_frames;
	struct save	*save;	 unsigned saves, max_saves;
	struct reply	*reply;	 unsigned replies, max_replies;
	struct record	*record; unsigned records, max_records;
	struct deed	*deed;	 unsigned deeds, max_deeds;	/* max 0: nobody wants to know */
	struct reflex	*reflex;	 unsigned reflexes, max_reflexes;	/* likewise */
	uint8_t *bytes;		 size_t used, max_bytes;
	bool more;			/* no room: carry these out, call again with no events */
	uint64_t drops[DROP_COUNT];	/* by reason, of all nodes that used these effects */
	uint64_t steps;			/* datagrams, frames and due timers handled */
};

#endif /* BASE_DOOR_H */
