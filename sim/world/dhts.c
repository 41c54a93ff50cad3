/*
 * dhts.c - what nodes say of their part in the DHT, added up
 *
 * A node's counters die with it: what it had counted is kept in its shard, so
 * that counters of the run only grow.
 */
#include "sim/world/inside.h"

/* id, name, text: counters of struct dht_account */
#define COUNT_LIST(X)										\
	X(views_installed,	"dht.views", "views of slots installed")			\
	X(majorities_lost,	"dht.majorities_lost", "views seen to have lost their majority")	\
	X(births,		"dht.births", "first views of slots")				\
	X(handovers,		"dht.handovers", "slots handed over by nodes that left")	\
	X(rejoins,		"dht.rejoins", "members that vote again after a restart")	\
	X(rejoins_refused,	"dht.rejoins_refused", "members that came back without a vote")

void dhts_catalog(struct world *w)
{
	int *m = w->m_dht;

	if (!w->scenario->network.count)
		return;
#define X(id, name, text) *m++ = catalog_add(w->catalog, METRIC_COUNTER, UNIT_NUMBER, M_NONE, name, text);
	COUNT_LIST(X)
#undef X
	w->m_dht_rate = catalog_add(w->catalog, METRIC_RATIO, UNIT_PER_S, M_NODES_TIME, "dht.views_per_node_s",
				    "views installed per node and second");
	catalog_derive(w->catalog, w->m_dht_rate, w->m_dht[0]);
	w->m_dht_bytes = catalog_add(w->catalog, METRIC_GAUGE, UNIT_BYTES, M_NONE, "dht.node_bytes",
				     "mean memory of a node's part in the DHT");
	w->m_dht_record = catalog_add(w->catalog, METRIC_GAUGE, UNIT_BYTES, M_NONE, "dht.record_bytes",
				      "that memory over the records kept, at all nodes");
	w->m_dht_slots = catalog_add(w->catalog, METRIC_GAUGE, UNIT_NUMBER, M_NONE, "dht.slots",
				     "slots kept, once for each node that keeps them");
	w->m_dht_records = catalog_add(w->catalog, METRIC_GAUGE, UNIT_NUMBER, M_NONE, "dht.records",
				       "records kept, once for each node that keeps them");
	w->m_dht_held = catalog_add(w->catalog, METRIC_GAUGE, UNIT_NUMBER, M_NONE, "dht.held",
				    "leases nodes hold or ask for");
}

static void add(struct dht_account *to, const struct dht_account *a)
{
#define X(id, name, text) to->id += a->id;
	COUNT_LIST(X)
#undef X
}

void dhts_ended(struct shard *s, const struct host *h)
{
	struct dht_account a = { 0 };

	if (!s->world->scenario->network.count)
		return;
	node_dht_account(h->node, &a);
	add(&s->dht_gone, &a);
}

void dhts_row(struct world *w)
{
	struct metrics *m = w->shard[0].m;
	struct dht_account all = { 0 };
	uint64_t bytes = 0, slots = 0, records = 0, held = 0, nodes = 0;
	const int *id_of = w->m_dht;

	if (!w->scenario->network.count)
		return;
	for (unsigned i = 0; i < w->shards; i++)
		add(&all, &w->shard[i].dht_gone);
	for (uint32_t i = 0; i < w->hosts; i++) {
		struct dht_account a = { 0 };

		if (!w->host[i].node)
			continue;
		node_dht_account(w->host[i].node, &a);
		add(&all, &a);
		bytes += a.bytes;
		slots += a.slots;
		records += a.records;
		held += a.held;
		nodes++;
	}
#define X(id, name, text) metrics_add(m, *id_of++, (int64_t)(all.id - w->dht_told.id));
	COUNT_LIST(X)
#undef X
	w->dht_told = all;
	metrics_set(m, w->m_dht_bytes, nodes ? (int64_t)(bytes / nodes) : 0);
	metrics_set(m, w->m_dht_record, records ? (int64_t)(bytes / records) : 0);
	metrics_set(m, w->m_dht_slots, (int64_t)slots);
	metrics_set(m, w->m_dht_records, (int64_t)records);
	metrics_set(m, w->m_dht_held, (int64_t)held);
}
