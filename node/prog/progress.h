/*
 * progress.h - how far a long job is, on a terminal
 *
 * One line on standard error, redrawn in place at most ten times a second:
 *
 *	churn-1k  [=========>        ]  52%  31:12 of 1:00:00  412x  998 nodes  ETA 0:04
 *
 * Nothing at all is written when standard error is not a terminal, so logs
 * stay clean and the output of a run does not depend on who watches.
 *
 *	Memory		the struct; no allocation
 *	Time		the caller's wall clock, ns of CLOCK_MONOTONIC
 */
#ifndef PROG_PROGRESS_H
#define PROG_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *what;		/* borrowed */
	int64_t total_ns;		/* virtual */
	int64_t began_ns;		/* wall */
	int64_t drawn_ns;		/* wall, of the last drawing */
	bool    on;			/* standard error is a terminal */
	bool    shown;			/* there is a line to erase */
};

/** progress_start() - @total_ns of virtual time lie ahead */
void progress_start(struct progress *p, const char *what, int64_t total_ns, int64_t wall_ns);

/** progress_due() - Cheap: whether a progress_show() at @wall_ns would draw */
bool progress_due(const struct progress *p, int64_t wall_ns);

/** progress_show() - We are at virtual time @now_ns with @nodes alive */
void progress_show(struct progress *p, int64_t now_ns, uint64_t nodes, int64_t wall_ns);

/** progress_steps() - The same for jobs counted in pieces (sweeps): @done of @total */
void progress_steps(struct progress *p, uint64_t done, uint64_t total, int64_t wall_ns);

/** progress_finish() - Erase the line; nothing stays on the terminal */
void progress_finish(struct progress *p);

/** progress_line() - The line itself in at most @width columns, for tests */
void progress_line(const struct progress *p, int64_t now_ns, uint64_t nodes, int64_t wall_ns,
		   char *buf, unsigned size, unsigned width);

/** wall_now_ns() - CLOCK_MONOTONIC */
int64_t wall_now_ns(void);

#endif /* PROG_PROGRESS_H */
