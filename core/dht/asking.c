#include "core/dht/asking.h"

void asking_free(struct env *e, struct asking *a)
{
	mem_put(&e->mem, a->copy, a->copied);
	mem_put(&e->mem, a->message, a->length);
	mem_put(&e->mem, a->answer, a->answered);
	mem_put(&e->mem, a->value, a->values * sizeof(*a->value));
	mem_put(&e->mem, a, sizeof(*a));
}

bool asking_copy(struct env *e, struct asking *a)
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

void asking_tell(struct env *e, const struct asking *a, enum verdict v)
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

bool asking_seal(struct dht *d, struct env *e, struct asking *a)
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

void asking_done(const struct asking *a, struct dht_done *out)
{
	*out = (struct dht_done){
		.cookie = a->cookie, .kind = a->op.kind, .verdict = a->verdict, .user = a->user, .tries = a->tries,
		.slot = a->op.slot, .lease = a->lease, .value = a->value, .values = a->values, .asked_ns = a->first_ns,
		.nonce = a->op.nonce,
	};
}

static bool keep_values(struct env *e, struct asking *a, struct reader *r)
{
	struct value v[VALUES_PER_KEY];
	unsigned count = read_u8(r), good = 0;

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

bool asking_take(struct env *e, struct asking *a, struct bytes tail)
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
		return keep_values(e, a, &r);
	return lease_read(&r, &a->lease) && reader_done(&r) && lease_fits(a);
}

void asking_drop(struct env *e, struct asking *a)
{
	mem_put(&e->mem, a->answer, a->answered);
	mem_put(&e->mem, a->value, a->values * sizeof(*a->value));
	a->answer = NULL;
	a->value = NULL;
	a->answered = a->values = 0;
	a->lease = (struct lease){ .ip.family = 0 };
	a->verdict = 0;
}
