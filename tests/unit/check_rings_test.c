/* The ring oracle sees each way a ring can be broken, and gives each the time it is allowed. */
#include "sim/check/rings.h"
#include "tests/unit/check_help.h"
#include "tests/unit/suites.h"

static struct census c;
static struct limits limits;
static struct findings found;
static struct check_rings rings;
static struct rings_view view;

static void begin(uint32_t n)
{
	limits = usual_limits();
	findings_init(&found, NULL, NULL);
	ring_of(&c, n, 2, 4);
}

static void end(void)
{
	check_rings_done(&rings);
	findings_done(&found);
	census_done(&c);
}

/* look again at @s seconds; returns violations so far */
static uint64_t look(double s)
{
	struct judge j = { &limits, &found };

	c.now_ns = (int64_t)(s * 1e9);
	census_index(&c);
	check_rings(&rings, &c, &j, &view);
	return found.violations[ORACLE_RING];
}

static void a_ring_in_order_is_right(void)
{
	for (uint32_t n = 1; n <= 40; n += n < 4 ? 1 : 12) {
		begin(n);
		for (double s = 1; s < 500; s += 50)
			CU_ASSERT_EQUAL(look(s), 0);
		CU_ASSERT_TRUE(view.right);
		CU_ASSERT_EQUAL(view.rings, 1);
		CU_ASSERT_EQUAL(view.right_good, n);
		CU_ASSERT_EQUAL(view.left_good, n);
		CU_ASSERT_EQUAL(view.appendages, 0);
		CU_ASSERT_EQUAL(found.checks[ORACLE_RING], 10 * n);
		end();
	}
}

static void a_wrong_neighbour_is_told_after_the_bound_and_once(void)
{
	for (unsigned side = 0; side < 2; side++) {
		begin(10);
		*(side ? &c.row[3].look.right : &c.row[3].look.left) = seat(side ? 5 : 1, 10);
		CU_ASSERT_EQUAL(look(1), 0);
		CU_ASSERT_FALSE(view.right);
		CU_ASSERT_EQUAL(look(60), 0);
		CU_ASSERT_EQUAL(look(61.5), 1);
		CU_ASSERT_EQUAL(look(70), 1);
		CU_ASSERT_PTR_NOT_NULL(found.last[ORACLE_RING]);
		end();
	}
}

static void trouble_that_passes_is_forgiven(void)
{
	begin(10);
	c.row[3].look.right = seat(5, 10);
	look(1);
	c.row[3].look.right = seat(4, 10);
	look(40);
	c.row[3].look.right = seat(5, 10);
	CU_ASSERT_EQUAL(look(50), 0);
	CU_ASSERT_EQUAL(look(100), 0);
	CU_ASSERT_EQUAL(look(111), 1);
	end();
}

static void after_a_fault_the_bound_begins_anew(void)
{
	begin(10);
	c.row[3].look.right = seat(5, 10);
	look(1);
	c.disturbed_ns = 100 * SECOND;
	CU_ASSERT_EQUAL(look(159), 0);
	CU_ASSERT_EQUAL(look(161), 1);
	end();
}

static void without_a_bound_healing_is_not_demanded(void)
{
	begin(10);
	limits.healed_ns = 0;
	c.row[3].look.right = seat(5, 10);
	look(1);
	CU_ASSERT_EQUAL(look(1000), 0);
	CU_ASSERT_EQUAL(view.right_good, 9);
	end();
}

static void who_leaves_may_be_passed_over(void)
{
	begin(10);
	c.row[4].look.leaving = true;
	c.row[3].look.right = seat(5, 10);
	c.row[5].look.left = seat(3, 10);
	c.row[4].look.left = seat(9, 10);
	look(1);
	CU_ASSERT_EQUAL(look(100), 0);
	c.row[3].look.right = seat(6, 10);
	look(101);
	CU_ASSERT_EQUAL(look(200), 1);
	end();
}

/* Rows of even number know only each other, and so do the others. */
static void split(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		census_clear(&c, i);
		for (unsigned k = 1; k < 4; k++) {
			census_add_known(&c, i, 1, seat((i + 2 * k) % n, n));
			census_add_known(&c, i, 0, seat((i + n - 2 * k) % n, n));
		}
		c.row[i].look.right = seat((i + 2) % n, n);
		c.row[i].look.left = seat((i + n - 2) % n, n);
	}
}

static void two_rings_are_seen(void)
{
	begin(12);
	split(12);
	census_add_remembered(&c, 4, seat(5, 12));	/* there is a way back */
	CU_ASSERT_EQUAL(look(1), 0);
	CU_ASSERT_EQUAL(view.rings, 2);
	CU_ASSERT_EQUAL(view.islands, 0);
	CU_ASSERT_EQUAL(look(62), 1 + 24 + 24);	/* the rings; two neighbours, two lists each */
	end();
}

static void rings_in_different_parts_are_fine(void)
{
	begin(12);
	split(12);
	for (uint32_t i = 0; i < 12; i++)
		c.row[i].part = i % 2;
	CU_ASSERT_EQUAL(look(1), 0);
	CU_ASSERT_EQUAL(look(100), 0);
	CU_ASSERT_TRUE(view.right);
	CU_ASSERT_EQUAL(view.parts, 2);
	CU_ASSERT_EQUAL(view.rings, 2);
	end();
}

static void an_island_is_told_at_once(void)
{
	begin(12);
	split(12);
	CU_ASSERT_EQUAL(look(1), 1);
	CU_ASSERT_EQUAL(view.islands, 1);
	end();
}

static void a_configured_endpoint_is_a_way_back(void)
{
	begin(12);
	split(12);
	c.row[0].anchor = true;
	c.row[5].anchored = true;
	CU_ASSERT_EQUAL(look(1), 0);
	c.row[0].state = ROW_GONE;			/* but not when nobody answers there */
	CU_ASSERT_EQUAL(look(2), 1);
	end();
}

static void a_ring_that_goes_round_twice_is_seen(void)
{
	begin(9);
	for (uint32_t i = 0; i < 9; i++) {
		census_clear(&c, i);
		c.row[i].look.right = seat((i + 2) % 9, 9);
		census_add_known(&c, i, 1, c.row[i].look.right);
	}
	CU_ASSERT_EQUAL(look(1), 0);
	CU_ASSERT_EQUAL(view.rings, 1);
	CU_ASSERT_EQUAL(view.disordered, 1);
	CU_ASSERT_EQUAL(look(12), 0);
	CU_ASSERT_EQUAL(look(14), 1);
	end();
}

static void appendages_lead_to_the_ring(void)
{
	begin(10);
	for (uint32_t i = 0; i < 10; i++)		/* everybody passes over row 7 ... */
		if (i != 7) {
			census_clear(&c, i);
			c.row[i].look.right = seat(i == 6 ? 8 : (i + 1) % 10, 10);
			census_add_known(&c, i, 1, c.row[i].look.right);
		}
	CU_ASSERT_EQUAL(look(1), 0);
	CU_ASSERT_EQUAL(view.rings, 1);			/* ... which still leads to the ring */
	CU_ASSERT_EQUAL(view.appendages, 1);
	CU_ASSERT_EQUAL(view.disordered, 0);
	end();
}

static void a_list_of_the_dead_is_a_dead_end(void)
{
	begin(10);
	for (uint32_t i = 4; i < 8; i++)
		c.row[i].state = ROW_GONE;
	look(1);
	CU_ASSERT_EQUAL(view.dead_ends, 1);		/* row 3 knows 4 to 7 */
	CU_ASSERT_EQUAL(look(12), 0);
	CU_ASSERT_EQUAL(look(14), 1);
	end();
}

static void the_first_living_entry_of_the_list_counts(void)
{
	begin(10);
	for (uint32_t i = 4; i < 7; i++)
		c.row[i].state = ROW_GONE;
	look(1);
	CU_ASSERT_EQUAL(view.dead_ends, 0);
	CU_ASSERT_EQUAL(view.rings, 1);
	CU_ASSERT_EQUAL(view.appendages, 0);
	CU_ASSERT_EQUAL(view.right_good, 6);		/* row 3 still believes in row 4 */
	CU_ASSERT_EQUAL(view.left_good, 6);
	end();
}

static void a_list_out_of_order_is_told_at_once(void)
{
	begin(10);
	c.row[2].known[0][1] = c.row[2].known[0][0];
	CU_ASSERT_EQUAL(look(1), 1);
	CU_ASSERT_EQUAL(look(2), 1);
	end();
}

static void a_thin_list_is_told_after_the_bound(void)
{
	begin(20);
	CU_ASSERT_EQUAL(look(1), 0);
	CU_ASSERT_EQUAL(view.thin, 0);			/* four of eight will do */
	c.row[2].knowns[0] = 3;
	CU_ASSERT_EQUAL(look(2), 0);
	CU_ASSERT_EQUAL(view.thin, 1);
	CU_ASSERT_EQUAL(look(63), 1);
	end();
	begin(3);
	CU_ASSERT_EQUAL(look(1), 0);
	CU_ASSERT_EQUAL(view.thin, 0);
	c.row[2].knowns[0] = 0;
	look(2);
	CU_ASSERT_EQUAL(view.thin, 1);
	end();
}

static void alone_one_is_ones_own_neighbour(void)
{
	begin(1);
	CU_ASSERT_EQUAL(look(1), 0);
	CU_ASSERT_TRUE(view.right);
	c.row[0].look.right = seat(1, 2);
	look(2);
	CU_ASSERT_FALSE(view.right);
	CU_ASSERT_EQUAL(look(63), 1);
	end();
}

static void who_has_not_joined_is_no_member(void)
{
	begin(10);
	c.row[4].look.joined = false;
	c.row[3].look.right = seat(5, 10);
	c.row[5].look.left = seat(3, 10);
	CU_ASSERT_EQUAL(look(1), 0);
	CU_ASSERT_EQUAL(view.members, 9);
	CU_ASSERT_TRUE(view.right);
	end();
}

CU_TestInfo check_rings_tests[] = {
	{ "a ring in order is right", a_ring_in_order_is_right },
	{ "a wrong neighbour is told after the bound, and once", a_wrong_neighbour_is_told_after_the_bound_and_once },
	{ "trouble that passes is forgiven", trouble_that_passes_is_forgiven },
	{ "after a fault the bound begins anew", after_a_fault_the_bound_begins_anew },
	{ "without a bound healing is not demanded", without_a_bound_healing_is_not_demanded },
	{ "who leaves may be passed over", who_leaves_may_be_passed_over },
	{ "two rings are seen", two_rings_are_seen },
	{ "rings in different parts are fine", rings_in_different_parts_are_fine },
	{ "an island is told at once", an_island_is_told_at_once },
	{ "a configured endpoint is a way back", a_configured_endpoint_is_a_way_back },
	{ "a ring that goes round twice is seen", a_ring_that_goes_round_twice_is_seen },
	{ "appendages lead to the ring", appendages_lead_to_the_ring },
	{ "a list of the dead is a dead end", a_list_of_the_dead_is_a_dead_end },
	{ "the first living entry of the list counts", the_first_living_entry_of_the_list_counts },
	{ "a list out of order is told at once", a_list_out_of_order_is_told_at_once },
	{ "a thin list is told after the bound", a_thin_list_is_told_after_the_bound },
	{ "alone one is one's own neighbour", alone_one_is_ones_own_neighbour },
	{ "who has not joined is no member", who_has_not_joined_is_no_member },
	CU_TEST_INFO_NULL
};
