/*
 * near.h - the neighbours we know of on either side of our own id
 *
 * Two sorted lists, nearest first. The first few are linked; those beyond are
 * hearsay and stand ready for the day a neighbour dies. Hearsay spreads as in a
 * distance-vector protocol: each entry knows which link told it and how many
 * tellings away from first-hand knowledge it is; past near_depth() tellings it
 * is not believed, so the dead cannot be kept alive by gossip.
 *
 *	Memory		two arrays from env.mem, grown to near_want() entries
 *	Time, chance	none
 */
#ifndef RING_NEAR_H
#define RING_NEAR_H

#include "core/link/link.h"

enum side { LEFT, RIGHT, SIDES };

enum {
	NEAR_KNOW_MIN	= 8,		/* known on each side at least (DESIGN section 5) */
	NEAR_KNOW_MAX	= 32,
	NEAR_DENSE	= 6,		/* of them on each side tell the density of the ring */
	NEAR_DOUBT	= 2 << 8,	/* log2 Q8: a density four times what was counted is believed instead */
	NEAR_LOG2_MAX	= 32 << 8,	/* log2 Q8 of the largest ring anybody is believed to stand on */
	NEAR_GONE	= 8,		/* ids lately dead or gone that gossip may not bring back */
	NEAR_GONE_TOLD_MS = 10000,	/* ... for so long if we only heard that they are */
	HEARSAY		= 0xff,		/* hops of an entry nobody vouches for: a name just told ... */
	HEARSAY_ORPHAN	= 0xfe,		/* ... or whose teller is gone ... */
	HEARSAY_OLD	= 0xfc,		/* ... counting down to here, where it is forgotten */
};

/** struct known - one neighbour; 40 bytes */
struct known {
	struct id id;
	struct endpoint at;
	uint16_t told_by;		/* link slot that vouches for it, UINT16_MAX = none */
	uint8_t hops;			/* 1: we have a link to it; HEARSAY: see above */
	uint8_t tries;			/* calls that came to nothing */
};
_Static_assert(sizeof(struct known) == 40, "2 x 20 of them at a million nodes");

struct near {
	struct id self;
	struct known *known[SIDES];
	uint16_t count[SIDES], cap[SIDES];
	uint8_t want;			/* entries to keep on each side */
	uint8_t reach;			/* places one telling goes further: config.near */
	bool sized;			/* log2_size is that of the lists as they are */
	uint16_t log2_size;
	struct { struct id id; uint32_t since_ms, until_ms; bool heard; } gone[NEAR_GONE];	/* heard: gossip spoke since of what we ourselves found dead */
	uint8_t gone_next;
};

void near_init(struct near *n, struct id self);
void near_done(struct near *n, struct env *e);

/** near_want() - Keep so many on each side, for a ring of about 2^(@log2_size Q8 / 256) nodes */
void near_want(struct near *n, struct env *e, uint16_t log2_size);

/** near_depth() - tellings after which hearsay is not passed on: each reaches config.near places further */
static inline uint8_t near_depth(const struct near *n)
{
	return (uint8_t)(n->want / n->reach + 2);
}

/**
 * near_add() - We hear of @id at @at, @hops tellings away, from link slot @told_by
 *
 * Where a node is that is known by name only, anybody may say: calling it proves it.
 * Return: true if one of the lists changed in what it says (not only who says it)
 */
bool near_add(struct near *n, struct env *e, struct id id, const struct endpoint *at, uint8_t hops, uint16_t told_by);

/** near_del() - @id died or left: forget it, and do not believe gossip about it for @for_ms. True if it was known */
bool near_del(struct near *n, struct env *e, struct id id, uint32_t for_ms);

/**
 * near_orphan() - The link in slot @told_by vouches no more: what it told becomes hearsay
 * @gone: so does the node itself, for the link is gone
 */
void near_orphan(struct near *n, uint16_t told_by, bool gone);

/**
 * near_retract() - @told_by has sent a new list: forget what it vouched for and does not any more
 * @kept: says whether its new list holds an id
 */
bool near_retract(struct near *n, uint16_t told_by, bool (*kept)(const void *list, struct id id), const void *list);

/** near_hearsay() - does nobody vouch for @k? */
static inline bool near_hearsay(const struct known *k)
{
	return k->hops >= HEARSAY_OLD;
}

/** near_age() - Called at even steps: what has been hearsay for HEARSAY - HEARSAY_OLD steps is forgotten */
bool near_age(struct near *n);

/** near_told_gone() - We hear that @id died or left: forget it unless we have a link to it. True if that changed anything */
bool near_told_gone(struct near *n, struct env *e, struct id id);

/** near_gone() - The ids that died or left within the last @within_ms, newest first, at most @max */
unsigned near_gone(const struct near *n, const struct env *e, struct id *out, unsigned max);

/** near_forgiven() - Has a mark on somebody who seemed dead run out since the last call? Gossip kept out may be true */
bool near_forgiven(struct near *n, const struct env *e);

/** near_find() - The entry of @id on @side, or NULL */
struct known *near_find(const struct near *n, enum side side, struct id id);

/** near_back() - @id proved to be alive: gossip about it is welcome again */
void near_back(struct near *n, struct id id);

/** near_log2_size() - log2 of the ring's size by the density of the known neighbours, Q8; 0 to NEAR_LOG2_MAX */
uint16_t near_log2_size(struct near *n);

#endif /* RING_NEAR_H */
