#include "node/ready.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "node/diary.h"

static int waiting = -1;		/* a pipe to the process that waits for us to be ready */

/* One byte: the child is ready. None: it has ended, and why is in its exit code. */
static _Noreturn void wait_for(pid_t child, int fd)
{
	int status;
	ssize_t n;
	char c;

	while ((n = read(fd, &c, 1)) < 0 && errno == EINTR)
		;
	if (n == 1)
		_exit(EXIT_HELD);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_UNABLE);
}

bool ready_detach(struct fail *f)
{
	pid_t child;
	int fd[2];

	if (pipe2(fd, O_CLOEXEC) < 0) {
		fail_errno(f, "make", "a pipe", errno);
		return false;
	}
	child = fork();
	if (child < 0) {
		fail_errno(f, "start", "a process in the background", errno);
		close(fd[0]);
		close(fd[1]);
		return false;
	}
	close(fd[child > 0]);
	if (child > 0)
		wait_for(child, *fd);
	waiting = fd[1];
	return true;
}

static void leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	diary_to_system();
	for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup3(null, fd, 0);
	if (null >= 0)
		close(null);
	(void)!write(waiting, "", 1);
	close(waiting);
	waiting = -1;
}

void ready_tell(const char *text)
{
	const char *to = getenv("NOTIFY_SOCKET");
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t len = to ? strlen(to) : 0;
	int fd;

	if (waiting >= 0 && !strncmp(text, "READY=1", 7))
		leave_terminal();
	if (len < 2 || len >= sizeof(un.sun_path) || (*to != '/' && *to != '@'))
		return;
	memcpy(un.sun_path, to, len);
	if (*to == '@')
		*un.sun_path = 0;		/* an abstract one */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	/* nobody listening is no business of ours */
	(void)!sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&un,
		      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}

void ready_reloading(void)
{
	char text[80];
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000);
	ready_tell(text);
}
