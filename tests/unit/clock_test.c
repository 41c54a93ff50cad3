/* A host's clock runs its own way, never back, and alarms set by it ring in time. */
#include "sim/world/clock.h"

#include "sim/engine/chance.h"
#include "tests/unit/suites.h"

static void an_alarm_rings_at_the_first_moment_that_reaches_it(void)
{
	struct chance c = chance_of(3, 0, 0);
	int64_t now = 0;
	struct clock k = { .offset_ns = 12345 };

	for (int i = 0; i < 20000; i++) {
		int64_t at, reading;

		now += chance_between(&c, 0, 1000000000000);
		if (!chance_below(&c, 3))
			clock_drift(&k, now, (int32_t)chance_between(&c, -500000000, 500000000));
		reading = clock_read(&k, now) + chance_between(&c, 1, chance_below(&c, 2) ? 3 : 100000000000);
		at = clock_due(&k, reading);
		CU_ASSERT(at > now);
		CU_ASSERT(clock_read(&k, at) >= reading);
		CU_ASSERT(clock_read(&k, at - 1) < reading);
	}
	CU_ASSERT_EQUAL(clock_due(&k, INT64_MAX), INT64_MAX);
}

static void it_does_not_jump_or_go_back_when_its_drift_changes(void)
{
	struct chance c = chance_of(4, 0, 0);
	struct clock k = { .offset_ns = -7 };
	int64_t now = 5, last = clock_read(&k, now);

	for (int i = 0; i < 20000; i++) {
		int64_t before = clock_read(&k, now), after;

		clock_drift(&k, now, (int32_t)chance_between(&c, -900000000, 900000000));
		after = clock_read(&k, now);
		CU_ASSERT_EQUAL(before, after);
		now += chance_between(&c, 0, 100);
		CU_ASSERT(clock_read(&k, now) >= last);
		last = clock_read(&k, now);
	}
}

static void a_drift_of_50_ppm_gains_180_ms_in_an_hour(void)
{
	struct clock k = { 0 };

	clock_drift(&k, 1000, 50000);
	CU_ASSERT_EQUAL(clock_read(&k, 1000 + INT64_C(3600000000000)), 1000 + INT64_C(3600180000000));
	clock_drift(&k, 1000 + INT64_C(3600000000000), 0);
	CU_ASSERT_EQUAL(clock_read(&k, 1000 + INT64_C(7200000000000)), 1000 + INT64_C(7200180000000));
}

CU_TestInfo clock_tests[] = {
	{ "an alarm rings at the first moment that reaches it", an_alarm_rings_at_the_first_moment_that_reaches_it },
	{ "it does not jump or go back when its drift changes", it_does_not_jump_or_go_back_when_its_drift_changes },
	{ "a drift of 50 ppm gains 180 ms in an hour", a_drift_of_50_ppm_gains_180_ms_in_an_hour },
	CU_TEST_INFO_NULL
};
