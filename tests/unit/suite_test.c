/* The model of cryptography and cryptography itself give the same lengths, draws and verdicts. */
#include "sim/world/model_crypto.h"
#include "tests/unit/party.h"
#include "tests/unit/suites.h"

enum { OVERLAY = 100, LOG = 1 << 20 };

/** struct script - one run; what matters of it goes into the log, number by number */
struct script {
	const struct suite *suite;
	uint64_t *log;
	size_t lines;
	struct party a, b, c;
};

static void say(struct script *s, uint64_t n)
{
	CU_ASSERT_FATAL(s->lines < LOG);
	s->log[s->lines++] = n;
}

static struct script script_new(const struct suite *suite)
{
	struct script s = { .suite = suite, .log = calloc(LOG, sizeof(*s.log)) };

	CU_ASSERT_PTR_NOT_NULL_FATAL(s.log);
	return s;
}

static void init(struct script *s)
{
	say(s, party_init(&s->a, s->suite, 1, OVERLAY));
	say(s, party_init(&s->b, s->suite, 2, OVERLAY));
	say(s, party_init(&s->c, s->suite, 3, OVERLAY + 1));
	say(s, s->a.chain_len);
}

/* the ids and public keys must be the same, the rest of the state only as long */
static void say_who(struct script *s, const struct greeting *g)
{
	say(s, g->known);
	if (!g->known)
		return;
	say(s, g->who.id.hi);
	say(s, g->who.id.lo);
	say(s, g->who.roles);
	say(s, g->hello.len);
	for (unsigned i = 0; i < KEY_BYTES; i++)
		say(s, g->who.key[i]);
}

/* one packet from @from to @to */
static enum drop pass(struct script *s, struct party *from, struct handshake *hf,
		      struct party *to, struct handshake *ht)
{
	static const uint8_t HELLO[] = { 16, 0, 3, 1, 2, 3 };
	uint8_t buf[HANDSHAKE_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	struct greeting g;
	enum drop d;

	say(s, handshake_write(&from->env, hf, &from->self,
			       (struct bytes){ HELLO, sizeof(HELLO) }, &w));
	say(s, writer_len(&w));
	d = handshake_read(&to->env, ht, &to->self, (struct bytes){ buf, writer_len(&w) }, &g);
	say(s, d);
	say_who(s, &g);
	return d;
}

/* the same with every bit flipped on the way first, flags and hops aside: they are not sealed */
static void pass_damaged(struct script *s, struct party *from, struct handshake *hf,
			 struct party *to, struct handshake *ht)
{
	uint8_t buf[HANDSHAKE_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	struct greeting g;
	size_t len;

	handshake_write(&from->env, hf, &from->self, (struct bytes){ NULL, 0 }, &w);
	len = writer_len(&w);
	for (size_t bit = 0; bit < len * 8; bit++) {
		if (bit >= 8 && bit < 32)
			continue;
		buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
		say(s, handshake_read(&to->env, ht, &to->self, (struct bytes){ buf, len }, &g));
		buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t cut = 0; cut < len; cut++)
		say(s, handshake_read(&to->env, ht, &to->self, (struct bytes){ buf, cut }, &g));
	say(s, handshake_read(&to->env, ht, &to->self, (struct bytes){ buf, len }, &g));
	say_who(s, &g);
}

static void shake(struct script *s, struct party *a, struct party *b, const uint8_t *key,
		  struct session **sa, struct session **sb)
{
	struct handshake ha, hb;

	memset(&hb, 0, sizeof(hb));
	*sa = *sb = NULL;
	say(s, handshake_call(&a->env, &ha, &a->self, key, 7));
	if (pass(s, a, &ha, b, &hb))
		return;
	handshake_answer(&hb, 9);
	if (pass(s, b, &hb, a, &ha))
		return;
	if (!key && pass(s, a, &ha, b, &hb))
		return;
	*sa = handshake_session(&a->env, &ha, 2);
	*sb = handshake_session(&b->env, &hb, 2);
}

static void one_packet(struct script *s, struct session *to, const uint8_t *packet, size_t len)
{
	uint8_t out[1500];
	struct opened o = { 0 };
	enum drop d = session_open(s->suite, to, packet, len, out, &o);

	say(s, d);
	say(s, o.len);
	say(s, o.counter);
	say(s, session_heard(to, 0));
	say(s, session_heard(to, 1));
	say(s, to->confirmed);
}

static void talk(struct script *s, struct session *from, struct session *to, struct random *r)
{
	enum { KEPT = 128 };
	static uint8_t kept[KEPT][256];
	static size_t len[KEPT];

	for (unsigned i = 0; i < KEPT; i++) {
		size_t plain = random_below(r, 200);

		random_bytes(r, kept[i] + WIRE_HEADER, plain);
		len[i] = session_seal(s->suite, from, i % 3 == 0, PACKET_LINK, (uint8_t)i, kept[i], plain);
		say(s, len[i]);
	}
	for (unsigned i = 0; i < 2000; i++) {
		unsigned at = random_below(r, KEPT);
		uint8_t packet[256];

		memcpy(packet, kept[at], len[at]);
		if (i % 3 == 0)
			packet[random_below(r, (uint32_t)len[at])] ^= (uint8_t)(1u << random_below(r, 8));
		one_packet(s, to, packet, i % 7 ? len[at] : random_below(r, (uint32_t)len[at] + 1));
	}
	one_packet(s, from, kept[0], len[0]);
}

static void all(struct script *s)
{
	struct session *sa, *sb;
	struct random r;
	uint8_t seed[KEY_BYTES] = { 3 };

	random_seed(&r, seed);
	init(s);
	shake(s, &s->a, &s->b, identity_key(&s->b.self), &sa, &sb);
	talk(s, sa, sb, &r);
	talk(s, sb, sa, &r);
	session_free(&s->a.env, sa);
	session_free(&s->b.env, sb);
	shake(s, &s->b, &s->a, NULL, &sb, &sa);
	talk(s, sa, sb, &r);
	session_free(&s->a.env, sa);
	session_free(&s->b.env, sb);
	shake(s, &s->a, &s->c, identity_key(&s->c.self), &sa, &sb);	/* another overlay */
	shake(s, &s->a, &s->a, identity_key(&s->a.self), &sa, &sb);	/* ourselves */
	shake(s, &s->a, &s->b, identity_key(&s->c.self), &sa, &sb);	/* a wrong key */
	s->c.config = s->a.config;
	shake(s, &s->a, &s->c, NULL, &sa, &sb);				/* a foreign certificate */
	s->b.env.utc_ns = 5 * NS_PER_S;
	shake(s, &s->a, &s->b, NULL, &sa, &sb);
	session_free(&s->a.env, sa);
	session_free(&s->b.env, sb);
	/* chance was drawn alike */
	say(s, random_u64(&s->a.env.random));
	say(s, random_u64(&s->b.env.random));
	say(s, random_u64(&s->c.env.random));
	say(s, s->a.env.mem.used + s->b.env.mem.used + s->c.env.mem.used);
}

static void damaged(struct script *s)
{
	for (unsigned known = 0; known < 2; known++) {
		struct handshake ha, hb;

		init(s);
		memset(&hb, 0, sizeof(hb));
		handshake_call(&s->a.env, &ha, &s->a.self, known ? identity_key(&s->b.self) : NULL, 7);
		if (known)
			pass_damaged(s, &s->a, &ha, &s->b, &hb);
		else			/* in the clear: damage is noticed in the answer */
			pass(s, &s->a, &ha, &s->b, &hb);
		handshake_answer(&hb, 9);
		pass_damaged(s, &s->b, &hb, &s->a, &ha);
		if (!known)
			pass_damaged(s, &s->a, &ha, &s->b, &hb);
	}
}

static void compare(void (*run)(struct script *))
{
	struct script real = script_new(&suite_sodium), model = script_new(&suite_model);

	run(&real);
	run(&model);
	CU_ASSERT_TRUE(real.lines > 1000);
	CU_ASSERT_EQUAL(real.lines, model.lines);
	for (size_t i = 0; i < real.lines && i < model.lines; i++)
		CU_ASSERT_EQUAL_FATAL(real.log[i], model.log[i]);
	free(real.log);
	free(model.log);
}

static void the_same_script_has_the_same_verdicts(void)
{
	compare(all);
}

static void the_same_damage_has_the_same_verdicts(void)
{
	compare(damaged);
}

static void all_tables_are_complete(void)
{
	const struct suite *suites[] = { &suite_sodium, &suite_model, &suite_drawn };

	for (unsigned i = 0; i < 3; i++) {
		const struct suite *t = suites[i];

		CU_ASSERT_TRUE(t->sign_pair && t->sign && t->verify && t->dh_pair && t->dh_static);
		CU_ASSERT_TRUE(t->convert && t->dh && t->hash && t->hkdf && t->derive);
		CU_ASSERT_TRUE(t->key_bytes % 8 == 0 && t->ciphers & 1 << CIPHER_CHACHA);
		for (unsigned c = 0; c < CIPHERS; c++)
			CU_ASSERT_EQUAL(!!(t->ciphers & 1 << c), t->aead[c].seal && t->aead[c].open);
	}
}

/* Two tags of texts that differ in one bit, one byte of length, key, nonce or header differ. */
static void model_tags_notice_everything(void)
{
	const struct aead *a = &suite_model.aead[CIPHER_CHACHA];
	uint8_t text[300], out[316], back[316], key[8] = { 1 }, ad[10] = { 2 };

	for (unsigned i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 7);
	for (size_t len = 0; len <= sizeof(text); len++) {
		a->seal(out, key, len, (struct bytes){ ad, sizeof(ad) }, text, len);
		CU_ASSERT_TRUE(a->open(back, key, len, (struct bytes){ ad, sizeof(ad) }, out, len + TAG_BYTES));
		CU_ASSERT_EQUAL(memcmp(back, text, len), 0);
		for (size_t bit = 0; bit < (len + TAG_BYTES) * 8; bit++) {
			out[bit / 8] ^= (uint8_t)(1u << bit % 8);
			CU_ASSERT_FALSE(a->open(back, key, len, (struct bytes){ ad, sizeof(ad) },
						out, len + TAG_BYTES));
			out[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		for (unsigned bit = 0; bit < 80; bit++) {
			ad[bit / 8] ^= (uint8_t)(1u << bit % 8);
			CU_ASSERT_FALSE(a->open(back, key, len, (struct bytes){ ad, sizeof(ad) },
						out, len + TAG_BYTES));
			ad[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		for (unsigned bit = 0; bit < 64; bit++) {
			key[bit / 8] ^= (uint8_t)(1u << bit % 8);
			CU_ASSERT_FALSE(a->open(back, key, len, (struct bytes){ ad, sizeof(ad) },
						out, len + TAG_BYTES));
			key[bit / 8] ^= (uint8_t)(1u << bit % 8);
			CU_ASSERT_FALSE(a->open(back, key, len ^ 1ULL << bit,
						(struct bytes){ ad, sizeof(ad) }, out, len + TAG_BYTES));
		}
		CU_ASSERT_FALSE(a->open(back, key, len, (struct bytes){ ad, sizeof(ad) },
					out, len + TAG_BYTES - 1));
	}
}

static void identities_of_the_model_are_the_real_ones(void)
{
	struct party real, model, drawn;

	party_init(&real, &suite_sodium, 9, OVERLAY);
	party_init(&model, &suite_model, 9, OVERLAY);
	CU_ASSERT_EQUAL(party_init(&drawn, &suite_drawn, 9, OVERLAY), FAULT_NONE);
	CU_ASSERT_TRUE(id_eq(real.self.id, model.self.id));
	CU_ASSERT_EQUAL(memcmp(real.self.sign, model.self.sign, SIGN_BYTES), 0);
	CU_ASSERT_FALSE(id_eq(real.self.id, drawn.self.id));
	CU_ASSERT_EQUAL(real.chain_len, drawn.chain_len);
}

CU_TestInfo suite_tests[] = {
	{ "the same script has the same verdicts", the_same_script_has_the_same_verdicts },
	{ "the same damage has the same verdicts", the_same_damage_has_the_same_verdicts },
	{ "all tables are complete", all_tables_are_complete },
	{ "model tags notice everything", model_tags_notice_everything },
	{ "identities of the model are the real ones", identities_of_the_model_are_the_real_ones },
	CU_TEST_INFO_NULL
};
