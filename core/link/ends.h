/*
 * ends.h - how core/link keeps its tunnels; for the files below only
 *
 * tunnel.c  the table, time                  haul.c   what goes out: carriers, waiting
 * intake.c  what comes in
 * greet.c   handshakes                       piece.c  payloads in pieces
 */
#ifndef LINK_ENDS_H
#define LINK_ENDS_H

#include "core/link/cookie.h"
#include "core/link/hello.h"
#include "core/link/tunnel.h"
#include "core/seal/handshake.h"

enum {
	WAITING_BYTES	= 64 << 10,		/* per node: of payloads that wait ... */
	GATHER_BYTES	= 64 << 10,		/* ... and of pieces that wait for the others */
	GATHERS		= 4,			/* payloads in pieces under way, per tunnel */
	EARLY		= 8,			/* packets that came before FINISH */
	ANSWERS		= 32,			/* handshakes answered and not proved, per node */
	ANSWERS_CROWD	= 16,			/* so many, and the next ones get a cookie first */
	FRAGMENT_WORD	= 6,
	OFFLOAD_WORD	= 8,
};

/** enum mail_kind - first byte of a tunnel's mail; SHAKE: network id 16 | packet, DATA: a whole data packet */
enum mail_kind { MAIL_SHAKE = 1, MAIL_DATA = 2 };

/** enum control - what the ends say to each other under FLAG_CONTROL */
enum control { CONTROL_ASK = 1, CONTROL_HERE, CONTROL_BYE };

enum greet_kind {
	GREET_CALL,		/* our INIT is out */
	GREET_ANSWER,		/* our REPLY is out; session set for IK, with FINISH for XX */
	GREET_FINISH,		/* our FINISH is out and nothing came under the new keys yet */
};

/** struct greet - a handshake under way */
struct greet {
	struct handshake hs;
	struct session *session;	/* ANSWER: unconfirmed */
	uint8_t *packet;		/* what is sent again */
	uint64_t incarnation;		/* the peer's */
	uint32_t due_ms;
	uint16_t packet_len, cert_len;
	uint8_t kind, tries, ats, cookies;
	bool who_known;
	uint32_t signer;		/* as the tunnel's */
	uint8_t init[32];		/* ANSWER: the INIT's ephemeral key, to know it again */
	uint8_t key[KEY_BYTES];
	uint8_t *cert;			/* ANSWER: the peer's leaf */
	struct endpoint at[CONTACT_ENDPOINTS];
};

/** struct parcel - a payload, or an early packet, that waits */
struct parcel {
	struct parcel *next;
	struct offload offload;
	uint16_t len;
	uint8_t data[];
};

/** struct gather - a payload some of whose pieces came */
struct gather {
	struct gather *next;
	uint32_t due_ms;
	uint16_t number, total, size, mask;
	uint8_t pieces, flags;
	uint8_t data[];
};

/** struct tunnel - one peer in one network */
struct tunnel {
	struct id peer, via;
	struct session *session, *old;
	struct greet *call, *answer;	/* CALL or FINISH; ANSWER */
	struct parcel *first, *last;	/* payloads that wait, in order */
	struct parcel *early;
	struct gather *gather;
	uint64_t incarnation;		/* the peer's, last proved */
	uint64_t packets_out, packets_in, bytes_out, bytes_in;
	uint32_t index;			/* ours, for all sessions of this tunnel */
	uint32_t up_ms, old_ms, used_ms, heard_ms;
	uint32_t alone_ms;		/* when we sent first since the peer was heard */
	uint32_t ask_ms;		/* next ASK, if asking */
	uint32_t failed_ms;		/* no new call before this */
	uint32_t rekey_ms;		/* next rekey try */
	uint32_t window_ms, window_bytes;	/* traffic in this window, and ... */
	uint32_t want_ms, demand_ms;	/* next time a chain or a link may be asked for */
	uint32_t via_ms;
	uint32_t label;			/* of the chain, 0 = none */
	uint32_t signer;		/* who signed for the peer, if a delegate did (struct peer_identity) */
	uint32_t cut;			/* payloads that went in pieces */
	uint32_t mail_ms;		/* budget of data by mail */
	link_ref chain;			/* its first link */
	link_ref link;			/* the last one to the peer; checked before use */
	uint16_t chain_mtu, window_packets, number, waiting;
	uint8_t network, asks, early_count, mail_left, ats;
	bool has_key, has_via, called, told_up, alone, broken, demanded, failed, bye;
	uint8_t key[KEY_BYTES];
	struct endpoint at[CONTACT_ENDPOINTS];
};
_Static_assert(sizeof(struct tunnel) <= 416, "one per peer a guest talks to");

struct member {				/* a network we are in */
	struct id id;
	uint8_t key[KEY_BYTES];
	const struct identity *self;	/* NULL = not in use */
};

struct tunnel_item {
	struct tunnel_item *next;
	struct tunnel_news news;
	struct tunnel_mail mail;
	struct tunnel_want want;
};

struct outbox {
	struct tunnel_item *first, *last;	/* in the step's scratch */
};

struct tunnels {
	struct links *links;
	struct id self;
	struct tunnel **tunnel;
	uint16_t slots, answers;
	struct gate gate;
	uint32_t waiting_bytes, gather_bytes, bytes;
	struct outbox news, mail, want;
	struct member member[NETWORKS_MAX];
};

#define ALONE_MS	3000u		/* sending for so long and hearing nothing we ask */
#define REFRESH_MS	20000u		/* a chain in use is told so as often, and a demanded link */
#define WAIT_CHAIN_MS	500u		/* what waits for a carrier: looked at again after this */

static inline bool past_ms(uint32_t now, uint32_t due)
{
	return (int32_t)(now - due) >= 0;
}

/* tunnel.c */
void *ends_get(struct env *e, struct tunnels *ts, size_t bytes);	/* NULL: DROP_MEMORY counted */
void ends_put(struct env *e, struct tunnels *ts, void *p, size_t bytes);
struct tunnel *tunnel_find(struct tunnels *ts, unsigned n, struct id peer);
struct tunnel *tunnel_add(struct env *e, struct tunnels *ts, unsigned n, struct id peer);
void tunnel_tell(struct env *e, struct tunnels *ts, struct tunnel *t, enum tunnel_word word, struct bytes cert);
struct tunnel_item *ends_put_item(struct env *e, struct outbox *o);	/* NULL: no room */
void parcels_free(struct env *e, struct tunnels *ts, struct parcel *p, bool waited);
void tunnel_arm(struct env *e, struct tunnels *ts, int64_t in_ms);
void ends_mail(struct env *e, struct tunnels *ts, struct tunnel *t, enum mail_kind kind, struct bytes data);

/* intake.c */
void tunnel_early(struct env *e, struct tunnels *ts, struct tunnel *t);	/* what came early is opened now, or dropped */

/* haul.c */
void tunnel_count(struct env *e, struct tunnel *t, size_t len);		/* a payload went or came */
void tunnel_flush(struct env *e, struct tunnels *ts, struct tunnel *t);
void tunnel_forget_waiting(struct env *e, struct tunnels *ts, struct tunnel *t, enum drop why);
void tunnel_control(struct env *e, struct tunnels *ts, struct tunnel *t, enum control word);

/* greet.c */
void greet_call(struct env *e, struct tunnels *ts, struct tunnel *t);
void greet_in(struct env *e, struct tunnels *ts, struct id from, const struct id *via, unsigned n, struct bytes packet);
void greet_proved(struct env *e, struct tunnels *ts, struct tunnel *t);		/* the peer holds the answer's keys */
void greet_tick(struct env *e, struct tunnels *ts, struct tunnel *t, uint32_t *next);
void greet_free(struct env *e, struct tunnels *ts, struct greet **g);

/* piece.c */

/** piece_in() - One more piece of @t's peer; true: @whole is a payload, @flags its flags without FRAGMENT */
bool piece_in(struct env *e, struct tunnels *ts, struct tunnel *t, struct bytes plain, uint8_t *flags,
	      struct bytes *whole);
void piece_tick(struct env *e, struct tunnels *ts, struct tunnel *t, uint32_t *next);
void piece_done(struct env *e, struct tunnels *ts, struct tunnel *t);

#endif /* LINK_ENDS_H */
