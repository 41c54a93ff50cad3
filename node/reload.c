/*
 * What SIGHUP can change in a running daemon; of anything else it says that a
 * restart is needed.
 *
 * Networks come and go. All files of the new configuration are read before
 * anything is changed: if one is bad, all stays as it was. A network whose section
 * or files are not as they were, but for its firewall, is left and joined again.
 * Those that are left go first, since a tap or bridge may pass from one to the
 * next: their taps at once, their leases and names within seconds, by a word of
 * core's. Then the new ones come. All others are not touched.
 */
#include "node/inside.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>
#include <signal.h>

#include "node/diary.h"
#include "node/ready.h"

/** struct change - what is to come */
struct change {
	struct nic *fresh[NETWORKS_MAX];	/* by section; NULL: the network there stays */
	int place[NETWORKS_MAX];		/* of the network that the section means; -1: we are not in it */
	unsigned count;
	bool again;				/* another SIGHUP came meanwhile */
};

static void change_free(struct change *c)
{
	for (unsigned i = 0; c && i < c->count; i++)
		nic_free(c->fresh[i]);
	free(c);
}

/* What @new wants, as far as files can tell. NULL with a message: it cannot be. */
static struct change *plan(struct daemon *d, const struct node_config *new, struct fail *f)
{
	struct change *c = calloc(1, sizeof(*c));
	int64_t error_ns;
	uint64_t utc = (uint64_t)(clock_utc_ns(&error_ns) / NS_PER_S);

	if (!c)
		abort();
	if (!nic_read_all(c->fresh, new, &d->home, utc < d->home.not_before ? 0 : utc, f)) {
		free(c);
		return NULL;
	}
	c->count = new->network.count;
	for (unsigned i = 0; i < c->count; i++) {
		int place = nics_find(&d->nics, c->fresh[i]->charter.record.id);
		const struct nic *was = place < 0 ? NULL : d->nics.nic[place];
		const char *key = was ? nic_differs(was, c->fresh[i]) : NULL;

		c->place[i] = place;
		if (!was)
			continue;
		if (!key) {
			nic_free(c->fresh[i]);
			c->fresh[i] = NULL;
			continue;
		}
		diary(LEVEL_INFO, "reload", "[network.%u] %s is not as it was: %s is left and joined again",
		      c->fresh[i]->config->head.number, key, nics_name(&d->nics, (unsigned)c->place[i]));
		c->place[i] = -1;
	}
	return c;
}

/* ---- changing ------------------------------------------------------------------------- */

/* The network in @place stays: it was as @now has it and is as @then does. Rules point into a text, and core remembers both. */
static void stays(struct daemon *d, unsigned place, struct config_network *now, struct config_network *then)
{
	struct event ev = { .kind = EVENT_CONTROL, .request = { .ask = ASK_RULES, .network = (uint8_t)place } };
	bool same = !strcmp(now->firewall, then->firewall);
	char *text = then->firewall;

	if (same) {
		then->firewall = now->firewall;
		now->firewall = text;
		memcpy(then->rule, now->rule, sizeof(then->rule));
	}
	d->nics.nic[place]->config = then;
	d->nics.birth[place].rule = then->rule;
	d->nics.birth[place].rules = (uint8_t)then->rules;
	if (same)
		return;
	wake_step(d, &ev, 1);
	diary(LEVEL_INFO, "reload", "[network.%u]: %u firewall rules", then->head.number, then->rules);
}

static void leave(struct daemon *d, unsigned place)
{
	struct nic *n = d->nics.nic[place];

	diary(LEVEL_INFO, "reload", "the network %s is being left", nics_name(&d->nics, place));
	ev_io_stop(d->loop, &d->tap[place]);
	if (sniff_runs(&d->sniff) && !d->sniff.overlay && d->sniff.iface == n->plug.tap.iface)
		record_end(d);
	own_take(n);
	member_network(d->member, clock_now_ns(&d->clock), place, false);	/* its LAN hears goodbye by the tap */
	if (d->nics.nic[place])
		nic_leaves(n, &d->nics);
}

static void join(struct daemon *d, struct nic *k)
{
	struct fail f = { 0 };
	unsigned number = k->config->head.number;
	int place = nics_put(&d->nics, k, &f);

	if (place >= 0) {
		member_network(d->member, clock_now_ns(&d->clock), (unsigned)place, true);
		if (!k->joined) {
			fail_add(&f, "[node] quota = %lld bytes does not hold one more network",
				 (long long)d->config->node.quota_bytes);
			nics_drop(&d->nics, (unsigned)place);
		} else {
			wake_tap(d, (unsigned)place);
		}
	}
	for (unsigned i = 0; i < f.count; i++)
		diary(LEVEL_WARN, "reload", "[network.%u] cannot be joined: %s", number, f.text[i]);
	fail_done(&f);
}

void reload_addresses(struct daemon *d)
{
	d->addresses.nots = 0;
	for (unsigned i = 0; i < NETWORKS_MAX; i++)
		if (d->nics.nic[i]) {
			addresses_except(&d->addresses, &d->nics.nic[i]->charter.record.range4);
			addresses_except(&d->addresses, &d->nics.nic[i]->charter.record.range6);
		}
}

static bool some_leave(const struct daemon *d)
{
	for (unsigned i = 0; i < NETWORKS_MAX; i++)
		if (d->nics.nic[i] && !d->nics.nic[i]->config)
			return true;
	return false;
}

void reload_go_on(struct daemon *d)
{
	struct change *c = d->change;

	if (!c || some_leave(d))
		return;
	d->change = NULL;
	for (unsigned i = 0; i < c->count && !d->leaving; i++)
		if (c->fresh[i]) {
			join(d, c->fresh[i]);
			c->fresh[i] = NULL;
		}
	reload_addresses(d);
	wake_step(d, NULL, 0);
	diary(LEVEL_INFO, "reload", "%s: %u endpoints to bootstrap from, %u networks", d->setup->path, d->member->core.bootstraps,
	      nics_count(&d->nics));
	ready_tell("READY=1");
	if (c->again)
		ev_feed_signal_event(d->loop, SIGHUP);
	change_free(c);
}

void reload_end(struct daemon *d)
{
	change_free(d->change);
	d->change = NULL;
}

/* The section of @c, which is ours, that @n was made from */
static struct config_network *in_use(struct node_config *c, const struct nic *n)
{
	unsigned i = 0;

	while (config_network(c, i) != n->config)
		i++;
	return config_network(c, i);
}

/* Networks as @new has them. What it said of them is in use from now on, and what was in use goes with @new. */
static void change(struct daemon *d, struct node_config *new, struct change *c)
{
	struct schema_many was = d->config->network;
	bool stay[NETWORKS_MAX] = { false };

	d->config->network = new->network;
	new->network = was;
	for (unsigned i = 0; i < c->count; i++)
		if (c->place[i] >= 0) {
			stays(d, (unsigned)c->place[i], in_use(new, d->nics.nic[c->place[i]]), config_network(d->config, i));
			stay[c->place[i]] = true;
		}
	for (unsigned i = 0; i < NETWORKS_MAX; i++)
		if (d->nics.nic[i] && !stay[i])
			leave(d, i);
	d->change = c;
}

static void refuse(struct fail *f)
{
	for (unsigned i = 0; i < f->count; i++)
		diary(LEVEL_WARN, "reload", "%s", f->text[i]);
	diary(LEVEL_WARN, "reload", "the configuration in use stays as it was");
	fail_done(f);
	ready_tell("READY=1");
}

void reload(struct daemon *d)
{
	const struct daemon_setup *s = d->setup;
	struct fail f = { 0 };
	struct node_config *new;
	struct change *c;
	char *differs;

	if (d->change) {
		d->change->again = true;
		return;
	}
	ready_reloading();
	new = config_load(s->path, s->set, s->sets, &f);
	c = new ? plan(d, new, &f) : NULL;
	if (!c) {
		config_free(new);
		refuse(&f);
		return;
	}
	differs = config_differs(d->config, new);
	if (differs)
		diary(LEVEL_WARN, "reload", "%s is not as it was; that needs a restart", differs);
	g_free(differs);
	diary_level((enum level)new->node.log);
	wake_up(d);
	member_bootstrap(d->member, clock_now_ns(&d->clock), new->bootstrap, new->bootstraps);
	change(d, new, c);
	config_free(new);
	wake_step(d, NULL, 0);			/* goes on at once if nothing is to be left */
}
