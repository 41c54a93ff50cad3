/*
 * fault.h - what goes wrong in the underlay on purpose, and whom it touched
 *
 * Faults are started and stopped while no lane runs (a barrier). Several may be
 * active; a packet is judged by each in order of their numbers, the first that
 * takes it counts it. A fault that touched nothing is a mistake in the scenario:
 * net_fault_touched() is for the program to ask at the end.
 *
 *	Chance		who is in a group or a share: (seed, fault, interface), so
 *			interfaces made later have their place, too
 *	Memory		a few bytes each, and one byte an interface where a list
 *			was given
 */
#ifndef SIM_NET_FAULT_H
#define SIM_NET_FAULT_H

#include "sim/net/net.h"

enum { NET_GROUPS_MAX = 16 };

/** struct net_fault - number it had when started; it stays valid after it is stopped */
typedef struct { uint32_t number; } net_fault;
#define NET_FAULT_NONE ((net_fault){ UINT32_MAX })

static inline bool net_fault_valid(net_fault f) { return f.number != UINT32_MAX; }

/** struct net_partition - no packet between different groups */
struct net_partition {
	unsigned groups;		/* 2 to NET_GROUPS_MAX */
	uint32_t share_ppb[NET_GROUPS_MAX];	/* of interfaces, by chance; sum not 0 */
	const uint8_t *group;		/* or NULL: exactly so, for interfaces below count; copied */
	uint32_t count;
	bool     one_way;		/* an earlier group still reaches later ones */
};
net_fault net_fault_partition(struct net *net, const struct net_partition *p);

/** net_fault_group() - The group of @iface in partition @f: what an oracle needs */
unsigned net_fault_group(const struct net *net, net_fault f, uint32_t iface);

/** struct net_cut - no packet between region and the rest, or one other region */
struct net_cut {
	unsigned region;
	bool     from_one;		/* only from region @other, not from everywhere */
	unsigned other;
	bool     one_way;		/* the region still sends, but hears nothing */
};
net_fault net_fault_cut(struct net *net, const struct net_cut *c);

/** struct net_harm - some interfaces are bad: what they send and receive suffers */
struct net_harm {
	uint32_t share_ppb;		/* of interfaces, by chance */
	const uint32_t *iface;		/* or NULL: exactly these; copied */
	uint32_t count;
	bool     one_way;		/* only what they send */
	uint32_t loss_ppb;		/* of packets, each time an afflicted interface is passed */
	int64_t  delay_ns;		/* added, each time */
	uint32_t slow_milli;		/* path latency x this / 1000, each time; 0 and 1000: none */
};
net_fault net_fault_harm(struct net *net, const struct net_harm *h);

/** net_fault_harmed() - Whether harm @f afflicts @iface */
bool net_fault_harmed(const struct net *net, net_fault f, uint32_t iface);

/** net_fault_stop() - It is over; its number and count stay */
void net_fault_stop(struct net *net, net_fault f);
bool net_fault_active(const struct net *net, net_fault f);

/** net_fault_touched() - Packets it dropped or delayed so far */
uint64_t net_fault_touched(const struct net *net, net_fault f);

/** net_fault_passes() - Whether no active partition or cut lies between: for oracles */
bool net_fault_passes(const struct net *net, uint32_t from, uint32_t to);

#endif /* SIM_NET_FAULT_H */
