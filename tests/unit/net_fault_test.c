/* Faults stop, slow and lose what they say, nothing else, and count it. */
#include "tests/unit/net_lab.h"

static enum net_drop sent(struct net *net, uint32_t from, uint32_t to)
{
	return lab_send(net, from, to, 10, 0).drop;
}

static void a_partition_parts_every_two_groups_until_it_stops(void)
{
	static const uint8_t group[6] = { 0, 0, 1, 1, 2, 2 };
	struct net *net = lab(&(struct net_config){ .latency_ns = MS }, 6);
	net_fault f = net_fault_partition(net, &(struct net_partition){ .groups = 3, .group = group,
									 .count = 6 });
	unsigned stopped = 0;

	for (uint32_t a = 0; a < 6; a++)
		for (uint32_t b = 0; b < 6; b++) {
			bool same = group[a] == group[b];

			CU_ASSERT_EQUAL(sent(net, a, b), same ? NET_DROP_NONE : NET_DROP_PARTITION);
			CU_ASSERT_EQUAL(net_fault_passes(net, a, b), same);
			stopped += !same;
		}
	CU_ASSERT_EQUAL(net_fault_touched(net, f), stopped);
	CU_ASSERT_EQUAL(net_dropped(net, NET_DROP_PARTITION), stopped);
	CU_ASSERT_EQUAL(net_fault_group(net, f, 4), 2);
	CU_ASSERT_TRUE(net_fault_active(net, f));
	net_fault_stop(net, f);
	CU_ASSERT_FALSE(net_fault_active(net, f));
	CU_ASSERT_EQUAL(sent(net, 0, 5), NET_DROP_NONE);
	CU_ASSERT_TRUE(net_fault_passes(net, 0, 5));
	CU_ASSERT_EQUAL(net_fault_touched(net, f), stopped);	/* the count stays */
	net_free(net);
}

static void one_way_an_earlier_group_reaches_later_ones(void)
{
	static const uint8_t group[3] = { 0, 1, 2 };
	struct net *net = lab(&(struct net_config){ 0 }, 3);

	net_fault_partition(net, &(struct net_partition){ .groups = 3, .group = group, .count = 3,
							  .one_way = true });
	CU_ASSERT_EQUAL(sent(net, 0, 1), NET_DROP_NONE);
	CU_ASSERT_EQUAL(sent(net, 0, 2), NET_DROP_NONE);
	CU_ASSERT_EQUAL(sent(net, 1, 2), NET_DROP_NONE);
	CU_ASSERT_EQUAL(sent(net, 1, 0), NET_DROP_PARTITION);
	CU_ASSERT_EQUAL(sent(net, 2, 0), NET_DROP_PARTITION);
	CU_ASSERT_EQUAL(sent(net, 2, 1), NET_DROP_PARTITION);
	net_free(net);
}

static void groups_by_share_hold_their_share_and_take_in_newcomers(void)
{
	struct net *net = lab(&(struct net_config){ .seed = 3 }, 5000);
	struct net *same = lab(&(struct net_config){ .seed = 3 }, 9000);
	struct net_partition p = { .groups = 3, .share_ppb = { 30 * PERCENT, 60 * PERCENT, 10 * PERCENT } };
	net_fault f = net_fault_partition(net, &p), g = net_fault_partition(same, &p);
	unsigned size[3] = { 0 };

	for (int i = 0; i < 4000; i++)
		net_iface_add(net, &(struct net_iface_config){ 0 });
	for (uint32_t i = 0; i < 9000; i++) {
		size[net_fault_group(net, f, i)]++;
		CU_ASSERT_EQUAL(net_fault_group(net, f, i), net_fault_group(same, g, i));
	}
	for (int i = 0; i < 3; i++)
		CU_ASSERT_TRUE(lab_binomial(size[i], 9000, p.share_ppb[i], 4));
	CU_ASSERT_EQUAL(sent(net, 8000, 8001) == NET_DROP_NONE,
			net_fault_group(net, f, 8000) == net_fault_group(net, f, 8001));
	net_free(net);
	net_free(same);
}

static void a_cut_region_is_alone_but_whole(void)
{
	struct net *net = lab(&(struct net_config){ .regions = 4 }, 16);	/* region = i % 4 */
	net_fault f = net_fault_cut(net, &(struct net_cut){ .region = 2 });

	CU_ASSERT_EQUAL(net_region(net, 6), 2);
	CU_ASSERT_EQUAL(sent(net, 2, 6), NET_DROP_NONE);
	CU_ASSERT_EQUAL(sent(net, 2, 3), NET_DROP_CUT);
	CU_ASSERT_EQUAL(sent(net, 3, 2), NET_DROP_CUT);
	CU_ASSERT_EQUAL(sent(net, 0, 1), NET_DROP_NONE);
	CU_ASSERT_FALSE(net_fault_passes(net, 3, 10));
	CU_ASSERT_EQUAL(net_fault_touched(net, f), 2);
	net_fault_stop(net, f);

	net_fault_cut(net, &(struct net_cut){ .region = 1, .one_way = true });
	CU_ASSERT_EQUAL(sent(net, 1, 0), NET_DROP_NONE);	/* it still sends */
	CU_ASSERT_EQUAL(sent(net, 0, 1), NET_DROP_CUT);		/* but hears nothing */
	net_free(net);

	net = lab(&(struct net_config){ .regions = 4 }, 16);
	net_fault_cut(net, &(struct net_cut){ .region = 0, .from_one = true, .other = 3 });
	CU_ASSERT_EQUAL(sent(net, 0, 1), NET_DROP_NONE);
	CU_ASSERT_EQUAL(sent(net, 0, 3), NET_DROP_CUT);
	CU_ASSERT_EQUAL(sent(net, 7, 4), NET_DROP_CUT);
	net_free(net);
}

static void harm_delays_and_slows_at_each_afflicted_end(void)
{
	static const uint32_t who[2] = { 1, 2 };
	struct net *net = lab(&(struct net_config){ .latency_ns = 10 * MS }, 4);
	struct net_harm h = { .iface = who, .count = 2, .delay_ns = 3 * MS };
	net_fault f = net_fault_harm(net, &h);

	CU_ASSERT_EQUAL(lab_send(net, 0, 3, 10, 0).copy[0].arrive_ns, 10 * MS);
	CU_ASSERT_EQUAL(lab_send(net, 0, 1, 10, 0).copy[0].arrive_ns, 13 * MS);
	CU_ASSERT_EQUAL(lab_send(net, 1, 0, 10, 0).copy[0].arrive_ns, 13 * MS);
	CU_ASSERT_EQUAL(lab_send(net, 1, 2, 10, 0).copy[0].arrive_ns, 16 * MS);
	CU_ASSERT_EQUAL(net_fault_touched(net, f), 3);
	CU_ASSERT_TRUE(net_fault_harmed(net, f, 2));
	CU_ASSERT_FALSE(net_fault_harmed(net, f, 3));
	net_fault_stop(net, f);

	h = (struct net_harm){ .iface = who, .count = 2, .slow_milli = 2500, .one_way = true };
	f = net_fault_harm(net, &h);
	CU_ASSERT_EQUAL(lab_send(net, 0, 1, 10, 0).copy[0].arrive_ns, 10 * MS);
	CU_ASSERT_EQUAL(lab_send(net, 1, 2, 10, 0).copy[0].arrive_ns, 25 * MS);
	CU_ASSERT_EQUAL(net_fault_touched(net, f), 1);
	net_free(net);
}

static void harm_by_share_loses_at_each_afflicted_end(void)
{
	struct net *net = lab(&(struct net_config){ .seed = 5 }, 4000);
	net_fault f = net_fault_harm(net, &(struct net_harm){ .share_ppb = 25 * PERCENT,
							       .loss_ppb = 20 * PERCENT });
	unsigned harmed = 0, lost[3] = { 0 }, n[3] = { 0 };

	for (uint32_t i = 0; i < 4000; i++)
		harmed += net_fault_harmed(net, f, i);
	CU_ASSERT_TRUE(lab_binomial(harmed, 4000, 25 * PERCENT, 4));
	for (uint32_t i = 0; i < 60000; i++) {
		uint32_t a = i % 4000, b = (i * 7 + 1) % 4000;
		unsigned ends = net_fault_harmed(net, f, a) + net_fault_harmed(net, f, b);

		if (a == b)
			continue;
		n[ends]++;
		lost[ends] += sent(net, a, b) == NET_DROP_HARM;
	}
	CU_ASSERT_EQUAL(lost[0], 0);
	CU_ASSERT_TRUE(lab_binomial(lost[1], n[1], 20 * PERCENT, 4));
	CU_ASSERT_TRUE(lab_binomial(lost[2], n[2], 36 * PERCENT, 4));
	CU_ASSERT_EQUAL(net_fault_touched(net, f), lost[1] + lost[2]);
	net_free(net);
}

static void several_faults_hold_at_once_and_the_first_counts(void)
{
	static const uint8_t group[4] = { 0, 0, 1, 1 };
	struct net *net = lab(&(struct net_config){ .regions = 4 }, 4);
	net_fault p = net_fault_partition(net, &(struct net_partition){ .groups = 2, .group = group,
									 .count = 4 });
	net_fault c = net_fault_cut(net, &(struct net_cut){ .region = 0 });
	net_fault none = net_fault_harm(net, &(struct net_harm){ .share_ppb = 0, .delay_ns = MS });

	CU_ASSERT_EQUAL(sent(net, 0, 2), NET_DROP_PARTITION);
	CU_ASSERT_EQUAL(sent(net, 0, 1), NET_DROP_CUT);
	CU_ASSERT_EQUAL(sent(net, 2, 3), NET_DROP_NONE);
	CU_ASSERT_EQUAL(net_fault_touched(net, p), 1);
	CU_ASSERT_EQUAL(net_fault_touched(net, c), 1);
	CU_ASSERT_EQUAL(net_fault_touched(net, none), 0);
	net_fault_stop(net, p);
	CU_ASSERT_EQUAL(sent(net, 0, 2), NET_DROP_CUT);
	CU_ASSERT_EQUAL(sent(net, 1, 2), NET_DROP_NONE);
	net_free(net);
}

CU_TestInfo net_fault_tests[] = {
	{ "a partition parts every two groups until it stops",
	  a_partition_parts_every_two_groups_until_it_stops },
	{ "one way, an earlier group reaches later ones", one_way_an_earlier_group_reaches_later_ones },
	{ "groups by share hold their share and take in newcomers",
	  groups_by_share_hold_their_share_and_take_in_newcomers },
	{ "a cut region is alone but whole", a_cut_region_is_alone_but_whole },
	{ "harm delays and slows at each afflicted end", harm_delays_and_slows_at_each_afflicted_end },
	{ "harm by share loses at each afflicted end", harm_by_share_loses_at_each_afflicted_end },
	{ "several faults hold at once and the first counts",
	  several_faults_hold_at_once_and_the_first_counts },
	CU_TEST_INFO_NULL
};
