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
#include "core/dht/asking.h"

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

/* Under a new nonce: what was sent before is forgotten. */
static void renew_nonce(struct dht *d, struct env *e, struct asking *a)
{
	if (a->first_ns)
		asking_tell(e, a, VERDICT_WAIT);
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

static int64_t pause_ns(struct env *e, unsigned tries)
{
	return random_around(&e->random, RETRY_NS * (tries < 3 ? tries : 3));
}

static void send(struct dht *d, struct env *e, struct asking *a)
{
	const struct cached *k = cached_find(d->client, &a->op.slot);

	if (!a->message && !asking_seal(d, e, a)) {
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
		asking_tell(e, a, 0);
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
	if (!asking_copy(e, a)) {
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
	asking_tell(e, a, v);
	if (v == VERDICT_TIMEOUT || v == VERDICT_WAIT)
		undo(d, e, a);
	if (a->user != DHT_USER_HELD && a->user != DHT_USER_NAMES && a->user < DHT_USERS)
		return;
	unlink_asking(d->client, a);
	asking_done(a, &done);
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

static bool gives_back(const struct asking *a)
{
	return a->op.kind == OP_RELEASE || a->op.kind == OP_DELETE || (a->op.kind == OP_TAKE && a->user == DHT_USER_HELD);
}

/* One about @network to be ended, NULL if none: the list may change while one is. @others: so many are not */
static struct asking *next_quit(const struct dht *d, struct id network, bool all, unsigned *others)
{
	*others = 0;
	for (struct asking *a = d->client ? d->client->first : NULL; a; a = a->next) {
		if (a->verdict || !id_eq(a->op.slot.network, network))
			continue;
		if (all || !gives_back(a))
			return a;
		++*others;
	}
	return NULL;
}

bool client_quit(struct dht *d, struct env *e, struct id network, bool all)
{
	struct asking *a;
	unsigned others;

	while ((a = next_quit(d, network, all, &others)))
		finish(d, e, a, VERDICT_TIMEOUT);
	return !others;
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
		asking_tell(e, a, VERDICT_FULL);
		a->first_ns = 0;
		next_slot(d, e, a);
	} else {
		a->verdict = t.verdict;
		if (asking_take(e, a, t.tail)) {
			finish(d, e, a, (enum verdict)t.verdict);
		} else {
			env_drop(e, DROP_VALUE);
			asking_drop(e, a);
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
	asking_done(a, out);
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
