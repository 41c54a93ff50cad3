/* Beliefs in addresses: intervals of two nodes may touch, never overlap; fences grow. */
#include "sim/check/belief.h"
#include "sim/engine/chance.h"
#include "tests/unit/suites.h"

static struct beliefs beliefs;
static struct findings found;
static struct limits limits;
static struct judge judge = { &limits, &found };
static const struct id net = { 5, 5 };

static void begin(void)
{
	findings_init(&found, NULL, NULL);
	beliefs_init(&beliefs);
}

static void end(void)
{
	beliefs_done(&beliefs);
	findings_done(&found);
}

static struct id node(unsigned i)
{
	return (struct id){ i + 1, i };
}

static uint64_t set(int64_t at_ns, uint32_t host, unsigned last, uint64_t grant, int64_t until_ns)
{
	struct ip ip = ip_v4(0x0a000000 + last);

	beliefs_set(&beliefs, &judge, at_ns, host, node(host), net, &ip, (struct fence){ 1, 0, grant }, until_ns);
	return found.violations[ORACLE_BELIEF];
}

static void stop(int64_t at_ns, uint32_t host, unsigned last)
{
	struct ip ip = ip_v4(0x0a000000 + last);

	beliefs_end(&beliefs, at_ns, host, net, &ip);
}

static void intervals_may_touch(void)
{
	begin();
	set(10, 1, 1, 1, 100);
	CU_ASSERT_EQUAL(set(100, 2, 1, 2, 200), 0);
	CU_ASSERT_EQUAL(set(150, 2, 1, 2, 300), 0);
	stop(180, 2, 1);
	CU_ASSERT_EQUAL(set(180, 3, 1, 3, 300), 0);
	CU_ASSERT_EQUAL(set(181, 4, 2, 1, 300), 0);	/* another address */
	CU_ASSERT_EQUAL(found.violations[ORACLE_FENCES], 0);
	CU_ASSERT_EQUAL(beliefs.begun, 4);
	end();
}

static void a_nanosecond_too_long_is_told_once(void)
{
	begin();
	set(10, 1, 1, 1, 101);
	CU_ASSERT_EQUAL(set(100, 2, 1, 2, 200), 1);
	CU_ASSERT_EQUAL(set(101, 2, 1, 2, 250), 1);
	end();
}

static void a_deadline_that_moves_later_may_run_into_another(void)
{
	begin();
	set(10, 1, 1, 1, 100);
	set(100, 2, 1, 2, 200);
	/* seen only now: host 1's clock had been slowed while it stood still, and its term lasts until 120 */
	CU_ASSERT_EQUAL(found.violations[ORACLE_BELIEF], 0);
	((struct believed *)g_ptr_array_index(beliefs.all, 0))->belief[0].until_ns = 99;
	CU_ASSERT_EQUAL(set(98, 1, 1, 1, 120), 1);
	end();
}

static void a_deadline_that_moves_sooner_makes_room(void)
{
	begin();
	set(10, 1, 1, 1, 100);
	set(20, 1, 1, 1, 50);
	CU_ASSERT_EQUAL(set(50, 2, 1, 2, 200), 0);
	end();
}

static void a_belief_that_is_over_before_it_begins_is_none(void)
{
	begin();
	set(10, 1, 1, 1, 100);
	CU_ASSERT_EQUAL(set(50, 2, 1, 2, 50), 0);
	CU_ASSERT_EQUAL(beliefs.begun, 1);
	end();
}

static void a_new_owner_needs_a_newer_fence(void)
{
	begin();
	set(10, 1, 1, 5, 100);
	set(100, 2, 1, 5, 200);
	CU_ASSERT_EQUAL(found.violations[ORACLE_FENCES], 1);
	set(200, 3, 1, 4, 300);
	CU_ASSERT_EQUAL(found.violations[ORACLE_FENCES], 2);
	set(300, 3, 1, 6, 400);
	CU_ASSERT_EQUAL(found.violations[ORACLE_FENCES], 2);
	/* its own once more, after a crash, under the same fence */
	stop(320, 3, 1);
	set(330, 3, 1, 6, 400);
	CU_ASSERT_EQUAL(found.violations[ORACLE_FENCES], 2);
	CU_ASSERT_EQUAL(found.violations[ORACLE_BELIEF], 0);
	end();
}

static void it_is_known_who_owned_what_when(void)
{
	struct ip ip = ip_v4(0x0a000001), other = ip_v4(0x0a000002);

	begin();
	set(10, 1, 1, 1, 100);
	set(150, 2, 1, 2, 200);
	CU_ASSERT_TRUE(beliefs_owner(&beliefs, net, &ip, node(1), 90, 110));
	CU_ASSERT_FALSE(beliefs_owner(&beliefs, net, &ip, node(1), 100, 200));
	CU_ASSERT_FALSE(beliefs_any(&beliefs, net, &ip, 100, 149));
	CU_ASSERT_TRUE(beliefs_any(&beliefs, net, &ip, 100, 150));
	CU_ASSERT_FALSE(beliefs_any(&beliefs, net, &other, 0, 1000));
	end();
}

/* Beside a dull one: every instant of 64, every pair. */
static void random_beliefs_are_judged_as_instants_are(void)
{
	enum { HOSTS = 4, SPAN = 64, RUNS = 3000 };
	struct chance c = chance_of(3, 1, 1);
	unsigned differ = 0, broken = 0;

	for (unsigned run = 0; run < RUNS; run++) {
		int64_t from[HOSTS], until[HOSTS];
		bool dull = false;
		uint64_t grant = 0;

		begin();
		for (unsigned h = 0; h < HOSTS; h++)
			from[h] = until[h] = 0;
		for (int64_t t = 1; t < SPAN; t++) {
			unsigned h = (unsigned)chance_below(&c, HOSTS);

			if (chance_below(&c, 16))
				continue;
			if (until[h] > t && chance_below(&c, 3) == 0) {
				stop(t, h, 1);
				until[h] = t;
			} else {
				int64_t to = t + 1 + (int64_t)chance_below(&c, 12);

				if (until[h] <= t)
					from[h] = t, grant++;
				until[h] = to;
				set(t, h, 1, grant, to);
			}
			for (unsigned a = 0; a < HOSTS; a++)
				for (unsigned b = 0; b < a; b++)
					dull |= MAX(from[a], from[b]) < MIN(until[a], until[b]);
		}
		broken += dull;
		differ += dull != !!found.violations[ORACLE_BELIEF];
		end();
	}
	CU_ASSERT_EQUAL(differ, 0);
	CU_ASSERT(broken > 100 && broken < RUNS - 100);
}

static uint64_t sent(uint32_t newest_delegation, uint32_t delegation)
{
	struct ip ip = ip_v4(0x0a000001);

	check_sent(&judge, 10, 1, &ip, (struct fence){ 1, newest_delegation, 7 }, (struct fence){ 1, delegation, 7 });
	return found.violations[ORACLE_FENCES];
}

static void nobody_sends_under_an_older_fence_again(void)
{
	begin();
	CU_ASSERT_EQUAL(sent(0, 1), 0);
	CU_ASSERT_EQUAL(sent(1, 1), 0);
	CU_ASSERT_EQUAL(sent(1, 0), 1);
	CU_ASSERT_EQUAL(found.checks[ORACLE_FENCES], 3);
	end();
}

CU_TestInfo check_belief_tests[] = {
	{ "intervals may touch", intervals_may_touch },
	{ "a nanosecond too long is told, once", a_nanosecond_too_long_is_told_once },
	{ "a deadline that moves later may run into another", a_deadline_that_moves_later_may_run_into_another },
	{ "a deadline that moves sooner makes room", a_deadline_that_moves_sooner_makes_room },
	{ "a belief that is over before it begins is none", a_belief_that_is_over_before_it_begins_is_none },
	{ "a new owner needs a newer fence", a_new_owner_needs_a_newer_fence },
	{ "it is known who owned what when", it_is_known_who_owned_what_when },
	{ "random beliefs are judged as instants are", random_beliefs_are_judged_as_instants_are },
	{ "nobody sends under an older fence again", nobody_sends_under_an_older_fence_again },
	CU_TEST_INFO_NULL
};
