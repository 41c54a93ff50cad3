/*
 * tunnel.h - end-to-end sessions between two members of one network
 *
 * What a guest sends is sealed once, here, and opened by the node that serves
 * its destination; nobody between can. A tunnel is begun by the first payload
 * for a peer: its Noise handshake travels as routed mail (through an outbox:
 * this folder does not know the ring), with the network's key in the prologue
 * and the network's certificates in the payloads: IK if the peer's key is known
 * from an earlier tunnel, else XX. Payloads wait meanwhile, bounded, the oldest
 * dropped with a count. Data packets (PACKET_DATA, core/base/wire.h) then take
 * the best carrier there is:
 *
 *	link	one to the peer itself, whatever path it has;
 *	chain	of labels along the ring (core/ring/label.h), asked for through
 *		tunnels_next_want() and told by tunnels_chain();
 *	mail	a few at a time, while neither of the two is there yet.
 *
 * Traffic that lasts asks for a link (a want with direct set). Payloads larger
 * than the carrier's MTU travel in up to 16 pieces, each sealed alone.
 *
 * A peer is known by its place on the ring: the network's certificate is for the
 * same key and salt as the overlay's, so that both name the same id. A tunnel
 * whose peer says nothing for 3 s of our sending asks whether it is there, and
 * shakes hands anew when it is not heard; idle for 5 min it fades.
 *
 *	Memory		struct tunnels and each tunnel from env.mem; 32 payloads
 *			wait per peer at most, 64 kB per node, and as much for pieces
 *	Time, chance	from env; the timer TIMER_TUNNEL
 *	Wrong guesses	mail is not authentic: it can cost an answer, a slot of a
 *			bounded table and a counted drop, no more
 */
#ifndef LINK_TUNNEL_H
#define LINK_TUNNEL_H

#include "core/link/link.h"

enum {
	TUNNEL_PAYLOAD_MAX = 9216 + 64,	/* the largest frame and what the network puts in front */
	TUNNEL_PIECES	= 16,
	TUNNEL_WAITING	= 32,
	TUNNELS_MAX	= 256,		/* the one idle for longest gives way */
	TUNNEL_MAIL_MAX	= 1000,		/* bytes of mail, RING_MAIL_MAX */
};

struct tunnels;

struct tunnels *tunnels_new(struct env *e, struct links *l, const struct identity *self);
void tunnels_free(struct env *e, struct tunnels *t);

/** tunnels_network() - Network number @n (index into birth.networks): its key, and our identity in it (borrowed) */
void tunnels_network(struct env *e, struct tunnels *t, unsigned n, struct id network, const uint8_t key[KEY_BYTES],
		     const struct identity *self);

/** tunnels_quit() - We leave network number @n: its tunnels end with a word, nothing of it is borrowed any more */
void tunnels_quit(struct env *e, struct tunnels *t, unsigned n);

/**
 * tunnels_send() - @payload to @to in network @n; copied if it has to wait
 * @o: crosses as it is; NULL = nothing left undone
 *
 * Return: DROP_NONE sent or waiting; otherwise why not, counted
 */
enum drop tunnels_send(struct env *e, struct tunnels *t, unsigned n, struct id to, struct bytes payload,
		       const struct offload *o);

/** tunnels_fits() - The largest payload that goes to @peer in one packet; 0: not known. A link's path is measured, chains and
 * mail are on the way to be links */
uint16_t tunnels_fits(struct tunnels *t, unsigned n, struct id peer);

/** tunnels_know() - are keys agreed with @peer? */
bool tunnels_know(struct tunnels *t, unsigned n, struct id peer);

enum tunnel_word {
	TUNNEL_PAYLOAD,			/* payload came, authentic, from a member of the network */
	TUNNEL_UP,			/* keys agreed; cert: the peer's network certificate (groups, fixed addresses) */
	TUNNEL_DOWN,			/* idle too long, peer gone or restarted */
	TUNNEL_FAILED			/* handshake came to nothing; what waited is dropped and counted */
};

struct tunnel_news {
	uint8_t word;			/* enum tunnel_word */
	uint8_t network;		/* number */
	struct id peer;
	struct bytes payload;		/* good until the next call */
	struct offload offload;
	struct bytes cert;
};

bool tunnels_next(struct tunnels *t, struct tunnel_news *out);

/** struct tunnel_mail - routed mail a tunnel wants sent (EXACT, BODY_TUNNEL); node.c gives it to the ring */
struct tunnel_mail {
	struct id to, via;
	bool has_via;			/* the peer is no member yet: by way of this node */
	struct bytes data;		/* good until the step ends */
};
bool tunnels_next_mail(struct tunnels *t, struct tunnel_mail *out);

/** struct tunnel_want - how a tunnel would like to be carried; told again now and then while it is true */
struct tunnel_want {
	bool direct;			/* a link (ring_demand()); else a chain of labels (label_want()) */
	bool anew;			/* chain: the one there was, if any, is no good */
	uint32_t index;			/* chain: the receiver index it ends in */
	struct contact who;		/* the peer, with the endpoints it told */
};
bool tunnels_next_want(struct tunnels *t, struct tunnel_want *out);

/* ---- what happened ---- */

/** tunnels_mail() - Mail with BODY_TUNNEL came from @from; @via: answers go through it, or NULL */
void tunnels_mail(struct env *e, struct tunnels *t, struct id from, const struct id *via, struct bytes data);

/** tunnels_data() - NEWS_DATA: false if its index is a label (the ring's business then) */
bool tunnels_data(struct env *e, struct tunnels *t, const struct news *n);

/** tunnels_link() - A link to @peer came up or went down */
void tunnels_link(struct env *e, struct tunnels *t, struct id peer, bool up);

/** tunnels_chain() - A chain to @peer, as wanted: data packets of @mtu bytes over @first with @label; label 0: there is
 * none, or no more */
void tunnels_chain(struct env *e, struct tunnels *t, struct id peer, uint32_t index, link_ref first, uint32_t label,
		   uint16_t mtu);
void tunnels_timer(struct env *e, struct tunnels *t, uint16_t tag);
void tunnels_resumed(struct env *e, struct tunnels *t);
void tunnels_revoked(struct env *e, struct tunnels *t);	/* env.revoked changed: tunnels with whoever is in it end */

/* ---- to look at ---- */
struct tunnel_view {
	struct id peer;
	uint8_t network;
	bool up, direct, chained;
	uint64_t packets_out, packets_in, bytes_out, bytes_in;
	uint32_t cut;			/* of the packets out, those that travelled in pieces */
	uint16_t mtu;			/* payload that fits one packet */
	struct endpoint at;		/* direct only */
	struct id via;			/* first relay otherwise */
};
/** tunnel_at() - The tunnel in slot @i; false if there is none. Walk i from 0 to TUNNELS_MAX - 1 */
bool tunnel_at(const struct tunnels *t, unsigned i, struct tunnel_view *out);
/** tunnels_index() - the receiver index of the tunnel in slot @i, 0 if there is none; for tests */
uint32_t tunnels_index(const struct tunnels *t, unsigned i);
uint32_t tunnels_bytes(const struct tunnels *t);

#endif /* LINK_TUNNEL_H */
