/* config_network.c - whether the networks of a configuration make sense */
#include <string.h>

#include <glib.h>

#include "core/base/env.h"
#include "node/config.h"
#include "node/text.h"

struct checking {
	struct node_config *c;
	struct config_network *n;
	char group[32];
	struct fail *f;
	bool bad;
};

#define WRONG(k, key, ...) do {								\
	schema_complain((k)->c->log, (k)->f, (k)->group, key, __VA_ARGS__);		\
	(k)->bad = true;								\
} while (0)

static void check_address(struct checking *k)
{
	struct config_network *n = k->n;
	bool own = n->model == MODEL_INTERFACE;

	if (!strcmp(n->address, "lease") || (own && !strcmp(n->address, "auto")))
		n->how = ADDRESS_LEASE;
	else if (!strcmp(n->address, "off") || !strcmp(n->address, "auto"))
		n->how = ADDRESS_OFF;
	else if (ip_read(n->address, &n->ip))
		n->how = ADDRESS_THIS;
	else
		WRONG(k, "address", "neither a word nor an address; accepted: auto, lease, off, 10.9.0.7, fd00::7");
}

static void check_interfaces(struct checking *k)
{
	struct config_network *n = k->n;
	const char *wrong = iface_wrong(n->tap, true);

	if (wrong)
		WRONG(k, "tap", "%s; accepted: weft0, weft%%d", wrong);
	if (n->model == MODEL_INTERFACE && n->bridge)
		WRONG(k, "bridge", "there is none under model = interface; accepted with model = router, hybrid");
	else if (n->model != MODEL_INTERFACE && !n->bridge)
		WRONG(k, "bridge", "model = %s needs one; accepted: br0", n->model == MODEL_ROUTER ? "router" : "hybrid");
	else if (n->bridge && (wrong = iface_wrong(n->bridge, false)))
		WRONG(k, "bridge", "%s; accepted: br0", wrong);
	if (n->device && n->model != MODEL_HYBRID)
		WRONG(k, "device", "there is none under model = %s; accepted with model = hybrid",
		      n->model == MODEL_ROUTER ? "router" : "interface");
	else if (n->device && (wrong = iface_wrong(n->device, false)))
		WRONG(k, "device", "%s; accepted: weft0h, br0", wrong);
}

/* One label of DNS (RFC 1123, 2.1). */
static bool label(const char *s)
{
	size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");

	return len && !s[len] && len <= 63 && *s != '-' && s[len - 1] != '-';
}

static void check_firewall(struct checking *k)
{
	const char *text = k->n->firewall;
	struct guard_wrong wrong;
	int rules = guard_read((struct bytes){ (const uint8_t *)text, strlen(text) }, k->n->rule, &wrong);

	if (rules < 0 && wrong.word.len)
		WRONG(k, "firewall", "'%.*s': %s", (int)wrong.word.len, (const char *)wrong.word.at, wrong.what);
	else if (rules < 0)
		WRONG(k, "firewall", "a rule is cut short: %s", wrong.what);
	else
		k->n->rules = (unsigned)rules;
}

static void check_others(struct checking *k)
{
	for (unsigned i = 0; i < k->c->network.count; i++) {
		const struct config_network *o = config_network(k->c, i);

		if (o == k->n)
			break;
		if (!strcmp(o->file, k->n->file))
			WRONG(k, "record", "[network.%u] is that network already", o->head.number);
		if (!strcmp(o->tap, k->n->tap) && !strchr(o->tap, '%'))
			WRONG(k, "tap", "[network.%u] has that tap already", o->head.number);
	}
}

bool config_networks(struct node_config *c, struct fail *f)
{
	struct checking k = { .c = c, .f = f };

	for (unsigned i = 0; i < c->network.count; i++) {
		k.n = config_network(c, i);
		k.n->file = k.n->record ? g_strdup(k.n->record) : g_build_filename(c->node.state, "network", NULL);
	}
	for (unsigned i = 0; i < c->network.count; i++) {
		k.n = config_network(c, i);
		g_snprintf(k.group, sizeof(k.group), "network.%u", k.n->head.number);
		if (i == NETWORKS_MAX)
			WRONG(&k, NULL, "one too many; accepted: up to %d networks", NETWORKS_MAX);
		check_interfaces(&k);
		check_address(&k);
		if (strcmp(k.n->name, "auto") && strcmp(k.n->name, "off") && !label(k.n->name))
			WRONG(&k, "name", "no host name; accepted: auto, off, or up to 63 letters, digits and '-'");
		check_firewall(&k);
		check_others(&k);
	}
	return !k.bad;
}

const char *config_network_differs(const struct config_network *a, const struct config_network *b)
{
	const struct { const char *key, *a, *b; } text[] = {
		{ "tap", a->tap, b->tap }, { "bridge", a->bridge, b->bridge }, { "device", a->device, b->device },
		{ "address", a->address, b->address }, { "name", a->name, b->name },
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(text); i++)
		if (g_strcmp0(text[i].a, text[i].b))
			return text[i].key;
	return a->model == b->model ? NULL : "model";
}
