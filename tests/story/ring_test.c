/* Rings of a few nodes: joining, leaving, dying, coming back, finding together. */
#include "core/inside.h"
#include "core/ring/parts.h"
#include "tests/story/tell.h"
#include "tests/unit/suites.h"

static struct stage *scene(unsigned n)
{
	struct stage *s = stage_new(n, &suite_sodium);

	s->keep = main_events;
	return s;
}

static void one_node_waits_for_others_and_then_is_a_ring(void)
{
	struct stage *s = scene(1);
	const struct reply *r;

	stage_up(s, 0, false);
	stage_run(s, 10 * NS_PER_S);
	story(s, "  5.195  0  joined   0\n");
	r = stage_lookup(s, 0, (struct id){ 1, 2 }, NS_PER_S);
	CU_ASSERT_FATAL(r != NULL);
	CU_ASSERT_EQUAL(r->answer, ANSWER_OK);
	CU_ASSERT_EQUAL(r->hops, 0);
	stage_stop(s, 0);
	story(s, " 10.000  0  left     0\n");
	stage_free(s);
}

static void a_second_node_joins_in_three_round_trips(void)
{
	struct stage *s = scene(2);

	stage_up(s, 0, false);
	stage_run(s, 20 * NS_PER_S);
	stage_up(s, 1, false);
	stage_run(s, 5 * NS_PER_S);
	story(s, "  5.195  0  joined   0\n"
		 " 20.120  1  joined   0\n");
	CU_ASSERT_TRUE(stage_ring_right(s));
	stage_free(s);
}

static void who_leaves_hands_over_and_the_last_one_stays_a_ring(void)
{
	struct stage *s = scene(2);

	stage_up(s, 0, false);
	stage_up(s, 1, false);
	stage_run(s, 20 * NS_PER_S);
	s->line_len = 0;
	stage_stop(s, 1);
	stage_run(s, 20 * NS_PER_S);
	story(s, " 20.040  1  left     0\n");
	CU_ASSERT_TRUE(stage_ring_right(s));
	stage_free(s);
}

static void three_nodes_stand_in_one_ring(void)
{
	struct stage *s = scene(3);

	for (unsigned i = 0; i < 3; i++)
		stage_up(s, i, false);
	stage_run(s, 10 * NS_PER_S);
	CU_ASSERT_TRUE(stage_ring_right(s));
	for (unsigned i = 0; i < 60; i++) {
		struct id key = { i * 0x0432100000000000u, i };
		const struct reply *r = stage_lookup(s, i % 3, key, 5 * NS_PER_S);

		CU_ASSERT_FATAL(r != NULL);
		CU_ASSERT_EQUAL(r->answer, ANSWER_OK);
		CU_ASSERT_EQUAL(stage_name(s, r->who), stage_owner(s, key));
		CU_ASSERT_EQUAL(r->tries, 1);
	}
	stage_free(s);
}

static void a_dead_neighbour_is_noticed_and_the_ring_closes(void)
{
	struct stage *s = scene(6);

	for (unsigned i = 0; i < 6; i++)
		stage_up(s, i, false);
	stage_run(s, 30 * NS_PER_S);
	CU_ASSERT_TRUE(stage_ring_right(s));
	stage_crash(s, 3);
	stage_run(s, 10 * NS_PER_S);
	CU_ASSERT_TRUE(stage_ring_right(s));
	stage_free(s);
}

static bool between(unsigned from, unsigned to, const unsigned pair[2])
{
	return (from == pair[0] && to == pair[1]) || (from == pair[1] && to == pair[0]);
}

static bool wire_cut(struct stage *s, unsigned from, unsigned to, const struct datagram *d, void *arg)
{
	(void)s;
	(void)d;
	return !between(from, to, arg);
}

static void neighbours_that_cannot_reach_each_other_meet_through_a_third(void)
{
	struct stage *s = scene(3);
	unsigned pair[2] = { 1, 2 };

	stage_up(s, 0, false);
	stage_up(s, 1, false);
	stage_run(s, 20 * NS_PER_S);
	s->line_len = 0;
	s->wire = wire_cut;
	s->wire_arg = pair;
	stage_up(s, 2, false);
	stage_run(s, 40 * NS_PER_S);
	CU_ASSERT_PTR_NOT_NULL(strstr(s->line, "2  path     1"));
	CU_ASSERT_TRUE(stage_ring_right(s));
	s->line_len = 0;
	s->line[0] = 0;
	s->wire = NULL;			/* the obstacle goes: the link finds its direct path */
	stage_run(s, 120 * NS_PER_S);
	CU_ASSERT_PTR_NOT_NULL(strstr(s->line, "path"));
	for (unsigned i = 0; i < node_look_links(s->actor[2].node); i++) {
		struct look_link k;

		if (node_look_link(s->actor[2].node, i, &k))
			CU_ASSERT_FALSE(k.link.relayed);
	}
	stage_free(s);
}

static void all_restart_at_once_with_their_memories(void)
{
	struct stage *s = scene(8);

	for (unsigned i = 0; i < 8; i++)
		stage_up(s, i, false);
	stage_run(s, 60 * NS_PER_S);
	for (unsigned i = 0; i < 8; i++)
		stage_crash(s, i);
	stage_run(s, NS_PER_S);
	for (unsigned i = 0; i < 8; i++)
		stage_up(s, i, true);
	stage_run(s, 10 * NS_PER_S);
	CU_ASSERT_TRUE(stage_ring_right(s));
	stage_free(s);
}

static void a_node_comes_back_by_its_memory_when_the_bootstrap_is_gone(void)
{
	struct stage *s = scene(5);

	for (unsigned i = 0; i < 5; i++)
		stage_up(s, i, false);
	stage_run(s, 60 * NS_PER_S);
	stage_crash(s, 4);
	stage_crash(s, 0);		/* everybody's bootstrap */
	stage_run(s, 30 * NS_PER_S);
	stage_up(s, 4, true);
	stage_run(s, 10 * NS_PER_S);
	CU_ASSERT_TRUE(stage_ring_right(s));
	stage_free(s);
}

static bool wire_halves(struct stage *s, unsigned from, unsigned to, const struct datagram *d, void *arg)
{
	(void)s;
	(void)d;
	(void)arg;
	return from % 2 == to % 2;
}

static void two_halves_become_one_ring_again(void)
{
	struct stage *s = scene(10);

	for (unsigned i = 0; i < 10; i++)
		stage_up(s, i, false);
	stage_run(s, 60 * NS_PER_S);
	CU_ASSERT_TRUE(stage_ring_right(s));
	s->wire = wire_halves;
	stage_run(s, 120 * NS_PER_S);
	CU_ASSERT_FALSE(stage_ring_right(s));
	s->wire = NULL;
	stage_run(s, 60 * NS_PER_S);
	CU_ASSERT_TRUE(stage_ring_right(s));
	stage_free(s);
}

/* Peers over there were sought in vain a moment before. */
static void two_halves_that_can_meet_are_one_ring_within_ten_seconds(void)
{
	for (unsigned parted_s = 20; parted_s <= 28; parted_s += 2) {
		struct stage *s = scene(10);

		for (unsigned i = 0; i < 10; i++)
			stage_up(s, i, false);
		stage_run(s, 60 * NS_PER_S);
		s->wire = wire_halves;
		stage_run(s, parted_s * NS_PER_S);
		CU_ASSERT_FALSE(stage_ring_right(s));
		s->wire = NULL;
		stage_run(s, 10 * NS_PER_S);
		CU_ASSERT_TRUE(stage_ring_right(s));
		stage_free(s);
	}
}

struct lost {
	unsigned nth, seen;
};

static bool wire_loses_nth(struct stage *s, unsigned from, unsigned to, const struct datagram *d, void *arg)
{
	struct lost *l = arg;

	(void)s;
	(void)from;
	(void)to;
	(void)d;
	return l->seen++ != l->nth;
}

static void whichever_packet_of_a_join_is_lost_the_node_joins(void)
{
	for (unsigned n = 0; n < 40; n++) {
		struct stage *s = scene(3);
		struct lost l = { .nth = n };

		stage_up(s, 0, false);
		stage_up(s, 1, false);
		stage_run(s, 10 * NS_PER_S);
		s->wire = wire_loses_nth;
		s->wire_arg = &l;
		stage_up(s, 2, false);
		stage_run(s, 8 * NS_PER_S);
		if (!stage_ring_right(s))
			fprintf(stderr, "packet %u lost:\n%s", n, s->line);
		CU_ASSERT_TRUE(stage_ring_right(s));
		stage_free(s);
	}
}

static void a_stalled_node_owns_nothing_before_its_neighbours_are_heard(void)
{
	struct stage *s = scene(3);
	struct id key;

	for (unsigned i = 0; i < 3; i++)
		stage_up(s, i, false);
	stage_run(s, 20 * NS_PER_S);
	key = s->actor[1].identity.id;
	CU_ASSERT_TRUE(node_owns(s->actor[1].node, key));
	stage_event(s, 1, &(struct event){ .kind = EVENT_RESUMED, .resumed.gap_ns = 60 * NS_PER_S });
	s->now_ns += NS_PER_MS;
	CU_ASSERT_FALSE(node_owns(s->actor[1].node, key));
	stage_run(s, NS_PER_S);
	CU_ASSERT_TRUE(node_owns(s->actor[1].node, key));
	stage_free(s);
}

/* A core that keeps to the rules says goodbye and goes; this one is told to forget that it did. */
static void who_says_goodbye_and_stays_has_to_call_again(void)
{
	for (unsigned n = 2; n <= 4; n++) {
		struct stage *s = scene(n);
		struct ring *r;

		for (unsigned i = 0; i < n; i++)
			stage_up(s, i, false);
		stage_run(s, 30 * NS_PER_S);
		CU_ASSERT_TRUE(stage_ring_right(s));
		stage_stop(s, 1);
		r = &s->actor[1].node->ring;
		CU_ASSERT_EQUAL_FATAL(r->state, RING_LEAVING);
		r->state = RING_JOINED;
		stage_run(s, 5 * NS_PER_S);
		CU_ASSERT_FALSE(stage_ring_right(s));
		stage_run(s, 25 * NS_PER_S);
		CU_ASSERT_TRUE(stage_ring_right(s));
		stage_free(s);
	}
}

/* Of forty nodes eight on each side are known; of five all, and of one: whoever comes is one. */
static void whoever_stands_within_the_neighbours_known_is_watched(void)
{
	static const struct { unsigned nodes, watched; } ring[] = { { 1, 0 }, { 5, 4 }, { 40, 16 } };

	for (unsigned c = 0; c < 3; c++) {
		unsigned n = ring[c].nodes, watched = 0;
		struct stage *s = scene(n);
		const struct ring *r;
		struct id far;

		for (unsigned i = 0; i < n; i++)
			stage_up(s, i, false);
		r = &s->actor[0].node->ring;
		CU_ASSERT_FALSE(ring_watches(r, r->self));	/* it stands nowhere yet */
		stage_run(s, 60 * NS_PER_S);
		CU_ASSERT_TRUE(stage_ring_right(s));
		far = id_add(r->self, (struct id){ UINT64_C(1) << 63, 0 });
		for (unsigned i = 1; i < n; i++)
			watched += ring_watches(r, s->actor[i].identity.id);
		CU_ASSERT_EQUAL(watched, ring[c].watched);
		CU_ASSERT_EQUAL(ring_watches(r, far), n < 40);
		for (int side = 0; n > 1 && side < SIDES; side++) {
			struct id last = r->near.known[side][r->near.count[side] - 1].id, one = { 0, 1 };

			CU_ASSERT_TRUE(ring_watches(r, last));
			CU_ASSERT_EQUAL(ring_watches(r, side == LEFT ? id_sub(last, one) : id_add(last, one)), n < 40);
		}
		stage_free(s);
	}
}

static bool knows(const struct ring *r, struct id id)
{
	return near_find(&r->near, LEFT, id) || near_find(&r->near, RIGHT, id);
}

/* Of those who know it some have a long link to it, whose own turn to be probed comes once a minute. */
static void who_died_is_forgotten_by_all_neighbours_within_ten_seconds(void)
{
	struct stage *s = scene(40);
	unsigned slow = 0;

	for (unsigned i = 0; i < 40; i++)
		stage_up(s, i, false);
	stage_run(s, 120 * NS_PER_S);
	for (unsigned dead = 0; dead < 40; dead += 8) {
		struct id id = s->actor[dead].identity.id;

		for (unsigned i = 0; i < 40; i++) {
			const struct ring *r = &s->actor[i].node->ring;
			link_ref ref = peer_find(r, id);
			struct link_view v;

			slow += i != dead && knows(r, id) && links_view(r->links, ref, &v) &&
				v.pace_ns == s->actor[i].node->env.config->probe_far_ns;
		}
		stage_crash(s, dead);
		stage_run(s, 10 * NS_PER_S);
		for (unsigned i = 0; i < 40; i++)
			CU_ASSERT_FALSE(s->actor[i].node && knows(&s->actor[i].node->ring, id));
		stage_up(s, dead, true);
		stage_run(s, 30 * NS_PER_S);
	}
	CU_ASSERT_TRUE(slow >= 5);
	stage_free(s);
}

/* Ask for a link to @arg, a contact, as lasting traffic would. */
static void demand(struct node *n, void *arg)
{
	CU_ASSERT_EQUAL(ring_demand(&n->ring, &n->env, arg), DROP_NONE);
}

/* The link to @arg, if there is one, is drawn as a long one as well. */
static void draw_too(struct node *n, void *arg)
{
	link_ref ref = peer_find(&n->ring, ((struct contact *)arg)->id);

	if (link_ok(ref))
		peers_want(&n->ring, &n->env, ref, USE_LONG_OUT);
}

static bool linked(const struct stage *s, unsigned i, unsigned j)
{
	return link_ok(peer_find(&s->actor[i].node->ring, s->actor[j].identity.id));
}

static void a_link_that_traffic_earned_is_not_refused_as_a_long_one(void)
{
	struct stage *s = scene(24);
	struct contact c = { .has_id = true, .ats = 1 };

	s->config.longs = 1;
	for (unsigned i = 0; i < 24; i++)
		stage_up(s, i, false);
	stage_run(s, 60 * NS_PER_S);
	c.id = s->actor[0].identity.id;
	c.at[0] = s->actor[0].at;
	for (unsigned i = 1; i < 24; i++)
		stage_inside(s, i, demand, &c);
	stage_run(s, 5 * NS_PER_S);
	for (unsigned i = 1; i < 24; i++) {
		CU_ASSERT_TRUE(linked(s, i, 0));
		stage_inside(s, i, draw_too, &c);
	}
	stage_run(s, 5 * NS_PER_S);
	CU_ASSERT_TRUE(longs_full(&s->actor[0].node->ring, &s->actor[0].node->env));
	for (unsigned i = 1; i < 24; i++)
		CU_ASSERT_TRUE(linked(s, i, 0));
	stage_free(s);
}

CU_TestInfo story_ring_tests[] = {
	{ "one node waits for others and then is a ring", one_node_waits_for_others_and_then_is_a_ring },
	{ "a second node joins in three round trips", a_second_node_joins_in_three_round_trips },
	{ "who leaves hands over and the last one stays a ring",
	  who_leaves_hands_over_and_the_last_one_stays_a_ring },
	{ "three nodes stand in one ring", three_nodes_stand_in_one_ring },
	{ "a dead neighbour is noticed and the ring closes", a_dead_neighbour_is_noticed_and_the_ring_closes },
	{ "neighbours that cannot reach each other meet through a third",
	  neighbours_that_cannot_reach_each_other_meet_through_a_third },
	{ "all restart at once with their memories", all_restart_at_once_with_their_memories },
	{ "a node comes back by its memory when the bootstrap is gone",
	  a_node_comes_back_by_its_memory_when_the_bootstrap_is_gone },
	{ "two halves become one ring again", two_halves_become_one_ring_again },
	{ "two halves that can meet are one ring within ten seconds",
	  two_halves_that_can_meet_are_one_ring_within_ten_seconds },
	{ "whichever packet of a join is lost the node joins", whichever_packet_of_a_join_is_lost_the_node_joins },
	{ "a stalled node owns nothing before its neighbours are heard",
	  a_stalled_node_owns_nothing_before_its_neighbours_are_heard },
	{ "who died is forgotten by all neighbours within ten seconds",
	  who_died_is_forgotten_by_all_neighbours_within_ten_seconds },
	{ "whoever stands within the neighbours known is watched", whoever_stands_within_the_neighbours_known_is_watched },
	{ "a link that traffic earned is not refused as a long one", a_link_that_traffic_earned_is_not_refused_as_a_long_one },
	{ "who says goodbye and stays has to call again", who_says_goodbye_and_stays_has_to_call_again },
	CU_TEST_INFO_NULL
};
