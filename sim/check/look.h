/*
 * look.h - filling the census from a world's nodes
 */
#ifndef SIM_CHECK_LOOK_H
#define SIM_CHECK_LOOK_H

#include "sim/check/census.h"
#include "sim/check/limits.h"
#include "sim/world/world.h"

/** look_all() - Every row as it is now; not yet indexed. Settled barriers only */
void look_all(struct census *c, const struct world *w);

/**
 * look_step() - Only the node of @host has made a step since the last look
 *
 * What the world itself does to hosts (starts, ends, parts) is seen for all.
 */
void look_step(struct census *c, const struct world *w, uint32_t host, int64_t now_ns);

/** look_limits() - What the scenario of @w lets the oracles demand */
void look_limits(struct limits *l, const struct world *w);

#endif /* SIM_CHECK_LOOK_H */
