/*
 * A client has at most one line under way unless it sends ahead: while answers
 * wait to be read, or while an order is not answered to its end, its next line
 * stays in its buffer and its socket is not read. So memory per client is
 * bounded by one line and one answer, whatever it sends.
 */
#include "node/control.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "node/diary.h"

struct client {
	ev_io io;			/* first: the watcher is the object */
	struct control *control;
	struct client_ref ref;
	ev_tstamp heard;
	bool busy;			/* an order waits for its last answer */
	bool ended;			/* it will send nothing more */
	int pipe;			/* came beside its last line; -1: none */
	size_t in_len;
	char *out;			/* not written yet; NULL if nothing */
	size_t out_at, out_len;
	char in[ORDER_LINE + 1];	/* one line and its end */
};

static void client_close(struct client *k)
{
	struct control *c = k->control;

	ev_io_stop(c->loop, &k->io);
	close(k->io.fd);
	if (k->pipe >= 0)
		close(k->pipe);
	c->client[k->ref.slot] = NULL;
	free(k->out);
	free(k);
}

/* Ask for what can be done next: write what waits, else read on if the last order is answered. */
static void client_watch(struct client *k)
{
	int want = k->out ? EV_WRITE : k->busy || k->ended ? 0 : EV_READ;

	if ((k->io.events & (EV_READ | EV_WRITE)) == want && ev_is_active(&k->io))
		return;
	ev_io_stop(k->control->loop, &k->io);
	ev_io_set(&k->io, k->io.fd, want);
	if (want)
		ev_io_start(k->control->loop, &k->io);
}

/* False if the client is gone. */
static bool client_write(struct client *k)
{
	while (k->out) {
		ssize_t n = send(k->io.fd, k->out + k->out_at, k->out_len - k->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n < 0) {
			client_close(k);
			return false;
		}
		k->out_at += (size_t)n;
		if (k->out_at < k->out_len)
			continue;
		free(k->out);
		k->out = NULL;
		k->out_at = k->out_len = 0;
	}
	return true;
}

static struct client *client_find(const struct control *c, struct client_ref who)
{
	struct client *k = who.slot < CONTROL_CLIENTS ? c->client[who.slot] : NULL;

	return k && k->ref.number == who.number ? k : NULL;
}

bool control_there(const struct control *c, struct client_ref who)
{
	return client_find(c, who) != NULL;
}

int control_pipe(struct control *c, struct client_ref who)
{
	struct client *k = client_find(c, who);
	int fd = k ? k->pipe : -1;

	if (k)
		k->pipe = -1;
	return fd;
}

/* @text and a newline, to be written; false if the client had to be closed. */
static bool client_put(struct client *k, const char *text)
{
	size_t len = strlen(text);
	char *out;

	if (k->out_len + len + 1 > CONTROL_OUT) {
		diary(LEVEL_WARN, "control", "a client that does not read its answers was closed");
		client_close(k);
		return false;
	}
	out = realloc(k->out, k->out_len + len + 1);
	if (!out) {
		client_close(k);
		return false;
	}
	memcpy(out + k->out_len, text, len);
	out[k->out_len + len] = '\n';
	k->out = out;
	k->out_len += len + 1;
	return true;
}

void control_answer(struct control *c, struct client_ref who, const struct order *o, json_t *body,
		    const char *wrong, bool more)
{
	struct client *k = client_find(c, who);
	json_t *root = body ? body : json_object();
	char *text;

	if (!k) {
		json_decref(root);
		return;
	}
	json_object_set_new(root, "ok", json_boolean(!wrong));
	if (wrong)
		json_object_set_new(root, "error", json_string(wrong));
	if (more)
		json_object_set_new(root, "more", json_true());
	if (*o->id)
		json_object_set_new(root, "id", json_loads(o->id, JSON_DECODE_ANY, NULL));
	text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	k->busy = more;
	if (!more && k->pipe >= 0) {		/* nobody wanted it; its reader waits for its end */
		close(k->pipe);
		k->pipe = -1;
	}
	if (text && client_put(k, text))
		client_watch(k);
	free(text);
}

static void do_line(struct client *k, const char *line, size_t len)
{
	struct control *c = k->control;
	struct client_ref who = k->ref;
	char why[WHY_LEN];
	struct order o;

	if (len && line[len - 1] == '\r')
		len--;
	k->busy = true;
	if (order_read(line, len, &o, why))
		c->order(c->ctx, who, &o);
	else
		control_answer(c, who, &o, NULL, why, false);
}

/*
 * Whatever can be done for this client now: whole lines in its buffer while
 * nothing waits, then writing. The client may be gone afterwards.
 */
static void client_go(struct client *k)
{
	struct control *c = k->control;
	struct client_ref who = k->ref;

	for (;;) {
		char *end = k->busy || k->out ? NULL : memchr(k->in, '\n', k->in_len);
		char line[ORDER_LINE + 1];
		size_t len;

		if (!end) {
			if (!k->busy && !k->out && k->in_len == sizeof(k->in)) {
				struct order none = { .kind = ORDER_STATUS };

				control_answer(c, who, &none, NULL, "a line longer than 4096 bytes", false);
				k = client_find(c, who);
				if (k && client_write(k))
					client_close(k);
				return;
			}
			break;
		}
		len = (size_t)(end - k->in);
		memcpy(line, k->in, len);
		k->in_len -= len + 1;
		memmove(k->in, end + 1, k->in_len);
		do_line(k, line, len);
		k = client_find(c, who);
		if (!k || !client_write(k))
			return;
	}
	if (k->ended && !k->busy && !k->out)
		client_close(k);
	else
		client_watch(k);
}

/* Bytes, and a descriptor if one comes beside them; of several the last stays. */
static ssize_t client_read(struct client *k)
{
	struct iovec io = { k->in + k->in_len, sizeof(k->in) - k->in_len };
	union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(int))]; } beside;
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = &beside, .msg_controllen = sizeof(beside) };
	ssize_t n = recvmsg(k->io.fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	for (struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
			continue;
		if (k->pipe >= 0)
			close(k->pipe);
		memcpy(&k->pipe, CMSG_DATA(c), sizeof(int));
	}
	return n;
}

static void client_event(struct ev_loop *loop, ev_io *io, int revents)
{
	struct client *k = (struct client *)io;

	k->heard = ev_now(loop);
	if (revents & EV_WRITE && !client_write(k))
		return;
	if (revents & EV_READ) {
		ssize_t n = client_read(k);

		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			client_close(k);
			return;
		}
		if (n > 0)
			k->in_len += (size_t)n;
		else if (!n)
			k->ended = true;
	}
	client_go(k);
}

/* A free place; if there is none, that of the client silent longest. */
static uint8_t place(struct control *c)
{
	uint8_t oldest = 0;

	for (uint8_t i = 0; i < CONTROL_CLIENTS; i++) {
		if (!c->client[i])
			return i;
		if (c->client[i]->heard < c->client[oldest]->heard)
			oldest = i;
	}
	client_close(c->client[oldest]);
	return oldest;
}

/* Root, our own user, the group: by what the kernel says of who connected. */
static bool may(const struct control *c, int fd)
{
	struct ucred who;
	gid_t groups[64];
	socklen_t len = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len))
		return false;
	if (!who.uid || who.uid == geteuid())
		return true;
	if (c->group == (gid_t)-1)
		return false;
	len = sizeof(groups);
	if (who.gid == c->group)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len))
		return false;
	for (unsigned i = 0; i < len / sizeof(*groups); i++)
		if (groups[i] == c->group)
			return true;
	return false;
}

static void listen_event(struct ev_loop *loop, ev_io *io, int revents)
{
	struct control *c = (struct control *)io;
	int fd = accept4(io->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *k;
	uint8_t slot;

	(void)revents;
	if (fd < 0)
		return;
	if (!may(c, fd)) {
		diary(LEVEL_WARN, "control", "a client of another user was turned away");
		close(fd);
		return;
	}
	k = calloc(1, sizeof(*k));
	if (!k) {
		close(fd);
		return;
	}
	slot = place(c);
	k->control = c;
	k->ref = (struct client_ref){ slot, ++c->next_number };
	k->heard = ev_now(loop);
	k->pipe = -1;
	c->client[slot] = k;
	ev_io_init(&k->io, client_event, fd, EV_READ);
	ev_io_start(loop, &k->io);
}

/* Does somebody answer on the socket at @un? */
static bool alive(const struct sockaddr_un *un)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool yes = fd >= 0 && (!connect(fd, (const struct sockaddr *)un, sizeof(*un)) || errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return yes;
}

static bool group_find(const char *name, gid_t *gid, struct fail *f)
{
	const struct group *g = getgrnam(name);

	if (g)
		*gid = g->gr_gid;
	else
		fail_add(f, "[node] control-group = %s: this machine has no such group", name);
	return g;
}

static int share(const char *path, gid_t group)
{
	if (group == (gid_t)-1)
		return 0;
	return chown(path, (uid_t)-1, group) || chmod(path, 0660) ? errno : 0;
}

bool control_open(struct control *c, struct ev_loop *loop, const char *path, const char *group, control_order *order,
		  void *ctx, struct fail *f)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	mode_t mask;
	int fd, err = 0;

	*c = (struct control){ .loop = loop, .order = order, .ctx = ctx, .group = (gid_t)-1 };
	if (group && !group_find(group, &c->group, f))
		return false;
	if (strlen(path) >= sizeof(un.sun_path)) {
		fail_add(f, "the control socket's path %s is too long: %zu bytes; accepted: up to %zu", path,
			 strlen(path), sizeof(un.sun_path) - 1);
		fail_hint(f, "[node] control = PATH puts it elsewhere");
		return false;
	}
	memcpy(un.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		err = errno;
	if (!err) {
		struct stat st;

		if (!lstat(path, &st) && S_ISSOCK(st.st_mode) && !alive(&un))
			unlink(path);		/* of a daemon that was killed */
		mask = umask(0177);
		if (bind(fd, (struct sockaddr *)&un, sizeof(un)) || listen(fd, CONTROL_CLIENTS))
			err = errno;
		umask(mask);
		if (!err)
			err = share(path, c->group);
	}
	if (err) {
		if (fd >= 0)
			close(fd);
		fail_errno(f, "listen on", path, err);
		if (err == EADDRINUSE)
			fail_hint(f, "another daemon has this control socket, or it is no socket; [node] control = PATH names another");
		return false;
	}
	c->path = strdup(path);
	ev_io_init(&c->listen, listen_event, fd, EV_READ);
	ev_io_start(loop, &c->listen);
	return true;
}

void control_close(struct control *c)
{
	if (!c->path)
		return;
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		if (c->client[i] && client_write(c->client[i]))
			client_close(c->client[i]);
	ev_io_stop(c->loop, &c->listen);
	close(c->listen.fd);
	unlink(c->path);
	free(c->path);
	c->path = NULL;
}
