/*
 * schema_find.h - what to say of names that the table does not know
 *
 * Inside node/prog only; schema.h has what finds the known ones.
 */
#ifndef PROG_SCHEMA_FIND_H
#define PROG_SCHEMA_FIND_H

#include "node/prog/schema.h"

/**
 * find_no_group() - Half a sentence about [@name], with the nearest group
 * @accepted: set to what would be; g_free() both
 */
char *find_no_group(const struct schema *s, const char *name, char **accepted);

/** find_no_key() - The same about @key in @g; says so if it belongs to another group */
char *find_no_key(const struct schema *s, const struct schema_group *g, const char *key,
		  char **accepted);

#endif /* PROG_SCHEMA_FIND_H */
