/*
 * roll.h - every id that is here or was, and whose it is
 *
 *	Memory		48 bytes an id, half of the table empty; ids that nobody has
 *			any more are dropped ROLL_KEEP_NS after their end, when it grows
 *	Order		a hash table that nobody walks
 */
#ifndef SIM_WORLD_ROLL_H
#define SIM_WORLD_ROLL_H

#include "sim/world/world.h"

#define ROLL_KEEP_NS	INT64_C(3600000000000)

struct roll;

struct roll *roll_new(void);
void roll_free(struct roll *r);

/** roll_start() - @host runs as @id from @now_ns on */
void roll_start(struct roll *r, struct id id, uint32_t host, uint32_t incarnation, int64_t now_ns);
void roll_end(struct roll *r, struct id id, int64_t now_ns, bool goodbye);

/** roll_find() - NULL if nobody had @id; good until the next change */
const struct was *roll_find(const struct roll *r, struct id id);

uint32_t roll_count(const struct roll *r);

#endif /* SIM_WORLD_ROLL_H */
