/* The neighbour lists: in order, bounded, and believing of gossip no more than it is worth. */
#include <math.h>

#include "core/ring/near.h"
#include "tests/unit/bare.h"
#include "tests/unit/suites.h"

enum { NOBODY = UINT16_MAX };

static struct id at(uint64_t hi)
{
	return (struct id){ hi, 0 };
}

static struct id any(struct bare *b)
{
	struct id r = { random_u64(&b->env.random), 0 };

	r.lo = random_u64(&b->env.random);
	return r;
}

static bool add(struct near *n, struct bare *b, struct id id, uint8_t hops, uint16_t told_by)
{
	struct endpoint e = endpoint_v4((uint32_t)id.hi, 4000);

	return near_add(n, &b->env, id, &e, hops, told_by);
}

static bool stands(const struct near *n, enum side s, unsigned i, struct id id)
{
	return i < n->count[s] && id_eq(n->known[s][i].id, id);
}

static bool done(struct near *n, struct bare *b)
{
	near_done(n, &b->env);
	return bare_done(b);
}

/* ---- order and bounds ---- */

static void both_sides_are_in_order_nearest_first_across_zero(void)
{
	struct bare b;
	struct near n;

	bare_init(&b, 1);
	near_init(&n, at(10));
	for (uint64_t d = 30; d > 0; d -= 5)	/* 8 places a side: all twelve stand on both */
		CU_ASSERT_TRUE(add(&n, &b, at(10 + d), 1, 0) && add(&n, &b, at(10 - d), 1, 0));
	CU_ASSERT_EQUAL(n.count[LEFT], 8);
	CU_ASSERT_EQUAL(n.count[RIGHT], 8);
	for (unsigned i = 0; i < 6; i++) {
		CU_ASSERT_TRUE(stands(&n, RIGHT, i, at(10 + 5 * (i + 1))));
		CU_ASSERT_TRUE(stands(&n, LEFT, i, at(10 - 5 * (uint64_t)(i + 1))));
	}
	CU_ASSERT_TRUE(stands(&n, RIGHT, 6, at(10 - 30ull)));	/* the farthest on the left, the long way */
	CU_ASSERT_TRUE(stands(&n, LEFT, 6, at(40)));
	CU_ASSERT_TRUE(done(&n, &b));
}

static void in_a_small_ring_a_node_stands_on_both_sides(void)
{
	struct bare b;
	struct near n;

	bare_init(&b, 1);
	near_init(&n, at(10));
	CU_ASSERT_TRUE(add(&n, &b, at(20), 1, 3));
	CU_ASSERT_TRUE(stands(&n, LEFT, 0, at(20)) && stands(&n, RIGHT, 0, at(20)));
	CU_ASSERT_FALSE(add(&n, &b, at(20), 1, 3));
	CU_ASSERT_TRUE(n.count[LEFT] == 1 && n.count[RIGHT] == 1);
	CU_ASSERT_TRUE(near_del(&n, &b.env, at(20), 0));
	CU_ASSERT_TRUE(!n.count[LEFT] && !n.count[RIGHT]);
	CU_ASSERT_FALSE(near_del(&n, &b.env, at(20), 0));
	CU_ASSERT_TRUE(done(&n, &b));
}

static void a_node_is_no_neighbour_of_itself(void)
{
	struct bare b;
	struct near n;

	bare_init(&b, 1);
	near_init(&n, at(10));
	CU_ASSERT_FALSE(add(&n, &b, at(10), 1, 0));
	CU_ASSERT_FALSE(add(&n, &b, at(10), HEARSAY, NOBODY));
	CU_ASSERT_TRUE(!n.count[LEFT] && !n.count[RIGHT]);
	CU_ASSERT_TRUE(done(&n, &b));
}

static void the_farthest_makes_room_and_what_is_farther_is_not_kept(void)
{
	struct bare b;
	struct near n;

	bare_init(&b, 1);
	near_init(&n, at(0));
	for (uint64_t i = 1; i <= NEAR_KNOW_MIN; i++) {
		add(&n, &b, at(i * 100), 1, 0);
		add(&n, &b, at(0 - i * 100), 1, 0);
	}
	CU_ASSERT_FALSE(add(&n, &b, at(5000), 1, 0));
	CU_ASSERT_PTR_NULL(near_find(&n, RIGHT, at(5000)));
	CU_ASSERT_TRUE(add(&n, &b, at(50), 1, 0));
	CU_ASSERT_EQUAL(n.count[RIGHT], NEAR_KNOW_MIN);
	CU_ASSERT_TRUE(stands(&n, RIGHT, 0, at(50)));
	CU_ASSERT_TRUE(stands(&n, RIGHT, 7, at(700)));
	CU_ASSERT_PTR_NULL(near_find(&n, RIGHT, at(800)));
	CU_ASSERT_TRUE(stands(&n, LEFT, 7, at(0 - 800ull)));
	CU_ASSERT_TRUE(done(&n, &b));
}

static void larger_rings_are_known_further(void)
{
	struct bare b;
	struct near n;

	bare_init(&b, 1);
	near_init(&n, at(0));
	near_want(&n, &b.env, 0);
	CU_ASSERT_EQUAL(n.want, NEAR_KNOW_MIN);
	near_want(&n, &b.env, 16 * 256 + 1);
	CU_ASSERT_EQUAL(n.want, 17);
	for (uint64_t i = 1; i <= 40; i++)
		add(&n, &b, at(i * 100), 1, 0);
	CU_ASSERT_EQUAL(n.count[RIGHT], 17);
	near_want(&n, &b.env, 10 * 256);
	CU_ASSERT_EQUAL(n.count[RIGHT], 10);
	CU_ASSERT_TRUE(n.cap[RIGHT] <= 12);
	CU_ASSERT_TRUE(stands(&n, RIGHT, 9, at(1000)));
	near_want(&n, &b.env, UINT16_MAX);
	CU_ASSERT_EQUAL(n.want, NEAR_KNOW_MAX);
	CU_ASSERT_TRUE(done(&n, &b));
}

/* The dull one: everything in one array, sorted by distance and cut. */
struct dull {
	struct id self, id[NEAR_KNOW_MAX + 1];
	enum side side;
	unsigned count, want;
};

static struct id dull_away(const struct dull *d, struct id id)
{
	return d->side == RIGHT ? id_sub(id, d->self) : id_sub(d->self, id);
}

static void dull_add(struct dull *d, struct id id)
{
	for (unsigned i = 0; i < d->count; i++)
		if (id_eq(d->id[i], id))
			return;
	d->id[d->count++] = id;
	for (unsigned i = 0; i < d->count; i++)
		for (unsigned j = i + 1; j < d->count; j++)
			if (id_less(dull_away(d, d->id[j]), dull_away(d, d->id[i]))) {
				struct id t = d->id[i];

				d->id[i] = d->id[j];
				d->id[j] = t;
			}
	if (d->count > d->want)
		d->count = d->want;
}

static void dull_del(struct dull *d, struct id id)
{
	for (unsigned i = 0; i < d->count; i++)
		if (id_eq(d->id[i], id)) {
			for (d->count--; i < d->count; i++)
				d->id[i] = d->id[i + 1];
			return;
		}
}

static void random_use_agrees_with_a_dull_list(void)
{
	for (unsigned seed = 1; seed <= 8; seed++) {
		struct id self, ids[60];
		struct bare b;
		struct near n;
		struct dull d[SIDES];

		bare_init(&b, seed);
		self = any(&b);
		near_init(&n, self);
		near_want(&n, &b.env, (uint16_t)(seed * 3 * 256));
		for (int s = 0; s < SIDES; s++)
			d[s] = (struct dull){ .self = self, .side = s, .want = n.want };
		for (unsigned i = 0; i < 60; i++)
			ids[i] = any(&b);
		for (unsigned step = 0; step < 3000; step++) {
			struct id id = ids[random_below(&b.env.random, 60)];

			if (random_below(&b.env.random, 3)) {
				near_add(&n, &b.env, id, NULL, 1, 0);
				dull_add(&d[LEFT], id);
				dull_add(&d[RIGHT], id);
			} else {
				near_del(&n, &b.env, id, 0);
				dull_del(&d[LEFT], id);
				dull_del(&d[RIGHT], id);
			}
			for (int s = 0; s < SIDES; s++) {
				CU_ASSERT_EQUAL_FATAL(n.count[s], d[s].count);
				for (unsigned i = 0; i < d[s].count; i++)
					CU_ASSERT_TRUE_FATAL(stands(&n, s, i, d[s].id[i]));
			}
		}
		CU_ASSERT_TRUE(done(&n, &b));
	}
}

static void at_the_quota_the_nearer_still_displace_the_farther(void)
{
	struct bare b;
	struct near n;

	bare_init(&b, 1);
	near_init(&n, at(0));
	CU_ASSERT_TRUE(add(&n, &b, at(100), 1, 0) && add(&n, &b, at(200), 1, 0));
	near_want(&n, &b.env, 20 * 256);
	for (uint64_t i = 3; i <= NEAR_KNOW_MIN; i++)
		add(&n, &b, at(i * 100), 1, 0);
	b.env.mem.quota = b.env.mem.used;
	CU_ASSERT_FALSE(add(&n, &b, at(900), 1, 0) && near_find(&n, RIGHT, at(900)));
	CU_ASSERT_EQUAL(n.count[RIGHT], NEAR_KNOW_MIN);
	add(&n, &b, at(50), 1, 0);
	CU_ASSERT_EQUAL(n.count[RIGHT], NEAR_KNOW_MIN);
	CU_ASSERT_TRUE(stands(&n, RIGHT, 0, at(50)) && stands(&n, RIGHT, 7, at(700)));
	CU_ASSERT_TRUE(done(&n, &b));

	bare_init(&b, 1);
	near_init(&n, at(0));
	b.env.mem.quota = 0;
	CU_ASSERT_FALSE(add(&n, &b, at(1), 1, 0));
	CU_ASSERT_EQUAL(n.count[RIGHT] + n.count[LEFT], 0);
	CU_ASSERT_TRUE(done(&n, &b));
}

/* ---- what gossip is worth ---- */

static void hearsay_told_too_often_is_not_believed(void)
{
	struct bare b;
	struct near n;
	uint8_t deep;

	bare_init(&b, 1);
	near_init(&n, at(0));
	deep = near_depth(&n);
	CU_ASSERT_FALSE(add(&n, &b, at(100), (uint8_t)(deep + 1), 3));
	CU_ASSERT_FALSE(add(&n, &b, at(100), 0xfe, 3));
	CU_ASSERT_PTR_NULL(near_find(&n, RIGHT, at(100)));
	CU_ASSERT_TRUE(add(&n, &b, at(100), deep, 3));
	CU_ASSERT_TRUE(add(&n, &b, at(200), HEARSAY, NOBODY));	/* a name to try is welcome */
	CU_ASSERT_EQUAL(n.count[RIGHT], 2);
	CU_ASSERT_TRUE(done(&n, &b));
}

static void fewer_tellings_win_and_the_same_teller_may_take_back(void)
{
	struct bare b;
	struct near n;
	struct known *k;

	bare_init(&b, 1);
	near_init(&n, at(0));
	add(&n, &b, at(100), 3, 7);
	k = near_find(&n, RIGHT, at(100));
	CU_ASSERT_PTR_NOT_NULL_FATAL(k);
	add(&n, &b, at(100), 4, 8);
	CU_ASSERT_TRUE(k->hops == 3 && k->told_by == 7);
	add(&n, &b, at(100), 2, 8);
	CU_ASSERT_TRUE(k->hops == 2 && k->told_by == 8);
	add(&n, &b, at(100), 5, 8);
	CU_ASSERT_TRUE(k->hops == 5 && k->told_by == 8);
	add(&n, &b, at(100), HEARSAY, NOBODY);
	CU_ASSERT_TRUE(k->hops == 5 && k->told_by == 8);
	CU_ASSERT_TRUE(done(&n, &b));
}

static void a_change_of_the_teller_alone_is_no_news(void)
{
	struct bare b;
	struct near n;

	bare_init(&b, 1);
	near_init(&n, at(0));
	CU_ASSERT_TRUE(add(&n, &b, at(100), 4, 7));
	CU_ASSERT_FALSE(add(&n, &b, at(100), 3, 8));
	near_orphan(&n, 8, true);
	CU_ASSERT_TRUE(add(&n, &b, at(100), 3, 9));	/* a mere name became somebody again */
	CU_ASSERT_TRUE(done(&n, &b));
}

static void an_endpoint_that_is_none_does_not_replace_one(void)
{
	struct bare b;
	struct near n;
	struct endpoint e = endpoint_v4(0x7f000001, 9);

	bare_init(&b, 1);
	near_init(&n, at(0));
	e.iface = 4;
	near_add(&n, &b.env, at(100), &e, 3, 7);
	near_add(&n, &b.env, at(100), NULL, 2, 8);
	CU_ASSERT_TRUE(endpoint_eq(&near_find(&n, RIGHT, at(100))->at, &e));
	CU_ASSERT_EQUAL(near_find(&n, RIGHT, at(100))->at.iface, 0);
	e.port = 10;
	near_add(&n, &b.env, at(100), &e, 2, 8);
	CU_ASSERT_EQUAL(near_find(&n, LEFT, at(100))->at.port, 10);
	CU_ASSERT_TRUE(done(&n, &b));
}

static void orphans_stay_as_names_to_try(void)
{
	struct bare b;
	struct near n;
	struct known *k;

	bare_init(&b, 1);
	near_init(&n, at(0));
	add(&n, &b, at(100), 2, 7);
	add(&n, &b, at(200), 2, 8);
	near_orphan(&n, 7, true);
	k = near_find(&n, LEFT, at(100));
	CU_ASSERT_PTR_NOT_NULL_FATAL(k);
	CU_ASSERT_TRUE(near_hearsay(k) && k->told_by == NOBODY);
	CU_ASSERT_EQUAL(near_find(&n, RIGHT, at(200))->hops, 2);
	add(&n, &b, at(100), near_depth(&n), 9);	/* anybody's word is better than nobody's */
	CU_ASSERT_TRUE(k->hops == near_depth(&n) && k->told_by == 9);
	CU_ASSERT_TRUE(done(&n, &b));
}

static void one_who_vouches_no_more_is_still_linked(void)
{
	struct bare b;
	struct near n;

	bare_init(&b, 1);
	near_init(&n, at(0));
	add(&n, &b, at(50), 1, 7);
	add(&n, &b, at(100), 2, 7);
	near_orphan(&n, 7, false);
	CU_ASSERT_EQUAL(near_find(&n, RIGHT, at(50))->hops, 1);
	CU_ASSERT_TRUE(near_hearsay(near_find(&n, RIGHT, at(100))));
	near_orphan(&n, 7, true);
	CU_ASSERT_TRUE(near_hearsay(near_find(&n, RIGHT, at(50))));
	CU_ASSERT_TRUE(done(&n, &b));
}

static void names_nobody_vouches_for_are_forgotten_after_a_few_steps(void)
{
	struct bare b;
	struct near n;
	unsigned name = 0, orphan = 0;

	bare_init(&b, 1);
	near_init(&n, at(0));
	add(&n, &b, at(50), 1, 7);
	add(&n, &b, at(100), near_depth(&n), 7);
	add(&n, &b, at(200), 2, 8);
	add(&n, &b, at(300), HEARSAY, NOBODY);
	near_orphan(&n, 8, true);
	for (unsigned step = 1; step < 20; step++) {
		bool changed = near_age(&n);

		orphan = orphan || near_find(&n, LEFT, at(200)) ? orphan : step;
		name = name || near_find(&n, LEFT, at(300)) ? name : step;
		CU_ASSERT_EQUAL(changed, step == orphan || step == name);
	}
	CU_ASSERT_EQUAL(name, HEARSAY - HEARSAY_OLD + 1);
	CU_ASSERT_EQUAL(orphan, HEARSAY_ORPHAN - HEARSAY_OLD + 1);
	CU_ASSERT_TRUE(n.count[LEFT] == 2 && n.count[RIGHT] == 2);
	CU_ASSERT_EQUAL(near_find(&n, LEFT, at(100))->hops, near_depth(&n));
	CU_ASSERT_TRUE(done(&n, &b));
}

static bool one_id(const void *list, struct id id)
{
	return id_eq(*(const struct id *)list, id);
}

static void a_new_list_takes_back_what_the_old_one_told(void)
{
	struct bare b;
	struct near n;
	struct id kept = at(200);

	bare_init(&b, 1);
	near_init(&n, at(0));
	add(&n, &b, at(50), 1, 7);		/* the teller itself: first hand */
	add(&n, &b, at(100), 2, 7);
	add(&n, &b, at(200), 2, 7);
	add(&n, &b, at(300), 2, 8);
	CU_ASSERT_TRUE(near_retract(&n, 7, one_id, &kept));
	for (int s = 0; s < SIDES; s++) {
		CU_ASSERT_PTR_NOT_NULL(near_find(&n, s, at(50)));
		CU_ASSERT_PTR_NULL(near_find(&n, s, at(100)));
		CU_ASSERT_PTR_NOT_NULL(near_find(&n, s, at(200)));
		CU_ASSERT_PTR_NOT_NULL(near_find(&n, s, at(300)));
		CU_ASSERT_EQUAL(n.count[s], 3);
	}
	CU_ASSERT_FALSE(near_retract(&n, 7, one_id, &kept));
	CU_ASSERT_TRUE(done(&n, &b));
}

/* ---- the dead ---- */

static void gossip_does_not_bring_the_dead_back_for_a_while(void)
{
	struct bare b;
	struct near n;

	bare_init(&b, 1);
	near_init(&n, at(0));
	b.env.now_ns = 5 * NS_PER_S;
	add(&n, &b, at(100), 1, 7);
	CU_ASSERT_TRUE(near_del(&n, &b.env, at(100), 10000));
	CU_ASSERT_FALSE(add(&n, &b, at(100), 2, 8));
	CU_ASSERT_FALSE(add(&n, &b, at(100), HEARSAY, NOBODY));
	CU_ASSERT_TRUE(add(&n, &b, at(101), 2, 8));	/* somebody else */
	b.env.now_ns += 10 * NS_PER_S - NS_PER_MS;
	CU_ASSERT_FALSE(add(&n, &b, at(100), 2, 8));
	b.env.now_ns += NS_PER_MS;
	CU_ASSERT_TRUE(add(&n, &b, at(100), 2, 8));
	CU_ASSERT_TRUE(done(&n, &b));
}

static void a_link_proves_life_and_gossip_is_welcome_again(void)
{
	struct bare b;
	struct near n;

	bare_init(&b, 1);
	near_init(&n, at(0));
	near_del(&n, &b.env, at(100), 100000);
	near_del(&n, &b.env, at(200), 100000);
	CU_ASSERT_TRUE(add(&n, &b, at(100), 1, 7));
	near_del(&n, &b.env, at(100), 0);
	CU_ASSERT_TRUE(add(&n, &b, at(100), 2, 8));
	near_back(&n, at(200));
	CU_ASSERT_TRUE(add(&n, &b, at(200), 2, 8));
	CU_ASSERT_TRUE(done(&n, &b));
}

static void eight_dead_are_known_and_the_ninth_displaces_the_first(void)
{
	struct bare b;
	struct near n;

	bare_init(&b, 1);
	near_init(&n, at(0));
	for (uint64_t i = 1; i <= NEAR_GONE; i++)
		near_del(&n, &b.env, at(i), 100000);
	for (uint64_t i = 1; i <= NEAR_GONE; i++)
		CU_ASSERT_FALSE(add(&n, &b, at(i), 2, 8));
	near_del(&n, &b.env, at(100), 100000);
	CU_ASSERT_TRUE(add(&n, &b, at(1), 2, 8));
	for (uint64_t i = 2; i <= NEAR_GONE; i++)
		CU_ASSERT_FALSE(add(&n, &b, at(i), 2, 8));
	CU_ASSERT_TRUE(done(&n, &b));
}

static void who_is_said_to_be_gone_is_gone_unless_we_have_a_link(void)
{
	struct bare b;
	struct near n;
	struct id out[NEAR_GONE];

	bare_init(&b, 1);
	near_init(&n, at(0));
	b.env.now_ns = NS_PER_S;
	add(&n, &b, at(50), 1, 7);
	add(&n, &b, at(100), 2, 7);
	CU_ASSERT_FALSE(near_told_gone(&n, &b.env, at(50)));
	CU_ASSERT_FALSE(near_told_gone(&n, &b.env, at(300)));	/* of whom we never heard */
	CU_ASSERT_EQUAL(near_gone(&n, &b.env, out, NEAR_GONE), 0);
	CU_ASSERT_TRUE(near_told_gone(&n, &b.env, at(100)));
	CU_ASSERT_FALSE(near_told_gone(&n, &b.env, at(100)));
	CU_ASSERT_PTR_NULL(near_find(&n, RIGHT, at(100)));
	CU_ASSERT_FALSE(add(&n, &b, at(100), 2, 8));
	CU_ASSERT_TRUE(near_gone(&n, &b.env, out, NEAR_GONE) == 1 && id_eq(out[0], at(100)));
	b.env.now_ns += NEAR_GONE_TOLD_MS * NS_PER_MS;
	CU_ASSERT_TRUE(add(&n, &b, at(100), 2, 8));
	CU_ASSERT_TRUE(done(&n, &b));
}

static void the_gone_are_told_newest_first_and_for_ten_seconds(void)
{
	struct bare b;
	struct near n;
	struct id out[NEAR_GONE];

	bare_init(&b, 1);
	near_init(&n, at(0));
	for (uint64_t i = 1; i <= 5; i++) {
		b.env.now_ns = (int64_t)i * NS_PER_S;
		near_del(&n, &b.env, at(i), i == 4 ? 500 : 100000);
	}
	near_back(&n, at(2));
	CU_ASSERT_EQUAL(near_gone(&n, &b.env, out, 1), 1);
	CU_ASSERT_TRUE(id_eq(out[0], at(5)));
	CU_ASSERT_EQUAL(near_gone(&n, &b.env, out, NEAR_GONE), 3);
	CU_ASSERT_TRUE(id_eq(out[0], at(5)) && id_eq(out[1], at(3)) && id_eq(out[2], at(1)));
	b.env.now_ns = 11 * NS_PER_S;
	CU_ASSERT_EQUAL(near_gone(&n, &b.env, out, NEAR_GONE), 2);
	CU_ASSERT_FALSE(add(&n, &b, at(1), 2, 8));	/* told no more, and still not believed */
	CU_ASSERT_TRUE(done(&n, &b));
}

/* ---- how large the ring is ---- */

static int by_id(const void *a, const void *b)
{
	return id_cmp(*(const struct id *)a, *(const struct id *)b);
}

/* The mean log2 of the sizes that nodes of one random ring of @nodes see, over @looks of them. */
static double mean_log2(struct bare *b, unsigned nodes, unsigned looks)
{
	struct id *ring = malloc(nodes * sizeof(*ring));
	double sum = 0;

	for (unsigned i = 0; i < nodes; i++)
		ring[i] = any(b);
	qsort(ring, nodes, sizeof(*ring), by_id);
	for (unsigned l = 0; l < looks; l++) {
		unsigned me = (unsigned)((uint64_t)l * nodes / looks);
		struct near n;

		near_init(&n, ring[me]);
		near_want(&n, &b->env, (uint16_t)(log2(nodes) * 256));
		for (unsigned i = 1; i <= n.want && i < nodes; i++) {
			near_add(&n, &b->env, ring[(me + i) % nodes], NULL, 1, 0);
			near_add(&n, &b->env, ring[(me + nodes - i) % nodes], NULL, 1, 0);
		}
		sum += near_log2_size(&n) / 256.0;
		near_done(&n, &b->env);
	}
	free(ring);
	return sum / looks;
}

static void the_size_of_random_rings_is_seen_within_two_percent_of_its_log2(void)
{
	static const unsigned SIZES[] = { 40, 100, 1000, 10000, 100000 };
	struct bare b;

	bare_init(&b, 3);
	for (unsigned i = 0; i < sizeof(SIZES) / sizeof(*SIZES); i++) {
		unsigned rings = SIZES[i] < 10000 ? 200 : 4;
		double sum = 0, want = log2(SIZES[i]);

		for (unsigned r = 0; r < rings; r++)
			sum += mean_log2(&b, SIZES[i], SIZES[i] < 1000 ? 10 : SIZES[i] < 10000 ? 50 : 2000);
		CU_ASSERT_TRUE(fabs(sum / rings / want - 1) < 0.02);
	}
	CU_ASSERT_TRUE(bare_done(&b));
}

static void a_ring_that_is_known_whole_is_counted(void)
{
	struct bare b;

	bare_init(&b, 4);
	for (unsigned nodes = 2; nodes <= 16; nodes++)
		CU_ASSERT_TRUE(fabs(mean_log2(&b, nodes, nodes) - log2(nodes)) < 1.0 / 128);
	CU_ASSERT_TRUE(bare_done(&b));
}

static void neighbours_side_by_side_do_not_make_a_ring_of_all_ids(void)
{
	struct bare b;
	struct near n;

	bare_init(&b, 1);
	near_init(&n, at(1000));
	for (uint64_t i = 0; i < 8; i++) {
		add(&n, &b, (struct id){ 1000, 1 + i }, 1, 0);
		add(&n, &b, id_sub(at(1000), (struct id){ 0, 1 + i }), 1, 0);
	}
	CU_ASSERT_EQUAL(near_log2_size(&n), NEAR_LOG2_MAX);
	CU_ASSERT_TRUE(done(&n, &b));
}

static void alone_a_node_sees_a_ring_of_one(void)
{
	struct near n;

	near_init(&n, at(5));
	CU_ASSERT_EQUAL(near_log2_size(&n), 0);
}

/* A link that is relayed may not know where its peer is; others do. */
static void who_is_known_by_name_only_is_found_by_anybodys_word(void)
{
	struct endpoint wrong = endpoint_v4(9, 9), right = endpoint_v4(7, 7);
	struct bare b;
	struct near n;

	bare_init(&b, 1);
	near_init(&n, at(10));
	CU_ASSERT_TRUE(near_add(&n, &b.env, at(20), NULL, 2, 3));
	CU_ASSERT_TRUE(near_add(&n, &b.env, at(30), NULL, 2, 3));
	CU_ASSERT_FALSE(endpoint_valid(&n.known[RIGHT][0].at));
	CU_ASSERT_TRUE(near_add(&n, &b.env, at(20), &right, 3, 4));		/* no better a teller */
	CU_ASSERT_FALSE(near_add(&n, &b.env, at(30), &right, HEARSAY, NOBODY));
	for (unsigned s = 0; s < SIDES; s++)
		for (unsigned i = 0; i < 2; i++)
			CU_ASSERT_TRUE(endpoint_eq(&n.known[s][i].at, &right));
	CU_ASSERT_EQUAL(n.known[RIGHT][0].told_by, 3);
	CU_ASSERT_EQUAL(n.known[RIGHT][0].hops, 2);
	CU_ASSERT_FALSE(near_add(&n, &b.env, at(20), &wrong, 3, 4));		/* what is known stays */
	CU_ASSERT_FALSE(near_add(&n, &b.env, at(30), &wrong, HEARSAY, NOBODY));
	CU_ASSERT_FALSE(near_add(&n, &b.env, at(20), NULL, 2, 3));
	CU_ASSERT_TRUE(endpoint_eq(&n.known[RIGHT][0].at, &right));
	CU_ASSERT_TRUE(endpoint_eq(&n.known[RIGHT][1].at, &right));
	CU_ASSERT_TRUE(done(&n, &b));
}

CU_TestInfo near_tests[] = {
	{ "both sides are in order, nearest first, across zero",
	  both_sides_are_in_order_nearest_first_across_zero },
	{ "in a small ring a node stands on both sides", in_a_small_ring_a_node_stands_on_both_sides },
	{ "a node is no neighbour of itself", a_node_is_no_neighbour_of_itself },
	{ "who is known by name only is found by anybody's word", who_is_known_by_name_only_is_found_by_anybodys_word },
	{ "the farthest makes room, and what is farther is not kept",
	  the_farthest_makes_room_and_what_is_farther_is_not_kept },
	{ "larger rings are known further", larger_rings_are_known_further },
	{ "random use agrees with a dull list", random_use_agrees_with_a_dull_list },
	{ "at the quota the nearer still displace the farther",
	  at_the_quota_the_nearer_still_displace_the_farther },
	{ "hearsay told too often is not believed", hearsay_told_too_often_is_not_believed },
	{ "fewer tellings win, and the same teller may take back",
	  fewer_tellings_win_and_the_same_teller_may_take_back },
	{ "a change of the teller alone is no news", a_change_of_the_teller_alone_is_no_news },
	{ "an endpoint that is none does not replace one", an_endpoint_that_is_none_does_not_replace_one },
	{ "orphans stay as names to try", orphans_stay_as_names_to_try },
	{ "one who vouches no more is still linked", one_who_vouches_no_more_is_still_linked },
	{ "names nobody vouches for are forgotten after a few steps",
	  names_nobody_vouches_for_are_forgotten_after_a_few_steps },
	{ "a new list takes back what the old one told", a_new_list_takes_back_what_the_old_one_told },
	{ "gossip does not bring the dead back for a while",
	  gossip_does_not_bring_the_dead_back_for_a_while },
	{ "a link proves life, and gossip is welcome again",
	  a_link_proves_life_and_gossip_is_welcome_again },
	{ "eight dead are known, and the ninth displaces the first",
	  eight_dead_are_known_and_the_ninth_displaces_the_first },
	{ "who is said to be gone is gone, unless we have a link",
	  who_is_said_to_be_gone_is_gone_unless_we_have_a_link },
	{ "the gone are told newest first, and for ten seconds",
	  the_gone_are_told_newest_first_and_for_ten_seconds },
	{ "the size of random rings is seen within two percent of its log2",
	  the_size_of_random_rings_is_seen_within_two_percent_of_its_log2 },
	{ "a ring that is known whole is counted", a_ring_that_is_known_whole_is_counted },
	{ "neighbours side by side do not make a ring of all ids",
	  neighbours_side_by_side_do_not_make_a_ring_of_all_ids },
	{ "alone a node sees a ring of one", alone_a_node_sees_a_ring_of_one },
	CU_TEST_INFO_NULL
};
