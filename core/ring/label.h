/*
 * label.h - chains of labels: a way for data packets to a peer without a link
 *
 * A chain is set up hop by hop along greedy routing. Each relay gives the link
 * it was asked by a label and keeps
 *
 *	(link in, label)  ->  (link out, the label it was given there)
 *
 * so that a data packet costs it one look, two changed fields and no key. The
 * last label is the receiver index of the peer's tunnel: it keeps nothing. A
 * relay sees where a packet comes from and goes to one hop far, never what is in
 * it, nor, past the setting up, who talks to whom.
 *
 *	LABEL		nonce 4 | hops 1 | flags 1 | mtu 2 | index 4 | to 16 | least 16
 *			a label for packets to @to's @index, please. flags and least
 *			are a routed message's (core/ring/message.h): no loops. Said
 *			again with the same nonce it is the same request
 *	LABEL_ACK	nonce 4 | label 4 | mtu 2
 *			the label, and how long a packet may be; label 0: no way
 *	LABEL_GONE	label 4
 *			a label that the sender gave out leads nowhere any more
 *
 * State is soft: what no packet used for two minutes is forgotten; when a link
 * goes, or is suspect, its labels are called back towards the origin, which sets
 * up another chain. Each direction has a chain of its own.
 *
 *	Memory		24 bytes and a label for each of 256 relayed chains at most,
 *			64 of them from one link; 64 chains of our own; env.mem
 *	Time, chance	from env; the timer RING_LABEL
 */
#ifndef RING_LABEL_H
#define RING_LABEL_H

#include "core/ring/ring.h"

enum { LABELS_MAX = 256, LABELS_OF_LINK = 64, CHAINS_MAX = 64, CHAIN_HOPS = 32, DATA_HOPS = 64 };

/** struct label_news - a chain of ours came up, or (label 0) there is none */
struct label_news {
	struct id peer;
	uint32_t index, label;
	link_ref first;
	uint16_t mtu;
};

/**
 * label_want() - Have a chain to @to's receiver index @index; asked again every 20 s for as long as it is used
 * @anew: the one we have is no good
 *
 * News follow, at once if there is a chain.
 */
void label_want(struct ring *r, struct env *e, struct id to, uint32_t index, bool anew);

/** label_next() - Take the oldest piece of news; false when there is none */
bool label_next(struct ring *r, struct label_news *out);

/** struct label_account - to look at: chains of others that go through here, our own, packets carried since the start */
struct label_account {
	unsigned hops, chains;
	uint64_t carried;
	uint32_t bytes;
};
void label_account(const struct ring *r, struct label_account *out);

/* ---- for the files of core/ring ---- */
void label_data(struct ring *r, struct env *e, const struct news *n);
void label_message(struct ring *r, struct env *e, const struct news *n);
void label_link_silent(struct ring *r, struct env *e, link_ref ref);	/* suspect: what leads there is called back */
void label_link_gone(struct ring *r, struct env *e, link_ref ref);
void label_timer(struct ring *r, struct env *e);
void label_done(struct ring *r, struct env *e);

#endif /* RING_LABEL_H */
