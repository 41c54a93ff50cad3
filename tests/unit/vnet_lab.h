/*
 * vnet_lab.h - the edge of one network on one node: bytes in, time, frames out
 *
 * The network is 10.250.0.0/16 and fd77::/64, MTU 1400, gateway 10.250.0.1 and
 * fd77::1; 10.250.1.0/24 is reserved, and 10.250.1.7 is in the node's
 * certificate. Everything around is scripted in lab.fake.
 */
#ifndef VNET_LAB_H
#define VNET_LAB_H

#include "core/vnet/packet.h"
#include "core/vnet/vnet.h"
#include "tests/unit/bare.h"
#include "tests/unit/vnet_fakes.h"

#define LAB_S	1000000000LL
#define LAB_MS	1000000LL

struct lab {
	struct bare bare;
	struct env *env;
	struct fakes *fake;
	struct vnet *vnet;
	struct network net;
	struct identity identity;
	struct ring ring;
	uint8_t blob[NETWORK_RECORD_MAX], chain[CERT_CHAIN_MAX];
	struct frame frames[EFFECTS_ROOM];
	struct record records[EFFECTS_ROOM];
	uint8_t *bytes;
	uint8_t mac[MAC_BYTES];		/* of all remote machines */
	struct guard_rule rule[GUARD_RULES];
};

extern const uint8_t lab_host[MAC_BYTES], lab_other[MAC_BYTES], lab_beacon[MAC_BYTES];	/* two guests; where beacons go */

/** lab_open() - started, frames of the start forgotten; @id: the node's; @l must not move */
void lab_open(struct lab *l, enum vnet_model model, uint64_t id);
/** lab_shut() - Everything given back? */
void lab_shut(struct lab *l);

void lab_forget(struct lab *l);					/* frames and records so far */
void lab_frame(struct lab *l, const void *data, size_t len);
void lab_frame_of(struct lab *l, const struct writer *w, const struct offload *o);
void lab_wait(struct lab *l, int64_t ns);			/* timers run as they are due */
/** lab_news() - a word about a static address: its last held_want()'s cookie */
void lab_news(struct lab *l, enum held_word word, enum verdict verdict, struct ip ip);
void lab_resolved(struct lab *l, struct ip ip, bool found);
/** lab_payload() - a guest's IP packet from node @peer */
void lab_payload(struct lab *l, uint64_t peer, const struct writer *w);
/** lab_rules() - its firewall's, before anything else; @text stays */
void lab_rules(struct lab *l, const char *text);
/** lab_tunnel() - news of the tunnel with @peer, whose certificate puts it into @groups */
void lab_tunnel(struct lab *l, uint64_t peer, enum tunnel_word word, const char *const *groups, unsigned count);
bool lab_guard(const struct lab *l, struct look_guard *out);
enum drop lab_flood(struct lab *l, uint64_t origin, const struct writer *w);
/** lab_leased() - as dhcp does after an ACK: believed, and the guest is known */
void lab_leased(struct lab *l, const uint8_t mac[MAC_BYTES], struct ip ip);
/** lab_static() - @mac has claimed @ip and got it */
void lab_static(struct lab *l, const uint8_t mac[MAC_BYTES], struct ip ip);
void lab_silenced(struct lab *l, struct ip ip);			/* the DHT does not let us believe in it any more */
bool lab_serving(const struct lab *l);				/* lan_serves() */
bool lab_knows(const struct lab *l, struct ip ip);		/* a guest entry */

/** lab_out() - Frame @i that came out, taken apart; CUnit fails if it is malformed */
struct packet lab_out(const struct lab *l, unsigned i);
static inline unsigned lab_outs(const struct lab *l)
{
	return l->bare.fx.frames;
}
static inline uint64_t lab_drops(const struct lab *l, enum drop why)
{
	return l->bare.fx.drops[why];
}
bool lab_guest(const struct lab *l, unsigned i, struct look_guest *out);
uint32_t lab_bytes(const struct lab *l);
void lab_leave(struct lab *l);
#define LAB_STATIC	COOKIE(ASKER_STATIC, 0)		/* cookie of news about static addresses */
void lab_tell(struct lab *l, const struct held_news *n);		/* news as they are */
void lab_word(struct lab *l, uint64_t peer, struct bytes payload);	/* a tunnel's payload as it is */
/** lab_client() - what a static @ip of machine @mac is claimed for */
uint64_t lab_client(const uint8_t mac[MAC_BYTES], struct ip ip);
void lab_resume(struct lab *l);				/* time passed unseen */
/** lab_deliver() - path hands a held packet with its offload on; true: the guest has it */
bool lab_deliver(struct lab *l, uint64_t peer, const struct writer *w, const struct offload *o);
void lab_nobody(struct lab *l, const struct writer *w);		/* path gives an IP packet up: nobody serves its address */
/** lab_make_beacon() - as node @id of the same network would say it; its length */
size_t lab_make_beacon(struct lab *l, uint8_t *at, uint64_t id, uint64_t count, uint8_t flags);
void lab_hear_beacon(struct lab *l, uint64_t id, uint64_t count, uint8_t flags);

bool lab_recorded(const struct lab *l, enum record_kind kind);

/* ---- frames of guests ---- */
struct lab_buf {
	uint8_t at[FRAME_MAX + 1000];
	struct writer w;
};
void lab_arp(struct lab *l, const uint8_t *from, uint16_t op, struct ip spa, struct ip tpa);
struct writer *lab_udp(struct lab_buf *b, const uint8_t *to, const uint8_t *from, struct ip src, struct ip dst,
		       uint16_t sport, uint16_t dport, size_t len);
/** lab_nd() - a message with @target (family 0: none) and our hardware address as option @option (0: none) */
void lab_nd(struct lab *l, const uint8_t *from, uint8_t type, struct ip src, struct ip dst, struct ip target, uint8_t option);

struct ip lab_ip(unsigned a, unsigned b, unsigned c, unsigned d);
struct ip lab_ip6(unsigned last);				/* fd77::last */

#endif /* VNET_LAB_H */
