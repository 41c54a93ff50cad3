/* Tables of links, bounds, owners: each promise kept, and each broken. */
#include "sim/check/bounds.h"
#include "sim/check/leftovers.h"
#include "sim/check/owners.h"
#include "sim/check/tables.h"
#include "tests/unit/check_help.h"
#include "tests/unit/suites.h"

static struct census c;
static struct limits limits;
static struct findings found;
static struct judge judge = { &limits, &found };

static void begin(uint32_t n)
{
	limits = usual_limits();
	findings_init(&found, NULL, NULL);
	ring_of(&c, n, 2, 4);
}

static void end(void)
{
	findings_done(&found);
	census_done(&c);
}

static void at(double s)
{
	c.now_ns = (int64_t)(s * 1e9);
	census_index(&c);
}

/* ---- links ---- */

static struct check_tables tables;

static uint64_t look_tables(double s)
{
	at(s);
	check_tables(&tables, &c, &judge);
	return found.violations[ORACLE_LINKS];
}

static void tables_that_agree_are_fine(void)
{
	begin(12);
	for (double s = 1; s < 400; s += 30)
		CU_ASSERT_EQUAL(look_tables(s), 0);
	CU_ASSERT_EQUAL(found.checks[ORACLE_LINKS], 14 * 12 * 4);
	check_tables_done(&tables);
	end();
}

static void a_one_sided_link_is_told_after_its_own_pace(void)
{
	struct census_link *l;

	begin(12);
	l = census_add_link(&c, 3, seat(8, 12));
	l->pace_ns = 60 * SECOND;
	l->rto_us = 100000;
	CU_ASSERT_EQUAL(tables_patience_ns(&limits, l), 60 * SECOND * 9 / 8 + 3 * SECOND / 2 + 8 * SECOND / 10 + 2 * SECOND);
	CU_ASSERT_EQUAL(look_tables(1), 0);
	CU_ASSERT_EQUAL(look_tables(72.5), 0);
	CU_ASSERT_EQUAL(look_tables(73), 1);
	CU_ASSERT_EQUAL(look_tables(80), 1);
	check_tables_done(&tables);
	end();
}

static void a_call_under_way_is_no_link(void)
{
	begin(12);
	census_add_link(&c, 3, seat(8, 12))->state = LINK_CALLING;
	census_add_link(&c, 8, seat(3, 12))->state = LINK_ANSWERED;
	look_tables(1);
	CU_ASSERT_EQUAL(look_tables(1000), 0);
	c.row[3].link[c.row[3].links - 1].state = LINK_UP;
	look_tables(1001);
	CU_ASSERT_EQUAL(look_tables(1100), 1);
	check_tables_done(&tables);
	end();
}

static void a_new_link_to_the_same_peer_has_its_own_time(void)
{
	struct census_link *l;

	begin(12);
	l = census_add_link(&c, 3, seat(8, 12));
	l->pace_ns = 5 * SECOND;
	look_tables(1);
	l->up_ms = 7000;
	CU_ASSERT_EQUAL(look_tables(8), 0);
	CU_ASSERT_EQUAL(look_tables(15), 0);
	CU_ASSERT_EQUAL(look_tables(18), 1);
	check_tables_done(&tables);
	end();
}

static void two_links_to_one_peer_are_told(void)
{
	begin(12);
	census_add_link(&c, 3, seat(4, 12));
	CU_ASSERT_EQUAL(look_tables(1), 0);
	CU_ASSERT_EQUAL(look_tables(13), 0);
	CU_ASSERT_EQUAL(look_tables(14), 1);
	check_tables_done(&tables);
	end();
}

/* ---- leftovers ---- */

static struct check_leftovers leftovers;

static bool said(const void *ctx, struct id id, struct went *out)
{
	(void)id;
	*out = *(const struct went *)ctx;
	return true;
}

static uint64_t look_leftovers(double s)
{
	at(s);
	check_leftovers(&leftovers, &c, &judge);
	return found.violations[ORACLE_LEFTOVERS];
}

static void of_the_living_anything_may_be_held(void)
{
	begin(12);
	c.row[6].look.joined = false;
	c.row[7].state = ROW_STILL;
	for (double s = 1; s < 400; s += 30)
		CU_ASSERT_EQUAL(look_leftovers(s), 0);
	check_leftovers_done(&leftovers);
	end();
}

static void traces_of_the_dead_are_told_one_by_one(void)
{
	begin(12);
	c.row[6].state = ROW_GONE;
	CU_ASSERT_EQUAL(look_leftovers(1), 0);
	CU_ASSERT_EQUAL(look_leftovers(10), 0);
	CU_ASSERT_EQUAL(look_leftovers(12), 4);		/* links of two on each side: 5.6 + 1.5 + 1.6 + 2 s */
	CU_ASSERT_EQUAL(look_leftovers(14), 6);		/* left of 7, right of 5: 12 s */
	CU_ASSERT_EQUAL(look_leftovers(90), 6);
	CU_ASSERT_EQUAL(look_leftovers(92), 14);	/* known to four on each side */
	CU_ASSERT_EQUAL(look_leftovers(500), 14);
	check_leftovers_done(&leftovers);
	end();
}

static void after_a_goodbye_neighbours_have_less_time(void)
{
	begin(12);
	leftovers.went = said;
	leftovers.ctx = &(struct went){ .goodbye = true };
	c.row[6].state = ROW_GONE;
	look_leftovers(1);
	CU_ASSERT_EQUAL(look_leftovers(6), 0);
	c.parted_ns = 4 * SECOND;			/* a goodbye need not come through that */
	CU_ASSERT_EQUAL(look_leftovers(6.5), 0);
	c.parted_ns = INT64_MIN;
	CU_ASSERT_EQUAL(look_leftovers(6.6), 2);
	check_leftovers_done(&leftovers);
	leftovers.went = NULL;
	end();
}

static void the_unreachable_are_as_good_as_dead(void)
{
	begin(12);
	c.row[6].part = 1;
	look_leftovers(1);
	CU_ASSERT_EQUAL(look_leftovers(200), 2 * (4 + 2 + 8));	/* from both sides of the divide */
	check_leftovers_done(&leftovers);
	end();
}

static void who_comes_back_clears_the_account(void)
{
	begin(12);
	c.row[6].state = ROW_GONE;
	look_leftovers(1);
	c.row[6].state = ROW_RUNS;
	look_leftovers(8);
	c.row[6].state = ROW_GONE;
	CU_ASSERT_EQUAL(look_leftovers(15), 0);
	CU_ASSERT_EQUAL(look_leftovers(24), 0);
	CU_ASSERT_EQUAL(look_leftovers(26), 4);
	check_leftovers_done(&leftovers);
	end();
}

/* Every link to @to has come up at @up_ms. */
static void links_come_up(uint32_t to, uint32_t up_ms)
{
	for (uint32_t i = 0; i < c.rows; i++)
		for (uint32_t k = 0; k < c.row[i].links; k++)
			if (id_eq(c.row[i].link[k].id, c.row[to].look.id))
				c.row[i].link[k].up_ms = up_ms;
}

static void a_life_between_two_looks_parts_two_absences(void)
{
	struct went went = { .ended_ns = SECOND / 2 };

	begin(12);
	leftovers.went = said;
	leftovers.ctx = &went;
	c.row[6].state = ROW_GONE;
	CU_ASSERT_EQUAL(look_leftovers(1), 0);
	went.ended_ns = 55 * SECOND;			/* it lived from 10 to 55 */
	links_come_up(6, 10000);
	CU_ASSERT_EQUAL(look_leftovers(61), 0);
	CU_ASSERT_EQUAL(look_leftovers(66), 0);
	CU_ASSERT_EQUAL(look_leftovers(68), 2);		/* the sides, by 55 + 12 */
	CU_ASSERT_EQUAL(look_leftovers(72), 6);		/* the links, by 61 + 10.7 */
	CU_ASSERT_EQUAL(look_leftovers(144), 6);
	CU_ASSERT_EQUAL(look_leftovers(146), 14);	/* what is told, by 55 + 90 */
	check_leftovers_done(&leftovers);
	leftovers.went = NULL;
	end();
}

static void a_later_life_does_not_excuse_a_link_to_the_earlier(void)
{
	struct went went = { .ended_ns = SECOND / 2 };

	begin(12);
	leftovers.went = said;
	leftovers.ctx = &went;
	c.row[6].state = ROW_GONE;
	CU_ASSERT_EQUAL(look_leftovers(1), 0);
	went.ended_ns = 10 * SECOND;
	CU_ASSERT_EQUAL(look_leftovers(12), 4);		/* up all the time */
	check_leftovers_done(&leftovers);
	leftovers.went = NULL;
	end();
}

static void two_divides_are_not_one(void)
{
	begin(12);
	c.row[6].part = 1;
	CU_ASSERT_EQUAL(look_leftovers(1), 0);
	c.row[6].moved_ns = 60 * SECOND;		/* back, and away again */
	CU_ASSERT_EQUAL(look_leftovers(70), 0);
	CU_ASSERT_EQUAL(look_leftovers(71), 2 * 4);
	CU_ASSERT_EQUAL(look_leftovers(149), 2 * (4 + 2));
	CU_ASSERT_EQUAL(look_leftovers(151), 2 * (4 + 2 + 8));
	check_leftovers_done(&leftovers);
	end();
}

static void a_new_life_believes_anew(void)
{
	begin(12);
	c.row[6].state = ROW_GONE;
	look_leftovers(1);
	for (uint32_t i = 0; i < c.rows; i++)
		c.row[i].born_ns = 60 * SECOND;
	CU_ASSERT_EQUAL(look_leftovers(70), 0);
	CU_ASSERT_EQUAL(look_leftovers(71), 4);
	CU_ASSERT_EQUAL(look_leftovers(73), 6);
	check_leftovers_done(&leftovers);
	end();
}

/* ---- bounds ---- */

static struct check_bounds bounds;

static uint64_t look_bounds(double s)
{
	at(s);
	check_bounds(&bounds, &c, &judge);
	return found.violations[ORACLE_BOUNDS];
}

static void hard_bounds_hold_at_every_look(void)
{
	begin(12);
	CU_ASSERT_EQUAL(look_bounds(1), 0);
	c.row[0].look.memory = 64 << 10;
	c.row[1].look.known_left = 32;
	c.row[2].look.known_right = 32;
	c.row[3].look.pending = 48;
	c.row[4].look.remembered = 24;
	c.row[5].look.links = LINK_MAX;
	CU_ASSERT_EQUAL(look_bounds(2), 0);
	c.row[0].look.memory++;
	CU_ASSERT_EQUAL(look_bounds(3), 1);
	c.row[1].look.known_left++;
	CU_ASSERT_EQUAL(look_bounds(4), 2);
	c.row[2].look.known_right++;
	CU_ASSERT_EQUAL(look_bounds(5), 3);
	c.row[3].look.pending++;
	CU_ASSERT_EQUAL(look_bounds(6), 4);
	c.row[4].look.remembered++;
	CU_ASSERT_EQUAL(look_bounds(7), 5);
	c.row[5].look.links++;
	CU_ASSERT_EQUAL(look_bounds(8), 6);
	CU_ASSERT_EQUAL(look_bounds(9), 6);
	check_bounds_done(&bounds);
	end();
}

static void soft_bounds_may_be_passed_for_a_while(void)
{
	begin(12);
	CU_ASSERT_EQUAL(bounds_longs(&limits, 12), 2);
	CU_ASSERT_EQUAL(bounds_longs(&limits, 1000), 5);
	CU_ASSERT_EQUAL(bounds_longs(&limits, 1 << 20), 10);
	c.row[0].look.links = 8 + 4 + 6 + 8;
	c.row[1].look.longs_out = 4;
	c.row[2].look.longs_in = 6;
	c.row[3].look.pending = 4;
	look_bounds(1);
	CU_ASSERT_EQUAL(look_bounds(1000), 0);
	c.row[0].look.links++;
	c.row[1].look.longs_out++;
	c.row[2].look.longs_in++;
	c.row[3].look.pending++;
	CU_ASSERT_EQUAL(look_bounds(1001), 0);
	CU_ASSERT_EQUAL(look_bounds(1061), 0);
	CU_ASSERT_EQUAL(look_bounds(1062), 4);
	check_bounds_done(&bounds);
	end();
}

static void messages_that_come_and_go_are_no_leak(void)
{
	begin(12);
	for (unsigned s = 1; s < 300; s += 10) {
		c.row[3].look.pending = s % 4 == 1 ? 0 : 20;
		CU_ASSERT_EQUAL(look_bounds(s), 0);
	}
	check_bounds_done(&bounds);
	end();
}

/* ---- owners ---- */

static struct check_owners owners;
static uint32_t greedy_row, shy_row;
static unsigned off_by_one;

/* As the node would: by the left neighbour it believes in. */
static bool owns(const void *ctx, uint32_t row, struct id key)
{
	const struct census_row *r = &c.row[row];
	struct id left = r->look.left;

	(void)ctx;
	if (row == greedy_row)
		left = id_sub(left, (struct id){ UINT64_MAX / 12, 0 });
	if (row == shy_row)
		return false;
	if (off_by_one == 1)
		return id_between(key, left, r->look.id);
	if (off_by_one == 2)
		return id_within(key, left, r->look.id) || id_eq(key, left);
	if (off_by_one == 3)
		return id_within(id_add(key, (struct id){ 0, 1 }), left, r->look.id);
	return id_within(key, left, r->look.id);
}

static uint64_t look_owners(double s)
{
	at(s);
	check_owners(&owners, &c, &judge, 8);
	return found.violations[ORACLE_OWNERS];
}

static void begin_owners(uint32_t n)
{
	begin(n);
	owners = (struct check_owners){ .owns = owns, .chance = chance_of(5, 0, 0) };
	greedy_row = shy_row = CENSUS_NONE;
	off_by_one = 0;
}

static void end_owners(void)
{
	check_owners_done(&owners);
	end();
}

static void in_a_right_ring_each_key_has_one_owner(void)
{
	static const uint32_t sizes[] = { 1, 2, 3, 12, 300 };

	for (unsigned i = 0; i < 5; i++) {
		begin_owners(sizes[i]);
		for (double s = 1; s < 300; s += 20)
			CU_ASSERT_EQUAL(look_owners(s), 0);
		CU_ASSERT_EQUAL(owners.fails, 0);
		CU_ASSERT_EQUAL(found.checks[ORACLE_OWNERS], 15 * 8 * 3);
		end_owners();
	}
}

static void two_owners_are_told_after_a_moment(void)
{
	begin_owners(12);
	greedy_row = 5;
	for (double s = 1; s < 12; s++)
		CU_ASSERT_EQUAL(look_owners(s), 0);
	CU_ASSERT_TRUE(look_owners(14) > 0);
	end_owners();
}

static void two_owners_are_forgiven_while_a_ring_heals(void)
{
	begin_owners(12);
	greedy_row = 5;
	c.disturbed_ns = 20 * SECOND;
	for (double s = 1; s < 80; s++)
		CU_ASSERT_EQUAL(look_owners(s), 0);
	CU_ASSERT_TRUE(look_owners(81) > 0);
	end_owners();
}

static void a_key_without_owner_is_told_after_the_bound(void)
{
	begin_owners(12);
	shy_row = 5;
	for (double s = 1; s < 61; s += 2)
		CU_ASSERT_EQUAL(look_owners(s), 0);
	CU_ASSERT_TRUE(look_owners(70) > 0);
	end_owners();
}

static void ends_of_ranges_are_asked_about(void)
{
	for (unsigned how = 1; how <= 3; how++) {
		begin_owners(200);
		off_by_one = how;
		for (double s = 1; s < 61; s += 10)
			look_owners(s);
		CU_ASSERT_TRUE(look_owners(70) > 0);
		end_owners();
	}
}

CU_TestInfo check_tables_tests[] = {
	{ "tables that agree are fine", tables_that_agree_are_fine },
	{ "a one-sided link is told after its own pace", a_one_sided_link_is_told_after_its_own_pace },
	{ "a call under way is no link", a_call_under_way_is_no_link },
	{ "a new link to the same peer has its own time", a_new_link_to_the_same_peer_has_its_own_time },
	{ "two links to one peer are told", two_links_to_one_peer_are_told },
	{ "of the living anything may be held", of_the_living_anything_may_be_held },
	{ "traces of the dead are told one by one", traces_of_the_dead_are_told_one_by_one },
	{ "after a goodbye neighbours have less time", after_a_goodbye_neighbours_have_less_time },
	{ "the unreachable are as good as dead", the_unreachable_are_as_good_as_dead },
	{ "who comes back clears the account", who_comes_back_clears_the_account },
	{ "a life between two looks parts two absences", a_life_between_two_looks_parts_two_absences },
	{ "a later life does not excuse a link to the earlier", a_later_life_does_not_excuse_a_link_to_the_earlier },
	{ "two divides are not one", two_divides_are_not_one },
	{ "a new life believes anew", a_new_life_believes_anew },
	{ "hard bounds hold at every look", hard_bounds_hold_at_every_look },
	{ "soft bounds may be passed for a while", soft_bounds_may_be_passed_for_a_while },
	{ "messages that come and go are no leak", messages_that_come_and_go_are_no_leak },
	{ "in a right ring each key has one owner", in_a_right_ring_each_key_has_one_owner },
	{ "two owners are told after a moment", two_owners_are_told_after_a_moment },
	{ "two owners are forgiven while a ring heals", two_owners_are_forgiven_while_a_ring_heals },
	{ "a key without owner is told after the bound", a_key_without_owner_is_told_after_the_bound },
	{ "ends of ranges are asked about", ends_of_ranges_are_asked_about },
	CU_TEST_INFO_NULL
};
