#include "core/seal/invite.h"

#include <sodium.h>

#include "core/base/env.h"

enum { CHECKSUM = 4, PREFIX = 5 };

static const char LETTER[] = "abcdefghijklmnopqrstuvwxyz234567";	/* base32 (RFC 4648, section 6) */
static const uint8_t PLEA[4] = { 'w', 'I', 'n', '1' }, ANSWER[4] = { 'w', 'I', 'n', '2' };

const char *token_fault_text(enum token_fault f)
{
	static const char *const TEXT[TOKEN_FAULTS] = {
#define X(name, text) [TOKEN_##name] = text,
		TOKEN_LIST(X)
#undef X
	};

	return f < TOKEN_FAULTS ? TEXT[f] : "unknown";
}

const char *admit_text(enum admit a)
{
	static const char *const TEXT[ADMITS] = {
#define X(name, text) [ADMIT_##name] = text,
		ADMIT_LIST(X)
#undef X
	};

	return a < ADMITS ? TEXT[a] : "unknown";
}

/* ---- the line ---- */

static void checksum(uint8_t out[CHECKSUM], const uint8_t *data, size_t len)
{
	uint8_t hash[16];

	crypto_generichash_blake2b(hash, sizeof(hash), data, len, NULL, 0);
	memcpy(out, hash, CHECKSUM);
}

bool token_write(const struct token *t, char out[TOKEN_TEXT])
{
	uint8_t buf[TOKEN_BYTES + 1] = { 0 };	/* zeros behind it fill the last letter */
	struct writer w = writer_of(buf, TOKEN_BYTES);
	uint8_t *sum;
	char *at = out;

	if (t->ats > TOKEN_ENDPOINTS || t->chain_len > CERT_CHAIN_MAX)
		return false;
	write_u8(&w, TOKEN_VERSION);
	write_copy(&w, t->overlay, KEY_BYTES);
	write_copy(&w, t->seed, KEY_BYTES);
	write_u8(&w, t->ats);
	for (unsigned i = 0; i < t->ats; i++)
		write_endpoint(&w, &t->at[i]);
	write_copy(&w, t->chain, t->chain_len);
	sum = write_space(&w, CHECKSUM);
	checksum(sum, buf, (size_t)(sum - buf));
	memcpy(at, "weft:", PREFIX);
	at += PREFIX;
	for (size_t bit = 0; bit < writer_len(&w) * 8; bit += 5) {
		unsigned two = (unsigned)buf[bit / 8] << 8 | buf[bit / 8 + 1];

		*at++ = LETTER[two >> (11 - bit % 8) & 31];
	}
	*at = 0;
	sodium_memzero(buf, sizeof(buf));
	return true;
}

static int letter(char c)
{
	return c >= 'a' && c <= 'z' ? c - 'a' : c >= 'A' && c <= 'Z' ? c - 'A' : c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

static bool skipped(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '-';
}

/* Letters to bytes; fewer than eight bits that remain are what filled the last letter. */
static enum token_fault unletter(const char *text, size_t len, struct writer *w)
{
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < len; i++) {
		int v = letter(text[i]);

		if (skipped(text[i]))
			continue;
		if (v < 0)
			return TOKEN_LETTER;
		bits = bits << 5 | (uint32_t)v;
		have += 5;
		if (have >= 8) {
			have -= 8;
			write_u8(w, (uint8_t)(bits >> have));
		}
	}
	return w->bad || have >= 5 || bits & ((1u << have) - 1) ? TOKEN_TYPED : TOKEN_GOOD;
}

/* Does @text begin with the prefix, in any case? */
static bool prefixed(const char *text, size_t len)
{
	static const char WANT[] = "weft:";

	for (size_t i = 0; i < PREFIX; i++)
		if (i >= len || (text[i] >= 'A' && text[i] <= 'Z' ? text[i] - 'A' + 'a' : text[i]) != WANT[i])
			return false;
	return true;
}

static enum token_fault take_token(struct bytes b, struct token *t)
{
	struct reader r = reader_of(b.at, b.len);

	if (read_u8(&r) != TOKEN_VERSION)
		return TOKEN_LATER;
	memset(t, 0, sizeof(*t));
	read_copy(&r, t->overlay, KEY_BYTES);
	read_copy(&r, t->seed, KEY_BYTES);
	t->ats = read_u8(&r);
	if (t->ats > TOKEN_ENDPOINTS)
		return TOKEN_FORM;
	for (unsigned i = 0; i < t->ats; i++) {
		t->at[i] = read_endpoint(&r);
		if (!endpoint_valid(&t->at[i]))
			return TOKEN_FORM;
	}
	if (!reader_ok(&r) || !reader_left(&r) || reader_left(&r) > CERT_CHAIN_MAX)
		return TOKEN_FORM;
	t->chain_len = (uint16_t)reader_left(&r);
	read_copy(&r, t->chain, t->chain_len);
	return TOKEN_GOOD;
}

enum token_fault token_read(const char *text, size_t len, struct token *t)
{
	uint8_t buf[TOKEN_BYTES], sum[CHECKSUM];
	struct writer w = writer_of(buf, sizeof(buf));
	enum token_fault f;
	struct token new;

	for (; len && skipped(*text); len--)
		text++;
	if (!prefixed(text, len))
		return TOKEN_PREFIX;
	f = unletter(text + PREFIX, len - PREFIX, &w);
	if (f == TOKEN_GOOD && writer_len(&w) <= CHECKSUM)
		f = TOKEN_TYPED;
	if (f == TOKEN_GOOD) {
		checksum(sum, buf, writer_len(&w) - CHECKSUM);
		if (memcmp(sum, w.at - CHECKSUM, CHECKSUM))
			f = TOKEN_TYPED;
	}
	if (f == TOKEN_GOOD)
		f = take_token((struct bytes){ buf, writer_len(&w) - CHECKSUM }, &new);
	if (f == TOKEN_GOOD)
		*t = new;
	sodium_memzero(buf, sizeof(buf));
	sodium_memzero(&new, sizeof(new));
	return f;
}

void token_name(const uint8_t key[KEY_BYTES], unsigned use, char out[TOKEN_NAME])
{
	static const char HEX[] = "0123456789abcdef";
	uint8_t buf[KEY_BYTES + 2], hash[16];
	char *at = out;

	memcpy(buf, key, KEY_BYTES);
	buf[KEY_BYTES] = (uint8_t)(use >> 8);
	buf[KEY_BYTES + 1] = (uint8_t)use;
	crypto_generichash_blake2b(hash, sizeof(hash), buf, sizeof(buf), NULL, 0);
	memcpy(at, "invite.", 7);
	at += 7;
	for (unsigned i = 0; i < sizeof(hash); i++) {
		*at++ = HEX[hash[i] >> 4];
		*at++ = HEX[hash[i] & 15];
	}
	*at = 0;
}

/* ---- pleas ---- */

static void write_run(struct writer *w, struct bytes b)
{
	write_u16(w, (uint16_t)b.len);
	write_copy(w, b.at, b.len);
}

static struct bytes read_run(struct reader *r)
{
	struct bytes b = { .len = read_u16(r) };

	b.at = read_take(r, b.len);
	return b;
}

void plea_write(struct writer *w, const struct suite *suite, const uint8_t once[SIGN_BYTES],
		const uint8_t own[SIGN_BYTES], const uint8_t nonce[INVITE_NONCE], struct bytes name,
		struct bytes chain)
{
	const uint8_t *start = w->at;
	uint8_t *two;
	size_t len;

	if (name.len > CERT_NAME_MAX || chain.len > CERT_CHAIN_MAX) {
		w->bad = true;
		return;
	}
	write_copy(w, PLEA, sizeof(PLEA));
	write_copy(w, nonce, INVITE_NONCE);
	write_copy(w, own + KEY_BYTES, KEY_BYTES);
	write_u8(w, (uint8_t)name.len);
	write_copy(w, name.at, name.len);
	write_run(w, chain);
	len = (size_t)(w->at - start);
	two = write_space(w, 2 * SIGNATURE_BYTES);
	if (!two)
		return;
	suite->sign(two, once, (struct bytes){ start, len });
	suite->sign(two + SIGNATURE_BYTES, own, (struct bytes){ start, len });
}

bool plea_read(struct bytes b, struct plea *q)
{
	struct reader r = reader_of(b.at, b.len);
	const uint8_t *magic = read_take(&r, sizeof(PLEA));

	q->nonce = read_take(&r, INVITE_NONCE);
	q->key = read_take(&r, KEY_BYTES);
	q->name.len = read_u8(&r);
	q->name.at = read_take(&r, q->name.len);
	q->chain = read_run(&r);
	q->all = b;
	read_take(&r, 2 * SIGNATURE_BYTES);
	return reader_done(&r) && !memcmp(magic, PLEA, sizeof(PLEA)) && q->name.len <= CERT_NAME_MAX &&
	       q->chain.len <= CERT_CHAIN_MAX;
}

enum cert_fault plea_check(const struct plea *q, const struct suite *suite, const uint8_t anchor[KEY_BYTES],
			   uint64_t utc, struct cert *leaf)
{
	const size_t len = q->all.len - 2 * SIGNATURE_BYTES;
	const uint8_t *two = q->all.at + len;
	struct cert one;
	enum cert_fault f = cert_check(suite, q->chain, anchor, ROLE_INVITATION, utc, &one);

	if (f)
		return f;
	if (!one.uses || one.roles != ROLE_INVITATION)
		return FAULT_ROLE;
	if (!memcmp(one.key, q->key, KEY_BYTES))	/* the one-time key is known to whoever carried the line */
		return FAULT_KEY;
	if (!suite->verify(two, one.key, (struct bytes){ q->all.at, len }) ||
	    !suite->verify(two + SIGNATURE_BYTES, q->key, (struct bytes){ q->all.at, len }))
		return FAULT_SIGNATURE;
	*leaf = one;
	return FAULT_NONE;
}

/* ---- answers ---- */

/* The key that only @own and the owner of @peer can compute, for this nonce. */
static bool shared(const struct suite *suite, const uint8_t own[SIGN_BYTES], const uint8_t peer[KEY_BYTES],
		   const uint8_t nonce[INVITE_NONCE], uint8_t key[KEY_BYTES])
{
	uint8_t label[4 + INVITE_NONCE], secret[KEY_BYTES], theirs[KEY_BYTES];
	struct dh_pair pair;
	bool good = suite->convert(theirs, peer) && suite->convert(pair.public, own + KEY_BYTES);

	if (!good)
		return false;
	suite->dh_static(pair.secret, own);
	good = suite->dh(secret, &pair, theirs);
	memcpy(label, ANSWER, sizeof(ANSWER));
	memcpy(label + 4, nonce, INVITE_NONCE);
	memset(key, 0, KEY_BYTES);
	suite->derive(key, (struct bytes){ secret, KEY_BYTES }, (struct bytes){ label, sizeof(label) });
	sodium_memzero(&pair, sizeof(pair));
	sodium_memzero(secret, sizeof(secret));
	return good;
}

void grant_write(struct writer *w, const struct grant *g)
{
	write_run(w, g->chain);
	write_run(w, g->record);
	write_copy(w, g->secret, GRANT_SECRET);
}

bool grant_read(struct bytes b, struct grant *g)
{
	struct reader r = reader_of(b.at, b.len);

	g->chain = read_run(&r);
	g->record = read_run(&r);
	g->secret = read_take(&r, GRANT_SECRET);
	return reader_done(&r) && g->chain.len <= CERT_CHAIN_MAX && g->record.len <= GRANT_RECORD;
}

bool answer_write(struct writer *w, const struct suite *suite, const struct plea *q,
		  const uint8_t signer[SIGN_BYTES], const struct grant *g)
{
	uint8_t plain[GRANT_MAX], key[KEY_BYTES], *start = w->at, *sealed;
	struct writer p = writer_of(plain, sizeof(plain));
	bool good;

	grant_write(&p, g);
	answer_refuse(w, q->nonce, ADMIT_OK);
	write_copy(w, signer + KEY_BYTES, KEY_BYTES);
	sealed = p.bad ? NULL : write_space(w, writer_len(&p) + TAG_BYTES);
	good = sealed && shared(suite, signer, q->key, q->nonce, key);
	if (good)
		suite->aead[CIPHER_CHACHA].seal(sealed, key, 0, (struct bytes){ start, (size_t)(sealed - start) }, plain,
						writer_len(&p));
	sodium_memzero(plain, sizeof(plain));
	sodium_memzero(key, sizeof(key));
	return good;
}

void answer_refuse(struct writer *w, const uint8_t nonce[INVITE_NONCE], enum admit why)
{
	write_copy(w, ANSWER, sizeof(ANSWER));
	write_copy(w, nonce, INVITE_NONCE);
	write_u8(w, (uint8_t)why);
}

const uint8_t *answer_nonce(struct bytes b)
{
	return b.len >= ANSWER_HEADER && b.len <= ANSWER_MAX && !memcmp(b.at, ANSWER, sizeof(ANSWER)) ?
	       b.at + sizeof(ANSWER) : NULL;
}

/* The second certificate of @chain is of the key @signer: who sealed is who signed. */
static bool signed_by(struct bytes chain, const uint8_t signer[KEY_BYTES])
{
	struct reader r = reader_of(chain.at, chain.len);
	struct cert c;

	return !cert_decode(&r, &c) && !cert_decode(&r, &c) && !memcmp(c.key, signer, KEY_BYTES);
}

enum admit answer_open(struct bytes b, const struct suite *suite, const uint8_t own[SIGN_BYTES],
			   const uint8_t nonce[INVITE_NONCE], const uint8_t anchor[KEY_BYTES], uint64_t utc,
			   uint8_t room[GRANT_MAX], struct grant *g)
{
	const uint8_t *to = answer_nonce(b), *signer;
	struct reader r = reader_of(b.at, b.len);
	uint8_t verdict, key[KEY_BYTES];
	struct grant new;
	struct cert leaf;
	size_t len;
	bool good;

	if (!to || memcmp(to, nonce, INVITE_NONCE))
		return ADMIT_NONE;
	read_take(&r, ANSWER_HEADER - 1);
	verdict = read_u8(&r);
	if (verdict != ADMIT_OK)
		return verdict < ADMITS && reader_done(&r) ? (enum admit)verdict : ADMIT_NONE;
	signer = read_take(&r, KEY_BYTES);
	len = reader_left(&r);
	if (!signer || len <= TAG_BYTES || len > GRANT_MAX + TAG_BYTES || !shared(suite, own, signer, nonce, key))
		return ADMIT_NONE;
	good = suite->aead[CIPHER_CHACHA].open(room, key, 0, (struct bytes){ b.at, (size_t)(r.at - b.at) }, r.at, len);
	sodium_memzero(key, sizeof(key));
	if (!good || !grant_read((struct bytes){ room, len - TAG_BYTES }, &new) || !signed_by(new.chain, signer) ||
	    cert_check(suite, new.chain, anchor, ROLE_MEMBER, utc, &leaf) || memcmp(leaf.key, own + KEY_BYTES, KEY_BYTES))
		return ADMIT_NONE;
	*g = new;
	return ADMIT_OK;
}
