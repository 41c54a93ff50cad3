/*
 * table.h - measured latencies, read from files
 *
 * A table is what an importer made of a file: latencies one way, in integer
 * nanoseconds, checked. It has *rows* (measured hosts, regions or points);
 * interfaces are seated on rows by net.h. Read-only once loaded, so any number
 * of nets may share one.
 *
 *	square	n lines of n numbers, tabs or blanks between: milliseconds (planetlab-490)
 *	edges	node_a,node_b,latency_ms,jitter_ms: every pair and self-edge once (Shadow)
 *	points	index,is_root,x_ms,y_ms: their distance is the delay (OverSim's Skitter set)
 *	spread	cluster_a,cluster_b,min_ms,q1_ms,median_ms,mean_ms,q3_ms,max_ms,stddev_ms:
 *		some pairs, some of them several times (iPlane)
 *
 * Each may be gzipped; that is seen from the contents, not from the name.
 *
 *	Memory		the table's own: 4 bytes an entry (8 with jitter)
 *	Errors		one sentence: file, line, field, value, what would be accepted
 */
#ifndef SIM_NET_TABLE_H
#define SIM_NET_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** enum table_meaning - what the numbers of a file are; a round trip is halved */
enum table_meaning { TABLE_ONE_WAY, TABLE_RTT };

enum table_format {
	TABLE_AUTO,			/* by the first line */
	TABLE_SQUARE,
	TABLE_EDGES,
	TABLE_SPREAD,
	TABLE_POINTS,
};

enum {
	NET_ROWS_MAX	= 20000,	/* of a matrix: 1.6 GB; points may be more */
	NET_POINTS_MAX	= 4000000,
};
#define NET_LATENCY_MAX_NS	INT64_C(4000000000)	/* one way; fits uint32_t */

/** struct net_error - why not, as a sentence without full stop or newline */
struct net_error { char text[512]; };

struct net_table;

/**
 * net_table_load() - Read @file as @format
 * @meaning: of its latencies
 *
 * Return: the table, or NULL with @why filled
 */
struct net_table *net_table_load(const char *file, enum table_format format,
				 enum table_meaning meaning, struct net_error *why);

/** net_table_parse() - The same from memory; @file is what messages call it */
struct net_table *net_table_parse(const char *file, const void *data, size_t len,
				  enum table_format format, enum table_meaning meaning,
				  struct net_error *why);
void net_table_free(struct net_table *t);

uint32_t net_table_rows(const struct net_table *t);

/** net_table_is_points() - Coordinates, not a matrix */
bool net_table_is_points(const struct net_table *t);

/** net_table_ns() - Median latency one way between two rows (of a matrix, a == b is the diagonal) */
int64_t net_table_ns(const struct net_table *t, uint32_t a, uint32_t b);

#endif /* SIM_NET_TABLE_H */
