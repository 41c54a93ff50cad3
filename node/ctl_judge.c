#include "node/ctl_judge.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "node/ctl.h"

enum {
	JOIN_S		= 15,			/* a node that is not in by then has a reason */
	LEASE_S		= 30,
	WARN_DAYS	= 14,
	DISK_MIN	= 1 << 20,
	OVERHEAD	= 41,			/* of a guest's packet in one of ours: its kind, what is left undone, header and tag */
};

static void finding_free(gpointer p)
{
	struct finding *f = p;

	g_free(f->text);
	g_free(f);
}

void find(GPtrArray *a, enum finding_level level, const char *topic, const char *remedy, const char *format, ...)
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
		find(a, FINDING_WRONG, "node", "does a firewall drop UDP on its way out? Can an endpoint of [overlay] bootstrap be reached by UDP, and "
		     "is a node there? A node that was revoked is not answered either: the overlay's operator knows (weftctl net list)",
		     "it stands alone, though it knows whom to call");
	else if (!links)
		find(a, FINDING_NOTE, "node", "[overlay] bootstrap = ADDRESS:PORT of a member, unless this is the first",
		     "it stands alone");
	else
		find(a, FINDING_GOOD, "node", NULL, "joined, %" PRId64 " links, about %" PRId64 " nodes", links,
		     json_int(d->status, "size", 0));
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

		if (!ctl_yes(p, "mtu_known"))
			continue;
		known++;
		small += mtu < want + OVERHEAD;
		least = MIN(least, mtu);
		most = MAX(most, mtu);
	}
	if (small && want)
		find(a, FINDING_NOTE, "mtu", "nothing need be done; to spare them: a smaller MTU of the network (weftctl net create --mtu), "
		     "or a path with a larger one", "%u of %u paths carry less than a packet of %" PRId64 " bytes needs, the least %"
		     PRId64 ": such travel in pieces until who sends them has learned to send smaller ones", small, known, want,
		     least);
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

	judge_node(d, a);
	judge_reach(d, a);
	judge_mtu(d, a);
	judge_networks(d, a);
	judge_machine(d, a);
	return a;
}
