/*
 * dhcp_wire.h - DHCP for IPv4 as bytes: RFC 2131 and 2132, and nothing about who owns what
 *
 * dhcp_read() takes a message apart, of a client or of a server; the writing half
 * builds one. Options may stand in three places (option overload, RFC 2131
 * 4.1) and in pieces (RFC 3396): the pieces are joined in the order options,
 * file, sname. A fixed-length option that comes twice has the wrong length once
 * joined, and the message is refused.
 *
 *	Memory		by value; options borrowed from the message
 *	Time, chance	none
 */
#ifndef VNET_DHCP_WIRE_H
#define VNET_DHCP_WIRE_H

#include "core/base/bytes.h"
#include "core/base/drop.h"
#include "core/base/ip.h"

enum {
	DHCP_SERVER_PORT = 67,
	DHCP_CLIENT_PORT = 68,
	DHCP_FIXED	= 240,		/* header and magic cookie */
	DHCP_MIN	= 300,		/* a BOOTP message is never shorter (RFC 1542 2.1): written ones are padded */
	DHCP_IP_MIN	= 576,		/* what every client takes, with IP and UDP (RFC 2131 2) */
	DHCP_MAX	= 1400,		/* what we ever write */
	DHCP_ID_MAX	= 255,		/* client identifier */
	DHCP_PARAMS_MAX	= 128,		/* of a parameter request list, more are not looked at */
	DHCP_HOST_MAX	= 63,		/* of a host name: one label */
	DHCP_HOPS_MAX	= 16,		/* RFC 1542 4.1.1 */
};

enum dhcp_type {
	DHCP_DISCOVER = 1, DHCP_OFFER, DHCP_REQUEST, DHCP_DECLINE, DHCP_ACK, DHCP_NAK, DHCP_RELEASE, DHCP_INFORM,
	DHCP_TYPES
};

enum dhcp_op { DHCP_BOOTREQUEST = 1, DHCP_BOOTREPLY = 2 };

enum dhcp_code {
	OPTION_PAD	= 0,
	OPTION_MASK	= 1,
	OPTION_ROUTER	= 3,
	OPTION_DNS	= 6,
	OPTION_HOST	= 12,
	OPTION_DOMAIN	= 15,
	OPTION_MTU	= 26,
	OPTION_BROADCAST = 28,
	OPTION_REQUESTED = 50,
	OPTION_LEASE	= 51,
	OPTION_OVERLOAD	= 52,
	OPTION_TYPE	= 53,
	OPTION_SERVER	= 54,
	OPTION_PARAMS	= 55,
	OPTION_MESSAGE	= 56,
	OPTION_MAX_SIZE	= 57,
	OPTION_T1	= 58,
	OPTION_T2	= 59,
	OPTION_CLIENT	= 61,
	OPTION_RAPID	= 80,		/* RFC 4039 */
	OPTION_ROUTES	= 121,		/* RFC 3442 */
	OPTION_END	= 255
};

/** struct dhcp_options - where options stand, in the order their pieces are joined; borrowed */
struct dhcp_options {
	struct bytes area[3];
	uint8_t areas;
};

/** struct dhcp_message - one message, its lengths checked; addresses in host order, 0 = none */
struct dhcp_message {
	uint32_t xid, ciaddr, yiaddr, siaddr, giaddr;
	uint32_t requested, server;	/* options 50 and 54 */
	uint32_t lease_s;		/* option 51 */
	uint16_t secs, max_size;	/* option 57, 0 = not told */
	uint8_t op, type, hops;		/* enum dhcp_op, dhcp_type */
	uint8_t mac[6];
	bool broadcast;			/* the client cannot take unicast yet */
	bool rapid, has_requested, has_server, has_lease, has_params;
	uint8_t id_len, params, host_len;
	uint8_t id[DHCP_ID_MAX];	/* option 61 */
	uint8_t param[DHCP_PARAMS_MAX];	/* option 55 */
	uint8_t host[DHCP_HOST_MAX];	/* option 12, as it came */
	struct dhcp_options options;	/* all of them; empty in a message that was kept */
	/* Told by whoever hands the message on: */
	struct ip want;			/* the address it is about; family alone: none */
	struct ip source;		/* DHCPv6: whom to answer */
	uint8_t kind;			/* DHCPv6: its type there (dhcp6_wire.h) */
	bool elsewhere;			/* for another server */
};

/**
 * dhcp_read() - Take a UDP payload apart
 *
 * Return: DROP_NONE, or, not counted here:
 *	DROP_SHORT	shorter than header and cookie
 *	DROP_VALUE	no DHCP (cookie, op, not Ethernet, no message type, a group address as client)
 *	DROP_OPTION	an option passes its end, has a wrong length, or overloads what it stands in
 *	DROP_MESSAGE	a message type we do not know
 */
enum drop dhcp_read(struct bytes payload, struct dhcp_message *m);

/**
 * dhcp_option() - Option @code, its pieces joined, into @out
 * Return: its length; bytes past @max are not stored; -1 if it is absent
 */
int dhcp_option(const struct dhcp_options *o, uint8_t code, uint8_t *out, size_t max);

/** dhcp_option_u32() - an option of 4 bytes; false if it is absent or of another length */
bool dhcp_option_u32(const struct dhcp_options *o, uint8_t code, uint32_t *out);

/* ---- writing: begin, options, end; options that do not fit are left out ---- */

/** dhcp_begin() - Header from @m's fields (options and their copies apart) and the message type */
void dhcp_begin(struct writer *w, const struct dhcp_message *m);

/** dhcp_put() - One option, in pieces if longer than 255 (RFC 3396); false and nothing written: does not fit */
bool dhcp_put(struct writer *w, uint8_t code, const void *data, size_t len);
bool dhcp_put_u32(struct writer *w, uint8_t code, uint32_t v);
bool dhcp_put_u16(struct writer *w, uint8_t code, uint16_t v);

/** dhcp_end() - The end option and padding to DHCP_MIN */
void dhcp_end(struct writer *w);

#endif /* VNET_DHCP_WIRE_H */
