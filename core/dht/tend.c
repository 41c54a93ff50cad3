/*
 * What happens to one lease of ours, from question to answer to deadline
 *
 * Belief ends at the earliest of: the deadline, a word of the slot that another
 * fence stands, letting go, lending, doubt. It begins with an answer only, and
 * counts from when that question was first sent.
 */
#include "core/dht/holder.h"

#define CREATE_NS	(15 * NS_PER_S)
#define RENEW_NS	(10 * NS_PER_S)
#define RELEASE_NS	(30 * NS_PER_S)
#define AGAIN_NS	(5 * NS_PER_S)		/* doubted, and the slot cannot say */
#define FULL_NS		NS_PER_S		/* too many questions are under way */

static struct hold *find_ask(const struct dht *d, uint64_t cookie)
{
	for (unsigned i = 0; d->holder && i < d->holder->count; i++)
		if (d->holder->hold[i].ask == cookie)
			return &d->holder->hold[i];
	return NULL;
}

static int64_t patience(const struct dht *d, const struct env *e, const struct hold *h, enum op_kind kind)
{
	int64_t left = h->held.until_ns - e->now_ns;

	(void)d;
	if (kind == OP_RELEASE)
		return RELEASE_NS;
	if (h->held.state == HELD_OURS && left < RENEW_NS)
		return left > NS_PER_S ? left : NS_PER_S;
	return kind == OP_RENEW ? RENEW_NS : CREATE_NS;
}

void tend_ask(struct dht *d, struct env *e, struct hold *h, enum op_kind kind)
{
	const struct lease *l = &h->held.lease;
	struct op op = {
		.kind = (uint8_t)kind, .slot.network = h->held.network, .ip = l->ip, .client = l->client,
		.term_s = l->term_s, .lends = l->lends,
	};
	bool late = h->held.state == HELD_OURS && h->held.until_ns - e->now_ns < term_held_ns(l->term_s, 0) / 4;

	if (kind == OP_RENEW || kind == OP_RELEASE)
		op.fence = l->fence;
	if (kind == OP_TAKE) {
		op.fence = (struct fence){ l->fence.generation, 0, l->fence.grant };
		op.proof = (struct bytes){ h->proof, h->proof_len };
	}
	hold_cancel(d, e, h);
	h->ask = ++d->holder->last_ask;
	h->asking = (uint8_t)kind;
	h->due_ns = INT64_MAX;
	if (client_ask(d, e, DHT_USER_HELD, h->ask, &op, patience(d, e, h, kind), late || h->unwritten))
		return;
	h->ask = 0;
	h->due_ns = e->now_ns + FULL_NS;
}

void tend_doubt(struct dht *d, struct env *e, struct hold *h, enum op_kind kind)
{
	h->held.state = HELD_DOUBTED;
	h->held.until_ns = 0;
	h->over_ns = e->now_ns + term_kept_ns(h->held.lease.term_s, hold_drift(d, h));
	tend_ask(d, e, h, kind);
}

/* ---- answers ---- */

static void lose(struct dht *d, struct env *e, struct hold *h, enum held_word word, uint8_t verdict)
{
	h->held.state = HELD_FREE;
	h->held.until_ns = 0;
	hold_news(d, e, h, word, verdict);
	hold_drop(d, e, h);
}

void tend_release(struct dht *d, struct env *e, struct hold *h)
{
	if (h->held.state == HELD_ASKED && (!h->ask || h->taking)) {
		lose(d, e, h, HELD_GONE, VERDICT_OK);
		return;
	}
	if (h->held.state == HELD_ASKED) {	/* what may be granted yet is given back when it comes */
		h->let_go = true;
		return;
	}
	h->held.state = HELD_RELEASING;
	h->held.until_ns = 0;
	tend_ask(d, e, h, h->unwritten ? OP_TAKE : OP_RELEASE);
}

static void believe(struct dht *d, struct env *e, struct hold *h, const struct dht_done *done)
{
	int64_t span = term_held_ns(done->lease.term_s, hold_drift(d, h)), until = done->asked_ns + span;
	bool was = h->held.state == HELD_OURS, moved = fence_cmp(h->held.lease.fence, done->lease.fence);
	enum held_word word = was && !h->granting ? HELD_RENEWED : HELD_GRANTED;

	h->held.lease = done->lease;
	if (until > h->held.until_ns || moved)
		h->held.until_ns = until;
	if (until <= e->now_ns) {		/* the answer came after the term: ask anew */
		h->held.state = HELD_DOUBTED;
		h->held.until_ns = 0;
		h->over_ns = e->now_ns + term_kept_ns(h->held.lease.term_s, hold_drift(d, h));
		h->due_ns = e->now_ns;
		return;
	}
	if (h->wait_ns > e->now_ns) {		/* ours by the slot's word, but perhaps lent by an earlier life */
		h->loaded = h->unwritten = false;
		h->held.state = HELD_DOUBTED;
		h->held.until_ns = 0;
		h->asking = OP_RENEW;
		h->due_ns = h->wait_ns;
		h->over_ns = h->wait_ns + term_kept_ns(h->held.lease.term_s, hold_drift(d, h));
		hold_save(e, h);
		return;
	}
	h->held.state = HELD_OURS;
	h->loaded = h->granting = h->touched = h->unwritten = h->taking = false;
	h->owners = 0;
	h->wait_ns = 0;
	h->tries = 0;
	hold_proof(e, h, (struct bytes){ 0 });
	h->due_ns = h->held.keep ? done->asked_ns + random_around(&e->random, span / 2) : INT64_MAX;
	if (!was || moved)
		hold_save(e, h);
	hold_news(d, e, h, word, VERDICT_OK);
	h->other = ID_ZERO;
}

/* Ours is in doubt, or nearly over, and the slot cannot say now */
static void try_again(struct dht *d, struct env *e, struct hold *h, uint8_t verdict)
{
	int64_t left = h->held.until_ns - e->now_ns, pause = h->held.state == HELD_OURS ? left / 8 : AGAIN_NS;

	(void)d;
	if (h->held.state == HELD_OURS && h->touched) {
		h->touched = false;
		hold_news(d, e, h, HELD_REFUSED, verdict);
	}
	if (h->held.state == HELD_OURS && !h->held.keep && !h->unwritten && !h->granting)
		return;
	h->due_ns = e->now_ns + random_around(&e->random, pause > NS_PER_S ? pause : NS_PER_S);
}

static bool silent(uint8_t verdict)
{
	return verdict == VERDICT_TIMEOUT || verdict == VERDICT_WAIT;
}

/*
 * Somebody else has it, as the slot says. Of the same guest that is its last
 * owner, who is asked to give it; of another one the user hears who it is.
 */
static bool named(struct dht *d, struct env *e, struct hold *h, const struct dht_done *done, bool ask)
{
	const struct lease *l = &done->lease;

	if (h->held.state != HELD_ASKED || h->let_go || !l->ip.family || !ip_eq(&l->ip, &h->held.lease.ip) ||
	    id_eq(l->holder, d->self->id))
		return false;
	ask = ask && h->owners < OWNERS_MAX && !id_eq(l->holder, h->other);
	h->other = l->holder;
	h->held.lease.fence = l->fence;
	if (ask)
		delegate_begin(d, e, h, &(struct served){ .owner = l->holder, .fence = l->fence });
	return ask;
}

/* An operator's lease is for no guest. */
static bool same_guest(const struct hold *h, const struct lease *l)
{
	return l->client == h->held.lease.client && h->held.user >= DHT_USER_VNET;
}

static void created(struct dht *d, struct env *e, struct hold *h, const struct dht_done *done)
{
	if (done->verdict == VERDICT_OK)
		believe(d, e, h, done);
	else if (done->verdict == VERDICT_TAKEN && named(d, e, h, done, same_guest(h, &done->lease)))
		return;
	else if (silent(done->verdict) && h->held.state == HELD_DOUBTED)
		try_again(d, e, h, done->verdict);
	else
		lose(d, e, h, h->held.state == HELD_ASKED ? HELD_REFUSED : HELD_LOST, done->verdict);
}

/* Does the slot say that it is ours, under another fence? */
static bool ours_told(const struct dht *d, const struct hold *h, const struct dht_done *done)
{
	const struct lease *l = &done->lease;

	return done->verdict == VERDICT_FENCED && l->ip.family && id_eq(l->holder, d->self->id) &&
	       l->client == h->held.lease.client;
}

/*
 * The slot says that another fence stands. If it is ours still, an answer of
 * this life was lost on the way and we go on under what it said; what an earlier
 * life did with it we cannot know, so a new create voids that.
 */
static void fenced(struct dht *d, struct env *e, struct hold *h, const struct dht_done *done)
{
	if (!ours_told(d, h, done) || (h->loaded && h->held.lease.lends)) {
		lose(d, e, h, h->held.state == HELD_ASKED ? HELD_REFUSED : HELD_LOST, done->verdict);
		return;
	}
	h->held.lease.fence = done->lease.fence;
	h->unwritten = false;
	tend_doubt(d, e, h, h->loaded ? OP_CREATE : OP_RENEW);
}

static void renewed(struct dht *d, struct env *e, struct hold *h, const struct dht_done *done)
{
	switch (done->verdict) {
	case VERDICT_OK:
		believe(d, e, h, done);
		break;
	case VERDICT_FENCED:
		fenced(d, e, h, done);
		break;
	case VERDICT_ABSENT:
		if (h->loaded && h->held.lease.lends)
			lose(d, e, h, HELD_LOST, done->verdict);
		else
			tend_doubt(d, e, h, OP_CREATE);
		break;
	default:
		if (silent(done->verdict))
			try_again(d, e, h, done->verdict);
		else
			lose(d, e, h, HELD_LOST, done->verdict);
	}
}

static void taken(struct dht *d, struct env *e, struct hold *h, const struct dht_done *done)
{
	bool no = done->verdict == VERDICT_FENCED || done->verdict == VERDICT_TAKEN;

	if (done->verdict == VERDICT_OK)
		believe(d, e, h, done);
	else if (no && named(d, e, h, done, true))
		return;
	else if (no && h->held.state == HELD_ASKED && !ours_told(d, h, done))
		lose(d, e, h, HELD_REFUSED, VERDICT_WAIT);	/* whoever has it did not say no: its term will end */
	else if (done->verdict == VERDICT_FENCED)
		fenced(d, e, h, done);
	else if (silent(done->verdict) && h->held.state != HELD_ASKED)
		try_again(d, e, h, done->verdict);
	else
		lose(d, e, h, h->held.state == HELD_ASKED ? HELD_REFUSED : HELD_LOST, done->verdict);
}

void held_done(struct dht *d, struct env *e, const struct dht_done *done)
{
	struct hold *h = find_ask(d, done->cookie);

	if (!h)
		return;
	h->ask = 0;
	if (h->held.state == HELD_RELEASING && done->kind != OP_RELEASE) {	/* unwritten: it had to be ours first */
		if (done->verdict == VERDICT_OK || ours_told(d, h, done)) {
			h->held.lease = done->lease;
			tend_ask(d, e, h, OP_RELEASE);
		} else {
			lose(d, e, h, HELD_GONE, done->verdict);
		}
	} else if (h->let_go && done->verdict == VERDICT_OK) {
		h->held.lease = done->lease;
		h->held.state = HELD_RELEASING;
		h->let_go = false;
		tend_ask(d, e, h, OP_RELEASE);
	} else if (h->let_go || done->kind == OP_RELEASE) {
		lose(d, e, h, HELD_GONE, done->verdict);
	} else if (done->kind == OP_RENEW) {
		renewed(d, e, h, done);
	} else if (done->kind == OP_TAKE) {
		taken(d, e, h, done);
	} else {
		created(d, e, h, done);
	}
	holder_arm(d, e);
}

/* ---- time ---- */

/* What falls due for @h; true if the table moved */
static bool due(struct dht *d, struct env *e, struct hold *h)
{
	uint8_t state = h->held.state;

	if (state == HELD_OURS && e->now_ns >= h->held.until_ns) {
		lose(d, e, h, HELD_LOST, VERDICT_TIMEOUT);
		return true;
	}
	if (state == HELD_DOUBTED && e->now_ns >= h->over_ns) {
		lose(d, e, h, HELD_LOST, VERDICT_TIMEOUT);
		return true;
	}
	if (state == HELD_LENT && e->now_ns >= h->over_ns && !h->token && !dht_member(d, h->held.network)) {
		hold_drop(d, e, h);
		return true;
	}
	if (state == HELD_LENT && e->now_ns >= h->over_ns && !h->token) {
		h->held.user = DHT_USER_CONTROL;	/* void by now if it was not written: the address is free then */
		h->held.cookie = 0;
		tend_release(d, e, h);
		return false;
	}
	if (h->due_ns > e->now_ns || h->ask)
		return false;
	h->due_ns = INT64_MAX;
	if (h->taking)
		delegate_ask(d, e, h);
	else if (state == HELD_RELEASING)
		tend_ask(d, e, h, OP_RELEASE);
	else if (state == HELD_ASKED)
		tend_ask(d, e, h, (enum op_kind)h->asking);
	else if (h->unwritten)
		tend_ask(d, e, h, OP_TAKE);
	else if (state == HELD_OURS)
		tend_ask(d, e, h, OP_RENEW);
	else if (state == HELD_DOUBTED)
		tend_ask(d, e, h, h->loaded && h->asking != OP_RENEW ? OP_CREATE : OP_RENEW);
	return false;
}

void held_timer(struct dht *d, struct env *e)
{
	if (!d->holder)
		return;
	for (unsigned i = 0; i < d->holder->count;)
		i += !due(d, e, &d->holder->hold[i]);
	holder_arm(d, e);
}

void held_resumed(struct dht *d, struct env *e, bool clone)
{
	for (unsigned i = 0; d->holder && i < d->holder->count; i++) {
		struct hold *h = &d->holder->hold[i];

		if (h->held.state != HELD_OURS && h->held.state != HELD_DOUBTED)
			continue;
		h->loaded |= clone;
		if (clone && h->held.lease.lends)
			h->wait_ns = hold_lent_until(d, e, h);
		tend_doubt(d, e, h, h->unwritten ? OP_TAKE : clone ? OP_CREATE : OP_RENEW);
	}
	if (d->holder)
		holder_arm(d, e);
}
