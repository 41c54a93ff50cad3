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
struct label_state;
struct demand_state;

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
	struct label_state *label;	/* chains of labels, core/ring/label.c; NULL until the first */
	struct demand_state *demand;	/* links on demand, core/ring/demand.c; likewise */
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
	struct ring_mail *mail, **mail_end;	/* for the floors above, in the step's scratch */
	struct ring_cast *casts, **casts_end;
	uint32_t changes;		/* ring_changes() */
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

/* ---- mail: routed messages of the floors above ---- */

enum { BODY_ABOVE = 16, BODY_DHT = 16, BODY_TUNNEL = 32, BODY_VNET = 40, RING_MAIL_MAX = 1000 };

/** struct ring_mail - a message for dht, tunnels or vnet (body kinds from BODY_ABOVE on); bytes good until the step ends */
struct ring_mail {
	struct ring_mail *next;
	struct id to, from;
	struct id via;			/* the sender is no member yet: answers go through this node */
	bool has_via;
	uint8_t hops, body;
	struct bytes data;		/* up to RING_MAIL_MAX */
};

/** ring_next_mail() - Take the oldest message that came for us; NULL when there is none */
const struct ring_mail *ring_next_mail(struct ring *r);

/**
 * ring_open() - A message to @to begins in @buf; write the body (up to RING_MAIL_MAX) to what comes back
 * @mode: enum route_mode of core/ring/message.h: EXACT that node, OWNER whoever owns it, NEAREST
 */
struct writer ring_open(uint8_t *buf, size_t max, struct id to, uint8_t mode, uint8_t body);

/**
 * ring_send() - Send what ring_open() began
 * @via: for an answer to mail that had one, else NULL
 *
 * A node that is no member yet sends through a link it has. Mail to ourselves comes back by ring_next_mail().
 * Delivery is likely, not certain: who needs an answer asks again.
 * Return: DROP_NONE, or why it could not leave (counted)
 */
enum drop ring_send(struct ring *r, struct env *e, struct writer *w, const struct id *via);

/** ring_changes() - a count that grows whenever neighbours or our own state changed */
static inline uint32_t ring_changes(const struct ring *r)
{
	return r->changes;
}

/** ring_around() - The @max members nearest to @point by distance, nearest first, as far as we know; ourselves if joined */
unsigned ring_around(const struct ring *r, struct id point, struct id *out, unsigned max);

/** ring_watches() - Would @id, if it stood on the ring, be among the neighbours we know? Then we hear when it comes or goes */
bool ring_watches(const struct ring *r, struct id id);

/** ring_dead() - Do we know that @id died or left lately? */
bool ring_dead(const struct ring *r, const struct env *e, struct id id);

/* ---- broadcasts that came for us ---- */

/** struct ring_cast - data of one broadcast, once; good until the step ends */
struct ring_cast {
	struct ring_cast *next;
	struct id origin;
	uint32_t seq;
	struct bytes data;
};
const struct ring_cast *ring_next_cast(struct ring *r);

/** ring_broadcast() - @data (up to 1000 bytes) to every member, ourselves excepted; DROP_RATE when too many */
enum drop ring_broadcast(struct ring *r, struct env *e, struct bytes data);

/* ---- links on demand ---- */

enum { DEMANDS_MAX = 16 };

/** ring_demand() - Traffic deserves a link to @who: called for if there is none, kept for two minutes after the last time
 * this is said. DROP_FULL when so many others are demanded */
enum drop ring_demand(struct ring *r, struct env *e, const struct contact *who);

/* ---- what is ---- */
bool ring_owns(const struct ring *r, struct id key);

/** ring_near_side() - The immediate member on @side among the neighbours we know, LINK_NONE if all of them are lost */
link_ref ring_near_side(const struct ring *r, enum side side);

/** ring_side() - The same, or the nearest of all members we have a link to; LINK_NONE if we stand alone */
link_ref ring_side(const struct ring *r, enum side side);

#endif /* RING_RING_H */
