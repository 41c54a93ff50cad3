/*
 * The underlay's sockets, on loopback: batches arrive whole and in order, what
 * cannot be sent or reached is told, and nothing too long gets in.
 */
#include "node/udp.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/addresses.h"
#include "node/text.h"
#include "tests/unit/suites.h"

static struct endpoint at(const char *text)
{
	struct endpoint e;
	char why[WHY_LEN];

	CU_ASSERT_TRUE_FATAL(endpoint_read(text, &e, why));
	return e;
}

/* Opened on @text; false where the kernel has no such family or address. */
static bool opened(struct udp *u, const char *text)
{
	struct endpoint e = at(text);

	udp_init(u);
	return udp_bind(u, &e, 0) == 0;
}

static bool readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 2000) == 1;
}

static void batches_arrive_whole_and_in_order_on(const char *where)
{
	enum { COUNT = 3 * UDP_BATCH + 5 };
	struct datagram d[COUNT];
	uint8_t payload[COUNT][2];
	struct event *evs;
	struct udp a, b;
	struct udp_socket *s;
	unsigned got = 0;

	if (!opened(&a, where))
		return;				/* a machine without IPv6 */
	CU_ASSERT_TRUE_FATAL(opened(&b, where));
	s = b.four.fd >= 0 ? &b.four : &b.six;
	for (unsigned i = 0; i < COUNT; i++) {
		payload[i][0] = (uint8_t)i;
		payload[i][1] = 77;
		d[i] = (struct datagram){ .to = s->at, .data = payload[i], .len = 1 + i % 2, .df = 1 };
	}
	udp_send(&a, d, COUNT);
	CU_ASSERT(a.out == COUNT && !a.refused);
	while (got < COUNT && readable(s->fd)) {
		unsigned n = udp_receive(&b, s, &evs);

		for (unsigned i = 0; i < n; i++, got++) {
			CU_ASSERT_EQUAL(evs[i].kind, EVENT_DATAGRAM);
			CU_ASSERT(evs[i].data.len == 1 + got % 2 && evs[i].data.at[0] == (uint8_t)got);
			CU_ASSERT(endpoint_eq(&evs[i].from, a.four.fd >= 0 ? &a.four.at : &a.six.at));
		}
	}
	CU_ASSERT_EQUAL(got, COUNT);
	CU_ASSERT(b.in == COUNT && b.in_bytes == a.out_bytes);
	udp_close(&a);
	udp_close(&b);
}

static void batches_arrive_whole_and_in_order(void)
{
	batches_arrive_whole_and_in_order_on("127.0.0.1:0");
	batches_arrive_whole_and_in_order_on("[::1]:0");
}

static void a_segmented_datagram_is_several_on(const char *where, bool kernel)
{
	static uint8_t payload[SEGMENTS_BYTES];
	struct event *evs;
	struct udp a, b;
	struct udp_socket *s;
	struct datagram d[3];
	size_t at = 0;
	unsigned got = 0;

	if (!opened(&a, where))
		return;
	CU_ASSERT_TRUE_FATAL(opened(&b, where));
	a.segments &= kernel;			/* else we cut it ourselves, as on kernels that cannot */
	s = b.four.fd >= 0 ? &b.four : &b.six;
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7 >> 4);
	d[0] = (struct datagram){ .to = s->at, .data = payload, .len = 20 * 1400 + 100, .segment = 1400 };
	d[1] = (struct datagram){ .to = s->at, .data = payload + d[0].len, .len = 77 };
	d[2] = (struct datagram){ .to = s->at, .data = payload + d[0].len + 77, .len = 64 * 90, .segment = 90 };
	udp_send(&a, d, 3);
	CU_ASSERT(a.out == 21 + 1 + 64 && a.out_bytes == d[0].len + 77u + d[2].len && !a.refused);
	while (got < 86 && readable(s->fd)) {
		unsigned n = udp_receive(&b, s, &evs);

		for (unsigned i = 0; i < n; i++, got++) {
			CU_ASSERT_EQUAL_FATAL(evs[i].data.len, got < 20 ? 1400 : got == 20 ? 100 : got == 21 ? 77 : 90);
			CU_ASSERT(!memcmp(evs[i].data.at, payload + at, evs[i].data.len));
			CU_ASSERT(endpoint_eq(&evs[i].from, a.four.fd >= 0 ? &a.four.at : &a.six.at));
			at += evs[i].data.len;
		}
	}
	CU_ASSERT(got == 86 && b.in == 86 && !b.oversized);
	udp_close(&a);
	udp_close(&b);
}

static void a_segmented_datagram_is_several(void)
{
	for (unsigned kernel = 0; kernel < 2; kernel++) {
		a_segmented_datagram_is_several_on("127.0.0.1:0", kernel);
		a_segmented_datagram_is_several_on("[::1]:0", kernel);
	}
}

static void too_long_datagrams_are_counted(void)
{
	uint8_t payload[UDP_BUFFER + 1] = { 0 };
	struct event *evs;
	struct udp a, b;
	struct datagram d;

	CU_ASSERT_TRUE_FATAL(opened(&a, "127.0.0.1:0") && opened(&b, "127.0.0.1:0"));
	d = (struct datagram){ .to = b.four.at, .data = payload, .len = sizeof(payload) };
	udp_send(&a, &d, 1);
	d.len = UDP_BUFFER;
	udp_send(&a, &d, 1);
	CU_ASSERT_TRUE(readable(b.four.fd));
	CU_ASSERT_EQUAL(udp_receive(&b, &b.four, &evs), 1);
	CU_ASSERT(b.oversized == 1 && b.in == 1);
	udp_close(&a);
	udp_close(&b);
}

static void nobody_there_is_a_path_error_on(const char *where)
{
	struct event *evs, ev;
	struct endpoint gone;
	struct udp a, b;
	struct udp_socket *s;
	struct datagram d;

	if (!opened(&a, where))
		return;
	CU_ASSERT_TRUE_FATAL(opened(&b, where));
	gone = b.four.fd >= 0 ? b.four.at : b.six.at;
	s = a.four.fd >= 0 ? &a.four : &a.six;
	udp_close(&b);
	d = (struct datagram){ .to = gone, .data = (const uint8_t *)"x", .len = 1 };
	udp_send(&a, &d, 1);
	CU_ASSERT_TRUE(readable(s->fd));
	CU_ASSERT_EQUAL(udp_receive(&a, s, &evs), 0);
	CU_ASSERT_TRUE_FATAL(udp_error_take(&a, &ev));
	CU_ASSERT(ev.kind == EVENT_PATH_ERROR && ev.path.unreachable && endpoint_eq(&ev.from, &gone));
	CU_ASSERT_FALSE(udp_error_take(&a, &ev));
	udp_close(&a);
}

static void nobody_there_is_a_path_error(void)
{
	nobody_there_is_a_path_error_on("127.0.0.1:0");
	nobody_there_is_a_path_error_on("[::1]:0");
}

static void anothers_error_costs_no_datagram(void)
{
	struct udp a, b, gone;
	struct event *evs;
	struct datagram d[2];

	CU_ASSERT_TRUE_FATAL(opened(&a, "127.0.0.1:0") && opened(&b, "127.0.0.1:0") && opened(&gone, "127.0.0.1:0"));
	d[0] = (struct datagram){ .to = gone.four.at, .data = (const uint8_t *)"x", .len = 1 };
	d[1] = (struct datagram){ .to = b.four.at, .data = (const uint8_t *)"y", .len = 1 };
	udp_close(&gone);
	for (int i = 0; i < 20; i++)
		udp_send(&a, d, 2);		/* each but the first finds the error of the one before */
	CU_ASSERT_TRUE(readable(b.four.fd));
	for (unsigned got = 0, n; got < 20; got += n) {
		n = udp_receive(&b, &b.four, &evs);
		CU_ASSERT_TRUE_FATAL(n > 0);
	}
	CU_ASSERT_EQUAL(b.in, 20);
	udp_close(&a);
	udp_close(&b);
}

/* In a network of its own, whose loopback carries @mtu. Exit code: 0 holds, 1 not, 2 cannot be tried here. */
static int too_big_in_own_network(int mtu)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_mtu = mtu };
	uint8_t payload[1472 + 90] = { 0 };
	struct event *evs, ev = { .kind = EVENT_TIMER };
	struct datagram d[3];
	struct udp u;
	int fd;

	if (unshare(CLONE_NEWNET) || (fd = socket(AF_INET, SOCK_DGRAM, 0)) < 0 || ioctl(fd, SIOCSIFMTU, &lo))
		return 2;
	lo.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &lo) || !opened(&u, "127.0.0.1:0"))
		return 2;
	d[0] = (struct datagram){ .to = u.four.at, .data = payload, .len = 1472, .df = 1 };
	d[1] = (struct datagram){ .to = u.four.at, .data = payload, .len = 1200, .df = 1 };
	d[2] = (struct datagram){ .to = u.four.at, .data = payload, .len = 1472 + 90, .segment = 1472, .df = 1 };
	udp_send(&u, d, 3);			/* of the last the kernel takes the short one only */
	if (u.out != 2 || u.refused != 2 || !udp_error_take(&u, &ev) || udp_receive(&u, &u.four, &evs) != 2)
		return 1;
	return !(ev.kind == EVENT_PATH_ERROR && ev.path.mtu == mtu && !ev.path.unreachable &&
		 endpoint_eq(&ev.from, &u.four.at) && evs[0].data.len == 1200 && evs[1].data.len == 90);
}

static void too_big_is_a_path_error_with_the_size(void)
{
	pid_t child = fork();
	int code = 1;

	if (!child)
		_exit(too_big_in_own_network(1400));
	CU_ASSERT(child > 0 && waitpid(child, &code, 0) == child && WIFEXITED(code));
	CU_ASSERT_NOT_EQUAL(WEXITSTATUS(code), 1);	/* 2: not root, no network of our own */
}

static void a_family_that_is_off_refuses(void)
{
	struct datagram d = { .to = at("[2001:db8::1]:1"), .data = (const uint8_t *)"x", .len = 1 };
	struct udp a;

	CU_ASSERT_TRUE_FATAL(opened(&a, "127.0.0.1:0"));
	udp_send(&a, &d, 1);
	CU_ASSERT(a.refused == 1 && !a.out);
	udp_close(&a);
}

static void a_port_is_taken_again(void)
{
	struct udp a, b;
	struct endpoint any = at("127.0.0.1:0");
	uint16_t port;

	CU_ASSERT_TRUE_FATAL(opened(&a, "127.0.0.1:0"));
	port = a.four.at.port;
	udp_init(&b);
	CU_ASSERT_EQUAL(udp_bind(&b, &any, port), 0);	/* it is in use: another one */
	CU_ASSERT_NOT_EQUAL(b.four.at.port, port);
	udp_close(&a);
	udp_close(&b);
	CU_ASSERT_EQUAL(udp_bind(&b, &any, port), 0);
	CU_ASSERT_EQUAL(b.four.at.port, port);
	udp_close(&b);
}

static void a_socket_on_loopback_is_reached_there_only(void)
{
	struct event evs[ADDRESSES_EVENTS];
	struct addresses a = { .fd = -1 };
	struct udp u;

	CU_ASSERT_TRUE_FATAL(opened(&u, "127.0.0.1:0"));
	CU_ASSERT_EQUAL_FATAL(addresses_read(&a, &u, evs), 1);
	CU_ASSERT(evs[0].kind == EVENT_ADDRESS && evs[0].up && endpoint_eq(&evs[0].from, &u.four.at));
	CU_ASSERT_EQUAL(addresses_read(&a, &u, evs), 0);
	udp_close(&u);
	u.four.fd = -1;
	CU_ASSERT_EQUAL_FATAL(addresses_read(&a, &u, evs), 1);
	CU_ASSERT_FALSE(evs[0].up);
}

static void a_socket_on_every_address_is_not_told_of_loopback(void)
{
	struct event evs[ADDRESSES_EVENTS];
	struct addresses a = { .fd = -1 };
	struct udp u;
	unsigned n;

	CU_ASSERT_TRUE_FATAL(opened(&u, "0.0.0.0:0"));
	n = addresses_read(&a, &u, evs);
	for (unsigned i = 0; i < n; i++)
		CU_ASSERT(!endpoint_loopback(&evs[i].from) && evs[i].from.port == u.four.at.port);
	udp_close(&u);
}

CU_TestInfo udp_tests[] = {
	{ "batches arrive whole and in order", batches_arrive_whole_and_in_order },
	{ "a segmented datagram is several, whoever cuts it", a_segmented_datagram_is_several },
	{ "too long datagrams are counted and dropped", too_long_datagrams_are_counted },
	{ "nobody there is a path error", nobody_there_is_a_path_error },
	{ "another's error costs no datagram", anothers_error_costs_no_datagram },
	{ "too big is a path error with the size", too_big_is_a_path_error_with_the_size },
	{ "a family that is off refuses", a_family_that_is_off_refuses },
	{ "a port is taken again if it can be", a_port_is_taken_again },
	{ "a socket on loopback is reached there only", a_socket_on_loopback_is_reached_there_only },
	{ "a socket on every address is not told of loopback", a_socket_on_every_address_is_not_told_of_loopback },
	CU_TEST_INFO_NULL
};
