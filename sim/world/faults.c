/*
 * faults.c - what goes wrong on purpose: when, to whom, and whether it did anything
 *
 * A fault begins and ends in barriers. Those of the underlay are sim/net's; the
 * others are orders to their victims, posted at the fault's beginning with the
 * times at which each is hit, so that the hosts' own shards carry them out
 * (fault_hosts.c). Every fault counts what it touched: packets dropped or
 * delayed, nodes ended or started, steps held back, saves delayed or lost. One
 * that touched nothing was a mistake in the scenario and fails the run.
 */
#include "sim/world/faults.h"

#include <string.h>

#include "sim/world/inside.h"
#include "sim/world/revokes.h"

unsigned faults_count(const struct world *w)
{
	return w->scenario->fault.count;
}

static int64_t lasts_ns(const struct fault *f)
{
	switch ((enum fault_kind)f->kind) {
	case FAULT_CRASH:
	case FAULT_LEAVE:
	case FAULT_JOIN:
	case FAULT_REVOKE:
		return 0;
	case FAULT_RESTART:
		return f->down_ns;
	default:
		return f->for_ns ? f->for_ns : -1;
	}
}

/* When the last victim is well again; NEVER_NS if the fault lasts to the end of the run. */
static int64_t end_of(const struct fault *f)
{
	int64_t span = lasts_ns(f);

	return span < 0 ? NEVER_NS : f->at_ns + f->over_ns + span;
}

bool fault_is_of_net(const struct fault *f)
{
	return f->kind == FAULT_PARTITION || f->kind == FAULT_CUT || f->kind == FAULT_LOSS ||
	       f->kind == FAULT_DELAY;
}

bool faults_keep_state(const struct world *w)
{
	for (unsigned i = 0; i < faults_count(w); i++) {
		const struct fault *f = scenario_fault(w->scenario, i);

		if (f->kind == FAULT_RESTART && f->state == STATE_ALL)
			return true;
	}
	return false;
}

uint32_t faults_spares(const struct world *w)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < faults_count(w); i++)
		if (scenario_fault(w->scenario, i)->kind == FAULT_JOIN)
			n += (uint64_t)scenario_fault(w->scenario, i)->count;
	return (uint32_t)MIN(n, UINT32_MAX / 2);
}

/* -- who ------------------------------------------------------------------------------------------ */

static bool may_be_hit(const struct world *w, const struct fault *f, uint32_t i)
{
	const struct host *h = &w->host[i];

	if (h->flags & HOST_BOOTSTRAP && !f->bootstrap)
		return false;
	return h->state != HOST_OFF;
}

/* The victims in the order they are hit: drawn from those alive, or as the scenario lists them. */
static void draw_victims(struct world *w, struct fault_run *r)
{
	const struct fault *f = r->fault;
	struct chance c = chance_of(w->seed, UINT32_MAX - 1 - r->number, STREAM_VICTIM);
	uint32_t *alive, n = 0;
	uint64_t want;

	if (f->nodes.count) {
		r->victim = g_new(uint32_t, f->nodes.count);
		for (unsigned i = 0; i < f->nodes.count; i++)
			if (f->nodes.value[i] < w->hosts)
				r->victim[r->victims++] = (uint32_t)f->nodes.value[i];
		return;
	}
	alive = g_new(uint32_t, w->hosts);
	for (uint32_t i = 0; i < w->hosts; i++)
		if (may_be_hit(w, f, i))
			alive[n++] = i;
	chance_shuffle(&c, alive, n);
	want = f->count ? (uint64_t)f->count : ((uint64_t)n * f->share_ppb + PPB_ONE / 2) / PPB_ONE;
	r->victims = (uint32_t)MIN(want, n);
	r->victim = g_renew(uint32_t, alive, MAX(r->victims, 1));
}

/* New nodes: the next spare hosts. */
static void draw_spares(struct world *w, struct fault_run *r)
{
	r->victim = g_new(uint32_t, (gsize)r->fault->count + 1);
	for (uint32_t i = w->first_spare; i < w->hosts && r->victims < r->fault->count; i++) {
		if (!(w->host[i].flags & HOST_SPARE))
			continue;
		w->host[i].flags &= (uint8_t)~HOST_SPARE;
		r->victim[r->victims++] = i;
	}
}

static void order_victims(struct world *w, struct fault_run *r)
{
	const struct fault *f = r->fault;

	for (uint32_t k = 0; k < r->victims; k++) {
		uint32_t i = r->victim[k];
		struct lane *l = engine_lane(w->engine, i);
		struct order *o = engine_payload(l, sizeof(*o));
		int64_t late_ns = (int64_t)((__int128)f->over_ns * k / r->victims);

		*o = (struct order){ .what = r->number, .number = FAULT_BEGINS };
		engine_post(l, i, i, CLASS_FAULT, engine_now(w->engine) + late_ns, o);
	}
}

/* -- when ----------------------------------------------------------------------------------------- */

static void tell(struct world *w, const struct fault_run *r, const char *what)
{
	if (w->log)
		eventlog_say(w->log, 0, engine_now(w->engine), EVENTLOG_WORLD, r->name, "%s %s",
			     fault_kind_name((enum fault_kind)r->fault->kind), what);
}

static void begin(struct engine *e, int64_t now_ns, void *arg)
{
	struct fault_run *r = arg;
	struct world *w = r->world;

	(void)e;
	(void)now_ns;
	world_settle(w);
	r->begun = true;
	if (r->fault->kind == FAULT_JOIN)
		draw_spares(w, r);
	else if (r->fault->kind != FAULT_PARTITION && r->fault->kind != FAULT_CUT)
		draw_victims(w, r);
	if (r->fault->kind == FAULT_REVOKE)
		revokes_begin(w, r);
	tell(w, r, "begins");
	if (fault_is_of_net(r->fault))
		fault_net_begin(w, r);
	else
		order_victims(w, r);
}

static void end(struct engine *e, int64_t now_ns, void *arg)
{
	struct fault_run *r = arg;

	(void)e;
	(void)now_ns;
	world_settle(r->world);
	r->ended = true;
	if (fault_is_of_net(r->fault))
		fault_net_end(r->world, r);
	tell(r->world, r, "ends");
}

enum { DIVIDERS = 4 };				/* at once: parts are numbers of 16 bits, 4 for each */

static bool fits(const struct world *w, const struct fault_run *r, struct fail *f)
{
	const struct fault *t = r->fault;
	unsigned at_once = 0;

	for (unsigned i = 0; i < t->nodes.count; i++) {
		if (t->nodes.value[i] < w->hosts)
			continue;
		schema_complain(w->scenario->log, f, r->name, "nodes",
				"there is no node %" G_GINT64_FORMAT "; accepted: 0 to %u",
				t->nodes.value[i], w->hosts - 1);
		return false;
	}
	if (t->kind != FAULT_PARTITION && t->kind != FAULT_CUT)
		return true;
	for (unsigned i = 1; i <= r->number; i++) {
		const struct fault_run *o = &w->faults->run[i];

		at_once += (o->fault->kind == FAULT_PARTITION || o->fault->kind == FAULT_CUT) &&
			   o->fault->at_ns < r->end_ns && t->at_ns < o->end_ns;
	}
	if (at_once > DIVIDERS) {
		schema_complain(w->scenario->log, f, r->name, "at",
				"the fifth partition or cut at the same time; accepted: %d", DIVIDERS);
		return false;
	}
	return true;
}

bool faults_plan(struct world *w, struct fail *f)
{
	struct faults *all = w->faults = g_new0(struct faults, 1);

	all->count = faults_count(w);
	all->run = g_new0(struct fault_run, all->count + 1);
	for (unsigned i = 0; i < all->count; i++) {
		struct fault_run *r = &all->run[i + 1];	/* 0 is no fault: struct odd */

		r->world = w;
		r->fault = scenario_fault(w->scenario, i);
		r->number = i + 1;
		r->end_ns = end_of(r->fault);
		r->net = NET_FAULT_NONE;
		g_snprintf(r->name, sizeof(r->name), "fault.%u", r->fault->head.number);
		if (!fits(w, r, f))
			return false;
	}
	return true;
}

void faults_begin(struct world *w)
{
	for (unsigned i = 1; i <= w->faults->count; i++) {
		struct fault_run *r = &w->faults->run[i];

		engine_at(w->engine, r->fault->at_ns, 0, begin, r);
		if (r->end_ns != NEVER_NS)
			engine_at(w->engine, r->end_ns, -1, end, r);
	}
}

int64_t faults_end_ns(const struct world *w)
{
	int64_t last_ns = WORLD_NEVER;

	for (unsigned i = 1; i <= w->faults->count; i++)
		last_ns = MAX(last_ns, w->faults->run[i].end_ns);
	return last_ns;
}

unsigned world_faults(const struct world *w, int64_t *ended_ns, unsigned *ahead)
{
	unsigned active = 0;

	*ended_ns = WORLD_NEVER;
	*ahead = 0;
	for (unsigned i = 1; i <= w->faults->count; i++) {
		const struct fault_run *r = &w->faults->run[i];

		if (!r->begun)
			++*ahead;
		else if (!r->ended)
			active++;
		else
			*ended_ns = MAX(*ended_ns, r->end_ns);
	}
	return active;
}

/* -- accounts ------------------------------------------------------------------------------------- */

uint64_t faults_touched(const struct world *w, unsigned number)
{
	const struct fault_run *r = &w->faults->run[number];
	uint64_t n = 0;

	for (unsigned i = 0; i < w->shards; i++)
		n += w->shard[i].touched[number];
	if (net_fault_valid(r->net))
		n += net_fault_touched(w->net, r->net);
	return n;
}

void faults_finish(struct world *w)
{
	for (unsigned i = 1; i <= w->faults->count; i++) {
		const struct fault_run *r = &w->faults->run[i];
		char *text = fault_net_text(r->fault);
		struct fault_mark m = {
			.name = r->name, .kind = fault_kind_name((enum fault_kind)r->fault->kind),
			.text = text, .at_ns = r->fault->at_ns,
			.until_ns = MIN(r->end_ns, engine_now(w->engine)),
			.touched = (int64_t)faults_touched(w, i),
		};

		if (r->begun || engine_now(w->engine) >= world_end(w))
			recorder_fault(w->recorder, &m);
		g_free(text);
	}
}

void faults_free(struct world *w)
{
	if (!w->faults)
		return;
	for (unsigned i = 1; i <= w->faults->count; i++)
		g_free(w->faults->run[i].victim);
	g_free(w->faults->run);
	g_free(w->faults);
	w->faults = NULL;
}
