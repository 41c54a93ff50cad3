/*
 * Putting a world together and letting time pass. Barriers at equal times go in
 * the order of their priorities: what faults end (-1), what they begin (0), what
 * the workload starts (10), the books (50), oracles (60), rows (90).
 */
#include "sim/world/world.h"

#include <string.h>

#include <sodium.h>

#include "sim/world/guests.h"
#include "sim/world/revokes.h"

enum { PRIORITY_SETTLE = 50, PRIORITY_EVERY = 60, PRIORITY_ROW = 90 };

/* -- making ------------------------------------------------------------------------------------- */

static bool shards_new(struct world *w, const struct world_setup *s, struct fail *f)
{
	struct engine_config c = { .world = w, .handle = handle_event, .warm = handle_warm };

	c.threads = s->threads ? s->threads : 1;
	w->shards = s->shards ? s->shards : (unsigned)w->scenario->run.shards;
	w->shards = MAX(w->shards, c.threads);
	if (w->shards > ENGINE_SHARDS) {
		fail_add(f, "run.shards = %u: too many; accepted: 1 to %d", w->shards, ENGINE_SHARDS);
		return false;
	}
	c.shards = w->shards;
	c.floor_ns = w->scenario->net.floor_ns;
	w->engine = engine_new(&c);
	w->shard = g_aligned_alloc0(w->shards, sizeof(struct shard), 128);
	for (unsigned i = 0; i < w->shards; i++) {
		struct shard *x = &w->shard[i];

		x->world = w;
		x->number = i;
		effects_init(&x->fx);
		x->disk = g_byte_array_new();
		x->touched = g_new0(uint64_t, faults_count(w) + 1);
	}
	return true;
}

static void hosts_new(struct world *w)
{
	w->host = g_new0(struct host, w->hosts);
	w->newcomer = g_new0(struct newcomer, w->hosts);
	for (uint32_t i = 0; i < w->hosts; i++) {
		struct host *h = &w->host[i];
		uint32_t object = engine_object(w->engine, guests_site(w, i));
		struct lane *l = engine_lane(w->engine, object);
		struct shard *s = &w->shard[lane_shard(l)];

		g_assert(object == i);
		s->mem = (struct mem_host){ slab_get_cb, slab_put_cb, lane_slab(l) };
		h->churn_ns = h->ask_ns = NEVER_NS;
		h->started_ns = h->joined_ns = h->ended_ns = WORLD_NEVER;
	}
}

/* A quota that holds no node at all is a mistake worth a message before the run. */
static bool quota_holds(struct world *w, struct fail *f)
{
	struct slab *slab = slab_new();
	struct mem_host mem = { slab_get_cb, slab_put_cb, slab };
	struct self *self = people_make(&w->people, slab, 0, 1);
	struct birth b = { .config = &w->config, .suite = w->people.suite, .host = &mem,
			   .quota = (uint32_t)MIN(w->scenario->nodes.quota_bytes, UINT32_MAX),
			   .identity = &self->identity };
	struct node *n;
	bool holds;

	networks_born(w, engine_lane(w->engine, 0), 0, &b, 1);
	n = node_new(&b, 0);
	holds = n;

	if (!n)
		schema_complain(w->scenario->log, f, "nodes", "quota",
				"does not hold one node; accepted: 64KiB and more");
	node_free(n);
	networks_drop(w, engine_lane(w->engine, 0), 0);
	people_drop(slab, self);
	slab_free(slab);
	return holds;
}

static void books_new(struct world *w)
{
	int64_t keep_ns = MAX(w->scenario->lookups.timeout_ns, 10 * NS_PER_S) + 10 * NS_PER_S;

	w->parts = parts_new(w->hosts);
	w->truth = truth_new(w->parts, keep_ns);
	w->roll = roll_new();
	w->lookups = lookups_new(w);
	w->leases = leases_new(w);
	w->deaths = deaths_new(w);
	w->casts = casts_new(w);
	w->revokes = revokes_new(w);
	w->health = health_new(w);
}

static void catalog_fill(struct world *w)
{
	w->catalog = catalog_new();
	traffic_catalog(w);
	chatter_catalog(w);
	leases_catalog(w);
	dhts_catalog(w);
	revokes_catalog(w);
	w->m_unnoticed = catalog_add(w->catalog, METRIC_COUNTER, UNIT_NUMBER, M_NONE, "death.unnoticed",
				     "ring neighbours that did not notice a crash within 60 s");
	w->m_cast_twice = catalog_add(w->catalog, METRIC_COUNTER, UNIT_NUMBER, M_NONE, "broadcast.twice",
				      "deliveries of a broadcast to a node that had it");
	w->m_cast_hops = catalog_add(w->catalog, METRIC_HISTOGRAM, UNIT_NUMBER, M_NONE, "broadcast.hops",
				     "links a broadcast took to a node");
	w->m_core_bytes = catalog_add(w->catalog, METRIC_GAUGE, UNIT_BYTES, M_NONE, "memory.core_bytes",
				      "mean memory of a running core by its own account");
	if (w->trace)
		w->m_trace = catalog_add(w->catalog, METRIC_GAUGE, UNIT_NUMBER, M_NONE, "trace.alive",
					 "nodes that are there according to the trace");
}

struct world *world_new(const struct world_setup *s, struct fail *f)
{
	struct world *w = g_new0(struct world, 1);
	const struct scenario *sc = s->scenario;

	if (sodium_init() < 0) {
		fail_add(f, "libsodium cannot be started");
		g_free(w);
		return NULL;
	}
	w->scenario = sc;
	w->seed = s->seed;
	w->again = g_strdup(s->again ? s->again : "weft-sim run");
	w->everies = g_ptr_array_new_with_free_func(g_free);
	w->ask_every = exponential(sc->lookups.every_ns);
	w->keeps = sc->churn.state == STATE_ALL || faults_keep_state(w);
	people_init(&w->people, w->seed, sc->run.crypto, sc->run.ids);
	if (!population_plan(w, f) || !shards_new(w, s, f) || !underlay_build(w, f)) {
		world_free(w);
		return NULL;
	}
	hosts_new(w);
	settings_fill(w);
	if (!faults_plan(w, f) || !networks_new(w, f) || !guests_new(w, f) || !quota_holds(w, f)) {
		world_free(w);
		return NULL;
	}
	books_new(w);
	catalog_fill(w);
	return w;
}

static void hosts_free(struct world *w)
{
	for (uint32_t i = 0; w->host && i < w->hosts; i++) {
		struct host *h = &w->host[i];
		struct lane *l = engine_lane(w->engine, i);

		node_free(h->node);
		networks_drop(w, l, i);
		people_drop(lane_slab(l), h->self);
		disk_wipe(l, h);
	}
	g_free(w->host);
	g_free(w->newcomer);
}

static void shards_free(struct world *w)
{
	for (unsigned i = 0; w->shard && i < w->shards; i++) {
		effects_done(&w->shard[i].fx);
		g_byte_array_unref(w->shard[i].disk);
		journal_done(&w->shard[i].journal);
		g_free(w->shard[i].touched);
		if (!w->recorder)
			metrics_free(w->shard[i].m);
	}
	if (w->shard)
		g_aligned_free(w->shard);
	if (w->engine)
		engine_free(w->engine);
}

void world_free(struct world *w)
{
	if (!w)
		return;
	hosts_free(w);
	revokes_free(w);
	faults_free(w);
	memory_free(w);
	lookups_free(w->lookups);
	leases_free(w);
	guests_free(w);
	networks_free(w);
	deaths_free(w->deaths);
	casts_free(w->casts);
	health_free(w->health);
	truth_free(w->truth);
	parts_free(w->parts);
	roll_free(w->roll);
	trace_free(w->trace);
	shards_free(w);
	if (w->net)
		net_free(w->net);
	net_table_free(w->table);
	journal_done(&w->merged);
	catalog_free(w->catalog);
	g_ptr_array_free(w->everies, TRUE);
	g_free(w->bootstrap);
	g_free(w->again);
	g_free(w);
}

void world_record(struct world *w, struct recorder *r)
{
	w->recorder = r;
	for (unsigned i = 0; i < w->shards; i++)
		w->shard[i].m = recorder_shard(r, i);
}

/* -- rows ----------------------------------------------------------------------------------------- */

static void memory_row(struct world *w)
{
	uint64_t bytes = 0, nodes = 0;

	for (uint32_t i = 0; i < w->hosts; i++) {
		if (!w->host[i].node)
			continue;
		bytes += node_bytes(w->host[i].node);
		nodes++;
	}
	metrics_set(w->shard[0].m, w->m_core_bytes, nodes ? (int64_t)(bytes / nodes) : 0);
}

/* Everything up to now into the recorder; @last: there is no more. */
static void row(struct world *w, int64_t now_ns, bool last)
{
	uint64_t alive = 0, joined = 0;

	world_settle(w);
	for (unsigned i = 0; i < w->watches; i++)
		if (w->watch[i].interval)
			w->watch[i].interval(w->watch[i].ctx, now_ns, last);
	for (unsigned i = 0; i < w->shards; i++) {
		alive += w->shard[i].alive;
		joined += w->shard[i].joined;
	}
	metrics_set(w->shard[0].m, M_NODES_ALIVE, (int64_t)alive);
	metrics_set(w->shard[0].m, M_NODES_JOINED, (int64_t)joined);
	if (w->trace)
		metrics_set(w->shard[0].m, w->m_trace, trace_alive(w->trace, now_ns));
	health_row(w->health, now_ns);
	joins_time(w, now_ns);
	memory_row(w);
	chatter_row(w);
	revokes_row(w);
	dhts_row(w);
	traffic_row(w, now_ns, now_ns - w->row_ns);
	w->row_ns = now_ns;
	if (last) {
		joins_finish(w);
		if (w->recorder)
			faults_finish(w);
		world_settle(w);		/* what the last look found */
		w->finished = true;
	}
	if (w->recorder && !failed(&w->trouble) && !recorder_row(w->recorder, now_ns, &w->trouble))
		engine_stop(w->engine);
}

static int64_t next_row(const struct world *w, int64_t now_ns)
{
	int64_t step = w->scenario->run.interval_ns;

	if (w->recorder)
		return recorder_due(w->recorder);
	return MIN((now_ns / step + 1) * step, world_end(w));
}

static void row_due(struct engine *e, int64_t now_ns, void *arg)
{
	struct world *w = arg;

	row(w, now_ns, now_ns == world_end(w));
	if (now_ns < world_end(w))
		engine_at(e, next_row(w, now_ns), PRIORITY_ROW, row_due, w);
}

/* -- time passes ---------------------------------------------------------------------------------- */

static void second(struct engine *e, int64_t now_ns, void *arg)
{
	struct world *w = arg;

	world_settle(w);
	truth_forget(w->truth, now_ns);
	parts_forget(w->parts, now_ns - 2 * w->scenario->lookups.timeout_ns - 60 * NS_PER_S);
	health_second(w->health, now_ns);
	chatter_publish(w);
	if (w->log && !failed(&w->trouble) && !eventlog_flush(w->log, &w->trouble))
		engine_stop(e);
	if (w->tick && !w->tick(w->tick_ctx, now_ns, w->alive))
		engine_stop(e);
}

static void every(struct engine *e, int64_t now_ns, void *arg)
{
	struct every *v = arg;

	(void)e;
	world_settle(v->world);
	v->fn(v->ctx, now_ns);
}

void world_every(struct world *w, int64_t first_ns, int64_t period_ns, world_barrier_fn *fn, void *ctx)
{
	struct every *v = g_new(struct every, 1);

	*v = (struct every){ .fn = fn, .ctx = ctx, .world = w };
	g_ptr_array_add(w->everies, v);
	engine_every(w->engine, first_ns, period_ns, PRIORITY_EVERY, every, v);
}

static void begin(struct world *w)
{
	for (unsigned i = 0; !w->recorder && i < w->shards; i++)
		w->shard[i].m = metrics_new(w->catalog);
	engine_every(w->engine, SETTLE_NS, SETTLE_NS, PRIORITY_SETTLE, second, w);
	engine_at(w->engine, next_row(w, 0), PRIORITY_ROW, row_due, w);
	faults_begin(w);
	casts_begin(w->casts);
	population_begin(w);
	if (w->scenario->nodes.remember)
		memory_begin(w);
	w->begun = true;
}

enum world_end world_run(struct world *w, int64_t until_ns, struct fail *f)
{
	if (!w->begun)
		begin(w);
	w->end = WORLD_STOPPED;
	switch (engine_run_until(w->engine, MIN(until_ns, world_end(w)))) {
	case ENGINE_REACHED:
		w->end = WORLD_DONE;
		break;
	case ENGINE_BROKEN:
		w->end = WORLD_BROKEN;
		break;
	case ENGINE_STOPPED:
		break;				/* who stopped it has said why */
	}
	if (failed(&w->trouble)) {
		fail_move(f, &w->trouble);
		return w->end = WORLD_UNABLE;
	}
	return w->end;
}

void world_stop(struct world *w)
{
	engine_stop(w->engine);
}

bool world_finish(struct world *w, struct fail *f)
{
	if (!w->finished)
		row(w, engine_now(w->engine), true);
	if (w->log && !failed(&w->trouble))
		eventlog_flush(w->log, &w->trouble);
	fail_move(f, &w->trouble);
	return !failed(f);
}

/* -- what it is ----------------------------------------------------------------------------------- */

uint32_t world_hosts(const struct world *w)
{
	return w->hosts;
}

const struct scenario *world_scenario(const struct world *w)
{
	return w->scenario;
}

struct net *world_net(const struct world *w)
{
	return w->net;
}

uint64_t world_seed(const struct world *w)
{
	return w->seed;
}

unsigned world_shards(const struct world *w)
{
	return w->shards;
}

int64_t world_now(const struct world *w)
{
	return engine_now(w->engine);
}

int64_t world_end(const struct world *w)
{
	return w->scenario->run.duration_ns;
}

struct catalog *world_catalog(const struct world *w)
{
	return w->catalog;
}

struct metrics *world_metrics(const struct world *w, unsigned shard)
{
	return w->shard[shard].m;
}

uint64_t world_digest(const struct world *w)
{
	return engine_digest(w->engine);
}
