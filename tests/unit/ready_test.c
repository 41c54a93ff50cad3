/* Whoever started us hears how far we are, by sd_notify(3)'s datagrams; and where nobody listens nothing happens. */
#include "node/ready.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/suites.h"

/* A datagram socket at the abstract name @at (its first byte stands for NUL), which NOTIFY_SOCKET then names. */
static int listener(char at[64])
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	snprintf(at, 64, "@weft-ready-test-%d", (int)getpid());
	memcpy(un.sun_path, at, strlen(at));
	*un.sun_path = 0;
	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&un, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(at))), 0);
	setenv("NOTIFY_SOCKET", at, 1);
	return fd;
}

static void what_is_told_arrives_as_one_datagram(void)
{
	char at[64], buf[200];
	int fd = listener(at);
	ssize_t n;

	ready_tell("READY=1");
	n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	CU_ASSERT_TRUE(n == 7 && !memcmp(buf, "READY=1", 7));
	ready_reloading();
	n = recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT);
	buf[n > 0 ? n : 0] = 0;
	CU_ASSERT_TRUE(!strncmp(buf, "RELOADING=1\nMONOTONIC_USEC=", 27) && strtoll(buf + 27, NULL, 10) > 0);
	close(fd);
	unsetenv("NOTIFY_SOCKET");
}

static void where_nobody_listens_nothing_happens(void)
{
	static const char *const TO[] = { "", "@", "relative", "/nowhere/at/all", "@weft-nobody-listens-here" };
	char longest[300];

	unsetenv("NOTIFY_SOCKET");
	ready_tell("READY=1");
	for (unsigned i = 0; i < sizeof(TO) / sizeof(TO[0]); i++) {
		setenv("NOTIFY_SOCKET", TO[i], 1);
		ready_tell("READY=1");
	}
	memset(longest, '/', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	setenv("NOTIFY_SOCKET", longest, 1);
	ready_tell("READY=1");
	unsetenv("NOTIFY_SOCKET");
}

CU_TestInfo ready_tests[] = {
	{ "what is told arrives as one datagram", what_is_told_arrives_as_one_datagram },
	{ "where nobody listens nothing happens", where_nobody_listens_nothing_happens },
	CU_TEST_INFO_NULL
};
