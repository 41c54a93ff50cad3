/* From the scenario's [net] to a network with one interface for each host. */
#include "sim/world/inside.h"

static enum table_format format_of(int32_t format)
{
	switch ((enum scenario_format)format) {
	case FORMAT_SQUARE:
		return TABLE_SQUARE;
	case FORMAT_EDGES:
		return TABLE_EDGES;
	case FORMAT_SPREAD:
		return TABLE_SPREAD;
	case FORMAT_POINTS:
		return TABLE_POINTS;
	case FORMAT_AUTO:
		break;
	}
	return TABLE_AUTO;
}

static bool load_table(struct world *w, struct fail *f)
{
	const struct scenario_net *n = &w->scenario->net;
	struct net_error why;

	if (!n->file || n->model == MODEL_CONSTANT)
		return true;
	w->table = net_table_load(n->file, format_of(n->format),
				  n->meaning == MEANING_RTT ? TABLE_RTT : TABLE_ONE_WAY, &why);
	if (!w->table)
		fail_add(f, "%s", why.text);
	return w->table != NULL;
}

static struct net_config config_of(const struct world *w)
{
	const struct scenario_net *n = &w->scenario->net;
	enum net_path path = n->model == MODEL_CONSTANT ? NET_PATH_CONSTANT :
			     w->table ? NET_PATH_TABLE : NET_PATH_SYNTHETIC;

	return (struct net_config){
		.seed = w->seed, .lanes = w->shards,
		.v4 = n->family != FAMILY_IPV6, .v6 = n->family != FAMILY_IPV4,
		.path = path, .table = w->table, .latency_ns = n->latency_ns,
		.floor_ns = n->floor_ns, .no_access_delay = dist_given(&n->access),
		.jitter_ppb = n->jitter_ppb, .asymmetry_ppb = n->asymmetry_ppb,
		.non_transitive_ppb = n->non_transitive_ppb,
		.loss_ppb = n->loss_ppb, .loss_burst = (uint32_t)n->loss_burst,
		.duplicate_ppb = n->duplicate_ppb, .reorder_ppb = n->reorder_ppb,
		.reorder_by_ns = n->reorder_by_ns, .corrupt_ppb = n->corrupt_ppb,
		.mtu = (uint32_t)n->mtu_bytes,
		.up_bps = (uint64_t)n->up_bit_s, .down_bps = (uint64_t)n->down_bit_s,
		.queue_bytes = (uint32_t)n->queue_bytes, .regions = (unsigned)n->regions,
	};
}

bool underlay_build(struct world *w, struct fail *f)
{
	const struct dist *access = &w->scenario->net.access;
	struct net_config c;
	struct net_error why;

	if (!load_table(w, f))
		return false;
	c = config_of(w);
	w->net = net_new(&c, &why);
	if (!w->net) {
		fail_add(f, "%s", why.text);
		return false;
	}
	for (uint32_t i = 0; i < w->hosts; i++) {
		struct net_iface_config iface = { 0 };
		uint32_t got;

		if (dist_given(access))
			iface.access_ns = MIN(NET_LATENCY_MAX_NS,
				dist_sample_ns(access, host_chance(w, i, STREAM_ACCESS, 0)));
		got = net_iface_add(w->net, &iface);
		g_assert(got == i);
		net_iface_up(w->net, i, false);
	}
	return true;
}
