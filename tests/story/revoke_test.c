/* A list of the revoked reaches everybody, and whoever is in it is out, for as long as it is the newest. */
#include <stdlib.h>

#include "tests/story/tell.h"

#include "core/inside.h"
#include "core/seal/revoke.h"
#include "tests/unit/suites.h"

enum { NODES = 7, BAD = 4, AWAY = 5, UTC = 1700000000 };

static uint64_t serial_of(const struct stage *s, unsigned i)
{
	const struct node *n = s->actor[i].node;

	return n && n->env.revoked && n->env.revoked->count ? n->env.revoked->list[0].serial : 0;
}

static struct stage *ring_of(unsigned nodes)
{
	struct network_record n;
	struct stage *s = stage_new(nodes, &suite_sodium);

	s->keep = main_events;
	s->one_key = true;
	network_defaults(&n);
	strcpy(n.name, "home");
	n.range4 = (struct ip_range){ ip_v4(0x0a010000), 24 };
	n.term_s = 60;
	stage_network(s, &n);
	for (unsigned i = 0; i < nodes; i++) {
		stage_up(s, i, false);
		stage_run(s, NS_PER_S);
	}
	stage_run(s, 20 * NS_PER_S);
	CU_ASSERT_TRUE_FATAL(stage_ring_right(s));
	return s;
}

/* Node @at is handed list number @serial, which names @who; what it says. */
static struct reply told_by(struct stage *s, unsigned at, uint64_t serial, const uint8_t *key, unsigned who)
{
	uint8_t buf[REVOKED_BYTES];
	struct writer w = writer_of(buf, sizeof(buf));
	struct request q = { .ask = ASK_REVOKE };
	struct id ids[1] = { who < NODES ? s->actor[who].identity.id : ID_ZERO };
	const struct reply *r;

	CU_ASSERT_TRUE_FATAL(revoked_sign(s->suite, key, serial, UTC, NULL, ids, who < NODES, &w));
	r = stage_ask(s, at, &q, (struct bytes){ buf, writer_len(&w) }, NS_PER_S);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	return *r;
}

/* Two hands that signed with one key: of both lists one is everybody's, whichever came first. */
static void of_two_lists_with_one_serial_one_is_everybodys(void)
{
	uint64_t mark = 0;

	for (unsigned first = 0; first < 2; first++) {
		struct stage *s = ring_of(4);
		const struct revoked *l;

		told_by(s, first ? 1 : 2, 5, s->overlay, first ? 0 : 3);
		told_by(s, first ? 2 : 1, 5, s->overlay, first ? 3 : 0);
		stage_run(s, 10 * NS_PER_S);
		CU_ASSERT_TRUE_FATAL(s->actor[1].node && s->actor[2].node);
		l = &s->actor[1].node->env.revoked->list[0];
		CU_ASSERT_TRUE(l->mark && l->mark == s->actor[2].node->env.revoked->list[0].mark && (!first || l->mark == mark));
		CU_ASSERT_TRUE(!revoked_has(l, s->actor[0].identity.id) || !s->actor[0].node);
		CU_ASSERT_TRUE(!revoked_has(l, s->actor[3].identity.id) || !s->actor[3].node);
		mark = l->mark;
		stage_free(s);
	}
}

static bool told(struct stage *s, unsigned at, uint64_t serial, unsigned who)
{
	return told_by(s, at, serial, s->overlay, who).answer == ANSWER_OK;
}

static bool everybody_has(const struct stage *s, uint64_t serial)
{
	for (unsigned i = 0; i < s->actors; i++)
		if (s->actor[i].node && serial_of(s, i) != serial)
			return false;
	return true;
}

static bool linked(const struct stage *s, unsigned a, unsigned b)
{
	const struct node *n = s->actor[a].node;
	struct look_link l;

	for (unsigned i = 0; n && i < node_look_links(n); i++)
		if (node_look_link(n, i, &l) && l.link.state == LINK_UP && stage_name(s, l.link.id) == b)
			return true;
	return false;
}

/* Nobody has a link with it, whatever it may believe itself. */
static bool alone(const struct stage *s, unsigned who)
{
	for (unsigned i = 0; i < s->actors; i++)
		if (i != who && linked(s, i, who))
			return false;
	return true;
}

/* loses what @arg says of notices, by counting them */
struct losing {
	unsigned lose, seen;
	bool deaf;				/* BAD hears none */
};

static bool wire(struct stage *s, unsigned from, unsigned to, const struct datagram *d, void *arg)
{
	struct losing *l = arg;

	(void)s, (void)from;
	if (d->kind != MESSAGE_NOTICE)
		return true;
	return !(l->deaf && to == BAD) && l->seen++ != l->lose;
}

static void a_list_reaches_everybody_and_who_is_in_it_goes(void)
{
	struct stage *s = ring_of(NODES);

	CU_ASSERT_TRUE(told(s, 2, 1, BAD));
	stage_run(s, 5 * NS_PER_S);
	CU_ASSERT_TRUE(everybody_has(s, 1));
	CU_ASSERT_TRUE(!s->actor[BAD].node && alone(s, BAD));
	stage_run(s, 30 * NS_PER_S);
	CU_ASSERT_TRUE(stage_ring_right(s));
	stage_free(s);
}

static void nothing_is_said_without_a_list(void)
{
	struct losing l = { .lose = UINT32_MAX };
	struct stage *s = ring_of(3);

	s->wire = wire;
	s->wire_arg = &l;
	stage_run(s, 60 * NS_PER_S);
	CU_ASSERT_EQUAL(l.seen, 0);
	CU_ASSERT_TRUE(told(s, 0, 1, NODES));
	stage_run(s, 60 * NS_PER_S);
	CU_ASSERT_TRUE(l.seen > 0 && everybody_has(s, 1));
	l.seen = 0;
	stage_run(s, 300 * NS_PER_S);
	CU_ASSERT_EQUAL(l.seen, 0);		/* and nothing more once everybody has it */
	stage_free(s);
}

static void who_does_not_want_to_know_is_refused_all_the_same(void)
{
	struct losing l = { .lose = UINT32_MAX, .deaf = true };
	struct request q = { .ask = ASK_LEASE, .ip.family = 4, .client = 1, .term_s = 20, .timeout_ns = 10 * NS_PER_S };
	struct stage *s = ring_of(NODES);
	const struct reply *r;
	struct ip ip;

	r = stage_ask(s, BAD, &q, (struct bytes){ 0 }, 12 * NS_PER_S);
	CU_ASSERT_TRUE_FATAL(r && r->answer == ANSWER_OK);
	ip = r->ip;
	s->wire = wire;
	s->wire_arg = &l;
	CU_ASSERT_TRUE(told(s, 0, 1, BAD));
	stage_run(s, 5 * NS_PER_S);
	CU_ASSERT_TRUE(alone(s, BAD) && s->actor[BAD].node);
	s->fx.drops[DROP_REVOKED] = 0;
	stage_run(s, 60 * NS_PER_S);
	CU_ASSERT_TRUE(s->fx.drops[DROP_REVOKED] > 0 && alone(s, BAD));
	q = (struct request){ .ask = ASK_RESOLVE, .ip = ip, .timeout_ns = 10 * NS_PER_S };
	r = stage_ask(s, 1, &q, (struct bytes){ 0 }, 12 * NS_PER_S);
	CU_ASSERT_TRUE(r && r->answer == ANSWER_REFUSED);	/* its lease ended with its term */
	q = (struct request){ .ask = ASK_LEASE, .ip = ip, .client = 2, .timeout_ns = 10 * NS_PER_S };
	r = stage_ask(s, 1, &q, (struct bytes){ 0 }, 12 * NS_PER_S);
	CU_ASSERT_TRUE(r && r->answer == ANSWER_OK);
	stage_free(s);
}

/* Node @i is of the overlay by the word of @signer's key, which the overlay's key vouches for; the signer's id. */
static struct id let_in_by(struct stage *s, unsigned i, uint8_t signer)
{
	struct actor *a = &s->actor[i];
	uint8_t own[SIGN_BYTES], key[SIGN_BYTES], seed[KEY_BYTES] = { signer, 1 }, salt[CERT_SALT] = { 0 };
	struct writer w = writer_of(a->chain, sizeof(a->chain));

	s->suite->sign_pair(own, a->seed);
	s->suite->sign_pair(key, seed);
	CU_ASSERT_TRUE_FATAL(cert_issue(s->suite, key, &(struct cert_order){ .roles = ROLE_MEMBER, .key = own + KEY_BYTES, .salt = salt }, &w));
	CU_ASSERT_TRUE_FATAL(cert_issue(s->suite, s->overlay, &(struct cert_order){ .roles = ROLE_SIGNER, .key = key + KEY_BYTES, .salt = salt, .any = true }, &w));
	CU_ASSERT_EQUAL_FATAL(identity_init(&a->identity, s->suite, a->seed, (struct bytes){ a->chain, writer_len(&w) }, s->overlay + KEY_BYTES, 0), FAULT_NONE);
	return cert_id(key + KEY_BYTES, salt);
}

static void who_was_let_in_by_somebody_revoked_loses_its_links_at_once(void)
{
	struct losing l = { .lose = UINT32_MAX, .deaf = true };
	struct stage *s = stage_new(NODES, &suite_sodium);
	uint8_t buf[REVOKED_BYTES];
	struct writer w = writer_of(buf, sizeof(buf));
	struct request q = { .ask = ASK_REVOKE };
	struct id ids[2];

	s->keep = main_events;
	ids[0] = let_in_by(s, BAD, 0xd1);
	ids[1] = let_in_by(s, AWAY, 0xd2);
	for (unsigned i = 0; i < NODES; i++) {
		stage_up(s, i, false);
		stage_run(s, NS_PER_S);
	}
	stage_run(s, 20 * NS_PER_S);
	CU_ASSERT_TRUE_FATAL(stage_ring_right(s) && !alone(s, BAD));
	s->wire = wire;
	s->wire_arg = &l;
	CU_ASSERT_TRUE_FATAL(revoked_sign(s->suite, s->overlay, 1, UTC, NULL, ids, 1, &w));
	stage_ask(s, 2, &q, (struct bytes){ buf, writer_len(&w) }, NS_PER_S);
	stage_run(s, 2 * NS_PER_S);
	CU_ASSERT_TRUE(s->actor[BAD].node && alone(s, BAD));
	CU_ASSERT_FALSE(alone(s, AWAY));		/* whom another one let in */
	stage_free(s);
}

static void who_was_away_hears_of_it_with_its_first_link(void)
{
	struct stage *s = ring_of(NODES);

	stage_crash(s, AWAY);
	stage_crash(s, BAD);
	CU_ASSERT_TRUE(told(s, 0, 3, BAD));
	stage_run(s, 20 * NS_PER_S);
	stage_up(s, AWAY, true);
	stage_run(s, 5 * NS_PER_S);
	CU_ASSERT_EQUAL(serial_of(s, AWAY), 3);
	stage_up(s, BAD, true);
	stage_run(s, 30 * NS_PER_S);
	CU_ASSERT_TRUE(alone(s, BAD));
	stage_free(s);
}

static void only_a_newer_list_of_the_anchors_own_counts(void)
{
	struct stage *s = ring_of(3);
	uint8_t other[SIGN_BYTES], seed[KEY_BYTES] = { 3 };
	struct reply r;

	CU_ASSERT_TRUE(told(s, 0, 5, NODES));
	stage_run(s, 3 * NS_PER_S);
	r = told_by(s, 1, 5, s->overlay, NODES);
	CU_ASSERT_TRUE(r.answer == ANSWER_REFUSED && r.verdict == DROP_STALE);
	r = told_by(s, 1, 4, s->overlay, 0);
	CU_ASSERT_TRUE(r.answer == ANSWER_REFUSED && r.verdict == DROP_STALE);
	s->suite->sign_pair(other, seed);
	r = told_by(s, 1, 9, other, 0);
	CU_ASSERT_TRUE(r.answer == ANSWER_REFUSED && r.verdict == DROP_OVERLAY);
	memcpy(other + KEY_BYTES, s->overlay + KEY_BYTES, KEY_BYTES);	/* says it is the anchor's */
	r = told_by(s, 1, 9, other, 0);
	CU_ASSERT_TRUE(r.answer == ANSWER_REFUSED && r.verdict == DROP_SEAL);
	stage_run(s, 3 * NS_PER_S);
	CU_ASSERT_TRUE(everybody_has(s, 5) && stage_ring_right(s));
	CU_ASSERT_TRUE(told(s, 1, 6, NODES));
	stage_run(s, 3 * NS_PER_S);
	CU_ASSERT_TRUE(everybody_has(s, 6));
	stage_free(s);
}

static void a_list_survives_restarts_and_is_obeyed_from_the_first_packet(void)
{
	struct stage *s = ring_of(NODES);

	CU_ASSERT_TRUE(told(s, 0, 2, BAD));
	stage_run(s, 10 * NS_PER_S);
	for (unsigned i = 0; i < NODES; i++)
		if (s->actor[i].node)
			stage_crash(s, i);
	stage_wipe(s, BAD);
	stage_up(s, 0, true);
	CU_ASSERT_EQUAL(serial_of(s, 0), 2);
	stage_up(s, BAD, false);			/* a new disk: it knows of nothing */
	stage_run(s, 10 * NS_PER_S);
	CU_ASSERT_TRUE(alone(s, BAD));
	stage_free(s);
}

static void who_is_no_longer_in_the_newest_is_back(void)
{
	struct stage *s = ring_of(NODES);

	CU_ASSERT_TRUE(told(s, 0, 1, BAD));
	stage_run(s, 10 * NS_PER_S);
	stage_up(s, BAD, true);			/* it knows that it is out, and tries on */
	stage_run(s, 20 * NS_PER_S);
	CU_ASSERT_TRUE(s->actor[BAD].node && alone(s, BAD) && serial_of(s, BAD) == 1);
	CU_ASSERT_TRUE(told(s, 1, 2, NODES));
	stage_run(s, 60 * NS_PER_S);
	CU_ASSERT_TRUE(everybody_has(s, 2));
	CU_ASSERT_TRUE(stage_ring_right(s) && !alone(s, BAD));
	stage_free(s);
}

static void whichever_notice_is_lost_everybody_hears(void)
{
	for (unsigned lose = 0; lose < 16; lose++) {
		struct losing l = { .lose = lose };
		struct stage *s = ring_of(3);

		s->wire = wire;
		s->wire_arg = &l;
		CU_ASSERT_TRUE(told(s, 0, 1, NODES));
		stage_run(s, 10 * NS_PER_S);
		CU_ASSERT_TRUE(everybody_has(s, 1));
		stage_free(s);
	}
}

static void a_full_list_travels_in_pieces(void)
{
	struct stage *s = ring_of(3);
	uint8_t buf[REVOKED_BYTES];
	struct writer w = writer_of(buf, sizeof(buf));
	struct id ids[200];
	struct request q = { .ask = ASK_REVOKE };

	for (unsigned i = 0; i < 200; i++)
		ids[i] = (struct id){ i + 1, i };
	CU_ASSERT_TRUE_FATAL(revoked_sign(s->suite, s->overlay, 1, UTC, NULL, ids, 200, &w));
	stage_ask(s, 1, &q, (struct bytes){ buf, writer_len(&w) }, NS_PER_S);
	stage_run(s, 5 * NS_PER_S);
	CU_ASSERT_TRUE(everybody_has(s, 1));
	CU_ASSERT_EQUAL(s->actor[2].node->env.revoked->list[0].count, 200);
	CU_ASSERT_TRUE(stage_ring_right(s));
	stage_free(s);
}

CU_TestInfo story_revoke_tests[] = {
	{ "a list reaches everybody, and who is in it goes", a_list_reaches_everybody_and_who_is_in_it_goes },
	{ "nothing is said without a list", nothing_is_said_without_a_list },
	{ "who does not want to know is refused all the same", who_does_not_want_to_know_is_refused_all_the_same },
	{ "who was let in by somebody revoked loses its links at once", who_was_let_in_by_somebody_revoked_loses_its_links_at_once },
	{ "who was away hears of it with its first link", who_was_away_hears_of_it_with_its_first_link },
	{ "only a newer list of the anchor's own counts", only_a_newer_list_of_the_anchors_own_counts },
	{ "of two lists with one serial one is everybody's", of_two_lists_with_one_serial_one_is_everybodys },
	{ "a list survives restarts and is obeyed from the first packet", a_list_survives_restarts_and_is_obeyed_from_the_first_packet },
	{ "who is no longer in the newest is back", who_is_no_longer_in_the_newest_is_back },
	{ "whichever notice is lost, everybody hears", whichever_notice_is_lost_everybody_hears },
	{ "a full list travels in pieces", a_full_list_travels_in_pieces },
	CU_TEST_INFO_NULL
};
