/*
 * The table of slots this node is a member of, what of them is on disk, and
 * letters that wait for it.
 *
 * On disk a slot is one head (view, promises, flags) and one item for each
 * record. Records come in two halves: those of the present view, and those
 * staged for a next one. The head says which half is which, so that one save
 * turns the page. Saves become durable in the order they are asked for; a
 * letter that says "I saved" or "I promise" is held until its own is.
 */
#include "core/dht/replica.h"

#include <assert.h>
#include <sodium.h>

enum { ITEM_HEAD = 'H', ITEM_KEPT = 'K', ITEM_LEFT = 'L' };

static int slot_cmp(const struct slot_name *a, const struct slot_name *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return id_cmp(a->network, b->network);
}

static unsigned place(const struct replicas *rs, const struct slot_name *s)
{
	unsigned lo = 0, hi = rs->count;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (slot_cmp(&rs->at[mid]->slot, s) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct replica *replica_find(const struct dht *d, const struct slot_name *s)
{
	const struct replicas *rs = d->replicas;
	unsigned i = rs ? place(rs, s) : 0;

	return rs && i < rs->count && slot_eq(&rs->at[i]->slot, s) ? rs->at[i] : NULL;
}

struct replica *replica_add(struct dht *d, struct env *e, const struct slot_name *s)
{
	struct replicas *rs = replicas_get(d, e);
	struct replica *r;
	unsigned i;

	if (!rs)
		return NULL;
	i = place(rs, s);
	assert(i == rs->count || !slot_eq(&rs->at[i]->slot, s));
	if (rs->count == REPLICAS_MAX) {
		env_drop(e, DROP_FULL);
		return NULL;
	}
	if (rs->count == rs->cap && !mem_grow(&e->mem, &rs->at, &rs->cap, rs->cap + rs->cap / 2 + 4, sizeof(*rs->at))) {
		env_drop(e, DROP_MEMORY);
		return NULL;
	}
	r = mem_get(&e->mem, sizeof(*r));
	if (!r) {
		env_drop(e, DROP_MEMORY);
		return NULL;
	}
	r->slot = *s;
	r->point = slot_point(s);
	r->due_ns = INT64_MAX;
	memmove(&rs->at[i + 1], &rs->at[i], (rs->count - i) * sizeof(*rs->at));
	rs->at[i] = r;
	rs->count++;
	return r;
}

/* All it took but its saved items. */
static void drop_parts(struct dht *d, struct env *e, struct replica *r)
{
	primary_end(d, e, r);
	change_end(d, e, r);
	rejoin_end(d, e, r);
	pull_end(d, e, r);
	if (r->stage) {
		store_done(&r->stage->store, &e->mem);
		mem_put(&e->mem, r->stage, sizeof(*r->stage));
		r->stage = NULL;
	}
	mem_put(&e->mem, r->spread, sizeof(*r->spread));
	mem_put(&e->mem, r->next, sizeof(*r->next));
	r->spread = NULL;
	r->next = NULL;
	store_done(&r->store, &e->mem);
}

void replica_del(struct dht *d, struct env *e, struct replica *r)
{
	struct replicas *rs = d->replicas;
	unsigned i = place(rs, &r->slot);

	replica_forget(d, e, r, r->set, &r->store);
	if (r->stage)
		replica_forget(d, e, r, r->set ^ 1, &r->stage->store);
	r->view.members = 0;
	replica_save(d, e, r);
	drop_parts(d, e, r);
	mem_put(&e->mem, r, sizeof(*r));
	rs->count--;
	memmove(&rs->at[i], &rs->at[i + 1], (rs->count - i) * sizeof(*rs->at));
}

void replica_only_staged(struct dht *d, struct env *e, struct replica *r)
{
	if (!r->view.members)
		return;
	primary_end(d, e, r);
	change_end(d, e, r);
	rejoin_end(d, e, r);
	if (r->pull && r->pull->why != PULL_STAGE)
		pull_end(d, e, r);
	mem_put(&e->mem, r->spread, sizeof(*r->spread));
	mem_put(&e->mem, r->next, sizeof(*r->next));
	r->spread = NULL;
	r->next = NULL;
	r->view = (struct view){ 0 };
	r->promised = r->accepted = r->next_base = r->base = 0;
	r->proven = r->complete = r->writer = r->unborn = false;
	replica_save(d, e, r);
	replica_forget(d, e, r, r->set, &r->store);
	store_done(&r->store, &e->mem);
	replica_wake(d, e, r, e->now_ns);
}

/* ---- who we are in this life ---- */

void life_read(struct reader *r, struct incarnation *l)
{
	l->count = read_u64(r);
	l->chance = read_u64(r);
}

void life_write(struct writer *w, struct incarnation l)
{
	write_u64(w, l.count);
	write_u64(w, l.chance);
}

static void life_save(struct replicas *rs, struct env *e)
{
	uint8_t buf[16];
	struct writer w = writer_of(buf, sizeof(buf));

	life_write(&w, rs->life);
	rs->life_token = env_save(e, SAVE_SELF, 0, buf, sizeof(buf));
}

static void life_draw(struct replicas *rs, struct env *e)
{
	rs->life.count = (life_none(rs->life) ? rs->last.count : rs->life.count) + 1;
	rs->life.chance = random_u64(&e->random);
	life_save(rs, e);
}

struct replicas *replicas_get(struct dht *d, struct env *e)
{
	if (!d->replicas) {
		d->replicas = mem_get(&e->mem, sizeof(*d->replicas));
		if (!d->replicas)
			env_drop(e, DROP_MEMORY);
	}
	if (d->replicas && life_none(d->replicas->life) && !d->replicas->loading)
		life_draw(d->replicas, e);
	return d->replicas;
}

/* ---- what is saved ---- */

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

static void name_write(struct writer *w, struct view_name n)
{
	write_u32(w, n.generation);
	write_u32(w, n.number);
}

static struct view_name name_read(struct reader *r)
{
	struct view_name n;

	n.generation = read_u32(r);
	n.number = read_u32(r);
	return n;
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
		r->stage->store.grants = read_u64(in);
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
		life_read(&in, &rs->last);
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

/* Nobody knows how long we were away: every term begins again. */
static void terms_anew(struct dht *d, struct env *e, struct replica *r, struct store *s)
{
	const struct network_record *n = replica_network(d, r);
	uint16_t drift = n ? n->drift_ppm : UINT16_MAX;

	for (unsigned i = 0; i < s->count; i++) {
		struct kept *k = &s->kept[i];
		uint32_t term_s = k->gone && n && n->term_s > k->term_s ? n->term_s : k->term_s;

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

void replicas_free(struct dht *d, struct env *e)
{
	struct replicas *rs = d->replicas;

	if (!rs)
		return;
	for (unsigned i = 0; i < rs->count; i++) {
		drop_parts(d, e, rs->at[i]);
		mem_put(&e->mem, rs->at[i], sizeof(*rs->at[i]));
	}
	for (unsigned i = 0; i < rs->holds; i++)
		mem_put(&e->mem, rs->hold[i].bytes, rs->hold[i].len);
	seeks_free(d, e);
	mem_put(&e->mem, rs->at, rs->cap * sizeof(*rs->at));
	mem_put(&e->mem, rs->hold, rs->hold_cap * sizeof(*rs->hold));
	mem_put(&e->mem, rs->hint, rs->hint_cap * sizeof(*rs->hint));
	mem_put(&e->mem, rs->missing, rs->missing_cap * sizeof(*rs->missing));
	mem_put(&e->mem, rs, sizeof(*rs));
	d->replicas = NULL;
}

/* ---- letters ---- */

struct letter *letter_open(struct letter *l, struct dht *d, enum word word, const struct slot_name *slot, struct view_name v)
{
	l->w = writer_of(l->buf, sizeof(l->buf));
	write_u8(&l->w, word);
	slot_write(&l->w, slot);
	name_write(&l->w, v);
	life_write(&l->w, d->replicas->life);
	return l;
}

void mail_hold(struct dht *d, struct env *e, struct id to, uint8_t mode, uint8_t body, struct bytes data, struct id via,
	       uint64_t token)
{
	struct replicas *rs = d->replicas;
	struct parked *h;

	if (!token || data.len > UINT16_MAX)
		return;
	if (rs->holds == rs->hold_cap) {
		if (rs->holds >= HOLDS_MAX) {
			env_drop(e, DROP_FULL);
			return;
		}
		if (!mem_grow(&e->mem, &rs->hold, &rs->hold_cap, rs->hold_cap + rs->hold_cap / 2 + 8, sizeof(*rs->hold))) {
			env_drop(e, DROP_MEMORY);
			return;
		}
	}
	h = &rs->hold[rs->holds];
	*h = (struct parked){ .token = token, .to = to, .len = (uint16_t)data.len, .mode = mode, .body = body, .via = via };
	h->bytes = mem_get(&e->mem, data.len);
	if (!h->bytes) {
		env_drop(e, DROP_MEMORY);
		return;
	}
	memcpy(h->bytes, data.at, data.len);
	rs->holds++;
}

void letter_send(struct dht *d, struct env *e, struct letter *l, struct id to, uint64_t token)
{
	struct replicas *rs = d->replicas;

	assert(!l->w.bad);
	if (!rs->life_token)
		life_save(rs, e);
	if (token && token < rs->life_token)
		token = rs->life_token;
	if (rs->life_token)
		mail_hold(d, e, to, ROUTE_EXACT, BODY_SLOT, (struct bytes){ l->buf, writer_len(&l->w) }, ID_ZERO, token);
}

void letter_now(struct dht *d, struct env *e, struct letter *l, struct id to)
{
	letter_send(d, e, l, to, 1);
}

void letter_route(struct dht *d, struct env *e, struct letter *l, struct id point)
{
	mail_hold(d, e, point, ROUTE_OWNER, BODY_SLOT, (struct bytes){ l->buf, writer_len(&l->w) }, ID_ZERO, 1);
}

static void word_in(struct dht *d, struct env *e, struct id from, struct bytes data);

/*
 * What may go, goes; in the order it was written. Words to ourselves come in
 * here, and may write new letters.
 */
void replicas_flush(struct dht *d, struct env *e)
{
	struct replicas *rs = d->replicas;
	unsigned i = 0;

	if (!rs || rs->flushing)
		return;
	rs->flushing = true;
	while (i < rs->holds) {
		struct parked h = rs->hold[i];
		struct bytes data = { h.bytes, h.len };

		if (h.token > rs->durable && h.token > 1) {
			i++;
			continue;
		}
		rs->holds--;
		memmove(&rs->hold[i], &rs->hold[i + 1], (rs->holds - i) * sizeof(*rs->hold));
		if (h.body == BODY_SLOT && h.mode == ROUTE_EXACT && id_eq(h.to, d->self->id))
			word_in(d, e, h.to, data);
		else
			dht_post(d, e, h.to, h.mode, h.body, data, id_eq(h.via, ID_ZERO) ? NULL : &h.via);
		mem_put(&e->mem, h.bytes, h.len);
		i = 0;
	}
	rs->flushing = false;
}

void replicas_saved(struct dht *d, struct env *e, uint64_t token)
{
	if (d->replicas && token > d->replicas->durable) {
		d->replicas->durable = token;
		replicas_flush(d, e);
	}
}

/* ---- words ---- */

/* Words that only members of one and the same view say to each other. */
static void member_word(struct dht *d, struct env *e, struct replica *r, struct heard *h, struct reader *in)
{
	int c = view_cmp(h->view, r->view.name);

	if (!r->view.members || c > 0) {
		struct letter l;

		letter_now(d, e, letter_open(&l, d, WORD_WANT, &h->slot, h->view), h->from);
		return;
	}
	if (c < 0) {
		start_tell(d, e, r, h->from);
		return;
	}
	if (h->place < 0) {
		env_drop(e, DROP_STALE);
		return;
	}
	if (!h->place) {
		r->heard_ns = e->now_ns;
		r->doubt_ns = 0;
	}
	switch (h->word) {
	case WORD_WRITE:
		write_in(d, e, r, h, in);
		break;
	case WORD_SAVED:
		saved_in(d, e, r, h, in);
		break;
	case WORD_PING:
		ping_in(d, e, r, h, in);
		break;
	case WORD_PONG:
		pong_in(d, e, r, h, in);
		break;
	case WORD_PREPARE:
		prepare_in(d, e, r, h, in);
		break;
	case WORD_PROMISE:
		promise_in(d, e, r, h, in);
		break;
	case WORD_REFUSE:
		refuse_in(d, e, r, h, in);
		break;
	case WORD_ACCEPT:
		accept_in(d, e, r, h, in);
		break;
	case WORD_ACCEPTED:
		accepted_in(d, e, r, h, in);
		break;
	}
}

/* Nobody here: say who is, or that we should be and are not. */
static void stranger_word(struct dht *d, struct env *e, const struct heard *h)
{
	const struct hint *n = hint_find(d, &h->slot);
	struct letter l;

	if (n && view_cmp(n->view.name, h->view) > 0) {
		letter_open(&l, d, WORD_START, &h->slot, n->follows);
		write_u64(&l.w, n->base);
		view_write(&l.w, &n->view);
		letter_now(d, e, &l, h->from);
	} else if (h->word == WORD_WRITE || h->word == WORD_PING || h->word == WORD_PREPARE) {
		letter_now(d, e, letter_open(&l, d, WORD_WANT, &h->slot, h->view), h->from);
	}
}

static void want_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h)
{
	struct letter l;

	if (!r->view.members)
		return;
	if (view_cmp(r->view.name, h->view) >= 0 || h->place >= 0)
		start_tell(d, e, r, h->from);
	if (h->place >= 0 && replica_votes(r)) {
		letter_open(&l, d, WORD_PONG, &r->slot, r->view.name);
		write_u64(&l.w, 0);
		write_u8(&l.w, r->complete);
		letter_now(d, e, &l, h->from);
	}
}

static void word_in(struct dht *d, struct env *e, struct id from, struct bytes data)
{
	struct reader in = reader_of(data.at, data.len);
	struct heard h = { .from = from, .place = -1 };
	struct replica *r;

	h.word = read_u8(&in);
	h.slot = slot_read(&in);
	h.view = name_read(&in);
	life_read(&in, &h.life);
	if (!reader_ok(&in) || !h.word || h.word >= WORDS) {
		env_drop(e, DROP_VALUE);
		return;
	}
	if (!replicas_get(d, e))
		return;
	r = replica_find(d, &h.slot);
	if (r && r->view.members && !view_cmp(h.view, r->view.name)) {
		h.place = view_place(&r->view, from);
		if (h.place >= 0 && !life_eq(r->view.member[h.place].life, h.life))
			h.place = -1;
	}
	switch (h.word) {
	case WORD_START:
		start_in(d, e, &h, &in);
		return;
	case WORD_WHERE:
		where_in(d, e, &h);
		return;
	case WORD_HERE:
		here_in(d, e, &h, &in);
		return;
	case WORD_BIRTH:
		birth_in(d, e, &h, &in, data);
		return;
	case WORD_BORN:
		born_in(d, e, &h, &in);
		return;
	case WORD_BEGIN:
		begin_in(d, e, &h, &in);
		return;
	case WORD_BEGUN:
		begun_in(d, e, &h);
		return;
	case WORD_LIVES:
		lives_in(d, e, &h, data);
		return;
	case WORD_LIVES_ACK:
		lives_ack_in(d, e, &h);
		return;
	case WORD_OFFER:
		offer_in(d, e, r, &h, &in);
		return;
	}
	if (!r) {
		stranger_word(d, e, &h);
		return;
	}
	switch (h.word) {
	case WORD_WANT:
		want_in(d, e, r, &h);
		break;
	case WORD_STAGED:
		staged_in(d, e, r, &h, &in);
		break;
	case WORD_FREE:
		free_in(d, e, r, &h, &in);
		break;
	case WORD_STARTED:
		started_in(d, e, r, &h);
		break;
	case WORD_PULL:
		pull_in(d, e, r, &h, &in);
		break;
	case WORD_CHUNK:
		chunk_in(d, e, r, &h, &in);
		break;
	case WORD_LEAVE:
	case WORD_LOST:
		lost_in(d, e, r, &h);
		break;
	case WORD_REJOIN:
		rejoin_in(d, e, r, &h, &in);
		break;
	case WORD_REJOINED:
		rejoined_in(d, e, r, &h, &in);
		break;
	default:
		member_word(d, e, r, &h, &in);
		break;
	}
}

void replicas_mail(struct dht *d, struct env *e, const struct ring_mail *m)
{
	word_in(d, e, m->from, m->data);
	replicas_flush(d, e);
}

/* ---- time ---- */

void replica_wake(struct dht *d, struct env *e, struct replica *r, int64_t due_ns)
{
	(void)d;
	if (due_ns < r->due_ns)
		r->due_ns = due_ns;
	if (due_ns < heap_due(&e->timers, TIMER_DHT_SLOTS))
		heap_set(&e->timers, &e->mem, TIMER_DHT_SLOTS, due_ns);
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* What it stands for may change the table, so that the slot is looked for again. */
static int64_t look_after(struct dht *d, struct env *e, struct slot_name slot)
{
	int64_t due = INT64_MAX;
	struct replica *r;

	view_review(d, e, replica_find(d, &slot));
	if ((r = replica_find(d, &slot)))
		due = least(due, rejoin_due(d, e, r));
	if ((r = replica_find(d, &slot)))
		due = least(due, pull_due(d, e, r));
	if ((r = replica_find(d, &slot)))
		due = least(due, primary_due(d, e, r));
	if ((r = replica_find(d, &slot)))
		due = least(due, view_due(d, e, r));
	return due;
}

void replicas_timer(struct dht *d, struct env *e, uint16_t tag)
{
	struct replicas *rs = d->replicas;
	int64_t due = INT64_MAX;

	if (!rs)
		return;
	if (tag == TIMER_DHT_SEEK) {
		seeks_timer(d, e);
		replicas_flush(d, e);
		return;
	}
	for (unsigned i = 0; i < rs->count; i++) {
		struct slot_name slot = rs->at[i]->slot;

		if (rs->at[i]->due_ns <= e->now_ns) {
			struct replica *r;
			int64_t next;

			rs->at[i]->due_ns = INT64_MAX;
			next = look_after(d, e, slot);
			r = replica_find(d, &slot);
			if (!r) {
				i--;
				continue;
			}
			r->due_ns = least(r->due_ns, next);
		}
		due = least(due, rs->at[i]->due_ns);
	}
	replicas_flush(d, e);
	if (d->replicas->count)
		heap_set(&e->timers, &e->mem, TIMER_DHT_SLOTS,
			 least(due > e->now_ns ? due : e->now_ns + NS_PER_MS, heap_due(&e->timers, TIMER_DHT_SLOTS)));
}

void replicas_ring(struct dht *d, struct env *e)
{
	struct replicas *rs = d->replicas;

	if (!rs)
		return;
	for (unsigned i = 0; i < rs->count; i++)
		replica_wake(d, e, rs->at[i], e->now_ns + NS_PER_MS);
}

void replicas_resumed(struct dht *d, struct env *e, bool clone)
{
	struct replicas *rs = d->replicas;

	if (!rs)
		return;
	if (clone) {
		rs->last = rs->life;
		life_draw(rs, e);
		for (unsigned i = 0; i < rs->count; i++)
			if (rs->at[i]->view.members)
				rejoin_begin(d, e, rs->at[i]);
	}
	replicas_ring(d, e);
	replicas_flush(d, e);
}

bool replicas_leave(struct dht *d, struct env *e)
{
	struct replicas *rs = d->replicas;
	unsigned left = 0;

	if (!rs)
		return true;
	rs->leaving = true;
	for (unsigned i = 0; i < rs->count; i++) {
		struct replica *r = rs->at[i];

		if (!r->view.members)
			continue;
		left++;
		if (!r->leaving) {
			r->leaving = true;
			if (r->duty)
				d->account.handovers++;
			replica_wake(d, e, r, e->now_ns);
		}
	}
	replicas_flush(d, e);
	return !left;
}

uint32_t replicas_bytes(const struct dht *d)
{
	const struct replicas *rs = d->replicas;
	uint32_t bytes = 0;

	if (!rs)
		return 0;
	bytes = sizeof(*rs) + rs->cap * (uint32_t)sizeof(*rs->at) + rs->hold_cap * (uint32_t)sizeof(*rs->hold) +
		rs->hint_cap * (uint32_t)sizeof(*rs->hint) + rs->missing_cap * (uint32_t)sizeof(*rs->missing);
	for (unsigned i = 0; i < rs->count; i++) {
		const struct replica *r = rs->at[i];

		bytes += sizeof(*r) + r->store.cap * (uint32_t)sizeof(*r->store.kept) + r->store.bytes +
			 (r->duty ? (uint32_t)sizeof(*r->duty) : 0);
	}
	return bytes;
}
