/*
 * pester.c - what nobody should send, sent for the tests of tests/net
 *
 *	net-pester udp ADDRESS PORT COUNT SEED	junk datagrams, some of them almost right
 *	net-pester flood ADDRESS PORT MS [PCAP]	the same as fast as it goes, for so long; with PCAP the UDP
 *						payloads of that capture instead, over and over. Says how many
 *	net-pester ask SOCKET			one decent question; exits 1 if it is not answered
 *	net-pester control SOCKET		hostile control clients, one kind after the other
 *
 * The last checks what comes back as well, and exits 1 naming what did not
 * hold. ADDRESS is a number, IPv4 or IPv6, and should be loopback.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4096, PATIENCE_MS = 5000, CROWD = 40 };

/* ---- datagrams ------------------------------------------------------------------------ */

static uint64_t state;

static uint32_t chance(void)		/* splitmix64 */
{
	uint64_t z = state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ z >> 31) >> 32);
}

/* Random bytes; three in four open with a header that looks like ours. */
static size_t junk(uint8_t buf[2100])
{
	static const uint16_t LENGTHS[] = { 0, 1, 7, 8, 15, 16, 31, 32, 33, 64, 200, 1200, 1472, 1473, 2048, 2100 };
	size_t len = chance() % 2 ? LENGTHS[chance() % 16] : chance() % 1500;

	for (size_t i = 0; i < len; i++)
		buf[i] = (uint8_t)chance();
	if (len > 16 && chance() % 4) {
		buf[0] = (uint8_t)(1 << 4 | chance() % 8);	/* version 1, every type and two that are none */
		buf[1] = 0;
		if (chance() % 2)
			memset(buf + 4, 0, 4);
		if (chance() % 2)
			buf[4 + 3] = (uint8_t)(chance() % 8);	/* a receiver index somebody may have */
	}
	return len;
}

/* A socket that sends to @address, -1 if it is none. */
static int target(const char *address, const char *port)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port)) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = six.sin6_port };
	bool is_six = strchr(address, ':');
	int fd = socket(is_six ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || inet_pton(is_six ? AF_INET6 : AF_INET, address,
				is_six ? (void *)&six.sin6_addr : (void *)&four.sin_addr) != 1 ||
	    connect(fd, is_six ? (void *)&six : (void *)&four, is_six ? sizeof(six) : sizeof(four)))
		return -1;
	return fd;
}

static int udp(const char *address, const char *port, unsigned count, const char *seed)
{
	int fd = target(address, port);
	uint8_t buf[2100];

	if (fd < 0)
		return 2;
	state = strtoull(seed, NULL, 10);
	for (unsigned i = 0; i < count; i++)
		(void)!send(fd, buf, junk(buf), 0);
	close(fd);
	return 0;
}

enum { RECORDED = 4096, PCAP_HEADER = 24, PCAP_RECORD = 16, ETHERNET = 14 };

struct recorded {
	uint16_t len;
	uint8_t data[1500];
};

/* UDP payloads over IPv4 over Ethernet in the capture @name, of this machine's byte order. */
static unsigned recorded(const char *name, struct recorded *r)
{
	FILE *f = fopen(name, "rb");
	uint8_t head[PCAP_RECORD], frame[4096];
	unsigned n = 0;

	if (!f || fread(frame, PCAP_HEADER, 1, f) != 1)
		return 0;
	while (n < RECORDED && fread(head, sizeof(head), 1, f) == 1) {
		uint32_t len;
		size_t at;

		memcpy(&len, head + 8, sizeof(len));
		if (len > sizeof(frame) || fread(frame, len, 1, f) != 1)
			break;
		at = ETHERNET + (size_t)(frame[ETHERNET] & 15) * 4 + 8;
		if (len <= at || frame[12] != 8 || frame[13] || frame[ETHERNET + 9] != IPPROTO_UDP || len - at > sizeof(r->data))
			continue;
		r[n].len = (uint16_t)(len - at);
		memcpy(r[n++].data, frame + at, len - at);
	}
	fclose(f);
	return n;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int flood(const char *address, const char *port, int64_t ms, const char *pcap)
{
	static struct recorded r[RECORDED];
	unsigned have = pcap ? recorded(pcap, r) : 0;
	unsigned long long count = 0, bytes = 0;
	int64_t end = now_ms() + ms;
	int fd = target(address, port);
	uint8_t buf[2100];

	if (fd < 0 || (pcap && !have)) {
		fprintf(stderr, "net-pester: nothing to send, or nowhere to\n");
		return 2;
	}
	for (; (count & 63) || now_ms() < end; count++) {
		ssize_t n = have ? send(fd, r[count % have].data, r[count % have].len, 0) : send(fd, buf, junk(buf), 0);

		bytes += n > 0 ? (unsigned long long)n : 0;
	}
	printf("%llu datagrams, %llu a second, %llu Mbit/s\n", count, count * 1000 / (unsigned long long)ms,
	       bytes * 8 / (unsigned long long)ms / 1000);
	close(fd);
	return 0;
}

/* ---- control clients ------------------------------------------------------------------ */

static const char *path;

static int dial(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	if (fd >= 0 && !connect(fd, (struct sockaddr *)&un, sizeof(un)))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static void put(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

/* One line into @buf, without its end; false if none comes in time. */
static bool line(int fd, char *buf, size_t room)
{
	for (size_t at = 0; at + 1 < room; at++) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (poll(&p, 1, PATIENCE_MS) != 1 || recv(fd, buf + at, 1, 0) != 1)
			return false;
		buf[at + 1] = 0;
		if (buf[at] == '\n') {
			buf[at] = 0;
			return true;
		}
	}
	return false;
}

/* Nothing more is coming: the other side closed. */
static bool closed(int fd)
{
	char buf[65536];

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (poll(&p, 1, PATIENCE_MS) != 1)
			return false;
		n = recv(fd, buf, sizeof(buf), 0);
		if (n <= 0)
			return n == 0 || errno == ECONNRESET;
	}
}

static int wrong;

static void holds(bool it, const char *what)
{
	if (it)
		return;
	fprintf(stderr, "net-pester: does not hold: %s\n", what);
	wrong = 1;
}

/* Send @text as a line; the answer must hold @want. */
static void answered(const char *text, size_t len, const char *want)
{
	static char buf[1 << 20];
	int fd = dial();

	put(fd, text, len);
	put(fd, "\n", 1);
	holds(line(fd, buf, sizeof(buf)), text);
	if (!strstr(buf, want))
		fprintf(stderr, "net-pester: %.60s was answered %.200s\n", text, buf);
	holds(strstr(buf, want), want);
	close(fd);
}

static void bad_lines(void)
{
	static const struct { const char *text, *want; } BAD[] = {
		{ "", "not JSON" },
		{ "\r", "not JSON" },
		{ "hello", "not JSON" },
		{ "{", "not JSON" },
		{ "[]", "not a JSON object" },
		{ "null", "not" },
		{ "{}", "does not say what to ask" },
		{ "{\"ask\":1}", "nothing known to ask" },
		{ "{\"ask\":\"format\"}", "nothing known to ask; accepted: status peers trace" },
		{ "{\"ask\":\"status\",\"ask\":\"stop\"}", "not JSON" },
		{ "{\"ask\":\"status\",\"colour\":1}", "a member that is not known" },
		{ "{\"ask\":\"status\",\"key\":\"00000000000000000000000000000000\"}", "that order takes no key" },
		{ "{\"ask\":\"trace\"}", "does not say its key" },
		{ "{\"ask\":\"trace\",\"key\":\"zz\"}", "32 hexadecimal digits" },
		{ "{\"ask\":\"trace\",\"key\":\"00000000000000000000000000000000\",\"timeout_ms\":-1}", "1 to 60000" },
		{ "{\"ask\":\"trace\",\"key\":\"00000000000000000000000000000000\",\"timeout_ms\":1e99}", "1 to 60000" },
		{ "{\"ask\":\"status\",\"id\":{}}", "neither a number nor a short text" },
		{ "{\"ask\":\"version\",\"id\":\"\\u001b[2J\"}", "\"id\":\"\\u001B[2J\"" },
		{ "{\"ask\":\"nothing\",\"id\":77}", "\"id\":77" },
		{ "{\"ask\":\"\xff\xfe\"}", "not JSON" },
	};
	char deep[2 * LINE_MAX_BYTES], nul[] = "{\"ask\":\"status\0\"}";

	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
		answered(BAD[i].text, strlen(BAD[i].text), BAD[i].want);
	memset(deep, '[', LINE_MAX_BYTES - 2);
	answered(deep, LINE_MAX_BYTES - 2, "not JSON");
	answered(nul, sizeof(nul) - 1, "not JSON");
}

static void too_long(void)
{
	char buf[4096];
	static char text[1 << 20];
	int fd = dial();

	memset(text, 'x', sizeof(text));
	put(fd, text, sizeof(text));
	holds(line(fd, buf, sizeof(buf)) && strstr(buf, "longer than 4096 bytes"), "a line without end is refused");
	holds(closed(fd), "and its client is closed");
	close(fd);
}

/* Many orders at once and their answers not read: they wait, and all are answered once read. */
static void ahead(void)
{
	enum { ORDERS = 2000 };
	static char text[ORDERS * 20], buf[1 << 16];
	int fd = dial(), got = 0;
	size_t len = 0;
	pid_t child;

	for (int i = 0; i < ORDERS; i++)
		len += (size_t)sprintf(text + len, "{\"ask\":\"peers\"}\n");
	child = fork();
	if (!child) {
		put(fd, text, len);
		shutdown(fd, SHUT_WR);
		_exit(0);
	}
	while (line(fd, buf, sizeof(buf)) && strstr(buf, "\"ok\":true"))
		got++;
	holds(got == ORDERS, "2000 orders sent ahead get 2000 answers");
	close(fd);
}

static void half_lines_and_sudden_ends(void)
{
	static const char *const PART[] = { "{", "{\"ask\":", "{\"ask\":\"status\"}", "\n\n\n{\"ask\":\"peers\"}\n{" };

	for (int i = 0; i < 200; i++) {
		const char *text = PART[i % 4];
		int fd = dial();

		put(fd, text, strlen(text));
		close(fd);
	}
}

/* A crowd that sits there and says nothing does not shut others out. */
static void crowd(void)
{
	int fd[CROWD];

	for (int i = 0; i < CROWD; i++)
		fd[i] = dial();
	answered("{\"ask\":\"version\"}", 17, "\"ok\":true");
	for (int i = 0; i < CROWD; i++)
		close(fd[i]);
}

/* Clients that write a byte now and then, and others beside them. */
static void slow(void)
{
	static const char ORDER[] = "{\"ask\":\"version\"}\n";
	enum { SLOW = 8 };
	char buf[4096];
	int fd[SLOW];

	for (int i = 0; i < SLOW; i++)
		fd[i] = dial();
	for (size_t at = 0; ORDER[at]; at++) {
		for (int i = 0; i < SLOW; i++)
			put(fd[i], ORDER + at, 1);
		answered("{\"ask\":\"version\"}", 17, "\"ok\":true");
		usleep(20000);
	}
	for (int i = 0; i < SLOW; i++) {
		holds(line(fd[i], buf, sizeof(buf)) && strstr(buf, "\"ok\":true"), "a slow client is answered at last");
		close(fd[i]);
	}
}

/* An order whose client is gone before the answer. */
static void gone_before_the_answer(void)
{
	static const char TRACE[] = "{\"ask\":\"trace\",\"key\":\"123456789abcdef0123456789abcdef0\"}\n";

	for (int i = 0; i < 100; i++) {
		int fd = dial();

		put(fd, TRACE, sizeof(TRACE) - 1);
		close(fd);
	}
	answered("{\"ask\":\"version\"}", 17, "\"ok\":true");
}

static void noise(void)
{
	char buf[3000];

	state = 42;
	for (int i = 0; i < 100; i++) {
		int fd = dial();

		for (size_t j = 0; j < sizeof(buf); j++)
			buf[j] = (char)chance();
		put(fd, buf, sizeof(buf));
		close(fd);
	}
	answered("{\"ask\":\"version\"}", 17, "\"ok\":true");
}

static int control(void)
{
	int fd = dial();

	if (fd < 0) {
		fprintf(stderr, "net-pester: cannot connect to %s\n", path);
		return 2;
	}
	close(fd);
	bad_lines();
	too_long();
	ahead();
	half_lines_and_sudden_ends();
	crowd();
	slow();
	gone_before_the_answer();
	noise();
	return wrong;
}

int main(int argc, char **argv)
{
	if (argc == 6 && !strcmp(argv[1], "udp"))
		return udp(argv[2], argv[3], (unsigned)atoi(argv[4]), argv[5]);
	if ((argc == 5 || argc == 6) && !strcmp(argv[1], "flood"))
		return flood(argv[2], argv[3], atoi(argv[4]), argc == 6 ? argv[5] : NULL);
	if (argc == 3 && !strcmp(argv[1], "control")) {
		path = argv[2];
		return control();
	}
	if (argc == 3 && !strcmp(argv[1], "ask")) {
		path = argv[2];
		answered("{\"ask\":\"version\"}", 17, "\"ok\":true");
		return wrong;
	}
	fprintf(stderr, "usage: net-pester udp ADDRESS PORT COUNT SEED | flood ADDRESS PORT MS [PCAP] | ask SOCKET | control SOCKET\n");
	return 2;
}
