/*
 * What the daemon says: one form of line, the simulator's words, and no flood
 * whatever happens outside.
 */
#include "node/diary.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "tests/unit/suites.h"

/* Standard error between listen_in() and what it said. */
static int kept = -1, file = -1;

static void listen_in(void)
{
	char name[] = "/tmp/weft-diary-XXXXXX";

	file = mkstemp(name);
	CU_ASSERT_TRUE_FATAL(file >= 0);
	unlink(name);
	fflush(stderr);
	kept = dup(STDERR_FILENO);
	dup2(file, STDERR_FILENO);
}

static char *said(void)
{
	off_t len = lseek(file, 0, SEEK_END);
	char *text = calloc(1, (size_t)len + 1);

	CU_ASSERT_EQUAL(pread(file, text, (size_t)len, 0), len);
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(file);
	return text;
}

static unsigned lines(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void the_journal_gets_a_priority_and_no_time(void)
{
	char stream[64], *text;
	struct stat st;

	listen_in();
	CU_ASSERT_EQUAL(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	diary_open();
	diary(LEVEL_WARN, "card", "ends in %d days", 3);
	text = said();
	CU_ASSERT_STRING_EQUAL(text, "<4>card ends in 3 days\n");
	free(text);
	setenv("JOURNAL_STREAM", "1:2", 1);		/* another file */
	diary_open();
	listen_in();
	diary(LEVEL_INFO, "card", "x");
	text = said();
	CU_ASSERT_TRUE(strlen(text) > 30 && *text == '2');
	free(text);
	unsetenv("JOURNAL_STREAM");
	diary_open();
}

static void a_line_has_time_level_word_and_sentence(void)
{
	char *text;

	listen_in();
	diary(LEVEL_INFO, "listen", "UDP %s", "127.0.0.1:1");
	text = said();
	CU_ASSERT_TRUE(g_regex_match_simple("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z info  listen     UDP 127\\.0\\.0\\.1:1\\n$",
					    text, 0, 0));
	free(text);
}

static void lower_levels_are_silent(void)
{
	char *text;

	diary_level(LEVEL_WARN);
	listen_in();
	diary(LEVEL_INFO, "x", "no");
	diary(LEVEL_DEBUG, "x", "no");
	diary(LEVEL_WARN, "x", "yes");
	diary(LEVEL_ERROR, "x", "yes");
	text = said();
	diary_level(LEVEL_INFO);
	CU_ASSERT(lines(text) == 2 && !strstr(text, " no"));
	free(text);
}

static void records_keep_the_simulators_words(void)
{
	char *text, buf[200];

	diary_level(LEVEL_DEBUG);
	for (int k = 0; k <= RECORD_KINDS; k++) {
		struct record r = { .peer = { 1, 2 }, .a = 3, .b = 4, .kind = (uint8_t)k };

		record_sentence(&r, buf, sizeof(buf));
		CU_ASSERT(strlen(buf) < sizeof(buf) && (*buf || k == RECORD_KINDS));
	}
	listen_in();
	diary_record(&(struct record){ .peer = { 1, 2 }, .a = 812, .kind = RECORD_JOINED });
	text = said();
	diary_level(LEVEL_INFO);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "joined     successor 00000000000000010000000000000002, 812 ms after start\n"));
	free(text);
}

static void a_long_line_is_cut_and_stays_one(void)
{
	char *text, *big = calloc(1, 5001);

	memset(big, 'a', 5000);
	listen_in();
	diary(LEVEL_INFO, "x", "%s", big);
	text = said();
	CU_ASSERT(lines(text) == 1 && strlen(text) <= 512 && text[strlen(text) - 1] == '\n');
	free(big);
	free(text);
}

static void a_flood_is_counted_and_told(void)
{
	unsigned long before = diary_left_out();
	char *text, told[40];

	listen_in();
	for (int i = 0; i < 1000; i++)
		diary(LEVEL_INFO, "flood", "%d", i);
	CU_ASSERT(diary_left_out() - before >= 1000 - DIARY_BURST - 20);
	snprintf(told, sizeof(told), "left-out   %lu lines", diary_left_out() - before);
	g_usleep(250000);			/* a line in a tenth of a second is paid for */
	diary(LEVEL_INFO, "flood", "last");
	diary(LEVEL_ERROR, "flood", "errors are always said");
	text = said();
	CU_ASSERT(lines(text) <= DIARY_BURST + 20);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, told));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "errors are always said"));
	free(text);
}

CU_TestInfo diary_tests[] = {
	{ "the journal gets a priority and no time", the_journal_gets_a_priority_and_no_time },
	{ "a line has time, level, word and sentence", a_line_has_time_level_word_and_sentence },
	{ "lower levels are silent", lower_levels_are_silent },
	{ "records keep the simulator's words", records_keep_the_simulators_words },
	{ "a long line is cut and stays one", a_long_line_is_cut_and_stays_one },
	{ "a flood is counted and told, errors are always said", a_flood_is_counted_and_told },
	CU_TEST_INFO_NULL
};
