/* ON: core/base node/prog WITH: node/tap.c node/burst.c node/virtio.c node/train.c core/vnet/packet.c node/rtnl.c node/plug.c node/text.c
 *
 * A tap carries frames both ways, sits where its model wants it, and leaves
 * nothing behind. Everything happens in a network namespace of its own; where
 * none can be had (no root, no /dev/net/tun), the tests say so and pass.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/vnet/packet.h"
#include "node/plug.h"
#include "tests/unit/suites.h"

static const uint8_t MAC[6] = { 2, 1, 2, 3, 4, 5 }, BRIDGE_MAC[6] = { 2, 9, 9, 9, 9, 9 };

static int home = -1;			/* the namespace we came from */

/* A fresh network namespace; false, once with the reason, where there is none to be had. */
static bool elsewhere(void)
{
	static bool said;
	const char *why = NULL;

	if (access("/dev/net/tun", R_OK | W_OK))
		why = "there is no /dev/net/tun for us";
	home = why ? -1 : open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (!why && (home < 0 || unshare(CLONE_NEWNET)))
		why = "no network namespace can be made";
	if (!why)
		return true;
	if (home >= 0)
		close(home);
	if (!said)
		printf("skipped: %s\n", why);
	said = true;
	return false;
}

static void back(void)
{
	CU_ASSERT_EQUAL(setns(home, CLONE_NEWNET), 0);
	close(home);
}

static struct plug_setup setup(const char *tap, const char *bridge)
{
	struct plug_setup s = { .tap = tap, .bridge = bridge, .model = bridge ? MODEL_ROUTER : MODEL_INTERFACE,
				.mtu = 1400, .iface = 7, .remark = "weft-node of the test" };

	memcpy(s.mac, MAC, 6);
	memcpy(s.bridge_mac, BRIDGE_MAC, 6);
	return s;
}

static bool in(struct plug *p, const struct plug_setup *s)
{
	struct fail f = { 0 };
	bool good = plug_in(p, s, &f);

	for (unsigned i = 0; i < f.count; i++)
		printf("%s\n", f.text[i]);
	fail_done(&f);
	return good;
}

/* plug_in() fails with one message that says @what. */
static bool refused(const struct plug_setup *s, const char *what)
{
	struct fail f = { 0 };
	struct plug p;
	bool good = !plug_in(&p, s, &f) && f.count == 1 && strstr(f.text[0], what);

	if (!good)
		printf("says: %s\n", f.count ? f.text[0] : "nothing");
	fail_done(&f);
	return good;
}

static bool there(struct plug *p, const char *name, struct rtnl_link *l)
{
	return !rtnl_find(&p->rtnl, name, l);
}

/* A socket that sends and receives whole frames on interface @index. */
static int wire(int index)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = index };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL));

	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static bool readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 2000) == 1;
}

/* A frame of an ethertype nobody uses, so that the kernel's own traffic is told from it. */
static void make_frame(uint8_t *b, size_t len, uint8_t seed)
{
	memset(b, 0xff, 6);
	memcpy(b + 6, MAC, 6);
	b[12] = 0x88;
	b[13] = 0xb5;
	for (size_t i = 14; i < len; i++)
		b[i] = (uint8_t)(seed + i);
}

static bool is_ours(const uint8_t *b, size_t len)
{
	return len > 14 && b[12] == 0x88 && b[13] == 0xb5;
}

static void a_tap_is_made_as_wanted_and_goes_with_us(void)
{
	struct plug_setup s = setup("wt%d", NULL);
	struct rtnl_link l;
	struct plug p, q;

	if (!elsewhere())
		return;
	CU_ASSERT_FATAL(in(&p, &s));
	CU_ASSERT_STRING_EQUAL(p.tap.name, "wt0");
	CU_ASSERT_FATAL(there(&p, "wt0", &l));
	CU_ASSERT(l.up && l.mtu == 1400 && !memcmp(l.mac, MAC, 6) && !strcmp(l.kind, "tun"));
	CU_ASSERT_EQUAL(p.device.index, l.index);
	CU_ASSERT_FATAL(in(&q, &s));
	CU_ASSERT_STRING_EQUAL(q.tap.name, "wt1");
	plug_out(&p);
	CU_ASSERT_FALSE(there(&q, "wt0", &l));
	plug_out(&q);
	plug_out(&q);				/* twice is fine */
	back();
}

static void frames_cross_it_both_ways_whole(void)
{
	struct plug_setup s = setup("wt%d", NULL);
	uint8_t out[1414], in_buf[2048];
	struct event *evs;
	struct plug p;
	unsigned got = 0, sent = 50;
	int fd;

	if (!elsewhere())
		return;
	CU_ASSERT_FATAL(in(&p, &s));
	fd = wire(p.device.index);
	for (unsigned i = 0; i < sent; i++) {
		make_frame(out, 60 + i * 27, (uint8_t)i);
		CU_ASSERT_EQUAL(send(fd, out, 60 + i * 27, 0), 60 + (int)i * 27);
	}
	for (unsigned round = 0; round < 200 && got < sent && readable(p.tap.fd); round++) {
		unsigned n = tap_read(&p.tap, &evs);

		CU_ASSERT(n > 0 && n <= TAP_BATCH);
		for (unsigned i = 0; i < n; i++) {
			if (!is_ours(evs[i].data.at, evs[i].data.len))
				continue;
			make_frame(out, 60 + got * 27, (uint8_t)got);
			CU_ASSERT_EQUAL(evs[i].data.len, 60 + got * 27);
			CU_ASSERT(!memcmp(evs[i].data.at, out, 60 + got * 27));
			CU_ASSERT(evs[i].kind == EVENT_FRAME && evs[i].iface == 7);
			got++;
		}
	}
	CU_ASSERT_EQUAL(got, sent);
	CU_ASSERT(p.tap.in >= sent);
	close(fd);

	fd = wire(p.device.index);
	got = 0;
	for (unsigned i = 0; i < sent; i++) {
		struct frame f = { .data = out, .len = (uint16_t)(60 + i * 27), .iface = 7 };
		ssize_t n;

		make_frame(out, f.len, (uint8_t)i);
		tap_write(&p.tap, &f, 1);
		while (readable(fd) && (n = recv(fd, in_buf, sizeof(in_buf), 0)) > 0)
			if (is_ours(in_buf, (size_t)n)) {
				got += n == f.len && !memcmp(in_buf, out, f.len);
				break;
			}
	}
	CU_ASSERT_EQUAL(got, sent);
	CU_ASSERT_EQUAL(p.tap.out, sent);
	close(fd);
	plug_out(&p);
	back();
}

/* The namespace's own address on @p, and a packet socket's view of nothing else. */
static void give(struct plug *p)
{
	struct ip ip = ip_v4(0x0a630001);

	CU_ASSERT_EQUAL(plug_give(p, &ip, 24, 0), 0);
}

/* A UDP packet for us as core would want it written: @partial: its sum left undone. */
static uint16_t udp_frame(struct plug *p, uint8_t *buf, uint16_t id, uint16_t dport, size_t len, bool partial)
{
	struct ip src = ip_v4(0x0a630002), dst = ip_v4(0x0a630001);
	struct writer w = writer_of(buf, 2000);
	struct build b;

	build_eth(&w, p->device.mac, (const uint8_t[6]){ 2, 7, 7, 7, 7, 7 }, TYPE_IP4);
	b = build_udp(&w, &src, &dst, 4000, dport);
	memset(write_space(&w, len), (uint8_t)id, len);
	build_done(&w, &b);
	buf[18] = (uint8_t)(id >> 8);
	buf[19] = (uint8_t)id;
	buf[24] = buf[25] = 0;
	sum_fill(buf + 14, 20, &(struct offload){ .checksum_offset = 10 });
	if (partial) {
		uint16_t sum = (uint16_t)~sum_done(sum_pseudo(&src, &dst, PROTO_UDP, len + 8));

		buf[40] = (uint8_t)(sum >> 8);
		buf[41] = (uint8_t)sum;
	}
	return (uint16_t)writer_len(&w);
}

/* Packets of one flow go as one frame, with sums that are whole or not, and are packets again for who listens. */
static void what_is_written_together_arrives_one_by_one(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	struct plug_setup s = setup("wt%d", NULL);
	static uint8_t buf[40][2000];
	struct frame f[40];
	uint8_t got[2000];
	socklen_t n = sizeof(at);
	struct plug p;
	int fd;

	if (!elsewhere())
		return;
	CU_ASSERT_FATAL(in(&p, &s));
	give(&p);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CU_ASSERT_FATAL(!bind(fd, (struct sockaddr *)&at, n) && !getsockname(fd, (struct sockaddr *)&at, &n));
	for (unsigned i = 0; i < 40; i++)
		f[i] = (struct frame){
			.data = buf[i], .iface = 7, .len = udp_frame(&p, buf[i], (uint16_t)i, ntohs(at.sin_port), i == 39 ? 100 : 1200, i & 1),
			.offload = { 0, 34, 6, i & 1 },
		};
	f[5].iface = 8;				/* another tap's */
	tap_write(&p.tap, f, 40);
	CU_ASSERT_EQUAL(p.tap.refused, 0);
	CU_ASSERT_EQUAL(p.tap.out, p.tap.udp ? 1 : 39);
	for (unsigned i = 0; i < 40; i++) {
		if (i == 5)
			continue;
		CU_ASSERT_FATAL(readable(fd));
		CU_ASSERT_EQUAL(recv(fd, got, sizeof(got), 0), i == 39 ? 100 : 1200);
		CU_ASSERT_EQUAL(got[50], i);
	}
	close(fd);
	plug_out(&p);
	back();
}

/* What programs send by the batch crosses as it is; its parts are what they would have been. */
static void a_batch_of_the_kernels_comes_as_one(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(0x0a630002) };
	struct plug_setup s = setup("wt%d", NULL);
	struct event *evs;
	uint8_t payload[5000] = { 0 };
	unsigned found = 0, most = 0;
	struct plug p;
	int fd, size = 1000;

	if (!elsewhere())
		return;
	CU_ASSERT_FATAL(in(&p, &s));
	give(&p);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CU_ASSERT_EQUAL(setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &size, sizeof(size)), 0);
	CU_ASSERT_EQUAL(setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)), 0);
	to.sin_addr.s_addr = htonl(0x0a6300ff);			/* a broadcast asks nobody where it is */
	CU_ASSERT_EQUAL(sendto(fd, payload, 4500, 0, (struct sockaddr *)&to, sizeof(to)), 4500);
	while (found < (p.tap.udp ? 1 : 5) && readable(p.tap.fd)) {
		unsigned n = tap_read(&p.tap, &evs);

		for (unsigned i = 0; i < n; i++) {
			struct packet q;

			if (packet_read(&q, evs[i].data, &evs[i].offload) != DROP_NONE || q.dport != 9)
				continue;
			found++;
			most = evs[i].offload.segment;
			CU_ASSERT_EQUAL(q.offload.partial, 1);
			CU_ASSERT_EQUAL(q.data.len, p.tap.udp ? 4500 : q.data.len);
		}
	}
	CU_ASSERT_EQUAL(most, p.tap.udp ? 1000 : 0);
	close(fd);
	plug_out(&p);
	back();
}

static void a_bridge_is_made_and_deleted_also_after_a_kill(void)
{
	struct plug_setup s = setup("wt%d", "wb0"), plain = setup("wx%d", NULL);
	struct rtnl_link tap, bridge;
	struct plug p, q, watch;

	if (!elsewhere())
		return;
	CU_ASSERT_FATAL(in(&watch, &plain));
	CU_ASSERT_FATAL(in(&p, &s));
	CU_ASSERT_FATAL(there(&p, "wt0", &tap) && there(&p, "wb0", &bridge));
	CU_ASSERT(tap.master == bridge.index && bridge.up && tap.up && bridge.mtu == 1400);
	CU_ASSERT(!memcmp(bridge.mac, BRIDGE_MAC, 6) && p.device.index == bridge.index);
	tap_close(&p.tap);			/* as after kill -9: the tap is gone, the bridge is not */
	rtnl_close(&p.rtnl);
	CU_ASSERT_FATAL(in(&q, &s));
	CU_ASSERT_EQUAL(q.device.index, bridge.index);
	plug_out(&q);
	CU_ASSERT_FALSE(there(&watch, "wb0", &bridge));
	plug_out(&watch);
	back();
}

static void somebody_elses_bridge_stays_and_its_mtu_counts(void)
{
	struct plug_setup s = setup("wt%d", "br0"), plain = setup("wx%d", NULL);
	struct rtnl_link tap, bridge;
	struct plug p, watch;

	if (!elsewhere())
		return;
	CU_ASSERT_FATAL(in(&watch, &plain));
	CU_ASSERT_EQUAL_FATAL(rtnl_bridge(&watch.rtnl, "br0", BRIDGE_MAC), 0);
	CU_ASSERT_FATAL(in(&p, &s));
	CU_ASSERT_FATAL(there(&p, "wt0", &tap) && there(&p, "br0", &bridge));
	CU_ASSERT(tap.master == bridge.index && tap.mtu == 1500 && bridge.mtu == 1500);
	plug_out(&p);
	CU_ASSERT(there(&watch, "br0", &bridge));
	plug_out(&watch);
	back();
}

static void what_cannot_be_is_said(void)
{
	struct plug_setup s = setup("wt0", NULL), bridged = setup("wt1", "wt0"), lo = setup("lo", NULL),
			  bad = setup("a/b", NULL), empty = setup("", NULL), longer = setup("abcdefghijklmnop", NULL),
			  twice = setup("w%d%d", NULL), string = setup("w%s", NULL);
	struct plug p;

	CU_ASSERT(refused(&bad, "'/'"));
	CU_ASSERT(refused(&empty, "empty"));
	CU_ASSERT(refused(&longer, "15 characters"));
	CU_ASSERT(refused(&twice, "%d, once"));
	CU_ASSERT(refused(&string, "%d, once"));
	if (!elsewhere())
		return;
	CU_ASSERT_FATAL(in(&p, &s));
	CU_ASSERT(refused(&s, "in use"));
	CU_ASSERT(refused(&bridged, "no bridge"));
	CU_ASSERT(refused(&lo, "no tap"));
	plug_out(&p);
	back();
}

static void the_host_gets_its_address_and_loses_it(void)
{
	struct plug_setup s = setup("wt%d", NULL);
	struct ip four = ip_v4(0x0a090007), six = { .at = { 0xfd, [15] = 7 }, .family = 6 };
	struct plug p;

	if (!elsewhere())
		return;
	CU_ASSERT_FATAL(in(&p, &s));
	for (int twice = 0; twice < 2; twice++) {
		CU_ASSERT_EQUAL(plug_give(&p, &four, 24, 0), 0);
		CU_ASSERT_EQUAL(plug_give(&p, &six, 64, 0), 0);
	}
	CU_ASSERT_EQUAL(plug_take(&p, &four, 24), 0);
	CU_ASSERT_EQUAL(plug_take(&p, &four, 24), -EADDRNOTAVAIL);
	CU_ASSERT_EQUAL(plug_take(&p, &six, 64), 0);
	plug_out(&p);
	back();
}

static void an_address_nobody_renews_is_taken_away_by_the_kernel(void)
{
	struct plug_setup s = setup("wt%d", NULL);
	struct ip four = ip_v4(0x0a090007), renewed = ip_v4(0x0a080008), six = { .at = { 0xfd, [15] = 7 }, .family = 6 };
	struct plug p;

	if (!elsewhere())
		return;
	CU_ASSERT_FATAL(in(&p, &s));
	CU_ASSERT(!plug_give(&p, &four, 24, 1) && !plug_give(&p, &six, 64, 1) && !plug_give(&p, &renewed, 24, 1));
	CU_ASSERT_EQUAL(plug_give(&p, &renewed, 24, 60), 0);
	usleep(2600000);		/* the kernel looks once a second or so */
	CU_ASSERT_EQUAL(plug_take(&p, &four, 24), -EADDRNOTAVAIL);
	CU_ASSERT_EQUAL(plug_take(&p, &six, 64), -EADDRNOTAVAIL);
	CU_ASSERT_EQUAL(plug_take(&p, &renewed, 24), 0);
	plug_out(&p);
	back();
}

static void addresses_of_the_last_run_are_known_and_no_others(void)
{
	struct ip_range range = { { .at = { 10, 9 }, .family = 4 }, 24 }, wide = { { .at = { 0xfd }, .family = 6 }, 64 };
	struct plug_setup s = setup("wt%d", "br0"), again = setup("wt%d", "br0"), plain = setup("wx%d", NULL);
	struct ip ours = ip_v4(0x0a090007), second = ip_v4(0x0a090009), elsewhere_ours = ip_v4(0x0a080007),
		  six = { .at = { 0xfd, [15] = 7 }, .family = 6 };
	struct plug watch, p;
	struct rtnl_link br;

	if (!elsewhere())
		return;
	CU_ASSERT_FATAL(in(&watch, &plain));
	CU_ASSERT_EQUAL_FATAL(rtnl_bridge(&watch.rtnl, "br0", BRIDGE_MAC), 0);
	CU_ASSERT_FATAL(in(&p, &s) && there(&watch, "br0", &br));
	CU_ASSERT(!plug_give(&p, &ours, 24, 0) && !plug_give(&p, &second, 24, 100) && !plug_give(&p, &six, 64, 100) &&
		  !plug_give(&p, &elsewhere_ours, 24, 0));
	plug_out(&p);			/* a bridge that is not ours stays, with all on it: as after kill -9 */
	CU_ASSERT_EQUAL(system("ip addr add 10.9.0.77/24 dev br0"), 0);
	CU_ASSERT_FATAL(in(&p, &again));
	CU_ASSERT_EQUAL(plug_flush(&p, &range), 2);
	CU_ASSERT_EQUAL(plug_flush(&p, &range), 0);
	CU_ASSERT_EQUAL(plug_flush(&p, &wide), 1);
	CU_ASSERT_EQUAL(plug_flush(&p, &(struct ip_range){ 0 }), 0);
	CU_ASSERT_EQUAL(plug_take(&p, &elsewhere_ours, 24), 0);
	CU_ASSERT_EQUAL(system("ip addr show dev br0 | grep -q 10.9.0.77/24"), 0);
	plug_out(&p);
	plug_out(&watch);
	back();
}

static void under_hybrid_the_host_has_a_wire_of_its_own_into_the_bridge(void)
{
	struct plug_setup s = setup("wt%d", "br0"), plain = setup("wx%d", NULL);
	struct rtnl_link tap, bridge, near, far;
	struct plug p, q, watch;

	if (!elsewhere())
		return;
	s.model = MODEL_HYBRID;
	CU_ASSERT_FATAL(in(&watch, &plain));
	CU_ASSERT_EQUAL_FATAL(rtnl_bridge(&watch.rtnl, "br0", MAC), 0);
	CU_ASSERT_FATAL(in(&p, &s));
	CU_ASSERT_FATAL(there(&p, "wt0", &tap) && there(&p, "br0", &bridge) && there(&p, "wt0h", &near) &&
			there(&p, "wt0p", &far));
	CU_ASSERT(tap.master == bridge.index && far.master == bridge.index && !near.master);
	CU_ASSERT(near.up && far.up && near.mtu == 1400 && far.mtu == 1500 && bridge.mtu == 1500);
	CU_ASSERT(p.device.index == near.index && !memcmp(near.mac, BRIDGE_MAC, 6) && !memcmp(p.device.mac, near.mac, 6));
	tap_close(&p.tap);			/* kill -9 */
	rtnl_close(&p.rtnl);
	CU_ASSERT_FATAL(in(&q, &s));		/* the veth is made anew */
	CU_ASSERT(there(&watch, "wt0h", &far) && far.index != near.index);
	plug_out(&q);
	CU_ASSERT(!there(&watch, "wt0h", &near) && !there(&watch, "wt0p", &near) && there(&watch, "br0", &near));
	s.device = "br0";
	CU_ASSERT_FATAL(in(&p, &s));
	CU_ASSERT(p.device.index == bridge.index && !there(&watch, "wt0h", &near));
	plug_out(&p);
	s.device = "own";
	s.bridge = "wb1";			/* neither is there */
	CU_ASSERT_FATAL(in(&p, &s));
	CU_ASSERT(there(&p, "own", &near) && there(&p, "wt0p", &far) && there(&p, "wb1", &bridge) && far.master == bridge.index);
	plug_out(&p);
	CU_ASSERT(!there(&watch, "own", &near) && !there(&watch, "wb1", &near));
	plug_out(&watch);
	back();
}

static void what_a_killed_run_made_is_swept_away_and_nothing_else(void)
{
	static const char *const KEEP[] = { "wb2" };
	struct plug_setup s = setup("wt%d", "wb1"), other = setup("wo%d", "wb3"), kept = setup("wk%d", "wb2");
	struct rtnl_link l;
	struct plug p, q, r;

	if (!elsewhere())
		return;
	s.model = MODEL_HYBRID;
	other.remark = "weft-node of another";
	CU_ASSERT_FATAL(in(&p, &s) && in(&q, &other) && in(&r, &kept));
	tap_close(&p.tap);
	rtnl_close(&p.rtnl);
	tap_close(&r.tap);
	rtnl_close(&r.rtnl);
	plug_sweep("weft-node of the test", KEEP, 1);
	CU_ASSERT(!there(&q, "wb1", &l) && !there(&q, "wt0h", &l) && there(&q, "wb3", &l) && there(&q, "wb2", &l));
	CU_ASSERT_FATAL(in(&r, &kept));
	plug_out(&r);
	CU_ASSERT_FALSE(there(&q, "wb2", &l));
	plug_out(&q);
	back();
}

static void a_tap_deleted_under_us_is_noticed(void)
{
	struct plug_setup s = setup("wt%d", NULL);
	struct event *evs;
	struct rtnl_link l;
	struct plug p;

	if (!elsewhere())
		return;
	CU_ASSERT_FATAL(in(&p, &s) && there(&p, "wt0", &l));
	CU_ASSERT_EQUAL(rtnl_delete(&p.rtnl, l.index), 0);
	CU_ASSERT_EQUAL(tap_read(&p.tap, &evs), 0);
	CU_ASSERT(p.tap.gone);
	plug_out(&p);
	back();
}

CU_TestInfo plug_tests[] = {
	{ "a tap is made as wanted and goes with us", a_tap_is_made_as_wanted_and_goes_with_us },
	{ "frames cross it both ways, whole", frames_cross_it_both_ways_whole },
	{ "what is written together arrives one by one", what_is_written_together_arrives_one_by_one },
	{ "a batch of the kernel's comes as one", a_batch_of_the_kernels_comes_as_one },
	{ "a bridge is made and deleted, also after a kill", a_bridge_is_made_and_deleted_also_after_a_kill },
	{ "somebody else's bridge stays, and its MTU counts", somebody_elses_bridge_stays_and_its_mtu_counts },
	{ "what cannot be is said", what_cannot_be_is_said },
	{ "the host gets its address and loses it", the_host_gets_its_address_and_loses_it },
	{ "an address nobody renews is taken away by the kernel", an_address_nobody_renews_is_taken_away_by_the_kernel },
	{ "addresses of the last run are known, and no others", addresses_of_the_last_run_are_known_and_no_others },
	{ "under hybrid the host has a wire of its own into the bridge",
	  under_hybrid_the_host_has_a_wire_of_its_own_into_the_bridge },
	{ "what a killed run made is swept away, and nothing else", what_a_killed_run_made_is_swept_away_and_nothing_else },
	{ "a tap deleted under us is noticed", a_tap_deleted_under_us_is_noticed },
	CU_TEST_INFO_NULL
};
