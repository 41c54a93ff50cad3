/* ctl_show_net.c - networks, leases, names, resolve: what a node says of virtual networks */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "node/ctl.h"
#include "node/prog/units.h"
#include "node/text.h"

enum { ANSWER_MS = 5000, LATE_MS = 5000, RESOLVE_MS = 10000 };

static const char *left(JsonObject *o, char buf[UNIT_TEXT_LEN])
{
	if (!json_object_has_member(o, "left_ms"))
		return "-";
	g_snprintf(buf, UNIT_TEXT_LEN, "%" PRId64 " s", json_int(o, "left_ms", 0) / 1000);
	return buf;
}

/* ---- networks ------------------------------------------------------------------------- */

static void show_guests(JsonArray *a)
{
	JsonObject *g;

	for (guint i = 0; (g = ctl_each(a, i)); i++)
		printf("  %-10s %-18s %-40s %-8s heard %.1f s ago\n", i ? "" : "machines", json_str(g, "mac", "-"),
		       json_str(g, "address", "-"), !json_object_has_member(g, "address") ? "" :
		       ctl_yes(g, "leased") ? "leased" : "own", (double)json_int(g, "heard_ms", 0) / 1000);
}

static void show_firewall(JsonObject *f)
{
	JsonArray *rules = json_arr(f, "rules");
	JsonObject *r;

	for (guint i = 0; (r = ctl_each(rules, i)); i++)
		printf("  %-10s %-40s %" PRId64 " packets\n", i ? "" : "firewall", json_str(r, "rule", "-"),
		       json_int(r, "packets", 0));
	printf("  %-10s %" PRId64 " packets fitted no rule, %" PRId64 " belonged to %" PRId64 " flows of ours\n", "",
	       json_int(f, "unmatched", 0), json_int(f, "answers", 0), json_int(f, "flows", 0));
}

static void show_networks(JsonObject *answer)
{
	JsonArray *a = json_arr(answer, "networks");
	JsonObject *n;

	for (guint i = 0; (n = ctl_each(a, i)); i++) {
		printf("%s  %s\n", json_str(n, "name", "-"), json_str(n, "id", "-"));
		printf("  %-10s %s %s, hosts are HOST.%s\n", "range", json_str(n, "range", ""), json_str(n, "range6", ""),
		       json_str(n, "domain", "-"));
		printf("  %-10s %s, %s%s%s, MTU %" PRId64 "%s\n", "tap", json_str(n, "tap", "-"), json_str(n, "model", "-"),
		       json_object_has_member(n, "bridge") ? " in " : "", json_str(n, "bridge", ""),
		       json_int(n, "mtu_bytes", 0), ctl_yes(n, "tap_gone") ? ", DELETED by somebody: restart the node" : "");
		printf("  %-10s %s%s%s%s\n", "host", json_str(n, "host", ""), json_object_has_member(n, "host") ? " " : "",
		       json_str(n, "address", "without an address from us"),
		       ctl_yes(n, "asks_for_address") ? ", asking for one" : "");
		printf("  %-10s %" PRId64 " from the tap, %" PRId64 " to it, %" PRId64 " refused\n", "frames",
		       json_int(n, "in_frames", 0), json_int(n, "out_frames", 0), json_int(n, "refused", 0));
		printf("  %-10s %" PRId64 " remote addresses\n", "knows", json_int(n, "remote_addresses", 0));
		if (json_int(n, "epoch", 0))
			printf("  %-10s %" PRId64 "%s\n", "epoch", json_int(n, "epoch", 0), ctl_yes(n, "has_group_key") ?
			       "" : ", its group key is not here yet: broadcasts wait");
		show_guests(json_arr(n, "guests"));
		if (json_obj(n, "firewall"))
			show_firewall(json_obj(n, "firewall"));
	}
	if (!a || !json_array_get_length(a))
		puts("no network: this node only carries and votes for others");
}

int networks_command(int argc, char **argv)
{
	return ctl_simple(argc, argv, "networks", "Lists the virtual networks a node is in, and who is behind its taps.",
			  "{\"ask\":\"networks\"}", ANSWER_MS, show_networks);
}

/* ---- leases --------------------------------------------------------------------------- */

static void show_leases(JsonObject *answer)
{
	JsonArray *a = json_arr(answer, "leases");
	char buf[UNIT_TEXT_LEN];
	JsonObject *l;

	printf("%-16s %-40s %-10s %-9s %8s  %s\n", "NETWORK", "ADDRESS", "STATE", "BELIEVED", "LEFT", "FENCE");
	for (guint i = 0; (l = ctl_each(a, i)); i++)
		printf("%-16s %-40s %-10s %-9s %8s  %" PRId64 ".%" PRId64 ".%" PRId64 "\n", json_str(l, "network", "-"),
		       json_str(l, "address", "-"), json_str(l, "state", "-"), ctl_yes(l, "believed") ? "yes" : "no",
		       left(l, buf), json_int(l, "generation", 0), json_int(l, "grant", 0), json_int(l, "delegation", 0));
}

int leases_command(int argc, char **argv)
{
	return ctl_simple(argc, argv, "leases", "Lists the addresses a node holds.", "{\"ask\":\"leases\"}", ANSWER_MS,
			  show_leases);
}

/* ---- names ---------------------------------------------------------------------------- */

static void show_names(JsonObject *answer)
{
	JsonArray *a = json_arr(answer, "names");
	char buf[UNIT_TEXT_LEN];
	JsonObject *n;

	printf("%-16s %-40s %-8s %-16s %8s\n", "NETWORK", "NAME", "TYPE", "LAST PUT", "LEFT");
	for (guint i = 0; (n = ctl_each(a, i)); i++)
		printf("%-16s %-40s %-8s %-16s %8s\n", json_str(n, "network", "-"), json_str(n, "name", "-"),
		       json_str(n, "type", "-"), json_str(n, "verdict", "-"), left(n, buf));
}

int names_command(int argc, char **argv)
{
	return ctl_simple(argc, argv, "names", "Lists the names a node publishes.", "{\"ask\":\"names\"}", ANSWER_MS,
			  show_names);
}

/* ---- resolve -------------------------------------------------------------------------- */

static void show_resolve(JsonObject *answer)
{
	JsonObject *r = json_obj(answer, "resolve");

	if (!json_object_has_member(r, "holder"))
		printf("%s is nobody's\n", json_str(r, "address", "-"));
	else
		printf("%s is held by %s, fence %" PRId64 ".%" PRId64 ".%" PRId64 "\n", json_str(r, "address", "-"),
		       json_str(r, "holder", "-"), json_int(r, "generation", 0), json_int(r, "grant", 0),
		       json_int(r, "delegation", 0));
}

/* NULL with a message. g_free() it */
static char *resolve_line(const char *text, const char *network, int64_t ms, struct fail *f)
{
	struct ip ip;

	if (ip_read(text, &ip))
		return ctl_order("resolve", ms, "address", text, "network", network, NULL);
	fail_add(f, "%s is no address; accepted: 10.9.0.7, fd00::7", text);
	fail_hint(f, "names are resolved by DNS: dig @GATEWAY NAME, where the gateway is the network's lowest address");
	return NULL;
}

int resolve_command(int argc, char **argv)
{
	const struct command self = { "resolve", "ADDRESS", "Asks a majority who holds an address.", resolve_command };
	struct ctl_where w = { 0 };
	struct fail f = { 0 };
	char *network = NULL, *timeout = NULL, *line = NULL;
	int64_t ns = RESOLVE_MS * NS_PER_MS;
	const GOptionEntry entries[] = {
		CTL_WHERE(w),
		{ "network", 'n', 0, G_OPTION_ARG_STRING, &network, "Which network (the one with that address)", "NAME" },
		{ "timeout", 't', 0, G_OPTION_ARG_STRING, &timeout, "How long to wait (10s)", "TIME" },
		G_OPTION_ENTRY_NULL
	};
	int code;

	if (options_parse(&argc, &argv, fail_prog(), &self, entries, 1, 1, NULL, &code)) {
		if (!timeout || options_time("--timeout", timeout, &ns, &f))
			line = resolve_line(argv[1], network, ns / NS_PER_MS, &f);
		code = line ? ctl_print(&w, line, (int)(ns / NS_PER_MS) + LATE_MS, show_resolve) : ctl_fail(&f);
	}
	ctl_where_done(&w);
	g_free(network);
	g_free(timeout);
	g_free(line);
	return code;
}
