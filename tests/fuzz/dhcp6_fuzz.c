/* ON: core/base core/seal core/dht/network.c core/vnet/dhcp_wire.c core/vnet/dhcp_server.c core/vnet/dhcp_client.c core/vnet/dhcp_reply.c core/vnet/dhcp6_wire.c core/vnet/dhcp6_reply.c */
/*
 * dhcp6_fuzz.c - DHCPv6 as guests write it
 *
 * Input: messages, each machine 1 | length 2 | payload. Machines with an odd number
 * have an address by certificate, so that all answers are given; for the others
 * the DHT is deaf. Every answer is whole, names its asker, and comes from a server;
 * in the end all memory comes back.
 */
#include <assert.h>
#include <stdlib.h>

#include "core/vnet/dhcp6_reply.h"
#include "tests/unit/bare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t MAC[6] = { 2, 9, 9, 9, 9, 9 };

static bool fz_want(void *ctx, struct env *e, uint64_t cookie, const struct ip *ip, uint64_t client)
{
	(void)ctx, (void)e, (void)cookie, (void)client;
	assert(ip->family == 6);
	return false;
}

static bool fz_touch(void *ctx, struct env *e, uint64_t cookie, const struct ip *ip)
{
	(void)ctx, (void)e, (void)cookie, (void)ip;
	abort();				/* there is no lease here */
}

static void fz_keep(void *ctx, struct env *e, const struct ip *ip, bool keep)
{
	(void)ctx, (void)e, (void)ip, (void)keep;
	abort();
}

static void fz_release(void *ctx, struct env *e, const struct ip *ip)
{
	(void)ctx, (void)e, (void)ip;
	abort();
}

static bool fz_believes(void *ctx, struct env *e, const struct ip *ip, int64_t *until_ns)
{
	(void)ctx, (void)e, (void)ip, (void)until_ns;
	abort();
}

static bool fz_fixed(void *ctx, struct env *e, const uint8_t mac[6], const struct ip *wish, struct ip *out)
{
	(void)ctx, (void)e;
	assert(wish->family == 6);
	*out = (struct ip){ .at = { 0xfd, 7, [15] = mac[5] }, .family = 6 };
	return mac[5] & 1;
}

static bool fz_leased(void *ctx, struct env *e, const uint8_t mac[6], const struct ip *ip, int64_t since_ns)
{
	(void)ctx, (void)e, (void)since_ns, (void)mac;
	assert(ip->at[15] & 1);			/* of a machine that has one; a client may move to other hardware with it */
	return true;
}

static void fz_gone(void *ctx, struct env *e, const struct ip *ip)
{
	(void)ctx, (void)e, (void)ip;
}

static void fz_named(void *ctx, struct env *e, const struct ip *ip, struct bytes host)
{
	(void)ctx, (void)e, (void)ip, (void)host;
}

static uint64_t fz_client(void *ctx, struct bytes id, const uint8_t mac[6])
{
	(void)ctx, (void)mac;
	return id.len ? id.at[0] + 256u * id.at[id.len - 1] : 0;
}

static void fz_send(void *ctx, struct env *e, const struct dhcp_out *o)
{
	struct reader r = reader_of(o->payload.at, o->payload.len);
	uint8_t kind = read_u8(&r), duid[DUID_LL];
	bool server = false;
	struct dhcp_message m;

	(void)ctx, (void)e;
	dhcp6_duid(duid, MAC);
	assert(kind == DHCP6_ADVERTISE || kind == DHCP6_REPLY);
	assert(dhcp6_read(o->payload, duid, &m) == DROP_ROGUE);	/* and we never answer each other */
	read_take(&r, 3);
	while (reader_left(&r)) {
		uint16_t code = read_u16(&r), len = read_u16(&r);
		const uint8_t *at = read_take(&r, len);

		assert(reader_ok(&r));
		server |= code == OPTION6_SERVER && len == DUID_LL && !memcmp(at, duid, DUID_LL);
	}
	assert(server);
}

static void fz_due(void *ctx, struct env *e, int64_t at_ns)
{
	(void)e;
	*(int64_t *)ctx = at_ns;
}

static const struct dhcp_ports PORTS = {
	fz_want, fz_touch, fz_keep, fz_release, fz_believes, fz_fixed, fz_leased, fz_gone, fz_named, fz_client, fz_send,
	fz_due,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ip source = { .at = { 0xfe, 0x80, [15] = 1 }, .family = 6 };
	struct network_record net = { .range6 = { { .at = { 0xfd, 7 }, .family = 6 }, 64 }, .domain = "a.lab", .term_s = 600 };
	struct reader r = reader_of(data, size);
	int64_t due_ns = INT64_MAX;
	struct bare b;
	struct dhcpd d;

	bare_init(&b, 1);
	b.env.now_ns = 1000 * NS_PER_S;
	dhcp6_init(&d, &b.env, &PORTS, &due_ns, MAC);
	d.net = &net;
	while (reader_left(&r) >= 3) {
		uint8_t mac[6] = { 2, 0, 0, 0, 0, read_u8(&r) };
		size_t len = read_u16(&r);

		len = len < reader_left(&r) ? len : reader_left(&r);
		dhcp6_message(&d, &b.env, mac, &source, (struct bytes){ read_take(&r, len), len });
		b.env.now_ns += NS_PER_S;
		if (due_ns <= b.env.now_ns)
			dhcpd_timer(&d, &b.env);
	}
	for (unsigned i = 0; i < 2000 && due_ns < INT64_MAX; i++) {
		b.env.now_ns = due_ns > b.env.now_ns ? due_ns : b.env.now_ns;
		dhcpd_timer(&d, &b.env);
	}
	assert(!d.clients && !d.asks);
	dhcpd_done(&d, &b.env);
	assert(bare_done(&b));
	return 0;
}
