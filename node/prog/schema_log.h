/*
 * schema_log.h - every value in effect as text, and where it came from
 *
 * Inside node/prog only: schema.c fills it, schema_log.c answers from it.
 */
#ifndef PROG_SCHEMA_LOG_H
#define PROG_SCHEMA_LOG_H

#include "node/prog/schema.h"

struct log_entry {
	char *group;			/* "fault.1" */
	char *key;
	char *text;			/* as written, or the preset */
	char *resolved;			/* a path made absolute; NULL: text says it all */
	struct schema_place place;
	bool given;
};

struct log_group {
	char *name;
	unsigned line;			/* 0: made by overrides or defaults */
};

struct schema_log {
	char *name;			/* of the file, as the user gave it */
	struct log_entry *entry;	/* in table order, file order in open groups */
	unsigned count, room;
	struct log_group *group;	/* in table order */
	unsigned groups;
};

struct schema_log *log_new(const char *name);
void log_group_add(struct schema_log *log, const char *name, unsigned line);
struct log_entry *log_add(struct schema_log *log, const char *group, const char *key,
			  const char *text, struct schema_place place, bool given);
struct log_entry *log_find(const struct schema_log *log, const char *group, const char *key);

/** log_say() - "FILE:LINE: [group] key = text: why; accepted: @accepted" (@accepted may be NULL) */
void log_say(struct fail *f, const char *file, const char *group, const char *key,
	     const char *text, struct schema_place place, const char *why, const char *accepted);

#endif /* PROG_SCHEMA_LOG_H */
