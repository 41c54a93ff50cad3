/*
 * truth.h - who owns what, and who did a moment ago
 *
 * All owners in order of their true ids, each with the time it began to own
 * and, for a while after, the time it ended. A key belongs to the first owner
 * at or after it, clockwise, among those that can reach each other (parts.h).
 *
 *	Memory		40 bytes an owner, present or recent, in buckets by the top
 *			bits of the id, about eight to a bucket
 *	Time		the caller's; changes are told in order of time
 *	Chance		none; ids are assumed to be spread evenly (only speed depends on it)
 */
#ifndef SIM_WORLD_TRUTH_H
#define SIM_WORLD_TRUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/id.h"
#include "sim/world/parts.h"

struct truth;

/** struct owner - one period of owning; until_ns is INT64_MAX while it lasts */
struct owner {
	struct id id;
	int64_t from_ns, until_ns;
	uint32_t host;
};

/**
 * truth_new() - Nobody owns anything
 * @parts: borrowed; tells who reaches whom
 * @keep_ns: how long the past is remembered
 */
struct truth *truth_new(const struct parts *parts, int64_t keep_ns);
void truth_free(struct truth *t);

/** truth_add() - @host owns as @id from @now_ns on; an id owns once at a time (our bug otherwise) */
void truth_add(struct truth *t, struct id id, uint32_t host, int64_t now_ns);

/** truth_del() - It does not any more. Return: false if it did not own */
bool truth_del(struct truth *t, struct id id, int64_t now_ns);

/** truth_forget() - Drop what ended more than keep_ns before @now_ns */
void truth_forget(struct truth *t, int64_t now_ns);

uint32_t truth_count(const struct truth *t);	/* owners now */

/** truth_first() - The owner with the least id now, or NULL; truth_after() - the next by id, NULL at the end */
const struct owner *truth_first(const struct truth *t);
const struct owner *truth_after(const struct truth *t, struct id id);

/** truth_find() - The owner with exactly this id now, or NULL */
const struct owner *truth_find(const struct truth *t, struct id id);

/**
 * truth_owner() - Who owns @key now in the part of host @asker; NULL if nobody does
 *
 * truth_next(), truth_prev(): the immediate neighbours of the owner @id in its host's part,
 * itself if it is alone.
 */
const struct owner *truth_owner(const struct truth *t, struct id key, uint32_t asker);
const struct owner *truth_next(const struct truth *t, const struct owner *of);
const struct owner *truth_prev(const struct truth *t, const struct owner *of);

/** truth_changed() - Did anybody between the owner @of and its next one stop owning after @since_ns? */
bool truth_changed(const struct truth *t, const struct owner *of, int64_t since_ns);

/**
 * truth_owned() - Did @who own @key at some instant from @from_ns to @until_ns (both
 * included), in the part that host @asker lay in at that instant?
 *
 * @until_ns is not after the last change told; @from_ns not older than keep_ns.
 */
bool truth_owned(const struct truth *t, struct id key, struct id who, uint32_t asker,
		 int64_t from_ns, int64_t until_ns);

#endif /* SIM_WORLD_TRUTH_H */
