/*
 * The table of our leases: wanted, found, told, saved
 */
#include "core/dht/holder.h"

enum { LEASE_FORM = 1, SAVE_MAX = 160 + PROOF_MAX };

enum save_flag { SAVED_KEEP = 1 << 0, SAVED_LENDS = 1 << 1, SAVED_LENT = 1 << 2, SAVED_UNWRITTEN = 1 << 3 };

/* ---- the table ---- */

static bool ready(struct dht *d, struct env *e)
{
	if (!d->holder)
		d->holder = mem_get(&e->mem, sizeof(*d->holder));
	if (!d->holder)
		env_drop(e, DROP_MEMORY);
	return d->holder;
}

struct hold *hold_find(const struct dht *d, struct id network, const struct ip *ip)
{
	struct hold *lent = NULL;

	for (unsigned i = 0; d->holder && i < d->holder->count; i++) {
		struct hold *h = &d->holder->hold[i];

		if (h->held.state == HELD_RELEASING || !ip_eq(&h->held.lease.ip, ip) || !id_eq(h->held.network, network))
			continue;
		if (h->held.state != HELD_LENT)
			return h;
		if (!lent || fence_cmp(h->held.lease.fence, lent->held.lease.fence) > 0)
			lent = h;
	}
	return lent;
}

struct hold *hold_new(struct dht *d, struct env *e)
{
	struct holder *all;
	struct hold *h;

	if (!ready(d, e))
		return NULL;
	all = d->holder;
	if (all->count == HELD_MAX) {
		env_drop(e, DROP_FULL);
		return NULL;
	}
	if (all->count == all->cap && !mem_grow(&e->mem, &all->hold, &all->cap, all->cap ? all->cap * 2 : 4, sizeof(*h))) {
		env_drop(e, DROP_MEMORY);
		return NULL;
	}
	h = &all->hold[all->count++];
	*h = (struct hold){ .due_ns = INT64_MAX };
	return h;
}

/* What tells this lease from all others, as the host's disk sees it */
static uint64_t part_of(const struct hold *h)
{
	const struct ip *ip = &h->held.lease.ip;
	const struct slot_name at = { h->held.network, ip_low(ip), ip->family == 4 ? SLOT_V4 : SLOT_V6 };

	return slot_point(&at).hi;
}

void hold_proof(struct env *e, struct hold *h, struct bytes proof)
{
	mem_put(&e->mem, h->proof, h->proof_len);
	h->proof = proof.len ? mem_get(&e->mem, proof.len) : NULL;
	h->proof_len = h->proof ? (uint16_t)proof.len : 0;
	if (h->proof)
		memcpy(h->proof, proof.at, proof.len);
}

/* Another lease here that lies in the same place on the disk, NULL if there is none */
static const struct hold *shares_save(const struct dht *d, const struct hold *h)
{
	for (unsigned i = 0; i < d->holder->count; i++) {
		const struct hold *other = &d->holder->hold[i];

		if (other != h && other->held.state != HELD_RELEASING && ip_eq(&other->held.lease.ip, &h->held.lease.ip) &&
		    id_eq(other->held.network, h->held.network))
			return other;
	}
	return NULL;
}

void hold_cancel(struct dht *d, struct env *e, struct hold *h)
{
	uint64_t ask = h->ask;

	h->ask = 0;
	if (ask)
		client_cancel(d, e, DHT_USER_HELD, ask);
}

void hold_drop(struct dht *d, struct env *e, struct hold *h)
{
	struct holder *all = d->holder;
	unsigned at = (unsigned)(h - all->hold);

	hold_cancel(d, e, h);
	if (h->held.lease.ip.family && !shares_save(d, h))
		env_save(e, SAVE_LEASE, part_of(h), NULL, 0);
	else if (h->held.lease.ip.family && h->held.state != HELD_LENT)
		hold_save(e, shares_save(d, h));	/* what is LENT is to be remembered still */
	hold_proof(e, h, (struct bytes){ 0 });
	memmove(h, h + 1, (--all->count - at) * sizeof(*h));
}

bool hold_lends(const struct dht *d, struct id network)
{
	for (unsigned i = 0; d->holder && i < d->holder->lendings; i++)
		if (id_eq(d->holder->lending[i].network, network))
			return true;
	return false;
}

uint16_t hold_drift(const struct dht *d, const struct hold *h)
{
	const struct network_record *n = dht_record(d, h->held.network);

	return n ? n->drift_ppm : UINT16_MAX;
}

void holder_arm(struct dht *d, struct env *e)
{
	int64_t due = INT64_MAX, at;

	d->holder->changes++;
	for (unsigned i = 0; i < d->holder->count; i++) {
		const struct hold *h = &d->holder->hold[i];

		at = h->held.state == HELD_OURS ? h->held.until_ns :
		     h->held.state == HELD_DOUBTED || (h->held.state == HELD_LENT && !h->token) ? h->over_ns : INT64_MAX;
		due = at < due ? at : due;
		due = h->due_ns < due && !h->ask ? h->due_ns : due;
	}
	if (due < INT64_MAX)
		heap_set(&e->timers, &e->mem, TIMER_DHT_HELD, due);
	else
		heap_del(&e->timers, TIMER_DHT_HELD);
}

/* ---- news ---- */

void hold_news(struct dht *d, struct env *e, const struct hold *h, enum held_word word, uint8_t verdict)
{
	struct holder *all = d->holder;

	if (all->news_to == all->news_cap && all->news_from) {
		memmove(all->news, all->news + all->news_from, (all->news_to - all->news_from) * sizeof(*all->news));
		all->news_to = (uint16_t)(all->news_to - all->news_from);
		all->news_from = 0;
	}
	if (all->news_to == all->news_cap &&
	    (all->news_cap >= NEWS_MAX ||
	     !mem_grow(&e->mem, &all->news, &all->news_cap, all->news_cap ? all->news_cap * 2 : 8, sizeof(*all->news)))) {
		env_drop(e, DROP_FULL);
		return;
	}
	all->news[all->news_to++] = (struct held_news){
		.word = (uint8_t)word, .verdict = verdict, .held = h->held, .by = h->other, .nonce = h->nonce,
	};
}

bool held_next(struct dht *d, struct held_news *out)
{
	struct holder *all = d->holder;

	if (!all || all->news_from == all->news_to)
		return false;
	*out = all->news[all->news_from++];
	if (all->news_from == all->news_to)
		all->news_from = all->news_to = 0;
	return true;
}

/* ---- disk ---- */

/*
 *	form 1 | flags 1 | network 16 | ip | client 8 | fence 16 | term 4 | user 1 | cookie 8
 *	| other 16 | nonce 8 | left 4 (ms) | proof: length 2, bytes
 */
uint64_t hold_save(struct env *e, const struct hold *h)
{
	const struct held *held = &h->held;
	uint8_t buf[SAVE_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	write_u8(&w, LEASE_FORM);
	write_u8(&w, (uint8_t)((held->keep ? SAVED_KEEP : 0) | (held->lease.lends ? SAVED_LENDS : 0) |
			       (held->state == HELD_LENT ? SAVED_LENT : 0) | (h->unwritten ? SAVED_UNWRITTEN : 0)));
	write_id(&w, held->network);
	write_ip(&w, &held->lease.ip);
	write_u64(&w, held->lease.client);
	fence_write(&w, held->lease.fence);
	write_u32(&w, held->lease.term_s);
	write_u8(&w, held->user);
	write_u64(&w, held->cookie);
	write_id(&w, h->other);
	write_u64(&w, h->nonce);
	write_u32(&w, h->lent_ms);
	write_u16(&w, h->proof_len);
	write_copy(&w, h->proof, h->proof_len);
	return env_save(e, SAVE_LEASE, part_of(h), buf, (uint32_t)writer_len(&w));
}

static bool load(struct reader *r, struct hold *h, struct bytes *proof)
{
	struct held *held = &h->held;
	uint8_t form = read_u8(r), flags = read_u8(r);

	held->keep = flags & SAVED_KEEP;
	held->lease.lends = flags & SAVED_LENDS;
	held->state = flags & SAVED_LENT ? HELD_LENT : HELD_DOUBTED;
	h->unwritten = flags & SAVED_UNWRITTEN;
	held->network = read_id(r);
	held->lease.ip = read_ip(r);
	held->lease.client = read_u64(r);
	held->lease.fence = fence_read(r);
	held->lease.term_s = read_u32(r);
	held->user = read_u8(r);
	held->cookie = read_u64(r);
	h->other = read_id(r);
	h->nonce = read_u64(r);
	h->lent_ms = read_u32(r);
	proof->len = read_u16(r);
	proof->at = read_take(r, proof->len);
	return reader_done(r) && form == LEASE_FORM && held->lease.ip.family && held->user < DHT_USERS &&
	       held->lease.term_s && held->lease.term_s <= TERM_MAX && proof->len <= PROOF_MAX;
}

void held_load(struct dht *d, struct env *e, const struct saved *s, bool proven)
{
	struct reader r = reader_of(s->data.at, s->data.len);
	struct hold in = { .due_ns = INT64_MAX, .loaded = true }, *h;
	struct bytes proof;

	if (!load(&r, &in, &proof) || hold_find(d, in.held.network, &in.held.lease.ip)) {
		env_drop(e, DROP_VALUE);
		return;
	}
	h = hold_new(d, e);
	if (!h)
		return;
	*h = in;
	h->held.lease.holder = d->self->id;
	hold_proof(e, h, proof);
	h->over_ns = e->now_ns + term_kept_ns(h->held.state == HELD_LENT ? LEND_NS / NS_PER_S : h->held.lease.term_s,
					      hold_drift(d, h));
	if (h->held.state == HELD_DOUBTED) {
		h->wait_ns = h->held.lease.lends && !proven ? hold_lent_until(d, e, h) : 0;
		h->asking = h->unwritten && h->proof_len ? OP_TAKE : OP_CREATE;
		h->due_ns = e->now_ns + random_below(&e->random, 1000) * NS_PER_MS;
	}
	holder_arm(d, e);
}

void held_saved(struct dht *d, struct env *e, uint64_t token)
{
	for (unsigned i = 0; d->holder && i < d->holder->count; i++) {
		struct hold *h = &d->holder->hold[i];

		if (h->held.state != HELD_LENT || !h->token || h->token > token)
			continue;
		h->token = 0;
		delegate_sign(d, e, h);
		hold_news(d, e, h, HELD_GONE, VERDICT_OK);
		holder_arm(d, e);
	}
}

/* ---- the face ---- */

static struct hold *find_client(const struct dht *d, struct id network, unsigned family, uint64_t client)
{
	for (unsigned i = 0; d->holder && i < d->holder->count; i++) {
		struct hold *h = &d->holder->hold[i];

		if (h->held.state != HELD_RELEASING && h->held.state != HELD_LENT &&
		    h->held.lease.client == client && h->held.lease.ip.family == family &&
		    id_eq(h->held.network, network))
			return h;
	}
	return NULL;
}

int64_t hold_lent_until(const struct dht *d, const struct env *e, const struct hold *h)
{
	return e->now_ns + term_kept_ns(LEND_NS / NS_PER_S, hold_drift(d, h));
}

static bool is_any(const struct ip *ip)
{
	return ip_eq(ip, &(struct ip){ .family = ip->family });
}

/* The user wants what we have or are about to have. */
static void want_again(struct dht *d, struct env *e, struct hold *h, uint8_t user, uint64_t cookie, uint32_t term_s,
		       bool keep)
{
	bool longer = term_s > h->held.lease.term_s;

	h->let_go = false;
	h->held.user = user;
	h->held.cookie = cookie;
	h->held.keep = keep;
	h->held.lease.term_s = longer ? term_s : h->held.lease.term_s;
	if (h->held.state != HELD_OURS)
		return;
	if (longer) {
		h->granting = true;
		tend_ask(d, e, h, OP_RENEW);
	} else {
		hold_news(d, e, h, HELD_GRANTED, VERDICT_OK);
		if (keep && h->due_ns == INT64_MAX && !h->ask)
			tend_ask(d, e, h, OP_RENEW);
	}
	hold_save(e, h);
}

/* A new place for @ip, or for any of its family */
static struct hold *begin(struct dht *d, struct env *e, uint8_t user, uint64_t cookie, struct id network,
			  const struct ip *ip, uint64_t client, uint32_t term_s, bool keep)
{
	struct hold *h = hold_new(d, e);

	if (!h)
		return NULL;
	h->held = (struct held){
		.network = network, .cookie = cookie, .user = user, .keep = keep, .state = HELD_ASKED,
		.lease = { .ip = *ip, .holder = d->self->id, .client = client, .term_s = term_s,
			   .lends = hold_lends(d, network) },
	};
	return h;
}

static uint32_t bounded(const struct network_record *n, uint32_t term_s)
{
	return !term_s || term_s > n->term_s ? n->term_s : term_s;
}

bool held_want(struct dht *d, struct env *e, uint8_t user, uint64_t cookie, struct id network, const struct ip *ip,
	       uint64_t client, uint32_t term_s, bool keep)
{
	const struct network_record *n = dht_record(d, network);
	struct hold *h;
	struct id lent_to = ID_ZERO;
	bool any = is_any(ip), other;

	if (!n || (ip->family != 4 && ip->family != 6) || !ready(d, e))
		return false;
	term_s = bounded(n, term_s);
	h = any ? find_client(d, network, ip->family, client) : hold_find(d, network, ip);
	other = !any && h;
	if (other && h->held.state == HELD_LENT)
		lent_to = h->other;
	if (h && (h->held.lease.client == client || h->taking) && h->held.state != HELD_LENT) {
		want_again(d, e, h, user, cookie, term_s, keep);
		holder_arm(d, e);
		return true;
	}
	h = begin(d, e, user, cookie, network, ip, client, term_s, keep);
	if (!h)
		return false;
	if (other) {			/* another guest of ours has it, or it is given away */
		h->held.state = HELD_FREE;
		h->other = lent_to;
		hold_news(d, e, h, HELD_REFUSED, VERDICT_TAKEN);
		d->holder->count--;
		return true;
	}
	tend_ask(d, e, h, any ? OP_CREATE_ANY : OP_CREATE);
	holder_arm(d, e);
	return true;
}

bool held_touch(struct dht *d, struct env *e, struct id network, const struct ip *ip, uint64_t cookie)
{
	struct hold *h = hold_find(d, network, ip);

	if (!h || h->held.state == HELD_LENT || h->let_go)
		return false;
	h->held.cookie = cookie;
	h->touched = true;
	if (h->held.state == HELD_OURS && !h->ask)
		tend_ask(d, e, h, h->unwritten ? OP_TAKE : OP_RENEW);
	holder_arm(d, e);
	return true;
}

void held_keep(struct dht *d, struct env *e, struct id network, const struct ip *ip, bool keep)
{
	struct hold *h = hold_find(d, network, ip);

	if (!h || h->held.keep == keep)
		return;
	h->held.keep = keep;
	if (h->held.state == HELD_OURS && !h->ask && !h->unwritten) {
		int64_t half = term_held_ns(h->held.lease.term_s, 0) / 2, left = h->held.until_ns - e->now_ns;

		h->due_ns = !keep ? INT64_MAX : left > half ? e->now_ns + left - half : e->now_ns;
	}
	hold_save(e, h);
	holder_arm(d, e);
}

void held_release(struct dht *d, struct env *e, struct id network, const struct ip *ip, uint64_t cookie)
{
	struct hold *h = hold_find(d, network, ip);

	if (!h || h->held.state == HELD_LENT)
		return;
	if (cookie)
		h->held.cookie = cookie;
	tend_release(d, e, h);
	holder_arm(d, e);
}

void held_lends(struct dht *d, struct env *e, struct id network, bool lends)
{
	struct holder *all;

	if (!ready(d, e) || hold_lends(d, network) == lends)
		return;
	all = d->holder;
	if (lends && all->lendings < NETWORKS_MAX) {
		all->lending[all->lendings++].network = network;
		return;
	}
	for (unsigned i = 0; !lends && i < all->lendings; i++)
		if (id_eq(all->lending[i].network, network))
			all->lending[i--] = all->lending[--all->lendings];
}

bool held_believes(const struct dht *d, const struct env *e, struct id network, const struct ip *ip, struct fence *fence)
{
	const struct hold *h = hold_find(d, network, ip);

	if (!h || h->held.state != HELD_OURS || e->now_ns >= h->held.until_ns)
		return false;
	if (fence)
		*fence = h->held.lease.fence;
	return true;
}

bool held_at(const struct dht *d, unsigned i, struct held *out)
{
	if (!d->holder || i >= d->holder->count)
		return false;
	*out = d->holder->hold[i].held;
	return true;
}

uint32_t held_changes(const struct dht *d)
{
	return d->holder ? d->holder->changes : 0;
}

bool held_quit(struct dht *d, struct env *e, struct id network, bool now)
{
	bool any = false;

	for (unsigned i = 0, before; d->holder && i < d->holder->count; i += before == d->holder->count) {
		struct hold *h = &d->holder->hold[i];

		before = d->holder->count;
		if (!id_eq(h->held.network, network))
			continue;
		if (h->held.state == HELD_LENT) {	/* not to be had again before it is over, should we come back */
			h->held.user = DHT_USER_CONTROL;
			h->held.cookie = 0;
			continue;
		}
		if (now)
			hold_drop(d, e, h);
		else if (h->held.state != HELD_RELEASING && !h->let_go)
			tend_release(d, e, h);
		any |= before == d->holder->count;
	}
	if (d->holder)
		holder_arm(d, e);
	return !any;
}

void held_free(struct dht *d, struct env *e)
{
	struct holder *all = d->holder;

	if (!all)
		return;
	for (unsigned i = 0; i < all->count; i++)
		hold_proof(e, &all->hold[i], (struct bytes){ 0 });
	mem_put(&e->mem, all->hold, all->cap * sizeof(*all->hold));
	mem_put(&e->mem, all->news, all->news_cap * sizeof(*all->news));
	mem_put(&e->mem, all, sizeof(*all));
	heap_del(&e->timers, TIMER_DHT_HELD);
	d->holder = NULL;
}

uint32_t held_bytes(const struct dht *d)
{
	const struct holder *all = d->holder;
	size_t bytes = all ? sizeof(*all) + all->cap * sizeof(*all->hold) + all->news_cap * sizeof(*all->news) : 0;

	for (unsigned i = 0; all && i < all->count; i++)
		bytes += all->hold[i].proof_len;
	return (uint32_t)bytes;
}

unsigned held_count(const struct dht *d)
{
	return d->holder ? d->holder->count : 0;
}
