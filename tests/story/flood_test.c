/* Too many callers: what a flood costs a node, and that it keeps nobody out. */
#include "core/link/cookie.h"
#include "tests/story/tell.h"
#include "tests/unit/party.h"
#include "tests/unit/suites.h"

enum { EPHEMERAL_AT = WIRE_SHORT + 6, FORGER = 9 };

/* Curve arithmetic is what a flood is to make a node waste. */
static unsigned curves, hashes;

static bool counted_dh(uint8_t out[KEY_BYTES], const struct dh_pair *own, const uint8_t public[KEY_BYTES])
{
	curves++;
	return suite_sodium.dh(out, own, public);
}

static void counted_derive(uint8_t *out, struct bytes key, struct bytes label)
{
	hashes++;
	suite_sodium.derive(out, key, label);
}

static struct suite counted(void)
{
	struct suite s = suite_sodium;

	s.dh = counted_dh;
	s.derive = counted_derive;
	curves = hashes = 0;
	return s;
}

/** struct forger - one who is no member but knows the overlay's key, and sends from everywhere */
struct forger {
	struct party p;
	uint8_t init[HANDSHAKE_MAX];
	size_t len;
	unsigned sent;
	uint64_t asked;			/* bytes he sent */
};

static void forger_init(struct forger *f, struct stage *s, const uint8_t *key)
{
	const struct bytes none = { NULL, 0 };
	struct writer w = writer_of(f->init, sizeof(f->init));
	struct handshake hs;

	memset(f, 0, sizeof(*f));
	party_env(&f->p, &suite_sodium, 77);
	f->p.env.config = &f->p.config;
	memcpy(f->p.config.overlay, s->config.overlay, KEY_BYTES);
	CU_ASSERT_TRUE(handshake_call(&f->p.env, &hs, &s->actor[FORGER].identity, key, 5));
	CU_ASSERT_EQUAL(handshake_write(&f->p.env, &hs, &s->actor[FORGER].identity, none, &w), DROP_NONE);
	f->len = writer_len(&w);
}

/* Another INIT for node @to, from another address; it costs the forger one hash. */
static void forge(struct forger *f, struct stage *s, unsigned to, bool knows)
{
	struct event ev = { .kind = EVENT_DATAGRAM, .from = endpoint_v4(0x0b000000u + f->sent * 7, (uint16_t)(1024 + f->sent)) };

	random_bytes(&f->p.env.random, f->init + EPHEMERAL_AT, KEY_BYTES);
	random_bytes(&f->p.env.random, f->init + f->len - PROOF_BYTES, PROOF_BYTES);
	if (knows)
		handshake_vouch(&f->p.env, f->p.config.overlay, f->init, f->len - PROOF_BYTES);
	else
		random_bytes(&f->p.env.random, f->init + f->len - 2 * PROOF_BYTES, PROOF_BYTES);
	ev.data = (struct bytes){ f->init, f->len };
	f->sent++;
	f->asked += f->len + 28;
	stage_event(s, to, &ev);
}

static unsigned links_up_at(struct stage *s, unsigned i)
{
	unsigned n = 0;

	for (unsigned k = 0; k < node_look_links(s->actor[i].node); k++) {
		struct look_link l;

		n += node_look_link(s->actor[i].node, k, &l) && l.link.state == LINK_UP;
	}
	return n;
}

static void flood(bool by_key)
{
	struct suite suite = counted();
	struct stage *s = stage_new(12, &suite);
	struct forger f;
	uint64_t before;
	int64_t joined_ms = -1;

	stage_up(s, 0, false);
	stage_up(s, 1, false);
	stage_run(s, 20 * NS_PER_S);
	forger_init(&f, s, by_key ? identity_key(&s->actor[0].identity) : NULL);
	CU_ASSERT_EQUAL(links_up_at(s, 0), 1);
	for (unsigned i = 0; i < 3000; i++) {		/* a second of it, to begin with */
		forge(&f, s, 0, true);
		stage_run(s, NS_PER_MS / 3);
	}
	CU_ASSERT_TRUE(s->fx.drops[DROP_COOKIE] > 2500);
	curves = hashes = 0;
	before = s->actor[0].sent_bytes;
	f.asked = 0;
	stage_up(s, 2, false);				/* who means it comes in the middle of it */
	for (unsigned i = 0; i < 6000; i++) {
		forge(&f, s, 0, true);
		stage_run(s, NS_PER_MS / 3);
		if (joined_ms < 0 && links_up_at(s, 2))
			joined_ms = i / 3;
	}
	CU_ASSERT_TRUE(joined_ms >= 0 && joined_ms < 1000);
	CU_ASSERT_TRUE(links_up_at(s, 0) >= 2);
	CU_ASSERT_TRUE(curves < 2 * 4 * 110);		/* four for a call; 100 a second are nobody's */
	CU_ASSERT_TRUE(hashes < 6000 * 5);
	CU_ASSERT_TRUE((s->actor[0].sent_bytes - before) * 4 < f.asked);
	stage_run(s, 30 * NS_PER_S);			/* and it leaves nothing behind */
	CU_ASSERT_TRUE(stage_ring_right(s));
	CU_ASSERT_EQUAL(links_up_at(s, 0), 2);
	CU_ASSERT_PTR_NULL(strstr(s->line, "dead"));
	stage_free(s);
}

static void a_flood_of_calls_keeps_nobody_out_and_costs_a_hash_each(void)
{
	flood(false);
	flood(true);
}

static bool silent(struct stage *s, unsigned from, unsigned to, const struct datagram *d, void *arg)
{
	(void)s, (void)from, (void)to, (void)d, (void)arg;
	return false;
}

static void who_does_not_know_the_overlay_hears_nothing(void)
{
	struct suite suite = counted();
	struct stage *s = stage_new(12, &suite);
	struct forger f;
	uint64_t before;

	stage_up(s, 0, false);
	stage_run(s, NS_PER_S);
	s->wire = silent;
	forger_init(&f, s, NULL);
	before = s->actor[0].sent;
	curves = 0;
	for (unsigned i = 0; i < 5000; i++)		/* tag and form are right, the proof is not */
		forge(&f, s, 0, false);
	CU_ASSERT_EQUAL(s->actor[0].sent, before);
	CU_ASSERT_EQUAL(curves, 0);
	CU_ASSERT_EQUAL(s->fx.drops[DROP_PROOF], 5000);
	f.init[4] ^= 1;			/* another tag */
	for (unsigned i = 0; i < 5000; i++)
		forge(&f, s, 0, true);
	CU_ASSERT_EQUAL(s->actor[0].sent, before);
	CU_ASSERT_EQUAL(s->fx.drops[DROP_OVERLAY], 5000);
	stage_free(s);
}

static void a_part_of_a_call_is_worth_no_answer(void)
{
	struct stage *s = stage_new(12, &suite_sodium);
	struct forger f;
	uint64_t before;

	stage_up(s, 0, false);
	stage_run(s, NS_PER_S);
	forger_init(&f, s, NULL);
	before = s->actor[0].sent;
	forge(&f, s, 0, true);
	CU_ASSERT_EQUAL(s->actor[0].sent, before + 1);
	for (size_t len = 0; len <= f.len; len++) {		/* of one that was answered a moment ago */
		struct event ev = { .kind = EVENT_DATAGRAM, .from = endpoint_v4(0x0c000001, 9), .data = { f.init, len } };

		stage_event(s, 0, &ev);
		CU_ASSERT_EQUAL(s->actor[0].sent, before + 1 + (len == f.len));
	}
	stage_free(s);
}

/* ---- every packet of a meeting that needs a cookie ---- */

struct loss {
	unsigned at, seen, cookies, inits;
};

static bool lose_one(struct stage *s, unsigned from, unsigned to, const struct datagram *d, void *arg)
{
	struct loss *l = arg;

	(void)s;
	if (from > 1 || to > 1)
		return true;
	l->cookies += d->kind == MESSAGE_COOKIE;
	l->inits += d->kind == MESSAGE_INIT;
	if (d->kind == MESSAGE_COOKIE) {
		CU_ASSERT_EQUAL(d->len, COOKIE_PACKET);
	}
	return l->seen++ != l->at;
}

static void exhaust(struct forger *f, struct stage *s, unsigned to)
{
	for (unsigned i = 0; i < 300; i++)
		forge(f, s, to, true);
}

static void whichever_packet_is_lost_a_call_with_a_cookie_succeeds(void)
{
	for (unsigned at = 0; at < 10; at++)
		for (unsigned again = 0; again < 2; again++) {
			struct stage *s = stage_new(12, &suite_sodium);
			struct loss l = { .at = at };
			struct forger f;

			forger_init(&f, s, NULL);
			stage_up(s, 0, false);
			stage_run(s, NS_PER_S);
			exhaust(&f, s, 0);
			s->wire = lose_one;
			s->wire_arg = &l;
			stage_up(s, 1, false);
			for (unsigned i = 0; i < (again ? 100 : 1); i++) {
				exhaust(&f, s, 0);
				stage_run(s, 40 * NS_PER_MS);
			}
			stage_run(s, 4 * NS_PER_S);
			CU_ASSERT_TRUE(l.cookies > 0);
			CU_ASSERT_EQUAL(links_up_at(s, 0), 1);
			CU_ASSERT_TRUE(stage_ring_right(s));
			CU_ASSERT_TRUE(l.inits < 20);
			stage_free(s);
		}
}

static void one_proved_host_cannot_take_the_places_of_others(void)
{
	struct suite suite = counted();
	struct stage *s = stage_new(40, &suite);
	struct forger f;

	stage_up(s, 0, false);
	stage_run(s, NS_PER_S);
	forger_init(&f, s, NULL);
	exhaust(&f, s, 0);
	for (unsigned i = 1; i < 40; i++)		/* one machine, many ports, and it does hear the cookies */
		s->actor[i].at = endpoint_v4(0x0a000064u, (uint16_t)(4000 + i));
	s->fx.drops[DROP_RATE] = 0;
	for (unsigned i = 1; i < 40; i++)
		stage_up(s, i, false);
	exhaust(&f, s, 0);
	for (unsigned i = 0; i < 10; i++) {
		exhaust(&f, s, 0);
		stage_run(s, 50 * NS_PER_MS);
	}
	CU_ASSERT_TRUE(s->fx.drops[DROP_RATE] >= 39 - 8);
	CU_ASSERT_TRUE(links_up_at(s, 0) <= 16);
	stage_free(s);
}

CU_TestInfo story_flood_tests[] = {
	{ "a flood of calls keeps nobody out and costs a hash each", a_flood_of_calls_keeps_nobody_out_and_costs_a_hash_each },
	{ "who does not know the overlay hears nothing", who_does_not_know_the_overlay_hears_nothing },
	{ "a part of a call is worth no answer", a_part_of_a_call_is_worth_no_answer },
	{ "whichever packet is lost, a call with a cookie succeeds", whichever_packet_is_lost_a_call_with_a_cookie_succeeds },
	{ "one proved host cannot take the places of others", one_proved_host_cannot_take_the_places_of_others },
	CU_TEST_INFO_NULL
};
