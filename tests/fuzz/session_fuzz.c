/* ON: core/base core/seal */
/*
 * session_fuzz.c - packets from strangers into a session, with real seals and with none
 *
 * Input: packets, each behind one byte of length. What opens once never opens
 * again; what fails leaves the session as it was.
 */
#include <assert.h>

#include "tests/fuzz/yes_suite.h"
#include "tests/unit/party.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed(const struct suite *suite, struct session *s, const uint8_t *data, size_t size)
{
	struct reader r = reader_of(data, size);
	size_t bytes = session_bytes(suite, s->lanes);
	uint8_t before[512], out[256];
	struct opened o;

	assert(bytes <= sizeof(before));
	while (!reader_done(&r)) {
		size_t len = read_u8(&r);
		const uint8_t *packet = read_take(&r, len);
		enum drop d;

		if (!packet)
			return;
		memcpy(before, s, bytes);
		d = session_open(suite, s, packet, len, out, &o);
		assert(d < DROP_COUNT);
		if (d) {
			assert(!memcmp(before, s, bytes));
			continue;
		}
		assert(suite != &suite_sodium);
		assert(o.len + SESSION_OVERHEAD == len && o.lane < s->lanes && s->confirmed);
		assert(session_heard(s, o.lane) > o.counter);
		assert(session_open(suite, s, packet, len, out, &o) == DROP_REPLAY);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct suite yes = yes_suite();
	const struct suite *suites[] = { &suite_sodium, &yes };

	for (unsigned i = 0; i < 2; i++) {
		static struct party a, b;
		struct session *sa, *sb;

		party_env(&a, suites[i], 1);
		party_env(&b, suites[i], 2);
		party_sessions(&a, &b, 2, &sa, &sb);
		feed(suites[i], sb, data, size);
		session_free(&a.env, sa);
		session_free(&b.env, sb);
	}
	return 0;
}
