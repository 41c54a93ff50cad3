/*
 * eventlog.h - the run as sentences: time, node, what happened
 *
 *	  12.040 s  n17  joined   successor n4, 0.310 s after start
 *	  31.002 s  --   fault.1  partition begins: 300 nodes touched
 *
 * The vocabulary is core's (core/base/record.h) plus the world's (faults, starts,
 * stops), so runs of simulator, testbed and daemon can be laid side by side.
 * Shards write into buffers of their own; at barriers the lines are ordered by
 * (time, node, order of writing) and go out, so the file does not depend on the
 * number of shards or threads.
 *
 *	Memory		one entry per line until the next barrier
 *	Threads		one writer per shard between flushes
 *	Files		events.txt or events.jsonl (one JSON object per line)
 */
#ifndef EVENTLOG_H
#define EVENTLOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/record.h"
#include "sim/record/rundir.h"

enum eventlog_form { EVENTLOG_TEXT, EVENTLOG_JSON };

enum { EVENTLOG_WORLD = UINT32_MAX };	/* in place of a node: the world itself */

struct eventlog;

/**
 * eventlog_namer - the number of the node whose id this is, or EVENTLOG_WORLD
 *
 * Asked at flush, on the flushing thread; lets lines say "n4" instead of an id.
 */
typedef uint32_t eventlog_namer(void *world, struct id id);

struct eventlog_setup {
	struct rundir *dir;		/* where events.* goes; NULL: to @to */
	FILE *to;			/* a stream (stdout of `replay`) if there is no dir */
	enum eventlog_form form;
	unsigned shards;
	eventlog_namer *namer;		/* NULL: ids are printed */
	void *world;
	uint32_t watch;			/* only this node's lines and the world's; EVENTLOG_WORLD: all */
};

struct eventlog *eventlog_new(const struct eventlog_setup *s, struct fail *f);

/** eventlog_put() - Node @node said @rec at @now_ns; called by the shard the node lives in */
void eventlog_put(struct eventlog *l, unsigned shard, int64_t now_ns, uint32_t node,
		  const struct record *rec);

/** eventlog_say() - Something the world did: one word of the world's vocabulary and a sentence */
void eventlog_say(struct eventlog *l, unsigned shard, int64_t now_ns, uint32_t node,
		  const char *word, const char *format, ...) __attribute__((format(printf, 6, 7)));

/** eventlog_flush() - At a barrier: everything up to now goes out in order */
bool eventlog_flush(struct eventlog *l, struct fail *f);

/** eventlog_close() - Flush, close, free; NULL is fine */
bool eventlog_close(struct eventlog *l, struct fail *f);

#endif /* EVENTLOG_H */
