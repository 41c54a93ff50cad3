/*
 * schema.h - one table per file format: parser, error texts, help and man page
 *
 * A schema is a table of groups and keys. From it schema_read() fills a typed
 * struct from a key file and from `-s group.key=value` overrides, and explain.h
 * writes help for a terminal and a man page. The scenario (scenario.h) is one
 * instance, weft-node's configuration another.
 *
 * The file is GLib's key file. A locator (locator.h) beside it knows the line of
 * every key and refuses what GKeyFile would silently merge. Errors read
 *
 *	FILE:LINE: [group] key = value: what is wrong; accepted: ...
 *	-s group.key=value: what is wrong; accepted: ...
 *
 * and name the nearest known key or group when one is unknown.
 *
 *	Memory		GLib's. The target struct owns its texts, lists and arrays of
 *			repeated groups until schema_clear()
 *	Ownership	tables are static const; nothing is kept by reference but them
 *	Bad input	files up to SCHEMA_FILE_MAX bytes; NUL and invalid UTF-8 refused
 */
#ifndef PROG_SCHEMA_H
#define PROG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/prog/dist.h"
#include "node/prog/fail.h"
#include "node/prog/units.h"

enum { SCHEMA_FILE_MAX = 4 << 20, SCHEMA_KEYS_MAX = 64 };

/* What a key holds: C type of its member, and how it is read. */
#define SCHEMA_TYPE_LIST(X)								\
	X(FLAG,		bool,		"yes or no")					\
	X(COUNT,	int64_t,	"a number (1000, 10k, 1M)")			\
	X(TIME,		int64_t,	"a time (500us, 50ms, 5s, 10m, 1h, 1d)")	\
	X(SHARE,	uint32_t,	"a share (5% or 0.05)")				\
	X(RATE,		int64_t,	"a rate (0.1/s, 6/h)")				\
	X(BITRATE,	int64_t,	"a bit rate (512kbit, 10Mbit, 1Gbit)")		\
	X(BYTES,	int64_t,	"a size (1400B, 64KiB, 1MB)")			\
	X(DRIFT,	int32_t,	"a drift (50ppm, -20ppm, 0.1%)")		\
	X(WORD,		int32_t,	"one of the words")				\
	X(TEXT,		char *,		"text")						\
	X(PATH,		char *,		"a path, relative to this file's folder")	\
	X(DIST,		struct dist,	"a distribution (exponential mean 30m)")	\
	X(COUNTS,	struct numbers,	"numbers with colons between (1:5:9)")		\
	X(SHARES,	struct numbers,	"shares with colons between (30%:70%)")

enum schema_type {
#define X(name, ctype, text) TYPE_##name,
	SCHEMA_TYPE_LIST(X)
#undef X
};

/** struct schema_word - a word accepted for a key, and the value it stands for */
struct schema_word {
	const char *name;		/* NULL ends a list */
	int64_t value;
	const char *text;		/* for explain; may be NULL */
};

/** struct schema_key - one line of the table */
struct schema_key {
	const char *name;
	enum schema_type type;
	size_t offset;			/* of the member in the group's struct */
	const char *preset;		/* default, written as a user would; NULL: none */
	int64_t min, max;		/* of the stored value; both 0: what the type allows. For a
					 * rate min is the shortest mean interval */
	const struct schema_word *words; /* accepted words; beside values unless TYPE_WORD */
	uint32_t needed;		/* kinds (bits) for which it must be given; 1: always, in a
					 * group without kinds */
	uint32_t taken;			/* kinds for which it may be given; 0: all */
	const char *text;		/* one line for people */
	const char *example;		/* a value for the man page; NULL: the preset */
	const char *since;		/* version that brought it; NULL: the first */
};

/** struct schema_group - one [group] */
struct schema_group {
	const char *name;
	const char *text;
	size_t offset;			/* of its struct in the target; of a struct schema_many if
					 * numbered, of a struct schema_pairs if open */
	size_t size;			/* of its struct */
	const struct schema_key *keys;
	unsigned count;
	bool by_kind;			/* the value of keys[0], a word, decides needed and taken */
	bool numbered;			/* [fault.1] [fault.2] ..., in order of the number */
	bool open;			/* any key: [expect] */
	const char *since;
};

struct schema {
	const char *name;		/* "scenario" */
	const char *title;		/* for the man page */
	const struct schema_group *groups;
	unsigned count;
	size_t size;			/* of the target */
};

/** struct schema_place - where a value came from */
struct schema_place {
	unsigned line;			/* 0: default, or an override */
	bool override;
};

/*
 * struct schema_head - first member of every group's struct
 *
 * @given has bit i set if keys[i] was written by the user (in the file or -s).
 */
struct schema_head {
	uint64_t given;
	unsigned number;		/* of a numbered group */
	unsigned line;			/* of its header; 0: none */
};

/** struct schema_many - the target's member for a numbered group; cast item to its struct */
struct schema_many {
	void *item;
	unsigned count;
};

/** struct schema_pair - one line of an open group */
struct schema_pair {
	char *key;
	char *text;
	struct schema_place place;
};

struct schema_pairs {
	struct schema_pair *pair;
	unsigned count;
};

/** struct schema_source - what schema_read() reads */
struct schema_source {
	const char *name;		/* for messages: the path as the user gave it */
	const char *text;		/* the file's bytes; NULL: no file, all defaults */
	size_t len;
	const char *dir;		/* paths in it are relative to this; NULL: as they are */
	const char *const *set;		/* overrides "group.key=value" */
	unsigned sets;
};

/**
 * schema_read() - Fill @target (of schema->size bytes) from @src
 * @log: set to every value in effect and its place, for messages and schema_write();
 *	schema_log_free() it
 *
 * On failure the messages are in @f, *@log is NULL, @target is empty and owns nothing.
 */
struct schema_log;
bool schema_read(const struct schema *s, const struct schema_source *src, void *target,
		 struct schema_log **log, struct fail *f);

/** schema_clear() - Free what @target owns */
void schema_clear(const struct schema *s, void *target);
void schema_log_free(struct schema_log *log);

/**
 * schema_complain() - A message for a value that is wrong beside others
 * @group: as in the file ("fault.1"); @key: NULL for the group as a whole
 *
 * Prints file, line, group, key and the value in effect before the sentence.
 */
void schema_complain(const struct schema_log *log, struct fail *f, const char *group,
		     const char *key, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/** schema_value() - The text in effect for a key, or NULL */
const char *schema_value(const struct schema_log *log, const char *group, const char *key);

/** schema_place() - Where that value came from; @given: false for defaults */
struct schema_place schema_place(const struct schema_log *log, const char *group,
				 const char *key, bool *given);

/** schema_assume() - @text, which must fit, as if it were the key's default; not in numbered groups */
void schema_assume(const struct schema *s, struct schema_log *log, void *target,
		   const char *group, const char *key, const char *text);

/**
 * schema_forget() - @key cannot matter here: its member becomes 0, NULL or empty, and it is
 * no longer in effect for schema_write() and schema_each(); not in numbered groups
 */
void schema_forget(const struct schema *s, struct schema_log *log, void *target,
		   const char *group, const char *key);

/** schema_write() - The values in effect as a key file that reads back equal; g_free() it */
char *schema_write(const struct schema_log *log);

/** schema_each() - Every value in effect, in table order, paths made absolute */
typedef void schema_each_fn(void *arg, const char *group, const char *key, const char *text,
			    bool given);
void schema_each(const struct schema_log *log, schema_each_fn *fn, void *arg);

/**
 * schema_split() - Take "group.key=value" (or "group.key") apart by the longest known group
 * @value: NULL if there is no '='
 *
 * The key is not checked. g_free() group and key; value points into @text.
 */
bool schema_split(const struct schema *s, const char *text, char **group, char **key,
		  const char **value, struct fail *f);

/** schema_group_find() - The group a header names ("fault.1" finds "fault"), or NULL */
const struct schema_group *schema_group_find(const struct schema *s, const char *name,
					     unsigned *number);
const struct schema_key *schema_key_find(const struct schema_group *g, const char *name);

const char *schema_type_text(enum schema_type t);

/** schema_accepted() - What a key takes, for messages and help; g_free() it */
char *schema_accepted(const struct schema_key *k);

/** nearest() - The entry of @names closest to @text by edit distance, or NULL if none is close */
const char *nearest(const char *text, const char *const *names, unsigned count);

/*
 * SCHEMA_KEY() - The start of a table line: type and member, whose C types are compared
 *
 *	{ SCHEMA_KEY(struct scenario_run, TIME, duration_ns), "duration", ... }
 */
#define SCHEMA_KEY(S, ktype, member)							\
	.type = TYPE_##ktype,								\
	.offset = offsetof(S, member) +							\
		  0 * sizeof(char[__builtin_types_compatible_p(				\
			__typeof__(((S *)0)->member), SCHEMA_C_##ktype) ? 1 : -1])

#define SCHEMA_C_FLAG		bool
#define SCHEMA_C_COUNT		int64_t
#define SCHEMA_C_TIME		int64_t
#define SCHEMA_C_SHARE		uint32_t
#define SCHEMA_C_RATE		int64_t
#define SCHEMA_C_BITRATE	int64_t
#define SCHEMA_C_BYTES		int64_t
#define SCHEMA_C_DRIFT		int32_t
#define SCHEMA_C_WORD		int32_t
#define SCHEMA_C_TEXT		char *
#define SCHEMA_C_PATH		char *
#define SCHEMA_C_DIST		struct dist
#define SCHEMA_C_COUNTS		struct numbers
#define SCHEMA_C_SHARES		struct numbers

#endif /* PROG_SCHEMA_H */
