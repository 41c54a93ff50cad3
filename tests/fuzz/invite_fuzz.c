/* ON: core/base core/seal */
/* invite_fuzz.c - tokens, pleas and answers from strangers, with every signature good */
#include <assert.h>

#include "core/seal/invite.h"
#include "tests/fuzz/yes_suite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void token(const uint8_t *data, size_t size)
{
	char line[TOKEN_TEXT], same[TOKEN_TEXT];
	struct token t, again;

	if (token_read((const char *)data, size, &t) != TOKEN_GOOD)
		return;
	assert(t.ats <= TOKEN_ENDPOINTS && t.chain_len && t.chain_len <= CERT_CHAIN_MAX);
	assert(token_write(&t, line) && strlen(line) < sizeof(line));
	assert(token_read(line, strlen(line), &again) == TOKEN_GOOD);
	assert(token_write(&again, same) && !strcmp(line, same));
}

static void plea(const struct suite *yes, struct bytes b)
{
	uint8_t anchor[KEY_BYTES] = { 0 };
	struct reader r;
	struct cert leaf;
	struct plea q;

	if (!plea_read(b, &q))
		return;
	assert(q.name.len <= CERT_NAME_MAX && q.chain.at + q.chain.len <= b.at + b.len);
	r = reader_of(q.chain.at, q.chain.len);
	while (!reader_done(&r) && !cert_decode(&r, &leaf))
		memcpy(anchor, leaf.issuer, 8);
	if (!plea_check(&q, yes, anchor, 1700000000, &leaf))
		assert(leaf.roles == ROLE_INVITATION && leaf.uses);
	assert(plea_check(&q, &suite_sodium, anchor, 0, &leaf) != FAULT_NONE);
}

static void answer(const struct suite *yes, struct bytes b)
{
	uint8_t seed[KEY_BYTES] = { 1 }, own[SIGN_BYTES], anchor[KEY_BYTES] = { 0 }, room[GRANT_MAX];
	const uint8_t *nonce = answer_nonce(b);
	struct grant g;

	if (!nonce)
		return;
	suite_sodium.sign_pair(own, seed);
	assert(answer_open(b, yes, own, nonce, anchor, 0, room, &g) < ADMITS);
	assert(answer_open(b, &suite_sodium, own, nonce, anchor, 0, room, &g) != ADMIT_OK);
}

static void grant(struct bytes b)
{
	uint8_t buf[GRANT_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	struct grant g;

	if (!grant_read(b, &g))
		return;
	grant_write(&w, &g);
	assert(!w.bad && writer_len(&w) == b.len && !memcmp(buf, b.at, b.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct suite yes = yes_suite();
	struct bytes b = { data, size };

	token(data, size);
	plea(&yes, b);
	answer(&yes, b);
	grant(b);
	return 0;
}
