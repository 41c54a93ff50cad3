/*
 * Members of slots, under schedules drawn from a number: writes, views, births,
 * restarts and what the oracle of replica_lab.h says about all of it.
 */
#include "tests/unit/replica_lab.h"
#include "tests/unit/suites.h"

static bool answered(struct lab *l, struct lab_ask *a, int64_t within_ns)
{
	int64_t end = l->now_ns + within_ns;
	unsigned before = l->answered;

	if (!a)
		return false;
	a->ends_ns = end;
	while (a->open && lab_step(l, end))
		;
	return l->answered > before;
}

static void a_network_begins_with_its_only_founder(void)
{
	struct lab *l = lab_new(1, 1, 1, 5);

	lab_start(l, 0);
	lab_run(l, 5 * NS_PER_S);
	CU_ASSERT_TRUE(answered(l, lab_op(l, 0, OP_CREATE, 9), 8 * NS_PER_S));
	CU_ASSERT_EQUAL(l->granted, 1);
	CU_ASSERT_PTR_NULL(l->wrong);
	lab_free(l);
}

static void three_founders_serve_once_all_have_met(void)
{
	struct lab *l = lab_new(2, 5, 3, 5);

	lab_start(l, 0);
	lab_start(l, 1);
	lab_run(l, 20 * NS_PER_S);
	CU_ASSERT_FALSE(answered(l, lab_op(l, 0, OP_CREATE, 9), 8 * NS_PER_S));
	lab_start(l, 2);
	lab_start(l, 3);
	lab_start(l, 4);
	lab_run(l, 20 * NS_PER_S);
	CU_ASSERT_TRUE(answered(l, lab_op(l, 3, OP_CREATE, 9), 8 * NS_PER_S));
	CU_ASSERT_PTR_NULL(l->wrong);
	lab_free(l);
}

/* ---- schedules ---- */

enum { HONEST, STALE, CHAOS };

static void fault(struct lab *l, int kind)
{
	unsigned i = lab_below(l, l->nodes), what = lab_below(l, 10);
	struct lab_node *n = &l->node[i];

	switch (what) {
	case 0:
	case 1:
	case 2:
		if (l->trace && n->dht)
			printf("%10.3f crash %u\n", (double)l->now_ns / 1e9, i);
		lab_crash(l, i);
		break;
	case 3:
	case 4:
	case 5:
	case 6:
		if (n->dht)
			break;
		if (!i && l->record.founders == 1)
			;		/* the disk of an only founder is the network: birth.c */
		else if (kind == STALE && n->old.count && lab_below(l, 2)) {
			disk_copy(&n->disk, &n->old);
			n->lost = true;
		} else if (kind == STALE && !lab_below(l, 3)) {
			disk_clear(&n->disk);
			n->lost = true;
		}
		if (l->trace)
			printf("%10.3f start %u%s\n", (double)l->now_ns / 1e9, i, n->lost ? " (disk lost or old)" : "");
		lab_start(l, i);
		break;
	case 7:
		n->side = n->side ? 0 : (uint8_t)(1 + lab_below(l, 2));
		n->cut_ns = l->now_ns;
		if (l->trace)
			printf("%10.3f side %u of %u\n", (double)l->now_ns / 1e9, n->side, i);
		break;
	case 8:
		n->paused_ns = l->now_ns + (1 + lab_below(l, 12)) * NS_PER_S;
		break;
	case 9:
		if (!n->old.count)
			disk_copy(&n->old, &n->disk);
		break;
	}
}

static void client(struct lab *l)
{
	struct lab_node *n = lab_pick(l);
	unsigned ip = 1 + lab_below(l, 3), i, what = lab_below(l, 10);

	if (!n)
		return;
	i = (unsigned)(n - l->node);
	if (what < 5)
		lab_op(l, i, lab_belief(l, ip, i) && lab_below(l, 2) ? OP_RENEW : OP_CREATE, ip);
	else if (what < 6 && lab_belief(l, ip, i))
		lab_op(l, i, OP_RELEASE, ip);
	else if (what < 8)
		lab_op(l, i, OP_GET, ip);
	else
		lab_op(l, i, OP_CREATE_ANY, ip);
}

/* In STALE schedules one node at the most has a disk that lies. */
static unsigned lying(const struct lab *l)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->nodes; i++)
		n += l->node[i].lost;
	return n;
}

static struct lab *schedule(uint64_t seed, int kind, unsigned seconds, bool trace)
{
	unsigned nodes, founders, replicas;
	struct lab *l;
	uint64_t dice = seed * 77777 + 5;

	nodes = 3 + (unsigned)(seed % 5);
	founders = seed / 5 % 2 ? 3 : 1;
	replicas = seed / 10 % 2 ? 5 : 3;
	l = lab_new(dice, nodes, founders, replicas);
	l->trace = trace;
	for (unsigned i = 0; i < nodes; i++)
		lab_start(l, i);
	lab_run(l, (int64_t)(seed / 20 % 3) * 4 * NS_PER_S);
	l->loss_pm = seed / 60 % 2 ? 50 : 0;
	l->twice_pm = seed / 120 % 2 ? 50 : 0;
	for (unsigned t = 0; t < seconds * 4 && !l->wrong; t++) {
		if (lab_below(l, 3))
			client(l);
		if (!lab_below(l, 12) && t > 40)
			fault(l, kind == STALE && lying(l) ? HONEST : kind);
		lab_run(l, lab_below(l, 500) * NS_PER_MS);
	}
	return l;
}

/* Everybody is there again, with an honest disk, and nothing gets lost: soon everything can be had. */
static bool heals(struct lab *l)
{
	for (unsigned i = 0; i < l->nodes; i++) {
		if (!l->node[i].dht)
			lab_start(l, i);
		l->node[i].side = 0;
		l->node[i].cut_ns = 0;
		l->node[i].paused_ns = 0;
	}
	l->loss_pm = 0;
	lab_run(l, 90 * NS_PER_S);
	return answered(l, lab_op(l, 0, OP_GET, 40), 20 * NS_PER_S);
}

static unsigned env_number(const char *name, unsigned otherwise)
{
	const char *s = getenv(name);

	return s ? (unsigned)strtoul(s, NULL, 10) : otherwise;
}

static void schedules(int kind, unsigned count, bool heal)
{
	unsigned first = env_number("REPLICA_SEED", 0), granted = 0, views = 0, sick = 0;
	uint64_t steps = 0;

	count = env_number("REPLICA_COUNT", count);
	for (unsigned seed = first; seed < first + count; seed++) {
		struct lab *l = schedule(seed, kind, 60, getenv("REPLICA_TRACE") != NULL);

		if (!l->wrong && heal && !heals(l)) {
			if (!l->wrong) {
				sick++;
				printf("\n    seed %u: does not heal\n", seed);
				if (l->trace)
					lab_dump(l, NODES_MAX);
			}
		}
		if (l->wrong)
			printf("\n    seed %u: %s (%s)\n", seed, l->wrong, l->why);
		CU_ASSERT_PTR_NULL(l->wrong);
		granted += l->granted;
		views += l->changes;
		steps += l->steps;
		lab_free(l);
	}
	CU_ASSERT_EQUAL(sick, 0);
	printf("\n    %u schedules, %llu steps, %u grants, %u views: ", count, (unsigned long long)steps, granted, views);
	CU_ASSERT_TRUE(granted > count);
	CU_ASSERT_TRUE(views > count);
}

static void crashes_cuts_and_pauses_leave_one_owner(void)
{
	schedules(HONEST, 200, true);
}

static void one_lying_disk_leaves_one_owner(void)
{
	schedules(STALE, 200, false);
}

CU_TestInfo replica_tests[] = {
	{ "a network begins with its only founder", a_network_begins_with_its_only_founder },
	{ "three founders serve once all have met", three_founders_serve_once_all_have_met },
	{ "crashes, cuts and pauses leave one owner, and it heals", crashes_cuts_and_pauses_leave_one_owner },
	{ "one lying disk leaves one owner", one_lying_disk_leaves_one_owner },
	CU_TEST_INFO_NULL
};
