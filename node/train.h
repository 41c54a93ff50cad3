/*
 * train.h - consecutive segments of a flow, given to a tap as one frame
 *
 * A write to a tap takes the kernel longer than its bytes do, and it takes many
 * segments of one TCP connection, or many UDP packets of one size, as one. Frames
 * that core wants written are put in here one by one; those that a kernel could
 * have cut from one larger frame leave as that frame. Nothing is held beyond the
 * step that brought it: the caller empties the yard at its end.
 *
 *	Order		of one flow is kept: what does not fit a train of its flow
 *			sends that off first. What has no ports (ARP, ICMP, fragments) is one
 *			flow: of two who say where an address is, the second one is believed
 *	Work		a frame is compared with TRAINS others at most
 *	Memory		the caller's; frames are borrowed until their train was written
 */
#ifndef NODE_TRAIN_H
#define NODE_TRAIN_H

#include <sys/uio.h>

#include "core/base/door.h"

enum {
	TRAINS		= 4,
	TRAIN_CARS	= 64,		/* segments of one, as many as Linux's UDP takes */
	TRAIN_HEAD	= 14 + 40 + 60,	/* Ethernet, IP without options, TCP with all it may have */
	TRAIN_BYTES	= 65535,	/* of the IP packet */
	TRAIN_IOV	= TRAIN_CARS + 1,
};

/** struct train - one or more frames */
struct train {
	unsigned cars;
	uint32_t seq;			/* TCP: of what comes next */
	size_t data;			/* bytes of all cars behind their headers */
	uint16_t segment;		/* of each but the last */
	uint16_t l4, headers;		/* where TCP or UDP begins, and what it carries; 0: nothing can join */
	uint8_t family, proto;		/* 0: neither TCP nor UDP, or a fragment */
	bool whole;			/* nothing may follow: PSH, or a short one */
	const struct frame *car[TRAIN_CARS];
};

struct yard {
	struct train train[TRAINS];
	unsigned trains, next;		/* in it; which one makes room next */
	bool tcp, udp;			/* what the tap takes in segments */
};

/** yard_put() - @f comes in; true: @out had to leave for it, and is written before anything else comes in */
bool yard_put(struct yard *y, const struct frame *f, struct train *out);

/** yard_rest() - One that is left, in no order; false: the yard is empty */
bool yard_rest(struct yard *y, struct train *out);

/**
 * train_frame() - @t as one frame
 * @head: room for its headers; @o: what is left undone in it
 *
 * Return: entries of @iov in use
 */
unsigned train_frame(const struct train *t, uint8_t head[TRAIN_HEAD], struct offload *o, struct iovec iov[TRAIN_IOV]);

#endif /* NODE_TRAIN_H */
