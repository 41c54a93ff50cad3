/*
 * ready.h - telling whoever started us how far we are
 *
 * A service manager by sd_notify(3)'s protocol: one datagram of text to the Unix
 * socket that NOTIFY_SOCKET names. Without that variable nothing happens. A shell
 * by the exit code of the process it started, which ends when we are ready
 * (daemon(7), as SysV services do it).
 */
#ifndef NODE_READY_H
#define NODE_READY_H

#include <stdbool.h>

#include "node/prog/fail.h"

/**
 * ready_detach() - Comes back in a child only; false and @f if there can be none
 *
 * The process that called ends with 0 once the child tells READY=1, or with the
 * child's own exit code if it ends before. Until then the child has the terminal:
 * its errors are read there, and Ctrl-C ends both. From then on it has a session
 * of its own, its diary is the system's log, and its directory stays where it
 * was, for the sake of paths that SIGHUP reads again.
 */
bool ready_detach(struct fail *f);

/** ready_tell() - @text, lines as sd_notify(3) has them: "READY=1\nSTATUS=..." */
void ready_tell(const char *text);

/** ready_reloading() - Reading the configuration again; ready_tell("READY=1") ends it */
void ready_reloading(void);

#endif /* NODE_READY_H */
