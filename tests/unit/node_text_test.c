/* Ids, keys and endpoints: what is printed is read again, and nothing else is. */
#include "node/text.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/suites.h"

static void what_is_printed_is_read_again(void)
{
	static const char *const GOOD[] = {
		"0.0.0.0:0", "127.0.0.1:9338", "255.255.255.255:65535", "[::]:0", "[::1]:9338",
		"[2001:db8::1]:1", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe]:65535",
	};
	char buf[ENDPOINT_TEXT], why[WHY_LEN];

	for (unsigned i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++) {
		struct endpoint e;

		CU_ASSERT_TRUE_FATAL(endpoint_read(GOOD[i], &e, why));
		CU_ASSERT_STRING_EQUAL(endpoint_text(&e, buf), GOOD[i]);
	}
}

static void anything_else_is_refused_with_a_reason(void)
{
	static const char *const BAD[] = {
		"", ":", "1.2.3.4", "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:-1", "1.2.3.4:65536", "1.2.3.4:999999",
		"1.2.3:1", "1.2.3.4.5:1", "1.2.3.256:1", "host:1", "::1:1", "[::1]", "[::1]:", "[::1:1", "[]:1", "[x]:1",
		"[1.2.3.4]:1", " 1.2.3.4:1", "1.2.3.4:1 ", "[fe80::1]:1", "[fe80::1%eth0]:1",
		"[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc]:1",
	};

	for (unsigned i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		struct endpoint e = { .port = 7, .kind = ENDPOINT_UDP4 }, was = e;
		char why[WHY_LEN] = "";

		CU_ASSERT_FALSE(endpoint_read(BAD[i], &e, why));
		CU_ASSERT(*why != 0 && !memcmp(&e, &was, sizeof(e)));
	}
}

static void ids_are_thirty_two_digits(void)
{
	struct id id = { UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543210) }, back = ID_ZERO;
	char buf[ID_TEXT];

	CU_ASSERT_STRING_EQUAL(id_text(id, buf), "0123456789abcdeffedcba9876543210");
	CU_ASSERT(id_read(buf, &back) && id_eq(back, id));
	CU_ASSERT(id_read("0123456789ABCDEFFEDCBA9876543210", &back) && id_eq(back, id));
	CU_ASSERT_FALSE(id_read("0123456789abcdeffedcba987654321", &back));
	CU_ASSERT_FALSE(id_read("0123456789abcdeffedcba98765432100", &back));
	CU_ASSERT_FALSE(id_read("0123456789abcdeffedcba987654321g", &back));
	CU_ASSERT_FALSE(id_read("", &back));
}

static void keys_are_sixty_four_digits(void)
{
	uint8_t key[32], back[32];
	char buf[KEY_TEXT];

	for (int i = 0; i < 32; i++)
		key[i] = (uint8_t)(i * 9);
	CU_ASSERT(key_read(key_text(key, buf), back) && !memcmp(key, back, 32));
	CU_ASSERT_FALSE(key_read("00", back));
}

static void a_name_always_stands_for_the_same_place(void)
{
	char buf[ID_TEXT];

	/* BLAKE2b with 16 bytes of output, of "foo" */
	CU_ASSERT_STRING_EQUAL(id_text(id_of_name("foo"), buf), "04136e24f85d470465c3db66e58ed56c");
	CU_ASSERT_FALSE(id_eq(id_of_name("foo"), id_of_name("bar")));
}

static void loopback_and_any_are_known(void)
{
	struct endpoint e;
	char why[WHY_LEN];

	CU_ASSERT(endpoint_read("127.9.9.9:1", &e, why) && endpoint_loopback(&e) && !endpoint_wild(&e));
	CU_ASSERT(endpoint_read("[::1]:1", &e, why) && endpoint_loopback(&e) && !endpoint_wild(&e));
	CU_ASSERT(endpoint_read("0.0.0.0:1", &e, why) && !endpoint_loopback(&e) && endpoint_wild(&e));
	CU_ASSERT(endpoint_read("[::]:1", &e, why) && !endpoint_loopback(&e) && endpoint_wild(&e));
	CU_ASSERT(endpoint_read("128.0.0.1:1", &e, why) && !endpoint_loopback(&e));
}

static void addresses_and_ranges_are_read_or_refused(void)
{
	static const char *const GOOD[] = { "10.9.0.0/16", "0.0.0.0/0", "10.9.0.7/32", "fd00:9::/64", "::/0", "fd00::7/128" };
	static const char *const BAD[] = {
		"", "/", "10.9.0.0", "10.9.0.0/", "10.9.0.0/33", "10.9.0.0/-1", "10.9.0.0/+8", "10.9.0.0/8x", "10.9.0.0/ 8",
		"10.9.0.1/16", "10.9.0.0/0", "10.9/16", "fd00::1/64", "fd00::/129", "fd00::/0064", "x/8", " 10.9.0.0/16",
	};
	char buf[RANGE_TEXT], why[WHY_LEN];
	struct ip_range r;
	struct ip a;

	for (unsigned i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++) {
		CU_ASSERT_TRUE_FATAL(range_read(GOOD[i], true, &r, why));
		CU_ASSERT_STRING_EQUAL(range_text(&r, buf), GOOD[i]);
	}
	for (unsigned i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		*why = 0;
		CU_ASSERT_FALSE(range_read(BAD[i], true, &r, why));
		CU_ASSERT_TRUE(*why);
	}
	CU_ASSERT(range_read("10.9.0.7", false, &r, why) && r.bits == 32 && ip_u32(&r.ip) == 0x0a090007);
	CU_ASSERT(range_read("fd00::7", false, &r, why) && r.bits == 128 && r.ip.family == 6);
	CU_ASSERT(ip_read("10.9.0.7", &a) && !strcmp(ip_text(&a, buf), "10.9.0.7"));
	CU_ASSERT(ip_read("fd00::7", &a) && !strcmp(ip_text(&a, buf), "fd00::7"));
	CU_ASSERT(!ip_read("10.9.0", &a) && !ip_read("", &a) && !ip_read("10.9.0.7 ", &a) && a.family == 6);
}

static void names_of_interfaces_are_the_kernels(void)
{
	CU_ASSERT_PTR_NULL(iface_wrong("weft0", false));
	CU_ASSERT_PTR_NULL(iface_wrong("weft%d", true));
	CU_ASSERT_PTR_NULL(iface_wrong("123456789012345", false));
	CU_ASSERT_PTR_NOT_NULL(iface_wrong("1234567890123456", false));
	CU_ASSERT_PTR_NOT_NULL(iface_wrong("weft%d", false));
	CU_ASSERT_PTR_NOT_NULL(iface_wrong("weft%s", true));
	CU_ASSERT_PTR_NOT_NULL(iface_wrong("w%d%d", true));
	CU_ASSERT_PTR_NOT_NULL(iface_wrong("w%", true));
	CU_ASSERT_PTR_NOT_NULL(iface_wrong("", true));
	CU_ASSERT_PTR_NOT_NULL(iface_wrong(".", true));
	CU_ASSERT_PTR_NOT_NULL(iface_wrong("..", true));
	CU_ASSERT_PTR_NOT_NULL(iface_wrong("a/b", true));
	CU_ASSERT_PTR_NOT_NULL(iface_wrong("a b", true));
	CU_ASSERT_PTR_NOT_NULL(iface_wrong("a:b", true));
}

static void names_of_machines_and_nothing_else(void)
{
	static const char *const GOOD[] = { "vpn.example.org:9338", "localhost:1", "a_b-c.example.org.:65535", "1and1.com:80", "x9:9" };
	static const char *const BAD[] = { "", ":1", "example.org", "example.org:", "example.org:0", "example.org:65536", "192.0.2:1",
					   "192.0.2.300:1", "-x:1", ".x:1", "a..b:1", "a b:1", "[::1]:1", "x/y:1", "x;y:1", "x:1:2" };
	char host[HOST_TEXT], longest[HOST_TEXT + 8];
	uint16_t port;

	for (unsigned i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++)
		CU_ASSERT_TRUE(named_read(GOOD[i], host, &port) && port);
	for (unsigned i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
		CU_ASSERT_FALSE(named_read(BAD[i], host, &port));
	memset(longest, 'a', sizeof(longest));
	memcpy(longest + HOST_TEXT - 1, ":7", 3);
	CU_ASSERT_TRUE(named_read(longest, host, &port) && strlen(host) == HOST_TEXT - 1 && port == 7);
	memset(longest, 'a', sizeof(longest));
	memcpy(longest + HOST_TEXT, ":7", 3);
	CU_ASSERT_FALSE(named_read(longest, host, &port));
}

static void moments_are_told_in_utc(void)
{
	char buf[MOMENT_TEXT];

	CU_ASSERT_STRING_EQUAL(moment_text(1795231445, buf), "2026-11-21 03:24 UTC");
	CU_ASSERT_STRING_EQUAL(moment_text(0, buf), "-");
	CU_ASSERT_STRING_EQUAL(moment_text(INT64_MAX, buf), "-");	/* of no year */
}

CU_TestInfo node_text_tests[] = {
	{ "what is printed is read again", what_is_printed_is_read_again },
	{ "anything else is refused with a reason", anything_else_is_refused_with_a_reason },
	{ "ids are thirty-two digits", ids_are_thirty_two_digits },
	{ "keys are sixty-four digits", keys_are_sixty_four_digits },
	{ "a name always stands for the same place", a_name_always_stands_for_the_same_place },
	{ "loopback and any address are known", loopback_and_any_are_known },
	{ "addresses and ranges are read or refused", addresses_and_ranges_are_read_or_refused },
	{ "names of interfaces are the kernel's", names_of_interfaces_are_the_kernels },
	{ "names of machines, and nothing else", names_of_machines_and_nothing_else },
	{ "moments are told in UTC", moments_are_told_in_utc },
	CU_TEST_INFO_NULL
};
