/* ON: sim/net sim/engine */
/*
 * net_bench.c - what one packet costs in sim/net
 *
 * Packets between random interfaces, one microsecond apart, through
 * net_depart() and net_arrive(). The common case is the second line. Each
 * figure is the least of five runs: other programs only add to it.
 *
 *	net_bench [packets]
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sim/net/fault.h"
#include "sim/net/net.h"

#define PERCENT	10000000u
#define MS	1000000ll
enum { RUNS = 5, PAIRS = 1 << 16 };

static const struct { const char *name; struct net_config c; bool faults; } cases[] = {
	{ "constant", { .latency_ns = 50 * MS }, false },
	{ "coordinates, jitter, loss",
	  { .path = NET_PATH_SYNTHETIC, .jitter_ppb = 5 * PERCENT, .loss_ppb = PERCENT / 2 }, false },
	{ "the same over IPv6",
	  { .path = NET_PATH_SYNTHETIC, .jitter_ppb = 5 * PERCENT, .loss_ppb = PERCENT / 2,
	    .v6 = true }, false },
	{ "and access links",
	  { .path = NET_PATH_SYNTHETIC, .jitter_ppb = 5 * PERCENT, .loss_ppb = PERCENT / 2,
	    .up_bps = 20000000, .down_bps = 50000000 }, false },
	{ "and a partition",
	  { .path = NET_PATH_SYNTHETIC, .jitter_ppb = 5 * PERCENT, .loss_ppb = PERCENT / 2 }, true },
	{ "everything",
	  { .path = NET_PATH_SYNTHETIC, .jitter_ppb = 5 * PERCENT, .loss_ppb = PERCENT / 2,
	    .loss_burst = 3, .asymmetry_ppb = PERCENT, .non_transitive_ppb = PERCENT,
	    .duplicate_ppb = PERCENT, .reorder_ppb = PERCENT, .reorder_by_ns = MS,
	    .corrupt_ppb = PERCENT, .up_bps = 20000000, .down_bps = 50000000 }, true },
};

struct pair { uint32_t from, to; struct packet p; };

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t dice(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static void make_pairs(const struct net *net, uint32_t n, bool v6, struct pair *pair)
{
	static const uint8_t payload[64];
	enum endpoint_kind kind = v6 ? ENDPOINT_UDP6 : ENDPOINT_UDP4;
	uint64_t x = 88172645463325252u;

	for (int i = 0; i < PAIRS; i++) {
		pair[i].from = (uint32_t)(dice(&x) % n);
		pair[i].to = (uint32_t)(dice(&x) % n);
		pair[i].p = packet_udp(net_address(net, pair[i].from, kind),
				       net_address(net, pair[i].to, kind), payload, 64);
	}
}

static void measure(size_t k, uint32_t n, uint64_t packets, struct pair *pair)
{
	double depart = 1e9, both = 1e9;
	struct net_error why;
	struct net *net = net_new(&cases[k].c, &why);
	int64_t now = 0;

	assert(net);
	for (uint32_t i = 0; i < n; i++)
		net_iface_add(net, &(struct net_iface_config){ 0 });
	if (cases[k].faults)
		net_fault_partition(net, &(struct net_partition){
			.groups = 2, .share_ppb = { 1, 99 } });
	make_pairs(net, n, cases[k].c.v6, pair);
	for (int run = 0; run < 2 * RUNS; run++) {
		double from = seconds(), took;

		for (uint64_t i = 0; i < packets; i++) {
			const struct pair *q = &pair[i % PAIRS];
			struct net_verdict v;
			int64_t at;

			net_depart(net, 0, q->from, &q->p, now += 1000, &v);
			if (run >= RUNS && v.drop == NET_DROP_NONE)
				net_arrive(net, 0, v.to, &q->p, v.copy[0].arrive_ns, &at);
		}
		took = (seconds() - from) / (double)packets * 1e9;
		if (run < RUNS)
			depart = took < depart ? took : depart;
		else
			both = took < both ? took : both;
	}
	printf("%-28s %9" PRIu32 " %10.0f ns %10.0f ns %8.0f bytes\n", cases[k].name, n, depart,
	       both, (double)net_bytes(net) / n);
	net_free(net);
}

int main(int argc, char **argv)
{
	uint64_t packets = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
	struct pair *pair = malloc(sizeof(*pair) * PAIRS);

	assert(pair && packets);
	printf("%-28s %9s %13s %13s %14s\n", "packets", "of", "depart", "and arrive", "an interface");
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++)
		for (uint32_t n = 1000; n <= 1000000; n *= 1000)
			measure(k, n, packets, pair);
	free(pair);
	return 0;
}
