/*
 * parts.h - what the files of core/vnet tell each other, and nobody else
 *
 * vnet.c   the face: what came goes to whom		edge.c   who may say what; frames in and out
 * packet.c frames taken apart and put together		guest.c  who is behind the tap; static addresses
 * wait.c   questions for remote addresses		arp.c    ARP
 * nd.c     neighbour discovery, router advertisements	build.c  frames put together
 * icmp.c   echo, unreachable, too big			mss.c    MSS of TCP, fragments of IPv4
 * lan.c    several nodes on one LAN			guard.c  the firewall
 * migrate.c addresses that move with their machines
 * dhcp*.c  DHCP server towards the guest		dns*.c   names
 * path*.c  resolver cache, flows, multicast, broadcast	epoch.c  the group key
 *
 * A frame's way in: vnet_frame() -> packet_read() -> the edge checks the
 * source -> one of arp, nd, dhcp, dns, icmp, or path_send() / path_group().
 * A payload's way: vnet_tunnel() -> path_payload() or, for guests' packets,
 * path_source() -> edge_deliver() -> frame.
 */
#ifndef VNET_PARTS_H
#define VNET_PARTS_H

#include "core/vnet/packet.h"
#include "core/vnet/vnet.h"

/* ---- one timer for each network, shared: every part has its own due time ---- */

enum vnet_part { PART_EDGE, PART_WAIT, PART_LAN, PART_DHCP, PART_DNS, PART_PATH, PART_GROUP, PART_MIGRATE, PARTS };

/* ---- cookies of dht_ask() and held_want(): the asking part in the top byte, the rest is that part's own ---- */

enum vnet_asker { ASKER_STATIC = 1, ASKER_DHCP, ASKER_DNS, ASKER_PATH };

#define COOKIE(asker, rest)	((uint64_t)(asker) << 56 | ((uint64_t)(rest) & 0xffffffffffffffULL))
#define COOKIE_ASKER(cookie)	((enum vnet_asker)((cookie) >> 56))
#define COOKIE_REST(cookie)	((cookie) & 0xffffffffffffffULL)

/* ---- first byte of every tunnel payload ---- */

enum payload_kind {
	PAYLOAD_IP = 1,			/* | a guest's IP packet, whole; offload's offsets count from the IP header */
	PAYLOAD_OWN,			/* | family 1 | address 4 or 16 | fence 16: I serve this address under this fence */
	PAYLOAD_NOT_HERE,		/* the same layout: I do not serve it; fence: the newest I know of */
	PAYLOAD_MOVED,			/* | signed delegation: it is that node's now (migrate.c) */
	PAYLOAD_RETURNED,		/* | your guest's packet, whole: I do not serve its destination (path.c) */
	PAYLOAD_FORWARD,		/* | sender's node 16 | its packet, for an address that I gave you (migrate.c) */
	PAYLOAD_PATH = 16,		/* from here on path's own */
	PAYLOAD_KEY_ASK,		/* | epoch 8: which group key is it? (epoch.c) */
	PAYLOAD_KEY,			/* | epoch 8 | key 32: this one */
	PAYLOAD_ECHO = 24,		/* | token 8 | anything: an operator's ping (echo.c) */
	PAYLOAD_ECHOED,			/* the same bytes, back */
};

enum {
	GUESTS_MAX	= 256,		/* entries of one network; a machine has one for each of its addresses */
	GUEST_PER_MAC	= 16,		/* addresses one machine may have */
	WAITING_MAX	= 32,		/* ARP and ND questions held until the address is resolved */
};

/** enum guest_how - how an address came to be a guest's */
enum guest_how {
	GUEST_SEEN,			/* a machine without an address: family 0 */
	GUEST_STATIC,			/* used without asking: claimed for it by held_want() */
	GUEST_LEASED,			/* by DHCP */
	GUEST_FIXED,			/* in our certificate: ours without a lease */
	GUEST_LINK			/* link-local: never leaves the LAN */
};

/** enum guest_state - of a GUEST_STATIC; the others are always GUEST_OURS */
enum guest_state {
	GUEST_CLAIMING,			/* held_want() is under way: its packets are not forwarded */
	GUEST_OURS,			/* granted; forwarded while held_believes() */
	GUEST_REFUSED			/* somebody else's, or never to be leased: told by ARP, tried again later */
};

/** enum guest_move - how far a claim is: does somebody else serve it, and give it up? */
enum guest_move {
	MOVE_NONE,			/* created, or about to be */
	MOVE_LOOKING,			/* edge_resolved() will say who serves it */
	MOVE_TAKING			/* that node was asked */
};

/** struct guest - one address of one machine behind the tap */
struct guest {
	struct ip ip;
	uint8_t mac[MAC_BYTES];
	uint8_t how, state;		/* enum guest_how, guest_state */
	uint8_t probes;			/* unanswered ones */
	uint8_t move;			/* CLAIMING: enum guest_move */
	uint32_t claim;			/* of the held_want() under way: rest of its cookie */
	int64_t heard_ns;		/* its last frame with this address */
	int64_t since_ns;		/* first heard or claimed */
	int64_t again_ns;		/* next probe, or when a refused address is tried again */
};

/** struct waiting - a question of a guest that waits for the DHT (or for the LAN, under hybrid) */
struct waiting {
	struct ip ip;			/* asked for */
	struct ip who;			/* who asked: :: is a DAD probe, 0.0.0.0 an ARP probe */
	uint8_t mac[MAC_BYTES];
	bool lan;			/* the LAN may still answer (hybrid) */
	bool found;			/* resolved, waits for the LAN's silence only */
	int64_t until_ns;
};

struct vnet_lan;			/* lan.c */
struct vnet_dhcp;			/* dhcp.c */
struct vnet_dns;			/* dns.c */
struct vnet_path;			/* path.c */
struct vnet_group;			/* multicast and broadcast */
struct vnet_epoch;			/* epoch.c */
struct vnet_guard;			/* guard.c */
struct vnet_migrate;			/* migrate.c */

/** struct bucket - so many per second and in one burst */
struct bucket {
	int64_t full_ns;		/* when it will be full again */
};

struct vnet {
	struct vnet_ports ports;
	const struct network *net;	/* as the host gave it */
	const struct network_record *record;	/* good inside each call of vnet.h's functions; refreshed there */
	struct id id;			/* the network's */
	struct id self;			/* this node */
	uint8_t index;			/* of the network: timer TIMER_VNET + index, user DHT_USER_VNET + index */
	bool down;			/* leaving: nothing new is begun */
	uint8_t mac[MAC_BYTES];		/* of all remote machines and the gateway; hybrid: our pseudo MAC */
	uint8_t own_mac[MAC_BYTES];	/* of this node on its LAN: beacons and probes */
	struct ip gateway4, gateway6;	/* family 0: none */
	int64_t due_ns[PARTS];		/* INT64_MAX = nothing */

	struct guest *guest;		/* guests of them, in the order they came */
	uint16_t guests, guest_cap;
	struct waiting *waiting;
	uint16_t waitings, waiting_cap;
	uint32_t claims;		/* held_want() asked so far */
	int64_t advert_ns;		/* the next unsolicited router advertisement */
	struct bucket errors;		/* ICMP errors to the guest */
	struct bucket shrinks;		/* those among them about packets that are carried all the same */
	struct bucket adverts;		/* router advertisements, gateway conflicts defended */
	struct bucket learned;		/* new addresses learned from traffic */

	struct vnet_lan *lan;		/* each NULL until it is needed */
	struct vnet_dhcp *dhcp;
	struct vnet_dns *dns;
	struct vnet_path *path;
	struct vnet_group *group;
	struct vnet_epoch *epoch;
	struct vnet_guard *guard;
	struct vnet_migrate *migrate;
};

/** vnet_due() - @part wants to be called at @at_ns; sooner wins; INT64_MAX: no more */
void vnet_due(struct vnet *v, struct env *e, enum vnet_part part, int64_t at_ns);

/** bucket_take() - One of @per_s a second, @burst at once; false: too many */
bool bucket_take(struct bucket *b, const struct env *e, unsigned per_s, unsigned burst);

/** vnet_user() - our name for dht_ask() and held_want() */
static inline uint8_t vnet_user(const struct vnet *v)
{
	return (uint8_t)(DHT_USER_VNET + v->index);
}

/** vnet_in() - does @a belong to the network (either range)? */
static inline bool vnet_in(const struct vnet *v, const struct ip *a)
{
	return ip_in(a, &v->record->range4) || ip_in(a, &v->record->range6);
}

/** vnet_address() - @a as records name it: IPv6, or IPv4 mapped into it (::ffff:a.b.c.d) */
static inline struct id vnet_address(const struct ip *a)
{
	struct reader r = reader_of(a->at, 16);

	return a->family == 4 ? (struct id){ 0, 0xffffULL << 32 | ip_u32(a) } : read_id(&r);
}

static inline bool vnet_gateway(const struct vnet *v, const struct ip *a)
{
	return a->family && (ip_eq(a, &v->gateway4) || ip_eq(a, &v->gateway6));
}

/* ---- echo.c ---- */

void echo_payload(struct vnet *v, struct env *e, const struct tunnel_news *n);	/* PAYLOAD_ECHO, PAYLOAD_ECHOED */

/* ---- guard.c ---- */

/** guard_in() - May @p from @peer reach a guest? Refusals are counted (DROP_GUARD). @proved: its tunnel says it is @peer */
bool guard_in(struct vnet *v, struct env *e, struct id peer, bool proved, const struct packet *p);
void guard_out(struct vnet *v, struct env *e, const struct packet *p);		/* a guest sent it: answers may come */
void guard_tunnel(struct vnet *v, struct env *e, const struct tunnel_news *n);	/* whose groups are known */
void guard_done(struct vnet *v, struct env *e);
uint32_t guard_bytes(const struct vnet *v);

/* ---- edge.c ---- */

void edge_frame(struct vnet *v, struct env *e, struct bytes frame, const struct offload *o);
void edge_payload(struct vnet *v, struct env *e, const struct tunnel_news *n);	/* PAYLOAD_IP */

/** edge_group_mac() - Where a frame for the IP group @ip goes: its Ethernet group; hybrid: the host's own device only */
void edge_group_mac(const struct vnet *v, uint8_t mac[MAC_BYTES], const struct ip *ip);

/** edge_out() - The frame in @w goes to the tap (nothing happens if @w is bad: DROP_TOO_BIG counted) */
void edge_out(struct vnet *v, struct env *e, const struct writer *w, const struct offload *o);

/** edge_ip() - An IP packet goes to machine @to on the tap, from v->mac; @o counts from the IP header */
enum drop edge_ip(struct vnet *v, struct env *e, const uint8_t to[MAC_BYTES], struct bytes ip, const struct offload *o);

/** edge_forwarded() - A packet for an address that came to us, from the node it came from */
void edge_forwarded(struct vnet *v, struct env *e, const struct packet *p);

enum deliver { DELIVER_DONE, DELIVER_NOT_HERE, DELIVER_BAD };

/**
 * edge_deliver() - A guest's packet came out of the tunnel from @peer, which owns its source: give it to the guest
 * Return: DELIVER_NOT_HERE: we do not believe we serve the destination; nothing was done but the count
 */
enum deliver edge_deliver(struct vnet *v, struct env *e, struct id peer, struct bytes ip, const struct offload *o);

/** edge_flood() - A multicast or broadcast packet of the network goes to the tap; refused if this node does not serve the
 * LAN, or @origin is on the same LAN */
enum drop edge_flood(struct vnet *v, struct env *e, struct id origin, struct bytes ip, const struct offload *o);

/** edge_resolved() - path: @ip is served by somebody (@found), or by nobody we could find; ARP and ND questions for it
 * are answered, or dropped and counted */
void edge_resolved(struct vnet *v, struct env *e, const struct ip *ip, bool found);

/** edge_nobody() - path: packets for an address nobody serves are given up: tell the guest that sent @ip (its head is
 * enough), by ICMP, rate limited */
void edge_nobody(struct vnet *v, struct env *e, struct bytes ip);

/** path_fits() - The largest packet for @ip that its path carries in one piece, as far as that is known; the network's MTU at
 * most */
uint16_t path_fits(struct vnet *v, const struct ip *ip);

/** edge_serves() - Is @ip a guest's here, and would we forward for it now? @fence: under which fence, may be NULL */
bool edge_serves(const struct vnet *v, const struct env *e, const struct ip *ip, struct fence *fence);

/* ---- guest.c ---- */

struct guest *guest_find(struct vnet *v, const struct ip *ip);	/* good until the table changes; NULL */
struct guest *guest_mac(struct vnet *v, const uint8_t mac[MAC_BYTES]);	/* any entry of that machine */

/** guest_heard() - @mac used @ip (family 0: it is merely there) in a good frame; new ones are learned and claimed
 * Return: the entry, NULL if it is not ours to serve or the table is full (counted) */
struct guest *guest_heard(struct vnet *v, struct env *e, const uint8_t mac[MAC_BYTES], const struct ip *ip);

/** guest_leased() - dhcp: @mac has @ip by a lease from now on (after the ACK); false: table full, counted */
bool guest_leased(struct vnet *v, struct env *e, const uint8_t mac[MAC_BYTES], const struct ip *ip);

/** guest_probed() - @mac asks whether anybody has @ip, and another node serves it: has the machine come here with it?
 * False: it is to be answered at once */
bool guest_probed(struct vnet *v, struct env *e, const uint8_t mac[MAC_BYTES], const struct ip *ip);

/** guest_resolved() - path: somebody (@found) or nobody serves @ip */
void guest_resolved(struct vnet *v, struct env *e, const struct ip *ip, bool found);

/** guest_seen() - a frame of a machine that another node of the LAN serves: who is there is known all the same */
void guest_seen(struct vnet *v, const struct env *e, const struct packet *p);

/** guest_gone() - dhcp: released, declined, expired, lost; the lease itself is dhcp's business */
void guest_gone(struct vnet *v, struct env *e, const struct ip *ip);

void guest_held(struct vnet *v, struct env *e, const struct held_news *n);	/* ASKER_STATIC */
void guest_timer(struct vnet *v, struct env *e);
void guest_resumed(struct vnet *v, struct env *e);	/* who is still there? */
void guest_passive(struct vnet *v, struct env *e);	/* another node serves the LAN from now on: nothing is claimed */
void guest_leave(struct vnet *v, struct env *e);
void guest_done(struct vnet *v, struct env *e);			/* memory back */

/** guest_may() - MODEL_HYBRID: is @mac the host's own device? Others: any */
bool guest_may(const struct vnet *v, const uint8_t mac[MAC_BYTES]);

/** guest_client() - the lease's client for a machine without a client identifier */
uint64_t guest_client(const uint8_t mac[MAC_BYTES]);

/** guest_fixed() - is @ip one our certificate gives us, inside the reserved part? */
bool guest_fixed(const struct vnet *v, const struct ip *ip);

/** guest_fixed_at() - the single addresses our certificate fixes, number @i; false past the end */
bool guest_fixed_at(const struct vnet *v, unsigned i, struct ip *out);

/* ---- arp.c, nd.c ---- */

void arp_frame(struct vnet *v, struct env *e, const struct packet *p);
void arp_answer(struct vnet *v, struct env *e, const struct waiting *q);
void arp_conflict(struct vnet *v, struct env *e, const struct ip *ip, const uint8_t mac[MAC_BYTES]);
void arp_probe(struct vnet *v, struct env *e, const struct ip *ip, const uint8_t *mac);	/* NULL: broadcast */
void arp_announce(struct vnet *v, struct env *e);	/* the gateway is here: switches and caches learn */

/** nd_frame() - true: it was neighbour discovery and is dealt with */
bool nd_frame(struct vnet *v, struct env *e, const struct packet *p);
void nd_answer(struct vnet *v, struct env *e, const struct waiting *q);
void nd_conflict(struct vnet *v, struct env *e, const struct ip *ip);
void nd_start(struct vnet *v, struct env *e);
void nd_timer(struct vnet *v, struct env *e);			/* the next unsolicited router advertisement */
void nd_probe(struct vnet *v, struct env *e, const struct ip *ip, const uint8_t *mac);
void nd_advertise(struct vnet *v, struct env *e, const uint8_t *mac, const struct ip *to);	/* NULL: all nodes */

/* ---- wait.c ---- */

/** wait_for() - A question for a remote address: answered now, or held until path says, or counted and forgotten */
void wait_for(struct vnet *v, struct env *e, const struct waiting *q);
void wait_heard(struct vnet *v, struct env *e, const struct ip *ip);	/* the LAN answered for itself */
void wait_timer(struct vnet *v, struct env *e);

/* ---- icmp.c, mss.c, lan.c ---- */

/** icmp_gateway() - An ICMP packet for the gateway's address */
void icmp_gateway(struct vnet *v, struct env *e, const struct packet *p);

enum icmp_error { ICMP_HOST_UNREACHABLE, ICMP_PORT_UNREACHABLE, ICMP_PROHIBITED, ICMP_TOO_BIG };

/** icmp_error() - Tell @p's sender behind the tap, as RFC 1812 4.3.2 and RFC 4443 2.4 allow; @mtu for ICMP_TOO_BIG */
void icmp_error(struct vnet *v, struct env *e, const struct packet *p, enum icmp_error what, uint16_t mtu);

/** mss_clamp() - Make a SYN offer no more than @mtu carries; its checksum follows
 * Return: bytes into @copy (p->l3.len of them are written, @p then read from there), or 0: nothing to change
 */
size_t mss_clamp(uint8_t *copy, size_t max, const struct packet *p, uint16_t mtu);

/** cut_next() - The next piece of the IPv4 packet @p that fits @mtu (RFC 791), into @buf
 * @at: 0 at first; where the next piece begins in p->l4
 *
 * Return: its length; 0 when all of it is cut, or it may not be
 */
size_t cut_next(uint8_t *buf, size_t max, const struct packet *p, uint16_t mtu, size_t *at);

/** lan_serves() - Do we flood and claim for this LAN (always, but for routers that listen or have a better neighbour)? */
bool lan_serves(const struct vnet *v, const struct env *e);
bool lan_neighbour(const struct vnet *v, struct id node);	/* is it on our LAN, or was a minute ago? */
bool lan_server(const struct vnet *v, struct id node);		/* does it serve our LAN, as it says? */
void lan_speak(struct vnet *v, struct env *e);			/* something for everybody leaves: the LAN must know us */
void lan_resumed(struct vnet *v, struct env *e);

/** lan_seen() - Another node of the network flooded @ip here */
void lan_seen(struct vnet *v, struct env *e, struct bytes ip);

/** lan_flood() - Is @ip, which came for everybody, to be flooded? DROP_NONE; DROP_PASSIVE; DROP_DUPLICATE: it was, before we
 * took over. To be asked once for each packet */
enum drop lan_flood(struct vnet *v, struct env *e, struct bytes ip);
void lan_start(struct vnet *v, struct env *e);
void lan_beacon(struct vnet *v, struct env *e, const struct packet *p);
void lan_timer(struct vnet *v, struct env *e);
void lan_leave(struct vnet *v, struct env *e);
void lan_done(struct vnet *v, struct env *e);
uint32_t lan_bytes(const struct vnet *v);

/* ---- migrate.c ---- */

void migrate_wanted(struct vnet *v, struct env *e, const struct held_news *n);	/* HELD_WANTED */
void migrate_gone(struct vnet *v, struct env *e, const struct held_news *n);	/* HELD_GONE: given over to n->by */
void migrate_came(struct vnet *v, struct env *e, const struct held_news *n);	/* HELD_GRANTED: given over by n->by */
void migrate_payload(struct vnet *v, struct env *e, const struct tunnel_news *n);	/* PAYLOAD_MOVED, PAYLOAD_FORWARD */
void migrate_meet(struct vnet *v, struct env *e, struct id node);	/* have a tunnel to @node: there will be packets */

/** migrate_tell() - Tell @peer that @ip, which came here, is ours, so that it need not ask; false: an ordinary claim will do */
bool migrate_tell(struct vnet *v, struct env *e, struct id peer, const struct ip *ip);

/** migrate_straggler() - The packet @ip came from @peer for @dst: if that moved away, it goes on, and @peer is told */
bool migrate_straggler(struct vnet *v, struct env *e, struct id peer, const struct ip *dst, struct bytes ip,
		       const struct offload *o);

/** migrate_astray() - @p is for a machine's own MAC: has its sender come here from that machine's LAN? Then it is for us */
bool migrate_astray(struct vnet *v, struct env *e, const struct packet *p);
void migrate_timer(struct vnet *v, struct env *e);
void migrate_resumed(struct vnet *v, struct env *e);
void migrate_free(struct vnet *v, struct env *e);
uint32_t migrate_bytes(const struct vnet *v);

/* ---- dhcp*.c ---- */

/** dhcp_packet() - UDP for port 67, from a machine we may serve; broadcast or for the gateway */
void dhcp_packet(struct vnet *v, struct env *e, const struct packet *p);
/** dhcp6_packet() - UDP over IPv6 for port 547 */
void dhcp6_packet(struct vnet *v, struct env *e, const struct packet *p);
void dhcp_held(struct vnet *v, struct env *e, const struct held_news *n);	/* ASKER_DHCP */
void dhcp_done(struct vnet *v, struct env *e, const struct dht_done *d);	/* ASKER_DHCP */
void dhcp_timer(struct vnet *v, struct env *e);
void dhcp_resumed(struct vnet *v, struct env *e);
void dhcp_leave(struct vnet *v, struct env *e);
void dhcp_free(struct vnet *v, struct env *e);
uint32_t dhcp_bytes(const struct vnet *v);

/* ---- dns*.c ---- */

/** dns_packet() - UDP or TCP for port 53 of the gateway */
void dns_packet(struct vnet *v, struct env *e, const struct packet *p);
/** dns_takes() - Is @p, on its way to a guest, the answer to a question we sent in its name? Then it is told */
bool dns_takes(struct vnet *v, struct env *e, const struct packet *p);
void dns_done(struct vnet *v, struct env *e, const struct dht_done *d);	/* ASKER_DNS */
void dns_owned(struct vnet *v, struct env *e, const struct ip *ip, bool ours);	/* an address came or went: names follow */
/** dns_host() - dhcp: the guest at @ip calls itself @host (one label, lower case); empty: no more */
void dns_host(struct vnet *v, struct env *e, const struct ip *ip, struct bytes host);
void dns_start(struct vnet *v, struct env *e);
void dns_timer(struct vnet *v, struct env *e);
void dns_leave(struct vnet *v, struct env *e);
void dns_free(struct vnet *v, struct env *e);
uint32_t dns_bytes(const struct vnet *v);

/* ---- path*.c ---- */

enum found { FOUND_YES, FOUND_NO, FOUND_ASKED };	/* ASKED: edge_resolved() follows */

/** path_find() - Does anybody serve @ip? From the cache, or the DHT is asked (bounded: FOUND_NO when full) */
enum found path_find(struct vnet *v, struct env *e, const struct ip *ip);

/** path_claim() - As path_find(), of an address that the guest @client came to us with: its owner is asked for it in the same breath */
enum found path_claim(struct vnet *v, struct env *e, const struct ip *ip, uint64_t client);

/** path_owner() - Who serves @ip, as found, for the one who takes it; false: not known now */
bool path_owner(const struct vnet *v, const struct env *e, const struct ip *ip, struct served *by);

struct delegation;			/* core/dht/op.h */
/** path_moved() - An owner gave its address to another, as its signature says; false: it is not the owner we know of
 * @now: believe it from now on; else only say whether we would */
bool path_moved(struct vnet *v, struct env *e, const struct delegation *g, bool now);

/** path_talker_at() - Number @i of those who were told that @ip is ours; false past the end */
bool path_talker_at(const struct vnet *v, unsigned i, const struct ip *ip, struct id *peer);

/** path_send() - A guest's packet, its source believed, for a remote unicast address of the network: resolved, held
 * meanwhile (copied), sent as PAYLOAD_IP with p->l3 and its partial checksum; of a batch each segment by itself */
void path_send(struct vnet *v, struct env *e, const struct packet *p);

/** path_group() - A guest's multicast or broadcast packet; IGMP and MLD too */
void path_group(struct vnet *v, struct env *e, const struct packet *p);

/** path_source() - May @peer send from @src? FOUND_ASKED: path took a copy of @payload (kind byte first) and calls
 * edge_deliver() itself once it knows */
enum found path_source(struct vnet *v, struct env *e, struct id peer, const struct ip *src, struct bytes payload,
		       const struct offload *o);

/** path_not_here() - Tell @peer that we do not serve @ip; its packet @back goes back with that if it is small: it was sent
 * by what @peer knew, and goes where it should once @peer knows better. @back empty: the word alone */
void path_not_here(struct vnet *v, struct env *e, struct id peer, const struct ip *ip, struct bytes back);
void path_payload(struct vnet *v, struct env *e, const struct tunnel_news *n);	/* all kinds but PAYLOAD_IP */
void path_expect(struct vnet *v, struct env *e, struct reader *r);		/* BODY_EXPECT, behind the network */
void path_tunnel(struct vnet *v, struct env *e, const struct tunnel_news *n);	/* all words but TUNNEL_PAYLOAD */
void path_cast(struct vnet *v, struct env *e, struct id origin, uint32_t seq, struct bytes data);
void path_done(struct vnet *v, struct env *e, const struct dht_done *d);	/* ASKER_PATH */
void path_owned(struct vnet *v, struct env *e, const struct ip *ip, bool ours);	/* an address (leased, static, fixed) became ours, or no more */
void path_start(struct vnet *v, struct env *e);
void path_timer(struct vnet *v, struct env *e);		/* PART_PATH */
void path_group_timer(struct vnet *v, struct env *e);	/* PART_GROUP */
void path_resumed(struct vnet *v, struct env *e);
void path_leave(struct vnet *v, struct env *e);
void path_free(struct vnet *v, struct env *e);
bool path_remote_at(const struct vnet *v, unsigned i, struct look_remote *out);
uint32_t path_remote_changes(const struct vnet *v);	/* vnet_remote_changes() */
uint32_t path_bytes(const struct vnet *v);

#endif /* VNET_PARTS_H */
