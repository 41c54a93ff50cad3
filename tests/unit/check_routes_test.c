/* Walks arrive in a ring that is right; a walk that cannot is told, and loops are. */
#include "sim/check/routes.h"
#include "tests/unit/check_help.h"
#include "tests/unit/suites.h"

static struct census c;
static struct limits limits;
static struct findings found;
static struct check_routes routes;

static void begin(uint32_t n)
{
	limits = usual_limits();
	findings_init(&found, NULL, NULL);
	routes = (struct check_routes){ .chance = chance_of(3, 0, 0) };
	ring_of(&c, n, 2, 4);
}

static void end(void)
{
	check_routes_done(&routes);
	findings_done(&found);
	census_done(&c);
}

static uint64_t look(double s)
{
	struct judge j = { &limits, &found };

	c.now_ns = (int64_t)(s * 1e9);
	census_index(&c);
	check_routes(&routes, &c, &j, 200);
	return found.violations[ORACLE_ROUTING];
}

static void in_a_right_ring_all_walks_arrive(void)
{
	for (uint32_t n = 1; n < 70; n += n < 5 ? 1 : 13)
		for (unsigned way = 0; way < 2; way++) {
			begin(n);
			limits.one_way = way;
			for (uint32_t i = 0; i < n; i++)
				for (uint32_t k = 0; k < n; k++) {
					struct walk w = routes_walk(&c, &limits, i, seat(k, n));

					CU_ASSERT_EQUAL(w.end, WALK_ARRIVED);
					CU_ASSERT_EQUAL(w.at, k);
					CU_ASSERT_TRUE(w.hops <= n);
					w = routes_walk(&c, &limits, i,
							id_add(seat(k, n), (struct id){ 0, 1 }));
					CU_ASSERT_EQUAL(w.end, WALK_ARRIVED);
					CU_ASSERT_EQUAL(w.at, (k + 1) % n);
				}
			look(1);
			CU_ASSERT_EQUAL(look(100), 0);
			CU_ASSERT_EQUAL(routes.fails, 0);
			end();
		}
}

static void long_links_shorten_the_way(void)
{
	uint32_t before, after;
	struct census_link *l;

	begin(64);
	before = routes_walk(&c, &limits, 0, seat(30, 64)).hops;
	l = census_add_link(&c, 0, seat(29, 64));
	l->member = true;
	l->use = USE_LONG_OUT;
	after = routes_walk(&c, &limits, 0, seat(30, 64)).hops;
	CU_ASSERT_EQUAL(before, 15);
	CU_ASSERT_EQUAL(after, 2);
	end();
}

static void a_walk_that_is_stuck_is_told(void)
{
	begin(20);
	for (uint32_t k = 0; k < c.row[7].links; k++)
		c.row[7].link[k].member = false;
	CU_ASSERT_EQUAL(routes_walk(&c, &limits, 7, seat(12, 20)).end, WALK_STUCK);
	look(1);
	CU_ASSERT_TRUE(routes.fails > 0);
	CU_ASSERT_EQUAL(look(60), 0);
	CU_ASSERT_TRUE(look(62) > 0);
	end();
}

static void a_walk_that_ends_at_the_wrong_owner_is_told(void)
{
	begin(20);
	c.row[12].look.left = seat(9, 20);		/* it claims the ranges of 10 and 11 */
	CU_ASSERT_EQUAL(routes_walk(&c, &limits, 12, seat(10, 20)).end, WALK_STRAYED);
	CU_ASSERT_EQUAL(routes_walk(&c, &limits, 12, seat(10, 20)).owner, 10);
	CU_ASSERT_EQUAL(routes_walk(&c, &limits, 11, seat(12, 20)).end, WALK_ARRIVED);
	for (double s = 1; s < 60; s += 10)
		CU_ASSERT_EQUAL(look(s), 0);
	CU_ASSERT_TRUE(look(65) > 0);
	end();
}

static void a_walk_that_recovers_is_forgiven(void)
{
	begin(20);
	c.row[12].look.left = seat(9, 20);
	look(1);
	c.row[12].look.left = seat(11, 20);
	look(30);
	CU_ASSERT_EQUAL(routes.fails, 0);
	c.row[12].look.left = seat(9, 20);
	CU_ASSERT_EQUAL(look(62), 0);
	end();
}

static void hops_beyond_reason_are_told(void)
{
	struct judge j = { &limits, &found };

	begin(4);
	CU_ASSERT_EQUAL(routes_hops_max(&limits, 1000), 16 + 2 * 100 / 5);
	check_hops(&j, 1, 2, 56, 1000);
	CU_ASSERT_EQUAL(found.violations[ORACLE_ROUTING], 0);
	check_hops(&j, 1, 2, 57, 1000);
	CU_ASSERT_EQUAL(found.violations[ORACLE_ROUTING], 1);
	check_hop_limit(&j, 1, 0);
	CU_ASSERT_EQUAL(found.violations[ORACLE_ROUTING], 1);
	check_hop_limit(&j, 1, 3);
	CU_ASSERT_EQUAL(found.violations[ORACLE_ROUTING], 2);
	limits.no_longs = true;
	CU_ASSERT_EQUAL(routes_hops_max(&limits, 1000), 1016);
	end();
}

CU_TestInfo check_routes_tests[] = {
	{ "in a right ring all walks arrive", in_a_right_ring_all_walks_arrive },
	{ "long links shorten the way", long_links_shorten_the_way },
	{ "a walk that is stuck is told", a_walk_that_is_stuck_is_told },
	{ "a walk that ends at the wrong owner is told", a_walk_that_ends_at_the_wrong_owner_is_told },
	{ "a walk that recovers is forgiven", a_walk_that_recovers_is_forgiven },
	{ "hops beyond reason are told", hops_beyond_reason_are_told },
	CU_TEST_INFO_NULL
};
