/*
 * dht_lab.h - clients and holders of leases before slots that cannot fail, or exactly as told
 *
 * Nodes with the client side of core/dht each; mail takes no time unless a test
 * says so. A slot is a store and op_apply(): the promise of the real thing
 * without its members. What a test wants lost, late or refused it says in the
 * lab's hook.
 */
#ifndef DHT_LAB_H
#define DHT_LAB_H

#include "core/dht/holder.h"
#include "core/ring/message.h"
#include "tests/unit/party.h"
#include "tests/unit/suites.h"

enum { LAB_NODES = 4, LAB_SLOTS = 80, LAB_OVERLAY = 100, LAB_MAIL = 256, LAB_FX = 512 };

struct lab;

/** what becomes of one mail: false to lose it */
typedef bool lab_hook(struct lab *l, unsigned from, unsigned to, uint8_t body, struct bytes data);

struct lab_slot {
	struct slot_name name;
	struct store store;
};

struct lab_mail {
	unsigned from, to;		/* LAB_NODES: a slot */
	uint8_t body;
	uint16_t len;
	uint8_t data[3000];
};

struct lab_node {
	struct party party;
	struct effects fx;
	struct save save[LAB_FX];
	struct record record[LAB_FX];
	struct reply reply[8];
	uint8_t bytes[1 << 16];
	struct dht dht;
	struct ring ring;		/* of unknown size; mail goes by lab_wire() */
	struct charter charter;
	uint8_t saved[1 << 16];		/* items, as saved.h has them */
	size_t saved_len;
	bool slow_disk;			/* saves become durable when the test says so */
};

struct lab {
	struct network_record record;
	struct lab_node node[LAB_NODES];
	struct lab_slot slot[LAB_SLOTS];
	unsigned slots;
	struct env env;			/* of the slots: memory and time */
	int64_t now_ns;
	lab_hook *hook;
	bool no_answers;		/* slots do what they are asked and nobody hears of it */
	bool no_way;			/* nobody has a link */
	uint8_t say;			/* not 0: what slots answer instead of doing anything */
	unsigned ops[OP_KINDS];		/* that reached a slot */
	unsigned urgent;
	struct lab_mail queue[LAB_MAIL];
	unsigned queued;
};

static inline struct lab_slot *lab_slot(struct lab *l, const struct slot_name *s)
{
	for (unsigned i = 0; i < l->slots; i++)
		if (slot_eq(&l->slot[i].name, s))
			return &l->slot[i];
	CU_ASSERT_FATAL(l->slots < LAB_SLOTS);
	l->slot[l->slots].name = *s;
	return &l->slot[l->slots++];
}

static inline unsigned lab_named(const struct lab *l, struct id id)
{
	for (unsigned i = 0; i < LAB_NODES; i++)
		if (id_eq(l->node[i].party.self.id, id))
			return i;
	return LAB_NODES;
}

/* dht_wire: arg is the node */
static inline enum drop lab_wire(void *arg, struct env *e, struct id to, uint8_t mode, uint8_t body, struct bytes head,
				 struct bytes data, const struct id *via)
{
	struct lab_node *n = arg;
	struct lab *l = (struct lab *)n->party.env.mem.host->ctx;
	struct lab_mail *m;

	(void)via;
	CU_ASSERT_FATAL(head.len == 0 || body == BODY_PARCEL);
	if (l->no_way)
		return env_drop(e, DROP_ROUTE);
	CU_ASSERT_FATAL(l->queued < LAB_MAIL && head.len + data.len <= sizeof(m->data));
	m = &l->queue[l->queued];
	m->from = (unsigned)(n - l->node);
	m->to = mode == ROUTE_OWNER || body == BODY_OP ? LAB_NODES : lab_named(l, to);
	m->body = body;
	if (head.len)
		memcpy(m->data, head.at, head.len);
	memcpy(m->data + head.len, data.at, data.len);
	m->len = (uint16_t)(head.len + data.len);
	if (!l->hook || l->hook(l, m->from, m->to, body, (struct bytes){ m->data, m->len }))
		l->queued++;
	return DROP_NONE;
}

/* What was asked for has been done */
static inline void lab_flush(struct lab_node *n)
{
	n->fx = (struct effects){
		.save = n->save, .max_saves = LAB_FX, .record = n->record, .max_records = LAB_FX,
		.reply = n->reply, .max_replies = 8, .bytes = n->bytes, .max_bytes = sizeof(n->bytes),
	};
}

static inline void lab_env(struct lab *l, struct lab_node *n)
{
	struct env *e = &n->party.env;

	if (!e->fx)
		lab_flush(n);
	e->now_ns = l->now_ns;
	e->fx = &n->fx;
}

/** lab_dht() - node @i as a fresh start leaves it: what it held in memory is gone */
static inline void lab_dht(struct lab *l, unsigned i)
{
	struct lab_node *n = &l->node[i];
	struct env *e = &n->party.env;

	lab_env(l, n);
	client_free(&n->dht, e);
	held_free(&n->dht, e);
	publish_free(&n->dht, e);
	parcel_free(&n->dht, e);
	e->incarnation++;
	n->charter = (struct charter){ .record = l->record, .member = true };
	n->dht = (struct dht){
		.ring = &n->ring, .self = &n->party.self, .charter = &n->charter, .charters = 1, .wire = lab_wire, .wire_arg = n,
	};
}

static inline struct lab *lab_new(void)
{
	static struct mem_host host;
	struct lab *l = calloc(1, sizeof(*l));
	uint8_t key[SIGN_BYTES];
	struct party slots;

	host = (struct mem_host){ party_get, party_put, l };
	l->now_ns = 1000 * NS_PER_S;
	party_env(&slots, &suite_sodium, 50);
	l->env = slots.env;
	l->env.suite = &suite_sodium;
	party_key(&suite_sodium, LAB_OVERLAY, key);
	network_defaults(&l->record);
	memcpy(l->record.key, key + KEY_BYTES, KEY_BYTES);
	memcpy(l->record.name, "lab", 4);
	memcpy(l->record.domain, "lab", 4);
	l->record.id = network_id(l->record.key);
	l->record.range4 = (struct ip_range){ ip_v4(0x0a000000), 24 };
	l->record.range6 = (struct ip_range){ { .at = { 0xfd, 9 }, .family = 6 }, 64 };
	for (unsigned i = 0; i < LAB_NODES; i++) {
		party_init(&l->node[i].party, &suite_sodium, i + 1, LAB_OVERLAY);
		l->node[i].party.env.mem.host = &host;
		heap_init(&l->node[i].party.env.timers, 0);
		lab_dht(l, i);
	}
	return l;
}

static inline void lab_free(struct lab *l)
{
	for (unsigned i = 0; i < LAB_NODES; i++) {
		struct lab_node *n = &l->node[i];

		lab_dht(l, i);
		heap_done(&n->party.env.timers, &n->party.env.mem);
		CU_ASSERT_EQUAL(n->party.env.mem.used, 0);	/* nothing is left behind */
	}
	for (unsigned i = 0; i < l->slots; i++)
		store_done(&l->slot[i].store, &l->env.mem);
	free(l);
}

/* The op of one question, as a slot that cannot fail answers it */
static inline void lab_serve(struct lab *l, const struct lab_mail *m)
{
	static struct outcome out;
	uint8_t buf[3800], tail[TAIL_MAX];
	struct writer w = writer_of(buf, sizeof(buf)), t = writer_of(tail, sizeof(tail));
	struct lab_node *n = &l->node[m->from];
	struct lab_slot *s;
	struct question q;
	struct told told;
	struct ring_mail answer;

	CU_ASSERT_FATAL(question_read((struct bytes){ m->data, m->len }, &q) == DROP_NONE);
	CU_ASSERT_EQUAL_FATAL(op_check(&q.op, &suite_sodium, &l->record, 0), DROP_NONE);
	l->ops[q.op.kind]++;
	l->urgent += q.flags & QUESTION_URGENT;
	s = lab_slot(l, &q.op.slot);
	told = (struct told){ .nonce = q.op.nonce, .kind = q.op.kind, .slot = q.op.slot, .primary = l->node[0].party.self.id };
	told.verdict = l->say;
	if (!l->say) {
		op_apply(&s->store, &s->name, 0, &l->record, &q.op, l->now_ns, &out, &t);
		told.verdict = out.verdict;
		s->store.grants = out.grants;
		if (out.write)
			CU_ASSERT_PTR_NOT_NULL_FATAL(store_put(&s->store, &l->env.mem, &out.kept));
	}
	if (l->no_answers)
		return;
	told.tail = (struct bytes){ tail, writer_len(&t) };
	told_write(&w, &told);
	CU_ASSERT_FALSE_FATAL(w.bad);
	answer = (struct ring_mail){ .from = l->node[0].party.self.id, .body = BODY_ANSWER, .data = { buf, writer_len(&w) } };
	client_mail(&n->dht, &n->party.env, &answer);
}

static inline void lab_one(struct lab *l, const struct lab_mail *m)
{
	struct lab_node *n = &l->node[m->to < LAB_NODES ? m->to : m->from];
	struct ring_mail mail = { .from = l->node[m->from].party.self.id, .body = m->body, .data = { m->data, m->len } };

	lab_env(l, n);
	if (m->to == LAB_NODES && m->body == BODY_OP)
		lab_serve(l, m);
	else if (m->to < LAB_NODES)
		held_mail(&n->dht, &n->party.env, &mail);
}

/* Saves become what a start reads */
static inline void lab_disk(struct lab_node *n)
{
	uint8_t next[sizeof(n->saved)];
	struct writer w = writer_of(next, sizeof(next));
	struct reader r = reader_of(n->saved, n->saved_len);
	struct saved s;

	while (saved_next(&r, &s)) {
		bool again = false;

		for (unsigned i = 0; i < n->fx.saves; i++)
			again |= n->save[i].kind == s.kind && n->save[i].part == s.part;
		if (!again)
			saved_write(&w, &s);
	}
	for (unsigned i = 0; i < n->fx.saves; i++) {
		bool again = !n->save[i].len;

		for (unsigned k = i + 1; k < n->fx.saves; k++)
			again |= n->save[k].kind == n->save[i].kind && n->save[k].part == n->save[i].part;
		s = (struct saved){ n->save[i].part, { n->save[i].data, n->save[i].len }, n->save[i].kind };
		if (!again)
			saved_write(&w, &s);
	}
	CU_ASSERT_FALSE_FATAL(w.bad);
	memcpy(n->saved, next, writer_len(&w));
	n->saved_len = writer_len(&w);
}

/** lab_settle() - What was done becomes durable and is told, mail arrives; until nothing happens any more */
static inline void lab_settle(struct lab *l)
{
	static struct lab_mail now[LAB_MAIL];
	bool more = true;

	while (more) {
		unsigned count = l->queued;

		more = count;
		memcpy(now, l->queue, count * sizeof(*now));
		l->queued = 0;
		for (unsigned i = 0; i < LAB_NODES; i++) {
			struct lab_node *n = &l->node[i];
			uint64_t token = n->fx.saves ? n->save[n->fx.saves - 1].token : 0;

			if (!token || n->slow_disk)
				continue;
			lab_disk(n);
			lab_flush(n);
			lab_env(l, n);
			held_saved(&n->dht, &n->party.env, token);
			more = true;
		}
		for (unsigned i = 0; i < count; i++)
			lab_one(l, &now[i]);
	}
}

static inline void lab_timers(struct lab *l, unsigned i)
{
	struct lab_node *n = &l->node[i];
	struct env *e = &n->party.env;
	uint16_t tag;

	e->now_ns = l->now_ns;
	while (heap_pop(&e->timers, l->now_ns, &tag)) {
		if (tag == TIMER_DHT_CLIENT)
			client_timer(&n->dht, e);
		else if (tag == TIMER_DHT_HELD)
			held_timer(&n->dht, e);
		else if (tag == TIMER_DHT_PUBLISH)
			publish_timer(&n->dht, e);
		else if (tag == TIMER_DHT_PARCEL)
			parcel_timer(&n->dht, e);
	}
}

/** lab_run() - Let so much time pass */
static inline void lab_run(struct lab *l, int64_t for_ns)
{
	int64_t until = l->now_ns + for_ns;

	lab_settle(l);
	for (;;) {
		int64_t next = INT64_MAX;

		for (unsigned i = 0; i < LAB_NODES; i++)
			if (heap_next(&l->node[i].party.env.timers) < next)
				next = heap_next(&l->node[i].party.env.timers);
		if (next > until)
			break;
		l->now_ns = next > l->now_ns ? next : l->now_ns;
		for (unsigned i = 0; i < LAB_NODES; i++)
			lab_timers(l, i);
		lab_settle(l);
	}
	l->now_ns = until;
	for (unsigned i = 0; i < LAB_NODES; i++)
		lab_env(l, &l->node[i]);
}

/** lab_restart() - node @i ends without a word and starts with what its disk has */
static inline void lab_restart(struct lab *l, unsigned i, bool proven)
{
	struct lab_node *n = &l->node[i];
	struct reader r = reader_of(n->saved, n->saved_len);
	struct saved s;

	lab_dht(l, i);
	while (saved_next(&r, &s))
		if (s.kind == SAVE_LEASE)
			held_load(&n->dht, &n->party.env, &s, proven);
}

static inline struct env *lab_at(struct lab *l, unsigned i)
{
	lab_env(l, &l->node[i]);
	return &l->node[i].party.env;
}

static inline struct dht *lab_of(struct lab *l, unsigned i)
{
	return &l->node[i].dht;
}

static inline bool lab_believes(struct lab *l, unsigned i, struct ip ip)
{
	return held_believes(lab_of(l, i), lab_at(l, i), l->record.id, &ip, NULL);
}

#endif /* DHT_LAB_H */
