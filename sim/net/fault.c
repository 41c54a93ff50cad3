/*
 * fault.c - partitions, cuts and harm, and whom they touched
 *
 * Whether an interface is in a group, or harmed, is worked out once for all
 * that exist when the fault starts and drawn again for those that come later,
 * by the same rule.
 */
#include "sim/net/fault.h"

#include <assert.h>
#include <string.h>

#include "sim/net/inside.h"

enum { AFFLICTED_FROM, AFFLICTED_TO };

static struct fault_state *fault_at(const struct net *net, uint32_t number)
{
	assert(number < net->faults->len);
	return &g_array_index(net->faults, struct fault_state, number);
}

static uint32_t stream_of(uint32_t number, unsigned which)
{
	return (uint32_t)STREAM_FAULT + 2 * number + which;
}

void net_faults_init(struct net *net)
{
	net->faults = g_array_new(FALSE, TRUE, sizeof(struct fault_state));
	net->active = g_array_new(FALSE, FALSE, sizeof(uint32_t));
}

void net_faults_done(struct net *net)
{
	for (guint i = 0; i < net->faults->len; i++)
		g_free(fault_at(net, i)->of);
	g_array_free(net->faults, TRUE);
	g_array_free(net->active, TRUE);
}

static struct fault_state *fault_add(struct net *net, enum fault_shape shape)
{
	struct fault_state f = { .shape = shape, .number = net->faults->len };

	assert(f.number < 0x8000);		/* two streams each, apart from STREAM_NET's */
	g_array_append_val(net->faults, f);
	g_array_append_val(net->active, f.number);
	for (unsigned lane = 0; lane < net->c.lanes; lane++) {
		struct tally *t = &net->tally[lane];

		t->touched = g_renew(uint64_t, t->touched, net->faults->len);
		t->touched[f.number] = 0;
	}
	return fault_at(net, f.number);
}

static net_fault handle(const struct fault_state *f)
{
	return (net_fault){ f->number };
}

/* -- partitions -------------------------------------------------------------------------------- */

static uint8_t group_drawn(const struct net *net, const struct fault_state *f, uint32_t iface)
{
	const struct net_partition *p = &f->partition;
	uint64_t sum = 0, at;
	unsigned g;

	for (g = 0; g < p->groups; g++)
		sum += p->share_ppb[g];
	if (!sum)
		return 0;
	at = net_below(chance_draw(net->c.seed, iface, stream_of(f->number, 0), 0), sum);
	for (g = 0; at >= p->share_ppb[g]; g++)
		at -= p->share_ppb[g];
	return (uint8_t)g;
}

static unsigned group_of(const struct net *net, const struct fault_state *f, uint32_t iface)
{
	return iface < f->count ? f->of[iface] : group_drawn(net, f, iface);
}

net_fault net_fault_partition(struct net *net, const struct net_partition *p)
{
	struct fault_state *f;
	uint64_t sum = 0;

	assert(p->groups >= 2 && p->groups <= NET_GROUPS_MAX);
	for (unsigned g = 0; g < p->groups; g++)
		sum += p->share_ppb[g];
	assert(sum || p->group);
	f = fault_add(net, FAULT_PARTITION_OF);
	f->partition = *p;
	f->partition.group = NULL;		/* it was borrowed */
	f->count = net->ifaces;
	f->of = g_new(uint8_t, f->count ? f->count : 1);
	for (uint32_t i = 0; i < f->count; i++) {
		bool told = p->group && i < p->count;

		assert(!told || p->group[i] < p->groups);
		f->of[i] = told ? p->group[i] : group_drawn(net, f, i);
	}
	return handle(f);
}

unsigned net_fault_group(const struct net *net, net_fault f, uint32_t iface)
{
	const struct fault_state *s = fault_at(net, f.number);

	assert(s->shape == FAULT_PARTITION_OF && net_fault_active(net, f));
	return group_of(net, s, iface);
}

static bool partition_stops(const struct net *net, const struct fault_state *f, uint32_t from,
			    uint32_t to)
{
	unsigned a = group_of(net, f, from), b = group_of(net, f, to);

	return f->partition.one_way ? a > b : a != b;
}

/* -- cuts -------------------------------------------------------------------------------------- */

net_fault net_fault_cut(struct net *net, const struct net_cut *c)
{
	struct fault_state *f;

	assert(c->region < net_regions(net));
	assert(!c->from_one || (c->other < net_regions(net) && c->other != c->region));
	f = fault_add(net, FAULT_CUT_OFF);
	f->cut = *c;
	return handle(f);
}

static bool cut_one_way(const struct net_cut *c, unsigned from, unsigned to)
{
	return to == c->region && (c->from_one ? from == c->other : from != c->region);
}

static bool cut_stops(const struct net *net, const struct net_cut *c, uint32_t from, uint32_t to)
{
	unsigned a = net->place[from].region, b = net->place[to].region;

	return cut_one_way(c, a, b) || (!c->one_way && cut_one_way(c, b, a));
}

/* -- harm -------------------------------------------------------------------------------------- */

static bool harm_drawn(const struct net *net, const struct fault_state *f, uint32_t iface)
{
	return !f->listed && net_hit(net, iface, stream_of(f->number, 0), 0, f->harm.share_ppb);
}

static bool harms(const struct net *net, const struct fault_state *f, uint32_t iface)
{
	return iface < f->count ? f->of[iface] : harm_drawn(net, f, iface);
}

net_fault net_fault_harm(struct net *net, const struct net_harm *h)
{
	struct fault_state *f = fault_add(net, FAULT_HARM_TO);

	assert(h->share_ppb <= NET_PPB && h->loss_ppb <= NET_PPB);
	assert(h->delay_ns >= 0 && h->slow_milli <= 1000000);
	assert(!h->slow_milli || h->slow_milli >= 1000);
	f->harm = *h;
	f->harm.iface = NULL;
	f->listed = h->iface;
	f->count = net->ifaces;
	f->of = g_new0(uint8_t, f->count ? f->count : 1);
	for (uint32_t i = 0; i < f->count; i++)
		f->of[i] = harm_drawn(net, f, i);
	for (uint32_t i = 0; h->iface && i < h->count; i++) {
		assert(h->iface[i] < f->count);
		f->of[h->iface[i]] = 1;
	}
	return handle(f);
}

bool net_fault_harmed(const struct net *net, net_fault f, uint32_t iface)
{
	const struct fault_state *s = fault_at(net, f.number);

	assert(s->shape == FAULT_HARM_TO && net_fault_active(net, f));
	return harms(net, s, iface);
}

/* One afflicted interface is passed; true if the packet is lost there. */
static bool pass_harmed(const struct net *net, const struct fault_state *f, uint32_t from,
			unsigned which, uint64_t count, struct judgement *j)
{
	const struct net_harm *h = &f->harm;

	if (net_hit(net, from, stream_of(f->number, 1), count << 8 | which, h->loss_ppb))
		return true;
	j->delay_ns += h->delay_ns;
	if (h->slow_milli)
		j->slow_milli = (uint64_t)((net_u128)j->slow_milli * h->slow_milli / 1000);
	return false;
}

static bool harm_takes(const struct net *net, const struct fault_state *f, uint32_t from,
		       uint32_t to, uint64_t count, struct judgement *j, uint64_t *touched)
{
	bool afflicted_from = harms(net, f, from);
	bool afflicted_to = !f->harm.one_way && harms(net, f, to);
	bool lost = (afflicted_from && pass_harmed(net, f, from, AFFLICTED_FROM, count, j)) ||
		    (afflicted_to && pass_harmed(net, f, from, AFFLICTED_TO, count, j));

	*touched += lost || ((afflicted_from || afflicted_to) &&
			     (f->harm.delay_ns || f->harm.slow_milli > 1000));
	return lost;
}

/* -- all --------------------------------------------------------------------------------------- */

void net_faults_judge(struct net *net, struct tally *t, uint32_t from, uint32_t to, uint64_t count,
		  struct judgement *j)
{
	for (guint i = 0; i < net->active->len; i++) {
		const struct fault_state *f = fault_at(net, g_array_index(net->active, uint32_t, i));
		uint64_t *touched = &t->touched[f->number];

		switch (f->shape) {
		case FAULT_PARTITION_OF:
			if (partition_stops(net, f, from, to)) {
				j->drop = NET_DROP_PARTITION;
				++*touched;
			}
			break;
		case FAULT_CUT_OFF:
			if (cut_stops(net, &f->cut, from, to)) {
				j->drop = NET_DROP_CUT;
				++*touched;
			}
			break;
		case FAULT_HARM_TO:
			if (harm_takes(net, f, from, to, count, j, touched))
				j->drop = NET_DROP_HARM;
			break;
		}
		if (j->drop != NET_DROP_NONE)
			return;
	}
}

bool net_fault_passes(const struct net *net, uint32_t from, uint32_t to)
{
	assert(from < net->ifaces && to < net->ifaces);
	for (guint i = 0; from != to && i < net->active->len; i++) {
		const struct fault_state *f = fault_at(net, g_array_index(net->active, uint32_t, i));

		if (f->shape == FAULT_PARTITION_OF && partition_stops(net, f, from, to))
			return false;
		if (f->shape == FAULT_CUT_OFF && cut_stops(net, &f->cut, from, to))
			return false;
	}
	return true;
}

bool net_fault_active(const struct net *net, net_fault f)
{
	for (guint i = 0; i < net->active->len; i++)
		if (g_array_index(net->active, uint32_t, i) == f.number)
			return true;
	return false;
}

void net_fault_stop(struct net *net, net_fault f)
{
	struct fault_state *s = fault_at(net, f.number);

	for (guint i = 0; i < net->active->len; i++)
		if (g_array_index(net->active, uint32_t, i) == f.number) {
			g_array_remove_index(net->active, i);
			break;
		}
	g_free(s->of);
	s->of = NULL;
	s->count = 0;
}

uint64_t net_fault_touched(const struct net *net, net_fault f)
{
	uint64_t sum = 0;

	assert(f.number < net->faults->len);
	for (unsigned lane = 0; lane < net->c.lanes; lane++)
		sum += net->tally[lane].touched[f.number];
	return sum;
}
