/* Two members get one session and know each other; everybody else gets a reason. */
#include <sodium.h>

#include "sim/world/model_crypto.h"
#include "tests/unit/party.h"
#include "tests/unit/suites.h"

enum { OVERLAY = 100, ELSEWHERE = 200 };

struct packet {
	uint8_t bytes[HANDSHAKE_MAX];
	size_t len;
};

static const uint8_t HELLO_A[] = { 16, 0, 2, 'h', 'a' }, HELLO_B[] = { 17, 0, 3, 'h', 'b', '!' };

static enum drop put(struct party *p, struct handshake *hs, struct bytes hello, struct packet *out)
{
	struct writer w = writer_of(out->bytes, sizeof(out->bytes));
	enum drop d = handshake_write(&p->env, hs, &p->self, hello, &w);

	CU_ASSERT_FALSE(w.bad);
	out->len = writer_len(&w);
	return d;
}

static enum drop get(struct party *p, struct handshake *hs, const struct packet *in,
		     struct greeting *g)
{
	return handshake_read(&p->env, hs, &p->self, (struct bytes){ in->bytes, in->len }, g);
}

static bool holds(struct bytes hello, const uint8_t *tlv, size_t len)
{
	return hello.len >= len && memmem(hello.at, hello.len, tlv, len);
}

static bool is(const struct greeting *g, const struct party *p)
{
	uint8_t digest[CERT_DIGEST];

	cert_digest(digest, (struct bytes){ p->chain, p->chain_len });
	return g->known && id_eq(g->who.id, p->self.id) &&
	       !memcmp(g->who.key, identity_key(&p->self), KEY_BYTES) &&
	       !memcmp(g->who.digest, digest, CERT_DIGEST) && g->who.roles == ROLE_MEMBER &&
	       g->cert.name.len == 5 && !memcmp(g->cert.name.at, "party", 5);
}

static struct bytes hello_a(void)
{
	return (struct bytes){ HELLO_A, sizeof(HELLO_A) };
}

static struct bytes hello_b(void)
{
	return (struct bytes){ HELLO_B, sizeof(HELLO_B) };
}

/* a packet each way, both ways confirmed */
static void talk(const struct suite *suite, struct session *a, struct session *b)
{
	uint8_t w[64], out[64];
	struct opened o;
	size_t len;

	for (unsigned i = 0; i < 2; i++) {
		struct session *from = i ? b : a, *to = i ? a : b;

		memcpy(w + WIRE_HEADER, "ping", 4);
		len = session_seal(suite, from, 0, PACKET_LINK, 0, w, 4);
		CU_ASSERT_EQUAL(session_open(suite, to, w, len, out, &o), DROP_NONE);
		CU_ASSERT_EQUAL(memcmp(out, "ping", 4), 0);
		CU_ASSERT_TRUE(to->confirmed);
	}
}

static void pair_init(struct party *a, struct party *b, const struct suite *suite)
{
	CU_ASSERT_EQUAL_FATAL(party_init(a, suite, 1, OVERLAY), FAULT_NONE);
	CU_ASSERT_EQUAL_FATAL(party_init(b, suite, 2, OVERLAY), FAULT_NONE);
}

/* @has: data ciphers the machines of a and b compute fast */
static void ik(const struct suite *suite, unsigned has_a, unsigned has_b)
{
	enum cipher want = suite->ciphers & has_a & has_b & 1 << CIPHER_AES ? CIPHER_AES : CIPHER_CHACHA;
	struct party a, b;
	struct handshake ha, hb;
	struct packet init, reply;
	struct greeting g;
	struct session *sa, *sb;

	pair_init(&a, &b, suite);
	a.env.ciphers = has_a;
	b.env.ciphers = has_b;
	CU_ASSERT_TRUE(handshake_call(&a.env, &ha, &a.self, identity_key(&b.self), 0xa1));
	CU_ASSERT_TRUE(handshake_caller(&ha));
	CU_ASSERT_EQUAL(put(&a, &ha, hello_a(), &init), DROP_NONE);
	CU_ASSERT_EQUAL(init.len, HANDSHAKE_INIT_MIN);
	CU_ASSERT_EQUAL_FATAL(get(&b, &hb, &init, &g), DROP_NONE);
	CU_ASSERT_TRUE(is(&g, &a));
	CU_ASSERT_TRUE(holds(g.hello, HELLO_A, sizeof(HELLO_A)));
	CU_ASSERT_FALSE(handshake_caller(&hb));
	handshake_answer(&hb, 0xb2);
	CU_ASSERT_EQUAL(put(&b, &hb, hello_b(), &reply), DROP_NONE);
	CU_ASSERT_TRUE(reply.len < init.len);
	CU_ASSERT_TRUE(handshake_done(&hb) && !handshake_done(&ha));
	CU_ASSERT_EQUAL_FATAL(get(&a, &ha, &reply, &g), DROP_NONE);
	CU_ASSERT_TRUE(is(&g, &b));
	CU_ASSERT_TRUE(holds(g.hello, HELLO_B, sizeof(HELLO_B)));
	CU_ASSERT_TRUE_FATAL(handshake_done(&ha));
	sa = handshake_session(&a.env, &ha, 1);
	sb = handshake_session(&b.env, &hb, 1);
	CU_ASSERT_TRUE(sa->index == 0xa1 && sa->peer_index == 0xb2 && sa->confirmed);
	CU_ASSERT_TRUE(sb->index == 0xb2 && sb->peer_index == 0xa1 && !sb->confirmed);
	CU_ASSERT_TRUE(sa->cipher == want && sb->cipher == want);
	talk(suite, sa, sb);
	session_free(&a.env, sa);
	session_free(&b.env, sb);
}

static void xx(const struct suite *suite)
{
	struct party a, b;
	struct handshake ha, hb;
	struct packet init, reply, finish;
	struct greeting g;
	struct session *sa, *sb;

	pair_init(&a, &b, suite);
	CU_ASSERT_TRUE(handshake_call(&a.env, &ha, &a.self, NULL, 0xa1));
	CU_ASSERT_EQUAL(put(&a, &ha, hello_a(), &init), DROP_NONE);
	CU_ASSERT_FALSE(holds((struct bytes){ init.bytes, init.len }, HELLO_A, sizeof(HELLO_A)));
	CU_ASSERT_EQUAL_FATAL(get(&b, &hb, &init, &g), DROP_NONE);
	CU_ASSERT_FALSE(g.known);
	handshake_answer(&hb, 0xb2);
	CU_ASSERT_EQUAL(put(&b, &hb, hello_b(), &reply), DROP_NONE);
	CU_ASSERT_TRUE(reply.len < init.len);
	CU_ASSERT_FALSE(handshake_done(&hb));
	CU_ASSERT_EQUAL_FATAL(get(&a, &ha, &reply, &g), DROP_NONE);
	CU_ASSERT_TRUE(is(&g, &b) && holds(g.hello, HELLO_B, sizeof(HELLO_B)));
	CU_ASSERT_EQUAL(put(&a, &ha, hello_a(), &finish), DROP_NONE);
	CU_ASSERT_TRUE(handshake_done(&ha));
	CU_ASSERT_EQUAL_FATAL(get(&b, &hb, &finish, &g), DROP_NONE);
	CU_ASSERT_TRUE(is(&g, &a) && holds(g.hello, HELLO_A, sizeof(HELLO_A)));
	CU_ASSERT_TRUE_FATAL(handshake_done(&hb));
	sa = handshake_session(&a.env, &ha, WIRE_LANES);
	sb = handshake_session(&b.env, &hb, WIRE_LANES);
	CU_ASSERT_TRUE(sa->confirmed && sb->confirmed && sa->lanes == WIRE_LANES);
	CU_ASSERT_TRUE(sa->peer_index == 0xb2 && sb->peer_index == 0xa1);
	talk(suite, sa, sb);
	session_free(&a.env, sa);
	session_free(&b.env, sb);
	CU_ASSERT_EQUAL(a.env.mem.used + b.env.mem.used, 0);
}

static void a_known_peer_takes_two_packets(void)
{
	ik(&suite_sodium, 0, 0);
	ik(&suite_model, 0, 0);
	ik(&suite_drawn, 0, 0);
}

static void a_bare_endpoint_takes_three(void)
{
	xx(&suite_sodium);
	xx(&suite_model);
	xx(&suite_drawn);
}

/* Flip every bit of @good on its way to @hs; then show that the struct took no harm. */
static void flip_all(struct party *p, struct handshake *hs, const struct packet *good)
{
	struct packet bad = *good;
	struct handshake before = *hs;
	struct greeting g;

	for (size_t bit = 0; bit < good->len * 8; bit++) {
		if (bit / 8 >= 1 && bit / 8 <= 3)	/* flags have no meaning yet; hops */
			continue;
		if ((good->bytes[0] & 15) == PACKET_INIT && bit / 8 >= good->len - PROOF_BYTES)
			break;				/* the second proof: cookie_test.c */
		bad.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CU_ASSERT_NOT_EQUAL(get(p, hs, &bad, &g), DROP_NONE);
		CU_ASSERT_FALSE(g.known);
		bad.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t len = 0; len < good->len; len++) {
		bad.len = len;
		CU_ASSERT_NOT_EQUAL(get(p, hs, &bad, &g), DROP_NONE);
	}
	CU_ASSERT_EQUAL(memcmp(hs, &before, sizeof(before)), 0);
}

static void flips(const struct suite *suite, bool known)
{
	struct party a, b;
	struct handshake ha, hb;
	struct packet p;
	struct greeting g;

	pair_init(&a, &b, suite);
	memset(&hb, 0, sizeof(hb));
	handshake_call(&a.env, &ha, &a.self, known ? identity_key(&b.self) : NULL, 0xa1);
	put(&a, &ha, hello_a(), &p);
	flip_all(&b, &hb, &p);
	CU_ASSERT_EQUAL(get(&b, &hb, &p, &g), DROP_NONE);
	handshake_answer(&hb, 0xb2);
	put(&b, &hb, hello_b(), &p);
	flip_all(&a, &ha, &p);
	CU_ASSERT_EQUAL(get(&a, &ha, &p, &g), DROP_NONE);
	if (known)
		return;
	put(&a, &ha, hello_a(), &p);
	flip_all(&b, &hb, &p);
	CU_ASSERT_EQUAL(get(&b, &hb, &p, &g), DROP_NONE);
}

static void every_changed_bit_and_every_cut_is_noticed(void)
{
	flips(&suite_sodium, true);
	flips(&suite_sodium, false);
	flips(&suite_model, true);
	flips(&suite_model, false);
}

static void clear(const struct suite *suite)
{
	struct party a, b;
	struct handshake ha, hb;
	struct packet init, reply;
	struct greeting g;

	pair_init(&a, &b, suite);
	for (size_t at = 0; at < HANDSHAKE_INIT_MIN - 2 * PROOF_BYTES; at += at < 60 ? 1 : 50) {
		handshake_call(&a.env, &ha, &a.self, NULL, 0xa1);
		put(&a, &ha, hello_a(), &init);
		if (at >= 1 && at <= 3)
			continue;
		init.bytes[at] ^= 1;
		CU_ASSERT_NOT_EQUAL(get(&b, &hb, &init, &g), DROP_NONE);
		handshake_vouch(&a.env, a.config.overlay, init.bytes, init.len - PROOF_BYTES);	/* by a member */
		if (get(&b, &hb, &init, &g))
			continue;
		handshake_answer(&hb, 0xb2);
		put(&b, &hb, hello_b(), &reply);
		CU_ASSERT_NOT_EQUAL(get(&a, &ha, &reply, &g), DROP_NONE);
	}
}

static void what_a_member_changes_in_xxs_clear_message_is_noticed_in_the_answer(void)
{
	clear(&suite_sodium);
	clear(&suite_model);
}

static void replay(const struct suite *suite)
{
	struct party a, b;
	struct handshake ha, hb[2], late;
	struct packet init, reply[2];
	struct greeting g;
	struct session *sa, *sb[2];
	uint8_t w[64] = { 0 }, out[64];
	struct opened o;
	size_t len;

	pair_init(&a, &b, suite);
	handshake_call(&a.env, &ha, &a.self, identity_key(&b.self), 0xa1);
	put(&a, &ha, hello_a(), &init);
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(get(&b, &hb[i], &init, &g), DROP_NONE);
		handshake_answer(&hb[i], 0xb2 + i);
		put(&b, &hb[i], hello_b(), &reply[i]);
		sb[i] = handshake_session(&b.env, &hb[i], 1);
	}
	late = ha;
	CU_ASSERT_EQUAL(get(&a, &ha, &reply[0], &g), DROP_NONE);
	CU_ASSERT_EQUAL(get(&a, &ha, &reply[1], &g), DROP_HANDSHAKE);	/* one answer is enough */
	CU_ASSERT_EQUAL(get(&a, &late, &reply[1], &g), DROP_NONE);	/* either would have done */
	sa = handshake_session(&a.env, &ha, 1);
	len = session_seal(suite, sa, 0, PACKET_LINK, 0, w, 4);
	CU_ASSERT_EQUAL(session_open(suite, sb[1], w, len, out, &o), DROP_SEAL);
	CU_ASSERT_EQUAL(session_open(suite, sb[0], w, len, out, &o), DROP_NONE);
	CU_ASSERT_TRUE(sb[0]->confirmed && !sb[1]->confirmed);
	session_free(&a.env, sa);
	session_free(&b.env, sb[0]);
	session_free(&b.env, sb[1]);
}

static void a_replayed_call_makes_a_session_nobody_confirms(void)
{
	replay(&suite_sodium);
	replay(&suite_model);
}

/* the first packet of @a (calling @b's key, or not) as @c sees it */
static enum drop heard_by(struct party *a, const uint8_t *key, struct party *c)
{
	struct handshake ha, hc;
	struct packet p;
	struct greeting g;

	handshake_call(&a->env, &ha, &a->self, key, 1);
	put(a, &ha, hello_a(), &p);
	return get(c, &hc, &p, &g);
}

/* what @a makes of @b's answer to an XX call; the answerer's verdict on FINISH if that was good */
static enum drop met(struct party *a, struct party *b)
{
	struct handshake ha, hb;
	struct packet p;
	struct greeting g;
	enum drop d;

	handshake_call(&a->env, &ha, &a->self, NULL, 1);
	put(a, &ha, hello_a(), &p);
	d = get(b, &hb, &p, &g);
	if (d)
		return d;
	handshake_answer(&hb, 2);
	put(b, &hb, hello_b(), &p);
	d = get(a, &ha, &p, &g);
	if (d)
		return d;
	put(a, &ha, hello_a(), &p);
	return get(b, &hb, &p, &g);
}

static void strangers(const struct suite *suite)
{
	struct party a, b, c, d;
	uint8_t key[SIGN_BYTES];

	pair_init(&a, &b, suite);
	CU_ASSERT_EQUAL(party_init(&c, suite, 3, ELSEWHERE), FAULT_NONE);
	CU_ASSERT_EQUAL(heard_by(&a, identity_key(&b.self), &b), DROP_NONE);
	CU_ASSERT_EQUAL(heard_by(&a, identity_key(&c.self), &c), DROP_OVERLAY);
	CU_ASSERT_EQUAL(heard_by(&a, identity_key(&c.self), &b), DROP_SEAL);	/* not for b */
	CU_ASSERT_EQUAL(heard_by(&a, identity_key(&a.self), &a), DROP_SELF);
	CU_ASSERT_EQUAL(met(&a, &b), DROP_NONE);
	CU_ASSERT_EQUAL(met(&a, &a), DROP_SELF);
	/* the same tag, another overlay: the first proof tells */
	d = b;
	d.config.overlay[7] ^= 1;
	d.env.config = &d.config;
	CU_ASSERT_EQUAL(heard_by(&a, identity_key(&b.self), &d), DROP_PROOF);
	CU_ASSERT_EQUAL(met(&a, &d), DROP_PROOF);
	/* a member elsewhere who knows our overlay's key */
	c.config = a.config;
	CU_ASSERT_EQUAL(heard_by(&c, identity_key(&a.self), &a), DROP_CERTIFICATE);
	CU_ASSERT_EQUAL(met(&a, &c), DROP_CERTIFICATE);
	CU_ASSERT_EQUAL(met(&c, &a), DROP_CERTIFICATE);
	/* a member with another's certificate */
	d = a;
	d.env.config = &d.config;
	d.self.chain = b.chain;
	CU_ASSERT_EQUAL(heard_by(&d, identity_key(&b.self), &b), DROP_CERTIFICATE);
	CU_ASSERT_EQUAL(met(&b, &d), DROP_CERTIFICATE);
	/* a signer that is no member */
	party_key(suite, OVERLAY, key);
	party_certify(&d, suite, 1, key, (struct cert_order){ .roles = ROLE_SIGNER });
	d.self.chain = d.chain, d.self.chain_len = (uint16_t)d.chain_len;
	CU_ASSERT_EQUAL(heard_by(&d, identity_key(&b.self), &b), DROP_CERTIFICATE);
}

static void strangers_get_a_reason(void)
{
	strangers(&suite_sodium);
	strangers(&suite_model);
}

static void another_answer(const struct suite *suite)
{
	struct party a, b, c;
	struct handshake ha, hb;
	struct packet p;
	struct greeting g;

	/* b answers under its own static key, with c's valid certificate */
	pair_init(&a, &b, suite);
	CU_ASSERT_EQUAL(party_init(&c, suite, 3, OVERLAY), FAULT_NONE);
	handshake_call(&a.env, &ha, &a.self, identity_key(&b.self), 1);
	put(&a, &ha, hello_a(), &p);
	CU_ASSERT_EQUAL(get(&b, &hb, &p, &g), DROP_NONE);
	handshake_answer(&hb, 2);
	b.self.chain = c.chain;
	put(&b, &hb, hello_b(), &p);
	CU_ASSERT_EQUAL(get(&a, &ha, &p, &g), DROP_IDENTITY);
}

static void who_answers_must_be_who_was_called(void)
{
	another_answer(&suite_sodium);
	another_answer(&suite_model);
}

static void time_is_the_readers(void)
{
	struct party a, b;

	CU_ASSERT_EQUAL(party_init_as(&a, &suite_sodium, 1, OVERLAY, (struct cert_order){
		.roles = ROLE_MEMBER, .name = "party", .not_before = 1000, .not_after = 2000 }), FAULT_NONE);
	CU_ASSERT_EQUAL(party_init(&b, &suite_sodium, 2, OVERLAY), FAULT_NONE);
	CU_ASSERT_EQUAL(heard_by(&a, identity_key(&b.self), &b), DROP_NONE);
	b.env.utc_ns = 1500 * NS_PER_S;
	CU_ASSERT_EQUAL(heard_by(&a, identity_key(&b.self), &b), DROP_NONE);
	b.env.now_ns = 501 * NS_PER_S;
	CU_ASSERT_EQUAL(heard_by(&a, identity_key(&b.self), &b), DROP_CERTIFICATE);
	b.env.utc_ns = 0;
	CU_ASSERT_EQUAL(heard_by(&a, identity_key(&b.self), &b), DROP_NONE);
}

static void an_answer_is_never_longer_than_its_call(void)
{
	static const char *const NAMES[] = {
		"a-group-with-a-long-name-0000000000000000000000000000000000000",
		"a-group-with-a-long-name-1111111111111111111111111111111111111",
		"a-group-with-a-long-name-2222222222222222222222222222222222222",
	};
	static uint8_t hello[HELLO_MAX] = { 16, 0, HELLO_MAX - 3 };
	struct party a, b;
	struct handshake ha, hb;
	struct packet init, reply;
	struct greeting g;
	struct writer w = writer_of(reply.bytes, sizeof(reply.bytes));

	CU_ASSERT_EQUAL(party_init(&a, &suite_sodium, 1, OVERLAY), FAULT_NONE);
	CU_ASSERT_EQUAL(party_init_as(&b, &suite_sodium, 2, OVERLAY, (struct cert_order){
		.roles = ROLE_MEMBER, .groups = NAMES, .group_count = 3 }), FAULT_NONE);
	for (unsigned pattern = 0; pattern < 2; pattern++) {
		const uint8_t *key = pattern ? identity_key(&b.self) : NULL;

		/* the longer one calls: fine, with a full hello both ways */
		handshake_call(&b.env, &hb, &b.self, pattern ? identity_key(&a.self) : NULL, 1);
		put(&b, &hb, (struct bytes){ hello, sizeof(hello) }, &init);
		CU_ASSERT_EQUAL(get(&a, &ha, &init, &g), DROP_NONE);
		handshake_answer(&ha, 2);
		CU_ASSERT_EQUAL(put(&a, &ha, (struct bytes){ hello, sizeof(hello) }, &reply), DROP_NONE);
		CU_ASSERT_TRUE(reply.len <= init.len);
		CU_ASSERT_EQUAL(get(&b, &hb, &reply, &g), DROP_NONE);
		/* the longer one answers: not past the call's length */
		handshake_call(&a.env, &ha, &a.self, key, 1);
		put(&a, &ha, hello_a(), &init);
		CU_ASSERT_EQUAL(get(&b, &hb, &init, &g), DROP_NONE);
		handshake_answer(&hb, 2);
		CU_ASSERT_EQUAL(handshake_write(&b.env, &hb, &b.self, (struct bytes){ hello, 250 }, &w),
				DROP_TOO_BIG);
		CU_ASSERT_EQUAL(writer_len(&w), 0);
	}
}

static void the_longest_chain_fits(void)
{
	static char name[8][64];
	static const char *names[8];
	static uint8_t hello[HELLO_MAX] = { 16, 0, HELLO_MAX - 3 };
	struct party a, b;
	uint8_t anchor[SIGN_BYTES], signer[SIGN_BYTES], seed[KEY_BYTES];
	struct writer w;
	struct handshake ha, hb;
	struct packet init, reply;
	struct greeting g;
	struct cert_order o = { .roles = ROLE_SIGNER };

	for (unsigned i = 0; i < 8; i++) {
		memset(name[i], 'a' + (int)i, 63);
		names[i] = name[i];
	}
	for (unsigned i = 0; i < 2; i++) {	/* 278 + 440 bytes of chain */
		struct party *p = i ? &b : &a;

		party_env(p, &suite_sodium, i + 1);
		party_key(&suite_sodium, OVERLAY, anchor);
		party_key(&suite_sodium, 77, signer);
		memcpy(p->config.overlay, anchor + KEY_BYTES, KEY_BYTES);
		CU_ASSERT_TRUE(party_certify(p, &suite_sodium, i + 1, signer, (struct cert_order){
			.roles = ROLE_MEMBER, .groups = names, .group_count = 2 }));
		w = writer_of(p->chain + p->chain_len, sizeof(p->chain) - p->chain_len);
		o.key = signer + KEY_BYTES, o.salt = seed, o.groups = names, o.group_count = 4;
		memset(seed, 7, sizeof(seed));
		CU_ASSERT_TRUE(cert_issue(&suite_sodium, anchor, &o, &w));
		p->chain_len += writer_len(&w);
		CU_ASSERT_TRUE(p->chain_len > 650 && p->chain_len <= CERT_CHAIN_MAX);
		party_seed(seed, i + 1);
		CU_ASSERT_EQUAL(identity_init(&p->self, &suite_sodium, seed,
					      (struct bytes){ p->chain, p->chain_len },
					      p->config.overlay, 0), FAULT_NONE);
	}
	handshake_call(&a.env, &ha, &a.self, NULL, 1);
	put(&a, &ha, (struct bytes){ hello, sizeof(hello) }, &init);
	CU_ASSERT_EQUAL(get(&b, &hb, &init, &g), DROP_NONE);
	handshake_answer(&hb, 2);
	CU_ASSERT_EQUAL(put(&b, &hb, (struct bytes){ hello, sizeof(hello) }, &reply), DROP_NONE);
	CU_ASSERT_EQUAL(get(&a, &ha, &reply, &g), DROP_NONE);
	CU_ASSERT_TRUE(g.known);
	CU_ASSERT_EQUAL(met(&a, &b), DROP_NONE);
}

static void packets_out_of_turn_are_told_apart(void)
{
	struct party a, b;
	struct handshake ha, hb;
	struct packet init, reply, finish, junk;
	struct greeting g;

	pair_init(&a, &b, &suite_model);
	handshake_call(&a.env, &ha, &a.self, NULL, 0xa1);
	put(&a, &ha, hello_a(), &init);
	get(&b, &hb, &init, &g);
	handshake_answer(&hb, 0xb2);
	put(&b, &hb, hello_b(), &reply);
	CU_ASSERT_EQUAL(get(&b, &hb, &reply, &g), DROP_SESSION);	/* its own */
	junk = reply;
	junk.bytes[0] = WIRE_VERSION << 4 | PACKET_FINISH;
	CU_ASSERT_EQUAL(get(&a, &ha, &junk, &g), DROP_HANDSHAKE);
	junk.bytes[0] = WIRE_VERSION << 4 | PACKET_LINK;
	CU_ASSERT_EQUAL(get(&a, &ha, &junk, &g), DROP_TYPE);
	junk.bytes[0] = (WIRE_VERSION + 1) << 4 | PACKET_REPLY;
	CU_ASSERT_EQUAL(get(&a, &ha, &junk, &g), DROP_VERSION);
	get(&a, &ha, &reply, &g);
	CU_ASSERT_EQUAL(get(&a, &ha, &reply, &g), DROP_HANDSHAKE);	/* twice */
	put(&a, &ha, hello_a(), &finish);
	CU_ASSERT_EQUAL(get(&b, &hb, &finish, &g), DROP_NONE);
	CU_ASSERT_EQUAL(get(&b, &hb, &finish, &g), DROP_HANDSHAKE);
	handshake_wipe(&hb);
	CU_ASSERT_EQUAL(hb.noise.ck[0] | hb.noise.e.secret[0], 0);
}

static void the_cipher_is_one_that_both_machines_have(void)
{
	unsigned both = 1 << CIPHER_CHACHA | 1 << CIPHER_AES;

	ik(&suite_sodium, both, 1 << CIPHER_CHACHA);
	ik(&suite_sodium, 1 << CIPHER_CHACHA, both);
	ik(&suite_sodium, 0, both);
	ik(&suite_model, both, both);
	if (crypto_aead_aes256gcm_is_available())
		ik(&suite_sodium, both, both);
}

static void a_handshake_costs_what_is_said(void)
{
	CU_ASSERT_TRUE(sizeof(struct handshake) <= 352);
	CU_ASSERT_TRUE(sizeof(struct greeting) <= 1536);
}

CU_TestInfo handshake_tests[] = {
	{ "a known peer takes two packets", a_known_peer_takes_two_packets },
	{ "a bare endpoint takes three", a_bare_endpoint_takes_three },
	{ "every changed bit and every cut is noticed", every_changed_bit_and_every_cut_is_noticed },
	{ "what a member changes in XX's clear message is noticed in the answer",
	  what_a_member_changes_in_xxs_clear_message_is_noticed_in_the_answer },
	{ "a replayed call makes a session nobody confirms", a_replayed_call_makes_a_session_nobody_confirms },
	{ "strangers get a reason", strangers_get_a_reason },
	{ "who answers must be who was called", who_answers_must_be_who_was_called },
	{ "time is the reader's", time_is_the_readers },
	{ "an answer is never longer than its call", an_answer_is_never_longer_than_its_call },
	{ "the longest chain fits", the_longest_chain_fits },
	{ "packets out of turn are told apart", packets_out_of_turn_are_told_apart },
	{ "the cipher is one that both machines have", the_cipher_is_one_that_both_machines_have },
	{ "a handshake costs what is said", a_handshake_costs_what_is_said },
	CU_TEST_INFO_NULL
};
