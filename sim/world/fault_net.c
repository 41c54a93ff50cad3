/* Faults of the underlay: handed to sim/net, and what they mean for who can reach whom. */
#include "sim/world/faults.h"

static bool divides(const struct fault_run *r)
{
	return r->begun && !r->ended &&
	       (r->fault->kind == FAULT_PARTITION || r->fault->kind == FAULT_CUT);
}

static uint8_t side(const struct world *w, const struct fault_run *r, uint32_t host)
{
	if (r->fault->kind == FAULT_PARTITION)
		return (uint8_t)net_fault_group(w->net, r->net, host);
	return net_region(w->net, host) == (unsigned)r->fault->region;
}

/* Hosts on the same side of everything that divides lie in one part. */
static void divide(struct world *w)
{
	uint32_t *part = NULL;
	uint8_t *sides = NULL;

	for (unsigned i = 1; i <= w->faults->count; i++) {
		const struct fault_run *r = &w->faults->run[i];

		if (!divides(r))
			continue;
		if (!part) {
			part = g_new0(uint32_t, w->hosts);
			sides = g_new(uint8_t, w->hosts);
		}
		for (uint32_t h = 0; h < w->hosts; h++)
			sides[h] = side(w, r, h);
		parts_refine(part, w->hosts, sides);
	}
	parts_begin(w->parts, engine_now(w->engine), part);
	g_free(part);
	g_free(sides);
}

static void partition(struct world *w, struct fault_run *r)
{
	const struct fault *f = r->fault;
	struct net_partition p = { .groups = f->groups.count, .one_way = f->direction == FAULT_ONE_WAY };

	for (unsigned i = 0; i < p.groups; i++)
		p.share_ppb[i] = (uint32_t)f->groups.value[i];
	r->net = net_fault_partition(w->net, &p);
}

static void harm(struct world *w, struct fault_run *r)
{
	const struct fault *f = r->fault;
	struct net_harm h = { .iface = r->victim, .count = r->victims,
			      .one_way = f->direction == FAULT_ONE_WAY };

	if (f->kind == FAULT_LOSS)
		h.loss_ppb = f->loss_ppb;
	else
		h.delay_ns = f->delay_ns;
	if (r->victims)
		r->net = net_fault_harm(w->net, &h);
}

void fault_net_begin(struct world *w, struct fault_run *r)
{
	const struct fault *f = r->fault;

	switch ((enum fault_kind)f->kind) {
	case FAULT_PARTITION:
		partition(w, r);
		divide(w);
		break;
	case FAULT_CUT:
		r->net = net_fault_cut(w->net, &(struct net_cut){
			.region = (unsigned)f->region, .one_way = f->direction == FAULT_ONE_WAY });
		divide(w);
		break;
	default:
		harm(w, r);
		break;
	}
}

void fault_net_end(struct world *w, struct fault_run *r)
{
	if (net_fault_valid(r->net))
		net_fault_stop(w->net, r->net);
	if (r->fault->kind == FAULT_PARTITION || r->fault->kind == FAULT_CUT)
		divide(w);
}

char *fault_net_text(const struct fault *f)
{
	GString *t = g_string_new(NULL);
	char buf[UNIT_TEXT_LEN];

	for (unsigned i = 0; f->kind == FAULT_PARTITION && i < f->groups.count; i++)
		g_string_append_printf(t, "%s%s", i ? ":" : "", share_text((uint32_t)f->groups.value[i], buf));
	if (f->kind == FAULT_CUT)
		g_string_append_printf(t, "region %d", (int)f->region);
	else if (f->share_ppb)
		g_string_append(t, share_text(f->share_ppb, buf));
	else if (f->count)
		g_string_append_printf(t, "%d nodes", (int)f->count);
	if (f->direction == FAULT_ONE_WAY)
		g_string_append(t, ", one way");
	return g_string_free(t, FALSE);
}
