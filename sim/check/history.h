/*
 * history.h - oracle: some order explains all answers about an address
 *
 * Sorts what nodes asked and were answered (struct deed) by record, and lets
 * linear.h judge each record alone. What a node left open when it ended is lost:
 * it may have happened or not.
 *
 *	Memory		about 2 KiB a record that was ever asked for; GLib's
 *	Order		tell in order of time
 */
#ifndef SIM_CHECK_HISTORY_H
#define SIM_CHECK_HISTORY_H

#include <glib.h>

#include "core/base/door.h"
#include "sim/check/limits.h"

struct histories {
	GHashTable *by_address;		/* struct record_history; looked into, never walked */
	GPtrArray *records;		/* the same, in the order they came */
	GHashTable *open;		/* struct question by host and nonce; looked into, never walked */
	GHashTable *wide;		/* questions for any address, by asker; looked into, never walked */
	GHashTable *forgotten;		/* askers of whom questions were forgotten; looked into, never walked */
	GPtrArray *touched;		/* records to judge */
	GArray **of_host;		/* nonces open, by host */
	uint32_t hosts;
	uint32_t term_s;		/* of leases that name none */
	uint64_t asked, granted, refused, lost, contended;
	uint64_t undecided;
};

void histories_init(struct histories *h, uint32_t hosts, uint32_t term_s);
void histories_done(struct histories *h);

/** histories_deed() - @node on @host asks, or is answered */
void histories_deed(struct histories *h, int64_t at_ns, uint32_t host, struct id node, const struct deed *d);

/** histories_ended() - The node of @host is gone: nobody hears what it asked for */
void histories_ended(struct histories *h, int64_t at_ns, uint32_t host);

/** histories_judge() - Judge what can be judged; @all: it is the end, what is open is lost */
void histories_judge(struct histories *h, const struct judge *j, int64_t now_ns, bool all);

#endif /* SIM_CHECK_HISTORY_H */
