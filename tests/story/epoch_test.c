/*
 * Who is revoked cannot open what is broadcast afterwards: with every list of the
 * revoked the network gets a new group key, which goes from member to member and
 * to nobody else. The overlay is another one than the network here, so that the
 * revoked stay on the ring and hear every sealed word.
 */
#include "tests/story/town.h"

#include "core/link/gazette.h"
#include "core/seal/revoke.h"
#include "core/vnet/epoch.h"

enum { NODES = 7, BAD = 4, AWAY = 5, UTC = 1700000000 };

/* The key of epoch @serial, and the order that begins it; @who < NODES is revoked. Length of the list alone in @list. */
static struct bytes order_of(uint64_t serial, unsigned who, uint8_t buf[REVOKED_ORDER], size_t *list)
{
	uint8_t seed[32] = { 9, 0 }, anchor[SIGN_BYTES], key[KEY_BYTES] = { 0x77, (uint8_t)serial, (uint8_t)who };
	struct writer w = writer_of(buf, REVOKED_ORDER);
	struct id ids[1] = { who < NODES ? town->s->actor[who].identity.id : ID_ZERO };

	town->s->suite->sign_pair(anchor, seed);	/* as stage_network() does */
	CU_ASSERT_TRUE_FATAL(revoked_sign(town->s->suite, anchor, serial, UTC, key, ids, who < NODES, &w));
	if (list)
		*list = writer_len(&w);
	write_copy(&w, key, KEY_BYTES);
	return (struct bytes){ buf, writer_len(&w) };
}

static const struct reply *hand(unsigned at, struct bytes order)
{
	struct request q = { .ask = ASK_REVOKE };

	return stage_ask(town->s, at, &q, order, NS_PER_S);
}

static bool revoke(unsigned at, uint64_t serial, unsigned who)
{
	uint8_t buf[REVOKED_ORDER];
	const struct reply *r = hand(at, order_of(serial, who, buf, NULL));

	return r && r->answer == ANSWER_OK;
}

static struct look_epoch epoch_of(unsigned i)
{
	return vnet_epoch(town->s->actor[i].node->vnet[0]);
}

/* Is everybody in @epoch, with its key, but @but? */
static bool all_in(uint64_t epoch, unsigned but)
{
	for (unsigned i = 0; i < town->s->actors; i++)
		if (i != but && town->s->actor[i].node && (epoch_of(i).epoch != epoch || !epoch_of(i).has))
			return false;
	return true;
}

static void shout(unsigned i)
{
	struct guest_host *g = &town->g[0][i];
	struct ip to = ip_v4(0xffffffff);
	uint8_t buf[300];
	struct writer w = writer_of(buf, sizeof(buf));
	struct build b;

	build_eth(&w, mac_broadcast, g->mac, TYPE_IP4);
	b = build_udp(&w, &g->ip, &to, 1000, 2000);
	memset(write_space(&w, 100), (int)i, 100);
	build_done(&w, &b);
	stage_frame(town->s, i, 0, buf, (uint16_t)writer_len(&w));
}

/* Who hears the guest of node @i shout? A bit for each node. */
static unsigned hears(unsigned i, int64_t within_ms)
{
	unsigned before[NODES], all = 0;

	for (unsigned k = 0; k < NODES; k++)
		before[k] = town->g[0][k].groups;
	shout(i);
	run(town, within_ms);
	for (unsigned k = 0; k < town->s->actors; k++)
		all |= (unsigned)(town->g[0][k].groups - before[k] == 1) << k;
	return all;
}

enum { ALL = (1 << NODES) - 1 };

static unsigned but(unsigned a, unsigned b)
{
	return ALL & ~(1u << a) & ~(1u << b);
}

static struct town *village(void)
{
	struct town *t = town_new(NODES);

	for (unsigned i = 0; i < NODES; i++)
		settle(t, i, 10 + i);
	CU_ASSERT_EQUAL_FATAL(hears(1, 1000), but(1, 1));
	return t;
}

/* loses what goes to BAD or comes from it, of notices only */
static bool deaf(struct town *t, unsigned from, unsigned to, const struct datagram *d)
{
	(void)t, (void)from;
	return d->kind == MESSAGE_NOTICE && to == BAD;
}

static void ask_for_key(struct node *n, void *to)
{
	uint8_t buf[9] = { PAYLOAD_KEY_ASK, [8] = 1 };

	tunnels_send(&n->env, n->tunnels, 0, town->s->actor[*(unsigned *)to].identity.id, (struct bytes){ buf, 9 }, NULL);
}

/* BAD has tunnels to all of them. */
static void knock(struct town *t)
{
	for (unsigned i = 0; i < NODES; i++)
		if (i != BAD)
			stage_inside(t->s, BAD, ask_for_key, &i);
	run(t, 1000);
}

static void who_is_revoked_opens_nothing_any_more(void)
{
	struct town *t = village();

	knock(t);
	CU_ASSERT_TRUE(revoke(2, 1, BAD));
	run(t, 3000);
	CU_ASSERT_TRUE(all_in(1, BAD));
	CU_ASSERT_TRUE(epoch_of(BAD).epoch == 1 && !epoch_of(BAD).has);	/* it knows, and nobody gives it the key */
	for (unsigned i = 0; i < NODES; i++)
		if (i != BAD)
			CU_ASSERT_EQUAL(hears(i, 1000), but(i, BAD));
	CU_ASSERT_EQUAL(hears(BAD, 1000), 0);
	run(t, 60000);
	CU_ASSERT_FALSE(epoch_of(BAD).has);
	CU_ASSERT_EQUAL(hears(3, 1000), but(3, BAD));
	town_free(t);
}

static void who_does_not_want_to_know_is_left_out_all_the_same(void)
{
	struct town *t = village();
	unsigned casts;

	t->lose = deaf;
	knock(t);
	CU_ASSERT_TRUE(revoke(2, 1, BAD));
	run(t, 3000);
	CU_ASSERT_TRUE(all_in(1, BAD) && epoch_of(BAD).epoch == 0);
	CU_ASSERT_EQUAL(hears(BAD, 1000), 0);			/* though the key before still opens what others say */
	casts = (unsigned)t->s->fx.drops[DROP_EPOCH];
	CU_ASSERT_EQUAL(hears(1, 1000), but(1, BAD));
	for (unsigned k = 0; k < 3; k++) {
		knock(t);
		run(t, 3000);
	}
	CU_ASSERT_TRUE(t->s->fx.drops[DROP_EPOCH] > casts);	/* it did come to it, and it waited for a key */
	CU_ASSERT_EQUAL(hears(1, 1000), but(1, BAD));
	town_free(t);
}

/* BAD is of the network by a delegate's word, whose id is returned. */
static struct id by_delegate(struct stage *s)
{
	uint8_t seed[32] = { 9, 0 }, anchor[SIGN_BYTES], own[SIGN_BYTES], key[SIGN_BYTES], salt[CERT_SALT] = { 0 };
	struct actor *a = &s->actor[BAD];
	struct writer w = writer_of(a->member_chain[0], CERT_CHAIN_MAX);

	s->suite->sign_pair(anchor, seed);
	s->suite->sign_pair(own, a->seed);
	s->suite->sign_pair(key, (uint8_t[32]){ 0xd1 });
	CU_ASSERT_TRUE_FATAL(cert_issue(s->suite, key, &(struct cert_order){ .roles = ROLE_MEMBER, .any = true, .key = own + KEY_BYTES, .salt = salt }, &w));
	CU_ASSERT_TRUE_FATAL(cert_issue(s->suite, anchor, &(struct cert_order){ .roles = ROLE_SIGNER, .any = true, .key = key + KEY_BYTES, .salt = salt }, &w));
	CU_ASSERT_EQUAL_FATAL(identity_init(&a->member[0], s->suite, a->seed, (struct bytes){ w.start, writer_len(&w) }, anchor + KEY_BYTES, 0), FAULT_NONE);
	return cert_id(key + KEY_BYTES, salt);
}

/* Its tunnels end with the list, too: one that stayed would bring it the key. */
static void nor_who_was_let_in_by_somebody_revoked(void)
{
	uint8_t buf[REVOKED_ORDER], seed[32] = { 9, 0 }, anchor[SIGN_BYTES], key[KEY_BYTES] = { 0x77 };
	struct writer w = writer_of(buf, sizeof(buf));
	struct town *t = village();
	struct id signer;

	stage_crash(t->s, BAD);
	signer = by_delegate(t->s);
	stage_up(t->s, BAD, true);
	run(t, 10000);
	settle(t, BAD, 10 + BAD);
	CU_ASSERT_EQUAL_FATAL(hears(1, 1000), but(1, 1));
	knock(t);
	t->s->suite->sign_pair(anchor, seed);
	CU_ASSERT_TRUE_FATAL(revoked_sign(t->s->suite, anchor, 1, UTC, key, &signer, 1, &w));
	write_copy(&w, key, KEY_BYTES);
	CU_ASSERT_EQUAL(hand(2, (struct bytes){ buf, writer_len(&w) })->answer, ANSWER_OK);
	run(t, 3000);
	CU_ASSERT_TRUE(all_in(1, BAD) && epoch_of(BAD).epoch == 1 && !epoch_of(BAD).has);
	CU_ASSERT_EQUAL(hears(1, 1000), but(1, BAD));
	town_free(t);
}

static bool slow(struct town *t, unsigned from, unsigned to, const struct datagram *d)
{
	(void)t, (void)from;
	return d->kind == MESSAGE_NOTICE && to == AWAY;
}

static void who_has_not_heard_yet_is_heard_for_a_while(void)
{
	struct town *t = village();

	t->lose = slow;
	CU_ASSERT_TRUE(revoke(2, 1, BAD));
	run(t, 3000);
	CU_ASSERT_TRUE(epoch_of(AWAY).epoch == 0);
	CU_ASSERT_EQUAL(hears(AWAY, 1000), but(AWAY, AWAY));	/* by the revoked, too: it does not know better */
	run(t, 10000);
	CU_ASSERT_EQUAL(hears(AWAY, 1000), 0);		/* and not for ever: who is revoked has that key, too */
	t->lose = NULL;
	run(t, 60000);
	CU_ASSERT_TRUE(all_in(1, BAD));
	CU_ASSERT_EQUAL(hears(AWAY, 1000), but(AWAY, BAD));
	town_free(t);
}

static void who_was_away_learns_list_and_key_when_back(void)
{
	struct town *t = village();

	stage_crash(t->s, AWAY);
	run(t, 8000);
	CU_ASSERT_TRUE(revoke(0, 3, BAD));
	run(t, 3000);
	CU_ASSERT_TRUE(revoke(1, 4, BAD));		/* and another one it never hears of */
	run(t, 20000);
	stage_up(t->s, AWAY, true);
	run(t, 5000);
	CU_ASSERT_TRUE(all_in(4, BAD));
	settle(t, AWAY, 10 + AWAY);
	CU_ASSERT_EQUAL(hears(1, 1000), but(1, BAD));
	CU_ASSERT_EQUAL(hears(AWAY, 1000), but(AWAY, BAD));
	stage_crash(t->s, AWAY);			/* with a new disk it is as one that comes for the first time */
	stage_wipe(t->s, AWAY);
	run(t, 8000);
	stage_up(t->s, AWAY, false);
	run(t, 5000);
	CU_ASSERT_TRUE(all_in(4, BAD));
	CU_ASSERT_EQUAL(hears(1, 1000), but(1, BAD));
	town_free(t);
}

static enum answer membership(unsigned i, enum ask what)
{
	struct request q = { .ask = (uint8_t)what, .network = 0 };
	const struct reply *r = stage_ask(town->s, i, &q, (struct bytes){ 0 }, 5 * NS_PER_S);

	return r ? (enum answer)r->answer : ANSWER_TIMEOUT;
}

static bool key_on_disk(unsigned i)
{
	const struct actor *a = &town->s->actor[i];

	for (unsigned k = 0; k < a->items; k++)
		if (a->item[k].kind == SAVE_GROUP && a->item[k].len)
			return true;
	return false;
}

/* While it is in the overlay only, it has no ear for the network's lists. */
static void who_leaves_the_network_and_comes_back_asks_which_list_there_is(void)
{
	struct town *t = village();

	CU_ASSERT_TRUE(revoke(2, 1, BAD));
	run(t, 3000);
	CU_ASSERT_TRUE(all_in(1, BAD) && key_on_disk(AWAY));
	CU_ASSERT_EQUAL_FATAL(membership(AWAY, ASK_QUIT), ANSWER_OK);
	CU_ASSERT_FALSE(key_on_disk(AWAY));
	CU_ASSERT_TRUE(revoke(2, 2, BAD));
	run(t, 70000);					/* nobody tells it any more */
	CU_ASSERT_EQUAL_FATAL(membership(AWAY, ASK_JOIN), ANSWER_OK);
	run(t, 3000);
	CU_ASSERT_TRUE(all_in(2, BAD));
	settle(t, AWAY, 10 + AWAY);
	CU_ASSERT_EQUAL(hears(1, 1000), but(1, BAD));
	town_free(t);
}

static bool parted(struct town *t, unsigned from, unsigned to, const struct datagram *d)
{
	(void)t, (void)d;
	return (from < 3) != (to < 3);
}

static void two_parts_with_different_lists_become_one(void)
{
	struct town *t = village();

	t->lose = parted;
	run(t, 30000);
	CU_ASSERT_TRUE(revoke(1, 5, 0));
	CU_ASSERT_TRUE(revoke(6, 6, BAD));
	run(t, 5000);
	CU_ASSERT_TRUE(epoch_of(2).epoch == 5 && epoch_of(2).has && epoch_of(3).epoch == 6 && epoch_of(3).has);
	CU_ASSERT_EQUAL(hears(1, 1000), 1u << 2);	/* each part speaks under its own key */
	CU_ASSERT_EQUAL(hears(6, 1000), 1u << 3 | 1u << 5);
	t->lose = NULL;
	run(t, 60000);
	CU_ASSERT_TRUE(all_in(6, BAD));			/* whoever the newest list leaves out is a member again */
	CU_ASSERT_EQUAL(hears(1, 1000), but(1, BAD));
	CU_ASSERT_EQUAL(hears(6, 1000), but(6, BAD));
	CU_ASSERT_EQUAL(hears(0, 1000), but(0, BAD));
	town_free(t);
}

static void a_key_survives_restarts(void)
{
	struct town *t = village();

	CU_ASSERT_TRUE(revoke(2, 1, BAD));
	run(t, 3000);
	for (unsigned i = 0; i < NODES; i++)
		stage_crash(t->s, i);
	run(t, 1000);
	for (unsigned i = 0; i < NODES; i++) {
		stage_up(t->s, i, true);
		CU_ASSERT_TRUE(epoch_of(i).epoch == 1 && epoch_of(i).has == (i != BAD));
	}
	run(t, 20000);
	for (unsigned i = 0; i < NODES; i++)
		if (i != BAD)
			settle(t, i, 10 + i);
	CU_ASSERT_EQUAL(hears(3, 1000), but(3, BAD));
	CU_ASSERT_TRUE(revoke(3, 2, NODES));		/* undone: the one that was out gets the next key */
	run(t, 20000);
	CU_ASSERT_TRUE(all_in(2, NODES));
	settle(t, BAD, 10 + BAD);
	CU_ASSERT_EQUAL(hears(3, 1000), but(3, 3));
	CU_ASSERT_EQUAL(hears(BAD, 1000), but(BAD, BAD));
	town_free(t);
}


static void without_the_key_nothing_is_said_and_what_waits_is_said_then(void)
{
	struct town *t = village();
	uint8_t buf[REVOKED_ORDER];
	size_t list;
	struct bytes order = order_of(1, BAD, buf, &list);
	const struct reply *r = hand(2, (struct bytes){ order.at, list });	/* the list and not its key */
	unsigned casts;

	CU_ASSERT_TRUE(r && r->answer == ANSWER_OK);
	run(t, 3000);
	CU_ASSERT_TRUE(epoch_of(6).epoch == 1 && !epoch_of(6).has);
	casts = t->broadcasts;
	shout(1);
	run(t, 3000);
	CU_ASSERT_EQUAL(t->broadcasts, casts);		/* not under the old key, which the revoked has */
	r = hand(6, order);				/* the list is known already, its key is not */
	CU_ASSERT_TRUE(r && r->answer == ANSWER_OK);
	run(t, 1500);
	CU_ASSERT_TRUE(all_in(1, BAD) && t->broadcasts > casts);
	for (unsigned i = 0; i < NODES; i++)
		CU_ASSERT_EQUAL(t->g[0][i].groups, 1u + (i != 1 && i != BAD) - (i == 1));
	r = hand(6, order);
	CU_ASSERT_TRUE(r && r->answer == ANSWER_REFUSED && r->verdict == DROP_STALE);
	town_free(t);
}

static void lie_about_key(struct node *n, void *to)
{
	uint8_t buf[1 + 8 + KEY_BYTES] = { PAYLOAD_KEY, [8] = 1, [9] = 0xbb };

	tunnels_send(&n->env, n->tunnels, 0, town->s->actor[*(unsigned *)to].identity.id, (struct bytes){ buf, sizeof(buf) }, NULL);
}

static void a_key_that_is_not_the_lists_is_nobodys(void)
{
	struct town *t = village();
	uint8_t buf[REVOKED_ORDER];
	unsigned to = 3;
	size_t list;
	struct bytes order = order_of(1, BAD, buf, &list);

	hand(2, (struct bytes){ order.at, list });
	run(t, 2000);
	stage_inside(t->s, 1, lie_about_key, &to);
	run(t, 2000);
	CU_ASSERT_FALSE(epoch_of(3).has);
	hand(2, order);
	run(t, 9000);
	CU_ASSERT_TRUE(all_in(1, BAD));
	stage_inside(t->s, 1, lie_about_key, &to);
	run(t, 1000);
	CU_ASSERT_EQUAL(hears(1, 1000), but(1, BAD));
	buf[list + 5] ^= 1;				/* nor from an operator */
	CU_ASSERT_TRUE(hand(2, order)->verdict == DROP_STALE);
	town_free(t);
}

static unsigned lose_at, lost_seen;

static bool lose_one(struct town *t, unsigned from, unsigned to, const struct datagram *d)
{
	(void)t, (void)from, (void)to;
	return (d->kind == MESSAGE_NOTICE || d->kind == MESSAGE_DATA || d->kind == MESSAGE_ROUTE) && lost_seen++ == lose_at;
}

static void whichever_packet_is_lost_everybody_gets_the_key(void)
{
	for (lose_at = 0; lose_at < 40; lose_at++) {
		struct town *t = town_new(3);

		lost_seen = 0;
		t->lose = lose_one;
		CU_ASSERT_TRUE(revoke(1, 1, NODES));
		run(t, 10000);
		CU_ASSERT_TRUE(all_in(1, NODES));
		town_free(t);
	}
}

/* A list of the form before epochs, which a node kept */
static void state_of_before_epochs_is_good(void)
{
	struct town *t = village();
	uint8_t buf[REVOKED_ORDER], seed[32] = { 9, 0 }, anchor[SIGN_BYTES];
	size_t len, head = 4 + KEY_BYTES + 8 + 8;
	const struct reply *r;

	order_of(1, BAD, buf, &len);
	t->s->suite->sign_pair(anchor, seed);
	buf[3] = '1';
	memmove(buf + head, buf + head + KEY_BYTES, len - head - KEY_BYTES);
	len -= KEY_BYTES;
	t->s->suite->sign(buf + len - SIGNATURE_BYTES, anchor, (struct bytes){ buf, len - SIGNATURE_BYTES });
	r = hand(2, (struct bytes){ buf, len });
	CU_ASSERT_TRUE(r && r->answer == ANSWER_OK);
	run(t, 3000);
	CU_ASSERT_TRUE(all_in(0, NODES));
	stage_crash(t->s, AWAY);
	stage_up(t->s, AWAY, true);
	run(t, 10000);
	settle(t, AWAY, 10 + AWAY);
	CU_ASSERT_TRUE(all_in(0, NODES));
	CU_ASSERT_EQUAL(hears(AWAY, 1000) | 1u << BAD, but(AWAY, AWAY));
	CU_ASSERT_TRUE(revoke(2, 2, BAD));		/* and the next list begins the first epoch */
	run(t, 3000);
	CU_ASSERT_TRUE(all_in(2, BAD));
	CU_ASSERT_EQUAL(hears(AWAY, 1000), but(AWAY, BAD));
	town_free(t);
}

static void a_list_that_begins_an_epoch_is_handed_to_a_member_of_its_network(void)
{
	struct town *t = town_of(3, MTU_DEFAULT, 0);
	uint8_t buf[REVOKED_ORDER], key[KEY_BYTES] = { 1 };
	struct writer w = writer_of(buf, sizeof(buf));
	const struct reply *r = hand(1, order_of(1, 2, buf, NULL));

	CU_ASSERT_TRUE(r && r->answer == ANSWER_REFUSED && r->verdict == DROP_OVERLAY);
	CU_ASSERT_TRUE_FATAL(revoked_sign(t->s->suite, t->s->overlay, 1, UTC, key, NULL, 0, &w));
	write_copy(&w, key, KEY_BYTES);			/* the overlay is one, too, and node 1 only carries it */
	r = hand(1, (struct bytes){ buf, writer_len(&w) });
	CU_ASSERT_TRUE(r && r->answer == ANSWER_REFUSED && r->verdict == DROP_STRANGER);
	town_free(t);
}

CU_TestInfo story_epoch_tests[] = {
	{ "who is revoked opens nothing any more", who_is_revoked_opens_nothing_any_more },
	{ "who does not want to know is left out all the same", who_does_not_want_to_know_is_left_out_all_the_same },
	{ "nor who was let in by somebody revoked", nor_who_was_let_in_by_somebody_revoked },
	{ "who has not heard yet is heard for a while", who_has_not_heard_yet_is_heard_for_a_while },
	{ "who was away learns list and key when back", who_was_away_learns_list_and_key_when_back },
	{ "who leaves the network and comes back asks which list there is",
	  who_leaves_the_network_and_comes_back_asks_which_list_there_is },
	{ "two parts with different lists become one", two_parts_with_different_lists_become_one },
	{ "a key survives restarts", a_key_survives_restarts },
	{ "without the key nothing is said, and what waits is said then",
	  without_the_key_nothing_is_said_and_what_waits_is_said_then },
	{ "a key that is not the list's is nobody's", a_key_that_is_not_the_lists_is_nobodys },
	{ "whichever packet is lost, everybody gets the key", whichever_packet_is_lost_everybody_gets_the_key },
	{ "state of before epochs is good", state_of_before_epochs_is_good },
	{ "a list that begins an epoch is handed to a member of its network",
	  a_list_that_begins_an_epoch_is_handed_to_a_member_of_its_network },
	CU_TEST_INFO_NULL
};
