/*
 * The table of slots this node is a member of, who it is in this life, and time.
 */
#include "core/dht/replica.h"

#include <assert.h>

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
	judged_sweep(e, r, true);
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
	judged_sweep(e, r, true);
	replica_wake(d, e, r, e->now_ns);
}

/* ---- who we are in this life ---- */

void name_write(struct writer *w, struct view_name n)
{
	write_u32(w, n.generation);
	write_u32(w, n.number);
}

struct view_name name_read(struct reader *r)
{
	struct view_name n;

	n.generation = read_u32(r);
	n.number = read_u32(r);
	return n;
}

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

void life_save(struct replicas *rs, struct env *e)
{
	uint8_t buf[16 * LIVES];
	struct writer w = writer_of(buf, sizeof(buf));

	life_write(&w, rs->life);
	for (unsigned i = 0; i + 1 < LIVES; i++)
		life_write(&w, rs->past[i]);
	rs->life_token = env_save(e, SAVE_SELF, 0, buf, sizeof(buf));
}

void life_draw(struct replicas *rs, struct env *e)
{
	rs->life.count = (life_none(rs->life) ? rs->past[0].count : rs->life.count) + 1;
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

/* ---- time ---- */

void replica_wake(struct dht *d, struct env *e, struct replica *r, int64_t due_ns)
{
	(void)d;
	if (due_ns < r->due_ns)
		r->due_ns = due_ns;
	if (due_ns < heap_due(&e->timers, TIMER_DHT_SLOTS))
		heap_set(&e->timers, &e->mem, TIMER_DHT_SLOTS, due_ns);
}

int64_t replica_pause(const struct dht *d, const struct env *e, const struct replica *r, int64_t at_ns)
{
	int64_t stirred = d->replicas->stirred_ns, quiet = at_ns - (r->changed_ns > stirred ? r->changed_ns : stirred);

	return quiet <= PING_NS || !choose_watched(d, e, r) ? PING_NS : least(quiet, QUIET_NS);
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

static void stir(struct dht *d, struct env *e)
{
	struct replicas *rs = d->replicas;

	rs->stirred_ns = e->now_ns;
	for (unsigned i = 0; i < rs->count; i++)
		primary_soon(e, rs->at[i]);
}

void replicas_ring(struct dht *d, struct env *e)
{
	struct replicas *rs = d->replicas;
	struct id all[2 * NEAR_KNOW_MAX + 1];
	unsigned count = rs ? dht_around(d, d->self->id, all, 2 * NEAR_KNOW_MAX + 1) : 0;
	uint64_t around = 0;

	if (!rs)
		return;
	for (unsigned i = 0; i < count; i++)
		around += mixed_u64(all[i].hi ^ all[i].lo);
	if (around != rs->around)
		stir(d, e);
	rs->around = around;
	for (unsigned i = 0; i < rs->count; i++)
		replica_wake(d, e, rs->at[i], e->now_ns + NS_PER_MS);
}

void replicas_resumed(struct dht *d, struct env *e, bool clone)
{
	struct replicas *rs = d->replicas;

	if (!rs)
		return;
	if (clone) {
		memmove(rs->past + 1, rs->past, sizeof(rs->past) - sizeof(rs->past[0]));
		rs->past[0] = rs->life;
		life_draw(rs, e);
		for (unsigned i = 0; i < rs->count; i++)
			if (rs->at[i]->view.members)
				rejoin_begin(d, e, rs->at[i]);
	}
	stir(d, e);
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
	bytes = seeks_bytes(d) + sizeof(*rs) + rs->cap * (uint32_t)sizeof(*rs->at) + rs->hold_cap * (uint32_t)sizeof(*rs->hold) +
		rs->hint_cap * (uint32_t)sizeof(*rs->hint) + rs->missing_cap * (uint32_t)sizeof(*rs->missing);
	for (unsigned i = 0; i < rs->count; i++) {
		const struct replica *r = rs->at[i];

		bytes += sizeof(*r) + r->store.cap * (uint32_t)sizeof(*r->store.kept) + r->store.bytes +
			 r->judged_cap * (uint32_t)sizeof(*r->judged) + (r->duty ? (uint32_t)sizeof(*r->duty) : 0);
	}
	return bytes;
}
