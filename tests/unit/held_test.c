/* A node believes in a lease only while the slot must still hold it for this node and no other. */
#include "tests/unit/held_help.h"

static const struct ip A = { .at = { 10, 0, 0, 7 }, .family = 4 };

static void a_granted_lease_is_believed_until_its_deadline_and_no_longer(void)
{
	struct lab *l = lab_new();
	int64_t start = l->now_ns, until;
	struct held_news n;

	CU_ASSERT_TRUE(want(l, 0, A, 1, 60, false));
	CU_ASSERT_FALSE(lab_believes(l, 0, A));
	lab_run(l, 0);
	n = heard(l, 0);
	CU_ASSERT_EQUAL(n.word, HELD_GRANTED);
	until = start + term_held_ns(60, l->record.drift_ppm);
	CU_ASSERT_EQUAL(n.held.until_ns, until);
	CU_ASSERT_TRUE(until < start + 60 * S && record_of(l, A)->until_ns > start + 60 * S);
	lab_run(l, until - 1 - l->now_ns);
	CU_ASSERT_TRUE(lab_believes(l, 0, A));
	CU_ASSERT_TRUE(quiet(l, 0));
	lab_run(l, 1);
	CU_ASSERT_FALSE(lab_believes(l, 0, A));
	lab_run(l, 1000);			/* timers count whole microseconds */
	n = heard(l, 0);
	CU_ASSERT_EQUAL(n.word, HELD_LOST);
	CU_ASSERT_EQUAL(held_count(lab_of(l, 0)), 0);
	lab_free(l);
}

static bool delayed_first(struct lab *l, unsigned from, unsigned to, uint8_t body, struct bytes data)
{
	(void)from, (void)to, (void)data;
	return body != BODY_OP || l->now_ns >= 1003 * S;
}

static void terms_count_from_the_first_sending_whatever_was_answered(void)
{
	struct lab *l = lab_new();
	int64_t start = l->now_ns;
	struct held_news n;

	l->hook = delayed_first;
	CU_ASSERT_TRUE(want(l, 0, A, 1, 60, false));
	lab_run(l, 5 * S);
	n = heard(l, 0);
	CU_ASSERT_EQUAL(n.word, HELD_GRANTED);
	CU_ASSERT_EQUAL(n.held.until_ns, start + term_held_ns(60, l->record.drift_ppm));
	lab_free(l);
}

static void a_kept_lease_is_renewed_at_half_its_term(void)
{
	struct lab *l = lab_new();
	struct fence f = { 0 }, g;
	struct ip ip = granted(l, 0, 1, 60, true);

	CU_ASSERT_TRUE(held_believes(lab_of(l, 0), lab_at(l, 0), l->record.id, &ip, &f));
	lab_run(l, 25 * S);
	CU_ASSERT_EQUAL(l->ops[OP_RENEW], 0);
	lab_run(l, 10 * S);
	CU_ASSERT_EQUAL(l->ops[OP_RENEW], 1);
	CU_ASSERT_EQUAL(heard(l, 0).word, HELD_RENEWED);
	for (unsigned i = 0; i < 600; i++) {
		lab_run(l, S);
		CU_ASSERT_TRUE_FATAL(lab_believes(l, 0, ip));
	}
	CU_ASSERT_TRUE(l->ops[OP_RENEW] > 15 && l->ops[OP_RENEW] < 30);
	CU_ASSERT_TRUE(held_believes(lab_of(l, 0), lab_at(l, 0), l->record.id, &ip, &g));
	CU_ASSERT_EQUAL(fence_cmp(f, g), 0);	/* the same owner, the same fence */
	lab_free(l);
}

/* IPOP asked twice for each renewal and believed whatever came last */
static void a_renewal_that_succeeded_is_not_asked_for_again(void)
{
	struct lab *l = lab_new();
	struct ip ip = granted(l, 0, 1, 60, false);

	CU_ASSERT_TRUE(held_touch(lab_of(l, 0), lab_at(l, 0), l->record.id, &ip, 9));
	lab_run(l, 20 * S);
	CU_ASSERT_EQUAL(l->ops[OP_RENEW], 1);
	CU_ASSERT_EQUAL(heard(l, 0).word, HELD_RENEWED);
	CU_ASSERT_TRUE(quiet(l, 0));
	lab_free(l);
}

static void a_touched_lease_says_so_with_the_users_cookie(void)
{
	struct lab *l = lab_new();
	struct ip ip = granted(l, 0, 1, 60, false), other = ip_v4(0x0a000099);
	struct held_news n;

	lab_run(l, 20 * S);
	CU_ASSERT_TRUE(held_touch(lab_of(l, 0), lab_at(l, 0), l->record.id, &ip, 77));
	lab_run(l, 0);
	n = heard(l, 0);
	CU_ASSERT_EQUAL(n.word, HELD_RENEWED);
	CU_ASSERT_EQUAL(n.held.cookie, 77);
	CU_ASSERT_EQUAL(n.held.until_ns, l->now_ns + term_held_ns(60, l->record.drift_ppm));
	CU_ASSERT_FALSE(held_touch(lab_of(l, 0), lab_at(l, 0), l->record.id, &other, 78));
	l->say = VERDICT_WAIT;
	CU_ASSERT_TRUE(held_touch(lab_of(l, 0), lab_at(l, 0), l->record.id, &ip, 79));
	lab_run(l, 11 * S);
	n = heard(l, 0);
	CU_ASSERT_EQUAL(n.word, HELD_REFUSED);
	CU_ASSERT_EQUAL(n.verdict, VERDICT_WAIT);
	CU_ASSERT_TRUE(lab_believes(l, 0, ip));
	lab_free(l);
}

static void silence_is_borne_until_the_deadline_and_asked_through_urgently(void)
{
	struct lab *l = lab_new();
	struct ip ip = granted(l, 0, 1, 60, true);
	int64_t until = l->now_ns + term_held_ns(60, l->record.drift_ppm);

	l->no_answers = true;
	lab_run(l, until - 1 - l->now_ns);
	CU_ASSERT_TRUE(lab_believes(l, 0, ip));
	CU_ASSERT_TRUE(l->urgent > 3);
	lab_run(l, S);
	CU_ASSERT_FALSE(lab_believes(l, 0, ip));
	CU_ASSERT_EQUAL(heard(l, 0).word, HELD_LOST);
	lab_free(l);
}

static void a_conflict_is_refused_and_names_nobody_else_owner(void)
{
	struct lab *l = lab_new();
	struct held_news n;

	CU_ASSERT_TRUE(want(l, 0, A, 1, 60, false));
	CU_ASSERT_TRUE(want(l, 1, A, 2, 60, false));
	lab_run(l, 0);
	CU_ASSERT_EQUAL(heard(l, 0).word, HELD_GRANTED);
	n = heard(l, 1);
	CU_ASSERT_EQUAL(n.word, HELD_REFUSED);
	CU_ASSERT_EQUAL(n.verdict, VERDICT_TAKEN);
	CU_ASSERT_TRUE(lab_believes(l, 0, A));
	CU_ASSERT_FALSE(lab_believes(l, 1, A));
	CU_ASSERT_EQUAL(held_count(lab_of(l, 1)), 0);
	CU_ASSERT_TRUE(want(l, 0, A, 3, 60, false));	/* another guest of the same node */
	CU_ASSERT_EQUAL(heard(l, 0).verdict, VERDICT_TAKEN);
	lab_free(l);
}

static void the_same_guest_gets_the_same_lease(void)
{
	struct lab *l = lab_new();
	struct ip ip = granted(l, 0, 5, 60, false), again = granted(l, 0, 5, 60, false), other = granted(l, 0, 6, 60, false);

	CU_ASSERT_TRUE(ip_eq(&ip, &again));
	CU_ASSERT_FALSE(ip_eq(&ip, &other));
	CU_ASSERT_EQUAL(l->ops[OP_CREATE_ANY], 2);
	held_release(lab_of(l, 0), lab_at(l, 0), l->record.id, &ip, 0);
	lab_run(l, 0);
	CU_ASSERT_EQUAL(heard(l, 0).word, HELD_GONE);
	again = granted(l, 0, 5, 60, false);
	CU_ASSERT_TRUE(ip_eq(&ip, &again));
	lab_free(l);
}

static void a_reservation_grows_into_a_lease(void)
{
	struct lab *l = lab_new();
	struct ip ip = granted(l, 0, 5, 20, false);
	struct held_news n;

	CU_ASSERT_EQUAL(record_of(l, ip)->term_s, 20);
	CU_ASSERT_TRUE(want(l, 0, ip, 5, 600, false));
	lab_run(l, 0);
	n = heard(l, 0);
	CU_ASSERT_EQUAL(n.word, HELD_GRANTED);
	CU_ASSERT_EQUAL(n.held.until_ns, l->now_ns + term_held_ns(600, l->record.drift_ppm));
	CU_ASSERT_EQUAL(record_of(l, ip)->term_s, 600);
	lab_free(l);
}

static void a_released_lease_is_not_believed_while_the_release_travels(void)
{
	struct lab *l = lab_new();
	struct ip ip = granted(l, 0, 1, 60, true);

	held_release(lab_of(l, 0), lab_at(l, 0), l->record.id, &ip, 0);
	CU_ASSERT_FALSE(lab_believes(l, 0, ip));
	CU_ASSERT_TRUE(kept_live(record_of(l, ip), l->now_ns));
	lab_run(l, 0);
	CU_ASSERT_FALSE(kept_live(record_of(l, ip), l->now_ns));
	CU_ASSERT_EQUAL(heard(l, 0).word, HELD_GONE);
	CU_ASSERT_TRUE(want(l, 1, ip, 9, 60, false));
	lab_run(l, 0);
	CU_ASSERT_EQUAL(heard(l, 1).word, HELD_GRANTED);
	lab_free(l);
}

static void what_is_granted_after_letting_go_is_given_back(void)
{
	struct lab *l = lab_new();

	CU_ASSERT_TRUE(want(l, 0, A, 1, 60, true));
	held_release(lab_of(l, 0), lab_at(l, 0), l->record.id, &A, 0);
	lab_run(l, 0);
	CU_ASSERT_EQUAL(heard(l, 0).word, HELD_GONE);
	CU_ASSERT_FALSE(kept_live(record_of(l, A), l->now_ns));
	CU_ASSERT_EQUAL(held_count(lab_of(l, 0)), 0);
	lab_free(l);
}

static void a_newer_fence_ends_belief_at_once(void)
{
	struct lab *l = lab_new();
	struct ip ip = granted(l, 0, 1, 60, false);
	struct kept *k = record_of(l, ip);

	k->owner = l->node[1].party.self.id;
	k->grant++;
	CU_ASSERT_TRUE(lab_believes(l, 0, ip));	/* it cannot know */
	CU_ASSERT_TRUE(held_touch(lab_of(l, 0), lab_at(l, 0), l->record.id, &ip, 4));
	lab_run(l, 0);
	CU_ASSERT_FALSE(lab_believes(l, 0, ip));
	CU_ASSERT_EQUAL(heard(l, 0).word, HELD_LOST);
	lab_free(l);
}

/* ---- after a start, after a gap ---- */

static void after_a_start_nothing_is_believed_before_the_slot_confirms(void)
{
	struct lab *l = lab_new();
	struct ip ip = granted(l, 0, 1, 600, true);
	uint64_t grant = record_of(l, ip)->grant;
	struct held h;

	lab_run(l, S);
	lab_restart(l, 0, false);
	CU_ASSERT_FALSE(lab_believes(l, 0, ip));
	CU_ASSERT_TRUE_FATAL(held_at(lab_of(l, 0), 0, &h));
	CU_ASSERT_EQUAL(h.state, HELD_DOUBTED);
	l->no_answers = true;
	lab_run(l, 30 * S);
	CU_ASSERT_FALSE(lab_believes(l, 0, ip));
	l->no_answers = false;
	lab_run(l, 30 * S);
	CU_ASSERT_TRUE(lab_believes(l, 0, ip));
	CU_ASSERT_TRUE(record_of(l, ip)->grant > grant);	/* what an earlier life signed is void */
	CU_ASSERT_EQUAL(heard(l, 0).word, HELD_GRANTED);
	lab_free(l);
}

static void a_lease_that_went_to_another_meanwhile_is_lost_at_the_start(void)
{
	struct lab *l = lab_new();
	struct ip ip = granted(l, 0, 1, 60, true);

	lab_run(l, S);
	lab_dht(l, 0);			/* off */
	lab_run(l, 70 * S);
	CU_ASSERT_TRUE(want(l, 1, ip, 9, 600, true));
	lab_run(l, 0);
	CU_ASSERT_EQUAL(heard(l, 1).word, HELD_GRANTED);
	lab_restart(l, 0, true);
	lab_run(l, 10 * S);
	CU_ASSERT_FALSE(lab_believes(l, 0, ip));
	CU_ASSERT_TRUE(lab_believes(l, 1, ip));
	CU_ASSERT_EQUAL(heard(l, 0).word, HELD_LOST);
	lab_restart(l, 0, true);
	CU_ASSERT_EQUAL(held_count(lab_of(l, 0)), 0);	/* forgotten on the disk too */
	lab_free(l);
}

static void a_released_lease_does_not_come_back(void)
{
	struct lab *l = lab_new();
	struct ip ip = granted(l, 0, 1, 60, true);

	held_release(lab_of(l, 0), lab_at(l, 0), l->record.id, &ip, 0);
	lab_run(l, S);
	lab_restart(l, 0, true);
	CU_ASSERT_EQUAL(held_count(lab_of(l, 0)), 0);
	lab_free(l);
}

static void time_that_passed_unseen_puts_every_lease_in_doubt(void)
{
	struct lab *l = lab_new();
	struct ip ip = granted(l, 0, 1, 600, false);
	struct fence before, after;

	CU_ASSERT_TRUE(held_believes(lab_of(l, 0), lab_at(l, 0), l->record.id, &ip, &before));
	l->now_ns += 100 * S;
	l->no_answers = true;
	held_resumed(lab_of(l, 0), lab_at(l, 0), false);
	CU_ASSERT_FALSE(lab_believes(l, 0, ip));
	lab_run(l, 5 * S);
	CU_ASSERT_FALSE(lab_believes(l, 0, ip));
	l->no_answers = false;
	lab_run(l, 20 * S);
	CU_ASSERT_TRUE(held_believes(lab_of(l, 0), lab_at(l, 0), l->record.id, &ip, &after));
	CU_ASSERT_EQUAL(fence_cmp(before, after), 0);
	CU_ASSERT_EQUAL(heard(l, 0).word, HELD_GRANTED);
	lab_free(l);
}

/* Two questions about one lease: the older one, told again under a new nonce, would bring back what was released. */
static void a_question_nobody_waits_for_is_not_asked_again(void)
{
	struct lab *l = lab_new();
	struct ip ip = granted(l, 0, 1, 600, false);

	l->no_answers = true;
	CU_ASSERT_TRUE(held_touch(lab_of(l, 0), lab_at(l, 0), l->record.id, &ip, 4));
	lab_run(l, S / 2);
	held_resumed(lab_of(l, 0), lab_at(l, 0), true);	/* a create now, in the place of the renewal */
	CU_ASSERT_EQUAL(client_asking(lab_of(l, 0)), 1);
	lab_run(l, S / 2);
	held_release(lab_of(l, 0), lab_at(l, 0), l->record.id, &ip, 0);
	l->no_answers = false;
	lab_run(l, 90 * S);
	CU_ASSERT_FALSE(kept_live(record_of(l, ip), l->now_ns));
	CU_ASSERT_EQUAL(client_asking(lab_of(l, 0)), 0);
	lab_free(l);
}

static void damaged_saves_are_no_leases(void)
{
	struct lab *l = lab_new();
	uint8_t copy[256];
	struct reader r;
	struct saved s;

	granted(l, 0, 1, 600, true);
	lab_run(l, S);
	r = reader_of(l->node[0].saved, l->node[0].saved_len);
	CU_ASSERT_TRUE_FATAL(saved_next(&r, &s) && s.data.len <= sizeof(copy));
	memcpy(copy, s.data.at, s.data.len);
	for (size_t len = 0; len < s.data.len; len++) {
		struct saved cut = { s.part, { copy, len }, SAVE_LEASE };

		lab_dht(l, 0);
		held_load(lab_of(l, 0), lab_at(l, 0), &cut, true);
		CU_ASSERT_EQUAL(held_count(lab_of(l, 0)), 0);
	}
	lab_free(l);
}

static void the_table_is_bounded_and_says_so(void)
{
	struct lab *l = lab_new();
	unsigned had = 0;

	l->no_way = true;
	for (unsigned i = 0; i < HELD_MAX + 10; i++)
		had += want(l, 0, ip_v4(0x0a000002 + i % 250), 1000 + i, 60, false);
	CU_ASSERT_TRUE(had >= 250);
	CU_ASSERT_TRUE(held_count(lab_of(l, 0)) <= HELD_MAX);
	lab_free(l);
}

CU_TestInfo held_tests[] = {
	{ "a granted lease is believed until its deadline and no longer",
	  a_granted_lease_is_believed_until_its_deadline_and_no_longer },
	{ "terms count from the first sending, whatever was answered",
	  terms_count_from_the_first_sending_whatever_was_answered },
	{ "a kept lease is renewed at half its term", a_kept_lease_is_renewed_at_half_its_term },
	{ "a renewal that succeeded is not asked for again", a_renewal_that_succeeded_is_not_asked_for_again },
	{ "a touched lease says so with the user's cookie", a_touched_lease_says_so_with_the_users_cookie },
	{ "silence is borne until the deadline, and asked through urgently",
	  silence_is_borne_until_the_deadline_and_asked_through_urgently },
	{ "a conflict is refused", a_conflict_is_refused_and_names_nobody_else_owner },
	{ "the same guest gets the same lease", the_same_guest_gets_the_same_lease },
	{ "a reservation grows into a lease", a_reservation_grows_into_a_lease },
	{ "a released lease is not believed while the release travels",
	  a_released_lease_is_not_believed_while_the_release_travels },
	{ "what is granted after letting go is given back", what_is_granted_after_letting_go_is_given_back },
	{ "a newer fence ends belief at once", a_newer_fence_ends_belief_at_once },
	{ "after a start nothing is believed before the slot confirms",
	  after_a_start_nothing_is_believed_before_the_slot_confirms },
	{ "a lease that went to another meanwhile is lost at the start",
	  a_lease_that_went_to_another_meanwhile_is_lost_at_the_start },
	{ "a released lease does not come back", a_released_lease_does_not_come_back },
	{ "time that passed unseen puts every lease in doubt", time_that_passed_unseen_puts_every_lease_in_doubt },
	{ "a question nobody waits for is not asked again", a_question_nobody_waits_for_is_not_asked_again },
	{ "damaged saves are no leases", damaged_saves_are_no_leases },
	{ "the table is bounded and says so", the_table_is_bounded_and_says_so },
	CU_TEST_INFO_NULL
};
