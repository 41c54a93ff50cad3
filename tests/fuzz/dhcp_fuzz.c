/* ON: core/base core/seal core/dht/network.c core/vnet/dhcp_wire.c core/vnet/dhcp_server.c core/vnet/dhcp_client.c core/vnet/dhcp_reply.c */
/*
 * dhcp_fuzz.c - guests that say anything to the DHCP server, over a DHT that answers anything at any time
 *
 * Input: actions. 0..127: a message follows, length 2 | payload. 128..191: the
 * oldest question is granted (low bits: how many seconds, times 60). 192..223:
 * it is refused, low bits the verdict. 224..254: so many times 7 seconds pass.
 * 255: the first lease is lost.
 *
 * What comes out is DHCP and whole; nobody is told more than we believe; only what
 * is held is given back; bounds hold; in the end all memory and all leases come back.
 */
#include <assert.h>
#include <stdlib.h>

#include "core/vnet/dhcp_server.h"
#include "tests/unit/bare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { GATEWAY = 0x0afa0001, HELDS = 512 };

struct fuzzed {
	struct bare bare;
	struct dhcpd d;
	struct network_record net;
	struct { uint64_t cookie, client; struct ip ip; bool touch; } want[HELDS];
	struct held held[HELDS];
	unsigned wants, helds;
	uint32_t next;
	int64_t due_ns;
};

static int held_of(const struct fuzzed *f, const struct ip *ip)
{
	for (unsigned i = 0; i < f->helds; i++)
		if (ip_eq(&f->held[i].lease.ip, ip))
			return (int)i;
	return -1;
}

static bool ask(struct fuzzed *f, uint64_t cookie, const struct ip *ip, uint64_t client, bool touch)
{
	if (f->wants == HELDS)
		return false;
	f->want[f->wants].cookie = cookie;
	f->want[f->wants].client = client;
	f->want[f->wants].touch = touch;
	f->want[f->wants++].ip = *ip;
	return true;
}

static bool fz_want(void *ctx, struct env *e, uint64_t cookie, const struct ip *ip, uint64_t client)
{
	struct fuzzed *f = ctx;

	(void)e;
	assert(ip->family == 4 && (!ip_u32(ip) || network_leasable(&f->net, ip)));
	return ask(f, cookie, ip, client, false);
}

static bool fz_touch(void *ctx, struct env *e, uint64_t cookie, const struct ip *ip)
{
	(void)e;
	return ask(ctx, cookie, ip, 0, true);
}

static void fz_keep(void *ctx, struct env *e, const struct ip *ip, bool keep)
{
	struct fuzzed *f = ctx;

	(void)e;
	assert(held_of(f, ip) >= 0);
	f->held[held_of(f, ip)].keep = keep;
}

static void fz_release(void *ctx, struct env *e, const struct ip *ip)
{
	struct fuzzed *f = ctx;
	int i = held_of(f, ip);

	(void)e;
	assert(i >= 0);
	f->held[i] = f->held[--f->helds];
}

static bool fz_believes(void *ctx, struct env *e, const struct ip *ip, int64_t *until_ns)
{
	struct fuzzed *f = ctx;
	int i = held_of(f, ip);

	if (i < 0 || f->held[i].until_ns <= e->now_ns)
		return false;
	*until_ns = f->held[i].until_ns;
	return true;
}

static bool fz_fixed(void *ctx, struct env *e, const uint8_t mac[6], const struct ip *wish, struct ip *out)
{
	(void)ctx, (void)e, (void)wish;
	*out = ip_v4(0x0afaf001);
	return mac[5] == 0xf1;
}

static bool fz_leased(void *ctx, struct env *e, const uint8_t mac[6], const struct ip *ip, int64_t since_ns)
{
	(void)ctx, (void)ip;
	assert(since_ns <= e->now_ns);
	return mac[5] != 0xee;
}

static void fz_gone(void *ctx, struct env *e, const struct ip *ip)
{
	(void)ctx, (void)e, (void)ip;
}

static void fz_named(void *ctx, struct env *e, const struct ip *ip, struct bytes host)
{
	(void)ctx, (void)e, (void)ip;
	assert(host.len <= DHCP_HOST_MAX);
}

static uint64_t fz_client(void *ctx, struct bytes id, const uint8_t mac[6])
{
	(void)ctx;
	return (uint64_t)(id.len ? id.at[0] : mac[5]) << 8;
}

static void fz_send(void *ctx, struct env *e, const struct dhcp_out *o)
{
	struct fuzzed *f = ctx;
	struct dhcp_message m;
	struct ip ip;

	assert(!dhcp_read(o->payload, &m) && m.op == DHCP_BOOTREPLY && m.server == GATEWAY);
	assert(m.type == DHCP_OFFER || m.type == DHCP_ACK || m.type == DHCP_NAK);
	ip = ip_v4(m.yiaddr);
	if (m.type != DHCP_NAK && m.yiaddr && m.yiaddr != 0x0afaf001) {
		int i = held_of(f, &ip);

		assert(i >= 0 && e->now_ns + (int64_t)m.lease_s * NS_PER_S <= f->held[i].until_ns);
		assert(m.type == DHCP_OFFER || f->held[i].keep);
	}
}

static void fz_due(void *ctx, struct env *e, int64_t at_ns)
{
	(void)e;
	((struct fuzzed *)ctx)->due_ns = at_ns;
}

static const struct dhcp_ports PORTS = {
	fz_want, fz_touch, fz_keep, fz_release, fz_believes, fz_fixed, fz_leased, fz_gone, fz_named, fz_client, fz_send,
	fz_due,
};

static void answer(struct fuzzed *f, bool yes, uint8_t verdict, int64_t for_s)
{
	struct held_news n = { .verdict = verdict };
	int i;

	if (!f->wants)
		return;
	n.held = (struct held){ .lease = { .ip = f->want[0].ip, .client = f->want[0].client }, .cookie = f->want[0].cookie,
				.until_ns = f->bare.env.now_ns + for_s * NS_PER_S };
	if (!ip_u32(&n.held.lease.ip))
		n.held.lease.ip = ip_v4(0x0afa0100 + f->next++ % 64);
	i = held_of(f, &n.held.lease.ip);
	if (f->want[0].touch)
		n.word = yes && i >= 0 ? HELD_RENEWED : i >= 0 ? HELD_LOST : HELD_REFUSED;
	else
		n.word = yes && i < 0 && f->helds < HELDS ? HELD_GRANTED : HELD_REFUSED;
	memmove(f->want, f->want + 1, --f->wants * sizeof(*f->want));
	if (n.word == HELD_GRANTED)
		f->held[f->helds++] = n.held;
	else if (n.word == HELD_RENEWED)
		f->held[i].until_ns = n.held.until_ns;
	else if (n.word == HELD_LOST)
		f->held[i] = f->held[--f->helds];
	dhcpd_held(&f->d, &f->bare.env, &n);
}

static void lose(struct fuzzed *f)
{
	struct held_news n = { .word = HELD_LOST };

	if (!f->helds)
		return;
	n.held = f->held[0];
	for (unsigned i = 0; i < f->d.bads; i++)
		if (ip_eq(&f->d.bad[i].ip, &n.held.lease.ip))
			return;			/* given back by release only, as the lab has it */
	f->held[0] = f->held[--f->helds];
	dhcpd_held(&f->d, &f->bare.env, &n);
}

static void pass(struct fuzzed *f, int64_t s)
{
	int64_t end = f->bare.env.now_ns + s * NS_PER_S;

	for (unsigned i = 0; f->due_ns <= end; i++) {
		assert(i < 100000);
		if (f->due_ns > f->bare.env.now_ns)
			f->bare.env.now_ns = f->due_ns;
		dhcpd_timer(&f->d, &f->bare.env);
		while (f->wants > HELDS / 2)
			answer(f, false, VERDICT_TAKEN, 0);
	}
	f->bare.env.now_ns = end;
}

static void act(struct fuzzed *f, struct reader *r)
{
	uint8_t what = read_u8(r), mac[6] = { 0 };
	const uint8_t *payload;
	uint16_t len;

	if (what < 128) {
		len = read_u16(r);
		len = len < reader_left(r) ? len : (uint16_t)reader_left(r);
		payload = read_take(r, len);
		if (len >= 34)
			memcpy(mac, payload + 28, 6);
		dhcpd_message(&f->d, &f->bare.env, mac, (struct bytes){ payload, len });
	} else if (what < 192) {
		answer(f, true, VERDICT_OK, (what & 63) * 60);
	} else if (what < 224) {
		answer(f, false, (uint8_t)(VERDICT_TAKEN + what % 7), 0);
	} else if (what < 255) {
		pass(f, (what - 223) * 7);
	} else {
		lose(f);
	}
	assert(f->d.asks <= DHCPD_ASKS && f->d.bads <= DHCPD_BAD && f->d.clients <= DHCPD_CLIENTS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzzed *f = calloc(1, sizeof(*f));
	struct reader r = reader_of(data, size);

	bare_init(&f->bare, 1);
	f->bare.env.now_ns = 1000 * NS_PER_S;
	f->due_ns = INT64_MAX;
	f->net = (struct network_record){ .range4 = { ip_v4(0x0afa0000), 16 }, .domain = "lab", .term_s = 600, .mtu = 1400 };
	f->net.reserved[0] = (struct ip_range){ ip_v4(0x0afaf000), 24 };
	f->net.reserveds = 1;
	dhcpd_init(&f->d, &f->bare.env, &PORTS, f);
	f->d.net = &f->net;
	while (reader_ok(&r) && reader_left(&r))
		act(f, &r);
	for (unsigned i = 0; i < 4; i++) {
		while (f->wants)
			answer(f, false, VERDICT_TAKEN, 0);
		pass(f, 4000);
	}
	assert(!f->d.clients && !f->helds && !f->d.asks);
	dhcpd_done(&f->d, &f->bare.env);
	assert(bare_done(&f->bare));
	free(f);
	return 0;
}
