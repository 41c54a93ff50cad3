/*
 * op.h - what can be done to a record, and how it went; as asked and as on the wire
 *
 * An op is a question to the primary of one slot. A write is judged by op_apply(), a pure
 * function of (slot state, op, time): the primary runs it, the other members
 * save what it made of it. The same op told twice (same asker, same nonce) gives
 * the same answer once.
 */
#ifndef DHT_OP_H
#define DHT_OP_H

#include "core/dht/slot.h"

enum {
	VALUE_MAX	= 1024,		/* bytes of a put value */
	NAME_MAX_BYTES	= 255,		/* of a name, as in DNS */
	VALUES_PER_KEY	= 16,		/* of different writers, under one name and type */
};

enum op_kind {
	OP_CREATE = 1,			/* the address if it is free: absent or expired -> mine */
	OP_CREATE_ANY,			/* any free address of the slot; op.ip is what is preferred */
	OP_GET,				/* what is there, by majority */
	OP_LOOK,			/* what is there, by the primary alone: for caches that are corrected when wrong */
	OP_RENEW,			/* mine -> mine, later; also confirms belief after a restart */
	OP_RELEASE,			/* mine -> free */
	OP_TAKE,			/* the one I was told about (fence) -> mine; op.proof: its signed delegation */
	OP_PUT,				/* names: one value of mine under name and type; term as asked */
	OP_DELETE,			/* names: mine is gone */
	OP_CLAIM,			/* names: create - only if nobody else has a value there */
	OP_KINDS
};

enum verdict {
	VERDICT_OK = 1,
	VERDICT_TAKEN,			/* somebody else's: the answer's lease or values say whose */
	VERDICT_FULL,			/* no free address in this slot, or no room for one more value */
	VERDICT_ABSENT,			/* nothing there */
	VERDICT_FENCED,			/* not yours any more: a newer fence stands */
	VERDICT_DENIED,			/* bad signature, reserved, out of range, not a member, term out of bounds */
	VERDICT_WAIT,			/* the slot cannot decide now (no majority, new generation waits): ask again later */
	VERDICT_TIMEOUT,		/* nobody answered; only ever said by our own side */
	VERDICTS
};

const char *verdict_text(enum verdict v);

/** struct lease - a record of a leased address */
struct lease {
	struct ip ip;
	struct id holder;		/* the node that serves it */
	uint64_t client;		/* hash of the guest's own identity: the same guest gets the same address */
	struct fence fence;
	uint32_t term_s;
	uint32_t left_ms;		/* of the term as the answerer counts it; only in answers */
};

/** enum value_type - what a value under a name is */
enum value_type { VALUE_ADDRESS = 1, VALUE_POINTER, VALUE_MEMBER, VALUE_GROUP, VALUE_TOKEN, VALUE_PLAIN };

/** struct value - one value under a name, by one writer; borrowed bytes */
struct value {
	struct id writer;
	uint8_t type;			/* enum value_type */
	uint32_t left_ms;
	struct bytes data;		/* up to VALUE_MAX */
};

/** struct op - as asked; bytes borrowed */
struct op {
	uint8_t kind;			/* enum op_kind */
	uint8_t type;			/* enum value_type, names only */
	struct slot_name slot;
	struct id asker;		/* who asks and will hold it */
	uint64_t nonce;			/* names this op of this asker for ever: retries carry the same */
	struct ip ip;
	uint64_t client;
	uint32_t term_s;
	struct fence fence;		/* RENEW, RELEASE, TAKE: what the asker believes it is about */
	struct bytes name, value, proof;
};

void op_write(struct writer *w, const struct op *o);
bool op_read(struct reader *r, struct op *o);		/* false: malformed */

#endif /* DHT_OP_H */
