/*
 * ctl_lookup.c - `weftctl lookup`: names of machines to bootstrap from
 *
 * Looks them up, and again while the node has no links, more rarely the longer
 * that lasts, and every quarter of an hour: names come to mean other machines.
 * The node calls each address once, and again only while it has no links.
 *
 * Why this is no part of weft-node: a look-up waits as long as DNS likes, opens
 * files and loads modules (nsswitch.conf(5)) that a confined process may not.
 */
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "node/ctl.h"
#include "node/text.h"

enum { ANSWER_MS = 5000, FIRST_MS = 2000, LINKED_MS = 900000, LONGEST_MS = 60000, EACH_MAX = 8, CALLED_MAX = 64 };

unsigned ctl_look_up(const char *named, struct endpoint *at, unsigned max)
{
	const struct addrinfo want = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM };
	struct addrinfo *all = NULL;
	char host[HOST_TEXT];
	unsigned n = 0;
	uint16_t port;

	if (!named_read(named, host, &port) || getaddrinfo(host, NULL, &want, &all))
		return 0;
	for (const struct addrinfo *i = all; i && n < max; i = i->ai_next) {
		struct endpoint e = { .port = port, .kind = i->ai_family == AF_INET6 ? ENDPOINT_UDP6 : ENDPOINT_UDP4 };

		if (i->ai_family == AF_INET6)
			memcpy(e.addr, &((const struct sockaddr_in6 *)(const void *)i->ai_addr)->sin6_addr, 16);
		else if (i->ai_family == AF_INET)
			memcpy(e.addr, &((const struct sockaddr_in *)(const void *)i->ai_addr)->sin_addr, 4);
		if (!endpoint_wild(&e))
			at[n++] = e;
	}
	freeaddrinfo(all);
	return n;
}

struct called {
	struct endpoint at[CALLED_MAX];
	unsigned count;
};

/* Was it called before? From now on it was. */
static bool known(struct called *k, const struct endpoint *at)
{
	for (unsigned i = 0; i < k->count; i++)
		if (endpoint_eq(&k->at[i], at))
			return true;
	if (k->count == CALLED_MAX)
		k->count = 0;
	k->at[k->count++] = *at;
	return false;
}

static bool order(struct ctl *c, char *line, JsonNode **answer, struct fail *f)
{
	JsonNode *root = ctl_once(c, line, ANSWER_MS, f);

	g_free(line);
	if (answer)
		*answer = root;
	else if (root)
		json_node_unref(root);
	return root;
}

/* One round; the node's links, negative if it cannot be asked. */
static int64_t round_of(const struct ctl_where *w, char **names, struct called *k, struct fail *f)
{
	JsonNode *root = NULL;
	int64_t links = -1;
	struct ctl c;

	if (ctl_open(&c, w, f) && order(&c, ctl_order("status", 0, NULL), &root, f)) {
		links = json_int(json_obj(json_node_get_object(root), "status"), "links", 0);
		json_node_unref(root);
	}
	for (char **n = names; *n && !failed(f); n++) {
		struct endpoint at[EACH_MAX];
		unsigned count = ctl_look_up(*n, at, EACH_MAX);
		char text[ENDPOINT_TEXT];

		for (unsigned i = 0; i < count && !failed(f); i++)
			if (!known(k, &at[i]) || !links)
				order(&c, ctl_order("call", 0, "at", endpoint_text(&at[i], text), NULL), NULL, f);
	}
	ctl_close(&c);
	return links;
}

/* For as long as the node runs, whose process is @process. A round that fails is another one later. */
static void stay(const struct ctl_where *w, int process, char **names)
{
	struct pollfd p = { .fd = process, .events = POLLIN };
	struct called k = { .count = 0 };
	int wait_ms = FIRST_MS, next_ms;

	do {
		struct fail f = { 0 };
		bool linked = round_of(w, names, &k, &f) > 0;

		fail_done(&f);
		next_ms = linked ? LINKED_MS : wait_ms;
		wait_ms = linked ? FIRST_MS : MIN(2 * wait_ms, LONGEST_MS);
	} while (poll(&p, 1, next_ms) <= 0);
}

int lookup_command(int argc, char **argv)
{
	const struct command self = { "lookup", "NAME:PORT...", "Looks names up and has a node call who is there, while it runs.",
				      lookup_command };
	struct ctl_where w = { 0 };
	struct fail f = { 0 };
	const GOptionEntry entries[] = { CTL_WHERE(w), G_OPTION_ENTRY_NULL };
	char host[HOST_TEXT];
	struct ctl c = { .fd = -1 };
	uint16_t port;
	int process, code;

	if (options_parse(&argc, &argv, fail_prog(), &self, entries, 1, 64,
			  "weft-node starts it for the names that its configuration has in [overlay] bootstrap.", &code)) {
		for (char **n = argv + 1; *n; n++)
			if (!named_read(*n, host, &port))
				fail_add(&f, "'%s' is no NAME:PORT", *n);
		process = !failed(&f) && ctl_open(&c, &w, &f) ? ctl_process(&c, &f) : -1;
		ctl_close(&c);
		if (process >= 0) {
			stay(&w, process, argv + 1);
			close(process);
		}
		code = ctl_end(&f, EXIT_HELD);
	}
	ctl_where_done(&w);
	return code;
}
