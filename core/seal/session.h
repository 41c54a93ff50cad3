/*
 * session.h - what two nodes share after a handshake: keys, counters, windows
 *
 * A session seals and opens packets of core/base/wire.h's first picture. It
 * knows nothing of endpoints: who the peer is and how to reach it is link's.
 *
 * Each lane has its own counter, replay window and pair of keys; link sessions
 * have one lane, end-to-end sessions WIRE_LANES. The nonce is the packet's
 * lane and counter; the additional data are the header's ten bytes that no
 * relay may change. Every SESSION_EPOCH packets of a lane and direction the
 * key is replaced by a hash of itself, with no message: the counter says which
 * key a packet has.
 *
 *	Memory		session_bytes() from struct mem: one lane 104 bytes real,
 *			56 model; nothing is allocated per packet
 *	Threads		lanes share nothing but constants: one thread per lane
 *			and direction needs no lock
 *	Time		born at env's now; nothing here reads a clock
 */
#ifndef SEAL_SESSION_H
#define SEAL_SESSION_H

#include "core/base/drop.h"
#include "core/base/env.h"
#include "core/base/wire.h"
#include "core/seal/suite.h"

#define SESSION_EPOCH	(1ULL << 20)	/* packets per key */
#define SESSION_LIMIT	(1ULL << 48)	/* packets per lane and direction; then nothing is sealed */

enum {
	SESSION_WINDOW	= 64,		/* counters below the highest that may still arrive */
	SESSION_AHEAD	= 16,		/* epochs a packet may be ahead of the last one heard */
	SESSION_OVERHEAD = WIRE_HEADER + WIRE_TAG,
};

/** struct session - 16 bytes, then the lanes (session.c) */
struct session {
	uint32_t index;			/* ours: the peer writes it into its packets */
	uint32_t peer_index;		/* the peer's: we write it into ours */
	uint32_t birth_ms;		/* env_ms() */
	uint8_t  lanes;
	uint8_t  key_bytes;
	uint8_t  cipher;		/* enum cipher */
	bool	 confirmed;		/* the peer has shown that it holds the keys too */
	uint64_t body[];
};
_Static_assert(sizeof(struct session) == 16, "a million nodes x 24 links");

/** struct session_keys - what a handshake ends with */
struct session_keys {
	uint8_t send[KEY_BYTES], receive[KEY_BYTES];	/* of Noise's Split() */
	uint32_t index, peer_index;
	uint8_t cipher;
	bool initiator, confirmed;
};

/** struct opened - a packet that session_open() let through */
struct opened {
	size_t len;			/* bytes of plain text */
	uint64_t counter;
	uint8_t type, flags, lane;
};

size_t session_bytes(const struct suite *suite, unsigned lanes);

/** session_new() - NULL at the memory quota */
struct session *session_new(struct env *e, const struct session_keys *k, unsigned lanes);
/** session_free() - NULL is fine */
void session_free(struct env *e, struct session *s);

/**
 * session_seal() - Seal a packet in place
 * @packet: @len bytes of plain text stand at @packet + WIRE_HEADER; room for
 *	len + SESSION_OVERHEAD bytes. The header is written, hops 0, receiver
 *	index the peer's (relays and labels change these two afterwards)
 *
 * Return: the packet's length, 0 if the lane's counter is used up
 */
size_t session_seal(const struct suite *suite, struct session *s, unsigned lane,
		    enum packet_type type, uint8_t flags, uint8_t *packet, size_t len);

/**
 * session_open() - Check and open a packet; on failure no state has changed
 * @out: room for @len bytes; worth nothing on failure. May be @packet + WIRE_HEADER
 *
 * Return: DROP_NONE; SHORT, VERSION, TYPE, RANGE (lane, counter), SEAL (forged,
 * damaged, other keys), REPLAY (seen, or older than the window). The first
 * packet that opens confirms the session.
 */
enum drop session_open(const struct suite *suite, struct session *s,
		       const uint8_t *packet, size_t len, uint8_t *out, struct opened *o);

/** session_sent() - packets sealed on @lane; session_heard() - highest counter opened on it, plus one */
uint64_t session_sent(const struct session *s, unsigned lane);
uint64_t session_heard(const struct session *s, unsigned lane);

/** session_worn() - half of some lane's counters are used: shake hands again */
bool session_worn(const struct session *s);

/** session_age_ms() - since the handshake; wraps after 49 days, rekeying comes long before */
static inline uint32_t session_age_ms(const struct env *e, const struct session *s)
{
	return env_ms(e) - s->birth_ms;
}

#endif /* SEAL_SESSION_H */
