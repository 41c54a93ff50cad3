/* What SIGHUP can change in a running daemon; of anything else it says that a restart is needed. */
#include "node/inside.h"

#include <glib.h>

#include "node/diary.h"
#include "node/ready.h"

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
	wake_arm(d);
	diary(LEVEL_INFO, "reload", "%s: %u endpoints to bootstrap from", s->path, new->bootstraps);
	config_free(new);
	ready_tell("READY=1");
}
