#include "core/base/fixed.h"

/* 2^(2^-i) for i = 1..32 as Q63, rounded down */
static const uint64_t ROOTS[32] = {
	0xb504f333f9de6484, 0x9837f0518db8a96f, 0x8b95c1e3ea8bd6e6, 0x85aac367cc487b14,
	0x82cd8698ac2ba1d7, 0x8164d1f3bc030773, 0x80b1ed4fd999ab6c, 0x8058d7d2d5e5f6b0,
	0x802c6436d0e04f50, 0x8016302f17467628, 0x800b179c82028fd0, 0x80058baf7fee3b5d,
	0x8002c5d00fdcfcb6, 0x800162e61bed4a48, 0x8000b17292f702a3, 0x800058b92abbae02,
	0x80002c5c8dade4d7, 0x8000162e44eaf636, 0x80000b1721fa7c18, 0x8000058b90de7e4c,
	0x800002c5c8678f36, 0x80000162e431db9f, 0x800000b1721872d0, 0x80000058b90c1aa8,
	0x8000002c5c8605a4, 0x800000162e4300e6, 0x8000000b17217ff8, 0x800000058b90bfdd,
	0x80000002c5c85fe6, 0x8000000162e42ff1, 0x80000000b17217f8, 0x8000000058b90bfc,
};

/* The upper 64 bits of a 64 x 64 bit product. */
static uint64_t mul_high(uint64_t a, uint64_t b)
{
	uint64_t ah = a >> 32, al = (uint32_t)a, bh = b >> 32, bl = (uint32_t)b;
	uint64_t mid = ah * bl + (al * bl >> 32);
	uint64_t mid2 = al * bh + (uint32_t)mid;

	return ah * bh + (mid >> 32) + (mid2 >> 32);
}

/* log2 of the mantissa @m in [2^63, 2^64), i.e. of m / 2^63, as a Q32 fraction. */
static int64_t log2_mantissa(uint64_t m)
{
	int64_t f = 0;

	for (int bit = 31; bit >= 0; bit--) {
		uint64_t sq = mul_high(m, m);		/* Q62 of the square, in [1, 4) */

		if (sq >> 63) {
			f |= (int64_t)1 << bit;
			m = sq;
		} else {
			m = sq << 1;
		}
	}
	return f;
}

static unsigned top_bit(uint64_t v)
{
	return 63u - (unsigned)__builtin_clzll(v);
}

int64_t log2_q32(uint64_t v)
{
	unsigned top;

	if (!v)
		return 0;
	top = top_bit(v);
	return ((int64_t)top << 32) + log2_mantissa(v << (63 - top));
}

int64_t id_log2_q32(struct id d)
{
	unsigned top;

	if (!d.hi)
		return log2_q32(d.lo);
	top = top_bit(d.hi);
	if (top == 63)
		return ((int64_t)127 << 32) + log2_mantissa(d.hi);
	return ((int64_t)(64 + top) << 32) +
	       log2_mantissa(d.hi << (63 - top) | d.lo >> (top + 1));
}

/* 2^(fraction of @e) in [1, 2) as Q63. */
static uint64_t exp2_mantissa(int64_t e)
{
	uint64_t m = (uint64_t)1 << 63;
	uint32_t f = (uint32_t)e;

	for (int i = 0; i < 32; i++)
		if (f >> (31 - i) & 1)
			m = mul_high(m, ROOTS[i]) << 1;
	return m;
}

struct id id_exp2_q32(int64_t e)
{
	uint64_t m = exp2_mantissa(e);
	int64_t whole = e >> 32;

	if (whole < 0)
		return (struct id){ 0, 1 };
	if (whole > 127)
		return ID_MAX;
	if (whole <= 63)
		return (struct id){ 0, m >> (63 - whole) };
	if (whole == 127)
		return (struct id){ m, 0 };
	return (struct id){ m >> (127 - whole), m << (whole - 63) };
}

uint64_t exp2_u64(int64_t e)
{
	if (e < 0)
		return 0;
	if (e >> 32 > 63)
		return UINT64_MAX;
	return exp2_mantissa(e) >> (63 - (e >> 32));
}
