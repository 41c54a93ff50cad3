/*
 * What the primary of a view does: judge ops, have their records saved by a
 * majority, confirm reads, and answer.
 *
 * A record written in this view stands when a majority of it has saved that
 * very stamp; records of earlier views stand because a majority was staged
 * with them. An answer waits in struct waiting: that of a write until its
 * record stands, any other until all that it could have seen stands and a
 * majority has said, after the question came, that it still is in this view
 * and not sealed; that of a look only until the record it tells of stands: a
 * write under way may yet come to nothing. A record written again while it waits takes the older answer
 * along: what is built on top of a write stands with it or after it.
 */
#include "core/dht/replica.h"
#include "core/seal/revoke.h"

enum { BURST = 8 };			/* unanswered writes told again to one member at a time */

void primary_begin(struct dht *d, struct env *e, struct replica *r)
{
	if (!r->duty)
		r->duty = mem_get(&e->mem, sizeof(*r->duty));
	if (!r->duty) {
		env_drop(e, DROP_MEMORY);
		return;
	}
	r->seq = 0;
	r->duty->round = 1;
	judged_begin(r);
	r->duty->again_ns = e->now_ns;
	r->duty->ping_ns = e->now_ns;
	r->duty->hint_ns = e->now_ns;
	replica_wake(d, e, r, e->now_ns);
}

void primary_end(struct dht *d, struct env *e, struct replica *r)
{
	(void)d;
	if (!r->duty)
		return;
	for (unsigned i = 0; i < r->duty->waitings; i++)
		mem_put(&e->mem, r->duty->waiting[i].bytes, r->duty->waiting[i].len);
	mem_put(&e->mem, r->duty->waiting, r->duty->waiting_cap * sizeof(*r->duty->waiting));
	mem_put(&e->mem, r->duty, sizeof(*r->duty));
	r->duty = NULL;
}

void primary_soon(struct env *e, struct replica *r)
{
	int64_t soon = e->now_ns + random_around(&e->random, PING_NS);

	if (!r->duty)
		return;
	r->duty->ping_ns = least(r->duty->ping_ns, soon);
	r->duty->hint_ns = least(r->duty->hint_ns, soon);
}

/* In office: whatever it says counts, later or now. */
static bool in_office(const struct dht *d, const struct replica *r)
{
	return r->view.members && !replica_place(d, r) && r->writer && r->duty && r->proven && r->complete && !r->promised;
}

bool primary_serves(const struct dht *d, const struct env *e, const struct replica *r)
{
	return in_office(d, r) && !r->unborn && (r->slot.kind == SLOT_ROOT || e->now_ns >= generation_serves(r));
}

/* ---- telling members ---- */

static void write_tell(struct dht *d, struct env *e, struct replica *r, const struct kept *k, unsigned at)
{
	struct letter l;

	letter_open(&l, d, WORD_WRITE, &r->slot, r->view.name);
	write_u64(&l.w, r->duty->round);
	write_u64(&l.w, r->store.grants);
	judged_tell(&l.w, r, at);
	kept_write(&l.w, k, e->now_ns);
	letter_now(d, e, &l, r->view.member[at].id);
}

static void ping_tell(struct dht *d, struct env *e, struct replica *r, unsigned at)
{
	struct letter l;

	letter_open(&l, d, WORD_PING, &r->slot, r->view.name);
	write_u64(&l.w, r->duty->round);
	judged_tell(&l.w, r, at);
	letter_now(d, e, &l, r->view.member[at].id);
}

static void self_save(struct dht *d, struct env *e, struct replica *r, const struct kept *k)
{
	struct letter l;
	uint64_t token = replica_save_kept(d, e, r, r->set, k->key, k);

	letter_open(&l, d, WORD_SAVED, &r->slot, r->view.name);
	write_u64(&l.w, r->duty->round);
	write_u64(&l.w, k->key);
	write_u64(&l.w, k->stamp.seq);
	letter_send(d, e, &l, d->self->id, token);
}

static void tell_soon(struct dht *d, struct env *e, struct replica *r)
{
	r->duty->tries = 0;
	if (r->duty->again_ns > e->now_ns + RESEND_NS || r->duty->again_ns <= e->now_ns)
		r->duty->again_ns = e->now_ns + RESEND_NS;
	replica_wake(d, e, r, r->duty->again_ns);
}

struct kept *primary_write(struct dht *d, struct env *e, struct replica *r, const struct kept *k, uint64_t grants)
{
	struct kept copy = *k, *kept;

	copy.stamp = (struct stamp){ r->view.name, r->seq + 1 };
	copy.acks = 0;
	kept = store_put(&r->store, &e->mem, &copy);
	if (!kept) {
		env_drop(e, DROP_FULL);
		return NULL;
	}
	r->seq++;
	if (r->store.grants < grants)
		r->store.grants = grants;
	self_save(d, e, r, kept);
	for (unsigned i = 0; i < r->view.members; i++)
		if (!id_eq(r->view.member[i].id, d->self->id))
			write_tell(d, e, r, kept, i);
	tell_soon(d, e, r);
	return kept;
}

/* ---- what stands ---- */

static bool stands(const struct replica *r, const struct kept *k)
{
	return view_cmp(k->stamp.view, r->view.name) || bits(k->acks) >= view_majority(&r->view);
}

static bool all_stand(const struct replica *r, uint64_t seq)
{
	for (unsigned i = 0; i < r->store.count; i++)
		if (r->store.kept[i].stamp.seq <= seq && !stands(r, &r->store.kept[i]))
			return false;
	return true;
}

/* Have so many members answered since @round began that no other primary can have been before? */
static bool confirmed(const struct dht *d, const struct replica *r, uint64_t round)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->view.members; i++)
		n += r->duty->heard[i] >= round || (int)i == replica_place(d, r);
	return n >= view_majority(&r->view);
}

static bool ready(const struct dht *d, const struct replica *r, const struct waiting *w)
{
	const struct kept *k;

	if (w->round)
		return confirmed(d, r, w->round) && all_stand(r, w->seq);
	k = store_find(&r->store, w->key);
	return !k || stands(r, k);
}

/* Everything that can be answered now is. */
static void release(struct dht *d, struct env *e, struct replica *r)
{
	struct duty *y = r->duty;

	for (unsigned i = 0; in_office(d, r) && i < y->waitings;) {
		struct waiting w = y->waiting[i];

		if (!ready(d, r, &w)) {
			i++;
			continue;
		}
		y->waitings--;
		memmove(&y->waiting[i], &y->waiting[i + 1], (y->waitings - i) * sizeof(w));
		mail_hold(d, e, w.to, ROUTE_EXACT, w.body, (struct bytes){ w.bytes, w.len }, w.via, 1);
		mem_put(&e->mem, w.bytes, w.len);
	}
}

bool primary_wait(struct dht *d, struct env *e, struct replica *r, uint64_t key, bool all, struct id to, struct id via,
		  uint8_t body, struct bytes data)
{
	struct duty *y = r->duty;
	struct waiting *w;

	if (y->waitings == y->waiting_cap &&
	    (y->waitings >= WAITING_MAX ||
	     !mem_grow(&e->mem, &y->waiting, &y->waiting_cap, y->waiting_cap + y->waiting_cap / 2 + 2, sizeof(*w)))) {
		env_drop(e, DROP_FULL);
		return false;
	}
	w = &y->waiting[y->waitings];
	*w = (struct waiting){ .key = key, .seq = r->seq, .to = to, .via = via, .len = (uint16_t)data.len, .body = body };
	w->bytes = mem_get(&e->mem, data.len);
	if (!w->bytes) {
		env_drop(e, DROP_MEMORY);
		return false;
	}
	memcpy(w->bytes, data.at, data.len);
	y->waitings++;
	if (all) {
		w->round = ++y->round;
		for (unsigned i = 0; i < r->view.members; i++)
			if (!id_eq(r->view.member[i].id, d->self->id))
				ping_tell(d, e, r, i);
		tell_soon(d, e, r);
	}
	release(d, e, r);
	return true;
}

/* ---- ops ---- */

static void told_of(struct writer *w, const struct question *q, uint8_t verdict, const struct view *v, struct bytes tail)
{
	struct told t = {
		.nonce = q->op.nonce, .kind = q->op.kind, .verdict = verdict, .slot = q->op.slot, .tail = tail,
	};

	if (v && v->members) {
		t.view = v->name;
		t.primary = v->member[0].id;
	}
	told_write(w, &t);
}

void op_refuse(struct dht *d, struct env *e, const struct question *q, uint8_t verdict, const struct view *v)
{
	uint8_t buf[256];
	struct writer w = writer_of(buf, sizeof(buf));

	told_of(&w, q, verdict, v, (struct bytes){ 0 });
	if (!w.bad && replicas_get(d, e))
		mail_hold(d, e, q->op.asker, ROUTE_EXACT, BODY_ANSWER, (struct bytes){ buf, writer_len(&w) }, q->via, 1);
}

static uint64_t utc(const struct env *e)
{
	return e->utc_ns ? (uint64_t)((e->utc_ns + (e->now_ns - e->utc_at_ns)) / NS_PER_S) : 0;
}

/* Could it give somebody something? */
static bool gives(uint8_t kind)
{
	return kind == OP_CREATE || kind == OP_CREATE_ANY || kind == OP_TAKE || kind == OP_PUT || kind == OP_CLAIM;
}

/* Judged before, and now it would be granted another time, or refused though it was granted? Its asker asks anew. */
static bool again(const struct replica *r, const struct op *o, const struct outcome *out)
{
	enum judged_how how = gives(o->kind) ? judged_before(r, o->asker, o->nonce) : JUDGED_NOT;

	return how && (out->write || (how == JUDGED_GRANTED && (out->verdict == VERDICT_TAKEN || out->verdict == VERDICT_FULL)));
}

/* What copies of it could come late? Of itself, or of the create it takes back. */
static void judged(struct env *e, struct replica *r, const struct op *o, uint8_t verdict)
{
	if (gives(o->kind) && verdict != VERDICT_STALE && verdict != VERDICT_DENIED)
		judged_put(e, r, o->asker, o->nonce, verdict == VERDICT_OK);
	else if (o->kind == OP_RELEASE && !o->ip.family)
		judged_put(e, r, o->asker, o->fence.grant, true);
}

/* Of names any value that is there is told at once. */
static bool looked_stands(const struct replica *r, const struct op *o)
{
	const struct kept *k = r->slot.kind == SLOT_NAMES ? NULL : store_find(&r->store, ip_low(&o->ip) & (SLOT_ADDRESSES - 1));

	return !k || stands(r, k);
}

/* A reader that names a client has that guest now: whoever else holds its address is asked for it, in the reader's name. */
static void pass_on(struct dht *d, struct env *e, const struct replica *r, const struct op *o)
{
	const struct kept *k = r->slot.kind == SLOT_NAMES ? NULL : store_find(&r->store, ip_low(&o->ip) & (SLOT_ADDRESSES - 1));

	if (o->kind == OP_LOOK && o->client && k && kept_live(k, e->now_ns) && !id_eq(k->owner, o->asker))
		delegate_pass(d, e, o, k->owner);
}

void primary_op(struct dht *d, struct env *e, struct replica *r, struct bytes data, const struct question *q)
{
	const struct network_record *n = replica_network(d, r);
	uint8_t tail_buf[TAIL_MAX], buf[TAIL_MAX + 256];
	struct writer tail = writer_of(tail_buf, sizeof(tail_buf)), w = writer_of(buf, sizeof(buf));
	struct outcome out = { 0 };
	bool fits;

	(void)data;
	if (!n || !primary_serves(d, e, r)) {
		if (!n)
			charter_want(d, e, r->slot.network, q->op.asker);
		op_refuse(d, e, q, VERDICT_WAIT, &r->view);
		return;
	}
	if (op_writes(q->op.kind)) {
		enum drop why = op_check(&q->op, e->suite, n, utc(e));

		if (why == DROP_NONE && revoked_chain(e->revoked, n->key, q->op.chain))
			why = DROP_REVOKED;
		if (why != DROP_NONE) {
			env_drop(e, why);
			op_refuse(d, e, q, VERDICT_DENIED, &r->view);
			return;
		}
	}
	op_apply(&r->store, &r->slot, r->view.name.generation, n, &q->op, e->now_ns, &out, &tail);
	if (again(r, &q->op, &out)) {
		out.write = false;
		out.verdict = VERDICT_STALE;
		tail = writer_of(tail_buf, sizeof(tail_buf));
		write_u64(&tail, q->op.nonce);
	}
	judged(e, r, &q->op, out.verdict);
	told_of(&w, q, out.verdict, &r->view, (struct bytes){ tail_buf, tail.bad ? 0 : writer_len(&tail) });
	if (w.bad) {
		env_drop(e, DROP_TOO_BIG);
		return;
	}
	pass_on(d, e, r, &q->op);
	if (out.write) {
		if (!primary_write(d, e, r, &out.kept, out.grants)) {
			op_refuse(d, e, q, VERDICT_FULL, &r->view);
			return;
		}
		fits = primary_wait(d, e, r, out.kept.key, false, q->op.asker, q->via, BODY_ANSWER,
				    (struct bytes){ buf, writer_len(&w) });
	} else if (q->op.kind == OP_LOOK && looked_stands(r, &q->op)) {
		mail_hold(d, e, q->op.asker, ROUTE_EXACT, BODY_ANSWER, (struct bytes){ buf, writer_len(&w) }, q->via, 1);
		return;
	} else if (q->op.kind == OP_LOOK) {
		fits = primary_wait(d, e, r, ip_low(&q->op.ip) & (SLOT_ADDRESSES - 1), false, q->op.asker, q->via, BODY_ANSWER,
				    (struct bytes){ buf, writer_len(&w) });
	} else {
		fits = primary_wait(d, e, r, 0, true, q->op.asker, q->via, BODY_ANSWER,
				    (struct bytes){ buf, writer_len(&w) });
	}
	if (!fits)
		op_refuse(d, e, q, VERDICT_WAIT, &r->view);	/* told again, it finds its own record */
}

/* ---- words ---- */

void write_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in)
{
	uint64_t round = read_u64(in), grants = read_u64(in);
	struct bytes list;
	struct kept k;
	const struct kept *old;
	struct letter l;
	uint64_t token;

	if (h->place || !judged_read(in, &list) || !kept_read(in, &k, e->now_ns) || !reader_done(in) ||
	    view_cmp(k.stamp.view, r->view.name)) {
		env_drop(e, DROP_VALUE);
		return;
	}
	if (!replica_votes(r) || r->promised)
		return;
	if (!r->complete) {
		pull_begin(d, e, r, PULL_CATCH_UP, h->from, r->view.name, 0);
		return;
	}
	judged_take(e, r, list);
	old = store_find(&r->store, k.key);
	if (old && stamp_cmp(old->stamp, k.stamp) > 0)
		return;
	if (!store_put(&r->store, &e->mem, &k)) {
		env_drop(e, DROP_FULL);
		return;
	}
	if (r->store.grants < grants)
		r->store.grants = grants;
	token = replica_save_kept(d, e, r, r->set, k.key, store_find(&r->store, k.key));
	letter_open(&l, d, WORD_SAVED, &r->slot, r->view.name);
	write_u64(&l.w, round);
	write_u64(&l.w, k.key);
	write_u64(&l.w, k.stamp.seq);
	letter_send(d, e, &l, h->from, token);
}

static void word_heard(struct replica *r, const struct heard *h, uint64_t round)
{
	r->duty->silent_ns[h->place] = 0;
	if (r->duty->heard[h->place] < round)
		r->duty->heard[h->place] = round;
}

void saved_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in)
{
	uint64_t round = read_u64(in), key = read_u64(in), seq = read_u64(in);
	struct kept *k;

	if (!reader_done(in)) {
		env_drop(e, DROP_VALUE);
		return;
	}
	if (!in_office(d, r))
		return;
	word_heard(r, h, round);
	k = store_find(&r->store, key);
	if (k && k->stamp.seq == seq && !view_cmp(k->stamp.view, r->view.name))
		k->acks |= 1u << h->place;
	release(d, e, r);
}

void ping_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in)
{
	uint64_t round = read_u64(in);
	struct bytes list;
	struct letter l;

	if (h->place || !judged_read(in, &list) || !reader_done(in) || !replica_votes(r) || r->promised)
		return;
	judged_take(e, r, list);
	if (!r->complete)
		pull_begin(d, e, r, PULL_CATCH_UP, h->from, r->view.name, 0);
	letter_open(&l, d, WORD_PONG, &r->slot, r->view.name);
	write_u64(&l.w, r->complete ? round : 0);
	write_u8(&l.w, r->complete);
	letter_now(d, e, &l, h->from);
}

void pong_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h, struct reader *in)
{
	uint64_t round = read_u64(in);

	read_u8(in);
	if (!reader_done(in) || !in_office(d, r))
		return;
	word_heard(r, h, round);
	release(d, e, r);
}

void lost_in(struct dht *d, struct env *e, struct replica *r, const struct heard *h)
{
	int at = view_place(&r->view, h->from);

	if (r->view.members && view_cmp(h->view, r->view.name) < 0) {
		start_tell(d, e, r, h->from);
		return;
	}
	if (at < 0 || view_cmp(h->view, r->view.name))
		return;
	if (r->duty) {
		if (h->word == WORD_LEAVE && h->place >= 0)
			r->duty->leaving |= 1u << at;
		else if (h->word == WORD_LOST && h->place < 0)
			r->duty->lost |= 1u << at;
	} else if (!at && h->word == WORD_LOST && !r->doubt_ns) {
		r->doubt_ns = e->now_ns - SILENT_NS;	/* the primary itself does not know its view */
	}
	replica_wake(d, e, r, e->now_ns);
}

/* ---- time ---- */

/* One member is told again what it has not confirmed. True if there was anything. */
static bool tell_again(struct dht *d, struct env *e, struct replica *r, unsigned at, bool now)
{
	struct duty *y = r->duty;
	struct id to = r->view.member[at].id;
	unsigned told = 0;
	bool self = id_eq(to, d->self->id);

	for (unsigned i = 0; i < r->store.count && told < BURST; i++) {
		const struct kept *k = &r->store.kept[i];

		if (view_cmp(k->stamp.view, r->view.name) || k->acks >> at & 1)
			continue;
		told++;
		if (now && self)
			self_save(d, e, r, k);
		else if (now)
			write_tell(d, e, r, k, at);
	}
	if (!told && !self && y->waitings && y->heard[at] < y->round) {
		told++;
		if (now)
			ping_tell(d, e, r, at);
	}
	if (now && told && !self && !y->silent_ns[at]) {
		y->silent_ns[at] = e->now_ns;
		replica_wake(d, e, r, e->now_ns + GONE_SILENT_NS);
	}
	return told;
}

/*
 * What expired long enough ago: names are forgotten, the counter of grants stays.
 * Addresses are not, for a member that counts longer, after a restart, say, would
 * bring the record back to life in the next view, though the slot said that
 * nothing is there. That it is over by our count is noted, once, on our disk too.
 */
int64_t replica_sweep(struct dht *d, struct env *e, struct replica *r)
{
	int64_t due = INT64_MAX, later = e->now_ns + PING_NS;
	bool head = false;

	judged_sweep(e, r, false);
	if (r->judgeds)
		due = r->judged_ns + GONE_NS;
	if (r->promised || !r->complete || r->slot.kind == SLOT_ROOT)
		return due;
	for (unsigned i = 0; i < r->store.count;) {
		struct kept *k = &r->store.kept[i];
		bool over = k->until_ns <= e->now_ns && (!r->duty || stands(r, k)), names = r->slot.kind == SLOT_NAMES;

		if (over && names && (head || replica_save(d, e, r))) {
			head = true;
			replica_save_kept(d, e, r, r->set, k->key, NULL);
			store_del(&r->store, &e->mem, i);
			continue;
		}
		if (over && !names && k->until_ns && replica_save_kept(d, e, r, r->set, k->key, k))
			k->until_ns = 0;
		if (k->until_ns || names)
			due = least(due, k->until_ns > e->now_ns ? k->until_ns : later);
		i++;
	}
	return due;
}

int64_t primary_due(struct dht *d, struct env *e, struct replica *r)
{
	struct duty *y = r->duty;
	bool now, owed = false;
	int64_t due, pause;

	if (!y || !in_office(d, r))
		return INT64_MAX;
	pause = replica_pause(d, e, r, e->now_ns);
	if (y->ping_ns <= e->now_ns) {
		for (unsigned i = 0; i < r->view.members; i++)
			if (!id_eq(r->view.member[i].id, d->self->id))
				ping_tell(d, e, r, i);
		y->ping_ns = e->now_ns + (r->unborn ? 3 * NS_PER_S : random_around(&e->random, pause));
	}
	if (y->hint_ns <= e->now_ns) {
		if (!r->unborn)
			here_tell(d, e, r, r->point, true);
		else if (confirmed(d, r, 1))
			lives_tell(d, e, r);
		pause = dht_watches(d, r->point) ? least(pause, hint_life(d, &r->slot) / 3) : PING_NS;
		y->hint_ns = e->now_ns + (r->unborn ? RESEND_NS * 3 : random_around(&e->random, pause));
	}
	now = y->again_ns <= e->now_ns;
	for (unsigned i = 0; i < r->view.members; i++)
		if (!dht_dead(d, e, r->view.member[i].id))
			owed |= tell_again(d, e, r, i, now);
	if (now && owed) {
		int64_t wait = RESEND_NS << (y->tries < 5 ? y->tries : 5);

		y->again_ns = e->now_ns + random_around(&e->random, wait < RESEND_MAX_NS ? wait : RESEND_MAX_NS);
		if (y->tries < 255)
			y->tries++;
	}
	due = least(y->ping_ns, y->hint_ns);
	return owed ? least(due, y->again_ns) : due;
}
