#include "node/config.h"

#include <string.h>

#include <glib.h>

#include "node/keep.h"
#include "node/text.h"

enum { HEADERS = 28 };			/* IPv4 and UDP */

static bool listen_read(struct node_config *c, struct fail *f, const char *key, const char *text, bool six,
			struct endpoint *at, bool *must)
{
	char why[WHY_LEN];
	struct endpoint e = { .kind = ENDPOINT_NONE };

	schema_place(c->log, "underlay", key, must);
	if (!strcmp(text, "off")) {
		*at = e;
		*must = false;
		return true;
	}
	if (!endpoint_read(text, &e, why)) {
		schema_complain(c->log, f, "underlay", key, "%s; accepted: off, or %s", why,
				six ? "[ADDRESS]:PORT as in [::]:9338" : "ADDRESS:PORT as in 0.0.0.0:9338");
		return false;
	}
	if ((e.kind == ENDPOINT_UDP6) != six) {
		schema_complain(c->log, f, "underlay", key, "an IPv%d address; accepted: IPv%d here, the other in %s",
				six ? 4 : 6, six ? 6 : 4, six ? "listen4" : "listen6");
		return false;
	}
	*at = e;
	return true;
}

static bool metrics_read(struct node_config *c, struct fail *f)
{
	char why[WHY_LEN];

	if (!strcmp(c->node.metrics, "off"))
		return true;
	if (endpoint_read(c->node.metrics, &c->metrics, why) && c->metrics.port)
		return true;
	schema_complain(c->log, f, "node", "metrics", "%s; accepted: off, or ADDRESS:PORT as in 127.0.0.1:9464",
			c->metrics.kind == ENDPOINT_NONE ? why : "port 0 is none that a scraper could find");
	return false;
}

/* NULL, or why the word @text is no endpoint to call. */
static const char *endpoint_wrong(const char *text, struct endpoint *e, char why[WHY_LEN])
{
	if (!endpoint_read(text, e, why))
		return why;
	if (!e->port)
		return "port 0 is no port to send to";
	return endpoint_wild(e) ? "no machine has this address" : NULL;
}

static bool bootstrap_read(struct node_config *c, struct fail *f)
{
	char why[WHY_LEN], host[HOST_TEXT];
	const char *wrong = NULL;
	unsigned names = 0;

	c->words = g_strsplit_set(c->overlay.bootstrap, " \t,", -1);
	for (char **w = c->words; *w && !wrong; w++) {
		struct endpoint e;
		uint16_t port;
		bool named;

		if (!**w)
			continue;
		wrong = endpoint_wrong(*w, &e, why);
		named = wrong && named_read(*w, host, &port);
		if (named)
			wrong = NULL;
		if (!wrong && c->bootstraps + names == CONFIG_BOOTSTRAPS)
			wrong = "one too many";
		if (wrong)
			schema_complain(c->log, f, "overlay", "bootstrap", "'%s': %s; accepted: up to %d of ADDRESS:PORT, "
					"[ADDRESS]:PORT or NAME:PORT, blanks between", *w, wrong, CONFIG_BOOTSTRAPS);
		else if (named)
			c->named[names++] = *w;
		else
			c->bootstrap[c->bootstraps++] = e;
	}
	return !wrong;
}

static bool check(struct node_config *c, struct fail *f)
{
	bool good = listen_read(c, f, "listen4", c->underlay.listen4, false, &c->listen4, &c->must4);

	good = listen_read(c, f, "listen6", c->underlay.listen6, true, &c->listen6, &c->must6) && good;
	good = metrics_read(c, f) && good;
	good = bootstrap_read(c, f) && good;
	if (good && c->listen4.kind == ENDPOINT_NONE && c->listen6.kind == ENDPOINT_NONE) {
		schema_complain(c->log, f, "underlay", "listen6", "both families are off; accepted: one of them on");
		good = false;
	}
	good = config_networks(c, f) && good;
	c->control = c->node.control ? g_strdup(c->node.control) :
		     g_build_filename(c->node.state, "control", NULL);
	return good;
}

struct node_config *config_parse(const char *name, const char *text, size_t len, const char *dir,
				 const char *const *set, unsigned sets, struct fail *f)
{
	struct schema_source src = { name, text, len, dir, set, sets };
	struct node_config *c = g_new0(struct node_config, 1);

	if (!schema_read(&config_schema, &src, c, &c->log, f)) {
		g_free(c);
		return NULL;
	}
	if (!check(c, f)) {
		config_free(c);
		return NULL;
	}
	return c;
}

struct node_config *config_load(const char *path, const char *const *set, unsigned sets, struct fail *f)
{
	struct node_config *c;
	char *text, *dir;
	size_t len;

	switch (keep_text_read(path, &text, &len, f)) {
	case KEEP_ABSENT:
		fail_add(f, "there is no configuration %s", path);
		fail_hint(f, "name it with -c FILE; `weftctl net add` makes one");
		return NULL;
	case KEEP_BAD:
		return NULL;
	case KEEP_GOOD:
		break;
	}
	dir = g_path_get_dirname(path);
	c = config_parse(path, text, len, dir, set, sets, f);
	g_free(dir);
	free(text);
	return c;
}

void config_free(struct node_config *c)
{
	struct schema_log *log;

	if (!c)
		return;
	log = c->log;
	for (unsigned i = 0; i < c->network.count; i++)
		g_free(config_network(c, i)->file);
	g_free(c->control);
	g_strfreev(c->words);
	schema_clear(&config_schema, c);
	schema_log_free(log);
	g_free(c);
}

void config_core(const struct node_config *c, struct config *core)
{
	config_default(core);
	core->near = (uint8_t)c->ring.near;
	core->longs = (uint8_t)c->ring.links;
	core->draw = (uint8_t)c->ring.draw;
	core->one_way = c->ring.direction;
	core->lookahead = c->ring.lookahead;
	core->cap = c->ring.cap;
	core->probe_next_ns = c->link.probe_ns;
	core->probe_second_ns = c->link.probe_second_ns;
	core->probe_far_ns = c->link.probe_far_ns;
	core->suspect_ns = c->link.suspect_ns;
	core->suspect_probes = (uint8_t)c->link.suspect_probes;
	core->mtu = (uint16_t)(c->underlay.mtu_bytes - HEADERS);
}

struct comparison {
	const struct node_config *with;
	char *first;
};

static void compare(void *arg, const char *group, const char *key, const char *text, bool given)
{
	struct comparison *c = arg;
	const char *other = schema_value(c->with->log, group, key);

	(void)given;
	if (c->first || !g_strcmp0(text, other))
		return;
	if (!strcmp(key, "log") || !strcmp(key, "bootstrap") || g_str_has_prefix(group, "network."))
		return;
	c->first = g_strdup_printf("[%s] %s", group, key);
}

char *config_differs(const struct node_config *a, const struct node_config *b)
{
	struct comparison c = { .with = b };

	schema_each(a->log, compare, &c);
	return c.first;
}
