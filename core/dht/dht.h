/*
 * dht.h - agreement on who owns what: slots this node serves, questions it asks, leases it holds
 *
 * Three parts behind one face. As a member (core/dht/replica.h) the node keeps
 * records of slots near its place and votes on them. As a client
 * (core/dht/client.h) it asks slots, wherever they are, from its first link on.
 * As a holder (core/dht/held.h) it keeps the leases it was granted alive, and
 * says what it believes.
 *
 *	Memory		one struct dht in each node, from env.mem, when the first
 *			network or the first mail of a slot comes
 *	Time, chance	from env; timers TIMER_DHT .. TIMER_LEAVE - 1
 *	Saves		SAVE_SLOT (part: hash of slot and record), SAVE_LEASE, SAVE_SELF
 *	Mail		bodies BODY_DHT .. BODY_DHT + 15 of routed messages
 */
#ifndef DHT_DHT_H
#define DHT_DHT_H

#include "core/base/env.h"
#include "core/dht/op.h"
#include "core/ring/ring.h"
#include "core/seal/identity.h"

struct dht;

struct dht *dht_new(struct env *e, struct ring *ring, const struct identity *self);
void dht_free(struct dht *d, struct env *e);

/** dht_network() - This node is a member of the network with the signed record @blob (borrowed until dht_quit()
 * or the end); false if the record does not hold. May be called again with a record of a higher serial
 * @chain: our certificates of it, for our key; borrowed as well. Empty: the overlay's */
bool dht_network(struct dht *d, struct env *e, struct bytes blob, struct bytes chain);

/**
 * dht_quit() - We are going to be no member of @network: leases are released, names withdrawn, nobody is admitted
 * @now: what is still under way is forgotten; leases end with their terms
 *
 * Call until it says true: then nothing that dht_network() and dht_admits() were given is borrowed any more. Slots stay:
 * who is on the ring serves those of all networks.
 */
bool dht_quit(struct dht *d, struct env *e, struct id network, bool now);

/** dht_record() - the record of @network, NULL if we know none; good until the next dht_network() or dht_mail() */
const struct network_record *dht_record(const struct dht *d, struct id network);

/** dht_member() - Are we in @network? */
bool dht_member(const struct dht *d, struct id network);

/* ---- what happened ---- */
/** dht_start() - @saved: all saved items, core/base/saved.h; @last: how the last run ended */
void dht_start(struct dht *d, struct env *e, struct bytes saved, enum run_end last);
void dht_mail(struct dht *d, struct env *e, const struct ring_mail *m);
void dht_ring(struct dht *d, struct env *e);		/* the ring's neighbours or our state on it changed */
void dht_timer(struct dht *d, struct env *e, uint16_t tag);
void dht_saved(struct dht *d, struct env *e, uint64_t token);
void dht_resumed(struct dht *d, struct env *e, bool clone);	/* time passed unseen: nothing held is believed until confirmed */
/** dht_leave() - Hand over what we are a member of; call until it says true (or the caller's patience ends) */
bool dht_leave(struct dht *d, struct env *e);

/* ---- client ---- */

/** struct dht_done - how a question ended; bytes and values are good until the next dht_mail() or dht_timer() */
struct dht_done {
	uint64_t cookie;
	uint8_t kind;			/* enum op_kind */
	uint8_t verdict;		/* enum verdict */
	uint8_t user;			/* who asked, enum dht_user */
	uint8_t tries;
	struct slot_name slot;
	struct lease lease;		/* ip.family 0: none */
	const struct value *value;
	unsigned values;
	int64_t asked_ns;		/* when the answered try was sent: terms count from here */
	uint64_t nonce;			/* under which it was sent */
};

/** enum dht_user - whom dht_done belongs to; node.c hands it there */
enum dht_user { DHT_USER_CONTROL, DHT_USER_HELD, DHT_USER_NAMES, DHT_USER_VNET, DHT_USER_ADMIT = DHT_USER_VNET + 8, DHT_USERS };

/**
 * dht_ask() - Ask @op.slot, retrying inside @timeout_ns
 *
 * asker, nonce and signature are filled in. CREATE_ANY: slots of the range are tried in an order drawn from
 * op.client, so that the same guest tends to the same address; op.ip if set is tried first.
 * Return: false if too many are under way (DROP_FULL counted)
 */
bool dht_ask(struct dht *d, struct env *e, uint8_t user, uint64_t cookie, const struct op *op, int64_t timeout_ns);

/** dht_next() - Take the oldest finished question; false when there is none */
bool dht_next(struct dht *d, struct dht_done *out);

/* ---- holder ---- */

enum held_state {
	HELD_ASKED,			/* being created: not ours yet */
	HELD_OURS,			/* believed, until held.until_ns */
	HELD_DOUBTED,			/* after a start or resume: ours once, not believed until a quorum confirms */
	HELD_RELEASING,
	HELD_LENT,			/* given over to another by our signature; not to be had again before the old term is over */
	HELD_FREE
};

struct held {
	struct id network;
	struct lease lease;
	int64_t until_ns;		/* belief ends: sent + term less drift */
	uint64_t cookie;		/* the user's */
	uint8_t state;			/* enum held_state */
	uint8_t user;			/* enum dht_user */
	bool keep;			/* renew it by ourselves */
};

/** enum held_word - news about a lease of ours */
enum held_word {
	HELD_GRANTED,			/* we may believe it now */
	HELD_REFUSED,			/* we shall not have it; verdict says why */
	HELD_LOST,			/* it was ours and is not: term over, fenced, taken */
	HELD_RENEWED,			/* a later deadline */
	HELD_GONE,			/* released, as asked, or given over */
	HELD_WANTED			/* @by asks for it (@nonce): held_delegate() if its guest is not here any more, else held_deny() */
};

struct held_news {
	uint8_t word;			/* enum held_word */
	uint8_t verdict;		/* enum verdict */
	struct held held;		/* as it is now */
	struct id by;			/* WANTED, and held.lease.client is the guest it is asked for; GONE: to whom, if it was given over; GRANTED: from whom, if it was;
					 * REFUSED: who has it, as far as the slot told */
	uint64_t nonce;
};

/**
 * held_want() - Have an address: @ip, or any of @network if its family alone is set
 * @client: hash of the guest that will use it; a held lease of the same client and family is given again
 * @keep: renew it at half its term for as long as the user does not let go
 *
 * Return: false when the table is full. News follows, with @cookie.
 */
bool held_want(struct dht *d, struct env *e, uint8_t user, uint64_t cookie, struct id network, const struct ip *ip,
	       uint64_t client, uint32_t term_s, bool keep);

/** held_touch() - The guest is there and asks to renew: news HELD_RENEWED or HELD_LOST, or HELD_REFUSED if the slot cannot
 * say now (it is ours until its deadline all the same). False, and no news, if it is not ours */
bool held_touch(struct dht *d, struct env *e, struct id network, const struct ip *ip, uint64_t cookie);

/** held_keep() - From now on renew @ip by ourselves, or not */
void held_keep(struct dht *d, struct env *e, struct id network, const struct ip *ip, bool keep);

/** held_release() - Give @ip back: not believed from this moment. @cookie: the news comes with it; 0 = with the one of old */
void held_release(struct dht *d, struct env *e, struct id network, const struct ip *ip, uint64_t cookie);

/**
 * held_lends() - Leases of @network taken from now on are such that whom we delegate one to may use it at once
 *
 * For routers, whose machines move. The price: after a restart that may have lost saves we believe in such a lease
 * half a minute later (LEND_NS). Others are delegated too, but the new owner waits for the slot's word.
 */
void held_lends(struct dht *d, struct env *e, struct id network, bool lends);

/** held_next() - Take the oldest piece of news */
bool held_next(struct dht *d, struct held_news *out);

/** held_believes() - Would we forward a frame for @ip if stepped now? @fence: under which fence */
bool held_believes(const struct dht *d, const struct env *e, struct id network, const struct ip *ip, struct fence *fence);

/**
 * held_delegate() - The owner of @ip answers @to's request @nonce: the rest of the term is @to's from now
 *
 * Stops believing and saves before it signs; the signed answer is mailed when the save is durable. False if @ip is not ours, something is in flight for it, or it was delegated to us.
 */
bool held_delegate(struct dht *d, struct env *e, struct id network, const struct ip *ip, struct id to, uint64_t nonce);

/** held_deny() - No: the guest is here */
void held_deny(struct dht *d, struct env *e, struct id network, const struct ip *ip, struct id to, uint64_t nonce);

/**
 * held_proof() - The delegation by which @ip went, from us to another or from another to us, as long as the slot may not
 * know (struct delegation); for those who talk to it. False: there is none
 */
bool held_proof(const struct dht *d, const struct env *e, struct id network, const struct ip *ip, struct writer *w);

/** struct served - who serves an address, as the slot said */
struct served {
	struct id owner;
	struct fence fence;
	uint64_t nonce;			/* the slot's primary has asked the owner for us under this, 0: nobody has */
	int64_t asked_ns;		/* when the primary was told to */
};

/**
 * held_take() - Ask the owner to delegate @ip to us, then write it; news as for held_want()
 *
 * A LOOK whose op names a client makes the slot's primary ask the owner in our name: then the owner's answer is on its way.
 */
bool held_take(struct dht *d, struct env *e, uint8_t user, uint64_t cookie, struct id network, const struct ip *ip,
	       uint64_t client, const struct served *by);

/* ---- names ---- */

/**
 * name_publish() - Keep @value under @name and @type for as long as we want it: put now, again at half its term
 * @claim: only if nobody else has a value there; then nobody else gets one
 * @term_s: 0 = the network's
 *
 * One value of ours per name and type: a second call replaces it. VALUE_ADDRESS is one or more of: family 1 | address;
 * VALUE_POINTER is a name. A claimed name that is somebody else's is tried again every half term.
 * Return: false if the table is full or something too long
 */
bool name_publish(struct dht *d, struct env *e, uint8_t user, struct id network, struct bytes name, uint8_t type,
		  struct bytes value, uint32_t term_s, bool claim);

/** name_withdraw() - Delete it; fine if it was never published */
void name_withdraw(struct dht *d, struct env *e, uint8_t user, struct id network, struct bytes name, uint8_t type);

/** struct look_name - a name of ours; bytes good until the next call into dht */
struct look_name {
	struct id network;
	struct bytes name;
	uint8_t type, user;
	uint8_t verdict;		/* of the last put, 0 = none yet */
	int64_t until_ns;		/* it stands until then at least */
};
bool name_at(const struct dht *d, unsigned i, struct look_name *out);	/* false past the end */

/* ---- to look at, for oracles and weftctl ---- */

bool held_at(const struct dht *d, unsigned i, struct held *out);	/* false past the end */

/** held_changes() - grows whenever a lease of ours came, went, or got another state, fence or deadline */
uint32_t held_changes(const struct dht *d);

/** struct look_slot - one slot this node keeps records of */
struct look_slot {
	struct slot_name slot;
	struct view view;
	uint8_t votes;			/* may vote now */
	uint8_t primary, sealed, complete;
	unsigned records;
	int64_t serves_ns;		/* a new generation serves from here on; 0 = at once */
};
bool dht_slot_at(const struct dht *d, unsigned i, struct look_slot *out);

/** dht_slot_changes() - grows whenever a slot came, went, or changed its view, its vote, its seal or its primary's role */
uint32_t dht_slot_changes(const struct dht *d);

/** struct dht_account - bytes taken, and counts for reports; counters only grow */
struct dht_account {
	uint32_t bytes, slots, records, held, asking;
	uint64_t views_installed, majorities_lost, births, handovers, rejoins, rejoins_refused;
};
void dht_account(const struct dht *d, struct dht_account *out);

#endif /* DHT_DHT_H */
