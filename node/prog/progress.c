/* progress.c - how far a long job is, on a terminal */
#include "node/prog/progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "node/prog/units.h"

enum {
	REDRAW_NS = 100 * 1000 * 1000,
	BAR_MAX = 30,
	WIDTH_DEFAULT = 80,
	LINE_MAX_LEN = 512,
};

int64_t wall_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

void progress_start(struct progress *p, const char *what, int64_t total_ns, int64_t wall_ns)
{
	*p = (struct progress){
		.what = what, .total_ns = total_ns, .began_ns = wall_ns,
		.drawn_ns = wall_ns - REDRAW_NS, .on = isatty(STDERR_FILENO),
	};
}

bool progress_due(const struct progress *p, int64_t wall_ns)
{
	return p->on && wall_ns - p->drawn_ns >= REDRAW_NS;
}

static unsigned columns(void)
{
	struct winsize w;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) || w.ws_col < 20)
		return WIDTH_DEFAULT;
	return w.ws_col;
}

/* What is left of the wall time if it goes on like so far, 0 if nobody can say. */
static int64_t left_ns(int64_t spent_ns, double share)
{
	return share > 0.001 ? (int64_t)((double)spent_ns * (1 - share) / share) : 0;
}

/* "what [====>    ] 52%", the rest, and the ETA; the bar takes what columns are left over. */
static void compose(const char *what, double share, const char *rest, int64_t eta_ns, char *buf,
		    unsigned size, unsigned width)
{
	char eta[UNIT_TEXT_LEN + 8] = "", clock[UNIT_TEXT_LEN], bar[BAR_MAX + 4] = "";
	unsigned used, room, fill;

	if (eta_ns && eta_ns < 60 * NS_PER_S)
		snprintf(eta, sizeof(eta), "  ETA 0:%02d", (int)(eta_ns / NS_PER_S));
	else if (eta_ns)
		snprintf(eta, sizeof(eta), "  ETA %s",
			 clock_text(eta_ns / NS_PER_S * NS_PER_S, clock));
	used = (unsigned)(strlen(what) + strlen(rest) + strlen(eta)) + 9;
	room = width > used + 3 ? width - used - 3 : 0;
	if (room > BAR_MAX)
		room = BAR_MAX;
	if (room >= 5) {
		fill = (unsigned)(share * room);
		bar[0] = '[';
		memset(bar + 1, ' ', room);
		memset(bar + 1, '=', fill);
		if (fill < room)
			bar[1 + fill] = '>';
		bar[1 + room] = ']';
	}
	snprintf(buf, size, "%s  %s %3d%%%s%s", what, bar, (int)(share * 100), rest, eta);
	if (size > width)
		buf[width] = 0;
}

void progress_line(const struct progress *p, int64_t now_ns, uint64_t nodes, int64_t wall_ns,
		   char *buf, unsigned size, unsigned width)
{
	int64_t spent = wall_ns - p->began_ns;
	double share = p->total_ns > 0 ? (double)now_ns / (double)p->total_ns : 1;
	double rate = spent > 0 ? (double)now_ns / (double)spent : 0;
	char rest[LINE_MAX_LEN], a[UNIT_TEXT_LEN], b[UNIT_TEXT_LEN];

	share = share < 0 ? 0 : share > 1 ? 1 : share;
	snprintf(rest, sizeof(rest), "  %s of %s  %.*fx  %llu nodes", clock_text(now_ns, a),
		 clock_text(p->total_ns, b), rate < 10, rate, (unsigned long long)nodes);
	compose(p->what, share, rest, left_ns(spent, share), buf, size, width);
}

static void draw(struct progress *p, const char *line, int64_t wall_ns)
{
	fprintf(stderr, "\r%s\033[K", line);
	fflush(stderr);
	p->drawn_ns = wall_ns;
	p->shown = true;
}

void progress_show(struct progress *p, int64_t now_ns, uint64_t nodes, int64_t wall_ns)
{
	char line[LINE_MAX_LEN];

	if (!progress_due(p, wall_ns))
		return;
	progress_line(p, now_ns, nodes, wall_ns, line, sizeof(line), columns() - 1);
	draw(p, line, wall_ns);
}

void progress_steps(struct progress *p, uint64_t done, uint64_t total, int64_t wall_ns)
{
	char line[LINE_MAX_LEN], rest[UNIT_TEXT_LEN * 2];
	double share = total ? (double)done / (double)total : 1;

	if (!progress_due(p, wall_ns))
		return;
	snprintf(rest, sizeof(rest), "  %llu of %llu", (unsigned long long)done,
		 (unsigned long long)total);
	compose(p->what, share, rest, left_ns(wall_ns - p->began_ns, share), line, sizeof(line),
		columns() - 1);
	draw(p, line, wall_ns);
}

void progress_finish(struct progress *p)
{
	if (p->shown) {
		fputs("\r\033[K", stderr);
		fflush(stderr);
	}
	p->shown = false;
}
