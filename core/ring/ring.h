/*
 * ring.h - who is where: a node's place among the others
 *
 * Keeps the neighbours, draws the long links, finds the way for messages,
 * joins, leaves, repairs and merges. It calls and closes links and hears from
 * them by news; it never sees a datagram.
 *
 *	Memory		struct ring stands in struct node; tables from env.mem
 *	Time, chance	from env; timers TIMER_RING .. TIMER_LINK - 1
 */
#ifndef RING_RING_H
#define RING_RING_H

#include "core/link/link.h"
#include "core/link/remember.h"
#include "core/look.h"
#include "core/ring/near.h"

/** enum ring_state - how far we are, and what we may claim */
enum ring_state {
	RING_IDLE,		/* not started: nothing is sent */
	RING_APART,		/* looking for a way in; owns nothing */
	RING_ENTERING,		/* linked to both neighbours, asking to stand between them; owns nothing */
	RING_JOINED,		/* both neighbours agreed; owns (left, self] */
	RING_LEAVING,		/* said goodbye; owns until the heir acknowledges */
	RING_LEFT,		/* gone; nothing is sent any more */
};

/** struct ring_peer - what the ring knows of the node behind one link; indexed by link slot */
struct ring_peer {
	struct id id;
	uint32_t *prefix;		/* where its links lead, for lookahead; smallest first */
	uint16_t prefixes;
	uint16_t log2_size;		/* its estimate from its own neighbours, Q8; 0 = none yet */
	uint32_t since_ms;		/* up, or last wanted by one of us */
	uint8_t use;			/* enum link_use: what we want it for */
	uint8_t wants;			/* enum link_use: what it wants us for */
	uint8_t said;			/* the use we told it last; 0xff = nothing yet */
	uint8_t unheard;		/* STATUSes since the last acknowledged one */
	uint8_t near_seen, table_seen;	/* versions of its lists that we have */
	uint8_t up : 1;
	uint8_t member : 1;		/* says that it is joined */
	uint8_t leaving : 1;
	uint8_t welcomed : 1;		/* we let it enter beside us */
	uint8_t agreed : 1;		/* it let us enter beside it */
	uint8_t doubted : 1;		/* silent to a routed message; not used until heard */
	uint8_t merge : 1;		/* called to see whether it stands on our ring */
	uint8_t asked : 1;		/* an ASK is out */
	uint8_t has_near : 1;		/* near_seen says something */
	uint8_t has_table : 1;
	uint8_t vouches : 1;		/* its neighbour lists are kept up to date for us */
	uint8_t was_near : 1;		/* scratch of peers_review() */
	uint16_t hold_s;		/* long links: seconds since birth / 2 when drawn */
	uint16_t drawn_size;		/* log2 of the size it was drawn for, Q8 */
};
_Static_assert(sizeof(struct ring_peer) <= 56, "24 of them at a million nodes");

struct pending;
struct ask_state;
struct cast_state;
struct draw_state;

struct ring {
	struct id self;
	struct links *links;
	struct ring_peer *peer;		/* by link slot */
	uint16_t peers;
	uint8_t state;			/* enum ring_state */
	uint8_t enter_nonce;
	struct near near;
	struct remember remember;
	struct pending *pending;	/* messages we answer for, core/ring/route.c */
	uint16_t pendings, pending_cap;
	struct ask_state *ask;		/* requests of ours, core/ring/ask.c */
	uint16_t asks, ask_cap;
	struct draw_state *draw;	/* long links being drawn, core/ring/longs.c */
	struct cast_state *cast;	/* broadcast, core/ring/cast.c; NULL until the first */
	uint16_t next_seq, next_ticket;
	uint32_t next_nonce;
	uint16_t log2_size;		/* the ring's size, Q8, averaged over all link peers */
	uint8_t near_version, table_version;
	uint32_t near_sum, table_sum;	/* of what was sent last */
	uint8_t boots_tried;
	bool placed;			/* somebody told us who stands around our place */
	struct id side[SIDES];		/* immediate neighbours last told to the world */
	int64_t start_ns, joined_ns, alone_ns, drift_ns, contact_ns, find_ns;
	uint32_t doubt_ms;		/* after a stall: nothing is owned before both sides are heard past this */
	int64_t enter_ns;		/* ENTER goes out again after this */
	link_ref entering[SIDES];
	uint8_t leave_tries;
	uint64_t save_token;
};

void ring_init(struct ring *r, struct links *links, struct id self);
void ring_done(struct ring *r, struct env *e);

/* ---- what happened ---- */
void ring_start(struct ring *r, struct env *e, struct bytes saved);
void ring_stop(struct ring *r, struct env *e);		/* leave gracefully */
void ring_news(struct ring *r, struct env *e, const struct news *n);
void ring_timer(struct ring *r, struct env *e, uint16_t tag);
void ring_address(struct ring *r, struct env *e);	/* a local address came up: whoever was lost may be near again */
void ring_stalled(struct ring *r, struct env *e);	/* time passed without us: doubt everything */
void ring_request(struct ring *r, struct env *e, const struct event *ev);

/* ---- what is ---- */
bool ring_owns(const struct ring *r, struct id key);

/** ring_near_side() - The immediate member on @side among the neighbours we know, LINK_NONE if all of them are lost */
link_ref ring_near_side(const struct ring *r, enum side side);

/** ring_side() - The same, or the nearest of all members we have a link to; LINK_NONE if we stand alone */
link_ref ring_side(const struct ring *r, enum side side);

#endif /* RING_RING_H */
