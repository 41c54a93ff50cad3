/*
 * trace.h - churn as it was measured: who was there when
 *
 * Two kinds of file, told apart by their first line, plain or gzipped:
 *
 *	node,first_seen,last_seen,first_absent,left_censored,right_censored
 *		a census taken now and then (tor-relays-2023); Unix seconds. A
 *		session began after the census before first_seen and ended in
 *		[last_seen, first_absent); first_absent is -1 if it did not end.
 *	node,start,end
 *		exact sessions in seconds; end is -1 if it did not end
 *
 * A census knows times to its period only, so that thousands of nodes would
 * join in one instant. Each start of a census file is moved back by a uniform
 * draw of up to spread_ns, each end likewise but not before last_seen; the draw
 * depends on (seed, node, session) only. Left-censored sessions, and whichever
 * lasts when the window begins, start with the run, spread over join_over_ns.
 *
 * Lines of one node must be in order of time and may not overlap. Anything else
 * is refused, naming file and line.
 *
 *	Memory		16 bytes a session
 *	Time		the run's: (trace time - start of the window) / speed
 */
#ifndef SIM_WORLD_TRACE_H
#define SIM_WORLD_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "node/prog/fail.h"

/** struct trace_window - which part of the trace, and how */
struct trace_window {
	int64_t start_ns;		/* after the earliest time in the file */
	int64_t length_ns;		/* 0: to its end. Later starts and ends do not happen */
	int64_t speed;			/* times faster; at least 1 */
	uint32_t scale_ppb;		/* share of identities that take part */
	int64_t spread_ns;		/* of trace time */
	int64_t join_over_ns;		/* of virtual time */
	uint64_t seed;
	uint32_t first_host;		/* chance is that of host first_host + n */
};

struct trace;

/** trace_load() - NULL with a message in @f */
struct trace *trace_load(const char *path, const struct trace_window *w, struct fail *f);

/** trace_parse() - The same from memory (not gzipped); @name is for messages */
struct trace *trace_parse(const char *name, const char *text, size_t len,
			  const struct trace_window *w, struct fail *f);
void trace_free(struct trace *t);

/** trace_hosts() - Identities that take part and have a session in the window */
uint32_t trace_hosts(const struct trace *t);

/** trace_first_ns() - When identity @i starts first */
int64_t trace_first_ns(const struct trace *t, uint32_t i);

/** trace_start_ns() - The first start of identity @i after @now_ns; INT64_MAX: none */
int64_t trace_start_ns(const struct trace *t, uint32_t i, int64_t now_ns);

/** trace_end_ns() - When the session of @i that lasts at @now_ns ends, INT64_MAX: not in the window */
int64_t trace_end_ns(const struct trace *t, uint32_t i, int64_t now_ns);

/** trace_alive() - How many are there at @now_ns: for tests and messages */
uint32_t trace_alive(const struct trace *t, int64_t now_ns);

#endif /* SIM_WORLD_TRACE_H */
