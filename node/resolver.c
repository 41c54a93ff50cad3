#include "node/resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "node/diary.h"

extern char **environ;

/* weftctl as it was built or installed with us. */
static bool find(char path[PATH_MAX])
{
	static const char *const WHERE[] = { "weftctl", "../bin/weftctl" };
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self));

	while (len > 0 && self[len - 1] != '/')
		len--;
	for (unsigned i = 0; len > 0 && i < sizeof(WHERE) / sizeof(*WHERE); i++)
		if (snprintf(path, PATH_MAX, "%.*s%s", (int)len, self, WHERE[i]) < PATH_MAX && !access(path, X_OK))
			return true;
	return false;
}

/* @argv[0] is the program's path. */
static int start(char **argv)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t as;
	sigset_t reset;
	pid_t pid;
	int err;

	sigemptyset(&reset);
	sigaddset(&reset, SIGCHLD);
	sigaddset(&reset, SIGPIPE);
	posix_spawnattr_init(&as);
	posix_spawnattr_setflags(&as, POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigdefault(&as, &reset);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	signal(SIGCHLD, SIG_IGN);		/* nobody waits for it */
	err = posix_spawn(&pid, argv[0], &files, &as, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&as);
	return err;
}

void resolver_start(const struct node_config *c)
{
	char path[PATH_MAX];
	bool wanted = false;
	int err;

	for (unsigned i = 0; i < c->network.count; i++)
		wanted |= config_network(c, i)->resolver == RESOLVER_RESOLVED;
	if (!wanted)
		return;
	if (geteuid()) {
		diary(LEVEL_INFO, "resolver", "systemd-resolved listens to root: it is left to `weftctl resolver`");
		return;
	}
	if (!find(path)) {
		diary(LEVEL_WARN, "resolver", "there is no weftctl beside us to tell systemd-resolved; going on without");
		return;
	}
	err = start((char *[]){ path, (char[]){ "resolver" }, (char[]){ "-s" }, c->control, NULL });
	if (err)
		diary(LEVEL_WARN, "resolver", "cannot run %s to tell systemd-resolved: %s; going on without", path, strerror(err));
}

void lookup_start(const struct node_config *c)
{
	char path[PATH_MAX], *argv[CONFIG_BOOTSTRAPS + 5] = { path, (char[]){ "lookup" }, (char[]){ "-s" }, c->control };
	unsigned n = 0;
	int err;

	for (; c->named[n]; n++)
		argv[4 + n] = c->named[n];
	if (!n)
		return;
	err = find(path) ? start(argv) : ENOENT;
	if (err)
		diary(LEVEL_WARN, "lookup", "%u names of [overlay] bootstrap are not looked up: weftctl beside us: %s", n, strerror(err));
}
