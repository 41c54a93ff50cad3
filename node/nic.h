/*
 * nic.h - this machine's card in a virtual network
 *
 * What [network.N] of the configuration stands for: the network's charter, our
 * certificate in it, the tap that frames cross, and the address the host itself
 * has there. Core is born with the first two and knows the tap by a number.
 *
 *	The host's address	asked of the DHT (ASK_LEASE) or fixed by the
 *				certificate, set on the tap or its bridge, and
 *				announced by an ARP reply or neighbour advertisement
 *				of ours, because the kernel says nothing by itself;
 *				taken away with the lease, and at the end; by the
 *				kernel itself if we stand still or are killed
 *	Memory			malloc, until nics_close()
 *	Time			the caller's
 */
#ifndef NODE_NIC_H
#define NODE_NIC_H

#include "core/base/env.h"
#include "core/node.h"
#include "node/charter.h"
#include "node/config.h"
#include "node/home.h"
#include "node/plug.h"

enum { NIC_NAME = 64, NIC_FIRST_TOKEN = 1 << 30 };

/** enum own_state - the host's own address */
enum own_state {
	OWN_OFF,			/* not our business */
	OWN_WAITING,			/* to be asked for at ask_ns */
	OWN_ASKED,			/* core will answer */
	OWN_SET				/* it is on the device */
};

/** struct nic - one of them */
struct nic {
	const struct config_network *config;
	struct charter charter;
	uint8_t chain[HOME_CHAIN];	/* our certificates of it, if not the overlay's */
	struct identity identity;
	char name[NIC_NAME];		/* the host's, empty if none is published */
	struct plug plug;
	enum own_state own;
	struct ip ip;			/* SET: what is set; before: what is wanted, family 4 or 6 alone: any */
	bool fixed;			/* the certificate's: no lease */
	bool announce;			/* it is set, and nobody has been told */
	bool taken_said;
	unsigned tries;
	int64_t ask_ns;
	int64_t until_ns;		/* SET: the kernel takes it away then; INT64_MAX: never */
};

struct nics {
	struct nic nic[NETWORKS_MAX];
	struct network birth[NETWORKS_MAX];	/* the same as core wants them */
	unsigned count;
	uint32_t held_seen;		/* node_held_changes() of the last nics_look() */
};

/** nics_read() - Everything that files say; nothing is opened or changed */
bool nics_read(struct nics *n, const struct node_config *c, const struct home *h, uint64_t utc, struct fail *f);

/** nics_plug() - Taps, bridges; core may be born after it. False with a message, and nothing left done */
bool nics_plug(struct nics *n, struct fail *f);
void nics_close(struct nics *n);	/* fine if all zeroes */

/** nics_write() - Frames to their taps */
void nics_write(struct nics *n, const struct frame *f, unsigned frames);

/** nics_due() - When nics_next() is to be called again at the latest; INT64_MAX: never */
int64_t nics_due(const struct nics *n);

enum { NICS_FRAME = 96 };

/**
 * nics_next() - What core is to be handed now: a question for an address, a frame that announces one
 * @frame: where the frame lies
 *
 * Call it after every step until it says false.
 */
bool nics_next(struct nics *n, int64_t now_ns, uint8_t frame[NICS_FRAME], struct event *ev);

/** nics_reply() - Core answered: false if that was no question of ours */
bool nics_reply(struct nics *n, int64_t now_ns, const struct reply *r);

/** nics_look() - Does @node still hold the leases of the addresses we set? Those it does not are taken away */
void nics_look(struct nics *n, const struct node *node, int64_t now_ns);

#endif /* NODE_NIC_H */
