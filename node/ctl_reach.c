/*
 * ctl_reach.c - what stands between a node and its peers
 *
 * In the words of RFC 4787: a NAT's mapping is endpoint-independent when every
 * peer sees the same address and port (section 4.1), its filtering is when
 * somebody gets in whom we sent nothing to (section 5). That nobody of the kind
 * came proves nothing: then it is said what would show it.
 */
#include "node/ctl_judge.h"

#include <inttypes.h>
#include <string.h>

#include "node/ctl.h"

enum { MOST = 4 };		/* three of this many peers are most of them */

/* The address of "192.0.2.1:9338" or "[2001:db8::1]:9338"; g_free() it */
static char *address_of(const char *endpoint)
{
	const char *colon = strrchr(endpoint, ':');
	size_t len = colon ? (size_t)(colon - endpoint) : strlen(endpoint);

	return *endpoint == '[' && len > 2 ? g_strndup(endpoint + 1, len - 2) : g_strndup(endpoint, len);
}

static bool one_address(const char *x, const char *y)
{
	char *a = address_of(x), *b = address_of(y);
	bool is = !strcmp(a, b);

	g_free(a);
	g_free(b);
	return is;
}

/* Is it one of the addresses that the node's machine has? The port may be another. */
static bool ours(const struct doctor_facts *d, const char *endpoint)
{
	JsonArray *own = json_arr(d->seen, "own");

	for (guint i = 0; own && i < json_array_get_length(own); i++)
		if (one_address(json_array_get_string_element(own, i), endpoint))
			return true;
	return false;
}

/* The peer with @id, if we have a link to it that is up. */
static JsonObject *peer_of(const struct doctor_facts *d, const char *id)
{
	JsonObject *p;

	for (guint i = 0; (p = ctl_each(json_arr(d->peers, "peers"), i)); i++)
		if (!strcmp(json_str(p, "id", ""), id) && !strcmp(json_str(p, "state", ""), "up"))
			return p;
	return NULL;
}

/* ---- NAT -------------------------------------------------------------------------------- */

struct nat {
	unsigned plain, mapped, kinds;	/* peers that see an address of ours; another; different ones of these */
	unsigned most;			/* peers that see the one that most of them see */
	const char *one;		/* it; of ours, if nobody sees another */
	GString *all;			/* the different ones */
};

/* What peers of one family say that are reached directly now: what others said may be past. */
static struct nat nat_of(const struct doctor_facts *d, bool six)
{
	struct nat n = { .all = g_string_new(NULL) };
	GHashTable *known = g_hash_table_new(g_str_hash, g_str_equal);
	JsonObject *s, *p;

	for (guint i = 0; (s = ctl_each(json_arr(d->seen, "seen"), i)); i++) {
		const char *at = json_str(s, "at", "");
		unsigned times;

		p = peer_of(d, json_str(s, "peer", "-"));
		if ((*at == '[') != six || !p || ctl_yes(p, "relayed"))
			continue;
		if (ours(d, at)) {
			n.plain++;
			n.one = n.one ? n.one : at;
			continue;
		}
		n.mapped++;
		times = GPOINTER_TO_UINT(g_hash_table_lookup(known, at)) + 1;
		g_hash_table_insert(known, (gpointer)at, GUINT_TO_POINTER(times));
		if (times == 1)
			g_string_append_printf(n.all, "%s%s", n.kinds++ ? ", " : "", at);
		if (times > n.most) {
			n.most = times;
			n.one = at;
		}
	}
	g_hash_table_unref(known);
	return n;
}

static bool varies(const struct nat *n)
{
	return n->kinds > 1 && n->most * MOST < n->mapped * (MOST - 1);
}

static void judge_nat(const struct nat *n, const char *family, GPtrArray *a)
{
	if (varies(n))
		find(a, FINDING_NOTE, "nat", "forward our UDP port on the gateway: else those whose gateways let in only whom they call "
		     "are relayed", "%s: behind a NAT that maps us differently for each peer (endpoint-dependent mapping): %s", family,
		     n->all->str);
	else if (n->mapped > 1)
		find(a, FINDING_GOOD, "nat", NULL, "%s: behind a NAT that maps us to %s for %s%u%s peers (endpoint-independent mapping)",
		     family, n->one, n->kinds > 1 ? "" : "all ", n->most, n->kinds > 1 ? " of its" : "");
	else if (n->mapped)
		find(a, FINDING_GOOD, "nat", NULL, "%s: behind a NAT: %s, says the only peer that can", family, n->one);
	else if (n->plain)
		find(a, FINDING_GOOD, "nat", NULL, "%s: no NAT: %u peers see us at an address of ours, as %s", family, n->plain, n->one);
}

/* ---- who gets in ------------------------------------------------------------------------- */

/* A peer on our side of the NAT says nothing of what it lets in. */
static bool beyond(const struct doctor_facts *d, JsonObject *p, const struct nat *n)
{
	JsonObject *s;

	if (!n->mapped)
		return true;
	for (guint i = 0; (s = ctl_each(json_arr(d->seen, "seen"), i)); i++)
		if (!strcmp(json_str(s, "peer", "-"), json_str(p, "id", "")))
			return !ours(d, json_str(s, "at", ""));
	return false;
}

static void judge_filter(const struct doctor_facts *d, const struct nat n[2], GPtrArray *a)
{
	static const char *const HELP = "let UDP in on our port at firewall and gateway, or leave it: we call others";
	unsigned up = 0, any = 0, address = 0;
	JsonObject *p;

	for (guint i = 0; (p = ctl_each(json_arr(d->peers, "peers"), i)); i++) {
		const char *in = json_str(p, "let_in", "");

		if (strcmp(json_str(p, "state", ""), "up"))
			continue;
		up++;
		if (!beyond(d, p, &n[*json_str(p, "at", "-") == '[']))
			continue;
		any += !strcmp(in, "any");
		address += !strcmp(in, "address");
	}
	if (any)
		find(a, FINDING_GOOD, "reach", NULL, "we can be reached: %u of %u peers called us whom we had sent nothing "
		     "(endpoint-independent filtering)", any, up);
	else if (address)
		find(a, FINDING_NOTE, "reach", HELP, "who is let in is whom we called, from any port: %u of %u peers came from another "
		     "(address-dependent filtering), or nobody else tried", address, up);
	else if (up)
		find(a, FINDING_NOTE, "reach", HELP, "nobody came whom we had not called: a firewall or NAT lets in only those "
		     "(address- and port-dependent filtering), or nobody tried");
}

/* ---- why a peer is relayed --------------------------------------------------------------- */

static bool listens(const struct doctor_facts *d, bool six)
{
	JsonArray *a = json_arr(d->status, "listen");

	for (guint i = 0; a && i < json_array_get_length(a); i++)
		if ((*json_array_get_string_element(a, i) == '[') == six)
			return true;
	return false;
}

static void judge_relayed(const struct doctor_facts *d, JsonObject *p, const struct nat *n, GPtrArray *a)
{
	const char *at = json_str(p, "at", "-"), *id = json_str(p, "id", "-");
	int64_t tries = json_int(p, "tries", 0);
	bool six = *at == '[', theirs = ctl_yes(p, "their_nat_varies");
	const char *help = "forward a UDP port on one of the two gateways", *why;

	if (*at == '-' || !strcmp(at, "none")) {
		find(a, FINDING_NOTE, "peer", "if it is behind a firewall, forward its UDP port there",
		     "%.8s is relayed: no endpoint of it is known", id);
		return;
	}
	if (!listens(d, six)) {
		find(a, FINDING_NOTE, "peer", six ? "[underlay] listen6 = [::]:9338, if this machine has IPv6" :
		     "[underlay] listen4 = 0.0.0.0:9338, if this machine has IPv4",
		     "%.8s is relayed: it is at %s, and we have no IPv%d", id, at, six ? 6 : 4);
		return;
	}
	if (varies(n) && theirs)
		why = "both NATs map differently for each peer, so that neither knows the port to call";
	else if (varies(n))
		why = "our NAT maps us differently for each peer, and its gateway or firewall lets in only whom it called, port by port";
	else if (theirs)
		why = "its NAT maps it differently for each peer, and our gateway or firewall lets in only whom we called, port by port";
	else if (n->mapped && one_address(at, n->one))
		why = "it is behind the same NAT, which does not turn packets around (no hairpin)";
	else
		why = "direct calls are not answered, so a firewall or NAT keeps them out";
	find(a, FINDING_NOTE, "peer", help, "%.8s at %s is relayed: %s; tried %" PRId64 " time%s", id, at, why, tries,
	     tries == 1 ? "" : "s");
}

static void judge_peers(const struct doctor_facts *d, const struct nat n[2], GPtrArray *a)
{
	unsigned up = 0, relayed = 0;
	JsonObject *p;

	for (guint i = 0; (p = ctl_each(json_arr(d->peers, "peers"), i)); i++) {
		if (strcmp(json_str(p, "state", ""), "up"))
			continue;
		up++;
		if (ctl_yes(p, "suspect"))
			find(a, FINDING_NOTE, "peer", NULL, "%.8s has been silent for %" PRId64 " s and is being probed",
			     json_str(p, "id", "-"), json_int(p, "heard_ms", 0) / 1000);
		if (ctl_yes(p, "relayed")) {
			relayed++;
			judge_relayed(d, p, &n[*json_str(p, "at", "-") == '['], a);
		}
	}
	if (up && !relayed)
		find(a, FINDING_GOOD, "peer", NULL, "all %u links are direct", up);
}

void judge_reach(const struct doctor_facts *d, GPtrArray *a)
{
	struct nat n[2] = { nat_of(d, false), nat_of(d, true) };

	judge_nat(&n[0], "IPv4", a);
	judge_nat(&n[1], "IPv6", a);
	judge_filter(d, n, a);
	judge_peers(d, n, a);
	for (unsigned i = 0; i < 2; i++)
		g_string_free(n[i].all, TRUE);
}
