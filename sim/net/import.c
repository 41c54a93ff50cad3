/* import.c - lines out of plain or gzipped bytes, fields out of lines, and what is wrong with them */
#include "sim/net/import.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	WINDOW		= 64 << 10,
	LINE_MAX_BYTES	= 1 << 20,	/* NET_ROWS_MAX fields of 50 characters */
	SHOWN		= 40,		/* characters of a bad value repeated in a message */
};

void reader_fail(struct reader *r, const char *format, ...)
{
	va_list args;
	size_t at;

	if (r->failed)
		return;
	r->failed = true;
	if (r->line)
		snprintf(r->why->text, sizeof(r->why->text), "%s:%u: ", r->file, r->line);
	else
		snprintf(r->why->text, sizeof(r->why->text), "%s: ", r->file);
	at = strlen(r->why->text);
	va_start(args, format);
	vsnprintf(r->why->text + at, sizeof(r->why->text) - at, format, args);
	va_end(args);
}

void reader_init(struct reader *r, const char *file, const void *data, size_t len,
		 enum table_meaning meaning, struct net_error *why)
{
	const uint8_t *b = data;

	*r = (struct reader){ .file = file, .meaning = meaning, .why = why };
	r->text = g_string_new(NULL);
	r->gzipped = len >= 2 && b[0] == 0x1f && b[1] == 0x8b;	/* RFC 1952, section 2.3.1 */
	r->z.next_in = (Bytef *)(uintptr_t)b;	/* zlib's type lacks a const it keeps */
	if (!r->gzipped) {
		r->window = (uint8_t *)(uintptr_t)b;
		r->len = len;
		r->ended = true;
		return;
	}
	r->window = g_malloc(WINDOW);
	if (len > UINT32_MAX)
		reader_fail(r, "longer than 4 GiB");
	r->z.avail_in = (uInt)len;
	if (inflateInit2(&r->z, 15 + 16) != Z_OK)	/* 16: a gzip header is wanted */
		reader_fail(r, "zlib gives no stream");
}

void reader_done(struct reader *r)
{
	if (r->gzipped) {
		inflateEnd(&r->z);
		g_free(r->window);
	}
	g_string_free(r->text, TRUE);
}

/* More of the stream into the window, which is used up. Members may follow each other. */
static bool unpack(struct reader *r)
{
	if (r->ended)
		return false;
	r->at = 0;
	r->z.next_out = r->window;
	r->z.avail_out = WINDOW;
	while (r->z.avail_out == WINDOW) {
		int code = inflate(&r->z, Z_NO_FLUSH);

		if (code == Z_STREAM_END) {
			if (!r->z.avail_in) {
				r->ended = true;
				break;
			}
			inflateReset(&r->z);
		} else if (code == Z_BUF_ERROR || (code == Z_OK && !r->z.avail_in && r->z.avail_out)) {
			if (r->z.avail_out < WINDOW)
				break;		/* give what there is; the next call ends here */
			reader_fail(r, "the gzip data ends in its middle: the file is truncated");
			return false;
		} else if (code != Z_OK) {
			reader_fail(r, "the gzip data is damaged (%s)", r->z.msg ? r->z.msg : "zlib");
			return false;
		}
	}
	r->len = WINDOW - r->z.avail_out;
	return r->len;
}

char *reader_line(struct reader *r)
{
	bool any = false;

	if (r->failed)
		return NULL;
	if (r->again) {
		r->again = false;
		return r->text->str;
	}
	g_string_truncate(r->text, 0);
	while (r->at < r->len || unpack(r)) {
		const uint8_t *from = r->window + r->at;
		const uint8_t *end = memchr(from, '\n', r->len - r->at);
		size_t n = end ? (size_t)(end - from) : r->len - r->at;

		any = true;
		if (r->text->len + n > LINE_MAX_BYTES) {
			r->line++;
			reader_fail(r, "the line is longer than %d bytes", LINE_MAX_BYTES);
			return NULL;
		}
		g_string_append_len(r->text, (const char *)from, (gssize)n);
		r->at += n + !!end;
		if (end)
			break;
	}
	if (r->failed || !any)
		return NULL;
	r->line++;
	if (strlen(r->text->str) != r->text->len) {
		reader_fail(r, "a NUL byte: this is not text");
		return NULL;
	}
	if (r->text->len && r->text->str[r->text->len - 1] == '\r')
		g_string_truncate(r->text, r->text->len - 1);
	return r->text->str;
}

void reader_again(struct reader *r)
{
	r->again = true;
}

/* A bad value as messages repeat it: short, and printable whatever it was. */
static const char *shown(const char *text, char out[SHOWN + 4])
{
	size_t n = 0;

	for (; text[n] && n < SHOWN; n++)
		out[n] = text[n] >= 0x20 && text[n] < 0x7f ? text[n] : '?';
	strcpy(out + n, text[n] ? "..." : "");
	return out;
}

/*
 * digits [. digits] [e [+-] digits], times 10^6. Written here because strtod()
 * follows the locale, takes words and hexadecimal, and rounds to binary.
 */
static bool milliseconds(const char *s, bool *minus, uint64_t *ns)
{
	uint64_t value = 0;
	int power = 6, digits = 0, exponent = 0;
	bool point = false;

	*minus = *s == '-';
	if (*s == '-' || *s == '+')
		s++;
	for (;; s++) {
		if (*s == '.' && !point) {
			point = true;
			continue;
		}
		if (*s < '0' || *s > '9')
			break;
		digits++;
		if (value < UINT64_MAX / 100) {
			value = value * 10 + (uint64_t)(*s - '0');
			power -= point;
		} else if (!point) {
			return false;
		}
	}
	if (!digits)
		return false;
	if (*s == 'e' || *s == 'E') {
		bool down = s[1] == '-';

		s += s[1] == '-' || s[1] == '+' ? 2 : 1;
		if (*s < '0' || *s > '9')
			return false;
		for (; *s >= '0' && *s <= '9'; s++)
			if (exponent < 100)
				exponent = exponent * 10 + (*s - '0');
		power += down ? -exponent : exponent;
	}
	if (*s)
		return false;
	for (; power > 0 && value; power--)
		if (__builtin_mul_overflow(value, 10, &value))
			return false;
	for (; power < 0 && value; power++)
		value /= 10;
	*ns = value;
	return true;
}

bool reader_ns(struct reader *r, const char *text, unsigned column, const char *what,
	       int64_t max_ns, bool negative, int64_t *out)
{
	uint64_t ns;
	bool minus;
	int64_t most = r->meaning == TABLE_RTT ? 2 * max_ns : max_ns;
	char repeat[SHOWN + 4];

	if (!milliseconds(text, &minus, &ns) || ns > (uint64_t)most || (minus && ns && !negative)) {
		reader_fail(r, "%s (field %u) is '%s'; wanted: milliseconds from %d to %d, like 12.5",
			    what, column, shown(text, repeat),
			    negative ? (int)(-most / 1000000) : 0, (int)(most / 1000000));
		return false;
	}
	if (r->meaning == TABLE_RTT)
		ns /= 2;
	*out = minus ? -(int64_t)ns : (int64_t)ns;
	return true;
}

bool reader_count(struct reader *r, const char *text, unsigned column, const char *what,
		  uint32_t limit, uint32_t *out)
{
	uint64_t n = 0;
	const char *s = text;
	char repeat[SHOWN + 4];

	for (; *s >= '0' && *s <= '9' && n < limit; s++)
		n = n * 10 + (uint64_t)(*s - '0');
	if (s == text || *s || n >= limit) {
		reader_fail(r, "%s (field %u) is '%s'; wanted: a whole number from 0 to %u",
			    what, column, shown(text, repeat), limit - 1);
		return false;
	}
	*out = (uint32_t)n;
	return true;
}

bool reader_split(struct reader *r, char *line, char **field, unsigned n)
{
	unsigned found = 0;

	for (char *s = line; s; found++) {
		char *comma = strchr(s, ',');

		if (found < n)
			field[found] = s;
		if (comma)
			*comma++ = 0;
		s = comma;
	}
	if (found != n)
		reader_fail(r, "%u fields between commas; wanted: %u", found, n);
	return found == n;
}
