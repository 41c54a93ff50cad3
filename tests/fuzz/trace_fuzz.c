/* ON: node/prog sim/engine/chance.c sim/world/trace.c */
/* trace_fuzz.c - churn traces from anybody: refused with a message, or sessions in order */
#include <assert.h>

#include "node/prog/units.h"
#include "sim/world/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct trace *t)
{
	for (uint32_t i = 0; i < trace_hosts(t); i++) {
		int64_t now = trace_first_ns(t, i), end;

		assert(now >= 0 && now < INT64_MAX);
		do {
			end = trace_end_ns(t, i, now);
			assert(end > now);
			if (end == INT64_MAX)
				break;
			now = trace_start_ns(t, i, end);
			assert(now > end);
		} while (now != INT64_MAX);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trace_window w = { .speed = 1, .scale_ppb = PPB_ONE, .seed = 1 };
	struct fail f = { 0 };
	struct trace *t;

	if (size < 2)
		return 0;
	w.speed = 1 + data[0] % 100;
	w.start_ns = (data[1] & 7) * NS_PER_S;
	w.length_ns = (data[1] >> 3 & 7) * NS_PER_S;
	w.spread_ns = (data[1] & 64) ? NS_PER_H : 0;
	w.join_over_ns = (data[1] & 128) ? 10 * NS_PER_S : 0;
	t = trace_parse("t", (const char *)data + 2, size - 2, &w, &f);
	assert(!t == failed(&f));
	if (t)
		walk(t);
	trace_free(t);
	fail_done(&f);
	return 0;
}
