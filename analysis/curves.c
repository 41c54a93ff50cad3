/* curves.c - from tables to data blocks and axes */
#include <math.h>
#include <string.h>

#include "analysis/curves.h"

enum { BINS_MAX = 420 };

unsigned curve_series(struct plot *p, const struct run *r, struct plot_time t, const char *column,
		      const char *weight, double scale, struct extent *e)
{
	const struct csv *c = r->series;
	int at = csv_column(c, column), by = weight ? csv_column(c, weight) : -1;
	unsigned step = c->rows / BINS_MAX + 1, block, some = 0;

	if (at < 0)
		return NO_BLOCK;
	for (unsigned row = 0; row < c->rows && !some; row++)
		some += isfinite(csv_number(c, row, (unsigned)at));
	if (!some)
		return NO_BLOCK;
	block = plot_block(p);
	for (unsigned first = 0; first < c->rows; first += step) {
		double sum = 0, weights = 0, begin = NAN, end = NAN;

		for (unsigned row = first; row < c->rows && row < first + step; row++) {
			double v = csv_number(c, row, (unsigned)at);
			double w = by < 0 ? csv_number(c, row, 1) : csv_number(c, row, (unsigned)by);

			end = csv_number(c, row, 0);
			if (row == first)
				begin = end - csv_number(c, row, 1);
			if (isfinite(v) && w > 0) {
				sum += v * w;
				weights += w;
			}
		}
		if (weights > 0) {
			double v = scale * sum / weights;

			if (end > r->warmup_s || r->reached_s <= r->warmup_s) {
				e->least = fmin(e->least, v);
				e->greatest = fmax(e->greatest, v);
			}
			plot_row(p, 2, (begin + end) / 2 / t.per, v);
		} else {
			plot_row(p, 1, (double)NAN);
		}
	}
	plot_end(p);
	return block;
}

void axis_time(struct plot *p, struct plot_time t)
{
	plot_say(p, "set xrange [0:%g]", t.end);
	plot_say(p, "set xlabel 'virtual time (%s)' offset 0,0.4 textcolor rgb '#444444'", t.unit);
}

void axis_y(struct plot *p, const char *text)
{
	/* gnuplot's own stands beside the widest number, and so in the margin's way */
	plot_say(p, "set label 1001 '%s' at screen 0.018, screen %g rotate center "
		 "textcolor rgb '#444444'", text, p->middle);
}

void key_at(struct plot *p, double top)
{
	plot_say(p, "set key at screen 0.975, screen %g right top", top);
}

void axis_log(struct plot *p, double low, double high)
{
	static const double step[] = { 1, 2, 5 };
	GString *tics = g_string_new("set xtics (");
	bool all = high / low < 1000;
	unsigned n = 0;

	for (double decade = pow(10, floor(log10(low))); decade <= high; decade *= 10)
		for (size_t i = 0; i < (all ? G_N_ELEMENTS(step) : 1); i++)
			if (decade * step[i] >= low && decade * step[i] <= high)
				g_string_append_printf(tics, "%s'%.6g' %.6g", n++ ? ", " : "",
						       decade * step[i], decade * step[i]);
	plot_say(p, "set logscale x");
	if (n)
		plot_say(p, "%s)", tics->str);
	g_string_free(tics, TRUE);
}

void axis_percent(struct plot *p, struct extent e)
{
	double gap = fmax(100 - e.least, 0.1) * 1.12;
	double low = fmax(0, 100 - gap);

	plot_say(p, "set yrange [%g:%g]", low, 100 + fmin(gap * 0.05, 2));
}

char *curve_title(const struct run *r, unsigned count, const char *alone)
{
	return plot_quote(count == 1 ? alone : r->label);
}

double head_room(struct plot *p, const struct run *const *runs, unsigned count)
{
	p->head = count > 1	     ? 48 :
		  runs[0]->faults    ? 84 :
		  runs[0]->warmup_s > 0 ? 58 : 48;
	return 1 - p->head / p->height;
}

bool curve_measured(const struct run *const *runs, unsigned count, const char *column)
{
	for (unsigned i = 0; i < count; i++) {
		int at = csv_column(runs[i]->series, column);

		for (unsigned row = 0; at >= 0 && row < runs[i]->series->rows; row++)
			if (isfinite(csv_number(runs[i]->series, row, (unsigned)at)))
				return true;
	}
	return false;
}

const char *curve_colour(unsigned i, unsigned count, const char *alone)
{
	return count == 1 ? alone : plot_colour[i % PLOT_COLOURS];
}

double curve_quantile(const struct csv *c, double share)
{
	for (unsigned row = 0; row < c->rows; row++)
		if (csv_number(c, row, 3) >= share)
			return csv_number(c, row, 1);
	return c->rows ? csv_number(c, c->rows - 1, 1) : (double)NAN;
}

unsigned curve_cdf(struct plot *p, const struct csv *c, bool steps, double low, double high)
{
	unsigned block = plot_block(p);
	double drawn = -1;

	for (unsigned row = 0; row < c->rows; row++) {
		double share = csv_number(c, row, 3) * 100;

		if (!row) {
			if (low < csv_number(c, 0, 0))
				plot_row(p, 2, low, 0.0);
			plot_row(p, 2, csv_number(c, 0, 0), 0.0);
		}
		/* a pixel is 0.3 %; the last rows matter because the axis ends there */
		if (!steps && share - drawn < 0.05 && row + 1 < c->rows)
			continue;
		drawn = share;
		plot_row(p, 2, csv_number(c, row, 1), share);
	}
	if (c->rows && high > csv_number(c, c->rows - 1, 1))
		plot_row(p, 2, high, 100.0);
	plot_end(p);
	return block;
}
