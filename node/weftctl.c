/* weftctl - asks a running weft-node, and makes overlays and nodes */
#include <string.h>

#include <sodium.h>

#include "node/ctl.h"

static const struct command commands[] = {
	{ "status", NULL, "who and where a node is, and how it fares", status_command },
	{ "peers", NULL, "its links", peers_command },
	{ "networks", NULL, "its virtual networks, and who is behind its taps", networks_command },
	{ "leases", NULL, "addresses it holds", leases_command },
	{ "names", NULL, "names it publishes", names_command },
	{ "resolve", "ADDRESS", "who holds an address", resolve_command },
	{ "trace", "KEY|ADDRESS", "the way to the owner of a key, or of an address", trace_command },
	{ "ping", "HOST|ADDRESS|ID", "echoes through the overlay", ping_command },
	{ "dht", "slots | get | put | delete | look", "what it keeps for others, and what they keep", dht_command },
	{ "doctor", NULL, "what is wrong here, and what helps", doctor_command },
	{ "metrics", NULL, "its counters, as Prometheus reads them", metrics_command },
	{ "pcap", "tap | overlay FILE", "what crosses its tap or its sockets, into a file", pcap_command },
	{ "lookup", "NAME:PORT...", "look names up and have it call who is there, while it runs", lookup_command },
	{ "resolver", NULL, "have systemd-resolved ask it for names, while it runs", resolver_command },
	{ "stop", NULL, "have it leave the overlay and end", stop_command },
	{ "leave", NULL, NULL, stop_command },
	{ "version", NULL, "versions of weftctl and of the node", version_command },
	{ "net", "create | add | invite | revoke | list ...", "make overlays and their members", net_command },
	{ "key", "DIR", "a node's public key", key_command },
	{ "config", "explain | show | man", "what weft-node's configuration can hold", config_command },
	{ NULL, NULL, NULL, NULL },
};

/* `weftctl -c FILE status` is `weftctl status -c FILE`: which node is said first or last. */
static void command_first(int argc, char **argv)
{
	int n = 1;

	while (n + 1 < argc && (!strcmp(argv[n], "-s") || !strcmp(argv[n], "-c") || !strcmp(argv[n], "--socket") ||
				!strcmp(argv[n], "--conf")))
		n += 2;
	if (n > 1 && n < argc) {
		char *command = argv[n];

		memmove(argv + 2, argv + 1, (size_t)(n - 1) * sizeof(*argv));
		argv[1] = command;
	}
}

int main(int argc, char **argv)
{
	fail_name("weftctl");
	if (sodium_init() < 0) {
		struct fail f = { 0 };

		fail_add(&f, "cannot start libsodium");
		fail_exit(&f);
	}
	command_first(argc, argv);
	return options_main(argc, argv, "weftctl",
			    "Asks a running weft-node, and makes overlays and nodes.\n\n"
			    "Which node: -s SOCKET or -c FILE, before or after the command.", commands);
}
