/*
 * csv.h - tables with a header line, as runs and sweeps leave them
 *
 * Commas, one header line, the same number of cells in every line; a cell may be
 * quoted (RFC 4180) and may be empty, which means "unknown". Numbers are plain
 * decimals in the C locale.
 *
 *	Memory		one copy of the text and a pointer per cell; csv_free()
 *	Bad input	refused with file, line and column; nothing is guessed
 */
#ifndef CSV_H
#define CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "node/prog/fail.h"

enum { CSV_FILE_MAX = 256 << 20, CSV_COLUMNS_MAX = 4096 };

struct csv {
	char *file;			/* its name, for messages */
	char *text;			/* what the cells point into */
	char **head;			/* names of columns */
	char **cell;			/* rows * columns, row by row */
	unsigned columns, rows;
};

/** csv_read() - The table in @path; NULL with a message */
struct csv *csv_read(const char *path, struct fail *f);

/** csv_parse() - The same from memory; @text of @len bytes is copied */
struct csv *csv_parse(const char *name, const char *text, size_t len, struct fail *f);
void csv_free(struct csv *c);

/** csv_column() - Where the column called @name is, or -1 */
int csv_column(const struct csv *c, const char *name);

static inline const char *csv_text(const struct csv *c, unsigned row, unsigned column)
{
	return c->cell[(size_t)row * c->columns + column];
}

/** csv_number() - The cell as a number; NAN if it is empty (or, unlikely after csv_numeric(), no number) */
double csv_number(const struct csv *c, unsigned row, unsigned column);

/** csv_numeric() - Check that all cells from column @from on are numbers or empty */
bool csv_numeric(const struct csv *c, unsigned from, struct fail *f);

/** number_parse() - A plain decimal and nothing else */
bool number_parse(const char *text, double *value);

#endif /* CSV_H */
