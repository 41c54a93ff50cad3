#include "node/ctl_judge.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "node/ctl.h"

enum {
	JOIN_S		= 15,			/* a node that is not in by then has a reason */
	LEASE_S		= 30,
	PROBED_MS	= 120000,		/* links this old know what their path carries */
	WARN_DAYS	= 14,
	DISK_MIN	= 1 << 20,
	OVERHEAD	= 64,			/* of a guest's packet in one of ours, at most */
};

static void finding_free(gpointer p)
{
	struct finding *f = p;

	g_free(f->text);
	g_free(f);
}

static void find(GPtrArray *a, enum finding_level level, const char *topic, const char *remedy, const char *format, ...)
	G_GNUC_PRINTF(5, 6);

static void find(GPtrArray *a, enum finding_level level, const char *topic, const char *remedy, const char *format, ...)
{
	struct finding *f = g_new0(struct finding, 1);
	va_list args;

	va_start(args, format);
	*f = (struct finding){ level, topic, g_strdup_vprintf(format, args), remedy };
	va_end(args);
	g_ptr_array_add(a, f);
}

const char *finding_level_text(enum finding_level level)
{
	return level == FINDING_WRONG ? "wrong" : level == FINDING_NOTE ? "note" : "ok";
}

/* ---- the node itself -------------------------------------------------------------------- */

static void judge_node(const struct doctor_facts *d, GPtrArray *a)
{
	const char *state = json_str(d->status, "state", "-");
	int64_t up_s = json_int(d->status, "up_s", 0), links = json_int(d->status, "links", 0);

	if (!strcmp(state, "joining") && up_s >= JOIN_S)
		find(a, FINDING_WRONG, "node", links ? "look at its log: a certificate of another overlay, a clock that is wrong?" :
		     "can an endpoint of [overlay] bootstrap be reached by UDP? Is one given?",
		     "it has not found its place for %" PRId64 " s, with %" PRId64 " links", up_s, links);
	else if (strcmp(state, "joined"))
		find(a, FINDING_NOTE, "node", NULL, "it is %s", state);
	else if (!links && d->bootstraps && d->bootstraps != UINT_MAX && up_s >= JOIN_S)
		find(a, FINDING_WRONG, "node", "can an endpoint of [overlay] bootstrap be reached by UDP, and is a node there?",
		     "it stands alone, though it knows whom to call");
	else if (!links)
		find(a, FINDING_NOTE, "node", "[overlay] bootstrap = ADDRESS:PORT of a member, unless this is the first",
		     "it stands alone");
	else
		find(a, FINDING_GOOD, "node", NULL, "joined, %" PRId64 " links, about %" PRId64 " nodes", links,
		     json_int(d->status, "size", 0));
}

/* ---- NAT -------------------------------------------------------------------------------- */

/* The address of "192.0.2.1:9338" or "[2001:db8::1]:9338"; g_free() it */
static char *address_of(const char *endpoint)
{
	const char *colon = strrchr(endpoint, ':');
	size_t len = colon ? (size_t)(colon - endpoint) : strlen(endpoint);

	return *endpoint == '[' && len > 2 ? g_strndup(endpoint + 1, len - 2) : g_strndup(endpoint, len);
}

/* Is it one of the addresses that the node's machine has? The port may be another. */
static bool ours(const struct doctor_facts *d, const char *endpoint)
{
	JsonArray *own = json_arr(d->seen, "own");
	char *address = address_of(endpoint);
	bool is = false;

	for (guint i = 0; own && !is && i < json_array_get_length(own); i++) {
		char *one = address_of(json_array_get_string_element(own, i));

		is = !strcmp(one, address);
		g_free(one);
	}
	g_free(address);
	return is;
}

struct nat {
	unsigned plain, mapped, kinds;	/* peers that see an address of ours; another; different ones of these */
	GString *all;			/* the different ones */
	char *one;
};

/* What peers of one family say. */
static struct nat nat_of(const struct doctor_facts *d, bool six)
{
	struct nat n = { .all = g_string_new(NULL) };
	JsonArray *a = json_arr(d->seen, "seen");
	GHashTable *known = g_hash_table_new(g_str_hash, g_str_equal);
	JsonObject *s;

	for (guint i = 0; (s = ctl_each(a, i)); i++) {
		const char *at = json_str(s, "at", "");

		if ((*at == '[') != six)
			continue;
		if (ours(d, at)) {
			n.plain++;
			g_free(n.one);
			n.one = g_strdup(at);
			continue;
		}
		n.mapped++;
		if (g_hash_table_add(known, (gpointer)at)) {
			g_string_append_printf(n.all, "%s%s", n.kinds ? ", " : "", at);
			n.kinds++;
		}
	}
	g_hash_table_unref(known);
	return n;
}

/* True: a NAT that maps us differently for each peer. */
static bool judge_nat_of(const struct doctor_facts *d, GPtrArray *a, bool six)
{
	struct nat n = nat_of(d, six);
	const char *family = six ? "IPv6" : "IPv4";
	bool differs = n.kinds > 1;

	if (differs)
		find(a, FINDING_NOTE, "nat", "forward our UDP port on the gateway: else two nodes behind such NATs are relayed",
		     "%s: behind a NAT that maps us differently for each peer: %s", family, n.all->str);
	else if (n.mapped > 1)
		find(a, FINDING_GOOD, "nat", NULL, "%s: behind a NAT that maps us to %s for all %u peers that say so", family,
		     n.all->str, n.mapped);
	else if (n.mapped)
		find(a, FINDING_GOOD, "nat", NULL, "%s: behind a NAT: %s, says the only peer that can", family, n.all->str);
	else if (n.plain)
		find(a, FINDING_GOOD, "nat", NULL, "%s: no NAT: %u peers see us at an address of ours, as %s", family, n.plain, n.one);
	g_string_free(n.all, TRUE);
	g_free(n.one);
	return differs;
}

/* ---- peers ------------------------------------------------------------------------------- */

static bool listens(const struct doctor_facts *d, bool six)
{
	JsonArray *a = json_arr(d->status, "listen");

	for (guint i = 0; a && i < json_array_get_length(a); i++)
		if ((*json_array_get_string_element(a, i) == '[') == six)
			return true;
	return false;
}

static void judge_relayed(const struct doctor_facts *d, GPtrArray *a, JsonObject *p, bool differs)
{
	const char *at = json_str(p, "at", "-"), *id = json_str(p, "id", "-");
	bool six = *at == '[';

	if (*at == '-' || !strcmp(at, "none"))
		find(a, FINDING_NOTE, "peer", "if it is behind a firewall, forward its UDP port there",
		     "%.8s is relayed: no endpoint of it is known", id);
	else if (!listens(d, six))
		find(a, FINDING_NOTE, "peer", six ? "[underlay] listen6 = [::]:9338, if this machine has IPv6" :
		     "[underlay] listen4 = 0.0.0.0:9338, if this machine has IPv4",
		     "%.8s is relayed: it is at %s, and we have no IPv%d", id, at, six ? 6 : 4);
	else if (differs)
		find(a, FINDING_NOTE, "peer", "forward our UDP port on the gateway",
		     "%.8s is relayed: our NAT maps us differently for each peer, and %s does not answer", id, at);
	else
		find(a, FINDING_NOTE, "peer", "forward a UDP port on one of the two gateways, or let UDP in there",
		     "%.8s is relayed: direct calls to %s are not answered, so a firewall or its NAT keeps them out", id, at);
}

static void judge_peers(const struct doctor_facts *d, GPtrArray *a, bool differs)
{
	JsonArray *peers = json_arr(d->peers, "peers");
	unsigned up = 0, relayed = 0, called = 0;
	JsonObject *p;

	for (guint i = 0; (p = ctl_each(peers, i)); i++) {
		if (strcmp(json_str(p, "state", ""), "up"))
			continue;
		up++;
		called += !ctl_yes(p, "called_by_us") && !ctl_yes(p, "relayed");
		if (ctl_yes(p, "suspect"))
			find(a, FINDING_NOTE, "peer", NULL, "%.8s has been silent for %" PRId64 " s and is being probed",
			     json_str(p, "id", "-"), json_int(p, "heard_ms", 0) / 1000);
		if (ctl_yes(p, "relayed")) {
			relayed++;
			judge_relayed(d, a, p, differs);
		}
	}
	if (!up)
		return;
	if (called)
		find(a, FINDING_GOOD, "reach", NULL, "%u of %u peers called us: we can be reached", called, up);
	else
		find(a, FINDING_NOTE, "reach", "let UDP in on our port at firewall and gateway, or leave it: we call others",
		     "no peer has called us: from outside we may not be reachable");
	if (!relayed)
		find(a, FINDING_GOOD, "peer", NULL, "all %u links are direct", up);
}

/* ---- MTU --------------------------------------------------------------------------------- */

static int64_t largest_mtu(const struct doctor_facts *d)
{
	JsonArray *networks = json_arr(d->networks, "networks");
	int64_t most = 0;
	JsonObject *n;

	for (guint i = 0; (n = ctl_each(networks, i)); i++)
		most = MAX(most, json_int(n, "mtu_bytes", 0));
	return most;
}

static void judge_mtu(const struct doctor_facts *d, GPtrArray *a)
{
	JsonArray *peers = json_arr(d->peers, "peers");
	int64_t least = INT64_MAX, most = 0, want = largest_mtu(d);
	unsigned known = 0, small = 0;
	JsonObject *p;

	for (guint i = 0; (p = ctl_each(peers, i)); i++) {
		int64_t mtu = json_int(p, "mtu_bytes", 0);

		if (json_int(p, "up_ms", 0) < PROBED_MS || !mtu)
			continue;
		known++;
		small += mtu < want + OVERHEAD;
		least = MIN(least, mtu);
		most = MAX(most, mtu);
	}
	if (small && want)
		find(a, FINDING_NOTE, "mtu", "an MTU of the network that fits (weftctl net create --mtu), or a path with a larger one",
		     "%u of %u paths carry less than a packet of %" PRId64 " bytes needs, the least %" PRId64
		     ": such travel in pieces", small, known, want, least);
	else if (known)
		find(a, FINDING_GOOD, "mtu", NULL, "paths carry %" PRId64 " to %" PRId64 " bytes in one datagram", least, most);
}

/* ---- networks ---------------------------------------------------------------------------- */

static void judge_network(const struct doctor_facts *d, GPtrArray *a, JsonObject *n)
{
	const char *name = json_str(n, "name", "-");
	int64_t up_s = json_int(d->status, "up_s", 0);
	bool joined = !strcmp(json_str(d->status, "state", ""), "joined");

	if (ctl_yes(n, "tap_gone"))
		find(a, FINDING_WRONG, "tap", "restart the node", "somebody deleted the tap %s of %s", json_str(n, "tap", "-"), name);
	if (json_object_has_member(n, "address"))
		find(a, FINDING_GOOD, "lease", NULL, "this host is %s in %s", json_str(n, "address", "-"), name);
	else if (ctl_yes(n, "asks_for_address") && up_s >= LEASE_S && joined)
		find(a, FINDING_WRONG, "lease", "a majority of those that decide has to be up: weftctl dht look ADDRESS; founders that are "
		     "gone for good need a new generation", "no address in %s after %" PRId64 " s", name, up_s);
	else if (ctl_yes(n, "asks_for_address"))
		find(a, FINDING_NOTE, "lease", NULL, "still asking for an address in %s", name);
	if (json_int(n, "refused", 0))
		find(a, FINDING_NOTE, "tap", NULL, "%" PRId64 " frames did not pass the tap %s", json_int(n, "refused", 0),
		     json_str(n, "tap", "-"));
}

static void judge_networks(const struct doctor_facts *d, GPtrArray *a)
{
	JsonArray *networks = json_arr(d->networks, "networks"), *leases = json_arr(d->leases, "leases");
	JsonArray *names = json_arr(d->names, "names");
	JsonObject *o;

	for (guint i = 0; (o = ctl_each(networks, i)); i++)
		judge_network(d, a, o);
	for (guint i = 0; (o = ctl_each(leases, i)); i++)
		if (!strcmp(json_str(o, "state", ""), "doubted"))
			find(a, FINDING_NOTE, "lease", NULL, "%s in %s is not believed until a majority confirms it",
			     json_str(o, "address", "-"), json_str(o, "network", "-"));
	for (guint i = 0; (o = ctl_each(names, i)); i++) {
		const char *verdict = json_str(o, "verdict", "");

		if (!strcmp(verdict, "ok") || !strcmp(verdict, "not answered yet"))
			continue;
		find(a, FINDING_WRONG, "name", "[network.N] name = ANOTHER, or wait until the other one has gone",
		     "the name %s in %s is not published: %s", json_str(o, "name", "-"), json_str(o, "network", "-"), verdict);
	}
	for (const char *const *n = d->dns; n && *n; n++)
		find(a, FINDING_WRONG, "dns", "does a firewall on this host drop UDP port 53 on the tap?",
		     "the name server of %s does not know this host", *n);
}

/* ---- the machine ------------------------------------------------------------------------- */

static void judge_machine(const struct doctor_facts *d, GPtrArray *a)
{
	int64_t ends = json_int(d->status, "certificate_ends_utc_s", 0), now = json_int(d->status, "utc_s", d->utc_s);

	if (ends && ends <= now)
		find(a, FINDING_WRONG, "clock", "the overlay's signer makes a new one: weftctl net admit; or is the clock wrong?",
		     "our certificate has ended: nobody will link with us");
	else if (ends && ends - now < WARN_DAYS * 86400)
		find(a, FINDING_NOTE, "clock", "the overlay's signer makes a new one: weftctl net admit",
		     "our certificate ends in %" PRId64 " days", (ends - now) / 86400);
	if (!d->clock_set)
		find(a, FINDING_NOTE, "clock", "run a time service, as systemd-timesyncd: certificates are judged by this clock",
		     "the kernel does not know how good its clock is");
	else
		find(a, FINDING_GOOD, "clock", NULL, "the clock is kept by a time service");
	if (json_int(d->status, "saves_failed", 0))
		find(a, FINDING_WRONG, "disk", "make room where [node] state lies, or make it writable",
		     "%" PRId64 " times the disk did not take what has to be kept", json_int(d->status, "saves_failed", 0));
	else if (d->disk_free >= 0 && d->disk_free < DISK_MIN)
		find(a, FINDING_WRONG, "disk", "make room where [node] state lies", "%" PRId64 " bytes are free for the state",
		     d->disk_free);
	else
		find(a, FINDING_GOOD, "disk", NULL, "state is being saved");
}

GPtrArray *doctor_judge(const struct doctor_facts *d)
{
	GPtrArray *a = g_ptr_array_new_with_free_func(finding_free);
	bool four, six;

	judge_node(d, a);
	four = judge_nat_of(d, a, false);
	six = judge_nat_of(d, a, true);
	judge_peers(d, a, four || six);
	judge_mtu(d, a);
	judge_networks(d, a);
	judge_machine(d, a);
	return a;
}
