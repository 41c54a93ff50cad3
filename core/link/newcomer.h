/*
 * newcomer.h - a node that is none yet: it has an invitation and wants to be a member
 *
 * Such a node links with the one-time key of its invitation, pleads over every
 * link it gets, and hands the answer to its host. It stands on no ring, answers
 * nobody and forwards nothing. With what it was granted the host then starts a
 * node proper. Pleading again with the same key brings the same answer, so
 * whatever is lost, or whoever crashes, nothing is lost with it.
 *
 *	PLEA	a plea (core/seal/invite.h)
 *	VERDICT	nonce 16 | total 2 | offset 2 | bytes: a piece of its answer; with a
 *		total of 0: heard, and not decided yet
 *
 *	Replies		one, of ASK_REDEEM with the host's token: ANSWER_OK with the grant
 *			(grant_read()) or ANSWER_REFUSED with enum admit as
 *			verdict. Before it ANSWER_HOP whenever somebody cannot say yet, or
 *			no link was to be had (ADMIT_NONE)
 *	Memory		one struct newcomer, from env.mem
 *	Time, chance	env's; TIMER_NEWCOMER. It never gives up: that is the host's
 */
#ifndef LINK_NEWCOMER_H
#define LINK_NEWCOMER_H

#include "core/link/link.h"
#include "core/seal/invite.h"

/** struct newcomer_birth - what the host knows of it; outlives the node */
struct newcomer_birth {
	const struct token *token;
	const uint8_t *own;		/* SIGN_BYTES: Ed25519 secret of the member to be */
	struct bytes name;		/* what it would like to be called, may be empty */
	uint64_t reply;			/* token of the replies */
};

enum { VERDICT_PIECE = 900, VERDICT_HEADER = INVITE_NONCE + 2 + 2 };

struct newcomer;

struct newcomer *newcomer_new(struct env *e, struct links *l, const struct newcomer_birth *b);
void newcomer_free(struct env *e, struct newcomer *n);
void newcomer_start(struct env *e, struct newcomer *n);
void newcomer_news(struct env *e, struct newcomer *n, const struct news *news);
void newcomer_timer(struct env *e, struct newcomer *n);

/** verdict_write() - For whoever answers: the piece of @answer at @offset; false past its end */
bool verdict_write(struct writer *w, struct bytes answer, size_t offset);

#endif /* LINK_NEWCOMER_H */
