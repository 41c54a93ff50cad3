/*
 * Node i is engine object i at site i with the address 10.0.0.0 + i. A datagram
 * is one event with its bytes and its sender as payload; an alarm is a step
 * without events; a start and a question are events with no bytes.
 */
#include "sim/lab.h"

#include <assert.h>
#include <string.h>

#include <glib.h>

#include "core/base/env.h"
#include "core/look.h"
#include "node/prog/scenario.h"
#include "sim/engine/chance.h"
#include "sim/engine/engine.h"
#include "sim/world/people.h"

enum { PORT = 7447, PLAN = 10 << 24, QUOTA = 1 << 20, ROOM = 4 * EFFECTS_ROOM };
enum { CLASS_SIZE = 32, CONTACTS = 6 };
enum { CLASS_START, CLASS_DATAGRAM, CLASS_ASK };
enum { STREAM_SEED = 1000, STREAM_PAIR, STREAM_CONTACT };

#define LATENCY_NS	NS_PER_MS
#define TIMEOUT_NS	(20 * NS_PER_S)
#define LOOK_NS		(2 * NS_PER_S)
#define TABLES_NS	(8 * NS_PER_S)	/* the last link tables go out within 3.4 s */

struct parcel { uint32_t from, len; uint8_t data[]; };

/** struct form - CLASS_SIZE nodes that come one after another know the same few members */
struct form {
	struct config config;
	struct endpoint contact[CONTACTS];
};

struct lab {
	struct engine *engine;
	struct people people;
	struct form *form;
	uint32_t forms;
	struct mem_host mem;
	struct effects fx;
	struct node **node;
	struct self **self;
	uint32_t nodes;
	uint64_t seed;
	uint64_t pairs;			/* drawn so far */
	struct lab_tally *tally;
};

static struct endpoint address(uint32_t i)
{
	return endpoint_v4(PLAN + i, PORT);
}

static uint32_t number(const struct endpoint *at)
{
	return ((uint32_t)at->addr[0] << 24 | (uint32_t)at->addr[1] << 16 | (uint32_t)at->addr[2] << 8 |
		at->addr[3]) - PLAN;
}

static void carry(struct lab *lab, struct lane *l, uint32_t i)
{
	for (unsigned k = 0; k < lab->fx.sends; k++) {
		const struct datagram *d = &lab->fx.send[k];
		uint32_t to = number(&d->to);
		struct parcel *p;

		assert(to < lab->nodes && !d->segment);
		p = engine_payload(l, (uint32_t)sizeof(*p) + d->len);
		p->from = i;
		p->len = d->len;
		memcpy(p->data, d->data, d->len);
		engine_post(l, i, to, CLASS_DATAGRAM, lane_now(l) + LATENCY_NS, p);
	}
	for (unsigned k = 0; k < lab->fx.replies; k++) {
		const struct reply *r = &lab->fx.reply[k];
		struct lab_tally *t = lab->tally;

		if (!t || r->ask != ASK_LOOKUP)
			continue;
		if (r->answer != ANSWER_OK)
			t->lost++;
		else if (!id_eq(r->who, lab->self[r->token]->identity.id))
			t->wrong++;
		else if (r->tries > 1)
			t->retried++;
		else {
			t->first++;
			t->hops += r->hops;
			t->squares += (double)r->hops * r->hops;
		}
	}
}

static void step(struct lab *lab, struct lane *l, uint32_t i, const struct event *evs, unsigned n)
{
	int64_t due_ns = node_step(lab->node[i], lane_now(l), evs, n, &lab->fx);

	carry(lab, l, i);
	while (lab->fx.more) {
		due_ns = node_step(lab->node[i], lane_now(l), NULL, 0, &lab->fx);
		carry(lab, l, i);
	}
	engine_alarm(l, i, due_ns);
}

static void start(struct lab *lab, struct lane *l, uint32_t i)
{
	struct birth birth = {
		.config = &lab->form[i / CLASS_SIZE].config, .suite = lab->people.suite, .host = &lab->mem, .quota = QUOTA,
		.identity = &lab->self[i]->identity, .incarnation = 1,
	};
	struct chance c = chance_of(lab->seed, i, STREAM_SEED);
	uint8_t seed[32];
	struct event evs[2] = {
		{ .kind = EVENT_START }, { .kind = EVENT_ADDRESS, .from = address(i), .up = true },
	};

	chance_bytes(&c, seed, sizeof(seed));
	evs[0].start.seed = seed;
	evs[0].start.ciphers = 1 << CIPHER_CHACHA;
	lab->node[i] = node_new(&birth, lane_now(l));
	assert(lab->node[i]);
	step(lab, l, i, evs, 2);
}

static void handle(void *world, struct lane *l, const struct engine_event *ev)
{
	struct lab *lab = world;
	struct event in = { .kind = EVENT_DATAGRAM };
	const struct parcel *p = ev->payload;

	switch (ev->class) {
	case CLASS_START:
		start(lab, l, ev->dst);
		return;
	case CLASS_DATAGRAM:
		if (!lab->node[ev->dst])
			return;
		in.from = address(p->from);
		in.data = (struct bytes){ p->data, p->len };
		break;
	case CLASS_ASK:
		in.kind = EVENT_CONTROL;
		in.request = (struct request){
			.ask = ASK_LOOKUP, .key = lab->self[p->from]->identity.id, .token = p->from,
			.timeout_ns = TIMEOUT_NS,
		};
		break;
	default:
		in.kind = EVENT_TIMER;
	}
	step(lab, l, ev->dst, &in, 1);
}

static void warm(void *world, uint32_t object)
{
	const struct lab *lab = world;
	const char *n = (const char *)lab->node[object];

	for (unsigned i = 0; n && i < 8; i++)
		__builtin_prefetch(n + 64 * i);
}

/* Contacts are drawn among the first half of those who came before: they stand by then. */
static void forms_new(struct lab *lab, const struct config *c)
{
	lab->forms = (lab->nodes + CLASS_SIZE - 1) / CLASS_SIZE;
	lab->form = g_new(struct form, lab->forms);
	for (uint32_t i = 0; i < lab->forms; i++) {
		struct form *f = &lab->form[i];
		struct chance draw = chance_of(lab->seed, i, STREAM_CONTACT);
		uint32_t before = MIN(MAX(i * CLASS_SIZE / 2, CONTACTS), lab->nodes);

		f->config = *c;
		memcpy(f->config.overlay, people_overlay(&lab->people), sizeof(f->config.overlay));
		f->config.bootstrap = f->contact;
		f->config.bootstraps = CONTACTS;
		for (unsigned k = 0; k < CONTACTS; k++)
			f->contact[k] = address((uint32_t)chance_below(&draw, before));
	}
}

struct lab *lab_new(const struct lab_setup *s)
{
	struct lab *lab = g_new0(struct lab, 1);
	struct engine_config c = { .floor_ns = LATENCY_NS, .world = lab, .handle = handle, .warm = warm };

	lab->seed = s->seed;
	lab->nodes = s->nodes;
	people_init(&lab->people, s->seed, CRYPTO_MODEL, IDS_DRAWN);
	forms_new(lab, &s->config);
	lab->fx = (struct effects){
		.max_sends = ROOM, .max_frames = EFFECTS_ROOM, .max_saves = EFFECTS_SAVES,
		.max_replies = EFFECTS_ROOM, .max_records = ROOM, .max_bytes = 2 * EFFECTS_BYTES,
	};
	lab->fx.send = g_new0(struct datagram, ROOM);
	lab->fx.frame = g_new0(struct frame, EFFECTS_ROOM);
	lab->fx.save = g_new0(struct save, EFFECTS_SAVES);
	lab->fx.reply = g_new0(struct reply, EFFECTS_ROOM);
	lab->fx.record = g_new0(struct record, ROOM);
	lab->fx.bytes = g_malloc(lab->fx.max_bytes);
	lab->node = g_new0(struct node *, s->nodes);
	lab->self = g_new0(struct self *, s->nodes);
	lab->engine = engine_new(&c);
	for (uint32_t i = 0; i < s->nodes; i++) {
		struct lane *l;

		engine_object(lab->engine, i);
		l = engine_lane(lab->engine, i);
		lab->mem = (struct mem_host){ slab_get_cb, slab_put_cb, lane_slab(l) };
		lab->self[i] = people_make(&lab->people, lane_slab(l), i, 1);
		engine_post(l, i, i, CLASS_START, s->join_over_ns / s->nodes * i, NULL);
	}
	return lab;
}

void lab_free(struct lab *lab)
{
	if (!lab)
		return;
	for (uint32_t i = 0; i < lab->nodes; i++)
		node_free(lab->node[i]);
	engine_free(lab->engine);
	g_free(lab->fx.send);
	g_free(lab->fx.frame);
	g_free(lab->fx.save);
	g_free(lab->fx.reply);
	g_free(lab->fx.record);
	g_free(lab->fx.bytes);
	g_free(lab->node);
	g_free(lab->self);
	g_free(lab->form);
	g_free(lab);
}

void lab_run(struct lab *lab, int64_t span_ns)
{
	engine_run_until(lab->engine, engine_now(lab->engine) + span_ns);
}

/* Long links @k wants: core/ring/longs.c has the rule. */
static unsigned wanted(const struct config *c, const struct look *k)
{
	unsigned log2 = 0;

	while (k->size >> log2 > 1)
		log2++;
	log2 += k->size > 1u << log2;
	return c->longs ? c->longs : (log2 + 1) / 2;
}

static bool rests(const struct lab *lab)
{
	const struct config *c = &lab->form->config;
	uint64_t links = 0, due = 0, lack = 0;

	for (uint32_t i = 0; i < lab->nodes; i++) {
		struct look k;

		if (!lab->node[i])
			return false;
		node_look(lab->node[i], &k);
		if (!k.joined)
			return false;
		links += k.links;
		due += k.longs_out + k.longs_in + 2u * c->near;
		lack += k.longs_out < wanted(c, &k);
	}
	return lack <= lab->nodes / 200 && links <= due + lab->nodes / 50;
}

bool lab_settle(struct lab *lab, int64_t limit_ns)
{
	while (!rests(lab)) {
		if (engine_now(lab->engine) >= limit_ns)
			return false;
		lab_run(lab, LOOK_NS);
	}
	lab_run(lab, TABLES_NS);
	return true;
}

void lab_route(struct lab *lab, bool one_way, bool lookahead)
{
	for (uint32_t i = 0; i < lab->forms; i++) {
		lab->form[i].config.one_way = one_way;
		lab->form[i].config.lookahead = lookahead;
	}
}

void lab_ask(struct lab *lab, unsigned count, int64_t span_ns, struct lab_tally *t)
{
	*t = (struct lab_tally){ .asked = count };
	lab->tally = t;
	for (unsigned i = 0; i < count; i++) {
		struct chance c = chance_of(lab->seed, (uint32_t)lab->pairs++, STREAM_PAIR);
		uint32_t from = (uint32_t)chance_below(&c, lab->nodes), to = (uint32_t)chance_below(&c, lab->nodes - 1);
		struct lane *l = engine_lane(lab->engine, from);
		struct parcel *p = engine_payload(l, sizeof(*p));

		to += to >= from;
		p->from = to;
		p->len = 0;
		engine_post(l, from, from, CLASS_ASK, engine_now(lab->engine) + span_ns / count * i, p);
	}
	lab_run(lab, span_ns);
	for (int64_t end = engine_now(lab->engine) + TIMEOUT_NS;
	     t->first + t->retried + t->wrong + t->lost < count && engine_now(lab->engine) < end;)
		lab_run(lab, NS_PER_S / 10);
	lab->tally = NULL;
}

void lab_shape(const struct lab *lab, struct lab_shape *s)
{
	double n = lab->nodes;

	*s = (struct lab_shape){ .now_ns = engine_now(lab->engine), .steps = lab->fx.steps };
	for (uint32_t i = 0; i < lab->nodes; i++) {
		struct look k = { .joined = false };

		if (lab->node[i])
			node_look(lab->node[i], &k);
		s->apart += !k.joined;
		s->links += k.links / n;
		s->longs_out += k.longs_out / n;
		s->longs_in += k.longs_in / n;
		s->size += k.size / n;
		s->bytes += k.memory / n;
		s->most_in = MAX(s->most_in, k.longs_in);
	}
}
