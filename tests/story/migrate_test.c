/*
 * A machine moves from one router to another while somebody talks to it: it has
 * one owner all the way, both routers and who talks to it are told, what was
 * under way is sent on, and a router that crashes in the middle takes nothing
 * with it but its own time.
 */
#include "tests/story/town.h"

enum { TALKER = 1, OLD = 4, NEW = 5, NODES = 8, LAST = 20, EACH_MS = 20 };

static bool moves(const struct record *r)
{
	return r->kind == RECORD_MOVED;
}

static bool serves(const struct town *t, unsigned i)
{
	const struct ip machine = ip_v4(0x0a010000 + LAST);

	return served(t, 0, i, &machine);
}

/* Which node does the talker send to? STAGE_NODES: none */
static unsigned sent_to(const struct town *t)
{
	const struct ip machine = ip_v4(0x0a010000 + LAST);
	struct look_remote r;

	for (unsigned i = 0; node_remote(t->s->actor[TALKER].node, 0, i, &r); i++)
		if (ip_eq(&r.ip, &machine))
			return stage_name(t->s, r.owner);
	return STAGE_NODES;
}

/* The machine is behind OLD, and the talker pings it; then it is behind NEW, and has not spoken yet. */
static struct town *moving(void)
{
	struct town *t = town_like(NODES, MTU_DEFAULT, 1, MODEL_ROUTER);

	meet(t, TALKER, OLD);
	for (unsigned i = 0; i < 20; i++) {
		ping(t, TALKER, LAST, (uint16_t)(i + 1), 100);
		run(t, EACH_MS);
	}
	run(t, 1000);
	CU_ASSERT_EQUAL(t->g[0][TALKER].replies, 20);
	CU_ASSERT_EQUAL_FATAL(sent_to(t), OLD);
	t->g[0][OLD].ip.family = 0;		/* it answers no probe there */
	plug_in(t, 0, NEW, LAST);
	t->g[0][TALKER].replies = 0;
	t->s->keep = moves;
	t->s->line_len = 0;
	return t;
}

struct seen { unsigned sent, on; };		/* pings; of them, to the old router, and heard at the new one */

/* Time passes under traffic, in which the machine never has two owners; until @until holds, or @ms are over. */
static struct seen traffic(struct town *t, int64_t ms, bool (*until)(const struct town *t))
{
	static uint16_t id;
	struct seen seen = { 0 };
	unsigned doubled = 0;

	for (; ms > 0 && !(until && until(t)); ms -= EACH_MS) {
		unsigned owners = 0, before = t->g[0][NEW].echoes;
		bool stray = sent_to(t) == OLD;

		ping(t, TALKER, LAST, (uint16_t)(1000 + id++), 100);
		run(t, EACH_MS);
		for (unsigned i = 0; i < NODES; i++)
			owners += serves(t, i);
		doubled += owners > 1;
		seen.sent++;
		seen.on += stray && t->g[0][NEW].echoes > before;
	}
	CU_ASSERT_EQUAL(doubled, 0);
	return seen;
}

static bool arrived(const struct town *t)
{
	return serves(t, NEW);
}

static bool given(const struct town *t)
{
	return !serves(t, OLD);
}

static bool answered(const struct town *t)
{
	return t->g[0][TALKER].replies;
}

static void a_machine_moves_under_traffic_and_everybody_is_told(void)
{
	struct town *t = moving();
	struct seen seen;

	speak_up(t, 0, NEW);
	seen = traffic(t, 2000, arrived);
	CU_ASSERT_TRUE(seen.sent * EACH_MS <= 200);	/* to the slot, on to the owner, and back: 20 ms each; a probe of 40 */
	traffic(t, 2000, NULL);
	run(t, 1000);
	CU_ASSERT_EQUAL(sent_to(t), NEW);
	CU_ASSERT_TRUE(t->g[0][TALKER].replies >= 100);
	CU_ASSERT_EQUAL(t->g[0][TALKER].twice + t->g[0][NEW].twice, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(t->s->line, "  4  moved"));	/* OLD */
	CU_ASSERT_PTR_NOT_NULL(strstr(t->s->line, "  5  moved"));	/* NEW */
	town_free(t);
}

/* What either router tells the talker is lost. */
static bool deaf(struct town *t, unsigned from, unsigned to, const struct datagram *d)
{
	(void)t;
	(void)d;
	return to == TALKER && (from == OLD || from == NEW);
}

static void what_is_sent_to_the_old_router_meanwhile_is_sent_on(void)
{
	struct town *t = moving();
	struct seen seen;

	t->lose = deaf;
	speak_up(t, 0, NEW);
	traffic(t, 2000, arrived);
	seen = traffic(t, 600, NULL);
	CU_ASSERT_EQUAL(sent_to(t), OLD);
	CU_ASSERT_TRUE(seen.on >= seen.sent - 3);
	t->lose = NULL;
	traffic(t, 2000, NULL);
	CU_ASSERT_EQUAL(sent_to(t), NEW);
	CU_ASSERT_EQUAL(t->g[0][NEW].twice, 0);
	town_free(t);
}

static void a_router_that_crashes_after_it_signed_is_not_missed(void)
{
	struct town *t = moving();

	t->lose = deaf;				/* and it could tell nobody */
	speak_up(t, 0, NEW);
	traffic(t, 2000, arrived);
	CU_ASSERT_TRUE_FATAL(arrived(t));
	stage_crash(t->s, OLD);
	t->lose = NULL;
	CU_ASSERT_EQUAL(sent_to(t), OLD);
	CU_ASSERT_TRUE(traffic(t, 20000, answered).sent * EACH_MS <= 2000);
	CU_ASSERT_EQUAL(sent_to(t), NEW);
	stage_up(t->s, OLD, true);
	traffic(t, 60000, NULL);		/* it does not believe what it signed away */
	CU_ASSERT_TRUE(arrived(t));
	town_free(t);
}

static void a_router_that_crashes_before_it_signed_gives_it_when_it_is_back(void)
{
	struct town *t = moving();

	t->s->save_ns = 60 * NS_PER_S;		/* what is to be saved under the signature never is */
	speak_up(t, 0, NEW);
	traffic(t, 2000, given);
	CU_ASSERT_TRUE_FATAL(given(t) && !arrived(t));
	stage_crash(t->s, OLD);
	t->s->save_ns = 0;
	traffic(t, 3000, NULL);
	CU_ASSERT_FALSE(arrived(t));		/* nothing says that it may */
	stage_up(t->s, OLD, true);
	for (unsigned i = 0; i < 60 && !arrived(t); i++) {
		speak_up(t, 0, NEW);
		traffic(t, 1000, arrived);
	}
	CU_ASSERT_TRUE(arrived(t));
	traffic(t, 5000, answered);
	CU_ASSERT_TRUE(answered(t));
	town_free(t);
}

CU_TestInfo story_migrate_tests[] = {
	{ "a machine moves under traffic, and everybody is told", a_machine_moves_under_traffic_and_everybody_is_told },
	{ "what is sent to the old router meanwhile is sent on", what_is_sent_to_the_old_router_meanwhile_is_sent_on },
	{ "a router that crashes after it signed is not missed", a_router_that_crashes_after_it_signed_is_not_missed },
	{ "a router that crashes before it signed gives it when it is back",
	  a_router_that_crashes_before_it_signed_gives_it_when_it_is_back },
	CU_TEST_INFO_NULL
};
