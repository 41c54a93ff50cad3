/*
 * What of slots is on disk.
 *
 * A slot is one head (view, promises, flags) and one item for each
 * record. Records come in two halves: those of the present view, and those
 * staged for a next one. The head says which half is which, so that one save
 * turns the page. Saves become durable in the order they are asked for.
 */
#include "core/dht/replica.h"

#include <assert.h>
#include <sodium.h>

enum { ITEM_HEAD = 'H', ITEM_KEPT = 'K', ITEM_LEFT = 'L' };

static uint64_t part(const struct slot_name *s, uint8_t item, uint8_t set, uint64_t key)
{
	uint8_t buf[1 + 1 + 8 + 1 + ID_BYTES + 8], out[16] = { 0 };
	struct writer w = writer_of(buf, sizeof(buf));
	struct reader r = reader_of(out, sizeof(out));

	write_u8(&w, item);
	write_u8(&w, set);
	write_u64(&w, key);
	slot_write(&w, s);
	crypto_generichash_blake2b(out, sizeof(out), buf, writer_len(&w), NULL, 0);
	return read_u64(&r);
}

uint64_t replica_save(struct dht *d, struct env *e, struct replica *r)
{
	uint8_t buf[1024];
	struct writer w = writer_of(buf, sizeof(buf));
	const struct stage *s = r->stage;

	d->replicas->told++;
	if (!r->view.members && !(s && s->done)) {
		r->head_token = env_save(e, SAVE_SLOT, part(&r->slot, ITEM_HEAD, 0, 0), NULL, 0);
		return r->head_token;
	}
	write_u8(&w, ITEM_HEAD);
	slot_write(&w, &r->slot);
	write_u8(&w, r->set);
	write_u8(&w, (uint8_t)(r->complete | r->unborn << 1 | (r->view.members != 0) << 2 | (r->next != NULL) << 3 |
			       (s && s->done) << 4 | (s && s->same) << 5));
	write_u64(&w, r->store.grants);
	if (r->view.members)
		view_write(&w, &r->view);
	name_write(&w, r->follows);
	write_u64(&w, r->base);
	write_u64(&w, r->promised);
	if (r->next) {
		write_u64(&w, r->accepted);
		write_u64(&w, r->next_base);
		view_write(&w, r->next);
	}
	if (s && s->done) {
		name_write(&w, s->follows);
		write_u64(&w, s->ballot);
		write_u64(&w, s->verified);
		life_write(&w, s->life);
		write_u64(&w, s->store.grants);
	}
	assert(!w.bad);
	r->head_token = env_save(e, SAVE_SLOT, part(&r->slot, ITEM_HEAD, 0, 0), buf, (uint32_t)writer_len(&w));
	return r->head_token;
}

void replica_save_left(struct env *e, const struct slot_name *s, const struct view *v, struct view_name follows,
		       uint64_t base)
{
	uint8_t buf[300];
	struct writer w = writer_of(buf, sizeof(buf));

	write_u8(&w, ITEM_LEFT);
	slot_write(&w, s);
	name_write(&w, follows);
	write_u64(&w, base);
	view_write(&w, v);
	env_save(e, SAVE_SLOT, part(s, ITEM_HEAD, 0, 0), buf, (uint32_t)writer_len(&w));
}

static void load_left(struct dht *d, struct env *e, const struct slot_name *s, struct reader *in)
{
	struct view_name follows = name_read(in);
	uint64_t base = read_u64(in);
	struct view v;

	if (view_read(in, &v))
		hint_put(d, e, s, &v, follows, base, true);
}

uint64_t replica_save_kept(struct dht *d, struct env *e, const struct replica *r, uint8_t set, uint64_t key,
			   const struct kept *k)
{
	uint8_t buf[64 + KEPT_WIRE + KEPT_BYTES];
	struct writer w = writer_of(buf, sizeof(buf));

	(void)d;
	if (k) {
		write_u8(&w, ITEM_KEPT);
		slot_write(&w, &r->slot);
		write_u8(&w, set);
		kept_write(&w, k, e->now_ns);
		assert(!w.bad);
	}
	return env_save(e, SAVE_SLOT, part(&r->slot, ITEM_KEPT, set, key), buf, (uint32_t)writer_len(&w));
}

void replica_forget(struct dht *d, struct env *e, const struct replica *r, uint8_t set, const struct store *s)
{
	for (unsigned i = 0; i < s->count; i++)
		replica_save_kept(d, e, r, set, s->kept[i].key, NULL);
}

static struct stage *stage_get(struct env *e, struct replica *r)
{
	if (!r->stage)
		r->stage = mem_get(&e->mem, sizeof(*r->stage));
	return r->stage;
}

static void load_head(struct env *e, struct replica *r, struct reader *in)
{
	struct view next;
	uint64_t grants;
	uint8_t flags;

	r->set = read_u8(in) & 1;
	flags = read_u8(in);
	r->complete = flags & 1;
	r->unborn = flags >> 1 & 1;
	grants = read_u64(in);
	if (r->store.grants < grants)
		r->store.grants = grants;
	if (flags & 1 << 2)
		view_read(in, &r->view);
	r->follows = name_read(in);
	r->base = read_u64(in);
	r->promised = read_u64(in);
	if (flags & 1 << 3) {
		r->accepted = read_u64(in);
		r->next_base = read_u64(in);
		r->next = view_read(in, &next) ? mem_get(&e->mem, sizeof(next)) : NULL;
		if (r->next)
			*r->next = next;
		else
			in->bad = true;
	}
	if (flags & 1 << 4 && stage_get(e, r)) {
		r->stage->follows = name_read(in);
		r->stage->ballot = read_u64(in);
		r->stage->verified = read_u64(in);
		life_read(in, &r->stage->life);
		grants = read_u64(in);
		if (r->stage->store.grants < grants)	/* its records may have come first, or be ours: settle() */
			r->stage->store.grants = grants;
		r->stage->done = true;
		r->stage->same = flags >> 5 & 1;
		r->stage->since_ns = e->now_ns;
	}
}

/* Until the head has told which half is which, half 0 stands in the store and half 1 in the stage. */
void replicas_load(struct dht *d, struct env *e, const struct saved *s)
{
	struct reader in = reader_of(s->data.at, s->data.len);
	struct replicas *rs;
	struct slot_name slot;
	struct replica *r;
	struct kept k;
	uint8_t item, set;

	if (!d->replicas && !(d->replicas = mem_get(&e->mem, sizeof(*d->replicas))))
		return;
	rs = d->replicas;
	rs->loading = true;
	if (s->kind == SAVE_SELF) {
		for (unsigned i = 0; i < LIVES && reader_left(&in); i++)
			life_read(&in, &rs->past[i]);
		return;
	}
	item = read_u8(&in);
	slot = slot_read(&in);
	if (reader_ok(&in) && item == ITEM_LEFT)
		load_left(d, e, &slot, &in);
	if (!reader_ok(&in) || (item != ITEM_HEAD && item != ITEM_KEPT))
		return;
	r = replica_find(d, &slot);
	if (!r)
		r = replica_add(d, e, &slot);
	if (!r)
		return;
	if (item == ITEM_HEAD) {
		load_head(e, r, &in);
		if (in.bad) {
			r->view.members = 0;
			env_drop(e, DROP_VALUE);
		}
		return;
	}
	set = read_u8(&in) & 1;
	if (kept_read(&in, &k, e->now_ns) && (!set || stage_get(e, r)))
		store_put(set ? &r->stage->store : &r->store, &e->mem, &k);
}

/* Nobody knows how long we were away: every term begins again, unless it was over already. */
static void terms_anew(struct dht *d, struct env *e, struct replica *r, struct store *s)
{
	const struct network_record *n = replica_network(d, r);
	uint16_t drift = n ? n->drift_ppm : UINT16_MAX;

	for (unsigned i = 0; i < s->count; i++) {
		struct kept *k = &s->kept[i];
		uint32_t term_s;

		if (k->until_ns <= e->now_ns)
			continue;
		term_s = k->gone && n && n->term_s > k->term_s ? n->term_s : k->term_s;
		k->until_ns = e->now_ns + term_kept_ns(term_s, drift);
	}
}

static void settle(struct dht *d, struct env *e, struct replica *r)
{
	struct store other = { 0 };

	if (r->stage) {
		other = r->stage->store;
		if (r->set) {			/* the halves are the other way round */
			uint64_t grants = r->store.grants, staged = other.grants;

			r->stage->store = r->store;
			r->store = other;
			if (r->store.grants < grants)
				r->store.grants = grants;
			if (r->stage->done && r->stage->store.grants < staged)
				r->stage->store.grants = staged;
		}
		if (!r->stage->done || r->stage->same) {
			replica_forget(d, e, r, r->set ^ 1, &r->stage->store);
			store_done(&r->stage->store, &e->mem);
		}
		if (!r->stage->done) {
			mem_put(&e->mem, r->stage, sizeof(*r->stage));
			r->stage = NULL;
		} else {
			terms_anew(d, e, r, &r->stage->store);
		}
	}
	terms_anew(d, e, r, &r->store);
}

void replicas_start(struct dht *d, struct env *e)
{
	struct replicas *rs = d->replicas;

	if (rs) {
		rs->loading = false;
		life_draw(rs, e);
		for (unsigned i = 0; i < rs->count; i++)
			settle(d, e, rs->at[i]);
		for (unsigned i = 0; i < rs->count;) {
			struct replica *r = rs->at[i];

			if (!r->view.members && !(r->stage && r->stage->done)) {
				replica_del(d, e, r);
				continue;
			}
			i++;
			if (r->view.members)
				rejoin_begin(d, e, r);
			else
				replica_wake(d, e, r, e->now_ns);
		}
	}
	for (unsigned i = 0; i < d->charters; i++)
		generation_purge(d, e, &d->charter[i]);
	for (unsigned i = 0; i < d->charters; i++)
		founder_start(d, e, &d->charter[i]);
	replicas_flush(d, e);
}

