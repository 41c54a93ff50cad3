/*
 * Names of ours: put, and put again at half their term for as long as they are wanted
 */
#include "core/dht/parts.h"

enum { NAMES_MAX = 1024 };		/* a router has two for each of its machines */

#define PUT_NS		(15 * NS_PER_S)
#define AGAIN_NS	(10 * NS_PER_S)

struct published {
	struct id network;
	uint64_t cookie;		/* of the question under way, 0 = none */
	int64_t due_ns, until_ns;
	uint8_t *bytes;			/* name | value */
	uint32_t term_s;
	uint16_t value_len;
	uint8_t name_len, type, user, verdict;
	bool claim;
};

struct publisher {
	struct published *name;
	uint16_t count, cap;
	uint64_t last_cookie;
};

static struct bytes name_of(const struct published *p)
{
	return (struct bytes){ p->bytes, p->name_len };
}

static void forget(struct env *e, struct published *p)
{
	mem_put(&e->mem, p->bytes, p->name_len + (size_t)p->value_len);
	p->bytes = NULL;
}

static void arm(struct dht *d, struct env *e)
{
	int64_t due = INT64_MAX;

	for (unsigned i = 0; i < d->publisher->count; i++)
		if (!d->publisher->name[i].cookie && d->publisher->name[i].due_ns < due)
			due = d->publisher->name[i].due_ns;
	if (due < INT64_MAX)
		heap_set(&e->timers, &e->mem, TIMER_DHT_PUBLISH, due);
	else
		heap_del(&e->timers, TIMER_DHT_PUBLISH);
}

static void put(struct dht *d, struct env *e, struct published *p)
{
	const struct op op = {
		.kind = p->claim ? OP_CLAIM : OP_PUT, .type = p->type, .slot.network = p->network, .term_s = p->term_s,
		.name = name_of(p), .value = { p->bytes + p->name_len, p->value_len },
	};

	p->cookie = ++d->publisher->last_cookie;
	if (client_ask(d, e, DHT_USER_NAMES, p->cookie, &op, PUT_NS, false))
		return;
	p->cookie = 0;
	p->due_ns = e->now_ns + AGAIN_NS;
}

static struct published *find(const struct dht *d, uint8_t user, struct id network, struct bytes name, uint8_t type)
{
	for (unsigned i = 0; d->publisher && i < d->publisher->count; i++) {
		struct published *p = &d->publisher->name[i];

		if (p->user == user && p->type == type && id_eq(p->network, network) && p->name_len == name.len &&
		    !memcmp(p->bytes, name.at, name.len))
			return p;
	}
	return NULL;
}

static struct published *place(struct dht *d, struct env *e)
{
	struct publisher *all;

	if (!d->publisher)
		d->publisher = mem_get(&e->mem, sizeof(*d->publisher));
	all = d->publisher;
	if (!all || all->count == NAMES_MAX) {
		env_drop(e, all ? DROP_FULL : DROP_MEMORY);
		return NULL;
	}
	if (all->count == all->cap && !mem_grow(&e->mem, &all->name, &all->cap, all->cap ? all->cap * 2 : 2, sizeof(*all->name))) {
		env_drop(e, DROP_MEMORY);
		return NULL;
	}
	all->name[all->count] = (struct published){ .due_ns = INT64_MAX };
	return &all->name[all->count];
}

/* names are told apart in lower case */
static void lower(uint8_t *out, struct bytes name)
{
	for (size_t i = 0; i < name.len; i++)
		out[i] = name.at[i] >= 'A' && name.at[i] <= 'Z' ? (uint8_t)(name.at[i] + ('a' - 'A')) : name.at[i];
}

bool name_publish(struct dht *d, struct env *e, uint8_t user, struct id network, struct bytes name, uint8_t type,
		  struct bytes value, uint32_t term_s, bool claim)
{
	const struct network_record *n = dht_record(d, network);
	uint8_t low[NAME_MAX_BYTES], *bytes;
	struct published *p;

	if (!n || !name.len || name.len > sizeof(low) || value.len > VALUE_MAX || !type || type > VALUE_PLAIN)
		return false;
	lower(low, name);
	bytes = mem_get(&e->mem, name.len + value.len);
	if (!bytes) {
		env_drop(e, DROP_MEMORY);
		return false;
	}
	memcpy(bytes, low, name.len);
	if (value.len)
		memcpy(bytes + name.len, value.at, value.len);
	p = find(d, user, network, (struct bytes){ low, name.len }, type);
	if (p) {
		forget(e, p);
	} else {
		p = place(d, e);
		if (!p) {
			mem_put(&e->mem, bytes, name.len + value.len);
			return false;
		}
		d->publisher->count++;
	}
	p->network = network;
	p->user = user;
	p->type = type;
	p->claim = claim;
	p->bytes = bytes;
	p->name_len = (uint8_t)name.len;
	p->value_len = (uint16_t)value.len;
	p->term_s = !term_s || term_s > n->term_s ? n->term_s : term_s;
	put(d, e, p);
	arm(d, e);
	return true;
}

void name_withdraw(struct dht *d, struct env *e, uint8_t user, struct id network, struct bytes name, uint8_t type)
{
	uint8_t low[NAME_MAX_BYTES];
	struct published *p;
	struct op op;

	if (!name.len || name.len > sizeof(low))
		return;
	lower(low, name);
	p = find(d, user, network, (struct bytes){ low, name.len }, type);
	if (!p)
		return;
	op = (struct op){ .kind = OP_DELETE, .type = type, .slot.network = network, .name = { low, name.len } };
	client_ask(d, e, DHT_USERS, 0, &op, PUT_NS, false);	/* nobody waits for the answer */
	forget(e, p);
	*p = d->publisher->name[--d->publisher->count];
	arm(d, e);
}

void publish_done(struct dht *d, struct env *e, const struct dht_done *done)
{
	for (unsigned i = 0; d->publisher && i < d->publisher->count; i++) {
		struct published *p = &d->publisher->name[i];
		int64_t half = p->term_s * NS_PER_S / 2;

		if (p->cookie != done->cookie)
			continue;
		p->cookie = 0;
		p->verdict = done->verdict;
		if (done->verdict == VERDICT_OK)
			p->until_ns = done->asked_ns + 2 * half;
		p->due_ns = e->now_ns + random_around(&e->random, done->verdict == VERDICT_TIMEOUT ||
						      done->verdict == VERDICT_WAIT ? AGAIN_NS : half);
	}
	if (d->publisher)
		arm(d, e);
}

void publish_timer(struct dht *d, struct env *e)
{
	if (!d->publisher)
		return;
	for (unsigned i = 0; i < d->publisher->count; i++)
		if (!d->publisher->name[i].cookie && d->publisher->name[i].due_ns <= e->now_ns)
			put(d, e, &d->publisher->name[i]);
	arm(d, e);
}

void publish_resumed(struct dht *d, struct env *e)
{
	for (unsigned i = 0; d->publisher && i < d->publisher->count; i++)
		d->publisher->name[i].due_ns = e->now_ns;
	publish_timer(d, e);
}

bool name_at(const struct dht *d, unsigned i, struct look_name *out)
{
	const struct published *p;

	if (!d->publisher || i >= d->publisher->count)
		return false;
	p = &d->publisher->name[i];
	*out = (struct look_name){ p->network, name_of(p), p->type, p->user, p->verdict, p->until_ns };
	return true;
}

void publish_quit(struct dht *d, struct env *e, struct id network)
{
	for (unsigned i = 0; d->publisher && i < d->publisher->count;) {
		const struct published *p = &d->publisher->name[i];

		if (id_eq(p->network, network))
			name_withdraw(d, e, p->user, network, name_of(p), p->type);
		else
			i++;
	}
}

void publish_free(struct dht *d, struct env *e)
{
	if (!d->publisher)
		return;
	for (unsigned i = 0; i < d->publisher->count; i++)
		forget(e, &d->publisher->name[i]);
	mem_put(&e->mem, d->publisher->name, d->publisher->cap * sizeof(*d->publisher->name));
	mem_put(&e->mem, d->publisher, sizeof(*d->publisher));
	heap_del(&e->timers, TIMER_DHT_PUBLISH);
	d->publisher = NULL;
}

uint32_t publish_bytes(const struct dht *d)
{
	size_t bytes = d->publisher ? sizeof(*d->publisher) + d->publisher->cap * sizeof(*d->publisher->name) : 0;

	for (unsigned i = 0; d->publisher && i < d->publisher->count; i++)
		bytes += d->publisher->name[i].name_len + d->publisher->name[i].value_len;
	return (uint32_t)bytes;
}
