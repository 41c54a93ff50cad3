/*
 * Who comes back from a disk does not vote until it is proven.
 *
 * A disk may be older than the promises made from it, and cannot know. So each
 * life of a node has its own incarnation, members keep each other's, and a word
 * of another life counts for nothing. Back from a disk we ask all other members
 * to save our new one. They do if the last they know is one of those before that
 * our disk remembers: a disk that went back does not know the newest. A majority of the others that are proven themselves and say
 * yes is enough; their promises and records are taken over, ours forgotten: any
 * majority that we were part of has at least one member among them. If all
 * answer, unproven ones count too, and our own disk beside theirs: that is how
 * a view comes back of which all members stopped.
 *
 * Refused, we say LOST to the primary: it takes us into the next view as
 * somebody new, or does without us.
 */
#include "core/dht/replica.h"

void rejoin_end(struct dht *d, struct env *e, struct replica *r)
{
	(void)d;
	mem_put(&e->mem, r->rejoin, sizeof(*r->rejoin));
	r->rejoin = NULL;
}

static void tell(struct dht *d, struct env *e, struct replica *r)
{
	struct rejoin *j = r->rejoin;
	struct letter l;
	int me = replica_place(d, r);

	for (unsigned i = 0; i < r->view.members; i++) {
		if ((int)i == me || j->confirmed >> i & 1)
			continue;
		letter_open(&l, d, WORD_REJOIN, &r->slot, r->view.name);
		life_write(&l.w, j->before);
		for (unsigned k = 0; k < LIVES; k++)
			life_write(&l.w, d->replicas->past[k]);
		letter_now(d, e, &l, r->view.member[i].id);
	}
	j->again_ns = e->now_ns + random_around(&e->random, RESEND_NS << (j->tries < 5 ? j->tries : 5));
	if (j->tries < 255)
		j->tries++;
	replica_wake(d, e, r, j->again_ns);
}

static void proven(struct dht *d, struct env *e, struct replica *r)
{
	int me = replica_place(d, r);

	r->proven = true;
	if (!r->rejoin->pulled)
		r->rejoin->pulled = 0xff;
	r->view.member[me].life = d->replicas->life;
	rejoin_end(d, e, r);
	pull_end(d, e, r);
	replica_save(d, e, r);
	d->account.rejoins++;
	r->heard_ns = r->changed_ns = e->now_ns;
	if (r->promised)
		r->sealed_ns = e->now_ns;
	if (r->spread) {
		mem_put(&e->mem, r->spread, sizeof(*r->spread));
		r->spread = NULL;
	}
	replica_wake(d, e, r, e->now_ns);
}

/* Enough have said yes: their records, one after the other, then we vote. */
static void adopt(struct dht *d, struct env *e, struct replica *r)
{
	struct rejoin *j = r->rejoin;
	unsigned others = r->view.members - 1u, yes = bits(j->confirmed & j->proven);
	int me = replica_place(d, r);
	bool all = bits(j->confirmed | j->refused) == others && bits(j->confirmed) + 1 >= view_majority(&r->view);
	uint8_t from;

	if (r->pull)
		return;
	if (others && yes < others / 2 + 1 && !all)
		return;
	from = j->confirmed & j->complete & (yes >= others / 2 + 1 ? j->proven : 0xff) & ~j->pulled;
	for (unsigned i = 0; i < r->view.members; i++) {
		bool fresh = !j->pulled && yes >= others / 2 + 1;

		if (!(from >> i & 1) || (int)i == me)
			continue;
		if (r->complete && j->digest[i] == store_digest(&r->store)) {
			j->pulled |= 1u << i;
			continue;
		}
		if (fresh || !r->complete) {	/* the first answer replaces what our disk says */
			r->complete = false;
			pull_begin(d, e, r, PULL_CATCH_UP, r->view.member[i].id, r->view.name, 0);
		} else {
			pull_begin(d, e, r, PULL_ADOPT, r->view.member[i].id, r->view.name, 0);
		}
		return;
	}
	proven(d, e, r);
}

void adopt_pulled(struct dht *d, struct env *e, struct replica *r, struct id from)
{
	int at = view_place(&r->view, from);

	if (!r->rejoin || at < 0)
		return;
	r->rejoin->pulled |= 1u << at;
	adopt(d, e, r);
}

void rejoin_begin(struct dht *d, struct env *e, struct replica *r)
{
	int me = replica_place(d, r);

	change_end(d, e, r);
	pull_end(d, e, r);
	primary_end(d, e, r);
	r->proven = r->writer = false;
	r->head_token = 0;
	d->replicas->told++;
	if (me < 0) {
		r->due_ns = e->now_ns;
		return;
	}
	if (!r->rejoin)
		r->rejoin = mem_get(&e->mem, sizeof(*r->rejoin));
	if (!r->rejoin) {
		env_drop(e, DROP_MEMORY);
		return;
	}
	*r->rejoin = (struct rejoin){ .before = r->view.member[me].life };
	if (r->view.members == 1 && !life_none(r->rejoin->before))
		proven(d, e, r);		/* nobody else ever voted: our disk decides */
	else if (r->view.members == 1)
		replica_wake(d, e, r, e->now_ns);
	else
		tell(d, e, r);
}

void rejoin_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in)
{
	struct incarnation before;
	int at = view_place(&r->view, h->from);
	struct view_member *m;
	struct letter l;
	bool yes = false;

	life_read(in, &before);
	if (at >= 0)
		yes = life_eq(r->view.member[at].life, before) || life_eq(r->view.member[at].life, h->life);
	for (unsigned i = 0; i < LIVES; i++) {
		struct incarnation past;

		life_read(in, &past);
		yes |= at >= 0 && !life_none(past) && life_eq(r->view.member[at].life, past);
	}
	if (!reader_done(in)) {
		env_drop(e, DROP_VALUE);
		return;
	}
	if (!r->view.members || view_cmp(r->view.name, h->view) < 0)
		return;
	if (view_cmp(r->view.name, h->view) > 0) {
		start_tell(d, e, r, h->from);
		return;
	}
	if (at < 0 || life_none(h->life))
		return;
	m = &r->view.member[at];
	if (yes && !life_eq(m->life, h->life)) {
		m->life = h->life;
		if (r->duty)
			for (unsigned i = 0; i < r->store.count; i++)
				r->store.kept[i].acks &= ~(1u << at);
		if (!replica_save(d, e, r))
			return;
	}
	letter_open(&l, d, WORD_REJOINED, &r->slot, r->view.name);
	life_write(&l.w, h->life);
	write_u8(&l.w, (uint8_t)(yes | r->proven << 1 | r->complete << 2 | (r->next != NULL) << 3));
	write_u64(&l.w, r->promised);
	write_u64(&l.w, store_digest(&r->store));
	write_u64(&l.w, r->store.grants);
	if (r->next) {
		write_u64(&l.w, r->accepted);
		write_u64(&l.w, r->next_base);
		view_write(&l.w, r->next);
	}
	letter_send(d, e, &l, h->from, r->head_token ? r->head_token : replica_save(d, e, r));
}

static void take_promises(struct env *e, struct replica *r, uint64_t promised, uint64_t accepted, uint64_t base,
			  const struct view *next)
{
	if (r->promised < promised)
		r->promised = promised;
	if (!accepted || (r->next && r->accepted >= accepted))
		return;
	if (!r->next && !(r->next = mem_get(&e->mem, sizeof(*r->next))))
		return;
	r->accepted = accepted;
	r->next_base = base;
	*r->next = *next;
}

void rejoined_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in)
{
	struct rejoin *j = r->rejoin;
	int at = view_place(&r->view, h->from);
	uint64_t promised, digest, grants, accepted = 0, base = 0;
	struct view next = { 0 };
	struct incarnation to;
	uint8_t flags;
	struct letter l;

	life_read(in, &to);
	flags = read_u8(in);
	promised = read_u64(in);
	digest = read_u64(in);
	grants = read_u64(in);
	if (flags & 1 << 3) {
		accepted = read_u64(in);
		base = read_u64(in);
		view_read(in, &next);
	}
	if (!reader_done(in)) {
		env_drop(e, DROP_VALUE);
		return;
	}
	if (!j || at < 0 || view_cmp(h->view, r->view.name) || !life_eq(to, d->replicas->life))
		return;
	if (!(flags & 1)) {
		if (!(j->refused >> at & 1))
			d->account.rejoins_refused++;
		j->refused |= 1u << at;
		letter_now(d, e, letter_open(&l, d, WORD_LOST, &r->slot, r->view.name), h->from);
		return;
	}
	/* Proven ones speak for the life we know, or we could not tell an old answer. Unproven ones tell a new one. */
	j->confirmed |= 1u << at;
	j->refused &= ~(1u << at);
	j->proven = (uint8_t)((j->proven & ~(1u << at)) | (flags >> 1 & 1) << at);
	j->complete = (uint8_t)((j->complete & ~(1u << at)) | (flags >> 2 & 1) << at);
	j->digest[at] = digest;
	take_promises(e, r, promised, accepted, base, &next);
	if (r->store.grants < grants)
		r->store.grants = grants;
	adopt(d, e, r);
}

int64_t rejoin_due(struct dht *d, struct env *e, struct replica *r)
{
	struct rejoin *j = r->rejoin;

	if (!j)
		return INT64_MAX;
	if (r->view.members == 1) {
		if (life_none(j->before))
			return founder_due(d, e, r);
		proven(d, e, r);
		return INT64_MAX;
	}
	if (j->again_ns <= e->now_ns) {
		if (j->tries == 4 || j->tries % 16 == 15)
			seek_op(d, e, &r->slot, (struct bytes){ 0 });	/* perhaps it went on without us, elsewhere */
		tell(d, e, r);
	}
	return j->again_ns;
}
