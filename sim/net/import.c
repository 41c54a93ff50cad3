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

void import_fail(struct import *in, const char *format, ...)
{
	va_list args;
	size_t at;

	if (in->failed)
		return;
	in->failed = true;
	if (in->line)
		snprintf(in->why->text, sizeof(in->why->text), "%s:%u: ", in->file, in->line);
	else
		snprintf(in->why->text, sizeof(in->why->text), "%s: ", in->file);
	at = strlen(in->why->text);
	va_start(args, format);
	vsnprintf(in->why->text + at, sizeof(in->why->text) - at, format, args);
	va_end(args);
}

void import_begin(struct import *in, const char *file, const void *data, size_t len,
		 enum table_meaning meaning, struct net_error *why)
{
	const uint8_t *b = data;

	*in = (struct import){ .file = file, .meaning = meaning, .why = why };
	in->text = g_string_new(NULL);
	in->gzipped = len >= 2 && b[0] == 0x1f && b[1] == 0x8b;	/* RFC 1952, section 2.3.1 */
	in->z.next_in = (Bytef *)(uintptr_t)b;	/* zlib's type lacks a const it keeps */
	if (!in->gzipped) {
		in->window = (uint8_t *)(uintptr_t)b;
		in->len = len;
		in->ended = true;
		return;
	}
	in->window = g_malloc(WINDOW);
	if (len > UINT32_MAX)
		import_fail(in, "longer than 4 GiB");
	in->z.avail_in = (uInt)len;
	if (inflateInit2(&in->z, 15 + 16) != Z_OK)	/* 16: a gzip header is wanted */
		import_fail(in, "zlib gives no stream");
}

void import_end(struct import *in)
{
	if (in->gzipped) {
		inflateEnd(&in->z);
		g_free(in->window);
	}
	g_string_free(in->text, TRUE);
}

/* More of the stream into the window, which is used up. Members may follow each other. */
static bool unpack(struct import *in)
{
	if (in->ended)
		return false;
	in->at = 0;
	in->z.next_out = in->window;
	in->z.avail_out = WINDOW;
	while (in->z.avail_out == WINDOW) {
		int code = inflate(&in->z, Z_NO_FLUSH);

		if (code == Z_STREAM_END) {
			if (!in->z.avail_in) {
				in->ended = true;
				break;
			}
			inflateReset(&in->z);
		} else if (code == Z_BUF_ERROR || (code == Z_OK && !in->z.avail_in && in->z.avail_out)) {
			if (in->z.avail_out < WINDOW)
				break;		/* give what there is; the next call ends here */
			import_fail(in, "the gzip data ends in its middle: the file is truncated");
			return false;
		} else if (code != Z_OK) {
			import_fail(in, "the gzip data is damaged (%s)", in->z.msg ? in->z.msg : "zlib");
			return false;
		}
	}
	in->len = WINDOW - in->z.avail_out;
	return in->len;
}

char *import_line(struct import *in)
{
	bool any = false;

	if (in->failed)
		return NULL;
	if (in->again) {
		in->again = false;
		return in->text->str;
	}
	g_string_truncate(in->text, 0);
	while (in->at < in->len || unpack(in)) {
		const uint8_t *from = in->window + in->at;
		const uint8_t *end = memchr(from, '\n', in->len - in->at);
		size_t n = end ? (size_t)(end - from) : in->len - in->at;

		any = true;
		if (in->text->len + n > LINE_MAX_BYTES) {
			in->line++;
			import_fail(in, "the line is longer than %d bytes", LINE_MAX_BYTES);
			return NULL;
		}
		g_string_append_len(in->text, (const char *)from, (gssize)n);
		in->at += n + !!end;
		if (end)
			break;
	}
	if (in->failed || !any)
		return NULL;
	in->line++;
	if (strlen(in->text->str) != in->text->len) {
		import_fail(in, "a NUL byte: this is not text");
		return NULL;
	}
	if (in->text->len && in->text->str[in->text->len - 1] == '\r')
		g_string_truncate(in->text, in->text->len - 1);
	return in->text->str;
}

void import_again(struct import *in)
{
	in->again = true;
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

bool import_ns(struct import *in, const char *text, unsigned column, const char *what,
	       int64_t max_ns, bool negative, int64_t *out)
{
	uint64_t ns;
	bool minus;
	int64_t most = in->meaning == TABLE_RTT ? 2 * max_ns : max_ns;
	char repeat[SHOWN + 4];

	if (!milliseconds(text, &minus, &ns) || ns > (uint64_t)most || (minus && ns && !negative)) {
		import_fail(in, "%s (field %u) is '%s'; wanted: milliseconds from %d to %d, like 12.5",
			    what, column, shown(text, repeat),
			    negative ? (int)(-most / 1000000) : 0, (int)(most / 1000000));
		return false;
	}
	if (in->meaning == TABLE_RTT)
		ns /= 2;
	*out = minus ? -(int64_t)ns : (int64_t)ns;
	return true;
}

bool import_count(struct import *in, const char *text, unsigned column, const char *what,
		  uint32_t limit, uint32_t *out)
{
	uint64_t n = 0;
	const char *s = text;
	char repeat[SHOWN + 4];

	for (; *s >= '0' && *s <= '9' && n < limit; s++)
		n = n * 10 + (uint64_t)(*s - '0');
	if (s == text || *s || n >= limit) {
		import_fail(in, "%s (field %u) is '%s'; wanted: a whole number from 0 to %u",
			    what, column, shown(text, repeat), limit - 1);
		return false;
	}
	*out = (uint32_t)n;
	return true;
}

bool import_split(struct import *in, char *line, char **field, unsigned n)
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
		import_fail(in, "%u fields between commas; wanted: %u", found, n);
	return found == n;
}
