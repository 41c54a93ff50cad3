/*
 * ctl_find.c - who holds an address or a name, as commands that talk to hosts need it
 *
 * A name is looked for among the names of the network whose domain it ends in,
 * or of all networks of the node; an address is asked of a majority.
 */
#include <string.h>

#include "node/ctl.h"
#include "node/text.h"

/* The part of @name before ".DOMAIN" of the network @n; NULL: it is a name elsewhere. g_free() it */
static char *label_in(const char *name, JsonObject *n)
{
	const char *domain = json_str(n, "domain", "");
	size_t len = strlen(name), tail = strlen(domain);

	if (len && name[len - 1] == '.')
		len--;
	if (!memchr(name, '.', len))
		return g_strndup(name, len);
	if (len > tail + 1 && name[len - tail - 1] == '.' && !g_ascii_strncasecmp(name + len - tail, domain, tail))
		return g_strndup(name, len - tail - 1);
	return NULL;
}

/* The first address under @label, into @out; false: there is none, or with a message it cannot be said. */
static bool first_address(struct ctl *c, const char *label, const char *network, int timeout_ms, struct ctl_host *out,
			  struct fail *f)
{
	char *line = ctl_order("get", timeout_ms, "name", label, "network", network, "type", "address", NULL), *text;
	bool more = ctl_ask(c, line, f), found = false;

	g_free(line);
	while (more) {
		JsonNode *root = ctl_take(c, 2 * timeout_ms, &text, f);
		JsonObject *o = root ? json_node_get_object(root) : NULL;
		JsonArray *a = o ? json_arr(json_obj(o, "value"), "addresses") : NULL;

		if (!root)
			return false;
		if (!found && a && json_array_get_length(a)) {
			g_strlcpy(out->address, json_array_get_string_element(a, 0), sizeof(out->address));
			g_strlcpy(out->network, network, sizeof(out->network));
			found = true;
		}
		more = ctl_yes(o, "more");
		if (!more && ctl_wrong(o, f))
			found = false;
		json_node_unref(root);
		g_free(text);
	}
	return found;
}

static bool find_name(struct ctl *c, const char *name, const char *network, int timeout_ms, struct ctl_host *out,
		      struct fail *f)
{
	JsonNode *root = ctl_once(c, "{\"ask\":\"networks\"}", timeout_ms, f);
	JsonArray *a = root ? json_arr(json_node_get_object(root), "networks") : NULL;
	bool found = false;
	JsonObject *n;

	for (guint i = 0; !found && !failed(f) && (n = ctl_each(a, i)); i++) {
		const char *its = json_str(n, "name", "");
		char *label = network && strcmp(network, its) ? NULL : label_in(name, n);

		found = label && first_address(c, label, its, timeout_ms, out, f);
		g_free(label);
	}
	if (root)
		json_node_unref(root);
	if (!found && !failed(f)) {
		fail_add(f, "%s is nobody's name%s%s", name, network ? " in " : " here", network ? network : "");
		fail_hint(f, "accepted: a host of this node's networks as in bob or bob.home, an address, or 32 hexadecimal digits");
	}
	return found;
}

bool ctl_find(struct ctl *c, const char *what, const char *network, int timeout_ms, struct ctl_host *out, struct fail *f)
{
	struct ip ip;
	JsonNode *root;
	JsonObject *r;
	char *line;

	memset(out, 0, sizeof(*out));
	if (ip_read(what, &ip))
		g_strlcpy(out->address, what, sizeof(out->address));
	else if (!find_name(c, what, network, timeout_ms, out, f))
		return false;
	line = ctl_order("resolve", timeout_ms, "address", out->address, "network", *out->network ? out->network : network, NULL);
	root = ctl_once(c, line, 2 * timeout_ms, f);
	g_free(line);
	if (!root)
		return false;
	r = json_obj(json_node_get_object(root), "resolve");
	g_strlcpy(out->network, json_str(r, "network", ""), sizeof(out->network));
	g_strlcpy(out->holder, json_str(r, "holder", ""), sizeof(out->holder));
	json_node_unref(root);
	if (*out->holder)
		return true;
	fail_add(f, "%s is nobody's in %s", out->address, out->network);
	return false;
}
