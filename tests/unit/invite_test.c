/* Whoever holds an invitation can ask, for one key, and only that key's owner can read the answer. */
#include "core/seal/invite.h"
#include "tests/unit/party.h"
#include "tests/unit/suites.h"

enum { ANCHOR = 100, SIGNER = 101, ONCE = 5, OWN = 6, OTHER = 7, NOW = 1000000 };

static const struct suite *const S = &suite_sodium;

struct scene {
	uint8_t anchor[SIGN_BYTES], signer[SIGN_BYTES], once[SIGN_BYTES], own[SIGN_BYTES];
	struct token token;
	uint8_t signer_cert[CERT_MAX], plea[PLEA_MAX], answer[ANSWER_MAX], room[GRANT_MAX];
	size_t signer_len, plea_len, answer_len;
	uint8_t nonce[INVITE_NONCE];
};

static size_t issue(uint8_t *out, size_t max, const uint8_t *by, const uint8_t *key, unsigned salted, struct cert_order o)
{
	uint8_t salt[CERT_SALT];
	struct writer w = writer_of(out, max);

	memset(salt, (int)salted, sizeof(salt));
	o.key = key + KEY_BYTES;
	o.salt = salt;
	CU_ASSERT_TRUE_FATAL(cert_issue(S, by, &o, &w));
	return writer_len(&w);
}

static void set(struct scene *s)
{
	struct writer w;

	memset(s, 0, sizeof(*s));
	party_key(S, ANCHOR, s->anchor);
	party_key(S, SIGNER, s->signer);
	party_key(S, ONCE, s->once);
	party_key(S, OWN, s->own);
	memcpy(s->token.overlay, s->anchor + KEY_BYTES, KEY_BYTES);
	party_seed(s->token.seed, ONCE);
	s->token.ats = 2;
	s->token.at[0] = endpoint_v4(0xc0000201, 9338);
	s->token.at[1] = (struct endpoint){ .addr = { 0x20, 1, 0xd, 0xb8, [15] = 1 }, .port = 9338, .kind = ENDPOINT_UDP6 };
	s->token.chain_len = (uint16_t)issue(s->token.chain, sizeof(s->token.chain), s->anchor, s->once, 1,
		(struct cert_order){ .roles = ROLE_INVITATION, .any = true, .serial = 9, .not_before = NOW - 10,
				     .not_after = NOW + 10, .uses = 1, .valid_s = 3600 });
	s->signer_len = issue(s->signer_cert, sizeof(s->signer_cert), s->anchor, s->signer, 2,
			      (struct cert_order){ .roles = ROLE_SIGNER, .serial = 2 });
	memset(s->nonce, 0x5a, sizeof(s->nonce));
	w = writer_of(s->plea, sizeof(s->plea));
	plea_write(&w, S, s->once, s->own, s->nonce, (struct bytes){ (const uint8_t *)"bob", 3 },
		   (struct bytes){ s->token.chain, s->token.chain_len });
	CU_ASSERT_FALSE_FATAL(w.bad);
	s->plea_len = writer_len(&w);
}

static bool take(const struct scene *s, struct plea *q)
{
	return plea_read((struct bytes){ s->plea, s->plea_len }, q);
}

/* The answer of @signer to the scene's plea, with a certificate for @key. */
static bool grant(struct scene *s, const uint8_t *signer, const uint8_t *key)
{
	static const uint8_t SECRET[GRANT_SECRET] = { 1, 2, 3 };
	uint8_t chain[CERT_CHAIN_MAX];
	size_t len = issue(chain, sizeof(chain), signer, key, 3,
			   (struct cert_order){ .roles = ROLE_MEMBER, .any = true, .serial = 9, .name = "bob" });
	struct grant g = { { chain, len + s->signer_len }, { (const uint8_t *)"record", 6 }, SECRET };
	struct writer w = writer_of(s->answer, sizeof(s->answer));
	struct plea q;
	bool good;

	memcpy(chain + len, s->signer_cert, s->signer_len);
	good = take(s, &q) && answer_write(&w, S, &q, signer, &g);
	s->answer_len = writer_len(&w);
	return good;
}

static enum admit open_as(struct scene *s, const uint8_t *own, struct grant *g)
{
	return answer_open((struct bytes){ s->answer, s->answer_len }, S, own, s->nonce, s->anchor + KEY_BYTES, NOW, s->room, g);
}

static void a_token_is_one_line_and_reads_back(void)
{
	char line[TOKEN_TEXT], other[2 * TOKEN_TEXT], *at = other;
	struct token t;
	struct scene s;

	set(&s);
	CU_ASSERT_TRUE_FATAL(token_write(&s.token, line));
	CU_ASSERT_TRUE(strlen(line) < 500 && !strncmp(line, "weft:", 5) && line[5 + strspn(line + 5, "abcdefghijklmnopqrstuvwxyz234567")] == 0);
	CU_ASSERT_EQUAL(token_read(line, strlen(line), &t), TOKEN_GOOD);
	CU_ASSERT_EQUAL(memcmp(&t, &s.token, sizeof(t)), 0);
	for (const char *c = line; *c; c++) {		/* as a mail program would break it, and in capitals */
		*at++ = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
		if ((c - line) % 60 == 59)
			*at++ = '\n';
	}
	*at++ = '\n';
	CU_ASSERT_EQUAL(token_read(other, (size_t)(at - other), &t), TOKEN_GOOD);
	CU_ASSERT_EQUAL(memcmp(&t, &s.token, sizeof(t)), 0);
}

static void a_token_mistyped_anywhere_is_told_from_a_good_one(void)
{
	char line[TOKEN_TEXT];
	struct token t;
	struct scene s;
	size_t len;

	set(&s);
	token_write(&s.token, line);
	len = strlen(line);
	for (size_t i = 5; i < len; i++) {
		char was = line[i];

		line[i] = was == 'q' ? 'r' : 'q';
		CU_ASSERT_EQUAL(token_read(line, len, &t), TOKEN_TYPED);
		line[i] = '1';
		CU_ASSERT_EQUAL(token_read(line, len, &t), TOKEN_LETTER);
		line[i] = was;
	}
	for (size_t cut = 5; cut < len; cut++)
		CU_ASSERT_EQUAL(token_read(line, cut, &t), TOKEN_TYPED);
	CU_ASSERT_EQUAL(token_read("10.9.0.1", 8, &t), TOKEN_PREFIX);
	CU_ASSERT_EQUAL(token_read("", 0, &t), TOKEN_PREFIX);
}

static void the_longest_token_fits(void)
{
	char line[TOKEN_TEXT], again[TOKEN_TEXT];
	struct token t, back;

	memset(&t, 0x41, sizeof(t));
	t.ats = TOKEN_ENDPOINTS;
	for (unsigned i = 0; i < t.ats; i++)
		t.at[i] = (struct endpoint){ .addr = { 0x20, [15] = (uint8_t)i }, .port = 1, .kind = ENDPOINT_UDP6 };
	t.chain_len = CERT_CHAIN_MAX;
	CU_ASSERT_TRUE_FATAL(token_write(&t, line));
	CU_ASSERT_EQUAL(token_read(line, strlen(line), &back), TOKEN_GOOD);
	CU_ASSERT_TRUE(token_write(&back, again) && !strcmp(line, again) && strlen(line) + 1 >= TOKEN_TEXT - 4);
	t.ats++;
	CU_ASSERT_FALSE(token_write(&t, line));
}

static void each_use_has_a_name_of_its_own(void)
{
	char a[TOKEN_NAME], b[TOKEN_NAME], c[TOKEN_NAME];
	struct scene s;

	set(&s);
	token_name(s.once + KEY_BYTES, 0, a);
	token_name(s.once + KEY_BYTES, 1, b);
	token_name(s.own + KEY_BYTES, 0, c);
	CU_ASSERT_TRUE(strlen(a) == 39 && strcmp(a, b) && strcmp(a, c) && strcmp(b, c));
}

static void a_plea_is_believed_from_the_holder_of_both_keys_only(void)
{
	struct scene s;
	struct plea q;
	struct cert leaf;

	set(&s);
	CU_ASSERT_TRUE_FATAL(take(&s, &q));
	CU_ASSERT_EQUAL(plea_check(&q, S, s.anchor + KEY_BYTES, NOW, &leaf), FAULT_NONE);
	CU_ASSERT_TRUE(leaf.uses == 1 && leaf.valid_s == 3600 && leaf.any && q.name.len == 3);
	CU_ASSERT_EQUAL(plea_check(&q, S, s.anchor + KEY_BYTES, NOW + 11, &leaf), FAULT_EXPIRED);
	CU_ASSERT_EQUAL(plea_check(&q, S, s.own + KEY_BYTES, NOW, &leaf), FAULT_ISSUER);
	for (size_t i = 0; i < s.plea_len; i++) {
		s.plea[i] ^= 1;
		CU_ASSERT_FALSE(take(&s, &q) && !plea_check(&q, S, s.anchor + KEY_BYTES, NOW, &leaf));
		s.plea[i] ^= 1;
		CU_ASSERT_FALSE(plea_read((struct bytes){ s.plea, i }, &q));
	}
}

static void a_members_certificate_invites_nobody(void)
{
	struct scene s;
	struct plea q;
	struct cert leaf;
	struct writer w;

	set(&s);
	s.token.chain_len = (uint16_t)issue(s.token.chain, sizeof(s.token.chain), s.anchor, s.once, 1,
					    (struct cert_order){ .roles = ROLE_MEMBER | ROLE_INVITATION, .uses = 1 });
	w = writer_of(s.plea, sizeof(s.plea));
	plea_write(&w, S, s.once, s.own, s.nonce, (struct bytes){ 0 }, (struct bytes){ s.token.chain, s.token.chain_len });
	s.plea_len = writer_len(&w);
	CU_ASSERT_TRUE_FATAL(take(&s, &q));
	CU_ASSERT_EQUAL(plea_check(&q, S, s.anchor + KEY_BYTES, NOW, &leaf), FAULT_ROLE);
}

static void nobody_is_admitted_with_the_one_time_key(void)
{
	struct scene s;
	struct plea q;
	struct cert leaf;
	struct writer w;

	set(&s);
	w = writer_of(s.plea, sizeof(s.plea));
	plea_write(&w, S, s.once, s.once, s.nonce, (struct bytes){ 0 }, (struct bytes){ s.token.chain, s.token.chain_len });
	s.plea_len = writer_len(&w);
	CU_ASSERT_TRUE_FATAL(take(&s, &q));
	CU_ASSERT_EQUAL(plea_check(&q, S, s.anchor + KEY_BYTES, NOW, &leaf), FAULT_KEY);
}

static void only_the_newcomer_opens_its_answer(void)
{
	struct grant g;
	struct scene s;
	uint8_t other[SIGN_BYTES];

	set(&s);
	party_key(S, OTHER, other);
	CU_ASSERT_TRUE_FATAL(grant(&s, s.signer, s.own));
	CU_ASSERT_EQUAL_FATAL(open_as(&s, s.own, &g), ADMIT_OK);
	CU_ASSERT_TRUE(g.record.len == 6 && !memcmp(g.record.at, "record", 6) && g.secret[2] == 3);
	CU_ASSERT_EQUAL(open_as(&s, other, &g), ADMIT_NONE);
	CU_ASSERT_EQUAL(open_as(&s, s.once, &g), ADMIT_NONE);
	for (size_t i = 0; i < s.answer_len; i++) {
		s.answer[i] ^= 1;
		CU_ASSERT_NOT_EQUAL(open_as(&s, s.own, &g), ADMIT_OK);
		s.answer[i] ^= 1;
	}
	s.nonce[0]++;					/* heard again, after another plea */
	CU_ASSERT_EQUAL(open_as(&s, s.own, &g), ADMIT_NONE);
}

static void an_answer_is_believed_from_a_signer_for_our_key_only(void)
{
	struct grant g;
	struct scene s;
	uint8_t other[SIGN_BYTES];

	set(&s);
	party_key(S, OTHER, other);
	CU_ASSERT_TRUE(grant(&s, s.signer, other));		/* a certificate of somebody else's key */
	CU_ASSERT_EQUAL(open_as(&s, s.own, &g), ADMIT_NONE);
	CU_ASSERT_TRUE(grant(&s, other, s.own));		/* not by whom the chain says */
	CU_ASSERT_EQUAL(open_as(&s, s.own, &g), ADMIT_NONE);
	s.signer_len = issue(s.signer_cert, sizeof(s.signer_cert), s.anchor, s.signer, 2,
			     (struct cert_order){ .roles = ROLE_MEMBER });
	CU_ASSERT_TRUE(grant(&s, s.signer, s.own));		/* a member who may not sign */
	CU_ASSERT_EQUAL(open_as(&s, s.own, &g), ADMIT_NONE);
}

static void a_refusal_says_why(void)
{
	struct scene s;
	struct grant g;
	struct writer w;

	set(&s);
	for (int why = ADMIT_USED; why < ADMITS; why++) {
		w = writer_of(s.answer, sizeof(s.answer));
		answer_refuse(&w, s.nonce, (enum admit)why);
		s.answer_len = writer_len(&w);
		CU_ASSERT_EQUAL(open_as(&s, s.own, &g), (enum admit)why);
	}
	s.answer[ANSWER_HEADER - 1] = ADMITS;
	CU_ASSERT_EQUAL(open_as(&s, s.own, &g), ADMIT_NONE);
}

CU_TestInfo invite_tests[] = {
	{ "a token is one line and reads back", a_token_is_one_line_and_reads_back },
	{ "a token mistyped anywhere is told from a good one", a_token_mistyped_anywhere_is_told_from_a_good_one },
	{ "the longest token fits", the_longest_token_fits },
	{ "each use has a name of its own", each_use_has_a_name_of_its_own },
	{ "a plea is believed from the holder of both keys only", a_plea_is_believed_from_the_holder_of_both_keys_only },
	{ "a member's certificate invites nobody", a_members_certificate_invites_nobody },
	{ "nobody is admitted with the one-time key", nobody_is_admitted_with_the_one_time_key },
	{ "only the newcomer opens its answer", only_the_newcomer_opens_its_answer },
	{ "an answer is believed from a signer, for our key only", an_answer_is_believed_from_a_signer_for_our_key_only },
	{ "a refusal says why", a_refusal_says_why },
	CU_TEST_INFO_NULL
};
