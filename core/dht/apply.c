/*
 * What an op does to the records of its slot
 *
 * Leases. A record is mine if its owner is the asker; it counts while it is
 * live by the grantor's clock. Every grant takes the slot's next number, also
 * when the same node creates what it has: a create says "I do not know what I
 * had", and a delegation it may have signed before is void with the old fence.
 * Only a renewal keeps the fence.
 *
 * A lending lease (op.h) may have been signed away without a word to the slot,
 * and whoever got it may believe in it for LEND_NS. A holder that cannot know
 * waits for that long after its create was granted (tend.c).
 *
 * Order. Ops of one asker on one record count by nonce: what comes late is
 * stale and does nothing. The op that wrote the record, told again, is answered
 * again and writes nothing. Released and expired records stay until another
 * is written in their place, so that a late copy of the create finds them.
 *
 * Names. One value for each writer under a name and type. Who claims gets it
 * alone; a put beside somebody's claim is refused.
 */
#include "core/dht/parts.h"

enum {
	GONE_S		= 60,		/* a released record is remembered so long at least */
	VALUE_WIRE	= 132,		/* bytes of a value in an answer beside its data */
	WRITER_VALUES	= 64,		/* of one writer in one bucket */
};

struct apply {
	const struct store *s;
	const struct slot_name *slot;
	const struct network_record *n;
	const struct op *o;
	uint32_t generation;
	int64_t now_ns;
	struct outcome *out;
	struct writer *tail;
};

static void say(struct apply *a, enum verdict v)
{
	a->out->verdict = (uint8_t)v;
}

/* ---- leases ---- */

static struct ip ip_of(const struct apply *a, uint64_t key)
{
	struct ip ip = a->slot->kind == SLOT_V4 ? (struct ip){ .family = 4 } : a->n->range6.ip;
	uint64_t low = a->slot->number << SLOT_BITS | key;

	if (a->slot->kind == SLOT_V4)
		return ip_v4((uint32_t)low);
	for (unsigned i = 16; i-- > 8; low >>= 8)
		ip.at[i] = (uint8_t)low;
	return ip;
}

static bool in_slot(const struct apply *a, const struct ip *ip)
{
	return slot_holds(a->slot, ip);
}

static uint64_t key_of(const struct ip *ip)
{
	return ip_low(ip) & (SLOT_ADDRESSES - 1);
}

static void tell_lease(struct apply *a, const struct kept *k)
{
	int64_t left = k->until_ns - a->now_ns;
	struct lease l = {
		.ip = ip_of(a, k->key), .holder = k->owner, .client = k->client, .fence = kept_fence(k),
		.term_s = k->term_s, .left_ms = left > 0 ? (uint32_t)(left / NS_PER_MS) : 0, .lends = k->lends,
	};

	lease_write(a->tail, &l);
}

static void write_lease(struct apply *a, uint64_t key, struct fence f)
{
	const struct op *o = a->o;

	a->out->write = true;
	a->out->kept = (struct kept){
		.key = key, .owner = o->asker, .client = o->client, .nonce = o->nonce, .term_s = o->term_s,
		.until_ns = a->now_ns + term_kept_ns(o->term_s, a->n->drift_ppm), .lends = o->lends,
		.generation = f.generation, .delegation = f.delegation, .grant = f.grant,
	};
	say(a, VERDICT_OK);
	tell_lease(a, &a->out->kept);
}

static void grant(struct apply *a, uint64_t key)
{
	a->out->grants = a->s->grants + 1;
	write_lease(a, key, (struct fence){ .generation = a->generation, .grant = a->out->grants });
}

static bool mine(const struct apply *a, const struct kept *k)
{
	return id_eq(k->owner, a->o->asker);
}

static void refuse(struct apply *a, enum verdict v, const struct kept *k)
{
	say(a, v);
	if (k && !k->gone && a->slot->kind != SLOT_NAMES)
		tell_lease(a, k);
}

/* Is this op late, or told again? Then the answer is given. */
static bool old_news(struct apply *a, const struct kept *k)
{
	if (!k || !mine(a, k) || k->nonce < a->o->nonce)
		return false;
	if (k->nonce == a->o->nonce && k->gone == (a->o->kind == OP_RELEASE) && (k->gone || kept_live(k, a->now_ns))) {
		refuse(a, VERDICT_OK, k);
		return true;
	}
	say(a, VERDICT_STALE);
	write_u64(a->tail, k->nonce);
	return true;
}

static bool term_good(const struct apply *a)
{
	return a->o->term_s && a->o->term_s <= op_term(a->o, a->n);
}

/* May the asker create here? If not the answer is given. */
static bool open_to(struct apply *a, const struct kept *k)
{
	if (k && kept_live(k, a->now_ns) && (!mine(a, k) || k->client != a->o->client)) {
		refuse(a, VERDICT_TAKEN, k);
		return false;
	}
	return true;
}

static void create(struct apply *a)
{
	const struct op *o = a->o;
	const struct kept *k;

	if (!in_slot(a, &o->ip) || !network_leasable(a->n, &o->ip) || !term_good(a)) {
		say(a, VERDICT_DENIED);
		return;
	}
	k = store_find(a->s, key_of(&o->ip));
	if (!old_news(a, k) && open_to(a, k))
		grant(a, key_of(&o->ip));
}

static bool is_free(const struct apply *a, uint64_t key)
{
	const struct kept *k = store_find(a->s, key);
	struct ip ip = ip_of(a, key);

	return network_leasable(a->n, &ip) && (!k || !kept_live(k, a->now_ns));
}

/* Not given back a moment ago either: that record tells late copies of its create that they are late. */
static bool is_unused(const struct apply *a, uint64_t key)
{
	const struct kept *k = store_find(a->s, key);

	return is_free(a, key) && (!k || k->until_ns <= a->now_ns);
}

/* The guest's own record, live or not: it gets the same address again. */
static const struct kept *own_record(const struct apply *a)
{
	const struct kept *best = NULL;

	for (unsigned i = 0; i < a->s->count; i++) {
		const struct kept *k = &a->s->kept[i];

		if (mine(a, k) && k->client == a->o->client && (!best || k->nonce > best->nonce))
			best = k;
	}
	return best;
}

/* The first key from @from on, around the slot, of which @good holds */
static bool any_key(const struct apply *a, uint64_t from, bool (*good)(const struct apply *, uint64_t), uint64_t *out)
{
	for (unsigned i = 0; i < SLOT_ADDRESSES; i++)
		if (good(a, (from + i) & (SLOT_ADDRESSES - 1))) {
			*out = (from + i) & (SLOT_ADDRESSES - 1);
			return true;
		}
	return false;
}

static void create_any(struct apply *a)
{
	const struct op *o = a->o;
	const struct kept *own = own_record(a);
	uint64_t key = mixed_u64(o->client ^ a->slot->number);

	if (!term_good(a) || (o->ip.family && !in_slot(a, &o->ip))) {
		say(a, VERDICT_DENIED);
		return;
	}
	if (old_news(a, own))
		return;
	if (own && kept_live(own, a->now_ns)) {
		grant(a, own->key);
		return;
	}
	if (o->ip.family && is_free(a, key_of(&o->ip)))
		key = key_of(&o->ip);
	else if (own && is_free(a, own->key))
		key = own->key;
	else if (!any_key(a, key, is_unused, &key) && !any_key(a, key, is_free, &key)) {
		say(a, VERDICT_FULL);
		return;
	}
	grant(a, key);
}

static void write_gone(struct apply *a, const struct kept *k, uint64_t nonce, enum verdict v)
{
	struct kept *to = &a->out->kept;
	int64_t least = a->now_ns + GONE_S * NS_PER_S;

	*to = *k;
	to->gone = 1;
	to->nonce = nonce;
	to->bytes = NULL;
	to->len = 0;
	if (to->until_ns < least)
		to->until_ns = least;
	a->out->write = true;
	say(a, v);
}

/*
 * Nothing is there, or nothing any more. That it is over is written before it is
 * told: the next primary's clock may think otherwise, or its disk know no time.
 */
static void nothing(struct apply *a, const struct kept *k)
{
	if (k && !k->gone)
		write_gone(a, k, k->nonce, VERDICT_ABSENT);
	else
		say(a, VERDICT_ABSENT);
}

static void renew(struct apply *a)
{
	const struct op *o = a->o;
	const struct kept *k;

	if (!in_slot(a, &o->ip) || !term_good(a)) {
		say(a, VERDICT_DENIED);
		return;
	}
	k = store_find(a->s, key_of(&o->ip));
	if (old_news(a, k))
		return;
	if (!k || !kept_live(k, a->now_ns))
		nothing(a, k);
	else if (!mine(a, k) || k->client != o->client || fence_cmp(kept_fence(k), o->fence))
		refuse(a, VERDICT_FENCED, k);
	else
		write_lease(a, k->key, o->fence);
}

/* What a create of ours made that nobody heard of */
static const struct kept *unheard(const struct apply *a)
{
	const struct kept *k = own_record(a);

	return k && k->nonce == a->o->fence.grant ? k : NULL;
}

static void release(struct apply *a)
{
	const struct op *o = a->o;
	const struct kept *k;

	if (o->ip.family && !in_slot(a, &o->ip)) {
		say(a, VERDICT_DENIED);
		return;
	}
	k = o->ip.family ? store_find(a->s, key_of(&o->ip)) : unheard(a);
	if (old_news(a, k))
		return;
	if (!k || !kept_live(k, a->now_ns))
		nothing(a, k);
	else if (!mine(a, k) || (o->ip.family && fence_cmp(kept_fence(k), o->fence)))
		refuse(a, VERDICT_FENCED, k);
	else
		write_gone(a, k, o->nonce, VERDICT_OK);
}

/* Has the record's owner given it to the asker, under the fence that stands? op_check() saw the signature. */
static bool delegated(const struct apply *a, const struct kept *k)
{
	struct delegation g;

	return delegation_read(a->o->proof, &g) && id_eq(g.network, a->n->id) && id_eq(g.from, k->owner) &&
	       id_eq(g.to, a->o->asker) && ip_eq(&g.ip, &a->o->ip) && !fence_cmp(g.fence, kept_fence(k));
}

static void take(struct apply *a)
{
	const struct op *o = a->o;
	const struct kept *k;

	if (!in_slot(a, &o->ip) || !network_leasable(a->n, &o->ip) || !term_good(a)) {
		say(a, VERDICT_DENIED);
		return;
	}
	k = store_find(a->s, key_of(&o->ip));
	if (old_news(a, k))
		return;
	if (k && kept_live(k, a->now_ns) && fence_cmp(kept_fence(k), o->fence))
		refuse(a, VERDICT_FENCED, k);
	else if (k && kept_live(k, a->now_ns) && !delegated(a, k))
		refuse(a, VERDICT_TAKEN, k);
	else
		grant(a, key_of(&o->ip));
}

static void get(struct apply *a)
{
	const struct kept *k = in_slot(a, &a->o->ip) ? store_find(a->s, key_of(&a->o->ip)) : NULL;

	if (k && kept_live(k, a->now_ns))
		refuse(a, VERDICT_OK, k);
	else if (a->o->kind == OP_GET)
		nothing(a, k);
	else
		say(a, VERDICT_ABSENT);
}

/* ---- names ---- */

struct name_census {
	unsigned values, others;	/* live under this name and type; of other writers */
	size_t bytes;			/* of the others, as in an answer */
	bool claimed;			/* one of the others stands alone */
	unsigned of_writer, in_slot;	/* live in the bucket; of the asker, of all */
};

static bool same_name(const struct apply *a, const struct kept *k)
{
	struct bytes name = kept_name(k);

	return k->type == a->o->type && name.len == a->o->name.len && !memcmp(name.at, a->o->name.at, name.len);
}

static void count_values(const struct apply *a, struct name_census *c)
{
	memset(c, 0, sizeof(*c));
	for (unsigned i = 0; i < a->s->count; i++) {
		const struct kept *k = &a->s->kept[i];

		if (!kept_live(k, a->now_ns) || !k->len)
			continue;
		c->in_slot++;
		c->of_writer += mine(a, k);
		if (!same_name(a, k))
			continue;
		c->values++;
		if (mine(a, k))
			continue;
		c->others++;
		c->bytes += VALUE_WIRE + kept_value(k).len;
		c->claimed |= kept_proof(k)[0] == OP_CLAIM;
	}
}

static void tell_value(struct apply *a, const struct kept *k)
{
	struct bytes v = kept_value(k);
	const uint8_t *proof = kept_proof(k);

	write_u8(a->tail, proof[0]);
	write_u8(a->tail, k->type);
	write_u64(a->tail, k->nonce);
	write_u32(a->tail, k->term_s);
	write_u32(a->tail, (uint32_t)((k->until_ns - a->now_ns) / NS_PER_MS));
	write_copy(a->tail, proof + 1, VALUE_PROOF - 1);
	write_u16(a->tail, (uint16_t)v.len);
	write_copy(a->tail, v.at, v.len);
}

static void tell_values(struct apply *a)
{
	struct name_census c;

	count_values(a, &c);
	write_u8(a->tail, (uint8_t)c.values);
	for (unsigned i = 0; i < a->s->count; i++) {
		const struct kept *k = &a->s->kept[i];

		if (kept_live(k, a->now_ns) && k->len && same_name(a, k))
			tell_value(a, k);
	}
}

static bool name_in_slot(const struct apply *a)
{
	struct slot_name s = slot_of_text(a->n->id, a->o->name);

	return slot_eq(&s, a->slot);
}

static void write_value(struct apply *a, uint64_t key)
{
	const struct op *o = a->o;
	struct writer w = writer_of(a->out->room, sizeof(a->out->room));

	write_u8(&w, (uint8_t)o->name.len);
	write_copy(&w, o->name.at, o->name.len);
	write_u8(&w, o->kind);
	write_copy(&w, o->key, KEY_BYTES);
	write_copy(&w, o->salt, CERT_SALT);
	write_copy(&w, o->signature, SIGNATURE_BYTES);
	write_copy(&w, o->value.at, o->value.len);
	a->out->write = true;
	a->out->kept = (struct kept){
		.key = key, .owner = o->asker, .nonce = o->nonce, .term_s = o->term_s, .type = o->type,
		.until_ns = a->now_ns + term_kept_ns(o->term_s, a->n->drift_ppm),
		.bytes = a->out->room, .len = (uint16_t)writer_len(&w),
	};
	say(a, VERDICT_OK);
}

static bool room_for(const struct apply *a, const struct name_census *c, const struct kept *own)
{
	bool more = !own || !kept_live(own, a->now_ns);

	return c->others < VALUES_PER_KEY && 1 + c->bytes + VALUE_WIRE + a->o->value.len <= TAIL_MAX &&
	       (!more || (c->of_writer < WRITER_VALUES && c->in_slot < STORE_RECORDS));
}

static void put(struct apply *a)
{
	uint64_t key = kept_key(a->o->name, a->o->type, a->o->asker);
	const struct kept *own = store_find(a->s, key);
	struct name_census c;

	if (!name_in_slot(a) || !term_good(a)) {
		say(a, VERDICT_DENIED);
		return;
	}
	if (old_news(a, own))
		return;
	count_values(a, &c);
	if (c.claimed || (a->o->kind == OP_CLAIM && c.others)) {
		say(a, VERDICT_TAKEN);
		tell_values(a);
	} else if (!room_for(a, &c, own) || (own && kept_live(own, a->now_ns) && !same_name(a, own))) {
		say(a, VERDICT_FULL);
	} else {
		write_value(a, key);
	}
}

static void delete(struct apply *a)
{
	const struct kept *own = store_find(a->s, kept_key(a->o->name, a->o->type, a->o->asker));

	if (!name_in_slot(a))
		say(a, VERDICT_DENIED);
	else if (own && own->gone && own->nonce == a->o->nonce)
		say(a, VERDICT_OK);
	else if (own && own->nonce >= a->o->nonce)
		old_news(a, own);
	else if (!own || !kept_live(own, a->now_ns))
		say(a, VERDICT_ABSENT);
	else
		write_gone(a, own, a->o->nonce, VERDICT_OK);
}

static void get_values(struct apply *a)
{
	struct name_census c;

	count_values(a, &c);
	say(a, c.values ? VERDICT_OK : VERDICT_ABSENT);
	if (c.values)
		tell_values(a);
}

/* ---- all ---- */

void op_apply(const struct store *s, const struct slot_name *slot, uint32_t generation, const struct network_record *n,
	      const struct op *o, int64_t now_ns, struct outcome *out, struct writer *tail)
{
	struct apply a = { s, slot, n, o, generation, now_ns, out, tail };

	out->write = false;
	out->grants = s->grants;
	out->verdict = VERDICT_DENIED;
	if (slot->kind == SLOT_ROOT) {
		out->verdict = op_writes(o->kind) ? VERDICT_WAIT : VERDICT_ABSENT;
		return;
	}
	if (!slot_eq(slot, &o->slot))
		return;
	switch (o->kind) {
	case OP_CREATE:		create(&a); break;
	case OP_CREATE_ANY:	create_any(&a); break;
	case OP_RENEW:		renew(&a); break;
	case OP_RELEASE:	release(&a); break;
	case OP_TAKE:		take(&a); break;
	case OP_GET:
	case OP_LOOK:		slot->kind == SLOT_NAMES ? get_values(&a) : get(&a); break;
	case OP_PUT:
	case OP_CLAIM:		put(&a); break;
	case OP_DELETE:		delete(&a); break;
	}
}
