/*
 * The one switch from an engine event to the function that deals with it. Also
 * the one place that knows what a paused host is: whatever comes to it, the
 * packets in its socket buffer included, happens when it wakes, in the order it
 * came. A sleeping machine's interface is down; packets that were already
 * through are lost, everything else waits.
 */
#include "sim/world/guests.h"

#define SOCKET_NS	(5 * NS_PER_S)	/* a paused node's socket buffer holds so much; later packets drop */

static bool is_packet(const struct engine_event *ev)
{
	return ev->class == CLASS_ARRIVE || ev->class == CLASS_DELIVER || ev->class == CLASS_LATE || ev->class == CLASS_FRAME;
}

/* True if @ev was put off, or lost, because the host stands still. */
static bool stalled(struct shard *s, struct lane *l, struct host *h, const struct engine_event *ev)
{
	int64_t until_ns = h->odd->until_ns;

	if (ev->class == CLASS_CHURN || ev->class == CLASS_FAULT || ev->class == CLASS_WAKE ||
	    ev->class == CLASS_GRACE)
		return false;
	if (h->state == HOST_PAUSED)
		s->touched[h->odd->stall]++;
	if (is_packet(ev) && (h->state == HOST_ASLEEP || lane_now(l) - h->odd->since_ns > SOCKET_NS)) {
		s->strays++;
		return true;
	}
	if (until_ns == NEVER_NS)
		return true;
	if (ev->class == ENGINE_ALARM)
		engine_alarm(l, ev->dst, until_ns);
	else
		engine_post(l, ev->dst, ev->dst, ev->class == CLASS_ARRIVE ? CLASS_DELIVER : ev->class,
			    until_ns, ev->payload);
	return true;
}

/* A slow node gets to its alarm when what it is at is done. */
static bool busy(struct shard *s, struct lane *l, struct host *h, const struct engine_event *ev)
{
	if (!h->odd || !h->odd->slow_ns || h->odd->busy_ns <= lane_now(l))
		return false;
	s->touched[h->odd->slow]++;
	engine_alarm(l, ev->dst, h->odd->busy_ns);
	return true;
}

void handle_event(void *world, struct lane *l, const struct engine_event *ev)
{
	struct world *w = world;
	struct shard *s = &w->shard[lane_shard(l)];
	struct host *h;
	struct event timer = { .kind = EVENT_TIMER };

	if (ev->dst >= w->hosts) {
		guests_event(s, l, ev);
		return;
	}
	h = &w->host[ev->dst];

	if ((h->state == HOST_PAUSED || h->state == HOST_ASLEEP) && stalled(s, l, h, ev))
		return;
	switch (ev->class) {
	case CLASS_ARRIVE:
		transit_arrive(s, l, h, ev);
		break;
	case CLASS_DELIVER:
	case CLASS_LATE:
		transit_deliver(s, l, h, ev);
		break;
	case ENGINE_ALARM:
		if (host_is_running(h) && !busy(s, l, h, ev))
			host_step(s, l, h, &timer, 1);
		break;
	case CLASS_SAVED:
		disk_written(s, l, h, ev->payload);
		break;
	case CLASS_ASK:
		lookups_event(s, l, h, ev->at_ns);
		break;
	case CLASS_CHURN:
		churn_event(s, l, h, ev->at_ns);
		break;
	case CLASS_FAULT:
		faults_order(s, l, h, ev->payload);
		break;
	case CLASS_WAKE:
		host_wake(s, l, h);
		break;
	case CLASS_GRACE:
		host_grace(s, l, h, ev->payload);
		break;
	case CLASS_HOURLY:
		host_hourly(s, l, h, ev->payload);
		break;
	case CLASS_TOO_BIG:
		transit_too_big(s, l, h, ev->payload);
		break;
	case CLASS_FRAME:
		guests_tap(s, l, h, ev->payload);
		break;
	case CLASS_REPLAY:
		guests_replay(s, l, h, ev->payload);
		break;
	case CLASS_LEASE:
		leases_event(s, l, h, ev->payload);
		break;
	case CLASS_CAST:
		casts_event(s, l, h, ev->payload);
		break;
	}
}

void handle_warm(void *world, uint32_t object)
{
	const struct world *w = world;
	const struct host *h = &w->host[object];

	if (object >= w->hosts)
		return;
	__builtin_prefetch(h);
	__builtin_prefetch((const char *)h + 64);
	if (h->node)
		__builtin_prefetch(h->node);
}
