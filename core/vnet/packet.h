/*
 * packet.h - a frame taken apart without trusting it, and frames put together
 *
 * packet_read() looks at every length, checksum and option once, and says why
 * a frame is refused; whoever gets a struct packet may believe its lengths. It
 * does not know the network: whether a source may say what it says is decided
 * in edge.c. Fragments of IP pass as they are (only the first one has a
 * transport header); nothing is reassembled here.
 *
 * Layouts: Ethernet II; ARP RFC 826; IPv4 RFC 791; IPv6 RFC 8200; UDP RFC 768;
 * TCP RFC 9293; ICMP RFC 792 and 4443. Checksums: RFC 1071, 1624.
 *
 *	Memory		everything borrowed from the frame, the packet by value
 *	Time, chance	none
 */
#ifndef VNET_PACKET_H
#define VNET_PACKET_H

#include "core/base/bytes.h"
#include "core/base/door.h"
#include "core/base/ip.h"

enum {
	MAC_BYTES	= 6,
	ETH_HEADER	= 14,
	FRAME_MAX	= 9216 + ETH_HEADER,	/* of one packet; a batch with offload.segment may be larger */

	TYPE_IP4	= 0x0800,
	TYPE_ARP	= 0x0806,
	TYPE_VLAN	= 0x8100,
	TYPE_QINQ	= 0x88a8,
	TYPE_IP6	= 0x86dd,
	TYPE_BEACON	= 0x88b5,	/* IEEE local experimental 1; lan.c */

	PROTO_ICMP	= 1,
	PROTO_IGMP	= 2,
	PROTO_TCP	= 6,
	PROTO_UDP	= 17,
	PROTO_ICMP6	= 58,

	IP4_HEADER	= 20,
	IP6_HEADER	= 40,
	UDP_HEADER	= 8,
	TCP_HEADER	= 20,
	ICMP_HEADER	= 8,
	ARP_BODY	= 28,
};

extern const uint8_t mac_broadcast[MAC_BYTES];

/** struct packet - one frame, its lengths checked */
struct packet {
	struct bytes frame;		/* from the Ethernet header on; len 0: came without one (packet_read_ip) */
	struct bytes l3;		/* from the IP header (or ARP body) on, without Ethernet's padding */
	struct bytes l4;		/* transport header and what follows; len 0: a later fragment */
	struct bytes data;		/* behind the UDP, TCP or ICMP (8 bytes) header */
	struct offload offload;		/* as it came, but checksum_start counts from the IP header */
	const uint8_t *mac_to, *mac_from;	/* in frame; NULL without one */
	struct ip src, dst;		/* ARP: sender's and target's protocol address */
	uint16_t type;			/* ethertype */
	uint16_t sport, dport;		/* UDP, TCP */
	uint16_t fragment;		/* offset in bytes */
	uint16_t header;		/* bytes of l3 before l4: IP header, options, extension headers */
	uint8_t family;			/* 4, 6; 0: not IP */
	uint8_t proto;			/* of l4 */
	uint8_t ttl;			/* or hop limit */
	uint8_t icmp_type, icmp_code;	/* ICMP, ICMPv6 */
	bool df, more;			/* IPv4 don't fragment; more fragments follow */
	bool alert;			/* router alert option or extension header (IGMP, MLD) */
	bool group;			/* IP destination is multicast, or 255.255.255.255 */

	uint16_t arp_op;		/* TYPE_ARP: 1 request, 2 reply, with ... */
	const uint8_t *arp_sha, *arp_tha; /* ... hardware addresses of sender and target */
};

/**
 * packet_read() - Take the Ethernet frame @frame apart
 * @o: what the kernel left undone in it, may be NULL; checksum_start counts from the Ethernet header. A partial checksum
 *	is not checked, but must be one of TCP or UDP
 *
 * Return: DROP_NONE, or why it is refused (not counted here):
 *	DROP_SHORT	ends inside a header
 *	DROP_TOO_BIG	larger than FRAME_MAX and no batch of segments
 *	DROP_VLAN	carries a VLAN tag
 *	DROP_ETHERTYPE	neither IP nor ARP nor a beacon (layer 2 networks carry it; type, macs and l3 are filled in)
 *	DROP_LENGTH	a header tells more or less than there is
 *	DROP_CHECKSUM	IPv4 header, UDP, TCP, ICMP, ICMPv6, IGMP
 *	DROP_OPTION	a malformed IP option or extension header, or source routing
 *	DROP_FRAGMENT	a fragment that cannot be part of a packet (RFC 1858, 5722)
 *	DROP_VALUE	version, hardware type, a multicast or broadcast source, ...
 */
enum drop packet_read(struct packet *p, struct bytes frame, const struct offload *o);

/** packet_read_ip() - The same for an IP packet without an Ethernet header (from a tunnel); @o counts from it */
enum drop packet_read_ip(struct packet *p, struct bytes ip, const struct offload *o);

static inline bool mac_eq(const uint8_t *a, const uint8_t *b)
{
	return !memcmp(a, b, MAC_BYTES);
}

/** mac_group() - multicast or broadcast? */
static inline bool mac_group(const uint8_t *mac)
{
	return mac[0] & 1;
}

bool ip_multicast(const struct ip *a);			/* 224/4, ff00::/8 */
bool ip_link_local(const struct ip *a);			/* 169.254/16, fe80::/10 */
bool ip_unspecified(const struct ip *a);		/* 0.0.0.0, :: */
bool ip_broadcast(const struct ip *a, const struct ip_range *r);	/* 255.255.255.255, or @r's last address (IPv4) */

/** ip_link() - fe80::/64 with the modified EUI-64 of @mac (RFC 4291, appendix A) */
struct ip ip_link(const uint8_t mac[MAC_BYTES]);

/** ip_solicited() - the solicited-node group of @a: ff02::1:ffXX:XXXX */
struct ip ip_solicited(const struct ip *a);

/** mac_of_group() - the Ethernet group an IP multicast (or broadcast) address maps to */
void mac_of_group(uint8_t mac[MAC_BYTES], const struct ip *group);

/** ip_of_bytes() - @at: 4 or 16 bytes */
static inline struct ip ip_of_bytes(unsigned family, const uint8_t *at)
{
	struct ip a = { .family = (uint8_t)family };

	memcpy(a.at, at, family == 4 ? 4 : 16);
	return a;
}

/* ---- checksums: one's complement sums of 16-bit words (RFC 1071) ---- */

uint32_t sum_add(uint32_t sum, const void *data, size_t len);	/* @len odd: last piece only */
uint32_t sum_pseudo(const struct ip *src, const struct ip *dst, uint8_t proto, size_t len);
uint16_t sum_done(uint32_t sum);			/* folded and complemented, host order */

/** sum_fill() - What offload.partial left undone in the packet of @len bytes at @at; the field @o names is inside it */
void sum_fill(uint8_t *at, size_t len, const struct offload *o);

/** sum_update() - The checksum field @field after a word went from @was to @is (RFC 1624, eqn. 3); host order */
uint16_t sum_update(uint16_t field, uint16_t was, uint16_t is);

/* ---- building, through a writer; a bad writer stays bad and is the only error ---- */

void build_eth(struct writer *w, const uint8_t to[MAC_BYTES], const uint8_t from[MAC_BYTES], uint16_t type);

/** build_arp() - a whole ARP frame (RFC 826) for IPv4 over Ethernet; @eth: whom to send it to */
void build_arp(struct writer *w, const uint8_t eth[MAC_BYTES], uint16_t op, const uint8_t sha[MAC_BYTES],
	       const struct ip *spa, const uint8_t tha[MAC_BYTES], const struct ip *tpa);

/** struct build - an IP packet under way: from build_ip() and its likes to build_done() */
struct build {
	struct ip src, dst;
	uint8_t *ip, *l4;		/* NULL after a failed write */
	uint8_t proto;
};

/** build_ip() - An IPv4 or IPv6 header (by @src's family); what follows is the payload */
struct build build_ip(struct writer *w, const struct ip *src, const struct ip *dst, uint8_t proto, uint8_t ttl);

/** build_udp() - The same and a UDP header; ttl 64 */
struct build build_udp(struct writer *w, const struct ip *src, const struct ip *dst, uint16_t sport, uint16_t dport);

/** build_icmp() - The same and an ICMP or ICMPv6 header with @rest, its second word */
struct build build_icmp(struct writer *w, const struct ip *src, const struct ip *dst, uint8_t ttl, uint8_t type,
			uint8_t code, uint32_t rest);

/** build_done() - All is written: lengths and checksums of IP, UDP, ICMP, ICMPv6, IGMP are filled in */
void build_done(struct writer *w, const struct build *b);

#endif /* VNET_PACKET_H */
