/* ON: core/base core/link/remember.c core/link/contact.c */
/*
 * remember_fuzz.c - a memory from a lying disk, then a life with it
 *
 * Input: length of the blob 2, the blob, then steps of two bytes: what happens
 * and to whom. A refused blob takes nothing; what was taken is written and read
 * back the same; every bound holds after every step.
 */
#include <assert.h>

#include "core/link/remember.h"
#include "tests/unit/bare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void holds(const struct remember *m, const struct bare *b)
{
	struct contact x, y;

	assert(m->count <= REMEMBER_MAX && m->count <= m->cap);
	assert(remember_bytes(m) == b->env.mem.used);
	for (unsigned i = 0; remember_at(m, i, &x); i++) {
		assert(x.has_id && x.ats && x.ats <= REMEMBER_AT);
		for (unsigned j = 0; j < x.ats; j++)
			assert(endpoint_valid(&x.at[j]));
		for (unsigned j = 0; j < i; j++)
			assert(remember_at(m, j, &y) && !id_eq(x.id, y.id));
	}
}

static void written_and_read_it_is_the_same(const struct remember *m)
{
	uint8_t once[REMEMBER_BYTES], twice[REMEMBER_BYTES];
	struct writer w = writer_of(once, sizeof(once)), v = writer_of(twice, sizeof(twice));
	struct remember copy;
	struct bare b;

	bare_init(&b, 2);
	remember_init(&copy);
	remember_write(m, &w);
	assert(!w.bad);
	assert(remember_read(&copy, &b.env, (struct bytes){ once, writer_len(&w) }) == DROP_NONE);
	remember_write(&copy, &v);
	assert(writer_len(&w) == writer_len(&v) && !memcmp(once, twice, writer_len(&w)));
	remember_done(&copy, &b.env);
	assert(bare_done(&b));
}

/* Somebody remembered, or a stranger. */
static struct contact somebody(const struct remember *m, uint8_t n)
{
	struct contact c = {
		.id = { n, 1 }, .has_id = true, .has_key = n & 1, .ats = 1,
		.at = { endpoint_v4(0x0a000000u + n, (uint16_t)(1 + n)) },
	};

	remember_at(m, n, &c);
	return c;
}

static void step(struct remember *m, struct bare *b, uint8_t what, uint8_t whom)
{
	struct contact c = somebody(m, whom), out;
	int64_t next = remember_next_ns(m);

	switch (what % 9) {
	case 0:
		remember_add(m, &b->env, &c, what & 0x80);
		break;
	case 1:
		remember_met(m, &b->env, c.id);
		break;
	case 2:
		remember_parted(m, &b->env, c.id, what & 0x80);
		break;
	case 3:
		remember_failed(m, &b->env, c.id);
		break;
	case 4:
		remember_forget(m, c.id);
		break;
	case 5:
		assert(remember_due(m, &b->env, false, &out) == (next <= b->env.now_ns));
		break;
	case 6:
		remember_all_due(m, &b->env);
		break;
	case 7:
		b->env.now_ns += (int64_t)whom * NS_PER_S;
		break;
	case 8:
		if (next != INT64_MAX && next > b->env.now_ns)
			b->env.now_ns = next;
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(data, size);
	size_t len = read_u16(&r);
	const uint8_t *blob;
	struct remember m;
	struct bare b;

	len = len < reader_left(&r) ? len : reader_left(&r);
	blob = read_take(&r, len);
	bare_init(&b, 1);
	remember_init(&m);
	if (remember_read(&m, &b.env, (struct bytes){ blob, len }) != DROP_NONE)
		assert(!m.count && !b.env.mem.used);
	holds(&m, &b);
	for (unsigned i = 0; reader_left(&r) >= 2 && i < 100; i++) {
		uint8_t what = read_u8(&r);

		step(&m, &b, what, read_u8(&r));
		holds(&m, &b);
	}
	written_and_read_it_is_the_same(&m);
	remember_done(&m, &b.env);
	assert(bare_done(&b));
	return 0;
}
