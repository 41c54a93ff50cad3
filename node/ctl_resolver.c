/*
 * ctl_resolver.c - `weftctl resolver`: systemd-resolved asks a node for names in its networks
 *
 * On this host's card in each network that says `resolver = resolved`, resolved is told the network's own name
 * server and that it is for the network's names and addresses alone. All of it is taken back when the node is
 * gone, however it ended: what is waited for is its process. Networks come and go while it runs (SIGHUP), and none
 * does without an interface that comes, goes or changes: of those the kernel tells, and then the node is asked again.
 *
 * Why this is no part of weft-node: resolved listens to root (or to whom polkit lets), and a node is neither;
 * GIO's D-Bus would be in its memory; and who is killed takes nothing back.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gio/gio.h>

#include "core/base/env.h"
#include "core/vnet/dns_zone.h"
#include "node/ctl.h"
#include "node/text.h"

enum { ANSWER_MS = 30000, CALL_MS = 10000, SETTLE_MS = 200, AGAIN_MS = 5000 };

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

static bool among(const struct told *t, int index)
{
	for (unsigned i = 0; i < t->count; i++)
		if (t->index[i] == index)
			return true;
	return false;
}

/* What is in @t and not in @but. */
static void take_back(const struct told *t, const struct told *but)
{
	GDBusConnection *bus = t->count ? bus_open(NULL) : NULL;

	for (unsigned i = 0; bus && i < t->count; i++)
		if (!among(but, t->index[i]))		/* a link that is gone is forgotten already */
			call(bus, "RevertLink", g_variant_new("(i)", t->index[i]), NULL);
	g_clear_object(&bus);
}

static bool wants(JsonObject *n)
{
	return !strcmp(json_str(n, "resolver", ""), "resolved");
}

/* All that resolved is told of @answer's networks, to see if it is another; g_free() it */
static char *summary(JsonObject *answer)
{
	GString *s = g_string_new(NULL);
	JsonObject *n;

	for (guint i = 0; (n = ctl_each(json_arr(answer, "networks"), i)); i++)
		if (wants(n))
			g_string_append_printf(s, "%u %s %s %s %s\n", if_nametoindex(json_str(n, "device", "")),
					       json_str(n, "gateway", ""), json_str(n, "domain", ""), json_str(n, "range", ""),
					       json_str(n, "range6", ""));
	return g_string_free(s, FALSE);
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

		if (!wants(n) || !ip_read(json_str(n, "gateway", ""), &server))
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

/* A socket that hears of interfaces; -1 where the kernel lets us have none: then networks that come are not seen. */
static int interfaces(void)
{
	struct sockaddr_nl at = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* True: look again, because something changed or @timeout_ms are over. False: the node has ended, or we shall. */
static bool stay(int process, int signals, int links, int timeout_ms)
{
	struct pollfd p[] = { { process, POLLIN, 0 }, { signals, POLLIN, 0 }, { links, POLLIN, 0 } };
	char what[8192];

	while (poll(p, 3, timeout_ms) < 0 && errno == EINTR)
		;
	if (p[2].revents && !poll(p, 2, SETTLE_MS))		/* what comes together is one change */
		while (recv(links, what, sizeof(what), 0) >= 0 || errno == ENOBUFS)
			;
	return !p[0].revents && !p[1].revents;
}

static JsonNode *ask(struct ctl *c, const struct ctl_where *w, struct fail *f)
{
	return ctl_open(c, w, f) ? ctl_once(c, "{\"ask\":\"networks\"}", ANSWER_MS, f) : NULL;
}

/* Ask again; what is another now is told, and what is no more taken back. False with @f: not all of it. */
static bool follow(const struct ctl_where *w, struct told *told, char **known, struct fail *f)
{
	struct told was = *told;
	struct ctl c;
	JsonNode *root = ask(&c, w, f);
	char *now = root ? summary(json_node_get_object(root)) : NULL;

	ctl_close(&c);
	if (now && strcmp(now, *known)) {
		told->count = 0;
		if (tell_all(json_node_get_object(root), told, f)) {
			g_free(*known);
			*known = g_steal_pointer(&now);
		}
		take_back(&was, told);
	}
	g_free(now);
	if (root)
		json_node_unref(root);
	return !failed(f);
}

static void run(const struct ctl_where *w, struct fail *f)
{
	struct told told = { .count = 0 }, none = { .count = 0 };
	struct ctl c;
	int links = interfaces(), signals, process;
	JsonNode *root = ask(&c, w, f);
	char *known = root ? summary(json_node_get_object(root)) : NULL;
	sigset_t stop;
	bool all = true;

	process = root ? ctl_process(&c, f) : -1;
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigprocmask(SIG_BLOCK, &stop, NULL);	/* before GIO has threads that could take them */
	signals = signalfd(-1, &stop, SFD_CLOEXEC);
	ctl_close(&c);
	if (process >= 0 && tell_all(json_node_get_object(root), &told, f) && told.count)
		while (stay(process, signals, links, all ? -1 : AGAIN_MS)) {
			struct fail later = { 0 };
			bool good = follow(w, &told, &known, &later);

			if (all && !good)
				fail_print(&later);
			fail_done(&later);
			all = good;
		}
	take_back(&told, &none);
	g_free(known);
	if (root)
		json_node_unref(root);
	if (process >= 0)
		close(process);
	if (links >= 0)
		close(links);
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
