/* ON: core/base core/seal core/link */
/*
 * cookie_fuzz.c - datagrams from anywhere to a node that has a call out and too many callers
 *
 * Input: one byte: bit 0 seals hold or everything opens, bit 1 its call names a
 * key. Then steps of one byte what, two bytes length, bytes. What, bits 0 and 1:
 * which endpoint says it, 0 the one that was called; bit 2: the call's index is
 * written where the receiver index stands; bit 3: the overlay's tag likewise;
 * bit 4: the packet is made as long as an INIT has to be; bit 5: time passes.
 * Who calls hears nothing longer than what he said, and nothing grows past its bound.
 */
#include <assert.h>

#include "core/link/table.h"
#include "tests/fuzz/yes_suite.h"
#include "tests/unit/party.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OVERLAY = 100, ROOM = 1 << 20 };

static void drain(struct env *e, struct links *l)
{
	struct news n;

	while (links_next(l, &n))
		;
	e->fx->sends = e->fx->records = 0;
	e->fx->used = 0;
}

static void time_passes(struct env *e, struct links *l, unsigned much)
{
	uint16_t tag;

	e->now_ns += (int64_t)much * much * NS_PER_MS;
	for (unsigned i = 0; i < 1000 && heap_pop(&e->timers, e->now_ns, &tag); i++) {
		links_timer(e, l, tag);
		drain(e, l);
	}
}

static void put_word(uint8_t *at, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(v >> (24 - 8 * i));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct suite yes;
	static struct party peer, ours[2];
	static struct datagram sends[256];
	static struct record records[64];
	static uint8_t *bytes;
	struct reader r = reader_of(data, size);
	uint8_t first = read_u8(&r);
	struct party *p = &ours[first & 1];
	struct effects fx = { .send = sends, .max_sends = 256, .record = records, .max_records = 64, .max_bytes = ROOM };
	struct contact c = { .ats = 1, .at = { endpoint_v4(0x0a000001, 4000) } };
	struct env *e = &p->env;
	struct links *l;
	uint32_t index;

	if (!yes.name) {
		yes = yes_suite();
		party_init(&peer, &yes, 2, OVERLAY);
		bytes = malloc(ROOM);
	}
	party_init(p, first & 1 ? &yes : &suite_sodium, 1, OVERLAY);
	p->config.handshake_ns = 500 * NS_PER_MS;
	p->config.handshake_tries = 4;
	p->config.suspect_ns = 1500 * NS_PER_MS;
	p->config.suspect_probes = 3;
	p->config.probe_far_ns = 60 * NS_PER_S;
	fx.bytes = bytes;
	e->fx = &fx;
	heap_init(&e->timers, 0);
	l = links_new(e, &p->self);
	if (first & 2) {
		c.has_key = true;
		memcpy(c.key, identity_key(&peer.self), KEY_BYTES);
	}
	links_call(e, l, &c);
	drain(e, l);
	index = l->slots && l->link[0].attempts ? l->link[0].attempts->index : 0;
	l->gate.paid_ms = env_ms(e) + GATE_SPAN_MS;
	while (reader_ok(&r) && reader_left(&r)) {
		uint8_t what = read_u8(&r), buf[1472] = { 0 };
		uint16_t len = read_u16(&r) % 1200;
		const uint8_t *at = read_take(&r, len);
		struct event ev = { .kind = EVENT_DATAGRAM, .from = endpoint_v4(0x0a000001 + (what & 3), 4000) };

		if (!at)
			break;
		memcpy(buf, at, len);
		if (what & 16 && len < HANDSHAKE_INIT_MIN)
			len = HANDSHAKE_INIT_MIN;
		if (what & 4)
			put_word(buf + 4, index);
		if (what & 8)
			put_word(buf + 4, handshake_tag(p->config.overlay));
		ev.data = (struct bytes){ buf, len };
		if (what & 32)
			time_passes(e, l, buf[0]);
		links_datagram(e, l, &ev);
		if (buf[0] == (WIRE_VERSION << 4 | PACKET_INIT)) {
			assert(fx.sends <= 1);
			assert(!fx.sends || (fx.send[0].len <= len && endpoint_eq(&fx.send[0].to, &ev.from)));
		}
		assert(l->answers <= ANSWERS_MAX);
		drain(e, l);
	}
	time_passes(e, l, 300);
	links_free(e, l);
	heap_done(&e->timers, &e->mem);
	assert(!e->mem.used);
	return 0;
}
