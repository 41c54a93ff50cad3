/* A list of the revoked is its anchor's, whole, and finds everybody in it. */
#include "core/seal/revoke.h"
#include "tests/unit/party.h"
#include "tests/unit/suites.h"

enum { ANCHOR = 100, SIGNER = 101, NODE = 1 };

static const struct suite *const S = &suite_sodium;

struct made {
	uint8_t anchor[SIGN_BYTES], bytes[REVOKED_BYTES];
	size_t len;
	struct revoked list;
	struct revocations all;
};

static bool make(struct made *m, struct id *ids, unsigned count)
{
	struct writer w = writer_of(m->bytes, sizeof(m->bytes));
	bool good;

	party_key(S, ANCHOR, m->anchor);
	good = revoked_sign(S, m->anchor, 7, 1234, NULL, ids, count, &w);
	m->len = writer_len(&w);
	if (good)
		CU_ASSERT_EQUAL_FATAL(revoked_read(S, (struct bytes){ m->bytes, m->len }, &m->list), DROP_NONE);
	m->all = (struct revocations){ .list = { m->list }, .count = 1 };
	return good;
}

static void a_list_reads_back_sorted_and_without_doubles(void)
{
	struct id ids[5] = { { 5, 1 }, { 1, 9 }, { 5, 1 }, { 0, 3 }, { 5, 0 } };
	struct made m;

	CU_ASSERT_TRUE_FATAL(make(&m, ids, 5));
	CU_ASSERT_TRUE(m.list.count == 4 && m.list.serial == 7 && m.list.issued == 1234);
	CU_ASSERT_TRUE(id_eq(revoked_at(&m.list, 0), ((struct id){ 0, 3 })) && id_eq(revoked_at(&m.list, 3), ((struct id){ 5, 1 })));
	CU_ASSERT_EQUAL(memcmp(m.list.anchor, m.anchor + KEY_BYTES, KEY_BYTES), 0);
}

static void everybody_in_a_full_list_is_found_and_nobody_else(void)
{
	struct id ids[REVOKED_MAX + 1];
	struct made m;

	for (unsigned i = 0; i <= REVOKED_MAX; i++)
		ids[i] = (struct id){ 7 * (i ^ 0x55), i };
	CU_ASSERT_FALSE(make(&m, ids, REVOKED_MAX + 1));
	for (unsigned i = 0; i <= REVOKED_MAX; i++)
		ids[i] = (struct id){ 7 * (i ^ 0x55), i };
	CU_ASSERT_TRUE_FATAL(make(&m, ids, REVOKED_MAX));
	CU_ASSERT_EQUAL(m.len, REVOKED_BYTES);
	for (unsigned i = 0; i < REVOKED_MAX; i++) {
		CU_ASSERT_TRUE(revoked_has(&m.list, (struct id){ 7 * (i ^ 0x55), i }));
		CU_ASSERT_FALSE(revoked_has(&m.list, (struct id){ 7 * (i ^ 0x55), i + 1 }));
		CU_ASSERT_FALSE(revoked_has(&m.list, (struct id){ 7 * (i ^ 0x55) + 1, i }));
	}
}

static void an_empty_list_is_a_list(void)
{
	struct made m;

	CU_ASSERT_TRUE_FATAL(make(&m, NULL, 0));
	CU_ASSERT_FALSE(revoked_has(&m.list, (struct id){ 0, 3 }));
}

static void every_change_and_every_cut_is_noticed(void)
{
	struct id ids[3] = { { 1, 1 }, { 2, 2 }, { 3, 3 } };
	struct revoked out;
	struct made m;

	CU_ASSERT_TRUE_FATAL(make(&m, ids, 3));
	for (size_t i = 0; i < m.len; i++) {
		m.bytes[i] ^= 4;
		CU_ASSERT_NOT_EQUAL(revoked_read(S, (struct bytes){ m.bytes, m.len }, &out), DROP_NONE);
		m.bytes[i] ^= 4;
		CU_ASSERT_NOT_EQUAL(revoked_read(S, (struct bytes){ m.bytes, i }, &out), DROP_NONE);
	}
}

static void who_was_signed_by_somebody_revoked_is_out_as_well(void)
{
	uint8_t key[SIGN_BYTES], signer[SIGN_BYTES], salt[CERT_SALT] = { 1 }, chain[CERT_CHAIN_MAX], stranger[KEY_BYTES] = { 9 };
	struct writer w = writer_of(chain, sizeof(chain));
	struct made m;
	struct id of_signer, of_node;
	struct bytes b;

	party_key(S, NODE, key);
	party_key(S, SIGNER, signer);
	party_key(S, ANCHOR, m.anchor);
	CU_ASSERT_TRUE(cert_issue(S, signer, &(struct cert_order){ .roles = ROLE_MEMBER, .key = key + KEY_BYTES, .salt = salt }, &w));
	CU_ASSERT_TRUE(cert_issue(S, m.anchor, &(struct cert_order){ .roles = ROLE_SIGNER, .key = signer + KEY_BYTES, .salt = salt }, &w));
	b = (struct bytes){ chain, writer_len(&w) };
	of_signer = cert_id(signer + KEY_BYTES, salt);
	of_node = cert_id(key + KEY_BYTES, salt);
	CU_ASSERT_TRUE_FATAL(make(&m, &of_signer, 1));
	CU_ASSERT_TRUE(revoked_chain(&m.all, m.anchor + KEY_BYTES, b));
	CU_ASSERT_FALSE(revoked_chain(&m.all, stranger, b));
	CU_ASSERT_FALSE(revoked_by(&m.all, m.anchor + KEY_BYTES, of_node));
	CU_ASSERT_TRUE_FATAL(make(&m, &of_node, 1));
	CU_ASSERT_TRUE(revoked_chain(&m.all, m.anchor + KEY_BYTES, b));
	CU_ASSERT_TRUE_FATAL(make(&m, NULL, 0));
	CU_ASSERT_FALSE(revoked_chain(&m.all, m.anchor + KEY_BYTES, b));
	CU_ASSERT_FALSE(revoked_chain(NULL, m.anchor + KEY_BYTES, b));
}

/* Everything of a list in front of its signature, in the form before epochs */
static void as_before(struct made *m)
{
	size_t head = 4 + KEY_BYTES + 8 + 8, len = m->len - KEY_BYTES;

	m->bytes[3] = '1';
	memmove(m->bytes + head, m->bytes + head + KEY_BYTES, m->len - head - KEY_BYTES);
	S->sign(m->bytes + len - SIGNATURE_BYTES, m->anchor, (struct bytes){ m->bytes, len - SIGNATURE_BYTES });
	m->len = len;
}

static void a_list_of_the_form_before_epochs_is_read(void)
{
	struct id ids[2] = { { 1, 1 }, { 2, 2 } };
	struct revoked out;
	struct made m;

	CU_ASSERT_TRUE_FATAL(make(&m, ids, 2));
	as_before(&m);
	CU_ASSERT_EQUAL_FATAL(revoked_read(S, (struct bytes){ m.bytes, m.len }, &out), DROP_NONE);
	CU_ASSERT_TRUE(out.serial == 7 && out.count == 2 && !out.digest && revoked_has(&out, (struct id){ 2, 2 }));
}

static void a_list_names_the_one_key_of_its_epoch(void)
{
	uint8_t order[REVOKED_ORDER], key[KEY_BYTES] = { 1, 2, 3 }, other[KEY_BYTES] = { 1, 2, 4 };
	struct writer w = writer_of(order, sizeof(order));
	struct id ids[2] = { { 1, 1 }, { 2, 2 } };
	const uint8_t *at;
	struct revoked out;
	struct bytes list;
	struct made m;

	CU_ASSERT_TRUE_FATAL(make(&m, NULL, 0));
	CU_ASSERT_FALSE(m.list.digest || revoked_opens(&m.list, key));
	CU_ASSERT_TRUE_FATAL(revoked_sign(S, m.anchor, 8, 1234, key, ids, 2, &w));
	list = revoked_order((struct bytes){ order, writer_len(&w) }, &at);
	CU_ASSERT_TRUE(!at && list.len == writer_len(&w));		/* a list alone is an order without a key */
	write_copy(&w, key, KEY_BYTES);
	list = revoked_order((struct bytes){ order, writer_len(&w) }, &at);
	CU_ASSERT_TRUE_FATAL(at && list.len == writer_len(&w) - KEY_BYTES);
	CU_ASSERT_EQUAL_FATAL(revoked_read(S, list, &out), DROP_NONE);
	CU_ASSERT_TRUE(revoked_opens(&out, at) && !revoked_opens(&out, other));
	for (size_t i = 0; i <= writer_len(&w); i++) {			/* whatever is cut, no key is taken from elsewhere */
		list = revoked_order((struct bytes){ order, i }, &at);
		CU_ASSERT_TRUE(at ? i == writer_len(&w) : list.len == i);
	}
}

static void of_two_lists_one_counts_whoever_met_which_first(void)
{
	struct id one = { 1, 1 }, two = { 2, 2 };
	struct made a, b;

	CU_ASSERT_TRUE_FATAL(make(&a, &one, 1) && make(&b, &two, 1));
	CU_ASSERT_NOT_EQUAL(a.list.mark, b.list.mark);
	CU_ASSERT_NOT_EQUAL(revoked_newer(a.list.serial, a.list.mark, &b.list), revoked_newer(b.list.serial, b.list.mark, &a.list));
	CU_ASSERT_FALSE(revoked_newer(a.list.serial, a.list.mark, &a.list));
	CU_ASSERT_TRUE(revoked_newer(a.list.serial + 1, 0, &a.list) && !revoked_newer(a.list.serial - 1, UINT64_MAX, &a.list));
}

CU_TestInfo revoke_tests[] = {
	{ "a list reads back, sorted and without doubles", a_list_reads_back_sorted_and_without_doubles },
	{ "everybody in a full list is found, and nobody else", everybody_in_a_full_list_is_found_and_nobody_else },
	{ "an empty list is a list", an_empty_list_is_a_list },
	{ "every change and every cut is noticed", every_change_and_every_cut_is_noticed },
	{ "who was signed by somebody revoked is out as well", who_was_signed_by_somebody_revoked_is_out_as_well },
	{ "a list of the form before epochs is read", a_list_of_the_form_before_epochs_is_read },
	{ "a list names the one key of its epoch", a_list_names_the_one_key_of_its_epoch },
	{ "of two lists one counts, whoever met which first", of_two_lists_one_counts_whoever_met_which_first },
	CU_TEST_INFO_NULL
};
