#include "node/order.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "core/dht/op.h"
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

static uint8_t value_type_read(const char *text)
{
	static const char *const TYPE[] = { "", "address", "pointer", "member", "group", "token", "plain" };

	for (uint8_t i = VALUE_ADDRESS; i <= VALUE_PLAIN; i++)
		if (!strcmp(TYPE[i], text))
			return i;
	return 0;
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
	return no(why, "nothing known to ask; accepted: status peers trace resolve leases networks names tunnels slots seen "
		  "call ping get put delete metrics pcap revoke stop version%s", "");
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

/* A text of at most @room - 1 bytes, none of them NUL. */
static bool read_text(const json_t *v, char *to, size_t room)
{
	const char *text = json_string_value(v);

	if (!text || json_string_length(v) >= room || strlen(text) != json_string_length(v))
		return false;
	memcpy(to, text, strlen(text) + 1);
	return true;
}

static bool read_network(const json_t *v, struct order *o, char why[WHY_LEN])
{
	return (read_text(v, o->network, sizeof(o->network)) && *o->network) || no(why, "network is not %s", "a network's name");
}

static bool read_timeout(const json_t *v, struct order *o, char why[WHY_LEN])
{
	json_int_t ms = json_integer_value(v);

	if (!json_is_integer(v) || ms < 1 || ms > (o->kind == ORDER_PCAP ? ORDER_SPAN_MAX_MS : ORDER_TIMEOUT_MAX_MS))
		return no(why, "timeout_ms is out of range; accepted: %s", o->kind == ORDER_PCAP ? "1 to 3600000" : "1 to 60000");
	o->timeout_ns = ms * NS_PER_MS;
	return true;
}

static bool read_name(const json_t *v, struct order *o, char why[WHY_LEN])
{
	return (read_text(v, o->name, sizeof(o->name)) && *o->name) || no(why, "name is not %s", "a text of 1 to 255 bytes");
}

static bool read_value(const json_t *v, struct order *o, char why[WHY_LEN])
{
	return read_text(v, o->value, sizeof(o->value)) || no(why, "value is not %s", "a text of at most 1024 bytes");
}

static bool read_type(const json_t *v, struct order *o, char why[WHY_LEN])
{
	const char *text = json_string_value(v);

	o->type = text ? value_type_read(text) : 0;
	return o->type || no(why, "type is not %s", "address, pointer, member, group, token or plain");
}

static bool read_size(const json_t *v, struct order *o, char why[WHY_LEN])
{
	json_int_t bytes = json_integer_value(v);

	if (!json_is_integer(v) || bytes < 0 || bytes > ORDER_SIZE_MAX)
		return no(why, "size is out of range; accepted: %s", "0 to 9000");
	o->size = (uint16_t)bytes;
	return true;
}

static bool read_what(const json_t *v, struct order *o, char why[WHY_LEN])
{
	const char *text = json_string_value(v);

	o->overlay = text && !strcmp(text, "overlay");
	return o->overlay || (text && !strcmp(text, "tap")) || no(why, "what is neither %s", "tap nor overlay");
}

static bool read_at(const json_t *v, struct order *o, char why[WHY_LEN])
{
	const char *text = json_string_value(v);

	return (text && endpoint_read(text, &o->at, why) && o->at.port && !endpoint_wild(&o->at)) ||
	       no(why, "at is not %s", "like 192.0.2.1:9338 or [2001:db8::1]:9338");
}

/* ---- which order takes which members --------------------------------------------------- */

enum {
	KEY = 1 << 0, ADDRESS = 1 << 1, NETWORK = 1 << 2, TIMEOUT = 1 << 3, LABEL = 1 << 4, VALUE = 1 << 5, TYPE = 1 << 6,
	SIZE = 1 << 7, WHAT = 1 << 8, AT = 1 << 9,
};

static const struct {
	const char *name;
	bool (*read)(const json_t *v, struct order *o, char why[WHY_LEN]);
} MEMBER[] = {
	{ "key", read_key_member }, { "address", read_address }, { "network", read_network }, { "timeout_ms", read_timeout },
	{ "name", read_name }, { "value", read_value }, { "type", read_type }, { "size", read_size }, { "what", read_what },
	{ "at", read_at },
};

enum { MEMBERS = sizeof(MEMBER) / sizeof(MEMBER[0]) };

static const struct { uint16_t may, must; } TAKES[ORDERS] = {
	[ORDER_TRACE]	= { KEY | TIMEOUT, KEY },
	[ORDER_RESOLVE]	= { ADDRESS | NETWORK | TIMEOUT, ADDRESS },
	[ORDER_PING]	= { KEY | NETWORK | SIZE | TIMEOUT, KEY },
	[ORDER_GET]	= { LABEL | TYPE | NETWORK | TIMEOUT, LABEL },
	[ORDER_PUT]	= { LABEL | VALUE | NETWORK | TIMEOUT, LABEL | VALUE },
	[ORDER_DELETE]	= { LABEL | NETWORK | TIMEOUT, LABEL },
	[ORDER_CALL]	= { AT, AT },
	[ORDER_PCAP]	= { WHAT | NETWORK | TIMEOUT, WHAT },
};

/*
 * The members of @root into @o; the id is read first, so that errors carry it.
 * (They are asked for by name and counted: the function that walks an object
 * has the same name in jansson and json-glib, and tests link both.)
 */
static bool read_members(const json_t *root, struct order *o, char why[WHY_LEN])
{
	const json_t *id = json_object_get(root, "id"), *ask = json_object_get(root, "ask"), *v[MEMBERS];
	size_t known = (size_t)(!!id + !!ask);

	for (unsigned i = 0; i < MEMBERS; i++)
		known += !!(v[i] = json_object_get(root, MEMBER[i].name));
	if (id && !read_id_member(id, o, why))
		return false;
	if (json_object_size(root) > known)
		return no(why, "a member that is not known; accepted: %s", "ask, key, address, network, timeout_ms, name, value, type, "
			  "size, what, at, id");
	if (!ask)
		return no(why, "it does not say what to ask; accepted: {\"ask\":\"status\"}%s", "");
	if (!read_kind(ask, o, why))
		return false;
	for (unsigned i = 0; i < MEMBERS; i++) {
		if (!v[i] && TAKES[o->kind].must & 1 << i)
			return no(why, "it does not say its %s", MEMBER[i].name);
		if (v[i] && !(TAKES[o->kind].may & 1 << i))
			return no(why, "that order takes no %s", MEMBER[i].name);
		if (v[i] && !MEMBER[i].read(v[i], o, why))
			return false;
	}
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
