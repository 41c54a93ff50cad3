/*
 * ctl_ping.c - echoes through the overlay, in the manner of ping(8)
 *
 * A host of a network is pinged through a tunnel to the node that serves it, as
 * its packets go: that says whether the overlay carries them, how, and how fast.
 * Whether the machine itself answers is ping(8)'s business. An id without a
 * network is pinged through the ring.
 */
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "node/ctl.h"
#include "node/prog/units.h"
#include "node/text.h"

enum { FIND_MS = 5000, SLACK_MS = 2000 };

struct pings {
	const char *what;
	struct ctl_host host;		/* holder: whom; network: empty through the ring */
	int64_t count, interval_ns, timeout_ns, size;
	bool json;
	/* so far */
	int64_t sent, received, min_us, max_us, sum_us;
	double squares;
};

static void on_signal(int number)
{
	(void)number;
	ctl_interrupted = 1;
}

static const char *ms(int64_t us, char buf[UNIT_TEXT_LEN])
{
	g_snprintf(buf, UNIT_TEXT_LEN, "%" PRId64 ".%03" PRId64, us / 1000, us % 1000);
	return buf;
}

static void answered(struct pings *p, JsonObject *o)
{
	int64_t us = json_int(o, "rtt_us", 0);
	const char *carried = json_str(o, "carried", "-"), *via = json_str(o, "via", "");
	char rtt[UNIT_TEXT_LEN];

	p->min_us = p->received && p->min_us < us ? p->min_us : us;
	p->max_us = p->max_us > us ? p->max_us : us;
	p->sum_us += us;
	p->squares += (double)us * (double)us;
	p->received++;
	if (p->json)
		return;
	printf("answer from %s: seq=%" PRId64 " time=%s ms ", p->host.holder, p->sent, ms(us, rtt));
	if (!strcmp(carried, "ring"))
		printf("%" PRId64 " hops\n", json_int(o, "hops", 0));
	else if (!strcmp(carried, "direct"))
		printf("direct, %s\n", json_str(o, "at", "-"));
	else
		printf("%s%s%s\n", carried, *via ? " by way of " : "", via);
}

/* One ping; false with a message if the node cannot be asked any more. */
static bool ping(struct ctl *c, struct pings *p, struct fail *f)
{
	char *line = ctl_order("ping", p->timeout_ns / NS_PER_MS, "key", p->host.holder, "network",
			       *p->host.network ? p->host.network : NULL, NULL), *text = NULL;
	JsonNode *root;
	JsonObject *o;

	if (p->size) {				/* numbers are no business of ctl_order() */
		char *with = g_strdup_printf("{\"size\":%" PRId64 ",%s", p->size, line + 1);

		g_free(line);
		line = with;
	}
	p->sent++;
	root = ctl_ask(c, line, f) ? ctl_take(c, (int)(p->timeout_ns / NS_PER_MS) + SLACK_MS, &text, f) : NULL;
	g_free(line);
	if (!root) {
		p->sent -= ctl_interrupted;	/* it may yet come */
		return false;
	}
	o = json_node_get_object(root);
	if (p->json)
		puts(text);
	if (ctl_yes(o, "ok"))
		answered(p, json_obj(o, "ping"));
	else if (!p->json)
		printf("seq=%" PRId64 " %s\n", p->sent, json_str(o, "error", "no answer"));
	fflush(stdout);
	json_node_unref(root);
	g_free(text);
	return true;
}

static void summary(const struct pings *p)
{
	int64_t lost = p->sent - p->received, avg_us = p->received ? p->sum_us / p->received : 0;
	double n = p->received ? (double)p->received : 1, mean = (double)p->sum_us / n;
	int64_t mdev_us = (int64_t)sqrt(fmax(p->squares / n - mean * mean, 0));
	char a[UNIT_TEXT_LEN], b[UNIT_TEXT_LEN], c[UNIT_TEXT_LEN], d[UNIT_TEXT_LEN];

	if (p->json) {
		printf("{\"summary\":{\"sent\":%" PRId64 ",\"received\":%" PRId64 ",\"min_us\":%" PRId64 ",\"avg_us\":%" PRId64
		       ",\"max_us\":%" PRId64 ",\"mdev_us\":%" PRId64 "},\"ok\":%s}\n", p->sent, p->received, p->min_us, avg_us,
		       p->max_us, mdev_us, p->received ? "true" : "false");
		return;
	}
	printf("--- %s ---\n%" PRId64 " sent, %" PRId64 " received, %" PRId64 "%% lost\n", p->what, p->sent, p->received,
	       p->sent ? 100 * lost / p->sent : 0);
	if (p->received)
		printf("rtt min/avg/max/mdev = %s/%s/%s/%s ms\n", ms(p->min_us, a), ms(avg_us, b), ms(p->max_us, c), ms(mdev_us, d));
}

static bool whom(struct ctl *c, struct pings *p, const char *network, struct fail *f)
{
	struct id id;

	if (!id_read(p->what, &id))
		return ctl_find(c, p->what, network, FIND_MS, &p->host, f);
	g_strlcpy(p->host.holder, p->what, sizeof(p->host.holder));
	g_strlcpy(p->host.network, network ? network : "", sizeof(p->host.network));
	return true;
}

static int run(const struct ctl_where *w, struct pings *p, const char *network)
{
	struct sigaction stop = { .sa_handler = on_signal };
	struct fail f = { 0 };
	struct ctl c;

	if (!ctl_open(&c, w, &f) || !whom(&c, p, network, &f)) {
		ctl_close(&c);
		return ctl_fail(&f);
	}
	if (!p->json)
		printf("PING %s%s%s%s, node %s\n", p->what, *p->host.network ? " in " : "", p->host.network,
		       *p->host.network ? "" : " through the ring", p->host.holder);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	while (ping(&c, p, &f) && p->sent != p->count && !ctl_interrupted)
		poll(NULL, 0, (int)(p->interval_ns / NS_PER_MS));
	ctl_close(&c);
	if (failed(&f) && !ctl_interrupted)
		return ctl_fail(&f);
	fail_done(&f);
	summary(p);
	return ctl_end(&f, p->received ? EXIT_HELD : EXIT_BROKE);
}

int ping_command(int argc, char **argv)
{
	const struct command self = { "ping", "HOST|ADDRESS|ID", "Sends echoes through the overlay.", ping_command };
	struct pings p = { .interval_ns = NS_PER_S, .timeout_ns = 2 * NS_PER_S };
	char *count = NULL, *interval = NULL, *timeout = NULL, *size = NULL, *network = NULL;
	struct ctl_where w = { 0 };
	struct fail f = { 0 };
	const GOptionEntry entries[] = {
		CTL_WHERE(w),
		{ "count", 'n', 0, G_OPTION_ARG_STRING, &count, "So many (until Ctrl-C)", "N" },
		{ "interval", 'i', 0, G_OPTION_ARG_STRING, &interval, "One every ... (1s)", "TIME" },
		{ "timeout", 't', 0, G_OPTION_ARG_STRING, &timeout, "Lost after this (2s)", "TIME" },
		{ "size", 0, 0, G_OPTION_ARG_STRING, &size, "Bytes of each", "N" },
		{ "network", 0, 0, G_OPTION_ARG_STRING, &network, "Which network; an ID is then pinged through a tunnel", "NAME" },
		G_OPTION_ENTRY_NULL
	};
	int code;

	if (options_parse(&argc, &argv, fail_prog(), &self, entries, 1, 1,
			  "HOST is a name in one of the node's networks. Exit code 1: nothing came back.", &code)) {
		p.what = argv[1];
		p.json = w.json;
		if ((count && !options_count("--count", count, 1, INT32_MAX, &p.count, &f)) ||
		    (interval && !options_time("--interval", interval, &p.interval_ns, &f)) ||
		    (timeout && !options_time("--timeout", timeout, &p.timeout_ns, &f)) ||
		    (size && !options_count("--size", size, 9, 9000, &p.size, &f)))
			code = ctl_fail(&f);
		else if (p.timeout_ns < NS_PER_MS || p.timeout_ns > 60 * NS_PER_S || p.interval_ns < 10 * NS_PER_MS ||
			 p.interval_ns > NS_PER_H) {
			fail_add(&f, "--timeout is 1ms to 60s, --interval 10ms to 1h");
			code = ctl_fail(&f);
		} else {
			code = run(&w, &p, network);
		}
	}
	g_free(count);
	g_free(interval);
	g_free(timeout);
	g_free(size);
	g_free(network);
	ctl_where_done(&w);
	return code;
}
