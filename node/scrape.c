#include "node/scrape.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "node/text.h"

struct scraper {
	ev_io io;
	ev_timer late;
	struct scrape *scrape;
	unsigned slot;
	size_t in_len, out_at, out_len;
	char *out;
	char in[SCRAPE_HEAD + 1];
};

static void scraper_close(struct scraper *k)
{
	struct scrape *s = k->scrape;

	ev_io_stop(s->loop, &k->io);
	ev_timer_stop(s->loop, &k->late);
	close(k->io.fd);
	s->client[k->slot] = NULL;
	free(k->out);
	free(k);
}

static void on_late(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	scraper_close(w->data);
}

/* The answer's head and @body, which is freed. */
static void answer(struct scraper *k, const char *status, char *body)
{
	size_t len = strlen(body), room = len + 256;
	int n;

	k->out = malloc(room);
	if (!k->out)
		abort();
	n = snprintf(k->out, room, "HTTP/1.0 %s\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
		     "Content-Length: %zu\r\nConnection: close\r\n\r\n%s", status, len, body);
	k->out_len = (size_t)n;
	free(body);
	ev_io_stop(k->scrape->loop, &k->io);
	ev_io_set(&k->io, k->io.fd, EV_WRITE);
	ev_io_start(k->scrape->loop, &k->io);
}

static void request(struct scraper *k)
{
	struct scrape *s = k->scrape;
	size_t path = strcspn(k->in, " \r\n");
	const char *what = k->in + path + (k->in[path] == ' ');
	size_t len = strcspn(what, " ?\r\n");

	if (path != 3 || memcmp(k->in, "GET", 3))
		answer(k, "405 Method Not Allowed", strdup("only GET is answered\n"));
	else if (len == 8 && !memcmp(what, "/metrics", 8))
		answer(k, "200 OK", s->text(s->ctx));
	else
		answer(k, "404 Not Found", strdup("there is only /metrics\n"));
}

static void on_scraper(struct ev_loop *loop, ev_io *w, int revents)
{
	struct scraper *k = w->data;
	ssize_t n;

	(void)loop;
	(void)revents;
	if (k->out) {
		n = send(w->fd, k->out + k->out_at, k->out_len - k->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0)
			k->out_at += (size_t)n;
		if ((n < 0 && errno != EAGAIN && errno != EINTR) || k->out_at == k->out_len)
			scraper_close(k);
		return;
	}
	n = recv(w->fd, k->in + k->in_len, SCRAPE_HEAD - k->in_len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		scraper_close(k);
		return;
	}
	k->in_len += (size_t)n;
	k->in[k->in_len] = 0;
	if (strstr(k->in, "\r\n\r\n") || strstr(k->in, "\n\n"))
		request(k);
	else if (k->in_len == SCRAPE_HEAD)
		scraper_close(k);
}

static void on_listen(struct ev_loop *loop, ev_io *w, int revents)
{
	struct scrape *s = (struct scrape *)w;
	int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct scraper *k;
	unsigned slot = 0;

	(void)revents;
	while (slot < SCRAPE_CLIENTS && s->client[slot])
		slot++;
	k = fd < 0 || slot == SCRAPE_CLIENTS ? NULL : calloc(1, sizeof(*k));
	if (!k) {
		if (fd >= 0)
			close(fd);
		return;
	}
	k->scrape = s;
	k->slot = slot;
	s->client[slot] = k;
	ev_io_init(&k->io, on_scraper, fd, EV_READ);
	ev_timer_init(&k->late, on_late, SCRAPE_S, 0.);
	k->io.data = k->late.data = k;
	ev_io_start(loop, &k->io);
	ev_timer_start(loop, &k->late);
}

static int listen_at(const struct endpoint *at)
{
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(at->port) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(at->port) };
	bool is_six = at->kind == ENDPOINT_UDP6;
	int fd = socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), yes = 1, err;

	if (fd < 0)
		return -errno;
	memcpy(&four.sin_addr, at->addr, 4);
	memcpy(&six.sin6_addr, at->addr, 16);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (!bind(fd, is_six ? (struct sockaddr *)&six : (struct sockaddr *)&four, is_six ? sizeof(six) : sizeof(four)) &&
	    !listen(fd, SCRAPE_CLIENTS))
		return fd;
	err = errno;
	close(fd);
	return -err;
}

bool scrape_open(struct scrape *s, struct ev_loop *loop, const struct endpoint *at, char *(*text)(void *ctx), void *ctx,
		 struct fail *f)
{
	char buf[ENDPOINT_TEXT];
	int fd = listen_at(at);

	if (fd < 0) {
		fail_add(f, "cannot answer for metrics on TCP %s: %s", endpoint_text(at, buf), strerror(-fd));
		fail_hint(f, "[node] metrics = ADDRESS:PORT names another, off turns it off");
		return false;
	}
	*s = (struct scrape){ .loop = loop, .text = text, .ctx = ctx };
	ev_io_init(&s->listen, on_listen, fd, EV_READ);
	ev_io_start(loop, &s->listen);
	return true;
}

void scrape_close(struct scrape *s)
{
	if (!s->loop)
		return;
	for (unsigned i = 0; i < SCRAPE_CLIENTS; i++)
		if (s->client[i])
			scraper_close(s->client[i]);
	ev_io_stop(s->loop, &s->listen);
	close(s->listen.fd);
	s->loop = NULL;
}
