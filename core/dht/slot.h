/*
 * slot.h - the unit of agreement: which slot a key lies in, its view, its stamps
 *
 * A slot is 64 consecutive addresses of a network, one of its 4096 name
 * buckets, or its root. It has a fixed point on the ring and a numbered view of
 * 1, 3 or 5 members. Everything a member says about a slot names generation and
 * view number; votes of different views never add up (consistent quorums).
 *
 * Each view has one primary, its first member. Only the primary writes, in one
 * sequence, to all members of the view; a write stands when a majority of that
 * view has saved it. A view ends by consensus among its members about the next
 * one (single-decree Paxos, one instance for each view number): who accepts a
 * next view is sealed, votes no more in the old one and tells its records. The
 * next view serves when its primary has merged the records of a majority of the
 * sealed old view, the highest stamp of each winning.
 */
#ifndef DHT_SLOT_H
#define DHT_SLOT_H

#include "core/base/bytes.h"
#include "core/base/id.h"
#include "core/base/ip.h"
#include "core/dht/network.h"

enum slot_kind { SLOT_ROOT = 1, SLOT_V4, SLOT_V6, SLOT_NAMES };

enum { SLOT_BITS = 6, SLOT_ADDRESSES = 1 << SLOT_BITS, NAME_BUCKETS = 4096 };

/** struct slot_name - which slot; number: address >> 6 (IPv6: of the last 64 bits), bucket, or 0 for the root */
struct slot_name {
	struct id network;
	uint64_t number;
	uint8_t kind;			/* enum slot_kind */
};

struct slot_name slot_of_ip(struct id network, const struct ip *a);
struct slot_name slot_of_text(struct id network, struct bytes name);	/* lower case ASCII; one name, all its types */
struct slot_name slot_root(struct id network);

/** slot_point() - Where it lies: BLAKE2b-128 of network, kind and number */
struct id slot_point(const struct slot_name *s);

static inline bool slot_eq(const struct slot_name *a, const struct slot_name *b)
{
	return id_eq(a->network, b->network) && a->number == b->number && a->kind == b->kind;
}

void slot_write(struct writer *w, const struct slot_name *s);		/* kind 1 | network 16 | number 8 */
struct slot_name slot_read(struct reader *r);

/** struct view_name - which view of a slot; compared generation first */
struct view_name {
	uint32_t generation, number;
};

static inline int view_cmp(struct view_name a, struct view_name b)
{
	uint64_t x = (uint64_t)a.generation << 32 | a.number, y = (uint64_t)b.generation << 32 | b.number;

	return (x > y) - (x < y);
}

/** struct incarnation - one life of a node: a count and chance, so that no stale disk repeats it */
struct incarnation {
	uint64_t count, chance;
};

struct view_member {
	struct id id;
	struct incarnation life;	/* whose votes count; zero: not met yet, its first word tells */
};

struct view {
	struct view_name name;
	struct view_member member[VIEW_MAX];	/* the primary first */
	uint8_t members;		/* 0 = no view known; else 1, 3 or 5 */
};

void view_write(struct writer *w, const struct view *v);
bool view_read(struct reader *r, struct view *v);	/* false: not 1, 3 or 5 members, or one of them twice */

/** view_place() - @id's place in @v, -1 if it is none of its members */
int view_place(const struct view *v, struct id id);

static inline unsigned view_majority(const struct view *v)
{
	return v->members / 2 + 1u;
}

/** struct stamp - when a record was last written: in which view, as which write */
struct stamp {
	struct view_name view;
	uint64_t seq;
};

static inline int stamp_cmp(struct stamp a, struct stamp b)
{
	int c = view_cmp(a.view, b.view);

	return c ? c : (a.seq > b.seq) - (a.seq < b.seq);
}

/** struct fence - which owner of an address; grows with each change of owner, compared in this order */
struct fence {
	uint32_t generation;		/* of the slot */
	uint32_t delegation;		/* set by owners: hand-overs since the grant */
	uint64_t grant;			/* set by the quorum only: the slot's count of grants */
};

static inline int fence_cmp(struct fence a, struct fence b)
{
	if (a.generation != b.generation)
		return a.generation < b.generation ? -1 : 1;
	if (a.grant != b.grant)
		return a.grant < b.grant ? -1 : 1;
	return (a.delegation > b.delegation) - (a.delegation < b.delegation);
}

void fence_write(struct writer *w, struct fence f);
struct fence fence_read(struct reader *r);

#endif /* DHT_SLOT_H */
