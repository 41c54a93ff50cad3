/*
 * A scenario file means what it says or is refused with one clear sentence.
 *
 * Each bad input stands with the whole message a user sees, so that a change to
 * any of them is a change to this file.
 */
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "node/prog/explain.h"
#include "node/prog/scenario.h"
#include "node/prog/schema_value.h"
#include "tests/unit/suites.h"

#define FAULT "[fault.1]\nkind = "

static struct scenario *parse(const char *text, const char *const *set, unsigned sets,
			      struct fail *f)
{
	*f = (struct fail){ 0 };
	return scenario_parse("x.ini", text, strlen(text), "/data/here", set, sets, f);
}

static struct scenario *good(const char *text, const char *const *set, unsigned sets)
{
	struct fail f;
	struct scenario *s = parse(text, set, sets, &f);

	if (!s)
		fail_print(&f);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	return s;
}

static void refused(const char *text, const char *set, const char *want)
{
	struct fail f;
	struct scenario *s = parse(text, &set, set != NULL, &f);

	CU_ASSERT_PTR_NULL(s);
	CU_ASSERT_TRUE_FATAL(failed(&f));
	CU_ASSERT_EQUAL(f.count, 1);
	if (strcmp(f.text[0], want))
		printf("\n  said: %s\n  want: %s\n", f.text[0], want);
	CU_ASSERT_STRING_EQUAL(f.text[0], want);
	fail_done(&f);
	scenario_free(s);
}

#define TIMES "a time (500us, 50ms, 5s, 10m, 1h, 1d)"
#define GROUPS "run, nodes, ring, link, net, churn, fault, network, guests, leases, lookups, broadcasts, check, expect"

static void what_is_no_key_file_is_refused_by_line(void)
{
	refused("[run]\nduration = 1h\nduration = 2h\n", NULL,
		"x.ini:3: [run] duration stands twice, first in line 2; accepted: each key once");
	refused("[run]\nseed = 1\n\n[net]\n[run]\nduration = 1h\n", NULL,
		"x.ini:5: [run] stands twice, first in line 1; accepted: one group of a name");
	refused("duration = 1h\n", NULL, "x.ini:1: duration stands before any [group]");
	refused("[run]\nEncoding = latin1\n", NULL,
		"x.ini:2: 'Encoding' is not a key; accepted: UTF-8 text, of which nothing need be said");
	refused("[run]\nwhat is this\n", NULL,
		"x.ini:2: 'what is this' is neither a [group] nor key = value nor a # comment");
	refused("[run\nseed = 1\n", NULL,
		"x.ini:1: '[run' is not a group; accepted: [name] alone on its line");
	refused("[run] seed = 1\n", NULL,
		"x.ini:1: '[run] seed = 1' is not a group; accepted: [name] alone on its line");
	refused("[r un]\nseed = 1\n", NULL,
		"x.ini:1: '[r un]' is not a group name; accepted: letters, digits, - . _");
	refused("[run]\ntitle[de] = 5\n", NULL,
		"x.ini:2: 'title[de]' is not a key; accepted: letters, digits, - . _ before the =");
	refused("# fine\n[run]\ntitle = \xff\n", NULL,
		"x.ini:3: not a text file (not UTF-8); accepted: UTF-8 text");
}

static void unknown_names_come_with_the_nearest(void)
{
	refused("[chrun]\nsession = exponential mean 1h\n", NULL,
		"x.ini:1: [chrun]: no such group, the nearest is [churn]; accepted: " GROUPS);
	refused("[zzz]\nsession = exponential mean 1h\n", NULL,
		"x.ini:1: [zzz]: no such group; accepted: " GROUPS);
	refused("[ring]\nlookahaed = yes\n", NULL,
		"x.ini:2: [ring] lookahaed: no such key, the nearest is lookahead; accepted: near, long, "
		"draw, direction, lookahead, cap, assume-n");
	refused("[ring]\nloss = 5%\n", NULL,
		"x.ini:2: [ring] loss: no such key here, it belongs to [net]; accepted: near, long, draw, "
		"direction, lookahead, cap, assume-n");
	refused("[fault]\nkind = crash\n", NULL,
		"x.ini:1: [fault]: this group needs a number; accepted: [fault.1] to [fault.9999]");
	refused("[fault.01]\nkind = crash\n", NULL,
		"x.ini:1: [fault.01]: this group needs a number; accepted: [fault.1] to [fault.9999]");
	refused("[net.2]\nloss = 5%\n", NULL,
		"x.ini:1: [net.2]: this group has no number; accepted: [net]");
	refused("[run]\ncrypto = reel\n", NULL,
		"x.ini:2: [run] crypto = reel: not one of the words, the nearest is real; accepted: real, "
		"model");
}

static void values_are_refused_with_what_would_be_accepted(void)
{
	refused("[run]\nduration = -5s\n", NULL, "x.ini:2: [run] duration = -5s: negative; accepted: "
		TIMES " from 1ms to 3650d");
	refused("[run]\nduration = 5\n", NULL, "x.ini:2: [run] duration = 5: a time needs a unit; "
		"accepted: " TIMES " from 1ms to 3650d");
	refused("[nodes]\ncount = 0\n", NULL, "x.ini:2: [nodes] count = 0: less than 1; accepted: a number "
		"(1000, 10k, 1M) from 1 to 10000000");
	refused("[lookups]\nrate = 0.1\n", NULL, "x.ini:2: [lookups] rate = 0.1: a rate needs its time: per "
		"second is /s, per hour /h; accepted: off, or a rate (0.1/s, 6/h), at most one each 1us");
	refused("[net]\nloss = 5\n", NULL, "x.ini:2: [net] loss = 5: more than 1, which is all of it (per "
		"cent need a %); accepted: a share (5% or 0.05)");
	refused("[run]\nseed = 1 # my number\n", NULL, "x.ini:2: [run] seed = 1 # my number: ' # my number' "
		"is not a unit of a count (a comment needs a line of its own); accepted: a number (1000, "
		"10k, 1M)");
	refused("[run]\nseed =\n", NULL,
		"x.ini:2: [run] seed: nothing stands here; accepted: a number (1000, 10k, 1M)");
	refused("[expect]\nlookup.right =\n", NULL, "x.ini:2: [expect] lookup.right: nothing stands here");
	refused("[churn]\nsession = exponentail mean 1h\n", NULL, "x.ini:2: [churn] session = exponentail "
		"mean 1h: 'exponentail' is not a distribution; accepted: none, or a distribution "
		"(exponential mean 30m)");
}

static void contradictions_are_refused_where_they_stand(void)
{
	refused("[run]\nduration = 10m\nwarmup = 10m\n", NULL,
		"x.ini:3: [run] warmup = 10m: not shorter than duration = 10m");
	refused("[run]\nduration = 10m\ninterval = 11m\n", NULL,
		"x.ini:3: [run] interval = 11m: longer than duration = 10m");
	refused("[nodes]\ncount = 5\nbootstrap = 6\n", NULL,
		"x.ini:3: [nodes] bootstrap = 6: more than count = 5 nodes");
	refused("[nodes]\nstart = empty\n", NULL, "x.ini:2: [nodes] start = empty: nobody would ever come; "
		"accepted with [churn] session");
	refused("[net]\nmodel = matrix\n", NULL,
		"x.ini:2: [net] model = matrix: a matrix needs file = and meaning = rtt or one-way");
	refused("[net]\nmodel = matrix\nfile = m.txt\n", NULL, "x.ini:3: [net] file = m.txt: what are its "
		"numbers? accepted: meaning = rtt, meaning = one-way");
	refused("[net]\nmodel = coordinates\nlatency = 5ms\n", NULL,
		"x.ini:3: [net] latency = 5ms: used by model = constant only");
	refused("[net]\nlatency = 100us\n", NULL,
		"x.ini:2: [net] latency = 100us: less than floor, which no delay between sites is");
	refused("[net]\nmtu = 1000B\nfamily = both\n", NULL,
		"x.ini:2: [net] mtu = 1000B: less than 1280B, which IPv6 demands (RFC 8200)");
	refused("[churn]\ngraceful = 5%\n", NULL, "x.ini:2: [churn] graceful = 5%: nobody leaves; accepted "
		"with session, preset or trace");
	refused("[churn]\nsession = pareto shape 1 scale 5m\n", NULL, "x.ini:2: [churn] session = pareto "
		"shape 1 scale 5m: has no finite mean, so there is no equilibrium to start from; accepted "
		"with [nodes] start = all or empty");
	refused("[churn]\ntrace = t.csv\nsession = exponential mean 1h\n", NULL, "x.ini:3: [churn] session "
		"= exponential mean 1h: the trace decides who comes and goes");
	refused("[nodes]\ncount = 5\n[churn]\ntrace = t.csv\n", NULL,
		"x.ini:2: [nodes] count = 5: the trace decides who is alive ([churn] trace)");
	refused("[lookups]\nrate = 1/s\nretry = 11s\n", NULL,
		"x.ini:3: [lookups] retry = 11s: longer than timeout = 10s");
}

static void faults_need_what_their_kind_needs_and_nothing_else(void)
{
	refused("[fault.1]\nat = 5m\n", NULL, "x.ini:1: [fault.1]: kind is missing; accepted: crash, "
		"restart, leave, join, partition, cut, pause, suspend, drift, slow-node, slow-disk, "
		"lying-disk, loss, delay, revoke");
	refused(FAULT "crash\nshare = 5%\n", NULL,
		"x.ini:1: [fault.1]: kind = crash needs at; accepted: " TIMES);
	refused(FAULT "crash\nat = 2h\nshare = 50%\n", NULL,
		"x.ini:3: [fault.1] at = 2h: not before the end of the run (duration = 1h)");
	refused(FAULT "crash\nat = 5m\n", NULL,
		"x.ini:1: [fault.1]: nobody is hit; accepted: one of share, count, nodes");
	refused(FAULT "crash\nat = 5m\nshare = 5%\ncount = 5\n", NULL, "x.ini:1: [fault.1]: who is hit is "
		"said more than once; accepted: one of share, count, nodes");
	refused(FAULT "crash\nat = 5m\nshare = 5%\ngroups = 50%:50%\n", NULL, "x.ini:5: [fault.1] groups = "
		"50%:50%: kind = crash has no use for it; accepted: at, over, share, count, nodes, "
		"bootstrap");
	refused(FAULT "crash\nat = 5m\ncount = 1001\n", NULL,
		"x.ini:4: [fault.1] count = 1001: more than the 1000 nodes there are");
	refused(FAULT "partition\nat = 5m\ngroups = 30%:60%\n", NULL,
		"x.ini:4: [fault.1] groups = 30%:60%: the groups add up to 90%, not to 100%");
	refused(FAULT "partition\nat = 5m\ngroups = 100%\n", NULL, "x.ini:4: [fault.1] groups = 100%: one "
		"group is no partition; accepted: two or more, like 30%:70%");
	refused(FAULT "partition\nat = 50m\nfor = 11m\ngroups = 50%:50%\n", NULL, "x.ini:4: [fault.1] for = "
		"11m: lasts beyond the end of the run (duration = 1h); leave it away for a fault that does "
		"not end");
	refused(FAULT "restart\nat = 59m\nshare = 5%\nover = 30s\ndown = 31s\n", NULL, "x.ini:6: [fault.1] "
		"down = 31s: the nodes would start after the end of the run (duration = 1h)");
	refused("[net]\nregions = 3\n" FAULT "cut\nat = 5m\nregion = 3\n", NULL,
		"x.ini:6: [fault.1] region = 3: there is no such region; accepted: 0 to 2");
	refused(FAULT "cut\nat = 5m\nregion = 3\n", NULL,
		"x.ini:4: [fault.1] region = 3: there are no regions; accepted with [net] regions");
	refused(FAULT "drift\nat = 5m\ncount = 2\ndrift = 0ppm\n", NULL, "x.ini:5: [fault.1] drift = 0ppm: a "
		"drift of nothing; accepted: 50ppm, -20ppm, 0.1%");
	refused(FAULT "pause\nat = 5m\ncount = 2\n", NULL,
		"x.ini:1: [fault.1]: kind = pause needs for; accepted: " TIMES " from 1ms to 3650d");
}

static void bad_overrides_are_named_as_they_were_typed(void)
{
	refused("", "duration=5s", "-s duration=5s: names no group; accepted: group.key=value");
	refused("", "run.=5", "-s run.=5: names no key; accepted: group.key=value");
	refused("", "run.seed", "-s run.seed: no value; accepted: group.key=value");
	refused("", "rum.seed=5", "-s rum.seed=5: [rum]: no such group, the nearest is [run]; accepted: "
		GROUPS);
	refused("", "ring.naer=5", "-s ring.naer: no such key, the nearest is near; accepted: near, long, "
		"draw, direction, lookahead, cap, assume-n");
	refused("", "fault.at=5s",
		"-s fault.at=5s: [fault]: this group needs a number; accepted: [fault.1] to [fault.9999]");
	refused(FAULT "crash\nat = 5m\nshare = 5%\n", "fault.1.at=-5s",
		"-s fault.1.at=-5s: negative; accepted: " TIMES);
	refused("[run]\nwarmup = 10m\n", "run.duration=5m",
		"x.ini:2: [run] warmup = 10m: not shorter than duration = 5m");
}

static void several_mistakes_are_told_at_once_and_counted_beyond_ten(void)
{
	GString *text = g_string_new("[nodes]\ncount = ten\nbootstrap = x\n[ring]\n");
	struct fail f;

	CU_ASSERT_PTR_NULL(parse(text->str, NULL, 0, &f));
	CU_ASSERT_EQUAL(f.count, 2);
	fail_done(&f);
	for (unsigned i = 0; i < 30; i++)
		g_string_append_printf(text, "bad%u = 1\n", i);
	CU_ASSERT_PTR_NULL(parse(text->str, NULL, 0, &f));
	CU_ASSERT_EQUAL(f.count, FAIL_MAX);
	CU_ASSERT_EQUAL(f.more, 32 - FAIL_MAX);
	fail_done(&f);
	g_string_free(text, TRUE);
}

static void an_empty_file_is_all_defaults(void)
{
	struct scenario *s = good("", NULL, 0);

	CU_ASSERT_EQUAL(s->run.duration_ns, NS_PER_H);
	CU_ASSERT_EQUAL(s->run.crypto, CRYPTO_REAL);
	CU_ASSERT_EQUAL(s->nodes.count, 1000);
	CU_ASSERT_EQUAL(s->ring.near, 2);
	CU_ASSERT_EQUAL(s->ring.links, AUTO);
	CU_ASSERT_TRUE(s->ring.lookahead);
	CU_ASSERT_EQUAL(s->link.suspect_ns, 1500 * NS_PER_MS);
	CU_ASSERT_EQUAL(s->net.floor_ns, 500 * NS_PER_US);
	CU_ASSERT_FALSE(dist_given(&s->churn.session));
	CU_ASSERT_EQUAL(s->lookups.every_ns, 0);
	CU_ASSERT_EQUAL(s->fault.count, 0);
	CU_ASSERT_EQUAL(s->expect.count, 0);
	CU_ASSERT_EQUAL(s->run.head.given, 0);
	scenario_free(s);
}

static const char FULL[] =
	"# what should be seen\n"
	"[fault.10]\nkind = cut\nat = 40m\nfor = 30s\nregion = 2\ndirection = one-way\n"
	"[run]\r\n  duration = 1h \nwarmup=10m\nseed = 7\ncrypto = model\npcap = 0:17\n"
	"[nodes]\ncount = 2k\n\n[net]\nmodel = matrix\nfile = ../data/m.txt.gz\nmeaning = rtt\n"
	"access = lognormal median 8ms sigma 0.9\nup = 10Mbit\nloss = 0.5%\nloss-burst = 4\nregions = 5\n"
	"[churn]\nsession = weibull shape 0.6 median 60m\noff = exponential mean 30m\ngraceful = 50%\n"
	"[fault.2]\nkind = partition\ngroups = 30%:70%\nat = 30m\nfor = 2m\n"
	"[lookups]\nrate = 0.1/s\n"
	"[expect]\nlookup.right = >= 99.9%\nring.healed = <= 60s\n";

static void every_type_of_value_arrives(void)
{
	struct scenario *s = good(FULL, NULL, 0);

	CU_ASSERT_EQUAL(s->run.warmup_ns, 10 * NS_PER_MIN);
	CU_ASSERT_EQUAL(s->run.crypto, CRYPTO_MODEL);
	CU_ASSERT_EQUAL(s->run.pcap.count, 2);
	CU_ASSERT_EQUAL(s->run.pcap.value[1], 17);
	CU_ASSERT_EQUAL(s->nodes.count, 2000);
	CU_ASSERT_EQUAL(s->net.model, MODEL_MATRIX);
	CU_ASSERT_STRING_EQUAL(s->net.file, "/data/data/m.txt.gz");
	CU_ASSERT_EQUAL(s->net.meaning, MEANING_RTT);
	CU_ASSERT_EQUAL(s->net.latency_ns, 0);		/* a matrix has none */
	CU_ASSERT_EQUAL(s->net.up_bit_s, 10000000);
	CU_ASSERT_EQUAL(s->net.loss_ppb, 5000000);
	CU_ASSERT_EQUAL(s->net.loss_burst, 4);
	CU_ASSERT_EQUAL(dist_median_ns(&s->net.access), 8 * NS_PER_MS);
	CU_ASSERT_EQUAL(s->churn.graceful_ppb, PPB_ONE / 2);
	CU_ASSERT_EQUAL(s->lookups.every_ns, 10 * NS_PER_S);
	CU_ASSERT_EQUAL_FATAL(s->fault.count, 2);
	CU_ASSERT_EQUAL(scenario_fault(s, 0)->head.number, 2);
	CU_ASSERT_EQUAL(scenario_fault(s, 0)->kind, FAULT_PARTITION);
	CU_ASSERT_EQUAL(scenario_fault(s, 0)->groups.value[1], 700000000);
	CU_ASSERT_EQUAL(scenario_fault(s, 1)->kind, FAULT_CUT);
	CU_ASSERT_EQUAL(scenario_fault(s, 1)->direction, FAULT_ONE_WAY);
	CU_ASSERT_EQUAL(scenario_fault(s, 1)->head.line, 2);
	CU_ASSERT_EQUAL_FATAL(s->expect.count, 2);
	CU_ASSERT_STRING_EQUAL(s->expect.pair[0].key, "lookup.right");
	CU_ASSERT_STRING_EQUAL(s->expect.pair[0].text, ">= 99.9%");
	scenario_free(s);
}

static void overrides_win_and_the_last_of_them(void)
{
	static const char *const set[] = { "run.seed=8", "run.seed=9", "fault.2.at=31m",
		"expect.lookup.right=>= 50%", "expect.ring.healed=", "net.file=/abs/m.gz",
		"fault.3.kind=crash", "fault.3.at=5m", "fault.3.share=10%" };
	struct scenario *s = good(FULL, set, G_N_ELEMENTS(set));

	CU_ASSERT_EQUAL(s->run.seed, 9);
	CU_ASSERT_EQUAL_FATAL(s->fault.count, 3);
	CU_ASSERT_EQUAL(scenario_fault(s, 0)->at_ns, 31 * NS_PER_MIN);
	CU_ASSERT_EQUAL(scenario_fault(s, 1)->kind, FAULT_CRASH);
	CU_ASSERT_EQUAL_FATAL(s->expect.count, 1);
	CU_ASSERT_STRING_EQUAL(s->expect.pair[0].text, ">= 50%");
	CU_ASSERT_STRING_EQUAL(s->net.file, "/abs/m.gz");
	scenario_free(s);
}

static void what_an_override_switches_off_is_not_the_files_fault(void)
{
	static const char *const set[] = { "lookups.rate=off", "net.model=constant", "churn.session=none" };
	struct scenario *s = good("[lookups]\nrate = 1/s\ntimeout = 5s\n[net]\nmodel = matrix\nfile = m\n"
				  "meaning = rtt\n[churn]\nsession = exponential mean 1h\ngraceful = 5%\n",
				  set, 3);

	CU_ASSERT_EQUAL(s->lookups.timeout_ns, 0);
	CU_ASSERT_PTR_NULL(s->net.file);
	CU_ASSERT_EQUAL(s->net.meaning, MEANING_UNSAID);
	CU_ASSERT_EQUAL(s->churn.graceful_ppb, 0);
	scenario_free(s);
}

static void presets_are_all_sound_and_what_is_given_beside_them_wins(void)
{
	struct scenario *s;

	for (unsigned i = 0; i < CHURN_PRESETS; i++) {
		char *set = g_strdup_printf("churn.preset=%s", churn_presets[i].name);
		const char *one = set;

		s = good("", &one, 1);
		CU_ASSERT_EQUAL(s->churn.preset, i);
		CU_ASSERT_EQUAL(dist_given(&s->churn.session), i != CHURN_NONE);
		scenario_free(s);
		g_free(set);
	}
	s = good("[churn]\npreset = rhea-47m\nsession = exponential median 2m\n", NULL, 0);
	CU_ASSERT_EQUAL(dist_median_ns(&s->churn.session), 2 * NS_PER_MIN);
	CU_ASSERT_EQUAL(dist_mean_ns(&s->churn.off), 0);
	CU_ASSERT_EQUAL(s->churn.state, STATE_NONE);
	scenario_free(s);
}

static void what_is_written_reads_back_the_same(void)
{
	static const char *const texts[] = {
		"", FULL, "[churn]\npreset = three-class\n", "[nodes]\ncount = 1\n[run]\nduration = 5s\n",
		"[churn]\ntrace = tor.csv.gz\ntrace-speed = 60\ntrace-spread = 1h\n",
		"[net]\nmodel = coordinates\n" FAULT "restart\nat = 5m\nshare = 100%\nover = 1s\n",
		FAULT "join\nat = 5m\ncount = 1k\n[fault.7]\nkind = lying-disk\nat = 0\nnodes = 3\n",
		"[run]\ntitle = A = b # c, \xc3\xa9\n",
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
		struct scenario *a = good(texts[i], NULL, 0), *b;
		char *first = scenario_write(a), *second;

		b = good(first, NULL, 0);
		second = scenario_write(b);
		CU_ASSERT_STRING_EQUAL(first, second);
		CU_ASSERT_EQUAL(a->run.duration_ns, b->run.duration_ns);
		CU_ASSERT_EQUAL(a->churn.trace_speed, b->churn.trace_speed);
		CU_ASSERT_EQUAL(memcmp(&a->churn.session, &b->churn.session, sizeof(struct dist)), 0);
		CU_ASSERT_EQUAL(a->fault.count, b->fault.count);
		g_free(first);
		g_free(second);
		scenario_free(a);
		scenario_free(b);
	}
}

static void a_small_ring_gets_defaults_that_fit(void)
{
	struct scenario *s = good("[nodes]\ncount = 1\n[run]\nduration = 5s\n", NULL, 0);

	CU_ASSERT_EQUAL(s->nodes.bootstrap, 1);
	CU_ASSERT_EQUAL(s->run.interval_ns, 5 * NS_PER_S);
	CU_ASSERT_EQUAL(s->nodes.join_over_ns, 500 * NS_PER_MS);
	scenario_free(s);
}

static char *no_such_metric(void *arg, const char *metric, const char *text)
{
	(void)text;
	return strcmp(metric, arg) ? g_strdup("no such metric") : NULL;
}

static void expectations_are_read_by_who_knows_the_metrics(void)
{
	struct scenario *s = good(FULL, NULL, 0);
	struct fail f = { 0 };

	CU_ASSERT_FALSE(scenario_expectations(s, no_such_metric, (void *)"lookup.right", &f));
	CU_ASSERT_EQUAL_FATAL(f.count, 1);
	CU_ASSERT_STRING_EQUAL(f.text[0], "x.ini:39: [expect] ring.healed = <= 60s: no such metric");
	fail_done(&f);
	scenario_free(s);
}

static void the_table_keeps_its_own_rules(void)
{
	for (unsigned g = 0; g < scenario_schema.count; g++) {
		const struct schema_group *group = &scenario_schema.groups[g];

		CU_ASSERT_TRUE(group->count <= SCHEMA_KEYS_MAX);
		CU_ASSERT_TRUE(group->text && *group->text);
		for (unsigned i = 0; i < group->count; i++) {
			const struct schema_key *k = &group->keys[i];
			const char *texts[] = { k->preset, k->example };
			char why[WHY_LEN];

			CU_ASSERT_TRUE(k->text && *k->text && k->text[strlen(k->text) - 1] != '.');
			CU_ASSERT_TRUE((k->type == TYPE_WORD) <= (k->words != NULL));
			CU_ASSERT_TRUE(k->preset || k->example);
			for (unsigned t = 0; t < 2; t++) {
				union { struct dist d; struct numbers n; int64_t i; char *s; } member = { 0 };

				if (!texts[t])
					continue;
				CU_ASSERT_TRUE(schema_value_read(k, texts[t], &member, why));
				schema_value_done(k, &member);
			}
			for (unsigned j = 0; j < i; j++)
				CU_ASSERT_STRING_NOT_EQUAL(group->keys[j].name, k->name);
		}
	}
}

static void explain_finds_groups_keys_and_near_misses(void)
{
	struct fail f = { 0 };
	char *text = explain(&scenario_schema, NULL, &f);

	CU_ASSERT_PTR_NOT_NULL(strstr(text, "[churn]"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "non-transitive"));
	g_free(text);
	text = explain(&scenario_schema, "fault.delay", &f);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "needed    kind = slow-node, slow-disk, delay"));
	g_free(text);
	text = explain(&scenario_schema, "fault.3", &f);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "groups"));
	g_free(text);
	text = explain(&scenario_schema, "rate", &f);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "[broadcasts] rate"));
	g_free(text);
	CU_ASSERT_PTR_NULL(explain(&scenario_schema, "net.los", &f));
	CU_ASSERT_PTR_NULL(explain(&scenario_schema, "nett", &f));
	CU_ASSERT_EQUAL_FATAL(f.count, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(f.text[0], "no key 'los', the nearest is loss;"));
	CU_ASSERT_PTR_NOT_NULL(strstr(f.text[1], "no group 'nett', the nearest is net;"));
	fail_done(&f);
	text = explain_man(&scenario_schema, "weft-scenario(5)");
	for (unsigned g = 0; g < scenario_schema.count; g++)
		for (unsigned i = 0; i < scenario_schema.groups[g].count; i++) {
			char *entry = g_strdup_printf("\n*%s* = ", scenario_schema.groups[g].keys[i].name);

			CU_ASSERT_PTR_NOT_NULL(strstr(text, entry));
			g_free(entry);
		}
	g_free(text);
}

CU_TestInfo scenario_tests[] = {
	{ "what is no key file is refused by line", what_is_no_key_file_is_refused_by_line },
	{ "unknown names come with the nearest", unknown_names_come_with_the_nearest },
	{ "values are refused with what would be accepted", values_are_refused_with_what_would_be_accepted },
	{ "contradictions are refused where they stand", contradictions_are_refused_where_they_stand },
	{ "faults need what their kind needs and nothing else",
	  faults_need_what_their_kind_needs_and_nothing_else },
	{ "bad overrides are named as they were typed", bad_overrides_are_named_as_they_were_typed },
	{ "several mistakes are told at once, and counted beyond ten",
	  several_mistakes_are_told_at_once_and_counted_beyond_ten },
	{ "an empty file is all defaults", an_empty_file_is_all_defaults },
	{ "every type of value arrives", every_type_of_value_arrives },
	{ "overrides win, and the last of them", overrides_win_and_the_last_of_them },
	{ "what an override switches off is not the file's fault",
	  what_an_override_switches_off_is_not_the_files_fault },
	{ "presets are all sound, and what is given beside them wins",
	  presets_are_all_sound_and_what_is_given_beside_them_wins },
	{ "what is written reads back the same", what_is_written_reads_back_the_same },
	{ "a small ring gets defaults that fit", a_small_ring_gets_defaults_that_fit },
	{ "expectations are read by who knows the metrics", expectations_are_read_by_who_knows_the_metrics },
	{ "the table keeps its own rules", the_table_keeps_its_own_rules },
	{ "explain finds groups, keys and near misses", explain_finds_groups_keys_and_near_misses },
	CU_TEST_INFO_NULL
};
