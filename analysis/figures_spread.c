/* figures_spread.c - how values spread, and what traffic is made of */
#include <math.h>
#include <string.h>

#include "analysis/curves.h"
#include "analysis/figures.h"
#include "analysis/values.h"

static unsigned quantile_box(struct plot *p, const struct run *r, const char *metric, const char *unit)
{
	static const struct {
		const char *statistic, *name;
		double share;
	} lines[] = { { "p50", "median", 50 }, { "p95", "95 %", 95 }, { "p99", "99 %", 99 } };
	unsigned block = plot_block(p);
	char *name, buf[VALUE_LEN];

	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
		name = g_strdup_printf("%s.%s", metric, lines[i].statistic);
		plot_row(p, 2, run_metric(r, name), lines[i].share);
		g_free(name);
	}
	plot_end(p);
	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
		name = g_strdup_printf("%s.%s", metric, lines[i].statistic);
		plot_say(p, "set label '%s' at graph 0.85, graph %g right textcolor rgb '#666666'",
			 lines[i].name, 0.30 - 0.085 * (double)i);
		plot_say(p, "set label '%s%s%s' at graph 0.98, graph %g right", 
			 short_number(run_metric(r, name), buf), *unit ? " " : "", unit,
			 0.30 - 0.085 * (double)i);
		g_free(name);
	}
	return block;
}

/* A CDF per run over @metric; several runs get a legend with medians. */
static bool draw_cdf(struct plot *p, const struct run *const *runs, unsigned count,
		     const char *metric, const char *axis, const char *unit, bool discrete)
{
	GString *to = g_string_new("plot NaN notitle");
	double low = INFINITY, high = -INFINITY;
	unsigned drawn = 0;
	bool log;

	/* axes first: every curve goes from end to end */
	for (unsigned i = 0; i < count; i++) {
		const struct csv *c = run_sample(runs[i], metric);

		if (!c || !c->rows)
			continue;
		low = fmin(low, discrete ? 0 : curve_quantile(c, 0.005));
		high = fmax(high, discrete ? curve_quantile(c, 0.9998) + 1 : curve_quantile(c, 0.9985));
		drawn++;
	}
	log = !discrete && low > 0 && high / low > 30;
	if (!log)
		low = discrete ? -0.5 : 0;
	high = discrete ? high + 0.5 : high > 0 ? high * 1.02 : 1;
	for (unsigned i = 0; i < count; i++) {
		const struct csv *c = run_sample(runs[i], metric);
		char *title, *quoted, *median, buf[VALUE_LEN];
		unsigned block;

		if (!c || !c->rows)
			continue;
		if (discrete && count == 1) {
			block = plot_block(p);
			for (unsigned row = 0; row < c->rows; row++)
				plot_row(p, 2, csv_number(c, row, 1),
					 100 * (csv_number(c, row, 3) -
						(row ? csv_number(c, row - 1, 3) : 0)));
			plot_end(p);
			g_string_append_printf(to, ", $d%u using 1:2 with boxes fs solid 0.35 noborder "
					       "lc rgb '%s' title 'this many'", block, TONE_FIRST);
		}
		block = curve_cdf(p, c, discrete, low, high);
		median = g_strconcat(metric, ".p50", NULL);
		title = count == 1 ? g_strdup(discrete ? "this many or fewer" : "") :
			g_strdup_printf("%s (median %s%s%s)", runs[i]->label,
					short_number(run_metric(runs[i], median), buf),
					*unit ? " " : "", unit);
		quoted = plot_quote(title);
		g_string_append_printf(to, ", $d%u using 1:2 with %s lw 2 lc rgb '%s' title %s", block,
				       discrete ? "steps" : "lines",
				       curve_colour(i, count, TONE_RIGHT), quoted);
		g_free(median);
		g_free(title);
		g_free(quoted);
	}
	if (drawn) {
		plot_panel(p, 60.0 / p->height, 1 - 48.0 / p->height);
		if (count == 1 && !discrete)
			plot_say(p, "unset key");
		else if (count == 1)
			key_at(p, 1 - 8.0 / p->height);
		else
			plot_say(p, "set key inside bottom right vertical Right spacing 1.15");
		if (log)
			axis_log(p, low, high);
		plot_say(p, "set xrange [%g:%g]", low, high);
		if (discrete) {
			plot_say(p, "set boxwidth 0.9");
			plot_say(p, "set xtics 0,%g", fmax(1, ceil(high / 20)));
		}
		plot_say(p, "set yrange [0:100]");
		plot_say(p, "set grid xtics ytics lw 0.6 lt 1 lc rgb '#e4e4e4'");
		plot_say(p, "set xlabel '%s' offset 0,0.4 textcolor rgb '#444444'", axis);
		axis_y(p, "share, %");
		if (count == 1 && !discrete) {
			unsigned marks = quantile_box(p, runs[0], metric, unit);

			g_string_append_printf(to, ", $d%u using 1:2 with points pt 7 ps 0.8 lc rgb '%s' "
					       "notitle", marks, TONE_WRONG);
		}
		plot_say(p, "%s", to->str);
	}
	g_string_free(to, TRUE);
	return drawn;
}

bool draw_hops(struct plot *p, const struct run *const *runs, unsigned count)
{
	char buf[3][VALUE_LEN];

	if (!draw_cdf(p, runs, count, "lookup.hops", "hops", "", true))
		return false;
	plot_caption(p, "Links a right lookup took to the node that answered.");
	if (count == 1)
		plot_caption(p, "Mean %s, 95th percentile %s, most %s.",
			     short_number(run_metric(runs[0], "lookup.hops.mean"), buf[0]),
			     short_number(run_metric(runs[0], "lookup.hops.p95"), buf[1]),
			     short_number(run_metric(runs[0], "lookup.hops.max"), buf[2]));
	return true;
}

bool draw_latency(struct plot *p, const struct run *const *runs, unsigned count)
{
	if (!draw_cdf(p, runs, count, "lookup.latency_ms", "from asking to the answer (ms)", "ms",
		      false))
		return false;
	plot_caption(p, "Latency of right lookups, retries included.");
	return true;
}

bool draw_join(struct plot *p, const struct run *const *runs, unsigned count)
{
	if (!draw_cdf(p, runs, count, "join.time_s", "from start to joined (s)", "s", false))
		return false;
	plot_caption(p, "Time from a node's start until both immediate neighbours had acknowledged "
		     "it.");
	return true;
}

bool draw_death(struct plot *p, const struct run *const *runs, unsigned count)
{
	if (!draw_cdf(p, runs, count, "death.noticed_s", "from crash to notice (s)", "s", false))
		return false;
	plot_caption(p, "Time until an immediate ring neighbour noticed that a node had crashed.");
	return true;
}

/* ---- traffic --------------------------------------------------------------------------- */

struct kind {
	const char *name;		/* "sent.probe_bytes" */
	double most;			/* over the runs, per node and second */
};

static double per_node(const struct run *r, const char *metric)
{
	return run_metric(r, metric) / run_metric(r, "nodes.time_s");
}

static int by_most(const void *a, const void *b)
{
	const struct kind *x = a, *y = b;

	if (x->most != y->most)
		return x->most < y->most ? 1 : -1;
	return strcmp(x->name, y->name);
}

static GArray *kinds_of(const struct run *const *runs, unsigned count)
{
	GArray *all = g_array_new(FALSE, FALSE, sizeof(struct kind));

	for (unsigned m = 0; m < runs[0]->metrics; m++) {
		struct kind k = { runs[0]->metric[m].name, 0 };

		if (!g_str_has_prefix(k.name, "sent.") || !g_str_has_suffix(k.name, "_bytes"))
			continue;
		for (unsigned i = 0; i < count; i++)
			k.most = fmax(k.most, per_node(runs[i], k.name));
		if (k.most > 0 && isfinite(k.most))
			g_array_append_val(all, k);
	}
	if (all->len)
		qsort(all->data, all->len, sizeof(struct kind), by_most);
	return all;
}

bool draw_traffic(struct plot *p, const struct run *const *runs, unsigned count)
{
	enum { KINDS_MAX = 16 };
	GArray *all = kinds_of(runs, count);
	unsigned kinds = MIN(all->len, KINDS_MAX);
	GString *to = g_string_new("plot NaN notitle"), *tics = g_string_new("set ytics (");
	double high = kinds ? g_array_index(all, struct kind, 0).most : 0;
	double thick = 0.72 / count;
	char buf[VALUE_LEN];

	for (unsigned k = 0; k < kinds; k++) {
		const char *name = g_array_index(all, struct kind, k).name + strlen("sent.");
		char *brief = g_strndup(name, strlen(name) - strlen("_bytes"));
		char *quoted = plot_quote(brief);

		g_string_append_printf(tics, "%s%s %u", k ? ", " : "", quoted, kinds - k);
		g_free(quoted);
		g_free(brief);
	}
	g_string_append(tics, ") scale 0 noenhanced");
	for (unsigned i = 0; kinds && i < count; i++) {
		unsigned block = plot_block(p);
		char *title = curve_title(runs[i], count, "");

		for (unsigned k = 0; k < kinds; k++) {
			double v = per_node(runs[i], g_array_index(all, struct kind, k).name);
			double y = (double)(kinds - k) + ((double)(count - 1) / 2 - i) * thick;

			plot_row(p, 5, 0.0, y, v, y - thick * 0.46, y + thick * 0.46);
		}
		plot_end(p);
		for (unsigned k = 0; k < kinds; k++) {
			double v = per_node(runs[i], g_array_index(all, struct kind, k).name);
			double y = (double)(kinds - k) + ((double)(count - 1) / 2 - i) * thick;

			if (isfinite(v))
				plot_say(p, "set label '%s' at %g,%g left offset 0.5,0 font 'Sans,11' "
					 "textcolor rgb '#444444'", short_number(v, buf), v, y);
		}
		g_string_append_printf(to, ", $d%u using 1:2:1:3:4:5 with boxxyerror fs solid 0.85 "
				       "noborder lc rgb '%s' title %s", block,
				       curve_colour(i, count, TONE_RIGHT), title);
		g_free(title);
	}
	if (kinds) {
		p->height = (int)(110 + kinds * MAX(26, 16 * count));
		plot_panel(p, 60.0 / p->height, 1 - 48.0 / p->height);
		plot_say(p, "set lmargin at screen 0.16");
		if (count == 1)
			plot_say(p, "unset key");
		else
			key_at(p, 1 - 8.0 / p->height);
		plot_say(p, "%s", tics->str);
		plot_say(p, "set border 2");
		plot_say(p, "set grid xtics noytics lw 0.6 lt 1 lc rgb '#e4e4e4'");
		plot_say(p, "set xrange [0:%g]", high * 1.12);
		plot_say(p, "set yrange [0.4:%g]", kinds + 0.6);
		plot_say(p, "set xlabel 'bytes per node and second' offset 0,0.4 "
			 "textcolor rgb '#444444'");
		plot_say(p, "%s", to->str);
		plot_caption(p, "Everything nodes sent, by message kind, IP headers included; %s.",
			     all->len > kinds ? "the greatest sixteen" :
			     "kinds that were never sent are left out");
	}
	g_string_free(to, TRUE);
	g_string_free(tics, TRUE);
	g_array_free(all, TRUE);
	return kinds;
}
