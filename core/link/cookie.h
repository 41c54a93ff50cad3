/*
 * cookie.h - too many callers: who first shows that it is where it says it is
 *
 * An answered INIT costs curve arithmetic and a place in a bounded table, and
 * anybody who knows the overlay can write one under any source address. So a
 * gate stands before the answers. As long as callers come no faster than they
 * can be answered it is open. When they do, an INIT gets a cookie instead: a
 * hash of where it came from under a secret that is replaced every two minutes.
 * Who repeats its INIT with the proof that the cookie reached it is served,
 * some times a second for each host; the others cost two hashes and a packet a
 * tenth as long as theirs, and nothing is kept about them. An INIT that does
 * not prove to know the overlay gets no answer at all, ever.
 *
 * Source: WireGuard (Donenfeld, NDSS 2017), section 5.4.7. There the cookie is
 * keyed by the answerer's key; here, where a caller may know no more than an
 * endpoint, by the overlay's, or in a tunnel's handshake by the network's.
 *
 *	Memory		8 bytes and a pointer; what it takes to ask for cookies is
 *			taken from env.mem when it is first needed
 *	Time		env's: a rate, and the age of the secret
 *	Chance		32 bytes for each secret, 8 for each cookie
 */
#ifndef LINK_COOKIE_H
#define LINK_COOKIE_H

#include "core/base/env.h"
#include "core/seal/handshake.h"

enum {
	COOKIE_BYTES	= 16,
	COOKIE_PACKET	= WIRE_SHORT + 8 + COOKIE_BYTES + WIRE_TAG,
	GATE_COST_MS	= 10,		/* an INIT served: so 100 a second ... */
	GATE_SPAN_MS	= 2000,		/* ... after 200 at once */
	GATE_HOSTS	= 64,		/* proved hosts share so many accounts by a keyed hash ... */
	GATE_HOST_INITS	= 8,		/* ... of so many INITs a second, when there are too many callers */
	COOKIES_TAKEN	= 8,		/* by one call of ours; it has several endpoints, and secrets change */
};
_Static_assert((int)COOKIE_PACKET < (int)HANDSHAKE_INIT_MIN / 8, "no answer that is worth a forged address");

struct gate {
	struct porter *porter;		/* NULL until there were too many callers once */
	uint32_t paid_ms;		/* what was served is paid for at this time */
};

/** struct caller - where an INIT came from, as bytes: an endpoint, or an id that a relay or the mail names */
struct caller {
	uint8_t at[ID_BYTES * 2];
	uint8_t len, host;		/* the first host bytes are the machine's alone: no port, a /64 of IPv6 */
};

struct caller caller_endpoint(const struct endpoint *at);
struct caller caller_id(struct id id);

enum gate_word { GATE_OPEN, GATE_COOKIE, GATE_SHUT };

/**
 * gate_knock() - The INIT @packet came from @who
 * @anchor: the overlay's key, or the network's
 * @crowded: the table of answers is so full that this alone is a reason to ask
 * @cookie: GATE_COOKIE: the packet to send back instead of an answer, COOKIE_PACKET bytes
 *
 * Return: GATE_OPEN: answer it. GATE_SHUT: do nothing. What is not answered is counted
 */
enum gate_word gate_knock(struct env *e, struct gate *g, const uint8_t *anchor, struct bytes packet,
			  const struct caller *who, bool crowded, uint8_t cookie[COOKIE_PACKET]);

void gate_done(struct env *e, struct gate *g);

/**
 * cookie_take() - @packet is an answer to the INIT @init of ours: put its cookie's proof into it
 * Return: DROP_NONE: send @init again, at once if you like
 */
enum drop cookie_take(struct env *e, const uint8_t *anchor, struct bytes packet, uint8_t *init, size_t len);

#endif /* LINK_COOKIE_H */
