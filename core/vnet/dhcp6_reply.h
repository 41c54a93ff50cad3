/*
 * dhcp6_reply.h - DHCPv6 towards guests: the words around the server's states
 *
 * dhcp6_message() answers what needs no lease (INFORMATION-REQUEST, CONFIRM) and
 * hands the rest to the states of dhcp_server.c; dhcp6_reply() is their voice.
 *
 *	Memory, time	dhcp_server.h's
 */
#ifndef VNET_DHCP6_REPLY_H
#define VNET_DHCP6_REPLY_H

#include "core/vnet/dhcp6_wire.h"
#include "core/vnet/dhcp_server.h"

/** dhcp6_duid() - the server's identifier in the network whose remote machines have @mac */
void dhcp6_duid(uint8_t duid[DUID_LL], const uint8_t mac[6]);

/** dhcp6_init() - A server of leases of IPv6 addresses */
void dhcp6_init(struct dhcpd *d, struct env *e, const struct dhcp_ports *port, void *ctx, const uint8_t mac[6]);

/** dhcp6_message() - @payload came to port 547 from machine @from at @source; as dhcpd_message() */
enum drop dhcp6_message(struct dhcpd *d, struct env *e, const uint8_t from[6], const struct ip *source,
			struct bytes payload);

void dhcp6_reply(struct dhcpd *d, struct env *e, const struct dhcp_message *m, uint8_t type, const struct ip *ip,
		 uint32_t lease_s);

#endif /* VNET_DHCP6_REPLY_H */
