/*
 * dns_wire.h - DNS as bytes: RFC 1035, with EDNS(0) as of RFC 6891, and nothing about who is called what
 *
 * Names are kept as on the wire, uncompressed and in the writer's own case;
 * comparing ignores ASCII case (RFC 4343). Compression pointers are followed
 * only backwards, each to before the place the last piece began, so that no
 * message can lead a reader in circles.
 *
 *	Memory		by value; records borrow from the message
 *	Time, chance	none
 */
#ifndef VNET_DNS_WIRE_H
#define VNET_DNS_WIRE_H

#include "core/base/bytes.h"
#include "core/base/drop.h"
#include "core/base/ip.h"

enum {
	DNS_PORT	= 53,
	DNS_HEADER	= 12,
	DNS_NAME_MAX	= 255,		/* on the wire, with the root's zero */
	DNS_LABEL_MAX	= 63,
	DNS_PLAIN_MAX	= 512,		/* without EDNS (RFC 1035 4.2.1) */
	DNS_EDNS_SIZE	= 1232,		/* what we say we take: no fragments over IPv6 */
	DNS_OPT_LEN	= 11,
};

enum dns_type {
	DNS_A = 1, DNS_NS = 2, DNS_SOA = 6, DNS_PTR = 12, DNS_AAAA = 28, DNS_OPT = 41, DNS_IXFR = 251, DNS_AXFR = 252,
	DNS_ANY = 255
};
enum dns_class { DNS_IN = 1, DNS_CLASS_ANY = 255 };
enum dns_rcode {
	DNS_NOERROR, DNS_FORMERR, DNS_SERVFAIL, DNS_NXDOMAIN, DNS_NOTIMP, DNS_REFUSED, DNS_BADVERS = 16
};

/** struct dns_name - len bytes of labels, the root's zero among them; len 0 = no name */
struct dns_name {
	uint8_t len, labels;		/* the root is none of them */
	uint8_t at[DNS_NAME_MAX];
};

/** dns_name_read() - The name at offset *@at of @message; *@at then stands behind it. False: malformed, *@at as it was */
bool dns_name_read(struct bytes message, size_t *at, struct dns_name *n);

/** dns_name_text() - "a.b.c", without a dot at the end; false if a label is empty or too long */
bool dns_name_text(struct dns_name *n, struct bytes text);

/** dns_name_add() - @label in front of @tail; false if it does not fit */
bool dns_name_add(struct dns_name *n, struct bytes label, const struct dns_name *tail);

/** dns_label() - label number @i, 0 is the leftmost; empty past the end */
struct bytes dns_label(const struct dns_name *n, unsigned i);

/** dns_name_in() - Does @n end in @zone? @below: how many labels stand before it */
bool dns_name_in(const struct dns_name *n, const struct dns_name *zone, unsigned *below);

static inline uint8_t dns_lower(uint8_t b)
{
	return b >= 'A' && b <= 'Z' ? (uint8_t)(b + 'a' - 'A') : b;
}

/** struct dns_record - one resource record */
struct dns_record {
	struct dns_name name;
	uint16_t type, class;
	uint32_t ttl_s;
	size_t data_at;			/* offset in the message: names inside may be compressed */
	struct bytes data;
};

bool dns_record_read(struct bytes message, size_t *at, struct dns_record *r);

/** struct dns_query - one question */
struct dns_query {
	uint16_t id, type, class;
	uint16_t size;			/* the largest answer its sender takes */
	uint8_t opcode;
	bool rd, cd;			/* copied into the answer */
	bool edns, dnssec_ok;
	uint8_t version;		/* of EDNS */
	struct dns_name name;		/* as asked, case and all */
};

/**
 * dns_query_read() - Take a question apart
 * @rcode: what to answer if it is not as it should be: FORMERR, NOTIMP, BADVERS; else NOERROR
 *
 * Return: DROP_NONE; DROP_SHORT: not even a header; DROP_ROGUE: it is an answer. These are not answered.
 */
enum drop dns_query_read(struct bytes message, struct dns_query *q, uint8_t *rcode);

/** dns_query_write() - @q as a question of our own, under @id, with EDNS if it came with it */
void dns_query_write(struct writer *w, const struct dns_query *q, uint16_t id);

/* ---- answers: begin, records of one section after the other, end ---- */

/** struct dns_reply - an answer being written */
struct dns_reply {
	struct writer w;
	const struct dns_query *q;
	uint16_t answers, authorities;
	uint8_t rcode;
	bool aa, full;			/* authoritative; a record did not fit: TC */
};

/** dns_begin() - Into @room bytes at @buf, of which q->size may be used at most; at least 512 are needed */
void dns_begin(struct dns_reply *r, const struct dns_query *q, uint8_t rcode, bool aa, uint8_t *buf, size_t room);

/** The question's name is the owner's; what does not fit sets TC, and nothing follows */
void dns_answer_ip(struct dns_reply *r, uint32_t ttl_s, const struct ip *a);
void dns_answer_name(struct dns_reply *r, uint16_t type, uint32_t ttl_s, const struct dns_name *n);	/* PTR, NS */

/** dns_soa() - As answer, or as authority of a negative one (RFC 2308): its TTL is how long the no may be kept */
void dns_soa(struct dns_reply *r, bool answer, const struct dns_name *zone, const struct dns_name *server,
	     uint32_t serial, uint32_t ttl_s);

/** dns_end() - The OPT record and the header; how many bytes there are */
size_t dns_end(struct dns_reply *r);

#endif /* VNET_DNS_WIRE_H */
