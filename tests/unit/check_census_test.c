/* The census finds who is where; complaints know since when they last. */
#include "sim/check/since.h"
#include "sim/engine/chance.h"
#include "tests/unit/check_help.h"
#include "tests/unit/suites.h"

static void an_owner_is_the_first_at_or_after_the_key(void)
{
	struct chance dice = chance_of(7, 0, 0);
	struct census c;

	ring_of(&c, 50, 2, 4);
	for (uint32_t i = 0; i < 50; i++) {
		c.row[i].look.id.hi = chance_next(&dice);
		c.row[i].part = i % 3;
		c.row[i].look.joined = i % 7 != 0;
		c.row[i].state = i % 11 ? ROW_RUNS : ROW_GONE;
	}
	census_index(&c);
	for (unsigned n = 0; n < 3000; n++) {		/* against the dull way */
		uint32_t any = (uint32_t)chance_below(&dice, 50), part = n % 3, best = CENSUS_NONE;
		struct id key = { chance_next(&dice), chance_next(&dice) };

		if (n % 2)
			key = id_add(c.row[any].look.id, (struct id){ 0, n % 4 == 1 });
		for (uint32_t i = 0; i < 50; i++) {
			const struct census_row *r = &c.row[i];

			if (r->state != ROW_RUNS || !r->look.joined || r->part != part)
				continue;
			if (best == CENSUS_NONE || id_less(id_clockwise(key, r->look.id),
							   id_clockwise(key, c.row[best].look.id)))
				best = i;
		}
		CU_ASSERT_EQUAL(census_owner(&c, part, key), best);
	}
	for (uint32_t i = 0; i < c.members; i++) {
		uint32_t row = c.order[i];

		CU_ASSERT_EQUAL(census_left(&c, census_right(&c, row)), row);
		CU_ASSERT_EQUAL(census_owner(&c, c.row[row].part, id_add(c.row[row].look.id, (struct id){ 0, 1 })),
				census_right(&c, row));
	}
	census_done(&c);
}

static void identities_are_found_where_they_run(void)
{
	struct census c;

	ring_of(&c, 30, 2, 4);
	c.row[3].state = ROW_GONE;
	c.row[4].state = ROW_STILL;
	c.row[5].look.joined = false;
	c.row[6].part = 1;
	census_index(&c);
	CU_ASSERT_EQUAL(census_find(&c, seat(2, 30)), 2);
	CU_ASSERT_EQUAL(census_find(&c, seat(3, 30)), CENSUS_NONE);
	CU_ASSERT_EQUAL(census_find(&c, seat(4, 30)), 4);
	CU_ASSERT_EQUAL(census_find(&c, (struct id){ 1, 1 }), CENSUS_NONE);
	CU_ASSERT_EQUAL(census_member(&c, seat(2, 30), 0), 2);
	CU_ASSERT_EQUAL(census_member(&c, seat(4, 30), 0), CENSUS_NONE);
	CU_ASSERT_EQUAL(census_member(&c, seat(5, 30), 0), CENSUS_NONE);
	CU_ASSERT_EQUAL(census_member(&c, seat(6, 30), 0), CENSUS_NONE);
	CU_ASSERT_EQUAL(census_member(&c, seat(6, 30), 1), 6);
	CU_ASSERT_EQUAL(c.members, 27);
	CU_ASSERT_EQUAL(c.running, 28);
	CU_ASSERT_EQUAL(c.running_parts, 2);
	census_rows(&c, 500);				/* the world grows */
	c.row[499] = (struct census_row){ .state = ROW_RUNS, .look = { .id = { 5, 5 }, .joined = true } };
	census_index(&c);
	CU_ASSERT_EQUAL(census_find(&c, (struct id){ 5, 5 }), 499);
	CU_ASSERT_EQUAL(census_owner(&c, 0, (struct id){ 5, 5 }), 499);
	census_done(&c);
}

static void a_complaint_is_as_old_as_its_unbroken_row(void)
{
	struct since s = { 0 };
	struct id a = { 1, 0 }, b = { 2, 0 };

	since_begin(&s, 10);
	CU_ASSERT_EQUAL(since_see(&s, 1, 0, b), 0);
	CU_ASSERT_EQUAL(since_see(&s, 1, 0, a), 0);
	since_end(&s);
	since_begin(&s, 20);
	CU_ASSERT_EQUAL(since_see(&s, 1, 0, a), 10);
	CU_ASSERT_EQUAL(since_see(&s, 2, 0, a), 0);
	CU_ASSERT_EQUAL(since_see(&s, 1, 1, a), 0);
	CU_ASSERT_TRUE(since_tell(&s));
	since_end(&s);
	since_begin(&s, 35);
	CU_ASSERT_EQUAL(since_see(&s, 1, 0, b), 0);	/* it was not so at 20 */
	CU_ASSERT_EQUAL(since_see(&s, 1, 0, a), 25);
	CU_ASSERT_EQUAL(since_see(&s, 1, 1, a), 15);
	CU_ASSERT_FALSE(since_tell(&s));		/* told at 20 */
	since_end(&s);
	since_done(&s);
}

CU_TestInfo check_census_tests[] = {
	{ "an owner is the first at or after the key", an_owner_is_the_first_at_or_after_the_key },
	{ "identities are found where they run", identities_are_found_where_they_run },
	{ "a complaint is as old as its unbroken row", a_complaint_is_as_old_as_its_unbroken_row },
	CU_TEST_INFO_NULL
};
