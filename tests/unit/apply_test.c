/* One slot's records, op after op: nobody is given what another has. */
#include "core/dht/parts.h"
#include "tests/unit/party.h"
#include "tests/unit/suites.h"

static const struct suite *const S = &suite_sodium;

enum { NETWORK = 200, NOBODY = 3 };

/* a slot and two who ask it */
struct desk {
	struct network_record n;
	struct party party[NOBODY];
	struct slot_name slot;
	struct store store;
	struct env env;
	struct outcome out;
	uint8_t tail[TAIL_MAX];
	struct bytes said;
	int64_t now_ns;
	uint64_t nonce;
	uint32_t generation;
};

static struct desk *desk_new(void)
{
	struct desk *d = calloc(1, sizeof(*d));
	struct party p;
	uint8_t key[SIGN_BYTES];

	party_env(&p, S, 9);
	d->env = p.env;
	party_key(S, NETWORK, key);
	network_defaults(&d->n);
	memcpy(d->n.key, key + KEY_BYTES, KEY_BYTES);
	d->n.id = network_id(d->n.key);
	d->n.range4 = (struct ip_range){ ip_v4(0x0a000000), 24 };
	d->n.range6 = (struct ip_range){ { .at = { 0xfd, 9 }, .family = 6 }, 64 };
	d->n.reserved[0] = (struct ip_range){ ip_v4(0x0a000030), 28 };
	d->n.reserveds = 1;
	for (unsigned i = 0; i < NOBODY; i++)
		party_init(&d->party[i], S, i + 1, NETWORK);
	d->slot = slot_of_ip(d->n.id, &d->n.range4.ip);
	d->now_ns = 1000 * NS_PER_S;
	return d;
}

static void desk_free(struct desk *d)
{
	store_done(&d->store, &d->env.mem);
	free(d);
}

static enum verdict tell(struct desk *d, const struct op *o)
{
	struct writer w = writer_of(d->tail, sizeof(d->tail));

	op_apply(&d->store, &d->slot, d->generation, &d->n, o, d->now_ns, &d->out, &w);
	CU_ASSERT_FALSE(w.bad);
	d->said = (struct bytes){ d->tail, writer_len(&w) };
	d->store.grants = d->out.grants;
	if (d->out.write)
		CU_ASSERT_PTR_NOT_NULL(store_put(&d->store, &d->env.mem, &d->out.kept));
	return (enum verdict)d->out.verdict;
}

static struct op op_of(struct desk *d, unsigned i, enum op_kind kind, unsigned last, uint64_t client)
{
	return (struct op){
		.kind = (uint8_t)kind, .slot = d->slot, .asker = d->party[i].self.id, .nonce = ++d->nonce,
		.ip = last < 256 ? ip_v4(0x0a000000 + last) : (struct ip){ .family = 0 }, .client = client, .term_s = 60,
	};
}

static enum verdict ask(struct desk *d, unsigned i, enum op_kind kind, unsigned last, uint64_t client)
{
	struct op o = op_of(d, i, kind, last, client);

	return tell(d, &o);
}

static struct lease lease(const struct desk *d)
{
	struct reader r = reader_of(d->said.at, d->said.len);
	struct lease l;

	CU_ASSERT_TRUE(lease_read(&r, &l) && reader_done(&r));
	return l;
}

enum { ANY = 256 };

static void of_two_who_create_one_has_it_and_the_other_hears_whose_it_is(void)
{
	struct desk *d = desk_new();

	/* IPOP: four positions each, and both failed */
	CU_ASSERT_EQUAL(ask(d, 0, OP_CREATE, 7, 1), VERDICT_OK);
	CU_ASSERT_TRUE(id_eq(lease(d).holder, d->party[0].self.id));
	CU_ASSERT_EQUAL(ask(d, 1, OP_CREATE, 7, 2), VERDICT_TAKEN);
	CU_ASSERT_TRUE(id_eq(lease(d).holder, d->party[0].self.id));
	CU_ASSERT_FALSE(d->out.write);			/* the loser leaves nothing behind */
	CU_ASSERT_EQUAL(ask(d, 0, OP_CREATE, 7, 2), VERDICT_TAKEN);	/* another guest of the same node */
	CU_ASSERT_EQUAL(d->store.count, 1);
	desk_free(d);
}

static void an_address_is_free_again_after_its_term_and_not_before(void)
{
	struct desk *d = desk_new();
	struct fence f;

	CU_ASSERT_EQUAL(ask(d, 0, OP_CREATE, 7, 1), VERDICT_OK);
	f = lease(d).fence;
	d->now_ns += term_kept_ns(60, d->n.drift_ppm) - 1;
	CU_ASSERT_EQUAL(ask(d, 1, OP_CREATE, 7, 2), VERDICT_TAKEN);
	d->now_ns++;
	CU_ASSERT_EQUAL(ask(d, 1, OP_CREATE, 7, 2), VERDICT_OK);
	CU_ASSERT_TRUE(fence_cmp(lease(d).fence, f) > 0);
	desk_free(d);
}

static void fences_grow_with_every_owner_and_stay_with_renewals(void)
{
	struct desk *d = desk_new();
	struct fence last = { 0 };
	struct op o;

	for (unsigned i = 0; i < 10; i++) {
		CU_ASSERT_EQUAL(ask(d, i % 2, OP_CREATE, 7, i), VERDICT_OK);
		CU_ASSERT_TRUE(fence_cmp(lease(d).fence, last) > 0);
		last = lease(d).fence;
		o = op_of(d, i % 2, OP_RENEW, 7, i);
		o.fence = last;
		CU_ASSERT_EQUAL(tell(d, &o), VERDICT_OK);
		CU_ASSERT_EQUAL(fence_cmp(lease(d).fence, last), 0);
		o = op_of(d, i % 2, OP_RELEASE, 7, i);
		o.fence = last;
		CU_ASSERT_EQUAL(tell(d, &o), VERDICT_OK);
	}
	d->generation = 1;			/* and a new generation is above all of the old */
	d->store.grants = 0;
	CU_ASSERT_EQUAL(ask(d, 0, OP_CREATE, 7, 1), VERDICT_OK);
	CU_ASSERT_TRUE(fence_cmp(lease(d).fence, last) > 0);
	desk_free(d);
}

static void renewals_are_the_holders_under_its_fence(void)
{
	struct desk *d = desk_new();
	struct op o;
	struct fence f;

	CU_ASSERT_EQUAL(ask(d, 0, OP_RENEW, 7, 1), VERDICT_ABSENT);
	CU_ASSERT_EQUAL(ask(d, 0, OP_CREATE, 7, 1), VERDICT_OK);
	f = lease(d).fence;
	o = op_of(d, 1, OP_RENEW, 7, 1);
	o.fence = f;
	CU_ASSERT_EQUAL(tell(d, &o), VERDICT_FENCED);
	o = op_of(d, 0, OP_RENEW, 7, 1);
	o.fence = f;
	o.fence.grant--;
	CU_ASSERT_EQUAL(tell(d, &o), VERDICT_FENCED);
	CU_ASSERT_TRUE(id_eq(lease(d).holder, d->party[0].self.id));
	o = op_of(d, 0, OP_RENEW, 7, 1);
	o.fence = f;
	d->now_ns += term_kept_ns(60, d->n.drift_ppm);
	CU_ASSERT_EQUAL(tell(d, &o), VERDICT_ABSENT);
	desk_free(d);
}

/* Another primary's clock, or one that came back from a disk, must not say otherwise. */
static void that_a_term_is_over_is_written_before_it_is_told(void)
{
	static const enum op_kind kinds[] = { OP_GET, OP_RENEW, OP_RELEASE };
	struct desk *d = desk_new();

	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(ask(d, 0, OP_CREATE, 7, 1), VERDICT_OK);
		d->now_ns += term_kept_ns(60, d->n.drift_ppm);
		CU_ASSERT_EQUAL(ask(d, 1, OP_LOOK, 7, 0), VERDICT_ABSENT);
		CU_ASSERT_FALSE(d->out.write);		/* a look promises nothing */
		CU_ASSERT_EQUAL(ask(d, 1, kinds[i], 7, 1), VERDICT_ABSENT);
		CU_ASSERT_TRUE(d->out.write && d->out.kept.gone && d->out.kept.until_ns > d->now_ns);
		CU_ASSERT_TRUE(id_eq(d->out.kept.owner, d->party[0].self.id));
		d->now_ns -= 30 * NS_PER_S;		/* a slower clock */
		CU_ASSERT_EQUAL(ask(d, 1, OP_GET, 7, 0), VERDICT_ABSENT);
		CU_ASSERT_FALSE(d->out.write);
	}
	desk_free(d);
}

/* In IPOP a failed copy erased the valid lease it was a copy of. */
static void what_fails_changes_nothing(void)
{
	struct desk *d = desk_new();
	static const enum op_kind kinds[] = { OP_CREATE, OP_RENEW, OP_RELEASE, OP_TAKE };
	struct kept before;
	struct op o;

	CU_ASSERT_EQUAL(ask(d, 0, OP_CREATE, 7, 1), VERDICT_OK);
	before = *store_find(&d->store, 7);
	for (unsigned k = 0; k < 4; k++) {
		for (unsigned i = 1; i < NOBODY; i++) {
			o = op_of(d, i, kinds[k], 7, 1);
			o.fence = kept_fence(&before);
			CU_ASSERT_NOT_EQUAL(tell(d, &o), VERDICT_OK);
			CU_ASSERT_FALSE(d->out.write);
		}
		o = op_of(d, 0, kinds[k], 7, 99);	/* the right node, the wrong guest, an old fence */
		CU_ASSERT_NOT_EQUAL(tell(d, &o), VERDICT_OK);
		CU_ASSERT_FALSE(d->out.write);
	}
	CU_ASSERT_TRUE(!memcmp(&before, store_find(&d->store, 7), sizeof(before)));
	desk_free(d);
}

static void a_released_address_is_anybodys(void)
{
	struct desk *d = desk_new();
	struct op o;

	CU_ASSERT_EQUAL(ask(d, 0, OP_CREATE, 7, 1), VERDICT_OK);
	o = op_of(d, 0, OP_RELEASE, 7, 1);
	o.fence = lease(d).fence;
	CU_ASSERT_EQUAL(tell(d, &o), VERDICT_OK);
	CU_ASSERT_EQUAL(ask(d, 2, OP_GET, 7, 0), VERDICT_ABSENT);
	CU_ASSERT_EQUAL(ask(d, 1, OP_CREATE, 7, 2), VERDICT_OK);
	CU_ASSERT_EQUAL(tell(d, &o), VERDICT_FENCED);	/* the release once more, late */
	CU_ASSERT_EQUAL(ask(d, 2, OP_GET, 7, 0), VERDICT_OK);
	CU_ASSERT_TRUE(id_eq(lease(d).holder, d->party[1].self.id));
	desk_free(d);
}

static void an_op_told_again_is_answered_again_and_writes_nothing(void)
{
	struct desk *d = desk_new();
	struct op create = op_of(d, 0, OP_CREATE_ANY, ANY, 1), release;
	struct lease first, second;

	CU_ASSERT_EQUAL(tell(d, &create), VERDICT_OK);
	first = lease(d);
	d->now_ns += NS_PER_S;
	CU_ASSERT_EQUAL(tell(d, &create), VERDICT_OK);
	CU_ASSERT_FALSE(d->out.write);
	second = lease(d);
	CU_ASSERT_TRUE(ip_eq(&first.ip, &second.ip) && !fence_cmp(first.fence, second.fence));
	CU_ASSERT_EQUAL(second.left_ms, first.left_ms - 1000);
	release = op_of(d, 0, OP_RELEASE, 7, 1);
	release.ip = first.ip;
	release.fence = first.fence;
	CU_ASSERT_EQUAL(tell(d, &release), VERDICT_OK);
	CU_ASSERT_TRUE(d->out.write);
	CU_ASSERT_EQUAL(tell(d, &release), VERDICT_OK);
	CU_ASSERT_FALSE(d->out.write);
	CU_ASSERT_EQUAL(tell(d, &create), VERDICT_STALE);	/* a late copy brings nothing back */
	CU_ASSERT_FALSE(d->out.write);
	desk_free(d);
}

static void the_same_guest_gets_the_same_address_of_any(void)
{
	struct desk *d = desk_new();
	struct ip ip, again;

	CU_ASSERT_EQUAL(ask(d, 0, OP_CREATE_ANY, ANY, 1), VERDICT_OK);
	ip = lease(d).ip;
	CU_ASSERT_EQUAL(ask(d, 0, OP_CREATE_ANY, ANY, 1), VERDICT_OK);
	again = lease(d).ip;
	CU_ASSERT_TRUE(ip_eq(&ip, &again));
	CU_ASSERT_EQUAL(d->store.count, 1);
	d->now_ns += 100 * NS_PER_S;			/* also when its term is long over */
	CU_ASSERT_EQUAL(ask(d, 1, OP_CREATE_ANY, ANY, 2), VERDICT_OK);
	CU_ASSERT_EQUAL(ask(d, 0, OP_CREATE_ANY, ANY, 1), VERDICT_OK);
	again = lease(d).ip;
	CU_ASSERT_TRUE(ip_eq(&ip, &again));
	desk_free(d);
}

static void the_preferred_address_is_given_if_it_is_free(void)
{
	struct desk *d = desk_new();

	CU_ASSERT_EQUAL(ask(d, 0, OP_CREATE_ANY, 20, 1), VERDICT_OK);
	CU_ASSERT_EQUAL(lease(d).ip.at[3], 20);
	CU_ASSERT_EQUAL(ask(d, 1, OP_CREATE_ANY, 20, 2), VERDICT_OK);
	CU_ASSERT_NOT_EQUAL(lease(d).ip.at[3], 20);
	CU_ASSERT_EQUAL(ask(d, 1, OP_CREATE_ANY, 100, 3), VERDICT_DENIED);	/* of another slot */
	desk_free(d);
}

/* IPOP tried twice. */
static void any_finds_the_last_free_address_and_then_says_full(void)
{
	struct desk *d = desk_new();
	unsigned had = 0;

	while (ask(d, 0, OP_CREATE_ANY, ANY, 1000 + had) == VERDICT_OK)
		had++;
	CU_ASSERT_EQUAL(d->out.verdict, VERDICT_FULL);
	CU_ASSERT_EQUAL(had, 64 - 2 - 16);		/* all but network, gateway and what certificates own */
	desk_free(d);
}

static void what_is_nobodys_is_never_leased(void)
{
	struct desk *d = desk_new();
	struct op o;

	CU_ASSERT_EQUAL(ask(d, 0, OP_CREATE, 0, 1), VERDICT_DENIED);
	CU_ASSERT_EQUAL(ask(d, 0, OP_CREATE, 1, 1), VERDICT_DENIED);
	CU_ASSERT_EQUAL(ask(d, 0, OP_CREATE, 0x35, 1), VERDICT_DENIED);
	CU_ASSERT_EQUAL(ask(d, 0, OP_CREATE, 64, 1), VERDICT_DENIED);
	o = op_of(d, 0, OP_CREATE, 7, 1);
	o.term_s = 0;
	CU_ASSERT_EQUAL(tell(d, &o), VERDICT_DENIED);
	o.term_s = d->n.term_s + 1;
	CU_ASSERT_EQUAL(tell(d, &o), VERDICT_DENIED);
	d->slot = slot_root(d->n.id);
	CU_ASSERT_EQUAL(ask(d, 0, OP_CREATE, 7, 1), VERDICT_WAIT);
	CU_ASSERT_FALSE(d->out.write);
	desk_free(d);
}

static void a_create_nobody_heard_of_is_taken_back_by_its_nonce(void)
{
	struct desk *d = desk_new();
	struct op undo, create = op_of(d, 0, OP_CREATE_ANY, ANY, 1), later;

	CU_ASSERT_EQUAL(tell(d, &create), VERDICT_OK);
	undo = op_of(d, 0, OP_RELEASE, ANY, 1);
	undo.fence.grant = create.nonce;
	CU_ASSERT_EQUAL(tell(d, &undo), VERDICT_OK);
	CU_ASSERT_EQUAL(tell(d, &create), VERDICT_STALE);
	later = op_of(d, 0, OP_CREATE_ANY, ANY, 1);
	CU_ASSERT_EQUAL(tell(d, &later), VERDICT_OK);
	undo = op_of(d, 0, OP_RELEASE, ANY, 1);
	undo.fence.grant = create.nonce;
	CU_ASSERT_EQUAL(tell(d, &undo), VERDICT_ABSENT);	/* not what was granted since */
	undo = op_of(d, 1, OP_RELEASE, ANY, 1);
	undo.fence.grant = later.nonce;
	CU_ASSERT_EQUAL(tell(d, &undo), VERDICT_ABSENT);	/* nor by another */
	desk_free(d);
}

/* ---- moving ---- */

static struct op take_of(struct desk *d, unsigned from, unsigned to, struct fence f, uint8_t *proof)
{
	struct op o = op_of(d, to, OP_TAKE, 7, 8);
	struct writer w = writer_of(proof, PROOF_MAX);
	const struct delegation g = {
		.network = d->n.id, .from = d->party[from].self.id, .to = d->party[to].self.id, .ip = o.ip, .fence = f,
	};

	delegation_write(&w, &g, S, &d->party[from].self);
	o.fence = f;
	o.proof = (struct bytes){ proof, writer_len(&w) };
	return o;
}

static void a_delegation_moves_what_its_signer_holds_under_that_fence(void)
{
	struct desk *d = desk_new();
	uint8_t proof[PROOF_MAX];
	struct fence f;
	struct op o;

	CU_ASSERT_EQUAL(ask(d, 0, OP_CREATE, 7, 1), VERDICT_OK);
	f = lease(d).fence;
	o = take_of(d, 2, 1, f, proof);		/* by somebody who does not hold it */
	CU_ASSERT_EQUAL(tell(d, &o), VERDICT_TAKEN);
	o = take_of(d, 0, 1, f, proof);
	o.asker = d->party[2].self.id;			/* to somebody else */
	CU_ASSERT_EQUAL(tell(d, &o), VERDICT_TAKEN);
	o = take_of(d, 0, 1, f, proof);
	o.proof.len = 0;
	CU_ASSERT_EQUAL(tell(d, &o), VERDICT_TAKEN);
	o = take_of(d, 0, 1, f, proof);
	CU_ASSERT_EQUAL(tell(d, &o), VERDICT_OK);
	CU_ASSERT_TRUE(id_eq(lease(d).holder, d->party[1].self.id) && fence_cmp(lease(d).fence, f) > 0);
	o = take_of(d, 0, 2, f, proof);		/* the same fence signed away twice */
	CU_ASSERT_EQUAL(tell(d, &o), VERDICT_FENCED);
	desk_free(d);
}

static void a_create_of_what_one_has_voids_what_one_signed(void)
{
	struct desk *d = desk_new();
	uint8_t proof[PROOF_MAX];
	struct op o;

	CU_ASSERT_EQUAL(ask(d, 0, OP_CREATE, 7, 1), VERDICT_OK);
	o = take_of(d, 0, 1, lease(d).fence, proof);
	CU_ASSERT_EQUAL(ask(d, 0, OP_CREATE, 7, 1), VERDICT_OK);
	o.nonce = ++d->nonce;
	CU_ASSERT_EQUAL(tell(d, &o), VERDICT_FENCED);
	desk_free(d);
}

static void a_lending_lease_is_created_again_like_any_other(void)
{
	struct desk *d = desk_new();
	struct op o = op_of(d, 0, OP_CREATE, 7, 1), taken;
	uint8_t proof[PROOF_MAX];
	struct fence f;

	o.lends = true;
	CU_ASSERT_EQUAL(tell(d, &o), VERDICT_OK);
	CU_ASSERT_TRUE(lease(d).lends);
	f = lease(d).fence;
	taken = take_of(d, 0, 1, f, proof);
	CU_ASSERT_EQUAL(ask(d, 1, OP_CREATE, 7, 1), VERDICT_TAKEN);
	CU_ASSERT_EQUAL(ask(d, 0, OP_CREATE, 7, 1), VERDICT_OK);
	CU_ASSERT_TRUE(fence_cmp(lease(d).fence, f) > 0);
	taken.nonce = ++d->nonce;
	CU_ASSERT_EQUAL(tell(d, &taken), VERDICT_FENCED);	/* what an earlier life signed is void */
	desk_free(d);
}

static void an_expired_lease_can_be_taken_without_a_word_of_its_holder(void)
{
	struct desk *d = desk_new();
	struct op o;

	CU_ASSERT_EQUAL(ask(d, 0, OP_CREATE, 7, 1), VERDICT_OK);
	o = op_of(d, 1, OP_TAKE, 7, 8);
	o.fence = lease(d).fence;
	CU_ASSERT_EQUAL(tell(d, &o), VERDICT_TAKEN);
	d->now_ns += term_kept_ns(60, d->n.drift_ppm);
	o.nonce = ++d->nonce;
	CU_ASSERT_EQUAL(tell(d, &o), VERDICT_OK);
	desk_free(d);
}

static void addresses_of_ipv6_are_leased_alike(void)
{
	struct desk *d = desk_new();
	struct op o = op_of(d, 0, OP_CREATE, 7, 1);
	struct ip ip;

	o.ip = d->n.range6.ip;
	o.ip.at[14] = 0x12;
	o.ip.at[15] = 0x99;
	d->slot = o.slot = slot_of_ip(d->n.id, &o.ip);
	CU_ASSERT_EQUAL(tell(d, &o), VERDICT_OK);
	ip = lease(d).ip;
	CU_ASSERT_TRUE(ip_eq(&ip, &o.ip));
	o = op_of(d, 1, OP_CREATE_ANY, ANY, 2);
	CU_ASSERT_EQUAL(tell(d, &o), VERDICT_OK);
	ip = lease(d).ip;
	CU_ASSERT_TRUE(ip.family == 6 && slot_holds(&d->slot, &ip));
	desk_free(d);
}

/* ---- names ---- */

static enum verdict name(struct desk *d, unsigned i, enum op_kind kind, const char *what, const char *value, size_t len)
{
	static uint8_t sealed[OP_MAX];
	struct writer w = writer_of(sealed, sizeof(sealed));
	struct op o = {
		.kind = (uint8_t)kind, .type = VALUE_PLAIN, .asker = d->party[i].self.id, .nonce = ++d->nonce, .term_s = 60,
		.name = { (const uint8_t *)what, strlen(what) }, .value = { (const uint8_t *)value, len },
	}, in;
	struct reader r;

	o.slot = d->slot = slot_of_text(d->n.id, o.name);
	op_write(&w, &o, S, &d->party[i].self, (struct bytes){ d->party[i].chain, d->party[i].chain_len });
	r = reader_of(sealed, writer_len(&w));
	CU_ASSERT_TRUE_FATAL(op_read(&r, &in));
	return tell(d, &in);
}

static unsigned values(const struct desk *d, const char *what, struct value *v)
{
	struct reader r = reader_of(d->said.at, d->said.len);
	unsigned count = read_u8(&r);

	for (unsigned i = 0; i < count; i++)
		CU_ASSERT_EQUAL(value_read(&r, &v[i], S, &d->slot, (struct bytes){ (const uint8_t *)what, strlen(what) }), DROP_NONE);
	CU_ASSERT_TRUE(reader_done(&r));
	return count;
}

static void several_writers_have_a_value_each_under_one_name(void)
{
	struct value v[VALUES_PER_KEY];
	struct desk *d = desk_new();

	CU_ASSERT_EQUAL(name(d, 0, OP_PUT, "printer", "one", 3), VERDICT_OK);
	CU_ASSERT_EQUAL(name(d, 1, OP_PUT, "printer", "two", 3), VERDICT_OK);
	CU_ASSERT_EQUAL(name(d, 0, OP_PUT, "printer", "three", 5), VERDICT_OK);
	CU_ASSERT_EQUAL(name(d, 2, OP_GET, "printer", "", 0), VERDICT_OK);
	CU_ASSERT_EQUAL(values(d, "printer", v), 2);
	CU_ASSERT_TRUE(v[0].data.len + v[1].data.len == 8 && !id_eq(v[0].writer, v[1].writer));
	CU_ASSERT_EQUAL(name(d, 0, OP_DELETE, "printer", "", 0), VERDICT_OK);
	CU_ASSERT_EQUAL(name(d, 2, OP_GET, "printer", "", 0), VERDICT_OK);
	CU_ASSERT_EQUAL(values(d, "printer", v), 1);
	CU_ASSERT_TRUE(id_eq(v[0].writer, d->party[1].self.id));
	d->now_ns += 61 * NS_PER_S;
	CU_ASSERT_EQUAL(name(d, 2, OP_GET, "printer", "", 0), VERDICT_ABSENT);
	desk_free(d);
}

/* IPOP's host names could stand twice. */
static void a_claimed_name_is_one_writers_alone(void)
{
	struct desk *d = desk_new();

	CU_ASSERT_EQUAL(name(d, 0, OP_CLAIM, "host", "a", 1), VERDICT_OK);
	CU_ASSERT_EQUAL(name(d, 1, OP_CLAIM, "host", "b", 1), VERDICT_TAKEN);
	CU_ASSERT_EQUAL(name(d, 1, OP_PUT, "host", "b", 1), VERDICT_TAKEN);
	CU_ASSERT_EQUAL(name(d, 0, OP_CLAIM, "host", "c", 1), VERDICT_OK);
	d->now_ns += 61 * NS_PER_S;
	CU_ASSERT_EQUAL(name(d, 1, OP_CLAIM, "host", "b", 1), VERDICT_OK);
	CU_ASSERT_EQUAL(name(d, 0, OP_PUT, "shared", "a", 1), VERDICT_OK);
	CU_ASSERT_EQUAL(name(d, 1, OP_CLAIM, "shared", "b", 1), VERDICT_TAKEN);
	desk_free(d);
}

static void values_of_one_name_fit_one_answer(void)
{
	static const char big[VALUE_MAX];
	struct value v[VALUES_PER_KEY];
	struct desk *d = desk_new();

	CU_ASSERT_EQUAL(name(d, 0, OP_PUT, "big", big, VALUE_MAX), VERDICT_OK);
	CU_ASSERT_EQUAL(name(d, 1, OP_PUT, "big", big, VALUE_MAX), VERDICT_OK);
	CU_ASSERT_EQUAL(name(d, 2, OP_PUT, "big", big, VALUE_MAX), VERDICT_OK);
	CU_ASSERT_EQUAL(name(d, 0, OP_GET, "big", "", 0), VERDICT_OK);
	CU_ASSERT_EQUAL(values(d, "big", v), 3);
	party_init(&d->party[0], S, 9, NETWORK);
	CU_ASSERT_EQUAL(name(d, 0, OP_PUT, "big", big, VALUE_MAX), VERDICT_FULL);
	desk_free(d);
}

static void values_per_name_and_per_writer_are_bounded(void)
{
	struct desk *d = desk_new();
	unsigned had = 0;
	char what[16];

	for (unsigned i = 0; i < VALUES_PER_KEY + 4; i++) {
		party_init(&d->party[0], S, 10 + i, NETWORK);
		had += name(d, 0, OP_PUT, "many", "x", 1) == VERDICT_OK;
	}
	CU_ASSERT_EQUAL(had, VALUES_PER_KEY);
	had = 0;
	for (unsigned i = 0; i < 100; i++) {
		snprintf(what, sizeof(what), "n%u", i);
		had += name(d, 1, OP_PUT, what, "x", 1) == VERDICT_OK;
	}
	CU_ASSERT_EQUAL(had, 64);
	CU_ASSERT_EQUAL(name(d, 1, OP_PUT, "n5", "y", 1), VERDICT_OK);	/* in place of its own */
	CU_ASSERT_EQUAL(name(d, 2, OP_PUT, "n5", "y", 1), VERDICT_OK);	/* others have their own bound */
	desk_free(d);
}

static void a_value_cannot_be_forged_by_who_keeps_it(void)
{
	struct desk *d = desk_new();
	struct value v;
	struct reader r;
	unsigned good = 0;

	CU_ASSERT_EQUAL(name(d, 0, OP_PUT, "host", "a", 1), VERDICT_OK);
	CU_ASSERT_EQUAL(name(d, 1, OP_GET, "host", "", 0), VERDICT_OK);
	for (size_t bit = 8; bit < d->said.len * 8; bit++) {
		if (bit / 8 >= 1 + 14 && bit / 8 < 1 + 18)
			continue;			/* how long it is still good is the keeper's word */
		d->tail[bit / 8] ^= (uint8_t)(1 << bit % 8);
		r = reader_of(d->said.at + 1, d->said.len - 1);
		good += value_read(&r, &v, S, &d->slot, (struct bytes){ (const uint8_t *)"host", 4 }) == DROP_NONE;
		d->tail[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	CU_ASSERT_EQUAL(good, 0);
	r = reader_of(d->said.at + 1, d->said.len - 1);
	CU_ASSERT_EQUAL(value_read(&r, &v, S, &d->slot, (struct bytes){ (const uint8_t *)"hose", 4 }), DROP_SEAL);
	desk_free(d);
}

/* ---- at random, against the obvious ---- */

struct truth {
	unsigned owner;			/* NOBODY: free */
	uint64_t client;
	struct fence fence;
	int64_t until_ns;
};

static void ten_thousand_ops_leave_what_a_table_says(void)
{
	struct desk *d = desk_new();
	struct truth t[8], *k;
	struct fence last = { 0 };
	struct random dice;
	uint8_t seed[32] = { 1, 2, 3 };

	random_seed(&dice, seed);
	for (unsigned i = 0; i < 8; i++)
		t[i] = (struct truth){ .owner = NOBODY };
	for (unsigned step = 0; step < 10000; step++) {
		unsigned i = random_below(&dice, NOBODY), at = random_below(&dice, 8);
		enum op_kind kind = (enum op_kind[]){ OP_CREATE, OP_RENEW, OP_RELEASE, OP_GET }[random_below(&dice, 4)];
		struct op o = op_of(d, i, kind, 8 + at, random_below(&dice, 2));
		enum verdict v, want;
		bool live, own;

		d->now_ns += random_below(&dice, 30) * NS_PER_S;
		k = &t[at];
		live = k->owner < NOBODY && k->until_ns > d->now_ns;
		own = live && k->owner == i && k->client == o.client;
		o.fence = random_below(&dice, 4) ? k->fence : (struct fence){ 0, 0, random_below(&dice, 100) };
		v = tell(d, &o);
		want = kind == OP_GET ? (live ? VERDICT_OK : VERDICT_ABSENT) :
		       kind == OP_CREATE ? (!live || own ? VERDICT_OK : VERDICT_TAKEN) :
		       !live ? VERDICT_ABSENT :
		       kind == OP_RELEASE ? (k->owner == i && !fence_cmp(o.fence, k->fence) ? VERDICT_OK : VERDICT_FENCED) :
		       own && !fence_cmp(o.fence, k->fence) ? VERDICT_OK : VERDICT_FENCED;
		CU_ASSERT_EQUAL_FATAL(v, want);
		if (v != VERDICT_OK || kind == OP_GET)
			continue;
		if (kind == OP_RELEASE) {
			k->owner = NOBODY;
			continue;
		}
		if (kind == OP_CREATE) {
			CU_ASSERT_TRUE_FATAL(fence_cmp(lease(d).fence, last) > 0);
			last = lease(d).fence;
		}
		*k = (struct truth){ i, o.client, lease(d).fence, d->now_ns + term_kept_ns(60, d->n.drift_ppm) };
	}
	desk_free(d);
}

CU_TestInfo apply_tests[] = {
	{ "of two who create one has it and the other hears whose it is",
	  of_two_who_create_one_has_it_and_the_other_hears_whose_it_is },
	{ "an address is free again after its term and not before", an_address_is_free_again_after_its_term_and_not_before },
	{ "fences grow with every owner and stay with renewals", fences_grow_with_every_owner_and_stay_with_renewals },
	{ "renewals are the holder's under its fence", renewals_are_the_holders_under_its_fence },
	{ "that a term is over is written before it is told", that_a_term_is_over_is_written_before_it_is_told },
	{ "what fails changes nothing", what_fails_changes_nothing },
	{ "a released address is anybody's", a_released_address_is_anybodys },
	{ "an op told again is answered again and writes nothing", an_op_told_again_is_answered_again_and_writes_nothing },
	{ "the same guest gets the same address of any", the_same_guest_gets_the_same_address_of_any },
	{ "the preferred address is given if it is free", the_preferred_address_is_given_if_it_is_free },
	{ "any finds the last free address and then says full", any_finds_the_last_free_address_and_then_says_full },
	{ "what is nobody's is never leased", what_is_nobodys_is_never_leased },
	{ "a create nobody heard of is taken back by its nonce", a_create_nobody_heard_of_is_taken_back_by_its_nonce },
	{ "a delegation moves what its signer holds under that fence",
	  a_delegation_moves_what_its_signer_holds_under_that_fence },
	{ "a create of what one has voids what one signed", a_create_of_what_one_has_voids_what_one_signed },
	{ "a lending lease is created again like any other", a_lending_lease_is_created_again_like_any_other },
	{ "an expired lease can be taken without a word of its holder",
	  an_expired_lease_can_be_taken_without_a_word_of_its_holder },
	{ "addresses of IPv6 are leased alike", addresses_of_ipv6_are_leased_alike },
	{ "several writers have a value each under one name", several_writers_have_a_value_each_under_one_name },
	{ "a claimed name is one writer's alone", a_claimed_name_is_one_writers_alone },
	{ "values of one name fit one answer", values_of_one_name_fit_one_answer },
	{ "values per name and per writer are bounded", values_per_name_and_per_writer_are_bounded },
	{ "a value cannot be forged by who keeps it", a_value_cannot_be_forged_by_who_keeps_it },
	{ "ten thousand ops leave what a table says", ten_thousand_ops_leave_what_a_table_says },
	CU_TEST_INFO_NULL
};
