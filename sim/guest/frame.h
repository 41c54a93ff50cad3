/*
 * frame.h - Ethernet frames as guests read and write them
 *
 * On purpose a second implementation beside core/vnet's: what one side writes
 * wrong the other notices. Everything that carries a checksum is checked
 * (RFC 1071): IPv4 header, ICMP, ICMPv6, UDP, TCP.
 *
 *	Memory		the caller's; struct seen points into the frame
 *	Bad input	a fault, never a read past the end
 */
#ifndef GUEST_FRAME_H
#define GUEST_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/ip.h"

enum {
	MAC_LEN		= 6,
	ETH_BYTES	= 14,
	ETH_IP4		= 0x0800,
	ETH_ARP		= 0x0806,
	ETH_IP6		= 0x86dd,
	PROTO_ICMP	= 1,
	PROTO_TCP	= 6,
	PROTO_UDP	= 17,
	PROTO_ICMP6	= 58,
	ARP_REQUEST	= 1,
	ARP_REPLY	= 2,
	TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16,
	UDP_HEADER	= 8,
	TCP_HEADER	= 20,
};

enum frame_fault {
	FRAME_GOOD,
	FRAME_SHORT,			/* ends before a header or a length it claims */
	FRAME_FORM,			/* a field that cannot be */
	FRAME_CHECKSUM,
	FRAME_FRAGMENT,			/* of an IP packet: guests here send and take whole ones */
	FRAME_UNKNOWN,			/* an ethertype or protocol we do not speak */
};

/** struct seen - what a frame says; members of what it does not carry are 0 */
struct seen {
	const uint8_t *dst, *src;	/* MACs */
	uint16_t type;
	/* ARP */
	uint16_t arp_op;
	const uint8_t *arp_mac;		/* the sender's */
	/* ARP: sender and target; IP: source and destination */
	struct ip from, to;
	/* IP */
	uint8_t proto, ttl;
	const uint8_t *l4;		/* header and payload of what IP carries */
	uint16_t l4_len;
	/* UDP, TCP */
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint16_t window, mss;		/* mss 0: no such option */
	uint8_t flags;
	const uint8_t *data;
	uint16_t len;
};

/** frame_read() - What is in the @len bytes at @at */
enum frame_fault frame_read(const uint8_t *at, size_t len, struct seen *out);

/** frame_l4() - Where the IP payload of a frame of @family at @out goes; fill it, then frame_ip() */
static inline uint8_t *frame_l4(uint8_t *out, unsigned family)
{
	return out + ETH_BYTES + (family == 6 ? 40 : 20);
}

/** frame_ip() - Headers before, and the checksum inside, @len bytes of @proto at frame_l4(). Return: the frame's length */
size_t frame_ip(uint8_t *out, const uint8_t *src, const uint8_t *dst, const struct ip *from, const struct ip *to,
		unsigned proto, unsigned ttl, size_t len);

/** frame_arp() - Return: its length */
size_t frame_arp(uint8_t *out, const uint8_t *src, const uint8_t *dst, unsigned op, const struct ip *from,
		 const uint8_t *target, const struct ip *to);

/** frame_sum() - RFC 1071 over @len bytes onto @sum, not folded; frame_fold() ends it */
uint32_t frame_sum(uint32_t sum, const uint8_t *at, size_t len);
uint16_t frame_fold(uint32_t sum);

/** frame_group() - the MAC that multicast @to (or broadcast, IPv4) goes to */
void frame_group(const struct ip *to, uint8_t mac[MAC_LEN]);

static inline void put16(uint8_t *at, unsigned v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static inline void put32(uint8_t *at, uint32_t v)
{
	put16(at, v >> 16);
	put16(at + 2, v & 0xffff);
}

static inline uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

#endif /* GUEST_FRAME_H */
