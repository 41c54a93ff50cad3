/* ON: node/config.c node/config_network.c node/config_table.c node/keep.c node/text.c node/prog core/base core/seal core/vnet/guard.c core/vnet/packet.c core/vnet/build.c */
/*
 * node_config_fuzz.c - any bytes as weft-node's configuration
 *
 * A file that is refused has messages and leaves nothing behind; one that is
 * taken is written, read again, and then the same; and what core would be born
 * with is within what core asserts.
 */
#include <stdint.h>
#include <string.h>

#include <glib.h>

#include "node/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool it_holds)
{
	if (!it_holds)
		__builtin_trap();
}

static void sane(const struct node_config *c)
{
	struct config core;

	config_core(c, &core);
	must(core.near >= 1 && core.near <= 8 && core.longs <= 64 && core.suspect_probes >= 1);
	must(core.mtu >= 1252 && core.mtu <= 1472 && core.probe_next_ns > 0 && core.suspect_ns > 0);
	must(c->bootstraps <= CONFIG_BOOTSTRAPS && c->control && c->node.state);
	for (unsigned i = 0; i < c->bootstraps; i++)
		must(endpoint_valid(&c->bootstrap[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = g_malloc(size + 1), *first, *second;
	struct fail f = { 0 };
	struct node_config *c, *again;

	memcpy(text, data, size);
	text[size] = 0;
	c = config_parse("weft.conf", text, size, "/etc/weft", NULL, 0, &f);
	must((c != NULL) != failed(&f));
	for (unsigned i = 0; i < f.count; i++)
		must(*f.text[i] && g_utf8_validate(f.text[i], -1, NULL));
	if (c) {
		sane(c);
		first = schema_write(c->log);
		again = config_parse("again", first, strlen(first), "/", NULL, 0, &f);
		must(again != NULL && !config_differs(c, again));
		second = schema_write(again->log);
		must(!strcmp(first, second));
		g_free(first);
		g_free(second);
		config_free(again);
	}
	config_free(c);
	fail_done(&f);
	g_free(text);
	return 0;
}
