/*
 * parts.h - how the files of core/dht fit together; for them only
 *
 *	dht.c		the face: who gets which mail, timer, saved item
 *	charter.c	signed records known, and fetching one by its id
 *	server side	replica.h: replica.c primary.c view.c birth.c rejoin.c seek.c
 *	client side	network.c op.c value.c apply.c parcel.c client.c asking.c walk.c held.c tend.c delegate.c publish.c
 *	newcomers	admit.h: usher.c admit.c
 */
#ifndef DHT_PARTS_H
#define DHT_PARTS_H

#include "core/base/saved.h"
#include "core/dht/dht.h"
#include "core/dht/store.h"

/** enum dht_body - body kinds of our mail */
enum dht_body {
	BODY_OP		= BODY_DHT,	/* struct question: client -> owner of the slot's point, or its primary */
	BODY_ANSWER,			/* struct told: whoever decided -> op.asker */
	BODY_DELEGATE,			/* held.c: new owner -> old owner */
	BODY_DELEGATED,			/* held.c: its signed answer */
	BODY_RECORD_ASK,		/* network 16: tell me its signed record */
	BODY_RECORD,			/* the blob */
	BODY_SLOT,			/* between members of a slot, replica.h */
	BODY_PARCEL,			/* a piece of one of the others that is too large for one mail, parcel.c */
	BODY_ADMIT,			/* a plea: usher -> signer, admit.h */
	BODY_ADMITTED,			/* its answer */
};

/* Timers: one tag each, re-armed for the earliest thing to do. */
enum { TIMER_DHT_SLOTS = TIMER_DHT, TIMER_DHT_SEEK, TIMER_DHT_CLIENT, TIMER_DHT_HELD, TIMER_DHT_PARCEL, TIMER_DHT_PUBLISH };
_Static_assert((int)TIMER_DHT_PUBLISH < (int)TIMER_LEAVE, "our tags");

struct replicas;			/* server side */
struct client;				/* questions of ours */
struct holder;				/* leases of ours */
struct parcels;				/* pieces of mail that came */
struct publisher;			/* names of ours */
struct usher;				/* newcomers, at our door or to be decided about */

/** struct charter - one network whose signed record we have */
struct charter {
	struct network_record record;
	uint8_t *blob;			/* a copy of ours, or borrowed from the host */
	uint16_t len;
	bool borrowed;
	bool member;			/* we are in it */
	struct bytes chain;		/* member: our certificates of it, borrowed */
};

enum { CHARTERS_MAX = 32 };		/* of others; those without slots or leases here make room */

/** dht_wire - takes one mail, as ring_send() does; @head and @data are the body. For tests that stand in for the ring */
typedef enum drop dht_wire(void *arg, struct env *e, struct id to, uint8_t mode, uint8_t body, struct bytes head,
			   struct bytes data, const struct id *via);

/** struct dht_eyes - what is seen of the ring; for the same tests. arg as for dht_wire */
struct dht_eyes {
	unsigned (*around)(void *arg, struct id point, struct id *out, unsigned max);	/* ring_around() */
	bool (*dead)(void *arg, struct id id);						/* ring_dead() */
	bool (*owns)(void *arg, struct id point);					/* ring_owns() */
	bool (*joined)(void *arg);
	bool (*watches)(void *arg, struct id id);					/* ring_watches() */
};

struct dht {
	struct ring *ring;
	const struct identity *self;
	struct charter *charter;
	uint16_t charters, charter_cap;
	struct replicas *replicas;	/* NULL until the first slot is served */
	struct client *client;		/* NULL until the first question */
	struct holder *holder;		/* NULL until the first lease */
	struct parcels *parcels;	/* NULL while none is incomplete */
	struct publisher *publisher;	/* NULL until the first name */
	struct usher *usher;		/* NULL until the first guest, or while we may admit nobody */
	uint64_t nonce;			/* of our last op; never falls */
	bool started;
	dht_wire *wire;			/* where mail leaves; NULL: the ring */
	void *wire_arg;
	const struct dht_eyes *eyes;	/* NULL: the ring's */
	struct dht_account account;	/* counters; bytes and the like are computed */
};

/* ---- BODY_OP and BODY_ANSWER ---- */

enum question_flag { QUESTION_URGENT = 1 << 0 };	/* the primary did not answer for 1 s: who hears this looks whether it lives */

enum { QUESTION_HEADER = 1 + 1 + 16 };	/* flags 1 | forwarded, times 1 | via 16 (zero: none); then op_write() and its seal */

/** struct question - a question as it travels */
struct question {
	uint8_t flags, hops;
	struct id via;			/* the asker is no member yet: answers go through this node; zero = none */
	struct op op;
};

/** struct told - an answer as it travels */
struct told {
	uint64_t nonce;
	uint8_t kind;			/* enum op_kind */
	uint8_t verdict;		/* enum verdict, or 0: not here, @primary may know */
	struct slot_name slot;
	struct view_name view;
	struct id primary;		/* where to ask next time; zero = unknown */
	struct bytes tail;		/* what op_apply() wrote */
};

/* op.c, value.c (client side owns them) */

void op_text(struct writer *w, const struct op *o);	/* what a signature covers */
void question_write(struct writer *w, const struct question *q);	/* the header only; op_write() goes behind it */
enum drop question_read(struct bytes data, struct question *q);	/* form only; the op can then be checked by op_check() */

void told_write(struct writer *w, const struct told *t);
bool told_read(struct reader *r, struct told *t);

/** struct outcome - what an op comes to */
struct outcome {
	uint8_t verdict;		/* enum verdict */
	bool write;			/* @kept is to be written; the server sets its stamp */
	struct kept kept;		/* whole, as it shall be; bytes borrowed from the op or @room */
	uint64_t grants;		/* the slot's counter afterwards */
	uint8_t room[KEPT_BYTES];
};

/**
 * op_apply() - Judge @o on the records @s: pure, nothing is changed
 * @tail: gets the lease or values of the answer, at most TAIL_MAX bytes
 *
 * Never writes for a root slot. An op told again finds its own record (owner,
 * client, nonce) and says the same. @s may contain records that expired: they count as absent,
 * but their fence is passed by the next grant: the counter never goes back.
 */
void op_apply(const struct store *s, const struct slot_name *slot, uint32_t generation, const struct network_record *n,
	      const struct op *o, int64_t now_ns, struct outcome *out, struct writer *tail);

/** slot_holds() - does @a belong to @s? */
static inline bool slot_holds(const struct slot_name *s, const struct ip *a)
{
	struct slot_name of = slot_of_ip(s->network, a);

	return a->family && slot_eq(&of, s);
}

/** mixed_u64() - splitmix64's finish (Steele, Lea, Flood, OOPSLA 2014): neighbours in, strangers out */
static inline uint64_t mixed_u64(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* walk.c */

/** struct walk - how far a CREATE_ANY came; begins as zero */
struct walk {
	uint32_t visited;
	uint32_t first, len, at;	/* the window of slots, and the tries in it */
};

/**
 * walk_next() - The next slot for @client; false: no more
 * @preferred: its family at least decides the range, the whole address the first slot
 * @log2_size: of the ring, Q8, as far as known
 */
bool walk_next(struct walk *w, const struct network_record *n, const struct ip *preferred, uint64_t client,
	       uint16_t log2_size, struct slot_name *out);

/* parcel.c */

/**
 * dht_post() - Send one mail of ours, in up to PARCELS pieces if it is larger than RING_MAIL_MAX
 * @via: as for ring_send()
 *
 * A message to ourselves comes back like any other. Return: DROP_NONE or why it could not leave (counted)
 */
enum drop dht_post(struct dht *d, struct env *e, struct id to, uint8_t mode, uint8_t body, struct bytes data,
		   const struct id *via);

/** parcel_mail() - A BODY_PARCEL came: true when it was the last piece; @whole is then the mail, good until the step ends */
bool parcel_mail(struct dht *d, struct env *e, const struct ring_mail *m, struct ring_mail *whole);
void parcel_timer(struct dht *d, struct env *e);		/* TIMER_DHT_PARCEL */
void parcel_free(struct dht *d, struct env *e);
uint32_t parcel_bytes(const struct dht *d);

/* publish.c */
void publish_timer(struct dht *d, struct env *e);		/* TIMER_DHT_PUBLISH */
void publish_done(struct dht *d, struct env *e, const struct dht_done *done);	/* client.c calls it: DHT_USER_NAMES */
void publish_resumed(struct dht *d, struct env *e);
void publish_quit(struct dht *d, struct env *e, struct id network);	/* all names there are withdrawn */
void publish_free(struct dht *d, struct env *e);
uint32_t publish_bytes(const struct dht *d);

/* client.c, held.c: each part is handed what is its own */

/** client_ask() - dht_ask(); @urgent: from the first try on */
bool client_ask(struct dht *d, struct env *e, uint8_t user, uint64_t cookie, const struct op *op, int64_t timeout_ns,
		bool urgent);
/** client_cancel() - Nobody waits for the answer any more; it ends as if its time were over, a create is taken back */
void client_cancel(struct dht *d, struct env *e, uint8_t user, uint64_t cookie);
/** client_quit() - Questions about @network end as if their time were over; but for those that give something back, unless
 * @all. False: some are under way */
bool client_quit(struct dht *d, struct env *e, struct id network, bool all);
void client_free(struct dht *d, struct env *e);
void client_mail(struct dht *d, struct env *e, const struct ring_mail *m);	/* BODY_ANSWER */
void client_ring(struct dht *d, struct env *e);
void client_timer(struct dht *d, struct env *e);
void client_resumed(struct dht *d, struct env *e);
uint32_t client_bytes(const struct dht *d);
unsigned client_asking(const struct dht *d);

/** held_quit() - Leases in @network are released, or with @now forgotten, but for what others were lent. False: some are
 * being released */
bool held_quit(struct dht *d, struct env *e, struct id network, bool now);
void held_free(struct dht *d, struct env *e);
void held_load(struct dht *d, struct env *e, const struct saved *s, bool proven);	/* one SAVE_LEASE item, at start;
						 * proven: the host knows that nothing saved was lost */
void held_mail(struct dht *d, struct env *e, const struct ring_mail *m);	/* BODY_DELEGATE, BODY_DELEGATED */
void delegate_pass(struct dht *d, struct env *e, const struct op *o, struct id owner);	/* ask it for @o's asker */
void held_timer(struct dht *d, struct env *e);
void held_saved(struct dht *d, struct env *e, uint64_t token);			/* any token; those of others are ignored */
void held_resumed(struct dht *d, struct env *e, bool clone);
void held_done(struct dht *d, struct env *e, const struct dht_done *done);	/* client.c calls it: DHT_USER_HELD */
uint32_t held_bytes(const struct dht *d);
unsigned held_count(const struct dht *d);

/* ---- server side ---- */

/* dht.c: the ring as we see it */
unsigned dht_around(const struct dht *d, struct id point, struct id *out, unsigned max);
bool dht_dead(const struct dht *d, const struct env *e, struct id id);
bool dht_owns(const struct dht *d, struct id point);
bool dht_joined(const struct dht *d);
bool dht_watches(const struct dht *d, struct id id);

/* charter.c */
struct charter *charter_find(const struct dht *d, struct id network);
/** charter_want() - Ask @from for the record of @network */
void charter_want(struct dht *d, struct env *e, struct id network, struct id from);
void charter_mail(struct dht *d, struct env *e, const struct ring_mail *m);	/* BODY_RECORD_ASK, BODY_RECORD */
bool charter_load(struct dht *d, struct env *e, const struct saved *s);	/* false: not ours */
void charter_quit(struct dht *d, struct env *e, struct id network);	/* no member any more; kept for slots we serve */
void charters_free(struct dht *d, struct env *e);

/* replica.c */
void replicas_load(struct dht *d, struct env *e, const struct saved *s);	/* SAVE_SLOT, SAVE_SELF */
void replicas_start(struct dht *d, struct env *e);				/* all items were loaded */
void replicas_free(struct dht *d, struct env *e);
void replicas_op(struct dht *d, struct env *e, const struct ring_mail *m);	/* BODY_OP */
void replicas_mail(struct dht *d, struct env *e, const struct ring_mail *m);	/* BODY_SLOT */
void replicas_ring(struct dht *d, struct env *e);
void replicas_timer(struct dht *d, struct env *e, uint16_t tag);
void replicas_saved(struct dht *d, struct env *e, uint64_t token);
void replicas_resumed(struct dht *d, struct env *e, bool clone);
bool replicas_leave(struct dht *d, struct env *e);
uint32_t replicas_bytes(const struct dht *d);

#endif /* DHT_PARTS_H */
