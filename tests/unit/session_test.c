/* A session opens each packet once, in any order its window allows, and nothing else. */
#include "sim/world/model_crypto.h"
#include "tests/unit/party.h"
#include "tests/unit/suites.h"

enum { ROOM = 256 };

struct wire {
	uint8_t bytes[ROOM];
	size_t len;
};

struct ends {
	const struct suite *suite;
	struct party a, b;
	struct session *from, *to;
};

static void ends_init(struct ends *x, const struct suite *suite, unsigned lanes)
{
	x->suite = suite;
	party_env(&x->a, suite, 1);
	party_env(&x->b, suite, 2);
	party_sessions(&x->a, &x->b, lanes, &x->from, &x->to);
	CU_ASSERT_PTR_NOT_NULL_FATAL(x->from);
	CU_ASSERT_PTR_NOT_NULL_FATAL(x->to);
}

static void ends_done(struct ends *x)
{
	session_free(&x->a.env, x->from);
	session_free(&x->b.env, x->to);
	CU_ASSERT_EQUAL(x->a.env.mem.used, 0);
	CU_ASSERT_EQUAL(x->b.env.mem.used, 0);
}

static struct wire seal(struct ends *x, unsigned lane, const char *text)
{
	struct wire w = { .len = strlen(text) };

	memcpy(w.bytes + WIRE_HEADER, text, w.len);
	w.len = session_seal(x->suite, x->from, lane, PACKET_LINK, 0, w.bytes, w.len);
	return w;
}

static enum drop open(struct ends *x, const struct wire *w)
{
	uint8_t out[ROOM];
	struct opened o;

	return session_open(x->suite, x->to, w->bytes, w->len, out, &o);
}

/* pretend that @n packets were sealed and lost */
static void skip(struct ends *x, unsigned lane, uint64_t n)
{
	uint8_t packet[ROOM];

	while (n--)
		session_seal(x->suite, x->from, lane, PACKET_LINK, 0, packet, 1);
}

/* white box: 24 bytes of counters, then the keys to send and to receive with */
static const uint8_t *lane_keys(const struct session *s, unsigned lane)
{
	return (const uint8_t *)s->body + lane * (24 + 2u * s->key_bytes) + 24;
}

static void with_both(void (*test)(const struct suite *))
{
	test(&suite_sodium);
	test(&suite_model);
}

static void opens(const struct suite *suite)
{
	struct ends x;
	struct wire w;
	uint8_t out[ROOM];
	struct opened o;

	ends_init(&x, suite, 1);
	CU_ASSERT_FALSE(x.to->confirmed);
	CU_ASSERT_EQUAL(session_heard(x.to, 0), 0);
	memcpy(w.bytes + WIRE_HEADER, "hello", 5);
	w.len = session_seal(suite, x.from, 0, PACKET_DATA, FLAG_FRAGMENT, w.bytes, 5);
	CU_ASSERT_EQUAL_FATAL(w.len, 5 + SESSION_OVERHEAD);
	CU_ASSERT_EQUAL(w.bytes[0], WIRE_VERSION << 4 | PACKET_DATA);
	CU_ASSERT_EQUAL(memcmp(w.bytes + 4, "\0\0\0\xb2", 4), 0);
	w.bytes[3] = 9;					/* a relay counts a hop ... */
	memset(w.bytes + 4, 0x5a, 4);			/* ... and swaps the label */
	CU_ASSERT_EQUAL(session_open(suite, x.to, w.bytes, w.len, out, &o), DROP_NONE);
	CU_ASSERT_TRUE(o.len == 5 && !memcmp(out, "hello", 5));
	CU_ASSERT_TRUE(o.type == PACKET_DATA && o.flags == FLAG_FRAGMENT && o.lane == 0 && !o.counter);
	CU_ASSERT_TRUE(x.to->confirmed);
	CU_ASSERT_EQUAL(session_sent(x.from, 0), 1);
	CU_ASSERT_EQUAL(session_heard(x.to, 0), 1);
	w.len = session_seal(suite, x.from, 0, PACKET_LINK, 0, w.bytes, 0);
	CU_ASSERT_EQUAL(session_open(suite, x.to, w.bytes, w.len, w.bytes + WIRE_HEADER, &o), DROP_NONE);
	CU_ASSERT_TRUE(o.len == 0 && o.counter == 1);
	ends_done(&x);
}

static void a_sealed_packet_opens_at_the_other_end(void)
{
	with_both(opens);
}

/* Positions around the window's far edge, each with its verdict */
static void edges(const struct suite *suite)
{
	enum { N = 200 };
	static struct wire w[N];
	static const struct { unsigned top, late; enum drop want; } CASE[] = {
		{ 0, 0, DROP_REPLAY }, { 1, 0, DROP_NONE }, { 63, 0, DROP_NONE },
		{ 64, 0, DROP_REPLAY }, { 64, 1, DROP_NONE }, { 65, 1, DROP_REPLAY },
		{ 65, 2, DROP_NONE }, { 128, 64, DROP_REPLAY }, { 128, 65, DROP_NONE },
		{ 199, 135, DROP_REPLAY }, { 199, 136, DROP_NONE }, { 199, 198, DROP_NONE },
		{ 199, 199, DROP_REPLAY }, { 199, 0, DROP_REPLAY },
	};

	for (size_t i = 0; i < sizeof(CASE) / sizeof(CASE[0]); i++) {
		struct ends x;

		ends_init(&x, suite, 1);
		for (unsigned n = 0; n < N; n++)
			w[n] = seal(&x, 0, "x");
		CU_ASSERT_EQUAL(open(&x, &w[CASE[i].top]), DROP_NONE);
		CU_ASSERT_EQUAL(open(&x, &w[CASE[i].late]), CASE[i].want);
		CU_ASSERT_EQUAL(open(&x, &w[CASE[i].late]), DROP_REPLAY);
		CU_ASSERT_EQUAL(session_heard(x.to, 0), CASE[i].top + 1);
		ends_done(&x);
	}
}

static void the_window_ends_where_it_says(void)
{
	with_both(edges);
}

/* a clever window beside a dull one: a list of everything that was opened */
static void the_window_agrees_with_a_dull_one(void)
{
	enum { N = 4000 };
	static struct wire w[N];
	static bool seen[N];
	struct ends x;
	unsigned top = 0, taken = 0, refused = 0;
	bool any = false;

	ends_init(&x, &suite_model, 1);
	memset(seen, 0, sizeof(seen));
	for (unsigned n = 0; n < N; n++)
		w[n] = seal(&x, 0, "x");
	for (unsigned i = 0; i < 40000; i++) {
		/* mostly around the top, now and then a jump */
		unsigned jump = random_below(&x.a.env.random, 100) ? 0 : 70;
		unsigned at = top + 3 + jump - random_below(&x.a.env.random, top < 90 ? top + 3 : 90);
		enum drop want;

		if (at >= N)
			break;
		want = (any && at + SESSION_WINDOW <= top) || seen[at] ? DROP_REPLAY : DROP_NONE;
		CU_ASSERT_EQUAL_FATAL(open(&x, &w[at]), want);
		if (want) {
			refused++;
			continue;
		}
		taken++;
		seen[at] = any = true;
		if (at > top)
			top = at;
	}
	CU_ASSERT_TRUE(taken > 300 && refused > 300);
	ends_done(&x);
}

static void corrupt(const struct suite *suite)
{
	struct ends x;
	struct wire w;

	ends_init(&x, suite, 2);
	w = seal(&x, 1, "forty two bytes of text or something close");
	for (size_t bit = 0; bit < w.len * 8; bit++) {
		size_t at = bit / 8;
		enum drop got, want = DROP_SEAL;

		if (at >= 2 && at < 8)		/* hops, receiver: the relays' */
			continue;
		w.bytes[at] ^= (uint8_t)(1u << bit % 8);
		got = open(&x, &w);
		w.bytes[at] ^= (uint8_t)(1u << bit % 8);
		if (at == 0 && bit >= 4)
			want = DROP_VERSION;
		else if (at == 0)		/* LINK is 4: one flip makes it DATA, 5 */
			want = bit == 0 ? DROP_SEAL : DROP_TYPE;
		else if (at == 8)		/* of two lanes */
			want = bit % 8 == 0 ? DROP_SEAL : DROP_RANGE;
		else if (at >= 9 && at <= 12)	/* 2^25 packets and more ahead */
			want = at == 12 && bit % 8 == 0 ? DROP_SEAL : DROP_RANGE;
		CU_ASSERT_EQUAL(got, want);
	}
	for (size_t len = w.len; len--;) {
		struct wire cut = w;

		cut.len = len;
		CU_ASSERT_EQUAL(open(&x, &cut), len < SESSION_OVERHEAD ? DROP_SHORT : DROP_SEAL);
	}
	CU_ASSERT_FALSE(x.to->confirmed);
	CU_ASSERT_EQUAL(session_heard(x.to, 1), 0);
	CU_ASSERT_EQUAL(open(&x, &w), DROP_NONE);
	w.bytes[w.len - 1] ^= 1;
	CU_ASSERT_EQUAL(open(&x, &w), DROP_REPLAY);	/* its counter is looked at before its seal */
	ends_done(&x);
}

static void a_changed_bit_or_a_missing_byte_does_not_open(void)
{
	with_both(corrupt);
}

static void misdirected(const struct suite *suite)
{
	struct ends x;
	struct wire w;
	uint8_t out[ROOM];
	struct opened o;
	struct session_keys k = { .cipher = CIPHER_CHACHA };
	struct session *other;

	ends_init(&x, suite, 1);
	w = seal(&x, 0, "x");
	CU_ASSERT_EQUAL(session_open(suite, x.from, w.bytes, w.len, out, &o), DROP_SEAL);
	/* the same keys of Split(), with another index at either end */
	party_seed(k.receive, 500);
	party_seed(k.send, 501);
	for (unsigned i = 0; i < 3; i++) {
		k.index = i == 1 ? 0xb3 : 0xb2;
		k.peer_index = i == 2 ? 0xa2 : 0xa1;
		other = session_new(&x.b.env, &k, 1);
		CU_ASSERT_EQUAL(session_open(suite, other, w.bytes, w.len, out, &o), i ? DROP_SEAL : DROP_NONE);
		session_free(&x.b.env, other);
	}
	CU_ASSERT_EQUAL(open(&x, &w), DROP_NONE);
	ends_done(&x);
}

static void a_packet_does_not_open_at_its_sender_or_in_another_session(void)
{
	with_both(misdirected);
}

static void lanes(const struct suite *suite)
{
	struct ends x;
	struct wire first[WIRE_LANES], second;

	ends_init(&x, suite, WIRE_LANES);
	for (unsigned i = 0; i < WIRE_LANES; i++) {
		first[i] = seal(&x, i, "same text");
		CU_ASSERT_EQUAL(session_sent(x.from, i), 1);
	}
	for (unsigned i = 1; i < WIRE_LANES; i++)
		CU_ASSERT_NOT_EQUAL(memcmp(lane_keys(x.from, 0), lane_keys(x.from, i),
					   suite->key_bytes), 0);
	skip(&x, 1, 100);
	second = seal(&x, 1, "x");
	CU_ASSERT_EQUAL(open(&x, &second), DROP_NONE);
	CU_ASSERT_EQUAL(open(&x, &first[1]), DROP_REPLAY);	/* below lane 1's window ... */
	CU_ASSERT_EQUAL(open(&x, &first[0]), DROP_NONE);	/* ... and no other's */
	CU_ASSERT_EQUAL(open(&x, &first[3]), DROP_NONE);
	CU_ASSERT_EQUAL(session_heard(x.to, 1), 102);
	CU_ASSERT_EQUAL(session_heard(x.to, 2), 0);
	first[2].bytes[8] = 1;					/* moved to another lane */
	CU_ASSERT_NOT_EQUAL(open(&x, &first[2]), DROP_NONE);
	first[2].bytes[8] = WIRE_LANES;
	CU_ASSERT_EQUAL(open(&x, &first[2]), DROP_RANGE);
	ends_done(&x);
}

static void lanes_have_counters_windows_and_keys_of_their_own(void)
{
	with_both(lanes);
}

/* Packets around an epoch's end, in the worst orders a window allows */
static void ratchets(const struct suite *suite)
{
	enum { AROUND = 80 };
	static struct wire w[2 * AROUND];
	struct ends x;
	uint8_t key[2][KEY_BYTES];
	const uint8_t *receive;

	ends_init(&x, suite, 1);
	receive = lane_keys(x.to, 0) + suite->key_bytes;
	memcpy(key[0], receive, suite->key_bytes);
	for (unsigned epoch = 1; epoch <= (suite == &suite_model ? 3 : 1); epoch++) {
		skip(&x, 0, SESSION_EPOCH - AROUND - session_sent(x.from, 0) % SESSION_EPOCH);
		for (unsigned i = 0; i < 2 * AROUND; i++)
			w[i] = seal(&x, 0, "x");
		/* the first packet of the new key, then the last ones of the old, falling */
		CU_ASSERT_EQUAL(open(&x, &w[AROUND]), DROP_NONE);
		for (unsigned i = 1; i < SESSION_WINDOW; i++)
			CU_ASSERT_EQUAL(open(&x, &w[AROUND - i]), DROP_NONE);
		CU_ASSERT_EQUAL(open(&x, &w[AROUND - SESSION_WINDOW]), DROP_REPLAY);
		/* 62 on: the last old one may still come; 63 on: its key is still held; then gone */
		CU_ASSERT_EQUAL(open(&x, &w[AROUND + 62]), DROP_NONE);
		CU_ASSERT_EQUAL(open(&x, &w[AROUND - 1]), DROP_REPLAY);
		memcpy(key[1], receive, suite->key_bytes);
		CU_ASSERT_EQUAL(memcmp(key[0], key[1], suite->key_bytes), 0);
		CU_ASSERT_EQUAL(open(&x, &w[AROUND + 63]), DROP_NONE);
		memcpy(key[1], receive, suite->key_bytes);
		CU_ASSERT_NOT_EQUAL(memcmp(key[0], key[1], suite->key_bytes), 0);
		CU_ASSERT_EQUAL(open(&x, &w[AROUND - 1]), DROP_REPLAY);
		CU_ASSERT_EQUAL(open(&x, &w[AROUND + 1]), DROP_NONE);
		CU_ASSERT_EQUAL(open(&x, &w[AROUND + 79]), DROP_NONE);
		memcpy(key[0], key[1], suite->key_bytes);
	}
	ends_done(&x);
}

static void keys_ratchet_at_an_epochs_end_whatever_the_order(void)
{
	with_both(ratchets);
}

static void a_key_is_not_made_of_the_next_one(void)
{
	struct ends x;
	struct wire old, new;

	ends_init(&x, &suite_model, 1);
	old = seal(&x, 0, "x");
	skip(&x, 0, SESSION_EPOCH + 100);
	new = seal(&x, 0, "x");
	CU_ASSERT_EQUAL(open(&x, &new), DROP_NONE);
	x.to->body[1] = x.to->body[2] = 0;	/* a thief of this state rewinds the window */
	CU_ASSERT_EQUAL(open(&x, &old), DROP_SEAL);
	ends_done(&x);
}

static void epochs_lost_whole_do_not_break_a_session(void)
{
	struct ends x;
	struct wire w;

	ends_init(&x, &suite_model, 1);
	skip(&x, 0, 3 * SESSION_EPOCH - 1);		/* three million lost in a row */
	w = seal(&x, 0, "x");
	CU_ASSERT_EQUAL(open(&x, &w), DROP_NONE);
	w = seal(&x, 0, "x");
	CU_ASSERT_EQUAL(open(&x, &w), DROP_NONE);
	CU_ASSERT_EQUAL(session_heard(x.to, 0), 3 * SESSION_EPOCH + 1);
	ends_done(&x);
}

static void far_ahead(const struct suite *suite)
{
	struct ends x;
	struct wire w;

	ends_init(&x, suite, 1);
	w = seal(&x, 0, "x");
	w.bytes[12] = 1;			/* epoch 16: looked at, and forged */
	CU_ASSERT_EQUAL(open(&x, &w), DROP_SEAL);
	w.bytes[13] = 0x10;			/* epoch 17 */
	CU_ASSERT_EQUAL(open(&x, &w), DROP_RANGE);
	ends_done(&x);
}

static void a_counter_too_far_ahead_is_refused_unread(void)
{
	with_both(far_ahead);
}

static void limits(const struct suite *suite)
{
	struct ends x;
	struct wire w;

	ends_init(&x, suite, 1);
	CU_ASSERT_FALSE(session_worn(x.from));
	x.from->body[0] = SESSION_LIMIT / 2;
	CU_ASSERT_TRUE(session_worn(x.from));
	x.from->body[0] = SESSION_LIMIT - 1;
	w = seal(&x, 0, "x");
	CU_ASSERT_NOT_EQUAL(w.len, 0);
	w = seal(&x, 0, "x");
	CU_ASSERT_EQUAL(w.len, 0);
	CU_ASSERT_EQUAL(session_sent(x.from, 0), SESSION_LIMIT);
	ends_done(&x);
}

static void counters_end_before_nonces_repeat(void)
{
	with_both(limits);
}

static void a_session_costs_what_its_header_says(void)
{
	struct ends x;
	struct party p;
	struct session_keys k = { .index = 1 };

	CU_ASSERT_EQUAL(session_bytes(&suite_sodium, 1), 104);
	CU_ASSERT_EQUAL(session_bytes(&suite_model, 1), 56);
	CU_ASSERT_EQUAL(session_bytes(&suite_sodium, WIRE_LANES), 16 + 4 * 88);
	ends_init(&x, &suite_model, 1);
	CU_ASSERT_EQUAL(x.a.env.mem.used, 56);
	ends_done(&x);
	party_env(&p, &suite_sodium, 1);
	p.env.mem.quota = 103;
	CU_ASSERT_PTR_NULL(session_new(&p.env, &k, 1));
	session_free(&p.env, NULL);
}

static void age_is_counted_from_birth(void)
{
	struct ends x;

	ends_init(&x, &suite_model, 1);
	x.a.env.now_ns = 90 * NS_PER_S;
	CU_ASSERT_EQUAL(session_age_ms(&x.a.env, x.from), 90000);
	ends_done(&x);
}

CU_TestInfo session_tests[] = {
	{ "a sealed packet opens at the other end", a_sealed_packet_opens_at_the_other_end },
	{ "the window ends where it says", the_window_ends_where_it_says },
	{ "the window agrees with a dull one", the_window_agrees_with_a_dull_one },
	{ "a changed bit or a missing byte does not open", a_changed_bit_or_a_missing_byte_does_not_open },
	{ "a packet does not open at its sender or in another session",
	  a_packet_does_not_open_at_its_sender_or_in_another_session },
	{ "lanes have counters, windows and keys of their own",
	  lanes_have_counters_windows_and_keys_of_their_own },
	{ "keys ratchet at an epoch's end, whatever the order",
	  keys_ratchet_at_an_epochs_end_whatever_the_order },
	{ "a key is not made of the next one", a_key_is_not_made_of_the_next_one },
	{ "epochs lost whole do not break a session", epochs_lost_whole_do_not_break_a_session },
	{ "a counter too far ahead is refused unread", a_counter_too_far_ahead_is_refused_unread },
	{ "counters end before nonces repeat", counters_end_before_nonces_repeat },
	{ "a session costs what its header says", a_session_costs_what_its_header_says },
	{ "age is counted from birth", age_is_counted_from_birth },
	CU_TEST_INFO_NULL
};
