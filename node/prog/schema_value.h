/*
 * schema_value.h - one value of a schema: from text into a typed member
 *
 * Used by schema.c for files and overrides and by explain.c for help.
 */
#ifndef PROG_SCHEMA_VALUE_H
#define PROG_SCHEMA_VALUE_H

#include "node/prog/schema.h"

/**
 * schema_value_read() - Parse @text for key @k into @member
 * @why: half a sentence on failure; @member is then as it was
 *
 * What @member held before is freed. Paths are stored as they are.
 */
bool schema_value_read(const struct schema_key *k, const char *text, void *member, char why[WHY_LEN]);

/** schema_value_done() - Free what @member owns */
void schema_value_done(const struct schema_key *k, void *member);

/** schema_value_clear() - The same, and set it to 0, NULL or empty */
void schema_value_clear(const struct schema_key *k, void *member);

#endif /* PROG_SCHEMA_VALUE_H */
