/* Lost peers are sought soon, then ever more rarely, and never given up; a damaged memory is no memory. */
#include "core/link/remember.h"
#include "tests/unit/bare.h"
#include "tests/unit/suites.h"

static struct contact peer(unsigned n)
{
	struct contact c = {
		.id = { n, n * 7 }, .has_id = true, .has_key = true, .ats = 1,
		.at = { endpoint_v4(0x0a000000 + n, (uint16_t)(4000 + n)) },
	};

	memset(c.key, (int)n, sizeof(c.key));
	return c;
}

static void add(struct remember *m, struct bare *b, unsigned n, bool lost)
{
	struct contact c = peer(n);

	remember_add(m, &b->env, &c, lost);
}

static bool knows(const struct remember *m, unsigned n)
{
	struct contact c;

	for (unsigned i = 0; remember_at(m, i, &c); i++)
		if (id_eq(c.id, peer(n).id))
			return true;
	return false;
}

static unsigned lost_of(const struct remember *m, unsigned from, unsigned to)
{
	unsigned known = 0;

	for (unsigned n = from; n <= to; n++)
		known += knows(m, n);
	return known;
}

/* Who is due now, 0 for nobody. */
static unsigned due(struct remember *m, struct bare *b)
{
	struct contact c;

	return remember_due(m, &b->env, false, &c) ? (unsigned)c.id.hi : 0;
}

/* Go to when the next is due and take it; the span it took, INT64_MAX for never. */
static int64_t wait_due(struct remember *m, struct bare *b, unsigned *who)
{
	int64_t next = remember_next_ns(m), from = b->env.now_ns;

	*who = 0;
	if (next == INT64_MAX)
		return next;
	if (next > from) {
		b->env.now_ns = next - 1;
		CU_ASSERT_EQUAL(due(m, b), 0);
		b->env.now_ns = next;
	}
	*who = due(m, b);
	CU_ASSERT_NOT_EQUAL(*who, 0);
	return b->env.now_ns - from;
}

static bool around(int64_t got_ns, int64_t want_s)
{
	int64_t want = want_s * NS_PER_S;

	return got_ns >= want - want / 8 && got_ns <= want + want / 8 + 200 * NS_PER_MS;
}

static void begin(struct remember *m, struct bare *b, unsigned seed)
{
	bare_init(b, seed);
	b->env.birth_ns = 123456789;		/* not on a tick of anything */
	b->env.now_ns = b->env.birth_ns + 77 * NS_PER_S + 5;
	remember_init(m);
}

static bool done(struct remember *m, struct bare *b)
{
	remember_done(m, &b->env);
	return bare_done(b);
}

/* ---- when ---- */

static void a_lost_peer_is_due_after_about_four_seconds(void)
{
	for (unsigned seed = 1; seed < 50; seed++) {
		struct remember m;
		struct bare b;
		unsigned who;

		begin(&m, &b, seed);
		add(&m, &b, 1, true);
		CU_ASSERT_EQUAL(due(&m, &b), 0);
		CU_ASSERT_TRUE(around(wait_due(&m, &b, &who), 4));
		CU_ASSERT_EQUAL(who, 1);
		CU_ASSERT_TRUE(done(&m, &b));
	}
}

static void each_failure_doubles_the_wait_up_to_a_minute_for_ten_minutes(void)
{
	static const int64_t WAIT[] = { 4, 8, 16, 32, 60, 60 };
	struct remember m;
	struct bare b;
	int64_t lost_ns;
	unsigned who;

	begin(&m, &b, 2);
	add(&m, &b, 1, true);
	lost_ns = b.env.now_ns;
	for (unsigned i = 0; i < 6; i++) {
		CU_ASSERT_TRUE(around(wait_due(&m, &b, &who), WAIT[i]));
		remember_failed(&m, &b.env, peer(1).id);
	}
	while (b.env.now_ns - lost_ns < 600 * NS_PER_S) {
		CU_ASSERT_TRUE(around(wait_due(&m, &b, &who), 60));
		remember_failed(&m, &b.env, peer(1).id);
	}
	CU_ASSERT_TRUE(done(&m, &b));
}

static void later_the_wait_grows_to_ten_minutes_and_stays_there_for_ever(void)
{
	struct remember m;
	struct bare b;
	int64_t last = 0, span;
	unsigned who, tries = 0;

	begin(&m, &b, 3);
	add(&m, &b, 1, true);
	b.env.now_ns += 600 * NS_PER_S;
	CU_ASSERT_EQUAL(due(&m, &b), 1);
	for (unsigned i = 0; i < 20; i++) {
		remember_failed(&m, &b.env, peer(1).id);
		span = wait_due(&m, &b, &who);
		CU_ASSERT_TRUE(span > last || around(span, 600));
		CU_ASSERT_TRUE(around(span, i < 7 ? 8 << i : 600));
		last = span;
	}
	for (int64_t end = b.env.now_ns + 5LL * 365 * 24 * 3600 * NS_PER_S; b.env.now_ns < end; tries++) {
		remember_failed(&m, &b.env, peer(1).id);
		CU_ASSERT_TRUE_FATAL(around(wait_due(&m, &b, &who), 600));
	}
	CU_ASSERT_TRUE(tries > 5 * 365 * 24 * 5);
	CU_ASSERT_TRUE(done(&m, &b));
}

static void one_handed_out_is_not_handed_out_again_while_its_call_may_last(void)
{
	struct remember m;
	struct bare b;
	unsigned who;

	begin(&m, &b, 4);
	add(&m, &b, 1, true);
	wait_due(&m, &b, &who);
	CU_ASSERT_TRUE(around(wait_due(&m, &b, &who), 60));	/* no word of that call: its ceiling */
	CU_ASSERT_EQUAL(who, 1);
	CU_ASSERT_TRUE(done(&m, &b));
}

static void peers_never_lost_are_due_every_half_hour_but_not_while_linked(void)
{
	struct remember m;
	struct bare b;
	unsigned who;

	begin(&m, &b, 5);
	add(&m, &b, 1, false);
	for (unsigned i = 0; i < 5; i++)
		CU_ASSERT_TRUE(around(wait_due(&m, &b, &who), 1800));
	remember_failed(&m, &b.env, peer(1).id);
	CU_ASSERT_TRUE(around(wait_due(&m, &b, &who), 1800));
	remember_met(&m, &b.env, peer(1).id);
	CU_ASSERT_EQUAL(remember_next_ns(&m), INT64_MAX);
	remember_failed(&m, &b.env, peer(1).id);		/* a second call to it, crossing */
	CU_ASSERT_EQUAL(remember_next_ns(&m), INT64_MAX);
	add(&m, &b, 1, false);					/* news of where it is */
	CU_ASSERT_EQUAL(remember_next_ns(&m), INT64_MAX);
	b.env.now_ns += 100000 * NS_PER_S;
	CU_ASSERT_EQUAL(due(&m, &b), 0);
	remember_parted(&m, &b.env, peer(1).id, false);
	CU_ASSERT_TRUE(around(wait_due(&m, &b, &who), 1800));
	CU_ASSERT_TRUE(done(&m, &b));
}

static void a_linked_peer_that_is_lost_is_sought_from_the_start(void)
{
	struct remember m;
	struct bare b;
	unsigned who;

	begin(&m, &b, 6);
	add(&m, &b, 1, true);
	for (unsigned i = 0; i < 10; i++) {
		wait_due(&m, &b, &who);
		remember_failed(&m, &b.env, peer(1).id);
	}
	remember_met(&m, &b.env, peer(1).id);
	CU_ASSERT_EQUAL(due(&m, &b), 0);
	remember_parted(&m, &b.env, peer(1).id, true);
	CU_ASSERT_TRUE(around(wait_due(&m, &b, &who), 4));
	remember_failed(&m, &b.env, peer(1).id);
	CU_ASSERT_TRUE(around(wait_due(&m, &b, &who), 8));
	CU_ASSERT_TRUE(done(&m, &b));
}

static void a_goodbye_ends_the_search(void)
{
	struct remember m;
	struct bare b;

	begin(&m, &b, 7);
	add(&m, &b, 1, true);
	add(&m, &b, 2, true);
	remember_forget(&m, peer(1).id);
	remember_forget(&m, peer(1).id);
	CU_ASSERT_TRUE(!knows(&m, 1) && knows(&m, 2));
	b.env.now_ns += 10 * NS_PER_S;
	CU_ASSERT_EQUAL(due(&m, &b), 2);
	CU_ASSERT_EQUAL(due(&m, &b), 0);
	CU_ASSERT_TRUE(done(&m, &b));
}

static void the_lost_go_first_earliest_due_before_later(void)
{
	struct remember m;
	struct bare b;

	begin(&m, &b, 8);
	add(&m, &b, 1, false);
	add(&m, &b, 2, true);
	b.env.now_ns += 2 * NS_PER_S;
	add(&m, &b, 3, true);
	b.env.now_ns += 3600 * NS_PER_S;
	CU_ASSERT_EQUAL(due(&m, &b), 2);
	CU_ASSERT_EQUAL(due(&m, &b), 3);
	CU_ASSERT_EQUAL(due(&m, &b), 1);
	CU_ASSERT_EQUAL(due(&m, &b), 0);
	CU_ASSERT_TRUE(done(&m, &b));
}

static void all_at_once_means_all_but_the_linked_and_those_not_lost_first(void)
{
	struct remember m;
	struct bare b;
	unsigned who;

	begin(&m, &b, 9);
	for (unsigned n = 1; n <= 5; n++)
		add(&m, &b, n, n == 4);
	remember_met(&m, &b.env, peer(2).id);
	remember_all_due(&m, &b.env);
	CU_ASSERT_EQUAL(due(&m, &b), 5);
	CU_ASSERT_EQUAL(due(&m, &b), 3);
	CU_ASSERT_EQUAL(due(&m, &b), 1);
	CU_ASSERT_EQUAL(due(&m, &b), 4);
	CU_ASSERT_EQUAL(due(&m, &b), 0);
	for (unsigned n = 1; n <= 5; n++)
		remember_failed(&m, &b.env, peer(n).id);
	CU_ASSERT_TRUE(wait_due(&m, &b, &who) <= 9 * NS_PER_S + 200 * NS_PER_MS);	/* as if lost now */
	CU_ASSERT_TRUE(done(&m, &b));
}

static void nodes_that_lost_the_same_peer_together_do_not_call_together(void)
{
	int64_t first = INT64_MAX, last = 0;

	for (unsigned seed = 1; seed <= 40; seed++) {
		struct remember m;
		struct bare b;

		begin(&m, &b, seed);
		add(&m, &b, 1, true);
		first = remember_next_ns(&m) < first ? remember_next_ns(&m) : first;
		last = remember_next_ns(&m) > last ? remember_next_ns(&m) : last;
		CU_ASSERT_TRUE(done(&m, &b));
	}
	CU_ASSERT_TRUE(last - first > NS_PER_S / 2);
}

/* ---- who ---- */

static void what_a_new_card_does_not_say_is_kept(void)
{
	struct remember m;
	struct bare b;
	struct contact c = peer(1), got;

	begin(&m, &b, 1);
	c.ats = 3;
	c.at[1] = (struct endpoint){ .addr = { 0xfd, [15] = 9 }, .port = 7, .kind = ENDPOINT_UDP6 };
	c.at[2] = endpoint_v4(0x0b000003, 5);
	remember_add(&m, &b.env, &c, false);
	remember_add(&m, &b.env, &(struct contact){ .id = c.id, .has_id = true }, true);
	CU_ASSERT_TRUE_FATAL(remember_at(&m, 0, &got));
	CU_ASSERT_TRUE(got.has_id && got.has_key && id_eq(got.id, c.id));
	CU_ASSERT_EQUAL(memcmp(got.key, c.key, sizeof(c.key)), 0);
	CU_ASSERT_EQUAL(got.ats, REMEMBER_AT);
	CU_ASSERT_TRUE(endpoint_eq(&got.at[0], &c.at[0]) && endpoint_eq(&got.at[1], &c.at[1]));

	/* a new endpoint stands first, the last one is forgotten; the same one twice is one */
	c.ats = 2;
	c.at[0] = c.at[1] = endpoint_v4(0x0c000001, 6);
	remember_add(&m, &b.env, &c, false);
	CU_ASSERT_TRUE_FATAL(remember_at(&m, 0, &got));
	CU_ASSERT_TRUE(got.ats == 2 && endpoint_eq(&got.at[0], &c.at[0]) && got.at[1].port == peer(1).at[0].port);
	CU_ASSERT_EQUAL(m.count, 1);
	CU_ASSERT_FALSE(remember_at(&m, 1, &got));
	CU_ASSERT_TRUE(done(&m, &b));
}

static void who_cannot_be_called_is_not_remembered(void)
{
	struct remember m;
	struct bare b;
	struct contact c = peer(1);

	begin(&m, &b, 1);
	c.has_id = false;
	remember_add(&m, &b.env, &c, true);
	c = peer(2);
	c.ats = 0;
	remember_add(&m, &b.env, &c, true);
	c = peer(3);
	c.at[0].port = 0;
	remember_add(&m, &b.env, &c, true);
	CU_ASSERT_EQUAL(m.count, 0);
	CU_ASSERT_EQUAL(remember_next_ns(&m), INT64_MAX);
	remember_met(&m, &b.env, peer(4).id);
	remember_failed(&m, &b.env, peer(4).id);
	remember_parted(&m, &b.env, peer(4).id, true);
	remember_all_due(&m, &b.env);
	CU_ASSERT_EQUAL(due(&m, &b), 0);
	CU_ASSERT_TRUE(done(&m, &b));
}

static void when_full_the_oldest_neither_lost_nor_linked_goes_first(void)
{
	struct remember m;
	struct bare b;

	begin(&m, &b, 1);
	for (unsigned n = 1; n <= REMEMBER_MAX; n++)
		add(&m, &b, n, n == 1);
	remember_met(&m, &b.env, peer(2).id);
	add(&m, &b, 3, false);			/* heard of again: young */
	add(&m, &b, 100, false);
	CU_ASSERT_TRUE(knows(&m, 1) && knows(&m, 2) && knows(&m, 3) && !knows(&m, 4) && knows(&m, 100));
	CU_ASSERT_EQUAL(m.count, REMEMBER_MAX);
	for (unsigned n = 5; n <= REMEMBER_MAX; n++)
		remember_met(&m, &b.env, peer(n).id);
	add(&m, &b, 101, false);
	add(&m, &b, 102, false);
	CU_ASSERT_TRUE(!knows(&m, 3) && !knows(&m, 100) && knows(&m, 2));
	remember_met(&m, &b.env, peer(101).id);
	remember_met(&m, &b.env, peer(102).id);
	add(&m, &b, 103, false);
	CU_ASSERT_TRUE(knows(&m, 1) && !knows(&m, 2) && knows(&m, 5) && knows(&m, 103));
	CU_ASSERT_TRUE(done(&m, &b));
}

static void the_dead_do_not_crowd_out_the_living(void)
{
	struct remember m;
	struct bare b;

	begin(&m, &b, 1);
	for (unsigned n = 1; n <= REMEMBER_MAX; n++)
		add(&m, &b, n, false);
	for (unsigned n = 100; n < 400; n++) {
		add(&m, &b, n, false);
		remember_met(&m, &b.env, peer(n).id);
		remember_parted(&m, &b.env, peer(n).id, true);
		CU_ASSERT_TRUE(lost_of(&m, 100, 399) <= REMEMBER_LOST);
		CU_ASSERT_TRUE(knows(&m, n));		/* the one lost last is kept in any case */
	}
	CU_ASSERT_EQUAL(lost_of(&m, 100, 399), REMEMBER_LOST);
	CU_ASSERT_EQUAL(lost_of(&m, 1, REMEMBER_MAX), REMEMBER_MAX - REMEMBER_LOST - 1);
	CU_ASSERT_TRUE(done(&m, &b));
}

static void of_many_lost_some_of_the_first_are_kept_somewhere(void)
{
	unsigned kept = 0;

	for (unsigned seed = 1; seed <= 200; seed++) {
		struct remember m;
		struct bare b;

		begin(&m, &b, seed);
		for (unsigned n = 1; n <= REMEMBER_LOST; n++)
			add(&m, &b, n, true);	/* the other side of a partition ... */
		for (unsigned n = 100; n < 130; n++)
			add(&m, &b, n, true);	/* ... and those that died on ours since */
		kept += lost_of(&m, 1, REMEMBER_LOST);
		CU_ASSERT_TRUE(done(&m, &b));
	}
	CU_ASSERT_TRUE(kept > 50);	/* 12 (11 / 12)^30 a node are 0.9 */
	CU_ASSERT_TRUE(kept < 400);
}

static void memory_grows_on_need_and_the_quota_only_costs_newcomers(void)
{
	struct remember m;
	struct bare b;

	begin(&m, &b, 1);
	CU_ASSERT_EQUAL(remember_bytes(&m), 0);
	add(&m, &b, 1, false);
	CU_ASSERT_EQUAL(remember_bytes(&m), b.env.mem.used);
	CU_ASSERT_TRUE(b.env.mem.used <= 4 * 96);
	b.env.mem.quota = b.env.mem.used;
	for (unsigned n = 2; n < 10; n++)
		add(&m, &b, n, true);
	CU_ASSERT_EQUAL(m.count, 4);
	CU_ASSERT_TRUE(knows(&m, 1) && knows(&m, 4) && !knows(&m, 5));
	b.env.mem.quota = 1 << 20;
	for (unsigned n = 10; n < 100; n++)
		add(&m, &b, n, false);
	CU_ASSERT_EQUAL(remember_bytes(&m), REMEMBER_MAX * 96);
	CU_ASSERT_EQUAL(remember_bytes(&m), b.env.mem.used);
	CU_ASSERT_TRUE(done(&m, &b));
}

/* ---- stable storage ---- */

static struct bytes written(const struct remember *m, uint8_t buf[REMEMBER_BYTES])
{
	struct writer w = writer_of(buf, REMEMBER_BYTES);

	remember_write(m, &w);
	CU_ASSERT_FALSE(w.bad);
	return (struct bytes){ buf, writer_len(&w) };
}

static void what_was_written_is_read_back_and_due_at_once(void)
{
	struct remember m, back;
	struct bare b, c;
	uint8_t buf[REMEMBER_BYTES], again[REMEMBER_BYTES];
	struct bytes blob;
	struct contact x, y;
	unsigned who;

	begin(&m, &b, 1);
	for (unsigned n = 1; n <= 9; n++)
		add(&m, &b, n, n == 9);
	remember_met(&m, &b.env, peer(2).id);
	blob = written(&m, buf);
	begin(&back, &c, 2);
	CU_ASSERT_EQUAL(remember_read(&back, &c.env, blob), DROP_NONE);
	CU_ASSERT_EQUAL(back.count, 9);
	for (unsigned i = 0; i < 9; i++)
		CU_ASSERT_TRUE(remember_at(&m, i, &x) && remember_at(&back, i, &y) && !memcmp(&x, &y, sizeof(x)));
	CU_ASSERT_EQUAL(written(&back, again).len, blob.len);
	CU_ASSERT_EQUAL(memcmp(again, buf, blob.len), 0);
	CU_ASSERT_EQUAL(due(&back, &c), 2);	/* linked last, when we went down */
	for (unsigned i = 0; i < 7; i++)
		CU_ASSERT_NOT_EQUAL(due(&back, &c), 9);
	CU_ASSERT_EQUAL(due(&back, &c), 9);
	CU_ASSERT_EQUAL(due(&back, &c), 0);
	for (unsigned n = 1; n <= 9; n++)
		remember_failed(&back, &c.env, peer(n).id);
	for (unsigned i = 0; i < 9; i++)	/* all are sought until one is met */
		CU_ASSERT_TRUE(wait_due(&back, &c, &who) <= 9 * NS_PER_S + 200 * NS_PER_MS);
	CU_ASSERT_TRUE(done(&m, &b));
	CU_ASSERT_TRUE(done(&back, &c));
}

static void the_largest_memory_fits_the_promised_room(void)
{
	struct remember m;
	struct bare b;
	uint8_t buf[REMEMBER_BYTES];
	struct writer w;

	begin(&m, &b, 1);
	CU_ASSERT_EQUAL(written(&m, buf).len, 2);
	for (unsigned n = 1; n <= REMEMBER_MAX; n++) {
		struct contact c = peer(n);

		c.ats = 2;
		for (unsigned i = 0; i < 2; i++)
			c.at[i] = (struct endpoint){ .addr = { 0xfd, [15] = (uint8_t)i }, .port = 7, .kind = ENDPOINT_UDP6 };
		remember_add(&m, &b.env, &c, false);
	}
	CU_ASSERT_EQUAL(written(&m, buf).len, REMEMBER_BYTES);
	w = writer_of(buf, REMEMBER_BYTES - 1);
	remember_write(&m, &w);
	CU_ASSERT_TRUE(w.bad);
	CU_ASSERT_TRUE(done(&m, &b));
}

static void a_memory_cut_anywhere_or_too_long_is_refused_and_nothing_taken(void)
{
	struct remember m, back;
	struct bare b, c;
	uint8_t buf[REMEMBER_BYTES + 1] = { 0 };
	struct bytes blob;

	begin(&m, &b, 1);
	for (unsigned n = 1; n <= 5; n++)
		add(&m, &b, n, n == 2);
	blob = written(&m, buf);
	begin(&back, &c, 2);
	for (size_t len = 0; len < blob.len; len++)
		CU_ASSERT_EQUAL(remember_read(&back, &c.env, (struct bytes){ buf, len }), DROP_SHORT);
	CU_ASSERT_EQUAL(remember_read(&back, &c.env, (struct bytes){ NULL, 0 }), DROP_SHORT);
	CU_ASSERT_EQUAL(remember_read(&back, &c.env, (struct bytes){ buf, blob.len + 1 }), DROP_TRAILING);
	CU_ASSERT_EQUAL(back.count, 0);
	CU_ASSERT_EQUAL(remember_bytes(&back), 0);
	CU_ASSERT_TRUE(done(&m, &b));
	CU_ASSERT_TRUE(done(&back, &c));
}

static enum drop read_patched(const struct bytes blob, size_t at, uint8_t value)
{
	struct remember back;
	struct bare c;
	uint8_t buf[REMEMBER_BYTES];
	enum drop why;

	begin(&back, &c, 3);
	memcpy(buf, blob.at, blob.len);
	buf[at] = value;
	why = remember_read(&back, &c.env, (struct bytes){ buf, blob.len });
	CU_ASSERT_TRUE(why == DROP_NONE || (!back.count && !c.env.mem.used));
	CU_ASSERT_TRUE(done(&back, &c));
	return why;
}

static void a_damaged_memory_is_refused_with_its_reason(void)
{
	enum { FLAGS = 2, CONTACT = 3, KIND = 4 + 16 + 32 + 1, ENTRY = 1 + 1 + 16 + 32 + 1 + 7 };
	struct remember m;
	struct bare b;
	uint8_t buf[REMEMBER_BYTES];
	struct bytes blob;

	begin(&m, &b, 1);
	add(&m, &b, 1, false);
	add(&m, &b, 2, false);
	blob = written(&m, buf);
	CU_ASSERT_EQUAL_FATAL(blob.len, 2 + 2 * ENTRY);
	CU_ASSERT_EQUAL(read_patched(blob, 0, 1), DROP_NONE);
	CU_ASSERT_EQUAL(read_patched(blob, 0, 0), DROP_VERSION);	/* there was none before 1 */
	CU_ASSERT_EQUAL(read_patched(blob, 0, 2), DROP_VERSION);
	CU_ASSERT_EQUAL(read_patched(blob, 1, 1), DROP_TRAILING);
	CU_ASSERT_EQUAL(read_patched(blob, 1, 3), DROP_SHORT);
	CU_ASSERT_EQUAL(read_patched(blob, 1, REMEMBER_MAX + 1), DROP_RANGE);
	CU_ASSERT_EQUAL(read_patched(blob, 1, 0), DROP_TRAILING);
	CU_ASSERT_EQUAL(read_patched(blob, FLAGS, 1), DROP_NONE);
	CU_ASSERT_EQUAL(read_patched(blob, FLAGS, 2), DROP_VALUE);
	CU_ASSERT_NOT_EQUAL(read_patched(blob, CONTACT, 2), DROP_NONE);	/* no id */
	CU_ASSERT_EQUAL(read_patched(blob, KIND, ENDPOINT_STREAM), DROP_SHORT);
	buf[ENTRY] = 0;			/* both halves of a port: nobody can be called there */
	CU_ASSERT_EQUAL(read_patched(blob, ENTRY + 1, 0), DROP_VALUE);
	CU_ASSERT_TRUE(done(&m, &b));
}

static void a_memory_that_names_one_twice_is_refused(void)
{
	struct remember m;
	struct bare b;
	uint8_t buf[REMEMBER_BYTES];
	struct bytes blob;
	size_t entry;

	begin(&m, &b, 1);
	add(&m, &b, 1, false);
	add(&m, &b, 2, false);
	blob = written(&m, buf);
	entry = (blob.len - 2) / 2;
	memcpy(buf + 2 + entry, buf + 2, entry);
	remember_forget(&m, peer(2).id);
	CU_ASSERT_EQUAL(remember_read(&m, &b.env, blob), DROP_VALUE);
	CU_ASSERT_EQUAL(m.count, 1);
	CU_ASSERT_TRUE(done(&m, &b));
}

static void reading_without_memory_takes_nothing(void)
{
	struct remember m, back;
	struct bare b, c;
	uint8_t buf[REMEMBER_BYTES];
	struct bytes blob;

	begin(&m, &b, 1);
	for (unsigned n = 1; n <= 9; n++)
		add(&m, &b, n, false);
	blob = written(&m, buf);
	begin(&back, &c, 1);
	c.env.mem.quota = 8 * 96;
	CU_ASSERT_EQUAL(remember_read(&back, &c.env, blob), DROP_MEMORY);
	CU_ASSERT_EQUAL(back.count, 0);
	CU_ASSERT_TRUE(done(&m, &b));
	CU_ASSERT_TRUE(done(&back, &c));
}

static void what_is_here_is_not_read_over(void)
{
	struct remember m, back;
	struct bare b, c;
	uint8_t buf[REMEMBER_BYTES];
	struct bytes blob;

	begin(&m, &b, 1);
	for (unsigned n = 1; n <= REMEMBER_MAX; n++)
		add(&m, &b, n, n <= 8);
	blob = written(&m, buf);
	begin(&back, &c, 1);
	add(&back, &c, 1, false);
	remember_met(&back, &c.env, peer(1).id);
	for (unsigned n = 100; n < 110; n++)
		add(&back, &c, n, true);
	CU_ASSERT_EQUAL(remember_read(&back, &c.env, blob), DROP_NONE);
	CU_ASSERT_EQUAL(back.count, REMEMBER_MAX);
	CU_ASSERT_TRUE(lost_of(&back, 2, 8) + lost_of(&back, 100, 109) <= REMEMBER_LOST);
	for (unsigned i = 0; i < REMEMBER_MAX; i++)
		CU_ASSERT_NOT_EQUAL(due(&back, &c), 1);		/* linked */
	CU_ASSERT_TRUE(done(&m, &b));
	CU_ASSERT_TRUE(done(&back, &c));
}

CU_TestInfo remember_tests[] = {
	{ "a lost peer is due after about four seconds", a_lost_peer_is_due_after_about_four_seconds },
	{ "each failure doubles the wait, up to a minute for ten minutes",
	  each_failure_doubles_the_wait_up_to_a_minute_for_ten_minutes },
	{ "later the wait grows to ten minutes and stays there for ever",
	  later_the_wait_grows_to_ten_minutes_and_stays_there_for_ever },
	{ "one handed out is not handed out again while its call may last",
	  one_handed_out_is_not_handed_out_again_while_its_call_may_last },
	{ "peers never lost are due every half hour, but not while linked",
	  peers_never_lost_are_due_every_half_hour_but_not_while_linked },
	{ "a linked peer that is lost is sought from the start",
	  a_linked_peer_that_is_lost_is_sought_from_the_start },
	{ "a goodbye ends the search", a_goodbye_ends_the_search },
	{ "the lost go first, earliest due before later", the_lost_go_first_earliest_due_before_later },
	{ "all at once means all but the linked, and those not lost first",
	  all_at_once_means_all_but_the_linked_and_those_not_lost_first },
	{ "nodes that lost the same peer together do not call together",
	  nodes_that_lost_the_same_peer_together_do_not_call_together },
	{ "what a new card does not say is kept", what_a_new_card_does_not_say_is_kept },
	{ "who cannot be called is not remembered", who_cannot_be_called_is_not_remembered },
	{ "when full, the oldest neither lost nor linked goes first",
	  when_full_the_oldest_neither_lost_nor_linked_goes_first },
	{ "the dead do not crowd out the living", the_dead_do_not_crowd_out_the_living },
	{ "of many lost, some of the first are kept somewhere",
	  of_many_lost_some_of_the_first_are_kept_somewhere },
	{ "memory grows on need, and the quota only costs newcomers",
	  memory_grows_on_need_and_the_quota_only_costs_newcomers },
	{ "what was written is read back and due at once", what_was_written_is_read_back_and_due_at_once },
	{ "the largest memory fits the promised room", the_largest_memory_fits_the_promised_room },
	{ "a memory cut anywhere or too long is refused, and nothing taken",
	  a_memory_cut_anywhere_or_too_long_is_refused_and_nothing_taken },
	{ "a damaged memory is refused with its reason", a_damaged_memory_is_refused_with_its_reason },
	{ "a memory that names one twice is refused", a_memory_that_names_one_twice_is_refused },
	{ "reading without memory takes nothing", reading_without_memory_takes_nothing },
	{ "what is here is not read over", what_is_here_is_not_read_over },
	CU_TEST_INFO_NULL
};
