/* How long packets take: every model gives the latencies it promises, and never less than the floor. */
#include "tests/unit/net_lab.h"

#include <stdio.h>

static int ascending(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

	return a < b ? -1 : a > b;
}

static struct net_table *table(const char *text, enum table_format f, enum table_meaning m)
{
	struct net_error why = { "" };
	struct net_table *t = net_table_parse("test", text, strlen(text), f, m, &why);

	if (!t) {
		printf("%s\n", why.text);
		abort();
	}
	return t;
}

static void a_constant_is_constant(void)
{
	struct net *net = lab(&(struct net_config){ .latency_ns = 25 * MS }, 3);

	CU_ASSERT_EQUAL(net_latency(net, 0, 2), 25 * MS);
	CU_ASSERT_EQUAL(lab_send(net, 2, 1, 10, 7).copy[0].arrive_ns, 25 * MS + 7);
	net_free(net);
}

static void the_floor_holds_in_every_model_with_every_impairment(void)
{
	struct net_table *matrix = table("0 0.001 3\n0.001 0 1.1\n3 1.1 0\n", TABLE_SQUARE, TABLE_RTT);
	struct net_table *points = table("index,is_root,x_ms,y_ms\n0,1,0,0\n1,0,0.1,0\n2,0,0.4,0.3\n",
					 TABLE_POINTS, TABLE_ONE_WAY);
	struct net_table *spread = table("cluster_a,cluster_b,min_ms,q1_ms,median_ms,mean_ms,q3_ms,"
					 "max_ms,stddev_ms\nA,B,0,0,1,1,2,3,1\n",
					 TABLE_SPREAD, TABLE_ONE_WAY);
	struct net_config c[] = {
		{ .path = NET_PATH_CONSTANT },
		{ .path = NET_PATH_TABLE, .table = matrix },
		{ .path = NET_PATH_TABLE, .table = points },
		{ .path = NET_PATH_TABLE, .table = spread },
		{ .path = NET_PATH_SYNTHETIC },
	};

	for (size_t k = 0; k < sizeof(c) / sizeof(*c); k++) {
		struct net *net;
		unsigned at_floor = 0;

		c[k].floor_ns = MS / 2;
		c[k].jitter_ppb = c[k].asymmetry_ppb = NET_PPB / 2;
		c[k].duplicate_ppb = NET_PPB / 2;
		net = lab(&c[k], 60);
		for (unsigned i = 0; i < 20000; i++) {
			int64_t now = i * 13 * MS;
			struct net_verdict v = lab_send(net, i % 60, (i / 60 + i + 1) % 60, 1, now);

			for (unsigned n = 0; n < v.copies; n++) {
				CU_ASSERT(v.copy[n].arrive_ns >= now + MS / 2);
				at_floor += v.copy[n].arrive_ns == now + MS / 2;
			}
		}
		CU_ASSERT(at_floor > 0 || c[k].path == NET_PATH_SYNTHETIC);
		net_free(net);
	}
	net_table_free(matrix);
	net_table_free(points);
	net_table_free(spread);
}

static void a_round_trip_is_halved_and_one_way_is_not(void)
{
	static const char text[] = "0\t10.5\t20\n12\t0\t30.000001\n20\t30\t0\n";
	struct net_table *rtt = table(text, TABLE_AUTO, TABLE_RTT);
	struct net_table *one = table(text, TABLE_AUTO, TABLE_ONE_WAY);
	struct net *net = lab(&(struct net_config){ .path = NET_PATH_TABLE, .table = rtt }, 3);

	CU_ASSERT_EQUAL(net_table_rows(rtt), 3);
	CU_ASSERT_EQUAL(net_latency(net, 0, 1), 5250000);
	CU_ASSERT_EQUAL(net_latency(net, 1, 0), 6 * MS);
	CU_ASSERT_EQUAL(net_latency(net, 1, 2), 15000000);
	net_free(net);
	net = lab(&(struct net_config){ .path = NET_PATH_TABLE, .table = one }, 3);
	CU_ASSERT_EQUAL(net_latency(net, 0, 1), 10500000);
	CU_ASSERT_EQUAL(net_latency(net, 1, 2), 30000001);
	net_free(net);
	net_table_free(rtt);
	net_table_free(one);
}

static void more_interfaces_than_rows_share_rows_by_the_rule(void)
{
	/* row 0 has near entries 1 and 2 of 8: two quarters' worth of a row of nine */
	static const char text[] =
		"0 1 2 60 60 60 60 60 60\n1 0 9 60 60 60 60 60 60\n2 9 0 60 60 60 60 60 60\n"
		"60 60 60 0 60 60 60 60 60\n60 60 60 60 0 60 60 60 60\n60 60 60 60 60 0 60 60 60\n"
		"60 60 60 60 60 60 0 60 60\n60 60 60 60 60 60 60 0 60\n60 60 60 60 60 60 60 60 0\n";
	struct net_table *t = table(text, TABLE_SQUARE, TABLE_ONE_WAY);
	struct net *net = lab(&(struct net_config){ .path = NET_PATH_TABLE, .table = t }, 900);
	unsigned ones = 0, pairs = 0;
	uint32_t extra;

	CU_ASSERT_EQUAL(net_latency(net, 9, 1), MS);		/* row 0 to row 1 */
	CU_ASSERT_EQUAL(net_latency(net, 18, 890), 60 * MS);	/* row 0 to row 8 */
	for (uint32_t a = 0; a < 900; a += 9)
		for (uint32_t b = a + 9; b < 900; b += 9, pairs++) {
			int64_t ns = net_latency(net, a, b);

			CU_ASSERT(ns == MS || ns == 2 * MS);
			CU_ASSERT_EQUAL(ns, net_latency(net, b, a));
			ones += ns == MS;
		}
	CU_ASSERT_TRUE(lab_binomial(ones, pairs, 50 * PERCENT, 4));
	/* told where to sit */
	extra = net_iface_add(net, &(struct net_iface_config){ .seated = true, .seat = 1 + 9 * 3 });
	CU_ASSERT_EQUAL(net_latency(net, extra, 2), 9 * MS);
	net_free(net);
	net_table_free(t);
}

static void a_self_edge_is_the_latency_inside_a_region(void)
{
	struct net_table *t = table("node_a,node_b,latency_ms,jitter_ms\n0,0,4,0\n1,0,50,0\n1,1,6,0\n",
				    TABLE_AUTO, TABLE_ONE_WAY);
	struct net *net = lab(&(struct net_config){ .path = NET_PATH_TABLE, .table = t }, 4);

	CU_ASSERT_EQUAL(net_latency(net, 0, 2), 4 * MS);
	CU_ASSERT_EQUAL(net_latency(net, 1, 3), 6 * MS);
	CU_ASSERT_EQUAL(net_latency(net, 3, 2), 50 * MS);
	net_free(net);
	net_table_free(t);
}

static void points_are_as_far_apart_as_pythagoras_says(void)
{
	struct net_table *t = table("index,is_root,x_ms,y_ms\n0,1,-3,0.5\n1,0,0,4.5\n2,0,0,-1e1\n",
				    TABLE_AUTO, TABLE_ONE_WAY);
	struct net *net = lab(&(struct net_config){ .path = NET_PATH_TABLE, .table = t }, 3);
	uint32_t slow = net_iface_add(net, &(struct net_iface_config){ .seated = true, .seat = 2,
								       .access_ns = 3 * MS });

	CU_ASSERT_EQUAL(net_latency(net, 0, 1), 5 * MS);
	CU_ASSERT_EQUAL(net_latency(net, 2, 1), 14500000);
	CU_ASSERT_EQUAL(net_latency(net, slow, 1), 17500000);
	net_free(net);
	net_table_free(t);
}

static void built_in_coordinates_follow_the_planetlab_quantiles(void)
{
	static const struct { double at, rtt_ms, within; } want[] = {
		{ 0.01, 6.1, 0.20 }, { 0.05, 19.3, 0.08 }, { 0.25, 59.3, 0.05 }, { 0.50, 135.0, 0.05 },
		{ 0.75, 201.8, 0.05 }, { 0.95, 324.9, 0.05 }, { 0.99, 412.6, 0.05 },
	};
	enum { N = 1500 };
	int64_t *rtt = malloc(sizeof(*rtt) * N * N / 2);

	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct net *net = lab(&(struct net_config){ .seed = seed, .path = NET_PATH_SYNTHETIC }, N);
		size_t pairs = 0;

		for (uint32_t a = 0; a < N; a++)
			for (uint32_t b = 0; b < a; b++)
				rtt[pairs++] = net_latency(net, a, b) + net_latency(net, b, a);
		qsort(rtt, pairs, sizeof(*rtt), ascending);
		for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
			double ms = (double)rtt[(size_t)((double)pairs * want[i].at)] / 1e6;

			CU_ASSERT_DOUBLE_EQUAL(ms, want[i].rtt_ms, want[i].rtt_ms * want[i].within);
		}
		net_free(net);
	}
	free(rtt);
}

static void asymmetry_keeps_the_round_trip(void)
{
	struct net *net = lab(&(struct net_config){ .latency_ns = 100 * MS,
						    .asymmetry_ppb = 40 * PERCENT }, 400);
	int64_t least = INT64_MAX, most = 0, sum = 0;

	for (uint32_t i = 1; i < 400; i++) {
		int64_t there = net_latency(net, 0, i), back = net_latency(net, i, 0);

		CU_ASSERT(llabs(there + back - 200 * MS) <= 1);
		least = there < least ? there : least;
		most = there > most ? there : most;
		sum += there;
	}
	CU_ASSERT(least >= 60 * MS && least < 62 * MS);
	CU_ASSERT(most <= 140 * MS && most > 138 * MS);
	CU_ASSERT_DOUBLE_EQUAL((double)sum / 399 / 1e6, 100, 4 * 23.1 / 20);
	net_free(net);
}

static void non_transitive_pairs_are_the_share_asked_for_and_symmetric(void)
{
	struct net *net = lab(&(struct net_config){ .seed = 9, .non_transitive_ppb = 5 * PERCENT }, 400);
	unsigned cut = 0, pairs = 0;

	for (uint32_t a = 0; a < 400; a++)
		for (uint32_t b = 0; b < a; b++, pairs++) {
			bool can = net_can_talk(net, a, b);

			cut += !can;
			CU_ASSERT_EQUAL(net_can_talk(net, b, a), can);
			if (pairs % 16 == 0) {
				enum net_drop want = can ? NET_DROP_NONE : NET_DROP_UNREACHABLE;

				CU_ASSERT_EQUAL(lab_send(net, a, b, 1, 0).drop, want);
				CU_ASSERT_EQUAL(lab_send(net, b, a, 1, 0).drop, want);
			}
		}
	CU_ASSERT_TRUE(lab_binomial(cut, pairs, 5 * PERCENT, 4));
	net_free(net);
}

/* -- what varies with time --------------------------------------------------------------------- */

enum { PROBES = 20000 };

/* One-way latencies of probes a minute apart, sorted. */
static int64_t *probe(struct net *net, uint32_t from, uint32_t to)
{
	int64_t *ns = malloc(sizeof(*ns) * PROBES);

	for (int64_t i = 0; i < PROBES; i++)
		ns[i] = lab_send(net, from, to, 1, i * 60 * SECOND).copy[0].arrive_ns - i * 60 * SECOND;
	qsort(ns, PROBES, sizeof(*ns), ascending);
	return ns;
}

static void jitter_is_uniform_between_nothing_and_its_share(void)
{
	struct net *net = lab(&(struct net_config){ .latency_ns = 100 * MS,
						    .jitter_ppb = 20 * PERCENT }, 2);
	int64_t *ns = probe(net, 0, 1);

	CU_ASSERT(ns[0] >= 100 * MS && ns[PROBES - 1] <= 120 * MS);
	/* uniform but for the quarter of the time it moves, when it is nearer the middle */
	for (int tenth = 1; tenth < 10; tenth++)
		CU_ASSERT_DOUBLE_EQUAL((double)ns[PROBES * tenth / 10] / 1e6, 100 + 2 * tenth, 0.45);
	CU_ASSERT_EQUAL(net_marked(net, NET_MARK_JITTERED), PROBES);
	free(ns);
	net_free(net);
}

static void edges_jitter_with_the_deviation_of_the_file(void)
{
	static const char text[] = "node_a,node_b,latency_ms,jitter_ms\n0,0,4,0\n0,1,100,10\n1,1,6,0\n";
	struct net_table *t = table(text, TABLE_AUTO, TABLE_ONE_WAY);
	struct net_table *rtt = table(text, TABLE_AUTO, TABLE_RTT);

	for (int k = 0; k < 2; k++) {
		struct net *net = lab(&(struct net_config){ .path = NET_PATH_TABLE,
							    .table = k ? rtt : t }, 2);
		int64_t *ns = probe(net, 0, 1);
		double mean = 0, square = 0;

		for (int i = 0; i < PROBES; i++) {
			mean += (double)ns[i] / 1e6 / PROBES;
			square += (double)ns[i] / 1e6 * ((double)ns[i] / 1e6) / PROBES;
		}
		CU_ASSERT_DOUBLE_EQUAL(mean, k ? 50 : 100, 0.3);
		CU_ASSERT_DOUBLE_EQUAL(square - mean * mean, k ? 50 : 100, k ? 2 : 4);
		free(ns);
		net_free(net);
	}
	net_table_free(t);
	net_table_free(rtt);
}

static void spreads_are_sampled_by_quartile(void)
{
	struct net_table *t = table("cluster_a,cluster_b,min_ms,q1_ms,median_ms,mean_ms,q3_ms,max_ms,"
				    "stddev_ms\nAA,BB,20,22,30,40,50,300,40\n", TABLE_AUTO, TABLE_ONE_WAY);
	struct net *net = lab(&(struct net_config){ .path = NET_PATH_TABLE, .table = t }, 2);
	int64_t *ns = probe(net, 0, 1);

	CU_ASSERT_EQUAL(net_latency(net, 0, 1), 30 * MS);
	CU_ASSERT(ns[0] >= 20 * MS && ns[PROBES - 1] <= 300 * MS);
	CU_ASSERT_DOUBLE_EQUAL((double)ns[PROBES / 8] / 1e6, 21, 0.5);
	CU_ASSERT_DOUBLE_EQUAL((double)ns[PROBES / 2] / 1e6, 30, 7);	/* moving pulls to the middle */
	CU_ASSERT_DOUBLE_EQUAL((double)ns[PROBES * 7 / 8] / 1e6, 175, 20);
	free(ns);
	net_free(net);
	net_table_free(t);
}

static void variation_never_lets_a_later_packet_arrive_earlier(void)
{
	struct net_table *t = table("cluster_a,cluster_b,min_ms,q1_ms,median_ms,mean_ms,q3_ms,max_ms,"
				    "stddev_ms\nA,B,20,22,30,40,50,300,40\n", TABLE_AUTO, TABLE_ONE_WAY);
	struct net *net = lab(&(struct net_config){ .path = NET_PATH_TABLE, .table = t,
						    .jitter_ppb = NET_PPB }, 2);
	int64_t last = 0, now = 0, slowest = INT64_MIN, fastest = INT64_MAX;

	for (unsigned i = 0; i < 300000; i++) {
		int64_t at;

		now += i % 3 ? 1 + i % 7 : (int64_t)(i % 5) * MS;
		at = lab_send(net, 0, 1, 1, now).copy[0].arrive_ns;
		CU_ASSERT_FATAL(at >= last);
		last = at;
		slowest = at - now > slowest ? at - now : slowest;
		fastest = at - now < fastest ? at - now : fastest;
	}
	CU_ASSERT(slowest - fastest > 100 * MS);	/* it did vary */
	net_free(net);
	net_table_free(t);
}

static void pairs_without_a_line_borrow_one_that_touches_them(void)
{
	/* B-C has no line: it gets A-B or A-C; several lines for A-B are shared among its pairs */
	struct net_table *t = table("cluster_a,cluster_b,min_ms,q1_ms,median_ms,mean_ms,q3_ms,max_ms,"
				    "stddev_ms\nA,B,1,1,1,1,1,1,0\nB,A,2,2,2,2,2,2,0\nC,A,9,9,9,9,9,9,0\n",
				    TABLE_AUTO, TABLE_ONE_WAY);
	struct net *net = lab(&(struct net_config){ .path = NET_PATH_TABLE, .table = t }, 300);
	unsigned seen[10] = { 0 }, direct[10] = { 0 };

	for (uint32_t a = 0; a < 300; a++)
		for (uint32_t b = a + 1; b < 300; b++) {
			int64_t ms = net_latency(net, a, b) / MS;

			CU_ASSERT_FATAL(ms > 0 && ms < 10);
			CU_ASSERT_EQUAL(net_latency(net, b, a), ms * MS);
			if (a % 3 + b % 3 == 3)			/* B and C */
				seen[ms]++;
			if (a % 3 + b % 3 == 1)			/* A and B */
				direct[ms]++;
		}
	CU_ASSERT(seen[1] && seen[2] && seen[9]);
	CU_ASSERT(direct[1] && direct[2] && direct[1] + direct[2] == 10000);
	net_free(net);
	net_table_free(t);
}

static void regions_are_of_equal_size_and_near_to_themselves(void)
{
	enum { N = 1200, K = 6 };
	struct net *net = lab(&(struct net_config){ .path = NET_PATH_SYNTHETIC, .regions = K }, N);
	unsigned size[K] = { 0 };
	double inside = 0, across = 0;
	unsigned ins = 0, acr = 0;

	for (uint32_t a = 0; a < N; a++) {
		CU_ASSERT_FATAL(net_region(net, a) < K);
		size[net_region(net, a)]++;
		for (uint32_t b = 0; b < a; b += 7) {
			double ms = (double)net_latency(net, a, b) / 1e6;

			if (net_region(net, a) == net_region(net, b)) {
				inside += ms;
				ins++;
			} else {
				across += ms;
				acr++;
			}
		}
	}
	for (int k = 0; k < K; k++)
		CU_ASSERT(size[k] > N / K * 3 / 4 && size[k] < N / K * 5 / 4);
	CU_ASSERT(inside / ins < across / acr / 2);
	net_free(net);
}

static void rows_of_a_matrix_fall_into_regions_by_distance(void)
{
	/* two towns: rows 0 2 4 and 1 3 5 */
	struct net_table *t = table("0 90 1 90 2 90\n90 0 90 3 90 1\n1 90 0 90 1 90\n"
				    "90 3 90 0 90 2\n2 90 1 90 0 90\n90 1 90 2 90 0\n",
				    TABLE_SQUARE, TABLE_RTT);
	struct net *net = lab(&(struct net_config){ .path = NET_PATH_TABLE, .table = t,
						    .regions = 2 }, 12);

	CU_ASSERT_EQUAL(net_regions(net), 2);
	for (uint32_t i = 2; i < 12; i++)
		CU_ASSERT_EQUAL(net_region(net, i), net_region(net, i % 2));
	CU_ASSERT_NOT_EQUAL(net_region(net, 0), net_region(net, 1));
	net_free(net);
	net_table_free(t);
}

CU_TestInfo net_latency_tests[] = {
	{ "a constant is constant", a_constant_is_constant },
	{ "the floor holds in every model with every impairment",
	  the_floor_holds_in_every_model_with_every_impairment },
	{ "a round trip is halved and one way is not", a_round_trip_is_halved_and_one_way_is_not },
	{ "more interfaces than rows share rows by the rule",
	  more_interfaces_than_rows_share_rows_by_the_rule },
	{ "a self-edge is the latency inside a region", a_self_edge_is_the_latency_inside_a_region },
	{ "points are as far apart as Pythagoras says", points_are_as_far_apart_as_pythagoras_says },
	{ "built-in coordinates follow the PlanetLab quantiles",
	  built_in_coordinates_follow_the_planetlab_quantiles },
	{ "asymmetry keeps the round trip", asymmetry_keeps_the_round_trip },
	{ "non-transitive pairs are the share asked for, and symmetric",
	  non_transitive_pairs_are_the_share_asked_for_and_symmetric },
	{ "jitter is uniform between nothing and its share",
	  jitter_is_uniform_between_nothing_and_its_share },
	{ "edges jitter with the deviation of the file", edges_jitter_with_the_deviation_of_the_file },
	{ "spreads are sampled by quartile", spreads_are_sampled_by_quartile },
	{ "variation never lets a later packet arrive earlier",
	  variation_never_lets_a_later_packet_arrive_earlier },
	{ "pairs without a line borrow one that touches them",
	  pairs_without_a_line_borrow_one_that_touches_them },
	{ "regions are of equal size and near to themselves",
	  regions_are_of_equal_size_and_near_to_themselves },
	{ "rows of a matrix fall into regions by distance",
	  rows_of_a_matrix_fall_into_regions_by_distance },
	CU_TEST_INFO_NULL
};
