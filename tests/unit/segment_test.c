/* A LAN segment: learns, floods, forgets, notices loops. */
#include "tests/unit/suites.h"

#include <stdlib.h>
#include <string.h>

#include "sim/guest/segment.h"

static struct segment *made(unsigned ports)
{
	struct segment *s = segment_init(calloc(1, segment_bytes(ports)), ports);

	for (unsigned i = 0; i < ports; i++) {
		CU_ASSERT_EQUAL(segment_plug(s, 100 + i, i), i);
		segment_set(s, i, true);
	}
	return s;
}

static unsigned pass(struct segment *s, int64_t now_ns, unsigned port, uint8_t dst, uint8_t src, uint16_t *out)
{
	uint8_t frame[60] = { 0 };

	memset(frame, dst == 0xff ? 0xff : 0, 6);
	frame[0] = dst == 0xff ? 0xff : 2;
	frame[5] = dst;
	frame[6] = 2;
	frame[11] = src;
	return segment_frame(s, now_ns, port, frame, sizeof(frame), out);
}

static void unknown_is_flooded_known_is_not(void)
{
	struct segment *s = made(4);
	uint16_t out[4];

	CU_ASSERT_EQUAL(pass(s, 0, 0, 2, 1, out), 3);
	CU_ASSERT(out[0] == 1 && out[1] == 2 && out[2] == 3);
	CU_ASSERT_EQUAL(pass(s, 1, 2, 1, 2, out), 1);
	CU_ASSERT_EQUAL(out[0], 0);
	CU_ASSERT_EQUAL(pass(s, 2, 0, 2, 1, out), 1);
	CU_ASSERT_EQUAL(out[0], 2);
	CU_ASSERT_EQUAL(pass(s, 3, 0, 0xff, 1, out), 3);
	CU_ASSERT_EQUAL(pass(s, 4, 0, 1, 9, out), 0);		/* to where it came from */
	CU_ASSERT_EQUAL(s->filtered, 1);
	free(s);
}

static void macs_age_move_and_go_with_their_port(void)
{
	struct segment *s = made(3);
	uint16_t out[3];

	pass(s, 0, 0, 9, 1, out);
	CU_ASSERT_EQUAL(pass(s, SEGMENT_AGEING_NS, 1, 1, 2, out), 1);
	CU_ASSERT_EQUAL(pass(s, SEGMENT_AGEING_NS + 1, 1, 1, 2, out), 2);	/* forgotten */
	pass(s, SEGMENT_AGEING_NS + 2, 2, 9, 1, out);				/* moved to port 2 */
	CU_ASSERT_EQUAL(pass(s, SEGMENT_AGEING_NS + 3, 1, 1, 2, out), 1);
	CU_ASSERT_EQUAL(out[0], 2);
	segment_set(s, 2, false);
	CU_ASSERT_EQUAL(pass(s, SEGMENT_AGEING_NS + 4, 1, 1, 2, out), 1);	/* flooded: port 0 alone is left */
	CU_ASSERT_EQUAL(out[0], 0);
	CU_ASSERT_EQUAL(pass(s, SEGMENT_AGEING_NS + 5, 2, 9, 1, out), 0);	/* nothing comes out of a dead port */
	free(s);
}

static void two_ports_are_a_cable(void)
{
	struct segment *s = made(2);
	uint16_t out[2];

	CU_ASSERT_EQUAL(s->slots, 0);
	CU_ASSERT_EQUAL(pass(s, 0, 0, 9, 1, out), 1);
	CU_ASSERT_EQUAL(pass(s, 0, 1, 1, 1, out), 1);		/* learns nothing, filters nothing */
	CU_ASSERT_EQUAL(s->loops, 0);
	free(s);
}

static void a_loop_is_seen_and_does_not_stop_time(void)
{
	/* ports 1 and 2 of two switches are bridged: every broadcast goes round both ways, for ever */
	struct segment *side[2] = { made(3), made(3) };
	struct { uint8_t side, port; } way[20000] = { { 0, 0 } };
	unsigned first = 0, end = 1;

	while (first < end && end < 19990) {
		uint16_t out[3];
		unsigned on = way[first].side, n = pass(side[on], 0, way[first].port, 0xff, 1, out);

		first++;
		for (unsigned i = 0; i < n; i++)
			if (out[i]) {
				way[end].side = !on;
				way[end++].port = (uint8_t)out[i];
			}
	}
	CU_ASSERT(first == end && end < 19990);
	CU_ASSERT(side[0]->loops > 100);
	CU_ASSERT(side[0]->storms + side[1]->storms > 0);
	free(side[0]);
	free(side[1]);
}

static void rubbish_is_dropped(void)
{
	struct segment *s = made(3);
	uint8_t frame[14] = { 2, [6] = 3 };
	uint16_t out[3];

	CU_ASSERT_EQUAL(segment_frame(s, 0, 0, frame, 13, out), 0);
	CU_ASSERT_EQUAL(segment_frame(s, 0, 0, frame, 14, out), 0);	/* from a group address */
	CU_ASSERT_EQUAL(s->bad, 2);
	free(s);
}

static void many_macs_share_a_bounded_table(void)
{
	struct segment *s = made(8);
	uint16_t out[8];

	for (unsigned i = 0; i < 250; i++)
		pass(s, i, i % 7, 0xff, (uint8_t)i, out);
	for (unsigned i = 0; i < 250; i++) {
		unsigned n = pass(s, 1000, 7, (uint8_t)i, 251, out);

		CU_ASSERT(n == 7 || (n == 1 && out[0] == i % 7));
	}
	free(s);
}

CU_TestInfo segment_tests[] = {
	{ "what is unknown is flooded, what is known is not", unknown_is_flooded_known_is_not },
	{ "MACs age, move, and go with their port", macs_age_move_and_go_with_their_port },
	{ "two ports are a cable", two_ports_are_a_cable },
	{ "a loop is seen and does not stop time", a_loop_is_seen_and_does_not_stop_time },
	{ "rubbish is dropped", rubbish_is_dropped },
	{ "many MACs share a bounded table", many_macs_share_a_bounded_table },
	CU_TEST_INFO_NULL
};
