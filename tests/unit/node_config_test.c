/*
 * weft-node's configuration: an empty file is a good one, what is written is what
 * core gets, and every mistake is one message that says what would be accepted.
 */
#include "node/config.h"

#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "node/diary.h"
#include "tests/unit/suites.h"

static struct node_config *parse(const char *text, const char *const *set, unsigned sets, struct fail *f)
{
	return config_parse("weft.conf", text, strlen(text), "/etc/weft", set, sets, f);
}

static void nothing_at_all_is_a_configuration(void)
{
	struct fail f = { 0 };
	struct node_config *c = parse("", NULL, 0, &f);
	struct config core, own;

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_STRING_EQUAL(c->node.state, "/etc/weft/state");
	CU_ASSERT_STRING_EQUAL(c->control, "/etc/weft/state/control");
	CU_ASSERT(c->node.log == LEVEL_INFO && c->listen4.port == 9338 && c->listen6.kind == ENDPOINT_UDP6);
	CU_ASSERT(!c->must4 && !c->must6 && !c->bootstraps);
	config_core(c, &core);
	config_default(&own);
	CU_ASSERT(!memcmp(&core, &own, sizeof(own)));	/* the table's defaults are core's */
	config_free(c);
}

static void what_is_written_is_what_core_gets(void)
{
	static const char TEXT[] =
		"[node]\nstate = /var/lib/weft\ncontrol = run/control\nlog = debug\nquota = 1MiB\n"
		"[underlay]\nlisten4 = 192.0.2.1:1\nlisten6 = off\nmtu = 1400B\n"
		"[overlay]\nbootstrap = 192.0.2.2:2, vpn.example.org:9338 [2001:db8::1]:3\t192.0.2.4:4\n"
		"[ring]\nnear = 3\nlong = 7\ndraw = uniform\ndirection = one-way\nlookahead = no\ncap = no\n"
		"[link]\nprobe = 1s\nprobe-second = 2s\nprobe-far = 3s\nsuspect = 4s\nsuspect-probes = 5\n";
	struct fail f = { 0 };
	struct node_config *c = parse(TEXT, NULL, 0, &f);
	struct config k;

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_STRING_EQUAL(c->node.state, "/var/lib/weft");
	CU_ASSERT_STRING_EQUAL(c->control, "/etc/weft/run/control");
	CU_ASSERT(c->node.log == LEVEL_DEBUG && c->node.quota_bytes == 1 << 20);
	CU_ASSERT(c->must4 && c->listen4.port == 1 && c->listen6.kind == ENDPOINT_NONE && !c->must6);
	CU_ASSERT(!strcmp(c->named[0], "vpn.example.org:9338") && !c->named[1]);
	CU_ASSERT(c->bootstraps == 3 && c->bootstrap[1].kind == ENDPOINT_UDP6 && c->bootstrap[2].port == 4);
	config_core(c, &k);
	CU_ASSERT(k.near == 3 && k.longs == 7 && k.draw == DRAW_UNIFORM && k.one_way && !k.lookahead && !k.cap);
	CU_ASSERT(k.probe_next_ns == NS_PER_S && k.probe_second_ns == 2 * NS_PER_S && k.probe_far_ns == 3 * NS_PER_S);
	CU_ASSERT(k.suspect_ns == 4 * NS_PER_S && k.suspect_probes == 5 && k.mtu == 1372);
	config_free(c);
}

static void an_override_wins(void)
{
	static const char *const SET[] = { "ring.near=4", "overlay.bootstrap=" };
	struct fail f = { 0 };
	struct node_config *c = parse("[ring]\nnear = 3\n[overlay]\nbootstrap = 192.0.2.2:2\n", SET, 2, &f);

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT(c->ring.near == 4 && !c->bootstraps);
	config_free(c);
}

static void mistakes_are_one_message_each(void)
{
	static const struct { const char *text, *says; } BAD[] = {
		{ "[node]\nlgo = debug\n", "weft.conf:2: [node] lgo" },
		{ "[nod]\nlog = debug\n", "weft.conf:1: [nod]" },
		{ "[node]\nlog = loud\n", "weft.conf:2: [node] log = loud" },
		{ "[node]\nlog = info\nlog = debug\n", "weft.conf:3" },
		{ "[node]\nquota = 4\n", "weft.conf:2: [node] quota = 4" },
		{ "[node]\nquota = 1KiB\n", "[node] quota = 1KiB" },
		{ "[underlay]\nlisten4 = everywhere\n", "weft.conf:2: [underlay] listen4 = everywhere" },
		{ "[underlay]\nlisten4 = [::1]:1\n", "listen6" },
		{ "[underlay]\nlisten6 = 127.0.0.1:1\n", "listen4" },
		{ "[underlay]\nlisten4 = off\nlisten6 = off\n", "both families are off" },
		{ "[underlay]\nmtu = 9000B\n", "[underlay] mtu = 9000B" },
		{ "\n\n[overlay]\nbootstrap = 192.0.2.1:1 192.0.2:1\n", "weft.conf:4: [overlay] bootstrap" },
		{ "[overlay]\nbootstrap = example..org:1\n", "no IPv4 address before the port; accepted: up to 64 of ADDRESS:PORT" },
		{ "[overlay]\nbootstrap = example.org\n", "no ':PORT' at its end" },
		{ "[overlay]\nbootstrap = example.org:0\n", "no IPv4 address" },
		{ "[overlay]\nbootstrap = 192.0.2.1:0\n", "port 0" },
		{ "[overlay]\nbootstrap = 0.0.0.0:1\n", "no machine has this address" },
		{ "[ring]\nnear = 0\n", "[ring] near = 0" },
		{ "[link]\nprobe = 5\n", "[link] probe = 5" },
		{ "near = 2\n", "weft.conf:1" },
		{ "[ring\n", "weft.conf:1" },
	};

	for (unsigned i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		struct fail f = { 0 };

		CU_ASSERT_PTR_NULL(parse(BAD[i].text, NULL, 0, &f));
		CU_ASSERT_EQUAL(f.count, 1);
		CU_ASSERT_PTR_NOT_NULL(f.count ? strstr(f.text[0], BAD[i].says) : NULL);
		if (f.count && !strstr(f.text[0], BAD[i].says))
			printf("\n    it says: %s\n", f.text[0]);
		fail_done(&f);
	}
}

static void too_many_endpoints_are_refused(void)
{
	GString *text = g_string_new("[overlay]\nbootstrap =");
	struct fail f = { 0 };
	struct node_config *c;

	for (int i = 1; i <= CONFIG_BOOTSTRAPS; i++)
		g_string_append_printf(text, " 192.0.2.%d:1", i);
	c = parse(text->str, NULL, 0, &f);
	CU_ASSERT(c && c->bootstraps == CONFIG_BOOTSTRAPS);
	config_free(c);
	g_string_append(text, " 192.0.3.1:1");
	CU_ASSERT_PTR_NULL(parse(text->str, NULL, 0, &f));
	CU_ASSERT_EQUAL(f.count, 1);
	fail_done(&f);
	g_string_free(text, TRUE);
}

static void what_a_restart_is_needed_for_is_known(void)
{
	struct fail f = { 0 };
	struct node_config *a = parse("", NULL, 0, &f), *b = parse("[node]\nlog = debug\n[overlay]\nbootstrap = 192.0.2.1:1\n",
								    NULL, 0, &f);
	struct node_config *c = parse("[ring]\nlong = 3\n", NULL, 0, &f);
	char *differs;

	CU_ASSERT_FATAL(a && b && c);
	CU_ASSERT_PTR_NULL(config_differs(a, b));
	differs = config_differs(a, c);
	CU_ASSERT_STRING_EQUAL(differs, "[ring] long");
	g_free(differs);
	config_free(a);
	config_free(b);
	config_free(c);
}

static void what_is_written_back_reads_the_same(void)
{
	struct fail f = { 0 };
	struct node_config *a = parse("[ring]\nlong = 3\n[node]\nstate = x\n[network.1]\ntap = t0\n", NULL, 0, &f), *b;
	char *text, *again;

	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	text = schema_write(a->log);
	b = parse(text, NULL, 0, &f);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b);
	again = schema_write(b->log);
	CU_ASSERT_STRING_EQUAL(text, again);
	g_free(text);
	g_free(again);
	config_free(a);
	config_free(b);
}

static void networks_are_read_in_their_order(void)
{
	static const char TEXT[] =
		"[network.2]\nrecord = other\ncard = other.card\nmodel = router\nbridge = br0\nname = off\n"
		"[network.1]\ntap = weft7\naddress = fd00::7\n[network.3]\nrecord = third\n";
	struct fail f = { 0 };
	struct node_config *c = parse(TEXT, NULL, 0, &f);
	const struct config_network *n;

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_EQUAL_FATAL(c->network.count, 3);
	n = config_network(c, 0);
	CU_ASSERT(n->model == MODEL_INTERFACE && n->how == ADDRESS_THIS && n->ip.family == 6 && n->ip.at[15] == 7);
	CU_ASSERT_STRING_EQUAL(n->file, "/etc/weft/state/network");
	CU_ASSERT_STRING_EQUAL(n->tap, "weft7");
	CU_ASSERT_PTR_NULL(n->card);
	n = config_network(c, 1);
	CU_ASSERT(n->model == MODEL_ROUTER && n->how == ADDRESS_OFF);
	CU_ASSERT_STRING_EQUAL(n->file, "/etc/weft/other");
	CU_ASSERT_STRING_EQUAL(n->card, "/etc/weft/other.card");
	n = config_network(c, 2);
	CU_ASSERT(n->model == MODEL_INTERFACE && n->how == ADDRESS_LEASE);
	CU_ASSERT_STRING_EQUAL(n->tap, "weft%d");
	config_free(c);
}

static void a_network_is_the_same_but_for_its_firewall(void)
{
	static const char *const OTHER[] = {
		"tap = t1", "model = router\nbridge = br1", "model = hybrid\nbridge = br0", "address = off", "name = bob",
	};
	static const char *const KEY[] = { "tap", "bridge", "model", "address", "name" };
	struct fail f = { 0 };
	struct node_config *a = parse("[network.1]\nmodel = router\nbridge = br0\n", NULL, 0, &f), *b;

	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	b = parse("[network.7]\nmodel = router\nbridge = br0\nfirewall = deny any\nrecord = elsewhere\n", NULL, 0, &f);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b);
	CU_ASSERT_PTR_NULL(config_network_differs(config_network(a, 0), config_network(b, 0)));
	CU_ASSERT_PTR_NULL(config_differs(a, b));
	config_free(b);
	for (unsigned i = 0; i < sizeof(OTHER) / sizeof(*OTHER); i++) {
		char text[128];

		snprintf(text, sizeof(text), "[network.1]\n%s%s\n", strstr(OTHER[i], "bridge") ? "" : "model = router\nbridge = br0\n",
			 OTHER[i]);
		b = parse(text, NULL, 0, &f);
		CU_ASSERT_PTR_NOT_NULL_FATAL(b);
		CU_ASSERT_STRING_EQUAL(config_network_differs(config_network(a, 0), config_network(b, 0)), KEY[i]);
		config_free(b);
	}
	config_free(a);
}

static void mistakes_about_networks_are_said(void)
{
	static const struct { const char *text, *says; } BAD[] = {
		{ "[network.1]\nmodel = switch\n", "interface" },
		{ "[network.1]\nmodel = router\n", "needs one" },
		{ "[network.1]\nbridge = br0\n", "model = interface" },
		{ "[network.1]\nmodel = hybrid\nbridge = a/b\n", "'/'" },
		{ "[network.1]\ndevice = eth1\n", "model = interface" },
		{ "[network.1]\nmodel = hybrid\nbridge = br0\ndevice = a/b\n", "'/'" },
		{ "[network.1]\ntap = weft%s\n", "%d" },
		{ "[network.1]\naddress = 10.9.0\n", "10.9.0.7" },
		{ "[network.1]\nname = a_b\n", "63 letters" },
		{ "[network.1]\nname = -a\n", "63 letters" },
		{ "[network.1]\nfirewall = allow icmp; permit tcp 22\n", "'permit': a rule begins with allow or deny" },
		{ "[network.1]\nfirewall = allow tcp ssh\n", "'ssh': no port; accepted: 22, 5000-5999, from" },
		{ "[network.1]\nfirewall = deny any from\n", "cut short: from whom?" },
		{ "[network.1]\n[network.2]\n", "already" },
		{ "[network.1]\ntap = t0\n[network.2]\nrecord = x\ntap = t0\n", "already" },
		{ "[network]\ntap = t0\n", "number" },
		{ "[network.1]\ntapp = t0\n", "tap" },
	};

	for (unsigned i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		struct fail f = { 0 };

		CU_ASSERT_PTR_NULL(parse(BAD[i].text, NULL, 0, &f));
		CU_ASSERT(f.count == 1 && strstr(f.text[0], "network") && strstr(f.text[0], BAD[i].says));
		if (f.count != 1 || !strstr(f.text[0], BAD[i].says))
			printf("%s: %u: %s\n", BAD[i].text, f.count, f.count ? f.text[0] : "");
		fail_done(&f);
	}
}

static void firewalls_are_rules_in_their_order(void)
{
	struct fail f = { 0 };
	struct node_config *c = parse("[network.1]\nfirewall = allow icmp; allow tcp 22-23 from admins; deny any\n"
				      "[network.2]\nrecord = x\n", NULL, 0, &f);
	const struct config_network *n;

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	n = config_network(c, 0);
	CU_ASSERT_EQUAL_FATAL(n->rules, 3);
	CU_ASSERT_TRUE(n->rule[0].allow && n->rule[1].allow && !n->rule[2].allow);
	CU_ASSERT_TRUE(n->rule[1].low == 22 && n->rule[1].high == 23 && n->rule[1].group.len == 6);
	CU_ASSERT_EQUAL(config_network(c, 1)->rules, 0);
	config_free(c);
}

static void a_ninth_network_is_one_too_many(void)
{
	GString *t = g_string_new(NULL);
	struct fail f = { 0 };
	struct node_config *c;

	for (unsigned i = 1; i <= 8; i++)
		g_string_append_printf(t, "[network.%u]\nrecord = r%u\n", i, i);
	c = parse(t->str, NULL, 0, &f);
	CU_ASSERT_PTR_NOT_NULL(c);
	config_free(c);
	g_string_append(t, "[network.9]\nrecord = r9\n");
	CU_ASSERT_PTR_NULL(parse(t->str, NULL, 0, &f));
	CU_ASSERT(f.count == 1 && strstr(f.text[0], "up to 8"));
	fail_done(&f);
	g_string_free(t, TRUE);
}

CU_TestInfo node_config_tests[] = {
	{ "nothing at all is a configuration, and its values are core's own", nothing_at_all_is_a_configuration },
	{ "what is written is what core gets", what_is_written_is_what_core_gets },
	{ "an override wins", an_override_wins },
	{ "mistakes are one message each", mistakes_are_one_message_each },
	{ "too many endpoints are refused", too_many_endpoints_are_refused },
	{ "what a restart is needed for is known", what_a_restart_is_needed_for_is_known },
	{ "what is written back reads the same", what_is_written_back_reads_the_same },
	{ "networks are read in their order", networks_are_read_in_their_order },
	{ "a network is the same but for its firewall", a_network_is_the_same_but_for_its_firewall },
	{ "mistakes about networks are said", mistakes_about_networks_are_said },
	{ "firewalls are rules in their order", firewalls_are_rules_in_their_order },
	{ "a ninth network is one too many", a_ninth_network_is_one_too_many },
	CU_TEST_INFO_NULL
};
