/*
 * An overlay's signer: what it makes is a node of that overlay and of no other,
 * names and serials are kept, and half an overlay is none.
 */
#include "node/overlay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "core/seal/identity.h"
#include "node/keep.h"
#include "tests/unit/own_dir.h"
#include "tests/unit/suites.h"

struct house {
	char *dir, *path;
	struct overlay o;
	struct fail f;
};

static void house_make(struct house *h)
{
	CU_ASSERT_TRUE_FATAL(sodium_init() >= 0);
	*h = (struct house){ .dir = own_dir() };
	h->path = keep_path(h->dir, "home");
	CU_ASSERT_TRUE_FATAL(overlay_make(h->path, "192.0.2.1:9338\n192.0.2.2:9338\n", &h->f));
	CU_ASSERT_TRUE_FATAL(overlay_open(&h->o, h->path, &h->f));
}

static void house_done(struct house *h)
{
	overlay_close(&h->o);
	fail_done(&h->f);
	free(h->path);
	own_dir_remove(h->dir);
}

/* A certificate for the key of a seed full of @n, under @name. */
static bool admit(struct house *h, const char *name, uint8_t n, struct admission *a, struct admitted *out, uint8_t seed[32])
{
	uint8_t secret[SIGN_BYTES];

	memset(seed, n, KEY_BYTES);
	suite_sodium.sign_pair(secret, seed);
	a->name = name;
	memcpy(a->key, secret + KEY_BYTES, KEY_BYTES);
	return overlay_admit(&h->o, a, out, &h->f);
}

static enum cert_fault identify(const struct house *h, const struct admitted *m, const uint8_t seed[32], uint64_t utc,
				struct identity *self)
{
	return identity_init(self, &suite_sodium, seed, (struct bytes){ m->chain, m->chain_len }, overlay_key(&h->o), utc);
}

static void an_admitted_key_is_a_member(void)
{
	struct house h, other;
	struct admission a = { 0 };
	struct admitted m;
	struct identity self;
	struct cert leaf;
	uint8_t seed[32], wrong[32] = { 9 };

	house_make(&h);
	house_make(&other);
	CU_ASSERT_TRUE_FATAL(admit(&h, "alice", 1, &a, &m, seed));
	CU_ASSERT_EQUAL(identify(&h, &m, seed, (uint64_t)time(NULL), &self), FAULT_NONE);
	CU_ASSERT(id_eq(self.id, m.id) && m.serial == 1);
	CU_ASSERT_EQUAL(identify(&h, &m, wrong, 0, &self), FAULT_KEY);
	CU_ASSERT_EQUAL(identify(&other, &m, seed, 0, &self), FAULT_ISSUER);
	CU_ASSERT_EQUAL(cert_check(&suite_sodium, (struct bytes){ m.chain, m.chain_len }, overlay_key(&h.o), ROLE_MEMBER, 0, &leaf),
			FAULT_NONE);
	CU_ASSERT(leaf.any && leaf.roles == ROLE_MEMBER && leaf.name.len == 5 && !memcmp(leaf.name.at, "alice", 5));
	house_done(&h);
	house_done(&other);
}

static void groups_addresses_and_time_are_in_the_certificate(void)
{
	static const char *const GROUPS[] = { "servers", "lab" };
	struct house h;
	struct admission a = { .groups = GROUPS, .group_count = 2, .valid_s = 3600, .prefixes = 2 };
	struct admitted m;
	struct identity self;
	struct cert leaf;
	struct bytes group;
	struct prefix p;
	char why[WHY_LEN];
	uint8_t seed[32];
	uint64_t now = (uint64_t)time(NULL);
	size_t at = 0;

	house_make(&h);
	CU_ASSERT(prefix_read("10.9.0.7", &a.prefix[0], why) && prefix_read("fd00:1::/64", &a.prefix[1], why));
	CU_ASSERT_TRUE_FATAL(admit(&h, "bob", 2, &a, &m, seed));
	CU_ASSERT_EQUAL(identify(&h, &m, seed, now, &self), FAULT_NONE);
	CU_ASSERT_EQUAL(identify(&h, &m, seed, now + 3700, &self), FAULT_EXPIRED);
	CU_ASSERT_EQUAL(identify(&h, &m, seed, now - 7200, &self), FAULT_EARLY);
	cert_check(&suite_sodium, (struct bytes){ m.chain, m.chain_len }, overlay_key(&h.o), 0, 0, &leaf);
	CU_ASSERT(cert_group(&leaf, &at, &group) && group.len == 7 && cert_group(&leaf, &at, &group) &&
		  !cert_group(&leaf, &at, &group));
	at = 0;
	CU_ASSERT(cert_prefix(&leaf, &at, &p) && p.family == 4 && p.bits == 32 && p.addr[3] == 7);
	CU_ASSERT(cert_prefix(&leaf, &at, &p) && p.family == 6 && p.bits == 64 && !leaf.any);
	house_done(&h);
}

static void serials_and_names_outlive_the_program(void)
{
	struct house h;
	struct admission a = { 0 };
	struct admitted m;
	uint8_t seed[32];

	house_make(&h);
	CU_ASSERT_TRUE(admit(&h, "alice", 1, &a, &m, seed) && admit(&h, "bob", 2, &a, &m, seed));
	overlay_close(&h.o);
	CU_ASSERT_TRUE_FATAL(overlay_open(&h.o, h.path, &h.f));
	CU_ASSERT_FALSE(admit(&h, "bob", 3, &a, &m, seed));
	CU_ASSERT(h.f.count == 1 && strstr(h.f.text[0], "certificate 2 for the name bob"));
	fail_done(&h.f);
	CU_ASSERT_TRUE(admit(&h, "bo", 3, &a, &m, seed) && m.serial == 3);	/* a beginning is no match */
	a.replace = true;
	CU_ASSERT_TRUE(admit(&h, "bob", 4, &a, &m, seed) && m.serial == 4);
	house_done(&h);
}

static bool invite(struct house *h, const char *name, unsigned uses, int64_t expires_s, struct token *t, uint64_t *serial)
{
	static const char *const GROUPS[] = { "guests" };
	const struct endpoint at = endpoint_v4(0xc0000201, 9338);
	const struct invitation v = {
		.as = { .name = name, .groups = GROUPS, .group_count = 1, .valid_s = 3600 }, .uses = uses,
		.expires_s = expires_s, .at = &at, .ats = 1,
	};

	return overlay_invite(&h->o, &v, t, serial, &h->f);
}

static void an_invitation_says_what_it_is_good_for(void)
{
	struct house h;
	struct admission a = { 0 };
	struct admitted m;
	struct token t;
	struct cert leaf;
	struct bytes group;
	uint64_t serial, now = (uint64_t)time(NULL);
	uint8_t seed[32];
	size_t at = 0;

	house_make(&h);
	CU_ASSERT_TRUE(admit(&h, "alice", 1, &a, &m, seed));
	CU_ASSERT_TRUE_FATAL(invite(&h, "bob", 2, 60, &t, &serial));
	CU_ASSERT_TRUE(serial == 2 && t.ats == 1 && !memcmp(t.overlay, overlay_key(&h.o), KEY_BYTES));
	CU_ASSERT_EQUAL(cert_check(&suite_sodium, (struct bytes){ t.chain, t.chain_len }, overlay_key(&h.o), ROLE_INVITATION, now + 50,
				   &leaf), FAULT_NONE);
	CU_ASSERT_TRUE(leaf.uses == 2 && leaf.valid_s == 3600 && leaf.any && leaf.name.len == 3 && leaf.serial == 2);
	CU_ASSERT_TRUE(cert_group(&leaf, &at, &group) && group.len == 6);
	CU_ASSERT_EQUAL(cert_check(&suite_sodium, (struct bytes){ t.chain, t.chain_len }, overlay_key(&h.o), 0, now + 70, &leaf),
			FAULT_EXPIRED);
	overlay_close(&h.o);			/* numbers are one sequence, over restarts, too */
	CU_ASSERT_TRUE_FATAL(overlay_open(&h.o, h.path, &h.f));
	CU_ASSERT_TRUE(invite(&h, NULL, 1, 60, &t, &serial) && serial == 3);
	CU_ASSERT_TRUE(admit(&h, "carol", 3, &a, &m, seed) && m.serial == 4);
	house_done(&h);
}

static void a_signers_certificate_signs_members(void)
{
	uint8_t chain[CERT_CHAIN_MAX], seed[32], own[SIGN_BYTES], salt[CERT_SALT] = { 4 };
	struct writer w = writer_of(chain, sizeof(chain));
	struct house h;
	struct admission a = { 0 };
	struct admitted m;
	struct cert leaf;
	struct reader r;
	uint8_t signer[CERT_MAX];
	size_t len;

	house_make(&h);
	CU_ASSERT_TRUE_FATAL(admit(&h, "alice", 1, &a, &m, seed));
	r = reader_of(m.chain, m.chain_len);
	CU_ASSERT_EQUAL_FATAL(cert_decode(&r, &leaf), FAULT_NONE);
	CU_ASSERT_TRUE_FATAL(overlay_signer(&h.o, &leaf, signer, &len, &h.f));
	suite_sodium.sign_pair(own, seed);
	CU_ASSERT_TRUE(cert_issue(&suite_sodium, own, &(struct cert_order){ .roles = ROLE_MEMBER, .key = own + KEY_BYTES, .salt = salt }, &w));
	write_copy(&w, signer, len);
	CU_ASSERT_EQUAL(cert_check(&suite_sodium, (struct bytes){ chain, writer_len(&w) }, overlay_key(&h.o), ROLE_MEMBER, 0, &leaf),
			FAULT_NONE);
	house_done(&h);
}

static void lists_of_the_revoked_grow_shrink_and_never_go_back(void)
{
	struct house h;
	struct admission a = { 0 }, brief = { .valid_s = 1 };
	struct admitted m, ended;
	struct token t;
	struct id ids[4];
	struct ban b;
	uint64_t serial;
	uint8_t seed[32];

	house_make(&h);
	CU_ASSERT_TRUE(overlay_banned(&h.o, &b, &h.f) && !b.list.serial);
	CU_ASSERT_TRUE(admit(&h, "alice", 1, &a, &m, seed) && admit(&h, "brief", 2, &brief, &ended, seed));
	CU_ASSERT_EQUAL(overlay_find(&h.o, "nobody", false, ids, 4, &h.f), 0);
	CU_ASSERT_EQUAL(h.f.count, 1);
	fail_done(&h.f);
	CU_ASSERT_TRUE(overlay_find(&h.o, "alice", false, ids, 4, &h.f) == 1 && id_eq(ids[0], m.id));
	CU_ASSERT_TRUE(overlay_find(&h.o, "brief", false, ids + 1, 3, &h.f) == 1 && id_eq(ids[1], ended.id));
	CU_ASSERT_TRUE_FATAL(overlay_ban(&h.o, ids, 2, false, &b, &h.f));
	CU_ASSERT_TRUE(b.list.count == 2 && revoked_has(&b.list, m.id));
	serial = b.list.serial;
	CU_ASSERT_TRUE_FATAL(invite(&h, NULL, 1, 60, &t, &(uint64_t){ 0 }));
	CU_ASSERT_EQUAL(overlay_find(&h.o, "3", true, ids + 2, 2, &h.f), 1);
	while ((uint64_t)time(NULL) <= serial + 1)	/* until what was made for a second has ended */
		usleep(20000);
	CU_ASSERT_TRUE_FATAL(overlay_ban(&h.o, ids + 2, 1, false, &b, &h.f));
	CU_ASSERT_TRUE(b.list.count == 2 && b.list.serial > serial && !revoked_has(&b.list, ended.id));
	serial = b.list.serial;
	CU_ASSERT_TRUE_FATAL(overlay_ban(&h.o, ids, 1, true, &b, &h.f));
	CU_ASSERT_TRUE(b.list.count == 1 && b.list.serial > serial && !revoked_has(&b.list, m.id));
	CU_ASSERT_TRUE(overlay_banned(&h.o, &b, &h.f) && b.list.count == 1);
	house_done(&h);
}

static void bootstrap_endpoints_are_kept(void)
{
	struct house h;

	house_make(&h);
	CU_ASSERT_STRING_EQUAL(h.o.bootstrap, "192.0.2.1:9338 192.0.2.2:9338 ");
	house_done(&h);
}

static void a_key_that_is_none_is_refused(void)
{
	struct house h;
	struct admission a = { .name = "mallory" };
	struct admitted m;

	house_make(&h);
	memset(a.key, 0xff, sizeof(a.key));
	CU_ASSERT_FALSE(overlay_admit(&h.o, &a, &m, &h.f));
	memset(a.key, 0, sizeof(a.key));	/* of small order */
	CU_ASSERT_FALSE(overlay_admit(&h.o, &a, &m, &h.f));
	CU_ASSERT_PTR_NULL(strstr(h.o.members, "mallory"));
	house_done(&h);
}

static void an_overlay_is_never_overwritten(void)
{
	struct house h;

	house_make(&h);
	CU_ASSERT_FALSE(overlay_make(h.path, "", &h.f));
	CU_ASSERT(h.f.count == 1 && strstr(h.f.text[0], "there already"));
	house_done(&h);
}

static void two_signers_at_once_are_refused(void)
{
	struct house h;
	struct overlay second;

	house_make(&h);
	CU_ASSERT_FALSE(overlay_open(&second, h.path, &h.f));
	overlay_close(&second);
	CU_ASSERT(h.f.count == 1 && strstr(h.f.text[0], "held by another process"));
	house_done(&h);
}

static void what_is_no_overlay_is_said(void)
{
	struct overlay o;
	struct fail f = { 0 };
	char *dir = own_dir();

	CU_ASSERT_FALSE(overlay_open(&o, dir, &f));
	overlay_close(&o);
	CU_ASSERT(f.count == 1 && strstr(f.text[0], "is no overlay") && strstr(f.text[0], "net create"));
	fail_done(&f);
	own_dir_remove(dir);
}

static void a_network(struct charter *c)
{
	memset(c, 0, sizeof(*c));
	network_defaults(&c->record);
	strcpy(c->record.name, "home");
	c->record.range4 = (struct ip_range){ ip_v4(0x0a090000), 16 };
	memset(c->secret, 7, sizeof(c->secret));
}

static void the_first_member_founds_the_network(void)
{
	struct house h;
	struct admission a = { 0 };
	struct admitted m, n;
	struct charter c;
	uint8_t seed[32];
	bool has = true;

	house_make(&h);
	CU_ASSERT(overlay_charter(&h.o, NULL, &c, &has, &h.f) && !has);	/* an overlay alone is no network */
	a_network(&c);
	CU_ASSERT_TRUE_FATAL(overlay_found(&h.o, &c, &h.f));
	CU_ASSERT(overlay_charter(&h.o, NULL, &c, &has, &h.f) && has && !c.record.serial);
	CU_ASSERT_TRUE_FATAL(admit(&h, "alice", 1, &a, &m, seed) && admit(&h, "bob", 2, &a, &n, seed));
	CU_ASSERT(overlay_charter(&h.o, &m.id, &c, &has, &h.f) && c.record.serial == 1);
	CU_ASSERT(overlay_charter(&h.o, &n.id, &c, &has, &h.f) && c.record.serial == 1);
	CU_ASSERT(c.record.founders == 1 && id_eq(c.record.founder[0], m.id));	/* the second changes nothing */
	CU_ASSERT(!memcmp(c.record.key, overlay_key(&h.o), KEY_BYTES) && c.secret[31] == 7);
	CU_ASSERT_STRING_EQUAL(c.record.domain, "home");
	house_done(&h);
}

static void a_charter_of_somebody_else_is_refused(void)
{
	struct house h, other;
	struct charter c;
	char *mine, *theirs;
	bool has;

	house_make(&h);
	house_make(&other);
	a_network(&c);
	c.record.founders = 1;
	CU_ASSERT_TRUE_FATAL(overlay_found(&other.o, &c, &h.f));
	mine = keep_path(h.path, "charter");
	theirs = keep_path(other.path, "charter");
	CU_ASSERT_TRUE_FATAL(charter_read(theirs, &c, "", &h.f) && charter_write(mine, &c, &h.f));
	CU_ASSERT_FALSE(overlay_charter(&h.o, NULL, &c, &has, &h.f));
	CU_ASSERT(h.f.count == 1 && strstr(h.f.text[0], "another network"));
	fail_done(&h.f);
	charter_read(theirs, &c, "", &h.f);
	c.blob[60] ^= 1;			/* somewhere in name or terms */
	CU_ASSERT_TRUE(charter_write(mine, &c, &h.f));
	CU_ASSERT_FALSE(charter_read(mine, &c, "", &h.f));
	CU_ASSERT_EQUAL(h.f.count, 1);
	free(mine);
	free(theirs);
	house_done(&h);
	house_done(&other);
}

static void one_key_has_one_place_in_two_overlays(void)
{
	struct house h, other;
	struct admission a = { 0 };
	struct admitted m, n;
	uint8_t seed[32];
	struct cert leaf;
	struct reader r;

	house_make(&h);
	house_make(&other);
	CU_ASSERT_TRUE_FATAL(admit(&h, "alice", 1, &a, &m, seed));
	r = reader_of(m.chain, m.chain_len);
	CU_ASSERT_EQUAL_FATAL(cert_decode(&r, &leaf), FAULT_NONE);
	a.salt = leaf.salt;
	CU_ASSERT_TRUE_FATAL(admit(&other, "alice", 1, &a, &n, seed));
	CU_ASSERT(id_eq(m.id, n.id));
	house_done(&h);
	house_done(&other);
}

static void prefixes_are_read_or_refused(void)
{
	static const char *const GOOD[] = { "0.0.0.0/0", "10.0.0.1", "10.0.0.0/8", "::/0", "fd00::1", "fd00::/128" };
	static const char *const BAD[] = { "", "/", "10.0.0.1/", "10.0.0.1/33", "10.0.0.1/-1", "10.0.0.1/8x", "10.0.0/8", "x",
					   "fd00::/129", "10.0.0.1/ 8", "10.0.0.1/+8" };
	char why[WHY_LEN];
	struct prefix p;

	for (unsigned i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++)
		CU_ASSERT_TRUE(prefix_read(GOOD[i], &p, why));
	for (unsigned i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
		CU_ASSERT_FALSE(prefix_read(BAD[i], &p, why));
}

static void names_are_those_of_hosts(void)
{
	char name[80];

	memset(name, 'a', sizeof(name));
	name[CERT_NAME_MAX] = 0;
	CU_ASSERT_PTR_NULL(name_wrong(name));
	name[CERT_NAME_MAX] = 'a';
	name[CERT_NAME_MAX + 1] = 0;
	CU_ASSERT_PTR_NOT_NULL(name_wrong(name));
	CU_ASSERT_PTR_NULL(name_wrong("a-b_c.D9"));
	CU_ASSERT_PTR_NOT_NULL(name_wrong(""));
	CU_ASSERT_PTR_NOT_NULL(name_wrong("a b"));
	CU_ASSERT_PTR_NOT_NULL(name_wrong("a\tb"));
	CU_ASSERT_PTR_NOT_NULL(name_wrong("../x"));
}

CU_TestInfo overlay_tests[] = {
	{ "an admitted key is a member of its overlay and of no other", an_admitted_key_is_a_member },
	{ "groups, addresses and time are in the certificate", groups_addresses_and_time_are_in_the_certificate },
	{ "serials and names outlive the program", serials_and_names_outlive_the_program },
	{ "an invitation says what it is good for", an_invitation_says_what_it_is_good_for },
	{ "a signer's certificate signs members", a_signers_certificate_signs_members },
	{ "lists of the revoked grow, shrink and never go back", lists_of_the_revoked_grow_shrink_and_never_go_back },
	{ "bootstrap endpoints are kept", bootstrap_endpoints_are_kept },
	{ "a key that is none is refused", a_key_that_is_none_is_refused },
	{ "an overlay is never overwritten", an_overlay_is_never_overwritten },
	{ "two signers at once are refused", two_signers_at_once_are_refused },
	{ "what is no overlay is said", what_is_no_overlay_is_said },
	{ "prefixes are read or refused", prefixes_are_read_or_refused },
	{ "names are those of hosts", names_are_those_of_hosts },
	{ "the first member founds the network", the_first_member_founds_the_network },
	{ "a charter of somebody else is refused", a_charter_of_somebody_else_is_refused },
	{ "one key has one place in two overlays", one_key_has_one_place_in_two_overlays },
	CU_TEST_INFO_NULL
};
