/*
 * One member copies the records of another, in ranges of keys.
 *
 * The one who needs them asks from a key on; the source answers with a few
 * chunks, each holding all it has in [first, next). A chunk that does not begin
 * where we stand is dropped and asked for again. So the source remembers nothing, and
 * what it has may change meanwhile: each range is as it was when it was told.
 */
#include "core/dht/replica.h"

enum { CHUNKS = 6, CHUNK_BYTES = 900, TRIES = 12 };

void pull_end(struct dht *d, struct env *e, struct replica *r)
{
	(void)d;
	mem_put(&e->mem, r->pull, sizeof(*r->pull));
	r->pull = NULL;
}

static void ask(struct dht *d, struct env *e, struct replica *r)
{
	struct pull *p = r->pull;
	struct letter l;

	letter_open(&l, d, WORD_PULL, &r->slot, p->view);
	write_u64(&l.w, p->base);
	write_u64(&l.w, p->next_key);
	letter_now(d, e, &l, p->from);
	p->again_ns = e->now_ns + random_around(&e->random, RESEND_NS << (p->tries < 4 ? p->tries : 4));
	replica_wake(d, e, r, p->again_ns);
}

void pull_begin(struct dht *d, struct env *e, struct replica *r, enum pull_why why, struct id from, struct view_name v,
		uint64_t base)
{
	struct pull *p = r->pull;

	if (p && p->why == why && id_eq(p->from, from) && !view_cmp(p->view, v) && p->base == base)
		return;
	if (p && why == PULL_CATCH_UP && p->why == PULL_STAGE)
		return;				/* the next view is near: that one's records count */
	if (!p)
		p = r->pull = mem_get(&e->mem, sizeof(*p));
	if (!p) {
		env_drop(e, DROP_MEMORY);
		return;
	}
	*p = (struct pull){ .view = v, .from = from, .base = base, .why = (uint8_t)why };
	ask(d, e, r);
}

/* ---- the source ---- */

static void chunks_tell(struct dht *d, struct env *e, const struct replica *r, const struct heard *h,
			const struct store *s, uint64_t base, uint64_t key)
{
	unsigned i = 0;

	while (i < s->count && s->kept[i].key < key)
		i++;
	for (unsigned n = 0; n < CHUNKS; n++) {
		struct letter l;
		uint8_t *count_at, *last_at, *next_at;
		uint64_t next = UINT64_MAX;
		unsigned count = 0;
		bool last;

		letter_open(&l, d, WORD_CHUNK, &r->slot, h->view);
		write_u64(&l.w, base);
		write_u64(&l.w, key);
		last_at = write_space(&l.w, 1);
		next_at = write_space(&l.w, 8);
		write_u64(&l.w, s->grants);
		count_at = write_space(&l.w, 2);
		for (; i < s->count && (!count || writer_len(&l.w) + KEPT_WIRE + s->kept[i].len <= CHUNK_BYTES); i++, count++)
			kept_write(&l.w, &s->kept[i], e->now_ns);
		last = i == s->count;
		if (!last)
			next = s->kept[i - 1].key + 1;
		*last_at = last;
		for (unsigned b = 0; b < 8; b++)
			next_at[b] = (uint8_t)(next >> (56 - 8 * b));
		count_at[0] = (uint8_t)(count >> 8);
		count_at[1] = (uint8_t)count;
		letter_send(d, e, &l, h->from, r->head_token ? r->head_token : 1);
		if (last)
			return;
		key = next;
	}
}

void pull_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in)
{
	uint64_t base = read_u64(in), key = read_u64(in);
	const struct stage *s = r->stage;

	if (!reader_done(in)) {
		env_drop(e, DROP_VALUE);
		return;
	}
	if (base) {
		if (s && s->done && s->ballot == base && !view_cmp(s->follows, h->view)) {
			chunks_tell(d, e, r, h, s->same ? &r->store : &s->store, base, key);
			if (key && r->change && r->change->base == base)
				view_goes_on(d, e, r);
		} else if (r->view.members && view_cmp(r->view.name, h->view) > 0)
			start_tell(d, e, r, h->from);
		return;
	}
	if (!r->view.members || view_cmp(r->view.name, h->view) < 0)
		return;
	if (view_cmp(r->view.name, h->view) > 0)
		start_tell(d, e, r, h->from);
	else if (r->complete && (h->place >= 0 || r->rejoin || view_place(&r->view, h->from) >= 0))
		chunks_tell(d, e, r, h, &r->store, 0, key);
}

/* ---- the one who needs them ---- */

static struct store *target(struct replica *r)
{
	return r->pull->why == PULL_STAGE ? &r->stage->store : &r->store;
}

/* Of what we have in [first, next), what the source does not have goes: it is from a past that was not chosen. */
static void clear_range(struct dht *d, struct env *e, struct replica *r, uint64_t first, uint64_t next, bool last,
			struct reader in, unsigned count)
{
	struct store *s = target(r);
	uint8_t set = r->pull->why == PULL_STAGE ? r->set ^ 1 : r->set;
	struct kept k;
	bool more = count && kept_read(&in, &k, e->now_ns);
	unsigned i = 0;

	while (i < s->count && s->kept[i].key < first)
		i++;
	while (i < s->count && (last || s->kept[i].key < next)) {
		while (more && k.key < s->kept[i].key)
			more = --count && kept_read(&in, &k, e->now_ns);
		if ((more && k.key == s->kept[i].key) ||
		    (r->pull->why == PULL_CATCH_UP && !view_cmp(s->kept[i].stamp.view, r->view.name))) {
			i++;
			continue;
		}
		replica_save_kept(d, e, r, set, s->kept[i].key, NULL);
		store_del(s, &e->mem, i);
	}
}

static bool take(struct dht *d, struct env *e, struct replica *r, const struct kept *k)
{
	struct store *s = target(r);
	uint8_t set = r->pull->why == PULL_STAGE ? r->set ^ 1 : r->set;
	const struct kept *old = store_find(s, k->key);
	bool newest = r->pull->why == PULL_MERGE || r->pull->why == PULL_ADOPT ||
		      (old && !view_cmp(old->stamp.view, r->view.name) && r->pull->why == PULL_CATCH_UP);

	if (old && newest && stamp_cmp(old->stamp, k->stamp) >= 0)
		return true;
	old = store_put(s, &e->mem, k);
	return old && replica_save_kept(d, e, r, set, k->key, old);
}

static void whole(struct dht *d, struct env *e, struct replica *r)
{
	struct pull p = *r->pull;

	pull_end(d, e, r);
	switch (p.why) {
	case PULL_STAGE:
		stage_pulled(d, e, r);
		return;
	case PULL_MERGE:
		merge_pulled(d, e, r, p.from);
		return;
	case PULL_ADOPT:
		adopt_pulled(d, e, r, p.from);
		return;
	case PULL_CATCH_UP:
		r->complete = true;
		replica_save(d, e, r);
		if (r->change)
			merge_pulled(d, e, r, p.from);
		else if (r->rejoin)
			adopt_pulled(d, e, r, p.from);
		else if (r->writer)
			primary_begin(d, e, r);
		replica_wake(d, e, r, e->now_ns);
		return;
	}
}

void chunk_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in)
{
	uint64_t base = read_u64(in), first = read_u64(in), next, grants;
	uint8_t last = read_u8(in);
	struct pull *p = r->pull;
	unsigned count;
	struct kept k;
	struct reader check;
	uint64_t key = first;

	next = read_u64(in);
	grants = read_u64(in);
	count = read_u16(in);
	check = *in;
	for (unsigned i = 0; i < count && reader_ok(&check); i++, key = k.key + 1)
		if (kept_read(&check, &k, e->now_ns) && (k.key < key || (!last && k.key >= next)))
			check.bad = true;
	if (!reader_done(&check) || (!last && next <= first)) {
		env_drop(e, DROP_VALUE);
		return;
	}
	if (!p || !id_eq(p->from, h->from) || view_cmp(p->view, h->view) || p->base != base || p->next_key != first)
		return;
	if (p->why == PULL_STAGE ? !r->stage || r->stage->done : p->why == PULL_CATCH_UP && r->complete)
		return;
	if (p->why == PULL_STAGE || p->why == PULL_CATCH_UP)
		clear_range(d, e, r, first, next, last, *in, count);
	for (unsigned i = 0; i < count; i++)
		if (!kept_read(in, &k, e->now_ns) || !take(d, e, r, &k))
			return;				/* no room: asked for again */
	if (target(r)->grants < grants)
		target(r)->grants = grants;
	p->tries = 0;
	view_goes_on(d, e, r);
	if (last) {
		whole(d, e, r);
		return;
	}
	p->next_key = next;
	p->again_ns = e->now_ns + 20 * NS_PER_MS;	/* the next chunk of this burst may be here already */
	replica_wake(d, e, r, p->again_ns);
}

int64_t pull_due(struct dht *d, struct env *e, struct replica *r)
{
	struct pull *p = r->pull;
	int me = replica_place(d, r);

	if (!p && r->view.members && r->proven && !r->complete && !r->promised && me >= 0 && r->view.members > 1) {
		unsigned at = me ? 0 : 1 + random_below(&e->random, r->view.members - 1u);

		pull_begin(d, e, r, PULL_CATCH_UP, r->view.member[at].id, r->view.name, 0);
		p = r->pull;
	}
	if (!p)
		return INT64_MAX;
	if (p->again_ns <= e->now_ns) {
		if (++p->tries > TRIES || (p->why == PULL_CATCH_UP && !me && p->tries > 3)) {
			pull_end(d, e, r);	/* somebody else, or not at all: whoever needed it begins again */
			return e->now_ns + RESEND_NS;
		}
		ask(d, e, r);
	}
	return p->again_ns;
}
