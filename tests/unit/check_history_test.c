/* What nodes ask is sorted by record; questions for any address find theirs. */
#include "sim/check/history.h"
#include "core/dht/op.h"
#include "tests/unit/suites.h"

static struct histories histories;
static struct findings found;
static struct limits limits;
static struct judge judge = { &limits, &found };
static const struct id net = { 5, 5 };
static int64_t now_ns;

static void begin(void)
{
	findings_init(&found, NULL, NULL);
	histories_init(&histories, 16, 100);
	now_ns = 0;
}

static void end(void)
{
	histories_done(&histories);
	findings_done(&found);
}

static struct id node(unsigned i)
{
	return (struct id){ i + 1, i };
}

static void tell(uint32_t host, uint64_t nonce, uint8_t kind, uint8_t verdict, unsigned last, int holder,
		 uint64_t grant)
{
	struct deed d = { .nonce = nonce, .network = net, .ip = ip_v4(0x0a000000 + last), .kind = kind,
			  .verdict = verdict, .wide = kind == OP_CREATE_ANY, .fence = { grant ? UINT64_C(1) << 32 : 0, grant } };

	if (holder >= 0)
		d.holder = node((unsigned)holder);
	now_ns += 1000000;
	histories_deed(&histories, now_ns, host, node(host), &d);
}

static uint64_t judged(bool all)
{
	histories_judge(&histories, &judge, now_ns, all);
	return found.violations[ORACLE_HISTORY];
}

static void records_are_judged_apart(void)
{
	begin();
	tell(1, 1, OP_CREATE, 0, 1, -1, 0);
	tell(2, 1, OP_CREATE, 0, 2, -1, 0);
	tell(1, 1, OP_CREATE, VERDICT_OK, 1, 1, 1);
	tell(2, 1, OP_CREATE, VERDICT_OK, 2, 2, 1);
	CU_ASSERT_EQUAL(judged(false), 0);
	CU_ASSERT_EQUAL(found.checks[ORACLE_HISTORY], 2);
	tell(3, 7, OP_CREATE, 0, 2, -1, 0);
	tell(3, 7, OP_CREATE, VERDICT_OK, 2, 3, 2);
	CU_ASSERT_EQUAL(judged(false), 1);
	CU_ASSERT_EQUAL(histories.granted, 3);
	end();
}

static void any_address_is_found_by_its_answer(void)
{
	begin();
	tell(1, 1, OP_CREATE_ANY, 0, 0, -1, 0);
	tell(2, 1, OP_CREATE, 0, 9, -1, 0);
	tell(2, 1, OP_CREATE, VERDICT_TAKEN, 9, 1, 4);	/* it has it before it knows */
	CU_ASSERT_EQUAL(judged(false), 0);
	tell(1, 1, OP_CREATE_ANY, VERDICT_OK, 9, 1, 4);
	CU_ASSERT_EQUAL(judged(false), 0);
	CU_ASSERT_EQUAL(found.checks[ORACLE_HISTORY], 2);
	tell(3, 1, OP_CREATE_ANY, 0, 0, -1, 0);
	tell(3, 1, OP_CREATE_ANY, VERDICT_OK, 9, 3, 5);	/* it is not free */
	CU_ASSERT_EQUAL(judged(false), 1);
	end();
}

static void any_address_that_was_lost_explains_a_stray_in_its_slot_only(void)
{
	begin();
	tell(1, 1, OP_CREATE_ANY, 0, 0, -1, 0);
	tell(1, 1, OP_CREATE_ANY, VERDICT_TIMEOUT, 0, -1, 0);
	tell(2, 1, OP_GET, 0, 33, -1, 0);
	tell(2, 1, OP_GET, VERDICT_OK, 33, 1, 4);
	CU_ASSERT_EQUAL(judged(false), 0);
	tell(2, 2, OP_GET, 0, 99, -1, 0);		/* the next slot */
	tell(2, 2, OP_GET, VERDICT_OK, 99, 1, 4);
	CU_ASSERT_EQUAL(judged(false), 1);
	end();
}

static void what_was_undone_may_be_free_again(void)
{
	struct deed undo = { .nonce = 9, .network = net, .ip = ip_v4(0x0a000000), .kind = OP_RELEASE, .wide = true };

	for (unsigned told = 0; told < 4; told++) {
		uint8_t kind = told & 2 ? OP_CREATE : OP_CREATE_ANY;

		begin();
		tell(1, 1, kind, 0, 33, -1, 0);
		tell(1, 1, kind, VERDICT_TIMEOUT, 33, -1, 0);
		tell(2, 1, OP_GET, 0, 33, -1, 0);
		tell(2, 1, OP_GET, VERDICT_OK, 33, 1, 4);
		CU_ASSERT_EQUAL(judged(false), 0);
		if (told & 1)
			histories_deed(&histories, now_ns, 1, node(1), &undo);
		tell(3, 1, OP_CREATE, 0, 33, -1, 0);
		tell(3, 1, OP_CREATE, VERDICT_OK, 33, 3, 5);
		CU_ASSERT_EQUAL(judged(true), !(told & 1));
		end();
	}
}

static void any_address_refused_explains_nothing(void)
{
	begin();
	tell(1, 1, OP_CREATE_ANY, 0, 0, -1, 0);
	tell(1, 1, OP_CREATE_ANY, VERDICT_FULL, 0, -1, 0);
	tell(2, 1, OP_GET, 0, 33, -1, 0);
	tell(2, 1, OP_GET, VERDICT_OK, 33, 1, 4);
	CU_ASSERT_EQUAL(judged(false), 1);
	end();
}

static void who_ends_leaves_questions_open(void)
{
	begin();
	tell(1, 1, OP_CREATE, 0, 1, -1, 0);
	tell(2, 1, OP_CREATE, 0, 1, -1, 0);
	tell(2, 1, OP_CREATE, VERDICT_TAKEN, 1, 1, 1);
	CU_ASSERT_EQUAL(judged(false), 0);
	CU_ASSERT_EQUAL(found.checks[ORACLE_HISTORY], 0);	/* it waits for the first */
	histories_ended(&histories, now_ns, 1);
	CU_ASSERT_EQUAL(judged(false), 0);
	CU_ASSERT_EQUAL(found.checks[ORACLE_HISTORY], 1);
	tell(1, 1, OP_CREATE, VERDICT_OK, 1, 1, 1);		/* nobody is there to hear */
	tell(3, 1, OP_CREATE, 0, 1, -1, 0);
	CU_ASSERT_EQUAL(judged(true), 0);
	end();
}

CU_TestInfo check_history_tests[] = {
	{ "records are judged apart", records_are_judged_apart },
	{ "any address is found by its answer", any_address_is_found_by_its_answer },
	{ "any address that was lost explains a stray in its slot only",
	  any_address_that_was_lost_explains_a_stray_in_its_slot_only },
	{ "what was undone may be free again", what_was_undone_may_be_free_again },
	{ "any address refused explains nothing", any_address_refused_explains_nothing },
	{ "who ends leaves questions open", who_ends_leaves_questions_open },
	CU_TEST_INFO_NULL
};
