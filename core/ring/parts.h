/*
 * parts.h - what the files of core/ring tell each other, and nobody else
 *
 * join.c   getting in, standing, leaving        peers.c  link peers and their use
 * gossip.c neighbour lists and link tables      longs.c  long links
 * route.c  carrying messages                    next.c   choosing the next hop
 * ask.c    finding owners                       cast.c   broadcast
 * mail.c   what came for the floors above       demand.c links that traffic earned
 * label.c  chains of labels for data packets (label.h)
 */
#ifndef RING_PARTS_H
#define RING_PARTS_H

#include "core/ring/message.h"
#include "core/ring/ring.h"

/* Timer tags of the ring; link timers begin at TIMER_LINK. */
enum ring_timer {
	RING_JOIN = TIMER_RING,	/* getting in: contacts, finding our place, entering */
	RING_GOSSIP,		/* a changed neighbour list goes out */
	RING_TABLE,		/* a changed link table goes out */
	RING_KEEP,		/* housekeeping */
	RING_DRAW,		/* long links */
	RING_ROUTE,		/* messages in our hands */
	RING_ASK,		/* requests of ours */
	RING_CAST,		/* delegated ranges */
	RING_LEAVE,		/* repeating the goodbye */
	RING_SAVE,		/* remembered peers go to stable storage */
	RING_SAY,		/* a STATUS was not acknowledged */
	RING_LABEL,		/* chains of labels */
	RING_TIMERS
};
_Static_assert((int)RING_TIMERS <= (int)TIMER_DHT, "the DHT's begin there");

static inline bool peer_ok(const struct ring_peer *p)
{
	return p->up && !p->leaving;
}

/** peer_stands() - is it part of the ring as far as we are concerned? */
static inline bool peer_stands(const struct ring_peer *p)
{
	return p->up && !p->leaving && (p->member || p->welcomed || p->agreed);
}

static inline void timer_soon(struct env *e, uint16_t tag, int64_t in_ns)
{
	if (heap_due(&e->timers, tag) > e->now_ns + in_ns)
		heap_set(&e->timers, &e->mem, tag, e->now_ns + in_ns);
}

/* peers.c */
struct ring_peer *peer_at(struct ring *r, link_ref ref);
link_ref peer_find(const struct ring *r, struct id id);		/* up links only */
void peers_up(struct ring *r, struct env *e, const struct news *n);
void peers_down(struct ring *r, struct env *e, const struct news *n);
void peers_review(struct ring *r, struct env *e);	/* near use, paces, STATUS where it changed */
void peers_close_unused(struct ring *r, struct env *e);
void peers_status(struct ring *r, struct env *e, link_ref ref, struct reader *in);
void peers_leaving(struct ring *r, struct env *e, link_ref ref, bool leaving);	/* it says so, by whatever message */
void peers_joined(struct ring *r, struct env *e, link_ref ref);
void peers_status_ack(struct ring *r, struct env *e, link_ref ref, struct reader *in);
void peers_say_again(struct ring *r, struct env *e);
void peers_want(struct ring *r, struct env *e, link_ref ref, uint8_t use);	/* adds to our use */
void peers_size(struct ring *r, struct env *e);		/* recompute log2_size */
unsigned peers_using(const struct ring *r, uint8_t use);	/* up links we use so */
unsigned peers_wanting(const struct ring *r, uint8_t use);	/* up links wanted by the peer so */

/* gossip.c */
void gossip_changed(struct ring *r, struct env *e, bool first_hand);
void gossip_table_changed(struct ring *r, struct env *e);
void gossip_table_send(struct ring *r, struct env *e, link_ref ref);
void gossip_send(struct ring *r, struct env *e, link_ref ref);
void gossip_write(const struct ring *r, const struct env *e, struct writer *w, link_ref to);
void gossip_read(struct ring *r, struct env *e, link_ref from, struct reader *in);
void gossip_table_read(struct ring *r, struct env *e, link_ref from, struct reader *in);
void gossip_ask_around(struct ring *r, struct env *e);
void gossip_ask_all(struct ring *r, struct env *e);	/* near peers' lists anew */
void gossip_asked(struct ring *r, struct env *e, link_ref from, struct reader *in);
void gossip_versions(struct ring *r, struct env *e, const struct news *n);
void gossip_timer(struct ring *r, struct env *e, uint16_t tag);

/* join.c */
void join_review(struct ring *r, struct env *e);	/* something about our place changed */
void join_call_near(struct ring *r, struct env *e);	/* call the neighbours we should have */
void join_timer(struct ring *r, struct env *e);
void join_enter(struct ring *r, struct env *e, link_ref from, struct reader *in);
void join_welcome(struct ring *r, struct env *e, link_ref from, struct reader *in);
void join_left(struct ring *r, struct env *e, link_ref from, struct reader *in);
void join_left_ack(struct ring *r, struct env *e, link_ref from);
void join_leave_timer(struct ring *r, struct env *e);
void join_keep(struct ring *r, struct env *e);
void join_found(struct ring *r, struct env *e, struct reader *in);	/* the answer to our FIND of ourselves */
void join_save(struct ring *r, struct env *e);

/* next.c */
struct way {				/* how a routed message may go on */
	struct id to, least;
	uint8_t flags;			/* mode and enum bits of message.h */
};
enum next { NEXT_HERE, NEXT_LINK, NEXT_WAIT, NEXT_NONE };

/**
 * next_hop() - Where a message goes from here (DESIGN section 5, "Routing")
 * @avoid: slots that were silent, @avoids of them
 * @w: in: as it came; out (NEXT_LINK): as it must leave
 *
 * Return: NEXT_HERE it is ours; NEXT_LINK *@out carries it on; NEXT_WAIT we
 * will know soon; NEXT_NONE there is no way
 */
enum next next_hop(const struct ring *r, const struct env *e, struct way *w, const uint16_t *avoid, unsigned avoids,
		   link_ref *out);

/* route.c */
/** struct routed - a message on its way, as far as it is not about the way */
struct routed {
	struct id to, from, via;
	uint32_t nonce;			/* FIND only, for tracing */
	uint8_t find;			/* FIND only: enum find_flag */
	bool has_via;
	uint8_t hops, flags, body;
	link_ref last;			/* the link it came by, LINK_NONE = from ourselves */
};

struct writer route_open(struct ring *r, uint8_t *buf, size_t max, struct id to, uint8_t mode, uint8_t body);
enum drop route_send(struct ring *r, struct env *e, struct writer *w, link_ref first, const struct id *via);
void route_input(struct ring *r, struct env *e, link_ref from, struct reader *in);
void route_acked(struct ring *r, struct env *e, link_ref from, struct reader *in);
void route_timer(struct ring *r, struct env *e);
void route_retry(struct ring *r, struct env *e);	/* what waits for the ring may go on */
void route_link_gone(struct ring *r, struct env *e, link_ref ref);

/* ask.c */
void ask_request(struct ring *r, struct env *e, const struct event *ev);
bool ask_find(struct ring *r, struct env *e, struct id key, uint8_t flags, link_ref first);
void ask_delivered(struct ring *r, struct env *e, const struct routed *m, struct reader *in);
void ask_timer(struct ring *r, struct env *e);
void ask_passed(struct ring *r, struct env *e, const struct routed *m);

/* longs.c */
unsigned longs_wanted(const struct ring *r, const struct env *e);
void longs_timer(struct ring *r, struct env *e);
void longs_found(struct ring *r, struct env *e, struct id point, const struct contact *owner, bool refused);
void longs_failed(struct ring *r, struct env *e, struct id point);
void longs_up(struct ring *r, struct env *e, link_ref ref);
void longs_down(struct ring *r, struct env *e, link_ref ref, const struct news *n);
bool longs_full(const struct ring *r, const struct env *e);
void longs_call_failed(struct ring *r, struct env *e, struct id owner);
void longs_done(struct ring *r, struct env *e);
bool longs_point(const struct ring *r, uint16_t slot, struct id *out);

/* cast.c */
void cast_start(struct ring *r, struct env *e, const struct event *ev);
void cast_input(struct ring *r, struct env *e, link_ref from, struct reader *in);
void cast_acked(struct ring *r, struct env *e, link_ref from, struct reader *in);
void cast_timer(struct ring *r, struct env *e);
void cast_done(struct ring *r, struct env *e);
size_t cast_bytes(const struct ring *r);

/* demand.c */
void demand_up(struct ring *r, struct env *e, link_ref ref);
bool demand_for(const struct ring *r, struct id id);	/* does traffic ask for a link to @id? */
void demand_keep(struct ring *r, struct env *e);		/* what nobody asked for lately fades */
void demand_done(struct ring *r, struct env *e);

/* mail.c */
void mail_deliver(struct ring *r, struct env *e, const struct routed *m, struct bytes body);
void mail_cast(struct ring *r, struct env *e, struct id origin, uint32_t seq, struct bytes data);

size_t route_bytes(const struct ring *r);
size_t ask_bytes(const struct ring *r);
size_t longs_bytes(const struct ring *r);
void route_done(struct ring *r, struct env *e);
void ask_done(struct ring *r, struct env *e);

#endif /* RING_PARTS_H */
