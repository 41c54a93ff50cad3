/*
 * noise.c - theory of operation
 *
 * A pattern is two or three lists of tokens; one function writes a list, one
 * reads it. Symmetric state and handshake state are one struct, for neither
 * lives without the other here. The nonce of the handshake cipher never passes
 * two: every DH token starts a new key.
 */
#include "core/seal/noise.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

enum token { END, E, S, EE, ES, SE, SS };
enum { MESSAGES = 3, TOKENS = 5 };

/* Noise, section 7.5. The first message is the initiator's. */
static const uint8_t PATTERN[][MESSAGES][TOKENS] = {
	[PATTERN_IK] = { { E, ES, S, SS }, { E, EE, SE } },
	[PATTERN_XX] = { { E }, { E, EE, S, ES }, { S, SE } },
};

static const char *const NAME[] = {
	[PATTERN_IK] = "Noise_IK_25519_ChaChaPoly_BLAKE2b",
	[PATTERN_XX] = "Noise_XX_25519_ChaChaPoly_BLAKE2b",
};

static void mix_hash(struct noise *x, const struct suite *suite, struct bytes data)
{
	suite->hash(x->h, (struct bytes){ x->h, HASH_BYTES }, data);
}

static void mix_key(struct noise *x, const struct suite *suite, const uint8_t shared[KEY_BYTES])
{
	uint8_t temp[HASH_BYTES];

	suite->hkdf(x->ck, temp, x->ck, (struct bytes){ shared, KEY_BYTES });
	memcpy(x->k, temp, KEY_BYTES);	/* HASHLEN is 64: truncated, section 5.2 */
	x->keyed = true;
	x->n = 0;
	sodium_memzero(temp, sizeof(temp));
}

/* EncryptAndHash() */
static bool seal_hash(struct noise *x, const struct suite *suite, struct bytes text,
		      struct writer *w)
{
	uint8_t *out = write_space(w, text.len + (x->keyed ? TAG_BYTES : 0));

	if (!out)
		return false;
	if (x->keyed)
		suite->aead[CIPHER_CHACHA].seal(out, x->k, x->n++, (struct bytes){ x->h, HASH_BYTES },
						text.at, text.len);
	else if (text.len)
		memcpy(out, text.at, text.len);
	mix_hash(x, suite, (struct bytes){ out, (size_t)(w->at - out) });
	return true;
}

/* DecryptAndHash() */
static bool open_hash(struct noise *x, const struct suite *suite, struct bytes sealed,
		      uint8_t *out)
{
	if (x->keyed) {
		if (!suite->aead[CIPHER_CHACHA].open(out, x->k, x->n++,
						     (struct bytes){ x->h, HASH_BYTES },
						     sealed.at, sealed.len))
			return false;
	} else if (sealed.len) {
		memcpy(out, sealed.at, sealed.len);
	}
	mix_hash(x, suite, sealed);
	return true;
}

/* ES is the initiator's ephemeral with the responder's static key, whoever we are */
static bool mix_dh(struct noise *x, const struct suite *suite, const struct dh_pair *s,
		   enum token t)
{
	bool own_e = t == EE || (t == ES && x->initiator) || (t == SE && !x->initiator);
	bool their_e = t == EE || (t == ES && !x->initiator) || (t == SE && x->initiator);
	uint8_t shared[KEY_BYTES];

	if (!suite->dh(shared, own_e ? &x->e : s, their_e ? x->re : x->rs))
		return false;
	mix_key(x, suite, shared);
	sodium_memzero(shared, sizeof(shared));
	return true;
}

void noise_init(struct noise *x, const struct suite *suite, enum noise_pattern pattern,
		bool initiator, struct bytes prologue, const struct dh_pair *s, const uint8_t *rs)
{
	assert(pattern == PATTERN_IK || pattern == PATTERN_XX);
	assert((rs != NULL) == (pattern == PATTERN_IK && initiator));
	memset(x, 0, sizeof(*x));
	x->pattern = (uint8_t)pattern;
	x->initiator = initiator;
	memcpy(x->h, NAME[pattern], strlen(NAME[pattern]));
	memcpy(x->ck, x->h, HASH_BYTES);
	mix_hash(x, suite, prologue);
	if (rs)
		memcpy(x->rs, rs, KEY_BYTES);
	if (pattern == PATTERN_IK)
		mix_hash(x, suite, (struct bytes){ initiator ? rs : s->public, KEY_BYTES });
}

static const uint8_t *tokens(const struct noise *x)
{
	assert(!noise_over(x));
	return PATTERN[x->pattern][x->step];
}

size_t noise_overhead(const struct noise *x)
{
	bool keyed = x->keyed;
	size_t len = 0;

	for (const uint8_t *t = tokens(x); *t != END; t++) {
		if (*t == E)
			len += KEY_BYTES;
		else if (*t == S)
			len += KEY_BYTES + (keyed ? TAG_BYTES : 0);
		else
			keyed = true;
	}
	return len + (keyed ? TAG_BYTES : 0);
}

bool noise_over(const struct noise *x)
{
	return x->step == MESSAGES || PATTERN[x->pattern][x->step][0] == END;
}

bool noise_next(const struct noise *x)
{
	return !noise_over(x) && x->initiator == (x->step % 2 == 0);
}

bool noise_write(struct noise *x, const struct suite *suite, const struct dh_pair *s,
		 const uint8_t seed[KEY_BYTES], struct bytes payload, struct writer *w)
{
	assert(noise_next(x));
	for (const uint8_t *t = tokens(x); *t != END; t++) {
		switch (*t) {
		case E:
			suite->dh_pair(&x->e, seed);
			write_copy(w, x->e.public, KEY_BYTES);
			mix_hash(x, suite, (struct bytes){ x->e.public, KEY_BYTES });
			break;
		case S:
			if (!seal_hash(x, suite, (struct bytes){ s->public, KEY_BYTES }, w))
				return false;
			break;
		default:
			if (!mix_dh(x, suite, s, *t))
				return false;
		}
	}
	if (!seal_hash(x, suite, payload, w))
		return false;
	x->step++;
	return true;
}

bool noise_read(struct noise *x, const struct suite *suite, const struct dh_pair *s,
		struct bytes message, uint8_t *payload, size_t *len)
{
	struct reader r = reader_of(message.at, message.len);
	struct bytes part;

	assert(!noise_over(x) && !noise_next(x));
	for (const uint8_t *t = tokens(x); *t != END; t++) {
		switch (*t) {
		case E:
			read_copy(&r, x->re, KEY_BYTES);
			mix_hash(x, suite, (struct bytes){ x->re, KEY_BYTES });
			break;
		case S:
			part.len = KEY_BYTES + (x->keyed ? TAG_BYTES : 0);
			part.at = read_take(&r, part.len);
			if (!part.at || !open_hash(x, suite, part, x->rs))
				return false;
			break;
		default:
			if (!mix_dh(x, suite, s, *t))
				return false;
		}
	}
	part = (struct bytes){ r.at, reader_left(&r) };
	if (r.bad || part.len < (x->keyed ? TAG_BYTES : 0) || !open_hash(x, suite, part, payload))
		return false;
	*len = part.len - (x->keyed ? TAG_BYTES : 0);
	x->step++;
	return true;
}

void noise_split(const struct noise *x, const struct suite *suite,
		 uint8_t first[KEY_BYTES], uint8_t second[KEY_BYTES])
{
	uint8_t one[HASH_BYTES], two[HASH_BYTES];

	assert(noise_over(x));
	suite->hkdf(one, two, x->ck, (struct bytes){ NULL, 0 });
	memcpy(first, one, KEY_BYTES);
	memcpy(second, two, KEY_BYTES);
	sodium_memzero(one, sizeof(one));
	sodium_memzero(two, sizeof(two));
}
