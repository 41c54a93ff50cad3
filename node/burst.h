/*
 * burst.h - what one wake-up takes in: events, and the bytes they borrow
 *
 * Sockets and taps fill the same area, one after the other: what was read has
 * been handed to core before anything is read again.
 *
 *	Memory		one mapping for the process, of which the kernel gives the
 *			pages that are filled; burst_tidy() gives them back
 *	Ownership	events and bytes are good until the next udp_receive() or
 *			tap_read() of any socket or tap
 */
#ifndef NODE_BURST_H
#define NODE_BURST_H

#include "core/base/door.h"

enum { BURST_EVENTS = 2048, BURST_BYTES = 1 << 20 };

struct burst {
	uint8_t bytes[BURST_BYTES];
	struct event event[BURST_EVENTS];
};

struct burst *burst_area(void);

/** burst_tidy() - What a burst filled goes back to the kernel; nothing that was read may still be in use */
void burst_tidy(void);

#endif /* NODE_BURST_H */
