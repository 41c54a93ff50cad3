/*
 * invite.h - invitations: a line of text that lets somebody in, and what is said to redeem it
 *
 * The line, a token, holds everything that a machine must know to become a
 * member: the overlay's key, endpoints of some members, a one-time key and the
 * short certificate of it (ROLE_INVITATION), which opens one link, says when it
 * ends and what the newcomer is to be: name, groups, addresses, for how long.
 * Whoever has the line is invited; so it is as secret as a password.
 *
 *	 token	 = version 1 | overlay 32 | seed 32 | endpoints: count 1, each | chain
 *		 | checksum 4 (BLAKE2b of all before it)
 *	 line	 = "weft:" base32(token); letters of both cases; blanks and hyphens are skipped
 *
 *	 plea	 = "wIn1" 4 | nonce 16 | key 32 | name: length 1, bytes | chain: length 2, bytes
 *		 | signature 64 by the one-time key | signature 64 by the newcomer's, of all before both
 *	 answer	 = "wIn2" 4 | nonce 16 | verdict 1, and if it is ADMIT_OK:
 *		 | the signer's key 32 | sealed: the grant, tag 16
 *	 grant	 = chain: length 2, bytes | record: length 2, bytes | group key 32
 *
 * An answer is sealed with a key that only the newcomer and the signer can
 * compute, from their two keys and the nonce, so that it can go through
 * anybody's hands, and one that is heard again fits no other plea. A refusal is
 * not sealed: whoever carries it could as well lose it.
 *
 *	Memory		none; decoded things borrow the bytes they came from
 *	Time		UTC seconds as an argument
 *	Chance		none: seeds and nonces come in
 */
#ifndef SEAL_INVITE_H
#define SEAL_INVITE_H

#include "core/seal/identity.h"

enum {
	TOKEN_VERSION	= 1,
	TOKEN_ENDPOINTS	= 4,
	TOKEN_BYTES	= 1 + 2 * KEY_BYTES + 1 + TOKEN_ENDPOINTS * 19 + CERT_CHAIN_MAX + 4,
	TOKEN_TEXT	= 5 + (TOKEN_BYTES * 8 + 4) / 5 + 1,	/* "weft:", base32, NUL */
	TOKEN_NAME	= 40,		/* of its place in the DHT */
	INVITE_NONCE	= 16,
	PLEA_MAX	= 4 + INVITE_NONCE + KEY_BYTES + 1 + CERT_NAME_MAX + 2 + CERT_CHAIN_MAX + 2 * SIGNATURE_BYTES,
	GRANT_RECORD	= 600,		/* NETWORK_RECORD_MAX */
	GRANT_SECRET	= 32,
	GRANT_MAX	= 2 + CERT_CHAIN_MAX + 2 + GRANT_RECORD + GRANT_SECRET,
	ANSWER_HEADER	= 4 + INVITE_NONCE + 1,
	ANSWER_MAX	= ANSWER_HEADER + KEY_BYTES + GRANT_MAX + TAG_BYTES,
	INVITE_USES	= 100,		/* how many one invitation may let in */
	INVITE_MOST_S	= 6 * 86400,	/* how long it may hold: its traces in the DHT live a day longer */
};

/** struct token - an invitation as its holder has it */
struct token {
	uint8_t overlay[KEY_BYTES];
	uint8_t seed[KEY_BYTES];	/* of the one-time key */
	struct endpoint at[TOKEN_ENDPOINTS];
	uint8_t ats;
	uint8_t chain[CERT_CHAIN_MAX];
	uint16_t chain_len;
};

/* What is wrong with a line that should be a token, for people */
#define TOKEN_LIST(X)									\
	X(GOOD,		"good")								\
	X(PREFIX,	"not an invitation: those begin with weft:")			\
	X(LETTER,	"mistyped: there is a letter in it that no invitation has")	\
	X(TYPED,	"mistyped or cut: its checksum does not fit")			\
	X(LATER,	"of a version this program does not know")			\
	X(FORM,		"malformed: whoever made it did it wrong")

enum token_fault {
#define X(name, text) TOKEN_##name,
	TOKEN_LIST(X)
#undef X
	TOKEN_FAULTS
};

const char *token_fault_text(enum token_fault f);

/** token_write() - The line of @t; false if @t has too many endpoints or too long a chain */
bool token_write(const struct token *t, char out[TOKEN_TEXT]);

/** token_read() - @len characters are a token; its certificate is not judged. @t untouched on failure */
enum token_fault token_read(const char *text, size_t len, struct token *t);

/** token_name() - Under which name the @use-th redemption of the invitation with the one-time key @key stands in the DHT */
void token_name(const uint8_t key[KEY_BYTES], unsigned use, char out[TOKEN_NAME]);

/** enum admit - how a redemption went */
#define ADMIT_LIST(X)								\
	X(NONE,		"no answer")							\
	X(OK,		"admitted")							\
	X(USED,		"the invitation was used already")				\
	X(ENDED,	"the invitation has expired")					\
	X(DENIED,	"the invitation proves nothing to those who decide")		\
	X(REVOKED,	"whoever made the invitation was revoked")			\
	X(GRANT,	"it promises more than those who are there may grant")		\
	X(SIGNER,	"no member that may admit anybody can be reached now")		\
	X(LATER,	"the network cannot decide now")				\
	X(FULL,		"too many newcomers at once")

enum admit {
#define X(name, text) ADMIT_##name,
	ADMIT_LIST(X)
#undef X
	ADMITS
};

const char *admit_text(enum admit a);

/** admit_final() - does it make no sense to ask again? */
static inline bool admit_final(enum admit a)
{
	return a != ADMIT_NONE && a != ADMIT_SIGNER && a != ADMIT_LATER && a != ADMIT_FULL;
}

/** struct plea - a redemption as asked; bytes borrowed */
struct plea {
	const uint8_t *nonce, *key;	/* INVITE_NONCE; KEY_BYTES: the newcomer's */
	struct bytes name;		/* what it would like to be called; may be empty */
	struct bytes chain;		/* the invitation's */
	struct bytes all;
};

/**
 * plea_write() - Ask for admission
 * @once: Ed25519 secret of the one-time key; @own: of the newcomer's
 */
void plea_write(struct writer *w, const struct suite *suite, const uint8_t once[SIGN_BYTES],
		   const uint8_t own[SIGN_BYTES], const uint8_t nonce[INVITE_NONCE], struct bytes name,
		   struct bytes chain);

/** plea_read() - The form only */
bool plea_read(struct bytes b, struct plea *q);

/**
 * plea_check() - Is it a holder of an invitation of @anchor's who asks, for a key that is theirs?
 * @leaf: the invitation, on success
 *
 * Return: FAULT_NONE; as cert_check(); SIGNATURE also if one of the plea's own does not fit
 */
enum cert_fault plea_check(const struct plea *q, const struct suite *suite, const uint8_t anchor[KEY_BYTES],
			      uint64_t utc, struct cert *leaf);

/** struct grant - what a newcomer gets; bytes borrowed */
struct grant {
	struct bytes chain;		/* its certificate, then the signer's */
	struct bytes record;		/* of the network */
	const uint8_t *secret;		/* GRANT_SECRET: its group key */
};

void grant_write(struct writer *w, const struct grant *g);
bool grant_read(struct bytes b, struct grant *g);

/** answer_write() - @q is granted: sealed for its key by @signer. False if that is no key or it does not fit */
bool answer_write(struct writer *w, const struct suite *suite, const struct plea *q,
		  const uint8_t signer[SIGN_BYTES], const struct grant *g);

/** answer_refuse() - The answer @why to the plea with @nonce */
void answer_refuse(struct writer *w, const uint8_t nonce[INVITE_NONCE], enum admit why);

/** answer_nonce() - To which plea is it an answer? NULL: it is none */
const uint8_t *answer_nonce(struct bytes b);

/**
 * answer_open() - What does the answer @b say to the newcomer @own?
 * @room: GRANT_MAX bytes that @g will borrow
 *
 * Return: the verdict; ADMIT_NONE if it is no answer to @nonce from a signer of @anchor's, for @own
 */
enum admit answer_open(struct bytes b, const struct suite *suite, const uint8_t own[SIGN_BYTES],
			   const uint8_t nonce[INVITE_NONCE], const uint8_t anchor[KEY_BYTES], uint64_t utc,
			   uint8_t room[GRANT_MAX], struct grant *g);

#endif /* SEAL_INVITE_H */
