/*
 * tap.h - an Ethernet interface whose other end is this process
 *
 * Opened through /dev/net/tun; frames the kernel sends come out of tap_read(),
 * frames given to tap_write() reach it. Where the kernel can, large ones cross
 * that are many segments (virtio.h, train.h). A tap that exists, made for our user
 * (`ip tuntap add weft0 mode tap user NAME`), is used without privileges and
 * stays when we close it; one that does not is made, which needs CAP_NET_ADMIN,
 * and is gone with us however we end.
 *
 *	Memory		what is read lies in burst.h's area
 *	Left out	several queues
 */
#ifndef NODE_TAP_H
#define NODE_TAP_H

#include <net/if.h>

#include "core/base/door.h"
#include "node/prog/fail.h"

enum {
	TAP_BATCH	= 64,		/* frames of one tap_read() at most ... */
	TAP_BYTES	= 128 << 10,	/* ... and no more once they have so many bytes */
	TAP_FRAME	= 9216,		/* bytes of the longest frame: an MTU of 9000, VLAN tags */
};

struct tap {
	int fd;				/* -1: closed */
	char name[IFNAMSIZ];		/* as the kernel chose it */
	uint16_t iface;			/* what the host calls it: event.iface, frame.iface */
	bool persistent;		/* it was there before us, and stays */
	bool gone;			/* somebody deleted the interface under us */
	bool virtio;			/* each frame has a header; sums may be partial, in both directions ... */
	bool tcp, udp;			/* ... and batches of TCP and UDP segments may cross */
	uint64_t in, in_bytes, out, out_bytes;	/* frames from the kernel, to the kernel; a batch is one */
	uint64_t refused;		/* frames the kernel did not take */
	uint64_t oversized;		/* longer than TAP_FRAME, dropped */
};

/**
 * tap_open() - Open the tap called @name; "weft%d" takes the first free number
 *
 * Return: false with a message that says what would be accepted
 */
bool tap_open(struct tap *t, const char *name, uint16_t iface, struct fail *f);
void tap_close(struct tap *t);		/* fine if not open */

/** tap_takes() - What may cross it, in words */
const char *tap_takes(const struct tap *t);

/** tap_read() - Up to TAP_BATCH frames as EVENT_FRAME; 0: there are no more now */
unsigned tap_read(struct tap *t, struct event **evs);

/** tap_write() - Those of @f that are for @t, segments of a flow together; what the kernel refuses is counted */
void tap_write(struct tap *t, const struct frame *f, unsigned count);

#endif /* NODE_TAP_H */
