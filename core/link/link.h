/*
 * link.h - how two nodes meet and stay met
 *
 * A link is a session with one other node, independent of the path its packets
 * take: a direct endpoint, or through one common neighbour. This module calls,
 * answers, keeps alive, measures, moves and closes links. Who should be called
 * and what the messages mean is the ring's business.
 *
 *	Memory		one struct links in each node; links, sessions and
 *			handshakes from env.mem
 *	Ownership	a link_ref is good until NEWS_DOWN or NEWS_FAILED names it;
 *			news bodies are borrowed until the next call
 *	Time, chance	from env
 */
#ifndef LINK_LINK_H
#define LINK_LINK_H

#include "core/base/config.h"
#include "core/base/env.h"
#include "core/seal/identity.h"

/** A slot in one node's table of links; LINK_NONE is no link. */
typedef struct { uint16_t slot; } link_ref;
#define LINK_NONE ((link_ref){ UINT16_MAX })

static inline bool link_ok(link_ref r)
{
	return r.slot != UINT16_MAX;
}

static inline bool link_same(link_ref a, link_ref b)
{
	return a.slot == b.slot;
}

enum { LINK_MAX = 1000, CONTACT_ENDPOINTS = 4 };

/** enum link_end - why a link ended or never began; also the reason byte of CLOSE */
enum link_end {
	END_NONE,
	END_LEAVE,		/* the peer leaves the overlay */
	END_UNWANTED,		/* neither side needs it any more */
	END_DEAD,		/* the peer stopped answering */
	END_UNREACHED,		/* no answer on any path */
	END_REFUSED,		/* the peer, or its certificate, says no */
	END_DUPLICATE,		/* another link to the same peer stands */
	END_RESTARTED,		/* the peer came back with a new incarnation */
	END_FULL,		/* no room for one more */
	END_LOCAL,		/* we leave or were told to */
	LINK_ENDS
};

const char *link_end_text(enum link_end why);

enum link_state {
	LINK_FREE,		/* no link; everything else is garbage */
	LINK_CALLING,		/* our INITs are out; nothing can be sent */
	LINK_ANSWERED,		/* our REPLY is out; the caller has not proved the keys yet.
				 * Nothing can be sent, not reported as news yet */
	LINK_UP,		/* messages flow; a new handshake may run beside for fresh keys */
	LINK_STATES
};

/**
 * struct contact - how a node is introduced: who it is and where it may be
 *
 * Without an id a contact is a bare endpoint (configured); without a key it is
 * called by pattern XX and must prove the id, with a key by IK.
 */
struct contact {
	struct id id;
	uint8_t key[32];		/* Ed25519 public key */
	bool has_id, has_key;
	uint8_t tries;			/* INITs to send, 0 = config.handshake_tries; never on the wire */
	uint8_t ats;			/* endpoints in at[], best first */
	struct endpoint at[CONTACT_ENDPOINTS];
};

/** contact_read(), contact_write() - flags 1, [id 16], [key 32], count 1, endpoints */
struct contact contact_read(struct reader *r);
void contact_write(struct writer *w, const struct contact *c);

enum news_kind {
	NEWS_UP,		/* link: ready to send; a is 1 if we called */
	NEWS_DOWN,		/* link was up and is not; id, why. The slot is free after this */
	NEWS_FAILED,		/* a call of ours came to nothing; id (zero if unknown), why. Likewise */
	NEWS_MESSAGE,		/* link, kind, body: a message link/ does not handle itself */
	NEWS_SUSPECT,		/* link missed a probe. a is 1 when it missed more: links_via() may then settle it
				 * through a third node */
	NEWS_ALIVE,		/* a suspect was heard again */
	NEWS_VERSIONS,		/* link: a probe told the peer's near (a) and table (b) versions */
	NEWS_DATA,		/* a data packet (body, whole): a its receiver index; link: whose path it came by, if any */
	NEWS_WANT_VIA,		/* a call gets no direct answer; links_via() may relay it. a is 1 the second
				 * time: nothing should wait for this call any longer */
};

struct news {
	enum news_kind kind;
	link_ref link;
	struct id id;
	enum link_end why;
	uint8_t message;		/* enum message_kind */
	uint32_t a, b;
	struct bytes body;
};

struct links;

struct links *links_new(struct env *e, const struct identity *self);
void links_free(struct env *e, struct links *l);

/** links_next() - Take the oldest piece of news; false when there is none. Drain after every call below */
bool links_next(struct links *l, struct news *n);

/* ---- what happened (the door's events) ---- */
void links_datagram(struct env *e, struct links *l, const struct event *ev);
void links_timer(struct env *e, struct links *l, uint16_t tag);		/* tag - TIMER_LINK = slot */
void links_address(struct env *e, struct links *l, const struct endpoint *at, bool up);
void links_mapping(struct env *e, struct links *l, const struct endpoint *at, bool up);
void links_path_error(struct env *e, struct links *l, const struct endpoint *to, uint16_t mtu, bool unreachable);
void links_resumed(struct env *e, struct links *l);	/* probe everything now, new handshakes */

/* ---- what is wanted ---- */

/**
 * links_call() - Have a link to @who
 *
 * Several endpoints are tried at once; attempts are bounded, with backoff and
 * jitter. Crossing calls leave one link: the one the lower id began.
 *
 * Return: the link, new or old (check its state), LINK_NONE when full or @who is us
 */
link_ref links_call(struct env *e, struct links *l, const struct contact *who);

/** links_close() - End @ref; the peer is told why. NEWS_DOWN follows if it was up */
void links_close(struct env *e, struct links *l, link_ref ref, enum link_end why);

/**
 * links_message() - Room for the body of one message of at most @max bytes
 *
 * One at a time: finish it with links_sent() before anything else is sent.
 * Return: a bad writer if @ref is not up or there is no room; links_sent() then does nothing
 */
struct writer links_message(struct env *e, struct links *l, link_ref ref, uint8_t kind, size_t max);

/** links_sent() - The message in @w is complete: seal and send it */
void links_sent(struct env *e, struct links *l, link_ref ref, struct writer *w);

/** links_pace() - @ref may be silent for @span_ns before it is probed */
void links_pace(struct env *e, struct links *l, link_ref ref, int64_t span_ns);

/** links_doubt() - The ring waited in vain for @ref: probe it now as if it were suspect */
void links_doubt(struct env *e, struct links *l, link_ref ref);

/** links_via() - @through, a neighbour we share with @ref's peer, may carry packets to it */
void links_via(struct env *e, struct links *l, link_ref ref, link_ref through);

/** links_versions() - What our probes say of our neighbour list and link table */
void links_versions(struct links *l, uint8_t near, uint8_t table);

/** links_trim() - Give back the memory of free slots at the end of the table */
void links_trim(struct env *e, struct links *l);

/* ---- data packets: sealed end to end, only carried here ---- */

/*
 * Receiver indexes of data packets are an index space of their own: the host's bits, 14 bits drawn by chance or
 * counted, 10 bits of slot. Slots below DATA_LABELS are tunnels (core/link/tunnel.h), the others labels
 * (core/ring/label.h), so that one look at the index says whose it is.
 */
enum { DATA_SLOT_BITS = 10, DATA_LABELS = 512, INDEX_HOST = 0xff000000 };

static inline bool data_label(uint32_t index)
{
	return index & DATA_LABELS;
}

/** links_data() - Room for a data packet of @max bytes for @ref's peer, which begins at w.at; bad if the link is not up */
struct writer links_data(struct env *e, struct links *l, link_ref ref, size_t max);
/** links_carry() - It is written (and may be the relay's to wrap): send it, by the path its link has */
void links_carry(struct env *e, struct links *l, link_ref ref, struct writer *w);

/** links_carries() - How long a data packet @ref carries, 0 if it is not up */
uint16_t links_carries(const struct links *l, link_ref ref);

/** links_laden() - A payload that would be a packet of @len bytes goes over @ref: what its path carries is measured now,
 * not when the link is old, and looked after while it matters */
void links_laden(struct env *e, struct links *l, link_ref ref, size_t len);

/** links_measured() - What its path carries in one packet, as measured; 0: not known yet, or it is relayed */
uint16_t links_measured(const struct links *l, link_ref ref);

/* ---- what is ---- */

/** enum link_let - what is known from this peer of who is let in by what stands before us */
enum link_let {
	LET_CALLED,		/* nothing more than that it lets in those whom we call */
	LET_ADDRESS,		/* the peer came from another port than those we had sent to */
	LET_ANY,		/* the peer came, and we had sent it nothing */
};

/** struct link_view - what others may know of a link */
struct link_view {
	struct id id;
	enum link_state state;
	bool relayed, suspect, called_by_us;
	uint32_t srtt_us, rto_us;	/* smoothed round trip; how long to wait for an answer */
	uint32_t heard_ms;		/* last time anything authentic came, since the node's birth */
	uint32_t up_ms;			/* when it came up, likewise */
	int64_t pace_ns;
	uint16_t mtu;			/* UDP payload the path carries */
	bool mtu_known;			/* it was measured */
	struct endpoint at;		/* active path (the relay's when relayed) */
	struct id via;			/* the relay, zero if direct */
	enum link_let let;
	uint8_t meets;			/* relayed: times that both tried to get direct */
	bool varies;			/* the peer says that its NAT maps it differently for each peer */
};

unsigned links_count(const struct links *l);			/* links in LINK_UP */
uint16_t links_slots(const struct links *l);			/* slots to walk: 0 .. links_slots() - 1 */
link_ref links_find(const struct links *l, struct id id);	/* in any state but FREE */
bool links_up(const struct links *l, link_ref ref);
link_ref links_relay(const struct links *l, link_ref ref);	/* who carries @ref, LINK_NONE = it is direct */
bool links_invited(const struct links *l, link_ref ref);	/* the peer has an invitation, no more (core/dht/admit.h) */
struct id links_id(const struct links *l, link_ref ref);

/** links_revoked() - Is the peer of @ref, or who signed for it, in the newest list of the overlay's revoked? */
bool links_revoked(const struct env *e, const struct links *l, link_ref ref);
uint32_t links_rto_us(const struct links *l, link_ref ref);
/** links_rtt_us() - the smoothed round trip to a peer; 100 ms while there is no measurement */
uint32_t links_rtt_us(const struct links *l, link_ref ref);
bool links_view(const struct links *l, link_ref ref, struct link_view *out);	/* false if FREE */

/** links_contact() - The peer's card, to introduce it to others; false if not up */
bool links_contact(const struct links *l, link_ref ref, struct contact *out);

/** links_account() - Bytes taken from the host for the table, for sessions, and for handshakes under way */
void links_account(const struct links *l, uint32_t *links, uint32_t *sessions, uint32_t *handshakes);

/** links_self() - Our own card: endpoints as peers see us, mappings, addresses */
void links_self(const struct links *l, struct contact *out);

#endif /* LINK_LINK_H */
