/*
 * Newcomers with an invitation become members, by way of whoever they reach,
 * decided by whoever may; an invitation lets in as many as it says.
 *
 *	0 founder, may sign	1 may sign	2 member	3, 4, 5 newcomers
 */
#include <stdlib.h>

#include "tests/story/tell.h"

#include "core/inside.h"
#include "tests/unit/suites.h"

enum { FOUNDER, SIGNER, USHER, FIRST, SECOND, THIRD, NODES, UTC = 1700000000 };

struct gate {
	struct stage *s;
	uint8_t signer[2][CERT_MAX];
	struct token token;
	struct newcomer_birth birth[NODES];
	uint8_t own[NODES][SIGN_BYTES];
	uint8_t value[NODES][GRANT_MAX];	/* the grants */
	size_t value_len[NODES];
	enum admit verdict[NODES];		/* of the last reply */
	unsigned lose, seen;			/* the packet of a newcomer's link that gets lost */
};

static void wall(struct stage *s, unsigned i)
{
	struct event ev = { .kind = EVENT_WALL_CLOCK, .wall.utc_ns = UTC * NS_PER_S + s->now_ns };

	stage_event(s, i, &ev);
}

static struct id place(const struct grant *g)
{
	struct reader r = reader_of(g->chain.at, g->chain.len);
	struct cert c;

	CU_ASSERT_EQUAL_FATAL(cert_decode(&r, &c), FAULT_NONE);
	return cert_id(c.key, c.salt);
}

/* The invitation: by the overlay's own key, for @uses */
static void invite(struct gate *g, unsigned uses, unsigned at, uint64_t ends)
{
	static const char *const GROUPS[] = { "guests" };
	uint8_t once[SIGN_BYTES], salt[CERT_SALT] = { 5 };
	struct writer w = writer_of(g->token.chain, sizeof(g->token.chain));
	struct stage *s = g->s;

	memcpy(g->token.overlay, s->overlay + KEY_BYTES, KEY_BYTES);
	memset(g->token.seed, 0x77, KEY_BYTES);
	s->suite->sign_pair(once, g->token.seed);
	CU_ASSERT_TRUE_FATAL(cert_issue(s->suite, s->overlay, &(struct cert_order){
		.roles = ROLE_INVITATION, .any = true, .serial = 40, .not_before = UTC - 100, .not_after = ends,
		.key = once + KEY_BYTES, .salt = salt, .groups = GROUPS, .group_count = 1, .uses = (uint16_t)uses }, &w));
	g->token.chain_len = (uint16_t)writer_len(&w);
	g->token.at[0] = s->actor[at].at;
	g->token.ats = 1;
}

static bool wire(struct stage *s, unsigned from, unsigned to, const struct datagram *d, void *arg)
{
	struct gate *g = arg;

	(void)s, (void)d;
	return (from != FIRST && to != FIRST) || g->seen++ != g->lose;
}

static void may_sign(struct gate *g, unsigned i)
{
	struct stage *s = g->s;
	uint8_t *to = g->signer[i], salt[CERT_SALT] = { 0 };
	struct writer w = writer_of(to, CERT_MAX);

	CU_ASSERT_TRUE_FATAL(cert_issue(s->suite, s->overlay, &(struct cert_order){
		.roles = ROLE_SIGNER, .key = identity_key(&s->actor[i].identity), .salt = salt }, &w));
	s->actor[i].network[0].signer = (struct bytes){ to, writer_len(&w) };
}

static void gate_new(struct gate *g, const struct suite *suite, unsigned signers)
{
	struct network_record n;

	memset(g, 0, sizeof(*g));
	g->lose = UINT32_MAX;
	g->s = stage_new(NODES, suite);
	g->s->keep = main_events;
	g->s->one_key = true;
	network_defaults(&n);
	strcpy(n.name, "home");
	n.range4 = (struct ip_range){ ip_v4(0x0a010000), 24 };
	n.term_s = 60;
	stage_network(g->s, &n);
	if (signers & 1)
		may_sign(g, FOUNDER);
	if (signers & 2)
		may_sign(g, SIGNER);
	for (unsigned i = 0; i <= USHER; i++) {
		stage_up(g->s, i, false);
		wall(g->s, i);
	}
	stage_run(g->s, 8 * NS_PER_S);
	CU_ASSERT_TRUE_FATAL(stage_ring_right(g->s));
}

/* Node @i starts with the invitation, from the endpoint it names now. */
static void comes(struct gate *g, unsigned i)
{
	struct actor *a = &g->s->actor[i];

	g->s->suite->sign_pair(g->own[i], a->seed);
	g->birth[i] = (struct newcomer_birth){ .token = &g->token, .own = g->own[i], .reply = i,
					       .name = { (const uint8_t *)"bob", 3 } };
	CU_ASSERT_EQUAL_FATAL(identity_init(&a->identity, g->s->suite, g->token.seed,
					    (struct bytes){ g->token.chain, g->token.chain_len }, g->token.overlay, 0), FAULT_NONE);
	a->newcomer = &g->birth[i];
	stage_up(g->s, i, false);
	wall(g->s, i);
}

/* Time passes until @want newcomers have their last word. */
static unsigned decided(struct gate *g, unsigned want, int64_t for_ns)
{
	unsigned admitted = 0, over = 0;

	for (int64_t t = 0; t < for_ns && over < want; t += 10 * NS_PER_MS) {
		unsigned before = g->s->replies;

		stage_run(g->s, 10 * NS_PER_MS);
		if (g->s->replies != before) {
			const struct reply *r = &g->s->last_reply;
			unsigned i = (unsigned)r->token;

			CU_ASSERT_TRUE_FATAL(r->ask == ASK_REDEEM && i < NODES);
			g->verdict[i] = r->verdict;
			g->value_len[i] = r->value.len;
			if (r->value.len)
				memcpy(g->value[i], r->value.at, r->value.len);
		}
		over = admitted = 0;
		for (unsigned i = FIRST; i < NODES; i++) {
			over += admit_final(g->verdict[i]);
			admitted += g->verdict[i] == ADMIT_OK;
		}
	}
	return over == want ? admitted : 99;
}

static void granted(struct gate *g, unsigned i, struct grant *out)
{
	CU_ASSERT_EQUAL_FATAL(g->verdict[i], ADMIT_OK);
	CU_ASSERT_TRUE_FATAL(grant_read((struct bytes){ g->value[i], g->value_len[i] }, out));
}

/* What the newcomer's host does then: the same key starts as a member. */
static bool lives(struct gate *g, unsigned i)
{
	struct actor *a = &g->s->actor[i];
	struct request q = { .ask = ASK_LEASE, .ip.family = 4, .client = i, .timeout_ns = 10 * NS_PER_S };
	struct grant grant;
	const struct reply *r;

	granted(g, i, &grant);
	if (a->node)
		stage_crash(g->s, i);
	memcpy(a->chain, grant.chain.at, grant.chain.len);
	CU_ASSERT_EQUAL_FATAL(identity_init(&a->identity, g->s->suite, a->seed, (struct bytes){ a->chain, grant.chain.len },
					    g->token.overlay, UTC), FAULT_NONE);
	CU_ASSERT_TRUE(grant.record.len == a->network[0].record.len &&
		       !memcmp(grant.record.at, a->network[0].record.at, grant.record.len));
	CU_ASSERT_EQUAL(memcmp(grant.secret, a->network[0].secret, GRANT_SECRET), 0);
	a->newcomer = NULL;
	a->member[0] = a->identity;
	stage_up(g->s, i, false);
	wall(g->s, i);
	stage_run(g->s, 8 * NS_PER_S);
	r = stage_ask(g->s, i, &q, (struct bytes){ 0 }, 12 * NS_PER_S);
	return stage_ring_right(g->s) && r && r->answer == ANSWER_OK;
}

static void a_newcomer_becomes_a_member_through_whoever_it_reaches(void)
{
	static const struct suite *const SUITES[] = { &suite_sodium };
	struct grant grant;
	struct gate g;
	struct reader r;
	struct bytes group;
	struct cert c;
	size_t at = 0;

	gate_new(&g, SUITES[0], 2);
	invite(&g, 1, USHER, UTC + 3600);
	comes(&g, FIRST);
	CU_ASSERT_EQUAL_FATAL(decided(&g, 1, 5 * NS_PER_S), 1);
	granted(&g, FIRST, &grant);
	r = reader_of(grant.chain.at, grant.chain.len);
	CU_ASSERT_EQUAL_FATAL(cert_decode(&r, &c), FAULT_NONE);
	CU_ASSERT_TRUE(c.serial == 40 && c.any && c.roles == ROLE_MEMBER && !c.uses);
	CU_ASSERT_TRUE(c.name.len == 3 && !memcmp(c.name.at, "bob", 3));
	CU_ASSERT_TRUE(cert_group(&c, &at, &group) && group.len == 6);
	CU_ASSERT_TRUE(lives(&g, FIRST));
	stage_free(g.s);
}

static void a_lone_signer_lets_in_by_itself(void)
{
	struct network_record n;
	struct gate g;

	memset(&g, 0, sizeof(g));
	g.lose = UINT32_MAX;
	g.s = stage_new(NODES, &suite_sodium);
	g.s->one_key = true;
	network_defaults(&n);
	strcpy(n.name, "home");
	n.range4 = (struct ip_range){ ip_v4(0x0a010000), 24 };
	stage_network(g.s, &n);
	may_sign(&g, FOUNDER);
	stage_up(g.s, FOUNDER, false);
	wall(g.s, FOUNDER);
	stage_run(g.s, 12 * NS_PER_S);
	invite(&g, 1, FOUNDER, UTC + 3600);
	comes(&g, FIRST);
	CU_ASSERT_EQUAL(decided(&g, 1, 5 * NS_PER_S), 1);
	CU_ASSERT_TRUE(lives(&g, FIRST));
	stage_free(g.s);
}

static void of_two_with_one_invitation_one_gets_in(void)
{
	for (unsigned apart = 0; apart < 2; apart++)	/* through one member, or two, which ask different signers */
		for (unsigned late = 0; late < 4; late++) {
			struct gate g;

			gate_new(&g, &suite_sodium, 3);
			invite(&g, 1, USHER, UTC + 3600);
			comes(&g, FIRST);
			stage_run(g.s, late * 37 * NS_PER_MS);
			if (apart)
				g.token.at[0] = g.s->actor[FOUNDER].at;
			comes(&g, SECOND);
			CU_ASSERT_EQUAL(decided(&g, 2, 60 * NS_PER_S), 1);
			CU_ASSERT_TRUE(g.verdict[FIRST] == ADMIT_USED || g.verdict[SECOND] == ADMIT_USED);
			stage_free(g.s);
		}
}

static void an_invitation_for_two_lets_two_in(void)
{
	struct gate g;

	gate_new(&g, &suite_sodium, 3);
	invite(&g, 2, USHER, UTC + 3600);
	for (unsigned i = FIRST; i < NODES; i++)
		comes(&g, i);
	CU_ASSERT_EQUAL(decided(&g, 3, 90 * NS_PER_S), 2);
	stage_free(g.s);
}

static void the_same_key_gets_the_same_place_again_from_any_signer(void)
{
	struct grant first, again;
	struct id id;
	struct gate g;

	gate_new(&g, &suite_sodium, 3);
	invite(&g, 1, USHER, UTC + 3600);
	comes(&g, FIRST);
	CU_ASSERT_EQUAL_FATAL(decided(&g, 1, 5 * NS_PER_S), 1);
	granted(&g, FIRST, &first);
	id = place(&first);
	for (unsigned i = 0; i < 2; i++) {		/* who answered first may be either; each is alone once */
		stage_crash(g.s, FIRST);
		stage_crash(g.s, i);
		stage_run(g.s, 20 * NS_PER_S);
		g.verdict[FIRST] = ADMIT_NONE;
		comes(&g, FIRST);
		CU_ASSERT_EQUAL(decided(&g, 1, 30 * NS_PER_S), 1);
		granted(&g, FIRST, &again);
		CU_ASSERT_TRUE(id_eq(place(&again), id));
		stage_up(g.s, i, true);
		wall(g.s, i);
		stage_run(g.s, 20 * NS_PER_S);
	}
	comes(&g, SECOND);
	CU_ASSERT_EQUAL(decided(&g, 2, 30 * NS_PER_S), 1);
	CU_ASSERT_EQUAL(g.verdict[SECOND], ADMIT_USED);
	stage_free(g.s);
}

static void whichever_packet_is_lost_it_gets_in(void)
{
	for (unsigned lose = 0; lose < 24; lose++) {
		struct gate g;

		gate_new(&g, &suite_sodium, 2);
		g.s->wire = wire;
		g.s->wire_arg = &g;
		g.lose = lose;
		invite(&g, 1, USHER, UTC + 3600);
		comes(&g, FIRST);
		CU_ASSERT_EQUAL(decided(&g, 1, 30 * NS_PER_S), 1);
		stage_free(g.s);
	}
}

static void nobody_gets_in_with_an_invitation_that_ended(void)
{
	struct gate g;

	gate_new(&g, &suite_sodium, 3);
	invite(&g, 1, USHER, UTC - 1);
	comes(&g, FIRST);
	CU_ASSERT_EQUAL(decided(&g, 1, 20 * NS_PER_S), 99);
	CU_ASSERT_TRUE(g.verdict[FIRST] == ADMIT_NONE && g.s->replies && g.s->fx.drops[DROP_CERTIFICATE]);
	stage_free(g.s);
}

static void without_a_signer_it_is_told_so_and_gets_in_when_one_is_back(void)
{
	struct gate g;

	gate_new(&g, &suite_sodium, 2);
	stage_crash(g.s, SIGNER);
	invite(&g, 1, USHER, UTC + 3600);
	comes(&g, FIRST);
	CU_ASSERT_EQUAL(decided(&g, 1, 25 * NS_PER_S), 99);
	CU_ASSERT_EQUAL(g.verdict[FIRST], ADMIT_SIGNER);
	stage_up(g.s, SIGNER, true);
	wall(g.s, SIGNER);
	CU_ASSERT_EQUAL(decided(&g, 1, 40 * NS_PER_S), 1);
	stage_free(g.s);
}

/* everything a link carries, from somebody who is only invited */
static void babble(struct node *n, void *arg)
{
	static const uint8_t KIND[] = { MESSAGE_RELAY, MESSAGE_STATUS, MESSAGE_ENTER, MESSAGE_ASK, MESSAGE_ROUTE, MESSAGE_CAST,
					MESSAGE_LABEL, MESSAGE_NEAR, MESSAGE_TABLE, MESSAGE_NOTICE, MESSAGE_LEAVE };
	const struct id *to = arg;

	for (unsigned i = 0; i < sizeof(KIND); i++)
		for (uint16_t k = 0; k < links_slots(n->links); k++) {
			struct writer w = links_message(&n->env, n->links, (link_ref){ k }, KIND[i], 100);

			write_id(&w, *to);
			write_u64(&w, 0x1010101010101010);
			links_sent(&n->env, n->links, (link_ref){ k }, &w);
		}
}

static void an_invited_one_is_heard_for_nothing_else(void)
{
	uint64_t before, routes;
	struct gate g;

	gate_new(&g, &suite_sodium, 2);
	stage_crash(g.s, SIGNER);			/* so that it stays at the door */
	invite(&g, 1, USHER, UTC + 3600);
	comes(&g, FIRST);
	stage_run(g.s, 500 * NS_PER_MS);
	before = g.s->fx.drops[DROP_STRANGER];
	routes = g.s->fx.drops[DROP_ROUTE];
	stage_inside(g.s, FIRST, babble, &g.s->actor[FOUNDER].identity.id);
	stage_run(g.s, 200 * NS_PER_MS);
	CU_ASSERT_EQUAL(g.s->fx.drops[DROP_STRANGER] - before, 10);
	CU_ASSERT_EQUAL(g.s->fx.drops[DROP_ROUTE] - routes, 1);
	for (unsigned i = 0; i < node_look_links(g.s->actor[USHER].node); i++) {
		struct look_link l;

		if (node_look_link(g.s->actor[USHER].node, i, &l) && stage_name(g.s, l.link.id) == FIRST)
			CU_ASSERT_TRUE(!l.use && !l.member);
	}
	stage_free(g.s);
}

CU_TestInfo story_invite_tests[] = {
	{ "a newcomer becomes a member through whoever it reaches", a_newcomer_becomes_a_member_through_whoever_it_reaches },
	{ "a lone signer lets in by itself", a_lone_signer_lets_in_by_itself },
	{ "of two with one invitation, one gets in", of_two_with_one_invitation_one_gets_in },
	{ "an invitation for two lets two in", an_invitation_for_two_lets_two_in },
	{ "the same key gets the same place again, from any signer", the_same_key_gets_the_same_place_again_from_any_signer },
	{ "whichever packet is lost, it gets in", whichever_packet_is_lost_it_gets_in },
	{ "nobody gets in with an invitation that ended", nobody_gets_in_with_an_invitation_that_ended },
	{ "without a signer it is told so, and gets in when one is back", without_a_signer_it_is_told_so_and_gets_in_when_one_is_back },
	{ "an invited one is heard for nothing else", an_invited_one_is_heard_for_nothing_else },
	CU_TEST_INFO_NULL
};
