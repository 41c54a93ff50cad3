/* ON: node/order.c node/text.c core/base */
/*
 * control_fuzz.c - any bytes as lines of a control client
 *
 * Input: lines; each is an order. One that is refused has a reason in plain
 * ASCII, which goes back to the client as JSON; one that is taken has an id that
 * is JSON again, and a time within bounds.
 */
#include <stdint.h>
#include <string.h>

#include <jansson.h>

#include "node/order.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool it_holds)
{
	if (!it_holds)
		__builtin_trap();
}

static void one(const char *line, size_t len)
{
	char why[WHY_LEN] = "";
	struct order o;
	json_t *id;
	bool taken = order_read(line, len, &o, why);

	must(taken || *why);
	for (const char *c = why; *c; c++)
		must(*c >= ' ' && *c <= '~');
	if (*o.id) {
		id = json_loads(o.id, JSON_DECODE_ANY, NULL);
		must(id && (json_is_integer(id) || json_is_string(id)));
		json_decref(id);
	}
	if (taken)
		must(o.kind < ORDERS && o.timeout_ns >= NS_PER_MS && o.timeout_ns <= 60 * NS_PER_S);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;

	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((stop ? stop : end) - at);

		one(at, len);
		at += len + 1;
	}
	return 0;
}
