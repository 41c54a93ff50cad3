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

/* ---- for the files that check --------------------------------------------------------------- */

struct checking {
	struct scenario *s;
	struct fail *f;
	bool bad;
};

/** checking_wrong() - A message about @key (NULL: the group); the scenario is refused */
void checking_wrong(struct checking *c, const char *group, const char *key, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/** checking_given() - The user wrote it */
bool checking_given(const struct checking *c, const char *group, const char *key);

/** checking_inert() - @key has no meaning because of @because, a key of the same group whose value rules it out */
void checking_inert(struct checking *c, const char *group, const char *key, const char *because, const char *why);

/** checking_vnet() - [network.N], [guests], [leases]: scenario_vnet.c */
void checking_vnet(struct checking *c);

#endif /* PROG_SCENARIO_CHECK_H */
