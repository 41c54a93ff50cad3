/* grid.c - rows into points */
#include <math.h>
#include <string.h>

#include <glib.h>

#include "analysis/grid.h"

static bool same_point(const struct csv *c, unsigned parameters, unsigned a, unsigned b)
{
	for (unsigned i = 0; i < parameters; i++)
		if (strcmp(csv_text(c, a, i), csv_text(c, b, i)))
			return false;
	return true;
}

static char *label_of(const struct csv *c, unsigned parameters, unsigned row)
{
	GString *to = g_string_new(NULL);

	for (unsigned i = 0; i < parameters; i++)
		g_string_append_printf(to, "%s%s = %s", i ? ", " : "", c->head[i],
				       csv_text(c, row, i));
	return g_string_free(to, FALSE);
}

static void sort_into_points(struct grid *s)
{
	const struct csv *c = s->table;
	GArray *points = g_array_new(FALSE, TRUE, sizeof(struct grid_point));

	for (unsigned row = 0; row < c->rows; row++) {
		struct grid_point *p = NULL;

		for (unsigned i = 0; i < points->len && !p; i++) {
			struct grid_point *q = &g_array_index(points, struct grid_point, i);

			if (same_point(c, s->parameters, q->row[0], row))
				p = q;
		}
		if (!p) {
			g_array_set_size(points, points->len + 1);
			p = &g_array_index(points, struct grid_point, points->len - 1);
			p->label = label_of(c, s->parameters, row);
		}
		p->row = g_renew(unsigned, p->row, p->rows + 1);
		p->row[p->rows++] = row;
	}
	s->points = points->len;
	s->point = (struct grid_point *)(void *)g_array_free(points, FALSE);
}

struct grid *grid_of(const char *dir, struct csv *table, struct fail *f)
{
	struct grid *s = g_new0(struct grid, 1);
	int seed = csv_column(table, "seed");

	s->dir = g_strdup(dir);
	s->table = table;
	if (seed < 0) {
		fail_add(f, "%s:1: no column \"seed\"; accepted: parameters, seed, metrics",
			 table->file);
	} else if ((unsigned)seed + 1 == table->columns) {
		fail_add(f, "%s:1: no metrics after the column \"seed\"", table->file);
	} else if (!table->rows) {
		fail_add(f, "%s: no runs, only a header", table->file);
	} else if (csv_numeric(table, (unsigned)seed, f)) {
		s->parameters = (unsigned)seed;
		sort_into_points(s);
		return s;
	}
	grid_free(s);
	return NULL;
}

struct grid *grid_read(const char *dir, struct fail *f)
{
	char *path = g_build_filename(dir, "sweep.csv", NULL);
	struct csv *table = csv_read(path, f);

	g_free(path);
	return table ? grid_of(dir, table, f) : NULL;
}

void grid_free(struct grid *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < s->points; i++) {
		g_free(s->point[i].row);
		g_free(s->point[i].label);
	}
	g_free(s->point);
	csv_free(s->table);
	g_free(s->dir);
	g_free(s);
}

struct interval grid_interval(const struct grid *s, unsigned i, unsigned column)
{
	const struct grid_point *p = &s->point[i];
	double *v = g_new(double, p->rows);
	struct interval r;

	for (unsigned k = 0; k < p->rows; k++)
		v[k] = csv_number(s->table, p->row[k], column);
	r = interval_of(v, p->rows);
	g_free(v);
	return r;
}

const char *grid_value(const struct grid *s, unsigned i, unsigned parameter)
{
	return csv_text(s->table, s->point[i].row[0], parameter);
}

bool grid_numbers(const struct grid *s, unsigned parameter, double *value, const char **unit)
{
	for (unsigned i = 0; i < s->points; i++) {
		const char *text = grid_value(s, i, parameter);
		size_t len = strspn(text, "0123456789.-");
		char *number = g_strndup(text, len);
		bool ok = number_parse(number, &value[i]) && (!i || !strcmp(text + len, *unit));

		g_free(number);
		if (!ok)
			return false;
		if (!i)
			*unit = text + len;
	}
	return true;
}
