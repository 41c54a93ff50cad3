/*
 * The journal of what core asked to keep: what was said to be durable comes back,
 * in order and whole, after a torn tail, a kill, a full disk; damage is not believed.
 */
#include "node/saves.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/keep.h"
#include "tests/unit/own_dir.h"
#include "tests/unit/suites.h"

/* struct desk - a journal in a folder of its own */
struct desk {
	char *dir, *path;
	struct saves saves;
	struct fail warn;
};

static void desk_make(struct desk *d)
{
	*d = (struct desk){ .dir = own_dir() };
	d->path = keep_path(d->dir, "saved");
	saves_open(&d->saves, d->path, &d->warn);
}

static void desk_again(struct desk *d)
{
	saves_close(&d->saves);
	saves_open(&d->saves, d->path, &d->warn);
}

static void desk_done(struct desk *d)
{
	saves_close(&d->saves);
	fail_done(&d->warn);
	free(d->path);
	own_dir_remove(d->dir);
}

/* The save with token @number: part @part becomes text that says it. */
static void put(struct saves *s, uint64_t part, uint64_t number)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "%llu says %0*llu", (unsigned long long)part, (int)(part % 7 + 1),
			   (unsigned long long)number);

	saves_put(s, &(struct save){ .part = part, .data = (uint8_t *)text, .len = (uint32_t)len, .kind = SAVE_SLOT,
				     .token = number });
}

static bool told(struct saves *s, uint64_t token)
{
	uint64_t got;

	return saves_durable(s, &got) && got == token;
}

/* The number in what @part says; 0 if there is no such part. */
static uint64_t says(const struct saves *s, uint64_t part)
{
	for (size_t i = 0; i < s->items; i++)
		if (s->item[i].part == part && s->item[i].kind == SAVE_SLOT) {
			char text[64] = "";
			unsigned long long p = 0, n = 0;

			memcpy(text, s->item[i].data, s->item[i].len);
			CU_ASSERT_EQUAL(sscanf(text, "%llu says %llu", &p, &n), 2);
			CU_ASSERT_EQUAL(p, part);
			return n;
		}
	return 0;
}

static struct bytes slurp(const char *path)
{
	gchar *data = NULL;
	gsize len = 0;

	CU_ASSERT_TRUE_FATAL(g_file_get_contents(path, &data, &len, NULL));
	return (struct bytes){ (uint8_t *)data, len };
}

static void spill(const char *path, struct bytes b)
{
	CU_ASSERT_TRUE_FATAL(g_file_set_contents(path, (const char *)b.at, (gssize)b.len, NULL));
}

static void what_is_told_comes_back(void)
{
	struct desk d;

	desk_make(&d);
	for (uint64_t i = 1; i <= 100; i++) {
		put(&d.saves, i % 10, i);
		CU_ASSERT_TRUE(told(&d.saves, i));
	}
	saves_put(&d.saves, &(struct save){ .part = 4, .kind = SAVE_SLOT, .token = 101 });
	CU_ASSERT_TRUE(told(&d.saves, 101));
	CU_ASSERT_FALSE(told(&d.saves, 101));		/* once is enough */
	desk_again(&d);
	CU_ASSERT(d.saves.items == 9 && !says(&d.saves, 4) && !d.warn.count);
	for (uint64_t part = 0; part < 10; part++)
		if (part != 4)
			CU_ASSERT_EQUAL(says(&d.saves, part), part ? 90 + part : 100);
	desk_done(&d);
}

static void nobody_is_told_before(void)
{
	struct desk d;
	uint64_t token;

	desk_make(&d);
	put(&d.saves, 1, 1);
	desk_again(&d);
	CU_ASSERT_EQUAL(d.saves.items, 0);
	CU_ASSERT_FALSE(saves_durable(&d.saves, &token));
	CU_ASSERT_EQUAL(own_dir_entries(d.dir), 0);	/* reading alone makes no file */
	desk_done(&d);
}

/* A journal of @batches batches after the first; the state after batch b is part b%5 saying b+1. */
static struct bytes journal_of(struct desk *d, unsigned batches)
{
	desk_make(d);
	for (uint64_t i = 0; i <= batches; i++) {
		put(&d->saves, i % 5, i + 1);
		CU_ASSERT_TRUE_FATAL(told(&d->saves, i + 1));
	}
	return slurp(d->path);
}

/* How many of its saves are there, if they are the first so many; -1 if they are anything else. */
static int first_saves(const struct saves *s)
{
	uint64_t last = 0;

	for (uint64_t part = 0; part < 5; part++)
		if (says(s, part) > last)
			last = says(s, part);
	for (uint64_t part = 0; part < 5; part++) {
		uint64_t want = 0;

		for (uint64_t i = 0; i < last; i++)
			if (i % 5 == part)
				want = i + 1;
		if (says(s, part) != want)
			return -1;
	}
	return (int)last;
}

static void a_torn_tail_is_cut_off_wherever_it_tore(void)
{
	struct desk d;
	struct bytes all = journal_of(&d, 6);
	int before = 0;

	for (size_t len = 0; len <= all.len; len++) {
		int got;

		saves_close(&d.saves);
		spill(d.path, (struct bytes){ all.at, len });
		saves_open(&d.saves, d.path, &d.warn);
		got = first_saves(&d.saves);
		CU_ASSERT(got >= before && got <= before + 1);
		CU_ASSERT_EQUAL(d.warn.count > 0, !got);	/* the first batch came whole or not at all */
		fail_done(&d.warn);
		before = got;
	}
	CU_ASSERT_EQUAL(before, 7);
	g_free((void *)all.at);
	desk_done(&d);
}

static void zeros_and_leftovers_at_the_end_are_no_batch(void)
{
	struct desk d;
	struct bytes all = journal_of(&d, 6);
	uint8_t more[8192] = { 0 };

	memcpy(more, all.at, all.len);
	for (unsigned way = 0; way < 3; way++) {
		saves_close(&d.saves);
		for (size_t i = all.len; i < sizeof(more); i++)
			more[i] = (uint8_t)(way == 1 ? i * 7 : way == 2 ? 0xff : 0);
		spill(d.path, (struct bytes){ more, sizeof(more) });
		saves_open(&d.saves, d.path, &d.warn);
		CU_ASSERT_EQUAL(first_saves(&d.saves), 7);
		put(&d.saves, 77, 8);				/* and writing goes on after the last that is whole */
		CU_ASSERT_TRUE(told(&d.saves, 8));
		desk_again(&d);
		CU_ASSERT(says(&d.saves, 77) == 8 && !d.warn.count);
	}
	g_free((void *)all.at);
	desk_done(&d);
}

static void a_changed_byte_is_seen_wherever_it_is(void)
{
	struct desk d;
	struct bytes all = journal_of(&d, 6);
	uint8_t *bytes = (uint8_t *)all.at;
	unsigned damaged = 0, torn = 0;

	for (size_t at = 0; at < all.len; at++) {
		bytes[at] ^= 0x10;
		saves_close(&d.saves);
		spill(d.path, all);
		saves_open(&d.saves, d.path, &d.warn);
		if (d.warn.count) {
			CU_ASSERT_EQUAL(d.saves.items, 0);
			damaged++;
		} else {
			CU_ASSERT_EQUAL(first_saves(&d.saves), 6);	/* of the last batch nobody may have been told */
			torn++;
		}
		fail_done(&d.warn);
		bytes[at] ^= 0x10;
	}
	CU_ASSERT(damaged > 5 * torn && torn > 40);
	g_free((void *)all.at);
	desk_done(&d);
}

static void the_file_does_not_grow_without_end(void)
{
	struct desk d;
	uint64_t most = 0, renewed = 0;

	desk_make(&d);
	for (uint64_t i = 1; i <= 20000; i++) {
		uint64_t before = d.saves.scribe.size;

		put(&d.saves, i % 1000, i);
		if (i % 8)
			continue;			/* eight saves of a step are one batch */
		CU_ASSERT_TRUE(told(&d.saves, i));
		if (d.saves.scribe.size > most)
			most = d.saves.scribe.size;
		renewed += d.saves.scribe.size < before;
	}
	CU_ASSERT(renewed >= 4 && most < (160 << 10) && most > 64 << 10);
	desk_again(&d);
	CU_ASSERT(d.saves.items == 1000 && says(&d.saves, 0) == 20000 && says(&d.saves, 1) == 19001);
	CU_ASSERT_EQUAL(own_dir_entries(d.dir), 1);
	desk_done(&d);
}

/* The file system takes files of @bytes at most, like a disk with no more room. */
static void disk_of(rlim_t bytes)
{
	struct rlimit r;

	getrlimit(RLIMIT_FSIZE, &r);
	r.rlim_cur = bytes;
	setrlimit(RLIMIT_FSIZE, &r);
	signal(SIGXFSZ, bytes == RLIM_INFINITY ? SIG_DFL : SIG_IGN);
}

static void a_full_disk_delays_and_loses_nothing(void)
{
	struct desk d, seen;
	struct bytes full;
	uint64_t token;

	desk_make(&d);
	put(&d.saves, 1, 1);
	CU_ASSERT_TRUE(told(&d.saves, 1));
	disk_of(d.saves.scribe.size + 30);		/* half a batch */
	for (uint64_t i = 2; i <= 5; i++) {
		put(&d.saves, i, i);
		CU_ASSERT_FALSE(saves_durable(&d.saves, &token));
	}
	CU_ASSERT(d.saves.failures >= 4 && d.saves.err == EFBIG && saves_finish(&d.saves) == EFBIG);
	full = slurp(d.path);
	CU_ASSERT_EQUAL(full.len, d.saves.scribe.size);	/* the half that was written is cut off again */
	desk_make(&seen);
	saves_close(&seen.saves);
	disk_of(RLIM_INFINITY);
	spill(seen.path, full);
	saves_open(&seen.saves, seen.path, &seen.warn);
	CU_ASSERT(says(&seen.saves, 1) == 1 && seen.saves.items == 1);
	desk_done(&seen);
	CU_ASSERT_TRUE(told(&d.saves, 5));		/* there is room again: all in one batch */
	desk_again(&d);
	for (uint64_t i = 1; i <= 5; i++)
		CU_ASSERT_EQUAL(says(&d.saves, i), i);
	g_free((void *)full.at);
	desk_done(&d);
}

static void a_disk_too_full_to_renew_the_file_takes_batches_still(void)
{
	struct desk d;
	uint64_t i = 0, failures = 0;
	char *part;

	desk_make(&d);
	part = keep_path(d.dir, "saved.part");
	while (d.saves.scribe.size < 60 << 10) {
		put(&d.saves, i % 100, i + 1);
		i++;
		CU_ASSERT_TRUE(told(&d.saves, i));
	}
	d.saves.compact_at = d.saves.scribe.size;
	chmod(d.dir, 0500);				/* no file can be made; root is asked another way */
	if (!geteuid())
		CU_ASSERT_EQUAL(mkdir(part, 0700), 0);
	for (unsigned n = 0; n < 3; n++) {
		put(&d.saves, i % 100, i + 1);
		i++;
		CU_ASSERT_TRUE(told(&d.saves, i));
	}
	failures = d.saves.failures;
	chmod(d.dir, 0700);
	free(part);
	CU_ASSERT(failures >= 1);
	desk_again(&d);
	CU_ASSERT(d.saves.items == 100 && says(&d.saves, (i - 1) % 100) == i);
	desk_done(&d);
}

static void core_asks_for_more_than_a_full_disk_can_wait_with(void)
{
	static uint8_t big[1000];
	struct desk d;
	uint64_t token;

	desk_make(&d);
	put(&d.saves, 1, 1);
	CU_ASSERT_TRUE(told(&d.saves, 1));
	disk_of(d.saves.scribe.size);
	for (uint64_t i = 2; i <= 5000; i++) {
		big[0] = (uint8_t)i;
		saves_put(&d.saves, &(struct save){ .part = i % 16, .data = big, .len = sizeof(big), .kind = SAVE_LEASE,
						    .token = i });
		if (i % 500 == 0)
			CU_ASSERT_FALSE(saves_durable(&d.saves, &token));
	}
	CU_ASSERT(d.saves.fresh.len + d.saves.given.len < 2 << 20);
	disk_of(RLIM_INFINITY);
	CU_ASSERT_TRUE(told(&d.saves, 5000));
	desk_again(&d);
	CU_ASSERT(d.saves.items == 17 && says(&d.saves, 1) == 1 && d.saves.item[9].data[0] == (uint8_t)5000);
	desk_done(&d);
}

static void a_thread_takes_what_comes_meanwhile_together(void)
{
	struct desk d;
	uint64_t token = 0, rounds = 0;

	desk_make(&d);
	CU_ASSERT_EQUAL_FATAL(saves_start(&d.saves), 0);
	for (uint64_t i = 1; i <= 2000; i++) {
		uint64_t before = token;

		put(&d.saves, i % 50, i);
		if (saves_durable(&d.saves, &token)) {
			CU_ASSERT(token > before && token <= i);
			rounds++;
		}
	}
	CU_ASSERT_EQUAL(saves_finish(&d.saves), 0);
	CU_ASSERT(told(&d.saves, 2000) && rounds < 2000);
	desk_again(&d);
	CU_ASSERT(d.saves.items == 50 && says(&d.saves, 0) == 2000);
	desk_done(&d);
}

static void a_thread_waits_for_room_and_ends_when_told(void)
{
	struct desk d;
	uint64_t token;
	gint64 since;

	desk_make(&d);
	put(&d.saves, 1, 1);
	CU_ASSERT_TRUE(told(&d.saves, 1));
	CU_ASSERT_EQUAL_FATAL(saves_start(&d.saves), 0);
	disk_of(d.saves.scribe.size + 30);
	put(&d.saves, 2, 2);
	CU_ASSERT_FALSE(saves_durable(&d.saves, &token));
	since = g_get_monotonic_time();
	CU_ASSERT_EQUAL(saves_finish(&d.saves), EFBIG);
	CU_ASSERT(g_get_monotonic_time() - since < 900000);
	disk_of(RLIM_INFINITY);
	CU_ASSERT_EQUAL(saves_finish(&d.saves), 0);
	CU_ASSERT_TRUE(told(&d.saves, 2));
	desk_done(&d);
}

/* Until it is killed: saves by the thread, and each token that is told goes down the pipe. */
static void until_killed(struct saves *s, int to)
{
	uint64_t token = 0;

	if (saves_start(s))
		_exit(1);
	for (uint64_t i = 1; ; i++) {
		put(s, i % 5, i);
		if (i % 3 == 0)
			usleep(50);
		if (saves_durable(s, &token) && write(to, &token, sizeof(token)) != sizeof(token))
			_exit(1);
	}
}

static void kill_9_loses_nothing_that_was_told(void)
{
	struct desk d;
	uint64_t base = 0;

	desk_make(&d);
	for (unsigned life = 0; life < 6; life++) {
		uint64_t token = 0, last = 0;
		int ends[2], status;
		pid_t child;

		saves_close(&d.saves);
		unlink(d.path);
		saves_open(&d.saves, d.path, &d.warn);
		CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
		child = fork();
		if (!child) {
			close(ends[0]);
			until_killed(&d.saves, ends[1]);
		}
		close(ends[1]);
		for (unsigned i = 0; i < 20 + 7 * life && read(ends[0], &token, sizeof(token)) == sizeof(token); i++)
			last = token;
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		while (read(ends[0], &token, sizeof(token)) == sizeof(token))
			last = token;
		close(ends[0]);
		desk_again(&d);
		CU_ASSERT(last && !d.warn.count);
		base = 0;
		for (uint64_t part = 0; part < 5; part++) {
			uint64_t n = says(&d.saves, part);

			CU_ASSERT(n % 5 == part && n + 5 > last);	/* the last at most five told, or a later one */
			base = n > base ? n : base;
		}
		for (uint64_t part = 0; part < 5; part++)
			CU_ASSERT(says(&d.saves, part) + 5 > base);	/* the first so many saves, none left out */
	}
	desk_done(&d);
}

static void what_is_no_journal_is_said_and_done_without(void)
{
	static const char *const FILES[] = { "", "weft saved 1\nAAAA\n= 0123456789abcdef\n", "weft saved 2\nsalt" };
	struct desk d;

	desk_make(&d);
	for (unsigned i = 0; i < 3; i++) {
		spill(d.path, (struct bytes){ (const uint8_t *)FILES[i], strlen(FILES[i]) });
		desk_again(&d);
		CU_ASSERT(d.warn.count == 1 && !d.saves.items);
		fail_done(&d.warn);
	}
	put(&d.saves, 1, 1);
	CU_ASSERT_TRUE(told(&d.saves, 1));
	desk_again(&d);
	CU_ASSERT(says(&d.saves, 1) == 1 && !d.warn.count);
	unlink(d.path);
	CU_ASSERT_EQUAL(symlink("/dev/zero", d.path), 0);
	desk_again(&d);
	CU_ASSERT(d.warn.count == 1 && !d.saves.items);
	desk_done(&d);
}

CU_TestInfo saves_tests[] = {
	{ "what was told to be durable comes back, forgotten things do not", what_is_told_comes_back },
	{ "nobody is told before, and reading makes no file", nobody_is_told_before },
	{ "a torn tail is cut off, wherever it tore", a_torn_tail_is_cut_off_wherever_it_tore },
	{ "zeros and leftovers at the end are no batch", zeros_and_leftovers_at_the_end_are_no_batch },
	{ "a changed byte is seen, wherever it is", a_changed_byte_is_seen_wherever_it_is },
	{ "the file does not grow without end", the_file_does_not_grow_without_end },
	{ "a full disk delays, and loses nothing", a_full_disk_delays_and_loses_nothing },
	{ "a disk too full to renew the file takes batches still", a_disk_too_full_to_renew_the_file_takes_batches_still },
	{ "of more than a full disk can wait with, the last of each", core_asks_for_more_than_a_full_disk_can_wait_with },
	{ "a thread writes together what comes meanwhile", a_thread_takes_what_comes_meanwhile_together },
	{ "a thread waits for room, and ends when told", a_thread_waits_for_room_and_ends_when_told },
	{ "kill -9 loses nothing that was told", kill_9_loses_nothing_that_was_told },
	{ "what is no journal is said, and done without", what_is_no_journal_is_said_and_done_without },
	CU_TEST_INFO_NULL
};
