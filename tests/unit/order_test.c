/* What a control client may ask, and that everything else is refused with a reason. */
#include "node/order.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/suites.h"

#define KEY "0123456789abcdeffedcba9876543210"

static bool take(const char *line, struct order *o, char why[WHY_LEN])
{
	return order_read(line, strlen(line), o, why);
}

static void each_order_is_read(void)
{
	char line[100], why[WHY_LEN];
	struct order o;

	for (int k = 0; k < ORDERS; k++) {
		snprintf(line, sizeof(line), "{\"ask\":\"%s\"}", order_text((enum order_kind)k));
		if (k == ORDER_TRACE || k == ORDER_RESOLVE || (k >= ORDER_CALL && k <= ORDER_DELETE) || k == ORDER_PCAP) {
			CU_ASSERT_FALSE(take(line, &o, why));	/* it does not say of what */
			continue;
		}
		CU_ASSERT_TRUE(take(line, &o, why));
		CU_ASSERT(o.kind == (enum order_kind)k && !*o.id);
	}
}

static void a_call_has_an_endpoint(void)
{
	char why[WHY_LEN];
	struct order o;

	CU_ASSERT_TRUE(take("{\"ask\":\"call\",\"at\":\"192.0.2.1:9338\"}", &o, why));
	CU_ASSERT(o.at.kind == ENDPOINT_UDP4 && o.at.port == 9338);
	CU_ASSERT_FALSE(take("{\"ask\":\"call\",\"at\":\"example.org:9338\"}", &o, why));
	CU_ASSERT_FALSE(take("{\"ask\":\"call\",\"at\":\"0.0.0.0:9338\"}", &o, why));
	CU_ASSERT_FALSE(take("{\"ask\":\"call\",\"at\":\"192.0.2.1:0\"}", &o, why));
	CU_ASSERT_FALSE(take("{\"ask\":\"call\",\"at\":7}", &o, why));
}

static void a_trace_has_a_key_and_a_time(void)
{
	char why[WHY_LEN];
	struct order o;

	CU_ASSERT_TRUE(take("{\"ask\":\"trace\",\"key\":\"" KEY "\"}", &o, why));
	CU_ASSERT(o.key.hi == UINT64_C(0x0123456789abcdef) && o.timeout_ns == 10 * NS_PER_S);
	CU_ASSERT_TRUE(take(" { \"timeout_ms\" : 1 , \"key\":\"" KEY "\",\"ask\":\"trace\"}\t", &o, why));
	CU_ASSERT_EQUAL(o.timeout_ns, NS_PER_MS);
	CU_ASSERT_TRUE(take("{\"ask\":\"trace\",\"key\":\"" KEY "\",\"timeout_ms\":60000}", &o, why));
}

static void who_holds_an_address_may_name_its_network(void)
{
	char why[WHY_LEN];
	struct order o;

	CU_ASSERT_TRUE(take("{\"ask\":\"resolve\",\"address\":\"10.9.0.7\"}", &o, why));
	CU_ASSERT(o.ip.family == 4 && ip_u32(&o.ip) == 0x0a090007 && !*o.network);
	CU_ASSERT_TRUE(take("{\"ask\":\"resolve\",\"address\":\"fd00::7\",\"network\":\"home\",\"timeout_ms\":5}", &o, why));
	CU_ASSERT(o.ip.family == 6 && o.ip.at[15] == 7 && o.timeout_ns == 5 * NS_PER_MS);
	CU_ASSERT_STRING_EQUAL(o.network, "home");
}

static void pings_values_and_captures_say_what_they_need(void)
{
	char why[WHY_LEN];
	struct order o;

	CU_ASSERT_TRUE(take("{\"ask\":\"ping\",\"key\":\"" KEY "\",\"network\":\"home\",\"size\":1400,\"timeout_ms\":9}", &o, why));
	CU_ASSERT(o.kind == ORDER_PING && o.size == 1400 && o.timeout_ns == 9 * NS_PER_MS && !strcmp(o.network, "home"));
	CU_ASSERT_TRUE(take("{\"ask\":\"put\",\"name\":\"printer\",\"value\":\"\"}", &o, why));
	CU_ASSERT(!strcmp(o.name, "printer") && !*o.value);
	CU_ASSERT_TRUE(take("{\"ask\":\"get\",\"name\":\"printer\",\"type\":\"address\"}", &o, why));
	CU_ASSERT_EQUAL(o.type, 1);
	CU_ASSERT_TRUE(take("{\"ask\":\"delete\",\"name\":\"printer\"}", &o, why));
	CU_ASSERT_TRUE(take("{\"ask\":\"pcap\",\"what\":\"overlay\",\"timeout_ms\":3600000}", &o, why));
	CU_ASSERT(o.overlay && o.timeout_ns == 3600 * NS_PER_S);
	CU_ASSERT_TRUE(take("{\"ask\":\"pcap\",\"what\":\"tap\"}", &o, why));
	CU_ASSERT_FALSE(o.overlay);
}

static void the_id_comes_back_as_it_was(void)
{
	char why[WHY_LEN];
	struct order o;

	CU_ASSERT_TRUE(take("{\"ask\":\"status\",\"id\":-17}", &o, why));
	CU_ASSERT_STRING_EQUAL(o.id, "-17");
	CU_ASSERT_TRUE(take("{\"ask\":\"status\",\"id\":\"a\\\"b\\n\"}", &o, why));
	CU_ASSERT_STRING_EQUAL(o.id, "\"a\\\"b\\n\"");
	CU_ASSERT_FALSE(take("{\"ask\":\"nothing\",\"id\":3}", &o, why));
	CU_ASSERT_STRING_EQUAL(o.id, "3");	/* errors carry it, too */
}

static void the_longest_id_fits(void)
{
	char line[600] = "{\"ask\":\"status\",\"id\":\"", why[WHY_LEN];
	struct order o;

	for (int i = 0; i < ORDER_ID; i++)
		strcat(line, "\\u0001");
	strcat(line, "\"}");
	CU_ASSERT_TRUE(take(line, &o, why));
	CU_ASSERT_EQUAL(strlen(o.id), 2 + 6 * ORDER_ID);
	line[strlen(line) - 2] = 0;
	strcat(line, "x\"}");
	CU_ASSERT_FALSE(take(line, &o, why));
	CU_ASSERT_STRING_EQUAL(o.id, "");
}

static void everything_else_is_refused(void)
{
	static const char *const BAD[] = {
		"", " ", "x", "{", "}", "[]", "1", "\"status\"", "{}", "{\"ask\"}", "{\"ask\":null}", "{\"ask\":[]}",
		"{\"ask\":\"\"}", "{\"ask\":\"Status\"}", "{\"ask\":\"status\"}{\"ask\":\"status\"}", "{\"ask\":\"status\"},",
		"{\"ask\":\"status\",\"ask\":\"stop\"}", "{\"ask\":\"status\",\"x\":1}", "{\"ASK\":\"status\"}",
		"{\"ask\":\"status\",\"key\":\"" KEY "\"}", "{\"ask\":\"stop\",\"timeout_ms\":5}",
		"{\"ask\":\"trace\"}", "{\"ask\":\"trace\",\"key\":5}", "{\"ask\":\"trace\",\"key\":\"name\"}",
		"{\"ask\":\"trace\",\"key\":\"" KEY "0\"}", "{\"ask\":\"trace\",\"key\":\"" KEY "\",\"timeout_ms\":0}",
		"{\"ask\":\"trace\",\"key\":\"" KEY "\",\"timeout_ms\":60001}",
		"{\"ask\":\"trace\",\"key\":\"" KEY "\",\"timeout_ms\":1.5}",
		"{\"ask\":\"trace\",\"key\":\"" KEY "\",\"timeout_ms\":99999999999999999999}",
		"{\"ask\":\"resolve\"}", "{\"ask\":\"resolve\",\"address\":\"home\"}", "{\"ask\":\"leases\",\"address\":\"10.9.0.7\"}",
		"{\"ask\":\"resolve\",\"address\":\"10.9.0.7\",\"network\":\"\"}", "{\"ask\":\"trace\",\"key\":\"" KEY "\",\"network\":\"home\"}",
		"{\"ask\":\"resolve\",\"address\":\"10.9.0.7\",\"network\":\"01234567890123456789012345678901\"}",
		"{\"ask\":\"ping\",\"key\":\"" KEY "\",\"size\":9001}", "{\"ask\":\"ping\",\"key\":\"" KEY "\",\"size\":-1}",
		"{\"ask\":\"ping\",\"key\":\"" KEY "\",\"name\":\"x\"}", "{\"ask\":\"put\",\"name\":\"x\"}",
		"{\"ask\":\"put\",\"name\":\"\",\"value\":\"x\"}", "{\"ask\":\"put\",\"name\":\"a\\u0000b\",\"value\":\"x\"}",
		"{\"ask\":\"get\",\"name\":\"x\",\"type\":\"Address\"}", "{\"ask\":\"get\",\"name\":5}",
		"{\"ask\":\"pcap\",\"what\":\"eth0\"}", "{\"ask\":\"pcap\",\"what\":\"tap\",\"timeout_ms\":3600001}",
		"{\"ask\":\"status\",\"id\":null}", "{\"ask\":\"status\",\"id\":1.5}", "{\"ask\":\"status\",\"id\":[1]}",
		"{\"ask\":\"\xc3\x28\"}", "{\"ask\":\"status\"}\xff", "{'ask':'status'}", "// {\"ask\":\"status\"}",
	};

	for (unsigned i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		char why[WHY_LEN] = "";
		struct order o;

		CU_ASSERT_FALSE(take(BAD[i], &o, why));
		CU_ASSERT_TRUE(*why);
		for (const char *c = why; *c; c++)
			CU_ASSERT(*c >= ' ' && *c <= '~');
	}
}

static void lines_have_an_end(void)
{
	static char line[ORDER_LINE + 2];
	char why[WHY_LEN];
	struct order o;

	memset(line, ' ', sizeof(line));
	memcpy(line, "{\"ask\":\"status\"}", 16);
	CU_ASSERT_TRUE(order_read(line, ORDER_LINE, &o, why));
	CU_ASSERT_FALSE(order_read(line, ORDER_LINE + 1, &o, why));
}

CU_TestInfo order_tests[] = {
	{ "each order is read", each_order_is_read },
	{ "a call has an endpoint", a_call_has_an_endpoint },
	{ "a trace has a key and a time", a_trace_has_a_key_and_a_time },
	{ "who holds an address may name its network", who_holds_an_address_may_name_its_network },
	{ "pings, values and captures say what they need", pings_values_and_captures_say_what_they_need },
	{ "the id comes back as it was", the_id_comes_back_as_it_was },
	{ "the longest id fits", the_longest_id_fits },
	{ "everything else is refused with a reason that can be printed", everything_else_is_refused },
	{ "lines have an end", lines_have_an_end },
	CU_TEST_INFO_NULL
};
