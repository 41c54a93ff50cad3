/*
 * ctl_resolver.c - `weftctl resolver`: systemd-resolved asks a node for names in its networks
 *
 * On this host's card in each network that says `resolver = resolved`, resolved is told the network's own name
 * server and that it is for the network's names and addresses alone. All of it is taken back when the node is
 * gone, however it ended: what is waited for is its process.
 *
 * Why this is no part of weft-node: resolved listens to root (or to whom polkit lets), and a node is neither;
 * GIO's D-Bus would be in its memory; and who is killed takes nothing back.
 */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <gio/gio.h>

#include "core/base/env.h"
#include "core/vnet/dns_zone.h"
#include "node/ctl.h"
#include "node/text.h"

enum { ANSWER_MS = 30000, CALL_MS = 10000 };

#define RESOLVED "org.freedesktop.resolve1"

/** struct told - a link of which resolved was told */
struct told {
	int index[NETWORKS_MAX];
	unsigned count;
};

static GDBusConnection *bus_open(GError **error)
{
	char *at = g_dbus_address_get_for_bus_sync(G_BUS_TYPE_SYSTEM, NULL, error);
	GDBusConnection *bus = at ? g_dbus_connection_new_for_address_sync(at,
		G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION, NULL, NULL, error) : NULL;

	g_free(at);
	return bus;
}

static bool call(GDBusConnection *bus, const char *method, GVariant *args, GError **error)
{
	GVariant *none = g_dbus_connection_call_sync(bus, RESOLVED, "/org/freedesktop/resolve1", RESOLVED ".Manager", method, args,
						     NULL, G_DBUS_CALL_FLAGS_NONE, CALL_MS, NULL, error);

	if (none)
		g_variant_unref(none);
	return none != NULL;
}

/* ---- what a network is to resolved ------------------------------------------------------ */

/* The zones of in-addr.arpa or ip6.arpa that are @r: several where its length falls inside an octet or a nibble. */
static void add_reverse(GVariantBuilder *domains, const struct ip_range *r)
{
	unsigned unit = r->ip.family == 4 ? 8 : 4, units = (r->bits + unit - 1) / unit;
	unsigned whole = r->ip.family == 4 ? 4 : 32, last = (units - 1) * unit / 8;
	unsigned zones = 1u << (units * unit - r->bits), step = r->ip.family == 6 && units % 2 ? 16 : 1;

	for (unsigned i = 0; i < zones; i++) {
		struct ip ip = r->ip;
		uint8_t name[DNS_KEY_MAX + 1];
		const char *zone = (const char *)name;

		ip.at[last] = (uint8_t)(ip.at[last] + i * step);
		name[dns_reverse(&ip, name)] = 0;
		for (unsigned skip = whole - units; skip; skip--)
			zone = strchr(zone, '.') + 1;
		g_variant_builder_add(domains, "(sb)", zone, TRUE);
	}
}

static GVariant *domains_of(JsonObject *n, int link)
{
	GVariantBuilder domains;
	struct ip_range r;
	char why[WHY_LEN];

	g_variant_builder_init(&domains, G_VARIANT_TYPE("a(sb)"));
	g_variant_builder_add(&domains, "(sb)", json_str(n, "domain", ""), TRUE);
	if (range_read(json_str(n, "range", ""), true, &r, why))
		add_reverse(&domains, &r);
	if (range_read(json_str(n, "range6", ""), true, &r, why))
		add_reverse(&domains, &r);
	return g_variant_new("(ia(sb))", link, &domains);
}

static GVariant *server_of(const struct ip *at, int link)
{
	GVariant *address = g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, at->at, at->family == 4 ? 4 : 16, 1);
	GVariantBuilder servers;

	g_variant_builder_init(&servers, G_VARIANT_TYPE("a(iay)"));
	g_variant_builder_add(&servers, "(i@ay)", at->family == 4 ? AF_INET : AF_INET6, address);
	return g_variant_new("(ia(iay))", link, &servers);
}

/* The node at the other end of the tap is the name server, so that there is nothing to sign or to hide between them. */
static bool tell(GDBusConnection *bus, JsonObject *n, int link, const struct ip *server, GError **error)
{
	return call(bus, "SetLinkDNS", server_of(server, link), error) &&
	       call(bus, "SetLinkDomains", domains_of(n, link), error) &&
	       call(bus, "SetLinkDefaultRoute", g_variant_new("(ib)", link, FALSE), error) &&
	       call(bus, "SetLinkDNSSEC", g_variant_new("(is)", link, "no"), error) &&
	       call(bus, "SetLinkDNSOverTLS", g_variant_new("(is)", link, "no"), error);
}

static void unable(struct fail *f, const char *name, GError *error)
{
	g_dbus_error_strip_remote_error(error);
	fail_add(f, "cannot tell systemd-resolved of the network %s: %s", name, error->message);
	fail_hint(f, geteuid() ? "it listens to root, and to whom polkit lets" : "the node goes on without it");
	g_error_free(error);
}

static void take_back(const struct told *t)
{
	GDBusConnection *bus = t->count ? bus_open(NULL) : NULL;

	for (unsigned i = 0; bus && i < t->count; i++)
		call(bus, "RevertLink", g_variant_new("(i)", t->index[i]), NULL);	/* a link that is gone is forgotten already */
	g_clear_object(&bus);
}

/* Every network that wants it. */
static bool tell_all(JsonObject *answer, struct told *t, struct fail *f)
{
	JsonArray *a = json_arr(answer, "networks");
	GDBusConnection *bus = NULL;
	GError *error = NULL;
	JsonObject *n;

	for (guint i = 0; (n = ctl_each(a, i)) && t->count < NETWORKS_MAX; i++) {
		const char *name = json_str(n, "name", "-"), *device = json_str(n, "device", "");
		int link = (int)if_nametoindex(device);
		struct ip server;

		if (strcmp(json_str(n, "resolver", ""), "resolved") || !ip_read(json_str(n, "gateway", ""), &server))
			continue;
		if (!link) {
			fail_add(f, "there is no %s here: is the node in another namespace?", device);
			break;
		}
		if (bus || (bus = bus_open(&error)))
			t->index[t->count++] = link;
		if (!bus || !tell(bus, n, link, &server, &error)) {
			unable(f, name, error);
			break;
		}
		fprintf(stderr, "weftctl: systemd-resolved asks %s on %s for names in %s\n", json_str(n, "gateway", ""), device,
			json_str(n, "domain", ""));
	}
	g_clear_object(&bus);
	return !failed(f);
}

/* ---- for as long as the node runs ------------------------------------------------------- */

static void stay(int process, int signals)
{
	struct pollfd p[] = { { .fd = process, .events = POLLIN }, { .fd = signals, .events = POLLIN } };

	while (poll(p, 2, -1) < 0 && errno == EINTR)
		;
}

static void run(const struct ctl_where *w, struct fail *f)
{
	struct told told = { .count = 0 };
	struct ctl c;
	JsonNode *root = ctl_open(&c, w, f) ? ctl_once(&c, "{\"ask\":\"networks\"}", ANSWER_MS, f) : NULL;
	int process = root ? ctl_process(&c, f) : -1, signals;
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigprocmask(SIG_BLOCK, &stop, NULL);	/* before GIO has threads that could take them */
	signals = signalfd(-1, &stop, SFD_CLOEXEC);
	ctl_close(&c);
	if (process >= 0 && tell_all(json_node_get_object(root), &told, f) && told.count)
		stay(process, signals);
	take_back(&told);
	if (root)
		json_node_unref(root);
	if (process >= 0)
		close(process);
	close(signals);
}

int resolver_command(int argc, char **argv)
{
	const struct command self = { "resolver", "", "Has systemd-resolved ask a node for names in its networks, while it runs.",
				      resolver_command };
	struct ctl_where w = { 0 };
	struct fail f = { 0 };
	const GOptionEntry entries[] = { CTL_WHERE(w), G_OPTION_ENTRY_NULL };
	int code;

	if (options_parse(&argc, &argv, fail_prog(), &self, entries, 0, 0,
			  "Networks with `resolver = resolved` in the node's configuration, that is; without any it ends at once.\n"
			  "weft-node starts it when it is root, and weft-resolver@.service runs it beside weft-node@.service.", &code)) {
		run(&w, &f);
		code = ctl_end(&f, EXIT_HELD);
	}
	ctl_where_done(&w);
	return code;
}
