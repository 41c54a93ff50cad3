/*
 * locator.h - where things stand in a key file
 *
 * GKeyFile reports no lines and merges a second [group] or key silently. This
 * scan reads the same text beside it, remembers the line of each group header
 * and key, and refuses what stands twice, what stands before any group, and
 * lines that are neither. The two agree on what is a comment (# first on a line)
 * and where a key ends (at '=', blanks before it stripped).
 *
 *	Memory		GLib's, until locator_free()
 */
#ifndef PROG_LOCATOR_H
#define PROG_LOCATOR_H

#include <stddef.h>

#include "node/prog/fail.h"

struct locator;

/** struct located - one key line, in the order of the file */
struct located {
	const char *group;
	const char *key;
	unsigned line;			/* from 1 */
};

/** locator_new() - Scan @text; NULL with messages "NAME:LINE: ..." in @f */
struct locator *locator_new(const char *name, const char *text, size_t len, struct fail *f);
void locator_free(struct locator *l);

/** locator_group() - The line of [@group], 0 if there is none */
unsigned locator_group(const struct locator *l, const char *group);

/** locator_key() - The line of @key in [@group], 0 if there is none */
unsigned locator_key(const struct locator *l, const char *group, const char *key);

/* All of them in the order of the file; of groups, key is NULL. */
const struct located *locator_keys(const struct locator *l, unsigned *count);
const struct located *locator_groups(const struct locator *l, unsigned *count);

#endif /* PROG_LOCATOR_H */
