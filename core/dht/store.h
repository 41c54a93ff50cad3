/*
 * store.h - the records of one slot, sorted by key, as one member keeps them
 *
 * A record of an address and a value under a name are the same struct; what
 * they mean is op_apply()'s business. A record that was given back stays as
 * gone until nothing older can come to light any more.
 *
 *	Memory		96 bytes a record and the bytes of values, from env.mem
 *	Ownership	kept.bytes belong to the store; given in, they are copied
 */
#ifndef DHT_STORE_H
#define DHT_STORE_H

#include "core/base/env.h"
#include "core/dht/op.h"

enum {
	STORE_RECORDS	= 256,		/* of a slot of names; addresses have 64 */
	STORE_MOST	= 32768,	/* of any: the root has one for each slot that was born */
	STORE_BYTES	= 1 << 20,	/* of values in a slot, at the most */
	VALUE_PROOF	= 1 + 32 + 16 + 64,	/* kind of the op, its key, salt and signature: who wrote a value, for ever */
	KEPT_BYTES	= 1 + NAME_MAX_BYTES + VALUE_PROOF + VALUE_MAX,
};

/** struct kept - one record as kept by a member */
struct kept {
	uint64_t key;			/* address: its last 6 bits; else a hash, kept_key() */
	struct id owner;		/* who holds the address, or wrote the value */
	uint64_t client;		/* address: hash of the guest */
	uint64_t nonce;			/* of the op that wrote it */
	struct stamp stamp;
	int64_t until_ns;		/* by our clock: the term plus drift; gone: kept so long; 0: over, and saved so */
	uint64_t grant;
	uint32_t generation, delegation;
	uint32_t term_s;
	uint16_t len;			/* of bytes */
	uint8_t type;			/* enum value_type, 0 = an address */
	uint8_t acks : 6;		/* primary: which members saved this stamp */
	uint8_t gone : 1;		/* released or deleted */
	uint8_t lends : 1;		/* address: see struct op; travels and is saved with the record */
	uint8_t *bytes;			/* values: name length 1 | name | VALUE_PROOF | value; else NULL */
};
_Static_assert(sizeof(struct kept) <= 96, "64 in each slot of addresses, r members each");

struct store {
	struct kept *kept;
	uint16_t count, cap;
	uint32_t bytes;			/* of all values */
	uint64_t grants;		/* numbers given out so far, of this generation */
};

void store_done(struct store *s, struct mem *m);

/** store_find() - the record of @key, also one that is gone or expired; NULL if there is none */
struct kept *store_find(const struct store *s, uint64_t key);

/** store_put() - Insert or replace; @k.bytes are copied. NULL at a bound: nothing changed */
struct kept *store_put(struct store *s, struct mem *m, const struct kept *k);

/** store_del() - Forget the record at place @i */
void store_del(struct store *s, struct mem *m, unsigned i);

/** kept_live() - does it say that somebody has something now? */
static inline bool kept_live(const struct kept *k, int64_t now_ns)
{
	return !k->gone && k->until_ns > now_ns;
}

static inline struct fence kept_fence(const struct kept *k)
{
	return (struct fence){ k->generation, k->delegation, k->grant };
}

/** kept_name(), kept_proof(), kept_value() - the parts of a value's bytes */
static inline struct bytes kept_name(const struct kept *k)
{
	return k->len ? (struct bytes){ k->bytes + 1, k->bytes[0] } : (struct bytes){ 0 };
}

static inline const uint8_t *kept_proof(const struct kept *k)
{
	return k->len ? k->bytes + 1 + k->bytes[0] : NULL;
}

static inline struct bytes kept_value(const struct kept *k)
{
	unsigned before = k->len ? 1u + k->bytes[0] + VALUE_PROOF : 0;

	return k->len ? (struct bytes){ k->bytes + before, k->len - before } : (struct bytes){ 0 };
}

/** kept_form() - do these @len bytes have the parts of a value? To be asked before any of them is touched */
static inline bool kept_form(const uint8_t *bytes, size_t len)
{
	return !len || (len <= KEPT_BYTES && len >= 1u + bytes[0] + VALUE_PROOF);
}

/** kept_key() - under which key the value of @writer under @name and @type stands: BLAKE2b-64 of them */
uint64_t kept_key(struct bytes name, uint8_t type, struct id writer);

/**
 * kept_write(), kept_read() - One record on the wire or on disk, KEPT_WIRE bytes and its value
 *
 * What is left of the term travels as milliseconds, counted again from receipt.
 */
enum { KEPT_WIRE = 84 };
void kept_write(struct writer *w, const struct kept *k, int64_t now_ns);
bool kept_read(struct reader *r, struct kept *k, int64_t now_ns);	/* k->bytes: borrowed from the reader */

/** store_digest() - equal for stores with the same records at the same stamps */
uint64_t store_digest(const struct store *s);

/* Grantors count terms long, holders count them short. */
static inline int64_t term_kept_ns(uint32_t term_s, uint16_t drift_ppm)
{
	return (int64_t)term_s * (NS_PER_S + drift_ppm * 1000LL);
}

static inline int64_t term_held_ns(uint32_t term_s, uint16_t drift_ppm)
{
	return (int64_t)term_s * (NS_PER_S - drift_ppm * 1000LL);
}

#endif /* DHT_STORE_H */
