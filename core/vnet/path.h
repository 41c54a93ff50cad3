/*
 * path.h - what the files of the data path tell each other; for path*.c only
 *
 * path.c       resolving, holding, sending; sources judged
 * claim.c      what nodes tell each other of addresses: hints
 * resolve.c    the cache of who serves what (resolve.h)
 * owner.c      addresses that certificates own
 * batch.c      frames of many segments, cut into packets
 * payload.c    words between nodes (payload.h)
 * multicast.c  broadcast and multicast: subscribers, storm guard, sealing
 */
#ifndef VNET_PATH_H
#define VNET_PATH_H

#include "core/vnet/parts.h"
#include "core/vnet/payload.h"
#include "core/vnet/resolve.h"

enum { TOLD = 32, VOUCHERS = 64, VOUCHER_PREFIXES = 4, RETURN_MAX = 1500 /* bytes of a packet that goes back */ };

/** struct told - a peer to whom we said that an address is ours */
struct told {
	struct id peer;
	struct ip ip;
	struct fence fence;
	int64_t at_ns;
};

/** struct voucher - what a peer's certificate gives it, as its tunnel proved */
struct voucher {
	struct id peer;
	uint64_t serial;
	uint32_t used_ms;
	uint8_t prefixes;
	struct ip_range prefix[VOUCHER_PREFIXES];
};

/** struct held_packet - waits for an answer about ip; data: the IP packet */
struct held_packet {
	struct held_packet *next;
	int64_t until_ns;
	struct id peer;			/* in: whom it came from */
	struct ip ip;			/* its destination; in: its source */
	struct offload offload;
	uint32_t len;
	bool in;
	uint8_t data[];
};

struct vnet_path {
	struct resolver resolver;
	struct held_packet *first, *last;
	uint32_t held, held_bytes;
	const struct dht_done *wished;	/* the answer that is being taken in, if its question was a claim: path_owner() */
	struct bucket doubts, not_here, expects, asks;
	struct told told[TOLD];
	struct voucher *voucher;
	uint16_t vouchers, voucher_cap;
};

/* path.c */
struct vnet_path *path_state(struct vnet *v, struct env *e);
void path_answered(struct vnet *v, struct env *e, struct remote *m, enum answered how, bool majority);
/** path_consult() - What the cache says of @ip; whatever must be asked is asked. @out: the entry, NULL only with FOUND_NO */
enum found path_consult(struct vnet *v, struct env *e, const struct ip *ip, struct remote **out);
bool path_ask(struct vnet *v, struct env *e, struct remote *m, uint8_t kind);	/* false: it cannot be asked now */
/** path_doubt() - Something speaks against what we know of @m. True: it is open, or asked, again */
bool path_doubt(struct vnet *v, struct env *e, struct remote *m);

/* claim.c */
void claim_tell(struct vnet *v, struct env *e, const struct ip *src, struct id peer);	/* we serve @src, and shall send from it */
void claim_in(struct vnet *v, struct env *e, struct id peer, uint8_t kind, struct reader *r);	/* OWN, NOT_HERE */

/* owner.c */
bool owner_ask(struct vnet *v, struct env *e, struct remote *m, uint64_t rest, int64_t timeout_ns);
void owner_done(struct vnet *v, struct env *e, const struct dht_done *d);
void owner_tunnel(struct vnet *v, struct env *e, const struct tunnel_news *n);
void owner_owned(struct vnet *v, struct env *e, const struct ip *ip, bool ours);
void owner_leave(struct vnet *v, struct env *e);
bool owner_may(const struct vnet *v, struct id peer, const struct ip *ip);	/* does its certificate give it @ip? */

/* batch.c */

enum { BATCH_SEGMENTS = 1024 };

/** struct batch - a frame of many segments on its way to be packets */
struct batch {
	const struct packet *p;
	size_t at, headers;		/* of the data behind the headers */
};

/**
 * batch_begin() - Cut @p into its segments, packets of at most @max bytes
 * False: it cannot be (no segments, no data, not TCP or UDP, too large ones or more than BATCH_SEGMENTS)
 */
bool batch_begin(struct batch *b, const struct packet *p, size_t max);

/** batch_next() - Write the next packet to @buf: its length, 0: that was all. Its checksum is as partial as the batch's was */
size_t batch_next(struct batch *b, uint8_t *buf);

/* snoop.c */

enum { SNOOPED_MAX = 64 };

/** struct snooped - what one IGMP or MLD message says of one group */
struct snooped {
	struct ip group;
	bool joins;			/* else leaves */
};

/**
 * snoop_read() - Take an IGMP (v1, v2, v3) or MLD (v1, v2) message apart
 * @query: it is a query; nothing is in @out then
 *
 * Return: entries written to @out; records past @max are ignored. @why: DROP_NONE, or why it is refused
 */
unsigned snoop_read(const struct packet *p, struct snooped *out, unsigned max, bool *query, enum drop *why);

/** snoop_query() - Write a query for @group (family 4 or 6), or for all groups if it is unspecified, as IP packet */
void snoop_query(struct writer *w, const struct ip *from, const struct ip *group);

/** snoop_always() - is @group never asked for: link-local scope, or broadcast? */
bool snoop_always(const struct ip *group);

/** snoop_told() - is this packet about membership? It stays on its LAN */
bool snoop_told(const struct packet *p);

/* multicast.c */
void cast_out(struct vnet *v, struct env *e, struct bytes ip, const struct offload *o);	/* to everybody, sealed; may wait for its key */
void group_free(struct vnet *v, struct env *e);
uint32_t group_bytes(const struct vnet *v);

#endif /* VNET_PATH_H */
