#include "node/nic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/dht/dht.h"
#include "core/look.h"
#include "node/diary.h"
#include "node/keep.h"
#include "node/text.h"

#define ASK_TIMEOUT	(10 * NS_PER_S)
#define AGAIN_FIRST	(500 * NS_PER_MS)
#define AGAIN_MOST	(30 * NS_PER_S)

enum { NIC_REMARK = 32 };

/* ---- files ---------------------------------------------------------------------------- */

/* Our certificate in the network is the overlay's, or in a card of its own. */
static bool read_chain(struct nic *n, const struct home *h, struct bytes *chain, struct fail *f)
{
	const char *path = n->config->card;
	enum keep how;
	uint8_t *data;
	size_t len;

	*chain = (struct bytes){ h->chain, h->chain_len };
	if (!path) {
		if (!memcmp(h->overlay, n->charter.record.key, KEY_BYTES))
			return true;
		fail_add(f, "the network in %s is not the overlay that %s/card is for", n->config->file, h->path);
		fail_hint(f, "[network.%u] card names this node's certificate in it", n->config->head.number);
		return false;
	}
	how = keep_read(path, "card", false, &data, &len, f);
	if (how == KEEP_ABSENT) {
		fail_add(f, "there is no %s", path);
		fail_hint(f, "the network's signer makes it: `weftctl net admit`");
	}
	if (how != KEEP_GOOD)
		return false;
	if (len <= KEY_BYTES || len > KEY_BYTES + HOME_CHAIN || memcmp(data, n->charter.record.key, KEY_BYTES)) {
		fail_add(f, "%s is no certificate in the network %s", path, n->charter.record.name);
		free(data);
		return false;
	}
	*chain = (struct bytes){ n->chain, len - KEY_BYTES };
	memcpy(n->chain, data + KEY_BYTES, chain->len);
	free(data);
	return true;
}

/* The name in the certificate, if it can be one of a host. */
static void name_of(struct nic *n, const struct cert *leaf)
{
	const char *set = n->config->name;
	size_t len = 0;

	if (!strcmp(set, "off"))
		return;
	if (strcmp(set, "auto")) {
		memcpy(n->name, set, strlen(set));
		return;
	}
	for (; len < leaf->name.len && len < NIC_NAME - 1; len++) {
		char c = (char)leaf->name.at[len];

		if (c == '.' && len)
			break;
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && (c != '-' || !len))
			return;
	}
	memcpy(n->name, leaf->name.at, len);
}

/* Is @a one that the certificate gives us for good? With family alone in @a, the first of that family that is. */
static bool fixed_by(const struct nic *n, const struct cert *leaf, struct ip *a)
{
	static const struct ip ANY;
	struct prefix p;
	size_t at = 0;

	while (cert_prefix(leaf, &at, &p)) {
		struct ip_range r = { .bits = p.bits, .ip.family = p.family };
		bool single = p.bits == (p.family == 4 ? 32 : 128);

		memcpy(r.ip.at, p.addr, p.family == 4 ? 4 : 16);
		if (memcmp(a->at, ANY.at, sizeof(ANY.at))) {
			if (ip_in(a, &r) && network_reserved(&n->charter.record, a))
				return true;
		} else if (single && p.family == a->family && network_reserved(&n->charter.record, &r.ip)) {
			*a = r.ip;
			return true;
		}
	}
	return false;
}

static bool address_of(struct nic *n, const struct cert *leaf, struct fail *f)
{
	const struct config_network *c = n->config;
	const struct network_record *r = &n->charter.record;
	char a[IP_TEXT], range[RANGE_TEXT];

	if (c->how == ADDRESS_OFF)
		return true;
	if (c->how == ADDRESS_LEASE)
		n->ip = (struct ip){ .family = r->range4.ip.family ? 4 : 6 };
	else
		n->ip = c->ip;
	n->fixed = fixed_by(n, leaf, &n->ip);
	if (c->how == ADDRESS_THIS && !n->fixed && !network_leasable(r, &n->ip)) {
		fail_add(f, "[network.%u] address = %s cannot be had in %s", c->head.number, ip_text(&n->ip, a), r->name);
		fail_hint(f, "accepted: one of %s that is neither the gateway's nor reserved for certificates",
			  range_text(n->ip.family == 6 ? &r->range6 : &r->range4, range));
		return false;
	}
	n->own = OWN_WAITING;
	return true;
}

static bool identify(struct nic *n, const struct home *h, struct id self, uint64_t utc, struct fail *f)
{
	const struct network_record *r = &n->charter.record;
	enum cert_fault wrong;
	struct bytes chain;
	struct cert leaf;

	if (!read_chain(n, h, &chain, f))
		return false;
	wrong = identity_init(&n->identity, &suite_sodium, h->seed, chain, r->key, utc);
	wrong = wrong ? wrong : cert_check(&suite_sodium, chain, r->key, ROLE_MEMBER, utc, &leaf);
	if (wrong) {
		fail_add(f, "cannot use our certificate in the network %s: %s", r->name, cert_fault_text(wrong));
		return false;
	}
	if (!id_eq(n->identity.id, self)) {
		fail_add(f, "our certificate in the network %s is for another place on the ring", r->name);
		fail_hint(f, "the network's signer makes it from this node's overlay card: `weftctl net admit NETWORK NAME CARD`");
		return false;
	}
	name_of(n, &leaf);
	return address_of(n, &leaf, f);
}

/* Where the overlay's certificate puts us; checked again, and better said, by who makes the member. */
static bool self_id(const struct home *h, uint64_t utc, struct id *id)
{
	struct bytes chain = { h->chain, h->chain_len };
	struct cert leaf;

	if (cert_check(&suite_sodium, chain, h->overlay, ROLE_MEMBER, utc, &leaf))
		return false;
	*id = cert_id(leaf.key, leaf.salt);
	return true;
}

static void birth_of(struct nics *n, unsigned i)
{
	struct nic *c = &n->nic[i];

	n->birth[i] = (struct network){
		.record = { c->charter.blob, c->charter.len }, .identity = &c->identity,
		.model = (uint8_t)c->config->model, .iface = (uint16_t)(i + 1),
		.name = { (const uint8_t *)c->name, strlen(c->name) },
		.rule = c->config->rule, .rules = (uint8_t)c->config->rules,
	};
	memcpy(n->birth[i].secret, c->charter.secret, CHARTER_SECRET);
	memcpy(n->birth[i].mac, c->plug.device.mac, 6);
}

bool nics_read(struct nics *n, const struct node_config *c, const struct home *h, uint64_t utc, struct fail *f)
{
	struct id self;

	memset(n, 0, sizeof(*n));
	for (unsigned i = 0; i < c->network.count; i++) {
		struct nic *k = &n->nic[i];

		k->plug.tap.fd = -1;
		k->config = config_network(c, i);
		n->count++;
		if (!charter_read(k->config->file, &k->charter, "`weftctl net create --range` makes a network, "
				  "`weftctl net add` its nodes", f))
			return false;
		for (unsigned j = 0; j < i; j++)
			if (id_eq(n->nic[j].charter.record.id, k->charter.record.id)) {
				fail_add(f, "[network.%u] and [network.%u] are the same network", n->nic[j].config->head.number,
					 k->config->head.number);
				return false;
			}
		if (!self_id(h, utc, &self))
			continue;
		if (!identify(k, h, self, utc, f))
			return false;
		birth_of(n, i);
	}
	return true;
}

/* ---- taps ----------------------------------------------------------------------------- */

/* The same at every start, so that who knows this machine by it still does; no other machine's. */
static void mac_of(uint8_t mac[6], const struct nic *n, const char *what)
{
	crypto_generichash_blake2b_state s;
	uint8_t out[crypto_generichash_blake2b_BYTES_MIN];

	crypto_generichash_blake2b_init(&s, NULL, 0, sizeof(out));
	crypto_generichash_blake2b_update(&s, (const uint8_t *)what, strlen(what));
	crypto_generichash_blake2b_update(&s, identity_key(&n->identity), KEY_BYTES);
	crypto_generichash_blake2b_update(&s, n->charter.record.key, KEY_BYTES);
	crypto_generichash_blake2b_final(&s, out, sizeof(out));
	memcpy(mac, out, 6);
	mac[0] = (uint8_t)((mac[0] & 0xfc) | 2);
}

/* What we make carries a remark: which node's it is. */
static void sweep(const struct nics *n, char remark[NIC_REMARK])
{
	const char *bridge[NETWORKS_MAX];
	unsigned bridges = 0;
	uint8_t mac[6];

	mac_of(mac, &n->nic[0], "remark");
	snprintf(remark, NIC_REMARK, "weft-node %02x%02x%02x%02x%02x%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	for (unsigned i = 0; i < n->count; i++)
		if (n->nic[i].config->bridge)
			bridge[bridges++] = n->nic[i].config->bridge;
	plug_sweep(remark, bridge, bridges);
}

bool nics_plug(struct nics *n, struct fail *f)
{
	char remark[NIC_REMARK];

	if (n->count)
		sweep(n, remark);
	for (unsigned i = 0; i < n->count; i++) {
		struct nic *k = &n->nic[i];
		struct plug_setup s = {
			.tap = k->config->tap, .bridge = k->config->bridge, .device = k->config->device,
			.remark = remark, .model = (enum vnet_model)k->config->model,
			.mtu = k->charter.record.mtu, .iface = (uint16_t)(i + 1),
		};
		char range[RANGE_TEXT];
		unsigned stale;

		if (!n->birth[i].iface)
			continue;		/* the overlay's certificate is bad, and who makes the member says so */
		mac_of(s.mac, k, "tap");
		mac_of(s.bridge_mac, k, "bridge");
		if (!plug_in(&k->plug, &s, f))
			return false;
		birth_of(n, i);
		stale = plug_flush(&k->plug, &k->charter.record.range4) + plug_flush(&k->plug, &k->charter.record.range6);
		if (stale)
			diary(LEVEL_INFO, "address", "%s had %u of the last run", k->plug.device.name, stale);
		diary(LEVEL_INFO, "network", "%s %s on %s%s%s, MTU %u", k->charter.record.name,
		      range_text(k->charter.record.range4.ip.family ? &k->charter.record.range4 :
				 &k->charter.record.range6, range), k->plug.tap.name,
		      s.bridge ? " in " : "", s.bridge ? s.bridge : "", k->charter.record.mtu);
	}
	return true;
}

static uint8_t bits_of(const struct nic *n)
{
	const struct network_record *r = &n->charter.record;

	return n->ip.family == 6 ? r->range6.bits : r->range4.bits;
}

/* What we set goes; on a tap of ours it would go anyway, on a bridge it would not. */
static void unset(struct nic *n)
{
	if (n->own == OWN_SET && !n->plug.tap.gone)
		plug_take(&n->plug, &n->ip, bits_of(n));
}

void nics_close(struct nics *n)
{
	for (unsigned i = 0; i < n->count; i++) {
		unset(&n->nic[i]);
		if (n->nic[i].plug.rtnl.socket)
			plug_out(&n->nic[i].plug);
		identity_done(&n->nic[i].identity);
		charter_done(&n->nic[i].charter);
	}
	sodium_memzero(n->birth, sizeof(n->birth));
	n->count = 0;
}

void nics_write(struct nics *n, const struct frame *f, unsigned frames)
{
	for (const struct frame *end = f + frames; f < end; f++)
		if (f->iface && f->iface <= n->count)
			tap_write(&n->nic[f->iface - 1].plug.tap, f);
}

/* ---- the host's own address ----------------------------------------------------------- */

static void put_checksum(uint8_t *icmp, size_t len, const uint8_t *src, const uint8_t *dst)
{
	uint32_t sum = (uint32_t)len + 58;	/* the pseudo header: length, ICMPv6 */

	for (unsigned i = 0; i < 16; i += 2)
		sum += (uint32_t)(src[i] << 8 | src[i + 1]) + (uint32_t)(dst[i] << 8 | dst[i + 1]);
	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)(icmp[i] << 8 | icmp[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	icmp[2] = (uint8_t)(~sum >> 8);
	icmp[3] = (uint8_t)~sum;
}

/* A gratuitous ARP request (RFC 5227, 2.3) or an unsolicited neighbour advertisement (RFC 4861, 7.2.6) of the host. */
static size_t announcement(const struct nic *n, uint8_t buf[NICS_FRAME])
{
	static const uint8_t ARP[] = { 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1 };
	static const uint8_t ALL[16] = { 0xff, 2, [15] = 1 };
	const uint8_t *mac = n->plug.device.mac, *ip = n->ip.at;
	struct writer w = writer_of(buf, NICS_FRAME);
	uint8_t icmp[32] = { 136, [4] = 0x20 /* override */, [24] = 2 /* target's link-layer address */, [25] = 1 };

	if (n->ip.family == 4) {
		write_copy(&w, (const uint8_t[]){ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, 6);
		write_copy(&w, mac, 6);
		write_copy(&w, ARP, sizeof(ARP));
		write_copy(&w, mac, 6);
		write_copy(&w, ip, 4);
		write_copy(&w, (const uint8_t[6]){ 0 }, 6);
		write_copy(&w, ip, 4);
		return writer_len(&w);
	}
	write_copy(&w, (const uint8_t[]){ 0x33, 0x33, 0, 0, 0, 1 }, 6);
	write_copy(&w, mac, 6);
	write_u16(&w, 0x86dd);
	write_u32(&w, 6u << 28);
	write_u16(&w, 32);
	write_u8(&w, 58);
	write_u8(&w, 255);
	write_copy(&w, ip, 16);
	write_copy(&w, ALL, 16);
	memcpy(icmp + 8, ip, 16);
	memcpy(icmp + 26, mac, 6);
	put_checksum(icmp, sizeof(icmp), ip, ALL);
	write_copy(&w, icmp, sizeof(icmp));
	return writer_len(&w);
}

static void later(struct nic *n, int64_t now_ns)
{
	int64_t wait = n->tries < 6 ? AGAIN_FIRST << n->tries : AGAIN_MOST;

	n->tries++;
	n->own = OWN_WAITING;
	n->ask_ns = now_ns + (wait < AGAIN_MOST ? wait : AGAIN_MOST);
}

/* The address in n->ip is ours until @until_ns: onto the device with it, and off it by then whatever becomes of us. */
static int give(struct nic *n, int64_t now_ns, int64_t until_ns)
{
	int64_t left_s = until_ns == INT64_MAX ? 0 : (until_ns - now_ns) / NS_PER_S;

	n->until_ns = until_ns;
	if (until_ns != INT64_MAX && left_s < 1)
		left_s = 1;
	return plug_give(&n->plug, &n->ip, bits_of(n), left_s < UINT32_MAX ? (uint32_t)left_s : 0);
}

static bool set(struct nic *n, int64_t now_ns, int64_t until_ns)
{
	int err = give(n, now_ns, until_ns);
	char a[IP_TEXT];

	if (err) {
		diary(LEVEL_WARN, "address", "cannot give %s the address %s: %s", n->plug.device.name, ip_text(&n->ip, a),
		      strerror(-err));
		return false;
	}
	diary(LEVEL_INFO, "address", "%s has %s/%u in %s", n->plug.device.name, ip_text(&n->ip, a), bits_of(n),
	      n->charter.record.name);
	n->own = OWN_SET;
	n->announce = true;
	n->tries = 0;
	return true;
}

int64_t nics_due(const struct nics *n)
{
	int64_t at = INT64_MAX;

	for (unsigned i = 0; i < n->count; i++)
		if (n->nic[i].own == OWN_WAITING && n->nic[i].ask_ns < at)
			at = n->nic[i].ask_ns;
	return at;
}

/* Whom the lease is for: this host, at every start of it. */
static uint64_t client_of(const struct nic *n)
{
	uint8_t mac[6];
	uint64_t client = 0;

	mac_of(mac, n, "host");
	for (unsigned i = 0; i < sizeof(mac); i++)
		client = client << 8 | mac[i];
	return client;
}

bool nics_next(struct nics *n, int64_t now_ns, uint8_t frame[NICS_FRAME], struct event *ev)
{
	for (unsigned i = 0; i < n->count; i++) {
		struct nic *k = &n->nic[i];

		if (k->own == OWN_WAITING && k->fixed && k->ask_ns <= now_ns && !set(k, now_ns, INT64_MAX))
			later(k, now_ns);
		if (k->own == OWN_SET && k->announce) {
			k->announce = false;
			*ev = (struct event){ .kind = EVENT_FRAME, .iface = k->plug.tap.iface,
					      .data = { frame, announcement(k, frame) } };
			return true;
		}
		if (k->own != OWN_WAITING || k->fixed || k->ask_ns > now_ns)
			continue;
		*ev = (struct event){ .kind = EVENT_CONTROL };
		ev->request = (struct request){
			.token = NIC_FIRST_TOKEN + i, .ip = k->ip, .client = client_of(k), .network = (uint8_t)i,
			.timeout_ns = ASK_TIMEOUT, .ask = ASK_LEASE,
		};
		k->own = OWN_ASKED;
		return true;
	}
	return false;
}

bool nics_reply(struct nics *n, int64_t now_ns, const struct reply *r)
{
	unsigned i = (unsigned)(r->token - NIC_FIRST_TOKEN);
	struct nic *k;
	char a[IP_TEXT];

	if (r->token < NIC_FIRST_TOKEN || i >= n->count)
		return false;
	k = &n->nic[i];
	if (k->own != OWN_ASKED || r->ask != ASK_LEASE)
		return true;			/* its lease was renewed */
	diary(LEVEL_DEBUG, "address", "asked for in %s: answer %u, verdict %u", k->charter.record.name, r->answer, r->verdict);
	if (r->answer == ANSWER_OK && r->ip.family) {
		k->ip = r->ip;
		if (!set(k, now_ns, r->until_ns))
			later(k, now_ns);
		return true;
	}
	if (r->answer == ANSWER_REFUSED && !k->taken_said) {
		diary(LEVEL_WARN, "address", "%s in %s is not to be had now; trying on",
		      k->config->how == ADDRESS_THIS ? ip_text(&k->ip, a) : "an address", k->charter.record.name);
		k->taken_said = true;
	}
	later(k, now_ns);
	return true;
}

/* Is its lease still ours, and until when? */
static bool held(const struct node *node, const struct nic *n, int64_t *until_ns)
{
	struct held h;

	for (unsigned i = 0; node_held(node, i, &h); i++)
		if (id_eq(h.network, n->charter.record.id) && ip_eq(&h.lease.ip, &n->ip) &&
		    (h.state == HELD_OURS || h.state == HELD_DOUBTED)) {
			*until_ns = h.until_ns;
			return true;
		}
	return false;
}

void nics_look(struct nics *n, const struct node *node, int64_t now_ns)
{
	uint32_t changes = node_held_changes(node);
	int64_t until_ns;
	char a[IP_TEXT];

	if (changes == n->held_seen)
		return;
	n->held_seen = changes;
	for (unsigned i = 0; i < n->count; i++) {
		struct nic *k = &n->nic[i];

		if (k->own != OWN_SET || k->fixed)
			continue;
		if (held(node, k, &until_ns)) {
			if (until_ns != k->until_ns)
				give(k, now_ns, until_ns);
			continue;
		}
		diary(LEVEL_WARN, "address", "%s in %s is not ours any more", ip_text(&k->ip, a), k->charter.record.name);
		unset(k);
		if (k->config->how == ADDRESS_LEASE)
			k->ip = (struct ip){ .family = k->ip.family };
		later(k, now_ns);
	}
}
