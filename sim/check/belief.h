/*
 * belief.h - oracles: one believed owner of each address at every instant; fences grow
 *
 * A node believes in an address while it would forward a frame for it if it
 * were stepped now (DESIGN section 6): from the step in which it was granted,
 * until the step in which it lets go, or its deadline by its own clock, or its
 * end. The caller tells of each change, with times of the true clock.
 *
 *	Memory		88 bytes a belief that stands or stood lately; GLib's
 *	Order		tell in order of time; nothing depends on addresses of memory
 */
#ifndef SIM_CHECK_BELIEF_H
#define SIM_CHECK_BELIEF_H

#include <glib.h>

#include "core/base/ip.h"
#include "core/dht/slot.h"
#include "sim/check/limits.h"

/** struct belief - one node's, in one address; from_ns <= true time < until_ns */
struct belief {
	struct id node;
	uint32_t host;
	int64_t from_ns, until_ns;
	struct fence fence;
	bool told;			/* an overlap with it was told */
};

/** struct believed - an address and who believed in it lately, by from_ns */
struct believed {
	struct id network;
	struct ip ip;
	struct belief *belief;
	uint32_t beliefs, cap;
	struct fence newest;		/* of all beliefs so far, and whose */
	struct id newest_node;
};

struct beliefs {
	GHashTable *by_address;		/* looked into, never walked */
	GPtrArray *all;			/* struct believed, in the order they came */
	struct id reclaim[8];		/* networks of policy reclaim */
	unsigned reclaims;
	uint64_t begun;			/* beliefs so far */
	uint64_t conflicts;		/* overlaps that policy reclaim may lead to */
};

void beliefs_init(struct beliefs *b);
void beliefs_done(struct beliefs *b);

/**
 * beliefs_reclaim() - In @network slots that lost their majority begin again
 *
 * When what seemed gone was cut off only, two generations may have an owner
 * each until they meet: that is counted there, and no violation.
 */
void beliefs_reclaim(struct beliefs *b, struct id network);

/**
 * beliefs_set() - From @at_ns on @host believes in @ip, until @until_ns if nothing else comes
 *
 * Told again, it moves the end, to later or sooner; another fence is told the same way.
 */
void beliefs_set(struct beliefs *b, const struct judge *j, int64_t at_ns, uint32_t host, struct id node,
		 struct id network, const struct ip *ip, struct fence fence, int64_t until_ns);

/** beliefs_end() - From @at_ns on it does not */
void beliefs_end(struct beliefs *b, int64_t at_ns, uint32_t host, struct id network, const struct ip *ip);

/**
 * beliefs_granted() - @node was told at @at_ns that @ip is its, and may have let go of it in the same step
 *
 * Then it was the owner for an instant, for beliefs_owner() and beliefs_any(), without ever believing.
 */
void beliefs_granted(struct beliefs *b, int64_t at_ns, uint32_t host, struct id node, struct id network,
		     const struct ip *ip);

/** beliefs_owner() - Did @node believe in @ip at some instant of [@from_ns, @to_ns]? */
bool beliefs_owner(const struct beliefs *b, struct id network, const struct ip *ip, struct id node, int64_t from_ns,
		   int64_t to_ns);

/** beliefs_any() - Did anybody? */
bool beliefs_any(const struct beliefs *b, struct id network, const struct ip *ip, int64_t from_ns, int64_t to_ns);

/**
 * check_sent() - @host sends to @ip under fence @now; @newest: of all it sent under in this life
 *
 * The other half of fences: they never go back on the data path, whatever slots
 * and owners tell, in caches that were corrected and caches that were not.
 */
void check_sent(const struct judge *j, int64_t at_ns, uint32_t host, const struct ip *ip, struct fence newest,
		struct fence now);

#endif /* SIM_CHECK_BELIEF_H */
