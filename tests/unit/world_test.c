/* A world does to its nodes what the scenario says, counts it, and does it the same each time. */
#include "sim/world/world.h"

#include <string.h>

#include "core/look.h"
#include "node/prog/scenario.h"
#include "sim/record/metrics.h"
#include "sim/world/faults.h"
#include "sim/world/truth.h"
#include "tests/unit/suites.h"

enum { NODES = 24 };

struct run {
	struct scenario *sc;
	struct world *w;
	uint64_t remembered;		/* peers remembered, over all starts after 40 s */
	unsigned restarts;		/* starts after 40 s */
};

static void on_record(void *ctx, unsigned shard, int64_t now_ns, uint32_t host, const struct record *r)
{
	struct run *x = ctx;

	(void)shard;
	(void)host;
	if (r->kind == RECORD_START && now_ns > 40 * NS_PER_S) {
		x->remembered += r->a;
		x->restarts++;
	}
}

/* A small world that joins within seconds; @set is NULL-terminated and goes on top. */
static struct run *begin(unsigned shards, unsigned threads, const char *const *set)
{
	static const char *const base[] = {
		"run.duration=100s", "run.warmup=10s", "run.crypto=model", "run.interval=10s",
		"nodes.count=24", "nodes.join-over=2s", "net.model=constant", "net.latency=20ms",
		"lookups.rate=1/s", "lookups.timeout=10s",
	};
	const char *all[32];
	unsigned n = 0;
	struct run *x = g_new0(struct run, 1);
	struct fail f = { 0 };
	struct world_setup s = { .seed = 5, .shards = shards, .threads = threads };
	struct watch watch = { .ctx = x, .record = on_record };

	for (; n < G_N_ELEMENTS(base); n++)
		all[n] = base[n];
	for (; set && *set; set++)
		all[n++] = *set;
	x->sc = scenario_new(all, n, &f);
	s.scenario = x->sc;
	x->w = x->sc ? world_new(&s, &f) : NULL;
	if (!x->w)
		fail_print(&f);
	fail_done(&f);
	CU_ASSERT_FATAL(x->w != NULL);
	if (shards == 1)
		world_watch(x->w, &watch);
	return x;
}

static void go(struct run *x, int64_t until_s)
{
	struct fail f = { 0 };

	CU_ASSERT_EQUAL(world_run(x->w, until_s * NS_PER_S, &f), WORLD_DONE);
	world_settle(x->w);
	CU_ASSERT_FALSE(failed(&f));
}

static void done(struct run *x)
{
	world_free(x->w);
	scenario_free(x->sc);
	g_free(x);
}

static int64_t counted(const struct run *x, enum metric m)
{
	int64_t n = 0;

	for (unsigned i = 0; i < world_shards(x->w); i++)
		n += world_metrics(x->w, i)->cell[m];
	return n;
}

#define SET(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* -- what is true ----------------------------------------------------------------------------------- */

static void truth_is_what_the_nodes_say(void)
{
	struct run *x = begin(1, 1, NULL);
	const struct owner *o;
	uint32_t joined = 0;

	go(x, 30);
	for (uint32_t i = 0; i < world_hosts(x->w); i++) {
		struct host_view h;
		struct was was;

		world_host(x->w, i, &h);
		CU_ASSERT(host_runs(&h) && h.node && h.incarnation == 1);
		joined += h.joined;
		CU_ASSERT(world_was(x->w, h.id, &was) && was.host == i && was.alive);
		CU_ASSERT_EQUAL(h.bootstrap, i < (uint32_t)x->sc->nodes.bootstrap);
	}
	CU_ASSERT_EQUAL(joined, NODES);
	CU_ASSERT_EQUAL(truth_count(world_truth(x->w)), NODES);
	for (o = truth_first(world_truth(x->w)); o; o = truth_after(world_truth(x->w), o->id)) {
		struct host_view h;
		struct look l;

		world_host(x->w, o->host, &h);
		node_look(h.node, &l);
		CU_ASSERT(id_eq(l.id, o->id));
		CU_ASSERT(id_eq(l.right, truth_next(world_truth(x->w), o)->id));
		CU_ASSERT(id_eq(l.left, truth_prev(world_truth(x->w), o)->id));
	}
	go(x, 100);
	CU_ASSERT(counted(x, M_LOOKUP_JUDGED) > 80 * NODES);
	CU_ASSERT_EQUAL(counted(x, M_LOOKUP_RIGHT), counted(x, M_LOOKUP_JUDGED));
	CU_ASSERT_EQUAL(counted(x, M_JOIN_STARTED), NODES);
	CU_ASSERT_EQUAL(counted(x, M_JOIN_FAILED), 0);
	done(x);
}

static uint64_t digest(unsigned shards, unsigned threads, const char *crypto)
{
	struct run *x = begin(shards, threads, SET(crypto, "churn.session=exponential mean 30s",
		"churn.off=exponential mean 20s", "churn.graceful=50%", "churn.state=all", "net.loss=2%",
		"net.duplicate=1%", "net.corrupt=1%", "net.jitter=10%", "broadcasts.rate=0.5/s",
		"fault.1.kind=pause", "fault.1.share=20%", "fault.1.at=30s", "fault.1.for=5s",
		"fault.2.kind=partition", "fault.2.groups=50%:50%", "fault.2.at=50s", "fault.2.for=10s"));
	uint64_t d;

	go(x, 100);
	d = world_digest(x->w);
	CU_ASSERT(counted(x, M_JOIN_STARTED) > 2 * NODES);
	done(x);
	return d;
}

static void the_digest_does_not_depend_on_shards_threads_or_crypto(void)
{
	uint64_t one = digest(1, 1, "run.crypto=model");

	CU_ASSERT_EQUAL(digest(1, 1, "run.crypto=model"), one);
	CU_ASSERT_EQUAL(digest(2, 1, "run.crypto=model"), one);
	CU_ASSERT_EQUAL(digest(7, 1, "run.crypto=model"), one);
	CU_ASSERT_EQUAL(digest(4, 2, "run.crypto=model"), one);
	CU_ASSERT_EQUAL(digest(1, 1, "run.crypto=real"), one);
}

static void another_seed_is_another_run(void)
{
	struct run *a = begin(1, 1, NULL), *b;
	uint64_t one;

	go(a, 20);
	one = world_digest(a->w);
	done(a);
	b = begin(1, 1, SET("net.loss=0.1%"));
	go(b, 20);
	CU_ASSERT_NOT_EQUAL(world_digest(b->w), one);
	done(b);
}

/* -- faults ----------------------------------------------------------------------------------------- */

static uint64_t touched(const char *const *set)
{
	struct run *x = begin(1, 1, set);
	uint64_t n;

	go(x, 100);
	n = faults_touched(x->w, 1);
	done(x);
	return n;
}

#define FAULT(what, ...) SET("fault.1.kind=" what, "fault.1.at=40s", __VA_ARGS__)

static void every_fault_counts_what_it_touched(void)
{
	CU_ASSERT_EQUAL(touched(FAULT("crash", "fault.1.share=50%")), 11);	/* 21 without bootstraps */
	CU_ASSERT_EQUAL(touched(FAULT("leave", "fault.1.count=5")), 5);
	CU_ASSERT_EQUAL(touched(FAULT("restart", "fault.1.nodes=1:4:9", "fault.1.down=2s")), 3);
	CU_ASSERT_EQUAL(touched(FAULT("join", "fault.1.count=12", "fault.1.over=3s")), 12);
	CU_ASSERT(touched(FAULT("partition", "fault.1.groups=50%:50%", "fault.1.for=20s")) > 20);
	CU_ASSERT(touched(FAULT("cut", "net.regions=3", "fault.1.region=1", "fault.1.for=20s")) > 5);
	CU_ASSERT(touched(FAULT("pause", "fault.1.count=5", "fault.1.for=5s")) > 5);
	CU_ASSERT_EQUAL(touched(FAULT("suspend", "fault.1.count=5", "fault.1.for=5s")), 5);
	CU_ASSERT(touched(FAULT("drift", "fault.1.count=5", "fault.1.drift=200ppm", "fault.1.for=30s")) > 20);
	CU_ASSERT(touched(FAULT("slow-node", "fault.1.count=5", "fault.1.delay=50ms", "fault.1.for=30s")) > 20);
	CU_ASSERT(touched(SET("fault.1.kind=slow-disk", "fault.1.at=1s", "fault.1.share=100%",
			      "fault.1.delay=2s", "fault.1.for=50s")) > 0);
	CU_ASSERT(touched(FAULT("loss", "fault.1.share=50%", "fault.1.loss=20%", "fault.1.for=30s")) > 20);
	CU_ASSERT(touched(FAULT("delay", "fault.1.share=50%", "fault.1.delay=100ms", "fault.1.for=30s")) > 20);
}

/* The reason for counting: a fault can be active and do nothing at all. */
static void a_fault_without_effect_counts_nothing(void)
{
	CU_ASSERT_EQUAL(touched(FAULT("lying-disk", "fault.1.share=100%", "fault.1.for=30s")), 0);
	CU_ASSERT_EQUAL(touched(FAULT("loss", "fault.1.share=50%", "fault.1.loss=20%", "fault.1.for=1ms")), 0);
	CU_ASSERT_EQUAL(touched(FAULT("crash", "fault.1.nodes=23", "fault.2.kind=crash", "fault.2.at=30s",
				      "fault.2.nodes=23")), 0);
}

static void a_parted_world_heals_and_says_when(void)
{
	struct run *x = begin(1, 1, FAULT("partition", "fault.1.groups=40%:60%", "fault.1.for=20s"));
	const struct metrics *m = world_metrics(x->w, 0);
	int64_t ended;
	unsigned ahead, parts;

	go(x, 30);
	CU_ASSERT_EQUAL(world_faults(x->w, &ended, &ahead), 0);
	CU_ASSERT_EQUAL(ahead, 1);
	go(x, 55);
	parts = parts_count(world_parts(x->w));
	CU_ASSERT_EQUAL(parts, 2);
	CU_ASSERT_EQUAL(world_faults(x->w, &ended, &ahead), 1);
	for (uint32_t i = 0; i < NODES; i++)
		CU_ASSERT_EQUAL(world_direct(x->w, 0, i), world_part(x->w, 0) == world_part(x->w, i));
	go(x, 100);
	m = world_metrics(x->w, 0);
	CU_ASSERT_EQUAL(parts_count(world_parts(x->w)), 1);
	CU_ASSERT_EQUAL(world_faults(x->w, &ended, &ahead), 0);
	CU_ASSERT_EQUAL(ended, 60 * NS_PER_S);
	CU_ASSERT(m->known[M_RING_HEALED]);
	CU_ASSERT(m->cell[M_RING_HEALED] >= 0 && m->cell[M_RING_HEALED] < 30 * NS_PER_S);
	done(x);
}

/* -- what is left after a restart ------------------------------------------------------------------- */

static double remembered(const char *const *set)
{
	struct run *x = begin(1, 1, set);
	double mean;

	go(x, 100);
	mean = x->restarts ? (double)x->remembered / x->restarts : -1;
	done(x);
	return mean;
}

static void a_node_comes_back_with_what_it_saved(void)
{
	CU_ASSERT(remembered(FAULT("restart", "fault.1.share=50%", "fault.1.down=1s", "fault.1.state=all")) > 3);
	CU_ASSERT_EQUAL(remembered(FAULT("restart", "fault.1.share=50%", "fault.1.down=1s",
					 "fault.1.state=identity")), 0);
}

static void a_lying_disk_loses_what_it_confirmed(void)
{
	const char *const honest[] = { "fault.1.kind=restart", "fault.1.at=60s", "fault.1.share=100%",
		"fault.1.down=1s", "fault.1.state=all", NULL };
	const char *const lying[] = { "fault.1.kind=lying-disk", "fault.1.at=0s", "fault.1.nodes=3:4:5:6:7:8:9:10",
		"fault.1.for=90s", "fault.1.lie=stale", "fault.2.kind=restart", "fault.2.at=60s",
		"fault.2.nodes=3:4:5:6:7:8:9:10", "fault.2.down=1s", "fault.2.state=all", NULL };
	struct run *x;

	CU_ASSERT(remembered(honest) > 3);
	CU_ASSERT_EQUAL(remembered(lying), 0);
	x = begin(1, 1, lying);
	go(x, 100);
	CU_ASSERT(faults_touched(x->w, 1) >= 8);
	done(x);
}

static void a_new_identity_is_a_new_place(void)
{
	struct run *x = begin(1, 1, FAULT("restart", "fault.1.nodes=5:6", "fault.1.down=1s", "fault.1.state=none"));
	struct host_view before, after;
	struct was was;

	go(x, 30);
	world_host(x->w, 5, &before);
	go(x, 60);
	world_host(x->w, 5, &after);
	CU_ASSERT_FALSE(id_eq(before.id, after.id));
	CU_ASSERT_EQUAL(after.incarnation, 2);
	CU_ASSERT(world_was(x->w, before.id, &was) && !was.alive && was.host == 5 && was.ended_ns == 40 * NS_PER_S);
	done(x);
}

static void a_world_that_ran_before_needs_no_bootstrap(void)
{
	struct run *x = begin(1, 1, SET("nodes.remember=yes", "nodes.count=60", "nodes.join-over=0s"));
	const struct owner *o;
	unsigned right = 0;

	go(x, 8);
	CU_ASSERT_EQUAL(truth_count(world_truth(x->w)), 60);
	for (o = truth_first(world_truth(x->w)); o; o = truth_after(world_truth(x->w), o->id)) {
		struct host_view h;
		struct look l;

		world_host(x->w, o->host, &h);
		node_look(h.node, &l);
		right += id_eq(l.right, truth_next(world_truth(x->w), o)->id);
		CU_ASSERT(l.remembered >= 8);
	}
	CU_ASSERT_EQUAL(right, 60);
	done(x);
}

static void what_cannot_be_is_refused_before_the_run(void)
{
	static const char *const bad[][2] = {
		{ "nodes.quota=1KiB", "quota" },
		{ "churn.session=pareto shape 0.9 scale 1m", "finite mean" },
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
		struct fail f = { 0 };
		struct world_setup s = { .seed = 1 };
		struct scenario *sc = scenario_new(&bad[i][0], 1, &f);
		struct world *w;

		s.scenario = sc;
		w = sc ? world_new(&s, &f) : NULL;
		CU_ASSERT_PTR_NULL(w);
		CU_ASSERT(failed(&f) && strstr(f.text[0], bad[i][1]));
		fail_done(&f);
		world_free(w);
		scenario_free(sc);
	}
}

CU_TestInfo world_tests[] = {
	{ "truth is what the nodes say", truth_is_what_the_nodes_say },
	{ "the digest does not depend on shards, threads or crypto", the_digest_does_not_depend_on_shards_threads_or_crypto },
	{ "another world is another run", another_seed_is_another_run },
	{ "every fault counts what it touched", every_fault_counts_what_it_touched },
	{ "a fault without effect counts nothing", a_fault_without_effect_counts_nothing },
	{ "a parted world heals and says when", a_parted_world_heals_and_says_when },
	{ "a node comes back with what it saved", a_node_comes_back_with_what_it_saved },
	{ "a lying disk loses what it confirmed", a_lying_disk_loses_what_it_confirmed },
	{ "a new identity is a new place", a_new_identity_is_a_new_place },
	{ "a world that ran before needs no bootstrap", a_world_that_ran_before_needs_no_bootstrap },
	{ "what cannot be is refused before the run", what_cannot_be_is_refused_before_the_run },
	CU_TEST_INFO_NULL
};
