/*
 * saved.h - everything a node saved, as one run of bytes, for EVENT_START
 *
 *	item = kind 1 | part 8 | length 4 | bytes
 *
 * The host keeps the last save of each (kind, part) and hands all of them back
 * in one piece, ordered by kind and part; core reads through a cursor.
 */
#ifndef BASE_SAVED_H
#define BASE_SAVED_H

#include "core/base/bytes.h"

/** struct saved - one item; bytes borrowed */
struct saved {
	uint64_t part;
	struct bytes data;
	uint8_t kind;			/* enum save_kind, or one this version does not know */
};

enum { SAVED_HEADER = 1 + 8 + 4 };

/** saved_next() - Take one item; false at the end, or where what follows is damaged (then @r is bad) */
static inline bool saved_next(struct reader *r, struct saved *s)
{
	uint32_t len;

	if (!reader_left(r))
		return false;
	s->kind = read_u8(r);
	s->part = read_u64(r);
	len = read_u32(r);
	s->data.at = read_take(r, len);
	s->data.len = s->data.at ? len : 0;
	return reader_ok(r);
}

/** saved_write() - Append one item */
static inline void saved_write(struct writer *w, const struct saved *s)
{
	write_u8(w, s->kind);
	write_u64(w, s->part);
	write_u32(w, (uint32_t)s->data.len);
	write_copy(w, s->data.at, s->data.len);
}

#endif /* BASE_SAVED_H */
