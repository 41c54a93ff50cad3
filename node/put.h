/*
 * put.h - members of a JSON object, one line each; for the files that answer
 */
#ifndef NODE_PUT_H
#define NODE_PUT_H

#include <jansson.h>

#include "node/text.h"

static inline void put(json_t *o, const char *name, json_t *value)
{
	json_object_set_new(o, name, value);
}

static inline void put_int(json_t *o, const char *name, int64_t value)
{
	put(o, name, json_integer(value));
}

static inline void put_text(json_t *o, const char *name, const char *text)
{
	put(o, name, json_string(text));
}

static inline void put_id(json_t *o, const char *name, struct id id)
{
	char buf[ID_TEXT];

	put_text(o, name, id_text(id, buf));
}

static inline void put_ip(json_t *o, const char *name, const struct ip *a)
{
	char buf[IP_TEXT];

	put_text(o, name, ip_text(a, buf));
}

static inline void put_endpoint(json_t *o, const char *name, const struct endpoint *e)
{
	char buf[ENDPOINT_TEXT];

	put_text(o, name, endpoint_text(e, buf));
}

/** inside() - {"name":what} */
static inline json_t *inside(const char *name, json_t *what)
{
	json_t *root = json_object();

	put(root, name, what);
	return root;
}

#endif /* NODE_PUT_H */
