/*
 * check.h - the oracles, looking at a world while it runs
 *
 * What is checked, and how often, is said by [check] of the scenario. Looking
 * changes nothing: no step, no draw of the world's chance, no event. Everything
 * a check finds goes to world_violation(), which counts it, tells it and lets
 * the run end with exit code 1.
 *
 *	Memory		the census: about 1.5 KiB a running node
 *	Order		check_new() after world_new(), before world_record(); then the
 *			world calls; check_free() before world_free()
 *	Metrics		oracle.NAME.checks and oracle.NAME.violations for each oracle,
 *			oracle.checks for all, link.length_ks at the end
 */
#ifndef SIM_CHECK_CHECK_H
#define SIM_CHECK_CHECK_H

#include <stdio.h>

#include "sim/check/finding.h"
#include "sim/world/world.h"

struct check;

/** check_new() - Watch @w as its scenario says; NULL with a message in @f if that cannot be */
struct check *check_new(struct world *w, struct fail *f);
void check_free(struct check *c);

/** check_print() - One line for each oracle that looked: checks, violations, or why it cannot judge */
void check_print(const struct check *c, FILE *to);

#endif /* SIM_CHECK_CHECK_H */
