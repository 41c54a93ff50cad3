/*
 * The name server answers for its network and for nothing else: computed names
 * as the paper has them, published ones as the DHT has them, with TTLs that end
 * when the records do; a no is a no only if the DHT said so.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/vnet/dns_server.h"
#include "tests/unit/bare.h"
#include "tests/unit/suites.h"

struct looked {
	uint64_t cookie;
	char name[80];
	uint8_t type;
};

struct lab {
	struct bare bare;
	struct dnsd d;
	struct network_record net;
	struct looked look[600];
	unsigned looks, sent, forwards;
	bool forwarding;		/* somebody else may know */
	bool deaf;			/* the DHT takes no questions */
	uint8_t buf[DNSD_MESSAGE];
	size_t len;
	struct dns_asker to;
	struct dns_record rec[24];	/* answers, authorities, additional of what was sent last */
	unsigned answers, authorities, recs;
	uint8_t rcode, flags;
	int64_t due_ns;
};

static bool fake_look(void *ctx, struct env *e, uint64_t cookie, struct bytes name, uint8_t type)
{
	struct lab *l = ctx;

	(void)e;
	if (l->deaf || l->looks == 600)
		return false;
	l->look[l->looks] = (struct looked){ .cookie = cookie, .type = type };
	memcpy(l->look[l->looks++].name, name.at, name.len);
	return true;
}

static void fake_send(void *ctx, struct env *e, const struct dns_asker *to, struct bytes m)
{
	struct lab *l = ctx;
	size_t at = DNS_HEADER;
	struct dns_name n;

	(void)e;
	l->sent++;
	l->to = *to;
	l->len = m.len;
	CU_ASSERT_TRUE_FATAL(m.len >= DNS_HEADER && m.len <= sizeof(l->buf));
	memcpy(l->buf, m.at, m.len);
	CU_ASSERT_TRUE(l->buf[2] & 0x80);
	l->rcode = l->buf[3] & 15;
	l->flags = l->buf[2];
	l->answers = l->buf[7];
	l->authorities = l->buf[9];
	l->recs = l->answers + l->authorities + l->buf[11];
	CU_ASSERT_TRUE_FATAL(l->recs <= 24);
	if (l->buf[5]) {
		CU_ASSERT_TRUE_FATAL(dns_name_read((struct bytes){ l->buf, l->len }, &at, &n));
		at += 4;
	}
	for (unsigned i = 0; i < l->recs; i++)
		CU_ASSERT_TRUE_FATAL(dns_record_read((struct bytes){ l->buf, l->len }, &at, &l->rec[i]));
	CU_ASSERT_EQUAL(at, l->len);
}

static bool fake_forward(void *ctx, struct env *e, const struct dns_asker *from, const struct dns_query *q)
{
	struct lab *l = ctx;

	(void)e, (void)from, (void)q;
	l->forwards++;
	return l->forwarding;
}

static void fake_due(void *ctx, struct env *e, int64_t at_ns)
{
	(void)e;
	((struct lab *)ctx)->due_ns = at_ns;
}

static const struct dns_ports FAKES = { fake_look, fake_forward, fake_send, fake_due };

static struct ip six(uint8_t last)
{
	return (struct ip){ .at = { 0xfd, 0, 0, 1, [15] = last }, .family = 6 };
}

static struct lab *lab_new(void)
{
	struct lab *l = calloc(1, sizeof(*l));

	bare_init(&l->bare, 1);
	l->bare.env.now_ns = 1000 * NS_PER_S;
	l->net = (struct network_record){
		.range4 = { ip_v4(0x0afa0000), 16 }, .range6 = { six(0), 64 }, .domain = "lab.weft", .serial = 7,
	};
	dnsd_init(&l->d, &l->bare.env, &FAKES, l);
	l->d.net = &l->net;
	return l;
}

static void lab_free(struct lab *l)
{
	dnsd_done(&l->d, &l->bare.env);
	CU_ASSERT_TRUE(bare_done(&l->bare));
	free(l);
}

static enum drop ask_as(struct lab *l, const char *name, uint16_t type, uint16_t class, uint16_t id, uint16_t port)
{
	struct dns_asker from = { .ip = ip_v4(0x0afa0102), .at = ip_v4(0x0afa0001), .port = port };
	uint8_t buf[300];
	struct writer w = writer_of(buf, sizeof(buf));
	struct dns_name n;

	CU_ASSERT_TRUE_FATAL(dns_name_text(&n, (struct bytes){ (const uint8_t *)name, strlen(name) }));
	write_u16(&w, id);
	write_u16(&w, 0x0100);
	write_u16(&w, 1);
	write_u16(&w, 0);
	write_u32(&w, 0);
	write_copy(&w, n.at, n.len);
	write_u16(&w, type);
	write_u16(&w, class);
	return dnsd_message(&l->d, &l->bare.env, &from, (struct bytes){ buf, writer_len(&w) });
}

static void ask(struct lab *l, const char *name, uint16_t type)
{
	CU_ASSERT_EQUAL(ask_as(l, name, type, DNS_IN, 1, 4444), DROP_NONE);
}

static void tell(struct lab *l, uint8_t verdict, const struct value *v, unsigned values)
{
	struct looked k = l->look[0];

	CU_ASSERT_TRUE_FATAL(l->looks > 0);
	memmove(l->look, l->look + 1, --l->looks * sizeof(k));
	dnsd_answer(&l->d, &l->bare.env, k.cookie, verdict, v, values);
}

static struct value value(uint8_t type, const char *bytes, size_t len, uint32_t left_s)
{
	return (struct value){ .type = type, .left_ms = left_s * 1000 + 999, .data = { (const uint8_t *)bytes, len } };
}

/* The name in record @i's data, as text. */
static const char *points_to(struct lab *l, unsigned i)
{
	static char out[300];
	size_t at = l->rec[i].data_at, n = 0;
	struct dns_name name;

	CU_ASSERT_TRUE_FATAL(dns_name_read((struct bytes){ l->buf, l->len }, &at, &name));
	for (unsigned k = 0; k < name.labels; k++)
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%.*s", k ? "." : "", (int)dns_label(&name, k).len,
				      (const char *)dns_label(&name, k).at);
	return out;
}

static uint32_t answer4(const struct lab *l, unsigned i)
{
	const uint8_t *b = l->rec[i].data.at;

	return l->rec[i].type == DNS_A ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3] : 0;
}

static void is_no(const struct lab *l, uint8_t rcode)
{
	CU_ASSERT(l->rcode == rcode && !l->answers && l->authorities == 1 && l->rec[0].type == DNS_SOA);
	CU_ASSERT(l->rec[0].ttl_s == DNSD_NO_S && l->flags & 4);
}

static const struct value ALMA = { .type = VALUE_ADDRESS, .left_ms = 120999,
				   .data = { (const uint8_t *)"\004\012\372\005\005", 5 } };

static void computed_names_follow_the_paper(void)
{
	static const struct { const char *name; uint32_t ip; } IS[] = {
		{ "C250005005.lab.weft", 0x0afa0505 }, { "c250005005.LAB.weft", 0x0afa0505 }, { "C250005005", 0x0afa0505 },
		{ "C250000001.lab.weft", 0x0afa0001 }, { "C250255254.lab.weft", 0x0afafffe },
	};
	static const char *const NOT[] = {
		"C251005005.lab.weft", "C250256005.lab.weft", "C250000000.lab.weft", "C250255255.lab.weft",
	};
	struct lab *l = lab_new();

	for (unsigned i = 0; i < 5; i++) {
		ask(l, IS[i].name, DNS_A);
		CU_ASSERT(l->rcode == DNS_NOERROR && l->answers == 1 && answer4(l, 0) == IS[i].ip && l->flags & 4);
	}
	for (unsigned i = 0; i < 4; i++) {
		ask(l, NOT[i], DNS_A);
		is_no(l, DNS_NXDOMAIN);
	}
	ask(l, "C250005005.lab.weft", DNS_AAAA);	/* it exists, without such an address */
	is_no(l, DNS_NOERROR);
	CU_ASSERT_EQUAL(l->looks, 0);			/* nobody was asked */
	lab_free(l);
}

static void published_names_are_asked_of_the_dht(void)
{
	struct lab *l = lab_new();

	ask(l, "Alma.Lab.weft", DNS_A);
	CU_ASSERT(!l->sent && l->looks == 1 && !strcmp(l->look[0].name, "alma") && l->look[0].type == VALUE_ADDRESS);
	tell(l, VERDICT_OK, &ALMA, 1);
	CU_ASSERT(l->sent == 1 && l->answers == 1 && answer4(l, 0) == 0x0afa0505 && l->rec[0].ttl_s == 120);
	CU_ASSERT(l->to.port == 4444 && l->to.ip.at[3] == 2 && l->to.at.at[3] == 1);
	lab_free(l);
}

static void the_ttl_is_what_is_left_of_the_record(void)
{
	struct lab *l = lab_new();
	struct value v = ALMA;

	ask(l, "alma.lab.weft", DNS_A);
	tell(l, VERDICT_OK, &v, 1);
	l->bare.env.now_ns += 50 * NS_PER_S;
	ask(l, "alma.lab.weft", DNS_A);			/* from what is kept */
	CU_ASSERT(l->sent == 2 && !l->looks && l->rec[0].ttl_s == 70);
	l->bare.env.now_ns += 71 * NS_PER_S;
	ask(l, "alma.lab.weft", DNS_A);			/* IPOP kept answers for ever */
	CU_ASSERT(l->sent == 2 && l->looks == 1);
	v.left_ms = UINT32_MAX;
	tell(l, VERDICT_OK, &v, 1);
	CU_ASSERT_EQUAL(l->rec[0].ttl_s, DNSD_TTL_MAX_S);
	lab_free(l);
}

static void one_name_has_addresses_of_both_kinds(void)
{
	static const char BOTH[] = "\004\012\372\005\005\006\375\0\0\001\0\0\0\0\0\0\0\0\0\0\0\011\004\012\372\005\006";
	struct value v = value(VALUE_ADDRESS, BOTH, sizeof(BOTH) - 1, 60);
	struct lab *l = lab_new();

	ask(l, "alma.lab.weft", DNS_AAAA);
	tell(l, VERDICT_OK, &v, 1);
	CU_ASSERT(l->answers == 1 && l->rec[0].type == DNS_AAAA && l->rec[0].data.at[15] == 9);
	ask(l, "alma.lab.weft", DNS_A);
	CU_ASSERT(l->answers == 2 && answer4(l, 1) == 0x0afa0506);
	ask(l, "alma.lab.weft", DNS_ANY);
	CU_ASSERT_EQUAL(l->answers, 3);
	ask(l, "alma.lab.weft", 15);			/* MX: the name exists */
	is_no(l, DNS_NOERROR);
	lab_free(l);
}

static void nxdomain_is_not_nodata_and_neither_is_servfail(void)
{
	static const uint8_t SILENT[] = { VERDICT_TIMEOUT, VERDICT_WAIT, VERDICT_DENIED, VERDICT_FULL };
	struct lab *l = lab_new();

	ask(l, "nobody.lab.weft", DNS_A);
	tell(l, VERDICT_ABSENT, NULL, 0);
	is_no(l, DNS_NXDOMAIN);
	CU_ASSERT(!strcmp(points_to(l, 0), "gateway.lab.weft"));
	ask(l, "nobody.lab.weft", DNS_AAAA);		/* kept for a moment ... */
	CU_ASSERT(!l->looks && l->rcode == DNS_NXDOMAIN);
	l->bare.env.now_ns += DNSD_NO_S * NS_PER_S;
	ask(l, "nobody.lab.weft", DNS_A);		/* ... and no longer */
	CU_ASSERT_EQUAL(l->looks, 1);
	tell(l, VERDICT_OK, &ALMA, 1);
	CU_ASSERT_EQUAL(l->answers, 1);
	for (unsigned i = 0; i < 4; i++) {
		ask(l, "other.lab.weft", DNS_A);
		tell(l, SILENT[i], NULL, 0);
		CU_ASSERT(l->rcode == DNS_SERVFAIL && !l->answers);
	}
	l->deaf = true;
	ask(l, "other.lab.weft", DNS_A);
	CU_ASSERT(l->rcode == DNS_SERVFAIL && !l->looks && l->d.entries == 1);
	lab_free(l);
}

static void reverse_names_come_back(void)
{
	struct value v = value(VALUE_POINTER, "alma", 4, 30), bad = value(VALUE_POINTER, "www.bank", 8, 30);
	struct lab *l = lab_new();

	ask(l, "5.5.250.10.in-addr.arpa", DNS_PTR);
	CU_ASSERT(l->looks == 1 && !strcmp(l->look[0].name, "5.5.250.10.in-addr.arpa"));
	CU_ASSERT_EQUAL(l->look[0].type, VALUE_POINTER);
	tell(l, VERDICT_OK, &v, 1);
	CU_ASSERT(l->answers == 1 && !strcmp(points_to(l, 0), "alma.lab.weft") && l->rec[0].ttl_s == 30);
	ask(l, "6.5.250.10.IN-ADDR.arpa", DNS_PTR);	/* nothing published: the computed name */
	tell(l, VERDICT_ABSENT, NULL, 0);
	CU_ASSERT(l->answers == 1 && !strcmp(points_to(l, 0), "C250005006.lab.weft"));
	CU_ASSERT_EQUAL(l->rec[0].ttl_s, DNSD_COMPUTED_S);
	ask(l, "7.5.250.10.in-addr.arpa", DNS_PTR);	/* a pointer leads nowhere else than into the domain */
	tell(l, VERDICT_OK, &bad, 1);
	CU_ASSERT(l->answers == 1 && !strcmp(points_to(l, 0), "C250005007.lab.weft"));
	ask(l, "1.0.250.10.in-addr.arpa", DNS_PTR);
	CU_ASSERT(!l->looks && !strcmp(points_to(l, 0), "gateway.lab.weft"));
	ask(l, "5.5.250.10.in-addr.arpa", DNS_A);
	is_no(l, DNS_NOERROR);
	lab_free(l);
}

static void reverse_names_of_ipv6(void)
{
#define ZEROS "0.0.0.0.0.0.0.0.0.0.0.0.0.0."
	static const char NAME[] = "9.0." ZEROS "0.0.0.0.0.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa";
	struct value v = value(VALUE_POINTER, "alma", 4, 30);
	struct lab *l = lab_new();
	struct ip a = six(9);
	uint8_t text[DNS_KEY_MAX];

	CU_ASSERT(dns_reverse(&a, text) == 72 && !memcmp(text, NAME, 72));
	ask(l, NAME, DNS_PTR);
	CU_ASSERT_EQUAL_FATAL(l->looks, 1);
	tell(l, VERDICT_OK, &v, 1);
	CU_ASSERT(l->answers == 1 && !strcmp(points_to(l, 0), "alma.lab.weft"));
	ask(l, "8.0." ZEROS "0.0.0.0.0.0.0.0.1.0.0.0.0.0.d.F.ip6.arpa", DNS_PTR);
	tell(l, VERDICT_ABSENT, NULL, 0);		/* no computed form: the name is not there */
	is_no(l, DNS_NXDOMAIN);
	ask(l, "x.0." ZEROS "0.0.0.0.0.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa", DNS_PTR);
	is_no(l, DNS_NXDOMAIN);
	lab_free(l);
}

static void names_between_have_nothing_and_exist(void)
{
	struct lab *l = lab_new();

	ask(l, "5.250.10.in-addr.arpa", DNS_PTR);	/* RFC 8020: something is below it */
	is_no(l, DNS_NOERROR);
	ask(l, "250.10.in-addr.arpa", DNS_SOA);
	CU_ASSERT(l->answers == 1 && l->rec[0].type == DNS_SOA);
	ask(l, "1.5.5.250.10.in-addr.arpa", DNS_PTR);
	is_no(l, DNS_NXDOMAIN);
	ask(l, "05.5.250.10.in-addr.arpa", DNS_PTR);
	is_no(l, DNS_NXDOMAIN);
	ask(l, "256.5.250.10.in-addr.arpa", DNS_PTR);
	is_no(l, DNS_NXDOMAIN);
	ask(l, "a.b.lab.weft", DNS_A);
	is_no(l, DNS_NXDOMAIN);
	ask(l, "no_host.lab.weft", DNS_A);
	is_no(l, DNS_NXDOMAIN);
	CU_ASSERT_EQUAL(l->looks, 0);
	lab_free(l);
}

static void the_apex_says_who_serves_it(void)
{
	struct lab *l = lab_new();

	ask(l, "lab.weft", DNS_SOA);
	CU_ASSERT(l->answers == 1 && l->rec[0].type == DNS_SOA && !l->authorities);
	ask(l, "lab.weft", DNS_NS);
	CU_ASSERT(l->answers == 1 && !strcmp(points_to(l, 0), "gateway.lab.weft"));
	ask(l, "lab.weft", DNS_A);
	is_no(l, DNS_NOERROR);
	ask(l, "gateway.lab.weft", DNS_A);
	CU_ASSERT(l->answers == 1 && answer4(l, 0) == 0x0afa0001);
	ask(l, "gateway.lab.weft", DNS_AAAA);
	CU_ASSERT(l->answers == 1 && l->rec[0].data.at[15] == 1);
	lab_free(l);
}

static void other_names_are_refused(void)
{
	static const char *const FOREIGN[] = {
		"example.org", "weft", "notlab.weft", "5.5.251.10.in-addr.arpa", "10.in-addr.arpa", "arpa", "alma",
		"9.0.0.0.ip6.arpa", "C251005005", "x.10.in-addr.arpa",
	};
	struct lab *l = lab_new();

	for (unsigned i = 0; i < sizeof(FOREIGN) / sizeof(*FOREIGN); i++) {
		ask(l, FOREIGN[i], DNS_A);
		CU_ASSERT(l->sent == i + 1 && l->rcode == DNS_REFUSED && !l->recs && !(l->flags & 4));
	}
	CU_ASSERT_EQUAL(ask_as(l, "alma.lab.weft", DNS_A, 3, 1, 1), DROP_NONE);	/* class CHAOS */
	CU_ASSERT_EQUAL(l->rcode, DNS_REFUSED);
	ask(l, "lab.weft", DNS_AXFR);
	CU_ASSERT_EQUAL(l->rcode, DNS_REFUSED);
	CU_ASSERT_EQUAL(l->looks, 0);
	lab_free(l);
}

static void other_names_are_forwarded_and_ours_never(void)
{
	struct lab *l = lab_new();

	l->forwarding = true;
	ask(l, "example.org", DNS_A);
	CU_ASSERT(l->forwards == 1 && !l->sent);
	ask(l, "lab.weft", DNS_AXFR);
	ask(l, "example.org", DNS_AXFR);
	CU_ASSERT(l->sent == 2 && l->rcode == DNS_REFUSED);
	ask_as(l, "example.org", DNS_A, 3, 1, 1);
	CU_ASSERT(l->sent == 3 && l->rcode == DNS_REFUSED);
	ask(l, "alma.lab.weft", DNS_A);
	ask(l, "5.5.250.10.in-addr.arpa", DNS_PTR);
	ask(l, "no.such.lab.weft", DNS_A);
	CU_ASSERT(l->forwards == 1 && l->looks == 2);
	lab_free(l);
}

static void one_question_to_the_dht_answers_all_who_wait(void)
{
	struct lab *l = lab_new();

	for (uint16_t i = 0; i < 5; i++)
		ask_as(l, "alma.lab.weft", i % 2 ? DNS_A : DNS_AAAA, DNS_IN, i, 1000);
	ask_as(l, "alma.lab.weft", DNS_A, DNS_IN, 1, 1000);	/* said again */
	CU_ASSERT(l->looks == 1 && l->d.waitings == 5);
	tell(l, VERDICT_OK, &ALMA, 1);
	CU_ASSERT(l->sent == 5 && !l->d.waitings);
	lab_free(l);
}

static void waiting_and_keeping_are_bounded(void)
{
	struct lab *l = lab_new();
	char name[32];

	for (unsigned i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "n%u.lab.weft", i);
		ask(l, name, DNS_A);
	}
	CU_ASSERT(l->d.waitings == DNSD_WAITING && l->sent == 50 - DNSD_WAITING && l->rcode == DNS_SERVFAIL);
	CU_ASSERT_EQUAL(l->bare.fx.drops[DROP_FULL], 50 - DNSD_WAITING);
	while (l->looks)
		tell(l, VERDICT_OK, &ALMA, 1);
	for (unsigned i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "m%u.lab.weft", i);
		ask(l, name, DNS_A);
		tell(l, VERDICT_OK, &ALMA, 1);
		CU_ASSERT_EQUAL(l->rcode, DNS_NOERROR);
	}
	CU_ASSERT_EQUAL(l->d.entries, DNSD_ENTRIES);
	l->bare.env.now_ns = l->due_ns;
	dnsd_timer(&l->d, &l->bare.env);
	CU_ASSERT(!l->d.entries && l->due_ns == INT64_MAX && !l->bare.bytes);	/* nothing is kept past its time */
	lab_free(l);
}

static void a_dht_that_never_answers_leaves_nothing(void)
{
	struct lab *l = lab_new();

	ask(l, "alma.lab.weft", DNS_A);
	l->bare.env.now_ns = l->due_ns;
	dnsd_timer(&l->d, &l->bare.env);
	CU_ASSERT(!l->d.entries && !l->d.waitings && !l->bare.bytes && l->bare.fx.drops[DROP_SILENT] == 1);
	tell(l, VERDICT_OK, &ALMA, 1);			/* and too late is too late */
	CU_ASSERT(!l->sent && l->bare.fx.drops[DROP_STALE] == 1);
	lab_free(l);
}

static void published_rubbish_is_not_told(void)
{
	static const struct { const char *bytes; size_t len; } BAD[] = {
		{ "\004\010\010\010\010", 5 },		/* an address that is not of this network */
		{ "\004\012\372\005", 4 }, { "\007\012\372\005\005", 5 }, { "", 0 }, { "\006\375", 2 },
	};
	struct lab *l = lab_new();
	char many[17 * 5];

	for (unsigned i = 0; i < 5; i++) {
		struct value v = value(VALUE_ADDRESS, BAD[i].bytes, BAD[i].len, 60);

		ask(l, "alma.lab.weft", DNS_A);
		tell(l, VERDICT_OK, &v, 1);
		is_no(l, DNS_NXDOMAIN);
		l->bare.env.now_ns += 10 * NS_PER_S;
	}
	for (unsigned i = 0; i < 17; i++)
		memcpy(many + 5 * i, (uint8_t[]){ 4, 10, 250, 9, (uint8_t)i }, 5);
	ask(l, "berta.lab.weft", DNS_A);
	tell(l, VERDICT_OK, (struct value[]){ value(VALUE_PLAIN, "x", 1, 1), value(VALUE_ADDRESS, many, 85, 60) }, 2);
	CU_ASSERT(l->answers == DNSD_ADDRESSES && l->rec[0].ttl_s == 60);
	lab_free(l);
}

static void what_we_know_better_is_forgotten(void)
{
	struct lab *l = lab_new();

	ask(l, "alma.lab.weft", DNS_A);
	tell(l, VERDICT_ABSENT, NULL, 0);
	dnsd_forget(&l->d, &l->bare.env, (struct bytes){ (const uint8_t *)"alma", 4 }, VALUE_ADDRESS);
	ask(l, "alma.lab.weft", DNS_A);
	CU_ASSERT_EQUAL(l->looks, 1);
	lab_free(l);
}

static void bad_questions_get_a_code_and_answers_get_silence(void)
{
	struct dns_asker from = { .ip = ip_v4(0x0afa0102), .at = ip_v4(0x0afa0001), .port = 53 };
	static const uint8_t LOOP[] = { 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1 };
	static const uint8_t ANSWER[] = { 0, 1, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1 };
	struct lab *l = lab_new();

	CU_ASSERT_EQUAL(dnsd_message(&l->d, &l->bare.env, &from, (struct bytes){ LOOP, sizeof(LOOP) }), DROP_VALUE);
	CU_ASSERT(l->sent == 1 && l->rcode == DNS_FORMERR && l->len == DNS_HEADER);
	CU_ASSERT_EQUAL(dnsd_message(&l->d, &l->bare.env, &from, (struct bytes){ ANSWER, sizeof(ANSWER) }), DROP_ROGUE);
	CU_ASSERT_EQUAL(dnsd_message(&l->d, &l->bare.env, &from, (struct bytes){ LOOP, 11 }), DROP_SHORT);
	CU_ASSERT(l->sent == 1 && !l->bare.bytes);
	lab_free(l);
}

static void networks_without_a_part_refuse_it(void)
{
	struct lab *l = lab_new();

	l->net.range6 = (struct ip_range){ 0 };
	ask(l, "9.0." ZEROS "0.0.0.0.0.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa", DNS_PTR);
	CU_ASSERT_EQUAL(l->rcode, DNS_REFUSED);
	l->net.range6 = (struct ip_range){ six(0), 64 };
	l->net.range4 = (struct ip_range){ 0 };
	ask(l, "5.5.250.10.in-addr.arpa", DNS_PTR);
	CU_ASSERT_EQUAL(l->rcode, DNS_REFUSED);
	ask(l, "C250005005.lab.weft", DNS_A);
	is_no(l, DNS_NXDOMAIN);
	ask(l, "gateway.lab.weft", DNS_A);
	is_no(l, DNS_NOERROR);
	l->net.domain[0] = 0;
	ask(l, "alma.lab.weft", DNS_A);
	CU_ASSERT_EQUAL(l->rcode, DNS_REFUSED);
	lab_free(l);
}

static void ranges_that_end_inside_an_octet(void)
{
	struct lab *l = lab_new();

	l->net.range4 = (struct ip_range){ ip_v4(0xac100000), 12 };	/* 172.16/12: apex 172.in-addr.arpa */
	ask(l, "1.2.17.172.in-addr.arpa", DNS_PTR);
	CU_ASSERT_EQUAL_FATAL(l->looks, 1);
	tell(l, VERDICT_ABSENT, NULL, 0);
	CU_ASSERT(!strcmp(points_to(l, 0), "C017002001.lab.weft"));
	ask(l, "1.2.32.172.in-addr.arpa", DNS_PTR);
	CU_ASSERT_EQUAL(l->rcode, DNS_REFUSED);		/* beside the range: not ours */
	ask(l, "C032002001.lab.weft", DNS_A);
	is_no(l, DNS_NXDOMAIN);
	lab_free(l);
}

/* Every computed name leads to its address and back. */
static void computed_names_are_one_to_one(void)
{
	struct lab *l = lab_new();

	for (uint32_t a = 0x0afa0001; a < 0x0afaffff; a += 97) {
		struct ip ip = ip_v4(a);
		struct dns_means m;
		struct dns_name n;
		uint8_t label[10], text[DNS_KEY_MAX];

		CU_ASSERT_TRUE_FATAL(dns_computed(&l->net, &ip, label));
		CU_ASSERT_TRUE_FATAL(dns_name_text(&n, (struct bytes){ label, 10 }));
		dns_place(&l->net, &n, &m);
		CU_ASSERT(m.place == PLACE_COMPUTED && ip_eq(&m.ip, &ip));
		CU_ASSERT_TRUE_FATAL(dns_name_text(&n, (struct bytes){ text, dns_reverse(&ip, text) }));
		dns_place(&l->net, &n, &m);
		CU_ASSERT(m.place == PLACE_ADDRESS && ip_eq(&m.ip, &ip));
	}
	lab_free(l);
}

CU_TestInfo dns_tests[] = {
	{ "computed names follow the paper (papers/002 4.3)", computed_names_follow_the_paper },
	{ "published names are asked of the DHT", published_names_are_asked_of_the_dht },
	{ "the TTL is what is left of the record (IPOP: none)", the_ttl_is_what_is_left_of_the_record },
	{ "one name has addresses of both kinds", one_name_has_addresses_of_both_kinds },
	{ "NXDOMAIN is not NODATA, and neither is SERVFAIL (RFC 2308)", nxdomain_is_not_nodata_and_neither_is_servfail },
	{ "reverse names come back", reverse_names_come_back },
	{ "reverse names of IPv6 (RFC 3596 2.5)", reverse_names_of_ipv6 },
	{ "names between have nothing, and exist (RFC 8020)", names_between_have_nothing_and_exist },
	{ "the apex says who serves it", the_apex_says_who_serves_it },
	{ "other names are refused", other_names_are_refused },
	{ "other names are forwarded, ours never", other_names_are_forwarded_and_ours_never },
	{ "one question to the DHT answers all who wait", one_question_to_the_dht_answers_all_who_wait },
	{ "waiting and keeping are bounded", waiting_and_keeping_are_bounded },
	{ "a DHT that never answers leaves nothing", a_dht_that_never_answers_leaves_nothing },
	{ "published rubbish is not told", published_rubbish_is_not_told },
	{ "what we know better is forgotten", what_we_know_better_is_forgotten },
	{ "bad questions get a code, answers get silence", bad_questions_get_a_code_and_answers_get_silence },
	{ "networks without a part refuse it", networks_without_a_part_refuse_it },
	{ "ranges that end inside an octet", ranges_that_end_inside_an_octet },
	{ "computed names are one to one", computed_names_are_one_to_one },
	CU_TEST_INFO_NULL
};
