/* ctl_show.c - status, peers, stop, version: one order, one answer */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "node/ctl.h"
#include "node/prog/units.h"
#include "node/text.h"

enum { ANSWER_MS = 5000, LEAVE_MS = 10000, LABEL = 12 };

/* ---- asking --------------------------------------------------------------------------- */

int ctl_print(const struct ctl_where *w, const char *line, int timeout_ms, void (*show)(JsonObject *answer))
{
	struct fail f = { 0 };
	struct ctl c;
	char *text = NULL;
	JsonNode *root = NULL;

	if (ctl_open(&c, w, &f) && ctl_ask(&c, line, &f))
		root = ctl_take(&c, timeout_ms, &text, &f);
	if (root && w->json)
		puts(text);
	if (root && !ctl_wrong(json_node_get_object(root), &f) && !w->json)
		show(json_node_get_object(root));
	if (root)
		json_node_unref(root);
	g_free(text);
	ctl_close(&c);
	return ctl_end(&f, EXIT_HELD);
}

int ctl_simple(int argc, char **argv, const char *name, const char *text, const char *line, int timeout_ms,
	       void (*show)(JsonObject *answer))
{
	struct ctl_where w = { 0 };
	const struct command self = { name, NULL, text, NULL };
	const GOptionEntry entries[] = { CTL_WHERE(w), G_OPTION_ENTRY_NULL };
	int code;

	if (options_parse(&argc, &argv, fail_prog(), &self, entries, 0, 0, NULL, &code))
		code = ctl_print(&w, line, timeout_ms, show);
	ctl_where_done(&w);
	return code;
}

/* ---- status --------------------------------------------------------------------------- */

static void say_line(const char *label, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say_line(const char *label, const char *format, ...)
{
	va_list args;

	printf("%-*s", LABEL, label);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static const char *span(int64_t s, char buf[UNIT_TEXT_LEN])
{
	if (s < 60)
		g_snprintf(buf, UNIT_TEXT_LEN, "%" PRId64 " s", s);
	else if (s < 3600)
		g_snprintf(buf, UNIT_TEXT_LEN, "%" PRId64 " min %" PRId64 " s", s / 60, s % 60);
	else if (s < 86400)
		g_snprintf(buf, UNIT_TEXT_LEN, "%" PRId64 " h %" PRId64 " min", s / 3600, s % 3600 / 60);
	else
		g_snprintf(buf, UNIT_TEXT_LEN, "%" PRId64 " d %" PRId64 " h", s / 86400, s % 86400 / 3600);
	return buf;
}

/* Texts of an array, blanks between; g_free() it. */
static char *joined(JsonArray *a)
{
	GString *out = g_string_new(NULL);

	for (guint i = 0; a && i < json_array_get_length(a); i++)
		g_string_append_printf(out, "%s%s", i ? " " : "", json_array_get_string_element(a, i));
	return g_string_free(out, FALSE);
}

static void show_counts(JsonObject *o, const char *label)
{
	GList *names = o ? json_object_get_members(o) : NULL;

	for (GList *n = names; n; n = n->next) {
		say_line(label, "%8" PRId64 "  %s", json_int(o, n->data, 0), (const char *)n->data);
		label = "";
	}
	g_list_free(names);
}

static void show_certificate(int64_t ends, int64_t now)
{
	char date[MOMENT_TEXT], left[UNIT_TEXT_LEN];

	if (ends > now)
		say_line("certificate", "until %s, %s from now", moment_text(ends, date), span(ends - now, left));
	else if (ends)
		say_line("certificate", "ended %s", moment_text(ends, date));
}

static void show_status(JsonObject *answer)
{
	JsonObject *s = json_obj(answer, "status"), *t = json_obj(s, "traffic");
	char up[UNIT_TEXT_LEN], *listen = joined(json_arr(s, "listen"));

	say_line("node", "%s  %s", json_str(s, "name", "-"), json_str(s, "id", "-"));
	say_line("overlay", "%s", json_str(s, "overlay", "-"));
	say_line("version", "%s, pid %" PRId64, json_str(s, "version", "-"), json_int(s, "pid", 0));
	if (json_object_has_member(s, "joined_after_ms"))
		say_line("state", "%s, up %s, joined %" PRId64 " ms after start", json_str(s, "state", "-"),
			 span(json_int(s, "up_s", 0), up), json_int(s, "joined_after_ms", 0));
	else
		say_line("state", "%s, up %s", json_str(s, "state", "-"), span(json_int(s, "up_s", 0), up));
	say_line("ring", "about %" PRId64 " nodes", json_int(s, "size", 0));
	say_line("  left", "%s", json_str(s, "left", "-"));
	say_line("  right", "%s", json_str(s, "right", "-"));
	say_line("links", "%" PRId64 " up: %" PRId64 " long ones drawn, %" PRId64 " by others", json_int(s, "links", 0),
		 json_int(s, "longs_out", 0), json_int(s, "longs_in", 0));
	say_line("knows", "%" PRId64 " to the left, %" PRId64 " to the right, remembers %" PRId64,
		 json_int(s, "known_left", 0), json_int(s, "known_right", 0), json_int(s, "remembered", 0));
	say_line("listens", "%s", listen);
	say_line("run", "%" PRId64 ", the last one ended: %s", json_int(s, "incarnation", 0), json_str(s, "last_run", "-"));
	show_certificate(json_int(s, "certificate_ends_utc_s", 0), json_int(s, "utc_s", 0));
	say_line("memory", "%" PRId64 " bytes in core", json_int(s, "memory_bytes", 0));
	if (json_int(s, "saves_failed", 0))
		say_line("saves", "%" PRId64 " of %" PRId64 " failed", json_int(s, "saves_failed", 0), json_int(s, "saves", 0));
	say_line("received", "%8" PRId64 " packets, %" PRId64 " bytes", json_int(t, "in_packets", 0),
		 json_int(t, "in_bytes", 0));
	say_line("sent", "%8" PRId64 " packets, %" PRId64 " bytes", json_int(t, "out_packets", 0),
		 json_int(t, "out_bytes", 0));
	show_counts(json_obj(s, "drops"), "dropped");
	g_free(listen);
}

int status_command(int argc, char **argv)
{
	return ctl_simple(argc, argv, "status", "Says who and where a node is, and how it fares.", "{\"ask\":\"status\"}",
		      ANSWER_MS, show_status);
}

/* ---- peers ---------------------------------------------------------------------------- */

static const char *ms(int64_t us, char buf[UNIT_TEXT_LEN])
{
	g_snprintf(buf, UNIT_TEXT_LEN, "%" PRId64 ".%03" PRId64, us / 1000, us % 1000);
	return buf;
}

static int by_id(gconstpointer a, gconstpointer b)
{
	return strcmp(json_str(*(JsonObject *const *)a, "id", ""), json_str(*(JsonObject *const *)b, "id", ""));
}

static void show_peer(JsonObject *p)
{
	char rtt[UNIT_TEXT_LEN], heard[UNIT_TEXT_LEN], up[UNIT_TEXT_LEN];
	JsonArray *use = json_arr(p, "use");
	const char *at = json_str(p, "at", "-"), *state = json_str(p, "state", "-");
	char *uses = joined(use);

	if (strcmp(state, "up")) {
		printf("%-32s  %-10s %-26s\n", json_str(p, "id", "-"), state, at);
		g_free(uses);
		return;
	}
	if (json_object_get_boolean_member_with_default(p, "suspect", FALSE))
		state = "suspect";
	else if (json_object_get_boolean_member_with_default(p, "relayed", FALSE))
		state = "relayed";
	printf("%-32s  %-10s %-26s %9s  %7s  %-11s  %s\n", json_str(p, "id", "-"), state, at,
	       ms(json_int(p, "rtt_us", 0), rtt), ms(json_int(p, "heard_ms", 0), heard),
	       span(json_int(p, "up_ms", 0) / 1000, up), uses);
	g_free(uses);
}

static void show_peers(JsonObject *answer)
{
	JsonArray *a = json_arr(answer, "peers");
	GPtrArray *order = g_ptr_array_new();

	for (guint i = 0; a && i < json_array_get_length(a); i++)
		if (JSON_NODE_HOLDS_OBJECT(json_array_get_element(a, i)))
			g_ptr_array_add(order, json_array_get_object_element(a, i));
	g_ptr_array_sort(order, by_id);
	printf("%-32s  %-10s %-26s %9s  %7s  %-11s  %s\n", "ID", "STATE", "AT", "RTT/ms", "HEARD/s", "UP", "USE");
	for (guint i = 0; i < order->len; i++)
		show_peer(g_ptr_array_index(order, i));
	g_ptr_array_free(order, TRUE);
}

int peers_command(int argc, char **argv)
{
	return ctl_simple(argc, argv, "peers", "Lists a node's links.", "{\"ask\":\"peers\"}", ANSWER_MS, show_peers);
}

/* ---- the rest ------------------------------------------------------------------------- */

static void show_stop(JsonObject *answer)
{
	JsonObject *s = json_obj(answer, "stop");

	puts(s && json_object_get_boolean_member_with_default(s, "handed_over", FALSE) ? "left, and handed over" :
	     "left; there was nobody to hand over to, or nobody answered");
}

int stop_command(int argc, char **argv)
{
	return ctl_simple(argc, argv, argv[0], "Has a node leave the overlay and end.", "{\"ask\":\"stop\"}", LEAVE_MS, show_stop);
}

static void show_version(JsonObject *answer)
{
	printf("weftctl %s\nweft-node %s\n", WEFT_VERSION, json_str(answer, "version", "-"));
}

int version_command(int argc, char **argv)
{
	return ctl_simple(argc, argv, "version", "Says the versions of weftctl and of a running node.", "{\"ask\":\"version\"}",
		      ANSWER_MS, show_version);
}
