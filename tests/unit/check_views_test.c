/* Views of slots: only a majority of one installs the next, and each name stands for one view. */
#include "sim/check/views.h"
#include "tests/unit/suites.h"

static struct views views;
static struct findings found;
static struct limits limits;
static struct judge judge = { &limits, &found };
static int64_t now_ns;

static unsigned alive;

static bool below(const void *ctx, struct id id, uint32_t host, int64_t since_ns)
{
	(void)host;
	(void)since_ns;
	return id.lo < *(const unsigned *)ctx;
}

static void begin(void)
{
	findings_init(&found, NULL, NULL);
	views_init(&views, below, &alive);
	now_ns = 0;
}

static void end(void)
{
	views_done(&views);
	findings_done(&found);
}

static struct id node(unsigned i)
{
	return (struct id){ i + 1, i };
}

enum { VOTES = 1, SEALED = 2 };

/* Node @who shows view @number of @first ... @first + @members - 1; all lives began a second before 0 */
static uint64_t shows(unsigned who, unsigned number, unsigned first, unsigned members, unsigned flags)
{
	struct look_slot s = { .slot = { .number = 7, .kind = SLOT_V4 }, .votes = flags & VOTES,
			       .sealed = !!(flags & SEALED) };
	struct views_node n = { .id = node(who), .host = who, .life = 1, .started_ns = -1 };

	s.view.name = (struct view_name){ 1, number };
	s.view.members = (uint8_t)members;
	for (unsigned i = 0; i < members; i++)
		s.view.member[i].id = node(first + i);
	views_seen(&views, &judge, ++now_ns, &n, &s);
	return found.violations[ORACLE_VIEWS];
}

static void a_sealed_majority_installs_the_next(void)
{
	begin();
	for (unsigned i = 0; i < 5; i++)
		shows(i, 1, 0, 5, VOTES);
	for (unsigned i = 1; i < 4; i++)
		shows(i, 1, 0, 5, SEALED);
	shows(1, 2, 1, 5, 0);
	CU_ASSERT_EQUAL(shows(1, 2, 1, 5, VOTES), 0);
	CU_ASSERT_EQUAL(shows(5, 2, 1, 5, VOTES), 0);
	CU_ASSERT_EQUAL(shows(0, 1, 0, 5, VOTES), 0);	/* late, and harmless: it is alone there */
	CU_ASSERT_EQUAL(views.installed, 2);
	CU_ASSERT_EQUAL(views.changes, 1);
	end();
}

static void a_minority_does_not(void)
{
	begin();
	for (unsigned i = 0; i < 5; i++)
		shows(i, 1, 0, 5, VOTES);
	shows(1, 1, 0, 5, SEALED);
	shows(2, 1, 0, 5, SEALED);
	CU_ASSERT_EQUAL(shows(1, 2, 1, 5, VOTES), 1);
	CU_ASSERT_EQUAL(shows(2, 2, 1, 5, VOTES), 1);	/* told once */
	end();
}

static void one_alone_may_pass_on_in_one_step(void)
{
	begin();
	shows(0, 1, 0, 1, VOTES);
	CU_ASSERT_EQUAL(shows(0, 2, 0, 3, VOTES), 0);
	CU_ASSERT_EQUAL(shows(1, 2, 0, 3, VOTES), 0);
	shows(1, 2, 0, 3, SEALED);
	CU_ASSERT_EQUAL(shows(2, 3, 1, 3, VOTES), 0);	/* it passes on itself, and one had sealed */
	end();
}

static void those_who_pass_later_do_not_count(void)
{
	begin();
	for (unsigned i = 0; i < 3; i++)
		shows(i, 1, 0, 3, VOTES);
	CU_ASSERT_EQUAL(shows(3, 2, 1, 3, VOTES), 1);	/* nobody sealed */
	shows(0, 2, 1, 3, 0);
	shows(1, 2, 1, 3, VOTES);
	CU_ASSERT_EQUAL(found.violations[ORACLE_VIEWS], 1);
	CU_ASSERT_EQUAL(shows(4, 3, 2, 3, VOTES), 2);
	end();
}

static void one_name_is_one_view(void)
{
	begin();
	shows(0, 1, 0, 3, VOTES);
	CU_ASSERT_EQUAL(shows(1, 1, 0, 3, VOTES), 0);
	CU_ASSERT_EQUAL(shows(3, 1, 1, 3, VOTES), 1);
	CU_ASSERT_EQUAL(shows(2, 1, 0, 1, 0), 2);
	end();
}

static void a_seal_holds_for_life(void)
{
	struct look_slot s = { .slot = { .number = 9, .kind = SLOT_V4 }, .sealed = 1 };
	struct views_node n = { .id = node(1), .host = 1, .life = 1, .started_ns = -1 };

	begin();
	for (unsigned i = 0; i < 3; i++)
		shows(i, 1, 0, 3, VOTES);
	shows(2, 1, 0, 3, SEALED);
	CU_ASSERT_EQUAL(shows(2, 1, 0, 3, VOTES), 1);
	CU_ASSERT_EQUAL(shows(1, 1, 0, 3, VOTES), 1);
	/* in a new life it may have been told that the next view came to nothing */
	s.view.name = (struct view_name){ 1, 1 };
	s.view.members = 3;
	for (unsigned i = 0; i < 3; i++)
		s.view.member[i].id = node(i);
	views_seen(&views, &judge, 100, &n, &s);
	s.sealed = 0;
	s.votes = 1;
	n.life = 2;
	n.started_ns = 200;
	views_seen(&views, &judge, 300, &n, &s);
	CU_ASSERT_EQUAL(found.violations[ORACLE_VIEWS], 1);
	/* but not before it can have asked */
	n.life = 3;
	n.started_ns = 400;
	views_seen(&views, &judge, 400, &n, &s);
	CU_ASSERT_EQUAL(found.violations[ORACLE_VIEWS], 2);
	end();
}

static void only_members_vote(void)
{
	begin();
	shows(0, 1, 0, 3, VOTES);
	CU_ASSERT_EQUAL(shows(3, 1, 0, 3, 0), 0);
	CU_ASSERT_EQUAL(shows(3, 1, 0, 3, VOTES), 1);
	end();
}

static void slots_without_a_majority_are_counted(void)
{
	struct slot_name slot = { .number = 7, .kind = SLOT_V4 };

	begin();
	alive = 3;
	for (unsigned i = 0; i < 5; i++)
		shows(i, 1, 0, 5, VOTES);
	views_count(&views);
	CU_ASSERT_EQUAL(views.lost_now, 0);
	CU_ASSERT_TRUE(views_lives(&views, &slot, 0, 0));
	alive = 2;
	views_count(&views);
	views_count(&views);
	CU_ASSERT_EQUAL(views.lost_now, 1);
	CU_ASSERT_EQUAL(views.lost_ever, 1);
	CU_ASSERT_FALSE(views_lives(&views, &slot, 0, 0));
	alive = 5;
	views_count(&views);
	CU_ASSERT_EQUAL(views.lost_now, 0);
	CU_ASSERT_EQUAL(views.lost_most, 1);
	end();
}

/*
 * Three members; the last crashes. So many are @left, and when the view after next begins, without it, there are @later.
 * @back: it returns in between. How many replacements were timed?
 */
static unsigned replaced(unsigned left, unsigned later, bool back)
{
	unsigned timed;

	begin();
	alive = 3;
	for (unsigned i = 0; i < 3; i++)
		shows(i, 1, 0, 3, VOTES);
	views_died(&views, now_ns, node(2));
	alive = left;
	if (back)
		views_came(&views, node(2));
	for (unsigned number = 1; number <= 2; number++) {
		shows(0, number, 0, 3, SEALED);
		shows(1, number, 0, 3, SEALED);
		shows(0, number + 1, 0, number == 1 ? 3 : 1, VOTES);
		alive = later;
	}
	timed = views.replaced->len;
	CU_ASSERT_EQUAL(timed + views.replaced_cut, !back);
	CU_ASSERT(!timed || g_array_index(views.replaced, int64_t, 0) > 0);
	end();
	return timed;
}

static void a_crashed_member_is_timed_until_it_is_replaced(void)
{
	CU_ASSERT_EQUAL(replaced(2, 2, false), 1);
	CU_ASSERT_EQUAL(replaced(2, 1, false), 0);		/* no majority was there to do it ... */
	CU_ASSERT_EQUAL(replaced(1, 2, false), 0);		/* ... in time */
	CU_ASSERT_EQUAL(replaced(2, 2, true), 0);
}

CU_TestInfo check_views_tests[] = {
	{ "a sealed majority installs the next", a_sealed_majority_installs_the_next },
	{ "a minority does not", a_minority_does_not },
	{ "one alone may pass on in one step", one_alone_may_pass_on_in_one_step },
	{ "those who pass later do not count", those_who_pass_later_do_not_count },
	{ "one name is one view", one_name_is_one_view },
	{ "a seal holds for life", a_seal_holds_for_life },
	{ "only members vote", only_members_vote },
	{ "a crashed member is timed until it is replaced", a_crashed_member_is_timed_until_it_is_replaced },
	{ "slots without a majority are counted", slots_without_a_majority_are_counted },
	CU_TEST_INFO_NULL
};
