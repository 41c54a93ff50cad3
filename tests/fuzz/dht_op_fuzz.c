/* ON: core/base core/seal core/dht/op.c core/dht/value.c core/dht/apply.c core/dht/slot.c core/dht/store.c core/dht/network.c */
/* dht_op_fuzz.c - questions, answers and proofs from strangers, with every signature good; and what they do to a slot */
#include <assert.h>
#include <stdlib.h>

#include "core/dht/parts.h"
#include "tests/fuzz/yes_suite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *get(void *ctx, size_t bytes)
{
	(void)ctx;
	return malloc(bytes);
}

static void put(void *ctx, void *p, size_t bytes)
{
	(void)ctx, (void)bytes;
	free(p);
}

static void answers(const struct suite *yes, struct bytes in)
{
	struct reader r = reader_of(in.at, in.len);
	struct delegation g;
	struct told t;
	struct lease l;
	struct value v;

	if (told_read(&r, &t)) {
		assert(t.tail.at + t.tail.len <= in.at + in.len);
		r = reader_of(t.tail.at, t.tail.len);
		if (lease_read(&r, &l))
			assert(l.ip.family == 4 || l.ip.family == 6);
		r = reader_of(t.tail.at, t.tail.len);
		for (unsigned n = read_u8(&r); n-- && reader_ok(&r);)
			if (value_read(&r, &v, yes, &t.slot, (struct bytes){ (const uint8_t *)"n", 1 }) == DROP_NONE)
				assert(v.data.len <= VALUE_MAX && v.data.at + v.data.len <= in.at + in.len);
	}
	if (delegation_read(in, &g))
		assert(g.ip.family);
	delegation_check(in, yes);
}

/* The op is asked of a slot that has a lease of its asker's and one of another's. */
static void slot(const struct op *o)
{
	static const struct mem_host host = { get, put, NULL };
	struct mem mem = { &host, 0, 1 << 20 };
	struct network_record n = { .id = o->slot.network, .term_s = 3600, .drift_ppm = 500 };
	struct store s = { .grants = 7 };
	struct kept k = { .key = 5, .owner = o->asker, .client = o->client, .nonce = o->nonce - 1, .until_ns = 2000, .grant = 3 };
	static struct outcome out;
	uint8_t tail[TAIL_MAX];

	n.range4 = (struct ip_range){ ip_v4(o->slot.number << 6 & 0xffff0000), 16 };
	n.range6 = (struct ip_range){ { .at = { 0xfd }, .family = 6 }, 64 };
	if (o->slot.kind != SLOT_NAMES) {
		store_put(&s, &mem, &k);
		k.key = 9;
		k.owner.lo++;
		store_put(&s, &mem, &k);
	}
	for (int64_t now = 1000; now < 4000; now += 1500) {
		struct writer w = writer_of(tail, sizeof(tail));

		op_apply(&s, &o->slot, 0, &n, o, now, &out, &w);
		assert(!w.bad && out.verdict && out.verdict < VERDICTS && out.grants >= s.grants);
		assert(!out.write || (op_writes(o->kind) && out.verdict == VERDICT_OK) ||
		       (out.kept.gone && out.verdict == VERDICT_ABSENT));
		assert(kept_form(out.kept.bytes, out.write ? out.kept.len : 0));
		s.grants = out.grants;
		if (out.write && !store_put(&s, &mem, &out.kept))
			assert(s.bytes > 0);
	}
	store_done(&s, &mem);
	assert(!mem.used);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct suite yes = yes_suite();
	struct network_record n = { .term_s = 3600 };
	struct question q;

	answers(&yes, (struct bytes){ data, size });
	if (question_read((struct bytes){ data, size }, &q))
		return 0;
	assert(q.op.kind && q.op.kind < OP_KINDS && q.op.value.len <= VALUE_MAX && q.op.proof.len <= PROOF_MAX);
	assert(q.op.text.at + q.op.text.len <= data + size);
	n.id = q.op.slot.network;
	op_check(&q.op, &yes, &n, 1700000000);
	slot(&q.op);
	return 0;
}
