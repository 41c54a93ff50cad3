/*
 * record.h - what a node says about itself: event records
 *
 * Events are data: a closed list of kinds and one fixed record. The host turns
 * them into lines, metrics, digests or nothing. The same vocabulary in the
 * simulator, the testbed and the daemon, so that runs can be laid side by side.
 */
#ifndef BASE_RECORD_H
#define BASE_RECORD_H

#include <stdint.h>

#include "core/base/id.h"

/*	kind		printed		peer		a			b */
#define RECORD_LIST(X)									\
	X(START,	"start")	/* -		remembered peers	- */	\
	X(JOINED,	"joined")	/* successor	ms since start		- */	\
	X(APART,	"apart")	/* -		why: enum apart		- : no longer a member of a ring */ \
	X(LEAVE,	"leave")	/* successor	-			- */	\
	X(LEFT,		"left")		/* successor	handed over (1) or not	- */	\
	X(LINK_UP,	"up")		/* peer		ms it took		relayed (1) */ \
	X(LINK_DOWN,	"down")		/* peer		enum link_end		s it lived */ \
	X(LINK_FAILED,	"failed")	/* peer or 0	enum link_end		- */	\
	X(LINK_PATH,	"path")		/* peer		relayed (1), direct (0)	- */	\
	X(SUSPECT,	"suspect")	/* peer		ms since last heard	- */	\
	X(DEAD,		"dead")		/* peer		ms since last heard	was an immediate neighbour (1) */ \
	X(NEIGHBOUR,	"next")		/* neighbour	0 left, 1 right		- : a new immediate neighbour */ \
	X(DRAWN,	"drawn")	/* the point	-			- : a long link was drawn */ \
	X(LONG,		"long")		/* owner	-			- : it was taken */ \
	X(REFUSED,	"refused")	/* owner	-			- : it was not */ \
	X(LOOKUP,	"lookup")	/* answered by	hops			tries */ \
	X(BROADCAST,	"broadcast")	/* origin	sequence		hops */	\
	X(MERGE,	"merge")	/* stranger	-			- : a ring we did not know */ \
	X(LEASED,	"leased")	/* address	ms since first asked	enum guest_how */ \
	X(LEASE_LOST,	"unleased")	/* address	enum verdict		enum guest_how : was ours, is not */ \
	X(LEASE_REFUSED, "no-lease")	/* address	enum verdict		enum guest_how */ \
	X(RESOLVED,	"resolved")	/* address	ms it took		found (1) or nobody */ \
	X(ADMITTED,	"admitted")	/* newcomer	the invitation's serial	which of its uses */ \
	X(REVOKED,	"revoked")	/* 0, or us	serial of the list	how many are in it; us: known at start (1) */ \
	X(LAN,		"lan")		/* neighbour	its LAN is ours: came (1), went (0)	we serve it (1) */ \
	X(MOVED,	"moved")	/* address	first half of the other node's id	came (1) from it, went (0) to it */ \
	X(EPOCH,	"epoch")	/* network	serial of the list that began it	ms we waited for its group key */

enum record_kind {
#define X(name, text) RECORD_##name,
	RECORD_LIST(X)
#undef X
	RECORD_KINDS
};

/** struct record - one event; the host knows which node and adds the time */
struct record {
	struct id peer;
	uint64_t a, b;
	uint8_t kind;			/* enum record_kind */
};

/** record_text() - the printed name of @kind */
const char *record_text(enum record_kind kind);

#endif /* BASE_RECORD_H */
