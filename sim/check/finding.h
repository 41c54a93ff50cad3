/*
 * finding.h - what the oracles found
 *
 * Each oracle counts its checks (one per node, link, walk or broadcast it
 * looked at) and its violations; each violation is a sentence that says what
 * was seen and what was expected, handed to whoever tells it to people.
 *
 *	Memory		one sentence per oracle (the last), GLib's
 */
#ifndef SIM_CHECK_FINDING_H
#define SIM_CHECK_FINDING_H

#include <stdbool.h>
#include <stdint.h>

/*	id		name		promise */
#define ORACLE_LIST(X)										\
	X(RING,		"ring",		"one ordered ring in each part, and a way back to it")	\
	X(ROUTING,	"routing",	"a greedy walk reaches the owner, and nothing loops")	\
	X(LINKS,	"links",	"who has a link, the other has it too, and once")	\
	X(LENGTHS,	"lengths",	"long links follow their law")				\
	X(BROADCASTS,	"broadcasts",	"everybody hears a broadcast, nobody twice")		\
	X(BOUNDS,	"bounds",	"tables and memory stay within their bounds")		\
	X(LEFTOVERS,	"leftovers",	"nothing is left of nodes that went")			\
	X(OWNERS,	"owners",	"each key has one owner who believes it")		\
	X(BELIEF,	"belief",	"one believed owner of an address at every instant")	\
	X(FENCES,	"fences",	"fences of an address never go back")			\
	X(HISTORY,	"history",	"some order explains all answers about an address")	\
	X(VIEWS,	"views",	"a view is installed by a majority of the one before")	\
	X(ANSWERS,	"answers",	"ARP and DNS name who owns the address")		\
	X(KEPT,		"kept",		"no lease is lost while a majority of its view lives")

enum oracle {
#define X(id, name, promise) ORACLE_##id,
	ORACLE_LIST(X)
#undef X
	ORACLES
};

#define FINDING_WORLD	UINT32_MAX	/* in place of a node: all of them */

/** finding_fn - a violation of @o at @at_ns and @node; @text is borrowed */
typedef void finding_fn(void *ctx, enum oracle o, int64_t at_ns, uint32_t node, const char *text);

struct findings {
	uint64_t checks[ORACLES], violations[ORACLES];
	char *last[ORACLES];		/* the latest violation, NULL: none */
	char *undecided[ORACLES];	/* why an oracle could not judge, NULL: it could */
	finding_fn *tell;		/* may be NULL */
	void *ctx;
};

void findings_init(struct findings *f, finding_fn *tell, void *ctx);
void findings_done(struct findings *f);

const char *oracle_name(enum oracle o);
const char *oracle_promise(enum oracle o);

static inline void findings_checked(struct findings *f, enum oracle o, uint64_t n)
{
	f->checks[o] += n;
}

/** findings_add() - @o is violated at @node: what was seen, what was expected */
void findings_add(struct findings *f, enum oracle o, int64_t at_ns, uint32_t node,
		  const char *format, ...) __attribute__((format(printf, 5, 6)));

/** findings_undecided() - @o cannot judge: say why */
void findings_undecided(struct findings *f, enum oracle o, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

uint64_t findings_violations(const struct findings *f);	/* all together */

#endif /* SIM_CHECK_FINDING_H */
