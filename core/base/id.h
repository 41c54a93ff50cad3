/*
 * id.h - places on the ring: 128-bit identifiers and distances between them
 *
 * Identifiers grow clockwise and wrap; all arithmetic is modulo 2^128. A
 * distance is an identifier too. Two 64-bit halves, because a 32-bit ARM has
 * no 128-bit integer.
 *
 *	Memory		by value
 *	Time, chance	none
 */
#ifndef BASE_ID_H
#define BASE_ID_H

#include <stdbool.h>
#include <stdint.h>

enum { ID_BYTES = 16 };

/** struct id - one place on the ring; hi is the more significant half */
struct id {
	uint64_t hi, lo;
};

#define ID_ZERO ((struct id){ 0, 0 })
#define ID_MAX	((struct id){ UINT64_MAX, UINT64_MAX })

static inline bool id_eq(struct id a, struct id b)
{
	return a.hi == b.hi && a.lo == b.lo;
}

/** id_less() - is @a before @b as plain numbers (no wrapping)? */
static inline bool id_less(struct id a, struct id b)
{
	return a.hi < b.hi || (a.hi == b.hi && a.lo < b.lo);
}

/** id_cmp() - -1, 0, 1 as plain numbers */
static inline int id_cmp(struct id a, struct id b)
{
	return id_less(b, a) - id_less(a, b);
}

static inline struct id id_add(struct id a, struct id b)
{
	struct id r = { a.hi + b.hi, a.lo + b.lo };

	r.hi += r.lo < b.lo;
	return r;
}

static inline struct id id_sub(struct id a, struct id b)
{
	return (struct id){ a.hi - b.hi - (a.lo < b.lo), a.lo - b.lo };
}

/** id_clockwise() - how far clockwise it is from @from to @to */
static inline struct id id_clockwise(struct id from, struct id to)
{
	return id_sub(to, from);
}

/** id_distance() - the shorter way round between @a and @b */
static inline struct id id_distance(struct id a, struct id b)
{
	struct id d = id_sub(a, b), e = id_sub(b, a);

	return id_less(d, e) ? d : e;
}

/** id_within() - does @x lie in the clockwise range (@from, @to]? Everything does if they are equal */
static inline bool id_within(struct id x, struct id from, struct id to)
{
	struct id span = id_sub(to, from), at = id_sub(x, from);

	if (id_eq(from, to))
		return true;
	return !id_eq(at, ID_ZERO) && !id_less(span, at);
}

/** id_between() - does @x lie strictly inside the clockwise range (@from, @to)? */
static inline bool id_between(struct id x, struct id from, struct id to)
{
	return id_within(x, from, to) && !id_eq(x, to) && !id_eq(x, from);
}

/** id_prefix() - the 32 most significant bits, as lookahead tables hold them */
static inline uint32_t id_prefix(struct id a)
{
	return (uint32_t)(a.hi >> 32);
}

/** id_of_prefix() - the middle of all identifiers that share @prefix */
static inline struct id id_of_prefix(uint32_t prefix)
{
	return (struct id){ (uint64_t)prefix << 32 | 0x80000000u, 0 };
}

#endif /* BASE_ID_H */
