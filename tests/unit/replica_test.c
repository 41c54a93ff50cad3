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

/* The replica of the slot all tests ask, at whoever is its primary; NULL if nobody is. */
static const struct replica *primary_of(const struct lab *l, uint8_t kind, unsigned *who)
{
	for (unsigned i = 0; i < l->nodes; i++) {
		const struct replicas *rs = l->node[i].dht ? l->node[i].dht->replicas : NULL;

		for (unsigned k = 0; rs && k < rs->count; k++)
			if (rs->at[k]->slot.kind == kind && rs->at[k]->duty && !rs->at[k]->promised && rs->at[k]->proven) {
				*who = i;
				return rs->at[k];
			}
	}
	return NULL;
}

static struct lab *running(uint64_t seed, unsigned nodes, unsigned founders, unsigned replicas)
{
	struct lab *l = lab_new(seed, nodes, founders, replicas);

	for (unsigned i = 0; i < nodes; i++)
		lab_start(l, i);
	lab_run(l, 20 * NS_PER_S);
	CU_ASSERT_TRUE(answered(l, lab_op(l, 0, OP_CREATE, 9), 8 * NS_PER_S));
	lab_run(l, 15 * NS_PER_S);
	return l;
}

static void views_grow_to_the_replicas_asked_for(void)
{
	struct lab *l = running(3, 7, 1, 5);
	unsigned who;
	const struct replica *r = primary_of(l, SLOT_ROOT, &who);

	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	CU_ASSERT_EQUAL(r->view.members, 5);
	r = primary_of(l, SLOT_V4, &who);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	CU_ASSERT_EQUAL(r->view.members, 5);
	CU_ASSERT_PTR_NULL(l->wrong);
	lab_free(l);
}

static void who_leaves_hands_over(void)
{
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct lab *l = running(seed, 4, 1, 3);
		unsigned who = 0;
		bool left = false;
		int64_t end;

		CU_ASSERT_PTR_NOT_NULL(primary_of(l, SLOT_V4, &who));
		end = l->now_ns + 3 * NS_PER_S;
		while (!left && l->now_ns < end) {
			lab_enter(&l->node[who]);
			left = dht_leave(l->node[who].dht, &l->node[who].env);
			lab_leave(&l->node[who]);
			lab_run(l, 100 * NS_PER_MS);
		}
		CU_ASSERT_TRUE(left);
		lab_crash(l, who);
		l->node[who].died_ns = l->now_ns - NOTICE_MS * NS_PER_MS;	/* it said goodbye */
		CU_ASSERT_TRUE(answered(l, lab_op(l, who ? 0 : 1, OP_CREATE, 10), NS_PER_S * 3 / 2));
		CU_ASSERT_PTR_NULL(l->wrong);
		lab_free(l);
	}
}

static void a_dead_primary_is_replaced_within_five_seconds_of_notice(void)
{
	int64_t worst = 0;

	for (uint64_t seed = 0; seed < 100; seed++) {
		struct lab *l = running(seed, 5, 1, 3);
		unsigned who = 0;
		int64_t from;

		CU_ASSERT_PTR_NOT_NULL(primary_of(l, SLOT_V4, &who));
		lab_crash(l, who);
		from = l->now_ns + NOTICE_MS * NS_PER_MS;
		CU_ASSERT_TRUE(answered(l, lab_op(l, who ? 0 : 1, OP_CREATE, 10), 10 * NS_PER_S));
		if (l->now_ns - from > worst)
			worst = l->now_ns - from;
		CU_ASSERT_PTR_NULL(l->wrong);
		lab_free(l);
	}
	printf("worst %lld ms after it was noticed: ", (long long)(worst / NS_PER_MS));
	CU_ASSERT_TRUE(worst < 5 * NS_PER_S);
}

/* The root and one slot, three members each: as many words if the primaries speak to all and are answered, or also to the points' owners. */
enum { ROUND_LEAST = 8, ROUND_MOST = 10 };

static unsigned said_in(struct lab *l, unsigned seconds)
{
	unsigned before = l->posted;

	lab_run(l, seconds * NS_PER_S);
	return l->posted - before;
}

static void a_quiet_slot_is_spoken_of_ever_less_until_the_ring_changes(void)
{
	struct lab *l = running(3, 7, 1, 3);
	const struct replica *root, *r;
	unsigned who, other = 0, said;

	lab_run(l, 600 * NS_PER_S);
	CU_ASSERT_TRUE(said_in(l, 600) <= 2 * ROUND_MOST);	/* one round each, perhaps two */
	said = said_in(l, 36000);				/* once an hour in the end */
	CU_ASSERT_TRUE(said >= 8 * ROUND_LEAST && said <= 14 * ROUND_MOST);
	root = primary_of(l, SLOT_ROOT, &who);
	r = primary_of(l, SLOT_V4, &who);
	CU_ASSERT_FATAL(root && r);
	while (view_place(&r->view, l->node[other].party->self.id) >= 0 ||
	       view_place(&root->view, l->node[other].party->self.id) >= 0)
		other++;
	lab_crash(l, other);				/* no member of them went, but somebody did */
	CU_ASSERT_TRUE(said_in(l, NOTICE_MS / 1000 + 23) >= ROUND_LEAST);
	CU_ASSERT_TRUE(said_in(l, 160) >= 2 * ROUND_LEAST);	/* and the pauses begin anew */
	lab_run(l, 4000 * NS_PER_S);
	lab_crash(l, who);
	CU_ASSERT_TRUE(answered(l, lab_op(l, who ? 0 : 1, OP_CREATE, 10), 7 * NS_PER_S));
	CU_ASSERT_PTR_NULL(l->wrong);
	lab_free(l);
}

static void crash_id(struct lab *l, struct id id)
{
	for (unsigned i = 0; i < l->nodes; i++)
		if (id_eq(l->node[i].party->self.id, id))
			lab_crash(l, i);
}

/* Is one of the members of the slot dead? */
static bool counts_on_the_dead(const struct lab *l)
{
	unsigned who, dead = 0;
	const struct replica *r = primary_of(l, SLOT_V4, &who);

	for (unsigned i = 0; i < l->nodes; i++)
		dead += r && !l->node[i].dht && view_place(&r->view, l->node[i].party->self.id) >= 0;
	return !r || dead;
}

/* The new view is told to those of the old one until they know; the dead never will. */
static void a_second_crash_is_repaired_as_soon_as_the_first(void)
{
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct lab *l = running(seed, 7, 1, 5);
		unsigned who = 0;
		const struct replica *r;

		for (unsigned i = 0; i < 2; i++) {
			r = primary_of(l, SLOT_V4, &who);
			CU_ASSERT_PTR_NOT_NULL_FATAL(r);
			crash_id(l, r->view.member[1 + i].id);
			lab_run(l, NOTICE_MS * NS_PER_MS + 5 * NS_PER_S);
			CU_ASSERT_FALSE(counts_on_the_dead(l));
		}
		CU_ASSERT_PTR_NULL(l->wrong);
		lab_free(l);
	}
}

/* An op that no mail carries yet: lab_send() */
static struct lab_ask *unsent(struct lab *l, unsigned node, uint8_t kind, unsigned ip)
{
	unsigned loss_pm = l->loss_pm;
	struct lab_ask *a;

	l->loss_pm = 1000;
	a = lab_op(l, node, kind, ip);
	l->loss_pm = loss_pm;
	a->again_ns = a->ends_ns = INT64_MAX;
	return a;
}

/* What the create @made made, if anything, is given back: nobody heard its answer. */
static struct lab_ask *take_back(struct lab *l, const struct lab_ask *made)
{
	struct lab_node *n = &l->node[made->node];
	struct lab_ask *a = unsent(l, made->node, OP_GET, 40);
	struct question q = { 0 };
	struct writer w = writer_of(a->bytes, sizeof(a->bytes));

	a->op.kind = OP_RELEASE;
	a->op.ip = (struct ip){ .family = 0 };
	a->op.client = made->op.client;
	a->op.fence = (struct fence){ .grant = made->op.nonce };
	question_write(&w, &q);
	op_write(&w, &a->op, &l->suite, &n->party->self, (struct bytes){ n->party->chain, n->party->chain_len });
	a->len = (uint16_t)writer_len(&w);
	lab_send(l, a);
	return a;
}

/* A copy of a create comes when it was taken back already; @next: and to the next primary. Is it granted? */
static bool granted_late(uint64_t seed, bool next)
{
	struct lab *l = running(seed, 5, 1, 3);
	unsigned who = 0, asker;
	struct lab_ask *a, *undo;
	bool granted;

	CU_ASSERT_PTR_NOT_NULL(primary_of(l, SLOT_V4, &who));
	asker = who ? 0 : 1;
	a = unsent(l, asker, OP_CREATE, 12);
	undo = take_back(l, a);
	CU_ASSERT_TRUE(answered(l, undo, 8 * NS_PER_S));
	CU_ASSERT_EQUAL(l->said, VERDICT_ABSENT);
	if (next) {
		lab_crash(l, who);
		lab_run(l, NOTICE_MS * NS_PER_MS + 8 * NS_PER_S);
	}
	lab_send(l, a);
	CU_ASSERT_TRUE(answered(l, a, 8 * NS_PER_S));
	granted = l->said == VERDICT_OK;
	CU_ASSERT_PTR_NULL(l->wrong);
	lab_free(l);
	return granted;
}

static void what_was_taken_back_is_not_granted_late(void)
{
	for (uint64_t seed = 0; seed < 20; seed++) {
		CU_ASSERT_FALSE(granted_late(seed, false));
		CU_ASSERT_FALSE(granted_late(seed, true));
	}
}

/* Members count a term on their own, and after restarts longer. The next primary may be one that does. */
static void what_is_over_does_not_come_back(void)
{
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct lab *l = running(seed, 5, 1, 3);
		unsigned who = 0;
		struct replica *r;

		CU_ASSERT_TRUE(answered(l, lab_op(l, 2, OP_CREATE, 13), 8 * NS_PER_S));
		lab_run(l, 11 * NS_PER_S);
		CU_ASSERT_PTR_NOT_NULL(primary_of(l, SLOT_V4, &who));
		for (unsigned i = 0; i < l->nodes; i++) {
			struct lab_node *n = &l->node[i];
			struct slot_name slot = slot_of_ip(l->record.id, &(struct ip){ .family = 4, .at = { 10, 0, 0, 13 } });
			struct kept *k;

			r = replica_find(n->dht, &slot);
			k = r ? store_find(&r->store, 13) : NULL;
			lab_enter(n);
			if (k && i != who)
				k->until_ns = n->env.now_ns + 10 * NS_PER_S;
			else if (k)
				replica_sweep(n->dht, &n->env, r);
			lab_leave(n);
		}
		CU_ASSERT_TRUE(answered(l, lab_op(l, 1, OP_GET, 13), 8 * NS_PER_S));
		CU_ASSERT_EQUAL(l->said, VERDICT_ABSENT);
		lab_crash(l, who);
		CU_ASSERT_TRUE(answered(l, lab_op(l, who == 1 ? 2 : 1, OP_GET, 13), 8 * NS_PER_S));
		CU_ASSERT_EQUAL(l->said, VERDICT_ABSENT);
		CU_ASSERT_PTR_NULL(l->wrong);
		lab_free(l);
	}
}

static void all_stop_at_once_and_come_back(void)
{
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct lab *l = running(seed, 5, seed % 2 ? 3 : 1, seed % 3 ? 5 : 3);
		struct lab_ask *a;

		CU_ASSERT_TRUE(answered(l, lab_op(l, 2, OP_CREATE, 3), 8 * NS_PER_S));
		for (unsigned i = 0; i < l->nodes; i++)
			lab_crash(l, i);
		lab_run(l, 3 * NS_PER_S);
		for (unsigned i = 0; i < l->nodes; i++)
			lab_start(l, i);
		lab_run(l, 2 * NS_PER_S);
		a = lab_op(l, 1, OP_CREATE, 3);		/* the grantors count its term anew */
		CU_ASSERT_TRUE(answered(l, a, 8 * NS_PER_S));
		CU_ASSERT_EQUAL(l->said, VERDICT_TAKEN);
		lab_run(l, 11 * NS_PER_S);
		CU_ASSERT_TRUE(answered(l, lab_op(l, 1, OP_CREATE, 3), 8 * NS_PER_S));
		CU_ASSERT_EQUAL(l->said, VERDICT_OK);
		CU_ASSERT_PTR_NULL(l->wrong);
		lab_free(l);
	}
}

static uint64_t grants_of(const struct lab *l, unsigned i)
{
	const struct replicas *rs = l->node[i].dht->replicas;
	uint64_t n = 0;

	for (unsigned k = 0; rs && k < rs->count; k++)
		n += rs->at[k]->slot.kind == SLOT_V4 ? rs->at[k]->store.grants : 0;
	return n;
}

/*
 * Members that came later keep their records in the other half of the disk, and
 * a stage that is over may stand beside them in the head: whichever comes first.
 */
static void the_count_of_grants_survives_a_restart(void)
{
	for (uint64_t seed = 0; seed < 40; seed++) {
		struct lab *l = running(seed, 5, 1, 3);

		for (unsigned i = 0; i < 4; i++) {
			lab_crash(l, i);
			lab_run(l, 20 * NS_PER_S);
			lab_start(l, i);
			lab_run(l, 20 * NS_PER_S);
		}
		CU_ASSERT_TRUE(answered(l, lab_op(l, 4, OP_CREATE, 3 + (unsigned)seed), 8 * NS_PER_S));
		lab_run(l, 2 * NS_PER_S);
		for (unsigned i = 0; i < l->nodes; i++) {
			uint64_t before = grants_of(l, i);

			lab_crash(l, i);
			lab_start(l, i);
			CU_ASSERT_TRUE(grants_of(l, i) >= before);
		}
		CU_ASSERT_PTR_NULL(l->wrong);
		lab_free(l);
	}
}

/* The slot's members die for good, and the root keeps its majority. False: not in this lab */
static bool slot_lost(struct lab *l)
{
	unsigned who, root;
	const struct replica *r = primary_of(l, SLOT_V4, &who), *o = primary_of(l, SLOT_ROOT, &root);
	struct view v, w;
	unsigned both = 0;

	if (!r || !o)
		return false;
	v = r->view;
	w = o->view;
	for (unsigned i = 0; i < v.members; i++)
		both += view_place(&w, v.member[i].id) >= 0;
	if (both > w.members / 2)
		return false;
	for (unsigned i = 0; i < v.members; i++)
		lab_crash(l, (unsigned)lab_named(l, v.member[i].id));
	return true;
}

static unsigned alive(const struct lab *l)
{
	unsigned i = 0;

	while (!l->node[i].dht)
		i++;
	return i;
}

static void reclaim_begins_a_next_generation_after_all_leases_are_over(void)
{
	unsigned tried = 0;

	for (uint64_t seed = 0; seed < 40; seed++) {
		struct lab *l = lab_new(seed, 7, 1, 3);
		int64_t lost;

		l->record.policy = POLICY_RECLAIM;
		lab_sign(l);
		for (unsigned i = 0; i < l->nodes; i++)
			lab_start(l, i);
		lab_run(l, 20 * NS_PER_S);
		CU_ASSERT_TRUE(answered(l, lab_op(l, 0, OP_CREATE, 3), 8 * NS_PER_S));
		if (slot_lost(l)) {
			unsigned before = l->granted;

			tried++;
			lost = l->now_ns;
			while (l->granted == before && l->now_ns < lost + 90 * NS_PER_S) {
				answered(l, lab_op(l, alive(l), OP_CREATE, 3), 8 * NS_PER_S);
				lab_run(l, NS_PER_S);
			}
			CU_ASSERT_TRUE(l->granted > before);
			CU_ASSERT_TRUE(l->now_ns > lost + 20 * NS_PER_S);
			CU_ASSERT_EQUAL(l->last.generation, 1);
		}
		CU_ASSERT_PTR_NULL(l->wrong);
		lab_free(l);
	}
	CU_ASSERT_TRUE(tried > 5);
}

static void strict_waits_for_a_record_that_names_a_generation(void)
{
	struct lab *l = running(7, 5, 3, 3);
	unsigned before;
	int64_t since;

	for (unsigned i = 0; i < 3; i++)
		lab_crash(l, i);			/* the founders: root and slot may be lost with them */
	before = l->granted;
	lab_run(l, 60 * NS_PER_S);
	l->record.generation = 1;
	l->record.serial++;
	l->record.founders = 1;
	l->record.founder[0] = l->node[3].party->self.id;
	lab_sign(l);
	for (unsigned i = 3; i < 5; i++) {
		struct lab_node *n = &l->node[i];

		lab_enter(n);
		CU_ASSERT_TRUE(dht_network(n->dht, &n->env, (struct bytes){ l->blob, l->blob_len },
					   (struct bytes){ n->party->chain, n->party->chain_len }));
		lab_leave(n);
	}
	since = l->now_ns;
	while (l->granted == before && l->now_ns < since + 60 * NS_PER_S) {
		answered(l, lab_op(l, 4, OP_CREATE, 3), 8 * NS_PER_S);
		lab_run(l, NS_PER_S);
	}
	CU_ASSERT_TRUE(l->granted > before);
	CU_ASSERT_TRUE(l->now_ns > since + 10 * NS_PER_S);
	CU_ASSERT_EQUAL(l->last.generation, 1);
	lab_start(l, 0);				/* a member of the old one learns of it */
	lab_run(l, 20 * NS_PER_S);
	CU_ASSERT_TRUE(answered(l, lab_op(l, 0, OP_GET, 3), 8 * NS_PER_S));
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
		if (n->alone)
			;		/* nobody else can tell what it promised */
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
		if (!lab_below(l, seed / 240 % 2 ? 4 : 12) && t > 40)
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
	{ "views grow to the replicas asked for", views_grow_to_the_replicas_asked_for },
	{ "who leaves hands over within three seconds", who_leaves_hands_over },
	{ "a dead primary is replaced within five seconds of notice", a_dead_primary_is_replaced_within_five_seconds_of_notice },
	{ "a quiet slot is spoken of ever less until the ring changes",
	  a_quiet_slot_is_spoken_of_ever_less_until_the_ring_changes },
	{ "a second crash is repaired as soon as the first", a_second_crash_is_repaired_as_soon_as_the_first },
	{ "what was taken back is not granted late", what_was_taken_back_is_not_granted_late },
	{ "what is over does not come back", what_is_over_does_not_come_back },
	{ "all stop at once and come back", all_stop_at_once_and_come_back },
	{ "the count of grants survives a restart", the_count_of_grants_survives_a_restart },
	{ "reclaim begins a next generation after all leases are over",
	  reclaim_begins_a_next_generation_after_all_leases_are_over },
	{ "strict waits for a record that names a generation", strict_waits_for_a_record_that_names_a_generation },
	{ "crashes, cuts and pauses leave one owner, and it heals", crashes_cuts_and_pauses_leave_one_owner },
	{ "one lying disk leaves one owner", one_lying_disk_leaves_one_owner },
	CU_TEST_INFO_NULL
};
