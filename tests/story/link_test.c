/* Two nodes and the wire between them: calls that cross, restarts, strangers, sizes. */
#include "tests/story/tell.h"
#include "tests/unit/suites.h"

static unsigned links_to(struct stage *s, unsigned i, unsigned peer)
{
	unsigned n = 0;

	for (unsigned k = 0; k < node_look_links(s->actor[i].node); k++) {
		struct look_link l;

		n += node_look_link(s->actor[i].node, k, &l) && l.link.state == LINK_UP &&
		     stage_name(s, l.link.id) == peer;
	}
	return n;
}

static void call(struct stage *s, unsigned from, unsigned to)
{
	struct event ev = {
		.kind = EVENT_CONTROL, .from = s->actor[to].at, .request = { .ask = ASK_CONNECT, .token = 9 },
	};

	stage_event(s, from, &ev);
}

static void calls_that_cross_leave_one_link(void)
{
	for (unsigned apart_ms = 0; apart_ms <= 120; apart_ms += 5)
		for (unsigned first = 0; first < 2; first++) {
			struct stage *s = stage_new(2, &suite_sodium);

			s->config.bootstraps = 0;
			stage_up(s, 0, false);
			stage_up(s, 1, false);
			stage_run(s, 2 * NS_PER_S);		/* two rings of one */
			call(s, first, !first);
			stage_run(s, apart_ms * NS_PER_MS);
			call(s, !first, first);
			stage_run(s, 5 * NS_PER_S);
			CU_ASSERT_EQUAL(links_to(s, 0, 1), 1);
			CU_ASSERT_EQUAL(links_to(s, 1, 0), 1);
			CU_ASSERT_TRUE(stage_ring_right(s));
			s->line_len = 0;
			s->line[0] = 0;
			stage_run(s, 60 * NS_PER_S);		/* and it stays up */
			CU_ASSERT_PTR_NULL(strstr(s->line, "dead"));
			CU_ASSERT_PTR_NULL(strstr(s->line, "down"));
			CU_ASSERT_EQUAL(links_to(s, 0, 1), 1);
			stage_free(s);
		}
}

enum { CROWD = 14 };

/* Everybody but @hub and @peer comes, and calls @hub. */
static void crowd(struct stage *s, unsigned hub, unsigned peer, bool up)
{
	for (unsigned i = 0; i < CROWD; i++)
		if (i != hub && i != peer) {
			if (up)
				stage_up(s, i, false);
			call(s, i, hub);
		}
}

/* Answers to crossing calls move from a high slot to the caller's; later that slot goes, and is used anew. */
static void a_slot_that_comes_back_does_not_take_the_index_of_a_session_that_moved(void)
{
	for (unsigned apart_ms = 0; apart_ms <= 60; apart_ms += 5) {
		struct stage *s = stage_new(CROWD, &suite_sodium);
		unsigned hub = id_less(s->actor[0].identity.id, s->actor[1].identity.id), peer = !hub;

		s->config.bootstraps = 0;
		for (unsigned i = 0; i < CROWD; i++)
			stage_up(s, i, false);
		stage_run(s, 2 * NS_PER_S);
		call(s, hub, peer);
		crowd(s, hub, peer, false);
		stage_run(s, apart_ms * NS_PER_MS);
		call(s, peer, hub);
		stage_run(s, 20 * NS_PER_S);
		for (unsigned i = 0; i < CROWD; i++)
			if (i != hub && i != peer)
				stage_stop(s, i);
		stage_run(s, 60 * NS_PER_S);
		s->line_len = 0;
		s->line[0] = 0;
		crowd(s, hub, peer, true);
		stage_run(s, 60 * NS_PER_S);
		CU_ASSERT_EQUAL(s->fx.drops[DROP_SEAL], 0);
		CU_ASSERT_PTR_NULL(strstr(s->line, "dead"));
		CU_ASSERT_TRUE(stage_ring_right(s));
		stage_free(s);
	}
}

static void a_restarted_peer_gets_a_new_link_and_the_old_one_ends(void)
{
	struct stage *s = stage_new(2, &suite_sodium);

	stage_up(s, 0, false);
	stage_up(s, 1, false);
	stage_run(s, 20 * NS_PER_S);
	stage_crash(s, 1);
	stage_up(s, 1, true);			/* before anybody noticed */
	stage_run(s, 5 * NS_PER_S);
	CU_ASSERT_EQUAL(links_to(s, 0, 1), 1);
	CU_ASSERT_EQUAL(links_to(s, 1, 0), 1);
	CU_ASSERT_TRUE(stage_ring_right(s));
	CU_ASSERT_PTR_NULL(strstr(s->line, "dead"));
	stage_free(s);
}

static bool wire_records(struct stage *s, unsigned from, unsigned to, const struct datagram *d, void *arg)
{
	struct writer *w = arg;

	(void)s;
	if (from == 1 && to == 0 && d->kind == MESSAGE_INIT && !writer_len(w))
		write_copy(w, d->data, d->len);
	return true;
}

static void a_replayed_init_changes_nothing(void)
{
	struct stage *s = stage_new(2, &suite_sodium);
	uint8_t init[1500];
	struct writer w = writer_of(init, sizeof(init));

	s->wire = wire_records;
	s->wire_arg = &w;
	stage_up(s, 0, false);
	stage_up(s, 1, false);
	stage_run(s, 20 * NS_PER_S);
	CU_ASSERT_FATAL(writer_len(&w) > 0);
	s->line_len = 0;
	s->line[0] = 0;
	for (unsigned i = 0; i < 20; i++) {
		struct event ev = {
			.kind = EVENT_DATAGRAM, .from = endpoint_v4(0x0a0000c8, 4000 + i),
			.data = { init, writer_len(&w) },
		};

		stage_event(s, 0, &ev);
		stage_run(s, 300 * NS_PER_MS);
	}
	stage_run(s, 30 * NS_PER_S);
	CU_ASSERT_PTR_NULL(strstr(s->line, "down"));
	CU_ASSERT_PTR_NULL(strstr(s->line, "dead"));
	CU_ASSERT_EQUAL(links_to(s, 0, 1), 1);
	stage_free(s);
}

static bool wire_measures(struct stage *s, unsigned from, unsigned to, const struct datagram *d, void *arg)
{
	unsigned *largest = arg;

	(void)s;
	(void)from;
	(void)to;
	if ((d->kind == MESSAGE_PROBE || d->kind == MESSAGE_PROBE_ACK) && d->len > *largest)
		*largest = d->len;
	return true;
}

static void a_probe_is_64_bytes_with_its_headers_and_serves_both_ends(void)
{
	struct stage *s = stage_new(2, &suite_sodium);
	unsigned largest = 0;
	uint64_t before;

	stage_up(s, 0, false);
	stage_up(s, 1, false);
	stage_run(s, 300 * NS_PER_S);
	s->wire = wire_measures;
	s->wire_arg = &largest;
	before = s->actor[0].sent_bytes + s->actor[1].sent_bytes;
	stage_run(s, 600 * NS_PER_S);
	CU_ASSERT_EQUAL(largest + 28, 64);
	/* one exchange of 128 bytes in 5 s for the pair, and a little besides */
	CU_ASSERT_TRUE(s->actor[0].sent_bytes + s->actor[1].sent_bytes - before < 600 / 5 * 128 * 5 / 4);
	stage_free(s);
}

static void other_versions_and_noise_are_counted_and_nothing_else(void)
{
	struct stage *s = stage_new(2, &suite_sodium);
	uint8_t junk[200];

	stage_up(s, 0, false);
	stage_up(s, 1, false);
	stage_run(s, 20 * NS_PER_S);
	s->line_len = 0;
	s->line[0] = 0;
	for (unsigned i = 0; i < 2000; i++) {
		struct event ev = {
			.kind = EVENT_DATAGRAM, .from = s->actor[1].at, .data = { junk, i % sizeof(junk) },
		};

		for (unsigned j = 0; j < sizeof(junk); j++)
			junk[j] = (uint8_t)(i * 2654435761u >> (j % 24) ^ j);
		junk[0] = (uint8_t)(i % 3 << 4 | i % 16);
		stage_event(s, 0, &ev);
	}
	CU_ASSERT_TRUE(s->fx.drops[DROP_VERSION] > 1000);
	CU_ASSERT_TRUE(s->fx.drops[DROP_SHORT] > 0);
	stage_run(s, 30 * NS_PER_S);
	CU_ASSERT_STRING_EQUAL(s->line, "");
	CU_ASSERT_TRUE(stage_ring_right(s));
	stage_free(s);
}

static void at_its_quota_a_node_drops_and_lives_on(void)
{
	struct stage *s = stage_new(12, &suite_sodium);

	s->quota = 9000;			/* too little for all that eleven others want */
	for (unsigned i = 0; i < 12; i++)
		stage_up(s, i, false);
	stage_run(s, 60 * NS_PER_S);
	CU_ASSERT_TRUE(s->fx.drops[DROP_MEMORY] + s->fx.drops[DROP_FULL] > 0);
	for (unsigned i = 0; i < 12; i++)
		CU_ASSERT_TRUE(node_bytes(s->actor[i].node) <= 9000);
	stage_free(s);
}

/** struct keys - what the wire shows of fresh keys: calls, and the indexes that packets are sent to */
struct keys {
	unsigned inits, lose;
	uint32_t index[2];
};

static bool wire_keys(struct stage *s, unsigned from, unsigned to, const struct datagram *d, void *arg)
{
	struct keys *k = arg;
	struct reader r = reader_of(d->data, d->len);

	(void)s, (void)to;
	if (d->kind == MESSAGE_INIT || d->kind == MESSAGE_REPLY || d->kind == MESSAGE_FINISH) {
		k->inits += d->kind == MESSAGE_INIT;
		return !k->lose || --k->lose;
	}
	read_take(&r, 4);
	k->index[from] = read_u32(&r);
	return true;
}

/* Two nodes, met and quiet, with @k on the wire; the seconds of the story begin */
static struct stage *two_of_them(struct keys *k, int64_t rekey_ns)
{
	struct stage *s = stage_new(2, &suite_sodium);

	if (rekey_ns)
		s->config.rekey_ns = rekey_ns;
	stage_up(s, 0, false);
	stage_up(s, 1, false);
	stage_run(s, 60 * NS_PER_S);
	s->wire = wire_keys;
	s->wire_arg = k;
	stage_run(s, 20 * NS_PER_S);
	CU_ASSERT_EQUAL(k->inits, 0);
	s->line_len = 0;
	s->line[0] = 0;
	return s;
}

static void all_is_well(struct stage *s, unsigned unopened)
{
	CU_ASSERT_STRING_EQUAL(s->line, "");
	CU_ASSERT_EQUAL(links_to(s, 0, 1), 1);
	CU_ASSERT_EQUAL(links_to(s, 1, 0), 1);
	CU_ASSERT_TRUE(s->fx.drops[DROP_SESSION] <= unopened);
	stage_free(s);
}

static void keys_of_a_link_change_after_a_day_and_nobody_notices(void)
{
	struct keys k = { 0 }, before;
	struct stage *s = two_of_them(&k, 0);

	CU_ASSERT_EQUAL(s->config.rekey_ns, 24 * 3600 * NS_PER_S);
	before = k;
	stage_run(s, 86200 * NS_PER_S);
	CU_ASSERT_TRUE(k.index[0] == before.index[0] && k.index[1] == before.index[1]);
	CU_ASSERT_EQUAL(k.inits, 0);
	stage_run(s, 400 * NS_PER_S);
	CU_ASSERT_EQUAL(k.inits, 1);
	CU_ASSERT_TRUE(k.index[0] != before.index[0] && k.index[1] != before.index[1]);
	all_is_well(s, 0);
}

static void fresh_keys_come_whichever_packet_is_lost(void)
{
	for (unsigned lose = 1; lose <= 3; lose++) {
		struct keys k = { 0 }, before;
		struct stage *s = two_of_them(&k, 600 * NS_PER_S);

		before = k;
		k.lose = lose;
		stage_run(s, 620 * NS_PER_S);
		CU_ASSERT_TRUE(k.index[0] != before.index[0] && k.index[1] != before.index[1]);
		stage_run(s, 60 * NS_PER_S);
		all_is_well(s, lose == 3);		/* what comes before a FINISH that is late */
	}
}

static void after_resume_keys_are_new_at_one_end_or_both(void)
{
	for (unsigned who = 1; who <= 3; who++)
		for (unsigned apart_ms = 0; apart_ms <= 100; apart_ms += 5) {
			struct keys k = { 0 }, before;
			struct stage *s = two_of_them(&k, 0);

			before = k;
			for (unsigned i = 0; i < 2; i++) {
				if (who & 1u << i)
					stage_event(s, i, &(struct event){ .kind = EVENT_RESUMED,
									   .resumed.gap_ns = 60 * NS_PER_S });
				if (!i)
					stage_run(s, apart_ms * NS_PER_MS);
			}
			stage_run(s, 5 * NS_PER_S);
			CU_ASSERT_TRUE(k.index[0] != before.index[0] && k.index[1] != before.index[1]);
			before = k;
			stage_run(s, 60 * NS_PER_S);		/* and they stay: both ends chose the same */
			CU_ASSERT_TRUE(k.index[0] == before.index[0] && k.index[1] == before.index[1]);
			all_is_well(s, 0);
		}
}

CU_TestInfo story_link_tests[] = {
	{ "keys of a link change after a day and nobody notices", keys_of_a_link_change_after_a_day_and_nobody_notices },
	{ "fresh keys come, whichever packet is lost", fresh_keys_come_whichever_packet_is_lost },
	{ "after resume keys are new, at one end or both", after_resume_keys_are_new_at_one_end_or_both },
	{ "calls that cross leave one link", calls_that_cross_leave_one_link },
	{ "a slot that comes back does not take the index of a session that moved",
	  a_slot_that_comes_back_does_not_take_the_index_of_a_session_that_moved },
	{ "a restarted peer gets a new link and the old one ends",
	  a_restarted_peer_gets_a_new_link_and_the_old_one_ends },
	{ "a replayed INIT changes nothing", a_replayed_init_changes_nothing },
	{ "a probe is 64 bytes with its headers and serves both ends",
	  a_probe_is_64_bytes_with_its_headers_and_serves_both_ends },
	{ "other versions and noise are counted and nothing else",
	  other_versions_and_noise_are_counted_and_nothing_else },
	{ "at its quota a node drops and lives on", at_its_quota_a_node_drops_and_lives_on },
	CU_TEST_INFO_NULL
};
