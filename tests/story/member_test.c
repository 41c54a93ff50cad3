/*
 * Networks come and go while nodes run: what one held is given back, what another one
 * does on the same node goes on, and who left can come back.
 */
#include "core/vnet/parts.h"
#include "tests/story/town.h"

enum { A = 1, B = 3, C = 2, NEW = 1 };	/* nodes; the network that comes */

/* Two guests talk in one network; there is another one, that nobody is in yet, with a founder. */
static struct town *with_another(unsigned founder)
{
	struct town *t = town_new(5);
	struct network_record n = t->s->record[0];

	meet(t, A, B);
	n.founders = 1;
	n.founder[0] = t->s->actor[founder].identity.id;
	stage_network(t->s, &n);
	return t;
}

static enum answer ask(struct town *t, unsigned i, unsigned place, enum ask what)
{
	struct request q = { .token = 7, .network = (uint8_t)place, .ask = (uint8_t)what };
	const struct reply *r = stage_ask(t->s, i, &q, (struct bytes){ 0 }, 5 * NS_PER_S);

	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	CU_ASSERT_EQUAL_FATAL(r->ask, what);
	return (enum answer)r->answer;
}

static void join(struct town *t, unsigned i)
{
	CU_ASSERT_EQUAL_FATAL(ask(t, i, NEW, ASK_JOIN), ANSWER_OK);
}

/* A ping from @i's guest for that of @last in the network @net, answered within a few seconds. */
static bool pinged(struct town *t, unsigned net, unsigned i, unsigned last)
{
	struct guest_host *g = &t->g[net][i];
	unsigned before = g->replies;
	static uint16_t id;

	memcpy(g->gateway, t->s->actor[i].node->vnet[net]->mac, 6);
	ping_in(t, net, i, last, ++id, 100);
	run(t, 3000);
	return g->replies == before + 1;
}

/* All that node @i has of the network number @k. */
static unsigned left_of(struct town *t, unsigned i, unsigned k)
{
	const struct actor *a = &t->s->actor[i];
	struct tunnel_view v;
	struct look_name name;
	struct held h;
	unsigned sum = a->node->vnet[k] != NULL;

	for (unsigned n = 0; n < TUNNELS_MAX; n++)
		sum += node_tunnel(a->node, n, &v) && v.network == k;
	for (unsigned n = 0; node_held(a->node, n, &h); n++)
		sum += id_eq(h.network, t->s->record[k].id);
	for (unsigned n = 0; node_name(a->node, n, &name); n++)
		sum += id_eq(name.network, t->s->record[k].id);
	return sum + dht_member(a->node->dht, t->s->record[k].id);
}

static unsigned leases_on_disk(const struct town *t, unsigned i)
{
	unsigned sum = 0;

	for (unsigned n = 0; n < t->s->actor[i].items; n++)
		sum += t->s->actor[i].item[n].kind == SAVE_LEASE && t->s->actor[i].item[n].len;
	return sum;
}

static void a_network_comes_while_the_node_runs(void)
{
	struct town *t = with_another(A);

	CU_ASSERT_EQUAL(ask(t, A, NEW + 1, ASK_JOIN), ANSWER_REFUSED);		/* there is nothing in that place */
	join(t, A);
	join(t, B);
	CU_ASSERT_EQUAL(ask(t, A, NEW, ASK_JOIN), ANSWER_REFUSED);		/* it is in it */
	settle_in(t, NEW, A, 10);
	settle_in(t, NEW, B, 20);						/* the same addresses as in the other one */
	CU_ASSERT_TRUE(pinged(t, NEW, A, 20));
	CU_ASSERT_TRUE(pinged(t, NEW, B, 10));
	CU_ASSERT_TRUE(pinged(t, 0, A, 20));
	CU_ASSERT_EQUAL(t->secrets, 0);
	town_free(t);
}

static void what_a_network_held_is_given_back_and_the_other_loses_nothing(void)
{
	static const struct ip WANTED = { .at = { 10, 1, 0, 77 }, .family = 4 };
	struct town *t = with_another(A);
	struct request lease = { .token = 3, .ip = WANTED, .client = 9, .network = NEW, .ask = ASK_LEASE };
	const struct reply *r;
	unsigned leases = leases_on_disk(t, A), replies;
	struct tunnel_view v;

	t->s->actor[A].network[NEW].name = (struct bytes){ (const uint8_t *)"alice", 5 };
	join(t, A);
	join(t, B);
	join(t, C);
	settle_in(t, NEW, A, 10);
	settle_in(t, NEW, B, 20);
	r = stage_ask(t->s, A, &lease, (struct bytes){ 0 }, 10 * NS_PER_S);
	CU_ASSERT_TRUE_FATAL(r && r->answer == ANSWER_OK && ip_eq(&r->ip, &WANTED));
	CU_ASSERT_TRUE_FATAL(pinged(t, NEW, A, 20));
	CU_ASSERT_EQUAL(leases_on_disk(t, A), leases + 2);
	CU_ASSERT_TRUE_FATAL(pinged(t, 0, A, 20));
	replies = t->g[0][A].replies;
	for (unsigned i = 0; i < 20; i++) {
		if (i == 5)
			stage_event(t->s, A, &(struct event){ .kind = EVENT_CONTROL,
							      .request = { .token = 8, .network = NEW, .ask = ASK_QUIT } });
		ping(t, A, 20, (uint16_t)(900 + i), 100);
		run(t, 100);
	}
	run(t, 1000);
	CU_ASSERT_EQUAL(t->g[0][A].replies, replies + 20);		/* nothing is lost beside it */
	CU_ASSERT_TRUE(t->s->last_reply.ask == ASK_QUIT && t->s->last_reply.answer == ANSWER_OK);
	CU_ASSERT_EQUAL(left_of(t, A, NEW), 0);
	CU_ASSERT_EQUAL(leases_on_disk(t, A), leases);
	for (unsigned i = 0; i < TUNNELS_MAX; i++)
		CU_ASSERT_FALSE(node_tunnel(t->s->actor[B].node, i, &v) && v.network == NEW &&
				id_eq(v.peer, t->s->actor[A].identity.id));
	settle_in(t, NEW, C, 10);					/* free at once, not after an hour */
	CU_ASSERT_TRUE(pinged(t, NEW, B, 10));
	town_free(t);
}

static bool cut_off(struct town *t, unsigned from, unsigned to, const struct datagram *d)
{
	(void)t;
	(void)d;
	return from == A || to == A;
}

static void whoever_cannot_give_back_leaves_all_the_same_and_may_return(void)
{
	struct town *t = with_another(A);
	int64_t began_ns;

	join(t, A);
	settle_in(t, NEW, A, 10);
	t->lose = cut_off;
	began_ns = t->s->now_ns;
	stage_event(t->s, A, &(struct event){ .kind = EVENT_CONTROL,
					      .request = { .token = 8, .network = NEW, .ask = ASK_QUIT } });
	CU_ASSERT_EQUAL(ask(t, A, NEW, ASK_JOIN), ANSWER_REFUSED);	/* it is on its way out still */
	CU_ASSERT_NOT_EQUAL(left_of(t, A, NEW), 0);
	for (unsigned i = 0; i < 100 && t->s->last_reply.ask != ASK_QUIT; i++)
		run(t, 50);
	CU_ASSERT_EQUAL_FATAL(t->s->last_reply.ask, ASK_QUIT);
	CU_ASSERT_EQUAL(t->s->last_reply.answer, ANSWER_TIMEOUT);
	CU_ASSERT_TRUE(t->s->now_ns - began_ns <= 3200 * NS_PER_MS);
	CU_ASSERT_EQUAL(left_of(t, A, NEW), 0);
	t->lose = NULL;
	run(t, 60000);
	join(t, A);
	settle_in(t, NEW, A, 10);					/* its own lease still, as the slot sees it */
	town_free(t);
}

static void another_network_may_take_the_place(void)
{
	struct town *t = with_another(B);
	struct actor *a = &t->s->actor[A];

	join(t, B);
	settle_in(t, NEW, B, 20);
	CU_ASSERT_EQUAL(ask(t, A, 0, ASK_QUIT), ANSWER_OK);
	CU_ASSERT_EQUAL(left_of(t, A, 0), 0);
	a->network[0] = a->network[NEW];
	CU_ASSERT_EQUAL(ask(t, A, 0, ASK_JOIN), ANSWER_OK);
	CU_ASSERT_TRUE(id_eq(vnet_id(a->node->vnet[0]), t->s->record[NEW].id));
	t->g[NEW][A] = (struct guest_host){ .ip = ip_v4(0x0a010000 + 30), .mac = { 2, 0, 0, 0, 0, 30 } };
	for (unsigned i = 0; i < 10; i++) {
		struct guest_host *g = &t->g[NEW][A];
		uint8_t buf[64];
		struct writer w = writer_of(buf, sizeof(buf));

		build_arp(&w, mac_broadcast, 1, g->mac, &g->ip, (uint8_t[6]){ 0 }, &g->ip);
		stage_frame(t->s, A, NEW, buf, (uint16_t)writer_len(&w));	/* by its tap, which is number 2 */
		run(t, 1000);
	}
	CU_ASSERT_TRUE(edge_serves(a->node->vnet[0], &a->node->env, &t->g[NEW][A].ip, NULL));
	CU_ASSERT_TRUE(pinged(t, NEW, B, 30));
	town_free(t);
}

/* The overlay's own network is one as any other: its slots are served by who is on the ring. */
static void who_leaves_a_network_serves_its_slots_still(void)
{
	struct town *t = with_another(A);
	struct look_slot slot;
	unsigned slots = 0;

	CU_ASSERT_EQUAL(ask(t, 0, 0, ASK_QUIT), ANSWER_OK);		/* its founder, who keeps the root */
	CU_ASSERT_EQUAL(left_of(t, 0, 0), 0);
	for (unsigned i = 0; node_slot(t->s->actor[0].node, i, &slot); i++)
		slots += slot.votes && id_eq(slot.slot.network, t->s->record[0].id);
	CU_ASSERT_NOT_EQUAL(slots, 0);
	CU_ASSERT_PTR_NOT_NULL(dht_record(t->s->actor[0].node->dht, t->s->record[0].id));
	settle(t, C, 30);
	CU_ASSERT_TRUE(pinged(t, 0, A, 30));
	stage_crash(t->s, 0);
	t->s->networks = 0;						/* and it comes back as a member of none */
	stage_up(t->s, 0, true);
	run(t, 20000);
	CU_ASSERT_PTR_NOT_NULL(dht_record(t->s->actor[0].node->dht, t->s->record[0].id));
	CU_ASSERT_FALSE(dht_member(t->s->actor[0].node->dht, t->s->record[0].id));
	town_free(t);
}

CU_TestInfo story_member_tests[] = {
	{ "a network comes while the node runs", a_network_comes_while_the_node_runs },
	{ "what a network held is given back, and the other loses nothing",
	  what_a_network_held_is_given_back_and_the_other_loses_nothing },
	{ "whoever cannot give back leaves all the same, and may return",
	  whoever_cannot_give_back_leaves_all_the_same_and_may_return },
	{ "another network may take the place", another_network_may_take_the_place },
	{ "who leaves a network serves its slots still", who_leaves_a_network_serves_its_slots_still },
	CU_TEST_INFO_NULL
};
