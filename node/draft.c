#include "node/draft.h"

#include <string.h>

#include <glib.h>

#include "node/config.h"

/* A commented key where nothing was said, so that a reader sees what there is. */
static void key(GString *t, const char *name, const char *value, const char *example)
{
	if (value && *value)
		g_string_append_printf(t, "%s = %s\n", name, value);
	else
		g_string_append_printf(t, "# %s = %s\n", name, example);
}

char *draft_text(const struct draft *d, struct fail *f)
{
	GString *t = g_string_new(NULL);
	struct node_config *c;

	g_string_append_printf(t, "# weft-node for %s; `weftctl config explain` says what can stand here\n\n[node]\n", d->name);
	key(t, "state", d->state ? d->state : "state", "");
	key(t, "log", NULL, "info");
	g_string_append(t, "\n[underlay]\n");
	key(t, "listen4", d->listen4, "0.0.0.0:9338");
	key(t, "listen6", d->listen6, "[::]:9338");
	g_string_append(t, "\n[overlay]\n");
	key(t, "bootstrap", d->bootstrap, "192.0.2.1:9338");
	if (d->network) {
		g_string_append(t, "\n[network.1]\n");
		key(t, "tap", d->tap, "weft%d");
		key(t, "model", d->model, "interface");
		key(t, "bridge", d->bridge, "br0");
		key(t, "address", d->own, "lease");
		key(t, "resolver", d->resolver ? "resolved" : NULL, "resolved");
	}
	c = config_parse("the new configuration", t->str, t->len, NULL, NULL, 0, f);
	config_free(c);
	return g_string_free(t, c == NULL);
}
