/*
 * A node's private directory: runs are counted, how the last one ended is known,
 * one daemon at a time, and damage stops the node or costs what it must.
 */
#include "node/home.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/keep.h"
#include "tests/unit/own_dir.h"
#include "tests/unit/suites.h"

enum { UTC = 1700000000 };

/* struct place - a state directory with a key and a card, in a folder of the test's own */
struct place {
	char *dir, *state;
	struct home home;
	struct fail f, warn;
};

static char *file(const struct place *p, const char *name)
{
	return keep_path(p->state, name);
}

static void place_make(struct place *p)
{
	uint8_t seed[KEY_BYTES] = { 1 }, overlay[KEY_BYTES] = { 2 }, chain[165] = { 3 };
	char *card;

	*p = (struct place){ .dir = own_dir() };
	p->state = keep_path(p->dir, "state");
	CU_ASSERT_TRUE_FATAL(home_make(p->state, seed, &p->f));
	card = file(p, "card");
	CU_ASSERT_TRUE_FATAL(card_write(card, overlay, (struct bytes){ chain, sizeof(chain) }, &p->f));
	free(card);
}

static bool place_open(struct place *p)
{
	bool good = home_open(&p->home, p->state, &p->f, &p->warn);

	if (!good)
		home_close(&p->home);
	return good;
}

static void place_done(struct place *p)
{
	fail_done(&p->f);
	fail_done(&p->warn);
	free(p->state);
	own_dir_remove(p->dir);
}

/* A byte in the middle of file @name becomes another. */
static void damage(const struct place *p, const char *name)
{
	char *path = file(p, name);
	FILE *f = fopen(path, "r+");
	long middle;
	int was;

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fseek(f, 0, SEEK_END);
	middle = ftell(f) / 2;
	fseek(f, middle, SEEK_SET);
	was = fgetc(f);
	fseek(f, middle, SEEK_SET);
	fputc(was ^ 1, f);
	fclose(f);
	free(path);
}

/* What cannot be opened, with a message that holds both texts. */
static void refused(struct place *p, const char *one, const char *other)
{
	CU_ASSERT_FALSE(place_open(p));
	CU_ASSERT_EQUAL_FATAL(p->f.count, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(p->f.text[0], one));
	CU_ASSERT_PTR_NOT_NULL(strstr(p->f.text[0], other));
	if (!strstr(p->f.text[0], one) || !strstr(p->f.text[0], other))
		printf("\n    it says: %s\n", p->f.text[0]);
	fail_done(&p->f);
}

static void key_and_card_are_read(void)
{
	struct place p;

	place_make(&p);
	CU_ASSERT_TRUE_FATAL(place_open(&p));
	CU_ASSERT(p.home.seed[0] == 1 && p.home.overlay[0] == 2 && p.home.chain[0] == 3 && p.home.chain_len == 165);
	CU_ASSERT(p.home.last == RUN_UNKNOWN && !p.home.saves.items && !p.warn.count);
	home_close(&p.home);
	place_done(&p);
}

static void each_run_counts_one_more(void)
{
	struct place p;
	uint64_t last = 0;

	place_make(&p);
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_TRUE_FATAL(place_open(&p));
		CU_ASSERT_TRUE(home_begin(&p.home, 4000, 0, UTC, &p.f));
		CU_ASSERT_EQUAL(p.home.incarnation, last ? last + 1 : UTC);
		last = p.home.incarnation;
		home_close(&p.home);
	}
	place_done(&p);
}

static void how_the_last_run_ended_is_known(void)
{
	struct place p;

	place_make(&p);
	CU_ASSERT_TRUE_FATAL(place_open(&p) && home_begin(&p.home, 4000, 6000, UTC, &p.f));
	home_close(&p.home);			/* kill -9 */
	CU_ASSERT_TRUE_FATAL(place_open(&p));
	CU_ASSERT(p.home.last == RUN_SAME_BOOT && p.home.port4 == 4000 && p.home.port6 == 6000);
	CU_ASSERT_TRUE(home_begin(&p.home, 1, 2, UTC, &p.f) && home_end(&p.home, &p.f));
	home_close(&p.home);
	CU_ASSERT_TRUE_FATAL(place_open(&p));
	CU_ASSERT_EQUAL(p.home.last, RUN_CLEAN);
	memset(p.home.boot, '0', 8);		/* as if this boot were another one */
	CU_ASSERT_TRUE(home_begin(&p.home, 1, 2, UTC, &p.f));
	home_close(&p.home);
	CU_ASSERT_TRUE_FATAL(place_open(&p));
	CU_ASSERT_EQUAL(p.home.last, RUN_UNKNOWN);
	home_close(&p.home);
	place_done(&p);
}

static bool save(struct home *h, uint8_t kind, uint64_t part, const char *text)
{
	struct save s = { .kind = kind, .part = part, .data = (const uint8_t *)text, .len = (uint32_t)strlen(text),
			  .token = h->saves.last + 1 };

	saves_put(&h->saves, &s);
	return !saves_finish(&h->saves);
}

static void saves_come_back_in_order_the_last_of_each_and_forgotten_ones_do_not(void)
{
	struct place p;

	place_make(&p);
	CU_ASSERT_TRUE_FATAL(place_open(&p) && save(&p.home, SAVE_SLOT, 9, "older") &&
			     save(&p.home, SAVE_SLOT, 9, "nine") && save(&p.home, SAVE_SLOT, 3, "three") &&
			     save(&p.home, SAVE_LEASE, 1, "lease") && save(&p.home, SAVE_LEASE, 1, "") &&
			     save(&p.home, SAVE_PEERS, 0, "anybody"));
	home_close(&p.home);
	CU_ASSERT_TRUE_FATAL(place_open(&p) && p.home.saves.items == 3);
	CU_ASSERT(p.home.saves.item[0].kind == SAVE_PEERS && !memcmp(p.home.saves.item[0].data, "anybody", 7));
	CU_ASSERT(p.home.saves.item[1].part == 3 && p.home.saves.item[2].part == 9 && !memcmp(p.home.saves.item[2].data, "nine", 4));
	home_close(&p.home);
	place_done(&p);
}

static void damaged_saves_and_runs_are_warned_of(void)
{
	struct place p;

	place_make(&p);
	CU_ASSERT_TRUE_FATAL(place_open(&p) && save(&p.home, SAVE_PEERS, 0, "anybody") &&
			     home_begin(&p.home, 1, 1, UTC, &p.f));
	home_close(&p.home);
	damage(&p, "saved");
	damage(&p, "run");
	CU_ASSERT_TRUE_FATAL(place_open(&p));
	CU_ASSERT(!p.home.saves.items && p.warn.count == 2 && p.home.last == RUN_UNKNOWN && !p.home.port4);
	CU_ASSERT_TRUE(home_begin(&p.home, 1, 1, UTC + 9, &p.f));
	CU_ASSERT_EQUAL(p.home.incarnation, UTC + 9);	/* the wall clock is larger than any count */
	home_close(&p.home);
	place_done(&p);
}

static void damaged_keys_and_cards_stop_the_node(void)
{
	struct place p;

	place_make(&p);
	damage(&p, "card");
	refused(&p, "state/card", "damaged");
	damage(&p, "key");
	refused(&p, "state/key", "damaged");
	place_done(&p);
}

static void sizes_that_cannot_be_are_refused(void)
{
	uint8_t big[KEY_BYTES + HOME_CHAIN + 1] = { 0 };
	struct place p;
	char *card, *key;

	place_make(&p);
	card = file(&p, "card");
	key = file(&p, "key");
	keep_write(card, 0600, "card", (struct bytes){ big, KEY_BYTES }, &p.f);
	refused(&p, "state/card", "size");
	keep_write(card, 0600, "card", (struct bytes){ big, sizeof(big) }, &p.f);
	refused(&p, "state/card", "size");
	keep_write(key, 0600, "key", (struct bytes){ big, KEY_BYTES - 1 }, &p.f);
	refused(&p, "state/key", "size");
	free(card);
	free(key);
	place_done(&p);
}

static void what_is_missing_is_said_with_what_makes_it(void)
{
	struct place p;
	char *card, *key, *run;

	place_make(&p);
	card = file(&p, "card");
	key = file(&p, "key");
	run = file(&p, "lock");
	unlink(card);
	refused(&p, "there is no", "net admit");
	unlink(key);
	refused(&p, "there is no", "net add");
	unlink(run);
	rmdir(p.state);
	refused(&p, "No such file", "[node] state");
	free(card);
	free(key);
	free(run);
	place_done(&p);
}

static void one_daemon_at_a_time(void)
{
	struct place p;
	struct home second;
	struct fail f = { 0 };

	place_make(&p);
	CU_ASSERT_TRUE_FATAL(place_open(&p));
	CU_ASSERT_FALSE(home_open(&second, p.state, &f, &f));
	home_close(&second);
	CU_ASSERT(f.count == 1 && strstr(f.text[0], "held by another process"));
	fail_done(&f);
	home_close(&p.home);
	CU_ASSERT_TRUE(place_open(&p));
	home_close(&p.home);
	place_done(&p);
}

static void others_must_stay_out(void)
{
	struct place p;

	place_make(&p);
	chmod(p.state, 0750);
	refused(&p, "other users may enter", "chmod 700");
	place_done(&p);
}

static void a_key_is_never_replaced(void)
{
	uint8_t seed[KEY_BYTES] = { 7 };
	struct place p;

	place_make(&p);
	CU_ASSERT_FALSE(home_make(p.state, seed, &p.f));
	CU_ASSERT(p.f.count == 1 && strstr(p.f.text[0], "there already"));
	fail_done(&p.f);
	CU_ASSERT_TRUE(home_seed(p.state, seed, &p.f));
	CU_ASSERT_EQUAL(seed[0], 1);
	place_done(&p);
}

CU_TestInfo home_tests[] = {
	{ "key and card are read", key_and_card_are_read },
	{ "each run counts one more", each_run_counts_one_more },
	{ "how the last run ended is known", how_the_last_run_ended_is_known },
	{ "saves come back in order, the last of each, and forgotten ones do not",
	  saves_come_back_in_order_the_last_of_each_and_forgotten_ones_do_not },
	{ "damaged saves and runs are warned of, and done without", damaged_saves_and_runs_are_warned_of },
	{ "damaged keys and cards stop the node", damaged_keys_and_cards_stop_the_node },
	{ "sizes that cannot be are refused", sizes_that_cannot_be_are_refused },
	{ "what is missing is said, with what makes it", what_is_missing_is_said_with_what_makes_it },
	{ "one daemon at a time", one_daemon_at_a_time },
	{ "others must stay out", others_must_stay_out },
	{ "a key is never replaced", a_key_is_never_replaced },
	CU_TEST_INFO_NULL
};
