/*
 * Orders of control clients: most are answered at once, some when core has its
 * answer. Core ends all of those but pings through tunnels, whose answers come
 * from outside or not at all: they are ended here, and believed only from whom
 * they were sent to.
 */
#include "node/inside.h"

#include <stdlib.h>
#include <string.h>

#include "core/vnet/vnet.h"
#include "node/answer.h"
#include "node/metrics.h"
#include "node/put.h"

static void refuse(struct daemon *d, struct client_ref who, const struct order *o, const char *why)
{
	control_answer(&d->control, who, o, NULL, why, false);
}

/* ---- what core answers later ----------------------------------------------------------- */

/*
 * The network an order means: by name, by where the address lies, or the first. -1: none. A ping that names none
 * goes through the ring.
 */
static int network_of(const struct daemon *d, const struct order *o)
{
	if (!*o->network && (o->kind == ORDER_TRACE || o->kind == ORDER_PING))
		return 0;
	for (unsigned i = 0; i < NETWORKS_MAX; i++) {
		const struct nic *n = d->nics.nic[i];
		const struct network_record *r = n && n->config ? &n->charter.record : NULL;

		if (!r)
			continue;
		if (*o->network ? !strcmp(o->network, r->name) :
		    o->kind != ORDER_RESOLVE || ip_in(&o->ip, &r->range4) || ip_in(&o->ip, &r->range6))
			return (int)i;
	}
	return -1;
}

static uint8_t ask_of(const struct order *o)
{
	switch (o->kind) {
	case ORDER_RESOLVE:
		return ASK_RESOLVE;
	case ORDER_GET:
		return ASK_GET;
	case ORDER_PUT:
		return ASK_PUT;
	case ORDER_DELETE:
		return ASK_DELETE;
	case ORDER_PING:
		return *o->network ? ASK_ECHO : ASK_LOOKUP;
	default:
		return ASK_TRACE;
	}
}

static void on_late(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct daemon *d = w->data;
	int64_t now_ns = clock_now_ns(&d->clock);
	bool any = false;

	(void)revents;
	for (struct trace **at = d->trace; at < d->trace + TRACES; at++) {
		struct trace *t = *at;

		if (!t || t->order.kind != ORDER_PING || !*t->order.network)
			continue;
		if (now_ns - t->since_ns < t->order.timeout_ns) {
			any = true;
			continue;
		}
		*at = NULL;
		refuse(d, t->who, &t->order, "no answer in time");
		free(t);
	}
	if (!any)
		ev_timer_stop(loop, w);
}

static void trace_start(struct daemon *d, struct client_ref who, const struct order *o)
{
	struct event ev = { .kind = EVENT_CONTROL };
	struct trace **t = d->trace;
	int network = network_of(d, o);
	char text[ORDER_NAME + ORDER_VALUE];
	size_t name = strlen(o->name), value = strlen(o->value);

	if (network < 0) {
		refuse(d, who, o, *o->network ? "this node is in no such network" : o->kind == ORDER_RESOLVE ?
		       "this node is in no network with that address" : "this node is in no network");
		return;
	}
	while (t < d->trace + TRACES && *t)
		t++;
	if (t == d->trace + TRACES || !(*t = malloc(sizeof(**t)))) {
		refuse(d, who, o, "too many requests under way");
		return;
	}
	wake_up(d);
	**t = (struct trace){ ++d->next_token, who, *o, clock_now_ns(&d->clock), (uint8_t)network };
	memcpy(text, o->name, name);
	memcpy(text + name, o->value, value);
	ev.data = (struct bytes){ (const uint8_t *)text, name + value };
	ev.request = (struct request){
		.token = (*t)->token, .key = o->key, .ip = o->ip, .network = (uint8_t)network, .timeout_ns = o->timeout_ns,
		.ask = ask_of(o), .name = (uint16_t)name, .type = o->type, .size = o->size,
	};
	if (ev.request.ask == ASK_ECHO && !ev_is_active(&d->late)) {
		ev_timer_init(&d->late, on_late, LATE_S, LATE_S);
		d->late.data = d;
		ev_timer_start(d->loop, &d->late);
	}
	wake_step(d, &ev, 1);
}

/* A ping's end; NULL: that was no answer to it. */
static json_t *pinged(const struct daemon *d, const struct trace *t, const struct reply *r, int64_t since_ns,
		      const char **wrong)
{
	*wrong = NULL;
	if (r->answer == ANSWER_OK && id_eq(r->who, t->order.key))
		return answer_ping(d->member, r, t->order.key, t->network, since_ns);
	*wrong = r->answer == ANSWER_OK ? "no node has that id: its place on the ring is another's" :
		 r->answer == ANSWER_TIMEOUT ? "no answer in time" : r->answer == ANSWER_NOT_JOINED ?
		 "this node has not joined yet" : "it cannot be sent now";
	return r->ask == ASK_ECHO && r->answer == ANSWER_OK ? NULL : json_object();
}

void serve_reply(void *ctx, const struct reply *r)
{
	struct daemon *d = ctx;
	struct trace **at = d->trace, *t;
	const char *wrong = NULL;
	int64_t since_ns;
	json_t *o;

	if (r->ask == ASK_REVOKE) {
		d->revoked = *r;
		return;
	}
	if (r->ask != ASK_ECHO && nics_reply(&d->nics, clock_now_ns(&d->clock), r))
		return;
	while (at < d->trace + TRACES && (!*at || (*at)->token != r->token))
		at++;
	t = at < d->trace + TRACES ? *at : NULL;
	if (!t || (r->ask == ASK_ECHO) != (t->order.kind == ORDER_PING && *t->order.network))
		return;
	since_ns = clock_now_ns(&d->clock) - t->since_ns;
	if (r->answer == ANSWER_HOP) {
		o = t->order.kind == ORDER_TRACE ? answer_hop(r, since_ns) : answer_value(r, t->order.type);
		control_answer(&d->control, t->who, &t->order, o, NULL, true);
		return;
	}
	switch (t->order.kind) {
	case ORDER_RESOLVE:
		o = answer_resolve(r, &t->order.ip, since_ns, &wrong);
		put_text(json_object_get(o, "resolve"), "network", nics_name(&d->nics, t->network));
		break;
	case ORDER_PING:
		o = pinged(d, t, r, since_ns, &wrong);
		if (!o)
			return;
		break;
	case ORDER_GET:
	case ORDER_PUT:
	case ORDER_DELETE:
		o = answer_named(r, order_text(t->order.kind), t->order.name, since_ns, &wrong);
		break;
	default:
		o = answer_trace(r, t->order.key, since_ns, &wrong);
	}
	*at = NULL;
	control_answer(&d->control, t->who, &t->order, o, wrong, false);
	free(t);
}

/* ---- what is answered at once ---------------------------------------------------------- */

char *serve_metrics(void *ctx)
{
	struct daemon *d = ctx;

	return metrics_text(d->member, clock_now_ns(&d->clock));
}

static json_t *metrics(struct daemon *d)
{
	char *text = serve_metrics(d);
	json_t *o = json_object();

	put_text(o, "metrics", text);
	free(text);
	return o;
}

static void stop(struct daemon *d, struct client_ref who, const struct order *o)
{
	if (d->has_stopper) {
		refuse(d, who, o, "it is leaving already");
		return;
	}
	d->has_stopper = true;
	d->stopper = who;
	d->stop_order = *o;
	if (!d->leaving)
		wake_leave(d, "weftctl stop");
}

static void call_at(struct daemon *d, const struct endpoint *at)
{
	struct event ev = { .kind = EVENT_CONTROL, .from = *at, .request = { .ask = ASK_CONNECT } };

	wake_up(d);
	wake_step(d, &ev, 1);
}

void serve_order(void *ctx, struct client_ref who, const struct order *o)
{
	struct daemon *d = ctx;
	const struct member *m = d->member;
	int64_t now_ns = clock_now_ns(&d->clock);
	json_t *answer = NULL;

	switch (o->kind) {
	case ORDER_STATUS:
		answer = answer_status(m, now_ns);
		break;
	case ORDER_PEERS:
		answer = answer_peers(m, now_ns);
		break;
	case ORDER_LEASES:
		answer = answer_leases(m, now_ns);
		break;
	case ORDER_NETWORKS:
		answer = answer_networks(m, now_ns);
		break;
	case ORDER_NAMES:
		answer = answer_names(m, now_ns);
		break;
	case ORDER_TUNNELS:
		answer = answer_tunnels(m);
		break;
	case ORDER_SLOTS:
		answer = answer_slots(m, now_ns);
		break;
	case ORDER_SEEN:
		answer = answer_seen(m, &d->addresses, now_ns);
		break;
	case ORDER_CALL:
		call_at(d, &o->at);
		answer = json_object();
		break;
	case ORDER_METRICS:
		answer = metrics(d);
		break;
	case ORDER_VERSION:
		answer = json_pack("{s:s}", "version", WEFT_VERSION);
		break;
	case ORDER_RESOLVE:
	case ORDER_TRACE:
	case ORDER_PING:
	case ORDER_GET:
	case ORDER_PUT:
	case ORDER_DELETE:
		trace_start(d, who, o);
		break;
	case ORDER_PCAP:
		record_start(d, who, o);
		break;
	case ORDER_REVOKE:
		serve_revoke(d, who, o);
		break;
	case ORDER_STOP:
		stop(d, who, o);
		break;
	case ORDERS:
		break;
	}
	if (answer)
		control_answer(&d->control, who, o, answer, NULL, false);
}
