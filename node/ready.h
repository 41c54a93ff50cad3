/*
 * ready.h - telling whoever started us how far we are
 *
 * sd_notify(3)'s protocol: one datagram of text to the Unix socket that
 * NOTIFY_SOCKET names. Without that variable nothing happens.
 */
#ifndef NODE_READY_H
#define NODE_READY_H

/** ready_tell() - @text, lines as sd_notify(3) has them: "READY=1\nSTATUS=..." */
void ready_tell(const char *text);

/** ready_reloading() - Reading the configuration again; ready_tell("READY=1") ends it */
void ready_reloading(void);

#endif /* NODE_READY_H */
