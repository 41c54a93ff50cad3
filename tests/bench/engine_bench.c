/* ON: sim/engine */
/*
 * engine_bench.c - what the engine itself costs, per event and per object
 *
 * Nodes probe a random other one when their alarm rings, the other answers, and
 * each packet sets the alarm anew: three events for a probe, one object and one
 * site a node, packets of 64 bytes 1 to 300 ms ahead, alarms 1 to 10 s. Every
 * event reads and writes six cache lines of the node's 1 KiB, as a core would;
 * "warm" prefetches them when the engine says what comes. The digest must be
 * the same in every row of one size that touches.
 *
 *	engine_bench [most nodes] [events]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/engine/chance.h"
#include "sim/engine/engine.h"

#define MS	(1000 * 1000LL)
#define S	(1000 * MS)

enum { NODE_BYTES = 1024, LINES = 6, PROBE = 1, ANSWER = 2, PACKET_BYTES = 64 };

struct node {
	uint64_t word[NODE_BYTES / 8];
};

struct world {
	struct node **node;
	uint32_t nodes;
	uint64_t stop_at;
	bool touch;
};

static uint64_t draw(struct node *n, uint32_t object, uint64_t below)
{
	uint64_t x = (n->word[0]++ << 32 | object) * 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9ULL;
	x ^= x >> 32;
	return (uint64_t)((unsigned __int128)(x * 0x94d049bb133111ebULL) * below >> 64);
}

static void send(struct world *w, struct lane *l, uint32_t from, uint32_t to, unsigned class)
{
	char *p = engine_payload(l, PACKET_BYTES);

	memset(p, (int)from, PACKET_BYTES);
	engine_post(l, from, to, class,
		    lane_now(l) + 1 * MS + (int64_t)draw(w->node[from], from, 299 * MS), p);
}

static void handle(void *world, struct lane *l, const struct engine_event *ev)
{
	struct world *w = world;
	struct node *n = w->node[ev->dst];
	uint64_t sum = 0;

	if (w->touch)
		for (int i = 0; i < LINES; i++)
			sum += n->word[i * 16]++;
	if (ev->class == ENGINE_ALARM)
		send(w, l, ev->dst, (uint32_t)draw(n, ev->dst, w->nodes), PROBE);
	else if (ev->class == PROBE)
		send(w, l, ev->dst, ev->src, ANSWER);
	engine_alarm(l, ev->dst, ev->at_ns + 1 * S + (int64_t)draw(n, ev->dst, 9 * S));
	engine_note(l, ev->dst, sum);
}

static void warm(void *world, uint32_t object)
{
	const struct world *w = world;
	const struct node *n = w->node[object];

	for (int i = 0; i < LINES; i++)
		__builtin_prefetch(&n->word[i * 16], 1);
}

/* One thread: its CPU time, so that other work on the machine counts less. More: time as it passes. */
static double seconds(uint32_t threads)
{
	struct timespec t;

	clock_gettime(threads > 1 ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t bench(const char *name, uint32_t nodes, uint64_t events, uint32_t shards,
		  uint32_t threads, bool touch, bool warmed)
{
	struct world w = { .nodes = nodes, .touch = touch };
	struct engine_config c = { .shards = shards, .threads = threads, .world = &w,
				   .handle = handle, .warm = warmed ? warm : NULL };
	struct engine *e = engine_new(&c);
	struct engine_stats s;
	uint64_t before, digest;
	int64_t until_ns;
	double start;

	w.node = malloc(nodes * sizeof(*w.node));
	for (uint32_t i = 0; i < nodes; i++) {
		struct lane *l;

		engine_object(e, i);
		l = engine_lane(e, i);
		w.node[i] = slab_get(lane_slab(l), NODE_BYTES);
		memset(w.node[i], 0, NODE_BYTES);
		engine_alarm(l, i, (int64_t)draw(w.node[i], i, 5 * S));
	}
	engine_run_until(e, 2 * S);
	engine_stats(e, &s);
	before = s.handled;
	/* about 0.7 events per node and second */
	until_ns = 2 * S + (int64_t)((double)events / nodes / 0.7 * 1e9);
	start = seconds(threads);
	engine_run_until(e, until_ns);
	start = seconds(threads) - start;
	engine_stats(e, &s);
	digest = engine_digest(e);
	printf("%8u %-14s %6.2f %8.0f %7.0f %9.2f   %016" PRIx64 "\n", nodes, name,
	       (double)(s.handled - before) / start / 1e6,
	       start * 1e9 / (double)(s.handled - before),
	       (double)(s.object_bytes + s.queue_bytes + s.payload_bytes) / nodes,
	       (double)s.stale / (double)s.handled, digest);
	fflush(stdout);
	engine_free(e);
	free(w.node);
	return digest;
}

int main(int argc, char **argv)
{
	uint32_t most = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000 * 1000;
	uint64_t events = argc > 2 ? strtoull(argv[2], NULL, 10) : 3000 * 1000;

	printf("the engine alone\n\n"
	       "   nodes                  M ev/s ns/event  B/node stale/ev   digest\n");
	for (uint32_t nodes = 1000; nodes <= most; nodes *= 10) {
		uint64_t digest;
		bool same;

		bench("empty", nodes, events, 1, 1, false, false);
		digest = bench("touch", nodes, events, 1, 1, true, false);
		same = bench("touch, warm", nodes, events, 1, 1, true, true) == digest;
		same &= bench("warm, 2 shards", nodes, events, 2, 1, true, true) == digest;
		same &= bench("2 threads", nodes, events, 2, 2, true, true) == digest;
		if (!same) {
			fputs("engine_bench: the digests differ\n", stderr);
			return 1;
		}
	}
	return 0;
}
