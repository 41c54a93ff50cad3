/* ON: core/base core/seal core/link */
/*
 * tunnel_fuzz.c - mail and data packets from members that say anything, to an end of tunnels
 *
 * Input: steps of one byte what, two bytes length, bytes. What, bits 0 and 1: a
 * handshake packet by mail (of our network), mail as it is, a data packet, time
 * passing; bit 2: our tunnel's index is written where the receiver index stands;
 * bits 3 and 4: which peer says it. The first byte of all: bit 0 seals hold or
 * everything opens, bit 1 a tunnel of ours is being made. Nothing leaks, nothing
 * grows past its bound.
 */
#include <assert.h>

#include "core/link/tunnel.h"
#include "tests/fuzz/yes_suite.h"
#include "tests/unit/party.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OVERLAY = 100, ROOM = 1 << 20, PEERS = 4 };

static void drain(struct env *e, struct links *l, struct tunnels *t)
{
	struct tunnel_news news;
	struct tunnel_mail mail;
	struct tunnel_want want;
	struct news n;

	while (links_next(l, &n))
		;
	while (tunnels_next(t, &news))
		assert(news.payload.len <= TUNNEL_PAYLOAD_MAX + 8);
	while (tunnels_next_mail(t, &mail))
		assert(mail.data.len && mail.data.len <= TUNNEL_MAIL_MAX);
	while (tunnels_next_want(t, &want))
		;
	e->fx->sends = e->fx->records = 0;
	e->fx->used = 0;
}

static void time_passes(struct env *e, struct links *l, struct tunnels *t, uint8_t much)
{
	uint16_t tag;

	e->now_ns += (int64_t)much * much * 10 * NS_PER_MS;
	for (unsigned i = 0; i < 1000 && heap_pop(&e->timers, e->now_ns, &tag); i++) {
		if (tag == TIMER_TUNNEL)
			tunnels_timer(e, t, tag);
		drain(e, l, t);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct suite yes;
	static struct party ours[2], peer[PEERS];
	static struct datagram sends[256];
	static struct record records[64];
	static uint8_t *bytes;
	struct reader r = reader_of(data, size);
	uint8_t first = read_u8(&r);
	struct party *p = &ours[first & 1];
	struct effects fx = { .send = sends, .max_sends = 256, .record = records, .max_records = 64, .max_bytes = ROOM };
	struct env *e = &p->env;
	struct links *l;
	struct tunnels *t;
	struct id network = { 1, 2 };

	if (!yes.name) {
		yes = yes_suite();
		for (unsigned i = 0; i < PEERS; i++)
			party_init(&peer[i], &yes, i + 2, OVERLAY);
		bytes = malloc(ROOM);
	}
	party_init(p, first & 1 ? &yes : &suite_sodium, 1, OVERLAY);
	fx.bytes = bytes;
	e->fx = &fx;
	p->config.rekey_data_ns = 3600 * NS_PER_S;
	heap_init(&e->timers, 0);
	l = links_new(e, &p->self);
	t = tunnels_new(e, l, &p->self);
	tunnels_network(e, t, 0, network, p->config.overlay, &p->self);
	if (first & 2)
		tunnels_send(e, t, 0, peer[0].self.id, (struct bytes){ data, size < 100 ? size : 100 }, NULL);
	drain(e, l, t);
	while (reader_ok(&r) && reader_left(&r)) {
		uint8_t what = read_u8(&r), buf[1200] = { 1 };
		uint16_t len = read_u16(&r) % 1100;
		const uint8_t *at = read_take(&r, len);
		struct id from = peer[what >> 3 & 3].self.id;
		struct writer w = writer_of(buf, sizeof(buf));
		uint8_t *packet;
		uint32_t index = tunnels_index(t, 0);
		struct news n = { .kind = NEWS_DATA };

		if (!at)
			break;
		if ((what & 3) == 0) {
			write_u8(&w, 1);
			write_id(&w, network);
		}
		packet = w.at;
		write_copy(&w, at, len);
		if (what & 4) {
			for (unsigned i = 0; i < 4; i++)
				packet[4 + i] = (uint8_t)(index >> (24 - 8 * i));
			if (len >= 2 && (what & 3) == 0 && (packet[0] & 15) == PACKET_INIT && w.at < buf + 520)
				w.at = buf + 520;		/* as long as an INIT has to be */
		}
		switch (what & 3) {
		case 0:
		case 1:
			tunnels_mail(e, t, from, what & 0x20 ? &peer[3].self.id : NULL, (struct bytes){ buf, writer_len(&w) });
			break;
		case 2:
			n.body = (struct bytes){ buf, writer_len(&w) };
			n.a = what & 4 ? index : (uint32_t)buf[4] << 24 | (uint32_t)buf[5] << 16 | (uint32_t)buf[6] << 8 | buf[7];
			if (n.body.len >= 32)
				tunnels_data(e, t, &n);
			break;
		case 3:
			time_passes(e, l, t, (uint8_t)len);
			break;
		}
		drain(e, l, t);
		assert(e->mem.used < 400000);
	}
	tunnels_free(e, t);
	links_free(e, l);
	heap_done(&e->timers, &e->mem);
	assert(!e->mem.used);
	return 0;
}
