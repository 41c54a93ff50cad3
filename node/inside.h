/*
 * inside.h - what a running daemon is made of; for daemon.c, wake.c, serve.c and reload.c only
 */
#ifndef NODE_INSIDE_H
#define NODE_INSIDE_H

#include <ev.h>

#include "node/addresses.h"
#include "node/sniff.h"
#include "node/clock.h"
#include "node/control.h"
#include "node/daemon.h"
#include "node/member.h"
#include "node/scrape.h"

enum { TRACES = 32 };
#define LATE_S	0.05			/* pings through tunnels are looked at so often, while there are any */

/* struct trace - an order that core answers later */
struct trace {
	uint64_t token;
	struct client_ref who;
	struct order order;
	int64_t since_ns;
	uint8_t network;
};

struct daemon {
	struct ev_loop *loop;
	const struct daemon_setup *setup;
	struct node_config *config;
	struct boot_clock clock;
	struct home home;
	struct udp udp;
	struct nics nics;
	struct addresses addresses;
	struct member *member;
	struct control control;
	ev_io four, six, alarm, saved, routes, tap[NETWORKS_MAX];
	ev_prepare sleep;
	ev_signal hup, term, quit;
	ev_timer hour, tidy, leave, late, sniffed;
	ev_io pipe;			/* of the capture */
	int64_t armed_ns;
	struct trace *trace[TRACES];	/* NULL: free */
	uint64_t next_token;
	struct sniff sniff;
	struct trace *sniffer;		/* who asked for it */
	struct scrape scrape;
	struct client_ref stopper;	/* who asked us to stop */
	struct order stop_order;
	bool has_stopper, leaving, over;
	struct reply revoked;		/* what core said of the last list */
	struct change *change;		/* reload.c: networks that are to come when others have gone; NULL mostly */
};

/* ---- wake.c: what wakes the loop, and what follows ---- */
bool wake_watch(struct daemon *d, struct fail *f);	/* everything that wakes it, from now on */
void wake_arm(struct daemon *d);			/* the alarm, as core and the cards want it now */

void wake_tap(struct daemon *d, unsigned place);	/* listen to the tap there */

/** wake_step() - @evs happened: core and the cards hear of it, the alarm is set, a leave may be over */
void wake_step(struct daemon *d, const struct event *evs, unsigned count);

/** wake_up() - Call it before what woke us is handled: a suspended machine is told to core first */
void wake_up(struct daemon *d);

void wake_leave(struct daemon *d, const char *why);
void wake_judge(struct daemon *d);			/* says when our certificate ends */

/* ---- serve.c: what clients of the control socket ask ---- */
void serve_order(void *ctx, struct client_ref who, const struct order *o);
void serve_reply(void *ctx, const struct reply *r);
char *serve_metrics(void *ctx);

/* ---- serve_revoke.c: lists of the revoked ---- */
void serve_revoke(struct daemon *d, struct client_ref who, const struct order *o);

/* ---- record.c: captures ---- */
void record_start(struct daemon *d, struct client_ref who, const struct order *o);
void record_in(struct daemon *d, const struct udp_socket *s, const struct event *evs, unsigned count);	/* what came */
void record_end(struct daemon *d);			/* fine if none runs */

/* ---- reload.c ---- */
void reload(struct daemon *d);				/* SIGHUP: the configuration, again */
void reload_go_on(struct daemon *d);			/* after a step: networks that were left may be gone by now */
void reload_addresses(struct daemon *d);		/* which ranges are no underlay */
void reload_end(struct daemon *d);			/* what is still to come does not; fine if nothing is */

#endif /* NODE_INSIDE_H */
