/* figures_time.c - what is drawn over virtual time */
#include <math.h>
#include <string.h>

#include "analysis/curves.h"
#include "analysis/figures.h"
#include "analysis/values.h"

bool draw_lookups(struct plot *p, const struct run *const *runs, unsigned count)
{
	struct plot_time t = plot_time(runs, count);
	struct extent upper = NOWHERE, lower = NOWHERE;
	GString *top = g_string_new("plot NaN notitle"), *below = g_string_new("plot NaN notitle");
	double head = head_room(p, runs, count);

	if (!curve_measured(runs, count, "lookup.right")) {
		g_string_free(top, TRUE);
		g_string_free(below, TRUE);
		return false;
	}
	for (unsigned i = 0; i < count; i++) {
		const char *colour = curve_colour(i, count, TONE_RIGHT);
		char *title = curve_title(runs[i], count, "right in the end");
		unsigned b = count > 1 ? NO_BLOCK : curve_series(p, runs[i], t, "lookup.first_try",
							   "lookup.judged", 100, &upper);

		if (b != NO_BLOCK)
			g_string_append_printf(top, ", $d%u using 1:2 with lines lw 1.2 lc rgb '%s' "
					       "title 'right on the first try'", b, TONE_FIRST);
		b = curve_series(p, runs[i], t, "lookup.right", "lookup.judged", 100, &upper);
		if (b != NO_BLOCK)
			g_string_append_printf(top, ", $d%u using 1:2 with lines lw 2 lc rgb '%s' "
					       "title %s", b, colour, title);
		g_free(title);
		b = curve_series(p, runs[i], t, "lookup.lost", "lookup.judged", 100, &lower);
		if (b != NO_BLOCK)
			g_string_append_printf(below, ", $d%u using 1:2 with %s lc rgb '%s' %s", b,
					       count == 1 ? "impulses lw 2.4" : "lines lw 1.6",
					       count == 1 ? TONE_LOST : colour,
					       count == 1 ? "title 'lost'" : "notitle");
		b = curve_series(p, runs[i], t, "lookup.wrong", "lookup.judged", 100, &lower);
		if (b != NO_BLOCK)
			g_string_append_printf(below, ", $d%u using 1:2 with %s lc rgb '%s' %s", b,
					       count == 1 ? "impulses lw 1.2" : "lines lw 1.6 dt 3",
					       count == 1 ? TONE_WRONG : colour,
					       count == 1 ? "title 'wrong'" : "notitle");
	}
	plot_say(p, "set multiplot");
	plot_panel(p, 0.46, head);
	key_at(p, 1 - 8.0 / p->height);
	plot_say(p, "set xrange [0:%g]", t.end);
	plot_say(p, "set format x ''");
	axis_y(p, "right, %");
	axis_percent(p, upper);
	plot_faults(p, runs[0], t, count == 1);
	plot_say(p, "%s", top->str);
	plot_say(p, "unset label");
	plot_say(p, "set format x '%%g'");
	axis_time(p, t);
	plot_panel(p, 60.0 / p->height, 0.40);
	key_at(p, 0.40 + 20.0 / p->height);
	axis_y(p, "not right, %");
	plot_say(p, "set yrange [0:%g]", lower.greatest > 0 ? lower.greatest * 1.1 : 1);
	plot_say(p, "%s", below->str);
	plot_say(p, "unset multiplot");
	if (count == 1)
		plot_caption(p, "Share of judged lookups per interval. Right: answered by a node that "
			     "owned the key at some instant between asking and answer; wrong: answered by "
			     "another; lost: no answer in time, retries included.");
	else
		plot_caption(p, "Share of judged lookups per interval: right above, lost (full) and "
			     "wrong (dotted) below. Faults are those of %s.", runs[0]->label);
	g_string_free(top, TRUE);
	g_string_free(below, TRUE);
	return true;
}

bool draw_nodes(struct plot *p, const struct run *const *runs, unsigned count)
{
	struct plot_time t = plot_time(runs, count);
	struct extent nodes = NOWHERE, ring = NOWHERE, parts = NOWHERE;
	GString *top = g_string_new("plot NaN notitle"), *mid = g_string_new("plot NaN notitle"),
		*low = g_string_new("plot NaN notitle");
	double head = head_room(p, runs, count), foot = 60.0 / p->height;
	bool any = curve_measured(runs, count, "nodes.alive");

	for (unsigned i = 0; any && i < count; i++) {
		const char *colour = curve_colour(i, count, TONE_RIGHT);
		char *title = curve_title(runs[i], count, "alive");
		unsigned b = curve_series(p, runs[i], t, "nodes.alive", NULL, 1, &nodes);

		if (b != NO_BLOCK)
			g_string_append_printf(top, ", $d%u using 1:2 with lines lw 2 lc rgb '%s' title %s",
					       b, colour, title);
		g_free(title);
		b = count > 1 ? NO_BLOCK : curve_series(p, runs[i], t, "nodes.joined", NULL, 1, &nodes);
		if (b != NO_BLOCK)
			g_string_append_printf(top, ", $d%u using 1:2 with lines lw 1.2 lc rgb '%s' "
					       "title 'joined'", b, TONE_LOST);
		b = curve_series(p, runs[i], t, "ring.successor_right", "ring.checked", 100, &ring);
		if (b != NO_BLOCK)
			g_string_append_printf(mid, ", $d%u using 1:2 with lines lw 1.6 lc rgb '%s' "
					       "notitle", b, count == 1 ? "#009E73" : colour);
		b = curve_series(p, runs[i], t, "ring.components", NULL, 1, &parts);
		if (b != NO_BLOCK)
			g_string_append_printf(low, ", $d%u using 1:2 with steps lw 1.6 lc rgb '%s' "
					       "notitle", b, count == 1 ? "#444444" : colour);
	}
	if (any) {
		plot_say(p, "set multiplot");
		plot_panel(p, 0.56, head);
		key_at(p, 1 - 8.0 / p->height);
		plot_say(p, "set xrange [0:%g]", t.end);
		plot_say(p, "set format x ''");
		axis_y(p, "nodes");
		plot_say(p, "set yrange [0:%g]", nodes.greatest > 0 ? nodes.greatest * 1.08 : 1);
		plot_faults(p, runs[0], t, count == 1);
		plot_say(p, "%s", top->str);
		plot_say(p, "unset label");
		plot_panel(p, foot + 0.17, 0.52);
		axis_y(p, "successor right, %");
		if (isfinite(ring.least))
			axis_percent(p, ring);
		plot_say(p, "%s", mid->str);
		plot_say(p, "set format x '%%g'");
		axis_time(p, t);
		plot_panel(p, foot, foot + 0.13);
		axis_y(p, "rings");
		plot_say(p, "set yrange [0:%g]", fmax(parts.greatest, 1) + 1);
		plot_say(p, "set ytics %g", fmax(1, ceil(fmax(parts.greatest, 1) / 3)));
		plot_say(p, "%s", low->str);
		plot_say(p, "unset multiplot");
		plot_caption(p, "Live nodes%s; below, the share of joined nodes whose successor is the "
			     "true one, and the number of rings that share no node.%s",
			     count == 1 ? " and those that have joined" : "",
			     count == 1 ? " Shaded: warm-up (grey) and faults." : "");
	}
	g_string_free(top, TRUE);
	g_string_free(mid, TRUE);
	g_string_free(low, TRUE);
	return any;
}

bool draw_maintenance(struct plot *p, const struct run *const *runs, unsigned count)
{
	struct plot_time t = plot_time(runs, count);
	struct extent e = NOWHERE;
	GString *to = g_string_new("plot NaN notitle");
	bool any = curve_measured(runs, count, "maintenance.bytes_per_node_s.mean");
	char buf[2][VALUE_LEN];

	for (unsigned i = 0; any && i < count; i++) {
		const char *colour = curve_colour(i, count, TONE_RIGHT);
		char *title = curve_title(runs[i], count, "mean node");
		unsigned b = curve_series(p, runs[i], t, "maintenance.bytes_per_node_s.mean", NULL, 1, &e);

		if (b != NO_BLOCK)
			g_string_append_printf(to, ", $d%u using 1:2 with lines lw 2 lc rgb '%s' title %s",
					       b, colour, title);
		g_free(title);
		b = curve_series(p, runs[i], t, "maintenance.bytes_per_node_s.p95", NULL, 1, &e);
		if (b != NO_BLOCK)
			g_string_append_printf(to, ", $d%u using 1:2 with lines lw 1.2 %s lc rgb '%s' %s", b,
					       count == 1 ? "" : "dt 3",
					       count == 1 ? TONE_WRONG : colour,
					       count == 1 ? "title '95th percentile node'" : "notitle");
	}
	if (any) {
		plot_panel(p, 60.0 / p->height, head_room(p, runs, count));
		key_at(p, 1 - 8.0 / p->height);
		axis_time(p, t);
		axis_y(p, "bytes per node and second");
		plot_say(p, "set yrange [0:%g]", e.greatest > 0 ? e.greatest * 1.08 : 1);
		plot_faults(p, runs[0], t, count == 1);
		plot_say(p, "%s", to->str);
		plot_caption(p, "What keeping the overlay up costs a node, both directions, IP headers "
			     "included, lookups not%s.", count == 1 ? "" :
			     "; full: mean, dotted: 95th percentile node");
		if (count == 1)
			plot_caption(p, "After the warm-up: mean %s, 95th percentile %s bytes/s.",
				     short_number(run_metric(runs[0],
							     "maintenance.bytes_per_node_s.mean"), buf[0]),
				     short_number(run_metric(runs[0],
							     "maintenance.bytes_per_node_s.p95"), buf[1]));
	}
	g_string_free(to, TRUE);
	return any;
}
