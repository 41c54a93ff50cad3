/*
 * dhcp_server.h - the DHCP server every guest finds at the gateway address (RFC 2131)
 *
 * The address comes from a lease of the DHT, through a table of functions, so
 * that this file knows neither the DHT nor frames; dhcp.c fills the table in.
 *
 *	DISCOVER	an address is wanted (the one asked for, then any) and kept as a
 *			reservation: the lease itself, not renewed, released if no
 *			REQUEST comes within RESERVE_S. OFFER when it is granted.
 *	REQUEST		ACK at once while we believe, never for longer than we believe;
 *			otherwise the question is kept for REQUEST_HOLD_S while the DHT
 *			is asked. NAK when it says no. Silence when it says nothing.
 *	afterwards	the lease is renewed by the node itself, until the guest's own
 *			lease ends without a word from the guest: then it is released.
 *
 * A question nobody can answer yet (no link, a slot without a majority) is kept,
 * the latest of each client, and asked again and again with pauses.
 *
 *	Memory		clients and kept questions from env.mem, bounded below
 *	Time, chance	from env: leases, holds; the first cookie is drawn
 *	Ownership	a client's address is ours while its state is OFFERED or BOUND
 */
#ifndef VNET_DHCP_SERVER_H
#define VNET_DHCP_SERVER_H

#include "core/base/env.h"
#include "core/dht/dht.h"
#include "core/vnet/dhcp_wire.h"

enum {
	DHCPD_CLIENTS	= 256,		/* machines with an address from us */
	DHCPD_RESERVED	= 64,		/* of them without an ACK yet: addresses nobody uses are few */
	DHCPD_ASKS	= 32,		/* questions kept */
	DHCPD_BAD	= 32,		/* addresses declined */
	RESERVE_S	= 60,		/* from OFFER to REQUEST */
	DISCOVER_HOLD_S	= 60,		/* from a client's last DISCOVER until it is forgotten */
	REQUEST_HOLD_S	= 10,
	BAD_S		= 600,		/* a declined address is kept out */
};

/** enum dhcpd_state - where a client stands */
enum dhcpd_state {
	CLIENT_IDLE,			/* has nothing; remembered because it declined something */
	CLIENT_WAITING,			/* its question is kept and will be asked at again_ns */
	CLIENT_SEEKING,			/* an address was asked for: news will come in any case, until then it stays */
	CLIENT_OFFERED,			/* reserved until until_ns */
	CLIENT_BOUND			/* acknowledged; the guest's lease ends at until_ns */
};

struct dhcpd_client {
	uint64_t client;		/* hash of its identity */
	uint64_t cookie;		/* of what we asked last */
	struct dhcp_message *ask;	/* the question that waits, NULL if none */
	int64_t since_ns;		/* first heard without an address */
	int64_t until_ns, again_ns;
	int64_t give_up_ns;		/* the kept question is dropped */
	struct ip ip;			/* OFFERED, BOUND; SEEKING with exact: what is asked for */
	uint8_t mac[6];
	uint8_t state;			/* enum dhcpd_state */
	uint8_t tries;
	uint8_t declines;		/* addresses it would not have: each makes it a new client to the DHT */
	bool exact;			/* SEEKING: that address and no other */
	bool fixed;			/* the address is our certificate's: no lease stands behind it */
	bool named;
	uint8_t host_len;
	uint8_t host[DHCP_HOST_MAX];	/* lower case */
};

struct dhcpd_bad {
	struct ip ip;
	int64_t until_ns;
};

/** struct dhcp_out - a message for a guest, from the gateway's port 67 to its port 68 */
struct dhcp_out {
	uint8_t mac[6];			/* ff:ff:ff:ff:ff:ff: everybody */
	struct ip to;
	struct bytes payload;
};

/** struct dhcp_ports - what stands around the server; @ctx is the caller's */
struct dhcp_ports {
	bool (*want)(void *ctx, struct env *e, uint64_t cookie, const struct ip *ip, uint64_t client);	/* keep = false */
	bool (*touch)(void *ctx, struct env *e, uint64_t cookie, const struct ip *ip);
	void (*keep)(void *ctx, struct env *e, const struct ip *ip, bool keep);
	void (*release)(void *ctx, struct env *e, const struct ip *ip);
	bool (*believes)(void *ctx, struct env *e, const struct ip *ip, int64_t *until_ns);
	/** fixed() - an address of our certificate for @mac, @wish if it may be; false: it has none */
	bool (*fixed)(void *ctx, struct env *e, const uint8_t mac[6], const struct ip *wish, struct ip *out);
	/** leased() - @mac has @ip, first asked for at @since_ns, by an ACK; false: no room for one more guest */
	bool (*leased)(void *ctx, struct env *e, const uint8_t mac[6], const struct ip *ip, int64_t since_ns);
	void (*gone)(void *ctx, struct env *e, const struct ip *ip);
	/** named() - the guest at @ip calls itself @host; empty: no more */
	void (*named)(void *ctx, struct env *e, const struct ip *ip, struct bytes host);
	uint64_t (*client)(void *ctx, struct bytes id, const uint8_t mac[6]);
	void (*send)(void *ctx, struct env *e, const struct dhcp_out *o);
	void (*due)(void *ctx, struct env *e, int64_t at_ns);
};

/** struct dhcpd - one server; DHCPv6 has the same states, its words are translated (dhcp6.c) */
struct dhcpd {
	const struct dhcp_ports *port;
	void *ctx;
	const struct network_record *net;	/* the caller sets it before each call */
	/** reply() - answer @m with DHCP_OFFER, _ACK or _NAK: dhcpd_reply(), or dhcp6_reply() */
	void (*reply)(struct dhcpd *d, struct env *e, const struct dhcp_message *m, uint8_t type, const struct ip *ip,
		      uint32_t lease_s);
	uint8_t family;			/* 4 or 6 */
	uint8_t mac[6];			/* DHCPv6: what our identifier is made of */
	bool router;			/* tell guests that the gateway is their way out */
	uint64_t cookies;
	struct dhcpd_client *client;
	uint16_t clients, cap;
	uint16_t asks;
	struct dhcpd_bad *bad;		/* the oldest first */
	uint16_t bads, bad_cap;
};

void dhcpd_init(struct dhcpd *d, struct env *e, const struct dhcp_ports *port, void *ctx);
void dhcpd_done(struct dhcpd *d, struct env *e);	/* memory back; leases stay as they are */

/**
 * dhcpd_message() - @payload came to port 67 from machine @from
 *
 * Return: why it went no further, counted; DROP_NONE if it was dealt with, which may be by silence
 */
enum drop dhcpd_message(struct dhcpd *d, struct env *e, const uint8_t from[6], struct bytes payload);

/**
 * dhcpd_heard() - The same for a message taken apart, by the client that is in it: DISCOVER, REQUEST, DECLINE, RELEASE
 * @m: want, elsewhere, mac and id are looked at, and the DHCP types; the rest is the reply's
 */
enum drop dhcpd_heard(struct dhcpd *d, struct env *e, const struct dhcp_message *m);

/** dhcpd_held() - News of a lease; also of one that a former life of this node was granted */
void dhcpd_held(struct dhcpd *d, struct env *e, const struct held_news *n);

/** dhcpd_gone() - The machine at @ip is gone from the LAN: its lease is released */
void dhcpd_gone(struct dhcpd *d, struct env *e, const struct ip *ip);

void dhcpd_timer(struct dhcpd *d, struct env *e);

/** dhcpd_leave() - The node stops: what was only reserved is given back. What guests use stays until its term ends */
void dhcpd_leave(struct dhcpd *d, struct env *e);

uint32_t dhcpd_bytes(const struct dhcpd *d);	/* taken from env.mem */

/* ---- dhcp_client.c: who is known; pointers are good until the next dhcpd_new() or dhcpd_del() ---- */

struct dhcpd_client *dhcpd_find(struct dhcpd *d, uint64_t client);
struct dhcpd_client *dhcpd_of_cookie(struct dhcpd *d, uint64_t cookie);
struct dhcpd_client *dhcpd_of_ip(struct dhcpd *d, const struct ip *ip);	/* OFFERED or BOUND */
struct dhcpd_client *dhcpd_new(struct dhcpd *d, struct env *e, uint64_t client);	/* NULL: no room, counted */
void dhcpd_del(struct dhcpd *d, struct env *e, struct dhcpd_client *c);	/* the last one takes its place */

/** dhcpd_rest() - Nothing is @c's any more: forgotten, unless it declined something and has to be known by that */
void dhcpd_rest(struct dhcpd *d, struct env *e, struct dhcpd_client *c);

/** dhcpd_ask_keep() - Keep @m as @c's question until @hold_s from now; false: too many, counted */
bool dhcpd_ask_keep(struct dhcpd *d, struct env *e, struct dhcpd_client *c, const struct dhcp_message *m, int hold_s);
void dhcpd_ask_drop(struct dhcpd *d, struct env *e, struct dhcpd_client *c);

bool dhcpd_is_bad(const struct dhcpd *d, const struct ip *ip);
void dhcpd_bad_add(struct dhcpd *d, struct env *e, const struct ip *ip);	/* held and kept out; the oldest gives way */
void dhcpd_bad_end(struct dhcpd *d, struct env *e, unsigned i);		/* number @i, the oldest is 0, may be had again */
void dhcpd_bad_lost(struct dhcpd *d, const struct ip *ip);		/* it is not held any more, if it was */

static inline bool dhcpd_has_address(const struct dhcpd_client *c)
{
	return c->state == CLIENT_OFFERED || c->state == CLIENT_BOUND;
}

/* ---- dhcp_reply.c ---- */

/** dhcpd_reply() - Answer @m with @type; @ip and @lease_s as the type needs them (family 0, 0 = none) */
void dhcpd_reply(struct dhcpd *d, struct env *e, const struct dhcp_message *m, uint8_t type, const struct ip *ip,
		 uint32_t lease_s);

#endif /* VNET_DHCP_SERVER_H */
