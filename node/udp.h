/*
 * udp.h - the underlay: one UDP socket for IPv4, one for IPv6
 *
 * Datagrams go in and out by the batch (recvmmsg, sendmmsg; those of one size for
 * one place together, UDP_SEGMENT and UDP_GRO, where the kernel can), always with
 * DF set and never held to the kernel's idea of the path MTU: finding that out is
 * core's. What routers answer (too big, unreachable) comes from the error queue
 * as path errors, and so does what the kernel refuses to send. ICMP is not
 * authentic: core only looks closer for it.
 *
 *	Memory		what is received lies in burst.h's area
 *	Left out	leaving by a chosen interface, ECN marks
 */
#ifndef NODE_UDP_H
#define NODE_UDP_H

#include <netinet/in.h>

#include "core/base/door.h"
#include "node/prog/fail.h"

enum {
	UDP_BATCH	= 16,		/* messages of one system call */
	UDP_BUFFER	= 2048,		/* the longest datagram */
	UDP_ERRORS	= 16,
	UDP_ROOM	= 4 << 20,	/* bytes the kernel may hold for us */
};

struct udp_socket {
	int fd;				/* -1: this family is off */
	struct endpoint at;		/* what it is bound to */
};

/** struct udp_error - somebody says that @to cannot be reached, or not with packets above @mtu */
struct udp_error {
	struct endpoint to;
	uint16_t mtu;			/* IP packet; 0 = not about size */
	bool unreachable;
};

struct udp {
	struct udp_socket four, six;
	bool segments;			/* the kernel cuts (UDP_SEGMENT) and joins (UDP_GRO); else we do */
	uint64_t in, in_bytes, out, out_bytes;	/* datagrams, UDP payload */
	uint64_t refused;		/* datagrams the kernel did not take */
	uint64_t oversized;		/* longer than UDP_BUFFER, dropped */
	struct udp_error error[UDP_ERRORS];
	unsigned errors;		/* waiting for udp_error_take() */
};

void udp_init(struct udp *u);
void udp_close(struct udp *u);

/**
 * udp_bind() - Open the socket of @at's family and bind it
 * @again: with port 0 in @at, try this port first; 0 = none
 *
 * Return: 0, or negative errno; EAFNOSUPPORT where the kernel lacks the family
 */
int udp_bind(struct udp *u, const struct endpoint *at, uint16_t again);

/** udp_receive() - Up to BURST_EVENTS datagrams of @s as events; 0: there are no more now, and errors were collected */
unsigned udp_receive(struct udp *u, struct udp_socket *s, struct event **evs);

/** udp_send() - All of @d, in order; what the kernel refuses is counted, and an error if it is about the path */
void udp_send(struct udp *u, const struct datagram *d, unsigned count);

/** udp_error_take() - The oldest waiting error as an EVENT_PATH_ERROR; false if there is none */
bool udp_error_take(struct udp *u, struct event *ev);

#endif /* NODE_UDP_H */
