/*
 * fail.h - what went wrong, in words for the person at the terminal
 *
 * A list of messages that a parser or opener fills and a program prints. One
 * problem is one message; it says what was tried, on what, and the reason, and
 * in a second line, when there is one, what to do about it. Only programs
 * print and exit; everything below them hands its struct fail up.
 *
 *	Memory		GLib's; fail_done() frees, fail_init() and { 0 } start empty
 *	Bound		FAIL_MAX messages are kept, the others are counted
 */
#ifndef PROG_FAIL_H
#define PROG_FAIL_H

#include <stdbool.h>

enum { FAIL_MAX = 10 };

/* How every program of this project ends. */
enum {
	EXIT_HELD   = 0,		/* done, and every expectation held */
	EXIT_BROKE  = 1,		/* done, but a check or an expectation failed */
	EXIT_UNABLE = 2,		/* could not run: bad input, misuse, the machine */
};

/** struct fail - messages, first first; all zeroes is "nothing went wrong" */
struct fail {
	char *text[FAIL_MAX];
	unsigned count;
	unsigned more;			/* not kept */
};

void fail_init(struct fail *f);
void fail_done(struct fail *f);

static inline bool failed(const struct fail *f)
{
	return f->count != 0;
}

/** fail_add() - One more message, as printf; no newline at its end. @f may be NULL */
void fail_add(struct fail *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** fail_hint() - Add a line to the message added last: what to do about it */
void fail_hint(struct fail *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** fail_move() - Append the messages of @from to @f and empty it */
void fail_move(struct fail *f, struct fail *from);

/**
 * fail_errno() - "cannot @verb @what: reason", with a hint where the reason has one
 * @err: positive or negative errno
 *
 * For instance fail_errno(f, "write", "out/summary.json", ENOSPC).
 */
void fail_errno(struct fail *f, const char *verb, const char *what, int err);

/** fail_name() - The program's name for fail_print() and say(); kept by reference */
void fail_name(const char *prog);
const char *fail_prog(void);

/** fail_print() - All messages to standard error, each as "weft-sim: message" */
void fail_print(const struct fail *f);

/** fail_exit() - fail_print() and exit with EXIT_UNABLE; for main */
_Noreturn void fail_exit(struct fail *f);

/** say() - One line "weft-sim: ..." to standard error, over a progress bar if there is one */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* PROG_FAIL_H */
