/*
 * scenario_table.c - every group and key of a scenario file
 *
 * The one place where a key exists: parser, defaults, error texts, `scenario
 * explain` and weft-scenario(5) come from here. A key must change what a run
 * does; the struct member beside it says to the programs what it means.
 */
#include "node/prog/scenario.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* ---- words ------------------------------------------------------------------------------ */

#define WORDS(name) static const struct schema_word name[]
#define END { NULL, 0, NULL }

WORDS(CRYPTO) = {
	{ "real", CRYPTO_REAL, "libsodium does all of it" },
	{ "model", CRYPTO_MODEL, "every byte count and failure, without the arithmetic" }, END
};

WORDS(IDS) = {
	{ "keys", IDS_KEYS, "each node has a key pair and a certificate; its id follows" },
	{ "drawn", IDS_DRAWN, "ids are drawn at random, which skips key generation" }, END
};

WORDS(EVENTS) = {
	{ "none", EVENTS_NONE, NULL },
	{ "records", EVENTS_RECORDS, "every event record of every core" }, END
};

WORDS(NOTHING)     = { { "none", 0, NULL }, END };
WORDS(OFF)         = { { "off", 0, NULL }, END };
WORDS(UNLIMITED)   = { { "unlimited", 0, NULL }, END };
WORDS(WHOLE)       = { { "all", 0, "to its end" }, END };
WORDS(AUTO_ONLY)   = { { "auto", AUTO, NULL }, END };
WORDS(OWN_SIZE)    = { { "own", 0, "each node's own estimate" }, END };

WORDS(START) = {
	{ "equilibrium", START_EQUILIBRIUM, "as after long churn: residual lifetimes" },
	{ "empty", START_EMPTY, "bootstrap nodes only, the others away" },
	{ "all", START_ALL, "all alive, each at the beginning of a session" }, END
};

WORDS(DRAW) = {
	{ "harmonic", RING_HARMONIC, "p(x) = 1/(x ln n): Symphony" },
	{ "uniform", RING_UNIFORM, "all distances alike, for comparison" }, END
};

WORDS(DIRECTION) = {
	{ "two-way", DIRECTION_TWO_WAY, "links are used from both ends, distance counts both ways" },
	{ "one-way", DIRECTION_ONE_WAY, "clockwise only, over one's own links" }, END
};

WORDS(MODEL) = {
	{ "constant", MODEL_CONSTANT, "the same delay everywhere" },
	{ "matrix", MODEL_MATRIX, "measured delays from a file" },
	{ "coordinates", MODEL_COORDINATES, "distance in a plane; built-in, or from a file" }, END
};

WORDS(FORMAT) = {
	{ "auto", FORMAT_AUTO, "by its first lines" },
	{ "square", FORMAT_SQUARE, "n lines of n milliseconds (planetlab-490)" },
	{ "edges", FORMAT_EDGES, "node_a,node_b,latency_ms,jitter_ms (Shadow's sets)" },
	{ "spread", FORMAT_SPREAD, "cluster_a,cluster_b,min_ms ... stddev_ms (iPlane)" },
	{ "points", FORMAT_POINTS, "index,is_root,x_ms,y_ms (skitter coordinates)" }, END
};

WORDS(MEANING) = {
	{ "rtt", MEANING_RTT, "there and back: halved" },
	{ "one-way", MEANING_ONE_WAY, NULL }, END
};

WORDS(FAMILY) = {
	{ "ipv4", FAMILY_IPV4, NULL }, { "ipv6", FAMILY_IPV6, NULL },
	{ "both", FAMILY_BOTH, "every node has an address of each" }, END
};

WORDS(STATE) = {
	{ "all", STATE_ALL, "everything it saved" },
	{ "identity", STATE_IDENTITY, "its key and certificate only" },
	{ "none", STATE_NONE, "nothing: it is a new node" }, END
};

#define X(id, name, session, off, state, source) { name, CHURN_##id, source },
WORDS(PRESETS) = { CHURN_PRESET_LIST(X) END };
#undef X

#define X(name, word, text) { word, FAULT_##name, text },
WORDS(FAULT) = { FAULT_KIND_LIST(X) END };
#undef X

WORDS(WAYS) = {
	{ "both", FAULT_BOTH, NULL },
	{ "one-way", FAULT_ONE_WAY, "partition: earlier groups still reach later ones; cut: the region "
	  "still sends; loss, delay: only what the nodes send" }, END
};

WORDS(LIE) = {
	{ "tail", LIE_TAIL, "the last saves are gone" },
	{ "stale", LIE_STALE, "an old snapshot comes back" }, END
};

WORDS(POLICY) = {
	{ "strict", NETWORK_STRICT, "waits for the network's owner" },
	{ "reclaim", NETWORK_RECLAIM, "those who are left start anew when the longest term is over" }, END
};

WORDS(GUESTS) = {
	{ "none", GUESTS_NONE, "no machines: nodes have taps that nobody is plugged into" },
	{ "interface", GUESTS_INTERFACE, "the node's own machine" },
	{ "router", GUESTS_ROUTER, "a LAN of machines behind the node" },
	{ "hybrid", GUESTS_HYBRID, "the node's own machine, on a LAN with others" }, END
};

WORDS(LOOKS) = {
	{ "off", 0, "not at all" }, { "every-step", EVERY_STEP, "after every step of a core" }, END
};

/* ---- keys ------------------------------------------------------------------------------- */

#define KEYS(name) static const struct schema_key name[]

#define K(type, member) SCHEMA_KEY(struct scenario_run, type, member)
KEYS(RUN) = {
	{ K(TEXT, title), .name = "title", .preset = "", .example = "A churn hour",
	  .text = "what the report calls this run" },
	{ K(TIME, duration_ns), .name = "duration", .preset = "1h", .min = NS_PER_MS,
	  .max = 3650 * NS_PER_DAY, .text = "virtual time, warm-up included" },
	{ K(TIME, warmup_ns), .name = "warmup", .preset = "0", .example = "10m",
	  .text = "cut from all results; shorter than duration" },
	{ K(COUNT, seed), .name = "seed", .preset = "1",
	  .text = "all chance of the run follows from it" },
	{ K(WORD, crypto), .name = "crypto", .preset = "real", .words = CRYPTO,
	  .text = "who seals packets" },
	{ K(WORD, ids), .name = "ids", .preset = "keys", .words = IDS, .text = "where ring ids come from" },
	{ K(TIME, interval_ns), .name = "interval", .preset = "10s", .min = NS_PER_MS,
	  .max = 365 * NS_PER_DAY, .text = "time between two rows of series.csv" },
	{ K(COUNT, shards), .name = "shards", .preset = "1", .min = 1, .max = 256,
	  .text = "event queues; results do not depend on it" },
	{ K(WORD, events), .name = "events", .preset = "none", .words = EVENTS,
	  .text = "what the event log holds" },
	{ K(COUNTS, pcap), .name = "pcap", .preset = "none", .words = NOTHING, .example = "0:17",
	  .max = 9999999, .text = "nodes whose packets are written as pcap" },
};
#undef K

#define K(type, member) SCHEMA_KEY(struct scenario_nodes, type, member)
KEYS(NODES) = {
	{ K(COUNT, count), .name = "count", .preset = "1000", .min = 1, .max = 10000000,
	  .text = "mean number alive, bootstrap nodes included; not with a trace, which decides itself" },
	{ K(COUNT, bootstrap), .name = "bootstrap", .preset = "3", .min = 1, .max = 1000,
	  .text = "nodes that never churn and that all others know the addresses of" },
	{ K(WORD, start), .name = "start", .preset = "equilibrium", .words = START,
	  .text = "who is alive at the beginning; not with a trace, which decides itself" },
	{ K(TIME, join_over_ns), .name = "join-over", .preset = "30s", .max = 365 * NS_PER_DAY,
	  .text = "the first nodes start one by one over this time" },
	{ K(FLAG, remember), .name = "remember", .preset = "no",
	  .text = "the first to start remember their ring neighbours, as nodes that ran before do: no mass join" },
	{ K(BYTES, quota_bytes), .name = "quota", .preset = "1MiB", .min = 4096,
	  .max = INT64_C(1) << 32, .text = "memory a core may use" },
};
#undef K

#define K(type, member) SCHEMA_KEY(struct scenario_ring, type, member)
KEYS(RING) = {
	{ K(COUNT, near), .name = "near", .preset = "2", .min = 1, .max = 8,
	  .text = "near links to each side" },
	{ K(COUNT, links), .name = "long", .preset = "auto", .words = AUTO_ONLY, .min = 1, .max = 64,
	  .text = "long links drawn; auto is ceil(log2(n) / 2)" },
	{ K(WORD, draw), .name = "draw", .preset = "harmonic", .words = DRAW,
	  .text = "how far long links reach" },
	{ K(WORD, direction), .name = "direction", .preset = "two-way", .words = DIRECTION,
	  .text = "which way packets may travel" },
	{ K(FLAG, lookahead), .name = "lookahead", .preset = "yes",
	  .text = "route by the neighbours of neighbours, too" },
	{ K(FLAG, cap), .name = "cap", .preset = "yes",
	  .text = "refuse incoming long links beyond twice `long`" },
	{ K(COUNT, assume_n), .name = "assume-n", .preset = "own", .words = OWN_SIZE, .min = 1,
	  .max = 10000000, .text = "the size nodes believe in, to compare with published figures" },
};
#undef K

#define K(type, member) SCHEMA_KEY(struct scenario_link, type, member)
KEYS(LINK) = {
	{ K(TIME, probe_ns), .name = "probe", .preset = "5s", .min = 10 * NS_PER_MS, .max = NS_PER_DAY,
	  .text = "silence after which an immediate ring neighbour is probed" },
	{ K(TIME, probe_second_ns), .name = "probe-second", .preset = "20s", .min = 10 * NS_PER_MS,
	  .max = NS_PER_DAY, .text = "the same for second neighbours" },
	{ K(TIME, probe_far_ns), .name = "probe-far", .preset = "60s", .min = 10 * NS_PER_MS,
	  .max = NS_PER_DAY, .text = "the same for all other links" },
	{ K(COUNT, suspect_probes), .name = "suspect-probes", .preset = "3", .min = 1, .max = 10,
	  .text = "probes that settle a suspicion" },
	{ K(TIME, suspect_ns), .name = "suspect", .preset = "1.5s", .min = 10 * NS_PER_MS,
	  .max = NS_PER_H, .text = "time in which they are sent" },
};
#undef K

#define K(type, member) SCHEMA_KEY(struct scenario_net, type, member)
KEYS(NET) = {
	{ K(WORD, model), .name = "model", .preset = "constant", .words = MODEL,
	  .text = "where delays between sites come from" },
	{ K(TIME, latency_ns), .name = "latency", .preset = "40ms", .max = 4 * NS_PER_S,
	  .text = "one-way delay of model = constant" },
	{ K(PATH, file), .name = "file", .example = "../../shared/data/latency/planetlab-490/PlanetLabData_01.txt.gz",
	  .text = "measured data, gzip or plain; needs meaning" },
	{ K(WORD, format), .name = "format", .preset = "auto", .words = FORMAT,
	  .text = "how the file is laid out" },
	{ K(WORD, meaning), .name = "meaning", .words = MEANING, .example = "rtt",
	  .text = "what the numbers of the file are; there is no default" },
	{ K(TIME, floor_ns), .name = "floor", .preset = "500us", .min = 10 * NS_PER_US,
	  .max = 4 * NS_PER_S, .text = "least one-way delay between two sites" },
	{ K(SHARE, jitter_ppb), .name = "jitter", .preset = "0%", .example = "5%",
	  .text = "packets take up to this share of the delay longer" },
	{ K(SHARE, loss_ppb), .name = "loss", .preset = "0%", .example = "0.5%",
	  .text = "packets lost" },
	{ K(COUNT, loss_burst), .name = "loss-burst", .preset = "1", .min = 1, .max = 10000,
	  .text = "mean number lost in a row; 1 is independent loss" },
	{ K(SHARE, duplicate_ppb), .name = "duplicate", .preset = "0%", .text = "packets that arrive twice" },
	{ K(SHARE, reorder_ppb), .name = "reorder", .preset = "0%",
	  .text = "packets held back by reorder-by, so that later ones overtake" },
	{ K(TIME, reorder_by_ns), .name = "reorder-by", .preset = "10ms", .min = 1, .max = NS_PER_MIN,
	  .text = "how long they are held" },
	{ K(SHARE, corrupt_ppb), .name = "corrupt", .preset = "0%", .text = "packets with a flipped bit" },
	{ K(SHARE, asymmetry_ppb), .name = "asymmetry", .preset = "0%",
	  .text = "one direction of a pair is up to this slower, the other as much faster" },
	{ K(SHARE, non_transitive_ppb), .name = "non-transitive", .preset = "0%", .max = PPB_ONE / 2,
	  .example = "5%", .text = "pairs of sites that cannot reach each other" },
	{ K(BYTES, mtu_bytes), .name = "mtu", .preset = "1500B", .min = 576, .max = 65535,
	  .text = "largest packet, IP header included; at least 1280B with IPv6" },
	{ K(DIST, access), .name = "access", .preset = "none", .words = NOTHING,
	  .example = "lognormal median 8ms sigma 0.9", .text = "delay of a node's access link, each way; built-in coordinates bring their own" },
	{ K(BITRATE, up_bit_s), .name = "up", .preset = "unlimited", .words = UNLIMITED, .min = 1000,
	  .max = INT64_C(1000000000000), .example = "10Mbit", .text = "rate of access links, outgoing" },
	{ K(BITRATE, down_bit_s), .name = "down", .preset = "unlimited", .words = UNLIMITED, .min = 1000,
	  .max = INT64_C(1000000000000), .example = "50Mbit", .text = "rate of access links, incoming" },
	{ K(BYTES, queue_bytes), .name = "queue", .preset = "64KiB", .min = 1500, .max = 1 << 30,
	  .text = "what an access link with a rate holds; more is dropped" },
	{ K(WORD, family), .name = "family", .preset = "ipv4", .words = FAMILY, .text = "addresses of nodes" },
	{ K(COUNT, regions), .name = "regions", .preset = "none", .words = NOTHING, .min = 2, .max = 256,
	  .example = "5", .text = "regions the nodes lie in, for faults that cut one off" },
};
#undef K

#define K(type, member) SCHEMA_KEY(struct scenario_churn, type, member)
KEYS(CHURN) = {
	{ K(WORD, preset), .name = "preset", .preset = "none", .words = PRESETS, .example = "kad",
	  .text = "published session, off and state; keys given here win" },
	{ K(DIST, session), .name = "session", .words = NOTHING, .example = "weibull shape 0.6 median 60m",
	  .text = "how long a node stays; none: for ever" },
	{ K(DIST, off), .name = "off", .words = NOTHING, .example = "exponential mean 30m",
	  .text = "how long it is away before it returns; none: 0" },
	{ K(SHARE, graceful_ppb), .name = "graceful", .preset = "0%", .example = "50%",
	  .text = "leaves that say goodbye; the others are crashes" },
	{ K(WORD, state), .name = "state", .preset = "identity", .words = STATE,
	  .text = "what a returning node still has" },
	{ K(SHARE, repeat_ppb), .name = "repeat", .preset = "0%", .example = "50%",
	  .text = "chance that a node's next session is as long as its last" },
	{ K(PATH, trace), .name = "trace", .example = "../../shared/data/churn/tor-relays-2023/sessions.csv.gz",
	  .text = "on/off trace instead of session and off" },
	{ K(TIME, trace_start_ns), .name = "trace-start", .preset = "0",
	  .text = "where in the trace the run begins, in the trace's own time" },
	{ K(TIME, trace_length_ns), .name = "trace-length", .preset = "all", .words = WHOLE,
	  .min = NS_PER_S, .max = 3650 * NS_PER_DAY,
	  .text = "how much of it is used, in the trace's own time; then nothing changes" },
	{ K(COUNT, trace_speed), .name = "trace-speed", .preset = "1", .min = 1, .max = 1000000,
	  .text = "times faster than it was" },
	{ K(SHARE, trace_scale_ppb), .name = "trace-scale", .preset = "100%", .min = 1, .max = PPB_ONE,
	  .text = "identities of the trace that take part" },
	{ K(TIME, trace_spread_ns), .name = "trace-spread", .preset = "0", .max = 30 * NS_PER_DAY,
	  .example = "1h", .text = "trace times are moved back by up to this, in the trace's own time" },
};
#undef K

#define B(kind) (UINT32_C(1) << FAULT_##kind)
#define ENDS	(B(CRASH) | B(RESTART) | B(LEAVE))
#define STOPS	(B(PAUSE) | B(SUSPEND))
#define LASTS	(B(SLOW_NODE) | B(SLOW_DISK) | B(LYING_DISK) | B(DRIFT) | B(LOSS) | B(DELAY))
#define PARTS	(B(PARTITION) | B(CUT))
#define VICTIMS	(ENDS | STOPS | LASTS | B(REVOKE))
#define ANY	(~UINT32_C(0))

#define K(type, member) SCHEMA_KEY(struct fault, type, member)
KEYS(FAULTS) = {
	{ K(WORD, kind), .name = "kind", .words = FAULT, .needed = ANY, .example = "partition",
	  .text = "what happens" },
	{ K(TIME, at_ns), .name = "at", .needed = ANY, .example = "30m",
	  .text = "when, on the clock of the run (warm-up included)" },
	{ K(TIME, for_ns), .name = "for", .taken = PARTS | STOPS | LASTS | B(JOIN), .needed = STOPS,
	  .min = NS_PER_MS, .max = 3650 * NS_PER_DAY, .example = "2m",
	  .text = "how long it lasts; not given: to the end of the run" },
	{ K(TIME, over_ns), .name = "over", .taken = ENDS | B(JOIN), .preset = "0", .example = "1s",
	  .text = "nodes are hit one by one over this time" },
	{ K(TIME, down_ns), .name = "down", .taken = B(RESTART), .preset = "1s",
	  .text = "time from a node's end to its new start" },
	{ K(SHARE, share_ppb), .name = "share", .taken = VICTIMS, .min = 1, .max = PPB_ONE, .example = "50%",
	  .text = "who: this share of the nodes alive" },
	{ K(COUNT, count), .name = "count", .taken = VICTIMS | B(JOIN), .needed = B(JOIN), .min = 1,
	  .max = 10000000, .example = "10", .text = "who: so many of the nodes alive; join: new nodes" },
	{ K(COUNTS, nodes), .name = "nodes", .taken = VICTIMS, .max = 9999999, .example = "3:5:8",
	  .text = "who: these nodes, by number" },
	{ K(FLAG, bootstrap), .name = "bootstrap", .taken = VICTIMS, .preset = "no",
	  .text = "share and count may hit bootstrap nodes" },
	{ K(SHARES, groups), .name = "groups", .taken = B(PARTITION), .needed = B(PARTITION),
	  .min = 1, .max = PPB_ONE, .example = "30%:70%", .text = "the parts; they add up to 100%" },
	{ K(WORD, direction), .name = "direction", .taken = PARTS | B(LOSS) | B(DELAY), .preset = "both",
	  .words = WAYS, .text = "whether both directions are affected" },
	{ K(COUNT, region), .name = "region", .taken = B(CUT), .needed = B(CUT), .max = 255,
	  .example = "2", .text = "which region; below [net] regions" },
	{ K(WORD, state), .name = "state", .taken = B(RESTART), .preset = "all", .words = STATE,
	  .text = "what the nodes still have when they start again" },
	{ K(SHARE, graceful_ppb), .name = "graceful", .taken = B(RESTART), .preset = "0%",
	  .text = "those that say goodbye before" },
	{ K(DRIFT, drift_ppb), .name = "drift", .taken = B(DRIFT), .needed = B(DRIFT),
	  .min = -PPB_ONE / 10, .max = PPB_ONE / 10, .example = "200ppm",
	  .text = "how much faster the clocks run; negative is slower" },
	{ K(TIME, delay_ns), .name = "delay", .taken = B(SLOW_NODE) | B(SLOW_DISK) | B(DELAY),
	  .needed = B(SLOW_NODE) | B(SLOW_DISK) | B(DELAY), .min = NS_PER_US, .max = NS_PER_H,
	  .example = "250ms", .text = "what a step, a save or a packet takes longer" },
	{ K(SHARE, loss_ppb), .name = "loss", .taken = B(LOSS), .needed = B(LOSS), .min = 1,
	  .max = PPB_ONE, .example = "30%", .text = "packets lost" },
	{ K(COUNT, network), .name = "network", .taken = B(REVOKE), .needed = B(REVOKE), .min = 2, .max = 8, .example = "2",
	  .text = "whose: one that is not the overlay, so not 1; the nodes stay on the overlay" },
	{ K(WORD, lie), .name = "lie", .taken = B(LYING_DISK), .preset = "tail", .words = LIE,
	  .text = "what is found after the next start" },
};
#undef K

#define K(type, member) SCHEMA_KEY(struct scenario_network, type, member)
KEYS(NETWORK) = {
	{ K(TEXT, name), .name = "name", .preset = "", .example = "lab", .text = "what it is called; netN if nothing" },
	{ K(TEXT, range), .name = "range", .preset = "10.128.0.0/16", .text = "its IPv4 addresses; nothing: none" },
	{ K(TEXT, range6), .name = "range6", .preset = "", .example = "fd00:7::/64",
	  .text = "its IPv6 addresses; nothing: none" },
	{ K(TEXT, reserved), .name = "reserved", .preset = "", .example = "10.128.0.0/24",
	  .text = "the part of range that certificates own, never leased" },
	{ K(TIME, term_ns), .name = "term", .preset = "1h", .min = 10 * NS_PER_S, .max = 7 * NS_PER_DAY,
	  .text = "longest time an address is leased for" },
	{ K(BYTES, mtu_bytes), .name = "mtu", .preset = "1400B", .min = 576, .max = 9000,
	  .text = "of the interfaces of machines in it; at least 1280B with range6" },
	{ K(DRIFT, drift_ppb), .name = "drift", .preset = "500ppm", .min = 1000, .max = 50000000,
	  .text = "how much clocks may differ in rate before leases are not safe" },
	{ K(WORD, policy), .name = "policy", .preset = "strict", .words = POLICY,
	  .text = "what becomes of addresses whose replicas' majority is gone for good" },
	{ K(COUNT, replicas), .name = "replicas", .preset = "5", .min = 1, .max = 5,
	  .text = "nodes that agree about an address: 1, 3 or 5" },
	{ K(COUNT, founders), .name = "founders", .preset = "auto", .words = AUTO_ONLY, .min = 1, .max = 5,
	  .text = "bootstrap nodes the network begins with: 1, 3 or 5; auto: as many as there are, up to replicas" },
};
#undef K

#define K(type, member) SCHEMA_KEY(struct scenario_guests, type, member)
KEYS(GUESTS_KEYS) = {
	{ K(WORD, model), .name = "model", .preset = "none", .words = GUESTS, .text = "how machines meet the network" },
	{ K(COUNT, per_node), .name = "per-node", .preset = "1", .min = 1, .max = 200,
	  .text = "machines behind each node, for each network; 1 unless model = router" },
	{ K(COUNT, nodes_per_lan), .name = "nodes-per-lan", .preset = "1", .min = 1, .max = 64,
	  .text = "nodes that share one LAN; model = router or hybrid" },
	{ K(SHARE, static_ppb), .name = "static", .preset = "0%", .example = "20%",
	  .text = "machines with fixed addresses; the others use DHCP" },
	{ K(TIME, wait_ns), .name = "wait", .preset = "0", .max = 30 * NS_PER_DAY,
	  .text = "time from the start of a node to the start of its machines" },
	{ K(TIME, spread_ns), .name = "spread", .preset = "0", .max = 30 * NS_PER_DAY,
	  .text = "each machine starts up to this later" },
	{ K(TIME, desync_ns), .name = "desync", .preset = "0", .max = NS_PER_MIN, .example = "10s",
	  .text = "a DHCP client waits up to this before its first DISCOVER (RFC 2131: 1 to 10 s)" },
	{ K(FLAG, probe), .name = "probe", .preset = "no", .text = "machines probe addresses before use (RFC 5227)" },
	{ K(FLAG, ipv6), .name = "ipv6", .preset = "no", .text = "machines speak IPv6, too" },
	{ K(RATE, ping_every_ns), .name = "ping", .preset = "off", .words = OFF, .min = NS_PER_US, .example = "0.1/s",
	  .text = "pings of random others, per machine with an address" },
	{ K(TIME, ping_wait_ns), .name = "ping-wait", .preset = "5s", .min = NS_PER_MS, .max = NS_PER_MIN,
	  .text = "without an answer by then it is lost" },
	{ K(RATE, resolve_every_ns), .name = "resolve", .preset = "off", .words = OFF, .min = NS_PER_US,
	  .example = "6/m", .text = "names of random others asked for, per machine" },
	{ K(RATE, udp_every_ns), .name = "udp", .preset = "off", .words = OFF, .min = NS_PER_US, .example = "1/m",
	  .text = "UDP flows to random others, per machine" },
	{ K(BYTES, udp_bytes), .name = "udp-bytes", .preset = "20kB", .min = 1, .max = 1 << 30,
	  .text = "what one carries" },
	{ K(BYTES, udp_size_bytes), .name = "udp-size", .preset = "1000B", .min = 32, .max = 8972,
	  .text = "payload of its datagrams; cut to the interface's MTU" },
	{ K(RATE, tcp_every_ns), .name = "tcp", .preset = "off", .words = OFF, .min = NS_PER_US, .example = "1/m",
	  .text = "TCP flows to random others, per machine" },
	{ K(BYTES, tcp_bytes), .name = "tcp-bytes", .preset = "100kB", .min = 1, .max = 1 << 30,
	  .text = "what one carries" },
	{ K(RATE, shout_every_ns), .name = "broadcast", .preset = "off", .words = OFF, .min = NS_PER_US,
	  .example = "1/m", .text = "broadcasts to the whole network, per machine" },
	{ K(BYTES, shout_bytes), .name = "broadcast-size", .preset = "64B", .min = 24, .max = 1024,
	  .text = "payload of each" },
	{ K(RATE, move_every_ns), .name = "move", .preset = "off", .words = OFF, .min = NS_PER_US, .example = "0.5/m",
	  .text = "moves to another node's LAN while it runs, per machine; model = router" },
	{ K(TIME, move_pause_ns), .name = "move-pause", .preset = "50ms", .min = NS_PER_MS, .max = NS_PER_MIN,
	  .text = "a machine that moves stands still for so long" },
	{ K(SHARE, move_again_ppb), .name = "move-again", .preset = "0%", .example = "20%",
	  .text = "moves that are followed by another within a second" },
	{ K(PATH, pcap), .name = "pcap", .example = "../../shared/data/pcap/dhcp.pcap",
	  .text = "frames of this capture come into taps as well, at their times after the node's start" },
	{ K(COUNTS, pcap_nodes), .name = "pcap-nodes", .preset = "0", .max = 9999999, .example = "3:4",
	  .text = "the nodes whose taps they come into" },
	{ K(COUNTS, capture), .name = "capture", .preset = "none", .words = NOTHING, .max = 9999999, .example = "0:1",
	  .text = "machines whose frames are written as pcap (g0.pcap)" },
	{ K(COUNTS, capture_taps), .name = "capture-taps", .preset = "none", .words = NOTHING, .max = 9999999,
	  .example = "0", .text = "nodes whose taps' frames are written as pcap (n0-tap.pcap)" },
};
#undef K

#define K(type, member) SCHEMA_KEY(struct scenario_leases, type, member)
KEYS(LEASES) = {
	{ K(RATE, every_ns), .name = "rate", .preset = "off", .words = OFF, .min = NS_PER_US, .example = "1/s",
	  .text = "addresses asked for without machines, per joined node" },
	{ K(COUNT, network), .name = "network", .preset = "1", .min = 1, .max = 999, .text = "of which [network.N]" },
	{ K(SHARE, contended_ppb), .name = "contended", .preset = "0%", .example = "10%",
	  .text = "asks for an address that other nodes ask for at the same time" },
	{ K(COUNT, rivals), .name = "rivals", .preset = "3", .min = 2, .max = 1000,
	  .text = "about how many nodes ask for one" },
	{ K(TIME, window_ns), .name = "window", .preset = "1s", .min = NS_PER_MS, .max = NS_PER_H,
	  .text = "within how much time" },
	{ K(SHARE, any_ppb), .name = "any", .preset = "50%",
	  .text = "of the other asks are for any address; the rest for a random one" },
	{ K(DIST, hold), .name = "hold", .preset = "exponential mean 60s",
	  .text = "how long an address is kept before it is released" },
	{ K(SHARE, renew_ppb), .name = "renew", .preset = "20%", .text = "are renewed on request in the middle of that" },
	{ K(RATE, get_every_ns), .name = "get-rate", .preset = "off", .words = OFF, .min = NS_PER_US,
	  .example = "1/s", .text = "asks who has a random address, per joined node" },
	{ K(TIME, timeout_ns), .name = "timeout", .preset = "10s", .min = NS_PER_MS, .max = NS_PER_H,
	  .text = "without an answer by then an ask is lost" },
	{ K(COUNT, most), .name = "most", .preset = "8", .min = 1, .max = 64,
	  .text = "addresses one node holds; with so many it does not ask for more" },
};
#undef K

#define K(type, member) SCHEMA_KEY(struct scenario_lookups, type, member)
KEYS(LOOKUPS) = {
	{ K(RATE, every_ns), .name = "rate", .preset = "off", .words = OFF, .min = NS_PER_US,
	  .example = "0.1/s", .text = "lookups of random keys, per joined node" },
	{ K(TIME, timeout_ns), .name = "timeout", .preset = "10s", .min = NS_PER_MS, .max = NS_PER_H,
	  .text = "without an answer by then it is lost" },
	{ K(TIME, retry_ns), .name = "retry", .preset = "4s", .min = NS_PER_MS, .max = NS_PER_H,
	  .text = "without an answer the asker asks again after this" },
};
#undef K

#define K(type, member) SCHEMA_KEY(struct scenario_broadcasts, type, member)
KEYS(BROADCASTS) = {
	{ K(RATE, every_ns), .name = "rate", .preset = "off", .words = OFF, .min = NS_PER_MS,
	  .example = "2/m", .text = "broadcasts from random nodes, of the whole network" },
	{ K(BYTES, size_bytes), .name = "size", .preset = "64B", .max = 1024, .text = "payload of each" },
};
#undef K

#define K(type, member) SCHEMA_KEY(struct scenario_check, type, member)
#define LOOK(m, key, value, words_of) \
	{ K(TIME, m), .name = key, .preset = value, .words = LOOKS, .min = NS_PER_MS, \
	  .max = 365 * NS_PER_DAY, .text = words_of }
KEYS(CHECK) = {
	LOOK(ring_ns, "ring", "10s", "ring invariants, in each part of the underlay"),
	LOOK(routing_ns, "routing", "10s", "greedy routing reaches the owner of a key and does not loop"),
	LOOK(links_ns, "links", "10s", "both ends of a link know it"),
	LOOK(bounds_ns, "bounds", "10s", "tables and memory within their bounds"),
	LOOK(leftovers_ns, "leftovers", "60s", "nothing is left of nodes that went"),
	{ K(FLAG, lengths), .name = "lengths", .preset = "no",
	  .text = "at the end: lengths of long links follow their law" },
	{ K(FLAG, broadcasts), .name = "broadcasts", .preset = "yes",
	  .text = "who a broadcast reached, and how often" },
	{ K(TIME, healed_ns), .name = "healed", .preset = "off", .words = OFF, .min = NS_PER_MS,
	  .max = 365 * NS_PER_DAY, .example = "60s",
	  .text = "bound after the last fault for one right ring in each part" },
	{ K(FLAG, stop), .name = "stop", .preset = "no", .text = "end the run at the first violation" },
};
#undef K

/* ---- groups ----------------------------------------------------------------------------- */

#define GROUP(group, S, member, table, line) \
	{ .name = group, .text = line, .offset = offsetof(struct scenario, member), \
	  .size = sizeof(S), .keys = table, .count = COUNT_OF(table) }

static const struct schema_group GROUPS[] = {
	GROUP("run", struct scenario_run, run, RUN, "the run as a whole"),
	GROUP("nodes", struct scenario_nodes, nodes, NODES, "who takes part"),
	GROUP("ring", struct scenario_ring, ring, RING, "the overlay's structure"),
	GROUP("link", struct scenario_link, link, LINK, "how links notice that the other end is gone"),
	GROUP("net", struct scenario_net, net, NET, "the network underneath"),
	GROUP("churn", struct scenario_churn, churn, CHURN, "how nodes come and go"),
	{ .name = "fault", .text = "something that goes wrong at a given time; the number orders them",
	  .offset = offsetof(struct scenario, fault), .size = sizeof(struct fault), .keys = FAULTS,
	  .count = COUNT_OF(FAULTS), .by_kind = true, .numbered = true },
	{ .name = "network", .text = "a virtual network all nodes are members of; the number orders them",
	  .offset = offsetof(struct scenario, network), .size = sizeof(struct scenario_network), .keys = NETWORK,
	  .count = COUNT_OF(NETWORK), .numbered = true },
	GROUP("guests", struct scenario_guests, guests, GUESTS_KEYS, "machines behind the taps, and what they do"),
	GROUP("leases", struct scenario_leases, leases, LEASES, "addresses asked for and given back by nodes themselves"),
	GROUP("lookups", struct scenario_lookups, lookups, LOOKUPS,
	      "questions who owns a key, judged against the truth"),
	GROUP("broadcasts", struct scenario_broadcasts, broadcasts, BROADCASTS, "messages to everybody"),
	GROUP("check", struct scenario_check, check, CHECK, "what is checked while it runs, and how often"),
	{ .name = "expect", .text = "metric = comparison; decides the exit code (0 all hold, 1 not)",
	  .offset = offsetof(struct scenario, expect), .open = true },
};

_Static_assert(FAULT_KINDS <= 32, "a fault's kind is a bit in needed and taken");

const struct schema scenario_schema = {
	.name = "scenario",
	.title = "an experiment for weft-sim and weft-emu",
	.groups = GROUPS,
	.count = COUNT_OF(GROUPS),
	.size = sizeof(struct scenario),
};
