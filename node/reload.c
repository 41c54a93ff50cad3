/* What SIGHUP can change in a running daemon; of anything else it says that a restart is needed. */
#include "node/inside.h"

#include <string.h>

#include <glib.h>

#include "node/diary.h"
#include "node/ready.h"

/* Firewalls as @new has them; the texts that the old rules point into go with @new. */
static void rules_again(struct daemon *d, struct node_config *new)
{
	for (unsigned i = 0; i < d->nics.count && i < new->network.count; i++) {
		struct config_network *now = config_network(d->config, i), *then = config_network(new, i);
		struct event ev = { .kind = EVENT_CONTROL, .request = { .ask = ASK_RULES, .network = (uint8_t)i } };
		char *text = now->firewall;

		if (now->head.number != then->head.number || !strcmp(text, then->firewall))
			continue;
		now->firewall = then->firewall;
		then->firewall = text;
		memcpy(now->rule, then->rule, sizeof(now->rule));
		now->rules = then->rules;
		d->nics.birth[i].rules = (uint8_t)now->rules;
		wake_step(d, &ev, 1);
		diary(LEVEL_INFO, "reload", "[network.%u]: %u firewall rules", now->head.number, now->rules);
	}
}

void reload(struct daemon *d)
{
	const struct daemon_setup *s = d->setup;
	struct fail f = { 0 };
	struct node_config *new = config_load(s->path, s->set, s->sets, &f);
	char *differs;

	ready_reloading();
	if (!new) {
		for (unsigned i = 0; i < f.count; i++)
			diary(LEVEL_WARN, "reload", "%s", f.text[i]);
		diary(LEVEL_WARN, "reload", "the configuration in use stays as it was");
		fail_done(&f);
		ready_tell("READY=1");
		return;
	}
	differs = config_differs(d->config, new);
	if (differs)
		diary(LEVEL_WARN, "reload", "%s is not as it was; that needs a restart", differs);
	g_free(differs);
	diary_level((enum level)new->node.log);
	wake_up(d);
	member_bootstrap(d->member, clock_now_ns(&d->clock), new->bootstrap, new->bootstraps);
	rules_again(d, new);
	wake_arm(d);
	diary(LEVEL_INFO, "reload", "%s: %u endpoints to bootstrap from", s->path, new->bootstraps);
	config_free(new);
	ready_tell("READY=1");
}
