/* A node's memory is counted to the byte, never passes its quota, and failing changes nothing. */
#include "core/base/mem.h"
#include "tests/unit/bare.h"
#include "tests/unit/suites.h"

static bool all_zero(const void *p, size_t len)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < len; i++)
		if (b[i])
			return false;
	return true;
}

static void bytes_come_zeroed_though_they_were_used_before(void)
{
	struct bare b;
	struct mem *m = &b.env.mem;

	bare_init(&b, 1);
	for (unsigned i = 0; i < 20; i++) {
		void *p = mem_get(m, 64);

		CU_ASSERT_TRUE_FATAL(p != NULL);
		CU_ASSERT_TRUE(all_zero(p, 64));
		memset(p, 0xa5, 64);
		mem_put(m, p, 64);
	}
	CU_ASSERT_TRUE(bare_done(&b));
}

static void the_quota_may_be_reached_and_not_passed(void)
{
	struct bare b;
	struct mem *m = &b.env.mem;
	void *p, *q;

	bare_init(&b, 1);
	m->quota = 100;
	p = mem_get(m, 60);
	CU_ASSERT_PTR_NOT_NULL(p);
	CU_ASSERT_PTR_NULL(mem_get(m, 41));
	CU_ASSERT_EQUAL(m->used, 60);
	q = mem_get(m, 40);
	CU_ASSERT_PTR_NOT_NULL(q);
	CU_ASSERT_EQUAL(m->used, 100);
	CU_ASSERT_PTR_NULL(mem_get(m, 1));
	mem_put(m, p, 60);
	CU_ASSERT_EQUAL(m->used, 40);
	mem_put(m, q, 40);
	CU_ASSERT_TRUE(bare_done(&b));
}

static void a_size_that_would_wrap_the_count_is_refused(void)
{
	struct bare b;
	struct mem *m = &b.env.mem;
	void *p;

	bare_init(&b, 1);
	p = mem_get(m, 16);
	CU_ASSERT_PTR_NULL(mem_get(m, SIZE_MAX));
#if SIZE_MAX > UINT32_MAX			/* no such size elsewhere */
	CU_ASSERT_PTR_NULL(mem_get(m, ((size_t)UINT32_MAX) + 1));
#endif
	CU_ASSERT_EQUAL(m->used, 16);
	mem_put(m, p, 16);
	CU_ASSERT_TRUE(bare_done(&b));
}

static void *empty_get(void *ctx, size_t bytes)
{
	(void)ctx, (void)bytes;
	return NULL;
}

static void a_host_with_nothing_left_costs_no_quota(void)
{
	static const struct mem_host EMPTY = { .get = empty_get };
	struct mem m = { &EMPTY, 0, 1000 };
	uint32_t *list = NULL;
	uint16_t cap = 0;

	CU_ASSERT_PTR_NULL(mem_get(&m, 8));
	CU_ASSERT_FALSE(mem_grow(&m, &list, &cap, 4, sizeof(*list)));
	CU_ASSERT_PTR_NULL(list);
	CU_ASSERT_EQUAL(cap, 0);
	CU_ASSERT_EQUAL(m.used, 0);
}

static void nothing_can_be_given_back(void)
{
	struct bare b;

	bare_init(&b, 1);
	mem_put(&b.env.mem, NULL, 0);
	mem_put(&b.env.mem, NULL, 77);
	CU_ASSERT_TRUE(bare_done(&b));
}

static void a_grown_array_keeps_what_it_held_and_the_rest_is_zero(void)
{
	struct bare b;
	struct mem *m = &b.env.mem;
	uint32_t *list = NULL;
	uint16_t cap = 0, had = 0;

	bare_init(&b, 1);
	for (uint16_t want = 1; want < 200; want = (uint16_t)(want * 2 + 1)) {
		CU_ASSERT_TRUE_FATAL(mem_grow(m, &list, &cap, want, sizeof(*list)));
		CU_ASSERT_EQUAL(cap, want);
		CU_ASSERT_EQUAL(m->used, want * sizeof(*list));
		for (uint16_t i = 0; i < had; i++)
			CU_ASSERT_EQUAL(list[i], 1000u + i);
		CU_ASSERT_TRUE(all_zero(list + had, (size_t)(want - had) * sizeof(*list)));
		for (had = 0; had < want; had++)
			list[had] = 1000u + had;
	}
	CU_ASSERT_TRUE(mem_grow(m, &list, &cap, 3, sizeof(*list)));
	CU_ASSERT_TRUE(cap == 3 && list[0] == 1000 && list[2] == 1002);
	CU_ASSERT_TRUE(mem_grow(m, &list, &cap, 0, sizeof(*list)));
	CU_ASSERT_PTR_NULL(list);
	CU_ASSERT_TRUE(bare_done(&b));
}

static void an_array_that_cannot_grow_stays_as_it_was(void)
{
	struct bare b;
	struct mem *m = &b.env.mem;
	uint32_t *list = NULL, *same;
	uint16_t cap = 0;

	bare_init(&b, 1);
	CU_ASSERT_TRUE_FATAL(mem_grow(m, &list, &cap, 4, sizeof(*list)));
	list[3] = 9;
	same = list;
	m->quota = 16 + 19;		/* the new array stands beside the old one while it is filled */
	CU_ASSERT_FALSE(mem_grow(m, &list, &cap, 5, sizeof(*list)));
	CU_ASSERT_TRUE(list == same && cap == 4 && list[3] == 9 && m->used == 16);
	m->quota = 16 + 20;
	CU_ASSERT_TRUE(mem_grow(m, &list, &cap, 5, sizeof(*list)));
	CU_ASSERT_TRUE(cap == 5 && list[3] == 9 && m->used == 20);
	mem_put(m, list, cap * sizeof(*list));
	CU_ASSERT_TRUE(bare_done(&b));
}

CU_TestInfo mem_tests[] = {
	{ "bytes come zeroed though they were used before", bytes_come_zeroed_though_they_were_used_before },
	{ "the quota may be reached and not passed", the_quota_may_be_reached_and_not_passed },
	{ "a size that would wrap the count is refused", a_size_that_would_wrap_the_count_is_refused },
	{ "a host with nothing left costs no quota", a_host_with_nothing_left_costs_no_quota },
	{ "nothing can be given back", nothing_can_be_given_back },
	{ "a grown array keeps what it held and the rest is zero",
	  a_grown_array_keeps_what_it_held_and_the_rest_is_zero },
	{ "an array that cannot grow stays as it was", an_array_that_cannot_grow_stays_as_it_was },
	CU_TEST_INFO_NULL
};
