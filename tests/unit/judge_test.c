/*
 * What weftctl doctor makes of a node: made-up answers in, findings out. Each
 * finding has a topic and a level, and whatever is wrong has a remedy.
 */
#include "node/ctl_judge.h"

#include <limits.h>
#include <string.h>

#include "tests/unit/suites.h"

#define GOOD_STATUS "{\"state\":\"joined\",\"up_s\":600,\"links\":3,\"size\":4,\"listen\":[\"0.0.0.0:9338\"],\"utc_s\":1000000}"

struct made {
	JsonNode *node[6];
	struct doctor_facts facts;
	GPtrArray *found;
};

static JsonObject *take(struct made *m, unsigned i, const char *text)
{
	m->node[i] = text ? json_from_string(text, NULL) : NULL;
	CU_ASSERT_TRUE_FATAL(!text || m->node[i]);
	return text ? json_node_get_object(m->node[i]) : NULL;
}

static struct made judge(const char *status, const char *peers, const char *networks, const char *seen)
{
	struct made m = { .facts = { .clock_set = true, .disk_free = 1 << 30, .utc_s = 1000000, .bootstraps = 1 } };

	m.facts.status = take(&m, 0, status);
	m.facts.peers = take(&m, 1, peers);
	m.facts.networks = take(&m, 2, networks);
	m.facts.seen = take(&m, 3, seen);
	m.found = doctor_judge(&m.facts);
	return m;
}

static void again(struct made *m)
{
	g_ptr_array_unref(m->found);
	m->found = doctor_judge(&m->facts);
}

static void done(struct made *m)
{
	for (guint i = 0; i < m->found->len; i++) {
		const struct finding *f = g_ptr_array_index(m->found, i);

		CU_ASSERT_TRUE(*f->text && *f->topic);
		CU_ASSERT_TRUE(f->level != FINDING_WRONG || f->remedy);
	}
	g_ptr_array_unref(m->found);
	for (unsigned i = 0; i < 6; i++)
		if (m->node[i])
			json_node_unref(m->node[i]);
}

static bool has(const struct made *m, enum finding_level level, const char *topic, const char *part)
{
	for (guint i = 0; i < m->found->len; i++) {
		const struct finding *f = g_ptr_array_index(m->found, i);

		if (f->level == level && !strcmp(f->topic, topic) && strstr(f->text, part))
			return true;
	}
	return false;
}

static unsigned wrongs(const struct made *m)
{
	unsigned n = 0;

	for (guint i = 0; i < m->found->len; i++)
		n += ((const struct finding *)g_ptr_array_index(m->found, i))->level == FINDING_WRONG;
	return n;
}

static void a_node_that_is_well_has_nothing_wrong(void)
{
	struct made m = judge(GOOD_STATUS, "{\"peers\":[{\"id\":\"00aa\",\"state\":\"up\",\"at\":\"192.0.2.2:1\",\"relayed\":false,"
			      "\"let_in\":\"any\",\"mtu_bytes\":1472,\"mtu_known\":true}]}",
			      "{\"networks\":[{\"name\":\"home\",\"address\":\"10.9.0.7\",\"mtu_bytes\":1400}]}",
			      "{\"seen\":[{\"peer\":\"00aa\",\"at\":\"192.0.2.1:9338\"}],\"own\":[\"192.0.2.1:9338\"]}");

	CU_ASSERT_EQUAL(wrongs(&m), 0);
	CU_ASSERT_TRUE(has(&m, FINDING_GOOD, "node", "joined"));
	CU_ASSERT_TRUE(has(&m, FINDING_GOOD, "nat", "no NAT"));
	CU_ASSERT_TRUE(has(&m, FINDING_GOOD, "reach", "1 of 1 peers called us"));
	CU_ASSERT_TRUE(has(&m, FINDING_GOOD, "mtu", "1472"));
	CU_ASSERT_TRUE(has(&m, FINDING_GOOD, "lease", "10.9.0.7"));
	done(&m);
}

/* Peers a, b, c, d that are up, direct, and say what is asked for. */
#define PEERS(a, b, c, d) "{\"peers\":[{\"id\":\"a\",\"state\":\"up\"," a "},{\"id\":\"b\",\"state\":\"up\"," b "}," \
			  "{\"id\":\"c\",\"state\":\"up\"," c "},{\"id\":\"d\",\"state\":\"up\"," d "}]}"
#define DIRECT	"\"at\":\"192.0.2.2:1\",\"let_in\":\"called\""
#define SEEN(a, b, c, d) "{\"seen\":[{\"peer\":\"a\",\"at\":\"" a "\"},{\"peer\":\"b\",\"at\":\"" b "\"},{\"peer\":\"c\",\"at\":\"" c \
			 "\"},{\"peer\":\"d\",\"at\":\"" d "\"}],\"own\":[\"192.168.1.5:9338\",\"[2001:db8::5]:9338\"]}"

static void a_nat_is_told_by_what_peers_see(void)
{
	static const char ALL[] = PEERS(DIRECT, DIRECT, DIRECT, DIRECT);
	struct made m = judge(GOOD_STATUS, ALL, NULL, SEEN("203.0.113.9:40001", "203.0.113.9:40001", "192.168.1.5:9338", "[2001:db8::5]:9338"));

	CU_ASSERT_TRUE(has(&m, FINDING_GOOD, "nat", "203.0.113.9:40001 for all 2 peers (endpoint-independent mapping)"));
	done(&m);
	m = judge(GOOD_STATUS, ALL, NULL, SEEN("203.0.113.9:40001", "203.0.113.9:40002", "192.168.1.5:9338", "[2001:db8::5]:9338"));
	CU_ASSERT_TRUE(has(&m, FINDING_NOTE, "nat", "(endpoint-dependent mapping): 203.0.113.9:40001, 203.0.113.9:40002"));
	CU_ASSERT_TRUE(has(&m, FINDING_GOOD, "nat", "IPv6: no NAT"));
	done(&m);
	/* one of many had to get another port: the others are right */
	m = judge(GOOD_STATUS, ALL, NULL, SEEN("203.0.113.9:2", "203.0.113.9:1", "203.0.113.9:1", "203.0.113.9:1"));
	CU_ASSERT_TRUE(has(&m, FINDING_GOOD, "nat", "203.0.113.9:1 for 3 of its peers"));
	done(&m);
	/* what a peer said that is gone, or relayed by now, is past */
	m = judge(GOOD_STATUS, PEERS(DIRECT, DIRECT, DIRECT ",\"relayed\":true", DIRECT), NULL,
		  "{\"seen\":[{\"peer\":\"a\",\"at\":\"203.0.113.9:1\"},{\"peer\":\"b\",\"at\":\"203.0.113.9:1\"},"
		  "{\"peer\":\"c\",\"at\":\"203.0.113.9:2\"},{\"peer\":\"e\",\"at\":\"203.0.113.9:3\"}]}");
	CU_ASSERT_TRUE(has(&m, FINDING_GOOD, "nat", "203.0.113.9:1 for all 2 peers"));
	done(&m);
	m = judge(GOOD_STATUS, NULL, NULL, "{\"seen\":[],\"own\":[]}");
	CU_ASSERT_FALSE(has(&m, FINDING_GOOD, "nat", "") || has(&m, FINDING_NOTE, "nat", ""));
	done(&m);
}

static void who_gets_in_is_told_by_who_came(void)
{
	static const char NAT[] = SEEN("203.0.113.9:1", "203.0.113.9:1", "192.168.1.5:9338", "203.0.113.9:1");
	struct made m = judge(GOOD_STATUS, PEERS(DIRECT, DIRECT, DIRECT, DIRECT), NULL, NAT);

	CU_ASSERT_TRUE(has(&m, FINDING_NOTE, "reach", "address- and port-dependent filtering"));
	done(&m);
	m = judge(GOOD_STATUS, PEERS(DIRECT, DIRECT, "\"let_in\":\"any\"", DIRECT), NULL, NAT);	/* c is on our side of it */
	CU_ASSERT_TRUE(has(&m, FINDING_NOTE, "reach", "address- and port-dependent filtering"));
	done(&m);
	m = judge(GOOD_STATUS, PEERS(DIRECT, "\"let_in\":\"address\"", "\"let_in\":\"any\"", DIRECT), NULL, NAT);
	CU_ASSERT_TRUE(has(&m, FINDING_NOTE, "reach", "1 of 4 peers came from another (address-dependent filtering)"));
	done(&m);
	m = judge(GOOD_STATUS, PEERS("\"let_in\":\"any\"", "\"let_in\":\"address\"", DIRECT, DIRECT), NULL, NAT);
	CU_ASSERT_TRUE(has(&m, FINDING_GOOD, "reach", "1 of 4 peers called us whom we had sent nothing"));
	done(&m);
}

static void why_a_peer_is_relayed(void)
{
	static const struct { const char *at, *varies, *seen, *why; } CASE[] = {
		{ "203.0.113.1:7", "false", SEEN("203.0.113.9:1", "203.0.113.9:1", "192.168.1.5:1", "192.168.1.5:1"), "not answered" },
		{ "203.0.113.1:7", "false", SEEN("203.0.113.9:1", "203.0.113.9:2", "192.168.1.5:1", "192.168.1.5:1"), "our NAT maps us differently" },
		{ "203.0.113.1:7", "true", SEEN("203.0.113.9:1", "203.0.113.9:2", "192.168.1.5:1", "192.168.1.5:1"), "both NATs map differently" },
		{ "203.0.113.1:7", "true", SEEN("203.0.113.9:1", "203.0.113.9:1", "192.168.1.5:1", "192.168.1.5:1"), "its NAT maps it differently" },
		{ "203.0.113.9:7", "false", SEEN("203.0.113.9:1", "203.0.113.9:1", "192.168.1.5:1", "192.168.1.5:1"), "no hairpin" },
		{ "[2001:db8::1]:7", "false", SEEN("203.0.113.9:1", "203.0.113.9:1", "192.168.1.5:1", "192.168.1.5:1"), "we have no IPv6" },
		{ "-", "false", SEEN("203.0.113.9:1", "203.0.113.9:1", "192.168.1.5:1", "192.168.1.5:1"), "no endpoint of it is known" },
	};

	for (unsigned i = 0; i < sizeof(CASE) / sizeof(CASE[0]); i++) {
		char *one = g_strdup_printf("\"relayed\":true,\"tries\":3,\"at\":\"%s\",\"their_nat_varies\":%s", CASE[i].at, CASE[i].varies);
		char *peers = g_strdup_printf(PEERS(DIRECT, DIRECT, "%s", "\"at\":\"192.0.2.7:1\""), one);
		struct made m = judge(GOOD_STATUS, peers, NULL, CASE[i].seen);

		CU_ASSERT_TRUE(has(&m, FINDING_NOTE, "peer", CASE[i].why));
		CU_ASSERT_TRUE(i > 4 || has(&m, FINDING_NOTE, "peer", "tried 3 times"));
		done(&m);
		g_free(peers);
		g_free(one);
	}
}

static void small_paths_are_noted_once_they_are_known(void)
{
	struct made m = judge(GOOD_STATUS, "{\"peers\":[{\"state\":\"up\",\"mtu_bytes\":1200,\"mtu_known\":true},"
			      "{\"state\":\"up\",\"mtu_bytes\":1100,\"mtu_known\":false},{\"state\":\"up\",\"mtu_bytes\":1472,\"mtu_known\":true}]}",
			      "{\"networks\":[{\"name\":\"home\",\"mtu_bytes\":1400}]}", NULL);

	CU_ASSERT_TRUE(has(&m, FINDING_NOTE, "mtu", "1 of 2 paths"));
	done(&m);
}

static void what_is_wrong_is_wrong(void)
{
	struct made m = judge("{\"state\":\"joining\",\"up_s\":60,\"links\":0}", NULL, NULL, NULL);

	CU_ASSERT_TRUE(has(&m, FINDING_WRONG, "node", "60 s"));
	done(&m);
	m = judge("{\"state\":\"joined\",\"up_s\":60,\"links\":0,\"saves_failed\":2,\"certificate_ends_utc_s\":5,\"utc_s\":6}", NULL,
		  "{\"networks\":[{\"name\":\"home\",\"asks_for_address\":true,\"tap_gone\":true,\"tap\":\"weft0\"}]}", NULL);
	CU_ASSERT_TRUE(has(&m, FINDING_WRONG, "node", "alone"));
	CU_ASSERT_TRUE(has(&m, FINDING_WRONG, "disk", "2 times"));
	CU_ASSERT_TRUE(has(&m, FINDING_WRONG, "clock", "ended"));
	CU_ASSERT_TRUE(has(&m, FINDING_WRONG, "tap", "weft0"));
	CU_ASSERT_TRUE(has(&m, FINDING_WRONG, "lease", "home"));
	m.facts.bootstraps = 0;				/* the first of an overlay */
	m.facts.disk_free = 5;
	m.facts.clock_set = false;
	m.facts.dns = (const char *const[]){ "home", NULL };
	m.facts.names = take(&m, 4, "{\"names\":[{\"name\":\"bob\",\"network\":\"home\",\"verdict\":\"taken\"}]}");
	m.facts.leases = take(&m, 5, "{\"leases\":[{\"address\":\"10.9.0.7\",\"network\":\"home\",\"state\":\"doubted\"}]}");
	again(&m);
	CU_ASSERT_TRUE(has(&m, FINDING_NOTE, "node", "alone"));
	CU_ASSERT_TRUE(has(&m, FINDING_NOTE, "clock", "kernel"));
	CU_ASSERT_TRUE(has(&m, FINDING_WRONG, "dns", "home"));
	CU_ASSERT_TRUE(has(&m, FINDING_WRONG, "name", "taken"));
	CU_ASSERT_TRUE(has(&m, FINDING_NOTE, "lease", "10.9.0.7"));
	done(&m);
}

static void nothing_that_a_node_answers_confuses_it(void)
{
	struct made m = judge(NULL, NULL, NULL, NULL);

	done(&m);
	m = judge("{\"state\":5,\"links\":\"x\",\"listen\":7}", "{\"peers\":{\"a\":1}}", "{\"networks\":[1,null,{}]}",
		  "{\"seen\":[{},{\"at\":\"\"},{\"at\":\"x\"}],\"own\":[\"\"]}");
	done(&m);
}

CU_TestInfo judge_tests[] = {
	{ "a node that is well has nothing wrong", a_node_that_is_well_has_nothing_wrong },
	{ "a NAT is told by what peers see", a_nat_is_told_by_what_peers_see },
	{ "who gets in is told by who came", who_gets_in_is_told_by_who_came },
	{ "why a peer is relayed", why_a_peer_is_relayed },
	{ "small paths are noted once they are known", small_paths_are_noted_once_they_are_known },
	{ "what is wrong is wrong, and has a remedy", what_is_wrong_is_wrong },
	{ "nothing that a node answers confuses it", nothing_that_a_node_answers_confuses_it },
	CU_TEST_INFO_NULL
};
