#include "core/seal/handshake.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "core/base/config.h"
#include "core/seal/revoke.h"

enum {
	INIT_FIXED	= WIRE_SHORT + 6,	/* header, pattern, 0, index */
	TLV_HEADER	= 3,
	NOISE_MOST	= 2 * KEY_BYTES + 2 * TAG_BYTES,	/* e, sealed s, payload's tag */
	ANSWER_MORE	= 40,		/* what an answer may have beyond its call: index, endpoint */
	PROOFS		= 2 * PROOF_BYTES,
	PROVED_FROM	= 4,		/* version, type, flags and hops are not under a proof */
};
_Static_assert(WIRE_SHORT + NOISE_MOST + 3 * TLV_HEADER + CERT_CHAIN_MAX + 1 + HELLO_MAX +
	       ANSWER_MORE + INIT_FIXED + PROOFS <= HANDSHAKE_MAX, "the longest handshake packet fits");
_Static_assert((int)HANDSHAKE_MAX <= (int)WIRE_MTU_MIN, "on every path");

/** struct payload - seal's own part of a payload, read */
struct payload {
	struct bytes chain;
	uint32_t index;
	uint8_t ciphers;
	bool has_chain, has_index, has_ciphers;
};

uint32_t handshake_tag(const uint8_t overlay[KEY_BYTES])
{
	struct reader r = reader_of(overlay, KEY_BYTES);

	return read_u32(&r);
}

/* Who speaks under encryption first offers its ciphers, the other one chooses. */
static unsigned offer_step(const struct noise *x)
{
	return x->pattern == PATTERN_IK ? 0 : 1;
}

/* XX's first message is the only one that says nothing of its sender. */
static bool says_who(const struct noise *x)
{
	return x->pattern == PATTERN_IK || x->step > 0;
}

/* What we offer and take: data ciphers of the suite that this machine has. */
static uint8_t ciphers_of(const struct env *e)
{
	return (uint8_t)(e->suite->ciphers & (e->ciphers | 1 << CIPHER_CHACHA));
}

static uint8_t choose(uint8_t both)
{
	return both & 1 << CIPHER_AES ? CIPHER_AES : CIPHER_CHACHA;
}

static void static_pair(struct dh_pair *s, const struct suite *suite, const struct identity *self)
{
	memcpy(s->public, self->dh, KEY_BYTES);
	suite->dh_static(s->secret, self->sign);
}

/* What both sides know before the first token and must agree on */
static size_t prologue(uint8_t out[64], const struct handshake *hs, uint8_t pattern, uint32_t caller)
{
	struct writer w = writer_of(out, 64);

	write_copy(&w, "weft", 4);
	write_u8(&w, WIRE_VERSION);
	write_copy(&w, hs->anchor, KEY_BYTES);
	if (hs->through)
		write_copy(&w, "end to end", 10);
	write_u8(&w, pattern);
	write_u32(&w, caller);
	return writer_len(&w);
}

static bool call(struct env *e, struct handshake *hs, const struct identity *self, const uint8_t *anchor, bool through,
		 const uint8_t *key, uint32_t index)
{
	enum noise_pattern pattern = key ? PATTERN_IK : PATTERN_XX;
	uint8_t pro[64], rs[KEY_BYTES];
	struct dh_pair s = { .secret = { 0 } };
	struct bytes p = { pro, 0 };

	if (key && !e->suite->convert(rs, key))
		return false;
	memset(hs, 0, sizeof(*hs));
	hs->index = index;
	hs->anchor = anchor;
	hs->through = through;
	p.len = prologue(pro, hs, (uint8_t)pattern, index);
	if (key) {
		memcpy(hs->key, key, KEY_BYTES);
		hs->named = true;
	}
	memcpy(s.public, self->dh, KEY_BYTES);
	noise_init(&hs->noise, e->suite, pattern, true, p, &s, key ? rs : NULL);
	return true;
}

bool handshake_call(struct env *e, struct handshake *hs, const struct identity *self, const uint8_t *key, uint32_t index)
{
	return call(e, hs, self, e->config->overlay, false, key, index);
}

bool handshake_call_in(struct env *e, struct handshake *hs, const struct identity *self, const uint8_t *anchor,
		       const uint8_t *key, uint32_t index)
{
	return call(e, hs, self, anchor, true, key, index);
}

void handshake_answer(struct handshake *hs, uint32_t index)
{
	assert(!hs->noise.initiator);
	hs->index = index;
}

bool handshake_caller(const struct handshake *hs)
{
	return hs->noise.initiator;
}

bool handshake_done(const struct handshake *hs)
{
	return noise_over(&hs->noise);
}

static void write_tlv(struct writer *w, uint8_t type, const void *value, size_t len)
{
	write_u8(w, type);
	write_u16(w, (uint16_t)len);
	write_copy(w, value, len);
}

/* How long an INIT of ours must be that an answer with the same contents is not longer. */
static size_t init_length(const struct identity *self, struct bytes hello)
{
	size_t len = WIRE_SHORT + NOISE_MOST + TLV_HEADER + self->chain_len + TLV_HEADER + 1 +
		     hello.len + ANSWER_MORE;

	return len < HANDSHAKE_INIT_MIN ? HANDSHAKE_INIT_MIN : len;
}

static void write_payload(struct handshake *hs, const struct env *e,
			  const struct identity *self, struct bytes hello, struct writer *w)
{
	const struct noise *x = &hs->noise;
	uint8_t cipher;

	if (says_who(x)) {
		write_tlv(w, PAYLOAD_CHAIN, self->chain, self->chain_len);
		if (x->step == offer_step(x)) {
			cipher = ciphers_of(e);
		} else {
			cipher = choose(hs->offered & ciphers_of(e));
			hs->cipher = cipher;
		}
		write_tlv(w, PAYLOAD_CIPHERS, &cipher, 1);
		write_copy(w, hello.at, hello.len);
	}
	if (x->step == 1) {
		write_u8(w, PAYLOAD_INDEX);
		write_u16(w, 4);
		write_u32(w, hs->index);
	}
	if (x->step == 0) {
		size_t have = INIT_FIXED + noise_overhead(x) + writer_len(w) + TLV_HEADER + PROOFS;
		size_t want = init_length(self, hello), pad = want > have ? want - have : 0;
		uint8_t *zeros;

		write_u8(w, PAYLOAD_PAD);
		write_u16(w, (uint16_t)pad);
		zeros = write_space(w, pad);
		if (zeros)
			memset(zeros, 0, pad);
	}
}

/* ---- the two proofs at the end of an INIT ---- */

static void proof(const struct suite *suite, uint8_t out[PROOF_BYTES], const uint8_t key[KEY_BYTES],
		  const uint8_t *packet, size_t len)
{
	uint8_t whole[KEY_BYTES] = { 0 };

	suite->derive(whole, (struct bytes){ key, KEY_BYTES }, (struct bytes){ packet + PROVED_FROM, len - PROVED_FROM });
	memcpy(out, whole, PROOF_BYTES);
}

static enum drop check_proof(struct env *e, const uint8_t *key, const uint8_t *packet, size_t len)
{
	uint8_t right[PROOF_BYTES];

	proof(e->suite, right, key, packet, len);
	return sodium_memcmp(right, packet + len, PROOF_BYTES) ? DROP_PROOF : DROP_NONE;
}

enum drop handshake_knows(struct env *e, const uint8_t *anchor, struct bytes packet)
{
	struct reader r = reader_of(packet.at, packet.len);

	read_take(&r, 4);
	if (packet.len < HANDSHAKE_INIT_MIN)
		return DROP_SHORT;
	if (packet.len > HANDSHAKE_MAX)
		return DROP_TOO_BIG;
	if (read_u32(&r) != handshake_tag(anchor))
		return DROP_OVERLAY;
	return check_proof(e, anchor, packet.at, packet.len - PROOFS);
}

bool handshake_vouched(struct env *e, const uint8_t cookie[KEY_BYTES], struct bytes packet)
{
	return packet.len >= HANDSHAKE_INIT_MIN &&
	       check_proof(e, cookie, packet.at, packet.len - PROOF_BYTES) == DROP_NONE;
}

void handshake_vouch(struct env *e, const uint8_t cookie[KEY_BYTES], uint8_t *packet, size_t len)
{
	assert(len > PROOFS);
	proof(e->suite, packet + len - PROOF_BYTES, cookie, packet, len - PROOF_BYTES);
}

static void write_proofs(struct env *e, const struct handshake *hs, uint8_t *packet, struct writer *w)
{
	const uint8_t none[PROOF_BYTES] = { 0 };
	uint8_t *at;

	at = write_space(w, PROOF_BYTES);
	if (at)
		proof(e->suite, at, hs->anchor, packet, (size_t)(at - packet));
	write_copy(w, none, PROOF_BYTES);
}

enum drop handshake_write(struct env *e, struct handshake *hs, const struct identity *self,
			  struct bytes hello, struct writer *w)
{
	static const uint8_t TYPE[] = { PACKET_INIT, PACKET_REPLY, PACKET_FINISH };
	struct noise *x = &hs->noise;
	unsigned step = x->step;
	uint8_t *packet = w->at, payload[HANDSHAKE_MAX], seed[KEY_BYTES] = { 0 };
	struct writer p = writer_of(payload, sizeof(payload));
	struct dh_pair s;
	bool good;

	assert(noise_next(x) && hello.len <= HELLO_MAX);
	write_payload(hs, e, self, hello, &p);
	assert(!p.bad);
	if (step == 1 && WIRE_SHORT + noise_overhead(x) + writer_len(&p) > hs->init_len)
		return DROP_TOO_BIG;
	write_u8(w, (uint8_t)(WIRE_VERSION << 4 | TYPE[step]));
	write_u8(w, 0);
	write_u16(w, 0);
	write_u32(w, step ? hs->peer_index : handshake_tag(hs->anchor));
	if (step == 0) {
		write_u8(w, x->pattern);
		write_u8(w, 0);
		write_u32(w, hs->index);
	}
	if (step < 2)
		random_bytes(&e->random, seed, sizeof(seed));
	static_pair(&s, e->suite, self);
	good = noise_write(x, e->suite, &s, seed, (struct bytes){ payload, writer_len(&p) }, w);
	sodium_memzero(&s, sizeof(s));
	sodium_memzero(seed, sizeof(seed));
	if (!good)
		w->bad = true;
	if (step == 0)
		write_proofs(e, hs, packet, w);
	return DROP_NONE;
}

static bool read_payload(struct bytes all, struct payload *p)
{
	struct reader r = reader_of(all.at, all.len);

	memset(p, 0, sizeof(*p));
	while (!reader_done(&r)) {
		uint8_t type = read_u8(&r);
		size_t len = read_u16(&r);
		const uint8_t *at = read_take(&r, len);
		struct reader in = reader_of(at, len);
		bool again = false;

		if (!at)
			return false;
		switch (type) {
		case PAYLOAD_CHAIN:
			again = p->has_chain;
			p->has_chain = true;
			p->chain = (struct bytes){ at, len };
			break;
		case PAYLOAD_CIPHERS:
			again = p->has_ciphers;
			p->has_ciphers = true;
			p->ciphers = read_u8(&in);
			break;
		case PAYLOAD_INDEX:
			again = p->has_index;
			p->has_index = true;
			p->index = read_u32(&in);
			break;
		}
		if (again || !reader_ok(&in))
			return false;
	}
	return true;
}

static uint32_t signer_of(struct bytes chain)
{
	struct reader r = reader_of(chain.at, chain.len);
	struct cert c;

	return cert_decode(&r, &c) || !reader_left(&r) || cert_decode(&r, &c) ? 0 : revoked_short(cert_id(c.key, c.salt));
}

/* Is the sender who its chain says, who we called, and not us? */
static enum drop check_peer(struct env *e, struct handshake *hs, const struct identity *self,
			    struct bytes chain, struct greeting *g)
{
	struct peer_identity *who = &g->who;
	uint8_t dh[KEY_BYTES];

	if (cert_check(e->suite, chain, hs->anchor, 0, cert_utc(e), &g->cert) ||
	    !(g->cert.roles & (ROLE_MEMBER | ROLE_INVITATION)))
		return DROP_CERTIFICATE;
	if (hs->through && !(g->cert.roles & ROLE_MEMBER))
		return DROP_CERTIFICATE;
	if (revoked_chain(e->revoked, hs->anchor, chain))
		return DROP_REVOKED;
	memcpy(who->key, g->cert.key, KEY_BYTES);
	if (hs->named) {		/* its conversion is the static key that Noise proved */
		if (memcmp(who->key, hs->key, KEY_BYTES))
			return DROP_IDENTITY;
	} else if (!e->suite->convert(dh, who->key) || memcmp(dh, hs->noise.rs, KEY_BYTES)) {
		return DROP_CERTIFICATE;
	}
	who->id = cert_id(g->cert.key, g->cert.salt);
	if (id_eq(who->id, self->id) || !memcmp(who->key, identity_key(self), KEY_BYTES))
		return DROP_SELF;
	cert_digest(who->digest, chain);
	who->roles = g->cert.roles;
	who->not_after = g->cert.not_after;
	who->signer = signer_of(chain);
	memcpy(hs->key, who->key, KEY_BYTES);
	hs->named = true;
	return DROP_NONE;
}

/* Noise, payload, certificate: common to all three. @hs is a copy that may be spoiled. */
static enum drop read_message(struct env *e, struct handshake *hs, const struct identity *self,
			      const struct dh_pair *s, struct bytes message, struct greeting *g)
{
	const unsigned step = hs->noise.step;
	const bool who = says_who(&hs->noise);
	struct payload p;
	size_t len;
	enum drop d;

	if (!noise_read(&hs->noise, e->suite, s, message, g->room, &len))
		return DROP_SEAL;
	g->hello = (struct bytes){ g->room, len };
	if (!read_payload(g->hello, &p) || p.has_index != (step == 1) || p.has_chain != who)
		return DROP_VALUE;
	if (step == 1)
		hs->peer_index = p.index;
	if (!who)
		return DROP_NONE;
	if (step == offer_step(&hs->noise)) {
		hs->offered = p.ciphers;
	} else {
		hs->cipher = p.ciphers;
		if (hs->cipher >= CIPHERS || !(ciphers_of(e) & 1 << hs->cipher))
			return DROP_VALUE;
	}
	d = check_peer(e, hs, self, p.chain, g);
	g->known = d == DROP_NONE;
	return d;
}

static enum drop read_init(struct env *e, struct handshake *hs, const struct dh_pair *s, const uint8_t *anchor,
			   bool through, struct bytes packet, struct reader *r)
{
	uint8_t pattern, pro[64], reserved;
	struct bytes p = { pro, 0 };
	enum drop d = handshake_knows(e, anchor, packet);

	if (d)
		return d;
	memset(hs, 0, sizeof(*hs));
	hs->anchor = anchor;
	hs->through = through;
	hs->init_len = (uint16_t)packet.len;
	r->end -= PROOFS;
	pattern = read_u8(r);
	reserved = read_u8(r);
	hs->peer_index = read_u32(r);
	if ((pattern != PATTERN_IK && pattern != PATTERN_XX) || reserved)
		return DROP_VALUE;
	p.len = prologue(pro, hs, pattern, hs->peer_index);
	noise_init(&hs->noise, e->suite, pattern, false, p, s, NULL);
	return DROP_NONE;
}

static enum drop read_packet(struct env *e, struct handshake *hs, const struct identity *self, const uint8_t *anchor,
			     bool through, struct bytes packet, struct greeting *g)
{
	struct reader r = reader_of(packet.at, packet.len);
	uint8_t first = read_u8(&r), type = first & 15;
	struct handshake copy;
	struct dh_pair s;
	uint32_t receiver;
	enum drop d = DROP_NONE;

	g->known = false;
	g->hello = (struct bytes){ g->room, 0 };
	read_take(&r, 3);		/* flags: none yet; hops: the relays' */
	receiver = read_u32(&r);
	if (!reader_ok(&r))
		return DROP_SHORT;
	if (first >> 4 != WIRE_VERSION)
		return DROP_VERSION;
	if (packet.len > HANDSHAKE_MAX)
		return DROP_TOO_BIG;
	if (type != PACKET_INIT && type != PACKET_REPLY && type != PACKET_FINISH)
		return DROP_TYPE;
	if (type != PACKET_INIT) {
		if (receiver != hs->index)
			return DROP_SESSION;
		if (noise_over(&hs->noise) || noise_next(&hs->noise) ||
		    hs->noise.step != (type == PACKET_REPLY ? 1 : 2))
			return DROP_HANDSHAKE;
		copy = *hs;
	}
	static_pair(&s, e->suite, self);
	if (type == PACKET_INIT)
		d = read_init(e, &copy, &s, anchor, through, packet, &r);
	if (!d)
		d = read_message(e, &copy, self, &s, (struct bytes){ r.at, reader_left(&r) }, g);
	if (!d)
		*hs = copy;
	sodium_memzero(&s, sizeof(s));
	sodium_memzero(&copy, sizeof(copy));
	return d;
}

enum drop handshake_read(struct env *e, struct handshake *hs, const struct identity *self,
			 struct bytes packet, struct greeting *g)
{
	return read_packet(e, hs, self, e->config->overlay, false, packet, g);
}

enum drop handshake_read_in(struct env *e, struct handshake *hs, const struct identity *self, const uint8_t *anchor,
			    struct bytes packet, struct greeting *g)
{
	return read_packet(e, hs, self, anchor, true, packet, g);
}

struct session *handshake_session(struct env *e, struct handshake *hs, unsigned lanes)
{
	const bool caller = hs->noise.initiator;
	struct session_keys k = {
		.index = hs->index, .peer_index = hs->peer_index, .cipher = hs->cipher,
		.initiator = caller,
		/* IK's answerer has heard nothing yet that a replay could not say */
		.confirmed = caller || hs->noise.pattern == PATTERN_XX,
	};
	struct session *s;

	noise_split(&hs->noise, e->suite, caller ? k.send : k.receive, caller ? k.receive : k.send);
	s = session_new(e, &k, lanes);
	sodium_memzero(&k, sizeof(k));
	handshake_wipe(hs);
	return s;
}

void handshake_wipe(struct handshake *hs)
{
	sodium_memzero(hs, sizeof(*hs));
}
