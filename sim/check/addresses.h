/*
 * addresses.h - the oracles of addresses, from sights to verdicts
 *
 * Barriers take what all shards saw in the order of (time, host) and let
 * belief, views, history, kept and answers judge them. Nothing is there when the
 * scenario has no network.
 */
#ifndef SIM_CHECK_ADDRESSES_H
#define SIM_CHECK_ADDRESSES_H

#include <stdio.h>

#include "sim/check/census.h"
#include "sim/check/finding.h"
#include "sim/check/limits.h"
#include "sim/world/clock.h"
#include "sim/world/world.h"

struct addresses;

/** addresses_new() - NULL if the scenario of @w has no network. All borrowed */
struct addresses *addresses_new(struct world *w, const struct judge *j, const struct census *c);
void addresses_free(struct addresses *l);

/** addresses_sights() - What hooks tell; NULL if there is no network */
struct sights *addresses_sights(const struct addresses *l);

/** addresses_judge() - In a barrier, after the census; @last: it is the end */
void addresses_judge(struct addresses *l, int64_t now_ns, bool last);

/** addresses_metrics() - Add and set what reports show: addresses.*, views.*, beliefs.* */
void addresses_catalog(struct addresses *l);
void addresses_metrics(struct addresses *l);

/** addresses_print() - One line of counts */
void addresses_print(const struct addresses *l, FILE *to);

#endif /* SIM_CHECK_ADDRESSES_H */
