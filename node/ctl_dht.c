/* ctl_dht.c - values under names, slots this node keeps, who an address belongs to; and the counters */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "node/ctl.h"
#include "node/prog/schema.h"
#include "node/prog/units.h"
#include "node/text.h"

enum { ANSWER_MS = 5000, LATE_MS = 5000, ASK_MS = 10000 };

/* ---- slots ---------------------------------------------------------------------------- */

static void show_members(JsonArray *a)
{
	for (guint i = 0; a && i < json_array_get_length(a); i++)
		printf("%s%.8s", i ? " " : "", json_array_get_string_element(a, i));
}

static void show_slots(JsonObject *answer)
{
	JsonArray *a = json_arr(answer, "slots");
	JsonObject *s, *d = json_obj(answer, "dht");

	printf("%-16s %-11s %-18s %-10s %7s  %-12s %s\n", "NETWORK", "KIND", "FIRST", "VIEW", "RECORDS", "STATE", "MEMBERS");
	for (guint i = 0; (s = ctl_each(a, i)); i++) {
		char view[UNIT_TEXT_LEN], number[UNIT_TEXT_LEN];

		g_snprintf(view, sizeof(view), "%" PRId64 ".%" PRId64, json_int(s, "generation", 0), json_int(s, "view", 0));
		g_snprintf(number, sizeof(number), "%" PRId64, json_int(s, "number", 0));
		printf("%-16s %-11s %-18s %-10s %7" PRId64 "  %-12s ", json_str(s, "network", "-"), json_str(s, "kind", "-"),
		       json_str(s, "first", number), view, json_int(s, "records", 0), ctl_yes(s, "sealed") ? "sealed" :
		       !ctl_yes(s, "votes") ? "no vote" : ctl_yes(s, "primary") ? "primary" : "votes");
		show_members(json_arr(s, "members"));
		putchar('\n');
	}
	printf("%" PRId64 " slots, %" PRId64 " records, %" PRId64 " leases held, %" PRId64 " questions under way, %" PRId64
	       " bytes\n", json_int(d, "slots", 0), json_int(d, "records", 0), json_int(d, "held", 0),
	       json_int(d, "asking", 0), json_int(d, "memory_bytes", 0));
}

/* ---- values --------------------------------------------------------------------------- */

static void show_value(JsonObject *v)
{
	JsonArray *a = json_arr(v, "addresses");

	printf("%s  ", json_str(v, "writer", "-"));
	for (guint i = 0; a && i < json_array_get_length(a); i++)
		printf("%s%s", i ? " " : "", json_array_get_string_element(a, i));
	puts(a ? "" : json_object_has_member(v, "text") ? json_str(v, "text", "") : json_str(v, "hex", ""));
}

/* Ask @line and show each answer; the exit code, 1 when there is nothing. */
static int values(const struct ctl_where *w, const char *line, const char *what, int timeout_ms)
{
	struct fail f = { 0 };
	struct ctl c;
	bool more = ctl_open(&c, w, &f) && ctl_ask(&c, line, &f);
	int code = EXIT_HELD;

	while (more) {
		char *text;
		JsonNode *root = ctl_take(&c, timeout_ms, &text, &f);
		JsonObject *o = root ? json_node_get_object(root) : NULL, *end = o ? json_obj(o, what) : NULL;

		if (!root)
			break;
		more = ctl_yes(o, "more");
		if (w->json)
			puts(text);
		else if (json_obj(o, "value"))
			show_value(json_obj(o, "value"));
		if (!more && !ctl_wrong(o, &f) && end && !strcmp(json_str(end, "verdict", ""), "absent")) {
			code = EXIT_BROKE;
			if (!w->json)
				printf("there is nothing under %s\n", json_str(end, "name", "that name"));
		}
		json_node_unref(root);
		g_free(text);
	}
	ctl_close(&c);
	return ctl_end(&f, code);
}

/* ---- who an address belongs to ---------------------------------------------------------- */

static void show_look(JsonObject *answer)
{
	JsonObject *r = json_obj(answer, "resolve");

	printf("%s in %s: %s, holder %s, fence %" PRId64 ".%" PRId64 ".%" PRId64 ", %" PRId64 " tries\n", json_str(r, "address", "-"),
	       json_str(r, "network", "-"), json_str(r, "verdict", "-"), json_str(r, "holder", "-"),
	       json_int(r, "generation", 0), json_int(r, "grant", 0), json_int(r, "delegation", 0), json_int(r, "tries", 0));
}

/* ---- the command ---------------------------------------------------------------------- */

static const struct command SELF = {
	"dht", "slots | get NAME | put NAME VALUE | delete NAME | look ADDRESS", "Asks the DHT, and says what this node keeps for it.",
	dht_command
};

static int wrong(const char *word)
{
	static const char *const words[] = { "slots", "get", "put", "delete", "look" };
	const char *near_one = nearest(word, words, G_N_ELEMENTS(words));
	struct fail f = { 0 };

	fail_add(&f, "dht %s: %s%s; accepted: %s", word, near_one && strcmp(near_one, word) ? "the nearest is " : "wrong arguments",
		 near_one && strcmp(near_one, word) ? near_one : "", SELF.usage);
	return ctl_fail(&f);
}

static int dht(const struct ctl_where *w, int argc, char **argv, const char *network, const char *type, int64_t ms)
{
	const char *what = argc > 1 ? argv[1] : "slots";
	int late = (int)ms + LATE_MS, code;
	char *line;

	if (!strcmp(what, "slots") && argc <= 2)
		return ctl_print(w, "{\"ask\":\"slots\"}", ANSWER_MS, show_slots);
	if (!strcmp(what, "look") && argc == 3) {
		line = ctl_order("resolve", ms, "address", argv[2], "network", network, NULL);
		code = ctl_print(w, line, late, show_look);
	} else if ((!strcmp(what, "get") || !strcmp(what, "delete")) && argc == 3) {
		line = ctl_order(what, ms, "name", argv[2], "network", network, "type", type, NULL);
		code = values(w, line, what, late);
	} else if (!strcmp(what, "put") && argc == 4) {
		line = ctl_order(what, ms, "name", argv[2], "value", argv[3], "network", network, NULL);
		code = values(w, line, what, late);
	} else {
		return wrong(what);
	}
	g_free(line);
	return code;
}

int dht_command(int argc, char **argv)
{
	struct ctl_where w = { 0 };
	struct fail f = { 0 };
	char *network = NULL, *timeout = NULL, *type = NULL;
	int64_t ns = ASK_MS * NS_PER_MS;
	const GOptionEntry entries[] = {
		CTL_WHERE(w),
		{ "network", 'n', 0, G_OPTION_ARG_STRING, &network, "Which network (the first; look: the one with that address)", "NAME" },
		{ "timeout", 't', 0, G_OPTION_ARG_STRING, &timeout, "How long to wait (10s)", "TIME" },
		{ "type", 0, 0, G_OPTION_ARG_STRING, &type, "get: address, pointer, member, group, token or plain (plain)", "TYPE" },
		G_OPTION_ENTRY_NULL
	};
	int code;

	if (options_parse(&argc, &argv, fail_prog(), &SELF, entries, 0, 3,
			  "What is put stays for the network's longest term. Exit code 1: nothing is there.", &code))
		code = !timeout || options_time("--timeout", timeout, &ns, &f) ?
		       dht(&w, argc, argv, network, type, ns / NS_PER_MS) : ctl_fail(&f);
	ctl_where_done(&w);
	g_free(network);
	g_free(timeout);
	g_free(type);
	return code;
}

/* ---- metrics -------------------------------------------------------------------------- */

static void show_metrics(JsonObject *answer)
{
	fputs(json_str(answer, "metrics", ""), stdout);
}

int metrics_command(int argc, char **argv)
{
	return ctl_simple(argc, argv, "metrics", "Prints a node's counters in the text format of Prometheus.",
			  "{\"ask\":\"metrics\"}", ANSWER_MS, show_metrics);
}
