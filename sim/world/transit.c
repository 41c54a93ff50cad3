/*
 * A datagram becomes a packet for sim/net, which says when it comes where; its
 * bytes wait there as the payload of an engine event, are given to the node in
 * place, and go on in the same buffer when the downlink or a slow node makes
 * them wait. Nothing is allocated but that one payload from the lane's pool.
 */
#include <assert.h>
#include <string.h>

#include "sim/net/net.h"
#include "sim/world/inside.h"

#define SLOW_ROOM_NS	(2 * NS_PER_S)	/* what a slow node lets wait; more is dropped */

/* Lookups are the workload, everything else keeps the overlay up. */
static bool maintains(const struct world *w, unsigned kind)
{
	if (kind == MESSAGE_CAST || kind == MESSAGE_CAST_ACK)
		return !w->scenario->broadcasts.every_ns;
	if (kind == MESSAGE_ROUTE || kind == MESSAGE_ROUTE_ACK)
		return !w->scenario->lookups.every_ns;
	return true;
}

static void captured(const struct world *w, int64_t now_ns, const struct host *h, bool sent,
		     const struct endpoint *from, const struct endpoint *to, uint8_t ecn,
		     const uint8_t *data, uint32_t len)
{
	for (unsigned i = 0; i < w->captures; i++)
		if (w->capture[i].host == host_number(w, h))
			w->capture[i].fn(w->capture[i].ctx, now_ns, w->capture[i].host, sent,
					 from, to, ecn, data, len);
}

static void too_big(struct world *w, struct lane *l, uint32_t i, const struct host *h,
		    const struct endpoint *to, const struct net_verdict *v)
{
	struct too_big *t = engine_payload(l, sizeof(*t));
	unsigned headers = IP_UDP_BYTES + (to->kind == ENDPOINT_UDP6 ? IP_V6_BYTES : IP_V4_BYTES);

	*t = (struct too_big){ .incarnation = h->incarnation, .to = *to,
			       .mtu = (uint16_t)(v->mtu > headers ? v->mtu - headers : 0) };
	engine_post(l, i, i, CLASS_TOO_BIG, v->too_big_ns, t);
	(void)w;
}

static void send_one(struct shard *s, struct lane *l, struct host *h, const struct datagram *d,
		     const struct endpoint *from, const uint8_t *data, uint16_t len)
{
	struct world *w = s->world;
	uint32_t i = host_number(w, h);
	struct packet p = packet_udp(*from, d->to, data, len);
	struct net_verdict v;

	p.ecn = d->ecn;
	p.df = d->df;
	net_depart(w->net, s->number, i, &p, lane_now(l), &v);
	if (d->kind < MESSAGE_KINDS) {
		s->packets[d->kind]++;
		s->bytes[d->kind] += p.ip_len;
	}
	if (maintains(w, d->kind))
		h->sent += p.ip_len;
	if (h->flags & HOST_CAPTURED)
		captured(w, lane_now(l), h, true, from, &d->to, d->ecn, data, len);
	if (v.drop == NET_DROP_TOO_BIG)
		too_big(w, l, i, h, &d->to, &v);
	if (v.drop)
		return;
	for (unsigned k = 0; k < v.copies; k++) {
		struct parcel *parcel = engine_payload(l, (uint32_t)sizeof(*parcel) + len);

		*parcel = (struct parcel){ .from = *from, .to = d->to, .len = len,
					   .kind = d->kind, .ecn = d->ecn, .df = d->df };
		memcpy(parcel->data, data, len);
		net_flip(parcel->data, len, v.copy[k].flip);
		engine_post(l, i, v.to, CLASS_ARRIVE, v.copy[k].arrive_ns, parcel);
	}
}

void transit_send(struct shard *s, struct lane *l, struct host *h, const struct datagram *d)
{
	struct endpoint from = net_address(s->world->net, host_number(s->world, h),
					   (enum endpoint_kind)d->to.kind);

	if (from.kind == ENDPOINT_NONE)		/* no address of that family: no route */
		return;
	from.port = WORLD_PORT;
	if (!d->segment || d->len <= d->segment) {
		send_one(s, l, h, d, &from, d->data, d->len);
		return;
	}
	for (unsigned at = 0; at < d->len; at += d->segment)
		send_one(s, l, h, d, &from, d->data + at, (uint16_t)MIN(d->segment, d->len - at));
}

static struct packet packet_of(const struct parcel *p)
{
	struct packet k = packet_udp(p->from, p->to, p->data, p->len);

	k.ecn = p->ecn;
	k.df = p->df;
	return k;
}

/* The node gets @p now. */
static void hand_over(struct shard *s, struct lane *l, struct host *h, const struct parcel *p)
{
	struct event ev = { .kind = EVENT_DATAGRAM, .from = p->from, .ecn = p->ecn,
			    .data = { p->data, p->len } };

	if (h->flags & HOST_CAPTURED)
		captured(s->world, lane_now(l), h, false, &p->from, &p->to, p->ecn, p->data, p->len);
	if (maintains(s->world, p->kind))
		h->got += p->len + IP_UDP_BYTES +
			  (p->to.kind == ENDPOINT_UDP6 ? IP_V6_BYTES : IP_V4_BYTES);
	host_step(s, l, h, &ev, 1);
}

void transit_deliver(struct shard *s, struct lane *l, struct host *h, const struct engine_event *ev)
{
	const struct parcel *p = ev->payload;
	int64_t now_ns = lane_now(l);
	struct odd *odd = h->odd;

	if (!host_is_running(h) || p->to.port != WORLD_PORT) {
		s->strays++;
		return;
	}
	if (odd && odd->slow_ns && ev->class != CLASS_LATE) {
		int64_t at_ns = MAX(now_ns, odd->busy_ns) + odd->slow_ns;

		s->touched[odd->slow]++;
		if (at_ns - now_ns > SLOW_ROOM_NS) {
			s->late_drops++;
			return;
		}
		odd->busy_ns = at_ns;
		engine_post(l, ev->dst, ev->dst, CLASS_LATE, at_ns, ev->payload);
		return;
	}
	hand_over(s, l, h, p);
}

void transit_arrive(struct shard *s, struct lane *l, struct host *h, const struct engine_event *ev)
{
	struct packet p = packet_of(ev->payload);
	int64_t deliver_ns = lane_now(l);

	if (net_arrive(s->world->net, s->number, ev->dst, &p, lane_now(l), &deliver_ns))
		return;
	if (deliver_ns > lane_now(l))
		engine_post(l, ev->dst, ev->dst, CLASS_DELIVER, deliver_ns, ev->payload);
	else
		transit_deliver(s, l, h, ev);
}

void transit_too_big(struct shard *s, struct lane *l, struct host *h, const struct too_big *t)
{
	struct event ev = { .kind = EVENT_PATH_ERROR, .from = t->to };

	if (!host_is_running(h) || t->incarnation != h->incarnation)
		return;
	ev.path.mtu = t->mtu;
	host_step(s, l, h, &ev, 1);
}
