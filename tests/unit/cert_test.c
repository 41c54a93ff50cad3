/* A chain proves what its signers signed, for the time they said, and nothing else. */
#include "tests/unit/party.h"
#include "tests/unit/suites.h"

enum { ANCHOR = 100, SIGNER = 101, NODE = 1, STRANGER = 102 };

static const struct suite *const S = &suite_sodium;

struct made {
	uint8_t bytes[2 * CERT_MAX];
	size_t len;
};

static const uint8_t *anchor(void)
{
	static uint8_t key[SIGN_BYTES];

	party_key(S, ANCHOR, key);
	return key + KEY_BYTES;
}

/* append to @m the certificate of @subject by @by */
static bool issue(struct made *m, unsigned subject, unsigned by, struct cert_order o)
{
	uint8_t key[SIGN_BYTES], signer[SIGN_BYTES], salt[CERT_SALT];
	struct writer w = writer_of(m->bytes + m->len, sizeof(m->bytes) - m->len);
	bool good;

	party_key(S, subject, key);
	party_key(S, by, signer);
	memset(salt, 0xa0 + (int)subject, sizeof(salt));
	o.key = key + KEY_BYTES;
	o.salt = salt;
	good = cert_issue(S, signer, &o, &w);
	m->len += writer_len(&w);
	return good;
}

static enum cert_fault check_at(const struct made *m, uint64_t utc, struct cert *c)
{
	return cert_check(S, (struct bytes){ m->bytes, m->len }, anchor(), ROLE_MEMBER, utc, c);
}

static enum cert_fault check(const struct made *m)
{
	struct cert c;

	return check_at(m, 0, &c);
}

static void a_certificate_reads_back_as_it_was_ordered(void)
{
	static const char *const GROUPS[] = { "admins", "web" };
	const struct prefix prefixes[] = {
		{ { 10, 7, 0, 5 }, 4, 32 },
		{ { 0xfd, 1, [15] = 9 }, 6, 128 },
	};
	struct made m = { .len = 0 };
	struct bytes g;
	struct prefix p;
	struct cert c;
	size_t at = 0;
	uint8_t key[SIGN_BYTES];

	CU_ASSERT_TRUE_FATAL(issue(&m, NODE, ANCHOR, (struct cert_order){
		.roles = ROLE_MEMBER, .serial = 0x1122334455667788, .not_before = 1000,
		.not_after = 2000, .name = "kitchen-3.lab", .groups = GROUPS, .group_count = 2,
		.prefixes = prefixes, .prefix_count = 2, .any = true }));
	CU_ASSERT_EQUAL_FATAL(check_at(&m, 1500, &c), FAULT_NONE);
	party_key(S, NODE, key);
	CU_ASSERT_EQUAL(memcmp(c.key, key + KEY_BYTES, KEY_BYTES), 0);
	CU_ASSERT_TRUE(c.salt[0] == 0xa0 + NODE && c.salt[15] == 0xa0 + NODE);
	CU_ASSERT_EQUAL(memcmp(c.issuer, anchor(), 8), 0);
	CU_ASSERT_TRUE(c.serial == 0x1122334455667788 && c.not_before == 1000 && c.not_after == 2000);
	CU_ASSERT_TRUE(c.roles == ROLE_MEMBER && c.any && !c.skipped);
	CU_ASSERT_TRUE(c.name.len == 13 && !memcmp(c.name.at, "kitchen-3.lab", 13));
	CU_ASSERT_TRUE(cert_group(&c, &at, &g) && g.len == 6 && !memcmp(g.at, "admins", 6));
	CU_ASSERT_TRUE(cert_group(&c, &at, &g) && g.len == 3 && !memcmp(g.at, "web", 3));
	CU_ASSERT_FALSE(cert_group(&c, &at, &g));
	at = 0;
	CU_ASSERT_TRUE(cert_prefix(&c, &at, &p) && !memcmp(&p, &prefixes[0], sizeof(p)));
	CU_ASSERT_TRUE(cert_prefix(&c, &at, &p) && !memcmp(&p, &prefixes[1], sizeof(p)));
	CU_ASSERT_FALSE(cert_prefix(&c, &at, &p));
}

static void a_typical_certificate_is_short(void)
{
	struct made m = { .len = 0 };
	const struct prefix one = { { 10, 7, 0, 5 }, 4, 32 };

	CU_ASSERT_TRUE(issue(&m, NODE, ANCHOR, (struct cert_order){
		.roles = ROLE_MEMBER, .not_before = 1, .not_after = 2, .name = "node-000001",
		.prefixes = &one, .prefix_count = 1 }));
	CU_ASSERT_EQUAL(m.len, 84 + 64 + 2 + 11 + 2 + 5);
	CU_ASSERT_TRUE(m.len <= 180);
}

static void every_changed_bit_is_noticed(void)
{
	struct made m = { .len = 0 };

	issue(&m, NODE, SIGNER, (struct cert_order){ .roles = ROLE_MEMBER, .name = "n" });
	issue(&m, SIGNER, ANCHOR, (struct cert_order){ .roles = ROLE_SIGNER, .name = "s" });
	CU_ASSERT_EQUAL(check(&m), FAULT_NONE);
	for (size_t bit = 0; bit < m.len * 8; bit++) {
		m.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CU_ASSERT_NOT_EQUAL(check(&m), FAULT_NONE);
		m.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void every_cut_is_noticed(void)
{
	struct made m = { .len = 0 };
	size_t one, len;

	issue(&m, NODE, SIGNER, (struct cert_order){ .roles = ROLE_MEMBER, .name = "n" });
	one = m.len;
	issue(&m, SIGNER, ANCHOR, (struct cert_order){ .roles = ROLE_SIGNER });
	for (len = m.len; len--;) {
		struct made cut = m;
		enum cert_fault want = len == one ? FAULT_ISSUER : FAULT_MALFORMED;

		cut.len = len;
		CU_ASSERT_EQUAL(check(&cut), want);
	}
}

static void chains_end_at_the_anchor(void)
{
	const struct cert_order member = { .roles = ROLE_MEMBER }, signer = { .roles = ROLE_SIGNER };
	const struct cert_order both = { .roles = ROLE_MEMBER | ROLE_SIGNER };
	struct made m;

	m.len = 0, issue(&m, NODE, ANCHOR, member);
	CU_ASSERT_EQUAL(check(&m), FAULT_NONE);
	m.len = 0, issue(&m, NODE, STRANGER, member);
	CU_ASSERT_EQUAL(check(&m), FAULT_ISSUER);
	m.len = 0, issue(&m, NODE, NODE, member);			/* by itself */
	CU_ASSERT_EQUAL(check(&m), FAULT_ISSUER);
	m.len = 0, issue(&m, NODE, SIGNER, member), issue(&m, SIGNER, ANCHOR, signer);
	CU_ASSERT_EQUAL(check(&m), FAULT_NONE);
	m.len = 0, issue(&m, NODE, SIGNER, member), issue(&m, SIGNER, ANCHOR, both);
	CU_ASSERT_EQUAL(check(&m), FAULT_NONE);
	m.len = 0, issue(&m, NODE, SIGNER, member), issue(&m, SIGNER, ANCHOR, member);
	CU_ASSERT_EQUAL(check(&m), FAULT_ROLE);				/* a member cannot sign */
	m.len = 0, issue(&m, NODE, SIGNER, member), issue(&m, SIGNER, STRANGER, signer);
	CU_ASSERT_EQUAL(check(&m), FAULT_ISSUER);
	m.len = 0, issue(&m, NODE, STRANGER, member), issue(&m, SIGNER, ANCHOR, signer);
	CU_ASSERT_EQUAL(check(&m), FAULT_ISSUER);
	m.len = 0, issue(&m, NODE, SIGNER, both), issue(&m, SIGNER, ANCHOR, signer);
	CU_ASSERT_EQUAL(check(&m), FAULT_GRANT);			/* signers make no signers */
	m.len = 0, issue(&m, NODE, ANCHOR, signer);
	CU_ASSERT_EQUAL(check(&m), FAULT_ROLE);				/* a signer is no member */
	m.len = 0, issue(&m, NODE, SIGNER, member), issue(&m, SIGNER, STRANGER, signer),
		issue(&m, STRANGER, ANCHOR, signer);
	CU_ASSERT_EQUAL(check(&m), FAULT_LONG);
	m.len = 0;
	CU_ASSERT_EQUAL(check(&m), FAULT_MALFORMED);
}

static void a_hint_does_not_make_a_signature(void)
{
	struct made m = { .len = 0 };
	uint8_t key[SIGN_BYTES], seed[KEY_BYTES];

	/* a key that shares the anchor's first eight bytes would get this far */
	issue(&m, NODE, STRANGER, (struct cert_order){ .roles = ROLE_MEMBER });
	memcpy(m.bytes + 28, anchor(), 8);
	CU_ASSERT_EQUAL(check(&m), FAULT_SIGNATURE);
	party_seed(seed, STRANGER);
	S->sign_pair(key, seed);
	S->sign(m.bytes + m.len - SIGNATURE_BYTES, key,
		(struct bytes){ m.bytes, m.len - SIGNATURE_BYTES });
	CU_ASSERT_EQUAL(check(&m), FAULT_SIGNATURE);
}

static void time_decides_at_both_ends_of_both_certificates(void)
{
	static const struct { uint64_t utc; enum cert_fault want; } CASE[] = {
		{ 0, FAULT_NONE },			/* before the first wall clock */
		{ 1, FAULT_EARLY }, { 999, FAULT_EARLY }, { 1000, FAULT_EARLY }, { 1099, FAULT_EARLY },
		{ 1100, FAULT_NONE }, { 1900, FAULT_NONE }, { 1901, FAULT_EXPIRED },
		{ 2000, FAULT_EXPIRED }, { 2001, FAULT_EXPIRED },
	};
	struct made m = { .len = 0 };
	struct cert c;

	issue(&m, NODE, SIGNER, (struct cert_order){
		.roles = ROLE_MEMBER, .not_before = 1000, .not_after = 1900 });
	issue(&m, SIGNER, ANCHOR, (struct cert_order){
		.roles = ROLE_SIGNER, .not_before = 1100, .not_after = 2000 });
	for (size_t i = 0; i < sizeof(CASE) / sizeof(CASE[0]); i++)
		CU_ASSERT_EQUAL(check_at(&m, CASE[i].utc, &c), CASE[i].want);
	m.len = 0;
	issue(&m, NODE, ANCHOR, (struct cert_order){ .roles = ROLE_MEMBER });
	CU_ASSERT_EQUAL(check_at(&m, UINT64_MAX, &c), FAULT_NONE);	/* no end */
}

static void wall_time_goes_on_with_the_monotonic_clock(void)
{
	struct env e = { .now_ns = 50 * NS_PER_S };

	CU_ASSERT_EQUAL(cert_utc(&e), 0);
	e.utc_ns = 1700000000 * NS_PER_S;
	e.utc_at_ns = 20 * NS_PER_S;
	CU_ASSERT_EQUAL(cert_utc(&e), 1700000030);
}

static void a_signer_grants_only_what_it_was_given(void)
{
	static const char *const AB[] = { "a", "b" }, *const BC[] = { "b", "c" };
	const struct prefix net = { { 10, 7, 0x40 }, 4, 18 }, in = { { 10, 7, 0x7f, 1 }, 4, 32 };
	const struct prefix out = { { 10, 7, 0x80, 1 }, 4, 32 }, wide = { { 10, 7, 0x40 }, 4, 17 };
	const struct prefix six = { { 10, 7, 0x7f, 1 }, 6, 128 };
	struct made m;
	/* signer's list of one kind, leaf's, verdict */
	const struct { const char *const *sg; unsigned sn; const char *const *lg; unsigned ln;
		       enum cert_fault want; } GROUP[] = {
		{ NULL, 0, AB, 2, FAULT_NONE }, { AB, 2, AB, 2, FAULT_NONE }, { AB, 2, BC, 1, FAULT_NONE },
		{ AB, 2, BC, 2, FAULT_GRANT }, { AB, 1, BC, 1, FAULT_GRANT }, { AB, 2, NULL, 0, FAULT_NONE },
	};
	const struct { const struct prefix *s; bool sany; const struct prefix *l; bool lany;
		       enum cert_fault want; } ADDRESS[] = {
		{ NULL, false, &out, false, FAULT_NONE }, { NULL, false, NULL, true, FAULT_NONE },
		{ &net, false, &in, false, FAULT_NONE }, { &net, false, &net, false, FAULT_NONE },
		{ &net, false, &out, false, FAULT_GRANT }, { &net, false, &wide, false, FAULT_GRANT },
		{ &net, false, &six, false, FAULT_GRANT }, { &net, false, NULL, true, FAULT_GRANT },
		{ &net, true, NULL, true, FAULT_NONE }, { &net, false, NULL, false, FAULT_NONE },
	};

	for (size_t i = 0; i < sizeof(GROUP) / sizeof(GROUP[0]); i++) {
		m.len = 0;
		issue(&m, NODE, SIGNER, (struct cert_order){ .roles = ROLE_MEMBER,
			.groups = GROUP[i].lg, .group_count = GROUP[i].ln });
		issue(&m, SIGNER, ANCHOR, (struct cert_order){ .roles = ROLE_SIGNER,
			.groups = GROUP[i].sg, .group_count = GROUP[i].sn });
		CU_ASSERT_EQUAL(check(&m), GROUP[i].want);
	}
	for (size_t i = 0; i < sizeof(ADDRESS) / sizeof(ADDRESS[0]); i++) {
		m.len = 0;
		issue(&m, NODE, SIGNER, (struct cert_order){ .roles = ROLE_MEMBER, .any = ADDRESS[i].lany,
			.prefixes = ADDRESS[i].l, .prefix_count = ADDRESS[i].l != NULL });
		issue(&m, SIGNER, ANCHOR, (struct cert_order){ .roles = ROLE_SIGNER, .any = ADDRESS[i].sany,
			.prefixes = ADDRESS[i].s, .prefix_count = ADDRESS[i].s != NULL });
		CU_ASSERT_EQUAL(check(&m), ADDRESS[i].want);
	}
}

/* a certificate by the anchor whose fields are exactly @fields */
static enum cert_fault with_fields(const char *fields, size_t len, struct cert *c)
{
	static struct made m;
	uint8_t key[SIGN_BYTES];

	m.len = 0;
	issue(&m, NODE, ANCHOR, (struct cert_order){ .roles = ROLE_MEMBER });
	m.len -= SIGNATURE_BYTES;
	memcpy(m.bytes + m.len, fields, len);
	m.len += len;
	m.bytes[0] = (uint8_t)((m.len + SIGNATURE_BYTES - 2) >> 8);
	m.bytes[1] = (uint8_t)(m.len + SIGNATURE_BYTES - 2);
	party_key(S, ANCHOR, key);
	S->sign(m.bytes + m.len, key, (struct bytes){ m.bytes, m.len });
	m.len += SIGNATURE_BYTES;
	return check_at(&m, 0, c);
}

#define FIELDS(s, c) with_fields(s, sizeof(s) - 1, c)

static void unknown_fields_are_skipped_unless_they_are_critical(void)
{
	struct cert c;

	CU_ASSERT_EQUAL(FIELDS("", &c), FAULT_NONE);
	CU_ASSERT_EQUAL(FIELDS("\x30\x03" "abc" "\x01\x01" "n" "\x31\x00", &c), FAULT_NONE);
	CU_ASSERT_TRUE(c.skipped == 2 && c.name.len == 1);
	CU_ASSERT_EQUAL(FIELDS("\xb0\x03" "abc", &c), FAULT_CRITICAL);
	CU_ASSERT_EQUAL(FIELDS("\x81\x01" "n", &c), FAULT_NONE);	/* critical, and known */
	CU_ASSERT_EQUAL(c.name.len, 1);
}

static void malformed_fields_are_refused(void)
{
	struct cert c;
	char name[2 + 64];

	CU_ASSERT_EQUAL(FIELDS("\x01", &c), FAULT_MALFORMED);
	CU_ASSERT_EQUAL(FIELDS("\x01\x02" "n", &c), FAULT_MALFORMED);
	CU_ASSERT_EQUAL(FIELDS("\x01\x00", &c), FAULT_MALFORMED);
	CU_ASSERT_EQUAL(FIELDS("\x01\x01" "n\x01\x01" "m", &c), FAULT_MALFORMED);
	CU_ASSERT_EQUAL(FIELDS("\x01\x03" "a\033b", &c), FAULT_MALFORMED);
	CU_ASSERT_EQUAL(FIELDS("\x02\x01" "/", &c), FAULT_MALFORMED);
	CU_ASSERT_EQUAL(FIELDS("\x03\x05\x21\x0a\x00\x00\x01", &c), FAULT_MALFORMED);	/* 33 bits */
	CU_ASSERT_EQUAL(FIELDS("\x03\x05\x20\x0a\x00\x00\x01", &c), FAULT_NONE);
	CU_ASSERT_EQUAL(FIELDS("\x03\x04\x20\x0a\x00\x00", &c), FAULT_MALFORMED);
	CU_ASSERT_EQUAL(FIELDS("\x03\x06\x20\x0a\x00\x00\x01\x00", &c), FAULT_MALFORMED);
	CU_ASSERT_EQUAL(FIELDS("\x04\x01x", &c), FAULT_MALFORMED);
	memset(name, 'x', sizeof(name));
	name[0] = 1, name[1] = 63;
	CU_ASSERT_EQUAL(with_fields(name, 2 + 63, &c), FAULT_NONE);
	name[1] = 64;
	CU_ASSERT_EQUAL(with_fields(name, 2 + 64, &c), FAULT_MALFORMED);
}

static void what_cannot_be_certified_is_not_issued(void)
{
	static const char *many[20];
	char name[65];
	struct made m = { .len = 0 };
	const struct prefix bad = { { 10 }, 4, 33 };

	memset(name, 'x', 64);
	name[64] = 0;
	CU_ASSERT_FALSE(issue(&m, NODE, ANCHOR, (struct cert_order){ .name = name }));
	CU_ASSERT_FALSE(issue(&m, NODE, ANCHOR, (struct cert_order){ .name = "a b" }));
	CU_ASSERT_FALSE(issue(&m, NODE, ANCHOR, (struct cert_order){ .name = "" }));
	CU_ASSERT_FALSE(issue(&m, NODE, ANCHOR, (struct cert_order){
		.prefixes = &bad, .prefix_count = 1 }));
	for (unsigned i = 0; i < 20; i++)
		many[i] = name + 1;			/* 63 bytes each: past CERT_MAX */
	CU_ASSERT_FALSE(issue(&m, NODE, ANCHOR, (struct cert_order){ .groups = many, .group_count = 20 }));
	CU_ASSERT_EQUAL(m.len, 0);
	CU_ASSERT_TRUE(issue(&m, NODE, ANCHOR, (struct cert_order){ .name = name + 1 }));
}

static void every_fault_has_words(void)
{
	for (unsigned f = 0; f < FAULTS; f++)
		CU_ASSERT_PTR_NOT_NULL(cert_fault_text(f));
	CU_ASSERT_STRING_EQUAL(cert_fault_text(FAULT_EXPIRED), "expired");
}

static void an_identity_is_its_certificates(void)
{
	struct party p;
	struct identity self = { .chain = NULL };
	struct bytes chain;
	uint8_t seed[KEY_BYTES], x[KEY_BYTES], salt[CERT_SALT];
	struct dh_pair d;

	CU_ASSERT_EQUAL(party_init(&p, S, 5, ANCHOR), FAULT_NONE);
	memset(salt, 5, sizeof(salt));
	CU_ASSERT_TRUE(id_eq(p.self.id, cert_id(identity_key(&p.self), salt)));
	S->dh_static(x, p.self.sign);
	S->dh_pair(&d, x);
	CU_ASSERT_EQUAL(memcmp(d.public, p.self.dh, KEY_BYTES), 0);
	chain = (struct bytes){ p.chain, p.chain_len };
	party_seed(seed, 6);			/* somebody else's certificate */
	CU_ASSERT_EQUAL(identity_init(&self, S, seed, chain, p.config.overlay, 0), FAULT_KEY);
	party_seed(seed, 5);			/* another overlay's */
	CU_ASSERT_EQUAL(identity_init(&self, S, seed, chain, identity_key(&p.self), 0), FAULT_ISSUER);
	CU_ASSERT_PTR_NULL(self.chain);
	CU_ASSERT_EQUAL(party_init_as(&p, S, 5, ANCHOR, (struct cert_order){ .roles = ROLE_SIGNER }),
			FAULT_ROLE);
	CU_ASSERT_EQUAL(party_init_as(&p, S, 5, ANCHOR, (struct cert_order){ .roles = ROLE_INVITATION }),
			FAULT_NONE);
}

/* BLAKE2b-128 of key and salt, computed by another implementation (Python's hashlib) */
static void a_ring_id_is_the_hash_of_key_and_salt(void)
{
	uint8_t key[KEY_BYTES], salt[CERT_SALT];
	struct id id;

	for (unsigned i = 0; i < KEY_BYTES; i++)
		key[i] = (uint8_t)i;
	for (unsigned i = 0; i < CERT_SALT; i++)
		salt[i] = (uint8_t)(0xf0 + i);
	id = cert_id(key, salt);
	CU_ASSERT_EQUAL(id.hi, 0x816552b21acc5f27);
	CU_ASSERT_EQUAL(id.lo, 0xf44c2c5e2c00affe);
	salt[0] ^= 1;
	CU_ASSERT_FALSE(id_eq(id, cert_id(key, salt)));
}

CU_TestInfo cert_tests[] = {
	{ "a certificate reads back as it was ordered", a_certificate_reads_back_as_it_was_ordered },
	{ "a typical certificate is short", a_typical_certificate_is_short },
	{ "every changed bit is noticed", every_changed_bit_is_noticed },
	{ "every cut is noticed", every_cut_is_noticed },
	{ "chains end at the anchor", chains_end_at_the_anchor },
	{ "a hint does not make a signature", a_hint_does_not_make_a_signature },
	{ "time decides at both ends of both certificates", time_decides_at_both_ends_of_both_certificates },
	{ "wall time goes on with the monotonic clock", wall_time_goes_on_with_the_monotonic_clock },
	{ "a signer grants only what it was given", a_signer_grants_only_what_it_was_given },
	{ "unknown fields are skipped unless they are critical",
	  unknown_fields_are_skipped_unless_they_are_critical },
	{ "malformed fields are refused", malformed_fields_are_refused },
	{ "what cannot be certified is not issued", what_cannot_be_certified_is_not_issued },
	{ "every fault has words", every_fault_has_words },
	{ "an identity is its certificate's", an_identity_is_its_certificates },
	{ "a ring id is the hash of key and salt", a_ring_id_is_the_hash_of_key_and_salt },
	CU_TEST_INFO_NULL
};
