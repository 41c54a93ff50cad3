/*
 * replica.h - one slot as one of its members keeps it; for the server side of core/dht only
 *
 * A member is *proven* when its memory of what it promised can be trusted, and
 * *complete* when it has all records its view began with. Only who is both, and
 * not *sealed*, votes on writes. Promising a ballot of the consensus about the
 * next view seals. README.md argues why this is safe.
 *
 *	replica.c	the table; shelf.c what is on disk; letters.c what waits for it; words.c who gets which
 *	primary.c	ops, writes, confirmed reads; judged.c what was judged stays so
 *	view.c		the consensus about the next view; ballot.c what its voters promise; stage.c its records;
 *			start.c its begin; choose.c who
 *	pull.c		one member copies records from another
 *	rejoin.c	what comes back from a disk does not vote until proven
 *	arrive.c	ops as they arrive
 *	seek.c		whose slot is this? Hints, ops that wait, births as the owner of the point sees them
 *	birth.c		the root: view 0, and which slots were born
 *	generation.c	slots that lost their majority
 */
#ifndef DHT_REPLICA_H
#define DHT_REPLICA_H

#include "core/dht/parts.h"
#include "core/ring/message.h"

enum {
	REPLICAS_MAX	= 8192,
	HOLDS_MAX	= 1024,		/* letters that wait for a save */
	LIVES		= 8,		/* earlier incarnations a disk remembers */
	HINTS_MAX	= 256,
	MISSING_MAX	= 256,
	JUDGED_KEPT	= 256,		/* as many as a busy slot judges while copies are under way */
	WAITING_MAX	= 64,		/* answers of one slot that wait for their majority */
	LETTER_MAX	= 2048,
};

#define RESEND_NS	(300 * NS_PER_MS)
#define RESEND_MAX_NS	(10 * NS_PER_S)
#define PING_NS		(20 * NS_PER_S)		/* a primary speaks to its members when so long nothing was said, ... */
#define QUIET_NS	(3600 * NS_PER_S)	/* ... and, while all is as it was, ever less, up to this: replica_pause() */
#define SILENT_NS	NS_PER_S		/* a primary that does not answer a word for so long is replaced */
#define GONE_SILENT_NS	(5 * NS_PER_S)	/* a member that does not answer its primary for so long is as good as dead */
#define DRIVE_NS	(1500 * NS_PER_MS)	/* a sealed member drives the change itself after this */
#define SETTLE_NS	(5 * NS_PER_S)		/* between two changes that nobody's death asks for */
#define HINT_NS		(10 * 60 * NS_PER_S)	/* a hint is kept so long, or as long as it is good; one of a slot we left at least GONE_NS */
#define GONE_NS		(150 * NS_PER_S)	/* no mail is under way for so long */

/** enum word - what members of a slot say to each other: word 1 | slot 25 | view 8 | life 16, then */
enum word {
	WORD_WRITE = 1,		/* round 8 | grants 8 | judged | record: save this */
	WORD_SAVED,		/* round 8 | key 8 | seq 8: I did */
	WORD_PING,		/* round 8 | judged: are you in this view, not sealed? judged: count 1, hashes of ops, 8 each */
	WORD_PONG,		/* round 8 | complete 1: I am */
	WORD_PREPARE,		/* ballot 8: seal, and promise */
	WORD_PROMISE,		/* ballot 8 | complete 1 | digest 8 | grants 8 | free 8 | judged
				 * | accepted ballot 8 | [base 8 | next view] */
	WORD_REFUSE,		/* ballot 8: I promised that one */
	WORD_OFFER,		/* ballot 8 | base 8 | relied 8 | digest 8 | source 16: be ready to begin the next view with
				 * the records staged as base; relied: accepted ballot that ties us to it, 0 = they are mine */
	WORD_FREE,		/* ballot 8 | free 8: nothing accepted below free can be decided */
	WORD_STAGED,		/* ballot 8 | life 16: I am, and was in that life */
	WORD_ACCEPT,		/* ballot 8 | base 8 | next view */
	WORD_ACCEPTED,		/* ballot 8 */
	WORD_START,		/* base 8 | next view: decided; the name in front is of the view it follows */
	WORD_STARTED,		/* - : I know; the name in front is of the new view */
	WORD_WANT,		/* - : which view follows this one, or is it the one? */
	WORD_PULL,		/* base 8 | first key 8: base 0: records of the view; else those staged as base */
	WORD_CHUNK,		/* first key 8 | last 1 | next key 8 | grants 8 | count 2 | records: all in [first, next) */
	WORD_LOST,		/* - : you count on me, I do not know what I promised; take me anew */
	WORD_LEAVE,		/* - : the next view without me, please */
	WORD_REJOIN,		/* life 16, as the head has it | LIVES earlier ones, 16 each: I am back; the life in front is new */
	WORD_REJOINED,		/* to life 16 | confirmed 1 | proven 1 | complete 1 | promised 8 | digest 8 | grants 8
				 * | accepted ballot 8 | [base 8 | next view] */
	WORD_WHERE,		/* - : do you know the view of this slot? */
	WORD_HERE,		/* follows 8 | base 8 | known 1 | [view] */
	WORD_BIRTH,		/* hops 1 | enum birth_flags 1 | asking 8 | view: to the root: may it be born so? */
	WORD_BORN,		/* enum born 1 | asking 8 | [wait, ms 4 | first view, if pending]: the root's answer */
	WORD_BEGIN,		/* wait, ms 4 | first view: start empty; grant nothing for so long */
	WORD_BEGUN,
	WORD_LIVES,		/* - : the first view stands; to the root */
	WORD_LIVES_ACK,
	WORDS
};

/** enum birth_flags - WORD_BIRTH */
enum birth_flags {
	BIRTH_RECLAIM	= 1,		/* it lived, and is lost: a next generation of it */
	BIRTH_READ	= 2,		/* whoever asks only reads: if it does not exist, let it be */
};

/** enum born - WORD_BORN */
enum born { BORN_LIVES, BORN_PENDING, BORN_NOT };

/** struct letter - a word being written */
struct letter {
	struct writer w;
	uint8_t buf[LETTER_MAX];
};

/** enum pull_why - what the copied records are for */
enum pull_why {
	PULL_MERGE,		/* the driver of a change: the newer of each record */
	PULL_STAGE,		/* into the stage, as the source has them */
	PULL_CATCH_UP,		/* a member without the records of its view: as the source has them, but what came since */
	PULL_ADOPT,		/* rejoining: the newer of each record */
};

struct pull {
	struct view_name view;		/* as the source names it */
	struct id from;
	uint64_t next_key, base;
	int64_t again_ns;
	uint8_t why, tries;
};

/** struct stage - records of a next view that may be decided */
struct stage {
	struct view_name follows;
	uint64_t ballot;		/* the view that starts with them names it as its base. Its driver was free to
					 * choose: no ballot below it had been, or will be, decided */
	uint64_t verified;		/* the highest ballot we said we have them under */
	struct id driver;		/* who asked */
	struct store store;
	struct incarnation life;	/* ours when it was staged */
	int64_t since_ns;
	bool same;			/* they are those of the present view */
	bool done;
};

/** struct change - we drive the consensus about the next view */
struct change {
	enum { CHANGE_PREPARE, CHANGE_MERGE, CHANGE_STAGE, CHANGE_ACCEPT } step;
	uint64_t ballot, base, own;	/* own: digest of the merged records */
	struct view next;
	uint64_t accepted;		/* highest ballot under which a promiser accepted; 0: we are free */
	uint64_t free;			/* highest ballot known to have been free */
	struct id source;		/* of the records to stage */
	uint8_t promised, complete, merged, staged, agreed;	/* bits: members of the view; staged: of the next */
	uint8_t tries, avoids;
	bool replace;			/* our own records are not this view's: the first source's replace them */
	uint64_t digest[VIEW_MAX];
	struct id avoid[2 * VIEW_MAX];	/* asked to come, and silent */
	int64_t again_ns, until_ns;
	int64_t others_ns;		/* staging: who is silent until then is not waited for */
	int64_t last_ns;		/* of a step that gets on: not beyond this */
};

/** struct spread - a decided view is told until everybody concerned knows */
struct spread {
	struct view_name follows;
	struct id to[2 * VIEW_MAX];
	uint8_t count, tries;
	bool going;			/* we are not in it, and go when its primary knows; replica.next is the view */
	int64_t again_ns;
};

/** struct waiting - an answer that its majority has not confirmed yet */
struct waiting {
	uint64_t key, seq, round;	/* seq 0: every write before round must stand */
	struct id to, via;
	uint16_t len;
	uint8_t body;			/* BODY_ANSWER or BODY_SLOT */
	uint8_t *bytes;
};

/** struct judged - an op that could give something, judged once: judged.c */
struct judged {
	uint64_t what;			/* hash of asker and nonce; lowest bit: granted */
	uint64_t round;			/* primary: of confirmation, by which it was told; 0: of a view before */
};

/** struct duty - what only the primary of a view keeps */
struct duty {
	struct waiting *waiting;
	uint16_t waitings, waiting_cap;
	uint64_t round;			/* of confirmation, told with each PING and WRITE */
	uint64_t heard[VIEW_MAX];	/* the newest round each member answered */
	uint8_t lost, leaving;		/* bits: members that said so */
	uint8_t tries;
	int64_t again_ns;		/* unanswered words go out again */
	int64_t ping_ns, hint_ns;
	int64_t silent_ns[VIEW_MAX];	/* since when a member owes us an answer; 0 = it does not */
};

/** struct rejoin - we came back from a disk, or as a founder without one */
struct rejoin {
	struct incarnation before;	/* who we were as far as our disk knows */
	uint8_t confirmed, proven, refused, pulled;	/* bits: members of the view */
	uint8_t complete, tries;
	uint64_t digest[VIEW_MAX];
	int64_t again_ns;
	bool told;			/* that we were refused */
};

struct replica {
	struct slot_name slot;
	struct id point;
	struct view view;		/* members 0: we are only staged for one */
	struct view_name follows;	/* the view before */
	uint64_t base;			/* ballot under which its first records were staged; 0 = born empty */
	struct store store;
	uint64_t promised;		/* sealed by this ballot; 0 = not sealed */
	uint64_t accepted, next_base;
	struct view *next;		/* what was accepted */
	struct stage *stage;
	struct change *change;
	struct spread *spread;
	struct duty *duty;
	struct rejoin *rejoin;
	struct pull *pull;
	struct judged *judged;		/* the latest last */
	uint16_t judgeds, judged_cap;
	uint64_t seq;			/* primary: of the last write */
	uint64_t head_token;		/* of the last save of the head */
	int64_t due_ns;			/* the next thing to do */
	int64_t changed_ns;		/* this view began */
	int64_t heard_ns;		/* the primary's last word */
	int64_t doubt_ns;		/* since when it owes us an answer; 0 = it does not */
	int64_t sealed_ns;
	int64_t judged_ns;		/* the latest was put there */
	int64_t stuck_ns;		/* since when it was seen sealed, generation_stuck(); 0 = it was not */
	uint8_t set;			/* 0 or 1: which half of the saved records is this view's */
	bool proven, complete;
	bool writer;			/* primary in the life in which the view began: may write */
	bool unborn;			/* first view: the root has not heard that it stands */
	bool lost_told;
	bool leaving;			/* dht_leave() */
};
_Static_assert(sizeof(struct replica) <= 480, "thousands of slots in small networks");

/** struct hint - where a slot is that we do not serve */
struct hint {
	struct slot_name slot;
	struct view view;
	struct view_name follows;
	uint64_t base;
	int64_t heard_ns;
	bool left;			/* we were a member: what comes late of older views is refused */
};

/** struct parked - a letter that waits for a save */
struct parked {
	uint64_t token;
	struct id to;
	uint8_t *bytes;
	uint16_t len;
	uint8_t mode, body;
	struct id via;
};

struct seek;

/** struct missing - a slot that lives, says the root, and nobody knows where */
struct missing {
	struct slot_name slot;
	int64_t since_ns, asked_ns;
};

struct replicas {
	struct incarnation life;
	struct incarnation past[LIVES];	/* those before, as our disk tells, the last first */
	uint64_t life_token, durable;
	struct replica **at;		/* sorted by point */
	uint16_t count, cap;
	struct parked *hold;
	uint16_t holds, hold_cap;
	struct hint *hint;
	uint16_t hints, hint_cap;
	struct seek *seek;
	uint16_t seeks, seek_cap;
	struct missing *missing;
	uint16_t missings, missing_cap;
	int64_t stirred_ns;		/* others came to stand around us, or went, ... */
	uint64_t around;		/* ... than these: a sum of their names */
	uint32_t told;			/* dht_slot_changes() */
	bool leaving, loading, flushing;
};

/* ---- replica.c ---- */

struct replicas *replicas_get(struct dht *d, struct env *e);	/* made when first needed; NULL without memory */
struct replica *replica_find(const struct dht *d, const struct slot_name *s);
struct replica *replica_add(struct dht *d, struct env *e, const struct slot_name *s);
void replica_del(struct dht *d, struct env *e, struct replica *r);	/* with all that was saved */

void replica_only_staged(struct dht *d, struct env *e, struct replica *r);	/* out of its view, but for its stage */

/** replica_place() - our own place in its view; -1: none */
static inline int replica_place(const struct dht *d, const struct replica *r)
{
	return view_place(&r->view, d->self->id);
}

/** replica_going() - did the view end, and we are not in the next, and stay only to tell so? */
static inline bool replica_going(const struct replica *r)
{
	return r->spread && r->spread->going;
}

/** replica_votes() - may we say anything that counts? */
static inline bool replica_votes(const struct replica *r)
{
	return r->view.members && r->proven;
}

static inline unsigned bits(unsigned x)
{
	unsigned n = 0;

	for (; x; x &= x - 1)
		n++;
	return n;
}

static inline int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static inline bool life_eq(struct incarnation a, struct incarnation b)
{
	return a.count == b.count && a.chance == b.chance;
}

static inline bool life_none(struct incarnation a)
{
	return !a.count && !a.chance;
}

/** replica_save() - Save the head: view, promises, flags; the token, 0 if there was no room */
uint64_t replica_save(struct dht *d, struct env *e, struct replica *r);
/** replica_save_kept() - Save one record of half @set; @k NULL: forget it */
uint64_t replica_save_kept(struct dht *d, struct env *e, const struct replica *r, uint8_t set, uint64_t key,
			   const struct kept *k);
/** replica_save_left() - Remember for ever that the view of the root went on without us: a founder must not begin it again */
void replica_save_left(struct env *e, const struct slot_name *s, const struct view *v, struct view_name follows,
		       uint64_t base);
void replica_forget(struct dht *d, struct env *e, const struct replica *r, uint8_t set, const struct store *s);

/**
 * replica_pause() - How long may members of @r be silent from @at_ns on, while nobody asks for anything?
 *
 * As long again as all has been quiet: since its view began, and since the ring changed here.
 */
int64_t replica_pause(const struct dht *d, const struct env *e, const struct replica *r, int64_t at_ns);

/** replica_wake() - Look after @r at @due_ns or before */
void replica_wake(struct dht *d, struct env *e, struct replica *r, int64_t due_ns);

void name_write(struct writer *w, struct view_name n);
struct view_name name_read(struct reader *r);
void life_save(struct replicas *rs, struct env *e);
void life_draw(struct replicas *rs, struct env *e);	/* a new one */
void life_read(struct reader *r, struct incarnation *l);
void life_write(struct writer *w, struct incarnation l);

/** letter_open() - Begin a @word about @slot under the view name @v */
struct letter *letter_open(struct letter *l, struct dht *d, enum word word, const struct slot_name *slot, struct view_name v);

/** letter_send() - To @to, as soon as save @token is durable (0: never; the save failed); to ourselves too */
void letter_send(struct dht *d, struct env *e, struct letter *l, struct id to, uint64_t token);
void letter_now(struct dht *d, struct env *e, struct letter *l, struct id to);
void letter_route(struct dht *d, struct env *e, struct letter *l, struct id point);	/* to whoever owns @point */

/** mail_hold() - Any mail of ours, when @token is durable */
void mail_hold(struct dht *d, struct env *e, struct id to, uint8_t mode, uint8_t body, struct bytes data, struct id via,
	       uint64_t token);
void replicas_flush(struct dht *d, struct env *e);

void word_in(struct dht *d, struct env *e, struct id from, struct bytes data);

/** struct heard - a word that came */
struct heard {
	struct id from;
	struct slot_name slot;
	struct view_name view;
	struct incarnation life;
	int place;			/* of the sender in our view of the same name, and of that very life; else -1 */
	uint8_t word;
};

static inline const struct network_record *replica_network(const struct dht *d, const struct replica *r)
{
	const struct charter *c = charter_find(d, r->slot.network);

	return c ? &c->record : NULL;
}

/* ---- primary.c ---- */
void primary_begin(struct dht *d, struct env *e, struct replica *r);
void primary_end(struct dht *d, struct env *e, struct replica *r);
void primary_soon(struct env *e, struct replica *r);	/* if we are it: members, and who owns the point, hear of us soon */
void primary_op(struct dht *d, struct env *e, struct replica *r, struct bytes data, const struct question *q);
bool primary_serves(const struct dht *d, const struct env *e, const struct replica *r);
/** primary_write() - Write @k (its stamp is set here); the key's record, NULL if it does not fit */
struct kept *primary_write(struct dht *d, struct env *e, struct replica *r, const struct kept *k, uint64_t grants);
/** primary_wait() - @data goes to @to when the record @key of now stands (@all: every record of now), and we are still primary */
bool primary_wait(struct dht *d, struct env *e, struct replica *r, uint64_t key, bool all, struct id to, struct id via,
		  uint8_t body, struct bytes data);
void write_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in);
void saved_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in);
void ping_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in);
void pong_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in);
void lost_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h);
int64_t replica_sweep(struct dht *d, struct env *e, struct replica *r);	/* forget what expired; when the next will have */
int64_t primary_due(struct dht *d, struct env *e, struct replica *r);
void op_refuse(struct dht *d, struct env *e, const struct question *q, uint8_t verdict, const struct view *v);

/* ---- judged.c ---- */
enum judged_how { JUDGED_NOT, JUDGED_REFUSED, JUDGED_GRANTED };
enum judged_how judged_before(const struct replica *r, struct id asker, uint64_t nonce);
void judged_put(struct env *e, struct replica *r, struct id asker, uint64_t nonce, bool granted);	/* primary */
void judged_begin(struct replica *r);				/* of a primary */
void judged_tell(struct writer *w, const struct replica *r, unsigned at);	/* what member @at has not answered for */
void judged_promise(struct writer *w, const struct replica *r);
bool judged_read(struct reader *in, struct bytes *list);	/* the form only; judged_take() keeps it */
void judged_take(struct env *e, struct replica *r, struct bytes list);
void judged_sweep(struct env *e, struct replica *r, bool all);	/* what is too old to matter */

/* ---- view.c ---- */
void view_drive(struct dht *d, struct env *e, struct replica *r);	/* begin or go on with a change */
void view_review(struct dht *d, struct env *e, struct replica *r);	/* should the view change, and by us? */
void change_end(struct dht *d, struct env *e, struct replica *r);
void view_goes_on(struct dht *d, struct env *e, struct replica *r);	/* records are copied for the change we drive */
void stage_end(struct dht *d, struct env *e, struct replica *r);
void promise_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in);
void refuse_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in);
void offer_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in);
void staged_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in);
void free_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in);
void accepted_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in);
bool stage_own(struct dht *d, struct env *e, struct replica *r, uint64_t ballot);	/* our records, as they are */
void spread_begin(struct dht *d, struct env *e, struct replica *r, const struct view *old, const struct view *v, bool going);
int64_t spread_due(struct dht *d, struct env *e, struct replica *r);	/* may delete it */
void start_in(struct dht *d, struct env *e, const struct heard *h, struct reader *in);
void started_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h);
void start_tell(struct dht *d, struct env *e, const struct replica *r, struct id to);
/** view_decided() - @v is the view of @slot: install it, or leave */
void view_decided(struct dht *d, struct env *e, const struct slot_name *slot, const struct view *v,
		  struct view_name follows, uint64_t base);
int64_t view_due(struct dht *d, struct env *e, struct replica *r);

/* ---- ballot.c ---- */
/** ballot_letter() - Begin a @word about the view of @r that opens with @ballot */
struct letter *ballot_letter(struct letter *l, struct dht *d, const struct replica *r, enum word word, uint64_t ballot);
void next_write(struct writer *w, const struct view *v, uint64_t base);
bool next_read(struct reader *in, struct view *v, uint64_t *base);
void ballot_refuse(struct dht *d, struct env *e, struct replica *r, struct id to);
/** ballot_promise() - the token of the save that holds it; 0 if it cannot be saved. @ballot is not below the last */
uint64_t ballot_promise(struct dht *d, struct env *e, struct replica *r, uint64_t ballot);
void prepare_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in);
void accept_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in);

/* choose.c */
bool choose_wanted(struct dht *d, struct env *e, const struct replica *r, bool *urgent);
/** choose_watched() - Is everybody @r depends on - a primary on its members, they on it - heard and watched by the ring? */
bool choose_watched(const struct dht *d, const struct env *e, const struct replica *r);
bool choose_next(struct dht *d, struct env *e, const struct replica *r, const struct change *c, struct view *next);

/* ---- pull.c ---- */
void pull_begin(struct dht *d, struct env *e, struct replica *r, enum pull_why why, struct id from, struct view_name v,
		uint64_t base);
void pull_end(struct dht *d, struct env *e, struct replica *r);
void pull_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in);
void chunk_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in);
int64_t pull_due(struct dht *d, struct env *e, struct replica *r);
void merge_pulled(struct dht *d, struct env *e, struct replica *r, struct id from);	/* view.c: all of it is here */
void stage_pulled(struct dht *d, struct env *e, struct replica *r);
void adopt_pulled(struct dht *d, struct env *e, struct replica *r, struct id from);	/* rejoin.c */

/* ---- rejoin.c ---- */
void rejoin_begin(struct dht *d, struct env *e, struct replica *r);
void rejoin_end(struct dht *d, struct env *e, struct replica *r);
void rejoin_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in);
void rejoined_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in);
int64_t rejoin_due(struct dht *d, struct env *e, struct replica *r);

/* ---- arrive.c ---- */
bool replica_changing(const struct dht *d, const struct replica *r);	/* is the view about to end, as far as we know? */
void op_forward(struct dht *d, struct env *e, const struct view *v, struct bytes data);

/* ---- seek.c ---- */
bool hint_good(const struct dht *d, const struct env *e, const struct hint *h);	/* may it be passed on? */
int64_t hint_life(const struct dht *d, const struct slot_name *s);		/* ... for how long? */
void seek_wait(struct dht *d, struct env *e, const struct slot_name *s, struct bytes data);	/* for the next view of ours */
struct hint *hint_find(const struct dht *d, const struct slot_name *s);
void hint_put(struct dht *d, struct env *e, const struct slot_name *s, const struct view *v, struct view_name follows,
	      uint64_t base, bool left);
void seek_op(struct dht *d, struct env *e, const struct slot_name *s, struct bytes data);	/* NULL data: just find it */
void where_in(struct dht *d, struct env *e, const struct heard *h);
void here_in(struct dht *d, struct env *e, const struct heard *h, struct reader *in);
void here_tell(struct dht *d, struct env *e, const struct replica *r, struct id to, bool route);
void born_in(struct dht *d, struct env *e, const struct heard *h, struct reader *in);
void begun_in(struct dht *d, struct env *e, const struct heard *h);
void seek_found(struct dht *d, struct env *e, const struct slot_name *s);
void seeks_timer(struct dht *d, struct env *e);
void seeks_free(struct dht *d, struct env *e);
uint32_t seeks_bytes(const struct dht *d);

/* ---- birth.c ---- */
void founder_start(struct dht *d, struct env *e, const struct charter *c);
void birth_in(struct dht *d, struct env *e, const struct heard *h, struct reader *in, struct bytes data);
void begin_in(struct dht *d, struct env *e, const struct heard *h, struct reader *in);
void lives_in(struct dht *d, struct env *e, const struct heard *h, struct bytes data);
void lives_ack_in(struct dht *d, struct env *e, const struct heard *h);
int64_t founder_due(struct dht *d, struct env *e, struct replica *r);	/* a view of one that never was */
void lives_tell(struct dht *d, struct env *e, struct replica *r);

/* ---- generation.c ---- */
void generation_news(struct dht *d, struct env *e, const struct charter *c);	/* a record came, perhaps of a new one */
/** generation_due() - the root says that @s lived, and nobody knows it: since when? True: long enough to begin anew */
bool generation_due(struct dht *d, struct env *e, const struct slot_name *s);
void generation_found(struct dht *d, const struct slot_name *s);
/** generation_stuck() - is what we keep of @r of no use: sealed for long, no majority comes, and the policy reclaims? */
bool generation_stuck(const struct dht *d, const struct env *e, struct replica *r);
void generation_purge(struct dht *d, struct env *e, const struct charter *c);
/** generation_wait() - @r, which begins, grants nothing for @wait_ns */
void generation_wait(struct dht *d, struct env *e, struct replica *r, int64_t wait_ns);
int64_t generation_serves(const struct replica *r);	/* from when on it may grant; 0: at once */
int64_t generation_term(const struct network_record *n);	/* no lease stands longer */

#endif /* DHT_REPLICA_H */
