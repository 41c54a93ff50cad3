/* ON: core/base core/seal sim/world/model_crypto.c */
/*
 * seal_bench.c - what handshakes, certificates and packets cost
 *
 *	seal_bench [milliseconds per row]
 *
 * One row per suite and operation: nanoseconds of CPU time each, best of ten.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <sodium.h>

#include "sim/world/model_crypto.h"
#include "tests/unit/party.h"

enum { ROUNDS = 10, OVERLAY = 100 };

struct bench {
	const struct suite *suite;
	struct party a, b;
	struct session *sa, *sb;
	struct packet { uint8_t bytes[2048]; } in, out;
	size_t len;
	uint64_t sum;			/* so that nothing is optimized away */
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void seal_only(struct bench *b)
{
	b->sum += session_seal(b->suite, b->sa, 0, PACKET_LINK, 0, b->in.bytes, b->len);
}

static void seal_open(struct bench *b)
{
	struct opened o;
	size_t len = session_seal(b->suite, b->sa, 0, PACKET_LINK, 0, b->in.bytes, b->len);

	if (session_open(b->suite, b->sb, b->in.bytes, len, b->out.bytes, &o))
		abort();
	b->sum += o.len;
}

/* the same bytes through libsodium alone: what the session adds is the difference */
static void bare(struct bench *b)
{
	static const uint8_t key[32], ad[10];
	uint8_t nonce[12] = { 0 };
	unsigned long long len;

	memcpy(nonce, &b->sum, sizeof(b->sum));
	crypto_aead_chacha20poly1305_ietf_encrypt(b->in.bytes, &len, b->in.bytes, b->len, ad, 10,
						  NULL, nonce, key);
	if (crypto_aead_chacha20poly1305_ietf_decrypt(b->out.bytes, &len, NULL, b->in.bytes, len,
						      ad, 10, nonce, key))
		abort();
	b->sum++;
}

static void shake(struct bench *b, const uint8_t *key)
{
	struct handshake ha, hb;
	struct greeting g;
	struct party *from = &b->a, *to = &b->b, *t;
	struct handshake *hf = &ha, *ht = &hb, *h;
	const unsigned packets = key ? 2 : 3;

	handshake_call(&b->a.env, &ha, &b->a.self, key, 1);
	for (unsigned i = 0; i < packets; i++) {
		struct writer w = writer_of(b->out.bytes, sizeof(b->out.bytes));

		if (i == 1)
			handshake_answer(&hb, 2);
		if (handshake_write(&from->env, hf, &from->self, (struct bytes){ NULL, 0 }, &w) ||
		    handshake_read(&to->env, ht, &to->self,
				   (struct bytes){ b->out.bytes, writer_len(&w) }, &g))
			abort();
		t = from, from = to, to = t;
		h = hf, hf = ht, ht = h;
	}
	session_free(&b->a.env, handshake_session(&b->a.env, &ha, 1));
	session_free(&b->b.env, handshake_session(&b->b.env, &hb, 1));
	b->sum++;
}

static void ik(struct bench *b)
{
	shake(b, identity_key(&b->b.self));
}

static void xx(struct bench *b)
{
	shake(b, NULL);
}

static void check(struct bench *b)
{
	struct cert c;

	if (cert_check(b->suite, (struct bytes){ b->a.chain, b->a.chain_len },
		       b->a.config.overlay, ROLE_MEMBER, 0, &c))
		abort();
	b->sum += c.serial;
}

static void convert(struct bench *b)
{
	uint8_t out[KEY_BYTES];

	b->sum += b->suite->convert(out, identity_key(&b->a.self));
}

static void birth(struct bench *b)
{
	struct party p;

	b->sum += party_init(&p, b->suite, 3, OVERLAY);
}

static void run(struct bench *b, const char *what, size_t len, void (*f)(struct bench *), int64_t span)
{
	double best = 1e18;
	uint64_t batch = 1;

	b->len = len;
	for (int64_t took = 0; took < span / ROUNDS;) {
		int64_t start = now_ns();

		for (uint64_t n = 0; n < batch; n++)
			f(b);
		took = now_ns() - start;
		batch *= took < span / ROUNDS ? 2 : 1;
	}
	for (unsigned round = 0; round < ROUNDS; round++) {
		int64_t start = now_ns();
		double each;

		for (uint64_t n = 0; n < batch; n++)
			f(b);
		each = (double)(now_ns() - start) / (double)batch;
		if (each < best)
			best = each;
	}
	printf("%-6s %-22s %10.1f ns\n", b->suite->name, what, best);
}

int main(int argc, char **argv)
{
	static const struct suite *const SUITES[] = { &suite_sodium, &suite_model, &suite_drawn };
	int64_t span = (argc > 1 ? atoi(argv[1]) : 300) * 1000000LL;

	if (sodium_init() < 0)
		return 2;
	for (unsigned i = 0; i < 3; i++) {
		static struct bench b;

		b = (struct bench){ .suite = SUITES[i] };
		if (party_init(&b.a, b.suite, 1, OVERLAY) || party_init(&b.b, b.suite, 2, OVERLAY))
			return 2;
		party_sessions(&b.a, &b.b, 1, &b.sa, &b.sb);
		if (i < 2) {
			run(&b, "seal 64", 64, seal_only, span);
			session_free(&b.a.env, b.sa);
			session_free(&b.b.env, b.sb);
			party_sessions(&b.a, &b.b, 1, &b.sa, &b.sb);
			run(&b, "seal + open 20", 20, seal_open, span);
			run(&b, "seal + open 64", 64, seal_open, span);
			run(&b, "seal + open 400", 400, seal_open, span);
			run(&b, "seal + open 1400", 1400, seal_open, span);
			if (!i) {
				run(&b, "libsodium alone 64", 64, bare, span);
				run(&b, "libsodium alone 1400", 1400, bare, span);
			}
			run(&b, "handshake IK, both", 0, ik, span);
			run(&b, "handshake XX, both", 0, xx, span);
			run(&b, "certificate check", 0, check, span);
			run(&b, "key conversion", 0, convert, span);
		}
		run(&b, "identity + certificate", 0, birth, span);
		session_free(&b.a.env, b.sa);
		session_free(&b.b.env, b.sb);
		if (i < 2 && b.sum == 0)	/* the third only makes identities */
			return 1;
	}
	printf("bytes: session %zu real, %zu model; handshake %zu; identity %zu\n",
	       session_bytes(&suite_sodium, 1), session_bytes(&suite_model, 1),
	       sizeof(struct handshake), sizeof(struct identity));
	return 0;
}
