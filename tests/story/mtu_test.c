/*
 * What a path carries is found out when it matters, again when it changes, and never by hearsay.
 */
#include "core/seal/session.h"
#include "core/vnet/parts.h"
#include "tests/story/town.h"

enum { A = 1, B = 3 };

static unsigned carries;		/* UDP payload between any two nodes; larger ones are lost without a word */

static bool small_path(struct town *t, unsigned from, unsigned to, const struct datagram *d)
{
	(void)t, (void)from, (void)to;
	return d->len > carries;
}

/* Two guests of linked nodes talk: a packet of @len bytes each way every 100 ms. How many echoes came back */
static unsigned talk(struct town *t, unsigned ms, size_t len)
{
	unsigned before = t->g[0][A].replies;
	static uint16_t id;

	for (unsigned i = 0; i < ms; i += 100) {
		ping(t, A, 20, ++id, len - 28);
		run(t, 100);
	}
	return t->g[0][A].replies - before;
}

static uint16_t measured(struct town *t, unsigned from, unsigned to)
{
	struct links *l = t->s->actor[from].node->links;

	return links_measured(l, links_find(l, t->s->actor[to].identity.id));
}

static unsigned pieces(struct town *t, unsigned i)
{
	struct tunnel_view v;

	CU_ASSERT_TRUE_FATAL(view(t, i, &v));
	return v.cut;
}

static struct town *of_two(unsigned path)
{
	struct town *t = town_new(5);

	carries = path;
	t->lose = small_path;
	meet(t, A, B);
	for (unsigned i = 0; i < 20 && !linked(t, A, B); i++)
		talk(t, 1000, 100);
	CU_ASSERT_TRUE_FATAL(linked(t, A, B));
	return t;
}

static void a_path_is_measured_with_the_first_packets_whatever_it_carries(void)
{
	static const unsigned PATH[] = { 1472, 1471, 1452, 1399, 1371, 1252 }, GOT[] = { 1472, 1464, 1452, 1392, 1352, 1252 };

	for (unsigned i = 0; i < sizeof(PATH) / sizeof(*PATH); i++) {
		struct town *t = of_two(PATH[i]);

		talk(t, 6000, 100);
		CU_ASSERT_EQUAL(measured(t, A, B), GOT[i]);
		CU_ASSERT_EQUAL(measured(t, B, A), GOT[i]);
		town_free(t);
	}
}

static void packets_that_fit_are_not_cut(void)
{
	struct town *t = of_two(1252);
	struct ip to = ip_v4(0x0a010000 + 20);
	uint16_t fits;
	unsigned cut;

	talk(t, 6000, 1400);
	cut = pieces(t, A);
	CU_ASSERT_NOT_EQUAL(cut, 0);
	fits = path_fits(t->s->actor[A].node->vnet[0], &to);
	CU_ASSERT_EQUAL(fits, 1252 - SESSION_OVERHEAD - 8 - 1);
	CU_ASSERT_EQUAL(talk(t, 2000, fits), 20);
	CU_ASSERT_EQUAL(pieces(t, A), cut);
	CU_ASSERT_EQUAL(talk(t, 2000, 1400), 20);		/* and those that do not arrive all the same */
	CU_ASSERT_EQUAL(pieces(t, A), cut + 20);
	town_free(t);
}

static void a_path_that_comes_to_carry_less_is_found_out_within_seconds(void)
{
	struct town *t = of_two(1472);
	unsigned lost = 0;

	talk(t, 6000, 1400);
	carries = 1252;
	while (lost < 200 && !talk(t, 100, 1400))
		lost++;
	CU_ASSERT_TRUE(lost <= 80);				/* five seconds until it is asked about, three lost probes */
	talk(t, 5000, 1400);
	CU_ASSERT_EQUAL(measured(t, A, B), 1252);
	CU_ASSERT_EQUAL(talk(t, 2000, 1400), 20);
	carries = 1472;						/* more again: looked for after five minutes of use */
	for (unsigned i = 0; i < 62 && measured(t, A, B) < 1472; i++)
		talk(t, 6000, 1300);
	CU_ASSERT_EQUAL(measured(t, A, B), 1472);
	town_free(t);
}

static void path_error(struct town *t, unsigned i, unsigned to, uint16_t mtu)
{
	stage_event(t->s, i, &(struct event){ .kind = EVENT_PATH_ERROR, .from = t->s->actor[to].at, .path.mtu = mtu });
}

static void who_forges_an_icmp_error_changes_nothing(void)
{
	struct town *t = of_two(1472);
	unsigned replies = 0;

	talk(t, 6000, 1400);
	for (unsigned i = 0; i < 50; i++) {
		path_error(t, A, B, i % 2 ? 576 : 1300);
		replies += talk(t, 100, 1400);
	}
	CU_ASSERT_TRUE(replies >= 49);
	talk(t, 1000, 1400);
	CU_ASSERT_EQUAL(measured(t, A, B), 1472);
	town_free(t);
}

static void a_true_one_shows_where_to_look(void)
{
	struct town *t = of_two(1472);

	talk(t, 6000, 1400);
	carries = 1338 - 28;
	path_error(t, A, B, 1338);
	talk(t, 1000, 1400);
	CU_ASSERT_EQUAL(measured(t, A, B), 1320 - 28);
	town_free(t);
}

static void a_link_that_carries_nothing_is_not_asked_again_and_again(void)
{
	struct town *t = of_two(1472);
	uint64_t sent;

	talk(t, 6000, 1400);
	run(t, 60000);
	sent = t->s->actor[A].sent_bytes;
	run(t, 60000);
	CU_ASSERT_TRUE(t->s->actor[A].sent_bytes - sent < 60 * 300);
	town_free(t);
}

CU_TestInfo story_mtu_tests[] = {
	{ "a path is measured with the first packets, whatever it carries",
	  a_path_is_measured_with_the_first_packets_whatever_it_carries },
	{ "packets that fit are not cut", packets_that_fit_are_not_cut },
	{ "a path that comes to carry less is found out within seconds",
	  a_path_that_comes_to_carry_less_is_found_out_within_seconds },
	{ "who forges an ICMP error changes nothing", who_forges_an_icmp_error_changes_nothing },
	{ "a true one shows where to look", a_true_one_shows_where_to_look },
	{ "a link that carries nothing is not asked again and again", a_link_that_carries_nothing_is_not_asked_again_and_again },
	CU_TEST_INFO_NULL
};
