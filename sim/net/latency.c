/*
 * latency.c - how long a packet takes from one interface to another
 *
 * The base comes from the model: a constant, a table's entry, or a distance,
 * and the access delays of both ends. Asymmetry stretches it. What varies with
 * time is added to it: the jitter of the configuration (0 to jitter_ppb of the
 * base, uniform), that of a table of edges (uniform around the entry), or the
 * spread of a table of quartiles (a quartile at random, then uniform inside it,
 * as the makers of that data did).
 *
 * Variation is a function of (pair, time), not of the packet: time is cut into
 * epochs, each has a value, held for three quarters of the epoch and moved in a
 * straight line to the next one's during the last. Epochs are at least 67 ms
 * and at least 16 times the width of the variation, so it never falls by more
 * than a quarter of the time that passes: a packet sent later arrives later.
 * Probes further apart than an epoch see independent values. Epochs of
 * different pairs are not in step.
 */
#include <assert.h>

#include "sim/net/inside.h"
#include "sim/net/table_inside.h"

enum { EPOCH_SHIFT = 26, EPOCH_SHIFT_MAX = 40 };	/* 67 ms; 18 minutes */

/** struct path - base and what varies around it */
struct path {
	int64_t ns;
	uint32_t swing_ns;
	const struct table_line *line;
};

static bool one_row(const struct net_table *t, const struct place *a, const struct place *b)
{
	return a->row == b->row && t->kind == KIND_MATRIX && !t->diagonal;
}

static int64_t of_table(const struct net *net, uint32_t from, uint32_t to, struct path *p)
{
	const struct net_table *t = net->c.table;
	const struct place *a = &net->place[from], *b = &net->place[to];
	size_t at;

	switch (t->kind) {
	case KIND_POINTS:
		return net_plane_ns(a->x_ns, a->y_ns, b->x_ns, b->y_ns);
	case KIND_SPREAD:
		p->line = net_table_line(t, a->row, b->row,
					net_pair_draw(net, STREAM_LINE, from, to));
		return p->line->quartile_ns[2];
	case KIND_MATRIX:
		break;
	}
	if (one_row(t, a, b))
		return net_table_near(t, a->row, net_pair_draw(net, STREAM_ROW, from, to));
	at = (size_t)a->row * t->rows + b->row;
	if (t->swing_ns)
		p->swing_ns = t->swing_ns[at];
	return t->ns[at];
}

static int64_t stretched(const struct net *net, uint32_t from, uint32_t to, int64_t ns)
{
	uint32_t most = net->c.asymmetry_ppb;
	int64_t f;

	if (!most)
		return ns;
	f = (int64_t)net_below(net_pair_draw(net, STREAM_ASYMMETRY, from, to), 2 * (uint64_t)most + 1)
	    - most;
	return (int64_t)((net_u128)ns * (uint64_t)((int64_t)NET_PPB + (from < to ? f : -f)) / NET_PPB);
}

static struct path path_of(const struct net *net, uint32_t from, uint32_t to)
{
	const struct place *a = &net->place[from], *b = &net->place[to];
	struct path p = { 0 };

	if (a->flags & PLACE_PAIRED) {
		uint64_t key = (uint64_t)from << 32 | to;
		const struct net_pair *pair = g_hash_table_lookup(net->pairs, &key);

		if (pair && pair->latency_ns) {
			p.ns = pair->latency_ns;
			return p;
		}
	}
	switch (net->c.path) {
	case NET_PATH_CONSTANT:
		p.ns = net->c.latency_ns;
		break;
	case NET_PATH_TABLE:
		p.ns = of_table(net, from, to, &p);
		break;
	case NET_PATH_SYNTHETIC:
		p.ns = net_plane_ns(a->x_ns, a->y_ns, b->x_ns, b->y_ns);
		break;
	}
	p.ns = stretched(net, from, to, p.ns + a->access_ns + b->access_ns);
	return p;
}

int64_t net_latency(const struct net *net, uint32_t from, uint32_t to)
{
	struct path p;

	assert(from < net->ifaces && to < net->ifaces);
	if (from == to)
		return net->c.floor_ns;
	p = path_of(net, from, to);
	return p.ns > net->c.floor_ns ? p.ns : net->c.floor_ns;
}

/* A quartile at random, then uniform inside it, relative to the median. */
static int64_t of_line(const struct table_line *l, uint64_t draw)
{
	unsigned q = (unsigned)(draw >> 62);
	uint32_t low = l->quartile_ns[q], width = l->quartile_ns[q + 1] - low;

	return (int64_t)low + (int64_t)net_below(draw << 2, (uint64_t)width + 1) -
	       l->quartile_ns[2];
}

struct variation {
	const struct net *net;
	const struct path *path;
	uint32_t from, to;
	uint64_t jitter_ns;
};

static int64_t value_of(const struct variation *v, uint64_t epoch)
{
	const struct net *net = v->net;
	uint64_t counter = (uint64_t)v->to << 32 | (uint32_t)epoch;
	int64_t ns = 0;

	if (v->jitter_ns)
		ns = (int64_t)net_below(chance_draw(net->c.seed, v->from, STREAM_JITTER, counter),
					v->jitter_ns + 1);
	if (v->path->line || v->path->swing_ns) {
		uint64_t draw = chance_draw(net->c.seed, v->from, STREAM_WANDER, counter);

		if (v->path->line)
			ns += of_line(v->path->line, draw);
		else
			ns += (int64_t)net_below(draw, 2 * (uint64_t)v->path->swing_ns + 1) -
			      v->path->swing_ns;
	}
	return ns;
}

static int64_t vary(const struct variation *v, uint64_t width, int64_t now_ns)
{
	uint64_t time = (uint64_t)now_ns, epoch, at, ramp;
	unsigned shift = EPOCH_SHIFT;
	int64_t value, next;

	while (shift < EPOCH_SHIFT_MAX && (uint64_t)1 << shift < 16 * width)
		shift++;
	time += ((uint64_t)v->from * 0x9e3779b97f4a7c15u ^ (uint64_t)v->to * 0xd2b74407b1ce6e93u)
		>> (64 - shift);		/* out of step with other pairs */
	epoch = time >> shift;
	at = time & (((uint64_t)1 << shift) - 1);
	ramp = (uint64_t)1 << (shift - 2);
	value = value_of(v, epoch);
	if (at <= 3 * ramp)
		return value;
	next = value_of(v, epoch + 1);
	return value + (int64_t)((__int128)(next - value) * (int64_t)(at - 3 * ramp) / (int64_t)ramp);
}

int64_t net_latency_at(const struct net *net, uint32_t from, uint32_t to, int64_t now_ns,
		   uint64_t slow_milli, bool *jittered)
{
	struct path p = path_of(net, from, to);
	struct variation v = { .net = net, .path = &p, .from = from, .to = to };
	uint64_t width;

	if (slow_milli != 1000)
		p.ns = (int64_t)((net_u128)p.ns * slow_milli / 1000);
	if (net->c.jitter_ppb)
		v.jitter_ns = (uint64_t)((net_u128)p.ns * net->c.jitter_ppb / NET_PPB);
	width = v.jitter_ns + 2 * (uint64_t)p.swing_ns;
	if (p.line)
		width += p.line->quartile_ns[4] - p.line->quartile_ns[0];
	*jittered = width;
	if (width)
		p.ns += vary(&v, width, now_ns);
	return p.ns > net->c.floor_ns ? p.ns : net->c.floor_ns;
}
