/* Whoever gets an op can tell who asked and whether they may; nothing else gets through. */
#include "core/dht/parts.h"
#include "tests/unit/party.h"
#include "tests/unit/suites.h"

enum { NETWORK = 200, FOREIGN = 201 };

static const struct suite *const S = &suite_sodium;

struct sealed {
	uint8_t bytes[OP_MAX];
	size_t len;
};

static struct network_record record_of(unsigned network)
{
	struct network_record n;
	uint8_t key[SIGN_BYTES];

	party_key(S, network, key);
	network_defaults(&n);
	memcpy(n.key, key + KEY_BYTES, KEY_BYTES);
	n.id = network_id(n.key);
	n.range4 = (struct ip_range){ ip_v4(0x0a000000), 24 };
	return n;
}

static struct op example(const struct party *p, const struct network_record *n)
{
	struct op o = {
		.kind = OP_RENEW, .asker = p->self.id, .nonce = 77, .ip = ip_v4(0x0a000009), .client = 5, .term_s = 600,
		.fence = { 1, 2, 3 }, .lends = true,
	};

	o.slot = slot_of_ip(n->id, &o.ip);
	return o;
}

static void seal(const struct party *p, const struct op *o, struct sealed *s)
{
	struct writer w = writer_of(s->bytes, sizeof(s->bytes));

	op_write(&w, o, S, &p->self, (struct bytes){ p->chain, p->chain_len });
	CU_ASSERT_FALSE_FATAL(w.bad);
	s->len = writer_len(&w);
}

static bool unseal(const struct sealed *s, struct op *o)
{
	struct reader r = reader_of(s->bytes, s->len);

	return op_read(&r, o) && reader_done(&r);
}

static void an_op_reads_back_as_it_was_asked(void)
{
	struct network_record n = record_of(NETWORK);
	struct party p;
	struct sealed s;
	struct op o, in;

	CU_ASSERT_FALSE(party_init(&p, S, 1, NETWORK));
	in = example(&p, &n);
	seal(&p, &in, &s);
	CU_ASSERT_TRUE(s.len < 450);
	CU_ASSERT_TRUE_FATAL(unseal(&s, &o));
	CU_ASSERT_TRUE(o.kind == OP_RENEW && o.nonce == 77 && o.client == 5 && o.term_s == 600 && o.lends);
	CU_ASSERT_TRUE(slot_eq(&o.slot, &in.slot) && ip_eq(&o.ip, &in.ip) && !fence_cmp(o.fence, in.fence));
	CU_ASSERT_EQUAL(op_check(&o, S, &n, 0), DROP_NONE);
}

static void no_bit_of_an_op_can_be_changed(void)
{
	struct network_record n = record_of(NETWORK);
	struct party p;
	struct sealed s;
	struct op o, in;
	unsigned good = 0;

	party_init(&p, S, 1, NETWORK);
	in = example(&p, &n);
	seal(&p, &in, &s);
	for (unsigned bit = 0; bit < s.len * 8; bit++) {
		s.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		good += unseal(&s, &o) && op_check(&o, S, &n, 0) == DROP_NONE;
		s.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	CU_ASSERT_EQUAL(good, 0);
}

static void an_op_cut_short_or_longer_is_none(void)
{
	struct network_record n = record_of(NETWORK);
	struct party p;
	struct sealed s;
	struct op o, in;
	size_t len;

	party_init(&p, S, 1, NETWORK);
	in = example(&p, &n);
	seal(&p, &in, &s);
	len = s.len;
	for (s.len = 0; s.len < len; s.len++)
		CU_ASSERT_FALSE(unseal(&s, &o));
	s.len = len + 1;
	CU_ASSERT_FALSE(unseal(&s, &o));
}

static void foreign_members_and_borrowed_names_are_refused(void)
{
	struct network_record n = record_of(NETWORK), other = record_of(FOREIGN);
	struct party p, q, f;
	struct sealed s;
	struct op o, in;

	party_init(&p, S, 1, NETWORK);
	party_init(&q, S, 2, NETWORK);
	party_init(&f, S, 3, FOREIGN);
	in = example(&f, &n);
	seal(&f, &in, &s);
	CU_ASSERT_TRUE(unseal(&s, &o));
	CU_ASSERT_EQUAL(op_check(&o, S, &n, 0), DROP_CERTIFICATE);	/* signed by another network */
	CU_ASSERT_EQUAL(op_check(&o, S, &other, 0), DROP_CERTIFICATE);	/* about another network */
	in = example(&p, &n);
	in.asker = q.self.id;
	seal(&p, &in, &s);
	CU_ASSERT_TRUE(unseal(&s, &o));
	CU_ASSERT_EQUAL(op_check(&o, S, &n, 0), DROP_IDENTITY);
	in = example(&q, &n);			/* a stranger's signature under p's certificate */
	in.asker = p.self.id;
	{
		struct writer w = writer_of(s.bytes, sizeof(s.bytes));
		struct identity forged = q.self;

		forged.chain = p.chain;
		forged.chain_len = (uint16_t)p.chain_len;
		op_write(&w, &in, S, &forged, (struct bytes){ p.chain, p.chain_len });
		s.len = writer_len(&w);
	}
	CU_ASSERT_TRUE(unseal(&s, &o));
	CU_ASSERT_EQUAL(op_check(&o, S, &n, 0), DROP_SEAL);
}

static void expired_certificates_ask_for_nothing(void)
{
	struct network_record n = record_of(NETWORK);
	struct party p;
	struct sealed s;
	struct op o, in;

	CU_ASSERT_FALSE(party_init_as(&p, S, 1, NETWORK, (struct cert_order){ .roles = ROLE_MEMBER, .not_after = 5000 }));
	in = example(&p, &n);
	seal(&p, &in, &s);
	CU_ASSERT_TRUE(unseal(&s, &o));
	CU_ASSERT_EQUAL(op_check(&o, S, &n, 0), DROP_NONE);
	CU_ASSERT_EQUAL(op_check(&o, S, &n, 5000), DROP_NONE);
	CU_ASSERT_EQUAL(op_check(&o, S, &n, 5001), DROP_CERTIFICATE);
}

static void a_certificate_with_addresses_is_for_these(void)
{
	const struct prefix own = { { 10, 0, 0, 8 }, 4, 30 };
	struct network_record n = record_of(NETWORK);
	struct party p;
	struct sealed s;
	struct op o, in;

	CU_ASSERT_FALSE(party_init_as(&p, S, 1, NETWORK, (struct cert_order){ .roles = ROLE_MEMBER, .prefixes = &own, .prefix_count = 1 }));
	in = example(&p, &n);
	seal(&p, &in, &s);
	CU_ASSERT_TRUE(unseal(&s, &o));
	CU_ASSERT_EQUAL(op_check(&o, S, &n, 0), DROP_NONE);
	in.ip = ip_v4(0x0a00000c);
	seal(&p, &in, &s);
	CU_ASSERT_TRUE(unseal(&s, &o));
	CU_ASSERT_EQUAL(op_check(&o, S, &n, 0), DROP_STRANGER);
}

static void reads_carry_no_seal(void)
{
	struct network_record n = record_of(NETWORK);
	struct party p;
	struct sealed s;
	struct op o, in;

	party_init(&p, S, 1, NETWORK);
	in = example(&p, &n);
	in.kind = OP_LOOK;
	seal(&p, &in, &s);
	CU_ASSERT_TRUE(s.len < 110);
	CU_ASSERT_TRUE(unseal(&s, &o));
	CU_ASSERT_EQUAL(op_check(&o, S, &n, 0), DROP_NONE);
	CU_ASSERT_PTR_NULL(o.signature);
}

static bool reads(const struct party *p, const struct op *in)
{
	struct sealed s;
	struct op o;

	seal(p, in, &s);
	return unseal(&s, &o);
}

static void every_kind_has_its_own_form(void)
{
	struct network_record n = record_of(NETWORK);
	struct bytes name = { (const uint8_t *)"printer", 7 }, upper = { (const uint8_t *)"Printer", 7 };
	struct party p;
	struct op put, lease;

	party_init(&p, S, 1, NETWORK);
	lease = example(&p, &n);
	put = (struct op){ .kind = OP_PUT, .type = VALUE_PLAIN, .asker = p.self.id, .nonce = 1, .term_s = 60, .name = name };
	put.slot = slot_of_text(n.id, name);
	CU_ASSERT_TRUE(reads(&p, &put));
	CU_ASSERT_TRUE(reads(&p, &lease));
#define WRONG(good, change)	do { struct op o_ = good, *o = &o_; change; CU_ASSERT_FALSE(reads(&p, o)); } while (0)
	WRONG(put, o->client = 1);		/* a value could not show its signature later */
	WRONG(put, o->fence.grant = 1);
	WRONG(put, o->ip = ip_v4(1));
	WRONG(put, o->lends = true);
	WRONG(put, o->proof = name);
	WRONG(put, o->type = 0);
	WRONG(put, o->type = VALUE_PLAIN + 1);
	WRONG(put, o->name.len = 0);
	WRONG(put, o->name = upper);		/* one form of each name */
	WRONG(put, o->kind = OP_CREATE);
	WRONG(put, (o->kind = OP_DELETE, o->value = name));
	WRONG(lease, o->kind = OP_PUT);
	WRONG(lease, o->kind = 0);
	WRONG(lease, o->kind = OP_KINDS);
	WRONG(lease, o->name = name);
	WRONG(lease, o->value = name);
	WRONG(lease, o->type = 1);
	WRONG(lease, o->slot.kind = SLOT_ROOT);
#undef WRONG
}

static void too_large_parts_are_not_written(void)
{
	static const uint8_t big[VALUE_MAX + 1];
	struct network_record n = record_of(NETWORK);
	uint8_t buf[4000];
	struct party p;
	struct op o;

	party_init(&p, S, 1, NETWORK);
	for (unsigned i = 0; i < 3; i++) {
		struct writer w = writer_of(buf, sizeof(buf));

		o = example(&p, &n);
		*(i == 0 ? &o.name : i == 1 ? &o.value : &o.proof) =
			(struct bytes){ big, i == 0 ? NAME_MAX_BYTES + 1 : i == 1 ? VALUE_MAX + 1 : PROOF_MAX + 1 };
		op_write(&w, &o, S, &p.self, (struct bytes){ p.chain, p.chain_len });
		CU_ASSERT_TRUE(w.bad);
	}
}

static void a_delegation_holds_as_signed_only(void)
{
	struct network_record n = record_of(NETWORK);
	uint8_t buf[PROOF_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	struct party p, q;
	struct delegation g, in;
	struct bytes b;
	unsigned good = 0;

	party_init(&p, S, 1, NETWORK);
	party_init(&q, S, 2, NETWORK);
	in = (struct delegation){ n.id, p.self.id, q.self.id, ip_v4(0x0a000009), 9, { 0, 0, 4 }, 77, 5000, true };
	delegation_write(&w, &in, S, &p.self);
	CU_ASSERT_FALSE_FATAL(w.bad);
	b = (struct bytes){ buf, writer_len(&w) };
	CU_ASSERT_TRUE(delegation_check(b, S) && delegation_read(b, &g));
	CU_ASSERT_TRUE(id_eq(g.to, q.self.id) && g.left_ms == 5000 && g.client == 77 && g.at_once && g.fence.grant == 4);
	for (unsigned bit = 0; bit < b.len * 8; bit++) {
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		good += delegation_check(b, S);
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	CU_ASSERT_EQUAL(good, 0);
	for (size_t len = 0; len < b.len; len++)
		CU_ASSERT_FALSE(delegation_check((struct bytes){ buf, len }, S));
	w = writer_of(buf, sizeof(buf));
	delegation_write(&w, &in, S, &q.self);		/* by somebody else than it says */
	CU_ASSERT_FALSE(delegation_check(b, S));
}

static void an_op_with_a_false_proof_is_refused(void)
{
	struct network_record n = record_of(NETWORK);
	uint8_t buf[PROOF_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	struct party p, q;
	struct sealed s;
	struct op o, in;
	const struct delegation g = { .network = n.id, .ip = ip_v4(0x0a000009) };

	party_init(&p, S, 1, NETWORK);
	party_init(&q, S, 2, NETWORK);
	delegation_write(&w, &g, S, &q.self);		/* from nobody */
	in = example(&p, &n);
	in.kind = OP_TAKE;
	in.proof = (struct bytes){ buf, writer_len(&w) };
	seal(&p, &in, &s);
	CU_ASSERT_TRUE(unseal(&s, &o));
	CU_ASSERT_EQUAL(op_check(&o, S, &n, 0), DROP_SEAL);
}

CU_TestInfo op_tests[] = {
	{ "an op reads back as it was asked", an_op_reads_back_as_it_was_asked },
	{ "no bit of an op can be changed", no_bit_of_an_op_can_be_changed },
	{ "an op cut short or longer is none", an_op_cut_short_or_longer_is_none },
	{ "foreign members and borrowed names are refused", foreign_members_and_borrowed_names_are_refused },
	{ "expired certificates ask for nothing", expired_certificates_ask_for_nothing },
	{ "a certificate with addresses is for these", a_certificate_with_addresses_is_for_these },
	{ "reads carry no seal", reads_carry_no_seal },
	{ "every kind has its own form", every_kind_has_its_own_form },
	{ "too large parts are not written", too_large_parts_are_not_written },
	{ "a delegation holds as signed only", a_delegation_holds_as_signed_only },
	{ "an op with a false proof is refused", an_op_with_a_false_proof_is_refused },
	CU_TEST_INFO_NULL
};
