/*
 * Records as whole nodes get them: signed by nobody, by members of other networks, cut,
 * too large, or sent once more when they are over. Slots hear of none of it.
 */
#include "core/dht/parts.h"
#include "core/inside.h"
#include "core/ring/message.h"
#include "tests/story/tell.h"
#include "tests/unit/suites.h"

enum { HOST = 1, OTHER = 2 };

/* Three nodes, members of so many networks */
static struct stage *village(unsigned networks)
{
	struct stage *s = stage_new(3, &suite_sodium);
	struct network_record n;

	network_defaults(&n);
	strcpy(n.name, "village");
	n.range4 = (struct ip_range){ ip_v4(0x0a010000), 16 };
	for (unsigned i = 0; i < networks; i++)
		stage_network(s, &n);
	for (unsigned i = 0; i < 3; i++)
		stage_up(s, i, false);
	stage_run(s, 30 * NS_PER_S);
	CU_ASSERT_TRUE_FATAL(stage_ring_right(s));
	return s;
}

static const struct ip WANTED = { .at = { 10, 1, 7, 7 }, .family = 4 };

struct mailed { struct id point; uint8_t bytes[QUESTION_HEADER + OP_MAX + 600]; size_t len; };

static void mail(struct node *n, void *arg)
{
	const struct mailed *m = arg;

	dht_post(n->dht, &n->env, m->point, ROUTE_OWNER, BODY_OP, (struct bytes){ m->bytes, m->len }, NULL);
}

/* @o is an op of HOST, sealed with its certificate of network @net. */
static void seal_op(struct stage *s, struct mailed *m, struct op o, unsigned net)
{
	struct actor *a = &s->actor[HOST];
	struct question q = { .op = o };
	struct writer w = writer_of(m->bytes, sizeof(m->bytes));

	q.op.slot = slot_of_ip(s->record[0].id, &WANTED);
	q.op.asker = a->identity.id;
	q.op.client = 5;
	question_write(&w, &q);
	op_write(&w, &q.op, s->suite, &a->member[net], (struct bytes){ a->member[net].chain, a->member[net].chain_len });
	CU_ASSERT_FALSE_FATAL(w.bad);
	m->point = slot_point(&q.op.slot);
	m->len = writer_len(&w);
}

static void create(struct stage *s, struct mailed *m, unsigned net)
{
	seal_op(s, m, (struct op){ .kind = OP_CREATE, .nonce = 1, .ip = WANTED, .term_s = 600 }, net);
}

/* It is posted, dropped for that reason and no other, and @WANTED stays nobody's. */
static void refused_by_slot(struct stage *s, struct mailed *m, enum drop why)
{
	const struct request q = { .ask = ASK_RESOLVE, .ip = WANTED, .timeout_ns = 20 * NS_PER_S };
	uint64_t before = s->fx.drops[why];
	const struct reply *a;

	stage_inside(s, HOST, mail, m);
	stage_run(s, 2 * NS_PER_S);
	CU_ASSERT_EQUAL(s->fx.drops[why], before + 1);
	a = stage_ask(s, OTHER, &q, (struct bytes){ 0 }, 30 * NS_PER_S);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	CU_ASSERT_EQUAL(a->verdict, VERDICT_ABSENT);
}

static void records_nobody_signed_are_refused(void)
{
	struct stage *s = village(2);
	struct mailed m;

	create(s, &m, 0), m.bytes[m.len - 1] ^= 1, refused_by_slot(s, &m, DROP_SEAL);
	create(s, &m, 0), m.bytes[QUESTION_HEADER + 4 + 3 + 25 + 16] ^= 1, refused_by_slot(s, &m, DROP_SEAL);
	create(s, &m, 0), m.bytes[QUESTION_HEADER + 4 + 3 + 25] ^= 1, refused_by_slot(s, &m, DROP_IDENTITY);
	create(s, &m, 1), refused_by_slot(s, &m, DROP_CERTIFICATE);	/* a member of another network */
	create(s, &m, 0), m.bytes[m.len++] = 0, refused_by_slot(s, &m, DROP_VALUE);
	create(s, &m, 0), m.len -= 1, refused_by_slot(s, &m, DROP_VALUE);
	create(s, &m, 0), memset(m.bytes + m.len, 0, sizeof(m.bytes) - m.len), m.len = sizeof(m.bytes);
	refused_by_slot(s, &m, DROP_VALUE);						/* larger than any op */
	stage_free(s);
}

/* The very bytes of a create that was granted, and given back since, are sent once more. */
static void a_record_replayed_changes_nothing(void)
{
	const struct request get = { .ask = ASK_RESOLVE, .ip = WANTED, .timeout_ns = 20 * NS_PER_S };
	struct stage *s = village(1);
	struct mailed first, release;
	struct dht_account was, after;
	const struct reply *a;

	create(s, &first, 0);
	stage_inside(s, HOST, mail, &first);
	stage_run(s, 5 * NS_PER_S);
	a = stage_ask(s, OTHER, &get, (struct bytes){ 0 }, 30 * NS_PER_S);
	CU_ASSERT_TRUE_FATAL(a && a->verdict == VERDICT_OK);
	seal_op(s, &release, (struct op){ .kind = OP_RELEASE, .nonce = 2, .fence.grant = 1 }, 0);	/* what my op 1 created */
	stage_inside(s, HOST, mail, &release);
	stage_run(s, 5 * NS_PER_S);
	node_dht_account(s->actor[HOST].node, &was);
	for (unsigned i = 0; i < 20; i++) {
		stage_inside(s, i % 2 ? HOST : OTHER, mail, &first);	/* from another mouth, too */
		stage_run(s, NS_PER_S);
		a = stage_ask(s, OTHER, &get, (struct bytes){ 0 }, 30 * NS_PER_S);
		CU_ASSERT_TRUE(a && a->verdict == VERDICT_ABSENT);
	}
	node_dht_account(s->actor[HOST].node, &after);
	CU_ASSERT_EQUAL(after.records, was.records);
	stage_free(s);
}

static enum verdict asked(struct stage *s, unsigned i, enum ask what, int64_t for_ns)
{
	const struct request q = { .ask = (uint8_t)what, .ip = WANTED, .client = 10 + i, .timeout_ns = for_ns };
	const struct reply *a = stage_ask(s, i, &q, (struct bytes){ 0 }, for_ns + NS_PER_S);

	return a ? (enum verdict)a->verdict : VERDICT_TIMEOUT;
}

/* IPOP's owner removed its own entry when the copy to its neighbour failed, though an earlier lease stood in it. */
static void a_copy_that_fails_erases_no_lease(void)
{
	struct stage *s = village(1);

	stage_run(s, 30 * NS_PER_S);			/* three keep it by now */
	CU_ASSERT_EQUAL(asked(s, HOST, ASK_LEASE, 20 * NS_PER_S), VERDICT_OK);
	stage_crash(s, 0);
	stage_crash(s, OTHER);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_NOT_EQUAL(asked(s, HOST, ASK_RENEW, 15 * NS_PER_S), VERDICT_OK);
	CU_ASSERT_TRUE(node_believes(s->actor[HOST].node, s->record[0].id, &WANTED, NULL));
	stage_up(s, 0, true);
	stage_up(s, OTHER, true);
	stage_run(s, 40 * NS_PER_S);
	CU_ASSERT_EQUAL(asked(s, OTHER, ASK_RESOLVE, 20 * NS_PER_S), VERDICT_OK);
	CU_ASSERT_TRUE(id_eq(s->last_reply.who, s->actor[HOST].identity.id));
	CU_ASSERT_EQUAL(asked(s, OTHER, ASK_LEASE, 20 * NS_PER_S), VERDICT_TAKEN);
	CU_ASSERT_EQUAL(asked(s, HOST, ASK_RENEW, 20 * NS_PER_S), VERDICT_OK);
	stage_free(s);
}

CU_TestInfo story_record_tests[] = {
	{ "records nobody signed, of other networks, cut or too large are refused", records_nobody_signed_are_refused },
	{ "a record replayed changes nothing", a_record_replayed_changes_nothing },
	{ "a copy that fails erases no lease (IPOP: RemoveEntry)", a_copy_that_fails_erases_no_lease },
	CU_TEST_INFO_NULL
};
