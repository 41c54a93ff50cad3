/*
 * faults.h - one fault on its way: between faults.c, fault_hosts.c and fault_net.c
 */
#ifndef SIM_WORLD_FAULTS_H
#define SIM_WORLD_FAULTS_H

#include "sim/world/inside.h"

enum fault_phase { FAULT_BEGINS, FAULT_RETURNS };

struct fault_run {
	struct world *world;
	const struct fault *fault;
	char name[24];			/* "fault.1" */
	uint32_t number;		/* from 1: struct odd, shard.touched */
	int64_t end_ns;
	uint32_t *victim, victims;
	unsigned list;			/* revoke: which of them all (revokes.c) */
	net_fault net;
	bool begun, ended;
};

struct faults {
	struct fault_run *run;		/* run[1] to run[count] */
	unsigned count;
};

bool fault_is_of_net(const struct fault *f);

void fault_net_begin(struct world *w, struct fault_run *r);
void fault_net_end(struct world *w, struct fault_run *r);
char *fault_net_text(const struct fault *f);

/** faults_touched() - What fault @number (from 1) touched so far; barriers */
uint64_t faults_touched(const struct world *w, unsigned number);

#endif /* SIM_WORLD_FAULTS_H */
