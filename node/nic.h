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
 *	Coming and going	cards have places; core numbers its networks as they do, and
 *				SIGHUP empties and fills them (reload.c)
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

enum { NIC_NAME = 64, NIC_REMARK = 32, NIC_FIRST_TOKEN = 1 << 30 };

/** enum own_state - the host's own address */
enum own_state {
	OWN_OFF,			/* not our business */
	OWN_WAITING,			/* to be asked for at ask_ns */
	OWN_ASKED,			/* core will answer */
	OWN_SET				/* it is on the device */
};

/** struct nic - one of them */
struct nic {
	const struct config_network *config;	/* NULL: core is on its way out of the network */
	struct charter charter;
	uint8_t chain[HOME_CHAIN];	/* our certificates of it, if not the overlay's */
	uint16_t chain_len;
	struct identity identity;
	char name[NIC_NAME];		/* the host's, empty if none is published */
	struct plug plug;
	enum own_state own;
	struct ip ip;			/* SET: what is set; before: what is wanted, family 4 or 6 alone: any */
	bool fixed;			/* the certificate's: no lease */
	uint8_t announces;		/* SET: so often it is to be told yet ... */
	int64_t announce_ns;		/* ... from then on */
	bool taken_said;
	bool joined;			/* core has taken it */
	unsigned tries;
	int64_t ask_ns;
	int64_t until_ns;		/* SET: the kernel takes it away then; INT64_MAX: never */
};

struct nics {
	struct nic *nic[NETWORKS_MAX];	/* by core's number of the network, tap number - 1; NULL: nobody's place */
	struct network birth[NETWORKS_MAX];	/* the same as core wants them */
	uint32_t held_seen;		/* node_held_changes() of the last nics_look() */
	char remark[NIC_REMARK];	/* on what we make: which node's it is */
};

/* ---- one card ---- */

/**
 * nic_read_all() - What the files say of @c's networks, in its order, which is borrowed; nothing is opened or changed
 *
 * False with a message, and there are none: one cannot be used, or two are the same network.
 */
bool nic_read_all(struct nic *all[NETWORKS_MAX], const struct node_config *c, const struct home *h, uint64_t utc, struct fail *f);
void nic_free(struct nic *n);		/* out of the world first; fine with NULL */

/** nic_differs() - The key of its section by which @a, as it is plugged in, is not what @b would be; NULL: none but firewall */
const char *nic_differs(const struct nic *a, const struct nic *b);

/** nic_leaves() - Address, tap and bridge are gone from the host; what core has borrowed stays. A bridge that others of
 * @all need is left to them */
void nic_leaves(struct nic *n, const struct nics *all);

/* ---- all of them ---- */

/** nics_read() - The networks of @c in the first places; as nic_read_all(). None if our overlay's certificate is bad, which who
 * makes the member says better */
bool nics_read(struct nics *n, const struct node_config *c, const struct home *h, uint64_t utc, struct fail *f);

/** nics_plug() - Taps, bridges; core may be born after it. False with a message, and nothing left done */
bool nics_plug(struct nics *n, struct fail *f);

/** nics_put() - @k, which becomes ours, in a free place, and plugged in. The place; -1 with a message, and @k is gone */
int nics_put(struct nics *n, struct nic *k, struct fail *f);

/** nics_find() - The place of the network @id that we are in to stay; -1: none */
int nics_find(const struct nics *n, struct id id);

/** nics_count() - How many places are taken */
unsigned nics_count(const struct nics *n);

/** nics_name() - What the network in @place is called */
const char *nics_name(const struct nics *n, unsigned place);
void nics_drop(struct nics *n, unsigned place);	/* core knows nothing of it any more; fine if nobody's */
void nics_close(struct nics *n);	/* fine if all zeroes */

/** nics_write() - Frames to their taps */
void nics_write(struct nics *n, const struct frame *f, unsigned frames);

/** nics_can_sum() - Do all taps take frames with a partial checksum? */
bool nics_can_sum(const struct nics *n);

/* ---- the host's own addresses (own.c) ---- */

/** own_take() - The host's address, if it has one, is taken off its device and asked for no more */
void own_take(struct nic *n);

/** own_client() - Whom the host's lease is for: the same at every start */
uint64_t own_client(const struct nic *n);

/** nic_mac() - A MAC address of ours for @what: the same at every start, no other machine's */
void nic_mac(uint8_t mac[6], const struct nic *n, const char *what);

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

/** nics_reply() - Core answered, be it ASK_LEASE, ASK_JOIN or ASK_QUIT: false if that was no question of ours */
bool nics_reply(struct nics *n, int64_t now_ns, const struct reply *r);

/** nics_look() - Does @node still hold the leases of the addresses we set? Those it does not are taken away */
void nics_look(struct nics *n, const struct node *node, int64_t now_ns);

#endif /* NODE_NIC_H */
