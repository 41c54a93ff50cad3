/* ON: core/base core/seal core/vnet/guard.c core/vnet/packet.c core/vnet/build.c */
/*
 * guard_fuzz.c - rules as anybody may write them, and packets before them
 *
 * Input: a text up to the first zero byte, then packets: one byte (bit 0: out),
 * two bytes of length, an IP packet. A text that is a list of rules is the same
 * list when written and read again; a packet is let in or counted, and one that
 * answers what went out is let in.
 */
#include <assert.h>

#include "core/vnet/parts.h"
#include "tests/unit/bare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const struct guard_rule *rule, int rules)
{
	static uint8_t text[GUARD_RULES * 128];
	struct writer w = writer_of(text, sizeof(text));
	struct guard_rule copy[GUARD_RULES];
	struct guard_wrong wrong;

	for (int i = 0; i < rules; i++) {
		guard_write(&rule[i], &w);
		write_u8(&w, ';');
	}
	assert(!w.bad);
	assert(guard_read((struct bytes){ text, writer_len(&w) }, copy, &wrong) == rules);
	for (int i = 0; i < rules; i++)
		assert(copy[i].allow == rule[i].allow && copy[i].proto == rule[i].proto && copy[i].low == rule[i].low &&
		       copy[i].high == rule[i].high && copy[i].group.len == rule[i].group.len &&
		       (!rule[i].group.len || !memcmp(copy[i].group.at, rule[i].group.at, rule[i].group.len)));
}

static void packets(struct vnet *v, struct env *e, struct reader *r)
{
	struct id peer = { 1, 1 };

	while (reader_ok(r) && reader_left(r)) {
		uint8_t what = read_u8(r);
		size_t len = read_u16(r) % 600;
		const uint8_t *at = read_take(r, len);
		struct packet p, back;
		uint64_t before = e->fx->drops[DROP_GUARD] + e->fx->drops[DROP_MEMORY];

		if (!at || packet_read_ip(&p, (struct bytes){ at, len }, NULL) != DROP_NONE)
			continue;
		e->now_ns += (int64_t)what * NS_PER_S;
		if (!(what & 1)) {
			bool in = guard_in(v, e, peer, what & 2, &p);

			assert(in == (e->fx->drops[DROP_GUARD] + e->fx->drops[DROP_MEMORY] == before));
			continue;
		}
		guard_out(v, e, &p);
		back = p;
		back.src = p.dst;
		back.dst = p.src;
		back.sport = p.dport;
		back.dport = p.sport;
		if (p.proto == PROTO_TCP || p.proto == PROTO_UDP)
			assert(p.fragment || !v->net->rules || guard_in(v, e, peer, false, &back));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, 0, size);
	struct bytes text = { data, end ? (size_t)(end - data) : size };
	struct guard_rule rule[GUARD_RULES];
	struct guard_wrong wrong = { .what = NULL };
	struct network net = { .rule = rule };
	struct vnet v = { .net = &net };
	int rules = guard_read(text, rule, &wrong);
	struct look_guard look;
	struct reader r;
	struct bare b;

	if (rules < 0) {
		assert(wrong.what && wrong.word.at >= text.at && wrong.word.at + wrong.word.len <= text.at + text.len);
		return 0;
	}
	again(rule, rules);
	if (!end)
		return 0;
	bare_init(&b, 1);
	net.rules = (uint8_t)rules;
	r = reader_of(end + 1, (size_t)(data + size - end - 1));
	packets(&v, &b.env, &r);
	assert(vnet_guard_look(&v, &b.env, &look) == (rules > 0));
	guard_done(&v, &b.env);
	assert(bare_done(&b));
	return 0;
}
