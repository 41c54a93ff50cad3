/*
 * packet.h - what travels between interfaces: one IP packet
 *
 * A view, not a container: the payload stays where it is. The simulator makes
 * one of a node's datagram, the fabric of emu one of what it read from a tun.
 *
 *	Memory		by value, 72 bytes; payload is borrowed for the call
 */
#ifndef SIM_NET_PACKET_H
#define SIM_NET_PACKET_H

#include <stdint.h>

#include "core/base/endpoint.h"

enum {
	IP_UDP		= 17,
	IP_V4_BYTES	= 20,		/* headers, without options */
	IP_V6_BYTES	= 40,
	IP_UDP_BYTES	= 8,
	IP_BYTES_MAX	= 65535,	/* ip_len; no jumbograms */
};

/** struct packet - source and destination are of one family; ports are 0 where there are none */
struct packet {
	struct endpoint source, destination;
	const uint8_t *payload;		/* what follows the transport header */
	uint32_t len;			/* of payload */
	uint32_t ip_len;		/* with all headers: what links carry and queues count */
	uint8_t  protocol;		/* as in the IP header */
	uint8_t  ttl;
	uint8_t  ecn;			/* the two bits */
	uint8_t  df;			/* may not be fragmented; IPv6 never is */
};

/** packet_udp() - A UDP packet of @len bytes @payload */
static inline struct packet packet_udp(struct endpoint from, struct endpoint to,
				       const void *payload, uint32_t len)
{
	return (struct packet){
		.source = from, .destination = to, .payload = payload, .len = len,
		.ip_len = len + IP_UDP_BYTES +
			  (to.kind == ENDPOINT_UDP6 ? IP_V6_BYTES : IP_V4_BYTES),
		.protocol = IP_UDP, .ttl = 64,
	};
}

#endif /* SIM_NET_PACKET_H */
