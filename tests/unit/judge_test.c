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
			      "\"called_by_us\":false,\"mtu_bytes\":1472,\"up_ms\":500000}]}",
			      "{\"networks\":[{\"name\":\"home\",\"address\":\"10.9.0.7\",\"mtu_bytes\":1400}]}",
			      "{\"seen\":[{\"peer\":\"00aa\",\"at\":\"192.0.2.1:9338\"}],\"own\":[\"192.0.2.1:9338\"]}");

	CU_ASSERT_EQUAL(wrongs(&m), 0);
	CU_ASSERT_TRUE(has(&m, FINDING_GOOD, "node", "joined"));
	CU_ASSERT_TRUE(has(&m, FINDING_GOOD, "nat", "no NAT"));
	CU_ASSERT_TRUE(has(&m, FINDING_GOOD, "reach", "1 of 1"));
	CU_ASSERT_TRUE(has(&m, FINDING_GOOD, "mtu", "1472"));
	CU_ASSERT_TRUE(has(&m, FINDING_GOOD, "lease", "10.9.0.7"));
	done(&m);
}

static void a_nat_is_told_by_what_peers_see(void)
{
	struct made m = judge(GOOD_STATUS, NULL, NULL, "{\"seen\":[{\"at\":\"203.0.113.9:40001\"},{\"at\":\"203.0.113.9:40001\"}],"
			      "\"own\":[\"192.168.1.5:9338\"]}");

	CU_ASSERT_TRUE(has(&m, FINDING_GOOD, "nat", "for all 2 peers"));
	done(&m);
	m = judge(GOOD_STATUS, NULL, NULL, "{\"seen\":[{\"at\":\"203.0.113.9:40001\"},{\"at\":\"203.0.113.9:40002\"},"
		  "{\"at\":\"192.168.1.5:9338\"},{\"at\":\"[2001:db8::5]:9338\"}],\"own\":[\"192.168.1.5:9338\",\"[2001:db8::5]:9338\"]}");
	CU_ASSERT_TRUE(has(&m, FINDING_NOTE, "nat", "differently for each peer: 203.0.113.9:40001, 203.0.113.9:40002"));
	CU_ASSERT_TRUE(has(&m, FINDING_GOOD, "nat", "IPv6: no NAT"));
	done(&m);
	m = judge(GOOD_STATUS, NULL, NULL, "{\"seen\":[],\"own\":[]}");
	CU_ASSERT_FALSE(has(&m, FINDING_GOOD, "nat", "") || has(&m, FINDING_NOTE, "nat", ""));
	done(&m);
}

static void why_a_peer_is_relayed(void)
{
	static const char PEER[] = "{\"peers\":[{\"id\":\"00aa\",\"state\":\"up\",\"at\":\"%s\",\"relayed\":true}]}";
	char peers[200];
	struct made m;

	g_snprintf(peers, sizeof(peers), PEER, "203.0.113.1:7");
	m = judge(GOOD_STATUS, peers, NULL, NULL);
	CU_ASSERT_TRUE(has(&m, FINDING_NOTE, "peer", "not answered"));
	done(&m);
	m = judge(GOOD_STATUS, peers, NULL, "{\"seen\":[{\"at\":\"203.0.113.9:1\"},{\"at\":\"203.0.113.9:2\"}]}");
	CU_ASSERT_TRUE(has(&m, FINDING_NOTE, "peer", "our NAT maps us differently"));
	done(&m);
	g_snprintf(peers, sizeof(peers), PEER, "[2001:db8::1]:7");
	m = judge(GOOD_STATUS, peers, NULL, NULL);
	CU_ASSERT_TRUE(has(&m, FINDING_NOTE, "peer", "we have no IPv6"));
	done(&m);
	g_snprintf(peers, sizeof(peers), PEER, "-");
	m = judge(GOOD_STATUS, peers, NULL, NULL);
	CU_ASSERT_TRUE(has(&m, FINDING_NOTE, "peer", "no endpoint of it is known"));
	done(&m);
}

static void small_paths_are_noted_once_they_are_known(void)
{
	struct made m = judge(GOOD_STATUS, "{\"peers\":[{\"state\":\"up\",\"mtu_bytes\":1200,\"up_ms\":500000},"
			      "{\"state\":\"up\",\"mtu_bytes\":1100,\"up_ms\":5000},{\"state\":\"up\",\"mtu_bytes\":1472,\"up_ms\":500000}]}",
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
	{ "why a peer is relayed", why_a_peer_is_relayed },
	{ "small paths are noted once they are known", small_paths_are_noted_once_they_are_known },
	{ "what is wrong is wrong, and has a remedy", what_is_wrong_is_wrong },
	{ "nothing that a node answers confuses it", nothing_that_a_node_answers_confuses_it },
	CU_TEST_INFO_NULL
};
