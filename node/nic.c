#include "node/nic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "node/confine.h"
#include "node/diary.h"
#include "node/keep.h"
#include "node/text.h"

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
	n->chain_len = (uint16_t)chain->len;
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

/* As core wants it, in place @i. */
static void birth_of(struct nics *n, unsigned i)
{
	const struct nic *k = n->nic[i];

	n->birth[i] = (struct network){
		.record = { k->charter.blob, k->charter.len }, .identity = &k->identity,
		.model = (uint8_t)k->config->model, .iface = (uint16_t)(i + 1),
		.name = { (const uint8_t *)k->name, strlen(k->name) },
		.rule = k->config->rule, .rules = (uint8_t)k->config->rules,
	};
	memcpy(n->birth[i].secret, k->charter.secret, CHARTER_SECRET);
	memcpy(n->birth[i].mac, k->plug.device.mac, 6);
}

static struct nic *read_one(const struct config_network *c, const struct home *h, uint64_t utc, struct fail *f)
{
	struct nic *n = calloc(1, sizeof(*n));
	struct id self;

	if (!n)
		abort();
	confine_lock(n, sizeof(*n));
	n->plug.tap.fd = -1;
	n->config = c;
	if (charter_read(c->file, &n->charter, "`weftctl net create --range` makes a network, `weftctl net add` its nodes",
			 f)) {
		if (self_id(h, utc, &self) && identify(n, h, self, utc, f))
			return n;
		if (!f->count)
			fail_add(f, "our certificate of the overlay is not good any more");
	}
	nic_free(n);
	return NULL;
}

/* Is @all[@last] the same network as one before it? */
static bool twice(struct nic *const all[], unsigned last, struct fail *f)
{
	for (unsigned i = 0; i < last; i++)
		if (id_eq(all[i]->charter.record.id, all[last]->charter.record.id)) {
			fail_add(f, "[network.%u] and [network.%u] are the same network", all[i]->config->head.number,
				 all[last]->config->head.number);
			return true;
		}
	return false;
}

bool nic_read_all(struct nic *all[NETWORKS_MAX], const struct node_config *c, const struct home *h, uint64_t utc, struct fail *f)
{
	for (unsigned i = 0; i < c->network.count; i++) {
		all[i] = read_one(config_network(c, i), h, utc, f);
		if (all[i] && !twice(all, i, f))
			continue;
		do {
			nic_free(all[i]);
			all[i] = NULL;
		} while (i--);
		return false;
	}
	return true;
}

void nic_free(struct nic *n)
{
	if (!n)
		return;
	own_take(n);
	if (n->plug.rtnl.socket)
		plug_out(&n->plug);
	identity_done(&n->identity);
	charter_done(&n->charter);
	free(n);
}

const char *nic_differs(const struct nic *a, const struct nic *b)
{
	if (a->charter.len != b->charter.len || memcmp(a->charter.blob, b->charter.blob, a->charter.len) ||
	    memcmp(a->charter.secret, b->charter.secret, CHARTER_SECRET))
		return "record";
	if (a->chain_len != b->chain_len || memcmp(a->chain, b->chain, a->chain_len))
		return "card";
	return a->plug.tap.gone ? "tap" : config_network_differs(a->config, b->config);
}

bool nics_read(struct nics *n, const struct node_config *c, const struct home *h, uint64_t utc, struct fail *f)
{
	struct id self;

	memset(n, 0, sizeof(*n));
	if (!self_id(h, utc, &self))
		return true;
	snprintf(n->remark, sizeof(n->remark), "weft-node %016llx", (unsigned long long)self.hi);
	if (!nic_read_all(n->nic, c, h, utc, f))
		return false;
	for (unsigned i = 0; i < c->network.count; i++)
		birth_of(n, i);
	return true;
}

/* ---- taps ----------------------------------------------------------------------------- */

void nic_mac(uint8_t mac[6], const struct nic *n, const char *what)
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
static void sweep(struct nics *n)
{
	const char *bridge[NETWORKS_MAX];
	unsigned bridges = 0;

	for (unsigned i = 0; i < NETWORKS_MAX; i++)
		if (n->nic[i] && n->nic[i]->config->bridge)
			bridge[bridges++] = n->nic[i]->config->bridge;
	plug_sweep(n->remark, bridge, bridges);
}

static bool plug(struct nics *n, unsigned i, struct fail *f)
{
	struct nic *k = n->nic[i];
	const struct network_record *r = &k->charter.record;
	struct plug_setup s = {
		.tap = k->config->tap, .bridge = k->config->bridge, .device = k->config->device, .remark = n->remark,
		.model = (enum vnet_model)k->config->model, .mtu = r->mtu, .iface = (uint16_t)(i + 1),
	};
	char range[RANGE_TEXT];
	unsigned stale;

	nic_mac(s.mac, k, "tap");
	nic_mac(s.bridge_mac, k, "bridge");
	if (!plug_in(&k->plug, &s, f))
		return false;
	birth_of(n, i);
	stale = plug_flush(&k->plug, &r->range4) + plug_flush(&k->plug, &r->range6);
	if (stale)
		diary(LEVEL_INFO, "address", "%s had %u of the last run", k->plug.device.name, stale);
	diary(LEVEL_INFO, "network", "%s %s on %s%s%s, MTU %u", r->name,
	      range_text(r->range4.ip.family ? &r->range4 : &r->range6, range), k->plug.tap.name, s.bridge ? " in " : "",
	      s.bridge ? s.bridge : "", r->mtu);
	diary(LEVEL_DEBUG, "network", "%s takes %s", k->plug.tap.name, tap_takes(&k->plug.tap));
	return true;
}

bool nics_plug(struct nics *n, struct fail *f)
{
	if (nics_count(n))
		sweep(n);
	for (unsigned i = 0; i < NETWORKS_MAX; i++)
		if (n->nic[i] && !plug(n, i, f))
			return false;
	return true;
}

int nics_put(struct nics *n, struct nic *k, struct fail *f)
{
	unsigned i = 0;

	while (i < NETWORKS_MAX && n->nic[i])
		i++;
	if (i == NETWORKS_MAX) {
		fail_add(f, "there is no place for the network %s", k->charter.record.name);
		nic_free(k);
		return -1;
	}
	n->nic[i] = k;
	if (plug(n, i, f))
		return (int)i;
	nics_drop(n, i);
	return -1;
}

void nic_leaves(struct nic *n, const struct nics *all)
{
	own_take(n);
	for (unsigned i = 0; i < NETWORKS_MAX; i++) {
		const struct nic *k = all->nic[i];

		if (k && k != n && k->config && k->config->bridge && !strcmp(k->config->bridge, n->plug.bridge))
			*n->plug.bridge = 0;
	}
	plug_out(&n->plug);
	n->config = NULL;
}

int nics_find(const struct nics *n, struct id id)
{
	for (int i = 0; i < NETWORKS_MAX; i++)
		if (n->nic[i] && n->nic[i]->config && id_eq(n->nic[i]->charter.record.id, id))
			return i;
	return -1;
}

unsigned nics_count(const struct nics *n)
{
	unsigned count = 0;

	for (unsigned i = 0; i < NETWORKS_MAX; i++)
		count += n->nic[i] != NULL;
	return count;
}

const char *nics_name(const struct nics *n, unsigned place)
{
	return place < NETWORKS_MAX && n->nic[place] ? n->nic[place]->charter.record.name : "-";
}

void nics_drop(struct nics *n, unsigned place)
{
	nic_free(n->nic[place]);
	n->nic[place] = NULL;
	sodium_memzero(&n->birth[place], sizeof(n->birth[place]));
}

void nics_close(struct nics *n)
{
	for (unsigned i = 0; i < NETWORKS_MAX; i++)
		nics_drop(n, i);
}

void nics_write(struct nics *n, const struct frame *f, unsigned frames)
{
	for (unsigned i = 0; i < NETWORKS_MAX && frames; i++)
		if (n->nic[i])
			tap_write(&n->nic[i]->plug.tap, f, frames);
}

bool nics_can_sum(const struct nics *n)
{
	for (unsigned i = 0; i < NETWORKS_MAX; i++)
		if (n->nic[i] && !n->nic[i]->plug.tap.virtio)
			return false;
	return true;
}
