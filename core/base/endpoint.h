/*
 * endpoint.h - where a datagram can be sent: an address and a port
 *
 *	Memory		by value, 20 bytes
 *	Byte order	addr as on the wire; port in host order
 */
#ifndef BASE_ENDPOINT_H
#define BASE_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/** enum endpoint_kind - as written on the wire; STREAM is reserved for networks that block UDP */
enum endpoint_kind {
	ENDPOINT_NONE	= 0,
	ENDPOINT_UDP4	= 4,
	ENDPOINT_UDP6	= 6,
	ENDPOINT_STREAM	= 7,
};

/** struct endpoint - IPv4 uses addr[0..3], the rest is zero, so that memcmp() compares */
struct endpoint {
	uint8_t  addr[16];
	uint16_t port;
	uint8_t  kind;			/* enum endpoint_kind */
	uint8_t  iface;			/* ours to leave by, 0 = any; never on the wire, never compared */
};
_Static_assert(sizeof(struct endpoint) == 20, "one per path and known neighbour");

static inline bool endpoint_eq(const struct endpoint *a, const struct endpoint *b)
{
	return a->kind == b->kind && a->port == b->port &&
	       !memcmp(a->addr, b->addr, sizeof(a->addr));
}

static inline bool endpoint_valid(const struct endpoint *e)
{
	return (e->kind == ENDPOINT_UDP4 || e->kind == ENDPOINT_UDP6) && e->port;
}

/** endpoint_v4() - from an address in host order */
static inline struct endpoint endpoint_v4(uint32_t addr, uint16_t port)
{
	return (struct endpoint){
		.addr = { (uint8_t)(addr >> 24), (uint8_t)(addr >> 16),
			  (uint8_t)(addr >> 8), (uint8_t)addr },
		.port = port, .kind = ENDPOINT_UDP4,
	};
}

#endif /* BASE_ENDPOINT_H */
