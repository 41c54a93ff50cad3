/* ON: core/base core/seal core/link core/ring core/dht */
/*
 * replica_fuzz.c - a member of slots that says anything to the others
 *
 * Four nodes serve a root and a slot; then node 3 says what the input wants, in
 * its own name, and time passes. It may break what these slots promise (README of
 * core/dht, question 8), but nobody may fall over, loop, or keep memory.
 *
 * Input: steps. First byte: bits 0-1 whom it is for (3: let time pass, the rest times
 * 50 ms), bits 2-3 which slot, bit 4 a wrong view name, bit 5 a wrong incarnation, bits 6-7
 * not a word at all but a mail of another kind. Second byte: the word, or the kind. Third: length
 * of the body, in which ID n is the id of node n, VIEW the slot's view as it is,
 * NOT x the byte x.
 */
#include "tests/unit/replica_lab.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ID = 0xfd, VIEW = 0xfe, NOT = 0xff, LIAR = 3, STEPS_MAX = 48 };

static struct slot_name slot_of(const struct lab *l, unsigned n)
{
	struct ip ip = ip_v4(0x0a000000 | (n == 2 ? 9 : 70));

	return n < 2 ? slot_root(l->record.id) : slot_of_ip(l->record.id, &ip);
}

static const struct view *view_of(const struct lab *l, const struct slot_name *s)
{
	static const struct view NONE;

	for (unsigned i = 0; i < LIAR; i++) {
		const struct replica *r = replica_find(l->node[i].dht, s);

		if (r && r->view.members)
			return &r->view;
	}
	return &NONE;
}

static void body(const struct lab *l, const struct view *v, struct reader *in, struct writer *w)
{
	while (reader_left(in)) {
		uint8_t b = read_u8(in);

		if (b == ID)
			write_id(w, l->node[read_u8(in) % l->nodes].party->self.id);
		else if (b == VIEW)
			view_write(w, v);
		else
			write_u8(w, b == NOT ? read_u8(in) : b);
	}
}

static void say(struct lab *l, uint8_t how, uint8_t word, struct reader in)
{
	static uint8_t buf[8192];
	struct writer w = writer_of(buf, sizeof(buf));
	struct slot_name s = slot_of(l, how >> 2 & 3);
	const struct view *v = view_of(l, &s);
	struct view_name name = v->name;
	struct incarnation life = l->node[LIAR].dht->replicas ? l->node[LIAR].dht->replicas->life : (struct incarnation){ 0 };
	uint8_t kind = BODY_SLOT;

	if (how >> 6) {
		kind = BODY_DHT + word % 16;
	} else {
		name.number += how >> 4 & 1;
		life.chance += how >> 5 & 1;
		write_u8(&w, word % (WORDS + 1));
		slot_write(&w, &s);
		name_write(&w, name);
		life_write(&w, life);
	}
	body(l, v, &in, &w);
	if (!w.bad && writer_len(&w) <= RING_MAIL_MAX)
		lab_post(l, l->node[LIAR].party->self.id, (how & 3) % LIAR, kind, (struct bytes){ 0 },
			 (struct bytes){ buf, writer_len(&w) });
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader in = reader_of(data, size);
	struct lab *l = lab_new(4, 4, 1, 3);

	for (unsigned i = 0; i < l->nodes; i++)
		lab_start(l, i);
	lab_run(l, 6 * NS_PER_S);
	lab_op(l, 1, OP_CREATE, 9);
	lab_run(l, 3 * NS_PER_S);
	for (unsigned i = 0; i < STEPS_MAX && reader_left(&in); i++) {
		uint8_t how = read_u8(&in);
		struct bytes b;

		if ((how & 3) == 3) {
			lab_run(l, (how >> 2) * 50 * NS_PER_MS);
			continue;
		}
		b.len = 0;
		uint8_t word = read_u8(&in), len = read_u8(&in);
		b = (struct bytes){ in.at, len < reader_left(&in) ? len : reader_left(&in) };
		read_take(&in, b.len);
		say(l, how, word, reader_of(b.at, b.len));
		l->wrong = NULL;
		if (i % 4 == 3)
			lab_run(l, 100 * NS_PER_MS);
	}
	l->wrong = NULL;
	lab_run(l, 5 * NS_PER_S);
	l->wrong = NULL;
	for (unsigned i = 0; i < l->nodes; i++)
		lab_crash(l, i);
	if (l->wrong)
		abort();			/* memory was left behind */
	lab_free(l);
	return 0;
}
