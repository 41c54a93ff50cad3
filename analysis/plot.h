/*
 * plot.h - one figure: a gnuplot script, its caption, and the SVG it becomes
 *
 * A figure writes plain gnuplot into plot->script, with its data inline, so the
 * script in figures/NAME.gp can be changed and drawn again by hand. This module
 * holds what all figures share: terminal, colours (Okabe-Ito, told apart by colour-
 * blind eyes), frame, time axis, faults, and running gnuplot without a shell.
 *
 *	Memory		GLib's; plot_done()
 *	Text		what comes from files goes through plot_quote(), never into a script bare
 *	Errors		no gnuplot, or a gnuplot that fails: one message
 */
#ifndef PLOT_H
#define PLOT_H

#include <stdbool.h>

#include <glib.h>

#include "analysis/run.h"
#include "node/prog/fail.h"

enum {
	PLOT_WIDTH = 840,
	PLOT_COLOURS = 7,
};

extern const char *const plot_colour[PLOT_COLOURS];

/** enum plot_tone - colours with a meaning, the same in all figures */
#define TONE_RIGHT	"#0072B2"
#define TONE_FIRST	"#56B4E9"
#define TONE_WRONG	"#D55E00"
#define TONE_LOST	"#E69F00"
#define TONE_FAULT	"#CC79A7"
#define TONE_QUIET	"#8a8a8a"

struct plot {
	const char *name;		/* of its files: figures/NAME.gp, figures/NAME.svg */
	const char *title;
	GString *script;
	GString *caption;		/* one or two sentences below the figure */
	int height;			/* pixels */
	unsigned blocks;		/* data blocks so far */
	double middle;			/* of the panel that is being drawn, a share of the height */
	double head;			/* pixels above the first panel; names of faults end there */
};

void plot_init(struct plot *p, const char *name, const char *title, int height);
void plot_done(struct plot *p);

/** plot_say() - One line of script, as printf; a newline is added */
void plot_say(struct plot *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** plot_caption() - Another sentence below the figure */
void plot_caption(struct plot *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** plot_quote() - @text as a gnuplot string that nothing in it can leave; g_free() it */
char *plot_quote(const char *text);

/**
 * plot_block() - Begin a data block; rows follow with plot_row(), plot_end() closes it
 *
 * Return: its number; "$d<number>" in the script
 */
unsigned plot_block(struct plot *p);

/** plot_row() - @count numbers; a NAN anywhere leaves a gap in the line */
void plot_row(struct plot *p, unsigned count, ...);
void plot_end(struct plot *p);

/** plot_panel() - Where the next axes stand: shares of the height from below */
void plot_panel(struct plot *p, double bottom, double top);

/** struct plot_time - the time axis of a figure: seconds are divided by @per */
struct plot_time {
	double per;
	const char *unit;
	double end;			/* in units */
};

struct plot_time plot_time(const struct run *const *runs, unsigned count);

/** plot_faults() - Shade warm-up and faults of @r on the time axis; name them above if @names */
void plot_faults(struct plot *p, const struct run *r, struct plot_time t, bool names);

/** plot_draw() - Run gnuplot; leave NAME.gp and NAME.svg in @dir. The SVG to g_free(), or NULL */
char *plot_draw(const struct plot *p, const char *dir, struct fail *f);

#endif /* PLOT_H */
