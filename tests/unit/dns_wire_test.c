/*
 * DNS as bytes: names that cannot lead in circles, questions that are refused
 * with the right code, answers that fit what their reader takes.
 */
#include <stdlib.h>

#include "core/vnet/dns_wire.h"
#include "tests/unit/suites.h"

static struct bytes text(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

static struct dns_name named(const char *s)
{
	struct dns_name n;

	CU_ASSERT_TRUE_FATAL(dns_name_text(&n, text(s)));
	return n;
}

/* A name at the end of a message whose header is twelve zeros; copied, so that a sanitizer sees reads past the end. */
static bool name_at(const void *bytes, size_t len, size_t at, struct dns_name *n)
{
	uint8_t *copy = calloc(1, DNS_HEADER + len);
	size_t p = DNS_HEADER + at;
	bool ok;

	memcpy(copy + DNS_HEADER, bytes, len);
	ok = dns_name_read((struct bytes){ copy, DNS_HEADER + len }, &p, n);
	free(copy);
	return ok;
}

static void names_are_read_and_built_alike(void)
{
	struct dns_name n, m = named("www.lab"), domain = named("lab");
	unsigned below;

	CU_ASSERT_TRUE_FATAL(name_at("\003wWw\003lab\0", 9, 0, &n));
	CU_ASSERT(n.len == 9 && n.labels == 2 && n.len == m.len);
	CU_ASSERT(dns_label(&n, 0).len == 3 && dns_label(&n, 1).at[0] == 'l' && !dns_label(&n, 2).len);
	CU_ASSERT(dns_name_in(&n, &m, &below) && below == 0);		/* RFC 4343: case says nothing */
	CU_ASSERT(dns_name_in(&n, &domain, &below) && below == 1);
	CU_ASSERT_FALSE(dns_name_in(&domain, &n, &below));
	CU_ASSERT_TRUE(dns_name_add(&m, text("WWW"), &domain));
	CU_ASSERT(dns_name_in(&n, &m, &below) && below == 0);
}

static void a_suffix_is_one_of_labels_not_of_bytes(void)
{
	struct dns_name domain = named("lab"), n = named("notlab"), m = named("3lab.x");
	struct dns_name inside = named("a\003lab");	/* the bytes of the domain, inside one label */
	unsigned below;

	CU_ASSERT_FALSE(dns_name_in(&n, &domain, &below));
	CU_ASSERT_FALSE(dns_name_in(&m, &domain, &below));
	CU_ASSERT_FALSE(dns_name_in(&inside, &domain, &below));
}

static void compression_goes_backwards_only(void)
{
	static const uint8_t GOOD[] = { 3, 'l', 'a', 'b', 0, 1, 'a', 0xc0, 12 };
	static const uint8_t SELF[] = { 0xc0, 12 };
	static const uint8_t TWO[] = { 0xc0, 14, 0xc0, 12 };
	static const uint8_t LABEL[] = { 1, 'a', 0xc0, 12 };	/* back to its own first label */
	static const uint8_t HEADER[] = { 0xc0, 0 };
	static const uint8_t FORWARD[] = { 0xc0, 14, 1, 'a', 0 };
	static const uint8_t CUT[] = { 0xc0 };
	struct dns_name n;
	uint8_t chain[600];

	CU_ASSERT_TRUE(name_at(GOOD, sizeof(GOOD), 5, &n));
	CU_ASSERT(n.labels == 2 && n.len == 7);
	CU_ASSERT_FALSE(name_at(SELF, sizeof(SELF), 0, &n));
	CU_ASSERT_FALSE(name_at(TWO, sizeof(TWO), 0, &n));
	CU_ASSERT_FALSE(name_at(TWO, sizeof(TWO), 2, &n));
	CU_ASSERT_FALSE(name_at(LABEL, sizeof(LABEL), 0, &n));
	CU_ASSERT_FALSE(name_at(HEADER, sizeof(HEADER), 0, &n));
	CU_ASSERT_FALSE(name_at(FORWARD, sizeof(FORWARD), 0, &n));
	CU_ASSERT_FALSE(name_at(CUT, sizeof(CUT), 0, &n));
	/* A long chain of pointers ends: each goes further back. */
	chain[0] = 0;
	chain[1] = 0;
	for (unsigned i = 2; i + 1 < sizeof(chain); i += 2) {
		chain[i] = (uint8_t)(0xc0 | (DNS_HEADER + i - 2) >> 8);
		chain[i + 1] = (uint8_t)(DNS_HEADER + i - 2);
	}
	CU_ASSERT_TRUE(name_at(chain, 600, 598, &n));
	CU_ASSERT_EQUAL(n.len, 1);
}

static void a_name_has_255_bytes_at_most(void)
{
	uint8_t b[300];
	struct dns_name n, m;

	memset(b, 1, sizeof(b));
	b[254] = 0;				/* 127 labels of one byte */
	CU_ASSERT_TRUE(name_at(b, 255, 0, &n));
	CU_ASSERT(n.len == 255 && n.labels == 127);
	CU_ASSERT_FALSE(dns_name_add(&m, text("x"), &n));
	b[254] = 1;
	b[256] = 0;
	CU_ASSERT_FALSE(name_at(b, 257, 0, &n));
	CU_ASSERT_FALSE(name_at("\100abcdefgh", 9, 0, &n));	/* 01 and 10 in the upper bits are no labels */
	CU_ASSERT_FALSE(name_at("\200abcdefgh", 9, 0, &n));
	CU_ASSERT_FALSE(name_at("\003ab", 3, 0, &n));
	CU_ASSERT_FALSE(dns_name_text(&n, text("a..b")));
	CU_ASSERT_FALSE(dns_name_text(&n, text("")));
	CU_ASSERT_FALSE(dns_name_text(&n, text("0123456789012345678901234567890123456789012345678901234567890123")));
}

/** struct asked - a question by hand */
struct asked {
	uint8_t at[600];
	size_t len;
};

static struct asked ask(uint16_t type, const char *name)
{
	static const uint8_t HEAD[] = { 0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
	struct dns_name n = named(name);
	struct asked a = { .len = sizeof(HEAD) + n.len + 4u };

	memcpy(a.at, HEAD, sizeof(HEAD));
	memcpy(a.at + sizeof(HEAD), n.at, n.len);
	memcpy(a.at + sizeof(HEAD) + n.len, (uint8_t[]){ (uint8_t)(type >> 8), (uint8_t)type, 0, 1 }, 4);
	return a;
}

static void more(struct asked *a, const void *bytes, size_t len)
{
	memcpy(a->at + a->len, bytes, len);
	a->len += len;
	a->at[11]++;
}

static enum drop get(const struct asked *a, struct dns_query *q, uint8_t *rcode)
{
	uint8_t *copy = malloc(a->len ? a->len : 1);
	enum drop why;

	memcpy(copy, a->at, a->len);
	why = dns_query_read((struct bytes){ copy, a->len }, q, rcode);
	free(copy);
	return why;
}

static void a_question_is_read(void)
{
	struct asked a = ask(DNS_AAAA, "Alma.lab");
	struct dns_query q;
	uint8_t rcode;

	CU_ASSERT_EQUAL(get(&a, &q, &rcode), DROP_NONE);
	CU_ASSERT(rcode == DNS_NOERROR && q.id == 0x1234 && q.rd && q.type == DNS_AAAA && q.class == DNS_IN);
	CU_ASSERT(q.size == 512 && !q.edns && q.name.at[1] == 'A');
	more(&a, "\0\0\051\020\0\0\0\200\0\0\0", 11);	/* OPT: 4096 bytes, DNSSEC OK */
	CU_ASSERT_EQUAL(get(&a, &q, &rcode), DROP_NONE);
	CU_ASSERT(rcode == DNS_NOERROR && q.edns && q.size == 4096 && q.dnssec_ok);
}

static void questions_that_are_none_get_their_code(void)
{
	struct dns_query q;
	struct asked a;
	uint8_t rcode;

	for (size_t len = 0; len < ask(DNS_A, "a.lab").len; len++) {
		a = ask(DNS_A, "a.lab");
		a.len = len;
		CU_ASSERT_EQUAL(get(&a, &q, &rcode), len < DNS_HEADER ? DROP_SHORT : DROP_NONE);
		CU_ASSERT(len < DNS_HEADER || rcode == DNS_FORMERR);
	}
	a = ask(DNS_A, "a.lab");
	a.at[2] |= 0x80;				/* an answer: never answered, or two servers talk for ever */
	CU_ASSERT_EQUAL(get(&a, &q, &rcode), DROP_ROGUE);
	a = ask(DNS_A, "a.lab");
	a.at[2] |= 5 << 3;				/* UPDATE */
	CU_ASSERT(get(&a, &q, &rcode) == DROP_NONE && rcode == DNS_NOTIMP);
	for (unsigned at = 5; at <= 9; at += 2) {	/* two questions; answers; authorities in a question */
		a = ask(DNS_A, "a.lab");
		a.at[at]++;
		CU_ASSERT(get(&a, &q, &rcode) == DROP_NONE && rcode == DNS_FORMERR);
	}
	a = ask(DNS_A, "a.lab");
	a.at[a.len++] = 0;				/* something behind the last record */
	CU_ASSERT(get(&a, &q, &rcode) == DROP_NONE && rcode == DNS_FORMERR);
	a = ask(DNS_OPT, "a.lab");
	CU_ASSERT(get(&a, &q, &rcode) == DROP_NONE && rcode == DNS_FORMERR);
}

static void edns_is_said_once_by_the_root_in_a_version_we_speak(void)
{
	struct dns_query q;
	struct asked a = ask(DNS_A, "a.lab");
	uint8_t rcode;

	more(&a, "\0\0\051\020\0\0\0\0\0\0\0", 11);
	more(&a, "\0\0\051\020\0\0\0\0\0\0\0", 11);
	CU_ASSERT(get(&a, &q, &rcode) == DROP_NONE && rcode == DNS_FORMERR);
	a = ask(DNS_A, "a.lab");
	more(&a, "\001x\0\0\051\020\0\0\0\0\0\0\0", 13);
	CU_ASSERT(get(&a, &q, &rcode) == DROP_NONE && rcode == DNS_FORMERR);
	a = ask(DNS_A, "a.lab");
	more(&a, "\0\0\051\020\0\0\001\0\0\0\0", 11);
	CU_ASSERT(get(&a, &q, &rcode) == DROP_NONE && rcode == DNS_BADVERS);
	a = ask(DNS_A, "a.lab");
	more(&a, "\0\0\051\0\020\0\0\0\0\0\0", 11);	/* says it takes 16 bytes */
	CU_ASSERT(get(&a, &q, &rcode) == DROP_NONE && q.size == 512);
	a = ask(DNS_A, "a.lab");
	more(&a, "\0\0\051\020\0\0\0\0\0\0\005\0", 12);	/* its options pass the end */
	CU_ASSERT(get(&a, &q, &rcode) == DROP_NONE && rcode == DNS_FORMERR);
}

/* What was written is a message: its records are read back, and nothing is left. */
static unsigned records(const uint8_t *buf, size_t len, struct dns_record *out)
{
	size_t at = DNS_HEADER;
	struct dns_name n;
	unsigned all = (unsigned)(buf[7] + buf[9] + buf[11]);

	if (buf[5]) {
		CU_ASSERT_TRUE_FATAL(dns_name_read((struct bytes){ buf, len }, &at, &n));
		at += 4;
	}
	for (unsigned i = 0; i < all; i++)
		CU_ASSERT_TRUE_FATAL(dns_record_read((struct bytes){ buf, len }, &at, &out[i]));
	CU_ASSERT_EQUAL(at, len);
	return all;
}

static void an_answer_repeats_the_question_and_says_who_it_is(void)
{
	struct asked a = ask(DNS_A, "ALMA.lab");
	struct dns_record rec[4];
	struct dns_query q;
	struct dns_reply r;
	struct ip ip = ip_v4(0x0afa0505);
	uint8_t buf[512], rcode;
	size_t len;

	get(&a, &q, &rcode);
	dns_begin(&r, &q, DNS_NOERROR, true, buf, sizeof(buf));
	dns_answer_ip(&r, 77, &ip);
	len = dns_end(&r);
	CU_ASSERT(!memcmp(buf, "\x12\x34\x85\0\0\1\0\1\0\0\0\0", 12));	/* QR AA RD, one answer */
	CU_ASSERT(!memcmp(buf + 12, a.at + 12, a.len - 12));		/* case and all */
	CU_ASSERT_EQUAL_FATAL(records(buf, len, rec), 1);
	CU_ASSERT(rec[0].type == DNS_A && rec[0].ttl_s == 77 && rec[0].data.len == 4 && rec[0].data.at[3] == 5);
	CU_ASSERT(rec[0].name.len == q.name.len && !memcmp(rec[0].name.at, q.name.at, q.name.len));
}

static void what_does_not_fit_is_truncated_whole(void)
{
	struct asked a = ask(DNS_AAAA, "alma.lab");
	struct dns_record rec[64];
	struct ip ip = { .family = 6 };
	struct dns_query q;
	struct dns_reply r;
	uint8_t buf[1232], rcode;
	size_t len;

	get(&a, &q, &rcode);
	dns_begin(&r, &q, DNS_NOERROR, true, buf, sizeof(buf));
	for (unsigned i = 0; i < 20; i++)
		dns_answer_ip(&r, 1, &ip);
	len = dns_end(&r);
	CU_ASSERT(len <= 512 && buf[2] & 2 && records(buf, len, rec) == buf[7] && buf[7] == 17);
	more(&a, "\0\0\051\020\0\0\0\200\0\0\0", 11);	/* and with EDNS it all fits: RFC 6891 */
	get(&a, &q, &rcode);
	dns_begin(&r, &q, DNS_NOERROR, true, buf, sizeof(buf));
	for (unsigned i = 0; i < 20; i++)
		dns_answer_ip(&r, 1, &ip);
	len = dns_end(&r);
	CU_ASSERT(!(buf[2] & 2) && records(buf, len, rec) == 21 && rec[20].type == DNS_OPT);
	CU_ASSERT(rec[20].class == DNS_EDNS_SIZE && rec[20].ttl_s == 0x8000 && !rec[20].name.labels);
}

static void a_long_code_needs_edns(void)
{
	struct asked a = ask(DNS_A, "alma.lab");
	struct dns_record rec[2];
	struct dns_query q;
	struct dns_reply r;
	uint8_t buf[512], rcode;
	size_t len;

	more(&a, "\0\0\051\020\0\0\001\0\0\0\0", 11);
	get(&a, &q, &rcode);
	dns_begin(&r, &q, rcode, false, buf, sizeof(buf));
	len = dns_end(&r);
	CU_ASSERT(records(buf, len, rec) == 1 && (buf[3] & 15) == 0 && rec[0].ttl_s >> 24 == 1);	/* BADVERS is 1, 0 */
}

static void a_no_says_where_it_comes_from(void)
{
	struct asked a = ask(DNS_A, "nobody.lab");
	struct dns_name zone = named("lab"), server = named("gateway.lab"), n;
	struct dns_record rec[2];
	struct dns_query q;
	struct dns_reply r;
	uint8_t buf[512], rcode;
	size_t len, at;

	get(&a, &q, &rcode);
	dns_begin(&r, &q, DNS_NXDOMAIN, true, buf, sizeof(buf));
	dns_soa(&r, false, &zone, &server, 9, 5);
	len = dns_end(&r);
	CU_ASSERT((buf[3] & 15) == DNS_NXDOMAIN && buf[7] == 0 && buf[9] == 1);
	CU_ASSERT_EQUAL_FATAL(records(buf, len, rec), 1);
	CU_ASSERT(rec[0].type == DNS_SOA && rec[0].ttl_s == 5 && rec[0].name.labels == 1);
	at = rec[0].data_at;
	CU_ASSERT(dns_name_read((struct bytes){ buf, len }, &at, &n) && n.labels == 2);
	CU_ASSERT(dns_name_read((struct bytes){ buf, len }, &at, &n) && n.labels == 2 && dns_label(&n, 0).len == 10);
	CU_ASSERT(len - at == 20 && buf[len - 1] == 5 && buf[at + 3] == 9);	/* minimum, serial */
}

CU_TestInfo dns_wire_tests[] = {
	{ "names are read and built alike", names_are_read_and_built_alike },
	{ "a suffix is one of labels, not of bytes", a_suffix_is_one_of_labels_not_of_bytes },
	{ "compression goes backwards only (RFC 1035 4.1.4)", compression_goes_backwards_only },
	{ "a name has 255 bytes at most (RFC 1035 2.3.4)", a_name_has_255_bytes_at_most },
	{ "a question is read", a_question_is_read },
	{ "questions that are none get their code", questions_that_are_none_get_their_code },
	{ "EDNS is said once, by the root, in a version we speak (RFC 6891 6.1)", edns_is_said_once_by_the_root_in_a_version_we_speak },
	{ "an answer repeats the question and says who it is", an_answer_repeats_the_question_and_says_who_it_is },
	{ "what does not fit is truncated whole (RFC 2181 9)", what_does_not_fit_is_truncated_whole },
	{ "a long code needs EDNS", a_long_code_needs_edns },
	{ "a no says where it comes from (RFC 2308 2)", a_no_says_where_it_comes_from },
	CU_TEST_INFO_NULL
};
