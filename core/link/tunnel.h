/*
 * tunnel.h - end-to-end sessions between two members of one network
 *
 * What a guest sends is sealed once, here, and opened by the node that serves
 * its destination; nobody between can. A tunnel is begun by the first payload
 * for a peer: its Noise IK handshake travels as routed mail (through the
 * outbox: this folder does not know the ring), with the network's id in the
 * prologue and the network's certificates in the payloads. Payloads wait
 * meanwhile, bounded, the oldest dropped with a count. Data packets
 * (PACKET_DATA, core/base/wire.h) then take the best carrier there is: an
 * endpoint that both proved (the link's, or a path of the tunnel's own), else
 * a chain of labels along the ring (core/ring/label.h), which mail sets up.
 * Traffic that lasts asks for a direct link (TUNNEL_EARNED). Payloads larger
 * than the carrier's MTU travel in up to 16 pieces, each sealed alone.
 *
 *	Memory		struct tunnels and each tunnel from env.mem; 16 pieces and
 *			32 payloads wait per peer at most, 64 kB per node
 *	Time, chance	from env; timers TIMER_TUNNEL .. TIMER_VNET - 1
 */
#ifndef LINK_TUNNEL_H
#define LINK_TUNNEL_H

#include "core/link/link.h"

enum { TUNNEL_PAYLOAD_MAX = 9216, TUNNEL_PIECES = 16, TUNNEL_WAITING = 32 };

struct tunnels;

struct tunnels *tunnels_new(struct env *e, struct links *l, const struct identity *self);
void tunnels_free(struct env *e, struct tunnels *t);

/** tunnels_network() - Network number @n (index into birth.networks): its key, and our identity in it (borrowed) */
void tunnels_network(struct env *e, struct tunnels *t, unsigned n, struct id network, const uint8_t key[KEY_BYTES],
		     const struct identity *self);

/**
 * tunnels_send() - @payload to @to in network @n; copied if it has to wait
 * @card: where and who @to is, as far as known (an IK handshake needs its key: without it XX by mail)
 *
 * Return: DROP_NONE sent or waiting; otherwise why not, counted
 */
enum drop tunnels_send(struct env *e, struct tunnels *t, unsigned n, struct id to, struct bytes payload,
		       const struct offload *o);

enum tunnel_word {
	TUNNEL_PAYLOAD,			/* payload came, authentic, from a member of the network */
	TUNNEL_UP,			/* keys agreed; cert: the peer's network certificate (groups, fixed addresses) */
	TUNNEL_DOWN,			/* idle too long, peer gone or restarted */
	TUNNEL_FAILED,			/* handshake came to nothing; what waited is dropped and counted */
	TUNNEL_EARNED			/* so much traffic that a direct link is worth it */
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

/** struct tunnel_mail - routed mail a tunnel wants sent: node.c gives it to the ring */
struct tunnel_mail {
	struct id to;
	struct bytes data;		/* good until the step ends */
};
bool tunnels_next_mail(struct tunnels *t, struct tunnel_mail *out);

/* ---- what happened ---- */
void tunnels_mail(struct env *e, struct tunnels *t, struct id from, struct bytes data);
void tunnels_datagram(struct env *e, struct tunnels *t, const struct event *ev);	/* PACKET_DATA for an index of ours */
void tunnels_link(struct env *e, struct tunnels *t, struct id peer, bool up);	/* a link to @peer came or went */
void tunnels_timer(struct env *e, struct tunnels *t, uint16_t tag);
void tunnels_resumed(struct env *e, struct tunnels *t);

/* ---- to look at ---- */
struct tunnel_view {
	struct id peer;
	uint8_t network;
	bool up, direct;
	uint64_t packets_out, packets_in, bytes_out, bytes_in;
	uint16_t mtu;			/* payload that fits one packet */
	struct endpoint at;		/* direct only */
	struct id via;			/* first relay otherwise */
};
bool tunnel_at(const struct tunnels *t, unsigned i, struct tunnel_view *out);
uint32_t tunnels_bytes(const struct tunnels *t);

#endif /* LINK_TUNNEL_H */
