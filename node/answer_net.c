/* answer_net.c - what is answered about virtual networks: cards, leases, names, who holds an address */
#include "node/answer.h"

#include <stdio.h>
#include <string.h>

#include "core/dht/dht.h"
#include "core/vnet/vnet.h"
#include "node/put.h"

static void put_range(json_t *o, const char *name, const struct ip_range *r)
{
	char buf[RANGE_TEXT];

	if (r->ip.family)
		put_text(o, name, range_text(r, buf));
}

static void put_mac(json_t *o, const char *name, const uint8_t mac[6])
{
	char buf[18];

	snprintf(buf, sizeof(buf), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	put_text(o, name, buf);
}

void answer_network(json_t *o, const struct member *m, struct id id)
{
	for (unsigned i = 0; i < NETWORKS_MAX; i++)
		if (m->nics->nic[i] && id_eq(m->nics->nic[i]->charter.record.id, id)) {
			put_text(o, "network", nics_name(m->nics, i));
			return;
		}
	put_id(o, "network", id);
}

/* ---- networks ------------------------------------------------------------------------- */

static const char *model_text(int32_t model)
{
	return model == MODEL_ROUTER ? "router" : model == MODEL_HYBRID ? "hybrid" : "interface";
}

static json_t *guests(const struct member *m, unsigned network, int64_t now_ns)
{
	json_t *a = json_array();
	struct look_guest g;

	for (unsigned i = 0; node_guest(m->node, network, i, &g); i++) {
		json_t *o = json_object();

		put_mac(o, "mac", g.mac);
		if (g.ip.family)
			put_ip(o, "address", &g.ip);
		put(o, "leased", json_boolean(g.leased));
		put_int(o, "heard_ms", (now_ns - g.heard_ns) / NS_PER_MS);
		json_array_append_new(a, o);
	}
	return a;
}

static json_t *firewall(const struct look_guard *g)
{
	json_t *o = json_object(), *a = json_array();

	for (unsigned i = 0; i < g->rules; i++) {
		json_t *each = json_object();
		char text[128];
		struct writer w = writer_of(text, sizeof(text) - 1);

		guard_write(&g->rule[i], &w);
		*w.at = 0;
		put_text(each, "rule", text);
		put_int(each, "packets", (int64_t)g->hits[i]);
		json_array_append_new(a, each);
	}
	put(o, "rules", a);
	put_int(o, "unmatched", (int64_t)g->others);
	put_int(o, "answers", (int64_t)g->answers);
	put_int(o, "flows", g->flows);
	return o;
}

static json_t *network(const struct member *m, unsigned i, int64_t now_ns)
{
	const struct nic *n = m->nics->nic[i];
	const struct network_record *r = &n->charter.record;
	const struct tap *t = &n->plug.tap;
	struct ip gateway = network_gateway(r, r->range4.ip.family ? 4 : 6);
	json_t *o = json_object();
	struct look_remote remote;
	struct look_guard guard;
	struct look_epoch epoch;
	unsigned remotes = 0;

	put_text(o, "name", r->name);
	put_id(o, "id", r->id);
	put_range(o, "range", &r->range4);
	put_range(o, "range6", &r->range6);
	put_text(o, "domain", r->domain);
	put_ip(o, "gateway", &gateway);
	put_int(o, "mtu_bytes", r->mtu);
	put_text(o, "model", model_text(n->config->model));
	put_text(o, "tap", t->name);
	put(o, "tap_gone", json_boolean(t->gone));
	if (n->config->bridge)
		put_text(o, "bridge", n->config->bridge);
	put_text(o, "device", n->plug.device.name);
	put_mac(o, "mac", n->plug.device.mac);
	if (n->own == OWN_SET)
		put_ip(o, "address", &n->ip);
	put(o, "asks_for_address", json_boolean(n->own == OWN_WAITING || n->own == OWN_ASKED));
	if (*n->name)
		put_text(o, "host", n->name);
	if (n->config->resolver == RESOLVER_RESOLVED)
		put_text(o, "resolver", "resolved");
	put_int(o, "in_frames", (int64_t)t->in);
	put_int(o, "in_bytes", (int64_t)t->in_bytes);
	put_int(o, "out_frames", (int64_t)t->out);
	put_int(o, "out_bytes", (int64_t)t->out_bytes);
	put_int(o, "refused", (int64_t)(t->refused + t->oversized));
	while (node_remote(m->node, i, remotes, &remote))
		remotes++;
	put_int(o, "remote_addresses", remotes);
	if (node_epoch(m->node, i, &epoch)) {
		put_int(o, "epoch", (int64_t)epoch.epoch);
		put(o, "has_group_key", json_boolean(epoch.has));
	}
	put(o, "guests", guests(m, i, now_ns));
	if (node_guard(m->node, i, &guard))
		put(o, "firewall", firewall(&guard));
	return o;
}

json_t *answer_networks(const struct member *m, int64_t now_ns)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < NETWORKS_MAX; i++)
		if (m->nics->nic[i] && m->nics->nic[i]->config)		/* else we are on our way out of it */
			json_array_append_new(a, network(m, i, now_ns));
	return inside("networks", a);
}

/* ---- leases --------------------------------------------------------------------------- */

static json_t *lease(const struct member *m, const struct held *h, int64_t now_ns)
{
	static const char *const STATE[] = {
		[HELD_ASKED] = "asked", [HELD_OURS] = "ours", [HELD_DOUBTED] = "doubted",
		[HELD_RELEASING] = "releasing", [HELD_LENT] = "lent", [HELD_FREE] = "free",
	};
	json_t *o = json_object();

	answer_network(o, m, h->network);
	put_ip(o, "address", &h->lease.ip);
	put_text(o, "state", STATE[h->state]);
	put(o, "believed", json_boolean(node_believes(m->node, h->network, &h->lease.ip, NULL)));
	put(o, "renewed", json_boolean(h->keep));
	put_int(o, "term_s", h->lease.term_s);
	if (h->until_ns > now_ns && h->until_ns < INT64_MAX)
		put_int(o, "left_ms", (h->until_ns - now_ns) / NS_PER_MS);
	put_int(o, "generation", h->lease.fence.generation);
	put_int(o, "grant", (int64_t)h->lease.fence.grant);
	put_int(o, "delegation", h->lease.fence.delegation);
	return o;
}

json_t *answer_leases(const struct member *m, int64_t now_ns)
{
	json_t *a = json_array();
	struct held h;

	for (unsigned i = 0; node_held(m->node, i, &h); i++)
		json_array_append_new(a, lease(m, &h, now_ns));
	return inside("leases", a);
}

/* ---- names ---------------------------------------------------------------------------- */

/* Bytes from outside as text that JSON and a terminal take. */
static void put_bytes(json_t *o, const char *name, struct bytes b)
{
	char text[256];
	size_t n = b.len < sizeof(text) - 1 ? b.len : sizeof(text) - 1;

	for (size_t i = 0; i < n; i++)
		text[i] = (char)(b.at[i] > ' ' && b.at[i] <= '~' ? b.at[i] : '?');
	text[n] = 0;
	put_text(o, name, text);
}

json_t *answer_names(const struct member *m, int64_t now_ns)
{
	static const char *const TYPE[] = { [VALUE_ADDRESS] = "address", [VALUE_POINTER] = "pointer",
					    [VALUE_MEMBER] = "member", [VALUE_GROUP] = "group",
					    [VALUE_TOKEN] = "token", [VALUE_PLAIN] = "plain" };
	json_t *a = json_array();
	struct look_name k;

	for (unsigned i = 0; node_name(m->node, i, &k); i++) {
		json_t *o = json_object();

		answer_network(o, m, k.network);
		put_bytes(o, "name", k.name);
		put_text(o, "type", k.type >= VALUE_ADDRESS && k.type <= VALUE_PLAIN ? TYPE[k.type] : "unknown");
		put_text(o, "verdict", k.verdict ? verdict_text((enum verdict)k.verdict) : "not answered yet");
		if (k.until_ns > now_ns && k.until_ns < INT64_MAX)
			put_int(o, "left_ms", (k.until_ns - now_ns) / NS_PER_MS);
		json_array_append_new(a, o);
	}
	return inside("names", a);
}

/* ---- who holds an address ------------------------------------------------------------- */

json_t *answer_resolve(const struct reply *r, const struct ip *asked, int64_t since_ns, const char **wrong)
{
	json_t *o = json_object();

	*wrong = NULL;
	put_ip(o, "address", asked);
	put_int(o, "rtt_us", since_ns / NS_PER_US);
	put_int(o, "tries", r->tries);
	if (r->verdict)
		put_text(o, "verdict", verdict_text((enum verdict)r->verdict));
	if (r->answer == ANSWER_OK && r->ip.family) {
		put_id(o, "holder", r->who);
		put_int(o, "generation", (int64_t)(r->fence[0] >> 32));
		put_int(o, "delegation", (int64_t)(uint32_t)r->fence[0]);
		put_int(o, "grant", (int64_t)r->fence[1]);
	} else if (r->answer == ANSWER_TIMEOUT) {
		*wrong = "no answer in time";
	} else if (r->answer == ANSWER_FULL) {
		*wrong = "too many requests under way";
	} else if (r->answer != ANSWER_OK && r->verdict != VERDICT_ABSENT) {
		*wrong = "it cannot be said";
	}
	return inside("resolve", o);
}
