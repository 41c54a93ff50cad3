#include "node/ctl.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "node/config.h"

enum { ANSWER_MAX = 4 << 20 };

volatile sig_atomic_t ctl_interrupted;

void ctl_where_done(struct ctl_where *w)
{
	g_free(w->socket);
	g_free(w->conf);
}

int ctl_fail(struct fail *f)
{
	fail_print(f);
	fail_done(f);
	return EXIT_UNABLE;
}

int ctl_end(struct fail *f, int code)
{
	if (!failed(f) && (fflush(stdout) || ferror(stdout)))
		fail_add(f, "cannot write all of it to standard output");
	return failed(f) ? ctl_fail(f) : code;
}

/* @o as one line, which it becomes. */
static char *line_of(JsonObject *o)
{
	JsonNode *node = json_node_init_object(json_node_alloc(), o);
	char *line = json_to_string(node, FALSE);

	json_node_unref(node);
	json_object_unref(o);
	return line;
}

void ctl_result(JsonObject *o, bool ok)
{
	char *line;

	json_object_set_boolean_member(o, "ok", ok);
	line = line_of(o);
	puts(line);
	g_free(line);
}

/* Where the control socket is: as said, or as the configuration says. */
static char *socket_path(const struct ctl_where *w, struct fail *f)
{
	struct node_config *c;
	char *path;

	if (w->socket)
		return g_strdup(w->socket);
	c = config_load(w->conf ? w->conf : CONFIG_PATH, NULL, 0, f);
	if (!c) {
		if (!w->conf)
			fail_hint(f, "or name the node's control socket with -s SOCKET");
		return NULL;
	}
	path = g_strdup(c->control);
	config_free(c);
	return path;
}

bool ctl_open(struct ctl *c, const struct ctl_where *w, struct fail *f)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char *path = socket_path(w, f);

	*c = (struct ctl){ .fd = -1 };
	if (!path)
		return false;
	if (strlen(path) >= sizeof(un.sun_path)) {
		fail_add(f, "%s is too long for a socket's path", path);
		g_free(path);
		return false;
	}
	memcpy(un.sun_path, path, strlen(path));
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&un, sizeof(un))) {
		int err = errno;

		fail_add(f, "cannot talk to a node at %s: %s", path, strerror(err));
		if (err == ENOENT || err == ECONNREFUSED)
			fail_hint(f, "is weft-node running? It makes this socket when it starts");
		else if (err == EACCES)
			fail_hint(f, "only the user it runs as, and root, may");
		ctl_close(c);
		g_free(path);
		return false;
	}
	g_free(path);
	return true;
}

void ctl_close(struct ctl *c)
{
	if (c->fd >= 0)
		close(c->fd);
	g_free(c->buf);
	*c = (struct ctl){ .fd = -1 };
}

int ctl_process(const struct ctl *c, struct fail *f)
{
	struct ucred who;
	socklen_t len = sizeof(who);
	int fd = getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &who, &len) ? -1 : pidfd_open(who.pid, 0);

	if (fd < 0)
		fail_errno(f, "wait for", "the node's process", errno);
	return fd;
}

bool ctl_ask(struct ctl *c, const char *line, struct fail *f)
{
	char *text = g_strconcat(line, "\n", NULL);
	size_t len = strlen(text), at = 0;
	int err = 0;

	while (at < len && !err) {
		ssize_t n = send(c->fd, text + at, len - at, MSG_NOSIGNAL);

		if (n > 0)
			at += (size_t)n;
		else if (errno != EINTR)
			err = errno;
	}
	g_free(text);
	if (err)
		fail_errno(f, "ask", "the node", err);
	return !err;
}

bool ctl_ask_with(struct ctl *c, const char *line, int fd, struct fail *f)
{
	char *text = g_strconcat(line, "\n", NULL);
	struct iovec io = { text, strlen(text) };
	union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(int))]; } beside = { 0 };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = &beside, .msg_controllen = sizeof(beside) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&m);
	bool sent;

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	sent = sendmsg(c->fd, &m, MSG_NOSIGNAL) == (ssize_t)io.iov_len;
	if (!sent)
		fail_errno(f, "ask", "the node", errno);
	g_free(text);
	return sent;
}

/* More bytes into the buffer; false with a message if there are none to come. */
static bool more(struct ctl *c, int timeout_ms, struct fail *f)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	int ready;
	ssize_t n;

	do
		ready = poll(&p, 1, timeout_ms);
	while (ready < 0 && errno == EINTR && !ctl_interrupted);
	if (ctl_interrupted) {
		fail_add(f, "interrupted");
		return false;
	}
	if (ready == 0) {
		fail_add(f, "the node does not answer");
		return false;
	}
	if (c->len == c->room)
		c->buf = g_realloc(c->buf, c->room = c->room ? 2 * c->room : 4096);
	n = ready < 0 ? -1 : recv(c->fd, c->buf + c->len, c->room - c->len, 0);
	if (n > 0 && c->len + (size_t)n <= ANSWER_MAX) {
		c->len += (size_t)n;
		return true;
	}
	if (n == 0)
		fail_add(f, "the node ended before it had answered");
	else if (n > 0)
		fail_add(f, "the node's answer is longer than %d bytes", ANSWER_MAX);
	else
		fail_errno(f, "read", "the node's answer", errno);
	return false;
}

JsonNode *ctl_take(struct ctl *c, int timeout_ms, char **line, struct fail *f)
{
	JsonNode *root;
	GError *error = NULL;
	char *end;

	while (!(end = c->len ? memchr(c->buf, '\n', c->len) : NULL))
		if (!more(c, timeout_ms, f))
			return NULL;
	*line = g_strndup(c->buf, (gsize)(end - c->buf));
	c->len -= (size_t)(end + 1 - c->buf);
	memmove(c->buf, end + 1, c->len);
	root = g_utf8_validate(*line, -1, NULL) ? json_from_string(*line, &error) : NULL;
	if (root && JSON_NODE_HOLDS_OBJECT(root))
		return root;
	fail_add(f, "this is no node's answer: %s", error ? error->message : "not a JSON object");
	g_clear_error(&error);
	if (root)
		json_node_unref(root);
	g_free(*line);
	*line = NULL;
	return NULL;
}

bool ctl_wrong(JsonObject *answer, struct fail *f)
{
	if (json_object_has_member(answer, "ok") && json_object_get_boolean_member_with_default(answer, "ok", FALSE))
		return false;
	fail_add(f, "%s", json_str(answer, "error", "the node refuses and does not say why"));
	return true;
}

JsonNode *ctl_once(struct ctl *c, const char *line, int timeout_ms, struct fail *f)
{
	char *text = NULL;
	JsonNode *root = ctl_ask(c, line, f) ? ctl_take(c, timeout_ms, &text, f) : NULL;

	g_free(text);
	if (root && ctl_wrong(json_node_get_object(root), f)) {
		json_node_unref(root);
		return NULL;
	}
	return root;
}

char *ctl_order(const char *ask, int64_t timeout_ms, ...)
{
	JsonObject *o = json_object_new();
	const char *member;
	va_list args;

	json_object_set_string_member(o, "ask", ask);
	if (timeout_ms)
		json_object_set_int_member(o, "timeout_ms", timeout_ms);
	va_start(args, timeout_ms);
	while ((member = va_arg(args, const char *))) {
		const char *text = va_arg(args, const char *);

		if (text)
			json_object_set_string_member(o, member, text);
	}
	va_end(args);
	return line_of(o);
}
