/*
 * dhcp6_wire.h - DHCPv6 as bytes: RFC 8415, as far as one address for each client needs it
 *
 * A message becomes a struct dhcp_message in the words of DHCPv4, so that one
 * server has one set of states: SOLICIT is DISCOVER; REQUEST, RENEW and REBIND
 * are REQUEST. Its client is DUID and IAID together: each IA_NA is a client of
 * its own, and the first one in a message is the one served. IA_TA, IA_PD and
 * further IA_NAs are not answered.
 *
 *	Memory		by value
 *	Time, chance	none
 */
#ifndef VNET_DHCP6_WIRE_H
#define VNET_DHCP6_WIRE_H

#include "core/vnet/dhcp_wire.h"

enum {
	DHCP6_SERVER_PORT = 547,
	DHCP6_CLIENT_PORT = 546,
	DUID_MAX	= 130,		/* RFC 8415 11.1 */
	DUID_LL		= 10,		/* ours: type 3, Ethernet, the network's MAC: the same at every node */
	DHCP6_MAX	= 600,		/* what we ever write */
};

enum dhcp6_kind {
	DHCP6_SOLICIT = 1, DHCP6_ADVERTISE, DHCP6_REQUEST, DHCP6_CONFIRM, DHCP6_RENEW, DHCP6_REBIND, DHCP6_REPLY,
	DHCP6_RELEASE, DHCP6_DECLINE, DHCP6_RECONFIGURE, DHCP6_INFORM, DHCP6_RELAY_FORW, DHCP6_RELAY_REPL
};

enum dhcp6_code {
	OPTION6_CLIENT = 1, OPTION6_SERVER = 2, OPTION6_IA_NA = 3, OPTION6_ADDRESS = 5, OPTION6_ORO = 6,
	OPTION6_STATUS = 13, OPTION6_RAPID = 14, OPTION6_DNS = 23, OPTION6_DOMAINS = 24
};

enum dhcp6_status { STATUS_OK, STATUS_FAIL, STATUS_NO_ADDRS, STATUS_NO_BINDING, STATUS_NOT_ON_LINK };

/**
 * dhcp6_read() - Take a UDP payload apart
 * @duid: the server's, DUID_LL bytes: messages for another are told so in m->elsewhere
 *
 * m->kind, type, xid (24 bits), id (DUID and IAID), want, rapid, param (of the option request, codes below 256);
 * has_requested: an address was in the IA; has_server: a server was named; has_lease: there was an IA_NA.
 * Return: DROP_NONE, or, not counted here:
 *	DROP_SHORT	no header		DROP_MESSAGE	an unknown type
 *	DROP_ROGUE	a server's message	DROP_RELAYED	a relay agent's
 *	DROP_OPTION	an option passes its end, comes twice where it must not, or has a wrong length
 *	DROP_VALUE	without what RFC 8415 section 16 wants in such a message, or with what it forbids
 */
enum drop dhcp6_read(struct bytes payload, const uint8_t duid[DUID_LL], struct dhcp_message *m);

/** dhcp6_begin() - A message of ours with both identifiers; @m: the one answered */
void dhcp6_begin(struct writer *w, uint8_t kind, const struct dhcp_message *m, const uint8_t duid[DUID_LL]);
void dhcp6_put(struct writer *w, uint16_t code, const void *data, size_t len);
void dhcp6_status(struct writer *w, uint8_t status);

/** dhcp6_ia() - the IA_NA of @m: @a for @s seconds, or without address and with @status */
void dhcp6_ia(struct writer *w, const struct dhcp_message *m, const struct ip *a, uint32_t s, uint8_t status);

#endif /* VNET_DHCP6_WIRE_H */
