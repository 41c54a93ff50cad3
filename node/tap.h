/*
 * tap.h - an Ethernet interface whose other end is this process
 *
 * Opened through /dev/net/tun; frames the kernel sends come out of tap_read(),
 * frames given to tap_write() reach it. A tap that exists, made for our user
 * (`ip tuntap add weft0 mode tap user NAME`), is used without privileges and
 * stays when we close it; one that does not is made, which needs CAP_NET_ADMIN,
 * and is gone with us however we end.
 *
 *	Memory		frames of one tap_read() lie in one buffer all taps share
 *	Ownership	what was read is good until the next tap_read() of any tap
 *	Left out	the virtio-net header (offloads), several queues
 */
#ifndef NODE_TAP_H
#define NODE_TAP_H

#include <net/if.h>

#include "core/base/door.h"
#include "node/prog/fail.h"

enum {
	TAP_BATCH	= 32,		/* frames of one tap_read() at most */
	TAP_FRAME	= 9216,		/* bytes of the longest frame: an MTU of 9000, VLAN tags */
};

struct tap {
	int fd;				/* -1: closed */
	char name[IFNAMSIZ];		/* as the kernel chose it */
	uint16_t iface;			/* what the host calls it: event.iface, frame.iface */
	bool persistent;		/* it was there before us, and stays */
	bool gone;			/* somebody deleted the interface under us */
	uint64_t in, in_bytes, out, out_bytes;	/* frames from the kernel, to the kernel */
	uint64_t refused;		/* frames the kernel did not take, or only with offloads */
	uint64_t oversized;		/* longer than TAP_FRAME, dropped */
};

/**
 * tap_open() - Open the tap called @name; "weft%d" takes the first free number
 *
 * Return: false with a message that says what would be accepted
 */
bool tap_open(struct tap *t, const char *name, uint16_t iface, struct fail *f);
void tap_close(struct tap *t);		/* fine if not open */

/** tap_read() - Up to TAP_BATCH frames as EVENT_FRAME; 0: there are no more now */
unsigned tap_read(struct tap *t, struct event *evs);

/** tap_write() - One frame; a partial checksum is filled in, what the kernel refuses is counted */
void tap_write(struct tap *t, const struct frame *f);

#endif /* NODE_TAP_H */
