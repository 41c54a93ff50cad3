/* A gate is open until too many knock; then whoever shows that it is where it says it is goes through. */
#include "core/link/cookie.h"
#include "sim/world/model_crypto.h"
#include "tests/unit/ends_lab.h"
#include "tests/unit/suites.h"

struct door {
	struct party p;			/* of both sides: a gate has no key of its own */
	struct effects fx;
	struct gate gate;
	struct handshake hs;
	uint8_t init[HANDSHAKE_MAX], cookie[COOKIE_PACKET];
	size_t len;
};

static void door_init(struct door *d, const struct suite *suite)
{
	const struct bytes none = { NULL, 0 };
	struct writer w = writer_of(d->init, sizeof(d->init));

	memset(d, 0, sizeof(*d));
	CU_ASSERT_EQUAL_FATAL(party_init(&d->p, suite, 1, OVERLAY), FAULT_NONE);
	d->p.env.fx = &d->fx;
	d->p.env.now_ns = 3600 * NS_PER_S;
	CU_ASSERT_TRUE(handshake_call(&d->p.env, &d->hs, &d->p.self, NULL, 0xa1));
	CU_ASSERT_EQUAL(handshake_write(&d->p.env, &d->hs, &d->p.self, none, &w), DROP_NONE);
	d->len = writer_len(&w);
}

static void door_done(struct door *d)
{
	gate_done(&d->p.env, &d->gate);
	CU_ASSERT_EQUAL(d->p.env.mem.used, 0);
}

static enum gate_word knock(struct door *d, const struct caller *who, bool crowded)
{
	return gate_knock(&d->p.env, &d->gate, d->p.config.overlay, (struct bytes){ d->init, d->len }, who, crowded,
			  d->cookie);
}

static enum drop take(struct door *d)
{
	return cookie_take(&d->p.env, d->p.config.overlay, (struct bytes){ d->cookie, COOKIE_PACKET }, d->init, d->len);
}

static void wait_ms(struct door *d, int64_t ms)
{
	d->p.env.now_ns += ms * NS_PER_MS;
}

static struct caller from(uint32_t address, uint16_t port)
{
	struct endpoint at = endpoint_v4(address, port);

	return caller_endpoint(&at);
}

static void two_hundred_at_once_then_a_hundred_a_second(void)
{
	struct caller who = from(0x0a000001, 1);
	unsigned served = 0;
	struct door d;

	door_init(&d, &suite_model);
	for (unsigned i = 0; i < 1000; i++)
		served += knock(&d, &who, false) == GATE_OPEN;
	CU_ASSERT_EQUAL(served, GATE_SPAN_MS / GATE_COST_MS);
	for (unsigned i = 0; i < 10000; i++) {
		wait_ms(&d, 1);
		served += knock(&d, &who, false) == GATE_OPEN;
	}
	CU_ASSERT_EQUAL(served, (GATE_SPAN_MS + 10000) / GATE_COST_MS);
	wait_ms(&d, 60000);
	for (served = 0; knock(&d, &who, false) == GATE_OPEN; served++)
		;
	CU_ASSERT_EQUAL(served, GATE_SPAN_MS / GATE_COST_MS);
	wait_ms(&d, 30LL * 24 * 3600 * 1000);		/* the stamps are 32 bits of milliseconds */
	CU_ASSERT_EQUAL(knock(&d, &who, false), GATE_OPEN);
	wait_ms(&d, 25LL * 24 * 3600 * 1000);
	CU_ASSERT_EQUAL(knock(&d, &who, false), GATE_OPEN);
	door_done(&d);
}

static void bound(const struct suite *suite)
{
	struct endpoint six = { .kind = ENDPOINT_UDP6, .port = 5, .addr = { 0x20, 1, [15] = 1 } };
	struct caller who[] = {
		from(0x0a000001, 4000), from(0x0a000001, 4001), from(0x0a000002, 4000),
		caller_endpoint(&six), caller_id((struct id){ 1, 2 }), caller_id((struct id){ 1, 3 }),
	};
	enum { N = sizeof(who) / sizeof(*who) };

	for (unsigned i = 0; i < N; i++)
		for (unsigned j = 0; j < N; j++) {
			struct door d;

			door_init(&d, suite);
			CU_ASSERT_EQUAL(knock(&d, &who[i], true), GATE_COOKIE);
			CU_ASSERT_EQUAL(d.fx.drops[DROP_COOKIE], 1);
			CU_ASSERT_EQUAL(take(&d), DROP_NONE);
			CU_ASSERT_EQUAL(knock(&d, &who[j], true), i == j ? GATE_OPEN : GATE_COOKIE);
			door_done(&d);
		}
}

static void a_cookie_is_good_for_where_it_was_sent_to_and_for_nobody_else(void)
{
	bound(&suite_sodium);
	bound(&suite_model);
}

static void a_cookie_is_good_for_two_minutes(void)
{
	struct caller who = from(0x0a000001, 4000);
	uint8_t first[COOKIE_PACKET];
	struct door d;

	door_init(&d, &suite_sodium);
	CU_ASSERT_EQUAL(knock(&d, &who, true), GATE_COOKIE);
	CU_ASSERT_EQUAL(take(&d), DROP_NONE);
	memcpy(first, d.cookie, sizeof(first));
	wait_ms(&d, 119999);
	CU_ASSERT_EQUAL(knock(&d, &who, true), GATE_OPEN);
	wait_ms(&d, 1);
	CU_ASSERT_EQUAL(knock(&d, &who, true), GATE_COOKIE);
	CU_ASSERT_NOT_EQUAL(memcmp(first, d.cookie, sizeof(first)), 0);
	CU_ASSERT_EQUAL(take(&d), DROP_NONE);
	CU_ASSERT_EQUAL(knock(&d, &who, true), GATE_OPEN);
	door_done(&d);
}

static void every_changed_bit_of_a_cookie_or_its_proof_is_noticed(void)
{
	struct caller who = from(0x0a000001, 4000);
	uint8_t before[HANDSHAKE_MAX];
	struct door d;

	door_init(&d, &suite_sodium);
	CU_ASSERT_EQUAL(knock(&d, &who, true), GATE_COOKIE);
	memcpy(before, d.init, d.len);
	for (size_t bit = WIRE_SHORT * 8; bit < COOKIE_PACKET * 8; bit++) {
		d.cookie[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CU_ASSERT_EQUAL(take(&d), DROP_SEAL);
		d.cookie[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	CU_ASSERT_EQUAL(memcmp(before, d.init, d.len), 0);
	for (size_t len = 0; len < COOKIE_PACKET; len++)
		CU_ASSERT_EQUAL(cookie_take(&d.p.env, d.p.config.overlay, (struct bytes){ d.cookie, len }, d.init, d.len),
				DROP_SHORT);
	CU_ASSERT_EQUAL(take(&d), DROP_NONE);
	for (size_t bit = 4 * 8; bit < d.len * 8; bit++) {
		enum gate_word word;

		d.init[bit / 8] ^= (uint8_t)(1 << bit % 8);
		word = knock(&d, &who, true);
		CU_ASSERT_EQUAL(word, bit / 8 < d.len - PROOF_BYTES ? GATE_SHUT : GATE_COOKIE);
		d.init[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	CU_ASSERT_EQUAL(knock(&d, &who, true), GATE_OPEN);
	for (size_t len = 0; len < d.len; len++) {
		size_t all = d.len;

		d.len = len;
		CU_ASSERT_EQUAL(knock(&d, &who, true), GATE_SHUT);
		d.len = all;
	}
	/* a cookie for one INIT is none for another, even of the same caller */
	CU_ASSERT_TRUE(handshake_call(&d.p.env, &d.hs, &d.p.self, NULL, 0xa1));
	handshake_vouch(&d.p.env, d.p.config.overlay, d.init, d.len - PROOF_BYTES);
	d.init[WIRE_SHORT + 6] ^= 1;
	handshake_vouch(&d.p.env, d.p.config.overlay, d.init, d.len - PROOF_BYTES);
	CU_ASSERT_EQUAL(take(&d), DROP_SEAL);
	door_done(&d);
}

static void a_host_that_proved_itself_is_served_eight_times_a_second(void)
{
	struct door d;
	unsigned served = 0;

	door_init(&d, &suite_sodium);
	for (uint16_t port = 1; port <= 100; port++) {
		struct caller who = from(0x0a000001, port);

		CU_ASSERT_EQUAL(knock(&d, &who, true), GATE_COOKIE);
		CU_ASSERT_EQUAL(take(&d), DROP_NONE);
		served += knock(&d, &who, true) == GATE_OPEN;
	}
	CU_ASSERT_EQUAL(served, GATE_HOST_INITS);
	CU_ASSERT_EQUAL(d.fx.drops[DROP_RATE], 100 - GATE_HOST_INITS);
	served = 0;
	for (uint32_t host = 1; host <= 100; host++) {		/* a hundred others have accounts of their own, nearly all */
		struct caller who = from(0x0b000000 + host, 1);

		CU_ASSERT_EQUAL(knock(&d, &who, true), GATE_COOKIE);
		CU_ASSERT_EQUAL(take(&d), DROP_NONE);
		served += knock(&d, &who, true) == GATE_OPEN;
	}
	CU_ASSERT_TRUE(served >= 90);
	door_done(&d);
}

static void without_memory_nobody_is_asked_and_nothing_breaks(void)
{
	struct caller who = from(0x0a000001, 4000);
	struct door d;

	door_init(&d, &suite_model);
	d.p.env.mem.quota = 10;
	CU_ASSERT_EQUAL(knock(&d, &who, true), GATE_SHUT);
	CU_ASSERT_EQUAL(d.fx.drops[DROP_MEMORY], 1);
	CU_ASSERT_EQUAL(knock(&d, &who, false), GATE_OPEN);
	d.p.env.mem.quota = 1 << 20;
	CU_ASSERT_EQUAL(knock(&d, &who, true), GATE_COOKIE);
	door_done(&d);
}

/* ---- the same between the ends of tunnels, by mail ---- */

/* A member makes fresh calls of end 1 in the names of ids that it makes up. */
static void mails(struct lab *s, unsigned count)
{
	const struct bytes none = { NULL, 0 };
	struct end *victim = &s->end[1];
	struct party *p = &s->end[2].p;

	for (unsigned i = 0; i < count; i++) {
		uint8_t buf[HANDSHAKE_MAX + 1 + ID_BYTES];
		struct writer w = writer_of(buf, sizeof(buf));
		struct handshake hs;

		write_u8(&w, 1);
		write_id(&w, network_of(s->network));
		CU_ASSERT_TRUE(handshake_call_in(&p->env, &hs, &s->end[2].member.self, s->network + KEY_BYTES, NULL, 9));
		CU_ASSERT_EQUAL(handshake_write(&p->env, &hs, &s->end[2].member.self, none, &w), DROP_NONE);
		tunnels_mail(begin(s, 1), victim->tunnels, (struct id){ 77, i }, NULL,
			     (struct bytes){ buf, writer_len(&w) });
		collect(s, 1);
	}
}

static void a_flood_of_mail_keeps_no_member_out(void)
{
	struct lab *s = lab_new(3, false);
	struct tunnel_view v;

	mails(s, 300);
	CU_ASSERT_TRUE(s->end[1].fx.drops[DROP_COOKIE] > 200);
	CU_ASSERT_EQUAL(s->end[1].fx.drops[DROP_RATE], 0);
	send(s, 0, 1, 5, 100, NULL);
	for (unsigned i = 0; i < 20; i++) {
		mails(s, 20);
		run(s, 20);
	}
	run(s, 500);
	CU_ASSERT_EQUAL(s->end[1].got, 1);
	CU_ASSERT_EQUAL(s->end[1].first[0], 5);
	CU_ASSERT_TRUE(view(s, 0, &v));
	run(s, 10000);
	lab_free(s);
}

CU_TestInfo cookie_tests[] = {
	{ "two hundred at once, then a hundred a second", two_hundred_at_once_then_a_hundred_a_second },
	{ "a cookie is good for where it was sent to and for nobody else",
	  a_cookie_is_good_for_where_it_was_sent_to_and_for_nobody_else },
	{ "a cookie is good for two minutes", a_cookie_is_good_for_two_minutes },
	{ "every changed bit of a cookie or its proof is noticed",
	  every_changed_bit_of_a_cookie_or_its_proof_is_noticed },
	{ "a host that proved itself is served eight times a second",
	  a_host_that_proved_itself_is_served_eight_times_a_second },
	{ "without memory nobody is asked and nothing breaks", without_memory_nobody_is_asked_and_nothing_breaks },
	{ "a flood of mail keeps no member out", a_flood_of_mail_keeps_no_member_out },
	CU_TEST_INFO_NULL
};
