/* Whoever holds a network's id can tell its record from every other. */
#include "core/dht/network.h"
#include "tests/unit/party.h"
#include "tests/unit/suites.h"

enum { NETWORK = 200, OTHER = 201 };

static const struct suite *const S = &suite_sodium;

struct signed_record {
	uint8_t bytes[NETWORK_RECORD_MAX];
	size_t len;
};

static void example(struct network_record *n)
{
	uint8_t key[SIGN_BYTES];

	party_key(S, NETWORK, key);
	network_defaults(n);
	memcpy(n->key, key + KEY_BYTES, KEY_BYTES);
	memcpy(n->name, "home", 5);
	n->range4 = (struct ip_range){ ip_v4(0x0afa0000), 16 };
	n->range6 = (struct ip_range){ { .at = { 0xfd, 0x77 }, .family = 6 }, 64 };
	n->reserved[0] = (struct ip_range){ ip_v4(0x0afa0100), 24 };
	n->reserveds = 1;
	n->dns[0] = ip_v4(0x09090909);
	n->dnss = 1;
	n->founders = 3;
	for (unsigned i = 0; i < 3; i++)
		n->founder[i] = (struct id){ i + 1, 77 };
}

static bool sign(const struct network_record *n, struct signed_record *out)
{
	uint8_t key[SIGN_BYTES];
	struct writer w = writer_of(out->bytes, sizeof(out->bytes));
	bool good;

	party_key(S, NETWORK, key);
	good = network_sign(S, key, n, &w);
	out->len = writer_len(&w);
	return good;
}

static enum drop reads(const struct signed_record *s, struct network_record *n)
{
	return network_read(S, (struct bytes){ s->bytes, s->len }, n);
}

static void a_record_reads_back_as_it_was_signed(void)
{
	struct network_record n, m;
	struct signed_record s, t;

	example(&n);
	n.serial = 9, n.term_s = 600, n.mtu = 1300, n.policy = POLICY_RECLAIM, n.generation = 3;
	memcpy(n.domain, "lab.home", 9);
	CU_ASSERT_TRUE(sign(&n, &s));
	CU_ASSERT_TRUE(s.len < 300);
	CU_ASSERT_EQUAL(reads(&s, &m), DROP_NONE);
	CU_ASSERT_TRUE(id_eq(m.id, network_id(n.key)));
	CU_ASSERT_TRUE(sign(&m, &t));
	CU_ASSERT_TRUE(s.len == t.len && !memcmp(s.bytes, t.bytes, s.len));
	CU_ASSERT_STRING_EQUAL(m.domain, "lab.home");
	CU_ASSERT_EQUAL(m.founders, 3);
	CU_ASSERT_TRUE(id_eq(m.founder[2], n.founder[2]));
	CU_ASSERT_EQUAL(m.term_s, 600);
	CU_ASSERT_EQUAL(m.generation, 3);
}

static void the_domain_is_the_name_unless_said(void)
{
	struct network_record n, m;
	struct signed_record s;

	example(&n);
	CU_ASSERT_TRUE(sign(&n, &s));
	CU_ASSERT_EQUAL(reads(&s, &m), DROP_NONE);
	CU_ASSERT_STRING_EQUAL(m.domain, "home");
}

static void no_bit_of_a_record_can_be_changed(void)
{
	struct network_record n, m;
	struct signed_record s;
	unsigned wrong = 0;

	example(&n);
	CU_ASSERT_TRUE(sign(&n, &s));
	memset(&m, 0x5a, sizeof(m));
	for (unsigned bit = 0; bit < s.len * 8; bit++) {
		s.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		wrong += reads(&s, &m) != DROP_NONE;
		s.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	CU_ASSERT_EQUAL(wrong, s.len * 8);
	CU_ASSERT_EQUAL(m.serial, 0x5a5a5a5a5a5a5a5aULL);	/* untouched on failure */
}

static void a_record_cut_short_or_longer_is_none(void)
{
	struct network_record n, m;
	struct signed_record s;
	size_t len;

	example(&n);
	CU_ASSERT_TRUE(sign(&n, &s));
	len = s.len;
	for (s.len = 0; s.len < len; s.len++)
		CU_ASSERT_NOT_EQUAL(reads(&s, &m), DROP_NONE);
	s.len = len + 1;
	CU_ASSERT_EQUAL(reads(&s, &m), DROP_VALUE);
}

static void nobody_signs_for_another_network(void)
{
	uint8_t key[SIGN_BYTES], buf[NETWORK_RECORD_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	struct network_record n;

	example(&n);
	party_key(S, OTHER, key);
	CU_ASSERT_FALSE(network_sign(S, key, &n, &w));
	CU_ASSERT_EQUAL(writer_len(&w), 0);
}

#define REFUSES(change)	do {						\
		struct network_record n_;				\
		struct signed_record s_;				\
		example(&n_);						\
		struct network_record *n = &n_;				\
		change;							\
		CU_ASSERT_FALSE(sign(n, &s_));				\
	} while (0)

static void fields_out_of_range_are_not_signed(void)
{
	REFUSES(n->name[0] = 0);
	REFUSES(n->name[1] = '\n');
	REFUSES(memcpy(n->domain, "a..b", 5));
	REFUSES(memcpy(n->domain, "a.", 3));
	REFUSES(memcpy(n->domain, "-a", 3));
	REFUSES(n->range4.bits = 31);
	REFUSES(n->range4.bits = 7);
	REFUSES(n->range4.ip.at[3] = 1);
	REFUSES(n->range4.ip.at[9] = 1);
	REFUSES(n->range6.bits = 63);
	REFUSES(n->range6.ip.at[15] = 1);
	REFUSES(n->range4.ip.family = 6);
	REFUSES((n->range4 = (struct ip_range){ 0 }, n->range6 = n->range4, n->reserveds = 0));
	REFUSES(n->reserved[0].ip.at[1] = 1);
	REFUSES(n->reserved[0].bits = 15);
	REFUSES(n->reserved[0].bits = 33);
	REFUSES(n->reserveds = 5);
	REFUSES(n->dnss = 3);
	REFUSES(n->dns[0].family = 0);
	REFUSES(n->founders = 2);
	REFUSES(n->founders = 0);
	REFUSES(n->founder[1] = n->founder[0]);
	REFUSES(n->replicas = 4);
	REFUSES(n->term_s = TERM_MIN - 1);
	REFUSES(n->term_s = TERM_MAX + 1);
	REFUSES(n->mtu = 1279);
	REFUSES(n->mtu = 9001);
	REFUSES(n->policy = 2);
	REFUSES(n->layer = 4);
	REFUSES(n->drift_ppm = 50001);
}

static void certificates_own_the_reserved_part_and_nobody_leases_it(void)
{
	struct network_record n;
	struct ip in = ip_v4(0x0afa0107), out = ip_v4(0x0afa0207), far = ip_v4(0x0afb0207);

	example(&n);
	CU_ASSERT_TRUE(network_reserved(&n, &in));
	CU_ASSERT_FALSE(network_reserved(&n, &out));
	CU_ASSERT_FALSE(network_leasable(&n, &in));
	CU_ASSERT_TRUE(network_leasable(&n, &out));
	CU_ASSERT_FALSE(network_leasable(&n, &far));
}

static void network_gateway_and_broadcast_are_nobodys(void)
{
	struct network_record n;
	struct ip a[] = { ip_v4(0x0afa0000), ip_v4(0x0afa0001), ip_v4(0x0afaffff) }, first = ip_v4(0x0afa0002),
		  last = ip_v4(0x0afafffe), gateway, none = { .family = 0 };

	example(&n);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_FALSE(network_leasable(&n, &a[i]));
	CU_ASSERT_TRUE(network_leasable(&n, &first));
	CU_ASSERT_TRUE(network_leasable(&n, &last));
	CU_ASSERT_FALSE(network_leasable(&n, &none));
	gateway = network_gateway(&n, 4);
	CU_ASSERT_TRUE(ip_eq(&gateway, &a[1]));
	gateway = network_gateway(&n, 6);
	CU_ASSERT_TRUE(gateway.family == 6 && gateway.at[0] == 0xfd && gateway.at[15] == 1);
	CU_ASSERT_FALSE(network_leasable(&n, &gateway));
	CU_ASSERT_FALSE(network_leasable(&n, &n.range6.ip));
	gateway.at[15] = 2;
	CU_ASSERT_TRUE(network_leasable(&n, &gateway));
	memset(&n.range6, 0, sizeof(n.range6));
	CU_ASSERT_FALSE(network_leasable(&n, &gateway));
}

static void what_later_versions_add_is_skipped(void)
{
	struct network_record n, m;
	struct signed_record s;
	uint8_t key[SIGN_BYTES];
	size_t at;

	example(&n);
	party_key(S, NETWORK, key);
	CU_ASSERT_TRUE(sign(&n, &s));
	at = s.len - SIGNATURE_BYTES;
	s.bytes[at - 1] = 5;
	memset(s.bytes + at, 0x11, 5);
	S->sign(s.bytes + at + 5, key, (struct bytes){ s.bytes, at + 5 });
	s.len += 5;
	CU_ASSERT_EQUAL(reads(&s, &m), DROP_NONE);
	CU_ASSERT_EQUAL(m.founders, 3);
}

CU_TestInfo network_tests[] = {
	{ "a record reads back as it was signed", a_record_reads_back_as_it_was_signed },
	{ "the domain is the name unless said", the_domain_is_the_name_unless_said },
	{ "no bit of a record can be changed", no_bit_of_a_record_can_be_changed },
	{ "a record cut short or longer is none", a_record_cut_short_or_longer_is_none },
	{ "nobody signs for another network", nobody_signs_for_another_network },
	{ "fields out of range are not signed", fields_out_of_range_are_not_signed },
	{ "certificates own the reserved part and nobody leases it",
	  certificates_own_the_reserved_part_and_nobody_leases_it },
	{ "network, gateway and broadcast are nobody's", network_gateway_and_broadcast_are_nobodys },
	{ "what later versions add is skipped", what_later_versions_add_is_skipped },
	CU_TEST_INFO_NULL
};
