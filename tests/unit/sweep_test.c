/* A sweep's tables: every choice of values, means and intervals that can be trusted. */
#include "sim/record/sweeps.h"

#include <math.h>
#include <string.h>

#include "tests/unit/suites.h"

static void each_point_is_another_choice_of_values(void)
{
	struct sweep s = { .seeds = 2 };
	struct fail f = { 0 };
	char seen[6][16];

	CU_ASSERT_FATAL(varied_parse(&s.varied[0], "ring.long=1,2,4", &f));
	CU_ASSERT_FATAL(varied_parse(&s.varied[1], "ring.near= 1 ,2", &f));
	s.varieds = 2;
	CU_ASSERT_FATAL(sweep_plan(&s, &f));
	CU_ASSERT_EQUAL_FATAL(s.points, 6);
	for (unsigned p = 0; p < 6; p++) {
		g_snprintf(seen[p], sizeof(seen[p]), "%s/%s", sweep_value(&s, p, 0), sweep_value(&s, p, 1));
		for (unsigned i = 0; i < p; i++)
			CU_ASSERT(strcmp(seen[i], seen[p]));
	}
	CU_ASSERT_STRING_EQUAL(seen[0], "1/1");
	CU_ASSERT_STRING_EQUAL(seen[5], "4/2");
	sweep_done(&s);
}

static void what_is_no_choice_is_refused(void)
{
	static const char *const bad[] = { "", "x", "=1", "a.b=", "nodot=1,2", "a.b=1,,2" };

	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
		struct varied v;
		struct fail f = { 0 };

		CU_ASSERT_FALSE(varied_parse(&v, bad[i], &f));
		CU_ASSERT(failed(&f));
		fail_done(&f);
	}
}

/* Gosset's first example: the additional sleep of ten patients (Biometrika 6, 1908). */
static void an_interval_is_students(void)
{
	static const double sleep[] = { 1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4, NAN };
	struct spread r = spread_of(sleep, 11);

	CU_ASSERT_EQUAL(r.n, 10);
	CU_ASSERT_DOUBLE_EQUAL(r.mean, 1.58, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(r.half, 0.8798, 1e-3);	/* 2.262 x 1.230 / sqrt(10) */
	r = spread_of(sleep, 1);
	CU_ASSERT(r.n == 1 && r.half < 0);
	CU_ASSERT_DOUBLE_EQUAL(student(31), 2.0395, 5e-4);
	CU_ASSERT_DOUBLE_EQUAL(student(60), 2.0003, 5e-4);
	CU_ASSERT_DOUBLE_EQUAL(student(100000), 1.95996, 1e-4);
}

CU_TestInfo sweep_tests[] = {
	{ "each point is another choice of values", each_point_is_another_choice_of_values },
	{ "what is no choice is refused", what_is_no_choice_is_refused },
	{ "an interval is Student's", an_interval_is_students },
	CU_TEST_INFO_NULL
};
