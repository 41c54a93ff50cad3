/* scenario_check.h - whether the values of a scenario make sense together */
#ifndef PROG_SCENARIO_CHECK_H
#define PROG_SCENARIO_CHECK_H

#include "node/prog/scenario.h"

/**
 * scenario_check() - Resolve presets, forget what cannot matter, refuse contradictions
 *
 * Return: false with messages in @f
 */
bool scenario_check(struct scenario *s, struct fail *f);

#endif /* PROG_SCENARIO_CHECK_H */
