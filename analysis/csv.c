/* csv.c - split in place, check everything */
#include <math.h>
#include <string.h>

#include <glib.h>

#include "analysis/csv.h"
#include "node/prog/json.h"

struct reader {
	const char *file;
	char *at, *end;
	unsigned line;
	struct fail *fail;
};

/*
 * One cell, NUL-terminated in place; *last says that its line ended. A quoted cell is
 * moved together over its doubled quotes. NULL with a message.
 */
static char *cell(struct reader *r, bool *last)
{
	char *start = r->at, *to = r->at;

	if (r->at < r->end && *r->at == '"') {
		for (r->at++;; r->at++) {
			if (r->at == r->end) {
				fail_add(r->fail, "%s:%u: a quote is not closed", r->file, r->line);
				return NULL;
			}
			if (*r->at == '"' && *++r->at != '"')
				break;
			r->line += *r->at == '\n';
			*to++ = *r->at;
		}
	} else {
		while (r->at < r->end && *r->at != ',' && *r->at != '\n' && *r->at != '\r')
			r->at++;
		to = r->at;
	}
	*last = true;
	if (r->at < r->end && *r->at == ',') {
		*last = false;
		r->at++;
	} else {
		if (r->at < r->end && *r->at == '\r')
			r->at++;
		if (r->at < r->end && *r->at != '\n') {
			fail_add(r->fail, "%s:%u: '%c' after the end of a cell; accepted: a comma "
				 "or the end of the line", r->file, r->line,
				 g_ascii_isprint(*r->at) ? *r->at : '?');
			return NULL;
		}
		if (r->at < r->end)
			r->at++;
	}
	*to = '\0';
	return start;
}

static bool header(struct reader *r, struct csv *c)
{
	GPtrArray *head = g_ptr_array_new();
	bool last = false;
	char *name = NULL;

	while (!last && (name = cell(r, &last))) {
		if (!*name || head->len == CSV_COLUMNS_MAX) {
			fail_add(r->fail, *name ? "%s:1: more than %u columns" :
				 "%s:1: column %u has no name", r->file, head->len + !*name);
			name = NULL;
			break;
		}
		g_ptr_array_add(head, name);
	}
	c->columns = head->len;
	c->head = (char **)g_ptr_array_free(head, FALSE);
	r->line++;
	return name;
}

static bool rows(struct reader *r, struct csv *c)
{
	GPtrArray *cells = g_ptr_array_new();
	bool ok = true;

	while (ok && r->at < r->end) {
		unsigned start = cells->len, line = r->line;
		bool last = false;
		char *text;

		while (!last && (text = cell(r, &last)))
			g_ptr_array_add(cells, text);
		if (!last || failed(r->fail)) {
			ok = false;
		} else if (cells->len - start != c->columns) {
			fail_add(r->fail, "%s:%u: %u cells where the header has %u", r->file, line,
				 cells->len - start, c->columns);
			ok = false;
		}
		r->line++;
	}
	c->rows = c->columns ? cells->len / c->columns : 0;
	c->cell = (char **)g_ptr_array_free(cells, FALSE);
	return ok;
}

struct csv *csv_parse(const char *name, const char *text, size_t len, struct fail *f)
{
	struct csv *c = g_new0(struct csv, 1);
	struct fail mine = { 0 };
	struct reader r = { .file = name, .line = 1, .fail = &mine };

	c->file = g_strdup(name);
	c->text = g_malloc(len + 1);
	memcpy(c->text, text, len);
	c->text[len] = '\0';
	r.at = c->text;
	r.end = c->text + len;
	if (!len)
		fail_add(&mine, "%s: empty; accepted: a header line and rows", name);
	else if (memchr(text, '\0', len))
		fail_add(&mine, "%s: not text: it holds a NUL byte", name);
	else if (!g_utf8_validate_len(text, len, NULL))
		fail_add(&mine, "%s: not UTF-8 text", name);
	else if (header(&r, c))
		rows(&r, c);
	if (failed(&mine)) {
		fail_move(f, &mine);
		csv_free(c);
		return NULL;
	}
	return c;
}

struct csv *csv_read(const char *path, struct fail *f)
{
	size_t len;
	char *text = file_read(path, CSV_FILE_MAX, &len, f);
	struct csv *c = text ? csv_parse(path, text, len, f) : NULL;

	g_free(text);
	return c;
}

void csv_free(struct csv *c)
{
	if (!c)
		return;
	g_free(c->cell);
	g_free(c->head);
	g_free(c->text);
	g_free(c->file);
	g_free(c);
}

int csv_column(const struct csv *c, const char *name)
{
	for (unsigned i = 0; i < c->columns; i++)
		if (!strcmp(c->head[i], name))
			return (int)i;
	return -1;
}

bool number_parse(const char *text, double *value)
{
	char *end;
	double v;

	/* strtod() also takes "inf", "nan" and hexadecimal */
	if (!*text || text[strspn(text, "0123456789+-.eE")])
		return false;
	v = g_ascii_strtod(text, &end);
	if (*end || !isfinite(v))
		return false;
	*value = v;
	return true;
}

double csv_number(const struct csv *c, unsigned row, unsigned column)
{
	double v;

	return number_parse(csv_text(c, row, column), &v) ? v : (double)NAN;
}

bool csv_numeric(const struct csv *c, unsigned from, struct fail *f)
{
	double v;

	for (unsigned row = 0; row < c->rows; row++)
		for (unsigned i = from; i < c->columns; i++) {
			const char *text = csv_text(c, row, i);

			if (!*text || number_parse(text, &v))
				continue;
			fail_add(f, "%s:%u: column %s: '%.40s' is no number; accepted: a decimal "
				 "number or nothing", c->file, row + 2, c->head[i], text);
			return false;
		}
	return true;
}
