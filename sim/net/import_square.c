/*
 * import_square.c - n lines of n numbers: planetlab-490
 *
 * Entry (i, j) is the latency from row i to row j, the diagonal is 0. Symmetry
 * is not asked for. Memory grows with what was read, not with what the first
 * line promises.
 */
#include "sim/net/import.h"

#include <string.h>

static char *next_field(char **s)
{
	char *field = *s + strspn(*s, " \t"), *end = field + strcspn(field, " \t");

	if (end == field)
		return NULL;
	*s = end + !!*end;
	*end = 0;
	return field;
}

static unsigned count_fields(const char *s)
{
	unsigned n = 0;

	for (s += strspn(s, " \t"); *s; s += strspn(s, " \t")) {
		s += strcspn(s, " \t");
		n++;
	}
	return n;
}

static bool blank(const char *s)
{
	return !s[strspn(s, " \t")];
}

static bool read_row(struct import *in, char *line, uint32_t row, uint32_t n, GArray *ns)
{
	char *field;
	uint32_t column = 0;

	while ((field = next_field(&line))) {
		int64_t value;
		uint32_t entry;

		if (column == n)
			break;
		if (!import_ns(in, field, column + 1, "latency", NET_LATENCY_MAX_NS, false, &value))
			return false;
		if (column == row && value) {
			import_fail(in, "latency (field %u) is '%s'; wanted: 0, this is the diagonal",
				    column + 1, field);
			return false;
		}
		entry = (uint32_t)value;
		g_array_append_val(ns, entry);
		column++;
	}
	if (column < n || field) {
		import_fail(in, "%s than %u numbers; wanted: a square, and the first line has %u",
			    field ? "more" : "fewer", n, n);
		return false;
	}
	return true;
}

struct net_table *import_square(struct import *in)
{
	GArray *ns = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	uint32_t rows = 0, n = 0;
	struct net_table *t;
	char *line;

	while ((line = import_line(in))) {
		if (!rows)
			n = count_fields(line);
		if (rows && rows >= n) {
			if (blank(line))
				continue;
			import_fail(in, "more than %u lines; wanted: a square, and the first line has "
				    "%u numbers", n, n);
			break;
		}
		if (n < 2 || n > NET_ROWS_MAX) {
			import_fail(in, "%u numbers in the first line; wanted: 2 to %d", n, NET_ROWS_MAX);
			break;
		}
		if (!read_row(in, line, rows, n, ns))
			break;
		rows++;
	}
	if (!in->failed && rows < n)
		import_fail(in, "the file ends after %u lines; wanted: %u, as many as there are numbers "
			    "in a line", rows, n);
	if (!in->failed && !n)
		import_fail(in, "the file is empty; wanted: lines of milliseconds");
	if (in->failed) {
		g_array_free(ns, TRUE);
		return NULL;
	}
	t = g_new0(struct net_table, 1);
	t->kind = KIND_MATRIX;
	t->rows = n;
	t->ns = (uint32_t *)(void *)g_array_free(ns, FALSE);
	return t;
}
