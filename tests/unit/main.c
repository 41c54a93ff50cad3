/* main.c - all unit and story suites in one program; `make check` runs it */
#include <stdlib.h>
#include <string.h>

#include <CUnit/Basic.h>

#include "tests/unit/suites.h"

int main(int argc, char **argv)
{
#define X(name) { #name, NULL, NULL, NULL, NULL, name##_tests },
	CU_SuiteInfo suites[] = {
		SUITE_LIST(X)
		CU_SUITE_INFO_NULL
	};
#undef X
	unsigned failed;

	if (CU_initialize_registry() || CU_register_suites(suites))
		return EXIT_FAILURE;
	CU_basic_set_mode(argc > 1 && !strcmp(argv[1], "-v") ?
			  CU_BRM_VERBOSE : CU_BRM_NORMAL);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
