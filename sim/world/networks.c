#include "sim/world/networks.h"

#include <assert.h>
#include <string.h>

#include "sim/world/guests.h"
#include "sim/world/inside.h"

enum { NETWORKS = 4 };

/* One host's memberships while its node runs. */
struct member {
	struct network network[NETWORKS];
	struct self *self[NETWORKS];	/* of networks that are not the overlay's; else NULL */
	char name[16];
};

struct networks {
	unsigned count;
	struct one {
		struct network_record record;
		uint8_t anchor[SIGN_BYTES], secret[32];
		uint8_t blob[NETWORK_RECORD_MAX];
		size_t len;
	} one[NETWORKS];
	struct member **member;		/* by host */
};

static struct ip_range range_of(const char *text)
{
	struct ip_range r = { .ip = { .family = 0 } };
	struct scenario_prefix p;

	if (*text && scenario_range(text, &p)) {
		memcpy(r.ip.at, p.at, sizeof(r.ip.at));
		r.ip.family = p.family;
		r.bits = p.bits;
	}
	return r;
}

static unsigned founders(const struct world *w, const struct scenario_network *n)
{
	unsigned most = (unsigned)MIN(n->replicas, w->scenario->nodes.bootstrap);

	if (n->founders != AUTO)
		return (unsigned)n->founders;
	return most % 2 ? most : most - 1;
}

static void describe(struct world *w, unsigned i, struct one *o)
{
	const struct scenario_network *n = scenario_network(w->scenario, i);
	struct network_record *r = &o->record;

	network_defaults(r);
	memcpy(r->key, o->anchor + KEY_BYTES, KEY_BYTES);
	r->id = network_id(r->key);
	g_snprintf(r->name, sizeof(r->name), "%s", *n->name ? n->name : "");
	if (!*n->name)
		g_snprintf(r->name, sizeof(r->name), "net%u", n->head.number);
	g_snprintf(r->domain, sizeof(r->domain), "%s", r->name);
	r->range4 = range_of(n->range);
	r->range6 = range_of(n->range6);
	if (*n->reserved)
		r->reserved[r->reserveds++] = range_of(n->reserved);
	r->term_s = (uint32_t)(n->term_ns / NS_PER_S);
	r->mtu = (uint16_t)n->mtu_bytes;
	r->drift_ppm = (uint16_t)(n->drift_ppb / 1000);
	r->policy = n->policy == NETWORK_RECLAIM ? POLICY_RECLAIM : POLICY_STRICT;
	r->replicas = (uint8_t)n->replicas;
	r->founders = (uint8_t)founders(w, n);
	for (unsigned k = 0; k < r->founders; k++)
		r->founder[k] = people_id(&w->people, k, 1);
}

struct networks *networks_new(struct world *w, struct fail *f)
{
	struct networks *ns = g_new0(struct networks, 1);

	ns->count = w->scenario->network.count;
	ns->member = g_new0(struct member *, w->hosts);
	w->networks = ns;
	for (unsigned i = 0; i < ns->count; i++) {
		struct one *o = &ns->one[i];
		struct chance key = chance_of(w->seed, UINT32_MAX - 1 - i, STREAM_KEY);
		struct writer to = writer_of(o->blob, sizeof(o->blob));
		uint8_t seed[KEY_BYTES];

		chance_bytes(&key, seed, sizeof(seed));
		chance_bytes(&key, o->secret, sizeof(o->secret));
		if (i)
			w->people.suite->sign_pair(o->anchor, seed);
		else
			memcpy(o->anchor, w->people.anchor, SIGN_BYTES);
		describe(w, i, o);
		if (!network_sign(w->people.suite, o->anchor, &o->record, &to)) {
			fail_add(f, "[network.%u] cannot be signed: a value is out of the bounds core sets",
				 scenario_network(w->scenario, i)->head.number);
			return NULL;
		}
		o->len = writer_len(&to);
		if (network_read(w->people.suite, (struct bytes){ o->blob, o->len }, &o->record)) {
			fail_add(f, "[network.%u]: core does not take the record",
				 scenario_network(w->scenario, i)->head.number);
			return NULL;
		}
	}
	return ns;
}

void networks_free(struct world *w)
{
	if (!w->networks)
		return;
	g_free(w->networks->member);
	g_free(w->networks);
	w->networks = NULL;
}

unsigned networks_count(const struct world *w)
{
	return w->networks->count;
}

const struct network_record *networks_record(const struct world *w, unsigned network)
{
	return &w->networks->one[network].record;
}

const uint8_t *networks_anchor(const struct world *w, unsigned network)
{
	return w->networks->one[network].anchor;
}

static enum vnet_model model_of(const struct world *w)
{
	switch ((enum guests_model)w->scenario->guests.model) {
	case GUESTS_ROUTER:
		return MODEL_ROUTER;
	case GUESTS_HYBRID:
		return MODEL_HYBRID;
	default:
		return MODEL_INTERFACE;
	}
}

void networks_born(struct world *w, struct lane *l, uint32_t i, struct birth *b, uint32_t people)
{
	struct networks *ns = w->networks;
	struct member *m;

	if (!ns->count)
		return;
	m = ns->member[i] = slab_get(lane_slab(l), sizeof(*m));
	memset(m, 0, sizeof(*m));
	guests_name(w, i, m->name, sizeof(m->name));
	for (unsigned k = 0; k < ns->count; k++) {
		struct one *o = &ns->one[k];
		struct network *n = &m->network[k];

		if (k)
			m->self[k] = people_make_in(&w->people, o->anchor, lane_slab(l), i, people);
		n->record = (struct bytes){ o->blob, o->len };
		n->identity = k ? &m->self[k]->identity : b->identity;
		memcpy(n->secret, o->secret, sizeof(n->secret));
		n->model = (uint8_t)model_of(w);
		n->iface = (uint16_t)(k + 1);
		n->name = (struct bytes){ (const uint8_t *)m->name, strlen(m->name) };
		guests_mac(w, i, k, n->mac);
	}
	b->networks = m->network;
	b->network_count = ns->count;
}

void networks_drop(struct world *w, struct lane *l, uint32_t i)
{
	struct networks *ns = w->networks;
	struct member *m = ns ? ns->member[i] : NULL;

	if (!m)
		return;
	for (unsigned k = 1; k < ns->count; k++) {
		identity_done(&m->self[k]->identity);
		people_drop(lane_slab(l), m->self[k]);
	}
	slab_put(lane_slab(l), m, sizeof(*m));
	ns->member[i] = NULL;
}

uint64_t networks_leasable(const struct network_record *r)
{
	uint64_t all;

	if (r->range4.ip.family != 4)
		return 0;
	all = (UINT64_C(1) << (32 - r->range4.bits)) - 3;	/* network, gateway, broadcast */
	for (unsigned i = 0; i < r->reserveds; i++)
		all -= MIN(all - 1, UINT64_C(1) << (32 - r->reserved[i].bits));
	return all;
}

struct ip networks_address(const struct network_record *r, unsigned family, uint64_t n)
{
	uint64_t all, base;
	struct ip a;

	if (family == 6) {
		a = r->range6.ip;
		for (unsigned k = 0; k < 4; k++)
			a.at[15 - k] = (uint8_t)((n + 0x1000) >> 8 * k);
		return a;
	}
	all = UINT64_C(1) << (32 - r->range4.bits);
	base = ip_u32(&r->range4.ip);
	for (uint64_t k = n % all; ; k = (k + 1) % all) {
		a = ip_v4((uint32_t)(base + k));
		if (network_leasable(r, &a))
			return a;
	}
}
