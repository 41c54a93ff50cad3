/*
 * guests.h - machines behind taps, the LANs they are plugged into, and what they do
 *
 * For each network each host has a tap and `per-node` machines (sim/guest). Taps
 * and machines are ports of a LAN (sim/guest/segment.h); `nodes-per-lan` hosts
 * share one, and therefore a site of the engine. Machine g is engine object
 * hosts + g; its events are handled on the shard of its host.
 *
 *	guests.c	LANs, power, frames
 *	moves.c		machines that move from LAN to LAN while they run
 *	talks.c		the workload: who talks to whom, what came of it
 *	chatter.c	the books: who had which address when; names, shouts and
 *			lost pings judged in the order of the journal
 *
 *	Memory		a machine: struct guest (1 KiB), 120 bytes here, 80 in the books
 *	Threads		a machine and its LAN are written by their shard; the directory
 *			and the books in barriers
 */
#ifndef SIM_WORLD_GUESTS_H
#define SIM_WORLD_GUESTS_H

#include "sim/guest/guest.h"
#include "sim/guest/segment.h"
#include "sim/world/inside.h"
#include "sim/world/networks.h"

/* What machines do at a rate. */
enum work {
	WORK_PING, WORK_RESOLVE, WORK_UDP, WORK_TCP, WORK_SHOUT, WORK_MOVE, WORKS,
	WORK_UNPLUG = WORKS, WORK_LAND, WORK_LANDED, WORK_AGAIN,	/* steps of a move */
};

#define MOVE_NOBODY	UINT32_MAX	/* object of a port whose machine has moved away */


enum question { QUESTION_NONE, QUESTION_NAME, QUESTION_FORM, QUESTION_POINTER };

struct machine {
	struct guest *guest;
	uint32_t host;
	uint16_t network, port;
	uint32_t powers;		/* times it was switched on */
	uint32_t shouts, draws[WORKS];
	bool on, fixed;			/* fixed: its address is static */
	bool moving, away;		/* away: between two LANs */
	uint32_t partner, moves;	/* who sends to it while it moves; moves so far */
	int64_t landed_ns;		/* and nothing was heard of the partner since; NEVER_NS: nothing is waited for */
	uint8_t question;		/* enum question under way */
	uint32_t about;			/* whom it is about */
	struct ip expected;
	int64_t asked_ns;
	struct ip ip4, ip6;		/* as the journal knows */
};

struct wire {				/* a frame on its way to a port */
	uint16_t iface, len;
	uint8_t data[];
};

struct entry_of { struct ip ip4, ip6; };

struct chatter;

/* What is measured: id, kind, unit, whole (an id of this list, or NONE), name, text. */
#define MEASURE_LIST(X)												\
	X(DHCP_TIME, HISTOGRAM, MS, NONE, "dhcp.time_ms",							\
	  "from the first DISCOVER to the ACK, desync left out")						\
	X(DHCP_RENEWED, COUNTER, NUMBER, NONE, "dhcp.renewed",							\
	  "leases renewed, rebound or confirmed after a plug")							\
	X(DHCP_ENDED, COUNTER, NUMBER, NONE, "dhcp.ended", "addresses machines had to give up")			\
	X(PING_DONE, COUNTER, NUMBER, NONE, "ping.done", "pings answered or lost")				\
	X(PING_LOST, RATIO, SHARE, PING_DONE, "ping.lost", "not answered in time, whatever the reason")		\
	X(PING_LOST_STEADY, RATIO, SHARE, PING_DONE, "ping.lost_steady",					\
	  "not answered though both had their addresses and nodes were joined throughout, in one part")		\
	X(PING_RTT, HISTOGRAM, MS, NONE, "ping.rtt_ms", "from sending a ping to its answer")			\
	X(PING_FIRST, HISTOGRAM, MS, NONE, "ping.first_ms",							\
	  "from wanting to ping to the answer: with ARP or ND")							\
	X(DNS_JUDGED, COUNTER, NUMBER, NONE, "dns.judged",							\
	  "names asked for and answered, or not in time")							\
	X(DNS_RIGHT, RATIO, SHARE, DNS_JUDGED, "dns.right", "answered with who had the address then")		\
	X(DNS_WRONG, RATIO, SHARE, DNS_JUDGED, "dns.wrong", "answered with somebody else")			\
	X(DNS_ABSENT, RATIO, SHARE, DNS_JUDGED, "dns.absent",							\
	  "answered that it does not exist though it did")							\
	X(DNS_LOST, RATIO, SHARE, DNS_JUDGED, "dns.lost", "not answered after three tries")			\
	X(DNS_TIME, HISTOGRAM, MS, NONE, "dns.time_ms", "from asking to the answer")				\
	X(FLOW_FIRST, HISTOGRAM, MS, NONE, "flow.first_ms",							\
	  "from wanting a UDP flow to its first datagram's arrival")						\
	X(FLOW_OPEN, HISTOGRAM, MS, NONE, "flow.open_ms",							\
	  "from wanting a TCP flow to the answer to its SYN")							\
	X(FLOW_TIME, HISTOGRAM, MS, NONE, "flow.time_ms", "from wanting a TCP flow to its end")			\
	X(FLOW_DONE, COUNTER, NUMBER, NONE, "flow.done", "flows that ended well or failed")			\
	X(FLOW_FAILED, RATIO, SHARE, FLOW_DONE, "flow.failed", "of them, failed")				\
	X(SHOUT_DUE, COUNTER, NUMBER, NONE, "shout.due",							\
	  "machines that a broadcast should have reached")							\
	X(SHOUT_MISSED, RATIO, SHARE, SHOUT_DUE, "shout.missed", "of them, not reached")			\
	X(SHOUT_SENT, COUNTER, NUMBER, NONE, "shout.sent", "broadcasts machines sent")				\
	X(SHOUT_TWICE, COUNTER, NUMBER, NONE, "shout.twice", "broadcasts that came to a machine again")		\
	X(SHOUT_LEAKED, COUNTER, NUMBER, NONE, "shout.leaked",							\
	  "broadcasts that came to a machine whose node was revoked, as the sender's node knew")		\
	X(SHOUT_TIME, HISTOGRAM, MS, NONE, "shout.time_ms", "from a broadcast to its arrival")			\
	X(ON, GAUGE, NUMBER, NONE, "guest.on", "machines that are switched on")					\
	X(ADDRESSED, GAUGE, NUMBER, NONE, "guest.addressed", "machines with an IPv4 address in use")		\
	X(DOUBLE, COUNTER, NUMBER, NONE, "guest.double",							\
	  "addresses two machines of one network used at the same time")					\
	X(LAN_LOOPS, COUNTER, NUMBER, NONE, "lan.loops",							\
	  "MACs that moved between ports of a LAN within a second")						\
	X(LAN_STORMS, COUNTER, NUMBER, NONE, "lan.storms",							\
	  "frames a LAN dropped because there were too many")							\
	X(MOVES, COUNTER, NUMBER, NONE, "move.moves",								\
	  "machines that moved to another LAN while they ran")							\
	X(MOVE_JUDGED, COUNTER, NUMBER, NONE, "move.judged", "of them, stayed there for a while")		\
	X(MOVE_IN, HISTOGRAM, MS, NONE, "move.outage_ms",							\
	  "from arrival until somebody else's packet reached it again")						\
	X(MOVE_OUT, HISTOGRAM, MS, NONE, "move.heard_ms",							\
	  "from arrival until a packet of its own reached somebody else")					\
	X(MOVE_ROUNDS, HISTOGRAM, MILLI, NONE, "move.outage_rtt",						\
	  "the outage in round trips between the two nodes")							\
	X(MOVE_OVER_MEDIAN, RATIO, SHARE, MOVE_JUDGED, "move.over_median",					\
	  "outage above 2.5 round trips and 50 ms")								\
	X(MOVE_OVER_TAIL, RATIO, SHARE, MOVE_JUDGED, "move.over_tail",						\
	  "outage above 6 round trips and 200 ms")								\
	X(MOVE_LOST, RATIO, SHARE, MOVE_JUDGED, "move.lost", "reached by nothing for ten seconds")

enum measure {
	MEASURE_NONE = -1,
#define X(id, kind, unit, of, name, text) MEASURE_##id,
	MEASURE_LIST(X)
#undef X
	MEASURES
};

struct guests {
	uint32_t count, per_host;	/* per_host: of all networks */
	uint32_t per_node, per_lan;
	unsigned networks;
	struct guest_config config;
	struct machine *machine;
	unsigned char *bytes;		/* their struct guests */
	struct segment **lan;		/* (host / per_lan) * networks + network */
	struct dist every[WORKS];
	/* who has an address, as of the last second; read by all shards */
	struct entry_of *entry;
	uint32_t *listed[4];		/* by network: machines with an IPv4 address */
	uint32_t listed_count[4];
	bool stale;
	struct chatter *chatter;
	struct replay { int64_t at_ns; uint16_t len; uint8_t *data; } *replay;
	unsigned replays;
	struct frame_capture { bool tap; uint32_t number; unsigned network; world_frame_fn *fn; void *ctx; }
		capture[WORLD_CAPTURES];
	unsigned captures;
	int metric[MEASURES], m_count;	/* ids in the catalog */
	uint64_t told[GUEST_COUNTS];
	uint64_t loops_told, storms_told;
};

static inline uint32_t guest_object(const struct world *w, uint32_t g)
{
	return w->hosts + g;
}

static inline int measure(const struct world *w, enum measure m)
{
	return w->guests->metric[m];
}

/* guests.c */
bool guests_new(struct world *w, struct fail *f);	/* after the hosts; none: does nothing */
void guests_free(struct world *w);
void guests_name(const struct world *w, uint32_t host, char *name, size_t room);
void guests_mac(const struct world *w, uint32_t host, unsigned network, uint8_t mac[6]);
uint32_t guests_site(const struct world *w, uint32_t host);
void guests_started(struct shard *s, struct lane *l, struct host *h);
void guests_stopping(struct shard *s, struct lane *l, struct host *h);	/* a graceful end is near */
void guests_ended(struct shard *s, struct lane *l, struct host *h);
void guests_frame(struct shard *s, struct lane *l, struct host *h, const struct frame *f);	/* out of its tap */
void guests_tap(struct shard *s, struct lane *l, struct host *h, const struct wire *w);	/* into its tap */
void guests_replay(struct shard *s, struct lane *l, struct host *h, const struct order *o);
void guests_event(struct shard *s, struct lane *l, const struct engine_event *ev);
void guests_step(struct shard *s, struct lane *l, struct machine *m, const struct guest_event *ev);

void guests_absent(struct shard *s, int64_t now_ns, struct machine *m);	/* nobody can reach it */

/* moves.c */
void moves_depart(struct shard *s, struct lane *l, struct machine *m);
void moves_work(struct shard *s, struct lane *l, struct machine *m, const struct order *o);
void moves_back(struct shard *s, struct machine *m, int64_t took_ns);	/* it heard somebody again */

/* talks.c */
struct machine *talks_pick(struct world *w, struct machine *m, enum work work);	/* another one, not of its LAN; NULL */
void talks_begin(struct shard *s, struct lane *l, struct machine *m);
void talks_work(struct shard *s, struct lane *l, struct machine *m, const struct order *o);
void talks_news(struct shard *s, struct lane *l, struct machine *m, const struct guest_news *n);

/* chatter.c */
struct chatter *chatter_new(struct world *w);
void chatter_free(struct chatter *c);
void chatter_note(struct world *w, const struct note *n);
void chatter_time(struct world *w, int64_t now_ns);
void chatter_publish(struct world *w);			/* the directory; once a second */
void chatter_catalog(struct world *w);
void chatter_row(struct world *w);

struct id id_of_ip(const struct ip *a);
struct ip ip_of_id(struct id id, unsigned family);

#endif /* SIM_WORLD_GUESTS_H */
