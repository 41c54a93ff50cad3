/*
 * dns_zone.h - what a name means in one network, before anybody is asked
 *
 *	NAME.domain		what a member or a guest published: asked of the DHT
 *	C250005005[.domain]	10.250.5.5 computed, as in papers/002 section 4.3: C and the last three
 *				octets, three digits each; the first octet is the network's
 *	gateway.domain		this very server, at every node
 *	5.5.250.10.in-addr.arpa	back again: what was published for the address, else the computed name
 *	...ip6.arpa		what was published for the address
 *
 * Everything else is foreign.
 *
 *	Memory		by value
 *	Time, chance	none
 */
#ifndef VNET_DNS_ZONE_H
#define VNET_DNS_ZONE_H

#include "core/dht/network.h"
#include "core/vnet/dns_wire.h"

enum { DNS_KEY_MAX = 73 };		/* an ip6.arpa name as text */

/** enum dns_place - where a name lies */
enum dns_place {
	PLACE_FOREIGN,			/* not ours */
	PLACE_APEX,			/* the domain itself, or the network's part of in-addr.arpa and ip6.arpa */
	PLACE_ABOVE,			/* between apex and addresses: exists, says nothing */
	PLACE_HOST,			/* NAME.domain; key = the label in lower case */
	PLACE_COMPUTED,			/* ip */
	PLACE_GATEWAY,
	PLACE_ADDRESS,			/* a reverse name; ip; key = its text, what a pointer is published under */
	PLACE_NOTHING			/* ours, and certainly not there */
};

/** struct dns_means - a name, understood */
struct dns_means {
	uint8_t place;			/* enum dns_place */
	uint8_t key_len;
	uint8_t key[DNS_KEY_MAX];
	struct ip ip;
	struct dns_name zone;		/* whose SOA a no carries; not for FOREIGN */
};

/** dns_place() - What does @n mean in @net? */
void dns_place(const struct network_record *net, const struct dns_name *n, struct dns_means *out);

/** dns_domain() - the network's domain as a name; false if it has none that is one */
bool dns_domain(const struct network_record *net, struct dns_name *out);

/** dns_computed() - the computed label of IPv4 address @a; 10 bytes; false if the network's first octet is another */
bool dns_computed(const struct network_record *net, const struct ip *a, uint8_t out[10]);

/** dns_reverse() - the text of @a's name in in-addr.arpa or ip6.arpa; how long it is */
uint8_t dns_reverse(const struct ip *a, uint8_t out[DNS_KEY_MAX]);

/** dns_host_label() - @in in lower case into @out if it can be a host's name (RFC 1123 2.1, not computed, not "gateway") */
bool dns_host_label(struct bytes in, uint8_t out[DNS_LABEL_MAX]);

#endif /* VNET_DNS_ZONE_H */
