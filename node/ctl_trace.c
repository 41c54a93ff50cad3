/* ctl_trace.c - the way from a node to the owner of a key or to whoever serves an address, hop by hop */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "node/ctl.h"
#include "node/prog/units.h"
#include "node/text.h"

enum { TIMEOUT_MS = 10000, TIMEOUT_MAX_MS = 60000, SLACK_MS = 2000 };

static const char *ms(int64_t us, char buf[UNIT_TEXT_LEN])
{
	g_snprintf(buf, UNIT_TEXT_LEN, "%" PRId64 ".%03" PRId64, us / 1000, us % 1000);
	return buf;
}

static void show_hop(JsonObject *h)
{
	char rtt[UNIT_TEXT_LEN], again[UNIT_TEXT_LEN] = "";

	if (json_int(h, "try", 1) > 1)
		g_snprintf(again, sizeof(again), "  try %" PRId64, json_int(h, "try", 1));
	printf("%3" PRId64 "  %-32s %9s ms%s\n", json_int(h, "number", 0), json_str(h, "id", "-"),
	       ms(json_int(h, "rtt_us", 0), rtt), again);
}

static void show_end(JsonObject *t)
{
	char rtt[UNIT_TEXT_LEN];

	printf("owner %s, %" PRId64 " hops, %s ms", json_str(t, "owner", "-"), json_int(t, "hops", 0),
	       ms(json_int(t, "rtt_us", 0), rtt));
	if (json_int(t, "tries", 1) > 1)
		printf(", %" PRId64 " tries", json_int(t, "tries", 1));
	putchar('\n');
}

/* One answer; true if another follows. */
static bool show(JsonObject *answer, bool json, const char *line, struct fail *f)
{
	JsonObject *hop = json_obj(answer, "hop"), *trace = json_obj(answer, "trace");

	if (json)
		puts(line);
	if (ctl_wrong(answer, f))
		return false;
	if (!json && hop)
		show_hop(hop);
	else if (!json && trace)
		show_end(trace);
	fflush(stdout);
	return json_object_get_boolean_member_with_default(answer, "more", FALSE);
}

/* By what way packets go to @h's node now, as far as a tunnel says; with @json as it came. */
static void show_way(struct ctl *c, const struct ctl_host *h, bool json, struct fail *f)
{
	JsonNode *root = ctl_once(c, "{\"ask\":\"tunnels\"}", SLACK_MS, f);
	JsonArray *a = root ? json_arr(json_node_get_object(root), "tunnels") : NULL;
	const char *carried = NULL;
	JsonObject *t;

	for (guint i = 0; (t = ctl_each(a, i)); i++) {
		if (strcmp(json_str(t, "peer", ""), h->holder) || strcmp(json_str(t, "network", ""), h->network))
			continue;
		carried = json_str(t, "carried", "-");
		if (json)
			printf("{\"way\":{\"carried\":\"%s\",\"at\":\"%s\",\"via\":\"%s\",\"mtu_bytes\":%" PRId64
			       ",\"out_packets\":%" PRId64 ",\"out_in_pieces\":%" PRId64 "}}\n", carried, json_str(t, "at", ""),
			       json_str(t, "via", ""), json_int(t, "mtu_bytes", 0), json_int(t, "out_packets", 0),
			       json_int(t, "out_in_pieces", 0));
		else
			printf("packets go %s%s%s, %" PRId64 " bytes each; %" PRId64 " of %" PRId64 " went in pieces\n", !strcmp(carried, "direct") ? "directly to " :
			       !strcmp(carried, "mail") ? "by mail until there is a chain" : !strcmp(carried, "chain") ?
			       "by a chain of labels, first " : "through ", json_str(t, "at", ""), json_str(t, "via", ""),
			       json_int(t, "mtu_bytes", 0), json_int(t, "out_in_pieces", 0), json_int(t, "out_packets", 0));
	}
	if (!carried && !json && root)
		puts("no packets go there now");
	if (root)
		json_node_unref(root);
}

/* What is traced: an id, an address of a network, or a name that stands for a place on the ring. */
static bool key_of(struct ctl *c, const char *text, bool json, struct id *key, struct fail *f)
{
	struct ctl_host h;
	struct ip ip;
	char buf[ID_TEXT];

	if (ip_read(text, &ip)) {
		if (!ctl_find(c, text, NULL, TIMEOUT_MS, &h, f) || !id_read(h.holder, key))
			return false;
		if (!json)
			printf("%s in %s is held by %s\n", text, h.network, h.holder);
		show_way(c, &h, json, f);
		return !failed(f);
	}
	if (id_read(text, key)) {
		if (!json)
			puts(id_text(*key, buf));
		return true;
	}
	*key = id_of_name(text);
	if (!json)
		printf("%s is %s\n", text, id_text(*key, buf));
	return true;
}

static int trace(const struct ctl_where *w, const char *text, int timeout_ms)
{
	struct id key;
	bool more = true;
	char buf[ID_TEXT], *line = NULL;
	struct fail f = { 0 };
	struct ctl c;

	if (!ctl_open(&c, w, &f) || !key_of(&c, text, w->json, &key, &f)) {
		ctl_close(&c);
		return ctl_fail(&f);
	}
	line = g_strdup_printf("{\"ask\":\"trace\",\"key\":\"%s\",\"timeout_ms\":%d}", id_text(key, buf), timeout_ms);
	more = ctl_ask(&c, line, &f);
	g_free(line);
	while (more) {
		JsonNode *root = ctl_take(&c, timeout_ms + SLACK_MS, &line, &f);

		if (!root)
			break;
		more = show(json_node_get_object(root), w->json, line, &f);
		json_node_unref(root);
		g_free(line);
	}
	ctl_close(&c);
	return ctl_end(&f, EXIT_HELD);
}

int trace_command(int argc, char **argv)
{
	struct ctl_where w = { 0 };
	char *timeout = NULL;
	const struct command self = { "trace", "KEY|ADDRESS", "Shows the way to the owner of a key, or of an address.", trace_command };
	const GOptionEntry entries[] = {
		CTL_WHERE(w),
		{ "timeout", 't', 0, G_OPTION_ARG_STRING, &timeout, "Give up after this (10s)", "TIME" },
		G_OPTION_ENTRY_NULL
	};
	int64_t ns = TIMEOUT_MS * NS_PER_MS;
	struct fail f = { 0 };
	int code;

	if (options_parse(&argc, &argv, fail_prog(), &self, entries, 1, 1,
			  "KEY is 32 hexadecimal digits, or a name, which stands for its BLAKE2b-128. Of an ADDRESS in a\n"
			  "network it says who holds it, by what way its packets go, and the way along the ring.\n"
			  "Times are round trips from asking this node to hearing from that one.", &code)) {
		if (timeout && !options_time("--timeout", timeout, &ns, &f))
			code = ctl_fail(&f);
		else if (ns < NS_PER_MS || ns > TIMEOUT_MAX_MS * NS_PER_MS) {
			fail_add(&f, "--timeout %s: accepted: 1ms to 60s", timeout);
			code = ctl_fail(&f);
		} else {
			code = trace(&w, argv[1], (int)(ns / NS_PER_MS));
		}
	}
	g_free(timeout);
	ctl_where_done(&w);
	return code;
}
