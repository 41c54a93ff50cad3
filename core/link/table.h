/*
 * table.h - how core/link keeps its links; for the files of core/link only
 *
 * link.c   the table                           packet.c messages out and in
 * call.c   handshakes                          attempt.c what is under way, and when it is due
 * alive.c  probes, round trips, timers         path.c   roaming, relays
 * mtu.c    path MTU                            reach.c  where we are, how two behind NATs meet
 * carry.c  data packets, which are not ours to open
 * cookie.h what callers get when there are too many of them
 */
#ifndef LINK_TABLE_H
#define LINK_TABLE_H

#include "core/link/cookie.h"
#include "core/link/hello.h"
#include "core/link/link.h"
#include "core/seal/handshake.h"

enum {
	SLOT_BITS	= 10,			/* of a receiver index; then 14 bits of generation */
	NO_SLOT		= UINT16_MAX,
	SEEN_PLACES	= 2,
	SENT_WORDS	= 8,			/* of 64 bits: forty places are told from any other 96 times in 100 */
	ANSWERS_MAX	= 64,			/* answered calls not yet confirmed, per node */
	ANSWERS_CROWD	= 32,			/* so many, and the next ones have to show where they are first */
};
_Static_assert(LINK_MAX <= 1 << SLOT_BITS, "a slot fits its bits");

#define OVERLAP_MS	10000u			/* an old session still opens packets */
#define ANSWER_MS	4000u			/* an answered call waits for its proof */
#define CROSSING_MS	5000u			/* two handshakes this close are one meeting */
#define RTO_FIRST_US	500000u
#define RTT_GUESS_US	100000u
#define RTO_MIN_US	50000u
#define RTO_MAX_US	1000000u
#define FINISH_MS	400u		/* FINISH is sent again after this ... */
#define FINISH_TRIES	5		/* ... so many times */
#define MOVE_TRIES	4			/* challenges to a new place, 0.3, 0.6, 1.2 s apart */
#define VIA_MS		600u		/* a relayed INIT is answered in this time, or nobody is there */
#define MTU_AFTER_MS	60000u			/* links that last are asked what they carry */

enum attempt_kind {
	ATTEMPT_CALL,		/* our INIT is out */
	ATTEMPT_ANSWER,		/* our REPLY is out; session set for IK, with FINISH for XX */
	ATTEMPT_FINISH,		/* our FINISH is out and nothing came under the new keys yet */
	ATTEMPT_MOVE,		/* our CHALLENGEs are out to new places of the peer's */
};

/** struct attempt - what exists only while something is tried, listed at its link */
struct attempt {
	struct attempt *next;
	struct handshake hs;		/* CALL; ANSWER of XX before FINISH */
	struct session *session;	/* ANSWER: unconfirmed */
	struct endpoint at[CONTACT_ENDPOINTS];
	struct endpoint observed;	/* ANSWER: where the caller says it is */
	uint64_t incarnation;		/* the peer's */
	uint64_t nonce;			/* MOVE: for at[0], then counted up */
	uint8_t *packet;		/* CALL: the INIT, ANSWER: the REPLY, FINISH: itself, to be sent again */
	uint16_t packet_len;
	uint16_t via;			/* relay's slot, NO_SLOT = direct */
	uint32_t due_ms, began_us, born_ms;
	uint32_t index;			/* where the answer is to come */
	uint8_t ats, kind, tries, max_tries;
	uint8_t cookies;		/* CALL: taken */
	bool has_id, continues;
	bool invited;			/* ANSWER: the caller has an invitation, no more */
	uint32_t signer;		/* ANSWER: as the link's */
	uint8_t let;			/* ANSWER: enum link_let */
	uint8_t init[32];		/* ANSWER: the INIT's ephemeral key, to know it again */
	struct id id;			/* who is called, if known */
};

/** struct link - one slot; 24 of them at a million nodes */
struct link {
	struct id id;
	struct session *session, *old;
	struct attempt *attempts;
	uint64_t incarnation;
	struct endpoint at;		/* the direct path */
	uint32_t heard_ms, up_ms, pace_ms;
	uint32_t told_ms;		/* when the peer last told its versions */
	uint32_t probe_us;		/* when the last probe left */
	uint32_t srtt_us, rttvar_us;
	uint32_t old_ms;		/* until when old opens packets */
	uint32_t signer;		/* who signed for the peer, if a delegate did (struct peer_identity) */
	uint32_t met_ms;		/* when the peer was told our addresses last */
	uint32_t moved_ms;		/* when a place of the peer's answered last */
	uint32_t mtu_ms;		/* when mtu.c has something to do */
	uint16_t via;			/* the relay, NO_SLOT = direct */
	uint16_t aid;			/* third node that helps settle a suspicion */
	uint16_t mtu, mtu_try;		/* mtu_try: size of the MTU probe that is out, 0 = none */
	uint16_t gen;			/* of receiver indexes */
	uint16_t told;			/* where the peer sees us, hashed; bit 0: by IPv6; 0 = at an address of ours */
	uint8_t stamp;			/* of the last probe */
	uint8_t missed;			/* probes out and unanswered */
	uint8_t meets;			/* times that it was told, in this relay's time */
	uint8_t let;			/* enum link_let */
	uint32_t state : 2;		/* enum link_state */
	uint32_t mtu_tries : 2;		/* mtu_try: so often asked for */
	uint32_t mtu_at : 5;		/* mtu_try: its place in the list of sizes */
	uint32_t mtu_lo : 5, mtu_hi : 5;	/* a search: places that are left */
	uint32_t mtu_rounds : 6;	/* since larger sizes were tried */
	bool mtu_done : 1;		/* the search has ended */
	bool mtu_used : 1;		/* payloads are larger than any path carries */
	bool called : 1;		/* we began it */
	bool suspect : 1, aided : 1;	/* aided: a third node got an answer */
	bool invited : 1;		/* the peer is no member: links_invited() */
	bool varies : 1;		/* its NAT maps it differently for each peer, it says */
};
_Static_assert(sizeof(struct link) <= 136, "links are the largest part of a node: see core/README.md");

struct news_item {
	struct news_item *next;
	struct news news;
};

struct links {
	const struct identity *self;
	struct link *link;
	uint16_t slots, up, answers;
	struct gate gate;
	uint8_t near_version, table_version;
	uint8_t ats;
	struct endpoint at[CONTACT_ENDPOINTS];	/* our own: mappings first, then addresses */
	struct endpoint seen[SEEN_PLACES];	/* where peers see us, the last one told first */
	uint64_t sent[2][SENT_WORDS];		/* where calls went, now and in the five minutes before: Bloom filters of reach.c */
	uint32_t sent_ms;			/* when the newer one began */
	struct news_item *first, *last;		/* in the step's scratch */
};

/** struct arrival - how a packet came */
struct arrival {
	struct endpoint from;		/* direct */
	uint16_t via;			/* relay's slot, NO_SLOT = direct */
	struct id peer;			/* relayed: who the relay says sent it */
};

static inline uint32_t env_us(const struct env *e)
{
	return (uint32_t)((e->now_ns - e->birth_ns) / NS_PER_US);
}

static inline bool past(uint32_t now, uint32_t due)
{
	return (int32_t)(now - due) >= 0;
}

/* link.c */
struct link *link_at(struct links *l, uint16_t slot);
uint16_t link_slot(const struct links *l, const struct link *k);
struct link *link_add(struct env *e, struct links *l);
void link_drop(struct env *e, struct links *l, struct link *k);	/* frees the slot, says nothing */
void link_end(struct env *e, struct links *l, struct link *k, enum link_end why, bool tell);
void news_add(struct env *e, struct links *l, const struct news *n);

/* packet.c */
struct session *session_of(const struct link *k, uint32_t index, struct attempt **answer);	/* of @k, that hears under @index */
struct writer packet_open(struct env *e, struct links *l, uint16_t via, size_t max);
void packet_shut(struct env *e, struct links *l, struct id peer, uint16_t via, const struct endpoint *to, struct writer *w,
		 uint8_t kind);
void packet_send(struct env *e, struct links *l, struct id peer, uint16_t via, const struct endpoint *to,
		 const uint8_t *packet, size_t len, uint8_t kind);
struct writer message_open(struct env *e, struct links *l, struct link *k, uint16_t via, uint8_t kind, size_t max);
void message_shut(struct env *e, struct links *l, struct link *k, uint16_t via, const struct endpoint *to,
		  struct writer *w);
void packet_input(struct env *e, struct links *l, const uint8_t *data, size_t len, const struct arrival *a);

/* carry.c */
void carry_in(struct env *e, struct links *l, struct bytes packet, uint32_t index, const struct arrival *a);

/* call.c */
void call_init_in(struct env *e, struct links *l, struct bytes packet, const struct arrival *a);
void call_reply_in(struct env *e, struct links *l, struct link *k, struct attempt *t, struct bytes packet,
		   const struct arrival *a);
void call_cookie_in(struct env *e, struct links *l, struct attempt *t, struct bytes packet, const struct arrival *a);
void call_finish_in(struct env *e, struct links *l, struct link *k, struct attempt *t, struct bytes packet,
		    const struct arrival *a);
void call_proved(struct env *e, struct links *l, struct link *k);	/* the peer has the new keys */
void call_confirmed(struct env *e, struct links *l, struct link *k, struct attempt *t, const struct arrival *a);
bool call_start(struct env *e, struct links *l, struct link *k, const struct contact *who, bool continues);
void call_via(struct env *e, struct links *l, struct link *k, uint16_t via);
bool call_due(struct env *e, struct links *l, struct link *k, struct attempt *t);	/* no answer in time; false: the link is gone */

/* attempt.c */
uint32_t index_new(const struct env *e, const struct links *l, struct link *k);	/* nobody hears under it yet */
struct attempt *attempt_add(struct env *e, struct links *l, struct link *k, enum attempt_kind kind);	/* NULL: counted */
bool attempt_keep(struct env *e, struct attempt *t, const struct writer *w);	/* a copy, to be sent again; false: no memory */
void attempt_free(struct env *e, struct links *l, struct link *k, struct attempt *t);
void attempts_drop(struct env *e, struct links *l, struct link *k, enum attempt_kind kind);
uint32_t attempts_next_ms(const struct env *e, const struct link *k);
bool attempts_due(struct env *e, struct links *l, struct link *k);	/* false: the link is gone */

/* alive.c */
void alive_heard(struct env *e, struct links *l, struct link *k, const struct arrival *a);
void alive_probe(struct env *e, struct links *l, struct link *k, uint16_t via, const struct endpoint *to);
void alive_probe_in(struct env *e, struct links *l, struct link *k, struct reader *in, bool ack, const struct arrival *a);
void alive_sample(struct link *k, uint32_t us);
void alive_arm(struct env *e, struct links *l, struct link *k);
void alive_timer(struct env *e, struct links *l, struct link *k);

/* path.c */
void path_check(struct env *e, struct links *l, struct link *k, const struct arrival *a);
void path_challenge(struct env *e, struct links *l, struct link *k, const struct endpoint *at, unsigned count);
void path_challenge_again(struct env *e, struct links *l, struct link *k, struct attempt *t);
void path_challenge_in(struct env *e, struct links *l, struct link *k, struct reader *in, const struct arrival *a);
void path_response_in(struct env *e, struct links *l, struct link *k, struct reader *in, const struct arrival *a);
void path_set_via(struct env *e, struct links *l, struct link *k, uint16_t via);
void path_relay_in(struct env *e, struct links *l, struct link *k, struct reader *in);
void path_relayed_in(struct env *e, struct links *l, struct link *k, struct reader *in);

/* mtu.c */
void mtu_reset(struct link *k);			/* the path is another: nothing is known */
void mtu_timer(struct env *e, struct links *l, struct link *k);
bool mtu_due(const struct link *k, uint32_t *ms);	/* false: it waits for nothing */
void mtu_in(struct env *e, struct links *l, struct link *k, struct reader *in, bool ack, const struct arrival *a);

/* reach.c */
void reach_tell(struct env *e, struct links *l, struct link *k);	/* where we see the peer; relayed: where we may be */
void reach_timer(struct env *e, struct links *l, struct link *k);
void reach_seen(struct env *e, struct links *l, struct link *k, const struct endpoint *at);	/* its peer sees us at @at */
void reach_observed_in(struct env *e, struct links *l, struct link *k, struct reader *in);
void reach_addresses_in(struct env *e, struct links *l, struct link *k, struct reader *in, const struct arrival *a);
void reach_sent(struct env *e, struct links *l, const struct endpoint *at);	/* a call went there */
enum link_let reach_let(const struct links *l, const struct arrival *a);	/* what it says that this got in */

#endif /* LINK_TABLE_H */
