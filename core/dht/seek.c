/*
 * Whose slot is this? Ops come to the node that owns the slot's point; it may
 * know the view, or one of those around it does. If nobody does, the root is
 * asked whether the slot may be born here.
 *
 *	NEAR	those around the point are asked; meanwhile ops wait
 *	ROOT	nobody knew it: the nearest that answered are proposed as first view;
 *		or, if everybody who asks only reads, the root says that it does not exist
 *	BEGIN	the root agreed: they begin, empty; a majority of them saved that:
 *		the root is told that it lives, and only then does it serve
 *	CHANGE	we are a member, and the view is about to change: ops wait for the next
 *
 * Who asks for any address does not wait where nobody can say how long: there are other slots.
 */
#include "core/dht/replica.h"

enum { ASKED = 2 * VIEW_MAX + 1, OPS = 16, SEEKS_MAX = 512 };

#define NEAR_NS		(600 * NS_PER_MS)
#define SEEK_NS		(8 * NS_PER_S)

struct seek {
	struct slot_name slot;
	struct id asked[ASKED];
	struct incarnation life[ASKED];
	uint16_t answered;		/* bits */
	uint8_t count, ops, tries;
	uint8_t readers;		/* of op: the first so many only read, and the root was asked on their behalf ... */
	uint64_t asking;		/* ... as this: what it says of others' asking is too old for them */
	enum { SEEK_NEAR, SEEK_ROOT, SEEK_BEGIN, SEEK_LATER, SEEK_CHANGE } step;
	struct view first;
	uint8_t begun;
	uint32_t wait_ms;
	bool reclaim;			/* it lived, and nobody has known it for longer than any lease stands */
	int64_t until_ns, again_ns, ends_ns;
	struct bytes op[OPS];		/* ours */
};

/* ---- hints ---- */

struct hint *hint_find(const struct dht *d, const struct slot_name *s)
{
	struct replicas *rs = d->replicas;

	for (unsigned i = 0; rs && i < rs->hints; i++)
		if (slot_eq(&rs->hint[i].slot, s))
			return &rs->hint[i];
	return NULL;
}

/* How long may it be passed on? Where lost slots are reclaimed only for as long as members speak: else the dead were known for ever. */
int64_t hint_life(const struct dht *d, const struct slot_name *s)
{
	const struct charter *c = charter_find(d, s->network);
	bool reclaim = c && c->record.policy == POLICY_RECLAIM && s->kind != SLOT_ROOT;

	return reclaim ? 3 * PING_NS : QUIET_NS;
}

bool hint_good(const struct dht *d, const struct env *e, const struct hint *h)
{
	return e->now_ns - h->heard_ns < hint_life(d, &h->slot);
}

void hint_put(struct dht *d, struct env *e, const struct slot_name *s, const struct view *v, struct view_name follows,
	      uint64_t base, bool left)
{
	struct replicas *rs = replicas_get(d, e);
	struct hint *h = hint_find(d, s), *old = NULL;

	if (!rs)
		return;
	if (h && view_cmp(h->view.name, v->name) > 0)
		return;
	for (unsigned i = 0; !h && i < rs->hints; i++) {
		int64_t age = e->now_ns - rs->hint[i].heard_ns;

		if ((age > HINT_NS && !hint_good(d, e, &rs->hint[i])) ||
		    (rs->hints >= HINTS_MAX && (!rs->hint[i].left || age > GONE_NS) &&
		     (!old || rs->hint[i].heard_ns < old->heard_ns)))
			old = &rs->hint[i];
	}
	if (!h)
		h = old;
	if (!h) {
		if (rs->hints == rs->hint_cap &&
		    !mem_grow(&e->mem, &rs->hint, &rs->hint_cap, rs->hint_cap + rs->hint_cap / 2 + 4, sizeof(*h))) {
			env_drop(e, DROP_MEMORY);
			return;
		}
		h = &rs->hint[rs->hints++];
		*h = (struct hint){ 0 };
	}
	if (!slot_eq(&h->slot, s))
		h->left = false;
	*h = (struct hint){
		.slot = *s, .view = *v, .follows = follows, .base = base, .heard_ns = e->now_ns, .left = left || h->left,
	};
}

/* ---- seeking ---- */

static struct seek *seek_find(const struct dht *d, const struct slot_name *s)
{
	struct replicas *rs = d->replicas;

	for (unsigned i = 0; rs && i < rs->seeks; i++)
		if (slot_eq(&rs->seek[i].slot, s))
			return &rs->seek[i];
	return NULL;
}

static void seek_end(struct dht *d, struct env *e, struct seek *k, bool refuse)
{
	struct replicas *rs = d->replicas;
	struct question q;

	for (unsigned i = 0; i < k->ops; i++) {
		if (refuse && question_read(k->op[i], &q) == DROP_NONE)
			op_refuse(d, e, &q, VERDICT_WAIT, NULL);
		mem_put(&e->mem, (void *)k->op[i].at, k->op[i].len);
	}
	*k = rs->seek[--rs->seeks];
	if (rs->seeks)
		return;
	mem_put(&e->mem, rs->seek, rs->seek_cap * sizeof(*rs->seek));
	rs->seek = NULL;
	rs->seek_cap = 0;
}

void seeks_free(struct dht *d, struct env *e)
{
	struct replicas *rs = d->replicas;

	while (rs->seeks)
		seek_end(d, e, &rs->seek[0], false);
}

uint32_t seeks_bytes(const struct dht *d)
{
	const struct replicas *rs = d->replicas;
	uint32_t bytes = rs->seek_cap * (uint32_t)sizeof(*rs->seek);

	for (unsigned i = 0; i < rs->seeks; i++)
		for (unsigned k = 0; k < rs->seek[i].ops; k++)
			bytes += (uint32_t)rs->seek[i].op[k].len;
	return bytes;
}

static void ask_near(struct dht *d, struct env *e, struct seek *k)
{
	struct letter l;

	for (unsigned i = 0; i < k->count; i++)
		if (!(k->answered >> i & 1))
			letter_now(d, e, letter_open(&l, d, WORD_WHERE, &k->slot, (struct view_name){ 0 }), k->asked[i]);
}

static bool only_reads(const struct seek *k)
{
	struct question q;

	for (unsigned i = 0; i < k->ops; i++)
		if (question_read(k->op[i], &q) == DROP_NONE && op_writes(q.op.kind))
			return false;
	return k->ops;
}

static void ask_root(struct dht *d, struct env *e, struct seek *k)
{
	struct slot_name root = slot_root(k->slot.network);
	const struct replica *r = replica_find(d, &root);
	const struct hint *h = hint_find(d, &root);
	struct letter l;

	letter_open(&l, d, WORD_BIRTH, &k->slot, (struct view_name){ 0 });
	write_u8(&l.w, 0);
	write_u8(&l.w, (k->reclaim ? BIRTH_RECLAIM : 0) | (only_reads(k) ? BIRTH_READ : 0));
	write_u64(&l.w, k->asking);
	view_write(&l.w, &k->first);
	if (r && r->view.members)
		letter_now(d, e, &l, r->view.member[0].id);
	else if (h)
		letter_now(d, e, &l, h->view.member[0].id);
	if ((!r || !r->view.members) && (!h || k->tries))
		letter_route(d, e, &l, slot_point(&root));
}

static void ask_begin(struct dht *d, struct env *e, struct seek *k)
{
	struct letter l;

	for (unsigned i = 0; i < k->first.members; i++) {
		if (k->begun >> i & 1)
			continue;
		letter_open(&l, d, WORD_BEGIN, &k->slot, k->first.name);
		write_u32(&l.w, k->wait_ms);
		view_write(&l.w, &k->first);
		letter_now(d, e, &l, k->first.member[i].id);
	}
}

static void seek_tell(struct dht *d, struct env *e, struct seek *k)
{
	if (k->step == SEEK_NEAR)
		ask_near(d, e, k);
	else if (k->step == SEEK_ROOT)
		ask_root(d, e, k);
	else if (k->step == SEEK_BEGIN)
		ask_begin(d, e, k);
	k->again_ns = e->now_ns + random_around(&e->random, RESEND_NS << (k->tries < 3 ? k->tries : 3));
	k->tries++;
	if (k->again_ns < heap_due(&e->timers, TIMER_DHT_SEEK))
		heap_set(&e->timers, &e->mem, TIMER_DHT_SEEK, k->again_ns);
}

static void seek_step(struct dht *d, struct env *e, struct seek *k, int step)
{
	k->step = step;
	k->tries = 0;
	k->readers = 0;
	if (step == SEEK_ROOT && only_reads(k)) {
		k->readers = k->ops;
		k->asking = random_u64(&e->random);
	}
	seek_tell(d, e, k);
}

/* The same op again takes the place of the one before. */
static void take_op(struct env *e, struct seek *k, struct bytes data)
{
	uint8_t *copy;

	if (data.len <= QUESTION_HEADER)
		return;
	for (unsigned i = 0; i < k->ops; i++)
		if (k->op[i].len == data.len &&
		    !memcmp(k->op[i].at + QUESTION_HEADER, data.at + QUESTION_HEADER, data.len - QUESTION_HEADER))
			return;
	if (k->ops == OPS || !(copy = mem_get(&e->mem, data.len))) {
		env_drop(e, DROP_FULL);		/* its asker asks again */
		return;
	}
	memcpy(copy, data.at, data.len);
	k->op[k->ops++] = (struct bytes){ copy, data.len };
}

/* It will take long: who asked for any address is told so. */
static void refuse_any(struct dht *d, struct env *e, struct seek *k)
{
	struct question q;

	for (unsigned i = 0; i < k->ops; i++) {
		if (question_read(k->op[i], &q) != DROP_NONE || q.op.kind != OP_CREATE_ANY)
			continue;
		op_refuse(d, e, &q, VERDICT_WAIT, NULL);
		mem_put(&e->mem, (void *)k->op[i].at, k->op[i].len);
		k->op[i--] = k->op[--k->ops];
	}
}

static void later(struct dht *d, struct env *e, struct seek *k)
{
	seek_step(d, e, k, SEEK_LATER);
	refuse_any(d, e, k);
}

static struct seek *seek_get(struct dht *d, struct env *e, const struct slot_name *s)
{
	struct replicas *rs = replicas_get(d, e);
	struct seek *k = seek_find(d, s);

	if (k || !rs)
		return k;
	if (rs->seeks == rs->seek_cap &&
	    (rs->seeks >= SEEKS_MAX ||
	     !mem_grow(&e->mem, &rs->seek, &rs->seek_cap, rs->seek_cap + rs->seek_cap / 2 + 2, sizeof(*k)))) {
		env_drop(e, DROP_FULL);
		return NULL;
	}
	k = &rs->seek[rs->seeks++];
	*k = (struct seek){ .slot = *s, .ends_ns = e->now_ns + SEEK_NS, .step = SEEK_CHANGE };
	return k;
}

/* An op waits for the next view. */
void seek_wait(struct dht *d, struct env *e, const struct slot_name *s, struct bytes data)
{
	struct seek *k = seek_get(d, e, s);

	if (!k)
		return;
	take_op(e, k, data);
	if (k->step != SEEK_CHANGE)
		return;
	k->again_ns = k->ends_ns;
	if (k->again_ns < heap_due(&e->timers, TIMER_DHT_SEEK))
		heap_set(&e->timers, &e->mem, TIMER_DHT_SEEK, k->again_ns);
}

void seek_op(struct dht *d, struct env *e, const struct slot_name *s, struct bytes data)
{
	struct seek *k = seek_get(d, e, s);
	const struct charter *c = charter_find(d, s->network);
	struct id around[ASKED + 1];
	unsigned n;

	if (!k)
		return;
	take_op(e, k, data);
	if (k->step == SEEK_LATER)
		refuse_any(d, e, k);
	if (k->step != SEEK_CHANGE)
		return;
	k->until_ns = e->now_ns + NEAR_NS;
	k->ends_ns = e->now_ns + SEEK_NS;
	n = dht_around(d, slot_point(s), around, ASKED);
	for (unsigned i = 0; i < n; i++)
		if (!id_eq(around[i], d->self->id))
			k->asked[k->count++] = around[i];
	for (unsigned i = 0; s->kind == SLOT_ROOT && c && i < c->record.founders && k->count < ASKED; i++)
		if (!id_eq(c->record.founder[i], d->self->id))
			k->asked[k->count++] = c->record.founder[i];
	seek_step(d, e, k, SEEK_NEAR);
}

/* Nobody near knows it. */
static void nobody_near(struct dht *d, struct env *e, struct seek *k)
{
	const struct charter *c = charter_find(d, k->slot.network);
	unsigned here = 1, size;

	if (k->slot.kind == SLOT_ROOT || !k->ops) {	/* a root is not born of an op; and nobody asks for this one */
		later(d, e, k);
		return;
	}
	if (!c) {
		struct question q;

		if (question_read(k->op[0], &q) == DROP_NONE)
			charter_want(d, e, k->slot.network, q.op.asker);
		seek_tell(d, e, k);
		return;
	}
	for (unsigned i = 0; i < k->count; i++)
		here += k->answered >> i & 1;
	size = c->record.replicas < here ? c->record.replicas : here;
	size -= size % 2 == 0;
	k->first = (struct view){ .name = { c->record.generation, 1 } };
	k->first.member[k->first.members++] = (struct view_member){ d->self->id, d->replicas->life };
	for (unsigned i = 0; i < k->count && k->first.members < size; i++)
		if (k->answered >> i & 1)
			k->first.member[k->first.members++] = (struct view_member){ k->asked[i], k->life[i] };
	seek_step(d, e, k, SEEK_ROOT);
}

void seek_found(struct dht *d, struct env *e, const struct slot_name *s)
{
	struct seek *k = seek_find(d, s);
	const struct replica *r = replica_find(d, s);
	const struct hint *h = hint_find(d, s);
	struct ring_mail m = { .body = BODY_OP };

	generation_found(d, s);
	if (!k || (!h && !(r && r->view.members && !r->unborn)) ||
	    (k->step == SEEK_CHANGE && r && r->view.members && replica_changing(d, r)))
		return;
	while (k->ops) {
		struct bytes op = k->op[--k->ops];

		if (r && r->view.members && !replica_place(d, r)) {
			m.data = op;
			m.to = m.from = d->self->id;
			mail_hold(d, e, d->self->id, ROUTE_EXACT, BODY_OP, op, ID_ZERO, 1);
		} else {
			op_forward(d, e, r && r->view.members ? &r->view : &h->view, op);
		}
		mem_put(&e->mem, (void *)op.at, op.len);
	}
	seek_end(d, e, k, false);
}

/* A member need not be told where its slot is. */
static bool owner_knows(const struct dht *d, const struct replica *r)
{
	struct id around[2 * VIEW_MAX];
	unsigned n = dht_watches(d, r->point) ? dht_around(d, r->point, around, 2 * VIEW_MAX) : 0, owner = 0;

	for (unsigned i = 1; i < n; i++)
		if (id_less(id_clockwise(r->point, around[i]), id_clockwise(r->point, around[owner])))
			owner = i;
	return n && view_place(&r->view, around[owner]) >= 0;
}

void here_tell(struct dht *d, struct env *e, const struct replica *r, struct id to, bool route)
{
	struct letter l;

	if (route && owner_knows(d, r))
		return;
	letter_open(&l, d, WORD_HERE, &r->slot, r->view.name);
	write_u32(&l.w, r->follows.generation);
	write_u32(&l.w, r->follows.number);
	write_u64(&l.w, r->base);
	write_u8(&l.w, !r->unborn);
	view_write(&l.w, &r->view);
	if (route)
		letter_route(d, e, &l, to);
	else
		letter_now(d, e, &l, to);
}

void where_in(struct dht *d, struct env *e, const struct heard *h)
{
	struct replica *r = replica_find(d, &h->slot);
	const struct hint *n = hint_find(d, &h->slot);
	struct replica as = { 0 };
	bool stuck = r && generation_stuck(d, e, r);
	struct letter l;

	if (r && r->view.members && !stuck) {
		here_tell(d, e, r, h->from, false);
	} else if (n && !stuck && hint_good(d, e, n)) {
		as.slot = n->slot;
		as.view = n->view;
		as.follows = n->follows;
		as.base = n->base;
		here_tell(d, e, &as, h->from, false);
	} else {
		letter_open(&l, d, WORD_HERE, &h->slot, (struct view_name){ 0 });
		write_u64(&l.w, 0);
		write_u64(&l.w, 0);
		write_u8(&l.w, 0);
		letter_now(d, e, &l, h->from);
	}
}

/* Who tells of a view that is not the last one is told so. */
static void outdated_tell(struct dht *d, struct env *e, const struct heard *h, const struct view *v)
{
	const struct replica *r = replica_find(d, &h->slot);
	const struct hint *n = hint_find(d, &h->slot);
	struct letter l;

	if (r && r->view.members && !r->unborn && view_cmp(r->view.name, v->name) > 0) {
		start_tell(d, e, r, h->from);
	} else if (n && view_cmp(n->view.name, v->name) > 0) {
		letter_open(&l, d, WORD_START, &h->slot, n->follows);
		write_u64(&l.w, n->base);
		view_write(&l.w, &n->view);
		letter_now(d, e, &l, h->from);
	}
}

void here_in(struct dht *d, struct env *e, const struct heard *h, struct reader *in)
{
	struct seek *k = seek_find(d, &h->slot);
	struct view_name follows;
	struct view v;
	uint64_t base;
	uint8_t known;

	follows.generation = read_u32(in);
	follows.number = read_u32(in);
	base = read_u64(in);
	known = read_u8(in);
	if (known)
		view_read(in, &v);
	if (!reader_ok(in) || (known && !reader_done(in))) {
		env_drop(e, DROP_VALUE);
		return;
	}
	if (known) {
		outdated_tell(d, e, h, &v);
		view_decided(d, e, &h->slot, &v, follows, base);
		if (hint_find(d, &h->slot) && view_place(&v, h->from) >= 0)
			hint_find(d, &h->slot)->heard_ns = e->now_ns;
		seek_found(d, e, &h->slot);
		return;
	}
	if (!k || k->step != SEEK_NEAR)
		return;
	for (unsigned i = 0; i < k->count; i++)
		if (id_eq(k->asked[i], h->from)) {
			k->answered |= 1u << i;
			k->life[i] = h->life;
		}
	if (bits(k->answered) == k->count)
		nobody_near(d, e, k);
}

/* There is no such slot. Whoever came after we had asked is not answered by that: we ask again. */
static void born_not(struct dht *d, struct env *e, struct seek *k)
{
	struct question q;

	for (unsigned i = 0; i < k->readers; i++) {
		if (question_read(k->op[i], &q) == DROP_NONE)
			op_refuse(d, e, &q, VERDICT_ABSENT, NULL);
		mem_put(&e->mem, (void *)k->op[i].at, k->op[i].len);
	}
	k->ops -= k->readers;
	memmove(k->op, k->op + k->readers, k->ops * sizeof(*k->op));
	if (k->ops)
		seek_step(d, e, k, SEEK_ROOT);
	else
		seek_end(d, e, k, false);
}

void born_in(struct dht *d, struct env *e, const struct heard *h, struct reader *in)
{
	struct seek *k = seek_find(d, &h->slot);
	uint8_t born = read_u8(in);
	uint64_t asking = read_u64(in);
	uint32_t wait_ms = 0;
	struct view first;

	if (born == BORN_PENDING)
		wait_ms = read_u32(in);
	if (born > BORN_NOT || (born == BORN_PENDING && !view_read(in, &first)) || !reader_done(in)) {
		env_drop(e, DROP_VALUE);
		return;
	}
	if (!k || k->step != SEEK_ROOT)
		return;
	if (born == BORN_NOT) {
		if (k->readers && asking == k->asking)
			born_not(d, e, k);
		return;
	}
	if (born == BORN_LIVES) {		/* and nobody near knows where: they are gone, or we see too little */
		k->reclaim = generation_due(d, e, &h->slot);
		if (k->reclaim)
			seek_step(d, e, k, SEEK_ROOT);
		else
			later(d, e, k);
		return;
	}
	k->first = first;
	k->wait_ms = wait_ms;
	k->begun = 0;
	seek_step(d, e, k, SEEK_BEGIN);
}

void begun_in(struct dht *d, struct env *e, const struct heard *h)
{
	struct seek *k = seek_find(d, &h->slot);
	struct replica *r;
	int at;

	if (!k || k->step != SEEK_BEGIN || view_cmp(h->view, k->first.name))
		return;
	at = view_place(&k->first, h->from);
	if (at < 0 || !life_eq(k->first.member[at].life, h->life))
		return;
	k->begun |= 1u << at;
	r = replica_find(d, &h->slot);
	if (r && r->unborn && r->duty && !view_cmp(r->view.name, h->view)) {
		if (!r->duty->heard[at])
			r->duty->heard[at] = 1;
		if (bits(k->begun) == view_majority(&k->first))
			lives_tell(d, e, r);
	}
}

void seeks_timer(struct dht *d, struct env *e)
{
	struct replicas *rs = d->replicas;
	int64_t due = INT64_MAX;

	for (unsigned i = 0; i < rs->seeks; i++) {
		struct seek *k = &rs->seek[i];

		if (e->now_ns >= k->ends_ns) {
			seek_end(d, e, k, true);
			i--;
			continue;
		}
		if (k->step == SEEK_NEAR && e->now_ns >= k->until_ns)
			nobody_near(d, e, k);
		else if (k->again_ns <= e->now_ns)
			seek_tell(d, e, k);
		due = k->again_ns < due ? k->again_ns : due;
	}
	if (due != INT64_MAX)
		heap_set(&e->timers, &e->mem, TIMER_DHT_SEEK, due > e->now_ns ? due : e->now_ns + NS_PER_MS);
}
