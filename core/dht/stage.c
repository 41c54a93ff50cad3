/*
 * The first records of a view that may be decided. They stand beside those of
 * the present view until it is; then one save turns the page (start.c).
 */
#include "core/dht/replica.h"

void stage_end(struct dht *d, struct env *e, struct replica *r)
{
	if (!r->stage)
		return;
	if (r->pull && r->pull->why == PULL_STAGE)
		pull_end(d, e, r);
	replica_forget(d, e, r, r->set ^ 1, &r->stage->store);
	store_done(&r->stage->store, &e->mem);
	mem_put(&e->mem, r->stage, sizeof(*r->stage));
	r->stage = NULL;
}

/* Our own records, as they are, are staged as @ballot. */
bool stage_own(struct dht *d, struct env *e, struct replica *r, uint64_t ballot)
{
	stage_end(d, e, r);
	r->stage = mem_get(&e->mem, sizeof(*r->stage));
	if (!r->stage) {
		env_drop(e, DROP_MEMORY);
		return false;
	}
	*r->stage = (struct stage){
		.follows = r->view.name, .ballot = ballot, .verified = ballot, .driver = d->self->id,
		.life = d->replicas->life, .since_ns = e->now_ns, .same = true, .done = true,
	};
	return replica_save(d, e, r);
}

static void staged_tell(struct dht *d, struct env *e, struct replica *r, uint64_t token)
{
	struct letter l;

	letter_open(&l, d, WORD_STAGED, &r->slot, r->stage->follows);
	write_u64(&l.w, r->stage->verified);
	life_write(&l.w, r->stage->life);
	letter_send(d, e, &l, r->stage->driver, token);
}

void stage_pulled(struct dht *d, struct env *e, struct replica *r)
{
	if (!r->stage || r->stage->done)
		return;
	r->stage->done = true;
	r->stage->life = d->replicas->life;
	staged_tell(d, e, r, replica_save(d, e, r));
}

/* We stage something already. False: there is nothing more to do about this offer. */
static bool staged_before(struct dht *d, struct env *e, struct replica *r, const struct heard *h, uint64_t ballot,
			  uint64_t base, uint64_t relied)
{
	struct stage *s = r->stage;
	int c = view_cmp(s->follows, h->view);
	struct letter l;

	if (c > 0 || (!c && s->verified > ballot))
		return false;
	if (c < 0)
		return true;
	if (s->ballot != base) {
		if (!relied || s->ballot < relied)
			return true;
		letter_open(&l, d, WORD_FREE, &h->slot, h->view);
		write_u64(&l.w, ballot);
		write_u64(&l.w, s->ballot);
		letter_now(d, e, &l, h->from);
		return false;
	}
	s->driver = h->from;
	if (s->done && s->verified < ballot) {
		s->verified = ballot;
		staged_tell(d, e, r, replica_save(d, e, r));
	} else if (s->done) {
		staged_tell(d, e, r, r->head_token ? r->head_token : replica_save(d, e, r));
	} else {
		s->verified = ballot;
	}
	return false;
}

static bool offer_stands(struct dht *d, struct env *e, const struct replica *r, const struct heard *h)
{
	const struct hint *n = hint_find(d, &h->slot);

	if (r && r->view.members && view_cmp(r->view.name, h->view) > 0) {
		start_tell(d, e, r, h->from);
		return false;
	}
	if (!r && n && n->left && view_cmp(n->view.name, h->view) > 0) {
		env_drop(e, DROP_STALE);
		return false;
	}
	return true;
}

void offer_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in)
{
	uint64_t ballot = read_u64(in), base = read_u64(in), relied = read_u64(in), digest = read_u64(in);
	struct id source = read_id(in);
	bool member;

	if (!reader_done(in) || !ballot || base > ballot || relied >= ballot || (!relied && base != ballot)) {
		env_drop(e, DROP_VALUE);
		return;
	}
	if (!offer_stands(d, e, r, h) || (!r && !(r = replica_add(d, e, &h->slot))))
		return;
	if (!replica_network(d, r))
		charter_want(d, e, h->slot.network, h->from);
	member = r->view.members && !view_cmp(r->view.name, h->view) && replica_votes(r);
	if (member) {
		if (h->place < 0)
			return;
		if (ballot < r->promised) {
			ballot_refuse(d, e, r, h->from);
			return;
		}
		if (!ballot_promise(d, e, r, ballot))	/* who stages "what I have" must not have more tomorrow */
			return;
	}
	if (r->stage && !staged_before(d, e, r, h, ballot, base, relied))
		return;
	if (relied && id_eq(source, ID_ZERO))
		return;
	stage_end(d, e, r);
	r->stage = mem_get(&e->mem, sizeof(*r->stage));
	if (!r->stage) {
		env_drop(e, DROP_MEMORY);
		return;
	}
	*r->stage = (struct stage){
		.follows = h->view, .ballot = base, .verified = ballot, .driver = h->from, .since_ns = e->now_ns,
	};
	if (!relied && member && r->complete && store_digest(&r->store) == digest) {
		r->stage->same = true;
		stage_pulled(d, e, r);
	} else {
		pull_begin(d, e, r, PULL_STAGE, relied ? source : h->from, h->view, base);
	}
}

