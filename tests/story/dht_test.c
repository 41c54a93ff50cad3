/* Leases and names among a few whole nodes: granted once, kept, given back, and there again after crashes. */
#include "core/dht/holder.h"
#include "core/inside.h"
#include "tests/story/tell.h"
#include "tests/unit/suites.h"

#define S	NS_PER_S

static const struct ip A = { .at = { 10, 9, 0, 77 }, .family = 4 }, ANY = { .family = 4 };

/* @n nodes, all members of one network, the first @up of them on one ring; up to five of them are its founders */
static struct stage *some_of(unsigned n, unsigned up, uint32_t term_s)
{
	struct stage *s = stage_new(n, &suite_sodium);
	struct network_record r;

	network_defaults(&r);
	memcpy(r.name, "town", 5);
	r.range4 = (struct ip_range){ ip_v4(0x0a090000), 24 };
	r.term_s = term_s;
	r.founders = n >= 5 ? 5 : n >= 3 ? 3 : 1;
	for (unsigned i = 0; i < r.founders; i++)
		r.founder[i] = s->actor[i].identity.id;
	stage_network(s, &r);
	for (unsigned i = 0; i < up; i++)
		stage_up(s, i, false);
	stage_run(s, 30 * S);
	CU_ASSERT_TRUE_FATAL(stage_ring_right(s));
	return s;
}

static struct stage *town(unsigned n, uint32_t term_s)
{
	return some_of(n, n, term_s);
}

static enum verdict ask(struct stage *s, unsigned i, enum ask what, struct ip ip, uint64_t client)
{
	const struct request q = { .ask = (uint8_t)what, .ip = ip, .client = client, .timeout_ns = 20 * S };
	const struct reply *r = stage_ask(s, i, &q, (struct bytes){ 0 }, 30 * S);

	return !r ? VERDICT_TIMEOUT : r->answer == ANSWER_FULL ? 0 : (enum verdict)r->verdict;
}

static void ask_only(struct stage *s, unsigned i, enum ask what, struct ip ip, uint64_t client)
{
	const struct event ev = { .kind = EVENT_CONTROL, .request = {
		.ask = (uint8_t)what, .ip = ip, .client = client, .timeout_ns = 20 * S, .token = 100 + client } };

	stage_event(s, i, &ev);
}

static bool believes(const struct stage *s, unsigned i, struct ip ip)
{
	return s->actor[i].node && node_believes(s->actor[i].node, s->record[0].id, &ip, NULL);
}

static unsigned believers(const struct stage *s, struct ip ip)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->actors; i++)
		n += believes(s, i, ip);
	return n;
}

/* time passes, and at no moment two believe */
static void watch(struct stage *s, struct ip ip, int64_t for_ns)
{
	for (int64_t until = s->now_ns + for_ns; s->now_ns < until;) {
		stage_run(s, 200 * NS_PER_MS);
		CU_ASSERT_TRUE(believers(s, ip) <= 1);
	}
}

static void granted_renewed_conflicting_released(unsigned n)
{
	struct stage *s = town(n, 600);
	unsigned b = n > 1 ? n - 1 : 0;

	CU_ASSERT_EQUAL(ask(s, 0, ASK_LEASE, A, 1), VERDICT_OK);
	CU_ASSERT_TRUE(believes(s, 0, A));
	CU_ASSERT_EQUAL(ask(s, b, ASK_RESOLVE, A, 0), VERDICT_OK);
	CU_ASSERT_TRUE(id_eq(s->last_reply.who, s->actor[0].identity.id));
	CU_ASSERT_EQUAL(ask(s, b, ASK_LEASE, A, 2), VERDICT_TAKEN);
	CU_ASSERT_EQUAL(ask(s, 0, ASK_RENEW, A, 0), VERDICT_OK);
	watch(s, A, 500 * S);
	CU_ASSERT_EQUAL(ask(s, 0, ASK_RENEW, A, 0), VERDICT_OK);
	watch(s, A, 500 * S);
	CU_ASSERT_TRUE(believes(s, 0, A));
	CU_ASSERT_EQUAL(ask(s, 0, ASK_RELEASE, A, 0), VERDICT_OK);
	CU_ASSERT_EQUAL(believers(s, A), 0);
	CU_ASSERT_EQUAL(ask(s, b, ASK_RESOLVE, A, 0), VERDICT_ABSENT);
	CU_ASSERT_EQUAL(ask(s, b, ASK_LEASE, A, 2), VERDICT_OK);
	CU_ASSERT_TRUE(believes(s, b, A) && believers(s, A) == 1);
	watch(s, A, 700 * S);
	CU_ASSERT_EQUAL(believers(s, A), 0);		/* nobody renewed it */
	CU_ASSERT_EQUAL(ask(s, 0, ASK_RESOLVE, A, 0), VERDICT_ABSENT);
	stage_free(s);
}

static void one_node_leases_to_itself(void)
{
	granted_renewed_conflicting_released(1);
}

static void two_nodes_lease_from_one_founder(void)
{
	granted_renewed_conflicting_released(2);
}

static void three_nodes_lease(void)
{
	granted_renewed_conflicting_released(3);
}

static void seven_nodes_lease(void)
{
	granted_renewed_conflicting_released(7);
}

/* how many slots of addresses anybody keeps a copy of; the root and buckets of names are not counted */
static unsigned copies(const struct stage *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->actors; i++) {
		struct look_slot l;

		for (unsigned k = 0; node_slot(s->actor[i].node, k, &l); k++)
			n += l.slot.kind == SLOT_V4;
	}
	return n;
}

/* Whoever scans a network must not fill it with slots. */
static void nothing_is_born_of_a_question(void)
{
	struct stage *s = town(7, 600);
	struct ip later = ip_v4(0x0a0900c8);

	CU_ASSERT_EQUAL(copies(s), 0);
	for (unsigned i = 0; i < 16; i++)
		CU_ASSERT_EQUAL(ask(s, i % 7, ASK_RESOLVE, ip_v4(0x0a090000 + 16 * i + 5), 0), VERDICT_ABSENT);
	CU_ASSERT_EQUAL(copies(s), 0);
	for (unsigned i = 0; i < 7; i++)	/* some ask, one of them wants it, all at once */
		ask_only(s, i, i == 3 ? ASK_LEASE : ASK_RESOLVE, later, i);
	watch(s, later, 5 * S);
	CU_ASSERT_TRUE(believes(s, 3, later));
	CU_ASSERT_EQUAL(ask(s, 6, ASK_RESOLVE, later, 0), VERDICT_OK);
	CU_ASSERT_EQUAL(copies(s), 5);
	stage_free(s);
}

/* IPOP's creates could split the positions 4 to 4, and both failed. */
static void of_many_who_ask_at_once_one_gets_it(void)
{
	struct stage *s = town(7, 600);

	for (unsigned round = 0; round < 8; round++) {
		struct ip ip = ip_v4(0x0a090000 + 20 + round);

		for (unsigned i = 0; i < 7; i++)
			ask_only(s, (i + round) % 7, ASK_LEASE, ip, 10 * round + i);
		watch(s, ip, 5 * S);
		CU_ASSERT_EQUAL(believers(s, ip), 1);
	}
	stage_free(s);
}

/*
 * Mail of a node that looks for its place leaves by its first link, and answers come back to it by the same way,
 * also if it has joined meanwhile and needs that link no longer: nobody asks a second time.
 */
static void a_node_that_joins_gets_its_answer_at_the_first_try(void)
{
	enum { STAND = 24, ALL = 40 };
	struct stage *s = some_of(ALL, STAND, 600);

	CU_ASSERT_EQUAL(ask(s, 0, ASK_LEASE, A, 1), VERDICT_OK);
	for (unsigned i = STAND; i < ALL; i++) {
		stage_up(s, i, false);
		CU_ASSERT_EQUAL(ask(s, i, ASK_RESOLVE, A, 0), VERDICT_OK);
		CU_ASSERT_EQUAL(s->last_reply.tries, 1);
		stage_run(s, 10 * S);
	}
	stage_free(s);
}

static void a_holder_comes_back_with_its_lease_and_believes_only_when_confirmed(void)
{
	struct stage *s = town(7, 600);
	unsigned i;

	CU_ASSERT_EQUAL(ask(s, 6, ASK_LEASE, A, 1), VERDICT_OK);
	stage_run(s, 10 * S);
	stage_crash(s, 6);
	watch(s, A, 20 * S);
	stage_up(s, 6, true);
	CU_ASSERT_FALSE(believes(s, 6, A));
	for (i = 0; i < 300 && !believes(s, 6, A); i++)
		watch(s, A, 200 * NS_PER_MS);
	CU_ASSERT_TRUE(believes(s, 6, A));
	CU_ASSERT_EQUAL(ask(s, 0, ASK_LEASE, A, 2), VERDICT_TAKEN);
	stage_free(s);
}

static void a_holder_that_stays_away_loses_it_to_another_after_the_term(void)
{
	struct stage *s = town(7, 60);

	CU_ASSERT_EQUAL(ask(s, 6, ASK_LEASE, A, 1), VERDICT_OK);
	stage_run(s, 5 * S);
	stage_crash(s, 6);
	CU_ASSERT_EQUAL(ask(s, 0, ASK_LEASE, A, 2), VERDICT_TAKEN);
	stage_run(s, 70 * S);
	CU_ASSERT_EQUAL(ask(s, 0, ASK_LEASE, A, 2), VERDICT_OK);
	stage_up(s, 6, true);
	watch(s, A, 30 * S);
	CU_ASSERT_TRUE(believes(s, 0, A));
	CU_ASSERT_FALSE(believes(s, 6, A));
	stage_free(s);
}

static void without_its_disk_the_same_guest_gets_the_same_address(void)
{
	struct stage *s = town(7, 600);
	struct ip ip;

	CU_ASSERT_EQUAL(ask(s, 6, ASK_LEASE, ANY, 5), VERDICT_OK);
	ip = s->last_reply.ip;
	stage_crash(s, 6);
	stage_wipe(s, 6);
	stage_run(s, 30 * S);
	stage_up(s, 6, false);
	stage_run(s, 30 * S);
	CU_ASSERT_EQUAL(ask(s, 6, ASK_LEASE, ANY, 5), VERDICT_OK);
	CU_ASSERT_TRUE(ip_eq(&ip, &s->last_reply.ip));
	CU_ASSERT_EQUAL(believers(s, ip), 1);
	stage_free(s);
}

/* the nodes that keep the slot of @ip, the primary first; how many */
static unsigned members(const struct stage *s, struct ip ip, unsigned out[VIEW_MAX])
{
	struct slot_name want = slot_of_ip(s->record[0].id, &ip);
	struct view best = { .members = 0 };

	for (unsigned i = 0; i < s->actors; i++) {
		struct look_slot l;

		for (unsigned k = 0; s->actor[i].node && node_slot(s->actor[i].node, k, &l); k++)
			if (slot_eq(&l.slot, &want) && l.view.members && (!best.members || view_cmp(l.view.name, best.name) > 0))
				best = l.view;
	}
	for (unsigned k = 0; k < best.members; k++)
		out[k] = stage_name(s, best.member[k].id);
	return best.members;
}

static unsigned outsider(const unsigned *in, unsigned n, unsigned all)
{
	for (unsigned i = 0; i < all; i++) {
		bool is = false;

		for (unsigned k = 0; k < n; k++)
			is |= in[k] == i;
		if (!is)
			return i;
	}
	return all;
}

static void leases_outlive_crashed_members(unsigned crashes)
{
	struct stage *s = town(9, 600);
	unsigned in[VIEW_MAX], n, holder, i;

	CU_ASSERT_EQUAL(ask(s, 0, ASK_LEASE, A, 1), VERDICT_OK);
	stage_run(s, 60 * S);
	n = members(s, A, in);
	CU_ASSERT_EQUAL_FATAL(n, 5);
	CU_ASSERT_EQUAL(ask(s, 0, ASK_RELEASE, A, 0), VERDICT_OK);
	holder = outsider(in, n, 9);
	CU_ASSERT_TRUE_FATAL(holder < 9);
	CU_ASSERT_EQUAL(ask(s, holder, ASK_LEASE, A, 2), VERDICT_OK);
	for (i = 0; i < crashes; i++)
		stage_crash(s, in[i]);			/* the primary among them */
	CU_ASSERT_EQUAL(ask(s, holder, ASK_RENEW, A, 0), VERDICT_OK);
	for (i = 0; i < 9; i++)
		if (s->actor[i].node && i != holder)
			CU_ASSERT_EQUAL(ask(s, i, ASK_LEASE, A, 10 + i), VERDICT_TAKEN);
	CU_ASSERT_TRUE(believes(s, holder, A));
	for (i = 0; i < crashes; i++)
		stage_up(s, in[i], true);
	watch(s, A, 60 * S);
	CU_ASSERT_EQUAL(ask(s, in[0], ASK_RESOLVE, A, 0), VERDICT_OK);
	CU_ASSERT_TRUE(id_eq(s->last_reply.who, s->actor[holder].identity.id));
	stage_free(s);
}

static void a_lease_outlives_its_primary(void)
{
	leases_outlive_crashed_members(1);
}

static void a_lease_outlives_two_members_of_five(void)
{
	leases_outlive_crashed_members(2);
}

static void after_all_restarted_at_once_every_lease_is_there(void)
{
	struct stage *s = town(7, 600);
	struct ip ip[7];
	unsigned have = 0;

	for (unsigned i = 0; i < 7; i++) {
		CU_ASSERT_EQUAL(ask(s, i, ASK_LEASE, ANY, 50 + i), VERDICT_OK);
		ip[i] = s->last_reply.ip;
	}
	stage_run(s, 60 * S);
	for (unsigned i = 0; i < 7; i++)
		stage_crash(s, i);
	stage_run(s, S);
	for (unsigned i = 0; i < 7; i++)
		stage_up(s, i, true);
	for (unsigned i = 0; i < 7; i++)
		CU_ASSERT_EQUAL(believers(s, ip[i]), 0);
	stage_run(s, 120 * S);
	for (unsigned i = 0; i < 7; i++) {
		CU_ASSERT_TRUE(believers(s, ip[i]) <= 1);
		have += believes(s, i, ip[i]);
	}
	CU_ASSERT_EQUAL(have, 7);
	stage_free(s);
}

static enum verdict name(struct stage *s, unsigned i, enum ask what, const char *n, const char *value)
{
	uint8_t buf[256];
	size_t len = strlen(n), more = strlen(value);
	const struct request q = { .ask = (uint8_t)what, .name = (uint16_t)len, .timeout_ns = 20 * S, .term_s = 60 };
	const struct reply *r;

	memcpy(buf, n, len);
	memcpy(buf + len, value, more);
	s->replies = 0;
	r = stage_ask(s, i, &q, (struct bytes){ buf, len + more }, 30 * S);
	stage_run(s, S);
	return r ? (enum verdict)s->last_reply.verdict : VERDICT_TIMEOUT;
}

static void names_of_several_writers_are_read_anywhere(void)
{
	struct stage *s = town(7, 600);

	CU_ASSERT_EQUAL(name(s, 1, ASK_PUT, "Printer.town", "upstairs"), VERDICT_OK);
	CU_ASSERT_EQUAL(name(s, 2, ASK_PUT, "printer.TOWN", "downstairs"), VERDICT_OK);
	CU_ASSERT_EQUAL(name(s, 5, ASK_GET, "printer.town", ""), VERDICT_OK);
	CU_ASSERT_EQUAL(s->replies, 3);			/* two values, and that these are all */
	CU_ASSERT_EQUAL(name(s, 1, ASK_DELETE, "printer.town", ""), VERDICT_OK);
	CU_ASSERT_EQUAL(name(s, 6, ASK_GET, "printer.town", ""), VERDICT_OK);
	CU_ASSERT_EQUAL(s->replies, 2);
	stage_run(s, 70 * S);
	CU_ASSERT_EQUAL(name(s, 6, ASK_GET, "printer.town", ""), VERDICT_ABSENT);
	stage_free(s);
}

static void a_node_asks_from_its_first_link_on(void)
{
	struct stage *s = town(7, 600);

	stage_crash(s, 6);
	stage_wipe(s, 6);
	stage_run(s, 30 * S);
	stage_up(s, 6, false);
	CU_ASSERT_EQUAL(ask(s, 6, ASK_LEASE, ANY, 9), VERDICT_OK);
	CU_ASSERT_TRUE(believes(s, 6, s->last_reply.ip));
	stage_free(s);
}

static bool drop_some(struct stage *s, unsigned from, unsigned to, const struct datagram *d, void *arg)
{
	unsigned *count = arg;

	(void)s, (void)from, (void)to, (void)d;
	return ++*count % 10 != 0;
}

static void a_tenth_lost_is_borne(void)
{
	struct stage *s = town(7, 600);
	unsigned count = 0, had = 0;

	s->wire = drop_some;
	s->wire_arg = &count;
	for (unsigned i = 0; i < 40; i++)
		had += ask(s, i % 7, ASK_LEASE, ANY, 1000 + i) == VERDICT_OK;
	CU_ASSERT_EQUAL(had, 40);
	stage_free(s);
}

/* ---- an address moves ---- */

struct move {
	struct id network, owner, to;
	uint64_t nonce;
	bool done;
};

static void lend(struct node *n, void *arg)
{
	const struct move *m = arg;

	held_lends(n->dht, &n->env, m->network, true);
}

static void take(struct node *n, void *arg)
{
	struct move *m = arg;

	held_lends(n->dht, &n->env, m->network, true);
	m->done = held_take(n->dht, &n->env, DHT_USER_CONTROL, 0, m->network, &A, 2,
			    &(struct served){ .owner = m->owner });
	m->nonce = hold_find(n->dht, m->network, &A)->nonce;
}

static void give(struct node *n, void *arg)
{
	struct move *m = arg;

	m->done = held_delegate(n->dht, &n->env, m->network, &A, m->to, m->nonce);
}

/* node 0 holds the address, lending; node 6 has asked for it */
static struct stage *moving(struct move *m, bool lends)
{
	struct stage *s = town(7, 60);

	*m = (struct move){ s->record[0].id, s->actor[0].identity.id, s->actor[6].identity.id, 0, false };
	if (lends)
		stage_inside(s, 0, lend, m);
	CU_ASSERT_EQUAL(ask(s, 0, ASK_LEASE, A, 1), VERDICT_OK);
	stage_run(s, 5 * S);
	stage_inside(s, 6, take, m);
	CU_ASSERT_TRUE_FATAL(m->done);
	watch(s, A, 200 * NS_PER_MS);
	CU_ASSERT_TRUE(believes(s, 0, A));
	return s;
}

static void an_address_moves_in_one_round_trip_and_has_one_owner_all_the_way(void)
{
	struct move m;
	struct stage *s = moving(&m, true);
	int64_t given;

	stage_inside(s, 0, give, &m);
	CU_ASSERT_TRUE(m.done);
	CU_ASSERT_EQUAL(believers(s, A), 0);
	for (given = s->now_ns; s->now_ns < given + 2 * S && !believes(s, 6, A);)
		stage_run(s, 10 * NS_PER_MS);
	CU_ASSERT_TRUE(s->now_ns - given <= 4 * s->delay_ns + 50 * NS_PER_MS);
	watch(s, A, 5 * S);
	CU_ASSERT_EQUAL(ask(s, 3, ASK_RESOLVE, A, 0), VERDICT_OK);
	CU_ASSERT_TRUE(id_eq(s->last_reply.who, m.to));
	watch(s, A, 120 * S);			/* the new owner keeps it */
	CU_ASSERT_TRUE(believes(s, 6, A));
	CU_ASSERT_EQUAL(ask(s, 0, ASK_LEASE, A, 1), VERDICT_TAKEN);
	stage_free(s);
}

static void an_owner_that_crashes_after_giving_never_believes_again(void)
{
	for (unsigned lends = 0; lends < 2; lends++) {
		struct move m;
		struct stage *s = moving(&m, lends);

		stage_inside(s, 0, give, &m);
		CU_ASSERT_TRUE(m.done);
		watch(s, A, 400 * NS_PER_MS);
		stage_crash(s, 0);
		stage_up(s, 0, true);
		watch(s, A, 150 * S);
		CU_ASSERT_TRUE(believes(s, 6, A));
		stage_free(s);
	}
}

static void an_owner_that_crashes_before_it_signs_is_confirmed_or_replaced_but_never_doubled(void)
{
	for (unsigned lends = 0; lends < 2; lends++) {
		struct move m;
		struct stage *s = moving(&m, lends);

		s->save_ns = S;			/* the save under the signature is lost */
		stage_inside(s, 0, give, &m);
		CU_ASSERT_TRUE(m.done);
		stage_crash(s, 0);
		s->save_ns = 0;
		stage_up(s, 0, true);
		watch(s, A, 200 * S);
		CU_ASSERT_TRUE(believers(s, A) <= 1);
		stage_free(s);
	}
}

CU_TestInfo story_dht_tests[] = {
	{ "an address moves in one round trip and has one owner all the way",
	  an_address_moves_in_one_round_trip_and_has_one_owner_all_the_way },
	{ "an owner that crashes after giving never believes again", an_owner_that_crashes_after_giving_never_believes_again },
	{ "an owner that crashes before it signs is confirmed or replaced, but never doubled",
	  an_owner_that_crashes_before_it_signs_is_confirmed_or_replaced_but_never_doubled },
	{ "one node leases to itself", one_node_leases_to_itself },
	{ "two nodes lease from one founder", two_nodes_lease_from_one_founder },
	{ "three nodes lease", three_nodes_lease },
	{ "seven nodes lease", seven_nodes_lease },
	{ "nothing is born of a question", nothing_is_born_of_a_question },
	{ "of many who ask at once one gets it", of_many_who_ask_at_once_one_gets_it },
	{ "a node that joins gets its answer at the first try", a_node_that_joins_gets_its_answer_at_the_first_try },
	{ "a holder comes back with its lease and believes only when confirmed",
	  a_holder_comes_back_with_its_lease_and_believes_only_when_confirmed },
	{ "a holder that stays away loses it to another after the term",
	  a_holder_that_stays_away_loses_it_to_another_after_the_term },
	{ "without its disk the same guest gets the same address", without_its_disk_the_same_guest_gets_the_same_address },
	{ "a lease outlives its primary", a_lease_outlives_its_primary },
	{ "a lease outlives two members of five", a_lease_outlives_two_members_of_five },
	{ "after all restarted at once every lease is there", after_all_restarted_at_once_every_lease_is_there },
	{ "names of several writers are read anywhere", names_of_several_writers_are_read_anywhere },
	{ "a node asks from its first link on", a_node_asks_from_its_first_link_on },
	{ "a tenth lost is borne", a_tenth_lost_is_borne },
	CU_TEST_INFO_NULL
};
