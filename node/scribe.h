/*
 * scribe.h - the one who writes a file for us, so that nobody waits for the disk
 *
 * One piece of bytes at a time is put at the end of the file, or takes the place
 * of all of it; a piece is done when it is durable, whole, and not before. With
 * a thread the caller goes on meanwhile and scribe.done becomes readable;
 * without one, scribe_give() returns when it is done.
 *
 *	Replacing	as in keep.h: a temporary beside it, fsync, rename
 *	Appending	one write, one fdatasync; what a full disk took of it is cut
 *			off again
 *	Failing		is said RETRY_MS late under a thread, so that who tries again
 *			at once does not do so all day
 *	Memory		the path; a thread with a small stack
 *	Ownership	a piece is borrowed until it is done
 */
#ifndef NODE_SCRIBE_H
#define NODE_SCRIBE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum scribe_state { SCRIBE_IDLE, SCRIBE_BUSY, SCRIBE_DONE };

struct scribe {
	char *path;
	int fd;				/* -1: there is nothing yet that could be appended to */
	uint64_t size;			/* of what is durable in fd */
	/* the piece */
	const uint8_t *data;
	size_t len;
	bool replace;
	int err;			/* how it went: 0 or errno */
	_Atomic int state;		/* enum scribe_state */
	/* the thread */
	bool threaded;
	_Atomic bool hurry, end;	/* failures are said at once; the thread is to end */
	pthread_t thread;
	int work, done;			/* eventfds; done is readable when a piece is done */
};

/** scribe_open() - For the file @path; nothing is opened or changed yet */
void scribe_open(struct scribe *s, const char *path);

/** scribe_start() - From now on a thread does it; 0 or negative errno */
int scribe_start(struct scribe *s);

/** scribe_hurry() - From now on failures are said at once */
void scribe_hurry(struct scribe *s);

/** scribe_close() - The piece under way is tried to its end; fine if never open */
void scribe_close(struct scribe *s);

/** scribe_give() - Append @data, or with @replace let it be the whole file; only while idle, appending only if fd >= 0 */
void scribe_give(struct scribe *s, const uint8_t *data, size_t len, bool replace);

/**
 * scribe_take() - Is the piece done?
 * @wait: until it is
 * @err: 0, or the errno it failed with; nothing of it is in the file then
 *
 * Return: true once for each piece
 */
bool scribe_take(struct scribe *s, bool wait, int *err);

static inline bool scribe_idle(const struct scribe *s) { return s->state == SCRIBE_IDLE; }

#endif /* NODE_SCRIBE_H */
