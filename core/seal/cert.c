#include "core/seal/cert.h"

#include <string.h>

#include <sodium.h>

enum { FIXED = 82, ISSUER = 8 };	/* bytes between length and fields; of the issuer's hint */

const char *cert_fault_text(enum cert_fault f)
{
	static const char *const TEXT[FAULTS] = {
#define X(name, text) [FAULT_##name] = text,
		FAULT_LIST(X)
#undef X
	};

	return f < FAULTS ? TEXT[f] : "unknown";
}

/* Names become host names and stand on terminals: letters, digits, and . - _ */
static bool name_good(struct bytes name)
{
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '.' || c == '-' || c == '_'))
			return false;
	}
	return name.len > 0 && name.len <= CERT_NAME_MAX;
}

static bool prefix_decode(struct bytes value, struct prefix *p)
{
	struct reader r = reader_of(value.at, value.len);

	memset(p, 0, sizeof(*p));
	p->bits = read_u8(&r);
	p->family = reader_left(&r) == 4 ? 4 : 6;
	read_copy(&r, p->addr, p->family == 4 ? 4 : 16);
	return reader_done(&r) && p->bits <= (p->family == 4 ? 32 : 128);
}

/* does everything in @p lie in @in? */
static bool prefix_inside(const struct prefix *p, const struct prefix *in)
{
	unsigned whole = in->bits / 8, rest = in->bits % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	return p->family == in->family && p->bits >= in->bits &&
	       !memcmp(p->addr, in->addr, whole) &&
	       (!rest || !((p->addr[whole] ^ in->addr[whole]) & mask));
}

static bool next_field(struct reader *r, uint8_t *type, struct bytes *value)
{
	*type = read_u8(r);
	value->len = read_u8(r);
	value->at = read_take(r, value->len);
	return reader_ok(r);
}

static bool gives_decode(struct bytes value, struct cert *c)
{
	struct reader r = reader_of(value.at, value.len);

	c->valid_s = read_u32(&r);
	c->uses = read_u16(&r);
	return reader_done(&r) && c->uses;
}

static enum cert_fault read_fields(struct cert *c)
{
	struct reader r = reader_of(c->fields.at, c->fields.len);
	struct bytes value;
	struct prefix p;
	uint8_t type;

	while (!reader_done(&r)) {
		if (!next_field(&r, &type, &value))
			return FAULT_MALFORMED;
		switch (type & ~CERT_CRITICAL) {
		case FIELD_NAME:
			if (c->name.len || !name_good(value))
				return FAULT_MALFORMED;
			c->name = value;
			break;
		case FIELD_GROUP:
			if (!name_good(value))
				return FAULT_MALFORMED;
			break;
		case FIELD_ADDRESS:
			if (!prefix_decode(value, &p))
				return FAULT_MALFORMED;
			break;
		case FIELD_ANY:
			if (value.len)
				return FAULT_MALFORMED;
			c->any = true;
			break;
		case FIELD_GIVES:
			if (c->uses || !gives_decode(value, c))
				return FAULT_MALFORMED;
			break;
		default:
			if (type & CERT_CRITICAL)
				return FAULT_CRITICAL;
			c->skipped++;
		}
	}
	return FAULT_NONE;
}

enum cert_fault cert_decode(struct reader *r, struct cert *c)
{
	const uint8_t *start = r->at;
	size_t len = read_u16(r);
	struct reader in = reader_of(read_take(r, len), len);

	memset(c, 0, sizeof(*c));
	if (!reader_ok(r) || len + 2 > CERT_MAX || len < 1)
		return FAULT_MALFORMED;
	if (read_u8(&in) != CERT_VERSION)
		return FAULT_VERSION;
	if (len < FIXED + SIGNATURE_BYTES)
		return FAULT_MALFORMED;
	c->all = (struct bytes){ start, len + 2 };
	c->roles = read_u8(&in);
	c->serial = read_u64(&in);
	c->not_before = read_u64(&in);
	c->not_after = read_u64(&in);
	c->issuer = read_take(&in, ISSUER);
	c->key = read_take(&in, KEY_BYTES);
	c->salt = read_take(&in, CERT_SALT);
	c->fields = (struct bytes){ in.at, reader_left(&in) - SIGNATURE_BYTES };
	return read_fields(c);
}

static bool find_field(const struct cert *c, size_t *at, uint8_t want, struct bytes *value)
{
	struct reader r = reader_of(c->fields.at, c->fields.len);
	uint8_t type;

	read_take(&r, *at);
	while (!reader_done(&r) && next_field(&r, &type, value)) {
		*at = (size_t)(r.at - c->fields.at);
		if ((type & ~CERT_CRITICAL) == want)
			return true;
	}
	return false;
}

bool cert_group(const struct cert *c, size_t *at, struct bytes *group)
{
	return find_field(c, at, FIELD_GROUP, group);
}

bool cert_prefix(const struct cert *c, size_t *at, struct prefix *p)
{
	struct bytes value;

	return find_field(c, at, FIELD_ADDRESS, &value) && prefix_decode(value, p);
}

static bool has_group(const struct cert *c, struct bytes group)
{
	struct bytes g;

	for (size_t at = 0; cert_group(c, &at, &g);)
		if (g.len == group.len && !memcmp(g.at, group.at, g.len))
			return true;
	return false;
}

static bool has_prefix(const struct cert *c, const struct prefix *p)
{
	struct prefix in;

	for (size_t at = 0; cert_prefix(c, &at, &in);)
		if (prefix_inside(p, &in))
			return true;
	return false;
}

/* May @signer, a delegated one, certify what @leaf says? Lists limit only where there are some. */
static bool granted(const struct cert *signer, const struct cert *leaf)
{
	struct bytes g;
	struct prefix p;
	size_t at = 0;

	if (leaf->roles & ROLE_SIGNER)
		return false;
	if (cert_group(signer, &at, &g))
		for (at = 0; cert_group(leaf, &at, &g);)
			if (!has_group(signer, g))
				return false;
	at = 0;
	if (cert_prefix(signer, &at, &p)) {
		if (leaf->any && !signer->any)
			return false;
		for (at = 0; cert_prefix(leaf, &at, &p);)
			if (!has_prefix(signer, &p))
				return false;
	}
	return true;
}

static enum cert_fault check_one(const struct suite *suite, const struct cert *c,
				 const uint8_t *issuer, uint64_t utc)
{
	size_t signed_len = c->all.len - SIGNATURE_BYTES;

	if (memcmp(c->issuer, issuer, ISSUER))
		return FAULT_ISSUER;
	if (!suite->verify(c->all.at + signed_len, issuer, (struct bytes){ c->all.at, signed_len }))
		return FAULT_SIGNATURE;
	if (utc && utc < c->not_before)
		return FAULT_EARLY;
	if (utc && c->not_after && utc > c->not_after)
		return FAULT_EXPIRED;
	return FAULT_NONE;
}

enum cert_fault cert_check(const struct suite *suite, struct bytes chain,
			   const uint8_t anchor[KEY_BYTES], uint8_t roles, uint64_t utc,
			   struct cert *leaf)
{
	struct reader r = reader_of(chain.at, chain.len);
	struct cert one, signer;
	enum cert_fault f;
	bool delegated;

	if (chain.len > CERT_CHAIN_MAX)
		return FAULT_LONG;
	f = cert_decode(&r, &one);
	if (f)
		return f;
	delegated = !reader_done(&r);
	if (delegated) {
		f = cert_decode(&r, &signer);
		if (!f && !reader_done(&r))
			f = FAULT_LONG;
		if (!f)
			f = check_one(suite, &signer, anchor, utc);
		if (!f && !(signer.roles & ROLE_SIGNER))
			f = FAULT_ROLE;
		if (f)
			return f;
	}
	f = check_one(suite, &one, delegated ? signer.key : anchor, utc);
	if (f)
		return f;
	if (delegated && !granted(&signer, &one))
		return FAULT_GRANT;
	if ((one.roles & roles) != roles)
		return FAULT_ROLE;
	*leaf = one;
	return FAULT_NONE;
}

uint64_t cert_utc(const struct env *e)
{
	int64_t ns;

	if (!e->utc_ns)
		return 0;
	ns = e->utc_ns + (e->now_ns - e->utc_at_ns);
	return ns < NS_PER_S ? 1 : (uint64_t)(ns / NS_PER_S);
}

void cert_digest(uint8_t out[CERT_DIGEST], struct bytes chain)
{
	crypto_generichash_blake2b(out, CERT_DIGEST, chain.at, chain.len, NULL, 0);
}

struct id cert_id(const uint8_t key[KEY_BYTES], const uint8_t salt[CERT_SALT])
{
	uint8_t both[KEY_BYTES + CERT_SALT], out[ID_BYTES];
	struct reader r;

	memcpy(both, key, KEY_BYTES);
	memcpy(both + KEY_BYTES, salt, CERT_SALT);
	crypto_generichash_blake2b(out, sizeof(out), both, sizeof(both), NULL, 0);
	r = reader_of(out, sizeof(out));
	return read_id(&r);
}

static bool write_name(struct writer *w, uint8_t type, const char *name)
{
	struct bytes b = { (const uint8_t *)name, strlen(name) };

	if (!name_good(b))
		return false;
	write_u8(w, type);
	write_u8(w, (uint8_t)b.len);
	write_copy(w, b.at, b.len);
	return true;
}

static bool write_prefix(struct writer *w, const struct prefix *p)
{
	uint8_t len = p->family == 4 ? 4 : 16;

	if ((p->family != 4 && p->family != 6) || p->bits > len * 8)
		return false;
	write_u8(w, FIELD_ADDRESS);
	write_u8(w, (uint8_t)(1 + len));
	write_u8(w, p->bits);
	write_copy(w, p->addr, len);
	return true;
}

bool cert_issue(const struct suite *suite, const uint8_t signer[SIGN_BYTES],
		const struct cert_order *o, struct writer *w)
{
	uint8_t buf[CERT_MAX], *signature;
	struct writer c = writer_of(buf, sizeof(buf));
	size_t len;

	write_u16(&c, 0);		/* the length, when it is known */
	write_u8(&c, CERT_VERSION);
	write_u8(&c, o->roles);
	write_u64(&c, o->serial);
	write_u64(&c, o->not_before);
	write_u64(&c, o->not_after);
	write_copy(&c, signer + KEY_BYTES, ISSUER);
	write_copy(&c, o->key, KEY_BYTES);
	write_copy(&c, o->salt, CERT_SALT);
	if (o->name && !write_name(&c, FIELD_NAME, o->name))
		return false;
	for (unsigned i = 0; i < o->group_count; i++)
		if (!write_name(&c, FIELD_GROUP, o->groups[i]))
			return false;
	for (unsigned i = 0; i < o->prefix_count; i++)
		if (!write_prefix(&c, &o->prefixes[i]))
			return false;
	if (o->any) {
		write_u8(&c, FIELD_ANY);
		write_u8(&c, 0);
	}
	if (o->uses) {
		write_u8(&c, FIELD_GIVES);
		write_u8(&c, 4 + 2);
		write_u32(&c, o->valid_s);
		write_u16(&c, o->uses);
	}
	len = writer_len(&c);
	signature = write_space(&c, SIGNATURE_BYTES);
	if (!signature || writer_left(w) < writer_len(&c))
		return false;
	buf[0] = (uint8_t)((writer_len(&c) - 2) >> 8);
	buf[1] = (uint8_t)(writer_len(&c) - 2);
	suite->sign(signature, signer, (struct bytes){ buf, len });
	write_copy(w, buf, writer_len(&c));
	return !w->bad;
}
