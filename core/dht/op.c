/*
 * An op is signed by its asker and carries what proves the asker: with the
 * network's record alone, any node can tell who wanted what. The signature
 * covers the op up to the seal; "wOp1" in front keeps it apart from whatever
 * else the same key signs.
 *
 * Ops about names leave all fields of leases empty. So the text of a PUT can be
 * written again from a kept value, and the signature of the op is the signature
 * of the value (value.c).
 */


#include "core/dht/parts.h"

static const uint8_t MAGIC[4] = { 'w', 'O', 'p', '1' };

enum op_flag { FLAG_LENDS = 1 << 0 };

const char *verdict_text(enum verdict v)
{
	static const char *const TEXT[VERDICTS] = {
		[0] = "none",
		[VERDICT_OK] = "ok",
		[VERDICT_TAKEN] = "taken",
		[VERDICT_FULL] = "full",
		[VERDICT_ABSENT] = "absent",
		[VERDICT_FENCED] = "fenced",
		[VERDICT_DENIED] = "denied",
		[VERDICT_WAIT] = "wait",
		[VERDICT_TIMEOUT] = "timeout",
		[VERDICT_STALE] = "stale",
	};

	return v < VERDICTS ? TEXT[v] : "unknown";
}

uint32_t op_term(const struct op *o, const struct network_record *n)
{
	return o->type == VALUE_TOKEN ? (uint32_t)TERM_MAX : n->term_s;
}

bool op_writes(uint8_t kind)
{
	return kind != OP_GET && kind != OP_LOOK;
}

static bool of_names(uint8_t kind)
{
	return kind == OP_PUT || kind == OP_DELETE || kind == OP_CLAIM;
}

void op_text(struct writer *w, const struct op *o)
{
	write_copy(w, MAGIC, sizeof(MAGIC));
	write_u8(w, o->kind);
	write_u8(w, o->type);
	write_u8(w, o->lends ? FLAG_LENDS : 0);
	slot_write(w, &o->slot);
	write_id(w, o->asker);
	write_u64(w, o->nonce);
	write_ip(w, &o->ip);
	write_u64(w, o->client);
	write_u32(w, o->term_s);
	fence_write(w, o->fence);
	write_u8(w, (uint8_t)o->name.len);
	write_copy(w, o->name.at, o->name.len);
	write_u16(w, (uint16_t)o->value.len);
	write_copy(w, o->value.at, o->value.len);
	write_u16(w, (uint16_t)o->proof.len);
	write_copy(w, o->proof.at, o->proof.len);
}

static bool leaf_of(struct bytes chain, struct cert *leaf)
{
	struct reader r = reader_of(chain.at, chain.len);

	return chain.len <= CERT_CHAIN_MAX && cert_decode(&r, leaf) == FAULT_NONE;
}

void op_write(struct writer *w, const struct op *o, const struct suite *suite, const struct identity *self,
	      struct bytes chain)
{
	const uint8_t *start = w->at;
	struct cert own;
	uint8_t *signature;
	size_t len;

	if (o->name.len > NAME_MAX_BYTES || o->value.len > VALUE_MAX || o->proof.len > PROOF_MAX) {
		w->bad = true;
		return;
	}
	op_text(w, o);
	if (w->bad || !op_writes(o->kind))
		return;
	len = (size_t)(w->at - start);
	if (!leaf_of((struct bytes){ self->chain, self->chain_len }, &own) || chain.len > CERT_CHAIN_MAX) {
		w->bad = true;
		return;
	}
	write_copy(w, own.salt, CERT_SALT);
	write_u16(w, (uint16_t)chain.len);
	write_copy(w, chain.at, chain.len);
	signature = write_space(w, SIGNATURE_BYTES);
	if (signature)
		suite->sign(signature, self->sign, (struct bytes){ start, len });
}

static bool names_form(const struct op *o)
{
	const struct fence f = o->fence;

	if (!o->name.len || !o->type)
		return false;
	for (size_t i = 0; i < o->name.len; i++)
		if (o->name.at[i] >= 'A' && o->name.at[i] <= 'Z')
			return false;
	return !o->ip.family && !o->client && !o->lends && !o->proof.len && !(f.generation | f.delegation | f.grant) &&
	       (o->kind == OP_PUT || o->kind == OP_CLAIM || !o->value.len);
}

static bool form(const struct op *o)
{
	if (!o->kind || o->kind >= OP_KINDS || o->type > VALUE_PLAIN || o->slot.kind == SLOT_ROOT)
		return false;
	if (o->slot.kind == SLOT_NAMES)
		return (of_names(o->kind) || !op_writes(o->kind)) && names_form(o);
	return !of_names(o->kind) && !o->type && !o->name.len && !o->value.len;
}

static bool seal_read(struct reader *r, struct op *o)
{
	struct cert leaf;

	o->salt = read_take(r, CERT_SALT);
	o->chain.len = read_u16(r);
	o->chain.at = read_take(r, o->chain.len);
	o->signature = read_take(r, SIGNATURE_BYTES);
	if (!reader_ok(r) || !leaf_of(o->chain, &leaf))
		return false;
	o->key = leaf.key;
	return true;
}

bool op_read(struct reader *r, struct op *o)
{
	const uint8_t *start = r->at, *magic = read_take(r, sizeof(MAGIC));
	uint8_t flags;

	memset(o, 0, sizeof(*o));
	o->kind = read_u8(r);
	o->type = read_u8(r);
	flags = read_u8(r);
	o->lends = flags & FLAG_LENDS;
	o->slot = slot_read(r);
	o->asker = read_id(r);
	o->nonce = read_u64(r);
	o->ip = read_ip(r);
	o->client = read_u64(r);
	o->term_s = read_u32(r);
	o->fence = fence_read(r);
	o->name.len = read_u8(r);
	o->name.at = read_take(r, o->name.len);
	o->value.len = read_u16(r);
	o->value.at = read_take(r, o->value.len);
	o->proof.len = read_u16(r);
	o->proof.at = read_take(r, o->proof.len);
	if (!reader_ok(r) || memcmp(magic, MAGIC, sizeof(MAGIC)) || flags > FLAG_LENDS ||
	    o->value.len > VALUE_MAX || o->proof.len > PROOF_MAX || !form(o))
		return false;
	o->text = (struct bytes){ start, (size_t)(r->at - start) };
	return !op_writes(o->kind) || seal_read(r, o);
}

/* A certificate that lists addresses is for these; one that says "any", or nothing, for all that can be leased. */
static bool may_hold(const struct cert *leaf, const struct ip *a)
{
	struct prefix p;
	bool some = false;

	if (leaf->any || !a->family)
		return true;
	for (size_t at = 0; cert_prefix(leaf, &at, &p); some = true) {
		struct ip_range r = { { .family = p.family }, p.bits };

		memcpy(r.ip.at, p.addr, sizeof(r.ip.at));
		if (ip_in(a, &r))
			return true;
	}
	return !some;
}

enum drop op_check(const struct op *o, const struct suite *suite, const struct network_record *n, uint64_t utc)
{
	struct cert leaf;

	if (!op_writes(o->kind))
		return DROP_NONE;
	if (!id_eq(cert_id(o->key, o->salt), o->asker))
		return DROP_IDENTITY;
	if (!id_eq(o->slot.network, n->id) || cert_check(suite, o->chain, n->key, ROLE_MEMBER, utc, &leaf))
		return DROP_CERTIFICATE;
	if (!may_hold(&leaf, &o->ip))
		return DROP_STRANGER;
	if (!suite->verify(o->signature, o->key, o->text))
		return DROP_SEAL;
	return o->proof.len && !delegation_check(o->proof, suite) ? DROP_SEAL : DROP_NONE;
}
