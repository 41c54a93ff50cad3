/*
 * Names of this node's addresses: published as a whole when they change, led back
 * to by pointers, withdrawn with the last address under them.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/vnet/dns_names.h"
#include "tests/unit/bare.h"
#include "tests/unit/suites.h"

enum { SHELF = 64 };

/** struct shelf - what is published now, as a dull table */
struct shelf {
	struct bare bare;
	struct dns_names names;
	struct { char name[80]; uint8_t type; uint8_t value[256]; size_t len; } on[SHELF];
	unsigned count, puts, takes;
};

static int on(const struct shelf *s, const char *name, size_t len, uint8_t type)
{
	for (unsigned i = 0; i < s->count; i++)
		if (s->on[i].type == type && strlen(s->on[i].name) == len && !memcmp(s->on[i].name, name, len))
			return (int)i;
	return -1;
}

static void put(void *ctx, struct env *e, struct bytes name, uint8_t type, struct bytes value)
{
	struct shelf *s = ctx;
	int i = on(s, (const char *)name.at, name.len, type);

	(void)e;
	s->puts++;
	if (i < 0) {
		i = (int)s->count++;
		CU_ASSERT_TRUE_FATAL(s->count <= SHELF);
		memset(&s->on[i], 0, sizeof(s->on[i]));
		memcpy(s->on[i].name, name.at, name.len);
		s->on[i].type = type;
	}
	memcpy(s->on[i].value, value.at, value.len);
	s->on[i].len = value.len;
}

static void take(void *ctx, struct env *e, struct bytes name, uint8_t type)
{
	struct shelf *s = ctx;
	int i = on(s, (const char *)name.at, name.len, type);

	(void)e;
	s->takes++;
	if (i >= 0)
		s->on[i] = s->on[--s->count];
}

static const struct named_ports PORTS = { put, take };

static struct shelf *shelf_new(void)
{
	struct shelf *s = calloc(1, sizeof(*s));

	bare_init(&s->bare, 1);
	s->names = (struct dns_names){ .port = &PORTS, .ctx = s };
	return s;
}

static void shelf_free(struct shelf *s)
{
	names_free(&s->names, &s->bare.env);
	CU_ASSERT_TRUE(bare_done(&s->bare));
	free(s);
}

static void add(struct shelf *s, uint32_t ip, enum named_how how, const char *label)
{
	struct ip a = ip_v4(ip);

	names_add(&s->names, &s->bare.env, &a, how, (struct bytes){ (const uint8_t *)label, strlen(label) });
}

static void del(struct shelf *s, uint32_t ip, enum named_how how)
{
	struct ip a = ip_v4(ip);

	names_del(&s->names, &s->bare.env, &a, how);
}

/* Is exactly @value under @name? */
static bool is(const struct shelf *s, const char *name, uint8_t type, const char *value, size_t len)
{
	int i = on(s, name, strlen(name), type);

	return i >= 0 && s->on[i].len == len && !memcmp(s->on[i].value, value, len);
}

static void a_name_and_its_way_back(void)
{
	struct shelf *s = shelf_new();

	add(s, 0x0afa0505, NAMED_HOST, "Alma");
	CU_ASSERT(is(s, "alma", VALUE_ADDRESS, "\4\x0a\xfa\5\5", 5));
	CU_ASSERT(is(s, "5.5.250.10.in-addr.arpa", VALUE_POINTER, "alma", 4));
	add(s, 0x0afa0505, NAMED_HOST, "alma");		/* the same again is nothing new */
	CU_ASSERT_EQUAL(s->puts, 2);
	del(s, 0x0afa0505, NAMED_HOST);
	CU_ASSERT(!s->count && s->takes == 2);
	shelf_free(s);
}

static void a_name_stands_for_all_its_addresses(void)
{
	struct shelf *s = shelf_new();
	struct ip six = { .at = { 0xfd, [15] = 9 }, .family = 6 };

	add(s, 0x0afa0505, NAMED_NODE, "box");
	names_add(&s->names, &s->bare.env, &six, NAMED_NODE, (struct bytes){ (const uint8_t *)"box", 3 });
	CU_ASSERT(is(s, "box", VALUE_ADDRESS, "\4\x0a\xfa\5\5\6\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x09", 22));
	del(s, 0x0afa0505, NAMED_NODE);
	CU_ASSERT(is(s, "box", VALUE_ADDRESS, "\6\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x09", 17));
	CU_ASSERT_EQUAL(s->count, 2);
	names_del(&s->names, &s->bare.env, &six, NAMED_NODE);
	CU_ASSERT_EQUAL(s->count, 0);
	shelf_free(s);
}

static void the_guests_own_name_leads_back(void)
{
	struct shelf *s = shelf_new();

	add(s, 0x0afa0505, NAMED_NODE, "box");
	add(s, 0x0afa0505, NAMED_HOST, "alma");
	CU_ASSERT(is(s, "5.5.250.10.in-addr.arpa", VALUE_POINTER, "alma", 4) && s->count == 3);
	del(s, 0x0afa0505, NAMED_HOST);
	CU_ASSERT(is(s, "5.5.250.10.in-addr.arpa", VALUE_POINTER, "box", 3) && s->count == 2);
	add(s, 0x0afa0505, NAMED_HOST, "box");		/* called as the node is: one name, one address */
	CU_ASSERT(is(s, "box", VALUE_ADDRESS, "\4\x0a\xfa\5\5", 5) && s->count == 2);
	del(s, 0x0afa0505, NAMED_NODE);
	CU_ASSERT(is(s, "box", VALUE_ADDRESS, "\4\x0a\xfa\5\5", 5) && s->count == 2);
	shelf_free(s);
}

static void a_new_name_replaces_the_old(void)
{
	struct shelf *s = shelf_new();

	add(s, 0x0afa0505, NAMED_HOST, "alma");
	add(s, 0x0afa0505, NAMED_HOST, "berta");
	CU_ASSERT(is(s, "berta", VALUE_ADDRESS, "\4\x0a\xfa\5\5", 5) && on(s, "alma", 4, VALUE_ADDRESS) < 0);
	CU_ASSERT(is(s, "5.5.250.10.in-addr.arpa", VALUE_POINTER, "berta", 5) && s->count == 2);
	shelf_free(s);
}

static void what_is_no_host_name_is_not_published(void)
{
	static const char *const BAD[] = { "", "a.b", "-a", "a-", "a b", "C250005005", "gateway", "GateWay", "\xc3\xa4" };
	struct shelf *s = shelf_new();

	for (unsigned i = 0; i < 9; i++)
		add(s, 0x0afa0505, NAMED_HOST, BAD[i]);	/* nobody can claim to be another's computed name */
	CU_ASSERT(!s->puts && s->bare.fx.drops[DROP_VALUE] == 9);
	shelf_free(s);
}

static void addresses_under_a_name_and_names_are_bounded(void)
{
	struct shelf *s = shelf_new();
	char label[16];

	for (unsigned i = 0; i < 12; i++)
		add(s, 0x0afa0500 + i, NAMED_NODE, "box");
	CU_ASSERT_EQUAL(s->on[on(s, "box", 3, VALUE_ADDRESS)].len, 5 * NAMED_ADDRESSES);
	for (unsigned i = 0; i < 12; i++)
		del(s, 0x0afa0500 + i, NAMED_NODE);
	CU_ASSERT_EQUAL(s->count, 0);
	for (unsigned i = 0; i < NAMED_MAX + 10; i++) {
		snprintf(label, sizeof(label), "h%u", i);
		s->count = 0;				/* the shelf is shorter than that */
		add(s, 0x0afa0000 + i, NAMED_HOST, label);
	}
	CU_ASSERT(s->names.nameds == NAMED_MAX && s->bare.fx.drops[DROP_FULL] == 10);
	shelf_free(s);
}

CU_TestInfo dns_names_tests[] = {
	{ "a name, and its way back", a_name_and_its_way_back },
	{ "a name stands for all its addresses", a_name_stands_for_all_its_addresses },
	{ "the guest's own name leads back", the_guests_own_name_leads_back },
	{ "a new name replaces the old", a_new_name_replaces_the_old },
	{ "what is no host name is not published", what_is_no_host_name_is_not_published },
	{ "addresses under a name, and names, are bounded", addresses_under_a_name_and_names_are_bounded },
	CU_TEST_INFO_NULL
};
