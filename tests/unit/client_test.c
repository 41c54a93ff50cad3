/* A question is answered once, or ends in time; what nobody heard of is not left behind. */
#include "tests/unit/dht_lab.h"

#define S	NS_PER_S

static const struct ip A = { .at = { 10, 0, 0, 7 }, .family = 4 };

static struct op lease_op(const struct lab *l, enum op_kind kind, struct ip ip, uint64_t client)
{
	return (struct op){ .kind = (uint8_t)kind, .slot.network = l->record.id, .ip = ip, .client = client, .term_s = 600 };
}

static bool ask(struct lab *l, unsigned i, enum op_kind kind, struct ip ip, uint64_t client, int64_t timeout_ns)
{
	struct op o = lease_op(l, kind, ip, client);

	return dht_ask(lab_of(l, i), lab_at(l, i), DHT_USER_CONTROL, client, &o, timeout_ns);
}

static struct dht_done answer(struct lab *l, unsigned i)
{
	struct dht_done d = { .verdict = 255 };

	CU_ASSERT_TRUE(dht_next(lab_of(l, i), &d));
	return d;
}

static bool open_still(struct lab *l, unsigned i)
{
	struct dht_done d;

	return !dht_next(lab_of(l, i), &d);
}

/* live records in all slots */
static unsigned live(const struct lab *l)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->slots; i++)
		for (unsigned k = 0; k < l->slot[i].store.count; k++)
			n += kept_live(&l->slot[i].store.kept[k], l->now_ns);
	return n;
}

static void a_question_is_asked_until_it_is_answered(void)
{
	struct lab *l = lab_new();
	int64_t start = l->now_ns;
	struct dht_done d;

	l->no_answers = true;
	CU_ASSERT_TRUE(ask(l, 0, OP_CREATE, A, 1, 10 * S));
	lab_run(l, 5 * S);
	CU_ASSERT_TRUE(open_still(l, 0));
	CU_ASSERT_TRUE(l->ops[OP_CREATE] >= 3 && l->urgent == l->ops[OP_CREATE] - 1);
	l->no_answers = false;
	lab_run(l, 5 * S);
	d = answer(l, 0);
	CU_ASSERT_EQUAL(d.verdict, VERDICT_OK);
	CU_ASSERT_EQUAL(d.asked_ns, start);
	CU_ASSERT_TRUE(d.tries >= 4 && d.cookie == 1 && d.user == DHT_USER_CONTROL);
	CU_ASSERT_TRUE(ip_eq(&d.lease.ip, &A) && id_eq(d.lease.holder, l->node[0].party.self.id));
	CU_ASSERT_TRUE(open_still(l, 0));
	CU_ASSERT_EQUAL(live(l), 1);			/* four tries, one lease */
	lab_free(l);
}

static void a_question_ends_in_time(void)
{
	struct lab *l = lab_new();

	l->no_answers = true;
	CU_ASSERT_TRUE(ask(l, 0, OP_GET, A, 1, 4 * S));
	lab_run(l, 4 * S - 1);
	CU_ASSERT_TRUE(open_still(l, 0));
	lab_run(l, S);
	CU_ASSERT_EQUAL(answer(l, 0).verdict, VERDICT_TIMEOUT);
	l->no_answers = false;
	l->say = VERDICT_WAIT;
	CU_ASSERT_TRUE(ask(l, 0, OP_GET, A, 1, 4 * S));
	lab_run(l, 5 * S);
	CU_ASSERT_EQUAL(answer(l, 0).verdict, VERDICT_WAIT);
	lab_free(l);
}

/* IPOP left the values of losing creates in the positions they had won. */
static void a_create_nobody_heard_of_is_taken_back(void)
{
	struct lab *l = lab_new();

	l->no_answers = true;
	CU_ASSERT_TRUE(ask(l, 0, OP_CREATE, A, 1, 4 * S));
	CU_ASSERT_TRUE(ask(l, 0, OP_CREATE_ANY, (struct ip){ .family = 4 }, 2, 4 * S));
	lab_run(l, 5 * S);
	CU_ASSERT_EQUAL(answer(l, 0).verdict, VERDICT_TIMEOUT);
	CU_ASSERT_EQUAL(answer(l, 0).verdict, VERDICT_TIMEOUT);
	lab_run(l, 30 * S);
	CU_ASSERT_EQUAL(live(l), 0);
	CU_ASSERT_EQUAL(client_asking(lab_of(l, 0)), 2);	/* until somebody says so */
	l->no_answers = false;
	lab_run(l, 10 * S);
	CU_ASSERT_EQUAL(client_asking(lab_of(l, 0)), 0);
	lab_free(l);
}

static bool lose_all(struct lab *l, unsigned from, unsigned to, uint8_t body, struct bytes data)
{
	(void)l, (void)from, (void)to, (void)body, (void)data;
	return false;
}

static void a_newer_create_is_not_taken_back_with_an_older_one(void)
{
	struct lab *l = lab_new();

	l->no_answers = true;
	CU_ASSERT_TRUE(ask(l, 0, OP_CREATE, A, 1, 2 * S));
	lab_run(l, S);
	l->hook = lose_all;				/* the undo is lost for a while */
	lab_run(l, 2 * S);
	CU_ASSERT_EQUAL(answer(l, 0).verdict, VERDICT_TIMEOUT);
	l->no_answers = false;
	l->hook = NULL;
	CU_ASSERT_TRUE(ask(l, 0, OP_CREATE, A, 1, 2 * S));
	lab_run(l, 60 * S);
	CU_ASSERT_EQUAL(answer(l, 0).verdict, VERDICT_OK);
	CU_ASSERT_EQUAL(live(l), 1);
	lab_free(l);
}

static void without_a_link_a_question_waits_for_one(void)
{
	struct lab *l = lab_new();
	int64_t way;
	struct dht_done d;

	l->no_way = true;
	CU_ASSERT_TRUE(ask(l, 0, OP_CREATE, A, 1, 60 * S));
	lab_run(l, 20 * S);
	CU_ASSERT_EQUAL(l->ops[OP_CREATE], 0);
	l->no_way = false;
	way = l->now_ns;
	client_ring(lab_of(l, 0), lab_at(l, 0));
	lab_run(l, 0);
	d = answer(l, 0);
	CU_ASSERT_EQUAL(d.verdict, VERDICT_OK);
	CU_ASSERT_EQUAL(d.asked_ns, way);		/* the term did not run while it waited */
	lab_free(l);
}

/* IPOP: two tries per address, then an exception. */
static void any_finds_the_last_free_address_of_a_range(void)
{
	struct lab *l = lab_new();
	unsigned had = 0;

	for (unsigned i = 0; i < 260; i++) {
		struct dht_done d;

		CU_ASSERT_TRUE_FATAL(ask(l, i % LAB_NODES, OP_CREATE_ANY, (struct ip){ .family = 4 }, 1000 + i, 30 * S));
		lab_run(l, 0);
		d = answer(l, i % LAB_NODES);
		CU_ASSERT_EQUAL(d.verdict, had < 253 ? VERDICT_OK : VERDICT_FULL);
		had += d.verdict == VERDICT_OK;
	}
	CU_ASSERT_EQUAL(had, 253);
	CU_ASSERT_EQUAL(live(l), 253);
	lab_free(l);
}

static void the_preferred_address_comes_first(void)
{
	struct lab *l = lab_new();
	struct ip p = ip_v4(0x0a0000c8);
	struct dht_done d;

	CU_ASSERT_TRUE(ask(l, 0, OP_CREATE_ANY, p, 1, 30 * S));
	CU_ASSERT_TRUE(ask(l, 1, OP_CREATE_ANY, p, 2, 30 * S));
	lab_run(l, 0);
	d = answer(l, 0);
	CU_ASSERT_TRUE(d.verdict == VERDICT_OK && ip_eq(&d.lease.ip, &p));
	d = answer(l, 1);
	CU_ASSERT_TRUE(d.verdict == VERDICT_OK && !ip_eq(&d.lease.ip, &p));
	lab_free(l);
}

static bool first_slot_waits(struct lab *l, unsigned from, unsigned to, uint8_t body, struct bytes data)
{
	(void)from, (void)to, (void)data;
	if (body == BODY_OP)
		l->say = l->ops[OP_CREATE_ANY] ? 0 : VERDICT_WAIT;
	return true;
}

static void a_slot_that_cannot_decide_is_left_for_another_place(void)
{
	struct lab *l = lab_new();
	int64_t start = l->now_ns;

	l->hook = first_slot_waits;
	CU_ASSERT_TRUE(ask(l, 0, OP_CREATE_ANY, (struct ip){ .family = 4 }, 1, 30 * S));
	lab_run(l, 0);
	CU_ASSERT_EQUAL(answer(l, 0).verdict, VERDICT_OK);
	CU_ASSERT_EQUAL(l->now_ns, start);
	CU_ASSERT_EQUAL(l->slots, 2);
	CU_ASSERT_EQUAL(l->ops[OP_RELEASE], 1);	/* what it may have granted after all */
	lab_run(l, 70 * S);
	CU_ASSERT_EQUAL(live(l), 1);
	lab_free(l);
}

static void the_same_guest_walks_the_same_way_and_others_another(void)
{
	struct network_record n = { .range4 = { ip_v4(0x0a000000), 16 }, .id = { 5, 6 } };
	struct ip any = { .family = 4 };
	struct slot_name s;
	unsigned count = 0, same = 0, first[64];
	bool seen[1024] = { false };

	for (struct walk w = { 0 }; walk_next(&w, &n, &any, 77, 0, &s); count++) {
		CU_ASSERT_FALSE(seen[s.number & 1023]);
		seen[s.number & 1023] = true;
		first[count] = s.number & 1023;
	}
	CU_ASSERT_EQUAL(count, 40);	/* eight each of 64, 64, 128, 256 and 512 */
	count = 0;
	for (struct walk w = { 0 }; walk_next(&w, &n, &any, 77, 0, &s); count++)
		CU_ASSERT_EQUAL(first[count], s.number & 1023);
	count = 0;
	for (struct walk w = { 0 }; walk_next(&w, &n, &any, 78, 0, &s); count++)
		same += first[count] == (s.number & 1023);
	CU_ASSERT_TRUE(same < 5);
	n.range4.bits = 28;
	count = 0;
	for (struct walk w = { 0 }; walk_next(&w, &n, &any, 77, 0, &s);)
		count++;
	CU_ASSERT_EQUAL(count, 1);
}

static void an_asker_that_forgot_its_count_is_told_and_asks_anew(void)
{
	struct lab *l = lab_new();
	struct dht_done d;

	CU_ASSERT_TRUE(ask(l, 0, OP_CREATE, A, 1, 10 * S));
	lab_run(l, 0);
	CU_ASSERT_EQUAL(answer(l, 0).verdict, VERDICT_OK);
	lab_of(l, 0)->nonce = 5;			/* an old disk, or none */
	CU_ASSERT_TRUE(ask(l, 0, OP_CREATE, A, 1, 10 * S));
	lab_run(l, 0);
	d = answer(l, 0);
	CU_ASSERT_EQUAL(d.verdict, VERDICT_OK);
	CU_ASSERT_TRUE(l->ops[OP_CREATE] == 3 && lab_of(l, 0)->nonce > 5);
	lab_free(l);
}

static void a_bounded_number_is_under_way(void)
{
	struct lab *l = lab_new();
	unsigned had = 0;

	l->hook = lose_all;
	for (unsigned i = 0; i < 100; i++)
		had += ask(l, 0, OP_GET, A, i, S);
	CU_ASSERT_EQUAL(had, 64);
	lab_run(l, 2 * S);
	for (unsigned i = 0; i < 64; i++)
		CU_ASSERT_EQUAL(answer(l, 0).cookie, i);	/* in the order they were asked */
	CU_ASSERT_TRUE(ask(l, 0, OP_GET, A, 1, S));
	lab_free(l);
}

/* ---- answers from whoever ---- */

static void tell(struct lab *l, const struct told *t)
{
	uint8_t buf[3800];
	struct writer w = writer_of(buf, sizeof(buf));
	struct ring_mail m = { .body = BODY_ANSWER };

	told_write(&w, t);
	m.data = (struct bytes){ buf, writer_len(&w) };
	client_mail(lab_of(l, 0), lab_at(l, 0), &m);
}

static void answers_to_other_questions_are_dropped(void)
{
	struct lab *l = lab_new();
	struct told t = { .nonce = 1, .kind = OP_CREATE, .verdict = VERDICT_TAKEN };
	uint8_t tail[100];
	struct writer w = writer_of(tail, sizeof(tail));
	struct lease other = { .ip = ip_v4(0x0a000008), .holder = { 1, 1 } };

	l->hook = lose_all;
	CU_ASSERT_TRUE(ask(l, 0, OP_CREATE, A, 1, 10 * S));
	t.slot = slot_of_ip(l->record.id, &A);
	t.nonce = lab_of(l, 0)->nonce + 1;
	tell(l, &t);
	t.nonce--;
	t.kind = OP_RENEW;
	tell(l, &t);
	t.kind = OP_CREATE;
	t.slot.number++;
	tell(l, &t);
	t.slot.number--;
	t.verdict = VERDICT_OK;				/* without a lease; then about another address */
	tell(l, &t);
	lease_write(&w, &other);
	t.tail = (struct bytes){ tail, writer_len(&w) };
	tell(l, &t);
	tail[0] = 9;
	tell(l, &t);
	CU_ASSERT_TRUE(open_still(l, 0));
	t.tail.len = 0;
	t.verdict = VERDICT_TAKEN;
	tell(l, &t);
	CU_ASSERT_EQUAL(answer(l, 0).verdict, VERDICT_TAKEN);
	tell(l, &t);
	CU_ASSERT_TRUE(open_still(l, 0));
	lab_free(l);
}

static struct id sent_to;
static uint8_t sent_mode;

static enum drop remember_wire(void *arg, struct env *e, struct id to, uint8_t mode, uint8_t body, struct bytes head,
			       struct bytes data, const struct id *via)
{
	(void)arg, (void)e, (void)body, (void)head, (void)data, (void)via;
	sent_to = to;
	sent_mode = mode;
	return DROP_NONE;
}

static void who_is_named_is_asked_and_remembered(void)
{
	struct lab *l = lab_new();
	const struct id primary = { 7, 7 };
	struct told t = { .kind = OP_GET, .primary = primary };

	lab_of(l, 0)->wire = remember_wire;
	t.slot = slot_of_ip(l->record.id, &A);
	CU_ASSERT_TRUE(ask(l, 0, OP_GET, A, 1, 30 * S));
	CU_ASSERT_TRUE(sent_mode == ROUTE_OWNER && id_eq(sent_to, slot_point(&t.slot)));
	t.nonce = lab_of(l, 0)->nonce;
	tell(l, &t);					/* not here: ask that one */
	CU_ASSERT_TRUE(sent_mode == ROUTE_EXACT && id_eq(sent_to, primary));
	t.verdict = VERDICT_ABSENT;
	tell(l, &t);
	CU_ASSERT_EQUAL(answer(l, 0).verdict, VERDICT_ABSENT);
	sent_mode = 99;
	CU_ASSERT_TRUE(ask(l, 0, OP_GET, A, 2, 30 * S));
	CU_ASSERT_TRUE(sent_mode == ROUTE_EXACT && id_eq(sent_to, primary));
	lab_run(l, 2 * S);				/* silent: back to the ring */
	CU_ASSERT_TRUE(sent_mode == ROUTE_OWNER);
	lab_free(l);
}

/* ---- names ---- */

static void names_are_kept_while_wanted_and_gone_when_not(void)
{
	struct lab *l = lab_new();
	struct bytes name = { (const uint8_t *)"Printer", 7 }, value = { (const uint8_t *)"here", 4 };
	struct op get = { .kind = OP_GET, .type = VALUE_PLAIN, .slot.network = l->record.id, .name = name };
	struct look_name look;
	struct dht_done d;

	CU_ASSERT_TRUE(name_publish(lab_of(l, 0), lab_at(l, 0), DHT_USER_VNET, l->record.id, name, VALUE_PLAIN, value, 60, true));
	lab_run(l, 300 * S);
	CU_ASSERT_TRUE(l->ops[OP_CLAIM] > 7 && l->ops[OP_CLAIM] < 14);
	CU_ASSERT_TRUE(name_at(lab_of(l, 0), 0, &look) && look.verdict == VERDICT_OK && look.until_ns > l->now_ns);
	CU_ASSERT_TRUE(dht_ask(lab_of(l, 1), lab_at(l, 1), DHT_USER_VNET, 3, &get, S));
	lab_run(l, 0);
	d = answer(l, 1);
	CU_ASSERT_EQUAL(d.verdict, VERDICT_OK);
	CU_ASSERT_EQUAL_FATAL(d.values, 1);
	CU_ASSERT_TRUE(id_eq(d.value[0].writer, l->node[0].party.self.id) && d.value[0].data.len == 4);
	CU_ASSERT_TRUE(!memcmp(d.value[0].data.at, "here", 4) && d.value[0].left_ms > 20000);
	name_withdraw(lab_of(l, 0), lab_at(l, 0), DHT_USER_VNET, l->record.id, name, VALUE_PLAIN);
	lab_run(l, S);
	CU_ASSERT_FALSE(name_at(lab_of(l, 0), 0, &look));
	CU_ASSERT_TRUE(dht_ask(lab_of(l, 1), lab_at(l, 1), DHT_USER_VNET, 3, &get, S));
	lab_run(l, 200 * S);
	CU_ASSERT_EQUAL(answer(l, 1).verdict, VERDICT_ABSENT);
	lab_free(l);
}

/* ---- parcels ---- */

struct parcel {
	uint8_t data[RING_MAIL_MAX];
	uint16_t len;
};

static struct parcel parcel[8];
static unsigned parcels;

static enum drop parcel_wire(void *arg, struct env *e, struct id to, uint8_t mode, uint8_t body, struct bytes head,
			     struct bytes data, const struct id *via)
{
	(void)arg, (void)e, (void)to, (void)mode, (void)via;
	CU_ASSERT_EQUAL(body, BODY_PARCEL);
	CU_ASSERT_TRUE_FATAL(head.len + data.len <= RING_MAIL_MAX && parcels < 8);
	memcpy(parcel[parcels].data, head.at, head.len);
	memcpy(parcel[parcels].data + head.len, data.at, data.len);
	parcel[parcels++].len = (uint16_t)(head.len + data.len);
	return DROP_NONE;
}

static bool arrives(struct lab *l, struct id from, unsigned i, struct ring_mail *whole)
{
	struct ring_mail m = { .from = from, .body = BODY_PARCEL, .data = { parcel[i].data, parcel[i].len } };

	return parcel_mail(lab_of(l, 1), lab_at(l, 1), &m, whole);
}

static void large_mail_arrives_whole_in_any_order(void)
{
	static uint8_t big[3500];
	struct lab *l = lab_new();
	struct ring_mail whole = { .body = 0 };
	struct id from = l->node[0].party.self.id;

	for (unsigned i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 7 + i / 256);
	lab_of(l, 0)->wire = parcel_wire;
	parcels = 0;
	CU_ASSERT_EQUAL(dht_post(lab_of(l, 0), lab_at(l, 0), l->node[1].party.self.id, ROUTE_EXACT, BODY_SLOT,
				 (struct bytes){ big, sizeof(big) }, NULL), DROP_NONE);
	CU_ASSERT_EQUAL_FATAL(parcels, 4);
	CU_ASSERT_FALSE(arrives(l, from, 3, &whole));
	CU_ASSERT_FALSE(arrives(l, from, 1, &whole));
	CU_ASSERT_FALSE(arrives(l, from, 1, &whole));	/* twice */
	CU_ASSERT_FALSE(arrives(l, from, 0, &whole));
	CU_ASSERT_TRUE(arrives(l, from, 2, &whole));
	CU_ASSERT_TRUE(whole.body == BODY_SLOT && whole.data.len == sizeof(big) && !memcmp(whole.data.at, big, sizeof(big)));
	CU_ASSERT_EQUAL(parcel_bytes(lab_of(l, 1)), 0);
	lab_free(l);
}

static void pieces_without_the_rest_are_forgotten_and_bounded(void)
{
	static uint8_t big[3500];
	struct lab *l = lab_new();
	struct ring_mail whole;

	lab_of(l, 0)->wire = parcel_wire;
	for (unsigned i = 0; i < 100; i++) {
		parcels = 0;
		dht_post(lab_of(l, 0), lab_at(l, 0), l->node[1].party.self.id, ROUTE_EXACT, BODY_SLOT,
			 (struct bytes){ big, sizeof(big) }, NULL);
		CU_ASSERT_FALSE(arrives(l, (struct id){ i % 20, 1 }, 0, &whole));
	}
	CU_ASSERT_TRUE(parcel_bytes(lab_of(l, 1)) < 8 * 4000 + 1000);
	lab_run(l, 6 * S);
	CU_ASSERT_EQUAL(parcel_bytes(lab_of(l, 1)), 0);
	for (unsigned i = 0; i < 256; i++) {		/* headers that lie */
		parcel[0].data[3] = (uint8_t)i;
		CU_ASSERT_FALSE(arrives(l, (struct id){ 1, i }, 0, &whole));
	}
	parcel[0].len = 3;
	CU_ASSERT_FALSE(arrives(l, (struct id){ 1, 1 }, 0, &whole));
	lab_run(l, 6 * S);
	CU_ASSERT_EQUAL(parcel_bytes(lab_of(l, 1)), 0);
	lab_free(l);
}

CU_TestInfo client_tests[] = {
	{ "a question is asked until it is answered", a_question_is_asked_until_it_is_answered },
	{ "a question ends in time", a_question_ends_in_time },
	{ "a create nobody heard of is taken back", a_create_nobody_heard_of_is_taken_back },
	{ "a newer create is not taken back with an older one", a_newer_create_is_not_taken_back_with_an_older_one },
	{ "without a link a question waits for one", without_a_link_a_question_waits_for_one },
	{ "any finds the last free address of a range", any_finds_the_last_free_address_of_a_range },
	{ "the preferred address comes first", the_preferred_address_comes_first },
	{ "a slot that cannot decide is left for another place", a_slot_that_cannot_decide_is_left_for_another_place },
	{ "the same guest walks the same way and others another", the_same_guest_walks_the_same_way_and_others_another },
	{ "an asker that forgot its count is told and asks anew", an_asker_that_forgot_its_count_is_told_and_asks_anew },
	{ "a bounded number is under way", a_bounded_number_is_under_way },
	{ "answers to other questions are dropped", answers_to_other_questions_are_dropped },
	{ "who is named is asked and remembered", who_is_named_is_asked_and_remembered },
	{ "names are kept while wanted and gone when not", names_are_kept_while_wanted_and_gone_when_not },
	{ "large mail arrives whole in any order", large_mail_arrives_whole_in_any_order },
	{ "pieces without the rest are forgotten and bounded", pieces_without_the_rest_are_forgotten_and_bounded },
	CU_TEST_INFO_NULL
};
