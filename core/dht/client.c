/*
 * Questions of ours to slots, wherever they are
 *
 * A question is sealed once for each slot it is put to and sent again with the
 * same nonce until it is answered: to the primary if we know it, else by the
 * ring to whoever owns the slot's point. Who gets it and does not know answers
 * whom to ask; from the second try on it is urgent, so that a backup looks
 * whether its primary lives.
 *
 * Terms count from the first time a nonce was sent, since the slot answers an
 * op it has seen without writing again.
 *
 * A create that ends without an answer may have been granted. Nobody would
 * hold that address, so the client takes it back (RELEASE without an address)
 * as long as it takes, in the background. For the same reason a search for any
 * free address leaves a slot only on its answer.
 */
#include "core/dht/parts.h"

#include <assert.h>

#include "core/ring/message.h"

enum {
	ASKING_MAX	= 64,
	CACHED		= 32,		/* slots whose primaries we remember */
	REDIRECTS	= 4,		/* in a row, without a pause */
	STALES		= 3,
};

#define RETRY_NS	NS_PER_S	/* then twice and three times that */
#define NO_WAY_NS	(NS_PER_S / 2)	/* no link yet: look again after */
#define UNDO_NS		(60 * NS_PER_S)

struct asking {
	struct asking *next;		/* oldest first */
	struct op op;			/* bytes in @copy */
	uint8_t *copy, *message;	/* message: as it travels, NULL until sent */
	uint16_t copied, length;
	struct id hint;			/* whom to ask; zero: the owner of the point */
	uint64_t cookie;
	int64_t deadline_ns, first_ns, due_ns;
	struct walk walk;		/* CREATE_ANY */
	uint8_t user, tries, sent, redirects, stales, waits;
	uint8_t verdict;		/* finished: not 0 */
	bool urgent;
	struct lease lease;
	struct value *value;		/* borrow from @answer */
	uint8_t *answer;
	uint16_t values, answered;
};

struct cached {
	struct slot_name slot;
	struct id primary;
};

struct client {
	struct asking *first, *spent;	/* spent: handed out by dht_next(), freed when mail or a timer comes */
	unsigned count;
	struct cached cached[CACHED];
	uint8_t next_cached;
};

/* ---- whom to ask ---- */

static struct cached *cached_find(struct client *c, const struct slot_name *s)
{
	for (unsigned i = 0; i < CACHED; i++)
		if (c->cached[i].slot.kind && slot_eq(&c->cached[i].slot, s))
			return &c->cached[i];
	return NULL;
}

static void cached_learn(struct client *c, const struct slot_name *s, struct id primary)
{
	struct cached *k = cached_find(c, s);

	if (!k) {
		k = &c->cached[c->next_cached];
		c->next_cached = (uint8_t)((c->next_cached + 1) % CACHED);
	}
	*k = (struct cached){ *s, primary };
}

static void cached_forget(struct client *c, const struct slot_name *s)
{
	struct cached *k = cached_find(c, s);

	if (k)
		k->slot.kind = 0;
}

static bool known(struct id id)
{
	return !id_eq(id, ID_ZERO);
}

/* CREATE_ANY: the next slot to try */
static bool walk(const struct dht *d, struct asking *a, const struct network_record *n)
{
	return walk_next(&a->walk, n, &a->op.ip, a->op.client, d->ring->log2_size, &a->op.slot);
}

/* ---- life of a question ---- */

static void asking_free(struct env *e, struct asking *a)
{
	mem_put(&e->mem, a->copy, a->copied);
	mem_put(&e->mem, a->message, a->length);
	mem_put(&e->mem, a->answer, a->answered);
	mem_put(&e->mem, a->value, a->values * sizeof(*a->value));
	mem_put(&e->mem, a, sizeof(*a));
}

static void sweep(struct dht *d, struct env *e)
{
	while (d->client && d->client->spent) {
		struct asking *a = d->client->spent;

		d->client->spent = a->next;
		asking_free(e, a);
	}
}

static void arm(struct dht *d, struct env *e)
{
	int64_t due = INT64_MAX;

	for (const struct asking *a = d->client->first; a; a = a->next) {
		if (a->verdict)
			continue;
		due = a->due_ns < due ? a->due_ns : due;
		due = a->deadline_ns < due ? a->deadline_ns : due;
	}
	if (due < INT64_MAX)
		heap_set(&e->timers, &e->mem, TIMER_DHT_CLIENT, due);
	else
		heap_del(&e->timers, TIMER_DHT_CLIENT);
}

static bool copy_bytes(struct env *e, struct asking *a)
{
	struct bytes *part[] = { &a->op.name, &a->op.value, &a->op.proof };
	size_t at = 0;

	for (unsigned i = 0; i < 3; i++)
		a->copied = (uint16_t)(a->copied + part[i]->len);
	if (!a->copied)
		return true;
	a->copy = mem_get(&e->mem, a->copied);
	if (!a->copy)
		return false;
	for (unsigned i = 0; i < 3; i++) {
		if (part[i]->len)
			memcpy(a->copy + at, part[i]->at, part[i]->len);
		part[i]->at = a->copy + at;
		at += part[i]->len;
	}
	for (size_t i = 0; i < a->op.name.len; i++)
		if (a->copy[i] >= 'A' && a->copy[i] <= 'Z')
			a->copy[i] = (uint8_t)(a->copy[i] + ('a' - 'A'));
	return true;
}

/* For oracles: a question about an address begins (no verdict), or ends. What was never sent is none. */
static void tell_deed(struct env *e, const struct asking *a, enum verdict v)
{
	bool v4 = a->op.slot.kind == SLOT_V4;
	uint64_t first = a->op.slot.number << SLOT_BITS;
	const struct lease *l = &a->lease;
	struct deed d = {
		.nonce = a->op.nonce, .network = a->op.slot.network, .ip = a->op.ip, .client = a->op.client,
		.term_s = a->op.term_s, .kind = a->op.kind, .verdict = (uint8_t)v,
		.wide = a->op.kind == OP_CREATE_ANY || !a->op.ip.family,
		.fence = { (uint64_t)a->op.fence.generation << 32 | a->op.fence.delegation, a->op.fence.grant },
	};

	if ((a->op.slot.kind != SLOT_V4 && a->op.slot.kind != SLOT_V6) || (v && !a->first_ns))
		return;
	if (d.wide) {
		d.ip = (struct ip){ .family = v4 ? 4 : 6 };
		for (unsigned i = v4 ? 4 : 16; i-- > (v4 ? 0 : 8); first >>= 8)
			d.ip.at[i] = (uint8_t)first;
		d.fence[0] = d.fence[1] = 0;
	}
	if (v && l->ip.family) {
		d.ip = l->ip;
		d.holder = l->holder;
		d.client = l->client;
		d.fence[0] = (uint64_t)l->fence.generation << 32 | l->fence.delegation;
		d.fence[1] = l->fence.grant;
	}
	env_deed(e, &d);
}

/* Under a new nonce: what was sent before is forgotten. */
static void renew_nonce(struct dht *d, struct env *e, struct asking *a)
{
	if (a->first_ns)
		tell_deed(e, a, VERDICT_WAIT);
	mem_put(&e->mem, a->message, a->length);
	a->message = NULL;
	a->length = 0;
	if (!d->nonce)
		d->nonce = (e->incarnation & INT32_MAX) << 32;
	a->op.nonce = ++d->nonce;
	a->first_ns = 0;
	a->sent = a->redirects = 0;
	a->hint = ID_ZERO;
}

static bool seal(struct dht *d, struct env *e, struct asking *a)
{
	uint8_t buf[QUESTION_HEADER + OP_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	const struct question q = { .op = a->op };
	const struct charter *k = charter_find(d, a->op.slot.network);
	struct bytes chain = { d->self->chain, d->self->chain_len };
	struct op op = a->op;

	if (k && k->chain.len)
		chain = k->chain;
	if (op.kind == OP_CREATE_ANY && !slot_holds(&op.slot, &op.ip))
		op.ip = (struct ip){ .family = 0 };
	question_write(&w, &q);
	op_write(&w, &op, e->suite, d->self, chain);
	if (w.bad)
		return false;
	a->message = mem_get(&e->mem, writer_len(&w));
	if (!a->message)
		return false;
	a->length = (uint16_t)writer_len(&w);
	memcpy(a->message, buf, a->length);
	return true;
}

static int64_t pause_ns(struct env *e, unsigned tries)
{
	return random_around(&e->random, RETRY_NS * (tries < 3 ? tries : 3));
}

static void send(struct dht *d, struct env *e, struct asking *a)
{
	const struct cached *k = cached_find(d->client, &a->op.slot);

	if (!a->message && !seal(d, e, a)) {
		a->due_ns = e->now_ns + NO_WAY_NS;
		return;
	}
	if (!a->sent && k)
		a->hint = k->primary;
	a->message[0] = a->sent || a->urgent ? QUESTION_URGENT : 0;
	if (dht_post(d, e, known(a->hint) ? a->hint : slot_point(&a->op.slot), known(a->hint) ? ROUTE_EXACT : ROUTE_OWNER,
		     BODY_OP, (struct bytes){ a->message, a->length }, NULL) != DROP_NONE) {
		cached_forget(d->client, &a->op.slot);	/* whoever it was, there is no way to it */
		a->hint = ID_ZERO;
		a->due_ns = e->now_ns + NO_WAY_NS;
		return;
	}
	if (!a->first_ns) {
		a->first_ns = e->now_ns;
		tell_deed(e, a, 0);
	}
	a->sent += a->sent < 255;
	a->tries += a->tries < 255;
	a->due_ns = e->now_ns + pause_ns(e, a->sent);
}

static struct asking *start(struct dht *d, struct env *e, uint8_t user, uint64_t cookie, const struct op *op,
			    int64_t timeout_ns, bool urgent)
{
	struct asking *a, **end;

	if (!d->client)
		d->client = mem_get(&e->mem, sizeof(*d->client));
	if (!d->client || d->client->count >= ASKING_MAX) {
		env_drop(e, d->client ? DROP_FULL : DROP_MEMORY);
		return NULL;
	}
	a = mem_get(&e->mem, sizeof(*a));
	if (!a) {
		env_drop(e, DROP_MEMORY);
		return NULL;
	}
	a->op = *op;
	a->op.asker = d->self->id;
	a->user = user;
	a->cookie = cookie;
	a->urgent = urgent;
	a->deadline_ns = e->now_ns + timeout_ns;
	if (!copy_bytes(e, a)) {
		a->copied = 0;
		asking_free(e, a);
		env_drop(e, DROP_MEMORY);
		return NULL;
	}
	for (end = &d->client->first; *end; end = &(*end)->next)
		;
	*end = a;
	d->client->count++;
	return a;
}

/* The asker gave up on a create that may have been granted */
static void undo(struct dht *d, struct env *e, const struct asking *a)
{
	struct op op = { .kind = OP_RELEASE, .slot = a->op.slot, .client = a->op.client, .fence = { .grant = a->op.nonce } };
	struct asking *u;

	if ((a->op.kind != OP_CREATE && a->op.kind != OP_CREATE_ANY) || !a->first_ns)
		return;
	u = start(d, e, DHT_USERS, 0, &op, UNDO_NS, false);
	if (!u)
		return;
	renew_nonce(d, e, u);
	send(d, e, u);
}

static void done_of(const struct asking *a, struct dht_done *out)
{
	*out = (struct dht_done){
		.cookie = a->cookie, .kind = a->op.kind, .verdict = a->verdict, .user = a->user, .tries = a->tries,
		.slot = a->op.slot, .lease = a->lease, .value = a->value, .values = a->values, .asked_ns = a->first_ns,
	};
}

static void unlink_asking(struct client *c, struct asking *a)
{
	struct asking **p = &c->first;

	while (*p != a)
		p = &(*p)->next;
	*p = a->next;
	a->next = NULL;
	c->count--;
}

/* It has ended. Our own parts hear at once, the others through dht_next(). */
static void finish(struct dht *d, struct env *e, struct asking *a, enum verdict v)
{
	struct dht_done done;

	a->verdict = (uint8_t)v;
	tell_deed(e, a, v);
	if (v == VERDICT_TIMEOUT || v == VERDICT_WAIT)
		undo(d, e, a);
	if (a->user != DHT_USER_HELD && a->user != DHT_USER_NAMES && a->user < DHT_USERS)
		return;
	unlink_asking(d->client, a);
	done_of(a, &done);
	if (a->user == DHT_USER_HELD)
		held_done(d, e, &done);
	else if (a->user == DHT_USER_NAMES)
		publish_done(d, e, &done);
	asking_free(e, a);
}

void client_cancel(struct dht *d, struct env *e, uint8_t user, uint64_t cookie)
{
	for (struct asking *a = d->client ? d->client->first : NULL; a; a = a->next) {
		if (a->user != user || a->cookie != cookie || a->verdict)
			continue;
		finish(d, e, a, VERDICT_TIMEOUT);
		return;
	}
}

/* CREATE_ANY: on to the next slot, or once more through all that asked us to wait, or the end */
static void next_slot(struct dht *d, struct env *e, struct asking *a)
{
	const struct network_record *n = dht_record(d, a->op.slot.network);

	if (n && walk(d, a, n)) {
		renew_nonce(d, e, a);
		send(d, e, a);
		return;
	}
	if (!a->waits || !n) {
		finish(d, e, a, VERDICT_FULL);
		return;
	}
	a->walk = (struct walk){ 0 };
	a->waits = 0;
	walk(d, a, n);
	renew_nonce(d, e, a);
	a->due_ns = e->now_ns + pause_ns(e, a->tries);
}

/* ---- answers ---- */

static bool keep_values(struct dht *d, struct env *e, struct asking *a, struct reader *r)
{
	struct value v[VALUES_PER_KEY];
	unsigned count = read_u8(r), good = 0;

	(void)d;
	for (unsigned i = 0; i < count && i < VALUES_PER_KEY; i++) {
		enum drop why = value_read(r, &v[good], e->suite, &a->op.slot, a->op.name);

		env_drop(e, why);
		good += why == DROP_NONE;
	}
	if (!reader_done(r))
		return false;
	if (good) {
		a->value = mem_get(&e->mem, good * sizeof(*v));
		if (!a->value)
			return false;
		memcpy(a->value, v, good * sizeof(*v));
	}
	a->values = (uint16_t)good;
	return true;
}

static bool lease_fits(const struct asking *a)
{
	const struct lease *l = &a->lease;

	if (!slot_holds(&a->op.slot, &l->ip) || (a->op.kind != OP_CREATE_ANY && a->op.ip.family && !ip_eq(&l->ip, &a->op.ip)))
		return false;
	return a->verdict != VERDICT_OK || a->op.kind == OP_GET || a->op.kind == OP_LOOK || a->op.kind == OP_RELEASE ||
	       (id_eq(l->holder, a->op.asker) && l->client == a->op.client);
}

/* Does an OK without a lease say enough? */
static bool needs_lease(const struct asking *a)
{
	return a->verdict == VERDICT_OK && a->op.slot.kind != SLOT_NAMES && a->op.kind != OP_RELEASE;
}

static bool take_tail(struct dht *d, struct env *e, struct asking *a, struct bytes tail)
{
	struct reader r;

	if (!tail.len)
		return !needs_lease(a);
	a->answer = mem_get(&e->mem, tail.len);
	if (!a->answer)
		return false;
	a->answered = (uint16_t)tail.len;
	memcpy(a->answer, tail.at, tail.len);
	r = reader_of(a->answer, tail.len);
	if (a->op.slot.kind == SLOT_NAMES)
		return keep_values(d, e, a, &r);
	return lease_read(&r, &a->lease) && reader_done(&r) && lease_fits(a);
}

static void drop_tail(struct env *e, struct asking *a)
{
	mem_put(&e->mem, a->answer, a->answered);
	mem_put(&e->mem, a->value, a->values * sizeof(*a->value));
	a->answer = NULL;
	a->value = NULL;
	a->answered = a->values = 0;
	a->lease = (struct lease){ .ip.family = 0 };
	a->verdict = 0;
}

static void not_here(struct dht *d, struct env *e, struct asking *a, const struct told *t)
{
	bool other = known(t->primary) && !id_eq(t->primary, a->hint);

	cached_forget(d->client, &a->op.slot);
	a->hint = other ? t->primary : ID_ZERO;
	if (a->redirects++ < REDIRECTS && other && a->sent)
		send(d, e, a);
	else
		a->due_ns = e->now_ns + pause_ns(e, a->sent);
}

static void stale(struct dht *d, struct env *e, struct asking *a, struct bytes tail)
{
	struct reader r = reader_of(tail.at, tail.len);
	uint64_t nonce = read_u64(&r);

	if (!reader_ok(&r) || a->stales++ >= STALES) {
		finish(d, e, a, VERDICT_WAIT);
		return;
	}
	if (nonce > d->nonce && nonce <= INT64_MAX)
		d->nonce = nonce;
	renew_nonce(d, e, a);
	send(d, e, a);
}

static void wait(struct dht *d, struct env *e, struct asking *a)
{
	a->waits += a->waits < 255;
	if (a->op.kind == OP_CREATE_ANY) {
		undo(d, e, a);
		next_slot(d, e, a);
		return;
	}
	a->hint = ID_ZERO;
	a->due_ns = e->now_ns + pause_ns(e, a->sent);
}

static struct asking *asking_find(const struct dht *d, const struct told *t)
{
	for (struct asking *a = d->client ? d->client->first : NULL; a; a = a->next)
		if (!a->verdict && a->first_ns && a->op.nonce == t->nonce && a->op.kind == t->kind &&
		    slot_eq(&a->op.slot, &t->slot))
			return a;
	return NULL;
}

void client_mail(struct dht *d, struct env *e, const struct ring_mail *m)
{
	struct reader r = reader_of(m->data.at, m->data.len);
	struct asking *a;
	struct told t;

	sweep(d, e);
	if (!told_read(&r, &t)) {
		env_drop(e, DROP_VALUE);
		return;
	}
	a = asking_find(d, &t);
	if (!a) {
		env_drop(e, DROP_DUPLICATE);
		return;
	}
	if (t.verdict && known(t.primary))
		cached_learn(d->client, &t.slot, t.primary);
	if (!t.verdict) {
		not_here(d, e, a, &t);
	} else if (t.verdict == VERDICT_STALE) {
		stale(d, e, a, t.tail);
	} else if (t.verdict == VERDICT_WAIT) {
		wait(d, e, a);
	} else if (t.verdict == VERDICT_FULL && a->op.kind == OP_CREATE_ANY) {
		tell_deed(e, a, VERDICT_FULL);
		a->first_ns = 0;
		next_slot(d, e, a);
	} else {
		a->verdict = t.verdict;
		if (take_tail(d, e, a, t.tail)) {
			finish(d, e, a, (enum verdict)t.verdict);
		} else {
			env_drop(e, DROP_VALUE);
			drop_tail(e, a);
		}
	}
	arm(d, e);
}

/* ---- time ---- */

/* One that is due, NULL if none: the list may change while one is handled */
static struct asking *next_due(const struct dht *d, int64_t now_ns)
{
	for (struct asking *a = d->client->first; a; a = a->next)
		if (!a->verdict && (a->due_ns <= now_ns || a->deadline_ns <= now_ns))
			return a;
	return NULL;
}

void client_timer(struct dht *d, struct env *e)
{
	struct asking *a;

	if (!d->client)
		return;
	sweep(d, e);
	while ((a = next_due(d, e->now_ns))) {
		if (a->deadline_ns <= e->now_ns) {
			finish(d, e, a, a->waits ? VERDICT_WAIT : VERDICT_TIMEOUT);
			continue;
		}
		if (a->sent) {
			cached_forget(d->client, &a->op.slot);
			a->hint = ID_ZERO;
			a->redirects = 0;
		}
		send(d, e, a);
	}
	arm(d, e);
}

void client_ring(struct dht *d, struct env *e)
{
	if (!d->client)
		return;
	sweep(d, e);
	for (struct asking *a = d->client->first; a; a = a->next)
		if (!a->verdict && !a->first_ns)
			send(d, e, a);
	arm(d, e);
}

void client_resumed(struct dht *d, struct env *e)
{
	if (!d->client)
		return;
	memset(d->client->cached, 0, sizeof(d->client->cached));
	for (struct asking *a = d->client->first; a; a = a->next)
		if (!a->verdict)
			a->due_ns = e->now_ns;
	client_timer(d, e);
}

/* ---- the face ---- */

static bool place(struct dht *d, struct asking *a)
{
	const struct network_record *n = dht_record(d, a->op.slot.network);
	struct id network = a->op.slot.network;

	if (a->op.kind == OP_CREATE_ANY) {
		if (!n || !(a->op.ip.family == 4 ? n->range4 : n->range6).ip.family)
			return false;
		return walk(d, a, n);
	}
	if (a->op.name.len)
		a->op.slot = slot_of_text(network, a->op.name);
	else
		a->op.slot = slot_of_ip(network, &a->op.ip);
	return true;
}

bool client_ask(struct dht *d, struct env *e, uint8_t user, uint64_t cookie, const struct op *op, int64_t timeout_ns,
		bool urgent)
{
	struct asking *a = start(d, e, user, cookie, op, timeout_ns, urgent);
	const struct network_record *n = dht_record(d, op->slot.network);

	if (!a)
		return false;
	if (!a->op.term_s || (n && a->op.term_s > op_term(op, n)))
		a->op.term_s = n ? op_term(op, n) : TERM_DEFAULT;
	if (!op_writes(op->kind))
		a->op.term_s = 0;
	if (!place(d, a)) {
		unlink_asking(d->client, a);
		asking_free(e, a);
		env_drop(e, DROP_RANGE);
		return false;
	}
	renew_nonce(d, e, a);
	send(d, e, a);
	arm(d, e);
	return true;
}

bool dht_ask(struct dht *d, struct env *e, uint8_t user, uint64_t cookie, const struct op *op, int64_t timeout_ns)
{
	return client_ask(d, e, user, cookie, op, timeout_ns, false);
}

bool dht_next(struct dht *d, struct dht_done *out)
{
	struct asking *a = d->client ? d->client->first : NULL;

	while (a && !a->verdict)
		a = a->next;
	if (!a)
		return false;
	unlink_asking(d->client, a);
	a->next = d->client->spent;
	d->client->spent = a;
	done_of(a, out);
	return true;
}

void client_free(struct dht *d, struct env *e)
{
	if (!d->client)
		return;
	sweep(d, e);
	while (d->client->first) {
		struct asking *a = d->client->first;

		d->client->first = a->next;
		asking_free(e, a);
	}
	heap_del(&e->timers, TIMER_DHT_CLIENT);
	mem_put(&e->mem, d->client, sizeof(*d->client));
	d->client = NULL;
}

uint32_t client_bytes(const struct dht *d)
{
	size_t bytes = d->client ? sizeof(*d->client) : 0;

	for (const struct asking *a = d->client ? d->client->first : NULL; a; a = a->next)
		bytes += sizeof(*a) + a->copied + a->length + a->answered + a->values * sizeof(*a->value);
	return (uint32_t)bytes;
}

unsigned client_asking(const struct dht *d)
{
	return d->client ? d->client->count : 0;
}
