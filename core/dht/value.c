/*
 * What travels beside ops: delegations, leases and values in answers, envelopes
 *
 *	delegation = "wDl1" 4 | network 16 | from 16 | to 16 | ip | nonce 8 | fence 16 | client 8 | left 4 (ms)
 *		   | at once 1 | key 32 | salt 16 | signature 64 of all before it
 *	lease	   = ip | holder 16 | client 8 | fence 16 | term 4 | left 4 (ms) | lends 1
 *	value	   = kind of the op 1 | type 1 | nonce 8 | term 4 | left 4 (ms) | key 32 | salt 16
 *		   | signature 64 | length 2 | data
 */
#include "core/dht/parts.h"

static const uint8_t MAGIC[4] = { 'w', 'D', 'l', '1' };

/* ---- delegations ---- */

void delegation_write(struct writer *w, const struct delegation *g, const struct suite *suite,
		      const struct identity *self)
{
	struct reader own = reader_of(self->chain, self->chain_len);
	const uint8_t *start = w->at;
	uint8_t *signature;
	struct cert leaf;

	if (cert_decode(&own, &leaf)) {
		w->bad = true;
		return;
	}
	write_copy(w, MAGIC, sizeof(MAGIC));
	write_id(w, g->network);
	write_id(w, g->from);
	write_id(w, g->to);
	write_ip(w, &g->ip);
	write_u64(w, g->nonce);
	fence_write(w, g->fence);
	write_u64(w, g->client);
	write_u32(w, g->left_ms);
	write_u8(w, g->at_once);
	write_copy(w, leaf.key, KEY_BYTES);
	write_copy(w, leaf.salt, CERT_SALT);
	signature = write_space(w, SIGNATURE_BYTES);
	if (signature)
		suite->sign(signature, self->sign, (struct bytes){ start, (size_t)(signature - start) });
}

static bool delegation_parts(struct bytes b, struct delegation *g, const uint8_t **key, const uint8_t **salt,
			     const uint8_t **signature)
{
	struct reader r = reader_of(b.at, b.len);
	const uint8_t *magic = read_take(&r, sizeof(MAGIC));
	uint8_t once;

	memset(g, 0, sizeof(*g));
	g->network = read_id(&r);
	g->from = read_id(&r);
	g->to = read_id(&r);
	g->ip = read_ip(&r);
	g->nonce = read_u64(&r);
	g->fence = fence_read(&r);
	g->client = read_u64(&r);
	g->left_ms = read_u32(&r);
	once = read_u8(&r);
	g->at_once = once;
	*key = read_take(&r, KEY_BYTES);
	*salt = read_take(&r, CERT_SALT);
	*signature = read_take(&r, SIGNATURE_BYTES);
	return reader_done(&r) && !memcmp(magic, MAGIC, sizeof(MAGIC)) && once <= 1 && g->ip.family &&
	       b.len <= PROOF_MAX;
}

bool delegation_read(struct bytes b, struct delegation *g)
{
	const uint8_t *key, *salt, *signature;

	return delegation_parts(b, g, &key, &salt, &signature);
}

bool delegation_check(struct bytes b, const struct suite *suite)
{
	const uint8_t *key, *salt, *signature;
	struct delegation g;

	return delegation_parts(b, &g, &key, &salt, &signature) && id_eq(cert_id(key, salt), g.from) &&
	       suite->verify(signature, key, (struct bytes){ b.at, b.len - SIGNATURE_BYTES });
}

/* ---- in answers ---- */

void lease_write(struct writer *w, const struct lease *l)
{
	write_ip(w, &l->ip);
	write_id(w, l->holder);
	write_u64(w, l->client);
	fence_write(w, l->fence);
	write_u32(w, l->term_s);
	write_u32(w, l->left_ms);
	write_u8(w, l->lends);
}

bool lease_read(struct reader *r, struct lease *l)
{
	uint8_t lends;

	memset(l, 0, sizeof(*l));
	l->ip = read_ip(r);
	l->holder = read_id(r);
	l->client = read_u64(r);
	l->fence = fence_read(r);
	l->term_s = read_u32(r);
	l->left_ms = read_u32(r);
	lends = read_u8(r);
	l->lends = lends;
	return reader_ok(r) && l->ip.family && lends <= 1;
}

static enum drop value_check(const struct op *o, const struct suite *suite, const uint8_t *key, const uint8_t *salt,
			     const uint8_t *signature)
{
	uint8_t text[128 + NAME_MAX_BYTES + VALUE_MAX];
	struct writer w = writer_of(text, sizeof(text));

	if (!id_eq(cert_id(key, salt), o->asker))
		return DROP_IDENTITY;
	op_text(&w, o);
	return !w.bad && suite->verify(signature, key, (struct bytes){ text, writer_len(&w) }) ? DROP_NONE : DROP_SEAL;
}

enum drop value_read(struct reader *r, struct value *v, const struct suite *suite, const struct slot_name *slot,
		     struct bytes name)
{
	struct op o = { .slot = *slot, .name = name };
	const uint8_t *key, *salt, *signature;

	o.kind = read_u8(r);
	o.type = read_u8(r);
	o.nonce = read_u64(r);
	o.term_s = read_u32(r);
	v->left_ms = read_u32(r);
	key = read_take(r, KEY_BYTES);
	salt = read_take(r, CERT_SALT);
	signature = read_take(r, SIGNATURE_BYTES);
	o.value.len = read_u16(r);
	o.value.at = read_take(r, o.value.len);
	if (!reader_ok(r) || o.value.len > VALUE_MAX || (o.kind != OP_PUT && o.kind != OP_CLAIM)) {
		r->bad = true;
		return DROP_VALUE;
	}
	v->writer = o.asker = cert_id(key, salt);
	v->type = o.type;
	v->data = o.value;
	return value_check(&o, suite, key, salt, signature);
}

/* ---- envelopes ---- */

void question_write(struct writer *w, const struct question *q)
{
	write_u8(w, q->flags);
	write_u8(w, q->hops);
	write_id(w, q->via);
}

enum drop question_read(struct bytes data, struct question *q)
{
	struct reader r = reader_of(data.at, data.len);

	q->flags = read_u8(&r);
	q->hops = read_u8(&r);
	q->via = read_id(&r);
	if (!reader_ok(&r))
		return DROP_SHORT;
	return op_read(&r, &q->op) && reader_done(&r) ? DROP_NONE : DROP_VALUE;
}

void told_write(struct writer *w, const struct told *t)
{
	write_u64(w, t->nonce);
	write_u8(w, t->kind);
	write_u8(w, t->verdict);
	slot_write(w, &t->slot);
	write_u32(w, t->view.generation);
	write_u32(w, t->view.number);
	write_id(w, t->primary);
	write_copy(w, t->tail.at, t->tail.len);
}

bool told_read(struct reader *r, struct told *t)
{
	t->nonce = read_u64(r);
	t->kind = read_u8(r);
	t->verdict = read_u8(r);
	t->slot = slot_read(r);
	t->view.generation = read_u32(r);
	t->view.number = read_u32(r);
	t->primary = read_id(r);
	t->tail = (struct bytes){ r->at, reader_left(r) };
	read_take(r, t->tail.len);
	return reader_ok(r) && t->kind && t->kind < OP_KINDS && t->verdict < VERDICTS && t->verdict != VERDICT_TIMEOUT &&
	       t->tail.len <= TAIL_MAX;
}
