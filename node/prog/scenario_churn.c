/*
 * scenario_churn.c - published churn, by name
 *
 * Parameters as their sources print them; where a source leaves a unit open the
 * reading taken here is said. None of these is "the" churn of peer-to-peer
 * systems: measured sessions are neither exponential nor Pareto (Stutzbach and
 * Rejaie, IMC 2006, find log-normal and Weibull), and successive sessions of
 * one peer resemble each other (key `repeat`).
 */
#include "node/prog/scenario.h"

#define X(id, name, session, off, state, source) { name, session, off, state, source },
const struct churn_preset churn_presets[CHURN_PRESETS] = {
	CHURN_PRESET_LIST(X)
};
#undef X
