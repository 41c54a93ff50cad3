/* Bytes: what each node spent on keeping the overlay up, and which messages they were. */
#include <string.h>

#include "sim/world/inside.h"

static const char *const DROP_NAME[DROP_COUNT] = {
#define X(name, text) [DROP_##name] = #name,
	DROP_LIST(X)
#undef X
};

static void add_drops(struct world *w)
{
	char *name[DROP_COUNT];

	for (unsigned i = 1; i < DROP_COUNT; i++)	/* 0 is none: accepted */
		name[i] = g_ascii_strdown(DROP_NAME[i], -1);
	w->m_drop = catalog_add_each(w->catalog, UNIT_NUMBER, "core.drop.", (const char *const *)name + 1,
				     DROP_COUNT - 1, "", "datagrams cores dropped for this reason");
	for (unsigned i = 1; i < DROP_COUNT; i++)
		g_free(name[i]);
}

void traffic_catalog(struct world *w)
{
	const char *kind[MESSAGE_KINDS], *drop[NET_DROPS];
	unsigned kinds = 0;

	for (unsigned i = 0; i < MESSAGE_KINDS; i++)
		if (message_text(i))
			kind[kinds++] = message_text(i);
	w->m_kind_packets = catalog_add_each(w->catalog, UNIT_NUMBER, "sent.packets.", kind, kinds, "",
					     "packets sent that carried this message");
	w->m_kind_bytes = catalog_add_each(w->catalog, UNIT_BYTES, "sent.", kind, kinds, "_bytes",
					   "their bytes, IP headers included");
	for (unsigned i = 1; i < NET_DROPS; i++)
		drop[i] = net_drop_name((enum net_drop)i);
	w->m_net_drop = catalog_add_each(w->catalog, UNIT_NUMBER, "net.drop.", drop + 1, NET_DROPS - 1, "",
					 "packets the underlay dropped for this reason");
	w->m_stray = catalog_add(w->catalog, METRIC_COUNTER, UNIT_NUMBER, M_NONE, "net.stray",
				 "packets that came to no node");
	add_drops(w);
}

/* What the kind's counters are of; kinds without a name have none. */
static void add_kinds(struct world *w, struct shard *s)
{
	int n = 0;

	for (unsigned i = 0; i < MESSAGE_KINDS; i++) {
		if (!message_text(i))
			continue;
		metrics_add(s->m, w->m_kind_packets + n, (int64_t)s->packets[i]);
		metrics_add(s->m, w->m_kind_bytes + n, (int64_t)s->bytes[i]);
		n++;
	}
	memset(s->packets, 0, sizeof(s->packets));
	memset(s->bytes, 0, sizeof(s->bytes));
}

static void add_core(struct world *w, struct shard *s)
{
	metrics_add(s->m, M_STEPS, (int64_t)(s->fx.steps - s->steps_told));
	s->steps_told = s->fx.steps;
	for (unsigned i = 1; i < DROP_COUNT; i++) {
		metrics_add(s->m, w->m_drop + (int)i - 1, (int64_t)(s->fx.drops[i] - s->drops_told[i]));
		s->drops_told[i] = s->fx.drops[i];
	}
	metrics_add(s->m, w->m_stray, (int64_t)(s->strays + s->late_drops));
	s->strays = s->late_drops = 0;
}

static void add_net(struct world *w)
{
	struct metrics *m = w->shard[0].m;
	struct engine_stats st;

	for (unsigned i = 1; i < NET_DROPS; i++) {
		uint64_t n = net_dropped(w->net, (enum net_drop)i);

		metrics_add(m, w->m_net_drop + (int)i - 1, (int64_t)(n - w->net_told[i]));
		w->net_told[i] = n;
	}
	for (unsigned i = 0; i < NET_MARKS; i++) {
		uint64_t n = net_marked(w->net, (enum net_mark)i);
		int64_t more = (int64_t)(n - w->marks_told[i]);

		if (i == NET_MARK_SENT)
			metrics_add(m, M_PACKETS, more);
		else if (i == NET_MARK_SENT_BYTES)
			metrics_add(m, M_PACKET_BYTES, more);
		else if (i == NET_MARK_ARRIVED)
			metrics_add(m, M_DELIVERED, more);
		w->marks_told[i] = n;
	}
	engine_stats(w->engine, &st);
	metrics_add(m, M_EVENTS, (int64_t)(st.handled - w->events_told));
	w->events_told = st.handled;
}

/* Bytes per second of each node that lived through the whole interval, in thousandths. */
static void add_nodes(struct world *w, int64_t now_ns, int64_t span_ns)
{
	for (uint32_t i = 0; i < w->hosts; i++) {
		struct host *h = &w->host[i];

		if (h->state != HOST_OFF && h->started_ns <= now_ns - span_ns)
			metrics_note(w->shard[0].m, M_MAINTENANCE,
				     (int64_t)((__int128)(h->sent + (uint64_t)h->got) * 1000 * NS_PER_S / span_ns));
		h->sent = h->got = 0;
	}
}

void traffic_row(struct world *w, int64_t now_ns, int64_t span_ns)
{
	for (unsigned i = 0; i < w->shards; i++) {
		add_kinds(w, &w->shard[i]);
		add_core(w, &w->shard[i]);
	}
	add_net(w);
	if (span_ns > 0)
		add_nodes(w, now_ns, span_ns);
}

uint64_t world_drops(const struct world *w, enum drop why)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < w->shards; i++)
		sum += w->shard[i].fx.drops[why];
	return sum;
}
