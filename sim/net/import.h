/*
 * import.h - reading files of numbers line by line, plain or gzipped
 *
 * Lines come one at a time out of the (decompressed) stream, so a file that
 * unpacks to more than it should costs no memory. The first thing wrong is
 * kept as the one message; after it no line is given.
 *
 *	Needs		zlib (Debian: zlib1g-dev)
 *	Ownership	the bytes read are the caller's; a line lives until the next
 */
#ifndef SIM_NET_IMPORT_H
#define SIM_NET_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>
#include <zlib.h>

#include "sim/net/table_inside.h"

struct reader {
	const char *file;		/* what messages call it */
	uint32_t line;			/* number of the line given last */
	enum table_meaning meaning;
	struct net_error *why;
	bool failed;
	/* the stream */
	z_stream z;
	bool gzipped, ended;
	uint8_t *window;		/* what is unpacked but not given */
	size_t at, len;
	GString *text;			/* the line */
	bool again;			/* give it once more */
};

void reader_init(struct reader *r, const char *file, const void *data, size_t len,
		 enum table_meaning meaning, struct net_error *why);
void reader_done(struct reader *r);

/** reader_line() - The next line without its end (\n or \r\n), or NULL: at the end, or failed */
char *reader_line(struct reader *r);

/** reader_again() - Let the next reader_line() give the same line */
void reader_again(struct reader *r);

/** reader_fail() - Keep the message "file:line: ..." unless there is one already */
void reader_fail(struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * reader_ns() - Milliseconds in @text, which is field @column (from 1) called @what
 * @max_ns: the most accepted; the least is 0, or -@max_ns if @negative
 * @out: nanoseconds, halved if the file means round trips
 */
bool reader_ns(struct reader *r, const char *text, unsigned column, const char *what,
	       int64_t max_ns, bool negative, int64_t *out);

/** reader_count() - A whole number below @limit */
bool reader_count(struct reader *r, const char *text, unsigned column, const char *what,
		  uint32_t limit, uint32_t *out);

/** reader_split() - Cut @line at commas into exactly @n fields */
bool reader_split(struct reader *r, char *line, char **field, unsigned n);

/* -- one for each format: a table, or NULL and reader_fail() was called ---------------------- */

struct net_table *import_square(struct reader *r);
struct net_table *import_edges(struct reader *r);
struct net_table *import_points(struct reader *r);
struct net_table *import_spread(struct reader *r);

#endif /* SIM_NET_IMPORT_H */
