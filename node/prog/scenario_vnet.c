/* scenario_vnet.c - whether networks, guests and leases of a scenario make sense together */
#include <string.h>

#include <arpa/inet.h>
#include <glib.h>

#include "node/prog/scenario_check.h"

enum { NETWORKS = 4 };

bool scenario_range(const char *text, struct scenario_prefix *out)
{
	char address[INET6_ADDRSTRLEN + 1];
	const char *slash = strchr(text, '/');
	char *end;
	guint64 bits;
	unsigned most;

	memset(out, 0, sizeof(*out));
	if (!slash || (size_t)(slash - text) >= sizeof(address) || !g_ascii_isdigit(slash[1]))
		return false;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	bits = g_ascii_strtoull(slash + 1, &end, 10);
	if (inet_pton(AF_INET, address, out->at) == 1)
		out->family = 4;
	else if (inet_pton(AF_INET6, address, out->at) == 1)
		out->family = 6;
	most = out->family == 4 ? 32 : 128;
	if (!out->family || *end || bits > most)
		return false;
	out->bits = (uint8_t)bits;
	for (unsigned i = out->bits; i < most; i++)
		if (out->at[i / 8] >> (7 - i % 8) & 1)
			return false;
	return true;
}

static void range_of(struct checking *c, const char *group, const char *key, const char *text, unsigned family,
		     unsigned least, unsigned most)
{
	struct scenario_prefix p;

	if (!*text)
		return;
	if (!scenario_range(text, &p) || p.family != family)
		checking_wrong(c, group, key, "is no IPv%u range; accepted: an address whose host bits are 0, and its "
			       "length, like %s", family, family == 4 ? "10.128.0.0/16" : "fd00:7::/64");
	else if (p.bits < least || p.bits > most)
		checking_wrong(c, group, key, "of this length cannot be served; accepted: /%u to /%u", least, most);
}

static void check_network(struct checking *c, const struct scenario_network *n)
{
	struct scenario_prefix all, part;
	char group[32];

	g_snprintf(group, sizeof(group), "network.%u", n->head.number);
	range_of(c, group, "range", n->range, 4, 8, 30);
	range_of(c, group, "range6", n->range6, 6, 64, 120);
	range_of(c, group, "reserved", n->reserved, 4, 8, 32);
	if (!*n->range && !*n->range6)
		checking_wrong(c, group, NULL, "has no addresses; accepted: range, range6 or both");
	if (*n->reserved && scenario_range(n->reserved, &part) && (!scenario_range(n->range, &all) ||
	    part.bits < all.bits || memcmp(part.at, all.at, all.bits / 8)))
		checking_wrong(c, group, "reserved", "is no part of range");
	if (strlen(n->name) > 31)
		checking_wrong(c, group, "name", "is longer than 31 bytes");
	if (*n->range6 && n->mtu_bytes < 1280)
		checking_wrong(c, group, "mtu", "less than 1280B, which IPv6 demands (RFC 8200)");
	if (n->term_ns % NS_PER_S)
		checking_wrong(c, group, "term", "is not a number of whole seconds");
	if (n->replicas % 2 == 0)
		checking_wrong(c, group, "replicas", "an even number is no better than one less; accepted: 1, 3, 5");
	if (n->founders != AUTO && n->founders % 2 == 0)
		checking_wrong(c, group, "founders", "an even number has no better majority; accepted: 1, 3, 5");
	if (n->founders != AUTO && n->founders > c->s->nodes.bootstrap)
		checking_wrong(c, group, "founders", "more than the %d bootstrap nodes", (int)c->s->nodes.bootstrap);
}

static void check_guests(struct checking *c)
{
	static const char *const all[] = {
		"per-node", "nodes-per-lan", "static", "wait", "spread", "desync", "probe", "ipv6", "ping",
		"ping-wait", "resolve", "udp", "udp-bytes", "udp-size", "tcp", "tcp-bytes", "broadcast",
		"broadcast-size", "move", "move-pause", "move-again", "pcap", "pcap-nodes", "capture", "capture-taps",
	};
	const struct scenario_guests *g = &c->s->guests;
	static const struct { const char *key, *of; size_t at; } need[] = {
#define NEED(key, of, member) { key, of, offsetof(struct scenario_guests, member) }
		NEED("ping-wait", "ping", ping_every_ns), NEED("udp-bytes", "udp", udp_every_ns),
		NEED("udp-size", "udp", udp_every_ns), NEED("tcp-bytes", "tcp", tcp_every_ns),
		NEED("broadcast-size", "broadcast", shout_every_ns), NEED("move-pause", "move", move_every_ns),
		NEED("move-again", "move", move_every_ns),
#undef NEED
	};

	if (g->model == GUESTS_NONE) {
		for (unsigned i = 0; i < G_N_ELEMENTS(all); i++)
			checking_inert(c, "guests", all[i], "model", "there are no machines; accepted with model");
		return;
	}
	if (!c->s->network.count)
		checking_wrong(c, "guests", "model", "there is no network for them; accepted with [network.1]");
	if (g->model != GUESTS_ROUTER && g->per_node != 1)
		checking_wrong(c, "guests", "per-node", "a node's own machine is one; accepted with model = router");
	if (g->model != GUESTS_ROUTER && g->move_every_ns)
		checking_wrong(c, "guests", "move", "a node's own machine goes nowhere without it; accepted with model = router");
	if (g->model == GUESTS_INTERFACE && g->nodes_per_lan != 1)
		checking_wrong(c, "guests", "nodes-per-lan", "an interface is on no LAN; accepted with model = router "
			       "or hybrid");
	if (g->per_node * g->nodes_per_lan > 1000)
		checking_wrong(c, "guests", "per-node", "more than 1000 machines on one LAN");
	if (g->static_ppb && g->model == GUESTS_NONE)
		checking_inert(c, "guests", "static", "model", "there are no machines");
	for (unsigned i = 0; i < G_N_ELEMENTS(need); i++)
		if (!*(const int64_t *)(const void *)((const char *)g + need[i].at))
			checking_inert(c, "guests", need[i].key, need[i].of, "there are none without a rate");
	if (!g->pcap)
		checking_inert(c, "guests", "pcap-nodes", "pcap", "there is no capture to replay");
}

static void check_leases(struct checking *c)
{
	static const char *const asks[] = { "contended", "rivals", "window", "any", "hold", "renew", "most" };
	const struct scenario_leases *l = &c->s->leases;
	bool found = false;

	for (unsigned i = 0; !l->every_ns && i < G_N_ELEMENTS(asks); i++)
		checking_inert(c, "leases", asks[i], "rate", "no address is asked for without a rate");
	if (l->every_ns && !l->contended_ppb) {
		checking_inert(c, "leases", "rivals", "contended", "nobody contends");
		checking_inert(c, "leases", "window", "contended", "nobody contends");
	}
	if (!l->every_ns && !l->get_every_ns) {
		checking_inert(c, "leases", "network", "rate", "nothing is asked without a rate");
		checking_inert(c, "leases", "timeout", "rate", "nothing is asked without a rate");
		return;
	}
	for (unsigned i = 0; i < c->s->network.count; i++)
		found |= scenario_network(c->s, i)->head.number == (unsigned)l->network;
	if (!found)
		checking_wrong(c, "leases", "network", "there is no [network.%d]", (int)l->network);
	if (l->every_ns && (!dist_given(&l->hold) || dist_mean_ns(&l->hold) >= DIST_LONGEST_NS))
		checking_wrong(c, "leases", "hold", "has no finite mean");
}

void checking_vnet(struct checking *c)
{
	if (c->s->network.count > NETWORKS)
		checking_wrong(c, "network.1", NULL, "more than %d networks", NETWORKS);
	for (unsigned i = 0; i < c->s->network.count; i++)
		check_network(c, scenario_network(c->s, i));
	check_guests(c);
	check_leases(c);
}
