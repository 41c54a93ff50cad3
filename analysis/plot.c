/* plot.c - the look of figures, and gnuplot as a child process */
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include <sys/wait.h>

#include "analysis/plot.h"
#include "node/prog/json.h"

const char *const plot_colour[PLOT_COLOURS] = {
	"#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#444444",
};

/* Margins as shares of the width; the plot begins and ends at the same place in all figures. */
static const double left = 0.095, right = 0.975;

enum { LABEL_ROWS = 3, LABEL_CHAR = 6, LABEL_GAP = 8 };

void plot_init(struct plot *p, const char *name, const char *title, int height)
{
	*p = (struct plot){ .name = name, .title = title, .height = height };
	p->script = g_string_new(NULL);
	p->caption = g_string_new(NULL);
	plot_say(p, "set encoding utf8");
	plot_say(p, "set border 3 lw 0.8 lc rgb '#9a9a9a'");
	plot_say(p, "set tics nomirror out scale 0.5,0.3 textcolor rgb '#444444'");
	plot_say(p, "set grid ytics lw 0.6 lt 1 lc rgb '#e4e4e4'");
	plot_say(p, "set key noenhanced top right horizontal samplen 1.6 width 1 "
		 "textcolor rgb '#333333'");
	plot_say(p, "set lmargin at screen %g", left);
	plot_say(p, "set rmargin at screen %g", right);
}

void plot_done(struct plot *p)
{
	g_string_free(p->script, TRUE);
	g_string_free(p->caption, TRUE);
	*p = (struct plot){ 0 };
}

void plot_say(struct plot *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_string_append_vprintf(p->script, format, args);
	va_end(args);
	g_string_append_c(p->script, '\n');
}

void plot_caption(struct plot *p, const char *format, ...)
{
	va_list args;

	if (p->caption->len)
		g_string_append_c(p->caption, ' ');
	va_start(args, format);
	g_string_append_vprintf(p->caption, format, args);
	va_end(args);
}

char *plot_quote(const char *text)
{
	/*
	 * Single quotes: no escapes, no `commands`, no @macros inside. A doubled quote should
	 * stand for one, but not at the beginning (gnuplot 5.4 ends the string there), so
	 * quotes become apostrophes.
	 */
	GString *to = g_string_new("'");

	for (const char *p = text; *p; p++) {
		if (*p == '\'')
			g_string_append(to, "\u2019");
		else
			g_string_append_c(to, (unsigned char)*p < ' ' || *p == 127 ? ' ' : *p);
	}
	g_string_append_c(to, '\'');
	return g_string_free(to, FALSE);
}

unsigned plot_block(struct plot *p)
{
	plot_say(p, "$d%u << EOD", p->blocks);
	return p->blocks++;
}

void plot_row(struct plot *p, unsigned count, ...)
{
	gsize start = p->script->len;
	char buf[G_ASCII_DTOSTR_BUF_SIZE];
	va_list args;

	va_start(args, count);
	for (unsigned i = 0; i < count; i++) {
		double v = va_arg(args, double);

		if (!isfinite(v)) {
			g_string_truncate(p->script, start);
			break;
		}
		g_string_append_printf(p->script, "%s%s", i ? " " : "",
				       g_ascii_formatd(buf, sizeof(buf), "%.9g", v));
	}
	va_end(args);
	g_string_append_c(p->script, '\n');
}

void plot_end(struct plot *p)
{
	plot_say(p, "EOD");
}

void plot_panel(struct plot *p, double bottom, double top)
{
	plot_say(p, "set bmargin at screen %g", bottom);
	plot_say(p, "set tmargin at screen %g", top);
	p->middle = (bottom + top) / 2;
}

struct plot_time plot_time(const struct run *const *runs, unsigned count)
{
	double end = 0;

	for (unsigned i = 0; i < count; i++)
		end = fmax(end, runs[i]->reached_s);
	if (end > 4 * 86400)
		return (struct plot_time){ 86400, "days", end / 86400 };
	if (end > 4 * 3600)
		return (struct plot_time){ 3600, "hours", end / 3600 };
	if (end > 240)
		return (struct plot_time){ 60, "minutes", end / 60 };
	return (struct plot_time){ 1, "seconds", end > 0 ? end : 1 };
}

/* Labels stand in rows above the plot so that none lies on another. */
static void name_fault(struct plot *p, const struct run_fault *x, struct plot_time t,
		       double row_end[LABEL_ROWS])
{
	double width = PLOT_WIDTH * (right - left);
	double at = x->at_s / t.per / t.end * width;
	double len = (double)g_utf8_strlen(x->name, -1) * LABEL_CHAR +
		     (double)g_utf8_strlen(x->kind, -1) * LABEL_CHAR + 2 * LABEL_CHAR;
	char *text = g_strdup_printf("%s%s%s", x->name, *x->kind ? " " : "", x->kind), *quoted = plot_quote(text);

	at = fmax(0, fmin(at, width - len));
	for (unsigned row = 0; row < LABEL_ROWS; row++) {
		if (at < row_end[row] + LABEL_GAP)
			continue;
		row_end[row] = at + len;
		plot_say(p, "set label %s noenhanced at screen %g, screen %g left font 'Sans,11' "
			 "textcolor rgb '%s'", quoted, left + at / PLOT_WIDTH,
			 1 - (p->head - 9 - 14 * row) / p->height,
			 *x->kind ? "#9b4f7d" : TONE_QUIET);
		break;
	}
	g_free(quoted);
	g_free(text);
}

void plot_faults(struct plot *p, const struct run *r, struct plot_time t, bool names)
{
	double row_end[LABEL_ROWS] = { -LABEL_GAP, -LABEL_GAP, -LABEL_GAP };

	if (r->warmup_s > 0 && names) {
		const struct run_fault warmup = { .name = "warm-up", .kind = "" };

		name_fault(p, &warmup, t, row_end);
	}
	if (r->warmup_s > 0)
		plot_say(p, "set object rect from 0, graph 0 to %g, graph 1 behind fc rgb '#f0f0f0' "
			 "fs solid 1 noborder", fmin(r->warmup_s / t.per, t.end));
	for (unsigned i = 0; i < r->faults; i++) {
		const struct run_fault *x = &r->fault[i];
		double at = x->at_s / t.per, until = fmin(x->until_s / t.per, t.end);

		if (at > t.end)
			continue;
		/* shades end at their fault; an instant is a line, and so is a short one's beginning */
		if (until > at)
			plot_say(p, "set object rect from %g, graph 0 to %g, graph 1 behind "
				 "fc rgb '%s' fs solid 0.18 noborder", at, until, TONE_FAULT);
		if (until - at < t.end / 200)
			plot_say(p, "set arrow from %g, graph 0 to %g, graph 1 nohead back lw 1.2 "
				 "dt 2 lc rgb '%s'", at, at, TONE_FAULT);
		if (names)
			name_fault(p, x, t, row_end);
	}
}

/* The end of gnuplot's own complaint: the line that says what is wrong. */
static char *complaint(const char *text)
{
	char **lines = g_strsplit(text ? text : "", "\n", -1), *last = NULL;

	for (char **l = lines; *l; l++)
		if (*g_strstrip(*l))
			last = *l;
	last = g_strdup(last ? last : "it said nothing");
	g_strfreev(lines);
	return last;
}

/* Run gnuplot on @script; its standard output is the picture. */
static char *gnuplot(const char *script, struct fail *f)
{
	char *program = g_find_program_in_path("gnuplot"), *out = NULL, *err = NULL, *why;
	char *argv[] = { program, (char *)"-d", (char *)script, NULL };
	char **env = g_environ_setenv(g_get_environ(), "LC_ALL", "C", TRUE);
	GError *error = NULL;
	int status = 0;

	if (!program) {
		fail_add(f, "cannot draw figures: gnuplot is not installed");
		fail_hint(f, "Debian: apt-get install gnuplot-nox");
	} else if (!g_spawn_sync(NULL, argv, env, G_SPAWN_DEFAULT, NULL, NULL, &out, &err, &status,
				 &error)) {
		fail_add(f, "cannot run %s: %s", program, error->message);
		g_error_free(error);
	} else if (!WIFEXITED(status) || WEXITSTATUS(status) || !strstr(out, "</svg>")) {
		why = complaint(err);
		fail_add(f, "%s cannot draw %s: %s", program, script, why);
		g_free(why);
		g_free(out);
		out = NULL;
	}
	g_strfreev(env);
	g_free(err);
	g_free(program);
	return out;
}

static char *replaced(char *text, const char *from, const char *to)
{
	GString *s = g_string_new(text);

	g_free(text);
	g_string_replace(s, from, to, 0);
	return g_string_free(s, FALSE);
}

/*
 * Several of these stand in one page: ids get the figure's name, and fonts the
 * reader's own sans-serif.
 */
static char *dressed(char *svg, const char *name)
{
	static const char *const ids[][2] = {
		{ "id='", "id='%s-" }, { "id=\"", "id=\"%s-" }, { "href='#", "href='#%s-" },
		{ "href=\"#", "href=\"#%s-" }, { "url(#", "url(#%s-" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
		char *to = replaced(g_strdup(ids[i][1]), "%s", name);

		svg = replaced(svg, ids[i][0], to);
		g_free(to);
	}
	svg = replaced(svg, "font-family=\"Sans\"", "font-family=\"Helvetica, Arial, "
		       "'Liberation Sans', 'DejaVu Sans', sans-serif\"");
	return svg;
}

/* The whole script: what depends on the final height, then what the figure said. */
static char *script_text(const struct plot *p)
{
	return g_strdup_printf(
		"# %s: gnuplot %s.gp > %s.svg\n"
		"set terminal svg size %d,%d dynamic enhanced background '#ffffff' font 'Sans,13' "
		"linewidth 1.3\n"
		"set label 1000 '{/:Bold %s}' at screen 0.012, screen %g left font 'Sans,15' "
		"textcolor rgb '#222222'\n"
		"%s", p->title, p->name, p->name, PLOT_WIDTH, p->height, p->title,
		1 - 17.0 / p->height, p->script->str);
}

char *plot_draw(const struct plot *p, const char *dir, struct fail *f)
{
	char *file = g_strdup_printf("%s.gp", p->name), *script = g_build_filename(dir, file, NULL);
	char *text = script_text(p), *svg = NULL, *path = NULL;

	g_free(file);
	if (file_write(script, text, strlen(text), f))
		svg = gnuplot(script, f);
	g_free(text);
	if (svg) {
		svg = dressed(svg, p->name);
		file = g_strdup_printf("%s.svg", p->name);
		path = g_build_filename(dir, file, NULL);
		g_free(file);
		if (!file_write(path, svg, strlen(svg), f)) {
			g_free(svg);
			svg = NULL;
		}
	}
	g_free(path);
	g_free(script);
	return svg;
}
