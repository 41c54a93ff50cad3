/*
 * ip.h - an address of a virtual network, and the ranges it comes from
 *
 *	Memory		by value
 *	Byte order	as on the wire; IPv4 in the first four bytes, the rest zero,
 *			so that memcmp() compares
 */
#ifndef BASE_IP_H
#define BASE_IP_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/** struct ip - an IPv4 or IPv6 address; family 0 is none */
struct ip {
	uint8_t at[16];
	uint8_t family;			/* 0, 4 or 6 */
};

/** struct ip_range - all addresses whose first @bits are those of @ip */
struct ip_range {
	struct ip ip;
	uint8_t bits;
};

static inline bool ip_eq(const struct ip *a, const struct ip *b)
{
	return a->family == b->family && !memcmp(a->at, b->at, sizeof(a->at));
}

/** ip_v4() - from an address in host order */
static inline struct ip ip_v4(uint32_t a)
{
	return (struct ip){ .at = { (uint8_t)(a >> 24), (uint8_t)(a >> 16), (uint8_t)(a >> 8), (uint8_t)a }, .family = 4 };
}

/** ip_u32() - an IPv4 address in host order */
static inline uint32_t ip_u32(const struct ip *a)
{
	return (uint32_t)a->at[0] << 24 | (uint32_t)a->at[1] << 16 | (uint32_t)a->at[2] << 8 | a->at[3];
}

/** ip_low() - the last 64 bits of an IPv6 address (the interface part), or the whole IPv4 address */
static inline uint64_t ip_low(const struct ip *a)
{
	uint64_t low = 0;

	if (a->family == 4)
		return ip_u32(a);
	for (unsigned i = 8; i < 16; i++)
		low = low << 8 | a->at[i];
	return low;
}

/** ip_in() - does @a lie in @r? Nothing lies in a range of family 0 */
static inline bool ip_in(const struct ip *a, const struct ip_range *r)
{
	unsigned whole = r->bits / 8, rest = r->bits % 8;

	if (!a->family || a->family != r->ip.family || memcmp(a->at, r->ip.at, whole))
		return false;
	return !rest || !((a->at[whole] ^ r->ip.at[whole]) >> (8 - rest));
}

#endif /* BASE_IP_H */
