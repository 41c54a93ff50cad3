/*
 * views.h - oracle: a view is installed by a majority of the one before
 *
 *	Memory		about 250 bytes a view, the last few of each slot; GLib's
 *	Order		tell in order of time, of one instant in order of hosts
 */
#ifndef SIM_CHECK_VIEWS_H
#define SIM_CHECK_VIEWS_H

#include <glib.h>

#include "core/dht/dht.h"
#include "sim/check/limits.h"

/** lives_fn - does the node with @id run, since before @since_ns and in reach of @host? */
typedef bool lives_fn(const void *ctx, struct id id, uint32_t host, int64_t since_ns);

struct views {
	lives_fn *lives;
	const void *lives_ctx;
	GHashTable *by_name;		/* looked into, never walked */
	GPtrArray *slots;		/* struct slot_seen, in the order they came */
	uint64_t installed;		/* views that voted */
	uint64_t changes;		/* of them, those that took the place of another */
	uint64_t born_again;		/* of them, the first of a new generation */
	uint64_t seals;			/* members seen to have sealed a view */
	uint64_t lost_ever;		/* slots that were without a majority when counted, each time it began */
	unsigned lost_now, lost_most;
	GArray *replaced;		/* int64_t: from a member's crash to a view without it, in ns; the reader empties it */
	uint64_t replaced_cut;		/* the same, where no majority ran and was in reach all the while */
};

void views_init(struct views *v, lives_fn *lives, const void *ctx);
void views_done(struct views *v);

/** struct views_node - who shows a slot */
struct views_node {
	struct id id;
	uint32_t host;
	uint32_t life;			/* counts the host's starts */
	int64_t started_ns;		/* when this life began */
};

/** views_seen() - At @at_ns node @n keeps records of @s->slot, as @s says; tell when it changed */
void views_seen(struct views *v, const struct judge *j, int64_t at_ns, const struct views_node *n,
		const struct look_slot *s);

/** views_died() - The node @id crashed: how long until no view counts on it? views_came() - it is back, and is not replaced */
void views_died(struct views *v, int64_t at_ns, struct id id);
void views_came(struct views *v, struct id id);

/** views_latest() - The last view of @slot that was seen to vote; NULL if there was none */
const struct view *views_latest(const struct views *v, const struct slot_name *slot);

/** views_count() - How many slots have no majority of their latest view running now: lost_now, lost_most, lost_ever */
void views_count(struct views *v);

/**
 * views_lives() - Is a majority of the latest view of @slot alive, since before @since_ns and in reach of @host?
 * Return: false also when no view of it was ever seen to vote
 */
bool views_lives(const struct views *v, const struct slot_name *slot, uint32_t host, int64_t since_ns);

#endif /* SIM_CHECK_VIEWS_H */
