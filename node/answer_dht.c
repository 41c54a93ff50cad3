/* answer_dht.c - what is answered about the DHT's slots, tunnels, values, pings, and where peers see us */
#include "node/answer.h"

#include <string.h>

#include "core/dht/dht.h"
#include "core/link/tunnel.h"
#include "node/put.h"

/* ---- tunnels -------------------------------------------------------------------------- */

/* By what way: over a link (which a relay may carry), a chain of labels, or mail until there is one of these. */
static void put_carrier(json_t *o, const struct tunnel_view *v)
{
	bool via = !id_eq(v->via, ID_ZERO);

	put_text(o, "carried", v->direct ? via ? "relayed" : "direct" : v->chained ? "chain" : "mail");
	if (v->direct && !via)
		put_endpoint(o, "at", &v->at);
	if (via)
		put_id(o, "via", v->via);
	put_int(o, "mtu_bytes", v->mtu);
}

json_t *answer_tunnels(const struct member *m)
{
	json_t *a = json_array();
	struct tunnel_view v;

	for (unsigned i = 0; i < TUNNELS_MAX; i++) {
		json_t *o;

		if (!node_tunnel(m->node, i, &v))
			continue;
		o = json_object();
		put_id(o, "peer", v.peer);
		put_text(o, "network", nics_name(m->nics, v.network));
		put(o, "up", json_boolean(v.up));
		put_carrier(o, &v);
		put_int(o, "in_packets", (int64_t)v.packets_in);
		put_int(o, "in_bytes", (int64_t)v.bytes_in);
		put_int(o, "out_packets", (int64_t)v.packets_out);
		put_int(o, "out_bytes", (int64_t)v.bytes_out);
		put_int(o, "out_in_pieces", v.cut);
		json_array_append_new(a, o);
	}
	return inside("tunnels", a);
}

/* ---- slots ---------------------------------------------------------------------------- */

/* The first of the 64 addresses of @s; family 0 if it is no slot of addresses, or of another network than ours. */
static struct ip first_address(const struct member *m, const struct slot_name *s)
{
	const struct network_record *r;
	struct ip a;

	for (unsigned i = 0; i < NETWORKS_MAX; i++) {
		if (!m->nics->nic[i] || !id_eq(m->nics->nic[i]->charter.record.id, s->network))
			continue;
		r = &m->nics->nic[i]->charter.record;
		if (s->kind == SLOT_V4)
			return ip_v4((uint32_t)(s->number << SLOT_BITS));
		if (s->kind != SLOT_V6)
			break;
		a = r->range6.ip;
		for (unsigned k = 0; k < 8; k++)
			a.at[15 - k] = (uint8_t)(s->number << SLOT_BITS >> 8 * k);
		return a;
	}
	return (struct ip){ 0 };
}

static json_t *slot(const struct member *m, const struct look_slot *s, int64_t now_ns)
{
	static const char *const KIND[] = { [SLOT_ROOT] = "root", [SLOT_V4] = "addresses", [SLOT_V6] = "addresses6",
					    [SLOT_NAMES] = "names" };
	json_t *o = json_object(), *members = json_array();
	struct ip first = first_address(m, &s->slot);
	char buf[ID_TEXT];

	answer_network(o, m, s->slot.network);
	put_text(o, "kind", s->slot.kind >= SLOT_ROOT && s->slot.kind <= SLOT_NAMES ? KIND[s->slot.kind] : "unknown");
	put_int(o, "number", (int64_t)s->slot.number);
	if (first.family)
		put_ip(o, "first", &first);
	put_id(o, "point", slot_point(&s->slot));
	put_int(o, "generation", s->view.name.generation);
	put_int(o, "view", s->view.name.number);
	for (unsigned i = 0; i < s->view.members; i++)
		json_array_append_new(members, json_string(id_text(s->view.member[i].id, buf)));
	put(o, "members", members);
	put(o, "primary", json_boolean(s->primary));
	put(o, "votes", json_boolean(s->votes));
	put(o, "sealed", json_boolean(s->sealed));
	put(o, "complete", json_boolean(s->complete));
	put_int(o, "records", s->records);
	if (s->serves_ns > now_ns)
		put_int(o, "serves_in_ms", (s->serves_ns - now_ns) / NS_PER_MS);
	return o;
}

json_t *answer_slots(const struct member *m, int64_t now_ns)
{
	json_t *o = inside("slots", json_array()), *dht = json_object();
	struct look_slot s;
	struct dht_account a;

	for (unsigned i = 0; node_slot(m->node, i, &s); i++)
		json_array_append_new(json_object_get(o, "slots"), slot(m, &s, now_ns));
	node_dht_account(m->node, &a);
	put_int(dht, "memory_bytes", a.bytes);
	put_int(dht, "slots", a.slots);
	put_int(dht, "records", a.records);
	put_int(dht, "held", a.held);
	put_int(dht, "asking", a.asking);
	put_int(dht, "views_installed", (int64_t)a.views_installed);
	put_int(dht, "majorities_lost", (int64_t)a.majorities_lost);
	put_int(dht, "handovers", (int64_t)a.handovers);
	put_int(dht, "rejoins", (int64_t)a.rejoins);
	put(o, "dht", dht);
	return o;
}

/* ---- values --------------------------------------------------------------------------- */

static bool printable(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (b.at[i] < ' ' || b.at[i] > '~')
			return false;
	return true;
}

json_t *answer_addresses(struct bytes b)
{
	json_t *a = json_array();
	char buf[IP_TEXT];
	struct reader r = reader_of(b.at, b.len);

	while (reader_left(&r)) {
		struct ip ip = { .family = read_u8(&r) };

		if (ip.family != 4 && ip.family != 6)
			break;
		read_copy(&r, ip.at, ip.family == 4 ? 4 : 16);
		if (!reader_ok(&r))
			break;
		json_array_append_new(a, json_string(ip_text(&ip, buf)));
	}
	return a;
}

json_t *answer_value(const struct reply *r, uint8_t type)
{
	static const char DIGIT[] = "0123456789abcdef";
	char hex[2 * VALUE_MAX + 1];
	json_t *o = json_object();
	size_t len = r->value.len < VALUE_MAX ? r->value.len : VALUE_MAX;

	put_id(o, "writer", r->who);
	if (type == VALUE_ADDRESS) {
		put(o, "addresses", answer_addresses(r->value));
	} else if (printable(r->value)) {
		put(o, "text", json_stringn((const char *)r->value.at, len));
	} else {
		for (size_t i = 0; i < len; i++) {
			hex[2 * i] = DIGIT[r->value.at[i] >> 4];
			hex[2 * i + 1] = DIGIT[r->value.at[i] & 15];
		}
		put(o, "hex", json_stringn(hex, 2 * len));
	}
	return inside("value", o);
}

json_t *answer_named(const struct reply *r, const char *what, const char *name, int64_t since_ns, const char **wrong)
{
	json_t *o = json_object();

	put_text(o, "name", name);
	put_int(o, "rtt_us", since_ns / NS_PER_US);
	put_int(o, "tries", r->tries);
	if (r->verdict)
		put_text(o, "verdict", verdict_text((enum verdict)r->verdict));
	*wrong = r->answer == ANSWER_OK || r->verdict == VERDICT_ABSENT ? NULL : r->answer == ANSWER_TIMEOUT ?
		 "no answer in time" : r->answer == ANSWER_FULL ? "too many requests under way, or a name that cannot be" :
		 r->verdict ? verdict_text((enum verdict)r->verdict) : "it cannot be done";
	return inside(what, o);
}

/* ---- pings ---------------------------------------------------------------------------- */

json_t *answer_ping(const struct member *m, const struct reply *r, struct id whom, unsigned network, int64_t since_ns)
{
	json_t *o = json_object();
	struct tunnel_view v;

	put_id(o, "id", whom);
	put_int(o, "rtt_us", since_ns / NS_PER_US);
	if (r->ask != ASK_ECHO) {
		put_text(o, "carried", "ring");
		put_int(o, "hops", r->hops);
		return inside("ping", o);
	}
	for (unsigned i = 0; i < TUNNELS_MAX; i++)
		if (node_tunnel(m->node, i, &v) && v.network == network && id_eq(v.peer, whom)) {
			put_carrier(o, &v);
			return inside("ping", o);
		}
	put_text(o, "carried", "self");
	return inside("ping", o);
}

/* ---- where peers see us ---------------------------------------------------------------- */

json_t *answer_seen(const struct member *m, const struct addresses *own, int64_t now_ns)
{
	json_t *a = json_array(), *here = json_array();
	char buf[ENDPOINT_TEXT];

	for (unsigned i = 0; i < m->seen.count; i++) {
		const struct seen *s = &m->seen.seen[i];
		json_t *o = json_object();

		put_id(o, "peer", s->peer);
		put_endpoint(o, "at", &s->at);
		put_int(o, "said_ms", (now_ns - s->ns) / NS_PER_MS);
		json_array_append_new(a, o);
	}
	for (unsigned i = 0; i < own->count; i++)
		json_array_append_new(here, json_string(endpoint_text(&own->at[i], buf)));
	a = inside("seen", a);
	put(a, "own", here);
	return a;
}
