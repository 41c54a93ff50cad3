/* suites.h - every unit suite, once; main.c expands the list into CUnit's table */
#ifndef SUITES_H
#define SUITES_H

#include <CUnit/CUnit.h>

#define SUITE_LIST(X)		\
	X(bytes)		\
	X(chance)		\
	X(engine)		\
	X(fixed)		\
	X(heap)		\
	X(id)		\
	X(queue)		\
	X(random)		\
	X(shards)		\
	X(slab)		\
	X(truth)

#define X(name) extern CU_TestInfo name##_tests[];
SUITE_LIST(X)
#undef X

#endif /* SUITES_H */
