/*
 * What a member promises and accepts while its view ends; view.c says how, and
 * drives it. Who promised a ballot is sealed, and promises and accepts none
 * below it; both are saved before they are said.
 */
#include "core/dht/replica.h"

struct letter *ballot_letter(struct letter *l, struct dht *d, const struct replica *r, enum word word, uint64_t ballot)
{
	letter_open(l, d, word, &r->slot, r->view.name);
	write_u64(&l->w, ballot);
	return l;
}

void next_write(struct writer *w, const struct view *v, uint64_t base)
{
	write_u64(w, base);
	view_write(w, v);
}

bool next_read(struct reader *in, struct view *v, uint64_t *base)
{
	*base = read_u64(in);
	return view_read(in, v);
}

void ballot_refuse(struct dht *d, struct env *e, struct replica *r, struct id to)
{
	struct letter l;

	letter_send(d, e, ballot_letter(&l, d, r, WORD_REFUSE, r->promised), to, r->head_token);
}

/* Promise @ballot; the token of the save that holds it, 0 if a higher one was promised (or it cannot be saved). */
uint64_t ballot_promise(struct dht *d, struct env *e, struct replica *r, uint64_t ballot)
{
	if (ballot > r->promised) {
		if (r->change && r->change->ballot != ballot)
			change_end(d, e, r);
		r->promised = ballot;
		r->sealed_ns = e->now_ns;
		replica_wake(d, e, r, e->now_ns + DRIVE_NS);
		return replica_save(d, e, r);
	}
	r->sealed_ns = e->now_ns;		/* its driver is at work */
	return r->head_token ? r->head_token : replica_save(d, e, r);
}

void prepare_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in)
{
	uint64_t ballot = read_u64(in), token;
	struct letter l;

	if (!reader_done(in) || (int)(ballot & 7) != h->place) {
		env_drop(e, DROP_VALUE);
		return;
	}
	if (!replica_votes(r))
		return;
	if (replica_going(r)) {
		start_tell(d, e, r, h->from);
		return;
	}
	if (ballot < r->promised) {
		ballot_refuse(d, e, r, h->from);
		return;
	}
	token = ballot_promise(d, e, r, ballot);
	ballot_letter(&l, d, r, WORD_PROMISE, ballot);
	write_u8(&l.w, r->complete);
	write_u64(&l.w, store_digest(&r->store));
	write_u64(&l.w, r->store.grants);
	write_u64(&l.w, r->stage && !view_cmp(r->stage->follows, r->view.name) ? r->stage->ballot : 0);
	judged_promise(&l.w, r);
	write_u64(&l.w, r->next ? r->accepted : 0);
	if (r->next)
		next_write(&l.w, r->next, r->next_base);
	letter_send(d, e, &l, h->from, token);
}

void accept_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in)
{
	uint64_t ballot = read_u64(in), base;
	struct view next;
	struct letter l;

	if (!next_read(in, &next, &base) || !reader_done(in) || (int)(ballot & 7) != h->place ||
	    view_cmp(next.name, r->view.name) <= 0) {
		env_drop(e, DROP_VALUE);
		return;
	}
	if (!replica_votes(r))
		return;
	if (replica_going(r)) {
		start_tell(d, e, r, h->from);
		return;
	}
	if (ballot < r->promised) {
		ballot_refuse(d, e, r, h->from);
		return;
	}
	if (!r->next && !(r->next = mem_get(&e->mem, sizeof(*r->next)))) {
		env_drop(e, DROP_MEMORY);
		return;
	}
	if (r->change && r->change->ballot != ballot)
		change_end(d, e, r);
	if (!r->promised)
		r->sealed_ns = e->now_ns;
	r->promised = r->accepted = ballot;
	*r->next = next;
	r->next_base = base;
	replica_wake(d, e, r, e->now_ns + DRIVE_NS);
	letter_send(d, e, ballot_letter(&l, d, r, WORD_ACCEPTED, ballot), h->from, replica_save(d, e, r));
}
