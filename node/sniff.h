/*
 * sniff.h - packets into a pipe, in the file format of libpcap
 *
 * What crosses a tap, or the datagrams of the underlay (with IP and UDP headers
 * made up around them), goes to a reader on the other end of a pipe, who keeps
 * it; weftctl passes the pipe with its order. The reader may be slow: what the
 * pipe does not take waits in one buffer, and what finds no room there is left
 * out and counted. Nothing here ever blocks.
 *
 *	Memory		SNIFF_ROOM bytes while a capture runs, else none
 *	Time		wall time in nanoseconds, as such files want it
 */
#ifndef NODE_SNIFF_H
#define NODE_SNIFF_H

#include "core/base/door.h"

enum { SNIFF_ROOM = 256 << 10 };

struct sniff {
	int fd;				/* -1: none runs */
	bool overlay;			/* datagrams; else frames of the tap @iface */
	uint16_t iface;
	bool ended;			/* the reader is gone */
	uint8_t *buf;			/* what waits for the pipe */
	size_t len;
	uint64_t packets, left_out;
};

/** sniff_start() - Capture into @fd, which becomes ours; false if there is no memory */
bool sniff_start(struct sniff *c, int fd, bool overlay, uint16_t iface);
void sniff_stop(struct sniff *c);	/* after what the pipe takes at once; fine if none runs */

static inline bool sniff_runs(const struct sniff *c)
{
	return c->fd >= 0;
}

/** sniff_frame() - A frame crossed the tap @iface */
void sniff_frame(struct sniff *c, uint16_t iface, const uint8_t *frame, size_t len, int64_t utc_ns);

/** sniff_datagram() - A datagram came or went */
void sniff_datagram(struct sniff *c, const struct endpoint *from, const struct endpoint *to, const uint8_t *data,
		      size_t len, int64_t utc_ns);

/** sniff_flush() - Give the pipe what it takes; true: something still waits */
bool sniff_flush(struct sniff *c);

#endif /* NODE_SNIFF_H */
