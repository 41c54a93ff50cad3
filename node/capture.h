/*
 * capture.h - packets into a pipe, in the file format of libpcap
 *
 * What crosses a tap, or the datagrams of the underlay (with IP and UDP headers
 * made up around them), goes to a reader on the other end of a pipe, who keeps
 * it; weftctl passes the pipe with its order. The reader may be slow: what the
 * pipe does not take waits in one buffer, and what finds no room there is left
 * out and counted. Nothing here ever blocks.
 *
 *	Memory		CAPTURE_ROOM bytes while a capture runs, else none
 *	Time		wall time in nanoseconds, as such files want it
 */
#ifndef NODE_CAPTURE_H
#define NODE_CAPTURE_H

#include "core/base/door.h"

enum { CAPTURE_ROOM = 256 << 10 };

struct capture {
	int fd;				/* -1: none runs */
	bool overlay;			/* datagrams; else frames of the tap @iface */
	uint16_t iface;
	bool ended;			/* the reader is gone */
	uint8_t *buf;			/* what waits for the pipe */
	size_t len;
	uint64_t packets, left_out;
};

/** capture_start() - Capture into @fd, which becomes ours; false if there is no memory */
bool capture_start(struct capture *c, int fd, bool overlay, uint16_t iface);
void capture_stop(struct capture *c);	/* after what the pipe takes at once; fine if none runs */

static inline bool capture_runs(const struct capture *c)
{
	return c->fd >= 0;
}

/** capture_frame() - A frame crossed the tap @iface */
void capture_frame(struct capture *c, uint16_t iface, const uint8_t *frame, size_t len, int64_t utc_ns);

/** capture_datagram() - A datagram came or went */
void capture_datagram(struct capture *c, const struct endpoint *from, const struct endpoint *to, const uint8_t *data,
		      size_t len, int64_t utc_ns);

/** capture_flush() - Give the pipe what it takes; true: something still waits */
bool capture_flush(struct capture *c);

#endif /* NODE_CAPTURE_H */
