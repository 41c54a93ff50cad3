/* Datagrams on their way out: which of them are one effect. */
#include <string.h>

#include "tests/unit/bare.h"
#include "tests/unit/suites.h"

static struct datagram sends[128];
static uint8_t bytes[128 << 10];

static void begin(struct bare *b, uint32_t offloads)
{
	bare_init(b, 1);
	b->fx.send = sends;
	b->fx.max_sends = 128;
	b->fx.bytes = bytes;
	b->fx.max_bytes = sizeof(bytes);
	b->env.offloads = offloads;
}

static void out(struct env *e, const struct endpoint *to, size_t len, uint8_t kind)
{
	struct writer w = env_send(e, len);

	memset(write_space(&w, len), kind, len);
	env_sent(e, &w, to, kind);
}

static void one_size_for_one_place_is_one_effect(void)
{
	struct endpoint a = endpoint_v4(0x0a000001, 1), z = endpoint_v4(0x0a000001, 2);
	struct bare b;

	begin(&b, CAN_SEGMENT);
	for (unsigned i = 0; i < 3; i++)
		out(&b.env, &a, 100, 7);
	out(&b.env, &a, 99, 7);			/* the last one may be shorter ... */
	CU_ASSERT_EQUAL_FATAL(b.fx.sends, 1);
	CU_ASSERT(b.fx.send[0].segment == 100 && b.fx.send[0].len == 399 && datagrams_of(&b.fx.send[0]) == 4);
	out(&b.env, &a, 99, 7);			/* ... and is the last */
	out(&b.env, &a, 100, 7);		/* longer */
	out(&b.env, &z, 100, 7);		/* elsewhere */
	out(&b.env, &z, 100, 8);		/* of another kind */
	CU_ASSERT_EQUAL_FATAL(b.fx.sends, 5);
	env_scratch(&b.env, 8);
	out(&b.env, &z, 100, 8);		/* not behind the other */
	CU_ASSERT_EQUAL(b.fx.sends, 6);
	for (unsigned i = 1; i < b.fx.sends; i++)
		CU_ASSERT(!b.fx.send[i].segment && datagrams_of(&b.fx.send[i]) == 1);
	bare_done(&b);
}

static void an_effect_has_bounds(void)
{
	struct endpoint a = endpoint_v4(0x0a000001, 1);
	struct bare b;

	begin(&b, CAN_SEGMENT);
	for (unsigned i = 0; i < SEGMENTS_MAX + 1; i++)
		out(&b.env, &a, 10, 7);
	CU_ASSERT_EQUAL(b.fx.sends, 2);
	for (unsigned i = 0; i < SEGMENTS_BYTES / 1500 + 1; i++)
		out(&b.env, &a, 1500, 7);
	CU_ASSERT_EQUAL(b.fx.sends, 4);
	CU_ASSERT_TRUE(b.fx.send[2].len <= SEGMENTS_BYTES);
	bare_done(&b);
}

static void a_host_that_cannot_gets_them_one_by_one(void)
{
	struct endpoint a = endpoint_v4(0x0a000001, 1);
	struct bare b;

	begin(&b, 0);
	for (unsigned i = 0; i < 3; i++)
		out(&b.env, &a, 100, 7);
	CU_ASSERT_EQUAL(b.fx.sends, 3);
	CU_ASSERT_EQUAL(b.fx.send[0].segment, 0);
	bare_done(&b);
}

CU_TestInfo env_tests[] = {
	{ "one size for one place is one effect", one_size_for_one_place_is_one_effect },
	{ "an effect has bounds", an_effect_has_bounds },
	{ "a host that cannot gets them one by one", a_host_that_cannot_gets_them_one_by_one },
	CU_TEST_INFO_NULL
};
