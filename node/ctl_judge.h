/*
 * ctl_judge.h - what a node's answers and its machine mean: findings, each with what helps
 *
 * A pure function of what was asked, so that a test can make up any node.
 *
 *	Memory		GLib's
 */
#ifndef NODE_CTL_JUDGE_H
#define NODE_CTL_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include <json-glib/json-glib.h>

enum finding_level { FINDING_GOOD, FINDING_NOTE, FINDING_WRONG };

struct finding {
	enum finding_level level;
	const char *topic;		/* node, nat, reach, peer, mtu, clock, lease, name, dns, disk, tap */
	char *text;
	const char *remedy;		/* one line, NULL: nothing is to be done */
};

/** struct doctor_facts - what is judged; objects that are NULL were not to be had */
struct doctor_facts {
	JsonObject *status, *peers, *networks, *leases, *names, *seen;	/* the answers */
	bool clock_set;			/* the kernel believes in its clock */
	int64_t disk_free;		/* bytes where the state is, -1: unknown */
	int64_t utc_s;
	unsigned bootstraps;		/* configured; UINT_MAX: unknown */
	const char *const *dns;		/* networks whose name server does not say the host's own name; NULL ends */
};

/** doctor_judge() - struct finding, in the order to be told; g_ptr_array_unref() it */
GPtrArray *doctor_judge(const struct doctor_facts *d);

/* ---- for the files that judge ---- */

void find(GPtrArray *a, enum finding_level level, const char *topic, const char *remedy, const char *format, ...)
	G_GNUC_PRINTF(5, 6);

/** judge_reach() - What stands between the node and its peers: NATs, firewalls, relays (ctl_reach.c) */
void judge_reach(const struct doctor_facts *d, GPtrArray *a);

const char *finding_level_text(enum finding_level level);

#endif /* NODE_CTL_JUDGE_H */
