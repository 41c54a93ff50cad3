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

struct import {
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

void import_begin(struct import *in, const char *file, const void *data, size_t len,
		 enum table_meaning meaning, struct net_error *why);
void import_end(struct import *in);

/** import_line() - The next line without its end (\n or \r\n), or NULL: at the end, or failed */
char *import_line(struct import *in);

/** import_again() - Let the next import_line() give the same line */
void import_again(struct import *in);

/** import_fail() - Keep the message "file:line: ..." unless there is one already */
void import_fail(struct import *in, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * import_ns() - Milliseconds in @text, which is field @column (from 1) called @what
 * @max_ns: the most accepted; the least is 0, or -@max_ns if @negative
 * @out: nanoseconds, halved if the file means round trips
 */
bool import_ns(struct import *in, const char *text, unsigned column, const char *what,
	       int64_t max_ns, bool negative, int64_t *out);

/** import_count() - A whole number below @limit */
bool import_count(struct import *in, const char *text, unsigned column, const char *what,
		  uint32_t limit, uint32_t *out);

/** import_split() - Cut @line at commas into exactly @n fields */
bool import_split(struct import *in, char *line, char **field, unsigned n);

/* -- one for each format: a table, or NULL and import_fail() was called ---------------------- */

struct net_table *import_square(struct import *in);
struct net_table *import_edges(struct import *in);
struct net_table *import_points(struct import *in);
struct net_table *import_spread(struct import *in);

#endif /* SIM_NET_IMPORT_H */
