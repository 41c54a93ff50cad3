/* ON: core/base core/seal core/dht/network.c core/vnet/vnet.c core/vnet/edge.c core/vnet/guard.c core/vnet/echo.c core/vnet/guest.c core/vnet/wait.c core/vnet/arp.c core/vnet/nd.c core/vnet/icmp.c core/vnet/mss.c core/vnet/lan.c core/vnet/migrate.c core/dht/value.c core/dht/slot.c core/dht/op.c core/vnet/packet.c core/vnet/build.c */
/*
 * A tap that says anything, a tunnel that says anything, in any order, and
 * leases and resolutions that come and go: the edge of a network stays within
 * its bounds, and every frame it makes is one.
 *
 *	input = model 1 | any number of: what 1 | how 1 | length 2 | bytes
 *
 * what: a frame, a payload, time, news of a lease, a resolution, a broadcast.
 * how, for frames: 1 to us, 2 from a guest, 4 checksums mended, 8 offload word
 * in front; so that the fuzzer need not find out MACs and sums by itself.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/yes_suite.h"
#include "tests/unit/bare.h"
#include "tests/unit/party.h"
#include "tests/unit/vnet_faked.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FRAME, PAYLOAD, TIME, NEWS, RESOLVED, FLOOD, KINDS, TO_US = 1, FROM_GUEST = 2, MEND = 4, OFFLOAD = 8 };

static struct {
	struct bare bare;
	struct vnet *vnet;
	struct network net;
	struct identity identity;
	struct ring ring;
	uint8_t blob[NETWORK_RECORD_MAX];
	size_t blob_len;
	struct frame frames[EFFECTS_ROOM];
	struct record records[EFFECTS_ROOM];
	uint8_t bytes[EFFECTS_BYTES];
	uint8_t chain[CERT_CHAIN_MAX];
	struct suite suite;
} own;

/* Signatures cost more than all the rest of a run: the record and the chain are made once. */
static void make_once(void)
{
	static const uint8_t SALT[CERT_SALT] = { 1 };
	static const struct prefix FIXED = { .addr = { 10, 250, 1, 0 }, .family = 4, .bits = 28 };
	struct writer w = writer_of(own.blob, sizeof(own.blob));
	uint8_t key[SIGN_BYTES];
	struct cert_order o = { .roles = ROLE_MEMBER, .serial = 1, .key = key + KEY_BYTES, .salt = SALT,
				.prefixes = &FIXED, .prefix_count = 1 };
	struct network_record n;

	if (own.blob_len)
		return;
	own.suite = yes_suite();
	party_key(&suite_sodium, 200, key);
	network_defaults(&n);
	memcpy(n.key, key + KEY_BYTES, KEY_BYTES);
	memcpy(n.name, "home", 5);
	memcpy(n.domain, "home", 5);
	n.range4 = (struct ip_range){ ip_v4(0x0afa0000), 16 };
	n.range6 = (struct ip_range){ { .at = { 0xfd, 0x77 }, .family = 6 }, 64 };
	n.reserved[0] = (struct ip_range){ ip_v4(0x0afa0100), 24 };
	n.reserveds = 1;
	n.founders = 1;
	n.founder[0] = (struct id){ 1, 1 };
	assert(network_sign(&suite_sodium, key, &n, &w));
	own.blob_len = writer_len(&w);
	w = writer_of(own.chain, sizeof(own.chain));
	assert(cert_issue(&suite_sodium, key, &o, &w));
	own.identity.chain = own.chain;
	own.identity.chain_len = (uint16_t)writer_len(&w);
}

static void begin(uint8_t model)
{
	struct vnet_ports ports = { .ring = &own.ring };
	struct env *e = &own.bare.env;

	make_once();
	memset(&fake, 0, sizeof(fake));
	bare_init(&own.bare, 1);
	e->suite = &own.suite;
	e->now_ns = e->birth_ns = 1000 * NS_PER_S;
	heap_init(&e->timers, e->birth_ns);
	own.bare.fx.frame = own.frames;
	own.bare.fx.record = own.records;
	own.bare.fx.max_frames = own.bare.fx.max_records = EFFECTS_ROOM;
	own.bare.fx.bytes = own.bytes;
	own.bare.fx.max_bytes = sizeof(own.bytes);
	own.ring.self = (struct id){ 0x5555, 0 };
	own.net = (struct network){ .record = { own.blob, own.blob_len }, .identity = &own.identity,
				    .model = model % 3, .mac = { 0x52, 0x54, 0, 0, 0, 1 } };
	own.vnet = vnet_new(e, &ports, &own.net, 0);
	assert(own.vnet);
	vnet_start(own.vnet, e);
}

static void put16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

/* The sums of an IP packet as its own fields describe it, where these are inside. */
static void mend(uint8_t *ip, size_t len)
{
	size_t head, all;
	struct ip src, dst;
	uint8_t proto;
	int at;

	if (len >= IP4_HEADER && ip[0] >> 4 == 4) {
		head = (ip[0] & 15u) * 4;
		all = (size_t)(ip[2] << 8 | ip[3]);
		if (head < IP4_HEADER || head > len)
			return;
		put16(ip + 10, 0);
		put16(ip + 10, sum_done(sum_add(0, ip, head)));
		proto = ip[9];
		src = ip_of_bytes(4, ip + 12);
		dst = ip_of_bytes(4, ip + 16);
	} else if (len >= IP6_HEADER && ip[0] >> 4 == 6) {
		head = IP6_HEADER;
		all = (size_t)(ip[4] << 8 | ip[5]) + IP6_HEADER;
		proto = ip[6];
		src = ip_of_bytes(6, ip + 8);
		dst = ip_of_bytes(6, ip + 24);
	} else {
		return;
	}
	at = proto == PROTO_UDP ? 6 : proto == PROTO_TCP ? 16 : 2;
	if (all > len || all < head || all - head < (size_t)at + 2)
		return;
	put16(ip + head + at, 0);
	put16(ip + head + at, sum_done(sum_add(proto == PROTO_ICMP || proto == PROTO_IGMP ? 0 :
					       sum_pseudo(&src, &dst, proto, all - head), ip + head, all - head)));
}

static void say_frame(uint8_t how, const uint8_t *data, size_t len)
{
	struct offload o = { 0 };
	uint8_t *copy;

	if (how & OFFLOAD && len >= 8) {
		o = (struct offload){ .segment = (uint16_t)(data[0] << 8 | data[1]), .checksum_start = data[3],
				      .checksum_offset = data[5], .partial = data[6] & 1 };
		data += 8;
		len -= 8;
	}
	copy = malloc(len ? len : 1);
	memcpy(copy, data, len);
	if (len >= ETH_HEADER) {
		if (how & TO_US)
			memcpy(copy, own.vnet->mac, MAC_BYTES);
		if (how & FROM_GUEST)
			memcpy(copy + MAC_BYTES, own.net.mac, MAC_BYTES);
		if (how & MEND)
			mend(copy + ETH_HEADER, len - ETH_HEADER);
	}
	vnet_frame(own.vnet, &own.bare.env, (struct bytes){ copy, len }, how & OFFLOAD ? &o : NULL);
	free(copy);
}

static void say_payload(uint8_t how, const uint8_t *data, size_t len)
{
	struct tunnel_news n = { .word = TUNNEL_PAYLOAD, .peer = { 7, how >> 4 } };
	uint8_t *copy = malloc(len + 1);

	copy[0] = how & 8 ? how : PAYLOAD_IP;
	memcpy(copy + 1, data, len);
	if (how & MEND)
		mend(copy + 1, len);
	n.payload = (struct bytes){ copy, len + 1 };
	fake.source = how & 1 ? FOUND_NO : FOUND_YES;
	vnet_tunnel(own.vnet, &own.bare.env, &n);
	free(copy);
}

static struct ip address(const uint8_t *data, size_t len)
{
	return len >= 16 ? ip_of_bytes(6, data) : len >= 4 ? ip_of_bytes(4, data) : (struct ip){ .family = 0 };
}

static void say_news(uint8_t how, const uint8_t *data, size_t len)
{
	struct held_news n = { .word = how % 6, .verdict = (uint8_t)(1 + (how >> 4) % 8), .by = { how >> 6, 0 },
			       .held = { .lease = { .ip = address(data, len) }, .state = how & 16 ? HELD_LENT : HELD_OURS,
					 .cookie = COOKIE(ASKER_STATIC, own.vnet->claims) } };

	if (how & 8 && fake.wants)			/* about the last one that was asked for */
		n.held.lease.ip = fake.want[(fake.wants - 1) % FAKES_MAX].ip;
	if (n.word == HELD_GRANTED && fake.believes < FAKES_MAX)
		fake.believed[fake.believes++] = n.held.lease.ip;
	vnet_held(own.vnet, &own.bare.env, &n);
}

static void pass_time(const uint8_t *data, size_t len)
{
	struct env *e = &own.bare.env;
	int64_t end_ns = e->now_ns + (len ? data[0] + 1 : 1) * NS_PER_S / 4;
	uint16_t tag;

	while (heap_next(&e->timers) <= end_ns) {
		if (heap_next(&e->timers) > e->now_ns)
			e->now_ns = heap_next(&e->timers);
		heap_pop(&e->timers, e->now_ns, &tag);
		vnet_timer(own.vnet, e);
	}
	e->now_ns = end_ns;
}

static void check(void)
{
	struct effects *fx = &own.bare.fx;
	struct packet p;

	for (unsigned i = 0; i < fx->frames; i++)
		assert(packet_read(&p, (struct bytes){ fx->frame[i].data, fx->frame[i].len }, &fx->frame[i].offload) ==
		       DROP_NONE);
	for (unsigned i = 0; i < fake.sent && i < FAKES_MAX; i++)
		assert(fake.len[i] == sizeof(fake.packet[i]) ||
		       packet_read_ip(&p, (struct bytes){ fake.packet[i], fake.len[i] }, NULL) != DROP_SHORT);
	fake.sent = 0;
	fx->frames = fx->records = 0;
	fx->used = 0;
	assert(own.vnet->guests <= GUESTS_MAX && own.vnet->waitings <= WAITING_MAX);
	assert(vnet_bytes(own.vnet) < 40000 && own.bare.env.mem.used < 50000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(data, size);

	begin(read_u8(&r));
	while (reader_left(&r) >= 4) {
		uint8_t what = read_u8(&r), how = read_u8(&r);
		size_t len = read_u16(&r);
		const uint8_t *at;
		struct ip ip;

		if (len > reader_left(&r))
			len = reader_left(&r);
		at = read_take(&r, len);
		ip = address(at, len);
		switch (what % KINDS) {
		case FRAME:
			fake.slow = how & 16;
			if (how & 32 && len >= 34)		/* somebody serves what it is for */
				fake.served[fake.serves++ % 8] = address(at + 30, 4);
			fake.serves %= 8;
			say_frame(how, at, len);
			break;
		case PAYLOAD:
			say_payload(how, at, len);
			break;
		case TIME:
			pass_time(at, len);
			break;
		case NEWS:
			say_news(how, at, len);
			break;
		case RESOLVED:
			edge_resolved(own.vnet, &own.bare.env, &ip, how & 1);
			break;
		case FLOOD:
			edge_flood(own.vnet, &own.bare.env, (struct id){ how, 0 }, (struct bytes){ at, len }, NULL);
			break;
		}
		check();
	}
	vnet_leave(own.vnet, &own.bare.env);
	vnet_free(own.vnet, &own.bare.env);
	heap_done(&own.bare.env.timers, &own.bare.env.mem);
	assert(bare_done(&own.bare));
	return 0;
}
