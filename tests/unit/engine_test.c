/*
 * Events happen in the order (time, destination, class, source, sequence),
 * alarms ring when last set, barriers stand before the events of their time,
 * and what a handler may not do is an assertion.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/engine/engine.h"
#include "tests/unit/suites.h"

enum { LINES = 4096, LINE = 48 };

/* A world that writes down what happened; a test may add a reaction. */
struct diary {
	char line[LINES][LINE];
	unsigned lines;
	void (*react)(struct diary *d, struct lane *l, const struct engine_event *ev);
	int64_t count;			/* the test's */
	void *seen;
};

static void write_line(struct diary *d, const char *text)
{
	CU_ASSERT_FATAL(d->lines < LINES);
	snprintf(d->line[d->lines++], LINE, "%s", text);
}

static void handle(void *world, struct lane *l, const struct engine_event *ev)
{
	struct diary *d = world;
	char text[LINE];

	CU_ASSERT(lane_now(l) == ev->at_ns);
	CU_ASSERT(lane_world(l) == world);
	if (ev->class == ENGINE_ALARM)
		snprintf(text, LINE, "%ld %u alarm", (long)ev->at_ns, ev->dst);
	else
		snprintf(text, LINE, "%ld %u class %u from %u", (long)ev->at_ns, ev->dst, ev->class,
			 ev->src);
	write_line(d, text);
	if (d->react)
		d->react(d, l, ev);
}

/* An engine of @objects objects, object i at site @site[i], or all at site 0. */
static struct engine *engine_for(struct diary *d, uint32_t shards, uint32_t objects,
				 const uint32_t *site)
{
	struct engine_config c = { .shards = shards, .world = d, .handle = handle };
	struct engine *e = engine_new(&c);

	memset(d, 0, sizeof(*d));
	for (uint32_t i = 0; i < objects; i++)
		CU_ASSERT(engine_object(e, site ? site[i] : 0) == i);
	return e;
}

static void post(struct engine *e, uint32_t src, uint32_t dst, unsigned class, int64_t at_ns)
{
	engine_post(engine_lane(e, src), src, dst, class, at_ns, NULL);
}

static void alarm_at(struct engine *e, uint32_t object, int64_t at_ns)
{
	engine_alarm(engine_lane(e, object), object, at_ns);
}

static void expect(const struct diary *d, const char *const *line)
{
	unsigned i = 0;

	for (; line[i]; i++) {
		CU_ASSERT_FATAL(i < d->lines);
		CU_ASSERT_STRING_EQUAL(d->line[i], line[i]);
		if (strcmp(d->line[i], line[i]))
			fprintf(stderr, "  line %u: \"%s\", not \"%s\"\n", i, d->line[i], line[i]);
	}
	CU_ASSERT(i == d->lines);
}

#define EXPECT(d, ...) expect(d, (const char *const[]){ __VA_ARGS__, NULL })

static void ties_are_broken_by_destination_class_source_and_sequence(void)
{
	struct diary d;
	struct engine *e = engine_for(&d, 1, 4, NULL);

	post(e, 3, 1, 2, 1000);
	alarm_at(e, 1, 1000);
	post(e, 2, 1, 2, 1000);
	post(e, 2, 1, 1, 1000);
	post(e, 3, 1, 1, 1000);
	post(e, 0, 2, 0, 1000);
	post(e, 3, 0, 9, 1000);
	post(e, 3, 3, 0, 999);
	alarm_at(e, 0, 1000);
	CU_ASSERT(engine_run_until(e, 1000) == ENGINE_REACHED);
	EXPECT(&d, "999 3 class 0 from 3");
	CU_ASSERT(engine_run_until(e, 1001) == ENGINE_REACHED);
	EXPECT(&d, "999 3 class 0 from 3", "1000 0 class 9 from 3", "1000 0 alarm",
	       "1000 1 class 1 from 2", "1000 1 class 1 from 3", "1000 1 class 2 from 2",
	       "1000 1 class 2 from 3", "1000 1 alarm", "1000 2 class 0 from 0");
	engine_free(e);
}

static void check_seq(struct diary *d, struct lane *l, const struct engine_event *ev)
{
	(void)l;
	CU_ASSERT(ev->seq == (uint64_t)d->count++);
}

static void equal_events_of_one_source_keep_the_order_they_were_posted_in(void)
{
	struct diary d;
	struct engine *e = engine_for(&d, 1, 2, NULL);

	d.react = check_seq;
	for (int i = 0; i < 300; i++)
		post(e, 1, 0, 7, 5000);
	engine_run_until(e, 5001);
	CU_ASSERT(d.count == 300);
	engine_free(e);
}

static void answer_at_once(struct diary *d, struct lane *l, const struct engine_event *ev)
{
	if (d->count++ < 3)
		engine_post(l, ev->dst, ev->dst ? 0 : 1, 5, ev->at_ns, NULL);
	if (ev->dst == 1 && ev->class == 5)
		engine_alarm(l, 1, 0);		/* long past: now */
}

static void inside_a_site_things_happen_at_once(void)
{
	struct diary d;
	struct engine *e = engine_for(&d, 1, 3, NULL);

	d.react = answer_at_once;
	post(e, 0, 1, 0, 1000);
	post(e, 0, 2, 0, 1000);
	engine_run_until(e, 2000);
	EXPECT(&d, "1000 1 class 0 from 0", "1000 0 class 5 from 1", "1000 1 class 5 from 0",
	       "1000 0 class 5 from 1", "1000 1 alarm", "1000 2 class 0 from 0");
	engine_free(e);
}

static void an_alarm_rings_once_and_when_it_was_last_set(void)
{
	struct diary d;
	struct engine *e = engine_for(&d, 1, 5, NULL);
	struct engine_stats s;

	alarm_at(e, 0, 1000);
	alarm_at(e, 0, 3000);			/* later */
	alarm_at(e, 1, 3000);
	alarm_at(e, 1, 1000);			/* earlier */
	alarm_at(e, 2, 2000);
	alarm_at(e, 2, ENGINE_NEVER);		/* not at all */
	for (int64_t at = 9000; at >= 4000; at -= 1000)
		alarm_at(e, 3, at);		/* ever earlier, then as first */
	alarm_at(e, 3, 9000);
	alarm_at(e, 4, ENGINE_NEVER);
	CU_ASSERT(engine_alarm_of(e, 0) == 3000);
	CU_ASSERT(engine_alarm_of(e, 2) == ENGINE_NEVER);
	engine_run_until(e, 100 * 1000 * 1000);
	EXPECT(&d, "1000 1 alarm", "3000 0 alarm", "9000 3 alarm");
	CU_ASSERT(engine_alarm_of(e, 0) == ENGINE_NEVER);
	engine_stats(e, &s);
	CU_ASSERT(s.handled == 3 && s.alarms == 3 && s.cancelled == 9 && s.pending == 0);
	engine_free(e);
}

static void timeout_and_keepalive(struct diary *d, struct lane *l, const struct engine_event *ev)
{
	d->count++;
	if (ev->class == ENGINE_ALARM)
		return;
	/* every packet: an answer is due soon, then it comes and only the far timer is left */
	engine_alarm(l, 0, ev->at_ns + 200 * 1000 * 1000);
	engine_alarm(l, 0, ev->at_ns + 60 * 1000 * 1000 * 1000LL);
	d->lines = 0;
	engine_post(l, 0, 0, 1, ev->at_ns + 30 * 1000 * 1000, NULL);
}

static void alarms_set_near_and_far_in_turn_do_not_pile_up(void)
{
	struct diary d;
	struct engine *e = engine_for(&d, 1, 1, NULL);
	struct engine_stats s;

	d.react = timeout_and_keepalive;
	post(e, 0, 0, 1, 0);
	engine_run_until(e, 50 * 1000 * 1000 * 1000LL);
	engine_stats(e, &s);
	CU_ASSERT(s.handled == 1667 && s.alarms == 0);
	CU_ASSERT(s.max_pending <= 4);
	engine_free(e);
}

static void note_barrier(struct engine *e, int64_t now_ns, void *arg)
{
	struct diary *d = lane_world(engine_lane(e, 0));
	char text[LINE];

	CU_ASSERT(engine_now(e) == now_ns && lane_now(engine_lane(e, 0)) == now_ns);
	snprintf(text, LINE, "%ld barrier %s", (long)now_ns, (const char *)arg);
	write_line(d, text);
}

static void post_now(struct engine *e, int64_t now_ns, void *arg)
{
	note_barrier(e, now_ns, arg);
	post(e, 0, 1, 4, now_ns);		/* another site: a barrier has no floor */
	alarm_at(e, 0, now_ns);
	CU_ASSERT(engine_object(e, 3) == 2);
	engine_at(e, now_ns, -5, note_barrier, "added");
}

static void barriers_stand_before_the_events_of_their_time(void)
{
	static const uint32_t site[] = { 0, 1 };

	for (uint32_t shards = 1; shards <= 2; shards++) {
		struct diary d;
		struct engine *e = engine_for(&d, shards, 2, site);

		post(e, 0, 0, 0, 1000);
		post(e, 0, 1, 0, 1000);
		post(e, 0, 1, 0, 999);
		engine_at(e, 1000, 2, note_barrier, "late");
		engine_at(e, 1000, 1, post_now, "first");
		engine_at(e, 1000, 2, note_barrier, "later");
		engine_at(e, 5000, 0, note_barrier, "end");
		CU_ASSERT(engine_next(e) == 999);
		engine_run_until(e, 5000);
		if (shards == 1)
			EXPECT(&d, "999 1 class 0 from 0", "1000 barrier first",
			       "1000 barrier added", "1000 barrier late", "1000 barrier later",
			       "1000 0 class 0 from 0", "1000 0 alarm", "1000 1 class 0 from 0",
			       "1000 1 class 4 from 0", "5000 barrier end");
		CU_ASSERT(d.lines == 10);
		CU_ASSERT(engine_now(e) == 5000);
		CU_ASSERT(engine_next(e) == ENGINE_NEVER);
		engine_free(e);
	}
}

static void count_barrier(struct engine *e, int64_t now_ns, void *arg)
{
	int64_t *count = arg;

	(void)e;
	CU_ASSERT(now_ns == 100 + *count * 250);
	++*count;
}

static void a_periodic_barrier_comes_back_also_when_nothing_else_happens(void)
{
	struct diary d;
	struct engine *e = engine_for(&d, 2, 1, NULL);
	int64_t count = 0;

	engine_every(e, 100, 250, 0, count_barrier, &count);
	CU_ASSERT(engine_run_until(e, 100) == ENGINE_REACHED);
	CU_ASSERT(count == 1);
	CU_ASSERT(engine_run_until(e, 10 * 1000) == ENGINE_REACHED);
	CU_ASSERT(count == 40);
	CU_ASSERT(engine_now(e) == 10 * 1000);
	engine_free(e);
}

static void a_run_without_end_ends_when_nothing_is_left(void)
{
	struct diary d;
	struct engine *e = engine_for(&d, 2, 1, NULL);

	alarm_at(e, 0, INT64_MAX - 1);
	CU_ASSERT(engine_run_until(e, INT64_MAX) == ENGINE_REACHED);
	CU_ASSERT(d.lines == 1);
	engine_free(e);
}

/* -- ends ----------------------------------------------------------------------------------- */

static void stop_third(struct diary *d, struct lane *l, const struct engine_event *ev)
{
	(void)ev;
	if (++d->count == 3)
		engine_stop(lane_engine(l));
}

static void break_third(struct diary *d, struct lane *l, const struct engine_event *ev)
{
	(void)ev;
	if (++d->count == 3)
		engine_break(l);
}

static void stop_finishes_the_window_and_break_does_not(void)
{
	static const uint32_t site[] = { 0, 1, 2 };

	for (uint32_t shards = 1; shards <= 3; shards++) {
		struct diary d;
		struct engine *e = engine_for(&d, shards, 3, site);

		d.react = stop_third;
		for (uint32_t i = 0; i < 3; i++)
			for (int64_t k = 0; k < 10; k++)
				post(e, 0, i, 0, 100 * 1000 * (k + 1) + i);
		CU_ASSERT(engine_run_until(e, 10 * 1000 * 1000) == ENGINE_STOPPED);
		CU_ASSERT(engine_now(e) == 600 * 1000);
		CU_ASSERT(d.lines == 15);
		CU_ASSERT(engine_run_until(e, 10 * 1000 * 1000) == ENGINE_REACHED);
		CU_ASSERT(d.lines == 30);
		engine_free(e);

		e = engine_for(&d, shards, 3, site);
		d.react = break_third;
		for (uint32_t i = 0; i < 3; i++)
			for (int64_t k = 0; k < 10; k++)
				post(e, 0, i, 0, 100 * 1000 * (k + 1) + i);
		CU_ASSERT(engine_run_until(e, 10 * 1000 * 1000) == ENGINE_BROKEN);
		CU_ASSERT(d.lines < 15 && (shards > 1 || d.lines == 3));
		if (shards == 1)
			CU_ASSERT(engine_now(e) == 100 * 1000 + 2);
		CU_ASSERT(engine_run_until(e, 10 * 1000 * 1000) == ENGINE_REACHED);
		CU_ASSERT(d.lines == 30);
		engine_free(e);
	}
}

static void break_here(struct engine *e, int64_t now_ns, void *arg)
{
	(void)now_ns;
	(void)arg;
	engine_break(engine_lane(e, 0));
}

static void a_break_in_a_barrier_ends_the_run_there(void)
{
	struct diary d;
	struct engine *e = engine_for(&d, 1, 1, NULL);

	engine_at(e, 1000, 0, break_here, NULL);
	post(e, 0, 0, 0, 999);
	post(e, 0, 0, 0, 1000);
	CU_ASSERT(engine_run_until(e, 5000) == ENGINE_STOPPED);
	CU_ASSERT(engine_now(e) == 1000 && d.lines == 1);
	CU_ASSERT(engine_run_until(e, 5000) == ENGINE_REACHED);
	CU_ASSERT(d.lines == 2);
	engine_free(e);
}

/* -- payloads ------------------------------------------------------------------------------- */

static void pass_on(struct diary *d, struct lane *l, const struct engine_event *ev)
{
	if (d->count == 0)
		d->seen = ev->payload;
	CU_ASSERT(d->seen == ev->payload);
	CU_ASSERT(ev->len == (uint32_t)(100 - d->count));
	CU_ASSERT(((char *)ev->payload)[42] == 'x');
	if (++d->count < 50) {
		engine_trim(ev->payload, ev->len - 1);
		engine_post(l, ev->dst, 1 - ev->dst, 0, ev->at_ns + ENGINE_FLOOR_NS, ev->payload);
	}
}

static void a_payload_can_be_passed_on_without_a_copy(void)
{
	static const uint32_t site[] = { 0, 1 };

	for (uint32_t shards = 1; shards <= 2; shards++) {
		struct diary d;
		struct engine *e = engine_for(&d, shards, 2, site);
		char *p = engine_payload(engine_lane(e, 0), 100);

		CU_ASSERT((uintptr_t)p % 16 == 0);
		memset(p, 'x', 100);
		d.react = pass_on;
		engine_post(engine_lane(e, 0), 0, 1, 0, 0, p);
		engine_run_until(e, 1000 * 1000 * 1000);
		CU_ASSERT(d.count == 50);
		engine_free(e);
	}
}

static void count_bytes(struct diary *d, struct lane *l, const struct engine_event *ev)
{
	const unsigned char *p = ev->payload;

	(void)l;
	for (uint32_t i = 0; i < ev->len; i++)
		d->count += p[i] == (unsigned char)(ev->len + i);
}

static void payloads_of_any_length_arrive_whole(void)
{
	static const uint32_t len[] = { 1, 31, 32, 33, 64, 96, 97, 224, 225, 1500, 2016, 2017, 4064,
					4065, 65536, 1 << 20 };
	static const uint32_t site[] = { 0, 1 };
	struct diary d;
	struct engine *e = engine_for(&d, 2, 2, site);
	int64_t sum = 0;

	d.react = count_bytes;
	for (int round = 0; round < 3; round++) {
		for (unsigned i = 0; i < sizeof(len) / sizeof(*len); i++) {
			unsigned char *p = engine_payload(engine_lane(e, 0), len[i]);

			CU_ASSERT((uintptr_t)p % 16 == 0);
			for (uint32_t k = 0; k < len[i]; k++)
				p[k] = (unsigned char)(len[i] + k);
			sum += len[i];
			engine_post(engine_lane(e, 0), 0, 1, 0, engine_now(e) + i, p);
		}
		engine_run_until(e, engine_now(e) + 1000);
		engine_drop(engine_lane(e, 1), engine_payload(engine_lane(e, 0), 70000));
	}
	CU_ASSERT(d.count == sum);
	/* what is still pending is freed with the engine */
	engine_post(engine_lane(e, 0), 0, 1, 0, engine_now(e) + 1,
		    engine_payload(engine_lane(e, 0), 100000));
	engine_free(e);
}

static void one_way(struct diary *d, struct lane *l, const struct engine_event *ev)
{
	d->lines = 0;
	if (ev->dst != 0)
		return;
	for (int i = 0; i < 50; i++)
		engine_post(l, 0, 1, 0, ev->at_ns + ENGINE_FLOOR_NS + i, engine_payload(l, 1400));
	engine_alarm(l, 0, ev->at_ns + 1000 * 1000);
}

static void a_flow_in_one_direction_does_not_eat_memory(void)
{
	static const uint32_t site[] = { 0, 1 };
	struct diary d;
	struct engine *e = engine_for(&d, 2, 2, site);
	struct engine_stats before, after;

	d.react = one_way;
	alarm_at(e, 0, 0);
	engine_run_until(e, 200 * 1000 * 1000);
	engine_stats(e, &before);
	engine_run_until(e, 1000 * 1000 * 1000);
	engine_stats(e, &after);
	CU_ASSERT(after.crossed - before.crossed > 39 * 1000);
	CU_ASSERT(after.payload_bytes == before.payload_bytes);
	CU_ASSERT(after.queue_bytes == before.queue_bytes);
	engine_free(e);
}

/* -- what may not be done ------------------------------------------------------------------- */

static const uint32_t two_sites[] = { 0, 0, 7 };

static void post_too_soon(struct diary *d, struct lane *l, const struct engine_event *ev)
{
	engine_post(l, 0, 2, 0, ev->at_ns + ENGINE_FLOOR_NS - d->count, NULL);
}

static void post_for_another(struct diary *d, struct lane *l, const struct engine_event *ev)
{
	engine_post(l, d->count ? 2 : 1, 2, 0, ev->at_ns + ENGINE_FLOOR_NS, NULL);
}

static void alarm_of_another(struct diary *d, struct lane *l, const struct engine_event *ev)
{
	engine_alarm(l, d->count ? 2 : 1, ev->at_ns + 1);
}

static void note_to_another(struct diary *d, struct lane *l, const struct engine_event *ev)
{
	(void)ev;
	engine_note(l, d->count ? 2 : 1, 0);
}

static void post_into_the_past(struct diary *d, struct lane *l, const struct engine_event *ev)
{
	if (ev->dst == 0)
		engine_post(l, 0, 1, 0, ev->at_ns - d->count, NULL);
}

static void object_in_a_window(struct diary *d, struct lane *l, const struct engine_event *ev)
{
	(void)ev;
	if (d->count)
		engine_object(lane_engine(l), 0);
}

static void post_twice(struct diary *d, struct lane *l, const struct engine_event *ev)
{
	void *p = engine_payload(l, 20);

	engine_post(l, 0, 1, 0, ev->at_ns + 1, p);
	if (d->count)
		engine_post(l, 0, 1, 0, ev->at_ns + 1, p);
}

static void time_stands_still(struct diary *d, struct lane *l, const struct engine_event *ev)
{
	d->lines = 0;
	if (d->count && ev->dst == 0)
		engine_alarm(l, 0, ev->at_ns);
}

/* Whether a run in which object 0 reacts so to its first event is aborted. */
static bool aborts(void (*react)(struct diary *, struct lane *, const struct engine_event *),
		   int64_t wrong)
{
	static struct diary d;
	int status = 0;
	pid_t child = fork();

	if (!child) {
		struct engine *e;

		fclose(stderr);
		signal(SIGABRT, SIG_DFL);
		e = engine_for(&d, 1, 3, two_sites);
		d.react = react;
		d.count = wrong;
		post(e, 0, 0, 0, 1000);
		engine_run_until(e, 1001);
		_exit(0);
	}
	CU_ASSERT_FATAL(child > 0 && waitpid(child, &status, 0) == child);
	CU_ASSERT(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void another_site_is_out_of_reach_and_the_floor_away(void)
{
	CU_ASSERT(!aborts(post_too_soon, 0));
	CU_ASSERT(aborts(post_too_soon, 1));
	CU_ASSERT(!aborts(post_for_another, 0));
	CU_ASSERT(aborts(post_for_another, 1));
	CU_ASSERT(!aborts(alarm_of_another, 0));
	CU_ASSERT(aborts(alarm_of_another, 1));
	CU_ASSERT(!aborts(note_to_another, 0));
	CU_ASSERT(aborts(note_to_another, 1));
	CU_ASSERT(!aborts(object_in_a_window, 0));
	CU_ASSERT(aborts(object_in_a_window, 1));
}

static void mistakes_with_time_and_payloads_are_caught(void)
{
	CU_ASSERT(!aborts(post_into_the_past, 0));
	CU_ASSERT(aborts(post_into_the_past, 1));
	CU_ASSERT(!aborts(post_twice, 0));
	CU_ASSERT(aborts(post_twice, 1));
	CU_ASSERT(!aborts(time_stands_still, 0));
	CU_ASSERT(aborts(time_stands_still, 1));
}

CU_TestInfo engine_tests[] = {
	{ "ties are broken by destination, class, source and sequence",
	  ties_are_broken_by_destination_class_source_and_sequence },
	{ "equal events of one source keep the order they were posted in",
	  equal_events_of_one_source_keep_the_order_they_were_posted_in },
	{ "inside a site things happen at once", inside_a_site_things_happen_at_once },
	{ "an alarm rings once, and when it was last set",
	  an_alarm_rings_once_and_when_it_was_last_set },
	{ "alarms set near and far in turn do not pile up",
	  alarms_set_near_and_far_in_turn_do_not_pile_up },
	{ "barriers stand before the events of their time",
	  barriers_stand_before_the_events_of_their_time },
	{ "a periodic barrier comes back, also when nothing else happens",
	  a_periodic_barrier_comes_back_also_when_nothing_else_happens },
	{ "a run without end ends when nothing is left",
	  a_run_without_end_ends_when_nothing_is_left },
	{ "stop finishes the window and break does not",
	  stop_finishes_the_window_and_break_does_not },
	{ "a break in a barrier ends the run there", a_break_in_a_barrier_ends_the_run_there },
	{ "a payload can be passed on without a copy", a_payload_can_be_passed_on_without_a_copy },
	{ "payloads of any length arrive whole", payloads_of_any_length_arrive_whole },
	{ "a flow in one direction does not eat memory",
	  a_flow_in_one_direction_does_not_eat_memory },
	{ "another site is out of reach, and the floor away",
	  another_site_is_out_of_reach_and_the_floor_away },
	{ "mistakes with time and payloads are caught",
	  mistakes_with_time_and_payloads_are_caught },
	CU_TEST_INFO_NULL
};
