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
#include "core/seal/identity.h"

enum {
	VALUE_MAX	= 1024,		/* bytes of a put value */
	NAME_MAX_BYTES	= 255,		/* of a name, as in DNS */
	VALUES_PER_KEY	= 16,		/* of different writers, under one name and type; together they fit one answer */
};

enum op_kind {
	OP_CREATE = 1,			/* the address if it is free: absent or expired -> mine */
	OP_CREATE_ANY,			/* any free address of the slot; op.ip is what is preferred */
	OP_GET,				/* what is there, by majority */
	OP_LOOK,			/* what is there, by the primary alone: for caches that are corrected when wrong */
	OP_RENEW,			/* mine -> mine, later; also confirms belief after a restart */
	OP_RELEASE,			/* mine -> free; without an ip: whatever my op fence.grant created */
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
	VERDICT_STALE,			/* a later op of yours stands; between client and slot only: it asks again with a new nonce */
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
	bool lends;			/* see struct op */
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

/** struct op - as asked; bytes borrowed
 *
 * RELEASE with ip.family 0 takes back a create nobody heard the answer of: what @client holds by the op with
 * nonce fence.grant, wherever in the slot it is.
 */
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
	bool lends;			/* leases: the holder may give the rest of its term away by a signature alone */
	struct bytes name, value, proof;

	/* how a write was sealed; filled in by op_read(), NULL and empty for reads */
	struct bytes text;		/* what @signature covers: all of the above */
	const uint8_t *key, *salt;	/* KEY_BYTES, CERT_SALT: id of both = asker */
	const uint8_t *signature;
	struct bytes chain;		/* the network's certificate of @key */
};

enum {
	OP_MAX		= 2600,		/* bytes of one op, sealed: two or three parcels; without value and proof about 420 */
	PROOF_MAX	= 260,
	TAIL_MAX	= 3500,		/* of an answer */
};

/** op_term() - The longest term of an op in @n, in seconds: what invitations leave behind outlives leases (admit.h) */
uint32_t op_term(const struct op *o, const struct network_record *n);

/** op_writes() - may an op of @kind change something? Such ops are sealed, others are not */
bool op_writes(uint8_t kind);

/**
 * op_write() - Write @o, sealed if its kind writes
 * @self: signs; @chain: its certificate of the network. @o's asker is @self's id
 *
 *	op   = "wOp1" 4 | kind 1 | type 1 | flags 1 | slot 25 | asker 16 | nonce 8 | ip | client 8 | term 4
 *	     | fence 16 | name: length 1, bytes | value: length 2, bytes | proof: length 2, bytes
 *	seal = salt 16 | certificates: length 2, chain | signature 64 (of op)
 *	ip   = family 1 | 0, 4 or 16 bytes
 *
 * The whole chain travels with every write: whoever gets one can check it with the network's record alone.
 */
void op_write(struct writer *w, const struct op *o, const struct suite *suite, const struct identity *self,
	      struct bytes chain);

/** op_read() - Take one op and its seal; the form only. False: malformed */
bool op_read(struct reader *r, struct op *o);

/**
 * op_check() - Is the sealed @o really from its asker, a member of @n, who may do that?
 * @utc: seconds, 0 = unknown
 *
 * Return: DROP_NONE, DROP_IDENTITY (asker is not the id of key and salt), DROP_CERTIFICATE (foreign, expired),
 * DROP_STRANGER (the certificate does not allow that address), DROP_SEAL (signature or proof does not fit)
 */
enum drop op_check(const struct op *o, const struct suite *suite, const struct network_record *n, uint64_t utc);

/* A delegation is believed by the new owner alone for so long at most; then the slot knows, or it is void. So whoever may
 * have forgotten that it signed one waits no longer than this, and not for its term. */
#define LEND_NS		(30 * NS_PER_S)

/** struct delegation - "the rest of my term is @to's": signed by @from, an OP_TAKE's proof */
struct delegation {
	struct id network, from, to;
	struct ip ip;
	uint64_t nonce;			/* of the request it answers */
	struct fence fence;		/* under which @from held it */
	uint64_t client;		/* whose it is: the guest moves with what is known of it */
	uint32_t left_ms;		/* of @from's term when it signed, LEND_NS at most */
	bool at_once;			/* @to may believe before the slot knows */
};

void delegation_write(struct writer *w, const struct delegation *g, const struct suite *suite,
		      const struct identity *self);
/** delegation_read() - The form; delegation_check() - the signature and that @from signed */
bool delegation_read(struct bytes b, struct delegation *g);
bool delegation_check(struct bytes b, const struct suite *suite);

/** Parts of answers: leases and values (values: each with its writer's key and signature, so that no member can forge one) */
void lease_write(struct writer *w, const struct lease *l);
bool lease_read(struct reader *r, struct lease *l);

/**
 * value_read() - Take one value and check that its writer signed it for @slot and @name
 * Return: DROP_NONE, DROP_VALUE (malformed: nothing after it can be read), DROP_IDENTITY, DROP_SEAL
 */
enum drop value_read(struct reader *r, struct value *v, const struct suite *suite, const struct slot_name *slot,
		     struct bytes name);

#endif /* DHT_OP_H */
