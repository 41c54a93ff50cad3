/* one.c - runs the one suite named by -DSUITE=..., for the person working on it */
#include <stdlib.h>

#include <CUnit/Basic.h>

#define CAT(a, b)	a##b
#define TESTS(name)	CAT(name, _tests)
#define STR(x)		#x
#define NAME(x)		STR(x)

extern CU_TestInfo TESTS(SUITE)[];

int main(void)
{
	CU_SuiteInfo suites[] = {
		{ NAME(SUITE), NULL, NULL, NULL, NULL, TESTS(SUITE) },
		CU_SUITE_INFO_NULL
	};
	unsigned failed;

	if (CU_initialize_registry() || CU_register_suites(suites))
		return EXIT_FAILURE;
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
