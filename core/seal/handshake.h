/*
 * handshake.h - from two strangers to a session, without Noise's insides
 *
 * Reads and writes whole INIT, REPLY and FINISH packets (wire.h, picture 2):
 *
 *	IK, the peer's key is known:	INIT, REPLY; both know each other after one
 *					message. handshake_done() after writing REPLY,
 *					and after reading it
 *	XX, only an endpoint is known:	INIT, REPLY, FINISH. The caller knows the peer
 *					from REPLY on, the answerer from FINISH on
 *
 * Calling:	handshake_call(), write INIT; read REPLY; XX: write FINISH; session.
 * Answering:	read INIT into a struct handshake (on the stack, if it is IK);
 *		look at who it is; write REPLY; XX: keep it until FINISH; session.
 *
 * The certificate chain travels inside the payload and is checked here: the
 * Noise static key must be the conversion of the certified Ed25519 key
 * (DROP_CERTIFICATE), the peer must be who was called (DROP_IDENTITY) and not
 * ourselves (DROP_SELF). Overlay key, version, pattern and the caller's index
 * are in the prologue, the answerer's index is in REPLY's payload; both go into
 * the session keys.
 *
 * The payload is TLV: type 1, length 2, value. Types below HELLO_FIRST are
 * seal's (padding, chain, ciphers); the others are the caller's hello, opaque
 * here. An INIT is padded, inside its payload, to at least HANDSHAKE_INIT_MIN
 * bytes and to what an answer of the same contents takes; a REPLY longer than
 * the INIT it answers is never written. At its end an INIT proves that its sender
 * knows the overlay's whole key, and not just the tag that everybody can read
 * (DROP_PROOF), and leaves room for a second proof, of its address, which
 * nobody asks for but core/link/cookie.h. A hello of XX goes with REPLY and
 * FINISH only, for XX's first message is in the clear.
 *
 *	Replay		an INIT that comes again makes a new handshake with new
 *			keys; its session stays unconfirmed (session->confirmed)
 *			until the first packet opens: keep the old one till then
 *	Forgery		a packet that fails leaves the struct as it was
 *	Memory		struct handshake is the caller's, alive while it runs
 *	Chance		32 bytes of env's per INIT and per REPLY written
 */
#ifndef SEAL_HANDSHAKE_H
#define SEAL_HANDSHAKE_H

#include "core/base/bytes.h"
#include "core/base/drop.h"
#include "core/base/env.h"
#include "core/base/wire.h"
#include "core/seal/cert.h"
#include "core/seal/identity.h"
#include "core/seal/noise.h"
#include "core/seal/session.h"

enum {
	HANDSHAKE_MAX		= 1200,		/* bytes of a packet; WIRE_MTU_MIN */
	HANDSHAKE_INIT_MIN	= 480,
	HELLO_MAX		= 256,		/* bytes of hello TLVs */
	HELLO_FIRST		= 16,		/* first TLV type that is not seal's */
	PROOF_BYTES		= 16,		/* each of the two at the end of an INIT (wire.h, picture 2) */
};

/** enum payload_type - seal's own TLVs */
enum payload_type {
	PAYLOAD_PAD	= 0,		/* zeros */
	PAYLOAD_CHAIN	= 1,		/* certificates, leaf first */
	PAYLOAD_CIPHERS	= 2,		/* one byte: bits on offer; in the answer the one chosen */
	PAYLOAD_INDEX	= 3,		/* four bytes, REPLY only: where the answerer wants to hear */
};

/** struct handshake - one under way; see noise.h for its size */
struct handshake {
	struct noise noise;
	uint8_t key[KEY_BYTES];		/* the peer's Ed25519 key, once known or if called by it */
	uint32_t index, peer_index;
	uint16_t init_len;		/* of the INIT read: no answer is longer */
	uint8_t offered;		/* bits of the ciphers the peer has */
	uint8_t cipher;			/* the one chosen */
	bool named;			/* key is valid */
	bool through;			/* end to end: handshake_call_in(), handshake_read_in() */
	const uint8_t *anchor;		/* whose members these are; borrowed */
};

/** struct peer_identity - who somebody proved to be */
struct peer_identity {
	struct id id;
	uint8_t key[KEY_BYTES];		/* Ed25519 */
	uint8_t digest[CERT_DIGEST];	/* of its chain */
	uint8_t roles;			/* enum cert_role bits */
	uint64_t not_after;		/* UTC seconds, 0 = for ever */
	uint32_t signer;		/* revoked_short() of the delegate that signed for it; 0: the anchor did */
};

/** struct greeting - what a handshake packet said; about 1.3 KB, on the caller's stack */
struct greeting {
	bool known;			/* who, cert and hello are valid (not so in XX's INIT) */
	struct peer_identity who;
	struct cert cert;		/* its leaf, in room */
	struct bytes hello;		/* all TLVs; skip types below HELLO_FIRST. In room */
	uint8_t room[HANDSHAKE_MAX];
};

/** handshake_tag() - the overlay tag an INIT's receiver field carries */
uint32_t handshake_tag(const uint8_t overlay[KEY_BYTES]);

/**
 * handshake_call() - Begin as the caller
 * @key: the peer's Ed25519 key for IK, NULL for XX
 * @index: the receiver index under which we want to hear
 *
 * Return: false if @key is no key
 */
bool handshake_call(struct env *e, struct handshake *hs, const struct identity *self,
		    const uint8_t *key, uint32_t index);

/**
 * handshake_call_in() - The same between the two ends of a tunnel, as members of a network
 * @anchor: the network's public key, borrowed while @hs is used; it stands for the overlay's in everything above.
 *	The prologue says besides that this is no link, so that neither can be passed off as the other
 */
bool handshake_call_in(struct env *e, struct handshake *hs, const struct identity *self, const uint8_t *anchor,
		       const uint8_t *key, uint32_t index);

/**
 * handshake_write() - Write the next packet of ours
 * @hello: TLVs, HELLO_MAX at most; ignored in XX's INIT
 * @w: HANDSHAKE_MAX bytes are always enough; bad afterwards (and @hs useless) if not
 *
 * Before writing a REPLY set our index with handshake_answer().
 * Return: DROP_NONE, or DROP_TOO_BIG: the answer would be longer than the INIT
 */
enum drop handshake_write(struct env *e, struct handshake *hs, const struct identity *self,
			  struct bytes hello, struct writer *w);

/**
 * handshake_read() - Read the next packet of the peer
 * @hs: for an INIT any memory: it is filled anew. For REPLY and FINISH the one
 *	that handshake_call() or the INIT filled; the caller found it by the
 *	packet's receiver index
 *
 * Return: DROP_NONE and @g; SHORT, VERSION, TYPE, OVERLAY, SESSION (another
 * index), HANDSHAKE (not the packet waited for), PROOF, SEAL, VALUE, CERTIFICATE,
 * REVOKED, IDENTITY, SELF, TOO_BIG. On failure @hs is as before (useless for INIT).
 */
enum drop handshake_read(struct env *e, struct handshake *hs, const struct identity *self,
			 struct bytes packet, struct greeting *g);

/** handshake_read_in() - The same between the two ends of a tunnel; @anchor matters for an INIT */
enum drop handshake_read_in(struct env *e, struct handshake *hs, const struct identity *self, const uint8_t *anchor,
			    struct bytes packet, struct greeting *g);

/**
 * handshake_knows() - Does the INIT @packet come from somebody who knows the overlay (or network) @anchor?
 * One hash: what is to be known before anything dearer is done
 * Return: DROP_NONE; SHORT, TOO_BIG, OVERLAY, PROOF. handshake_read() asks the same
 */
enum drop handshake_knows(struct env *e, const uint8_t *anchor, struct bytes packet);

/** handshake_vouch() - Write into the INIT @packet the proof that its sender got @cookie (core/link/cookie.h) */
void handshake_vouch(struct env *e, const uint8_t cookie[KEY_BYTES], uint8_t *packet, size_t len);

/** handshake_vouched() - Does the INIT @packet carry that proof? */
bool handshake_vouched(struct env *e, const uint8_t cookie[KEY_BYTES], struct bytes packet);

/** handshake_answer() - Choose the index under which we, the answerer, want to hear */
void handshake_answer(struct handshake *hs, uint32_t index);

/** handshake_caller() - were we the one who called? */
bool handshake_caller(const struct handshake *hs);

/** handshake_done() - nothing is left to write or read: the session can be made */
bool handshake_done(const struct handshake *hs);

/**
 * handshake_session() - The session of a finished handshake; wipes @hs
 * @lanes: 1 for links, WIRE_LANES end to end
 *
 * Return: NULL at the memory quota (@hs is wiped all the same)
 */
struct session *handshake_session(struct env *e, struct handshake *hs, unsigned lanes);

/** handshake_wipe() - Forget the keys of one that is given up */
void handshake_wipe(struct handshake *hs);

#endif /* SEAL_HANDSHAKE_H */
