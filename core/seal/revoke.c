#include "core/seal/revoke.h"

#include <sodium.h>

static const uint8_t MAGIC[4] = { 'w', 'R', 'v', '2' }, MAGIC_BEFORE[4] = { 'w', 'R', 'v', '1' };
static const uint8_t NO_DIGEST[KEY_BYTES];

/* Nobody can tell the key from it: the key is drawn, not thought of. */
static void digest_of(uint8_t out[KEY_BYTES], const uint8_t key[KEY_BYTES])
{
	static const uint8_t LABEL[] = "weft group key";

	crypto_generichash_blake2b(out, KEY_BYTES, LABEL, sizeof(LABEL) - 1, key, KEY_BYTES);
}

struct id revoked_at(const struct revoked *l, unsigned i)
{
	struct reader r = reader_of(l->ids + (size_t)i * ID_BYTES, ID_BYTES);

	return read_id(&r);
}

enum drop revoked_read(const struct suite *suite, struct bytes blob, struct revoked *out)
{
	struct reader r = reader_of(blob.at, blob.len);
	const uint8_t *magic = read_take(&r, sizeof(MAGIC)), *signature;
	struct revoked l = { .all = blob };
	bool before = magic && !memcmp(magic, MAGIC_BEFORE, sizeof(MAGIC));

	l.anchor = read_take(&r, KEY_BYTES);
	l.serial = read_u64(&r);
	l.issued = read_u64(&r);
	if (!before)
		l.digest = read_take(&r, KEY_BYTES);
	l.count = read_u16(&r);
	l.ids = read_take(&r, (size_t)l.count * ID_BYTES);
	signature = read_take(&r, SIGNATURE_BYTES);
	if (!reader_ok(&r))
		return DROP_SHORT;
	if (!reader_done(&r) || (!before && memcmp(magic, MAGIC, sizeof(MAGIC))) || l.count > REVOKED_MAX || !l.serial)
		return DROP_VALUE;
	for (unsigned i = 1; i < l.count; i++)
		if (!id_less(revoked_at(&l, i - 1), revoked_at(&l, i)))
			return DROP_VALUE;
	if (!suite->verify(signature, l.anchor, (struct bytes){ blob.at, blob.len - SIGNATURE_BYTES }))
		return DROP_SEAL;
	if (l.digest && !memcmp(l.digest, NO_DIGEST, KEY_BYTES))
		l.digest = NULL;
	r = reader_of(signature, SIGNATURE_BYTES);
	l.mark = read_u64(&r);
	*out = l;
	return DROP_NONE;
}

struct bytes revoked_order(struct bytes order, const uint8_t **key)
{
	struct reader r = reader_of(order.at, order.len);
	size_t len;

	*key = NULL;
	if (!read_take(&r, sizeof(MAGIC)) || memcmp(order.at, MAGIC, sizeof(MAGIC)))
		return order;
	read_take(&r, KEY_BYTES + 8 + 8 + KEY_BYTES);
	len = read_u16(&r) * (size_t)ID_BYTES;
	read_take(&r, len + SIGNATURE_BYTES);
	len = (size_t)(r.at - order.at);
	if (!reader_ok(&r) || reader_left(&r) != KEY_BYTES)
		return order;
	*key = r.at;
	return (struct bytes){ order.at, len };
}

bool revoked_newer(uint64_t serial, uint64_t mark, const struct revoked *than)
{
	return serial > than->serial || (serial == than->serial && mark > than->mark);
}

bool revoked_opens(const struct revoked *l, const uint8_t key[KEY_BYTES])
{
	uint8_t digest[KEY_BYTES];

	if (!l->digest)
		return false;
	digest_of(digest, key);
	return !memcmp(digest, l->digest, KEY_BYTES);
}

/* Insertion: a few hundred at most, once. What stands twice is dropped. */
static unsigned sort(struct id *ids, unsigned count)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < count; i++) {
		struct id one = ids[i];
		unsigned k = kept;

		while (k && id_less(one, ids[k - 1]))
			k--;
		if (k && id_eq(ids[k - 1], one))
			continue;
		memmove(&ids[k + 1], &ids[k], (kept - k) * sizeof(*ids));
		ids[k] = one;
		kept++;
	}
	return kept;
}

bool revoked_sign(const struct suite *suite, const uint8_t anchor[SIGN_BYTES], uint64_t serial, uint64_t issued,
		  const uint8_t *key, struct id *ids, unsigned count, struct writer *w)
{
	const uint8_t *start = w->at;
	uint8_t *signature, digest[KEY_BYTES] = { 0 };

	count = sort(ids, count);
	if (count > REVOKED_MAX || !serial)
		return false;
	write_copy(w, MAGIC, sizeof(MAGIC));
	write_copy(w, anchor + KEY_BYTES, KEY_BYTES);
	write_u64(w, serial);
	write_u64(w, issued);
	if (key)
		digest_of(digest, key);
	write_copy(w, digest, KEY_BYTES);
	write_u16(w, (uint16_t)count);
	for (unsigned i = 0; i < count; i++)
		write_id(w, ids[i]);
	signature = write_space(w, SIGNATURE_BYTES);
	if (signature)
		suite->sign(signature, anchor, (struct bytes){ start, (size_t)(signature - start) });
	return !w->bad;
}

bool revoked_has(const struct revoked *l, struct id who)
{
	unsigned low = 0, high = l->count;

	while (low < high) {
		unsigned mid = low + (high - low) / 2;
		struct id at = revoked_at(l, mid);

		if (id_eq(at, who))
			return true;
		if (id_less(at, who))
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

const struct revoked *revoked_list(const struct revocations *r, const uint8_t anchor[KEY_BYTES])
{
	for (unsigned i = 0; r && i < r->count; i++)
		if (r->list[i].serial && !memcmp(r->list[i].anchor, anchor, KEY_BYTES))
			return &r->list[i];
	return NULL;
}

bool revoked_by(const struct revocations *r, const uint8_t anchor[KEY_BYTES], struct id who)
{
	const struct revoked *l = revoked_list(r, anchor);

	return l && revoked_has(l, who);
}

bool revoked_peer(const struct revocations *r, const uint8_t anchor[KEY_BYTES], struct id who, uint32_t signer)
{
	const struct revoked *l = revoked_list(r, anchor);

	for (unsigned i = 0; l && signer && i < l->count; i++)
		if (revoked_short(revoked_at(l, i)) == signer)
			return true;
	return l && revoked_has(l, who);
}

bool revoked_chain(const struct revocations *r, const uint8_t anchor[KEY_BYTES], struct bytes chain)
{
	struct reader in = reader_of(chain.at, chain.len);
	struct cert c;

	while (r && r->count && reader_left(&in) && cert_decode(&in, &c) == FAULT_NONE)
		if (revoked_by(r, anchor, cert_id(c.key, c.salt)))
			return true;
	return false;
}
