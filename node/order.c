#include "node/order.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "node/text.h"

static const char *const NAME[ORDERS] = {
#define X(name, text) [ORDER_##name] = text,
	ORDER_LIST(X)
#undef X
};

#define DEFAULT_TIMEOUT	(10 * NS_PER_S)

const char *order_text(enum order_kind kind)
{
	return kind < ORDERS ? NAME[kind] : "unknown";
}

/* Reasons may quote what the client sent; they go back as JSON, so they are made plain ASCII here. */
static bool no(char why[WHY_LEN], const char *format, const char *what)
{
	snprintf(why, WHY_LEN, format, what);
	for (char *c = why; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return false;
}

static bool read_id_member(const json_t *v, struct order *o, char why[WHY_LEN])
{
	size_t n;

	if (!json_is_integer(v) && !(json_is_string(v) && json_string_length(v) <= ORDER_ID))
		return no(why, "id is neither a number nor a short text%s", "");
	n = json_dumpb(v, o->id, sizeof(o->id) - 1, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	o->id[n < sizeof(o->id) ? n : 0] = 0;
	return true;
}

static bool read_kind(const json_t *v, struct order *o, char why[WHY_LEN])
{
	const char *text = json_string_value(v);

	for (int k = 0; text && k < ORDERS; k++)
		if (!strcmp(NAME[k], text)) {
			o->kind = (enum order_kind)k;
			return true;
		}
	return no(why, "nothing known to ask; accepted: status, peers, trace, resolve, leases, networks, names, stop, "
		  "version%s", "");
}

static bool read_key_member(const json_t *v, struct order *o, char why[WHY_LEN])
{
	const char *text = json_string_value(v);

	if (text && id_read(text, &o->key))
		return true;
	return no(why, "key is not %s", "32 hexadecimal digits");
}

static bool read_address(const json_t *v, struct order *o, char why[WHY_LEN])
{
	const char *text = json_string_value(v);

	if (text && ip_read(text, &o->ip))
		return true;
	return no(why, "address is not %s", "like 10.9.0.7 or fd00::7");
}

static bool read_network(const json_t *v, struct order *o, char why[WHY_LEN])
{
	const char *text = json_string_value(v);

	if (!text || !*text || strlen(text) >= sizeof(o->network))
		return no(why, "network is not %s", "a network's name");
	memcpy(o->network, text, strlen(text) + 1);
	return true;
}

static bool read_timeout(const json_t *v, struct order *o, char why[WHY_LEN])
{
	json_int_t ms = json_integer_value(v);

	if (!json_is_integer(v) || ms < 1 || ms > ORDER_TIMEOUT_MAX_MS)
		return no(why, "timeout_ms is out of range; accepted: %s", "1 to 60000");
	o->timeout_ns = ms * NS_PER_MS;
	return true;
}

/*
 * The members of @root into @o; the id is read first, so that errors carry it.
 * (They are asked for by name and counted: the function that walks an object
 * has the same name in jansson and json-glib, and tests link both.)
 */
static bool read_members(const json_t *root, struct order *o, char why[WHY_LEN])
{
	const json_t *id = json_object_get(root, "id"), *ask = json_object_get(root, "ask");
	const json_t *key = json_object_get(root, "key"), *timeout = json_object_get(root, "timeout_ms");
	const json_t *address = json_object_get(root, "address"), *network = json_object_get(root, "network");
	size_t known = (size_t)(!!id + !!ask + !!key + !!timeout + !!address + !!network);

	if (id && !read_id_member(id, o, why))
		return false;
	if (json_object_size(root) > known)
		return no(why, "a member that is not known; accepted: %s", "ask, key, address, network, timeout_ms, id");
	if (!ask)
		return no(why, "it does not say what to ask; accepted: {\"ask\":\"status\"}%s", "");
	if (!read_kind(ask, o, why) || (key && !read_key_member(key, o, why)) ||
	    (timeout && !read_timeout(timeout, o, why)) || (address && !read_address(address, o, why)) ||
	    (network && !read_network(network, o, why)))
		return false;
	if (o->kind == ORDER_TRACE && !key)
		return no(why, "trace needs a key: %s", "32 hexadecimal digits");
	if (o->kind == ORDER_RESOLVE && !address)
		return no(why, "resolve needs an address: %s", "like 10.9.0.7 or fd00::7");
	if (o->kind != ORDER_TRACE && key)
		return no(why, "%s takes no key", NAME[o->kind]);
	if (o->kind != ORDER_RESOLVE && (address || network))
		return no(why, "%s takes neither address nor network", NAME[o->kind]);
	if (o->kind != ORDER_TRACE && o->kind != ORDER_RESOLVE && timeout)
		return no(why, "%s takes no timeout_ms", NAME[o->kind]);
	return true;
}

bool order_read(const char *line, size_t len, struct order *o, char why[WHY_LEN])
{
	json_error_t error;
	json_t *root;
	bool good;

	memset(o, 0, sizeof(*o));
	o->timeout_ns = DEFAULT_TIMEOUT;
	if (len > ORDER_LINE)
		return no(why, "longer than %s bytes", "4096");
	root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return no(why, "not JSON: %.100s", error.text);
	good = json_is_object(root) ? read_members(root, o, why) : no(why, "not a JSON object%s", "");
	json_decref(root);
	return good;
}
