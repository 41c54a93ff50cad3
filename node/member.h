/*
 * member.h - one core node behind its door, in this process
 *
 * Membership of one overlay: the node, what it is born with, the effects it
 * asks for and the counters of what it did. Hands events in, carries datagrams,
 * frames and saves out, passes records and replies on, and says when it wants to be
 * called. A daemon in several overlays will hold several of these over one
 * struct udp.
 *
 *	Time		an argument of every call, CLOCK_BOOTTIME in nanoseconds
 *	Chance		getrandom(2), handed to core as entropy
 *	Memory		malloc up to the quota for core; effects of a fixed size
 *	Ownership	borrows config, home, udp and nics, which outlive it
 */
#ifndef NODE_MEMBER_H
#define NODE_MEMBER_H

#include "core/look.h"
#include "node/config.h"
#include "node/home.h"
#include "node/nic.h"
#include "node/seen.h"
#include "node/udp.h"

struct member {
	struct node *node;
	struct config core;		/* what the node was born with; bootstrap may change between steps */
	struct identity identity;
	struct endpoint bootstrap[CONFIG_BOOTSTRAPS];
	struct home *home;
	struct udp *udp;
	struct nics *nics;
	struct effects fx;
	struct event *next;		/* what follows from a step: saves that are durable, path errors */
	void *mapping;			/* where fx and next have their arrays */
	size_t mapped;
	int64_t birth_ns;
	int64_t alarm_ns;		/* when node_step() wants to be called; INT64_MAX: never */
	uint64_t not_after;		/* of our certificate, UTC seconds; 0 = for ever */
	char name[CERT_NAME_MAX + 1];
	uint64_t sends[MESSAGE_KINDS];	/* datagrams by message kind */
	uint64_t saves;
	int64_t unsaid_ns;		/* failed saves are not spoken of before this */
	bool unsaved;			/* and are not over */
	struct seen_table seen;		/* where peers see us */
	bool left, handed_over;		/* it has left the overlay */
	bool revoked;			/* it was shut out, and leaves */
	uint8_t signer[CERT_MAX];	/* its certificate as one who answers invitations */
	size_t signer_len;		/* 0: it is none */
	void (*reply)(void *ctx, const struct reply *r);
	void (*watch)(void *ctx, const struct effects *fx);	/* sees what goes out before it goes; NULL mostly */
	void *ctx;			/* of reply and watch */
};

/**
 * member_new() - The node that @home describes, not started
 * @nics: read, and plugged in if frames are to cross
 * @utc: wall time in seconds, to judge the certificate
 *
 * NULL with a message when the certificate does not hold or the quota is too small.
 */
struct member *member_new(const struct node_config *c, struct home *home, struct udp *udp, struct nics *nics,
			  int64_t now_ns, uint64_t utc, struct fail *f);
void member_free(struct member *m);

/** member_start() - EVENT_START with fresh entropy, what was saved, and @more events before it */
void member_start(struct member *m, int64_t now_ns, const struct event *more, unsigned count);

/** member_step() - @evs happened; everything core then asks for is done on return, alarm_ns is set */
void member_step(struct member *m, int64_t now_ns, const struct event *evs, unsigned count);

/** member_stir() - EVENT_ENTROPY, and EVENT_WALL_CLOCK */
void member_stir(struct member *m, int64_t now_ns);

/** member_tidy() - Between two steps: pages that only a large one needed go back to the kernel */
void member_tidy(struct member *m);

/** member_network() - ASK_JOIN or ASK_QUIT for the card in @place; the answer goes to nics_reply() */
void member_network(struct member *m, int64_t now_ns, unsigned place, bool join);

/** member_bootstrap() - Replace the list of configured endpoints; new ones are called at once */
void member_bootstrap(struct member *m, int64_t now_ns, const struct endpoint *at, unsigned count);

#endif /* NODE_MEMBER_H */
