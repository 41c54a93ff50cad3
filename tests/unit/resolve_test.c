/* Who serves an address: found, refreshed, doubted and corrected; never back to an older fence. */
#include "core/vnet/resolve.h"
#include "tests/unit/bare.h"
#include "tests/unit/suites.h"

static const struct id SELF = { 9, 9 }, ALICE = { 1, 1 }, BOB = { 2, 2 };

struct room {
	struct bare b;
	struct resolver s;
};

static void open_room(struct room *r)
{
	bare_init(&r->b, 1);
	resolver_init(&r->s);
	r->b.env.now_ns = 100 * NS_PER_S;
}

static void close_room(struct room *r)
{
	resolver_done(&r->s, &r->b.env);
	CU_ASSERT_TRUE(bare_done(&r->b));
}

static void later(struct room *r, int64_t ms)
{
	r->b.env.now_ns += ms * NS_PER_MS;
}

static struct dht_done lease(const struct room *r, uint8_t kind, const struct ip *ip, struct id holder, uint64_t grant,
			     uint32_t left_s)
{
	return (struct dht_done){
		.kind = kind, .verdict = VERDICT_OK, .asked_ns = r->b.env.now_ns - 50 * NS_PER_MS,
		.lease = { .ip = *ip, .holder = holder, .fence = { .generation = 1, .grant = grant },
			   .left_ms = left_s * 1000 },
	};
}

/* Ask about @ip and hear @d at once. */
static enum answered ask(struct room *r, struct remote *m, struct dht_done d)
{
	uint64_t rest = resolver_asked(&r->s, m, &r->b.env, d.kind);
	struct remote *about = NULL;
	enum answered a = resolver_answer(&r->s, &r->b.env, rest, &d, SELF, &about);

	CU_ASSERT_PTR_EQUAL(about, m);
	return a;
}

static void an_answer_holds_until_the_lease_it_rests_on_ends(void)
{
	struct room r;
	struct ip ip = ip_v4(0x0a000005);
	struct remote *m;

	open_room(&r);
	CU_ASSERT_PTR_NULL(resolver_find(&r.s, &ip));
	m = resolver_add(&r.s, &r.b.env, &ip);
	CU_ASSERT_EQUAL(resolver_advice(m, &r.b.env), ADVICE_LOOK);
	resolver_asked(&r.s, m, &r.b.env, OP_LOOK);
	CU_ASSERT_EQUAL(resolver_advice(m, &r.b.env), ADVICE_WAIT);
	CU_ASSERT_EQUAL(ask(&r, m, lease(&r, OP_LOOK, &ip, ALICE, 3, 100)), ANSWERED_FOUND);
	CU_ASSERT_PTR_EQUAL(resolver_find(&r.s, &ip), m);
	CU_ASSERT_TRUE(id_eq(m->owner, ALICE));
	CU_ASSERT_EQUAL(resolver_advice(m, &r.b.env), ADVICE_USE);
	later(&r, 80000);
	CU_ASSERT_EQUAL(resolver_advice(m, &r.b.env), ADVICE_USE);
	later(&r, 10000);
	CU_ASSERT_EQUAL(resolver_advice(m, &r.b.env), ADVICE_USE_LOOK);	/* ahead of its end */
	later(&r, 9949);
	CU_ASSERT_EQUAL(resolver_advice(m, &r.b.env), ADVICE_USE_LOOK);
	later(&r, 2);				/* counted from sending the question, not from its answer */
	CU_ASSERT_EQUAL(resolver_advice(m, &r.b.env), ADVICE_LOOK);
	close_room(&r);
}

static void nobody_holds_for_two_seconds(void)
{
	struct room r;
	struct ip ip = ip_v4(0x0a000005);
	struct remote *m;
	struct dht_done d = { .kind = OP_LOOK, .verdict = VERDICT_ABSENT };

	open_room(&r);
	m = resolver_add(&r.s, &r.b.env, &ip);
	CU_ASSERT_EQUAL(ask(&r, m, d), ANSWERED_NOBODY);
	CU_ASSERT_EQUAL(resolver_advice(m, &r.b.env), ADVICE_NOBODY);
	later(&r, 1999);
	CU_ASSERT_EQUAL(resolver_advice(m, &r.b.env), ADVICE_NOBODY);
	later(&r, 1);
	CU_ASSERT_EQUAL(resolver_advice(m, &r.b.env), ADVICE_LOOK);
	d.verdict = VERDICT_TIMEOUT;
	CU_ASSERT_EQUAL(ask(&r, m, d), ANSWERED_NOBODY);
	CU_ASSERT_EQUAL(ask(&r, m, lease(&r, OP_LOOK, &ip, SELF, 3, 100)), ANSWERED_NOBODY);	/* ours is not remote */
	close_room(&r);
}

/* IPOP's cache kept a moved address for up to 600 s: a miss for what was in it asked nobody. */
static void a_moved_address_is_corrected_at_once(void)
{
	struct room r;
	struct ip ip = ip_v4(0x0a000005);
	struct remote *m;

	open_room(&r);
	m = resolver_add(&r.s, &r.b.env, &ip);
	ask(&r, m, lease(&r, OP_LOOK, &ip, ALICE, 3, 3600));
	later(&r, 1000);
	CU_ASSERT_TRUE(resolver_doubt(m, &r.b.env));		/* ALICE: not here */
	CU_ASSERT_EQUAL(resolver_advice(m, &r.b.env), ADVICE_GET);
	CU_ASSERT_EQUAL(ask(&r, m, lease(&r, OP_GET, &ip, BOB, 4, 3600)), ANSWERED_FOUND);
	CU_ASSERT_EQUAL(resolver_advice(m, &r.b.env), ADVICE_USE);
	CU_ASSERT_TRUE(id_eq(m->owner, BOB));
	close_room(&r);
}

static void a_doubt_is_settled_by_a_majority_and_not_raised_again_at_once(void)
{
	struct room r;
	struct ip ip = ip_v4(0x0a000005);
	struct remote *m;

	open_room(&r);
	m = resolver_add(&r.s, &r.b.env, &ip);
	ask(&r, m, lease(&r, OP_LOOK, &ip, ALICE, 3, 3600));
	CU_ASSERT_TRUE(resolver_doubt(m, &r.b.env));
	CU_ASSERT_EQUAL(ask(&r, m, lease(&r, OP_GET, &ip, ALICE, 3, 3600)), ANSWERED_FOUND);	/* it was right */
	CU_ASSERT_FALSE(resolver_doubt(m, &r.b.env));
	CU_ASSERT_EQUAL(resolver_advice(m, &r.b.env), ADVICE_USE);
	later(&r, 500);
	CU_ASSERT_TRUE(resolver_doubt(m, &r.b.env));
	CU_ASSERT_EQUAL(resolver_advice(m, &r.b.env), ADVICE_GET);
	close_room(&r);
}

static void a_lower_fence_than_seen_is_refused(void)
{
	struct room r;
	struct ip ip = ip_v4(0x0a000005);
	struct remote *m;
	struct dht_done d;

	open_room(&r);
	m = resolver_add(&r.s, &r.b.env, &ip);
	ask(&r, m, lease(&r, OP_GET, &ip, BOB, 7, 3600));
	later(&r, 10000);
	CU_ASSERT_EQUAL(ask(&r, m, lease(&r, OP_LOOK, &ip, ALICE, 6, 3600)), ANSWERED_AGAIN);	/* a primary alone */
	CU_ASSERT_TRUE(id_eq(m->owner, BOB));
	CU_ASSERT_EQUAL(ask(&r, m, lease(&r, OP_GET, &ip, ALICE, 6, 3600)), ANSWERED_NOBODY);
	CU_ASSERT_EQUAL(m->seen.grant, 7);
	later(&r, 3000);
	d = lease(&r, OP_GET, &ip, ALICE, 1, 3600);
	d.lease.fence.generation = 2;					/* a new generation leads */
	CU_ASSERT_EQUAL(ask(&r, m, d), ANSWERED_FOUND);
	CU_ASSERT_TRUE(id_eq(m->owner, ALICE));
	/* also after the address was free in between */
	d = (struct dht_done){ .kind = OP_GET, .verdict = VERDICT_ABSENT };
	CU_ASSERT_EQUAL(ask(&r, m, d), ANSWERED_NOBODY);
	later(&r, 3000);
	CU_ASSERT_EQUAL(ask(&r, m, lease(&r, OP_GET, &ip, BOB, 9, 3600)), ANSWERED_NOBODY);
	close_room(&r);
}

static void a_primary_that_forgot_does_not_unmake_what_holds(void)
{
	struct room r;
	struct ip ip = ip_v4(0x0a000005);
	struct remote *m;
	struct dht_done d = { .kind = OP_LOOK, .verdict = VERDICT_ABSENT };

	open_room(&r);
	m = resolver_add(&r.s, &r.b.env, &ip);
	ask(&r, m, lease(&r, OP_LOOK, &ip, ALICE, 3, 100));
	CU_ASSERT_EQUAL(ask(&r, m, d), ANSWERED_AGAIN);
	d.verdict = VERDICT_TIMEOUT;
	CU_ASSERT_EQUAL(ask(&r, m, d), ANSWERED_KEPT);
	CU_ASSERT_EQUAL(resolver_advice(m, &r.b.env), ADVICE_USE);
	close_room(&r);
}

static void an_answer_to_an_older_question_is_nobodys(void)
{
	struct room r;
	struct ip ip = ip_v4(0x0a000005);
	struct remote *m, *about = NULL;
	struct dht_done d;
	uint64_t first, second;

	open_room(&r);
	m = resolver_add(&r.s, &r.b.env, &ip);
	d = lease(&r, OP_LOOK, &ip, ALICE, 3, 100);
	first = resolver_asked(&r.s, m, &r.b.env, OP_LOOK);
	second = resolver_asked(&r.s, m, &r.b.env, OP_GET);
	CU_ASSERT_EQUAL(resolver_answer(&r.s, &r.b.env, first, &d, SELF, &about), ANSWERED_OTHER);
	CU_ASSERT_EQUAL(resolver_answer(&r.s, &r.b.env, second + 5, &d, SELF, &about), ANSWERED_OTHER);
	CU_ASSERT_EQUAL(resolver_answer(&r.s, &r.b.env, UINT64_MAX, &d, SELF, &about), ANSWERED_OTHER);
	d.kind = OP_GET;
	CU_ASSERT_EQUAL(resolver_answer(&r.s, &r.b.env, second, &d, SELF, &about), ANSWERED_FOUND);
	CU_ASSERT_EQUAL(resolver_answer(&r.s, &r.b.env, second, &d, SELF, &about), ANSWERED_OTHER);
	close_room(&r);
}

static void after_a_resume_nothing_is_believed(void)
{
	struct room r;
	struct ip ip = ip_v4(0x0a000005);
	struct remote *m;

	open_room(&r);
	m = resolver_add(&r.s, &r.b.env, &ip);
	ask(&r, m, lease(&r, OP_LOOK, &ip, ALICE, 3, 3600));
	resolver_stale(&r.s);
	CU_ASSERT_EQUAL(resolver_advice(m, &r.b.env), ADVICE_LOOK);
	close_room(&r);
}

/* Random against obvious: the table beside a plain list, more addresses than places. */
static void the_table_is_bounded_and_forgets_what_is_unused_for_longest(void)
{
	struct room r;
	unsigned found = 0;

	open_room(&r);
	r.b.env.mem.quota = 1 << 20;
	for (uint32_t i = 0; i < 3000; i++) {
		struct ip ip = ip_v4(0x0a000000 + i);
		struct remote *m = resolver_add(&r.s, &r.b.env, &ip);

		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		if (i == 7)
			m->held = 1;			/* waited for: it stays */
		resolver_advice(m, &r.b.env);
		later(&r, 1);
		if (i % 3 == 0) {			/* one is used all the time */
			struct ip used = ip_v4(0x0a000001);

			if (i)
				resolver_advice(resolver_find(&r.s, &used), &r.b.env);
		}
	}
	CU_ASSERT_EQUAL(r.s.count, REMOTES_MAX);
	for (uint32_t i = 0; i < 3000; i++) {
		struct ip ip = ip_v4(0x0a000000 + i);
		struct remote *m = resolver_find(&r.s, &ip);

		if (m) {
			found++;
			CU_ASSERT_TRUE(ip_eq(&m->ip, &ip));
			CU_ASSERT_TRUE(i == 1 || i == 7 || i >= 3000 - REMOTES_MAX);
		}
	}
	CU_ASSERT_EQUAL(found, REMOTES_MAX);
	close_room(&r);
}

CU_TestInfo resolve_tests[] = {
	{ "an answer holds until the lease it rests on ends", an_answer_holds_until_the_lease_it_rests_on_ends },
	{ "nobody holds for two seconds", nobody_holds_for_two_seconds },
	{ "a moved address is corrected at once", a_moved_address_is_corrected_at_once },
	{ "a doubt is settled by a majority, and not raised again at once",
	  a_doubt_is_settled_by_a_majority_and_not_raised_again_at_once },
	{ "a lower fence than seen is refused", a_lower_fence_than_seen_is_refused },
	{ "a primary that forgot does not unmake what holds", a_primary_that_forgot_does_not_unmake_what_holds },
	{ "an answer to an older question is nobody's", an_answer_to_an_older_question_is_nobodys },
	{ "after a resume nothing is believed", after_a_resume_nothing_is_believed },
	{ "the table is bounded and forgets what is unused for longest",
	  the_table_is_bounded_and_forgets_what_is_unused_for_longest },
	CU_TEST_INFO_NULL
};
