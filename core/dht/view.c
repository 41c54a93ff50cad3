/*
 * How a view ends: single-decree Paxos among its members about the next one,
 * with the state moved before the decision.
 *
 *	PREPARE		a member, the driver, asks all members to seal. Who promises
 *			saves nothing more in this view and tells how its records digest
 *	merge		of a majority of promisers, those that are complete count; the
 *			driver pulls where digests differ and keeps the newest stamps
 *	OFFER		members of the next view stage what the driver merged; new ones
 *			tell as whom they live. All new ones and a majority must be ready
 *	ACCEPT		the value: next view, and the ballot its records were staged under
 *			(base). A driver that finds an accepted value proposes that one
 *	START		decided: told until everybody concerned knows
 *
 * So a decided view always has a majority that holds its first records, and
 * who is not in it can forget. Sealing at the promise rather than when
 * accepting costs the writes of a change that fails; in return there is one
 * state to merge, and it is merged before anything is decided.
 */
#include "core/dht/replica.h"

#define LONG_NS		(60 * NS_PER_S)		/* a step of a change that gets on may take so long */
#define PATIENCE_NS	NS_PER_S		/* with new members that say nothing */

void change_end(struct dht *d, struct env *e, struct replica *r)
{
	(void)d;
	mem_put(&e->mem, r->change, sizeof(*r->change));
	r->change = NULL;
}

/* ---- the driver ---- */

static void tell_step(struct dht *d, struct env *e, struct replica *r)
{
	struct change *c = r->change;
	const struct view *to = c->step == CHANGE_STAGE ? &c->next : &r->view;
	uint8_t have = c->step == CHANGE_PREPARE ? c->promised : c->step == CHANGE_STAGE ? c->staged : c->agreed;
	struct letter l;

	if (c->step == CHANGE_MERGE)
		return;
	for (unsigned i = 0; i < to->members; i++) {
		if (have >> i & 1)
			continue;
		if (c->step == CHANGE_PREPARE) {
			ballot_letter(&l, d, r, WORD_PREPARE, c->ballot);
		} else if (c->step == CHANGE_STAGE) {
			ballot_letter(&l, d, r, WORD_OFFER, c->ballot);
			write_u64(&l.w, c->base);
			write_u64(&l.w, c->accepted);
			write_u64(&l.w, c->own);
			write_id(&l.w, c->source);
		} else {
			ballot_letter(&l, d, r, WORD_ACCEPT, c->ballot);
			next_write(&l.w, &c->next, c->base);
		}
		letter_now(d, e, &l, to->member[i].id);
	}
	c->again_ns = e->now_ns + random_around(&e->random, RESEND_NS);
	replica_wake(d, e, r, c->again_ns);
}

static void step_to(struct dht *d, struct env *e, struct replica *r, int step)
{
	r->change->step = step;
	r->change->until_ns = e->now_ns + random_around(&e->random, 2 * DRIVE_NS);
	r->change->last_ns = e->now_ns + LONG_NS;
	r->change->others_ns = e->now_ns + PATIENCE_NS;
	tell_step(d, e, r);
}

/* The sealed members drive the change themselves unless they hear that it goes on: the promise asked for again says so. */
static void tell_sealed(struct dht *d, struct env *e, const struct replica *r)
{
	struct letter l;

	for (int i = 0; i < r->view.members; i++)
		if (i != replica_place(d, r))
			letter_now(d, e, ballot_letter(&l, d, r, WORD_PREPARE, r->change->ballot), r->view.member[i].id);
}

/* A large slot takes longer to copy than anybody's patience with a driver that does nothing. */
void view_goes_on(struct dht *d, struct env *e, struct replica *r)
{
	struct change *c = r->change;
	int64_t until = e->now_ns + 2 * DRIVE_NS;

	if (!c || (c->step != CHANGE_STAGE && c->step != CHANGE_MERGE))
		return;
	if (until > c->last_ns)
		until = c->last_ns;
	if (c->until_ns < until)
		c->until_ns = until;
	c->others_ns = e->now_ns + PATIENCE_NS;
	if (c->step == CHANGE_MERGE && c->again_ns <= e->now_ns) {
		tell_sealed(d, e, r);
		c->again_ns = e->now_ns + RESEND_NS;
	}
}

static void prepare(struct dht *d, struct env *e, struct replica *r)
{
	struct change *c = r->change;

	c->ballot = ((r->promised >> 3) + 1) << 3 | (unsigned)replica_place(d, r);
	c->promised = c->complete = c->merged = c->staged = c->agreed = 0;
	c->accepted = c->free = 0;
	c->tries++;
	step_to(d, e, r, CHANGE_PREPARE);
}

void view_drive(struct dht *d, struct env *e, struct replica *r)
{
	if (r->change || !replica_votes(r) || replica_place(d, r) < 0 || replica_going(r))
		return;
	r->change = mem_get(&e->mem, sizeof(*r->change));
	if (!r->change) {
		env_drop(e, DROP_MEMORY);
		return;
	}
	prepare(d, e, r);
}

static void stage_step(struct dht *d, struct env *e, struct replica *r)
{
	struct change *c = r->change;

	c->own = store_digest(&r->store);
	c->base = c->ballot;
	c->staged = 0;
	c->source = d->self->id;
	if (!choose_next(d, e, r, c, &c->next) || !stage_own(d, e, r, c->base)) {
		c->until_ns = e->now_ns + RESEND_NS;		/* nobody is there: once more from the start */
		replica_wake(d, e, r, c->until_ns);
		return;
	}
	c->next.name = (struct view_name){ r->view.name.generation, r->view.name.number + 1 };
	step_to(d, e, r, CHANGE_STAGE);
}

/* An accepted value may have been decided: it is proposed again, once a majority of its members is seen to be ready. */
static void adopt_step(struct dht *d, struct env *e, struct replica *r)
{
	struct change *c = r->change;
	const struct stage *s = r->stage;

	c->own = 0;
	c->staged = 0;
	c->source = s && s->done && s->ballot == c->base && !view_cmp(s->follows, r->view.name) ? d->self->id : ID_ZERO;
	step_to(d, e, r, CHANGE_STAGE);
}

/* Pull from the next promiser whose records differ from ours; all done: stage. */
static void merge_step(struct dht *d, struct env *e, struct replica *r)
{
	struct change *c = r->change;
	int me = replica_place(d, r);

	c->step = CHANGE_MERGE;
	c->accepted = 0;
	c->own = store_digest(&r->store);
	for (unsigned i = 0; i < r->view.members; i++) {
		if (!((c->promised & c->complete) >> i & 1) || c->merged >> i & 1 || (int)i == me)
			continue;
		if (r->complete && c->digest[i] == c->own) {
			c->merged |= 1u << i;
			continue;
		}
		if (r->stage) {			/* what was staged as "what I have" is so no longer */
			stage_end(d, e, r);
			replica_save(d, e, r);
		}
		pull_begin(d, e, r, r->complete ? PULL_MERGE : PULL_CATCH_UP, r->view.member[i].id, r->view.name, 0);
		return;
	}
	stage_step(d, e, r);
}

void merge_pulled(struct dht *d, struct env *e, struct replica *r, struct id from)
{
	int at = view_place(&r->view, from);

	if (!r->change || r->change->step != CHANGE_MERGE || at < 0)
		return;
	r->change->merged |= 1u << at;
	merge_step(d, e, r);
}

void promise_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in)
{
	uint64_t ballot = read_u64(in), digest, grants, accepted, base = 0, free;
	uint8_t complete = read_u8(in);
	struct change *c = r->change;
	struct view next = { 0 };
	struct bytes list;

	digest = read_u64(in);
	grants = read_u64(in);
	free = read_u64(in);
	judged_read(in, &list);
	accepted = read_u64(in);
	if (accepted)
		next_read(in, &next, &base);
	if (!reader_done(in)) {
		env_drop(e, DROP_VALUE);
		return;
	}
	if (!c || c->step != CHANGE_PREPARE || ballot != c->ballot || !replica_votes(r))
		return;
	judged_take(e, r, list);
	c->promised |= 1u << h->place;
	if (complete) {
		c->complete |= 1u << h->place;
		c->digest[h->place] = digest;
		if (r->store.grants < grants && r->complete)
			r->store.grants = grants;
	}
	if (accepted > c->accepted) {
		c->accepted = accepted;
		c->next = next;
		c->base = base;
	}
	if (c->free < free)
		c->free = free;
	if (bits(c->promised) < view_majority(&r->view))
		return;
	if (c->accepted && c->accepted >= c->free)
		adopt_step(d, e, r);
	else if (c->complete)
		merge_step(d, e, r);
}

void refuse_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in)
{
	uint64_t ballot = read_u64(in);

	(void)h;
	if (!reader_done(in) || !r->change || ballot <= r->change->ballot || ballot >> 3 >= UINT64_MAX >> 4)
		return;
	if (r->promised < ballot)
		r->promised = ballot;		/* so that our next one is higher; saved with it */
	change_end(d, e, r);
	r->sealed_ns = e->now_ns;
	replica_wake(d, e, r, e->now_ns + DRIVE_NS);
}

/* All new members are ready, and a majority: what is asked for now can be decided. */
static bool enough_staged(const struct replica *r)
{
	const struct change *c = r->change;

	for (unsigned i = 0; i < c->next.members; i++)
		if (!(c->staged >> i & 1) && view_place(&r->view, c->next.member[i].id) < 0)
			return false;
	return bits(c->staged) >= view_majority(&c->next);
}

static void avoid(struct change *c, struct id id)
{
	if (c->avoids < 2 * VIEW_MAX)
		c->avoid[c->avoids++] = id;
}

/*
 * Who is asked to come and says nothing is not waited for: others are asked
 * beside it. Who is in the next view was not told anybody before all there are
 * ready, so it may still change; whoever is ready first gets the place.
 */
static void stage_others(struct dht *d, struct env *e, struct replica *r)
{
	struct change *c = r->change;
	struct view next;
	uint8_t staged = 0;

	for (unsigned i = 0; i < c->next.members; i++)
		if (!(c->staged >> i & 1))
			avoid(c, c->next.member[i].id);
	c->others_ns = e->now_ns + PATIENCE_NS;
	if (!choose_next(d, e, r, c, &next))
		return;
	for (unsigned i = 0; i < next.members; i++) {
		int at = view_place(&c->next, next.member[i].id);

		if (at < 0 || !(c->staged >> at & 1))
			continue;
		next.member[i].life = c->next.member[at].life;
		staged |= 1u << i;
	}
	next.name = c->next.name;
	c->next = next;
	c->staged = staged;
	if (bits(staged) == next.members)
		step_to(d, e, r, CHANGE_ACCEPT);
	else
		tell_step(d, e, r);
}

/* One we no longer waited for is ready after all: it takes the place of a new one that is not. -1: there is none. */
static int stage_after_all(struct change *c, const struct replica *r, struct id from)
{
	for (unsigned k = 0; !c->accepted && k < c->avoids; k++) {
		if (!id_eq(c->avoid[k], from))
			continue;
		for (int i = 0; i < c->next.members; i++) {
			if (c->staged >> i & 1 || view_place(&r->view, c->next.member[i].id) >= 0)
				continue;
			c->avoid[k] = c->next.member[i].id;
			c->next.member[i].id = from;
			return i;
		}
	}
	return -1;
}

void staged_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in)
{
	uint64_t ballot = read_u64(in);
	struct change *c = r->change;
	struct incarnation life;
	int at;

	life_read(in, &life);
	if (!reader_done(in)) {
		env_drop(e, DROP_VALUE);
		return;
	}
	if (!c || c->step != CHANGE_STAGE || ballot != c->ballot || view_cmp(h->view, r->view.name))
		return;
	at = view_place(&c->next, h->from);
	if (at < 0)
		at = stage_after_all(c, r, h->from);
	if (at < 0 || (c->accepted && !life_eq(c->next.member[at].life, life)))
		return;
	c->next.member[at].life = life;
	c->staged |= 1u << at;
	if (id_eq(c->source, ID_ZERO)) {
		c->source = h->from;
		tell_step(d, e, r);
	}
	if (bits(c->staged) == c->next.members)
		step_to(d, e, r, CHANGE_ACCEPT);
}

void free_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in)
{
	uint64_t ballot = read_u64(in), free = read_u64(in);
	struct change *c = r->change;

	if (!reader_done(in)) {
		env_drop(e, DROP_VALUE);
		return;
	}
	if (!c || c->step != CHANGE_STAGE || ballot != c->ballot || !c->accepted || view_cmp(h->view, r->view.name) ||
	    free <= c->accepted || !c->complete || view_place(&c->next, h->from) < 0)
		return;
	merge_step(d, e, r);
}

void accepted_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in)
{
	uint64_t ballot = read_u64(in), base;
	struct view_name follows = r->view.name;
	struct slot_name slot = r->slot;
	struct change *c = r->change;
	struct view old, next;

	if (!reader_done(in)) {
		env_drop(e, DROP_VALUE);
		return;
	}
	if (!c || c->step != CHANGE_ACCEPT || ballot != c->ballot)
		return;
	c->agreed |= 1u << h->place;
	if (bits(c->agreed) < view_majority(&r->view))
		return;
	old = r->view;
	next = c->next;
	base = c->base;
	change_end(d, e, r);
	if (view_place(&next, d->self->id) >= 0) {
		view_decided(d, e, &slot, &next, follows, base);
		r = replica_find(d, &slot);
		if (r)
			spread_begin(d, e, r, &old, &next, false);
		return;
	}
	if (!r->next && !(r->next = mem_get(&e->mem, sizeof(*r->next)))) {
		env_drop(e, DROP_MEMORY);
		return;
	}
	*r->next = next;
	r->next_base = base;
	spread_begin(d, e, r, &old, &next, true);	/* we go when its primary knows; view_due() */
}

/* ---- time ---- */

/* How many members that live stand before us among those that may take over. */
static unsigned rank(const struct dht *d, const struct env *e, const struct replica *r)
{
	unsigned n = 0;

	for (int i = 1; i < replica_place(d, r); i++)
		n += !dht_dead(d, e, r->view.member[i].id);
	return n;
}

/* Until when need the primary not speak? It may have heard later than we that the ring changed. */
static int64_t silence_ends(const struct dht *d, const struct env *e, const struct replica *r)
{
	int64_t from = r->heard_ns > d->replicas->stirred_ns ? r->heard_ns : d->replicas->stirred_ns;

	return from + 3 * replica_pause(d, e, r, from);
}

/* Should the view change, and is it on us to say so? */
void view_review(struct dht *d, struct env *e, struct replica *r)
{
	int me = replica_place(d, r);
	bool urgent = false;
	struct letter l;
	int64_t after;

	if (!replica_votes(r) || r->change || replica_going(r) || me < 0 || r->unborn)
		return;
	after = (int64_t)rank(d, e, r) * NS_PER_S;
	if (r->promised) {
		if (e->now_ns >= r->sealed_ns + DRIVE_NS + after)
			view_drive(d, e, r);
	} else if (!me) {
		if (!r->writer)
			view_drive(d, e, r);
		else if (r->complete && !r->unborn && choose_wanted(d, e, r, &urgent) &&
			 (urgent || e->now_ns >= r->changed_ns + SETTLE_NS))
			view_drive(d, e, r);
	} else {
		if (r->leaving)
			letter_now(d, e, letter_open(&l, d, WORD_LEAVE, &r->slot, r->view.name), r->view.member[0].id);
		if (!r->doubt_ns && dht_dead(d, e, r->view.member[0].id))
			r->doubt_ns = e->now_ns - SILENT_NS;
		if (!r->doubt_ns && e->now_ns >= silence_ends(d, e, r)) {
			r->heard_ns = r->doubt_ns = e->now_ns;
			letter_now(d, e, letter_open(&l, d, WORD_WANT, &r->slot, r->view.name), r->view.member[0].id);
		}
		if (r->doubt_ns && e->now_ns >= r->doubt_ns + SILENT_NS + after)
			view_drive(d, e, r);
	}
}

static int64_t review_due(struct dht *d, struct env *e, struct replica *r)
{
	int64_t after = (int64_t)rank(d, e, r) * NS_PER_S, pause = replica_pause(d, e, r, e->now_ns), due;

	if (r->change || replica_going(r) || !replica_votes(r))
		return INT64_MAX;
	due = e->now_ns + (pause > PING_NS ? pause : 2 * NS_PER_S);
	if (r->promised)
		due = r->sealed_ns + DRIVE_NS + after;
	else if (r->doubt_ns)
		due = r->doubt_ns + SILENT_NS + after;
	else if (r->leaving)
		due = e->now_ns + RESEND_NS;
	else if (replica_place(d, r) > 0)
		due = least(due, silence_ends(d, e, r));
	return due > e->now_ns ? due : e->now_ns + RESEND_NS;
}

static int64_t change_due(struct dht *d, struct env *e, struct replica *r)
{
	struct change *c = r->change;

	if (c->step == CHANGE_STAGE && c->until_ns <= e->now_ns)
		for (unsigned i = 0; i < c->next.members; i++)
			if (!(c->staged >> i & 1))
				avoid(c, c->next.member[i].id);
	if (c->step == CHANGE_STAGE && enough_staged(r) && c->again_ns <= e->now_ns) {
		step_to(d, e, r, CHANGE_ACCEPT);
	} else if (c->until_ns <= e->now_ns) {
		if (c->tries >= 3) {			/* perhaps we alone are cut off: not for ever in a hurry */
			change_end(d, e, r);
			r->sealed_ns = e->now_ns + random_around(&e->random, 2 * NS_PER_S);
			return r->sealed_ns + DRIVE_NS;
		}
		pull_end(d, e, r);
		if (r->promised < c->ballot)
			r->promised = c->ballot;
		prepare(d, e, r);
	} else if (c->step == CHANGE_STAGE && !c->accepted && c->others_ns <= e->now_ns) {
		stage_others(d, e, r);
	} else if (c->again_ns <= e->now_ns) {
		tell_step(d, e, r);
		if (c->step == CHANGE_STAGE)
			tell_sealed(d, e, r);
	}
	return c->step == CHANGE_MERGE ? c->until_ns : least(c->until_ns, c->again_ns);
}

int64_t view_due(struct dht *d, struct env *e, struct replica *r)
{
	struct slot_name slot = r->slot;
	int64_t spread_ns = INT64_MAX;

	if (!r->view.members) {				/* staged, and never told what became of it */
		if (!r->stage || e->now_ns >= r->stage->since_ns + HINT_NS) {
			stage_end(d, e, r);
			replica_del(d, e, r);
			return INT64_MAX;
		}
		if (e->now_ns >= r->stage->since_ns + 5 * NS_PER_S)
			seek_op(d, e, &slot, (struct bytes){ 0 });
		return e->now_ns + 10 * NS_PER_S;
	}
	if (r->change)
		return change_due(d, e, r);
	if (r->spread) {
		spread_ns = spread_due(d, e, r);
		if (!replica_find(d, &slot) || replica_going(r))
			return spread_ns;
	}
	if (r->unborn && !r->duty) {			/* whoever was to tell the root is silent: perhaps it did */
		lives_tell(d, e, r);
		return least(spread_ns, e->now_ns + 5 * NS_PER_S);
	}
	return least(least(spread_ns, replica_sweep(d, e, r)), review_due(d, e, r));
}
