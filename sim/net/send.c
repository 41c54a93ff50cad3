/*
 * send.c - what a packet meets on its way
 *
 * Leaving: the interface (up? its address? its MTU), the uplink's queue, the
 * address (whose?), faults, pairs apart, the path's MTU, loss for each
 * fragment, then the path's latency; a copy may come of it, be held back, or be
 * damaged. Arriving: the interface again, and the downlink's queue.
 *
 * A link is a server of fixed rate: the queue is the time until it is free. A
 * packet is taken if the link is idle, or if what waits, what is being sent
 * and the packet together are not more than the bound. Transmission times are
 * rounded up to a nanosecond.
 */
#include <assert.h>

#include "sim/net/inside.h"

enum { FRAGMENT_UNIT = 8, IP_V6_FRAGMENT_BYTES = 48 };

static bool is_v6(const struct packet *p)
{
	return p->destination.kind == ENDPOINT_UDP6;
}

static unsigned fragments(const struct packet *p, uint32_t mtu)
{
	uint32_t header = is_v6(p) ? IP_V6_FRAGMENT_BYTES : IP_V4_BYTES;
	uint32_t room = (mtu - header) / FRAGMENT_UNIT * FRAGMENT_UNIT;

	return p->ip_len <= mtu ? 1 : (p->ip_len - header + room - 1) / room;
}

static uint32_t wire_bytes(const struct packet *p, unsigned pieces)
{
	return p->ip_len + (pieces - 1) * (is_v6(p) ? IP_V6_FRAGMENT_BYTES : IP_V4_BYTES);
}

/* Queue @bytes at a link. *done_ns is when the last of them has left; false if they do not fit. */
static bool transmit(uint64_t bps, int64_t queue_ns, uint32_t bytes, int64_t now_ns,
		     int64_t *free_ns, int64_t *done_ns, uint64_t *queued)
{
	int64_t start = *free_ns > now_ns ? *free_ns : now_ns, took;

	if (!bps) {
		*done_ns = now_ns;
		return true;
	}
	took = (int64_t)((bytes * NET_BYTE_NS + bps - 1) / bps);
	if (start > now_ns) {
		if (start - now_ns + took > queue_ns)
			return false;
		++*queued;
	}
	*free_ns = *done_ns = start + took;
	return true;
}

static bool reaches(const struct net *net, uint32_t from, uint32_t to)
{
	uint32_t share = net->c.non_transitive_ppb;

	return !share || net_below(net_pair_draw(net, STREAM_REACH, from, to), NET_PPB) >= share;
}

static const struct net_pair *pair_of(const struct net *net, uint32_t from, uint32_t to)
{
	uint64_t key = (uint64_t)from << 32 | to;

	return net->place[from].flags & PLACE_PAIRED ? g_hash_table_lookup(net->pairs, &key) : NULL;
}

bool net_can_talk(const struct net *net, uint32_t from, uint32_t to)
{
	const struct net_pair *pair;

	assert(from < net->ifaces && to < net->ifaces);
	pair = pair_of(net, from, to);
	return from == to || (!(pair && pair->cut) && reaches(net, from, to));
}

/* One step of the chain for fragment @counter; the state before it decides. */
static bool burst_takes(const struct net *net, uint32_t iface, struct port *port, uint64_t counter)
{
	bool lost;

	if (!port->chained) {			/* begin as if it had run for ever */
		port->chained = true;
		port->bursting = net_hit(net, iface, STREAM_LOSS, 0, net->start_bad_ppb);
	}
	lost = port->bursting;
	port->bursting = lost ? !net_hit(net, iface, STREAM_BURST, counter, net->bad_good_ppb) :
				net_hit(net, iface, STREAM_BURST, counter, net->good_bad_ppb);
	return lost;
}

/* All fragments must come through; the chain sees each of them. */
static enum net_drop lost_on_path(const struct net *net, uint32_t iface, struct port *port,
				  uint64_t count, unsigned pieces, const struct net_pair *pair)
{
	enum net_drop drop = NET_DROP_NONE;

	for (unsigned i = 0; i < pieces; i++) {
		uint64_t counter = count << 8 | i;

		if (net->start_bad_ppb) {
			if (burst_takes(net, iface, port, counter))
				drop = NET_DROP_BURST;
		} else if (net_hit(net, iface, STREAM_LOSS, counter, net->c.loss_ppb)) {
			drop = NET_DROP_LOSS;
		}
		if (pair && net_hit(net, iface, STREAM_PAIR_LOSS, counter, pair->loss_ppb))
			drop = NET_DROP_LOSS;
	}
	return drop;
}

static void make_copy(const struct net *net, struct tally *t, uint32_t iface, uint64_t counter,
		      const struct packet *p, int64_t arrive_ns, struct net_copy *copy)
{
	copy->arrive_ns = arrive_ns;
	copy->flip = NET_INTACT;
	if (net_hit(net, iface, STREAM_REORDER, counter, net->c.reorder_ppb)) {
		copy->arrive_ns += net->c.reorder_by_ns;
		t->marked[NET_MARK_REORDERED]++;
	}
	if (p->len && net_hit(net, iface, STREAM_CORRUPT, counter, net->c.corrupt_ppb)) {
		copy->flip = (uint32_t)net_below(chance_draw(net->c.seed, iface, STREAM_BIT, counter),
						 8 * (uint64_t)p->len);
		t->marked[NET_MARK_CORRUPTED]++;
	}
}

/* The second copy went another way: it comes up to a quarter of the latency later. */
static void make_copies(const struct net *net, struct tally *t, uint32_t iface, uint64_t count,
			const struct packet *p, int64_t left_ns, int64_t latency_ns,
			struct net_verdict *v)
{
	uint64_t counter = count << 8;
	int64_t late;

	make_copy(net, t, iface, counter, p, left_ns + latency_ns, &v->copy[0]);
	v->copies = 1;
	if (!net_hit(net, iface, STREAM_DUPLICATE, counter, net->c.duplicate_ppb))
		return;
	late = (int64_t)net_below(chance_draw(net->c.seed, iface, STREAM_LATE, counter),
				  (uint64_t)latency_ns / 4 + 1);
	make_copy(net, t, iface, counter | 1, p, left_ns + latency_ns + late, &v->copy[1]);
	v->copies = 2;
	t->marked[NET_MARK_DUPLICATED]++;
	if (v->copy[1].arrive_ns < v->copy[0].arrive_ns) {
		struct net_copy swap = v->copy[0];

		v->copy[0] = v->copy[1];
		v->copy[1] = swap;
	}
}

/* The path's own limit, then that of both ends and of the pair. */
static uint32_t path_mtu(const struct net *net, uint32_t from, uint32_t to,
			 const struct net_pair *pair)
{
	uint32_t mtu = net->c.mtu;

	mtu = MIN(mtu, net->place[from].mtu);
	mtu = MIN(mtu, net->place[to].mtu);
	return pair && pair->mtu ? MIN(mtu, pair->mtu) : mtu;
}

static enum net_drop too_big(struct net_verdict *v, uint32_t mtu, int64_t heard_ns)
{
	v->mtu = mtu;
	v->too_big_ns = heard_ns;
	return NET_DROP_TOO_BIG;
}

static enum net_drop cross(struct net *net, struct tally *t, uint32_t iface, uint64_t count,
			   const struct packet *p, int64_t left_ns, struct net_verdict *v)
{
	struct judgement j = { .slow_milli = 1000 };
	const struct net_pair *pair;
	enum net_drop drop;
	unsigned pieces;
	uint32_t mtu;
	int64_t latency;
	bool jittered;

	net_faults_judge(net, t, iface, v->to, count, &j);
	if (j.drop != NET_DROP_NONE)
		return j.drop;
	pair = pair_of(net, iface, v->to);
	if ((pair && pair->cut) || !reaches(net, iface, v->to))
		return NET_DROP_UNREACHABLE;
	mtu = path_mtu(net, iface, v->to, pair);
	if (p->ip_len > mtu && (p->df || (is_v6(p) && mtu < net->place[iface].mtu)))
		/* a router half way says so: there and back */
		return too_big(v, mtu, left_ns + net_latency(net, iface, v->to));
	pieces = fragments(p, mtu);
	t->marked[NET_MARK_FRAGMENTED] += pieces > 1;
	drop = lost_on_path(net, iface, &net->port[iface], count, pieces, pair);
	if (drop != NET_DROP_NONE)
		return drop;
	latency = net_latency_at(net, iface, v->to, left_ns, j.slow_milli, &jittered) + j.delay_ns;
	t->marked[NET_MARK_JITTERED] += jittered;
	make_copies(net, t, iface, count, p, left_ns, latency, v);
	return NET_DROP_NONE;
}

static enum net_drop depart(struct net *net, struct tally *t, uint32_t iface,
			    const struct packet *p, int64_t now_ns, struct net_verdict *v)
{
	const struct place *place = &net->place[iface];
	const struct link *link = &g_array_index(net->links, struct link, place->link);
	struct port *port = &net->port[iface];
	uint64_t count = port->sent++;
	int64_t left_ns;

	if (port->down)
		return NET_DROP_DOWN;
	if (!net_address_owned(net, iface, &p->source))
		return NET_DROP_SOURCE;
	v->to = net_address_owner(net, &p->destination);
	if (v->to == iface) {			/* never leaves the machine */
		v->copy[0] = (struct net_copy){ now_ns + net->c.floor_ns, NET_INTACT };
		v->copies = 1;
		return NET_DROP_NONE;
	}
	if (p->ip_len > place->mtu && p->df)
		return too_big(v, place->mtu, now_ns);
	if (!transmit(link->up_bps, link->up_queue_ns, wire_bytes(p, fragments(p, place->mtu)),
		      now_ns, &port->up_free_ns, &left_ns, &t->marked[NET_MARK_QUEUED]))
		return NET_DROP_UP_FULL;
	if (v->to == NET_NOBODY || p->source.kind != p->destination.kind)
		return NET_DROP_NO_ROUTE;
	return cross(net, t, iface, count, p, left_ns, v);
}

void net_depart(struct net *net, unsigned lane, uint32_t iface, const struct packet *p,
		int64_t now_ns, struct net_verdict *v)
{
	struct tally *t = &net->tally[lane];

	assert(lane < net->c.lanes && iface < net->ifaces && now_ns >= 0);
	assert(p->ip_len <= IP_BYTES_MAX && p->len <= p->ip_len);
	*v = (struct net_verdict){ .to = NET_NOBODY };
	t->marked[NET_MARK_SENT]++;
	t->marked[NET_MARK_SENT_BYTES] += p->ip_len;
	v->drop = depart(net, t, iface, p, now_ns, v);
	if (v->drop != NET_DROP_NONE)
		t->dropped[v->drop]++;
}

enum net_drop net_arrive(struct net *net, unsigned lane, uint32_t iface, const struct packet *p,
			 int64_t now_ns, int64_t *deliver_ns)
{
	struct tally *t = &net->tally[lane];
	const struct link *link;
	struct port *port;
	int64_t done_ns;

	assert(lane < net->c.lanes && iface < net->ifaces && now_ns >= 0);
	port = &net->port[iface];
	link = &g_array_index(net->links, struct link, net->place[iface].link);
	if (port->down || !net_address_owned(net, iface, &p->destination)) {
		t->dropped[NET_DROP_GONE]++;
		return NET_DROP_GONE;
	}
	if (net_address_owned(net, iface, &p->source)) {
		done_ns = now_ns;		/* from itself: no link is passed */
	} else if (!transmit(link->down_bps, link->down_queue_ns, p->ip_len, now_ns,
			     &port->down_free_ns, &done_ns, &t->marked[NET_MARK_QUEUED])) {
		t->dropped[NET_DROP_DOWN_FULL]++;
		return NET_DROP_DOWN_FULL;
	}
	t->marked[NET_MARK_ARRIVED]++;
	t->marked[NET_MARK_ARRIVED_BYTES] += p->ip_len;
	*deliver_ns = done_ns;
	return NET_DROP_NONE;
}

void net_flip(uint8_t *payload, uint32_t len, uint32_t flip)
{
	if (flip < 8 * (uint64_t)len)
		payload[flip / 8] ^= (uint8_t)(1u << flip % 8);
}
