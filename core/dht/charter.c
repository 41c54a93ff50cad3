/*
 * The signed records of networks: of those we are a member of, from the host,
 * and of those we only keep slots for, from whoever asked us to. A record
 * proves itself, so it does not matter who sends it.
 */
#include "core/dht/replica.h"

#include <sodium.h>

enum { ITEM_CHARTER = 'N' };

struct charter *charter_find(const struct dht *d, struct id network)
{
	for (unsigned i = 0; i < d->charters; i++)
		if (id_eq(d->charter[i].record.id, network))
			return &d->charter[i];
	return NULL;
}

bool dht_member(const struct dht *d, struct id network)
{
	const struct charter *c = charter_find(d, network);

	return c && c->member;
}

const struct network_record *dht_record(const struct dht *d, struct id network)
{
	const struct charter *c = charter_find(d, network);

	return c ? &c->record : NULL;
}

static void drop_blob(struct env *e, struct charter *c)
{
	if (!c->borrowed)
		mem_put(&e->mem, c->blob, c->len);
	c->blob = NULL;
}

static uint64_t part(struct id network)
{
	return network.hi ^ (network.lo << 1 | 1);
}

static bool in_use(const struct dht *d, struct id network)
{
	const struct replicas *rs = d->replicas;

	for (unsigned i = 0; rs && i < rs->count; i++)
		if (id_eq(rs->at[i]->slot.network, network))
			return true;
	return false;
}

static struct charter *charter_new(struct dht *d, struct env *e)
{
	unsigned others = 0;

	for (unsigned i = 0; i < d->charters; i++)
		others += !d->charter[i].member;
	for (unsigned i = 0; others >= CHARTERS_MAX && i < d->charters; i++) {
		struct charter *c = &d->charter[i];

		if (c->member || in_use(d, c->record.id))
			continue;
		drop_blob(e, c);
		if (e->fx)
			env_save(e, SAVE_SLOT, part(c->record.id), NULL, 0);
		return c;
	}
	if (others >= CHARTERS_MAX) {
		env_drop(e, DROP_FULL);
		return NULL;
	}
	if (d->charters == d->charter_cap &&
	    !mem_grow(&e->mem, &d->charter, &d->charter_cap, d->charter_cap + 2, sizeof(*d->charter)))
		return NULL;
	return &d->charter[d->charters++];
}

bool dht_network(struct dht *d, struct env *e, struct bytes blob, struct bytes chain)
{
	struct network_record n;
	struct charter *c;

	if (network_read(e->suite, blob, &n) != DROP_NONE)
		return false;
	c = charter_find(d, n.id);
	if (c && c->record.serial > n.serial) {		/* we were told of a newer one */
		c->member = true;
		c->chain = chain;
		return true;
	}
	if (!c) {
		c = charter_new(d, e);
		if (!c)
			return false;
	} else {
		drop_blob(e, c);
	}
	*c = (struct charter){
		.record = n, .blob = (uint8_t *)blob.at, .len = (uint16_t)blob.len, .borrowed = true, .member = true,
		.chain = chain,
	};
	if (d->started)
		generation_news(d, e, c);
	return true;
}

static void save(struct env *e, const struct charter *c)
{
	uint8_t buf[1 + NETWORK_RECORD_MAX] = { ITEM_CHARTER };

	memcpy(buf + 1, c->blob, c->len);
	env_save(e, SAVE_SLOT, part(c->record.id), buf, c->len + 1u);
}

/* A record of others, from a mail or our disk. */
static void learn(struct dht *d, struct env *e, struct bytes blob, bool keep)
{
	struct network_record n;
	struct charter *c;
	struct charter was = { .member = false };
	uint8_t *copy;
	enum drop why = network_read(e->suite, blob, &n);

	if (why != DROP_NONE) {
		env_drop(e, why);
		return;
	}
	c = charter_find(d, n.id);
	if (c && c->record.serial >= n.serial)
		return;
	copy = mem_get(&e->mem, blob.len);
	if (!copy)
		return;
	memcpy(copy, blob.at, blob.len);
	if (c) {
		was = *c;
		drop_blob(e, c);
	} else {
		c = charter_new(d, e);
	}
	if (!c) {
		mem_put(&e->mem, copy, blob.len);
		return;
	}
	*c = (struct charter){
		.record = n, .blob = copy, .len = (uint16_t)blob.len, .member = was.member, .chain = was.chain,
	};
	if (!keep)
		return;
	save(e, c);
	generation_news(d, e, c);
}

bool charter_load(struct dht *d, struct env *e, const struct saved *s)
{
	if (s->kind != SAVE_SLOT || !s->data.len || s->data.at[0] != ITEM_CHARTER)
		return false;
	learn(d, e, (struct bytes){ s->data.at + 1, s->data.len - 1 }, false);
	return true;
}

void charter_want(struct dht *d, struct env *e, struct id network, struct id from)
{
	uint8_t buf[ID_BYTES];
	struct writer w = writer_of(buf, sizeof(buf));

	if (id_eq(from, d->self->id))
		return;
	write_id(&w, network);
	dht_post(d, e, from, ROUTE_EXACT, BODY_RECORD_ASK, (struct bytes){ buf, sizeof(buf) }, NULL);
}

void charter_mail(struct dht *d, struct env *e, const struct ring_mail *m)
{
	struct reader in = reader_of(m->data.at, m->data.len);
	const struct charter *c;

	if (m->body == BODY_RECORD) {
		if (m->data.len > NETWORK_RECORD_MAX)
			env_drop(e, DROP_TOO_BIG);
		else
			learn(d, e, m->data, true);
		return;
	}
	c = charter_find(d, read_id(&in));
	if (!reader_done(&in))
		env_drop(e, DROP_VALUE);
	else if (c)
		dht_post(d, e, m->from, ROUTE_EXACT, BODY_RECORD, (struct bytes){ c->blob, c->len },
			 m->has_via ? &m->via : NULL);
}

void charter_quit(struct dht *d, struct env *e, struct id network)
{
	struct charter *c = charter_find(d, network);
	uint8_t *copy;

	if (!c)
		return;
	copy = !in_use(d, network) ? NULL : c->borrowed ? mem_get(&e->mem, c->len) : c->blob;
	if (copy) {
		if (c->borrowed)
			memcpy(copy, c->blob, c->len);
		*c = (struct charter){ .record = c->record, .blob = copy, .len = c->len };
		save(e, c);
		return;
	}
	drop_blob(e, c);
	env_save(e, SAVE_SLOT, part(network), NULL, 0);
	*c = d->charter[--d->charters];
}

void charters_free(struct dht *d, struct env *e)
{
	for (unsigned i = 0; i < d->charters; i++)
		drop_blob(e, &d->charter[i]);
	mem_put(&e->mem, d->charter, d->charter_cap * sizeof(*d->charter));
}
