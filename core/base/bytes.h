/*
 * bytes.h - reading and writing bytes that cannot pass the end
 *
 * Every parser of core reads through struct reader. A failed read turns the
 * reader bad, yields zeros and keeps it bad, so a parser checks once, at the
 * bottom: `if (!reader_ok(&r)) return DROP_SHORT`. The writer is its mirror.
 * Wire values are big-endian ("network order").
 *
 *	Memory		cursors by value; the bytes stay the caller's
 *	Errors		the bad flag, nothing else
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/base/endpoint.h"
#include "core/base/id.h"
#include "core/base/ip.h"

/** struct bytes - borrowed bytes */
struct bytes {
	const uint8_t *at;
	size_t len;
};

struct reader {
	const uint8_t *at, *end;
	bool bad;
};

struct writer {
	uint8_t *start, *at, *end;
	bool bad;
};

static inline struct reader reader_of(const void *data, size_t len)
{
	const uint8_t *p = data;

	return (struct reader){ p, p ? p + len : p, false };
}

static inline size_t reader_left(const struct reader *r)
{
	return (size_t)(r->end - r->at);
}

static inline bool reader_ok(const struct reader *r)
{
	return !r->bad;
}

/** reader_done() - nothing failed and nothing is left */
static inline bool reader_done(const struct reader *r)
{
	return !r->bad && r->at == r->end;
}

/** read_take() - the next @len bytes in place, or NULL and a bad reader */
static inline const uint8_t *read_take(struct reader *r, size_t len)
{
	const uint8_t *p = r->at;

	if (r->bad || reader_left(r) < len) {
		r->bad = true;
		return NULL;
	}
	r->at += len;
	return p;
}

static inline void read_copy(struct reader *r, void *out, size_t len)
{
	const uint8_t *p = read_take(r, len);

	if (p)
		memcpy(out, p, len);
	else
		memset(out, 0, len);
}

static inline uint8_t read_u8(struct reader *r)
{
	const uint8_t *p = read_take(r, 1);

	return p ? p[0] : 0;
}

static inline uint16_t read_u16(struct reader *r)
{
	const uint8_t *p = read_take(r, 2);

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t read_u32(struct reader *r)
{
	uint32_t hi = read_u16(r);

	return hi << 16 | read_u16(r);
}

static inline uint64_t read_u64(struct reader *r)
{
	uint64_t hi = read_u32(r);

	return hi << 32 | read_u32(r);
}

static inline struct id read_id(struct reader *r)
{
	uint64_t hi = read_u64(r);

	return (struct id){ hi, read_u64(r) };
}

/** read_ip() - family 1 | 0, 4 or 16 bytes; other families turn the reader bad */
static inline struct ip read_ip(struct reader *r)
{
	struct ip a = { .family = read_u8(r) };

	if (a.family != 0 && a.family != 4 && a.family != 6)
		r->bad = true;
	read_copy(r, a.at, a.family == 4 ? 4 : a.family == 6 ? 16 : 0);
	return r->bad ? (struct ip){ .family = 0 } : a;
}

/** read_endpoint() - kind, address (4 or 16 bytes), port; unknown kinds turn the reader bad */
struct endpoint read_endpoint(struct reader *r);

static inline struct writer writer_of(void *data, size_t len)
{
	uint8_t *p = data;

	return (struct writer){ p, p, p ? p + len : p, false };
}

static inline size_t writer_len(const struct writer *w)
{
	return (size_t)(w->at - w->start);
}

static inline size_t writer_left(const struct writer *w)
{
	return (size_t)(w->end - w->at);
}

/** write_space() - room for @len bytes to be filled by the caller, or NULL and a bad writer */
static inline uint8_t *write_space(struct writer *w, size_t len)
{
	uint8_t *p = w->at;

	if (w->bad || writer_left(w) < len) {
		w->bad = true;
		return NULL;
	}
	w->at += len;
	return p;
}

static inline void write_copy(struct writer *w, const void *data, size_t len)
{
	uint8_t *p = write_space(w, len);

	if (p && len)
		memcpy(p, data, len);
}

static inline void write_u8(struct writer *w, uint8_t v)
{
	write_copy(w, &v, 1);
}

static inline void write_u16(struct writer *w, uint16_t v)
{
	uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	write_copy(w, b, sizeof(b));
}

static inline void write_u32(struct writer *w, uint32_t v)
{
	write_u16(w, (uint16_t)(v >> 16));
	write_u16(w, (uint16_t)v);
}

static inline void write_u64(struct writer *w, uint64_t v)
{
	write_u32(w, (uint32_t)(v >> 32));
	write_u32(w, (uint32_t)v);
}

static inline void write_id(struct writer *w, struct id v)
{
	write_u64(w, v.hi);
	write_u64(w, v.lo);
}

static inline void write_ip(struct writer *w, const struct ip *a)
{
	write_u8(w, a->family);
	write_copy(w, a->at, a->family == 4 ? 4 : a->family == 6 ? 16 : 0);
}

void write_endpoint(struct writer *w, const struct endpoint *e);

#endif /* BASE_BYTES_H */
