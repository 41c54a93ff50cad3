/* Our Noise and libsodium's primitives say what the published vectors say. */
#include <sodium.h>

#include "core/seal/noise.h"
#include "core/seal/suite.h"
#include "tests/unit/noise_vectors.h"
#include "tests/unit/suites.h"

static size_t unhex(uint8_t *out, size_t room, const char *hex)
{
	size_t len = 0;

	CU_ASSERT_EQUAL_FATAL(sodium_hex2bin(out, room, hex, strlen(hex), NULL, &len, NULL), 0);
	return len;
}

static bool same(const uint8_t *bytes, size_t len, const char *hex)
{
	uint8_t want[512];

	return unhex(want, sizeof(want), hex) == len && !memcmp(bytes, want, len);
}

static void pair_of(struct dh_pair *p, const char *hex)
{
	uint8_t seed[KEY_BYTES];

	CU_ASSERT_EQUAL_FATAL(unhex(seed, sizeof(seed), hex), KEY_BYTES);
	suite_sodium.dh_pair(p, seed);
}

static void handshake(struct noise x[2], const struct vector *v, unsigned messages)
{
	struct dh_pair s[2], e[2];
	uint8_t prologue[128];
	struct bytes p = { prologue, unhex(prologue, sizeof(prologue), v->prologue) };
	bool ik = v->pattern == PATTERN_IK;

	pair_of(&s[0], v->init_static);
	pair_of(&s[1], v->resp_static);
	pair_of(&e[0], v->init_ephemeral);
	pair_of(&e[1], v->resp_ephemeral);
	noise_init(&x[0], &suite_sodium, v->pattern, true, p, &s[0], ik ? s[1].public : NULL);
	noise_init(&x[1], &suite_sodium, v->pattern, false, p, &s[1], NULL);
	for (unsigned i = 0; i < messages; i++) {
		struct noise *from = &x[i % 2], *to = &x[1 - i % 2];
		uint8_t payload[256], message[512], got[512];
		size_t len = unhex(payload, sizeof(payload), v->message[i].payload), got_len = 0;
		struct writer w = writer_of(message, sizeof(message));
		size_t overhead = noise_overhead(from);

		CU_ASSERT_TRUE(noise_next(from));
		CU_ASSERT_FALSE(noise_next(to));
		CU_ASSERT_TRUE_FATAL(noise_write(from, &suite_sodium, &s[i % 2], e[i % 2].secret,
						 (struct bytes){ payload, len }, &w));
		CU_ASSERT_EQUAL(writer_len(&w), len + overhead);
		CU_ASSERT_TRUE(same(message, writer_len(&w), v->message[i].sealed));
		CU_ASSERT_TRUE_FATAL(noise_read(to, &suite_sodium, &s[1 - i % 2],
						(struct bytes){ message, writer_len(&w) }, got, &got_len));
		CU_ASSERT_TRUE(got_len == len && !memcmp(got, payload, len));
	}
}

static void vectors(enum noise_pattern pattern, unsigned messages)
{
	unsigned seen = 0;

	for (size_t i = 0; i < sizeof(VECTORS) / sizeof(VECTORS[0]); i++) {
		const struct vector *v = &VECTORS[i];
		struct noise x[2];
		uint8_t key[2][KEY_BYTES], again[2][KEY_BYTES];

		if (v->pattern != pattern)
			continue;
		seen++;
		handshake(x, v, messages);
		CU_ASSERT_TRUE_FATAL(noise_over(&x[0]) && noise_over(&x[1]));
		CU_ASSERT_EQUAL(memcmp(x[0].h, x[1].h, HASH_BYTES), 0);
		if (v->hash)
			CU_ASSERT_TRUE(same(x[0].h, HASH_BYTES, v->hash));
		noise_split(&x[0], &suite_sodium, key[0], key[1]);
		noise_split(&x[1], &suite_sodium, again[0], again[1]);
		CU_ASSERT_EQUAL(memcmp(key, again, sizeof(key)), 0);
		/* the turns go on; each direction counts from zero */
		for (unsigned m = messages; m < 8 && v->message[m].payload; m++) {
			uint8_t text[256], sealed[300];
			size_t len = unhex(text, sizeof(text), v->message[m].payload);

			suite_sodium.aead[CIPHER_CHACHA].seal(sealed, key[m % 2], (m - messages) / 2,
							      (struct bytes){ NULL, 0 }, text, len);
			CU_ASSERT_TRUE(same(sealed, len + TAG_BYTES, v->message[m].sealed));
		}
	}
	CU_ASSERT_EQUAL(seen, 2);
}

static void ik_says_the_published_bytes(void)
{
	vectors(PATTERN_IK, 2);
}

static void xx_says_the_published_bytes(void)
{
	vectors(PATTERN_XX, 3);
}

static void a_changed_bit_or_a_missing_byte_does_not_read(void)
{
	for (size_t i = 0; i < sizeof(VECTORS) / sizeof(VECTORS[0]); i++) {
		const struct vector *v = &VECTORS[i];
		unsigned last = v->pattern == PATTERN_IK ? 1 : 2;
		uint8_t message[512], got[512];
		size_t len = unhex(message, sizeof(message), v->message[last].sealed), n;
		struct noise x[2], before, copy;
		struct dh_pair s[2];

		pair_of(&s[0], v->init_static);
		pair_of(&s[1], v->resp_static);
		handshake(x, v, last);
		before = x[1 - last % 2];
		for (size_t bit = 0; bit < len * 8; bit++) {
			copy = before;
			message[bit / 8] ^= (uint8_t)(1u << bit % 8);
			CU_ASSERT_FALSE(noise_read(&copy, &suite_sodium, &s[1 - last % 2],
						   (struct bytes){ message, len }, got, &n));
			message[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		for (size_t cut = 0; cut < len; cut++) {
			copy = before;
			CU_ASSERT_FALSE(noise_read(&copy, &suite_sodium, &s[1 - last % 2],
						   (struct bytes){ message, cut }, got, &n));
		}
		copy = before;
		CU_ASSERT_TRUE(noise_read(&copy, &suite_sodium, &s[1 - last % 2],
					  (struct bytes){ message, len }, got, &n));
	}
}

static void another_prologue_does_not_read(void)
{
	struct noise a, b;
	struct dh_pair s, t;
	uint8_t buf[256], got[256], seed[KEY_BYTES] = { 9 };
	struct writer w = writer_of(buf, sizeof(buf));
	size_t len;

	pair_of(&s, VECTORS[0].init_static);
	pair_of(&t, VECTORS[0].resp_static);
	noise_init(&a, &suite_sodium, PATTERN_IK, true, (struct bytes){ seed, 4 }, &s, t.public);
	noise_init(&b, &suite_sodium, PATTERN_IK, false, (struct bytes){ seed, 5 }, &t, NULL);
	CU_ASSERT_TRUE(noise_write(&a, &suite_sodium, &s, seed, (struct bytes){ NULL, 0 }, &w));
	CU_ASSERT_FALSE(noise_read(&b, &suite_sodium, &t, (struct bytes){ buf, writer_len(&w) }, got, &len));
}

static void a_point_of_small_order_ends_the_handshake(void)
{
	static const uint8_t ZERO[KEY_BYTES];
	struct noise a;
	struct dh_pair s;
	uint8_t buf[256], seed[KEY_BYTES] = { 9 };
	struct writer w = writer_of(buf, sizeof(buf));

	pair_of(&s, VECTORS[0].init_static);
	noise_init(&a, &suite_sodium, PATTERN_IK, true, (struct bytes){ seed, 4 }, &s, ZERO);
	CU_ASSERT_FALSE(noise_write(&a, &suite_sodium, &s, seed, (struct bytes){ NULL, 0 }, &w));
}

static void x25519_is_that_of_rfc_7748(void)
{
	struct dh_pair alice, bob;		/* section 6.1 */
	uint8_t k[KEY_BYTES];

	pair_of(&alice, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
	pair_of(&bob, "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
	CU_ASSERT_TRUE(same(alice.public, KEY_BYTES,
			    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"));
	CU_ASSERT_TRUE(same(bob.public, KEY_BYTES,
			    "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"));
	CU_ASSERT_TRUE(suite_sodium.dh(k, &alice, bob.public));
	CU_ASSERT_TRUE(same(k, KEY_BYTES,
			    "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"));
}

static void ed25519_is_that_of_rfc_8032(void)
{
	uint8_t seed[KEY_BYTES], secret[SIGN_BYTES], signature[SIGNATURE_BYTES], text = 0x72;

	unhex(seed, sizeof(seed),		/* section 7.1, test 2 */
	      "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
	suite_sodium.sign_pair(secret, seed);
	CU_ASSERT_TRUE(same(secret + KEY_BYTES, KEY_BYTES,
			    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"));
	suite_sodium.sign(signature, secret, (struct bytes){ &text, 1 });
	CU_ASSERT_TRUE(same(signature, sizeof(signature),
			    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
			    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"));
	CU_ASSERT_TRUE(suite_sodium.verify(signature, secret + KEY_BYTES, (struct bytes){ &text, 1 }));
	text ^= 1;
	CU_ASSERT_FALSE(suite_sodium.verify(signature, secret + KEY_BYTES, (struct bytes){ &text, 1 }));
}

static void the_conversion_of_a_key_fits_its_secret(void)
{
	for (uint8_t i = 0; i < 20; i++) {
		uint8_t seed[KEY_BYTES] = { i }, secret[SIGN_BYTES], x[KEY_BYTES], public[KEY_BYTES];
		struct dh_pair p;

		suite_sodium.sign_pair(secret, seed);
		suite_sodium.dh_static(x, secret);
		suite_sodium.dh_pair(&p, x);
		CU_ASSERT_TRUE(suite_sodium.convert(public, secret + KEY_BYTES));
		CU_ASSERT_EQUAL(memcmp(public, p.public, KEY_BYTES), 0);
	}
}

static void chacha20_poly1305_is_that_of_rfc_8439(void)
{
	static const char TEXT[] =		/* appendix A.5 */
		"Internet-Drafts are draft documents valid for a maximum of six months and may be "
		"updated, replaced, or obsoleted by other documents at any time. It is inappropriate "
		"to use Internet-Drafts as reference material or to cite them other than as "
		"/\xe2\x80\x9cwork in progress./\xe2\x80\x9d";
	const struct aead *a = &suite_sodium.aead[CIPHER_CHACHA];
	uint8_t key[KEY_BYTES], ad[12], out[sizeof(TEXT) - 1 + TAG_BYTES], back[sizeof(out)];
	size_t len = sizeof(TEXT) - 1;

	unhex(key, sizeof(key), "1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0");
	unhex(ad, sizeof(ad), "f33388860000000000004e91");
	CU_ASSERT_EQUAL(len, 265);
	a->seal(out, key, 0x0807060504030201ULL, (struct bytes){ ad, sizeof(ad) },
		(const uint8_t *)TEXT, len);
	CU_ASSERT_TRUE(same(out, 16, "64a0861575861af460f062c79be643bd"));
	CU_ASSERT_TRUE(same(out + len, TAG_BYTES, "eead9d67890cbb22392336fea1851f38"));
	CU_ASSERT_TRUE(a->open(back, key, 0x0807060504030201ULL, (struct bytes){ ad, sizeof(ad) },
			       out, sizeof(out)));
	CU_ASSERT_EQUAL(memcmp(back, TEXT, len), 0);
	CU_ASSERT_FALSE(a->open(back, key, 0x0807060504030202ULL, (struct bytes){ ad, sizeof(ad) },
				out, sizeof(out)));
	CU_ASSERT_FALSE(a->open(back, key, 1, (struct bytes){ ad, sizeof(ad) }, out, TAG_BYTES - 1));
}

static void aes_256_gcm_is_that_of_its_authors(void)
{
	/* McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B, test case 14 */
	const struct aead *a = &suite_sodium.aead[CIPHER_AES];
	const struct bytes none = { NULL, 0 };
	uint8_t key[KEY_BYTES] = { 0 }, text[64] = { 0 }, out[64 + TAG_BYTES], other[sizeof(out)];
	const uint8_t nonce[12] = { 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8 };	/* Noise, section 12.4 */

	if (!crypto_aead_aes256gcm_is_available())
		return;				/* a machine without it never offers it */
	a->seal(out, key, 0, none, text, 16);
	CU_ASSERT_TRUE(same(out, 16, "cea7403d4d606b6e074ec5d3baf39d18"));
	CU_ASSERT_TRUE(same(out + 16, TAG_BYTES, "d0d1c8a799996bf0265b98b5d48ab919"));
	crypto_aead_aes256gcm_encrypt(other, NULL, text, 64, key, 10, NULL, nonce, key);
	a->seal(text, key, 0x0102030405060708ULL, (struct bytes){ key, 10 }, text, 64 - TAG_BYTES);	/* in place */
	CU_ASSERT_EQUAL(memcmp(text, other, 64 - TAG_BYTES), 0);
	memcpy(out, text, 64);
	CU_ASSERT_TRUE(a->open(text, key, 0x0102030405060708ULL, (struct bytes){ key, 10 }, text, 64));
	CU_ASSERT_TRUE(sodium_is_zero(text, 64 - TAG_BYTES));
	CU_ASSERT_FALSE(a->open(text, key, 0x0102030405060709ULL, (struct bytes){ key, 10 }, out, 64));
	CU_ASSERT_FALSE(a->open(text, key, 0x0102030405060708ULL, (struct bytes){ key, 9 }, out, 64));
	CU_ASSERT_FALSE(a->open(text, key, 1, none, out, TAG_BYTES - 1));
}

static void blake2b_is_that_of_rfc_7693(void)
{
	uint8_t out[HASH_BYTES];		/* appendix A */

	suite_sodium.hash(out, (struct bytes){ (const uint8_t *)"a", 1 },
			  (struct bytes){ (const uint8_t *)"bc", 2 });
	CU_ASSERT_TRUE(same(out, sizeof(out),
			    "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
			    "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"));
}

CU_TestInfo noise_tests[] = {
	{ "IK says the published bytes", ik_says_the_published_bytes },
	{ "XX says the published bytes", xx_says_the_published_bytes },
	{ "a changed bit or a missing byte does not read", a_changed_bit_or_a_missing_byte_does_not_read },
	{ "another prologue does not read", another_prologue_does_not_read },
	{ "a point of small order ends the handshake", a_point_of_small_order_ends_the_handshake },
	{ "X25519 is that of RFC 7748", x25519_is_that_of_rfc_7748 },
	{ "Ed25519 is that of RFC 8032", ed25519_is_that_of_rfc_8032 },
	{ "the conversion of a key fits its secret", the_conversion_of_a_key_fits_its_secret },
	{ "ChaCha20-Poly1305 is that of RFC 8439", chacha20_poly1305_is_that_of_rfc_8439 },
	{ "AES-256-GCM is that of its authors", aes_256_gcm_is_that_of_its_authors },
	{ "BLAKE2b is that of RFC 7693", blake2b_is_that_of_rfc_7693 },
	CU_TEST_INFO_NULL
};
