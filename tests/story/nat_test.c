/*
 * Nodes behind NATs: every two that can meet do, the others are relayed and know it.
 *
 * Node 0 is public; each other one stands behind a box of its own that maps
 * (one port for everybody, or one for each peer) and filters (RFC 4787,
 * sections 4 and 5). A packet enters when it arrives, by what has left by then.
 */
#include <limits.h>

#include "core/inside.h"
#include "tests/story/tell.h"
#include "tests/unit/suites.h"

enum { FLOWS = 128, PEERS = 3, CROWD = 13 };
enum filter { ANY, BY_ADDRESS, BY_PORT };

struct box {
	enum filter filter;
	bool varies;
	bool stands;			/* false: the node is public */
	uint16_t next;			/* port */
	struct { struct endpoint to; uint16_t port; } flow[FLOWS];
	unsigned flows;
};

struct land {
	struct box box[CROWD];
	unsigned losing, challenges;	/* the challenge of this number is lost */
	unsigned told;			/* datagrams of ADDRESSES */
};

static struct endpoint outside(unsigned i, uint16_t port)
{
	return endpoint_v4(0xcb007100u + i, port);
}

static struct endpoint leave(struct stage *s, unsigned i, const struct endpoint *to, void *arg)
{
	struct box *b = &((struct land *)arg)->box[i];

	if (!b->stands)
		return s->actor[i].at;
	for (unsigned f = 0; f < b->flows; f++)
		if (endpoint_eq(&b->flow[f].to, to))
			return outside(i, b->flow[f].port);
	CU_ASSERT_TRUE_FATAL(b->flows < FLOWS);
	b->flow[b->flows].to = *to;
	b->flow[b->flows].port = b->varies ? ++b->next : b->next;
	return outside(i, b->flow[b->flows++].port);
}

static unsigned enter(struct stage *s, unsigned i, const struct endpoint *to, const struct endpoint *from, void *arg)
{
	struct land *l = arg;

	(void)i;
	for (unsigned n = 0; n < s->actors; n++)
		if (!l->box[n].stands && endpoint_eq(to, &s->actor[n].at))
			return n;
	for (unsigned n = 1; n < s->actors; n++) {
		const struct box *b = &l->box[n];
		struct endpoint at = outside(n, to->port);

		for (unsigned f = 0; endpoint_eq(&at, to) && f < b->flows; f++)
			if (b->flow[f].port == to->port &&
			    (b->filter == ANY || !memcmp(b->flow[f].to.addr, from->addr, sizeof(from->addr))) &&
			    (b->filter != BY_PORT || b->flow[f].to.port == from->port))
				return n;
	}
	return STAGE_NODES;
}

static bool wire(struct stage *s, unsigned from, unsigned to, const struct datagram *d, void *arg)
{
	struct land *l = arg;

	(void)s;
	(void)from;
	(void)to;
	l->told += d->kind == MESSAGE_ADDRESSES;
	return d->kind != MESSAGE_CHALLENGE || l->challenges++ != l->losing;
}

static struct stage *stage_of(struct land *l, enum filter f1, bool varies1, enum filter f2, bool varies2)
{
	struct stage *s = stage_new(PEERS, &suite_sodium);

	*l = (struct land){
		.box = { [1] = { f1, varies1, true, .next = 21000 }, [2] = { f2, varies2, true, .next = 22000 } },
		.losing = UINT_MAX,
	};
	s->leave = leave;
	s->enter = enter;
	s->wire = wire;
	s->between = s->wire_arg = l;
	for (unsigned i = 0; i < PEERS; i++)
		stage_up(s, i, false);
	return s;
}

static bool view(struct stage *s, unsigned i, unsigned peer, struct link_view *out)
{
	struct look_link k;

	for (unsigned n = 0; n < node_look_links(s->actor[i].node); n++)
		if (node_look_link(s->actor[i].node, n, &k) && k.link.state == LINK_UP &&
		    stage_name(s, k.link.id) == peer) {
			*out = k.link;
			return true;
		}
	return false;
}

static bool direct(struct stage *s)
{
	struct link_view a, b;

	return view(s, 1, 2, &a) && view(s, 2, 1, &b) && !a.relayed && !b.relayed;
}

static bool relayed(struct stage *s)
{
	struct link_view a, b;

	return view(s, 1, 2, &a) && view(s, 2, 1, &b) && a.relayed && b.relayed;
}

static void every_pair_that_can_meet_does(void)
{
	for (unsigned pair = 0; pair < 36; pair++) {
		enum filter f[2] = { pair % 3, pair / 3 % 3 };
		bool varies[2] = { pair / 9 % 2, pair / 18 };
		/* a port that nobody can know is let in only by who does not look at ports; of two such one must let in anybody */
		bool can = (!varies[0] || f[1] != BY_PORT) && (!varies[1] || f[0] != BY_PORT) &&
			   (!varies[0] || !varies[1] || f[0] == ANY || f[1] == ANY);
		struct land l;
		struct stage *s = stage_of(&l, f[0], varies[0], f[1], varies[1]);

		stage_run(s, 8 * NS_PER_S);
		if (can ? !direct(s) : !relayed(s))
			fprintf(stderr, "filters %d %d, mapped differently %d %d: not %s\n", f[0], f[1], varies[0], varies[1],
				can ? "direct" : "relayed");
		CU_ASSERT_TRUE(can ? direct(s) : relayed(s));
		CU_ASSERT_TRUE(stage_ring_right(s));
		stage_free(s);
	}
}

static void any_one_challenge_may_be_lost(void)
{
	for (unsigned n = 0; n < 12; n++) {
		struct land l;
		struct stage *s = stage_of(&l, BY_PORT, false, BY_PORT, false);

		l.losing = n;
		stage_run(s, 8 * NS_PER_S);
		CU_ASSERT_TRUE(direct(s));
		stage_free(s);
	}
}

static void two_that_cannot_meet_try_ever_more_rarely_and_know_why(void)
{
	struct land l;
	struct stage *s = stage_of(&l, BY_PORT, true, BY_PORT, false);
	struct link_view v;
	unsigned hour;

	stage_run(s, 3600 * NS_PER_S);
	CU_ASSERT_TRUE(relayed(s));
	hour = l.told;
	CU_ASSERT_TRUE(hour >= 2 * 6);
	stage_run(s, 3600 * NS_PER_S);
	CU_ASSERT_TRUE(l.told - hour >= 2 * 3 && l.told - hour <= 2 * 2 * 5);	/* two packets each: to the relay, from it */
	CU_ASSERT_TRUE(view(s, 1, 2, &v) && v.meets >= 3 && !v.varies);
	stage_free(s);
}

static void a_box_that_forgets_all_is_punched_anew(void)
{
	struct land l;
	struct stage *s = stage_of(&l, BY_PORT, false, BY_PORT, false);

	stage_run(s, 30 * NS_PER_S);
	CU_ASSERT_TRUE(direct(s));
	s->line_len = 0;
	s->line[0] = 0;
	l.box[1].flows = 0;
	l.box[1].next = 31000;
	stage_run(s, 15 * NS_PER_S);		/* a probe each 5 s, suspicion 1.5 s, then they meet */
	CU_ASSERT_TRUE(direct(s));
	CU_ASSERT_PTR_NULL(strstr(s->line, "dead"));
	CU_ASSERT_PTR_NULL(strstr(s->line, "down"));
	stage_free(s);
}

static enum link_let let(struct stage *s, unsigned i, unsigned peer)
{
	struct link_view v = { .let = LET_CALLED };

	CU_ASSERT_TRUE(view(s, i, peer, &v));
	return v.let;
}

static void what_a_box_lets_in_shows(void)
{
	struct land l;
	struct stage *s = stage_of(&l, ANY, false, BY_PORT, true);

	stage_run(s, 8 * NS_PER_S);
	CU_ASSERT_EQUAL(let(s, 0, 1), LET_ANY);			/* the public one was called */
	CU_ASSERT_EQUAL(let(s, 1, 0), LET_CALLED);
	CU_ASSERT_EQUAL(let(s, 1, 2), LET_ADDRESS);		/* it had called 2 before 2 came: no more is sure */
	stage_free(s);
	s = stage_of(&l, BY_ADDRESS, false, BY_PORT, true);
	stage_run(s, 8 * NS_PER_S);
	CU_ASSERT_EQUAL(let(s, 1, 2), LET_ADDRESS);
	CU_ASSERT_EQUAL(let(s, 2, 1), LET_CALLED);
	stage_free(s);
	s = stage_of(&l, BY_PORT, false, BY_PORT, false);
	stage_run(s, 8 * NS_PER_S);
	CU_ASSERT_EQUAL(let(s, 1, 2), LET_CALLED);
	CU_ASSERT_EQUAL(let(s, 2, 1), LET_CALLED);
	stage_free(s);
}

/* Forty calls to places where nobody is. */
static void call_many(struct node *n, void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < 40; i++) {
		struct contact c = { .ats = 1, .at = { { .kind = ENDPOINT_UDP4, .port = 9338 } } };

		memcpy(c.at[0].addr, (uint8_t[]){ 192, 0, 2, (uint8_t)i }, 4);
		links_call(&n->env, n->links, &c);
	}
}

static void who_called_many_still_knows_strangers(void)
{
	struct stage *s = stage_new(6, &suite_sodium);
	unsigned any = 0;

	stage_up(s, 0, false);
	stage_run(s, 6 * NS_PER_S);
	stage_inside(s, 0, call_many, NULL);
	for (unsigned i = 1; i < 6; i++) {
		stage_up(s, i, false);
		stage_run(s, NS_PER_S);
		any += let(s, 0, i) == LET_ANY;
	}
	CU_ASSERT_TRUE(any >= 4);
	stage_free(s);
}

/* Two thirds of all are behind boxes, a third of those are mapped differently for each peer; all come within a second. */
static void a_ring_of_nodes_behind_boxes_is_one(void)
{
	for (unsigned turn = 0; turn < CROWD - 1; turn++) {
		struct stage *s = stage_new(CROWD, &suite_sodium);
		struct land l = { .losing = UINT_MAX };

		for (unsigned i = 2; i < CROWD; i++)
			l.box[i] = (struct box){ .filter = i % 4 ? BY_PORT : i % 8 ? BY_ADDRESS : ANY, .varies = i % 3 == 2, .stands = true,
						 .next = (uint16_t)(20000 + 1000 * i) };
		s->leave = leave;
		s->enter = enter;
		s->wire = wire;
		s->between = s->wire_arg = &l;
		s->keep = main_events;
		stage_up(s, 0, false);
		stage_run(s, 6 * NS_PER_S);
		for (unsigned i = 0; i < CROWD - 1; i++) {
			stage_up(s, 1 + (i + turn) % (CROWD - 1), false);
			stage_run(s, 70 * NS_PER_MS);
		}
		stage_run(s, 15 * NS_PER_S);
		if (!stage_ring_right(s))
			fprintf(stderr, "turn %u: not one ring\n", turn);
		CU_ASSERT_TRUE(stage_ring_right(s));
		stage_free(s);
	}
}

CU_TestInfo story_nat_tests[] = {
	{ "every pair that can meet does, all others are relayed", every_pair_that_can_meet_does },
	{ "any one challenge may be lost", any_one_challenge_may_be_lost },
	{ "two that cannot meet try ever more rarely, and know why", two_that_cannot_meet_try_ever_more_rarely_and_know_why },
	{ "a box that forgets all is punched anew", a_box_that_forgets_all_is_punched_anew },
	{ "a ring of nodes behind boxes is one", a_ring_of_nodes_behind_boxes_is_one },
	{ "what a box lets in shows", what_a_box_lets_in_shows },
	{ "who called many still knows strangers", who_called_many_still_knows_strangers },
	CU_TEST_INFO_NULL,
};
