/* The event log reads as sentences in one order, whatever shards wrote them. */
#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>
#include <json-glib/json-glib.h>

#include "sim/record/eventlog.h"
#include "tests/unit/suites.h"

static uint32_t namer(void *world, struct id id)
{
	(void)world;
	return id.hi < 100 ? (uint32_t)id.hi : EVENTLOG_WORLD;
}

/* A little history written by @shards shards, in an order that depends on them. */
static char *history(unsigned shards, enum eventlog_form form, uint32_t watch)
{
	struct record joined = { .peer = { 4, 0 }, .a = 310, .kind = RECORD_JOINED };
	struct record drawn = { .peer = { 0xabcdef0000000000, 1 }, .kind = RECORD_DRAWN };
	struct record next = { .peer = { 5, 0 }, .a = 1, .kind = RECORD_NEIGHBOUR };
	struct record odd = { .peer = { 200, 7 }, .a = 1, .b = 2, .kind = 200 };
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);
	struct eventlog_setup s = { .to = to, .form = form, .shards = shards, .namer = namer,
				    .watch = watch };
	struct eventlog *l = eventlog_new(&s, NULL);

	for (unsigned k = 0; k < shards; k++) {
		unsigned shard = shards - 1 - k;

		for (uint32_t n = 10; n < 13; n++) {
			if (n % shards != shard)
				continue;
			eventlog_put(l, shard, 12040000000, n, &joined);
			eventlog_put(l, shard, 12040000000, n, &next);
			eventlog_put(l, shard, 11000000000 + n, n, &drawn);
			eventlog_put(l, shard, 13000000000, n, &odd);
		}
	}
	eventlog_say(l, 0, 12040000000, EVENTLOG_WORLD, "fault.1", "%s begins: %d \"touched\"",
		     "partition", 3);
	CU_ASSERT(eventlog_flush(l, NULL));
	eventlog_say(l, 10 % shards, 3600000000000, 10, "crash", "by fault.1");
	CU_ASSERT(eventlog_close(l, NULL));
	fclose(to);
	return text;
}

static void lines_read_as_sentences_in_order(void)
{
	char *text = history(1, EVENTLOG_TEXT, 11);

	CU_ASSERT_STRING_EQUAL(text,
		"   11.000000 s  n11     drawn      a long link to abcdef0000000000\n"
		"   12.040000 s  --      fault.1    partition begins: 3 \"touched\"\n"
		"   12.040000 s  n11     joined     successor n4, 310 ms after start\n"
		"   12.040000 s  n11     next       n5 on the right\n"
		"   13.000000 s  n11     unknown    00000000000000c80000000000000007 1 2\n");
	free(text);
}

static void shards_do_not_show(void)
{
	for (int form = EVENTLOG_TEXT; form <= EVENTLOG_JSON; form++) {
		char *one = history(1, form, EVENTLOG_WORLD);

		CU_ASSERT_PTR_NOT_NULL(strstr(one, "crash"));
		for (unsigned shards = 2; shards < 5; shards++) {
			char *many = history(shards, form, EVENTLOG_WORLD);

			CU_ASSERT_STRING_EQUAL(one, many);
			free(many);
		}
		free(one);
	}
}

static void every_line_of_jsonl_is_an_object(void)
{
	char *text = history(2, EVENTLOG_JSON, EVENTLOG_WORLD);
	JsonParser *p = json_parser_new();
	unsigned lines = 0;

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		JsonObject *o;

		CU_ASSERT_FATAL(json_parser_load_from_data(p, line, -1, NULL));
		o = json_node_get_object(json_parser_get_root(p));
		CU_ASSERT(json_object_get_double_member(o, "t_s") >= 11);
		CU_ASSERT(json_object_has_member(o, "event"));
		lines++;
	}
	CU_ASSERT_EQUAL(lines, 3 * 4 + 2);
	g_object_unref(p);
	free(text);
}

static void every_kind_of_record_has_a_sentence(void)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);
	struct eventlog_setup s = { .to = to, .shards = 1, .watch = EVENTLOG_WORLD };
	struct eventlog *l = eventlog_new(&s, NULL);
	unsigned lines = 0;

	for (int k = 0; k < RECORD_KINDS; k++)
		eventlog_put(l, 0, k, 1,
			     &(struct record){ .peer = { 9, 9 }, .a = 1, .b = 1,
					       .kind = (uint8_t)k });
	CU_ASSERT(eventlog_close(l, NULL));
	fclose(to);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), lines++) {
		CU_ASSERT_PTR_NOT_NULL(strstr(line, record_text((enum record_kind)lines)));
		CU_ASSERT(strlen(line) > 35);	/* something is said after the word */
	}
	CU_ASSERT_EQUAL(lines, RECORD_KINDS);
	free(text);
}

static void a_log_that_cannot_be_written_says_so(void)
{
	FILE *to = fopen("/dev/full", "w");
	struct eventlog_setup s = { .to = to, .shards = 1, .watch = EVENTLOG_WORLD };
	struct eventlog *l = eventlog_new(&s, NULL);
	struct fail f = { 0 };

	eventlog_say(l, 0, 1, 1, "start", "x");
	CU_ASSERT_FALSE(eventlog_close(l, &f));
	CU_ASSERT_EQUAL(f.count, 1);
	fail_done(&f);
	fclose(to);
}

CU_TestInfo eventlog_tests[] = {
	{ "lines read as sentences, in order", lines_read_as_sentences_in_order },
	{ "shards do not show", shards_do_not_show },
	{ "every line of events.jsonl is an object", every_line_of_jsonl_is_an_object },
	{ "every kind of record has a sentence", every_kind_of_record_has_a_sentence },
	{ "a log that cannot be written says so", a_log_that_cannot_be_written_says_so },
	CU_TEST_INFO_NULL
};
