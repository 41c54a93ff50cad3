/*
 * guard.h - who may begin what: a network's firewall on this node
 *
 * Rules are read in their order; the first that fits a packet from the overlay
 * decides, and one that none fits is let in. They speak of the direction in
 * only. What answers a packet of our guests - the same two addresses, protocol
 * and ports, or an ICMP error about it - is let in whatever the rules say.
 *
 * A rule as people write it, rules with semicolons between:
 *
 *	(allow | deny) (any | icmp | tcp | udp) [PORT | PORT-PORT] [from GROUP]
 *
 *	allow icmp; allow tcp 22 from admins; allow udp 5000-5999; deny any
 *
 * icmp means ICMPv6, too. GROUP is one of the sender's certificate in this
 * network, as its tunnel proved it. Senders of broadcasts prove nothing, so that
 * no `from` fits them.
 *
 *	Memory		nothing without rules; with them one table of flows, taken from
 *			env.mem with the first, and 24 bytes for each peer
 *	Time		env's: a flow is forgotten when it was silent, TCP after 124
 *			minutes (RFC 5382), 4 once it ended, UDP 2 (RFC 4787), ICMP 1
 *			(RFC 5508)
 *	Chance		none
 */
#ifndef VNET_GUARD_H
#define VNET_GUARD_H

#include <stdbool.h>

#include "core/base/bytes.h"

enum { GUARD_RULES = 64, GUARD_GROUPS = 32, GUARD_FLOWS = 1024 };

/** struct guard_rule - one of them */
struct guard_rule {
	struct bytes group;		/* whose members only; len 0: everybody */
	uint16_t low, high;		/* ports it is for, of TCP and UDP; 0 and 65535: any */
	uint8_t proto;			/* PROTO_ICMP (both), PROTO_TCP, PROTO_UDP; 0: any */
	bool allow;
};

/** struct guard_wrong - where a text is no list of rules */
struct guard_wrong {
	struct bytes word;		/* in the text; len 0: at its end */
	const char *what;
};

/**
 * guard_read() - The rules that @text says
 * @out: GUARD_RULES of them; groups are borrowed from @text
 *
 * Return: how many, or -1 and @wrong
 */
int guard_read(struct bytes text, struct guard_rule *out, struct guard_wrong *wrong);

/** guard_write() - @r as it would be written, into @out (no NUL; bad if there is no room) */
void guard_write(const struct guard_rule *r, struct writer *out);

/** struct look_guard - what a firewall did since the node's birth */
struct look_guard {
	const struct guard_rule *rule;	/* borrowed from the host */
	unsigned rules;
	uint64_t hits[GUARD_RULES];	/* of each rule */
	uint64_t others, answers;	/* packets that none fitted; that belonged to flows of our guests */
	uint32_t flows;			/* remembered now */
};

#endif /* VNET_GUARD_H */
