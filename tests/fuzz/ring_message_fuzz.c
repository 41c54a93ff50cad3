/* ON: core core/base core/seal core/link core/ring core/dht core/vnet sim/world/model_crypto.c tests/story/stage.c */
/*
 * ring_message_fuzz.c - a member that says anything, to whole nodes that are linked to it
 *
 * Two to four nodes join; then one or the other says what the input wants,
 * sealed as its own, while time passes. Nobody may fall over, take more than its
 * quota or answer one message with a flood. When the words end, those who spoke
 * start afresh (a node that lied about itself believes it was honest); then all
 * stand in one ring and every key is found, so that what others were told about
 * each other does not last.
 *
 * Input: a byte (bits 0 and 1: nodes less two, mod 3; bit 2: node 0 leaves before the
 * last third), then steps: kind in 6 bits and who in 2, length, body. In a body
 * ID n stands for the id of node n, AT n for its endpoint, NOT x for the byte x.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/inside.h"
#include "sim/world/model_crypto.h"
#include "tests/story/stage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	ID = 0xfd, AT = 0xfe, NOT = 0xff,
	PASS = 0x3f,			/* instead of a kind: let length / 8 seconds pass */
	REQUEST = 0x3e,			/* node `who` is asked for something */
	STEPS_MAX = 40,
	BODY_MAX = 1000,
	SENT_MAX = 400,			/* packets one message may lead to within its step, all nodes together */
	STRANGER = 5,			/* an actor that is never up */
};

static struct bytes body_of(struct stage *s, struct reader in, uint8_t buf[BODY_MAX])
{
	struct writer w = writer_of(buf, BODY_MAX);

	while (reader_left(&in)) {
		uint8_t b = read_u8(&in);
		unsigned n = b >= ID ? read_u8(&in) : 0;

		if (b == ID)
			write_id(&w, s->actor[n % (STRANGER + 1)].identity.id);
		else if (b == AT)
			write_endpoint(&w, &s->actor[n % (STRANGER + 1)].at);
		else
			write_u8(&w, b == NOT ? (uint8_t)n : b);
	}
	return (struct bytes){ buf, writer_len(&w) };
}

/* Node @from tells each of its link peers: the one thing an honest node would not do. */
static void say(struct stage *s, unsigned from, uint8_t kind, struct bytes body)
{
	for (unsigned to = 0; to < s->actors; to++) {
		struct node *n = s->actor[from].node;
		struct event ev = { .kind = EVENT_DATAGRAM, .from = s->actor[from].at };
		uint8_t copy[WIRE_MTU_MAX];
		struct writer w;
		link_ref ref;

		if (!n || !s->actor[to].node)
			continue;
		ref = links_find(n->links, s->actor[to].identity.id);
		if (!links_up(n->links, ref))
			continue;
		s->fx.sends = s->fx.records = s->fx.saves = s->fx.replies = 0;
		s->fx.used = 0;
		n->env.fx = &s->fx;
		n->env.now_ns = s->now_ns;
		w = links_message(&n->env, n->links, ref, kind, body.len);
		write_copy(&w, body.at, body.len);
		links_sent(&n->env, n->links, ref, &w);
		n->env.fx = NULL;
		if (!s->fx.sends)
			continue;
		assert(s->fx.send[0].len <= sizeof(copy));
		memcpy(copy, s->fx.send[0].data, s->fx.send[0].len);
		ev.data = (struct bytes){ copy, s->fx.send[0].len };
		if (endpoint_eq(&s->fx.send[0].to, &s->actor[to].at))
			stage_event(s, to, &ev);
	}
}

static void request(struct stage *s, unsigned who, struct reader in)
{
	struct event ev = { .kind = EVENT_CONTROL, .from = s->actor[STRANGER].at };
	uint8_t buf[BODY_MAX];
	struct reader r;

	ev.request.ask = read_u8(&in) % ASK_KINDS;
	ev.data = body_of(s, in, buf);
	r = reader_of(ev.data.at, ev.data.len);
	ev.request.key = read_id(&r);
	ev.request.token = 1;
	ev.request.timeout_ns = 5 * NS_PER_S;
	stage_event(s, who, &ev);
}

static uint64_t sent(const struct stage *s)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < s->actors; i++)
		sum += s->actor[i].sent;
	return sum;
}

/* Return: a bit for the node that lied */
static unsigned step(struct stage *s, unsigned nodes, struct reader *in)
{
	uint8_t head = read_u8(in), len = read_u8(in), buf[BODY_MAX];
	unsigned who = (head >> 6) % nodes;
	const uint8_t *at;
	uint64_t before = sent(s);

	if ((head & 0x3f) == PASS) {
		stage_run(s, len * NS_PER_S / 8);
		return 0;
	}
	if (len > reader_left(in))
		len = (uint8_t)reader_left(in);
	at = read_take(in, len);
	if ((head & 0x3f) == REQUEST)
		request(s, who, reader_of(at, len));
	else
		say(s, who, head & 0x3f, body_of(s, reader_of(at, len), buf));
	if ((head & 0x3f) == MESSAGE_LEAVE && s->actor[who].node)
		stage_stop(s, who);		/* nobody owes a place to who said goodbye */
	stage_run(s, 50 * NS_PER_MS);
	assert(sent(s) - before < SENT_MAX);
	for (unsigned i = 0; i < nodes; i++) {
		struct look look;

		if (!s->actor[i].node)
			continue;
		node_look(s->actor[i].node, &look);
		assert(look.memory <= s->quota);
	}
	return (head & 0x3f) == REQUEST ? 0 : 1u << who;
}

static bool all_right(struct stage *s, unsigned liars)
{
	for (unsigned i = 0; i < s->actors; i++)
		if (s->actor[i].node && liars >> i & 1) {
			stage_crash(s, i);
			stage_run(s, NS_PER_S);
			stage_up(s, i, true);
		}
	for (unsigned i = 0; i < 60; i++) {
		stage_run(s, 10 * NS_PER_S);
		if (stage_ring_right(s))
			return true;
	}
	return false;
}

/* What happened, for whoever has to find out why. */
static void tell_and_abort(const struct stage *s)
{
	fputs(s->line, stderr);
	for (unsigned i = 0; i < s->actors; i++) {
		struct look look;

		if (!s->actor[i].node)
			continue;
		node_look(s->actor[i].node, &look);
		fprintf(stderr, "%u %016llx joined %d left %u right %u links %u known %u %u\n", i,
			(unsigned long long)look.id.hi, look.joined, stage_name(s, look.left),
			stage_name(s, look.right), look.links, look.known_left, look.known_right);
	}
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader in = reader_of(data, size);
	uint8_t head = read_u8(&in);
	unsigned nodes = 2 + (head & 3) % 3, liars = 0;
	struct stage *s = stage_new(STRANGER + 1, &suite_drawn);
	struct endpoint boot[4];

	for (unsigned i = 0; i < nodes; i++)
		boot[i] = s->actor[i].at;
	s->config.bootstrap = boot;
	s->config.bootstraps = (uint16_t)nodes;
	for (unsigned i = 0; i < nodes; i++)
		stage_up(s, i, false);
	stage_run(s, 3 * NS_PER_S);
	assert(stage_ring_right(s));
	for (unsigned i = 0; i < STEPS_MAX && reader_left(&in) > 1; i++) {
		if (head & 4 && reader_left(&in) < size / 3 && s->actor[0].node)
			stage_stop(s, 0);
		liars |= step(s, nodes, &in);
	}
	if (!all_right(s, liars))
		tell_and_abort(s);
	for (unsigned i = head & 4 ? 1 : 0; i < nodes; i++) {
		struct id key = { data && size ? data[size - 1] * 0x0101010101010101ull : 0, i };
		const struct reply *r = stage_lookup(s, i, key, 10 * NS_PER_S);

		if (!s->actor[i].node)
			continue;
		assert(r && r->answer == ANSWER_OK);
		assert(id_eq(r->who, s->actor[stage_owner(s, key)].identity.id));
	}
	stage_free(s);
	return 0;
}
