/*
 * guest.h - a machine behind a tap: a small honest host
 *
 * What people plug into a virtual network: Ethernet, ARP (RFC 826, 5227), IPv4,
 * ICMP echo, IPv6 with neighbour discovery and SLAAC (RFC 4861, 4862), UDP, a
 * DHCP client with all its states (RFC 2131), a DNS client (RFC 1035), and flows:
 * UDP, and a TCP that opens, transfers in a window, retransmits and closes
 * (RFC 9293, go-back-N, no options but MSS). Every byte that arrives in a flow
 * is checked against the pattern it must be.
 *
 * The door is like core's: what happened and when goes in, frames and news come
 * out, the return value is the alarm clock. What a guest talks about it is
 * ordered to (struct guest_order); the scenario's workload decides.
 *
 *	Memory		guest_bytes() each, at most 1 KiB, the caller's; nothing else
 *	Time		the caller's ns; any clock that does not go back
 *	Chance		seeded at guest_init()
 *	Bad input	counted (GUEST_COUNT_LIST); never followed past its end
 */
#ifndef GUEST_GUEST_H
#define GUEST_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/ip.h"

struct guest;

/* What guests count; names for reports. */
#define GUEST_COUNT_LIST(X)									\
	X(IN,		"in",		"frames that came to guests")				\
	X(OUT,		"out",		"frames guests sent")					\
	X(SHORT,	"short",	"frames to guests that ended early")			\
	X(FORM,		"form",		"frames to guests with a field that cannot be")		\
	X(CHECKSUM,	"checksum",	"frames to guests with a wrong checksum")		\
	X(FRAGMENT,	"fragment",	"fragments to guests, which take none")			\
	X(UNKNOWN,	"unknown",	"frames to guests of unknown type or protocol")		\
	X(STRANGER,	"stranger",	"frames to guests for another address or port")		\
	X(NO_ROOM,	"no_room",	"what a guest could not do because its tables were full") \
	X(WRONG_DATA,	"wrong_data",	"bytes of flows that were not what was sent")		\
	X(CONFLICT,	"conflict",	"ARP or ND from another machine about a guest's own address") \
	X(UNRESOLVED,	"unresolved",	"neighbours that did not answer")			\
	X(ECHOED,	"echoed",	"pings guests answered")				\
	X(UNREACHABLE,	"unreachable",	"ICMP unreachable that came to guests")			\
	X(TOO_BIG,	"too_big",	"ICMP packet too big that came to guests")		\
	X(UDP_SENT,	"udp_sent",	"datagrams of UDP flows sent")				\
	X(UDP_GOT,	"udp_got",	"datagrams of UDP flows that arrived")			\
	X(FLOW_BYTES,	"flow_bytes",	"bytes of flows that arrived, in order, and were right") \
	X(RESENT,	"resent",	"segments sent again")					\
	X(DISCOVERS,	"discovers",	"DHCPDISCOVERs sent")					\
	X(REQUESTS,	"requests",	"DHCPREQUESTs sent")					\
	X(NAKS,		"naks",		"DHCPNAKs that came")					\
	X(DECLINES,	"declines",	"DHCPDECLINEs sent")

enum guest_count {
#define X(id, name, text) GUEST_##id,
	GUEST_COUNT_LIST(X)
#undef X
	GUEST_COUNTS
};

enum guest_addressing { GUEST_DHCP, GUEST_STATIC };

/** struct guest_config - shared by many guests; zeroes are RFC defaults without chance */
struct guest_config {
	uint16_t mtu;			/* of the interface; DHCP option 26 and RAs may lower it. 0: 1500 */
	bool ipv6;			/* also speaks it */
	bool probe;			/* RFC 5227: probes an address before it uses it */
	int64_t desync_ns;		/* waits up to this before the first DISCOVER (RFC 2131 4.4.1: 1 to 10 s) */
	int64_t ping_ns;		/* without an answer a ping is lost; 0: 5 s */
	int64_t give_up_ns;		/* a flow without progress has failed; 0: 60 s */
};

enum guest_event_kind {
	GUEST_PLUG,			/* the cable is in, and the machine on */
	GUEST_UNPLUG,			/* the cable is out; the machine keeps its addresses */
	GUEST_FRAME,			/* frame, len */
	GUEST_TIMER,
	GUEST_ORDERED,			/* order */
	GUEST_SHUT,			/* orderly: release the address, say no more */
	GUEST_ARRIVE,			/* it was moved while it ran: nothing is forgotten, its host announces it on the new LAN */
};

enum guest_order_kind {
	ORDER_PING,			/* ip */
	ORDER_RESOLVE,			/* name (family of ip: 4 A, 6 AAAA), or ip alone: its name */
	ORDER_UDP,			/* ip, bytes, size, pace_ns */
	ORDER_TCP,			/* ip, bytes */
	ORDER_SHOUT,			/* size: a UDP broadcast to the subnet */
	ORDER_JOIN,			/* ip: an IPv4 group (IGMPv2 report, RFC 2236) */
	ORDER_BEAT,			/* ip, bytes, pace_ns: datagrams to be heard by, so many bytes altogether */
};

struct guest_order {
	uint8_t kind;
	uint32_t token;			/* comes back in the news */
	struct ip ip;
	uint32_t bytes;
	uint16_t size;
	int64_t pace_ns;
	const char *name;		/* at most 31 bytes are used */
};

struct guest_event {
	uint8_t kind;			/* enum guest_event_kind */
	const uint8_t *frame;
	uint16_t len;
	const struct guest_order *order;
};

enum guest_word {
	NEWS_BOUND,			/* ip by DHCP; took_ns since the first DISCOVER; again: renewed or rebooted */
	NEWS_UNBOUND,			/* ip is not ours any more: NAK, end of lease, conflict */
	NEWS_ADDRESS,			/* ip in use from now: static, SLAAC, or after BOUND and probing */
	NEWS_PONG,			/* took_ns since the order, rtt_ns since it left */
	NEWS_PING_LOST,
	NEWS_NAME,			/* ip or (PTR) name; took_ns; family 0 and no name: it does not exist (code) */
	NEWS_NAME_LOST,
	NEWS_FIRST,			/* the first datagram of a UDP flow arrived here; took_ns since it was ordered */
	NEWS_OPENED,			/* our TCP flow's SYN was answered; took_ns since the order */
	NEWS_FLOW,			/* our flow is done: bytes, took_ns (UDP: sent; TCP: acknowledged) */
	NEWS_FLOW_LOST,			/* our flow failed */
	NEWS_HEARD,			/* a shout: token, from whom (number); took_ns */
	NEWS_BEAT,			/* a beat is heard for the first time: token of its order; took_ns since that */
	NEWS_BACK,			/* a beat is heard for the first time since GUEST_ARRIVE; took_ns since that */
};

struct guest_news {
	uint8_t word;			/* enum guest_word */
	uint8_t order;			/* enum guest_order_kind it belongs to */
	uint8_t code;			/* DNS: rcode */
	bool again;
	uint32_t token, from, bytes;
	struct ip ip;
	int64_t took_ns, rtt_ns;
	char name[32];
};

struct guest_frame { const uint8_t *at; uint16_t len; };

enum { GUEST_FRAMES = 96, GUEST_NEWS = 32, GUEST_ROOM = 160 * 1024, GUEST_NAME = 31 };

/** struct guest_fx - what a step made; emptied by each step, but for the counts, which only grow */
struct guest_fx {
	struct guest_frame frame[GUEST_FRAMES];
	struct guest_news news[GUEST_NEWS];
	unsigned frames, newses;
	size_t used;
	uint64_t count[GUEST_COUNTS];
	uint8_t bytes[GUEST_ROOM];
};

/** struct guest_birth - one guest */
struct guest_birth {
	const struct guest_config *config;	/* borrowed */
	uint32_t number;		/* its name is g<number> */
	uint8_t mac[6];
	uint64_t seed;
	uint8_t addressing;		/* enum guest_addressing */
	struct ip ip, gateway;		/* GUEST_STATIC */
	uint8_t bits;			/* of the subnet */
};

size_t guest_bytes(void);
void guest_init(struct guest *g, const struct guest_birth *b);

/** guest_step() - @ev happened at @now_ns. Return: when GUEST_TIMER is wanted, INT64_MAX for never */
int64_t guest_step(struct guest *g, int64_t now_ns, const struct guest_event *ev, struct guest_fx *fx);

/** struct guest_look - a guest at a glance */
struct guest_look {
	uint8_t mac[6];
	struct ip ip4, ip6, link_local;	/* in use now; family 0: none */
	struct ip gateway, dns;
	uint16_t mtu;
	uint8_t dhcp;			/* enum dhcp_state (inside.h); 0 for static ones */
	bool plugged;
	unsigned talking;		/* pings, questions and flows under way */
	int64_t expires_ns;		/* DHCP */
};
void guest_look(const struct guest *g, struct guest_look *out);

#endif /* GUEST_GUEST_H */
