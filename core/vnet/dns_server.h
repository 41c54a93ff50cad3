/*
 * dns_server.h - the name server every guest finds at the gateway address
 *
 * Answers for the network's own names (dns_zone.h). Others are asked of the
 * network's servers (dns_forward.h) or refused, as an authoritative server does:
 * resolvers then ask the next one DHCP has told them (dhcp_reply.c). What was
 * published is asked of the DHT once and kept for as long as the record stands;
 * questions for the same name wait together.
 *
 *	Memory		answers and waiting questions from env.mem, bounded below
 *	Time		from env: TTLs, what is kept
 *	Chance		the first cookie
 */
#ifndef VNET_DNS_SERVER_H
#define VNET_DNS_SERVER_H

#include "core/base/env.h"
#include "core/dht/dht.h"
#include "core/vnet/dns_zone.h"

enum {
	DNSD_ENTRIES	= 128,		/* answers kept */
	DNSD_WAITING	= 32,		/* questions that wait for the DHT */
	DNSD_ADDRESSES	= 8,		/* told under one name */
	DNSD_TTL_MAX_S	= 3600,
	DNSD_NO_S	= 5,		/* how long a no is kept, here and by resolvers (RFC 2308): names come any moment */
	DNSD_COMPUTED_S	= 60,		/* TTL of a computed reverse name: a published one may come */
	DNSD_ASK_MS	= 4000,		/* for the DHT; resolvers ask again after 5 s */
	DNSD_MESSAGE	= 1232,		/* largest answer */
};

/** struct dns_asker - where an answer goes */
struct dns_asker {
	struct ip ip;			/* its address, and ... */
	struct ip at;			/* ... the gateway's it asked */
	uint8_t mac[6];
	uint16_t port;
};

/** struct dns_entry - what the DHT said, or is asked */
struct dns_entry {
	int64_t until_ns;
	uint64_t cookie;
	struct ip ip[DNSD_ADDRESSES];
	uint8_t ips;
	uint8_t type;			/* VALUE_ADDRESS or VALUE_POINTER */
	bool asked;			/* no answer yet */
	uint8_t key_len, host_len;
	uint8_t key[DNS_KEY_MAX];
	uint8_t host[DNS_LABEL_MAX];	/* POINTER: the label that was published */
};

struct dns_waiting {
	uint64_t cookie;		/* of the entry it waits for */
	int64_t until_ns;
	struct dns_asker from;
	struct dns_query q;
};

/** struct dns_ports - what stands around the server; @ctx is the caller's */
struct dns_ports {
	/** look() - ask the DHT for what is under @name; dnsd_done() follows. False: it cannot now */
	bool (*look)(void *ctx, struct env *e, uint64_t cookie, struct bytes name, uint8_t type);
	/** forward() - a foreign name: ask somebody who may know; false: nobody does, it is refused */
	bool (*forward)(void *ctx, struct env *e, const struct dns_asker *from, const struct dns_query *q);
	void (*send)(void *ctx, struct env *e, const struct dns_asker *to, struct bytes message);
	void (*due)(void *ctx, struct env *e, int64_t at_ns);
};

struct dnsd {
	const struct dns_ports *port;
	void *ctx;
	const struct network_record *net;	/* the caller sets it before each call */
	uint64_t cookies;
	struct dns_entry *entry;
	struct dns_waiting *waiting;
	uint16_t entries, cap, waitings, waiting_cap;
};

void dnsd_init(struct dnsd *d, struct env *e, const struct dns_ports *port, void *ctx);
void dnsd_done(struct dnsd *d, struct env *e);	/* memory back */

/** dnsd_message() - @payload came to port 53 from @from; why it is not answered, counted, else DROP_NONE */
enum drop dnsd_message(struct dnsd *d, struct env *e, const struct dns_asker *from, struct bytes payload);

/** dnsd_answer() - The DHT has answered question @cookie */
void dnsd_answer(struct dnsd *d, struct env *e, uint64_t cookie, uint8_t verdict, const struct value *value,
		 unsigned values);

/** dnsd_forget() - What was kept for @name is not so any more, as we know ourselves */
void dnsd_forget(struct dnsd *d, struct env *e, struct bytes name, uint8_t type);

void dnsd_timer(struct dnsd *d, struct env *e);
uint32_t dnsd_bytes(const struct dnsd *d);

#endif /* VNET_DNS_SERVER_H */
