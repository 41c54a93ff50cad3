/* ON: sim/world sim/net sim/engine sim/record node/prog core core/base core/seal core/link core/ring core/dht core/vnet sim/guest */
/*
 * world_bench.c - a churn experiment: how fast, and what a node costs
 *
 * Runs a scenario without oracles and without results, first until it is warm
 * (all that start first have had time to join), then for a measured span. Time
 * is CPU time of this process; a step is one datagram or due timer handled by a
 * core. Memory is told twice: resident bytes of the process beyond what it had
 * before there was a world, and the account: what cores, engine, network and
 * world say they hold.
 *
 *	world_bench SCENARIO [-n nodes] [-w warm seconds] [-m measured seconds] [-l limit s]
 *		    [-t] [group.key=value]...
 *
 * -l ends the run after so many seconds of CPU time and tells how far it came;
 * -t prints the account of a core by part; -q one line only.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "node/prog/scenario.h"
#include "sim/net/net.h"
#include "sim/world/inside.h"

struct bench {
	const char *file;
	uint32_t nodes;
	int64_t warm_ns, span_ns;
	double limit_s;			/* of CPU time, 0: none */
	bool table, quiet;
	struct world *world;
	double began_s;
	int64_t now_ns;
	uint64_t alive;
};

struct mark { double cpu_s; uint64_t steps, events; int64_t now_ns; double alive_s; };

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long pages = 0;

	if (!f || fscanf(f, "%*u %lu", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* A second of virtual time has passed: enough? */
static bool tick(void *ctx, int64_t now_ns, uint64_t alive)
{
	struct bench *b = ctx;

	b->now_ns = now_ns;
	b->alive = alive;
	return !b->limit_s || cpu_s() - b->began_s < b->limit_s;
}

static struct mark mark(const struct bench *b)
{
	struct mark m = { .cpu_s = cpu_s(), .now_ns = world_now(b->world) };
	struct engine_stats s;

	for (unsigned i = 0; i < b->world->shards; i++)
		m.steps += b->world->shard[i].fx.steps;
	engine_stats(b->world->engine, &s);
	m.events = s.handled;
	return m;
}

/* -- what a core holds --------------------------------------------------------------------------- */

static const char *const PARTS[] = {
	"struct node", "links", "sessions", "handshakes", "link tables", "neighbours known", "messages, requests",
	"timers", "remembered peers", "tunnels", "label chains", "DHT: slots, leases", "virtual networks",
};

struct account { double part[G_N_ELEMENTS(PARTS)], core, self, most; uint64_t nodes, joined; };

static void take_account(const struct bench *b, struct account *a)
{
	const struct world *w = b->world;

	*a = (struct account){ .nodes = 0 };
	for (uint32_t i = 0; i < w->hosts; i++) {
		const struct host *h = &w->host[i];
		struct node_account n;

		if (!h->node)
			continue;
		node_account(h->node, &n);
		a->part[0] += n.node;
		a->part[1] += n.links;
		a->part[2] += n.sessions;
		a->part[3] += n.handshakes;
		a->part[4] += n.tables;
		a->part[5] += n.knowledge;
		a->part[6] += n.pending;
		a->part[7] += n.timers;
		a->part[8] += n.remembered;
		a->part[9] += n.tunnels;
		a->part[10] += n.labels;
		a->part[11] += n.dht;
		a->part[12] += n.vnet;
		a->core += node_bytes(h->node);
		a->most = MAX(a->most, node_bytes(h->node));
		a->self += (double)sizeof(*h->self) + h->self->len;
		a->nodes++;
		a->joined += !!(h->flags & HOST_JOINED);
	}
}

static void print_account(const struct bench *b, const struct account *a, uint64_t rss)
{
	const struct world *w = b->world;
	double n = (double)a->nodes, sum = 0, all;
	struct engine_stats s;

	engine_stats(w->engine, &s);
	printf("\nbytes per running node, by the account, %" PRIu64 " of %u hosts run:\n", a->nodes, w->hosts);
	for (size_t i = 0; i < G_N_ELEMENTS(PARTS); i++) {
		printf("  core    %-22s %9.0f\n", PARTS[i], a->part[i] / n);
		sum += a->part[i] / n;
	}
	printf("  core    %-22s %9.0f   the parts: %.0f; largest node %.0f\n", "all it took", a->core / n, sum, a->most);
	printf("  world   %-22s %9.0f\n", "identity, certificate", a->self / n);
	printf("  world   %-22s %9.0f   %zu a host, running or not\n", "struct host",
	       (double)w->hosts * sizeof(struct host) / n, sizeof(struct host));
	printf("  net     %-22s %9.0f\n", "interfaces, addresses", (double)net_bytes(w->net) / n);
	printf("  engine  %-22s %9.0f\n", "objects", (double)s.object_bytes / n);
	printf("  engine  %-22s %9.0f\n", "queue", (double)s.queue_bytes / n);
	printf("  engine  %-22s %9.0f\n", "packets on their way", (double)s.payload_bytes / n);
	printf("  engine  %-22s %9.0f\n", "slabs, unused", ((double)s.slab_bytes - a->core - a->self) / n);
	all = (a->core + a->self + (double)w->hosts * sizeof(struct host) + (double)net_bytes(w->net) +
	       (double)s.object_bytes + (double)s.queue_bytes + (double)s.payload_bytes +
	       ((double)s.slab_bytes - a->core - a->self)) / n;
	printf("  all of these                   %9.0f\n", all);
	printf("  resident                       %9.0f\n", (double)rss / n);
}

/* -- running ---------------------------------------------------------------------------------------- */

static void die(struct fail *f)
{
	fail_name("world_bench");
	fail_exit(f);
}

static const char *heading(void)
{
	return "   nodes crypto  joined  warm: steps  CPU s | measured: s  steps/s  events/s  sim s/s  steps/node/s | "
	       "bytes/node: resident  core\n";
}

static void run(struct bench *b, const char *const *sets, size_t count)
{
	struct fail f = { 0 };
	struct scenario *sc = scenario_load(b->file, sets, count, &f);
	struct world_setup setup = { .scenario = sc, .again = "world_bench" };
	struct mark begun, warm, done;
	uint64_t base = resident(), rss;
	struct account a;
	double span, cpu;
	bool cut;

	if (!sc)
		die(&f);
	setup.seed = (uint64_t)sc->run.seed;
	b->world = world_new(&setup, &f);
	if (!b->world)
		die(&f);
	world_tick(b->world, tick, b);
	b->began_s = cpu_s();
	begun = mark(b);
	if (world_run(b->world, b->warm_ns, &f) == WORLD_UNABLE)
		die(&f);
	warm = mark(b);
	cut = warm.now_ns < b->warm_ns;
	if (!cut && world_run(b->world, b->warm_ns + b->span_ns, &f) == WORLD_UNABLE)
		die(&f);
	done = cut ? warm : mark(b);
	rss = resident() - base;
	take_account(b, &a);
	span = (double)(done.now_ns - warm.now_ns) / 1e9;
	cpu = done.cpu_s - warm.cpu_s;
	if (!b->quiet)
		fputs(heading(), stdout);
	printf("%8u %-6s %7" PRIu64 " %12" PRIu64 " %6.1f |", b->nodes, sc->run.crypto == CRYPTO_MODEL ? "model" : "real",
	       a.joined, warm.steps - begun.steps, warm.cpu_s - begun.cpu_s);
	if (span > 0)
		printf(" %11.0f %8.0f %9.0f %8.2f %13.2f |", span, (double)(done.steps - warm.steps) / cpu,
		       (double)(done.events - warm.events) / cpu, span / cpu,
		       (double)(done.steps - warm.steps) / span / (double)a.nodes);
	else
		printf(" stopped at %.0f s of %.0f s virtual: %.0f steps/s so far |", (double)done.now_ns / 1e9,
		       (double)b->warm_ns / 1e9, (double)(warm.steps - begun.steps) / (warm.cpu_s - begun.cpu_s));
	printf(" %20.0f %5.0f\n", (double)rss / (double)a.nodes, a.core / (double)a.nodes);
	if (b->table)
		print_account(b, &a, rss);
	world_free(b->world);
	scenario_free(sc);
}

int main(int argc, char **argv)
{
	struct bench b = { .nodes = 1000, .warm_ns = 60 * NS_PER_S, .span_ns = 60 * NS_PER_S };
	GPtrArray *sets = g_ptr_array_new_with_free_func(g_free);
	int c;

	while ((c = getopt(argc, argv, "n:w:m:l:tqh")) >= 0) {
		switch (c) {
		case 'n':
			b.nodes = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'w':
			b.warm_ns = strtoll(optarg, NULL, 10) * NS_PER_S;
			break;
		case 'm':
			b.span_ns = strtoll(optarg, NULL, 10) * NS_PER_S;
			break;
		case 'l':
			b.limit_s = strtod(optarg, NULL);
			break;
		case 't':
			b.table = true;
			break;
		case 'q':
			b.quiet = true;
			break;
		case 'h':
			fputs(heading(), stdout);
			return 0;
		default:
			return 2;
		}
	}
	if (optind == argc || !b.nodes || sodium_init() < 0) {
		fputs("usage: world_bench [-n nodes] [-w s] [-m s] [-l s] [-t] [-q] SCENARIO [group.key=value]...\n", stderr);
		return 2;
	}
	b.file = argv[optind];
	g_ptr_array_add(sets, g_strdup_printf("nodes.count=%u", b.nodes));
	g_ptr_array_add(sets, g_strdup_printf("run.duration=%" PRId64 "s", (int64_t)((b.warm_ns + b.span_ns) / NS_PER_S + 1)));
	g_ptr_array_add(sets, g_strdup("run.warmup=0"));
	for (int i = optind + 1; i < argc; i++)
		g_ptr_array_add(sets, g_strdup(argv[i]));
	run(&b, (const char *const *)sets->pdata, sets->len);
	g_ptr_array_free(sets, TRUE);
	return 0;
}
