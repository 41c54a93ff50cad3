/*
 * metrics.h - a node's counters in the text format that Prometheus reads
 *
 * Version 0.0.4: HELP and TYPE before the samples of each metric, base units in
 * the names, `_total` on what only grows. One text, for `weftctl metrics` (a
 * textfile collector) and for a scrape over HTTP (scrape.h).
 *
 *	Memory		malloc; the caller frees
 */
#ifndef NODE_METRICS_H
#define NODE_METRICS_H

#include "node/member.h"

/** metrics_text() - All of them, now; free() it */
char *metrics_text(const struct member *m, int64_t now_ns);

#endif /* NODE_METRICS_H */
