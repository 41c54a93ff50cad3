#include "node/metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/dht/dht.h"
#include "core/link/tunnel.h"
#include "core/vnet/vnet.h"
#include "node/diary.h"
#include "node/text.h"

struct out {
	char *text;
	size_t len, room;
	const char *metric;		/* the one that head() began */
};

static void print(struct out *o, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void print(struct out *o, const char *format, ...)
{
	va_list args;
	int n;

	for (;;) {
		va_start(args, format);
		n = vsnprintf(o->text + o->len, o->room - o->len, format, args);
		va_end(args);
		if (n < 0)
			abort();
		if (o->len + (size_t)n < o->room)
			break;
		o->room = 2 * (o->len + (size_t)n) + 1024;
		o->text = realloc(o->text, o->room);
		if (!o->text)
			abort();
	}
	o->len += (size_t)n;
}

static void head(struct out *o, const char *metric, const char *type, const char *help)
{
	o->metric = metric;
	print(o, "# HELP %s %s\n# TYPE %s %s\n", metric, help, metric, type);
}

/* One sample; @label NULL: without a label. */
static void sample(struct out *o, const char *label, const char *value, uint64_t v)
{
	print(o, "%s", o->metric);
	if (label) {
		print(o, "{%s=\"", label);
		for (; *value; value++)
			print(o, *value == '\\' || *value == '"' ? "\\%c" : *value == '\n' ? "\\n" : "%c", *value);
		print(o, "\"}");
	}
	print(o, " %" PRIu64 "\n", v);
}

static void one(struct out *o, const char *metric, const char *type, const char *help, uint64_t v)
{
	head(o, metric, type, help);
	sample(o, NULL, NULL, v);
}

/* ---- the node and its links ------------------------------------------------------------ */

static void node_metrics(struct out *o, const struct member *m, int64_t now_ns)
{
	struct look l;

	node_look(m->node, &l);
	head(o, "weft_build_info", "gauge", "The version that runs.");
	sample(o, "version", WEFT_VERSION, 1);
	one(o, "weft_uptime_seconds", "gauge", "Time since the node was started.", (uint64_t)((now_ns - m->birth_ns) / NS_PER_S));
	one(o, "weft_joined", "gauge", "Whether the node has its place on the ring.", l.joined);
	one(o, "weft_ring_nodes", "gauge", "Estimate of how many nodes the overlay has.", l.size);
	one(o, "weft_remembered_peers", "gauge", "Peers that are remembered over a restart.", l.remembered);
	one(o, "weft_core_memory_bytes", "gauge", "Memory that core has taken.", node_bytes(m->node));
	if (m->not_after)
		one(o, "weft_certificate_expiry_timestamp_seconds", "gauge", "When our certificate ends.", m->not_after);
	one(o, "weft_saves_total", "counter", "Items handed over to be kept on disk.", m->saves);
	one(o, "weft_save_failures_total", "counter", "Times that the disk did not take them.", m->home->saves.failures);
	one(o, "weft_log_lines_left_out_total", "counter", "Lines of the log that the rate limit left out.", diary_left_out());
}

static void link_metrics(struct out *o, const struct member *m)
{
	enum { DIRECT, RELAYED, SUSPECT, MADE, STATES };
	static const char *const STATE[] = { "direct", "relayed", "suspect", "calling" };
	unsigned count[STATES] = { 0 };
	struct look_link k;
	char id[ID_TEXT];

	for (unsigned i = 0; i < node_look_links(m->node); i++)
		if (node_look_link(m->node, i, &k))
			count[k.link.state != LINK_UP ? MADE : k.link.suspect ? SUSPECT : k.link.relayed ? RELAYED : DIRECT]++;
	head(o, "weft_links", "gauge", "Links to other nodes, by state.");
	for (unsigned i = 0; i < STATES; i++)
		sample(o, "state", STATE[i], count[i]);
	head(o, "weft_link_round_trip_seconds", "gauge", "Smoothed round trip of a link.");
	for (unsigned i = 0; i < node_look_links(m->node); i++)
		if (node_look_link(m->node, i, &k) && k.link.state == LINK_UP && k.link.srtt_us)
			print(o, "%s{peer=\"%s\"} %u.%06u\n", o->metric, id_text(k.link.id, id), k.link.srtt_us / 1000000,
			    k.link.srtt_us % 1000000);
}

static void traffic_metrics(struct out *o, const struct member *m)
{
	one(o, "weft_received_packets_total", "counter", "Datagrams received.", m->udp->in);
	one(o, "weft_received_bytes_total", "counter", "Bytes in them.", m->udp->in_bytes);
	one(o, "weft_sent_packets_total", "counter", "Datagrams sent.", m->udp->out);
	one(o, "weft_sent_bytes_total", "counter", "Bytes in them.", m->udp->out_bytes);
	one(o, "weft_send_refused_total", "counter", "Datagrams that the kernel did not take.", m->udp->refused);
	head(o, "weft_sent_messages_total", "counter", "Datagrams sent, by kind.");
	for (unsigned k = 0; k < MESSAGE_KINDS; k++)
		if (m->sends[k] && message_text(k))
			sample(o, "kind", message_text(k), m->sends[k]);
	head(o, "weft_drops_total", "counter", "What was dropped, by reason.");
	for (int d = DROP_NONE + 1; d < DROP_COUNT; d++)
		if (m->fx.drops[d])
			sample(o, "reason", drop_text((enum drop)d), m->fx.drops[d]);
}

/* ---- networks -------------------------------------------------------------------------- */

static unsigned guests(const struct member *m, unsigned network)
{
	struct look_guest g;
	unsigned n = 0;

	while (node_guest(m->node, network, n, &g))
		n++;
	return n;
}

static unsigned remotes(const struct member *m, unsigned network)
{
	struct look_remote r;
	unsigned n = 0;

	while (node_remote(m->node, network, n, &r))
		n++;
	return n;
}

static void network_metrics(struct out *o, const struct member *m)
{
	const struct nics *n = m->nics;

	if (!nics_count(n))
		return;
#define EACH(metric, type, help, value)								\
	head(o, metric, type, help);								\
	for (unsigned i = 0; i < NETWORKS_MAX; i++)						\
		if (n->nic[i])									\
			sample(o, "network", nics_name(n, i), value)
	EACH("weft_tap_received_frames_total", "counter", "Frames that came from the tap.", n->nic[i]->plug.tap.in);
	EACH("weft_tap_received_bytes_total", "counter", "Bytes in them.", n->nic[i]->plug.tap.in_bytes);
	EACH("weft_tap_sent_frames_total", "counter", "Frames that went to the tap.", n->nic[i]->plug.tap.out);
	EACH("weft_tap_sent_bytes_total", "counter", "Bytes in them.", n->nic[i]->plug.tap.out_bytes);
	EACH("weft_tap_refused_total", "counter", "Frames too long, or not taken by the kernel.",
	     n->nic[i]->plug.tap.refused + n->nic[i]->plug.tap.oversized);
	EACH("weft_guests", "gauge", "Addresses of machines behind the tap.", guests(m, i));
	EACH("weft_remote_addresses", "gauge", "Addresses elsewhere that are known now.", remotes(m, i));
#undef EACH
}

static void lease_metrics(struct out *o, const struct member *m)
{
	static const char *const STATE[] = {
		[HELD_ASKED] = "asked", [HELD_OURS] = "ours", [HELD_DOUBTED] = "doubted",
		[HELD_RELEASING] = "releasing", [HELD_LENT] = "lent", [HELD_FREE] = "free",
	};
	enum { STATES = sizeof(STATE) / sizeof(STATE[0]) };
	unsigned count[STATES] = { 0 };
	struct held h;

	for (unsigned i = 0; node_held(m->node, i, &h); i++)
		count[h.state]++;
	head(o, "weft_leases", "gauge", "Leases of addresses this node holds, by state.");
	for (unsigned i = 0; i < STATES; i++)
		if (i != HELD_FREE)
			sample(o, "state", STATE[i], count[i]);
}

static void tunnel_metrics(struct out *o, const struct member *m)
{
	enum { DIRECT, RELAYED, CHAIN, MAIL, WAYS };
	static const char *const WAY[] = { "direct", "relayed", "chain", "mail" };
	unsigned count[WAYS] = { 0 };
	struct tunnel_view v;

	for (unsigned i = 0; i < TUNNELS_MAX; i++)
		if (node_tunnel(m->node, i, &v) && v.up)
			count[!v.direct ? v.chained ? CHAIN : MAIL : id_eq(v.via, ID_ZERO) ? DIRECT : RELAYED]++;
	head(o, "weft_tunnels", "gauge", "Tunnels between guests of two nodes, by what carries them.");
	for (unsigned i = 0; i < WAYS; i++)
		sample(o, "carried", WAY[i], count[i]);
}

static void dht_metrics(struct out *o, const struct member *m)
{
	struct dht_account a;

	node_dht_account(m->node, &a);
	one(o, "weft_dht_slots", "gauge", "Slots this node keeps records of.", a.slots);
	one(o, "weft_dht_records", "gauge", "Records in them.", a.records);
	one(o, "weft_dht_memory_bytes", "gauge", "Memory of the DHT.", a.bytes);
	one(o, "weft_dht_questions", "gauge", "Questions of ours under way.", a.asking);
	one(o, "weft_dht_views_installed_total", "counter", "Views of slots that this node came to serve in.", a.views_installed);
	one(o, "weft_dht_majorities_lost_total", "counter", "Slots whose view lost its majority.", a.majorities_lost);
	one(o, "weft_dht_handovers_total", "counter", "Slots handed over when leaving.", a.handovers);
}

char *metrics_text(const struct member *m, int64_t now_ns)
{
	struct out o = { .room = 8192 };

	o.text = malloc(o.room);
	if (!o.text)
		abort();
	node_metrics(&o, m, now_ns);
	link_metrics(&o, m);
	traffic_metrics(&o, m);
	network_metrics(&o, m);
	lease_metrics(&o, m);
	tunnel_metrics(&o, m);
	dht_metrics(&o, m);
	return o.text;
}
