/*
 * The state passes the piece to and fro: who sets it has written everything
 * else before. An fdatasync that failed leaves pages that the kernel calls clean
 * and that are not on the disk, so it is never tried twice: the file is left
 * (fd = -1) and the next piece must replace it.
 */
#include "node/scribe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "node/keep.h"

enum { RETRY_MS = 1000, STACK = 64 << 10 };

static void leave(struct scribe *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static int replace(struct scribe *s)
{
	int err = keep_file(s->path, 0600, s->data, s->len);

	if (err)
		return err;
	leave(s);
	s->fd = open(s->path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	s->size = s->len;
	return 0;
}

static int append(struct scribe *s)
{
	size_t done = 0;
	int err = 0;

	while (done < s->len && !err) {
		ssize_t n = pwrite(s->fd, s->data + done, s->len - done, (off_t)(s->size + done));

		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			err = n ? errno : ENOSPC;
	}
	if (err) {
		if (ftruncate(s->fd, (off_t)s->size))
			leave(s);
		return err;
	}
	if (fdatasync(s->fd)) {
		err = errno;
		leave(s);
		return err;
	}
	s->size += s->len;
	return 0;
}

static void *scribe_main(void *arg)
{
	struct scribe *s = arg;
	uint64_t count;

	while (read(s->work, &count, sizeof(count)) > 0 || errno == EINTR) {
		if (s->state == SCRIBE_BUSY) {
			s->err = s->replace ? replace(s) : append(s);
			if (s->err && !s->hurry)
				poll(&(struct pollfd){ .fd = s->work, .events = POLLIN }, 1, RETRY_MS);
			s->state = SCRIBE_DONE;
			eventfd_write(s->done, 1);
		}
		if (s->end)
			break;
	}
	return NULL;
}

void scribe_open(struct scribe *s, const char *path)
{
	*s = (struct scribe){ .path = strdup(path), .fd = -1, .work = -1, .done = -1 };
	if (!s->path)
		abort();
}

int scribe_start(struct scribe *s)
{
	sigset_t all, before;
	pthread_attr_t a;
	int err;

	s->work = eventfd(0, EFD_CLOEXEC);
	s->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->work < 0 || s->done < 0)
		return -errno;
	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, STACK);
	sigfillset(&all);			/* signals are the loop's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&s->thread, &a, scribe_main, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&a);
	s->threaded = !err;
	return -err;
}

void scribe_hurry(struct scribe *s)
{
	s->hurry = true;
	if (s->threaded)
		eventfd_write(s->work, 1);
}

void scribe_close(struct scribe *s)
{
	if (s->threaded) {
		s->end = true;
		scribe_hurry(s);
		pthread_join(s->thread, NULL);
	}
	if (s->path) {
		leave(s);
		if (s->work >= 0)
			close(s->work);
		if (s->done >= 0)
			close(s->done);
	}
	free(s->path);
	*s = (struct scribe){ .fd = -1, .work = -1, .done = -1 };
}

void scribe_give(struct scribe *s, const uint8_t *data, size_t len, bool whole)
{
	s->data = data;
	s->len = len;
	s->replace = whole;
	s->state = SCRIBE_BUSY;
	if (s->threaded) {
		eventfd_write(s->work, 1);
		return;
	}
	s->err = whole ? replace(s) : append(s);
	s->state = SCRIBE_DONE;
}

bool scribe_take(struct scribe *s, bool wait, int *err)
{
	uint64_t count;

	if (s->state == SCRIBE_IDLE)
		return false;
	if (s->threaded) {
		while (wait && s->state == SCRIBE_BUSY)
			poll(&(struct pollfd){ .fd = s->done, .events = POLLIN }, 1, RETRY_MS);
		if (s->state == SCRIBE_BUSY)
			return false;
		(void)!read(s->done, &count, sizeof(count));
	}
	*err = s->err;
	s->state = SCRIBE_IDLE;
	return true;
}
