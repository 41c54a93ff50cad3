/* Broadcasts: once is right, twice never is, and who is missed is counted. */
#include "sim/check/casts.h"
#include "tests/unit/check_help.h"
#include "tests/unit/suites.h"

static struct census c;
static struct limits limits;
static struct findings found;
static struct check_casts casts;
static struct judge judge = { &limits, &found };

static void begin(uint32_t n, uint32_t all_ppb)
{
	limits = usual_limits();
	findings_init(&found, NULL, NULL);
	casts = (struct check_casts){ .all_ppb = all_ppb, .whole = true, .wait_ns = 10 * SECOND };
	ring_of(&c, n, 2, 4);
}

static void end(void)
{
	check_casts_done(&casts);
	findings_done(&found);
	census_done(&c);
}

static void hear(uint32_t row, uint32_t origin, uint64_t sequence)
{
	casts_heard(&casts, &c, &judge, c.now_ns, row, seat(origin, c.rows), sequence, row != origin);
}

static uint64_t look(double s, bool all)
{
	c.now_ns = (int64_t)(s * 1e9);
	census_index(&c);
	check_casts(&casts, &c, &judge, all);
	return found.violations[ORACLE_BROADCASTS];
}

static void everybody_once_is_right(void)
{
	begin(100, 1000000000);
	for (uint64_t sequence = 1; sequence <= 3; sequence++)
		for (uint32_t i = 0; i < 100; i++)
			hear((i + 7) % 100, 7, sequence);
	CU_ASSERT_EQUAL(look(20, false), 0);
	CU_ASSERT_EQUAL(casts.due, 3 * 99);
	CU_ASSERT_EQUAL(casts.missed, 0);
	CU_ASSERT_EQUAL(look(30, true), 0);
	end();
}

static void twice_is_told_at_once(void)
{
	begin(100, 1000000000);
	for (uint32_t i = 0; i < 100; i++)
		hear((i + 7) % 100, 7, 1);
	hear(50, 7, 1);
	CU_ASSERT_EQUAL(found.violations[ORACLE_BROADCASTS], 1);
	hear(50, 8, 1);					/* another's broadcast, or a late one: no */
	hear(8, 8, 1);
	hear(50, 8, 1);
	CU_ASSERT_EQUAL(found.violations[ORACLE_BROADCASTS], 1);
	hear(8, 8, 1);					/* the origin counts, too */
	CU_ASSERT_EQUAL(found.violations[ORACLE_BROADCASTS], 2);
	end();
}

static void one_missed_is_told_when_all_should_hear(void)
{
	begin(100, 1000000000);
	for (uint32_t i = 0; i < 99; i++)
		hear((i + 7) % 100, 7, 1);
	CU_ASSERT_EQUAL(look(10, false), 0);
	CU_ASSERT_EQUAL(look(12, false), 1);
	CU_ASSERT_EQUAL(casts.missed, 1);
	end();
}

static void a_share_is_judged_over_all(void)
{
	for (unsigned missing = 5; missing <= 6; missing++) {
		begin(101, 999000000);
		for (uint64_t sequence = 1; sequence <= 50; sequence++)
			for (uint32_t i = 0; i < 101; i++)
				if (i != 50 || sequence > missing)
					hear(i, 0, sequence);
		CU_ASSERT_EQUAL(look(20, false), 0);
		CU_ASSERT_EQUAL(look(30, true), missing == 6);	/* of 5,000 visits 5 may be missed */
		end();
	}
}

static void too_few_visits_tell_no_share(void)
{
	begin(101, 999000000);
	hear(0, 0, 1);
	CU_ASSERT_EQUAL(look(30, true), 0);
	CU_ASSERT_PTR_NOT_NULL(found.undecided[ORACLE_BROADCASTS]);
	end();
}

static void who_went_or_came_is_excused(void)
{
	begin(100, 1000000000);
	hear(7, 7, 1);
	for (uint32_t i = 10; i < 100; i++)
		hear(i, 7, 1);
	for (uint32_t i = 0; i < 9; i++)
		casts_excuse(&casts, i);
	c.row[9].state = ROW_GONE;
	CU_ASSERT_EQUAL(look(20, false), 0);
	CU_ASSERT_EQUAL(casts.due, 90);
	end();
}

static void another_part_need_not_hear(void)
{
	begin(100, 1000000000);
	for (uint32_t i = 50; i < 100; i++)
		c.row[i].part = 1;
	census_index(&c);
	for (uint32_t i = 0; i < 50; i++)
		hear(i, 0, 1);
	CU_ASSERT_EQUAL(look(20, false), 0);
	CU_ASSERT_EQUAL(casts.due, 49);
	end();
}

static void a_ring_in_pieces_owes_nothing_but_never_twice(void)
{
	begin(100, 1000000000);
	casts.whole = false;
	hear(7, 7, 1);
	hear(8, 7, 1);
	hear(8, 7, 1);
	CU_ASSERT_EQUAL(look(30, true), 1);
	end();
}

static void newcomers_unsettle_what_has_just_begun(void)
{
	begin(100, 1000000000);
	hear(7, 7, 1);
	casts_unsettle(&casts, c.now_ns + 4 * SECOND);
	CU_ASSERT_EQUAL(look(30, true), 0);
	end();
	begin(100, 1000000000);
	hear(7, 7, 1);
	casts_unsettle(&casts, c.now_ns + 6 * SECOND);
	CU_ASSERT_EQUAL(look(30, true), 1);
	end();
}

static void the_end_does_not_judge_the_unfinished(void)
{
	begin(100, 1000000000);
	hear(7, 7, 1);
	CU_ASSERT_EQUAL(look(5, true), 0);
	CU_ASSERT_EQUAL(casts.due, 0);
	end();
}

CU_TestInfo check_casts_tests[] = {
	{ "everybody once is right", everybody_once_is_right },
	{ "twice is told at once", twice_is_told_at_once },
	{ "one missed is told when all should hear", one_missed_is_told_when_all_should_hear },
	{ "a share is judged over all", a_share_is_judged_over_all },
	{ "too few visits tell no share", too_few_visits_tell_no_share },
	{ "who went or came is excused", who_went_or_came_is_excused },
	{ "another part need not hear", another_part_need_not_hear },
	{ "a ring in pieces owes nothing, but never twice", a_ring_in_pieces_owes_nothing_but_never_twice },
	{ "newcomers unsettle what has just begun", newcomers_unsettle_what_has_just_begun },
	{ "the end does not judge the unfinished", the_end_does_not_judge_the_unfinished },
	CU_TEST_INFO_NULL
};
