/*
 * config_table.c - every group and key of weft-node's configuration
 *
 * The one place where a key exists: parser, defaults, error texts, `weftctl
 * config explain` and weft.conf(5) come from here. [ring] and [link] have the
 * names they have in scenarios, so that what a simulation found can be used.
 */
#include "node/config.h"
#include "node/diary.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define WORDS(name) static const struct schema_word name[]
#define KEYS(name) static const struct schema_key name[]
#define END { NULL, 0, NULL }

WORDS(LEVELS) = {
	{ "error", LEVEL_ERROR, "the node stops" }, { "warn", LEVEL_WARN, "look at it" },
	{ "info", LEVEL_INFO, "what changed" }, { "debug", LEVEL_DEBUG, "why; every link and neighbour" }, END
};

WORDS(AUTO_ONLY) = { { "auto", 0, NULL }, END };

WORDS(DRAW) = {
	{ "harmonic", DRAW_HARMONIC, "p(x) = 1/(x ln n): Symphony" },
	{ "uniform", DRAW_UNIFORM, "all distances alike, for comparison" }, END
};

WORDS(DIRECTION) = {
	{ "two-way", false, "links are used from both ends, distance counts both ways" },
	{ "one-way", true, "clockwise only" }, END
};

#define K(type, member) SCHEMA_KEY(struct config_node, type, member)
KEYS(NODE) = {
	{ K(PATH, state), .name = "state", .preset = "state", .example = "/var/lib/weft",
	  .text = "the node's private directory: its key, its card, what it remembers" },
	{ K(PATH, control), .name = "control", .example = "/run/weft/control",
	  .text = "the control socket; not given: `control` in the private directory" },
	{ K(TEXT, group), .name = "control-group", .example = "weft",
	  .text = "a group of this machine whose members may use the control socket beside the node's own user and root; not "
		  "given: nobody else" },
	{ K(FLAG, confine), .name = "confine", .preset = "yes",
	  .text = "give up all rights that are not needed once the node runs: capabilities but CAP_NET_ADMIN, system calls "
		  "(seccomp), being looked at; no is for debuggers" },
	{ K(TEXT, metrics), .name = "metrics", .preset = "off", .example = "127.0.0.1:9464",
	  .text = "address and TCP port where GET /metrics is answered in the text format of Prometheus, to whoever can "
		  "connect; or off" },
	{ K(WORD, log), .name = "log", .preset = "info", .words = LEVELS,
	  .text = "what is said on standard error; SIGHUP changes it" },
	{ K(BYTES, quota_bytes), .name = "quota", .preset = "4MiB", .min = 256 << 10, .max = 1 << 30,
	  .text = "memory the node may take for links and tables; at the limit it drops and lives on" },
};
#undef K

#define K(type, member) SCHEMA_KEY(struct config_underlay, type, member)
KEYS(UNDERLAY) = {
	{ K(TEXT, listen4), .name = "listen4", .preset = "0.0.0.0:9338", .example = "192.0.2.1:9338",
	  .text = "IPv4 address and UDP port, or off; port 0 takes a free one and keeps it over restarts" },
	{ K(TEXT, listen6), .name = "listen6", .preset = "[::]:9338", .example = "[2001:db8::1]:9338",
	  .text = "the same for IPv6" },
	{ K(BYTES, mtu_bytes), .name = "mtu", .preset = "1500B", .min = 1280, .max = 1500,
	  .text = "largest IP packet to try; paths that carry less are found out" },
};
#undef K

#define K(type, member) SCHEMA_KEY(struct config_overlay, type, member)
KEYS(OVERLAY) = {
	{ K(TEXT, bootstrap), .name = "bootstrap", .preset = "", .example = "192.0.2.1:9338 [2001:db8::1]:9338 vpn.example.org:9338",
	  .text = "endpoints of members, blanks between; SIGHUP changes those without names. Names are looked up by "
		  "`weftctl lookup`, which the node starts, again and again while nobody answers" },
};
#undef K

#define K(type, member) SCHEMA_KEY(struct config_ring, type, member)
KEYS(RING) = {
	{ K(COUNT, near), .name = "near", .preset = "2", .min = 1, .max = 8, .text = "near links to each side" },
	{ K(COUNT, links), .name = "long", .preset = "auto", .words = AUTO_ONLY, .min = 1, .max = 64,
	  .text = "long links drawn; auto is ceil(log2(n) / 2)" },
	{ K(WORD, draw), .name = "draw", .preset = "harmonic", .words = DRAW, .text = "how far long links reach" },
	{ K(WORD, direction), .name = "direction", .preset = "two-way", .words = DIRECTION,
	  .text = "which way packets may travel" },
	{ K(FLAG, lookahead), .name = "lookahead", .preset = "yes",
	  .text = "route by the neighbours of neighbours, too" },
	{ K(FLAG, cap), .name = "cap", .preset = "yes",
	  .text = "refuse incoming long links beyond twice `long`" },
};
#undef K

#define K(type, member) SCHEMA_KEY(struct config_link, type, member)
KEYS(LINK) = {
	{ K(TIME, probe_ns), .name = "probe", .preset = "5s", .min = 10 * NS_PER_MS, .max = NS_PER_DAY,
	  .text = "silence after which an immediate ring neighbour is probed" },
	{ K(TIME, probe_second_ns), .name = "probe-second", .preset = "20s", .min = 10 * NS_PER_MS,
	  .max = NS_PER_DAY, .text = "the same for second neighbours" },
	{ K(TIME, probe_far_ns), .name = "probe-far", .preset = "60s", .min = 10 * NS_PER_MS,
	  .max = NS_PER_DAY, .text = "the same for all other links" },
	{ K(COUNT, suspect_probes), .name = "suspect-probes", .preset = "3", .min = 1, .max = 10,
	  .text = "probes that settle a suspicion" },
	{ K(TIME, suspect_ns), .name = "suspect", .preset = "1.5s", .min = 10 * NS_PER_MS, .max = NS_PER_H,
	  .text = "time in which they are sent" },
};
#undef K

WORDS(MODEL) = {
	{ "interface", MODEL_INTERFACE, "the tap is this host's own card" },
	{ "router", MODEL_ROUTER, "the tap is a port of `bridge`, and the node serves every machine there" },
	{ "hybrid", MODEL_HYBRID, "the same, but it serves this host alone" }, END
};

WORDS(RESOLVER) = {
	{ "none", RESOLVER_NONE, "nobody: this host's resolver stays as it is" },
	{ "resolved", RESOLVER_RESOLVED, "systemd-resolved" }, END
};

#define K(type, member) SCHEMA_KEY(struct config_network, type, member)
KEYS(NETWORK) = {
	{ K(PATH, record), .name = "record", .example = "/var/lib/weft/network",
	  .text = "the network's file, as `weftctl net` made it; not given: `network` in the private directory" },
	{ K(PATH, card), .name = "card", .example = "/var/lib/weft/office.card",
	  .text = "this node's certificate in it; not given: the overlay's, for a network that is its own overlay" },
	{ K(TEXT, tap), .name = "tap", .preset = "weft%d", .example = "weft0",
	  .text = "the tap's name; %d stands for the first number that is free" },
	{ K(WORD, model), .name = "model", .preset = "interface", .words = MODEL, .text = "who is behind the tap" },
	{ K(TEXT, bridge), .name = "bridge", .example = "br0",
	  .text = "the tap's bridge under model = router or hybrid; made if it does not exist" },
	{ K(TEXT, device), .name = "device", .example = "br0",
	  .text = "the host's own card under model = hybrid: the bridge or any device there; made as a veth into the bridge if "
		  "it does not exist; not given: one called as the tap with an h behind" },
	{ K(TEXT, address), .name = "address", .preset = "auto", .example = "lease",
	  .text = "the host's own address: lease (the node asks for any and sets it), one of the network, or off, for "
		  "DHCP clients and other ways; auto is lease under model = interface, else off" },
	{ K(TEXT, name), .name = "name", .preset = "auto", .example = "alice",
	  .text = "the host's name in the network, or off; auto is the name in the certificate" },
	{ K(WORD, resolver), .name = "resolver", .preset = "none", .words = RESOLVER,
	  .text = "who on this host is told to ask the network's name server for names and addresses of the network, while the "
		  "node runs: by weft-node if root started it, else by weft-resolver@.service or `weftctl resolver`" },
	{ K(TEXT, firewall), .name = "firewall", .preset = "",
	  .example = "allow icmp; allow tcp 22 from admins; allow udp 5000-5999; deny any",
	  .text = "what others of the network may begin with machines here: rules `(allow | deny) (any | icmp | tcp | udp) "
		  "[PORT | PORT-PORT] [from GROUP]`, semicolons between, the first that fits decides, and what none fits is "
		  "let in. Groups are those of the sender's certificate. Answers always come in" },
};
#undef K

#define GROUP(group, S, member, table, line) \
	{ .name = group, .text = line, .offset = offsetof(struct node_config, member), \
	  .size = sizeof(S), .keys = table, .count = COUNT_OF(table) }

static const struct schema_group GROUPS[] = {
	GROUP("node", struct config_node, node, NODE, "the daemon"),
	GROUP("underlay", struct config_underlay, underlay, UNDERLAY, "the network underneath"),
	GROUP("overlay", struct config_overlay, overlay, OVERLAY, "finding the others"),
	GROUP("ring", struct config_ring, ring, RING, "the overlay's structure"),
	GROUP("link", struct config_link, link, LINK, "how links notice that the other end is gone"),
	{ .name = "network", .text = "a virtual network this machine is in, up to 8; SIGHUP joins and leaves networks", .numbered = true,
	  .offset = offsetof(struct node_config, network), .size = sizeof(struct config_network), .keys = NETWORK,
	  .count = COUNT_OF(NETWORK) },
};

const struct schema config_schema = {
	.name = "configuration",
	.title = "configuration of weft-node",
	.groups = GROUPS,
	.count = COUNT_OF(GROUPS),
	.size = sizeof(struct node_config),
};
