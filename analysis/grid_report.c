/* grid_report.c - figures, table and numbers of a sweep */
#include <math.h>
#include <string.h>

#include "analysis/curves.h"
#include "analysis/page.h"
#include "analysis/report.h"
#include "analysis/values.h"
#include "node/prog/json.h"

/* What a sweep is drawn by; all other columns are in the table only. */
static const struct {
	const char *metric, *title, *axis;
	double scale;
} drawn[] = {
	{ "lookup.right", "Right lookups", "right, %", 100 },
	{ "lookup.first_try", "Right on the first try", "right on the first try, %", 100 },
	{ "lookup.wrong", "Wrong lookups", "wrong, %", 100 },
	{ "lookup.lost", "Lost lookups", "lost, %", 100 },
	{ "lookup.hops.mean", "Mean hops", "hops", 1 },
	{ "lookup.latency_ms.p50", "Median lookup latency", "ms", 1 },
	{ "lookup.latency_ms.p95", "95th percentile of lookup latency", "ms", 1 },
	{ "maintenance.bytes_per_node_s.mean", "Maintenance, mean node", "bytes per node and second", 1 },
	{ "maintenance.bytes_per_node_s.p95", "Maintenance, 95th percentile node",
	  "bytes per node and second", 1 },
	{ "ring.successor_right", "Successors right over time", "successor right, %", 100 },
	{ "ring.healed_s", "Time to heal after the last fault", "s", 1 },
	{ "join.time_s.p50", "Median time to join", "s", 1 },
	{ "join.time_s.p99", "99th percentile of the time to join", "s", 1 },
	{ "death.noticed_s.p99", "99th percentile of the time to notice a death", "s", 1 },
};

/* Values of all parameters but the first, as the name of a line; g_free() it. */
static char *line_of(const struct grid *s, unsigned i)
{
	GString *to = g_string_new(NULL);

	for (unsigned k = 1; k < s->parameters; k++)
		g_string_append_printf(to, "%s%s = %s", k > 1 ? ", " : "", s->table->head[k],
				       grid_value(s, i, k));
	return g_string_free(to, FALSE);
}

/* Names of lines in order of first appearance, and which line each point is on. */
static GPtrArray *lines_of(const struct grid *s, unsigned *line)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

	for (unsigned i = 0; i < s->points; i++) {
		char *name = line_of(s, i);
		unsigned at = 0;

		while (at < names->len && strcmp(g_ptr_array_index(names, at), name))
			at++;
		line[i] = at;
		if (at == names->len)
			g_ptr_array_add(names, name);
		else
			g_free(name);
	}
	return names;
}

/* Where point @i stands on the axis of the first parameter. */
static void places(const struct grid *s, struct plot *p, double *x)
{
	const char *unit = "";
	char *name, *quoted;
	double low = INFINITY, high = -INFINITY;
	bool numbers = s->parameters && grid_numbers(s, 0, x, &unit);
	GString *tics = g_string_new("set xtics noenhanced (");
	GPtrArray *seen = g_ptr_array_new();
	unsigned shown = 0;

	for (unsigned i = 0; !numbers && i < s->points; i++) {
		const char *value = s->parameters ? grid_value(s, i, 0) : "all runs";
		unsigned at = 0;

		while (at < seen->len && strcmp(g_ptr_array_index(seen, at), value))
			at++;
		if (at == seen->len) {
			g_ptr_array_add(seen, (char *)value);
			quoted = plot_quote(value);
			g_string_append_printf(tics, "%s%s %u", at ? ", " : "", quoted, at);
			g_free(quoted);
		}
		x[i] = at;
	}
	for (unsigned i = 0; i < s->points; i++) {
		low = fmin(low, x[i]);
		high = fmax(high, x[i]);
	}
	/* few values: numbers on the axis are those that were run */
	for (unsigned i = 0; numbers && s->points <= 60 && i < s->points; i++) {
		unsigned k = 0;

		while (k < i && x[k] != x[i])
			k++;
		if (k == i)
			g_string_append_printf(tics, "%s'%g' %g", shown++ ? ", " : "", x[i], x[i]);
	}
	if (shown && shown <= 10)
		plot_say(p, "%s)", tics->str);
	if (!numbers) {
		plot_say(p, "%s)", tics->str);
		plot_say(p, "set xrange [%g:%g]", low - 0.5, high + 0.5);
	} else if (low > 0 && high / low >= 20) {
		plot_say(p, "set logscale x");
		plot_say(p, "set xrange [%g:%g]", low / 1.2, high * 1.2);
	} else {
		double room = high > low ? (high - low) * 0.04 : fmax(fabs(high) * 0.1, 0.5);

		plot_say(p, "set xrange [%g:%g]", low - room, high + room);
	}
	name = s->parameters ? g_strdup_printf(*unit ? "%s (%s)" : "%s", s->table->head[0], unit) :
			       g_strdup("");
	quoted = plot_quote(name);
	plot_say(p, "set xlabel %s noenhanced offset 0,0.4 textcolor rgb '#444444'", quoted);
	g_free(quoted);
	g_free(name);
	g_ptr_array_free(seen, TRUE);
	g_string_free(tics, TRUE);
}

/* One metric against the first parameter, a line per set of the others. */
static bool draw_metric(struct plot *p, const struct grid *s, unsigned column, const char *axis,
			double scale)
{
	unsigned *line = g_new(unsigned, s->points), fewest = UINT_MAX, most = 0;
	double *x = g_new(double, s->points);
	GPtrArray *names = lines_of(s, line);
	GString *to = g_string_new("plot NaN notitle");
	double low = INFINITY, high = -INFINITY;

	places(s, p, x);
	for (unsigned k = 0; k < names->len; k++) {
		const char *colour = plot_colour[k % PLOT_COLOURS];
		char *quoted = plot_quote(g_ptr_array_index(names, k));
		unsigned block = plot_block(p);

		for (unsigned i = 0; i < s->points; i++) {
			struct interval v = grid_interval(s, i, column);
			double half = isfinite(v.half) ? v.half : 0;

			if (line[i] != k || !v.count)
				continue;
			fewest = MIN(fewest, v.count);
			most = MAX(most, v.count);
			low = fmin(low, (v.mean - half) * scale);
			high = fmax(high, (v.mean + half) * scale);
			plot_row(p, 3, x[i], v.mean * scale, half * scale);
		}
		plot_end(p);
		g_string_append_printf(to, ", $d%u using 1:2 with lines lw 1.4 lc rgb '%s' notitle, "
				       "$d%u using 1:2:3 with yerrorbars pt 7 ps 0.6 lw 1.4 lc rgb '%s' "
				       "title %s", block, colour, block, colour, quoted);
		g_free(quoted);
	}
	if (most) {
		double room = high > low ? (high - low) * 0.08 : fmax(fabs(high) * 0.05, 0.05);

		plot_panel(p, 60.0 / p->height, 1 - 48.0 / p->height);
		if (names->len > 1)
			key_at(p, 1 - 8.0 / p->height);
		else
			plot_say(p, "unset key");
		axis_y(p, axis);
		if (low >= 0 && low < (high - low) * 3)
			low = room = 0;
		plot_say(p, "set yrange [%g:%g]", low - room, high > low ? high + (high - low) * 0.08 : high + 0.05);
		plot_say(p, "%s", to->str);
		if (fewest == most)
			plot_caption(p, "Mean over %u %s%s.", most, most == 1 ? "run" : "seeds",
				     most > 1 ? "; bars: 95 % confidence interval" : "");
		else
			plot_caption(p, "Mean over %u to %u seeds; bars: 95 %% confidence interval.",
				     fewest, most);
	}
	g_string_free(to, TRUE);
	g_ptr_array_free(names, TRUE);
	g_free(x);
	g_free(line);
	return most;
}

/*
 * Performance against cost (Li et al., INFOCOM 2005): a dot per parameter set, and
 * the lower hull, on which lie the sets that no other beats at both.
 */
struct dot {
	double x, y;
	unsigned point;
};

static int by_cost(const void *a, const void *b)
{
	const struct dot *p = a, *q = b;

	return p->x != q->x ? (p->x < q->x ? -1 : 1) : (p->y > q->y) - (p->y < q->y);
}

/* The part of the convex hull that falls to the right; keeps it at the front of @d. */
static unsigned lower_hull(struct dot *d, unsigned count)
{
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++) {
		if (n && d[i].y >= d[n - 1].y)
			continue;
		while (n > 1 && (d[n - 1].x - d[n - 2].x) * (d[i].y - d[n - 2].y) <=
				(d[n - 1].y - d[n - 2].y) * (d[i].x - d[n - 2].x))
			n--;
		d[n++] = d[i];
	}
	return n;
}

static unsigned dots_of(const struct grid *s, unsigned cost, unsigned gain, struct dot *d)
{
	unsigned count = 0;

	for (unsigned i = 0; i < s->points; i++) {
		d[count] = (struct dot){ grid_interval(s, i, cost).mean,
					 grid_interval(s, i, gain).mean, i };
		count += isfinite(d[count].x) && isfinite(d[count].y);
	}
	if (count)
		qsort(d, count, sizeof(*d), by_cost);
	return count;
}

/* Dots in the colours of their lines, each with its value of the first parameter. */
static void draw_dots(struct plot *p, const struct grid *s, const struct dot *d, unsigned count,
		      GString *to)
{
	unsigned *line = g_new(unsigned, s->points);
	GPtrArray *names = lines_of(s, line);

	for (unsigned k = 0; k < names->len; k++) {
		char *title = plot_quote(g_ptr_array_index(names, k));
		unsigned block = plot_block(p);

		for (unsigned i = 0; i < count; i++)
			if (line[d[i].point] == k)
				plot_row(p, 2, d[i].x, d[i].y);
		plot_end(p);
		g_string_append_printf(to, ", $d%u using 1:2 with points pt 7 ps 0.8 lc rgb '%s' title %s",
				       block, plot_colour[k % PLOT_COLOURS], title);
		g_free(title);
	}
	for (unsigned i = 0; s->parameters && i < count; i++) {
		char *quoted = plot_quote(grid_value(s, d[i].point, 0));

		plot_say(p, "set label %s noenhanced at %g,%g left offset 0.6,0.5 font 'Sans,11' "
			 "textcolor rgb '#666666'", quoted, d[i].x, d[i].y);
		g_free(quoted);
	}
	g_ptr_array_free(names, TRUE);
	g_free(line);
}

static bool draw_cost(struct plot *p, const struct grid *s)
{
	int cost = csv_column(s->table, "maintenance.bytes_per_node_s.mean");
	int gain = csv_column(s->table, "lookup.latency_ms.mean");
	GString *to = g_string_new(NULL);
	struct dot *d = g_new(struct dot, s->points + 1);
	unsigned count = 0, hull, hulls;

	if (gain < 0)
		gain = csv_column(s->table, "lookup.latency_ms.p50");
	if (cost >= 0 && gain >= 0)
		count = dots_of(s, (unsigned)cost, (unsigned)gain, d);
	if (count >= 3) {
		draw_dots(p, s, d, count, to);
		hulls = lower_hull(d, count);
		hull = plot_block(p);
		for (unsigned i = 0; i < hulls; i++)
			plot_row(p, 2, d[i].x, d[i].y);
		plot_end(p);
		plot_panel(p, 60.0 / p->height, 1 - 48.0 / p->height);
		key_at(p, 1 - 8.0 / p->height);
		plot_say(p, "set xlabel 'maintenance, bytes per node and second' offset 0,0.4 "
			 "textcolor rgb '#444444'");
		axis_y(p, "lookup latency, ms");
		plot_say(p, "set offsets graph 0.08, graph 0.08, graph 0.1, graph 0.1");
		plot_say(p, "plot $d%u using 1:2 with lines lw 1.4 lc rgb '#b0b0b0' notitle%s", hull,
			 to->str);
		plot_caption(p, "Performance against cost: latency of right lookups over maintenance traffic, "
			     "a dot per parameter set%s%s. Left and low is good; sets on the grey line "
			     "are not beaten at both.", s->parameters ? ", with its value of " : "",
			     s->parameters ? s->table->head[0] : "");
	}
	g_string_free(to, TRUE);
	g_free(d);
	return count >= 3;
}

static bool add(struct page *page, struct plot *p, const char *dir, struct fail *f)
{
	char *svg = plot_draw(p, dir, f);

	if (svg)
		page_figure(page, p->name, svg, p->caption->str);
	g_free(svg);
	return svg;
}

static bool figures_of(struct page *page, const struct grid *s, const char *out, struct fail *f)
{
	char *dir = g_build_filename(out, "figures", NULL);
	bool ok = dir_make(dir, f);
	struct plot p;

	for (size_t i = 0; ok && i < G_N_ELEMENTS(drawn); i++) {
		int column = csv_column(s->table, drawn[i].metric);

		if (column < 0)
			continue;
		plot_init(&p, drawn[i].metric, drawn[i].title, 340);
		if (draw_metric(&p, s, (unsigned)column, drawn[i].axis, drawn[i].scale))
			ok = add(page, &p, dir, f);
		plot_done(&p);
	}
	if (ok) {
		plot_init(&p, "cost", "Performance and cost", 420);
		if (draw_cost(&p, s))
			ok = add(page, &p, dir, f);
		plot_done(&p);
	}
	g_free(dir);
	return ok;
}

static bool is_share(const char *metric)
{
	for (size_t i = 0; i < G_N_ELEMENTS(drawn); i++)
		if (!strcmp(drawn[i].metric, metric))
			return drawn[i].scale == 100;
	return false;
}

static void interval_text(struct interval v, bool share, char buf[VALUE_LEN])
{
	char mean[VALUE_LEN], half[VALUE_LEN];

	value_text(v.mean, share ? "share" : "", mean);
	if (!isfinite(v.half))
		g_strlcpy(buf, mean, VALUE_LEN);
	else if (share)
		g_snprintf(buf, VALUE_LEN, "%s ± %s", mean, short_number(v.half * 100, half));
	else
		g_snprintf(buf, VALUE_LEN, "%s ± %s", mean, short_number(v.half, half));
}

/* Metrics down, points across while they fit; else a table per point would say nothing more. */
static void table(struct page *p, const struct grid *s)
{
	GPtrArray *heads = g_ptr_array_new_with_free_func(g_free);
	char buf[VALUE_LEN];

	g_ptr_array_add(heads, g_strdup(s->parameters ? "Parameters" : ""));
	g_ptr_array_add(heads, g_strdup(">Runs"));
	for (unsigned c = s->parameters + 1; c < s->table->columns; c++)
		for (size_t i = 0; i < G_N_ELEMENTS(drawn); i++)
			if (!strcmp(drawn[i].metric, s->table->head[c]))
				g_ptr_array_add(heads, g_strconcat(">", s->table->head[c], NULL));
	g_ptr_array_add(heads, NULL);
	page_table(p, (const char *const *)heads->pdata);
	for (unsigned i = 0; i < s->points; i++) {
		page_row(p);
		page_cell(p, "name", *s->point[i].label ? s->point[i].label : "all runs");
		g_snprintf(buf, sizeof(buf), "%u", s->point[i].rows);
		page_cell(p, "number", buf);
		for (unsigned k = 2; k + 1 < heads->len; k++) {
			const char *name = (const char *)g_ptr_array_index(heads, k) + 1;
			int column = csv_column(s->table, name);

			interval_text(grid_interval(s, i, (unsigned)column), is_share(name), buf);
			page_cell(p, "number", buf);
		}
	}
	page_table_end(p);
	g_ptr_array_free(heads, TRUE);
}

bool report_grid(const struct grid *s, const char *out, struct fail *f)
{
	char *path = g_build_filename(out, "report.html", NULL), *html;
	char *base = g_path_get_basename(s->dir), *about;
	struct page p;
	bool ok;

	about = g_strdup_printf("%u runs, %u parameter sets", s->table->rows, s->points);
	page_begin(&p, base, about);
	g_free(about);
	page_section(&p, "Figures");
	ok = figures_of(&p, s, out, f);
	page_section(&p, "Means and 95 % confidence intervals");
	page_text(&p, "Over seeds, by Student's t; the warm-up of each run is cut. Everything else is in "
		  "sweep.csv.");
	table(&p, s);
	html = page_end(&p, WEFT_VERSION);
	ok = ok && file_write(path, html, strlen(html), f);
	g_free(html);
	g_free(base);
	g_free(path);
	return ok;
}

JsonNode *report_grid_json(const struct grid *s)
{
	JsonObject *root = json_object_new();
	JsonArray *list = json_array_new();
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);

	for (unsigned i = 0; i < s->points; i++) {
		JsonObject *o = json_object_new(), *parameters = json_object_new();
		JsonObject *metrics = json_object_new();

		for (unsigned k = 0; k < s->parameters; k++)
			json_object_set_string_member(parameters, s->table->head[k],
						      grid_value(s, i, k));
		for (unsigned c = s->parameters + 1; c < s->table->columns; c++) {
			struct interval v = grid_interval(s, i, c);
			JsonObject *m = json_object_new();

			json_object_set_int_member(m, "runs", v.count);
			if (v.count)
				json_object_set_double_member(m, "mean", v.mean);
			if (isfinite(v.half))
				json_object_set_double_member(m, "half", v.half);
			json_object_set_object_member(metrics, s->table->head[c], m);
		}
		json_object_set_object_member(o, "parameters", parameters);
		json_object_set_int_member(o, "runs", s->point[i].rows);
		json_object_set_object_member(o, "metrics", metrics);
		json_array_add_object_element(list, o);
	}
	json_object_set_array_member(root, "points", list);
	json_node_take_object(node, root);
	return node;
}
