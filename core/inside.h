/*
 * inside.h - what a node is made of; for node.c and look.c only
 */
#ifndef CORE_INSIDE_H
#define CORE_INSIDE_H

#include "core/base/env.h"
#include "core/link/link.h"
#include "core/node.h"
#include "core/ring/ring.h"

struct node {
	struct env env;
	struct links *links;
	struct ring ring;
	const struct identity *identity;
	const struct event *held;	/* events of the last call that found no room yet */
	unsigned held_count;
	bool started;
	int64_t alarm_ns;		/* when we asked to be called */
};

#endif /* CORE_INSIDE_H */
