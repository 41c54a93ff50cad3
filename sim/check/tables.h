/*
 * tables.h - oracle: who has a link, the other has it too, and once
 *
 *	Memory		40 bytes per link that only one side has
 */
#ifndef SIM_CHECK_TABLES_H
#define SIM_CHECK_TABLES_H

#include "sim/check/limits.h"
#include "sim/check/since.h"

/** struct check_tables - all zeroes is a good beginning */
struct check_tables {
	struct since since;
};

void check_tables_done(struct check_tables *t);
void check_tables(struct check_tables *t, const struct census *c, const struct judge *j);

/** tables_patience_ns() - How long @k may be believed in when the other side is silent */
int64_t tables_patience_ns(const struct limits *l, const struct census_link *k);

/** tables_pace() - The pace of @k as part of a complaint's name: with a new pace patience begins anew */
static inline uint32_t tables_pace(const struct census_link *k)
{
	return (uint32_t)(k->pace_ns / 1000000) << 4;
}

#endif /* SIM_CHECK_TABLES_H */
