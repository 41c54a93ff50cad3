/*
 * wide.h - products of 64-bit numbers, whole, and what is left of them
 *
 * The compiler's 128-bit integers are not there on 32-bit machines; these few
 * functions are, everywhere alike.
 */
#ifndef PROG_WIDE_H
#define PROG_WIDE_H

#include <stdbool.h>
#include <stdint.h>

struct wide {
	uint64_t hi, lo;
};

static inline struct wide wide_mul(uint64_t a, uint64_t b)
{
	uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32;
	uint64_t low = al * bl, mid = ah * bl + (low >> 32), other = al * bh + (uint32_t)mid;

	return (struct wide){ ah * bh + (mid >> 32) + (other >> 32), other << 32 | (uint32_t)low };
}

static inline bool wide_less(struct wide a, struct wide b)
{
	return a.hi != b.hi ? a.hi < b.hi : a.lo < b.lo;
}

static inline struct wide wide_sub(struct wide a, struct wide b)
{
	return (struct wide){ a.hi - b.hi - (a.lo < b.lo), a.lo - b.lo };
}

/** wide_div() - @n / @by, a bit at a time; @by is not 0 and below 2^127. @rest: what is left */
static inline struct wide wide_div(struct wide n, struct wide by, struct wide *rest)
{
	struct wide q = { 0, 0 }, r = { 0, 0 };

	for (int bit = 127; bit >= 0; bit--) {
		uint64_t next = bit >= 64 ? n.hi >> (bit - 64) & 1 : n.lo >> bit & 1;

		r = (struct wide){ r.hi << 1 | r.lo >> 63, r.lo << 1 | next };
		if (wide_less(r, by))
			continue;
		r = wide_sub(r, by);
		if (bit >= 64)
			q.hi |= UINT64_C(1) << (bit - 64);
		else
			q.lo |= UINT64_C(1) << bit;
	}
	*rest = r;
	return q;
}

#endif /* PROG_WIDE_H */
