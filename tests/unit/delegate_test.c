/* An address moves when its owner signs it away: once, after that is saved, and nobody ever believes beside another. */
#include "tests/unit/held_help.h"

static bool take(struct lab *l, unsigned i, struct ip ip, unsigned owner)
{
	return held_take(lab_of(l, i), lab_at(l, i), DHT_USER_VNET, 500, l->record.id, &ip, 8,
			 &(struct served){ .owner = l->node[owner].party.self.id, .fence = kept_fence(record_of(l, ip)) });
}

static void lending(struct lab *l)
{
	for (unsigned i = 0; i < LAB_NODES; i++)
		held_lends(lab_of(l, i), lab_at(l, i), l->record.id, true);
}

/* Every node lends; node 0 has had @ip for a second. */
static struct lab *lab_lending(struct ip *ip)
{
	struct lab *l = lab_new();

	lending(l);
	*ip = granted(l, 0, 1, 600, true);
	lab_run(l, S);
	return l;
}

/* Node @i asks @owner for @ip: what @owner hears of it */
static struct held_news asked_by(struct lab *l, unsigned i, struct ip ip, unsigned owner)
{
	CU_ASSERT_TRUE(take(l, i, ip, owner));
	lab_run(l, 0);
	return heard(l, owner);
}

static bool give(struct lab *l, unsigned i, struct ip ip, const struct held_news *n)
{
	return held_delegate(lab_of(l, i), lab_at(l, i), l->record.id, &ip, n->by, n->nonce);
}

static void an_address_moves_when_its_owner_gives_it(void)
{
	struct lab *l = lab_new();
	struct fence before, during;
	struct held_news n;
	struct ip ip;

	lending(l);
	ip = granted(l, 0, 1, 600, true);
	CU_ASSERT_TRUE(held_believes(lab_of(l, 0), lab_at(l, 0), l->record.id, &ip, &before));
	lab_run(l, 10 * S);
	n = asked_by(l, 1, ip, 0);
	CU_ASSERT_EQUAL(n.word, HELD_WANTED);
	CU_ASSERT_TRUE(id_eq(n.by, l->node[1].party.self.id));
	CU_ASSERT_TRUE(lab_believes(l, 0, ip));
	CU_ASSERT_FALSE(lab_believes(l, 1, ip));
	l->no_answers = true;			/* the slot is silent; the move does not need it */
	CU_ASSERT_TRUE(give(l, 0, ip, &n));
	CU_ASSERT_FALSE(lab_believes(l, 0, ip));
	lab_run(l, 0);
	CU_ASSERT_EQUAL(heard(l, 0).word, HELD_GONE);
	n = heard(l, 1);
	CU_ASSERT_EQUAL(n.word, HELD_GRANTED);
	CU_ASSERT_TRUE(held_believes(lab_of(l, 1), lab_at(l, 1), l->record.id, &ip, &during));
	CU_ASSERT_EQUAL(during.grant, before.grant);
	CU_ASSERT_EQUAL(during.delegation, before.delegation + 1);
	CU_ASSERT_TRUE(n.held.until_ns <= l->now_ns + LEND_NS);	/* until then the slot knows, or it is over */
	CU_ASSERT_TRUE(n.held.until_ns > l->now_ns + LEND_NS - S);
	CU_ASSERT_TRUE(id_eq(n.by, l->node[0].party.self.id));
	CU_ASSERT_EQUAL(n.held.lease.client, 1);	/* the guest stays who it was */
	l->no_answers = false;
	lab_run(l, 30 * S);
	CU_ASSERT_TRUE(id_eq(record_of(l, ip)->owner, l->node[1].party.self.id));
	CU_ASSERT_TRUE(held_believes(lab_of(l, 1), lab_at(l, 1), l->record.id, &ip, &during));
	CU_ASSERT_TRUE(during.grant > before.grant && !during.delegation);
	lab_free(l);
}

static void nothing_is_signed_before_the_save_is_durable(void)
{
	struct ip ip;
	struct lab *l = lab_lending(&ip);
	struct held_news n;

	l->node[0].slow_disk = true;
	n = asked_by(l, 1, ip, 0);
	CU_ASSERT_TRUE(give(l, 0, ip, &n));
	lab_run(l, 2 * S);
	CU_ASSERT_FALSE(lab_believes(l, 0, ip));
	CU_ASSERT_FALSE(lab_believes(l, 1, ip));
	l->node[0].slow_disk = false;
	lab_run(l, 2 * S);
	CU_ASSERT_TRUE(lab_believes(l, 1, ip));
	lab_free(l);
}

/* The timer of what is lent went off for ever while the disk was slower than the term. */
static void a_disk_slower_than_the_term_stops_no_clock(void)
{
	struct lab *l = lab_new();
	struct held_news n;
	struct ip ip = granted(l, 0, 1, 20, false);

	lab_run(l, S);
	l->node[0].slow_disk = true;
	n = asked_by(l, 1, ip, 0);
	CU_ASSERT_TRUE(give(l, 0, ip, &n));
	lab_run(l, 60 * S);
	CU_ASSERT_EQUAL(held_count(lab_of(l, 0)), 1);
	CU_ASSERT_EQUAL(heap_due(&lab_at(l, 0)->timers, TIMER_DHT_HELD), INT64_MAX);
	l->node[0].slow_disk = false;
	lab_run(l, S);
	CU_ASSERT_EQUAL(held_count(lab_of(l, 0)), 0);
	lab_free(l);
}

static void one_fence_is_signed_away_once(void)
{
	struct ip ip;
	struct lab *l = lab_lending(&ip);
	struct held_news n, m;

	CU_ASSERT_TRUE(take(l, 1, ip, 0));
	n = asked_by(l, 2, ip, 0);
	m = heard(l, 0);
	l->no_answers = true;
	CU_ASSERT_TRUE(give(l, 0, ip, &n));
	CU_ASSERT_FALSE(give(l, 0, ip, &m));
	lab_run(l, 3 * S);
	CU_ASSERT_FALSE(give(l, 0, ip, &m));
	CU_ASSERT_TRUE(lab_believes(l, 1, ip));
	CU_ASSERT_FALSE(lab_believes(l, 2, ip));
	CU_ASSERT_TRUE(want(l, 0, ip, 1, 600, true));	/* nor is it ours again before that is over */
	l->no_answers = false;
	lab_run(l, 0);
	CU_ASSERT_FALSE(lab_believes(l, 0, ip));
	lab_free(l);
}

static void a_delegated_address_goes_no_further_before_the_slot_knows(void)
{
	struct ip ip;
	struct lab *l = lab_lending(&ip);
	struct held_news n;

	n = asked_by(l, 1, ip, 0);
	l->no_answers = true;
	CU_ASSERT_TRUE(give(l, 0, ip, &n));
	lab_run(l, 0);
	CU_ASSERT_EQUAL(heard(l, 1).word, HELD_GRANTED);
	CU_ASSERT_FALSE(held_delegate(lab_of(l, 1), lab_at(l, 1), l->record.id, &ip, l->node[2].party.self.id, 5));
	l->no_answers = false;
	lab_run(l, 30 * S);
	CU_ASSERT_TRUE(held_delegate(lab_of(l, 1), lab_at(l, 1), l->record.id, &ip, l->node[2].party.self.id, 5));
	lab_free(l);
}

static void nothing_is_given_away_while_a_question_is_under_way(void)
{
	struct lab *l = lab_new();
	struct ip ip;

	lending(l);
	ip = granted(l, 0, 1, 600, true);
	CU_ASSERT_TRUE(held_touch(lab_of(l, 0), lab_at(l, 0), l->record.id, &ip, 4));
	CU_ASSERT_FALSE(held_delegate(lab_of(l, 0), lab_at(l, 0), l->record.id, &ip, l->node[2].party.self.id, 5));
	lab_run(l, 0);
	CU_ASSERT_TRUE(held_delegate(lab_of(l, 0), lab_at(l, 0), l->record.id, &ip, l->node[2].party.self.id, 5));
	lab_free(l);
}

static void a_lease_that_does_not_lend_moves_on_the_slots_word_only(void)
{
	struct lab *l = lab_new();
	struct held_news n;
	struct ip ip = granted(l, 0, 1, 600, true);

	lab_run(l, S);
	n = asked_by(l, 1, ip, 0);
	l->no_answers = true;
	CU_ASSERT_TRUE(give(l, 0, ip, &n));
	lab_run(l, 0);
	CU_ASSERT_FALSE(lab_believes(l, 0, ip));
	CU_ASSERT_FALSE(lab_believes(l, 1, ip));
	l->no_answers = false;
	lab_run(l, 3 * S);
	CU_ASSERT_TRUE(lab_believes(l, 1, ip));
	CU_ASSERT_EQUAL(heard(l, 1).word, HELD_GRANTED);
	lab_free(l);
}

static bool lose_delegated(struct lab *l, unsigned from, unsigned to, uint8_t body, struct bytes data)
{
	(void)l, (void)from, (void)to, (void)data;
	return body != BODY_DELEGATED;
}

static void a_lost_signature_is_told_again_and_still_counts_from_the_request(void)
{
	struct ip ip;
	struct lab *l = lab_lending(&ip);
	int64_t asked;
	struct held_news n;

	l->hook = lose_delegated;
	asked = l->now_ns;
	n = asked_by(l, 1, ip, 0);
	CU_ASSERT_TRUE(give(l, 0, ip, &n));
	lab_run(l, S);
	CU_ASSERT_FALSE(lab_believes(l, 1, ip));
	l->hook = NULL;
	l->no_answers = true;
	lab_run(l, 3 * S);
	n = heard(l, 1);
	CU_ASSERT_EQUAL(n.word, HELD_GRANTED);
	CU_ASSERT_TRUE(n.held.until_ns <= asked + LEND_NS);
	lab_free(l);
}

/* The disk of the owner loses the save under the signature: the promise must not rest on it. */
static void who_may_have_lent_and_forgotten_waits_until_that_is_over(void)
{
	struct lab *l = lab_new();
	uint8_t stale[1 << 16];
	size_t stale_len;
	struct held_news n;
	struct ip ip;

	lending(l);
	ip = granted(l, 0, 1, 60, true);
	lab_run(l, S);
	stale_len = l->node[0].saved_len;
	memcpy(stale, l->node[0].saved, stale_len);
	n = asked_by(l, 1, ip, 0);
	l->hook = NULL;
	CU_ASSERT_TRUE(give(l, 0, ip, &n));
	l->say = VERDICT_WAIT;
	lab_run(l, 0);
	CU_ASSERT_TRUE(lab_believes(l, 1, ip));
	client_free(lab_of(l, 1), lab_at(l, 1));	/* its write never gets through */
	memcpy(l->node[0].saved, stale, stale_len);
	l->node[0].saved_len = stale_len;
	lab_restart(l, 0, false);
	l->say = 0;
	for (unsigned i = 0; i < 300; i++) {
		lab_run(l, S / 10);
		CU_ASSERT_FALSE(lab_believes(l, 0, ip) && lab_believes(l, 1, ip));
		CU_ASSERT_FALSE(lab_believes(l, 0, ip));
	}
	lab_run(l, 5 * S);
	CU_ASSERT_EQUAL(lab_believes(l, 0, ip) + lab_believes(l, 1, ip), 1);
	lab_free(l);
}

/* The same disk under a lease that does not lend: the signature is void when the owner is confirmed. */
static void a_forgotten_signature_is_void_once_the_owner_is_confirmed(void)
{
	struct lab *l = lab_new();
	uint8_t stale[1 << 16];
	size_t stale_len;
	struct held_news n;
	struct ip ip = granted(l, 0, 1, 60, true);

	lab_run(l, S);
	stale_len = l->node[0].saved_len;
	memcpy(stale, l->node[0].saved, stale_len);
	n = asked_by(l, 1, ip, 0);
	CU_ASSERT_TRUE(give(l, 0, ip, &n));
	l->say = VERDICT_WAIT;			/* node 1 has the proof and cannot use it yet */
	lab_run(l, 0);
	memcpy(l->node[0].saved, stale, stale_len);
	l->node[0].saved_len = stale_len;
	lab_restart(l, 0, false);
	lab_run(l, 100 * NS_PER_MS);
	l->say = 0;
	for (unsigned i = 0; i < 40; i++) {
		lab_run(l, S / 2);
		CU_ASSERT_FALSE(lab_believes(l, 0, ip) && lab_believes(l, 1, ip));
	}
	CU_ASSERT_EQUAL(lab_believes(l, 0, ip) + lab_believes(l, 1, ip), 1);
	lab_free(l);
}

/* Hands @ip over from @from to @to, and lets the slot know. */
static void hand_over(struct lab *l, unsigned from, unsigned to, struct ip ip)
{
	struct held_news n;

	n = asked_by(l, to, ip, from);
	CU_ASSERT_EQUAL(n.word, HELD_WANTED);
	CU_ASSERT_TRUE(give(l, from, ip, &n));
	lab_run(l, S);
	CU_ASSERT_FALSE(lab_believes(l, from, ip));
	CU_ASSERT_TRUE(lab_believes(l, to, ip));
	while (held_next(lab_of(l, from), &n) || held_next(lab_of(l, to), &n))
		;
}

static void an_address_comes_back_at_once_and_goes_again(void)
{
	struct ip ip;
	struct lab *l = lab_lending(&ip);
	struct fence before, after;

	CU_ASSERT_TRUE(held_believes(lab_of(l, 0), lab_at(l, 0), l->record.id, &ip, &before));
	for (unsigned i = 0; i < 6; i++)
		hand_over(l, i % 2, !(i % 2), ip);
	CU_ASSERT_TRUE(held_believes(lab_of(l, 0), lab_at(l, 0), l->record.id, &ip, &after));
	CU_ASSERT_TRUE(after.grant >= before.grant + 6);
	lab_run(l, 2 * LEND_NS);
	CU_ASSERT_TRUE(lab_believes(l, 0, ip));
	CU_ASSERT_EQUAL(held_count(lab_of(l, 0)), 1);
	CU_ASSERT_EQUAL(held_count(lab_of(l, 1)), 0);
	lab_free(l);
}

/* What is remembered of a lent address on the disk outlives an attempt to have it back. */
static void a_lent_address_is_lent_after_a_restart_too(void)
{
	struct ip ip;
	struct lab *l = lab_lending(&ip);
	struct held_news n;

	n = asked_by(l, 1, ip, 0);
	l->no_answers = true;
	CU_ASSERT_TRUE(give(l, 0, ip, &n));
	lab_run(l, 0);
	CU_ASSERT_TRUE(lab_believes(l, 1, ip));
	CU_ASSERT_TRUE(take(l, 0, ip, 1));
	lab_run(l, S);
	held_release(lab_of(l, 0), lab_at(l, 0), l->record.id, &ip, 0);
	lab_run(l, 0);
	lab_restart(l, 0, true);
	l->no_answers = false;
	for (unsigned i = 0; i < 40; i++) {
		lab_run(l, S);
		CU_ASSERT_FALSE(lab_believes(l, 0, ip));
	}
	CU_ASSERT_TRUE(lab_believes(l, 1, ip));
	lab_free(l);
}

static void who_has_the_guest_keeps_the_address(void)
{
	struct ip ip;
	struct lab *l = lab_lending(&ip);
	struct held_news n;

	n = asked_by(l, 1, ip, 0);
	CU_ASSERT_EQUAL(n.held.lease.client, 8);	/* for whom it is asked */
	held_deny(lab_of(l, 0), lab_at(l, 0), l->record.id, &ip, n.by, n.nonce);
	lab_run(l, 0);
	n = heard(l, 1);
	CU_ASSERT_EQUAL(n.word, HELD_REFUSED);
	CU_ASSERT_EQUAL(n.verdict, VERDICT_TAKEN);
	CU_ASSERT_TRUE(lab_believes(l, 0, ip));
	CU_ASSERT_EQUAL(held_count(lab_of(l, 1)), 0);
	lab_free(l);
}

static void an_owner_that_gave_it_away_names_the_next(void)
{
	struct ip ip;
	struct lab *l = lab_lending(&ip);
	struct held_news n;

	hand_over(l, 0, 1, ip);
	CU_ASSERT_TRUE(take(l, 2, ip, 0));		/* an old answer says so */
	lab_run(l, 0);
	n = heard(l, 1);
	CU_ASSERT_EQUAL(n.word, HELD_WANTED);
	CU_ASSERT_TRUE(id_eq(n.by, l->node[2].party.self.id));
	CU_ASSERT_TRUE(give(l, 1, ip, &n));
	lab_run(l, S);
	CU_ASSERT_TRUE(lab_believes(l, 2, ip));
	lab_free(l);
}

static void the_same_guest_elsewhere_is_a_move_and_another_one_is_refused(void)
{
	struct ip ip;
	struct lab *l = lab_lending(&ip);
	struct held_news n;

	CU_ASSERT_TRUE(want(l, 1, ip, 2, 600, true));
	lab_run(l, 0);
	n = heard(l, 1);
	CU_ASSERT_EQUAL(n.word, HELD_REFUSED);
	CU_ASSERT_EQUAL(n.verdict, VERDICT_TAKEN);
	CU_ASSERT_TRUE(id_eq(n.by, l->node[0].party.self.id));
	CU_ASSERT_TRUE(want(l, 1, ip, 1, 600, true));
	lab_run(l, 0);
	n = heard(l, 0);
	CU_ASSERT_EQUAL(n.word, HELD_WANTED);
	CU_ASSERT_TRUE(give(l, 0, ip, &n));
	lab_run(l, S);
	CU_ASSERT_TRUE(lab_believes(l, 1, ip));
	lab_free(l);
}

static void an_owner_that_says_nothing_is_no_conflict(void)
{
	struct ip ip;
	struct lab *l = lab_lending(&ip);
	struct held_news n;

	CU_ASSERT_TRUE(take(l, 1, ip, 0));		/* it is asked, and its user does nothing */
	lab_run(l, 20 * S);
	n = heard(l, 1);
	CU_ASSERT_EQUAL(n.word, HELD_REFUSED);
	CU_ASSERT_EQUAL(n.verdict, VERDICT_WAIT);
	CU_ASSERT_TRUE(lab_believes(l, 0, ip));
	lab_free(l);
}

/* The new owner never comes to write: neither believes, and the address is free again. */
static void what_was_lent_and_not_written_is_given_back(void)
{
	struct ip ip;
	struct lab *l = lab_lending(&ip);
	struct held_news n;

	l->hook = lose_delegated;
	n = asked_by(l, 1, ip, 0);
	CU_ASSERT_TRUE(give(l, 0, ip, &n));
	lab_run(l, LEND_NS + 10 * S);
	CU_ASSERT_FALSE(lab_believes(l, 1, ip));
	CU_ASSERT_EQUAL(held_count(lab_of(l, 0)), 0);
	l->hook = NULL;
	CU_ASSERT_TRUE(want(l, 1, ip, 9, 600, true));
	lab_run(l, 5 * S);
	CU_ASSERT_TRUE(lab_believes(l, 1, ip));
	lab_free(l);
}

CU_TestInfo delegate_tests[] = {
	{ "an address moves when its owner gives it", an_address_moves_when_its_owner_gives_it },
	{ "nothing is signed before the save is durable", nothing_is_signed_before_the_save_is_durable },
	{ "a disk slower than the term stops no clock", a_disk_slower_than_the_term_stops_no_clock },
	{ "one fence is signed away once", one_fence_is_signed_away_once },
	{ "a delegated address goes no further before the slot knows",
	  a_delegated_address_goes_no_further_before_the_slot_knows },
	{ "nothing is given away while a question is under way", nothing_is_given_away_while_a_question_is_under_way },
	{ "a lease that does not lend moves on the slot's word only",
	  a_lease_that_does_not_lend_moves_on_the_slots_word_only },
	{ "a lost signature is told again and still counts from the request",
	  a_lost_signature_is_told_again_and_still_counts_from_the_request },
	{ "an address comes back at once and goes again", an_address_comes_back_at_once_and_goes_again },
	{ "a lent address is lent after a restart too", a_lent_address_is_lent_after_a_restart_too },
	{ "who has the guest keeps the address", who_has_the_guest_keeps_the_address },
	{ "an owner that gave it away names the next", an_owner_that_gave_it_away_names_the_next },
	{ "the same guest elsewhere is a move, and another one is refused",
	  the_same_guest_elsewhere_is_a_move_and_another_one_is_refused },
	{ "an owner that says nothing is no conflict", an_owner_that_says_nothing_is_no_conflict },
	{ "what was lent and not written is given back", what_was_lent_and_not_written_is_given_back },
	{ "who may have lent and forgotten waits until that is over", who_may_have_lent_and_forgotten_waits_until_that_is_over },
	{ "a forgotten signature is void once the owner is confirmed",
	  a_forgotten_signature_is_void_once_the_owner_is_confirmed },
	CU_TEST_INFO_NULL
};
