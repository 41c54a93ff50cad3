/* Orders of control clients: most are answered at once, some when core has its answer. */
#include "node/inside.h"

#include <string.h>

#include "node/answer.h"

/* The network an order means: by name, else by where the address lies. -1: none. */
static int network_of(const struct daemon *d, const struct order *o)
{
	for (unsigned i = 0; i < d->nics.count; i++) {
		const struct network_record *r = &d->nics.nic[i].charter.record;

		if (*o->network ? !strcmp(o->network, r->name) : ip_in(&o->ip, &r->range4) || ip_in(&o->ip, &r->range6))
			return (int)i;
	}
	return -1;
}

/* An order that core answers later: a trace, or who holds an address. */
static void trace_start(struct daemon *d, struct client_ref who, const struct order *o)
{
	struct event ev = { .kind = EVENT_CONTROL };
	struct trace *t = d->trace;
	int network = o->kind == ORDER_RESOLVE ? network_of(d, o) : 0;

	if (network < 0) {
		control_answer(&d->control, who, o, NULL, *o->network ? "this node is in no such network" :
			       "this node is in no network with that address", false);
		return;
	}

	while (t < d->trace + TRACES && t->token)
		t++;
	if (t == d->trace + TRACES) {
		control_answer(&d->control, who, o, NULL, "too many requests under way", false);
		return;
	}
	wake_up(d);
	*t = (struct trace){ ++d->next_token, who, *o, clock_now_ns(&d->clock) };
	ev.request = (struct request){
		.token = t->token, .key = o->key, .ip = o->ip, .network = (uint8_t)network, .timeout_ns = o->timeout_ns,
		.ask = o->kind == ORDER_RESOLVE ? ASK_RESOLVE : ASK_TRACE,
	};
	wake_step(d, &ev, 1);
}

void serve_reply(void *ctx, const struct reply *r)
{
	struct daemon *d = ctx;
	struct trace *t = d->trace;
	const char *wrong;
	int64_t since_ns;
	json_t *o;

	if (nics_reply(&d->nics, clock_now_ns(&d->clock), r))
		return;
	while (t < d->trace + TRACES && (!t->token || t->token != r->token))
		t++;
	if (t == d->trace + TRACES)
		return;
	since_ns = clock_now_ns(&d->clock) - t->since_ns;
	if (r->answer == ANSWER_HOP) {
		control_answer(&d->control, t->who, &t->order, answer_hop(r, since_ns), NULL, true);
		return;
	}
	o = t->order.kind == ORDER_RESOLVE ? answer_resolve(r, &t->order.ip, since_ns, &wrong) :
	    answer_trace(r, t->order.key, since_ns, &wrong);
	t->token = 0;
	control_answer(&d->control, t->who, &t->order, o, wrong, false);
}

void serve_order(void *ctx, struct client_ref who, const struct order *o)
{
	struct daemon *d = ctx;

	switch (o->kind) {
	case ORDER_STATUS:
		control_answer(&d->control, who, o, answer_status(d->member, clock_now_ns(&d->clock)), NULL, false);
		break;
	case ORDER_PEERS:
		control_answer(&d->control, who, o, answer_peers(d->member, clock_now_ns(&d->clock)), NULL, false);
		break;
	case ORDER_LEASES:
		control_answer(&d->control, who, o, answer_leases(d->member, clock_now_ns(&d->clock)), NULL, false);
		break;
	case ORDER_NETWORKS:
		control_answer(&d->control, who, o, answer_networks(d->member, clock_now_ns(&d->clock)), NULL, false);
		break;
	case ORDER_NAMES:
		control_answer(&d->control, who, o, answer_names(d->member, clock_now_ns(&d->clock)), NULL, false);
		break;
	case ORDER_RESOLVE:
	case ORDER_TRACE:
		trace_start(d, who, o);
		break;
	case ORDER_STOP:
		if (d->has_stopper) {
			control_answer(&d->control, who, o, NULL, "it is leaving already", false);
			break;
		}
		d->has_stopper = true;
		d->stopper = who;
		d->stop_order = *o;
		if (!d->leaving)
			wake_leave(d, "weftctl stop");
		break;
	case ORDER_VERSION:
		control_answer(&d->control, who, o, json_pack("{s:s}", "version", WEFT_VERSION), NULL, false);
		break;
	case ORDERS:
		break;
	}
}
