/*
 * inside.h - a guest from inside: for the files of this folder and its tests
 */
#ifndef GUEST_INSIDE_H
#define GUEST_INSIDE_H

#include "sim/guest/frame.h"
#include "sim/guest/guest.h"

#define G_S	INT64_C(1000000000)
#define G_MS	INT64_C(1000000)
#define G_NEVER	INT64_MAX

enum { NEIGHBOURS = 6, TALKS = 6, SEGMENTS_MAX = 16 };

enum {
	PORT_DHCP_SERVER = 67, PORT_DHCP_CLIENT = 68, PORT_DNS = 53,
	PORT_TCP = 5001, PORT_UDP = 5002, PORT_SHOUT = 5003,
};

/* RFC 2131, figure 5. */
#define DHCP_STATE_LIST(X)				\
	X(OFF)		/* static, or shut */		\
	X(INIT)		/* waits to send DISCOVER */	\
	X(SELECTING)					\
	X(REQUESTING)					\
	X(PROBING)	/* ACKed; asks the LAN first */	\
	X(BOUND)					\
	X(RENEWING)					\
	X(REBINDING)					\
	X(REBOOTING)	/* INIT-REBOOT: it had one */

enum dhcp_state {
#define X(name) DHCP_##name,
	DHCP_STATE_LIST(X)
#undef X
	DHCP_STATES
};

struct dhcp {
	int64_t due_ns;			/* the next thing to do in this state */
	int64_t first_ns;		/* first DISCOVER of this attempt */
	int64_t sent_ns;		/* the REQUEST that may be answered: the lease counts from it */
	int64_t t1_ns, t2_ns, until_ns;
	int64_t nak_ns;			/* the last NAK */
	uint32_t xid, server, offered;
	uint8_t server_mac[MAC_LEN];
	uint8_t state, tries;		/* enum dhcp_state */
	bool again;			/* the ACK confirms what we had */
};

enum neighbour_state { NEIGHBOUR_FREE, NEIGHBOUR_ASKED, NEIGHBOUR_KNOWN };

struct neighbour {
	struct ip ip;
	uint8_t mac[MAC_LEN];
	uint8_t state : 4, tries : 4;
	int64_t when_ns;		/* ASKED: ask again; KNOWN: not to be trusted after */
};
_Static_assert(sizeof(struct neighbour) == 32, "six of them in a KiB");

enum talk_kind { TALK_FREE, TALK_PING, TALK_NAME, TALK_UDP, TALK_OUT, TALK_IN };
enum tcp_state { TCP_OPENING, TCP_OPEN, TCP_CLOSING, TCP_GONE };

/** struct talk - one conversation */
struct talk {
	struct ip peer;
	uint8_t kind;			/* enum talk_kind */
	uint8_t state : 4, tries : 4;
	bool blocked;			/* waits for the peer's MAC */
	uint16_t lport, rport;
	uint32_t token;
	uint32_t seed;			/* of the pattern; TCP: our first sequence number */
	int64_t began_ns, due_ns;
	union {
		struct {
			int64_t moved_ns;		/* when it last got on; UDP: the pace */
			uint32_t sent, acked, total;	/* bytes */
			uint32_t theirs;		/* TCP: the next number expected of the peer */
			uint16_t mss, window;		/* bytes; segments */
			uint16_t rto_ms, srtt_ms;
		};
		char name[GUEST_NAME + 1];
	};
};
_Static_assert(sizeof(struct talk) <= 80, "six of them in a KiB");

enum use { USE_NONE, USE_PROBING, USE_YES };

struct guest {
	const struct guest_config *config;
	uint64_t chance;
	uint32_t number, next;		/* next: ids and ports of what we begin */
	struct ip ip4, gateway, dns;
	struct ip six[2];		/* link-local, global */
	int64_t ip4_ns;			/* probing: next probe or announcement */
	int64_t six_ns[2];		/* DAD ends, or the prefix does */
	int64_t solicit_ns;		/* next router solicitation */
	int64_t defended_ns;
	int64_t arrived_ns;			/* and no beat heard since; G_NEVER: none is waited for */
	uint32_t beat[4];			/* seeds of the last beats that were heard */
	struct dhcp dhcp;
	struct neighbour neighbour[NEIGHBOURS];
	struct talk talk[TALKS];
	uint8_t mac[MAC_LEN];
	struct ip router6_ip;
	uint16_t mtu;
	uint8_t bits, addressing;
	uint8_t use4, use6[2];		/* enum use */
	uint8_t probes, solicits;
	bool plugged, on;
};
_Static_assert(sizeof(struct guest) <= 1024, "a guest costs a KiB");

/** struct step - one call of guest_step() */
struct step {
	struct guest *g;
	int64_t now_ns;
	struct guest_fx *fx;
};

/* guest.c */
uint32_t guest_draw(struct guest *g, uint32_t below);		/* uniform below @below; 0 gives 0 */
uint8_t *guest_room(struct step *s);				/* for one frame, or NULL: counted */
void guest_sent(struct step *s, const uint8_t *frame, size_t len);
struct guest_news *guest_tell(struct step *s, enum guest_word word);
void guest_count(struct step *s, enum guest_count what);
bool guest_has(const struct guest *g, const struct ip *a);	/* an address of ours in use */
bool guest_is_broadcast(const struct guest *g, const struct ip *a);
const struct ip *guest_source(const struct guest *g, const struct ip *to);	/* NULL: none fits */

/** guest_send_ip() - Finish and send the packet of @len bytes at frame_l4(@frame); false if the MAC is not known yet,
 * and is being asked for */
bool guest_send_ip(struct step *s, uint8_t *frame, const struct ip *to, unsigned proto, size_t len);
bool guest_reach(struct step *s, const struct ip *to, uint8_t mac[MAC_LEN]);

/* near.c - neighbours: ARP and ND, probing and defending our own addresses */
void guest_near_arp(struct step *s, const struct seen *f);
void guest_near_icmp6(struct step *s, const struct seen *f);		/* NS, NA, RA */
bool guest_near_find(struct step *s, const struct ip *ip, uint8_t mac[MAC_LEN]);
void guest_near_use4(struct step *s);					/* ip4 is set: probe it, then use it */
void guest_near_start6(struct step *s);
void guest_near_arrive(struct step *s);					/* announce what is in use */
void guest_near_time(struct step *s);
int64_t guest_near_due(const struct guest *g);
void guest_near_forget(struct guest *g);

/* dhcp.c */
void guest_dhcp_begin(struct step *s);
void guest_dhcp_reboot(struct step *s);
void guest_dhcp_packet(struct step *s, const struct seen *f);
void guest_dhcp_time(struct step *s);
void guest_dhcp_clear(struct step *s);				/* ip4 passed its probes */
void guest_dhcp_conflict(struct step *s);				/* somebody else has ip4 */
void guest_dhcp_release(struct step *s);

/* talk.c - pings, questions, UDP flows, shouts */
void guest_talk_order(struct step *s, const struct guest_order *o);
void guest_talk_icmp(struct step *s, const struct seen *f);
void guest_talk_udp(struct step *s, const struct seen *f);
void guest_talk_time(struct step *s);
int64_t guest_talk_due(const struct guest *g);
void guest_talk_unblock(struct step *s);				/* a neighbour was found */
void guest_talk_end_all(struct step *s);
struct talk *guest_talk_new(struct step *s, enum talk_kind kind, const struct ip *peer);
void guest_talk_lost(struct step *s, struct talk *t);
uint8_t guest_talk_byte(uint32_t seed, uint32_t at);

/* tcp.c */
void guest_tcp_open(struct step *s, struct talk *t);
void guest_tcp_segment(struct step *s, const struct seen *f);
void guest_tcp_time(struct step *s, struct talk *t);

/* dns.c */
size_t guest_dns_ask(uint8_t *at, size_t room, uint16_t id, const char *name, unsigned family);

struct dns_answer {
	uint8_t code;
	struct ip ip;			/* family 0: none of the kind asked for */
	char name[GUEST_NAME + 1];	/* PTR */
};
bool guest_dns_read(const uint8_t *at, size_t len, uint16_t id, unsigned family, struct dns_answer *out);
void guest_dns_reverse(const struct ip *ip, char *name, size_t room);

#endif /* GUEST_INSIDE_H */
